/* plain.c: setters and getters of single values, for contexts and for connections. */
#include "libssl/local.h"

/* Nobody is told that memory ran out where a function returns nothing: the setting stays what it was. */

/* ---- options */

static uint64_t change_options(struct settings **slot, uint64_t options)
{
    if (options != (*slot)->options) {
        struct settings *s = settings_edit(slot);
        if (s)
            s->options = options;
    }
    return (*slot)->options;
}

uint64_t SSL_CTX_get_options(const SSL_CTX *ctx)
{
    return ctx->settings->options;
}

uint64_t SSL_get_options(const SSL *s)
{
    return s->settings->options;
}

uint64_t SSL_CTX_set_options(SSL_CTX *ctx, uint64_t op)
{
    return change_options(&ctx->settings, ctx->settings->options | op);
}

uint64_t SSL_set_options(SSL *s, uint64_t op)
{
    return change_options(&s->settings, s->settings->options | op);
}

uint64_t SSL_CTX_clear_options(SSL_CTX *ctx, uint64_t op)
{
    return change_options(&ctx->settings, ctx->settings->options & ~op);
}

uint64_t SSL_clear_options(SSL *s, uint64_t op)
{
    return change_options(&s->settings, s->settings->options & ~op);
}

/* ---- shutdown and reading ahead */

void SSL_CTX_set_quiet_shutdown(SSL_CTX *ctx, int mode)
{
    struct settings *t = settings_touch(&ctx->settings);
    if (t)
        t->quiet_shutdown = mode;
}

void SSL_set_quiet_shutdown(SSL *s, int mode)
{
    if (s->settings->quiet_shutdown == mode)
        return;
    struct settings *t = settings_touch(&s->settings);
    if (t)
        t->quiet_shutdown = mode;
}

int SSL_CTX_get_quiet_shutdown(const SSL_CTX *ctx)
{
    return ctx->settings->quiet_shutdown;
}

int SSL_get_quiet_shutdown(const SSL *s)
{
    return s->settings->quiet_shutdown;
}

void SSL_set_read_ahead(SSL *s, int yes)
{
    if (s->settings->read_ahead == yes)
        return;
    struct settings *t = settings_touch(&s->settings);
    if (t)
        t->read_ahead = yes;
}

int SSL_get_read_ahead(const SSL *s)
{
    return s->settings->read_ahead;
}

void SSL_CTX_set_default_read_buffer_len(SSL_CTX *ctx, size_t len)
{
    struct settings *t = settings_touch(&ctx->settings);
    if (t)
        t->read_buffer_len = len;
}

void SSL_set_default_read_buffer_len(SSL *s, size_t len)
{
    struct settings *t = settings_touch(&s->settings);
    if (t)
        t->read_buffer_len = len;
}

/* ---- tickets and early data */

static int set_num_tickets(struct settings **slot, size_t n)
{
    if ((*slot)->num_tickets == n)
        return 1;
    struct settings *t = settings_edit(slot);
    if (t)
        t->num_tickets = n;
    return t != NULL;
}

int SSL_CTX_set_num_tickets(SSL_CTX *ctx, size_t num_tickets)
{
    return set_num_tickets(&ctx->settings, num_tickets);
}

int SSL_set_num_tickets(SSL *s, size_t num_tickets)
{
    return set_num_tickets(&s->settings, num_tickets);
}

size_t SSL_CTX_get_num_tickets(const SSL_CTX *ctx)
{
    return ctx->settings->num_tickets;
}

size_t SSL_get_num_tickets(const SSL *s)
{
    return s->settings->num_tickets;
}

static int set_early_data(struct settings **slot, uint32_t max)
{
    struct settings *t = settings_edit(slot);
    if (t)
        t->max_early_data = max;
    return t != NULL;
}

int SSL_CTX_set_max_early_data(SSL_CTX *ctx, uint32_t max_early_data)
{
    return set_early_data(&ctx->settings, max_early_data);
}

int SSL_set_max_early_data(SSL *s, uint32_t max_early_data)
{
    return set_early_data(&s->settings, max_early_data);
}

uint32_t SSL_CTX_get_max_early_data(const SSL_CTX *ctx)
{
    return ctx->settings->max_early_data;
}

uint32_t SSL_get_max_early_data(const SSL *s)
{
    return s->settings->max_early_data;
}

static int set_recv_early_data(struct settings **slot, uint32_t max)
{
    struct settings *t = settings_edit(slot);
    if (t)
        t->recv_max_early_data = max;
    return t != NULL;
}

int SSL_CTX_set_recv_max_early_data(SSL_CTX *ctx, uint32_t recv_max_early_data)
{
    return set_recv_early_data(&ctx->settings, recv_max_early_data);
}

int SSL_set_recv_max_early_data(SSL *s, uint32_t recv_max_early_data)
{
    return set_recv_early_data(&s->settings, recv_max_early_data);
}

uint32_t SSL_CTX_get_recv_max_early_data(const SSL_CTX *ctx)
{
    return ctx->settings->recv_max_early_data;
}

uint32_t SSL_get_recv_max_early_data(const SSL *s)
{
    return s->settings->recv_max_early_data;
}

void SSL_CTX_set_allow_early_data_cb(SSL_CTX *ctx, SSL_allow_early_data_cb_fn cb, void *arg)
{
    struct settings *t = settings_edit(&ctx->settings);
    if (t) {
        t->early_cb = cb;
        t->early_arg = arg;
    }
}

void SSL_set_allow_early_data_cb(SSL *s, SSL_allow_early_data_cb_fn cb, void *arg)
{
    struct settings *t = settings_edit(&s->settings);
    if (t) {
        t->early_cb = cb;
        t->early_arg = arg;
    }
}

/* ---- post-handshake authentication (RFC 8446 4.2.6) */

void SSL_CTX_set_post_handshake_auth(SSL_CTX *ctx, int val)
{
    struct settings *t = settings_edit(&ctx->settings);
    if (t)
        t->pha = val != 0;
}

void SSL_set_post_handshake_auth(SSL *s, int val)
{
    if (s->settings->pha == (val != 0))
        return;
    struct settings *t = settings_edit(&s->settings);
    if (t)
        t->pha = val != 0;
}

/* ---- padding and fragments */

static int set_block_padding(struct settings **slot, size_t block_size)
{
    if (block_size > SSL3_RT_MAX_PLAIN_LENGTH)
        return 0;
    struct settings *t = settings_edit(slot);
    if (t)
        t->block_padding = block_size == 1 ? 0 : block_size;
    return t != NULL;
}

/* A connection that is there already pads from now on. */
static int pad_from_now(SSL *s)
{
    return s->phase != PHASE_DONE || access_conn_record_padding(s->conn, settings_padding);
}

int SSL_CTX_set_block_padding(SSL_CTX *ctx, size_t block_size)
{
    return set_block_padding(&ctx->settings, block_size);
}

int SSL_set_block_padding(SSL *s, size_t block_size)
{
    return set_block_padding(&s->settings, block_size) && pad_from_now(s);
}

typedef size_t (*padding_fn)(SSL *, int, size_t, void *);

void SSL_CTX_set_record_padding_callback(SSL_CTX *ctx, padding_fn cb)
{
    struct settings *t = settings_edit(&ctx->settings);
    if (t)
        t->padding_cb = cb;
}

int SSL_set_record_padding_callback(SSL *s, padding_fn cb)
{
    struct settings *t = settings_edit(&s->settings);
    if (t)
        t->padding_cb = cb;
    return t && pad_from_now(s);
}

void SSL_CTX_set_record_padding_callback_arg(SSL_CTX *ctx, void *arg)
{
    struct settings *t = settings_touch(&ctx->settings);
    if (t)
        t->padding_arg = arg;
}

void SSL_set_record_padding_callback_arg(SSL *s, void *arg)
{
    struct settings *t = settings_touch(&s->settings);
    if (t)
        t->padding_arg = arg;
}

void *SSL_CTX_get_record_padding_callback_arg(const SSL_CTX *ctx)
{
    return ctx->settings->padding_arg;
}

void *SSL_get_record_padding_callback_arg(const SSL *s)
{
    return s->settings->padding_arg;
}

static int set_fragment_code(struct settings **slot, uint8_t mode)
{
    if (mode > TLSEXT_max_fragment_length_4096) {
        raise_ssl(SSL_R_SSL3_EXT_INVALID_MAX_FRAGMENT_LENGTH);
        return 0;
    }
    struct settings *t = settings_edit(slot);
    if (t)
        t->max_fragment_code = mode;
    return t != NULL;
}

int SSL_CTX_set_tlsext_max_fragment_length(SSL_CTX *ctx, uint8_t mode)
{
    return set_fragment_code(&ctx->settings, mode);
}

int SSL_set_tlsext_max_fragment_length(SSL *s, uint8_t mode)
{
    return set_fragment_code(&s->settings, mode);
}

/* ---- security level */

typedef int (*security_fn)(const SSL *, const SSL_CTX *, int, int, int, void *, void *);

void SSL_CTX_set_security_level(SSL_CTX *ctx, int level)
{
    struct settings *t = settings_edit(&ctx->settings);
    if (t)
        t->security_level = level;
}

void SSL_set_security_level(SSL *s, int level)
{
    if (s->settings->security_level == level)
        return;
    struct settings *t = settings_edit(&s->settings);
    if (t)
        t->security_level = level;
}

int SSL_CTX_get_security_level(const SSL_CTX *ctx)
{
    return ctx->settings->security_level;
}

int SSL_get_security_level(const SSL *s)
{
    return s->settings->security_level;
}

void SSL_CTX_set_security_callback(SSL_CTX *ctx, security_fn cb)
{
    struct settings *t = settings_edit(&ctx->settings);
    if (t)
        t->security_cb = cb;
}

void SSL_set_security_callback(SSL *s, security_fn cb)
{
    struct settings *t = settings_edit(&s->settings);
    if (t)
        t->security_cb = cb;
}

security_fn SSL_CTX_get_security_callback(const SSL_CTX *ctx)
{
    return ctx->settings->security_cb ? ctx->settings->security_cb : security_default;
}

security_fn SSL_get_security_callback(const SSL *s)
{
    return s->settings->security_cb ? s->settings->security_cb : security_default;
}

void SSL_CTX_set0_security_ex_data(SSL_CTX *ctx, void *ex)
{
    struct settings *t = settings_touch(&ctx->settings);
    if (t)
        t->security_ex = ex;
}

void SSL_set0_security_ex_data(SSL *s, void *ex)
{
    struct settings *t = settings_touch(&s->settings);
    if (t)
        t->security_ex = ex;
}

void *SSL_CTX_get0_security_ex_data(const SSL_CTX *ctx)
{
    return ctx->settings->security_ex;
}

void *SSL_get0_security_ex_data(const SSL *s)
{
    return s->settings->security_ex;
}
