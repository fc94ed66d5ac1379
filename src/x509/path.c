/* path.c: from a peer's certificate to an anchor (RFC 5280 6). libcrypto builds the path and applies
 * every rule to it; ours are only where anchors and revocation lists come from, what is known of
 * signatures already, and the dates.
 *
 * What is asked of libcrypto, and why:
 * - X509_V_FLAG_PARTIAL_CHAIN: a certificate that was added to the trust is an anchor, whether it is
 *   self-signed or not. Whoever adds an intermediate or a server's own certificate means exactly it.
 * - X509_V_FLAG_TRUSTED_FIRST: an issuer among the anchors is taken before one that the peer sent, so
 *   an expired cross-signed certificate that a server still sends does no harm.
 * - X509_V_FLAG_X509_STRICT, except for four rules that bind those who issue certificates and that
 *   path validation (RFC 5280 6.1) does not ask for: subject and authority key identifiers, a critical
 *   basicConstraints, and keyUsage in CA certificates. `openssl req -x509` and `openssl x509 -req`
 *   leave these out by default, so half the private authorities of this world would be refused, and
 *   nobody would be safer: whether a CA is one is still said by basicConstraints.
 * - what the configuration's rules say besides (rules.h), with which the first three can be changed;
 * - the configuration's security level; 2, the default: RSA and DH 2048, EC 224, no SHA-1. */
#include <openssl/err.h>
#include <pthread.h>

#include "x509/verdict.h"
#include "x509/verify.h"

/* ---- issuers among the anchors */

static struct verification *verification_of(const X509_STORE_CTX *ctx)
{
    return X509_STORE_CTX_get_app_data(ctx);
}

static bool valid_at(const hf_certificate *c, int64_t now)
{
    return c->not_before <= now && now <= c->not_after;
}

static bool better(const hf_certificate *a, const hf_certificate *b, int64_t now)
{
    if (!b || valid_at(a, now) != valid_at(b, now))
        return !b || valid_at(a, now);
    return a->not_after > b->not_after;
}

/* The anchor that issued x: one that is valid now, else the one that was valid last, so that the error
 * can say "expired". Where several have the name (an authority that renewed its key) the signature
 * tells which it was, since libcrypto would take our first answer for the only one. */
static const hf_certificate *choose_issuer(struct verification *v, X509_STORE_CTX *ctx, X509 *x)
{
    X509_STORE_CTX_check_issued_fn issued = X509_STORE_CTX_get_check_issued(ctx);
    struct found found = trust_find(v->trust, X509_get_issuer_name(x), wanted_use(v));
    const hf_certificate *own = cert_of(x), *best = NULL;
    for (size_t i = 0; own && i < found.count; i++) {
        const hf_certificate *c = found.cert[i];
        if (issued(ctx, x, c->x509) && (found.count == 1 || issuer_signed(c, own)) &&
            better(c, best, v->options->now))
            best = c;
    }
    v->no_memory = v->no_memory || (!best && found.no_memory);
    return best;
}

static int get_issuer(X509 **out, X509_STORE_CTX *ctx, X509 *x)
{
    const hf_certificate *issuer = choose_issuer(verification_of(ctx), ctx, x);
    if (!issuer)
        return 0;
    if (!X509_up_ref(issuer->x509))
        return -1;
    *out = issuer->x509;
    return 1;
}

/* Asked for with the subject of a certificate that may be an anchor itself. */
static STACK_OF(X509) * lookup_certs(X509_STORE_CTX *ctx, const X509_NAME *name)
{
    struct verification *v = verification_of(ctx);
    struct found found = trust_find(v->trust, name, wanted_use(v));
    STACK_OF(X509) *all = sk_X509_new_reserve(NULL, FOUND_MAX);
    for (size_t i = 0; all && i < found.count; i++) {
        if (X509_up_ref(found.cert[i]->x509))
            sk_X509_push(all, found.cert[i]->x509);
    }
    v->no_memory = v->no_memory || !all || found.no_memory;
    return all;
}

/* An anchor is trusted because it was configured, and is no part of what is validated (RFC 5280 6.1);
 * libcrypto asks for its list all the same. One that is signed by itself is on its own list, which is
 * needed anyway. */
static bool is_lent_anchor(const X509_STORE_CTX *ctx)
{
    int depth = X509_STORE_CTX_get_error_depth(ctx);
    X509 *x = X509_STORE_CTX_get_current_cert(ctx);
    return depth > 0 && depth == sk_X509_num(X509_STORE_CTX_get0_chain(ctx)) - 1 && x &&
           !(X509_get_extension_flags(x) & EXFLAG_SS);
}

static STACK_OF(X509_CRL) * lookup_crls(const X509_STORE_CTX *ctx, const X509_NAME *issuer)
{
    struct verification *v = verification_of(ctx);
    STACK_OF(X509_CRL) *all = sk_X509_CRL_new_null();
    bool ok = all && (is_lent_anchor(ctx) || add_crls(v, issuer, all));
    v->no_memory = v->no_memory || !ok;
    return all;
}

/* ---- signatures and dates along the path */

/* The common algorithms without EVP in between, which saves 6 us of 65. Only a yes counts: for
 * everything else libcrypto has the word. id-RSASSA-PSS keys may carry restrictions, which it knows. */
static bool signed_directly(const hf_certificate *issuer, const hf_certificate *cert)
{
    return cert->tbs.len && cert->signed_with != SIG_NONE && issuer->key &&
           public_key_kind(issuer->key) != KEY_RSA_PSS &&
           public_key_verify(issuer->key, cert->signed_with, cert->tbs, cert->signature);
}

bool issuer_signed(const hf_certificate *issuer, const hf_certificate *cert)
{
    if (verdict_signature_known(cert, issuer))
        return true;
    EVP_PKEY *key = X509_get0_pubkey(issuer->x509);
    bool good = signed_directly(issuer, cert) || (key && X509_verify(cert->x509, key) == 1);
    ERR_clear_error();
    if (good)
        verdict_signature_remember(cert, issuer);
    return good;
}

static int stop(X509_STORE_CTX *ctx, int code, int depth, X509 *x)
{
    X509_STORE_CTX_set_error(ctx, code);
    X509_STORE_CTX_set_error_depth(ctx, depth);
    X509_STORE_CTX_set_current_cert(ctx, x);
    return 0;
}

/* The rules' callback may let what is at fault here pass, as what libcrypto finds itself. */
static int object(X509_STORE_CTX *ctx, int code, int depth, X509 *x)
{
    return X509_STORE_CTX_get_verify_cb(ctx)(stop(ctx, code, depth, x), ctx);
}

/* notAfter is the last second that belongs to the validity (RFC 5280 4.1.2.5). */
static int check_dates(X509_STORE_CTX *ctx, const hf_certificate *c, int depth)
{
    struct verification *v = verification_of(ctx);
    if (v->dateless)
        return 1;
    if (v->options->now < c->not_before)
        return object(ctx, X509_V_ERR_CERT_NOT_YET_VALID, depth, c->x509);
    if (v->options->now > c->not_after)
        return object(ctx, X509_V_ERR_CERT_HAS_EXPIRED, depth, c->x509);
    narrow(v, c->not_before, c->not_after);
    return 1;
}

static int check_signature(X509_STORE_CTX *ctx, const hf_certificate *issuer,
                           const hf_certificate *c, int depth)
{
    /* RFC 5280 6.1.4 (n): where keyUsage is, it has to allow this. Absent, libcrypto says all bits. Proxy
     * certificates are signed by those that are no authorities (RFC 3820 3.1). */
    bool proxy = X509_get_extension_flags(c->x509) & EXFLAG_PROXY;
    if (!(X509_get_key_usage(issuer->x509) &
          (proxy ? KU_DIGITAL_SIGNATURE : KU_KEY_CERT_SIGN)) &&
        !object(ctx,
                proxy ? X509_V_ERR_KEYUSAGE_NO_DIGITAL_SIGNATURE
                      : X509_V_ERR_KEYUSAGE_NO_CERTSIGN,
                depth + 1, issuer->x509))
        return 0;
    if (!X509_get0_pubkey(issuer->x509))
        return object(ctx, X509_V_ERR_UNABLE_TO_DECODE_ISSUER_PUBLIC_KEY, depth + 1,
                      issuer->x509);
    if (!issuer_signed(issuer, c))
        return object(ctx, X509_V_ERR_CERT_SIGNATURE_FAILURE, depth, c->x509);
    return 1;
}

/* In the place of libcrypto's own last step, which would compute every signature again. From the
 * anchor downwards, as there; the anchor's own signature proves nothing, its dates count. */
static int check_path(X509_STORE_CTX *ctx)
{
    struct verification *v = verification_of(ctx);
    STACK_OF(X509) *chain = X509_STORE_CTX_get0_chain(ctx);
    int count = sk_X509_num(chain);
    if (count < 1 || count > PATH_MAX_CERTS)
        return stop(ctx, X509_V_ERR_CERT_CHAIN_TOO_LONG, 0, sk_X509_value(chain, 0));
    for (int i = count - 1; i >= 0; i--) {
        const hf_certificate *c = cert_of(sk_X509_value(chain, i));
        /* All come from the chain or the trust; one that does not must not be believed. */
        if (!c)
            return stop(ctx, X509_V_ERR_UNSPECIFIED, i, sk_X509_value(chain, i));
        v->path[i] = c;
        if (i < count - 1 && !check_signature(ctx, v->path[i + 1], c, i))
            return 0;
        if (!check_dates(ctx, c, i))
            return 0;
    }
    v->count = (size_t)count;
    return 1;
}

/* The four exceptions from X509_V_FLAG_X509_STRICT; see above. */
static bool is_forgiven(const struct verification *v, const X509_STORE_CTX *ctx)
{
    switch (X509_STORE_CTX_get_error(ctx)) {
    case X509_V_ERR_MISSING_AUTHORITY_KEY_IDENTIFIER:
    case X509_V_ERR_MISSING_SUBJECT_KEY_IDENTIFIER:
    case X509_V_ERR_CA_BCONS_NOT_CRITICAL:
    case X509_V_ERR_CA_CERT_MISSING_KEY_USAGE: return !(v->rules->flags & HF_VERIFY_STRICT);
    case X509_V_ERR_UNABLE_TO_GET_CRL: return is_lent_anchor(ctx);
    default: return false;
    }
}

static bool explain_fault(struct verification *v, X509_STORE_CTX *ctx)
{
    int code = X509_STORE_CTX_get_error(ctx);
    v->at = cert_of(X509_STORE_CTX_get_current_cert(ctx));
    v->crl = X509_STORE_CTX_get0_current_crl(ctx);
    bool passed =
        explain_refusal(v, code == X509_V_OK ? X509_V_ERR_UNSPECIFIED : code,
                        X509_STORE_CTX_get_error_depth(ctx), v->at ? v->at : v->chain->cert[0]);
    v->at = NULL;
    v->crl = NULL;
    return passed;
}

static bool lacks_memory(const struct verification *v, int code)
{
    return v->no_memory || code == X509_V_ERR_OUT_OF_MEM || code == X509_V_ERR_STORE_LOOKUP;
}

/* The words are found here, where libcrypto still knows which revocation list it is about. What memory
 * did not suffice for is nobody's to let pass. */
static int on_error(int ok, X509_STORE_CTX *ctx)
{
    struct verification *v = verification_of(ctx);
    if (ok)
        return 1;
    if (!is_forgiven(v, ctx) &&
        (lacks_memory(v, X509_STORE_CTX_get_error(ctx)) || !explain_fault(v, ctx))) {
        v->settled = true;
        return 0;
    }
    X509_STORE_CTX_set_error(ctx, X509_V_OK);
    return 1;
}

/* ---- the call of libcrypto */

static pthread_once_t store_once = PTHREAD_ONCE_INIT;
static X509_STORE *store;

/* One empty store for all: it only carries the functions above, so it has no lock to share. */
static void make_store(void)
{
    store = X509_STORE_new();
    if (!store)
        return;
    X509_STORE_set_get_issuer(store, get_issuer);
    X509_STORE_set_lookup_certs(store, lookup_certs);
    X509_STORE_set_lookup_crls(store, lookup_crls);
    X509_STORE_set_verify(store, check_path);
    X509_STORE_set_verify_cb(store, on_error);
}

static unsigned long flags_of(const struct verify_rules *rules)
{
    static const struct {
        unsigned flag;
        unsigned long libcrypto;
    } same[] = {
        {HF_VERIFY_PARTIAL_CHAIN, X509_V_FLAG_PARTIAL_CHAIN},
        {HF_VERIFY_PROXY_CERTS, X509_V_FLAG_ALLOW_PROXY_CERTS},
        {HF_VERIFY_TRUSTED_FIRST, X509_V_FLAG_TRUSTED_FIRST},
        {HF_VERIFY_POLICY, X509_V_FLAG_EXPLICIT_POLICY},
        {HF_VERIFY_NO_ANY_POLICY, X509_V_FLAG_INHIBIT_ANY},
        {HF_VERIFY_NO_POLICY_MAPPING, X509_V_FLAG_INHIBIT_MAP},
    };
    unsigned long flags = X509_V_FLAG_X509_STRICT;
    for (size_t i = 0; i < sizeof same / sizeof *same; i++)
        flags |= rules->flags & same[i].flag ? same[i].libcrypto : 0;
    if (rules->policy_count)
        flags |= X509_V_FLAG_EXPLICIT_POLICY;
    if (flags & X509_V_FLAG_POLICY_MASK)
        flags |= X509_V_FLAG_POLICY_CHECK;
    if (rules->crl != HF_CRL_NONE)
        flags |= X509_V_FLAG_CRL_CHECK;
    return rules->crl == HF_CRL_CHAIN ? flags | X509_V_FLAG_CRL_CHECK_ALL : flags;
}

static bool add_policy(X509_VERIFY_PARAM *p, const char *oid)
{
    ASN1_OBJECT *policy = OBJ_txt2obj(oid, 1);
    if (policy && X509_VERIFY_PARAM_add0_policy(p, policy))
        return true;
    ASN1_OBJECT_free(policy);
    return false;
}

static bool set_rules(X509_VERIFY_PARAM *p, const struct verify_rules *rules)
{
    /* Of no policy at all libcrypto would let no path be valid; RFC 5280 6.1.1 (c) says anyPolicy. */
    if ((rules->flags & HF_VERIFY_POLICY) && !rules->policy_count &&
        !add_policy(p, "2.5.29.32.0"))
        return false;
    for (size_t i = 0; i < rules->policy_count; i++) {
        if (!add_policy(p, rules->policy[i]))
            return false;
    }
    /* libcrypto's own default has X509_V_FLAG_TRUSTED_FIRST. */
    return X509_VERIFY_PARAM_clear_flags(p, X509_V_FLAG_TRUSTED_FIRST) &&
           X509_VERIFY_PARAM_set_flags(p, flags_of(rules));
}

static bool set_parameters(X509_STORE_CTX *ctx, const struct verify_options *o,
                           const struct verify_rules *rules)
{
    X509_VERIFY_PARAM *p = X509_STORE_CTX_get0_param(ctx);
    unsigned depth = o->depth < DEPTH_MAX ? o->depth : DEPTH_MAX;
    X509_VERIFY_PARAM_set_depth(p, (int)depth);
    X509_VERIFY_PARAM_set_time(p, (time_t)o->now);
    X509_VERIFY_PARAM_set_auth_level(p, o->level);
    /* So that name constraints are not applied to a common name that we never look at. */
    X509_VERIFY_PARAM_set_hostflags(p, X509_CHECK_FLAG_NEVER_CHECK_SUBJECT);
    return set_rules(p, rules) &&
           X509_VERIFY_PARAM_set_purpose(p, o->server ? X509_PURPOSE_SSL_SERVER
                                                      : X509_PURPOSE_SSL_CLIENT) &&
           X509_VERIFY_PARAM_set_trust(p, o->server ? X509_TRUST_SSL_SERVER
                                                    : X509_TRUST_SSL_CLIENT);
}

/* The certificates that the peer sent besides its own, less those left out. */
static STACK_OF(X509) * rest_of(const struct chain *chain, uint64_t without)
{
    STACK_OF(X509) *rest = sk_X509_new_reserve(NULL, (int)chain->count);
    for (size_t i = 1; rest && i < chain->count; i++) {
        if (!(without >> i & 1))
            sk_X509_push(rest, chain->cert[i]->x509);
    }
    return rest;
}

static bool same_subject(const hf_certificate *a, const hf_certificate *b)
{
    return X509_NAME_cmp(X509_get_subject_name(a->x509), X509_get_subject_name(b->x509)) == 0;
}

/* Another certificate of the peer that could have stood in the place of the i-th. */
static bool has_twin(const struct chain *chain, size_t i, uint64_t without)
{
    for (size_t j = 1; j < chain->count; j++) {
        if (j != i && !(without >> j & 1) && chain->cert[j] != chain->cert[i] &&
            same_subject(chain->cert[j], chain->cert[i]))
            return true;
    }
    return false;
}

/* The one of the peer's certificates nearest the path's end that has a twin; 0: none. */
static size_t choose_other(const struct verification *v, X509_STORE_CTX *ctx, uint64_t without)
{
    STACK_OF(X509) *tried = X509_STORE_CTX_get0_chain(ctx);
    for (int depth = sk_X509_num(tried) - 1; depth > 0; depth--) {
        X509 *x = sk_X509_value(tried, depth);
        for (size_t i = 1; i < v->chain->count; i++) {
            if (v->chain->cert[i]->x509 == x && !(without >> i & 1) &&
                has_twin(v->chain, i, without))
                return i;
        }
    }
    return 0;
}

static bool run(struct verification *v, X509_STORE_CTX *ctx)
{
    v->count = 0;
    v->from = INT64_MIN;
    v->until = INT64_MAX;
    v->settled = false;
    v->overruled.code = HF_OK;
    if (!X509_STORE_CTX_set_app_data(ctx, v) || !set_parameters(ctx, v->options, v->rules))
        return err_set(v->err, HF_E_NO_MEMORY, "verification");
    int result = X509_verify_cert(ctx);
    int code = X509_STORE_CTX_get_error(ctx);
    if (result == 1 && v->count && !v->no_memory)
        return true;
    if (lacks_memory(v, code))
        return err_set(v->err, HF_E_NO_MEMORY, "verification");
    /* For what libcrypto has told nobody about; what it has is explained, and whoever was to be asked was
     * asked. */
    v->settled = true;
    explain_fault(v, ctx);
    return false;
}

/* One attempt; `without` says which of the peer's certificates to leave out, and receives one more
 * if there is another way to try. */
static bool attempt(struct verification *v, uint64_t *without)
{
    STACK_OF(X509) *rest = rest_of(v->chain, *without);
    X509_STORE_CTX *ctx = X509_STORE_CTX_new();
    bool ready =
        store && rest && ctx && X509_STORE_CTX_init(ctx, store, v->chain->cert[0]->x509, rest);
    bool ok = ready ? run(v, ctx) : err_set(v->err, HF_E_NO_MEMORY, "verification");
    if (ready && !ok && !v->no_memory) {
        size_t other = choose_other(v, ctx, *without);
        *without |= other ? (uint64_t)1 << other : 0;
    }
    X509_STORE_CTX_free(ctx);
    sk_X509_free(rest);
    ERR_clear_error();
    return ok;
}

/* libcrypto follows one issuer and never goes back; where authorities are cross-signed, the peer may
 * have sent several of one name, of which one leads to an anchor. Each attempt leaves out one more, so
 * there are at most CHAIN_MAX. The first failure is the one to report: it is about the path that the
 * peer put first. */
bool find_path(struct verification *v)
{
    hf_error first = {0}, *err = v->err;
    uint64_t without = 0, before;
    bool ok;
    pthread_once(&store_once, make_store);
    v->err = &first;
    do {
        before = without;
        ok = attempt(v, &without);
    } while (!ok && without != before);
    v->err = err;
    if (!ok && err && err->code == HF_OK)
        *err = first;
    return ok;
}
