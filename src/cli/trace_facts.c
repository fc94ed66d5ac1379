#include "cli/trace_facts.h"

#include "cli/explain.h"

/* The server's own certificate is the first that travelled from it, whichever side recorded. */
static hf_certificate *first_certificate(const struct recording *r, bool sent)
{
    for (size_t i = 0; i < r->count; i++) {
        const hf_trace_event *e = &r->events[i];
        if (e->kind == HF_TRACE_FIELD && e->sent == sent &&
            explain_name_is(e->name, "cert_data"))
            return hf_certificate_parse(e->bytes, e->size, NULL);
    }
    return NULL;
}

/* A server's connection only knows the peer's signature; the page is about the server's own. */
static uint16_t own_signature(const struct recording *r)
{
    for (size_t i = 0; i < r->count; i++) {
        const hf_trace_event *e = &r->events[i];
        if (e->kind == HF_TRACE_FIELD && e->sent && explain_name_is(e->name, "algorithm"))
            return (uint16_t)e->number;
    }
    return 0;
}

void facts_take(struct facts_of *f, const hf_conn *conn, const struct recording *recording,
                const char *title, bool is_server, int64_t now)
{
    *f = (struct facts_of){0};
    f->certificate = first_certificate(recording, is_server);
    if (!f->certificate && conn && !is_server && hf_conn_peer_certificate(conn, 0)) {
        size_t len;
        const uint8_t *der = hf_certificate_der(hf_conn_peer_certificate(conn, 0), &len);
        f->certificate = hf_certificate_parse(der, len, NULL);
    }
    f->facts = (struct trace_facts){
        .title = title, .is_server = is_server, .now = now, .certificate = f->certificate};
    if (!conn)
        return;
    f->facts.version = hf_conn_version(conn);
    f->facts.suite = hf_conn_suite(conn);
    f->facts.group = hf_conn_group(conn);
    f->facts.signature = is_server ? own_signature(recording) : hf_conn_signature(conn);
    f->facts.resumed = hf_conn_resumed(conn);
    f->facts.retried = hf_conn_retried(conn);
    f->facts.verified = hf_conn_verified(conn);
    f->facts.server_name = hf_conn_server_name(conn);
    size_t len = 0;
    const uint8_t *alpn = hf_conn_alpn(conn, &len);
    if (alpn) {
        text_add_bytes(&f->alpn, alpn, len);
        f->facts.alpn = f->alpn.p;
    }
}

void facts_clear(struct facts_of *f)
{
    text_clear(&f->alpn);
    hf_certificate_free(f->certificate);
    *f = (struct facts_of){0};
}
