/* security.c: what each security level admits (see security.h), by the estimates of NIST SP
 * 800-57 5.6.1. */
#include "config/security.h"

#define LEVELS 6

static unsigned by_level(const unsigned table[LEVELS], uint8_t level)
{
    return table[level < LEVELS ? level : LEVELS - 1];
}

unsigned security_bits(uint8_t level)
{
    static const unsigned bits[LEVELS] = {0, 80, 112, 128, 192, 256};
    return by_level(bits, level);
}

/* RFC 8996: whoever signs a handshake of TLS 1.0 or 1.1 signs MD5 and SHA-1 digests. */
bool security_allows_version(uint8_t level, uint16_t version)
{
    return level == 0 || version >= HF_TLS1_2;
}

static bool forward_secret(const struct suite *suite)
{
    switch (suite->kex) {
    case KEX_ANY:
    case KEX_ECDHE:
    case KEX_DHE:
    case KEX_ECDHE_PSK:
    case KEX_DHE_PSK: return true;
    case KEX_RSA:
    case KEX_PSK: break;
    }
    return false;
}

bool security_allows_suite(uint8_t level, const struct suite *suite)
{
    if (level == 0)
        return true;
    return suite->bits >= security_bits(level) && suite->auth != AUTH_NONE &&
           (level < 3 || forward_secret(suite)) && (level < 4 || suite->mac != HASH_SHA1);
}

static unsigned group_bits(enum kx_id kx)
{
    switch (kx) {
    case KX_FFDHE2048: return 112;
    case KX_X25519:
    case KX_P256:
    case KX_FFDHE3072:
    case KX_FFDHE4096:
    case KX_FFDHE6144: return 128;
    case KX_P384:
    case KX_FFDHE8192:
    case KX_X25519MLKEM768:
    case KX_MLKEM768:
    case KX_P256MLKEM768: return 192;
    case KX_X448: return 224;
    case KX_P521:
    case KX_MLKEM1024:
    case KX_P384MLKEM1024: return 256;
    case KX_NONE: break;
    }
    return 0;
}

bool security_allows_group(uint8_t level, const struct group *group)
{
    return group_bits(group->kx) >= security_bits(level);
}

/* How hard it is to find two messages with one digest: half its length; SHA-1's is broken. */
static unsigned signature_bits(enum sig_id sig)
{
    switch (sig) {
    case SIG_ECDSA_SHA256:
    case SIG_PSS_SHA256:
    case SIG_PKCS1_SHA256:
    case SIG_ED25519: return 128;
    case SIG_ECDSA_SHA384:
    case SIG_PSS_SHA384:
    case SIG_PKCS1_SHA384: return 192;
    case SIG_ED448: return 224;
    case SIG_ECDSA_SHA512:
    case SIG_PSS_SHA512:
    case SIG_PKCS1_SHA512: return 256;
    case SIG_ECDSA_SHA1:
    case SIG_PKCS1_SHA1:
    case SIG_PKCS1_MD5_SHA1: return 63;
    case SIG_NONE: break;
    }
    return 0;
}

bool security_allows_sigalg(uint8_t level, const struct sigalg *alg)
{
    return signature_bits(alg->sig) >= security_bits(level);
}

static unsigned modulus_bits(uint8_t level)
{
    static const unsigned bits[LEVELS] = {0, 1024, 2048, 3072, 7680, 15360};
    return by_level(bits, level);
}

bool security_allows_key(uint8_t level, enum key_kind kind, unsigned bits)
{
    unsigned wanted = security_bits(level);
    switch (kind) {
    case KEY_RSA:
    case KEY_RSA_PSS: return bits >= modulus_bits(level);
    case KEY_P256:
    case KEY_ED25519: return wanted <= 128;
    case KEY_P384: return wanted <= 192;
    case KEY_ED448: return wanted <= 224;
    case KEY_P521: return true;
    case KEY_NONE:
    case KEY_OTHER: break;
    }
    return level == 0;
}

/* Ephemeral groups of less than 1024 bits are computed through within the handshake (Logjam,
 * 2015): no level has a use for them. */
bool security_allows_dh(uint8_t level, unsigned bits)
{
    return bits >= 1024 && bits >= modulus_bits(level);
}
