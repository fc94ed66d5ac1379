/* connection.c: a whole client or server (SERVER) that is given whatever bytes, in whatever pieces.
 * Input: 24 bits of setup (ends.h); 8 bits: most bytes at a time; 8 bits: if not 0 and nobody traces, which
 * allocation of each call fails; then the bytes. */
#include "ends.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct feed f = {data, size};
    static struct ends e;
    unsigned flags = feed_flags(&f);
    size_t chunk = feed_u8(&f);
    uint8_t starved = feed_u8(&f);
    e.hooked = e.recorded = 0;
    ends_open(&e, flags, flags);
    hf_conn *conn = SERVER ? e.server : e.client;
    struct buffer in = {0}, out = {0}, plain = {0};
    (void)end_move(conn, &out);
    if (f.left)
        REQUIRE(buffer_append(&in, f.p, f.left));
    end_starved = flags & SET_TRACE ? 0 : starved;
    hf_result r = end_feed(conn, &in, chunk, &plain);
    end_starved = 0;
    (void)end_move(conn, &out);
    end_poke(conn);
    if (r != HF_FAILED && r != HF_CLOSED) {
        r = hf_conn_receive_end(conn);
        REQUIRE(r == HF_FAILED);
        end_poke(conn);
    }
    (void)end_move(conn, &out);
    hf_conn_close(conn);
    (void)end_move(conn, &out);
    buffer_clear(&in);
    buffer_clear(&out);
    buffer_clear(&plain);
    ends_close(&e);
    return 0;
}
