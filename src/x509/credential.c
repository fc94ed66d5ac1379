#include <openssl/err.h>
#include <openssl/ocsp.h>
#include <stdatomic.h>
#include <stdio.h>

#include "bytes/reader.h"
#include "x509/certificate.h"
#include "x509/pem.h"
#include "x509/pkcs12.h"
#include "x509/verify.h"

/* ---- the certificates of a file, in the order of the file */

struct list {
    const struct source *from;
    size_t count;
    hf_certificate *cert[CHAIN_MAX];
};

static void list_clear(struct list *list)
{
    for (size_t i = 0; i < list->count; i++)
        hf_certificate_free(list->cert[i]);
    list->count = 0;
}

static bool list_add(struct slice der, unsigned line, void *arg, hf_error *err)
{
    struct list *list = arg;
    hf_error inner = {0};
    if (list->count == CHAIN_MAX)
        return err_set(err, HF_E_PEM,
                       "%s: more than %d certificates: a chain is the own certificate and its "
                       "issuers, not a bundle of authorities",
                       list->from->name, CHAIN_MAX);
    hf_certificate *cert = cert_from_der(der, &inner);
    if (cert) {
        list->cert[list->count++] = cert;
        return true;
    }
    if (inner.code == HF_E_NO_MEMORY)
        return err_set(err, inner.code, "%s", list->from->name);
    if (line == 0)
        return err_set(err, HF_E_PEM, "%s is DER, but not a certificate: %s", list->from->name,
                       inner.detail);
    return err_set(err, HF_E_PEM, "%s: the certificate on line %u: %s", list->from->name, line,
                   inner.detail);
}

/* ---- the order of a chain */

static bool signed_by(const hf_certificate *cert, const hf_certificate *issuer)
{
    return cert_issued(issuer, cert) && issuer_signed(issuer, cert);
}

/* Every certificate issued one that stands before it: several may, where issuers are cross-signed. */
static bool in_order(const struct list *list)
{
    for (size_t i = 1; i < list->count; i++) {
        bool found = false;
        for (size_t j = 0; j < i && !found; j++)
            found = signed_by(list->cert[j], list->cert[i]);
        if (!found)
            return false;
    }
    return true;
}

/* The own certificate is the one that the key fits; it goes to the front. */
static bool find_own(struct list *list, const struct private_key *key, hf_error *err)
{
    const hf_certificate *first = list->cert[0];
    for (size_t i = 0; i < list->count; i++) {
        hf_certificate *own = list->cert[i];
        if (own->key && private_key_matches(key, own->key)) {
            memmove(&list->cert[1], &list->cert[0], i * sizeof list->cert[0]);
            list->cert[0] = own;
            return true;
        }
    }
    static const char *const names[] = {
        [KEY_NONE] = "unknown",    [KEY_RSA] = "RSA",       [KEY_RSA_PSS] = "RSA-PSS",
        [KEY_P256] = "EC P-256",   [KEY_P384] = "EC P-384", [KEY_P521] = "EC P-521",
        [KEY_ED25519] = "Ed25519", [KEY_ED448] = "Ed448",   [KEY_OTHER] = "other"};
    enum key_kind kind = private_key_kind(key);
    char mine[32];
    if (kind == KEY_RSA || kind == KEY_RSA_PSS)
        snprintf(mine, sizeof mine, "%s %u", names[kind], private_key_bits(key));
    else
        snprintf(mine, sizeof mine, "%s", names[kind]);
    const char *theirs = hf_certificate_key(first);
    return err_set(err, HF_E_KEY_MISMATCH, "%s: '%s' has the key %s, the private key is %s%s",
                   list->from->name, hf_certificate_subject(first), theirs, mine,
                   strcmp(theirs, mine) == 0 ? " too, but of another pair" : "");
}

/* Takes the issuer of one of the first `done` certificates to place `done`. */
static bool pull_issuer(struct list *list, size_t done)
{
    for (size_t child = done; child-- > 0;) {
        for (size_t i = done; i < list->count; i++) {
            hf_certificate *c = list->cert[i];
            if (!signed_by(list->cert[child], c))
                continue;
            memmove(&list->cert[done + 1], &list->cert[done], (i - done) * sizeof c);
            list->cert[done] = c;
            return true;
        }
    }
    return false;
}

/* RFC 8446 4.4.2: each certificate should certify the one before it; peers without path building
 * depend on it, so a shuffled file is put in order. What belongs to no chain is a mistake that is
 * cheaper to hear of now than from a peer. */
static bool put_in_order(struct list *list, hf_error *err)
{
    if (in_order(list))
        return true;
    for (size_t done = 1; done < list->count; done++) {
        if (!pull_issuer(list, done))
            return err_set(
                err, HF_E_PEM,
                "%s: '%s' is in the file, but issued none of the other certificates: "
                "remove it, or add what is missing between ('%s' was issued by '%s')",
                list->from->name, hf_certificate_subject(list->cert[done]),
                hf_certificate_subject(list->cert[done - 1]),
                hf_certificate_issuer(list->cert[done - 1]));
    }
    return true;
}

/* A PKCS#12 file is often somebody's whole collection: what is no part of the chain stays out of it. */
static void keep_chain(struct list *list)
{
    size_t done = 1;
    while (done < list->count && pull_issuer(list, done))
        done++;
    while (list->count > done)
        hf_certificate_free(list->cert[--list->count]);
}

/* ---- the key */

static bool read_key(const struct source *s, hf_passphrase_fn fn, void *arg,
                     struct private_key **out, bool *found, hf_error *err)
{
    hf_error inner = {0};
    *found = false;
    *out = private_key_parse(slice_of(s->p, s->len), fn, arg, found, &inner);
    if (*out || !*found)
        return inner.code != HF_E_NO_MEMORY || err_set(err, inner.code, "%s", s->name);
    return err_set(err, inner.code ? inner.code : HF_E_PEM, "%s: %s", s->name, inner.detail);
}

static bool check_kind(const struct hf_credential *cred, const struct source *chain,
                       hf_error *err)
{
    const hf_certificate *own = cred->chain->cert[0];
    if (cred->kind == KEY_NONE || cred->kind == KEY_OTHER)
        return err_set(err, HF_E_CONFIG,
                       "%s: '%s' has the key %s, for which TLS has no signature", chain->name,
                       hf_certificate_subject(own), hf_certificate_key(own));
    return true;
}

/* ---- loading */

/* Takes from the list; the key is there already, or it is external. */
static bool finish(struct hf_credential *cred, struct list *list, bool collection,
                   hf_error *err)
{
    if (cred->key && !find_own(list, cred->key, err))
        return false;
    if (collection)
        keep_chain(list);
    else if (!put_in_order(list, err))
        return false;
    const struct public_key *public = list->cert[0]->key;
    cred->kind = public ? public_key_kind(public) : KEY_NONE;
    cred->bits = public ? public_key_bits(public) : 0;
    cred->chain = chain_new(list->cert, list->count);
    return (cred->chain || err_set(err, HF_E_NO_MEMORY, "chain")) &&
           check_kind(cred, list->from, err);
}

static bool listed(const struct list *list, const hf_certificate *cert)
{
    for (size_t i = 0; i < list->count; i++) {
        if (memcmp(list->cert[i]->sha256, cert->sha256, CERT_HASH) == 0)
            return true;
    }
    return false;
}

static bool take_content(const struct pkcs12 *content, struct list *list, hf_error *err)
{
    for (size_t i = 0; i < content->certs.count; i++) {
        const hf_certificate *cert = content->certs.cert[i];
        if (!listed(list, cert) && !list_add(cert_der(cert), 0, list, err))
            return false;
    }
    if (list->count == 0)
        return err_set(err, HF_E_PEM, "%s: there is no certificate in it", list->from->name);
    return true;
}

static bool read_chain(struct hf_credential *cred, bool pkcs12, bool with_key,
                       hf_passphrase_fn fn, void *arg, struct list *list, hf_error *err)
{
    struct pkcs12 content;
    if (!pkcs12)
        return certs_each(list->from, list_add, list, err);
    bool ok =
        pkcs12_open(list->from, fn, arg, &content, err) && take_content(&content, list, err);
    if (ok && with_key)
        cred->key = private_key_ref(content.key);
    pkcs12_clear(&content);
    return ok;
}

/* key is NULL where the key is to be looked for in chain. */
static bool fill(struct hf_credential *cred, const struct source *chain,
                 const struct source *key, bool external_allowed, hf_passphrase_fn fn,
                 void *arg, hf_error *err)
{
    struct list list = {.from = chain};
    bool found = false, pkcs12 = source_is_pkcs12(chain);
    bool ok =
        read_chain(cred, pkcs12, key == NULL, fn, arg, &list, err) &&
        ((pkcs12 && !key) || read_key(key ? key : chain, fn, arg, &cred->key, &found, err));
    if (ok && !cred->key && (key || !external_allowed))
        ok = err_set(err, HF_E_PEM, "%s: no private key was found",
                     key ? key->name : chain->name);
    ok = ok && finish(cred, &list, pkcs12, err);
    list_clear(&list);
    return ok;
}

hf_credential *credential_of(const struct pkcs12 *content, const struct source *from,
                             hf_error *err)
{
    struct list list = {.from = from};
    struct hf_credential *cred = mem_new(sizeof *cred);
    if (!cred) {
        err_set(err, HF_E_NO_MEMORY, "credential");
        return NULL;
    }
    atomic_init(&cred->refs, 1);
    cred->key = private_key_ref(content->key);
    bool ok = take_content(content, &list, err) && finish(cred, &list, true, err);
    list_clear(&list);
    if (ok)
        return cred;
    hf_credential_free(cred);
    return NULL;
}

static hf_credential *load(const struct source *chain, const struct source *key,
                           bool external_allowed, hf_passphrase_fn fn, void *arg, hf_error *err)
{
    struct hf_credential *cred = mem_new(sizeof *cred);
    if (!cred) {
        err_set(err, HF_E_NO_MEMORY, "credential");
        return NULL;
    }
    atomic_init(&cred->refs, 1);
    if (fill(cred, chain, key, external_allowed, fn, arg, err))
        return cred;
    hf_credential_free(cred);
    return NULL;
}

hf_credential *hf_credential_load_memory(const void *chain, size_t chain_len, const void *key,
                                         size_t key_len, hf_passphrase_fn fn, void *arg,
                                         hf_error *err)
{
    struct source c = {"the chain", chain, chain ? chain_len : 0};
    struct source k = {"the key", key, key_len};
    return load(&c, key && key_len ? &k : NULL, true, fn, arg, err);
}

hf_credential *hf_credential_load_files(const char *chain_path, const char *key_path,
                                        hf_passphrase_fn fn, void *arg, hf_error *err)
{
    uint8_t *chain = NULL, *key = NULL;
    size_t chain_len = 0, key_len = 0;
    hf_credential *cred = NULL;
    if (!chain_path) {
        err_set(err, HF_E_USAGE, "chain_path is NULL");
        return NULL;
    }
    if (file_read(chain_path, &chain, &chain_len, err) &&
        (!key_path || file_read(key_path, &key, &key_len, err))) {
        struct source c = {chain_path, chain, chain_len}, k = {key_path, key, key_len};
        cred = load(&c, key_path ? &k : NULL, false, fn, arg, err);
    }
    mem_wipe_free(chain, chain_len);
    mem_wipe_free(key, key_len);
    return cred;
}

hf_credential *hf_credential_ref(hf_credential *cred)
{
    if (cred)
        atomic_fetch_add_explicit(&cred->refs, 1, memory_order_relaxed);
    return cred;
}

void hf_credential_free(hf_credential *cred)
{
    if (!cred || atomic_fetch_sub_explicit(&cred->refs, 1, memory_order_acq_rel) != 1)
        return;
    chain_free(cred->chain);
    private_key_free(cred->key);
    mem_free(cred->ocsp);
    mem_free(cred->scts);
    names_clear(&cred->served);
    packed_free(atomic_load_explicit(&cred->packed, memory_order_relaxed));
    mem_free(cred);
}

bool hf_credential_set_ocsp(hf_credential *cred, const uint8_t *der, size_t len, hf_error *err)
{
    uint8_t *copy = NULL;
    if (len) {
        const unsigned char *p = der;
        OCSP_RESPONSE *resp = len <= INT32_MAX ? d2i_OCSP_RESPONSE(NULL, &p, (long)len) : NULL;
        OCSP_RESPONSE_free(resp);
        ERR_clear_error();
        /* A response is one OCSPResponse in a CertificateStatus of at most 2^24-1 bytes. */
        if (!resp || p != der + len || len > 0xffffff)
            return err_set(err, HF_E_PEM,
                           "these %zu bytes are not a DER OCSP response (RFC 6960)", len);
        copy = mem_dup(der, len);
        if (!copy)
            return err_set(err, HF_E_NO_MEMORY, "OCSP response");
    }
    mem_free(cred->ocsp);
    cred->ocsp = copy;
    cred->ocsp_len = len;
    return true;
}

/* opaque SerializedSCT<1..2^16-1>;
 * struct {
 *     SerializedSCT sct_list<1..2^16-1>;
 * } SignedCertificateTimestampList;          RFC 6962 3.3
 */
static bool read_scts(const uint8_t *list, size_t len, hf_error *err)
{
    struct rd_msg m = {.name = "SignedCertificateTimestampList", .err = err};
    struct rd r = rd_start(&m, list, len, 0);
    struct rd scts = rd_vec16(&r, "sct_list", 1, 0xffff);

    while (rd_more(&scts))
        rd_opaque16(&scts, "SerializedSCT", 1, 0xffff);
    return rd_end(&r);
}

bool hf_credential_set_scts(hf_credential *cred, const uint8_t *list, size_t len, hf_error *err)
{
    uint8_t *copy = NULL;
    hf_error why = {0};

    err_begin(err);
    if (!cred || (len && !list))
        return err_set(err, HF_E_USAGE, "hf_credential_set_scts: the %s is NULL",
                       cred ? "list" : "credential");
    if (len && !read_scts(list, len, &why)) {
        err_set(err, HF_E_CONFIG,
                "these %zu bytes are not a SignedCertificateTimestampList with its length in "
                "front (RFC 6962 3.3): %s at byte %zu: %s",
                len, why.path, why.offset,
                why.detail[0] ? why.detail : hf_code_sentence(why.code));
        return false;
    }
    if (len && !(copy = mem_dup(list, len)))
        return err_set(err, HF_E_NO_MEMORY, "for signed certificate timestamps");
    mem_free(cred->scts);
    cred->scts = copy;
    cred->scts_len = len;
    return true;
}

const hf_certificate *hf_credential_certificate(const hf_credential *cred, size_t i)
{
    bool raw = credential_type(cred) == CERT_RAW;
    return !raw && i < cred->chain->count ? cred->chain->cert[i] : NULL;
}
