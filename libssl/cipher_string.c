/* cipher_string.c: OpenSSL's suites, as its language for lists of them sees them. */
#include <openssl/sslerr.h>

#include "libssl/local.h"

_Static_assert(LIST_MAX >= CIPHER_RULES_MAX, "a list has room for what a string chooses");

static void all_faces(struct cipher_faces *out)
{
    size_t count;
    const SSL_CIPHER *table = cipher_table(&count);

    out->count = 0;
    for (const SSL_CIPHER *c = table; c < table + count; c++) {
        if (cipher_is13(c) || c->flags & F_HIDDEN || out->count == CIPHER_RULES_MAX)
            continue;
        out->face[out->count++] = (struct cipher_face){
            .id = c->id,
            .version = c->version_min,
            .bits = (uint16_t)cipher_bits(c),
            .kx = c->kx,
            .au = c->au,
            .enc = c->enc,
            .mac = c->mac,
            .high = c->flags & F_HIGH,
            .fips = c->flags & F_FIPS,
            .reserve = c->flags & F_RESERVE,
            .name = c->name, /* IANA's names are no words to OpenSSL */
        };
    }
}

static const uint32_t suite_b_flags[] = {
    [SUITE_B_NONE] = 0,
    [SUITE_B_128_ONLY] = SSL_CERT_FLAG_SUITEB_128_LOS_ONLY,
    [SUITE_B_192] = SSL_CERT_FLAG_SUITEB_192_LOS,
    [SUITE_B_128] = SSL_CERT_FLAG_SUITEB_128_LOS,
};

/* The two bits of SSL_CERT_FLAG_SUITEB_128_LOS are the modes. */
static enum suite_b suite_b_of(uint32_t flags)
{
    enum suite_b mode = SUITE_B_128;
    while (suite_b_flags[mode] != (flags & SSL_CERT_FLAG_SUITEB_128_LOS))
        mode--;
    return mode;
}

bool cipher_string(const char *string, struct id_list *out, int *level, uint32_t *suiteb)
{
    struct cipher_faces all;
    struct cipher_choice chosen;
    enum suite_b mode = suite_b_of(*suiteb);

    all_faces(&all);
    bool good = cipher_rules_read(&all, string, false, &mode, &chosen);
    *suiteb = (*suiteb & ~(uint32_t)SSL_CERT_FLAG_SUITEB_128_LOS) | suite_b_flags[mode];
    if (!good) {
        raise_ssl(SSL_R_INVALID_COMMAND);
        return false;
    }
    out->count = chosen.count;
    memcpy(out->id, chosen.id, chosen.count * sizeof out->id[0]);
    if (chosen.level >= 0)
        *level = chosen.level;
    return true;
}
