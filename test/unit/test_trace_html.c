/* The page of a handshake: its leaves tile each message, and nothing a peer says is markup. */
#include <stdlib.h>

#include "check.h"
#include "cli/explain.h"
#include "cli/trace_facts.h"
#include "cli/trace_tree.h"
#include "handfast.h"
#include "packer.h"
#include "pki.h"

/* ---------------------------------------------------------------- trees */

static hf_trace_event part(hf_trace_kind kind, const char *name, size_t offset, size_t size)
{
    return (hf_trace_event){.kind = kind, .name = name, .offset = offset, .size = size};
}

static size_t tile(const struct trace_node *n, size_t at, bool *good)
{
    if (n->leaf) {
        *good = *good && n->offset == at && n->size > 0;
        return at + n->size;
    }
    *good = *good && n->offset == at;
    for (const struct trace_node *k = n->first; k; k = k->next)
        at = tile(k, at, good);
    *good = *good && at == n->offset + n->size;
    return at;
}

static bool tiles(const struct trace_tree *tree, size_t size)
{
    bool good = true;
    return tile(&tree->nodes[0], 0, &good) == size && good;
}

/* Adds up what the tree calls gaps. */
static size_t gaps(const struct trace_node *n)
{
    size_t sum = n->gap ? n->size : 0;
    for (const struct trace_node *k = n->first; k; k = k->next)
        sum += gaps(k);
    return sum;
}

static bool build(struct trace_tree *tree, const hf_trace_event *events, size_t count,
                  size_t size, unsigned type)
{
    const hf_trace_event *p[32];
    for (size_t i = 0; i < count; i++)
        p[i] = &events[i];
    return trace_tree_build(tree, p, count, size, type);
}

static void test_tree_nests_by_range(void)
{
    /* As an engine reports it: the extension is opened when its turn comes, after the others. */
    const hf_trace_event events[] = {
        part(HF_TRACE_FIELD, "msg_type", 0, 1),
        part(HF_TRACE_FIELD, "length", 1, 3),
        part(HF_TRACE_GROUP, "extensions", 4, 12),
        part(HF_TRACE_FIELD, "extensions length", 4, 2),
        part(HF_TRACE_FIELD, "extension_type", 6, 2),
        part(HF_TRACE_GROUP, "cookie", 8, 8),
        part(HF_TRACE_FIELD, "cookie length", 8, 2),
        part(HF_TRACE_FIELD, "inner", 12, 4),
        part(HF_TRACE_FIELD, "inner length", 10, 2),
    };
    struct trace_tree tree;
    CHECK(build(&tree, events, 9, 16, 22));
    CHECK(tiles(&tree, 16));
    CHECK_INT(gaps(&tree.nodes[0]), 0);
    const struct trace_node *extensions = tree.nodes[0].first->next->next;
    CHECK_STR(extensions->name, "extensions");
    CHECK_STR(extensions->first->next->next->name, "cookie");
    CHECK_STR(extensions->first->next->next->first->next->name, "inner length");
    trace_tree_clear(&tree);
}

static void test_tree_marks_gaps(void)
{
    const hf_trace_event events[] = {
        part(HF_TRACE_GROUP, "group", 6, 8),
        part(HF_TRACE_FIELD, "middle", 9, 2),
    };
    struct trace_tree tree;
    CHECK(build(&tree, events, 2, 20, 22));
    CHECK(tiles(&tree, 20));
    CHECK_INT(gaps(&tree.nodes[0]),
              20 - 4 - 2); /* the header is known, "middle" was reported */
    trace_tree_clear(&tree);
}

static void test_tree_of_nothing(void)
{
    struct trace_tree tree;
    CHECK(build(&tree, NULL, 0, 1, 20));
    CHECK(tiles(&tree, 1));
    CHECK_INT(gaps(&tree.nodes[0]), 0);
    trace_tree_clear(&tree);
    CHECK(build(&tree, NULL, 0, 2, 21));
    CHECK(tiles(&tree, 2));
    CHECK_STR(tree.nodes[0].first->next->name, "description");
    trace_tree_clear(&tree);
    CHECK(build(&tree, NULL, 0, 3, 99));
    CHECK(tiles(&tree, 3));
    CHECK_INT(gaps(&tree.nodes[0]), 3);
    trace_tree_clear(&tree);
    CHECK(build(&tree, NULL, 0, 0, 22));
    trace_tree_clear(&tree);
}

/* Whatever the events are, the leaves tile: no engine's mistake may hide bytes or show them twice. */
static void test_tree_of_nonsense(void)
{
    unsigned long seed = 1;
    for (int round = 0; round < 3000; round++) {
        hf_trace_event events[24];
        size_t count = 1 + (size_t)round % 24, size = 1 + (size_t)round % 61;
        for (size_t i = 0; i < count; i++) {
            seed = seed * 6364136223846793005UL + 1442695040888963407UL;
            size_t offset = (seed >> 33) % (size + 3), len = (seed >> 45) % (size + 3);
            events[i] = part(seed >> 62 ? HF_TRACE_FIELD : HF_TRACE_GROUP, "x", offset, len);
            events[i].depth = (uint8_t)(seed >> 20);
        }
        struct trace_tree tree;
        CHECK(build(&tree, events, count, size, 20 + (unsigned)round % 4));
        CHECK(tiles(&tree, size));
        trace_tree_clear(&tree);
    }
}

/* ---------------------------------------------------------------- a real handshake */

struct ends {
    struct recording client, server;
    hf_conn *c, *s;
};

static void record(const hf_conn *conn, const hf_trace_event *event, void *arg)
{
    struct ends *e = arg;
    recording_add(hf_conn_is_server(conn) ? &e->server : &e->client, event);
}

/* All that one end has to say, to the other. */
static bool carry(hf_conn *from, hf_conn *to)
{
    static uint8_t wire[1 << 18];
    size_t len, at = 0, used = 0, data_len;
    uint8_t *data;
    (void)hf_conn_handshake(from);
    const uint8_t *p = hf_conn_output(from, &len);
    if (!p || len > sizeof wire)
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

static bool shake(struct ends *e, hf_config *client, hf_config *server, const char *name)
{
    hf_error err = {0};
    CHECK(hf_config_set_trace(client, record, e));
    CHECK(hf_config_set_trace(server, record, e));
    CHECK(hf_config_insecure_set_trace_secrets(client, true));
    CHECK(hf_config_insecure_set_trace_secrets(server, true));
    e->c = hf_conn_new_client(client, name, &err);
    e->s = hf_conn_new_server(server, &err);
    CHECK(e->c && e->s);
    for (int i = 0; e->c && e->s && i < 6; i++) {
        bool moved = carry(e->c, e->s);
        moved |= carry(e->s, e->c);
        if (!moved)
            break;
    }
    return e->c && e->s;
}

static void part_ways(struct ends *e)
{
    hf_conn_free(e->c);
    hf_conn_free(e->s);
    recording_clear(&e->client);
    recording_clear(&e->server);
}

static hf_config *make_server(struct pki *pki)
{
    hf_error err = {0};
    hf_config *config = hf_config_new(HF_SERVER);
    hf_credential *cred = hf_credential_load_memory(pki->bundle_pem, strlen(pki->bundle_pem),
                                                    NULL, 0, NULL, NULL, &err);
    CHECK(cred && hf_config_add_credential(config, cred));
    hf_credential_free(cred);
    return config;
}

static hf_config *make_client(struct pki *pki)
{
    hf_error err = {0};
    hf_config *config = hf_config_new(HF_CLIENT);
    hf_trust *trust = hf_trust_new();
    CHECK(hf_trust_add_memory(trust, pki->root->pem, strlen(pki->root->pem), &err));
    CHECK(hf_config_set_trust(config, trust));
    hf_trust_free(trust);
    return config;
}

/* ---------------------------------------------------------------- reading the page */

/* Reads the bytes that one <code> element shows: "<i>16 03 <b>..</b></i>" and so on. */
static size_t shown_bytes(const char *p, const char *end, uint8_t *out, size_t size)
{
    size_t n = 0;
    while ((p = strstr(p, "<i>")) != NULL && p < end)
        for (p += 3; *p != '<'; p++) {
            unsigned v;
            if (*p != ' ' && n < size && sscanf(p, "%2x", &v) == 1) {
                out[n++] = (uint8_t)v;
                p++;
            }
        }
    return n;
}

/* One message of the page against its event: the spans tile it, and show its bytes. */
static bool message_is_whole(const char *from, const char *to, const hf_trace_event *e)
{
    static uint8_t seen[1 << 16], bytes[1 << 16];
    size_t total = 0;
    memset(seen, 0, sizeof seen);
    const char *p = from;
    while ((p = strstr(p, "<code data-offset=")) != NULL && p < to) {
        size_t offset, size;
        if (sscanf(p, "<code data-offset=%zu data-size=%zu", &offset, &size) != 2)
            return false;
        const char *end = strstr(p, "</code>");
        if (offset + size > e->size || shown_bytes(p, end, bytes, sizeof bytes) != size ||
            memcmp(bytes, e->bytes + offset, size) != 0)
            return false;
        for (size_t i = 0; i < size; i++)
            if (seen[offset + i]++)
                return false;
        total += size;
        p = end;
    }
    return total == e->size;
}

static const char message_start[] = "<details class=message data-message=\"";

static bool is_shown(const hf_trace_event *e)
{
    return e->kind == HF_TRACE_MESSAGE || e->kind == HF_TRACE_DECOMPRESSED;
}

/* How many messages of the page are whole; -1 if one is not. */
static int check_messages(const char *page, const struct recording *r)
{
    int count = 0;
    const char *p = strstr(page, message_start);
    /* The page may show a change_cipher_spec later than it was sent: events are found by their turn
     * among those with the same name and side. */
    bool used[4096] = {false};
    for (; p; count++) {
        const char *next = strstr(p + 1, message_start);
        const char *end = next ? next : p + strlen(p);
        bool found = false;
        for (size_t i = 0; i < r->count && i < 4096 && !found; i++) {
            if (!is_shown(&r->events[i]) || used[i])
                continue;
            found = message_is_whole(p, end, &r->events[i]);
            used[i] = found;
        }
        if (!found) {
            printf("    not whole: %.60s\n", p);
            return -1;
        }
        p = next;
    }
    for (size_t i = 0; i < r->count; i++)
        count -= is_shown(&r->events[i]);
    return count == 0 ? (int)r->count : -1;
}

static void check_page(struct ends *e, bool server)
{
    struct facts_of f;
    struct text page = {0};
    const struct recording *r = server ? &e->server : &e->client;
    facts_take(&f, server ? e->s : e->c, r, "tls://server.example:443", server, PKI_NOW);
    CHECK(trace_html(&page, r, &f.facts));
    CHECK(page.p && check_messages(page.p, r) > 20);
    CHECK(page.p && !strstr(page.p, "data-gap"));
    CHECK(page.p && strstr(page.p, "data-message=\"CertificateVerify\""));
    CHECK(page.p && strstr(page.p, "DNS:server.example") != NULL);
    /* A message stands behind its record, wherever both were moved to. */
    for (const char *p = page.p; p && (p = strstr(p, "data-record=change_cipher_spec")) != NULL;
         p++) {
        const char *next = strstr(p, "data-message=");
        CHECK(next && strncmp(next, "data-message=\"ChangeCipherSpec\"", 31) == 0);
    }
    /* Nothing may be fetched: links are the only addresses. */
    for (const char *p = page.p; p && (p = strstr(p, "https://")) != NULL; p++)
        CHECK(strncmp(p - 6, "href=\"", 6) == 0);
    CHECK(page.p && !strstr(page.p, "http://"));
    CHECK(page.p && !strstr(page.p, "<img") && !strstr(page.p, "<link") &&
          !strstr(page.p, "src="));
    text_clear(&page);
    CHECK(trace_json(&page, r, &f.facts));
    CHECK(page.p && strstr(page.p, "\"name\":\"EncryptedExtensions\""));
    text_clear(&page);
    facts_clear(&f);
}

static void test_full_handshake(void)
{
    struct ends e = {0};
    struct pki *pki = pki_new(PKI_P256, "DNS:server.example");
    hf_config *client = make_client(pki), *server = make_server(pki);
    CHECK(hf_config_set_alpn(client, "h2,http/1.1", false));
    CHECK(hf_config_set_alpn(server, "http/1.1", false));
    if (shake(&e, client, server, "server.example")) {
        CHECK_INT(hf_conn_version(e.c), HF_TLS1_3);
        check_page(&e, false);
        check_page(&e, true);
    }
    part_ways(&e);
    hf_config_free(client);
    hf_config_free(server);
    pki_clear(pki);
}

/* The page opens the compressed message, and what is in it; facts are found in what is in it. */
static void test_compressed_certificate(void)
{
    struct ends e = {0};
    struct pki *pki = pki_new(PKI_RSA, "DNS:server.example");
    hf_config *client = make_client(pki), *server = make_server(pki);
    CHECK(packer_add(client) && packer_add(server));
    if (shake(&e, client, server, "server.example")) {
        check_page(&e, false);
        check_page(&e, true);
        struct facts_of f;
        struct text page = {0};
        facts_take(&f, e.s, &e.server, "tls://server.example:443", true, PKI_NOW);
        CHECK_INT(f.facts.signature, hf_conn_signature(e.c));
        CHECK(trace_html(&page, &e.server, &f.facts));
        const char *p =
            page.p ? strstr(page.p, "data-message=\"CompressedCertificate\"") : NULL;
        CHECK(p && strstr(p, "uncompressed_length"));
        p = p ? strstr(p, "data-message=\"Certificate\"") : NULL;
        CHECK(p && strstr(p, "decompressed by ") && strstr(p, "DNS:server.example"));
        text_clear(&page);
        CHECK(trace_json(&page, &e.server, &f.facts));
        CHECK(page.p && strstr(page.p, "{\"kind\":\"decompressed\""));
        text_clear(&page);
        facts_clear(&f);
    }
    part_ways(&e);
    hf_config_free(client);
    hf_config_free(server);
    pki_clear(pki);
}

static void test_retried_handshake(void)
{
    struct ends e = {0};
    struct pki *pki = pki_new(PKI_RSA, "DNS:server.example");
    hf_config *client = make_client(pki), *server = make_server(pki);
    CHECK(hf_config_set_groups(client, "x25519:P-256"));
    CHECK(hf_config_set_groups(server, "P-256"));
    CHECK(hf_config_set_client_auth(server, HF_CLIENT_AUTH_REQUEST));
    hf_trust *trust = hf_trust_new();
    CHECK(hf_trust_add_memory(trust, pki->root->pem, strlen(pki->root->pem), NULL));
    CHECK(hf_config_set_trust(server, trust));
    hf_trust_free(trust);
    if (shake(&e, client, server, "server.example")) {
        CHECK(hf_conn_retried(e.c));
        check_page(&e, false);
        check_page(&e, true);
    }
    part_ways(&e);
    hf_config_free(client);
    hf_config_free(server);
    pki_clear(pki);
}

/* ---------------------------------------------------------------- hostile text */

static const char hostile[] = "<script>alert(1)</script>\"'&\x1b[2J\xe2\x80\xae\xff";

/* No character of what a peer says may come out as markup, wherever it stands. */
static void check_harmless(const char *page)
{
    CHECK(strstr(page, "<script>alert") == NULL);
    CHECK(strstr(page, "alert(1)</script>") == NULL);
    CHECK(strstr(page, "\x1b") == NULL);
    CHECK(strstr(page, "\xe2\x80\xae") == NULL);
    CHECK(strstr(page, "\xff") == NULL);
    CHECK(strstr(page, "&lt;script&gt;alert(1)&lt;/script&gt;&quot;&#39;&amp;") != NULL);
}

static void test_hostile_text(void)
{
    struct recording r = {0};
    struct text page = {0};
    uint8_t message[4 + sizeof hostile - 1] = {11, 0, 0, sizeof hostile - 1};
    memcpy(message + 4, hostile, sizeof hostile - 1);
    hf_trace_event e = {.kind = HF_TRACE_MESSAGE,
                        .record_type = 22,
                        .name = hostile,
                        .text = hostile,
                        .rfc = hostile,
                        .bytes = message,
                        .size = sizeof message};
    recording_add(&r, &e);
    const hf_trace_kind kinds[] = {HF_TRACE_GROUP, HF_TRACE_FIELD,  HF_TRACE_NOTE,
                                   HF_TRACE_STEP,  HF_TRACE_SECRET, HF_TRACE_KEYS,
                                   HF_TRACE_ERROR};
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        e.kind = kinds[i];
        e.offset = 4;
        e.bytes = message + 4;
        e.size = sizeof hostile - 1;
        recording_add(&r, &e);
    }
    /* host_name and cert_data have words made of their bytes. */
    const char *names[] = {"extension_type", "host_name", "cert_data", "protocol_name"};
    for (size_t i = 0; i < 4; i++) {
        e = part(HF_TRACE_FIELD, names[i], 4 + i * 6, 6);
        e.bytes = message + e.offset;
        recording_add(&r, &e);
    }
    e = (hf_trace_event){.kind = HF_TRACE_RECORD,
                         .record_type = 23,
                         .name = hostile,
                         .bytes = message,
                         .size = sizeof message};
    recording_add(&r, &e);
    e.kind = HF_TRACE_PLAINTEXT;
    e.number = 23;
    e.bytes = (const uint8_t *)"<script>alert(1)</script>";
    e.size = 25;
    recording_add(&r, &e);
    struct trace_facts facts = {.title = hostile,
                                .alpn = hostile,
                                .server_name = hostile,
                                .error = hostile,
                                .version = HF_TLS1_3};
    CHECK(trace_html(&page, &r, &facts));
    check_harmless(page.p);
    text_clear(&page);
    CHECK(trace_json(&page, &r, &facts));
    CHECK(strchr(page.p, '<') == NULL);
    CHECK(strstr(page.p, "\x1b") == NULL);
    text_clear(&page);
    recording_clear(&r);
}

static void test_escapes(void)
{
    struct text t = {0};
    text_html(&t, "a\xc3\xa4\xf0\x9f\x98\x80<\xc0\xaf\xed\xa0\x80");
    CHECK_STR(
        t.p,
        "a\xc3\xa4\xf0\x9f\x98\x80&lt;\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd");
    text_clear(&t);
    text_json(&t, "\"\\\n\x01\xe2\x80\xae</");
    CHECK_STR(t.p, "\"\\\"\\\\\\n\\u0001\\u202e\\u003c/\"");
    text_clear(&t);
    text_json(&t, NULL);
    CHECK_STR(t.p, "null");
    text_clear(&t);
    text_plain(&t, "a\x1b[31m<b>\r\n\xc2\x9b");
    CHECK_STR(t.p, "a\\u{1b}[31m<b>\\u{d}\\u{a}\\u{9b}");
    text_clear(&t);
    text_hex(&t, (const uint8_t *)"\x00\xff\x10", 3);
    CHECK_STR(t.p, "00ff10");
    text_clear(&t);
    text_date(&t, 0);
    CHECK_STR(t.p, "1970-01-01 00:00:00 UTC");
    text_clear(&t);
}

static void test_explanations(void)
{
    const struct explanation *x = explain_find('m', "client_hello");
    CHECK(x && strcmp(x->name, "ClientHello") == 0);
    x = explain_find('s', "client_application_traffic_secret_0");
    CHECK(x && strcmp(x->name, "client_application_traffic_secret") == 0);
    x = explain_find('s', "server_application_traffic_secret_N");
    CHECK(x != NULL);
    CHECK(!explain_find('m', "Client"));
    CHECK(!explain_find('e', ""));
    CHECK(explain_name_is("key_share", "KeyShare"));
    CHECK(!explain_name_is("key_share", "key_shares"));
}

static void test_recording_has_a_limit(void)
{
    struct recording r = {.limit = 10000};
    uint8_t bytes[1000] = {0};
    hf_trace_event e = {
        .kind = HF_TRACE_RECORD, .name = "x", .bytes = bytes, .size = sizeof bytes};
    for (int i = 0; i < 100; i++)
        recording_add(&r, &e);
    CHECK(r.count > 5 && r.count < 10);
    CHECK_INT(r.count + r.dropped, 100);
    CHECK(r.bytes <= 10000);
    recording_clear(&r);
    CHECK_INT(r.count, 0);
}

int main(void)
{
    RUN(test_tree_nests_by_range);
    RUN(test_tree_marks_gaps);
    RUN(test_tree_of_nothing);
    RUN(test_tree_of_nonsense);
    RUN(test_full_handshake);
    RUN(test_retried_handshake);
    RUN(test_compressed_certificate);
    RUN(test_hostile_text);
    RUN(test_escapes);
    RUN(test_explanations);
    RUN(test_recording_has_a_limit);
    return check_done();
}
