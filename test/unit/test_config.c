/* test_config.c: setters and what they refuse, freezing, deriving, sharing, choosing, key logs. */
#include <pthread.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "check.h"
#include "config/ticket.h"
#include "crypto/random.h"
#include "pki.h"

#define IDS(...)                                                                               \
    (const uint16_t[]){__VA_ARGS__}, sizeof((const uint16_t[]){__VA_ARGS__}) / sizeof(uint16_t)

static struct pki *pki; /* a P-256 server for server.example */
static hf_credential *credential;
static hf_trust *trust;

static void check_ids(const struct ids *ids, const uint16_t *want, size_t count)
{
    CHECK_INT(ids->count, count);
    for (size_t i = 0; i < count && i < ids->count; i++)
        CHECK_INT(ids->id[i], want[i]);
}

static hf_config *server(void)
{
    hf_config *config = hf_config_new(HF_SERVER);
    CHECK(hf_config_add_credential(config, credential));
    return config;
}

static hf_config *client(void)
{
    hf_config *config = hf_config_new(HF_CLIENT);
    CHECK(hf_config_set_trust(config, trust));
    return config;
}

static const char *detail(const hf_config *config)
{
    return hf_config_error(config) ? hf_config_error(config)->detail : "(no error)";
}

/* ---- tables */

static void test_tables(void)
{
    size_t count;
    const struct suite *suites = suite_table(&count);
    CHECK_INT(count, 97);
    for (size_t i = 0; i < count; i++)
        CHECK_STR(hf_suite_name(suites[i].id), suites[i].name);
    const struct group *groups = group_table(&count);
    CHECK_INT(count, 15);
    for (size_t i = 0; i < count; i++)
        CHECK_STR(hf_group_name(groups[i].id), groups[i].name);
    const struct sigalg *sigalgs = sigalg_table(&count);
    CHECK_INT(count, 19);
    for (size_t i = 0; i < count; i++)
        CHECK_STR(hf_signature_name(sigalgs[i].id), sigalgs[i].name);
    CHECK(!suite_find(0x0004) && !suite_find(0x00ff) && !suite_find(0x5600) &&
          !group_find(0x0015) && !sigalg_find(0x0101));
    CHECK_INT(suite_find(0x1302)->hash, HASH_SHA384);
    CHECK(!sigalg_find(0x0401)->handshake);
}

/* In TLS 1.3 an ECDSA scheme names its curve, and RSA keys of the two kinds have schemes of their
 * own (RFC 8446 4.2.3). */
static void test_sigalg_fits(void)
{
    static const struct {
        uint16_t id;
        enum key_kind kind;
        unsigned bits;
        bool fits;
    } rows[] = {
        {0x0403, KEY_P256, 256, true},      {0x0403, KEY_P384, 384, false},
        {0x0503, KEY_P384, 384, true},      {0x0503, KEY_P256, 256, false},
        {0x0603, KEY_P521, 521, true},      {0x0804, KEY_RSA, 2048, true},
        {0x0804, KEY_RSA_PSS, 2048, false}, {0x0809, KEY_RSA_PSS, 2048, true},
        {0x0809, KEY_RSA, 2048, false},     {0x0807, KEY_ED25519, 253, true},
        {0x0808, KEY_ED448, 456, true},     {0x0807, KEY_ED448, 456, false},
        {0x0806, KEY_RSA, 1024, false}, /* 64 + 64 + 2 bytes do not fit into 128 */
        {0x0806, KEY_RSA, 2048, true},      {0x0401, KEY_RSA, 2048, true},
        {0x0403, KEY_OTHER, 256, false},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        bool fits = sigalg_fits(sigalg_find(rows[i].id), rows[i].kind, rows[i].bits);
        CHECK_INT(fits ? (int)i : -1, rows[i].fits ? (int)i : -1);
    }
}

/* ---- defaults and lists */

static void test_defaults(void)
{
    hf_config *config = hf_config_new(HF_CLIENT);
    check_ids(&config->suites,
              IDS(0x1301, 0x1302, 0x1303, 0xc02b, 0xc02f, 0xc02c, 0xc030, 0xcca9, 0xcca8));
    CHECK_INT(config->version_min, HF_TLS1_2);
    CHECK_INT(config->version_max, HF_TLS1_3);
    CHECK(config->security_level == 2 && config->encrypt_then_mac);
    if (group_find(0x11ec))
        check_ids(&config->groups, IDS(0x11ec, 0x001d, 0x0017, 0x0018));
    else
        check_ids(&config->groups, IDS(0x001d, 0x0017, 0x0018));
    check_ids(&config->sigalgs, IDS(0x0403, 0x0804, 0x0503, 0x0805, 0x0603, 0x0806, 0x0807,
                                    0x0808, 0x0809, 0x080a, 0x080b, 0x0401, 0x0501, 0x0601));
    CHECK(config->verify && config->verify_name && config->compat && config->server_preference);
    CHECK_INT(config->ocsp, HF_OCSP_REQUEST);
    CHECK_INT(config->ticket_count, 2);
    CHECK_INT(config->ticket_lifetime, 7200);
    CHECK_INT(config->memory_cap, 256 * 1024);
    CHECK(!config_has_keylog(config));
    CHECK(hf_config_error(config) == NULL);
    hf_config_free(config);
}

static void test_lists(void)
{
    hf_config *config = hf_config_new(HF_CLIENT);
    CHECK(hf_config_set_suites(config, "TLS_CHACHA20_POLY1305_SHA256:TLS_AES_128_GCM_SHA256"));
    check_ids(&config->suites, IDS(0x1303, 0x1301));
    CHECK(hf_config_set_suites(config,
                               " tls_aes_128_ccm_8_sha256,\tTLS_AES_128_CCM_SHA256 ,,: "));
    check_ids(&config->suites, IDS(0x1305, 0x1304));
    CHECK(hf_config_set_groups(config, "P-384 p-256:X25519:secp256r1"));
    check_ids(&config->groups,
              IDS(0x0018, 0x0017, 0x001d)); /* the second P-256 is not another */
    CHECK(hf_config_set_groups(config, "P-521,X448,ffdhe2048,ffdhe3072,ffdhe4096"));
    check_ids(&config->groups, IDS(0x0019, 0x001e, 0x0100, 0x0101, 0x0102));
    CHECK(hf_config_set_signatures(config, "ed25519:RSA_PSS_RSAE_SHA256"));
    check_ids(&config->sigalgs, IDS(0x0807, 0x0804));
    CHECK(hf_config_set_key_shares(config, ""));
    CHECK_INT(config->key_shares.count, 0);
    CHECK(hf_config_error(config) == NULL);
    hf_config_free(config);
}

static bool set_suites(hf_config *c)
{
    return hf_config_set_suites(c, "TLS_AES_128_GCM_SHA265");
}
static bool set_suites_12(hf_config *c)
{
    return hf_config_set_suites(c, "TLS_AES_128_GCM_SHA256:ECDHE-RSA-NULL-MD5");
}
static bool set_no_suites(hf_config *c)
{
    return hf_config_set_suites(c, " , ");
}
static bool set_null_suites(hf_config *c)
{
    return hf_config_set_suites(c, NULL);
}
static bool set_group(hf_config *c)
{
    return hf_config_set_groups(c, "x25519:P-265");
}
static bool set_long(hf_config *c)
{
    return hf_config_set_groups(c,
                                "0123456789012345678901234567890123456789012345678901234567890"
                                "123456789");
}
static bool set_sig(hf_config *c)
{
    return hf_config_set_signatures(c, "ed2551");
}
static bool set_share(hf_config *c)
{
    return hf_config_set_key_shares(c, "p256");
}
static bool versions_ssl3(hf_config *c)
{
    return hf_config_set_versions(c, 0x0300, HF_TLS1_3);
}
static bool versions_empty(hf_config *c)
{
    return hf_config_set_versions(c, HF_TLS1_3, HF_TLS1_2);
}
static bool versions_odd(hf_config *c)
{
    return hf_config_set_versions(c, HF_TLS1_2, 0x0305);
}
static bool alpn_empty(hf_config *c)
{
    return hf_config_set_alpn(c, "h2,,http/1.1", false);
}
static bool alpn_end(hf_config *c)
{
    return hf_config_set_alpn(c, "h2,", false);
}
static bool alpn_none(hf_config *c)
{
    return hf_config_set_alpn(c, NULL, true);
}
static bool alpn_long(hf_config *c)
{
    char name[300];
    memset(name, 'a', 256);
    name[256] = 0;
    return hf_config_set_alpn(c, name, false);
}
static bool cred_null(hf_config *c)
{
    return hf_config_add_credential(c, NULL);
}
static bool trust_null(hf_config *c)
{
    return hf_config_set_trust(c, NULL);
}
static bool depth(hf_config *c)
{
    return hf_config_set_verify_depth(c, 64);
}
static bool auth_client(hf_config *c)
{
    return hf_config_set_client_auth(c, HF_CLIENT_AUTH_REQUIRE);
}
static bool auth_mode(hf_config *c)
{
    return hf_config_set_client_auth(c, (hf_client_auth)3);
}
static bool ocsp_mode(hf_config *c)
{
    return hf_config_set_ocsp(c, (hf_ocsp)9);
}
static bool psk_modes(hf_config *c)
{
    return hf_config_set_psk_modes(c, 4);
}
static bool tickets_17(hf_config *c)
{
    return hf_config_set_tickets(c, 17, 100);
}
static bool tickets_long(hf_config *c)
{
    return hf_config_set_tickets(c, 1, 604801);
}
static bool tickets_short(hf_config *c)
{
    return hf_config_set_tickets(c, 1, 0);
}
static bool rotation(hf_config *c)
{
    return hf_config_set_ticket_rotation(c, 0);
}
static bool limit_low(hf_config *c)
{
    return hf_config_set_record_size_limit(c, 63);
}
static bool limit_high(hf_config *c)
{
    return hf_config_set_record_size_limit(c, 16385);
}
static bool padding(hf_config *c)
{
    return hf_config_set_record_padding(c, 16385);
}
static bool memory(hf_config *c)
{
    return hf_config_set_memory_cap(c, 16383);
}
static bool ask_0(hf_config *c)
{
    return hf_config_set_ask(c, HF_ASK_NONE, NULL, NULL);
}
static bool ask_6(hf_config *c)
{
    return hf_config_set_ask(c, (hf_ask)HF_ASK_COUNT, NULL, NULL);
}
static bool keylog_file(hf_config *c)
{
    return hf_config_insecure_set_keylog_file(c, "/nowhere/at/all");
}

/* Everything that a setter refuses, and that it says what and why. */
static void test_refusals(void)
{
    static const struct {
        bool (*set)(hf_config *config);
        hf_code code;
        const char *detail;
    } rows[] = {
        {set_suites, HF_E_CONFIG,
         "unknown cipher suite 'TLS_AES_128_GCM_SHA265' (did you mean TLS_AES_128_GCM_SHA256?)"},
        {set_suites_12, HF_E_CONFIG,
         "unknown cipher suite 'ECDHE-RSA-NULL-MD5' (did you mean ECDHE-RSA-NULL-SHA?)"},
        {set_no_suites, HF_E_CONFIG, "the list of cipher suites is empty: name at least one"},
        {set_null_suites, HF_E_USAGE, "the list of cipher suites is NULL"},
        {set_group, HF_E_CONFIG, "unknown group 'P-265' (did you mean P-256?)"},
        {set_long, HF_E_CONFIG,
         "unknown group '0123456789012345678901234567890123456789012345678901234567890123'"},
        {set_sig, HF_E_CONFIG, "unknown signature scheme 'ed2551' (did you mean ed25519?)"},
        {set_share, HF_E_CONFIG, "unknown key share group 'p256' (did you mean P-256?)"},
        {versions_ssl3, HF_E_CONFIG,
         "versions 0x0300 to 0x0304: SSL 2.0 and 3.0 are prohibited (RFC 6176, RFC 7568)"},
        {versions_empty, HF_E_CONFIG,
         "versions TLS 1.3 to TLS 1.2: the lowest is above the highest"},
        {versions_odd, HF_E_CONFIG,
         "versions 0x0303 to 0x0305: 0x0305 is not a version of TLS"},
        {alpn_empty, HF_E_CONFIG,
         "application protocols 'h2,,http/1.1': a name of 0 bytes at byte 3 (1 to 255 are allowed)"},
        {alpn_end, HF_E_CONFIG,
         "application protocols 'h2,': a name of 0 bytes at byte 3 (1 to 255 are allowed)"},
        {alpn_none, HF_E_CONFIG, "an application protocol is required, but none is listed"},
        {alpn_long, HF_E_CONFIG,
         "application protocols 'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa': a "
         "name of 256 bytes at byte 0 (1 to 255 are allowed)"},
        {cred_null, HF_E_USAGE,
         "hf_config_add_credential: the credential is NULL; did loading it fail?"},
        {trust_null, HF_E_USAGE,
         "hf_config_set_trust: the trust store is NULL; did making it fail?"},
        {depth, HF_E_CONFIG, "verify depth 64: at most 63"},
        {auth_client, HF_E_USAGE,
         "hf_config_set_client_auth: a client asks for no client certificate; this is for servers"},
        {auth_mode, HF_E_CONFIG, "client auth mode 3 is not known"},
        {ocsp_mode, HF_E_CONFIG, "OCSP mode 9 is not known"},
        {psk_modes, HF_E_CONFIG, "PSK modes 0x4: only HF_PSK_KE and HF_PSK_DHE_KE are known"},
        {tickets_17, HF_E_CONFIG, "17 tickets: at most 16"},
        {tickets_long, HF_E_CONFIG, "a ticket lifetime of 604801 s: 1 to 604800 are allowed"},
        {tickets_short, HF_E_CONFIG, "a ticket lifetime of 0 s: 1 to 604800 are allowed"},
        {rotation, HF_E_CONFIG, "a ticket rotation of 0 s: at least 1"},
        {limit_low, HF_E_CONFIG,
         "a record size limit of 63 bytes: 64 to 16384, or 0 for none (RFC 8449 4)"},
        {limit_high, HF_E_CONFIG,
         "a record size limit of 16385 bytes: 64 to 16384, or 0 for none (RFC 8449 4)"},
        {padding, HF_E_CONFIG, "record padding to blocks of 16385 bytes: at most 16384"},
        {memory, HF_E_CONFIG, "a memory cap of 16383 bytes: at least 16384"},
        {ask_0, HF_E_USAGE, "hf_config_set_ask: no question has number 0"},
        {ask_6, HF_E_USAGE, "hf_config_set_ask: no question has number 8"},
        {keylog_file, HF_E_FILE, "key log /nowhere/at/all cannot be opened for appending"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        hf_config *config = client(), *before = malloc(sizeof *before);
        hf_error err = {0};
        memcpy(before, config, sizeof *before);
        CHECK(!rows[i].set(config));
        CHECK_STR(detail(config), rows[i].detail);
        CHECK(hf_config_error(config) && hf_config_error(config)->code == rows[i].code);
        /* The rest is as it was. */
        hf_error first = config->error;
        config->error = before->error;
        CHECK_MEM(config, before, sizeof *before);
        config->error = first;
        /* The first error stays, and is what using the configuration fails with. */
        CHECK(!hf_config_set_memory_cap(config, 1));
        CHECK_STR(detail(config), rows[i].detail);
        CHECK(!hf_config_freeze(config, &err));
        CHECK_STR(err.detail, rows[i].detail);
        free(before);
        hf_config_free(config);
    }
}

static void test_setters(void)
{
    hf_config *config = server();
    CHECK(hf_config_set_versions(config, HF_TLS1_0, HF_TLS1_2));
    CHECK_INT(config->version_min, HF_TLS1_0);
    CHECK_INT(config->version_max, HF_TLS1_2);
    CHECK(hf_config_set_suites(config, "ecdhe-ecdsa-aes128-sha:TLS_AES_128_GCM_SHA256"));
    check_ids(&config->suites, IDS(0xc009, 0x1301));
    CHECK(hf_config_set_alpn(config, "h2, http/1.1", true));
    CHECK_INT(config->alpn_len, 12);
    CHECK_MEM(config->alpn, "\x02h2\x08http/1.1", 12);
    CHECK(config->alpn_required);
    CHECK(hf_config_set_alpn(config, NULL, false));
    CHECK(!config->alpn && config->alpn_len == 0 && !config->alpn_required);
    CHECK(hf_config_set_tickets(config, 0, 0));
    CHECK(hf_config_set_tickets(config, 16, 604800));
    CHECK(hf_config_set_record_size_limit(config, 64));
    CHECK(hf_config_set_record_size_limit(config, 0));
    CHECK(hf_config_set_psk_modes(config, 0));
    CHECK(hf_config_set_client_auth(config, HF_CLIENT_AUTH_REQUEST));
    CHECK(hf_config_insecure_no_name_check(config));
    CHECK(config->verify && !config->verify_name);
    CHECK(hf_config_insecure_no_verify(config));
    CHECK(!config->verify);
    CHECK(hf_config_set_verify_depth(config, 0));
    CHECK(hf_config_set_server_preference(config, false));
    CHECK(hf_config_send_authorities(config, true));
    CHECK(hf_config_set_cookie(config, true));
    CHECK(hf_config_set_middlebox_compat(config, false));
    CHECK(hf_config_set_post_handshake_auth(config, true));
    CHECK(hf_config_set_key_update_after(config, 1));
    CHECK(hf_config_error(config) == NULL);
    CHECK(hf_config_freeze(config, NULL));
    hf_config_free(config);
    CHECK(!hf_config_set_cookie(NULL, true));
    CHECK(hf_config_error(NULL) == NULL);
    hf_config_free(NULL);
}

/* ---- freezing */

static void test_key_shares(void)
{
    static const struct {
        const char *groups, *shares; /* NULL: default */
        uint16_t want[3];
    } rows[] = {
        {"x25519:P-256", NULL, {0x001d}},
        {"P-256:x25519", NULL, {0x0017}},
        {"X25519MLKEM768:P-256:x25519", NULL, {0x11ec, 0x001d}},
        {"SecP256r1MLKEM768:x25519", NULL, {0x11eb, 0x001d}},
        {"X25519MLKEM768:P-256", NULL, {0x11ec}},
        {"x25519:P-256:P-384",
         "P-384:x25519",
         {0x001d, 0x0018}}, /* in the order of the groups */
        {"x25519", "", {0}},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        hf_config *config = client();
        size_t n = 0;
        CHECK(hf_config_set_groups(config, rows[i].groups));
        CHECK(!rows[i].shares || hf_config_set_key_shares(config, rows[i].shares));
        CHECK(hf_config_freeze(config, NULL));
        while (n < 3 && rows[i].want[n])
            n++;
        check_ids(&config->key_shares, rows[i].want, n);
        hf_config_free(config);
    }
    hf_config *config = client();
    hf_error err = {0};
    CHECK(hf_config_set_groups(config, "x25519"));
    CHECK(hf_config_set_key_shares(config, "P-256"));
    CHECK(!hf_config_freeze(config, &err));
    CHECK_STR(err.detail,
              "a key share is set for secp256r1, which is not among the groups: add it "
              "with hf_config_set_groups()");
    hf_config_free(config);
}

static void test_bodies(void)
{
    hf_config *config = client();
    CHECK(hf_config_set_groups(config, "x25519:P-256"));
    CHECK(hf_config_set_signatures(config, "ed25519"));
    CHECK(hf_config_freeze(config, NULL));
    CHECK_INT(config->body.groups_len, 6);
    CHECK_MEM(config->body.groups, "\x00\x04\x00\x1d\x00\x17", 6);
    CHECK_INT(config->body.sigalgs_len, 4);
    CHECK_MEM(config->body.sigalgs, "\x00\x02\x08\x07", 4);
    CHECK_INT(config->body.sigalgs_cert_len, 0);
    hf_config_free(config);
}

static bool never_asked(hf_conn *conn, const hf_question *question, void *arg)
{
    (void)conn, (void)question, (void)arg;
    return false;
}

static void test_freeze_refusals(void)
{
    hf_error err = {0};
    hf_config *config = hf_config_new(HF_SERVER);
    CHECK(!hf_config_freeze(config, &err));
    CHECK_INT(err.code, HF_E_CONFIG);
    CHECK(strncmp(err.detail, "a server needs a certificate and its key", 40) == 0);
    CHECK(!config_use(config, NULL));
    /* A configuration that could not be frozen can be mended. */
    CHECK(hf_config_set_ask(config, HF_ASK_HELLO, never_asked, NULL));
    CHECK(hf_config_freeze(config, &err));
    hf_config_free(config);

    config = server();
    CHECK(hf_config_set_client_auth(config, HF_CLIENT_AUTH_REQUIRE));
    CHECK(!hf_config_freeze(config, &err)); /* err holds the old one: it is filled anew */
    CHECK_STR(err.detail, "client certificates are asked for, but nothing says whom to trust: "
                          "hf_config_set_trust()");
    CHECK(hf_config_set_trust(config, trust));
    CHECK(hf_config_freeze(config, &err));
    hf_config_free(config);

    config = client();
    CHECK(hf_config_set_signatures(config, "rsa_pkcs1_sha256"));
    CHECK(!hf_config_freeze(config, &err));
    CHECK(strncmp(err.detail, "none of the signature schemes may sign", 38) == 0);
    hf_config_free(config);
    CHECK(!hf_config_freeze(NULL, &err));
    CHECK_INT(err.code, HF_E_USAGE);
}

static void test_frozen(void)
{
    ROW("Y110");
    hf_config *config = server();
    CHECK(hf_config_freeze(config, NULL));
    CHECK(hf_config_freeze(config, NULL));
    CHECK(config_use(config, NULL));
    CHECK_INT(ticket_ring_count(config->tickets), 1);
    hf_config *before = malloc(sizeof *before);
    memcpy(before, config, sizeof *before);
    CHECK(!hf_config_set_suites(config, "TLS_AES_256_GCM_SHA384"));
    CHECK(!hf_config_set_suites(config, "nonsense"));
    CHECK(!hf_config_set_alpn(config, "h2", false));
    CHECK(!hf_config_add_credential(config, credential));
    CHECK(!hf_config_set_trust(config, trust));
    CHECK(!hf_config_set_memory_cap(config, 20000));
    CHECK(!hf_config_insecure_no_verify(config));
    CHECK(!hf_config_insecure_set_keylog_file(config, "/nowhere"));
    CHECK_MEM(config, before, sizeof *before);
    CHECK(hf_config_error(config) == NULL);
    free(before);
    hf_config_free(config);
}

static void test_platform_trust(void)
{
    /* SSL_CERT_FILE was set in main, before anything loaded the platform's anchors. */
    hf_config *a = hf_config_new(HF_CLIENT), *b = hf_config_new(HF_CLIENT);
    hf_config *unverified = hf_config_new(HF_CLIENT);
    CHECK(hf_config_freeze(a, NULL));
    CHECK(hf_config_freeze(b, NULL));
    CHECK(a->trust && a->trust == b->trust);
    CHECK(hf_config_insecure_no_verify(unverified));
    CHECK(hf_config_freeze(unverified, NULL));
    CHECK(!unverified->trust);
    hf_config_free(a);
    hf_config_free(b);
    hf_config_free(unverified);
}

static void test_derive(void)
{
    ROW("Y109");
    hf_config *config = server();
    CHECK(hf_config_set_alpn(config, "h2", false));
    CHECK(hf_config_freeze(config, NULL));
    hf_config *derived = hf_config_derive(config);
    CHECK(derived->credentials == config->credentials);
    CHECK(derived->tickets == config->tickets);
    CHECK(derived->alpn != config->alpn);
    CHECK_MEM(derived->cookie_keys[0], config->cookie_keys[0], 32);
    CHECK(hf_config_set_groups(derived, "P-256"));
    CHECK(hf_config_add_credential(derived, credential));
    CHECK_INT(derived->credentials->count, 2);
    CHECK_INT(config->credentials->count, 1);
    CHECK(hf_config_freeze(derived, NULL));
    CHECK_MEM(derived->cookie_keys[0], config->cookie_keys[0], 32);
    CHECK_INT(derived->body.groups_len, 4);
    check_ids(&derived->key_shares, IDS(0x0017));
    hf_config_free(config);
    CHECK_MEM(derived->alpn, "\x02h2", 3);

    /* What was broken stays broken. */
    hf_config *broken = client();
    CHECK(!hf_config_set_groups(broken, "?"));
    hf_config *child = hf_config_derive(broken);
    CHECK_STR(detail(child), "unknown group '?'");
    hf_config_free(broken);
    hf_config_free(child);
    hf_config_free(derived);
    CHECK(hf_config_derive(NULL) == NULL);
}

static pthread_barrier_t barrier;

static void *use(void *arg)
{
    hf_config *config = arg;
    (void)pthread_barrier_wait(&barrier);
    hf_config *mine = hf_config_ref(config);
    bool ok = config_use(mine, NULL) && config->body.groups_len > 0;
    hf_config *derived = hf_config_derive(mine);
    ok = ok && config_use(derived, NULL);
    hf_config_free(derived);
    hf_config_free(mine);
    return ok ? NULL : arg;
}

/* Four threads use a fresh configuration at once. */
static void test_threads(void)
{
    ROW("Y110");
    for (int round = 0; round < 50; round++) {
        hf_config *config = round % 2 ? server() : client();
        pthread_t threads[4];
        CHECK_INT(pthread_barrier_init(&barrier, NULL, 4), 0);
        for (int i = 0; i < 4; i++)
            CHECK_INT(pthread_create(&threads[i], NULL, use, config), 0);
        for (int i = 0; i < 4; i++) {
            void *result;
            CHECK_INT(pthread_join(threads[i], &result), 0);
            CHECK(result == NULL);
        }
        pthread_barrier_destroy(&barrier);
        hf_config_free(config);
    }
}

static void test_no_memory(void)
{
    ROW("C14");
    bool done = false;
    for (unsigned long n = 1; n < 200 && !done; n++) {
        hf_error err = {0};
        mem_test_fail_after(n);
        hf_config *config = hf_config_new(HF_SERVER), *derived = NULL;
        bool ok = config && hf_config_set_alpn(config, "h2,http/1.1", false);
        ok = ok && hf_config_add_credential(config, credential);
        ok = ok && hf_config_set_trust(config, trust) && hf_config_freeze(config, &err);
        derived = ok ? hf_config_derive(config) : NULL;
        done = derived && hf_config_freeze(derived, NULL);
        mem_test_fail_after(0);
        if (config && !ok)
            CHECK(hf_config_error(config) || err.code != HF_OK);
        hf_config_free(derived);
        hf_config_free(config);
        CHECK(n > 1 || !done);
    }
    CHECK(done);
}

/* ---- choosing a certificate */

static hf_credential *load(const struct pki *p)
{
    hf_error err = {0};
    char *text = pki_text(p->bundle_pem, NULL);
    hf_credential *cred =
        hf_credential_load_memory(text, strlen(text), NULL, 0, NULL, NULL, &err);
    CHECK_STR(cred ? "" : err.detail, "");
    free(text);
    return cred;
}

static void test_scheme_for(void)
{
    static const struct {
        enum pki_kind kind;
        uint16_t scheme;
    } rows[] = {{PKI_P256, 0x0403}, {PKI_P384, 0x0503},    {PKI_P521, 0x0603},
                {PKI_RSA, 0x0804},  {PKI_RSA_PSS, 0x0809}, {PKI_ED25519, 0x0807},
                {PKI_ED448, 0x0808}};
    hf_config *config = hf_config_new(HF_SERVER);
    uint16_t all[32];
    size_t count;
    const struct sigalg *table = sigalg_table(&count);
    for (size_t i = 0; i < count; i++)
        all[i] = table[count - 1 - i].id; /* the peer's order is the other way round */
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct pki *p = pki_new(rows[i].kind, "DNS:a.example");
        hf_credential *cred = load(p);
        CHECK_INT(config_scheme_for(config, cred, all, count), rows[i].scheme);
        CHECK_INT(config_scheme_for(config, cred, &rows[i].scheme, 1), rows[i].scheme);
        CHECK_INT(config_scheme_for(config, cred, NULL, 0), 0);
        CHECK_INT(config_scheme_for(config, cred, IDS(0x0401, 0x0203, 0xfafa)), 0);
        hf_credential_free(cred);
        pki_clear(p);
    }
    hf_config_free(config);
}

static void test_preference(void)
{
    struct pki *p = pki_new(PKI_RSA, "DNS:a.example");
    hf_credential *cred = load(p);
    hf_config *config = hf_config_new(HF_SERVER);
    CHECK_INT(config_scheme_for(config, cred, IDS(0x0806, 0x0805)), 0x0805);
    CHECK(hf_config_set_server_preference(config, false));
    CHECK_INT(config_scheme_for(config, cred, IDS(0x0806, 0x0805)), 0x0806);
    /* What we do not allow is not used, whatever the peer wants. */
    CHECK(hf_config_set_signatures(config, "rsa_pss_rsae_sha256"));
    CHECK_INT(config_scheme_for(config, cred, IDS(0x0806, 0x0804)), 0x0804);
    CHECK_INT(config_scheme_for(config, cred, IDS(0x0806, 0x0805)), 0);
    hf_config_free(config);
    hf_credential_free(cred);
    pki_clear(p);
}

static void test_select(void)
{
    enum { FIRST_EC, SECOND_RSA, SECOND_EC, WILD, COUNT };
    struct pki *p[COUNT] = {pki_new(PKI_P256, "DNS:first.example"),
                            pki_new(PKI_RSA, "DNS:second.example"),
                            pki_new(PKI_P256, "DNS:second.example"),
                            pki_new(PKI_ED25519, "DNS:*.wild.example,IP:192.0.2.1")};
    hf_credential *cred[COUNT];
    hf_config *config = hf_config_new(HF_SERVER);
    for (int i = 0; i < COUNT; i++) {
        cred[i] = load(p[i]);
        CHECK(hf_config_add_credential(config, cred[i]));
    }
    const struct {
        const char *name;
        uint16_t peer[4];
        int want; /* -1: none */
        uint16_t alg;
    } rows[] = {
        {"first.example", {0x0403, 0x0804, 0x0807}, FIRST_EC, 0x0403},
        {"FIRST.example", {0x0403}, FIRST_EC, 0x0403},
        {"second.example", {0x0804, 0x0403}, SECOND_EC, 0x0403}, /* our order of schemes */
        {"second.example", {0x0804}, SECOND_RSA, 0x0804},        /* though its chain is ECDSA */
        {"x.wild.example", {0x0403, 0x0807}, WILD, 0x0807},
        {"192.0.2.1", {0x0807}, WILD, 0x0807},
        {"x.wild.example", {0x0403}, FIRST_EC, 0x0403}, /* right scheme before right name */
        {"nobody.example", {0x0804, 0x0403}, FIRST_EC, 0x0403}, /* the first is the default */
        {"nobody.example", {0x0804}, SECOND_RSA, 0x0804},
        {NULL, {0x0807, 0x0403}, FIRST_EC, 0x0403},
        {NULL, {0x0807}, WILD, 0x0807},
        {"first.example", {0x0808}, -1, 0},
        {"first.example", {0}, -1, 0},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        size_t n = 0;
        uint16_t alg = 0;
        while (n < 4 && rows[i].peer[n])
            n++;
        hf_credential *got = config_credential(config, rows[i].name, rows[i].peer, n, &alg);
        int which = -1;
        for (int k = 0; k < COUNT; k++) {
            if (got == cred[k])
                which = k;
        }
        CHECK_INT(which + 100 * (int)i, rows[i].want + 100 * (int)i);
        CHECK_INT(alg, rows[i].alg);
    }
    /* By the client's order RSA would come first; but for a name that nobody has, the first
     * credential is sent. */
    uint16_t alg = 0;
    CHECK(hf_config_set_server_preference(config, false));
    CHECK(config_credential(config, "second.example", IDS(0x0804, 0x0403), &alg) ==
          cred[SECOND_RSA]);
    CHECK(config_credential(config, "nobody.example", IDS(0x0804, 0x0403), &alg) ==
          cred[FIRST_EC]);
    CHECK_INT(alg, 0x0403);
    hf_config_free(config);
    for (int i = 0; i < COUNT; i++) {
        hf_credential_free(cred[i]);
        pki_clear(p[i]);
    }
}

/* Two certificates for one name: the one whose chain the peer says it can check is sent. */
static void test_select_chain(void)
{
    struct pki_spec ca = {.kind = PKI_P384, .subject = "P-384 root", .ca = true};
    struct pki_spec leaf = {.kind = PKI_P256, .subject = "leaf", .names = "DNS:a.example"};
    struct pki_cert *root = pki_make(&ca, NULL), *cert = pki_make(&leaf, root);
    struct pki *p = pki_new(PKI_RSA, "DNS:a.example");
    hf_credential *by_384 = hf_credential_load_memory(
        cert->pem, strlen(cert->pem), cert->key_pem, strlen(cert->key_pem), NULL, NULL, NULL);
    hf_credential *by_256 = load(p);
    hf_config *config = hf_config_new(HF_SERVER);
    uint16_t alg = 0;
    CHECK(hf_config_add_credential(config, by_384));
    CHECK(hf_config_add_credential(config, by_256));
    CHECK(config_credential(config, "a.example", IDS(0x0403, 0x0804), &alg) == by_256);
    CHECK_INT(alg, 0x0804);
    CHECK(config_credential(config, "a.example", IDS(0x0403, 0x0804, 0x0503), &alg) == by_384);
    CHECK_INT(alg, 0x0403);
    hf_config_free(config);
    hf_credential_free(by_384);
    hf_credential_free(by_256);
    pki_clear(p);
    pki_free(cert);
    pki_free(root);
}

static void test_key_usage(void)
{
    struct pki_spec leaf = {.kind = PKI_P256,
                            .subject = "leaf",
                            .names = "DNS:a.example",
                            .key_usage = "keyAgreement"};
    struct pki_cert *cert = pki_make(&leaf, NULL);
    hf_credential *cred = hf_credential_load_memory(cert->pem, strlen(cert->pem), cert->key_pem,
                                                    strlen(cert->key_pem), NULL, NULL, NULL);
    hf_config *config = hf_config_new(HF_SERVER);
    CHECK(cred);
    CHECK(!hf_config_add_credential(config, cred));
    CHECK_STR(
        detail(config),
        cred ? "certificate CN=leaf: its keyUsage lacks digitalSignature, so TLS cannot use it"
             : "");
    hf_config_free(config);
    hf_credential_free(cred);
    pki_free(cert);
}

static void test_many_credentials(void)
{
    hf_config *config = hf_config_new(HF_SERVER);
    for (int i = 0; i < CONFIG_MAX_CREDENTIALS; i++)
        CHECK(hf_config_add_credential(config, credential));
    CHECK(!hf_config_add_credential(config, credential));
    CHECK_STR(detail(config),
              "more than 64 credentials; use HF_ASK_CREDENTIAL to choose among many");
    hf_config_free(config);
}

/* ---- key log, clock, chance */

static void keep_line(const hf_conn *conn, const char *line, void *arg)
{
    (void)conn;
    snprintf(arg, 400, "%s", line);
}

static void test_keylog(void)
{
    static const char want[] =
        "CLIENT_TRAFFIC_SECRET_0 "
        "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f "
        "a0a1a2a3a4a5a6a7a8a9aaabacadaeafb0b1b2b3b4b5b6b7b8b9babbbcbdbebfc0c1c2c3c4c5c6c7c8c9cacb"
        "cccdcecf";
    const char *path = pki_file("keys.log", "", 0);
    char line[400] = "", text[2000] = "";
    uint8_t random[32], secret[48];
    for (size_t i = 0; i < sizeof random; i++)
        random[i] = (uint8_t)i;
    for (size_t i = 0; i < sizeof secret; i++)
        secret[i] = (uint8_t)(0xa0 + i);
    CHECK_INT(unlink(path), 0);

    hf_config *config = client();
    config_keylog(config, NULL, "CLIENT_TRAFFIC_SECRET_0", random, secret, 48); /* to nowhere */
    CHECK(hf_config_insecure_set_keylog(config, keep_line, line));
    CHECK(hf_config_insecure_set_keylog_file(config, path));
    hf_config *derived = hf_config_derive(config);
    CHECK(config_has_keylog(derived));
    config_keylog(config, NULL, "CLIENT_TRAFFIC_SECRET_0", random, secret, 48);
    CHECK_STR(line, want);
    hf_config_free(config);
    config_keylog(derived, NULL, "SERVER_TRAFFIC_SECRET_0", random, secret, 32);
    hf_config_free(derived);

    struct stat st;
    CHECK_INT(stat(path, &st), 0);
    CHECK_INT(st.st_mode & 0777, 0600);
    FILE *f = fopen(path, "r");
    size_t len = f ? fread(text, 1, sizeof text - 1, f) : 0;
    if (f)
        fclose(f);
    CHECK_INT(len, sizeof want + sizeof want - 32); /* the second secret is 32 digits shorter */
    CHECK_MEM(text, want, sizeof want - 1);
    CHECK(text[sizeof want - 1] == '\n' && text[len - 1] == '\n');
    CHECK_MEM(text + sizeof want, "SERVER_TRAFFIC_SECRET_0 0001", 28);

    config = client();
    CHECK(!hf_config_insecure_set_keylog_file(config, "/nowhere/at/all"));
    CHECK_INT(hf_config_error(config)->os_errno, 2 /* ENOENT */);
    hf_config_free(config);
}

static int64_t fixed_clock(void *arg)
{
    (void)arg;
    return PKI_NOW;
}

static bool fixed_random(void *arg, const char *what, uint8_t *out, size_t n)
{
    *(const char **)arg = what;
    memset(out, 7, n);
    return true;
}

static void test_clock_and_chance(void)
{
    hf_config *config = server();
    int64_t ms = config_now_ms(config), s = config_now(config);
    CHECK(s > 1700000000 && ms / 1000 >= s - 1 && ms / 1000 <= s + 1);
    CHECK(hf_config_set_clock(config, fixed_clock, NULL));
    CHECK_INT(config_now(config), PKI_NOW);
    CHECK_INT(config_now_ms(config), PKI_NOW * 1000LL);

    const char *what = "";
    uint8_t a[16] = {0}, b[16] = {0};
    CHECK(config_random(config, "random", a, sizeof a));
    CHECK(config_random(config, "random", b, sizeof b));
    CHECK(memcmp(a, b, sizeof a) != 0);
    const struct test_hooks hooks = {.arg = &what, .random = fixed_random};
    config->test = &hooks;
    CHECK(config_random(config, "session_id", a, sizeof a));
    CHECK_STR(what, "session_id");
    CHECK_INT(a[15], 7);
    CHECK(hf_config_freeze(config, NULL));
    CHECK_INT(config->cookie_keys[0][31], 7);
    hf_config_free(config);
}

static void test_version(void)
{
    CHECK_INT(hf_api_version(), HF_API_VERSION);
    CHECK(strncmp(hf_version_string(), "handfast ", 9) == 0);
    CHECK(strstr(hf_version_string(), crypto_version()));
}

int main(void)
{
    hf_error err = {0};
    pki = pki_new(PKI_P256, "DNS:server.example");
    setenv("SSL_CERT_FILE", pki_file("roots.pem", pki->root->pem, strlen(pki->root->pem)), 1);
    credential = load(pki);
    trust = hf_trust_new();
    if (!hf_trust_add_memory(trust, pki->root->pem, strlen(pki->root->pem), &err))
        printf("trust: %s\n", err.detail);
    RUN(test_tables);
    RUN(test_sigalg_fits);
    RUN(test_defaults);
    RUN(test_lists);
    RUN(test_refusals);
    RUN(test_setters);
    RUN(test_key_shares);
    RUN(test_bodies);
    RUN(test_freeze_refusals);
    RUN(test_frozen);
    RUN(test_platform_trust);
    RUN(test_derive);
    RUN(test_threads);
    RUN(test_no_memory);
    RUN(test_scheme_for);
    RUN(test_preference);
    RUN(test_select);
    RUN(test_select_chain);
    RUN(test_key_usage);
    RUN(test_many_credentials);
    RUN(test_keylog);
    RUN(test_clock_and_chance);
    RUN(test_version);
    hf_credential_free(credential);
    hf_trust_free(trust);
    pki_clear(pki);
    return check_done();
}
