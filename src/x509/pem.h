/* pem.h: files that hold certificates: PEM (RFC 7468) among any other text, or one DER object. */
#ifndef X509_PEM_H
#define X509_PEM_H

#include "x509/x509.h"

/* Bytes and what to call them in an error: a path, or "the chain in memory". */
struct source {
    const char *name;
    const uint8_t *p;
    size_t len;
};

/* file_read reads a whole file (at most 16 MiB) into memory of mem_new; E_FILE with os_errno. */
bool file_read(const char *path, uint8_t **out, size_t *out_len, hf_error *err);

/* source_is_pem: there is a BEGIN line. */
bool source_is_pem(const struct source *s);

/* A walk over the blocks of a source. */
struct pem {
    struct slice rest;
    unsigned line;
};

struct pem_block {
    struct slice label; /* "CERTIFICATE" */
    struct slice text;  /* between the BEGIN and the END line */
    unsigned line;      /* of the BEGIN line */
};

enum pem_result { PEM_BLOCK, PEM_END, PEM_CUT /* no END line of the same label */ };

struct pem pem_start(const struct source *s);
enum pem_result pem_next(struct pem *pem, struct pem_block *out);
bool pem_is(const struct pem_block *block, const char *label);

/* Kinds of blocks that a source is searched for. */
struct block_kind {
    const char *label, *other; /* "CERTIFICATE", and what it was called long ago */
    const char *third;         /* one more, or NULL */
};
extern const struct block_kind cert_blocks, crl_blocks, key_blocks;
/* Certificates, those too behind which OpenSSL has put what they are trusted for (TRUSTED CERTIFICATE). */
extern const struct block_kind anchor_blocks;

/* source_has: there is a block of this kind. */
bool source_has(const struct source *s, const struct block_kind *kind);

/* pem_decode decodes the base64 of a block into memory of mem_new. false: not base64 (out is NULL and
 * *no_memory false), or no memory. */
bool pem_decode(const struct pem_block *block, uint8_t **out, size_t *out_len, bool *no_memory);

/* certs_each calls fn with the DER of each certificate of a source; fn returns false to stop with the
 * error it has set. False with E_PEM, naming source, line and what was found, if something is not as
 * it should be or there is no certificate. */
typedef bool (*cert_fn)(struct slice der, unsigned line, void *arg, hf_error *err);
bool certs_each(const struct source *s, cert_fn fn, void *arg, hf_error *err)
    __attribute__((warn_unused_result));

/* blocks_each is certs_each for other kinds of objects. DER objects may stand one behind the other. */
bool blocks_each(const struct source *s, const struct block_kind *kind, cert_fn fn, void *arg,
                 hf_error *err) __attribute__((warn_unused_result));

#endif
