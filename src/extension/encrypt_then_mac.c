/* encrypt_then_mac.c: CBC records are authenticated outside the encryption (RFC 7366). */
#include "extension/row.h"

/* "If a server receives an encrypt-then-MAC request extension from a client and then selects a stream or
 * Authenticated Encryption with Associated Data (AEAD) ciphersuite, it MUST NOT send an encrypt-then-MAC
 * response extension back to the client" (RFC 7366 3). */
static bool is_block_cipher(const struct suite *s)
{
    return s && s->cbc != CBC_NONE && s->cbc != CBC_NULL;
}

static bool offers_block_cipher(const hf_config *config)
{
    for (size_t i = 0; i < config->body.suites.count; i++) {
        if (is_block_cipher(suite_find(config->body.suites.id[i])))
            return true;
    }
    return false;
}

bool encrypt_then_mac_wants(const struct nego *n, unsigned message)
{
    if (!n->config->encrypt_then_mac)
        return false;
    return message == IN_CH ? offers_block_cipher(n->config) : is_block_cipher(n->suite);
}

/* The body is empty; a server that answers has agreed. */
void encrypt_then_mac_put(struct nego *n, struct wr *w, unsigned message)
{
    (void)w;
    if (message != IN_CH)
        n->etm = true;
}

/* struct {} EncryptThenMAC;                                                  RFC 7366 2 */
void encrypt_then_mac_read(struct rd *r, struct ext_values *v, unsigned message)
{
    (void)r;
    (void)v;
    (void)message;
}

bool encrypt_then_mac_take(struct nego *n, const struct ext_values *v, unsigned message)
{
    if (message == IN_CH)
        return true; /* it depends on the suite, which is chosen later */
    n->etm = ext_has(v, X_ENCRYPT_THEN_MAC);
    if (n->etm && !is_block_cipher(n->suite))
        return ext_refuse(n, message, X_ENCRYPT_THEN_MAC, HF_E_ILLEGAL_VALUE,
                          "%s has no MAC of its own that could come after",
                          n->suite ? n->suite->name : "the suite");
    return true;
}
