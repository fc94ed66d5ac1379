/* decoding.h: between the files that decode a certificate: one decoding under way. */
#ifndef X509_DECODING_H
#define X509_DECODING_H

#include "handfast_certificate.h"
#include "x509/certificate.h"

struct block;

/* The struct that is handed out, and the memory behind all that it points to. */
struct decoded {
    hf_certificate_info info; /* first: what the caller holds */
    struct block *blocks;
    bool no_memory; /* sticky: everything after it is nothing */
};

/* keep_* copy into memory that lives as long as the info; NULL (or an empty value) and no_memory without it.
 * keep_array is zeroed. */
void *keep_array(struct decoded *d, size_t count, size_t size);
const char *keep_string(struct decoded *d, const char *s);
hf_text keep_text(struct decoded *d, const void *p, size_t len);
hf_bytes keep_bytes(struct decoded *d, const void *p, size_t len);

hf_oid decode_oid(struct decoded *d, const ASN1_OBJECT *object);
hf_dn decode_name(struct decoded *d, const X509_NAME *name);
void decode_general(struct decoded *d, GENERAL_NAME *g, hf_general_name *out);

/* decode_extensions fills all that stands in extensions. */
void decode_extensions(struct decoded *d, X509 *x);

#endif
