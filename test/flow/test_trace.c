/* What the trace promises, in handshakes of many shapes and for both roles: the leaves of a message
 * cover each of its bytes exactly once, records come before what they carry, and what one side
 * reports as sent the other reports as received, field by field. */
#include "../unit/check.h"
#include "../unit/packer.h"
#include "old.h"

#include <stdio.h>
#include <stdlib.h>

struct leaf {
    size_t offset, size;
    char name[40];
    uint64_t number;
};

struct message {
    bool sent;
    uint8_t record_type;
    char name[40];
    uint8_t *bytes, *covered;
    size_t size;
    struct leaf *leaf;
    size_t leaves;
    size_t group_from, group_to; /* of the group that was opened last */
};

struct trace {
    struct message message[60];
    size_t messages;
    size_t records, plaintexts, steps, keys, errors;
    uint64_t time;
    bool in_record; /* one was seen: messages may come */
    const hf_conn *conn;
};

static void on_message(struct trace *t, const hf_trace_event *e)
{
    struct message *m = &t->message[t->messages++];
    CHECK(t->messages < sizeof t->message / sizeof *t->message);
    CHECK(t->in_record && e->size > 0 && e->bytes);
    m->sent = e->sent;
    m->record_type = e->record_type;
    m->size = e->size;
    snprintf(m->name, sizeof m->name, "%s", e->name);
    m->bytes = malloc(e->size);
    memcpy(m->bytes, e->bytes, e->size);
    m->covered = calloc(1, e->size);
    m->leaf = malloc((e->size + 1) * sizeof *m->leaf);
    m->group_to = e->size;
}

static void on_field(struct trace *t, const hf_trace_event *e)
{
    CHECK(t->messages > 0);
    struct message *m = &t->message[t->messages - 1];
    CHECK(e->sent == m->sent && e->record_type == m->record_type);
    CHECK(e->offset <= m->size && e->size <= m->size - e->offset);
    if (e->offset > m->size || e->size > m->size - e->offset)
        return;
    CHECK(memcmp(e->bytes, m->bytes + e->offset, e->size) == 0);
    if (e->kind == HF_TRACE_GROUP)
        return;
    CHECK(e->size > 0);
    for (size_t i = 0; i < e->size; i++)
        m->covered[e->offset + i]++;
    if (e->size && m->leaves < m->size) {
        struct leaf *l = &m->leaf[m->leaves++];
        *l = (struct leaf){.offset = e->offset, .size = e->size, .number = e->number};
        snprintf(l->name, sizeof l->name, "%s", e->name);
    }
}

static void on_event(const hf_conn *conn, const hf_trace_event *e, void *arg)
{
    struct trace *t = arg;
    CHECK(conn && (!t->conn || t->conn == conn));
    CHECK(e->name != NULL);
    CHECK(e->time >= t->time);
    t->conn = conn;
    t->time = e->time;
    /* getters may be called from here */
    (void)hf_conn_wants(conn);
    (void)hf_conn_server_name(conn);
    (void)hf_conn_peer_certificate(conn, 0);
    switch (e->kind) {
    case HF_TRACE_RECORD:
        CHECK(e->size >= REC_HEADER && e->size == REC_HEADER + (size_t)get_u16(e->bytes + 3));
        t->in_record = true;
        t->records++;
        break;
    case HF_TRACE_PLAINTEXT: t->plaintexts++; break;
    case HF_TRACE_MESSAGE:
    case HF_TRACE_DECOMPRESSED: on_message(t, e); break;
    case HF_TRACE_GROUP:
    case HF_TRACE_FIELD: on_field(t, e); break;
    case HF_TRACE_STEP:
        CHECK(e->rfc && *e->rfc && *e->name);
        t->steps++;
        break;
    case HF_TRACE_KEYS: t->keys++; break;
    case HF_TRACE_ERROR: t->errors++; break;
    case HF_TRACE_SECRET: CHECK(e->kind != HF_TRACE_SECRET); break; /* not asked for */
    case HF_TRACE_NOTE: CHECK(e->text != NULL); break;
    }
}

static void check_tiles(const struct trace *t, const char *role)
{
    for (size_t i = 0; i < t->messages; i++) {
        const struct message *m = &t->message[i];
        for (size_t at = 0; at < m->size; at++) {
            if (m->covered[at] == 1)
                continue;
            printf("    %s: %s %s, byte %zu of %zu is covered %u times\n", role,
                   m->sent ? "sent" : "received", m->name, at, m->size, m->covered[at]);
            CHECK(m->covered[at] == 1);
            break;
        }
    }
}

static int by_offset(const void *a, const void *b)
{
    const struct leaf *x = a, *y = b;
    return x->offset < y->offset ? -1 : x->offset > y->offset;
}

static void same_message(struct message *a, struct message *b)
{
    CHECK_STR(a->name, b->name);
    CHECK(a->size == b->size && memcmp(a->bytes, b->bytes, a->size) == 0);
    qsort(a->leaf, a->leaves, sizeof *a->leaf, by_offset);
    qsort(b->leaf, b->leaves, sizeof *b->leaf, by_offset);
    if (a->leaves != b->leaves)
        printf("    %s: %zu leaves here, %zu there\n", a->name, a->leaves, b->leaves);
    CHECK_INT(a->leaves, b->leaves);
    for (size_t i = 0; i < a->leaves && i < b->leaves; i++) {
        CHECK_STR(a->leaf[i].name, b->leaf[i].name);
        CHECK(a->leaf[i].offset == b->leaf[i].offset && a->leaf[i].size == b->leaf[i].size &&
              a->leaf[i].number == b->leaf[i].number);
    }
}

/* What from has sent is what to has received, in order. */
static void same_direction(struct trace *from, struct trace *to)
{
    size_t a = 0, b = 0;
    for (;;) {
        while (a < from->messages && !from->message[a].sent)
            a++;
        while (b < to->messages && to->message[b].sent)
            b++;
        if (a == from->messages || b == to->messages)
            break;
        same_message(&from->message[a++], &to->message[b++]);
    }
    CHECK(a == from->messages && b == to->messages);
}

static void trace_clear(struct trace *t)
{
    for (size_t i = 0; i < t->messages; i++) {
        free(t->message[i].bytes);
        free(t->message[i].covered);
        free(t->message[i].leaf);
    }
    memset(t, 0, sizeof *t);
}

/* ---- shapes of handshakes */

static struct trace client, server;

static void begin(struct pair *p, enum pki_kind kind)
{
    pair_init(p, kind);
    hf_config_set_trace(p->client_config, on_event, &client);
    hf_config_set_trace(p->server_config, on_event, &server);
}

static void finish_trace(struct pair *p)
{
    bool old = hf_conn_version(p->client.conn) < HF_TLS1_3;
    hf_conn_close(p->client.conn);
    hf_conn_close(p->server.conn);
    pair_run(p);
    CHECK_INT(end_code(&p->client), HF_OK);
    CHECK_INT(end_code(&p->server), HF_OK);
    check_tiles(&client, "client");
    check_tiles(&server, "server");
    same_direction(&client, &server);
    same_direction(&server, &client);
    CHECK(client.records > 4 && client.records == server.records);
    CHECK(client.plaintexts == server.plaintexts);
    CHECK(client.keys == server.keys && client.keys >= (old ? 2 : 4));
    CHECK(client.steps > (old ? 5 : 8) && server.steps > (old ? 5 : 8));
    CHECK(client.errors == 0 && server.errors == 0);
    trace_clear(&client);
    trace_clear(&server);
}

static void shake(struct pair *p)
{
    CHECK(pair_shake(p));
    CHECK_INT(pair_send(p, &p->client, "ping", 4), HF_DONE);
    CHECK_INT(pair_send(p, &p->server, "pong", 4), HF_DONE);
    if (hf_conn_version(p->client.conn) == HF_TLS1_3)
        CHECK_INT(hf_conn_key_update(p->client.conn, true), HF_DONE);
    pair_run(p);
    CHECK_INT(pair_send(p, &p->client, "ping", 4), HF_DONE);
    finish_trace(p);
}

static void test_plain(void)
{
    static const enum pki_kind kinds[] = {PKI_P256, PKI_RSA, PKI_ED25519};
    for (size_t i = 0; i < 3; i++) {
        struct pair p;
        begin(&p, kinds[i]);
        shake(&p);
        pair_clear(&p);
    }
}

static void test_everything(void)
{
    ROW("C53");
    struct pair p;
    size_t len;
    begin(&p, PKI_P256);
    struct pki_ocsp_spec spec = {.cert = p.pki->leaf, .issuer = p.pki->mid};
    uint8_t *der = pki_ocsp(&spec, &len);
    CHECK(hf_credential_set_ocsp(p.cred, der, len, NULL));
    free(der);
    hf_config_set_key_shares(p.client_config, "");
    hf_config_set_cookie(p.server_config, true);
    hf_config_set_alpn(p.client_config, "h2,http/1.1", true);
    hf_config_set_alpn(p.server_config, "http/1.1", true);
    hf_config_set_trust(p.server_config, p.trust);
    hf_config_set_client_auth(p.server_config, HF_CLIENT_AUTH_REQUIRE);
    hf_config_add_credential(p.client_config, p.cred);
    hf_config_send_authorities(p.server_config, true);
    hf_config_send_authorities(p.client_config, true);
    hf_config_set_record_size_limit(p.server_config, 512);
    hf_config_set_record_size_limit(p.client_config, 300);
    hf_config_set_record_padding(p.server_config, 100);
    hf_config_set_post_handshake_auth(p.client_config, true);
    shake(&p);
    pair_clear(&p);
}

/* Each compressed certificate is followed by the message that it stands for, opened like any other. */
static void test_compressed_certificates(void)
{
    struct pair p;
    begin(&p, PKI_P256);
    hf_config_set_trust(p.server_config, p.trust);
    hf_config_set_client_auth(p.server_config, HF_CLIENT_AUTH_REQUIRE);
    hf_config_add_credential(p.client_config, p.cred);
    CHECK(packer_add(p.client_config) && packer_add(p.server_config));
    CHECK(pair_shake(&p));
    size_t pairs = 0;
    for (size_t i = 0; i + 1 < client.messages; i++) {
        const struct message *m = &client.message[i], *inside = m + 1;
        if (strcmp(m->name, "CompressedCertificate") != 0)
            continue;
        CHECK_STR(inside->name, "Certificate");
        CHECK(inside->sent == m->sent && inside->leaves > 5);
        CHECK_INT(inside->size, m->size - 4 - 8 + 1); /* what packer.h leaves out */
        pairs++;
    }
    CHECK_INT(pairs, 2);
    finish_trace(&p);
    pair_clear(&p);
}

static void test_empty_client_certificate(void)
{
    struct pair p;
    begin(&p, PKI_P256);
    hf_config_set_trust(p.server_config, p.trust);
    hf_config_set_client_auth(p.server_config, HF_CLIENT_AUTH_REQUEST);
    hf_config_set_middlebox_compat(p.client_config, false);
    shake(&p);
    pair_clear(&p);
}

static void resume(unsigned modes, bool retry)
{
    struct pair p;
    begin(&p, PKI_P256);
    hf_config_set_psk_modes(p.client_config, modes);
    hf_config_set_psk_modes(p.server_config, modes);
    if (retry)
        hf_config_set_key_shares(p.client_config, "");
    shake(&p);
    CHECK(p.sessions > 0);
    pair_reset(&p);
    pair_connect(&p);
    CHECK(hf_conn_set_session(p.client.conn, p.session[0]));
    pair_run(&p);
    CHECK(hf_conn_resumed(p.client.conn));
    CHECK_INT(pair_send(&p, &p.client, "ping", 4), HF_DONE);
    finish_trace(&p);
    pair_clear(&p);
}

static void test_resumption(void)
{
    resume(HF_PSK_DHE_KE, false);
    resume(HF_PSK_DHE_KE, true);
    resume(HF_PSK_KE, false);
    resume(HF_PSK_KE | HF_PSK_DHE_KE, false);
}

/* Extensions that we do not know, in messages that may have them; an empty one, too. */
static bool strange_extensions(void *arg, uint8_t message, struct buffer *out)
{
    static const uint8_t request[] = {0x7a, 0x7a, 0, 0, 0,  13, 0, 4,    0,    2, 4, 3, 0,
                                      5,    0,    0, 0, 18, 0,  0, 0xfa, 0xfa, 0, 2, 1, 2};
    static const uint8_t ticket[] = {0x7a, 0x7a, 0, 1, 9, 0, 42, 0, 4, 0, 0, 1, 0};
    (void)arg;
    if (message == MSG_CERTIFICATE_REQUEST)
        return buffer_append(out, request, sizeof request);
    return message == MSG_NEW_SESSION_TICKET && buffer_append(out, ticket, sizeof ticket);
}

static void test_strange_extensions(void)
{
    static const struct test_hooks hooks = {.extensions = strange_extensions};
    struct pair p;
    begin(&p, PKI_P256);
    hf_config_set_trust(p.server_config, p.trust);
    hf_config_set_client_auth(p.server_config, HF_CLIENT_AUTH_REQUEST);
    hf_config_add_credential(p.client_config, p.cred);
    p.server_config->test = &hooks;
    shake(&p);
    pair_clear(&p);
}

/* What comes in small pieces is reported as what comes at once. */
static void test_in_pieces(void)
{
    struct pair p;
    begin(&p, PKI_RSA);
    pair_connect(&p);
    p.client.chunk = p.server.chunk = 3;
    pair_run(&p);
    CHECK_INT(pair_send(&p, &p.client, "ping", 4), HF_DONE);
    finish_trace(&p);
    pair_clear(&p);
}

/* A refusal is reported once on either side, and the alert that tells it. */
static void test_failure(void)
{
    struct pair p;
    begin(&p, PKI_P256);
    hf_config_set_suites(p.client_config, "TLS_AES_128_GCM_SHA256");
    hf_config_set_suites(p.server_config, "TLS_AES_256_GCM_SHA384");
    CHECK(!pair_shake(&p));
    check_tiles(&client, "client");
    check_tiles(&server, "server");
    same_direction(&client, &server);
    same_direction(&server, &client);
    CHECK(client.errors == 1 && server.errors == 1);
    CHECK(server.messages == 2 && strcmp(server.message[1].name, "Alert") == 0);
    trace_clear(&client);
    trace_clear(&server);
    pair_clear(&p);
}

/* What is refused is reported first, when all of it is there. */
static void test_refused_message(void)
{
    for (int late = 0; late < 2; late++) {
        struct pair p;
        static const uint8_t finished[] = {MSG_FINISHED, 0, 0, 3, 1, 2, 3};
        uint8_t record[60], *data;
        size_t used, len;
        begin(&p, PKI_P256);
        pair_connect(&p);
        if (late)
            pair_run(&p);
        size_t before = server.messages;
        size_t n = rec_seal(&p.client.conn->out, REC_HANDSHAKE, HF_TLS1_2, finished,
                            sizeof finished, record);
        CHECK_INT(hf_conn_receive(p.server.conn, record, n, &used, &data, &len), HF_FAILED);
        CHECK_INT(end_code(&p.server), HF_E_UNEXPECTED_MESSAGE);
        CHECK_INT(server.messages, before + 1);
        CHECK_STR(server.message[before].name, "Finished");
        CHECK_INT(server.message[before].size, sizeof finished);
        trace_clear(&client);
        trace_clear(&server);
        pair_clear(&p);
    }
}

/* ---- TLS 1.2 and older */

static void begin_old(struct pair *p, uint16_t version, const char *suite)
{
    old_start(p, version, suite);
    hf_config_set_trace(p->client_config, on_event, &client);
    hf_config_set_trace(p->server_config, on_event, &server);
    hf_config_set_psk_hint(p->server_config, "who are you?");
}

static void test_old_suites(void)
{
    static const char *const suites[] = {
        "TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA", "TLS_DHE_RSA_WITH_AES_128_CBC_SHA",
        "TLS_RSA_WITH_AES_128_CBC_SHA",         "TLS_PSK_WITH_AES_128_CBC_SHA",
        "TLS_ECDHE_PSK_WITH_AES_128_CBC_SHA",   "TLS_DHE_PSK_WITH_AES_128_CBC_SHA",
        "TLS_ECDH_anon_WITH_AES_128_CBC_SHA",   "TLS_DH_anon_WITH_AES_128_CBC_SHA",
        "TLS_ECDHE_RSA_WITH_NULL_SHA",
    };
    for (size_t i = 0; i < sizeof suites / sizeof *suites; i++) {
        for (uint16_t v = HF_TLS1_0; v <= HF_TLS1_2; v++) {
            struct pair p;
            begin_old(&p, v, suites[i]);
            shake(&p);
            pair_clear(&p);
        }
    }
}

static void everything_old(uint16_t version, const char *suite)
{
    struct pair p;
    size_t len;
    hf_error err;
    static const uint8_t scts[] = {0, 7, 0, 5, 1, 2, 3, 4, 5};
    begin_old(&p, version, suite);
    struct pki_ocsp_spec spec = {.cert = p.pki->leaf, .issuer = p.pki->mid};
    uint8_t *der = pki_ocsp(&spec, &len);
    CHECK(hf_credential_set_ocsp(p.cred, der, len, NULL));
    CHECK(hf_credential_set_scts(p.cred, scts, sizeof scts, NULL));
    free(der);
    hf_config_set_sct(p.client_config, true);
    hf_config_set_alpn(p.client_config, "h2,http/1.1", true);
    hf_config_set_alpn(p.server_config, "http/1.1", true);
    hf_config_set_trust(p.server_config, p.trust);
    hf_config_set_client_auth(p.server_config, HF_CLIENT_AUTH_REQUIRE);
    hf_config_add_credential(p.client_config, p.cred);
    hf_config_send_authorities(p.server_config, true);
    hf_config_set_record_size_limit(p.server_config, 512);
    hf_config_set_record_size_limit(p.client_config, 300);
    hf_config_set_max_fragment(p.client_config, 1024);
    hf_config_set_renegotiation(p.client_config, 3);
    hf_config_set_renegotiation(p.server_config, 3);
    CHECK(pair_shake(&p));
    CHECK(hf_conn_renegotiate(p.server.conn, &err) == HF_DONE);
    pair_run(&p);
    CHECK(hf_conn_renegotiate(p.client.conn, &err) == HF_DONE);
    pair_run(&p);
    CHECK(end_shaken(&p.client) && old_echo(&p));
    finish_trace(&p);
    pair_reset(&p);
    pair_connect(&p);
    CHECK(hf_conn_set_session(p.client.conn, p.session[0]));
    pair_run(&p);
    CHECK(hf_conn_resumed(p.client.conn) && old_echo(&p));
    finish_trace(&p);
    pair_clear(&p);
}

static void test_everything_old(void)
{
    everything_old(HF_TLS1_2, "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256");
    everything_old(HF_TLS1_2, "TLS_DHE_RSA_WITH_AES_128_CBC_SHA256");
    everything_old(HF_TLS1_0, "TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA");
}

/* Kinds that nobody wants are not made, and the rest is what it was. */
static unsigned kinds_seen, of_kind[HF_TRACE_ERROR + 1];

static void on_any(const hf_conn *conn, const hf_trace_event *e, void *arg)
{
    (void)conn, (void)arg;
    kinds_seen |= 1u << e->kind;
    of_kind[e->kind]++;
}

static unsigned messages_with(struct pair *p, unsigned quiet)
{
    kinds_seen = 0;
    memset(of_kind, 0, sizeof of_kind);
    CHECK(hf_config_set_trace(p->client_config, on_any, NULL));
    p->client_config->trace_quiet = quiet;
    CHECK(pair_shake(p));
    return of_kind[HF_TRACE_MESSAGE];
}

static void test_quiet(void)
{
    struct pair p;
    pair_init(&p, PKI_P256);
    unsigned all = messages_with(&p, 0);
    CHECK(all > 5 && of_kind[HF_TRACE_FIELD] && of_kind[HF_TRACE_RECORD] &&
          of_kind[HF_TRACE_NOTE]);
    pair_clear(&p);
    pair_init(&p, PKI_P256);
    CHECK_INT(messages_with(&p, ~(1u << HF_TRACE_MESSAGE)), all);
    CHECK_INT(kinds_seen, 1u << HF_TRACE_MESSAGE);
    pair_clear(&p);
}

int main(void)
{
    RUN(test_old_suites);
    RUN(test_everything_old);
    RUN(test_plain);
    RUN(test_everything);
    RUN(test_compressed_certificates);
    RUN(test_empty_client_certificate);
    RUN(test_resumption);
    RUN(test_strange_extensions);
    RUN(test_in_pieces);
    RUN(test_failure);
    RUN(test_refused_message);
    RUN(test_quiet);
    return check_done();
}
