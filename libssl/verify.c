/* verify.c: the verdict on the peer's chain: libcrypto's X509_verify_cert with the context's store, its
 * parameters and the application's callbacks (SSL_CTX_set_verify(3), SSL_CTX_set_cert_verify_callback(3)). */
#include "libssl/verify.h"

#include <pthread.h>

/* ---- the SSL that a callback finds in its X509_STORE_CTX */

static pthread_once_t index_once = PTHREAD_ONCE_INIT;
static int index_of_ssl = -1;

static void make_index(void)
{
    index_of_ssl = X509_STORE_CTX_get_ex_new_index(0, NULL, NULL, NULL, NULL);
}

int SSL_get_ex_data_X509_STORE_CTX_idx(void)
{
    pthread_once(&index_once, make_index);
    return index_of_ssl;
}

/* ---- the peer's certificates */

STACK_OF(X509) * peer_stack(const SSL *s)
{
    hf_certificate *const *certs = NULL;
    size_t count = s->conn ? access_peer_chain(s->conn, &certs) : 0;
    STACK_OF(X509) *chain = count ? sk_X509_new_reserve(NULL, (int)count) : NULL;
    for (size_t i = 0; chain && i < count; i++) {
        X509 *x = access_x509(certs[i]);
        if (!x || !X509_up_ref(x)) {
            x509s_free(chain);
            return NULL;
        }
        sk_X509_push(chain, x); /* there is room */
    }
    return chain;
}

/* ---- one verification */

const X509_VERIFY_PARAM *verify_param(const SSL *s)
{
    return s->param ? s->param : s->session_ctx->param;
}

static X509_STORE *store_of(const SSL *s)
{
    X509_STORE *own = certs_get(s, NULL)->verify_store;
    return own ? own : s->ctx->store;
}

/* What OpenSSL sets, in its order: the connection's parameters win over the level and the purpose. */
static bool prepare(SSL *s, X509_STORE_CTX *sc, STACK_OF(X509) * chain)
{
    if (!X509_STORE_CTX_init(sc, store_of(s), sk_X509_value(chain, 0), chain))
        return false;
    X509_VERIFY_PARAM *param = X509_STORE_CTX_get0_param(sc);
    X509_VERIFY_PARAM_set_auth_level(param, s->settings->security_level);
    X509_STORE_CTX_set_flags(sc, certs_get(s, NULL)->flags & SSL_CERT_FLAG_SUITEB_128_LOS);
    if (!X509_STORE_CTX_set_ex_data(sc, SSL_get_ex_data_X509_STORE_CTX_idx(), s))
        return false;
    dane_attach(s, sc);
    X509_STORE_CTX_set_default(sc, s->server ? "ssl_client" : "ssl_server");
    X509_VERIFY_PARAM_set1(param, verify_param(s));
    if (s->settings->verify_cb)
        X509_STORE_CTX_set_verify_cb(sc, s->settings->verify_cb);
    return true;
}

/* The name that matched is the connection's to tell (SSL_get0_peername(3)). */
static void keep_name(SSL *s, X509_VERIFY_PARAM *from)
{
    X509_VERIFY_PARAM *to = X509_VERIFY_PARAM_get0_peername(from) ? ssl_param(s) : s->param;
    if (to)
        X509_VERIFY_PARAM_move_peername(to, from);
}

struct verdict {
    int result, code, depth;
};

static void judge(SSL *s, X509_STORE_CTX *sc, struct verdict *out)
{
    if (s->ctx->app_verify_cb)
        out->result = s->ctx->app_verify_cb(sc, s->ctx->app_verify_arg);
    else
        out->result = X509_verify_cert(sc);
    out->code = X509_STORE_CTX_get_error(sc);
    out->depth = X509_STORE_CTX_get_error_depth(sc);
    x509s_free(s->verified_chain);
    s->verified_chain = NULL;
    if (X509_STORE_CTX_get0_chain(sc) && !(s->verified_chain = X509_STORE_CTX_get1_chain(sc))) {
        raise_ssl(ERR_R_MALLOC_FAILURE);
        out->result = 0;
    }
    keep_name(s, X509_STORE_CTX_get0_param(sc));
}

static struct verdict verify(SSL *s)
{
    struct verdict v = {.code = X509_V_ERR_OUT_OF_MEM};
    STACK_OF(X509) *chain = peer_stack(s);
    X509_STORE_CTX *sc = chain ? X509_STORE_CTX_new_ex(s->ctx->libctx, s->ctx->propq) : NULL;
    if (sc && prepare(s, sc, chain))
        judge(s, sc, &v);
    else
        raise_ssl(ERR_R_X509_LIB);
    X509_STORE_CTX_free(sc);
    x509s_free(chain);
    return v;
}

void verify_recall(SSL *s)
{
    if (!s->verdict_recalled)
        return;
    s->verdict_recalled = false;
    ERR_set_mark();
    (void)verify(s);
    ERR_pop_to_mark();
}

/* The verdict of before, if nothing has changed that it depends on. */
static struct verdict verify_or_remember(SSL *s)
{
    uint8_t id[VERDICT_ID];
    bool remembers = verdict_id(s, store_of(s), id);
    s->verdict_recalled = remembers && verdict_known(id);
    if (s->verdict_recalled) {
        x509s_free(s->verified_chain);
        s->verified_chain = NULL;
        return (struct verdict){.result = 1, .code = X509_V_OK};
    }
    struct verdict v = verify(s);
    if (remembers && v.result > 0 && v.code == X509_V_OK)
        verdict_remember(id, s->verified_chain);
    return v;
}

/* ---- the answer to the engine */

static void refuse(SSL *s, const struct verdict *v)
{
    access_answer_verify_failed(s->conn, v->code, v->depth, alert_of_verdict(v->code));
}

/* A server only asks where it wants to know; a client is told, and may go on all the same. */
static bool must_be_good(const SSL *s)
{
    return s->server || s->settings->verify_mode != SSL_VERIFY_NONE;
}

bool verify_chain(SSL *s)
{
    if (s->rwstate == SSL_RETRY_VERIFY)
        s->rwstate = SSL_NOTHING;
    s->peer_judged = false;
    if (!ssl_client_name(s))
        return true;
    struct verdict v = verify_or_remember(s);
    s->verify_result = v.code;
    if (v.result > 0 && !s->server && s->rwstate == SSL_RETRY_VERIFY)
        return false;
    if (v.result <= 0 && must_be_good(s)) {
        refuse(s, &v);
        return true;
    }
    error_forget();
    s->peer_judged = true;
    if (!s->server && !ct_judge(s)) {
        s->verify_result = X509_V_ERR_NO_VALID_SCTS;
        s->raised = true; /* ct_judge has said why */
        access_answer_verify_failed(s->conn, X509_V_ERR_NO_VALID_SCTS, 0,
                                    SSL_AD_HANDSHAKE_FAILURE);
        return true;
    }
    hf_answer_verify(s->conn, true);
    return true;
}
