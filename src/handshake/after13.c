/* after13.c: what comes after the handshake (RFC 8446 4.6) and what can be derived from it (7.5). */
#include <stdatomic.h>

#include "handshake/after13.h"

#include "extension/application.h"
#include "handshake/details.h"
#include "handshake/later13.h"
#include "message/message.h"

void established_release(struct established *e)
{
    mem_free(e->alpn);
    mem_free(e->server_name);
    if (e->extras) {
        mem_free(e->extras->ocsp);
        mem_free(e->extras->scts);
        mem_free(e->extras->psk_identity);
        details_free(e->extras->details);
        later_free(e->extras->later);
        mem_free(e->extras);
    }
    chain_free(e->chain);
    chain_free(atomic_load(&e->path));
    atomic_store(&e->path, NULL);
    hf_certificate_free(e->own);
    e->own = NULL;
    e->alpn = NULL;
    e->server_name = NULL;
    e->extras = NULL;
    e->chain = NULL;
}

void established_clear(struct established *e)
{
    established_release(e);
    wipe(e, sizeof *e);
}

/* ---- sessions */

hf_session *session_from_established(const struct established *e, const hf_config *config)
{
    hf_session *s = session_new();
    if (!s)
        return NULL;
    s->version = e->version;
    s->suite = e->suite->id;
    s->group = e->group;
    s->signature = e->signature;
    s->verified = e->verified;
    s->named = e->named;
    s->own_raw = e->own_raw;
    memcpy(s->context, config->session_context, config->session_context_len);
    s->context_len = config->session_context_len;
    s->issued_ms = config_now_ms(config);
    s->started = config_now(config);
    s->chain = e->chain ? chain_ref(e->chain) : NULL;
    s->server_name = e->server_name ? mem_strdup(e->server_name) : NULL;
    s->alpn = e->alpn ? mem_dup(e->alpn, e->alpn_len) : NULL;
    s->alpn_len = e->alpn ? e->alpn_len : 0;
    const struct extras *x = e->server ? NULL : e->extras;
    s->ocsp = x && x->ocsp_len ? mem_dup(x->ocsp, x->ocsp_len) : NULL;
    s->ocsp_len = s->ocsp ? x->ocsp_len : 0;
    s->scts = x && x->scts_len ? mem_dup(x->scts, x->scts_len) : NULL;
    s->scts_len = s->scts ? x->scts_len : 0;
    if ((e->server_name && !s->server_name) || (e->alpn && !s->alpn) ||
        (x && x->ocsp_len && !s->ocsp) || (x && x->scts_len && !s->scts)) {
        hf_session_free(s);
        return NULL;
    }
    return s;
}

/* PSK = HKDF-Expand-Label(resumption_master_secret, "resumption", ticket_nonce, Hash.length)
 *                                                                            RFC 8446 4.6.1 */
void session_secret(hf_session *s, const struct established *e, struct slice nonce)
{
    s->secret_len = (uint8_t)hash_size(e->suite->hash);
    expand_label(e->suite->hash, e->resumption, "resumption", nonce, s->secret, s->secret_len);
}

/* A server that sends tickets without end makes a client compute and keep without end. */
enum { MAX_TICKETS = 64, MAX_KEY_UPDATES = 32 };
enum { WEEK = 604800, LONGEST_TICKET = 24576 };

static bool read_ticket(struct established *e, hf_config *config, hf_conn *conn, struct rd *r,
                        struct after *out, hf_error *err)
{
    struct new_session_ticket t;
    struct ext_values v;
    struct nego n = {0}; /* judges the extensions' places; it keeps nothing */
    n.err = err;
    n.config = config;
    n.conn = conn;
    n.version = HF_TLS1_3;
    n.psk = e->resumed;
    if (!msg_read_new_session_ticket(r, &t) || !ext_read(&n, &t.extensions, IN_NST, &v) ||
        !application_take(&n, &v, IN_NST))
        return false;
    if (++e->tickets > MAX_TICKETS)
        return err_set(err, HF_E_TICKETS, "more than %d without application data between them",
                       MAX_TICKETS);
    /* "zero indicates that the ticket should be discarded immediately". A ticket that hardly fits
     * into a ClientHello is of no use either. */
    if (t.lifetime == 0 || !config->psk_modes || t.ticket.len > LONGEST_TICKET)
        return true;
    hf_session *s = session_from_established(e, config);
    if (!s)
        return err_set(err, HF_E_NO_MEMORY, "session");
    /* "Clients MUST NOT cache tickets for longer than 7 days, regardless of the ticket_lifetime". */
    s->lifetime = t.lifetime < WEEK ? t.lifetime : WEEK;
    s->age_add = t.age_add;
    s->max_early_data = ext_has(&v, X_EARLY_DATA) ? v.max_early_data : 0;
    s->ticket = mem_dup(t.ticket.p, t.ticket.len);
    s->ticket_len = t.ticket.len;
    session_secret(s, e, t.nonce);
    if (!s->ticket) {
        hf_session_free(s);
        return err_set(err, HF_E_NO_MEMORY, "session");
    }
    out->session = s;
    return true;
}

/* ---- KeyUpdate */

/* application_traffic_secret_N+1 =
 *     HKDF-Expand-Label(application_traffic_secret_N, "traffic upd", "", Hash.length)   7.2 */
static void next_secret(const struct established *e, uint8_t secret[SECRET_MAX])
{
    uint8_t next[SECRET_MAX];
    size_t len = hash_size(e->suite->hash);
    expand_label(e->suite->hash, secret, "traffic upd", (struct slice){0}, next, len);
    memcpy(secret, next, len);
    wipe(next, sizeof next);
}

static bool read_key_update(struct established *e, struct rec_half *in, struct rd *r,
                            bool more_behind, const struct tracer *tracer, struct after *out,
                            hf_error *err)
{
    if (!msg_read_key_update(r, &out->answer_key_update))
        return false;
    /* "KeyUpdate ... MUST align with a record boundary" (5.1): what follows has other keys. */
    if (more_behind)
        return err_set(err, HF_E_EXCESS_HANDSHAKE_DATA, "bytes follow KeyUpdate in its record");
    if (++e->key_updates > MAX_KEY_UPDATES)
        return err_set(err, HF_E_KEY_UPDATES,
                       "more than %d without application data between them", MAX_KEY_UPDATES);
    next_secret(e, e->read_secret);
    uint16_t max_plain = in->max_plain;
    if (!established_rekey(e, in, true, false))
        return err_set(err, HF_E_CRYPTO, "the new key cannot be set");
    in->max_plain = max_plain;
    trace_secret(tracer,
                 e->server ? "client_application_traffic_secret_N"
                           : "server_application_traffic_secret_N",
                 e->read_secret, hash_size(e->suite->hash), "RFC 8446 7.2");
    trace_keys(tracer, false, "key update");
    return true;
}

bool after13_key_update(struct established *e, struct rec_half *out, bool request,
                        struct buffer *output, const struct tracer *tracer, hf_error *err)
{
    const uint8_t message[] = {MSG_KEY_UPDATE, 0, 0, 1, request ? 1 : 0};
    uint8_t *p = buffer_reserve(output, rec_sealed_size(out, REC_HANDSHAKE, sizeof message));
    size_t size = p ? rec_seal(out, REC_HANDSHAKE, HF_TLS1_2, message, sizeof message, p) : 0;
    if (!size)
        return err_set(err, p ? HF_E_CRYPTO : HF_E_NO_MEMORY, "KeyUpdate");
    output->end += size;
    trace_record(tracer, true, p, size);
    trace_plaintext(tracer, true, REC_HANDSHAKE, message, sizeof message);
    trace_message(tracer, true, message, sizeof message, true);
    next_secret(e, e->write_secret);
    uint16_t max_plain = out->max_plain, pad = out->pad_block;
    if (!established_rekey(e, out, false, false))
        return err_set(err, HF_E_CRYPTO, "the new key cannot be set");
    out->max_plain = max_plain;
    out->pad_block = pad;
    trace_secret(tracer,
                 e->server ? "server_application_traffic_secret_N"
                           : "client_application_traffic_secret_N",
                 e->write_secret, hash_size(e->suite->hash), "RFC 8446 7.2");
    trace_keys(tracer, true, "key update");
    return true;
}

/* ---- dispatch */

bool after13_may_come(const struct established *e, uint8_t type, hf_error *err)
{
    if (type == MSG_KEY_UPDATE || (type == MSG_NEW_SESSION_TICKET && !e->server))
        return true;
    if (later_takes(later_of(e), type))
        return true;
    if (type == MSG_CERTIFICATE_REQUEST && !e->server)
        return err_set(err, HF_E_UNEXPECTED_MESSAGE,
                       "CertificateRequest after the handshake, which was not offered");
    if (type == MSG_CLIENT_HELLO && e->server)
        return err_set(err, HF_E_UNEXPECTED_MESSAGE,
                       "ClientHello after the handshake: TLS 1.3 has no renegotiation");
    return err_set(err, HF_E_UNEXPECTED_MESSAGE, "%s (%u) after the handshake", msg_name(type),
                   type);
}

bool after13_message(struct established *e, hf_config *config, hf_conn *conn,
                     struct rec_half *in, const uint8_t *whole, size_t len, bool more_behind,
                     const struct tracer *tracer, struct after *out, hf_error *err)
{
    struct rd_msg m = {.name = msg_name(whole[0]), .err = err, .rfc = msg_rfc(whole[0])};
    struct trace_sink sink;
    memset(out, 0, sizeof *out);
    trace_message(tracer, false, whole, len, false);
    trace_attach(tracer, false, &sink, &m);
    struct rd r = rd_start(&m, whole, len, MSG_HEADER);
    if (whole[0] == MSG_KEY_UPDATE)
        return read_key_update(e, in, &r, more_behind, tracer, out, err);
    return read_ticket(e, config, conn, &r, out, err);
}

/* TLS-Exporter(label, context_value, key_length) =
 *     HKDF-Expand-Label(Derive-Secret(Secret, label, ""), "exporter", Hash(context_value), key_length)
 *                                                                            RFC 8446 7.5 */
bool after13_export(enum hash_id hash, const uint8_t *exporter, const char *label,
                    struct slice context, uint8_t *out, size_t len)
{
    uint8_t secret[HASH_MAX_SIZE], digest[HASH_MAX_SIZE];
    size_t size = hash_size(hash);
    if (strlen(label) > 249 || len > 255 * size)
        return false;
    hash_once(hash, "", 0, digest);
    expand_label(hash, exporter, label, slice_of(digest, size), secret, size);
    hash_once(hash, context.p, context.len, digest);
    expand_label(hash, secret, "exporter", slice_of(digest, size), out, len);
    wipe(secret, sizeof secret);
    return true;
}
