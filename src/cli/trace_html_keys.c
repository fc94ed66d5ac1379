#include "cli/trace_page.h"

#include <string.h>

#include "cli/explain.h"

/* The key schedule of RFC 8446 7.1 as a drawing: the spine of three extractions, and what is derived
 * from each. A row names the secret and other names for it. */
struct box {
    const char *name;
    const char *also[3];
    char place; /* 'i'nput from the side, 's'pine, 'd'erived */
    const char *label;
    const char *from; /* what the transcript reaches to */
};

/* clang-format off */
static const struct box boxes[] = {
    {"psk", {"resumption_psk"}, 'i', "pre-shared key", "zeros in a full handshake"},
    {"early_secret", {0}, 's', "Early Secret", "HKDF-Extract"},
    {"binder_key", {0}, 'd', "binder key", ""},
    {"client_early_traffic_secret", {0}, 'd', "client early traffic", "ClientHello"},
    {"shared_secret", {"ecdhe", "dhe", "(ec)dhe"}, 'i', "shared secret", "from the key exchange"},
    {"handshake_secret", {0}, 's', "Handshake Secret", "HKDF-Extract"},
    {"client_handshake_traffic_secret", {"c_hs_traffic"}, 'd', "client handshake traffic", "ClientHello..ServerHello"},
    {"server_handshake_traffic_secret", {"s_hs_traffic"}, 'd', "server handshake traffic", "ClientHello..ServerHello"},
    {"master_secret", {"main_secret"}, 's', "Master Secret", "HKDF-Extract"},
    {"client_application_traffic_secret_0", {"client_application_traffic_secret", "c_ap_traffic"}, 'd', "client application traffic", "..server Finished"},
    {"server_application_traffic_secret_0", {"server_application_traffic_secret", "s_ap_traffic"}, 'd', "server application traffic", "..server Finished"},
    {"exporter_master_secret", {"exporter_secret"}, 'd', "exporter", "..server Finished"},
    {"resumption_master_secret", {"resumption_secret"}, 'd', "resumption", "..client Finished"},
};
/* clang-format on */
enum { BOXES = sizeof boxes / sizeof *boxes };

static bool box_is(const struct box *b, const char *name)
{
    bool same = explain_name_is(b->name, name);
    for (size_t i = 0; i < 3 && b->also[i] && !same; i++)
        same = explain_name_is(b->also[i], name);
    return same;
}

/* The first value of a name is the one of the handshake; later ones come from KeyUpdates. */
static const hf_trace_event *secret_of(const struct page *p, const struct box *b)
{
    for (size_t i = 0; i < p->recording->count; i++) {
        const hf_trace_event *e = &p->recording->events[i];
        if (e->kind == HF_TRACE_SECRET && box_is(b, e->name))
            return e;
    }
    return NULL;
}

enum { WIDTH = 380, ROW = 56, BOX = 42, SPINE = 20, INDENT = 52 };

static void draw_value(struct text *out, const hf_trace_event *e, int x, int y)
{
    text_addf(out, "<text class=v x=%d y=%d>", x, y);
    if (e && e->size) {
        text_hex(out, e->bytes, e->size < 18 ? e->size : 18);
        text_add(out, e->size > 18 ? "&#8230;" : "");
    } else {
        text_add(out, "value not recorded");
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
    draw_value(out, e, x + 10, y + 34);
}

static bool is_drawn(const struct page *p, const struct box *b)
{
    bool optional = strstr(b->name, "early_traffic") || strstr(b->name, "binder") ||
                    strcmp(b->name, "psk") == 0;
    return !optional || secret_of(p, b);
}

static void draw(struct page *p)
{
    int rows = 0, y = 2, spine_from = -1, spine_to = 0;
    for (int i = 0; i < BOXES; i++)
        rows += is_drawn(p, &boxes[i]);
    text_addf(
        p->out,
        "<svg class=schedule viewBox=\"0 0 %d %d\" role=img aria-labelledby=t-keys>\n"
        "<title id=t-keys>Key schedule: early secret, handshake secret and master secret, "
        "and the traffic secrets derived from each</title>\n",
        WIDTH, rows * ROW - ROW + BOX + 4);
    for (int i = 0, at = 2; i < BOXES; i++) {
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
    for (int i = 0; i < BOXES; i++) {
        if (!is_drawn(p, &boxes[i]))
            continue;
        draw_box(p->out, &boxes[i], secret_of(p, &boxes[i]), y, last == 's');
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
        const struct explanation *x = explain_find('s', e->name);
        for (int k = 0; k < BOXES && !x; k++)
            if (box_is(&boxes[k], e->name))
                x = explain_find('s', boxes[k].name);
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
    text_add(
        p->out,
        "<p class=hint>Each secret is derived from the one above it and from a hash of the "
        "messages so far, so that both sides get the same keys only if they saw the same "
        "handshake. With these values anybody can decrypt a recording of this connection: "
        "pass the page on only if the connection carried nothing secret.</p>\n"
        "<div class=keys>");
    draw(p);
    list(p);
    text_add(p->out, "</div></section>\n");
}
