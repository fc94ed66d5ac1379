/* security.c: may a certificate be used at this security level? (SSL_CTX_set_security_level(3)) */
#include "libssl/local.h"

#include <openssl/x509v3.h>

/* Bits of security that the levels ask for. */
static int level_bits(int level)
{
    static const int bits[] = {0, 80, 112, 128, 192, 256};
    return bits[level < 0 ? 0 : level > 5 ? 5 : level];
}

bool security_allows(const SSL *s, const SSL_CTX *ctx, int op, int bits, int nid, void *other)
{
    const struct settings *set = s ? s->settings : ctx->settings;
    if (set->security_cb)
        return set->security_cb(s, ctx, op, bits, nid, other, set->security_ex) != 0;
    /* Parameters that anybody can break are refused at level 0 too (Logjam). */
    if (set->security_level <= 0)
        return op != SSL_SECOP_TMP_DH || bits >= level_bits(1);
    return bits >= level_bits(set->security_level);
}

static bool key_allowed(const SSL *s, const SSL_CTX *ctx, X509 *x, int op)
{
    EVP_PKEY *key = X509_get0_pubkey(x);
    return security_allows(s, ctx, op, key ? EVP_PKEY_get_security_bits(key) : -1, 0, x);
}

/* Nobody checks what a certificate says of itself. */
static bool signature_allowed(const SSL *s, const SSL_CTX *ctx, X509 *x, int op)
{
    int digest = NID_undef, key = NID_undef, bits = -1;
    if (X509_get_extension_flags(x) & EXFLAG_SS)
        return true;
    if (!X509_get_signature_info(x, &digest, &key, &bits, NULL))
        bits = -1;
    return security_allows(s, ctx, op, bits, digest != NID_undef ? digest : key, x);
}

int cert_security(const SSL *s, const SSL_CTX *ctx, X509 *x, bool peer, bool own)
{
    int side = peer ? SSL_SECOP_PEER : 0;
    if (!key_allowed(s, ctx, x, (own ? SSL_SECOP_EE_KEY : SSL_SECOP_CA_KEY) | side))
        return own ? SSL_R_EE_KEY_TOO_SMALL : SSL_R_CA_KEY_TOO_SMALL;
    return signature_allowed(s, ctx, x, SSL_SECOP_CA_MD | side) ? 1 : SSL_R_CA_MD_TOO_WEAK;
}

int chain_security(const SSL *s, STACK_OF(X509) * chain, X509 *x, bool peer)
{
    int first = x ? 0 : 1;
    int reason = cert_security(s, NULL, x ? x : sk_X509_value(chain, 0), peer, true);
    for (int i = first; reason == 1 && i < sk_X509_num(chain); i++)
        reason = cert_security(s, NULL, sk_X509_value(chain, i), peer, false);
    return reason;
}
