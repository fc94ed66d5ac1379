/* Rules of verification: the setters, and pins (RFC 7469). */
#include <openssl/x509_vfy.h>
#include <stdlib.h>

#include "check.h"
#include "config/config.h"
#include "pki.h"
#include "x509/intern.h"
#include "x509/rules.h"
#include "x509/verdict.h"

static struct pki *pki;
static struct chain *chain;
static hf_trust *trust;
static hf_error last;

static bool says(const char *text)
{
    bool found = strstr(last.detail, text) != NULL;
    if (!found)
        printf("    the detail is: %s\n", last.detail);
    return found;
}

/* Verifies with the configuration's rules; twice, for what is remembered may change nothing. */
static hf_code judge(const hf_config *config)
{
    struct verify_options o = {.name = "server.example",
                               .server = true,
                               .depth = 10,
                               .now = PKI_NOW,
                               .level = 2,
                               .rules = config->rules};
    hf_error again = {0};
    last = (hf_error){0};
    bool ok = chain_verify(chain, trust, &o, &last);
    CHECK(chain_verify(chain, trust, &o, &again) == ok && again.code == last.code);
    CHECK(ok == (last.code == HF_OK));
    return last.code;
}

static const uint8_t *key_hash(const struct pki_cert *cert, uint8_t out[32])
{
    hf_certificate *c = hf_certificate_parse(cert->der, cert->der_len, NULL);
    memcpy(out, hf_certificate_key_sha256(c), 32);
    hf_certificate_free(c);
    return out;
}

static void hex_of(const uint8_t *p, char out[65])
{
    for (int i = 0; i < 32; i++)
        snprintf(out + 2 * i, 3, "%02x", p[i]);
}

static void test_pin_certificate(void)
{
    static const uint8_t other[32] = {1, 2, 3};
    char text[65];
    hf_config *config = hf_config_new(HF_CLIENT);
    CHECK_INT(judge(config), HF_OK);
    CHECK(hf_config_add_pin_certificate(config, other));
    CHECK_INT(judge(config), HF_E_PIN_MISMATCH);
    CHECK(last.alert == 46 && last.x509_depth == 0 &&
          last.x509_code == X509_V_ERR_APPLICATION_VERIFICATION);
    hex_of(chain->cert[0]->sha256, text);
    CHECK(says(text) && says("certificate 0 'CN=Test Leaf'"));
    hex_of(chain->cert[0]->key_sha256, text);
    CHECK(says(text) && !last.truncated);
    CHECK(hf_config_add_pin_certificate(config, hf_certificate_sha256(chain->cert[0])));
    CHECK_INT(judge(config), HF_OK);
    hf_config_free(config);
    /* a whole certificate is the peer's own */
    config = hf_config_new(HF_CLIENT);
    CHECK(hf_config_add_pin_certificate(config, hf_certificate_sha256(chain->cert[1])));
    CHECK_INT(judge(config), HF_E_PIN_MISMATCH);
    hf_config_free(config);
}

static void test_pin_key(void)
{
    uint8_t hash[32];
    const struct pki_cert *path[] = {pki->leaf, pki->mid, pki->root};
    for (int i = 0; i < 3; i++) {
        hf_config *config = hf_config_new(HF_CLIENT);
        CHECK(hf_config_add_pin_key(config, key_hash(path[i], hash)));
        CHECK_INT(judge(config), HF_OK);
        hf_config_free(config);
        /* the hash of a key is not that of a certificate */
        config = hf_config_new(HF_CLIENT);
        CHECK(hf_config_add_pin_certificate(config, hash));
        CHECK_INT(judge(config), HF_E_PIN_MISMATCH);
        hf_config_free(config);
    }
}

/* A pin does not replace verification, and what a peer sends besides its path proves nothing. */
static void test_pins_come_on_top(void)
{
    uint8_t hash[32];
    hf_config *config = hf_config_new(HF_CLIENT);
    struct pki_cert *own =
        pki_make(&(struct pki_spec){.subject = "Own", .names = "DNS:server.example"}, NULL);
    hf_certificate *certs[] = {
        hf_certificate_parse(own->der, own->der_len, NULL),
        hf_certificate_parse(pki->mid->der, pki->mid->der_len, NULL),
    };
    struct chain *kept = chain;
    chain = chain_new(certs, 2);
    CHECK(hf_config_add_pin_key(config, key_hash(own, hash)));
    CHECK_INT(judge(config), HF_E_SELF_SIGNED);
    /* alone: the own certificate only */
    CHECK(chain_pinned(chain, config->rules, NULL));
    CHECK(chain_pinned(chain, NULL, NULL));
    hf_config_free(config);
    config = hf_config_new(HF_CLIENT);
    CHECK(hf_config_add_pin_key(config, key_hash(pki->mid, hash)));
    last = (hf_error){0};
    CHECK(!chain_pinned(chain, config->rules, &last) && last.code == HF_E_PIN_MISMATCH);
    chain_free(chain);
    chain = kept;
    CHECK(!chain_pinned(chain, config->rules, NULL)); /* unverified: not even its issuer */
    CHECK_INT(judge(config), HF_OK);
    hf_config_free(config);
    hf_certificate_free(certs[0]);
    hf_certificate_free(certs[1]);
    pki_free(own);
}

static bool accept_all(hf_conn *conn, int depth, const hf_certificate *certificate,
                       const hf_error *verdict, void *arg)
{
    (void)conn, (void)depth, (void)certificate;
    ++*(int *)arg;
    return verdict->code != HF_E_PIN_MISMATCH;
}

/* Where the callback let a fault pass, the path is not verified, and its keys do not count. */
static void test_pins_and_callback(void)
{
    uint8_t hash[32];
    int asked = 0;
    hf_config *config = hf_config_new(HF_CLIENT);
    hf_trust *kept = trust;
    CHECK(hf_config_add_pin_key(config, key_hash(pki->mid, hash)));
    CHECK(hf_config_insecure_set_verify_callback(config, accept_all, &asked));
    CHECK_INT(judge(config), HF_OK);
    CHECK_INT(asked, 0);
    trust = hf_trust_new();
    CHECK_INT(judge(config), HF_E_PIN_MISMATCH);
    CHECK_INT(asked, 4); /* untrusted, pin; twice */
    hf_trust_free(trust);
    trust = kept;
    hf_config_free(config);
}

/* ---- what is remembered */

static void test_rules_are_remembered(void)
{
    uint8_t hash[32];
    hf_config *plain = hf_config_new(HF_CLIENT), *good = hf_config_new(HF_CLIENT),
              *bad = hf_config_new(HF_CLIENT), *lists = hf_config_new(HF_CLIENT),
              *strict = hf_config_new(HF_CLIENT), *policy = hf_config_new(HF_CLIENT);
    verdict_clear();
    CHECK(hf_config_add_pin_key(good, key_hash(pki->root, hash)));
    CHECK(hf_config_add_pin_key(bad, key_hash(pki->root, hash) + 0));
    hash[0] ^= 1;
    hf_config_free(bad);
    bad = hf_config_new(HF_CLIENT);
    CHECK(hf_config_add_pin_key(bad, hash));
    CHECK(hf_config_set_crl_check(lists, HF_CRL_LEAF));
    CHECK(hf_config_set_verify_flags(strict, RULES_DEFAULT | HF_VERIFY_STRICT));
    CHECK(hf_config_add_policy(policy, "1.2.3.4"));
    for (int i = 0; i < 2; i++) {
        CHECK_INT(judge(plain), HF_OK);
        CHECK_INT(judge(good), HF_OK);
        CHECK_INT(judge(bad), HF_E_PIN_MISMATCH);
        CHECK_INT(judge(lists), HF_E_NO_CRL);
        CHECK_INT(judge(strict), HF_OK);
        CHECK_INT(judge(policy), HF_E_WRONG_POLICY);
    }
    CHECK_INT(verdict_chain_count(), 3);
    hf_config_free(plain);
    hf_config_free(good);
    hf_config_free(bad);
    hf_config_free(lists);
    hf_config_free(strict);
    hf_config_free(policy);
}

/* ---- setters */

static hf_code failure(const hf_config *config)
{
    const hf_error *err = hf_config_error(config);
    last = err ? *err : (hf_error){0};
    return last.code;
}

static void test_setters(void)
{
    ROW("Y60");
    hf_config *config = hf_config_new(HF_CLIENT);
    CHECK_INT(hf_config_verify_flags(config),
              HF_VERIFY_TRUSTED_FIRST | HF_VERIFY_PARTIAL_CHAIN);
    CHECK(config->rules == NULL);
    CHECK(hf_config_set_verify_flags(config, HF_VERIFY_STRICT | HF_VERIFY_PROXY_CERTS));
    CHECK_INT(hf_config_verify_flags(config), HF_VERIFY_STRICT | HF_VERIFY_PROXY_CERTS);
    struct verify_rules *before = config->rules;
    CHECK(!hf_config_set_verify_flags(config, 0x8000) && failure(config) == HF_E_CONFIG &&
          says("0x8000 is not known"));
    CHECK(config->rules == before); /* what fails changes nothing */
    hf_config_free(config);
    config = hf_config_new(HF_CLIENT);
    CHECK(!hf_config_set_crl_check(config, (hf_crl_check)3) && failure(config) == HF_E_CONFIG);
    hf_config_free(config);
    static const char *const bad[] = {"", "serverAuth", "1", "1.2.x", "9.9.9.9", NULL};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        config = hf_config_new(HF_CLIENT);
        CHECK(!hf_config_add_policy(config, bad[i]));
        CHECK(failure(config) == HF_E_CONFIG && says("is not an object identifier"));
        hf_config_free(config);
    }
    config = hf_config_new(HF_CLIENT);
    CHECK(!hf_config_add_pin_key(config, NULL) && failure(config) == HF_E_USAGE);
    hf_config_free(config);
}

static void test_limits(void)
{
    uint8_t hash[32] = {0};
    hf_config *config = hf_config_new(HF_CLIENT);
    for (unsigned i = 0; i < RULES_MAX_PINS; i++) {
        hash[0] = (uint8_t)i;
        CHECK(hf_config_add_pin_key(config, hash));
    }
    CHECK(!hf_config_add_pin_certificate(config, hash) && failure(config) == HF_E_CONFIG);
    for (unsigned i = 0; i < RULES_MAX_POLICIES; i++)
        CHECK(hf_config_add_policy(config, "1.2.3.4"));
    CHECK(!hf_config_add_policy(config, "1.2.3.4"));
    hf_config_free(config);
}

static void test_derived(void)
{
    hf_config *config = hf_config_new(HF_CLIENT);
    CHECK(hf_config_set_trust(config, trust));
    CHECK(hf_config_set_crl_check(config, HF_CRL_LEAF));
    CHECK(hf_config_freeze(config, NULL));
    CHECK(!hf_config_set_crl_check(config, HF_CRL_NONE) && !hf_config_error(config));
    hf_config *derived = hf_config_derive(config);
    CHECK(derived->rules == config->rules);
    CHECK(hf_config_set_crl_check(derived, HF_CRL_NONE));
    CHECK_INT(config->rules->crl, HF_CRL_LEAF);
    CHECK_INT(judge(config), HF_E_NO_CRL);
    CHECK_INT(judge(derived), HF_OK);
    hf_config_free(config);
    hf_config_free(derived);
}

static void test_no_memory(void)
{
    ROW("C14");
    hf_config *config = hf_config_new(HF_CLIENT);
    mem_test_fail_after(1);
    CHECK(!hf_config_set_crl_check(config, HF_CRL_LEAF));
    mem_test_fail_after(0);
    CHECK(failure(config) == HF_E_NO_MEMORY && !config->rules);
    hf_config_free(config);
}

int main(void)
{
    pki = pki_new(PKI_P256, "DNS:server.example");
    hf_certificate *certs[] = {
        hf_certificate_parse(pki->leaf->der, pki->leaf->der_len, NULL),
        hf_certificate_parse(pki->mid->der, pki->mid->der_len, NULL),
    };
    chain = chain_new(certs, 2);
    hf_certificate_free(certs[0]);
    hf_certificate_free(certs[1]);
    trust = hf_trust_new();
    CHECK(hf_trust_add_memory(trust, pki->root->der, pki->root->der_len, NULL));
    RUN(test_pin_certificate);
    RUN(test_pin_key);
    RUN(test_pins_come_on_top);
    RUN(test_pins_and_callback);
    RUN(test_rules_are_remembered);
    RUN(test_setters);
    RUN(test_limits);
    RUN(test_derived);
    RUN(test_no_memory);
    hf_trust_free(trust);
    chain_free(chain);
    intern_clear();
    pki_clear(pki);
    return check_done();
}
