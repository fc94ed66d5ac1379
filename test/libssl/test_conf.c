/* test_conf.c: SSL_CONF_cmd and its like: what each command takes, and what it changes. */
#include "pair.h"

#include <openssl/conf.h>

static const char *const lines[] = {
    "no_ssl3",
    "no_tls1",
    "no_tls1_1",
    "no_tls1_2",
    "no_tls1_3",
    "bugs",
    "no_comp",
    "comp",
    "no_ticket",
    "serverpref",
    "legacy_renegotiation",
    "client_renegotiation",
    "legacy_server_connect",
    "no_renegotiation",
    "no_resumption_on_reneg",
    "no_legacy_server_connect",
    "allow_no_dhe_kex",
    "prioritize_chacha",
    "strict",
    "no_middlebox",
    "anti_replay",
    "no_anti_replay",
    "no_etm",
    "ecdh_single",
    "sigalgs",
    "client_sigalgs",
    "curves",
    "groups",
    "named_curve",
    "cipher",
    "ciphersuites",
    "min_protocol",
    "max_protocol",
    "record_padding",
    "cert",
    "key",
    "dhparam",
    "verifyCApath",
    "verifyCAfile",
    "verifyCAstore",
    "chainCApath",
    "chainCAfile",
    "chainCAstore",
    "requestCAfile",
    "requestCAFile",
    "requestCAPath",
    "requestCApath",
    "requestCAStore",
    "clientCAFile",
    "num_tickets",
    "nope",
    "",
    "Protocol",
    "Options",
    "NO_TLS1",
};

static const char *const names[] = {
    "SignatureAlgorithms",
    "ClientSignatureAlgorithms",
    "Curves",
    "Groups",
    "ECDHParameters",
    "CipherString",
    "Ciphersuites",
    "Protocol",
    "MinProtocol",
    "MaxProtocol",
    "Options",
    "VerifyMode",
    "Certificate",
    "PrivateKey",
    "ServerInfoFile",
    "DHParameters",
    "VerifyCAPath",
    "VerifyCAFile",
    "VerifyCAStore",
    "ChainCAPath",
    "ChainCAFile",
    "ChainCAStore",
    "RequestCAPath",
    "RequestCAFile",
    "RequestCAStore",
    "ClientCAFile",
    "ClientCAPath",
    "ClientCAStore",
    "RecordPadding",
    "NumTickets",
    "nope",
    "",
    "protocol",
    "MINPROTOCOL",
    "no_tls1",
};

static const unsigned flag[] = {SSL_CONF_FLAG_CMDLINE, SSL_CONF_FLAG_FILE, SSL_CONF_FLAG_CLIENT,
                                SSL_CONF_FLAG_SERVER, SSL_CONF_FLAG_CERTIFICATE};

static unsigned flags_of(int mask)
{
    unsigned flags = 0;
    for (int i = 0; i < 5; i++)
        if (mask >> i & 1)
            flags |= flag[i];
    return flags;
}

static void types(const char *const *list, size_t n, const char *dash)
{
    char full[100];
    for (size_t i = 0; i < n; i++) {
        printf("%s%s:", dash, list[i]);
        snprintf(full, sizeof full, "%s%s", dash, list[i]);
        for (int mask = 0; mask < 32; mask++) {
            SSL_CONF_CTX *c = SSL_CONF_CTX_new();
            SSL_CONF_CTX_set_flags(c, flags_of(mask));
            printf(" %d", SSL_CONF_cmd_value_type(c, full));
            SSL_CONF_CTX_free(c);
        }
        printf("\n");
    }
}

static void show(SSL_CTX *ctx)
{
    printf(" options %llx versions %lx %lx verify %d tickets %zu\n",
           (unsigned long long)SSL_CTX_get_options(ctx), SSL_CTX_get_min_proto_version(ctx),
           SSL_CTX_get_max_proto_version(ctx), SSL_CTX_get_verify_mode(ctx),
           SSL_CTX_get_num_tickets(ctx));
}

/* run says what a command returns, and what it has changed in a context. */
static void run(unsigned flags, const char *name, const char *value)
{
    SSL_CTX *ctx = SSL_CTX_new(TLS_method());
    SSL_CONF_CTX *c = SSL_CONF_CTX_new();
    SSL_CONF_CTX_set_flags(c, flags | SSL_CONF_FLAG_SHOW_ERRORS);
    SSL_CONF_CTX_set_ssl_ctx(c, ctx);
    printf("%02x %s = %s: %d", flags, name, value ? value : "(none)",
           SSL_CONF_cmd(c, name, value));
    show(ctx);
    printf("  finish %d\n", SSL_CONF_CTX_finish(c));
    pair_errors();
    SSL_CONF_CTX_free(c);
    SSL_CTX_free(ctx);
}

static void values(void)
{
    static const char *const words[] = {
        "ALL",
        "-ALL",
        "-ALL,TLSv1.2",
        "ALL, -TLSv1",
        "+TLSv1.3",
        "-tlsv1.3",
        "SSLv2",
        "-SSLv3",
        "DTLSv1",
        "-DTLSv1.2",
        "TLSv1.4",
        "",
        ",",
        "-",
        "TLSv1.1,,TLSv1.2",
        " -ALL , TLSv1.2 ",
        "SessionTicket",
        "-SessionTicket",
        "EmptyFragments",
        "-EmptyFragments",
        "Bugs",
        "-Bugs",
        "Compression",
        "-Compression",
        "ServerPreference",
        "NoResumptionOnRenegotiation",
        "DHSingle",
        "ECDHSingle",
        "UnsafeLegacyRenegotiation",
        "UnsafeLegacyServerConnect",
        "-UnsafeLegacyServerConnect",
        "ClientRenegotiation",
        "EncryptThenMac",
        "-EncryptThenMac",
        "NoRenegotiation",
        "AllowNoDHEKEX",
        "PrioritizeChaCha",
        "MiddleboxCompat",
        "-MiddleboxCompat",
        "AntiReplay",
        "-AntiReplay",
        "ExtendedMasterSecret",
        "-ExtendedMasterSecret",
        "CANames",
        "-CANames",
        "KTLS",
        "StrictCertCheck",
        "TxCertificateCompression",
        "Peer",
        "-Peer",
        "Request",
        "Require",
        "Once",
        "RequestPostHandshake",
        "RequirePostHandshake",
        "Peer,Once",
        "None",
    };
    static const unsigned roles[] = {SSL_CONF_FLAG_CLIENT, SSL_CONF_FLAG_SERVER,
                                     SSL_CONF_FLAG_CLIENT | SSL_CONF_FLAG_SERVER};
    for (int r = 0; r < 3; r++) {
        for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
            run(SSL_CONF_FLAG_FILE | roles[r], "Protocol", words[i]);
            run(SSL_CONF_FLAG_FILE | roles[r], "Options", words[i]);
            run(SSL_CONF_FLAG_FILE | roles[r], "VerifyMode", words[i]);
        }
        for (size_t i = 0; i < 24; i++) {
            char line[60];
            snprintf(line, sizeof line, "-%s", lines[i]);
            run(SSL_CONF_FLAG_CMDLINE | roles[r], line, NULL);
        }
    }
}

static void bounds(void)
{
    static const char *const versions[] = {"None",    "SSLv3",   "TLSv1",  "TLSv1.1",
                                           "TLSv1.2", "TLSv1.3", "DTLSv1", "DTLSv1.2",
                                           "tlsv1.2", "",        "SSLv2"};
    for (size_t i = 0; i < sizeof versions / sizeof *versions; i++) {
        run(SSL_CONF_FLAG_FILE, "MinProtocol", versions[i]);
        run(SSL_CONF_FLAG_FILE, "MaxProtocol", versions[i]);
        run(SSL_CONF_FLAG_CMDLINE, "-max_protocol", versions[i]);
    }
    run(SSL_CONF_FLAG_FILE, "MinProtocol", NULL);
    static const char *const numbers[] = {"0", "1", "5", "-1", "16384", "16385", "x"};
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
        run(SSL_CONF_FLAG_FILE, "RecordPadding", numbers[i]);
        run(SSL_CONF_FLAG_FILE | SSL_CONF_FLAG_SERVER, "NumTickets", numbers[i]);
    }
    run(SSL_CONF_FLAG_FILE | SSL_CONF_FLAG_SERVER, "ECDHParameters", "Automatic");
    run(SSL_CONF_FLAG_FILE | SSL_CONF_FLAG_SERVER, "ECDHParameters", "auto");
    run(SSL_CONF_FLAG_CMDLINE | SSL_CONF_FLAG_SERVER, "-named_curve", "auto");
    run(SSL_CONF_FLAG_CMDLINE | SSL_CONF_FLAG_SERVER, "-named_curve", "P-256:P-384");
    run(SSL_CONF_FLAG_CMDLINE | SSL_CONF_FLAG_SERVER, "-named_curve", "P-256");
    run(SSL_CONF_FLAG_FILE, "CipherString", "ECDHE+AESGCM");
    run(SSL_CONF_FLAG_FILE, "CipherString", "nothing");
    run(SSL_CONF_FLAG_FILE, "CipherString", "DEFAULT@SECLEVEL=1");
    run(SSL_CONF_FLAG_FILE, "Ciphersuites", "TLS_AES_128_GCM_SHA256");
    run(SSL_CONF_FLAG_FILE, "Groups", "X25519:P-256");
    run(SSL_CONF_FLAG_FILE, "Groups", "nothing");
    run(SSL_CONF_FLAG_FILE, "SignatureAlgorithms", "RSA+SHA256:ECDSA+SHA256");
    run(SSL_CONF_FLAG_FILE, "SignatureAlgorithms", "nothing");
}

static void files(void)
{
    unsigned cert = SSL_CONF_FLAG_FILE | SSL_CONF_FLAG_CERTIFICATE | SSL_CONF_FLAG_SERVER;
    run(cert, "Certificate", "/nonexistent");
    run(cert, "PrivateKey", "/nonexistent");
    run(cert, "ServerInfoFile", "/nonexistent");
    run(cert, "DHParameters", "/nonexistent");
    run(cert, "ChainCAFile", "/nonexistent");
    run(cert, "VerifyCAFile", "/nonexistent");
    run(cert, "RequestCAFile", "/nonexistent");
    run(SSL_CONF_FLAG_FILE, "PrivateKey", "/nonexistent");
}

static void arguments(void)
{
    char *list[] = {"-no_tls1", "-cipher", "HIGH", "-nope", "rest", NULL};
    char *empty[] = {NULL}, *missing[] = {"-cipher", NULL};
    char **argv = list;
    int argc = 5, used;
    SSL_CTX *ctx = SSL_CTX_new(TLS_method());
    SSL_CONF_CTX *c = SSL_CONF_CTX_new();
    SSL_CONF_CTX_set_ssl_ctx(c, ctx);
    printf("flags %x", SSL_CONF_CTX_set_flags(c, SSL_CONF_FLAG_FILE | SSL_CONF_FLAG_CLIENT));
    printf(" %x\n", SSL_CONF_CTX_clear_flags(c, SSL_CONF_FLAG_CLIENT));
    while ((used = SSL_CONF_cmd_argv(c, &argc, &argv)) > 0)
        printf("used %d, left %d: %s\n", used, argc, *argv);
    printf("last %d, left %d: %s\n", used, argc, *argv);
    argc = 0;
    argv = empty;
    printf("empty %d", SSL_CONF_cmd_argv(c, &argc, &argv));
    argv = empty;
    printf(" %d", SSL_CONF_cmd_argv(c, NULL, &argv));
    argv = missing;
    printf(" missing %d", SSL_CONF_cmd_argv(c, NULL, &argv));
    argc = 1;
    printf(" %d\n", SSL_CONF_cmd_argv(c, &argc, &argv));
    printf("prefix %d", SSL_CONF_CTX_set1_prefix(c, "--ssl-"));
    printf(" %d %d %d", SSL_CONF_cmd(c, "--ssl-no_tls1", NULL),
           SSL_CONF_cmd(c, "-no_tls1", NULL), SSL_CONF_cmd(c, "--SSL-no_tls1", NULL));
    printf(" %d %d\n", SSL_CONF_cmd(c, "--ssl-", NULL), SSL_CONF_cmd(c, NULL, NULL));
    show(ctx);
    pair_errors();
    SSL_CONF_CTX_free(c);
    SSL_CTX_free(ctx);
}

/* Without a target a command is only read. */
static void nothing(void)
{
    SSL_CONF_CTX *c = SSL_CONF_CTX_new();
    SSL_CONF_CTX_set_flags(c, SSL_CONF_FLAG_FILE | SSL_CONF_FLAG_CLIENT |
                                  SSL_CONF_FLAG_CERTIFICATE);
    printf("nothing %d", SSL_CONF_cmd(c, "Protocol", "TLSv1.2"));
    printf(" %d", SSL_CONF_cmd(c, "MinProtocol", "TLSv1.2"));
    printf(" %d", SSL_CONF_cmd(c, "CipherString", "HIGH"));
    printf(" %d", SSL_CONF_cmd(c, "Certificate", "/nonexistent"));
    printf(" %d\n", SSL_CONF_CTX_finish(c));
    pair_errors();
    SSL_CONF_CTX_free(c);
}

/* The sections of a configuration of our own; OPENSSL_CONF is read when libcrypto begins. */
static void sections(void)
{
    SSL_CTX *ctx = SSL_CTX_new(TLS_method());
    SSL *s = SSL_new(ctx);
    show(ctx);
    printf("section %d", SSL_CTX_config(ctx, "server"));
    show(ctx);
    printf("section %d\n", SSL_CTX_config(ctx, "broken"));
    pair_errors();
    printf("section %d\n", SSL_CTX_config(ctx, "missing"));
    pair_errors();
    printf("section %d %llx\n", SSL_config(s, "server"),
           (unsigned long long)SSL_get_options(s));
    pair_errors();
    SSL_free(s);
    SSL_CTX_free(ctx);
}

static const char configuration[] =
    "openssl_conf = init\n"
    "[init]\nssl_conf = sections\n"
    "[sections]\nsystem_default = system\nserver = one\nbroken = two\n"
    "[system]\nMinProtocol = TLSv1.1\nCipherString = DEFAULT@SECLEVEL=0\n"
    "Options = -SessionTicket\n"
    "[one]\nMaxProtocol = TLSv1.2\nOptions = ServerPreference\n"
    "[two]\nMaxProtocol = TLSv1.7\nNonsense = 1\n";

int main(void)
{
    char path[] = "/tmp/handfast-conf-XXXXXX";
    int fd = mkstemp(path);
    FILE *f = fd < 0 ? NULL : fdopen(fd, "w");
    MUST(f && fputs(configuration, f) >= 0 && fclose(f) == 0);
    setenv("OPENSSL_CONF", path, 1);
    MUST(OPENSSL_init_ssl(0, NULL));
    remove(path);
    sections();
    types(lines, sizeof lines / sizeof *lines, "-");
    types(names, sizeof names / sizeof *names, "");
    values();
    bounds();
    files();
    arguments();
    nothing();
    return 0;
}
