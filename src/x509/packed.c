/* packed.c: a credential's Certificate messages, compressed once. */
#include <stdatomic.h>

#include "x509/x509.h"

/* With and without an OCSP response and timestamps: four forms for each algorithm. Whoever changes a
 * credential in use could make more: those are sent as they are. */
enum { MOST = 4 * 8 };

static bool made_by(const struct packed *p, const struct compressor *by)
{
    return p->id == by->id && p->packing == by->packing &&
           (by->packing ||
            (p->custom.compress == by->custom.compress && p->custom.arg == by->custom.arg));
}

static struct packed *make(const struct compressor *by, struct slice plain)
{
    size_t room = compress_room(by, plain.len);
    uint8_t *out = mem_new(room + 1);
    size_t len = out ? compress_pack(by, plain, out, room) : 0;
    struct packed *p = out ? mem_new(sizeof *p + plain.len + len) : NULL;
    if (p) {
        uint8_t *behind = (uint8_t *)(p + 1);
        *p = (struct packed){.packing = by->packing, .custom = by->custom, .id = by->id};
        memcpy(behind, plain.p, plain.len);
        p->plain = slice_of(behind, plain.len);
        if (len)
            memcpy(behind + plain.len, out, len);
        p->packed = slice_of(len ? behind + plain.len : NULL, len);
    }
    mem_free(out);
    return p;
}

const struct packed *credential_pack(struct hf_credential *cred, const struct compressor *by,
                                     struct slice plain)
{
    struct packed *first = atomic_load_explicit(&cred->packed, memory_order_acquire), *mine;
    size_t count = 0;
    for (struct packed *p = first; p; p = p->next, count++) {
        if (made_by(p, by) && slice_equal(p->plain, plain))
            return p->packed.p ? p : NULL;
    }
    if (count >= MOST || !(mine = make(by, plain)))
        return NULL;
    /* Two threads may have made the same at once: both are kept, and good. */
    mine->next = first;
    while (!atomic_compare_exchange_weak_explicit(&cred->packed, &mine->next, mine,
                                                  memory_order_acq_rel, memory_order_acquire))
        ;
    return mine->packed.p ? mine : NULL;
}

void packed_free(struct packed *list)
{
    while (list) {
        struct packed *next = list->next;
        mem_free(list);
        list = next;
    }
}
