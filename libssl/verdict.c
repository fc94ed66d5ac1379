/* verdict.c: good verdicts of libcrypto that need not be asked for again.
 *
 * X509_verify_cert takes 150 us and more for a chain that this process has seen before. What it says depends on
 * the certificates, the store, the parameters and the time; where all of these are the same, so is the verdict. Its
 * id is a digest of them (src/x509/verdict.h says why that is safe), and only good verdicts are kept, for as long
 * as the dates of their path allow.
 *
 * A store is known by a number that no other one of this process ever gets, and by how many objects are in it:
 * objects are added to a store and never taken out. What cannot be known is not remembered: callbacks, revocation
 * lists, policies, a time of the application's own, DANE's records.
 *
 * Of a parameter object libcrypto 3.0 shows all but purpose, trust and policies. These are looked up where they
 * lie, if a trial on an object of our own shows that they lie there; else nothing is remembered. */
#include "libssl/verify.h"

#include <openssl/sha.h>
#include <openssl/x509v3.h>
#include <pthread.h>
#include <time.h>

/* ---- parameters */

enum { AT_PURPOSE = 32, AT_TRUST = 36, AT_POLICIES = 48, PEEK = 56 };

struct hidden {
    int purpose, trust;
    void *policies;
};

static struct hidden peek(const X509_VERIFY_PARAM *param)
{
    struct hidden h;
    const unsigned char *p = (const unsigned char *)param;
    memcpy(&h.purpose, p + AT_PURPOSE, sizeof h.purpose);
    memcpy(&h.trust, p + AT_TRUST, sizeof h.trust);
    memcpy(&h.policies, p + AT_POLICIES, sizeof h.policies);
    return h;
}

static bool try_layout(X509_VERIFY_PARAM *param, ASN1_OBJECT *policy)
{
    unsigned char before[PEEK], after[PEEK];
    struct hidden h = peek(param);
    bool ok = h.policies == NULL &&
              X509_VERIFY_PARAM_set_purpose(param, X509_PURPOSE_CRL_SIGN) &&
              X509_VERIFY_PARAM_set_trust(param, X509_TRUST_TSA);
    h = peek(param);
    ok = ok && h.purpose == X509_PURPOSE_CRL_SIGN && h.trust == X509_TRUST_TSA;
    memcpy(before, param, PEEK);
    ok = ok && X509_VERIFY_PARAM_set_purpose(param, X509_PURPOSE_SSL_CLIENT) &&
         X509_VERIFY_PARAM_set_trust(param, X509_TRUST_EMAIL);
    memcpy(after, param, PEEK);
    /* These two, and nothing else, have changed. */
    memcpy(before + AT_PURPOSE, after + AT_PURPOSE, 2 * sizeof(int));
    ok = ok && memcmp(before, after, PEEK) == 0;
    if (!ok || !policy || !X509_VERIFY_PARAM_add0_policy(param, policy)) {
        ASN1_OBJECT_free(policy);
        return false;
    }
    return peek(param).policies != NULL;
}

static pthread_once_t layout_once = PTHREAD_ONCE_INIT;
static bool layout_known;
static int store_index = -1;

static void learn_layout(void)
{
    X509_VERIFY_PARAM *param = X509_VERIFY_PARAM_new();
    store_index = X509_STORE_get_ex_new_index(0, NULL, NULL, NULL, NULL);
    layout_known = param && store_index >= 0 && try_layout(param, OBJ_txt2obj("1.2.3.4", 1));
    X509_VERIFY_PARAM_free(param);
}

/* Rules whose outcome follows from certificates and parameters alone. */
#define KNOWN_FLAGS                                                                            \
    (X509_V_FLAG_TRUSTED_FIRST | X509_V_FLAG_PARTIAL_CHAIN | X509_V_FLAG_X509_STRICT |         \
     X509_V_FLAG_NO_ALT_CHAINS | X509_V_FLAG_CHECK_SS_SIGNATURE |                              \
     X509_V_FLAG_ALLOW_PROXY_CERTS)

static void add(SHA256_CTX *h, const void *p, size_t len)
{
    SHA256_Update(h, p, len);
}

/* With its NUL, so that two strings are never one. */
static void add_text(SHA256_CTX *h, const char *text)
{
    add(h, text ? text : "", text ? strlen(text) + 1 : 1);
}

static void add_names(SHA256_CTX *h, X509_VERIFY_PARAM *param)
{
    int hosts = 0;
    for (const char *name; (name = X509_VERIFY_PARAM_get0_host(param, hosts)); hosts++)
        add_text(h, name);
    ERR_set_mark(); /* no address is an error to it */
    char *ip = X509_VERIFY_PARAM_get1_ip_asc(param);
    ERR_pop_to_mark();
    add(h, &hosts, sizeof hosts);
    add_text(h, X509_VERIFY_PARAM_get0_email(param));
    add_text(h, ip);
    OPENSSL_free(ip);
}

static bool add_param(SHA256_CTX *h, X509_VERIFY_PARAM *param)
{
    struct hidden hidden = peek(param);
    unsigned long flags = X509_VERIFY_PARAM_get_flags(param);
    long numbers[] = {(long)flags,
                      hidden.purpose,
                      hidden.trust,
                      X509_VERIFY_PARAM_get_depth(param),
                      X509_VERIFY_PARAM_get_auth_level(param),
                      (long)X509_VERIFY_PARAM_get_hostflags(param),
                      (long)X509_VERIFY_PARAM_get_inh_flags(param)};
    if (hidden.policies || flags & ~(unsigned long)KNOWN_FLAGS)
        return false;
    add(h, numbers, sizeof numbers);
    add_names(h, param);
    return true;
}

/* ---- the store */

static uint64_t number_of(X509_STORE *store)
{
    static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
    static uintptr_t last;
    pthread_mutex_lock(&lock);
    uintptr_t number = (uintptr_t)X509_STORE_get_ex_data(store, store_index);
    if (!number && X509_STORE_set_ex_data(store, store_index, (void *)(last + 1)))
        number = ++last;
    pthread_mutex_unlock(&lock);
    return number;
}

static bool is_plain(const X509_STORE *store)
{
    return !X509_STORE_get_verify(store) && !X509_STORE_get_verify_cb(store) &&
           !X509_STORE_get_get_issuer(store) && !X509_STORE_get_check_issued(store) &&
           !X509_STORE_get_check_revocation(store) && !X509_STORE_get_get_crl(store) &&
           !X509_STORE_get_check_crl(store) && !X509_STORE_get_cert_crl(store) &&
           !X509_STORE_get_check_policy(store) && !X509_STORE_get_lookup_certs(store) &&
           !X509_STORE_get_lookup_crls(store) && !X509_STORE_get_cleanup(store);
}

static bool add_store(SHA256_CTX *h, X509_STORE *store)
{
    uint64_t numbers[] = {number_of(store),
                          (uint64_t)sk_X509_OBJECT_num(X509_STORE_get0_objects(store))};
    add(h, numbers, sizeof numbers);
    return numbers[0] && is_plain(store) && add_param(h, X509_STORE_get0_param(store));
}

/* ---- the whole */

static bool may_remember(const SSL *s)
{
    return layout_known && !s->ctx->app_verify_cb && !s->settings->verify_cb &&
           !s->settings->ct_cb && !dane_active(s);
}

bool verdict_id(SSL *s, X509_STORE *store, uint8_t id[VERDICT_ID])
{
    hf_certificate *const *certs = NULL;
    size_t count = access_peer_chain(s->conn, &certs);
    SHA256_CTX h;
    pthread_once(&layout_once, learn_layout);
    if (!count || !may_remember(s))
        return false;
    uint64_t numbers[] = {count, s->server, (uint64_t)s->settings->security_level,
                          certs_get(s, NULL)->flags & SSL_CERT_FLAG_SUITEB_128_LOS,
                          (uint64_t)(uintptr_t)s->ctx->libctx};
    SHA256_Init(&h);
    add_text(&h, "libssl");
    add(&h, numbers, sizeof numbers);
    add_text(&h, s->ctx->propq);
    for (size_t i = 0; i < count; i++)
        add(&h, hf_certificate_sha256(certs[i]), 32);
    X509_VERIFY_PARAM *param = (X509_VERIFY_PARAM *)(uintptr_t)verify_param(s); /* is read */
    return add_store(&h, store) && add_param(&h, param) && SHA256_Final(id, &h);
}

bool verdict_known(const uint8_t id[VERDICT_ID])
{
    return access_verdict_known(id, (int64_t)time(NULL));
}

static bool read_time(const ASN1_TIME *t, int64_t *out)
{
    struct tm tm;
    if (!t || !ASN1_TIME_to_tm(t, &tm))
        return false;
    *out = (int64_t)timegm(&tm);
    return true;
}

void verdict_remember(const uint8_t id[VERDICT_ID], STACK_OF(X509) * path)
{
    int64_t from = INT64_MIN, until = INT64_MAX, a, b;
    for (int i = 0; i < sk_X509_num(path); i++) {
        const X509 *x = sk_X509_value(path, i);
        if (!read_time(X509_get0_notBefore(x), &a) || !read_time(X509_get0_notAfter(x), &b))
            return;
        from = a > from ? a : from;
        until = b < until ? b : until;
    }
    if (sk_X509_num(path) > 0)
        access_verdict_remember(id, from, until);
}
