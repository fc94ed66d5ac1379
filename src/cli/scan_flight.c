#include "cli/scan_flight.h"

#include <stdio.h>
#include <stdlib.h>

#include "message/message.h"
#include "record/recognise.h"
#include "record/record.h"

enum {
    FLIGHT_MOST = 400000, /* bytes; a chain has 131072 at most */
    STATUS_REQUEST = 5,
    GROUPS = 10,
    HEARTBEAT = 15,
    ENCRYPT_THEN_MAC = 22,
    EXTENDED_MASTER_SECRET = 23,
    SESSION_TICKET = 35,
    SUPPORTED_VERSIONS = 43,
    KEY_SHARE = 51,
    RENEGOTIATION_INFO = 0xff01,
};

static bool strange(struct flight *f, const char *what)
{
    f->a->kind = f->a->kind == ANSWER_HELLO ? ANSWER_HELLO : ANSWER_STRANGE;
    snprintf(f->a->what, sizeof f->a->what, "%s", what);
    f->over = true;
    return false;
}

/* What the reader refuses, in its words. */
static bool refused(struct flight *f, const hf_error *err)
{
    char what[200];
    snprintf(what, sizeof what, "%.90s%s%.100s", err->path, *err->path ? ": " : "",
             *err->detail ? err->detail : hf_code_sentence(err->code));
    return strange(f, what);
}

static struct rd reader_of(struct rd_msg *m, hf_error *err, const char *name,
                           struct slice message)
{
    *m = (struct rd_msg){.name = name, .err = err};
    return rd_start(m, message.p, message.len, MSG_HEADER);
}

/* ---------------------------------------------------------------- ServerHello */

static void take_extension(struct answer *a, uint16_t id, struct rd *body)
{
    switch (id) {
    case STATUS_REQUEST: a->status_request = true; break;
    case HEARTBEAT: a->heartbeat = true; break;
    case ENCRYPT_THEN_MAC: a->encrypt_then_mac = true; break;
    case EXTENDED_MASTER_SECRET: a->extended_master_secret = true; break;
    case SESSION_TICKET: a->session_ticket = true; break;
    case RENEGOTIATION_INFO: a->renegotiation_info = true; break;
    case SUPPORTED_VERSIONS: a->version = rd_u16(body, "selected_version"); break;
    case KEY_SHARE: a->group = rd_u16(body, "group"); break; /* RFC 8446 4.2.8 */
    default: break;
    }
    rd_rest(body, "extension_data");
}

static bool read_hello(struct flight *f, struct slice message)
{
    struct rd_msg m;
    hf_error err = {0};
    struct rd r = reader_of(&m, &err, "ServerHello", message);
    struct server_hello sh;
    struct answer *a = f->a;
    if (!msg_read_server_hello(&r, &sh))
        return refused(f, &err);
    a->version = sh.version;
    a->suite = sh.suite;
    a->compression = sh.compression;
    a->has_id = sh.session_id.len > 0;
    a->retry = sh.random.len == RANDOM_SIZE &&
               memcmp(sh.random.p, hello_retry_random, RANDOM_SIZE) == 0;
    while (rd_more(&sh.extensions)) {
        uint16_t id = rd_u16(&sh.extensions, "extension_type");
        struct rd body = rd_vec16(&sh.extensions, "extension_data", 0, 65535);
        take_extension(a, id, &body);
    }
    if (m.failed)
        return refused(f, &err);
    a->kind = ANSWER_HELLO;
    if (!f->whole || a->retry)
        f->over = true;
    return true;
}

/* ---------------------------------------------------------------- the rest of TLS 1.2's flight */

static bool read_key_exchange(struct flight *f, struct slice message)
{
    /* The groups of RFC 7919 begin alike, behind 64 ones, and end with 64 ones. */
    static const uint8_t named[] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
                                    0xad, 0xf8, 0x54, 0x58, 0xa2, 0xbb, 0x4a, 0x9a};
    struct rd_msg m;
    hf_error err = {0};
    struct rd r = reader_of(&m, &err, "ServerKeyExchange", message);
    struct answer *a = f->a;
    unsigned marks = scan_suite_marks(a->suite);
    bool sealed = marks & SUITE_SIGNED;
    struct ske_shape shape = {.hint = marks & SUITE_PSK,
                              .ecdh = marks & SUITE_ECDHE,
                              .dh = marks & SUITE_DHE,
                              .algorithm = sealed && a->version >= HF_TLS1_2,
                              .signature = sealed};
    struct server_key_exchange ske;
    if (!(marks & (SUITE_ECDHE | SUITE_DHE)))
        return true; /* export keys, passwords: nothing of these is judged */
    if (!msg_read_server_key_exchange(&r, &shape, &ske))
        return refused(f, &err);
    a->group = ske.group;
    a->scheme = ske.algorithm;
    while (ske.p.len && ske.p.p[0] == 0)
        ske.p = slice_of(ske.p.p + 1, ske.p.len - 1);
    if (ske.p.len == 0)
        return true;
    a->dh_bits = (unsigned)ske.p.len * 8 - (unsigned)__builtin_clz(ske.p.p[0]) + 24;
    a->dh_named = ske.p.len >= 256 && memcmp(ske.p.p, named, sizeof named) == 0;
    return true;
}

static bool keep_certificates(struct flight *f, struct slice message)
{
    struct answer *a = f->a;
    if (a->certificates)
        return strange(f, "the server sent two Certificate messages");
    a->certificates = malloc(message.len);
    if (!a->certificates)
        return strange(f, "no memory for the certificates");
    memcpy(a->certificates, message.p, message.len);
    a->certificates_len = message.len;
    return true;
}

static bool read_message(struct flight *f, struct slice message)
{
    switch (message.p[0]) {
    case MSG_SERVER_HELLO:
        if (f->a->kind != ANSWER_NONE)
            return strange(f, "the server sent two ServerHellos");
        return read_hello(f, message);
    case MSG_CERTIFICATE: return keep_certificates(f, message);
    case MSG_SERVER_KEY_EXCHANGE: return read_key_exchange(f, message);
    case MSG_CERTIFICATE_STATUS: f->a->stapled = true; return true;
    case MSG_SERVER_HELLO_DONE: f->a->complete = f->over = true; return true;
    default: return true;
    }
}

static bool read_handshake(struct flight *f)
{
    while (!f->over && buffer_len(&f->handshake) >= MSG_HEADER) {
        const uint8_t *p = buffer_front(&f->handshake);
        if (!p)
            return true;
        size_t size = MSG_HEADER + ((size_t)p[1] << 16 | (size_t)p[2] << 8 | p[3]);
        if (f->a->kind == ANSWER_NONE && p[0] != MSG_SERVER_HELLO)
            return strange(f, "the first message is no ServerHello");
        if (size > MSG_HEADER + msg_max_size(MSG_CERTIFICATE))
            return strange(f, "a message is longer than any may be");
        if (buffer_len(&f->handshake) < size)
            return true;
        if (!read_message(f, slice_of(p, size)))
            return false;
        buffer_drop(&f->handshake, size);
    }
    return true;
}

/* ---------------------------------------------------------------- records */

static bool take_record(struct flight *f, const struct rec_opened *rec)
{
    struct answer *a = f->a;
    switch (rec->type) {
    case REC_HANDSHAKE:
        return buffer_append(&f->handshake, rec->data, rec->len)
                   ? read_handshake(f)
                   : strange(f, "no memory for the answer");
    case REC_ALERT:
        /* A warning (unrecognized_name, say) goes before the answer. */
        if (rec->len == 2 && rec->data[0] == 1 && rec->data[1] != 0)
            return true;
        if (a->kind == ANSWER_NONE) {
            a->kind = ANSWER_ALERT;
            a->alert = rec->len == 2 ? rec->data[1] : 0;
        }
        f->over = true;
        return true;
    case REC_DATA:
        if (a->kind != ANSWER_HELLO)
            return strange(f, "application data comes before the ServerHello");
        a->encrypted += rec->len;
        return true;
    default: return true;
    }
}

static bool not_tls(struct flight *f, const hf_error *err)
{
    char what[200];
    size_t len = buffer_len(&f->in);
    if (f->a->kind == ANSWER_NONE && len &&
        rec_recognise(buffer_front(&f->in), len, true, what, sizeof what) != HF_OK)
        return strange(f, what);
    return refused(f, err);
}

static bool read_records(struct flight *f)
{
    struct rec_half half = {0};
    while (!f->over && buffer_len(&f->in)) {
        struct rec_opened rec;
        hf_error err = {0};
        enum rec_result result =
            rec_open(&half, buffer_front(&f->in), buffer_len(&f->in), true, true, &rec, &err);
        if (result == REC_PARTIAL)
            return true;
        if (result == REC_BAD)
            return not_tls(f, &err);
        if (!take_record(f, &rec))
            return false;
        buffer_drop(&f->in, rec.used);
    }
    return true;
}

/* ---------------------------------------------------------------- SSL 2.0 */

static bool take_ssl2(struct flight *f, struct slice body)
{
    struct rd_msg m = {.name = "SERVER-HELLO"};
    hf_error err = {0};
    m.err = &err;
    struct rd r = rd_start(&m, body.p, body.len, 0);
    struct v2_server_hello hello;
    f->over = true;
    /* An error message has type 0 and two bytes: it knows SSL 2.0, but wants none of what there is. */
    if (body.len == 3 && body.p[0] == 0) {
        f->a->kind = ANSWER_ALERT;
        f->a->alert = body.p[2];
        return true;
    }
    if (!msg_read_v2_server_hello(&r, &hello))
        return refused(f, &err);
    f->a->kind = ANSWER_HELLO;
    f->a->version = hello.version;
    f->a->complete = true;
    for (size_t i = 0; f->specs && i + 3 <= hello.specs.len; i += 3) {
        numbers_add(f->specs_high, hello.specs.p[i]);
        numbers_add(f->specs, get_u16(hello.specs.p + i + 1));
    }
    return true;
}

/* A record of SSL 2.0 has a header of two bytes with the top bit set, or of three with padding. What is
 * neither is perhaps an alert of TLS, whose first byte is 0x15 and the second 0x03. */
static bool read_ssl2(struct flight *f)
{
    size_t len = buffer_len(&f->in);
    const uint8_t *p = buffer_front(&f->in);
    if (len < 3)
        return true;
    if (p[0] == REC_ALERT && p[1] == 3) {
        f->ssl2 = false;
        return read_records(f);
    }
    bool small = p[0] & 0x80;
    size_t header = small ? 2 : 3;
    size_t size = (size_t)(p[0] & (small ? 0x7f : 0x3f)) << 8 | p[1];
    if (size < 3 || size > 16384)
        return strange(f, "what came is no SSL 2.0");
    if (len < header + size)
        return true;
    return take_ssl2(f, slice_of(p + header, size));
}

bool flight_feed(struct flight *f, const uint8_t *p, size_t len)
{
    f->taken += len;
    if (f->over)
        return false;
    if (f->taken > FLIGHT_MOST)
        return strange(f, "the answer does not end");
    if (!buffer_append(&f->in, p, len))
        return strange(f, "no memory for the answer");
    bool good = f->ssl2 ? read_ssl2(f) : read_records(f);
    return good && !f->over;
}

void flight_clear(struct flight *f)
{
    buffer_clear(&f->in);
    buffer_clear(&f->handshake);
}
