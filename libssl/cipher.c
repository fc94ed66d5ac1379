/* cipher.c: what a cipher suite says of itself. */
#include <openssl/evp.h>
#include <openssl/objects.h>
#include <pthread.h>

#include "libssl/local.h"

const SSL_CIPHER *cipher_by_id(uint16_t id)
{
    size_t count;
    const SSL_CIPHER *table = cipher_table(&count);
    for (size_t i = 0; i < count; i++) {
        if (table[i].id == id)
            return &table[i];
    }
    return NULL;
}

const SSL_CIPHER *cipher_by_name(const char *name)
{
    size_t count;
    const SSL_CIPHER *table = cipher_table(&count);
    for (size_t i = 0; i < count; i++) {
        if (strcmp(table[i].name, name) == 0 ||
            (table[i].standard && strcmp(table[i].standard, name) == 0))
            return &table[i];
    }
    return NULL;
}

uint16_t cipher_id(const SSL_CIPHER *cipher)
{
    return cipher->id;
}

/* ---- what the engine has: looked up once, since its own table knows what libcrypto lacks */

static pthread_once_t usable_once = PTHREAD_ONCE_INIT;
static uint64_t usable[4]; /* one bit for each row of the table */

static void find_usable(void)
{
    hf_suite_info info[LIST_MAX];
    size_t rows, count = hf_all_suites(info, LIST_MAX);
    const SSL_CIPHER *table = cipher_table(&rows);
    for (size_t i = 0; i < rows && i < 256; i++) {
        for (size_t k = 0; k < count && k < LIST_MAX; k++) {
            if (info[k].id == table[i].id)
                usable[i / 64] |= (uint64_t)1 << i % 64;
        }
    }
}

bool cipher_usable(const SSL_CIPHER *cipher)
{
    size_t count;
    size_t i = (size_t)(cipher - cipher_table(&count));
    (void)pthread_once(&usable_once, find_usable);
    return i < 256 && usable[i / 64] >> i % 64 & 1;
}

/* ---- numbers and names */

/* clang-format off */
static const struct {
    uint16_t bits;
    int nid;
} encs[] = {
    [ENC_NONE]         = {0, NID_undef},
    [ENC_NULL]         = {0, NID_undef},
    [ENC_AES128]       = {128, NID_aes_128_cbc},
    [ENC_AES256]       = {256, NID_aes_256_cbc},
    [ENC_AES128_GCM]   = {128, NID_aes_128_gcm},
    [ENC_AES256_GCM]   = {256, NID_aes_256_gcm},
    [ENC_AES128_CCM]   = {128, NID_aes_128_ccm},
    [ENC_AES256_CCM]   = {256, NID_aes_256_ccm},
    [ENC_AES128_CCM8]  = {128, NID_aes_128_ccm},
    [ENC_AES256_CCM8]  = {256, NID_aes_256_ccm},
    [ENC_CHACHA20]     = {256, NID_chacha20_poly1305},
    [ENC_CAMELLIA128]  = {128, NID_camellia_128_cbc},
    [ENC_CAMELLIA256]  = {256, NID_camellia_256_cbc},
    [ENC_ARIA128_GCM]  = {128, NID_aria_128_gcm},
    [ENC_ARIA256_GCM]  = {256, NID_aria_256_gcm},
    [ENC_IDEA]         = {128, NID_idea_cbc},
    [ENC_SEED]         = {128, NID_seed_cbc},
    [ENC_GOST89]       = {256, NID_gost89_cnt},
    [ENC_GOST89_12]    = {256, NID_gost89_cnt_12},
    [ENC_KUZNYECHIK]   = {256, NID_kuznyechik_ctr_acpkm},
    [ENC_MAGMA]        = {256, NID_magma_ctr_acpkm},
};

static const int macs[] = {
    [MAC_NONE]       = NID_md5_sha1,
    [MAC_AEAD]       = NID_undef,
    [MAC_MD5]        = NID_md5,
    [MAC_SHA1]       = NID_sha1,
    [MAC_SHA256]     = NID_sha256,
    [MAC_SHA384]     = NID_sha384,
    [MAC_GOST89]     = NID_id_Gost28147_89_MAC,
    [MAC_GOST94]     = NID_id_GostR3411_94,
    [MAC_GOST12]     = NID_id_GostR3411_2012_256,
    [MAC_GOST89_12]  = NID_gost_mac_12,
    [MAC_KUZNYECHIK] = NID_kuznyechik_mac,
    [MAC_MAGMA]      = NID_magma_mac,
};

static const int kxs[] = {
    [KX_ANY]       = NID_kx_any,
    [KX_RSA]       = NID_kx_rsa,
    [KX_DHE]       = NID_kx_dhe,
    [KX_ECDHE]     = NID_kx_ecdhe,
    [KX_PSK]       = NID_kx_psk,
    [KX_RSA_PSK]   = NID_kx_rsa_psk,
    [KX_ECDHE_PSK] = NID_kx_ecdhe_psk,
    [KX_DHE_PSK]   = NID_kx_dhe_psk,
    [KX_SRP]       = NID_kx_srp,
    [KX_GOST]      = NID_kx_gost,
    [KX_GOST18]    = NID_kx_gost18,
};

static const int aus[] = {
    [AU_ANY]    = NID_auth_any,
    [AU_RSA]    = NID_auth_rsa,
    [AU_DSS]    = NID_auth_dss,
    [AU_ECDSA]  = NID_auth_ecdsa,
    [AU_PSK]    = NID_auth_psk,
    [AU_SRP]    = NID_auth_srp,
    [AU_NULL]   = NID_auth_null,
    [AU_GOST01] = NID_auth_gost01,
    [AU_GOST12] = NID_undef, /* two kinds at once have no number */
    [AU_GOST18] = NID_auth_gost12,
};
/* clang-format on */

unsigned cipher_bits(const SSL_CIPHER *cipher)
{
    return encs[cipher->enc].bits;
}

const char *SSL_CIPHER_get_name(const SSL_CIPHER *c)
{
    return c ? c->name : "(NONE)";
}

const char *SSL_CIPHER_standard_name(const SSL_CIPHER *c)
{
    return c ? c->standard : "(NONE)";
}

const char *OPENSSL_cipher_name(const char *standard)
{
    size_t count;
    const SSL_CIPHER *table = cipher_table(&count);
    for (size_t i = 0; standard && i < count; i++) {
        if (table[i].standard && strcmp(table[i].standard, standard) == 0)
            return table[i].name;
    }
    return "(NONE)";
}

int SSL_CIPHER_get_bits(const SSL_CIPHER *c, int *alg_bits)
{
    if (!c)
        return 0;
    if (alg_bits)
        *alg_bits = (int)cipher_bits(c);
    return (int)cipher_bits(c);
}

uint32_t SSL_CIPHER_get_id(const SSL_CIPHER *c)
{
    return 0x03000000U | c->id;
}

uint16_t SSL_CIPHER_get_protocol_id(const SSL_CIPHER *c)
{
    return c->id;
}

int SSL_CIPHER_get_cipher_nid(const SSL_CIPHER *c)
{
    return c ? encs[c->enc].nid : NID_undef;
}

int SSL_CIPHER_get_digest_nid(const SSL_CIPHER *c)
{
    return macs[c->mac];
}

int SSL_CIPHER_get_kx_nid(const SSL_CIPHER *c)
{
    return kxs[c->kx];
}

int SSL_CIPHER_get_auth_nid(const SSL_CIPHER *c)
{
    return aus[c->au];
}

int SSL_CIPHER_is_aead(const SSL_CIPHER *c)
{
    return c->mac == MAC_AEAD;
}

const EVP_MD *SSL_CIPHER_get_handshake_digest(const SSL_CIPHER *c)
{
    switch (c->prf) {
    case PRF_SHA256: return EVP_sha256();
    case PRF_SHA384: return EVP_sha384();
    case PRF_DEFAULT: return EVP_md5_sha1();
    case PRF_MD5: return EVP_md5();
    default: return NULL;
    }
}

const SSL_CIPHER *SSL_CIPHER_find(SSL *s, const unsigned char *id)
{
    (void)s;
    return cipher_by_id((uint16_t)(id[0] << 8 | id[1]));
}
