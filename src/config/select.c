/* select.c: which certificate, and which scheme to sign with. */
#include "config/config.h"

static bool has_scheme(const uint16_t *list, size_t count, uint16_t id)
{
    for (size_t i = 0; i < count; i++) {
        if (list[i] == id)
            return true;
    }
    return false;
}

static bool may_sign(const hf_credential *cred)
{
    return !cred->chain || cert_allows_signing(cred->chain->cert[0]);
}

static bool may_encipher(const hf_credential *cred)
{
    return !cred->chain || cert_allows_encipherment(cred->chain->cert[0]);
}

/* TLS 1.3, or 1.2, whose schemes of ECDSA fit any curve and which signs with PKCS #1 too. */
static bool row_fits(const hf_config *config, const struct sigalg *row,
                     const hf_credential *cred, uint16_t version)
{
    if (version < HF_TLS1_3)
        return sigalg_fits12(row, cred->kind, cred->bits);
    bool legacy = sigalg_is_legacy(row->id) && config->role == HF_CLIENT;
    return (row->handshake || legacy) && sigalg_fits(row, cred->kind, cred->bits);
}

/* The place of the credential's best scheme in the order that counts (ours or the peer's), or
 * -1. */
static int scheme_place(const hf_config *config, const hf_credential *cred, uint16_t version,
                        const uint16_t *peer, size_t peer_count, uint16_t *alg)
{
    if (!may_sign(cred))
        return -1;
    const struct ids *ours = config_signing(config, config->role == HF_CLIENT);
    size_t count = config->server_preference ? ours->count : peer_count;

    for (size_t i = 0; i < count; i++) {
        uint16_t id = config->server_preference ? ours->id[i] : peer[i];
        bool shared =
            config->server_preference ? has_scheme(peer, peer_count, id) : ids_has(ours, id);
        const struct sigalg *row = shared ? sigalg_find(id) : NULL;
        if (row && row_fits(config, row, cred, version)) {
            *alg = id;
            return i > INT16_MAX ? INT16_MAX : (int)i;
        }
    }
    return -1;
}

uint16_t config_scheme_for(const hf_config *config, const hf_credential *cred,
                           const uint16_t *peer, size_t peer_count)
{
    uint16_t alg = 0;
    return scheme_place(config, cred, HF_TLS1_3, peer, peer_count, &alg) < 0 ? 0 : alg;
}

uint16_t config_scheme12(const hf_config *config, const hf_credential *cred,
                         const uint16_t *peer, size_t peer_count)
{
    uint16_t alg = 0;
    return scheme_place(config, cred, HF_TLS1_2, peer, peer_count, &alg) < 0 ? 0 : alg;
}

static bool peer_checks(enum sig_id sig, const uint16_t *peer, size_t peer_count)
{
    for (size_t i = 0; i < peer_count; i++) {
        const struct sigalg *row = sigalg_find(peer[i]);
        if (row && row->sig == sig && !sigalg_is_legacy(row->id))
            return true;
    }
    return false;
}

/* RFC 8446 4.2.3: the signatures within the chain should be such as the peer can check. What a
 * root says about itself is not checked. */
static bool chain_accepted(const hf_credential *cred, const uint16_t *peer, size_t peer_count)
{
    const struct chain *chain = cred->chain;
    for (size_t i = 0; chain && i < chain->count; i++) {
        if (cert_is_self_issued(chain->cert[i]))
            continue;
        if (!peer_checks(cert_signed_with(chain->cert[i]), peer, peer_count))
            return false;
    }
    return true;
}

/* The best so far; see consider. */
struct choice {
    hf_credential *cred;
    int rank, place;
    uint16_t alg;
};

/* RFC 8446 4.4.2.2: a chain that the peer may not be able to check is sent all the same if
 * there is no other. Without a name the first is the default: a better scheme is no reason to
 * show another site's certificate. */
static void consider(struct choice *best, hf_credential *cred, const char *name, bool accepted,
                     int place, uint16_t alg)
{
    enum serving serves = name ? credential_serves(cred, name) : SERVES;
    int rank = serves == SERVES_NOT ? 1 : 2 * (int)serves + accepted;
    bool better = rank == best->rank && name && rank > 1 && place < best->place;
    if (rank > best->rank || better)
        *best = (struct choice){cred, rank, place, alg};
}

bool config_shows(const hf_config *config, unsigned types)
{
    const struct credentials *list = config->credentials;
    types &= cert_types_mask(&config->body.own_types);
    for (size_t i = 0; list && i < list->count; i++) {
        if (credential_type(list->cred[i]) & types)
            return true;
    }
    return false;
}

static hf_credential *best_of(const hf_config *config, enum cert_type type, const char *name,
                              const uint16_t *peer, size_t peer_count, uint16_t *alg)
{
    const struct credentials *list = config->credentials;
    struct choice best = {0};

    for (size_t i = 0; list && i < list->count; i++) {
        hf_credential *cred = list->cred[i];
        uint16_t scheme = 0;
        if (credential_type(cred) != type)
            continue;
        int place = scheme_place(config, cred, HF_TLS1_3, peer, peer_count, &scheme);
        if (place >= 0)
            consider(&best, cred, name, chain_accepted(cred, peer, peer_count), place, scheme);
    }
    if (best.cred)
        *alg = best.alg;
    return best.cred;
}

hf_credential *config_credential_of(const hf_config *config, unsigned types, const char *name,
                                    const uint16_t *peer, size_t peer_count, uint16_t *alg)
{
    const struct cert_types *order = &config->body.own_types;
    hf_credential *cred = NULL;
    for (size_t i = 0; !cred && i < order->count; i++) {
        if (order->type[i] & types)
            cred = best_of(config, order->type[i], name, peer, peer_count, alg);
    }
    return cred;
}

hf_credential *config_credential(const hf_config *config, const char *name,
                                 const uint16_t *peer, size_t peer_count, uint16_t *alg)
{
    return best_of(config, CERT_X509, name, peer, peer_count, alg);
}

/* ---- TLS 1.2 and older */

/* RFC 8422 5.3: the certificate's curve must be one that the peer knows. EdDSA keys have none.
 */
static bool curve_known(const hf_credential *cred, const struct ids *groups)
{
    uint16_t curve = curve_of_key(cred->kind);
    return !groups || curve == 0 || ids_has(groups, curve);
}

/* Before TLS 1.2 the key says how it signs: RSA with MD5 and SHA-1, ECDSA with SHA-1 (RFC
 * 4346 7.4.3, RFC 8422 5.4); neither RSA-PSS nor EdDSA has a way. */
static bool signs_old(enum key_kind kind)
{
    return kind == KEY_RSA ||
           (auth_of_key(kind) == AUTH_ECDSA && kind != KEY_ED25519 && kind != KEY_ED448);
}

static int place12(const hf_config *config, const hf_credential *cred,
                   const struct credential_wish *wish, uint16_t *alg)
{
    *alg = 0;
    if (auth_of_key(cred->kind) != wish->auth || !curve_known(cred, wish->groups))
        return -1;
    /* With another's private key nothing can be decrypted: HF_ASK_SIGNATURE only signs. */
    if (!wish->signs)
        return cred->kind == KEY_RSA && cred->key && may_encipher(cred) ? 0 : -1;
    if (wish->version < HF_TLS1_2)
        return signs_old(cred->kind) && may_sign(cred) ? 0 : -1;
    return scheme_place(config, cred, HF_TLS1_2, wish->schemes, wish->scheme_count, alg);
}

static hf_credential *best_of12(const hf_config *config, enum cert_type type,
                                const struct credential_wish *wish, uint16_t *alg)
{
    const struct credentials *list = config->credentials;
    struct choice best = {0};

    for (size_t i = 0; list && i < list->count; i++) {
        hf_credential *cred = list->cred[i];
        uint16_t scheme;
        if (credential_type(cred) != type)
            continue;
        int place = place12(config, cred, wish, &scheme);
        if (place < 0)
            continue;
        bool accepted = wish->version < HF_TLS1_2 || wish->scheme_count == 0 ||
                        chain_accepted(cred, wish->schemes, wish->scheme_count);
        consider(&best, cred, wish->name, accepted, place, scheme);
    }
    *alg = best.alg;
    return best.cred;
}

hf_credential *config_credential12(const hf_config *config, const struct credential_wish *wish,
                                   uint16_t *alg)
{
    const struct cert_types *order = &config->body.own_types;
    hf_credential *cred = NULL;
    if (!wish->types)
        return best_of12(config, CERT_X509, wish, alg);
    *alg = 0;
    for (size_t i = 0; !cred && i < order->count; i++) {
        if (order->type[i] & wish->types)
            cred = best_of12(config, order->type[i], wish, alg);
    }
    return cred;
}
