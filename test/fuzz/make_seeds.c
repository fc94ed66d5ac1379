/* make_seeds.c: writes the seeds of all fuzz targets into a folder, one sub-folder for each target:
 * messages of our own handshakes and of RFC 8448, and a few lines of text. */
#include <string.h>
#include <sys/stat.h>

#include "../flow/rfc8448.h"
#include "../unit/hex.h"
#include "crl_identity.h"
#include "ends.h"
#include "identity.h"
#include "message/message.h"
#include "seed_certificates.h"
#include "seed_cookies.h"

static const char *root;

static void put(const char *target, const char *name, const void *p, size_t n)
{
    char path[4096];
    snprintf(path, sizeof path, "%s/%s", root, target);
    (void)mkdir(path, 0777);
    snprintf(path, sizeof path, "%s/%s/%s", root, target, name);
    FILE *f = fopen(path, "wb");
    REQUIRE(f && (n == 0 || fwrite(p, 1, n, f) == n) && fclose(f) == 0);
}

static void put_buffer(const char *target, const char *name, struct buffer *b)
{
    put(target, name, buffer_front(b), buffer_len(b));
    buffer_clear(b);
}

static void add(struct buffer *b, const void *p, size_t n)
{
    REQUIRE(n == 0 || buffer_append(b, p, n));
}

static void add_u8(struct buffer *b, unsigned v)
{
    uint8_t byte = (uint8_t)v;
    add(b, &byte, 1);
}

static void add_u16(struct buffer *b, size_t v)
{
    add_u8(b, (unsigned)v >> 8);
    add_u8(b, (unsigned)v);
}

static void add_flags(struct buffer *b, unsigned flags)
{
    if (flags >> 24)
        flags |= SET_ALPN | SET_OWN_ALPN;
    add_u8(b, flags >> 16 & 0xff);
    add_u16(b, flags & 0xffff);
    if (flags >> 24)
        add_u8(b, flags >> 24);
}

static void add_vec16(struct buffer *b, const void *p, size_t n)
{
    add_u16(b, n);
    add(b, p, n);
}

/* ---- messages and their extensions */

static const struct {
    uint8_t type;
    const char *target;
    int in; /* index in extension.c's table, -1: no extensions */
} kinds[] = {
    {MSG_CLIENT_HELLO, "client_hello", 0},
    {MSG_SERVER_HELLO, "server_hello", 1},
    {MSG_HELLO_RETRY_REQUEST, "hello_retry_request", 2},
    {MSG_ENCRYPTED_EXTENSIONS, "encrypted_extensions", 3},
    {MSG_CERTIFICATE_REQUEST, "certificate_request", 4},
    {MSG_CERTIFICATE, "certificate_message", 5},
    {MSG_CERTIFICATE_VERIFY, "certificate_verify", -1},
    {MSG_COMPRESSED_CERTIFICATE, "compressed_certificate", -1},
    {MSG_FINISHED, "finished", -1},
    {MSG_NEW_SESSION_TICKET, "new_session_ticket", 6},
    {MSG_KEY_UPDATE, "key_update", -1},
};

static int message_in;

static void put_extension(uint16_t id, const uint8_t *p, size_t n, const char *from)
{
    struct buffer b = {0};
    char name[100];
    add_u8(&b, (unsigned)message_in);
    add_u16(&b, id);
    add(&b, p, n);
    snprintf(name, sizeof name, "%s-%d-%u", from, message_in, id);
    put_buffer("extension", name, &b);
}

static void each_extension(const uint8_t *p, size_t n, const char *from)
{
    while (n >= 4) {
        size_t len = get_u16(p + 2);
        REQUIRE(len <= n - 4);
        put_extension(get_u16(p), p + 4, len, from);
        p += 4 + len;
        n -= 4 + len;
    }
}

/* Where the block of extensions begins, by what the message itself says. */
static void open_extensions(uint8_t type, const uint8_t *m, size_t len, const char *from)
{
    size_t at = MSG_HEADER;
    if (type == MSG_CLIENT_HELLO || type == MSG_SERVER_HELLO || type == MSG_HELLO_RETRY_REQUEST)
        at += 34u + 1 + m[MSG_HEADER + 34];
    if (type == MSG_CLIENT_HELLO) {
        at += 2u + get_u16(m + at);
        at += 1u + m[at];
    } else if (type == MSG_SERVER_HELLO || type == MSG_HELLO_RETRY_REQUEST) {
        at += 3;
    } else if (type == MSG_CERTIFICATE_REQUEST) {
        at += 1u + m[at];
    } else if (type == MSG_CERTIFICATE) {
        at += 1u + m[at];
        if (len < at + 3 + 3)
            return;
        at += 3;
        at += 3 + ((size_t)m[at] << 16 | (size_t)m[at + 1] << 8 | m[at + 2]);
    } else if (type == MSG_NEW_SESSION_TICKET) {
        at += 8;
        at += 1u + m[at];
        at += 2u + get_u16(m + at);
    }
    REQUIRE(at + 2 <= len);
    each_extension(m + at + 2, get_u16(m + at), from);
}

static void put_message(const uint8_t *m, size_t len, const char *from)
{
    struct buffer b = {0};
    uint8_t type = m[0];
    if (type == MSG_SERVER_HELLO && memcmp(m + 6, hello_retry_random, RANDOM_SIZE) == 0)
        type = MSG_HELLO_RETRY_REQUEST;
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        if (kinds[i].type != type)
            continue;
        add_u16(&b, 0xffff); /* everything was asked for, and is judged */
        add_u8(&b, type == MSG_FINISHED && len == MSG_HEADER + 48);
        add(&b, m + MSG_HEADER, len - MSG_HEADER);
        put_buffer(kinds[i].target, from, &b);
        message_in = kinds[i].in;
        if (kinds[i].in >= 0)
            open_extensions(type, m, len, from);
    }
}

static const uint8_t *each_message(const uint8_t *m, const char *from, unsigned number,
                                   size_t *len)
{
    char name[120];
    *len = MSG_HEADER + ((size_t)m[1] << 16 | (size_t)m[2] << 8 | m[3]);
    snprintf(name, sizeof name, "%s-%u", from, number);
    put_message(m, *len, name);
    return m + *len;
}

/* Extensions that none of our messages has. */
static void put_rare_extensions(void)
{
    static const uint8_t early[] = {0, 0, 64, 0}, oids[] = {0, 0}, hrr[] = {0, 23};
    static const uint8_t psk_chosen[] = {0, 0}, empty_list[] = {0, 0};
    for (message_in = 0; message_in < 7; message_in++) {
        put_extension(42, early, message_in == 6 ? 4 : 0, "early-data");
        put_extension(48, oids, sizeof oids, "oid-filters");
        put_extension(51, hrr, sizeof hrr, "retry-group");
        put_extension(41, psk_chosen, sizeof psk_chosen, "psk-chosen");
        put_extension(21, empty_list, sizeof empty_list, "padding");
        put_extension(49, NULL, 0, "post-handshake-auth");
        put_extension(5, server_ocsp, sizeof server_ocsp, "not-a-staple");
        put_extension(0x0a0a, NULL, 0, "grease");
    }
}

/* ---- messages and extensions of TLS 1.2 and older */

static void put_old(const char *target, const char *name, unsigned choices, const char *p,
                    size_t n)
{
    struct buffer b = {0};
    add_u16(&b, 0xffff);
    add_u8(&b, choices);
    add(&b, p, n);
    put_buffer(target, name, &b);
}

#define PUT_OLD(target, name, choices, text)                                                   \
    put_old(target, name, choices, text, sizeof(text) - 1)

static void put_old_messages(void)
{
    PUT_OLD("compressed_certificate", "zlib", 0, "\0\1\0\2\0\0\0\6packed");
    PUT_OLD("compressed_certificate", "nothing", 0, "\0\2\0\0\0\0\0\0");
    PUT_OLD("server_key_exchange", "ecdhe", 26, "\3\0\35\4abcd\4\3\0\3sig");
    PUT_OLD("server_key_exchange", "ecdhe-tls11", 18, "\3\0\27\4abcd\0\3sig");
    PUT_OLD("server_key_exchange", "dhe", 28, "\0\4prim\0\1\2\0\4shar\10\4\0\3sig");
    PUT_OLD("server_key_exchange", "anonymous", 4, "\0\4prim\0\1\2\0\4shar");
    PUT_OLD("server_key_exchange", "psk", 1, "\0\4hint");
    PUT_OLD("server_key_exchange", "ecdhe-psk", 3, "\0\0\3\0\35\4abcd");
    PUT_OLD("server_key_exchange", "explicit", 26, "\1\0\35\4abcd\4\3\0\3sig");
    PUT_OLD("client_key_exchange", "rsa", 2, "\0\11encrypted");
    PUT_OLD("client_key_exchange", "dhe", 4, "\0\5share");
    PUT_OLD("client_key_exchange", "ecdhe", 6, "\5share");
    PUT_OLD("client_key_exchange", "psk", 1, "\0\10identity");
    PUT_OLD("client_key_exchange", "ecdhe-psk", 7, "\0\10identity\5share");
    PUT_OLD("certificate_request12", "tls12", 1, "\2\1\100\0\4\4\3\10\4\0\10\0\3abc\0\1x");
    PUT_OLD("certificate_request12", "tls11", 0, "\1\1\0\0");
    PUT_OLD("certificate_message12", "two", 0, "\0\0\13\0\0\4cert\0\0\1x");
    PUT_OLD("certificate_message12", "none", 0, "\0\0\0");
    PUT_OLD("certificate_verify12", "tls12", 1, "\4\3\0\3sig");
    PUT_OLD("certificate_verify12", "tls11", 0, "\0\3sig");
    PUT_OLD("certificate_status", "ocsp", 0, "\1\0\0\4ocsp");
    PUT_OLD("new_session_ticket12", "ticket", 0, "\0\0\34\40\0\6ticket");
    PUT_OLD("new_session_ticket12", "empty", 0, "\0\0\0\0\0\0");
    PUT_OLD("v2_client_hello", "tls10", 0,
            "\1\3\1\0\11\0\0\0\20\0\0\57\7\0\300\0\300\23challengechallen");
    PUT_OLD("v2_client_hello", "ssl2", 0,
            "\1\0\2\0\3\0\20\0\20\7\0\300"
            "session-id-of-16challengechallen");
    PUT_OLD("server_hello12", "extensions", 0,
            "\3\3randomrandomrandomrandomrandomra\0\300\57\0\0\31\377\1\0\1\0\0\13\0\2\1\0"
            "\0\27\0\0\0\43\0\0\0\5\0\0");
    PUT_OLD("server_hello12", "bare", 0, "\3\1randomrandomrandomrandomrandomra\4sess\0\57\0");
}

/* What servers answer `handfast scan` with: how it is read, then the bytes. */
#define PUT_FLIGHT(name, text) put_flight(name, text, sizeof(text) - 1)

static void put_flight(const char *name, const char *p, size_t n)
{
    struct buffer b = {0};
    add(&b, p, n);
    put_buffer("scan_flight", name, &b);
}

static void put_flights(void)
{
    PUT_FLIGHT("ssl2",
               "\1\200\56\4\0\1\0\2\0\5\0\6\0\20\60\3\2\1\1\1\0\200\7\0\300connection-id-16b"
               "\200\3\0\0\1");
    PUT_FLIGHT("alert", "\0\25\3\3\0\2\1\160\25\3\3\0\2\2\50");
    PUT_FLIGHT(
        "tls12",
        "\2\26\3\3\0\65\2\0\0\55\3\3randomrandomrandomrandomrandomra\0\300\57\0\0\5\377\1\0\1\0"
        "\26\3\3\0\16\13\0\0\6\0\0\3\0\0\0\16\0\0\0");
    PUT_FLIGHT("key_exchange",
               "\2\26\3\1\0\53\2\0\0\47\3\1randomrandomrandomrandomrandomra\0\0\63\0"
               "\26\3\1\0\21\14\0\0\15\0\1\7\0\1\2\0\1\3\0\2\4\5\16\0\0\0");
    PUT_FLIGHT("tls13",
               "\2\26\3\3\0\74\2\0\0\70\3\3randomrandomrandomrandomrandomra\0\23\1\0\0\20"
               "\0\53\0\2\3\4\0\63\0\6\0\35\0\2\1\2\24\3\3\0\1\1\27\3\3\0\4abcd");
}

/* In each message, with each version, in a first handshake and a later one. */
static void put_old_extensions(void)
{
    for (message_in = 0; message_in < 128; message_in++) {
        if (message_in & 7 && (message_in & 7) != 3 && (message_in & 7) < 5)
            continue;
        put_extension(0xff01, (const uint8_t *)"\0", 1, "first");
        put_extension(0xff01, (const uint8_t *)"\14\0\0\0\0\0\0\0\0\0\0\0\0", 13, "again");
        put_extension(23, NULL, 0, "ems");
        put_extension(11, (const uint8_t *)"\1\0", 2, "formats");
        put_extension(22, NULL, 0, "etm");
        put_extension(1, (const uint8_t *)"\2", 1, "fragment");
        put_extension(35, (const uint8_t *)"ticket", message_in & 7 ? 0 : 6, "ticket");
        put_extension(18, (const uint8_t *)"\0\4\0\2ab", message_in & 7 ? 6 : 0, "sct");
        put_extension(16, (const uint8_t *)"\0\3\2h2", 5, "alpn");
        put_extension(43, (const uint8_t *)"\4\3\4\3\3", 5, "versions");
    }
}

/* ---- whole handshakes */

static void put_stream(bool server, const char *name, unsigned flags, unsigned chunk,
                       unsigned starved, struct buffer *bytes)
{
    struct buffer b = {0};
    char full[100];
    snprintf(full, sizeof full, "%s%s", name, starved ? "-starved" : "");
    add_flags(&b, flags);
    add_u8(&b, chunk);
    add_u8(&b, starved);
    add(&b, buffer_front(bytes), buffer_len(bytes));
    put_buffer(server ? "server" : "client", full, &b);
}

/* A script that puts each message in its own place: where mutations are wanted. The first 5 bytes say
 * that no block is hooked. */
static void put_script(bool to_server, const char *name, unsigned flags,
                       const struct buffer *messages)
{
    static const uint8_t key_update[] = {MSG_KEY_UPDATE, 0, 0, 1, 1}, alert[] = {1, 0};
    struct buffer b = {0};
    const uint8_t *m = buffer_front(messages), *end = m + buffer_len(messages);
    add_flags(&b, flags);
    add_u8(&b, 0);
    add_u16(&b, 0);
    while (m < end) {
        size_t len = MSG_HEADER + ((size_t)m[1] << 16 | (size_t)m[2] << 8 | m[3]);
        if (m[0] == MSG_FINISHED && setup_old(flags) && !(flags & SET_NEW))
            add_u8(&b, 0); /* change_cipher_spec */
        add_u8(&b, 1);
        add_vec16(&b, m, len);
        m += len;
    }
    add_u8(&b, 0);
    add_u8(&b, REC_HANDSHAKE);
    add_vec16(&b, key_update, sizeof key_update);
    add_u8(&b, 8); /* padded */
    add_u8(&b, 30);
    add_u8(&b, REC_DATA);
    add_vec16(&b, "data", 4);
    add_u8(&b, 16); /* slowly */
    add_u8(&b, 1);
    add_u8(&b, REC_ALERT);
    add_vec16(&b, alert, sizeof alert);
    put_buffer(to_server ? "script_server" : "script_client", name, &b);
}

/* The same, but the extensions of one message come from the script. */
static void put_hooked(bool to_server, const char *name, unsigned flags, uint8_t type,
                       const uint8_t *block, size_t len)
{
    struct buffer b = {0};
    add_flags(&b, flags);
    add_u8(&b, type);
    add_vec16(&b, block, len);
    put_buffer(to_server ? "script_server" : "script_client", name, &b);
}

static void put_hooks(bool from_client, const char *name, unsigned flags,
                      const struct buffer *messages)
{
    const uint8_t *m = buffer_front(messages), *end = m + buffer_len(messages);
    while (m < end) {
        size_t len = MSG_HEADER + ((size_t)m[1] << 16 | (size_t)m[2] << 8 | m[3]);
        size_t at = 0;
        uint8_t type = m[0];
        char full[120];
        if (type == MSG_SERVER_HELLO && memcmp(m + 6, hello_retry_random, RANDOM_SIZE) == 0)
            type = MSG_HELLO_RETRY_REQUEST;
        if (type == MSG_CLIENT_HELLO) {
            at = 38u + 1 + m[38];
            at += 2u + get_u16(m + at);
            at += 1u + m[at];
        } else if (m[0] == MSG_SERVER_HELLO) {
            at = 38u + 1 + m[38] + 3;
        } else if (type == MSG_ENCRYPTED_EXTENSIONS) {
            at = MSG_HEADER;
        } else if (type == MSG_CERTIFICATE_REQUEST) {
            at = MSG_HEADER + 1u + m[MSG_HEADER];
        }
        snprintf(full, sizeof full, "%s-hook-%u", name, type);
        if (at)
            put_hooked(from_client, full, flags, type, m + at + 2, get_u16(m + at));
        m += len;
    }
}

static const struct {
    const char *name;
    unsigned flags;
} setups[] = {
    {"plain", 0},
    {"retry", SET_NO_SHARE | SET_COOKIE | SET_TRACE},
    {"resumed", SET_RESUME | SET_TRACE},
    {"resumed-alone", SET_RESUME | SET_PSK_ALONE},
    {"resumed-retry", SET_RESUME | SET_NO_SHARE | SET_ALPN},
    {"client-auth", SET_CLIENT_AUTH | SET_AUTHORITIES | SET_TRACE},
    {"everything", SET_CLIENT_AUTH | SET_REQUIRE | SET_ALPN | SET_LIMIT | SET_OCSP |
                       SET_SHA384 | SET_AUTHORITIES | SET_PADDING | SET_TRACE},
    {"chacha", SET_CHACHA | SET_NO_COMPAT | SET_P256},
    {"asking", SET_ASK | SET_CLIENT_AUTH | SET_UPDATES | SET_TRACE},
    {"asking-resumed", SET_ASK | SET_RESUME | SET_NO_TICKETS | SET_OWN_ALPN},
    {"resumed-384", SET_RESUME | SET_SHA384 | SET_LIMIT | SET_OCSP},
    {"old", SET_OLD | SET_TRACE},
    {"old-everything", SET_OLD | SET_TRACE | SET_CLIENT_AUTH | SET_REQUIRE | SET_ALPN |
                           SET_OCSP | SET_AUTHORITIES | SET_LIMIT | OLD_RENEGOTIATE},
    {"old-resumed", SET_OLD | SET_RESUME | SET_TRACE | SET_ALPN | OLD_RENEGOTIATE},
    {"old-cbc",
     SET_OLD | SET_SHA384 | SET_CHACHA | SET_ASK | SET_CLIENT_AUTH | OLD_RENEGOTIATE},
    {"old-psk", SET_OLD | SET_PADDING | SET_TRACE | SET_ASK | OLD_RENEGOTIATE},
    {"old-psk-alone", SET_OLD | SET_PADDING | SET_SHA384 | SET_RESUME},
    {"old-false-start", SET_OLD | SET_CHACHA | SET_ALPN | OLD_FALSE_START | OLD_FRAGMENT},
    {"older", SET_OLDER | SET_TRACE | OLD_RENEGOTIATE | SET_CLIENT_AUTH},
    {"older-resumed", SET_OLDER | SET_RESUME | OLD_NO_ETM | SET_SHA384 | SET_CHACHA},
    {"older-null", SET_OLDER | SET_CHACHA | SET_NO_TICKETS | OLD_RENEGOTIATE},
    {"old-older", SET_OLD | SET_OLDER | SET_SHA384 | SET_PADDING | SET_CHACHA},
    {"external", SET_EXTERNAL | SET_TRACE},
    {"external-alone", SET_EXTERNAL | SET_PSK_ALONE | SET_TRACE},
    {"imported", SET_IMPORTED | SET_EXTERNAL | SET_TRACE},
    {"imported-384", SET_IMPORTED | SET_SHA384 | SET_NO_SHARE},
    {"hybrid", SET_HYBRID | SET_TRACE},
    {"hybrid-retried", SET_HYBRID | SET_NO_SHARE | SET_COOKIE},
    {"grease", SET_GREASE | SET_WANT_TICKETS | SET_TRACE},
    {"grease-retried", SET_GREASE | SET_NO_SHARE},
    {"early-refused", SET_EARLY | SET_RESUME | SET_NO_SHARE},
    {"early", SET_EARLY | SET_RESUME | SET_TRACE},
    {"early-small", SET_EARLY | SET_RESUME | SET_SMALL | SET_UPDATES},
    {"all-versions", SET_OLD | SET_OLDER | SET_NEW | SET_TRACE | SET_CLIENT_AUTH},
    {"all-versions-resumed", SET_OLD | SET_OLDER | SET_NEW | SET_RESUME | SET_TRACE},
    {"later", SET_NEW | SET_CLIENT_AUTH | SET_TRACE},
    {"later-asking",
     SET_NEW | SET_CLIENT_AUTH | SET_ASK | SET_LIMIT | SET_AUTHORITIES | SET_TRACE},
    {"later-nobody", SET_NEW | SET_RESUME | SET_UPDATES | SET_SHA384},
    {"newer", SET_OLD | SET_NEW | SET_P256 | SET_NO_COMPAT},
};

static void put_early_data(const char *name, unsigned flags, const struct buffer *messages);

static void handshake(const char *name, unsigned flags)
{
    static struct ends e;
    struct buffer to_server = {0}, to_client = {0}, all[2] = {{0}, {0}};
    static const uint8_t text[] = "application data";
    uint8_t out[600];
    size_t taken, written;
    memset(&e, 0, sizeof e);
    e.recorded = 3;
    ends_open(&e, flags, flags);
    for (bool moved = true; moved;) {
        moved = end_move(e.client, &to_server);
        add(&all[1], buffer_front(&to_server), buffer_len(&to_server));
        (void)end_feed(e.server, &to_server, 0, NULL);
        moved |= end_move(e.server, &to_client);
        add(&all[0], buffer_front(&to_client), buffer_len(&to_client));
        (void)end_feed(e.client, &to_client, 0, NULL);
    }
    REQUIRE(end_done(e.client) && end_done(e.server));
    REQUIRE(!(flags & SET_RESUME) || hf_conn_resumed(e.client));
    for (int side = 0; side < 2; side++) {
        hf_conn *from = side ? e.client : e.server;
        REQUIRE(hf_conn_send(from, text, sizeof text, &taken, out, sizeof out, &written) ==
                HF_DONE);
        add(&all[side], out, written);
        put_stream(side, name, flags, flags & SET_TRACE ? 3 : 0, 0, &all[side]);
        if (!(flags & SET_TRACE))
            put_stream(side, name, flags, 0, 7, &all[side]);
        const struct buffer *messages =
            side ? &e.client_watch.messages : &e.server_watch.messages;
        put_script(side, name, flags, messages);
        if (setup_old(flags))
            continue; /* for their messages there are other seeds */
        put_hooks(side, name, flags, messages);
        if (side && !(flags & SET_RESUME)) {
            char early[120];
            snprintf(early, sizeof early, "%s-early", name);
            put_early_data(early, flags, messages);
        }
        const uint8_t *m = buffer_front(messages), *end = m + buffer_len(messages);
        size_t len;
        char full[100];
        snprintf(full, sizeof full, "%s-%s", name, side ? "c" : "s");
        for (unsigned i = 0; m < end; i++)
            m = each_message(m, full, i, &len);
    }
    if (e.session && !(flags & SET_RESUME)) {
        uint8_t bytes[4000];
        size_t n = hf_session_export(e.session, bytes + 1, sizeof bytes - 1);
        REQUIRE(n < sizeof bytes);
        bytes[0] = 1;
        put("session", name, bytes, n + 1);
        struct buffer b = {0};
        add_u8(&b, 0);
        add(&b, e.session->ticket, e.session->ticket_len);
        put_buffer("ticket", name, &b);
        struct wr w;
        wr_start(&w, &b);
        wr_u8(&w, 1);
        mem_free(e.session->ticket);
        e.session->ticket = NULL;
        e.session->ticket_len = 0;
        session_write(&w, e.session);
        char full[100];
        snprintf(full, sizeof full, "%s-sealed", name);
        put_buffer("ticket", full, &b);
    }
    buffer_clear(&to_server);
    buffer_clear(&to_client);
    buffer_clear(&all[0]);
    buffer_clear(&all[1]);
    ends_close(&e);
}

/* Records that come again and again, after the handshake or in the middle of it. */
static void put_floods(void)
{
    static const uint8_t update[] = {MSG_KEY_UPDATE, 0, 0, 1, 0}, cancel[] = {1, 90},
                         ccs[] = {1};
    static const uint8_t ticket[] = {
        MSG_NEW_SESSION_TICKET, 0, 0, 14, 0, 0, 0, 9, 0, 0, 0, 0, 0, 0, 1, 7, 0, 0};
    static const uint8_t hello[] = {MSG_CLIENT_HELLO, 0, 0, 0};
    static const uint8_t fill[204] = {MSG_ENCRYPTED_EXTENSIONS, 0, 0x3f, 0xff};
    static const struct {
        const char *name;
        uint8_t type, op; /* op: REPEAT and whether in the middle (OP_INSERT) */
        const uint8_t *p;
        size_t n;
    } floods[] = {
        {"updates", REC_HANDSHAKE, 64, update, sizeof update},
        {"warnings", REC_ALERT, 64, cancel, sizeof cancel},
        {"empty", REC_DATA, 64, NULL, 0},
        {"tickets", REC_HANDSHAKE, 64, ticket, sizeof ticket},
        {"hello", REC_HANDSHAKE, 0, hello, sizeof hello},
        {"ccs", 0x80 | REC_CCS, 64 | 5, ccs, sizeof ccs},
        {"warnings-early", 0x80 | REC_ALERT, 64 | 5, cancel, sizeof cancel},
        {"data-early", 0x80 | REC_DATA, 64 | 5, update, sizeof update},
        {"fill", REC_HANDSHAKE, 64 | 5, fill, sizeof fill},
        {"empty-handshake", REC_HANDSHAKE, 5, NULL, 0},
    };
    for (size_t i = 0; i < 2 * (sizeof floods / sizeof *floods); i++) {
        struct buffer b = {0};
        size_t j = i / 2;
        bool to_server = i % 2;
        /* All messages of the peer's pass first: ClientHello and Finished, or the server's six. */
        int pass = floods[j].op & 7 ? 1 : to_server ? 2 : 6;
        add_flags(&b, 0);
        add_u8(&b, 0);
        add_u16(&b, 0);
        while (pass-- > 0)
            add_u8(&b, 0);
        add_u8(&b, floods[j].op);
        if (floods[j].op & 64)
            add_u8(&b, 80);
        add_u8(&b, floods[j].type);
        add_vec16(&b, floods[j].p, floods[j].n);
        put_buffer(to_server ? "script_server" : "script_client", floods[j].name, &b);
    }
}

/* A client that announces early data, and sends some that do not decrypt: they are skipped. */
static void put_early_data(const char *name, unsigned flags, const struct buffer *messages)
{
    static const uint8_t early[] = {0, 42, 0, 0}, data[100] = {1};
    const uint8_t *m = buffer_front(messages);
    struct buffer block = {0}, b = {0};
    REQUIRE(m && buffer_len(messages) > 100);
    size_t at = 38u + 1 + m[38];
    at += 2u + get_u16(m + at);
    at += 1u + m[at];
    add(&block, m + at + 2, get_u16(m + at));
    add(&block, early, sizeof early);
    add_flags(&b, flags);
    add_u8(&b, MSG_CLIENT_HELLO);
    add_vec16(&b, buffer_front(&block), buffer_len(&block));
    add_u8(&b, 0); /* ClientHello */
    add_u8(&b, 64 | 5);
    add_u8(&b, 20);
    add_u8(&b, 0x80 | REC_DATA);
    add_vec16(&b, data, sizeof data);
    put_buffer("script_server", name, &b);
    buffer_clear(&block);
}

/* Operations of pair.c behind each pair of setups. */
static void put_pairs(void)
{
    static const uint8_t ops[] = {7,    200, 90, 0x87, 100, 3, 0,    0x12, 0x34, 0x80, 0x23,
                                  0x45, 1,   1,  0x81, 0,   2, 0x82, 0x85, 7,    0,    0,
                                  9,    6,   8,  0,    0,   0, 9,    0x88, 1,    0x80, 0,
                                  9,    8,   1,  0,    0,   7, 3,    0x83};
    static const uint8_t damage[] = {4, 0, 40, 1};
    for (size_t i = 0; i < sizeof setups / sizeof *setups; i++) {
        struct buffer b = {0};
        size_t j = i * 2 % (sizeof setups / sizeof *setups);
        char name[100];
        add_flags(&b, setups[i].flags);
        add_flags(&b, setups[i % 2 ? i : j].flags);
        add_u16(&b, i * 5);
        add_u8(&b, i % 3 == 2);
        if (i % 3 == 2)
            add(&b, damage, sizeof damage);
        add(&b, ops, sizeof ops);
        snprintf(name, sizeof name, "%s-%zu", setups[i].name, i);
        put_buffer("pair", name, &b);
    }
}

/* ---- RFC 8448 */

static void put_trace(const struct trace *t)
{
    const char *records[] = {t->client_hello, t->hello_retry, t->second_hello, t->server_hello};
    const char *messages[] = {t->encrypted_extensions, t->certificate_request, t->certificate};
    uint8_t bytes[2000];
    char name[100];
    for (size_t i = 0; i < 4; i++) {
        snprintf(name, sizeof name, "rfc8448-%u-r%zu", t->section, i);
        if (records[i])
            put_message(bytes + 5, unhex(records[i], bytes) - 5, name);
    }
    for (size_t i = 0; i < 3; i++) {
        snprintf(name, sizeof name, "rfc8448-%u-m%zu", t->section, i);
        if (messages[i])
            put_message(bytes, unhex(messages[i], bytes), name);
    }
}

/* ---- text and small things */

static void put_text(const char *target, const char *before, size_t n, const char *const *text)
{
    for (unsigned i = 0; text[i]; i++) {
        struct buffer b = {0};
        char name[32];
        add(&b, before, n);
        add(&b, text[i], strlen(text[i]));
        snprintf(name, sizeof name, "%u-%u", n ? (unsigned)(unsigned char)before[0] : 0, i);
        put_buffer(target, name, &b);
    }
}

static void put_texts(void)
{
    static const char *const urls[] = {"tls://example.com:443",
                                       "tcp://[::1]:80",
                                       "tls://[fe80::1%25eth0]:443",
                                       "tls://10.0.0.1:1",
                                       "tlsv1.3://a-b.example.:8443",
                                       "tls://*:443",
                                       "ssl://example.com:443",
                                       "sslv3://example.com:1",
                                       "unix:///tmp/x",
                                       "TLS://EXAMPLE.com:65535",
                                       "tls://:443",
                                       "https://example.com/",
                                       "udp://127.0.0.1:domain",
                                       "udg://@name",
                                       "[fe80::1%lo]:53",
                                       "[::ffff:192.0.2.1]:53",
                                       "192.0.2.1:ntp",
                                       "tcp://b\xc3\xbc"
                                       "cher.example:80",
                                       "\x80tcp://fe80::1",
                                       "\x81tcp://fe80::1%25lo",
                                       "\x81[::1]:600",
                                       NULL};
    static const char *const peers[] = {"220 mail.example ESMTP\r\n",
                                        "HTTP/1.1 400 Bad\r\n",
                                        "SSH-2.0-OpenSSH\r\n",
                                        "* OK IMAP4rev1\r\n",
                                        "+OK POP3\r\n",
                                        "GET / HTTP/1.1\r\n",
                                        "EHLO x\r\n",
                                        "\x80\x2e\x01\x03\x01",
                                        "\x16\x03",
                                        "<?xml version='1.0'?>",
                                        "PROXY TCP4 1.1.1.1 2",
                                        "E\0\0\0",
                                        "\x05\x01",
                                        NULL};
    static const char *const suites[] = {"TLS_AES_128_GCM_SHA256:TLS_CHACHA20_POLY1305_SHA256",
                                         "tls_aes_256_gcm_sha384, TLS_AES_128_CCM_SHA256", "",
                                         NULL};
    static const char *const groups[] = {"X25519MLKEM768:x25519 P-256,secp384r1",
                                         "P-521:ffdhe2048", NULL};
    static const char *const sigalgs[] = {"ecdsa_secp256r1_sha256:ed25519",
                                          "rsa_pss_rsae_sha256", NULL};
    static const char *const group_lists[] = {"?X25519MLKEM768:*x25519/P-256:-x448",
                                              "DEFAULT:-P-384 / ffdhe2048", NULL};
    static const char *const cipher_strings[] = {"ECDHE+AESGCM:!aNULL:@STRENGTH:@SECLEVEL=1",
                                                 "-ALL:+SHA1", NULL};
    static const char *const alpns[] = {"h2,http/1.1", "a", NULL};
    static const char *const names[] = {"example.com", "10.0.0.1", "::1", "a..b", NULL};
    static const char *const options[] = {
        "verify_peer=no\nverify_peer_name=no\n",
        "ssl.crypto_method=TLSv1.2|TLSv1.3\nciphers=ECDHE+AESGCM:@SECLEVEL=1\nsecurity_level=0",
        "peer_fingerprint=sha256//AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=",
        "peer_fingerprint=00:01:02:03:04:05:06:07:08:09:0a:0b:0c:0d:0e:0f:10:11:12:13:14:15:16:17:18:19:1a:1b:1c:1d:1e:1f",
        "peer_fingerprint=d41d8cd98f00b204e9800998ecf8427e",
        "SNI_server_certs=a.test=/x.pem:/x.key,*.b.test=/y.pem",
        "backlog=5\nbindto=[::1]:0\ntimeout=-1\nconnect_timeout=0.5\nipv6_v6only=no",
        "alpn_protocols=h2,http/1.1\necdh_curve=X25519:P-256\nhonor_cipher_order=off\nno_ticket=on",
        "cafile=-----BEGIN CERTIFICATE-----\nmin_proto_version=33\nmax_proto_version=65\nverify_depth=3",
        "psk_client_cb=x\nverify_per=1\n=\nx",
        NULL};
    put_text("options", "", 0, options);
    put_text("url", "", 0, urls);
    put_text("recognise", "\0", 1, peers);
    put_text("recognise", "\1", 1, peers);
    put_text("lists", "\0", 1, suites);
    put_text("lists", "\1", 1, groups);
    put_text("lists", "\2", 1, sigalgs);
    put_text("lists", "\3", 1, groups);
    put_text("lists", "\4", 1, alpns);
    put_text("lists", "\5", 1, names);
    put_text("lists", "\x84", 1, alpns);
    put_text("lists", "\6", 1, group_lists);
    put_text("lists", "\7", 1, sigalgs);
    put_text("lists", "\x08", 1, cipher_strings);
}

/* What peers say before TLS, by the rows of the table in src/net/starttls.c; 0x80: a client. */
static void put_starttls(void)
{
    /* clang-format off */
    static const struct { uint8_t which; const char *says; size_t len; } rows[] = {
#define SAYS(s) s, sizeof s - 1
        {0, SAYS("220-a\r\n220 b ESMTP\r\n250-a\r\n250-STARTTLS\r\n250 HELP\r\n220 2.0.0 go\r\n")},
        {0, SAYS("220 a\r\n250 a\r\n")},
        {2, SAYS("421 4.3.2 busy\r\n")},
        {3, SAYS("* OK [CAPABILITY IMAP4rev1] hi\r\n* CAPABILITY X\r\na1 OK go\r\n")},
        {3, SAYS("* PREAUTH hi\r\n")},
        {4, SAYS("+OK hi\r\n-ERR no\r\n")},
        {5, SAYS("120 wait\r\n220-a\r\n b\r\n220 c\r\n234 go\r\n")},
        {6, SAYS("<?xml version='1.0'?><stream:stream id='a>b'><stream:features><starttls xmlns=\"x\"/></stream:features><proceed/>")},
        {6, SAYS("<stream:stream><stream:error><host-unknown/></stream:error>")},
        {7, SAYS("<stream:stream> <stream:features><starttls></starttls></stream:features> <proceed></proceed>")},
        {8, SAYS("\x30\x0c\x02\x01\x01\x78\x07\x0a\x01\x00\x04\x00\x04\x00")},
        {8, SAYS("\x30\x81\x12\x02\x01\x01\x78\x0d\x0a\x01\x02\x04\x00\x04\x06no TLS")},
        {9, SAYS("201 hi\r\n382 go\r\n")},
        {10, SAYS("\"IMPLEMENTATION\" \"x\"\r\n\"STARTTLS\"\r\nOK\r\nOK \"go\"\r\n")},
        {11, SAYS("S")},
        {11, SAYS("N")},
        {11, SAYS("E\0\0\0\x18SFATAL\0C0A000\0Mno\0\0\0")},
        {13, SAYS("\x29\0\0\0\x0a" "8.0.36\0\1\0\0\0saltsalt\0\xff\xff\x21\2\0\xff\xff\x15\0\0\0\0\0\0\0\0\0\0ab")},
        {13, SAYS("\x17\0\0\0\xff\x10\x04#08004Too many")},
        {14, SAYS(":irc NOTICE * :hi\r\nPING :1\r\n:irc 670 * :go\r\n")},
        {14, SAYS(":irc 421 * STARTTLS :Unknown command\r\n")},
        {0x80, SAYS("EHLO a\r\nNOOP\r\nMAIL FROM:<a>\r\nSTARTTLS\r\nQUIT\r\n")},
        {0x83, SAYS("a CAPABILITY\r\nb1 STARTTLS\r\n{3}\r\nc LOGOUT\r\n")},
        {0x86, SAYS("<?xml version='1.0'?><stream:stream to='a'><starttls xmlns='x'/>")},
        {0x8b, SAYS("\0\0\0\x08\x04\xd2\x16\x30\0\0\0\x08\x04\xd2\x16\x2f")},
        {0x8b, SAYS("\0\0\0\x0c\0\3\0\0user")},
#undef SAYS
    };
    /* clang-format on */
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct buffer b = {0};
        char name[32];
        add_u8(&b, rows[i].which);
        add(&b, rows[i].says, rows[i].len);
        snprintf(name, sizeof name, "%zu", i);
        put_buffer("starttls", name, &b);
    }
}

/* Edges of coefficients and of keys: the last one that is reduced, the first one that is not. */
static void put_mlkem(void)
{
    static const uint8_t patterns[][6] = {{0, 0, 0},          {0xff, 0xff, 0xff},
                                          {0x00, 0x0d, 0xd0}, {0x01, 0x1d, 0xd0},
                                          {0, 0, 0x80},       {1, 2, 3, 4, 5, 6}};
    static const uint16_t places[] = {0, 3, 1089, 1152, 1183, 2336, 2368, 2399, 3167};
    for (unsigned choices = 0; choices < 8; choices++) {
        for (size_t i = 0; i < sizeof patterns / sizeof *patterns; i++) {
            for (size_t k = 0; k < sizeof places / sizeof *places; k++) {
                struct buffer b = {0};
                char name[32];
                add_u8(&b, choices);
                add_u16(&b, places[k]);
                add(&b, patterns[i], sizeof patterns[i]);
                snprintf(name, sizeof name, "%u-%zu-%zu", choices, i, k);
                put_buffer("mlkem", name, &b);
            }
        }
    }
}

static void put_errors(void)
{
    for (unsigned code = 0; code + 1 < HF_E_COUNT; code++) {
        struct buffer b = {0};
        char name[32];
        add_u8(&b, code);
        add_u8(&b, code % 64);
        add(&b, "\0\1\2\3\4", code % 6);
        add_vec16(&b, "ClientHello.extensions", 22);
        add_vec16(&b, "a \"quoted\"\n\xc3\xa4 detail \xff", 21);
        snprintf(name, sizeof name, "%u", code);
        put_buffer("explain", name, &b);
    }
}

static void put_records(void)
{
    static const uint8_t plain[] = {22, 3, 1, 0, 4, 1, 0,  0,  0, 20, 3, 3, 0, 1, 1,
                                    21, 3, 3, 0, 2, 2, 40, 23, 3, 3,  0, 3, 1, 2, 3};
    static const uint8_t inner[] = {'d', 'a', 't', 'a', REC_DATA, 0, 0, 0};
    for (unsigned choices = 0; choices < 64; choices++) {
        struct buffer b = {0};
        char name[32];
        add_u8(&b, choices);
        add_u8(&b, choices % 5 * 3);
        if (choices & 4 && choices & 3) {
            add_vec16(&b, inner, sizeof inner);
            add_vec16(&b, inner, 5);
            add_vec16(&b, inner + 4, 4);
        } else {
            add(&b, plain, sizeof plain);
        }
        snprintf(name, sizeof name, "%u", choices);
        put_buffer("record", name, &b);
    }
}

/* Of TLS 1.2 and older: every way to protect them; padding of several lengths, and some that is wrong. */
static void put_old_records(void)
{
    static const uint8_t wire[] = {23, 3, 3, 0, 32, 1, 2, 3, 4, 5};
    for (unsigned way = 0; way < 10; way++)
        for (unsigned choices = 0; choices < 64; choices++) {
            struct buffer b = {0};
            char name[32];
            uint8_t tail[272];
            unsigned pad = choices * 5 % 256;
            size_t at = 0, len = 20 + choices;
            add_u8(&b, way);
            add_u8(&b, choices);
            add_u8(&b, choices % 7 == 6);
            memset(tail, (int)pad, sizeof tail);
            if (choices & 8) {
                add(&b, wire, sizeof wire);
            } else if (way < 4) {
                add(&b, "\3nonce...data that is sent", 26);
            } else {
                /* The padding ends with its block in some of them, whatever the MAC's size. */
                static const size_t macs[] = {20, 32, 48, 32};
                size_t mac = way < 8 && !(choices & 4) ? macs[way - 4] : 0;
                at = way < 8 ? pad + 1 : 0;
                len += (16 - (len + mac + at) % 16) % 16;
                uint8_t content[128] = "content";
                add_vec16(&b, content, len);
                add(&b, tail, at);
            }
            snprintf(name, sizeof name, "%u-%u", way, choices);
            put_buffer("record12", name, &b);
        }
}

static void put_crl(const char *name, uint8_t mode, const void *list, size_t len,
                    const void *more, size_t more_len)
{
    struct buffer b = {0};
    add_u8(&b, mode);
    add(&b, list, len);
    add(&b, more, more_len);
    put_buffer("crl", name, &b);
}

static void put_crls(void)
{
    put_crl("empty", 0, empty_crl, sizeof empty_crl, "", 0);
    put_crl("empty-chain", 1, empty_crl, sizeof empty_crl, "", 0);
    put_crl("revoking", 0, revoking_crl, sizeof revoking_crl, "", 0);
    put_crl("old", 0, old_crl, sizeof old_crl, "", 0);
    put_crl("scoped", 0, scoped_crl, sizeof scoped_crl, "", 0);
    put_crl("cut", 0, empty_crl, sizeof empty_crl - 1, "", 0);
    put_crl("behind", 0, empty_crl, sizeof empty_crl, revoking_crl, sizeof revoking_crl);
    put_crl("none", 1, "", 0, "", 0);
    put_crl("pem", 0, revoking_crl_pem, sizeof revoking_crl_pem - 1, "", 0);
    put_crl("pem-twice", 1, revoking_crl_pem, sizeof revoking_crl_pem - 1, revoking_crl_pem,
            sizeof revoking_crl_pem - 1);
    put_crl("certificate", 0, crl_root_pem, sizeof crl_root_pem - 1, "", 0);
}

static void put_identities(void)
{
    put_crls();
    put("ocsp", "good", server_ocsp, sizeof server_ocsp);
    put("ocsp", "cut", server_ocsp, sizeof server_ocsp - 1);
    put("ocsp", "none", NULL, 0);
    const char *pem[] = {root_pem, server_pem, client_pem},
               *key[] = {"", server_key_pem, client_key_pem};
    for (int i = 0; i < 3; i++) {
        struct buffer b = {0};
        hf_error err = {0};
        char name[8] = {(char)('0' + i), 0};
        add_vec16(&b, pem[i], strlen(pem[i]));
        add(&b, key[i], strlen(key[i]));
        put_buffer("credential", name, &b);
        hf_credential *c =
            hf_credential_load_memory(pem[i], strlen(pem[i]), NULL, 0, NULL, NULL, &err);
        REQUIRE(c != NULL);
        size_t len;
        const uint8_t *der = hf_certificate_der(hf_credential_certificate(c, 0), &len);
        add_vec16(&b, "server.example", 14);
        add(&b, der, len);
        put_buffer("certificate", name, &b);
        add_vec16(&b, der, len);
        name[1] = 'd';
        put_buffer("credential", name, &b);
        hf_credential_free(c);
    }
    seed_certificates(put, server_pem, server_key_pem);
}

/* Scripts of calls: see ssl.c. 16 shakes both, 2 writes, 1 reads; 0x80: the server. */
static void put_scripts(void)
{
    static const struct {
        const char *name;
        unsigned setup;
        uint8_t at_once, n, script[40];
    } scripts[] = {
        {"simple", 0, 0, 13, {16, 2, 1, 0, 0x81, 1, 0, 0x82, 0, 9, 1, 0, 9}},
        {"extension", 1 << 10 | 1 << 5 | 1 << 6 | 1 << 4, 0, 6, {16, 0x82, 0, 9, 1, 0}},
        {"extension12", 1 << 10 | 1 << 5 | 1 << 6 | 1, 0, 6, {16, 0x82, 0, 9, 1, 0}},
        {"old", 1 << 1, 0, 11, {16, 2, 0x40, 0, 0x81, 0x40, 0, 4, 0x84, 4, 14}},
        {"narrow",
         1 << 8 | 1 << 9,
         7,
         14,
         {16, 16, 16, 16, 2, 1, 0, 0x81, 1, 0, 0x81, 1, 0, 14}},
        {"later",
         1 << 2 | 1 << 3,
         0,
         14,
         {16, 0x8b, 0x80, 1, 0, 9, 0x81, 0, 9, 14, 0x8e, 9, 1, 0x8c}},
        {"resumed", 0, 0, 12, {16, 0x82, 0, 1, 1, 0, 9, 4, 15, 16, 14, 0x8e}},
        {"early",
         1 << 12,
         0,
         18,
         {16, 0x82, 0, 1, 1, 0, 9, 4, 0x84, 15, 13, 5, 0x8d, 20, 0x8d, 20, 16, 14}},
        {"renegotiated", 1 | 1 << 2, 0, 12, {16, 8, 16, 0x88, 0x80, 1, 0, 1, 16, 14, 0x8e, 4}},
        {"waiting", 1 << 14 | 1 << 2, 0, 4, {16, 16, 14, 0x8e}},
        {"retried", 1 << 19 | 1 << 16 | 1 << 15, 0, 9, {16, 2, 9, 9, 0x81, 9, 9, 14, 0x8e}},
        {"psk", 1 << 11 | 1, 0, 4, {18, 1, 16, 14}},
        {"refused", 1 << 17, 0, 6, {16, 14, 0x8e, 4, 0x84, 10}},
        {"cut", 1 << 18, 3, 8, {16, 16, 7, 1, 0, 9, 4, 14}},
    };
    for (size_t i = 0; i < sizeof scripts / sizeof *scripts; i++) {
        struct buffer b = {0};
        add_u8(&b, scripts[i].setup >> 16);
        add_u16(&b, scripts[i].setup & 0xffff);
        add_u8(&b, scripts[i].at_once);
        add_vec16(&b, "mine", 4);
        add(&b, scripts[i].script, scripts[i].n);
        put_buffer("ssl", scripts[i].name, &b);
    }
}

int main(int argc, char **argv)
{
    REQUIRE(argc == 3);
    root = argv[1];
    (void)mkdir(root, 0777);
    for (size_t i = 0; i < sizeof setups / sizeof *setups; i++)
        handshake(setups[i].name, setups[i].flags);
    put_scripts();
    put_trace(&trace_simple);
    put_trace(&trace_retry);
    put_trace(&trace_client_auth);
    put_trace(&trace_compat);
    put_trace(&trace_resumed);
    static const uint8_t key_update[] = {MSG_KEY_UPDATE, 0, 0, 1, 1};
    put_message(key_update, sizeof key_update, "asked");
    put_rare_extensions();
    put_old_messages();
    put_flights();
    put_old_extensions();
    put_pairs();
    put_floods();
    put_texts();
    put_errors();
    put_starttls();
    seed_cookies(put);
    put_mlkem();
    put_records();
    put_old_records();
    put_identities();
    FILE *stamp = fopen(argv[2], "w");
    REQUIRE(stamp && fclose(stamp) == 0);
    return 0;
}
