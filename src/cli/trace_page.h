/* trace_page.h: what the files that write the page share. */
#ifndef CLI_TRACE_PAGE_H
#define CLI_TRACE_PAGE_H

#include "cli/explain.h"
#include "cli/trace_html.h"

/* What protects a direction, as the ladder colours it. TLS 1.2 and older have one kind of keys for all that
 * is protected: APPLICATION_KEYS. */
enum protection { OPEN, EARLY_KEYS, HANDSHAKE_KEYS, APPLICATION_KEYS };

enum item_kind {
    ITEM_RECORD,  /* a RECORD with the PLAINTEXTs of it */
    ITEM_MESSAGE, /* a MESSAGE with its parts */
    ITEM_INSIDE,  /* a DECOMPRESSED with its parts: what the message before it stands for */
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
    /* MESSAGE, INSIDE: GROUPs and FIELDs. RECORD: PLAINTEXTs. WORK: all */
    const hf_trace_event **parts;
    size_t part_count, part_size;
    unsigned number; /* of messages (INSIDE too) and records, for anchors */
};

struct page {
    struct text *out;
    const struct recording *recording;
    const struct trace_facts *facts;
    struct item *items;
    size_t item_count, item_size;
    uint64_t start;      /* time of the first event */
    uint16_t version;    /* as far as is known, 0 if not */
    bool old;            /* it is TLS 1.2 or older */
    hf_suite_info suite; /* old: the suite's row; name NULL: not known */
    bool etm;            /* old: encrypt-then-MAC is used */
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

/* page_explain: explain_find for the version that is spoken. `message` is where the name stands, or NULL. */
const struct explanation *page_explain(const struct page *p, char kind, const char *name,
                                       const char *message);

/* page_lock: what protects an item, in words. */
const char *page_lock(const struct page *p, enum protection protection);

const char *message_name(const hf_trace_event *event); /* "ClientHello" */
void page_rfc(struct text *out, const char *rfc);      /* a section as a link; NULL: nothing */
void page_bytes(struct text *out, const uint8_t *p, size_t len); /* hexadecimal with ASCII */
void page_size(struct text *out, size_t bytes);                  /* "1 byte" */
void page_milliseconds(struct text *out, uint64_t nanoseconds);

void page_message(struct page *p, const struct item *item);
void page_record(struct page *p, const struct item *item);
/* page_fragment12 opens the protected part of a record of TLS 1.2 or older behind its header; content is what
 * is in it. page_is_decrypted: the engine has decrypted in place, so that these bytes are the content. */
void page_fragment12(struct page *p, const hf_trace_event *record,
                     const hf_trace_event *content);
bool page_is_decrypted(const uint8_t *fragment, size_t len, const hf_trace_event *content);
/* page_leaf writes bytes and what they are; page_cipher does it for ciphertext, within the page's limits. */
void page_cipher(struct page *p, const uint8_t *bytes, size_t len, bool data, const char *name,
                 const char *why);
void page_leaf(struct page *p, const uint8_t *bytes, size_t len, const char *name,
               const char *value, const char *why);
void page_work(struct page *p, const struct item *item);
void page_certificate(struct page *p, const uint8_t *der, size_t len);
void page_raw_key(struct page *p, const uint8_t *spki, size_t len);
void page_keys(struct page *p);    /* section: the key schedule */
void page_keys12(struct page *p);  /* the drawing of it for TLS 1.2 and older */
void page_verdict(struct page *p); /* section: what was agreed */

/* What the verdict says about TLS 1.2 and older. verdict_point writes one point of it. */
void verdict_point(struct page *p, bool good, const char *sentence);
void verdict_judge12(struct page *p);
void verdict_suite12(const struct page *p, char out[160]);
const char *verdict_exchange12(const struct page *p);
void page_ladder(struct page *p); /* section: flights at a glance */

extern const char *const page_style[]; /* lines, NULL at the end */
extern const char page_script[];

#endif
