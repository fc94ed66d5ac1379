#include "cli/trace_page.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---------------------------------------------------------------- filing */

static struct item *new_item(struct page *p, enum item_kind kind, size_t event)
{
    if (p->item_count == p->item_size) {
        size_t size = p->item_size ? 2 * p->item_size : 64;
        struct item *items = realloc(p->items, size * sizeof *items);
        if (!items) {
            p->failed = true;
            return NULL;
        }
        p->items = items;
        p->item_size = size;
    }
    const hf_trace_event *e = &p->recording->events[event];
    struct item *item = &p->items[p->item_count++];
    *item = (struct item){.kind = kind, .event = event};
    item->from_client = e->sent != p->facts->is_server;
    return item;
}

static void add_part(struct page *p, struct item *item, const hf_trace_event *e)
{
    if (item->part_count == item->part_size) {
        size_t size = item->part_size ? 2 * item->part_size : 16;
        const hf_trace_event **parts = realloc(item->parts, size * sizeof *parts);
        if (!parts) {
            p->failed = true;
            return;
        }
        item->parts = parts;
        item->part_size = size;
    }
    item->parts[item->part_count++] = e;
}

static struct item *last_of(struct page *p, enum item_kind kind, bool from_client)
{
    for (size_t i = p->item_count; i-- > 0;)
        if (p->items[i].kind == kind && p->items[i].from_client == from_client)
            return &p->items[i];
    return NULL;
}

/* What GROUPs and FIELDs belong to. */
static struct item *last_message(struct page *p, bool from_client)
{
    struct item *message = last_of(p, ITEM_MESSAGE, from_client);
    struct item *inside = last_of(p, ITEM_INSIDE, from_client);
    return inside && (!message || inside > message) ? inside : message;
}

static enum protection protection_of(const char *keys)
{
    if (strstr(keys, "early"))
        return EARLY_KEYS;
    return strstr(keys, "handshake") ? HANDSHAKE_KEYS : APPLICATION_KEYS;
}

static void file_work(struct page *p, size_t i)
{
    struct item *last = p->item_count ? &p->items[p->item_count - 1] : NULL;
    struct item *item = last && last->kind == ITEM_WORK ? last : new_item(p, ITEM_WORK, i);
    if (item)
        add_part(p, item, &p->recording->events[i]);
}

static void file_event(struct page *p, size_t i, enum protection now[2], unsigned numbers[2])
{
    const hf_trace_event *e = &p->recording->events[i];
    bool client = e->sent != p->facts->is_server;
    struct item *item;
    switch (e->kind) {
    case HF_TRACE_RECORD:
    case HF_TRACE_MESSAGE:
    case HF_TRACE_DECOMPRESSED:
        item = new_item(p,
                        e->kind == HF_TRACE_RECORD    ? ITEM_RECORD
                        : e->kind == HF_TRACE_MESSAGE ? ITEM_MESSAGE
                                                      : ITEM_INSIDE,
                        i);
        if (item) {
            /* In TLS 1.3 change_cipher_spec is never protected (RFC 8446 5). */
            item->protection = e->record_type == 20 && !p->old ? OPEN : now[client];
            item->number = ++numbers[e->kind == HF_TRACE_RECORD];
        }
        break;
    case HF_TRACE_PLAINTEXT:
    case HF_TRACE_GROUP:
    case HF_TRACE_FIELD:
        item = e->kind == HF_TRACE_PLAINTEXT ? last_of(p, ITEM_RECORD, client)
                                             : last_message(p, client);
        if (item)
            add_part(p, item, e);
        break;
    case HF_TRACE_KEYS:
        now[client] = protection_of(e->name);
        new_item(p, ITEM_KEYS, i);
        break;
    case HF_TRACE_ERROR: new_item(p, ITEM_ERROR, i); break;
    case HF_TRACE_STEP:
    case HF_TRACE_SECRET:
    case HF_TRACE_NOTE: file_work(p, i); break;
    }
}

static bool is_ccs(const struct page *p, const struct item *item)
{
    return is_wire(item) && item_event(p, item)->record_type == 20;
}

/* The next item that travels, other than a change_cipher_spec of the same side. */
static size_t next_wire(const struct page *p, size_t i)
{
    bool client = p->items[i].from_client;
    for (i++; i < p->item_count; i++)
        if (is_wire(&p->items[i]) &&
            !(is_ccs(p, &p->items[i]) && p->items[i].from_client == client))
            break;
    return i;
}

/* A change_cipher_spec may be sent in the middle of the other side's flight, which it would tear
 * apart on the page: it is shown at the head of its own side's next flight, with which it travels. */
static void move_ccs(struct page *p)
{
    for (size_t i = 0; i < p->item_count; i++) {
        bool client = p->items[i].from_client;
        size_t next = next_wire(p, i);
        if (!is_ccs(p, &p->items[i]) || next == p->item_count ||
            p->items[next].from_client == client)
            continue;
        size_t before = i;
        while (before > 0 && !is_wire(&p->items[before - 1]))
            before--;
        if (before == 0 || p->items[before - 1].from_client == client)
            continue;
        while (next < p->item_count &&
               !(is_wire(&p->items[next]) && p->items[next].from_client == client &&
                 !is_ccs(p, &p->items[next])))
            next++;
        if (next == p->item_count)
            continue;
        struct item moved = p->items[i];
        memmove(&p->items[i], &p->items[i + 1], (next - 1 - i) * sizeof moved);
        p->items[next - 1] = moved;
        /* What stands at i now was not looked at yet. A record and its message move one after the
         * other and keep their order, because the second is put behind the first. */
        i--;
    }
}

/* The suite's row in the library's table, by its number or its name. */
static void find_suite(struct page *p, uint16_t id, const char *name)
{
    static hf_suite_info all[256];
    size_t count = hf_all_suites(all, sizeof all / sizeof *all);
    for (size_t i = 0; i < count && i < sizeof all / sizeof *all; i++)
        if (id ? all[i].id == id : name && strcmp(all[i].name, name) == 0)
            p->suite = all[i];
}

/* What was agreed, as far as it came: from the facts, or from the notes of a handshake that failed. */
static void find_agreed(struct page *p)
{
    const char *suite = NULL;
    p->version = p->facts->version;
    p->etm = p->facts->etm;
    for (size_t i = 0; i < p->recording->count; i++) {
        const hf_trace_event *e = &p->recording->events[i];
        if (e->kind != HF_TRACE_NOTE || !e->text)
            continue;
        if (strcmp(e->name, "suite") == 0)
            suite = e->text;
        for (uint16_t v = HF_TLS1_0; v <= HF_TLS1_3 && !p->version; v++)
            if (strcmp(e->name, "version") == 0 && strcmp(e->text, hf_version_name(v)) == 0)
                p->version = v;
    }
    p->old = p->version && p->version < HF_TLS1_3;
    if (p->old)
        find_suite(p, p->facts->suite, suite);
}

void page_sort(struct page *p)
{
    enum protection now[2] = {OPEN, OPEN};
    unsigned numbers[2] = {0, 0};
    find_agreed(p);
    p->start = p->recording->count ? p->recording->events[0].time : 0;
    for (size_t i = 0; i < p->recording->count; i++)
        file_event(p, i, now, numbers);
    if (!p->old) /* there it has its place, and a meaning */
        move_ccs(p);
}

void page_clear(struct page *p)
{
    for (size_t i = 0; i < p->item_count; i++)
        free(p->items[i].parts);
    free(p->items);
    p->items = NULL;
    p->item_count = p->item_size = 0;
}

/* ---------------------------------------------------------------- small parts */

const struct explanation *page_explain(const struct page *p, char kind, const char *name,
                                       const char *message)
{
    return p->old ? explain_find12(kind, name, message) : explain_find(kind, name);
}

const char *page_lock(const struct page *p, enum protection protection)
{
    switch (protection) {
    case OPEN: return p->old ? "in clear text" : "unprotected";
    case EARLY_KEYS: return "early-data keys";
    case HANDSHAKE_KEYS: return "handshake keys";
    case APPLICATION_KEYS: break;
    }
    return p->old ? "connection keys" : "application keys";
}

const char *message_name(const hf_trace_event *event)
{
    const struct explanation *x = explain_find12('m', event->name, NULL);
    if (x)
        return x->name;
    if (event->record_type == 20)
        return "ChangeCipherSpec";
    return event->record_type == 21 ? "Alert" : event->name;
}

/* "RFC 8446 4.1.2" as a link to that section. Anything else stays text. */
void page_rfc(struct text *out, const char *rfc)
{
    unsigned number;
    int used = 0;
    if (!rfc || !*rfc)
        return;
    text_add(out, "<span class=rfc>");
    if (sscanf(rfc, "RFC %u %n", &number, &used) == 1 && used > 0) {
        text_addf(out, "<a rel=noreferrer href=\"https://www.rfc-editor.org/rfc/rfc%u", number);
        const char *section = rfc + used;
        if (*section && !strpbrk(section, " ,;")) {
            text_add(out, strchr("ABCDE", *section) ? "#appendix-" : "#section-");
            text_html(out, section);
        }
        text_add(out, "\">");
        text_html(out, rfc);
        text_add(out, "</a>");
    } else {
        text_html(out, rfc);
    }
    text_add(out, "</span>");
}

/* Eight bytes to a block, so that a page of any width breaks lines between blocks only. */
void page_bytes(struct text *out, const uint8_t *p, size_t len)
{
    for (size_t i = 0; i < len; i += 8) {
        size_t n = len - i < 8 ? len - i : 8;
        text_add(out, "<i>");
        for (size_t k = 0; k < n; k++)
            text_addf(out, "%02x ", p[i + k]);
        if (len > 16)
            text_addf(out, "%*s", (int)(3 * (8 - n)), "");
        text_add(out, "<b>");
        for (size_t k = 0; k < n; k++) {
            char c[2] = {p[i + k] >= 0x20 && p[i + k] < 0x7f ? (char)p[i + k] : '.', 0};
            text_html(out, c);
        }
        text_add(out, "</b></i>");
    }
}

void page_size(struct text *out, size_t bytes)
{
    text_addf(out, "<span class=count>%zu byte%s</span>", bytes, bytes == 1 ? "" : "s");
}

void page_milliseconds(struct text *out, uint64_t nanoseconds)
{
    double ms = (double)nanoseconds / 1e6;
    text_addf(out, ms < 10 ? "%.2f ms" : ms < 100 ? "%.1f ms" : "%.0f ms", ms);
}

/* ---------------------------------------------------------------- the conversation */

/* A second change of the same direction comes from a renegotiation (TLS 1.2), or a KeyUpdate. */
static bool is_renewed(const struct page *p, const struct item *item)
{
    if (strstr(item_event(p, item)->name, "update"))
        return true;
    for (const struct item *i = p->items; p->old && i < item; i++)
        if (i->kind == ITEM_KEYS && i->from_client == item->from_client)
            return true;
    return false;
}

static void write_keys(struct page *p, const struct item *item)
{
    const hf_trace_event *e = item_event(p, item);
    text_addf(p->out, "<p class=\"rekey %s\"><span>From here on the <b>%s</b> sends with ",
              item->from_client ? "client" : "server", item->from_client ? "client" : "server");
    enum protection k = protection_of(e->name);
    text_addf(p->out, "<b class=k%d>%s%s</b>", (int)k, is_renewed(p, item) ? "renewed " : "",
              page_lock(p, k));
    if (e->text) {
        text_add(p->out, ": ");
        text_html(p->out, e->text);
    }
    text_add(p->out, "</span></p>\n");
}

static void write_error(struct page *p, const struct item *item)
{
    const hf_trace_event *e = item_event(p, item);
    text_add(p->out, "<p class=failure><strong>The connection failed here.</strong> ");
    text_html(p->out, e->text ? e->text : e->name);
    text_add(p->out, "</p>\n");
}

static void open_flight(struct page *p, const struct item *item, unsigned number)
{
    const char *from = item->from_client ? "Client" : "Server";
    const char *to = item->from_client ? "server" : "client";
    text_addf(
        p->out,
        "<section class=\"flight from-%s\" id=f%u><h3><span class=dir>%s <span aria-hidden=true>"
        "%s</span><span class=sr>to</span> %s</span> <span class=time>+",
        item->from_client ? "client" : "server", number, from, "&#8594;", to);
    page_milliseconds(p->out, item_event(p, item)->time - p->start);
    text_add(p->out, "</span></h3>\n");
}

static void write_conversation(struct page *p)
{
    text_add(
        p->out,
        "<section aria-labelledby=h-talk><h2 id=h-talk>The conversation, byte by byte</h2>\n"
        "<p class=hint>Every message opens field by field: the bytes beside what they "
        "mean. <button type=button id=all hidden>Open everything</button></p>\n");
    bool in_flight = false, client = false;
    unsigned number = 0;
    for (size_t i = 0; i < p->item_count; i++) {
        const struct item *item = &p->items[i];
        if (is_wire(item) && (!in_flight || item->from_client != client)) {
            if (in_flight)
                text_add(p->out, "</section>\n");
            client = item->from_client;
            in_flight = true;
            open_flight(p, item, ++number);
        }
        switch (item->kind) {
        case ITEM_RECORD: page_record(p, item); break;
        case ITEM_MESSAGE:
        case ITEM_INSIDE: page_message(p, item); break;
        case ITEM_WORK: page_work(p, item); break;
        case ITEM_KEYS: write_keys(p, item); break;
        case ITEM_ERROR: write_error(p, item); break;
        }
    }
    if (in_flight)
        text_add(p->out, "</section>\n");
    if (p->recording->dropped)
        text_addf(p->out,
                  "<p class=hint>%zu further events were not recorded: the recording had "
                  "reached its limit.</p>\n",
                  p->recording->dropped);
    text_add(p->out, "</section>\n");
}

/* ---------------------------------------------------------------- the page */

static void write_head(struct page *p)
{
    text_add(
        p->out,
        "<!DOCTYPE html>\n<html lang=en>\n<head>\n<meta charset=utf-8>\n"
        "<meta name=viewport content=\"width=device-width, initial-scale=1\">\n"
        "<meta name=color-scheme content=\"light dark\">\n"
        "<meta name=referrer content=no-referrer>\n"
        "<meta http-equiv=Content-Security-Policy content=\"default-src 'none'; "
        "style-src 'unsafe-inline'; script-src 'unsafe-inline'\">\n<title>TLS handshake: ");
    text_html(p->out, p->facts->title ? p->facts->title : "a connection");
    text_add(p->out, "</title>\n<style>\n");
    for (const char *const *line = page_style; *line; line++)
        text_add(p->out, *line);
    text_add(
        p->out,
        "</style>\n</head>\n<body>\n<main>\n<header><p class=brand>handfast trace</p><h1>");
    text_html(p->out, p->facts->title ? p->facts->title : "A TLS connection");
    text_add(p->out, "</h1>\n<p class=lead>");
    text_add(p->out,
             p->facts->is_server
                 ? "The TLS handshake of the connection that brought you this page, as the "
                   "server saw it. "
                 : "One TLS handshake, as the client saw it. ");
    if (p->facts->now)
        text_date(p->out, p->facts->now);
    text_add(p->out, "</p></header>\n");
}

bool trace_html(struct text *out, const struct recording *recording,
                const struct trace_facts *facts)
{
    struct page p = {.out = out, .recording = recording, .facts = facts};
    page_sort(&p);
    write_head(&p);
    page_verdict(&p);
    page_ladder(&p);
    write_conversation(&p);
    page_keys(&p);
    text_add(out, "<footer>Written by handfast. The page needs nothing from the network.");
    text_add(out, "</footer>\n</main>\n<script>\n");
    text_add(out, page_script);
    text_add(out, "</script>\n</body>\n</html>\n");
    bool good = !p.failed && text_ok(out);
    page_clear(&p);
    return good;
}
