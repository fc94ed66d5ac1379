/* explain.c: a failure, told to a person. */
#define _GNU_SOURCE /* strerror_r that returns the text */

#include <stdio.h>
#include <time.h>

#include "bytes/sink.h"
#include "connection/facts.h"

static void plain(struct sink *s, const char *text)
{
    sink_plain(s, text, strlen(text));
}

static void label(struct sink *s, const char *name)
{
    sink_format(s, "  %-9s ", name);
}

static void line(struct sink *s, const char *name, const char *text)
{
    if (!text || !*text)
        return;
    label(s, name);
    plain(s, text);
    sink_raw(s, "\n");
}

static void first_line(struct sink *s, const hf_error *err)
{
    const char *sentence = hf_code_sentence(err->code);
    char first[2] = {sentence[0], 0};

    if (first[0] >= 'a' && first[0] <= 'z')
        first[0] = (char)(first[0] - 'a' + 'A');
    sink_raw(s, first);
    sink_raw(s, sentence[0] ? sentence + 1 : "");
    if (err->detail[0]) {
        sink_raw(s, ": ");
        plain(s, err->detail);
        if (err->truncated)
            sink_raw(s, "...");
    }
    size_t len = strlen(err->detail);
    sink_raw(s, len && strchr(".?!", err->detail[len - 1]) ? "\n" : ".\n");
}

static const char *who_are_we(const struct facts *facts)
{
    switch (facts->role) {
    case ADVICE_CLIENT: return "this is the client";
    case ADVICE_SERVER: return "this is the server";
    case ADVICE_UNKNOWN: break;
    }
    return "";
}

/* What streams do before TLS has anything to do. */
static bool before_handshake(const char *step)
{
    return strcmp(step, "resolve") == 0 || strcmp(step, "connect") == 0;
}

static void where(struct sink *s, const struct facts *facts, const hf_error *err)
{
    const char *step = facts->step, *between = "";

    if (!*step && !err->path[0] && facts->role == ADVICE_UNKNOWN)
        return;
    label(s, "where");
    if (*step) {
        sink_format(s, "at the step \"%s\"%s", step,
                    before_handshake(step) ||
                            (facts->role == ADVICE_UNKNOWN && err->fault == HF_FAULT_NETWORK)
                        ? ""
                        : " of the handshake");
        between = "; ";
    } else if (facts->role != ADVICE_UNKNOWN) {
        sink_raw(s, facts->phase == PHASE_DATA ? "after the handshake" : "in the handshake");
        between = "; ";
    }
    if (err->path[0]) {
        sink_raw(s, between);
        plain(s, err->path);
        if (err->offset) /* a refusal of a meaning has no place */
            sink_format(s, " at byte %zu", err->offset);
        between = "; ";
    }
    if (facts->role != ADVICE_UNKNOWN) {
        sink_raw(s, between);
        sink_raw(s, who_are_we(facts));
        if (facts->server_name) {
            sink_raw(s, facts->role == ADVICE_CLIENT ? ", connecting to " : ", asked for ");
            plain(s, facts->server_name);
        }
    }
    sink_raw(s, "\n");
}

/* What two sides allow may not meet without either being at fault. */
static bool is_disagreement(const struct facts *facts, const hf_error *err)
{
    if (err->alert_received)
        return facts->phase == PHASE_HELLO &&
               (err->alert == 40 || err->alert == 70 || err->alert == 71 || err->alert == 120);
    /* Only those; -Wswitch-enum would want all the rest listed here. */
    switch ((int)err->code) {
    case HF_E_UNSUPPORTED_VERSION:
    case HF_E_NO_SHARED_SUITE:
    case HF_E_NO_SHARED_GROUP:
    case HF_E_NO_SHARED_FFDHE:
    case HF_E_NO_SHARED_SIGNATURE:
    case HF_E_NO_APPLICATION_PROTOCOL: return true;
    default: return false;
    }
}

static const char *whose_fault(const struct facts *facts, const hf_error *err)
{
    if (err->fault == HF_FAULT_PEER && is_disagreement(facts, err))
        return "either side's: what the two allow does not meet";
    switch (err->fault) {
    case HF_FAULT_NONE: return "";
    case HF_FAULT_LOCAL: return "this side's: the library or the machine";
    case HF_FAULT_USAGE: return "this side's: the program called the library wrongly";
    case HF_FAULT_CONFIG: return "this side's: the configuration";
    case HF_FAULT_PEER: return "the peer's";
    case HF_FAULT_NETWORK: return "the network's between the two, or the peer's";
    case HF_FAULT_CRYPTO: return "libcrypto's";
    }
    return "";
}

static void alert(struct sink *s, const hf_error *err)
{
    if (err->alert == HF_NO_ALERT || err->code == HF_OK)
        return;
    label(s, "alert");
    sink_format(s, "%s (%u), %s\n", hf_alert_name(err->alert), err->alert,
                err->alert_received ? "sent by the peer" : "for the peer");
}

/* ---- lists */

static void ids(struct sink *s, const struct facts_list *list, const char *(*name)(uint16_t))
{
    for (size_t i = 0; i < list->count; i++) {
        const char *text = name(list->id[i]);
        sink_raw(s, i ? ", " : "");
        if (strcmp(text, "unknown") == 0)
            sink_format(s, "0x%04x", list->id[i]);
        else
            sink_raw(s, text);
    }
    if (list->more)
        sink_format(s, " and %zu more", list->more);
    sink_raw(s, list->count ? "\n" : "none\n");
}

static void alpn(struct sink *s, struct slice list)
{
    for (size_t i = 0; i < list.len && i + 1 + list.p[i] <= list.len; i += 1u + list.p[i]) {
        sink_raw(s, i ? ", " : "");
        sink_plain(s, (const char *)list.p + i + 1, list.p[i]);
    }
    sink_raw(s, list.len ? "\n" : "none\n");
}

static void both(struct sink *s, const struct facts *facts, const char *what,
                 const struct facts_list *ours, const struct facts_list *peer,
                 const char *(*name)(uint16_t))
{
    label(s, what);
    sink_raw(s, facts->role == ADVICE_CLIENT ? "offered: " : "allowed here: ");
    ids(s, ours, name);
    if (!facts->peer.known)
        return;
    label(s, "");
    sink_raw(s, "offered by the client: ");
    ids(s, peer, name);
    struct facts_list common;
    facts_common(ours, peer, &common);
    label(s, "");
    sink_raw(s, "in common: ");
    ids(s, &common, name);
}

static void both_alpn(struct sink *s, const struct facts *facts)
{
    label(s, "protocols");
    sink_raw(s, facts->role == ADVICE_CLIENT ? "offered: " : "allowed here: ");
    alpn(s, facts->ours.alpn);
    if (!facts->peer.known)
        return;
    label(s, "");
    sink_raw(s, "offered by the client: ");
    alpn(s, facts->peer.alpn);
}

/* The lists that a failure is about. An alert that refuses the whole hello is about all. */
enum { VERSIONS = 1, SUITES = 2, GROUPS = 4, SIGNATURES = 8, PROTOCOLS = 16 };

static unsigned lists_of_alert(uint8_t description, enum advice_role role, unsigned phase)
{
    /* A server that has answered the hello has found something in it; a client may still not like what. */
    unsigned hello = VERSIONS | SUITES | GROUPS | SIGNATURES;
    switch (description) {
    case 40: return phase == PHASE_HELLO || role == ADVICE_SERVER ? hello : 0;
    case 47:
    case 71: return phase == PHASE_HELLO ? hello : 0;
    case 70: return VERSIONS;
    case 120: return PROTOCOLS;
    default: return 0;
    }
}

static unsigned lists_of(const struct facts *facts, const hf_error *err)
{
    if (err->alert_received)
        return facts->phase == PHASE_DATA
                   ? 0
                   : lists_of_alert(err->alert, facts->role, facts->phase);
    /* Only what is about a choice; -Wswitch-enum would want all the rest listed here. */
    switch ((int)err->code) {
    case HF_E_UNSUPPORTED_VERSION:
    case HF_E_VERSION_NOT_OFFERED: return VERSIONS;
    case HF_E_NO_SHARED_SUITE:
    case HF_E_WRONG_SUITE: return SUITES;
    case HF_E_NO_SHARED_GROUP:
    case HF_E_NO_SHARED_FFDHE:
    case HF_E_WRONG_GROUP: return GROUPS;
    case HF_E_NO_SHARED_SIGNATURE:
    case HF_E_WRONG_SIGNATURE_ALGORITHM: return SIGNATURES;
    case HF_E_NO_APPLICATION_PROTOCOL:
    case HF_E_BAD_ALPN: return PROTOCOLS;
    default: return 0;
    }
}

static void lists(struct sink *s, const struct facts *facts, const hf_error *err)
{
    const struct facts_side *ours = &facts->ours, *peer = &facts->peer;
    unsigned which = ours->known ? lists_of(facts, err) : 0;

    if (which & VERSIONS)
        both(s, facts, "versions", &ours->versions, &peer->versions, hf_version_name);
    if (which & SUITES)
        both(s, facts, "suites", &ours->suites, &peer->suites, hf_suite_name);
    if (which & GROUPS)
        both(s, facts, "groups", &ours->groups, &peer->groups, hf_group_name);
    if (which & SIGNATURES)
        both(s, facts, "schemes", &ours->signatures, &peer->signatures, hf_signature_name);
    if (which & PROTOCOLS)
        both_alpn(s, facts);
}

static void so_far(struct sink *s, const struct facts *facts)
{
    const char *between = "";

    if (!facts->suite)
        return;
    label(s, "agreed");
    if (facts->version) {
        sink_raw(s, hf_version_name(facts->version));
        between = ", ";
    }
    sink_format(s, "%s%s", between, hf_suite_name(facts->suite));
    if (facts->group)
        sink_format(s, ", %s", hf_group_name(facts->group));
    sink_raw(s, facts->resumed ? ", a session is resumed" : "");
    sink_raw(s, facts->retried ? ", after a HelloRetryRequest" : "");
    sink_raw(s, "\n");
}

static void identity(struct sink *s, const struct facts *facts)
{
    if (!facts->psk_identity.len)
        return;
    label(s, "identity");
    sink_plain(s, (const char *)facts->psk_identity.p, facts->psk_identity.len);
    sink_raw(s, facts->role == ADVICE_CLIENT ? " (the pre-shared key's, sent by this client)\n"
                                             : " (the pre-shared key's, sent by the client)\n");
}

/* ---- certificates and the system */

static void date(struct sink *s, int64_t when)
{
    time_t t = (time_t)when;
    struct tm tm;
    char text[40];
    if (gmtime_r(&t, &tm) && strftime(text, sizeof text, "%Y-%m-%d %H:%M:%S UTC", &tm))
        sink_raw(s, text);
}

static void certificate(struct sink *s, const struct facts *facts, const hf_error *err)
{
    const hf_certificate *cert = facts->certificate;

    if (err->x509_depth < 0 || err->fault == HF_FAULT_NONE)
        return;
    label(s, "cert");
    if (err->x509_depth > 0)
        sink_format(s, "number %d of the chain, counted from the peer's own (0)",
                    err->x509_depth);
    else
        sink_raw(s, "the peer's own");
    if (err->x509_code)
        sink_format(s, " (libcrypto's verdict %d)", err->x509_code);
    sink_raw(s, "\n");
    if (err->x509_depth > 0 || !cert)
        return; /* the detail names the others: a peer may send them in any order */
    label(s, "");
    plain(s, hf_certificate_subject(cert));
    sink_raw(s, ", issued by ");
    plain(s, hf_certificate_issuer(cert));
    sink_raw(s, "\n");
    label(s, "");
    sink_raw(s, "valid from ");
    date(s, hf_certificate_not_before(cert));
    sink_raw(s, " to ");
    date(s, hf_certificate_not_after(cert));
    sink_raw(s, ", for ");
    plain(s, *hf_certificate_names(cert) ? hf_certificate_names(cert) : "no name");
    sink_raw(s, "\n");
}

static void raw_key(struct sink *s, const struct facts *facts)
{
    if (!facts->raw_key_sha256)
        return;
    label(s, "key");
    sink_format(s, "the peer's raw public key (RFC 7250), %s, SHA-256 ", facts->raw_key);
    for (size_t i = 0; i < 32; i++)
        sink_format(s, "%02x", facts->raw_key_sha256[i]);
    sink_raw(s, "\n");
}

static void system_error(struct sink *s, const hf_error *err)
{
    char text[128] = "";
    if (!err->os_errno)
        return;
    label(s, "system");
    sink_raw(s, strerror_r(err->os_errno, text, sizeof text));
    sink_format(s, " (errno %d)\n", err->os_errno);
}

size_t hf_explain(const hf_conn *conn, const hf_error *err, char *out, size_t size)
{
    struct sink s = {out, size, 0};
    struct facts facts;

    facts_collect(&facts, conn, err);
    first_line(&s, err);
    if (err->code != HF_OK) {
        where(&s, &facts, err);
        line(&s, "fault", whose_fault(&facts, err));
        /* Our own mistakes without a connection are nobody else's business. */
        if (conn || err->fault == HF_FAULT_PEER)
            alert(&s, err);
        line(&s, "means", facts.advice.means);
        lists(&s, &facts, err);
        identity(&s, &facts);
        so_far(&s, &facts);
        certificate(&s, &facts, err);
        raw_key(&s, &facts);
        system_error(&s, err);
        line(&s, "try", facts.advice.what_to_do);
        line(&s, "rule", facts.rfc);
        line(&s, "code", hf_code_name(err->code));
    }
    return sink_end(&s);
}
