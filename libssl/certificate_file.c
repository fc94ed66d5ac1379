/* certificate_file.c: certificates and keys from files and DER bytes. */
#include "libssl/local.h"

#include <openssl/pem.h>

/* For whom something is read: exactly one of the first two is not NULL. */
struct reader {
    SSL *s;
    SSL_CTX *ctx;
    SSL_CTX *owner; /* ctx, or that of s */
};

static pem_password_cb *passwd_cb(const struct reader *r)
{
    return r->s ? r->s->passwd_cb : r->ctx->passwd_cb;
}

static void *passwd_arg(const struct reader *r)
{
    return r->s ? r->s->passwd_arg : r->ctx->passwd_arg;
}

static BIO *open_file(const char *file)
{
    BIO *in = BIO_new(BIO_s_file());
    if (!in) {
        raise_ssl(ERR_R_BUF_LIB);
        return NULL;
    }
    if (bio_read_file(in, file) > 0)
        return in;
    raise_ssl(ERR_R_SYS_LIB);
    BIO_free(in);
    return NULL;
}

static X509 *new_x509(const struct reader *r)
{
    X509 *x = X509_new_ex(r->owner->libctx, r->owner->propq);
    if (!x)
        raise_ssl(ERR_R_MALLOC_FAILURE);
    return x;
}

/* ---- one certificate */

static int certificate_file(const struct reader *r, const char *file, int type)
{
    BIO *in = open_file(file);
    X509 *x = in ? new_x509(r) : NULL;
    X509 *read = NULL;
    int ok = 0, reason = 0;
    if (x && type == SSL_FILETYPE_ASN1) {
        reason = ERR_R_ASN1_LIB;
        read = d2i_X509_bio(in, &x);
    } else if (x && type == SSL_FILETYPE_PEM) {
        reason = ERR_R_PEM_LIB;
        read = PEM_read_bio_X509(in, &x, passwd_cb(r), passwd_arg(r));
    } else if (x) {
        reason = SSL_R_BAD_SSL_FILETYPE;
    }
    if (read)
        ok = certs_set_x509(r->s, r->ctx, x);
    else if (reason)
        raise_ssl(reason);
    X509_free(x);
    BIO_free(in);
    return ok;
}

int SSL_use_certificate_file(SSL *ssl, const char *file, int type)
{
    return certificate_file(&(struct reader){.s = ssl, .owner = ssl->ctx}, file, type);
}

int SSL_CTX_use_certificate_file(SSL_CTX *ctx, const char *file, int type)
{
    return certificate_file(&(struct reader){.ctx = ctx, .owner = ctx}, file, type);
}

static int certificate_der(const struct reader *r, const unsigned char *d, int len)
{
    X509 *x = new_x509(r);
    if (!x)
        return 0;
    if (!d2i_X509(&x, &d, (long)len)) {
        X509_free(x);
        raise_ssl(ERR_R_ASN1_LIB);
        return 0;
    }
    int ok = certs_set_x509(r->s, r->ctx, x);
    X509_free(x);
    return ok;
}

int SSL_use_certificate_ASN1(SSL *ssl, const unsigned char *d, int len)
{
    return certificate_der(&(struct reader){.s = ssl, .owner = ssl->ctx}, d, len);
}

int SSL_CTX_use_certificate_ASN1(SSL_CTX *ctx, int len, const unsigned char *d)
{
    return certificate_der(&(struct reader){.ctx = ctx, .owner = ctx}, d, len);
}

/* ---- a certificate and its issuers */

static int clear_chain(const struct reader *r)
{
    return (int)certs_ctrl_chain(r->s, r->ctx, 0, NULL);
}

/* The file ends where no further certificate begins; whatever else stops the reading is an error. */
static bool at_end_of_file(void)
{
    unsigned long e = ERR_peek_last_error();
    if (ERR_GET_LIB(e) != ERR_LIB_PEM || ERR_GET_REASON(e) != PEM_R_NO_START_LINE)
        return false;
    ERR_clear_error();
    return true;
}

static int read_issuers(const struct reader *r, BIO *in)
{
    if (!clear_chain(r))
        return 0;
    for (;;) {
        X509 *x = new_x509(r);
        if (!x)
            return 0;
        if (!PEM_read_bio_X509(in, &x, passwd_cb(r), passwd_arg(r))) {
            X509_free(x);
            return at_end_of_file();
        }
        if (!certs_add_chain(r->s, r->ctx, x)) {
            X509_free(x);
            return 0;
        }
    }
}

static int chain_file(const struct reader *r, const char *file)
{
    ERR_clear_error();
    BIO *in = open_file(file);
    X509 *x = in ? new_x509(r) : NULL;
    int ok = 0;
    if (x && !PEM_read_bio_X509_AUX(in, &x, passwd_cb(r), passwd_arg(r)))
        raise_ssl(ERR_R_PEM_LIB);
    else if (x)
        ok = certs_set_x509(r->s, r->ctx, x);
    /* Part of the certificate may have been no good, though the whole could be set. */
    if (ERR_peek_error() != 0)
        ok = 0;
    if (ok)
        ok = read_issuers(r, in);
    X509_free(x);
    BIO_free(in);
    return ok;
}

int SSL_CTX_use_certificate_chain_file(SSL_CTX *ctx, const char *file)
{
    return chain_file(&(struct reader){.ctx = ctx, .owner = ctx}, file);
}

int SSL_use_certificate_chain_file(SSL *ssl, const char *file)
{
    return chain_file(&(struct reader){.s = ssl, .owner = ssl->ctx}, file);
}

/* ---- keys */

static int take_key(const struct reader *r, EVP_PKEY *key, int reason)
{
    if (!key) {
        raise_ssl(reason);
        return 0;
    }
    int ok = certs_set_key(r->s, r->ctx, key);
    EVP_PKEY_free(key);
    return ok;
}

static int key_file(const struct reader *r, const char *file, int type)
{
    BIO *in = open_file(file);
    int ok = 0;
    if (!in)
        return 0;
    if (type == SSL_FILETYPE_PEM)
        ok = take_key(r,
                      PEM_read_bio_PrivateKey_ex(in, NULL, passwd_cb(r), passwd_arg(r),
                                                 r->owner->libctx, r->owner->propq),
                      ERR_R_PEM_LIB);
    else if (type == SSL_FILETYPE_ASN1)
        ok = take_key(r, d2i_PrivateKey_ex_bio(in, NULL, r->owner->libctx, r->owner->propq),
                      ERR_R_ASN1_LIB);
    else
        raise_ssl(SSL_R_BAD_SSL_FILETYPE);
    BIO_free(in);
    return ok;
}

int SSL_use_PrivateKey_file(SSL *ssl, const char *file, int type)
{
    return key_file(&(struct reader){.s = ssl, .owner = ssl->ctx}, file, type);
}

int SSL_CTX_use_PrivateKey_file(SSL_CTX *ctx, const char *file, int type)
{
    return key_file(&(struct reader){.ctx = ctx, .owner = ctx}, file, type);
}

static int key_der(const struct reader *r, int type, const unsigned char *d, long len)
{
    return take_key(r,
                    d2i_PrivateKey_ex(type, NULL, &d, len, r->owner->libctx, r->owner->propq),
                    ERR_R_ASN1_LIB);
}

int SSL_use_PrivateKey_ASN1(int type, SSL *ssl, const unsigned char *d, long len)
{
    return key_der(&(struct reader){.s = ssl, .owner = ssl->ctx}, type, d, len);
}

int SSL_CTX_use_PrivateKey_ASN1(int type, SSL_CTX *ctx, const unsigned char *d, long len)
{
    return key_der(&(struct reader){.ctx = ctx, .owner = ctx}, type, d, len);
}

/* ---- RSA keys, as they were set before there was EVP_PKEY */

static int take_rsa(const struct reader *r, RSA *rsa, int reason)
{
    if (!rsa) {
        raise_ssl(reason);
        return 0;
    }
    int ok = r->s ? SSL_use_RSAPrivateKey(r->s, rsa) : SSL_CTX_use_RSAPrivateKey(r->ctx, rsa);
    RSA_free(rsa);
    return ok;
}

static int rsa_file(const struct reader *r, const char *file, int type)
{
    BIO *in = open_file(file);
    int ok = 0;
    if (!in)
        return 0;
    if (type == SSL_FILETYPE_ASN1)
        ok = take_rsa(r, d2i_RSAPrivateKey_bio(in, NULL), ERR_R_ASN1_LIB);
    else if (type == SSL_FILETYPE_PEM)
        ok = take_rsa(r, PEM_read_bio_RSAPrivateKey(in, NULL, passwd_cb(r), passwd_arg(r)),
                      ERR_R_PEM_LIB);
    else
        raise_ssl(SSL_R_BAD_SSL_FILETYPE);
    BIO_free(in);
    return ok;
}

int SSL_use_RSAPrivateKey_file(SSL *ssl, const char *file, int type)
{
    return rsa_file(&(struct reader){.s = ssl, .owner = ssl->ctx}, file, type);
}

int SSL_CTX_use_RSAPrivateKey_file(SSL_CTX *ctx, const char *file, int type)
{
    return rsa_file(&(struct reader){.ctx = ctx, .owner = ctx}, file, type);
}

int SSL_use_RSAPrivateKey_ASN1(SSL *ssl, const unsigned char *d, long len)
{
    return take_rsa(&(struct reader){.s = ssl, .owner = ssl->ctx},
                    d2i_RSAPrivateKey(NULL, &d, len), ERR_R_ASN1_LIB);
}

int SSL_CTX_use_RSAPrivateKey_ASN1(SSL_CTX *ctx, const unsigned char *d, long len)
{
    return take_rsa(&(struct reader){.ctx = ctx, .owner = ctx},
                    d2i_RSAPrivateKey(NULL, &d, len), ERR_R_ASN1_LIB);
}
