/* ct.c: certificate transparency (RFC 6962; SSL_CTX_set_ct_validation_callback(3)). */
#include "libssl/verify.h"

#include <openssl/ct.h>
#include <openssl/ocsp.h>
#include <openssl/x509v3.h>
#include <time.h>

/* ---- the logs */

static CTLOG_STORE *logs(SSL_CTX *ctx)
{
    if (!ctx->ctlog_store)
        ctx->ctlog_store = CTLOG_STORE_new_ex(ctx->libctx, ctx->propq);
    return ctx->ctlog_store;
}

int SSL_CTX_set_default_ctlog_list_file(SSL_CTX *ctx)
{
    return logs(ctx) && CTLOG_STORE_load_default_file(logs(ctx));
}

int SSL_CTX_set_ctlog_list_file(SSL_CTX *ctx, const char *path)
{
    return logs(ctx) && CTLOG_STORE_load_file(logs(ctx), path);
}

void SSL_CTX_set0_ctlog_store(SSL_CTX *ctx, CTLOG_STORE *store)
{
    CTLOG_STORE_free(ctx->ctlog_store);
    ctx->ctlog_store = store;
}

const CTLOG_STORE *SSL_CTX_get0_ctlog_store(const SSL_CTX *ctx)
{
    return logs((SSL_CTX *)(uintptr_t)ctx); /* made when first asked for */
}

void ct_ctx_free(SSL_CTX *ctx)
{
    CTLOG_STORE_free(ctx->ctlog_store);
}

void ct_free(SSL *s)
{
    SCT_LIST_free(s->scts);
    s->scts = NULL;
}

/* ---- who judges */

/* The response to be stapled may have timestamps in it, so it is asked for. */
static int set_callback(struct settings **settings, SSL_CTX *ctx, ssl_ct_validation_cb cb,
                        void *arg)
{
    if (cb && SSL_CTX_has_client_custom_ext(ctx, TLSEXT_TYPE_signed_certificate_timestamp)) {
        raise_ssl(SSL_R_CUSTOM_EXT_HANDLER_ALREADY_INSTALLED);
        return 0;
    }
    struct settings *t = settings_edit(settings);
    if (!t)
        return 0;
    if (cb)
        t->status_type = TLSEXT_STATUSTYPE_ocsp;
    t->ct_cb = cb;
    t->ct_arg = arg;
    return 1;
}

int SSL_set_ct_validation_callback(SSL *s, ssl_ct_validation_cb callback, void *arg)
{
    return set_callback(&s->settings, s->ctx, callback, arg);
}

int SSL_CTX_set_ct_validation_callback(SSL_CTX *ctx, ssl_ct_validation_cb callback, void *arg)
{
    return set_callback(&ctx->settings, ctx, callback, arg);
}

int SSL_ct_is_enabled(const SSL *s)
{
    return s->settings->ct_cb != NULL;
}

int SSL_CTX_ct_is_enabled(const SSL_CTX *ctx)
{
    return ctx->settings->ct_cb != NULL;
}

static int permissive(const CT_POLICY_EVAL_CTX *ctx, const STACK_OF(SCT) * scts, void *arg)
{
    (void)ctx, (void)scts, (void)arg;
    return 1;
}

static int strict(const CT_POLICY_EVAL_CTX *ctx, const STACK_OF(SCT) * scts, void *arg)
{
    (void)ctx, (void)arg;
    for (int i = 0; scts && i < sk_SCT_num(scts); i++) {
        if (SCT_get_validation_status(sk_SCT_value(scts, i)) == SCT_VALIDATION_STATUS_VALID)
            return 1;
    }
    raise_ssl(SSL_R_NO_VALID_SCTS);
    return 0;
}

static ssl_ct_validation_cb callback_of(int mode)
{
    return mode == SSL_CT_VALIDATION_PERMISSIVE ? permissive
           : mode == SSL_CT_VALIDATION_STRICT   ? strict
                                                : NULL;
}

int SSL_enable_ct(SSL *s, int validation_mode)
{
    ssl_ct_validation_cb cb = callback_of(validation_mode);
    if (cb)
        return SSL_set_ct_validation_callback(s, cb, NULL);
    raise_ssl(SSL_R_INVALID_CT_VALIDATION_TYPE);
    return 0;
}

int SSL_CTX_enable_ct(SSL_CTX *ctx, int validation_mode)
{
    ssl_ct_validation_cb cb = callback_of(validation_mode);
    if (cb)
        return SSL_CTX_set_ct_validation_callback(ctx, cb, NULL);
    raise_ssl(SSL_R_INVALID_CT_VALIDATION_TYPE);
    return 0;
}

/* ---- the peer's timestamps */

/* Moves what stands in `from`; all of it comes from one place. */
static bool take(STACK_OF(SCT) * to, STACK_OF(SCT) * from, sct_source_t source)
{
    bool ok = true;
    while (ok && from && sk_SCT_num(from) > 0) {
        SCT *sct = sk_SCT_pop(from);
        ok = SCT_set_source(sct, source) && sk_SCT_push(to, sct) > 0;
        if (!ok)
            SCT_free(sct);
    }
    SCT_LIST_free(from);
    return ok;
}

static bool take_from_extension(STACK_OF(SCT) * list, const SSL *s)
{
    size_t len = 0;
    const unsigned char *p = hf_conn_peer_scts(s->conn, &len);
    STACK_OF(SCT) *scts = p ? o2i_SCT_LIST(NULL, &p, len) : NULL;
    return take(list, scts, SCT_SOURCE_TLS_EXTENSION);
}

static bool take_from_response(STACK_OF(SCT) * list, OCSP_BASICRESP *basic)
{
    bool ok = true;
    for (int i = 0; ok && i < OCSP_resp_count(basic); i++) {
        OCSP_SINGLERESP *single = OCSP_resp_get0(basic, i);
        ok = take(list, OCSP_SINGLERESP_get1_ext_d2i(single, NID_ct_cert_scts, NULL, NULL),
                  SCT_SOURCE_OCSP_STAPLED_RESPONSE);
    }
    return ok;
}

static bool take_from_staple(STACK_OF(SCT) * list, const SSL *s)
{
    size_t len = 0;
    const unsigned char *p = hf_conn_peer_ocsp(s->conn, &len);
    OCSP_RESPONSE *response = p ? d2i_OCSP_RESPONSE(NULL, &p, (long)len) : NULL;
    OCSP_BASICRESP *basic = response ? OCSP_response_get1_basic(response) : NULL;
    bool ok = !basic || take_from_response(list, basic);
    OCSP_BASICRESP_free(basic);
    OCSP_RESPONSE_free(response);
    return ok;
}

static bool take_from_certificate(STACK_OF(SCT) * list, const SSL *s)
{
    X509 *x = SSL_get0_peer_certificate(s);
    STACK_OF(SCT) *scts = x ? X509_get_ext_d2i(x, NID_ct_precert_scts, NULL, NULL) : NULL;
    return take(list, scts, SCT_SOURCE_X509V3_EXTENSION);
}

const STACK_OF(SCT) * SSL_get0_peer_scts(SSL *s)
{
    if (s->scts || !s->conn || !SSL_get0_peer_certificate(s))
        return s->scts;
    STACK_OF(SCT) *list = sk_SCT_new_null();
    ERR_set_mark();
    bool ok = list && take_from_extension(list, s) && take_from_staple(list, s) &&
              take_from_certificate(list, s);
    ERR_pop_to_mark();
    if (ok)
        return s->scts = list;
    SCT_LIST_free(list);
    return NULL;
}

/* ---- the verdict */

static bool ask(SSL *s, CT_POLICY_EVAL_CTX *policy)
{
    X509 *issuer = sk_X509_value(s->verified_chain, 1);
    if (!CT_POLICY_EVAL_CTX_set1_cert(policy, SSL_get0_peer_certificate(s)) ||
        !CT_POLICY_EVAL_CTX_set1_issuer(policy, issuer))
        return false;
    CT_POLICY_EVAL_CTX_set_shared_CTLOG_STORE(policy, logs(s->ctx));
    CT_POLICY_EVAL_CTX_set_time(policy, (uint64_t)time(NULL) * 1000);
    const STACK_OF(SCT) *scts = SSL_get0_peer_scts(s);
    if (SCT_LIST_validate(scts, policy) < 0) {
        raise_ssl(SSL_R_SCT_VERIFICATION_FAILED);
        return false;
    }
    if (s->settings->ct_cb(policy, scts, s->settings->ct_arg) > 0)
        return true;
    raise_ssl(SSL_R_CALLBACK_FAILED);
    return false;
}

/* A chain that was not verified, or that is vouched for by DANE's own anchors, has no log to be in. */
bool ct_judge(SSL *s)
{
    if (!s->settings->ct_cb || s->verify_result != X509_V_OK || !s->verified_chain ||
        sk_X509_num(s->verified_chain) <= 1 || dane_authority_matched(s))
        return true;
    CT_POLICY_EVAL_CTX *policy = CT_POLICY_EVAL_CTX_new_ex(s->ctx->libctx, s->ctx->propq);
    bool ok = policy && ask(s, policy);
    CT_POLICY_EVAL_CTX_free(policy);
    return ok;
}
