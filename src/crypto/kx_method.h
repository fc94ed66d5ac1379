/* kx_method.h: what a kind of key exchange has to do. For this room only. */
#ifndef CRYPTO_KX_METHOD_H
#define CRYPTO_KX_METHOD_H

#include <openssl/bn.h>
#include <openssl/evp.h>

#include "crypto/kx.h"
#include "crypto/mlkem.h"

/* hybrid.c: what a hybrid is put together of. */
struct kx_halves {
    enum mlkem_id kem;
    enum kx_id curve;
    bool kem_first; /* in shares and secret */
};

struct kx_group {
    const char *algorithm; /* name of the key type in EVP */
    const char *exchange;  /* name of the exchange in EVP */
    const char *curve;     /* EVP's group name, NULL where the algorithm says it */
    uint16_t initiator, responder, secret, private_key; /* sizes in bytes */
    int nid;
    /* taken if the default provider serves this group; may be NULL */
    const struct kx_method *direct;
    const struct kx_method *evp;
    const struct kx_halves *halves; /* NULL: not a hybrid */
};

struct kx {
    const struct kx_group *group;
    const struct kx_method *method;
    void *exchange;       /* x25519.c: the provider's exchange context */
    BIGNUM *exponent;     /* ecdh.c, ffdh.c */
    EVP_PKEY *pkey;       /* evp_kx.c; ML-KEM in hybrid.c */
    uint8_t *kem_key;     /* hybrid.c: the decapsulation key, if ML-KEM is our own */
    struct kx *inner;     /* hybrid.c: the half with a curve */
    struct kx_sent *sent; /* dhe.c: a group that is sent */
};

struct kx_method {
    bool (*usable)(const struct kx_group *group);
    /* A new key pair, or the given private key of group->private_key bytes; writes the
     * share. */
    bool (*make)(struct kx *kx, const uint8_t *private_key, uint8_t *share);
    /* share has the length that its sender's role demands; secret receives group->secret
     * bytes. */
    enum kx_result (*derive)(struct kx *kx, const uint8_t *share, uint8_t *secret);
    void (*clear)(struct kx *kx);
    /* Only where the responder's half is not make and derive. */
    enum kx_result (*respond)(const struct kx_group *group, const uint8_t *share,
                              uint8_t *our_share, uint8_t *secret);
};

/* kx_dh_number takes the leading zeros off, with which a number may be sent. */
struct slice kx_dh_number(struct slice number);

/* kx_sent_free: a group that is sent lives as long as its exchange. */
void kx_sent_free(struct kx_sent *sent);

/* kx_evp_dh_make makes kx->pkey in a group without a name, by EVP. */
bool kx_evp_dh_make(struct kx *kx, const BIGNUM *p, const BIGNUM *g, uint8_t *share);

/* kx_evp_dh is kx_dh_respond for a group without a name, by EVP; what it is given lies in
 * range. */
bool kx_evp_dh(const BIGNUM *p, const BIGNUM *g, struct slice share, uint8_t *our_share,
               uint8_t *secret);

extern const struct kx_method kx_x25519, kx_ecdh, kx_ffdh, kx_evp, kx_hybrid;
extern const struct kx_halves kx_x25519_mlkem768, kx_p256_mlkem768, kx_p384_mlkem1024,
    kx_mlkem768, kx_mlkem1024;

#endif
