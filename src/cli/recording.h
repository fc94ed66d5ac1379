/* recording.h: the events of one connection's trace, kept for a page or for JSON. */
#ifndef CLI_RECORDING_H
#define CLI_RECORDING_H

#include "handfast.h"

/* One event; everything it points to belongs to the recording. */
struct recording {
    hf_trace_event *events;
    size_t count, size;
    size_t bytes;   /* held by names, texts and bytes of events */
    size_t limit;   /* of bytes; 0: 16 MiB */
    size_t dropped; /* events that found no room */
};

/* recording_add copies an event. When the limit is reached or memory runs out, it is counted as
 * dropped instead. */
void recording_add(struct recording *r, const hf_trace_event *event);
void recording_clear(struct recording *r); /* wipes: there may be secrets */

#endif
