/* dh_file.c: files of Diffie-Hellman parameters (PKCS#3), as servers used to need. Clients that name groups of RFC 7919
 * get one of these, whose primes are known to be safe (RFC 7919 4); the file's group is for the others. */
#include <stdatomic.h>

#include "config/dh_group.h"
#include "config/list.h"
#include "handfast_context.h"
#include "x509/pem.h"

static const struct block_kind dh_blocks = {"DH PARAMETERS", "X9.42 DH PARAMETERS", NULL};

struct found {
    struct dh_group *group;
};

struct dh_group *dh_group_new(struct slice p, struct slice g)
{
    while (p.len && *p.p == 0)
        p = slice_of(p.p + 1, p.len - 1);
    while (g.len && *g.p == 0)
        g = slice_of(g.p + 1, g.len - 1);
    struct dh_group *group =
        p.len > KX_MAX_DH || g.len > KX_MAX_DH ? NULL : mem_new(sizeof *group);
    if (!group)
        return NULL;
    atomic_init(&group->refs, 1);
    memcpy(group->p, p.p, group->p_len = p.len);
    memcpy(group->g, g.p, group->g_len = g.len);
    return group;
}

struct dh_group *dh_group_ref(struct dh_group *group)
{
    if (group)
        atomic_fetch_add_explicit(&group->refs, 1, memory_order_relaxed);
    return group;
}

void dh_group_free(struct dh_group *group)
{
    if (group && atomic_fetch_sub_explicit(&group->refs, 1, memory_order_acq_rel) == 1)
        mem_free(group);
}

unsigned dh_group_bits(const struct dh_group *group)
{
    unsigned bits = (unsigned)group->p_len * 8;
    for (unsigned bit = 0x80; group->p_len && !(group->p[0] & bit); bit >>= 1)
        bits--;
    return bits;
}

/* The content of a DER object of this type at the front of *in, which goes on behind it. */
static bool der_take(struct slice *in, uint8_t tag, struct slice *out)
{
    size_t head = 2, len;
    if (in->len < 2 || in->p[0] != tag)
        return false;
    if ((len = in->p[1]) & 0x80) {
        size_t octets = len & 0x7f;
        if (octets == 0 || octets > 2 || in->len < 2 + octets)
            return false;
        len = octets == 2 ? get_u16(in->p + 2) : in->p[2];
        head += octets;
    }
    if (len > in->len - head)
        return false;
    *out = slice_of(in->p + head, len);
    *in = slice_of(in->p + head + len, in->len - head - len);
    return true;
}

/* DHParameter ::= SEQUENCE { prime INTEGER, base INTEGER, ... } */
static bool read_group(struct slice der, unsigned line, void *arg, hf_error *err)
{
    struct found *found = arg;
    struct slice body, p, g;
    if (!der_take(&der, 0x30, &body) || !der_take(&body, 0x02, &p) ||
        !der_take(&body, 0x02, &g) || p.len == 0)
        return err_set(err, HF_E_PEM, "line %u: no Diffie-Hellman parameters", line);
    dh_group_free(found->group);
    found->group = dh_group_new(p, g);
    return found->group
               ? true
               : err_set(err, p.len > KX_MAX_DH ? HF_E_CONFIG : HF_E_NO_MEMORY,
                         "line %u: a prime of %zu bytes (%d at most)", line, p.len, KX_MAX_DH);
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

static bool check(const struct dh_group *group, const char *path, hf_error *err)
{
    unsigned bits = dh_group_bits(group);
    if (bits < 2048)
        return err_set(
            err, HF_E_WEAK_DH,
            "%s: a prime of %u bits can be broken (Logjam; 2048 at least); no file is "
            "needed: \"ffdhe2048\" in hf_config_set_groups() will do",
            path, bits);
    if (!kx_dh_plausible(slice_of(group->p, group->p_len), slice_of(group->g, group->g_len)))
        return err_set(err, HF_E_WEAK_DH,
                       "%s: the modulus is no prime, or the generator is not within 2 to p - 2",
                       path);
    return true;
}

static bool use_group(hf_config *config, const char *path, struct dh_group *group)
{
    if (!check(group, path, &config->error))
        return false;
    uint16_t id = group_for(dh_group_bits(group));
    if (id && group_find(id) && !ids_has(&config->groups, id) &&
        config->groups.count < CONFIG_MAX_LIST)
        config->groups.id[config->groups.count++] = id;
    dh_group_free(config->dh_group);
    config->dh_group = dh_group_ref(group);
    return true;
}

static bool may_set(hf_config *config)
{
    if (!config || atomic_load_explicit(&config->frozen, memory_order_acquire))
        return false;
    return config->role == HF_SERVER
               ? true
               : err_set(&config->error, HF_E_USAGE,
                         "hf_config_load_dh_params: this is for servers, who choose the prime");
}

bool dh_params_use(hf_config *config, const char *name, const uint8_t *p, size_t len)
{
    struct found found = {0};
    struct source source = {name, p, len};
    bool ok = may_set(config) &&
              blocks_each(&source, &dh_blocks, read_group, &found, &config->error) &&
              use_group(config, name, found.group);
    dh_group_free(found.group);
    return ok;
}

bool hf_config_load_dh_params(hf_config *config, const char *path)
{
    uint8_t *bytes;
    size_t len;

    if (!may_set(config))
        return false;
    if (!path || !file_read(path, &bytes, &len, &config->error))
        return path ? false
                    : err_set(&config->error, HF_E_USAGE,
                              "hf_config_load_dh_params: the path is NULL");
    bool ok = dh_params_use(config, path, bytes, len);
    mem_free(bytes);
    return ok;
}
