/* tickets.c: tickets as BoringSSL makes them, as far as the runner looks into them:
 *
 *   struct { opaque name[16]; opaque iv[16]; opaque sealed<..>; opaque mac[32]; } Ticket;
 *
 * sealed is AES-128-CBC, mac HMAC-SHA256 over all before it. Within is
 *
 *   SEQUENCE { INTEGER 1, INTEGER version, OCTET STRING suite, OCTET STRING session }
 *
 * where the session is what hf_session_export makes: the runner reads no further than the suite. */
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/rand.h>
#include <stdlib.h>
#include <string.h>

#include "config/session.h" /* to put the runner's version and suite into a session */
#include "tickets.h"

enum { NAME = 16, IV = 16, MAC = 32 };

/* What stands before the session: the integers and the suite, behind the SEQUENCE's own header. */
enum { VERSION_AT = 5, SUITE_AT = 9, FIXED = 11, MAX_HEADER = 4 };

static bool crypt_cbc(bool seal, const uint8_t *key, const uint8_t *iv, const uint8_t *in,
                      size_t len, uint8_t *out, size_t *out_len)
{
    EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
    int n = 0, more = 0;
    bool ok = ctx &&
              EVP_CipherInit_ex(ctx, EVP_aes_128_cbc(), NULL, key + NAME + 16, iv, seal) == 1 &&
              EVP_CipherUpdate(ctx, out, &n, in, (int)len) == 1 &&
              EVP_CipherFinal_ex(ctx, out + n, &more) == 1;
    EVP_CIPHER_CTX_free(ctx);
    *out_len = (size_t)(n + more);
    return ok;
}

static void mac(const uint8_t *key, const uint8_t *p, size_t len, uint8_t out[MAC])
{
    unsigned n = MAC;
    HMAC(EVP_sha256(), key + NAME, 16, p, len, out, &n);
}

static void put16(uint8_t *p, size_t n)
{
    p[0] = (uint8_t)(n >> 8);
    p[1] = (uint8_t)n;
}

/* Tag and length of what begins at `at`, in front of it; where they begin. */
static size_t put_header(uint8_t *p, size_t at, uint8_t tag, size_t len)
{
    p[--at] = (uint8_t)len;
    if (len > 0xff)
        p[--at] = (uint8_t)(len >> 8);
    if (len > 0x7f)
        p[at - 1] = len > 0xff ? 0x82 : 0x81;
    at -= len > 0x7f;
    p[--at] = tag;
    return at;
}

static size_t after_header(const uint8_t *p)
{
    return p[1] & 0x80 ? 2u + (p[1] & 0x7f) : 2u;
}

/* Written from behind, for the headers' sizes depend on what they hold. */
static size_t wrap(const hf_session *session, uint8_t *out, size_t size)
{
    static const uint8_t fixed[FIXED] = {2, 1, 1, 2, 2, 0, 0, 4, 2, 0, 0};
    size_t at = MAX_HEADER + FIXED + MAX_HEADER;
    size_t len = hf_session_export(session, out + at, size - at), end = at + len;
    at = put_header(out, at, 4, len) - FIXED;
    memcpy(out + at, fixed, FIXED);
    put16(out + at + VERSION_AT, hf_session_version(session));
    put16(out + at + SUITE_AT, hf_session_suite(session));
    at = put_header(out, at, 0x30, end - at);
    memmove(out, out + at, end - at);
    return end - at;
}

size_t tickets_seal(const uint8_t key[SHIM_TICKET_KEY], const hf_session *session, uint8_t *out,
                    size_t size)
{
    uint8_t *plain = malloc(size);
    size_t len = plain ? wrap(session, plain, size) : 0, sealed = 0;
    if (len)
        memcpy(out, key, NAME);
    if (!len || RAND_bytes(out + NAME, IV) != 1 ||
        !crypt_cbc(true, key, out + NAME, plain, len, out + NAME + IV, &sealed)) {
        free(plain);
        return 0;
    }
    free(plain);
    size_t at = NAME + IV + sealed;
    mac(key, out, at, out + at);
    return at + MAC;
}

static hf_session *unwrap(const uint8_t *p, size_t len)
{
    const uint8_t *fixed = p + after_header(p), *octets = fixed + FIXED;
    size_t at = (size_t)(octets - p) + after_header(octets);
    hf_session *s = at < len ? hf_session_import(p + at, len - at, NULL) : NULL;
    if (!s)
        return NULL;
    s->version = (uint16_t)(fixed[VERSION_AT] << 8 | fixed[VERSION_AT + 1]);
    s->suite = (uint16_t)(fixed[SUITE_AT] << 8 | fixed[SUITE_AT + 1]);
    return s;
}

hf_session *tickets_open(const uint8_t key[SHIM_TICKET_KEY], const uint8_t *ticket, size_t len)
{
    uint8_t right[MAC];
    if (len <= NAME + IV + MAC || memcmp(ticket, key, NAME) != 0)
        return NULL;
    size_t sealed = len - NAME - IV - MAC;
    mac(key, ticket, len - MAC, right);
    uint8_t *plain = malloc(sealed + IV);
    size_t n = 0;
    hf_session *s = NULL;
    if (plain && memcmp(right, ticket + len - MAC, MAC) == 0 &&
        crypt_cbc(false, key, ticket + NAME, ticket + NAME + IV, sealed, plain, &n))
        s = unwrap(plain, n);
    free(plain);
    return s;
}
