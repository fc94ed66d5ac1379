/* tmp_dh.c: finite-field Diffie-Hellman of servers. The engine speaks the groups of RFC 7919 only: what an
 * application sets says whether there is DH at all, and how long the prime is. */
#include "libssl/local.h"

#include <openssl/core_names.h>
#include <openssl/dh.h>

/* 1: taken over. */
static int set0_dh(SSL *s, SSL_CTX *ctx, EVP_PKEY *key)
{
    if (!security_allows(s, ctx, SSL_SECOP_TMP_DH, EVP_PKEY_get_security_bits(key), 0, key)) {
        raise_ssl(SSL_R_DH_KEY_TOO_SMALL);
        return 0;
    }
    struct certs *c = certs_change(s, ctx);
    if (!c)
        return 0;
    EVP_PKEY_free(c->dh);
    c->dh = key;
    return 1;
}

int SSL_set0_tmp_dh_pkey(SSL *s, EVP_PKEY *dhpkey)
{
    return set0_dh(s, NULL, dhpkey);
}

int SSL_CTX_set0_tmp_dh_pkey(SSL_CTX *ctx, EVP_PKEY *dhpkey)
{
    return set0_dh(NULL, ctx, dhpkey);
}

static EVP_PKEY *key_of(DH *dh)
{
    EVP_PKEY *key = dh ? EVP_PKEY_new() : NULL;
    if (key && EVP_PKEY_set1_DH(key, dh))
        return key;
    EVP_PKEY_free(key);
    return NULL;
}

long certs_ctrl_set_tmp_dh(SSL *s, SSL_CTX *ctx, DH *dh)
{
    if (!dh) {
        raise_ssl(ERR_R_PASSED_NULL_PARAMETER);
        return 0;
    }
    EVP_PKEY *key = key_of(dh);
    if (!key) {
        raise_ssl(ERR_R_MALLOC_FAILURE);
        return 0;
    }
    if (set0_dh(s, ctx, key))
        return 1;
    EVP_PKEY_free(key);
    return 0;
}

long certs_ctrl_set_dh_auto(SSL *s, SSL_CTX *ctx, long mode)
{
    struct certs *c = certs_change(s, ctx);
    if (!c)
        return 0;
    c->dh_auto = (int)mode;
    return 1;
}

long certs_ctrl_set_tmp_dh_cb(SSL *s, SSL_CTX *ctx, DH *(*cb)(SSL *, int, int))
{
    struct certs *c = certs_change(s, ctx);
    if (!c)
        return 0;
    c->dh_cb = cb;
    return 1;
}

void SSL_set_tmp_dh_callback(SSL *ssl, DH *(*dh)(SSL *ssl, int is_export, int keylength))
{
    certs_ctrl_set_tmp_dh_cb(ssl, NULL, dh);
}

void SSL_CTX_set_tmp_dh_callback(SSL_CTX *ctx,
                                 DH *(*dh)(SSL *ssl, int is_export, int keylength))
{
    certs_ctrl_set_tmp_dh_cb(NULL, ctx, dh);
}

/* As strong as the certificate's key, if nobody said how long (SSL_CTX_set_dh_auto(3)). */
static int bits_for(const SSL *s, const struct certs *c)
{
    const EVP_PKEY *key = c->entry[c->current].key;
    int strength = c->dh_auto == 2 || !key ? 80 : EVP_PKEY_get_security_bits(key);
    static const int levels[] = {0, 80, 112, 128, 192, 256};
    int level = s->settings->security_level;
    int least = levels[level < 0 ? 0 : level > 5 ? 5 : level];
    if (strength < least)
        strength = least;
    return strength >= 192   ? 8192
           : strength >= 152 ? 4096
           : strength >= 128 ? 3072
           : strength >= 112 ? 2048
                             : 1024;
}

int certs_dh_bits(SSL *s)
{
    const struct certs *c = certs_get(s, NULL);
    if (c->dh_auto)
        return bits_for(s, c);
    if (c->dh)
        return EVP_PKEY_get_bits(c->dh);
    if (!c->dh_cb)
        return 0;
    DH *dh = c->dh_cb(s, 0, 1024);
    return dh ? DH_bits(dh) : 0;
}
