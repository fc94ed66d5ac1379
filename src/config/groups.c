/* groups.c: the groups of key exchange (RFC 8446 4.2.7, RFC 10024). */
#include "config/list.h"
#include "config/tables.h"

/* clang-format off */
static const struct group groups[] = {
    {0x11ec, "X25519MLKEM768",     NULL,    KX_X25519MLKEM768, true},
    {0x11eb, "SecP256r1MLKEM768",  NULL,    KX_P256MLKEM768,   false},
    {0x11ed, "SecP384r1MLKEM1024", NULL,    KX_P384MLKEM1024,  false},
    {0x0201, "MLKEM768",           NULL,    KX_MLKEM768,       false},
    {0x0202, "MLKEM1024",          NULL,    KX_MLKEM1024,      false},
    {0x001d, "x25519",             NULL,    KX_X25519,         true},
    {0x0017, "secp256r1",          "P-256", KX_P256,           true},
    {0x0018, "secp384r1",          "P-384", KX_P384,           true},
    {0x0019, "secp521r1",          "P-521", KX_P521,           false},
    {0x001e, "x448",               NULL,    KX_X448,           false},
    {0x0100, "ffdhe2048",          NULL,    KX_FFDHE2048,      false},
    {0x0101, "ffdhe3072",          NULL,    KX_FFDHE3072,      false},
    {0x0102, "ffdhe4096",          NULL,    KX_FFDHE4096,      false},
    {0x0103, "ffdhe6144",          NULL,    KX_FFDHE6144,      false},
    {0x0104, "ffdhe8192",          NULL,    KX_FFDHE8192,      false},
};
/* clang-format on */
#define COUNT (sizeof groups / sizeof groups[0])

const struct group *group_find(uint16_t id)
{
    for (size_t i = 0; i < COUNT; i++) {
        if (groups[i].id == id)
            return kx_available(groups[i].kx) ? &groups[i] : NULL;
    }
    return NULL;
}

const struct group *group_of_kx(enum kx_id kx)
{
    for (size_t i = 0; kx != KX_NONE && i < COUNT; i++) {
        if (groups[i].kx == kx)
            return &groups[i];
    }
    return NULL;
}

const struct group *group_table(size_t *count)
{
    *count = COUNT;
    return groups;
}

bool group_named(size_t i, struct named *out)
{
    if (i >= COUNT)
        return false;
    *out = (struct named){groups[i].name, groups[i].alias, groups[i].id,
                          kx_available(groups[i].kx)};
    return true;
}
