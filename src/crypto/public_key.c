/* public_key.c: public keys, from certificates. */
#define OPENSSL_SUPPRESS_DEPRECATED /* see key.h */
#include <openssl/err.h>
#include <openssl/x509.h>

#include "crypto/der.h"
#include "crypto/key.h"
#include "crypto/provider.h"

static struct public_key *wrap(struct key *key)
{
    struct public_key *pub = mem_new(sizeof *pub);
    if (!pub) {
        key_clear(key);
        return NULL;
    }
    atomic_init(&pub->refs, 1);
    pub->key = *key;
    return pub;
}

#define OID(...)                                                                               \
    {                                                                                          \
        (const uint8_t[]){__VA_ARGS__}, sizeof((const uint8_t[]){__VA_ARGS__})                 \
    }

/* clang-format off */
static const struct slice oid_ec      = OID(0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01);
static const struct slice oid_rsa     = OID(0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01);
static const struct slice oid_ed25519 = OID(0x2b, 0x65, 0x70);
static const struct slice oid_ed448   = OID(0x2b, 0x65, 0x71);

static const struct {
    struct slice oid;
    int nid;
} curves[] = {
    { OID(0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07), NID_X9_62_prime256v1 },
    { OID(0x2b, 0x81, 0x04, 0x00, 0x22),                   NID_secp384r1 },
    { OID(0x2b, 0x81, 0x04, 0x00, 0x23),                   NID_secp521r1 },
};
/* clang-format on */

/* ECParameters ::= CHOICE { namedCurve OBJECT IDENTIFIER }                RFC 5480 2.1.1 */
static bool read_ec(struct key *key, struct slice parameters, struct slice point)
{
    struct slice oid;
    int nid = 0;
    if (!der_take(&parameters, DER_OID, &oid) || parameters.len != 0)
        return false;
    for (size_t i = 0; i < sizeof curves / sizeof curves[0]; i++) {
        if (slice_equal(oid, curves[i].oid))
            nid = curves[i].nid;
    }
    EC_KEY *ec = nid ? key_new_ec(nid) : NULL;
    if (ec && EC_KEY_oct2key(ec, point.p, point.len, NULL) == 1)
        return key_set_ec(key, ec);
    EC_KEY_free(ec);
    return false;
}

/* RSAPublicKey ::= SEQUENCE { modulus INTEGER, publicExponent INTEGER }   RFC 8017 A.1.1 */
static bool read_rsa(struct key *key, struct slice parameters, struct slice bytes)
{
    const unsigned char *p = bytes.p;
    struct slice null;
    if (!der_take(&parameters, DER_NULL, &null) || parameters.len != 0 || !der_is_one(bytes))
        return false;
    RSA *rsa = d2i_RSAPublicKey(NULL, &p, (long)bytes.len);
    return rsa && key_set_rsa(key, rsa);
}

static bool read_raw(struct key *key, const char *name, struct slice parameters,
                     struct slice bytes)
{
    if (parameters.len != 0)
        return false;
    EVP_PKEY *pkey = EVP_PKEY_new_raw_public_key_ex(NULL, name, NULL, bytes.p, bytes.len);
    return pkey && key_set_pkey(key, pkey);
}

/* SubjectPublicKeyInfo ::= SEQUENCE {
 *     algorithm         SEQUENCE { algorithm OBJECT IDENTIFIER, parameters ANY OPTIONAL },
 *     subjectPublicKey  BIT STRING }                                          RFC 5280 4.1
 *
 * false: not one of the kinds that are common, or not in their common form. By hand, because
 * libcrypto's decoder costs 120 us. */
static bool read_common(struct key *key, struct slice der)
{
    struct slice info, algorithm, oid, bits;
    if (!der_take(&der, DER_SEQUENCE, &info) || der.len != 0 ||
        !der_take(&info, DER_SEQUENCE, &algorithm) || !der_take(&algorithm, DER_OID, &oid) ||
        !der_take(&info, DER_BIT_STRING, &bits) || info.len != 0 || bits.len < 2 ||
        bits.p[0] != 0)
        return false;
    bits = slice_of(bits.p + 1, bits.len - 1);
    if (slice_equal(oid, oid_ec))
        return key_direct_ec() && read_ec(key, algorithm, bits);
    if (slice_equal(oid, oid_rsa))
        return key_direct_rsa() && read_rsa(key, algorithm, bits);
    if (slice_equal(oid, oid_ed25519))
        return read_raw(key, "ED25519", algorithm, bits);
    return slice_equal(oid, oid_ed448) && read_raw(key, "ED448", algorithm, bits);
}

struct public_key *public_key_from_pkey(void *evp_pkey)
{
    struct key key = {0};
    if (!evp_pkey || EVP_PKEY_up_ref(evp_pkey) != 1)
        return NULL;
    key_set_pkey(&key, evp_pkey);
    return wrap(&key);
}

struct public_key *public_key_from_spki(struct slice der)
{
    struct key key = {0};
    ERR_set_mark();
    if (!read_common(&key, der)) {
        const unsigned char *p = der.p;
        EVP_PKEY *pkey = der_is_one(der) ? d2i_PUBKEY(NULL, &p, (long)der.len) : NULL;
        if (pkey)
            key_set_pkey(&key, pkey);
    }
    ERR_pop_to_mark();
    return key.kind != KEY_NONE ? wrap(&key) : NULL;
}

struct public_key *public_key_from_x509(void *x509)
{
    struct key key = {0};
    unsigned char *der = NULL;
    ERR_set_mark();
    int len = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(x509), &der);
    if (len <= 0 || !read_common(&key, slice_of(der, (size_t)len))) {
        EVP_PKEY *pkey = X509_get_pubkey(x509);
        if (pkey)
            key_set_pkey(&key, pkey);
    }
    OPENSSL_free(der);
    ERR_pop_to_mark();
    return key.kind != KEY_NONE ? wrap(&key) : NULL;
}

struct public_key *public_key_ref(struct public_key *key)
{
    if (key)
        atomic_fetch_add_explicit(&key->refs, 1, memory_order_relaxed);
    return key;
}

void public_key_free(struct public_key *key)
{
    if (!key || atomic_fetch_sub_explicit(&key->refs, 1, memory_order_acq_rel) != 1)
        return;
    key_clear(&key->key);
    mem_free(key);
}

enum key_kind public_key_kind(const struct public_key *key)
{
    return key->key.kind;
}

unsigned public_key_bits(const struct public_key *key)
{
    return key->key.bits;
}

bool public_key_verify(const struct public_key *key, enum sig_id id, struct slice message,
                       struct slice signature)
{
    /* A wrong signature is an answer, not a failure of libcrypto. */
    ERR_set_mark();
    bool ok = key_verify(&key->key, id, message, signature);
    ERR_pop_to_mark();
    return ok;
}

static bool encrypt_evp(EVP_PKEY *pkey, struct slice plain, uint8_t *out, size_t *out_len)
{
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_pkey(NULL, pkey, NULL);
    *out_len = SIG_MAX_SIZE;
    bool ok = ctx && EVP_PKEY_encrypt_init(ctx) > 0 &&
              EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_PKCS1_PADDING) > 0 &&
              EVP_PKEY_encrypt(ctx, out, out_len, plain.p, plain.len) > 0;
    EVP_PKEY_CTX_free(ctx);
    return ok;
}

bool public_key_encrypt(const struct public_key *key, struct slice plain, uint8_t *out,
                        size_t *out_len)
{
    *out_len = 0;
    if (key->key.kind != KEY_RSA || plain.len > SIG_MAX_SIZE)
        return false;
    if (key->key.pkey) {
        bool ok = encrypt_evp(key->key.pkey, plain, out, out_len);
        *out_len = ok ? *out_len : 0;
        return ok;
    }
    int len = RSA_public_encrypt((int)plain.len, plain.p, out, key->key.rsa, RSA_PKCS1_PADDING);
    *out_len = len > 0 ? (size_t)len : 0;
    return len > 0;
}
