/* trace_html.h: a recorded handshake as one self-contained HTML page. */
#ifndef CLI_TRACE_HTML_H
#define CLI_TRACE_HTML_H

#include "cli/recording.h"
#include "cli/text.h"

/* How a session was resumed: by what the client knew it. */
enum resumed_by { RESUMED_SOMEHOW, RESUMED_BY_TICKET, RESUMED_BY_ID };

/* What the page says about the connection besides its events. Zero and NULL: unknown. */
struct trace_facts {
    const char *title; /* URL or peer */
    bool is_server;    /* whose events these are */
    uint16_t version, suite, group, signature;
    bool resumed, retried, verified;
    bool ems, etm, secure; /* of TLS 1.2 and older: see hf_conn_ems() and so on */
    enum resumed_by resumed_by;
    bool ocsp;        /* the peer stapled a response */
    size_t scts;      /* timestamps that came with the certificate */
    const char *alpn; /* as text, unescaped */
    const char *server_name;
    const char *error;                 /* diagnosis of a failed connection, several lines */
    const hf_certificate *certificate; /* the server's own, for the verdict */
    bool raw_key;                      /* a raw public key stood in its place (RFC 7250) */
    uint8_t raw_key_sha256[32];
    int64_t now; /* seconds since 1970 */
};

/* trace_html writes the page. false without memory. */
bool trace_html(struct text *out, const struct recording *recording,
                const struct trace_facts *facts);

/* trace_json writes the facts and every event as one JSON object. */
bool trace_json(struct text *out, const struct recording *recording,
                const struct trace_facts *facts);

#endif
