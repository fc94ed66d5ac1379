/* sigalgs.c: the signature schemes (RFC 8446 4.2.3). The PKCS#1 schemes stand in the same list
 * because signature_algorithms speaks for certificates as well while signature_algorithms_cert
 * is absent; no TLS 1.3 handshake is signed with them, but TLS 1.2's are. SHA-1 is for devices
 * that know nothing better (RFC 9155). */
#include "config/list.h"
#include "config/tables.h"

/* clang-format off */
static const struct sigalg sigalgs[] = {
    {0x0403, "ecdsa_secp256r1_sha256", SIG_ECDSA_SHA256, KEY_P256,    true,  true},
    {0x0804, "rsa_pss_rsae_sha256",    SIG_PSS_SHA256,   KEY_RSA,     true,  true},
    {0x0503, "ecdsa_secp384r1_sha384", SIG_ECDSA_SHA384, KEY_P384,    true,  true},
    {0x0805, "rsa_pss_rsae_sha384",    SIG_PSS_SHA384,   KEY_RSA,     true,  true},
    {0x0603, "ecdsa_secp521r1_sha512", SIG_ECDSA_SHA512, KEY_P521,    true,  true},
    {0x0806, "rsa_pss_rsae_sha512",    SIG_PSS_SHA512,   KEY_RSA,     true,  true},
    {0x0807, "ed25519",                SIG_ED25519,      KEY_ED25519, true,  true},
    {0x0808, "ed448",                  SIG_ED448,        KEY_ED448,   true,  true},
    {0x0809, "rsa_pss_pss_sha256",     SIG_PSS_SHA256,   KEY_RSA_PSS, true,  true},
    {0x080a, "rsa_pss_pss_sha384",     SIG_PSS_SHA384,   KEY_RSA_PSS, true,  true},
    {0x080b, "rsa_pss_pss_sha512",     SIG_PSS_SHA512,   KEY_RSA_PSS, true,  true},
    {0x0401, "rsa_pkcs1_sha256",       SIG_PKCS1_SHA256, KEY_RSA,     false, true},
    {0x0501, "rsa_pkcs1_sha384",       SIG_PKCS1_SHA384, KEY_RSA,     false, true},
    {0x0601, "rsa_pkcs1_sha512",       SIG_PKCS1_SHA512, KEY_RSA,     false, true},
    {0x0203, "ecdsa_sha1",             SIG_ECDSA_SHA1,   KEY_P256,    false, false},
    {0x0201, "rsa_pkcs1_sha1",         SIG_PKCS1_SHA1,   KEY_RSA,     false, false},
    {0x0420, "rsa_pkcs1_sha256_legacy", SIG_PKCS1_SHA256, KEY_RSA,    false, false},
    {0x0520, "rsa_pkcs1_sha384_legacy", SIG_PKCS1_SHA384, KEY_RSA,    false, false},
    {0x0620, "rsa_pkcs1_sha512_legacy", SIG_PKCS1_SHA512, KEY_RSA,    false, false},
};
/* clang-format on */
#define COUNT (sizeof sigalgs / sizeof sigalgs[0])

const struct sigalg *sigalg_find(uint16_t id)
{
    for (size_t i = 0; i < COUNT; i++) {
        if (sigalgs[i].id == id)
            return &sigalgs[i];
    }
    return NULL;
}

const struct sigalg *sigalg_table(size_t *count)
{
    *count = COUNT;
    return sigalgs;
}

bool sigalg_fits(const struct sigalg *alg, enum key_kind kind, unsigned bits)
{
    return alg->key == kind && sig_fits(alg->sig, kind, bits);
}

/* RFC 8422 5.10: the curve that a scheme of ECDSA has in its name is TLS 1.3's; here any will
 * do. */
bool sigalg_fits12(const struct sigalg *alg, enum key_kind kind, unsigned bits)
{
    if (sigalg_is_legacy(alg->id))
        return false;
    bool kinds = alg->key == kind || (auth_of_key(alg->key) == AUTH_ECDSA &&
                                      alg->key != KEY_ED25519 && alg->key != KEY_ED448);
    return kinds && sig_fits(alg->sig, kind, bits);
}

enum auth auth_of_key(enum key_kind kind)
{
    switch (kind) {
    case KEY_RSA:
    case KEY_RSA_PSS: return AUTH_RSA;
    case KEY_P256:
    case KEY_P384:
    case KEY_P521:
    case KEY_ED25519:
    case KEY_ED448: return AUTH_ECDSA;
    case KEY_NONE:
    case KEY_OTHER: break;
    }
    return AUTH_ANY;
}

uint16_t curve_of_key(enum key_kind kind)
{
    switch (kind) {
    case KEY_P256: return 0x0017;
    case KEY_P384: return 0x0018;
    case KEY_P521: return 0x0019;
    case KEY_RSA:
    case KEY_RSA_PSS:
    case KEY_ED25519:
    case KEY_ED448:
    case KEY_NONE:
    case KEY_OTHER: break;
    }
    return 0;
}

bool sigalg_named(size_t i, struct named *out)
{
    if (i >= COUNT)
        return false;
    *out = (struct named){sigalgs[i].name, NULL, sigalgs[i].id, true};
    return true;
}
