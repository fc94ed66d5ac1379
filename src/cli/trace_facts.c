#include "cli/trace_facts.h"

#include <string.h>

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

static bool first_raw_key(const struct recording *r, bool sent, uint8_t sha256[32])
{
    for (size_t i = 0; i < r->count; i++) {
        const hf_trace_event *e = &r->events[i];
        if (e->kind != HF_TRACE_FIELD || e->sent != sent || !e->size ||
            !(explain_name_is(e->name, "ASN1_subjectPublicKeyInfo") ||
              explain_name_is(e->name, "ASN.1_subjectPublicKeyInfo")))
            continue;
        hf_credential *key =
            hf_credential_load_raw_key_memory(e->bytes, e->size, NULL, NULL, NULL);
        if (key)
            memcpy(sha256, hf_credential_key_sha256(key), 32);
        hf_credential_free(key);
        return key != NULL;
    }
    return false;
}

/* A server's connection only knows the peer's signature; the page is about the server's own. */
static uint16_t own_signature(const struct recording *r, const hf_certificate *own)
{
    bool rsa = own && strncmp(hf_certificate_key(own), "RSA", 3) == 0;
    bool signs = false; /* other messages have algorithms too, of another kind */
    for (size_t i = 0; i < r->count; i++) {
        const hf_trace_event *e = &r->events[i];
        if (e->kind == HF_TRACE_MESSAGE)
            signs = explain_name_is(e->name, "CertificateVerify") ||
                    explain_name_is(e->name, "ServerKeyExchange");
        if (e->kind != HF_TRACE_FIELD || !e->sent || !signs)
            continue;
        if (explain_name_is(e->name, "algorithm"))
            return (uint16_t)e->number;
        /* Before TLS 1.2 it has no number: as hf_conn_signature() has it. */
        if (explain_name_is(e->name, "signature"))
            return rsa ? 0xff01 : 0x0203;
    }
    return 0;
}

/* In TLS 1.2 a client that wants to resume says by what: a ticket in its extension counts, whatever the
 * session ID is (RFC 5077 3.4). */
static enum resumed_by resumed_by(const struct recording *r)
{
    bool in_hello = false;
    enum resumed_by by = RESUMED_SOMEHOW;
    for (size_t i = 0; i < r->count; i++) {
        const hf_trace_event *e = &r->events[i];
        if (e->kind == HF_TRACE_MESSAGE)
            in_hello = explain_name_is(e->name, "ClientHello");
        else if (in_hello && e->kind == HF_TRACE_FIELD && e->size) {
            if (explain_name_is(e->name, "ticket"))
                return RESUMED_BY_TICKET;
            if (explain_name_is(e->name, "legacy_session_id"))
                by = RESUMED_BY_ID;
        }
    }
    return by;
}

/* SerializedSCT sct_list<1..2^16-1>, each opaque<1..2^16-1> (RFC 6962 3.3). */
size_t facts_scts(const hf_conn *conn)
{
    size_t len = 0, count = 0, at = 2;
    const uint8_t *p = conn ? hf_conn_peer_scts(conn, &len) : NULL;
    while (p && at + 2 <= len) {
        at += 2u + (size_t)(p[at] << 8 | p[at + 1]);
        count++;
    }
    return count;
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
    f->facts.raw_key = first_raw_key(recording, is_server, f->facts.raw_key_sha256);
    if (!conn)
        return;
    if (!f->facts.raw_key && !is_server && hf_conn_peer_raw_key(conn, NULL)) {
        f->facts.raw_key = true;
        memcpy(f->facts.raw_key_sha256, hf_conn_peer_key_sha256(conn), 32);
    }
    f->facts.version = hf_conn_version(conn);
    f->facts.suite = hf_conn_suite(conn);
    f->facts.group = hf_conn_group(conn);
    f->facts.signature =
        is_server ? own_signature(recording, f->certificate) : hf_conn_signature(conn);
    f->facts.resumed = hf_conn_resumed(conn);
    f->facts.retried = hf_conn_retried(conn);
    f->facts.verified = hf_conn_verified(conn);
    f->facts.ems = hf_conn_ems(conn);
    f->facts.etm = hf_conn_etm(conn);
    f->facts.secure = hf_conn_secure_renegotiation(conn);
    f->facts.scts = facts_scts(conn);
    size_t ocsp_len;
    f->facts.ocsp = hf_conn_peer_ocsp(conn, &ocsp_len) != NULL;
    if (f->facts.resumed && f->facts.version < HF_TLS1_3)
        f->facts.resumed_by = resumed_by(recording);
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
