/* cipher_list.c: the suites of a context and of a connection. */
#include <openssl/sslerr.h>
#include <pthread.h>

#include "libssl/fetch.h"
#include "libssl/local.h"

const char *OSSL_default_cipher_list(void)
{
    return CIPHER_RULES_DEFAULT;
}

const char *OSSL_default_ciphersuites(void)
{
    return "TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256:TLS_AES_128_GCM_SHA256";
}

/* ---- setting */

/* A list of names of TLS 1.3's suites with colons between; what nobody knows is passed over. Only the empty list
 * chooses none. */
static bool read_suites13(const char *string, struct id_list *out)
{
    char name[80];

    out->count = 0;
    for (const char *s = string; *s;) {
        size_t blanks = strspn(s, " \t"), len;
        s += blanks;
        len = strcspn(s, ":");
        const char *next = s + len + (s[len] == ':');
        while (len > 0 && (s[len - 1] == ' ' || s[len - 1] == '\t'))
            len--;
        if (len < sizeof name && out->count < LIST_MAX) {
            memcpy(name, s, len);
            name[len] = 0;
            const SSL_CIPHER *c = cipher_by_name(name);
            if (c && cipher_is13(c))
                out->id[out->count++] = c->id;
        }
        s = next;
    }
    return out->count > 0 || !*string;
}

bool ciphers_default(struct settings *s)
{
    uint32_t suiteb = 0;
    return read_suites13(OSSL_default_ciphersuites(), &s->suites13) &&
           cipher_string(OSSL_default_cipher_list(), &s->suites, &s->security_level, &suiteb);
}

/* Suites of which the engine has none are a list all the same, which can be shown: a handshake that has no other to
 * offer fails with SSL_R_NO_CIPHERS_AVAILABLE. */
static int set_list(const SSL_CTX *ctx, struct settings **slot, const char *string, bool own)
{
    struct id_list list;
    int level = (*slot)->security_level;
    uint32_t flags = (*slot)->certs->flags, before = flags;

    if (!string || !cipher_string(string, &list, &level, &flags))
        return 0;
    fetch_suites(ctx, &list);
    struct settings *s = settings_edit(slot);
    if (!s)
        return 0;
    if (flags != before) {
        struct certs *certs = certs_edit(&s->certs);
        if (!certs)
            return 0;
        certs->flags = flags;
    }
    /* Also a list of which nothing is left counts: whoever passes over the error must not get another. */
    s->suites = list;
    s->suites_own = own;
    s->security_level = level;
    if (list.count == 0) {
        raise_ssl_text(SSL_R_NO_CIPHER_MATCH, "%s", string);
        return 0;
    }
    return 1;
}

int SSL_CTX_set_cipher_list(SSL_CTX *ctx, const char *string)
{
    return set_list(ctx, &ctx->settings, string, false);
}

int SSL_set_cipher_list(SSL *s, const char *string)
{
    return set_list(s->ctx, &s->settings, string, true);
}

static bool same_list(const struct id_list *a, const struct id_list *b)
{
    return a->count == b->count && memcmp(a->id, b->id, a->count * sizeof a->id[0]) == 0;
}

bool ciphers_follow(SSL *s)
{
    const struct id_list *theirs = &s->ctx->settings->suites;
    if (s->settings->suites_own || same_list(&s->settings->suites, theirs))
        return true;
    struct settings *t = settings_edit(&s->settings);
    if (t)
        t->suites = *theirs;
    return t != NULL;
}

static int set_suites13(const SSL_CTX *ctx, struct settings **slot, const char *string)
{
    struct id_list list;
    if (!read_suites13(string, &list)) {
        raise_ssl_text(SSL_R_NO_CIPHER_MATCH, "%s", string);
        return 0;
    }
    fetch_suites(ctx, &list);
    struct settings *s = settings_edit(slot);
    if (!s)
        return 0;
    s->suites13 = list;
    return 1;
}

int SSL_CTX_set_ciphersuites(SSL_CTX *ctx, const char *string)
{
    return set_suites13(ctx, &ctx->settings, string);
}

int SSL_set_ciphersuites(SSL *s, const char *string)
{
    return set_suites13(s->ctx, &s->settings, string);
}

/* ---- getting */

static bool push(STACK_OF(SSL_CIPHER) * stack, const struct id_list *list)
{
    for (size_t i = 0; list && i < list->count; i++) {
        const SSL_CIPHER *c = cipher_by_id(list->id[i]);
        if (c && !sk_SSL_CIPHER_push(stack, c))
            return false;
    }
    return true;
}

STACK_OF(SSL_CIPHER) * cipher_stack(const struct id_list *first, const struct id_list *second)
{
    STACK_OF(SSL_CIPHER) *stack = sk_SSL_CIPHER_new_null();
    if (stack && push(stack, first) && push(stack, second))
        return stack;
    sk_SSL_CIPHER_free(stack);
    raise_ssl(ERR_R_MALLOC_FAILURE);
    return NULL;
}

static bool same(STACK_OF(SSL_CIPHER) * stack, const struct settings *s)
{
    size_t count = (size_t)sk_SSL_CIPHER_num(stack);
    if (count != s->suites13.count + s->suites.count)
        return false;
    for (size_t i = 0; i < count; i++) {
        uint16_t id =
            i < s->suites13.count ? s->suites13.id[i] : s->suites.id[i - s->suites13.count];
        if (sk_SSL_CIPHER_value(stack, (int)i)->id != id)
            return false;
    }
    return true;
}

/* The stack stays what it is until the list changes: programs keep the pointer. */
static STACK_OF(SSL_CIPHER) * cached(STACK_OF(SSL_CIPHER) * *cache, const struct settings *s)
{
    if (*cache && same(*cache, s))
        return *cache;
    sk_SSL_CIPHER_free(*cache);
    return *cache = cipher_stack(&s->suites13, &s->suites);
}

STACK_OF(SSL_CIPHER) * SSL_get_ciphers(const SSL *s)
{
    /* The cache is no part of what a const SSL promises to keep. */
    if (s && !ciphers_follow((SSL *)(uintptr_t)s))
        return NULL;
    return s ? cached(&((SSL *)(uintptr_t)s)->ciphers_cache, s->settings) : NULL;
}

STACK_OF(SSL_CIPHER) * SSL_CTX_get_ciphers(const SSL_CTX *ctx)
{
    static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER; /* a context is several threads' */
    if (!ctx)
        return NULL;
    (void)pthread_mutex_lock(&lock);
    STACK_OF(SSL_CIPHER) *stack =
        cached(&((SSL_CTX *)(uintptr_t)ctx)->ciphers_cache, ctx->settings);
    (void)pthread_mutex_unlock(&lock);
    return stack;
}

const char *SSL_get_cipher_list(const SSL *s, int n)
{
    STACK_OF(SSL_CIPHER) *stack = SSL_get_ciphers(s);
    if (!stack || n < 0 || n >= sk_SSL_CIPHER_num(stack))
        return NULL;
    return sk_SSL_CIPHER_value(stack, n)->name;
}

/* ---- what can be used */

static bool allowed(const SSL *s, const SSL_CIPHER *c)
{
    return security_allows(s, NULL, SSL_SECOP_CIPHER_SUPPORTED, (int)cipher_bits(c), 0,
                           (void *)(uintptr_t)c);
}

static const struct {
    int version;
    int level; /* the highest that allows it, as far as the version itself is concerned */
    uint64_t off;
} versions[] = {
    {TLS1_3_VERSION, 5, SSL_OP_NO_TLSv1_3},
    {TLS1_2_VERSION, 5, SSL_OP_NO_TLSv1_2},
    {TLS1_1_VERSION, 3, SSL_OP_NO_TLSv1_1},
    {TLS1_VERSION, 2, SSL_OP_NO_TLSv1},
};

static bool version_on(const SSL *s, size_t i)
{
    const struct settings *t = s->settings;
    int version = versions[i].version, agreed = s->conn ? access_version(s->conn) : 0;
    if (agreed)
        return version == agreed;
    if (t->options & versions[i].off || t->security_level > versions[i].level)
        return false;
    if (s->method->version != TLS_ANY_VERSION)
        return version == s->method->version;
    return (!t->version_min || version >= t->version_min) &&
           (!t->version_max || version <= t->version_max);
}

/* The highest version and those below it without a hole. */
static bool version_range(const SSL *s, int *low, int *high)
{
    *low = *high = 0;
    for (size_t i = 0; i < sizeof versions / sizeof versions[0]; i++) {
        if (version_on(s, i)) {
            *low = versions[i].version;
            *high = *high ? *high : *low;
        } else if (*high) {
            break;
        }
    }
    return *high != 0;
}

static bool can_use(const SSL *s, const SSL_CIPHER *c, int low, int high)
{
    bool psk = c->au == AU_PSK || c->kx == KX_RSA_PSK;
    const struct id_list *own = &s->settings->sigalgs;
    if (!cipher_usable(c) || (psk && !s->settings->psk_client_cb) ||
        !sigalgs_for(own->count ? own : &sigalgs_default, c))
        return false;
    int last = cipher_is13(c) ? TLS1_3_VERSION : TLS1_2_VERSION;
    return c->version_min <= high && last >= low && allowed(s, c);
}

STACK_OF(SSL_CIPHER) * SSL_get1_supported_ciphers(SSL *s)
{
    STACK_OF(SSL_CIPHER) *all = SSL_get_ciphers(s), *out = NULL;
    int low, high;

    if (!all || !version_range(s, &low, &high))
        return NULL;
    for (int i = 0; i < sk_SSL_CIPHER_num(all); i++) {
        const SSL_CIPHER *c = sk_SSL_CIPHER_value(all, i);
        if (!can_use(s, c, low, high))
            continue;
        if (!out && !(out = sk_SSL_CIPHER_new_null()))
            return NULL;
        if (!sk_SSL_CIPHER_push(out, c)) {
            sk_SSL_CIPHER_free(out);
            return NULL;
        }
    }
    return out;
}

/* ---- from the wire */

int SSL_bytes_to_cipher_list(SSL *s, const unsigned char *bytes, size_t len, int isv2,
                             STACK_OF(SSL_CIPHER) * *suites, STACK_OF(SSL_CIPHER) * *signals)
{
    size_t size = isv2 ? 3 : 2;
    STACK_OF(SSL_CIPHER) *real = NULL, *other = NULL;

    (void)s;
    if (len == 0 || len % size != 0) {
        raise_ssl(len == 0 ? SSL_R_NO_CIPHERS_SPECIFIED : SSL_R_ERROR_IN_RECEIVED_CIPHER_LIST);
        return 0;
    }
    bool ok = (real = sk_SSL_CIPHER_new_null()) && (other = sk_SSL_CIPHER_new_null());
    for (; ok && len > 0; bytes += size, len -= size) {
        /* Those with a first byte that is not 0 are SSL 2.0's own. */
        const unsigned char *id = bytes + size - 2;
        const SSL_CIPHER *c =
            isv2 && bytes[0] ? NULL : cipher_by_id((uint16_t)(id[0] << 8 | id[1]));
        if (c)
            ok = sk_SSL_CIPHER_push(c->version_min ? real : other, c) != 0;
    }
    if (!ok)
        raise_ssl(ERR_R_MALLOC_FAILURE);
    if (ok && suites)
        *suites = real;
    else
        sk_SSL_CIPHER_free(real);
    if (ok && signals)
        *signals = other;
    else
        sk_SSL_CIPHER_free(other);
    return ok;
}
