/* control.c: SSL_ctrl and SSL_CTX_ctrl, which most of OpenSSL's setters are macros of: one table. */
#include "libssl/control.h"

enum { ON_SSL = 1, ON_CTX = 2, ON_BOTH = 3 };

struct command {
    unsigned char on;
    control_fn run;
};

/* clang-format off */
static const struct command commands[] = {
    [SSL_CTRL_SET_TMP_DH]                   = {ON_BOTH, control_tmp_dh},
    [SSL_CTRL_SET_TMP_ECDH]                 = {ON_BOTH, control_tmp_ecdh},
    [SSL_CTRL_GET_NUM_RENEGOTIATIONS]       = {ON_SSL,  control_renegotiations},
    [SSL_CTRL_CLEAR_NUM_RENEGOTIATIONS]     = {ON_SSL,  control_renegotiations},
    [SSL_CTRL_GET_TOTAL_RENEGOTIATIONS]     = {ON_SSL,  control_renegotiations},
    [SSL_CTRL_EXTRA_CHAIN_CERT]             = {ON_CTX,  control_extra_chain},
    [SSL_CTRL_SET_MSG_CALLBACK_ARG]         = {ON_BOTH, control_msg_arg},
    [SSL_CTRL_SET_MTU]                      = {ON_SSL,  control_dtls},
    [SSL_CTRL_SESS_NUMBER]                  = {ON_CTX,  control_sess_counter},
    [SSL_CTRL_SESS_CONNECT]                 = {ON_CTX,  control_sess_counter},
    [SSL_CTRL_SESS_CONNECT_GOOD]            = {ON_CTX,  control_sess_counter},
    [SSL_CTRL_SESS_CONNECT_RENEGOTIATE]     = {ON_CTX,  control_sess_counter},
    [SSL_CTRL_SESS_ACCEPT]                  = {ON_CTX,  control_sess_counter},
    [SSL_CTRL_SESS_ACCEPT_GOOD]             = {ON_CTX,  control_sess_counter},
    [SSL_CTRL_SESS_ACCEPT_RENEGOTIATE]      = {ON_CTX,  control_sess_counter},
    [SSL_CTRL_SESS_HIT]                     = {ON_CTX,  control_sess_counter},
    [SSL_CTRL_SESS_CB_HIT]                  = {ON_CTX,  control_sess_counter},
    [SSL_CTRL_SESS_MISSES]                  = {ON_CTX,  control_sess_counter},
    [SSL_CTRL_SESS_TIMEOUTS]                = {ON_CTX,  control_sess_counter},
    [SSL_CTRL_SESS_CACHE_FULL]              = {ON_CTX,  control_sess_counter},
    [SSL_CTRL_MODE]                         = {ON_BOTH, control_mode},
    [SSL_CTRL_GET_READ_AHEAD]               = {ON_BOTH, control_read_ahead},
    [SSL_CTRL_SET_READ_AHEAD]               = {ON_BOTH, control_read_ahead},
    [SSL_CTRL_SET_SESS_CACHE_SIZE]          = {ON_CTX,  control_sess_cache},
    [SSL_CTRL_GET_SESS_CACHE_SIZE]          = {ON_CTX,  control_sess_cache},
    [SSL_CTRL_SET_SESS_CACHE_MODE]          = {ON_CTX,  control_sess_cache},
    [SSL_CTRL_GET_SESS_CACHE_MODE]          = {ON_CTX,  control_sess_cache},
    [SSL_CTRL_GET_MAX_CERT_LIST]            = {ON_BOTH, control_max_cert_list},
    [SSL_CTRL_SET_MAX_CERT_LIST]            = {ON_BOTH, control_max_cert_list},
    [SSL_CTRL_SET_MAX_SEND_FRAGMENT]        = {ON_BOTH, control_fragment},
    [SSL_CTRL_SET_TLSEXT_SERVERNAME_ARG]    = {ON_CTX,  control_servername_arg},
    [SSL_CTRL_SET_TLSEXT_HOSTNAME]          = {ON_SSL,  control_hostname},
    [SSL_CTRL_SET_TLSEXT_DEBUG_ARG]         = {ON_SSL,  control_debug_arg},
    [SSL_CTRL_GET_TLSEXT_TICKET_KEYS]       = {ON_CTX,  control_ticket_keys},
    [SSL_CTRL_SET_TLSEXT_TICKET_KEYS]       = {ON_CTX,  control_ticket_keys},
    [SSL_CTRL_SET_TLSEXT_STATUS_REQ_CB_ARG] = {ON_CTX,  control_status_callback},
    [SSL_CTRL_SET_TLSEXT_STATUS_REQ_TYPE]   = {ON_BOTH, control_status_type},
    [SSL_CTRL_GET_TLSEXT_STATUS_REQ_EXTS]   = {ON_SSL,  control_status},
    [SSL_CTRL_SET_TLSEXT_STATUS_REQ_EXTS]   = {ON_SSL,  control_status},
    [SSL_CTRL_GET_TLSEXT_STATUS_REQ_IDS]    = {ON_SSL,  control_status},
    [SSL_CTRL_SET_TLSEXT_STATUS_REQ_IDS]    = {ON_SSL,  control_status},
    [SSL_CTRL_GET_TLSEXT_STATUS_REQ_OCSP_RESP] = {ON_SSL, control_status},
    [SSL_CTRL_SET_TLSEXT_STATUS_REQ_OCSP_RESP] = {ON_SSL, control_status},
    [DTLS_CTRL_GET_TIMEOUT]                 = {ON_SSL,  control_dtls},
    [DTLS_CTRL_HANDLE_TIMEOUT]              = {ON_SSL,  control_dtls},
    [SSL_CTRL_GET_RI_SUPPORT]               = {ON_SSL,  control_ri_support},
    [SSL_CTRL_CLEAR_MODE]                   = {ON_BOTH, control_mode},
    [SSL_CTRL_SET_TLS_EXT_SRP_USERNAME]     = {ON_CTX,  control_srp},
    [SSL_CTRL_SET_TLS_EXT_SRP_STRENGTH]     = {ON_CTX,  control_srp},
    [SSL_CTRL_SET_TLS_EXT_SRP_PASSWORD]     = {ON_CTX,  control_srp},
    [SSL_CTRL_GET_EXTRA_CHAIN_CERTS]        = {ON_CTX,  control_extra_chain},
    [SSL_CTRL_CLEAR_EXTRA_CHAIN_CERTS]      = {ON_CTX,  control_extra_chain},
    [SSL_CTRL_CHAIN]                        = {ON_BOTH, control_chain},
    [SSL_CTRL_CHAIN_CERT]                   = {ON_BOTH, control_chain},
    [SSL_CTRL_GET_GROUPS]                   = {ON_SSL,  control_groups},
    [SSL_CTRL_SET_GROUPS]                   = {ON_BOTH, control_groups},
    [SSL_CTRL_SET_GROUPS_LIST]              = {ON_BOTH, control_groups},
    [SSL_CTRL_GET_SHARED_GROUP]             = {ON_SSL,  control_groups},
    [SSL_CTRL_SET_SIGALGS]                  = {ON_BOTH, control_sigalgs},
    [SSL_CTRL_SET_SIGALGS_LIST]             = {ON_BOTH, control_sigalgs},
    [SSL_CTRL_CERT_FLAGS]                   = {ON_BOTH, control_cert_flags},
    [SSL_CTRL_CLEAR_CERT_FLAGS]             = {ON_BOTH, control_cert_flags},
    [SSL_CTRL_SET_CLIENT_SIGALGS]           = {ON_BOTH, control_sigalgs},
    [SSL_CTRL_SET_CLIENT_SIGALGS_LIST]      = {ON_BOTH, control_sigalgs},
    [SSL_CTRL_GET_CLIENT_CERT_TYPES]        = {ON_SSL,  control_cert_types},
    [SSL_CTRL_SET_CLIENT_CERT_TYPES]        = {ON_BOTH, control_cert_types},
    [SSL_CTRL_BUILD_CERT_CHAIN]             = {ON_BOTH, control_build_chain},
    [SSL_CTRL_SET_VERIFY_CERT_STORE]        = {ON_BOTH, control_cert_store},
    [SSL_CTRL_SET_CHAIN_CERT_STORE]         = {ON_BOTH, control_cert_store},
    [SSL_CTRL_GET_PEER_SIGNATURE_NID]       = {ON_SSL,  control_signature_nid},
    [SSL_CTRL_GET_PEER_TMP_KEY]             = {ON_SSL,  control_tmp_key},
    [SSL_CTRL_GET_RAW_CIPHERLIST]           = {ON_SSL,  control_raw_ciphers},
    [SSL_CTRL_GET_EC_POINT_FORMATS]         = {ON_SSL,  control_ec_formats},
    [SSL_CTRL_GET_CHAIN_CERTS]              = {ON_BOTH, control_chain},
    [SSL_CTRL_SELECT_CURRENT_CERT]          = {ON_BOTH, control_current_cert},
    [SSL_CTRL_SET_CURRENT_CERT]             = {ON_BOTH, control_current_cert},
    [SSL_CTRL_SET_DH_AUTO]                  = {ON_BOTH, control_dh_auto},
    [DTLS_CTRL_SET_LINK_MTU]                = {ON_SSL,  control_dtls},
    [DTLS_CTRL_GET_LINK_MIN_MTU]            = {ON_SSL,  control_dtls},
    [SSL_CTRL_GET_EXTMS_SUPPORT]            = {ON_SSL,  control_ems_support},
    [SSL_CTRL_SET_MIN_PROTO_VERSION]        = {ON_BOTH, control_version},
    [SSL_CTRL_SET_MAX_PROTO_VERSION]        = {ON_BOTH, control_version},
    [SSL_CTRL_SET_SPLIT_SEND_FRAGMENT]      = {ON_BOTH, control_fragment},
    [SSL_CTRL_SET_MAX_PIPELINES]            = {ON_BOTH, control_fragment},
    [SSL_CTRL_GET_TLSEXT_STATUS_REQ_TYPE]   = {ON_BOTH, control_status_type},
    [SSL_CTRL_GET_TLSEXT_STATUS_REQ_CB]     = {ON_CTX,  control_status_callback},
    [SSL_CTRL_GET_TLSEXT_STATUS_REQ_CB_ARG] = {ON_CTX,  control_status_callback},
    [SSL_CTRL_GET_MIN_PROTO_VERSION]        = {ON_BOTH, control_version},
    [SSL_CTRL_GET_MAX_PROTO_VERSION]        = {ON_BOTH, control_version},
    [SSL_CTRL_GET_SIGNATURE_NID]            = {ON_SSL,  control_signature_nid},
    [SSL_CTRL_GET_TMP_KEY]                  = {ON_SSL,  control_tmp_key},
    [SSL_CTRL_GET_NEGOTIATED_GROUP]         = {ON_SSL,  control_groups},
    [SSL_CTRL_SET_RETRY_VERIFY]             = {ON_SSL,  control_retry_verify},
    [SSL_CTRL_GET_VERIFY_CERT_STORE]        = {ON_BOTH, control_cert_store},
    [SSL_CTRL_GET_CHAIN_CERT_STORE]         = {ON_BOTH, control_cert_store},
};
/* clang-format on */

static long run(const struct target *t, unsigned char on, int command, long number,
                void *pointer)
{
    if (command < 0 || (size_t)command >= sizeof commands / sizeof commands[0])
        return 0;
    const struct command *c = &commands[command];
    return c->run && c->on & on ? c->run(t, command, number, pointer) : 0;
}

long SSL_ctrl(SSL *ssl, int command, long number, void *pointer)
{
    struct target t = {ssl, ssl->ctx};
    return run(&t, ON_SSL, command, number, pointer);
}

long SSL_CTX_ctrl(SSL_CTX *ctx, int command, long number, void *pointer)
{
    struct target t = {NULL, ctx};
    /* Without a context three commands only say whether their list could be read. */
    if (!ctx && command != SSL_CTRL_SET_GROUPS_LIST && command != SSL_CTRL_SET_SIGALGS_LIST &&
        command != SSL_CTRL_SET_CLIENT_SIGALGS_LIST)
        return 0;
    return run(&t, ON_CTX, command, number, pointer);
}

long SSL_callback_ctrl(SSL *ssl, int command, void (*callback)(void))
{
    switch (command) {
    case SSL_CTRL_SET_MSG_CALLBACK:
        SSL_set_msg_callback(
            ssl, (void (*)(int, int, int, const void *, size_t, SSL *, void *))callback);
        return 1;
    case SSL_CTRL_SET_TMP_DH_CB:
        SSL_set_tmp_dh_callback(ssl, (DH * (*)(SSL *, int, int)) callback);
        return 1;
    case SSL_CTRL_SET_TLSEXT_DEBUG_CB:
        ssl->debug_cb = (void (*)(SSL *, int, int, const unsigned char *, int, void *))callback;
        /* the engine's trace belongs to a configuration: one of this connection's own */
        if (!settings_edit(&ssl->settings))
            return 0;
        return 1;
    case SSL_CTRL_SET_NOT_RESUMABLE_SESS_CB:
        SSL_set_not_resumable_session_callback(ssl, (int (*)(SSL *, int))callback);
        return 1;
    default: return 0;
    }
}

typedef int (*ticket_key_fn)(SSL *, unsigned char *, unsigned char *, EVP_CIPHER_CTX *,
                             HMAC_CTX *, int);

long SSL_CTX_callback_ctrl(SSL_CTX *ctx, int command, void (*callback)(void))
{
    switch (command) {
    case SSL_CTRL_SET_MSG_CALLBACK:
        SSL_CTX_set_msg_callback(
            ctx, (void (*)(int, int, int, const void *, size_t, SSL *, void *))callback);
        return 1;
    case SSL_CTRL_SET_TMP_DH_CB:
        SSL_CTX_set_tmp_dh_callback(ctx, (DH * (*)(SSL *, int, int)) callback);
        return 1;
    case SSL_CTRL_SET_TLSEXT_SERVERNAME_CB:
        ctx->servername_cb = (int (*)(SSL *, int *, void *))callback;
        return 1;
    case SSL_CTRL_SET_TLSEXT_STATUS_REQ_CB:
        ctx->status_cb = (int (*)(SSL *, void *))callback;
        return 1;
    case SSL_CTRL_SET_TLSEXT_TICKET_KEY_CB:
        ctx->ticket_key_cb = (ticket_key_fn)callback;
        return 1;
    case SSL_CTRL_SET_NOT_RESUMABLE_SESS_CB:
        SSL_CTX_set_not_resumable_session_callback(ctx, (int (*)(SSL *, int))callback);
        return 1;
    case SSL_CTRL_SET_TLS_EXT_SRP_USERNAME_CB:
    case SSL_CTRL_SET_SRP_VERIFY_PARAM_CB:
    case SSL_CTRL_SET_SRP_GIVE_CLIENT_PWD_CB: raise_unsupported("SRP"); return 0;
    default: return 0;
    }
}
