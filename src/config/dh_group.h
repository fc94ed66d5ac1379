/* dh_group.h: the finite-field group that a server sends in TLS 1.2 and older (RFC 5246 7.4.3), where it is not to be
 * one of RFC 7919. */
#ifndef CONFIG_DH_GROUP_H
#define CONFIG_DH_GROUP_H

#include "crypto/kx.h"
#include "handfast.h"

struct dh_group {
    _Atomic int refs;
    size_t p_len, g_len;
    unsigned exponent_bits; /* kx_dh_start; 0: nobody has said */
    uint8_t p[KX_MAX_DH], g[KX_MAX_DH];
};

/* dh_group_new: without the leading zeros of p and g; NULL: no memory, or they are too long. */
struct dh_group *dh_group_new(struct slice p, struct slice g);
struct dh_group *dh_group_ref(struct dh_group *group);
void dh_group_free(struct dh_group *group);
unsigned dh_group_bits(const struct dh_group *group);

struct hf_config;
/* dh_params_use is hf_config_load_dh_params with what a file holds; name: what it is called in an error. */
bool dh_params_use(struct hf_config *config, const char *name, const uint8_t *p, size_t len);

/* What libssl/ puts in place of all groups: each connection is asked for its own. */
struct dh_source {
    /* any: there is one, so that suites with DHE may be chosen. */
    bool (*any)(hf_conn *conn);
    /* choose fills *group for this suite; anything but HF_OK is why the handshake ends. */
    hf_code (*choose)(hf_conn *conn, uint16_t suite, struct dh_group *group);
};

#endif
