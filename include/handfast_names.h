/* handfast_names.h: numbers with names: alerts, versions, protocols, results as error numbers, and what this
 * library has. The values are those of the registries, of OpenSSL 3 and of Python's ssl module, so that what a
 * program has written down means the same here. docs/python.md has Python's names beside ours. */
#ifndef HANDFAST_NAMES_H
#define HANDFAST_NAMES_H

#include "handfast.h"

#ifdef __cplusplus
extern "C" {
#endif

/* ---- alerts: the whole registry of TLS (RFC 8446 6; IANA "TLS Alerts"), with what is reserved for old versions.
 * hf_alert_name has the names. */
enum {
    HF_ALERT_CLOSE_NOTIFY = 0,
    HF_ALERT_UNEXPECTED_MESSAGE = 10,
    HF_ALERT_BAD_RECORD_MAC = 20,
    HF_ALERT_DECRYPTION_FAILED = 21, /* reserved: TLS 1.0 */
    HF_ALERT_RECORD_OVERFLOW = 22,
    HF_ALERT_DECOMPRESSION_FAILURE = 30, /* reserved: TLS 1.2 */
    HF_ALERT_HANDSHAKE_FAILURE = 40,
    HF_ALERT_NO_CERTIFICATE = 41, /* reserved: SSL 3.0 */
    HF_ALERT_BAD_CERTIFICATE = 42,
    HF_ALERT_UNSUPPORTED_CERTIFICATE = 43,
    HF_ALERT_CERTIFICATE_REVOKED = 44,
    HF_ALERT_CERTIFICATE_EXPIRED = 45,
    HF_ALERT_CERTIFICATE_UNKNOWN = 46,
    HF_ALERT_ILLEGAL_PARAMETER = 47,
    HF_ALERT_UNKNOWN_CA = 48,
    HF_ALERT_ACCESS_DENIED = 49,
    HF_ALERT_DECODE_ERROR = 50,
    HF_ALERT_DECRYPT_ERROR = 51,
    HF_ALERT_TOO_MANY_CIDS_REQUESTED = 52,
    HF_ALERT_EXPORT_RESTRICTION = 60, /* reserved: TLS 1.0 */
    HF_ALERT_PROTOCOL_VERSION = 70,
    HF_ALERT_INSUFFICIENT_SECURITY = 71,
    HF_ALERT_INTERNAL_ERROR = 80,
    HF_ALERT_INAPPROPRIATE_FALLBACK = 86,
    HF_ALERT_USER_CANCELED = 90,
    HF_ALERT_NO_RENEGOTIATION = 100, /* reserved: TLS 1.2 */
    HF_ALERT_MISSING_EXTENSION = 109,
    HF_ALERT_UNSUPPORTED_EXTENSION = 110,
    HF_ALERT_CERTIFICATE_UNOBTAINABLE = 111, /* reserved: RFC 6066 */
    HF_ALERT_UNRECOGNIZED_NAME = 112,
    HF_ALERT_BAD_CERTIFICATE_STATUS_RESPONSE = 113,
    HF_ALERT_BAD_CERTIFICATE_HASH_VALUE = 114, /* reserved: RFC 6066 */
    HF_ALERT_UNKNOWN_PSK_IDENTITY = 115,
    HF_ALERT_CERTIFICATE_REQUIRED = 116,
    HF_ALERT_GENERAL_ERROR = 117,
    HF_ALERT_NO_APPLICATION_PROTOCOL = 120,
    HF_ALERT_ECH_REQUIRED = 121,
};

/* hf_alert_number returns the number of an alert's name, in the registry's spelling or in capitals
 * ("handshake_failure", "HANDSHAKE_FAILURE"); -1 if there is none. */
HF_API int hf_alert_number(const char *name);

/* ---- versions as numbers. HF_TLS1_0 (769) to HF_TLS1_3 (772) are in handfast.h; the other three are for
 * hf_config_set_minimum_version and hf_config_set_maximum_version. */
enum {
    HF_VERSION_MINIMUM_SUPPORTED = -2, /* the lowest that this library has */
    HF_VERSION_MAXIMUM_SUPPORTED = -1, /* the highest */
    HF_SSL3_0 = 0x0300, /* prohibited (RFC 7568): known so that it can be refused by name */
};

/* hf_version_token returns "TLSv1.3", "TLSv1.2", "TLSv1.1", "TLSv1" or "SSLv3", as OpenSSL and Python spell them;
 * NULL for other numbers, as hf_conn_version's 0 before the handshake. hf_version_name says "TLS 1.3". */
HF_API const char *hf_version_token(uint16_t version);

/* ---- protocols, as contexts are made from them elsewhere; hf_config_new_protocol (handfast_context.h) takes them */
typedef enum hf_protocol {
    HF_PROTOCOL_SSL2 = 0,   /* refused: RFC 6176 */
    HF_PROTOCOL_SSL3 = 1,   /* refused: RFC 7568 */
    HF_PROTOCOL_TLS = 2,    /* any version, either role; verified as with the two at the end */
    HF_PROTOCOL_SSL23 = 2,  /* another name of it */
    HF_PROTOCOL_TLS1_0 = 3, /* this version alone; usable at security level 0 only (RFC 8996) */
    HF_PROTOCOL_TLS1_1 = 4, /* the same */
    HF_PROTOCOL_TLS1_2 = 5,
    HF_PROTOCOL_TLS_CLIENT = 16,
    HF_PROTOCOL_TLS_SERVER = 17,
} hf_protocol;

/* ---- results as one number, for programs that have a switch over OpenSSL's SSL_ERROR_ values */
enum {
    HF_NUMBER_NONE = 0,
    HF_NUMBER_SSL = 1,
    HF_NUMBER_WANT_READ = 2,
    HF_NUMBER_WANT_WRITE = 3,
    HF_NUMBER_WANT_X509_LOOKUP = 4, /* a question waits for its answer */
    HF_NUMBER_SYSCALL = 5,          /* hf_error.os_errno says which error it was */
    HF_NUMBER_ZERO_RETURN = 6,      /* the peer has closed its half cleanly */
    HF_NUMBER_WANT_CONNECT = 7,
    HF_NUMBER_EOF = 8, /* the transport has ended without close_notify */
    HF_NUMBER_INVALID_ERROR_CODE = 10,
};

/* hf_error_number returns the number that stands for a result and, where that is HF_FAILED, its error (NULL: none
 * is known). hf_error_number_name returns "WANT_READ" and so on, "UNKNOWN" for other numbers. */
HF_API int hf_error_number(hf_result result, const hf_error *err);
HF_API const char *hf_error_number_name(int number);

/* hf_result_name returns "WANT_INPUT" and so on; hf_result_sentence what a program does then, for a person who wonders
 * why nothing happens: "more bytes from the peer are needed: wait until its socket is readable". */
HF_API const char *hf_result_name(hf_result result);
HF_API const char *hf_result_sentence(hf_result result);

/* hf_error_library and hf_error_reason return what OpenSSL would call an error, in capitals: "SSL" and
 * "CERTIFICATE_VERIFY_FAILED"; for an alert that was received "SSL" and "TLSV1_ALERT_UNKNOWN_CA". "" for errors
 * that OpenSSL has no word for: hf_code_name has ours. */
HF_API const char *hf_error_library(const hf_error *err);
HF_API const char *hf_error_reason(const hf_error *err);

/* ---- channel bindings. hf_binding_type returns the type of a name ("tls-unique", "tls-server-end-point",
 * "tls-exporter"), -1 if it is none; hf_binding_name the name of a type, or NULL behind the last: counting from 0
 * lists them. */
HF_API int hf_binding_type(const char *name);
HF_API const char *hf_binding_name(int type);

/* ---- what there is. hf_have says whether this library can do something, with the libcrypto that is loaded.
 * hf_feature_name returns "ALPN", "TLSv1_3" and so on; NULL behind the last: counting from 0 lists them. */
typedef enum hf_feature {
    HF_HAVE_ALPN,
    HF_HAVE_NEVER_CHECK_COMMON_NAME, /* names are those of subjectAltName, and nothing else (RFC 9525) */
    HF_HAVE_ECDH,
    HF_HAVE_SNI,
    HF_HAVE_NPN,    /* no: ALPN has replaced it */
    HF_HAVE_SSL2,   /* no: RFC 6176 */
    HF_HAVE_SSL3,   /* no: RFC 7568 */
    HF_HAVE_TLS1_0, /* at security level 0 */
    HF_HAVE_TLS1_1, /* at security level 0 */
    HF_HAVE_TLS1_2,
    HF_HAVE_TLS1_3,
    HF_HAVE_PSK,
    HF_HAVE_PHA, /* authentication after the handshake */
    HF_HAVE_PSK_TLS1_3,
    HF_HAVE_EARLY_DATA,
    HF_HAVE_KEY_UPDATE,
    HF_HAVE_COMPRESSION, /* of records; no: CRIME, and TLS 1.3 has none */
    HF_HAVE_KTLS,        /* no: records are always protected by this library */
    HF_HAVE_DTLS,        /* no */
    HF_HAVE_EGD,         /* no: the kernel has random numbers */
    HF_HAVE_COUNT,
} hf_feature;
HF_API bool hf_have(hf_feature feature);
HF_API const char *hf_feature_name(hf_feature feature);

/* ---- versions of the libraries: HF_VERSION_ is what a program is compiled with, hf_version_number what it runs
 * with, both 0x00MMmmpp. hf_version_string has it in words.
 *
 * hf_crypto_version_number returns libcrypto's OPENSSL_VERSION_NUMBER at run time; hf_crypto_version_info its
 * five parts: major, minor, fix, patch, status (0 to 15; 15: a release; libcrypto 3 always says 0). */
#define HF_VERSION_MAJOR  0
#define HF_VERSION_MINOR  1
#define HF_VERSION_PATCH  0
#define HF_VERSION_NUMBER (HF_VERSION_MAJOR << 16 | HF_VERSION_MINOR << 8 | HF_VERSION_PATCH)
HF_API unsigned hf_version_number(void);
HF_API unsigned long hf_crypto_version_number(void);
HF_API void hf_crypto_version_info(int out[5]);

/* hf_crypto_version_string returns libcrypto's name of itself: "OpenSSL 3.0.19 27 Jan 2026". */
HF_API const char *hf_crypto_version_string(void);

#ifdef __cplusplus
}
#endif

#endif
