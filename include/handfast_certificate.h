/* handfast_certificate.h: certificates read and judged: what one says, as a struct and as the dictionary that
 * Python's ssl prints; PEM and DER; names; times; where trust anchors lie and what a trust holds; a chain judged
 * without a connection. handfast_issue.h makes certificates and reads PKCS#12.
 *
 * Conventions are those of handfast.h. Functions that write text do it as snprintf does: at most `size` bytes with
 * the NUL, and the length that it would have had without the NUL is returned; `out` may be NULL with size 0. All
 * functions may be called from any thread, but for those that change a trust. */
#ifndef HANDFAST_CERTIFICATE_H
#define HANDFAST_CERTIFICATE_H

#include "handfast.h"

#ifdef __cplusplus
extern "C" {
#endif

/* ---------------------------------------------------------------- what a certificate says */

/* hf_text: characters, UTF-8 as far as the certificate's are; a NUL stands behind them, and there may be NULs
 * among them, since the certificate's issuer chose them. {NULL, 0}: there is none. */
typedef struct hf_text {
    const char *p;
    size_t len;
} hf_text;

/* hf_bytes: borrowed bytes. {NULL, 0}: there are none. */
typedef struct hf_bytes {
    const uint8_t *p;
    size_t len;
} hf_bytes;

/* hf_attribute: one attribute of a distinguished name (RFC 5280 4.1.2.4). */
typedef struct hf_attribute {
    const char *oid;  /* "2.5.4.3" */
    const char *name; /* "commonName"; the same as oid where libcrypto knows no name */
    hf_text value;
    size_t rdn; /* which relative distinguished name it is part of, from 0: mostly one attribute each */
} hf_attribute;

/* hf_dn: a distinguished name, in the order of the certificate (the country first, mostly). */
typedef struct hf_dn {
    const hf_attribute *attribute;
    size_t count;
} hf_dn;

/* hf_general_kind: kinds of names, with the numbers of RFC 5280 4.2.1.6. */
typedef enum hf_general_kind {
    HF_GENERAL_OTHER = 0,
    HF_GENERAL_EMAIL = 1,
    HF_GENERAL_DNS = 2,
    HF_GENERAL_X400 = 3,
    HF_GENERAL_DIRECTORY = 4,
    HF_GENERAL_EDI_PARTY = 5,
    HF_GENERAL_URI = 6,
    HF_GENERAL_IP = 7,
    HF_GENERAL_RID = 8,
} hf_general_kind;

/* hf_general_name: one of them. */
typedef struct hf_general_name {
    hf_general_kind kind;
    hf_text text;       /* DNS, e-mail, URI: as it stands there; IP: "10.0.0.1", "2001:db8::1"; RID: an object
                         * identifier; OTHER: the value, if it is a string; else none */
    const char *label;  /* what Python calls the kind: "DNS", "IP Address", "Registered ID", "othername" ... */
    hf_text printed;    /* and how it prints it ("2001:DB8:0:0:0:0:0:1"); DIRECTORY: none */
    const char *type;   /* OTHER: its object identifier; else NULL */
    hf_bytes bytes;     /* IP: 4 or 16 bytes in network order (or what stands there); OTHER: DER of its value */
    hf_dn directory;    /* DIRECTORY */
} hf_general_name;

/* hf_key_usage: bits of keyUsage (RFC 5280 4.2.1.3). */
enum {
    HF_USAGE_DIGITAL_SIGNATURE = 1,
    HF_USAGE_NON_REPUDIATION = 2,
    HF_USAGE_KEY_ENCIPHERMENT = 4,
    HF_USAGE_DATA_ENCIPHERMENT = 8,
    HF_USAGE_KEY_AGREEMENT = 16,
    HF_USAGE_CERT_SIGN = 32,
    HF_USAGE_CRL_SIGN = 64,
    HF_USAGE_ENCIPHER_ONLY = 128,
    HF_USAGE_DECIPHER_ONLY = 256,
};

/* hf_key_usage_name returns the name of one bit ("digitalSignature"), or "unknown". */
HF_API const char *hf_key_usage_name(unsigned bit);

/* hf_oid: an object identifier. */
typedef struct hf_oid {
    const char *oid;  /* "1.3.6.1.5.5.7.3.1" */
    const char *name; /* "TLS Web Server Authentication"; the same as oid where there is none */
} hf_oid;

/* hf_extension: any extension, also those that are decoded below. */
typedef struct hf_extension {
    hf_oid id;
    bool critical;
    hf_bytes value; /* content of extnValue: mostly DER */
} hf_extension;

/* hf_certificate_info: everything that a certificate says, decoded. All pointers live as long as it, and no
 * longer than the certificate. What is absent is zero. An extension that cannot be decoded counts as absent; it
 * still stands in `extension`. */
typedef struct hf_certificate_info {
    hf_dn subject, issuer;
    unsigned version;               /* 1, 2 or 3 */
    const char *serial;             /* hexadecimal, capitals, as Python and openssl print it */
    hf_bytes serial_bytes;
    const char *not_before_text;    /* "Jan  5 09:34:43 2018 GMT" */
    const char *not_after_text;
    int64_t not_before, not_after;  /* seconds since 1970 */

    bool has_alt_names;             /* subjectAltName is there, perhaps empty */
    const hf_general_name *alt_name;
    size_t alt_name_count;
    const hf_text *ocsp;            /* authorityInfoAccess: URIs of OCSP responders */
    size_t ocsp_count;
    const hf_text *ca_issuers;      /* and of the issuer's certificate */
    size_t ca_issuers_count;
    const hf_text *crl;             /* cRLDistributionPoints: URIs */
    size_t crl_count;

    const char *key_kind;           /* "RSA", "RSA-PSS", "EC", "ED25519" ..., "unknown" */
    const char *key_curve;          /* EC: "P-256", or libcrypto's name; else NULL */
    unsigned key_bits;              /* 2048, 256 ...; 0: unknown */
    unsigned key_strength;          /* its strength in bits (NIST SP 800-57), 0: unknown */
    hf_bytes key;                   /* DER SubjectPublicKeyInfo */
    const char *signature;          /* "ecdsa-with-SHA256", "sha256WithRSAEncryption" */
    hf_bytes signature_bytes;

    bool has_key_usage;
    unsigned key_usage;             /* mask of HF_USAGE_; absent means everything */
    bool has_extended_key_usage;
    const hf_oid *extended_key_usage;
    size_t extended_key_usage_count;
    bool has_basic_constraints;
    bool ca;                        /* basicConstraints says so */
    int path_length;                /* most intermediates below a CA; -1: no limit, or none is said */
    hf_bytes subject_key_id, authority_key_id;
    const hf_oid *policy;           /* certificatePolicies */
    size_t policy_count;
    bool must_staple;               /* RFC 7633 */
    bool self_issued;               /* subject and issuer are the same */
    const hf_extension *extension;  /* all of them, in their order */
    size_t extension_count;

    uint8_t sha1[20], sha256[32];   /* of the certificate's DER */
    uint8_t key_sha256[32];         /* of the SubjectPublicKeyInfo: what pins are made of (RFC 7469 2.4) */
} hf_certificate_info;

/* hf_certificate_decode decodes all of it. NULL with E_USAGE (cert is NULL) or E_NO_MEMORY. To be freed with hf_certificate_info_free, before the certificate. */
HF_API hf_certificate_info *hf_certificate_decode(const hf_certificate *cert, hf_error *err);
HF_API void hf_certificate_info_free(hf_certificate_info *info);

/* hf_certificate_json writes the certificate as the dictionary that getpeercert() of Python's ssl returns, byte for
 * byte as json.dumps prints that: {"subject": [[["countryName", "DE"]], ...], "issuer": ..., "version": 3,
 * "serialNumber": "0A", "notBefore": "...", "notAfter": "...", "subjectAltName": [["DNS", "a"], ["DirName",
 * [[[...]]]]], "OCSP": [...], "caIssuers": [...], "crlDistributionPoints": [...]}; the last four only where the
 * certificate has them. ASCII only. Where Python fails for bytes that are no text, they become U+FFFD. 0 without
 * memory. */
HF_API size_t hf_certificate_json(const hf_certificate *cert, char *out, size_t size);

/* ---------------------------------------------------------------- the peer's certificate */

/* hf_peer_state: what is known of a connection's peer: the answers of getpeercert(). */
typedef enum hf_peer_state {
    HF_PEER_NO_HANDSHAKE, /* the handshake is not done (Python: ValueError) */
    HF_PEER_NONE,         /* it has shown no certificate (None) */
    HF_PEER_NOT_VERIFIED, /* it has, but nothing was verified: who it says it is counts for nothing ({}) */
    HF_PEER_VERIFIED,     /* it has, and it was verified (the dictionary) */
} hf_peer_state;
HF_API hf_peer_state hf_conn_peer_state(const hf_conn *conn);

/* hf_conn_peer_json writes what getpeercert() returns in each state, as JSON: "null", "{}", or the dictionary of
 * hf_certificate_json. It writes nothing and returns 0 before the handshake is done (and as hf_certificate_json
 * does). getpeercert(True), the DER form, is hf_certificate_der of hf_conn_peer_certificate(conn, 0): it is there in
 * the last two states. The whole chain as the peer sent it is hf_conn_peer_certificate, and as it was verified,
 * hf_conn_verified_certificate: both also after a resumption. */
HF_API size_t hf_conn_peer_json(const hf_conn *conn, char *out, size_t size);

/* ---------------------------------------------------------------- PEM and DER */

/* hf_pem_encode writes bytes as one PEM block (RFC 7468): lines of 64 characters, each with a newline, the END line
 * too; label as "CERTIFICATE". */
HF_API size_t hf_pem_encode(const char *label, const void *bytes, size_t len, char *out, size_t size);

/* hf_pem_decode finds the first block of this label in text (other text around it is passed over) and writes its bytes.
 * Returns their number, which may be above `size`: then out holds nothing useful and a larger one is needed. 0 with
 * E_PEM if there is no such block, or it is damaged (which says where), or E_NO_MEMORY. */
HF_API size_t hf_pem_decode(const char *label, const char *text, size_t text_len, uint8_t *out, size_t size,
                            hf_error *err);

/* hf_certificate_pem writes one certificate as a PEM block. */
HF_API size_t hf_certificate_pem(const hf_certificate *cert, char *out, size_t size);

/* hf_certificate_list: some certificates, in order. Each belongs to the list; hf_certificate_ref keeps one longer. */
typedef struct hf_certificate_list {
    hf_certificate **cert;
    size_t count;
} hf_certificate_list;

/* hf_certificates_read reads all certificates of a PEM text, or of one or more DER certificates one behind the
 * other, into a list that is empty before; OpenSSL's TRUSTED CERTIFICATE blocks count, without what is trusted in
 * them. E_PEM if there are none or one is damaged; E_NO_MEMORY; the list is empty then.
 * hf_certificates_read_file does so with a file: E_FILE as well. hf_certificates_clear empties a list; a list of
 * zeroes is empty. */
HF_API bool hf_certificates_read(const void *bytes, size_t len, hf_certificate_list *out, hf_error *err);
HF_API bool hf_certificates_read_file(const char *path, hf_certificate_list *out, hf_error *err);
HF_API void hf_certificates_clear(hf_certificate_list *list);

/* ---------------------------------------------------------------- times and names */

/* hf_cert_time_to_seconds reads the time of a certificate as Python and openssl print it, "Jan  5 09:34:43 2018 GMT"
 * (also with a leap second), or as ISO 8601 in UTC: "2018-01-05", "2018-01-05T09:34:43Z", "2018-01-05 09:34:43Z".
 * The program's locale does not matter. E_CONFIG says what is wrong: a day that the month has not, another zone. */
HF_API bool hf_cert_time_to_seconds(const char *text, int64_t *out, hf_error *err);

/* hf_cert_time writes seconds since 1970 as "Jan  5 09:34:43 2018 GMT". */
HF_API size_t hf_cert_time(int64_t seconds, char *out, size_t size);

/* hf_certificate_matches: the certificate is for this host, a DNS name or an IP address, by the rules that a handshake
 * uses (RFC 9525): subjectAltName only, addresses compared as bytes, a wildcard only as the whole leftmost label, for
 * exactly one label, never for an address. E_WRONG_NAME lists the names that the certificate has. Chain and dates are
 * not looked at. flags: 0, or HF_MATCH_COMMON_NAME, which takes the subject's last common name where subjectAltName has
 * neither DNS name nor address, as OpenSSL and Python do by default; an IP address never matches it. */
enum { HF_MATCH_COMMON_NAME = 1 };
HF_API bool hf_certificate_matches(const hf_certificate *cert, const char *host, unsigned flags, hf_error *err);

/* ---------------------------------------------------------------- trust */

/* hf_verify_paths: where trust anchors are looked for, as ssl.get_default_verify_paths() of Python tells (its
 * openssl_cafile and openssl_capath are default_cafile and default_capath here), and PHP's
 * openssl_get_cert_locations. */
typedef struct hf_verify_paths {
    const char *cafile;         /* the file: the environment's, or the built-in one; NULL if there is no such file */
    const char *capath;         /* the folder, in the same way */
    const char *cafile_env;     /* "SSL_CERT_FILE" */
    const char *default_cafile; /* built into libcrypto */
    const char *capath_env;     /* "SSL_CERT_DIR" */
    const char *default_capath;
    const char *default_private_dir, *default_cert_area;
} hf_verify_paths;

/* hf_default_verify_paths fills all of them. cafile and capath may point into the environment: they live until it is
 * changed. A program that runs with somebody else's privileges takes no notice of it. */
HF_API void hf_default_verify_paths(hf_verify_paths *out);

/* hf_trust_load is load_verify_locations of Python's ssl: any of the three, but at least one. cafile may hold
 * certificates and revocation lists in one PEM file; capath is a folder of hashed names; data are certificates and
 * revocation lists in PEM, or DER certificates one behind the other. At least one certificate or list must be in each of
 * cafile and data. E_FILE, E_PEM, E_CONFIG (an empty folder), E_USAGE (nothing is given), E_FROZEN once a
 * configuration uses the trust, E_NO_MEMORY; what was loaded before a failure stays. */
HF_API bool hf_trust_load(hf_trust *trust, const char *cafile, const char *capath, const void *data,
                          size_t len, hf_error *err);

/* hf_platform_places tells what hf_trust_add_platform finds on this machine, which Python cannot. */
typedef struct hf_platform_places {
    size_t certificates; /* in the file */
    size_t folders;      /* folders of hashed names; what is in them is read when it is needed */
    char file[256];      /* "" if none was found */
    char tried[512];     /* everything that was looked for, separated by ", " */
} hf_platform_places;
HF_API bool hf_trust_platform_places(hf_platform_places *out, hf_error *err);

/* hf_trust_stats is cert_store_stats() of Python's ssl: how many certificates a trust holds, how many of them may sign
 * others, and how many revocation lists. Each counts once, however often it was added; what lies in a folder counts
 * when it has been read. */
typedef struct hf_trust_stats {
    size_t crl, x509_ca, x509;
} hf_trust_stats;
HF_API bool hf_trust_get_stats(const hf_trust *trust, hf_trust_stats *out, hf_error *err);

/* hf_trust_certificates is get_ca_certs(): a list of the certificates in a trust that may sign others, or of all of
 * them if all is true. Each stands there once, sorted by nothing in particular; folders as above. E_NO_MEMORY. */
HF_API bool hf_trust_certificates(const hf_trust *trust, bool all, hf_certificate_list *out, hf_error *err);

/* hf_trust_uses tells what a certificate is trusted for, 0 if it is not in the trust: a mask. Of all certificates both
 * are allowed but those in OpenSSL's TRUSTED CERTIFICATE blocks (`openssl x509 -trustout -addtrust serverAuth`), which say
 * it themselves; verification and the platform's store go by it. */
enum { HF_TRUSTED_SERVER = 1, HF_TRUSTED_CLIENT = 2 };
HF_API unsigned hf_trust_uses(const hf_trust *trust, const hf_certificate *cert);

/* hf_verify_chain judges a chain (own certificate first, then its issuers in any order, 1 to HF_CHAIN_MAX) as a handshake with this
 * configuration would: a client's judges a server, a server's a client. Its trust, security level, revocation lists,
 * flags, pins and callback count; it is frozen. name is the host asked for, NULL: it is not checked; when is the time,
 * 0: the configuration's clock. *path (may be NULL) receives the path that was verified, anchor last; it is an empty
 * list before. false with what a handshake would fail with, or E_USAGE. With a callback
 * (hf_config_insecure_set_verify_callback) that lets everything pass, it hears of each fault; its conn is NULL then. */
HF_API bool hf_verify_chain(hf_config *config, const hf_certificate_list *chain, const char *name, int64_t when,
                            hf_certificate_list *path, hf_error *err);

/* hf_get_server_certificate fetches the certificates that a server shows: its own first, then the others that it sends.
 * url is as for hf_open (schemes that begin TLS in mid-stream too); without a scheme it is HOST:PORT for tls, without a
 * port as well it is 443. name is asked for (SNI) and verified instead of the URL's host; NULL: the host. timeout is for
 * all of it, in seconds; 0: 60.
 *
 * trust NULL: NOTHING is verified, and everything is spoken that this library can speak, TLS 1.0 included: what comes is
 * what somebody at that address sends, to be looked at or to be judged by hf_verify_chain. It is there even if the server
 * then ends the handshake, for want of a client certificate, say. With a trust, chain and name are verified as in any
 * handshake, and nothing is returned if they are not good. false with what hf_open fails with. */
HF_API bool hf_get_server_certificate(const char *url, const char *name, hf_trust *trust, double timeout,
                                      hf_certificate_list *out, hf_error *err);

#ifdef __cplusplus
}
#endif

#endif
