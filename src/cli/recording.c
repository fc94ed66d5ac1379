#include "cli/recording.h"

#include <stdlib.h>
#include <string.h>

static const size_t default_limit = (size_t)16 << 20;

/* One block holds an event's name, text, rfc and bytes, so that one free ends it. */
static bool copy_event(hf_trace_event *to, const hf_trace_event *from, size_t total)
{
    char *p = malloc(total);
    if (!p)
        return false;
    *to = *from;
    uint8_t *bytes = (uint8_t *)p;
    if (from->size)
        memcpy(bytes, from->bytes, from->size);
    to->bytes = bytes;
    p += from->size;
    const char **strings[] = {&to->name, &to->text, &to->rfc};
    for (size_t i = 0; i < 3; i++) {
        if (!*strings[i])
            continue;
        size_t n = strlen(*strings[i]) + 1;
        memcpy(p, *strings[i], n);
        *strings[i] = p;
        p += n;
    }
    return true;
}

static size_t event_size(const hf_trace_event *e)
{
    size_t n = e->size + strlen(e->name) + 1;
    n += e->text ? strlen(e->text) + 1 : 0;
    return n + (e->rfc ? strlen(e->rfc) + 1 : 0);
}

void recording_add(struct recording *r, const hf_trace_event *event)
{
    size_t total = event_size(event), limit = r->limit ? r->limit : default_limit;
    if (r->bytes > limit || total + sizeof *event > limit - r->bytes) {
        r->dropped++;
        return;
    }
    if (r->count == r->size) {
        size_t size = r->size ? 2 * r->size : 64;
        hf_trace_event *p = realloc(r->events, size * sizeof *p);
        if (!p) {
            r->dropped++;
            return;
        }
        r->events = p;
        r->size = size;
    }
    if (!copy_event(&r->events[r->count], event, total)) {
        r->dropped++;
        return;
    }
    r->count++;
    r->bytes += total + sizeof *event;
}

void recording_clear(struct recording *r)
{
    for (size_t i = 0; i < r->count; i++) {
        uint8_t *block = (uint8_t *)(uintptr_t)r->events[i].bytes;
        if (r->events[i].kind == HF_TRACE_SECRET)
            explicit_bzero(block, r->events[i].size);
        free(block);
    }
    free(r->events);
    size_t limit = r->limit;
    *r = (struct recording){.limit = limit};
}
