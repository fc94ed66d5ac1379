/* early13.c: early data (RFC 8446 2.3, 4.2.10, 4.5, 8). */
#include "config/replay.h"
#include "handshake/hs.h"

static const char *const reasons[] = {
    [EARLY_NOT_REFUSED] = "",
    [EARLY_NOT_WANTED] = "this server accepts none",
    [EARLY_RETRY] = "a HelloRetryRequest is needed",
    [EARLY_NOT_RESUMED] = "its session is not resumed",
    [EARLY_TICKET] = "the ticket allows none",
    [EARLY_SUITE] = "another cipher suite was chosen",
    [EARLY_ALPN] = "another application protocol was chosen",
    [EARLY_AGE] = "the ticket's age is not what the client says",
    [EARLY_APPLICATION] = "the application refuses it",
    [EARLY_REPETITION] = "it may be a repetition",
    [EARLY_UNSAID] = "the server does not say why",
};

const char *early13_reason(const struct established *est)
{
    return est->early == HF_EARLY_REFUSED ? reasons[est->early_why] : "";
}

/* ---- client */

static bool offers_protocol(const hf_config *config, const hf_session *s)
{
    for (size_t i = 0; i < config->alpn_len; i += 1u + config->alpn[i]) {
        if (config->alpn[i] == s->alpn_len &&
            memcmp(config->alpn + i + 1, s->alpn, s->alpn_len) == 0)
            return true;
    }
    return s->alpn_len == 0;
}

/* "the client MUST ... the same ... cipher suite" and ALPN as in the connection that the ticket came from: we offer
 * early data only if both can be chosen again. */
bool offers_early13(const struct hs *hs)
{
    const struct nego *n = &hs->n;
    const hf_config *config = n->config;
    const hf_session *s = n->session;
    return config->early_data && s && s->version == HF_TLS1_3 && s->max_early_data > 0 &&
           !n->renegotiating && ids_has(&config->body.suites, s->suite) &&
           suite_find(s->suite) && offers_protocol(config, s);
}

enum hs_result start_early13(struct hs *hs)
{
    const hf_session *s = hs->n.session;
    /* "If the client also sends early data", the dummy record stands right behind its first flight (D.4). */
    if (!hs_ccs(hs) || !hs_flush(hs))
        return hs_fail(hs, HF_E_NO_MEMORY, "the flight's records");
    keys13_early_traffic(hs, s);
    if (!keys13_use_early(hs, false, s))
        return HS_FAILED;
    hs->early_out = true;
    hs->early_left = s->max_early_data;
    hs->est->early = HF_EARLY_OFFERED;
    trace_note(hs->tracer, "early data", "%u bytes may be sent before the server answers",
               s->max_early_data);
    return HS_OK;
}

static void refuse(struct hs *hs, enum early_why why)
{
    hs->early_out = false;
    hs->est->early = HF_EARLY_REFUSED;
    hs->est->early_why = (uint8_t)why;
    trace_note(hs->tracer, "early data", "the server refuses it");
}

void retry_early13(struct hs *hs)
{
    uint16_t most = hs->out->most;
    refuse(hs, EARLY_RETRY);
    rec_clear(hs->out); /* the second ClientHello goes out in clear, as the first one did */
    hs->out->most = most;
}

static bool same_alpn(const struct nego *n)
{
    const hf_session *s = n->session;
    return n->alpn_len == s->alpn_len &&
           (!n->alpn_len || memcmp(n->alpn, s->alpn, n->alpn_len) == 0);
}

enum hs_result settle_early13(struct hs *hs)
{
    const struct nego *n = &hs->n;
    if (!n->early) {
        if (hs->early_out)
            refuse(hs, n->psk ? EARLY_UNSAID : EARLY_NOT_RESUMED);
        return keys13_use(hs, false, hs->client_hs, "handshake") ? HS_OK : HS_FAILED;
    }
    if (!n->psk ||
        n->psk_index != 0) /* it is decrypted with the first identity's key (4.2.10) */
        return hs_fail(hs, HF_E_BAD_EARLY_DATA, "not with the key that it was made with");
    if (n->session->suite != n->suite->id)
        return hs_fail(hs, HF_E_EARLY_DATA_SUITE, "%s, not %s", n->suite->name,
                       hf_suite_name(n->session->suite));
    if (!same_alpn(n))
        return hs_fail(hs, HF_E_EARLY_DATA_ALPN, "\"%.*s\"", n->alpn_len,
                       n->alpn ? (const char *)n->alpn : "");
    hs->est->early = HF_EARLY_ACCEPTED;
    trace_note(hs->tracer, "early data", "the server accepts it");
    return HS_OK;
}

/* struct {} EndOfEarlyData;                                                  RFC 8446 4.5 */
enum hs_result end_early13(struct hs *hs)
{
    size_t mark;
    hs->early_out = false;
    struct wr w = hs_begin(hs, MSG_END_OF_EARLY_DATA, &mark);
    if (hs_end(hs, &w, mark) != HS_OK)
        return HS_FAILED;
    return keys13_use(hs, false, hs->client_hs, "handshake") ? HS_OK : HS_FAILED;
}

/* ---- server */

/* By how much the client's view of the ticket's age differs from ours, in milliseconds (8.3). */
static bool fresh(const struct hs *hs)
{
    const hf_session *s = hs->n.session;
    uint32_t theirs = hs->values->psk[0].age - s->age_add;
    int64_t ours = config_now_ms(hs->n.config) - s->issued_ms;
    int64_t off = ours - (int64_t)theirs, window = (int64_t)hs->n.config->early_window * 1000;
    return off <= window && off >= -window;
}

static enum early_why obstacle(const struct hs *hs)
{
    const struct nego *n = &hs->n;
    const hf_session *s = n->session;
    if (!n->config->max_early_data)
        return EARLY_NOT_WANTED;
    if (n->retried || n->retry)
        return EARLY_RETRY;
    if (!n->psk || n->psk_index != 0)
        return EARLY_NOT_RESUMED;
    if (!s->max_early_data)
        return EARLY_TICKET;
    if (s->suite != n->suite->id)
        return EARLY_SUITE;
    if (!same_alpn(n))
        return EARLY_ALPN;
    return fresh(hs) ? EARLY_NOT_REFUSED : EARLY_AGE;
}

static enum hs_result ask(struct hs *hs, bool *accept)
{
    bool nobody;
    *accept = true;
    enum hs_result r = hs_ask(hs, HF_ASK_EARLY_DATA, &nobody);
    if (r == HS_OK && !nobody) {
        *accept = hs->answer_early;
        hs_asked(hs);
    }
    return r;
}

/* Replayed early data is refused, never the connection: a full round trip later the client has shown that it is
 * alive (8). The record is asked last, because asking fills it. */
enum hs_result decide_early13(struct hs *hs)
{
    enum early_why why = obstacle(hs);
    bool accept = false;
    if (!why) {
        enum hs_result r = ask(hs, &accept);
        if (r != HS_OK)
            return r;
        if (!accept)
            why = EARLY_APPLICATION;
        else if (!replay_first(hs->n.config, hs->values->psk[0].binder))
            why = EARLY_REPETITION;
    }
    hs->n.early = !why;
    hs->est->early = why ? HF_EARLY_REFUSED : HF_EARLY_ACCEPTED;
    hs->est->early_why = (uint8_t)why;
    trace_note(hs->tracer, "early data", "%s%s", why ? "refused: " : "accepted", reasons[why]);
    if (why)
        return HS_OK;
    hs->skip_early = 0;
    hs->early_left = hs->n.config->max_early_data < hs->n.session->max_early_data
                         ? hs->n.config->max_early_data
                         : hs->n.session->max_early_data;
    keys13_early_traffic(hs, hs->n.session);
    return HS_OK;
}

enum hs_result read_end_of_early_data13(struct hs *hs)
{
    struct rd_msg m;
    struct rd r = hs_reader(hs, &m);
    hs->early_in = false;
    return rd_end(&r) ? HS_OK : HS_FAILED;
}
