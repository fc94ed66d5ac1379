/* names.h: the names that the TLS registries give to numbers. "GREASE" for the reserved values of
 * RFC 8701, "unknown" for what is in no registry. The results are static. */
#ifndef BYTES_NAMES_H
#define BYTES_NAMES_H

#include "bytes/bytes.h"

const char *name_version(uint16_t version);      /* "TLS 1.3" */
const char *name_suite(uint16_t suite);          /* "TLS_AES_128_GCM_SHA256" */
const char *name_group(uint16_t group);          /* "x25519" */
const char *name_signature(uint16_t signature);  /* "ecdsa_secp256r1_sha256" */
const char *name_extension(uint16_t extension);  /* "key_share" */
const char *name_alert(uint8_t alert);           /* "handshake_failure" */
const char *name_message(uint8_t message);       /* "ClientHello" */
const char *name_content(uint8_t type);          /* "handshake", a record's content type */
const char *name_psk_mode(uint8_t mode);         /* "psk_dhe_ke" */
const char *name_certificate_type(uint8_t type); /* "ecdsa_sign", of a CertificateRequest */
/* name_certificate_kind: "RawPublicKey", of client_certificate_type */
const char *name_certificate_kind(uint8_t type);
const char *name_compression(uint8_t method);                 /* "null" */
const char *name_certificate_compression(uint16_t algorithm); /* "brotli" */

/* name_is_grease: one of the sixteen reserved values 0x0a0a, 0x1a1a ... 0xfafa. */
bool name_is_grease(uint16_t number);

#endif
