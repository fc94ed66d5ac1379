/* test_session.c: sessions, their serialised form, and how long they are good for. */
#include <stdlib.h>

#include "check.h"
#include "config/session.h"
#include "pki.h"

#define NOW_MS ((int64_t)PKI_NOW * 1000)

static struct pki *pki;

static hf_session *sample(bool with_chain)
{
    hf_session *s = session_new();
    s->version = HF_TLS1_3;
    s->suite = 0x1302;
    s->group = 0x11ec;
    s->signature = 0x0403;
    s->secret_len = 48;
    for (size_t i = 0; i < sizeof s->secret; i++)
        s->secret[i] = (uint8_t)(i * 5 + 1);
    s->verified = true;
    s->lifetime = 7200;
    s->age_add = 0xdeadbeef;
    s->issued_ms = NOW_MS;
    s->started = PKI_NOW - 60;
    s->ticket = mem_dup("a ticket of the server's", 24);
    s->ticket_len = 24;
    s->server_name = mem_strdup("server.example");
    s->alpn = mem_dup("h2", 2);
    s->alpn_len = 2;
    if (with_chain) {
        hf_certificate *certs[2] = {
            cert_from_der(slice_of(pki->leaf->der, pki->leaf->der_len), NULL),
            cert_from_der(slice_of(pki->mid->der, pki->mid->der_len), NULL)};
        s->chain = chain_new(certs, 2);
        hf_certificate_free(certs[0]);
        hf_certificate_free(certs[1]);
    }
    return s;
}

static uint8_t *exported(const hf_session *s, size_t *len)
{
    *len = hf_session_export(s, NULL, 0);
    uint8_t *p = malloc(*len);
    CHECK_INT(hf_session_export(s, p, *len), *len);
    return p;
}

static void check_same(const hf_session *a, const hf_session *b)
{
    CHECK_INT(a->version, b->version);
    CHECK_INT(a->suite, b->suite);
    CHECK_INT(a->group, b->group);
    CHECK_INT(a->signature, b->signature);
    CHECK_INT(a->secret_len, b->secret_len);
    CHECK_MEM(a->secret, b->secret, b->secret_len);
    CHECK_INT(a->verified, b->verified);
    CHECK_INT(a->lifetime, b->lifetime);
    CHECK_INT(a->age_add, b->age_add);
    CHECK_INT(a->issued_ms, b->issued_ms);
    CHECK_INT(a->started, b->started);
    CHECK_INT(a->ticket_len, b->ticket_len);
    CHECK_MEM(a->ticket, b->ticket, b->ticket_len);
    CHECK_STR(a->server_name, b->server_name);
    CHECK_INT(a->alpn_len, b->alpn_len);
    CHECK_MEM(a->alpn, b->alpn, b->alpn_len);
    CHECK_INT(a->chain ? a->chain->count : 0, b->chain ? b->chain->count : 0);
    for (size_t i = 0; a->chain && b->chain && i < a->chain->count; i++)
        CHECK(slice_equal(cert_der(a->chain->cert[i]), cert_der(b->chain->cert[i])));
}

static void test_round_trip(void)
{
    for (int with_chain = 0; with_chain < 2; with_chain++) {
        hf_session *s = sample(with_chain);
        size_t len;
        uint8_t *p = exported(s, &len);
        hf_error err = {0};
        hf_session *back = hf_session_import(p, len, &err);
        CHECK(back);
        CHECK_INT(err.code, HF_OK);
        if (back) {
            check_same(back, s);
            CHECK_STR(hf_session_server_name(back), "server.example");
            CHECK_INT(hf_session_version(back), HF_TLS1_3);
            CHECK_INT(hf_session_suite(back), 0x1302);
            CHECK_INT(hf_session_expires(back), PKI_NOW + 7200);
        }
        hf_session_free(back);
        hf_session_free(s);
        free(p);
    }
}

static void test_small(void)
{
    hf_session *s = session_new();
    s->version = HF_TLS1_3;
    s->suite = 0x1301;
    s->secret_len = 32;
    s->ticket = mem_dup("t", 1);
    s->ticket_len = 1;
    size_t len;
    uint8_t *p = exported(s, &len);
    hf_session *back = hf_session_import(p, len, NULL);
    CHECK(back && !back->server_name && !back->alpn && !back->chain && !back->verified);
    hf_session_free(back);
    hf_session_free(s);
    free(p);
}

static void test_export_too_small(void)
{
    hf_session *s = sample(false);
    uint8_t p[8] = {1, 2, 3};
    size_t need = hf_session_export(s, p, sizeof p);
    CHECK(need > sizeof p);
    CHECK_INT(p[0], 1); /* nothing was written */
    hf_session_free(s);
}

static void test_truncated_everywhere(void)
{
    hf_session *s = sample(true);
    size_t len;
    uint8_t *p = exported(s, &len);
    for (size_t n = 0; n < len; n++) {
        uint8_t *cut = malloc(n ? n : 1); /* its own memory, so that a sanitizer sees the end */
        memcpy(cut, p, n);
        hf_error err = {0};
        hf_session *back = hf_session_import(cut, n, &err);
        CHECK(!back);
        CHECK_INT(err.code, HF_E_SESSION_DATA);
        CHECK(strncmp(err.path, "Session.", 8) == 0);
        CHECK(err.detail[0] && err.offset <= n);
        free(cut);
    }
    hf_session_free(s);
    free(p);
}

static void test_damaged_everywhere(void)
{
    hf_session *s = sample(true);
    size_t len;
    uint8_t *p = exported(s, &len);
    static const uint8_t masks[] = {0x01, 0x80, 0xff};
    for (size_t i = 0; i < len; i++) {
        for (size_t k = 0; k < sizeof masks; k++) {
            p[i] ^= masks[k];
            hf_error err = {0};
            hf_session *back = hf_session_import(p, len, &err);
            CHECK(!back);
            CHECK_INT(err.code, HF_E_SESSION_DATA);
            hf_session_free(back);
            p[i] ^= masks[k];
        }
    }
    hf_session_free(s);
    free(p);
}

/* What is wrong is said, with the field: each row changes one byte of the inner form. */
static void test_refusals(void)
{
    static const struct {
        size_t at;
        uint8_t value;
        const char *detail;
    } rows[] = {
        {0, 2, "format 2: this version of handfast reads 1"},
        {2, 3, "version 0x0303: only TLS 1.3 sessions are kept"},
        {4, 9, "suite 0x1309: not in this version"},
        {4, 1, "secret: 48 bytes, but TLS_AES_128_GCM_SHA256 has secrets of 32"},
        {58, 5, "flags: bits that have no meaning are set"},
        {67, 0x80, "issued_ms: no time of this world"},
        {75, 0xff, "started: no time of this world"},
        {90, 0, "server_name: holds a NUL"},
    };
    hf_session *s = sample(false);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct buffer b = {0};
        struct wr w;
        hf_error err = {0};
        wr_start(&w, &b);
        session_write(&w, s);
        CHECK(wr_ok(&w));
        b.p[rows[i].at] = rows[i].value;
        hf_session *back = session_read(slice_of(b.p, buffer_len(&b)), &err);
        CHECK(!back);
        CHECK_INT(err.code, HF_E_SESSION_DATA);
        CHECK_STR(err.detail, rows[i].detail);
        hf_session_free(back);
        buffer_clear(&b);
    }
    hf_session_free(s);
}

static void test_import_refusals(void)
{
    hf_error err = {0};
    CHECK(!hf_session_import(NULL, 0, &err));
    CHECK_INT(err.code, HF_E_SESSION_DATA);
    /* An error that holds an older failure is filled anew. */
    CHECK(!hf_session_import((const uint8_t *)"PEM PEM PEM", 11, &err));
    CHECK_STR(err.detail, "magic: these bytes are no exported session");
    CHECK(!hf_session_import((const uint8_t *)"x", 1, NULL));

    hf_session *s = sample(false); /* a server's has no ticket of its own */
    mem_free(s->ticket);
    s->ticket = NULL;
    s->ticket_len = 0;
    size_t len;
    uint8_t *p = exported(s, &len);
    CHECK(!hf_session_import(p, len, &err));
    CHECK_STR(err.detail, "ticket: is empty");
    hf_session_free(s);
    free(p);
}

static void test_many_certificates(void)
{
    hf_session *s = sample(false);
    hf_certificate *leaf = cert_from_der(slice_of(pki->leaf->der, pki->leaf->der_len), NULL);
    hf_certificate *certs[CHAIN_MAX];
    for (size_t i = 0; i < CHAIN_MAX; i++)
        certs[i] = leaf;
    s->chain = chain_new(certs, CHAIN_MAX);
    size_t len;
    uint8_t *p = exported(s, &len);
    hf_session *back = hf_session_import(p, len, NULL);
    CHECK(back && back->chain && back->chain->count == CHAIN_MAX);
    hf_session_free(back);
    free(p);

    /* One more cannot be made by us, so the inner form is written by hand. */
    struct buffer b = {0};
    struct wr w;
    struct chain *full = s->chain;
    hf_error err = {0};
    s->chain = NULL;
    wr_start(&w, &b);
    session_write(&w, s);
    b.end -= 3;
    size_t mark = wr_open(&w, 3);
    for (size_t i = 0; i <= CHAIN_MAX; i++)
        wr_opaque24(&w, cert_der(leaf));
    wr_close(&w, mark, 3);
    CHECK(!session_read(slice_of(b.p, buffer_len(&b)), &err));
    CHECK_STR(err.detail, "more than 16 certificates");
    CHECK_STR(err.path, "Session.chain");
    buffer_clear(&b);
    s->chain = full;
    hf_session_free(s);
    hf_certificate_free(leaf);
}

static void test_bad_certificate(void)
{
    hf_session *s = sample(true);
    struct buffer b = {0};
    struct wr w;
    hf_error err = {0};
    wr_start(&w, &b);
    session_write(&w, s);
    /* The leaf stands before the intermediate: break its outer tag. */
    size_t at = buffer_len(&b) - pki->mid->der_len - 3 - pki->leaf->der_len;
    CHECK_INT(b.p[at], 0x30);
    b.p[at] = 0x31;
    CHECK(!session_read(slice_of(b.p, buffer_len(&b)), &err));
    CHECK_INT(err.code, HF_E_SESSION_DATA);
    CHECK(strncmp(err.detail, "certificate 0: ", 15) == 0);
    buffer_clear(&b);
    hf_session_free(s);
}

static void test_expiry(void)
{
    static const struct {
        uint32_t lifetime;
        int64_t started, now_ms; /* relative: seconds before issue, ms after issue */
        bool expired;
    } rows[] = {
        {7200, 0, 0, false},
        {7200, 0, 7199999, false},
        {7200, 0, 7200000, true},
        {0, 0, 0, true},
        {604800, 0, 604799999, false},
        {604800, 0, 604800000, true},
        {UINT32_MAX, 0, 604799999, false}, /* a server that asks for more gets seven days */
        {UINT32_MAX, 0, 604800000, true},
        {7200, 0, -10000, false}, /* clocks of a fleet differ a little */
        {7200, 0, -10001, true},
        {7200, 604800 - 100, 99999, false}, /* seven days after the full handshake it ends */
        {7200, 604800 - 100, 100000, true},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        hf_session *s = sample(false);
        s->lifetime = rows[i].lifetime;
        s->started = PKI_NOW - rows[i].started;
        CHECK_INT(session_expired(s, NOW_MS + rows[i].now_ms) ? (int)i : -1,
                  rows[i].expired ? (int)i : -1);
        hf_session_free(s);
    }
    hf_session *s = sample(false);
    s->started = PKI_NOW - 604800 + 50;
    CHECK_INT(hf_session_expires(s), PKI_NOW + 50);
    hf_session_free(s);
}

static void test_references(void)
{
    hf_session *s = sample(true);
    CHECK(hf_session_ref(s) == s);
    hf_session_free(s);
    CHECK_STR(hf_session_server_name(s), "server.example");
    hf_session_free(s);
    hf_session_free(NULL);
    CHECK(hf_session_ref(NULL) == NULL);
}

static void test_no_memory(void)
{
    hf_session *s = sample(true);
    size_t len;
    uint8_t *p = exported(s, &len);
    unsigned long n = 1;
    for (bool done = false; !done && n < 100; n++) {
        hf_error err = {0};
        mem_test_fail_after(n);
        hf_session *back = hf_session_import(p, len, &err);
        mem_test_fail_after(0);
        if (!back)
            CHECK_INT(err.code, HF_E_NO_MEMORY);
        done = back != NULL;
        hf_session_free(back);
    }
    CHECK(n > 3 && n < 100);
    mem_test_fail_after(1);
    CHECK_INT(hf_session_export(s, p, len), 0);
    mem_test_fail_after(0);
    hf_session_free(s);
    free(p);
}

int main(void)
{
    pki = pki_new(PKI_P256, "DNS:server.example");
    RUN(test_round_trip);
    RUN(test_small);
    RUN(test_export_too_small);
    RUN(test_truncated_everywhere);
    RUN(test_damaged_everywhere);
    RUN(test_refusals);
    RUN(test_import_refusals);
    RUN(test_many_certificates);
    RUN(test_bad_certificate);
    RUN(test_expiry);
    RUN(test_references);
    RUN(test_no_memory);
    pki_clear(pki);
    return check_done();
}
