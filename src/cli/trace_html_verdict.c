#include "cli/trace_page.h"

#include <stdio.h>
#include <string.h>

/* ---------------------------------------------------------------- what was agreed */

/* Names of numbers; what the tables do not know is shown as a number. */
static void add_number(struct text *out, const char *name, uint16_t number)
{
    if (strcmp(name, "unknown") == 0)
        text_addf(out, "0x%04x", number);
    else
        text_html(out, name);
}

/* The names of TLS 1.2's suites are long: a line may break behind an underscore. */
static void add_suite(struct text *out, uint16_t suite)
{
    const char *name = hf_suite_name(suite);
    if (strcmp(name, "unknown") == 0) {
        add_number(out, name, suite);
        return;
    }
    for (; *name; name++)
        text_addf(out, "%c%s", *name, *name == '_' ? "<wbr>" : "");
}

static void term(struct text *out, const char *name)
{
    text_addf(out, "<div><dt>%s</dt><dd>", name);
}

static void term_end(struct text *out, const char *more)
{
    if (more && *more)
        text_addf(out, "<small>%s</small>", more);
    text_add(out, "</dd></div>\n");
}

static bool is_hybrid(uint16_t group)
{
    return group == 0x11ec || group == 0x11eb || group == 0x11ed;
}

static const char *about_group(const struct trace_facts *f)
{
    if (is_hybrid(f->group))
        return "an elliptic curve and ML-KEM together: safe as long as either holds";
    if (f->group >= 0x0200 && f->group <= 0x0202)
        return "ML-KEM, a post-quantum key exchange";
    if (f->group >= 0x0100 && f->group < 0x0200)
        return "Diffie-Hellman in a finite field";
    if (f->group)
        return "Diffie-Hellman on an elliptic curve";
    return f->resumed ? "the session's old key alone" : "";
}

static const char *about_suite(uint16_t suite)
{
    switch (suite) {
    case 0x1301: return "AES with 128-bit keys in Galois/Counter Mode";
    case 0x1302: return "AES with 256-bit keys in Galois/Counter Mode";
    case 0x1303: return "the ChaCha20 stream cipher with Poly1305";
    default: return "";
    }
}

static void write_certificate_term(struct page *p)
{
    const struct trace_facts *f = p->facts;
    struct text *out = p->out;
    term(out, f->raw_key ? "Server key" : "Server certificate");
    if (f->raw_key) {
        text_add(out, "a raw public key (RFC 7250)<small>SHA-256 ");
        text_hex(out, f->raw_key_sha256, 32);
        text_add(out, "</small>");
        term_end(out, f->resumed ? "shown when the session was made" : NULL);
        return;
    }
    if (!f->certificate) {
        text_add(out, "none was sent");
        term_end(out, f->resumed ? "the session was resumed" : "");
        return;
    }
    text_html(out, hf_certificate_subject(f->certificate));
    text_add(out, "<small>issued by ");
    text_html(out, hf_certificate_issuer(f->certificate));
    text_add(out, "; key ");
    text_html(out, hf_certificate_key(f->certificate));
    text_add(out, "; until ");
    text_date(out, hf_certificate_not_after(f->certificate));
    text_add(out, "</small>");
    term_end(out, NULL);
}

/* Time from the first event to the last change to application keys, or to the last Finished. */
static uint64_t handshake_time(const struct page *p)
{
    uint64_t end = 0;
    int finished = 0; /* in TLS 1.2 the second one is the end */
    for (size_t i = 0; i < p->item_count && finished < 2; i++) {
        const hf_trace_event *e = item_event(p, &p->items[i]);
        bool keys = p->items[i].kind == ITEM_KEYS && strstr(e->name, "appl");
        bool last = p->old && p->items[i].kind == ITEM_MESSAGE &&
                    strcmp(message_name(e), "Finished") == 0;
        finished += last;
        if (p->old ? last : keys)
            end = e->time;
    }
    return end > p->start ? end - p->start : 0;
}

/* The size of a finite-field group in bits, from its prime; 0: none was sent. */
static size_t field_bits(const struct page *p)
{
    for (size_t i = 0; i < p->recording->count; i++) {
        const hf_trace_event *e = &p->recording->events[i];
        if (e->kind == HF_TRACE_FIELD && strcmp(e->name, "dh_p") == 0)
            return 8 * e->size;
    }
    return 0;
}

static void write_exchange_term(struct page *p)
{
    const struct trace_facts *f = p->facts;
    const char *kx = p->suite.key_exchange;
    term(p->out, "Key exchange");
    if (f->group && !(p->old && f->resumed))
        add_number(p->out, hf_group_name(f->group), f->group);
    else if (f->resumed || !kx)
        text_add(p->out, f->resumed ? "none" : "not reached");
    else
        text_html(p->out, kx);
    if (!f->group && !f->resumed && field_bits(p))
        text_addf(p->out, " with %zu bits", field_bits(p));
    term_end(p->out, p->old && f->resumed ? "the session's old master secret alone"
                     : f->group           ? about_group(f)
                     : p->old             ? verdict_exchange12(p)
                                          : about_group(f));
}

/* TLS 1.0 and 1.1 have one signature with RSA keys, which has no number (RFC 4346 7.4.3). */
static void write_signature_term(struct page *p)
{
    const struct trace_facts *f = p->facts;
    term(p->out, "Signature");
    if (f->resumed && p->old)
        text_add(p->out, "none");
    else if (f->signature == 0xff01)
        text_add(p->out, "RSA with MD5 and SHA-1");
    else if (f->signature)
        add_number(p->out, hf_signature_name(f->signature), f->signature);
    else
        text_add(p->out, "none");
    bool decrypts = p->suite.key_exchange && strcmp(p->suite.key_exchange, "RSA") == 0;
    term_end(p->out, f->resumed ? "resumed: the session's key is the proof"
                     : decrypts ? "that it could decrypt the secret is the server's proof"
                                : "");
}

static void write_session_term(struct page *p)
{
    const struct trace_facts *f = p->facts;
    term(p->out, "Session");
    text_add(p->out, !f->resumed                      ? "full handshake"
                     : f->resumed_by == RESUMED_BY_ID ? "resumed by its ID"
                     : f->resumed_by || !p->old       ? "resumed with a ticket"
                                                      : "resumed");
    text_add(p->out, f->retried ? ", after a HelloRetryRequest" : "");
    term_end(p->out, NULL);
}

static void write_terms(struct page *p)
{
    const struct trace_facts *f = p->facts;
    struct text *out = p->out;
    text_add(out, "<dl>\n");
    /* Of a handshake that did not end nothing is certain but what was shown. */
    if (!f->version) {
        if (f->certificate)
            write_certificate_term(p);
        text_add(out, "</dl>\n");
        return;
    }
    term(out, "Version");
    text_add(out, hf_version_name(f->version));
    term_end(out, NULL);
    if (f->suite) {
        term(out, "Cipher suite");
        char words[160];
        add_suite(out, f->suite);
        if (p->old)
            verdict_suite12(p, words);
        term_end(out, p->old ? words : about_suite(f->suite));
    }
    write_exchange_term(p);
    write_signature_term(p);
    write_certificate_term(p);
    write_session_term(p);
    term(out, "Application protocol");
    if (f->alpn)
        text_html(out, f->alpn);
    else
        text_add(out, "not negotiated");
    term_end(out, NULL);
    if (handshake_time(p)) {
        term(out, "Time");
        page_milliseconds(out, handshake_time(p));
        bool two = f->retried || (p->old && !f->resumed);
        term_end(out, two ? "two round trips" : "one round trip");
    }
    text_add(out, "</dl>\n");
}

/* ---------------------------------------------------------------- what to think of it */

void verdict_point(struct page *p, bool good, const char *sentence)
{
    text_addf(p->out, "<li class=%s><span class=sr>%s: </span>%s</li>\n",
              good ? "good" : "weak", good ? "good" : "weak", sentence);
}

static void judge_certificate(struct page *p)
{
    const struct trace_facts *f = p->facts;
    if (!f->certificate)
        return;
    int64_t left = hf_certificate_not_after(f->certificate) - f->now;
    if (f->now && left < 0)
        verdict_point(p, false, "The server's certificate has expired.");
    else if (f->now && left < 14 * 86400)
        verdict_point(p, false, "The server's certificate expires within two weeks.");
    if (strcmp(hf_certificate_subject(f->certificate), hf_certificate_issuer(f->certificate)) ==
        0)
        verdict_point(p, false,
                      "The certificate is signed by itself: nobody else vouches for the name.");
    if (strstr(hf_certificate_signature(f->certificate), "sha1") ||
        strstr(hf_certificate_signature(f->certificate), "SHA1"))
        verdict_point(
            p, false,
            "The certificate is signed with SHA-1, for which collisions can be made.");
}

static void judge_exchange(struct page *p)
{
    const struct trace_facts *f = p->facts;
    if (f->group)
        verdict_point(
            p, true,
            "Forward secrecy: the keys come from a fresh exchange. Whoever steals the "
            "server's private key later cannot read what was recorded today.");
    else if (f->resumed)
        verdict_point(p, false, "No forward secrecy: the keys hang on the old session alone.");
    if (is_hybrid(f->group) || (f->group >= 0x0200 && f->group <= 0x0202))
        verdict_point(p, true,
                      "A quantum computer of the future cannot read this recording either.");
    else if (f->group)
        verdict_point(
            p, false,
            "The key exchange is not post-quantum: what is recorded today could be read "
            "by a large quantum computer of the future.");
}

static void judge(struct page *p)
{
    const struct trace_facts *f = p->facts;
    if (!f->version)
        return;
    text_add(p->out, "<ul class=points>\n");
    if (p->old) {
        verdict_judge12(p);
    } else {
        verdict_point(
            p, true,
            "TLS 1.3, the current version: certificates travel encrypted, and only modern "
            "ciphers exist in it.");
        judge_exchange(p);
    }
    if (!f->is_server && f->verified)
        verdict_point(p, true, "The certificate chain and the name were verified.");
    else if (!f->is_server)
        verdict_point(p, false,
                      "The server's identity was NOT verified: this could be anybody.");
    else if (f->verified)
        verdict_point(p, true, "The client showed a certificate, and it was verified.");
    judge_certificate(p);
    if (f->server_name)
        verdict_point(p, false,
                      "The name that was asked for travelled in clear text in the ClientHello "
                      "(server_name): who watches the line knows it.");
    if (f->retried)
        verdict_point(
            p, false,
            "The first guess of a group was not the server's: that cost one round trip.");
    text_add(p->out, "</ul>\n");
}

void page_verdict(struct page *p)
{
    const struct trace_facts *f = p->facts;
    text_addf(
        p->out,
        "<section class=\"verdict%s\" aria-labelledby=h-verdict><h2 id=h-verdict>%s</h2>\n",
        f->error ? " failed" : "", f->error ? "The connection failed" : "What was agreed");
    if (f->error) {
        text_add(p->out, "<pre class=failure tabindex=0>");
        text_html(p->out, f->error);
        text_add(p->out, "</pre>\n");
    }
    write_terms(p);
    judge(p);
    text_add(p->out, "</section>\n");
}

/* ---------------------------------------------------------------- the ladder */

static bool is_data(const struct page *p, const struct item *item)
{
    const struct item *i = item;
    if (i->kind != ITEM_RECORD || i->part_count == 0)
        return false;
    (void)p;
    return i->parts[0]->number == 23;
}

/* A run of records with application data is one chip, in its place among the messages. */
static void write_data_chip(struct page *p, size_t *data, unsigned number)
{
    if (*data)
        text_addf(p->out, "<a class=\"k3 data\" href=\"#f%u\">application data, %zu bytes</a> ",
                  number, *data);
    *data = 0;
}

static size_t data_of(const struct page *p, const struct item *item)
{
    size_t data = 0;
    for (size_t k = 0; is_data(p, item) && k < item->part_count; k++)
        data += item->parts[k]->size;
    return data;
}

/* One rung: what one side sends before the other does. */
static void write_rung(struct page *p, size_t from, size_t to, unsigned number)
{
    struct text *out = p->out;
    const struct item *first = &p->items[from];
    size_t bytes = 0, data = 0;
    text_addf(out, "<li class=from-%s><span class=when>+",
              first->from_client ? "client" : "server");
    page_milliseconds(out, item_event(p, first)->time - p->start);
    text_addf(
        out,
        "</span><span class=\"shaft\"></span><span class=chips><span class=sr>%s sends: </span>",
        first->from_client ? "client" : "server");
    for (size_t i = from; i < to; i++) {
        const struct item *item = &p->items[i];
        const hf_trace_event *e = item_event(p, item);
        bytes += item->kind == ITEM_RECORD ? e->size : 0;
        data += data_of(p, item);
        if (item->kind != ITEM_MESSAGE)
            continue;
        write_data_chip(p, &data, number);
        text_addf(out, "<a class=k%d href=\"#m%u\">", (int)item->protection, item->number);
        text_html(out, e->record_type == 21 && e->text ? e->text : message_name(e));
        text_add(out, "</a> ");
    }
    write_data_chip(p, &data, number);
    text_addf(out, "</span><span class=count>%zu bytes</span></li>\n", bytes);
}

void page_ladder(struct page *p)
{
    text_add(
        p->out,
        "<section aria-labelledby=h-ladder><h2 id=h-ladder>The handshake at a glance</h2>\n"
        "<div class=ladder><p class=ends><b>Client</b><b>Server</b></p>\n<ol>\n");
    unsigned number = 0;
    for (size_t i = 0; i < p->item_count;) {
        if (!is_wire(&p->items[i])) {
            i++;
            continue;
        }
        bool client = p->items[i].from_client;
        size_t end = i;
        while (end < p->item_count &&
               (!is_wire(&p->items[end]) || p->items[end].from_client == client))
            end++;
        write_rung(p, i, end, ++number);
        i = end;
    }
    text_add(p->out, p->old
                         ? "</ol></div>\n<p class=legend><span class=k0>in clear text</span> "
                           "<span class=k3>under the connection's keys</span></p></section>\n"
                         : "</ol></div>\n<p class=legend><span class=k0>in clear text</span> "
                           "<span class=k2>under handshake keys</span> "
                           "<span class=k3>under application keys</span></p></section>\n");
}
