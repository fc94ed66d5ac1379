/* scan_json.c: a scan for programs: one JSON object. docs/scan.md describes its members. */
#include <stdio.h>
#include <string.h>

#include "bytes/names.h"
#include "cli/scan.h"
#include "cli/text.h"

static void member(struct text *t, const char *name, const char *value)
{
    text_addf(t, ",\"%s\":", name);
    text_json(t, value);
}

static void tri_member(struct text *t, const char *name, enum tri x)
{
    text_addf(t, ",\"%s\":%s", name, x == YES ? "true" : x == NO ? "false" : "null");
}

static void suites(struct text *t, const struct scan_offer *o)
{
    static const char *const orders[] = {"unknown", "server", "server-chacha", "client",
                                         "mixed"};
    if (o->count > 1)
        member(t, "order", orders[o->order]);
    text_add(t, ",\"suites\":[");
    for (size_t i = 0; i < o->count; i++) {
        const struct scan_suite *s = &o->suite[i];
        unsigned marks = scan_suite_marks(s->id);
        text_addf(t, "%s{\"id\":%u", i ? "," : "", s->id);
        member(t, "name", scan_suite_name(s->id));
        text_addf(t, ",\"bits\":%u,\"forward_secrecy\":%s", scan_suite_bits(s->id),
                  marks & SUITE_NO_SECRECY ? "false" : "true");
        if (s->group)
            member(t, "group", name_group(s->group));
        if (s->dh_bits)
            text_addf(t, ",\"dh_bits\":%u,\"dh_named\":%s", s->dh_bits,
                      s->dh_named ? "true" : "false");
        text_add(t, "}");
    }
    text_add(t, "]");
}

static void versions(struct text *t, const struct scan_result *r)
{
    text_add(t, ",\"versions\":[");
    for (int v = SCAN_SSL2; v < SCAN_VERSIONS; v++) {
        const struct scan_offer *o = &r->offer[v];
        char words[ANSWER_WORDS];
        text_addf(t, "%s{\"name\":", v ? "," : "");
        text_json(t, scan_version_name((enum scan_version)v));
        text_addf(t, ",\"id\":%u,\"taken\":%s", scan_version_number((enum scan_version)v),
                  o->taken ? "true" : "false");
        if (o->taken)
            text_addf(t, ",\"milliseconds\":%.2f", o->hello_time * 1000);
        else
            member(t, "refusal", answer_words(&o->refusal, words));
        if (v > SCAN_SSL2 && o->taken) {
            suites(t, o);
            if (o->cut)
                text_add(t, ",\"complete\":false");
        }
        text_add(t, "}");
    }
    text_add(t, "]");
}

static void names(struct text *t, const char *name, const struct numbers *n,
                  const char *(*name_of)(uint16_t))
{
    text_addf(t, ",\"%s\":[", name);
    for (size_t i = 0; i < n->count; i++) {
        text_add(t, i ? "," : "");
        text_json(t, name_of(n->n[i]));
    }
    text_add(t, "]");
}

static void date(struct text *t, const char *name, int64_t when)
{
    text_addf(t, ",\"%s\":\"", name);
    text_date(t, when);
    text_add(t, "\"");
}

static void certificate(struct text *t, const hf_certificate *c)
{
    text_add(t, "{\"subject\":");
    text_json(t, hf_certificate_subject(c));
    member(t, "issuer", hf_certificate_issuer(c));
    member(t, "names", hf_certificate_names(c));
    member(t, "serial", hf_certificate_serial(c));
    member(t, "key", hf_certificate_key(c));
    member(t, "signature", hf_certificate_signature(c));
    date(t, "not_before", hf_certificate_not_before(c));
    date(t, "not_after", hf_certificate_not_after(c));
    text_add(t, ",\"sha256\":\"");
    text_hex(t, hf_certificate_sha256(c), 32);
    text_add(t, "\"}");
}

static void chains(struct text *t, const struct scan_result *r)
{
    text_add(t, ",\"chains\":[");
    for (size_t i = 0; i < r->chains; i++) {
        const struct scan_chain *c = &r->chain[i];
        text_addf(t, "%s{\"certificates\":[", i ? "," : "");
        for (size_t k = 0; k < c->count; k++) {
            text_add(t, k ? "," : "");
            certificate(t, c->certificate[k]);
        }
        text_add(t, "]");
        tri_member(t, "trusted", !c->judged ? UNKNOWN : c->verdict.code == HF_OK ? YES : NO);
        if (c->judged && c->verdict.code != HF_OK)
            member(t, "why",
                   *c->verdict.detail ? c->verdict.detail : hf_code_sentence(c->verdict.code));
        text_add(t, "}");
    }
    text_add(t, "]");
}

static void talk(struct text *t, const char *name, const struct scan_talk *k)
{
    char line[300];
    text_addf(t, ",\"%s\":", name);
    if (!k->done && k->failure.code == HF_OK) {
        text_add(t, "null");
        return;
    }
    text_addf(t, "{\"done\":%s", k->done ? "true" : "false");
    if (k->done) {
        text_addf(t, ",\"milliseconds\":%.2f", k->time * 1000);
        member(t, "version", name_version(k->version));
        member(t, "suite", scan_suite_name(k->suite));
        if (k->group)
            member(t, "group", name_group(k->group));
        if (k->signature)
            member(t, "signature", name_signature(k->signature));
        text_addf(t, ",\"ocsp_stapled\":%s,\"timestamps\":%s,\"tickets\":%zu",
                  k->stapled ? "true" : "false", k->timestamps ? "true" : "false", k->tickets);
        if (k->tickets)
            text_addf(t, ",\"ticket_lifetime\":%u,\"early_data\":%u", k->lifetime,
                      k->early_data);
        tri_member(t, "resumed_by_ticket", k->resumed_ticket);
        if (k->version < HF_TLS1_3) {
            tri_member(t, "resumed_by_id", k->resumed_id);
            tri_member(t, "client_renegotiation", k->renegotiation);
        }
        tri_member(t, "asks_for_certificate", k->client_auth);
    } else {
        hf_error_line(&k->failure, line, sizeof line);
        member(t, "failure", line);
    }
    text_add(t, "}");
}

static void old_facts(struct text *t, const struct scan_result *r)
{
    const struct scan_offer *o = NULL;
    for (int v = SCAN_TLS12; v >= SCAN_TLS10 && !o; v--)
        o = r->offer[v].taken ? &r->offer[v] : NULL;
    tri_member(t, "secure_renegotiation",
               !o                            ? UNKNOWN
               : o->shown.renegotiation_info ? YES
                                             : NO);
    tri_member(t, "extended_master_secret",
               !o                                ? UNKNOWN
               : o->shown.extended_master_secret ? YES
                                                 : NO);
    tri_member(t, "encrypt_then_mac", !o ? UNKNOWN : o->shown.encrypt_then_mac ? YES : NO);
    tri_member(t, "heartbeat", !o ? UNKNOWN : o->shown.heartbeat ? YES : NO);
    tri_member(t, "compression", r->compression);
    tri_member(t, "fallback_scsv", r->fallback_scsv);
}

static void strings(struct text *t, const struct scan_result *r)
{
    text_add(t, ",\"alpn\":[");
    for (size_t i = 0; i < r->protocol_count; i++) {
        text_add(t, i ? "," : "");
        text_json(t, r->protocols[i]);
    }
    text_add(t, "],\"intolerant\":[");
    for (size_t i = 0; i < r->intolerant_count; i++) {
        text_add(t, i ? "," : "");
        text_json(t, r->intolerant[i]);
    }
    text_add(t, "]");
}

static void findings(struct text *t, const struct findings *f)
{
    text_add(t, ",\"findings\":[");
    for (size_t i = 0; i < f->count; i++) {
        text_addf(t, "%s{\"severity\":\"%s\"", i ? "," : "",
                  scan_severity_name(f->f[i].severity));
        member(t, "id", f->f[i].id);
        member(t, "what", f->f[i].what);
        member(t, "reference", f->f[i].reference);
        text_add(t, "}");
    }
    text_add(t, "]");
}

void scan_json(struct text *out, const struct scan *s, const struct findings *f)
{
    const struct scan_result *r = s->r;
    text_add(out, "{\"url\":");
    text_json(out, s->t->url);
    member(out, "address", r->address);
    member(out, "name", s->name);
    text_addf(out, ",\"milliseconds\":%.1f,\"connect_milliseconds\":%.2f,\"connections\":%zu",
              r->time * 1000, r->connect_time * 1000, r->connections);
    versions(out, r);
    names(out, "groups_tls1.3", &r->groups13, scan_group_name);
    names(out, "groups_tls1.2", &r->groups12, scan_group_name);
    names(out, "signatures_tls1.3", &r->schemes13, scan_scheme_name);
    names(out, "signatures_tls1.2", &r->schemes12, scan_scheme_name);
    chains(out, r);
    talk(out, "handshake_tls1.3", &r->new);
    talk(out, "handshake_older", &r->old);
    old_facts(out, r);
    strings(out, r);
    findings(out, f);
    text_add(out, "}\n");
}
