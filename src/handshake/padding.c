/* padding.c: see padding.h. */
#include "handshake/padding.h"

bool padding_asked(const hf_config *config, const struct rec_half *out)
{
    return config->padding_fn && out->prot && !out->version;
}

/* A block as long as content and zeros together is filled by these zeros. */
void padding_choose(const hf_config *config, hf_conn *conn, struct rec_half *out, uint8_t type,
                    size_t len, size_t most)
{
    if (!padding_asked(config, out))
        return;
    size_t limit = rec_max_plain(out), all = len + 1;
    size_t zeros = all < limit ? config->padding_fn(conn, type, all) : 0;
    if (zeros > most)
        zeros = most;
    if (zeros && zeros > limit - all)
        zeros = limit - all;
    out->pad_block = (uint16_t)(zeros ? len + zeros : 0);
    out->pad_all = true;
}

void padding_done(const hf_config *config, struct rec_half *out)
{
    if (!padding_asked(config, out))
        return;
    out->pad_block = 0;
    out->pad_all = false;
}
