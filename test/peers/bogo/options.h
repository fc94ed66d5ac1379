/* options.h: what the runner asks of the shim for one connection. */
#ifndef BOGO_OPTIONS_H
#define BOGO_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define MAX_LIST 32

struct blob {
    uint8_t *p;
    size_t len;
};

struct int_list {
    bool set; /* there may be a list that is empty */
    size_t count;
    int v[MAX_LIST];
};

/* A certificate and its key. */
struct credential_options {
    const char *cert_file, *key_file;
    struct blob ocsp_response, scts;
    struct int_list signing_prefs;
    bool must_match_issuer;
    bool raw; /* key_file alone */
};

#define MAX_CREDENTIALS 8

struct options {
    int port, resume_count;
    const char *shim_id;
    bool ipv6, server, async, handshaker_question;

    /* credentials */
    /* the first: what is set without naming one */
    struct credential_options cred[MAX_CREDENTIALS];
    size_t creds; /* how many besides the first */
    bool use_early_callback, use_old_client_cert_callback;

    /* settings */
    int min_version, max_version;
    bool no_tls10, no_tls11, no_tls12, no_tls13;
    struct int_list verify_prefs, curves, key_shares, groups_hint, peer_verify_prefs;
    const char *cipher, *host_name, *advertise_alpn, *select_alpn, *trust_cert;
    bool decline_alpn, reject_alpn, no_ticket, server_preference;
    bool require_any_client_certificate, verify_peer, verify_fail, custom_verify;
    bool enable_ocsp_stapling, enable_scts, reverify_on_resume;
    bool renegotiate_once, renegotiate_freely, renegotiate_ignore, forbid_renegotiation;
    bool false_start, fallback_scsv, no_legacy_server_connect;
    const char *psk, *psk_identity, *client_ca_list;
    int resumption_delay;

    /* what is done */
    bool implicit_handshake, no_op_extra_handshake, handshake_twice;
    bool shim_writes_first, shim_shuts_down, check_close_notify, write_different_record_sizes;
    bool read_with_unfinished_write, fail_cert_callback, fail_early_callback;
    bool send_alert;
    const char *initial_write;
    int repeat_initial_write, read_size, max_send_fragment;
    bool key_update, key_update_before_read;
    int export_len;
    const char *export_label, *export_context;
    bool use_export_context, use_exporter_between_reads, export_traffic_secrets;

    /* what is expected */
    int expect_version, expect_cipher, expect_curve, expect_signature;
    const char *expect_server_name, *expect_alpn, *expect_advertised_alpn, *expect_cert_file;
    struct blob expect_ocsp;
    bool expect_hrr, expect_no_hrr, expect_session_miss, expect_no_session, expect_no_peer_cert;
    bool expect_verify_result, expect_no_server_name, expect_ticket_renewal;
    bool expect_session_id, expect_no_session_id, expect_ems, expect_secure, expect_not_secure;
    bool handshake_never_done;
    bool enable_early_data, expect_early_accepted, expect_early_refused, expect_no_early_offer;
    bool expect_early_ticket;
    int expect_renegotiations, expect_cipher_aes;
    struct blob expect_scts, expect_certificate_types, expect_raw_key;
    struct int_list peer_cert_types, own_cert_types, expect_cert_type; /* RFC 7250 */
    const char *expect_messages, *expect_ca_list;
    int max_cert_list, install_compressor;
    bool install_compressors;
    bool use_ticket_callback, renew_ticket, skip_ticket;
    struct blob ticket_key;
    bool no_server_name_ack, select_empty_alpn;
    struct int_list curves_flags;
    int expect_age_skew;
};

/* options_parse reads the command line into first and resume; retry is for what follows early data that was
 * refused. 0: read; 89: it asks for
 * something that the shim or handfast does not do, which is said on stdout; 1: it is wrong. */
int options_parse(int argc, char **argv, struct options *first, struct options *resume,
                  struct options *retry);

/* options_free frees what options_parse has decoded. */
void options_free(struct options *o);

#endif
