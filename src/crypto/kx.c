/* kx.c: the table of key exchange groups, and what is common to all. */
#include "crypto/kx.h"

#include <openssl/err.h>
#include <openssl/obj_mac.h>

#include "crypto/kx_method.h"
#include "crypto/provider.h"

/* clang-format off */
static const struct kx_group groups[] = {
    /* algorithm     exchange  curve         initiator responder secret private */
    [KX_X25519]         = { "X25519",     "X25519", NULL,         32,   32,   32,  32, 0,                     &kx_x25519, &kx_evp, NULL },
    [KX_X448]           = { "X448",       "X448",   NULL,         56,   56,   56,  56, 0,                     NULL,       &kx_evp, NULL },
    [KX_P256]           = { "EC",         "ECDH",   "P-256",      65,   65,   32,  32, NID_X9_62_prime256v1,  &kx_ecdh,   &kx_evp, NULL },
    [KX_P384]           = { "EC",         "ECDH",   "P-384",      97,   97,   48,  48, NID_secp384r1,         &kx_ecdh,   &kx_evp, NULL },
    [KX_P521]           = { "EC",         "ECDH",   "P-521",      133,  133,  66,  66, NID_secp521r1,         &kx_ecdh,   &kx_evp, NULL },
    /* Private keys of RFC 7919 5.2 and appendix A: 225, 275, 325, 375 and 400 bits. */
    [KX_FFDHE2048]      = { "DH",         "DH",     "ffdhe2048",  256,  256,  256, 29, NID_ffdhe2048,         &kx_ffdh,   &kx_evp, NULL },
    [KX_FFDHE3072]      = { "DH",         "DH",     "ffdhe3072",  384,  384,  384, 35, NID_ffdhe3072,         &kx_ffdh,   &kx_evp, NULL },
    [KX_FFDHE4096]      = { "DH",         "DH",     "ffdhe4096",  512,  512,  512, 41, NID_ffdhe4096,         &kx_ffdh,   &kx_evp, NULL },
    [KX_FFDHE6144]      = { "DH",         "DH",     "ffdhe6144",  768,  768,  768, 48, NID_ffdhe6144,         &kx_ffdh,   &kx_evp, NULL },
    [KX_FFDHE8192]      = { "DH",         "DH",     "ffdhe8192",  1024, 1024, 1024, 51, NID_ffdhe8192,        &kx_ffdh,   &kx_evp, NULL },
    /* RFC 10024 */
    [KX_X25519MLKEM768] = { "ML-KEM-768",  NULL,    NULL,         1216, 1120, 64,  0,  0,                     NULL,       &kx_hybrid, &kx_x25519_mlkem768 },
    [KX_P256MLKEM768]   = { "ML-KEM-768",  NULL,    NULL,         1249, 1153, 64,  0,  0,                     NULL,       &kx_hybrid, &kx_p256_mlkem768 },
    [KX_P384MLKEM1024]  = { "ML-KEM-1024", NULL,    NULL,         1665, 1665, 80,  0,  0,                     NULL,       &kx_hybrid, &kx_p384_mlkem1024 },
    [KX_MLKEM768]       = { "ML-KEM-768",  NULL,    NULL,         1184, 1088, 32,  0,  0,                     NULL,       &kx_hybrid, &kx_mlkem768 },
    [KX_MLKEM1024]      = { "ML-KEM-1024", NULL,    NULL,         1568, 1568, 32,  0,  0,                     NULL,       &kx_hybrid, &kx_mlkem1024 },
};
/* clang-format on */

#define COUNT (sizeof groups / sizeof groups[0])

static const struct kx_method *found[COUNT];
static struct once looked_for[COUNT];

static const struct kx_method *look_for(const struct kx_group *group)
{
    if (group->direct && group->direct->usable(group))
        return group->direct;
    return group->evp->usable(group) ? group->evp : NULL;
}

/* The method by which this process computes a group, NULL if it cannot. */
static const struct kx_method *method_of(enum kx_id id)
{
    if ((size_t)id >= COUNT || !groups[id].algorithm)
        return NULL;
    if (once_begin(&looked_for[id])) {
        ERR_set_mark();
        found[id] = look_for(&groups[id]);
        ERR_pop_to_mark();
        once_end(&looked_for[id]);
    }
    return found[id] && provider_evp_only() ? groups[id].evp : found[id];
}

bool kx_available(enum kx_id id)
{
    return method_of(id) != NULL;
}

bool kx_is_quantum_safe(enum kx_id id)
{
    return (size_t)id < COUNT && groups[id].halves;
}

size_t kx_initiator_share_size(enum kx_id id)
{
    return (size_t)id < COUNT ? groups[id].initiator : 0;
}

size_t kx_responder_share_size(enum kx_id id)
{
    return (size_t)id < COUNT ? groups[id].responder : 0;
}

static struct kx *start(enum kx_id id, const uint8_t *private_key, uint8_t *share)
{
    const struct kx_method *method = method_of(id);
    struct kx *kx = method ? mem_new(sizeof *kx) : NULL;
    if (!kx)
        return NULL;
    kx->group = &groups[id];
    kx->method = method;
    if (method->make(kx, private_key, share))
        return kx;
    kx_free(kx);
    return NULL;
}

struct kx *kx_start(enum kx_id id, uint8_t *share)
{
    return start(id, NULL, share);
}

struct kx *kx_start_with(enum kx_id id, const uint8_t *private_key, size_t len, uint8_t *share)
{
    if ((size_t)id >= COUNT || len == 0 || len != groups[id].private_key)
        return NULL;
    return start(id, private_key, share);
}

/* derive, without a trace in libcrypto's error queue of what was the peer's fault. */
static enum kx_result derive(struct kx *kx, const uint8_t *share, uint8_t *secret,
                             size_t *secret_len)
{
    ERR_set_mark();
    enum kx_result result = kx->method->derive(kx, share, secret);
    if (result == KX_BAD_SHARE)
        ERR_pop_to_mark();
    else
        ERR_clear_last_mark();
    *secret_len = result == KX_OK ? kx->group->secret : 0;
    return result;
}

enum kx_result kx_finish(struct kx *kx, const uint8_t *share, size_t share_len, uint8_t *secret,
                         size_t *secret_len)
{
    *secret_len = 0;
    if (share_len != kx->group->responder)
        return KX_BAD_SHARE;
    return derive(kx, share, secret, secret_len);
}

void kx_free(struct kx *kx)
{
    if (!kx)
        return;
    kx->method->clear(kx);
    kx_sent_free(kx->sent);
    mem_free(kx);
}

size_t kx_peer_size(const struct kx *kx)
{
    return kx->group->responder;
}

enum kx_result kx_respond(enum kx_id id, const uint8_t *share, size_t share_len,
                          uint8_t *our_share, uint8_t *secret, size_t *secret_len,
                          const uint8_t *private_key)
{
    struct kx kx = {.method = method_of(id)};
    *secret_len = 0;
    if (!kx.method)
        return KX_FAILED;
    kx.group = &groups[id];
    if (share_len != kx.group->initiator)
        return KX_BAD_SHARE;
    enum kx_result result = KX_FAILED;
    if (kx.method->respond) {
        result =
            private_key ? KX_FAILED : kx.method->respond(kx.group, share, our_share, secret);
        *secret_len = result == KX_OK ? kx.group->secret : 0;
    } else if (kx.method->make(&kx, private_key, our_share)) {
        result = derive(&kx, share, secret, secret_len);
    }
    kx.method->clear(&kx);
    return result;
}
