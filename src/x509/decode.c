/* decode.c: a certificate as a plain struct (handfast_certificate.h). */
#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/objects.h>
#include <openssl/sha.h>

#include "crypto/hash.h"
#include "x509/decoding.h"

/* ---- memory: a certificate has a few dozen small things, which live and die together */

#define BLOCK_ROOM 2000

struct block {
    struct block *next;
    size_t used, size;
    max_align_t room[];
};

static void *keep(struct decoded *d, size_t len)
{
    size_t need = (len + sizeof(max_align_t) - 1) / sizeof(max_align_t) * sizeof(max_align_t);
    struct block *b = d->blocks;
    if (d->no_memory || need < len)
        return NULL;
    if (!b || b->size - b->used < need) {
        size_t size = need > BLOCK_ROOM ? need : BLOCK_ROOM;
        b = mem_new(sizeof *b + size);
        if (!b) {
            d->no_memory = true;
            return NULL;
        }
        b->size = size;
        b->next = d->blocks;
        d->blocks = b;
    }
    void *p = (uint8_t *)b->room + b->used;
    b->used += need;
    return p;
}

void *keep_array(struct decoded *d, size_t count, size_t size)
{
    return keep(d, count * size);
}

const char *keep_string(struct decoded *d, const char *s)
{
    return keep_text(d, s, strlen(s)).p;
}

hf_text keep_text(struct decoded *d, const void *p, size_t len)
{
    char *copy = keep(d, len + 1);
    if (!copy)
        return (hf_text){NULL, 0};
    if (len)
        memcpy(copy, p, len);
    return (hf_text){copy, len};
}

hf_bytes keep_bytes(struct decoded *d, const void *p, size_t len)
{
    hf_text t = keep_text(d, p, len);
    return (hf_bytes){(const uint8_t *)t.p, t.len};
}

/* ---- names */

hf_oid decode_oid(struct decoded *d, const ASN1_OBJECT *object)
{
    char oid[256] = "", name[256] = "";
    OBJ_obj2txt(oid, sizeof oid, object, 1);
    OBJ_obj2txt(name, sizeof name, object, 0);
    return (hf_oid){keep_string(d, oid), keep_string(d, name)};
}

/* What is no text by its type's rules stays as it is: whoever shows it must be careful in any case. */
static hf_text decode_string(struct decoded *d, const ASN1_STRING *s)
{
    unsigned char *utf8 = NULL;
    int n = ASN1_STRING_to_UTF8(&utf8, s);
    if (n < 0) {
        ERR_clear_error();
        return keep_text(d, ASN1_STRING_get0_data(s), (size_t)ASN1_STRING_length(s));
    }
    hf_text text = keep_text(d, utf8, (size_t)n);
    OPENSSL_free(utf8);
    return text;
}

hf_dn decode_name(struct decoded *d, const X509_NAME *name)
{
    int count = X509_NAME_entry_count(name);
    hf_attribute *list = keep_array(d, (size_t)count, sizeof *list);
    if (!list)
        return (hf_dn){NULL, 0};
    int first = count ? X509_NAME_ENTRY_set(X509_NAME_get_entry(name, 0)) : 0;
    for (int i = 0; i < count; i++) {
        const X509_NAME_ENTRY *e = X509_NAME_get_entry(name, i);
        hf_oid id = decode_oid(d, X509_NAME_ENTRY_get_object(e));
        list[i] = (hf_attribute){id.oid, id.name, decode_string(d, X509_NAME_ENTRY_get_data(e)),
                                 (size_t)(X509_NAME_ENTRY_set(e) - first)};
    }
    return (hf_dn){list, (size_t)count};
}

/* ---- fields that libcrypto prints */

/* What Python shows is the first line that libcrypto writes, at most 2,047 bytes of it. */
static hf_text first_line(struct decoded *d, BIO *bio)
{
    char line[2048];
    int n = bio ? BIO_gets(bio, line, sizeof line - 1) : 0;
    BIO_free(bio);
    ERR_clear_error();
    return keep_text(d, line, n > 0 ? (size_t)n : 0);
}

static const char *decode_serial(struct decoded *d, const ASN1_INTEGER *serial)
{
    BIO *bio = BIO_new(BIO_s_mem());
    if (bio)
        i2a_ASN1_INTEGER(bio, serial);
    else
        d->no_memory = true;
    return first_line(d, bio).p;
}

static const char *decode_time(struct decoded *d, const ASN1_TIME *t)
{
    BIO *bio = BIO_new(BIO_s_mem());
    if (bio)
        ASN1_TIME_print(bio, t);
    else
        d->no_memory = true;
    return first_line(d, bio).p;
}

/* ---- the key and the signature */

static const char *curve_name(EVP_PKEY *key, char *group, size_t size)
{
    if (!EVP_PKEY_get_group_name(key, group, size, NULL))
        return NULL;
    int nid = OBJ_txt2nid(group);
    return nid == NID_X9_62_prime256v1 ? "P-256"
           : nid == NID_secp384r1      ? "P-384"
           : nid == NID_secp521r1      ? "P-521"
                                       : group;
}

static void decode_key(struct decoded *d, const hf_certificate *cert)
{
    hf_certificate_info *info = &d->info;
    EVP_PKEY *key = X509_get0_pubkey(cert->x509);
    const char *kind = key ? EVP_PKEY_get0_type_name(key) : NULL;
    unsigned char *spki = NULL;
    char group[64];
    int n = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(cert->x509), &spki);
    if (n > 0)
        info->key = keep_bytes(d, spki, (size_t)n);
    OPENSSL_free(spki);
    info->key_kind = keep_string(d, kind ? kind : "unknown");
    if (key) {
        int bits = EVP_PKEY_get_bits(key), strength = EVP_PKEY_get_security_bits(key);
        const char *curve =
            EVP_PKEY_is_a(key, "EC") ? curve_name(key, group, sizeof group) : NULL;
        info->key_bits = bits > 0 ? (unsigned)bits : 0;
        info->key_strength = strength > 0 ? (unsigned)strength : 0;
        info->key_curve = curve ? keep_string(d, curve) : NULL;
    }
    ERR_clear_error();
}

static void decode_signature(struct decoded *d, X509 *x)
{
    const X509_ALGOR *algorithm = NULL;
    const ASN1_BIT_STRING *bits = NULL;
    const ASN1_OBJECT *oid = NULL;
    X509_get0_signature(&bits, &algorithm, x);
    X509_ALGOR_get0(&oid, NULL, NULL, algorithm);
    d->info.signature = decode_oid(d, oid).name;
    d->info.signature_bytes =
        keep_bytes(d, ASN1_STRING_get0_data(bits), (size_t)ASN1_STRING_length(bits));
}

/* ---- the whole */

static void decode(struct decoded *d, const hf_certificate *cert)
{
    hf_certificate_info *info = &d->info;
    X509 *x = cert->x509;
    const ASN1_INTEGER *serial = X509_get0_serialNumber(x);
    info->subject = decode_name(d, X509_get_subject_name(x));
    info->issuer = decode_name(d, X509_get_issuer_name(x));
    info->version = (unsigned)X509_get_version(x) + 1;
    info->serial = decode_serial(d, serial);
    info->serial_bytes =
        keep_bytes(d, ASN1_STRING_get0_data(serial), (size_t)ASN1_STRING_length(serial));
    info->not_before_text = decode_time(d, X509_get0_notBefore(x));
    info->not_after_text = decode_time(d, X509_get0_notAfter(x));
    info->not_before = cert->not_before;
    info->not_after = cert->not_after;
    info->self_issued = cert->self_issued;
    info->must_staple = cert->must_staple;
    decode_key(d, cert);
    decode_signature(d, x);
    decode_extensions(d, x);
    hash_once(HASH_SHA1, cert->der, cert->der_len, info->sha1);
    memcpy(info->sha256, cert->sha256, sizeof info->sha256);
    memcpy(info->key_sha256, cert->key_sha256, sizeof info->key_sha256);
}

hf_certificate_info *hf_certificate_decode(const hf_certificate *cert, hf_error *err)
{
    err_begin(err);
    if (!cert || cert_is_raw(cert)) {
        err_set(err, HF_E_USAGE, "hf_certificate_decode: there is no certificate");
        return NULL;
    }
    struct decoded *d = mem_new(sizeof *d);
    if (d)
        decode(d, cert);
    if (d && !d->no_memory)
        return &d->info;
    hf_certificate_info_free(d ? &d->info : NULL);
    err_set(err, HF_E_NO_MEMORY, "to decode a certificate");
    return NULL;
}

void hf_certificate_info_free(hf_certificate_info *info)
{
    struct decoded *d = (struct decoded *)info;
    if (!d)
        return;
    while (d->blocks) {
        struct block *next = d->blocks->next;
        mem_free(d->blocks);
        d->blocks = next;
    }
    mem_free(d);
}
