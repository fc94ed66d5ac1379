/* handfast_issue.h: certificates made for tests and small closed groups, and PKCS#12. Whoever serves the public gets
 * certificates from an authority that the public trusts.
 *
 *     hf_certificate_plan root = {.ca = true, .common_name = "my tests"}, leaf = {.names = "localhost, 127.0.0.1"};
 *     hf_credential *ca = hf_credential_make(&root, NULL, &err), *server = hf_credential_make(&leaf, ca, &err);
 *
 * Conventions are those of handfast.h. All functions may be called from any thread. */
#ifndef HANDFAST_ISSUE_H
#define HANDFAST_ISSUE_H

#include "handfast_certificate.h"

#ifdef __cplusplus
extern "C" {
#endif

/* hf_key_type: a key pair to be made. */
typedef enum hf_key_type {
    HF_KEY_EC_P256,
    HF_KEY_EC_P384,
    HF_KEY_RSA_2048,
    HF_KEY_RSA_3072,
    HF_KEY_RSA_4096,
    HF_KEY_ED25519,
} hf_key_type;

/* hf_certificate_plan: what a certificate to be made shall say. Zero is the default of each. */
typedef struct hf_certificate_plan {
    hf_key_type key;
    const char *common_name;  /* at most 64 characters; NULL: the first name, a CA: "handfast test CA" */
    const char *organization; /* NULL: none */
    const char *names;        /* subjectAltName, separated by commas or blanks: DNS names ("*.a.example" too), IP
                               * addresses, e-mail addresses, URIs; each is told by its form, or by a prefix DNS:, IP:,
                               * email: or URI:. A leaf needs one; a CA mostly has none */
    int64_t not_before;       /* 0: an hour ago */
    int64_t not_after;        /* 0: 90 days from now, a CA: ten years. Never later than the issuer's end */
    bool ca;
    unsigned intermediates;   /* of a CA: how many CAs may stand between it and a leaf */
    bool client, server;      /* extendedKeyUsage of a leaf; neither: both */
} hf_certificate_plan;

/* hf_credential_make makes a key pair and a certificate for it: signed by issuer, a CA with its private key at hand, or
 * by itself if issuer is NULL. Its chain has the issuer's certificates too, but not the root. It is ready to be used by a
 * configuration. NULL with E_CONFIG (the plan: a name that is none, dates in the wrong order; an issuer that is no CA, or
 * may have no CA below it), E_CRYPTO or E_NO_MEMORY. A key of RSA takes up to a second. */
HF_API hf_credential *hf_credential_make(const hf_certificate_plan *plan, const hf_credential *issuer,
                                         hf_error *err);

/* hf_credential_key_pem writes the private key as PKCS#8 (PEM), encrypted with passphrase (AES-256, PBKDF2) if that is
 * not NULL, into memory that is to be freed with hf_secret_free. NULL with E_CONFIG if the key is not here (external),
 * E_CRYPTO or E_NO_MEMORY. The length, without the NUL behind it, is strlen of it. */
HF_API char *hf_credential_key_pem(const hf_credential *cred, const char *passphrase, hf_error *err);

/* hf_secret_free wipes and frees memory that one of these functions gave; NULL is allowed. */
HF_API void hf_secret_free(void *p, size_t len);

/* ---- PKCS#12 (RFC 7292), also known as PFX
 *
 * hf_credential_load_files and hf_credential_load_memory take a PKCS#12 file for the chain, with the key in it: fn is
 * asked for the passphrase if an empty one does not do.
 *
 * hf_pkcs12_read takes one apart: *cred receives the credential, NULL if there is no private key (a trust store), and
 * *others all certificates that are no part of its chain. Each of the two may be NULL. E_PEM (no PKCS#12, or damaged, or encrypted in a
 * way that libcrypto has no more: RC2), E_PASSPHRASE, and what hf_credential_load_memory fails with.
 *
 * hf_pkcs12_write puts a credential with its key, or certificates alone, or both, into one: AES-256, PBKDF2 with SHA-256.
 * friendly_name may be NULL. *out is to be freed with hf_secret_free(*out, *len). passphrase may be "". E_CONFIG if the
 * key is not here, E_USAGE without anything to write, E_CRYPTO, E_NO_MEMORY. */
HF_API bool hf_pkcs12_read(const void *bytes, size_t len, hf_passphrase_fn fn, void *arg, hf_credential **cred,
                           hf_certificate_list *others, hf_error *err);
HF_API bool hf_pkcs12_write(const hf_credential *cred, const hf_certificate_list *others, const char *passphrase,
                            const char *friendly_name, uint8_t **out, size_t *len, hf_error *err);

#ifdef __cplusplus
}
#endif

#endif
