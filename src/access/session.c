/* session.c: sessions, opened for libssl/, which shows and changes what the public API keeps closed. */
#include <stdatomic.h>

#include <time.h>

#include "access/access.h"
#include "config/psk.h"
#include "connection/conn.h"
#include "crypto/random.h"
#include "handshake/after13.h"
#include "handshake/hs.h"

void access_session_read(const hf_session *s, struct access_session *out)
{
    *out = (struct access_session){
        .version = s->version,
        .suite = s->suite,
        .secret = s->secret,
        .secret_len = s->secret_len,
        .id = s->id,
        .id_len = s->id_len,
        .ticket = s->ticket,
        .ticket_len = s->ticket_len,
        .lifetime = s->lifetime,
        .age_add = s->age_add,
        .max_early_data = s->max_early_data,
        .issued_ms = s->issued_ms,
        .server_name = s->server_name,
        .alpn = s->alpn,
        .alpn_len = s->alpn_len,
        .context = s->context,
        .context_len = s->context_len,
        .ems = s->ems,
        .max_fragment = s->max_fragment,
        .group = s->group,
        .signature = s->signature,
        .verified = s->verified,
        .chain = s->chain ? s->chain->cert : NULL,
        .chain_len = s->chain ? s->chain->count : 0,
    };
}

static bool copy_parts(hf_session *s, const struct access_session *from)
{
    s->ticket = from->ticket_len ? mem_dup(from->ticket, from->ticket_len) : NULL;
    s->ticket_len = s->ticket ? from->ticket_len : 0;
    s->server_name = from->server_name ? mem_strdup(from->server_name) : NULL;
    s->alpn = from->alpn_len ? mem_dup(from->alpn, from->alpn_len) : NULL;
    s->alpn_len = s->alpn ? (uint8_t)from->alpn_len : 0;
    s->chain = from->chain_len ? chain_new(from->chain, from->chain_len) : NULL;
    return (s->ticket || !from->ticket_len) && (s->server_name || !from->server_name) &&
           (s->alpn || !from->alpn_len) && (s->chain || !from->chain_len);
}

hf_session *access_session_new(const struct access_session *from)
{
    hf_session *s = session_new();
    bool fits = from->secret_len <= sizeof s->secret && from->id_len <= sizeof s->id &&
                from->context_len <= sizeof s->context && from->alpn_len <= UINT8_MAX;
    if (!s || !fits || !copy_parts(s, from)) {
        hf_session_free(s);
        return NULL;
    }
    s->version = from->version;
    s->suite = from->suite;
    if (from->secret_len)
        memcpy(s->secret, from->secret, from->secret_len);
    s->secret_len = (uint8_t)from->secret_len;
    if (from->id_len)
        memcpy(s->id, from->id, from->id_len);
    s->id_len = (uint8_t)from->id_len;
    if (from->context_len)
        memcpy(s->context, from->context, from->context_len);
    s->context_len = (uint8_t)from->context_len;
    s->lifetime = from->lifetime;
    s->age_add = from->age_add;
    s->max_early_data = from->max_early_data;
    s->issued_ms = from->issued_ms;
    s->started = from->issued_ms / 1000;
    s->ems = from->ems;
    s->max_fragment = from->max_fragment;
    s->group = from->group;
    s->signature = from->signature;
    s->verified = s->named = from->verified;
    return s;
}

/* OpenSSL lets a session be offered as often as one likes. */
void access_session_use_again(hf_session *session)
{
    atomic_store(&session->used, 0);
}

void access_session_set_lifetime(hf_session *session, uint32_t seconds)
{
    session->lifetime = seconds;
}

hf_session *access_session_of(const hf_conn *c)
{
    const struct established *e = &c->est;
    if (!e->version)
        return NULL;
    hf_session *s = session_from_established(e, c->config);
    if (!s)
        return NULL;
    s->ems = e->ems;
    if (e->version == HF_TLS1_3) {
        s->secret_len = (uint8_t)hash_size(e->suite->hash);
        memcpy(s->secret, e->resumption, s->secret_len);
        return s;
    }
    s->secret_len = sizeof e->master;
    memcpy(s->secret, e->master, sizeof e->master);
    memcpy(s->id, e->session_id, e->session_id_len);
    s->id_len = e->session_id_len;
    return s;
}

bool access_config_sessions(hf_config *config, const struct session_ids *ids, bool tickets)
{
    if (atomic_load(&config->frozen))
        return false;
    config->session_ids = ids;
    config->no_tickets12 = !tickets;
    config->always_tickets12 = tickets;
    return true;
}

bool access_config_secrets(hf_config *config, const struct session_secrets *secrets)
{
    if (atomic_load(&config->frozen))
        return false;
    config->session_secrets = secrets;
    return true;
}

/* A message of the handshake needs one: what it takes of it is in the connection. */
static struct hs *stand_in(hf_conn *c)
{
    struct established *e = &c->est;
    struct hs *hs = hs_new(c->config, true, c, e, c->tracer);
    if (!hs)
        return NULL;
    hs->n.version = e->version;
    hs->n.suite = e->suite;
    hs->hash = e->suite->hash;
    if (!e->server_name || (hs->n.server_name = mem_strdup(e->server_name)))
        return hs;
    hs_free(hs);
    return NULL;
}

bool access_conn_new_ticket(hf_conn *c)
{
    uint8_t nonce[8]; /* longer than those of the handshake's own tickets */
    if (c->hs || !c->est.server || c->est.version != HF_TLS1_3)
        return false;
    struct hs *hs = random_bytes(nonce, sizeof nonce) ? stand_in(c) : NULL;
    if (!hs)
        return false;
    bool ok = send_ticket13(hs, slice_of(nonce, sizeof nonce)) == HS_OK &&
              (buffer_len(&hs->flight) == 0 ||
               (conn_awake(c, false, NULL) &&
                conn_put_record(c, REC_HANDSHAKE, buffer_front(&hs->flight),
                                buffer_len(&hs->flight))));
    hs_free(hs);
    return ok;
}

hf_session *access_session_external(const uint8_t *identity, size_t identity_len,
                                    const uint8_t *key, size_t key_len, uint16_t suite,
                                    uint32_t max_early_data)
{
    enum { WEEK = 7 * 24 * 60 * 60 };
    const struct suite *of = suite_find(suite);
    struct timespec now;
    if (!of || identity_len == 0 || identity_len > 65535 || key_len == 0 ||
        clock_gettime(CLOCK_REALTIME, &now) != 0)
        return NULL;
    hf_session *s =
        psk_external(slice_of(identity, identity_len), slice_of(key, key_len), of->hash);
    if (!s)
        return NULL;
    s->suite = suite;
    s->issued_ms = (int64_t)now.tv_sec * 1000;
    s->started = now.tv_sec;
    s->lifetime = WEEK;
    s->max_early_data = max_early_data;
    return s;
}

bool access_offer_external(hf_conn *conn, hf_session *external)
{
    struct hs *hs = conn->hs;
    if (!hs || hs->n.server || hs->step != client13 || hs->n.external)
        return false;
    hs->n.external = hf_session_ref(external);
    return true;
}
