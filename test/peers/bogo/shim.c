/* shim.c: handfast as BoringSSL's protocol test runner wants to drive a library: one process
 * for each test, told by flags what to do and what to expect. Exit status 0: as expected; 1:
 * not, or the connection failed; 88: an allocation was made to fail; 89: the test wants what
 * handfast or this program does not do. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "connection/conn.h" /* for -export-traffic-secrets and -send-alert */
#include "link.h"
#include "setup.h"

/* ---- saying what went wrong, in the runner's words */

static const char *code_name(hf_code code)
{
    switch (code) {
#define HF_ERROR(name, fault, alert, rfc, sentence, hint, reason, bogo)                        \
    case HF_E_##name:                                                                          \
        return bogo;
#include "handfast_errors.def"
#undef HF_ERROR
    case HF_OK:
    case HF_E_COUNT: break;
    }
    return "OK";
}

static const char *alert_name(uint8_t alert)
{
    static const struct {
        uint8_t alert;
        const char *name;
    } names[] = {
        {10, "SSLV3_ALERT_UNEXPECTED_MESSAGE"},
        {20, "SSLV3_ALERT_BAD_RECORD_MAC"},
        {22, "TLSV1_ALERT_RECORD_OVERFLOW"},
        {30, "SSLV3_ALERT_DECOMPRESSION_FAILURE"},
        {40, "SSLV3_ALERT_HANDSHAKE_FAILURE"},
        {42, "SSLV3_ALERT_BAD_CERTIFICATE"},
        {43, "SSLV3_ALERT_UNSUPPORTED_CERTIFICATE"},
        {44, "SSLV3_ALERT_CERTIFICATE_REVOKED"},
        {45, "SSLV3_ALERT_CERTIFICATE_EXPIRED"},
        {46, "SSLV3_ALERT_CERTIFICATE_UNKNOWN"},
        {47, "SSLV3_ALERT_ILLEGAL_PARAMETER"},
        {48, "TLSV1_ALERT_UNKNOWN_CA"},
        {49, "TLSV1_ALERT_ACCESS_DENIED"},
        {50, "TLSV1_ALERT_DECODE_ERROR"},
        {51, "TLSV1_ALERT_DECRYPT_ERROR"},
        {70, "TLSV1_ALERT_PROTOCOL_VERSION"},
        {71, "TLSV1_ALERT_INSUFFICIENT_SECURITY"},
        {80, "TLSV1_ALERT_INTERNAL_ERROR"},
        {109, "TLSV1_ALERT_MISSING_EXTENSION"},
        {110, "TLSV1_ALERT_UNSUPPORTED_EXTENSION"},
        {112, "TLSV1_ALERT_UNRECOGNIZED_NAME"},
        {116, "TLSV1_ALERT_CERTIFICATE_REQUIRED"},
        {120, "TLSV1_ALERT_NO_APPLICATION_PROTOCOL"},
    };
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        if (names[i].alert == alert)
            return names[i].name;
    }
    return "UNKNOWN_ALERT";
}

static void print_error(const hf_error *err)
{
    char line[1024];
    hf_error_line(err, line, sizeof line);
    bool alert = err->code == HF_E_ALERT_RECEIVED && err->alert_received;
    fprintf(stderr, "error:%s:\n%s\n", alert ? alert_name(err->alert) : code_name(err->code),
            line);
}

static void print_setup_error(const hf_error *err, const hf_config *config)
{
    if (!err->code)
        err = hf_config_error(config);
    if (err)
        print_error(err);
    else
        fprintf(stderr, "the configuration cannot be made\n");
}

static bool failed(const hf_conn *conn)
{
    const hf_error *err = hf_conn_error(conn);
    const struct run *run = hf_conn_user(conn);
    if (run->refusal)
        fprintf(stderr, "error:%s:\n", run->refusal);
    else if (err)
        print_error(err);
    else
        fprintf(stderr, "failed without an error\n");
    return false;
}

static bool differs(const char *what)
{
    fprintf(stderr, "%s is not as expected\n", what);
    return false;
}

/* ---- what was agreed */

static bool same_blob(const struct blob *want, const uint8_t *p, size_t len)
{
    return len == want->len && (len == 0 || memcmp(want->p, p, len) == 0);
}

static bool check_certificates(const struct run *run, const hf_conn *conn)
{
    const struct options *o = run->o;
    bool have = hf_conn_peer_key_sha256(conn) != NULL;
    bool none = o->expect_no_peer_cert || o->psk;
    if (none && have)
        return differs("a certificate of the peer");
    if (!none && (!o->server || o->require_any_client_certificate) && !have)
        return differs("that the peer has no certificate");
    if (o->expect_cert_type.set &&
        (int)hf_conn_peer_certificate_type(conn) != o->expect_cert_type.v[0])
        return differs("the type of the peer's certificate");
    if (!o->expect_cert_file)
        return true;
    hf_credential *want =
        hf_credential_load_files(o->expect_cert_file, o->expect_cert_file, NULL, NULL, NULL);
    for (size_t i = 0; want; i++) {
        const hf_certificate *a = hf_credential_certificate(want, i);
        const hf_certificate *b = hf_conn_peer_certificate(conn, i);
        if (!a && !b)
            break;
        if (!a || !b || memcmp(hf_certificate_sha256(a), hf_certificate_sha256(b), 32) != 0) {
            hf_credential_free(want);
            return differs("the peer's chain");
        }
    }
    hf_credential_free(want);
    return true;
}

static bool check_names(const struct options *o, const hf_conn *conn)
{
    size_t len;
    const uint8_t *alpn = hf_conn_alpn(conn, &len);
    const char *want = o->server ? o->select_alpn : o->expect_alpn;
    if (!want)
        want = "";
    if (o->decline_alpn)
        want = "";
    if (len != strlen(want) || (len && memcmp(alpn, want, len) != 0))
        return differs("the application protocol");
    const char *name = hf_conn_server_name(conn);
    if (o->expect_server_name && (!name || strcmp(name, o->expect_server_name) != 0))
        return differs("the server name");
    return true;
}

static bool check_numbers(const struct options *o, const hf_conn *conn)
{
    if (o->expect_version && hf_conn_version(conn) != o->expect_version)
        return differs("the version");
    if (o->expect_cipher && hf_conn_suite(conn) != o->expect_cipher)
        return differs("the cipher suite");
    if (o->expect_cipher_aes && hf_conn_suite(conn) != o->expect_cipher_aes)
        return differs("the cipher suite of a machine with AES in hardware");
    if (o->expect_curve && hf_conn_group(conn) != o->expect_curve)
        return differs("the group");
    if (o->expect_signature && !hf_conn_resumed(conn) &&
        hf_conn_signature(conn) != o->expect_signature)
        return differs("the signature algorithm");
    if ((o->expect_hrr && !hf_conn_retried(conn)) ||
        (o->expect_no_hrr && hf_conn_retried(conn)))
        return differs("whether there was a HelloRetryRequest");
    return true;
}

/* What must not change in a renegotiation either. */
static bool check_identity(const struct run *run, const hf_conn *conn)
{
    const struct options *o = run->o;
    size_t len;
    const uint8_t *ocsp = hf_conn_peer_ocsp(conn, &len);
    if (o->expect_ocsp.p && !same_blob(&o->expect_ocsp, ocsp, len))
        return differs("the OCSP response");
    const uint8_t *scts = hf_conn_peer_scts(conn, &len);
    if (o->expect_scts.p && !same_blob(&o->expect_scts, scts, len))
        return differs("the list of signed certificate timestamps");
    return check_certificates(run, conn);
}

static bool check_signals(const struct options *o, const hf_conn *conn)
{
    if (o->expect_ems && !hf_conn_ems(conn))
        return differs("extended_master_secret");
    if ((o->expect_secure && !hf_conn_secure_renegotiation(conn)) ||
        (o->expect_not_secure && hf_conn_secure_renegotiation(conn)))
        return differs("whether renegotiation is secure");
    return true;
}

static bool check_agreed(const struct run *run, const hf_conn *conn, bool resume)
{
    const struct options *o = run->o;
    if (hf_conn_resumed(conn) != (resume && !o->expect_session_miss))
        return differs(hf_conn_resumed(conn) ? "that the session was resumed"
                                             : "that the session was not resumed");
    /* A resumed connection has the verdict of the one that it resumes. */
    bool judged = !resume && hf_conn_peer_certificate(conn, 0);
    if (o->expect_verify_result && judged &&
        (!run->verified || run->accepted == o->verify_fail))
        return differs("the verdict on the chain");
    return check_identity(run, conn) && check_names(o, conn) && check_numbers(o, conn) &&
           check_signals(o, conn);
}

/* Before TLS 1.3 a session comes at the end of the handshake, and never later. */
static bool check_session12(struct run *run, const hf_conn *conn, bool resume, bool started)
{
    const struct options *o = run->o;
    if (o->server && !resume && (o->expect_session_id || o->expect_no_session_id) &&
        run->new_session != o->expect_session_id)
        return differs("whether the session is kept by its ID");
    if (o->server || started || hf_conn_version(conn) >= HF_TLS1_3)
        return true;
    bool want = !o->expect_no_session && (!hf_conn_resumed(conn) || o->expect_ticket_renewal);
    if (run->new_session != want)
        return differs(want ? "that no session came" : "that a session came");
    run->new_session = false;
    return true;
}

/* ---- what is done */

static bool send_all(struct link *l, const void *data, size_t len)
{
    if (link_send(l, data, len) == HF_DONE)
        return true;
    if (l->write_failed)
        fprintf(stderr, "the peer takes no more data\n");
    else
        failed(l->conn);
    return false;
}

static bool export_key(struct link *l, const struct options *o)
{
    uint8_t out[1024];
    hf_error err;
    const char *given = o->export_context ? o->export_context : "";
    const char *context = o->use_export_context ? given : NULL;
    if (o->export_len > (int)sizeof out ||
        !hf_conn_export(l->conn, o->export_label ? o->export_label : "",
                        (const uint8_t *)context, context ? strlen(context) : 0, out,
                        (size_t)o->export_len, &err)) {
        print_error(&err);
        return false;
    }
    return send_all(l, out, (size_t)o->export_len);
}

static bool export_secrets(struct link *l)
{
    const struct established *e = &l->conn->est;
    uint16_t len = (uint16_t)hash_size(e->suite->hash);
    return send_all(l, &len, sizeof len) && send_all(l, e->read_secret, len) &&
           send_all(l, e->write_secret, len);
}

/* -send-alert: a fatal alert that handfast itself never has a reason to send. */
static bool send_alert(struct link *l)
{
    static const uint8_t alert[2] = {2, 30};
    uint8_t record[64];
    size_t len = rec_seal(&l->conn->out, REC_ALERT, HF_TLS1_2, alert, sizeof alert, record);
    if (!len || !link_put(l, record, len))
        return differs("that the alert cannot be sealed");
    link_flush(l);
    return true;
}

static bool write_first(struct link *l, const struct options *o, size_t sent)
{
    static uint8_t many[32769];
    static const size_t sizes[] = {0,     1,     255,   256,   257,  16383,
                                   16384, 16385, 32767, 32768, 32769};
    memset(many, 0x42, sizeof many);
    for (size_t i = 0; o->write_different_record_sizes && i < sizeof sizes / sizeof *sizes;
         i++) {
        if (!send_all(l, many, sizes[i]))
            return false;
    }
    if (o->read_with_unfinished_write) {
        l->hold = true;
        return send_all(l, o->initial_write, strlen(o->initial_write));
    }
    size_t len = strlen(o->initial_write); /* what went out as early data is not said again */
    for (int i = 0; o->shim_writes_first && i < o->repeat_initial_write; i++) {
        size_t done = sent < len ? sent : len;
        sent -= done;
        if ((done < len || !len) && !send_all(l, o->initial_write + done, len - done))
            return false;
    }
    return true;
}

static bool update_key(struct link *l)
{
    return hf_conn_key_update(l->conn, false) == HF_DONE ? true : failed(l->conn);
}

static bool echo(struct link *l, const struct options *o)
{
    size_t most = o->read_size > 0 ? (size_t)o->read_size : 512;
    size_t n = l->data_len < most ? l->data_len : most;
    uint8_t *p = l->data + l->data_at;
    l->data_at += n;
    l->data_len -= n;
    for (size_t i = 0; i < n; i++)
        p[i] ^= 0xff;
    l->hold = false;
    if (o->key_update && !update_key(l))
        return false;
    return send_all(l, p, n);
}

/* Echoes until the peer ends. The end of the transport will do, unless -check-close-notify. */
static bool serve(struct link *l, const struct options *o)
{
    for (;;) {
        if (o->key_update_before_read && !l->data_len &&
            !(hf_conn_wants(l->conn) & HF_IN_HANDSHAKE) && !update_key(l))
            return false;
        hf_result r = HF_DONE;
        while (!l->data_len && r == HF_DONE)
            r = link_step(l);
        if (r == HF_CLOSED)
            return true;
        if (r == HF_FAILED) {
            const hf_error *err = hf_conn_error(l->conn);
            if (err && err->code == HF_E_TRUNCATED && !o->check_close_notify)
                return true;
            return failed(l->conn);
        }
        if (!echo(l, o))
            return false;
    }
}

/* With -check-close-notify both sides must say goodbye; without, nothing is said. */
static bool shut_down(struct link *l, const struct options *o)
{
    if (!o->check_close_notify)
        return true;
    hf_conn_close(l->conn);
    link_flush(l);
    if (!o->shim_shuts_down)
        return true;
    hf_result r = HF_DONE;
    while (r == HF_DONE && !l->data_len)
        r = link_step(l);
    if (l->data_len) {
        fprintf(stderr, "error:APPLICATION_DATA_ON_SHUTDOWN:\n");
        return false;
    }
    return r == HF_CLOSED ? true : failed(l->conn);
}

static bool send_early(struct link *l, const struct options *o, size_t *sent)
{
    static uint8_t out[4 * HF_RECORD_MAX];
    size_t taken, written, len = strlen(o->initial_write);
    for (int i = 0; i < o->repeat_initial_write; i++) {
        size_t room = hf_conn_early_room(l->conn);
        if (!room)
            break;
        if (hf_conn_send_early(l->conn, (const uint8_t *)o->initial_write,
                               len < room ? len : room, &taken, out, sizeof out,
                               &written) != HF_DONE ||
            !link_put(l, out, written))
            return differs("that early data cannot be sent");
        *sent += taken;
    }
    link_flush(l);
    return true;
}

/* A client that resumes may begin before the handshake has. */
static bool begin_early(struct link *l, struct run *run, bool resume)
{
    const struct options *o = run->o;
    if (o->server || !resume)
        return true;
    bool offered = hf_conn_early_data(l->conn) == HF_EARLY_OFFERED;
    if (offered && o->expect_no_early_offer)
        return differs("that early data is offered");
    if (offered && o->export_len && !export_key(l, o)) /* too early */
        return false;
    return !offered || !o->shim_writes_first || send_early(l, o, &run->early_sent);
}

/* From the refusal of early data on, the runner's expectations are other ones. */
static bool check_early(const struct link *l, struct run *run)
{
    hf_early early = hf_conn_early_data(l->conn);
    if (run->o->expect_early_accepted && early != HF_EARLY_ACCEPTED)
        return differs("that early data was not accepted");
    if (run->o->expect_early_refused && early == HF_EARLY_ACCEPTED)
        return differs("that early data was accepted");
    if (early == HF_EARLY_REFUSED && !run->o->server) {
        run->o = run->retry;
        run->early_sent = 0;
    }
    return true;
}

static bool handshake(struct link *l, struct run *run, bool resume)
{
    const struct options *o = run->o;
    bool early = o->server && resume && o->expect_early_accepted;
    bool falsely = (o->false_start && !resume) || early;
    if (link_handshake(l, falsely) != HF_DONE)
        return failed(l->conn);
    bool done = !(hf_conn_wants(l->conn) & HF_IN_HANDSHAKE);
    if (done && o->handshake_never_done)
        return differs("that the handshake ended");
    if (early)
        return true;
    if (!check_early(l, run))
        return false;
    o = run->o;
    /* hf_conn says what was agreed when the handshake is over. */
    if (falsely || o->implicit_handshake)
        return falsely ? !done || differs("that the client waited for the server's Finished")
                       : true;
    return check_agreed(run, l->conn, resume) && check_session12(run, l->conn, resume, false);
}

static bool check_end(struct link *l, struct run *run, bool resume)
{
    const struct options *o = run->o;
    bool old = hf_conn_version(l->conn) < HF_TLS1_3,
         late = o->implicit_handshake || o->false_start ||
                (o->server && resume && o->expect_early_accepted);
    if (late && !check_early(l, run))
        return false;
    if (o->server && resume && hf_conn_ticket_age_skew(l->conn) != o->expect_age_skew)
        return differs("the skew of the ticket's age");
    bool early_ticket = run->session && hf_session_max_early_data(run->session) > 0;
    if (!o->server && run->new_session && early_ticket != o->expect_early_ticket)
        return differs("whether the ticket allows early data");
    if (late &&
        (!check_agreed(run, l->conn, resume) || !check_session12(run, l->conn, resume, false)))
        return false;
    bool want = !old && !o->expect_no_session && !o->shim_shuts_down;
    if (!o->server && !o->expect_renegotiations && run->new_session != want)
        return differs(want ? "that no session came" : "that a session came late");
    if (l->conn->est.renegotiations != o->expect_renegotiations)
        return differs("the number of renegotiations");
    return !o->expect_renegotiations || check_identity(run, l->conn);
}

static bool exchange(struct link *l, struct run *run, bool resume)
{
    const struct options *o = run->o;
    link_flush(l);
    if (!begin_early(l, run, resume))
        return false;
    if (!o->implicit_handshake || o->shim_writes_first || o->export_len || o->shim_shuts_down ||
        o->send_alert || o->read_with_unfinished_write || o->write_different_record_sizes) {
        if (!handshake(l, run, resume))
            return false;
    }
    if (o->handshake_twice && o->false_start && link_handshake(l, false) != HF_DONE)
        return failed(l->conn);
    o = run->o; /* a refusal of early data may have changed it */
    bool early =
        hf_conn_early_data(l->conn) == HF_EARLY_ACCEPTED; /* may be within the handshake */
    if ((o->no_op_extra_handshake || o->handshake_twice) && !o->false_start && !early &&
        hf_conn_handshake(l->conn) != HF_DONE)
        return differs("that a finished handshake goes on");
    if ((o->export_len && !export_key(l, o)) ||
        (o->export_traffic_secrets && !export_secrets(l)))
        return false;
    if (o->send_alert)
        return send_alert(l);
    if (!write_first(l, o, run->early_sent) || (!o->shim_shuts_down && !serve(l, o)))
        return false;
    if (!check_end(l, run, resume) || !shut_down(l, o) || run->wrong)
        return false;
    if (o->expect_messages && strcmp(o->expect_messages, run->messages) != 0) {
        fprintf(stderr, "the messages were:\n%s", run->messages);
        return false;
    }
    return true;
}

static void answer(struct link *l, void *arg)
{
    const hf_question *q = hf_conn_question(l->conn);
    if (q)
        setup_answer(arg, l->conn, q);
}

static bool connect_once(struct run *run, hf_session *session, bool resume)
{
    const struct options *o = run->o;
    hf_error err;
    struct link *l = calloc(1, sizeof *l);
    if (!l)
        return false;
    l->bytewise = o->async;
    l->answer = answer;
    l->arg = run;
    l->conn = o->server ? hf_conn_new_server(run->config, &err)
                        : hf_conn_new_client(run->config, o->host_name, &err);
    bool ok = l->conn && link_open(l, o->port, o->ipv6, strtoull(o->shim_id, NULL, 10));
    if (l->conn)
        hf_conn_set_user(l->conn, run);
    if (ok && session)
        (void)hf_conn_set_session(l->conn, session);
    if (ok) {
        ok = exchange(l, run, resume);
        link_close(l);
    } else if (!l->conn) {
        print_error(&err);
    }
    hf_conn_free(l->conn);
    free(l);
    return ok;
}

/* Both connections' configurations have one origin, and so the same ticket keys. */
static int run_all(const struct options *first, const struct options *resume,
                   const struct options *retry)
{
    hf_config *base = hf_config_new(first->server ? HF_SERVER : HF_CLIENT);
    hf_session *session = NULL;
    int status = 0;
    for (int i = 0; i <= first->resume_count && status == 0; i++) {
        struct run run = {.o = i ? resume : first, .retry = retry};
        hf_error err = {0};
        status = setup(&run, base, &err);
        if (status == 1)
            print_setup_error(&err, run.config);
        if (status == 0 && i && !first->server && !session) {
            fprintf(stderr, "there is no session to offer\n");
            status = 1;
        }
        if (status == 0 && !connect_once(&run, session, i > 0))
            status = 1;
        if (run.session) {
            hf_session_free(session);
            session = run.session;
            run.session = NULL;
        }
        setup_clear(&run);
        setup_advance(run.o->resumption_delay);
    }
    hf_session_free(session);
    hf_config_free(base);
    return status;
}

int main(int argc, char **argv)
{
    struct options first, resume, retry;
    int status = options_parse(argc, argv, &first, &resume, &retry);
    if (status == 0 && first.handshaker_question) {
        printf("No\n");
        return 0;
    }
    signal(SIGPIPE, SIG_IGN);
    /* The runner's -malloc-test: from this allocation on, all fail. */
    const char *number = getenv("MALLOC_NUMBER_TO_FAIL");
    unsigned long fail_at = number ? mem_test_count() + strtoul(number, NULL, 10) + 1 : 0;
    if (number)
        mem_test_fail_after(fail_at);
    if (status == 0)
        status = first.shim_id ? run_all(&first, &resume, &retry) : 1;
    options_free(&first);
    options_free(&resume); /* what all have was decoded three times */
    options_free(&retry);
    if (number && mem_test_count() >= fail_at)
        status = 88; /* there may be more to fail */
    /* What a sanitizer says comes behind this line. */
    fprintf(stderr, "--- DONE ---\n");
    return status;
}
