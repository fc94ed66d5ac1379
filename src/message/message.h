/* message.h: the handshake messages, as the RFC's structs. Reading is pure: bytes to struct, no
 * connection, no policy, no crypto. Slices point into the message that was read. Each extension
 * block is handed on as a reader (`extensions`), whose parent reader must stay alive while it is
 * used; extension/ opens it.
 *
 * A read function is given a reader for the message's body (behind the 4-byte handshake header)
 * and ends it: true means that everything was read and nothing failed (extensions not yet opened).
 */
#ifndef MESSAGE_MESSAGE_H
#define MESSAGE_MESSAGE_H

#include "bytes/reader.h"
#include "bytes/writer.h"

/* enum { ... } HandshakeType;                                                RFC 8446 4 */
enum {
    MSG_HELLO_REQUEST = 0,
    MSG_CLIENT_HELLO = 1,
    MSG_SERVER_HELLO = 2,
    MSG_NEW_SESSION_TICKET = 4,
    MSG_END_OF_EARLY_DATA = 5,
    MSG_ENCRYPTED_EXTENSIONS = 8,
    MSG_CERTIFICATE = 11,
    MSG_SERVER_KEY_EXCHANGE = 12,
    MSG_CERTIFICATE_REQUEST = 13,
    MSG_SERVER_HELLO_DONE = 14,
    MSG_CERTIFICATE_VERIFY = 15,
    MSG_CLIENT_KEY_EXCHANGE = 16,
    MSG_FINISHED = 20,
    MSG_CERTIFICATE_STATUS = 22,
    MSG_KEY_UPDATE = 24,
    MSG_COMPRESSED_CERTIFICATE = 25,
    MSG_MESSAGE_HASH = 254,
    /* Not on the wire: change_cipher_spec, which is a record of its own, as a row of the lists of TLS 1.2
     * (RFC 5246 7.1); and a ServerHello with the special random of RFC 8446 4.1.3. */
    MSG_CHANGE_CIPHER_SPEC = 253,
    MSG_HELLO_RETRY_REQUEST = 255,
};

#define MSG_HEADER  4
#define RANDOM_SIZE 32

extern const uint8_t hello_retry_random[RANDOM_SIZE]; /* SHA-256 of "HelloRetryRequest" */

/* msg_name: "ClientHello"; MSG_HELLO_RETRY_REQUEST has a name too. "unknown" for others. */
const char *msg_name(uint8_t type);
/* msg_rfc: the section that defines it, "RFC 8446 4.1.2". */
const char *msg_rfc(uint8_t type);
/* msg_max_size: most bytes of body handfast accepts for a message of this type; 0: none (unknown). */
size_t msg_max_size(uint8_t type);

/* msg_begin writes a handshake header with the length to come and returns its mark for msg_finish. */
size_t msg_begin(struct wr *w, uint8_t type);
void msg_finish(struct wr *w, size_t mark);

/* struct {
 *     ProtocolVersion legacy_version = 0x0303;
 *     Random random;
 *     opaque legacy_session_id<0..32>;
 *     CipherSuite cipher_suites<2..2^16-2>;
 *     opaque legacy_compression_methods<1..2^8-1>;
 *     Extension extensions<8..2^16-1>;
 * } ClientHello;                                                             RFC 8446 4.1.2 */
struct client_hello {
    uint16_t version;
    struct slice random;
    struct slice session_id;
    struct slice suites;      /* pairs of bytes */
    struct slice compression; /* bytes */
    bool has_extensions;      /* an old hello may end before them */
    struct rd extensions;
};
bool msg_read_client_hello(struct rd *r, struct client_hello *out)
    __attribute__((warn_unused_result));
/* Writing stops before the extensions; the caller writes that block and finishes the message. */
void msg_write_client_hello(struct wr *w, const struct client_hello *ch);

/* struct {
 *     ProtocolVersion legacy_version = 0x0303;
 *     Random random;
 *     opaque legacy_session_id_echo<0..32>;
 *     CipherSuite cipher_suite;
 *     uint8 legacy_compression_method = 0;
 *     Extension extensions<6..2^16-1>;
 * } ServerHello;                                                             RFC 8446 4.1.3 */
struct server_hello {
    uint16_t version;
    struct slice random;
    struct slice session_id;
    uint16_t suite;
    uint8_t compression;
    bool has_extensions;
    struct rd extensions;
};
bool msg_read_server_hello(struct rd *r, struct server_hello *out)
    __attribute__((warn_unused_result));
void msg_write_server_hello(struct wr *w, const struct server_hello *sh);

/* struct { Extension extensions<0..2^16-1>; } EncryptedExtensions;           RFC 8446 4.3.1 */
bool msg_read_encrypted_extensions(struct rd *r, struct rd *extensions)
    __attribute__((warn_unused_result));

/* struct {
 *     opaque certificate_request_context<0..2^8-1>;
 *     Extension extensions<2..2^16-1>;
 * } CertificateRequest;                                                      RFC 8446 4.3.2 */
struct certificate_request {
    struct slice context;
    struct rd extensions;
};
bool msg_read_certificate_request(struct rd *r, struct certificate_request *out)
    __attribute__((warn_unused_result));

/* struct {
 *     opaque certificate_request_context<0..2^8-1>;
 *     CertificateEntry certificate_list<0..2^24-1>;
 * } Certificate;
 * struct { opaque cert_data<1..2^24-1>; Extension extensions<0..2^16-1>; } CertificateEntry;
 *                                                                            RFC 8446 4.4.2 */
#define MSG_MAX_CERTIFICATES HF_CHAIN_MAX
struct certificate_entry {
    struct slice data; /* DER */
    struct rd extensions;
};
struct certificate_list {
    struct slice context;
    struct rd list; /* parent of the entries' readers */
    size_t count;
    struct certificate_entry entry[MSG_MAX_CERTIFICATES];
};
/* More than MSG_MAX_CERTIFICATES entries are refused with E_CHAIN_TOO_LONG. */
bool msg_read_certificate(struct rd *r, struct certificate_list *out)
    __attribute__((warn_unused_result));

/* msg_read_raw_key: the same where raw public keys were agreed on (RFC 7250): at most one entry, with an
 * ASN1_subjectPublicKeyInfo<1..2^24-1> in place of cert_data (RFC 8446 4.4.2). */
bool msg_read_raw_key(struct rd *r, struct certificate_list *out)
    __attribute__((warn_unused_result));

/* struct {
 *     CertificateCompressionAlgorithm algorithm;
 *     uint24 uncompressed_length;
 *     opaque compressed_certificate_message<1..2^24-1>;
 * } CompressedCertificate;                                                   RFC 8879 4 */
struct compressed_certificate {
    uint16_t algorithm;
    uint32_t length; /* of the Certificate message's body */
    struct slice packed;
};
bool msg_read_compressed_certificate(struct rd *r, struct compressed_certificate *out)
    __attribute__((warn_unused_result));
void msg_write_compressed_certificate(struct wr *w, const struct compressed_certificate *cc);

/* struct {
 *     SignatureScheme algorithm;
 *     opaque signature<0..2^16-1>;
 * } CertificateVerify;                                                       RFC 8446 4.4.3 */
struct certificate_verify {
    uint16_t algorithm;
    struct slice signature;
};
bool msg_read_certificate_verify(struct rd *r, struct certificate_verify *out)
    __attribute__((warn_unused_result));

/* struct { opaque verify_data[Hash.length]; } Finished;                      RFC 8446 4.4.4 */
bool msg_read_finished(struct rd *r, size_t hash_len, struct slice *verify_data)
    __attribute__((warn_unused_result));

/* struct {
 *     uint32 ticket_lifetime;
 *     uint32 ticket_age_add;
 *     opaque ticket_nonce<0..255>;
 *     opaque ticket<1..2^16-1>;
 *     Extension extensions<0..2^16-2>;
 * } NewSessionTicket;                                                        RFC 8446 4.6.1 */
struct new_session_ticket {
    uint32_t lifetime;
    uint32_t age_add;
    struct slice nonce;
    struct slice ticket;
    struct rd extensions;
};
bool msg_read_new_session_ticket(struct rd *r, struct new_session_ticket *out)
    __attribute__((warn_unused_result));

/* enum { update_not_requested(0), update_requested(1), (255) } KeyUpdateRequest;
 * struct { KeyUpdateRequest request_update; } KeyUpdate;                     RFC 8446 4.6.3 */
bool msg_read_key_update(struct rd *r, bool *request) __attribute__((warn_unused_result));

/* ---- TLS 1.2 and older: where a message differs from TLS 1.3's, or is not in it */

/* msg_rfc12, msg_max_size12: as msg_rfc and msg_max_size, for TLS 1.2 and older. */
const char *msg_rfc12(uint8_t type);
size_t msg_max_size12(uint8_t type);

/* struct {
 *     uint8 msg_type = 1;  Version version;
 *     uint16 cipher_spec_length, session_id_length, challenge_length;
 *     V2CipherSpec cipher_specs[V2ClientHello.cipher_spec_length];   3 bytes each
 *     opaque session_id[V2ClientHello.session_id_length];
 *     opaque challenge[V2ClientHello.challenge_length];
 * } V2ClientHello;                                                           RFC 5246 E.2
 * Reading begins at msg_type (the two bytes of record length are gone). Suites of SSL 2.0 are left out.
 * msg_write_v2_as_client_hello writes what it says as a ClientHello of TLS, with its header: the challenge,
 * padded with zeros on the left, is the random. The transcript has the V2 message's own bytes. */
struct v2_client_hello {
    uint16_t version;
    struct slice specs, session_id, challenge;
};
bool msg_read_v2_client_hello(struct rd *r, struct v2_client_hello *out)
    __attribute__((warn_unused_result));
void msg_write_v2_as_client_hello(struct wr *w, const struct v2_client_hello *v2);
/* msg_write_v2_client_hello writes it as it is, without the two bytes of record length. */
void msg_write_v2_client_hello(struct wr *w, const struct v2_client_hello *v2);

/* What a server of SSL 2.0 answers: the struct stands in v2_server_hello.c. Reading begins at msg_type. */
struct v2_server_hello {
    bool session_id_hit;
    uint16_t version;
    struct slice certificate, specs, connection_id; /* specs: 3 bytes each */
};
bool msg_read_v2_server_hello(struct rd *r, struct v2_server_hello *out)
    __attribute__((warn_unused_result));

/* struct { } HelloRequest;                                                   RFC 5246 7.4.1.1
 * struct { } ServerHelloDone;                                                RFC 5246 7.4.5 */
bool msg_read_nothing(struct rd *r) __attribute__((warn_unused_result));

/* struct { ASN.1Cert certificate_list<0..2^24-1>; } Certificate;             RFC 5246 7.4.2
 * The entries have no extensions: entry[i].extensions is not set, context is empty. */
bool msg_read_certificate12(struct rd *r, struct certificate_list *out)
    __attribute__((warn_unused_result));

/* struct { opaque ASN.1_subjectPublicKeyInfo<1..2^24-1>; } Certificate;      RFC 7250 3
 * Without any bytes it is the message of a client that has no key to show: the list is empty. */
bool msg_read_raw_key12(struct rd *r, struct certificate_list *out)
    __attribute__((warn_unused_result));

/* struct {
 *     CertificateStatusType status_type = ocsp(1);
 *     opaque OCSPResponse<1..2^24-1>;
 * } CertificateStatus;                                                       RFC 6066 8 */
bool msg_read_certificate_status(struct rd *r, struct slice *response)
    __attribute__((warn_unused_result));

/* struct {
 *     ECCurveType curve_type = named_curve(3);
 *     NamedCurve namedcurve;
 *     opaque public<1..2^8-1>;
 * } ServerECDHParams;                                                        RFC 8422 5.4
 * struct {
 *     opaque dh_p<1..2^16-1>;  opaque dh_g<1..2^16-1>;  opaque dh_Ys<1..2^16-1>;
 * } ServerDHParams;                                                          RFC 5246 7.4.3
 * Both may follow opaque psk_identity_hint<0..2^16-1> (RFC 4279 2, RFC 5489 2), and are followed, where the
 * server proves itself by a certificate, by
 *     SignatureAndHashAlgorithm (TLS 1.2 only), opaque signature<0..2^16-1>.
 * What is there depends on the suite: */
struct ske_shape {
    bool hint, ecdh, dh, algorithm, signature;
};
struct server_key_exchange {
    struct slice hint;
    uint16_t group; /* ECDH */
    struct slice p, g;
    struct slice share;  /* ECDH point or dh_Ys */
    struct slice params; /* what is signed, behind the two randoms: all before the algorithm */
    uint16_t algorithm;
    struct slice signature;
};
bool msg_read_server_key_exchange(struct rd *r, const struct ske_shape *shape,
                                  struct server_key_exchange *out)
    __attribute__((warn_unused_result));
/* Writes hint and parameters; the signature is the caller's. */
void msg_write_server_params(struct wr *w, const struct ske_shape *shape,
                             const struct server_key_exchange *ske);

/* opaque psk_identity<0..2^16-1> (RFC 4279 2), then one of
 *     opaque encrypted_premaster<0..2^16-1>     RSA: with its length in TLS 1.0 and later (RFC 5246 7.4.7.1)
 *     opaque dh_Yc<1..2^16-1>                                                RFC 5246 7.4.7.2
 *     opaque ecdh_Yc<1..2^8-1>                                               RFC 8422 5.7 */
enum cke_kind { CKE_NONE, CKE_RSA, CKE_DH, CKE_ECDH };
struct client_key_exchange {
    struct slice identity;
    struct slice exchange;
};
bool msg_read_client_key_exchange(struct rd *r, bool psk, enum cke_kind kind,
                                  struct client_key_exchange *out)
    __attribute__((warn_unused_result));
void msg_write_client_key_exchange(struct wr *w, bool psk, enum cke_kind kind,
                                   const struct client_key_exchange *cke);

/* struct {
 *     ClientCertificateType certificate_types<1..2^8-1>;
 *     SignatureAndHashAlgorithm supported_signature_algorithms<2..2^16-2>;   TLS 1.2 only
 *     DistinguishedName certificate_authorities<0..2^16-1>;
 * } CertificateRequest;                                                      RFC 5246 7.4.4 */
struct certificate_request12 {
    struct slice types;
    struct slice sigalgs;     /* pairs of bytes */
    struct slice authorities; /* content of the list */
};
bool msg_read_certificate_request12(struct rd *r, bool tls12, struct certificate_request12 *out)
    __attribute__((warn_unused_result));
void msg_write_certificate_request12(struct wr *w, bool tls12,
                                     const struct certificate_request12 *cr);

/* As CertificateVerify above, but without the algorithm below TLS 1.2 (RFC 4346 7.4.8). */
bool msg_read_certificate_verify12(struct rd *r, bool tls12, struct certificate_verify *out)
    __attribute__((warn_unused_result));

/* struct {
 *     uint32 ticket_lifetime_hint;
 *     opaque ticket<0..2^16-1>;
 * } NewSessionTicket;                                                        RFC 5077 3.3 */
struct new_session_ticket12 {
    uint32_t lifetime;
    struct slice ticket;
};
bool msg_read_new_session_ticket12(struct rd *r, struct new_session_ticket12 *out)
    __attribute__((warn_unused_result));

#endif
