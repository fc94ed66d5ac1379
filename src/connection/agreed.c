/* agreed.c: what a connection can tell about itself. */
#include "connection/conn.h"

/* hf_conn_output would run the handshake on, and have something then. */
static bool has_more_to_say(const hf_conn *c)
{
    return c->hs && !c->hs->cancelled &&
           (c->hs->answered || (!c->est.server && c->hs->step == client13));
}

unsigned hf_conn_wants(const hf_conn *c)
{
    unsigned state = conn_state(c), wants = 0;
    if (buffer_len(&c->output) || state & (HO_ALERT | HO_KEY_UPDATE | HO_REFUSE | HO_LATER) ||
        has_more_to_say(c))
        wants |= HF_CAN_OUTPUT;
    if (state & HO_CLOSED_IN)
        wants |= HF_IS_CLOSED_IN;
    if (state & HO_CLOSED_OUT)
        wants |= HF_IS_CLOSED_OUT;
    if (state & HO_FAILED)
        return wants | HF_IS_FAILED;
    if (c->hs)
        wants |= HF_IN_HANDSHAKE;
    if (c->hs && hf_conn_question(c))
        return wants | HF_CAN_ANSWER;
    if (state & HO_ASKS)
        wants |= HF_CAN_ANSWER;
    /* A server that judges a certificate does not go on reading: what comes next is said under its name. */
    if (!(state & HO_CLOSED_IN) && !(state & HO_ASKS && c->est.server))
        wants |= HF_CAN_RECEIVE;
    if ((!c->hs || c->hs->may_send) && !(state & HO_CLOSED_OUT))
        wants |= HF_CAN_SEND;
    return wants;
}

const hf_error *hf_conn_error(const hf_conn *c)
{
    return conn_state(c) & HO_FAILED ? &c->error : NULL;
}

void hf_conn_set_user(hf_conn *c, void *user)
{
    c->user = user;
}

void *hf_conn_user(const hf_conn *c)
{
    return c->user;
}

hf_config *hf_conn_config(const hf_conn *c)
{
    return c->config;
}

bool hf_conn_is_server(const hf_conn *c)
{
    return c->est.server;
}

uint16_t hf_conn_version(const hf_conn *c)
{
    return c->est.version;
}

uint16_t hf_conn_suite(const hf_conn *c)
{
    return c->est.suite ? c->est.suite->id : 0;
}

uint16_t hf_conn_group(const hf_conn *c)
{
    return c->est.group;
}

uint16_t hf_conn_signature(const hf_conn *c)
{
    return c->est.signature;
}

bool hf_conn_resumed(const hf_conn *c)
{
    return c->est.resumed;
}

hf_stateless hf_conn_stateless(const hf_conn *c)
{
    return c->est.stateless;
}

bool hf_conn_retried(const hf_conn *c)
{
    return conn_in_handshake(c) ? c->hs->n.retried : c->est.retried;
}

bool hf_conn_verified(const hf_conn *c)
{
    return c->est.verified;
}

const char *hf_conn_server_name(const hf_conn *c)
{
    return conn_in_handshake(c) ? c->hs->n.server_name : c->est.server_name;
}

const uint8_t *hf_conn_alpn(const hf_conn *c, size_t *len)
{
    const struct hs *hs = c->hs && c->hs->may_send ? c->hs : NULL;
    *len = hs ? hs->n.alpn_len : c->est.alpn_len;
    return hs ? hs->n.alpn : c->est.alpn;
}

/* In the handshake the chain is there as soon as it was read: a verifier asks for it. In a renegotiation it
 * is his alone until it has been proved: data of the handshake before still comes meanwhile, and whoever
 * asks whose it is must not be shown what a peer merely claims. */
static const struct hs *shows_new(const hf_conn *c)
{
    const struct hs *hs = conn_asking(c);
    bool now = hs && ((c->hs && !c->est.version) || c->running || hs->question.ask);
    return now ? hs : NULL;
}

static const struct chain *peer_chain(const hf_conn *c)
{
    const struct hs *now = shows_new(c);
    return now && now->peer_chain ? now->peer_chain : c->est.chain;
}

const hf_certificate *hf_conn_peer_certificate(const hf_conn *c, size_t i)
{
    const struct chain *chain = peer_chain(c);
    return chain && i < chain->count && !cert_is_raw(chain->cert[i]) ? chain->cert[i] : NULL;
}

hf_certificate_type hf_conn_peer_certificate_type(const hf_conn *c)
{
    const struct chain *chain = peer_chain(c);
    return chain && cert_is_raw(chain->cert[0]) ? HF_CERTIFICATE_RAW_KEY : HF_CERTIFICATE_X509;
}

hf_certificate_type hf_conn_own_certificate_type(const hf_conn *c)
{
    return c->est.own_raw ? HF_CERTIFICATE_RAW_KEY : HF_CERTIFICATE_X509;
}

const uint8_t *hf_conn_peer_raw_key(const hf_conn *c, size_t *len)
{
    const struct chain *chain = peer_chain(c);
    bool raw = chain && cert_is_raw(chain->cert[0]);
    if (len)
        *len = raw ? cert_der(chain->cert[0]).len : 0;
    return raw ? cert_der(chain->cert[0]).p : NULL;
}

const uint8_t *hf_conn_peer_key_sha256(const hf_conn *c)
{
    const struct chain *chain = peer_chain(c);
    return chain ? hf_certificate_key_sha256(chain->cert[0]) : NULL;
}

const char *hf_conn_peer_key(const hf_conn *c)
{
    const struct chain *chain = peer_chain(c);
    return chain ? hf_certificate_key(chain->cert[0]) : NULL;
}

/* Few ask for it and it takes an allocation, so it is found when it is asked for; the first one stays. */
static const struct chain *verified_path(const hf_conn *c)
{
    _Atomic(struct chain *) *place = &((hf_conn *)(uintptr_t)c)->est.path;
    struct chain *known = atomic_load_explicit(place, memory_order_acquire);
    const hf_config *config = c->config;
    if (known || !c->est.verified || !c->est.chain || !config->trust ||
        cert_is_raw(c->est.chain->cert[0]))
        return known;
    struct verify_options o = {.server = !c->est.server,
                               .depth = config->verify_depth,
                               .now = config_now(config),
                               .level = config->security_level,
                               .rules = config->rules};
    struct chain *path = chain_path(c->est.chain, config->trust, &o);
    if (path && !atomic_compare_exchange_strong_explicit(
                    place, &known, path, memory_order_acq_rel, memory_order_acquire)) {
        chain_free(path);
        return known;
    }
    return path;
}

const hf_certificate *hf_conn_verified_certificate(const hf_conn *c, size_t i)
{
    const struct chain *path = verified_path(c);
    return path && i < path->count ? path->cert[i] : NULL;
}

const uint8_t *hf_conn_peer_ocsp(const hf_conn *c, size_t *len)
{
    const struct extras *x = c->est.extras;
    const struct hs *now = shows_new(c);
    bool new = now && now->n.peer_ocsp;
    *len = new ? now->n.peer_ocsp_len : x ? x->ocsp_len : 0;
    return new ? now->n.peer_ocsp : x ? x->ocsp : NULL;
}

const uint8_t *hf_conn_peer_scts(const hf_conn *c, size_t *len)
{
    const struct extras *x = c->est.extras;
    const struct hs *now = shows_new(c);
    bool new = now && now->n.peer_scts;
    *len = new ? now->n.peer_scts_len : x ? x->scts_len : 0;
    return new ? now->n.peer_scts : x ? x->scts : NULL;
}

const uint8_t *hf_conn_psk_identity(const hf_conn *c, size_t *len)
{
    const struct extras *x = c->est.extras;
    *len = x ? x->psk_identity_len : 0;
    return x ? x->psk_identity : NULL;
}

uint16_t hf_conn_peer_compression(const hf_conn *c, size_t *compressed, size_t *size)
{
    static const struct compression none;
    const struct extras *x = c->est.extras;
    const struct compression *how = shows_new(c) && c->hs->compression.algorithm
                                        ? &c->hs->compression
                                    : x ? &x->compression
                                        : &none;
    if (compressed)
        *compressed = how->packed;
    if (size)
        *size = how->length;
    return how->algorithm;
}

int32_t hf_conn_ticket_age_skew(const hf_conn *c)
{
    return c->est.extras ? c->est.extras->age_skew : 0;
}

bool hf_conn_ems(const hf_conn *c)
{
    return c->est.ems;
}

bool hf_conn_etm(const hf_conn *c)
{
    return c->est.etm;
}

bool hf_conn_secure_renegotiation(const hf_conn *c)
{
    return c->est.secure;
}

static bool bad_export(const char *label, const uint8_t *context, size_t context_len,
                       const uint8_t *out, size_t len, hf_error *err)
{
    if (label && (!len || out) && (!context_len || context))
        return false;
    err_set(err, HF_E_USAGE, "an export: the label, the context or out is NULL");
    return true;
}

static bool export13(enum hash_id hash, const uint8_t *secret, const char *label,
                     struct slice context, uint8_t *out, size_t len, hf_error *err)
{
    return after13_export(hash, secret, label, context, out, len) ||
           err_set(err, HF_E_USAGE,
                   "label of %zu bytes (at most 249) or length %zu (at most 255 hashes)",
                   strlen(label), len);
}

bool hf_conn_export(const hf_conn *c, const char *label, const uint8_t *context,
                    size_t context_len, uint8_t *out, size_t len, hf_error *err)
{
    err_begin(err);
    bool halfway = conn_in_handshake(c) && c->hs->exporting && !c->hs->cancelled;
    if (!c->est.version && !halfway)
        return err_set(err, HF_E_NOT_HANDSHAKEN, "hf_conn_export");
    if (bad_export(label, context, context_len, out, len, err))
        return false;
    if (!halfway && c->est.version < HF_TLS1_3)
        return after12_export(&c->est, label, context, context_len, out, len) ||
               err_set(err, HF_E_USAGE, "a context of %zu bytes (at most 65535)", context_len);
    return export13(halfway ? c->hs->hash : c->est.suite->hash, c->est.exporter, label,
                    slice_of(context, context_len), out, len, err);
}

/* The secret belongs to the session that is offered first, or was accepted (RFC 8446 7.1). */
bool hf_conn_export_early(const hf_conn *c, const char *label, const uint8_t *context,
                          size_t context_len, uint8_t *out, size_t len, hf_error *err)
{
    err_begin(err);
    const struct hs *hs = c->hs;
    bool may = hs && !hs->cancelled && hs->n.session &&
               (c->est.early == HF_EARLY_OFFERED || c->est.early == HF_EARLY_ACCEPTED);
    const struct details *d = !hs && c->est.extras ? c->est.extras->details : NULL;
    if (!may && !(d && d->early_exporter))
        return err_set(err, HF_E_NOT_HANDSHAKEN,
                       "hf_conn_export_early: no early data is on its way");
    if (bad_export(label, context, context_len, out, len, err))
        return false;
    if (!may)
        return export13(c->est.suite->hash, d->early_exporter, label,
                        slice_of(context, context_len), out, len, err);
    return export13(suite_find(hs->n.session->suite)->hash, hs->early_exporter, label,
                    slice_of(context, context_len), out, len, err);
}
