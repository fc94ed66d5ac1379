/* alpn.c: application protocols (RFC 7301), and what preceded them. */
#include "libssl/local.h"

/* A ProtocolNameList's content: names of 1 to 255 bytes, each behind its length. */
static bool is_list(const unsigned char *list, size_t len)
{
    if (!list || len < 2)
        return false;
    size_t at = 0;
    while (at < len && list[at])
        at += 1u + list[at];
    return at == len;
}

/* 0 is success here, and 1 failure. */
static int set_protos(struct settings **slot, const unsigned char *protos, unsigned int len)
{
    unsigned char *copy = NULL;
    if (protos && len) {
        if (!is_list(protos, len))
            return 1;
        copy = OPENSSL_memdup(protos, len);
        if (!copy) {
            raise_ssl(ERR_R_MALLOC_FAILURE);
            return 1;
        }
    }
    struct settings *t = settings_edit(slot);
    if (!t) {
        OPENSSL_free(copy);
        return 1;
    }
    OPENSSL_free(t->alpn);
    t->alpn = copy;
    t->alpn_len = copy ? len : 0;
    return 0;
}

int SSL_CTX_set_alpn_protos(SSL_CTX *ctx, const unsigned char *protos, unsigned int protos_len)
{
    return set_protos(&ctx->settings, protos, protos_len);
}

int SSL_set_alpn_protos(SSL *s, const unsigned char *protos, unsigned int protos_len)
{
    return set_protos(&s->settings, protos, protos_len);
}

void SSL_CTX_set_alpn_select_cb(SSL_CTX *ctx, SSL_CTX_alpn_select_cb_func cb, void *arg)
{
    struct settings *t =
        settings_edit(&ctx->settings); /* the engine asks only where there is one */
    if (t) {
        ctx->alpn_select_cb = cb;
        ctx->alpn_select_arg = arg;
    }
}

void SSL_get0_alpn_selected(const SSL *s, const unsigned char **data, unsigned int *len)
{
    size_t n = 0;
    *data = s->conn ? hf_conn_alpn(s->conn, &n) : NULL;
    *len = *data ? (unsigned)n : 0;
}

static const unsigned char *find_name(const unsigned char *list, size_t len,
                                      const unsigned char *name)
{
    for (size_t at = 0; at < len; at += 1u + list[at])
        if (list[at] == name[0] && memcmp(list + at + 1, name + 1, name[0]) == 0)
            return list + at;
    return NULL;
}

/* The server's order decides. Without a common name the client's first is proposed, which NPN's clients did. */
int SSL_select_next_proto(unsigned char **out, unsigned char *outlen,
                          const unsigned char *server, unsigned int server_len,
                          const unsigned char *client, unsigned int client_len)
{
    *out = NULL;
    *outlen = 0;
    if (!is_list(client, client_len))
        return OPENSSL_NPN_NO_OVERLAP;
    const unsigned char *found = NULL;
    if (is_list(server, server_len))
        for (size_t at = 0; !found && at < server_len; at += 1u + server[at])
            found = find_name(client, client_len, server + at) ? server + at : NULL;
    const unsigned char *name = found ? found : client;
    *out = (unsigned char *)(uintptr_t)(name + 1);
    *outlen = name[0];
    return found ? OPENSSL_NPN_NEGOTIATED : OPENSSL_NPN_NO_OVERLAP;
}

/* ---- next protocol negotiation: no RFC, no peer that still speaks it; answered as if none ever offered it */

void SSL_CTX_set_next_protos_advertised_cb(SSL_CTX *ctx, SSL_CTX_npn_advertised_cb_func cb,
                                           void *arg)
{
    ctx->npn_advertised_cb = cb;
    ctx->npn_advertised_arg = arg;
}

void SSL_CTX_set_next_proto_select_cb(SSL_CTX *ctx, SSL_CTX_npn_select_cb_func cb, void *arg)
{
    ctx->npn_select_cb = cb;
    ctx->npn_select_arg = arg;
}

void SSL_get0_next_proto_negotiated(const SSL *s, const unsigned char **data, unsigned *len)
{
    (void)s;
    *data = NULL;
    *len = 0;
}
