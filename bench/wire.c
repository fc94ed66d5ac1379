/* wire.c: two queues of bytes per thread, one towards each side. */
#include "bench.h"

#include <stdlib.h>
#include <string.h>

#define WIRE_SIZE (256U * 1024U)

struct queue {
    uint8_t *p;
    size_t start, end;
};

static _Thread_local struct queue queues[2];
_Thread_local bool wire_discard;

void wire_send_to(enum side to, const void *p, size_t len)
{
    struct queue *q = &queues[to];

    if (wire_discard)
        return;
    if (q->p == NULL && (q->p = malloc(WIRE_SIZE)) == NULL)
        die("no memory for the wire");
    if (q->start == q->end)
        q->start = q->end = 0;
    if (len > WIRE_SIZE - q->end)
        die("the wire is full: %zu bytes wait", q->end - q->start);
    memcpy(q->p + q->end, p, len);
    q->end += len;
}

size_t wire_take(enum side reader, void *out, size_t size)
{
    struct queue *q = &queues[reader];
    size_t n = q->end - q->start;

    if (n > size)
        n = size;
    if (n > 0)
        memcpy(out, q->p + q->start, n);
    q->start += n;
    return n;
}

size_t wire_waiting(enum side reader)
{
    return queues[reader].end - queues[reader].start;
}

void wire_reset(void)
{
    for (int i = 0; i < 2; i++) {
        if (queues[i].p == NULL && (queues[i].p = malloc(WIRE_SIZE)) == NULL)
            die("no memory for the wire");
        queues[i].start = queues[i].end = 0;
    }
}
