/* protection.h: what a kind of record protection must provide. Private to this room. */
#ifndef RECORD_PROTECTION_H
#define RECORD_PROTECTION_H

#include "record/record.h"

struct rec_protection {
    uint8_t outer;     /* content type of protected records; 0: their real one */
    size_t max_cipher; /* most bytes behind the header */

    /* open is given a whole record whose header was checked; out->outer and used are set. */
    enum rec_result (*open)(struct rec_half *half, uint8_t *record, size_t len,
                            struct rec_opened *out, hf_error *err);
    size_t (*seal)(struct rec_half *half, uint8_t type, const uint8_t *in, size_t len,
                   uint8_t *out);
    size_t (*sealed_size)(const struct rec_half *half, uint8_t type, size_t len);
    size_t (*max_plain)(const struct rec_half *half);

    /* set puts the protection on a half anew; NULL: its context must not be dropped. */
    bool (*set)(struct rec_half *half, enum aead_id id, const uint8_t *key, const uint8_t *iv,
                bool seal);
    void (*clear)(struct rec_half *half); /* frees the context, which may be NULL */
};

void rec_put_header(uint8_t *out, uint8_t type, uint16_t version, size_t len);

/* rec_check_empty refuses what RFC 8446 5.1 forbids to be empty. */
bool rec_check_empty(uint8_t type, size_t len, hf_error *err)
    __attribute__((warn_unused_result));

/* rec_check_content: rec_check_empty, and a change_cipher_spec is what it has to be. */
bool rec_check_content(uint8_t type, const uint8_t *p, size_t len, hf_error *err)
    __attribute__((warn_unused_result));

/* ---- what the protections by an AEAD share */

/* rec_set_aead: the new context takes the place of what the half had; iv_len bytes of iv. */
bool rec_set_aead(struct rec_half *half, const struct rec_protection *prot, enum aead_id id,
                  const uint8_t *key, const uint8_t *iv, size_t iv_len, bool seal)
    __attribute__((warn_unused_result));
void rec_clear_aead(struct rec_half *half);

/* rec_xor_nonce: the sequence number, padded to the left, XOR the IV (RFC 8446 5.3, RFC 7905
 * 2). */
void rec_xor_nonce(const struct rec_half *half, uint8_t nonce[AEAD_NONCE_SIZE]);

/* rec_key_limit: most records to protect with one key. */
uint64_t rec_key_limit(enum aead_id id);

/* rec_may_open: there is a context and a sequence number left. */
bool rec_may_open(const struct rec_half *half, hf_error *err)
    __attribute__((warn_unused_result));

/* ---- what the protections of TLS 1.2 and older share */

/* Most bytes of TLSCiphertext, RFC 5246 6.2.3 (RFC 2246 6.2.3). */
#define REC_MAX_CIPHER12 (REC_MAX_PLAIN + 2048)

/* rec_max_plain12: unlike in TLS 1.3, a limit counts the content alone (RFC 8449 4, RFC 6066
 * 4). */
size_t rec_max_plain12(const struct rec_half *half);

/* rec_opened12 judges an authentic record and counts it. */
enum rec_result rec_opened12(struct rec_half *half, uint8_t *content, size_t len,
                             struct rec_opened *out, hf_error *err);

/* rec_mac_head: seq_num, type, version: how the additional data and the MAC begin (RFC 5246
 * 6.2.3.1, 6.2.3.3); the length follows. */
#define REC_MAC_HEAD 11
void rec_mac_head(const struct rec_half *half, uint8_t type, uint8_t out[REC_MAC_HEAD]);

#endif
