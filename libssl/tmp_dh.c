/* tmp_dh.c: finite-field Diffie-Hellman of servers before TLS 1.3: the group is the application's (SSL_CTX_set_tmp_dh(3)),
 * what its callback says, or one of RFC 3526 (SSL_CTX_set_dh_auto(3)). */
#include "libssl/local.h"

#include <openssl/core_names.h>
#include <openssl/dh.h>

#include "access/access.h"
#include "libssl/control.h"

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

/* ---- the group of one connection */

/* What a security callback is shown. */
static EVP_PKEY *params_key(struct slice p, struct slice g)
{
    EVP_PKEY *key = NULL;
    BIGNUM *p_bn = BN_bin2bn(p.p, (int)p.len, NULL), *g_bn = BN_bin2bn(g.p, (int)g.len, NULL);
    DH *dh = DH_new();
    if (dh && p_bn && g_bn && DH_set0_pqg(dh, p_bn, NULL, g_bn) == 1) {
        p_bn = g_bn = NULL;
        key = key_of(dh);
    }
    BN_free(p_bn);
    BN_free(g_bn);
    DH_free(dh);
    return key;
}

bool tmp_dh_allowed(SSL *s, struct slice p, struct slice g)
{
    EVP_PKEY *key = params_key(p, g);
    bool ok = key && security_allows(s, NULL, SSL_SECOP_TMP_DH, EVP_PKEY_get_security_bits(key),
                                     0, key);
    EVP_PKEY_free(key);
    return ok;
}

static bool any(hf_conn *conn)
{
    const struct certs *c = certs_get(ssl_of(conn), NULL);
    return c->dh || c->dh_cb || c->dh_auto;
}

/* As strong as the certificate's key, and, where nobody said that it need not be, as the level asks for. 0: there is no
 * such key. */
static int strength_of(const struct certs *c, uint16_t suite)
{
    const SSL_CIPHER *cipher = cipher_by_id(suite);
    if (c->dh_auto == 2)
        return 80;
    if (!cipher || cipher->au == AU_NULL || cipher->au == AU_PSK)
        return cipher && cipher_bits(cipher) == 256 ? 128 : 80;
    const EVP_PKEY *key = c->entry[CERT_RSA].key;
    if (!key)
        key = c->entry[CERT_RSA_PSS].key;
    return key ? EVP_PKEY_get_security_bits(key) : 0;
}

/* A safe prime whose generator is 2 (RFC 3526, RFC 2409). */
static BIGNUM *prime_for(SSL *s, int strength)
{
    int least = security_level_bits(s->settings->security_level);
    if (strength < least)
        strength = least;
    return strength >= 192   ? BN_get_rfc3526_prime_8192(NULL)
           : strength >= 152 ? BN_get_rfc3526_prime_4096(NULL)
           : strength >= 128 ? BN_get_rfc3526_prime_3072(NULL)
           : strength >= 112 ? BN_get_rfc3526_prime_2048(NULL)
                             : BN_get_rfc2409_prime_1024(NULL);
}

static bool put_number(uint8_t *out, size_t *len, const BIGNUM *n)
{
    int size = n ? BN_num_bytes(n) : 0;
    if (size <= 0 || size > KX_MAX_DH)
        return false;
    *len = (size_t)BN_bn2bin(n, out);
    return true;
}

static hf_code automatic(SSL *s, const struct certs *c, uint16_t suite, struct dh_group *group)
{
    int strength = strength_of(c, suite);
    BIGNUM *p = strength ? prime_for(s, strength) : NULL;
    bool ok = put_number(group->p, &group->p_len, p);
    BN_free(p);
    group->g[0] = 2;
    group->g_len = 1;
    if (!ok)
        return HF_E_CRYPTO;
    return tmp_dh_allowed(s, slice_of(group->p, group->p_len), slice_of(group->g, group->g_len))
               ? HF_OK
               : HF_E_OWN_DH_WEAK;
}

static bool take_key(struct dh_group *group, const EVP_PKEY *key)
{
    BIGNUM *p = NULL, *g = NULL;
    int bits = 0;
    ERR_set_mark();
    bool ok = EVP_PKEY_get_bn_param(key, OSSL_PKEY_PARAM_FFC_P, &p) == 1 &&
              EVP_PKEY_get_bn_param(key, OSSL_PKEY_PARAM_FFC_G, &g) == 1 &&
              put_number(group->p, &group->p_len, p) && put_number(group->g, &group->g_len, g);
    if (EVP_PKEY_get_int_param(key, OSSL_PKEY_PARAM_DH_PRIV_LEN, &bits) == 1 && bits > 0)
        group->exponent_bits = (unsigned)bits;
    ERR_pop_to_mark();
    BN_free(p);
    BN_free(g);
    return ok;
}

static hf_code with_key(SSL *s, EVP_PKEY *key, struct dh_group *group)
{
    if (!security_allows(s, NULL, SSL_SECOP_TMP_DH, EVP_PKEY_get_security_bits(key), 0, key))
        return HF_E_OWN_DH_WEAK;
    return take_key(group, key) ? HF_OK : HF_E_CRYPTO;
}

/* Asked for each connection, when its ServerKeyExchange is made; what the callback gives stays its own. */
static hf_code by_callback(SSL *s, DH *(*cb)(SSL *, int, int), struct dh_group *group)
{
    EVP_PKEY *key = cb ? key_of(cb(s, 0, 1024)) : NULL;
    hf_code code = key ? with_key(s, key, group) : HF_E_NO_DH_GROUP;
    EVP_PKEY_free(key);
    return code;
}

static hf_code choose(hf_conn *conn, uint16_t suite, struct dh_group *group)
{
    SSL *s = ssl_of(conn);
    const struct certs *c = certs_get(s, NULL);
    if (c->dh_auto)
        return automatic(s, c, suite, group);
    return c->dh ? with_key(s, c->dh, group) : by_callback(s, c->dh_cb, group);
}

const struct dh_source tmp_dh_source = {any, choose};
