/* control_certificate.c: SSL_ctrl's and SSL_CTX_ctrl's commands about certificates. */
#include "libssl/control.h"

/* The functions behind them take one of the two. */
static SSL_CTX *alone(const struct target *t)
{
    return t->ssl ? NULL : t->ctx;
}

long control_tmp_dh(const struct target *t, int command, long number, void *pointer)
{
    (void)command, (void)number;
    return certs_ctrl_set_tmp_dh(t->ssl, alone(t), pointer);
}

long control_dh_auto(const struct target *t, int command, long number, void *pointer)
{
    (void)command, (void)pointer;
    return certs_ctrl_set_dh_auto(t->ssl, alone(t), number);
}

long control_extra_chain(const struct target *t, int command, long number, void *pointer)
{
    switch (command) {
    case SSL_CTRL_EXTRA_CHAIN_CERT: return certs_ctrl_extra_chain_cert(t->ctx, pointer);
    case SSL_CTRL_GET_EXTRA_CHAIN_CERTS:
        return certs_ctrl_get_extra_chain_certs(t->ctx, number, pointer);
    default: return certs_ctrl_clear_extra_chain_certs(t->ctx);
    }
}

long control_chain(const struct target *t, int command, long number, void *pointer)
{
    switch (command) {
    case SSL_CTRL_CHAIN: return certs_ctrl_chain(t->ssl, alone(t), number, pointer);
    case SSL_CTRL_CHAIN_CERT: return certs_ctrl_chain_cert(t->ssl, alone(t), number, pointer);
    default: return certs_ctrl_get_chain_certs(t->ssl, alone(t), pointer);
    }
}

long control_cert_flags(const struct target *t, int command, long number, void *pointer)
{
    (void)pointer;
    return command == SSL_CTRL_CERT_FLAGS
               ? certs_ctrl_cert_flags(t->ssl, alone(t), number)
               : certs_ctrl_clear_cert_flags(t->ssl, alone(t), number);
}

long control_cert_types(const struct target *t, int command, long number, void *pointer)
{
    return command == SSL_CTRL_SET_CLIENT_CERT_TYPES
               ? certs_ctrl_set_client_cert_types(t->ssl, alone(t), pointer, number)
               : certs_ctrl_get_client_cert_types(t->ssl, pointer);
}

long control_build_chain(const struct target *t, int command, long number, void *pointer)
{
    (void)command, (void)pointer;
    return certs_ctrl_build_cert_chain(t->ssl, alone(t), number);
}

long control_cert_store(const struct target *t, int command, long number, void *pointer)
{
    switch (command) {
    case SSL_CTRL_SET_VERIFY_CERT_STORE:
        return certs_ctrl_set_verify_store(t->ssl, alone(t), number, pointer);
    case SSL_CTRL_SET_CHAIN_CERT_STORE:
        return certs_ctrl_set_chain_store(t->ssl, alone(t), number, pointer);
    case SSL_CTRL_GET_VERIFY_CERT_STORE:
        return certs_ctrl_get_verify_store(t->ssl, alone(t), pointer);
    default: return certs_ctrl_get_chain_store(t->ssl, alone(t), pointer);
    }
}

long control_current_cert(const struct target *t, int command, long number, void *pointer)
{
    return command == SSL_CTRL_SELECT_CURRENT_CERT
               ? certs_ctrl_select_current_cert(t->ssl, alone(t), pointer)
               : certs_ctrl_set_current_cert(t->ssl, alone(t), number);
}
