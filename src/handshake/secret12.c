/* secret12.c: sessions whose master secret the application knows (config/session_secrets.h). */
#include "config/session_secrets.h"
#include "handshake/choose.h"
#include "handshake/hs.h"

bool asks_secret12(const struct hs *hs)
{
    const struct session_secrets *x = hs->n.config->session_secrets;
    return x && x->asks(hs->n.conn);
}

static enum hs_result resume_with(struct hs *hs, const uint8_t secret[SESSION_SECRET])
{
    struct nego *n = &hs->n;
    hf_session *s = session_new();
    if (!s)
        return hs_fail(hs, HF_E_NO_MEMORY, "session");
    s->version = n->version;
    s->suite = n->suite->id;
    s->ems = n->ems;
    s->secret_len = SESSION_SECRET;
    memcpy(s->secret, secret, SESSION_SECRET);
    s->issued_ms = config_now_ms(n->config);
    s->started = config_now(n->config);
    hf_session_free(n->session);
    n->session = s;
    n->resumed12 = true;
    n->group = NULL;
    memcpy(hs->secret, secret, SESSION_SECRET);
    transcript_drop(&hs->transcript);
    trace_note(hs->tracer, "resumption", "with a master secret of the application's");
    return HS_OK;
}

static enum hs_result ask(struct hs *hs, uint16_t *suite, uint8_t secret[SESSION_SECRET],
                          bool *known)
{
    details_randoms(hs);
    int answer = hs->n.config->session_secrets->secret(hs->n.conn, suite, secret);
    *known = answer > 0;
    return answer < 0 ? hs_fail(hs, HF_E_CRYPTO, "the application has no master secret")
                      : HS_OK;
}

/* ---- server */

static bool fits(const struct hs *hs, uint16_t id)
{
    const struct suite *s = suite_find(id);
    return s && suite_fits(s, hs->n.version) && suite_offered12(hs, id);
}

/* Whatever proves the server in a full handshake, the secret does here: any suite will do. */
static bool pick_suite(struct hs *hs, uint16_t wanted)
{
    const struct ids *ours = &hs->n.config->body.suites;
    if (wanted && !fits(hs, wanted))
        return false;
    for (size_t i = 0; !wanted && i < ours->count; i++)
        wanted = fits(hs, ours->id[i]) ? ours->id[i] : 0;
    hs->n.suite = wanted ? suite_find(wanted) : NULL;
    return wanted != 0;
}

enum hs_result answer_secret12(struct hs *hs)
{
    uint16_t suite = 0;
    uint8_t secret[SESSION_SECRET];
    bool known;
    enum hs_result r = make_random12(hs);
    if (r == HS_OK)
        r = ask(hs, &suite, secret, &known);
    if (r != HS_OK || !known)
        return r;
    if (pick_suite(hs, suite))
        r = resume_with(hs, secret);
    else
        r = hs_fail(hs, HF_E_NO_SHARED_SUITE, "none for the application's master secret");
    hs->secret_given = r == HS_OK;
    wipe(secret, sizeof secret);
    return r;
}

/* ---- client */

/* What the server thinks of the ticket shows in the message behind its ServerHello (RFC 4851 3.2.2). */
enum hs_result ask_secret12(struct hs *hs)
{
    uint16_t suite = hs->n.suite->id;
    uint8_t secret[SESSION_SECRET];
    bool known;
    enum hs_result r = ask(hs, &suite, secret, &known);
    if (r == HS_OK && !known)
        r = hs_fail(hs, HF_E_CRYPTO, "the application has no master secret for its ticket");
    if (r == HS_OK) {
        memcpy(hs->secret, secret, sizeof secret);
        hs->secret_given = true;
    }
    wipe(secret, sizeof secret);
    return r;
}

enum hs_result use_secret12(struct hs *hs)
{
    uint8_t secret[SESSION_SECRET];
    memcpy(secret, hs->secret, sizeof secret);
    enum hs_result r = resume_with(hs, secret);
    wipe(secret, sizeof secret);
    if (r == HS_OK)
        r = read_ccs12(hs);
    for (hs->jump = client12_resumed; hs->jump->message != MSG_FINISHED;)
        hs->jump++;
    return r;
}
