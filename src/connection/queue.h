/* queue.h: what is inside hf_memory. */
#ifndef CONNECTION_QUEUE_H
#define CONNECTION_QUEUE_H

#include "bytes/bytes.h"
#include "handfast_memory.h"

struct hf_memory {
    _Atomic int refs;
    bool ended;
    struct buffer bytes;
};

bool memory_may_write(const hf_memory *m, hf_error *err) __attribute__((warn_unused_result));

#endif
