/* trace_page.h: what the files that write the page share. */
#ifndef CLI_TRACE_PAGE_H
#define CLI_TRACE_PAGE_H

#include "cli/trace_html.h"

/* What protects a direction, as the ladder colours it. */
enum protection { OPEN, EARLY_KEYS, HANDSHAKE_KEYS, APPLICATION_KEYS };

enum item_kind {
    ITEM_RECORD,  /* a RECORD with the PLAINTEXTs of it */
    ITEM_MESSAGE, /* a MESSAGE with its parts */
    ITEM_WORK,    /* what this side did in between: STEP, NOTE, SECRET */
    ITEM_KEYS,    /* a change of keys */
    ITEM_ERROR,
};

/* One thing on the page: a run of events. Items of one flight stand together. */
struct item {
    enum item_kind kind;
    enum protection protection; /* RECORD, MESSAGE */
    bool from_client;
    size_t event; /* index of its first event */
    const hf_trace_event *
        *parts; /* MESSAGE: GROUPs and FIELDs. RECORD: PLAINTEXTs. WORK: all */
    size_t part_count, part_size;
    unsigned number; /* of messages and records, for anchors */
};

struct page {
    struct text *out;
    const struct recording *recording;
    const struct trace_facts *facts;
    struct item *items;
    size_t item_count, item_size;
    uint64_t start;      /* time of the first event */
    size_t cipher_shown; /* bytes of application data's records written so far */
    size_t data_shown;   /* bytes of application data written so far */
    bool failed;         /* memory ran out */
};

/* page_sort files the events as items. */
void page_sort(struct page *p);
void page_clear(struct page *p);

/* is_wire: the item travels, and belongs to a flight. */
static inline bool is_wire(const struct item *item)
{
    return item->kind == ITEM_RECORD || item->kind == ITEM_MESSAGE;
}

static inline const hf_trace_event *item_event(const struct page *p, const struct item *item)
{
    return &p->recording->events[item->event];
}

const char *message_name(const hf_trace_event *event); /* "ClientHello" */
void page_rfc(struct text *out, const char *rfc);      /* a section as a link; NULL: nothing */
void page_bytes(struct text *out, const uint8_t *p, size_t len); /* hexadecimal with ASCII */
void page_milliseconds(struct text *out, uint64_t nanoseconds);

void page_message(struct page *p, const struct item *item);
void page_record(struct page *p, const struct item *item);
void page_work(struct page *p, const struct item *item);
void page_certificate(struct page *p, const uint8_t *der, size_t len);
void page_keys(struct page *p);    /* section: the key schedule */
void page_verdict(struct page *p); /* section: what was agreed */
void page_ladder(struct page *p);  /* section: flights at a glance */

extern const char *const page_style[]; /* lines, NULL at the end */
extern const char page_script[];

#endif
