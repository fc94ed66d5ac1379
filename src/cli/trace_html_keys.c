#include "cli/trace_keys.h"

#include <string.h>

/* The key schedule of RFC 8446 7.1: the spine of three extractions, and what is derived from each. */
/* clang-format off */
static const struct box boxes13[] = {
    {"psk", {"resumption_psk"}, 'i', "pre-shared key", "zeros in a full handshake", NULL},
    {"early_secret", {0}, 's', "Early Secret", "HKDF-Extract", NULL},
    {"binder_key", {0}, 'd', "binder key", "", NULL},
    {"client_early_traffic_secret", {0}, 'd', "client early traffic", "ClientHello", NULL},
    {"shared_secret", {"ecdhe", "dhe", "(ec)dhe"}, 'i', "shared secret", "from the key exchange", NULL},
    {"handshake_secret", {0}, 's', "Handshake Secret", "HKDF-Extract", NULL},
    {"client_handshake_traffic_secret", {"c_hs_traffic"}, 'd', "client handshake traffic", "ClientHello..ServerHello", NULL},
    {"server_handshake_traffic_secret", {"s_hs_traffic"}, 'd', "server handshake traffic", "ClientHello..ServerHello", NULL},
    {"master_secret", {"main_secret"}, 's', "Master Secret", "HKDF-Extract", NULL},
    {"client_application_traffic_secret_0", {"client_application_traffic_secret", "c_ap_traffic"}, 'd', "client application traffic", "..server Finished", NULL},
    {"server_application_traffic_secret_0", {"server_application_traffic_secret", "s_ap_traffic"}, 'd', "server application traffic", "..server Finished", NULL},
    {"exporter_master_secret", {"exporter_secret"}, 'd', "exporter", "..server Finished", NULL},
    {"resumption_master_secret", {"resumption_secret"}, 'd', "resumption", "..client Finished", NULL},
};
/* clang-format on */
enum { BOXES = sizeof boxes13 / sizeof *boxes13 };

static bool box_is(const struct box *b, const char *name)
{
    bool same = explain_name_is(b->name, name);
    for (size_t i = 0; i < 3 && b->also[i] && !same; i++)
        same = explain_name_is(b->also[i], name);
    return same;
}

const hf_trace_event *keys_secret(const struct page *p, const struct box *b)
{
    for (size_t i = 0; i < p->recording->count; i++) {
        const hf_trace_event *e = &p->recording->events[i];
        if (e->kind == HF_TRACE_SECRET && box_is(b, e->name))
            return e;
    }
    return NULL;
}

enum { WIDTH = 380, ROW = 56, BOX = 42, SPINE = 20, INDENT = 52 };

static void draw_value(struct text *out, const struct box *b, const hf_trace_event *e, int x,
                       int y)
{
    bool use = !(e && e->size) && b->use;
    text_addf(out, "<text class=%s x=%d y=%d>", use ? "f" : "v", x, y);
    if (e && e->size) {
        text_hex(out, e->bytes, e->size < 18 ? e->size : 18);
        text_add(out, e->size > 18 ? "&#8230;" : "");
    } else {
        text_add(out, use ? b->use : "value not recorded");
    }
    text_add(out, "</text>\n");
}

/* Spine boxes touch the left edge; what is derived hangs from the spine by an elbow; inputs enter
 * from above with an arrow. */
static void draw_box(struct text *out, const struct box *b, const hf_trace_event *e, int y,
                     bool first)
{
    int x = b->place == 's' ? 1 : INDENT;
    if (b->place == 'd')
        text_addf(out, "<path class=l d=\"M%d %dV%dH%d\"/>\n", SPINE,
                  y - ROW + (first ? BOX : BOX / 2), y + BOX / 2, x - 7);
    if (b->place == 'd')
        text_addf(out, "<path class=h d=\"M%d %dl-8 -4v8z\"/>\n", x, y + BOX / 2);
    if (b->place == 'i')
        text_addf(out, "<path class=l d=\"M%d %dV%d\"/><path class=h d=\"M%d %dl-4 -8h8z\"/>\n",
                  x + 40, y + BOX, y + ROW - 7, x + 40, y + ROW);
    text_addf(out, "<rect class=%c x=%d y=%d width=%d height=%d rx=6 />\n", b->place, x, y,
              WIDTH - 1 - x, BOX);
    text_addf(out, "<text x=%d y=%d>%s<tspan class=f dx=6>%s</tspan></text>\n", x + 10, y + 17,
              b->label, b->from);
    draw_value(out, b, e, x + 10, y + 34);
}

static bool is_drawn(const struct page *p, const struct box *b)
{
    bool optional = strstr(b->name, "early_traffic") || strstr(b->name, "binder") ||
                    strcmp(b->name, "psk") == 0 || strcmp(b->name, "pre_master_secret") == 0;
    return !optional || keys_secret(p, b);
}

void keys_draw(struct page *p, const struct box *boxes, size_t count, const char *title)
{
    int rows = 0, y = 2, spine_from = -1, spine_to = 0;
    for (size_t i = 0; i < count; i++)
        rows += is_drawn(p, &boxes[i]);
    text_addf(p->out,
              "<svg class=schedule viewBox=\"0 0 %d %d\" role=img aria-labelledby=t-keys>\n"
              "<title id=t-keys>%s</title>\n",
              WIDTH, rows * ROW - ROW + BOX + 4, title);
    int at = 2;
    for (size_t i = 0; i < count; i++) {
        if (!is_drawn(p, &boxes[i]))
            continue;
        if (boxes[i].place == 's') {
            if (spine_from < 0)
                spine_from = at + BOX;
            spine_to = at;
        }
        at += ROW;
    }
    text_addf(p->out, "<path class=\"l spine\" d=\"M%d %dV%d\"/>\n", SPINE, spine_from,
              spine_to);
    char last = 0;
    for (size_t i = 0; i < count; i++) {
        if (!is_drawn(p, &boxes[i]))
            continue;
        draw_box(p->out, &boxes[i], keys_secret(p, &boxes[i]), y, last == 's');
        last = boxes[i].place;
        y += ROW;
    }
    text_add(p->out, "</svg>\n");
}

static void list(struct page *p)
{
    text_add(p->out, "<dl class=secrets>\n");
    for (size_t i = 0; i < p->recording->count; i++) {
        const hf_trace_event *e = &p->recording->events[i];
        if (e->kind != HF_TRACE_SECRET)
            continue;
        const struct explanation *x = page_explain(p, 's', e->name, NULL);
        for (int k = 0; k < BOXES && !x; k++)
            if (box_is(&boxes13[k], e->name))
                x = explain_find('s', boxes13[k].name);
        text_add(p->out, "<div><dt>");
        text_html(p->out, e->name);
        text_add(p->out, "</dt><dd><code class=secret>");
        text_hex(p->out, e->bytes, e->size);
        text_add(p->out, "</code>");
        if (x)
            text_addf(p->out, "<small>%s</small>", x->sentence);
        text_add(p->out, "</dd></div>\n");
    }
    text_add(p->out, "</dl>\n");
}

void page_keys(struct page *p)
{
    bool any = false;
    for (size_t i = 0; i < p->recording->count && !any; i++)
        any = p->recording->events[i].kind == HF_TRACE_SECRET;
    text_add(p->out,
             "<section aria-labelledby=h-keys><h2 id=h-keys>Where the keys come from</h2>\n");
    if (!any) {
        text_add(p->out, "<p class=hint>No secrets were recorded.</p></section>\n");
        return;
    }
    text_add(p->out, "<p class=hint>");
    if (!p->old)
        text_add(p->out,
                 "Each secret is derived from the one above it and from a hash of the "
                 "messages so far, so that both sides get the same keys only if they saw "
                 "the same handshake.");
    else
        text_addf(
            p->out,
            "%s makes one master secret of the key exchange and %s, and cuts all keys of the "
            "connection from it.",
            hf_version_name(p->version),
            p->facts->ems || !p->facts->version ? "the whole handshake" : "the two randoms");
    text_add(p->out,
             " With these values anybody can decrypt a recording of this connection: pass the "
             "page on only if the connection carried nothing secret.</p>\n<div class=keys>");
    if (p->old)
        page_keys12(p);
    else
        keys_draw(
            p, boxes13, BOXES,
            "Key schedule: early secret, handshake secret and master secret, and the traffic "
            "secrets derived from each");
    list(p);
    text_add(p->out, "</div></section>\n");
}
