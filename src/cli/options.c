#include "cli/options.h"

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "bytes/nearest.h"

enum kind { FLAG, TEXT, LIST, NUMBER, SIGNED, SECONDS, CHOICE };

struct row {
    const char *name, *argument; /* argument NULL: a flag. CHOICE: the words, separated by | */
    enum kind kind;
    unsigned commands;
    size_t offset;
    uint64_t lowest, highest;
    const char *help;
};

#define AT(field) offsetof(struct options, field)
#define CLIENTS   (CONNECT | TRACE)
#define SERVERS   (SERVE | PROXY)
#define ALL       (CONNECT | SERVE | TRACE | PROXY)
#define EVERY     (ALL | CIPHERS)
#define VERSIONS  "1.0|1.1|1.2|1.3"

/* clang-format off */
static const struct row table[] = {
    {"--ca", "FILE", TEXT, ALL | SCAN, AT(ca), 0, 0, "trust the authorities in this PEM file, and no others"},
    {"--ca-folder", "FOLDER", TEXT, ALL | SCAN, AT(ca_folder), 0, 0, "trust the authorities in this folder of hashed names"},
    {"--name", "NAME", TEXT, CLIENTS | SCAN, AT(name), 0, 0, "name to ask for and to verify, instead of the URL's host"},
    {"--starttls", "PROTOCOL", TEXT, CLIENTS | SCAN | SERVE, AT(starttls), 0, 0, "begin in plain text, as smtp, submission, lmtp, imap, pop3, ftp, xmpp, xmpp-server, ldap, nntp, sieve, postgres, mysql or irc does; the same as URLs with such a scheme"},
    {"--insecure-no-verify", NULL, FLAG, CLIENTS, AT(insecure_no_verify), 0, 0, "accept any certificate: the peer may then be anybody"},
    {"--crl", "FILE", LIST, ALL | SCAN, AT(crl), 0, 0, "revocation lists (PEM or DER); may be repeated"},
    {"--crl-check", "none|leaf|chain", CHOICE, ALL | SCAN, AT(crl_check), 0, 0, "whose revocation to look up in the lists; default with --crl: leaf"},
    {"--pin", "SHA256", LIST, ALL, AT(pin), 0, 0, "accept only this certificate or key: hexadecimal, or sha256//BASE64 of a key; may be repeated"},
    {"--policy", "OID", LIST, ALL, AT(policy), 0, 0, "demand this certificate policy; may be repeated"},
    {"--verify-flags", "LIST", TEXT, ALL, AT(verify_flags), 0, 0, "strict,partial-chain,proxy-certs,trusted-first,policy,no-any-policy,no-policy-mapping; no-WORD turns one off"},
    {"--cert", "FILE", LIST, ALL | SCAN, AT(cert), 0, 0, "certificate chain (PEM), own certificate first; serve: may be repeated"},
    {"--key", "FILE", LIST, ALL | SCAN, AT(key), 0, 0, "private key of the --cert before it; default: in the same file"},
    {"--raw-key", "FILE", LIST, ALL, AT(raw_key), 0, 0, "show the public half of this private key instead of a certificate (RFC 7250); may be repeated, and stand beside --cert"},
    {"--trust-key", "FILE", LIST, ALL, AT(trust_key), 0, 0, "accept the peer's raw public key if it is one of those in this file (PEM or DER); may be repeated"},
    {"--peer-types", "LIST", TEXT, ALL, AT(peer_types), 0, 0, "what to take from the peer, best first: X509, RawPublicKey; default X509, with --trust-key RawPublicKey (and X509 with --ca)"},
    {"--alpn", "LIST", TEXT, ALL, AT(alpn), 0, 0, "application protocols, best first: h2,http/1.1"},
    {"--groups", "LIST", TEXT, ALL, AT(groups), 0, 0, "key exchange groups, best first: x25519:P-256"},
    {"--suites", "LIST", TEXT, ALL, AT(suites), 0, 0, "cipher suites, best first"},
    {"--ciphers", "STRING", TEXT, ALL, AT(ciphers), 0, 0, "suites of TLS 1.2 and older, in OpenSSL's language: ECDHE+AESGCM:!aNULL"},
    {"--tls1.3", NULL, FLAG, EVERY, AT(tls13), 0, 0, "only TLS 1.3; several such options: from the lowest to the highest"},
    {"--tls1.2", NULL, FLAG, EVERY, AT(tls12), 0, 0, "only TLS 1.2"},
    {"--tls1.1", NULL, FLAG, EVERY, AT(tls11), 0, 0, "only TLS 1.1; needs --security-level 0"},
    {"--tls1.0", NULL, FLAG, EVERY, AT(tls10), 0, 0, "only TLS 1.0; needs --security-level 0"},
    {"--min", VERSIONS, CHOICE, EVERY, AT(lowest), 0, 0, "lowest version of TLS; default 1.2"},
    {"--max", VERSIONS, CHOICE, EVERY, AT(highest), 0, 0, "highest version of TLS; default 1.3"},
    {"--security-level", "N", SIGNED, EVERY, AT(security_level), 0, 5, "what is strong enough, as in OpenSSL; default 2; 0 allows everything"},
    {"--signatures", "LIST", TEXT, ALL, AT(signatures), 0, 0, "signature schemes, best first"},
    {"--key-shares", "LIST", TEXT, CLIENTS, AT(key_shares), 0, 0, "groups to send a key share for at once; \"\": none"},
    {"--psk-ke", NULL, FLAG, ALL, AT(psk_ke), 0, 0, "also resume without a fresh key exchange: no forward secrecy"},
    {"--ocsp", "require|request|none", CHOICE, CLIENTS, AT(ocsp), 0, 0, "whether to ask for a stapled OCSP response; default request"},
    {"--ocsp", "FILE", TEXT, SERVERS, AT(ocsp), 0, 0, "staple this OCSP response (DER) to the first certificate"},
    {"--compress-cert", "LIST", TEXT, ALL, AT(compress_cert), 0, 0, "compress certificates, both ways, best first: brotli,zstd,zlib (TLS 1.3)"},
    {"--record-size-limit", "N", NUMBER, ALL, AT(record_size_limit), 64, 16384, "ask the peer for records of at most N bytes"},
    {"--padding", "N", NUMBER, ALL, AT(padding), 1, 16384, "pad records to multiples of N bytes"},
    {"--session", "FILE", TEXT, CLIENTS, AT(session), 0, 0, "resume the session in this file (OpenSSL's are read too), and keep the newest one there"},
    {"--early-data", "FILE", TEXT, CONNECT, AT(early_data), 0, 0, "send this file (-: standard input) as early data; needs --session; what is refused is sent again"},
    {"--early-data", "N", NUMBER, SERVE, AT(max_early_data), 1, UINT32_MAX, "accept up to N bytes of early data from clients that resume"},
    {"--psk", "IDENTITY:HEXKEY", LIST, ALL, AT(psk), 0, 0, "pre-shared key; may be repeated; with it serve needs no certificate"},
    {"--get", "PATH", TEXT, CLIENTS, AT(get), 0, 0, "send an HTTP GET for this path (connect: print the body)"},
    {"--key-update", NULL, FLAG, CONNECT, AT(key_update), 0, 0, "renew the keys of both directions after the handshake"},
    {"--key-update", "N", NUMBER, SERVE, AT(key_update_after), 1, UINT64_MAX, "renew the sending key after N records"},
    {"--output", "FILE", TEXT, TRACE, AT(output), 0, 0, "file to write, or - for standard output (short: -o)"},
    {"--root", "FOLDER", TEXT, SERVE, AT(root), 0, 0, "serve the files of this folder by HTTP"},
    {"--www", NULL, FLAG, SERVE, AT(www), 0, 0, "answer every GET with a status page (this is the default)"},
    {"--show", NULL, FLAG, SERVE, AT(show), 0, 0, "answer every GET with the illustrated handshake of its connection, secrets included"},
    {"--echo", NULL, FLAG, SERVE, AT(echo), 0, 0, "send back whatever comes"},
    {"--reverse", NULL, FLAG, SERVE, AT(reverse), 0, 0, "send back each line reversed"},
    {"--client-auth", "request|require", CHOICE, SERVERS, AT(client_auth), 0, 0, "ask clients for a certificate; needs --ca"},
    {"--post-handshake-auth", NULL, FLAG, CONNECT, AT(post_auth), 0, 0, "offer to show a certificate (--cert) after the handshake"},
    {"--post-handshake-auth", "PATH", TEXT, SERVE, AT(ask_later), 0, 0, "ask for a client certificate after the handshake where a request's path begins with PATH; needs --ca"},
    {"--tickets", "N", SIGNED, SERVERS, AT(tickets), 0, 16, "session tickets per full handshake; default 2"},
    {"--cookie", NULL, FLAG, SERVERS, AT(cookie), 0, 0, "demand a cookie after a HelloRetryRequest"},
    {"--count", "N", NUMBER, SERVE, AT(count), 1, UINT64_MAX, "stop after N connections"},
    {"--max-connections", "N", NUMBER, SERVERS, AT(max_connections), 1, 1000000, "hold at most N connections at once; default 10000"},
    {"--port-file", "FILE", TEXT, SERVERS, AT(port_file), 0, 0, "write the port that is listened on to this file"},
    {"--to-ca", "FILE", TEXT, PROXY, AT(to_ca), 0, 0, "trust the authorities in this file for the backend's certificate, and no others"},
    {"--to-ca-folder", "FOLDER", TEXT, PROXY, AT(to_ca_folder), 0, 0, "the same with a folder of hashed names"},
    {"--to-name", "NAME", TEXT, PROXY, AT(to_name), 0, 0, "name to ask the backend for and to verify, instead of the URL's host"},
    {"--to-insecure-no-verify", NULL, FLAG, PROXY, AT(to_insecure_no_verify), 0, 0, "accept any certificate of the backend: it may then be anybody"},
    {"--to-cert", "FILE", TEXT, PROXY, AT(to_cert), 0, 0, "certificate chain (PEM) to show the backend"},
    {"--to-key", "FILE", TEXT, PROXY, AT(to_key), 0, 0, "its private key; default: in the same file"},
    {"--to-alpn", "LIST", TEXT, PROXY, AT(to_alpn), 0, 0, "application protocols to offer the backend"},
    {"--proxy-protocol", "v1|v2", CHOICE, PROXY, AT(proxy_protocol), 0, 0, "tell the backend the client's address with a PROXY header; v2 says more"},
    {"--workers", "N", NUMBER, PROXY, AT(workers), 1, 256, "number of processes; default: one for each processor"},
    {"--user", "NAME", TEXT, PROXY, AT(user), 0, 0, "let the processes that talk to the world run as this user"},
    {"--idle-timeout", "S", SECONDS, PROXY, AT(idle), 0, 0, "seconds of silence after which a connection is ended; default 600"},
    {"--drain", "S", SECONDS, PROXY, AT(drain), 0, 0, "seconds that connections get to end by themselves after SIGTERM; default 30"},
    {"--access-log", "FILE", TEXT, PROXY, AT(access_log), 0, 0, "append a line for each connection to this file (-: standard output)"},
    {"--pid-file", "FILE", TEXT, PROXY, AT(pid_file), 0, 0, "write the number of the process that takes signals to this file"},
    {"--stats", "S", SECONDS, PROXY, AT(stats), 0, 0, "write a line of statistics every S seconds, as SIGUSR1 does once"},
    {"--config", "FILE", TEXT, PROXY, AT(file), 0, 0, "more options, one a line without the dashes; read again on SIGHUP"},
    {"--option", "NAME=VALUE", LIST, ALL | SCAN, AT(named), 0, 0, "set an option by its name in PHP's stream contexts (short: -o); may be repeated; handfast help options lists them"},
    {"--timeout", "S", SECONDS, ALL | SCAN, AT(timeout), 0, 0, "seconds for the handshake, and for each silence after it"},
    {"--keylog", "FILE", TEXT, ALL, AT(keylog), 0, 0, "append the secrets to this file (SSLKEYLOGFILE format)"},
    {"--parallel", "N", NUMBER, SCAN, AT(parallel), 1, 64, "connections at once, at most; default 8"},
    {"--strict", NULL, FLAG, SCAN, AT(strict), 0, 0, "exit with status 2 if anything weak or bad is found"},
    {"--all", NULL, FLAG, CIPHERS, AT(all), 0, 0, "every suite that this program has"},
    {"--ids", NULL, FLAG, CIPHERS, AT(ids), 0, 0, "also the numbers that are sent"},
    {"--names", NULL, FLAG, CIPHERS, AT(names), 0, 0, "only OpenSSL's names, separated by colons"},
    {"--json", NULL, FLAG, EVERY | SCAN, AT(json), 0, 0, "what is reported, as JSON"},
    {"--quiet", NULL, FLAG, CONNECT | SERVERS, AT(quiet), 0, 0, "report failures only"},
    {"--json", NULL, FLAG, CERT & ~CERT_CONVERT, AT(json), 0, 0, "what is reported, as JSON"},
    {"--pem", NULL, FLAG, CERT_SHOW, AT(pem), 0, 0, "the certificates themselves, as PEM"},
    {"--output", "FILE", TEXT, CERT & ~CERT_MAKE, AT(output), 0, 0, "file to write instead of standard output (short: -o)"},
    {"--output", "FOLDER", TEXT, CERT_MAKE, AT(output), 0, 0, "folder to write to, made if need be; default the current one (short: -o)"},
    {"--force", NULL, FLAG, CERT, AT(force), 0, 0, "replace files that are there already"},
    {"--to", "pem|der|p12", CHOICE, CERT_CONVERT, AT(to), 0, 0, "what to write; default: what the output's name ends with"},
    {"--key", "FILE", TEXT, CERT_CONVERT, AT(key_file), 0, 0, "private key of the first certificate; default: in the same file"},
    {"--key", "FILE", TEXT, CERT_CHECK, AT(key_file), 0, 0, "private key, which must be the first certificate's"},
    {"--no-key", NULL, FLAG, CERT_CONVERT, AT(no_key), 0, 0, "leave the private key out"},
    {"--leaf", NULL, FLAG, CERT_CONVERT, AT(leaf), 0, 0, "take the first certificate only"},
    {"--name", "NAME", TEXT, CERT_CONVERT, AT(name), 0, 0, "friendly name in a PKCS#12 file"},
    {"--name", "NAME", TEXT, CERT_SHOW | CERT_FETCH, AT(name), 0, 0, "name to ask the server for instead of the URL's host"},
    {"--name", "NAME", TEXT, CERT_CHECK, AT(name), 0, 0, "DNS name or IP address that it must be for; default for a URL: its host"},
    {"--starttls", "PROTOCOL", TEXT, CERT_SHOW | CERT_FETCH | CERT_CHECK, AT(starttls), 0, 0, "begin with this protocol in plain text, as URLs with such a scheme do (smtp, imap, ldap, postgres ...)"},
    {"--passphrase-file", "FILE", TEXT, CERT_SHOW | CERT_CONVERT | CERT_CHECK | CERT_MAKE, AT(passphrase_file), 0, 0, "the passphrase of what is read is the first line of this file (-: standard input); default: ask for it"},
    {"--passphrase-file", "FILE", TEXT, ALL, AT(passphrase_file), 0, 0, "the passphrase of the keys is the first line of this file (-: standard input)"},
    {"--out-passphrase-file", "FILE", TEXT, CERT_CONVERT, AT(out_passphrase_file), 0, 0, "the same for what is written: PKCS#12, or a key in PEM"},
    {"--time", "TIME", TEXT, CERT_CHECK, AT(time), 0, 0, "time of the judgement: 2026-01-31, 2026-01-31T12:00:00Z; default now"},
    {"--days", "N", NUMBER, CERT_CHECK, AT(days), 1, 36500, "demand that it is valid for N more days"},
    {"--days", "N", NUMBER, CERT_MAKE, AT(days), 1, 36500, "days that the certificate is valid; default 90"},
    {"--client", NULL, FLAG, CERT_CHECK, AT(client), 0, 0, "judge it as a client's certificate, not a server's"},
    {"--client", NULL, FLAG, CERT_MAKE, AT(client), 0, 0, "a certificate for a client, not a server"},
    {"--both", NULL, FLAG, CERT_MAKE, AT(both), 0, 0, "a certificate for a client and a server"},
    {"--key-type", "ec|p256|p384|rsa|rsa3072|rsa4096|ed25519", CHOICE, CERT_MAKE, AT(key_type), 0, 0, "kind of the keys; default ec (P-256)"},
    {"--issuer", "FILE", TEXT, CERT_MAKE, AT(issuer), 0, 0, "sign with this authority (certificate, and its key unless --key), instead of making one"},
    {"--key", "FILE", TEXT, CERT_MAKE, AT(key_file), 0, 0, "private key of --issuer"},
    {"--ca-name", "NAME", TEXT, CERT_MAKE, AT(ca_name), 0, 0, "name of the authority; default \"handfast test CA\""},
    {"--subject", "NAME", TEXT, CERT_MAKE, AT(subject), 0, 0, "common name of the certificate; default: the first name"},
    {"--ca", "FILE", TEXT, CERT_FETCH | CERT_CHECK, AT(ca), 0, 0, "trust the authorities in this PEM file, and no others"},
    {"--ca-folder", "FOLDER", TEXT, CERT_FETCH | CERT_CHECK, AT(ca_folder), 0, 0, "trust the authorities in this folder of hashed names"},
    {"--crl", "FILE", LIST, CERT_CHECK, AT(crl), 0, 0, "revocation lists (PEM or DER); may be repeated"},
    {"--crl-check", "none|leaf|chain", CHOICE, CERT_CHECK, AT(crl_check), 0, 0, "whose revocation to look up in the lists; default with --crl: leaf"},
    {"--pin", "SHA256", LIST, CERT_CHECK, AT(pin), 0, 0, "accept only this certificate or key: hexadecimal, or sha256//BASE64 of a key; may be repeated"},
    {"--policy", "OID", LIST, CERT_CHECK, AT(policy), 0, 0, "demand this certificate policy; may be repeated"},
    {"--verify-flags", "LIST", TEXT, CERT_CHECK, AT(verify_flags), 0, 0, "strict,partial-chain,proxy-certs,trusted-first,policy,no-any-policy,no-policy-mapping; no-WORD turns one off"},
    {"--security-level", "N", SIGNED, CERT_CHECK, AT(security_level), 0, 5, "what is strong enough, as in OpenSSL; default 2; 0 allows everything"},
    {"--timeout", "S", SECONDS, CERT_SHOW | CERT_FETCH | CERT_CHECK, AT(timeout), 0, 0, "seconds for talking to a server"},
    {"--quiet", NULL, FLAG, CERT_FETCH | CERT_MAKE, AT(quiet), 0, 0, "report failures only"},
    {"--help", NULL, FLAG, CERT, AT(help), 0, 0, "show this help"},
    {"--help", NULL, FLAG, EVERY | SCAN, AT(help), 0, 0, "show this help"},
};
/* clang-format on */
enum { ROWS = sizeof table / sizeof *table };

const char *options_nearest(const char *word, const char *const *candidates, size_t count)
{
    return nearest_word(word, candidates, count);
}

/* One option while it is read. */
struct reading {
    struct options *o;
    const char *command;
    const struct row *row;
    const char *value;
};

__attribute__((format(printf, 2, 3))) static bool mistake(const char *command, const char *fmt,
                                                          ...)
{
    va_list args;
    va_start(args, fmt);
    fprintf(stderr, "handfast %s: ", command);
    vfprintf(stderr, fmt, args);
    /* Behind a colon stands the place in a file. */
    fprintf(stderr, "\nTry: handfast help %.*s\n", (int)strcspn(command, ":"), command);
    va_end(args);
    return false;
}

static bool set_number(const struct reading *r, void *field)
{
    char *end;
    errno = 0;
    unsigned long long v = strtoull(r->value, &end, 10);
    if (*r->value < '0' || *r->value > '9' || *end || errno || v < r->row->lowest ||
        v > r->row->highest) {
        if (r->row->highest == UINT64_MAX)
            return mistake(r->command, "%s takes a number from %llu on, not \"%s\"",
                           r->row->name, (unsigned long long)r->row->lowest, r->value);
        return mistake(r->command, "%s takes a number from %llu to %llu, not \"%s\"",
                       r->row->name, (unsigned long long)r->row->lowest,
                       (unsigned long long)r->row->highest, r->value);
    }
    if (r->row->kind == SIGNED)
        *(int64_t *)field = (int64_t)v;
    else
        *(uint64_t *)field = v;
    return true;
}

static bool set_seconds(const struct reading *r, void *field)
{
    char *end;
    double v = strtod(r->value, &end);
    if (end == r->value || *end || !(v > 0) || v > 1e9)
        return mistake(r->command, "%s takes a number of seconds above 0, not \"%s\"",
                       r->row->name, r->value);
    *(double *)field = v;
    return true;
}

static bool set_choice(const struct reading *r, void *field)
{
    size_t n = strlen(r->value);
    for (const char *p = r->row->argument; n && p;
         p = strchr(p, '|') ? strchr(p, '|') + 1 : NULL)
        if (strncmp(p, r->value, n) == 0 && (p[n] == '|' || p[n] == '\0')) {
            *(const char **)field = r->value;
            return true;
        }
    return mistake(r->command, "%s takes one of %s, not \"%s\"", r->row->name, r->row->argument,
                   r->value);
}

static bool set_list(const struct reading *r, void *field)
{
    struct text_list *list = field;
    if (list->count == MAX_CERTS)
        return mistake(r->command, "%s can be given at most %d times", r->row->name, MAX_CERTS);
    /* A key belongs to the certificate named before it. */
    if (r->row->offset == AT(key)) {
        if (r->o->cert.count == 0)
            return mistake(r->command, "--key %s needs the --cert that it belongs to before it",
                           r->value);
        if (list->p[r->o->cert.count - 1])
            return mistake(r->command, "--key %s is the second key for --cert %s", r->value,
                           r->o->cert.p[r->o->cert.count - 1]);
        list->p[r->o->cert.count - 1] = r->value;
        return true;
    }
    list->p[list->count++] = r->value;
    return true;
}

static bool set(const struct reading *r)
{
    void *field = (char *)r->o + r->row->offset;
    switch (r->row->kind) {
    case FLAG: *(bool *)field = true; return true;
    case TEXT: *(const char **)field = r->value; return true;
    case LIST: return set_list(r, field);
    case NUMBER:
    case SIGNED: return set_number(r, field);
    case SECONDS: return set_seconds(r, field);
    case CHOICE: return set_choice(r, field);
    }
    return false;
}

static const struct row *find(const char *name, size_t len, unsigned command)
{
    for (size_t i = 0; i < ROWS; i++)
        if ((table[i].commands & command) && strncmp(table[i].name, name, len) == 0 &&
            table[i].name[len] == '\0')
            return &table[i];
    return NULL;
}

static bool unknown(const char *command_name, const char *word, unsigned command)
{
    const char *names[ROWS];
    size_t count = 0;
    unsigned others = 0;
    for (size_t i = 0; i < ROWS; i++) {
        if (table[i].commands & command)
            names[count++] = table[i].name;
        else if (strcmp(table[i].name, word) == 0)
            others |= table[i].commands;
    }
    if (others)
        return mistake(command_name, "%s is an option of handfast %s%s%s only", word,
                       others & CONNECT ? "connect" : "", others == CLIENTS ? " and " : "",
                       others & SERVE     ? "serve"
                       : others & TRACE   ? "trace"
                       : others & SCAN    ? "scan"
                       : others & CIPHERS ? "ciphers"
                       : others & PROXY   ? "proxy"
                       : others & CERT    ? "cert"
                                          : "");
    const char *near = options_nearest(word, names, count);
    if (near)
        return mistake(command_name, "there is no option %.*s; did you mean %s?",
                       (int)strcspn(word, "="), word, near);
    return mistake(command_name, "there is no option %.*s", (int)strcspn(word, "="), word);
}

bool options_parse(struct options *o, unsigned command, const char *command_name, int argc,
                   char **argv)
{
    *o = (struct options){
        .command = command, .tickets = -1, .security_level = -1, .argc = argc, .argv = argv};
    bool only_words = false;
    for (int i = 0; i < argc; i++) {
        const char *word = argv[i];
        if (only_words || word[0] != '-' || word[1] == '\0') {
            if (o->target && command == PROXY && !o->target2) {
                o->target2 = word;
                continue;
            }
            if (o->target)
                return mistake(command_name, "%s enough: \"%s\" comes after \"%s\"",
                               command == PROXY     ? "two URLs are"
                               : command == CIPHERS ? "one string is"
                               : command & CERT     ? "one word is"
                                                    : "one URL is",
                               word, o->target2 ? o->target2 : o->target);
            o->target = word;
            continue;
        }
        if (strcmp(word, "--") == 0) {
            only_words = true;
            continue;
        }
        if (strcmp(word, "-h") == 0)
            word = "--help";
        if (strcmp(word, "-o") == 0)
            word = find("--output", 8, command) ? "--output" : "--option";
        const char *equals = strchr(word, '=');
        struct reading r = {.o = o, .command = command_name};
        r.row = find(word, equals ? (size_t)(equals - word) : strlen(word), command);
        if (!r.row)
            return unknown(command_name, word, command);
        if (r.row->kind == FLAG && equals)
            return mistake(command_name, "%s takes no value", r.row->name);
        if (r.row->kind != FLAG) {
            r.value = equals ? equals + 1 : i + 1 < argc ? argv[++i] : NULL;
            if (!r.value)
                return mistake(command_name, "%s needs a value: %s", r.row->name,
                               r.row->argument);
        }
        if (!set(&r))
            return false;
    }
    return true;
}

/* The text beside an option, in lines that fit a terminal of 80 columns. A list may be broken behind a comma. */
static void help_text(FILE *out, const char *text)
{
    enum { LEFT = 30, WIDTH = 79 };
    size_t at = LEFT;
    bool gap = true;
    while (*text) {
        size_t n = strcspn(text, " ,");
        n += text[n] == ',';
        if (at > LEFT && at + gap + n > WIDTH) {
            fprintf(out, "\n%*s", LEFT, "");
            at = LEFT;
            gap = true;
        }
        fprintf(out, "%s%.*s", gap ? " " : "", (int)n, text);
        at += gap + n;
        text += n;
        gap = *text == ' ';
        text += gap;
    }
    fputc('\n', out);
}

void options_help(FILE *out, unsigned command)
{
    for (size_t i = 0; i < ROWS; i++) {
        if (!(table[i].commands & command))
            continue;
        char left[64];
        snprintf(left, sizeof left, "%s%s%s", table[i].name, table[i].argument ? " " : "",
                 table[i].argument ? table[i].argument : "");
        fprintf(out, "  %-28s", left);
        if (strlen(left) > 27)
            fprintf(out, "\n%30s", "");
        help_text(out, table[i].help);
    }
}

bool options_row(size_t i, struct option_row *out)
{
    if (i >= ROWS)
        return false;
    *out = (struct option_row){table[i].name, table[i].argument, table[i].help,
                               table[i].commands, table[i].kind == CHOICE};
    return true;
}
