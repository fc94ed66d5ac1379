#include <stdatomic.h>

#include "x509/verify.h"

struct chain *chain_new(hf_certificate *const *certs, size_t count)
{
    return count <= CHAIN_MAX ? chain_of_any(certs, count) : NULL;
}

struct chain *chain_of_any(hf_certificate *const *certs, size_t count)
{
    if (count == 0)
        return NULL;
    struct chain *chain = mem_new(sizeof *chain + count * sizeof chain->cert[0]);
    if (!chain)
        return NULL;
    atomic_init(&chain->refs, 1);
    chain->count = count;
    for (size_t i = 0; i < count; i++)
        chain->cert[i] = hf_certificate_ref(certs[i]);
    return chain;
}

struct chain *chain_ref(struct chain *chain)
{
    if (chain)
        atomic_fetch_add_explicit(&chain->refs, 1, memory_order_relaxed);
    return chain;
}

void chain_free(struct chain *chain)
{
    if (!chain || atomic_fetch_sub_explicit(&chain->refs, 1, memory_order_acq_rel) != 1)
        return;
    for (size_t i = 0; i < chain->count; i++)
        hf_certificate_free(chain->cert[i]);
    mem_free(chain);
}
