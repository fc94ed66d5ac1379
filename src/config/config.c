/* config.c: the life of a configuration: made, derived, frozen, shared, freed. */
#include "config/config.h"

#include <pthread.h>
#include <stdatomic.h>
#include <time.h>

#include "config/applications.h"
#include "config/cache.h"
#include "config/keylog.h"
#include "config/psk.h"
#include "config/replay.h"
#include "config/security.h"
#include "config/ticket.h"
#include "config/usable.h"
#include "crypto/cpu.h"
#include "crypto/random.h"
#include "handfast_context.h"

/* Freezing is rare, so one lock serves all configurations. It also orders the freezing of trust
 * stores that several configurations share. */
static pthread_mutex_t freeze_lock = PTHREAD_MUTEX_INITIALIZER;

/* The platform's anchors as one object, so that verdicts remembered under it serve everybody.
 * Kept until the process ends; guarded by freeze_lock. */
static hf_trust *platform_trust;

/* A client puts first what it is good at: servers follow that (RFC 8446 9.3, RFC 7905 1). */
static void chacha_first(struct ids *suites)
{
    struct ids sorted = {0};
    for (int pass = 0; pass < 2; pass++) {
        for (size_t i = 0; i < suites->count; i++) {
            const struct suite *s = suite_find(suites->id[i]);
            if (s && (s->aead == AEAD_CHACHA20_POLY1305) == (pass == 0))
                sorted.id[sorted.count++] = s->id;
        }
    }
    *suites = sorted;
}

static void default_lists(hf_config *config)
{
    size_t count;

    const struct suite *suites = suite_table(&count);
    for (size_t i = 0; i < count; i++) {
        if (suites[i].by_default && suite_find(suites[i].id))
            config->suites.id[config->suites.count++] = suites[i].id;
    }
    /* AES without instructions for it is slow, and its look-up tables tell the key to who shares the cache. */
    if (config->role == HF_CLIENT && !cpu_has_aes())
        chacha_first(&config->suites);
    const struct group *groups = group_table(&count);
    for (size_t i = 0; i < count; i++) {
        if (groups[i].by_default && group_find(groups[i].id))
            config->groups.id[config->groups.count++] = groups[i].id;
    }
    const struct sigalg *sigalgs = sigalg_table(&count);
    for (size_t i = 0; i < count; i++) {
        if (sigalgs[i].by_default)
            config->sigalgs.id[config->sigalgs.count++] = sigalgs[i].id;
    }
}

hf_config *hf_config_new(hf_role role)
{
    hf_config *config = crypto_init() ? mem_new(sizeof *config) : NULL;
    if (!config)
        return NULL;
    atomic_init(&config->refs, 1);
    atomic_init(&config->frozen, 0);
    config->role = role;
    config->version_min = HF_TLS1_2;
    config->version_max = HF_TLS1_3;
    config->security_level = 2;
    config->encrypt_then_mac = true;
    config->early_window = 10;
    config->cookie_lifetime = 60;
    default_lists(config);
    config->server_preference = true;
    config->verify = config->verify_name = true;
    config->verify_depth = 10;
    config->ocsp = role == HF_CLIENT ? HF_OCSP_REQUEST : HF_OCSP_NONE;
    config->psk_modes = HF_PSK_DHE_KE;
    config->ticket_count = 2;
    config->ticket_lifetime = 7200;
    config->ticket_rotation = 3600;
    config->compat = true;
    config->memory_cap = 256 * 1024;
    config->max_chain = 16;
    config->max_chain_bytes = 131072;
    config->cache = session_cache_new();
    config->cache_sessions = role == HF_SERVER;
    config->tickets = role == HF_SERVER ? ticket_ring_new() : NULL;
    if (!config->cache || (role == HF_SERVER && !config->tickets)) {
        hf_config_free(config);
        return NULL;
    }
    return config;
}

hf_config *hf_config_ref(hf_config *config)
{
    if (config)
        atomic_fetch_add_explicit(&config->refs, 1, memory_order_relaxed);
    return config;
}

static void credentials_free(struct credentials *list)
{
    if (!list || atomic_fetch_sub_explicit(&list->refs, 1, memory_order_acq_rel) > 1)
        return;
    for (size_t i = 0; i < list->count; i++)
        hf_credential_free(list->cred[i]);
    mem_free(list);
}

void hf_config_free(hf_config *config)
{
    if (!config || atomic_fetch_sub_explicit(&config->refs, 1, memory_order_acq_rel) > 1)
        return;
    mem_free(config->alpn);
    credentials_free(config->credentials);
    hf_trust_free(config->trust);
    rules_free(config->rules);
    ticket_ring_free(config->tickets);
    replay_free(config->replay);
    session_cache_free(config->cache);
    psks_free(config->psks);
    mem_free(config->psk_hint);
    mem_free(config->authorities);
    mem_free(config->ocsp_request);
    keylog_file_free(config->keylog_file);
    applications_free(config->applications);
    dh_group_free(config->dh_group);
    mem_wipe_free(config, sizeof *config);
}

/* The list is immutable because derived configurations share it: adding makes a new one. */
bool hf_config_add_credential(hf_config *config, hf_credential *cred)
{
    if (!config || atomic_load_explicit(&config->frozen, memory_order_acquire))
        return false;
    if (!cred)
        return err_set(&config->error, HF_E_USAGE,
                       "hf_config_add_credential: the credential is "
                       "NULL; did loading it fail?");
    struct credentials *old = config->credentials;
    size_t count = old ? old->count : 0;
    if (count >= CONFIG_MAX_CREDENTIALS)
        return err_set(&config->error, HF_E_CONFIG,
                       "more than %d credentials; use HF_ASK_CREDENTIAL to choose among many",
                       CONFIG_MAX_CREDENTIALS);
    /* RFC 8446 4.4.2.2: a certificate that says what its key is for must allow signing; or,
     * with the RSA key exchange of TLS 1.2 and older, encipherment (RFC 5246 7.4.2). */
    const hf_certificate *leaf = hf_credential_certificate(cred, 0);
    if (leaf && !cert_allows_signing(leaf) &&
        (cred->kind != KEY_RSA || !cert_allows_encipherment(leaf)))
        return err_set(
            &config->error, HF_E_CONFIG,
            "certificate %s: its keyUsage lacks digitalSignature, so TLS cannot use it",
            hf_certificate_subject(leaf));
    struct credentials *list = mem_new(sizeof *list + (count + 1) * sizeof(hf_credential *));
    if (!list)
        return err_set(&config->error, HF_E_NO_MEMORY, "for a credential");
    atomic_init(&list->refs, 1);
    list->count = count + 1;
    for (size_t i = 0; i < count; i++)
        list->cred[i] = hf_credential_ref(old->cred[i]);
    list->cred[count] = hf_credential_ref(cred);
    credentials_free(old);
    config->credentials = list;
    return true;
}

static hf_config *copy_of(const hf_config *from)
{
    hf_config *config = mem_new(sizeof *config);
    uint8_t *alpn = from->alpn ? mem_dup(from->alpn, from->alpn_len) : NULL;
    char *psk_hint = from->psk_hint ? mem_strdup(from->psk_hint) : NULL;
    uint8_t *authorities =
        from->authorities ? mem_dup(from->authorities, from->authorities_len) : NULL;
    uint8_t *ocsp =
        from->ocsp_request ? mem_dup(from->ocsp_request, from->ocsp_request_len) : NULL;
    if (!config || (from->alpn && !alpn) || (from->psk_hint && !psk_hint) ||
        (from->authorities && !authorities) || (from->ocsp_request && !ocsp)) {
        mem_free(config);
        mem_free(alpn);
        mem_free(psk_hint);
        mem_free(authorities);
        mem_free(ocsp);
        return NULL;
    }
    /* The two counters in front are other threads' business. */
    size_t skip = offsetof(hf_config, role);
    memcpy((char *)config + skip, (const char *)from + skip, sizeof *config - skip);
    atomic_init(&config->refs, 1);
    atomic_init(&config->frozen, 0);
    config->alpn = alpn;
    config->psk_hint = psk_hint;
    config->authorities = authorities;
    config->ocsp_request = ocsp;
    usable_undo(config);
    psks_ref(config->psks);
    session_cache_ref(config->cache);
    if (config->credentials)
        atomic_fetch_add_explicit(&config->credentials->refs, 1, memory_order_relaxed);
    if (config->trust)
        hf_trust_ref(config->trust);
    rules_ref(config->rules);
    ticket_ring_ref(config->tickets);
    replay_ref(config->replay);
    keylog_file_ref(config->keylog_file);
    applications_ref(config->applications);
    dh_group_ref(config->dh_group);
    return config;
}

hf_config *hf_config_derive(const hf_config *config)
{
    if (!config)
        return NULL;
    if (atomic_load_explicit(&config->frozen, memory_order_acquire))
        return copy_of(config);
    (void)pthread_mutex_lock(&freeze_lock); /* another thread may be freezing it */
    hf_config *copy = copy_of(config);
    (void)pthread_mutex_unlock(&freeze_lock);
    return copy;
}

const hf_error *hf_config_error(const hf_config *config)
{
    return config && config->error.code != HF_OK ? &config->error : NULL;
}

/* ---- freezing */

static size_t put_ids(uint8_t *out, const struct ids *ids)
{
    put_u16(out, (uint16_t)(2 * ids->count));
    for (size_t i = 0; i < ids->count; i++)
        put_u16(out + 2 + 2 * i, ids->id[i]);
    return 2 + 2 * ids->count;
}

/* The legacy schemes are for a client's signature in TLS 1.3 alone: only its server asks for them
 * (draft-ietf-tls-tls13-pkcs1). */
static void freeze_sigalgs(hf_config *config)
{
    struct ids hello = {0};
    for (size_t i = 0; i < config->sigalgs.count; i++) {
        if (!sigalg_is_legacy(config->sigalgs.id[i]))
            hello.id[hello.count++] = config->sigalgs.id[i];
    }
    config->body.sigalgs_len = put_ids(config->body.sigalgs, &hello);
    struct ids *clients = &config->body.client_sigalgs;
    clients->count = 0;
    for (size_t i = 0; i < config->client_sigalgs.count; i++) {
        const struct sigalg *alg = sigalg_find(config->client_sigalgs.id[i]);
        if (alg && security_allows_sigalg(config->security_level, alg))
            clients->id[clients->count++] = alg->id;
    }
    config->body.sigalgs_cr_len =
        put_ids(config->body.sigalgs_cr, config_signing(config, true));
}

/* Default: a share of the first group, and of X25519 beside a post-quantum one, which costs little
 * and saves a round trip with servers that do not know that yet. */
static bool freeze_key_shares(hf_config *config, hf_error *err)
{
    struct ids wanted = config->key_shares;

    if (!config->key_shares_set) {
        wanted = (struct ids){1, {config->groups.id[0]}};
        const struct group *first = group_find(wanted.id[0]);
        if (first && kx_is_quantum_safe(first->kx) && ids_has(&config->groups, 0x001d))
            wanted.id[wanted.count++] = 0x001d;
    }
    for (size_t i = 0; i < wanted.count; i++) {
        const struct group *group = group_find(wanted.id[i]);
        if (!ids_has(&config->groups, wanted.id[i]))
            return err_set(
                err, HF_E_CONFIG,
                "a key share is set for %s, which is not among the groups: add it with "
                "hf_config_set_groups()",
                group ? group->name : "a group");
    }
    /* RFC 8446 4.2.8: shares stand in the order of supported_groups. */
    struct ids ordered = {0};
    for (size_t i = 0; i < config->groups.count; i++) {
        if (ids_has(&wanted, config->groups.id[i]))
            ordered.id[ordered.count++] = config->groups.id[i];
    }
    config->key_shares = ordered;
    return true;
}

static bool freeze_lists(hf_config *config, hf_error *err)
{
    if (!usable_freeze(config, err))
        return false;
    config->body.groups_len = put_ids(config->body.groups, &config->groups);
    freeze_sigalgs(config);
    return freeze_key_shares(config, err);
}

static hf_trust *platform(hf_error *err)
{
    if (!platform_trust) {
        hf_trust *trust = hf_trust_new();
        if (!trust) {
            err_set(err, HF_E_NO_MEMORY, "for the platform's trust anchors");
            return NULL;
        }
        if (!hf_trust_add_platform(trust, err)) {
            hf_trust_free(trust);
            return NULL;
        }
        platform_trust = trust;
    }
    return hf_trust_ref(platform_trust);
}

static bool find_trust(hf_config *config, hf_error *err)
{
    bool client = config->role == HF_CLIENT, chains = config_takes(config, CERT_X509);

    if (config->verify && !config->trust && client && chains &&
        !(config->trust = platform(err)))
        return false;
    if (config->verify && !config->trust && chains &&
        config->client_auth != HF_CLIENT_AUTH_NONE)
        return err_set(err, HF_E_CONFIG,
                       "client certificates are asked for, but nothing says whom to trust: "
                       "hf_config_set_trust()");
    return true;
}

static bool freeze_trust(hf_config *config, hf_error *err)
{
    return find_trust(config, err) && (!config->trust || trust_freeze(config->trust, err));
}

static bool freeze_server(hf_config *config, hf_error *err)
{
    if (!replay_start(config))
        return err_set(err, HF_E_CRYPTO, "no random bytes for the record of early data");
    if (!ticket_ring_start(config->tickets, config))
        return err_set(err, HF_E_CRYPTO, "no random bytes for a ticket key");
    if (!config->cookie_key_count &&
        !config_random(config, "cookie_key", config->cookie_keys[0],
                       sizeof config->cookie_keys[0]))
        return err_set(err, HF_E_CRYPTO, "no random bytes for the cookie key");
    if (!config->cookie_key_count)
        config->cookie_key_count = 1;
    return true;
}

static bool set_well(const hf_config *config, hf_error *err)
{
    if (config->error.code != HF_OK && err && err->code == HF_OK)
        *err = config->error;
    return config->error.code == HF_OK;
}

static bool freeze(hf_config *config, hf_error *err)
{
    if (!set_well(config, err))
        return false;
    bool ok = types_freeze(config, err) && freeze_lists(config, err) &&
              freeze_trust(config, err) &&
              (config->role == HF_CLIENT || freeze_server(config, err));
    if (!ok)
        usable_undo(config);
    return ok;
}

bool hf_config_freeze(hf_config *config, hf_error *err)
{
    hf_error mine = {0};
    bool ok;

    if (!config) {
        err_set(&mine, HF_E_USAGE, "the configuration is NULL; did making it fail?");
        ok = false;
    } else if (atomic_load_explicit(&config->frozen, memory_order_acquire)) {
        return true;
    } else {
        (void)pthread_mutex_lock(&freeze_lock);
        ok = atomic_load_explicit(&config->frozen, memory_order_relaxed) ||
             freeze(config, &mine);
        if (ok)
            atomic_store_explicit(&config->frozen, 1, memory_order_release);
        (void)pthread_mutex_unlock(&freeze_lock);
    }
    /* What a caller passes in is filled, not added to: it may hold an error of before. */
    if (!ok && err)
        *err = mine;
    return ok;
}

/* Of a copy, and only what says no: what freezing begins (the anchors, the ring of ticket keys, the record of early
 * data) is shared with it. */
bool hf_config_check(const hf_config *config, hf_error *err)
{
    err_begin(err);
    if (!config)
        return err_set(err, HF_E_USAGE, "the configuration is NULL; did making it fail?");
    hf_config *copy = hf_config_derive(config);
    if (!copy)
        return err_set(err, HF_E_NO_MEMORY, "to check a configuration");
    bool ok = set_well(copy, err) && types_freeze(copy, err) && freeze_lists(copy, err);
    if (ok) {
        (void)pthread_mutex_lock(&freeze_lock);
        ok = find_trust(copy, err);
        (void)pthread_mutex_unlock(&freeze_lock);
    }
    hf_config_free(copy);
    return ok;
}

bool config_use(hf_config *config, hf_error *err)
{
    if (config && atomic_load_explicit(&config->frozen, memory_order_acquire))
        return true;
    return hf_config_freeze(config, err);
}

/* ---- time and chance */

int64_t config_now(const hf_config *config)
{
    return config->clock ? config->clock(config->clock_arg) : (int64_t)time(NULL);
}

int64_t config_now_ms(const hf_config *config)
{
    struct timespec ts;

    if (config->clock)
        return config->clock(config->clock_arg) * 1000;
    if (clock_gettime(CLOCK_REALTIME, &ts) != 0)
        return (int64_t)time(NULL) * 1000;
    return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

bool config_random(const hf_config *config, const char *what, uint8_t *out, size_t n)
{
    if (config->test && config->test->random)
        return config->test->random(config->test->arg, what, out, n);
    return random_bytes(out, n);
}
