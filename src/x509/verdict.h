/* verdict.h: what was found to be good before. */
#ifndef X509_VERDICT_H
#define X509_VERDICT_H

#include "x509/certificate.h"

#define VERDICT_CAPACITY 1024

/* Signatures: that of the certificate with hash child was found right under the key with hash key. */
bool verdict_signature_known(const hf_certificate *child, const hf_certificate *issuer);
void verdict_signature_remember(const hf_certificate *child, const hf_certificate *issuer);

/* Whole chains: id is a digest of everything that the verdict depended on but the time; it holds
 * from..until, both included. */
bool verdict_chain_known(const uint8_t id[CERT_HASH], int64_t now);
void verdict_chain_remember(const uint8_t id[CERT_HASH], int64_t from, int64_t until);

/* For tests: forget all; how many chains are remembered. */
void verdict_clear(void);
size_t verdict_chain_count(void);

#endif
