/* Opening records of CBC and HMAC: no branch and no look-up depends on what was decrypted,
 * before all of it has been judged at once. Keys are marked as secrets, so that everything
 * that is decrypted with them is one. Built with SABOTAGE the comparison stops early, and
 * every opening must make memcheck complain, as must an opening written as nobody should
 * write it. */
#include "../unit/cbc_reference.h"

#include "marks.h"

static const uint8_t head[CBC_HEAD] = {[8] = 23, 3, 3};
static uint8_t text[2000];

#define NEED_MEMCHECK()                                                                        \
    do {                                                                                       \
        if (!under_memcheck())                                                                 \
            SKIP("runs only under valgrind's memcheck: use the test's own runner");            \
    } while (0)

/* The same context, from keys that are secrets. */
static struct cbc *secret_context(const struct reference *r, bool seal)
{
    struct reference copy = *r;
    ct_secret(copy.key, sizeof copy.key);
    ct_secret(copy.mac_key, sizeof copy.mac_key);
    return reference_context(&copy, seal);
}

/* Opens a record and compares memcheck's complaints with what they should be. */
static void check_open(const struct reference *r, uint8_t *record, size_t n, size_t len,
                       bool good)
{
    struct cbc *c = secret_context(r, false);
    uint8_t *found = NULL;
    size_t found_len = 0;
    unsigned before = errors_so_far();
    bool ok = cbc_open(c, head, record, n, &found, &found_len);
    unsigned errors = errors_so_far() - before;
#ifdef SABOTAGE
    CHECK(errors > 0);
#else
    CHECK_INT(errors, 0);
#endif
    CHECK_INT(ok, good);
    if (ok) {
        CHECK_INT(found_len, len);
        /* Nothing has lost the mark on its way. Without a cipher there is no secret. */
        CHECK(r->cipher == CBC_NULL || is_secret(found, found_len));
        ct_public(found, found_len);
        CHECK_MEM(found, text, len);
    }
    cbc_free(c);
}

/* All faults with one length of padding, where about `base` bytes of content stand before
 * it. */
static void each_fault(const struct reference *start, size_t base, unsigned pad)
{
    size_t mac = reference_mac_size(start);
    size_t len = base + (16 - (base + (start->etm ? 0 : mac) + 1 + pad) % 16) % 16;
    struct fault faults[] = {NO_FAULT(pad), NO_FAULT(pad), NO_FAULT(pad),
                             NO_FAULT(pad), NO_FAULT(pad), NO_FAULT(pad)};
    faults[1].mac_at = 0;
    faults[2].mac_at = (int)mac - 1;
    faults[3].pad_at = (int)pad;
    faults[4].pad_at = (int)pad / 2 ? (int)pad / 2 : (int)pad;
    faults[5].no_length = true;
    for (size_t i = 0; i < sizeof faults / sizeof *faults; i++) {
        struct reference r = *start;
        uint8_t record[2000];
        bool good = i == 0 || (i == 5 && pad == 255);
        /* With one byte or none, what is wrong is a length, and may be right by chance. */
        if ((i == 3 || i == 4) && pad < 2)
            continue;
        size_t n = reference_seal(&r, head, text, len, faults[i], record);
        check_open(start, record, n, len, good);
    }
}

static void test_inside(void)
{
    NEED_MEMCHECK();
    for (size_t s = 0; s < REFERENCE_SUITES; s++) {
        struct reference r = reference_of(s, false, false);
        if (r.cipher == CBC_NULL)
            continue;
        for (unsigned pad = 0; pad < 256; pad++)
            each_fault(&r, pad % 3 ? pad % 60 : 400 + pad % 128, pad);
    }
}

static void test_inside_chained(void)
{
    NEED_MEMCHECK();
    for (size_t s = 0; s < REFERENCE_SUITES; s++) {
        struct reference r = reference_of(s, false, true);
        for (unsigned pad = 0; pad < 256 && r.cipher != CBC_NULL; pad += 5)
            each_fault(&r, 31, pad);
    }
}

static void test_etm(void)
{
    NEED_MEMCHECK();
    for (size_t s = 0; s < REFERENCE_SUITES; s++) {
        struct reference r = reference_of(s, true, false);
        for (unsigned pad = 0; pad < 256 && r.cipher != CBC_NULL; pad += 11)
            each_fault(&r, 31, pad);
    }
}

static void test_null(void)
{
    NEED_MEMCHECK();
    for (size_t s = 0; s < REFERENCE_SUITES; s++) {
        struct reference r = reference_of(s, false, false);
        if (r.cipher != CBC_NULL)
            continue;
        uint8_t record[200];
        size_t n = reference_seal(&r, head, text, 70, NO_FAULT(0), record);
        check_open(&r, record, n, 70, true);
        struct fault f = NO_FAULT(0);
        f.mac_at = 7;
        n = reference_seal(&r, head, text, 70, f, record);
        check_open(&r, record, n, 70, false);
    }
}

static void test_seal(void)
{
    NEED_MEMCHECK();
    for (size_t s = 0; s < REFERENCE_SUITES; s++)
        for (unsigned how = 0; how < 4; how++) {
            struct reference r =
                reference_of(s, how & 1 && reference_suites[s].cipher != CBC_NULL, how & 2);
            struct cbc *c = secret_context(&r, true);
            uint8_t data[500], out[700];
            unsigned before = errors_so_far();
            memcpy(data, text, sizeof data);
            ct_secret(data, sizeof data);
            CHECK(cbc_seal(c, head, data, sizeof data, out));
            CHECK_INT(errors_so_far() - before, 0);
            CHECK(is_secret(out,
                            100)); /* the test marks it, as the one of whole handshakes does */
            cbc_free(c);
        }
}

#ifdef SABOTAGE
/* The straightforward way: it looks at the padding, then at the MAC behind what is left. */
static bool open_carelessly(struct reference *r, uint8_t *record, size_t n)
{
    uint8_t plain[400], mac[EVP_MAX_MD_SIZE];
    size_t mac_len = reference_mac_size(r), len = n - 16;
    reference_crypt(r, false, record, record + 16, len, plain);
    ct_secret(plain, len);
    size_t pad = plain[len - 1];
    if (pad + 1 + mac_len > len)
        return false;
    for (size_t i = 0; i < pad; i++)
        if (plain[len - 2 - i] != pad)
            return false;
    len -= pad + 1 + mac_len;
    ct_public(&len, sizeof len);
    reference_mac(r, head, plain, len, mac);
    return memcmp(mac, plain + len, mac_len) == 0;
}

static void test_careless(void)
{
    struct reference start = reference_of(0, false, false);
    NEED_MEMCHECK();
    for (unsigned pad = reference_least(&start, 50); pad < 256; pad += 16) {
        struct reference r = start;
        uint8_t record[400];
        size_t n = reference_seal(&r, head, text, 50, NO_FAULT(pad), record);
        unsigned before = errors_so_far();
        bool ok = open_carelessly(&r, record, n);
        ct_public(&ok, sizeof ok);
        CHECK(errors_so_far() - before > pad);
    }
}

bool __wrap_ct_equal(const void *a, const void *b, size_t len);

bool __wrap_ct_equal(const void *a, const void *b, size_t len)
{
    const uint8_t *x = a, *y = b;
    for (size_t i = 0; i < len; i++) {
        if (x[i] != y[i])
            return false;
    }
    return true;
}
#endif

int main(void)
{
    for (size_t i = 0; i < sizeof text; i++)
        text[i] = (uint8_t)(i * 31 + 7);
#ifdef SABOTAGE
    RUN(test_careless);
#endif
    RUN(test_inside);
    RUN(test_inside_chained);
    RUN(test_etm);
    RUN(test_null);
    RUN(test_seal);
    return check_done();
}
