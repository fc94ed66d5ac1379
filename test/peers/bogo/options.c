/* options.c: the runner's flags. A flag that is not in the table is not implemented. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "options.h"

enum kind {
    FLAG,
    NUMBER,
    STRING,
    BASE64,
    NUMBERS,
    NONE_OF,
    CREDENTIAL,
    RAW_CREDENTIAL,
    IGNORED,
    IGNORED_ARG
};

struct flag {
    const char *name;
    enum kind kind;
    size_t at; /* in struct options, or in the credential that was named last */
    bool of_credential;
};

#define AT(member) offsetof(struct options, member), false
#define IN(member) offsetof(struct credential_options, member), true

/* clang-format off */
static const struct flag flags[] = {
    {"port", NUMBER, AT(port)},
    {"ipv6", FLAG, AT(ipv6)},
    {"shim-id", STRING, AT(shim_id)},
    {"server", FLAG, AT(server)},
    {"async", FLAG, AT(async)},
    {"resume-count", NUMBER, AT(resume_count)},
    {"is-handshaker-supported", FLAG, AT(handshaker_question)},
    {"new-x509-credential", CREDENTIAL, 0, false},
    {"new-rpk-credential", RAW_CREDENTIAL, 0, false},
    {"cert-file", STRING, IN(cert_file)},
    {"key-file", STRING, IN(key_file)},
    {"ocsp-response", BASE64, IN(ocsp_response)},
    {"signed-cert-timestamps", BASE64, IN(scts)},
    {"signing-prefs", NUMBERS, IN(signing_prefs)},
    {"must-match-issuer", FLAG, IN(must_match_issuer)},
    {"accepted-peer-cert-types", NUMBERS, AT(peer_cert_types)},
    {"available-client-cert-types", NUMBERS, AT(own_cert_types)},
    {"expect-peer-certificate-type", NUMBERS, AT(expect_cert_type)},
    {"expect-peer-rpk-sha256", BASE64, AT(expect_raw_key)},
    {"use-early-callback", FLAG, AT(use_early_callback)},
    {"use-old-client-cert-callback", FLAG, AT(use_old_client_cert_callback)},
    {"min-version", NUMBER, AT(min_version)},
    {"max-version", NUMBER, AT(max_version)},
    {"no-tls1", FLAG, AT(no_tls10)},
    {"no-tls11", FLAG, AT(no_tls11)},
    {"no-tls12", FLAG, AT(no_tls12)},
    {"no-tls13", FLAG, AT(no_tls13)},
    {"verify-prefs", NUMBERS, AT(verify_prefs)},
    {"expect-peer-verify-pref", NUMBERS, AT(peer_verify_prefs)},
    {"curves", NUMBERS, AT(curves)},
    {"key-shares", NUMBERS, AT(key_shares)},
    {"server-supported-groups-hint", NUMBERS, AT(groups_hint)},
    {"no-key-shares", NONE_OF, AT(key_shares)},
    {"cipher", STRING, AT(cipher)},
    {"host-name", STRING, AT(host_name)},
    {"advertise-alpn", STRING, AT(advertise_alpn)},
    {"select-alpn", STRING, AT(select_alpn)},
    {"trust-cert", STRING, AT(trust_cert)},
    {"decline-alpn", FLAG, AT(decline_alpn)},
    {"reject-alpn", FLAG, AT(reject_alpn)},
    {"no-ticket", FLAG, AT(no_ticket)},
    {"server-preference", FLAG, AT(server_preference)},
    {"require-any-client-certificate", FLAG, AT(require_any_client_certificate)},
    {"verify-peer", FLAG, AT(verify_peer)},
    {"verify-fail", FLAG, AT(verify_fail)},
    {"use-custom-verify-callback", FLAG, AT(custom_verify)},
    {"enable-ocsp-stapling", FLAG, AT(enable_ocsp_stapling)},
    {"enable-signed-cert-timestamps", FLAG, AT(enable_scts)},
    {"reverify-on-resume", FLAG, AT(reverify_on_resume)},
    {"renegotiate-once", FLAG, AT(renegotiate_once)},
    {"renegotiate-freely", FLAG, AT(renegotiate_freely)},
    {"renegotiate-ignore", FLAG, AT(renegotiate_ignore)},
    {"forbid-renegotiation-after-handshake", FLAG, AT(forbid_renegotiation)},
    {"false-start", FLAG, AT(false_start)},
    {"fallback-scsv", FLAG, AT(fallback_scsv)},
    {"no-legacy-server-connect", FLAG, AT(no_legacy_server_connect)},
    {"psk", STRING, AT(psk)},
    {"psk-identity", STRING, AT(psk_identity)},
    {"use-client-ca-list", STRING, AT(client_ca_list)},
    {"resumption-delay", NUMBER, AT(resumption_delay)},
    {"implicit-handshake", FLAG, AT(implicit_handshake)},
    {"no-op-extra-handshake", FLAG, AT(no_op_extra_handshake)},
    {"handshake-twice", FLAG, AT(handshake_twice)},
    {"shim-writes-first", FLAG, AT(shim_writes_first)},
    {"shim-shuts-down", FLAG, AT(shim_shuts_down)},
    {"check-close-notify", FLAG, AT(check_close_notify)},
    {"write-different-record-sizes", FLAG, AT(write_different_record_sizes)},
    {"send-alert", FLAG, AT(send_alert)},
    {"read-with-unfinished-write", FLAG, AT(read_with_unfinished_write)},
    {"fail-cert-callback", FLAG, AT(fail_cert_callback)},
    {"fail-early-callback", FLAG, AT(fail_early_callback)},
    {"shim-initial-write", STRING, AT(initial_write)},
    {"repeat-shim-initial-write", NUMBER, AT(repeat_initial_write)},
    {"read-size", NUMBER, AT(read_size)},
    {"max-send-fragment", NUMBER, AT(max_send_fragment)},
    {"key-update", FLAG, AT(key_update)},
    {"key-update-before-read", FLAG, AT(key_update_before_read)},
    {"export-keying-material", NUMBER, AT(export_len)},
    {"export-label", STRING, AT(export_label)},
    {"export-context", STRING, AT(export_context)},
    {"use-export-context", FLAG, AT(use_export_context)},
    {"use-exporter-between-reads", FLAG, AT(use_exporter_between_reads)},
    {"export-traffic-secrets", FLAG, AT(export_traffic_secrets)},
    {"expect-version", NUMBER, AT(expect_version)},
    {"expect-cipher", NUMBER, AT(expect_cipher)},
    {"expect-curve-id", NUMBER, AT(expect_curve)},
    {"expect-peer-signature-algorithm", NUMBER, AT(expect_signature)},
    {"expect-server-name", STRING, AT(expect_server_name)},
    {"expect-no-server-name", FLAG, AT(expect_no_server_name)},
    {"expect-alpn", STRING, AT(expect_alpn)},
    {"expect-advertised-alpn", STRING, AT(expect_advertised_alpn)},
    {"expect-peer-cert-file", STRING, AT(expect_cert_file)},
    {"expect-ocsp-response", BASE64, AT(expect_ocsp)},
    {"enable-early-data", FLAG, AT(enable_early_data)},
    {"expect-accept-early-data", FLAG, AT(expect_early_accepted)},
    {"expect-reject-early-data", FLAG, AT(expect_early_refused)},
    {"expect-no-offer-early-data", FLAG, AT(expect_no_early_offer)},
    {"expect-ticket-supports-early-data", FLAG, AT(expect_early_ticket)},
    {"expect-early-data-reason", IGNORED_ARG, 0, false}, /* handfast gives no number for it */
    {"expect-hrr", FLAG, AT(expect_hrr)},
    {"expect-no-hrr", FLAG, AT(expect_no_hrr)},
    {"expect-session-miss", FLAG, AT(expect_session_miss)},
    {"expect-no-session", FLAG, AT(expect_no_session)},
    {"expect-no-peer-cert", FLAG, AT(expect_no_peer_cert)},
    {"expect-verify-result", FLAG, AT(expect_verify_result)},
    {"expect-ticket-renewal", FLAG, AT(expect_ticket_renewal)},
    {"expect-session-id", FLAG, AT(expect_session_id)},
    {"expect-no-session-id", FLAG, AT(expect_no_session_id)},
    {"expect-extended-master-secret", FLAG, AT(expect_ems)},
    {"expect-secure-renegotiation", FLAG, AT(expect_secure)},
    {"expect-no-secure-renegotiation", FLAG, AT(expect_not_secure)},
    {"expect-total-renegotiations", NUMBER, AT(expect_renegotiations)},
    {"expect-signed-cert-timestamps", BASE64, AT(expect_scts)},
    {"expect-certificate-types", BASE64, AT(expect_certificate_types)},
    {"expect-cipher-aes", NUMBER, AT(expect_cipher_aes)},
    {"expect-msg-callback", STRING, AT(expect_messages)},
    {"expect-client-ca-list", STRING, AT(expect_ca_list)},
    {"use-ticket-callback", FLAG, AT(use_ticket_callback)},
    {"use-ticket-aead-callback", FLAG, AT(use_ticket_callback)},
    {"ticket-key", BASE64, AT(ticket_key)},
    {"renew-ticket", FLAG, AT(renew_ticket)},
    {"skip-ticket", FLAG, AT(skip_ticket)},
    {"expect-ticket-age-skew", NUMBER, AT(expect_age_skew)},
    {"no-server-name-ack", FLAG, AT(no_server_name_ack)},
    {"select-empty-alpn", FLAG, AT(select_empty_alpn)},
    {"curves-flags", NUMBERS, AT(curves_flags)},
    {"max-cert-list", NUMBER, AT(max_cert_list)},
    {"install-cert-compression-algs", FLAG, AT(install_compressors)},
    {"install-one-cert-compression-alg", NUMBER, AT(install_compressor)},
    {"handshake-never-done", FLAG, AT(handshake_never_done)},

    /* What handfast does anyway, or cannot tell. */
    {"expect-cipher-no-aes", IGNORED_ARG, 0, false}, /* for machines without AES in hardware */
    {"cbc-record-splitting", IGNORED, 0, false}, /* 1/n-1 in TLS 1.0 */
    {"peek-then-read", IGNORED, 0, false}, /* data lies in the caller's buffer: looked at freely */
    {"expect-selected-credential", IGNORED_ARG, 0, false}, /* the runner sees the certificate */
    {"partial-write", IGNORED, 0, false},
};
/* clang-format on */

static const struct flag *find(const char *name)
{
    for (size_t i = 0; i < sizeof flags / sizeof flags[0]; i++) {
        if (strcmp(flags[i].name, name) == 0)
            return &flags[i];
    }
    return NULL;
}

static int digit64(char c)
{
    static const char digits[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    const char *at = c ? strchr(digits, c) : NULL;
    return at ? (int)(at - digits) : -1;
}

static bool decode64(const char *text, struct blob *out)
{
    uint32_t bits = 0;
    unsigned have = 0;
    free(out->p);
    out->len = 0;
    out->p = malloc(strlen(text) + 1);
    if (!out->p)
        return false;
    for (; *text && *text != '='; text++) {
        int d = digit64(*text);
        if (d < 0)
            return false;
        bits = bits << 6 | (uint32_t)d;
        have += 6;
        if (have >= 8) {
            have -= 8;
            out->p[out->len++] = (uint8_t)(bits >> have);
        }
    }
    return true;
}

static bool add_number(struct int_list *list, int n)
{
    list->set = true;
    if (list->count == MAX_LIST)
        return false;
    list->v[list->count++] = n;
    return true;
}

static bool set(struct options *o, const struct flag *f, const char *value)
{
    void *base = f->of_credential ? (void *)&o->cred[o->creds] : (void *)o;
    void *at = (char *)base + f->at;
    switch (f->kind) {
    case FLAG: *(bool *)at = true; return true;
    case NUMBER: *(int *)at = atoi(value); return true;
    case STRING: *(const char **)at = value; return true;
    case BASE64: return decode64(value, at);
    case NUMBERS: return add_number(at, atoi(value));
    case NONE_OF: *(struct int_list *)at = (struct int_list){.set = true}; return true;
    case CREDENTIAL: return ++o->creds < MAX_CREDENTIALS;
    case RAW_CREDENTIAL:
        if (++o->creds >= MAX_CREDENTIALS)
            return false;
        o->cred[o->creds].raw = true;
        return true;
    case IGNORED:
    case IGNORED_ARG: return true;
    }
    return false;
}

static bool takes_value(const struct flag *f)
{
    return f->kind != FLAG && f->kind != NONE_OF && f->kind != CREDENTIAL &&
           f->kind != RAW_CREDENTIAL && f->kind != IGNORED;
}

static bool begins(const char **name, const char *prefix)
{
    size_t n = strlen(prefix);
    if (strncmp(*name, prefix, n) != 0)
        return false;
    *name += n;
    return true;
}

/* What handfast or the shim cannot do with a flag that both know. */
static const char *beyond(const struct options *o)
{
    for (size_t i = 0; i <= o->creds; i++) {
        if (o->cred[i].must_match_issuer)
            return "-must-match-issuer";
        if (i > 0 && o->cred[i].signing_prefs.set)
            return "-signing-prefs of one of several credentials";
    }
    if (o->cipher && strcmp(o->cipher, "3DES") == 0)
        return "-cipher 3DES";
    if (o->read_with_unfinished_write && o->enable_early_data)
        return "-read-with-unfinished-write of early data";
    if (o->forbid_renegotiation)
        return "-forbid-renegotiation-after-handshake";
    if (o->server && o->expect_no_server_name)
        return "-expect-no-server-name";
    return NULL;
}

/* Which of the three an option is for. */
static void target(const char **name, struct options *all[3])
{
    static const char *const prefix[3] = {"on-initial-", "on-resume-", "on-retry-"};
    if (begins(name, "on-handshaker-")) {
        all[0] = all[1] = all[2] = NULL;
        return;
    }
    for (int i = 0; i < 3; i++) {
        if (!begins(name, prefix[i]))
            continue;
        for (int k = 0; k < 3; k++)
            all[k] = k == i ? all[k] : NULL;
        return;
    }
    (void)begins(name, "on-shim-");
}

int options_parse(int argc, char **argv, struct options *first, struct options *resume,
                  struct options *retry)
{
    memset(first, 0, sizeof *first);
    first->initial_write = "hello";
    first->repeat_initial_write = 1;
    memcpy(resume, first, sizeof *resume);
    memcpy(retry, first, sizeof *retry);
    for (int i = 1; i < argc; i++) {
        struct options *all[3] = {first, resume, retry};
        const char *name = argv[i];
        if (!begins(&name, "-"))
            return 1;
        target(&name, all);
        const struct flag *f = find(name);
        if (!f) {
            printf("%s is not implemented\n", argv[i]);
            return 89;
        }
        const char *value = takes_value(f) ? argv[++i] : NULL;
        if (takes_value(f) && !value)
            return 1;
        for (int k = 0; k < 3; k++) {
            if (all[k] && !set(all[k], f, value))
                return 1;
        }
    }
    const char *why = beyond(first);
    if (!why)
        why = beyond(resume);
    if (why)
        printf("%s is not implemented\n", why);
    return why ? 89 : 0;
}

void options_free(struct options *o)
{
    for (size_t i = 0; i <= o->creds; i++) {
        free(o->cred[i].ocsp_response.p);
        free(o->cred[i].scts.p);
    }
    free(o->ticket_key.p);
    free(o->expect_ocsp.p);
    free(o->expect_scts.p);
    free(o->expect_raw_key.p);
    free(o->expect_certificate_types.p);
}
