/* cert.c: handfast cert: looking at certificates, and making some. */
#include "cli/cert.h"

#include <stdarg.h>
#include <string.h>

#include "cli/command.h"
#include "cli/report.h"

/* clang-format off */
const struct cert_verb cert_verbs[] = {
    {"show", CERT_SHOW, cert_show, "FILE|URL|- [OPTION]...", "say what is in certificates",
     "Shows every certificate of FILE (PEM, DER or PKCS#12; -: standard input), or of the server\n"
     "at URL (tls://HOST:PORT, smtp://HOST ...), which is not verified.\n"},
    {"fetch", CERT_FETCH, cert_fetch, "URL|HOST[:PORT] [OPTION]...", "get a server's certificates as PEM",
     "Writes the certificates that the server shows, its own first. On standard error it says\n"
     "whether they were good; with --ca a bad one is a failure, and nothing is written.\n"},
    {"convert", CERT_CONVERT, cert_convert, "FILE|- -o FILE [OPTION]...", "between PEM, DER and PKCS#12",
     "Reads PEM, DER or PKCS#12, with the private key if there is one, and writes what --to or\n"
     "the end of the output's name says. Passphrases are read from a file or asked for.\n"},
    {"check", CERT_CHECK, cert_check, "FILE|URL|- [OPTION]...", "judge a chain: name, dates, issuers, strength",
     "Judges the first certificate of FILE, or a server's, with the others as its issuers, by\n"
     "the rules of a handshake, and names every fault with the certificate that it is in.\n"
     "Exit status 0 if it is good, 2 if not.\n"},
    {"make", CERT_MAKE, cert_make, "NAME[,NAME]... [OPTION]...", "make a CA for tests, and a certificate of it",
     "Makes an authority (ca.pem, ca-key.pem) and a certificate for the names, DNS names or IP\n"
     "addresses, with its chain (cert.pem) and key (key.pem), in the folder --output. With\n"
     "--issuer the authority is one that was made before.\n"},
};
/* clang-format on */
const size_t cert_verb_count = sizeof cert_verbs / sizeof *cert_verbs;

static const struct cert_verb *find(const char *name)
{
    for (size_t i = 0; i < cert_verb_count; i++)
        if (strcmp(cert_verbs[i].name, name) == 0)
            return &cert_verbs[i];
    return NULL;
}

int cert_usage(const char *verb, const char *fmt, ...)
{
    va_list args;
    fprintf(stderr, "handfast cert %s: ", verb);
    va_start(args, fmt);
    vfprintf(stderr, fmt, args);
    va_end(args);
    fprintf(stderr, "\nTry: handfast help cert %s\n", verb);
    return EXIT_USAGE;
}

static int unknown(const char *word)
{
    const char *names[8];
    for (size_t i = 0; i < cert_verb_count; i++)
        names[i] = cert_verbs[i].name;
    const char *near = options_nearest(word, names, cert_verb_count);
    fprintf(stderr, "handfast cert: there is no \"%s\"%s%s%s\nTry: handfast help cert\n", word,
            near ? "; did you mean " : "", near ? near : "", near ? "?" : "");
    return EXIT_USAGE;
}

static void overview(FILE *out)
{
    fputs("Usage: handfast cert VERB [ARGUMENT]...\n\n", out);
    for (size_t i = 0; i < cert_verb_count; i++)
        fprintf(out, "  %-8s  %s\n", cert_verbs[i].name, cert_verbs[i].summary);
    fputs("\nTry: handfast help cert VERB\n", out);
}

int cert_help(FILE *out, const char *verb)
{
    const struct cert_verb *v = verb ? find(verb) : NULL;
    if (verb && !v)
        return unknown(verb);
    if (!v) {
        overview(out);
        return EXIT_OK;
    }
    fprintf(out, "Usage: handfast cert %s %s\n\n%s\nOptions:\n", v->name, v->usage, v->more);
    options_help(out, v->mask);
    return EXIT_OK;
}

static bool asks_help(int argc, char **argv)
{
    for (int i = 0; i < argc && strcmp(argv[i], "--") != 0; i++)
        if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0)
            return true;
    return false;
}

int command_cert(int argc, char **argv)
{
    struct options o;
    char name[32];
    if (argc < 1) {
        overview(stderr);
        return EXIT_USAGE;
    }
    if (argv[0][0] == '-' && asks_help(argc, argv))
        return cert_help(stdout, NULL);
    const struct cert_verb *v = find(argv[0]);
    if (!v)
        return unknown(argv[0]);
    if (asks_help(argc - 1, argv + 1))
        return cert_help(stdout, v->name);
    snprintf(name, sizeof name, "cert %s", v->name);
    if (!options_parse(&o, v->mask, name, argc - 1, argv + 1))
        return EXIT_USAGE;
    if (!o.target)
        return cert_usage(v->name, "needs %s",
                          strncmp(v->usage, "NAME", 4) == 0  ? "a name"
                          : strncmp(v->usage, "URL", 3) == 0 ? "a server: URL or HOST[:PORT]"
                          : v->mask == CERT_CONVERT          ? "a file, or - for standard input"
                                                    : "a file, a URL, or - for standard input");
    return v->run(&o);
}
