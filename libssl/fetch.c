/* fetch.c: what a library context of a program's own, with its property query, has (SSL_CTX_new_ex(3)). Handshakes
 * compute in the default one: what is not to be had in the program's is not negotiated at all. */
#include "libssl/fetch.h"

#include <openssl/kdf.h>
#include <openssl/rand.h>

#include "libssl/cipher.h"

bool fetch_custom(const SSL_CTX *ctx)
{
    return ctx->libctx || (ctx->propq && *ctx->propq);
}

/* Whether there is an algorithm of this name; what is not there leaves no error. */
#define HAS(type, function)                                                                    \
    static bool function(const SSL_CTX *ctx, const char *name)                                 \
    {                                                                                          \
        ERR_set_mark();                                                                        \
        EVP_##type *found = EVP_##type##_fetch(ctx->libctx, name, ctx->propq);                 \
        ERR_pop_to_mark();                                                                     \
        EVP_##type##_free(found);                                                              \
        return found != NULL;                                                                  \
    }
HAS(CIPHER, has_cipher)
HAS(MD, has_digest)
HAS(KDF, has_kdf)
HAS(MAC, has_mac)
HAS(KEYEXCH, has_exchange)
HAS(KEYMGMT, has_key)
HAS(SIGNATURE, has_signature)

static bool has_digest_nid(const SSL_CTX *ctx, int nid)
{
    return nid == NID_undef || has_digest(ctx, OBJ_nid2sn(nid));
}

/* ---- suites */

static bool has_kx(const SSL_CTX *ctx, const SSL_CIPHER *c)
{
    switch (SSL_CIPHER_get_kx_nid(c)) {
    case NID_kx_dhe:
    case NID_kx_dhe_psk: return has_exchange(ctx, "DH");
    case NID_kx_ecdhe:
    case NID_kx_ecdhe_psk: return has_exchange(ctx, "ECDH");
    default: return true;
    }
}

static bool has_suite(const SSL_CTX *ctx, uint16_t id)
{
    const SSL_CIPHER *c = cipher_by_id(id);
    if (!c)
        return false;
    int cipher = SSL_CIPHER_get_cipher_nid(c);
    const EVP_MD *md = cipher_is13(c) ? SSL_CIPHER_get_handshake_digest(c) : NULL;
    return (cipher == NID_undef || has_cipher(ctx, OBJ_nid2sn(cipher))) &&
           has_digest_nid(ctx, SSL_CIPHER_get_digest_nid(c)) &&
           (!md || has_digest(ctx, EVP_MD_get0_name(md))) && has_kx(ctx, c) &&
           (SSL_CIPHER_get_auth_nid(c) != NID_auth_ecdsa || has_signature(ctx, "ECDSA"));
}

/* What its handshake needs besides: OpenSSL finds that out when it is too late. */
static bool has_handshake(const SSL_CTX *ctx, uint16_t id)
{
    const SSL_CIPHER *c = cipher_by_id(id);
    const EVP_MD *md = SSL_CIPHER_get_handshake_digest(c);
    return has_suite(ctx, id) && (!md || has_digest(ctx, EVP_MD_get0_name(md))) &&
           has_mac(ctx, "HMAC") && has_kdf(ctx, cipher_is13(c) ? "TLS13-KDF" : "TLS1-PRF");
}

/* ---- groups and schemes */

static bool has_group(const SSL_CTX *ctx, uint16_t id)
{
    enum { FIRST_MLKEM = 0x11eb, LAST_MLKEM = 0x11ed };
    if (id >> 8 == 1)
        return has_key(ctx, "DH") && has_exchange(ctx, "DH");
    if (id == 0x1d || id == 0x1e) {
        const char *name = id == 0x1d ? "X25519" : "X448";
        return has_key(ctx, name) && has_exchange(ctx, name);
    }
    if (id < FIRST_MLKEM)
        return has_key(ctx, "EC") && has_exchange(ctx, "ECDH");
    if (id > LAST_MLKEM || !has_key(ctx, id == LAST_MLKEM ? "ML-KEM-1024" : "ML-KEM-768"))
        return false;
    return id == 0x11ec ? has_group(ctx, 0x1d) : has_group(ctx, 0x17);
}

static bool has_scheme(const SSL_CTX *ctx, uint16_t id)
{
    const struct sigalg_info *info = sigalg_info(id);
    if (!info || !has_digest_nid(ctx, info->hash))
        return false;
    switch (info->sig) {
    case EVP_PKEY_RSA: return has_key(ctx, "RSA") && has_signature(ctx, "RSA");
    case EVP_PKEY_RSA_PSS: return has_key(ctx, "RSA-PSS") && has_signature(ctx, "RSA");
    case EVP_PKEY_EC: return has_key(ctx, "EC") && has_signature(ctx, "ECDSA");
    case EVP_PKEY_ED25519: return has_key(ctx, "ED25519") && has_signature(ctx, "ED25519");
    case EVP_PKEY_ED448: return has_key(ctx, "ED448") && has_signature(ctx, "ED448");
    default: return true; /* never negotiated */
    }
}

/* ---- lists */

static void keep(const SSL_CTX *ctx, struct id_list *list,
                 bool (*has)(const SSL_CTX *, uint16_t))
{
    size_t count = 0;
    for (size_t i = 0; i < list->count; i++) {
        if (has(ctx, list->id[i]))
            list->id[count++] = list->id[i];
    }
    list->count = count;
}

void fetch_suites(const SSL_CTX *ctx, struct id_list *suites)
{
    if (fetch_custom(ctx))
        keep(ctx, suites, has_suite);
}

bool fetch_lists(const SSL_CTX *ctx, const struct fetch_lists *lists)
{
    unsigned char byte;
    if (!fetch_custom(ctx))
        return true;
    /* Its generator serves no handshake here, but without one OpenSSL has none either. */
    if (RAND_bytes_ex(ctx->libctx, &byte, 1, 0) <= 0) {
        raise_ssl_text(ERR_R_INTERNAL_ERROR, "the library context has no random numbers");
        return false;
    }
    keep(ctx, lists->suites13, has_handshake);
    keep(ctx, lists->suites, has_handshake);
    keep(ctx, lists->groups, has_group);
    keep(ctx, lists->sigalgs, has_scheme);
    keep(ctx, lists->signing, has_scheme);
    int reason = lists->suites->count + lists->suites13->count == 0 ? SSL_R_NO_CIPHERS_AVAILABLE
                 : lists->groups->count == 0                        ? SSL_R_NO_SUITABLE_GROUPS
                 : lists->sigalgs->count == 0 ? SSL_R_NO_SUITABLE_SIGNATURE_ALGORITHM
                                              : 0;
    if (reason)
        raise_ssl_text(reason, "the library context has none");
    return !reason;
}
