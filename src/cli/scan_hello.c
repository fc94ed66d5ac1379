#include "cli/scan_hello.h"

#include <string.h>
#include <unistd.h>

#include "message/message.h"
#include "record/record.h"

/* Extensions that these hellos have, by number. */
enum {
    SERVER_NAME = 0,
    STATUS_REQUEST = 5,
    GROUPS = 10,
    POINT_FORMATS = 11,
    SCHEMES = 13,
    HEARTBEAT = 15,
    PADDING = 21,
    ENCRYPT_THEN_MAC = 22,
    EXTENDED_MASTER_SECRET = 23,
    SESSION_TICKET = 35,
    SUPPORTED_VERSIONS = 43,
    PSK_MODES = 45,
    SCHEMES_CERT = 50,
    KEY_SHARE = 51,
    RENEGOTIATION_INFO = 0xff01,
};
enum { GREASE = 0x5a5a, GREASE_2 = 0x8a8a, FALLBACK_SCSV = 0x5600, SSL3 = 0x0300 };

static void write_list(struct wr *w, const struct numbers *list, bool odd)
{
    size_t mark = wr_open(w, 2);
    if (odd)
        wr_u16(w, GREASE);
    for (size_t i = 0; i < list->count; i++)
        wr_u16(w, list->n[i]);
    wr_close(w, mark, 2);
}

static size_t open_extension(struct wr *w, uint16_t id)
{
    wr_u16(w, id);
    return wr_open(w, 2);
}

static void write_empty(struct wr *w, uint16_t id)
{
    wr_close(w, open_extension(w, id), 2);
}

static void write_bytes(struct wr *w, uint16_t id, const void *p, size_t len)
{
    size_t mark = open_extension(w, id);
    wr_bytes(w, p, len);
    wr_close(w, mark, 2);
}

/* RFC 6066 3 */
static void write_name(struct wr *w, const char *name)
{
    size_t mark = open_extension(w, SERVER_NAME), list = wr_open(w, 2);
    wr_u8(w, 0);
    wr_opaque16(w, slice_of(name, strlen(name)));
    wr_close(w, list, 2);
    wr_close(w, mark, 2);
}

static void write_numbers(struct wr *w, uint16_t id, const struct numbers *list, bool odd)
{
    size_t mark = open_extension(w, id);
    write_list(w, list, odd);
    wr_close(w, mark, 2);
}

/* What only hellos of TLS 1.3 have: RFC 8446 4.2.1, 4.2.8, 4.2.9. */
static void write_new(struct wr *w, const struct hello *h)
{
    size_t mark = open_extension(w, SUPPORTED_VERSIONS), list = wr_open(w, 1);
    if (h->odd & ODD_VERSION)
        wr_u16(w, GREASE);
    wr_u16(w, HF_TLS1_3);
    wr_close(w, list, 1);
    wr_close(w, mark, 2);
    write_bytes(w, PSK_MODES, "\x01\x01", 2);
    mark = open_extension(w, KEY_SHARE);
    list = wr_open(w, 2);
    if (h->share_group) {
        wr_u16(w, h->share_group);
        wr_opaque16(w, h->share);
    }
    wr_close(w, list, 2);
    wr_close(w, mark, 2);
}

static void write_old(struct wr *w)
{
    write_bytes(w, POINT_FORMATS, "\x03\x00\x01\x02", 4);
    write_bytes(w, RENEGOTIATION_INFO, "", 1);
    write_empty(w, EXTENDED_MASTER_SECRET);
    write_empty(w, ENCRYPT_THEN_MAC);
    write_empty(w, SESSION_TICKET);
    write_bytes(w, HEARTBEAT, "\x01", 1);
}

static void write_padding(struct wr *w, size_t begin, size_t length)
{
    size_t now = wr_at(w) - begin;
    if (now + 4 >= length)
        return;
    size_t mark = open_extension(w, PADDING);
    uint8_t *zeros = wr_space(w, length - now - 4);
    if (zeros)
        memset(zeros, 0, length - now - 4);
    wr_close(w, mark, 2);
}

static void write_extensions(struct wr *w, const struct hello *h, size_t begin)
{
    size_t block = wr_open(w, 2);
    if (h->odd & ODD_EXTENSION)
        write_empty(w, GREASE);
    if (h->name)
        write_name(w, h->name);
    if (h->groups)
        write_numbers(w, GROUPS, h->groups, h->odd & ODD_GROUP);
    if (h->schemes) {
        write_numbers(w, SCHEMES, h->schemes, h->odd & ODD_SCHEME);
    }
    write_bytes(w, STATUS_REQUEST, "\x01\0\0\0\0", 5);
    if (h->version >= HF_TLS1_3)
        write_new(w, h);
    else
        write_old(w);
    if (h->odd & ODD_EXTENSION)
        write_bytes(w, GREASE_2, "\0", 1);
    if (h->length)
        write_padding(w, begin, h->length);
    wr_close(w, block, 2);
}

static void write_suites(struct wr *w, const struct hello *h)
{
    size_t mark = wr_open(w, 2);
    if (h->odd & ODD_SUITE)
        wr_u16(w, GREASE);
    for (size_t i = 0; i < h->suites->count; i++)
        wr_u16(w, h->suites->n[i]);
    if (h->fallback)
        wr_u16(w, FALLBACK_SCSV);
    wr_close(w, mark, 2);
}

static uint16_t legacy_version(const struct hello *h)
{
    if (h->odd & ODD_LEGACY_VERSION)
        return 0x0305;
    return h->version > HF_TLS1_2 ? HF_TLS1_2 : h->version;
}

/* RFC 5246 E.1: the lowest version that may be meant, so that old servers read on. */
static uint16_t record_version(const struct hello *h)
{
    if (h->odd & ODD_RECORD_VERSION)
        return 0x0304;
    return h->version == SSL3 ? SSL3 : HF_TLS1_0;
}

bool hello_write(const struct hello *h, struct buffer *out)
{
    struct wr w;
    uint8_t random[RANDOM_SIZE], id[32];
    bool id_sent = h->version >= HF_TLS1_3; /* RFC 8446 D.4 */
    if (getentropy(random, sizeof random) != 0 || getentropy(id, sizeof id) != 0)
        return false;
    wr_start(&w, out);
    size_t begin = wr_at(&w), room = 0;
    wr_u8(&w, REC_HANDSHAKE);
    wr_u16(&w, record_version(h));
    room = wr_open(&w, 2);
    size_t message = msg_begin(&w, MSG_CLIENT_HELLO);
    wr_u16(&w, legacy_version(h));
    wr_bytes(&w, random, sizeof random);
    wr_opaque8(&w, slice_of(id, id_sent ? sizeof id : 0));
    write_suites(&w, h);
    wr_opaque8(&w, h->deflate ? slice_of("\x01", 2) : slice_of("", 1));
    if (!h->plain)
        write_extensions(&w, h, begin);
    msg_finish(&w, message);
    wr_close(&w, room, 2);
    return wr_ok(&w);
}

/* ---------------------------------------------------------------- SSL 2.0 */

/* clang-format off */
static const uint32_t specs[] = {
    0x010080, /* SSL_CK_RC4_128_WITH_MD5 */
    0x020080, /* SSL_CK_RC4_128_EXPORT40_WITH_MD5 */
    0x030080, /* SSL_CK_RC2_128_CBC_WITH_MD5 */
    0x040080, /* SSL_CK_RC2_128_CBC_EXPORT40_WITH_MD5 */
    0x050080, /* SSL_CK_IDEA_128_CBC_WITH_MD5 */
    0x060040, /* SSL_CK_DES_64_CBC_WITH_MD5 */
    0x0700c0, /* SSL_CK_DES_192_EDE3_CBC_WITH_MD5 */
};
/* clang-format on */
enum { SPECS = sizeof specs / sizeof *specs };

bool hello_write_ssl2(struct buffer *out)
{
    struct wr w;
    uint8_t challenge[16], list[3 * SPECS];
    if (getentropy(challenge, sizeof challenge) != 0)
        return false;
    for (size_t i = 0; i < SPECS; i++) {
        list[3 * i] = (uint8_t)(specs[i] >> 16);
        put_u16(list + 3 * i + 1, (uint16_t)specs[i]);
    }
    struct v2_client_hello v2 = {.version = 0x0002,
                                 .specs = slice_of(list, sizeof list),
                                 .challenge = slice_of(challenge, sizeof challenge)};
    wr_start(&w, out);
    size_t mark = wr_open(&w, 2);
    msg_write_v2_client_hello(&w, &v2);
    wr_close(&w, mark, 2);
    uint8_t *header = buffer_front(out);
    if (!wr_ok(&w) || !header)
        return false;
    header[0] |= 0x80; /* a header of two bytes, without padding */
    return true;
}
