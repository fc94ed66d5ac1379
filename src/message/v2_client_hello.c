/* v2_client_hello.c: the ClientHello of SSL 2.0, in which old clients offer TLS (RFC 5246 E.2). */
#include "bytes/names.h"
#include "message/message.h"

enum { SPEC = 3, MAX_SESSION_ID = 32, MIN_CHALLENGE = 16 };

static void check_lengths(struct rd *r, unsigned specs, unsigned session_id, unsigned challenge)
{
    if (specs == 0 || specs % SPEC != 0)
        rd_bad(r, HF_E_DECODE, "cipher_spec_length is %u, not a multiple of 3 above 0", specs);
    if (session_id > MAX_SESSION_ID)
        rd_bad(r, HF_E_DECODE, "session_id_length is %u, at most %d are possible", session_id,
               MAX_SESSION_ID);
    /* "Historically, permissible values are between 16 and 32 bytes inclusive." */
    if (challenge < MIN_CHALLENGE || challenge > RANDOM_SIZE)
        rd_bad(r, HF_E_DECODE, "challenge_length is %u, not in %d..%d", challenge,
               MIN_CHALLENGE, RANDOM_SIZE);
}

/* uint8 V2CipherSpec[3];
 * struct {
 *     uint16 msg_length;                                         not part of what is read here
 *     uint8 msg_type;
 *     Version version;
 *     uint16 cipher_spec_length;
 *     uint16 session_id_length;
 *     uint16 challenge_length;
 *     V2CipherSpec cipher_specs[V2ClientHello.cipher_spec_length];
 *     opaque session_id[V2ClientHello.session_id_length];
 *     opaque challenge[V2ClientHello.challenge_length];
 * } V2ClientHello;                                                           RFC 5246 E.2 */
bool msg_read_v2_client_hello(struct rd *r, struct v2_client_hello *out)
{
    *out = (struct v2_client_hello){0};
    uint8_t type = rd_enum8(r, "msg_type", name_message);
    if (rd_ok(r) && type != MSG_CLIENT_HELLO)
        rd_bad(r, HF_E_DECODE, "msg_type is %u, not client_hello(1)", type);
    out->version = rd_enum16(r, "version", name_version);
    uint16_t specs = rd_u16(r, "cipher_spec_length");
    uint16_t session_id = rd_u16(r, "session_id_length");
    uint16_t challenge = rd_u16(r, "challenge_length");
    if (rd_ok(r))
        check_lengths(r, specs, session_id, challenge);
    struct rd list = rd_group(r, "cipher_specs", specs);
    out->specs = slice_of(list.p, rd_left(&list));
    while (rd_more(&list))
        rd_u24(&list, "cipher_spec");
    if (session_id > 0)
        out->session_id = rd_bytes(r, "session_id", session_id);
    out->challenge = rd_bytes(r, "challenge", challenge);
    return rd_end(r);
}

/* A suite of TLS has a first byte of zero; all others are SSL 2.0's own. */
static void write_suites(struct wr *w, struct slice specs)
{
    size_t list = wr_open(w, 2);
    for (size_t i = 0; i + SPEC <= specs.len; i += SPEC) {
        if (specs.p[i] == 0)
            wr_bytes(w, specs.p + i + 1, 2);
    }
    wr_close(w, list, 2);
}

void msg_write_v2_as_client_hello(struct wr *w, const struct v2_client_hello *v2)
{
    static const uint8_t zeros[RANDOM_SIZE], null_compression;
    size_t mark = msg_begin(w, MSG_CLIENT_HELLO);
    wr_u16(w, v2->version);
    wr_bytes(w, zeros, RANDOM_SIZE - v2->challenge.len);
    wr_slice(w, v2->challenge);
    wr_opaque8(w, v2->session_id);
    write_suites(w, v2->specs);
    wr_opaque8(w, slice_of(&null_compression, 1));
    msg_finish(w, mark);
}
