/* raw_key.c: raw public keys (RFC 7250): a peer's, and credentials that send nothing else. */
#include <openssl/err.h>
#include <stdatomic.h>

#include "crypto/hash.h"
#include "x509/pem.h"
#include "x509/rules.h"
#include "x509/verify.h"

bool cert_is_raw(const hf_certificate *cert)
{
    return !cert->x509;
}

/* Keys are read in 2 us, so that there is no table of them as there is of certificates. */
hf_certificate *raw_key_from_spki(struct slice spki, hf_error *err)
{
    struct public_key *key = public_key_from_spki(spki);
    if (!key) {
        err_set(err, HF_E_BAD_RAW_KEY, "these %zu bytes are no SubjectPublicKeyInfo", spki.len);
        return NULL;
    }
    hf_certificate *c = mem_new(sizeof *c + spki.len);
    if (!c) {
        public_key_free(key);
        err_set(err, HF_E_NO_MEMORY, "raw public key");
        return NULL;
    }
    atomic_init(&c->refs, 1);
    c->key = key;
    c->der_len = spki.len;
    memcpy(c->der, spki.p, spki.len);
    hash_once(HASH_SHA256, spki.p, spki.len, c->key_sha256);
    c->self_issued = c->may_sign = c->may_encipher = true;
    c->not_after = INT64_MAX;
    return c;
}

bool raw_key_verify(const struct chain *chain, const hf_trust *trust,
                    const struct verify_rules *rules, hf_error *err)
{
    const hf_certificate *raw = chain->cert[0];
    if (trust_has_keys(trust) ? !trust_has_key(trust, raw) : !rules_pin_keys(rules))
        return err_set(err, HF_E_UNTRUSTED_KEY, "%s (%s)", hf_certificate_subject(raw),
                       hf_certificate_key(raw));
    return chain_pinned(chain, rules, err);
}

/* ---- credentials */

enum cert_type credential_type(const struct hf_credential *cred)
{
    return cred->chain && cert_is_raw(cred->chain->cert[0]) ? CERT_RAW : CERT_X509;
}

/* Takes the private key, which may be NULL, also when it fails. */
static hf_credential *make(struct slice spki, struct private_key *key, hf_error *err)
{
    hf_certificate *raw = raw_key_from_spki(spki, err);
    hf_credential *cred = raw ? mem_new(sizeof *cred) : NULL;
    struct chain *chain = cred ? chain_new(&raw, 1) : NULL;
    if (chain) {
        atomic_init(&cred->refs, 1);
        cred->chain = chain;
        cred->key = key;
        cred->kind = public_key_kind(raw->key);
        cred->bits = public_key_bits(raw->key);
    } else {
        if (raw)
            err_set(err, HF_E_NO_MEMORY, "credential");
        mem_free(cred);
        cred = NULL;
        private_key_free(key);
    }
    if (cred && (cred->kind == KEY_NONE || cred->kind == KEY_OTHER)) {
        err_set(err, HF_E_CONFIG, "the key is %s, for which TLS has no signature",
                hf_certificate_key(raw));
        hf_credential_free(cred);
        cred = NULL;
    }
    hf_certificate_free(raw);
    return cred;
}

/* The first public key of a source; there may be more, of other things. */
struct first {
    uint8_t *spki;
    size_t len;
};

static bool take_first(struct slice der, unsigned line, void *arg, hf_error *err)
{
    struct first *first = arg;
    (void)line;
    if (first->spki)
        return true;
    first->spki = mem_dup(der.p, der.len);
    first->len = der.len;
    return first->spki || err_set(err, HF_E_NO_MEMORY, "public key");
}

static hf_credential *from_public(const struct source *s, const hf_error *why, hf_error *err)
{
    struct first first = {0};
    hf_error inner = {0};
    hf_credential *cred = NULL;
    bool found = blocks_each(s, &key_blocks, take_first, &first, &inner);
    if (found)
        cred = make(slice_of(first.spki, first.len), NULL, &inner);
    mem_free(first.spki);
    if (cred)
        return cred;
    if (inner.code == HF_E_NO_MEMORY || inner.code == HF_E_CONFIG)
        err_set(err, inner.code, "%s: %s", s->name, inner.detail);
    else
        err_set(err, HF_E_PEM, "%s: neither a private nor a public key: %s", s->name,
                why->detail);
    return NULL;
}

static hf_credential *load(const struct source *s, hf_passphrase_fn fn, void *arg,
                           bool external_allowed, hf_error *err)
{
    hf_error inner = {0};
    bool found = false;
    uint8_t *spki;
    size_t len;
    struct private_key *key =
        private_key_parse(slice_of(s->p, s->len), fn, arg, &found, &inner);
    if (!key && !found && external_allowed && inner.code != HF_E_NO_MEMORY)
        return from_public(s, &inner, err);
    if (!key) {
        err_set(err, inner.code ? inner.code : HF_E_PEM, "%s: %s", s->name, inner.detail);
        return NULL;
    }
    if (!private_key_spki(key, &spki, &len)) {
        private_key_free(key);
        err_set(err, HF_E_NO_MEMORY, "%s: the public key cannot be encoded", s->name);
        return NULL;
    }
    hf_credential *cred = make(slice_of(spki, len), key, err);
    mem_free(spki);
    return cred;
}

hf_credential *hf_credential_load_raw_key_memory(const void *key, size_t len,
                                                 hf_passphrase_fn fn, void *arg, hf_error *err)
{
    struct source s = {"the key", key, key ? len : 0};
    err_begin(err);
    return load(&s, fn, arg, true, err);
}

hf_credential *hf_credential_load_raw_key_file(const char *path, hf_passphrase_fn fn, void *arg,
                                               hf_error *err)
{
    uint8_t *bytes = NULL;
    size_t len = 0;
    err_begin(err);
    if (!path) {
        err_set(err, HF_E_USAGE, "path is NULL");
        return NULL;
    }
    if (!file_read(path, &bytes, &len, err))
        return NULL;
    struct source s = {path, bytes, len};
    hf_credential *cred = load(&s, fn, arg, false, err);
    mem_wipe_free(bytes, len);
    return cred;
}

hf_credential *hf_credential_raw_key(const hf_credential *cred, hf_error *err)
{
    unsigned char *der = NULL;
    err_begin(err);
    if (!cred) {
        err_set(err, HF_E_USAGE, "hf_credential_raw_key: the credential is NULL");
        return NULL;
    }
    const hf_certificate *own = cred->chain->cert[0];
    if (cert_is_raw(own))
        return make(cert_der(own), cred->key ? private_key_ref(cred->key) : NULL, err);
    int len = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(own->x509), &der);
    ERR_clear_error();
    if (len <= 0) {
        err_set(err, HF_E_NO_MEMORY, "the public key cannot be encoded");
        return NULL;
    }
    hf_credential *raw =
        make(slice_of(der, (size_t)len), cred->key ? private_key_ref(cred->key) : NULL, err);
    OPENSSL_free(der);
    return raw;
}

const uint8_t *hf_credential_raw_public_key(const hf_credential *cred, size_t *len)
{
    bool raw = credential_type(cred) == CERT_RAW;
    if (len)
        *len = raw ? cred->chain->cert[0]->der_len : 0;
    return raw ? cred->chain->cert[0]->der : NULL;
}

const uint8_t *hf_credential_key_sha256(const hf_credential *cred)
{
    return cred->chain->cert[0]->key_sha256;
}
