#include "cli/report.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "cli/output.h"
#include "cli/trace_facts.h"

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

/* The diagnosis speaks to programs; whoever typed a command has options for the same. */
static const struct {
    const char *function, *options;
} options_for[] = {
    {"hf_config_add_credential", "--cert, --key"},
    {"hf_config_add_pin_key", "--pin"},
    {"hf_config_add_psk", "--psk"},
    {"hf_config_insecure_set_security_level", "--security-level"},
    {"hf_config_set_alpn", "--alpn"},
    {"hf_config_set_certificate_compression", "--compress-cert"},
    {"hf_config_set_ciphers", "--ciphers"},
    {"hf_config_set_client_auth", "--client-auth"},
    {"hf_config_set_groups", "--groups"},
    {"hf_config_set_ocsp", "--ocsp"},
    {"hf_config_set_peer_certificate_types", "--peer-types"},
    {"hf_config_set_signatures", "--signatures"},
    {"hf_config_set_suites", "--suites"},
    {"hf_config_set_versions", "--min, --max"},
    {"hf_passphrase_fn", "--passphrase-file"},
    {"hf_trust_add_crls_file", "--crl"},
    {"hf_trust_add_file", "--ca"},
    {"hf_trust_add_keys_file", "--trust-key"},
    {"security level", "--security-level"},
};

static void report_options(const char *diagnosis)
{
    const char *between = "  options   ", *last = "";
    /* Those of the lines from "try" on: what was offered is no advice. */
    const char *advice = strstr(diagnosis, "\n  try ");
    for (size_t i = 0; advice && i < sizeof options_for / sizeof *options_for; i++) {
        if (!strstr(advice, options_for[i].function) ||
            strcmp(last, options_for[i].options) == 0)
            continue;
        last = options_for[i].options;
        fprintf(stderr, "%s%s", between, last);
        between = ", ";
    }
    if (*last)
        fputs("\n", stderr);
}

int report_failure(const hf_conn *conn, const hf_error *failure, bool json)
{
    hf_error copy = *failure, *err = &copy;
    if (err->code == HF_E_FILE && err->os_errno == EPIPE)
        output_reader_gone();
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
        if (!json)
            report_options(s);
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
    if (hf_conn_verified(conn) && hf_conn_peer_raw_key(conn, NULL))
        return "yes: a raw public key that is trusted";
    if (hf_conn_verified(conn))
        return hf_conn_is_server(conn) ? "yes: chain" : "yes: chain and name";
    size_t len;
    if (hf_conn_psk_identity(conn, &len))
        return "yes: by the pre-shared key";
    if (!hf_conn_peer_key_sha256(conn))
        return "no: the peer showed no certificate";
    return "NO: the peer may be anybody";
}

/* TLS 1.0 and 1.1 have one signature with RSA keys, which has no number on the wire (RFC 4346 7.4.3); this is
 * the engine's. */
static const char *signature_name(uint16_t scheme)
{
    return scheme == 0xff01 ? "rsa_pkcs1_md5_sha1" : hf_signature_name(scheme);
}

/* ---- TLS 1.2 and older, where more depends on what was agreed */

static bool is_old(const hf_conn *conn)
{
    return hf_conn_version(conn) && hf_conn_version(conn) < HF_TLS1_3;
}

/* The suite's row; what it says about TLS 1.3's suites is "any". */
static hf_suite_info suite_of(const hf_conn *conn)
{
    static hf_suite_info all[256];
    size_t count = hf_all_suites(all, sizeof all / sizeof *all);
    for (size_t i = 0; i < count && i < sizeof all / sizeof *all; i++)
        if (all[i].id == hf_conn_suite(conn))
            return all[i];
    return (hf_suite_info){.key_exchange = "unknown", .mac = "", .encryption = ""};
}

static const char *resumed_words(const hf_conn *conn, const hf_session *offered)
{
    if (!hf_conn_resumed(conn))
        return "full handshake";
    if (!is_old(conn))
        return "resumed with a ticket";
    return !offered                         ? "resumed"
           : hf_session_has_ticket(offered) ? "resumed with a ticket"
                                            : "resumed by its ID";
}

static const char *group_words(const hf_conn *conn)
{
    if (hf_conn_group(conn))
        return hf_group_name(hf_conn_group(conn));
    /* Of finite fields, servers of TLS 1.2 may choose their own (RFC 5246 7.4.3). */
    bool own = !hf_conn_resumed(conn) && strncmp(suite_of(conn).key_exchange, "DHE", 3) == 0;
    return own ? "a finite field of the server's own" : "none";
}

static const char *exchange_words(const hf_conn *conn)
{
    const char *kx = suite_of(conn).key_exchange;
    if (strcmp(kx, "RSA") == 0)
        return "RSA: no forward secrecy";
    if (strcmp(kx, "PSK") == 0)
        return "pre-shared key: no forward secrecy";
    return kx;
}

static const char *records_words(const hf_conn *conn)
{
    hf_suite_info s = suite_of(conn);
    if (strcmp(s.mac, "AEAD") == 0)
        return "AEAD";
    if (s.bits == 0)
        return "NOT ENCRYPTED, only a MAC";
    return hf_conn_etm(conn) ? "CBC, encrypt-then-MAC" : "CBC, the MAC inside the encryption";
}

static void identity_line(struct text *out, const hf_conn *conn)
{
    size_t len;
    const uint8_t *identity = hf_conn_psk_identity(conn, &len);
    if (!identity)
        return;
    text_add(out, "  identity     ");
    text_plain_bytes(out, identity, len);
    text_add(out, " (pre-shared key)\n");
}

static void old_lines(struct text *out, const hf_conn *conn)
{
    if (!is_old(conn))
        return;
    if (!hf_conn_resumed(conn))
        line(out, "key exchange", exchange_words(conn));
    line(out, "records", records_words(conn));
    line(out, "master",
         hf_conn_ems(conn) ? "extended master secret (RFC 7627)" : "NOT extended (RFC 7627)");
    line(out, "renegotiate",
         hf_conn_secure_renegotiation(conn) ? "secure (RFC 5746)" : "NOT SECURE: no RFC 5746");
}

/* What is not as it should be, for one line. */
static void old_words(struct text *out, const hf_conn *conn)
{
    if (!is_old(conn))
        return;
    if (hf_conn_etm(conn))
        text_add(out, ", encrypt-then-MAC");
    if (!hf_conn_ems(conn))
        text_add(out, ", no extended master secret");
    if (!hf_conn_secure_renegotiation(conn))
        text_add(out, ", no secure renegotiation");
}

static void identity_words(struct text *out, const hf_conn *conn)
{
    size_t len;
    const uint8_t *identity = hf_conn_psk_identity(conn, &len);
    if (!identity)
        return;
    text_add(out, ", PSK identity ");
    text_plain_bytes(out, identity, len);
}

/* ---- early data */

/* NULL: there was none. */
static const char *early_word(const hf_conn *conn)
{
    switch (hf_conn_early_data(conn)) {
    case HF_EARLY_ACCEPTED: return "accepted";
    case HF_EARLY_REFUSED: return "refused";
    case HF_EARLY_NONE:
    case HF_EARLY_OFFERED: break;
    }
    return NULL;
}

static void early_line(struct text *out, const hf_conn *conn)
{
    if (early_word(conn))
        text_addf(out, "  early data   %s%s%s\n", early_word(conn),
                  *hf_conn_early_reason(conn) ? ": " : "", hf_conn_early_reason(conn));
}

static void early_words(struct text *out, const hf_conn *conn)
{
    if (early_word(conn))
        text_addf(out, ", early data %s%s%s", early_word(conn),
                  *hf_conn_early_reason(conn) ? ": " : "", hf_conn_early_reason(conn));
}

static void staple_lines(struct text *out, const hf_conn *conn)
{
    size_t len = 0, scts = facts_scts(conn);
    if (hf_conn_peer_ocsp(conn, &len))
        text_addf(out, "  OCSP         stapled, %zu bytes\n", len);
    if (scts)
        text_addf(out, "  SCTs         %zu timestamp%s of public logs\n", scts,
                  scts == 1 ? "" : "s");
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
        text_addf(out, ", %s", signature_name(hf_conn_signature(conn)));
    if (hf_conn_resumed(conn))
        text_add(out, ", resumed");
    if (hf_conn_retried(conn))
        text_add(out, ", after a HelloRetryRequest");
    old_words(out, conn);
    identity_words(out, conn);
    early_words(out, conn);
    size_t len;
    const uint8_t *alpn = hf_conn_alpn(conn, &len);
    if (alpn) {
        text_add(out, ", ALPN ");
        text_plain_bytes(out, alpn, len);
    }
}

static void compression_line(struct text *out, const hf_conn *conn)
{
    size_t packed, size;
    uint16_t algorithm = hf_conn_peer_compression(conn, &packed, &size);
    if (algorithm)
        text_addf(out, "  compressed   certificates by %s: %zu bytes for %zu\n",
                  hf_compression_name(algorithm), packed, size);
}

static void peer_lines(struct text *out, const char *url, const char *address,
                       const hf_conn *conn, const hf_session *offered)
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
    line(out, "group", group_words(conn));
    line(out, "signature",
         hf_conn_signature(conn) ? signature_name(hf_conn_signature(conn)) : "none");
    size_t len;
    const uint8_t *alpn = hf_conn_alpn(conn, &len);
    text_add(out, "  ALPN         ");
    if (alpn)
        text_plain_bytes(out, alpn, len);
    text_addf(out, "%s\n  session      %s%s\n", alpn ? "" : "none",
              resumed_words(conn, offered),
              hf_conn_retried(conn) ? ", after a HelloRetryRequest" : "");
    early_line(out, conn);
    line(out, "verified", verified_words(conn));
    old_lines(out, conn);
    identity_line(out, conn);
    staple_lines(out, conn);
    compression_line(out, conn);
    for (size_t i = 0; hf_conn_peer_certificate(conn, i); i++)
        certificate_lines(out, hf_conn_peer_certificate(conn, i), i);
    if (hf_conn_peer_raw_key(conn, NULL)) {
        text_addf(out, "  raw public key (RFC 7250)\n    key        %s\n    SHA-256    ",
                  hf_conn_peer_key(conn));
        text_hex(out, hf_conn_peer_key_sha256(conn), 32);
        text_add(out, "\n");
    }
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

/* How a session was resumed; null: it was not, or nobody knows. */
static const char *resumed_word(const hf_conn *conn, const hf_session *offered)
{
    if (!hf_conn_resumed(conn) || (is_old(conn) && !offered))
        return NULL;
    return !is_old(conn) || hf_session_has_ticket(offered) ? "ticket" : "session_id";
}

void report_old_json(struct text *out, const hf_conn *conn)
{
    size_t len;
    const uint8_t *identity = hf_conn_psk_identity(conn, &len);
    pair(out, "key_exchange", suite_of(conn).key_exchange);
    text_addf(out,
              ",\"extended_master_secret\":%s,\"encrypt_then_mac\":%s,"
              "\"secure_renegotiation\":%s,\"psk_identity\":",
              hf_conn_ems(conn) ? "true" : "false", hf_conn_etm(conn) ? "true" : "false",
              hf_conn_secure_renegotiation(conn) ? "true" : "false");
    if (identity)
        text_json_bytes(out, identity, len);
    else
        text_add(out, "null");
}

void report_early_json(struct text *out, const hf_conn *conn)
{
    pair(out, "early_data", early_word(conn));
    if (*hf_conn_early_reason(conn))
        pair(out, "early_data_reason", hf_conn_early_reason(conn));
}

static void compression_json(struct text *out, const hf_conn *conn)
{
    size_t packed, size;
    uint16_t algorithm = hf_conn_peer_compression(conn, &packed, &size);
    text_add(out, ",\"certificate_compression\":");
    if (algorithm)
        text_addf(out, "{\"algorithm\":\"%s\",\"compressed\":%zu,\"size\":%zu}",
                  hf_compression_name(algorithm), packed, size);
    else
        text_add(out, "null");
}

static void peer_json(struct text *out, const char *url, const char *address,
                      const hf_conn *conn, const hf_session *offered)
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
             hf_conn_signature(conn) ? signature_name(hf_conn_signature(conn)) : NULL);
        pair(out, "server_name", hf_conn_server_name(conn));
        size_t len;
        const uint8_t *alpn = hf_conn_alpn(conn, &len);
        text_add(out, ",\"alpn\":");
        if (alpn)
            text_json_bytes(out, alpn, len);
        else
            text_add(out, "null");
        report_old_json(out, conn);
        report_early_json(out, conn);
        pair(out, "resumed_by", resumed_word(conn, offered));
        text_addf(out, ",\"scts\":%zu", facts_scts(conn));
        compression_json(out, conn);
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
        pair(out, "certificate_type",
             hf_conn_peer_key_sha256(conn)
                 ? hf_certificate_type_name(hf_conn_peer_certificate_type(conn))
                 : NULL);
        pair(out, "key", hf_conn_peer_key(conn));
        text_add(out, ",\"key_sha256\":");
        if (hf_conn_peer_key_sha256(conn)) {
            text_add(out, "\"");
            text_hex(out, hf_conn_peer_key_sha256(conn), 32);
            text_add(out, "\"");
        } else {
            text_add(out, "null");
        }
    }
    text_add(out, "}\n");
}

void report_peer(struct text *out, const char *url, const char *address, const hf_conn *conn,
                 const hf_session *offered, bool json)
{
    if (json)
        peer_json(out, url, address, conn, offered);
    else
        peer_lines(out, url, address, conn, offered);
}
