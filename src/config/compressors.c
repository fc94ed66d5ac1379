/* compressors.c: which algorithms certificates may be compressed with (RFC 8879). */
#include <stdatomic.h>

#include "config/list.h"

static bool may_set(const hf_config *config)
{
    return config && !atomic_load_explicit(&config->frozen, memory_order_acquire);
}

const struct compressor *compressor_find(const struct compressors *all, uint16_t id)
{
    for (size_t i = 0; i < all->count; i++) {
        if (all->by[i].id == id)
            return &all->by[i];
    }
    return NULL;
}

/* Whether its library is there is found out for those that are named only: nothing is loaded in vain. */
bool compressor_named(size_t i, struct named *out)
{
    const struct packing *packing = packing_at(i);
    if (!packing)
        return false;
    *out = (struct named){.name = packing->name, .id = packing->id, .available = true};
    return true;
}

/* What cannot be had is said before anything changes. */
static bool load_all(const struct ids *ids, hf_error *err)
{
    const struct packing *packing;
    for (size_t i = 0; (packing = packing_at(i)); i++) {
        if (!ids_has(ids, packing->id) || packing_load(packing))
            continue;
        return packing->library
                   ? err_set(err, HF_E_CONFIG,
                             "certificates cannot be compressed with %s: its library (%s) is "
                             "not on this machine",
                             packing->name, packing->library)
                   : err_set(err, HF_E_CONFIG,
                             "certificates cannot be compressed with %s: handfast was built "
                             "without it",
                             packing->name);
    }
    return true;
}

static const struct packing *packing_of(uint16_t id)
{
    const struct packing *packing;
    for (size_t i = 0; (packing = packing_at(i)) && packing->id != id; i++)
        ;
    return packing;
}

/* Those of the list, then the application's own that have another number. */
static void replace(struct compressors *all, const struct ids *ids)
{
    struct compressors old = *all;
    *all = (struct compressors){0};
    for (size_t i = 0; i < ids->count; i++)
        all->by[all->count++] =
            (struct compressor){.id = ids->id[i], .packing = packing_of(ids->id[i])};
    for (size_t i = 0; i < old.count; i++) {
        if (!old.by[i].packing && !compressor_find(all, old.by[i].id))
            all->by[all->count++] = old.by[i];
    }
}

bool hf_config_set_certificate_compression(hf_config *config, const char *send,
                                           const char *receive)
{
    static const char what[] = "certificate compression";
    struct ids out = {0}, in = {0};
    if (!may_set(config) ||
        !list_parse(what, compressor_named, send ? send : "", true, &out, &config->error) ||
        !list_parse(what, compressor_named, receive ? receive : "", true, &in,
                    &config->error) ||
        !load_all(&out, &config->error) || !load_all(&in, &config->error))
        return false;
    replace(&config->compress_send, &out);
    replace(&config->compress_receive, &in);
    return true;
}

static size_t count_custom(const struct compressors *all)
{
    size_t n = 0;
    for (size_t i = 0; i < all->count; i++)
        n += !all->by[i].packing;
    return n;
}

static bool has_room(const struct compressors *all, uint16_t id, hf_error *err)
{
    if (compressor_find(all, id))
        return err_set(err, HF_E_CONFIG, "there is a certificate compression %u already", id);
    if (count_custom(all) == COMPRESS_CUSTOM)
        return err_set(err, HF_E_CONFIG, "certificate compression %u is one more than %d", id,
                       COMPRESS_CUSTOM);
    return true;
}

bool hf_config_add_certificate_compressor(hf_config *config, const hf_compressor *c)
{
    if (!may_set(config))
        return false;
    hf_error *err = &config->error;
    if (!c || (!c->compress && !c->decompress))
        return err_set(err, HF_E_USAGE,
                       "hf_config_add_certificate_compressor: it has no function");
    if (c->id == 0)
        return err_set(err, HF_E_CONFIG,
                       "certificate compression 0 is reserved (RFC 8879 7.3)");
    if ((c->compress && !has_room(&config->compress_send, c->id, err)) ||
        (c->decompress && !has_room(&config->compress_receive, c->id, err)))
        return false;
    struct compressor by = {.id = c->id, .custom = *c};
    if (c->compress)
        config->compress_send.by[config->compress_send.count++] = by;
    if (c->decompress)
        config->compress_receive.by[config->compress_receive.count++] = by;
    return true;
}
