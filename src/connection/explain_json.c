/* explain_json.c: a failure, told to a program: one JSON object with the same keys each time.
 * What is not known is null, an empty list or an empty string. */
#define _GNU_SOURCE /* strerror_r that returns the text */

#include <stdio.h>

#include "bytes/sink.h"
#include "connection/facts.h"

/* An object or a list being written: it knows whether a comma is due. */
struct json {
    struct sink s;
    bool comma;
};

static void begin(struct json *j, char bracket)
{
    sink_format(&j->s, "%c", bracket);
    j->comma = false;
}

static void end(struct json *j, char bracket)
{
    sink_format(&j->s, "%c", bracket);
    j->comma = true;
}

/* What comes before a value: a comma if it is not the first, and its key (NULL in a list). */
static void key(struct json *j, const char *name)
{
    if (j->comma)
        sink_raw(&j->s, ",");
    j->comma = true;
    if (name)
        sink_format(&j->s, "\"%s\":", name);
}

static void text(struct json *j, const char *name, const char *value)
{
    key(j, name);
    if (value)
        sink_json(&j->s, value, strlen(value));
    else
        sink_raw(&j->s, "null");
}

static void number(struct json *j, const char *name, long long value)
{
    key(j, name);
    sink_format(&j->s, "%lld", value);
}

static void boolean(struct json *j, const char *name, bool value)
{
    key(j, name);
    sink_raw(&j->s, value ? "true" : "false");
}

static void null(struct json *j, const char *name)
{
    key(j, name);
    sink_raw(&j->s, "null");
}

/* A number of a registry: its name, or as "0x1a2b". */
static void value_of(struct json *j, const char *name, uint16_t id,
                     const char *(*name_of)(uint16_t))
{
    char hex[8] = "0x";
    const char *known = name_of(id);

    if (strcmp(known, "unknown") == 0) {
        for (int i = 0; i < 4; i++)
            hex[2 + i] = "0123456789abcdef"[id >> (12 - 4 * i) & 15];
        known = hex;
    }
    text(j, name, known);
}

static void ids(struct json *j, const char *name, const struct facts_list *list,
                const char *(*name_of)(uint16_t))
{
    key(j, name);
    begin(j, '[');
    for (size_t i = 0; i < list->count; i++)
        value_of(j, NULL, list->id[i], name_of);
    end(j, ']');
}

static void protocols(struct json *j, const char *name, struct slice list)
{
    key(j, name);
    begin(j, '[');
    for (size_t i = 0; i < list.len && i + 1 + list.p[i] <= list.len; i += 1u + list.p[i]) {
        key(j, NULL);
        sink_json(&j->s, (const char *)list.p + i + 1, list.p[i]);
    }
    end(j, ']');
}

static void side(struct json *j, const char *name, const struct facts_side *side)
{
    if (!side->known) {
        null(j, name);
        return;
    }
    key(j, name);
    begin(j, '{');
    ids(j, "versions", &side->versions, hf_version_name);
    ids(j, "suites", &side->suites, hf_suite_name);
    ids(j, "groups", &side->groups, hf_group_name);
    ids(j, "key_shares", &side->key_shares, hf_group_name);
    ids(j, "signatures", &side->signatures, hf_signature_name);
    protocols(j, "protocols", side->alpn);
    end(j, '}');
}

static void common(struct json *j, const char *name, const struct facts_list *a,
                   const struct facts_list *b, const char *(*name_of)(uint16_t))
{
    struct facts_list both;
    facts_common(a, b, &both);
    ids(j, name, &both, name_of);
}

static void in_common(struct json *j, const struct facts_side *ours,
                      const struct facts_side *peer)
{
    if (!ours->known || !peer->known) {
        null(j, "common");
        return;
    }
    key(j, "common");
    begin(j, '{');
    common(j, "versions", &ours->versions, &peer->versions, hf_version_name);
    common(j, "suites", &ours->suites, &peer->suites, hf_suite_name);
    common(j, "groups", &ours->groups, &peer->groups, hf_group_name);
    common(j, "signatures", &ours->signatures, &peer->signatures, hf_signature_name);
    end(j, '}');
}

static void agreed(struct json *j, const char *name, uint16_t id,
                   const char *(*name_of)(uint16_t))
{
    if (id)
        value_of(j, name, id, name_of);
    else
        null(j, name);
}

static void connection(struct json *j, const struct facts *facts)
{
    if (facts->role == ADVICE_UNKNOWN) {
        null(j, "connection");
        return;
    }
    key(j, "connection");
    begin(j, '{');
    text(j, "role", facts->role == ADVICE_SERVER ? "server" : "client");
    text(j, "server_name", facts->server_name);
    text(j, "phase",
         facts->phase == PHASE_DATA    ? "data"
         : facts->phase == PHASE_HELLO ? "hello"
                                       : "handshake");
    agreed(j, "version", facts->version, hf_version_name);
    agreed(j, "suite", facts->suite, hf_suite_name);
    agreed(j, "group", facts->group, hf_group_name);
    boolean(j, "resumed", facts->resumed);
    boolean(j, "retried", facts->retried);
    side(j, "ours", &facts->ours);
    side(j, "peer", &facts->peer);
    in_common(j, &facts->ours, &facts->peer);
    end(j, '}');
}

static void alert(struct json *j, const struct facts *facts, const hf_error *err)
{
    if (err->alert == HF_NO_ALERT || err->code == HF_OK) {
        null(j, "alert");
        return;
    }
    key(j, "alert");
    begin(j, '{');
    number(j, "number", err->alert);
    text(j, "name", hf_alert_name(err->alert));
    boolean(j, "received", err->alert_received);
    text(j, "means", facts->advice.means);
    end(j, '}');
}

static void certificate(struct json *j, const struct facts *facts, const hf_error *err)
{
    const hf_certificate *cert = facts->certificate;

    if (err->code == HF_OK || (err->x509_depth < 0 && !cert)) {
        null(j, "certificate");
        return;
    }
    key(j, "certificate");
    begin(j, '{');
    if (err->x509_depth >= 0)
        number(j, "depth", err->x509_depth);
    else
        null(j, "depth");
    number(j, "x509_code", err->x509_code);
    text(j, "peer_subject", cert ? hf_certificate_subject(cert) : NULL);
    text(j, "peer_issuer", cert ? hf_certificate_issuer(cert) : NULL);
    text(j, "peer_names", cert ? hf_certificate_names(cert) : NULL);
    if (cert) {
        number(j, "peer_not_before", hf_certificate_not_before(cert));
        number(j, "peer_not_after", hf_certificate_not_after(cert));
    } else {
        null(j, "peer_not_before");
        null(j, "peer_not_after");
    }
    end(j, '}');
}

static void raw_key(struct json *j, const struct facts *facts)
{
    char hex[65];

    if (!facts->raw_key_sha256) {
        null(j, "raw_key");
        return;
    }
    for (size_t i = 0; i < 32; i++)
        snprintf(hex + 2 * i, 3, "%02x", facts->raw_key_sha256[i]);
    key(j, "raw_key");
    begin(j, '{');
    text(j, "key", facts->raw_key);
    text(j, "sha256", hex);
    end(j, '}');
}

static void system_error(struct json *j, const hf_error *err)
{
    char buffer[128] = "";

    if (!err->os_errno) {
        null(j, "system");
        return;
    }
    key(j, "system");
    begin(j, '{');
    number(j, "errno", err->os_errno);
    text(j, "text", strerror_r(err->os_errno, buffer, sizeof buffer));
    end(j, '}');
}

size_t hf_explain_json(const hf_conn *conn, const hf_error *err, char *out, size_t size)
{
    struct json j = {.s = {out, size, 0}};
    struct facts facts;

    facts_collect(&facts, conn, err);
    begin(&j, '{');
    text(&j, "code", hf_code_name(err->code));
    number(&j, "number", err->code);
    text(&j, "sentence", hf_code_sentence(err->code));
    text(&j, "detail", err->detail);
    text(&j, "fault", hf_fault_name(err->fault));
    text(&j, "step", facts.step);
    text(&j, "path", err->path);
    if (err->path[0] && err->offset)
        number(&j, "offset", (long long)err->offset);
    else
        null(&j, "offset");
    text(&j, "rfc", facts.rfc);
    text(&j, "means", err->code == HF_OK ? "" : facts.advice.means);
    text(&j, "hint", err->code == HF_OK ? "" : facts.advice.what_to_do);
    boolean(&j, "truncated", err->truncated);
    alert(&j, &facts, err);
    system_error(&j, err);
    certificate(&j, &facts, err);
    raw_key(&j, &facts);
    connection(&j, &facts);
    end(&j, '}');
    return sink_end(&j.s);
}
