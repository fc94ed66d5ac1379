/* seed_certificates.h: certificates for the seeds that no handshake has. */
#ifndef SEED_CERTIFICATES_H
#define SEED_CERTIFICATES_H

#include <stddef.h>

/* seed_certificates puts a certificate with everything in it that is decoded, OpenSSL's TRUSTED CERTIFICATE, and PKCS#12
 * files of this certificate and key. put writes one seed of a target. */
typedef void (*seed_fn)(const char *target, const char *name, const void *p, size_t n);
void seed_certificates(seed_fn put, const char *pem, const char *key_pem);

#endif
