/* control_ctx.c: commands that only contexts know. */

#include "libssl/control.h"

long control_servername_arg(const struct target *t, int command, long number, void *pointer)
{
    (void)command, (void)number;
    t->ctx->servername_arg = pointer;
    return 1;
}

long control_status_callback(const struct target *t, int command, long number, void *pointer)
{
    (void)number;
    if (command == SSL_CTRL_SET_TLSEXT_STATUS_REQ_CB_ARG)
        t->ctx->status_arg = pointer;
    else if (command == SSL_CTRL_GET_TLSEXT_STATUS_REQ_CB_ARG)
        *(void **)pointer = t->ctx->status_arg;
    else
        *(int (**)(SSL *, void *))pointer = t->ctx->status_cb;
    return 1;
}

long control_ticket_keys(const struct target *t, int command, long number, void *pointer)
{
    SSL_CTX *ctx = t->ctx;
    if (!pointer)
        return sizeof ctx->ticket_keys;
    if (number != sizeof ctx->ticket_keys) {
        raise_ssl(SSL_R_INVALID_TICKET_KEYS_LENGTH);
        return 0;
    }
    if (command == SSL_CTRL_SET_TLSEXT_TICKET_KEYS) {
        memcpy(ctx->ticket_keys, pointer, sizeof ctx->ticket_keys);
        tickets_use_keys(ctx);
    } else {
        if (!tickets_make_keys(ctx))
            return 0;
        memcpy(pointer, ctx->ticket_keys, sizeof ctx->ticket_keys);
    }
    return 1;
}

long control_srp(const struct target *t, int command, long number, void *pointer)
{
    (void)t, (void)command, (void)number, (void)pointer;
    raise_unsupported("SRP");
    return 0;
}
