/* test_security.c: what each security level admits, and what freezing makes of it. */
#include <stdlib.h>

#include "check.h"
#include "config/security.h"
#include "pki.h"

/* The highest level that admits something; -1: none. */
#define HIGHEST(call)                                                                          \
    __extension__({                                                                            \
        int highest = -1;                                                                      \
        for (uint8_t level = 0; level <= 5; level++) {                                         \
            bool admitted = (call);                                                            \
            CHECK(!admitted || highest == level - 1); /* no gaps */                            \
            highest = admitted ? level : highest;                                              \
        }                                                                                      \
        highest;                                                                               \
    })

static void test_bits(void)
{
    static const unsigned want[] = {0, 80, 112, 128, 192, 256};
    for (uint8_t level = 0; level <= 5; level++)
        CHECK_INT(security_bits(level), want[level]);
}

static void test_versions(void)
{
    CHECK_INT(HIGHEST(security_allows_version(level, HF_TLS1_0)), 0);
    CHECK_INT(HIGHEST(security_allows_version(level, HF_TLS1_1)), 0);
    CHECK_INT(HIGHEST(security_allows_version(level, HF_TLS1_2)), 5);
    CHECK_INT(HIGHEST(security_allows_version(level, HF_TLS1_3)), 5);
}

static void test_suites(void)
{
    static const struct {
        uint16_t id;
        int highest;
    } rows[] = {
        {0x1301, 3}, {0x1302, 5}, {0x1303, 5}, {0x1305, 3}, /* TLS 1.3 */
        {0xc02b, 3}, {0xc02c, 5}, {0xcca8, 5}, {0x009f, 5}, /* forward secrecy, AEAD */
        {0xc013, 3}, {0xc014, 3}, {0xc028, 5},              /* CBC: SHA-1 up to 3 */
        {0x002f, 2}, {0x009d, 2}, {0x003d, 2},              /* RSA key exchange */
        {0x00a8, 2}, {0x008d, 2},                           /* PSK alone */
        {0xccac, 5}, {0x00aa, 3}, {0xc036, 3},              /* PSK with forward secrecy */
        {0x0034, 0}, {0xc019, 0}, {0x00a7, 0},              /* anonymous */
        {0x003b, 0}, {0xc010, 0}, {0x002c, 0},              /* NULL */
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const struct suite *s = suite_find(rows[i].id);
        CHECK(s != NULL);
        if (s)
            CHECK_INT(HIGHEST(security_allows_suite(level, s)) + 10 * (int)i,
                      rows[i].highest + 10 * (int)i);
    }
}

static void test_groups(void)
{
    static const struct {
        uint16_t id;
        int highest;
    } rows[] = {{0x0100, 2}, {0x0101, 3}, {0x0102, 3}, {0x0103, 3}, {0x0104, 4},
                {0x001d, 3}, {0x0017, 3}, {0x0018, 4}, {0x0019, 5}, {0x001e, 4},
                {0x11ec, 4}, {0x11eb, 4}, {0x11ed, 5}, {0x0201, 4}, {0x0202, 5}};
    size_t count;
    const struct group *table = group_table(&count);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        for (size_t k = 0; k < count; k++) {
            if (table[k].id == rows[i].id)
                CHECK_INT(HIGHEST(security_allows_group(level, &table[k])), rows[i].highest);
        }
    }
    CHECK_INT(count, sizeof rows / sizeof rows[0]);
}

static void test_sigalgs(void)
{
    static const struct {
        uint16_t id;
        int highest;
    } rows[] = {{0x0201, 0}, {0x0203, 0}, {0x0401, 3}, {0x0403, 3}, {0x0804, 3},
                {0x0809, 3}, {0x0501, 4}, {0x0503, 4}, {0x0805, 4}, {0x0601, 5},
                {0x0603, 5}, {0x0806, 5}, {0x0807, 3}, {0x0808, 4}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const struct sigalg *alg = sigalg_find(rows[i].id);
        CHECK(alg != NULL);
        if (alg)
            CHECK_INT(HIGHEST(security_allows_sigalg(level, alg)), rows[i].highest);
    }
}

static void test_keys(void)
{
    static const struct {
        enum key_kind kind;
        unsigned bits;
        int highest;
    } rows[] = {
        {KEY_RSA, 512, 0},   {KEY_RSA, 1023, 0},     {KEY_RSA, 1024, 1},  {KEY_RSA, 2047, 1},
        {KEY_RSA, 2048, 2},  {KEY_RSA, 3071, 2},     {KEY_RSA, 3072, 3},  {KEY_RSA, 7680, 4},
        {KEY_RSA, 15360, 5}, {KEY_RSA_PSS, 2048, 2}, {KEY_P256, 256, 3},  {KEY_P384, 384, 4},
        {KEY_P521, 521, 5},  {KEY_ED25519, 253, 3},  {KEY_ED448, 456, 4}, {KEY_OTHER, 256, 0}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        CHECK_INT(HIGHEST(security_allows_key(level, rows[i].kind, rows[i].bits)),
                  rows[i].highest);
    CHECK_INT(HIGHEST(security_allows_dh(level, 1023)), -1); /* Logjam */
    CHECK_INT(HIGHEST(security_allows_dh(level, 1024)), 1);
    CHECK_INT(HIGHEST(security_allows_dh(level, 2048)), 2);
    CHECK_INT(HIGHEST(security_allows_dh(level, 8192)), 4);
}

/* ---- freezing */

static hf_credential *make(const struct pki_spec *spec)
{
    struct pki_cert *cert = pki_make(spec, NULL);
    hf_error err = {0};
    hf_credential *cred = hf_credential_load_memory(cert->pem, strlen(cert->pem), cert->key_pem,
                                                    strlen(cert->key_pem), NULL, NULL, &err);
    CHECK_STR(cred ? "" : err.detail, "");
    pki_free(cert);
    return cred;
}

static hf_config *server_with(enum pki_kind kind, const char *key_usage)
{
    hf_config *config = hf_config_new(HF_SERVER);
    hf_credential *cred = make(&(struct pki_spec){
        .kind = kind, .subject = "S", .names = "DNS:a.example", .key_usage = key_usage});
    CHECK(hf_config_add_credential(config, cred));
    hf_credential_free(cred);
    return config;
}

/* What freezing fails with; "" if it does not. */
static const char *frozen(hf_config *config)
{
    static hf_error err;
    err = (hf_error){0};
    return hf_config_freeze(config, &err) ? "" : err.detail;
}

/* Suites that are set, and the range and number that freezing leaves. */
static void test_ranges(void)
{
    static const struct {
        const char *suites; /* NULL: default */
        uint16_t lowest, highest;
        unsigned level;
        uint16_t want_lowest, want_highest;
        size_t count; /* 0: it fails */
    } rows[] = {
        {NULL, HF_TLS1_2, HF_TLS1_3, 2, HF_TLS1_2, HF_TLS1_3, 9},
        {NULL, HF_TLS1_0, HF_TLS1_3, 2, HF_TLS1_2, HF_TLS1_3, 9},
        {NULL, HF_TLS1_0, HF_TLS1_3, 0, HF_TLS1_2, HF_TLS1_3, 9}, /* AEADs only */
        {NULL, HF_TLS1_3, HF_TLS1_3, 2, HF_TLS1_3, HF_TLS1_3, 3},
        {NULL, HF_TLS1_2, HF_TLS1_2, 2, HF_TLS1_2, HF_TLS1_2, 6},
        {NULL, HF_TLS1_0, HF_TLS1_1, 2, 0, 0, 0},
        {NULL, HF_TLS1_0, HF_TLS1_1, 0, 0, 0, 0},
        {"ECDHE-RSA-AES128-SHA", HF_TLS1_0, HF_TLS1_1, 0, HF_TLS1_0, HF_TLS1_1, 1},
        {"ECDHE-RSA-AES128-SHA", HF_TLS1_0, HF_TLS1_1, 1, 0, 0, 0},
        {"ECDHE-RSA-AES128-SHA", HF_TLS1_0, HF_TLS1_3, 0, HF_TLS1_0, HF_TLS1_2, 1},
        {"ECDHE-RSA-AES128-SHA", HF_TLS1_0, HF_TLS1_3, 2, HF_TLS1_2, HF_TLS1_2, 1},
        {"ECDHE-RSA-AES128-SHA", HF_TLS1_3, HF_TLS1_3, 0, 0, 0, 0},
        {"ECDHE-RSA-AES128-GCM-SHA256", HF_TLS1_2, HF_TLS1_3, 2, HF_TLS1_2, HF_TLS1_2, 1},
        {"TLS_AES_128_GCM_SHA256", HF_TLS1_2, HF_TLS1_3, 2, HF_TLS1_3, HF_TLS1_3, 1},
        {"TLS_AES_128_GCM_SHA256:AES128-SHA", HF_TLS1_0, HF_TLS1_3, 0, HF_TLS1_0, HF_TLS1_3, 2},
        {NULL, HF_TLS1_2, HF_TLS1_3, 4, HF_TLS1_2, HF_TLS1_3, 6}, /* 256 bits only */
        {"AES128-SHA", HF_TLS1_2, HF_TLS1_3, 3, 0, 0, 0},         /* no forward secrecy */
        {"PSK-AES128-GCM-SHA256", HF_TLS1_2, HF_TLS1_3, 2, 0, 0, 0},
        {"ADH-AES128-SHA", HF_TLS1_0, HF_TLS1_2, 0, HF_TLS1_0, HF_TLS1_2, 1},
        {"ADH-AES128-SHA", HF_TLS1_0, HF_TLS1_2, 1, 0, 0, 0},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        hf_config *config = hf_config_new(HF_CLIENT);
        CHECK(hf_config_insecure_no_verify(config));
        CHECK(!rows[i].suites || hf_config_set_suites(config, rows[i].suites));
        CHECK(hf_config_set_versions(config, rows[i].lowest, rows[i].highest));
        CHECK(hf_config_insecure_set_security_level(config, rows[i].level));
        bool good = frozen(config)[0] == 0;
        CHECK_INT(good ? (int)i : -1, rows[i].count ? (int)i : -1);
        if (good) {
            CHECK_INT(config->body.version_min, rows[i].want_lowest);
            CHECK_INT(config->body.version_max, rows[i].want_highest);
            CHECK_INT(config->body.suites.count, rows[i].count);
            CHECK_INT(config->version_min, rows[i].lowest);
            CHECK_INT(config->version_max, rows[i].highest);
        }
        hf_config_free(config);
    }
}

static void test_reasons(void)
{
    hf_config *config = hf_config_new(HF_CLIENT);
    CHECK(hf_config_insecure_no_verify(config));
    CHECK(hf_config_set_versions(config, HF_TLS1_0, HF_TLS1_1));
    CHECK_STR(frozen(config),
              "versions TLS 1.0 to TLS 1.1: security level 2 allows nothing below TLS 1.2 (RFC "
              "8996); old peers need hf_config_insecure_set_security_level(config, 0)");
    CHECK(hf_config_set_versions(config, HF_TLS1_2, HF_TLS1_3));
    CHECK(hf_config_set_suites(config, "PSK-AES128-GCM-SHA256"));
    CHECK_STR(
        frozen(config),
        "none of the cipher suites that are set can be used with TLS 1.2 to TLS 1.3 at "
        "security level 2; the first of 1, PSK-AES128-GCM-SHA256, needs a pre-shared key: "
        "hf_config_add_psk()");
    CHECK(hf_config_set_suites(config, "NULL-SHA"));
    CHECK(strstr(frozen(config), "NULL-SHA, is too weak for the security level"));
    CHECK(hf_config_set_suites(config, "TLS_AES_256_GCM_SHA384"));
    CHECK(hf_config_set_groups(config, "x25519"));
    CHECK(hf_config_set_security_level(config, 4));
    CHECK_STR(frozen(config), "security level 4 allows none of the groups that are set");
    CHECK(hf_config_set_groups(config, "P-384:x25519"));
    CHECK(hf_config_set_signatures(config, "rsa_pkcs1_sha1:ecdsa_secp256r1_sha256"));
    CHECK_STR(frozen(config),
              "security level 4 allows none of the signature schemes that are set");
    /* A freezing that failed takes nothing away. */
    CHECK_INT(config->groups.count, 2);
    CHECK(hf_config_set_security_level(config, 2));
    CHECK_STR(frozen(config), "");
    CHECK(config->groups.count == 2 && config->sigalgs.count == 1);
    hf_config_free(config);
}

/* A copy of a frozen configuration gets back what the level took away. */
static void test_derived_level(void)
{
    hf_config *config = hf_config_new(HF_CLIENT);
    CHECK(hf_config_insecure_no_verify(config));
    CHECK(hf_config_set_groups(config, "x25519:ffdhe2048"));
    CHECK(hf_config_set_security_level(config, 3));
    CHECK_STR(frozen(config), "");
    CHECK_INT(config->groups.count, 1);
    hf_config *derived = hf_config_derive(config);
    CHECK(hf_config_set_security_level(derived, 2));
    CHECK_STR(frozen(derived), "");
    CHECK_INT(derived->groups.count, 2);
    hf_config_free(derived);
    hf_config_free(config);
}

/* A server has the suites that its certificates, keys and callbacks can serve. */
static void test_server_suites(void)
{
    static const char all[] =
        "TLS_AES_128_GCM_SHA256:ECDHE-ECDSA-AES128-GCM-SHA256:"
        "ECDHE-RSA-AES128-GCM-SHA256:DHE-RSA-AES128-GCM-SHA256:AES128-SHA:"
        "PSK-AES128-GCM-SHA256:ADH-AES128-SHA";
    static const struct {
        enum pki_kind kind;
        const char *usage;
        uint16_t want[7];
    } rows[] = {
        {PKI_P256, NULL, {0x1301, 0xc02b, 0x0034}},
        {PKI_ED25519, NULL, {0x1301, 0xc02b, 0x0034}},
        {PKI_RSA, NULL, {0x1301, 0xc02f, 0x009e, 0x0034}},
        {PKI_RSA, "digitalSignature,keyEncipherment", {0x1301, 0xc02f, 0x009e, 0x002f, 0x0034}},
        {PKI_RSA, "", {0x1301, 0xc02f, 0x009e, 0x002f, 0x0034}},
        {PKI_RSA, "keyEncipherment", {0x002f, 0x0034}},
        {PKI_RSA_PSS, "", {0x1301, 0xc02f, 0x009e, 0x0034}},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        hf_config *config = server_with(rows[i].kind, rows[i].usage);
        size_t n = 0;
        CHECK(hf_config_set_suites(config, all));
        CHECK(hf_config_insecure_set_security_level(config, 0));
        CHECK_STR(frozen(config), "");
        while (n < 7 && rows[i].want[n])
            n++;
        CHECK_INT(config->body.suites.count + 100 * i, n + 100 * i);
        CHECK_MEM(config->body.suites.id, rows[i].want, n * sizeof(uint16_t));
        CHECK_INT(config->body.version_max, n > 2 ? HF_TLS1_3 : HF_TLS1_2);
        hf_config_free(config);
    }
}

static void test_server_without_certificate(void)
{
    static const uint8_t key[16] = {1};
    hf_config *config = hf_config_new(HF_SERVER);
    CHECK(strncmp(frozen(config), "a server needs a certificate", 28) == 0);
    CHECK(hf_config_add_psk(config, key, 1, key, sizeof key));
    CHECK(hf_config_set_suites(config, "TLS_AES_128_GCM_SHA256:PSK-AES128-GCM-SHA256"));
    CHECK_STR(frozen(config), "");
    /* The key serves both versions. */
    CHECK(config->body.suites.count == 2 && config->body.version_max == HF_TLS1_3);
    hf_config_free(config);
    config = hf_config_new(HF_SERVER);
    CHECK(hf_config_set_suites(config, "ADH-AES128-SHA"));
    CHECK(strstr(frozen(config), "ADH-AES128-SHA, is too weak"));
    CHECK(hf_config_insecure_set_security_level(config, 0));
    CHECK_STR(frozen(config), "");
    hf_config_free(config);
}

static void test_weak_credential(void)
{
    hf_config *config = server_with(PKI_P256, NULL);
    CHECK(hf_config_set_security_level(config, 4));
    CHECK_STR(frozen(config),
              "certificate CN=S: its key, EC P-256, is too weak for security level 4");
    CHECK(hf_config_set_security_level(config, 3));
    CHECK_STR(frozen(config), "");
    hf_config_free(config);
}

static void test_setters(void)
{
    hf_config *config = hf_config_new(HF_CLIENT), *server = hf_config_new(HF_SERVER);
    CHECK_INT(hf_config_security_level(config), 2);
    CHECK_INT(hf_config_security_level(NULL), 0);
    CHECK(hf_config_set_security_level(config, 5));
    CHECK(!hf_config_set_security_level(config, 1));
    CHECK_STR(hf_config_error(config)->detail,
              "security level 1: 2 to 5 are allowed; lower ones weaken security: "
              "hf_config_insecure_set_security_level()");
    CHECK(!hf_config_insecure_set_security_level(server, 6));
    CHECK_STR(hf_config_error(server)->detail, "security level 6: 5 is the highest");
    CHECK(hf_config_set_renegotiation(config, 3));
    CHECK(config->renegotiation && config->renegotiation_max == 3);
    CHECK(hf_config_set_renegotiation(config, 0) && !config->renegotiation);
    CHECK(!config->require_ems && hf_config_require_ems(config, true) && config->require_ems);
    CHECK(config->encrypt_then_mac && hf_config_set_encrypt_then_mac(config, false));
    CHECK(!config->encrypt_then_mac);
    CHECK(hf_config_insecure_allow_unpatched(config, true) && config->allow_unpatched);
    CHECK(hf_config_set_false_start(config, true) && config->false_start);
    CHECK(hf_config_set_fallback(config, true) && config->fallback);
    CHECK(hf_config_set_sct(config, true) && config->sct);
    CHECK(hf_config_set_max_fragment(config, 1024) && config->max_fragment == 1024);
    CHECK(!hf_config_set_max_fragment(config, 1000) && config->max_fragment == 1024);
    CHECK(hf_config_set_max_fragment(config, 0));
    CHECK(!hf_config_set_false_start(server, true) && !hf_config_set_fallback(server, true));
    CHECK(!hf_config_set_sct(server, true) && !hf_config_set_max_fragment(server, 512));
    CHECK(!hf_config_insecure_allow_unpatched(server, true));
    hf_config_free(config);
    hf_config_free(server);
}

/* ---- choosing a certificate for TLS 1.2 and older */

enum { EC, RSA, CIPHER, PSS, ED, CREDENTIALS };

static void test_choose(void)
{
    static const struct pki_spec specs[CREDENTIALS] = {
        [EC] = {.kind = PKI_P256, .subject = "ec", .names = "DNS:ec.example"},
        [RSA] = {.kind = PKI_RSA, .subject = "rsa", .names = "DNS:rsa.example"},
        [CIPHER] = {.kind = PKI_RSA,
                    .subject = "c",
                    .names = "DNS:rsa.example",
                    .key_usage = "keyEncipherment"},
        [PSS] = {.kind = PKI_RSA_PSS, .subject = "pss", .names = "DNS:pss.example"},
        [ED] = {.kind = PKI_ED25519, .subject = "ed", .names = "DNS:ed.example"},
    };
    static const struct {
        uint16_t version;
        enum auth auth;
        bool signs;
        const char *name;
        uint16_t schemes[4];
        uint16_t group; /* 0: any */
        int want;
        uint16_t alg;
    } rows[] = {
        {HF_TLS1_2, AUTH_ECDSA, true, NULL, {0x0403}, 0, EC, 0x0403},
        {HF_TLS1_2, AUTH_ECDSA, true, NULL, {0x0503}, 0, EC, 0x0503}, /* any curve will do */
        {HF_TLS1_2, AUTH_ECDSA, true, NULL, {0x0403}, 0x0017, EC, 0x0403},
        {HF_TLS1_2, AUTH_ECDSA, true, NULL, {0x0403}, 0x0018, -1, 0},
        {HF_TLS1_2, AUTH_ECDSA, true, NULL, {0x0807}, 0x0018, ED, 0x0807},
        {HF_TLS1_2, AUTH_ECDSA, true, "ed.example", {0x0403, 0x0807}, 0, ED, 0x0807},
        {HF_TLS1_2, AUTH_ECDSA, true, "xx.example", {0x0403, 0x0807}, 0, EC, 0x0403},
        {HF_TLS1_2, AUTH_RSA, true, NULL, {0x0401, 0x0403}, 0, RSA, 0x0401},
        {HF_TLS1_2, AUTH_RSA, true, NULL, {0x0401, 0x0804}, 0, RSA, 0x0804}, /* our order */
        {HF_TLS1_2, AUTH_RSA, true, NULL, {0x0809}, 0, PSS, 0x0809},
        {HF_TLS1_2, AUTH_RSA, true, "pss.example", {0x0401, 0x0809}, 0, PSS, 0x0809},
        {HF_TLS1_2, AUTH_RSA, true, NULL, {0x0201}, 0, -1, 0}, /* not by default */
        {HF_TLS1_2, AUTH_RSA, true, NULL, {0x0403}, 0, -1, 0},
        {HF_TLS1_2, AUTH_RSA, false, NULL, {0}, 0, CIPHER, 0},
        {HF_TLS1_2, AUTH_RSA, false, "pss.example", {0}, 0, CIPHER, 0},
        {HF_TLS1_1, AUTH_RSA, false, NULL, {0}, 0, CIPHER, 0},
        {HF_TLS1_0, AUTH_RSA, true, NULL, {0}, 0, RSA, 0},
        {HF_TLS1_0, AUTH_RSA, true, "pss.example", {0}, 0, RSA, 0},
        {HF_TLS1_1, AUTH_ECDSA, true, "ed.example", {0}, 0, EC, 0},
        {HF_TLS1_1, AUTH_ECDSA, true, NULL, {0}, 0x0018, -1, 0},
        {HF_TLS1_2, AUTH_NONE, true, NULL, {0x0403}, 0, -1, 0},
    };
    hf_config *config = hf_config_new(HF_SERVER);
    hf_credential *cred[CREDENTIALS];
    for (size_t i = 0; i < CREDENTIALS; i++) {
        cred[i] = make(&specs[i]);
        CHECK(hf_config_add_credential(config, cred[i]));
    }
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct ids groups = {1, {rows[i].group}};
        struct credential_wish wish = {
            .version = rows[i].version,
            .auth = rows[i].auth,
            .signs = rows[i].signs,
            .name = rows[i].name,
            .schemes = rows[i].schemes,
            .groups = rows[i].group ? &groups : NULL,
        };
        uint16_t alg = 0xffff;
        int which = -1;
        while (wish.scheme_count < 4 && rows[i].schemes[wish.scheme_count])
            wish.scheme_count++;
        const hf_credential *got = config_credential12(config, &wish, &alg);
        for (int k = 0; k < CREDENTIALS; k++)
            which = got == cred[k] ? k : which;
        CHECK_INT(which + 100 * (int)i, rows[i].want + 100 * (int)i);
        CHECK_INT(alg, rows[i].alg);
    }
    /* A key for encipherment signs nothing, in TLS 1.3 neither. */
    uint16_t scheme = 0x0804, alg = 0;
    CHECK(config_credential(config, "rsa.example", &scheme, 1, &alg) == cred[RSA]);
    CHECK_INT(config_scheme_for(config, cred[CIPHER], &scheme, 1), 0);
    CHECK_INT(config_scheme12(config, cred[CIPHER], &scheme, 1), 0);
    scheme = 0x0401;
    CHECK_INT(config_scheme12(config, cred[RSA], &scheme, 1), 0x0401);
    CHECK_INT(config_scheme_for(config, cred[RSA], &scheme, 1), 0);
    /* SHA-1 where somebody wants it. */
    CHECK(hf_config_set_signatures(config, "ecdsa_sha1:rsa_pkcs1_sha1"));
    scheme = 0x0201;
    CHECK_INT(config_scheme12(config, cred[RSA], &scheme, 1), 0x0201);
    scheme = 0x0203;
    CHECK_INT(config_scheme12(config, cred[EC], &scheme, 1), 0x0203);
    CHECK_INT(config_scheme12(config, cred[ED], &scheme, 1), 0);
    for (size_t i = 0; i < CREDENTIALS; i++)
        hf_credential_free(cred[i]);
    hf_config_free(config);
}

int main(void)
{
    RUN(test_bits);
    RUN(test_versions);
    RUN(test_suites);
    RUN(test_groups);
    RUN(test_sigalgs);
    RUN(test_keys);
    RUN(test_ranges);
    RUN(test_reasons);
    RUN(test_derived_level);
    RUN(test_server_suites);
    RUN(test_server_without_certificate);
    RUN(test_weak_credential);
    RUN(test_setters);
    RUN(test_choose);
    return check_done();
}
