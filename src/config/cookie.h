/* cookie.h: the cookie of a server that forgets its clients: all that has to be known of a first ClientHello when the
 * second one comes (RFC 8446 4.2.2). Authenticated, in clear: it tells nothing that was not sent in clear before. */
#ifndef CONFIG_COOKIE_H
#define CONFIG_COOKIE_H

#include "bytes/reader.h"
#include "bytes/writer.h"
#include "config/config.h"
#include "crypto/hash.h"
#include "handfast_stateless.h"

struct cookie {
    uint16_t suite;
    uint16_t group;       /* 0: none */
    bool share_asked;     /* the HelloRetryRequest has key_share */
    bool psk;             /* the first ClientHello has offered a session that will do */
    uint64_t made;        /* seconds since 1970 */
    struct slice hello;   /* the hash of the first ClientHello, by the suite's hash */
    uint8_t fixed[32];    /* SHA-256 over what may not change in the second */
    struct slice content; /* the application's */
};

/* cookie_seal makes the cookie with the first of the configuration's keys, or with `key`, where that is not NULL.
 * NULL without memory. */
uint8_t *cookie_seal(const hf_config *config, const uint8_t *key, const struct cookie *c,
                     size_t *len);

/* cookie_open: HF_OK and what it says, borrowed from `bytes`; HF_E_COOKIE_MISMATCH or HF_E_COOKIE_EXPIRED, with
 * words for it. */
hf_code cookie_open(const hf_config *config, const uint8_t *key, struct slice bytes,
                    struct cookie *out, const char **why);

#endif
