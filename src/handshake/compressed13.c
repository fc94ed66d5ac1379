/* compressed13.c: certificates that travel compressed, which are the same in both roles (RFC 8879). */
#include "bytes/names.h"
#include "handshake/hs.h"

/* ---- ours */

/* What is compressed is the message without its header (RFC 8879 4). The credential keeps the result. */
enum hs_result compress_certificate13(struct hs *hs)
{
    struct buffer body = {0};
    struct wr w;
    wr_start(&w, &body);
    write_certificate_body13(hs, &w);
    if (!wr_ok(&w)) {
        buffer_clear(&body);
        return hs_fail(hs, HF_E_NO_MEMORY, "the certificate to be compressed");
    }
    hs->packed = credential_pack(hs->credential, hs->n.compressor,
                                 slice_of(buffer_front(&body), buffer_len(&body)));
    buffer_clear(&body);
    if (hs->packed)
        trace_note(hs->tracer, "compression", "%s makes %zu bytes of %zu",
                   name_certificate_compression(hs->packed->id), hs->packed->packed.len,
                   hs->packed->plain.len);
    else
        trace_note(hs->tracer, "compression", "%s does not make the certificate smaller",
                   name_certificate_compression(hs->n.compressor->id));
    return HS_OK;
}

enum hs_result send_compressed_certificate13(struct hs *hs)
{
    size_t mark;
    struct wr w = hs_begin(hs, MSG_COMPRESSED_CERTIFICATE, &mark);
    struct compressed_certificate cc = {.algorithm = hs->packed->id,
                                        .length = (uint32_t)hs->packed->plain.len,
                                        .packed = hs->packed->packed};
    msg_write_compressed_certificate(&w, &cc);
    return hs_end(hs, &w, mark);
}

/* ---- the peer's */

bool compression_offered13(const struct hs *hs)
{
    bool due = hs->n.server ? hs->cert_requested : !hs->n.psk;
    return due && (hs->n.sent >> X_COMPRESS_CERTIFICATE & 1);
}

bool certificate_due13(const struct hs *hs)
{
    bool due = hs->n.server ? hs->cert_requested : !hs->n.psk;
    return due && !hs->compression.algorithm;
}

/* What may be refused before anything is allocated for it: "enforce limits on the message size before
 * performing decompression" (RFC 8879 4). */
static const struct compressor *admit_compressed(struct hs *hs, struct rd *r,
                                                 const struct compressed_certificate *cc)
{
    const hf_config *config = hs->n.config;
    const struct compressor *by = compressor_find(&config->compress_receive, cc->algorithm);
    size_t most = msg_max_size(MSG_CERTIFICATE);
    size_t held = hs->n.conn ? hf_conn_memory(hs->n.conn) : 0;
    if (!by)
        rd_bad(r, HF_E_WRONG_COMPRESSION, "algorithm %u (%s)", cc->algorithm,
               name_certificate_compression(cc->algorithm));
    else if (cc->length > most)
        rd_bad(r, HF_E_CERTIFICATE_TOO_LARGE,
               "uncompressed_length is %u, at most %zu are allowed", (unsigned)cc->length,
               most);
    else if (held + cc->length > config->memory_cap)
        rd_bad(r, HF_E_MEMORY_CAP, "the cap is %zu bytes", config->memory_cap);
    return rd_ok(r) ? by : NULL;
}

static bool decompress(const struct compressor *by, struct rd *r,
                       const struct compressed_certificate *cc, uint8_t *out)
{
    size_t made = 0;
    const char *name = name_certificate_compression(by->id);
    switch (compress_unpack(by, cc->packed, out, cc->length, &made)) {
    case UNPACK_OK: break;
    case UNPACK_BAD:
        return rd_bad(r, HF_E_CERTIFICATE_COMPRESSION,
                      "%zu bytes are not valid %s (algorithm %u)", cc->packed.len, name,
                      by->id);
    case UNPACK_SHORT:
        return rd_bad(r, HF_E_CERTIFICATE_COMPRESSION, "%zu bytes, uncompressed_length says %u",
                      made, (unsigned)cc->length);
    case UNPACK_LONG:
        return rd_bad(r, HF_E_CERTIFICATE_COMPRESSION,
                      "more bytes than uncompressed_length, %u", (unsigned)cc->length);
    case UNPACK_NO_MEMORY: return rd_bad(r, HF_E_NO_MEMORY, "decompressing by %s", name);
    }
    return true;
}

static enum hs_result read_decompressed(struct hs *hs, struct slice body)
{
    struct rd_msg m = {.name = "CompressedCertificate.Certificate",
                       .rfc = msg_rfc(MSG_CERTIFICATE),
                       .err = hs->n.err};
    trace_decompressed(hs->tracer, false, hs->compression.algorithm, body, false);
    trace_attach(hs->tracer, false, &hs->sink, &m);
    struct rd r = rd_start(&m, body.p, body.len, 0);
    return read_certificate_body13(hs, &r);
}

enum hs_result read_compressed_certificate13(struct hs *hs)
{
    struct rd_msg m;
    struct rd r = hs_reader(hs, &m);
    struct compressed_certificate cc;
    if (!msg_read_compressed_certificate(&r, &cc))
        return HS_FAILED;
    const struct compressor *by = admit_compressed(hs, &r, &cc);
    if (!by)
        return HS_FAILED;
    uint8_t *body = mem_new(cc.length);
    if (!body)
        return hs_fail(hs, HF_E_NO_MEMORY, "%u bytes of certificates", (unsigned)cc.length);
    enum hs_result result = HS_FAILED;
    if (decompress(by, &r, &cc, body)) {
        hs->compression =
            (struct compression){cc.algorithm, (uint32_t)cc.packed.len, cc.length};
        result = read_decompressed(hs, slice_of(body, cc.length));
    }
    mem_free(body);
    return result;
}
