/* common.c: what handshakes of all versions share: making a signature, and what a finished one leaves. */
#include "bytes/names.h"
#include "handshake/hs.h"

static enum hs_result sign_here(struct hs *hs, uint16_t scheme, enum sig_id sig,
                                struct slice tbs)
{
    if (!hs->credential->key)
        return hs_fail(hs, HF_E_CONFIG,
                       "the credential's key is external and no callback signs");
    if (!private_key_sign(hs->credential->key, sig, tbs, hs->signature, &hs->signature_len))
        return hs_fail(hs, HF_E_CRYPTO, "signing with %s failed", name_signature(scheme));
    return HS_OK;
}

enum hs_result hs_sign(struct hs *hs, uint16_t scheme, enum sig_id sig, struct slice tbs)
{
    bool nobody;
    if (!hs->n.config->ask[HF_ASK_SIGNATURE] && !hs->answered)
        return sign_here(hs, scheme, sig, tbs);
    if (!hs->tbs) { /* the application may take its time: the question's bytes are kept */
        hs->tbs = mem_dup(tbs.p, tbs.len);
        hs->tbs_len = tbs.len;
        if (!hs->tbs)
            return hs_fail(hs, HF_E_NO_MEMORY, "signature");
    }
    hs->question.scheme = scheme;
    hs->question.credential = hs->credential;
    hs->question.to_be_signed = hs->tbs;
    hs->question.to_be_signed_len = hs->tbs_len;
    enum hs_result r = hs_ask(hs, HF_ASK_SIGNATURE, &nobody);
    if (r != HS_OK)
        return r;
    if (nobody)
        return sign_here(hs, scheme, sig, tbs);
    hs_asked(hs);
    mem_free(hs->tbs);
    hs->tbs = NULL;
    return hs->signature_len
               ? HS_OK
               : hs_fail(hs, HF_E_CRYPTO, "the application's key refused to sign");
}

/* ---- resumption */

enum hs_result recall_peer(struct hs *hs)
{
    const hf_session *s = hs->n.session;
    if (hs->n.server)
        return HS_OK;
    mem_free(hs->n.peer_ocsp);
    mem_free(hs->n.peer_scts);
    hs->n.peer_ocsp = s->ocsp_len ? mem_dup(s->ocsp, s->ocsp_len) : NULL;
    hs->n.peer_ocsp_len = s->ocsp_len;
    hs->n.peer_scts = s->scts_len ? mem_dup(s->scts, s->scts_len) : NULL;
    hs->n.peer_scts_len = s->scts_len;
    if ((s->ocsp_len && !hs->n.peer_ocsp) || (s->scts_len && !hs->n.peer_scts))
        return hs_fail(hs, HF_E_NO_MEMORY, "OCSP response or timestamps");
    return HS_OK;
}

bool verifying_resumed(const struct hs *hs)
{
    const struct nego *n = &hs->n;
    return n->config->verify_resumed && (n->psk || n->resumed12) && n->session->chain;
}

enum hs_result verify_resumed(struct hs *hs)
{
    if (!hs->peer_chain)
        hs->peer_chain = chain_ref(hs->n.session->chain);
    enum hs_result r = verify_peer13(hs);
    if (r == HS_OK) { /* nobody shows it in this handshake */
        chain_free(hs->peer_chain);
        hs->peer_chain = NULL;
    }
    return r;
}

/* ---- the end of it */

struct extras *extras_of(struct established *e)
{
    if (!e->extras)
        e->extras = mem_new(sizeof *e->extras);
    return e->extras;
}

static void move_extras(struct hs *hs)
{
    struct nego *n = &hs->n;
    int32_t age_skew = n->psk ? hs->age_skew : 0;
    if (!n->peer_ocsp && !n->peer_scts && !hs->psk_identity && !hs->compression.algorithm &&
        !age_skew)
        return;
    struct extras *x = extras_of(hs->est);
    if (!x)
        return; /* without memory these are lost; nothing depends on them any more */
    x->ocsp = n->peer_ocsp;
    x->ocsp_len = n->peer_ocsp_len;
    x->scts = n->peer_scts;
    x->scts_len = n->peer_scts_len;
    x->psk_identity = hs->psk_identity;
    x->psk_identity_len = hs->psk_identity_len;
    x->compression = hs->compression;
    x->age_skew = age_skew;
    n->peer_ocsp = n->peer_scts = hs->psk_identity = NULL;
}

void hs_take_peer(struct hs *hs)
{
    struct established *e = hs->est;
    const hf_config *config = hs->n.config;
    e->chain = hs->peer_chain;
    e->verified = e->chain && config->verify && (hs->proved & (PROOF_CHAIN | PROOF_RAW_KEY)) &&
                  hs->verdict.code == HF_OK;
    e->named = e->verified && !hs->n.server && config->verify_name && !peer_is_raw(hs);
    hs->peer_chain = NULL;
}

static void move_peer(struct hs *hs, const hf_session *resumed)
{
    struct established *e = hs->est;
    if (resumed) {
        e->chain = resumed->chain ? chain_ref(resumed->chain) : NULL;
        e->verified = resumed->verified && hs->verdict.code == HF_OK; /* verify_resumed's */
        e->named = resumed->named && e->verified;
        e->own_raw = resumed->own_raw;
        return;
    }
    hs_take_peer(hs);
    e->own_raw = hs->credential && credential_type(hs->credential) == CERT_RAW;
}

void hs_establish(struct hs *hs)
{
    struct established *e = hs->est;
    struct nego *n = &hs->n;
    established_release(e);
    e->server = n->server;
    e->version = n->version;
    e->suite = n->suite;
    e->group = n->group && (!n->psk || n->psk_dhe) ? n->group->id : 0;
    e->retried = n->retried;
    e->alpn = n->alpn;
    e->alpn_len = n->alpn_len;
    e->server_name = n->server_name;
    n->alpn = NULL;
    n->server_name = NULL;
    if (n->server && hs->credential && !n->psk && !n->resumed12)
        e->own = hf_certificate_ref(hs->credential->chain->cert[0]);
    move_extras(hs);
    move_peer(hs, n->psk || n->resumed12 ? n->session : NULL);
}

/* The client's chain goes into the ticket, and the ticket into one ClientHello: a chain that would
 * make that longer than what other servers' first read takes is not worth a resumption. */
bool chain_fits_ticket(const struct chain *chain)
{
    size_t sum = 0;
    for (size_t i = 0; chain && i < chain->count; i++)
        sum += cert_der(chain->cert[i]).len;
    return sum <= 16384;
}
