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
    s->max_early_data = 14336;
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

/* The same of an older version, with all its own fields. */
static hf_session *sample12(bool with_chain)
{
    hf_session *s = sample(with_chain);
    s->version = HF_TLS1_2;
    s->suite = 0xc02b; /* whose hash has 32 bytes; the master secret has 48 all the same */
    s->group = 0x001d;
    s->age_add = 0;
    s->ems = true;
    s->named = true;
    s->max_fragment = 1024;
    for (uint8_t i = 0; i < 32; i++)
        s->id[i] = (uint8_t)(0x80 + i);
    s->id_len = 32;
    memcpy(s->context, "a virtual host", 14);
    s->context_len = 14;
    s->ocsp = mem_dup("a stapled response", 18);
    s->ocsp_len = 18;
    s->scts = mem_dup("\0\6\0\4scts", 8);
    s->scts_len = 8;
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
    CHECK_INT(a->named, b->named);
    CHECK_INT(a->ems, b->ems);
    CHECK_INT(a->max_fragment, b->max_fragment);
    CHECK_INT(a->max_early_data, b->max_early_data);
    CHECK(slice_equal(slice_of(a->id, a->id_len), slice_of(b->id, b->id_len)));
    CHECK(slice_equal(slice_of(a->context, a->context_len),
                      slice_of(b->context, b->context_len)));
    CHECK(slice_equal(slice_of(a->ocsp, a->ocsp_len), slice_of(b->ocsp, b->ocsp_len)));
    CHECK(slice_equal(slice_of(a->scts, a->scts_len), slice_of(b->scts, b->scts_len)));
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

static void test_older_versions(void)
{
    static const struct {
        uint16_t version, suite;
    } rows[] = {{HF_TLS1_2, 0xc02b}, {HF_TLS1_2, 0xc030}, {HF_TLS1_2, 0xc013},
                {HF_TLS1_1, 0xc013}, {HF_TLS1_0, 0xc013}, {HF_TLS1_0, 0x002f}};
    for (size_t i = 0; i < 2 * sizeof rows / sizeof rows[0]; i++) {
        hf_session *s = sample12(i % 2);
        size_t len, id_len = 0;
        s->version = rows[i / 2].version;
        s->suite = rows[i / 2].suite;
        uint8_t *p = exported(s, &len);
        hf_error err = {0};
        hf_session *back = hf_session_import(p, len, &err);
        CHECK(back);
        CHECK_STR(err.detail, "");
        if (back) {
            check_same(back, s);
            const uint8_t *id = hf_session_id(back, &id_len);
            CHECK(id && slice_equal(slice_of(id, id_len), slice_of(s->id, 32)));
            CHECK(hf_session_has_ticket(back));
            CHECK_INT(hf_session_version(back), rows[i / 2].version);
            CHECK_INT(hf_session_expires(back), PKI_NOW + 7200);
        }
        hf_session_free(back);
        hf_session_free(s);
        free(p);
    }
}

/* An ID is enough to resume by, below TLS 1.3; a ticket is, too; a server's session may have neither. */
static void test_id_or_ticket(void)
{
    for (size_t i = 0; i < 4; i++) {
        hf_session *s = sample12(false);
        size_t len, id_len = 7;
        hf_error err = {0};
        if (!(i & 1))
            s->id_len = 0;
        if (!(i & 2)) {
            mem_free(s->ticket);
            s->ticket = NULL;
            s->ticket_len = 0;
        }
        uint8_t *p = exported(s, &len);
        hf_session *back = hf_session_import(p, len, &err);
        CHECK(back != NULL);
        CHECK_STR(err.detail, "");
        if (back) {
            CHECK_INT(hf_session_has_ticket(back), (i & 2) != 0);
            CHECK((hf_session_id(back, &id_len) != NULL) == ((i & 1) != 0));
            CHECK_INT(id_len, i & 1 ? 32 : 0);
            CHECK((hf_session_id(back, NULL) != NULL) == ((i & 1) != 0));
        }
        hf_session_free(back);
        hf_session_free(s);
        free(p);
    }
}

/* What earlier versions of handfast wrote: the same without the last six fields. */
static void test_format_1(void)
{
    hf_session *s = sample(true);
    struct buffer b = {0};
    struct wr w;
    hf_error err = {0};
    s->named = true;
    s->max_early_data = 0;
    wr_start(&w, &b);
    session_write(&w, s);
    CHECK(wr_ok(&w));
    b.p[0] = 1;
    b.end -= 1 + 1 + 2 + 3 + 4 + 2;
    hf_session *back = session_read(slice_of(b.p, buffer_len(&b)), &err);
    CHECK(back);
    CHECK_STR(err.detail, "");
    if (back)
        check_same(back, s);
    hf_session_free(back);

    b.p[58] |= 4; /* which had no meaning then */
    CHECK(!session_read(slice_of(b.p, buffer_len(&b)), &err));
    CHECK_STR(err.detail, "flags: bits that have no meaning are set");
    b.p[58] &= 3;
    b.p[2] = 3;
    err = (hf_error){0};
    CHECK(!session_read(slice_of(b.p, buffer_len(&b)), &err));
    CHECK_STR(err.detail, "version 0x0303: format 1 has only TLS 1.3 sessions");
    b.p[2] = 4;
    b.end++; /* the fields of format 2 do not belong to it */
    CHECK(!session_read(slice_of(b.p, buffer_len(&b)), NULL));
    buffer_clear(&b);
    hf_session_free(s);
}

/* And what they wrote after that: all but the timestamps. */
static void test_format_2(void)
{
    hf_session *s = sample12(true);
    struct buffer b = {0};
    struct wr w;
    hf_error err = {0};
    wr_start(&w, &b);
    session_write(&w, s);
    CHECK(wr_ok(&w));
    b.p[0] = 2;
    b.end -= 2 + s->scts_len;
    hf_session *back = session_read(slice_of(b.p, buffer_len(&b)), &err);
    CHECK_STR(err.detail, "");
    CHECK(back && !back->scts);
    mem_free(s->scts);
    s->scts = NULL;
    s->scts_len = 0;
    if (back)
        check_same(back, s);
    hf_session_free(back);
    b.end += 2; /* they do not belong to it */
    CHECK(!session_read(slice_of(b.p, buffer_len(&b)), NULL));
    buffer_clear(&b);
    hf_session_free(s);
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

static void truncated_everywhere(hf_session *s)
{
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

static void test_truncated_everywhere(void)
{
    truncated_everywhere(sample(true));
    truncated_everywhere(sample12(true));
}

static void damaged_everywhere(hf_session *s)
{
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

static void test_damaged_everywhere(void)
{
    damaged_everywhere(sample(true));
    damaged_everywhere(sample12(true));
}

/* Changes one byte of a session's inner form and expects it to be refused with these words. Negative
 * places count from the end. */
struct change {
    int at;
    uint8_t value;
    const char *detail;
};

static void check_changes(hf_session *s, const struct change *rows, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        struct buffer b = {0};
        struct wr w;
        hf_error err = {0};
        wr_start(&w, &b);
        session_write(&w, s);
        CHECK(wr_ok(&w));
        b.p[rows[i].at < 0 ? (int)buffer_len(&b) + rows[i].at : rows[i].at] = rows[i].value;
        hf_session *back = session_read(slice_of(b.p, buffer_len(&b)), &err);
        CHECK(!back);
        CHECK_INT(err.code, HF_E_SESSION_DATA);
        CHECK_STR(err.detail, rows[i].detail);
        hf_session_free(back);
        buffer_clear(&b);
    }
    hf_session_free(s);
}

/* What is wrong is said, with the field. */
static void test_refusals(void)
{
    static const struct change rows[] = {
        {0, 0, "format 0: this version of handfast reads 1 to 3"},
        {0, 4, "format 4: this version of handfast reads 1 to 3"},
        {1, 2, "version 0x0204: sessions are of TLS 1.0 to 1.3"},
        {2, 0, "version 0x0300: sessions are of TLS 1.0 to 1.3"},
        {2, 5, "version 0x0305: sessions are of TLS 1.0 to 1.3"},
        {2, 3, "suite: TLS_AES_256_GCM_SHA384 is not for TLS 1.2"},
        {4, 9, "suite 0x1309: not in this version of handfast"},
        {4, 1, "secret: 48 bytes, but TLS_AES_128_GCM_SHA256 has secrets of 32 in TLS 1.3"},
        {58, 33, "flags: bits that have no meaning are set"},
        {67, 0x80, "issued_ms: no time of this world"},
        {75, 0xff, "started: no time of this world"},
        {90, 0, "server_name: holds a NUL"},
    };
    check_changes(sample(false), rows, sizeof rows / sizeof rows[0]);
}

static void test_refusals_of_older_versions(void)
{
    static const struct change rows[] = {
        {2, 4, "suite: TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256 is not for TLS 1.3"},
        {2, 2, "suite: TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256 is not for TLS 1.1"},
        {-36, 5, "max_fragment: 1029 is none of 512, 1024, 2048 and 4096"},
        {-37, 3, "max_fragment: 768 is none of 512, 1024, 2048 and 4096"},
    };
    hf_session *s = sample12(false);
    struct buffer b = {0};
    struct wr w;
    hf_error err = {0};

    check_changes(hf_session_ref(s), rows, sizeof rows / sizeof rows[0]);
    wr_start(&w, &b);
    session_write(&w, s);
    b.p[buffer_len(&b) - 52] = 33;
    CHECK(!session_read(slice_of(b.p, buffer_len(&b)), &err));
    CHECK_INT(err.code, HF_E_SESSION_DATA);
    CHECK_STR(err.path, "Session.context");
    b.p[buffer_len(&b) - 52] = 14;
    b.p[buffer_len(&b) - 85] = 33;
    err = (hf_error){0};
    CHECK(!session_read(slice_of(b.p, buffer_len(&b)), &err));
    CHECK_STR(err.path, "Session.id");
    buffer_clear(&b);

    s->secret_len = 32; /* as long as the suite's hash: that is a rule of TLS 1.3 */
    wr_start(&w, &b);
    session_write(&w, s);
    err = (hf_error){0};
    CHECK(!session_read(slice_of(b.p, buffer_len(&b)), &err));
    CHECK_STR(err.detail, "secret: 32 bytes, but TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256 has "
                          "secrets of 48 in TLS 1.2");
    buffer_clear(&b);
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
    hf_session *back = hf_session_import(p, len, &err);
    CHECK(back && !hf_session_has_ticket(back));
    hf_session_free(back);
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
    b.end -= 3 + 13;
    size_t mark = wr_open(&w, 3);
    for (size_t i = 0; i <= CHAIN_MAX; i++)
        wr_opaque24(&w, cert_der(leaf));
    wr_close(&w, mark, 3);
    CHECK(!session_read(slice_of(b.p, buffer_len(&b)), &err));
    CHECK_STR(err.detail, "more than 64 certificates");
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
    size_t at = buffer_len(&b) - 13 - pki->mid->der_len - 3 - pki->leaf->der_len;
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
    ROW("C14");
    hf_session *s = sample12(true);
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
    RUN(test_older_versions);
    RUN(test_id_or_ticket);
    RUN(test_format_1);
    RUN(test_format_2);
    RUN(test_small);
    RUN(test_export_too_small);
    RUN(test_truncated_everywhere);
    RUN(test_damaged_everywhere);
    RUN(test_refusals);
    RUN(test_refusals_of_older_versions);
    RUN(test_import_refusals);
    RUN(test_many_certificates);
    RUN(test_bad_certificate);
    RUN(test_expiry);
    RUN(test_references);
    RUN(test_no_memory);
    pki_clear(pki);
    return check_done();
}
