/* certificate.c: certificates and keys that libcrypto's types hold. */
#include "access/access.h"

#include <openssl/err.h>

#include "crypto/decoding.h"
#include "x509/certificate.h"
#include "x509/verdict.h"

static struct chain *chain_of(X509 *leaf, STACK_OF(X509) * chain, hf_error *err)
{
    hf_certificate *certs[CHAIN_MAX] = {0};
    int issuers = chain ? sk_X509_num(chain) : 0;
    size_t count = 0;
    struct chain *out = NULL;
    bool ok = issuers < CHAIN_MAX ||
              err_set(err, HF_E_CONFIG, "a chain of more than %d certificates", CHAIN_MAX);
    for (int i = -1; ok && i < issuers; i++) {
        certs[count] = cert_from_x509(i < 0 ? leaf : sk_X509_value(chain, i), err);
        ok = certs[count] != NULL;
        count += ok;
    }
    if (ok && !(out = chain_new(certs, count)))
        err_set(err, HF_E_NO_MEMORY, "certificate chain");
    while (count > 0)
        hf_certificate_free(certs[--count]);
    return out;
}

static bool fill(struct hf_credential *cred, X509 *leaf, STACK_OF(X509) * chain, EVP_PKEY *key,
                 hf_error *err)
{
    if (!(cred->chain = chain_of(leaf, chain, err)))
        return false;
    const struct public_key *public = cred->chain->cert[0]->key;
    cred->kind = public ? public_key_kind(public) : KEY_NONE;
    cred->bits = public ? public_key_bits(public) : 0;
    if (cred->kind == KEY_NONE || cred->kind == KEY_OTHER)
        return err_set(err, HF_E_CONFIG, "'%s' has the key %s, for which TLS has no signature",
                       hf_certificate_subject(cred->chain->cert[0]),
                       hf_certificate_key(cred->chain->cert[0]));
    cred->key = private_key_from_pkey(key);
    if (!cred->key)
        return err_set(err, HF_E_NO_MEMORY, "private key");
    if (private_key_kind(cred->key) != cred->kind)
        return err_set(err, HF_E_KEY_MISMATCH,
                       "'%s' has the key %s, the private key is another",
                       hf_certificate_subject(cred->chain->cert[0]),
                       hf_certificate_key(cred->chain->cert[0]));
    return true;
}

hf_credential *access_credential(X509 *leaf, STACK_OF(X509) * chain, EVP_PKEY *key,
                                 hf_error *err)
{
    struct hf_credential *cred = leaf && key ? mem_new(sizeof *cred) : NULL;
    if (!cred) {
        err_set(err, leaf && key ? HF_E_NO_MEMORY : HF_E_USAGE, "credential");
        return NULL;
    }
    atomic_init(&cred->refs, 1);
    if (fill(cred, leaf, chain, key, err))
        return cred;
    hf_credential_free(cred);
    return NULL;
}

hf_credential *access_credential_with_ocsp(const hf_credential *cred, const uint8_t *response,
                                           size_t len)
{
    struct hf_credential *copy = mem_new(sizeof *copy);
    if (!copy)
        return NULL;
    atomic_init(&copy->refs, 1);
    copy->chain = chain_ref(cred->chain);
    copy->key = private_key_ref(cred->key);
    copy->kind = cred->kind;
    copy->bits = cred->bits;
    copy->ocsp = len ? mem_dup(response, len) : NULL;
    copy->ocsp_len = len;
    copy->scts = cred->scts ? mem_dup(cred->scts, cred->scts_len) : NULL;
    copy->scts_len = cred->scts_len;
    if ((!len || copy->ocsp) && (!cred->scts || copy->scts))
        return copy;
    hf_credential_free(copy);
    return NULL;
}

void access_init(void)
{
    decoding_use_ordinary();
}

/* Made when first asked for, and kept with the certificate: see certificate.h. */
X509 *access_x509(const hf_certificate *cert)
{
    hf_certificate *c =
        (hf_certificate *)(uintptr_t)cert; /* `ordinary` is published atomically */
    X509 *x = c->plain ? c->x509 : atomic_load_explicit(&c->ordinary, memory_order_acquire);
    if (x)
        return x;
    const unsigned char *p = c->der;
    X509 *expected = NULL;
    ERR_set_mark();
    if ((x = d2i_X509(NULL, &p, (long)c->der_len)))
        X509_check_purpose(x, -1, 0); /* fills its cache, so that it never changes later */
    ERR_pop_to_mark();
    if (x && !atomic_compare_exchange_strong_explicit(
                 &c->ordinary, &expected, x, memory_order_acq_rel, memory_order_acquire)) {
        X509_free(x);
        x = expected;
    }
    return x;
}

bool access_verdict_known(const uint8_t id[32], int64_t now)
{
    return verdict_chain_known(id, now);
}

void access_verdict_remember(const uint8_t id[32], int64_t from, int64_t until)
{
    verdict_chain_remember(id, from, until);
}
