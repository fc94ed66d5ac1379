#include "cli/report.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

int exit_status(const hf_error *err)
{
    switch (err->fault) {
    case HF_FAULT_NONE: return EXIT_OK;
    case HF_FAULT_USAGE: return EXIT_USAGE;
    case HF_FAULT_PEER: return EXIT_TLS;
    case HF_FAULT_NETWORK: return EXIT_NETWORK;
    case HF_FAULT_CONFIG: return EXIT_CONFIG;
    case HF_FAULT_LOCAL:
    case HF_FAULT_CRYPTO: return EXIT_LOCAL;
    }
    return EXIT_LOCAL;
}

/* What somebody typed wrongly needs one line, not a diagnosis. */
static int report_usage(const hf_error *err)
{
    char line[1024];
    hf_error_line(err, line, sizeof line);
    fprintf(stderr, "handfast: %s\n", line);
    if (err->hint && *err->hint && !strstr(line, err->hint))
        fprintf(stderr, "Try: %s\n", err->hint);
    return EXIT_USAGE;
}

int report_failure(const hf_conn *conn, const hf_error *failure, bool json)
{
    hf_error copy = *failure, *err = &copy;
    /* Without a connection there is nobody to send an alert to. */
    if (!conn)
        err->alert = HF_NO_ALERT;
    if (err->fault == HF_FAULT_USAGE && !conn && !json)
        return report_usage(err);
    size_t (*write)(const hf_conn *, const hf_error *, char *, size_t) =
        json ? hf_explain_json : hf_explain;
    size_t n = write(conn, err, NULL, 0);
    char *s = malloc(n + 1);
    if (s) {
        write(conn, err, s, n + 1);
        fprintf(stderr, "%s%s", s, n && s[n - 1] == '\n' ? "" : "\n");
    } else {
        fprintf(stderr, "handfast: %s\n", hf_code_sentence(err->code));
    }
    free(s);
    return exit_status(err);
}

/* ---------------------------------------------------------------- in lines */

static void line(struct text *out, const char *name, const char *value)
{
    if (!value || !*value)
        return;
    text_addf(out, "  %-12s ", name);
    text_plain(out, value);
    text_add(out, "\n");
}

static void certificate_lines(struct text *out, const hf_certificate *cert, size_t i)
{
    text_addf(out, "  certificate %zu%s\n", i, i == 0 ? " (the peer's own)" : "");
    text_add(out, "    subject    ");
    text_plain(out, hf_certificate_subject(cert));
    text_add(out, "\n    issuer     ");
    text_plain(out, hf_certificate_issuer(cert));
    if (*hf_certificate_names(cert)) {
        text_add(out, "\n    names      ");
        text_plain(out, hf_certificate_names(cert));
    }
    text_add(out, "\n    valid      ");
    text_date(out, hf_certificate_not_before(cert));
    text_add(out, " to ");
    text_date(out, hf_certificate_not_after(cert));
    int64_t now = time(NULL), end = hf_certificate_not_after(cert);
    if (end < now)
        text_addf(out, " (expired)");
    else
        text_addf(out, " (%lld days left)", (long long)((end - now) / 86400));
    text_addf(out, "\n    key        %s, signed with %s\n    SHA-256    ",
              hf_certificate_key(cert), hf_certificate_signature(cert));
    text_hex(out, hf_certificate_sha256(cert), 32);
    text_add(out, "\n");
}

static const char *verified_words(const hf_conn *conn)
{
    if (hf_conn_verified(conn))
        return hf_conn_is_server(conn) ? "yes: chain" : "yes: chain and name";
    if (!hf_conn_peer_certificate(conn, 0))
        return "no: the peer showed no certificate";
    return "NO: the peer may be anybody";
}

void report_agreed(struct text *out, const hf_conn *conn)
{
    if (!conn) {
        text_add(out, "plain, without TLS");
        return;
    }
    text_addf(out, "%s, %s", hf_version_name(hf_conn_version(conn)),
              hf_suite_name(hf_conn_suite(conn)));
    if (hf_conn_group(conn))
        text_addf(out, ", %s", hf_group_name(hf_conn_group(conn)));
    if (hf_conn_signature(conn))
        text_addf(out, ", %s", hf_signature_name(hf_conn_signature(conn)));
    if (hf_conn_resumed(conn))
        text_add(out, ", resumed");
    if (hf_conn_retried(conn))
        text_add(out, ", after a HelloRetryRequest");
    size_t len;
    const uint8_t *alpn = hf_conn_alpn(conn, &len);
    if (alpn) {
        text_add(out, ", ALPN ");
        text_plain_bytes(out, alpn, len);
    }
}

static void peer_lines(struct text *out, const char *url, const char *address,
                       const hf_conn *conn)
{
    text_add(out, "connected to ");
    text_plain(out, url);
    text_addf(out, " (%s)\n", address);
    if (!conn) {
        text_add(out, "  plain, without TLS\n");
        return;
    }
    line(out, "version", hf_version_name(hf_conn_version(conn)));
    line(out, "suite", hf_suite_name(hf_conn_suite(conn)));
    line(out, "group", hf_conn_group(conn) ? hf_group_name(hf_conn_group(conn)) : "none");
    line(out, "signature",
         hf_conn_signature(conn) ? hf_signature_name(hf_conn_signature(conn)) : "none");
    size_t len;
    const uint8_t *alpn = hf_conn_alpn(conn, &len);
    text_add(out, "  ALPN         ");
    if (alpn)
        text_plain_bytes(out, alpn, len);
    text_addf(out, "%s\n  session      %s%s\n", alpn ? "" : "none",
              hf_conn_resumed(conn) ? "resumed" : "full handshake",
              hf_conn_retried(conn) ? ", after a HelloRetryRequest" : "");
    line(out, "verified", verified_words(conn));
    size_t ocsp_len = 0;
    if (hf_conn_peer_ocsp(conn, &ocsp_len))
        text_addf(out, "  OCSP         stapled, %zu bytes\n", ocsp_len);
    for (size_t i = 0; hf_conn_peer_certificate(conn, i); i++)
        certificate_lines(out, hf_conn_peer_certificate(conn, i), i);
}

/* ---------------------------------------------------------------- as JSON */

static void pair(struct text *out, const char *name, const char *value)
{
    text_addf(out, ",\"%s\":", name);
    text_json(out, value);
}

static void certificate_json(struct text *out, const hf_certificate *cert)
{
    text_add(out, "{\"subject\":");
    text_json(out, hf_certificate_subject(cert));
    pair(out, "issuer", hf_certificate_issuer(cert));
    pair(out, "names", hf_certificate_names(cert));
    pair(out, "serial", hf_certificate_serial(cert));
    pair(out, "key", hf_certificate_key(cert));
    pair(out, "signature", hf_certificate_signature(cert));
    text_addf(out, ",\"not_before\":%lld,\"not_after\":%lld,\"is_ca\":%s,\"sha256\":\"",
              (long long)hf_certificate_not_before(cert),
              (long long)hf_certificate_not_after(cert),
              hf_certificate_is_ca(cert) ? "true" : "false");
    text_hex(out, hf_certificate_sha256(cert), 32);
    text_add(out, "\"}");
}

static void peer_json(struct text *out, const char *url, const char *address,
                      const hf_conn *conn)
{
    text_add(out, "{\"url\":");
    text_json(out, url);
    pair(out, "address", address);
    text_addf(out, ",\"tls\":%s", conn ? "true" : "false");
    if (conn) {
        pair(out, "version", hf_version_name(hf_conn_version(conn)));
        pair(out, "suite", hf_suite_name(hf_conn_suite(conn)));
        pair(out, "group", hf_conn_group(conn) ? hf_group_name(hf_conn_group(conn)) : NULL);
        pair(out, "signature",
             hf_conn_signature(conn) ? hf_signature_name(hf_conn_signature(conn)) : NULL);
        pair(out, "server_name", hf_conn_server_name(conn));
        size_t len;
        const uint8_t *alpn = hf_conn_alpn(conn, &len);
        text_add(out, ",\"alpn\":");
        if (alpn)
            text_json_bytes(out, alpn, len);
        else
            text_add(out, "null");
        text_addf(out, ",\"resumed\":%s,\"retried\":%s,\"verified\":%s,\"ocsp\":%s,\"chain\":[",
                  hf_conn_resumed(conn) ? "true" : "false",
                  hf_conn_retried(conn) ? "true" : "false",
                  hf_conn_verified(conn) ? "true" : "false",
                  hf_conn_peer_ocsp(conn, &len) ? "true" : "false");
        for (size_t i = 0; hf_conn_peer_certificate(conn, i); i++) {
            text_add(out, i ? "," : "");
            certificate_json(out, hf_conn_peer_certificate(conn, i));
        }
        text_add(out, "]");
    }
    text_add(out, "}\n");
}

void report_peer(struct text *out, const char *url, const char *address, const hf_conn *conn,
                 bool json)
{
    if (json)
        peer_json(out, url, address, conn);
    else
        peer_lines(out, url, address, conn);
}
