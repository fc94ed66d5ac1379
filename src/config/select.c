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

/* The place of the credential's best scheme in the order that counts (ours or the peer's), or -1. */
static int scheme_place(const hf_config *config, const hf_credential *cred,
                        const uint16_t *peer, size_t peer_count, uint16_t *alg)
{
    const struct ids *ours = &config->sigalgs;
    size_t count = config->server_preference ? ours->count : peer_count;

    for (size_t i = 0; i < count; i++) {
        uint16_t id = config->server_preference ? ours->id[i] : peer[i];
        bool shared =
            config->server_preference ? has_scheme(peer, peer_count, id) : ids_has(ours, id);
        const struct sigalg *row = shared ? sigalg_find(id) : NULL;
        if (row && row->handshake && sigalg_fits(row, cred->kind, cred->bits)) {
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
    return scheme_place(config, cred, peer, peer_count, &alg) < 0 ? 0 : alg;
}

static bool peer_checks(enum sig_id sig, const uint16_t *peer, size_t peer_count)
{
    for (size_t i = 0; i < peer_count; i++) {
        const struct sigalg *row = sigalg_find(peer[i]);
        if (row && row->sig == sig)
            return true;
    }
    return false;
}

/* RFC 8446 4.2.3: the signatures within the chain should be such as the peer can check. What a root
 * says about itself is not checked. */
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

hf_credential *config_credential(const hf_config *config, const char *name,
                                 const uint16_t *peer, size_t peer_count, uint16_t *alg)
{
    const struct credentials *list = config->credentials;
    hf_credential *best = NULL;
    int best_rank = 0, best_place = 0;

    for (size_t i = 0; list && i < list->count; i++) {
        hf_credential *cred = list->cred[i];
        uint16_t scheme = 0;
        int place = scheme_place(config, cred, peer, peer_count, &scheme);
        if (place < 0)
            continue;
        /* RFC 8446 4.4.2.2: a chain that the peer may not be able to check is sent all the same if
         * there is no other. */
        int rank = 1;
        if (!name || credential_serves(cred, name))
            rank = chain_accepted(cred, peer, peer_count) ? 3 : 2;
        /* Without a name the first is the default: a better scheme is no reason to show another
         * site's certificate. */
        bool better = rank == best_rank && name && rank > 1 && place < best_place;
        if (rank > best_rank || better) {
            best = cred;
            best_rank = rank;
            best_place = place;
            *alg = scheme;
        }
    }
    return best;
}
