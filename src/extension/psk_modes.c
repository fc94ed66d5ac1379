/* psk_modes.c: how the client is willing to use a pre-shared key (RFC 8446 4.2.9). */
#include "bytes/names.h"
#include "extension/row.h"

bool psk_modes_wants(const struct nego *n, unsigned message)
{
    (void)message;
    return n->config->psk_modes != 0; /* also without a session: a ticket is to be used later */
}

void psk_modes_put(struct nego *n, struct wr *w, unsigned message)
{
    (void)message;
    size_t list = wr_open(w, 1);
    if (n->config->psk_modes & HF_PSK_DHE_KE)
        wr_u8(w, 1);
    if (n->config->psk_modes & HF_PSK_KE)
        wr_u8(w, 0);
    wr_close(w, list, 1);
}

/* enum { psk_ke(0), psk_dhe_ke(1), (255) } PskKeyExchangeMode;
 * struct { PskKeyExchangeMode ke_modes<1..255>; } PskKeyExchangeModes;       RFC 8446 4.2.9 */
void psk_modes_read(struct rd *r, struct ext_values *v, unsigned message)
{
    (void)message;
    v->psk_modes = rd_list8(r, "ke_modes", 1, 255, "ke_mode", name_psk_mode);
}

bool psk_modes_take(struct nego *n, const struct ext_values *v, unsigned message)
{
    (void)message;
    n->peer_psk_modes = 0;
    for (size_t i = 0; i < v->psk_modes.len; i++) {
        if (v->psk_modes.p[i] == 0)
            n->peer_psk_modes |= HF_PSK_KE;
        else if (v->psk_modes.p[i] == 1)
            n->peer_psk_modes |= HF_PSK_DHE_KE;
    }
    return true;
}
