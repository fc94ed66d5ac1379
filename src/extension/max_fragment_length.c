/* max_fragment_length.c: shorter records, for small clients (RFC 6066 4). */
#include "extension/row.h"

/* Code 1 is 2^9 bytes, code 4 is 2^12. */
static uint16_t length_of(uint8_t code)
{
    static const uint16_t lengths[] = {0, 512, 1024, 2048, 4096};
    return code <= 4 ? lengths[code] : 0;
}

static uint8_t code_of(uint16_t length)
{
    for (uint8_t code = 1; code <= 4; code++) {
        if (length_of(code) == length)
            return code;
    }
    return 0;
}

bool max_fragment_length_wants(const struct nego *n, unsigned message)
{
    return code_of(message == IN_CH ? n->config->max_fragment : n->max_fragment) != 0;
}

void max_fragment_length_put(struct nego *n, struct wr *w, unsigned message)
{
    wr_u8(w, code_of(message == IN_CH ? n->config->max_fragment : n->max_fragment));
}

static const char *code_name(uint8_t code)
{
    static const char *const names[] = {"unknown", "2^9", "2^10", "2^11", "2^12"};
    return names[length_of(code) ? code : 0];
}

/* enum { 2^9(1), 2^10(2), 2^11(3), 2^12(4), (255) } MaxFragmentLength;       RFC 6066 4 */
void max_fragment_length_read(struct rd *r, struct ext_values *v, unsigned message)
{
    (void)message;
    v->max_fragment = rd_enum8(r, "max_fragment_length", code_name);
}

static bool take_hello(struct nego *n, const struct ext_values *v)
{
    uint16_t length = length_of(v->max_fragment);
    if (!length)
        return ext_refuse(n, IN_CH, X_MAX_FRAGMENT_LENGTH, HF_E_ILLEGAL_VALUE,
                          "%u is none of the codes 1 to 4", v->max_fragment);
    /* "A server that supports the "record_size_limit" extension MUST ignore a "max_fragment_length"
     * that appears in a ClientHello if both extensions appear" (RFC 8449 5). */
    if (!ext_has(v, X_RECORD_SIZE_LIMIT))
        n->max_fragment = length;
    return true;
}

bool max_fragment_length_take(struct nego *n, const struct ext_values *v, unsigned message)
{
    n->max_fragment = 0;
    if (!ext_has(v, X_MAX_FRAGMENT_LENGTH))
        return true;
    if (message == IN_CH)
        return take_hello(n, v);
    if (ext_has(v, X_RECORD_SIZE_LIMIT))
        return ext_refuse(n, message, X_MAX_FRAGMENT_LENGTH, HF_E_ILLEGAL_VALUE,
                          "the server answers record_size_limit too (RFC 8449 5)");
    if (length_of(v->max_fragment) != n->config->max_fragment)
        return ext_refuse(n, message, X_MAX_FRAGMENT_LENGTH, HF_E_ILLEGAL_VALUE,
                          "the server answers code %u, asked for was %u", v->max_fragment,
                          code_of(n->config->max_fragment));
    n->max_fragment = n->config->max_fragment;
    return true;
}
