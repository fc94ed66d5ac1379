/* side.h: one side of a negotiation without a connection, for the tests of extensions: blocks that are
 * written, read and judged by it. */
#ifndef TEST_SIDE_H
#define TEST_SIDE_H

#include <stdlib.h>

#include "check.h"
#include "config/config.h"
#include "extension/extension.h"

/* ---- configurations and negotiations without a connection */

static const uint8_t group_list[] = {0, 6, 0x11, 0xec, 0, 0x1d, 0, 0x17};
static const uint8_t sigalg_list[] = {0, 4, 4, 3, 8, 4};

static inline void put_list(uint8_t *out, size_t *len, const uint8_t *list, size_t n)
{
    memcpy(out, list, n);
    *len = n;
}

/* What freezing makes of the defaults, with suites of all kinds. */
static inline struct hf_config config_of(uint16_t lowest, uint16_t highest)
{
    struct hf_config c;
    memset(&c, 0, sizeof c);
    c.body.version_min = lowest;
    c.body.version_max = highest;
    c.encrypt_then_mac = true;
    c.psk_modes = HF_PSK_DHE_KE;
    c.groups = (struct ids){.count = 3, .id = {0x11ec, 0x1d, 0x17}};
    c.sigalgs = (struct ids){.count = 2, .id = {0x0403, 0x0804}};
    c.body.suites = (struct ids){.count = 3, .id = {0x1301, 0xc02f, 0xc013}};
    put_list(c.body.groups, &c.body.groups_len, group_list, sizeof group_list);
    put_list(c.body.sigalgs, &c.body.sigalgs_len, sigalg_list, sizeof sigalg_list);
    return c;
}

struct side {
    struct hf_config config;
    struct nego n;
    hf_error err;
};

static inline void side_start(struct side *s, bool server, uint16_t lowest, uint16_t highest)
{
    memset(s, 0, sizeof *s);
    s->config = config_of(lowest, highest);
    s->n.config = &s->config;
    s->n.err = &s->err;
    s->n.server = server;
}

static const char *message_name(unsigned in)
{
    switch (in) {
    case IN_CH: return "ClientHello";
    case IN_HRR: return "HelloRetryRequest";
    case IN_EE: return "EncryptedExtensions";
    case IN_CR: return "CertificateRequest";
    case IN_CT: return "Certificate";
    case IN_NST: return "NewSessionTicket";
    default: return "ServerHello";
    }
}

static inline bool read_block(struct side *s, const struct buffer *b, unsigned in,
                              struct ext_values *v)
{
    struct rd_msg m = {.name = message_name(in), .err = &s->err};
    struct rd r = rd_start(&m, b->p, b->end, 0);
    struct rd block = rd_vec16(&r, "extensions", 0, 65535);
    memset(&s->err, 0, sizeof s->err);
    bool ok = ext_read(&s->n, &block, in, v) && rd_end(&r);
    CHECK_INT(ok, s->err.code == HF_OK);
    return ok;
}

static inline bool take_block(struct side *s, const struct buffer *b, unsigned in)
{
    struct ext_values v;
    if (!read_block(s, b, in, &v))
        return false;
    bool ok = ext_take(&s->n, &v, in);
    CHECK_INT(ok, s->err.code == HF_OK);
    return ok;
}

static inline void write_block(struct side *s, struct buffer *b, unsigned in)
{
    struct wr w;
    buffer_clear(b);
    wr_start(&w, b);
    ext_write(&s->n, &w, in);
    CHECK(wr_ok(&w));
}

/* A block of one extension, `times` times. */
static inline void one_extension(struct buffer *b, uint16_t id, struct slice body, int times)
{
    struct wr w;
    buffer_clear(b);
    wr_start(&w, b);
    size_t block = wr_open(&w, 2);
    for (int i = 0; i < times; i++) {
        wr_u16(&w, id);
        wr_opaque16(&w, body);
    }
    wr_close(&w, block, 2);
    CHECK(wr_ok(&w));
}

#define BODY(literal) slice_of(literal, sizeof(literal) - 1)

/* Reads and judges a block of one extension. */
static inline bool take_one(struct side *s, unsigned in, uint16_t id, struct slice body)
{
    struct buffer b = {0};
    one_extension(&b, id, body, 1);
    bool ok = take_block(s, &b, in);
    buffer_clear(&b);
    return ok;
}

static inline bool take_none(struct side *s, unsigned in)
{
    struct buffer b = {0};
    CHECK(buffer_append(&b, "\0\0", 2));
    bool ok = take_block(s, &b, in);
    buffer_clear(&b);
    return ok;
}

/* ---- reading with the trace on */

struct leaves {
    const uint8_t *start;
    uint8_t count[256];
};

static inline void on_leaf(void *arg, const hf_trace_event *e)
{
    struct leaves *l = arg;
    CHECK(e->name && e->name[0] && e->offset + e->size <= sizeof l->count);
    for (size_t i = 0; e->kind == HF_TRACE_FIELD && i < e->size; i++)
        l->count[e->offset + i]++;
}

static inline bool read_traced(const struct buffer *b, unsigned in, hf_error *err)
{
    struct ext_values v;
    struct leaves l;
    memset(&l, 0, sizeof l);
    memset(err, 0, sizeof *err);
    struct rd_msg m = {.name = message_name(in), .err = err, .trace = on_leaf, .trace_arg = &l};
    uint8_t *copy = malloc(b->end);
    memcpy(copy, b->p, b->end);
    struct rd r = rd_start(&m, copy, b->end, 0);
    struct rd block = rd_vec16(&r, "extensions", 0, 65535);
    bool ok = ext_read(NULL, &block, in, &v) && rd_end(&r);
    for (size_t i = 0; ok && i < b->end; i++)
        CHECK_INT(l.count[i], 1);
    free(copy);
    return ok;
}

/* ---- looking into a block */

/* The ids of a block, in order, as text: "43 10 13". */
static inline void ids_of(const struct buffer *b, char *out, size_t size)
{
    size_t at = 2, n = 0;
    out[0] = '\0';
    while (at + 4 <= b->end) {
        n += (size_t)snprintf(out + n, size - n, "%s%u", n ? " " : "", get_u16(b->p + at));
        at += 4u + get_u16(b->p + at + 2);
    }
    CHECK_INT(at, b->end);
}

static inline struct slice body_of(const struct buffer *b, uint16_t id)
{
    for (size_t at = 2; at + 4 <= b->end; at += 4u + get_u16(b->p + at + 2)) {
        if (get_u16(b->p + at) == id)
            return slice_of(b->p + at + 4, get_u16(b->p + at + 2));
    }
    return (struct slice){0};
}

#endif
