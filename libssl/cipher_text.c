/* cipher_text.c: suites as they are printed. */
#include <stdio.h>

#include "libssl/local.h"

/* clang-format off */
static const char *const kx_text[] = {
    [KX_ANY] = "any", [KX_RSA] = "RSA", [KX_DHE] = "DH", [KX_ECDHE] = "ECDH", [KX_PSK] = "PSK",
    [KX_RSA_PSK] = "RSAPSK", [KX_ECDHE_PSK] = "ECDHEPSK", [KX_DHE_PSK] = "DHEPSK", [KX_SRP] = "SRP",
    [KX_GOST] = "GOST", [KX_GOST18] = "GOST18",
};
static const char *const au_text[] = {
    [AU_ANY] = "any", [AU_RSA] = "RSA", [AU_DSS] = "DSS", [AU_ECDSA] = "ECDSA", [AU_PSK] = "PSK",
    [AU_SRP] = "SRP", [AU_NULL] = "None", [AU_GOST01] = "GOST01", [AU_GOST12] = "GOST12",
    [AU_GOST18] = "unknown",
};
static const char *const enc_text[] = {
    [ENC_NONE] = "unknown", [ENC_NULL] = "None",
    [ENC_AES128] = "AES(128)", [ENC_AES256] = "AES(256)",
    [ENC_AES128_GCM] = "AESGCM(128)", [ENC_AES256_GCM] = "AESGCM(256)",
    [ENC_AES128_CCM] = "AESCCM(128)", [ENC_AES256_CCM] = "AESCCM(256)",
    [ENC_AES128_CCM8] = "AESCCM8(128)", [ENC_AES256_CCM8] = "AESCCM8(256)",
    [ENC_CHACHA20] = "CHACHA20/POLY1305(256)",
    [ENC_CAMELLIA128] = "Camellia(128)", [ENC_CAMELLIA256] = "Camellia(256)",
    [ENC_ARIA128_GCM] = "ARIAGCM(128)", [ENC_ARIA256_GCM] = "ARIAGCM(256)",
    [ENC_IDEA] = "IDEA(128)", [ENC_SEED] = "SEED(128)",
    [ENC_GOST89] = "GOST89(256)", [ENC_GOST89_12] = "GOST89(256)",
    [ENC_KUZNYECHIK] = "KUZNYECHIK", [ENC_MAGMA] = "MAGMA",
};
static const char *const mac_text[] = {
    [MAC_NONE] = "unknown", [MAC_AEAD] = "AEAD", [MAC_MD5] = "MD5", [MAC_SHA1] = "SHA1",
    [MAC_SHA256] = "SHA256", [MAC_SHA384] = "SHA384", [MAC_GOST89] = "GOST89", [MAC_GOST94] = "GOST94",
    [MAC_GOST12] = "GOST2012", [MAC_GOST89_12] = "GOST89", [MAC_KUZNYECHIK] = "unknown",
    [MAC_MAGMA] = "unknown",
};
/* clang-format on */

static const char *version_text(int version, const char *tls1)
{
    switch (version) {
    case SSL3_VERSION: return "SSLv3";
    case TLS1_VERSION: return tls1;
    case TLS1_2_VERSION: return "TLSv1.2";
    case TLS1_3_VERSION: return "TLSv1.3";
    default: return "unknown";
    }
}

const char *SSL_CIPHER_get_version(const SSL_CIPHER *c)
{
    return c ? version_text(c->version_min, "TLSv1.0") : "(NONE)";
}

char *SSL_CIPHER_description(const SSL_CIPHER *c, char *buf, int len)
{
    enum { SIZE = 128 }; /* what the manual page promises to be enough */
    if (!buf) {
        len = SIZE;
        if (!(buf = OPENSSL_malloc(SIZE))) {
            raise_ssl(ERR_R_MALLOC_FAILURE);
            return NULL;
        }
    } else if (len < SIZE) {
        return NULL;
    }
    (void)snprintf(buf, (size_t)len, "%-30s %-7s Kx=%-8s Au=%-5s Enc=%-22s Mac=%-4s\n", c->name,
                   version_text(c->version_min, "TLSv1"), kx_text[c->kx], au_text[c->au],
                   enc_text[c->enc], mac_text[c->mac]);
    return buf;
}
