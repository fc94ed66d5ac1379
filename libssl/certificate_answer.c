/* certificate_answer.c: from what an application has set to what the engine shows. */
#include "libssl/local.h"

#ifndef OPENSSL_NO_ENGINE
#include <openssl/engine.h>
#endif

/* ---- credentials */

/* The path from the own certificate as far as the store leads, root included, as OpenSSL sends it. What is
 * wrong with it is for the peer to say. */
static STACK_OF(X509) * path_from_store(SSL *s, X509 *x)
{
    const struct certs *c = certs_get(s, NULL);
    X509_STORE *store = c->chain_store ? c->chain_store : s->ctx->store;
    X509_STORE_CTX *sc = X509_STORE_CTX_new_ex(s->ctx->libctx, s->ctx->propq);
    STACK_OF(X509) *path = NULL;
    ERR_set_mark();
    if (sc && store && X509_STORE_CTX_init(sc, store, x, NULL)) {
        X509_verify_cert(sc);
        path = X509_STORE_CTX_get1_chain(sc);
    }
    ERR_pop_to_mark();
    X509_STORE_CTX_free(sc);
    if (path)
        X509_free(sk_X509_shift(path));
    return path;
}

static hf_credential *make(SSL *s, const struct cert_entry *e, STACK_OF(X509) * issuers)
{
    hf_error err = {0};
    int reason = chain_security(s, issuers, e->x509, false);
    if (reason != 1) {
        raise_ssl(reason);
        return NULL;
    }
    hf_credential *cred = access_credential(e->x509, issuers, e->key, &err);
    if (!cred)
        raise_hf(&err);
    return cred;
}

static hf_credential *complete(SSL *s, const struct certs *c, const struct cert_entry *e)
{
    STACK_OF(X509) *issuers = e->chain ? e->chain : c->extra;
    if (issuers || s->settings->mode & SSL_MODE_NO_AUTO_CHAIN)
        return make(s, e, issuers);
    STACK_OF(X509) *path = path_from_store(s, e->x509);
    hf_credential *cred = make(s, e, path);
    x509s_free(path);
    return cred;
}

static bool has(const struct certs *c, int slot)
{
    return c->entry[slot].x509 && c->entry[slot].key;
}

/* Made once, for all that share these certificates. */
hf_credential *certs_credential(SSL *s, enum cert_slot slot)
{
    struct certs *c = s->settings->certs;
    const struct cert_entry *e = &c->entry[slot];
    hf_credential *cred = atomic_load_explicit(&c->made[slot], memory_order_acquire),
                  *none = NULL;
    if (cred || !e->x509 || !e->key)
        return hf_credential_ref(cred);
    if (!(cred = complete(s, c, e)))
        return NULL;
    if (atomic_compare_exchange_strong_explicit(&c->made[slot], &none, cred,
                                                memory_order_acq_rel, memory_order_acquire))
        return hf_credential_ref(cred);
    hf_credential_free(cred);
    return hf_credential_ref(none);
}

/* More kinds of certificates than there are names for make no sense, and are left to the default. */
enum { CLIENT_TYPES_MAX = 16 };

/* Those that can have signed with what a client may sign with. */
static bool default_types(const SSL *s, hf_config *config)
{
    const struct settings *t = s->settings;
    const struct id_list *list = t->client_sigalgs.count ? &t->client_sigalgs : &t->sigalgs;
    uint8_t types[2];
    size_t count = 0;
    bool rsa = false, ecdsa = false;
    for (size_t i = 0; i < list->count; i++) {
        const struct sigalg_info *info = sigalg_info(list->id[i]);
        int key = info ? info->sig : 0;
        rsa |= key == EVP_PKEY_RSA || key == EVP_PKEY_RSA_PSS;
        ecdsa |= key == EVP_PKEY_EC || key == EVP_PKEY_ED25519 || key == EVP_PKEY_ED448;
    }
    if (rsa)
        types[count++] = TLS_CT_RSA_SIGN;
    if (ecdsa)
        types[count++] = TLS_CT_ECDSA_SIGN;
    return !count || access_config_request_types(config, types, count);
}

static bool request_types(const SSL *s, const struct certs *c, hf_config *config)
{
    if (!s->server)
        return true;
    if (!c->client_types || c->client_types_len > CLIENT_TYPES_MAX)
        return default_types(s, config);
    return access_config_request_types(config, c->client_types, c->client_types_len);
}

/* The engine takes the first that fits, and has no signatures with DSA. */
bool certs_to_config(SSL *s, hf_config *config)
{
    const struct certs *c = certs_get(s, NULL);
    if (!request_types(s, c, config))
        return false;
    for (int i = 0; i < CERT_SLOTS; i++) {
        if (!has(c, i) || i == CERT_DSA)
            continue;
        hf_credential *cred = certs_credential(s, (enum cert_slot)i);
        bool ok = cred && hf_config_add_credential(config, cred);
        hf_credential_free(cred);
        if (!ok) {
            if (cred && hf_config_error(config))
                raise_hf(hf_config_error(config));
            return false;
        }
    }
    return true;
}

/* ---- which certificate goes with a signature scheme */

int certs_slot_of_scheme(uint16_t scheme)
{
    switch (scheme) {
    case 0x0807: return CERT_ED25519;
    case 0x0808: return CERT_ED448;
    case 0x0804:
    case 0x0805:
    case 0x0806: return CERT_RSA;
    case 0x0809:
    case 0x080a:
    case 0x080b: return CERT_RSA_PSS;
    default: break;
    }
    switch (scheme & 0xff) { /* SignatureAlgorithm of RFC 5246 7.4.1.4.1 */
    case 1: return CERT_RSA;
    case 2: return CERT_DSA;
    case 3: return CERT_EC;
    default: return -1;
    }
}

/* TLS 1.3 binds each ECDSA scheme to a curve; in older versions any hash will do. */
static bool curve_fits(const struct certs *c, int slot, uint16_t scheme)
{
    char curve[80] = "";
    size_t len = 0;
    if (slot != CERT_EC ||
        !EVP_PKEY_get_group_name(c->entry[slot].key, curve, sizeof curve, &len))
        return true;
    int nid = OBJ_sn2nid(curve);
    return scheme == 0x0403   ? nid == NID_X9_62_prime256v1
           : scheme == 0x0503 ? nid == NID_secp384r1
           : scheme == 0x0603 ? nid == NID_secp521r1
                              : false;
}

static bool is_among(const int *slots, size_t count, int slot)
{
    for (size_t i = 0; i < count; i++) {
        if (slots[i] == slot)
            return true;
    }
    return false;
}

static int choose_by(const struct certs *c, const hf_question *q, bool exactly)
{
    for (size_t i = 0; i < q->signature_count; i++) {
        int slot = certs_slot_of_scheme(q->signatures[i]);
        if (slot >= 0 && has(c, slot) && (!exactly || curve_fits(c, slot, q->signatures[i])))
            return slot;
    }
    return -1;
}

/* A suite of TLS 1.2 and older names the kind of key; the first that both sides have decides. */
static int slot_of_suite(const struct certs *c, const hf_question *q, uint16_t suite)
{
    static const int rsa[] = {CERT_RSA, CERT_RSA_PSS},
                     ec[] = {CERT_EC, CERT_ED25519, CERT_ED448};
    const SSL_CIPHER *cipher = cipher_by_id(suite);
    int auth = cipher ? SSL_CIPHER_get_auth_nid(cipher) : NID_undef;
    const int *slots = auth == NID_auth_rsa ? rsa : auth == NID_auth_ecdsa ? ec : NULL;
    size_t count = auth == NID_auth_rsa ? 2 : 3;
    bool signs = SSL_CIPHER_get_kx_nid(cipher) != NID_kx_rsa;
    for (size_t i = 0; slots && signs && i < q->signature_count; i++) {
        int slot = certs_slot_of_scheme(q->signatures[i]);
        if (slot >= 0 && has(c, slot) && is_among(slots, count, slot))
            return slot;
    }
    /* Who decrypts does not sign, and before TLS 1.2 there is no choice of schemes. */
    return slots && (!signs || !q->signature_count) && has(c, slots[0]) ? slots[0] : -1;
}

static bool contains(const uint16_t *list, size_t count, uint16_t id)
{
    for (size_t i = 0; i < count; i++) {
        if (list[i] == id)
            return true;
    }
    return false;
}

static int choose_by_suite(SSL *s, const hf_question *q)
{
    const struct details *d = access_details(s->conn);
    const struct id_list *ours = &s->settings->suites;
    bool own = s->settings->options & SSL_OP_CIPHER_SERVER_PREFERENCE;
    int slot = -1;
    if (!d)
        return -1;
    const uint16_t *first = own ? ours->id : d->suites, *second = own ? d->suites : ours->id;
    size_t count = own ? ours->count : d->suite_count,
           other = own ? d->suite_count : ours->count;
    for (size_t i = 0; slot < 0 && i < count; i++) {
        if (contains(second, other, first[i]))
            slot = slot_of_suite(certs_get(s, NULL), q, first[i]);
    }
    return slot;
}

static int choose(SSL *s, const hf_question *q)
{
    const struct certs *c = certs_get(s, NULL);
    uint16_t version = access_version(s->conn);
    int slot = s->server && version && version < TLS1_3_VERSION ? choose_by_suite(s, q) : -1;
    if (slot < 0)
        slot = choose_by(c, q, true);
    if (slot < 0)
        slot = choose_by(c, q, false);
    if (slot < 0 && (s->server || !q->signature_count) && has(c, c->current))
        slot = c->current;
    return slot;
}

/* ---- the application's callbacks */

bool certs_asks(const SSL *s, hf_role role)
{
    const struct certs *c = certs_get(s, NULL);
    int pairs = 0;
    for (int i = 0; i < CERT_SLOTS; i++)
        pairs += has(c, i);
    /* Among several, the peer's order decides, which the engine follows only for names. */
    return c->cert_cb || pairs > 1 ||
           (role == HF_CLIENT && (s->ctx->client_cert_cb || s->ctx->client_cert_engine));
}

/* As certs_ask. */
static int ask_cert_cb(SSL *s)
{
    const struct certs *c = certs_get(s, NULL);
    if (!c->cert_cb)
        return 1;
    int result = c->cert_cb(s, c->cert_arg);
    if (result < 0)
        s->rwstate = SSL_X509_LOOKUP;
    else if (result == 0)
        raise_ssl(s->server ? SSL_R_CERT_CB_ERROR : SSL_R_CALLBACK_FAILED);
    return result < 0 ? -1 : result > 0;
}

static int ask_client_cert(SSL *s, X509 **x, EVP_PKEY **key)
{
#ifndef OPENSSL_NO_ENGINE
    if (s->ctx->client_cert_engine) {
        int found = ENGINE_load_ssl_client_cert(
            s->ctx->client_cert_engine, s, SSL_get_client_CA_list(s), x, key, NULL, NULL, NULL);
        if (found)
            return found;
    }
#endif
    return s->ctx->client_cert_cb ? s->ctx->client_cert_cb(s, x, key) : 0;
}

/* client_cert_cb(3): 1 with both, 0 for none, negative to be asked again. */
static int ask_client_cert_cb(SSL *s)
{
    X509 *x = NULL;
    EVP_PKEY *key = NULL;
    int result = ask_client_cert(s, &x, &key);
    if (result < 0) {
        s->rwstate = SSL_X509_LOOKUP;
        return -1;
    }
    if (result == 1 && x && key) {
        if (!SSL_use_certificate(s, x) || !SSL_use_PrivateKey(s, key))
            result = 0;
    } else if (result == 1) {
        result = 0;
        raise_ssl(SSL_R_BAD_DATA_RETURNED_BY_CALLBACK);
    }
    X509_free(x);
    EVP_PKEY_free(key);
    return 1;
}

int certs_ask(SSL *s, const hf_question *question, hf_credential **out)
{
    *out = NULL;
    s->rwstate = SSL_NOTHING;
    int result = ask_cert_cb(s);
    if (result != 1)
        return result;
    int slot = choose(s, question);
    if (slot < 0 && !s->server) {
        result = ask_client_cert_cb(s);
        slot = result == 1 ? choose(s, question) : -1;
    }
    if (slot < 0 || result != 1)
        return result;
    *out = certs_credential(s, (enum cert_slot)slot);
    s->cert_used = *out ? slot + 1 : 0;
    s->cert_changed = false;
    return *out != NULL;
}

/* ---- an engine that has the client's certificate */

int SSL_CTX_set_client_cert_engine(SSL_CTX *ctx, ENGINE *e)
{
#ifdef OPENSSL_NO_ENGINE
    (void)ctx, (void)e;
    return 0;
#else
    if (!ENGINE_init(e)) {
        raise_ssl(ERR_R_ENGINE_LIB);
        return 0;
    }
    if (!ENGINE_get_ssl_client_cert_function(e)) {
        raise_ssl(SSL_R_NO_CLIENT_CERT_METHOD);
        ENGINE_finish(e);
        return 0;
    }
    ctx->client_cert_engine = e;
    return 1;
#endif
}

void certs_ctx_free(SSL_CTX *ctx)
{
#ifndef OPENSSL_NO_ENGINE
    ENGINE_finish(ctx->client_cert_engine);
#else
    (void)ctx;
#endif
}

/* ---- versions */

/* A curve goes with one scheme in TLS 1.3 (RFC 8446 4.2.3), and the server must be willing to use that. */
static bool curve_allowed(const SSL *s, const EVP_PKEY *key)
{
    static const struct {
        const char *curve;
        uint16_t scheme;
    } pairs[] = {{"prime256v1", 0x0403}, {"secp384r1", 0x0503}, {"secp521r1", 0x0603}};
    const struct id_list *own = &s->settings->sigalgs;
    char name[32] = "";
    (void)EVP_PKEY_get_group_name(key, name, sizeof name, NULL);
    if (!own->count)
        own = &sigalgs_default;
    for (size_t i = 0; i < own->count; i++)
        for (size_t k = 0; k < sizeof pairs / sizeof pairs[0]; k++)
            if (own->id[i] == pairs[k].scheme && strcmp(name, pairs[k].curve) == 0)
                return true;
    return false;
}

bool certs_for13(const SSL *s)
{
    const struct settings *t = s->settings;
    if (t->psk_server_cb || t->psk_find_cb || t->certs->cert_cb || s->ctx->servername_cb ||
        s->session_ctx->servername_cb)
        return true; /* there may be something when it is needed */
    for (int i = 0; i < CERT_SLOTS; i++) {
        const struct cert_entry *e = &t->certs->entry[i];
        if (e->x509 && e->key && i != CERT_DSA && (i != CERT_EC || curve_allowed(s, e->key)))
            return true;
    }
    return false;
}
