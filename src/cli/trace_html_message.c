#include "cli/trace_page.h"

#include <stdio.h>
#include <string.h>

#include "cli/explain.h"
#include "cli/trace_tree.h"

/* One message while it is being written. */
struct opened {
    struct page *page;
    const uint8_t *bytes;
    const char *name;
    const char *extension_rfc; /* within an extension: its section */
    const char *extension;     /* and its name */
};

/* Our table knows the field's own section, the event often only its message's. */
static const char *rfc_of(const struct opened *o, const hf_trace_event *e,
                          const struct explanation *x)
{
    return x ? x->rfc : o->extension_rfc ? o->extension_rfc : e ? e->rfc : NULL;
}

static uint64_t big_endian(const uint8_t *p, size_t n)
{
    uint64_t v = 0;
    for (size_t i = 0; i < n; i++)
        v = v << 8 | p[i];
    return v;
}

static bool is_text(const uint8_t *p, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (p[i] < 0x20 || p[i] > 0x7e)
            return false;
    return n > 0;
}

static bool ends_with(const char *s, const char *end)
{
    size_t n = strlen(s), k = strlen(end);
    return n >= k && strcmp(s + n - k, end) == 0;
}

/* ---------------------------------------------------------------- leaves */

/* The value in words: the event's own, else the number, else text if the field holds text. */
static void write_value(struct opened *o, const struct trace_node *n)
{
    const hf_trace_event *e = n->event;
    const uint8_t *p = o->bytes + n->offset;
    struct text *out = o->page->out;
    const char *words = e && e->text && *e->text                           ? e->text
                        : explain_name_is(n->name, "name_type") && *p == 0 ? "host_name"
                        : explain_name_is(n->name, "msg_type")             ? o->name
                        : !e && explain_name_is(n->name, "description")    ? hf_alert_name(*p)
                                                                           : NULL;
    if (words) {
        text_add(out, "<span class=val>");
        text_html(out, words);
        text_add(out, "</span>");
    } else if (strstr(n->name, "name") && is_text(p, n->size)) {
        text_add(out, "<span class=val>&quot;");
        text_html_bytes(out, p, n->size);
        text_add(out, "&quot;</span>");
    } else if (n->size <= 4 && (!e || e->number == big_endian(p, n->size))) {
        unsigned long long v = big_endian(p, n->size);
        bool counts =
            strstr(n->name, "length") || strstr(n->name, "size") || strstr(n->name, "limit");
        bool seconds = ends_with(n->name, "lifetime");
        text_addf(out, "<span class=val>%llu%s</span>", v,
                  counts    ? v == 1 ? " byte" : " bytes"
                  : seconds ? " seconds"
                            : "");
    } else {
        text_addf(out, "<span class=count>%zu bytes</span>", n->size);
    }
}

/* "cipher_suites length", "cipher_suites.length" and the like are lengths of something. */
static const struct explanation *explain_field(const char *name)
{
    const struct explanation *x = explain_find('f', name);
    if (!x && ends_with(name, "length"))
        x = explain_find('f', "length");
    return x;
}

/* Of a list's items only the first is explained; the others follow it closely. */
static void write_leaf(struct opened *o, const struct trace_node *n, bool again)
{
    struct text *out = o->page->out;
    const struct explanation *x = explain_field(n->name);
    bool is_long = n->size > 128;
    text_addf(out, "<div class=\"leaf%s\"><code data-offset=%zu data-size=%zu%s%s>",
              n->gap  ? " gap"
              : again ? " again"
                      : "",
              n->offset, n->size, n->gap ? " data-gap" : "",
              is_long ? " class=long tabindex=0" : "");
    page_bytes(out, o->bytes + n->offset, n->size);
    text_add(out, "</code><div class=what><span class=name>");
    text_html(out, n->gap ? "(not opened)" : n->name);
    text_add(out, "</span> ");
    write_value(o, n);
    if (!again)
        page_rfc(out, rfc_of(o, n->event, x));
    if (!again && x && strcmp(x->name, "length") != 0)
        text_addf(out, "<p>%s</p>", x->sentence);
    if (explain_name_is(n->name, "cert_data"))
        page_certificate(o->page, o->bytes + n->offset, n->size);
    text_add(out, "</div></div>\n");
}

/* ---------------------------------------------------------------- groups */

static void write_nodes(struct opened *o, const struct trace_node *first,
                        const struct trace_node *end, bool in_extension);

/* The words of all leaves in a run of nodes, for the line that stands for them when closed. */
static size_t write_summary(struct opened *o, const struct trace_node *n,
                            const struct trace_node *end, size_t words)
{
    for (; n && n != end && words < 6; n = n->next) {
        const hf_trace_event *e = n->event;
        if (!n->leaf) {
            words = write_summary(o, n->first, NULL, words);
            continue;
        }
        if (explain_name_is(n->name, "extension_type") || ends_with(n->name, "length") ||
            explain_name_is(n->name, "name_type") || explain_name_is(n->name, "status_type"))
            continue;
        bool name = strstr(n->name, "name") && is_text(o->bytes + n->offset, n->size);
        if (!(e && e->text && *e->text) && !name)
            continue;
        text_add(o->page->out, words == 0 ? "" : words == 5 ? " &#8230;" : ", ");
        words++;
        if (words == 6)
            return words;
        if (e && e->text && *e->text)
            text_html(o->page->out, e->text);
        else
            text_html_bytes(o->page->out, o->bytes + n->offset, n->size);
    }
    return words;
}

/* One extension: from its extension_type leaf up to the next one. */
static void write_extension(struct opened *o, const struct trace_node *n,
                            const struct trace_node *end)
{
    struct text *out = o->page->out;
    char number[32];
    uint16_t type = (uint16_t)big_endian(o->bytes + n->offset, n->size);
    const char *name = n->event && n->event->text ? n->event->text : hf_extension_name(type);
    size_t last = n->offset + n->size;
    for (const struct trace_node *k = n; k && k != end; k = k->next)
        last = k->offset + k->size;
    if (strcmp(name, "unknown") == 0) {
        snprintf(number, sizeof number, "extension 0x%04x", type);
        name = number;
    }
    const struct explanation *x = explain_find('e', name);
    text_add(out, "<details class=ext data-extension=\"");
    text_html(out, name);
    text_add(out, "\"><summary><span class=name>");
    text_html(out, name);
    text_add(out, "</span> <span class=val>");
    write_summary(o, n, end, 0);
    text_addf(out, "</span><span class=count>%zu bytes</span>", last - n->offset);
    if (x)
        text_addf(out, "<span class=why>%s</span>", x->sentence);
    text_add(out, "</summary>\n");
    page_rfc(out, x ? x->rfc : NULL);
    o->extension = name;
    o->extension_rfc = x ? x->rfc : NULL;
    write_nodes(o, n, end, true);
    o->extension = o->extension_rfc = NULL;
    text_add(out, "</details>\n");
}

static void write_group(struct opened *o, const struct trace_node *n, bool in_extension)
{
    struct text *out = o->page->out;
    const struct explanation *x = explain_find('f', n->name);
    /* The extension's own vector needs no second heading. */
    if (o->extension && (explain_name_is(o->extension, n->name) ||
                         explain_name_is("extension_data", n->name))) {
        write_nodes(o, n->first, NULL, in_extension);
        return;
    }
    text_addf(out,
              "<div class=group data-from=%zu data-bytes=%zu><p class=gh><span class=name>",
              n->offset, n->size);
    text_html(out, n->name);
    text_add(out, "</span> ");
    if (n->event && n->event->text && *n->event->text) {
        text_add(out, "<span class=val>");
        text_html(out, n->event->text);
        text_add(out, "</span> ");
    }
    text_addf(out, "<span class=count>%zu bytes</span>", n->size);
    page_rfc(out, rfc_of(o, n->event, x));
    if (x)
        text_addf(out, "<span class=why>%s</span>", x->sentence);
    text_add(out, "</p>\n");
    write_nodes(o, n->first, NULL, in_extension);
    text_add(out, "</div>\n");
}

static bool begins_extension(const struct trace_node *n)
{
    return n->leaf && explain_name_is(n->name, "extension_type");
}

static void write_nodes(struct opened *o, const struct trace_node *first,
                        const struct trace_node *end, bool in_extension)
{
    const char *before = "";
    for (const struct trace_node *n = first; n && n != end;) {
        if (!in_extension && begins_extension(n)) {
            const struct trace_node *next = n->next;
            while (next && next != end && !begins_extension(next))
                next = next->next;
            write_extension(o, n, next);
            n = next;
            continue;
        }
        if (n->leaf)
            write_leaf(o, n, n->size <= 4 && strcmp(before, n->name) == 0);
        else
            write_group(o, n, in_extension);
        before = n->name;
        n = n->next;
    }
}

/* ---------------------------------------------------------------- messages */

void page_message(struct page *p, const struct item *item)
{
    static const char *const lock[] = {"unprotected", "early-data keys", "handshake keys",
                                       "application keys"};
    const hf_trace_event *e = item_event(p, item);
    const char *name = message_name(e);
    const struct explanation *x = explain_find('m', name);
    struct opened o = {.page = p, .bytes = e->bytes, .name = name};
    struct trace_tree tree;
    if (!trace_tree_build(&tree, item->parts, item->part_count, e->size, e->record_type)) {
        p->failed = true;
        return;
    }
    text_add(p->out, "<details class=message data-message=\"");
    text_html(p->out, name);
    text_addf(p->out, "\" data-from=%s data-bytes=%zu id=m%u><summary><h4>",
              item->from_client ? "client" : "server", e->size, item->number);
    text_html(p->out, name);
    text_add(p->out, "</h4>");
    if (e->text && *e->text) {
        text_add(p->out, " <span class=val>");
        text_html(p->out, e->text);
        text_add(p->out, "</span>");
    }
    text_addf(p->out, " <span class=count>%zu bytes</span> <span class=\"lock k%d\">%s</span>",
              e->size, (int)item->protection, lock[item->protection]);
    if (x)
        text_addf(p->out, "<span class=why>%s</span>", x->sentence);
    text_add(p->out, "</summary>\n<div class=body>");
    page_rfc(p->out, x ? x->rfc : e->rfc);
    const struct trace_node *root = &tree.nodes[0];
    write_nodes(&o, e->size == 0 ? NULL : root->leaf ? root : root->first, NULL, false);
    text_add(p->out, "</div></details>\n");
    trace_tree_clear(&tree);
}

/* ---------------------------------------------------------------- records */

static const char *content_type(uint64_t type)
{
    switch (type) {
    case 20: return "change_cipher_spec";
    case 21: return "alert";
    case 22: return "handshake";
    case 23: return "application_data";
    default: return "unknown";
    }
}

static void record_leaf(struct page *p, const uint8_t *bytes, size_t len, const char *name,
                        const char *value, const char *why)
{
    text_add(p->out, "<div class=leaf><code");
    text_add(p->out, len > 128 ? " class=long tabindex=0>" : ">");
    page_bytes(p->out, bytes, len);
    text_addf(p->out, "</code><div class=what><span class=name>%s</span> <span class=val>",
              name);
    text_html(p->out, value);
    text_addf(p->out, "</span><p>%s</p></div></div>\n", why);
}

static void write_fragment(struct page *p, const hf_trace_event *e, bool protected, bool data)
{
    char count[40];
    snprintf(count, sizeof count, "%zu bytes", e->size - 5);
    if (!protected) {
        text_addf(p->out,
                  "<p class=why>The other %s are the content itself: it is opened below.</p>\n",
                  count);
        return;
    }
    /* Handshakes are shown whole; of a long conversation the beginning is enough. */
    size_t room = p->cipher_shown < 65536 ? 65536 - p->cipher_shown : 0;
    size_t shown = e->size - 5 < 4096 || !data ? e->size - 5 : 4096;
    if (data && shown > room)
        shown = room;
    p->cipher_shown += data ? shown : 0;
    record_leaf(
        p, e->bytes + 5, shown, "encrypted_record", count,
        "Ciphertext: content, its true type, padding, and the tag that proves nobody changed it.");
    if (shown < e->size - 5)
        text_addf(p->out, "<p class=why>The first %zu bytes are shown.</p>\n", shown);
}

/* Application data is shown where it travelled; handshake messages are opened on their own. */
static void write_content(struct page *p, const hf_trace_event *e)
{
    const size_t most = 65536;
    size_t room = most > p->data_shown ? most - p->data_shown : 0;
    size_t shown = e->size < room ? e->size : room;
    if (shown > 4096)
        shown = 4096;
    p->data_shown += shown;
    bool words = true;
    for (size_t i = 0; i < shown && words; i++)
        words = e->bytes[i] >= 0x20 || e->bytes[i] == '\n' || e->bytes[i] == '\r' ||
                e->bytes[i] == '\t';
    if (words && shown) {
        text_add(p->out, "<pre class=data tabindex=0>");
        for (size_t i = 0, from = 0; i <= shown; i++)
            if (i == shown || e->bytes[i] == '\r') {
                text_html_bytes(p->out, e->bytes + from, i - from);
                from = i + 1;
            }
        text_add(p->out, "</pre>\n");
    } else if (shown) {
        text_add(p->out, "<code class=long tabindex=0>");
        page_bytes(p->out, e->bytes, shown);
        text_add(p->out, "</code>\n");
    }
    if (shown < e->size)
        text_addf(p->out, "<p class=why>%zu of %zu bytes are shown.</p>\n", shown, e->size);
}

void page_record(struct page *p, const struct item *item)
{
    const hf_trace_event *e = item_event(p, item);
    bool protected = item->part_count > 0;
    uint64_t inner = protected ? item->parts[0]->number : e->record_type;
    char number[40];
    bool data = protected && inner == 23;
    text_addf(p->out,
              "<details class=\"record%s\" data-record=%s data-bytes=%zu id=r%u><summary>%s "
              "<span class=val>%s</span> <span class=count>%zu bytes</span>",
              data ? " appdata" : "", content_type(inner), e->size, item->number,
              data ? "<strong>Application data</strong>" : "Record",
              data ? "" : content_type(inner), data ? item->parts[0]->size : e->size);
    if (protected)
        text_addf(p->out, " <span class=\"lock k%d\">%s</span>", (int)item->protection,
                  data ? "application keys" : "disguised as application_data");
    text_add(p->out, "</summary>\n<div class=body>");
    if (e->size >= 5) {
        record_leaf(
            p, e->bytes, 1, "type", content_type(e->bytes[0]),
            protected ? "Every protected record says application_data; the true type is inside."
                      : "What the record carries.");
        snprintf(number, sizeof number, "0x%02x%02x", e->bytes[1], e->bytes[2]);
        record_leaf(p, e->bytes + 1, 2, "legacy_record_version", number,
                    "Frozen for the sake of old equipment, and ignored.");
        snprintf(number, sizeof number, "%llu bytes",
                 (unsigned long long)big_endian(e->bytes + 3, 2));
        record_leaf(p, e->bytes + 3, 2, "length", number, "How many bytes follow.");
        write_fragment(p, e, protected, data);
    }
    for (size_t i = 0; i < item->part_count; i++) {
        const hf_trace_event *in = item->parts[i];
        text_addf(p->out,
                  "<p class=gh><span class=name>content</span> <span class=val>%s</span> "
                  "<span class=count>%zu bytes, decrypted</span></p>\n",
                  content_type(in->number), in->size);
        if (in->number == 23)
            write_content(p, in);
    }
    text_add(p->out, "</div></details>\n");
}

/* ---------------------------------------------------------------- work between messages */

void page_work(struct page *p, const struct item *item)
{
    bool open = false;
    for (size_t i = 0; i < item->part_count; i++) {
        const hf_trace_event *e = item->parts[i];
        /* A step that reads or writes a message says no more than the message itself. */
        const char *word = strrchr(e->name, ' ');
        if (e->kind == HF_TRACE_STEP && explain_find('m', word ? word + 1 : e->name))
            continue;
        if (!open)
            text_add(p->out, "<ul class=work>\n");
        open = true;
        const struct explanation *x =
            explain_find(e->kind == HF_TRACE_NOTE ? 'n' : 's', e->name);
        text_addf(p->out, "<li class=%s><span class=name>",
                  e->kind == HF_TRACE_NOTE     ? "note"
                  : e->kind == HF_TRACE_SECRET ? "secret"
                                               : "step");
        text_html(p->out, e->name);
        text_add(p->out, "</span> ");
        if (e->text && *e->text) {
            text_add(p->out, "<span class=val>");
            text_html(p->out, e->text);
            text_add(p->out, "</span> ");
        }
        if (e->kind == HF_TRACE_SECRET && e->size) {
            text_add(p->out, "<code class=secret>");
            text_hex(p->out, e->bytes, e->size);
            text_add(p->out, "</code> ");
        }
        page_rfc(p->out, x ? x->rfc : e->rfc);
        if (x && *x->sentence)
            text_addf(p->out, "<span class=why>%s</span>", x->sentence);
        text_add(p->out, "</li>\n");
    }
    if (open)
        text_add(p->out, "</ul>\n");
}
