/* variant.c: settings that connections change in the same way. nginx sets an option on every connection: without
 * this each would have settings and a frozen configuration of its own, 11 kB and half of what its handshake costs.
 * A context remembers the last few changed settings that handshakes began with; a connection whose settings are the
 * same takes those instead of its own.
 *
 * Only for servers that changed nothing but settings: whatever else the configuration is made of (settings.c)
 * must be the context's own. */
#include "libssl/local.h"

static bool same_names(const STACK_OF(X509_NAME) * a, const STACK_OF(X509_NAME) * b)
{
    if (!a || !b || sk_X509_NAME_num(a) != sk_X509_NAME_num(b))
        return !a && !b;
    for (int i = 0; i < sk_X509_NAME_num(a); i++) {
        const unsigned char *p, *q;
        size_t n, m;
        if (!X509_NAME_get0_der(sk_X509_NAME_value(a, i), &p, &n) ||
            !X509_NAME_get0_der(sk_X509_NAME_value(b, i), &q, &m) || n != m ||
            memcmp(p, q, n) != 0)
            return false;
    }
    return true;
}

static bool same_text(const char *a, const char *b)
{
    return a && b ? strcmp(a, b) == 0 : a == b;
}

/* What is owned is compared by content, all else byte by byte: both are copies of the same settings. */
static bool same(const struct settings *a, const struct settings *b)
{
    const size_t skip = offsetof(struct settings, options);
    struct settings probe;
    if (a->base != b->base || a->alpn_len != b->alpn_len || !a->alpn != !b->alpn ||
        (a->alpn && memcmp(a->alpn, b->alpn, a->alpn_len) != 0) || a->srtp || b->srtp ||
        !same_names(a->ca_names, b->ca_names) ||
        !same_names(a->client_ca_names, b->client_ca_names) ||
        !same_text(a->psk_hint, b->psk_hint))
        return false;
    memcpy((char *)&probe + skip, (const char *)a + skip, sizeof probe - skip);
    probe.alpn = b->alpn;
    probe.ca_names = b->ca_names;
    probe.client_ca_names = b->client_ca_names;
    probe.psk_hint = b->psk_hint;
    return memcmp((const char *)&probe + skip, (const char *)b + skip, sizeof probe - skip) ==
           0;
}

static bool can_share(const SSL *s)
{
    return s->server && s->ctx == s->session_ctx && s->method == s->ctx->method &&
           s->settings->base == s->ctx->settings->made && !security_custom(s);
}

hf_config *variant_find(SSL *s)
{
    SSL_CTX *ctx = s->ctx;
    hf_config *config = NULL;
    unsigned events = state_trace_kinds(s); /* which the context's callback decides too */
    if (!can_share(s))
        return NULL;
    pthread_mutex_lock(&ctx->variants.lock);
    for (int i = 0; i < VARIANTS && !config; i++) {
        struct settings *v = ctx->variants.known[i];
        if (v && v != s->settings && !(events & ~atomic_load(&v->traced[HF_SERVER])) &&
            same(s->settings, v)) {
            settings_free(s->settings);
            s->settings = settings_ref(v);
            config = atomic_load_explicit(&v->config[HF_SERVER], memory_order_acquire);
        }
    }
    pthread_mutex_unlock(&ctx->variants.lock);
    return config;
}

void variant_keep(SSL *s)
{
    SSL_CTX *ctx = s->ctx;
    struct settings *old[VARIANTS] = {NULL};
    if (!can_share(s))
        return;
    pthread_mutex_lock(&ctx->variants.lock);
    unsigned at = ctx->variants.next++ % VARIANTS;
    for (unsigned i = 0; i < VARIANTS; i++) {
        struct settings *v = ctx->variants.known[i];
        if (v && (i == at || v->base != ctx->settings->made)) {
            old[i] = v;
            ctx->variants.known[i] = NULL;
        }
    }
    ctx->variants.known[at] = settings_ref(s->settings);
    pthread_mutex_unlock(&ctx->variants.lock);
    for (int i = 0; i < VARIANTS; i++)
        settings_free(old[i]);
}

void variants_init(struct variants *v)
{
    pthread_mutex_init(&v->lock, NULL);
}

void variants_clear(struct variants *v)
{
    for (int i = 0; i < VARIANTS; i++)
        settings_free(v->known[i]);
    pthread_mutex_destroy(&v->lock);
}
