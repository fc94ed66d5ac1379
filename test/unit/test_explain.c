/* test_explain.c: what is said about failures, in full, and that it is always text and always JSON. */
#include <errno.h>
#include <stdlib.h>

#include "bytes/sink.h"
#include "check.h"
#include "connection/facts.h"
#include "pki.h"

static struct pki *pki, *other; /* two worlds that do not trust each other */

static int64_t clock_fn(void *arg)
{
    (void)arg;
    return PKI_NOW;
}

static hf_config *config_of(hf_role role, const struct pki *own, const struct pki *trusted)
{
    hf_config *config = hf_config_new(role);
    CHECK(hf_config_set_clock(config, clock_fn, NULL));
    if (own) {
        hf_credential *cred = hf_credential_load_memory(
            own->bundle_pem, strlen(own->bundle_pem), NULL, 0, NULL, NULL, NULL);
        CHECK(hf_config_add_credential(config, cred));
        hf_credential_free(cred);
    }
    if (trusted) {
        hf_trust *trust = hf_trust_new();
        CHECK(hf_trust_add_memory(trust, trusted->root->pem, strlen(trusted->root->pem), NULL));
        CHECK(hf_config_set_trust(config, trust));
        hf_trust_free(trust);
    }
    return config;
}

struct pair {
    hf_config *client_config, *server_config;
    hf_conn *client, *server;
};

static bool carry(hf_conn *from, hf_conn *to)
{
    size_t len;
    const uint8_t *out = hf_conn_output(from, &len);
    if (!len)
        return false;
    uint8_t *bytes = malloc(len), *p = bytes, *data;
    size_t left = len, used, n;
    memcpy(bytes, out, len);
    hf_conn_output_done(from, len);
    while (left && hf_conn_receive(to, p, left, &used, &data, &n) == HF_DONE && used) {
        p += used;
        left -= used;
    }
    free(bytes);
    return true;
}

/* Takes the configurations and runs the handshake to its (bitter) end. */
static struct pair run(hf_config *client_config, hf_config *server_config)
{
    hf_error err = {0};
    struct pair p = {client_config, server_config, NULL, NULL};
    p.client = hf_conn_new_client(client_config, "server.example", &err);
    CHECK_STR(err.detail, "");
    p.server = hf_conn_new_server(server_config, &err);
    CHECK_STR(err.detail, "");
    (void)hf_conn_handshake(p.client);
    for (int i = 0; i < 20; i++) {
        bool moved = carry(p.client, p.server);
        moved = carry(p.server, p.client) || moved;
        if (!moved)
            break;
    }
    return p;
}

static void done(struct pair *p)
{
    hf_conn_free(p->client);
    hf_conn_free(p->server);
    hf_config_free(p->client_config);
    hf_config_free(p->server_config);
}

static char text[16384];

static const char *explained(const hf_conn *conn, const hf_error *err)
{
    if (!err)
        return "(no error)";
    size_t n = hf_explain(conn, err, text, sizeof text);
    CHECK_INT(n, strlen(text));
    return text;
}

static const char *as_json(const hf_conn *conn, const hf_error *err)
{
    if (!err)
        return "(no error)";
    size_t n = hf_explain_json(conn, err, text, sizeof text);
    CHECK_INT(n, strlen(text));
    return text;
}

/* ---- golden texts: errors without a connection */

static void test_nothing(void)
{
    hf_error err = {0};
    CHECK_STR(explained(NULL, &err), "No error.\n");
}

static void test_connect(void)
{
    hf_error err = {0};
    err_set(&err, HF_E_CONNECT, "192.0.2.1 port 443");
    err.os_errno = ECONNREFUSED;
    CHECK_STR(
        explained(NULL, &err),
        "No connection could be made: 192.0.2.1 port 443.\n"
        "  fault     the network's between the two, or the peer's\n"
        "  system    Connection refused (errno 111)\n"
        "  try       nothing listens on that port: check the port, and that the server is "
        "running\n"
        "  code      CONNECT\n");
}

/* Whoever waited knows what for; "Connection timed out" does not. A question in the detail needs no full stop, and the
 * system's words are not said twice in a line. */
static void test_waits(void)
{
    hf_error err = {0};
    char line[256];

    err_set(&err, HF_E_TIMEOUT, "the TLS handshake was not finished in time");
    err.os_errno = ETIMEDOUT;
    CHECK(strstr(explained(NULL, &err), "expects another protocol on this port") != NULL);
    CHECK(strstr(explained(NULL, &err), "nobody answers") == NULL);
    err.hint = "the server accepts too slowly";
    CHECK(strstr(explained(NULL, &err), "  try       the server accepts too slowly\n") != NULL);

    err = (hf_error){0};
    err_set(&err, HF_E_CONFIG, "there is no option \"a\"; did you mean b?");
    CHECK(strstr(explained(NULL, &err), "mean b?\n") != NULL);

    err = (hf_error){0};
    err_set(&err, HF_E_CONNECT, "192.0.2.1:443: Connection refused");
    err.os_errno = ECONNREFUSED;
    hf_error_line(&err, line, sizeof line);
    CHECK_STR(line, "no connection could be made: 192.0.2.1:443: Connection refused [CONNECT]");
}

static void test_file(void)
{
    hf_error err = {0};
    err_set(&err, HF_E_FILE, "/etc/server.pem");
    err.os_errno = ENOENT;
    CHECK_STR(explained(NULL, &err), "A file could not be read or written: /etc/server.pem.\n"
                                     "  fault     this side's: the configuration\n"
                                     "  system    No such file or directory (errno 2)\n"
                                     "  try       check the path: there is no such file\n"
                                     "  code      FILE\n");
}

static void test_frozen(void)
{
    hf_error err = {0};
    err_set(&err, HF_E_FROZEN, "%s", "");
    CHECK_STR(explained(NULL, &err),
              "The configuration is in use and cannot be changed any more.\n"
              "  fault     this side's: the program called the library wrongly\n"
              "  try       derive a new configuration with hf_config_derive() and change that\n"
              "  code      FROZEN\n");
}

static void test_decode(void)
{
    hf_error err = {0};
    err_set(&err, HF_E_DECODE, "length 9, but 4 bytes are left");
    err.step = "ServerHello";
    err.offset = 83;
    strcpy(err.path, "ServerHello.extensions.key_share");
    CHECK_STR(explained(NULL, &err),
              "A message from the peer cannot be decoded: length 9, but 4 bytes are left.\n"
              "  where     at the step \"ServerHello\" of the handshake; "
              "ServerHello.extensions.key_share at byte 83\n"
              "  fault     the peer's\n"
              "  alert     decode_error (50), for the peer\n"
              "  rule      RFC 8446 6.2\n"
              "  code      DECODE\n");
}

/* ---- golden texts: connections that failed */

static void test_groups(void)
{
    hf_config *c = config_of(HF_CLIENT, NULL, pki), *s = config_of(HF_SERVER, pki, NULL);
    CHECK(hf_config_set_groups(c, "P-384:P-256"));
    CHECK(hf_config_set_signatures(c, "ecdsa_secp256r1_sha256"));
    CHECK(hf_config_set_groups(s, "x25519"));
    struct pair p = run(c, s);
    const hf_error *err = hf_conn_error(p.server);
    const char *got = explained(p.server, err);
    CHECK(strstr(got, "\n  groups    allowed here: x25519\n"
                      "            offered by the client: secp384r1, secp256r1\n"
                      "            in common: none\n"));
    CHECK(strstr(got, "this is the server, asked for server.example\n"));
    CHECK(strstr(got, "\n  try       allow one of the client's groups with "
                      "hf_config_set_groups()\n"));
    got = as_json(p.server, err);
    CHECK(strstr(got, "\"peer\":{\"versions\":[\"TLS 1.3\",\"TLS 1.2\"],"));
    CHECK(strstr(got, "\"groups\":[\"secp384r1\",\"secp256r1\"],\"key_shares\":[\"secp384r1\"],"
                      "\"signatures\":[\"ecdsa_secp256r1_sha256\"],\"protocols\":[]},"
                      "\"common\":{"));
    CHECK(strstr(got, "\"groups\":[],\"signatures\":[\"ecdsa_secp256r1_sha256\"]}}}"));

    CHECK_STR(
        explained(p.client, hf_conn_error(p.client)),
        "The peer ended the connection with an alert: handshake_failure (40).\n"
        "  where     at the step \"ServerHello\" of the handshake; this is the client, "
        "connecting to server.example\n"
        "  fault     either side's: what the two allow does not meet\n"
        "  alert     handshake_failure (40), sent by the peer\n"
        "  means     the server found nothing in the ClientHello that it can work with: no "
        "common cipher suite, group or signature algorithm, or no certificate for this "
        "name\n"
        "  versions  offered: TLS 1.3, TLS 1.2\n"
        "  suites    offered: TLS_AES_128_GCM_SHA256, TLS_AES_256_GCM_SHA384, "
        "TLS_CHACHA20_POLY1305_SHA256, TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256, "
        "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256, TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384, "
        "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384, TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256, "
        "TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256\n"
        "  groups    offered: secp384r1, secp256r1\n"
        "  schemes   offered: ecdsa_secp256r1_sha256\n"
        "  try       compare what was offered with what the server allows, and check that the "
        "server name is right; an old device may need suites that are not offered unless asked "
        "for: hf_config_set_ciphers(\"DEFAULT\")\n"
        "  rule      RFC 8446 6.2\n"
        "  code      ALERT_RECEIVED\n");
    done(&p);
}

static void test_suites(void)
{
    hf_config *c = config_of(HF_CLIENT, NULL, pki), *s = config_of(HF_SERVER, pki, NULL);
    CHECK(hf_config_set_suites(c, "TLS_AES_128_GCM_SHA256"));
    CHECK(hf_config_set_suites(s, "TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256"));
    struct pair p = run(c, s);
    const char *got = explained(p.server, hf_conn_error(p.server));
    CHECK(strncmp(got, "No cipher suite is allowed by both sides: ", 42) == 0);
    CHECK(strstr(got, "\n  suites    allowed here: TLS_AES_256_GCM_SHA384, "
                      "TLS_CHACHA20_POLY1305_SHA256\n"
                      "            offered by the client: TLS_AES_128_GCM_SHA256\n"
                      "            in common: none\n"));
    CHECK(!strstr(got, "agreed"));
    CHECK(strstr(as_json(p.server, hf_conn_error(p.server)),
                 "\"version\":null,\"suite\":null,\"group\":null,"));
    done(&p);
}

static void test_protocols(void)
{
    hf_config *c = config_of(HF_CLIENT, NULL, pki), *s = config_of(HF_SERVER, pki, NULL);
    CHECK(hf_config_set_alpn(c, "h2\x1b,\"x\"", false));
    CHECK(hf_config_set_alpn(s, "http/1.1", false));
    struct pair p = run(c, s);
    const char *got = explained(p.server, hf_conn_error(p.server));
    CHECK(strstr(got, "\n  protocols allowed here: http/1.1\n"
                      "            offered by the client: h2\\x1b, \"x\"\n"));
    CHECK(!strchr(got, '\x1b'));
    CHECK(strstr(as_json(p.server, hf_conn_error(p.server)),
                 "\"protocols\":[\"h2\\u001b\",\"\\\"x\\\"\"]"));
    got = explained(p.client, hf_conn_error(p.client));
    CHECK(strstr(got, "\n  means     the server speaks none of the application protocols that "
                      "were offered (ALPN)\n"));
    CHECK(strstr(got, "\n  protocols offered: h2\\x1b, \"x\"\n"));
    done(&p);
}

static void test_untrusted(void)
{
    hf_config *c = config_of(HF_CLIENT, NULL, other), *s = config_of(HF_SERVER, pki, NULL);
    CHECK(hf_config_set_groups(s, "P-256"));
    CHECK(hf_config_set_groups(c, "P-256"));
    struct pair p = run(c, s);
    CHECK_STR(
        explained(p.server, hf_conn_error(p.server)),
        "The peer ended the connection with an alert: unknown_ca (48).\n"
        "  where     at the step \"client Finished\" of the handshake; this is the server, "
        "asked for server.example\n"
        "  fault     the peer's\n"
        "  alert     unknown_ca (48), sent by the peer\n"
        "  means     the client does not trust the authority that issued this server's "
        "certificate\n"
        "  agreed    TLS 1.3, TLS_AES_128_GCM_SHA256, secp256r1\n"
        "  try       check that the intermediate certificates are sent (they belong into "
        "the chain file, behind the server's own); a private root must be installed at the "
        "client\n"
        "  rule      RFC 8446 6.2\n"
        "  code      ALERT_RECEIVED\n");
    const char *got = explained(p.client, hf_conn_error(p.client));
    CHECK(strstr(got, "\n  where     at the step \"verify the chain\" of the handshake; "));
    CHECK(strstr(got, "\n  alert     unknown_ca (48), for the peer\n"));
    CHECK(strstr(got, "\n  try       if the server is meant to be trusted: "));
    CHECK(strstr(got, "\n  code      UNTRUSTED\n"));
    done(&p);
}

static void test_certificate_required(void)
{
    hf_config *c = config_of(HF_CLIENT, NULL, pki), *s = config_of(HF_SERVER, pki, pki);
    CHECK(hf_config_set_groups(s, "P-256"));
    CHECK(hf_config_set_groups(c, "x25519:P-256"));
    CHECK(hf_config_set_client_auth(s, HF_CLIENT_AUTH_REQUIRE));
    struct pair p = run(c, s);
    CHECK_STR(explained(p.client, hf_conn_error(p.client)),
              "The peer ended the connection with an alert: certificate_required (116).\n"
              "  where     after the handshake; this is the client, connecting to "
              "server.example\n"
              "  fault     the peer's\n"
              "  alert     certificate_required (116), sent by the peer\n"
              "  means     the server requires a client certificate and got none\n"
              "  agreed    TLS 1.3, TLS_AES_128_GCM_SHA256, secp256r1, after a "
              "HelloRetryRequest\n"
              "  try       configure a certificate and key with hf_config_add_credential()\n"
              "  rule      RFC 8446 6.2\n"
              "  code      ALERT_RECEIVED\n");
    CHECK(strstr(explained(p.server, hf_conn_error(p.server)),
                 "\n  try       give the client a certificate, or ask without requiring "
                 "(HF_CLIENT_AUTH_REQUEST)\n"));
    done(&p);
}

/* The certificate that an error is about is shown, from a connection that has one. */
static void test_certificate(void)
{
    hf_config *c = config_of(HF_CLIENT, NULL, pki), *s = config_of(HF_SERVER, pki, NULL);
    CHECK(hf_config_set_groups(c, "x25519"));
    struct pair p = run(c, s);
    CHECK(hf_conn_error(p.client) == NULL);
    hf_error err = {0};
    err_set(&err, HF_E_WRONG_NAME, "asked for 'a.example'");
    err.x509_depth = 0;
    err.x509_code = 62;
    CHECK_STR(explained(p.client, &err),
              "The certificate is valid, but for other names than the one asked for: asked for "
              "'a.example'.\n"
              "  where     after the handshake; this is the client, connecting to "
              "server.example\n"
              "  fault     the peer's\n"
              "  alert     bad_certificate (42), for the peer\n"
              "  agreed    TLS 1.3, TLS_AES_128_GCM_SHA256, x25519\n"
              "  cert      the peer's own (libcrypto's verdict 62)\n"
              "            CN=Test Leaf, issued by CN=Test Intermediate\n"
              "            valid from 2020-01-01 00:00:00 UTC to 2049-12-31 00:00:00 UTC, for "
              "DNS:server.example, DNS:www.server.example\n"
              "  try       connect by a name that the certificate has, or have the name added "
              "to it\n"
              "  rule      RFC 9525 6\n"
              "  code      WRONG_NAME\n");
    err.x509_depth = 2;
    CHECK(strstr(explained(p.client, &err),
                 "\n  cert      number 2 of the chain, counted from "
                 "the peer's own (0) (libcrypto's verdict 62)\n  try"));
    done(&p);
}

/* What an alert means depends on when it comes and on what this side has. */
static void test_phase(void)
{
    hf_config *c = config_of(HF_CLIENT, NULL, pki), *s = config_of(HF_SERVER, pki, NULL);
    struct pair p = run(c, s);
    hf_error err = {0};
    err_set(&err, HF_E_ALERT_RECEIVED, "handshake_failure (40)");
    err.alert = 40;
    err.alert_received = true;
    CHECK(strstr(explained(p.client, &err), "most often it wants a client certificate"));
    CHECK(!strstr(text, "suites"));
    CHECK(strstr(explained(p.server, &err), "cannot work with what this server chose"));
    CHECK(strstr(explained(NULL, &err), "could not agree to what was offered"));
    done(&p);
    c = config_of(HF_CLIENT, other, pki), s = config_of(HF_SERVER, pki, NULL);
    p = run(c, s);
    CHECK(strstr(explained(p.client, &err), "after it had seen the client's certificate"));
    err.alert = 200;
    CHECK(strstr(explained(p.client, &err), "\n  alert     unknown (200), sent by the peer\n"
                                            "  agreed "));
    done(&p);
}

/* A second ClientHello that cannot be read leaves the server with slices of the first, which is
 * gone: they must not be shown (AddressSanitizer watches). */
static void test_stale_hello(void)
{
    /* Record and message header, version, random, no session ID, one suite, null compression, and
     * extensions that are cut off. */
    uint8_t bad[5 + 4 + 43] = {22, 3, 3, 0, 47, 1, 0, 0, 43, 3, 3}, *data;
    size_t used, n;
    hf_error ignored = {0};
    hf_config *c = config_of(HF_CLIENT, NULL, pki), *s = config_of(HF_SERVER, pki, NULL);
    CHECK(hf_config_set_groups(c, "x25519:P-256"));
    CHECK(hf_config_set_groups(s, "P-256"));
    memcpy(bad + 44, "\0\2\x13\1\1\0\0\x99", 8);
    struct pair p = {c, s, hf_conn_new_client(c, "server.example", &ignored),
                     hf_conn_new_server(s, &ignored)};
    (void)hf_conn_handshake(p.client);
    CHECK(carry(p.client, p.server));
    CHECK(hf_conn_retried(p.server));
    CHECK_INT(hf_conn_receive(p.server, bad, sizeof bad, &used, &data, &n), HF_FAILED);
    CHECK(strstr(explained(p.server, hf_conn_error(p.server)), "ClientHello.extensions"));
    CHECK(strstr(as_json(p.server, hf_conn_error(p.server)),
                 "\"suites\":[\"TLS_AES_128_GCM_SHA256\"],\"groups\":[],\"key_shares\":[],"));
    done(&p);
}

/* ---- JSON */

static void test_json_golden(void)
{
    hf_error err = {0};
    err_set(&err, HF_E_CONNECT, "%s", "a\"b\\c\n\x01\x7f\xff\xc0\x80\xe2\x82\xac");
    err.os_errno = ECONNREFUSED;
    char want[1000];
    snprintf(want, sizeof want,
             "{\"code\":\"CONNECT\",\"number\":%d,\"sentence\":\"no connection could be made\","
             "\"detail\":\"a\\\"b\\\\c\\n\\u0001\\u007f\\ufffd\\ufffd\\ufffd\xe2\x82\xac\","
             "\"fault\":\"network\",\"step\":\"\",\"path\":\"\",\"offset\":null,\"rfc\":\"\","
             "\"means\":\"\","
             "\"hint\":\"nothing listens on that port: check the port, and that the server is "
             "running\",\"truncated\":false,\"alert\":null,"
             "\"system\":{\"errno\":111,\"text\":\"Connection refused\"},"
             "\"certificate\":null,\"raw_key\":null,\"connection\":null}",
             HF_E_CONNECT);
    CHECK_STR(as_json(NULL, &err), want);
}

/* A strict reader of JSON (RFC 8259): returns what follows the value, or NULL. */
static const char *json_value(const char *p);

static const char *json_string(const char *p)
{
    if (*p++ != '"')
        return NULL;
    for (; *p != '"'; p++) {
        if ((unsigned char)*p < 0x20)
            return NULL;
        if (*p == '\\' && !strchr("\"\\nrtu", *++p))
            return NULL;
        if (*p == 'u' && p[-1] == '\\' && strspn(p + 1, "0123456789abcdef") < 4)
            return NULL;
    }
    return p + 1;
}

static const char *json_members(const char *p, char end, bool keys)
{
    if (*p == end)
        return p + 1;
    for (;;) {
        if (keys && (!(p = json_string(p)) || *p++ != ':'))
            return NULL;
        if (!(p = json_value(p)))
            return NULL;
        if (*p == end)
            return p + 1;
        if (*p++ != ',')
            return NULL;
    }
}

static const char *json_value(const char *p)
{
    static const char *const words[] = {"true", "false", "null"};
    if (*p == '"')
        return json_string(p);
    if (*p == '{')
        return json_members(p + 1, '}', true);
    if (*p == '[')
        return json_members(p + 1, ']', false);
    for (size_t i = 0; i < 3; i++) {
        if (strncmp(p, words[i], strlen(words[i])) == 0)
            return p + strlen(words[i]);
    }
    size_t n = strspn(p + (*p == '-'), "0123456789");
    return n ? p + (*p == '-') + n : NULL;
}

static bool is_json(const char *p)
{
    const char *end = json_value(p);
    return end && !*end;
}

static bool is_printable(const char *p)
{
    for (; *p; p++) {
        if (((unsigned char)*p < 0x20 && *p != '\n') || *p == 0x7f)
            return false;
    }
    return true;
}

/* Every code, and every alert, in both roles and without a connection, in and after the handshake. */
static void test_everything(void)
{
    hf_config *c = config_of(HF_CLIENT, NULL, pki), *s = config_of(HF_SERVER, pki, pki);
    struct pair fine = run(c, s);
    c = config_of(HF_CLIENT, NULL, pki), s = config_of(HF_SERVER, pki, pki);
    CHECK(hf_config_set_groups(c, "P-384"));
    CHECK(hf_config_set_groups(s, "P-256"));
    struct pair broken = run(c, s);
    CHECK(!is_json("{\"a\":}") && !is_json("[1,]") && !is_json("\"\x01\"") &&
          is_json("[{},-1]"));
    const hf_conn *conns[] = {NULL, fine.client, fine.server, broken.client, broken.server};
    static const char *const steps[] = {"", "ServerHello", "client Finished", NULL};
    for (size_t i = 0; i < sizeof conns / sizeof conns[0]; i++) {
        for (int code = 0; code < HF_E_COUNT + 256; code++) {
            hf_error err = {0};
            err_set(&err, code < HF_E_COUNT ? (hf_code)code : HF_E_ALERT_RECEIVED,
                    "\x1b[31m\xff");
            err.step = steps[code % 4];
            err.rfc = code % 5 ? err.rfc : NULL;
            err.hint = code % 7 ? err.hint : NULL;
            if (code >= HF_E_COUNT) {
                err.alert = (uint8_t)(code - HF_E_COUNT);
                err.alert_received = true;
            }
            CHECK(is_printable(explained(conns[i], &err)));
            CHECK(text[strlen(text) - 1] == '\n');
            CHECK(is_json(as_json(conns[i], &err)));
        }
    }
    done(&fine);
    done(&broken);
}

static void test_sizes(void)
{
    hf_error err = {0};
    char whole[1024], part[1024];
    err_set(&err, HF_E_RESOLVE, "nowhere.example");
    for (int json = 0; json < 2; json++) {
        size_t (*write)(const hf_conn *, const hf_error *, char *, size_t) =
            json ? hf_explain_json : hf_explain;
        size_t len = write(NULL, &err, whole, sizeof whole);
        CHECK_INT(write(NULL, &err, NULL, 0), len);
        for (size_t n = 1; n <= len + 1; n++) {
            memset(part, '?', sizeof part);
            CHECK_INT(write(NULL, &err, part, n), len);
            CHECK_INT(strlen(part), n - 1);
            CHECK_MEM(part, whole, n - 1);
            CHECK_INT(part[n], '?');
        }
    }
}

static void test_sink(void)
{
    static const struct {
        const char *in, *plain, *json;
    } rows[] = {
        {"abc", "abc", "\"abc\""},
        {"\t\r\n", "\\x09\\x0d\\x0a", "\"\\t\\r\\n\""},
        {"\xc3\xa4", "\xc3\xa4", "\"\xc3\xa4\""},
        {"\xc2\x9b", "\\xc2\\x9b", "\"\\u009b\""}, /* a terminal's CSI in one character */
        {"\xe0\x80\xaf", "\\xe0\\x80\\xaf", "\"\\ufffd\\ufffd\\ufffd\""}, /* overlong */
        {"\xed\xa0\x80", "\\xed\\xa0\\x80", "\"\\ufffd\\ufffd\\ufffd\""}, /* a surrogate */
        {"\xf0\x9f\xa4\x9d", "\xf0\x9f\xa4\x9d", "\"\xf0\x9f\xa4\x9d\""},
        {"\xf4\x90\x80\x80", "\\xf4\\x90\\x80\\x80", "\"\\ufffd\\ufffd\\ufffd\\ufffd\""},
        {"a\xe2\x82", "a\\xe2\\x82", "\"a\\ufffd\\ufffd\""}, /* cut off */
        {"\\\"", "\\\"", "\"\\\\\\\"\""},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char out[100];
        struct sink a = {out, sizeof out, 0};
        sink_plain(&a, rows[i].in, strlen(rows[i].in));
        sink_end(&a);
        CHECK_STR(out, rows[i].plain);
        struct sink b = {out, sizeof out, 0};
        sink_json(&b, rows[i].in, strlen(rows[i].in));
        sink_end(&b);
        CHECK_STR(out, rows[i].json);
    }
}

static void test_long_lists(void)
{
    struct facts_list a = {.count = 3, .id = {1, 2, 3}}, b = {.count = 2, .id = {3, 1}}, both;
    facts_common(&a, &b, &both);
    CHECK_INT(both.count, 2);
    CHECK_INT(both.id[0], 1);
    CHECK_INT(both.id[1], 3);
}

int main(void)
{
    pki = pki_new(PKI_P256, "DNS:server.example,DNS:www.server.example");
    other = pki_new(PKI_P256, "DNS:other.example");
    RUN(test_nothing);
    RUN(test_connect);
    RUN(test_waits);
    RUN(test_file);
    RUN(test_frozen);
    RUN(test_decode);
    RUN(test_groups);
    RUN(test_suites);
    RUN(test_protocols);
    RUN(test_untrusted);
    RUN(test_certificate_required);
    RUN(test_certificate);
    RUN(test_phase);
    RUN(test_stale_hello);
    RUN(test_json_golden);
    RUN(test_everything);
    RUN(test_sizes);
    RUN(test_sink);
    RUN(test_long_lists);
    pki_clear(pki);
    pki_clear(other);
    return check_done();
}
