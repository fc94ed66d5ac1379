/* usable.c: versions, suites, groups, schemes and keys say what may be used; the security level
 * and each other's absence say what can. */
#include "config/usable.h"

#include "config/security.h"
#include "crypto/random.h"

/* ---- why a suite cannot be used */

static bool has_psk(const hf_config *config)
{
    return config->psks || config->ask[HF_ASK_PSK];
}

/* Whoever is asked may have any certificate. */
static bool is_asked(const hf_config *config)
{
    return config->ask[HF_ASK_CREDENTIAL] || config->ask[HF_ASK_HELLO];
}

/* A server's certificate that can prove what this suite wants proved. */
static bool serves(const hf_credential *cred, const struct suite *s)
{
    const hf_certificate *own = cred->chain ? cred->chain->cert[0] : NULL;
    bool signs = !own || cert_allows_signing(own);

    if (s->kex == KEX_ANY)
        return signs;
    if (s->kex == KEX_RSA)
        return cred->kind == KEY_RSA && cred->key && (!own || cert_allows_encipherment(own));
    return signs && auth_of_key(cred->kind) == s->auth;
}

static bool has_credential(const hf_config *config, const struct suite *s)
{
    const struct credentials *list = config->credentials;
    bool found = is_asked(config);

    for (size_t i = 0; !found && list && i < list->count; i++)
        found = serves(list->cred[i], s);
    return found;
}

static bool in_range(const struct suite *s, uint16_t lowest, uint16_t highest)
{
    return s->version_min <= highest && s->version_max >= lowest;
}

static bool is_off(const hf_config *config, uint16_t version)
{
    return config->versions_off >> (version - HF_TLS1_0) & 1;
}

/* The ends of the range that options and security level leave; the lowest may be above the highest. */
static uint16_t highest_allowed(const hf_config *config)
{
    uint16_t v = config->version_max;
    while (v >= config->version_min && is_off(config, v))
        v--;
    return v;
}

static uint16_t lowest_allowed(const hf_config *config)
{
    uint16_t v = config->version_min, highest = highest_allowed(config);
    while (v <= highest &&
           (is_off(config, v) || !security_allows_version(config->security_level, v)))
        v++;
    return v;
}

/* NULL: it can be used. */
static const char *obstacle(const hf_config *config, const struct suite *s)
{
    if (!in_range(s, lowest_allowed(config), highest_allowed(config)))
        return "is not for the versions that can be used: hf_config_set_versions()";
    if (!security_allows_suite(config->security_level, s))
        return "is too weak for the security level: hf_config_insecure_set_security_level()";
    /* Whoever wants to know who the server is cannot talk to one that does not say. */
    if (s->auth == AUTH_NONE && config->role == HF_CLIENT &&
        (config->verify || rules_pinned(config->rules)))
        return "proves nobody's identity: hf_config_insecure_no_verify()";
    /* "A non-anonymous server can ... request a certificate" (RFC 5246 7.4.4): no other may, nor one
     * that proves itself by a pre-shared key (RFC 4279 2). */
    if ((s->auth == AUTH_NONE || s->auth == AUTH_PSK) && config->role == HF_SERVER &&
        config->client_auth == HF_CLIENT_AUTH_REQUIRE)
        return "cannot ask for the certificate that clients must have: "
               "hf_config_set_client_auth()";
    if (s->auth == AUTH_PSK)
        return has_psk(config) ? NULL : "needs a pre-shared key: hf_config_add_psk()";
    bool by_key =
        s->kex == KEX_ANY &&
        (config->psks || (config->ask_psk13 && config->ask[HF_ASK_PSK])); /* RFC 8446 4.2.11 */
    if (config->role == HF_SERVER && s->auth != AUTH_NONE && !by_key &&
        !has_credential(config, s))
        return "needs a certificate with a key that goes with it: hf_config_add_credential()";
    return NULL;
}

bool usable_suite(const hf_config *config, const struct suite *suite)
{
    return !obstacle(config, suite);
}

/* ---- freezing */

/* What remains of a list keeps its ranks: two neighbours are equal if all between them were. */
struct sieve {
    const struct ties *from;
    struct ids ids;
    struct ties ties;
    bool tied; /* to the last that was kept */
};

static void keep(struct sieve *s, size_t i, uint16_t id)
{
    size_t last = s->ids.count - 1;
    if (s->ids.count && s->tied)
        s->ties.bits[last / 8] |= (uint8_t)(1u << (last % 8));
    s->ids.id[s->ids.count++] = id;
    s->tied = ties_has(s->from, i);
}

static void leave_out(struct sieve *s, size_t i)
{
    s->tied = s->tied && ties_has(s->from, i);
}

/* Why a range is empty, or cannot be offered as it is. */
static bool bad_versions(const hf_config *config, uint16_t lowest, uint16_t highest,
                         hf_error *err)
{
    const char *from = hf_version_name(config->version_min),
               *to = hf_version_name(config->version_max);

    if (config->version_min > config->version_max)
        return err_set(err, HF_E_CONFIG,
                       "the minimum version, %s, is above the maximum, %s: "
                       "hf_config_set_minimum_version(), hf_config_set_maximum_version()",
                       from, to);
    if (highest < config->version_min)
        return err_set(err, HF_E_CONFIG,
                       "versions %s to %s: options (NO_TLSv1_...) switch all of them off", from,
                       to);
    if (lowest > highest)
        return err_set(err, HF_E_CONFIG,
                       "versions %s to %s: security level %d allows nothing below TLS 1.2 (RFC "
                       "8996); old peers need hf_config_insecure_set_security_level(config, 0)",
                       from, to, config->security_level);
    for (uint16_t v = lowest; v < highest; v++) {
        if (is_off(config, v))
            return err_set(
                err, HF_E_CONFIG,
                "%s is switched off between %s and %s, and a range has no holes "
                "(RFC 8446 4.2.1 would allow it, what is older would not): clear the "
                "option or move an end of the range",
                hf_version_name(v), hf_version_name(lowest), hf_version_name(highest));
    }
    return true;
}

static bool freeze_versions(hf_config *config, hf_error *err)
{
    uint16_t lowest = lowest_allowed(config), highest = highest_allowed(config);

    if (!bad_versions(config, lowest, highest, err))
        return false;
    config->body.version_min = lowest;
    config->body.version_max = highest;
    return true;
}

static bool no_suite(const hf_config *config, hf_error *err)
{
    const struct suite *first = config->suites.count ? suite_find(config->suites.id[0]) : NULL;

    if (!first)
        return err_set(err, HF_E_CONFIG,
                       "this libcrypto (%s) has none of the cipher suites that are set",
                       crypto_version());
    return err_set(err, HF_E_CONFIG,
                   "none of the cipher suites that are set can be used with %s to %s at "
                   "security level %d; the first of %zu, %s, %s",
                   hf_version_name(config->version_min), hf_version_name(config->version_max),
                   config->security_level, config->suites.count, first->openssl,
                   obstacle(config, first));
}

/* A version for which no suite is left is not offered. */
static bool freeze_suites(hf_config *config, hf_error *err)
{
    struct sieve usable = {.from = &config->suite_ties};
    uint16_t lowest = UINT16_MAX, highest = 0;

    for (size_t i = 0; i < config->suites.count; i++) {
        const struct suite *s = suite_find(config->suites.id[i]);
        if (!s || obstacle(config, s)) {
            leave_out(&usable, i);
            continue;
        }
        keep(&usable, i, s->id);
        lowest = s->version_min < lowest ? s->version_min : lowest;
        highest = s->version_max > highest ? s->version_max : highest;
    }
    if (usable.ids.count == 0)
        return no_suite(config, err);
    config->body.suites = usable.ids;
    config->body.suite_ties = usable.ties;
    if (lowest > config->body.version_min)
        config->body.version_min = lowest;
    if (highest < config->body.version_max)
        config->body.version_max = highest;
    return true;
}

static bool too_weak(const hf_config *config, const char *what, hf_error *err)
{
    return err_set(err, HF_E_CONFIG, "security level %d allows none of the %s that are set",
                   config->security_level, what);
}

static bool freeze_groups(hf_config *config, hf_error *err)
{
    struct sieve usable = {.from = &config->group_ties};

    for (size_t i = 0; i < config->groups.count; i++) {
        const struct group *group = group_find(config->groups.id[i]);
        if (group && security_allows_group(config->security_level, group))
            keep(&usable, i, group->id);
        else
            leave_out(&usable, i);
    }
    if (config->groups.count == 0)
        return err_set(err, HF_E_CONFIG, "this libcrypto (%s) has none of the default groups",
                       crypto_version());
    if (usable.ids.count == 0)
        return too_weak(config, "groups", err);
    config->body.groups_set = config->groups;
    config->body.group_ties_set = config->group_ties;
    config->groups = usable.ids;
    config->group_ties = usable.ties;
    return true;
}

static bool freeze_sigalgs(hf_config *config, hf_error *err)
{
    struct ids usable = {0};
    size_t signing = 0;

    for (size_t i = 0; i < config->sigalgs.count; i++) {
        const struct sigalg *alg = sigalg_find(config->sigalgs.id[i]);
        if (!alg || !security_allows_sigalg(config->security_level, alg))
            continue;
        usable.id[usable.count++] = alg->id;
        signing += alg->handshake;
    }
    if (usable.count == 0)
        return too_weak(config, "signature schemes", err);
    if (signing == 0 && !config->sigalgs_any && config_version(config, HF_TLS1_3))
        return err_set(err, HF_E_CONFIG,
                       "none of the signature schemes may sign a TLS 1.3 handshake (rsa_pkcs1_ "
                       "ones are for certificates and TLS 1.2 only): add one, as "
                       "ecdsa_secp256r1_sha256");
    config->body.sigalgs_set = config->sigalgs;
    config->sigalgs = usable;
    return true;
}

static bool check_credentials(const hf_config *config, hf_error *err)
{
    const struct credentials *list = config->credentials;

    for (size_t i = 0; list && i < list->count; i++) {
        const hf_credential *cred = list->cred[i];
        const hf_certificate *own = cred->chain ? cred->chain->cert[0] : NULL;
        if (!own || security_allows_key(config->security_level, cred->kind, cred->bits))
            continue;
        return err_set(err, HF_E_WEAK_KEY,
                       "%s%s: its key, %s, is too weak for security level %d",
                       cert_is_raw(own) ? "" : "certificate ", hf_certificate_subject(own),
                       hf_certificate_key(own), config->security_level);
    }
    return true;
}

static bool nothing_to_show(const hf_config *config)
{
    bool anonymous = false;

    for (size_t i = 0; i < config->suites.count; i++) {
        const struct suite *s = suite_find(config->suites.id[i]);
        anonymous = anonymous || (s && s->auth == AUTH_NONE);
    }
    return config->role == HF_SERVER && !config->credentials && !is_asked(config) &&
           !has_psk(config) && !anonymous;
}

bool usable_freeze(hf_config *config, hf_error *err)
{
    if (nothing_to_show(config))
        return err_set(
            err, HF_E_CONFIG,
            "a server needs a certificate and its key: hf_config_add_credential(), or a "
            "callback for HF_ASK_CREDENTIAL or HF_ASK_HELLO");
    return check_credentials(config, err) && freeze_versions(config, err) &&
           freeze_suites(config, err) && freeze_groups(config, err) &&
           freeze_sigalgs(config, err);
}

void usable_undo(hf_config *config)
{
    if (config->body.groups_set.count) {
        config->groups = config->body.groups_set;
        config->group_ties = config->body.group_ties_set;
    }
    if (config->body.sigalgs_set.count)
        config->sigalgs = config->body.sigalgs_set;
    config->body.groups_set.count = config->body.sigalgs_set.count = 0;
}
