/* pending.c: stand-ins for functions of files that are not there yet; their own take the place of these. */
#include "libssl/local.h"

#define LATE __attribute__((weak))

LATE void conf_system_default(SSL_CTX *ctx)
{
    (void)ctx;
}
LATE void dane_ctx_free(struct dane_ctx *dane)
{
    (void)dane;
}
LATE bool dane_inherit(SSL *s)
{
    (void)s;
    return true;
}
LATE void dane_free(struct dane *dane)
{
    (void)dane;
}
LATE void ct_ctx_free(SSL_CTX *ctx)
{
    (void)ctx;
}
LATE void certs_ctx_free(SSL_CTX *ctx)
{
    (void)ctx;
}
LATE unsigned state_trace_kinds(const SSL *s)
{
    (void)s;
    return 0;
}
LATE bool state_wants_trace(const SSL *s)
{
    (void)s;
    return false;
}
LATE void state_trace(const hf_conn *conn, const hf_trace_event *event, void *arg)
{
    (void)conn, (void)event, (void)arg;
}
LATE void state_info(SSL *s, int where, int ret)
{
    (void)s, (void)where, (void)ret;
}
LATE bool ciphers_default(struct settings *s)
{
    (void)s;
    return false;
}
LATE bool access_config_trace_kinds(hf_config *config, unsigned kinds)
{
    (void)config, (void)kinds;
    return true;
}
