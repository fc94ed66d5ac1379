/* psk.c: external pre-shared keys (RFC 4279). */
#include "config/psk.h"

#include <stdatomic.h>

#define MAX_IDENTITY 128
#define MIN_KEY      16
#define MAX_HINT     128
#define MAX_PSKS     1024

static bool may_set(const hf_config *config)
{
    return config && !atomic_load_explicit(&config->frozen, memory_order_acquire);
}

struct psks *psks_ref(struct psks *psks)
{
    if (psks)
        atomic_fetch_add_explicit(&psks->refs, 1, memory_order_relaxed);
    return psks;
}

void psks_free(struct psks *psks)
{
    if (!psks || atomic_fetch_sub_explicit(&psks->refs, 1, memory_order_acq_rel) > 1)
        return;
    for (size_t i = 0; i < psks->count; i++)
        mem_free(psks->psk[i].identity);
    mem_wipe_free(psks, sizeof *psks + psks->count * sizeof psks->psk[0]);
}

static const struct psk *find(const struct psks *psks, struct slice identity)
{
    /* Identities are sent in clear, so how long a comparison takes tells nothing. */
    for (size_t i = 0; psks && i < psks->count; i++) {
        const struct psk *psk = &psks->psk[i];
        if (slice_equal(slice_of(psk->identity, psk->identity_len), identity))
            return psk;
    }
    return NULL;
}

const struct psk *config_psk(const hf_config *config, struct slice identity)
{
    return find(config->psks, identity);
}

const struct psk *config_first_psk(const hf_config *config)
{
    return config->psks ? &config->psks->psk[0] : NULL;
}

static bool put(struct psks *psks, struct slice identity, struct slice key)
{
    struct psk *psk = &psks->psk[psks->count];

    psk->identity = mem_dup(identity.p, identity.len);
    if (!psk->identity)
        return false;
    psk->identity_len = identity.len;
    memcpy(psk->key, key.p, key.len);
    psk->key_len = key.len;
    psks->count++;
    return true;
}

/* The list and one more key. It is immutable because derived configurations share it. */
static struct psks *extended(const struct psks *old, struct slice identity, struct slice key)
{
    size_t count = old ? old->count : 0;
    struct psks *psks = mem_new(sizeof *psks + (count + 1) * sizeof psks->psk[0]);
    bool ok = psks != NULL;

    if (!ok)
        return NULL;
    atomic_init(&psks->refs, 1);
    for (size_t i = 0; ok && i < count; i++) {
        const struct psk *psk = &old->psk[i];
        ok = put(psks, slice_of(psk->identity, psk->identity_len),
                 slice_of(psk->key, psk->key_len));
    }
    if (ok && put(psks, identity, key))
        return psks;
    psks_free(psks);
    return NULL;
}

static bool check(hf_config *config, struct slice identity, struct slice key)
{
    hf_error *err = &config->error;

    if (!identity.p || !key.p)
        return err_set(err, HF_E_USAGE, "hf_config_add_psk: the %s is NULL",
                       identity.p ? "key" : "identity");
    if (identity.len < 1 || identity.len > MAX_IDENTITY)
        return err_set(err, HF_E_CONFIG, "a PSK identity of %zu bytes: 1 to %d are allowed",
                       identity.len, MAX_IDENTITY);
    if (key.len < MIN_KEY)
        return err_set(
            err, HF_E_CONFIG,
            "a pre-shared key of %zu bytes: at least %d, of real randomness (whoever "
            "sees one handshake can try out all shorter ones)",
            key.len, MIN_KEY);
    if (key.len > sizeof config->psks->psk[0].key)
        return err_set(err, HF_E_CONFIG, "a pre-shared key of %zu bytes: at most %zu", key.len,
                       sizeof config->psks->psk[0].key);
    if (find(config->psks, identity))
        return err_set(err, HF_E_CONFIG, "there is a pre-shared key of this identity already");
    if (config->psks && config->psks->count >= MAX_PSKS)
        return err_set(err, HF_E_CONFIG,
                       "more than %d pre-shared keys; use HF_ASK_PSK to look them up",
                       MAX_PSKS);
    return true;
}

bool hf_config_add_psk(hf_config *config, const uint8_t *identity, size_t identity_len,
                       const uint8_t *key, size_t key_len)
{
    struct slice name = slice_of(identity, identity_len), secret = slice_of(key, key_len);

    if (!may_set(config) || !check(config, name, secret))
        return false;
    struct psks *psks = extended(config->psks, name, secret);
    if (!psks)
        return err_set(&config->error, HF_E_NO_MEMORY, "for a pre-shared key");
    psks_free(config->psks);
    config->psks = psks;
    return true;
}

bool hf_config_set_psk_hint(hf_config *config, const char *hint)
{
    char *copy = NULL;

    if (!may_set(config))
        return false;
    if (hint && strlen(hint) > MAX_HINT)
        return err_set(&config->error, HF_E_CONFIG, "a PSK hint of %zu bytes: at most %d",
                       strlen(hint), MAX_HINT);
    if (hint && !(copy = mem_strdup(hint)))
        return err_set(&config->error, HF_E_NO_MEMORY, "for a PSK hint");
    mem_free(config->psk_hint);
    config->psk_hint = copy;
    return true;
}
