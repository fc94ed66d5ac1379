/* dh_file.c: files of Diffie-Hellman parameters (PKCS#3), as servers used to need. What they are good for is said
 * better by a group of RFC 7919: its prime is known to be safe, and clients know it. */
#include <stdatomic.h>

#include "config/list.h"
#include "handfast_context.h"
#include "x509/pem.h"

static const struct block_kind dh_blocks = {"DH PARAMETERS", "X9.42 DH PARAMETERS", NULL};

struct found {
    unsigned bits;
};

static size_t der_length(struct slice *in)
{
    size_t len, octets;
    if (in->len < 2 || ((len = in->p[1]) & 0x80 && ((octets = len & 0x7f) > 2 || octets == 0)))
        return SIZE_MAX;
    size_t head = 2;
    if (len & 0x80) {
        octets = len & 0x7f;
        if (in->len < 2 + octets)
            return SIZE_MAX;
        len = octets == 2 ? get_u16(in->p + 2) : in->p[2];
        head += octets;
    }
    if (len > in->len - head)
        return SIZE_MAX;
    in->p += head;
    in->len -= head;
    return len;
}

/* DHParameter ::= SEQUENCE { prime INTEGER, base INTEGER, ... } */
static bool read_prime(struct slice der, unsigned line, void *arg, hf_error *err)
{
    struct found *found = arg;
    size_t len = der.len && der.p[0] == 0x30 ? der_length(&der) : SIZE_MAX;
    len = len != SIZE_MAX && der.len && der.p[0] == 0x02 ? der_length(&der) : SIZE_MAX;
    if (len == SIZE_MAX || len == 0)
        return err_set(err, HF_E_PEM, "line %u: no Diffie-Hellman parameters", line);
    while (len > 0 && *der.p == 0) {
        der.p++;
        len--;
    }
    found->bits = (unsigned)len * 8;
    for (unsigned bit = 0x80; len > 0 && !(*der.p & bit); bit >>= 1)
        found->bits--;
    return true;
}

static uint16_t group_for(unsigned bits)
{
    return bits <= 2048   ? 0x0100
           : bits <= 3072 ? 0x0101
           : bits <= 4096 ? 0x0102
           : bits <= 6144 ? 0x0103
           : bits <= 8192 ? 0x0104
                          : 0;
}

static bool use_group(hf_config *config, const char *path, unsigned bits)
{
    uint16_t id = group_for(bits);
    if (bits < 2048)
        return err_set(
            &config->error, HF_E_WEAK_DH,
            "%s: a prime of %u bits can be broken (Logjam; 2048 at least); no file is "
            "needed: \"ffdhe2048\" in hf_config_set_groups() will do",
            path, bits);
    if (!id || !group_find(id))
        return err_set(&config->error, HF_E_CONFIG,
                       "%s: a prime of %u bits: no group of RFC 7919 is that long", path, bits);
    if (!ids_has(&config->groups, id) && config->groups.count < CONFIG_MAX_LIST)
        config->groups.id[config->groups.count++] = id;
    return true;
}

bool hf_config_load_dh_params(hf_config *config, const char *path)
{
    struct found found = {0};
    uint8_t *bytes;
    size_t len;

    if (!config || atomic_load_explicit(&config->frozen, memory_order_acquire))
        return false;
    if (config->role != HF_SERVER)
        return err_set(&config->error, HF_E_USAGE,
                       "hf_config_load_dh_params: this is for servers, who choose the prime");
    if (!path || !file_read(path, &bytes, &len, &config->error))
        return path ? false
                    : err_set(&config->error, HF_E_USAGE,
                              "hf_config_load_dh_params: the path is NULL");
    struct source source = {path, bytes, len};
    bool ok = blocks_each(&source, &dh_blocks, read_prime, &found, &config->error);
    mem_free(bytes);
    return ok && use_group(config, path, found.bits);
}
