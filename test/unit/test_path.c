/* Which paths are accepted: flags, policies, constraints, proxy certificates and the callback's judgement
 * (RFC 5280 6). */
#include <openssl/x509_vfy.h>
#include <stdlib.h>

#include "check.h"
#include "pki.h"
#include "x509/intern.h"
#include "x509/rules.h"
#include "x509/verdict.h"
#include "x509/x509.h"

static struct pki *pki;
static hf_error last;

#define CHAIN(...)                                                                             \
    (const struct pki_cert *const[]){__VA_ARGS__},                                             \
        sizeof((const struct pki_cert *const[]){__VA_ARGS__}) /                                \
            sizeof(const struct pki_cert *)

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

static bool says(const char *text)
{
    bool found = strstr(last.detail, text) != NULL;
    if (!found)
        printf("    the detail is: %s\n", last.detail);
    return found;
}

/* What a verification shall ask for. */
struct wish {
    unsigned flags; /* 0: the defaults */
    bool no_flags;
    const char *policy, *policy2;
    const char *name; /* NULL: server.example */
    bool client;      /* the peer is one, and no name is checked */
    unsigned depth;   /* 0: 10 */
    int64_t now;      /* 0: PKI_NOW */
    hf_verify_fn fn;
    void *arg;
};

static struct verify_rules *rules_of(const struct wish *w)
{
    struct verify_rules *rules = rules_copy(NULL);
    if (w->flags || w->no_flags)
        CHECK(rules_set_flags(rules, w->flags, NULL));
    if (w->policy)
        CHECK(rules_add_policy(rules, w->policy, NULL));
    if (w->policy2)
        CHECK(rules_add_policy(rules, w->policy2, NULL));
    rules_set_callback(rules, w->fn, w->arg);
    rules_seal(rules);
    return rules;
}

static struct verify_options options_of(const struct wish *w, const struct verify_rules *rules)
{
    return (struct verify_options){.name = w->client ? NULL
                                           : w->name ? w->name
                                                     : "server.example",
                                   .server = !w->client,
                                   .depth = w->depth ? w->depth : 10,
                                   .now = w->now ? w->now : PKI_NOW,
                                   .level = 2,
                                   .rules = rules};
}

/* judge verifies and returns the code; without a callback twice, for what is remembered may change
 * nothing. */
static hf_code judge2(const struct pki_cert *const *made, size_t count,
                      const struct pki_cert *root, const struct pki_cert *root2,
                      const struct wish *w)
{
    struct chain *chain = chain_of(made, count);
    hf_trust *trust = trust_of(root, root2);
    struct verify_rules *rules = rules_of(w);
    struct verify_options o = options_of(w, rules);
    last = (hf_error){0};
    bool ok = chain_verify(chain, trust, &o, &last);
    CHECK(ok || last.code != HF_OK);
    if (!w->fn) {
        hf_error again = {0};
        CHECK(ok == (last.code == HF_OK));
        CHECK(chain_verify(chain, trust, &o, &again) == ok);
        CHECK_INT(again.code, last.code);
    }
    rules_free(rules);
    hf_trust_free(trust);
    chain_free(chain);
    return ok ? HF_OK : last.code;
}

static hf_code judge(const struct pki_cert *const *made, size_t count,
                     const struct pki_cert *root, const struct wish *w)
{
    return judge2(made, count, root, NULL, w);
}

#define WISH(...) (&(struct wish){__VA_ARGS__})
#define PLAIN     WISH(.flags = 0)

static struct pki_cert *leaf_by(const struct pki_cert *issuer, const char *names)
{
    return pki_make(&(struct pki_spec){.subject = "Leaf", .names = names}, issuer);
}

/* ---- each refused or accepted as RFC 5280 says, with certificate and depth named */

static void test_validity(void)
{
    struct pki_cert *old = pki_make(&(struct pki_spec){.subject = "Old",
                                                       .names = "DNS:server.example",
                                                       .not_after = PKI_NOW - PKI_DAY},
                                    pki->mid),
                    *young = pki_make(&(struct pki_spec){.subject = "Young",
                                                         .names = "DNS:server.example",
                                                         .not_before = PKI_NOW + PKI_DAY},
                                      pki->mid);
    CHECK_INT(judge(CHAIN(old, pki->mid), pki->root, PLAIN), HF_E_EXPIRED);
    CHECK(last.x509_depth == 0 && says("certificate 0 'CN=Old'"));
    CHECK_INT(judge(CHAIN(young, pki->mid), pki->root, PLAIN), HF_E_NOT_YET_VALID);
    CHECK(last.x509_depth == 0 && says("certificate 0 'CN=Young'"));
    pki_free(old);
    pki_free(young);
}

static void test_purpose(void)
{
    ROW("C38");
    struct pki_cert *client = pki_make(
        &(struct pki_spec){.subject = "C", .names = "DNS:server.example", .eku = "clientAuth"},
        pki->mid);
    CHECK_INT(judge(CHAIN(client, pki->mid), pki->root, PLAIN), HF_E_WRONG_PURPOSE);
    CHECK(last.x509_depth == 0 && says("certificate 0 'CN=C' may not be used as a TLS server"));
    CHECK_INT(judge(CHAIN(client, pki->mid), pki->root, WISH(.client = true)), HF_OK);
    pki_free(client);
}

static hf_code constrained(const char *constraints, const char *names, const char *name)
{
    struct pki_cert *mid =
        pki_make(&(struct pki_spec){.subject = "Bound", .ca = true, .constraints = constraints},
                 pki->root);
    struct pki_cert *leaf = leaf_by(mid, names);
    hf_code code = judge(CHAIN(leaf, mid), pki->root, WISH(.name = name));
    CHECK(code == HF_OK || (last.x509_depth == 0 && says("certificate 0 'CN=Leaf'")));
    pki_free(leaf);
    pki_free(mid);
    return code;
}

/* RFC 5280 4.2.1.10 */
static void test_name_constraints(void)
{
    CHECK_INT(constrained("critical,permitted;DNS:example", "DNS:a.example", "a.example"),
              HF_OK);
    CHECK_INT(constrained("critical,permitted;DNS:example", "DNS:a.test", "a.test"),
              HF_E_CHAIN_INVALID);
    CHECK_INT(last.x509_code, X509_V_ERR_PERMITTED_VIOLATION);
    /* one bad name spoils the certificate, also where the name asked for is good */
    CHECK_INT(
        constrained("critical,permitted;DNS:example", "DNS:a.example,DNS:a.test", "a.example"),
        HF_E_CHAIN_INVALID);
    CHECK_INT(
        constrained("critical,excluded;DNS:bad.example", "DNS:good.example", "good.example"),
        HF_OK);
    CHECK_INT(
        constrained("critical,excluded;DNS:bad.example", "DNS:a.bad.example", "a.bad.example"),
        HF_E_CHAIN_INVALID);
    CHECK_INT(last.x509_code, X509_V_ERR_EXCLUDED_VIOLATION);
    CHECK_INT(
        constrained("critical,permitted;IP:10.0.0.0/255.0.0.0", "IP:10.1.2.3", "10.1.2.3"),
        HF_OK);
    CHECK_INT(
        constrained("critical,permitted;IP:10.0.0.0/255.0.0.0", "IP:11.1.2.3", "11.1.2.3"),
        HF_E_CHAIN_INVALID);
    CHECK_INT(constrained("critical,excluded;IP:10.0.0.0/255.0.0.0", "IP:10.1.2.3", "10.1.2.3"),
              HF_E_CHAIN_INVALID);
    CHECK_INT(constrained("critical,excluded;IP:10.0.0.0/255.0.0.0", "IP:11.1.2.3", "11.1.2.3"),
              HF_OK);
    /* what is not constrained is free */
    CHECK_INT(constrained("critical,permitted;DNS:example", "IP:11.1.2.3", "11.1.2.3"), HF_OK);
}

static void test_depth(void)
{
    struct pki_cert *ca[5] = {pki->root};
    for (int i = 1; i < 5; i++) {
        char name[8];
        snprintf(name, sizeof name, "CA%d", i);
        ca[i] = pki_make(&(struct pki_spec){.subject = name, .ca = true}, ca[i - 1]);
    }
    struct pki_cert *leaf = leaf_by(ca[4], "DNS:server.example");
    CHECK_INT(judge(CHAIN(leaf, ca[4], ca[3], ca[2], ca[1]), pki->root, WISH(.depth = 4)),
              HF_OK);
    CHECK_INT(judge(CHAIN(leaf, ca[4], ca[3], ca[2], ca[1]), pki->root, WISH(.depth = 3)),
              HF_E_CHAIN_TOO_LONG);
    CHECK(says("more than 3") && last.x509_depth >= 3);
    /* pathlen: the PKI's intermediate may have no authority below it */
    struct pki_cert *below =
        pki_make(&(struct pki_spec){.subject = "Below", .ca = true}, pki->mid);
    struct pki_cert *deep = leaf_by(below, "DNS:server.example");
    CHECK_INT(judge(CHAIN(deep, below, pki->mid), pki->root, PLAIN), HF_E_CHAIN_INVALID);
    CHECK(last.x509_code == X509_V_ERR_PATH_LENGTH_EXCEEDED && last.x509_depth == 2 &&
          says("certificate 2 'CN=Test Intermediate'"));
    pki_free(deep);
    pki_free(below);
    pki_free(leaf);
    for (int i = 1; i < 5; i++)
        pki_free(ca[i]);
}

static void test_weak(void)
{
    struct pki_cert *leaf = pki_make(&(struct pki_spec){.kind = PKI_RSA_1024,
                                                        .subject = "Weak",
                                                        .names = "DNS:server.example"},
                                     pki->mid);
    CHECK_INT(judge(CHAIN(leaf, pki->mid), pki->root, PLAIN), HF_E_WEAK_CERTIFICATE);
    CHECK(last.x509_depth == 0 && says("certificate 0 'CN=Weak' has the key RSA 1024"));
    pki_free(leaf);
}

/* One intermediate key under two roots: one path has expired, the other one is good. */
static void test_cross_signed(void)
{
    ROW("Y58");
    struct pki_cert *old_root = pki_make(&(struct pki_spec){.subject = "Old Root",
                                                            .ca = true,
                                                            .not_after = PKI_NOW - PKI_DAY},
                                         NULL),
                    *crossed = pki_make(&(struct pki_spec){.subject = "Test Intermediate",
                                                           .ca = true,
                                                           .key_of = pki->mid,
                                                           .not_after = PKI_NOW - PKI_DAY},
                                        old_root);
    /* whichever is sent first, and whichever roots are trusted */
    CHECK_INT(judge2(CHAIN(pki->leaf, crossed, pki->mid), pki->root, old_root, PLAIN), HF_OK);
    CHECK_INT(judge2(CHAIN(pki->leaf, pki->mid, crossed), pki->root, old_root, PLAIN), HF_OK);
    CHECK_INT(judge(CHAIN(pki->leaf, crossed, pki->mid), pki->root, PLAIN), HF_OK);
    CHECK_INT(judge(CHAIN(pki->leaf, crossed), old_root, PLAIN), HF_E_EXPIRED);
    CHECK(last.x509_depth > 0);
    CHECK_INT(judge(CHAIN(pki->leaf, crossed), pki->root, PLAIN), HF_E_UNTRUSTED);
    pki_free(crossed);
    pki_free(old_root);
}

/* ---- flags */

static void test_partial_chain(void)
{
    ROW("Y59");
    const unsigned whole = HF_VERIFY_TRUSTED_FIRST;
    CHECK_INT(judge(CHAIN(pki->leaf), pki->mid, PLAIN), HF_OK);
    CHECK_INT(judge(CHAIN(pki->leaf, pki->mid), pki->mid, WISH(.flags = whole)),
              HF_E_UNTRUSTED);
    CHECK(says("'CN=Test Root'"));
    CHECK_INT(judge(CHAIN(pki->leaf, pki->mid), pki->root, WISH(.flags = whole)), HF_OK);
    CHECK_INT(judge2(CHAIN(pki->leaf), pki->mid, pki->root, WISH(.flags = whole)), HF_OK);
    /* the leaf itself as anchor */
    CHECK_INT(judge(CHAIN(pki->leaf), pki->leaf, PLAIN), HF_OK);
    CHECK_INT(judge(CHAIN(pki->leaf), pki->leaf, WISH(.flags = whole)), HF_E_UNTRUSTED);
}

/* Without key identifiers, as `openssl req -x509` makes them. */
static void test_strict(void)
{
    ROW("Y56");
    struct pki_cert *root =
        pki_make(&(struct pki_spec){.subject = "Bare", .ca = true, .bare = true}, NULL);
    struct pki_cert *leaf = pki_make(
        &(struct pki_spec){.subject = "Leaf", .names = "DNS:server.example", .bare = true},
        root);
    CHECK_INT(judge(CHAIN(leaf), root, PLAIN), HF_OK);
    CHECK_INT(judge(CHAIN(leaf), root, WISH(.flags = RULES_DEFAULT | HF_VERIFY_STRICT)),
              HF_E_CHAIN_INVALID);
    CHECK(last.x509_code == X509_V_ERR_MISSING_SUBJECT_KEY_IDENTIFIER ||
          last.x509_code == X509_V_ERR_MISSING_AUTHORITY_KEY_IDENTIFIER);
    CHECK_INT(judge(CHAIN(pki->leaf, pki->mid), pki->root,
                    WISH(.flags = RULES_DEFAULT | HF_VERIFY_STRICT)),
              HF_OK);
    pki_free(leaf);
    pki_free(root);
}

/* An expired certificate of the peer's in the way, and the good one of that name in the trust. */
static void test_trusted_first(void)
{
    ROW("Y58");
    struct pki_cert *old = pki_make(&(struct pki_spec){.subject = "Test Intermediate",
                                                       .ca = true,
                                                       .key_of = pki->mid,
                                                       .not_after = PKI_NOW - PKI_DAY},
                                    pki->root);
    CHECK_INT(judge2(CHAIN(pki->leaf, old), pki->mid, pki->root, PLAIN), HF_OK);
    CHECK_INT(judge2(CHAIN(pki->leaf, old), pki->mid, pki->root,
                     WISH(.flags = HF_VERIFY_PARTIAL_CHAIN)),
              HF_E_EXPIRED);
    CHECK(says("certificate 1 'CN=Test Intermediate'"));
    pki_free(old);
}

/* RFC 3820: a certificate that a client made itself, for a job of limited rights. */
static void test_proxy(void)
{
    ROW("Y57");
    const unsigned with = RULES_DEFAULT | HF_VERIFY_PROXY_CERTS;
    struct pki_cert *user = pki_make(&(struct pki_spec){.subject = "User"}, pki->mid);
    struct pki_cert *proxy =
        pki_make(&(struct pki_spec){.subject = "job 1", .proxy = true}, user);
    CHECK_INT(judge(CHAIN(proxy, user, pki->mid), pki->root, WISH(.client = true)),
              HF_E_CHAIN_INVALID);
    CHECK(last.x509_code == X509_V_ERR_PROXY_CERTIFICATES_NOT_ALLOWED && last.x509_depth == 0);
    CHECK_INT(
        judge(CHAIN(proxy, user, pki->mid), pki->root, WISH(.client = true, .flags = with)),
        HF_OK);
    /* without proxyCertInfo an end entity issues nothing */
    struct pki_cert *fake = pki_make(&(struct pki_spec){.subject = "job 2"}, user);
    CHECK(judge(CHAIN(fake, user, pki->mid), pki->root, WISH(.client = true, .flags = with)) !=
          HF_OK);
    /* and the user's key must be allowed to sign */
    struct pki_cert *mute = pki_make(
        &(struct pki_spec){.subject = "Mute", .key_usage = "critical,keyAgreement"}, pki->mid);
    struct pki_cert *of_mute =
        pki_make(&(struct pki_spec){.subject = "job 3", .proxy = true}, mute);
    CHECK(judge(CHAIN(of_mute, mute, pki->mid), pki->root,
                WISH(.client = true, .flags = with)) != HF_OK);
    pki_free(of_mute);
    pki_free(mute);
    pki_free(fake);
    pki_free(proxy);
    pki_free(user);
}

/* ---- policies (RFC 5280 6.1) */

#define P1 "1.3.6.1.4.1.99999.1"
#define P2 "1.3.6.1.4.1.99999.2"

static hf_code policed(const char *mid_policies, const char *mappings,
                       const char *leaf_policies, const struct wish *w)
{
    struct pki_cert *mid = pki_make(
        &(struct pki_spec){
            .subject = "M", .ca = true, .policies = mid_policies, .mappings = mappings},
        pki->root);
    struct pki_cert *leaf = pki_make(&(struct pki_spec){.subject = "Leaf",
                                                        .names = "DNS:server.example",
                                                        .policies = leaf_policies},
                                     mid);
    hf_code code = judge(CHAIN(leaf, mid), pki->root, w);
    pki_free(leaf);
    pki_free(mid);
    return code;
}

static void test_policies(void)
{
    const unsigned some = RULES_DEFAULT | HF_VERIFY_POLICY;
    CHECK_INT(policed(P1, NULL, P1, WISH(.policy = P1)), HF_OK);
    CHECK_INT(policed(P1, NULL, P1, WISH(.policy = P2)), HF_E_WRONG_POLICY);
    CHECK_INT(last.x509_code, X509_V_ERR_NO_EXPLICIT_POLICY);
    CHECK(last.x509_depth == 0 && says("certificate 0 'CN=Leaf'") && says(P2));
    CHECK_INT(policed(P1, NULL, P1, WISH(.policy = P2, .policy2 = P1)), HF_OK);
    CHECK_INT(policed(P1, NULL, P2, WISH(.policy = P2)), HF_E_WRONG_POLICY);
    CHECK_INT(policed(NULL, NULL, P1, WISH(.policy = P1)), HF_E_WRONG_POLICY);
    CHECK_INT(policed(P1, NULL, NULL, WISH(.policy = P1)), HF_E_WRONG_POLICY);
    /* nobody asks */
    CHECK_INT(policed(P1, NULL, P2, PLAIN), HF_OK);
    /* any policy will do */
    CHECK_INT(policed(P1, NULL, P1, WISH(.flags = some)), HF_OK);
    CHECK_INT(policed(NULL, NULL, NULL, WISH(.flags = some)), HF_E_WRONG_POLICY);
    CHECK(says("no certificate policy at all"));
    /* anyPolicy of the authority, and what forbids it */
    CHECK_INT(policed("2.5.29.32.0", NULL, P1, WISH(.policy = P1)), HF_OK);
    CHECK_INT(policed("2.5.29.32.0", NULL, P1,
                      WISH(.policy = P1, .flags = RULES_DEFAULT | HF_VERIFY_NO_ANY_POLICY)),
              HF_E_WRONG_POLICY);
    /* one policy mapped to another */
    CHECK_INT(policed(P1, P1 ":" P2, P2, WISH(.policy = P1)), HF_OK);
    CHECK_INT(policed(P1, P1 ":" P2, P2,
                      WISH(.policy = P1, .flags = RULES_DEFAULT | HF_VERIFY_NO_POLICY_MAPPING)),
              HF_E_WRONG_POLICY);
}

/* ---- the callback */

struct judge {
    unsigned asked;
    hf_code code[8];
    int depth[8], x509_code[8];
    char subject[8][32];
    hf_code accept; /* this one; HF_E_COUNT: all */
};

static bool on_fault(hf_conn *conn, int depth, const hf_certificate *certificate,
                     const hf_error *verdict, void *arg)
{
    struct judge *j = arg;
    CHECK(conn == NULL && certificate && verdict->x509_depth == depth && verdict->detail[0]);
    if (j->asked < 8) {
        j->code[j->asked] = verdict->code;
        j->depth[j->asked] = depth;
        j->x509_code[j->asked] = verdict->x509_code;
        snprintf(j->subject[j->asked], 32, "%s", hf_certificate_subject(certificate));
    }
    j->asked++;
    return j->accept == HF_E_COUNT || j->accept == verdict->code;
}

static hf_code asked(const struct pki_cert *const *made, size_t count,
                     const struct pki_cert *root, struct judge *j, struct wish w)
{
    hf_code accept = j->accept;
    *j = (struct judge){.accept = accept};
    w.fn = on_fault;
    w.arg = j;
    return judge(made, count, root, &w);
}

static void test_callback_one(void)
{
    struct judge j = {.accept = HF_E_EXPIRED};
    struct pki_cert *old = pki_make(&(struct pki_spec){.subject = "Old",
                                                       .names = "DNS:server.example",
                                                       .not_after = PKI_NOW - PKI_DAY},
                                    pki->mid);
    verdict_clear();
    CHECK_INT(asked(CHAIN(old, pki->mid), pki->root, &j, (struct wish){.flags = 0}), HF_OK);
    CHECK(j.asked == 1 && j.code[0] == HF_E_EXPIRED && j.depth[0] == 0);
    CHECK_INT(j.x509_code[0], X509_V_ERR_CERT_HAS_EXPIRED);
    CHECK_STR(j.subject[0], "CN=Old");
    CHECK_INT(last.code, HF_E_EXPIRED); /* accepted, but not verified */
    CHECK_INT(verdict_chain_count(), 0);
    /* a good chain has no faults, and is not remembered either */
    CHECK_INT(asked(CHAIN(pki->leaf, pki->mid), pki->root, &j, (struct wish){.flags = 0}),
              HF_OK);
    CHECK(j.asked == 0 && last.code == HF_OK);
    CHECK_INT(verdict_chain_count(), 0);
    /* what it does not accept is refused */
    CHECK_INT(
        asked(CHAIN(old, pki->mid), pki->root, &j, (struct wish){.name = "other.example"}),
        HF_E_WRONG_NAME);
    CHECK(j.asked == 2 && j.code[1] == HF_E_WRONG_NAME && last.code == HF_E_WRONG_NAME);
    j.accept = HF_OK;
    CHECK_INT(asked(CHAIN(old, pki->mid), pki->root, &j, (struct wish){.flags = 0}),
              HF_E_EXPIRED);
    CHECK_INT(j.asked, 1);
    pki_free(old);
}

static bool was_asked(const struct judge *j, hf_code code, int depth)
{
    for (unsigned i = 0; i < j->asked && i < 8; i++) {
        if (j->code[i] == code && j->depth[i] == depth)
            return true;
    }
    return false;
}

/* Everything at once: a callback that accepts all gets to see all. */
static void test_callback_all(void)
{
    struct judge j = {.accept = HF_E_COUNT};
    struct pki_cert *mid = pki_make(
        &(struct pki_spec){.subject = "Mid", .ca = true, .not_after = PKI_NOW - PKI_DAY},
        pki->root);
    struct pki_cert *leaf = pki_make(&(struct pki_spec){.kind = PKI_RSA_1024,
                                                        .subject = "Leaf",
                                                        .names = "DNS:server.example",
                                                        .eku = "clientAuth",
                                                        .not_before = PKI_NOW + PKI_DAY},
                                     mid);
    CHECK_INT(asked(CHAIN(leaf, mid), pki->root, &j, (struct wish){.name = "other.example"}),
              HF_OK);
    CHECK(was_asked(&j, HF_E_WRONG_PURPOSE, 0) && was_asked(&j, HF_E_WEAK_CERTIFICATE, 0) &&
          was_asked(&j, HF_E_EXPIRED, 1) && was_asked(&j, HF_E_NOT_YET_VALID, 0) &&
          was_asked(&j, HF_E_WRONG_NAME, 0));
    CHECK_INT(j.asked, 5);
    /* no anchor at all, and a signature that is wrong */
    CHECK_INT(asked(CHAIN(leaf, mid), pki->leaf, &j, (struct wish){.name = "other.example"}),
              HF_OK);
    CHECK(was_asked(&j, HF_E_UNTRUSTED, 1));
    CHECK_INT(asked(CHAIN(pki->leaf), pki->root, &j, (struct wish){.flags = 0}), HF_OK);
    CHECK(was_asked(&j, HF_E_UNTRUSTED, 0));
    /* a self-signed one */
    struct pki_cert *own =
        pki_make(&(struct pki_spec){.subject = "Own", .names = "DNS:server.example"}, NULL);
    CHECK_INT(asked(CHAIN(own), pki->root, &j, (struct wish){.flags = 0}), HF_OK);
    CHECK(j.asked == 1 && was_asked(&j, HF_E_SELF_SIGNED, 0));
    pki_free(own);
    pki_free(leaf);
    pki_free(mid);
}

static void test_callback_signature(void)
{
    struct judge j = {.accept = HF_E_CHAIN_INVALID};
    /* the same name and key identifier, signed by another key */
    struct pki_cert *forged = leaf_by(pki->mid, "DNS:server.example");
    forged->der[forged->der_len - 3] ^= 1;
    CHECK_INT(judge(CHAIN(forged, pki->mid), pki->root, PLAIN), HF_E_CHAIN_INVALID);
    CHECK_INT(last.x509_code, X509_V_ERR_CERT_SIGNATURE_FAILURE);
    CHECK_INT(asked(CHAIN(forged, pki->mid), pki->root, &j, (struct wish){.flags = 0}), HF_OK);
    CHECK(j.asked == 1 && j.x509_code[0] == X509_V_ERR_CERT_SIGNATURE_FAILURE);
    /* ... which teaches nothing to the memory of signatures */
    CHECK_INT(judge(CHAIN(forged, pki->mid), pki->root, PLAIN), HF_E_CHAIN_INVALID);
    pki_free(forged);
}

/* ---- the path */

static void check_path(const struct pki_cert *const *made, size_t count, hf_trust *trust,
                       const struct pki_cert *const *want, size_t wanted, struct wish w)
{
    struct chain *chain = chain_of(made, count);
    struct verify_rules *rules = rules_of(&w);
    struct verify_options o = options_of(&w, rules);
    struct chain *path = chain_path(chain, trust, &o);
    CHECK(path && path->count == wanted);
    for (size_t i = 0; path && i < wanted && i < path->count; i++)
        CHECK(slice_equal(cert_der(path->cert[i]), slice_of(want[i]->der, want[i]->der_len)));
    chain_free(path);
    rules_free(rules);
    chain_free(chain);
}

static void test_path(void)
{
    hf_trust *trust = trust_of(pki->root, NULL);
    check_path(CHAIN(pki->leaf, pki->mid), trust, CHAIN(pki->leaf, pki->mid, pki->root),
               (struct wish){.flags = 0});
    /* it stays what it was when its certificates have expired */
    check_path(CHAIN(pki->leaf, pki->root, pki->mid), trust,
               CHAIN(pki->leaf, pki->mid, pki->root),
               (struct wish){.now = PKI_NOT_AFTER + PKI_DAY});
    struct chain *chain = chain_of(CHAIN(pki->leaf));
    CHECK(chain_path(chain, trust, &(struct verify_options){.server = true, .depth = 10}) ==
          NULL);
    chain_free(chain);
    hf_trust_free(trust);
    trust = trust_of(pki->root, pki->mid);
    check_path(CHAIN(pki->leaf, pki->mid), trust, CHAIN(pki->leaf, pki->mid),
               (struct wish){.flags = 0});
    check_path(CHAIN(pki->leaf), trust, CHAIN(pki->leaf, pki->mid, pki->root),
               (struct wish){.flags = HF_VERIFY_TRUSTED_FIRST});
    hf_trust_free(trust);
}

int main(void)
{
    pki = pki_new(PKI_P256, "DNS:server.example");
    RUN(test_validity);
    RUN(test_purpose);
    RUN(test_name_constraints);
    RUN(test_depth);
    RUN(test_weak);
    RUN(test_cross_signed);
    RUN(test_partial_chain);
    RUN(test_strict);
    RUN(test_trusted_first);
    RUN(test_proxy);
    RUN(test_policies);
    RUN(test_callback_one);
    RUN(test_callback_all);
    RUN(test_callback_signature);
    RUN(test_path);
    intern_clear();
    pki_clear(pki);
    return check_done();
}
