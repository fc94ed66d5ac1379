/* scan_findings.c: what is weak in what a scan has found, and which RFC or attack says so. */
#define _GNU_SOURCE /* strcasestr */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bytes/names.h"
#include "cli/scan.h"

enum { DAY = 86400, SOON = 30 * DAY };

__attribute__((format(printf, 5, 6))) static void add(struct findings *f,
                                                      enum severity severity, const char *id,
                                                      const char *reference, const char *fmt,
                                                      ...)
{
    if (f->count == SCAN_FINDINGS)
        return;
    struct finding *x = &f->f[f->count++];
    va_list args;
    x->severity = severity;
    x->reference = reference;
    snprintf(x->id, sizeof x->id, "%s", id);
    va_start(args, fmt);
    vsnprintf(x->what, sizeof x->what, fmt, args);
    va_end(args);
}

/* ---------------------------------------------------------------- versions */

static void judge_versions(const struct scan_result *r, struct findings *f)
{
    const struct scan_offer *o = r->offer;
    if (o[SCAN_SSL2].taken)
        add(f, SEVERITY_BAD, "ssl2", "RFC 6176; DROWN (CVE-2016-0800)",
            "SSL 2.0 is spoken; whoever shares this key is endangered with it");
    else if (o[SCAN_SSL2].refusal.kind == ANSWER_HELLO)
        add(f, SEVERITY_NOTE, "ssl2-hello", "RFC 6176", "a hello of SSL 2.0 is answered");
    if (o[SCAN_SSL3].taken)
        add(f, SEVERITY_BAD, "ssl3", "RFC 7568; POODLE (CVE-2014-3566)", "SSL 3.0 is spoken");
    if (o[SCAN_TLS10].taken)
        add(f, SEVERITY_WEAK, "tls1.0", "RFC 8996; BEAST (CVE-2011-3389)", "TLS 1.0 is spoken");
    if (o[SCAN_TLS11].taken)
        add(f, SEVERITY_WEAK, "tls1.1", "RFC 8996", "TLS 1.1 is spoken");
    if (!o[SCAN_TLS13].taken && !o[SCAN_TLS12].taken)
        add(f, SEVERITY_BAD, "no-tls1.2", "RFC 9325 3.1.1",
            "neither TLS 1.2 nor 1.3 is spoken");
    else if (!o[SCAN_TLS13].taken)
        add(f, SEVERITY_WEAK, "no-tls1.3", "RFC 8446; RFC 9325 3.1.1", "TLS 1.3 is not spoken");
}

/* ---------------------------------------------------------------- suites */

/* clang-format off */
static const struct {
    unsigned marks;
    enum severity severity;
    const char *id, *reference, *what;
} suite_faults[] = {
    {SUITE_NULL, SEVERITY_BAD, "null", "RFC 9325 4.1", "suites without encryption"},
    {SUITE_ANON, SEVERITY_BAD, "anonymous", "RFC 9325 4.1", "suites without authentication: anyone may stand in the middle"},
    {SUITE_EXPORT, SEVERITY_BAD, "export", "FREAK (CVE-2015-0204), Logjam (CVE-2015-4000)", "export suites"},
    {SUITE_DES, SEVERITY_BAD, "des", "RFC 5469; RFC 9325 4.1", "ciphers of 40 or 56 bits"},
    {SUITE_RC4, SEVERITY_BAD, "rc4", "RFC 7465", "RC4"},
    {SUITE_TRIPLE_DES, SEVERITY_WEAK, "3des", "Sweet32 (CVE-2016-2183)", "3DES, with blocks of 64 bits"},
    {SUITE_SMALL_BLOCK, SEVERITY_WEAK, "small-blocks", "Sweet32 (CVE-2016-2183)", "ciphers with blocks of 64 bits"},
    {SUITE_MD5, SEVERITY_WEAK, "md5-mac", "RFC 6151", "suites whose records are protected by MD5"},
    {SUITE_STATIC_RSA, SEVERITY_WEAK, "static-rsa", "RFC 9325 4.1; ROBOT, Bleichenbacher", "key exchange by RSA, without forward secrecy"},
};
/* clang-format on */

static size_t count_marked(const struct scan_result *r, unsigned marks, uint16_t *example)
{
    struct numbers seen = {0};
    for (int v = SCAN_SSL3; v < SCAN_VERSIONS; v++)
        for (size_t i = 0; i < r->offer[v].count; i++) {
            uint16_t id = r->offer[v].suite[i].id;
            if ((scan_suite_marks(id) & marks) && !numbers_have(&seen, id))
                numbers_add(&seen, id);
        }
    *example = seen.count ? seen.n[0] : 0;
    return seen.count;
}

static bool only_without_secrecy(const struct scan_result *r)
{
    size_t with = 0, without = 0;
    for (int v = SCAN_SSL3; v < SCAN_VERSIONS; v++)
        for (size_t i = 0; i < r->offer[v].count; i++)
            if (scan_suite_marks(r->offer[v].suite[i].id) & SUITE_NO_SECRECY)
                without++;
            else
                with++;
    return without > 0 && with == 0;
}

static void judge_suites(const struct scan_result *r, struct findings *f)
{
    uint16_t example = 0;
    for (size_t i = 0; i < sizeof suite_faults / sizeof *suite_faults; i++) {
        size_t n = count_marked(r, suite_faults[i].marks, &example);
        if (n)
            add(f, suite_faults[i].severity, suite_faults[i].id, suite_faults[i].reference,
                "%s: %zu suite%s (%s)", suite_faults[i].what, n, n == 1 ? "" : "s",
                scan_suite_name(example));
    }
    size_t cbc = count_marked(r, SUITE_CBC, &example);
    if (cbc)
        add(f, SEVERITY_NOTE, "cbc", "Lucky Thirteen (CVE-2013-0169)",
            "CBC: %zu suite%s; safe only where the server's code runs in constant time%s", cbc,
            cbc == 1 ? "" : "s",
            r->offer[SCAN_TLS12].shown.encrypt_then_mac ? ", or with encrypt-then-MAC" : "");
    if (only_without_secrecy(r))
        add(f, SEVERITY_BAD, "no-forward-secrecy", "RFC 9325 4.1",
            "no suite has forward secrecy: the key opens what was recorded years ago");
}

static void judge_dh(const struct scan_result *r, struct findings *f)
{
    unsigned least = 0;
    bool named = true;
    for (int v = SCAN_SSL3; v < SCAN_VERSIONS; v++)
        for (size_t i = 0; i < r->offer[v].count; i++) {
            const struct scan_suite *s = &r->offer[v].suite[i];
            if (s->dh_bits && (!least || s->dh_bits < least))
                least = s->dh_bits;
            named = named && (s->dh_named || !s->dh_bits);
        }
    if (!least)
        return;
    if (least < 2048)
        add(f, least < 1024 ? SEVERITY_BAD : SEVERITY_WEAK, "small-dh",
            "Logjam (CVE-2015-4000); RFC 9325 4.1", "finite-field Diffie-Hellman with %u bits",
            least);
    else if (!named)
        add(f, SEVERITY_NOTE, "unnamed-dh", "RFC 7919",
            "the Diffie-Hellman group is none of RFC 7919's");
}

static void judge_groups(const struct scan_result *r, struct findings *f)
{
    bool hybrid = false, weak = false;
    for (size_t i = 0; i < r->groups13.count; i++)
        hybrid = hybrid || strstr(name_group(r->groups13.n[i]), "MLKEM");
    if (r->offer[SCAN_TLS13].taken && !hybrid)
        add(f, SEVERITY_NOTE, "no-hybrid", "RFC 10024",
            "no post-quantum key exchange: what is recorded today may be read one day");
    for (size_t i = 0; i < r->groups12.count; i++) {
        const char *name = name_group(r->groups12.n[i]);
        weak = weak || strstr(name, "16") || strstr(name, "sect19") || strstr(name, "secp19");
    }
    if (weak)
        add(f, SEVERITY_WEAK, "small-curve", "RFC 8422 5.1.1", "curves of less than 224 bits");
}

static void judge_schemes(const struct scan_result *r, struct findings *f)
{
    bool sha1 = numbers_have(&r->schemes12, 0x0201) || numbers_have(&r->schemes12, 0x0203) ||
                numbers_have(&r->schemes12, 0x0202);
    if (numbers_have(&r->schemes12, 0x0101))
        add(f, SEVERITY_BAD, "md5-signature", "RFC 9155; SLOTH (CVE-2015-7575)",
            "TLS 1.2 is signed with MD5");
    if (sha1)
        add(f, SEVERITY_WEAK, "sha1-signature", "RFC 9155; SLOTH (CVE-2015-7575)",
            "TLS 1.2 is signed with SHA-1 if a client asks for it");
    if (r->schemes12_ignored)
        add(f, SEVERITY_NOTE, "signature-algorithms", "RFC 5246 7.4.1.4.1",
            "it signs with a scheme that the client has not offered");
}

/* ---------------------------------------------------------------- behaviour */

static void judge_old(const struct scan_result *r, struct findings *f)
{
    bool reneg = true, ems = true, heartbeat = false, any = false;
    for (int v = SCAN_TLS10; v <= SCAN_TLS12; v++) {
        const struct scan_offer *o = &r->offer[v];
        if (!o->taken)
            continue;
        any = true;
        reneg = reneg && o->shown.renegotiation_info;
        ems = ems && o->shown.extended_master_secret;
        heartbeat = heartbeat || o->shown.heartbeat;
    }
    if (any && !reneg)
        add(f, SEVERITY_BAD, "no-rfc5746", "RFC 5746; CVE-2009-3555",
            "no secure renegotiation: bytes may be put in front of what a client says");
    if (any && !ems)
        add(f, SEVERITY_WEAK, "no-ems", "RFC 7627; triple handshake",
            "no extended master secret");
    if (heartbeat)
        add(f, SEVERITY_NOTE, "heartbeat", "RFC 6520; Heartbleed (CVE-2014-0160)",
            "heartbeats are offered: nobody needs them");
    if (r->compression == YES)
        add(f, SEVERITY_BAD, "compression", "CRIME (CVE-2012-4929); RFC 9325 3.3",
            "TLS compression is used");
    if (r->old.renegotiation == YES)
        add(f, SEVERITY_WEAK, "client-renegotiation", "CVE-2011-1473; RFC 9325 3.5",
            "a client may renegotiate: cheap for it, dear for the server");
    if (r->fallback_scsv == NO)
        add(f, SEVERITY_WEAK, "no-fallback-scsv", "RFC 7507; POODLE (CVE-2014-3566)",
            "TLS_FALLBACK_SCSV is ignored: a client may be pushed to an older version");
}

static void judge_behaviour(const struct scan *s, struct findings *f)
{
    const struct scan_result *r = s->r;
    judge_old(r, f);
    for (size_t i = 0; i < r->intolerant_count; i++)
        add(f, SEVERITY_WEAK, "intolerant", "RFC 8701", "it does not bear %s",
            r->intolerant[i]);
    for (int v = SCAN_SSL3; v < SCAN_VERSIONS; v++) {
        const struct scan_offer *o = &r->offer[v];
        if (o->by_parts)
            add(f, SEVERITY_WEAK, "long-lists", "RFC 5246 7.4.1.2",
                "%s: long lists of suites are not understood; it was asked by parts",
                scan_version_name((enum scan_version)v));
        if (o->cut)
            add(f, SEVERITY_NOTE, "incomplete", "",
                "%s: it stopped answering; the list is not complete",
                scan_version_name((enum scan_version)v));
        if (o->order == ORDER_CLIENT && o->count > 1)
            add(f, SEVERITY_NOTE, "client-order", "RFC 9325 4.2.1",
                "%s: the client's order of suites counts",
                scan_version_name((enum scan_version)v));
        if (!o->taken && o->refusal.kind == ANSWER_SILENT)
            add(f, SEVERITY_NOTE, "silent", "RFC 5246 7.2.2",
                "%s is not refused: it says nothing until the time is over",
                scan_version_name((enum scan_version)v));
    }
    if (r->gave_up)
        add(f, SEVERITY_NOTE, "shut-out", "",
            "it takes no more connections after %zu: try --parallel 1", r->connections);
    if (r->new.early_data)
        add(f, SEVERITY_NOTE, "early-data", "RFC 8446 8",
            "early data is taken: such requests may be replayed");
}

/* ---------------------------------------------------------------- certificates */

static void judge_key(const hf_certificate *c, const char *whose, struct findings *f)
{
    const char *key = hf_certificate_key(c), *digits = strpbrk(key, "0123456789");
    unsigned bits = digits ? (unsigned)strtoul(digits, NULL, 10) : 0;
    if (strncmp(key, "RSA", 3) == 0 && bits && bits < 2048)
        add(f, SEVERITY_BAD, "small-key", "RFC 9325 4.5", "the %s has a key of %u bits: %s",
            whose, bits, key);
    if (strncmp(key, "DSA", 3) == 0)
        add(f, SEVERITY_WEAK, "dsa-key", "FIPS 186-5", "the %s has a DSA key", whose);
}

static void judge_certificate(const hf_certificate *c, bool own, int64_t now,
                              struct findings *f)
{
    const char *whose = own ? "certificate" : "chain";
    const char *algorithm = hf_certificate_signature(c);
    bool anchor = strcmp(hf_certificate_subject(c), hf_certificate_issuer(c)) == 0;
    int64_t end = hf_certificate_not_after(c);
    judge_key(c, whose, f);
    if (!anchor && strcasestr(algorithm, "md5"))
        add(f, SEVERITY_BAD, "md5-certificate", "RFC 6151", "the %s is signed with MD5", whose);
    else if (!anchor && strcasestr(algorithm, "sha1"))
        add(f, SEVERITY_BAD, "sha1-certificate", "RFC 9155; SHAttered",
            "the %s is signed with SHA-1", whose);
    if (now > end)
        add(f, SEVERITY_BAD, "expired", "RFC 5280 4.1.2.5", "the %s has expired %lld days ago",
            whose, (long long)((now - end) / DAY));
    else if (own && end - now < SOON)
        add(f, SEVERITY_NOTE, "expires-soon", "RFC 5280 4.1.2.5", "the %s expires in %lld days",
            whose, (long long)((end - now) / DAY));
    if (now < hf_certificate_not_before(c))
        add(f, SEVERITY_BAD, "not-yet-valid", "RFC 5280 4.1.2.5", "the %s is not valid yet",
            whose);
}

static void judge_chain(const struct scan *s, const struct scan_chain *c, int64_t now,
                        struct findings *f)
{
    for (size_t i = 0; i < c->count; i++)
        judge_certificate(c->certificate[i], i == 0, now, f);
    if (c->judged && c->verdict.code != HF_OK && c->verdict.code != HF_E_EXPIRED)
        add(f, SEVERITY_BAD, "not-trusted", "RFC 5280 6; RFC 9525", "not accepted for %s: %s",
            s->name,
            *c->verdict.detail ? c->verdict.detail : hf_code_sentence(c->verdict.code));
    for (size_t i = 0; i + 1 < c->count; i++)
        if (strcmp(hf_certificate_issuer(c->certificate[i]),
                   hf_certificate_subject(c->certificate[i + 1])) != 0) {
            add(f, SEVERITY_NOTE, "chain-order", "RFC 5246 7.4.2",
                "the chain is not in order: certificate %zu is not issued by the next one", i);
            break;
        }
    const hf_certificate *last = c->certificate[c->count - 1];
    if (c->count > 1 && strcmp(hf_certificate_subject(last), hf_certificate_issuer(last)) == 0)
        add(f, SEVERITY_NOTE, "anchor-sent", "RFC 8446 4.4.2",
            "the trust anchor is sent: clients have it, or do not trust it");
}

void scan_judge(const struct scan *s, int64_t now, struct findings *out)
{
    struct findings found = {0};
    *out = (struct findings){0};
    judge_versions(s->r, &found);
    judge_suites(s->r, &found);
    judge_dh(s->r, &found);
    judge_groups(s->r, &found);
    judge_schemes(s->r, &found);
    judge_behaviour(s, &found);
    for (size_t i = 0; i < s->r->chains; i++)
        judge_chain(s, &s->r->chain[i], now, &found);
    /* Worst first, otherwise as found. */
    for (int severity = SEVERITY_BAD; severity >= SEVERITY_NOTE; severity--)
        for (size_t i = 0; i < found.count; i++)
            if (found.f[i].severity == (enum severity)severity)
                out->f[out->count++] = found.f[i];
}
