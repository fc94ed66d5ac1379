/* test_ciphers.c: OpenSSL's cipher-list language, beside the openssl command where there is
 * one. */
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>

#include "check.h"
#include "config/ciphers.h"
#include "config/usable.h"

#define LINE_MAX_LEN 65536

/* ---- openssl's answer */

/* The names that `openssl ciphers ARGUMENTS 'STRING'` prints, those of TLS 1.3 and of suites
 * that we do not have left out. false: it refused. -1 for no openssl at all is for can_ask. */
static bool openssl_says(const char *arguments, const char *string, struct ids *out)
{
    static char line[LINE_MAX_LEN];
    char command[2048];
    size_t count;
    const struct suite *table = suite_table(&count);

    *out = (struct ids){0};
    CHECK(!strchr(string, '\''));
    snprintf(command, sizeof command, "openssl ciphers %s '%s' 2>/dev/null", arguments, string);
    FILE *pipe = popen(command, "r");
    if (!pipe)
        return false;
    line[0] = 0;
    (void)!fgets(line, sizeof line, pipe);
    bool good = pclose(pipe) == 0;
    for (char *name = strtok(line, ":\n"); good && name; name = strtok(NULL, ":\n")) {
        for (size_t i = 0; i < count; i++) {
            if (table[i].version_max < HF_TLS1_3 && strcmp(table[i].openssl, name) == 0)
                out->id[out->count++] = table[i].id;
        }
    }
    return good && out->count > 0;
}

/* OpenSSL 3.0's language: later versions say other things about some words. */
static bool can_ask(void)
{
    char line[256] = "";
    FILE *pipe = popen("openssl version 2>/dev/null", "r");
    if (pipe) {
        (void)!fgets(line, sizeof line, pipe);
        pclose(pipe);
    }
    return strncmp(line, "OpenSSL 3.0.", 12) == 0;
}

/* RFC 8442's suites, which OpenSSL does not know. */
static void without_ours(struct ids *ids)
{
    size_t n = 0;
    for (size_t i = 0; i < ids->count; i++) {
        if (ids->id[i] >> 8 != 0xd0)
            ids->id[n++] = ids->id[i];
    }
    ids->count = n;
}

/* ---- the comparison */

static unsigned compared, differing;

static void compare(const char *string)
{
    struct ids theirs, ours = {0};
    uint8_t level = 2;
    hf_error err = {0};
    bool they = openssl_says("", string, &theirs);
    bool we = ciphers_parse(string, &ours, &level, &err);

    without_ours(&ours);
    we = we && ours.count > 0;
    compared++;
    bool same = they == we && theirs.count == ours.count &&
                memcmp(theirs.id, ours.id, ours.count * sizeof ours.id[0]) == 0;
    if (same)
        return;
    differing++;
    printf("    '%s': openssl %zu suites, we %zu %s\n", string, theirs.count, ours.count,
           err.detail);
    for (size_t i = 0; i < theirs.count || i < ours.count; i++) {
        if (i < theirs.count && i < ours.count && theirs.id[i] == ours.id[i])
            continue;
        printf("    first difference at %zu: %s, %s\n", i,
               i < theirs.count ? hf_suite_name(theirs.id[i]) : "-",
               i < ours.count ? hf_suite_name(ours.id[i]) : "-");
        break;
    }
}

static const char *const by_hand[] = {
    "ALL",
    "COMPLEMENTOFALL",
    "ALL:COMPLEMENTOFALL",
    "DEFAULT",
    "COMPLEMENTOFDEFAULT",
    "HIGH",
    "MEDIUM",
    "LOW",
    "FIPS",
    "eNULL",
    "NULL",
    "aNULL",
    "kRSA",
    "aRSA",
    "RSA",
    "kDHE",
    "kEDH",
    "DHE",
    "EDH",
    "kECDHE",
    "kEECDH",
    "ECDHE",
    "EECDH",
    "ADH",
    "AECDH",
    "aECDSA",
    "ECDSA",
    "aDSS",
    "DSS",
    "PSK",
    "kPSK",
    "kECDHEPSK",
    "kDHEPSK",
    "kRSAPSK",
    "aPSK",
    "AES128",
    "AES256",
    "AES",
    "AESGCM",
    "AESCCM",
    "AESCCM8",
    "CHACHA20",
    "CBC",
    "CAMELLIA",
    "CAMELLIA128",
    "ARIA",
    "ARIA256",
    "3DES",
    "RC4",
    "RC2",
    "IDEA",
    "SEED",
    "MD5",
    "SHA1",
    "SHA",
    "SHA256",
    "SHA384",
    "SSLv3",
    "TLSv1",
    "TLSv1.0",
    "TLSv1.1",
    "TLSv1.2",
    "TLSv1.3",
    "EXP",
    "EXPORT40",
    "DH",
    "ECDH",
    "SRP",
    "kSRP",
    "aSRP",
    "kGOST",
    "aGOST",
    "SUITEB128",
    "SUITEB128ONLY",
    "SUITEB128C2",
    "SUITEB192",
    "SUITEB128:AES",
    "SUITEB128FOO",
    "AES:SUITEB128",
    "SUITEB",
    "DEFAULTAES",
    "DEFAULT+AES",
    "DEFAULT-AES",
    "DEFAULT!AES",
    "AES:DEFAULT",
    "DEFAULT:DEFAULT",
    "DEFAULT:!AES:NULL",
    "DEFAULT,AES",
    "DEFAULT;",
    "DEFAULT:@SECLEVEL=1",
    "DEFAULT@SECLEVEL=0",
    "AES,kRSA",
    "AES kRSA",
    "AES;kRSA",
    "AES/kRSA",
    " AES128",
    "AES128 ",
    "::AES128::",
    "",
    ":",
    "@STRENGTH",
    "AES:@STRENGTH",
    "AES128:AES256:@STRENGTH",
    "AES:@FOO",
    "AES:@SECLEVEL=9",
    "AES:@SECLEVEL=10",
    "AES:@SECLEVEL=3",
    "AES:@SECLEVEL=",
    "AES:@SECLEVEL=-",
    "AES:@STRENGTHX",
    "AES:@STRENGTH+foo:kRSA",
    "AES:@STRENGTH kRSA",
    "AES:@",
    "AES:-",
    "AES:+",
    "AES:!",
    "AES:- kRSA",
    "AES:+:kRSA",
    "AES++kRSA",
    "AES+",
    "!!AES",
    "aes",
    "kRSA+DHE",
    "AES+kRSA+",
    "FOO+AES",
    "AES+FOO",
    "FOO",
    "FOO:AES",
    "AES:FOO",
    "+AES",
    "!AES",
    "AES:!FOO",
    "AES:!FOO+BAR",
    "AES+3DES",
    "3DES+CAMELLIA",
    "HIGH+FIPS",
    "HIGH+MEDIUM",
    "TLSv1+TLSv1.2",
    "TLSv1.2+SHA1",
    "TLSv1+SHA256",
    "SSLv3+ECDHE",
    "SSLv3+PSK",
    "TLSv1+PSK",
    "TLSv1+kPSK",
    "FIPS+kRSA",
    "FIPS+aNULL",
    "CBC+TLSv1.2",
    "AES128-SHA",
    "AES128-SHA+kRSA",
    "AES128-SHA+DHE",
    "AES128-SHA+TLSv1",
    "TLSv1.2+AES128-SHA",
    "NULL-SHA+HIGH",
    "NULL-SHA+eNULL",
    "AES128-SHA+AES256-SHA",
    "AES256-SHA:AES128-SHA",
    "ECDHE-RSA-AES128-GCM-SHA256:ECDHE-RSA-AES256-GCM-SHA384",
    "DES-CBC3-SHA",
    "AES128-SHA:DES-CBC3-SHA",
    "ALL:!aNULL:!eNULL",
    "ALL:eNULL:!PSK",
    "ALL:-SHA:SHA",
    "ALL:+SHA:+kRSA",
    "ALL:-AES:+CHACHA20:AES",
    "ALL:COMPLEMENTOFALL:-COMPLEMENTOFALL:+AES:COMPLEMENTOFALL",
    "eNULL:ALL",
    "kRSA:ECDHE:!SHA",
    "HIGH:!aNULL:!MD5",
    "HIGH:!aNULL:!eNULL:!EXPORT:!DES:!RC4:!MD5:!PSK:!SRP:!CAMELLIA",
    "ECDHE+AESGCM:ECDHE+CHACHA20:DHE+AESGCM:DHE+CHACHA20:ECDHE+AES:DHE+AES:RSA+AESGCM:RSA+AES:!aNULL",
    "EECDH+AESGCM:EDH+AESGCM:AES256+EECDH:AES256+EDH",
    "ECDH+AESGCM:DH+AESGCM:ECDH+AES256:DH+AES256:ECDH+AES128:DH+AES:RSA+AESGCM:RSA+AES:!aNULL:!MD5:!DSS",
    "HIGH:MEDIUM:+3DES:!aNULL",
    "kEECDH+ECDSA:kEECDH:kEDH:HIGH:MEDIUM:+SHA1:+MD5:+RC4:!aNULL",
    "ALL:!ADH:!LOW:!EXP:!MD5:@STRENGTH",
    "TLSv1.2:!aNULL:!eNULL:@STRENGTH",
    "AES256:AES128:-kRSA:kRSA",
    "PSK:!kPSK",
    "PSK+AESGCM",
    "kDHEPSK+CHACHA20:kECDHEPSK+SHA256",
    "aPSK+eNULL",
    "NULL:@STRENGTH",
    "ALL:eNULL:@STRENGTH",
    "AES128:+AES128+kRSA:-ECDHE:ECDHE",
    "AECDH:ADH:+SHA256",
    "AECDH+NULL:ADH",
    "!AES:AES",
    "AES:!AES:AES",
    "AES:-AES128:AES256:AES128",
    "aECDSA:aRSA:aPSK:aNULL",
    "aNULL:aPSK:aRSA:aECDSA:eNULL",
    "kPSK+aPSK",
    "kRSA+aRSA",
    "kECDHE+aRSA",
    "ECDHE+aNULL",
    "kECDHE+aNULL",
    "DHE+aDSS",
    "aRSA+aECDSA",
    "AES128+AES256",
    "AES+AESGCM",
    "AESCCM+AES128",
    "AESCCM8+AES256",
    "SHA1+SHA",
    "SHA256+SHA384",
    "CHACHA20+PSK:CHACHA20",
    "COMPLEMENTOFDEFAULT+ECDHE",
    "COMPLEMENTOFDEFAULT+HIGH",
    "HIGH+COMPLEMENTOFDEFAULT",
    "COMPLEMENTOFDEFAULT+AES128-CCM",
    "COMPLEMENTOFDEFAULT+aNULL",
    "ALL:!COMPLEMENTOFDEFAULT",
    "ALL:-COMPLEMENTOFDEFAULT:+kRSA:COMPLEMENTOFDEFAULT+AESCCM",
};

/* Strings of random rules, the same in every run. */
static uint32_t dice(uint32_t sides)
{
    static uint32_t state = 20260921;
    state ^= state << 13;
    state ^= state >> 17;
    state ^= state << 5;
    return state % sides;
}

static void generate(char *out, size_t size)
{
    static const char *const pool[] = {
        "ALL",
        "COMPLEMENTOFALL",
        "COMPLEMENTOFDEFAULT",
        "HIGH",
        "FIPS",
        "kRSA",
        "aRSA",
        "RSA",
        "DHE",
        "kDHE",
        "ECDHE",
        "kECDHE",
        "ADH",
        "AECDH",
        "ECDSA",
        "PSK",
        "kPSK",
        "kDHEPSK",
        "kECDHEPSK",
        "aPSK",
        "aNULL",
        "eNULL",
        "AES128",
        "AES256",
        "AES",
        "AESGCM",
        "AESCCM",
        "AESCCM8",
        "CHACHA20",
        "CBC",
        "CAMELLIA",
        "3DES",
        "SHA1",
        "SHA256",
        "SHA384",
        "MD5",
        "TLSv1",
        "TLSv1.2",
        "SSLv3",
        "NONSENSE",
        "AES128-SHA",
        "ECDHE-RSA-AES128-GCM-SHA256",
        "DHE-RSA-CHACHA20-POLY1305",
        "PSK-NULL-SHA",
        "ECDHE-RSA-CAMELLIA128-SHA256",
    };
    enum { POOL = sizeof pool / sizeof pool[0] };
    size_t len = 0;
    unsigned rules = 1 + dice(7);

    out[0] = 0;
    for (unsigned i = 0; i < rules; i++) {
        static const char *const prefixes[] = {"", "", "", "", "+", "-", "!"};
        bool command = i > 0 && dice(9) == 0;
        unsigned more = dice(3) == 0 ? 1 + dice(2) : 0;
        len += (size_t)snprintf(out + len, size - len, "%s%s%s", i ? ":" : "",
                                command ? "@STRENGTH"
                                : i     ? prefixes[dice(7)]
                                        : "",
                                command ? "" : pool[dice(POOL)]);
        while (!command && more-- > 0)
            len += (size_t)snprintf(out + len, size - len, "+%s", pool[dice(POOL)]);
    }
}

static void test_like_openssl(void)
{
    ROW("T48");
    char string[512];
    size_t count;
    const struct suite *table = suite_table(&count);

    if (!can_ask())
        SKIP("there is no openssl command of version 3.0 to compare with");
    for (size_t i = 0; i < sizeof by_hand / sizeof by_hand[0]; i++)
        compare(by_hand[i]);
    for (size_t i = 0; i < count; i++) {
        if (table[i].version_max < HF_TLS1_3 && table[i].id >> 8 != 0xd0)
            compare(table[i].openssl);
    }
    for (int i = 0; i < 400; i++) {
        generate(string, sizeof string);
        compare(string);
    }
    printf("    %u strings compared\n", compared);
    CHECK_INT(differing, 0);
    CHECK(compared >= 600);
}

/* ---- security levels */

/* What is supported at a level, PSK and anonymous suites among it. */
static void test_levels_like_openssl(void)
{
    ROW("T48");
    if (!can_ask())
        SKIP("there is no openssl command of version 3.0 to compare with");
    for (unsigned level = 0; level <= 5; level++) {
        struct ids theirs, ours = {0};
        char string[64];
        hf_config *config = hf_config_new(HF_CLIENT);
        snprintf(string, sizeof string, "ALL:COMPLEMENTOFALL:@SECLEVEL=%u", level);
        CHECK(openssl_says("-s -tls1_2", string, &theirs));
        CHECK(hf_config_set_versions(config, HF_TLS1_2, HF_TLS1_2));
        CHECK(hf_config_set_ciphers(config, string));
        CHECK_INT(hf_config_security_level(config), level);
        /* A client that verifies uses no anonymous suite, whatever the level. */
        CHECK(usable_suite(config, suite_find(0xc018)) == false);
        CHECK(hf_config_insecure_no_verify(config));
        for (size_t i = 0; i < config->suites.count; i++) {
            if (usable_suite(config, suite_find(config->suites.id[i])))
                ours.id[ours.count++] = config->suites.id[i];
        }
        CHECK_INT(ours.count, theirs.count);
        CHECK_MEM(ours.id, theirs.id, ours.count * sizeof ours.id[0]);
        hf_config_free(config);
    }
}

/* ---- on its own */

static const char *refusal(const char *string)
{
    static hf_error err;
    struct ids ids = {.count = 7};
    uint8_t level = 2;
    err = (hf_error){0};
    CHECK(!ciphers_parse(string, &ids, &level, &err));
    CHECK(ids.count == 7 && level == 2);
    return err.detail;
}

static void test_refusals(void)
{
    ROW("Y120");
    CHECK_STR(refusal(NULL), "the cipher string is NULL");
    CHECK_STR(refusal(""), "cipher string '': no suite of TLS 1.2 or older matches");
    CHECK_STR(refusal("RC4:3DES"),
              "cipher string 'RC4:3DES': no suite of TLS 1.2 or older matches");
    CHECK_STR(refusal("RC4:aes:foo"),
              "cipher string 'RC4:aes:foo': no suite of TLS 1.2 or older "
              "matches; nothing is known as 'aes'");
    CHECK_STR(refusal("TLS_AES_128_GCM_SHA256"),
              "cipher string 'TLS_AES_128_GCM_SHA256': no suite of TLS 1.2 or older matches; "
              "nothing is known as 'TLS_AES_128_GCM_SHA256'");
    CHECK_STR(refusal("AES:(x)"),
              "cipher string: '(x)' is not understood: a word, @STRENGTH or "
              "@SECLEVEL=0 to 5 is expected");
    CHECK_STR(refusal("AES:@SECLEVEL=6:kRSA"),
              "cipher string: 'SECLEVEL=6:kRSA' is not understood: a word, @STRENGTH or "
              "@SECLEVEL=0 to 5 is expected");
}

static void test_names(void)
{
    struct ids ids;
    uint8_t level = 2;
    CHECK(ciphers_parse("TLS_RSA_WITH_AES_128_CBC_SHA:TLS_ECDHE_PSK_WITH_AES_128_GCM_SHA256:"
                        "ECDHE-PSK-AES256-GCM-SHA384:AES256-SHA:@SECLEVEL=1",
                        &ids, &level, NULL));
    CHECK_INT(ids.count, 4);
    CHECK(ids.id[0] == 0x002f && ids.id[1] == 0xd001 && ids.id[2] == 0xd002 &&
          ids.id[3] == 0x0035);
    CHECK_INT(level, 1);
}

static void test_setter(void)
{
    ROW("Y120 Y121");
    hf_config *config = hf_config_new(HF_CLIENT);
    hf_suite_info info[4];
    CHECK(hf_config_set_suites(config, "AES128-SHA:TLS_AES_256_GCM_SHA384"));
    CHECK(hf_config_set_ciphers(config, "AES256-SHA256:NULL-SHA"));
    /* The suites of TLS 1.3 stay, and come first. */
    CHECK_INT(hf_config_suites(config, false, info, 4), 3);
    CHECK_STR(info[0].name, "TLS_AES_256_GCM_SHA384");
    CHECK_STR(info[1].name, "TLS_RSA_WITH_AES_256_CBC_SHA256");
    CHECK_STR(info[1].openssl_name, "AES256-SHA256");
    CHECK_STR(info[1].encryption, "AES(256)");
    CHECK_STR(info[1].mac, "SHA256");
    CHECK_STR(info[1].key_exchange, "RSA");
    CHECK_STR(info[1].authentication, "RSA");
    CHECK(info[1].bits == 256 && info[1].version_min == HF_TLS1_2 && !info[1].by_default);
    CHECK_STR(info[2].encryption, "none");
    CHECK_INT(hf_config_suites(config, true, info, 1), 2); /* NULL needs level 0 */
    CHECK(hf_config_set_ciphers(config, "AES128-SHA:NULL-SHA:@SECLEVEL=0"));
    CHECK_INT(hf_config_suites(config, true, NULL, 0), 3);
    CHECK_INT(hf_config_security_level(config), 0);
    /* A string that fails changes nothing. */
    CHECK(!hf_config_set_ciphers(config, "FOO:@SECLEVEL=4"));
    CHECK_INT(hf_config_suites(config, false, NULL, 0), 3);
    CHECK_INT(hf_config_security_level(config), 0);
    CHECK(!hf_config_set_ciphers(NULL, "ALL"));
    CHECK_INT(hf_config_suites(NULL, false, NULL, 0), 0);
    hf_config_free(config);
}

static void test_all_suites(void)
{
    static hf_suite_info info[CONFIG_MAX_LIST];
    size_t n = hf_all_suites(info, CONFIG_MAX_LIST), defaults = 0;
    CHECK_INT(n, 97);
    CHECK_INT(hf_all_suites(NULL, 0), n);
    for (size_t i = 0; i < n; i++) {
        CHECK_STR(hf_suite_name(info[i].id), info[i].name);
        CHECK(info[i].version_min <= info[i].version_max);
        CHECK(suite_find(info[i].id) && suite_find(info[i].id)->id == info[i].id);
        defaults += info[i].by_default;
    }
    CHECK_INT(defaults, 9);
}

int main(void)
{
    RUN(test_like_openssl);
    RUN(test_levels_like_openssl);
    RUN(test_refusals);
    RUN(test_names);
    RUN(test_setter);
    RUN(test_all_suites);
    return check_done();
}
