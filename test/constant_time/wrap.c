#include "wrap.h"

#include "config/ticket.h"
#include "crypto/aead.h"
#include "crypto/cbc.h"
#include "crypto/kx.h"
#include "handshake/hs.h"

unsigned wrap_secrets;

/* ---- where secrets begin */

enum kx_result __real_kx_respond(enum kx_id id, const uint8_t *share, size_t share_len,
                                 uint8_t *our_share, uint8_t *secret, size_t *secret_len,
                                 const uint8_t *private_key);
enum kx_result __wrap_kx_respond(enum kx_id id, const uint8_t *share, size_t share_len,
                                 uint8_t *our_share, uint8_t *secret, size_t *secret_len,
                                 const uint8_t *private_key);
enum kx_result __real_kx_finish(struct kx *kx, const uint8_t *share, size_t share_len,
                                uint8_t *secret, size_t *secret_len);
enum kx_result __wrap_kx_finish(struct kx *kx, const uint8_t *share, size_t share_len,
                                uint8_t *secret, size_t *secret_len);

static void begin_secret(const void *p, size_t len)
{
    ct_secret(p, len);
    wrap_secrets++;
}

enum kx_result __wrap_kx_respond(enum kx_id id, const uint8_t *share, size_t share_len,
                                 uint8_t *our_share, uint8_t *secret, size_t *secret_len,
                                 const uint8_t *private_key)
{
    enum kx_result r =
        __real_kx_respond(id, share, share_len, our_share, secret, secret_len, private_key);
    if (r == KX_OK)
        begin_secret(secret, *secret_len);
    return r;
}

enum kx_result __wrap_kx_finish(struct kx *kx, const uint8_t *share, size_t share_len,
                                uint8_t *secret, size_t *secret_len)
{
    enum kx_result r = __real_kx_finish(kx, share, share_len, secret, secret_len);
    if (r == KX_OK)
        begin_secret(secret, *secret_len);
    return r;
}

/* ---- where they end */

bool __real_aead_seal(struct aead *a, const uint8_t nonce[AEAD_NONCE_SIZE], const uint8_t *ad,
                      size_t ad_len, const uint8_t *in, size_t len, const uint8_t *tail,
                      size_t tail_len, uint8_t *out);
bool __wrap_aead_seal(struct aead *a, const uint8_t nonce[AEAD_NONCE_SIZE], const uint8_t *ad,
                      size_t ad_len, const uint8_t *in, size_t len, const uint8_t *tail,
                      size_t tail_len, uint8_t *out);
bool __real_aead_open(struct aead *a, const uint8_t nonce[AEAD_NONCE_SIZE], const uint8_t *ad,
                      size_t ad_len, const uint8_t *in, size_t len, uint8_t *out);
bool __wrap_aead_open(struct aead *a, const uint8_t nonce[AEAD_NONCE_SIZE], const uint8_t *ad,
                      size_t ad_len, const uint8_t *in, size_t len, uint8_t *out);
void __real_keys13_finished(const struct hs *hs, const uint8_t *base, uint8_t *out);
void __wrap_keys13_finished(const struct hs *hs, const uint8_t *base, uint8_t *out);
void __real_keys13_binder(const struct hs *hs, const hf_session *session, struct slice partial,
                          uint8_t *out);
void __wrap_keys13_binder(const struct hs *hs, const hf_session *session, struct slice partial,
                          uint8_t *out);

bool __wrap_aead_seal(struct aead *a, const uint8_t nonce[AEAD_NONCE_SIZE], const uint8_t *ad,
                      size_t ad_len, const uint8_t *in, size_t len, const uint8_t *tail,
                      size_t tail_len, uint8_t *out)
{
    bool ok = __real_aead_seal(a, nonce, ad, ad_len, in, len, tail, tail_len, out);
    if (ok)
        ct_public(out, len + tail_len + 16);
    return ok;
}

/* Records have their header as associated data (in TLS 1.2 with the sequence number), tickets the name of their key. A session begins with 9
 * bytes, the length of its secret and the secret (config/session.c). */
bool __wrap_aead_open(struct aead *a, const uint8_t nonce[AEAD_NONCE_SIZE], const uint8_t *ad,
                      size_t ad_len, const uint8_t *in, size_t len, uint8_t *out)
{
    bool ok = __real_aead_open(a, nonce, ad, ad_len, in, len, out);
    if (ok)
        ct_public(out, len - 16);
    if (ok && ad_len != REC_HEADER && ad_len != CBC_HEAD + 2 && len > 16 + 10 + 48)
        begin_secret(out + 10, out[9]);
    return ok;
}

bool __real_cbc_seal(struct cbc *c, const uint8_t head[CBC_HEAD], const uint8_t *in, size_t len,
                     uint8_t *out);
bool __wrap_cbc_seal(struct cbc *c, const uint8_t head[CBC_HEAD], const uint8_t *in, size_t len,
                     uint8_t *out);
bool __real_cbc_open(struct cbc *c, const uint8_t head[CBC_HEAD], uint8_t *p, size_t len,
                     uint8_t **content, size_t *content_len);
bool __wrap_cbc_open(struct cbc *c, const uint8_t head[CBC_HEAD], uint8_t *p, size_t len,
                     uint8_t **content, size_t *content_len);

bool __wrap_cbc_seal(struct cbc *c, const uint8_t head[CBC_HEAD], const uint8_t *in, size_t len,
                     uint8_t *out)
{
    bool ok = __real_cbc_seal(c, head, in, len, out);
    if (ok)
        ct_public(out, cbc_sealed_size(c, len));
    return ok;
}

bool __wrap_cbc_open(struct cbc *c, const uint8_t head[CBC_HEAD], uint8_t *p, size_t len,
                     uint8_t **content, size_t *content_len)
{
    bool ok = __real_cbc_open(c, head, p, len, content, content_len);
    if (ok)
        ct_public(*content, *content_len);
    return ok;
}

void __wrap_keys13_finished(const struct hs *hs, const uint8_t *base, uint8_t *out)
{
    __real_keys13_finished(hs, base, out);
    if (base == (hs->n.server ? hs->server_hs : hs->client_hs))
        ct_public(out, hash_size(hs->hash));
}

void __wrap_keys13_binder(const struct hs *hs, const hf_session *session, struct slice partial,
                          uint8_t *out)
{
    __real_keys13_binder(hs, session, partial, out);
    if (!hs->n.server)
        ct_public(out, session->secret_len);
}

/* ---- sabotage: a comparison as nobody should write it */

bool __wrap_ct_equal(const void *a, const void *b, size_t len);

bool __wrap_ct_equal(const void *a, const void *b, size_t len)
{
    const uint8_t *x = a, *y = b;
    for (size_t i = 0; i < len; i++) {
        if (x[i] != y[i])
            return false;
    }
    return true;
}
