/* trace_keys.h: the drawing of a key schedule: a spine of secrets, what goes into them from the side, and what is
 * derived from each. */
#ifndef CLI_TRACE_KEYS_H
#define CLI_TRACE_KEYS_H

#include "cli/trace_page.h"

/* A row names the secret and other names for it. */
struct box {
    const char *name;
    const char *also[3];
    char place; /* 'i'nput from the side, 's'pine, 'd'erived */
    const char *label;
    const char *from; /* how it is made; what the transcript reaches to */
    const char *use;  /* said where no value was recorded; NULL: just that */
};

void keys_draw(struct page *p, const struct box *boxes, size_t count, const char *title);

/* keys_secret finds the value of a box in the recording: the first, which is the handshake's; later ones come
 * from KeyUpdates and renegotiations. NULL: none. */
const hf_trace_event *keys_secret(const struct page *p, const struct box *b);

#endif
