/* ticket.c: the ring of ticket keys, sealing and opening. */
#include "config/ticket.h"

#include <pthread.h>
#include <stdatomic.h>

#include "crypto/aead.h"
#include "crypto/hash.h"

#define NAME_SIZE  16
#define KEY_SIZE   32
#define TAG_SIZE   16
#define NONCE_SIZE AEAD_NONCE_SIZE

/* Nonces are random, so that no two threads, processes or machines need to agree: 2^32 tickets under
 * one key meet twice the same 96-bit nonce with a probability of 2^-33. A quarter of that is where a
 * key is given up before its time, which leaves room for forked processes that share it. */
#define MAX_SEALS (1u << 30)

/* Keys beyond this are dropped, oldest first: it is reached only if tickets live more than 255 times
 * as long as their keys, and costs their holders a full handshake. */
#define MAX_KEYS 256

/* After a longer sleep than this many rotations the ring starts anew instead of catching up. */
#define MAX_STEPS 4096

struct ticket_key {
    struct ticket_key *older;
    int64_t since;  /* start of its rotation period */
    int64_t needed; /* the last ticket sealed with it expires then */
    uint32_t seals;
    uint8_t name[NAME_SIZE];
    uint8_t key[KEY_SIZE];
};

struct ticket_ring {
    _Atomic int refs;
    pthread_mutex_t lock; /* held for a look-up and a copy of 48 bytes, never while sealing */
    uint8_t next[32];     /* the secret that the next key comes from */
    struct ticket_key *newest;
    size_t count;
    bool outside; /* the keys were set by hf_config_set_ticket_keys */
};

struct ticket_ring *ticket_ring_new(void)
{
    struct ticket_ring *ring = mem_new(sizeof *ring);
    if (!ring)
        return NULL;
    atomic_init(&ring->refs, 1);
    if (pthread_mutex_init(&ring->lock, NULL) != 0) {
        mem_free(ring);
        return NULL;
    }
    return ring;
}

struct ticket_ring *ticket_ring_ref(struct ticket_ring *ring)
{
    if (ring)
        atomic_fetch_add_explicit(&ring->refs, 1, memory_order_relaxed);
    return ring;
}

static size_t free_list(struct ticket_key **from)
{
    size_t count = 0;
    for (; *from; count++) {
        struct ticket_key *key = *from;
        *from = key->older;
        mem_wipe_free(key, sizeof *key);
    }
    return count;
}

static void free_keys(struct ticket_ring *ring, struct ticket_key **from)
{
    ring->count -= free_list(from);
}

void ticket_ring_free(struct ticket_ring *ring)
{
    if (!ring || atomic_fetch_sub_explicit(&ring->refs, 1, memory_order_acq_rel) > 1)
        return;
    free_keys(ring, &ring->newest);
    (void)pthread_mutex_destroy(&ring->lock);
    mem_wipe_free(ring, sizeof *ring);
}

/* ---- rotation; all with the lock held */

static bool seed(struct ticket_ring *ring, const hf_config *config)
{
    return config_random(config, "ticket_key", ring->next, sizeof ring->next);
}

/* One step of the ratchet: name, key and the secret after this one. */
static void ratchet(struct ticket_ring *ring, struct ticket_key *key)
{
    static const char label[] = "handfast ticket key";
    uint8_t out[NAME_SIZE + KEY_SIZE + 32];

    hkdf_expand(HASH_SHA256, ring->next, slice_of(label, sizeof label - 1), out, sizeof out);
    memcpy(key->name, out, NAME_SIZE);
    memcpy(key->key, out + NAME_SIZE, KEY_SIZE);
    memcpy(ring->next, out + NAME_SIZE + KEY_SIZE, 32);
    wipe(out, sizeof out);
}

/* Drops keys whose tickets have all expired. Older keys need not expire first: derived
 * configurations with other lifetimes may share the ring. */
static void prune(struct ticket_ring *ring, int64_t now)
{
    struct ticket_key **at = &ring->newest->older;
    while (*at) {
        struct ticket_key *key = *at;
        if (key->needed > now) {
            at = &key->older;
            continue;
        }
        *at = key->older;
        mem_wipe_free(key, sizeof *key);
        ring->count--;
    }
    at = &ring->newest;
    for (size_t i = 0; i < MAX_KEYS && *at; i++)
        at = &(*at)->older;
    free_keys(ring, at);
}

/* Puts the key of `steps` ratchet steps from here in front, as of `since`. The keys that were
 * stepped over are kept for as long as a process that shares the ratchet may have used them. */
static bool advance(struct ticket_ring *ring, const hf_config *config, int64_t since,
                    uint64_t steps)
{
    for (uint64_t i = 0; i < steps; i++) {
        struct ticket_key *key = mem_new(sizeof *key);
        if (!key)
            return false;
        ratchet(ring, key);
        key->since = since - (int64_t)(steps - 1 - i) * config->ticket_rotation;
        key->needed = key->since + config->ticket_rotation + config->ticket_lifetime;
        key->older = ring->newest;
        ring->newest = key;
        ring->count++;
    }
    return true;
}

/* Makes sure that the newest key is the one for now. If there is no memory for another, the old one
 * goes on: late rotation is better than no resumption. */
static bool rotate(struct ticket_ring *ring, const hf_config *config, int64_t now)
{
    struct ticket_key *newest = ring->newest;
    int64_t period = config->ticket_rotation;

    if (!newest)
        return seed(ring, config) && advance(ring, config, now, 1);
    /* Whoever sets keys from outside also changes them. Should he forget to, a key of our own, which
     * the rest of the fleet does not have, is better than one that has sealed too much. */
    if (ring->outside)
        return newest->seals < MAX_SEALS ||
               (seed(ring, config) && advance(ring, config, now, 1));
    int64_t age = now - newest->since;
    if (age < period && age > -period && newest->seals < MAX_SEALS)
        return true;
    uint64_t steps = age > 0 ? (uint64_t)(age / period) : 0;
    if (age <= -period || steps > MAX_STEPS) {
        /* The clock was put back, or this process slept: nobody else's rotation to keep up with. */
        if (!seed(ring, config) || !advance(ring, config, now, 1))
            return newest->seals < MAX_SEALS;
    } else if (steps == 0) {
        if (newest->seals >= MAX_SEALS && !advance(ring, config, newest->since, 1))
            return false;
    } else if (!advance(ring, config, newest->since + (int64_t)steps * period, steps)) {
        return newest->seals < MAX_SEALS;
    }
    prune(ring, now);
    return true;
}

bool ticket_ring_start(struct ticket_ring *ring, const hf_config *config)
{
    (void)pthread_mutex_lock(&ring->lock);
    bool ok = rotate(ring, config, config_now(config));
    (void)pthread_mutex_unlock(&ring->lock);
    return ok;
}

size_t ticket_ring_count(struct ticket_ring *ring)
{
    (void)pthread_mutex_lock(&ring->lock);
    size_t count = ring->count;
    (void)pthread_mutex_unlock(&ring->lock);
    return count;
}

/* ---- keys from outside */

/* The list of these keys, in their order; NULL without memory. */
static struct ticket_key *keys_from(const uint8_t *keys, size_t count, int64_t now)
{
    struct ticket_key *list = NULL;

    while (count-- > 0) {
        struct ticket_key *key = mem_new(sizeof *key);
        if (!key) {
            free_list(&list);
            return NULL;
        }
        key->since = now;
        key->needed = INT64_MAX;
        memcpy(key->name, keys + count * HF_TICKET_KEY_SIZE, NAME_SIZE);
        memcpy(key->key, keys + count * HF_TICKET_KEY_SIZE + NAME_SIZE, KEY_SIZE);
        key->older = list;
        list = key;
    }
    return list;
}

static bool check_keys(const hf_config *config, const uint8_t *keys, size_t count,
                       hf_error *err)
{
    if (!config || !config->tickets)
        return err_set(err, HF_E_USAGE, "ticket keys are for a server's configuration");
    if (!keys || count < 1 || count > MAX_KEYS)
        return err_set(err, HF_E_CONFIG, "%zu ticket keys: 1 to %d are allowed",
                       keys ? count : 0, MAX_KEYS);
    for (size_t i = 0; i < count; i++) {
        for (size_t k = 0; k < i; k++) {
            if (memcmp(keys + i * HF_TICKET_KEY_SIZE, keys + k * HF_TICKET_KEY_SIZE,
                       NAME_SIZE) == 0)
                return err_set(err, HF_E_CONFIG,
                               "ticket keys %zu and %zu have the same name (the first %d "
                               "bytes), by which a ticket's key is found",
                               k, i, NAME_SIZE);
        }
    }
    return true;
}

bool hf_config_set_ticket_keys(hf_config *config, const uint8_t *keys, size_t count,
                               hf_error *err)
{
    err_begin(err);
    if (!check_keys(config, keys, count, err))
        return false;
    struct ticket_ring *ring = config->tickets;
    struct ticket_key *list = keys_from(keys, count, config_now(config)), *old;
    if (!list)
        return err_set(err, HF_E_NO_MEMORY, "for ticket keys");
    (void)pthread_mutex_lock(&ring->lock);
    /* A key that stays has sealed what it has sealed. */
    for (struct ticket_key *key = list; key; key = key->older) {
        for (old = ring->newest; old; old = old->older) {
            if (memcmp(key->name, old->name, NAME_SIZE) == 0)
                key->seals = old->seals;
        }
    }
    old = ring->newest;
    ring->newest = list;
    ring->count = count;
    ring->outside = true;
    wipe(ring->next, sizeof ring->next);
    (void)pthread_mutex_unlock(&ring->lock);
    free_list(&old);
    return true;
}

size_t hf_config_ticket_keys(const hf_config *config, uint8_t *out, size_t max)
{
    struct ticket_ring *ring = config ? config->tickets : NULL;

    if (!ring || !ticket_ring_start(ring, config))
        return 0;
    (void)pthread_mutex_lock(&ring->lock);
    size_t count = ring->count, i = 0;
    for (const struct ticket_key *k = ring->newest; k && i < max; k = k->older, i++) {
        memcpy(out + i * HF_TICKET_KEY_SIZE, k->name, NAME_SIZE);
        memcpy(out + i * HF_TICKET_KEY_SIZE + NAME_SIZE, k->key, KEY_SIZE);
    }
    (void)pthread_mutex_unlock(&ring->lock);
    return count;
}

/* ---- which key */

/* Copies out the key to seal with. */
static bool key_to_seal(const hf_config *config, uint8_t name[NAME_SIZE], uint8_t key[KEY_SIZE])
{
    struct ticket_ring *ring = config->tickets;
    int64_t now = config_now(config);

    (void)pthread_mutex_lock(&ring->lock);
    bool ok = rotate(ring, config, now);
    if (ok) {
        struct ticket_key *newest = ring->newest;
        if (newest->needed < now + config->ticket_lifetime)
            newest->needed = now + config->ticket_lifetime;
        newest->seals++;
        memcpy(name, newest->name, NAME_SIZE);
        memcpy(key, newest->key, KEY_SIZE);
    }
    (void)pthread_mutex_unlock(&ring->lock);
    return ok;
}

/* Copies out the key of that name. The name is public, it came in clear. */
static bool key_to_open(const hf_config *config, const uint8_t *name, uint8_t key[KEY_SIZE])
{
    struct ticket_ring *ring = config->tickets;
    const struct ticket_key *k = NULL;

    (void)pthread_mutex_lock(&ring->lock);
    if (rotate(ring, config, config_now(config))) {
        for (k = ring->newest; k && memcmp(k->name, name, NAME_SIZE) != 0; k = k->older)
            ;
        if (k)
            memcpy(key, k->key, KEY_SIZE);
    }
    (void)pthread_mutex_unlock(&ring->lock);
    return k != NULL;
}

/* ---- sealing and opening */

static bool seal(const hf_config *config, const uint8_t key[KEY_SIZE], uint8_t *ticket,
                 size_t plain)
{
    struct aead *a = aead_new(AEAD_AES_256_GCM, key, true);
    uint8_t *nonce = ticket + NAME_SIZE, *content = nonce + NONCE_SIZE;
    bool ok = a && config_random(config, "ticket_nonce", nonce, NONCE_SIZE) &&
              aead_seal(a, nonce, ticket, NAME_SIZE, content, plain, NULL, 0, content);
    aead_free(a);
    return ok;
}

bool ticket_seal(const hf_config *config, const hf_session *session, struct wr *w)
{
    uint8_t name[NAME_SIZE], key[KEY_SIZE];
    size_t mark = wr_at(w);

    if (!config->tickets || !key_to_seal(config, name, key)) {
        w->failed = true;
        return false;
    }
    wr_bytes(w, name, sizeof name);
    (void)wr_space(w, NONCE_SIZE);
    size_t content = wr_at(w);
    session_write(w, session); /* in clear, until it is sealed in place */
    size_t plain = wr_at(w) - content;
    (void)wr_space(w, TAG_SIZE);
    struct buffer *b = w->b;
    if (wr_ok(w) && !seal(config, key, b->p + b->start + mark, plain))
        w->failed = true;
    if (!wr_ok(w) && wr_at(w) > mark) {
        wipe(b->p + b->start + mark, wr_at(w) - mark);
        b->end = b->start + mark;
    }
    wipe(key, sizeof key);
    return wr_ok(w);
}

hf_session *ticket_open(const hf_config *config, struct slice ticket)
{
    uint8_t key[KEY_SIZE];
    hf_session *session = NULL;

    if (!config->tickets || ticket.len <= TICKET_OVERHEAD ||
        !key_to_open(config, ticket.p, key))
        return NULL;
    const uint8_t *nonce = ticket.p + NAME_SIZE, *sealed = nonce + NONCE_SIZE;
    size_t len = ticket.len - NAME_SIZE - NONCE_SIZE, plain = len - TAG_SIZE;
    uint8_t *content = mem_new(len);
    struct aead *a = aead_new(AEAD_AES_256_GCM, key, false);
    wipe(key, sizeof key);
    if (content && a && aead_open(a, nonce, ticket.p, NAME_SIZE, sealed, len, content))
        session = session_read(slice_of(content, plain), NULL);
    aead_free(a);
    mem_wipe_free(content, len);
    if (session && session_expired(session, config_now_ms(config))) {
        hf_session_free(session);
        session = NULL;
    }
    return session;
}
