/* stateless.c: a server forgets its client after the HelloRetryRequest, and any connection goes on from the second
 * ClientHello (RFC 8446 4.2.2, 4.4.1). */
#include "bytes/names.h"
#include "config/cookie.h"
#include "handshake/choose.h"
#include "handshake/hs.h"

struct stateless *stateless_begin(struct hs *hs, const uint8_t *own_key)
{
    stateless_end(hs);
    struct stateless *s = mem_new(sizeof *s);
    if (!s)
        return NULL;
    s->config = hf_config_ref(hs->n.config);
    s->own_key = own_key;
    /* What a client has sent behind its first ClientHello comes here before the second. */
    hs->skip_early = most_skipped13(hs->n.config);
    return hs->stateless = s;
}

void stateless_end(struct hs *hs)
{
    if (!hs->stateless)
        return;
    hf_config_free(hs->stateless->config);
    mem_free(hs->stateless);
    hs->stateless = NULL;
}

bool stateless_waits(const struct hs *hs)
{
    return hs->stateless && hs->step == server13 && !hs->have_in && !buffer_len(hs->inbuf);
}

/* ---- the cookie that is sent */

static bool make_content(struct hs *hs, uint8_t *out, struct slice *content)
{
    const hf_config *config = hs->stateless->config;
    size_t len = 0;
    *content = slice_of(out, 0);
    if (!config->cookie_make)
        return true;
    bool made =
        config->cookie_make(hs->n.conn, out, HF_COOKIE_CONTENT_MAX, &len, config->cookie_arg);
    if (!made || len > HF_COOKIE_CONTENT_MAX)
        return err_set(hs->n.err, HF_E_COOKIE_CALLBACK, "%s",
                       made ? "it is too long" : "the callback failed");
    content->len = len;
    return true;
}

enum hs_result stateless_cookie(struct hs *hs)
{
    const struct stateless *s = hs->stateless;
    uint8_t digest[HASH_MAX_SIZE], out[HF_COOKIE_CONTENT_MAX];
    transcript_digest(&hs->transcript, digest);
    struct cookie c = {
        .suite = hs->n.suite->id,
        .group = hs->n.group ? hs->n.group->id : 0,
        .share_asked = hs->n.share_asked,
        .psk = hs->n.psk,
        .made = (uint64_t)config_now(s->config),
        .hello = slice_of(digest, hash_size(hs->hash)),
    };
    memcpy(c.fixed, s->fixed, sizeof c.fixed);
    if (!make_content(hs, out, &c.content))
        return HS_FAILED;
    hs->n.cookie = cookie_seal(s->config, s->own_key, &c, &hs->n.cookie_len);
    return hs->n.cookie ? HS_OK : hs_fail(hs, HF_E_NO_MEMORY, "cookie");
}

/* ---- the cookie that comes back */

static enum hs_result refuse(struct hs *hs, hf_code code, const char *why)
{
    (void)ext_refuse(&hs->n, IN_CH, X_COOKIE, code, "%s", why);
    return HS_FAILED;
}

/* The transcript is what it would be here, had the first ClientHello come here. The HelloRetryRequest is written once
 * more: all that was in it is known. */
static enum hs_result rebuild(struct hs *hs, const struct cookie *c)
{
    size_t mark;
    hs->hash = hs->n.suite->hash;
    transcript_recall(&hs->transcript, hs->hash, c->hello.p);
    hs->n.version = HF_TLS1_3; /* no other has it */
    struct wr w = begin_retry13(hs, &mark);
    msg_finish(&w, mark);
    bool good = wr_ok(&w) && transcript_add(&hs->transcript, buffer_front(&hs->message),
                                            buffer_len(&hs->message));
    hs->before = hs->transcript.hash;
    good = good &&
           transcript_add(&hs->transcript, buffer_front(&hs->hello), buffer_len(&hs->hello));
    return good ? HS_OK : hs_fail(hs, HF_E_NO_MEMORY, "the HelloRetryRequest of before");
}

static enum hs_result recall(struct hs *hs, const struct cookie *c, struct slice bytes)
{
    struct nego *n = &hs->n;
    n->suite = suite_find(c->suite);
    n->group = c->group ? group_find(c->group) : NULL;
    if (!n->suite || !suite_fits(n->suite, HF_TLS1_3) || (c->group && !n->group) ||
        (c->share_asked && !n->group) || c->hello.len != hash_size(n->suite->hash))
        return refuse(hs, HF_E_COOKIE_CHOICE, "it is not known here");
    n->cookie = mem_dup(bytes.p, bytes.len);
    n->cookie_len = bytes.len;
    if (!n->cookie)
        return hs_fail(hs, HF_E_NO_MEMORY, "cookie");
    n->share_asked = c->share_asked;
    n->retried = true;
    hs->psk_before = c->psk;
    hs->ccs_sent = true; /* behind the HelloRetryRequest (D.4), if at all */
    hs->stateless->recalled = true;
    hs->est->stateless = HF_STATELESS_RETURNED;
    trace_note(hs->tracer, "retry", "the cookie is good: this is a second ClientHello");
    return rebuild(hs, c);
}

enum hs_result recall_retry(struct hs *hs)
{
    const struct stateless *s = hs->stateless;
    const hf_config *config = s->config;
    struct slice bytes = hs->values->cookie;
    struct cookie c;
    const char *why;
    if (!ext_has(hs->values, X_COOKIE) || s->ignores_cookies)
        return HS_OK;
    hf_code code = cookie_open(config, s->own_key, bytes, &c, &why);
    if (code == HF_E_COOKIE_EXPIRED && s->asks_again)
        return HS_OK;
    if (code != HF_OK)
        return refuse(hs, code, why);
    if (!ct_equal(c.fixed, s->fixed, sizeof c.fixed))
        return refuse(hs, HF_E_HELLO_CHANGED, "it was given for another ClientHello");
    if (config->cookie_check &&
        !config->cookie_check(hs->n.conn, c.content.p, c.content.len, config->cookie_arg))
        return refuse(hs, HF_E_COOKIE_MISMATCH, "the application refuses its content");
    return recall(hs, &c, bytes);
}

enum hs_result recalled_fits(struct hs *hs)
{
    const hf_config *config = hs->n.config;
    const struct nego *n = &hs->n;
    if (!ids_has(&config->body.suites, n->suite->id))
        return refuse(hs, HF_E_COOKIE_CHOICE, n->suite->name);
    return !n->group || ids_has(&config->groups, n->group->id)
               ? HS_OK
               : refuse(hs, HF_E_COOKIE_CHOICE, n->group->name);
}
