/* verdict.c: two bounded tables of good verdicts, for the whole process.
 *
 * Why this is safe. An entry's key is SHA-256 of everything the verdict followed from, so a hit says
 * that the very same question was answered before; to make a different question hit, one would have
 * to collide SHA-256, with which certificates could be forged anyway. Only good verdicts are kept: a
 * failure may end by itself (a folder gets a new anchor, a clock is set) and its details are wanted.
 * A right signature stays right for ever. A good chain stops being good with the first date on its
 * path, which the entry holds; trust is immutable once frozen and has a number that no other trust of
 * this process ever gets. What a peer can do is to make entries be displaced: that costs time only. */
#include "x509/verdict.h"

#include "crypto/hash.h"
#include "x509/latch.h"

#define WAYS 8
#define SETS (VERDICT_CAPACITY / WAYS)

struct entry {
    uint8_t id[CERT_HASH];
    int64_t from, until;
    uint32_t last; /* the set's clock when it was asked for; 0: empty */
};

struct set {
    struct latch latch;
    uint32_t clock;
    struct entry entry[WAYS];
};

struct table {
    struct set set[SETS];
};

static struct table signatures, chains;

static struct set *set_of(struct table *t, const uint8_t id[CERT_HASH])
{
    return &t->set[get_u16(id) % SETS];
}

/* The latch is held. The clock of a set wraps after 2^32 look-ups in it, and then the least recent is
 * misjudged once. */
static uint32_t tick(struct set *s)
{
    if (++s->clock == 0)
        s->clock = 1;
    return s->clock;
}

static struct entry *find(struct set *s, const uint8_t id[CERT_HASH])
{
    for (unsigned i = 0; i < WAYS; i++) {
        if (s->entry[i].last && memcmp(s->entry[i].id, id, CERT_HASH) == 0)
            return &s->entry[i];
    }
    return NULL;
}

static bool known(struct table *t, const uint8_t id[CERT_HASH], int64_t now)
{
    struct set *s = set_of(t, id);
    if (!latch_enter(&s->latch))
        return false;
    struct entry *e = find(s, id);
    bool good = e && e->from <= now && now <= e->until;
    if (good)
        e->last = tick(s);
    latch_leave(&s->latch);
    return good;
}

static void remember(struct table *t, const uint8_t id[CERT_HASH], int64_t from, int64_t until)
{
    struct set *s = set_of(t, id);
    if (from > until || !latch_enter(&s->latch))
        return;
    struct entry *e = find(s, id);
    for (unsigned i = 0; !e && i < WAYS; i++) {
        if (!s->entry[i].last)
            e = &s->entry[i];
    }
    if (!e) {
        e = &s->entry[0];
        for (unsigned i = 1; i < WAYS; i++) {
            if (s->entry[i].last < e->last)
                e = &s->entry[i];
        }
    }
    memcpy(e->id, id, CERT_HASH);
    e->from = from;
    e->until = until;
    e->last = tick(s);
    latch_leave(&s->latch);
}

/* The key's hash covers its algorithm and parameters, and the child's covers its signature and what
 * was signed, so nothing else can matter to the arithmetic. */
static void signature_id(const hf_certificate *child, const hf_certificate *issuer,
                         uint8_t id[CERT_HASH])
{
    uint8_t both[2 * CERT_HASH];
    memcpy(both, child->sha256, CERT_HASH);
    memcpy(both + CERT_HASH, issuer->key_sha256, CERT_HASH);
    hash_once(HASH_SHA256, both, sizeof both, id);
}

bool verdict_signature_known(const hf_certificate *child, const hf_certificate *issuer)
{
    uint8_t id[CERT_HASH];
    signature_id(child, issuer, id);
    return known(&signatures, id, 0);
}

void verdict_signature_remember(const hf_certificate *child, const hf_certificate *issuer)
{
    uint8_t id[CERT_HASH];
    signature_id(child, issuer, id);
    remember(&signatures, id, INT64_MIN, INT64_MAX);
}

bool verdict_chain_known(const uint8_t id[CERT_HASH], int64_t now)
{
    return known(&chains, id, now);
}

void verdict_chain_remember(const uint8_t id[CERT_HASH], int64_t from, int64_t until)
{
    remember(&chains, id, from, until);
}

static size_t walk(struct table *t, bool clear)
{
    size_t n = 0;
    for (size_t i = 0; i < SETS; i++) {
        struct set *s = &t->set[i];
        while (!latch_enter(&s->latch))
            ;
        for (unsigned j = 0; j < WAYS; j++)
            n += s->entry[j].last != 0;
        if (clear)
            memset(s->entry, 0, sizeof s->entry);
        latch_leave(&s->latch);
    }
    return n;
}

void verdict_clear(void)
{
    walk(&signatures, true);
    walk(&chains, true);
}

size_t verdict_chain_count(void)
{
    return walk(&chains, false);
}
