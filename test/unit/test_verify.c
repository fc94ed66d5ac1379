#include <limits.h>
#include <openssl/crypto.h>
#include <openssl/x509_vfy.h>
#include <pthread.h>
#include <stdlib.h>

#include "check.h"
#include "pki.h"
#include "x509/intern.h"
#include "x509/verdict.h"
#include "x509/x509.h"

static struct pki *pki;
static const struct verify_options plain = {
    .name = "server.example", .server = true, .depth = 10, .now = PKI_NOW, .level = 2};

static struct chain *chain_of(const struct pki_cert *const *made, size_t count)
{
    hf_certificate *certs[CHAIN_MAX] = {NULL};
    for (size_t i = 0; i < count; i++)
        certs[i] = hf_certificate_parse(made[i]->der, made[i]->der_len, NULL);
    struct chain *chain = chain_new(certs, count);
    for (size_t i = 0; i < count; i++)
        hf_certificate_free(certs[i]);
    return chain;
}

static hf_trust *trust_of(const struct pki_cert *a, const struct pki_cert *b)
{
    hf_trust *trust = hf_trust_new();
    CHECK(hf_trust_add_memory(trust, a->der, a->der_len, NULL));
    CHECK(!b || hf_trust_add_memory(trust, b->der, b->der_len, NULL));
    return trust;
}

#define CHAIN(...)                                                                             \
    (const struct pki_cert *const[]){__VA_ARGS__},                                             \
        sizeof((const struct pki_cert *const[]){__VA_ARGS__}) /                                \
            sizeof(const struct pki_cert *)

/* verdict verifies and returns the code; twice, for what is remembered may change nothing. */
static hf_error last;

static hf_code verdict(const struct pki_cert *const *made, size_t count,
                       const struct pki_cert *root, const struct verify_options *options)
{
    struct chain *chain = chain_of(made, count);
    hf_trust *trust = trust_of(root, NULL);
    last = (hf_error){0};
    bool ok = chain_verify(chain, trust, options, &last);
    hf_error again = {0};
    CHECK(chain_verify(chain, trust, options, &again) == ok);
    CHECK_INT(again.code, last.code);
    CHECK(ok == (last.code == HF_OK));
    hf_trust_free(trust);
    chain_free(chain);
    return last.code;
}

static bool says(const char *text)
{
    bool found = strstr(last.detail, text) != NULL;
    if (!found)
        printf("    the detail is: %s\n", last.detail);
    return found;
}

static struct pki_cert *leaf_of(struct pki_spec spec)
{
    spec.subject = spec.subject ? spec.subject : "Leaf";
    spec.names = spec.names ? spec.names : "DNS:server.example";
    return pki_make(&spec, pki->mid);
}

static void test_good(void)
{
    CHECK_INT(verdict(CHAIN(pki->leaf, pki->mid), pki->root, &plain), HF_OK);
    CHECK_INT(verdict(CHAIN(pki->leaf, pki->mid, pki->root), pki->root, &plain), HF_OK);
    /* The order of what follows the own certificate does not matter (RFC 8446 4.4.2). */
    CHECK_INT(verdict(CHAIN(pki->leaf, pki->root, pki->mid), pki->root, &plain), HF_OK);
    struct verify_options o = plain;
    o.server = false;
    o.name = NULL;
    CHECK_INT(verdict(CHAIN(pki->leaf, pki->mid), pki->root, &o), HF_OK);
}

static void test_kinds(void)
{
    for (int kind = 0; kind < PKI_KINDS; kind++) {
        struct pki *one = pki_new((enum pki_kind)kind, "DNS:server.example");
        hf_code code = verdict(CHAIN(one->leaf, one->mid), one->root, &plain);
        CHECK_INT(code, kind == PKI_RSA_1024 ? HF_E_WEAK_CERTIFICATE : HF_OK);
        /* ... and as an authority. */
        struct pki_cert *ca = pki_make(
            &(struct pki_spec){.kind = (enum pki_kind)kind, .subject = "CA", .ca = true}, NULL);
        struct pki_cert *leaf =
            pki_make(&(struct pki_spec){.subject = "L", .names = "DNS:server.example"}, ca);
        code = verdict(CHAIN(leaf), ca, &plain);
        CHECK_INT(code, kind == PKI_RSA_1024 ? HF_E_WEAK_CERTIFICATE : HF_OK);
        if (kind == PKI_RSA_1024)
            CHECK(says("certificate 1 'CN=CA' has the key RSA 1024") && last.x509_depth == 1 &&
                  last.x509_code == X509_V_ERR_CA_KEY_TOO_SMALL);
        pki_free(leaf);
        pki_free(ca);
        pki_clear(one);
    }
}

static void test_dates(void)
{
    struct pki_cert *leaf =
        leaf_of((struct pki_spec){.not_before = PKI_NOW - 1000, .not_after = PKI_NOW + 1000});
    struct verify_options o = plain;
    o.now = PKI_NOW + 1000; /* the last second belongs to it */
    CHECK_INT(verdict(CHAIN(leaf, pki->mid), pki->root, &o), HF_OK);
    o.now = PKI_NOW + 1000 + 3 * PKI_DAY;
    CHECK_INT(verdict(CHAIN(leaf, pki->mid), pki->root, &o), HF_E_EXPIRED);
    CHECK(says("'CN=Leaf' expired on 2026-09-21 14:30:00 UTC, 3 days ago"));
    CHECK(last.x509_code == X509_V_ERR_CERT_HAS_EXPIRED && last.x509_depth == 0);
    o.now = PKI_NOW + 1001;
    CHECK_INT(verdict(CHAIN(leaf, pki->mid), pki->root, &o), HF_E_EXPIRED);
    CHECK(says("1 second ago"));
    o.now = PKI_NOW - 1000;
    CHECK_INT(verdict(CHAIN(leaf, pki->mid), pki->root, &o), HF_OK);
    o.now = PKI_NOW - 1000 - 7200;
    CHECK_INT(verdict(CHAIN(leaf, pki->mid), pki->root, &o), HF_E_NOT_YET_VALID);
    CHECK(says("in 2 hours"));
    pki_free(leaf);
    /* An issuer's dates count as well, and are told apart by depth. */
    struct pki_cert *mid = pki_make(
        &(struct pki_spec){.subject = "Old", .ca = true, .not_after = PKI_NOW - PKI_DAY},
        pki->root);
    leaf = pki_make(&(struct pki_spec){.subject = "Leaf", .names = "DNS:server.example"}, mid);
    CHECK_INT(verdict(CHAIN(leaf, mid), pki->root, &plain), HF_E_EXPIRED);
    CHECK(says("certificate 1 'CN=Old'") && last.x509_depth == 1);
    pki_free(leaf);
    pki_free(mid);
}

/* The heart of remembering: each thing that a verdict depends on is changed alone. */
static void test_remembered_does_not_leak(void)
{
    verdict_clear();
    struct pki_cert *leaf =
        leaf_of((struct pki_spec){.names = "DNS:server.example,DNS:other.example",
                                  .not_before = PKI_NOW - 1000,
                                  .not_after = PKI_NOW + 1000});
    struct chain *chain = chain_of(CHAIN(leaf, pki->mid));
    hf_trust *trust = trust_of(pki->root, NULL);
    CHECK(chain_verify(chain, trust, &plain, NULL));
    CHECK_INT(verdict_chain_count(), 1);
    CHECK(chain_verify(chain, trust, &plain, NULL));
    CHECK_INT(verdict_chain_count(), 1);
    /* the clock, both ways, and back again */
    struct verify_options o = plain;
    o.now = PKI_NOW + 1001;
    hf_error err = {0};
    CHECK(!chain_verify(chain, trust, &o, &err) && err.code == HF_E_EXPIRED);
    o.now = PKI_NOW - 1001;
    err = (hf_error){0};
    CHECK(!chain_verify(chain, trust, &o, &err) && err.code == HF_E_NOT_YET_VALID);
    CHECK(chain_verify(chain, trust, &plain, NULL));
    /* the name */
    o = plain;
    o.name = "wrong.example";
    err = (hf_error){0};
    CHECK(!chain_verify(chain, trust, &o, &err) && err.code == HF_E_WRONG_NAME);
    o.name = "other.example";
    CHECK(chain_verify(chain, trust, &o, NULL));
    CHECK_INT(verdict_chain_count(), 2);
    /* no name at all is a question of its own */
    o.name = NULL;
    CHECK(chain_verify(chain, trust, &o, NULL));
    o.name = "";
    err = (hf_error){0};
    CHECK(!chain_verify(chain, trust, &o, &err) && err.code == HF_E_WRONG_NAME);
    /* the depth */
    o = plain;
    o.depth = 0;
    err = (hf_error){0};
    CHECK(!chain_verify(chain, trust, &o, &err) && err.code == HF_E_CHAIN_TOO_LONG);
    /* the demand for OCSP */
    o = plain;
    o.require_ocsp = true;
    err = (hf_error){0};
    CHECK(!chain_verify(chain, trust, &o, &err) && err.code == HF_E_NO_OCSP);
    o = plain;
    o.ocsp = slice_of("x", 1);
    err = (hf_error){0};
    CHECK(!chain_verify(chain, trust, &o, &err) && err.code == HF_E_BAD_OCSP);
    /* the trust: another one, and one made where this one was */
    hf_trust *other = trust_of(pki->leaf, NULL);
    err = (hf_error){0};
    CHECK(!chain_verify(chain, other, &plain, &err) && err.code == HF_E_UNTRUSTED);
    hf_trust_free(other);
    hf_trust_free(trust);
    trust = trust_of(pki->leaf, NULL);
    err = (hf_error){0};
    CHECK(!chain_verify(chain, trust, &plain, &err) && err.code == HF_E_UNTRUSTED);
    hf_trust_free(trust);
    /* the certificates that were sent */
    trust = trust_of(pki->root, NULL);
    struct chain *alone = chain_of(CHAIN(leaf));
    err = (hf_error){0};
    CHECK(!chain_verify(alone, trust, &plain, &err) && err.code == HF_E_UNTRUSTED);
    chain_free(alone);
    CHECK(chain_verify(chain, trust, &plain, NULL));
    struct pki_cert *twin = pki_make(&(struct pki_spec){.names = "DNS:server.example"}, NULL);
    struct chain *other_leaf = chain_of(CHAIN(twin, pki->mid));
    err = (hf_error){0};
    CHECK(!chain_verify(other_leaf, trust, &plain, &err) && err.code == HF_E_SELF_SIGNED);
    chain_free(other_leaf);
    pki_free(twin);
    /* failures are not remembered */
    CHECK_INT(verdict_chain_count(), 4);
    hf_trust_free(trust);
    chain_free(chain);
    pki_free(leaf);
}

static void test_purpose_does_not_leak(void)
{
    ROW("C38");
    struct pki_cert *server = leaf_of((struct pki_spec){.eku = "serverAuth"});
    struct pki_cert *client = leaf_of((struct pki_spec){.eku = "clientAuth"});
    struct pki_cert *mail = leaf_of((struct pki_spec){.eku = "emailProtection"});
    struct pki_cert *any = leaf_of((struct pki_spec){.eku = ""});
    struct verify_options as_client = plain;
    as_client.server = false;
    struct chain *chain = chain_of(CHAIN(server, pki->mid));
    hf_trust *trust = trust_of(pki->root, NULL);
    hf_error err = {0};
    CHECK(chain_verify(chain, trust, &plain, NULL));
    CHECK(!chain_verify(chain, trust, &as_client, &err) && err.code == HF_E_WRONG_PURPOSE);
    CHECK(err.x509_code == X509_V_ERR_INVALID_PURPOSE && err.x509_depth == 0);
    chain_free(chain);
    hf_trust_free(trust);
    CHECK_INT(verdict(CHAIN(client, pki->mid), pki->root, &plain), HF_E_WRONG_PURPOSE);
    CHECK(says("may not be used as a TLS server"));
    CHECK_INT(verdict(CHAIN(client, pki->mid), pki->root, &as_client), HF_OK);
    CHECK_INT(verdict(CHAIN(mail, pki->mid), pki->root, &plain), HF_E_WRONG_PURPOSE);
    CHECK_INT(verdict(CHAIN(any, pki->mid), pki->root, &plain), HF_OK);
    pki_free(server);
    pki_free(client);
    pki_free(mail);
    pki_free(any);
    /* An intermediate's extended key usage binds what it issues. */
    struct pki_cert *mid = pki_make(
        &(struct pki_spec){.subject = "Client CA", .ca = true, .eku = "clientAuth"}, pki->root);
    server = pki_make(&(struct pki_spec){.subject = "L", .names = "DNS:server.example"}, mid);
    CHECK_INT(verdict(CHAIN(server, mid), pki->root, &plain), HF_E_WRONG_PURPOSE);
    CHECK_INT(last.x509_depth, 1);
    pki_free(server);
    pki_free(mid);
}

static void test_names(void)
{
    struct pki_cert *leaf = leaf_of(
        (struct pki_spec){.names = "DNS:www.example.com,DNS:*.api.example.com,IP:192.0.2.1"});
    struct verify_options o = plain;
    o.name = "v1.api.example.com";
    CHECK_INT(verdict(CHAIN(leaf, pki->mid), pki->root, &o), HF_OK);
    o.name = "192.0.2.1";
    CHECK_INT(verdict(CHAIN(leaf, pki->mid), pki->root, &o), HF_OK);
    o.name = "192.0.2.2";
    CHECK_INT(verdict(CHAIN(leaf, pki->mid), pki->root, &o), HF_E_WRONG_NAME);
    CHECK_INT(last.x509_code, X509_V_ERR_IP_ADDRESS_MISMATCH);
    o.name = "wwww.example.com";
    CHECK_INT(verdict(CHAIN(leaf, pki->mid), pki->root, &o), HF_E_WRONG_NAME);
    CHECK(says(
        "asked for 'wwww.example.com', nearest is 'www.example.com'; the certificate is for "
        "DNS:www.example.com, DNS:*.api.example.com, IP:192.0.2.1"));
    CHECK(last.x509_code == X509_V_ERR_HOSTNAME_MISMATCH && !last.truncated);
    pki_free(leaf);
    leaf = pki_make(&(struct pki_spec){.subject = "server.example"}, pki->mid);
    CHECK_INT(verdict(CHAIN(leaf, pki->mid), pki->root, &plain), HF_E_WRONG_NAME);
    CHECK(says("common name"));
    pki_free(leaf);
    char many[4000] = "";
    for (int i = 0; i < 100; i++)
        snprintf(many + strlen(many), sizeof many - strlen(many), "%sDNS:host%d.example.net",
                 i ? "," : "", i);
    leaf = leaf_of((struct pki_spec){.names = many});
    CHECK_INT(verdict(CHAIN(leaf, pki->mid), pki->root, &plain), HF_E_WRONG_NAME);
    CHECK(says("more") && last.truncated);
    pki_free(leaf);
}

static void test_untrusted(void)
{
    struct pki_cert *other = pki_make(&(struct pki_spec){.subject = "Other", .ca = true}, NULL);
    CHECK_INT(verdict(CHAIN(pki->leaf, pki->mid), other, &plain), HF_E_UNTRUSTED);
    CHECK(says("its issuer 'CN=Test Root' is not among 1 anchor of memory"));
    CHECK_INT(last.x509_depth, 1);
    CHECK_INT(verdict(CHAIN(pki->leaf), pki->root, &plain), HF_E_UNTRUSTED);
    CHECK(says("'CN=Test Intermediate'") && says("sent no intermediate"));
    CHECK_INT(verdict(CHAIN(pki->leaf, pki->mid, pki->root), other, &plain), HF_E_UNTRUSTED);
    CHECK(says("the peer's root"));
    CHECK_INT(last.x509_code, X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN);
    /* The same name with another key is another authority, also with no key identifiers. */
    struct pki_cert *mimic =
        pki_make(&(struct pki_spec){.subject = "Test Root", .ca = true, .bare = true}, NULL);
    CHECK(verdict(CHAIN(pki->leaf, pki->mid), mimic, &plain) != HF_OK);
    CHECK(verdict(CHAIN(pki->leaf, pki->mid, mimic), other, &plain) != HF_OK);
    pki_free(mimic);
    pki_free(other);
}

static void test_self_signed(void)
{
    struct pki_cert *own =
        pki_make(&(struct pki_spec){.subject = "self", .names = "DNS:server.example"}, NULL);
    CHECK_INT(verdict(CHAIN(own), pki->root, &plain), HF_E_SELF_SIGNED);
    CHECK_INT(last.x509_code, X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT);
    CHECK(says("'CN=self' is not among"));
    /* Added to the trust, it is an anchor: for its own name, purpose and dates. */
    CHECK_INT(verdict(CHAIN(own), own, &plain), HF_OK);
    struct verify_options o = plain;
    o.name = "other.example";
    CHECK_INT(verdict(CHAIN(own), own, &o), HF_E_WRONG_NAME);
    o = plain;
    o.now = PKI_NOT_AFTER + 1;
    CHECK_INT(verdict(CHAIN(own), own, &o), HF_E_EXPIRED);
    /* It is no authority for others. */
    struct pki_cert *child =
        pki_make(&(struct pki_spec){.subject = "child", .names = "DNS:server.example"}, own);
    CHECK(verdict(CHAIN(child), own, &plain) != HF_OK);
    pki_free(child);
    pki_free(own);
}

static void test_partial_chain(void)
{
    /* Two anchors of one name, as after a renewal: each is found when the peer sends it. */
    struct pki_spec spec = {.subject = "self", .names = "DNS:server.example", .bare = true};
    struct pki_cert *old = pki_make(&spec, NULL);
    spec.key_of = old;
    struct pki_cert *renewed = pki_make(&spec, NULL);
    hf_trust *trust = trust_of(old, renewed);
    struct chain *a = chain_of(CHAIN(old)), *b = chain_of(CHAIN(renewed));
    CHECK(chain_verify(a, trust, &plain, NULL));
    CHECK(chain_verify(b, trust, &plain, NULL));
    chain_free(a);
    chain_free(b);
    hf_trust_free(trust);
    pki_free(old);
    pki_free(renewed);
    CHECK_INT(verdict(CHAIN(pki->leaf), pki->mid, &plain), HF_OK);
    CHECK_INT(verdict(CHAIN(pki->leaf, pki->mid), pki->mid, &plain), HF_OK);
    CHECK_INT(verdict(CHAIN(pki->leaf, pki->mid), pki->leaf, &plain), HF_OK);
}

/* Two authorities of one name, told apart by nothing but the signature. */
static void test_renewed_authority(void)
{
    struct pki_spec ca = {.subject = "CA", .ca = true, .bare = true};
    struct pki_spec spec = {.subject = "L", .names = "DNS:server.example", .bare = true};
    struct pki_cert *old = pki_make(&ca, NULL), *renewed = pki_make(&ca, NULL);
    struct pki_cert *leaf[2] = {pki_make(&spec, old), pki_make(&spec, renewed)};
    hf_trust *trust = trust_of(old, renewed);
    for (int i = 0; i < 2; i++) {
        struct chain *chain = chain_of(CHAIN(leaf[i]));
        CHECK(chain_verify(chain, trust, &plain, NULL));
        chain_free(chain);
        chain = chain_of(CHAIN(leaf[i], old, renewed));
        CHECK(chain_verify(chain, trust, &plain, NULL));
        chain_free(chain);
        pki_free(leaf[i]);
    }
    hf_trust_free(trust);
    pki_free(old);
    pki_free(renewed);
}

static void test_authority_rules(void)
{
    /* issued by a certificate that is no authority */
    struct pki_cert *fake = pki_make(&(struct pki_spec){.subject = "Fake"}, pki->mid);
    struct pki_cert *leaf =
        pki_make(&(struct pki_spec){.subject = "L", .names = "DNS:server.example"}, fake);
    CHECK_INT(verdict(CHAIN(leaf, fake, pki->mid), pki->root, &plain), HF_E_CHAIN_INVALID);
    CHECK(last.x509_depth == 1 && last.detail[0]);
    pki_free(leaf);
    pki_free(fake);
    /* an authority whose keyUsage forbids it */
    fake = pki_make(
        &(struct pki_spec){.subject = "No sign", .ca = true, .key_usage = "critical,cRLSign"},
        pki->root);
    leaf = pki_make(&(struct pki_spec){.subject = "L", .names = "DNS:server.example"}, fake);
    CHECK(verdict(CHAIN(leaf, fake), pki->root, &plain) != HF_OK);
    pki_free(leaf);
    pki_free(fake);
    /* path length: the intermediate of pki allows none below it */
    fake = pki_make(&(struct pki_spec){.subject = "Sub", .ca = true}, pki->mid);
    leaf = pki_make(&(struct pki_spec){.subject = "L", .names = "DNS:server.example"}, fake);
    CHECK_INT(verdict(CHAIN(leaf, fake, pki->mid), pki->root, &plain), HF_E_CHAIN_INVALID);
    CHECK_INT(last.x509_code, X509_V_ERR_PATH_LENGTH_EXCEEDED);
    CHECK(says(X509_verify_cert_error_string(X509_V_ERR_PATH_LENGTH_EXCEEDED)));
    pki_free(leaf);
    pki_free(fake);
    /* name constraints, for names and not for the common name */
    fake = pki_make(&(struct pki_spec){.subject = "NC",
                                       .ca = true,
                                       .constraints = "critical,permitted;DNS:example.org"},
                    pki->root);
    leaf = pki_make(&(struct pki_spec){.subject = "L", .names = "DNS:server.example"}, fake);
    CHECK_INT(verdict(CHAIN(leaf, fake), pki->root, &plain), HF_E_CHAIN_INVALID);
    CHECK_INT(last.x509_code, X509_V_ERR_PERMITTED_VIOLATION);
    pki_free(leaf);
    leaf = pki_make(&(struct pki_spec){.subject = "x.example", .names = "DNS:a.example.org"},
                    fake);
    struct verify_options o = plain;
    o.name = "a.example.org";
    CHECK_INT(verdict(CHAIN(leaf, fake), pki->root, &o), HF_OK);
    pki_free(leaf);
    pki_free(fake);
}

/* What RFC 5280 demands of those who issue, but not of path validation, is not demanded here. */
static void test_lenient(void)
{
    struct pki_cert *root = pki_make(
        &(struct pki_spec){.subject = "Bare", .ca = true, .bare = true, .key_usage = ""}, NULL);
    struct pki_cert *leaf = pki_make(&(struct pki_spec){.subject = "L",
                                                        .bare = true,
                                                        .eku = "",
                                                        .key_usage = "",
                                                        .names = "DNS:server.example"},
                                     root);
    CHECK_INT(verdict(CHAIN(leaf), root, &plain), HF_OK);
    pki_free(leaf);
    pki_free(root);
}

static void test_depth(void)
{
    struct pki_cert *ca[6] = {
        pki_make(&(struct pki_spec){.subject = "CA 0", .ca = true}, NULL)};
    for (int i = 1; i < 6; i++) {
        char name[16];
        snprintf(name, sizeof name, "CA %d", i);
        ca[i] = pki_make(&(struct pki_spec){.subject = name, .ca = true}, ca[i - 1]);
    }
    struct pki_cert *leaf =
        pki_make(&(struct pki_spec){.subject = "L", .names = "DNS:server.example"}, ca[5]);
    struct verify_options o = plain;
    o.depth = 5;
    CHECK_INT(verdict(CHAIN(leaf, ca[5], ca[4], ca[3], ca[2], ca[1]), ca[0], &o), HF_OK);
    o.depth = 4;
    CHECK_INT(verdict(CHAIN(leaf, ca[5], ca[4], ca[3], ca[2], ca[1]), ca[0], &o),
              HF_E_CHAIN_TOO_LONG);
    CHECK(says("more than 4"));
    o.depth = 100000;
    CHECK_INT(verdict(CHAIN(leaf, ca[5], ca[4], ca[3], ca[2], ca[1]), ca[0], &o), HF_OK);
    pki_free(leaf);
    for (int i = 0; i < 6; i++)
        pki_free(ca[i]);
}

static hf_code verdict_at(uint8_t level, const struct pki_cert *leaf,
                          const struct pki_cert *root)
{
    struct verify_options o = plain;
    o.level = level;
    return verdict(CHAIN(leaf), root, &o);
}

/* What levels ask of keys. A verdict at a lower level is not one at a higher: each is remembered for
 * itself, so going upwards shows whether they are mixed up. */
static void test_levels(void)
{
    static const struct {
        enum pki_kind kind;
        uint8_t highest;
    } rows[] = {{PKI_RSA_1024, 1}, {PKI_RSA, 2},   {PKI_P256, 3}, {PKI_P384, 4},
                {PKI_ED25519, 3},  {PKI_ED448, 4}, {PKI_P521, 5}};
    struct pki_cert *ca =
        pki_make(&(struct pki_spec){.kind = PKI_P521, .subject = "CA", .ca = true}, NULL);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct pki_cert *leaf = pki_make(&(struct pki_spec){.kind = rows[i].kind,
                                                            .subject = "L",
                                                            .names = "DNS:server.example",
                                                            .digest = "SHA512"},
                                         ca);
        for (uint8_t level = 0; level <= 5; level++) {
            bool fine = level <= rows[i].highest;
            CHECK_INT(verdict_at(level, leaf, ca), fine ? HF_OK : HF_E_WEAK_CERTIFICATE);
            CHECK(fine || says("has the key"));
        }
        pki_free(leaf);
    }
    pki_free(ca);
}

/* The same chain and trust: what was good enough for one level says nothing about another. */
static void test_level_is_remembered(void)
{
    struct pki_cert *leaf = leaf_of((struct pki_spec){.kind = PKI_RSA});
    struct chain *chain = chain_of((const struct pki_cert *const[]){leaf, pki->mid}, 2);
    hf_trust *trust = trust_of(pki->root, NULL);
    struct verify_options o = plain;
    for (int i = 0; i < 2; i++) {
        hf_error err = {0};
        o.level = 2;
        CHECK(chain_verify(chain, trust, &o, &err));
        o.level = 3;
        CHECK(!chain_verify(chain, trust, &o, &err));
        CHECK_INT(err.code, HF_E_WEAK_CERTIFICATE);
    }
    hf_trust_free(trust);
    chain_free(chain);
    pki_free(leaf);
}

static void test_weak(void)
{
    ROW("Y108");
    struct pki_cert *ca =
        pki_make(&(struct pki_spec){.kind = PKI_RSA, .subject = "RSA CA", .ca = true}, NULL);
    struct pki_cert *leaf = pki_make(
        &(struct pki_spec){.subject = "L", .names = "DNS:server.example", .digest = "SHA1"},
        ca);
    CHECK_INT(verdict(CHAIN(leaf), ca, &plain), HF_E_WEAK_CERTIFICATE);
    CHECK(says("signed with sha1WithRSAEncryption") && last.x509_depth == 0);
    pki_free(leaf);
    leaf = pki_make(
        &(struct pki_spec){.kind = PKI_RSA_1024, .subject = "L", .names = "DNS:server.example"},
        ca);
    CHECK_INT(verdict(CHAIN(leaf), ca, &plain), HF_E_WEAK_CERTIFICATE);
    CHECK(says("RSA 1024") && last.x509_depth == 0);
    pki_free(leaf);
    leaf = pki_make(&(struct pki_spec){.subject = "L", .names = "DNS:server.example"}, ca);
    struct verify_options o = plain;
    CHECK_INT(verdict(CHAIN(leaf), ca, &o), HF_OK);
    o.min_rsa_bits = 3072;
    CHECK_INT(verdict(CHAIN(leaf), ca, &o), HF_E_WEAK_CERTIFICATE);
    CHECK(says("RSA 2048") && says("3072") && last.x509_depth == 1);
    pki_free(leaf);
    /* Only level 0 has no objection: SHA-1 is broken, which is less than the 80 bits of level 1. */
    leaf = pki_make(
        &(struct pki_spec){.subject = "L", .names = "DNS:server.example", .digest = "SHA1"},
        ca);
    CHECK_INT(verdict_at(0, leaf, ca), HF_OK);
    CHECK_INT(verdict_at(1, leaf, ca), HF_E_WEAK_CERTIFICATE);
    pki_free(leaf);
    pki_free(ca);
    /* An anchor's own signature proves nothing, so its digest does not matter. */
    ca = pki_make(
        &(struct pki_spec){.kind = PKI_RSA, .subject = "Old CA", .ca = true, .digest = "SHA1"},
        NULL);
    leaf = pki_make(&(struct pki_spec){.subject = "L", .names = "DNS:server.example"}, ca);
    CHECK_INT(verdict(CHAIN(leaf), ca, &plain), HF_OK);
    pki_free(leaf);
    pki_free(ca);
}

static void test_bad_signature(void)
{
    struct pki_cert *fake = leaf_of((struct pki_spec){.kind = PKI_P256});
    fake->der[fake->der_len - 3] ^= 1;
    CHECK_INT(verdict(CHAIN(fake, pki->mid), pki->root, &plain), HF_E_CHAIN_INVALID);
    CHECK(last.x509_code == X509_V_ERR_CERT_SIGNATURE_FAILURE && last.x509_depth == 0);
    pki_free(fake);
    fake = leaf_of((struct pki_spec){.kind = PKI_P256});
    /* The signature stays, the name under it changes. */
    for (size_t i = 0; i + 14 < fake->der_len; i++) {
        if (memcmp(fake->der + i, "server.example", 14) == 0)
            memcpy(fake->der + i, "victim.example", 14);
    }
    struct verify_options o = plain;
    o.name = "victim.example";
    CHECK_INT(verdict(CHAIN(fake, pki->mid), pki->root, &o), HF_E_CHAIN_INVALID);
    pki_free(fake);
}

/* Two issuers of one name and key; the peer sends both, one of them expired or unknown here. */
static void test_cross_signed(void)
{
    struct pki_cert *old = pki_make(
        &(struct pki_spec){.subject = "Old Root", .ca = true, .not_after = PKI_NOW - PKI_DAY},
        NULL);
    struct pki_cert *cross = pki_make(
        &(struct pki_spec){.subject = "Test Intermediate", .ca = true, .key_of = pki->mid},
        old);
    CHECK_INT(verdict(CHAIN(pki->leaf, cross, pki->mid), pki->root, &plain), HF_OK);
    CHECK_INT(verdict(CHAIN(pki->leaf, pki->mid, cross), pki->root, &plain), HF_OK);
    /* The new root, signed by the old one, which is expired and still sent: the anchor is taken. */
    struct pki_cert *bridge = pki_make(
        &(struct pki_spec){.subject = "Test Root", .ca = true, .key_of = pki->root}, old);
    CHECK_INT(verdict(CHAIN(pki->leaf, pki->mid, bridge, old), pki->root, &plain), HF_OK);
    /* Both roots are anchors: the way that is valid is found. */
    struct chain *chain = chain_of(CHAIN(pki->leaf, pki->mid, bridge));
    hf_trust *trust = trust_of(old, pki->root);
    CHECK(chain_verify(chain, trust, &plain, NULL));
    chain_free(chain);
    hf_trust_free(trust);
    pki_free(bridge);
    pki_free(cross);
    pki_free(old);
}

/* ---- OCSP */

static hf_code stapled(const struct pki_cert *leaf, struct pki_ocsp_spec spec, bool require)
{
    struct verify_options o = plain;
    size_t len;
    spec.cert = spec.cert ? spec.cert : leaf;
    spec.issuer = spec.issuer ? spec.issuer : pki->mid;
    uint8_t *ocsp = pki_ocsp(&spec, &len);
    o.ocsp = slice_of(ocsp, len);
    o.require_ocsp = require;
    hf_code code = verdict(CHAIN(leaf, pki->mid), pki->root, &o);
    free(ocsp);
    return code;
}

static void test_ocsp_status(void)
{
    CHECK_INT(stapled(pki->leaf, (struct pki_ocsp_spec){.status = PKI_OCSP_GOOD}, true), HF_OK);
    CHECK_INT(stapled(pki->leaf, (struct pki_ocsp_spec){.status = PKI_OCSP_REVOKED}, false),
              HF_E_REVOKED);
    CHECK(says("was revoked on 2026-09-20") && says("keyCompromise"));
    CHECK_INT(last.x509_code, X509_V_ERR_CERT_REVOKED);
    CHECK_INT(stapled(pki->leaf, (struct pki_ocsp_spec){.status = PKI_OCSP_UNKNOWN}, false),
              HF_E_BAD_OCSP);
    CHECK(says("does not know"));
    CHECK_INT(stapled(pki->leaf, (struct pki_ocsp_spec){.error = 3}, false), HF_OK);
    CHECK_INT(stapled(pki->leaf, (struct pki_ocsp_spec){.error = 3}, true), HF_E_NO_OCSP);
    CHECK(says("trylater"));
}

static void test_ocsp_times(void)
{
    struct pki_ocsp_spec s = {.this_update = PKI_NOW - PKI_DAY, .next_update = PKI_NOW - 299};
    CHECK_INT(stapled(pki->leaf, s, false), HF_OK);
    s.next_update = PKI_NOW - 301;
    CHECK_INT(stapled(pki->leaf, s, false), HF_E_BAD_OCSP);
    CHECK(says("out of date") && says("5 minutes ago"));
    s = (struct pki_ocsp_spec){.this_update = PKI_NOW + 299, .next_update = PKI_NOW + PKI_DAY};
    CHECK_INT(stapled(pki->leaf, s, false), HF_OK);
    s.this_update = PKI_NOW + 301;
    CHECK_INT(stapled(pki->leaf, s, false), HF_E_BAD_OCSP);
    CHECK(says("future"));
    s = (struct pki_ocsp_spec){.this_update = PKI_NOW - 6 * PKI_DAY, .next_update = -1};
    CHECK_INT(stapled(pki->leaf, s, false), HF_OK);
    s.this_update = PKI_NOW - 8 * PKI_DAY;
    CHECK_INT(stapled(pki->leaf, s, false), HF_E_BAD_OCSP);
}

/* A remembered verdict ends with the response. */
static void test_ocsp_is_not_remembered_too_long(void)
{
    size_t len;
    uint8_t *ocsp =
        pki_ocsp(&(struct pki_ocsp_spec){.cert = pki->leaf, .issuer = pki->mid}, &len);
    struct chain *chain = chain_of(CHAIN(pki->leaf, pki->mid));
    hf_trust *trust = trust_of(pki->root, NULL);
    struct verify_options o = plain;
    o.ocsp = slice_of(ocsp, len);
    CHECK(chain_verify(chain, trust, &o, NULL));
    o.now = PKI_NOW + PKI_DAY + 301;
    hf_error err = {0};
    CHECK(!chain_verify(chain, trust, &o, &err) && err.code == HF_E_BAD_OCSP);
    /* ... and another response is another question. */
    size_t revoked_len;
    uint8_t *revoked = pki_ocsp(&(struct pki_ocsp_spec){.cert = pki->leaf,
                                                        .issuer = pki->mid,
                                                        .status = PKI_OCSP_REVOKED},
                                &revoked_len);
    o.now = PKI_NOW;
    o.ocsp = slice_of(revoked, revoked_len);
    err = (hf_error){0};
    CHECK(!chain_verify(chain, trust, &o, &err) && err.code == HF_E_REVOKED);
    free(revoked);
    chain_free(chain);
    hf_trust_free(trust);
    free(ocsp);
}

static void test_ocsp_signer(void)
{
    struct pki_cert *responder =
        pki_make(&(struct pki_spec){.subject = "Responder", .eku = "OCSPSigning"}, pki->mid);
    struct pki_cert *no_eku = pki_make(&(struct pki_spec){.subject = "Responder"}, pki->mid);
    struct pki_cert *stranger =
        pki_make(&(struct pki_spec){.subject = "Responder", .eku = "OCSPSigning"}, pki->root);
    struct pki_cert *expired = pki_make(&(struct pki_spec){.subject = "Responder",
                                                           .eku = "OCSPSigning",
                                                           .not_after = PKI_NOW - 1},
                                        pki->mid);
    CHECK_INT(stapled(pki->leaf, (struct pki_ocsp_spec){.responder = responder}, true), HF_OK);
    CHECK_INT(stapled(pki->leaf, (struct pki_ocsp_spec){.responder = no_eku}, true),
              HF_E_BAD_OCSP);
    CHECK(says("OCSPSigning"));
    CHECK_INT(stapled(pki->leaf, (struct pki_ocsp_spec){.responder = stranger}, true),
              HF_E_BAD_OCSP);
    CHECK(says("not signed by 'CN=Test Intermediate'"));
    CHECK_INT(stapled(pki->leaf, (struct pki_ocsp_spec){.responder = expired}, true),
              HF_E_BAD_OCSP);
    CHECK(says("expired"));
    /* Signed by the leaf itself, or by the root, which did not issue it. */
    CHECK_INT(stapled(pki->leaf, (struct pki_ocsp_spec){.responder = pki->leaf}, true),
              HF_E_BAD_OCSP);
    CHECK_INT(stapled(pki->leaf, (struct pki_ocsp_spec){.responder = pki->root}, true),
              HF_E_BAD_OCSP);
    /* About another certificate. */
    CHECK_INT(stapled(pki->leaf, (struct pki_ocsp_spec){.cert = responder}, true),
              HF_E_BAD_OCSP);
    CHECK(says("not about"));
    pki_free(responder);
    pki_free(no_eku);
    pki_free(stranger);
    pki_free(expired);
}

static void test_ocsp_malformed(void)
{
    size_t len;
    uint8_t *ocsp =
        pki_ocsp(&(struct pki_ocsp_spec){.cert = pki->leaf, .issuer = pki->mid}, &len);
    struct chain *chain = chain_of(CHAIN(pki->leaf, pki->mid));
    hf_trust *trust = trust_of(pki->root, NULL);
    struct verify_options o = plain;
    for (size_t n = 1; n < len; n++) {
        o.ocsp = slice_of(ocsp, n);
        CHECK(!chain_verify(chain, trust, &o, NULL));
    }
    /* Any changed byte is noticed; only the outer status, which is not signed, may turn the response
     * into the refusal of one, which counts as none. */
    o.require_ocsp = true;
    for (size_t n = 0; n < len; n += 3) {
        ocsp[n] ^= 0x11;
        o.ocsp = slice_of(ocsp, len);
        CHECK(!chain_verify(chain, trust, &o, NULL));
        ocsp[n] ^= 0x11;
    }
    CHECK(chain_verify(chain, trust, &o, NULL));
    chain_free(chain);
    hf_trust_free(trust);
    free(ocsp);
}

static void test_must_staple(void)
{
    struct pki_cert *leaf = leaf_of((struct pki_spec){.must_staple = true});
    struct verify_options o = plain;
    CHECK_INT(verdict(CHAIN(leaf, pki->mid), pki->root, &o), HF_E_NO_OCSP);
    CHECK(says("TLS feature"));
    o.ocsp_not_asked = true;
    CHECK_INT(verdict(CHAIN(leaf, pki->mid), pki->root, &o), HF_OK);
    CHECK_INT(stapled(leaf, (struct pki_ocsp_spec){.status = PKI_OCSP_GOOD}, false), HF_OK);
    CHECK_INT(stapled(leaf, (struct pki_ocsp_spec){.error = 3}, false), HF_E_NO_OCSP);
    pki_free(leaf);
}

/* ---- bounds, threads, memory */

static void test_bounded(void)
{
    verdict_clear();
    struct chain *chain = chain_of(CHAIN(pki->leaf, pki->mid));
    for (int i = 0; i < 2 * VERDICT_CAPACITY; i++) {
        uint8_t id[32] = {(uint8_t)(i >> 8), (uint8_t)i};
        verdict_chain_remember(id, 0, 10);
        CHECK(verdict_chain_known(id, 10));
        CHECK(!verdict_chain_known(id, 11));
        CHECK(!verdict_chain_known(id, -1));
    }
    CHECK(verdict_chain_count() <= VERDICT_CAPACITY);
    CHECK(verdict_chain_count() > VERDICT_CAPACITY / 2);
    /* A signature is remembered for this pair and in this direction only. */
    CHECK(!verdict_signature_known(chain->cert[0], chain->cert[1]));
    verdict_signature_remember(chain->cert[0], chain->cert[1]);
    CHECK(verdict_signature_known(chain->cert[0], chain->cert[1]));
    CHECK(!verdict_signature_known(chain->cert[1], chain->cert[0]));
    CHECK(!verdict_signature_known(chain->cert[0], chain->cert[0]));
    verdict_clear();
    chain_free(chain);
}

static hf_trust *shared_trust;
static struct pki_cert *leaves[4];

static void *hammer(void *arg)
{
    unsigned seed = (unsigned)(uintptr_t)arg;
    for (int i = 0; i < 400; i++) {
        seed = seed * 1103515245u + 12345u;
        unsigned which = seed >> 16 & 3;
        struct chain *chain = chain_of(CHAIN(leaves[which], pki->mid));
        struct verify_options o = plain;
        bool wrong = seed >> 19 & 1;
        o.name = wrong ? "wrong.example" : "server.example";
        bool ok = chain_verify(chain, shared_trust, &o, NULL);
        chain_free(chain);
        if (ok == wrong)
            return "failed";
        if (i % 50 == 0)
            verdict_clear();
        if (i % 70 == 0)
            intern_clear();
    }
    return NULL;
}

static void test_threads(void)
{
    pthread_t thread[4];
    shared_trust = trust_of(pki->root, NULL);
    for (size_t i = 0; i < 4; i++)
        leaves[i] = leaf_of((struct pki_spec){.kind = PKI_P256});
    for (size_t i = 0; i < 4; i++)
        CHECK(pthread_create(&thread[i], NULL, hammer, (void *)(i + 1)) == 0);
    for (size_t i = 0; i < 4; i++) {
        void *result = NULL;
        pthread_join(thread[i], &result);
        CHECK(result == NULL);
    }
    for (size_t i = 0; i < 4; i++)
        pki_free(leaves[i]);
    hf_trust_free(shared_trust);
}

static void test_no_memory(void)
{
    ROW("C14");
    unsigned n = 1;
    for (; n < 100; n++) {
        hf_error err = {0};
        intern_clear();
        verdict_clear();
        hf_trust *trust = trust_of(pki->root, NULL);
        struct chain *chain = chain_of(CHAIN(pki->leaf, pki->mid));
        mem_test_fail_after(n);
        bool ok = chain_verify(chain, trust, &plain, &err);
        mem_test_fail_after(0);
        chain_free(chain);
        hf_trust_free(trust);
        CHECK(ok || err.code == HF_E_NO_MEMORY);
        if (ok)
            break;
    }
    CHECK(n > 1 && n < 100);
}

/* libcrypto's own allocations. */
static _Atomic unsigned long libcrypto_count;
static unsigned long libcrypto_fail, libcrypto_last;

static bool libcrypto_refused(void)
{
    libcrypto_count++;
    return libcrypto_fail && libcrypto_count >= libcrypto_fail &&
           libcrypto_count <= libcrypto_last;
}

static void *libcrypto_malloc(size_t n, const char *file, int line)
{
    (void)file, (void)line;
    return libcrypto_refused() ? NULL : malloc(n);
}

static void *libcrypto_realloc(void *p, size_t n, const char *file, int line)
{
    (void)file, (void)line;
    return libcrypto_refused() ? NULL : realloc(p, n);
}

static void libcrypto_free(void *p, const char *file, int line)
{
    (void)file, (void)line;
    free(p);
}

static bool parse_and_verify(struct slice ocsp, hf_error *err)
{
    hf_trust *trust = hf_trust_new();
    hf_certificate *certs[2] = {NULL, NULL};
    struct verify_options o = plain;
    o.ocsp = ocsp;
    o.require_ocsp = true;
    bool ok = hf_trust_add_memory(trust, pki->root->pem, strlen(pki->root->pem), err) &&
              (certs[0] = hf_certificate_parse(pki->leaf->der, pki->leaf->der_len, err)) &&
              (certs[1] = hf_certificate_parse(pki->mid->der, pki->mid->der_len, err));
    struct chain *chain = ok ? chain_new(certs, 2) : NULL;
    ok = ok && chain_verify(chain, trust, &o, err);
    chain_free(chain);
    hf_certificate_free(certs[0]);
    hf_certificate_free(certs[1]);
    hf_trust_free(trust);
    return ok;
}

/* Its n-th allocation fails, alone or with all that follow: the answer is an error, and nothing that
 * was crippled stays in a table. Every 13th of some thousand allocations is tried. */
static void test_libcrypto_out_of_memory(void)
{
    ROW("C11");
    size_t len;
    uint8_t *ocsp =
        pki_ocsp(&(struct pki_ocsp_spec){.cert = pki->leaf, .issuer = pki->mid}, &len);
    for (int alone = 0; alone < 2; alone++) {
        unsigned long n = 1;
        for (bool ok = false; !ok && n < 100000; n += 13) {
            hf_error err = {0}, after = {0};
            intern_clear();
            verdict_clear();
            libcrypto_count = 0;
            libcrypto_fail = n;
            libcrypto_last = alone ? n : ULONG_MAX;
            bool good = parse_and_verify(slice_of(ocsp, len), &err);
            ok = good && libcrypto_count < n;
            libcrypto_fail = 0;
            CHECK(good == (err.code == HF_OK));
            CHECK(parse_and_verify(slice_of(ocsp, len), &after));
            CHECK_INT(after.code, HF_OK);
        }
        CHECK(n > 1000 && n < 100000);
    }
    free(ocsp);
}

/* A chain that was seen costs no allocation at all. */
static void test_seen_allocates_nothing(void)
{
    struct chain *chain = chain_of(CHAIN(pki->leaf, pki->mid));
    hf_trust *trust = trust_of(pki->root, NULL);
    CHECK(chain_verify(chain, trust, &plain, NULL));
    unsigned long before = mem_test_count(), libcrypto_before = libcrypto_count;
    CHECK(chain_verify(chain, trust, &plain, NULL));
    hf_certificate *cert = hf_certificate_parse(pki->leaf->der, pki->leaf->der_len, NULL);
    CHECK_INT(mem_test_count(), before);
    CHECK_INT(libcrypto_count, libcrypto_before);
    hf_certificate_free(cert);
    chain_free(chain);
    hf_trust_free(trust);
}

int main(void)
{
    /* Before libcrypto's first allocation, or it refuses. */
    CRYPTO_set_mem_functions(libcrypto_malloc, libcrypto_realloc, libcrypto_free);
    pki = pki_new(PKI_P256, "DNS:server.example");
    RUN(test_good);
    RUN(test_kinds);
    RUN(test_dates);
    RUN(test_remembered_does_not_leak);
    RUN(test_purpose_does_not_leak);
    RUN(test_names);
    RUN(test_untrusted);
    RUN(test_self_signed);
    RUN(test_partial_chain);
    RUN(test_renewed_authority);
    RUN(test_authority_rules);
    RUN(test_lenient);
    RUN(test_depth);
    RUN(test_levels);
    RUN(test_level_is_remembered);
    RUN(test_weak);
    RUN(test_bad_signature);
    RUN(test_cross_signed);
    RUN(test_ocsp_status);
    RUN(test_ocsp_times);
    RUN(test_ocsp_is_not_remembered_too_long);
    RUN(test_ocsp_signer);
    RUN(test_ocsp_malformed);
    RUN(test_must_staple);
    RUN(test_bounded);
    RUN(test_threads);
    RUN(test_no_memory);
    RUN(test_libcrypto_out_of_memory);
    RUN(test_seen_allocates_nothing);
    intern_clear();
    pki_clear(pki);
    return check_done();
}
