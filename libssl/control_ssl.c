/* control_ssl.c: commands that only connections know. */
#include <limits.h>

#include <openssl/ocsp.h>

#include "libssl/control.h"

long control_renegotiations(const struct target *t, int command, long number, void *pointer)
{
    (void)number, (void)pointer;
    if (command == SSL_CTRL_GET_TOTAL_RENEGOTIATIONS)
        return t->ssl->renegotiations_total;
    long n = t->ssl->renegotiations;
    if (command == SSL_CTRL_CLEAR_NUM_RENEGOTIATIONS)
        t->ssl->renegotiations = 0;
    return n;
}

long control_hostname(const struct target *t, int command, long number, void *pointer)
{
    (void)command;
    SSL *s = t->ssl;
    if (number != TLSEXT_NAMETYPE_host_name) {
        raise_ssl(SSL_R_SSL3_EXT_INVALID_SERVERNAME_TYPE);
        return 0;
    }
    OPENSSL_free(s->server_name);
    s->server_name = NULL;
    if (!pointer)
        return 1;
    size_t len = strlen(pointer);
    if (len == 0 || len > TLSEXT_MAXLEN_host_name) {
        raise_ssl(SSL_R_SSL3_EXT_INVALID_SERVERNAME);
        return 0;
    }
    s->server_name = OPENSSL_strdup(pointer);
    if (!s->server_name) {
        raise_ssl(ERR_R_MALLOC_FAILURE);
        return 0;
    }
    return 1;
}

long control_debug_arg(const struct target *t, int command, long number, void *pointer)
{
    (void)command, (void)number;
    t->ssl->debug_arg = pointer;
    return 1;
}

static long ocsp_response(const SSL *s, void *out)
{
    size_t len = 0;
    const uint8_t *stapled = !s->server && s->conn ? hf_conn_peer_ocsp(s->conn, &len) : NULL;
    if (stapled) {
        *(const unsigned char **)out = stapled;
        return (long)len;
    }
    *(unsigned char **)out = s->ocsp_response;
    if (s->ocsp_response_len <= 0)
        return -1;
    return s->ocsp_response_len;
}

/* Settings of its own: the request stands in the engine's configuration (status.c).
 * What was set before is not freed, as the programs that take it out and put it back expect; a response is. */
long control_status(const struct target *t, int command, long number, void *pointer)
{
    SSL *s = t->ssl;
    switch (command) {
    case SSL_CTRL_GET_TLSEXT_STATUS_REQ_EXTS:
        *(X509_EXTENSIONS **)pointer = s->ocsp_exts;
        return 1;
    case SSL_CTRL_SET_TLSEXT_STATUS_REQ_EXTS:
        s->ocsp_exts = pointer;
        return settings_edit(&s->settings) != NULL;
    case SSL_CTRL_GET_TLSEXT_STATUS_REQ_IDS:
        *(STACK_OF(OCSP_RESPID) **)pointer = s->ocsp_ids;
        return 1;
    case SSL_CTRL_SET_TLSEXT_STATUS_REQ_IDS:
        s->ocsp_ids = pointer;
        return settings_edit(&s->settings) != NULL;
    case SSL_CTRL_GET_TLSEXT_STATUS_REQ_OCSP_RESP: return ocsp_response(s, pointer);
    default:
        OPENSSL_free(s->ocsp_response);
        s->ocsp_response = pointer;
        s->ocsp_response_len = number;
        return 1;
    }
}

/* TLS 1.3 has neither: what OpenSSL answers there is a trace of what the client has offered for older versions. */
long control_ri_support(const struct target *t, int command, long number, void *pointer)
{
    (void)command, (void)number, (void)pointer;
    const SSL *s = t->ssl;
    return s->conn && hf_conn_secure_renegotiation(s->conn) &&
           (s->server || SSL_version(s) < TLS1_3_VERSION);
}

long control_ems_support(const struct target *t, int command, long number, void *pointer)
{
    (void)command, (void)number, (void)pointer;
    const SSL *s = t->ssl;
    if (!s->conn || s->phase != PHASE_DONE)
        return -1;
    return hf_conn_ems(s->conn) && SSL_version(s) < TLS1_3_VERSION;
}

long control_retry_verify(const struct target *t, int command, long number, void *pointer)
{
    (void)command, (void)number, (void)pointer;
    t->ssl->rwstate = SSL_RETRY_VERIFY;
    return 1;
}

long control_dtls(const struct target *t, int command, long number, void *pointer)
{
    (void)t, (void)command, (void)number, (void)pointer;
    return 0; /* as OpenSSL answers for a connection that is none of DTLS's */
}
