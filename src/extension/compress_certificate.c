/* compress_certificate.c: with which algorithms the peer may compress its certificate (RFC 8879). */
#include "bytes/names.h"
#include "extension/row.h"

bool compress_certificate_wants(const struct nego *n, unsigned message)
{
    /* A client's answer after the handshake is small, and comes once. */
    return n->config->compress_receive.count > 0 && !(message == IN_CR && n->later);
}

void compress_certificate_put(struct nego *n, struct wr *w, unsigned message)
{
    const struct compressors *all = &n->config->compress_receive;
    (void)message;
    size_t list = wr_open(w, 1);
    for (size_t i = 0; i < all->count; i++)
        wr_u16(w, all->by[i].id);
    wr_close(w, list, 1);
}

/* struct { CertificateCompressionAlgorithm algorithms<2..2^8-2>; } CertificateCompressionAlgorithms;
 *                                                                            RFC 8879 3
 * Who names one twice has made a mistake, in any version. */
void compress_certificate_read(struct rd *r, struct ext_values *v, unsigned message)
{
    (void)message;
    struct slice s =
        rd_list8_16(r, "algorithms", 2, 254, "algorithm", name_certificate_compression);
    for (size_t i = 2; i < s.len; i += 2) {
        for (size_t j = 0; j < i; j += 2) {
            if (get_u16(s.p + i) != get_u16(s.p + j))
                continue;
            rd_bad(r, HF_E_ILLEGAL_VALUE, "algorithm %u appears twice", get_u16(s.p + i));
            return;
        }
    }
    v->compressions = s;
}

static bool lists(struct slice list, uint16_t id)
{
    for (size_t i = 0; i < list.len; i += 2) {
        if (get_u16(list.p + i) == id)
            return true;
    }
    return false;
}

/* Our own order counts: who sends pays for it. */
bool compress_certificate_take(struct nego *n, const struct ext_values *v, unsigned message)
{
    const struct compressors *ours = &n->config->compress_send;
    (void)message;
    n->compressor = NULL;
    for (size_t i = 0; i < ours->count && !n->compressor; i++) {
        if (lists(v->compressions, ours->by[i].id))
            n->compressor = &ours->by[i];
    }
    return true;
}
