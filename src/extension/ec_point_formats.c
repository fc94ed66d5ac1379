/* ec_point_formats.c: how points of NIST curves are encoded: only uncompressed (RFC 8422 5.1.2). */
#include "extension/row.h"

enum { UNCOMPRESSED = 0 };

/* The extension goes with suites that use elliptic curves, and is meaningless without (RFC 8422 5.1). */
static bool offers_ecc(const hf_config *config)
{
    for (size_t i = 0; i < config->body.suites.count; i++) {
        const struct suite *s = suite_find(config->body.suites.id[i]);
        if (s && (s->kex == KEX_ECDHE || s->kex == KEX_ECDHE_PSK))
            return true;
    }
    return false;
}

bool ec_point_formats_wants(const struct nego *n, unsigned message)
{
    return message == IN_CH ? offers_ecc(n->config) : n->ecc;
}

void ec_point_formats_put(struct nego *n, struct wr *w, unsigned message)
{
    (void)n;
    (void)message;
    static const uint8_t formats[] = {UNCOMPRESSED};
    wr_opaque8(w, slice_of(formats, sizeof formats));
}

static const char *format_name(uint8_t format)
{
    static const char *const names[] = {"uncompressed", "ansiX962_compressed_prime",
                                        "ansiX962_compressed_char2"};
    return format < sizeof names / sizeof *names ? names[format] : "unknown";
}

/* enum { uncompressed (0), deprecated (1..2), reserved (248..255) } ECPointFormat;
 * struct { ECPointFormat ec_point_format_list<1..2^8-1>; } ECPointFormatList;
 *                                                                            RFC 8422 5.1.2 */
void ec_point_formats_read(struct rd *r, struct ext_values *v, unsigned message)
{
    (void)message;
    v->point_formats =
        rd_list8(r, "ec_point_format_list", 1, 255, "ec_point_format", format_name);
}

bool ec_point_formats_take(struct nego *n, const struct ext_values *v, unsigned message)
{
    if (!ext_has(v, X_EC_POINT_FORMATS))
        return true; /* "uncompressed" is what everyone has */
    for (size_t i = 0; i < v->point_formats.len; i++) {
        if (v->point_formats.p[i] == UNCOMPRESSED)
            return true;
    }
    return ext_refuse(n, message, X_EC_POINT_FORMATS, HF_E_BAD_POINT_FORMATS,
                      "uncompressed(0) is not among its %zu formats", v->point_formats.len);
}
