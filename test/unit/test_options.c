/* test_options.c: settings by name and text; and whom they trust. */
#include <openssl/x509.h>

#include "meeting.h"
#include "x509/x509.h"

static struct pki_cert *self_signed;

/* ---------------------------------------------------------------- the set itself */

static void test_names(void)
{
    hf_options *o = hf_options_new();
    hf_error err = {0};
    size_t rows = 0;
    for (; hf_option_at(rows); rows++) {
        const hf_option_info *row = hf_option_at(rows);
        CHECK(*row->name && *row->allowed && *row->initial && *row->help && row->sides);
        CHECK(hf_option_find(row->name) == row);
        CHECK(strcmp(hf_option_type_name(row->type), "unknown") != 0);
        CHECK(row->type != HF_OPTION_FUNCTION || !hf_options_set(o, row->name, "x", &err));
    }
    CHECK(rows > 50);
    CHECK(!hf_option_find("nothing") && !hf_options_get(o, "nothing"));
    CHECK(!hf_options_set(o, "verify_per", "no", &err));
    CHECK(err.code == HF_E_CONFIG && strstr(err.detail, "did you mean verify_peer?"));
    CHECK(!hf_options_set(o, "completely-else", "no", &err));
    CHECK(!strstr(err.detail, "did you mean"));
    CHECK(hf_options_set(o, "ssl.Verify_Depth", "3", &err));
    CHECK_STR(hf_options_get(o, "verify_depth"), "3");
    CHECK(hf_options_set(o, "socket.backlog", "7", &err));
    CHECK(hf_options_set_line(o, "  ciphers = ECDHE+AESGCM \n", &err));
    CHECK_STR(hf_options_get(o, "ciphers"), "ECDHE+AESGCM");
    CHECK(hf_options_set(o, "ciphers", NULL, &err) && !hf_options_get(o, "ciphers"));
    CHECK(!hf_options_set_line(o, "ciphers", &err) && !hf_options_set_line(o, "=x", &err));
    CHECK(!hf_options_set(NULL, "ciphers", "ALL", &err) && err.code == HF_E_USAGE);
    hf_options_free(o);
    hf_options_free(NULL);
}

static void test_values(void)
{
    static const struct {
        const char *name, *good, *bad;
    } rows[] = {
        {"verify_peer", "yes", "maybe"},
        {"verify_peer", "FALSE", ""},
        {"allow_self_signed", "1", "2"},
        {"verify_depth", "0", "-1"},
        {"verify_depth", "63", "64"},
        {"verify_depth", "9", "9.5"},
        {"security_level", "0", "6"},
        {"security_level", "5", "0x1"},
        {"timeout", "0.25", "1e3"},
        {"timeout", "-1", "soon"},
        {"backlog", "1", "0"},
        {"backlog", "65535", "65536"},
        {"ciphers", "ECDHE+AESGCM:!aNULL", "nonsense"},
        {"ecdh_curve", "X25519:P-256", "P-17"},
        {"alpn_protocols", "h2,http/1.1", ","},
        {"crypto_method", "TLSv1.2|TLSv1.3", "TLSv1.4"},
        {"crypto_method", "STREAM_CRYPTO_METHOD_TLSv1_2_CLIENT", "DTLSv1.2"},
        {"crypto_method", "33", "1"},
        {"min_proto_version", "TLSv1.2", "TLSv1.2|TLSv1.3"},
        {"max_proto_version", "64", "TLS"},
        {"cafile", "/a/b", ""},
        {"peer_fingerprint",
         "sha256//AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=", "sha256//AAAA"},
        {"SNI_server_certs", "a.test=/x.pem:/x.key,*.b.test=/y.pem", "a.test"},
        {"tcp_keepidle", "30", "0"},
    };
    hf_options *o = hf_options_new();
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        hf_error err = {0};
        if (!hf_options_set(o, rows[i].name, rows[i].good, &err)) {
            printf("    %s=%s: %s\n", rows[i].name, rows[i].good, err.detail);
            CHECK_STR(err.detail, "a good value is taken");
        }
        CHECK(!hf_options_set(o, rows[i].name, rows[i].bad, &err));
        /* The option, its type and what is allowed. */
        CHECK(err.code == HF_E_CONFIG);
        CHECK(strncmp(err.detail, rows[i].name, strlen(rows[i].name)) == 0);
        CHECK(strstr(err.detail, hf_option_type_name(hf_option_find(rows[i].name)->type)) !=
              NULL);
        CHECK(strstr(err.detail, "takes") != NULL);
        CHECK_STR(hf_options_get(o, rows[i].name), rows[i].good);
    }
    hf_error err = {0};
    CHECK(!hf_options_set(o, "crypto_method", "SSLv3", &err));
    CHECK_STR(hf_code_name(err.code), "PROHIBITED_PROTOCOL");
    /* Secrets stay out of errors. */
    CHECK(!hf_options_set(o, "verify_depth", "-----BEGIN PRIVATE KEY-----", &err));
    CHECK(!strstr(err.detail, "BEGIN"));
    hf_options_free(o);
}

static void test_versions_as_php_writes_them(void)
{
    static const struct {
        const char *text;
        unsigned mask;
    } rows[] = {
        {"TLSv1.0", 1},
        {"TLSv1", 1},
        {"tls1.1", 2},
        {"1.2", 4},
        {"TLSv1_3", 8},
        {"TLS", 15},
        {"TLS_ANY", 15},
        {"9", 1},
        {"17", 2},
        {"33", 4},
        {"65", 8},
        {"121", 15},
        {"120", 15},
        {"127", 15},
        {"3", VERSION_SSL},
        {"5", VERSION_SSL},
        {"SSLv2", VERSION_SSL},
        {"TLSv1.2|TLSv1.3", 12},
        {"SSLv23", 15},
        {"STREAM_CRYPTO_METHOD_TLSv1_3_SERVER", 8},
        {"STREAM_CRYPTO_PROTO_TLSv1_1", 2},
        {"", 0},
        {"TLSv2", 0},
        {"SSLv4", 0},
        {"1", 0},
        {"128", 0},
        {"TLSv1.2x", 0},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        unsigned mask = 0;
        CHECK(value_versions(rows[i].text, &mask) == (rows[i].mask != 0));
        if (rows[i].mask)
            CHECK_INT(mask, rows[i].mask);
    }
}

static void test_net(void)
{
    hf_options *o = options_of("bindto", "127.0.0.1:0", "backlog", "5", "ipv6_v6only", "no",
                               "so_reuseport", "yes", "so_broadcast", "yes", "tcp_nodelay",
                               "no", "timeout", "2.5", "connect_timeout", "-1", "so_keepalive",
                               "on", "tcp_keepcnt", "4", "peer_name", "a.test", NULL);
    hf_net_options net = {.backlog = 99, .read_timeout = 7, .tcp_nodelay = 1};
    CHECK(hf_options_net(o, &net, NULL));
    CHECK_STR(net.bindto, "127.0.0.1:0");
    CHECK_STR(net.peer_name, "a.test");
    CHECK(net.backlog == 5 && net.ipv6_v6only == -1 && net.so_reuseport && net.so_broadcast);
    CHECK(net.tcp_nodelay == -1 && net.timeout > 2.4 && net.timeout < 2.6);
    CHECK(net.connect_timeout < 0 && net.so_keepalive && net.tcp_keepcnt == 4);
    CHECK(net.read_timeout > 6.9); /* what is not set is left alone */
    hf_options_free(o);
}

/* ---------------------------------------------------------------- whom to trust */

static void test_peer_name(void)
{
    ROW("T44");
    static const struct {
        const char *host, *name, *sni;
        hf_code code;
    } rows[] = {
        {"localhost", NULL, "localhost", HF_OK},
        {"127.0.0.1", NULL, "-", HF_OK}, /* an address in the certificate, and no SNI */
        {"127.0.0.1", "localhost", "localhost", HF_OK},
        {"localhost", "127.0.0.1", "-", HF_OK},
        {"localhost", "wrong.example", "wrong.example", HF_E_WRONG_NAME},
        {"localhost", "10.0.0.1", "-", HF_E_WRONG_NAME},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct meeting m = {.host = rows[i].host, .server_base = server_config};
        m.url = "tls://127.0.0.1:0";
        m.client = options_of("cafile", pki->root->pem, "peer_name", rows[i].name, NULL);
        CHECK_INT(meet(&m), rows[i].code);
        if (rows[i].code == HF_OK)
            CHECK_STR(seen_name, rows[i].sni);
        leave(&m);
    }
}

static void test_verification(void)
{
    ROW("T45");
    static const struct {
        const char *option, *value;
        bool of_self; /* the server's certificate is signed by itself */
        const char *name;
        hf_code code;
    } rows[] = {
        {"timeout", "60", true, NULL, HF_E_UNTRUSTED}, /* the default */
        {"allow_self_signed", "no", true, NULL, HF_E_UNTRUSTED},
        {"allow_self_signed", "yes", true, NULL, HF_OK},
        {"allow_self_signed", "yes", true, "wrong.example", HF_E_WRONG_NAME},
        {"allow_self_signed", "yes", false, NULL, HF_E_UNTRUSTED}, /* of an unknown authority */
        {"verify_peer", "no", true, NULL, HF_OK},
        {"verify_peer", "no", false, "wrong.example", HF_OK},
        {"verify_peer", "yes", true, NULL, HF_E_UNTRUSTED},
        {"verify_peer_name", "no", false, NULL, HF_E_UNTRUSTED},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct meeting m = {0};
        m.server = rows[i].of_self ? options_of("local_cert", self_signed->pem, "local_pk",
                                                self_signed->key_pem, NULL)
                                   : options_of("local_cert", pki->chain_pem, "local_pk",
                                                pki->leaf->key_pem, NULL);
        m.client = options_of("cafile", other->root->pem, "peer_name", rows[i].name,
                              rows[i].option, rows[i].value, NULL);
        hf_code code = meet(&m);
        /* libcrypto tells a certificate that signs itself from one nobody knows. */
        if (code == HF_E_SELF_SIGNED)
            code = HF_E_UNTRUSTED;
        if (code != rows[i].code)
            printf("    row %zu: %s\n", i, hf_code_name(code));
        CHECK_INT(code, rows[i].code);
        if (m.stream)
            CHECK(!hf_conn_verified(hf_stream_conn(m.stream)));
        leave(&m);
    }
    /* A name that nobody vouches for is no name. */
    hf_options *o = options_of("verify_peer", "no", "verify_peer_name", "yes", NULL);
    hf_error err = {0};
    CHECK(!hf_options_config(o, HF_CLIENT, NULL, &err) && err.code == HF_E_CONFIG);
    hf_options_free(o);
    /* The chain, but not whom it is for. */
    struct meeting m = {.server_base = server_config};
    m.client = options_of("cafile", pki->root->pem, "peer_name", "wrong.example",
                          "verify_peer_name", "no", NULL);
    CHECK_INT(meet(&m), HF_OK);
    leave(&m);
}

/* A folder with the root under its hash, as `openssl rehash` names it. */
static const char *hashed_folder(void)
{
    char name[32];
    snprintf(name, sizeof name, "%08lx.0", X509_subject_name_hash(pki->root->x509));
    pki_file(name, pki->root->pem, strlen(pki->root->pem));
    return pki_folder();
}

static void test_files(void)
{
    ROW("T46");
    char *locked = pki_key_pem(pki->leaf, "open sesame");
    const char *ca = pki_file("ca.pem", pki->root->pem, strlen(pki->root->pem));
    const char *chain = pki_file("chain.pem", pki->chain_pem, strlen(pki->chain_pem));
    const char *key = pki_file("key.pem", pki->leaf->key_pem, strlen(pki->leaf->key_pem));
    const char *closed = pki_file("locked.pem", locked, strlen(locked));
    const char *both = pki_file("both.pem", pki->bundle_pem, strlen(pki->bundle_pem));
    const char *folder = hashed_folder();
    const struct {
        const char *cert, *key, *passphrase, *ca, *folder;
    } rows[] = {
        {chain, key, NULL, ca, NULL},
        {both, NULL, NULL, NULL, folder},
        {chain, closed, "open sesame", ca, folder},
        {pki->chain_pem, pki->leaf->key_pem, NULL, pki->root->pem, NULL},
        {pki->bundle_pem, NULL, NULL, pki->root->pem, NULL},
        {pki->chain_pem, locked, "open sesame", ca, NULL},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct meeting m = {0};
        m.server = options_of("local_cert", rows[i].cert, "local_pk", rows[i].key, "passphrase",
                              rows[i].passphrase, NULL);
        m.client = options_of("cafile", rows[i].ca, "capath", rows[i].folder, NULL);
        CHECK_INT(meet(&m), HF_OK);
        CHECK(m.stream && hf_conn_verified(hf_stream_conn(m.stream)));
        leave(&m);
    }
    /* A client shows its certificate as a server does, to a server that verifies its peers. */
    struct meeting m = {0};
    m.server = options_of("local_cert", both, "verify_peer", "yes", "cafile", ca, NULL);
    m.client = options_of("cafile", ca, "local_cert", both, NULL);
    CHECK_INT(meet(&m), HF_OK);
    CHECK_INT(seen_certificates, 2);
    hf_options_set(m.client, "local_cert", NULL, NULL);
    hf_close(m.stream, NULL);
    CHECK(meet(&m) != HF_OK); /* and one without is turned away */
    leave(&m);

    /* What is wrong with a file names the option. */
    static const struct {
        const char *name, *value, *word;
    } bad[] = {{"cafile", "/nowhere/ca.pem", "cafile: "},
               {"local_cert", "/nowhere/cert.pem", "local_cert: "},
               {"local_pk", "/nowhere/key.pem", "no local_cert"}};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        hf_error err = {0};
        hf_options *o = options_of(bad[i].name, bad[i].value, NULL);
        CHECK(!hf_options_config(o, HF_CLIENT, NULL, &err) && strstr(err.detail, bad[i].word));
        hf_options_free(o);
    }
    hf_error err = {0};
    hf_options *o =
        options_of("local_cert", chain, "local_pk", closed, "passphrase", "wrong", NULL);
    CHECK(!hf_options_config(o, HF_SERVER, NULL, &err));
    CHECK_STR(hf_code_name(err.code), "PASSPHRASE");
    hf_options_free(o);
    free(locked);
}

static void test_depth(void)
{
    ROW("T47");
    struct pki_spec ca = {.subject = "first", .ca = true},
                    ca2 = {.subject = "second", .ca = true};
    struct pki_spec leaf = {.subject = "deep", .names = "DNS:localhost"};
    struct pki_cert *first = pki_make(&ca, pki->root), *second = pki_make(&ca2, first);
    struct pki_cert *deep = pki_make(&leaf, second);
    char *chain = pki_text(deep->pem, second->pem, first->pem, NULL);
    static const struct {
        const char *depth;
        hf_code code;
    } rows[] = {{"1", HF_E_CHAIN_TOO_LONG}, {"2", HF_OK}, {NULL, HF_OK}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct meeting m = {0};
        m.server = options_of("local_cert", chain, "local_pk", deep->key_pem, NULL);
        m.client = options_of("cafile", pki->root->pem, "verify_depth", rows[i].depth, NULL);
        hf_code code = meet(&m);
        CHECK((code == HF_OK) == (rows[i].code == HF_OK));
        if ((code == HF_OK) != (rows[i].code == HF_OK))
            printf("    depth %s: %s: %s\n", rows[i].depth, hf_code_name(code), m.err.detail);
        if (code != HF_OK)
            CHECK(m.err.fault == HF_FAULT_PEER);
        leave(&m);
    }
    free(chain);
    pki_free(deep);
    pki_free(second);
    pki_free(first);
}

static void test_capture(void)
{
    ROW("T49");
    struct meeting m = {.server_base = server_config};
    m.client = options_of("cafile", pki->root->pem, "capture_peer_cert", "yes", NULL);
    CHECK_INT(meet(&m), HF_OK);
    size_t len = 0;
    const uint8_t *der = hf_certificate_der(hf_options_captured(m.client, 0), &len);
    CHECK(len == pki->leaf->der_len && memcmp(der, pki->leaf->der, len) == 0);
    CHECK(!hf_options_captured(m.client, 1));
    hf_close(m.stream, NULL);
    CHECK(hf_options_set(m.client, "capture_peer_cert_chain", "yes", NULL));
    CHECK_INT(meet(&m), HF_OK);
    /* As it was sent: own, then issuer. The root is not sent, and stands in the verified path. */
    der = hf_certificate_der(hf_options_captured(m.client, 1), &len);
    CHECK(len == pki->mid->der_len && memcmp(der, pki->mid->der, len) == 0);
    CHECK(!hf_options_captured(m.client, 2));
    const hf_conn *conn = hf_stream_conn(m.stream);
    const struct pki_cert *path[] = {pki->leaf, pki->mid, pki->root};
    for (size_t i = 0; i < 3; i++) {
        der = hf_certificate_der(hf_conn_verified_certificate(conn, i), &len);
        CHECK(len == path[i]->der_len && memcmp(der, path[i]->der, len) == 0);
    }
    hf_close(m.stream, NULL);
    hf_options_set(m.client, "capture_peer_cert_chain", NULL, NULL);
    hf_options_set(m.client, "capture_peer_cert", NULL, NULL);
    CHECK_INT(meet(&m), HF_OK);
    CHECK(!hf_options_captured(m.client, 0));
    leave(&m);
}

static void test_sites(void)
{
    ROW("T50");
    struct pki_cert *site[4];
    char *map = NULL;
    const char *file[4];
    static const char *const common[] = {"default", "star", "exact", "third"};
    for (int i = 0; i < 4; i++) {
        struct pki_spec spec = {.subject = common[i], .names = "DNS:*.b.test,DNS:c.test"};
        site[i] = pki_make(&spec, NULL);
        char *text = pki_text(site[i]->pem, site[i]->key_pem, NULL), name[32];
        snprintf(name, sizeof name, "site%d.pem", i);
        file[i] = pki_file(name, text, strlen(text));
        free(text);
    }
    map = pki_text("*.b.test=", file[1], ",www.b.test=", file[2], ",c.test=", file[3], NULL);
    static const struct {
        const char *name, *sni, *common;
    } rows[] = {
        {"www.b.test", "yes", "CN=exact"},     {"mail.b.test", "yes", "CN=star"},
        {"c.test", "yes", "CN=third"},         {"elsewhere.test", "yes", "CN=default"},
        {"a.www.b.test", "yes", "CN=default"}, {"WWW.b.test", "yes", "CN=exact"},
        {"www.b.test", "no", "CN=default"},
    };
    for (int tls13 = 0; tls13 < 2; tls13++)
        for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
            struct meeting m = {0};
            m.server = options_of("local_cert", file[0], "SNI_server_certs", map, NULL);
            m.client = options_of("verify_peer", "no", "peer_name", rows[i].name, "SNI_enabled",
                                  rows[i].sni, "capture_peer_cert", "yes", "max_proto_version",
                                  tls13 ? "TLSv1.3" : "TLSv1.2", NULL);
            CHECK_INT(meet(&m), HF_OK);
            const hf_certificate *shown = hf_options_captured(m.client, 0);
            CHECK_STR(shown ? hf_certificate_subject(shown) : "", rows[i].common);
            CHECK((strcmp(seen_name, "-") == 0) == (strcmp(rows[i].sni, "no") == 0));
            leave(&m);
        }
    free(map);
    for (int i = 0; i < 4; i++)
        pki_free(site[i]);
}

static void test_credential_names(void)
{
    hf_error err = {0};
    hf_credential *cred = hf_credential_load_memory(
        self_signed->pem, strlen(self_signed->pem), self_signed->key_pem,
        strlen(self_signed->key_pem), NULL, NULL, &err);
    static const char *const good[] = {"a.test", " a.test,, *.b.test ", "*.b.test", NULL};
    static const char *const bad[] = {"", ",", "a_b c!", "a..b", "*", "*.*.a", "10.0.0.1/8"};
    CHECK(cred != NULL);
    for (size_t i = 0; i < sizeof good / sizeof *good; i++)
        CHECK(hf_credential_set_names(cred, good[i], &err));
    CHECK_INT(credential_serves(cred, "localhost"), SERVES); /* by its certificate again */
    CHECK(hf_credential_set_names(cred, "a.test, *.b.test", &err));
    CHECK_INT(credential_serves(cred, "localhost"), SERVES_NOT);
    CHECK_INT(credential_serves(cred, "A.test."), SERVES_NAMED);
    CHECK_INT(credential_serves(cred, "x.b.test"), SERVES_PATTERN);
    CHECK_INT(credential_serves(cred, "x.y.b.test"), SERVES_NOT);
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        CHECK(!hf_credential_set_names(cred, bad[i], &err) && err.code == HF_E_CONFIG);
        CHECK_INT(credential_serves(cred, "a.test"), SERVES_NAMED); /* as before */
    }
    CHECK(!hf_credential_set_names(NULL, "a.test", &err) && err.code == HF_E_USAGE);
    hf_credential_free(cred);
}

static void hex(const uint8_t *p, char out[65])
{
    for (int i = 0; i < 32; i++)
        snprintf(out + 2 * i, 3, "%02X", p[i]);
}

static void test_fingerprint(void)
{
    ROW("T52");
    hf_certificate *cert = hf_certificate_parse(pki->leaf->der, pki->leaf->der_len, NULL);
    char good[65], key[65], bad[65], list[140], error[40];
    hex(hf_certificate_sha256(cert), good);
    hex(hf_certificate_key_sha256(cert), key);
    memcpy(bad, good, sizeof bad);
    bad[10] = bad[10] == '0' ? '1' : '0';
    snprintf(list, sizeof list, "%s, %s", bad, good);
    const struct {
        const char *pin;
        hf_code code;
    } rows[] = {
        {good, HF_OK}, {bad, HF_E_PIN_MISMATCH}, {list, HF_OK}, {key, HF_E_PIN_MISMATCH}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct meeting m = {.server_base = server_config};
        m.client = options_of("cafile", pki->root->pem, "peer_fingerprint", rows[i].pin, NULL);
        CHECK_INT(meet(&m), rows[i].code);
        leave(&m);
    }
    /* Of the key, in the form that curl and HPKP have. */
    struct value_pin pin;
    const char *why, *text = "sha256//AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";
    CHECK(value_pin(&text, &pin, &why) == 1 && pin.key && pin.sha256[31] == 31);
    text =
        "00:01:02:03:04:05:06:07:08:09:0a:0b:0c:0d:0e:0f:10:11:12:13:14:15:16:17:18:19:1a:1b:1c:1d:"
        "1e:1f";
    CHECK(value_pin(&text, &pin, &why) == 1 && !pin.key && pin.sha256[31] == 31);
    hf_options *o = hf_options_new();
    static const char *const refused[][2] = {
        {"d41d8cd98f00b204e9800998ecf8427e", "MD5"},
        {"da39a3ee5e6b4b0d3255bfef95601890afd80709", "SHA-1"},
        {"md5=d41d8cd98f00b204e9800998ecf8427e", "MD5"},
        {"sha1=da39a3ee5e6b4b0d3255bfef95601890afd80709", "SHA-1"},
    };
    for (size_t i = 0; i < 4; i++) {
        hf_error err = {0};
        CHECK(!hf_options_set(o, "peer_fingerprint", refused[i][0], &err));
        snprintf(error, sizeof error, "%s is refused", refused[i][1]);
        CHECK(strstr(err.detail, error) != NULL);
    }
    hf_options_free(o);
    hf_certificate_free(cert);
}

int main(void)
{
    meeting_begin();
    struct pki_spec own = {.subject = "alone", .names = "DNS:localhost,IP:127.0.0.1"};
    self_signed = pki_make(&own, NULL);

    RUN(test_names);
    RUN(test_values);
    RUN(test_versions_as_php_writes_them);
    RUN(test_net);
    RUN(test_peer_name);
    RUN(test_verification);
    RUN(test_files);
    RUN(test_depth);
    RUN(test_capture);
    RUN(test_sites);
    RUN(test_credential_names);
    RUN(test_fingerprint);

    pki_free(self_signed);
    meeting_end();
    return check_done();
}
