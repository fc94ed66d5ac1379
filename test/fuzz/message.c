/* message.c: one kind of handshake message (KIND) with its extensions, as a peer would send it.
 *
 * Input: 16 bits: extensions that are taken to have been asked for (bit 14 stands for all from there on),
 * the top bit says whether extensions are judged by their place at all; 8 bits: odd for a hash of 48
 * bytes (Finished), or for a raw public key (Certificate), what else the messages of TLS 1.2 depend on; then the message without its header.
 * OLD: 1 for the message of that name in TLS 1.2 and older, 2 for the hello of SSL 2.0. */
#include "fuzz.h"

#include <string.h>

#include "extension/extension.h"
#include "message/message.h"

#ifndef OLD
#define OLD 0
#endif
enum { HEADER = OLD == 2 ? 0 : MSG_HEADER };

struct outcome {
    bool ok;
    struct ske_shape shape;
    struct server_key_exchange ske;
    struct client_key_exchange cke;
    struct certificate_request12 request;
    struct v2_client_hello v2;
    hf_error err;
    struct client_hello ch;
    struct server_hello sh;
    struct ext_values v;
};

static bool read_block(struct nego *n, struct rd *block, unsigned in, struct outcome *o)
{
    return ext_read(n, block, in, &o->v);
}

static bool read_list(struct nego *n, struct rd *r, bool raw, struct outcome *o)
{
    struct certificate_list list;
    bool ok = raw ? msg_read_raw_key(r, &list) : msg_read_certificate(r, &list);
    REQUIRE(!raw || list.count <= 1);
    for (size_t i = 0; ok && i < list.count; i++) {
        REQUIRE(list.entry[i].data.len > 0);
        ok = read_block(n, &list.entry[i].extensions, IN_CT, o);
    }
    return ok;
}

static bool read_old_list(struct rd *r, bool raw)
{
    struct certificate_list list;
    bool ok = raw ? msg_read_raw_key12(r, &list) : msg_read_certificate12(r, &list);
    for (size_t i = 0; ok && i < list.count; i++)
        REQUIRE(list.entry[i].data.len > 0);
    return ok;
}

static struct ske_shape shape_of(uint8_t choices)
{
    return (struct ske_shape){.hint = choices & 1,
                              .ecdh = choices & 2,
                              .dh = choices & 4,
                              .algorithm = choices & 8,
                              .signature = choices & 16};
}

static bool read_old(struct nego *n, struct rd *r, uint8_t choices, struct outcome *o)
{
    struct certificate_verify cv;
    struct new_session_ticket12 t;
    struct slice response;
    bool odd = choices & 1;
    if (OLD == 2)
        return msg_read_v2_client_hello(r, &o->v2);
    switch ((unsigned)KIND) {
    case MSG_SERVER_HELLO:
        return msg_read_server_hello(r, &o->sh) && read_block(n, &o->sh.extensions, IN_SH12, o);
    case MSG_SERVER_KEY_EXCHANGE:
        o->shape = shape_of(choices);
        return msg_read_server_key_exchange(r, &o->shape, &o->ske);
    case MSG_CLIENT_KEY_EXCHANGE:
        return msg_read_client_key_exchange(r, odd, (enum cke_kind)(choices >> 1 & 3), &o->cke);
    case MSG_CERTIFICATE_REQUEST: return msg_read_certificate_request12(r, odd, &o->request);
    case MSG_CERTIFICATE: return read_old_list(r, odd);
    case MSG_CERTIFICATE_VERIFY: return msg_read_certificate_verify12(r, odd, &cv);
    case MSG_CERTIFICATE_STATUS: return msg_read_certificate_status(r, &response);
    default: return msg_read_new_session_ticket12(r, &t);
    }
}

static bool read_kind(struct nego *n, struct rd *r, uint8_t choices, struct outcome *o)
{
    size_t hash_len = choices & 1 ? 48 : 32;
    struct rd extensions;
    struct certificate_request cr;
    struct certificate_verify cv;
    struct compressed_certificate packed;
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
    case MSG_CERTIFICATE: return read_list(n, r, choices & 1, o);
    case MSG_COMPRESSED_CERTIFICATE: return msg_read_compressed_certificate(r, &packed);
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
    n.sent = asked & 0x4000 ? asked | ~0x7fffu : asked & 0x7fffu;
    m.trace = tiling ? leaf : NULL;
    m.trace_arg = tiling;
    struct rd r = rd_start(&m, whole, len, HEADER);
    struct nego *judge = asked & 0x8000 ? &n : NULL;
    o->ok = OLD ? read_old(judge, &r, choices, o) : read_kind(judge, &r, choices, o);
    nego_clear(&n);
}

static void check_error(const hf_error *err, size_t len)
{
    const char *name = msg_name(KIND);
    REQUIRE(err->code != HF_OK && err->detail[0]);
    REQUIRE(strncmp(err->path, name, strlen(name)) == 0);
    REQUIRE(err->offset + 1 > HEADER && err->offset <= len);
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

/* The same for the bodies of TLS 1.2; a V2 hello becomes a ClientHello that can be read. */
static void check_old_written(const struct outcome *o, uint8_t choices, struct slice body)
{
    struct buffer b = {0};
    struct wr w;
    struct client_hello ch;
    wr_start(&w, &b);
    if (OLD == 2) {
        msg_write_v2_as_client_hello(&w, &o->v2);
        struct rd_msg m = {.name = "ClientHello"};
        struct rd r = rd_start(&m, buffer_front(&b), buffer_len(&b), MSG_HEADER);
        /* One of none but SSL 2.0's suites offers nothing. */
        bool some = msg_read_client_hello(&r, &ch);
        REQUIRE(!some || ch.suites.len <= o->v2.specs.len / 3 * 2);
        buffer_clear(&b);
        return;
    }
    if (KIND == MSG_SERVER_KEY_EXCHANGE) {
        msg_write_server_params(&w, &o->shape, &o->ske);
        body = o->ske.params;
        if (o->shape.ecdh && o->shape.dh)
            wr_start(&w, &b); /* no suite has both: one share was read over the other */
    } else if (KIND == MSG_CLIENT_KEY_EXCHANGE) {
        msg_write_client_key_exchange(&w, choices & 1, (enum cke_kind)(choices >> 1 & 3),
                                      &o->cke);
    } else {
        msg_write_certificate_request12(&w, choices & 1, &o->request);
    }
    REQUIRE(wr_ok(&w));
    if (!(o->shape.ecdh && o->shape.dh))
        REQUIRE(slice_equal(slice_of(buffer_front(&b), buffer_len(&b)), body));
    buffer_clear(&b);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct feed f = {data, size};
    uint16_t asked = feed_u16(&f);
    uint8_t choices = feed_u8(&f);
    size_t len = HEADER + f.left;
    if (len > 70000)
        return 0;
    uint8_t *whole = malloc(len ? len : 1);
    REQUIRE(whole != NULL);
    if (OLD != 2) {
        whole[0] = KIND == MSG_HELLO_RETRY_REQUEST ? MSG_SERVER_HELLO : KIND;
        whole[1] = (uint8_t)(f.left >> 16);
        whole[2] = (uint8_t)(f.left >> 8);
        whole[3] = (uint8_t)f.left;
    }
    if (f.left)
        memcpy(whole + HEADER, f.p, f.left);

    static struct outcome quiet, traced;
    struct tiling tiling;
    read_message(whole, len, asked, choices, NULL, &quiet);
    tiling_start(&tiling, len);
    if (HEADER)
        tiling_leaf(&tiling, 0, HEADER);
    read_message(whole, len, asked, choices, &tiling, &traced);
    tiling_end(&tiling, traced.ok);
    /* Being watched changes nothing. */
    REQUIRE(quiet.ok == traced.ok);
    REQUIRE(memcmp(&quiet.err, &traced.err, sizeof quiet.err) == 0);
    if (!quiet.ok)
        check_error(&quiet.err, len);
    else if (OLD == 2)
        check_old_written(&quiet, choices, slice_of(whole, len));
    else if (KIND == MSG_CLIENT_HELLO || KIND == MSG_SERVER_HELLO ||
             KIND == MSG_HELLO_RETRY_REQUEST)
        check_written(&quiet, whole, len);
    else if (KIND == MSG_SERVER_KEY_EXCHANGE || KIND == MSG_CLIENT_KEY_EXCHANGE ||
             (OLD && KIND == MSG_CERTIFICATE_REQUEST))
        check_old_written(&quiet, choices, slice_of(whole + HEADER, len - HEADER));
    free(whole);
    return 0;
}
