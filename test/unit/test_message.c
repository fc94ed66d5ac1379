/* test_message.c: every handshake message, read, written, cut short and corrupted. */
#include "message/message.h"

#include <stdlib.h>

#include "check.h"

/* ---- samples: bodies of messages, each behind its header */

enum sample {
    HELLO,
    OLD_HELLO,
    SERVER,
    OLD_SERVER,
    ENCRYPTED,
    ENCRYPTED_EMPTY,
    REQUEST,
    CHAIN,
    CHAIN_EMPTY,
    VERIFY,
    FINISHED,
    TICKET,
    UPDATE,
    SAMPLES
};

static const uint8_t types[SAMPLES] = {
    MSG_CLIENT_HELLO,
    MSG_CLIENT_HELLO,
    MSG_SERVER_HELLO,
    MSG_SERVER_HELLO,
    MSG_ENCRYPTED_EXTENSIONS,
    MSG_ENCRYPTED_EXTENSIONS,
    MSG_CERTIFICATE_REQUEST,
    MSG_CERTIFICATE,
    MSG_CERTIFICATE,
    MSG_CERTIFICATE_VERIFY,
    MSG_FINISHED,
    MSG_NEW_SESSION_TICKET,
    MSG_KEY_UPDATE,
};

static uint8_t hello_random[RANDOM_SIZE], id[32], noise[256];

static void write_extensions(struct wr *w, unsigned n)
{
    size_t block = wr_open(w, 2);
    for (unsigned i = 0; i < n; i++) {
        wr_u16(w, (uint16_t)(i * 7));
        wr_opaque16(w, slice_of(noise, i * 3));
    }
    wr_close(w, block, 2);
}

static void write_hello(struct wr *w, bool extensions)
{
    struct client_hello ch = {
        .version = 0x0303,
        .random = slice_of(hello_random, RANDOM_SIZE),
        .session_id = slice_of(id, sizeof id),
        .suites = slice_of("\x13\x01\x13\x02\x0a\x0a", 6),
        .compression = slice_of("\0", 1),
    };
    msg_write_client_hello(w, &ch);
    if (extensions)
        write_extensions(w, 5);
}

static void write_server(struct wr *w, bool extensions)
{
    struct server_hello sh = {
        .version = 0x0303,
        .random = slice_of(hello_random, RANDOM_SIZE),
        .session_id = slice_of(id, 7),
        .suite = 0x1301,
    };
    msg_write_server_hello(w, &sh);
    if (extensions)
        write_extensions(w, 2);
}

static void write_chain(struct wr *w, unsigned certificates)
{
    wr_opaque8(w, slice_of("ctx", 3));
    size_t list = wr_open(w, 3);
    for (unsigned i = 0; i < certificates; i++) {
        wr_opaque24(w, slice_of(noise, 40 + i));
        write_extensions(w, i);
    }
    wr_close(w, list, 3);
}

static void write_body(struct wr *w, enum sample s)
{
    switch (s) {
    case HELLO: write_hello(w, true); break;
    case OLD_HELLO: write_hello(w, false); break;
    case SERVER: write_server(w, true); break;
    case OLD_SERVER: write_server(w, false); break;
    case ENCRYPTED: write_extensions(w, 3); break;
    case ENCRYPTED_EMPTY: write_extensions(w, 0); break;
    case REQUEST:
        wr_opaque8(w, slice_of(noise, 2));
        write_extensions(w, 2);
        break;
    case CHAIN: write_chain(w, 3); break;
    case CHAIN_EMPTY: write_chain(w, 0); break;
    case VERIFY:
        wr_u16(w, 0x0804);
        wr_opaque16(w, slice_of(noise, 70));
        break;
    case FINISHED: wr_bytes(w, noise, 32); break;
    case TICKET:
        wr_u32(w, 7200);
        wr_u32(w, 0xdeadbeef);
        wr_opaque8(w, slice_of("\1", 1));
        wr_opaque16(w, slice_of(noise, 99));
        write_extensions(w, 1);
        break;
    case UPDATE: wr_u8(w, 1); break;
    case SAMPLES: break;
    }
}

static void write_sample(struct buffer *b, enum sample s)
{
    struct wr w;
    buffer_clear(b);
    wr_start(&w, b);
    size_t mark = msg_begin(&w, types[s]);
    write_body(&w, s);
    msg_finish(&w, mark);
    CHECK(wr_ok(&w));
}

/* ---- reading a message whole, extension blocks too */

struct coverage {
    const uint8_t *start;
    size_t len;
    uint8_t *count;
};

static void cover(void *arg, const hf_trace_event *e)
{
    struct coverage *c = arg;
    CHECK(e->bytes == c->start + e->offset);
    CHECK(e->offset + e->size <= c->len);
    CHECK(e->name != NULL);
    if (e->kind == HF_TRACE_FIELD)
        for (size_t i = 0; i < e->size; i++)
            c->count[e->offset + i]++;
}

static bool read_extensions(struct rd *x)
{
    while (rd_more(x)) {
        rd_u16(x, "extension_type");
        rd_opaque16(x, "extension_data", 0, 65535);
    }
    return rd_end(x);
}

static bool read_chain(struct rd *r)
{
    struct certificate_list *list = malloc(sizeof *list);
    bool ok = list && msg_read_certificate(r, list);
    for (size_t i = 0; ok && i < list->count; i++)
        ok = read_extensions(&list->entry[i].extensions);
    free(list);
    return ok;
}

static bool read_body(struct rd *r, uint8_t type)
{
    struct client_hello ch;
    struct server_hello sh;
    struct certificate_request cr;
    struct certificate_verify cv;
    struct new_session_ticket nst;
    struct slice verify_data;
    struct rd x;
    bool request;
    switch (type) {
    case MSG_CLIENT_HELLO:
        return msg_read_client_hello(r, &ch) && read_extensions(&ch.extensions);
    case MSG_SERVER_HELLO:
        return msg_read_server_hello(r, &sh) && read_extensions(&sh.extensions);
    case MSG_ENCRYPTED_EXTENSIONS:
        return msg_read_encrypted_extensions(r, &x) && read_extensions(&x);
    case MSG_CERTIFICATE_REQUEST:
        return msg_read_certificate_request(r, &cr) && read_extensions(&cr.extensions);
    case MSG_CERTIFICATE: return read_chain(r);
    case MSG_CERTIFICATE_VERIFY: return msg_read_certificate_verify(r, &cv);
    case MSG_FINISHED: return msg_read_finished(r, 32, &verify_data);
    case MSG_NEW_SESSION_TICKET:
        return msg_read_new_session_ticket(r, &nst) && read_extensions(&nst.extensions);
    case MSG_KEY_UPDATE: return msg_read_key_update(r, &request);
    default: return false;
    }
}

/* Reads with the trace on, from a block of exactly the message's size so that ASan sees every byte
 * too many; a message that parses must be covered byte by byte, one that does not must say why. */
static bool read_message(const uint8_t *bytes, size_t len, uint8_t type, hf_error *err)
{
    uint8_t *copy = malloc(len), *count = calloc(1, len);
    struct coverage c = {copy, len, count};
    struct rd_msg m = {.name = msg_name(type),
                       .err = err,
                       .rfc = msg_rfc(type),
                       .trace = cover,
                       .trace_arg = &c};
    *err = (hf_error){0};
    memcpy(copy, bytes, len);
    struct rd r = rd_start(&m, copy, len, MSG_HEADER);
    bool ok = read_body(&r, type);
    CHECK_INT(ok, err->code == HF_OK);
    for (size_t i = MSG_HEADER; ok && i < len; i++)
        CHECK_INT(count[i], 1);
    if (!ok) {
        CHECK(err->path[0] && err->detail[0] && err->rfc[0]);
        CHECK(err->offset <= len);
        CHECK(strncmp(err->path, msg_name(type), strlen(msg_name(type))) == 0);
    }
    free(copy);
    free(count);
    return ok;
}

static void test_round_trip(void)
{
    struct buffer b = {0};
    hf_error err;
    for (enum sample s = 0; s < SAMPLES; s++) {
        write_sample(&b, s);
        CHECK_INT(b.p[0], types[s]);
        CHECK_INT(b.p[1] << 16 | b.p[2] << 8 | b.p[3], b.end - MSG_HEADER);
        CHECK(read_message(b.p, b.end, types[s], &err));
        CHECK(b.end - MSG_HEADER <= msg_max_size(types[s]));
    }
    buffer_clear(&b);
}

/* The two hellos that end before their extensions are what a longer one looks like when it is cut
 * there; nothing else may be shortened. */
static void test_every_truncation(void)
{
    struct buffer b = {0};
    hf_error err;
    for (enum sample s = 0; s < SAMPLES; s++) {
        unsigned parsed = 0;
        write_sample(&b, s);
        for (size_t len = MSG_HEADER; len < b.end; len++)
            parsed += read_message(b.p, len, types[s], &err);
        CHECK_INT(parsed, s == HELLO || s == SERVER);
    }
    buffer_clear(&b);
}

static void test_trailing_byte(void)
{
    struct buffer b = {0};
    hf_error err;
    for (enum sample s = 0; s < SAMPLES; s++) {
        write_sample(&b, s);
        CHECK(buffer_append(&b, "\0", 1));
        CHECK(!read_message(b.p, b.end, types[s], &err));
        /* Behind a hello without extensions, one byte is half the length of some. */
        CHECK_INT(err.code,
                  s == OLD_HELLO || s == OLD_SERVER ? HF_E_DECODE : HF_E_TRAILING_DATA);
        CHECK_INT(err.alert, 50);
    }
    buffer_clear(&b);
}

static void test_every_corruption(void)
{
    struct buffer b = {0};
    hf_error err;
    unsigned long parsed = 0, refused = 0;
    for (enum sample s = 0; s < SAMPLES; s++) {
        write_sample(&b, s);
        for (size_t i = MSG_HEADER; i < b.end; i++) {
            uint8_t was = b.p[i];
            for (unsigned v = 0; v < 256; v++) {
                b.p[i] = (uint8_t)v;
                if (read_message(b.p, b.end, types[s], &err))
                    parsed++;
                else
                    refused++;
            }
            b.p[i] = was;
        }
    }
    printf("     %lu corruptions parse, %lu are refused\n", parsed, refused);
    CHECK(parsed > 0 && refused > 0);
    buffer_clear(&b);
}

/* ---- what the structs hold */

static struct rd start(struct rd_msg *m, hf_error *err, struct buffer *b, const char *name)
{
    *err = (hf_error){0};
    *m = (struct rd_msg){.name = name, .err = err};
    return rd_start(m, b->p, b->end, MSG_HEADER);
}

static void test_hello_fields(void)
{
    struct buffer b = {0};
    struct rd_msg m;
    hf_error err;
    struct client_hello ch;
    write_sample(&b, HELLO);
    struct rd r = start(&m, &err, &b, "ClientHello");
    CHECK(msg_read_client_hello(&r, &ch));
    CHECK_INT(ch.version, 0x0303);
    CHECK(slice_equal(ch.random, slice_of(hello_random, RANDOM_SIZE)));
    CHECK(slice_equal(ch.session_id, slice_of(id, 32)));
    CHECK(slice_equal(ch.suites, slice_of("\x13\x01\x13\x02\x0a\x0a", 6)));
    CHECK(slice_equal(ch.compression, slice_of("\0", 1)));
    CHECK(ch.has_extensions && rd_left(&ch.extensions) == 5 * 4 + 30);
    write_sample(&b, OLD_HELLO);
    r = start(&m, &err, &b, "ClientHello");
    CHECK(msg_read_client_hello(&r, &ch));
    CHECK(!ch.has_extensions && !rd_more(&ch.extensions) && rd_end(&ch.extensions));
    struct server_hello sh;
    write_sample(&b, SERVER);
    r = start(&m, &err, &b, "ServerHello");
    CHECK(msg_read_server_hello(&r, &sh));
    CHECK_INT(sh.suite, 0x1301);
    CHECK(slice_equal(sh.session_id, slice_of(id, 7)));
    buffer_clear(&b);
}

static void test_other_fields(void)
{
    struct buffer b = {0};
    struct rd_msg m;
    hf_error err;
    struct new_session_ticket nst;
    struct certificate_list list;
    bool request = false;
    write_sample(&b, TICKET);
    struct rd r = start(&m, &err, &b, "NewSessionTicket");
    CHECK(msg_read_new_session_ticket(&r, &nst));
    CHECK_INT(nst.lifetime, 7200);
    CHECK_INT(nst.age_add, 0xdeadbeef);
    CHECK(slice_equal(nst.nonce, slice_of("\1", 1)) && nst.ticket.len == 99);
    write_sample(&b, CHAIN);
    r = start(&m, &err, &b, "Certificate");
    CHECK(msg_read_certificate(&r, &list));
    CHECK_INT(list.count, 3);
    CHECK(slice_equal(list.context, slice_of("ctx", 3)));
    CHECK(slice_equal(list.entry[2].data, slice_of(noise, 42)));
    CHECK_INT(rd_left(&list.entry[2].extensions), 4 + 4 + 3);
    rd_bytes(&list.entry[1].extensions, "missing", 5);
    CHECK_STR(err.path, "Certificate.certificate_list.extensions.missing");
    write_sample(&b, UPDATE);
    r = start(&m, &err, &b, "KeyUpdate");
    CHECK(msg_read_key_update(&r, &request) && request);
    buffer_clear(&b);
}

static void test_refused_values(void)
{
    struct buffer b = {0};
    hf_error err;
    write_sample(&b, UPDATE);
    b.p[MSG_HEADER] = 2;
    CHECK(!read_message(b.p, b.end, MSG_KEY_UPDATE, &err));
    CHECK_INT(err.alert, 47); /* RFC 8446 4.6.3 */
    /* One certificate more than fits. */
    struct wr w;
    buffer_clear(&b);
    wr_start(&w, &b);
    size_t mark = msg_begin(&w, MSG_CERTIFICATE);
    wr_u8(&w, 0);
    size_t list = wr_open(&w, 3);
    for (int i = 0; i <= MSG_MAX_CERTIFICATES; i++) {
        wr_opaque24(&w, slice_of(noise, 3));
        wr_u16(&w, 0);
    }
    wr_close(&w, list, 3);
    msg_finish(&w, mark);
    CHECK(!read_message(b.p, b.end, MSG_CERTIFICATE, &err));
    CHECK_INT(err.code, HF_E_CHAIN_TOO_LONG);
    CHECK_STR(err.path, "Certificate.certificate_list");
    /* An empty certificate is below the range <1..2^24-1>. */
    buffer_clear(&b);
    CHECK(buffer_append(&b, "\13\0\0\11\0\0\0\5\0\0\0\0\0", 13));
    CHECK(!read_message(b.p, b.end, MSG_CERTIFICATE, &err));
    CHECK_STR(err.path, "Certificate.certificate_list.cert_data");
    CHECK_STR(err.detail, "length 0 is not in 1..16777215");
    CHECK_INT(err.offset, 8);
    buffer_clear(&b);
}

/* Writes a body of n fixed bytes, then a vector of len bytes, then `end`; it must be refused for the
 * vector's length. */
static void check_range(uint8_t type, size_t n, unsigned prefix, size_t len, struct slice end,
                        const char *field)
{
    static uint8_t zeros[65536];
    struct buffer b = {0};
    struct wr w;
    hf_error err;
    wr_start(&w, &b);
    size_t mark = msg_begin(&w, type);
    wr_bytes(&w, zeros, n);
    size_t vector = wr_open(&w, prefix);
    wr_bytes(&w, zeros, len);
    wr_close(&w, vector, prefix);
    wr_slice(&w, end);
    msg_finish(&w, mark);
    CHECK(wr_ok(&w));
    CHECK(!read_message(b.p, b.end, type, &err));
    CHECK_INT(err.code, HF_E_DECODE);
    CHECK_STR(strchr(err.path, '.'), field);
    CHECK(strstr(err.detail, " is not in ") != NULL);
    CHECK_INT(err.offset, MSG_HEADER + n);
    buffer_clear(&b);
}

/* The ranges that the RFC gives and that a length prefix alone does not enforce. */
static void test_ranges(void)
{
    struct slice none = {0}, suites = slice_of("\0\2\x13\1\1\0", 6);
    check_range(MSG_CLIENT_HELLO, 34, 1, 33, suites, ".legacy_session_id");
    check_range(MSG_CLIENT_HELLO, 35, 2, 0, slice_of("\1\0", 2), ".cipher_suites");
    check_range(MSG_CLIENT_HELLO, 35, 2, 65535, slice_of("\1\0", 2), ".cipher_suites");
    check_range(MSG_SERVER_HELLO, 34, 1, 33, slice_of("\x13\1\0", 3),
                ".legacy_session_id_echo");
    check_range(MSG_CERTIFICATE_REQUEST, 1, 2, 0, none, ".extensions");
    check_range(MSG_CERTIFICATE_REQUEST, 1, 2, 1, none, ".extensions");
    check_range(MSG_NEW_SESSION_TICKET, 9, 2, 0, slice_of("\0\0", 2), ".ticket");
    /* 4 + 4 + 1 bytes, a ticket of 1, then extensions that are one byte too long. */
    struct buffer b = {0};
    struct wr w;
    hf_error err;
    wr_start(&w, &b);
    size_t mark = msg_begin(&w, MSG_NEW_SESSION_TICKET);
    wr_bytes(&w, "\0\0\0\0\0\0\0\0\0\0\1x\377\377", 14);
    for (unsigned i = 0; i < 65535; i++)
        wr_u8(&w, 0);
    msg_finish(&w, mark);
    CHECK(!read_message(b.p, b.end, MSG_NEW_SESSION_TICKET, &err));
    CHECK_STR(err.detail, "length 65535 is not in 0..65534");
    buffer_clear(&b);
    /* No compression method at all. */
    CHECK(buffer_append(&b, "\1\0\0\50\3\3", 6));
    for (unsigned i = 0; i < 33; i++)
        CHECK(buffer_append(&b, "", 1));
    CHECK(buffer_append(&b, "\0\2\x13\1\0", 5));
    CHECK(!read_message(b.p, b.end, MSG_CLIENT_HELLO, &err));
    CHECK_STR(err.path, "ClientHello.legacy_compression_methods");
    CHECK_STR(err.detail, "length 0 is not in 1..255");
    buffer_clear(&b);
}

static void test_names_and_sizes(void)
{
    CHECK_STR(msg_name(MSG_CLIENT_HELLO), "ClientHello");
    CHECK_STR(msg_name(MSG_HELLO_RETRY_REQUEST), "HelloRetryRequest");
    CHECK_STR(msg_name(99), "unknown");
    CHECK_STR(msg_rfc(MSG_FINISHED), "RFC 8446 4.4.4");
    CHECK_INT(msg_max_size(99), 0);
    CHECK_INT(msg_max_size(MSG_MESSAGE_HASH), 0);
    CHECK_INT(msg_max_size(MSG_HELLO_RETRY_REQUEST), 0);
    CHECK(msg_max_size(MSG_END_OF_EARLY_DATA) > 0);
    CHECK_INT(hello_retry_random[0], 0xcf);
    CHECK_INT(hello_retry_random[31], 0x9c);
}

/* CompressedCertificate (RFC 8879 4): read as written, and refused when a byte is missing or too many. */
static void test_compressed_certificate(void)
{
    struct compressed_certificate cc = {2, 0x012345, slice_of("packed", 6)}, back;
    struct buffer b = {0};
    struct wr w;
    hf_error err;
    wr_start(&w, &b);
    size_t mark = msg_begin(&w, MSG_COMPRESSED_CERTIFICATE);
    msg_write_compressed_certificate(&w, &cc);
    msg_finish(&w, mark);
    wr_u8(&w, 0);
    CHECK(wr_ok(&w));
    CHECK_MEM(b.p, "\x19\0\0\x0e\0\2\x01\x23\x45\0\0\6packed", 18);
    for (size_t len = MSG_HEADER; len <= 19; len++) {
        err.code = HF_OK;
        struct rd_msg m = {.name = "CompressedCertificate", .err = &err};
        struct rd r = rd_start(&m, b.p, len, MSG_HEADER);
        CHECK(msg_read_compressed_certificate(&r, &back) == (len == 18));
        CHECK_INT(err.code, len < 18 ? HF_E_DECODE : len == 18 ? HF_OK : HF_E_TRAILING_DATA);
        if (len == 18)
            CHECK(back.algorithm == 2 && back.length == 0x012345 && back.packed.len == 6);
    }
    b.p[11] = 0; /* nothing is not compressed to nothing */
    err.code = HF_OK;
    struct rd_msg m = {.name = "CompressedCertificate", .err = &err};
    struct rd r = rd_start(&m, b.p, 12, MSG_HEADER);
    CHECK(!msg_read_compressed_certificate(&r, &back));
    CHECK_INT(err.code, HF_E_DECODE);
    CHECK_STR(err.path, "CompressedCertificate.compressed_certificate_message");
    buffer_clear(&b);
}

int main(void)
{
    for (unsigned i = 0; i < sizeof noise; i++)
        noise[i] = (uint8_t)(i * 37 + 11);
    memset(hello_random, 0xaa, sizeof hello_random);
    memset(id, 0x55, sizeof id);
    RUN(test_round_trip);
    RUN(test_every_truncation);
    RUN(test_trailing_byte);
    RUN(test_every_corruption);
    RUN(test_hello_fields);
    RUN(test_other_fields);
    RUN(test_refused_values);
    RUN(test_ranges);
    RUN(test_names_and_sizes);
    RUN(test_compressed_certificate);
    return check_done();
}
