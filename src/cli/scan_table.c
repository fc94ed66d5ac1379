/* scan_table.c: a scan for people. */
#include <stdio.h>
#include <string.h>

#include "bytes/names.h"
#include "cli/scan.h"
#include "cli/text.h"

enum { WIDTH = 16, LINE = 96 };

enum colour { PLAIN, BOLD, RED, YELLOW, GREEN, DIM };

struct table {
    struct text *out;
    bool colour;
};

static const char *on(const struct table *t, enum colour c)
{
    static const char *const codes[] = {"",         "\033[1m",  "\033[31m",
                                        "\033[33m", "\033[32m", "\033[2m"};
    return t->colour ? codes[c] : "";
}

static const char *off(const struct table *t, enum colour c)
{
    return t->colour && c != PLAIN ? "\033[0m" : "";
}

static void head(const struct table *t, const char *title)
{
    text_addf(t->out, "\n%s%s%s\n", on(t, BOLD), title, off(t, BOLD));
}

static void row(const struct table *t, const char *name, enum colour c, const char *value)
{
    text_addf(t->out, "  %-*s %s", WIDTH, name, on(t, c));
    text_plain(t->out, value);
    text_addf(t->out, "%s\n", off(t, c));
}

const char *scan_order_name(enum scan_order o)
{
    static const char *const names[] = {"unknown", "server",
                                        "server, ChaCha20 first for clients that put it first",
                                        "client", "mixed"};
    return names[o];
}

const char *scan_severity_name(enum severity s)
{
    static const char *const names[] = {"note", "weak", "bad"};
    return names[s];
}

static void milliseconds(char *out, size_t size, double seconds)
{
    snprintf(out, size, seconds < 0.1 ? "%.1f ms" : "%.0f ms", seconds * 1000);
}

/* ---------------------------------------------------------------- versions and suites */

static void versions(const struct table *t, const struct scan_result *r)
{
    head(t, "Versions");
    for (int v = SCAN_SSL2; v < SCAN_VERSIONS; v++) {
        const struct scan_offer *o = &r->offer[v];
        char line[256], words[ANSWER_WORDS], ms[32];
        milliseconds(ms, sizeof ms, o->hello_time);
        bool old = v < SCAN_TLS12;
        if (o->taken)
            snprintf(line, sizeof line, "yes  %s", ms);
        else
            snprintf(line, sizeof line, "no   %s", answer_words(&o->refusal, words));
        row(t, scan_version_name((enum scan_version)v),
            o->taken ? v <= SCAN_SSL3 ? RED
                       : old          ? YELLOW
                                      : GREEN
                     : PLAIN,
            line);
    }
}

static enum colour suite_colour(unsigned marks, unsigned bits)
{
    if (marks & (SUITE_NULL | SUITE_ANON | SUITE_EXPORT | SUITE_DES | SUITE_RC4) || bits < 112)
        return RED;
    return marks & (SUITE_NO_SECRECY | SUITE_TRIPLE_DES | SUITE_SMALL_BLOCK | SUITE_MD5)
               ? YELLOW
               : PLAIN;
}

static void suite(const struct table *t, const struct scan_suite *s)
{
    unsigned marks = scan_suite_marks(s->id), bits = scan_suite_bits(s->id);
    char extra[80] = "";
    if (s->dh_bits)
        snprintf(extra, sizeof extra, "DH %u%s", s->dh_bits, s->dh_named ? " (RFC 7919)" : "");
    else if (s->group)
        snprintf(extra, sizeof extra, "%s", name_group(s->group));
    else if (marks & SUITE_STATIC_RSA)
        snprintf(extra, sizeof extra, "no forward secrecy");
    text_addf(t->out, "  %04x  %s%-48s%s %3u  %s\n", s->id, on(t, suite_colour(marks, bits)),
              scan_suite_name(s->id), off(t, suite_colour(marks, bits)), bits, extra);
}

static bool same_suites(const struct scan_offer *a, const struct scan_offer *b)
{
    if (a->count != b->count || a->order != b->order)
        return false;
    for (size_t i = 0; i < a->count; i++)
        if (a->suite[i].id != b->suite[i].id)
            return false;
    return true;
}

static void suites(const struct table *t, const struct scan_result *r)
{
    char title[160];
    for (int v = SCAN_TLS13; v >= SCAN_SSL3; v--) {
        const struct scan_offer *o = &r->offer[v];
        const char *name = scan_version_name((enum scan_version)v);
        if (!o->taken)
            continue;
        if (v < SCAN_TLS12 && r->offer[v + 1].taken && same_suites(o, &r->offer[v + 1])) {
            text_addf(t->out, "\n%sSuites of %s%s  as for %s\n", on(t, BOLD), name,
                      off(t, BOLD), scan_version_name((enum scan_version)(v + 1)));
            continue;
        }
        const char *order = o->count < 2 ? "" : scan_order_name(o->order);
        snprintf(title, sizeof title, "Suites of %s%s%s%s", name, *order ? " (order: " : "",
                 order, *order ? ")" : "");
        head(t, title);
        for (size_t i = 0; i < o->count; i++)
            suite(t, &o->suite[i]);
    }
}

static void list(const struct table *t, const char *title, const struct numbers *n,
                 const char *(*name_of)(uint16_t), const char *more)
{
    size_t at = 2 + WIDTH + 1;
    if (!n->count)
        return;
    text_addf(t->out, "  %-*s ", WIDTH, title);
    for (size_t i = 0; i < n->count; i++) {
        const char *name = name_of(n->n[i]);
        bool wraps = i > 0 && at + strlen(name) + 2 > LINE;
        if (wraps)
            text_addf(t->out, ",\n  %-*s ", WIDTH, "");
        text_addf(t->out, "%s%s", i == 0 || wraps ? "" : ", ", name);
        at = (wraps ? 2 + WIDTH + 1 : at + 2) + strlen(name);
    }
    text_addf(t->out, "%s\n", more);
}

static void key_exchange(const struct table *t, const struct scan_result *r)
{
    if (!r->groups13.count && !r->groups12.count && !r->schemes12.count && !r->schemes13.count)
        return;
    head(t, "Groups and signatures");
    list(t, "groups, TLS 1.3", &r->groups13, scan_group_name,
         r->groups13_client ? "  (the client's order)" : "");
    list(t, "groups, older", &r->groups12, scan_group_name,
         r->groups12_client ? "  (the client's order)" : "");
    list(t, "signed, TLS 1.3", &r->schemes13, scan_scheme_name, "");
    list(t, "signed, TLS 1.2", &r->schemes12, scan_scheme_name,
         r->schemes12_ignored ? "  (and with what nobody offered)" : "");
}

/* ---------------------------------------------------------------- certificates */

static void chain(const struct table *t, const struct scan *s, const struct scan_chain *c)
{
    const hf_certificate *own = c->certificate[0];
    struct text dates = {0}, key = {0}, length = {0};
    text_addf(&key, "%s, signed with %s", hf_certificate_key(own),
              hf_certificate_signature(own));
    text_date(&dates, hf_certificate_not_before(own));
    text_add(&dates, " to ");
    text_date(&dates, hf_certificate_not_after(own));
    text_addf(&length, "%zu certificate%s", c->count, c->count == 1 ? "" : "s");
    head(t, "Certificate");
    row(t, "subject", PLAIN, hf_certificate_subject(own));
    row(t, "names", PLAIN, hf_certificate_names(own));
    row(t, "issuer", PLAIN, hf_certificate_issuer(own));
    row(t, "key", PLAIN, text_ok(&key) && key.p ? key.p : "");
    row(t, "valid", PLAIN, text_ok(&dates) && dates.p ? dates.p : "");
    row(t, "chain", PLAIN, text_ok(&length) && length.p ? length.p : "");
    if (c->judged) {
        char line[400];
        bool good = c->verdict.code == HF_OK;
        snprintf(line, sizeof line, "%s%s%s", good ? "yes, for " : "no: ",
                 good ? s->name : hf_code_sentence(c->verdict.code), "");
        row(t, "trusted", good ? GREEN : RED, line);
    }
    text_clear(&dates);
    text_clear(&key);
    text_clear(&length);
}

/* ---------------------------------------------------------------- the rest */

static const char *say(enum tri x)
{
    return x == YES ? "yes" : x == NO ? "no" : "not found out";
}

static void tri_row(const struct table *t, const char *name, enum tri x, enum tri bad)
{
    row(t, name, x == UNKNOWN ? DIM : x == bad ? YELLOW : PLAIN, say(x));
}

static void new_behaviour(const struct table *t, const struct scan_result *r)
{
    char line[160];
    if (!r->new.done)
        return;
    snprintf(line, sizeof line, "%zu, for %u s; resumed: %s", r->new.tickets, r->new.lifetime,
             say(r->new.resumed_ticket));
    row(t, "tickets, 1.3", PLAIN, r->new.tickets ? line : "none");
    snprintf(line, sizeof line, "up to %u bytes", r->new.early_data);
    row(t, "early data", r->new.early_data ? YELLOW : PLAIN, r->new.early_data ? line : "no");
}

static void old_behaviour(const struct table *t, const struct scan_result *r)
{
    const struct scan_offer *o = NULL;
    char line[160];
    for (int v = SCAN_TLS12; v >= SCAN_TLS10 && !o; v--)
        o = r->offer[v].taken ? &r->offer[v] : NULL;
    if (!o)
        return;
    tri_row(t, "RFC 5746", o->shown.renegotiation_info ? YES : NO, NO);
    tri_row(t, "RFC 7627 (EMS)", o->shown.extended_master_secret ? YES : NO, NO);
    tri_row(t, "encrypt-then-MAC", o->shown.encrypt_then_mac ? YES : NO, UNKNOWN);
    tri_row(t, "compression", r->compression, YES);
    tri_row(t, "renegotiation", r->old.renegotiation, YES);
    snprintf(line, sizeof line, "tickets: %s; session IDs: %s", say(r->old.resumed_ticket),
             say(r->old.resumed_id));
    row(t, "resumption", PLAIN, line);
}

static void behaviour(const struct table *t, const struct scan_result *r)
{
    struct text alpn = {0};
    const struct scan_talk *talk = r->new.done ? &r->new : &r->old;
    for (size_t i = 0; i < r->protocol_count; i++)
        text_addf(&alpn, "%s%s", i ? ", " : "", r->protocols[i]);
    head(t, "Behaviour");
    row(t, "ALPN", PLAIN, text_ok(&alpn) && alpn.p ? alpn.p : "none");
    new_behaviour(t, r);
    old_behaviour(t, r);
    tri_row(t, "fallback SCSV", r->fallback_scsv, NO);
    if (talk->done) {
        row(t, "OCSP stapled", PLAIN, r->new.stapled || r->old.stapled ? "yes" : "no");
        row(t, "asks who you are", PLAIN, say(talk->client_auth));
    }
    if (!r->new.done && r->new.failure.code != HF_OK && r->offer[SCAN_TLS13].taken) {
        char line[200];
        hf_error_line(&r->new.failure, line, sizeof line);
        row(t, "handshake, 1.3", YELLOW, line);
    }
    if (!r->old.done && r->old.failure.code != HF_OK) {
        char line[200];
        hf_error_line(&r->old.failure, line, sizeof line);
        row(t, "handshake, old", YELLOW, line);
    }
    text_clear(&alpn);
}

static void ssl2(const struct table *t, const struct scan_result *r)
{
    static const char *const names[] = {
        "", "RC4-128", "RC4-40 (export)", "RC2-128", "RC2-40 (export)", "IDEA", "DES", "3DES"};
    if (!r->offer[SCAN_SSL2].taken || !r->ssl2_specs.count)
        return;
    text_addf(t->out, "\n%sCiphers of SSL 2.0%s ", on(t, BOLD), off(t, BOLD));
    for (size_t i = 0; i < r->ssl2_specs_high.count; i++)
        text_addf(t->out, " %s%s",
                  r->ssl2_specs_high.n[i] < 8 ? names[r->ssl2_specs_high.n[i]] : "unknown",
                  i + 1 < r->ssl2_specs_high.count ? "," : "");
    text_add(t->out, "\n");
}

static void findings(const struct table *t, const struct findings *f)
{
    static const enum colour colours[] = {PLAIN, YELLOW, RED};
    head(t, "Findings");
    if (!f->count)
        text_addf(t->out, "  %snone%s\n", on(t, GREEN), off(t, GREEN));
    for (size_t i = 0; i < f->count; i++) {
        const struct finding *x = &f->f[i];
        text_addf(t->out, "  %s%-4s%s  ", on(t, colours[x->severity]),
                  scan_severity_name(x->severity), off(t, colours[x->severity]));
        text_plain(t->out, x->what);
        if (*x->reference)
            text_addf(t->out, "  %s[%s]%s", on(t, DIM), x->reference, off(t, DIM));
        text_add(t->out, "\n");
    }
}

void scan_table(struct text *out, const struct scan *s, const struct findings *f, bool colour)
{
    const struct table t = {out, colour};
    const struct scan_result *r = s->r;
    char ms[32];
    milliseconds(ms, sizeof ms, r->time);
    text_addf(out, "%s%s%s  %s  %zu connections, up to %zu at once, in %s\n", on(&t, BOLD),
              s->t->url, off(&t, BOLD), r->address, r->connections, r->most_at_once, ms);
    versions(&t, r);
    suites(&t, r);
    ssl2(&t, r);
    key_exchange(&t, r);
    for (size_t i = 0; i < r->chains; i++)
        chain(&t, s, &r->chain[i]);
    if (r->offer[SCAN_TLS13].taken || r->new.done || r->old.done || r->compression != UNKNOWN)
        behaviour(&t, r);
    findings(&t, f);
}
