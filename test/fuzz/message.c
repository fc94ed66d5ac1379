/* message.c: one kind of handshake message (KIND) with its extensions, as a peer would send it.
 *
 * Input: 16 bits: extensions that are taken to have been asked for, the top bit says whether
 * extensions are judged by their place at all; 8 bits: odd for a hash of 48 bytes (Finished); then the
 * message without its header. */
#include "fuzz.h"

#include <string.h>

#include "extension/extension.h"
#include "message/message.h"

struct outcome {
    bool ok;
    hf_error err;
    struct client_hello ch;
    struct server_hello sh;
    struct ext_values v;
};

static bool read_block(struct nego *n, struct rd *block, unsigned in, struct outcome *o)
{
    return ext_read(n, block, in, &o->v);
}

static bool read_list(struct nego *n, struct rd *r, struct outcome *o)
{
    struct certificate_list list;
    bool ok = msg_read_certificate(r, &list);
    for (size_t i = 0; ok && i < list.count; i++) {
        REQUIRE(list.entry[i].data.len > 0);
        ok = read_block(n, &list.entry[i].extensions, IN_CT, o);
    }
    return ok;
}

static bool read_kind(struct nego *n, struct rd *r, size_t hash_len, struct outcome *o)
{
    struct rd extensions;
    struct certificate_request cr;
    struct certificate_verify cv;
    struct new_session_ticket t;
    struct slice verify_data;
    bool request;
    switch ((unsigned)KIND) {
    case MSG_CLIENT_HELLO:
        return msg_read_client_hello(r, &o->ch) && read_block(n, &o->ch.extensions, IN_CH, o);
    case MSG_SERVER_HELLO:
        return msg_read_server_hello(r, &o->sh) && read_block(n, &o->sh.extensions, IN_SH, o);
    case MSG_HELLO_RETRY_REQUEST:
        return msg_read_server_hello(r, &o->sh) && read_block(n, &o->sh.extensions, IN_HRR, o);
    case MSG_ENCRYPTED_EXTENSIONS:
        return msg_read_encrypted_extensions(r, &extensions) &&
               read_block(n, &extensions, IN_EE, o);
    case MSG_CERTIFICATE_REQUEST:
        return msg_read_certificate_request(r, &cr) && read_block(n, &cr.extensions, IN_CR, o);
    case MSG_CERTIFICATE: return read_list(n, r, o);
    case MSG_CERTIFICATE_VERIFY: return msg_read_certificate_verify(r, &cv);
    case MSG_FINISHED:
        return msg_read_finished(r, hash_len, &verify_data) && verify_data.len == hash_len;
    case MSG_NEW_SESSION_TICKET:
        return msg_read_new_session_ticket(r, &t) && read_block(n, &t.extensions, IN_NST, o);
    default: return msg_read_key_update(r, &request);
    }
}

static void leaf(void *arg, const hf_trace_event *e)
{
    REQUIRE(e->name && e->name[0]);
    if (e->kind == HF_TRACE_FIELD)
        tiling_leaf(arg, e->offset, e->size);
}

static void read_message(const uint8_t *whole, size_t len, uint16_t asked, uint8_t choices,
                         struct tiling *tiling, struct outcome *o)
{
    struct rd_msg m = {.name = msg_name(KIND), .rfc = msg_rfc(KIND)};
    struct nego n = {0};
    memset(o, 0, sizeof *o);
    n.err = m.err = &o->err;
    n.sent = asked & 0x7fff;
    m.trace = tiling ? leaf : NULL;
    m.trace_arg = tiling;
    struct rd r = rd_start(&m, whole, len, MSG_HEADER);
    o->ok = read_kind(asked & 0x8000 ? &n : NULL, &r, choices & 1 ? 48 : 32, o);
    nego_clear(&n);
}

static void check_error(const hf_error *err, size_t len)
{
    const char *name = msg_name(KIND);
    REQUIRE(err->code != HF_OK && err->detail[0]);
    REQUIRE(strncmp(err->path, name, strlen(name)) == 0);
    REQUIRE(err->offset >= MSG_HEADER && err->offset <= len);
    REQUIRE(err->alert != HF_NO_ALERT);
}

/* What the writers make of what was read is what was there. */
static void check_written(const struct outcome *o, const uint8_t *whole, size_t len)
{
    struct buffer b = {0};
    struct wr w;
    bool client = KIND == MSG_CLIENT_HELLO;
    wr_start(&w, &b);
    size_t mark = msg_begin(&w, whole[0]);
    if (client)
        msg_write_client_hello(&w, &o->ch);
    else
        msg_write_server_hello(&w, &o->sh);
    size_t block = wr_at(&w);
    if (client ? o->ch.has_extensions : o->sh.has_extensions)
        wr_opaque16(&w, slice_of(whole + block + 2, len - block - 2));
    msg_finish(&w, mark);
    REQUIRE(wr_ok(&w) &&
            slice_equal(slice_of(buffer_front(&b), buffer_len(&b)), slice_of(whole, len)));
    buffer_clear(&b);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct feed f = {data, size};
    uint16_t asked = feed_u16(&f);
    uint8_t choices = feed_u8(&f);
    size_t len = MSG_HEADER + f.left;
    if (len > 70000)
        return 0;
    uint8_t *whole = malloc(len);
    REQUIRE(whole != NULL);
    whole[0] = KIND == MSG_HELLO_RETRY_REQUEST ? MSG_SERVER_HELLO : KIND;
    whole[1] = (uint8_t)(f.left >> 16);
    whole[2] = (uint8_t)(f.left >> 8);
    whole[3] = (uint8_t)f.left;
    if (f.left)
        memcpy(whole + MSG_HEADER, f.p, f.left);

    static struct outcome quiet, traced;
    struct tiling tiling;
    read_message(whole, len, asked, choices, NULL, &quiet);
    tiling_start(&tiling, len);
    tiling_leaf(&tiling, 0, MSG_HEADER);
    read_message(whole, len, asked, choices, &tiling, &traced);
    tiling_end(&tiling, traced.ok);
    /* Being watched changes nothing. */
    REQUIRE(quiet.ok == traced.ok);
    REQUIRE(memcmp(&quiet.err, &traced.err, sizeof quiet.err) == 0);
    if (!quiet.ok)
        check_error(&quiet.err, len);
    else if (KIND == MSG_CLIENT_HELLO || KIND == MSG_SERVER_HELLO ||
             KIND == MSG_HELLO_RETRY_REQUEST)
        check_written(&quiet, whole, len);
    free(whole);
    return 0;
}
