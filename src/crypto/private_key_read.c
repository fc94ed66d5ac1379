/* private_key_read.c: private keys from PEM (RFC 7468, and the encryption of RFC 1421) and
 * DER: PKCS#8 (RFC 5958), SEC1 (RFC 5915), PKCS#1 (RFC 8017).
 *
 * The usual kinds are decoded by the function for their kind: libcrypto's generic decoder
 * takes 400 us to try all that it knows. */
#define OPENSSL_SUPPRESS_DEPRECATED /* see key.h */
#include <limits.h>
#include <openssl/err.h>
#include <openssl/obj_mac.h>
#include <openssl/pem.h>
#include <openssl/pkcs12.h>
#include <openssl/x509.h>

#include "crypto/der.h"
#include "crypto/key.h"
#include "crypto/private_key_read.h"
#include "crypto/provider.h"
#include "crypto/random.h"

/* Shorter ones can be factored by anybody. How long a key must be for a use, the security level says. */
#define MIN_RSA_BITS 1024

struct reading {
    hf_passphrase_fn fn;
    void *arg;
    bool refused; /* fn gave nothing */
    int curve;    /* NID of the last EC PARAMETERS block */
    bool found;
    hf_error *err;
    struct key key;
};

static bool damaged(struct reading *r, const char *what)
{
    char text[160];
    crypto_error_text(text, sizeof text);
    return err_set(r->err, HF_E_PEM, "%s cannot be decoded%s%s%s", what, *text ? " (" : "",
                   text, *text ? ")" : "");
}

/* ---- passphrases */

static int ask(char *out, int size, int writing, void *arg)
{
    struct reading *r = arg;
    (void)writing;
    int len = r->fn ? r->fn(out, (size_t)size, r->arg) : -1;
    r->refused = len < 0 || len > size;
    return r->refused ? -1 : len;
}

/* libcrypto says "bad decrypt" for a wrong passphrase and "unsupported" or "unknown" for a
 * cipher or key derivation that it lacks; in that case no passphrase would help. */
static bool lacks_algorithm(void)
{
    unsigned long code = ERR_peek_error();
    return ERR_GET_REASON(code) == ERR_R_UNSUPPORTED ||
           (ERR_GET_LIB(code) == ERR_LIB_EVP &&
            (ERR_GET_REASON(code) == EVP_R_UNKNOWN_PBE_ALGORITHM ||
             ERR_GET_REASON(code) == EVP_R_UNSUPPORTED_PRF ||
             ERR_GET_REASON(code) == EVP_R_UNSUPPORTED_KEY_DERIVATION_FUNCTION ||
             ERR_GET_REASON(code) == EVP_R_UNSUPPORTED_CIPHER));
}

static bool not_decrypted(struct reading *r)
{
    if (r->refused && !r->fn)
        return err_set(r->err, HF_E_PASSPHRASE,
                       "the private key is encrypted and no passphrase was given");
    if (r->refused)
        return err_set(r->err, HF_E_PASSPHRASE,
                       "the private key is encrypted and the passphrase function gave none");
    if (lacks_algorithm())
        return damaged(r, "the encryption of the private key");
    return err_set(r->err, HF_E_PASSPHRASE, "the passphrase of the private key is wrong");
}

/* ---- one function per structure; each sets r->key, or the error */

static bool take_rsa(struct reading *r, RSA *rsa)
{
    unsigned bits = (unsigned)RSA_bits(rsa);
    if (bits >= MIN_RSA_BITS && bits <= KEY_MAX_RSA_BITS)
        return key_set_rsa(&r->key, rsa);
    RSA_free(rsa);
    if (bits > KEY_MAX_RSA_BITS)
        return err_set(r->err, HF_E_PEM,
                       "the RSA key has %u bits; handfast uses keys of up to %d", bits,
                       KEY_MAX_RSA_BITS);
    return err_set(r->err, HF_E_WEAK_KEY, "the RSA key has %u bits; it needs at least %d", bits,
                   MIN_RSA_BITS);
}

/* A key whose two halves do not belong together would make signatures that nobody accepts,
 * much later and elsewhere. */
static bool ec_is_sound(const EC_KEY *ec)
{
    const EC_GROUP *group = EC_KEY_get0_group(ec);
    const BIGNUM *d = EC_KEY_get0_private_key(ec);
    const EC_POINT *pub = EC_KEY_get0_public_key(ec);
    if (!group || !d || !pub || BN_is_zero(d) || BN_cmp(d, EC_GROUP_get0_order(group)) >= 0)
        return false;
    EC_POINT *point = EC_POINT_new(group);
    bool ok = point && EC_POINT_mul(group, point, d, NULL, NULL, NULL) == 1 &&
              EC_POINT_cmp(group, point, pub, NULL) == 0;
    EC_POINT_clear_free(point);
    return ok;
}

static bool take_ec(struct reading *r, EC_KEY *ec)
{
    if (ec_is_sound(ec))
        return key_set_ec(&r->key, ec);
    EC_KEY_free(ec);
    return err_set(r->err, HF_E_PEM,
                   "the EC private key is damaged: its two halves do not belong together");
}

/* Everything that has no route of its own. */
static bool take_pkey(struct reading *r, EVP_PKEY *pkey, const char *what)
{
    if (!pkey)
        return damaged(r, what);
    unsigned bits = (unsigned)EVP_PKEY_get_bits(pkey);
    if (bits < MIN_RSA_BITS && (EVP_PKEY_is_a(pkey, "RSA") || EVP_PKEY_is_a(pkey, "RSA-PSS"))) {
        EVP_PKEY_free(pkey);
        return err_set(r->err, HF_E_WEAK_KEY, "the RSA key has %u bits; it needs at least %d",
                       bits, MIN_RSA_BITS);
    }
    return key_set_pkey(&r->key, pkey);
}

static bool read_pkcs1(struct reading *r, struct slice der)
{
    const unsigned char *p = der.p;
    if (!key_direct_rsa())
        return take_pkey(r,
                         d2i_PrivateKey_ex(EVP_PKEY_RSA, NULL, &p, (long)der.len, NULL, NULL),
                         "the RSA private key");
    RSA *rsa = der_is_one(der) ? d2i_RSAPrivateKey(NULL, &p, (long)der.len) : NULL;
    return rsa ? take_rsa(r, rsa) : damaged(r, "the RSA private key");
}

/* nid: what the surroundings say of the curve, 0 if nothing. The key may repeat it. */
static bool read_sec1(struct reading *r, struct slice der, int nid)
{
    const unsigned char *p = der.p;
    if (!key_direct_ec())
        return take_pkey(r, d2i_PrivateKey_ex(EVP_PKEY_EC, NULL, &p, (long)der.len, NULL, NULL),
                         "the EC private key");
    EC_KEY *ec = nid ? EC_KEY_new_by_curve_name(nid) : EC_KEY_new();
    EC_KEY *got = ec && der_is_one(der) ? d2i_ECPrivateKey(&ec, &p, (long)der.len) : NULL;
    if (!got || (nid && EC_GROUP_get_curve_name(EC_KEY_get0_group(ec)) != nid)) {
        EC_KEY_free(ec);
        return damaged(r, "the EC private key");
    }
    return take_ec(r, ec);
}

static bool read_info(struct reading *r, PKCS8_PRIV_KEY_INFO *info)
{
    const ASN1_OBJECT *oid = NULL;
    const unsigned char *p = NULL;
    const X509_ALGOR *algorithm = NULL;
    const void *parameter = NULL;
    int len = 0, type = V_ASN1_UNDEF;
    if (PKCS8_pkey_get0(&oid, &p, &len, &algorithm, info) != 1)
        return damaged(r, "the PKCS#8 private key");
    X509_ALGOR_get0(NULL, &type, &parameter, algorithm);
    int nid = OBJ_obj2nid(oid);
    if (nid == NID_rsaEncryption && key_direct_rsa())
        return read_pkcs1(r, slice_of(p, (size_t)len));
    if (nid == NID_X9_62_id_ecPublicKey && type == V_ASN1_OBJECT && key_direct_ec())
        return read_sec1(r, slice_of(p, (size_t)len), OBJ_obj2nid(parameter));
    return take_pkey(r, EVP_PKCS82PKEY(info), "the PKCS#8 private key");
}

static bool read_pkcs8(struct reading *r, struct slice der)
{
    const unsigned char *p = der.p;
    PKCS8_PRIV_KEY_INFO *info =
        der_is_one(der) ? d2i_PKCS8_PRIV_KEY_INFO(NULL, &p, (long)der.len) : NULL;
    bool ok = info ? read_info(r, info) : damaged(r, "the PKCS#8 private key");
    PKCS8_PRIV_KEY_INFO_free(info); /* wipes the key */
    return ok;
}

static bool read_encrypted_pkcs8(struct reading *r, struct slice der)
{
    char passphrase[PEM_BUFSIZE];
    const unsigned char *p = der.p;
    X509_SIG *sealed = der_is_one(der) ? d2i_X509_SIG(NULL, &p, (long)der.len) : NULL;
    if (!sealed)
        return damaged(r, "the encrypted private key");
    int len = ask(passphrase, sizeof passphrase, 0, r);
    PKCS8_PRIV_KEY_INFO *info = len >= 0 ? PKCS8_decrypt(sealed, passphrase, len) : NULL;
    wipe(passphrase, sizeof passphrase);
    bool ok = info ? read_info(r, info) : not_decrypted(r);
    PKCS8_PRIV_KEY_INFO_free(info);
    X509_SIG_free(sealed);
    return ok;
}

/* ---- PEM */

static bool is_encrypted(const char *header)
{
    return strstr(header, "ENCRYPTED") != NULL;
}

static bool read_block(struct reading *r, const char *name, struct slice der)
{
    if (strcmp(name, PEM_STRING_PKCS8INF) == 0)
        return read_pkcs8(r, der);
    if (strcmp(name, PEM_STRING_PKCS8) == 0)
        return read_encrypted_pkcs8(r, der);
    if (strcmp(name, PEM_STRING_ECPRIVATEKEY) == 0)
        return read_sec1(r, der, r->curve);
    if (strcmp(name, PEM_STRING_RSA) == 0)
        return read_pkcs1(r, der);
    if (strstr(name, "OPENSSH"))
        return err_set(
            r->err, HF_E_PEM,
            "this is a key in OpenSSH's own format; ssh-keygen -p -m PKCS8 -f KEY converts it");
    return err_set(r->err, HF_E_PEM, "%s: TLS 1.3 has no use for this kind of key", name);
}

/* Decrypts an old-style block in place, if it is encrypted. */
static bool decrypt_block(struct reading *r, char *header, unsigned char *data, long *len)
{
    EVP_CIPHER_INFO cipher;
    if (!is_encrypted(header))
        return true;
    if (PEM_get_EVP_CIPHER_INFO(header, &cipher) != 1)
        return damaged(r, "the encryption header of the private key");
    return PEM_do_header(&cipher, data, len, ask, r) == 1 || not_decrypted(r);
}

static bool read_key_block(struct reading *r, const char *name, char *header,
                           unsigned char *data, long len)
{
    r->found = true;
    if (!decrypt_block(r, header, data, &len))
        return false;
    struct slice der = slice_of(data, (size_t)len);
    /* One wrong passphrase in 256 leaves what looks like padding, but not like DER. */
    if (is_encrypted(header) && !der_is_one(der))
        return err_set(r->err, HF_E_PASSPHRASE, "the passphrase of the private key is wrong");
    return read_block(r, name, der);
}

/* "EC PARAMETERS" before "EC PRIVATE KEY" is what openssl ecparam -genkey writes. */
static void read_parameters(struct reading *r, struct slice der)
{
    struct slice oid, rest = der;
    const unsigned char *p = der.p;
    if (!der_take(&rest, DER_OID, &oid))
        return;
    ASN1_OBJECT *obj = d2i_ASN1_OBJECT(NULL, &p, (long)der.len);
    r->curve = OBJ_obj2nid(obj);
    ASN1_OBJECT_free(obj);
}

static bool is_key_name(const char *name)
{
    static const char end[] = "PRIVATE KEY";
    size_t len = strlen(name);
    return len >= sizeof end - 1 && strcmp(name + len - (sizeof end - 1), end) == 0;
}

static bool no_key(struct reading *r, const char *names)
{
    unsigned long code = ERR_peek_last_error();
    if (code && ERR_GET_REASON(code) != PEM_R_NO_START_LINE)
        return damaged(r, "a PEM block");
    if (!*names)
        return err_set(r->err, HF_E_PEM, "this is neither PEM nor a private key in DER");
    return err_set(r->err, HF_E_PEM, "there is no private key in it, only: %s", names);
}

/* "A, B": each kind of block once, as long as there is room. */
static void note_name(char *names, size_t size, const char *name)
{
    size_t len = strlen(names), n = strlen(name);
    if (strstr(names, name) || len + n + 3 > size)
        return;
    if (len)
        memcpy(names + len, ", ", 2), len += 2;
    memcpy(names + len, name, n + 1);
}

static bool read_pem(struct reading *r, BIO *bio)
{
    char names[128] = "";
    char *name = NULL, *header = NULL;
    unsigned char *data = NULL;
    long len = 0;
    while (PEM_read_bio(bio, &name, &header, &data, &len) == 1) {
        bool key = is_key_name(name), ok = key && read_key_block(r, name, header, data, len);
        if (strcmp(name, PEM_STRING_ECPARAMETERS) == 0)
            read_parameters(r, slice_of(data, (size_t)len));
        note_name(names, sizeof names, name);
        OPENSSL_free(name);
        OPENSSL_free(header);
        OPENSSL_clear_free(data, (size_t)len);
        if (key)
            return ok;
    }
    return no_key(r, names);
}

/* ---- DER: the first two elements tell the structures apart */

static bool read_der(struct reading *r, struct slice der)
{
    struct slice in = der, body, element;
    uint8_t first = 0, second = 0;
    if (der_take(&in, DER_SEQUENCE, &body) && der_next(&body, &first, &element))
        der_next(&body, &second, &element);
    r->found = true;
    if (first == DER_INTEGER && second == DER_SEQUENCE)
        return read_pkcs8(r, der);
    if (first == DER_INTEGER && second == DER_OCTET_STRING)
        return read_sec1(r, der, 0);
    if (first == DER_INTEGER && second == DER_INTEGER)
        return read_pkcs1(r, der);
    if (first == DER_SEQUENCE && second == DER_OCTET_STRING)
        return read_encrypted_pkcs8(r, der);
    r->found = false;
    if (first == DER_SEQUENCE && second == DER_BIT_STRING)
        return err_set(r->err, HF_E_PEM, "this is a public key, not a private one");
    if (first == DER_SEQUENCE && second == DER_SEQUENCE)
        return err_set(r->err, HF_E_PEM, "this is a certificate, not a private key");
    return err_set(r->err, HF_E_PEM, "this is DER, but not a private key");
}

static bool read_any(struct reading *r, struct slice bytes)
{
    if (bytes.len > INT_MAX)
        return err_set(r->err, HF_E_PEM, "%zu bytes are too many for a private key", bytes.len);
    if (der_is_one(bytes))
        return read_der(r, bytes);
    BIO *bio = BIO_new_mem_buf(bytes.len ? (const void *)bytes.p : "", (int)bytes.len);
    if (!bio)
        return err_set(r->err, HF_E_NO_MEMORY, "while reading a private key");
    bool ok = read_pem(r, bio);
    BIO_free(bio);
    return ok;
}

struct private_key *private_key_parse(struct slice bytes, hf_passphrase_fn fn, void *arg,
                                      bool *found, hf_error *err)
{
    struct reading r = {.fn = fn, .arg = arg, .err = err};
    ERR_clear_error(); /* else an old entry would be reported as the cause */
    bool ok = crypto_init() ? read_any(&r, bytes)
                            : err_set(err, HF_E_CRYPTO, "libcrypto cannot be started");
    ERR_clear_error();
    if (found)
        *found = r.found;
    struct private_key *key = ok ? private_key_wrap(&r.key) : NULL;
    if (ok && !key)
        err_set(err, HF_E_NO_MEMORY, "while reading a private key");
    return key;
}
