/* starttls.c: what a peer says before TLS. Input: the protocol (high bit: we are its server), then the bytes. The
 * units are found the same, however the bytes come in; answers are judged without a look behind their end. */
#include "fuzz.h"

#include <string.h>

#include "net/starttls.h"

/* Fed to the end, or in drips: where the first unit ends, -1 for a refusal, 0 for none. */
static long first_unit(enum frame frame, struct slice in, bool drip)
{
    size_t scanned = 0, len = 0;
    int r = 0;
    for (size_t n = drip ? 1 : in.len; n <= in.len && r == 0; n++) {
        r = starttls_unit(frame, slice_of(in.p, n), &scanned, &len);
        REQUIRE(r >= -1 && r <= 1 && scanned <= n);
        REQUIRE(r != 1 || (len > 0 && len <= n && len <= STARTTLS_UNIT_MAX));
    }
    return r == 1 ? (long)len : r;
}

/* A copy of its own, so that a read behind the end is found. */
static uint8_t *copy_of(struct slice unit)
{
    uint8_t *p = malloc(unit.len);
    REQUIRE(p != NULL);
    memcpy(p, unit.p, unit.len);
    return p;
}

static bool next_unit(enum frame frame, struct slice *in, struct slice *unit)
{
    long len = in->len ? first_unit(frame, *in, false) : 0;
    /* text between tags ends where the bytes end: it is no unit to compare */
    if (in->len && in->len < 600 && (frame != FRAME_TAG || in->p[0] == '<'))
        REQUIRE(first_unit(frame, *in, true) == len || len == -1);
    if (len <= 0)
        return false;
    *unit = slice_of(in->p, (size_t)len);
    *in = slice_of(in->p + len, in->len - (size_t)len);
    return true;
}

static void play_client(const struct starttls *protocol, struct slice in)
{
    struct slice unit;
    size_t at = 0;
    struct talk talk = {0};
    while (at < STEPS_MAX && protocol->steps[at].judge &&
           next_unit(protocol->frame, &in, &unit)) {
        uint8_t *copy = copy_of(unit);
        struct slice own = slice_of(copy, unit.len);
        enum verdict v = protocol->steps[at].judge(&talk, &protocol->steps[at], own);
        REQUIRE(v == VERDICT_MORE || v == VERDICT_GO || v == VERDICT_REFUSED ||
                v == VERDICT_GARBLED);
        if (v == VERDICT_REFUSED) {
            REQUIRE(talk.told.len == 0 ||
                    (talk.told.p >= own.p && talk.told.p + talk.told.len <= own.p + own.len));
        }
        free(copy);
        if (v == VERDICT_GO) {
            REQUIRE(!protocol->steps[at].must_offer || talk.offered ||
                    protocol->frame == FRAME_PACKET);
            at++;
            talk = (struct talk){0};
        }
        if (v == VERDICT_REFUSED || v == VERDICT_GARBLED)
            return;
    }
}

static void play_server(const struct server_script *script, struct slice in)
{
    struct slice unit, say = {0};
    char tag[33];
    bool end = false;
    while (!end && next_unit(script->frame, &in, &unit)) {
        uint8_t *copy = copy_of(unit);
        struct slice own = slice_of(copy, unit.len);
        if (script->serve) {
            enum verdict v = script->serve(own, &say, &end);
            REQUIRE(v != VERDICT_REFUSED || end);
            REQUIRE(v != VERDICT_GO || say.len);
        } else {
            const struct answer *a = starttls_answer(script, own, tag);
            REQUIRE(a && a->say && strlen(a->say) > 2);
            if (script->tagged)
                REQUIRE(memchr(tag, 0, sizeof tag) != NULL && tag[0]);
        }
        free(copy);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct feed f = {data, size};
    size_t count;
    uint8_t which = feed_u8(&f);
    const struct starttls *protocol = &starttls_table(&count)[0];
    protocol += (which & 0x7f) % count;
    const struct server_script *script = starttls_server_script(protocol->about.name);
    if (!(which & 0x80))
        play_client(protocol, slice_of(f.p, f.left));
    else if (script)
        play_server(script, slice_of(f.p, f.left));
    return 0;
}
