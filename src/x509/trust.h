/* trust.h: sets of trust anchors. */
#ifndef X509_TRUST_H
#define X509_TRUST_H

#include "x509/certificate.h"
#include "x509/crl.h"
#include "x509/pem.h"

/* One anchor. A bundle has more than a hundred, of which a verification needs one: parsing
 * (120 us each) waits until somebody's issuer has this subject. */
struct anchor {
    uint8_t *der;
    size_t der_len;
    unsigned line;        /* in its file, for errors; 0: not PEM */
    struct slice subject; /* within der, DER of the Name */
    X509_NAME *name;      /* the same, for comparison as RFC 5280 7.1 wants it */
    uint8_t uses;         /* what it is trusted for: USE_ */
    _Atomic(hf_certificate *) cert;
};

/* Uses, a mask. OpenSSL's TRUSTED CERTIFICATE says which; of any other anchor all are allowed. */
enum { USE_SERVER = 1, USE_CLIENT = 2, USE_ANY = 3 };

/* anchor_uses reads what a TRUSTED CERTIFICATE is trusted for; *cert is the certificate without it. false: it is
 * malformed, or no memory. */
bool anchor_uses(struct slice trusted, struct slice *cert, uint8_t *uses);

/* The anchors of one file, sorted by name; immutable and shared once loaded. */
struct anchors {
    _Atomic int refs;
    char *origin; /* path, or "memory" */
    size_t count, size;
    struct anchor *anchor;
};

/* anchors_load: with strict, anything that is not right is E_PEM; without, it is skipped, which is
 * for the platform's bundles: one odd certificate there is not this program's fault. */
struct anchors *anchors_load(const struct source *s, bool strict, hf_error *err);
void anchors_free(struct anchors *set);
struct anchors *anchors_ref(struct anchors *set);

/* A folder of hashed names. What was read stays known: a good verdict may rest on it. */
struct folder;
struct folder *folder_new(const char *path, hf_error *err);
struct folder *folder_ref(struct folder *folder);
void folder_free(struct folder *folder);

/* Anchors with one subject, borrowed from their set or folder. */
#define FOUND_MAX 16

struct found {
    size_t count;
    hf_certificate *cert[FOUND_MAX];
    bool no_memory; /* there may be more */
};

/* What is done with each certificate; false stops. */
typedef bool (*anchor_fn)(hf_certificate *cert, unsigned uses, void *arg);

/* anchors_each and folder_each call fn with all certificates: of a folder, with those that were read from it. What
 * cannot be parsed is passed over. false: fn stopped, or there was no memory. */
bool anchors_each(const struct anchors *set, anchor_fn fn, void *arg);
bool folder_each(struct folder *folder, anchor_fn fn, void *arg);

/* uses: only anchors that are trusted for one of these; 0: all. */
void anchors_find(const struct anchors *set, const X509_NAME *name, unsigned uses,
                  struct found *found);
void folder_find(struct folder *folder, const X509_NAME *name, unsigned uses,
                 struct found *found);

/* folder_each_crl calls fn with the folder's revocation lists by this issuer; false if fn did, or for want
 * of memory. */
bool folder_each_list(struct folder *folder, crl_fn fn, void *arg); /* all that were read */
bool folder_each_crl(struct folder *folder, const X509_NAME *issuer, int64_t now, crl_fn fn,
                     void *arg);

#define FOLDERS_MAX 8

/* What the platform trusts; loaded once, never freed. */
struct platform {
    struct anchors *bundle; /* or NULL */
    size_t folder_count;
    struct folder *folder[FOLDERS_MAX];
    char tried[512]; /* where it was looked for, separated by ", " */
};
const struct platform *platform_load(hf_error *err);

/* ---- hf_trust as the verification sees it */

struct found trust_find(const hf_trust *trust, const X509_NAME *name, unsigned uses);

/* trust_each_crl calls fn with each revocation list by this issuer; false if fn did, or for want of
 * memory. */
bool trust_each_crl(const hf_trust *trust, const X509_NAME *issuer, int64_t now, crl_fn fn,
                    void *arg);

/* trust_add_source adds all certificates of a source, trust_add_lists all its revocation lists, or nothing. */
bool trust_add_source(hf_trust *trust, const struct source *s, hf_error *err);
bool trust_add_lists(hf_trust *trust, const struct source *s, hf_error *err);

/* trust_each calls fn with all certificates that are known, some of them twice perhaps; trust_each_list with all
 * revocation lists. */
bool trust_each(const hf_trust *trust, anchor_fn fn, void *arg);
bool trust_each_list(const hf_trust *trust, crl_fn fn, void *arg);

/* trust_generation is different for every trust of this process, also for those freed. */
uint64_t trust_generation(const hf_trust *trust);

/* trust_describe writes "2 anchors of /etc/x.pem and the folder /etc/y". */
void trust_describe(const hf_trust *trust, char *out, size_t size);

const char *folder_path(const struct folder *folder);

#endif
