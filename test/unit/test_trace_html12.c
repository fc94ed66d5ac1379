/* The page of handshakes of TLS 1.2 and older: every byte of every message is shown once and explained. */
#include <stdlib.h>

#include "check.h"
#include "cli/explain.h"
#include "cli/trace_facts.h"
#include "handfast.h"
#include "pki.h"

/* ---------------------------------------------------------------- two ends and their recordings */

struct ends {
    struct recording client, server;
    hf_config *client_config, *server_config;
    hf_conn *c, *s;
    hf_session *session; /* the newest that the client got */
};

static struct pki *pki;

static void record(const hf_conn *conn, const hf_trace_event *event, void *arg)
{
    struct ends *e = arg;
    recording_add(hf_conn_is_server(conn) ? &e->server : &e->client, event);
}

static void keep(hf_conn *conn, hf_session *session, void *arg)
{
    struct ends *e = arg;
    (void)conn;
    hf_session_free(e->session);
    e->session = hf_session_ref(session);
}

static void trust(hf_config *config)
{
    hf_trust *anchors = hf_trust_new();
    CHECK(hf_trust_add_memory(anchors, pki->root->pem, strlen(pki->root->pem), NULL));
    CHECK(hf_config_set_trust(config, anchors));
    hf_trust_free(anchors);
}

static void identify(hf_config *config)
{
    hf_credential *cred = hf_credential_load_memory(pki->bundle_pem, strlen(pki->bundle_pem),
                                                    NULL, 0, NULL, NULL, NULL);
    CHECK(cred && hf_config_add_credential(config, cred));
    hf_credential_free(cred);
}

/* Both configurations for one version and a cipher string; the recordings are set. */
static struct ends *meet(uint16_t version, const char *ciphers)
{
    static const uint8_t key[16] = "0123456789abcdef";
    struct ends *e = calloc(1, sizeof *e);
    hf_config *both[] = {hf_config_new(HF_CLIENT), hf_config_new(HF_SERVER)};
    e->client_config = both[0];
    e->server_config = both[1];
    for (size_t i = 0; i < 2; i++) {
        CHECK(hf_config_insecure_set_security_level(both[i], 0));
        CHECK(hf_config_set_versions(both[i], version, version));
        CHECK(hf_config_set_ciphers(both[i], ciphers));
        CHECK(hf_config_set_renegotiation(both[i], 2));
        CHECK(hf_config_add_psk(both[i], (const uint8_t *)"door", 4, key, sizeof key));
        CHECK(hf_config_set_trace(both[i], record, e));
        CHECK(hf_config_insecure_set_trace_secrets(both[i], true));
        trust(both[i]);
    }
    identify(e->server_config);
    CHECK(hf_config_set_session_callback(e->client_config, keep, e));
    return e;
}

static bool carry(hf_conn *from, hf_conn *to)
{
    static uint8_t wire[1 << 18];
    size_t len, at = 0, used = 0, data_len;
    uint8_t *data;
    (void)hf_conn_handshake(from);
    const uint8_t *p = hf_conn_output(from, &len);
    if (!len || len > sizeof wire)
        return false;
    memcpy(wire, p, len);
    hf_conn_output_done(from, len);
    while (at < len) {
        hf_result r = hf_conn_receive(to, wire + at, len - at, &used, &data, &data_len);
        at += used;
        if (r != HF_DONE || (!used && !data_len))
            break;
    }
    return true;
}

static void talk(struct ends *e)
{
    for (int i = 0; i < 12; i++) {
        bool moved = carry(e->c, e->s);
        moved |= carry(e->s, e->c);
        if (!moved)
            break;
    }
}

static void shake(struct ends *e, hf_session *session)
{
    hf_error err = {0};
    e->c = hf_conn_new_client(e->client_config, "server.example", &err);
    e->s = hf_conn_new_server(e->server_config, &err);
    CHECK_STR(err.detail, "");
    CHECK(e->c && e->s);
    CHECK(!session || hf_conn_set_session(e->c, session));
    talk(e);
}

/* One conversation ends, the configurations stay. */
static void hang_up(struct ends *e)
{
    hf_conn_free(e->c);
    hf_conn_free(e->s);
    e->c = e->s = NULL;
    recording_clear(&e->client);
    recording_clear(&e->server);
}

static void part(struct ends *e)
{
    hang_up(e);
    hf_session_free(e->session);
    hf_config_free(e->client_config);
    hf_config_free(e->server_config);
    free(e);
}

/* Data in one direction, so that there is a record of it. */
static void say(hf_conn *from, hf_conn *to)
{
    uint8_t out[512], *data;
    size_t taken, written, used, n;
    CHECK_INT(hf_conn_send(from, (const uint8_t *)"Hello, hello!", 13, &taken, out, sizeof out,
                           &written),
              HF_DONE);
    for (size_t at = 0; at < written; at += used)
        if (hf_conn_receive(to, out + at, written - at, &used, &data, &n) != HF_DONE || !used)
            break;
}

/* ---------------------------------------------------------------- reading the page */

/* The page of one end, NULL without memory; free(). */
static char *page_of(struct ends *e, bool server)
{
    struct facts_of f;
    struct text page = {0};
    const struct recording *r = server ? &e->server : &e->client;
    const hf_conn *conn = server ? e->s : e->c;
    facts_take(&f, conn, r, "tls://server.example", server, PKI_NOW);
    if (hf_conn_error(conn))
        f.facts.error = "it failed";
    CHECK(trace_html(&page, r, &f.facts) && page.p);
    char *copy = page.p ? strdup(page.p) : NULL;
    text_clear(&page);
    facts_clear(&f);
    return copy;
}

/* How often each byte of one message is shown: once. */
static bool is_tiled(const char *from, const char *to, size_t size)
{
    size_t total = 0, offset, n;
    uint8_t *seen = calloc(size + 1, 1);
    bool good = seen != NULL;
    for (const char *p = from; good && (p = strstr(p, "<code data-offset=")) && p < to; p++) {
        good = sscanf(p, "<code data-offset=%zu data-size=%zu", &offset, &n) == 2 &&
               offset + n <= size;
        for (size_t i = 0; good && i < n; i++)
            good = !seen[offset + i]++;
        total += n;
    }
    free(seen);
    return good && total == size;
}

/* The names of the messages in order, separated by spaces; those that the peer's keys protect in brackets. */
static void list_messages(const char *page, char *out, size_t size)
{
    static const char start[] = "data-message=\"";
    *out = '\0';
    for (const char *p = page; (p = strstr(p, start)) != NULL;) {
        p += sizeof start - 1;
        const char *next = strstr(p, start), *end = next ? next : p + strlen(p);
        const char *lock = strstr(p, "<span class=\"lock k");
        size_t bytes = 0;
        const char *count = strstr(p, "data-bytes=");
        CHECK(count && sscanf(count, "data-bytes=%zu", &bytes) == 1);
        bool protected = lock && lock < end && lock[19] != '0';
        CHECK(is_tiled(p, end, bytes));
        size_t at = strlen(out);
        snprintf(out + at, size - at, "%s%s%.*s%s", at ? " " : "", protected ? "[" : "",
                 (int)strcspn(p, "\""), p, protected ? "]" : "");
    }
}

/* What each name on the wire is for is said somewhere. */
static void check_explained(const struct recording *r)
{
    const char *message = "";
    for (size_t i = 0; i < r->count; i++) {
        const hf_trace_event *e = &r->events[i];
        const struct explanation *x = NULL;
        const char *length = strstr(e->name, "length");
        if (e->kind == HF_TRACE_MESSAGE) {
            message = e->name;
            x = explain_find12('m', e->name, NULL);
        } else if (e->kind == HF_TRACE_SECRET) {
            x = explain_find12('s', e->name, NULL);
        } else if (e->kind == HF_TRACE_FIELD && !length) {
            x = explain_find12('f', e->name, message);
        } else {
            continue;
        }
        /* Of what is only for TLS 1.3, or is a list's item like those in its heading, the heading is enough. */
        static const char *const known[] = {
            "version", "compression_method", "ke_mode",           "ec_point_format",
            "type",    "responder_id_list",  "request_extensions"};
        bool fine = x != NULL;
        for (size_t k = 0; k < sizeof known / sizeof *known; k++)
            fine |= strcmp(known[k], e->name) == 0;
        if (!fine)
            printf("    not explained: %s in %s\n", e->name, message);
        CHECK(fine);
    }
}

static void check_page(struct ends *e, bool server, const char *messages,
                       const char *const *words)
{
    char seen[1024];
    char *page = page_of(e, server);
    if (!page)
        return;
    list_messages(page, seen, sizeof seen);
    CHECK_STR(seen, messages);
    CHECK(!strstr(page, "data-gap"));
    CHECK(!strstr(page, "handshake keys") && !strstr(page, "application keys"));
    for (; *words; words++) {
        if (!strstr(page, *words))
            printf("    missing: %s\n", *words);
        CHECK(strstr(page, *words) != NULL);
    }
    check_explained(server ? &e->server : &e->client);
    free(page);
}

#define CHECK_PAGES(e, messages, ...)                                                          \
    do {                                                                                       \
        static const char *const words[] = {__VA_ARGS__, NULL};                                \
        check_page(e, false, messages, words);                                                 \
        check_page(e, true, messages, words);                                                  \
    } while (0)

/* ---------------------------------------------------------------- handshakes */

#define FULL                                                                                   \
    "ClientHello ServerHello Certificate ServerKeyExchange ServerHelloDone ClientKeyExchange " \
    "ChangeCipherSpec [Finished] NewSessionTicket ChangeCipherSpec [Finished]"

static void test_ecdhe(void)
{
    struct ends *e = meet(HF_TLS1_2, "ECDHE-RSA-AES128-GCM-SHA256");
    shake(e, NULL);
    say(e->c, e->s);
    say(e->s, e->c);
    CHECK_PAGES(e, FULL, "Forward secrecy: ", "protected by an AEAD",
                "Extended master secret: ", "in Galois/Counter Mode", "two round trips",
                "nonce_explicit", "<svg class=schedule", "client_write_key", "server_write_IV",
                "client_version", "server_version");
    part(e);
}

static void test_rsa(void)
{
    struct ends *e = meet(HF_TLS1_2, "AES128-GCM-SHA256");
    shake(e, NULL);
    CHECK_PAGES(e,
                "ClientHello ServerHello Certificate ServerHelloDone ClientKeyExchange "
                "ChangeCipherSpec [Finished] NewSessionTicket ChangeCipherSpec [Finished]",
                "No forward secrecy: the client sent the root of all keys",
                "encrypted_premaster", "whoever has that key, now or in ten years",
                "made by the client");
    part(e);
}

static void test_dhe(void)
{
    struct ends *e = meet(HF_TLS1_2, "DHE-RSA-CHACHA20-POLY1305");
    shake(e, NULL);
    say(e->c, e->s);
    CHECK_PAGES(e, FULL, "Forward secrecy: ", "dh_p", "dh_Ys", "dh_Yc", "ffdhe",
                "the ChaCha20 stream cipher", "The nonce does not travel");
    part(e);
}

static void test_cbc(void)
{
    struct ends *e = meet(HF_TLS1_2, "ECDHE-RSA-AES256-SHA384");
    shake(e, NULL);
    CHECK_PAGES(e, FULL, "but with encrypt-then-MAC", "AES with 256-bit keys in CBC mode",
                "Over the ciphertext", "client_write_MAC_key", "48 bytes");
    hang_up(e);
    part(e);
    e = meet(HF_TLS1_1, "ECDHE-RSA-AES128-SHA");
    CHECK(hf_config_set_encrypt_then_mac(e->client_config, false));
    shake(e, NULL);
    CHECK_PAGES(e, FULL, "with the MAC inside the encryption", "TLS 1.1 is of 2006",
                "MAC and padding, encrypted together", "RSA with MD5 and SHA-1",
                "signature over the key exchange is made with SHA-1");
    part(e);
}

static void test_tls10(void)
{
    struct ends *e = meet(HF_TLS1_0, "ECDHE-RSA-AES128-SHA");
    CHECK(hf_config_set_encrypt_then_mac(e->client_config, false));
    shake(e, NULL);
    say(e->c, e->s);
    CHECK_PAGES(e, FULL, "TLS 1.0 is of 1999", "The IV is the last block of the record before",
                "client_write_IV");
    part(e);
}

static void test_null(void)
{
    struct ends *e = meet(HF_TLS1_2, "NULL-SHA256:@SECLEVEL=0");
    shake(e, NULL);
    say(e->c, e->s);
    CHECK_PAGES(e,
                "ClientHello ServerHello Certificate ServerHelloDone ClientKeyExchange "
                "ChangeCipherSpec [Finished] NewSessionTicket ChangeCipherSpec [Finished]",
                "Nothing is encrypted", "this suite does not encrypt");
    part(e);
}

static void test_psk(void)
{
    struct ends *e = meet(HF_TLS1_2, "PSK-AES128-GCM-SHA256");
    CHECK(hf_config_set_psk_hint(e->server_config, "the house"));
    shake(e, NULL);
    CHECK_PAGES(e,
                "ClientHello ServerHello ServerKeyExchange ServerHelloDone ClientKeyExchange "
                "ChangeCipherSpec [Finished] NewSessionTicket ChangeCipherSpec [Finished]",
                "psk_identity_hint", "a key that both sides had before",
                "gets the pre-shared key one day");
    part(e);
}

static void test_client_certificate(void)
{
    struct ends *e = meet(HF_TLS1_2, "ECDHE+AESGCM");
    identify(e->client_config);
    CHECK(hf_config_set_client_auth(e->server_config, HF_CLIENT_AUTH_REQUIRE));
    CHECK(hf_config_send_authorities(e->server_config, true));
    shake(e, NULL);
    CHECK_PAGES(
        e,
        "ClientHello ServerHello Certificate ServerKeyExchange CertificateRequest "
        "ServerHelloDone Certificate ClientKeyExchange CertificateVerify ChangeCipherSpec "
        "[Finished] NewSessionTicket ChangeCipherSpec [Finished]",
        "rsa_sign", "distinguished_name", "over everything said so far");
    part(e);
}

static void test_stapled(void)
{
    struct ends *e = meet(HF_TLS1_2, "ECDHE+AESGCM");
    struct pki_ocsp_spec spec = {.cert = pki->leaf, .issuer = pki->mid};
    size_t len;
    uint8_t *der = pki_ocsp(&spec, &len);
    hf_credential *cred = hf_credential_load_memory(pki->bundle_pem, strlen(pki->bundle_pem),
                                                    NULL, 0, NULL, NULL, NULL);
    CHECK(hf_credential_set_ocsp(cred, der, len, NULL));
    hf_config_free(e->server_config);
    e->server_config = hf_config_new(HF_SERVER);
    CHECK(hf_config_set_versions(e->server_config, HF_TLS1_2, HF_TLS1_2));
    CHECK(hf_config_set_trace(e->server_config, record, e));
    CHECK(hf_config_add_credential(e->server_config, cred));
    CHECK(hf_config_insecure_no_verify(e->client_config)); /* the response is of another day */
    shake(e, NULL);
    static const char *const words[] = {"CertificateStatus", NULL};
    check_page(e, false,
               "ClientHello ServerHello Certificate CertificateStatus ServerKeyExchange "
               "ServerHelloDone ClientKeyExchange ChangeCipherSpec [Finished] NewSessionTicket "
               "ChangeCipherSpec [Finished]",
               words);
    hf_credential_free(cred);
    free(der);
    part(e);
}

static void test_resumed(void)
{
    struct ends *e = meet(HF_TLS1_2, "ECDHE+AESGCM");
    shake(e, NULL);
    hang_up(e);
    shake(e, e->session);
    CHECK(hf_conn_resumed(e->c));
    CHECK_PAGES(
        e, "ClientHello ServerHello ChangeCipherSpec [Finished] ChangeCipherSpec [Finished]",
        "resumed with a ticket", "gets the key of the server's tickets", "one round trip",
        "of the session that is resumed");
    part(e);
    e = meet(HF_TLS1_2, "ECDHE+AESGCM");
    CHECK(hf_config_set_tickets(e->server_config, 0, 7200));
    shake(e, NULL);
    hang_up(e);
    shake(e, e->session);
    CHECK(hf_conn_resumed(e->c));
    CHECK_PAGES(
        e, "ClientHello ServerHello ChangeCipherSpec [Finished] ChangeCipherSpec [Finished]",
        "resumed by its ID", "As long as either side remembers that");
    part(e);
}

static void test_renegotiated(void)
{
    struct ends *e = meet(HF_TLS1_2, "ECDHE-RSA-AES128-SHA256");
    hf_error err = {0};
    shake(e, NULL);
    CHECK_INT(hf_conn_renegotiate(e->s, &err), HF_DONE);
    talk(e);
    CHECK_PAGES(e,
                FULL " [HelloRequest] [ClientHello] [ServerHello] [Certificate] "
                     "[ServerKeyExchange] [ServerHelloDone] [ClientKeyExchange] "
                     "[ChangeCipherSpec] [Finished] [NewSessionTicket] [ChangeCipherSpec] "
                     "[Finished]",
                "sends with <b class=k3>renewed connection keys",
                "belongs to no handshake itself", "renegotiated_connection");
    part(e);
}

static void test_refused(void)
{
    struct ends *e = meet(HF_TLS1_2, "ECDHE+AESGCM");
    CHECK(hf_config_set_client_auth(e->server_config, HF_CLIENT_AUTH_REQUIRE));
    shake(e, NULL);
    CHECK(hf_conn_error(e->c) && hf_conn_error(e->s));
    static const char *const words[] = {"The connection failed here.", "handshake_failure",
                                        NULL};
    check_page(
        e, false,
        "ClientHello ServerHello Certificate ServerKeyExchange CertificateRequest "
        "ServerHelloDone Certificate ClientKeyExchange ChangeCipherSpec [Finished] Alert",
        words);
    part(e);
}

/* The n-th record that one side sent, or that the other received; NULL past the end. */
static const hf_trace_event *nth_record(const struct recording *r, bool sent, size_t n)
{
    for (size_t i = 0; i < r->count; i++)
        if (r->events[i].kind == HF_TRACE_RECORD && r->events[i].sent == sent && n-- == 0)
            return &r->events[i];
    return NULL;
}

/* A received record is shown as it was on the line, although it was opened in place. */
static void test_records(void)
{
    static const uint16_t versions[] = {HF_TLS1_0, HF_TLS1_2, HF_TLS1_3};
    for (size_t v = 0; v < 3; v++) {
        struct ends *e = meet(versions[v], "ECDHE-RSA-AES128-SHA:ECDHE-RSA-AES128-GCM-SHA256");
        shake(e, NULL);
        say(e->c, e->s);
        say(e->s, e->c);
        size_t n = 0;
        for (const hf_trace_event *a, *b; (a = nth_record(&e->server, true, n)) != NULL; n++) {
            b = nth_record(&e->client, false, n);
            CHECK(b && a->size == b->size && memcmp(a->bytes, b->bytes, a->size) == 0);
        }
        CHECK(n > 3);
        part(e);
    }
}

/* ---------------------------------------------------------------- words */

static void test_words(void)
{
    const struct explanation *x = explain_find12('m', "ChangeCipherSpec", NULL);
    CHECK(x && strcmp(x->rfc, "RFC 5246 7.1") == 0);
    x = explain_find12('m', "ClientKeyExchange", "RSA");
    CHECK(x && strcmp(x->rfc, "RFC 5246 7.4.7.1") == 0);
    x = explain_find12('m', "ClientKeyExchange", "ECDHE");
    CHECK(x && strcmp(x->rfc, "RFC 5246 7.4.7") == 0);
    x = explain_find12('e', "server_name", NULL); /* as in TLS 1.3 */
    CHECK(x && strcmp(x->rfc, "RFC 6066 3") == 0);
    CHECK(!explain_find12('m', "nothing", NULL));
    CHECK_STR(explain_name12("legacy_version", "ServerHello"), "server_version");
    CHECK_STR(explain_name12("legacy_session_id length", "ClientHello"), "session_id length");
    CHECK_STR(explain_name12("random", "ClientHello"), "random");
    /* TLS 1.3's words stay what they were. */
    x = explain_find('m', "change_cipher_spec");
    CHECK(x && strcmp(x->rfc, "RFC 8446 D.4") == 0);
    CHECK(!explain_find('m', "ServerHelloDone"));
}

int main(void)
{
    pki = pki_new(PKI_RSA, "DNS:server.example");
    RUN(test_ecdhe);
    RUN(test_rsa);
    RUN(test_dhe);
    RUN(test_cbc);
    RUN(test_tls10);
    RUN(test_null);
    RUN(test_psk);
    RUN(test_client_certificate);
    RUN(test_stapled);
    RUN(test_resumed);
    RUN(test_renegotiated);
    RUN(test_refused);
    RUN(test_records);
    RUN(test_words);
    pki_clear(pki);
    return check_done();
}
