/* Which certificate a server shows and what goes with it: names, kinds of keys, derived
 * configurations, stapled OCSP responses, authorities; and the key log. */
#include "../unit/check.h"
#include "pair.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "connection/conn.h"

static bool shaken(const struct pair *p)
{
    return !((hf_conn_wants(p->client.conn) | hf_conn_wants(p->server.conn)) &
             (HF_IN_HANDSHAKE | HF_IS_FAILED));
}

/* ---- several credentials */

enum { A_EC, B_RSA, B_EC, WILD_ED, SITES };

struct sites {
    struct pair pair;
    struct pki *pki[SITES];
    hf_credential *cred[SITES];
};

static hf_credential *load(const struct pki *pki)
{
    hf_credential *cred =
        hf_credential_load_memory(pki->chain_pem, strlen(pki->chain_pem), pki->leaf->key_pem,
                                  strlen(pki->leaf->key_pem), NULL, NULL, NULL);
    CHECK(cred);
    return cred;
}

static void sites_init(struct sites *s)
{
    static const struct {
        enum pki_kind kind;
        const char *names;
    } specs[SITES] = {{PKI_P256, "DNS:a.example,DNS:www.a.example"},
                      {PKI_RSA, "DNS:b.example"},
                      {PKI_P256, "DNS:b.example"},
                      {PKI_ED25519, "DNS:*.wild.example"}};
    pair_init(&s->pair, PKI_P256);
    hf_config_free(s->pair.server_config);
    s->pair.server_config = hf_config_new(HF_SERVER);
    for (int i = 0; i < SITES; i++) {
        s->pki[i] = pki_new(specs[i].kind, specs[i].names);
        s->cred[i] = load(s->pki[i]);
        CHECK(hf_config_add_credential(s->pair.server_config, s->cred[i]));
        CHECK(hf_trust_add_memory(s->pair.trust, s->pki[i]->root->pem,
                                  strlen(s->pki[i]->root->pem), NULL));
    }
}

static void sites_clear(struct sites *s)
{
    pair_clear(&s->pair);
    for (int i = 0; i < SITES; i++) {
        hf_credential_free(s->cred[i]);
        pki_clear(s->pki[i]);
    }
}

/* Connects by a name; which of the credentials came, -1 if none. */
static int visit(struct sites *s, hf_config *client, const char *name)
{
    struct pair *p = &s->pair;
    int which = -1;
    p->client.conn = hf_conn_new_client(client, name, NULL);
    p->server.conn = hf_conn_new_server(p->server_config, NULL);
    CHECK(p->client.conn && p->server.conn);
    pair_run(p);
    const hf_certificate *leaf = hf_conn_peer_certificate(p->client.conn, 0);
    for (int i = 0; leaf && i < SITES; i++) {
        size_t len;
        const uint8_t *der = hf_certificate_der(leaf, &len);
        if (len == s->pki[i]->leaf->der_len && memcmp(der, s->pki[i]->leaf->der, len) == 0)
            which = i;
    }
    CHECK(shaken(p) == (end_code(&p->client) == HF_OK));
    return which;
}

static void test_names(void)
{
    static const struct {
        const char *name;
        int want;
        hf_code code;
    } rows[] = {{"a.example", A_EC, HF_OK},
                {"A.Example", A_EC, HF_OK},
                {"www.a.example", A_EC, HF_OK},
                {"b.example", B_EC, HF_OK},
                {"b.example.", B_EC, HF_OK},
                {"x.wild.example", WILD_ED, HF_OK},
                {"wild.example", A_EC, HF_E_WRONG_NAME},
                {"x.y.wild.example", A_EC, HF_E_WRONG_NAME},
                {"nobody.example", A_EC, HF_E_WRONG_NAME},
                {"192.0.2.7", A_EC, HF_E_WRONG_NAME}};
    struct sites s;
    sites_init(&s);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        int bad = check_bad;
        CHECK_INT(visit(&s, s.pair.client_config, rows[i].name), rows[i].want);
        CHECK_INT(end_code(&s.pair.client), rows[i].code);
        if (rows[i].code == HF_OK) {
            const char *seen = hf_conn_server_name(s.pair.server.conn);
            CHECK(seen && strncmp(seen, rows[i].name, strlen(seen)) == 0);
            CHECK(hf_conn_verified(s.pair.client.conn));
        }
        if (check_bad != bad)
            printf("    name %s\n", rows[i].name);
        pair_reset(&s.pair);
    }
    sites_clear(&s);
}

static void test_without_name(void)
{
    struct sites s;
    sites_init(&s);
    hf_config *nameless = hf_config_derive(s.pair.client_config);
    CHECK(hf_config_insecure_no_name_check(nameless));
    CHECK_INT(visit(&s, nameless, NULL), A_EC);
    CHECK(hf_conn_server_name(s.pair.server.conn) == NULL);
    pair_reset(&s.pair);
    /* not even for a scheme that we like better */
    hf_config *other = hf_config_new(HF_SERVER);
    CHECK(hf_config_add_credential(other, s.cred[B_RSA]));
    CHECK(hf_config_add_credential(other, s.cred[A_EC]));
    hf_config_free(s.pair.server_config);
    s.pair.server_config = other;
    CHECK_INT(visit(&s, nameless, NULL), B_RSA);
    hf_config_free(nameless);
    sites_clear(&s);
}

static void test_kinds_of_keys(void)
{
    static const struct {
        const char *schemes;
        int want;
    } rows[] = {{"rsa_pss_rsae_sha256,rsa_pkcs1_sha256,ecdsa_secp256r1_sha256", B_EC},
                {"rsa_pss_rsae_sha256,rsa_pkcs1_sha256", B_RSA},
                {"ecdsa_secp256r1_sha256", B_EC},
                {"ed25519,ecdsa_secp256r1_sha256", B_EC}};
    struct sites s;
    sites_init(&s);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        hf_config *client = hf_config_derive(s.pair.client_config);
        CHECK(hf_config_set_signatures(client, rows[i].schemes));
        CHECK_INT(visit(&s, client, "b.example"), rows[i].want);
        pair_reset(&s.pair);
        hf_config_free(client);
    }
    hf_config *none = hf_config_derive(s.pair.client_config);
    CHECK(hf_config_set_signatures(none, "ed448"));
    CHECK_INT(visit(&s, none, "b.example"), -1);
    CHECK_INT(end_code(&s.pair.server), HF_E_NO_SHARED_SIGNATURE);
    hf_config_free(none);
    sites_clear(&s);
}

/* ---- virtual hosts by derived configurations */

struct hosts {
    hf_config *a, *b;
};

static bool choose_host(hf_conn *conn, const hf_question *q, void *arg)
{
    const struct hosts *h = arg;
    bool b = q->server_name && strcmp(q->server_name, "b.example") == 0;
    return hf_answer_hello(conn, b ? h->b : h->a);
}

static void test_derived_hosts(void)
{
    struct sites s;
    struct hosts h;
    size_t len;
    sites_init(&s);
    hf_config *base = hf_config_new(HF_SERVER);
    CHECK(hf_config_set_ask(base, HF_ASK_HELLO, choose_host, &h));
    CHECK(hf_config_freeze(base, NULL));
    h.a = hf_config_derive(base);
    h.b = hf_config_derive(base);
    CHECK(hf_config_add_credential(h.a, s.cred[A_EC]));
    CHECK(hf_config_add_credential(h.b, s.cred[B_RSA]));
    CHECK(hf_config_set_alpn(h.a, "for-a", false) && hf_config_set_alpn(h.b, "for-b", false));
    CHECK(!base->credentials && !base->alpn); /* the original is as it was */
    hf_config_free(s.pair.server_config);
    s.pair.server_config = base;
    CHECK(hf_config_set_alpn(s.pair.client_config, "for-a,for-b", true));
    CHECK_INT(visit(&s, s.pair.client_config, "a.example"), A_EC);
    CHECK(memcmp(hf_conn_alpn(s.pair.client.conn, &len), "for-a", 5) == 0);
    CHECK(hf_conn_config(s.pair.server.conn) == h.a);
    pair_reset(&s.pair);
    CHECK_INT(visit(&s, s.pair.client_config, "b.example"), B_RSA);
    CHECK(memcmp(hf_conn_alpn(s.pair.client.conn, &len), "for-b", 5) == 0);
    pair_reset(&s.pair);

    /* Tickets of a, offered to a and to b, whose ticket keys are the same. */
    CHECK_INT(s.pair.sessions, 4);
    s.pair.client.conn = hf_conn_new_client(s.pair.client_config, "b.example", NULL);
    CHECK(!hf_conn_set_session(s.pair.client.conn, s.pair.session[0]));
    hf_conn_free(s.pair.client.conn);
    for (int to_b = 0; to_b < 2; to_b++) {
        hf_session *ticket = s.pair.session[to_b];
        if (to_b) /* a client that does not keep the rule */
            ticket->server_name[0] = 'b';
        s.pair.client.conn =
            hf_conn_new_client(s.pair.client_config, to_b ? "b.example" : "a.example", NULL);
        s.pair.server.conn = hf_conn_new_server(base, NULL);
        CHECK(hf_conn_set_session(s.pair.client.conn, ticket));
        pair_run(&s.pair);
        CHECK(shaken(&s.pair));
        CHECK(hf_conn_resumed(s.pair.server.conn) == !to_b);
        pair_reset(&s.pair);
    }
    hf_config_free(h.a);
    hf_config_free(h.b);
    sites_clear(&s);
}

static void test_derive(void)
{
    struct pair p;
    pair_init(&p, PKI_P256);
    CHECK(hf_config_freeze(p.server_config, NULL));
    CHECK(!hf_config_set_alpn(p.server_config, "h2", false));
    CHECK(hf_config_error(p.server_config) == NULL); /* "and record nothing" */
    hf_config *derived = hf_config_derive(p.server_config);
    CHECK(hf_config_set_suites(derived, "TLS_AES_256_GCM_SHA384"));
    CHECK(!hf_config_set_groups(derived, "no-such-group"));
    CHECK(hf_config_error(derived) && !hf_config_error(p.server_config));
    hf_config *child = hf_config_derive(derived);
    hf_error err = {0};
    CHECK(!hf_config_freeze(child, &err)); /* it inherits the failure with the rest */
    CHECK_INT(err.code, HF_E_CONFIG);
    hf_config_free(child);
    hf_config_free(derived);
    CHECK(pair_shake(&p));
    CHECK_INT(hf_conn_suite(p.client.conn), 0x1301);
    pair_clear(&p);
}

/* ---- OCSP */

struct stapling {
    enum pki_ocsp_status status;
    int64_t this_update, next_update;
    bool none, other; /* no response; one about another certificate */
    hf_ocsp asks;     /* of the client */
    hf_code code;
};

static void staple(const struct stapling *row)
{
    struct pair p;
    size_t len = 0, got = 0;
    pair_init(&p, PKI_P256);
    struct pki *other = pki_new(PKI_P256, "DNS:other.example");
    struct pki_ocsp_spec spec = {.cert = row->other ? other->leaf : p.pki->leaf,
                                 .issuer = p.pki->mid,
                                 .status = row->status,
                                 .this_update = row->this_update,
                                 .next_update = row->next_update};
    uint8_t *der = pki_ocsp(&spec, &len);
    CHECK(hf_credential_set_ocsp(p.cred, der, len, NULL));
    if (row->none)
        CHECK(hf_credential_set_ocsp(p.cred, NULL, 0, NULL)); /* "len 0 removes it" */
    CHECK(hf_config_set_ocsp(p.client_config, row->asks));
    CHECK(pair_shake(&p) == (row->code == HF_OK));
    CHECK_INT(end_code(&p.client), row->code);
    if (row->code != HF_OK)
        CHECK_INT(hf_conn_error(p.server.conn)->alert, hf_conn_error(p.client.conn)->alert);
    const uint8_t *stapled = hf_conn_peer_ocsp(p.client.conn, &got);
    bool expect = !row->none && row->asks != HF_OCSP_NONE;
    CHECK((stapled != NULL) == expect);
    CHECK(!stapled || (got == len && memcmp(stapled, der, len) == 0));
    CHECK(hf_conn_peer_ocsp(p.server.conn, &got) == NULL);
    free(der);
    pki_clear(other);
    pair_clear(&p);
}

static void test_ocsp(void)
{
    static const struct stapling rows[] = {
        {.asks = HF_OCSP_REQUEST},
        {.asks = HF_OCSP_REQUIRE},
        {.asks = HF_OCSP_NONE},
        {.asks = HF_OCSP_NONE, .status = PKI_OCSP_REVOKED},
        {.asks = HF_OCSP_REQUEST, .none = true},
        {.asks = HF_OCSP_REQUIRE, .none = true, .code = HF_E_NO_OCSP},
        {.asks = HF_OCSP_REQUEST, .status = PKI_OCSP_REVOKED, .code = HF_E_REVOKED},
        {.asks = HF_OCSP_REQUIRE, .status = PKI_OCSP_REVOKED, .code = HF_E_REVOKED},
        {.asks = HF_OCSP_REQUIRE, .status = PKI_OCSP_UNKNOWN, .code = HF_E_BAD_OCSP},
        {.asks = HF_OCSP_REQUIRE, .other = true, .code = HF_E_BAD_OCSP},
        {.asks = HF_OCSP_REQUIRE,
         .this_update = PKI_NOW - 9 * PKI_DAY,
         .next_update = PKI_NOW - PKI_DAY,
         .code = HF_E_BAD_OCSP},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        int bad = check_bad;
        staple(&rows[i]);
        if (check_bad != bad)
            printf("    row %zu\n", i);
    }
}

/* ---- certificate_authorities */

static bool look_at_authorities(hf_conn *conn, const hf_question *q, void *arg)
{
    size_t *len = arg;
    if (q->ask == HF_ASK_HELLO) {
        *len = conn->hs->values->authorities.len;
        return hf_answer_hello(conn, NULL);
    }
    *len = conn->hs->n.peer_authorities_len;
    return hf_answer_credential(conn, NULL);
}

static void test_authorities(void)
{
    for (int send = 0; send < 2; send++) {
        struct pair p;
        size_t at_client = 99, at_server = 99;
        pair_init(&p, PKI_P256);
        CHECK(hf_config_set_trust(p.server_config, p.trust));
        CHECK(hf_config_set_client_auth(p.server_config, HF_CLIENT_AUTH_REQUEST));
        CHECK(hf_config_send_authorities(p.server_config, send));
        CHECK(hf_config_send_authorities(p.client_config, send));
        hf_config_set_ask(p.client_config, HF_ASK_CREDENTIAL, look_at_authorities, &at_client);
        hf_config_set_ask(p.server_config, HF_ASK_HELLO, look_at_authorities, &at_server);
        CHECK(pair_shake(&p));
        size_t want = send ? trust_authorities(p.trust).len : 0;
        CHECK(!send || want > 10);
        CHECK_INT(at_client, want);
        CHECK_INT(at_server, want);
        pair_clear(&p);
    }
}

/* ---- the key log against the trace */

struct log {
    char lines[20][300];
    size_t count;
    struct {
        char name[50];
        char hex[2 * HASH_MAX_SIZE + 1];
    } secret[40];
    size_t secrets;
};

static void on_line(const hf_conn *conn, const char *line, void *arg)
{
    struct log *log = arg;
    CHECK(conn && !strchr(line, '\n') && strlen(line) < sizeof log->lines[0]);
    if (log->count < 20)
        snprintf(log->lines[log->count++], sizeof log->lines[0], "%s", line);
}

static void on_event(const hf_conn *conn, const hf_trace_event *e, void *arg)
{
    struct log *log = arg;
    (void)conn;
    if (e->kind != HF_TRACE_SECRET || log->secrets == 40 || e->size > HASH_MAX_SIZE)
        return;
    snprintf(log->secret[log->secrets].name, 50, "%s", e->name);
    for (size_t i = 0; i < e->size; i++)
        snprintf(log->secret[log->secrets].hex + 2 * i, 3, "%02x", e->bytes[i]);
    log->secrets++;
}

static const char *secret_named(const struct log *log, const char *name)
{
    for (size_t i = 0; i < log->secrets; i++) {
        if (strcmp(log->secret[i].name, name) == 0)
            return log->secret[i].hex;
    }
    return NULL;
}

static void compare(const struct log *keylog, const struct log *trace)
{
    static const struct {
        const char *label, *name;
    } rows[] = {{"CLIENT_HANDSHAKE_TRAFFIC_SECRET", "client_handshake_traffic_secret"},
                {"SERVER_HANDSHAKE_TRAFFIC_SECRET", "server_handshake_traffic_secret"},
                {"CLIENT_TRAFFIC_SECRET_0", "client_application_traffic_secret_0"},
                {"SERVER_TRAFFIC_SECRET_0", "server_application_traffic_secret_0"},
                {"EXPORTER_SECRET", "exporter_master_secret"}};
    CHECK_INT(keylog->count, 5);
    for (size_t i = 0; i < 5 && i < keylog->count; i++) {
        char label[50], random[80], secret[200];
        CHECK_INT(sscanf(keylog->lines[i], "%49s %79s %199s", label, random, secret), 3);
        CHECK_STR(label, rows[i].label);
        CHECK_INT(strlen(random), 64);
        CHECK_STR(secret, secret_named(trace, rows[i].name));
    }
}

static void test_key_log(void)
{
    ROW("Y07");
    static struct log client, server;
    for (int suite = 0; suite < 2; suite++) {
        struct pair p;
        memset(&client, 0, sizeof client);
        memset(&server, 0, sizeof server);
        pair_init(&p, PKI_P256);
        hf_config_set_suites(p.client_config,
                             suite ? "TLS_AES_256_GCM_SHA384" : "TLS_AES_128_GCM_SHA256");
        hf_config_insecure_set_keylog(p.client_config, on_line, &client);
        hf_config_insecure_set_keylog(p.server_config, on_line, &server);
        hf_config_set_trace(p.client_config, on_event, &client);
        hf_config_set_trace(p.server_config, on_event, &server);
        hf_config_insecure_set_trace_secrets(p.client_config, true);
        hf_config_insecure_set_trace_secrets(p.server_config, true);
        CHECK(pair_shake(&p));
        compare(&client, &client);
        compare(&server, &server);
        CHECK(client.secrets >= 8 && client.secrets == server.secrets);
        for (size_t i = 0; i < client.count; i++)
            CHECK_STR(client.lines[i], server.lines[i]);
        pair_clear(&p);
    }
    /* "secrets are handed out only if insecure_secrets was given" */
    struct pair p;
    memset(&client, 0, sizeof client);
    pair_init(&p, PKI_P256);
    hf_config_set_trace(p.client_config, on_event, &client);
    CHECK(pair_shake(&p));
    CHECK_INT(client.secrets, 0);
    pair_clear(&p);
}

static void test_key_log_file(void)
{
    ROW("Y07");
    static struct log client;
    struct pair p;
    struct stat st;
    char line[300];
    size_t n = 0;
    const char *path = pki_file("keys.log", "# before\n", 9);
    CHECK(remove(path) == 0);
    memset(&client, 0, sizeof client);
    pair_init(&p, PKI_P256);
    CHECK(hf_config_insecure_set_keylog_file(p.server_config, path));
    hf_config_insecure_set_keylog(p.client_config, on_line, &client);
    CHECK(pair_shake(&p));
    CHECK(stat(path, &st) == 0 && (st.st_mode & 0777) == 0600);
    FILE *f = fopen(path, "r");
    CHECK(f);
    while (f && fgets(line, sizeof line, f)) {
        line[strcspn(line, "\n")] = 0;
        CHECK(n < client.count);
        if (n < client.count)
            CHECK_STR(line, client.lines[n]);
        n++;
    }
    CHECK_INT(n, 5);
    if (f)
        fclose(f);
    pair_clear(&p);
}

int main(void)
{
    RUN(test_names);
    RUN(test_without_name);
    RUN(test_kinds_of_keys);
    RUN(test_derived_hosts);
    RUN(test_derive);
    RUN(test_ocsp);
    RUN(test_authorities);
    RUN(test_key_log);
    RUN(test_key_log_file);
    return check_done();
}
