#include "cli/trace_page.h"

#include <stdio.h>
#include <string.h>

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
static const struct explanation *explain_field(const struct opened *o, const char *name)
{
    const struct explanation *x = page_explain(o->page, 'f', name, o->name);
    if (!x && ends_with(name, "length"))
        x = page_explain(o->page, 'f', "length", NULL);
    return x;
}

static const char *field_name(const struct opened *o, const char *name)
{
    return o->page->old ? explain_name12(name, o->name) : name;
}

/* Of a list's items only the first is explained; the others follow it closely. */
static void write_leaf(struct opened *o, const struct trace_node *n, bool again)
{
    struct text *out = o->page->out;
    const struct explanation *x = explain_field(o, n->name);
    bool is_long = n->size > 128;
    text_addf(out, "<div class=\"leaf%s\"><code data-offset=%zu data-size=%zu%s%s>",
              n->gap  ? " gap"
              : again ? " again"
                      : "",
              n->offset, n->size, n->gap ? " data-gap" : "",
              is_long ? " class=long tabindex=0" : "");
    page_bytes(out, o->bytes + n->offset, n->size);
    text_add(out, "</code><div class=what><span class=name>");
    text_html(out, n->gap ? "(not opened)" : field_name(o, n->name));
    text_add(out, "</span> ");
    write_value(o, n);
    if (!again)
        page_rfc(out, rfc_of(o, n->event, x));
    if (!again && x && strcmp(x->name, "length") != 0)
        text_addf(out, "<p>%s</p>", x->sentence);
    if (explain_name_is(n->name, "cert_data"))
        page_certificate(o->page, o->bytes + n->offset, n->size);
    if (n->size && (explain_name_is(n->name, "ASN1_subjectPublicKeyInfo") ||
                    explain_name_is(n->name, "ASN.1_subjectPublicKeyInfo")))
        page_raw_key(o->page, o->bytes + n->offset, n->size);
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
    const struct explanation *x = page_explain(o->page, 'e', name, NULL);
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
    const struct explanation *x = page_explain(o->page, 'f', n->name, o->name);
    /* The extension's own vector needs no second heading. */
    if (o->extension && (explain_name_is(o->extension, n->name) ||
                         explain_name_is("extension_data", n->name))) {
        write_nodes(o, n->first, NULL, in_extension);
        return;
    }
    text_addf(out,
              "<div class=group data-from=%zu data-bytes=%zu><p class=gh><span class=name>",
              n->offset, n->size);
    text_html(out, field_name(o, n->name));
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
    const hf_trace_event *e = item_event(p, item);
    const char *name = message_name(e);
    const struct explanation *x = page_explain(p, 'm', name, p->suite.key_exchange);
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
        text_add(p->out, item->kind == ITEM_INSIDE ? "decompressed by " : "");
        text_html(p->out, e->text);
        text_add(p->out, "</span>");
    }
    text_add(p->out, " ");
    page_size(p->out, e->size);
    text_addf(p->out, " <span class=\"lock k%d\">%s</span>", (int)item->protection,
              page_lock(p, item->protection));
    if (x)
        text_addf(p->out, "<span class=why>%s</span>", x->sentence);
    text_add(p->out, "</summary>\n<div class=body>");
    page_rfc(p->out, x ? x->rfc : e->rfc);
    const struct trace_node *root = &tree.nodes[0];
    write_nodes(&o, e->size == 0 ? NULL : root->leaf ? root : root->first, NULL, false);
    text_add(p->out, "</div></details>\n");
    trace_tree_clear(&tree);
}

/* ---------------------------------------------------------------- work between messages */

void page_work(struct page *p, const struct item *item)
{
    bool open = false;
    for (size_t i = 0; i < item->part_count; i++) {
        const hf_trace_event *e = item->parts[i];
        /* A step that reads or writes a message says no more than the message itself. */
        const char *word = strrchr(e->name, ' ');
        if (e->kind == HF_TRACE_STEP && page_explain(p, 'm', word ? word + 1 : e->name, NULL))
            continue;
        /* The row only looks whether it may. */
        if (e->kind == HF_TRACE_STEP && strcmp(e->name, "false start") == 0)
            continue;
        if (!open)
            text_add(p->out, "<ul class=work>\n");
        open = true;
        const struct explanation *x =
            page_explain(p, e->kind == HF_TRACE_NOTE ? 'n' : 's', e->name, NULL);
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
