#include "cli/proxy_buffer.h"

#include <stdlib.h>
#include <string.h>

enum { SPARES = 64, PARKED_MAX = 1024 };

static uint8_t *spares[SPARES];
static size_t spare_count;

static uint8_t *take(void)
{
    return spare_count ? spares[--spare_count] : malloc(PROXY_BUFFER);
}

static void give(uint8_t *p)
{
    if (spare_count < SPARES)
        spares[spare_count++] = p;
    else
        free(p);
}

bool pbuf_open(struct pbuf *b)
{
    size_t len = pbuf_len(b);
    if (b->size == PROXY_BUFFER) {
        if (b->start && len)
            memmove(b->p, b->p + b->start, len);
    } else {
        uint8_t *whole = take();
        if (!whole)
            return false;
        if (len)
            memcpy(whole, b->p + b->start, len);
        free(b->p);
        b->p = whole;
        b->size = PROXY_BUFFER;
    }
    b->start = 0;
    b->end = len;
    return true;
}

void pbuf_park(struct pbuf *b)
{
    size_t len = pbuf_len(b);
    if (len == 0)
        pbuf_free(b);
    if (len == 0 || len > PARKED_MAX || b->size != PROXY_BUFFER)
        return;
    uint8_t *small = malloc(len);
    if (!small)
        return; /* then it stays where it is */
    memcpy(small, b->p + b->start, len);
    pbuf_free(b);
    *b = (struct pbuf){.p = small, .end = len, .size = len};
}

void pbuf_free(struct pbuf *b)
{
    if (b->p && b->size == PROXY_BUFFER)
        give(b->p);
    else
        free(b->p);
    *b = (struct pbuf){0};
}

void pbuf_forget_spares(void)
{
    while (spare_count)
        free(spares[--spare_count]);
}
