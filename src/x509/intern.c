/* intern.c: parsed certificates, kept by the SHA-256 of their bytes.
 *
 * libcrypto 3.0 takes 120 us to parse a certificate, and a client meets the same few again and again.
 * The table is bounded (INTERN_CAPACITY certificates of at most DER_MAX bytes), so a peer that shows
 * a new certificate each time costs what it cost before and displaces only what is not in use: a
 * clock hand passes over entries that were asked for since it came by last. Two different byte
 * strings share an entry only if SHA-256 collides; the lengths are compared besides. */
#include "x509/intern.h"

#include "crypto/hash.h"
#include "x509/latch.h"

#define SHARDS  16
#define WAYS    (INTERN_CAPACITY / SHARDS)
#define DER_MAX 16384

struct shard {
    struct latch latch;
    unsigned hand;
    bool used[WAYS];
    hf_certificate *cert[WAYS];
} __attribute__((aligned(64)));

static struct shard shards[SHARDS];

/* The latch is held. */
static hf_certificate *find(struct shard *s, const uint8_t sha256[CERT_HASH], size_t len)
{
    for (unsigned i = 0; i < WAYS; i++) {
        hf_certificate *c = s->cert[i];
        if (c && c->der_len == len && memcmp(c->sha256, sha256, CERT_HASH) == 0) {
            s->used[i] = true;
            return hf_certificate_ref(c);
        }
    }
    return NULL;
}

/* The latch is held. Returns what had to leave. */
static hf_certificate *put(struct shard *s, hf_certificate *cert)
{
    for (unsigned i = 0; i < WAYS; i++) {
        if (!s->cert[i]) {
            s->cert[i] = hf_certificate_ref(cert);
            return NULL;
        }
    }
    while (s->used[s->hand]) {
        s->used[s->hand] = false;
        s->hand = (s->hand + 1) % WAYS;
    }
    hf_certificate *old = s->cert[s->hand];
    s->cert[s->hand] = hf_certificate_ref(cert);
    s->hand = (s->hand + 1) % WAYS;
    return old;
}

/* keep returns the certificate to use: another thread may have parsed the same bytes meanwhile. */
static hf_certificate *keep(struct shard *s, hf_certificate *cert)
{
    if (!latch_enter(&s->latch))
        return cert;
    hf_certificate *other = find(s, cert->sha256, cert->der_len);
    hf_certificate *leaves = other ? cert : put(s, cert);
    latch_leave(&s->latch);
    /* Freeing takes long: never with the latch held. */
    hf_certificate_free(leaves);
    return other ? other : cert;
}

static hf_certificate *find_or_make(struct slice der, X509 *given, hf_error *err)
{
    uint8_t sha256[CERT_HASH];
    hash_once(HASH_SHA256, der.p, der.len, sha256);
    struct shard *s = &shards[sha256[0] % SHARDS];
    hf_certificate *cert = NULL;
    if (latch_enter(&s->latch)) {
        cert = find(s, sha256, der.len);
        latch_leave(&s->latch);
    }
    if (cert)
        return cert;
    cert = cert_new(der, sha256, given, err);
    if (!cert || der.len > DER_MAX || !cert_is_complete(cert))
        return cert;
    return keep(s, cert);
}

hf_certificate *cert_from_der(struct slice der, hf_error *err)
{
    return find_or_make(der, NULL, err);
}

hf_certificate *cert_from_x509(X509 *x509, hf_error *err)
{
    unsigned char *der = NULL;
    int len = i2d_X509(x509, &der);
    if (len <= 0) {
        err_set(err, HF_E_BAD_CERTIFICATE, "it cannot be encoded");
        return NULL;
    }
    hf_certificate *cert = find_or_make(slice_of(der, (size_t)len), x509, err);
    OPENSSL_free(der);
    return cert;
}

void intern_clear(void)
{
    for (size_t i = 0; i < SHARDS; i++) {
        while (!latch_enter(&shards[i].latch))
            ;
        hf_certificate *old[WAYS];
        memcpy(old, shards[i].cert, sizeof old);
        memset(shards[i].cert, 0, sizeof shards[i].cert);
        memset(shards[i].used, 0, sizeof shards[i].used);
        latch_leave(&shards[i].latch);
        for (size_t j = 0; j < WAYS; j++)
            hf_certificate_free(old[j]);
    }
}

size_t intern_count(void)
{
    size_t n = 0;
    for (size_t i = 0; i < SHARDS; i++) {
        while (!latch_enter(&shards[i].latch))
            ;
        for (size_t j = 0; j < WAYS; j++)
            n += shards[i].cert[j] != NULL;
        latch_leave(&shards[i].latch);
    }
    return n;
}
