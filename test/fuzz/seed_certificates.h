/* seed_certificates.h: certificates for the seeds that no handshake has. */
#ifndef SEED_CERTIFICATES_H
#define SEED_CERTIFICATES_H

#include <stddef.h>
#include <stdint.h>

/* rich_certificate makes a DER certificate with every extension that is decoded; to be freed with free(). */
size_t rich_certificate(uint8_t **out);

#endif
