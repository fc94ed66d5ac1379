/* conf_file.c: the sections for libssl in openssl.cnf, which libcrypto reads and keeps. */
#include "libssl/conf.h"

#include "libssl/local.h"

/* Exported by libcrypto for libssl, in no public header. */
typedef struct ssl_conf_cmd_st SSL_CONF_CMD;
int conf_ssl_name_find(const char *name, size_t *index);
const SSL_CONF_CMD *conf_ssl_get(size_t index, const char **name, size_t *count);
void conf_ssl_get_cmd(const SSL_CONF_CMD *commands, size_t index, char **command, char **value);

static bool run_section(SSL_CONF_CTX *conf, size_t section)
{
    const char *name;
    size_t count;
    bool ok = true;
    const SSL_CONF_CMD *commands = conf_ssl_get(section, &name, &count);
    for (size_t i = 0; i < count; i++) {
        char *command, *value;
        conf_ssl_get_cmd(commands, i, &command, &value);
        if (SSL_CONF_cmd(conf, command, value) <= 0)
            ok = false; /* and the rest is tried, without a word on the queue */
    }
    return SSL_CONF_CTX_finish(conf) > 0 && ok;
}

static unsigned roles_of(const SSL_METHOD *method)
{
    return (method->server ? SSL_CONF_FLAG_SERVER : 0u) |
           (method->client ? SSL_CONF_FLAG_CLIENT : 0u);
}

/* The machine's own section says nothing of certificates. */
static bool apply(SSL *s, SSL_CTX *ctx, size_t section, bool system)
{
    SSL_CONF_CTX *conf = SSL_CONF_CTX_new();
    if (!conf)
        return false;
    unsigned flags = SSL_CONF_FLAG_FILE | roles_of(s ? s->method : ctx->method);
    if (!system)
        flags |= SSL_CONF_FLAG_CERTIFICATE | SSL_CONF_FLAG_REQUIRE_PRIVATE;
    if (s)
        SSL_CONF_CTX_set_ssl(conf, s);
    else
        SSL_CONF_CTX_set_ssl_ctx(conf, ctx);
    SSL_CONF_CTX_set_flags(conf, flags);
    OSSL_LIB_CTX *before = OSSL_LIB_CTX_set0_default(s ? s->ctx->libctx : ctx->libctx);
    bool ok = run_section(conf, section);
    OSSL_LIB_CTX_set0_default(before);
    SSL_CONF_CTX_free(conf);
    return ok;
}

static int configure(SSL *s, SSL_CTX *ctx, const char *name)
{
    size_t section;
    if (!s && !ctx) {
        raise_ssl(ERR_R_PASSED_NULL_PARAMETER);
        return 0;
    }
    if (!name || !conf_ssl_name_find(name, &section)) {
        raise_ssl_text(SSL_R_INVALID_CONFIGURATION_NAME, "name=%s", name ? name : "");
        return 0;
    }
    return apply(s, ctx, section, false);
}

int SSL_CTX_config(SSL_CTX *ctx, const char *name)
{
    return configure(NULL, ctx, name);
}

int SSL_config(SSL *s, const char *name)
{
    return configure(s, NULL, name);
}

void conf_system_default(SSL_CTX *ctx)
{
    size_t section;
    if (conf_ssl_name_find("system_default", &section))
        (void)apply(NULL, ctx, section, true);
}

/* libcrypto does it by itself. */
void SSL_add_ssl_module(void) {}
