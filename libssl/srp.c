/* srp.c: the getters of SRP (RFC 5054) and of SRTP (RFC 5764), which programs call without having asked for either:
 * they answer that there is none, without an error. All else refuses by name (refused.c). */
#include "libssl/local.h"

BIGNUM *SSL_get_srp_g(SSL *s)
{
    (void)s;
    return NULL;
}

BIGNUM *SSL_get_srp_N(SSL *s)
{
    (void)s;
    return NULL;
}

char *SSL_get_srp_username(SSL *s)
{
    (void)s;
    return NULL;
}

char *SSL_get_srp_userinfo(SSL *s)
{
    (void)s;
    return NULL;
}

/* What is freed has never been there. */
int SSL_CTX_SRP_CTX_free(SSL_CTX *ctx)
{
    return ctx != NULL;
}

int SSL_SRP_CTX_free(SSL *s)
{
    return s != NULL;
}
