/* test_message12.c: the messages of TLS 1.2 and older, read, written, cut short and corrupted. */
#include "message/message.h"

#include <stdlib.h>

#include "bytes/names.h"
#include "check.h"

static uint8_t noise[256]; /* no byte of it is a length that fits */

static const struct ske_shape ecdhe12 = {.ecdh = true, .algorithm = true, .signature = true};
static const struct ske_shape ecdhe10 = {.ecdh = true, .signature = true};
static const struct ske_shape dhe12 = {.dh = true, .algorithm = true, .signature = true};
static const struct ske_shape dhe10 = {.dh = true, .signature = true};
static const struct ske_shape anonymous = {.dh = true};
static const struct ske_shape psk = {.hint = true};
static const struct ske_shape ecdhe_psk = {.hint = true, .ecdh = true};
static const struct ske_shape dhe_psk = {.hint = true, .dh = true};

static const struct cke_shape {
    bool psk;
    enum cke_kind kind;
} rsa = {false, CKE_RSA}, dh = {false, CKE_DH}, ecdh = {false, CKE_ECDH},
  only_psk = {true, CKE_NONE}, psk_dh = {true, CKE_DH}, psk_ecdh = {true, CKE_ECDH};

static const bool tls12 = true, tls11 = false;

/* ---- writing: a message as our side or an honest peer makes it */

static void write_nothing(struct wr *w, const void *shape)
{
    (void)w;
    (void)shape;
}

static void write_chain(struct wr *w, const void *shape)
{
    const size_t *certificates = shape;
    size_t list = wr_open(w, 3);
    for (size_t i = 0; i < *certificates; i++)
        wr_opaque24(w, slice_of(noise, 40 + i));
    wr_close(w, list, 3);
}

static void write_status(struct wr *w, const void *shape)
{
    (void)shape;
    wr_u8(w, 1);
    wr_opaque24(w, slice_of(noise, 77));
}

static const struct server_key_exchange ske = {
    .hint = {(const uint8_t *)"hint", 4},
    .group = 0x001d,
    .p = {noise + 3, 64},
    .g = {noise + 9, 1},
    .share = {noise + 1, 65},
};

static void write_ske(struct wr *w, const void *shape)
{
    const struct ske_shape *s = shape;
    msg_write_server_params(w, s, &ske);
    if (s->algorithm)
        wr_u16(w, 0x0403);
    if (s->signature)
        wr_opaque16(w, slice_of(noise + 2, 71));
}

static const struct client_key_exchange cke = {{(const uint8_t *)"identity", 8}, {noise, 99}};

static void write_cke(struct wr *w, const void *shape)
{
    const struct cke_shape *s = shape;
    msg_write_client_key_exchange(w, s->psk, s->kind, &cke);
}

static const struct certificate_request12 request = {
    .types = {(const uint8_t *)"\1\100", 2},
    .sigalgs = {(const uint8_t *)"\4\3\10\4\2\1", 6},
    .authorities = {(const uint8_t *)"\0\3abc\0\1x", 8},
};

static void write_request(struct wr *w, const void *shape)
{
    msg_write_certificate_request12(w, *(const bool *)shape, &request);
}

static void write_verify(struct wr *w, const void *shape)
{
    if (*(const bool *)shape)
        wr_u16(w, 0x0401);
    wr_opaque16(w, slice_of(noise, 90));
}

static void write_ticket(struct wr *w, const void *shape)
{
    const size_t *len = shape;
    wr_u32(w, 300);
    wr_opaque16(w, slice_of(noise, *len));
}

/* ---- reading */

static bool read_nothing(struct rd *r, const void *shape)
{
    (void)shape;
    return msg_read_nothing(r);
}

static bool read_chain(struct rd *r, const void *shape)
{
    struct certificate_list list;
    bool ok = msg_read_certificate12(r, &list);
    (void)shape;
    for (size_t i = 0; ok && i < list.count; i++)
        CHECK(list.entry[i].data.len > 0);
    return ok;
}

static bool read_status(struct rd *r, const void *shape)
{
    struct slice response;
    (void)shape;
    return msg_read_certificate_status(r, &response);
}

static bool read_ske(struct rd *r, const void *shape)
{
    struct server_key_exchange out;
    return msg_read_server_key_exchange(r, shape, &out);
}

static bool read_cke(struct rd *r, const void *shape)
{
    const struct cke_shape *s = shape;
    struct client_key_exchange out;
    return msg_read_client_key_exchange(r, s->psk, s->kind, &out);
}

static bool read_request(struct rd *r, const void *shape)
{
    struct certificate_request12 out;
    return msg_read_certificate_request12(r, *(const bool *)shape, &out);
}

static bool read_verify(struct rd *r, const void *shape)
{
    struct certificate_verify out;
    return msg_read_certificate_verify12(r, *(const bool *)shape, &out);
}

static bool read_ticket(struct rd *r, const void *shape)
{
    struct new_session_ticket12 out;
    (void)shape;
    return msg_read_new_session_ticket12(r, &out);
}

static bool read_v2(struct rd *r, const void *shape)
{
    struct v2_client_hello out;
    (void)shape;
    return msg_read_v2_client_hello(r, &out);
}

struct v2_shape {
    size_t session_id, challenge;
};

/* Three suites, the second one of SSL 2.0. It has no handshake header: msg_type is its first field. */
static void write_v2(struct wr *w, const void *shape)
{
    const struct v2_shape *s = shape;
    wr_u8(w, 1);
    wr_u16(w, 0x0301);
    wr_u16(w, 9);
    wr_u16(w, (uint16_t)s->session_id);
    wr_u16(w, (uint16_t)s->challenge);
    wr_bytes(w, "\0\0\x2f\7\0\xc0\0\xc0\x13", 9);
    wr_bytes(w, noise, s->session_id);
    wr_bytes(w, noise + 7, s->challenge);
}

/* ---- samples */

static const size_t none = 0, three = 3, ticket_size = 160;
static const struct v2_shape v2_old = {16, 16}, v2_tls = {0, 32}, v2_middle = {0, 23};

static const struct sample {
    uint8_t type;
    void (*write)(struct wr *w, const void *shape);
    bool (*read)(struct rd *r, const void *shape);
    const void *shape;
} samples[] = {
    {MSG_HELLO_REQUEST, write_nothing, read_nothing, NULL},
    {MSG_SERVER_HELLO_DONE, write_nothing, read_nothing, NULL},
    {MSG_CERTIFICATE, write_chain, read_chain, &three},
    {MSG_CERTIFICATE, write_chain, read_chain, &none},
    {MSG_CERTIFICATE_STATUS, write_status, read_status, NULL},
    {MSG_SERVER_KEY_EXCHANGE, write_ske, read_ske, &ecdhe12},
    {MSG_SERVER_KEY_EXCHANGE, write_ske, read_ske, &ecdhe10},
    {MSG_SERVER_KEY_EXCHANGE, write_ske, read_ske, &dhe12},
    {MSG_SERVER_KEY_EXCHANGE, write_ske, read_ske, &dhe10},
    {MSG_SERVER_KEY_EXCHANGE, write_ske, read_ske, &anonymous},
    {MSG_SERVER_KEY_EXCHANGE, write_ske, read_ske, &psk},
    {MSG_SERVER_KEY_EXCHANGE, write_ske, read_ske, &ecdhe_psk},
    {MSG_SERVER_KEY_EXCHANGE, write_ske, read_ske, &dhe_psk},
    {MSG_CLIENT_KEY_EXCHANGE, write_cke, read_cke, &rsa},
    {MSG_CLIENT_KEY_EXCHANGE, write_cke, read_cke, &dh},
    {MSG_CLIENT_KEY_EXCHANGE, write_cke, read_cke, &ecdh},
    {MSG_CLIENT_KEY_EXCHANGE, write_cke, read_cke, &only_psk},
    {MSG_CLIENT_KEY_EXCHANGE, write_cke, read_cke, &psk_dh},
    {MSG_CLIENT_KEY_EXCHANGE, write_cke, read_cke, &psk_ecdh},
    {MSG_CERTIFICATE_REQUEST, write_request, read_request, &tls12},
    {MSG_CERTIFICATE_REQUEST, write_request, read_request, &tls11},
    {MSG_CERTIFICATE_VERIFY, write_verify, read_verify, &tls12},
    {MSG_CERTIFICATE_VERIFY, write_verify, read_verify, &tls11},
    {MSG_NEW_SESSION_TICKET, write_ticket, read_ticket, &ticket_size},
    {MSG_NEW_SESSION_TICKET, write_ticket, read_ticket, &none},
    {MSG_CLIENT_HELLO, write_v2, read_v2, &v2_old},
    {MSG_CLIENT_HELLO, write_v2, read_v2, &v2_tls},
    {MSG_CLIENT_HELLO, write_v2, read_v2, &v2_middle},
};
#define SAMPLES (sizeof samples / sizeof *samples)

static bool is_v2(const struct sample *s)
{
    return s->read == read_v2;
}

static size_t header_of(const struct sample *s)
{
    return is_v2(s) ? 0 : MSG_HEADER;
}

static void write_sample(struct buffer *b, const struct sample *s)
{
    struct wr w;
    size_t mark = 0;
    buffer_clear(b);
    wr_start(&w, b);
    if (!is_v2(s))
        mark = msg_begin(&w, s->type);
    s->write(&w, s->shape);
    if (!is_v2(s))
        msg_finish(&w, mark);
    CHECK(wr_ok(&w));
}

/* ---- reading whole messages, with the trace on */

#define MAX_LENGTHS 16

struct coverage {
    const uint8_t *start;
    size_t len;
    uint8_t *count;
    size_t lengths;
    struct {
        size_t offset, size;
    } length[MAX_LENGTHS]; /* the fields that are lengths of others */
};

static bool is_length(const char *name)
{
    size_t n = strlen(name);
    return n > 7 &&
           (strcmp(name + n - 7, " length") == 0 || strcmp(name + n - 7, "_length") == 0);
}

static void cover(void *arg, const hf_trace_event *e)
{
    struct coverage *c = arg;
    CHECK(e->bytes == c->start + e->offset);
    CHECK(e->offset + e->size <= c->len);
    CHECK(e->name && e->name[0] && e->rfc);
    if (e->kind != HF_TRACE_FIELD)
        return;
    CHECK(e->size > 0);
    for (size_t i = 0; i < e->size; i++)
        c->count[e->offset + i]++;
    if (is_length(e->name) && c->lengths < MAX_LENGTHS) {
        c->length[c->lengths].offset = e->offset;
        c->length[c->lengths++].size = e->size;
    }
}

/* Reads from a block of exactly the message's size, so that ASan sees every byte too many; a message
 * that parses must be covered byte by byte, one that does not must say why. */
static bool read_message(const uint8_t *bytes, size_t len, const struct sample *s,
                         struct coverage *c, hf_error *err)
{
    uint8_t *copy = malloc(len + 1), *end = copy + 1;
    const char *name = msg_name(s->type);
    *c = (struct coverage){end, len, calloc(1, len + 1), 0, {{0, 0}}};
    *err = (hf_error){0};
    memcpy(end, bytes, len);
    struct rd_msg m = {
        .name = name, .err = err, .rfc = msg_rfc12(s->type), .trace = cover, .trace_arg = c};
    struct rd r = rd_start(&m, end, len, header_of(s));
    bool ok = s->read(&r, s->shape);
    CHECK_INT(ok, err->code == HF_OK);
    for (size_t i = header_of(s); ok && i < len; i++)
        CHECK_INT(c->count[i], 1);
    if (!ok) {
        CHECK(err->path[0] && err->detail[0] && err->rfc[0]);
        CHECK(err->offset <= len);
        CHECK(strncmp(err->path, name, strlen(name)) == 0);
    }
    free(copy);
    free(c->count);
    return ok;
}

static void test_round_trip(void)
{
    struct buffer b = {0};
    struct coverage c;
    hf_error err;
    for (size_t i = 0; i < SAMPLES; i++) {
        const struct sample *s = &samples[i];
        write_sample(&b, s);
        CHECK(read_message(b.p, b.end, s, &c, &err));
        CHECK(b.end <= msg_max_size12(s->type));
        if (!is_v2(s)) {
            CHECK_INT(b.p[0], s->type);
            CHECK_INT(b.p[1] << 16 | b.p[2] << 8 | b.p[3], b.end - MSG_HEADER);
        }
    }
    buffer_clear(&b);
}

static void test_every_truncation(void)
{
    struct buffer b = {0};
    struct coverage c;
    hf_error err;
    for (size_t i = 0; i < SAMPLES; i++) {
        const struct sample *s = &samples[i];
        write_sample(&b, s);
        for (size_t len = header_of(s); len < b.end; len++) {
            CHECK(!read_message(b.p, len, s, &c, &err));
            CHECK_INT(err.alert, 50);
        }
    }
    buffer_clear(&b);
}

static void test_trailing_byte(void)
{
    struct buffer b = {0};
    struct coverage c;
    hf_error err;
    for (size_t i = 0; i < SAMPLES; i++) {
        write_sample(&b, &samples[i]);
        CHECK(buffer_append(&b, "\0", 1));
        CHECK(!read_message(b.p, b.end, &samples[i], &c, &err));
        CHECK_INT(err.code, HF_E_TRAILING_DATA);
        CHECK_INT(err.alert, 50);
    }
    buffer_clear(&b);
}

/* One length that is wrong is not made good by the rest (unless it swallows whole items of a list). */
static void check_length(struct buffer *b, const struct sample *s, size_t offset, size_t size)
{
    static const int wrong[] = {-3, -2, -1, 1, 2, 255};
    struct coverage c;
    hf_error err;
    uint8_t *low = b->p + offset + size - 1, was = *low;
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        *low = (uint8_t)(wrong[i] == 255 ? 255 : was + wrong[i]);
        CHECK(!read_message(b->p, b->end, s, &c, &err));
    }
    *low = was;
    for (size_t i = 1; i < size; i++) {
        low[-(long)i] = 1;
        CHECK(!read_message(b->p, b->end, s, &c, &err));
        low[-(long)i] = 0;
    }
}

static void test_every_length(void)
{
    struct buffer b = {0};
    struct coverage good;
    hf_error err;
    size_t lengths = 0;
    for (size_t i = 0; i < SAMPLES; i++) {
        write_sample(&b, &samples[i]);
        CHECK(read_message(b.p, b.end, &samples[i], &good, &err));
        for (size_t j = 0; j < good.lengths; j++)
            check_length(&b, &samples[i], good.length[j].offset, good.length[j].size);
        lengths += good.lengths;
    }
    CHECK(lengths > 50);
    buffer_clear(&b);
}

static void test_every_corruption(void)
{
    struct buffer b = {0};
    struct coverage c;
    hf_error err;
    unsigned long parsed = 0, refused = 0;
    for (size_t i = 0; i < SAMPLES; i++) {
        write_sample(&b, &samples[i]);
        for (size_t at = header_of(&samples[i]); at < b.end; at++) {
            uint8_t was = b.p[at];
            for (unsigned v = 0; v < 256; v += 3) {
                b.p[at] = (uint8_t)v;
                if (read_message(b.p, b.end, &samples[i], &c, &err))
                    parsed++;
                else
                    refused++;
            }
            b.p[at] = was;
        }
    }
    printf("     %lu corruptions parse, %lu are refused\n", parsed, refused);
    CHECK(parsed > 0 && refused > 0);
    buffer_clear(&b);
}

/* ---- what the structs hold */

/* Opens a message that stands in b; both stay with the caller. */
static struct rd start(struct rd_msg *m, hf_error *err, const struct buffer *b, size_t header)
{
    *err = (hf_error){0};
    *m = (struct rd_msg){.name = "M", .err = err};
    return rd_start(m, b->p, b->end, header);
}

static void begin(struct buffer *b, struct wr *w)
{
    buffer_clear(b);
    wr_start(w, b);
    wr_bytes(w, "\0\0\0\0", MSG_HEADER);
}

static void test_server_key_exchange(void)
{
    static const struct ske_shape *const shapes[] = {
        &ecdhe12, &ecdhe10, &dhe12, &dhe10, &anonymous, &psk, &ecdhe_psk, &dhe_psk};
    for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++) {
        const struct ske_shape *s = shapes[i];
        struct buffer b = {0};
        struct wr w;
        struct rd_msg m;
        hf_error err;
        struct server_key_exchange out;
        begin(&b, &w);
        msg_write_server_params(&w, s, &ske);
        size_t params = b.end - MSG_HEADER;
        begin(&b, &w);
        write_ske(&w, s);
        struct rd r = start(&m, &err, &b, MSG_HEADER);
        CHECK(msg_read_server_key_exchange(&r, s, &out));
        CHECK(slice_equal(out.hint, s->hint ? ske.hint : (struct slice){0}));
        CHECK_INT(out.group, s->ecdh ? ske.group : 0);
        CHECK(slice_equal(out.p, s->dh ? ske.p : (struct slice){0}));
        CHECK(slice_equal(out.g, s->dh ? ske.g : (struct slice){0}));
        CHECK(slice_equal(out.share, s->ecdh || s->dh ? ske.share : (struct slice){0}));
        CHECK(out.params.p == b.p + MSG_HEADER && out.params.len == params);
        CHECK_INT(out.algorithm, s->algorithm ? 0x0403 : 0);
        CHECK_INT(out.signature.len, s->signature ? 71 : 0);
        buffer_clear(&b);
    }
}

static void test_client_key_exchange(void)
{
    struct buffer b = {0};
    struct wr w;
    struct rd_msg m;
    hf_error err;
    struct client_key_exchange out;
    begin(&b, &w);
    write_cke(&w, &psk_ecdh);
    struct rd r = start(&m, &err, &b, MSG_HEADER);
    CHECK(msg_read_client_key_exchange(&r, true, CKE_ECDH, &out));
    CHECK(slice_equal(out.identity, cke.identity) && slice_equal(out.exchange, cke.exchange));
    begin(&b, &w);
    write_cke(&w, &rsa);
    r = start(&m, &err, &b, MSG_HEADER);
    CHECK(msg_read_client_key_exchange(&r, false, CKE_RSA, &out));
    CHECK(!out.identity.len && slice_equal(out.exchange, cke.exchange));
    /* An empty ciphertext is refused where it is decrypted, an empty public value here. */
    begin(&b, &w);
    wr_u16(&w, 0);
    r = start(&m, &err, &b, MSG_HEADER);
    CHECK(msg_read_client_key_exchange(&r, false, CKE_RSA, &out) && out.exchange.len == 0);
    r = start(&m, &err, &b, MSG_HEADER);
    CHECK(!msg_read_client_key_exchange(&r, false, CKE_DH, &out));
    CHECK_STR(err.path, "M.dh_Yc");
    CHECK_STR(err.detail, "length 0 is not in 1..65535");
    begin(&b, &w);
    wr_u8(&w, 0);
    r = start(&m, &err, &b, MSG_HEADER);
    CHECK(!msg_read_client_key_exchange(&r, false, CKE_ECDH, &out));
    CHECK_STR(err.path, "M.ecdh_Yc");
    CHECK_INT(err.code, HF_E_DECODE);
    CHECK_INT(err.alert, 50);
    buffer_clear(&b);
}

static void test_other_fields(void)
{
    struct buffer b = {0};
    struct wr w;
    struct rd_msg m;
    hf_error err;
    struct certificate_request12 cr;
    begin(&b, &w);
    write_request(&w, &tls12);
    struct rd r = start(&m, &err, &b, MSG_HEADER);
    CHECK(msg_read_certificate_request12(&r, true, &cr));
    CHECK(slice_equal(cr.types, request.types) && slice_equal(cr.sigalgs, request.sigalgs));
    CHECK(slice_equal(cr.authorities, request.authorities));
    begin(&b, &w);
    write_request(&w, &tls11);
    r = start(&m, &err, &b, MSG_HEADER);
    CHECK(msg_read_certificate_request12(&r, false, &cr) && cr.sigalgs.len == 0);
    CHECK(slice_equal(cr.authorities, request.authorities));
    struct certificate_verify cv;
    begin(&b, &w);
    write_verify(&w, &tls12);
    r = start(&m, &err, &b, MSG_HEADER);
    CHECK(msg_read_certificate_verify12(&r, true, &cv));
    CHECK(cv.algorithm == 0x0401 && slice_equal(cv.signature, slice_of(noise, 90)));
    struct new_session_ticket12 t;
    begin(&b, &w);
    write_ticket(&w, &ticket_size);
    r = start(&m, &err, &b, MSG_HEADER);
    CHECK(msg_read_new_session_ticket12(&r, &t));
    CHECK(t.lifetime == 300 && slice_equal(t.ticket, slice_of(noise, ticket_size)));
    struct slice response;
    begin(&b, &w);
    write_status(&w, NULL);
    r = start(&m, &err, &b, MSG_HEADER);
    CHECK(msg_read_certificate_status(&r, &response));
    CHECK(slice_equal(response, slice_of(noise, 77)));
    struct certificate_list list;
    begin(&b, &w);
    write_chain(&w, &three);
    r = start(&m, &err, &b, MSG_HEADER);
    CHECK(msg_read_certificate12(&r, &list) && list.count == 3 && list.context.len == 0);
    CHECK(slice_equal(list.entry[2].data, slice_of(noise, 42)));
    buffer_clear(&b);
}

/* The V2 hello of RFC 5246 E.2 and the ClientHello that it stands for. */
static void check_v2(const struct v2_shape *shape)
{
    static const uint8_t zeros[RANDOM_SIZE];
    struct buffer b = {0}, as_tls = {0};
    struct wr w;
    struct rd_msg m;
    hf_error err;
    struct v2_client_hello v2;
    struct client_hello ch;
    wr_start(&w, &b);
    write_v2(&w, shape);
    struct rd r = start(&m, &err, &b, 0);
    CHECK(msg_read_v2_client_hello(&r, &v2));
    CHECK(v2.version == 0x0301 && v2.specs.len == 9);
    CHECK(slice_equal(v2.session_id, slice_of(noise, shape->session_id)));
    CHECK(slice_equal(v2.challenge, slice_of(noise + 7, shape->challenge)));
    wr_start(&w, &as_tls);
    msg_write_v2_as_client_hello(&w, &v2);
    CHECK(wr_ok(&w));
    CHECK_INT(as_tls.p[0], MSG_CLIENT_HELLO);
    CHECK_INT(as_tls.p[1] << 16 | as_tls.p[2] << 8 | as_tls.p[3], as_tls.end - MSG_HEADER);
    r = start(&m, &err, &as_tls, MSG_HEADER);
    CHECK(msg_read_client_hello(&r, &ch));
    CHECK(ch.version == 0x0301 && !ch.has_extensions);
    CHECK(slice_equal(ch.session_id, v2.session_id));
    CHECK(slice_equal(ch.suites, slice_of("\0\x2f\xc0\x13", 4)));
    CHECK(slice_equal(ch.compression, slice_of("\0", 1)));
    size_t zero = RANDOM_SIZE - shape->challenge;
    CHECK(memcmp(ch.random.p, zeros, zero) == 0);
    CHECK(memcmp(ch.random.p + zero, noise + 7, shape->challenge) == 0);
    buffer_clear(&b);
    buffer_clear(&as_tls);
}

static void refuse_v2(size_t specs, size_t session_id, size_t challenge, const char *detail)
{
    struct buffer b = {0};
    struct wr w;
    struct rd_msg m;
    hf_error err;
    struct v2_client_hello v2;
    wr_start(&w, &b);
    wr_bytes(&w, "\1\3\1", 3);
    wr_u16(&w, (uint16_t)specs);
    wr_u16(&w, (uint16_t)session_id);
    wr_u16(&w, (uint16_t)challenge);
    wr_bytes(&w, noise, specs + session_id + challenge);
    struct rd r = start(&m, &err, &b, 0);
    CHECK(!msg_read_v2_client_hello(&r, &v2));
    CHECK_INT(err.code, HF_E_DECODE);
    CHECK_STR(err.detail, detail);
    buffer_clear(&b);
}

static void test_v2_hello(void)
{
    check_v2(&v2_old);
    check_v2(&v2_tls);
    check_v2(&v2_middle);
    refuse_v2(0, 0, 16, "cipher_spec_length is 0, not a multiple of 3 above 0");
    refuse_v2(4, 0, 16, "cipher_spec_length is 4, not a multiple of 3 above 0");
    refuse_v2(3, 33, 16, "session_id_length is 33, at most 32 are possible");
    refuse_v2(3, 0, 15, "challenge_length is 15, not in 16..32");
    refuse_v2(3, 0, 33, "challenge_length is 33, not in 16..32");
    struct buffer b = {0};
    struct coverage c;
    hf_error err;
    write_sample(&b, &samples[SAMPLES - 1]);
    b.p[0] = 4;
    CHECK(!read_message(b.p, b.end, &samples[SAMPLES - 1], &c, &err));
    CHECK_STR(err.detail, "msg_type is 4, not client_hello(1)");
    buffer_clear(&b);
}

/* ---- values that are refused */

static void refuse(const struct sample *s, const char *body, size_t len, hf_code code,
                   unsigned alert, const char *path)
{
    struct buffer b = {0};
    struct coverage c;
    hf_error err;
    CHECK(buffer_append(&b, "\0\0\0\0", MSG_HEADER) && buffer_append(&b, body, len));
    CHECK(!read_message(b.p, b.end, s, &c, &err));
    CHECK_INT(err.code, code);
    CHECK_INT(err.alert, alert);
    CHECK_STR(err.path, path);
    buffer_clear(&b);
}

static void test_refused_values(void)
{
    const struct sample ske_ec = {MSG_SERVER_KEY_EXCHANGE, NULL, read_ske, &ecdhe12};
    const struct sample ske_dh = {MSG_SERVER_KEY_EXCHANGE, NULL, read_ske, &anonymous};
    const struct sample status = {MSG_CERTIFICATE_STATUS, NULL, read_status, NULL};
    const struct sample cr = {MSG_CERTIFICATE_REQUEST, NULL, read_request, &tls12};
    const struct sample chain = {MSG_CERTIFICATE, NULL, read_chain, NULL};
    /* explicit_prime(1): RFC 8422 5.4 leaves named curves only */
    refuse(&ske_ec, "\1\0\35\1x\4\3\0\0", 9, HF_E_ILLEGAL_VALUE, 47, "ServerKeyExchange");
    refuse(&ske_ec, "\3\0\35\0\4\3\0\0", 8, HF_E_DECODE, 50, "ServerKeyExchange.public");
    refuse(&ske_dh, "\0\0\0\1x\0\1x", 8, HF_E_DECODE, 50, "ServerKeyExchange.dh_p");
    refuse(&ske_dh, "\0\1x\0\0\0\1x", 7, HF_E_DECODE, 50, "ServerKeyExchange.dh_g");
    refuse(&ske_dh, "\0\1x\0\1x\0\0", 8, HF_E_DECODE, 50, "ServerKeyExchange.dh_Ys");
    refuse(&status, "\2\0\0\1x", 5, HF_E_ILLEGAL_VALUE, 47, "CertificateStatus");
    refuse(&status, "\1\0\0\0", 4, HF_E_DECODE, 50, "CertificateStatus.response");
    refuse(&cr, "\0\0\2\4\1\0\0", 7, HF_E_DECODE, 50, "CertificateRequest.certificate_types");
    refuse(&cr, "\1\1\0\0\0\0", 6, HF_E_DECODE, 50,
           "CertificateRequest.supported_signature_algorithms");
    refuse(&cr, "\1\1\0\3\4\1\4\0\0", 9, HF_E_DECODE, 50,
           "CertificateRequest.supported_signature_algorithms");
    refuse(&cr, "\1\1\0\2\4\1\0\2\0\0", 10, HF_E_DECODE, 50,
           "CertificateRequest.certificate_authorities.distinguished_name");
    refuse(&chain, "\0\0\3\0\0\0", 6, HF_E_DECODE, 50,
           "Certificate.certificate_list.cert_data");
}

static void test_too_many_certificates(void)
{
    struct sample s = {MSG_CERTIFICATE, write_chain, read_chain, NULL};
    struct buffer b = {0};
    struct coverage c;
    hf_error err;
    size_t most = MSG_MAX_CERTIFICATES, more = MSG_MAX_CERTIFICATES + 1;
    s.shape = &most;
    write_sample(&b, &s);
    CHECK(read_message(b.p, b.end, &s, &c, &err));
    s.shape = &more;
    write_sample(&b, &s);
    CHECK(!read_message(b.p, b.end, &s, &c, &err));
    CHECK_INT(err.code, HF_E_CHAIN_TOO_LONG);
    buffer_clear(&b);
}

/* ---- what is known about each type */

static void test_names_and_sizes(void)
{
    static const struct {
        uint8_t type;
        const char *name, *rfc;
        bool in13, in12;
    } known[] = {
        {MSG_HELLO_REQUEST, "HelloRequest", "RFC 5246 7.4.1.1", false, true},
        {MSG_CLIENT_HELLO, "ClientHello", "RFC 5246 7.4.1.2", true, true},
        {MSG_SERVER_HELLO, "ServerHello", "RFC 5246 7.4.1.3", true, true},
        {MSG_NEW_SESSION_TICKET, "NewSessionTicket", "RFC 5077 3.3", true, true},
        {MSG_END_OF_EARLY_DATA, "EndOfEarlyData", "RFC 5246 7.4", true, false},
        {MSG_ENCRYPTED_EXTENSIONS, "EncryptedExtensions", "RFC 5246 7.4", true, false},
        {MSG_CERTIFICATE, "Certificate", "RFC 5246 7.4.2", true, true},
        {MSG_SERVER_KEY_EXCHANGE, "ServerKeyExchange", "RFC 5246 7.4.3", false, true},
        {MSG_CERTIFICATE_REQUEST, "CertificateRequest", "RFC 5246 7.4.4", true, true},
        {MSG_SERVER_HELLO_DONE, "ServerHelloDone", "RFC 5246 7.4.5", false, true},
        {MSG_CERTIFICATE_VERIFY, "CertificateVerify", "RFC 5246 7.4.8", true, true},
        {MSG_CLIENT_KEY_EXCHANGE, "ClientKeyExchange", "RFC 5246 7.4.7", false, true},
        {MSG_FINISHED, "Finished", "RFC 5246 7.4.9", true, true},
        {MSG_CERTIFICATE_STATUS, "CertificateStatus", "RFC 6066 8", false, true},
        {MSG_KEY_UPDATE, "KeyUpdate", "RFC 5246 7.4", true, false},
        {MSG_CHANGE_CIPHER_SPEC, "change_cipher_spec", "RFC 5246 7.1", false, false},
        {MSG_MESSAGE_HASH, "message_hash", "RFC 5246 7.4", false, false},
        {MSG_HELLO_RETRY_REQUEST, "HelloRetryRequest", "RFC 5246 7.4", false, false},
        {99, "unknown", "RFC 5246 7.4", false, false},
    };
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        uint8_t type = known[i].type;
        CHECK_STR(msg_name(type), known[i].name);
        CHECK_STR(msg_rfc12(type), known[i].rfc);
        CHECK_INT(msg_max_size(type) > 0, known[i].in13);
        CHECK_INT(msg_max_size12(type) > 0, known[i].in12);
    }
    CHECK_STR(name_certificate_type(1), "rsa_sign");
    CHECK_STR(name_certificate_type(64), "ecdsa_sign");
    CHECK_STR(name_certificate_type(7), "unknown");
    CHECK_STR(name_suite(0x00ff), "TLS_EMPTY_RENEGOTIATION_INFO_SCSV");
    CHECK_STR(name_suite(0x5600), "TLS_FALLBACK_SCSV");
    CHECK_STR(name_suite(0xc02f), "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256");
}

int main(void)
{
    for (unsigned i = 0; i < sizeof noise; i++)
        noise[i] = (uint8_t)(0xe0 | (i * 7 & 31));
    RUN(test_round_trip);
    RUN(test_every_truncation);
    RUN(test_trailing_byte);
    RUN(test_every_length);
    RUN(test_every_corruption);
    RUN(test_server_key_exchange);
    RUN(test_client_key_exchange);
    RUN(test_other_fields);
    RUN(test_v2_hello);
    RUN(test_refused_values);
    RUN(test_too_many_certificates);
    RUN(test_names_and_sizes);
    return check_done();
}
