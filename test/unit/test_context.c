/* test_context.c: configurations made and changed the way that contexts are elsewhere. What Python says of the same
 * things is compared in test/interop/python_ssl.py. */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "check.h"
#include "config/config.h"
#include "config/ticket.h"
#include "handfast_context.h"
#include "pki.h"

static struct pki *pki;

static hf_credential *credential(void)
{
    return hf_credential_load_memory(pki->bundle_pem, strlen(pki->bundle_pem), NULL, 0, NULL,
                                     NULL, NULL);
}

static hf_config *server(void)
{
    hf_config *config = hf_config_new(HF_SERVER);
    hf_credential *cred = credential();
    CHECK(hf_config_add_credential(config, cred));
    hf_credential_free(cred);
    return config;
}

/* A client that trusts nobody in particular, so that nothing is read from the machine. */
static hf_config *client(void)
{
    return hf_config_default(HF_PURPOSE_SERVER_AUTH, NULL, NULL, pki->root->pem,
                             strlen(pki->root->pem), NULL);
}

static bool says(const hf_error *err, const char *word)
{
    return strstr(err->detail, word) != NULL;
}

/* ---- made for a purpose */

static void test_purposes(void)
{
    ROW("Y04 Y10 Y11 Y106 C37");
    const unsigned rules = HF_VERIFY_TRUSTED_FIRST | HF_VERIFY_PARTIAL_CHAIN | HF_VERIFY_STRICT;
    const char *file = pki_file("ca.pem", pki->root->pem, strlen(pki->root->pem));
    hf_error err = {0};
    hf_config *c = hf_config_default(HF_PURPOSE_SERVER_AUTH, file, NULL, NULL, 0, &err);
    CHECK_INT(hf_config_role(c), HF_CLIENT);
    CHECK_INT(hf_config_verify_mode(c), HF_CERT_REQUIRED);
    CHECK(hf_config_name_check(c));
    CHECK_INT(hf_config_verify_flags(c), rules);
    CHECK_INT(hf_config_minimum_version(c), HF_TLS1_2);
    CHECK_INT(hf_config_maximum_version(c), HF_TLS1_3);
    CHECK_INT(hf_config_security_level(c), 2);
    CHECK(!config_has_keylog(c));
    CHECK(hf_config_check(c, &err));
    hf_config_free(c);

    c = hf_config_default(HF_PURPOSE_CLIENT_AUTH, NULL, NULL, pki->root->der,
                          pki->root->der_len, &err);
    CHECK_INT(hf_config_role(c), HF_SERVER);
    CHECK_INT(hf_config_verify_mode(c), HF_CERT_NONE);
    CHECK(!hf_config_name_check(c));
    CHECK_INT(hf_config_verify_flags(c), rules);
    CHECK(c->trust != NULL);
    hf_credential *cred = credential();
    CHECK(hf_config_add_credential(c, cred));
    hf_credential_free(cred);
    CHECK(hf_config_set_verify_mode(c, HF_CERT_REQUIRED));
    CHECK(hf_config_check(c, &err));
    hf_config_free(c);

    CHECK(!hf_config_default(HF_PURPOSE_SERVER_AUTH, "/nowhere/ca.pem", NULL, NULL, 0, &err));
    CHECK_INT(err.code, HF_E_FILE);
    CHECK_INT(err.os_errno, 2);
    CHECK(!hf_config_default(HF_PURPOSE_SERVER_AUTH, NULL, NULL, "no certificate", 14, &err));
    CHECK_INT(err.code, HF_E_PEM);
    CHECK(!hf_config_default(HF_PURPOSE_SERVER_AUTH, NULL, pki_folder(), NULL, 0, &err));
    CHECK(says(&err, "openssl rehash"));
    CHECK(!hf_config_default((hf_purpose)2, NULL, NULL, NULL, 0, &err));
    CHECK_INT(err.code, HF_E_USAGE);
}

/* With no anchors named, the platform's (here: those that the environment names). */
static void test_platform(void)
{
    ROW("Y06");
    hf_error err = {0};
    const char *file = pki_file("platform.pem", pki->root->pem, strlen(pki->root->pem));
    CHECK_INT(setenv("SSL_CERT_FILE", file, 1), 0);
    hf_config *c = hf_config_default(HF_PURPOSE_SERVER_AUTH, NULL, NULL, NULL, 0, &err);
    CHECK(c && !c->trust);
    CHECK(hf_config_freeze(c, &err));
    CHECK(c->trust != NULL);
    hf_config_free(c);
}

static void test_protocols(void)
{
    ROW("Y61 Y62 Y63 Y89");
    static const struct {
        hf_protocol protocol;
        hf_code client, server;
        uint16_t lowest, highest;
    } table[] = {
        {HF_PROTOCOL_SSL2, HF_E_PROHIBITED_PROTOCOL, HF_E_PROHIBITED_PROTOCOL, 0, 0},
        {HF_PROTOCOL_SSL3, HF_E_PROHIBITED_PROTOCOL, HF_E_PROHIBITED_PROTOCOL, 0, 0},
        {HF_PROTOCOL_TLS, HF_OK, HF_OK, HF_TLS1_2, HF_TLS1_3},
        {HF_PROTOCOL_SSL23, HF_OK, HF_OK, HF_TLS1_2, HF_TLS1_3},
        {HF_PROTOCOL_TLS1_0, HF_OK, HF_OK, HF_TLS1_0, HF_TLS1_0},
        {HF_PROTOCOL_TLS1_1, HF_OK, HF_OK, HF_TLS1_1, HF_TLS1_1},
        {HF_PROTOCOL_TLS1_2, HF_OK, HF_OK, HF_TLS1_2, HF_TLS1_2},
        {HF_PROTOCOL_TLS_CLIENT, HF_OK, HF_E_USAGE, HF_TLS1_2, HF_TLS1_3},
        {HF_PROTOCOL_TLS_SERVER, HF_E_USAGE, HF_OK, HF_TLS1_2, HF_TLS1_3},
        {(hf_protocol)6, HF_E_CONFIG, HF_E_CONFIG, 0, 0},
    };
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        for (int role = HF_CLIENT; role <= HF_SERVER; role++) {
            hf_error err = {0};
            hf_code want = role == HF_CLIENT ? table[i].client : table[i].server;
            hf_config *c = hf_config_new_protocol(table[i].protocol, (hf_role)role, &err);
            CHECK_INT(err.code, want);
            CHECK((c != NULL) == (want == HF_OK));
            CHECK_INT(hf_config_minimum_version(c), want ? 0 : table[i].lowest);
            CHECK_INT(hf_config_maximum_version(c), want ? 0 : table[i].highest);
            CHECK(!c || role == HF_SERVER || hf_config_verify_mode(c) == HF_CERT_REQUIRED);
            CHECK(!c || (int)hf_config_role(c) == role);
            hf_config_free(c);
        }
    }
    /* the old ones need the step that says so; a configuration is for one role only */
    hf_error err = {0};
    hf_config *old = hf_config_new_protocol(HF_PROTOCOL_TLS1_1, HF_CLIENT, &err);
    CHECK(!hf_config_check(old, &err));
    CHECK(says(&err, "insecure_set_security_level"));
    CHECK(hf_config_insecure_set_security_level(old, 0) && hf_config_insecure_no_verify(old));
    CHECK(hf_config_set_ciphers(old, "ECDHE+AES"));
    CHECK(hf_config_check(old, &err));
    hf_config_free(old);
    hf_config *c = hf_config_new_protocol(HF_PROTOCOL_TLS_CLIENT, HF_CLIENT, &err);
    CHECK(!hf_conn_new_server(c, &err));
    CHECK_INT(err.code, HF_E_USAGE);
    hf_config_free(c);
    CHECK(!hf_conn_new_client(NULL, "server.example", &err) && err.code == HF_E_USAGE);
    CHECK(!hf_conn_new_server(NULL, &err) && err.code == HF_E_USAGE);
    c = server();
    CHECK(!hf_conn_new_client(c, "server.example", &err));
    CHECK_INT(err.code, HF_E_USAGE);
    hf_config_free(c);
}

/* ---- policies */

static const char snapshot[] =
    "versions 0303 0304, level 2, rules 11\n"
    "TLS_AES_128_GCM_SHA256 TLS_AES_256_GCM_SHA384 TLS_CHACHA20_POLY1305_SHA256 "
    "ECDHE-ECDSA-AES128-GCM-SHA256 ECDHE-RSA-AES128-GCM-SHA256 ECDHE-ECDSA-AES256-GCM-SHA384 "
    "ECDHE-RSA-AES256-GCM-SHA384 ECDHE-ECDSA-CHACHA20-POLY1305 ECDHE-RSA-CHACHA20-POLY1305 \n"
    "X25519MLKEM768:x25519:secp256r1:secp384r1\n"
    "ecdsa_secp256r1_sha256:rsa_pss_rsae_sha256:ecdsa_secp384r1_sha384:rsa_pss_rsae_sha384:"
    "ecdsa_secp521r1_sha512:rsa_pss_rsae_sha512:ed25519:ed448:rsa_pss_pss_sha256:"
    "rsa_pss_pss_sha384:rsa_pss_pss_sha512:rsa_pkcs1_sha256:rsa_pkcs1_sha384:rsa_pkcs1_sha512\n";

static void describe(const hf_config *c, char *out, size_t size)
{
    hf_suite_info suites[128];
    char groups[512], signatures[1024];
    size_t n = hf_config_suites(c, false, suites, 128);
    int len = snprintf(out, size, "versions %04x %04x, level %u, rules %u\n",
                       hf_config_minimum_version(c), hf_config_maximum_version(c),
                       hf_config_security_level(c), hf_config_verify_flags(c));
    for (size_t i = 0; i < n; i++)
        len += snprintf(out + len, size - (size_t)len, "%s ", suites[i].openssl_name);
    (void)hf_config_groups(c, false, groups, sizeof groups);
    (void)hf_config_signatures(c, false, signatures, sizeof signatures);
    (void)snprintf(out + len, size - (size_t)len, "\n%s\n%s\n", groups, signatures);
}

static void test_policy(void)
{
    ROW("Y09 Y05 Y107 Y159 C50 Y108");
    char text[4096];
    CHECK_STR(hf_policy_name(0), "2026-11");
    CHECK(hf_policy_name(1) == NULL);
    const char *const names[] = {"2026-11", "current"};
    for (size_t i = 0; i < 2; i++) {
        hf_config *c = client();
        CHECK(hf_config_set_versions(c, HF_TLS1_0, HF_TLS1_2));
        CHECK(hf_config_insecure_set_security_level(c, 0));
        CHECK(hf_config_set_groups(c, "secp521r1"));
        CHECK(hf_config_set_policy(c, names[i]));
        describe(c, text, sizeof text);
        CHECK_STR(text, snapshot);
        hf_config_free(c);
    }
    /* what is set by default is no less than that: AEADs with forward secrecy, nothing else */
    hf_suite_info suites[128];
    hf_config *c = client();
    size_t n = hf_config_suites(c, true, suites, 128);
    CHECK_INT(n, 9);
    for (size_t i = 0; i < n; i++) {
        CHECK_STR(suites[i].mac, "AEAD");
        CHECK(strcmp(suites[i].key_exchange, "ECDHE") == 0 ||
              strcmp(suites[i].key_exchange, "any") == 0);
        CHECK(strcmp(suites[i].authentication, "none") != 0 && suites[i].bits >= 128);
    }
    CHECK(hf_config_set_suites(c, "TLS_AES_128_CCM_SHA256")); /* by name only */
    CHECK_INT(hf_config_suites(c, true, suites, 128), 1);
    CHECK(!hf_config_set_policy(c, "1999-01"));
    CHECK(says(hf_config_error(c), "2026-11"));
    CHECK(!hf_config_set_policy(c, NULL));
    hf_config_free(c);
}

/* ---- versions */

static void test_minimum_and_maximum(void)
{
    ROW("Y140 C07");
    hf_error err = {0};
    hf_config *c = client();
    CHECK(hf_config_set_minimum_version(c, HF_TLS1_3)); /* in any order */
    CHECK(hf_config_set_maximum_version(c, HF_TLS1_2));
    CHECK(!hf_config_check(c, &err));
    CHECK_INT(err.code, HF_E_CONFIG);
    CHECK(says(&err, "TLS 1.3") && says(&err, "TLS 1.2") && says(&err, "above"));
    CHECK(!hf_conn_new_client(c, "server.example", &err));
    CHECK_INT(err.code, HF_E_CONFIG);
    CHECK(hf_config_set_minimum_version(c, HF_TLS1_2)); /* still open for changes */
    CHECK(hf_config_check(c, &err));
    CHECK(hf_config_set_minimum_version(c, HF_VERSION_MINIMUM_SUPPORTED));
    CHECK_INT(hf_config_minimum_version(c), HF_TLS1_0);
    CHECK(hf_config_set_maximum_version(c, HF_VERSION_MAXIMUM_SUPPORTED));
    CHECK_INT(hf_config_maximum_version(c), HF_TLS1_3);
    CHECK(hf_config_check(c, &err));
    CHECK(!hf_config_error(c));
    CHECK(!hf_config_set_minimum_version(c, HF_SSL3_0));
    CHECK(says(hf_config_error(c), "RFC 7568"));
    CHECK_INT(hf_config_minimum_version(c), HF_TLS1_0);
    CHECK(!hf_config_check(c, &err)); /* what a setter has refused counts */
    hf_config_free(c);
    static const int bad[] = {2, 0, -3, 0x0305, 0x0204, 70000};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        c = client();
        CHECK(!hf_config_set_maximum_version(c, bad[i]));
        CHECK_INT(hf_config_error(c)->code, HF_E_CONFIG);
        CHECK_INT(hf_config_maximum_version(c), HF_TLS1_3);
        hf_config_free(c);
    }
    CHECK(!hf_config_check(NULL, &err) && err.code == HF_E_USAGE);
    CHECK_INT(hf_config_minimum_version(NULL), 0);
    c = client();
    CHECK(hf_config_freeze(c, &err));
    CHECK(!hf_config_set_minimum_version(c, HF_TLS1_3));
    CHECK(hf_config_check(c, &err)); /* also of one that is in use */
    hf_config_free(c);
}

/* What a range with these versions off comes to: lowest and highest, or an error with this word. */
static void holes(uint16_t lowest, uint16_t highest, uint64_t off, uint16_t from, uint16_t to,
                  const char *word)
{
    hf_error err = {0};
    hf_config *c = client();
    CHECK(hf_config_insecure_set_security_level(c, 0) && hf_config_insecure_no_verify(c));
    CHECK(hf_config_set_ciphers(c, "ECDHE"));
    CHECK(hf_config_set_versions(c, lowest, highest));
    CHECK(hf_config_set_options(c, hf_config_options(c) | off));
    CHECK_INT(hf_config_options(c) & off, off);
    bool ok = hf_config_check(c, &err);
    CHECK(ok == !word);
    CHECK(hf_config_freeze(c, &err) == ok);
    if (ok) {
        CHECK_INT(c->body.version_min, from);
        CHECK_INT(c->body.version_max, to);
    } else {
        CHECK_INT(err.code, HF_E_CONFIG);
        CHECK(says(&err, word));
    }
    hf_config_free(c);
}

static void test_holes(void)
{
    ROW("Y66 Y140");
    const uint64_t v10 = HF_OP_NO_TLS1_0, v11 = HF_OP_NO_TLS1_1, v12 = HF_OP_NO_TLS1_2,
                   v13 = HF_OP_NO_TLS1_3;
    holes(HF_TLS1_0, HF_TLS1_3, 0, HF_TLS1_0, HF_TLS1_3, NULL);
    holes(HF_TLS1_0, HF_TLS1_3, v13, HF_TLS1_0, HF_TLS1_2, NULL);
    holes(HF_TLS1_0, HF_TLS1_3, v10 | v11, HF_TLS1_2, HF_TLS1_3, NULL);
    holes(HF_TLS1_0, HF_TLS1_3, v10 | v13, HF_TLS1_1, HF_TLS1_2, NULL);
    holes(HF_TLS1_0, HF_TLS1_3, v10 | v11 | v12, HF_TLS1_3, HF_TLS1_3, NULL);
    holes(HF_TLS1_1, HF_TLS1_3, v12, 0, 0, "TLS 1.2 is switched off");
    holes(HF_TLS1_0, HF_TLS1_3, v11, 0, 0, "TLS 1.1 is switched off");
    holes(HF_TLS1_0, HF_TLS1_3, v11 | v12, 0, 0, "TLS 1.1 is switched off");
    holes(HF_TLS1_2, HF_TLS1_3, v12 | v13, 0, 0, "all of them");
    holes(HF_TLS1_2, HF_TLS1_2, v12, 0, 0, "all of them");
    holes(HF_TLS1_2, HF_TLS1_3, v11, HF_TLS1_2, HF_TLS1_3, NULL); /* outside of the range */
    /* at level 2 what lies below TLS 1.2 is not in the range, so it leaves no hole */
    hf_error err = {0};
    hf_config *c = client();
    CHECK(hf_config_set_versions(c, HF_TLS1_0, HF_TLS1_3));
    CHECK(hf_config_set_options(c, hf_config_options(c) | v11));
    CHECK(hf_config_check(c, &err));
    CHECK(hf_config_set_options(c, hf_config_options(c) | v12));
    CHECK(hf_config_freeze(c, &err));
    CHECK_INT(c->body.version_min, HF_TLS1_3);
    hf_suite_info suites[128];
    CHECK_INT(hf_config_suites(c, true, suites, 128), 3);
    hf_config_free(c);
}

/* ---- options */

static void test_options(void)
{
    ROW("Y65 Y76 Y142");
    const uint64_t always = HF_OP_NO_COMPRESSION | HF_OP_NO_SSL3,
                   usual = always | HF_OP_ENABLE_MIDDLEBOX_COMPAT |
                           HF_OP_CIPHER_SERVER_PREFERENCE | HF_OP_NO_RENEGOTIATION;
    hf_config *c = client();
    CHECK_INT(hf_config_options(c), usual);
    CHECK(hf_config_set_options(c, 0));
    CHECK_INT(hf_config_options(c), always); /* SSL 3.0 cannot be had, and it shows */
    CHECK(!c->compat && !c->server_preference && c->renegotiation);
    CHECK_INT(c->renegotiation_max, 1);
    CHECK(hf_config_set_options(c, hf_config_options(c) & ~HF_OP_NO_SSL3));
    CHECK_INT(hf_config_options(c), always);
    CHECK(hf_config_set_options(c, usual | HF_OP_ALL | HF_OP_ENABLE_KTLS | HF_OP_SINGLE_DH_USE |
                                       HF_OP_SINGLE_ECDH_USE | HF_OP_NO_SSL2));
    CHECK_INT(hf_config_options(c), usual | HF_OP_ALL | HF_OP_ENABLE_KTLS);
    CHECK(c->compat && c->server_preference && !c->renegotiation);
    CHECK(hf_config_set_options(c, usual | HF_OP_NO_TICKET |
                                       HF_OP_INSECURE_LEGACY_SERVER_CONNECT |
                                       HF_OP_INSECURE_IGNORE_UNEXPECTED_EOF));
    CHECK(c->no_tickets && c->allow_unpatched && c->ignore_truncation);
    CHECK_INT(hf_config_options(c), usual | HF_OP_NO_TICKET |
                                        HF_OP_INSECURE_LEGACY_SERVER_CONNECT |
                                        HF_OP_INSECURE_IGNORE_UNEXPECTED_EOF);
    CHECK(hf_config_set_renegotiation(c, 5)); /* the setters and the flags are the same thing */
    CHECK(hf_config_insecure_allow_unpatched(c, false));
    CHECK_INT(hf_config_options(c) & (HF_OP_NO_RENEGOTIATION | 4), 0);
    CHECK(hf_config_set_options(c, hf_config_options(c)));
    CHECK_INT(c->renegotiation_max, 5);
    CHECK(!hf_config_error(c));
    CHECK(!hf_config_set_options(c, usual | UINT64_C(0x100000000)));
    CHECK(says(hf_config_error(c), "0x100000000 is not known"));
    hf_config_free(c);

    c = server();
    CHECK_INT(hf_config_options(c), usual);
    CHECK(hf_config_set_options(c, usual | HF_OP_NO_TICKET));
    CHECK(c->no_tickets12 && c->stateful_tickets);
    CHECK(hf_config_set_options(c, usual));
    CHECK(!c->no_tickets12 && !c->stateful_tickets);
    CHECK(!hf_config_set_options(c, usual | HF_OP_INSECURE_LEGACY_SERVER_CONNECT));
    CHECK_INT(hf_config_error(c)->code, HF_E_USAGE);
    hf_config_free(c);
    CHECK_INT(hf_config_options(NULL), 0);
    CHECK(!hf_config_set_options(NULL, 0));
    c = client();
    CHECK(hf_config_freeze(c, NULL));
    CHECK(!hf_config_set_options(c, 0));
    CHECK_INT(hf_config_options(c), usual);
    hf_config_free(c);
}

static void test_option_names(void)
{
    CHECK_STR(hf_option_name(HF_OP_NO_TLS1_2), "NO_TLSv1_2");
    CHECK_STR(hf_option_name(HF_OP_NO_SSL3), "NO_SSLv3");
    CHECK_STR(hf_option_name(HF_OP_INSECURE_IGNORE_UNEXPECTED_EOF), "IGNORE_UNEXPECTED_EOF");
    CHECK(hf_option_name(0) == NULL);
    CHECK(hf_option_name(HF_OP_NO_TLS1_2 | HF_OP_NO_TLS1_3) == NULL);
    uint64_t named = 0;
    for (int i = 0; i < 64; i++) {
        if (hf_option_name(UINT64_C(1) << i))
            named |= UINT64_C(1) << i;
    }
    hf_config *c = client(); /* all that has a name is taken, and nothing else */
    CHECK(hf_config_set_options(c, named));
    CHECK(!hf_config_set_options(c, named + 1));
    hf_config_free(c);
}

/* ---- verification */

static void test_verify_modes(void)
{
    ROW("Y52 Y138 Y132");
    hf_config *c = client();
    /* NONE -> REQUIRED by the check of names; no NONE while that is on, nor without saying insecure */
    CHECK(hf_config_insecure_no_verify(c));
    CHECK_INT(hf_config_verify_mode(c), HF_CERT_NONE);
    CHECK(!hf_config_name_check(c));
    CHECK(hf_config_set_verify_mode(c, HF_CERT_NONE)); /* it is so already */
    CHECK(hf_config_set_name_check(c, false));
    CHECK(hf_config_set_name_check(c, true));
    CHECK_INT(hf_config_verify_mode(c), HF_CERT_REQUIRED);
    CHECK(hf_config_name_check(c) && !hf_config_error(c));
    hf_error err = {0}; /* and a name there must be */
    CHECK(!hf_conn_new_client(c, NULL, &err) && err.code == HF_E_USAGE);
    hf_config_free(c);
    c = client();
    CHECK(!hf_config_set_verify_mode(c, HF_CERT_NONE));
    CHECK(says(hf_config_error(c), "while names are checked"));
    CHECK_INT(hf_config_verify_mode(c), HF_CERT_REQUIRED);
    hf_config_free(c);

    c = client();
    CHECK(!hf_config_set_name_check(c, false));
    CHECK(says(hf_config_error(c), "insecure_no_name_check"));
    CHECK(hf_config_name_check(c));
    CHECK(hf_config_insecure_no_name_check(c));
    CHECK_INT(hf_config_verify_mode(c), HF_CERT_REQUIRED);
    CHECK(!hf_config_set_verify_mode(c, HF_CERT_NONE));
    CHECK_INT(hf_config_verify_mode(c), HF_CERT_REQUIRED);
    hf_config_free(c);

    c = client(); /* verification without names can be switched back on by itself */
    CHECK(hf_config_insecure_no_verify(c));
    CHECK(hf_config_set_verify_mode(c, HF_CERT_OPTIONAL));
    CHECK_INT(hf_config_verify_mode(c), HF_CERT_REQUIRED); /* the same, for a client */
    CHECK(!hf_config_name_check(c));
    CHECK(!hf_config_set_verify_mode(c, (hf_verify_mode)3));
    hf_config_free(c);

    static const hf_verify_mode modes[] = {HF_CERT_OPTIONAL, HF_CERT_REQUIRED, HF_CERT_NONE};
    static const hf_client_auth auths[] = {HF_CLIENT_AUTH_REQUEST, HF_CLIENT_AUTH_REQUIRE,
                                           HF_CLIENT_AUTH_NONE};
    c = server();
    CHECK_INT(hf_config_verify_mode(c), HF_CERT_NONE);
    for (int i = 0; i < 3; i++) {
        CHECK(hf_config_set_verify_mode(c, modes[i]));
        CHECK_INT(hf_config_verify_mode(c), modes[i]);
        CHECK_INT(c->client_auth, auths[i]);
    }
    CHECK(!hf_config_set_name_check(c, true));
    CHECK_INT(hf_config_error(c)->code, HF_E_USAGE);
    hf_config_free(c);
    CHECK_INT(hf_config_verify_mode(NULL), HF_CERT_NONE);
    CHECK(!hf_config_name_check(NULL) && !hf_config_set_name_check(NULL, true));
    CHECK(!hf_config_set_verify_mode(NULL, HF_CERT_REQUIRED));
}

/* ---- lists */

static void test_lists(void)
{
    ROW("Y129");
    char text[2048], cut[8];
    hf_config *c = client();
    CHECK_INT(hf_config_groups(c, false, text, sizeof text), strlen(text));
    CHECK_STR(text, "X25519MLKEM768:x25519:secp256r1:secp384r1");
    (void)hf_config_groups(c, true, text, sizeof text);
    CHECK_STR(text, "X25519MLKEM768:x25519:secp256r1:P-256:prime256v1:secp384r1:P-384");
    CHECK_INT(hf_config_groups(c, false, cut, sizeof cut), 41);
    CHECK_STR(cut, "X25519M");
    CHECK_INT(hf_config_groups(c, false, NULL, 0), 41);
    (void)hf_config_groups(NULL, false, text, sizeof text);
    CHECK(strstr(text, "x448") && strstr(text, "ffdhe2048") && strstr(text, "secp521r1"));

    (void)hf_config_signatures(NULL, false, text, sizeof text);
    CHECK(strstr(text, "ed25519") && strstr(text, "rsa_pkcs1_sha256_legacy"));
    CHECK(hf_config_set_signatures(c, "ed25519:ECDSA_SECP256R1_SHA256"));
    (void)hf_config_signatures(c, false, text, sizeof text);
    CHECK_STR(text, "ed25519:ecdsa_secp256r1_sha256");
    (void)hf_config_signatures(c, true, text, sizeof text);
    CHECK_STR(text, "ed25519:ecdsa_secp256r1_sha256");
    CHECK(hf_config_set_client_signatures(c, "rsa_pss_rsae_sha384"));
    (void)hf_config_signatures(c, true, text, sizeof text);
    CHECK_STR(text, "rsa_pss_rsae_sha384");
    (void)hf_config_signatures(c, false, text, sizeof text);
    CHECK_STR(text, "ed25519:ecdsa_secp256r1_sha256");
    CHECK(hf_config_set_client_signatures(c, NULL));
    (void)hf_config_signatures(c, true, text, sizeof text);
    CHECK_STR(text, "ed25519:ecdsa_secp256r1_sha256");
    CHECK(!hf_config_error(c));
    CHECK(!hf_config_set_client_signatures(c, "rsa_pss_rsae_sha386"));
    CHECK(says(hf_config_error(c), "rsa_pss_rsae_sha384"));
    hf_config_free(c);

    c = client();
    CHECK_INT(hf_config_alpn(c, text, sizeof text), 0);
    CHECK_STR(text, "");
    CHECK(hf_config_set_alpn(c, "h2, http/1.1", false));
    CHECK_INT(hf_config_alpn(c, text, sizeof text), 11);
    CHECK_STR(text, "h2,http/1.1");
    CHECK_INT(hf_config_ticket_count(c), 2);
    CHECK_INT(hf_config_verify_depth(c), 10);
    CHECK(!hf_config_post_handshake_auth(c));
    CHECK(hf_config_set_post_handshake_auth(c, true) && hf_config_post_handshake_auth(c));
    hf_config_free(c);
}

/* "A:B" in order, with "|" behind those that are equal to the next, "*" behind those with a share. */
static void group_list(const char *list, const char *want)
{
    char text[1024] = "";
    hf_config *c = client();
    bool ok = hf_config_set_group_list(c, list);
    CHECK(ok == (want != NULL));
    if (!ok)
        CHECK_INT(hf_config_error(c)->code, HF_E_CONFIG);
    for (size_t i = 0; ok && i < c->groups.count; i++) {
        const struct group *g = group_find(c->groups.id[i]);
        bool share = c->key_shares_set && ids_has(&c->key_shares, c->groups.id[i]);
        size_t n = strlen(text);
        (void)snprintf(text + n, sizeof text - n, "%s%s%s", g ? g->name : "?", share ? "*" : "",
                       i + 1 == c->groups.count      ? ""
                       : ties_has(&c->group_ties, i) ? "|"
                                                     : ":");
    }
    if (want)
        CHECK_STR(text, want);
    CHECK(!ok || c->group_first == (strchr(list, '/') != NULL));
    CHECK(!ok || hf_config_check(c, NULL));
    hf_config_free(c);
}

static void test_group_list(void)
{
    ROW("Y127 Y128");
    group_list("prime256v1", "secp256r1");
    group_list("P-256:X25519", "secp256r1:x25519");
    group_list("x25519:secp256r1:x25519", "x25519:secp256r1");
    group_list("*x25519:secp256r1", "x25519*:secp256r1");
    group_list("x25519:*secp256r1:*secp384r1", "x25519:secp256r1*:secp384r1*");
    group_list("?nosuchgroup:x25519", "x25519");
    group_list("?*nosuchgroup:*?x25519", "x25519*");
    group_list("x25519:secp256r1:-x25519", "secp256r1");
    group_list("x25519:*secp256r1:-secp256r1:P-384", "x25519:secp384r1");
    group_list("-x25519:secp256r1", "secp256r1");
    group_list("?-nosuchgroup:secp256r1", "secp256r1");
    group_list("x25519/secp256r1", "x25519:secp256r1");
    group_list("x25519:x448/secp256r1:secp384r1", "x25519|x448:secp256r1|secp384r1");
    group_list(" x25519 : x448 / * secp256r1 ", "x25519|x448:secp256r1*");
    group_list("x25519:x448/secp256r1:-x448", "x25519:secp256r1");
    group_list("DEFAULT", "X25519MLKEM768:x25519:secp256r1:secp384r1");
    group_list("DEFAULT:-X25519MLKEM768", "x25519:secp256r1:secp384r1");
    group_list("secp521r1:default", "secp521r1:X25519MLKEM768:x25519:secp256r1:secp384r1");
    group_list("nosuchgroup", NULL);
    group_list("x25519:nosuchgroup", NULL);
    group_list("?nosuchgroup", NULL);
    group_list("x25519:-x25519", NULL);
    group_list("", NULL);
    group_list(":", NULL);
    group_list("x25519:", NULL);
    group_list("x25519::secp256r1", NULL);
    group_list("x25519//secp256r1", NULL);
    group_list("**x25519", NULL);
    group_list("*-x25519", NULL);
    group_list("*DEFAULT", NULL);
    group_list("x25519 secp256r1", NULL);
    group_list("x25519,secp256r1", NULL);
    group_list(NULL, NULL);
    CHECK(!hf_config_set_group_list(NULL, "x25519"));
}

static void test_ciphers(void)
{
    char json[16384], cut[10];
    hf_cipher c;
    CHECK(hf_cipher_of(0xc02f, &c));
    CHECK_STR(c.name, "ECDHE-RSA-AES128-GCM-SHA256");
    CHECK_STR(c.protocol, "TLSv1.2");
    CHECK_INT(c.strength_bits, 128);
    CHECK_INT(c.id, 0x0300c02f);
    CHECK(!hf_cipher_of(0x0005, &c)); /* RC4 */
    hf_config *config = client();
    CHECK(hf_config_set_suites(config, "TLS_AES_256_GCM_SHA384:TLS_RSA_WITH_AES_128_CBC_SHA"));
    size_t len = hf_config_ciphers_json(config, json, sizeof json);
    CHECK_INT(len, strlen(json));
    CHECK_INT(hf_config_ciphers_json(config, cut, sizeof cut), len);
    CHECK_STR(cut, "[{\"id\": 5");
    CHECK(strstr(json, "\"digest\": null"));
    CHECK(strstr(json,
                 "\"symmetric\": \"aes-128-cbc\", \"digest\": \"sha1\", \"kea\": \"kx-rsa\""));
    hf_config_free(config);
    (void)hf_config_ciphers_json(NULL, json, sizeof json);
    CHECK_STR(json, "[]");
}

static bool dh_file(const char *name, const char *pem, const char *want)
{
    char groups[512];
    hf_config *c = hf_config_new(HF_SERVER);
    CHECK(hf_config_set_groups(c, "x25519"));
    bool ok = hf_config_load_dh_params(c, pem ? pki_file(name, pem, strlen(pem)) : name);
    if (ok) {
        (void)hf_config_groups(c, false, groups, sizeof groups);
        CHECK_STR(groups, want);
    } else {
        CHECK(says(hf_config_error(c), want));
    }
    hf_config_free(c);
    return ok;
}

static void test_dh_params(void)
{
    ROW("Y126");
    char command[512], path[256];
    static const int bits[] = {512, 1024};
    for (int i = 0; i < 2; i++) {
        (void)snprintf(path, sizeof path, "%s", pki_file("dh.pem", "", 0));
        (void)snprintf(command, sizeof command, "openssl dhparam -out %s %d 2>/dev/null", path,
                       bits[i]);
        if (system(command) != 0)
            SKIP("the openssl command is needed to make parameters");
        CHECK(!dh_file(path, NULL, bits[i] == 512 ? "512 bits" : "1024 bits"));
    }
    (void)snprintf(command, sizeof command,
                   "openssl genpkey -genparam -algorithm DH -pkeyopt group:modp_3072 -out %s "
                   "2>/dev/null",
                   path);
    CHECK_INT(system(command), 0);
    CHECK(dh_file(path, NULL, "x25519:ffdhe3072"));
    (void)snprintf(
        command, sizeof command,
        "openssl genpkey -genparam -algorithm DH -pkeyopt group:modp_2048 2>/dev/null | "
        "openssl dhparam -outform DER -out %s 2>/dev/null",
        path);
    CHECK_INT(system(command), 0);
    CHECK(dh_file(path, NULL, "x25519:ffdhe2048"));
    FILE *f = fopen(path, "r+b"); /* 2 more: a composite number */
    CHECK(f && fseek(f, 4 + 4 + 1 + 255, SEEK_SET) == 0 && fputc(0xfd, f) == 0xfd);
    fclose(f);
    CHECK(!dh_file(path, NULL, "no prime"));
    CHECK(!dh_file("/nowhere/dh.pem", NULL, "dh.pem"));
    CHECK(!dh_file("none.pem", pki->root->pem, "DH PARAMETERS"));
    static const char *const broken[] = {"MAA=", "MAYCAQACAQI=", "MIL//wIB",
                                         "MAUCgv//AQ==", "AgEC"};
    for (size_t i = 0; i < sizeof broken / sizeof broken[0]; i++) {
        char pem[200];
        (void)snprintf(pem, sizeof pem,
                       "-----BEGIN DH PARAMETERS-----\n%s\n-----END DH PARAMETERS-----\n",
                       broken[i]);
        CHECK(!dh_file("broken.pem", pem, i == 1 ? "0 bits" : "no Diffie-Hellman"));
    }
    hf_config *c = client();
    CHECK(!hf_config_load_dh_params(c, path));
    CHECK_INT(hf_config_error(c)->code, HF_E_USAGE);
    hf_config_free(c);
    remove(path);
}

/* ---- key log */

static void test_keylog_environment(void)
{
    ROW("Y07");
    char path[256];
    (void)snprintf(path, sizeof path, "%s/keys.log", pki_folder());
    hf_config *c = client();
    CHECK_INT(unsetenv("SSLKEYLOGFILE"), 0);
    CHECK(hf_config_insecure_set_keylog_environment(c) && !config_has_keylog(c));
    CHECK_INT(setenv("SSLKEYLOGFILE", "", 1), 0);
    CHECK(hf_config_insecure_set_keylog_environment(c) && !config_has_keylog(c));
    CHECK_INT(setenv("SSLKEYLOGFILE", path, 1), 0);
    hf_config *quiet = client(); /* the variable alone does nothing */
    CHECK(!config_has_keylog(quiet));
    hf_config_free(quiet);
    CHECK(access(path, F_OK) != 0);
    CHECK(hf_config_insecure_set_keylog_environment(c) && config_has_keylog(c));
    CHECK(access(path, F_OK) == 0);
    hf_config_free(c);
    unlink(path);
    c = client();
    CHECK_INT(setenv("SSLKEYLOGFILE", "/nowhere/keys.log", 1), 0);
    CHECK(!hf_config_insecure_set_keylog_environment(c));
    CHECK_INT(hf_config_error(c)->code, HF_E_FILE);
    hf_config_free(c);
    CHECK_INT(unsetenv("SSLKEYLOGFILE"), 0);
}

/* A check begins nothing that freezing does: anchors may still be added, no ticket key is made, and the record of
 * early data, which trusts nobody in its first moments, is not older for it. */
static void test_check_begins_nothing(void)
{
    hf_error err = {0};
    hf_config *c = server();
    hf_trust *trust = hf_trust_new();
    CHECK(hf_trust_add_memory(trust, pki->mid->pem, strlen(pki->mid->pem), NULL));
    CHECK(hf_config_set_trust(c, trust));
    CHECK(hf_config_set_max_early_data(c, 1000));
    CHECK(hf_config_set_verify_mode(c, HF_CERT_REQUIRED));
    CHECK(hf_config_check(c, &err));
    CHECK(hf_trust_add_memory(trust, pki->root->pem, strlen(pki->root->pem), &err));
    CHECK_INT(ticket_ring_count(c->tickets), 0);
    CHECK(hf_config_set_alpn(c, "h2", false));
    CHECK(hf_config_freeze(c, &err));
    CHECK_INT(ticket_ring_count(c->tickets), 1);
    hf_config_free(c);
    hf_trust_free(trust);
    c = server(); /* nobody to trust */
    CHECK(hf_config_set_verify_mode(c, HF_CERT_REQUIRED));
    CHECK(!hf_config_check(c, &err) && says(&err, "hf_config_set_trust()"));
    CHECK(!hf_config_freeze(c, &err) && says(&err, "hf_config_set_trust()"));
    hf_config_free(c);
}

static void test_shared_trust(void)
{
    ROW("C28");
    enum { CONTEXTS = 1000 };
    static hf_config *c[CONTEXTS];
    hf_trust *trust = hf_trust_new();
    CHECK(hf_trust_add_memory(trust, pki->root->pem, strlen(pki->root->pem), NULL));
    unsigned long before = mem_test_count(), one = 0;
    for (int i = 0; i < CONTEXTS; i++) {
        c[i] = hf_config_new(HF_CLIENT);
        CHECK(hf_config_set_trust(c[i], trust) && hf_config_freeze(c[i], NULL));
        CHECK(c[i]->trust == trust);
        if (i == 1)
            one = mem_test_count();
    }
    /* each costs what the second has cost: the anchors are there once */
    CHECK(mem_test_count() - one <= (one - before) * CONTEXTS);
    hf_error err = {0};
    CHECK(!hf_trust_add_memory(trust, pki->mid->pem, strlen(pki->mid->pem), &err));
    CHECK_INT(err.code, HF_E_FROZEN);
    hf_trust_free(trust);
    for (int i = 0; i < CONTEXTS; i++) {
        hf_conn *conn = hf_conn_new_client(c[i], "server.example", NULL);
        CHECK(conn != NULL);
        hf_conn_free(conn);
        hf_config_free(c[i]);
    }
}

/* ---- without memory */

static void test_no_memory(void)
{
    ROW("C20 C14");
    for (unsigned long n = 1;; n++) { /* a server, from nothing to frozen */
        hf_error err = {0};
        mem_test_fail_after(n);
        hf_config *c = hf_config_default(HF_PURPOSE_CLIENT_AUTH, NULL, NULL, pki->root->pem,
                                         strlen(pki->root->pem), &err);
        hf_credential *cred = c ? credential() : NULL;
        bool ok = cred && hf_config_add_credential(c, cred) &&
                  hf_config_set_verify_mode(c, HF_CERT_REQUIRED) && hf_config_freeze(c, &err);
        mem_test_fail_after(0);
        hf_credential_free(cred);
        hf_config_free(c);
        if (ok)
            break;
        CHECK(n < 1000);
    }
    for (unsigned long n = 1;; n++) {
        hf_error err = {0};
        mem_test_fail_after(n);
        hf_config *c = client();
        bool ok = c && hf_config_set_policy(c, "current") &&
                  hf_config_set_group_list(c, "x25519/secp256r1") && hf_config_check(c, &err);
        mem_test_fail_after(0);
        hf_config_free(c);
        if (ok) {
            CHECK(n > 5);
            break;
        }
    }
}

int main(void)
{
    pki = pki_new(PKI_P256, "DNS:server.example");
    RUN(test_platform);
    RUN(test_purposes);
    RUN(test_protocols);
    RUN(test_policy);
    RUN(test_minimum_and_maximum);
    RUN(test_holes);
    RUN(test_options);
    RUN(test_option_names);
    RUN(test_verify_modes);
    RUN(test_lists);
    RUN(test_group_list);
    RUN(test_ciphers);
    RUN(test_dh_params);
    RUN(test_keylog_environment);
    RUN(test_check_begins_nothing);
    RUN(test_shared_trust);
    RUN(test_no_memory);
    pki_clear(pki);
    return check_done();
}
