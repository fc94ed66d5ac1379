/* test_names.c: numbers with names. test/interop/python_ssl.py compares them with those of Python's ssl. */
#include <stdio.h>

#include "check.h"
#include "handfast_names.h"

/* IANA's registry of TLS alerts, with what is reserved. */
static const struct {
    int number;
    const char *name;
} registry[] = {
    {0, "close_notify"},
    {10, "unexpected_message"},
    {20, "bad_record_mac"},
    {21, "decryption_failed"},
    {22, "record_overflow"},
    {30, "decompression_failure"},
    {40, "handshake_failure"},
    {41, "no_certificate"},
    {42, "bad_certificate"},
    {43, "unsupported_certificate"},
    {44, "certificate_revoked"},
    {45, "certificate_expired"},
    {46, "certificate_unknown"},
    {47, "illegal_parameter"},
    {48, "unknown_ca"},
    {49, "access_denied"},
    {50, "decode_error"},
    {51, "decrypt_error"},
    {52, "too_many_cids_requested"},
    {60, "export_restriction"},
    {70, "protocol_version"},
    {71, "insufficient_security"},
    {80, "internal_error"},
    {86, "inappropriate_fallback"},
    {90, "user_canceled"},
    {100, "no_renegotiation"},
    {109, "missing_extension"},
    {110, "unsupported_extension"},
    {111, "certificate_unobtainable"},
    {112, "unrecognized_name"},
    {113, "bad_certificate_status_response"},
    {114, "bad_certificate_hash_value"},
    {115, "unknown_psk_identity"},
    {116, "certificate_required"},
    {117, "general_error"},
    {120, "no_application_protocol"},
    {121, "ech_required"},
};

static void test_alerts(void)
{
    ROW("Y79");
    size_t next = 0, count = sizeof registry / sizeof registry[0];
    for (int i = 0; i < 255; i++) {
        bool known = next < count && registry[next].number == i;
        CHECK_STR(hf_alert_name((uint8_t)i), known ? registry[next].name : "unknown");
        if (known)
            CHECK_INT(hf_alert_number(registry[next++].name), i);
    }
    CHECK_INT(next, count);
    CHECK_INT(hf_alert_number("CERTIFICATE_REQUIRED"), HF_ALERT_CERTIFICATE_REQUIRED);
    CHECK_INT(hf_alert_number("ech_required"), HF_ALERT_ECH_REQUIRED);
    CHECK_INT(hf_alert_number("No_Application_Protocol"), HF_ALERT_NO_APPLICATION_PROTOCOL);
    CHECK_INT(hf_alert_number("unknown"), -1);
    CHECK_INT(hf_alert_number("handshake"), -1);
    CHECK_INT(hf_alert_number(""), -1);
    CHECK_INT(hf_alert_number(NULL), -1);
}

static void test_versions(void)
{
    ROW("Y80 Y100");
    CHECK_INT(HF_VERSION_MINIMUM_SUPPORTED, -2);
    CHECK_INT(HF_VERSION_MAXIMUM_SUPPORTED, -1);
    CHECK_INT(HF_SSL3_0, 768);
    CHECK_INT(HF_TLS1_0, 769);
    CHECK_INT(HF_TLS1_1, 770);
    CHECK_INT(HF_TLS1_2, 771);
    CHECK_INT(HF_TLS1_3, 772);
    CHECK_STR(hf_version_token(HF_SSL3_0), "SSLv3");
    CHECK_STR(hf_version_token(HF_TLS1_0), "TLSv1");
    CHECK_STR(hf_version_token(HF_TLS1_1), "TLSv1.1");
    CHECK_STR(hf_version_token(HF_TLS1_2), "TLSv1.2");
    CHECK_STR(hf_version_token(HF_TLS1_3), "TLSv1.3");
    CHECK(hf_version_token(0) == NULL); /* before the handshake */
    CHECK(hf_version_token(0x0305) == NULL);
}

static void test_error_numbers(void)
{
    ROW("Y21");
    hf_error err = {0};
    CHECK_INT(hf_error_number(HF_DONE, NULL), HF_NUMBER_NONE);
    CHECK_INT(hf_error_number(HF_WANT_INPUT, NULL), 2);
    CHECK_INT(hf_error_number(HF_WANT_OUTPUT, NULL), 3);
    CHECK_INT(hf_error_number(HF_WANT_ANSWER, NULL), 4);
    CHECK_INT(hf_error_number(HF_CLOSED, NULL), 6);
    CHECK_INT(hf_error_number(HF_FAILED, NULL), 1);
    err.code = HF_E_BAD_SIGNATURE;
    CHECK_INT(hf_error_number(HF_FAILED, &err), 1);
    err.code = HF_E_TRUNCATED;
    CHECK_INT(hf_error_number(HF_FAILED, &err), 8);
    err.code = HF_E_HANDSHAKE_CUT;
    CHECK_INT(hf_error_number(HF_FAILED, &err), 8);
    err.code = HF_E_SYSTEM;
    err.os_errno = 104;
    CHECK_INT(hf_error_number(HF_FAILED, &err), 5);
    CHECK_INT(hf_error_number((hf_result)77, &err), 10);
    CHECK_STR(hf_error_number_name(0), "NONE");
    CHECK_STR(hf_error_number_name(1), "SSL");
    CHECK_STR(hf_error_number_name(2), "WANT_READ");
    CHECK_STR(hf_error_number_name(3), "WANT_WRITE");
    CHECK_STR(hf_error_number_name(4), "WANT_X509_LOOKUP");
    CHECK_STR(hf_error_number_name(5), "SYSCALL");
    CHECK_STR(hf_error_number_name(6), "ZERO_RETURN");
    CHECK_STR(hf_error_number_name(7), "WANT_CONNECT");
    CHECK_STR(hf_error_number_name(8), "EOF");
    CHECK_STR(hf_error_number_name(9), "UNKNOWN");
    CHECK_STR(hf_error_number_name(10), "INVALID_ERROR_CODE");
}

static void reason(hf_code code, const char *library, const char *text)
{
    hf_error err = {.code = code};
    CHECK_STR(hf_error_library(&err), library);
    CHECK_STR(hf_error_reason(&err), text);
}

static void test_reasons(void)
{
    ROW("Y13");
    reason(HF_E_UNTRUSTED, "SSL", "CERTIFICATE_VERIFY_FAILED");
    reason(HF_E_WRONG_VERSION_NUMBER, "SSL", "WRONG_VERSION_NUMBER");
    reason(HF_E_NO_SHARED_SUITE, "SSL", "NO_SHARED_CIPHER");
    reason(HF_E_TRUNCATED, "SSL", "UNEXPECTED_EOF_WHILE_READING");
    reason(HF_E_UNSAFE_RENEGOTIATION, "SSL", "UNSAFE_LEGACY_RENEGOTIATION_DISABLED");
    reason(HF_E_KEY_MISMATCH, "X509", "KEY_VALUES_MISMATCH");
    reason(HF_E_PASSPHRASE, "PEM", "BAD_PASSWORD_READ");
    reason(HF_E_PEM, "SSL", "PEM_LIB");
    reason(HF_E_CONFIG, "", "");
    reason(HF_E_URL, "", "");
    reason(HF_OK, "", "");
    reason((hf_code)100000, "", "");
    CHECK_STR(hf_error_reason(NULL), "");
    hf_error file = {0}; /* and the system's error beside it */
    hf_trust *trust = hf_trust_new();
    CHECK(!hf_trust_add_file(trust, "/nowhere/ca.pem", &file));
    CHECK_INT(file.os_errno, 2);
    CHECK_INT(file.fault, HF_FAULT_CONFIG);
    hf_trust_free(trust);
    hf_error err = {.code = HF_E_ALERT_RECEIVED, .alert_received = true, .alert = 48};
    CHECK_STR(hf_error_library(&err), "SSL");
    CHECK_STR(hf_error_reason(&err), "TLSV1_ALERT_UNKNOWN_CA");
    err.alert = 40;
    CHECK_STR(hf_error_reason(&err), "SSLV3_ALERT_HANDSHAKE_FAILURE");
    err.alert = 200;
    CHECK_STR(hf_error_reason(&err), "");
    /* what a peer can cause has a word of OpenSSL's */
    for (int i = 1; i < HF_E_COUNT; i++) {
        hf_error e = {.code = (hf_code)i};
        if (strncmp(hf_code_name((hf_code)i), "BAD_OCSP", 8) == 0 ||
            strcmp(hf_code_name((hf_code)i), "NO_OCSP") == 0 || i == HF_E_ALERT_RECEIVED)
            continue;
        err = e;
        CHECK(hf_error_reason(&e) != NULL);
    }
}

/* What a program that gets no further is told: to wait and for what, or what is wrong and what to do. */
static void test_results(void)
{
    ROW("C58");
    hf_error err = {0};
    char line[600];
    CHECK_STR(hf_result_name(HF_WANT_INPUT), "WANT_INPUT");
    CHECK(strstr(hf_result_sentence(HF_WANT_INPUT), "wait until its socket is readable") !=
          NULL);
    CHECK(strstr(hf_result_sentence(HF_WANT_OUTPUT), "wait until its socket is writable") !=
          NULL);
    CHECK(strstr(hf_result_sentence(HF_WANT_ANSWER), "hf_conn_question()") != NULL);
    CHECK(strstr(hf_result_sentence(HF_FAILED), "hf_conn_error()") != NULL);
    CHECK_STR(hf_result_name(HF_CLOSED), "CLOSED");
    CHECK_STR(hf_result_name((hf_result)6), "UNKNOWN");
    CHECK(hf_result_sentence((hf_result)-1) != NULL);
    /* the classic: accept always fails, because there is no certificate */
    hf_config *config = hf_config_new(HF_SERVER);
    CHECK(!hf_conn_new_server(config, &err));
    (void)hf_error_line(&err, line, sizeof line);
    CHECK(strstr(line, "a server needs a certificate and its key") != NULL);
    CHECK(strstr(line, "hf_config_add_credential()") != NULL);
    hf_config_free(config);
    /* and a failure on the way says who has found what: alerts are told by name */
    err = (hf_error){.code = HF_E_ALERT_RECEIVED, .alert = 40, .alert_received = true};
    (void)hf_error_line(&err, line, sizeof line);
    CHECK(strstr(line, "handshake_failure") != NULL);
}

static void test_bindings(void)
{
    ROW("Y78");
    CHECK_STR(hf_binding_name(0), "tls-unique");
    CHECK_STR(hf_binding_name(1), "tls-server-end-point");
    CHECK_STR(hf_binding_name(2), "tls-exporter");
    CHECK(hf_binding_name(3) == NULL && hf_binding_name(-1) == NULL);
    CHECK_INT(hf_binding_type("tls-unique"), HF_BINDING_UNIQUE);
    CHECK_INT(hf_binding_type("tls-server-end-point"), HF_BINDING_SERVER_END_POINT);
    CHECK_INT(hf_binding_type("tls-exporter"), HF_BINDING_EXPORTER);
    CHECK_INT(hf_binding_type("tls-nothing"), -1);
    CHECK_INT(hf_binding_type(NULL), -1);
}

static void test_features(void)
{
    ROW("Y77 Y23 Y01");
    static const char *const yes[] = {"ALPN",      "NEVER_CHECK_COMMON_NAME",
                                      "ECDH",      "SNI",
                                      "TLSv1",     "TLSv1_1",
                                      "TLSv1_2",   "TLSv1_3",
                                      "PSK",       "PHA",
                                      "PSK_TLS13", "EARLY_DATA",
                                      "KEY_UPDATE"};
    size_t said = 0, count = 0;
    for (int i = 0; hf_feature_name((hf_feature)i); i++, count++) {
        bool expected = false;
        for (size_t k = 0; k < sizeof yes / sizeof yes[0]; k++)
            expected = expected || strcmp(yes[k], hf_feature_name((hf_feature)i)) == 0;
        CHECK(hf_have((hf_feature)i) == expected);
        said += expected;
    }
    CHECK_INT(said, sizeof yes / sizeof yes[0]);
    CHECK_INT(count, HF_HAVE_COUNT);
    CHECK(!hf_have(HF_HAVE_NPN) && !hf_have(HF_HAVE_SSL2) && !hf_have(HF_HAVE_SSL3));
    CHECK(!hf_have(HF_HAVE_COUNT) && !hf_have((hf_feature)-1));
}

static void test_library_versions(void)
{
    ROW("Y03 Y01 Y164");
    int info[5];
    char text[64];
    CHECK_INT(hf_version_number(), HF_VERSION_NUMBER);
    (void)snprintf(text, sizeof text, "handfast %d.%d.%d, ", HF_VERSION_MAJOR, HF_VERSION_MINOR,
                   HF_VERSION_PATCH);
    CHECK(strncmp(hf_version_string(), text, strlen(text)) == 0);
    CHECK_STR(hf_version_string() + strlen(text), hf_crypto_version_string());
    hf_crypto_version_info(info);
    CHECK(hf_crypto_version_number() >= 0x30000000UL);
    CHECK_INT(info[0], hf_crypto_version_number() >> 28);
    (void)snprintf(text, sizeof text, "OpenSSL %d.%d.%d", info[0], info[1],
                   info[2] ? info[2] : info[3]);
    CHECK(strncmp(hf_crypto_version_string(), text, strlen(text)) == 0);
}

int main(void)
{
    RUN(test_alerts);
    RUN(test_versions);
    RUN(test_error_numbers);
    RUN(test_reasons);
    RUN(test_results);
    RUN(test_bindings);
    RUN(test_features);
    RUN(test_library_versions);
    return check_done();
}
