#include "cli/trace_page.h"

#include <stdio.h>
#include <string.h>

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

void page_leaf(struct page *p, const uint8_t *bytes, size_t len, const char *name,
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

void page_cipher(struct page *p, const uint8_t *bytes, size_t len, bool data, const char *name,
                 const char *why)
{
    char count[40];
    snprintf(count, sizeof count, "%zu bytes", len);
    /* Handshakes are shown whole; of a long conversation the beginning is enough. */
    size_t room = p->cipher_shown < 65536 ? 65536 - p->cipher_shown : 0;
    size_t shown = len < 4096 || !data ? len : 4096;
    if (data && shown > room)
        shown = room;
    p->cipher_shown += data ? shown : 0;
    page_leaf(p, bytes, shown, name, count, why);
    if (shown < len)
        text_addf(p->out, "<p class=why>The first %zu bytes are shown.</p>\n", shown);
}

bool page_is_decrypted(const uint8_t *fragment, size_t len, const hf_trace_event *content)
{
    return content->size && content->size <= len &&
           memcmp(fragment, content->bytes, content->size) == 0;
}

static void write_fragment(struct page *p, const hf_trace_event *e,
                           const hf_trace_event *content)
{
    size_t len = e->size - 5;
    if (!content)
        text_addf(
            p->out,
            "<p class=why>The other %zu byte%s the content itself: it is opened below.</p>\n",
            len, len == 1 ? " is" : "s are");
    else if (page_is_decrypted(e->bytes + 5, len, content))
        page_cipher(
            p, e->bytes + 5, len, content->number == 23, "encrypted_record",
            "Already decrypted in its place, except for the tag that proves nobody changed it: "
            "the content, its true type, and padding. On the line it was ciphertext.");
    else
        page_cipher(
            p, e->bytes + 5, len, content->number == 23, "encrypted_record",
            "Ciphertext: content, its true type, padding, and the tag that proves nobody "
            "changed it.");
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

static const char *about_type(const struct page *p, bool protected)
{
    if (!protected)
        return "What the record carries.";
    return p->old
               ? "What the record carries. In this version that is not encrypted: who watches the line "
                 "sees the end of the handshake, and every alert."
               : "Every protected record says application_data; the true type is inside.";
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
              "<span class=val>%s</span> ",
              data ? " appdata" : "", content_type(inner), e->size, item->number,
              data ? "<strong>Application data</strong>" : "Record",
              data ? "" : content_type(inner));
    page_size(p->out, data ? item->parts[0]->size : e->size);
    if (protected)
        text_addf(p->out, " <span class=\"lock k%d\">%s</span>", (int)item->protection,
                  data || p->old ? page_lock(p, APPLICATION_KEYS)
                                 : "disguised as application_data");
    text_add(p->out, "</summary>\n<div class=body>");
    if (e->size >= 5) {
        page_leaf(p, e->bytes, 1, "type", content_type(e->bytes[0]), about_type(p, protected));
        snprintf(number, sizeof number, "0x%02x%02x", e->bytes[1], e->bytes[2]);
        page_leaf(
            p, e->bytes + 1, 2, p->old ? "version" : "legacy_record_version", number,
            p->old
                ? "The version that was agreed on; in the first record one that every server "
                  "can read."
                : "Frozen for the sake of old equipment, and ignored.");
        snprintf(number, sizeof number, "%u byte%s", e->bytes[3] * 256u + e->bytes[4],
                 e->bytes[3] == 0 && e->bytes[4] == 1 ? "" : "s");
        page_leaf(p, e->bytes + 3, 2, "length", number, "How many bytes follow.");
        if (p->old && protected)
            page_fragment12(p, e, item->parts[0]);
        else
            write_fragment(p, e, protected ? item->parts[0] : NULL);
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
