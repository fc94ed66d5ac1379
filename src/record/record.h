/* record.h: opening and sealing one record, from bytes to bytes. No I/O, no handshake. */
#ifndef RECORD_RECORD_H
#define RECORD_RECORD_H

#include "bytes/bytes.h"
#include "crypto/aead.h"
#include "crypto/cbc.h"

/* enum { invalid(0), change_cipher_spec(20), alert(21), handshake(22), application_data(23) }
 * ContentType;                                                               RFC 8446 5.1 */
enum { REC_CCS = 20, REC_ALERT = 21, REC_HANDSHAKE = 22, REC_DATA = 23 };

#define REC_HEADER     5
#define REC_MAX_PLAIN  16384
#define REC_MAX_INNER  (REC_MAX_PLAIN + 1)   /* TLSInnerPlaintext, RFC 8446 5.4 */
#define REC_MAX_CIPHER (REC_MAX_PLAIN + 256) /* RFC 8446 5.2 */

enum rec_result { REC_OK, REC_PARTIAL, REC_BAD };

/* One direction of a connection. The zero state sends and receives plaintext records. */
struct rec_half {
    const struct rec_protection *prot; /* NULL: none */
    union {
        struct aead *aead; /* NULL while hibernating */
        struct cbc *cbc;   /* of the protections by CBC or NULL cipher and HMAC */
    };
    uint8_t iv[AEAD_NONCE_SIZE];
    uint8_t id;   /* an enum aead_id */
    uint8_t tag;  /* bytes that the AEAD adds */
    bool etm;     /* CBC: encrypt-then-MAC (RFC 7366) */
    bool pad_all; /* sealing in TLS 1.3: records of every type are padded */
    uint64_t seq; /* of the next record */
    /* Agreed version, at most TLS 1.2: every record must carry it, protected or not. 0: not
     * known, or TLS 1.3, whose records' version says nothing. */
    uint16_t version;
    /* The record_size_limit or max_fragment_length in force; 0: none. In TLS 1.3 it counts
     * content, type byte and padding together, so 16385 is no restriction; in TLS 1.2 and
     * older the content alone (RFC 8449 4, RFC 6066 4). Unprotected records are not subject
     * to it. */
    uint16_t max_plain;
    /* sealing: no record of more content, protected or not; 0: as many as may be */
    uint16_t most;
    /* Sealing in TLS 1.3: pad application data (pad_all: whatever there is) to a multiple of this; 0: no
     * padding. */
    uint16_t pad_block;
};

/* What rec_open found. */
struct rec_opened {
    uint8_t outer; /* content type on the wire */
    uint8_t type;  /* real content type */
    uint8_t *data; /* content, a slice of the input */
    size_t len;
    size_t used; /* whole record on the wire, header included */
};

/* rec_open opens the record at `in` in place. A record that is refused leaves seq alone (a
 * server that declined early data skips such records: RFC 8446 4.2.10), but may have been
 * overwritten. REC_PARTIAL: the record is not all there. REC_BAD: err says why
 * (E_WRONG_VERSION_NUMBER, E_RECORD_OVERFLOW, E_PLAINTEXT_OVERFLOW, E_BAD_RECORD_MAC,
 * E_UNEXPECTED_RECORD, E_KEY_EXHAUSTED). `plain_ccs` allows an unprotected
 * change_cipher_spec on a protected half (RFC 8446 5), `plain_alert` an unprotected alert. */
enum rec_result rec_open(struct rec_half *half, uint8_t *in, size_t len, bool plain_ccs,
                         bool plain_alert, struct rec_opened *out, hf_error *err)
    __attribute__((warn_unused_result));

/* rec_seal writes one record of at most rec_max_plain bytes of content. Returns its size, 0
 * on failure: too much content, the key has protected as many records as is safe, or
 * libcrypto failed. out must have rec_sealed_size(half, type, len) bytes; in may not overlap
 * out, except that in == out + REC_HEADER is allowed. version is that of an unprotected
 * record; a protected one has the protection's. */
size_t rec_seal(struct rec_half *half, uint8_t type, uint16_t version, const uint8_t *in,
                size_t len, uint8_t *out) __attribute__((warn_unused_result));
size_t rec_sealed_size(const struct rec_half *half, uint8_t type, size_t len);
size_t rec_max_plain(const struct rec_half *half);

/* rec_set_tls13 puts AEAD protection of RFC 8446 5.2 on a half; seq starts at 0. key and iv are
 * copied into place, the caller wipes its own. */
bool rec_set_tls13(struct rec_half *half, enum aead_id id, const uint8_t *key,
                   const uint8_t *iv, bool seal) __attribute__((warn_unused_result));

/* rec_set_tls12 puts the AEAD protection of RFC 5246 6.2.3.3 on a half: with AES an explicit
 * nonce of 8 bytes behind fixed_iv's 4 (RFC 5288 3, RFC 6655 3), with ChaCha20 the sequence
 * number XOR fixed_iv's 12 (RFC 7905 2). seq starts at 0; version is taken to be TLS 1.2. */
bool rec_set_tls12(struct rec_half *half, enum aead_id id, const uint8_t *key,
                   const uint8_t *fixed_iv, bool seal) __attribute__((warn_unused_result));

/* What rec_set_cbc needs; the pointers are read and not kept. */
struct rec_cbc_keys {
    /* TLS 1.0: iv is the first one and each record's last block the next (with the 1/n-1 split
     * of application data when sealing, against BEAST: rec_first_fragment); TLS 1.1 and 1.2:
     * each record has its own (RFC 4346 6.2.3.2). */
    uint16_t version;
    enum cbc_id cipher; /* CBC_NULL: no encryption, only the MAC (RFC 5246 6.2.3.1) */
    enum hash_id mac;   /* of the HMAC: SHA-1, SHA-256, SHA-384 (MD5 for nobody) */
    bool etm;           /* encrypt-then-MAC (RFC 7366); never with CBC_NULL */
    const uint8_t *mac_key, *key, *iv; /* iv only in TLS 1.0 */
};

/* rec_set_cbc puts the protection of RFC 5246 6.2.3.2 (GenericBlockCipher) or 6.2.3.1 (NULL)
 * on a half. Opening is constant-time in padding and MAC (Lucky Thirteen, POODLE); every
 * refusal is E_BAD_RECORD_MAC. */
bool rec_set_cbc(struct rec_half *half, const struct rec_cbc_keys *keys, bool seal)
    __attribute__((warn_unused_result));

/* rec_first_fragment returns how many of n bytes of application data the next record should
 * hold: 1 where the 1/n-1 split is due, else n. `first` says that no record of this piece of
 * data was sealed yet. */
size_t rec_first_fragment(const struct rec_half *half, size_t n, bool first);

/* rec_hibernates: this half's context may be freed and made again by rec_rekey (AEADs only). */
bool rec_hibernates(const struct rec_half *half);

/* rec_rekey gives a half its AEAD back after hibernation (aead was freed and set to NULL):
 * the same key and iv, and the sequence number goes on. */
bool rec_rekey(struct rec_half *half, const uint8_t *key, const uint8_t *iv, bool seal)
    __attribute__((warn_unused_result));

/* rec_wants_update: so many records were protected with this key that it should be replaced
 * by a KeyUpdate now, while there is time (RFC 8446 5.5). For an opening half: ask the peer
 * to. */
bool rec_wants_update(const struct rec_half *half);

void rec_clear(struct rec_half *half); /* wipes and frees; back to the zero state */

#endif
