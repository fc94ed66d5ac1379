/* tickets.c: a server's tickets: sealed and opened by its keys (config/ticket.h), or by the application. */
#include "config/cache.h"
#include "config/ticket.h"

#include "handshake/hs.h"

/* A ticket that is a number: the session is in the cache (hf_config_set_options, NO_TICKET). */
static hf_session *open_stateful(const hf_config *config, struct slice ticket)
{
    return ticket.len == STATEFUL_TICKET ? cache_find(config, ticket) : NULL;
}

/* It leaves the cache when it has been used, so that nobody uses it twice (RFC 8446 8.1). */
void hs_ticket_used(struct hs *hs)
{
    const hf_session *s = hs->n.psk ? hs->n.session : NULL;
    if (s && hs->n.config->stateful_tickets && s->kind == PSK_RESUMPTION && s->id_len)
        cache_remove(hs->n.config, s);
}

enum hs_result hs_open_ticket(struct hs *hs, struct slice ticket, hf_session **session)
{
    bool nobody;
    *session = NULL;
    hs->question.ticket = ticket.p;
    hs->question.ticket_len = ticket.len;
    enum hs_result r = hs_ask(hs, HF_ASK_TICKET, &nobody);
    if (r != HS_OK)
        return r;
    if (nobody) {
        hs->question.ticket = NULL;
        hs->question.ticket_len = 0;
        *session = hs->n.config->stateful_tickets ? open_stateful(hs->n.config, ticket)
                                                  : ticket_open(hs->n.config, ticket);
        return HS_OK;
    }
    hs_asked(hs);
    *session = hs->answer_session;
    hs->answer_session = NULL;
    if (*session && session_expired(*session, config_now_ms(hs->n.config))) {
        hf_session_free(*session);
        *session = NULL;
    }
    hs->renew_ticket = *session && hs->answer_renew;
    return HS_OK;
}

enum hs_result hs_make_ticket(struct hs *hs, hf_session *session, struct buffer *out,
                              bool *wanted)
{
    const hf_config *config = hs->n.config;
    *wanted = true;
    if (!config->ticket_seal && config->stateful_tickets) {
        *wanted = config->cache_sessions || config->store.add;
        if (!*wanted)
            return HS_OK;
        if (!buffer_append(out, session->id, session->id_len))
            return hs_fail(hs, HF_E_NO_MEMORY, "ticket");
        cache_add(config, hs->n.conn, session);
        return HS_OK;
    }
    if (!config->ticket_seal)
        return HS_OK;
    size_t size = hf_session_export(session, NULL, 0) + HF_TICKET_ROOM;
    if (size > 65535)
        size = 65535;
    uint8_t *p = buffer_reserve(out, size);
    if (!p)
        return hs_fail(hs, HF_E_NO_MEMORY, "ticket");
    size_t len = config->ticket_seal(hs->n.conn, session, p, size, config->ticket_seal_arg);
    if (hs->cancelled || len > size)
        return hs_fail(hs, HF_E_CRYPTO, "the application cannot seal the ticket");
    out->end += len;
    *wanted = len > 0;
    return HS_OK;
}

bool hs_write_ticket(struct hs *hs, const hf_session *session, const struct buffer *made,
                     struct wr *w)
{
    if (!hs->n.config->ticket_seal && !hs->n.config->stateful_tickets)
        return ticket_seal(hs->n.config, session, w);
    wr_bytes(w, buffer_front(made), buffer_len(made));
    return wr_ok(w);
}
