/* ticket.c: tickets that come back. Input: if the first byte is odd, what follows is sealed as a
 * ticket of ours, as if our own key had vouched for it; else it is the ticket. */
#include "fuzz.h"

#include <string.h>

#include "config/ticket.h"
#include "crypto/aead.h"
#include "crypto/hash.h"
#include "ends.h"

/* The ring's first key, by the ratchet of config/ticket.c; make_ticket fails if it changes there. */
static void ring_key(uint8_t name_and_key[48])
{
    static const char label[] = "handfast ticket key";
    uint8_t seed[32], out[80];
    REQUIRE(config_random(ends_config(true), "ticket_key", seed, sizeof seed));
    hkdf_expand(HASH_SHA256, seed, slice_of(label, sizeof label - 1), out, sizeof out);
    memcpy(name_and_key, out, 48);
}

static size_t make_ticket(struct slice plain, uint8_t *out)
{
    uint8_t key[48];
    ring_key(key);
    memcpy(out, key, 16);
    memset(out + 16, 9, 12);
    struct aead *a = aead_new(AEAD_AES_256_GCM, key + 16, true);
    REQUIRE(a && aead_seal(a, out + 16, out, 16, plain.p, plain.len, NULL, 0, out + 28));
    aead_free(a);
    return plain.len + TICKET_OVERHEAD;
}

static void check_session(const hf_session *s)
{
    struct buffer b = {0};
    struct wr w;
    wr_start(&w, &b);
    REQUIRE(ticket_seal(ends_config(true), s, &w));
    hf_session *again =
        ticket_open(ends_config(true), slice_of(buffer_front(&b), buffer_len(&b)));
    REQUIRE(again && again->suite == s->suite && again->lifetime == s->lifetime);
    REQUIRE(memcmp(again->secret, s->secret, sizeof s->secret) == 0);
    hf_session_free(again);
    buffer_clear(&b);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct feed f = {data, size};
    bool seal = feed_u8(&f) & 1;
    uint8_t *ticket = malloc(f.left + TICKET_OVERHEAD);
    size_t len = f.left;
    REQUIRE(ticket != NULL);
    if (seal)
        len = make_ticket(slice_of(f.p, f.left), ticket);
    else if (len)
        memcpy(ticket, f.p, len);
    hf_error why = {0};
    hf_session *s = ticket_open(ends_config(true), slice_of(ticket, len));
    hf_session *direct = seal ? session_read(slice_of(f.p, f.left), &why) : NULL;
    if (seal) /* our own seal opens: whatever is a session and not expired comes out */
        REQUIRE((s != NULL) == (direct && !session_expired(direct, (int64_t)ENDS_NOW * 1000)));
    hf_session_free(direct);
    if (s)
        check_session(s);
    hf_session_free(s);
    free(ticket);
    return 0;
}
