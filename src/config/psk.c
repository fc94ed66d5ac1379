/* psk.c: external pre-shared keys (RFC 4279, RFC 8446 4.2.11), and their import (RFC 9258). */
#include "config/psk.h"

#include <stdatomic.h>

#include "bytes/writer.h"
#include "crypto/hash.h"

#define MAX_IDENTITY 128
#define MIN_KEY      16
#define MAX_HINT     256
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

/* A key is imported for one version and one hash: TLS 1.2 would need another one. */
const struct psk *config_psk(const hf_config *config, struct slice identity)
{
    const struct psk *psk = find(config->psks, identity);
    return psk && psk->kind == PSK_EXTERNAL ? psk : NULL;
}

const struct psk *config_first_psk(const hf_config *config)
{
    for (size_t i = 0; config->psks && i < config->psks->count; i++) {
        if (config->psks->psk[i].kind == PSK_EXTERNAL)
            return &config->psks->psk[i];
    }
    return NULL;
}

/* ---- TLS 1.3 */

/* The suite only stands for its hash. */
static hf_session *as_session(const struct psk *psk, bool *memory)
{
    hf_session *s = session_new();
    *memory = s && (s->ticket = mem_dup(psk->identity, psk->identity_len)) != NULL;
    if (!*memory) {
        hf_session_free(s);
        return NULL;
    }
    s->kind = (uint8_t)psk->kind;
    s->version = HF_TLS1_3;
    s->suite = psk->hash == HASH_SHA384 ? 0x1302 : 0x1301;
    s->ticket_len = psk->identity_len;
    s->secret_len = (uint8_t)hash_size(psk->hash);
    memcpy(s->secret, psk->early, s->secret_len);
    return s;
}

hf_session *psk_external(struct slice identity, struct slice key, enum hash_id hash)
{
    struct psk psk = {.kind = PSK_EXTERNAL, .hash = hash, .identity_len = identity.len};
    bool memory;
    psk.identity = mem_dup(identity.p, identity.len);
    if (!psk.identity)
        return NULL;
    hkdf_extract(hash, (struct slice){0}, key, psk.early);
    hf_session *s = as_session(&psk, &memory);
    wipe(psk.early, sizeof psk.early);
    mem_free(psk.identity);
    return s;
}

hf_session *psk_offer(const hf_config *config, size_t i, bool *memory)
{
    *memory = true;
    return config->psks && i < config->psks->count ? as_session(&config->psks->psk[i], memory)
                                                   : NULL;
}

hf_session *psk_find13(const hf_config *config, struct slice identity, bool *memory)
{
    const struct psk *psk = find(config->psks, identity);
    *memory = true;
    return psk ? as_session(psk, memory) : NULL;
}

/* ---- the list */

static bool put(struct psks *psks, const struct psk *from)
{
    struct psk *psk = &psks->psk[psks->count];

    *psk = *from;
    psk->identity = mem_dup(from->identity, from->identity_len);
    if (!psk->identity)
        return false;
    psks->count++;
    return true;
}

/* The list and one more key. It is immutable because derived configurations share it. */
static struct psks *extended(const struct psks *old, const struct psk *more)
{
    size_t count = old ? old->count : 0;
    struct psks *psks = mem_new(sizeof *psks + (count + 1) * sizeof psks->psk[0]);
    bool ok = psks != NULL;

    if (!ok)
        return NULL;
    atomic_init(&psks->refs, 1);
    for (size_t i = 0; ok && i < count; i++)
        ok = put(psks, &old->psk[i]);
    if (ok && put(psks, more))
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

static bool add(hf_config *config, struct psk *psk)
{
    /* "early_secret = HKDF-Extract(0, PSK)" (RFC 8446 7.1) */
    hkdf_extract(psk->hash, (struct slice){0}, slice_of(psk->key, psk->key_len), psk->early);
    struct psks *psks = extended(config->psks, psk);
    wipe(psk->key, sizeof psk->key);
    wipe(psk->early, sizeof psk->early);
    if (!psks)
        return err_set(&config->error, HF_E_NO_MEMORY, "for a pre-shared key");
    psks_free(config->psks);
    config->psks = psks;
    return true;
}

bool hf_config_add_psk(hf_config *config, const uint8_t *identity, size_t identity_len,
                       const uint8_t *key, size_t key_len)
{
    struct slice name = slice_of(identity, identity_len), secret = slice_of(key, key_len);
    uint8_t copy[MAX_IDENTITY];

    if (!may_set(config) || !check(config, name, secret))
        return false;
    memcpy(copy, identity, identity_len);
    /* "the Hash algorithm MUST be set when the PSK is established or default to SHA-256" (RFC 8446 4.2.11) */
    struct psk psk = {.kind = PSK_EXTERNAL,
                      .identity = copy,
                      .identity_len = identity_len,
                      .key_len = key_len,
                      .hash = HASH_SHA256};
    memcpy(psk.key, key, key_len);
    return add(config, &psk);
}

/* epskx = HKDF-Extract(0, epsk)
 * ipskx = HKDF-Expand-Label(epskx, "derived psk", Hash(ImportedIdentity), L)  RFC 9258 4.1
 * The Hash is that of the external key, SHA-256; L is as long as the target's hash. */
static void derive(struct slice external, struct slice identity, struct psk *out)
{
    static const char label[] = "tls13 derived psk";
    uint8_t extracted[HASH_MAX_SIZE], info[2 + 1 + sizeof label - 1 + 1 + 32];
    size_t at = 3 + sizeof label - 1;
    out->key_len = hash_size(out->hash);
    put_u16(info, (uint16_t)out->key_len);
    info[2] = sizeof label - 1;
    memcpy(info + 3, label, sizeof label - 1);
    info[at++] = 32;
    hash_once(HASH_SHA256, identity.p, identity.len, info + at);
    hkdf_extract(HASH_SHA256, (struct slice){0}, external, extracted);
    hkdf_expand(HASH_SHA256, extracted, slice_of(info, at + 32), out->key, out->key_len);
    wipe(extracted, sizeof extracted);
}

/* struct {
 *     opaque external_identity<1...2^16-1>;
 *     opaque context<0..2^16-1>;
 *     uint16 target_protocol;
 *     uint16 target_kdf;
 * } ImportedIdentity;                                                        RFC 9258 4.1 */
static bool import_for(hf_config *config, struct slice name, struct slice context,
                       struct slice key, enum hash_id hash)
{
    enum { HKDF_SHA256 = 1, HKDF_SHA384 = 2 };
    struct buffer b = {0};
    struct wr w;
    wr_start(&w, &b);
    wr_opaque16(&w, name);
    wr_opaque16(&w, context);
    wr_u16(&w, HF_TLS1_3);
    wr_u16(&w, hash == HASH_SHA384 ? HKDF_SHA384 : HKDF_SHA256);
    struct psk psk = {.kind = PSK_IMPORTED, .hash = hash};
    bool ok = wr_ok(&w);
    if (ok) {
        psk.identity = buffer_front(&b);
        psk.identity_len = buffer_len(&b);
        derive(key, slice_of(psk.identity, psk.identity_len), &psk);
        ok = add(config, &psk);
    } else {
        err_set(&config->error, HF_E_NO_MEMORY, "for a pre-shared key");
    }
    buffer_clear(&b);
    return ok;
}

bool hf_config_import_psk(hf_config *config, const uint8_t *identity, size_t identity_len,
                          const uint8_t *context, size_t context_len, const uint8_t *key,
                          size_t key_len)
{
    struct slice name = slice_of(identity, identity_len), secret = slice_of(key, key_len);
    struct slice more = slice_of(context, context_len);

    if (!may_set(config) || !check(config, name, secret))
        return false;
    if (context_len > MAX_IDENTITY || (context_len && !context))
        return err_set(&config->error, HF_E_CONFIG, "a PSK context of %zu bytes: at most %d",
                       context_len, MAX_IDENTITY);
    return import_for(config, name, more, secret, HASH_SHA256) &&
           import_for(config, name, more, secret, HASH_SHA384);
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
