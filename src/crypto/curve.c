/* curve.c: elliptic curves, each set up at its first use. */
#include "crypto/curve.h"

#include <openssl/obj_mac.h>

#include "crypto/provider.h"

static struct {
    int nid;
    struct once once;
    struct curve curve;
} curves[] = {
    {.nid = NID_X9_62_prime256v1, .curve = {.size = 32, .first_mask = 0xff}},
    {.nid = NID_secp384r1, .curve = {.size = 48, .first_mask = 0xff}},
    {.nid = NID_secp521r1, .curve = {.size = 66, .first_mask = 0x01}},
};

static void set_up(int nid, struct curve *c)
{
    EC_GROUP *group = EC_GROUP_new_by_curve_name(nid);
    const BIGNUM *order = group ? EC_GROUP_get0_order(group) : NULL;
    if (order && BN_bn2binpad(order, c->order, (int)c->size) > 0) {
        c->group = group;
        return;
    }
    EC_GROUP_free(group);
}

const struct curve *curve_of(int nid)
{
    for (size_t i = 0; i < sizeof curves / sizeof curves[0]; i++) {
        if (curves[i].nid != nid)
            continue;
        if (once_begin(&curves[i].once)) {
            set_up(nid, &curves[i].curve);
            once_end(&curves[i].once);
        }
        return curves[i].curve.group ? &curves[i].curve : NULL;
    }
    return NULL;
}
