/* record.c: the header of a record, records without protection, and the way to the protections. */
#include "record/record.h"

#include "bytes/names.h"
#include "record/protection.h"

void rec_put_header(uint8_t *out, uint8_t type, uint16_t version, size_t len)
{
    out[0] = type;
    put_u16(out + 1, version);
    put_u16(out + 3, (uint16_t)len);
}

/* RFC 8446 5.1: "Implementations MUST NOT send zero-length fragments of Handshake types"; an empty
 * alert means nothing. Empty application data is allowed. */
bool rec_check_empty(uint8_t type, size_t len, hf_error *err)
{
    if (len || (type != REC_HANDSHAKE && type != REC_ALERT))
        return true;
    return err_set(err, HF_E_UNEXPECTED_RECORD, "a record of type %s is empty",
                   name_content(type));
}

/* RFC 8446 5, RFC 5246 7.1: anything but the single byte 0x01 is unexpected. */
bool rec_check_content(uint8_t type, const uint8_t *p, size_t len, hf_error *err)
{
    if (type == REC_CCS && (len != 1 || p[0] != 1))
        return err_set(err, HF_E_UNEXPECTED_RECORD,
                       "change_cipher_spec is not the single byte 1");
    return rec_check_empty(type, len, err);
}

/* check_type judges as soon as two bytes are there. */
static bool check_type(const uint8_t *in, hf_error *err)
{
    if (in[1] != 3)
        return err_set(err, HF_E_WRONG_VERSION_NUMBER,
                       "the record header begins with %02x %02x, version 3.x was expected",
                       in[0], in[1]);
    if (in[0] < REC_CCS || in[0] > REC_DATA)
        return err_set(err, HF_E_UNEXPECTED_RECORD, "record type %u (%s)", in[0],
                       name_content(in[0]));
    return true;
}

static bool check_version(const struct rec_half *half, const uint8_t *in, hf_error *err)
{
    uint16_t version = get_u16(in + 1);
    if (!half->version || version == half->version)
        return true;
    return err_set(err, HF_E_WRONG_VERSION_NUMBER,
                   "a record has version %04x, but %04x (%s) was agreed on", version,
                   half->version, name_version(half->version));
}

static bool check_length(const struct rec_half *half, uint8_t type, size_t len, hf_error *err)
{
    size_t max = REC_MAX_PLAIN;
    if (half->prot && (half->prot->outer == 0 || type == half->prot->outer))
        max = half->prot->max_cipher;
    else if (type == REC_DATA)
        max = REC_MAX_CIPHER; /* early data that a server skips, RFC 8446 4.2.10 */
    if (len <= max)
        return true;
    return err_set(err, HF_E_RECORD_OVERFLOW, "a record has %zu bytes, at most %zu are allowed",
                   len, max);
}

/* open_plain opens a record without protection. */
static enum rec_result open_plain(uint8_t *in, struct rec_opened *out, hf_error *err)
{
    out->type = out->outer;
    out->data = in + REC_HEADER;
    out->len = out->used - REC_HEADER;
    return rec_check_content(out->type, out->data, out->len, err) ? REC_OK : REC_BAD;
}

enum rec_result rec_open(struct rec_half *half, uint8_t *in, size_t len, bool plain_ccs,
                         bool plain_alert, struct rec_opened *out, hf_error *err)
{
    if (len < 2)
        return REC_PARTIAL;
    if (!check_type(in, err))
        return REC_BAD;
    if (len < REC_HEADER)
        return REC_PARTIAL;
    size_t body = get_u16(in + 3);
    uint8_t type = in[0];
    if (!check_version(half, in, err) || !check_length(half, type, body, err))
        return REC_BAD;
    if (len - REC_HEADER < body)
        return REC_PARTIAL;
    *out = (struct rec_opened){.outer = type, .used = REC_HEADER + body};
    if (!half->prot)
        return open_plain(in, out, err);
    if (half->prot->outer == 0 || type == half->prot->outer)
        return half->prot->open(half, in, body, out, err);
    if ((type == REC_CCS && plain_ccs) || (type == REC_ALERT && plain_alert))
        return open_plain(in, out, err);
    err_set(err, HF_E_UNEXPECTED_RECORD,
            "an unprotected record of type %s came after the change of keys",
            name_content(type));
    return REC_BAD;
}

size_t rec_max_plain(const struct rec_half *half)
{
    size_t n = half->prot ? half->prot->max_plain(half) : REC_MAX_PLAIN;
    return half->most && half->most < n ? half->most : n;
}

size_t rec_sealed_size(const struct rec_half *half, uint8_t type, size_t len)
{
    return half->prot ? half->prot->sealed_size(half, type, len) : REC_HEADER + len;
}

size_t rec_seal(struct rec_half *half, uint8_t type, uint16_t version, const uint8_t *in,
                size_t len, uint8_t *out)
{
    if (len > rec_max_plain(half))
        return 0;
    if (half->prot)
        return half->prot->seal(half, type, in, len, out);
    /* The content first: it may already stand in its place. */
    if (len && in != out + REC_HEADER)
        memcpy(out + REC_HEADER, in, len);
    rec_put_header(out, type, version, len);
    return REC_HEADER + len;
}

void rec_clear(struct rec_half *half)
{
    if (half->prot)
        half->prot->clear(half);
    wipe(half, sizeof *half);
}

bool rec_hibernates(const struct rec_half *half)
{
    return half->prot && half->prot->set;
}

bool rec_rekey(struct rec_half *half, const uint8_t *key, const uint8_t *iv, bool seal)
{
    uint64_t seq = half->seq;
    if (!rec_hibernates(half) || !half->prot->set(half, half->id, key, iv, seal))
        return false;
    half->seq = seq;
    return true;
}
