#include "cli/trace_html.h"

#include <inttypes.h>

static const char *const kinds[] = {"record", "plaintext", "message",     "group",
                                    "field",  "step",      "secret",      "keys",
                                    "note",   "error",     "decompressed"};

static void pair(struct text *out, const char *name, const char *value)
{
    if (!value)
        return;
    text_addf(out, ",\"%s\":", name);
    text_json(out, value);
}

static void write_event(struct text *out, const hf_trace_event *e, uint64_t start)
{
    text_addf(out,
              "{\"kind\":\"%s\",\"sent\":%s,\"time\":%" PRIu64 ",\"name\":", kinds[e->kind],
              e->sent ? "true" : "false", e->time - start);
    text_json(out, e->name);
    if (e->kind == HF_TRACE_RECORD || e->kind == HF_TRACE_PLAINTEXT ||
        e->kind == HF_TRACE_MESSAGE || e->kind == HF_TRACE_DECOMPRESSED)
        text_addf(out, ",\"record_type\":%u", e->record_type);
    if (e->kind == HF_TRACE_GROUP || e->kind == HF_TRACE_FIELD)
        text_addf(out, ",\"depth\":%u,\"offset\":%zu", e->depth, e->offset);
    text_addf(out, ",\"number\":%" PRIu64 ",\"size\":%zu", e->number, e->size);
    pair(out, "text", e->text);
    pair(out, "rfc", e->rfc);
    /* The bytes of parts are those of their message. */
    if (e->kind != HF_TRACE_GROUP && e->kind != HF_TRACE_FIELD && e->size) {
        text_add(out, ",\"bytes\":\"");
        text_hex(out, e->bytes, e->size);
        text_add(out, "\"");
    }
    text_add(out, "}");
}

bool trace_json(struct text *out, const struct recording *recording,
                const struct trace_facts *facts)
{
    text_add(out, "{\"title\":");
    text_json(out, facts->title);
    text_addf(out, ",\"role\":\"%s\"", facts->is_server ? "server" : "client");
    if (facts->version) {
        pair(out, "version", hf_version_name(facts->version));
        pair(out, "suite", hf_suite_name(facts->suite));
        pair(out, "group", facts->group ? hf_group_name(facts->group) : NULL);
        pair(out, "signature", facts->signature ? hf_signature_name(facts->signature) : NULL);
        text_addf(out, ",\"resumed\":%s,\"retried\":%s,\"verified\":%s",
                  facts->resumed ? "true" : "false", facts->retried ? "true" : "false",
                  facts->verified ? "true" : "false");
        text_addf(out,
                  ",\"extended_master_secret\":%s,\"encrypt_then_mac\":%s,"
                  "\"secure_renegotiation\":%s,\"scts\":%zu",
                  facts->ems ? "true" : "false", facts->etm ? "true" : "false",
                  facts->secure ? "true" : "false", facts->scts);
        pair(out, "resumed_by",
             facts->resumed_by == RESUMED_BY_TICKET ? "ticket"
             : facts->resumed_by == RESUMED_BY_ID   ? "session_id"
                                                    : NULL);
    }
    pair(out, "alpn", facts->alpn);
    pair(out, "server_name", facts->server_name);
    pair(out, "error", facts->error);
    text_addf(out, ",\"dropped_events\":%zu,\"events\":[", recording->dropped);
    uint64_t start = recording->count ? recording->events[0].time : 0;
    for (size_t i = 0; i < recording->count; i++) {
        text_add(out, i ? ",\n" : "\n");
        write_event(out, &recording->events[i], start);
    }
    text_add(out, "\n]}\n");
    return text_ok(out);
}
