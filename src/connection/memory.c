/* memory.c: a queue of bytes that can be ended. */
#include <stdatomic.h>

#include "connection/queue.h"

hf_memory *hf_memory_new(void)
{
    hf_memory *m = mem_new(sizeof *m);
    if (m)
        atomic_init(&m->refs, 1);
    return m;
}

hf_memory *hf_memory_ref(hf_memory *m)
{
    if (m)
        atomic_fetch_add_explicit(&m->refs, 1, memory_order_relaxed);
    return m;
}

void hf_memory_free(hf_memory *m)
{
    if (!m || atomic_fetch_sub_explicit(&m->refs, 1, memory_order_acq_rel) > 1)
        return;
    buffer_clear(&m->bytes);
    mem_free(m);
}

bool memory_may_write(const hf_memory *m, hf_error *err)
{
    return !m->ended || err_set(err, HF_E_USAGE, "a write to memory that has been ended");
}

bool hf_memory_write(hf_memory *m, const void *bytes, size_t len, hf_error *err)
{
    err_begin(err);
    if (!memory_may_write(m, err))
        return false;
    if (len && !bytes)
        return err_set(err, HF_E_USAGE, "hf_memory_write: the bytes are NULL");
    return !len || buffer_append(&m->bytes, bytes, len) ||
           err_set(err, HF_E_NO_MEMORY, "for %zu bytes", len);
}

size_t hf_memory_read(hf_memory *m, void *out, size_t len)
{
    size_t n = buffer_len(&m->bytes);
    if (n > len)
        n = len;
    if (n) {
        memcpy(out, buffer_front(&m->bytes), n);
        buffer_drop(&m->bytes, n);
    }
    return n;
}

size_t hf_memory_pending(const hf_memory *m)
{
    return buffer_len(&m->bytes);
}

void hf_memory_end(hf_memory *m)
{
    m->ended = true;
}

bool hf_memory_eof(const hf_memory *m)
{
    return m->ended && buffer_len(&m->bytes) == 0;
}

const uint8_t *hf_memory_peek(const hf_memory *m, size_t *len)
{
    *len = buffer_len(&m->bytes);
    return *len ? buffer_front(&m->bytes) : NULL;
}
