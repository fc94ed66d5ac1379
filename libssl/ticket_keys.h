/* ticket_keys.h: what seals and opens a ticket: a context's own keys, or what a callback chooses. */
#ifndef LIBSSL_TICKET_KEYS_H
#define LIBSSL_TICKET_KEYS_H

#include <openssl/evp.h>
#include <openssl/hmac.h>

#include "libssl/local.h"

enum { TICKET_NAME = 16, TICKET_MAX = 65535 };

struct ticket_keys {
    const SSL_CTX *own;     /* the keys are this context's, and what follows is not used */
    EVP_CIPHER_CTX *cipher; /* else a callback's */
    EVP_MAC_CTX *mac;
    HMAC_CTX *hmac; /* in place of mac, for the older callback */
    unsigned char name[TICKET_NAME], iv[EVP_MAX_IV_LENGTH];
};

/* ticket_keys_init: for the connection's context. false: no memory, no randomness; to be cleared all the same. */
bool ticket_keys_init(struct ticket_keys *k, SSL *s);
void ticket_keys_clear(struct ticket_keys *k);

/* ticket_keys_choose fills in name and iv to encrypt, and takes them to decrypt. The callback's answer
 * (SSL_CTX_set_tlsext_ticket_key_evp_cb(3)); without one, 1, 0 (to decrypt: other keys) or -1. */
int ticket_keys_choose(struct ticket_keys *k, SSL *s, bool encrypt);

/* ticket_keys_encrypt writes a ticket; its length, 0: more than size, or size + 1 if it cannot. */
size_t ticket_keys_encrypt(const struct ticket_keys *k, const unsigned char *der,
                           size_t der_len, unsigned char *out, size_t size);

/* ticket_keys_decrypt: what is in a ticket, to be freed with OPENSSL_clear_free(p, *size); NULL: it is not genuine,
 * or there is no memory. */
unsigned char *ticket_keys_decrypt(const struct ticket_keys *k, const unsigned char *ticket,
                                   size_t len, size_t *der_len, size_t *size);

#endif
