/* callbacks.c: the application's part: each callback says that it was called and answers as was drawn. */
#include <openssl/core_names.h>
#include <openssl/tls1.h>

#include "any.h"

static int again(enum answer which)
{
    return world.again[which] > 0 && world.again[which]--;
}

static int on_verify(int ok, X509_STORE_CTX *x)
{
    printf("    verify %d depth %d error %d\n", ok, X509_STORE_CTX_get_error_depth(x),
           X509_STORE_CTX_get_error(x));
    return world.answer[ON_VERIFY] == 2 ? ok : world.answer[ON_VERIFY];
}

static int on_cert(SSL *s, void *arg)
{
    (void)arg;
    if (!SSL_is_server(s))
        return world.answer[ON_CERT]; /* when a client is asked differs by a message */
    printf("    certificate of %d\n", index_of(s));
    return again(ON_CERT) ? -1 : world.answer[ON_CERT];
}

static int on_hello(SSL *s, int *alert, void *arg)
{
    int *ids = NULL;
    size_t n = 0;
    const unsigned char *p;
    (void)arg;
    int got = SSL_client_hello_get1_extensions_present(s, &ids, &n);
    printf("    hello %d: version %x, %d, session id %zu, ciphers %d\n", index_of(s),
           SSL_client_hello_get0_legacy_version(s), got,
           SSL_client_hello_get0_session_id(s, &p), SSL_client_hello_get0_ciphers(s, &p) != 0);
    OPENSSL_free(ids);
    if (again(ON_HELLO))
        return SSL_CLIENT_HELLO_RETRY;
    if (!world.answer[ON_HELLO])
        *alert = SSL_AD_ACCESS_DENIED;
    return world.answer[ON_HELLO];
}

static int on_name(SSL *s, int *alert, void *arg)
{
    (void)arg;
    const char *name = SSL_get_servername(s, TLSEXT_NAMETYPE_host_name);
    printf("    name %s of %d, type %d\n", name ? name : "NULL", index_of(s),
           SSL_get_servername_type(s));
    if (name && strchr(name, 'o') && SSL_is_server(s) && world.ctx[CTX_OTHER])
        printf("    set_SSL_CTX %d\n",
               SSL_set_SSL_CTX(s, world.ctx[CTX_OTHER]) == world.ctx[CTX_OTHER]);
    if (world.answer[ON_NAME] == SSL_TLSEXT_ERR_ALERT_FATAL)
        *alert = SSL_AD_ACCESS_DENIED;
    return world.answer[ON_NAME];
}

static int on_alpn(SSL *s, const unsigned char **out, unsigned char *len,
                   const unsigned char *in, unsigned in_len, void *arg)
{
    (void)arg;
    printf("    alpn of %d, %u bytes\n", index_of(s), in_len);
    int r = SSL_select_next_proto((unsigned char **)(uintptr_t)out, len,
                                  (const unsigned char *)"\1b\1a", 4, in, in_len);
    return world.answer[ON_ALPN] == SSL_TLSEXT_ERR_OK && r != OPENSSL_NPN_NEGOTIATED
               ? SSL_TLSEXT_ERR_NOACK
               : world.answer[ON_ALPN];
}

static int on_new_session(SSL *s, SSL_SESSION *session)
{
    printf("    new session of %d: version %x, resumable %d, ticket %d\n", index_of(s),
           SSL_SESSION_get_protocol_version(session), SSL_SESSION_is_resumable(session),
           SSL_SESSION_has_ticket(session));
    if (!world.answer[ON_NEW_SESSION])
        return 0;
    SSL_SESSION_free(world.session[0]);
    world.session[0] = session;
    return 1;
}

static void on_remove_session(SSL_CTX *ctx, SSL_SESSION *session)
{
    (void)ctx;
    printf("    session removed, version %x\n", SSL_SESSION_get_protocol_version(session));
}

static SSL_SESSION *on_get_session(SSL *s, const unsigned char *id, int len, int *copy)
{
    (void)id;
    printf("    session of %d asked for, %d bytes\n", index_of(s), len);
    *copy = 1;
    return world.answer[ON_GET_SESSION] ? world.session[0] : NULL;
}

static int on_ticket_key(SSL *s, unsigned char *name, unsigned char *iv, EVP_CIPHER_CTX *cipher,
                         EVP_MAC_CTX *mac, int encrypt)
{
    static const unsigned char key[32] = {1};
    OSSL_PARAM params[] = {
        OSSL_PARAM_construct_octet_string("key", (void *)(uintptr_t)key, 32),
        OSSL_PARAM_construct_utf8_string("digest", (char *)(uintptr_t) "SHA256", 0),
        OSSL_PARAM_construct_end()};
    printf("    ticket key of %d, %d\n", index_of(s), encrypt);
    if (encrypt) {
        memset(name, 7, 16);
        memset(iv, 9, 16);
    }
    EVP_CipherInit_ex(cipher, EVP_aes_256_cbc(), NULL, key, iv, encrypt);
    EVP_MAC_CTX_set_params(mac, params);
    return encrypt && world.answer[ON_TICKET_KEY] > 1 ? 1 : world.answer[ON_TICKET_KEY];
}

static int on_ticket_make(SSL *s, void *arg)
{
    (void)arg;
    printf("    ticket of %d\n", index_of(s));
    SSL_SESSION_set1_ticket_appdata(SSL_get_session(s), "data", 4);
    return world.answer[ON_TICKET_MAKE];
}

static SSL_TICKET_RETURN on_ticket_open(SSL *s, SSL_SESSION *session, const unsigned char *name,
                                        size_t len, SSL_TICKET_STATUS status, void *arg)
{
    void *data = NULL;
    size_t n = 0;
    (void)name, (void)arg;
    int got = session ? SSL_SESSION_get0_ticket_appdata(session, &data, &n) : -1;
    printf("    ticket of %d opened: status %d, name %zu, data %d %zu\n", index_of(s), status,
           len, got, n);
    if (world.answer[ON_TICKET_OPEN] == 0)
        return status == SSL_TICKET_SUCCESS         ? SSL_TICKET_RETURN_USE
               : status == SSL_TICKET_SUCCESS_RENEW ? SSL_TICKET_RETURN_USE_RENEW
                                                    : SSL_TICKET_RETURN_IGNORE_RENEW;
    return status == SSL_TICKET_SUCCESS || status == SSL_TICKET_SUCCESS_RENEW
               ? world.answer[ON_TICKET_OPEN]
               : SSL_TICKET_RETURN_IGNORE;
}

static unsigned on_psk_client(SSL *s, const char *hint, char *identity, unsigned max,
                              unsigned char *key, unsigned key_max)
{
    if (SSL_version(s) == TLS1_3_VERSION)
        return 0; /* which suites go with such a key differs */
    printf("    psk of %d, hint %s, %u %u\n", index_of(s), hint ? hint : "NULL", max, key_max);
    snprintf(identity, max, "me");
    memset(key, 7, 32);
    return world.answer[ON_PSK] ? 32 : 0;
}

static unsigned on_psk_server(SSL *s, const char *identity, unsigned char *key, unsigned max)
{
    printf("    psk of %d, identity %s, %u\n", index_of(s), identity, max);
    memset(key, 7, 32);
    return world.answer[ON_PSK] < 2 ? 32 : 0;
}

static SSL_SESSION *psk_session(SSL *s)
{
    const unsigned char id[] = {0x13, 0x01}, secret[32] = {3};
    SSL_SESSION *session = SSL_SESSION_new();
    SSL_SESSION_set1_master_key(session, secret, 32);
    SSL_SESSION_set_cipher(session, SSL_CIPHER_find(s, id));
    SSL_SESSION_set_protocol_version(session, TLS1_3_VERSION);
    SSL_SESSION_set_max_early_data(session, 1000);
    return session;
}

static int on_psk_use(SSL *s, const EVP_MD *md, const unsigned char **id, size_t *len,
                      SSL_SESSION **out)
{
    printf("    psk13 of %d, %s\n", index_of(s), md ? EVP_MD_get0_name(md) : "NULL");
    *out = world.answer[ON_PSK13] ? psk_session(s) : NULL;
    *id = (const unsigned char *)"id13";
    *len = 4;
    return 1;
}

static int on_psk_find(SSL *s, const unsigned char *id, size_t len, SSL_SESSION **out)
{
    printf("    psk13 of %d, %zu bytes\n", index_of(s), len);
    *out = len == 4 && !memcmp(id, "id13", 4) && world.answer[ON_PSK13] ? psk_session(s) : NULL;
    return world.answer[ON_PSK13] < 3;
}

static int on_status(SSL *s, void *arg)
{
    (void)arg;
    const unsigned char *p;
    printf("    status of %d, %ld\n", index_of(s), SSL_get_tlsext_status_ocsp_resp(s, &p));
    if (SSL_is_server(s) && world.answer[ON_STATUS] == SSL_TLSEXT_ERR_OK)
        SSL_set_tlsext_status_ocsp_resp(s, OPENSSL_memdup("answer", 6), 6);
    return SSL_is_server(s) ? world.answer[ON_STATUS] : world.answer[ON_STATUS] == 0;
}

static size_t on_padding(SSL *s, int type, size_t len, void *arg)
{
    (void)s, (void)type, (void)arg;
    return (size_t)world.answer[ON_PADDING] ? 16 : len % 7;
}

static int on_security(const SSL *s, const SSL_CTX *ctx, int op, int bits, int nid, void *other,
                       void *ex)
{
    (void)s, (void)ctx, (void)nid, (void)other, (void)ex;
    return !world.answer[ON_SECURITY] || bits >= 112 || op == SSL_SECOP_VERSION;
}

static int on_not_resumable(SSL *s, int forward)
{
    (void)s, (void)forward; /* when it is asked differs in TLS 1.3 */
    return world.answer[ON_NOT_RESUMABLE];
}

static int on_session_id(SSL *s, unsigned char *id, unsigned *len)
{
    static unsigned char next;
    (void)s; /* OpenSSL's tickets of TLS 1.3 have one, too */
    memset(id, ++next, *len);
    if (world.answer[ON_SESSION_ID] == 2)
        *len = 8;
    return world.answer[ON_SESSION_ID] != 0;
}

static int on_early(SSL *s, void *arg)
{
    (void)arg;
    printf("    early data of %d\n", index_of(s));
    return world.answer[ON_EARLY];
}

static int on_client_cert(SSL *s, X509 **x, EVP_PKEY **key)
{
    printf("    client certificate of %d\n", index_of(s));
    if (again(ON_CLIENT_CERT))
        return -1;
    if (world.answer[ON_CLIENT_CERT] == 1) {
        X509_up_ref(*x = world.cert[1]);
        EVP_PKEY_up_ref(*key = world.key[1]);
    }
    return world.answer[ON_CLIENT_CERT];
}

static void on_info(const SSL *s, int where, int ret)
{
    printf("    info %d: %x %d %s\n", index_of(s), where, ret, SSL_state_string_long(s));
}

static void on_message(int sent, int version, int type, const void *p, size_t n, SSL *s,
                       void *arg)
{
    (void)arg;
    if (type != 22 && type != 21)
        return; /* how messages go into records differs */
    (void)version;
    printf("    message %d: %d %d %d %s\n", index_of(s), sent, type,
           n && type == 22 ? *(const unsigned char *)p : -1, n ? "" : "empty");
}

static void on_keylog(const SSL *s, const char *line)
{
    (void)s, (void)line;
}

static int extension_add(SSL *s, unsigned type, unsigned context, const unsigned char **out,
                         size_t *len, X509 *x, size_t index, int *alert, void *arg)
{
    (void)x, (void)arg;
    printf("    extension %u of %d added, %x, %zu\n", type, index_of(s), context, index);
    *out = (const unsigned char *)"abc";
    *len = 3;
    if (world.answer[ON_EXTENSION] < 0)
        *alert = SSL_AD_ACCESS_DENIED;
    return world.answer[ON_EXTENSION];
}

static void extension_free(SSL *s, unsigned type, unsigned context, const unsigned char *out,
                           void *arg)
{
    (void)out, (void)arg;
    printf("    extension %u of %d freed, %x\n", type, index_of(s), context);
}

static int extension_parse(SSL *s, unsigned type, unsigned context, const unsigned char *in,
                           size_t len, X509 *x, size_t index, int *alert, void *arg)
{
    (void)in, (void)x, (void)alert, (void)arg;
    printf("    extension %u of %d read, %x, %zu %zu\n", type, index_of(s), context, len,
           index);
    return 1;
}

/* ---- setting them */

static int answer(enum answer which, const int *list, size_t n)
{
    int a = list[draw(2) ? 0 : draw((unsigned)n)];
    world.answer[which] = a;
    world.again[which] = rarely(4) ? 1 + (int)draw(2) : 0;
    printf("  callback %d answers %d, again %d\n", which, a, world.again[which]);
    return a;
}
#define ANSWER(which, ...)                                                                     \
    do {                                                                                       \
        static const int list[] = {__VA_ARGS__};                                               \
        answer(which, list, sizeof list / sizeof list[0]);                                     \
    } while (0)

static void set_session_callbacks(SSL_CTX *ctx)
{
    switch (draw(7)) {
    case 0:
        ANSWER(ON_NEW_SESSION, 1, 0);
        SSL_CTX_sess_set_new_cb(ctx, on_new_session);
        break;
    case 1: SSL_CTX_sess_set_remove_cb(ctx, on_remove_session); break;
    case 2:
        ANSWER(ON_GET_SESSION, 1, 0);
        SSL_CTX_sess_set_get_cb(ctx, on_get_session);
        break;
    case 3:
        ANSWER(ON_TICKET_KEY, 1, 2, 0, -1);
        SSL_CTX_set_tlsext_ticket_key_evp_cb(ctx, on_ticket_key);
        break;
    case 4:
        ANSWER(ON_TICKET_MAKE, 1);
        ANSWER(ON_TICKET_OPEN, 0, 0, 0, 1, 2, 3, 4);
        DO(SSL_CTX_set_session_ticket_cb(ctx, on_ticket_make, on_ticket_open, NULL));
        break;
    case 5:
        ANSWER(ON_NOT_RESUMABLE, 0, 1);
        SSL_CTX_set_not_resumable_session_callback(ctx, on_not_resumable);
        break;
    default: ANSWER(ON_SESSION_ID, 1); DO(SSL_CTX_set_generate_session_id(ctx, on_session_id));
    }
}

static void set_key_callbacks(SSL_CTX *ctx)
{
    switch (draw(2)) {
    case 0:
        ANSWER(ON_PSK, 1, 0, 2);
        SSL_CTX_set_psk_client_callback(ctx, on_psk_client);
        break;
    case 1:
        ANSWER(ON_PSK, 1, 0, 2);
        SSL_CTX_set_psk_server_callback(ctx, on_psk_server);
        break;
    default:
        ANSWER(ON_PSK13, 0);
        SSL_CTX_set_psk_use_session_callback(ctx, on_psk_use);
        SSL_CTX_set_psk_find_session_callback(ctx, on_psk_find);
    }
}

static void set_certificate_callbacks(SSL_CTX *ctx)
{
    static const int modes[] = {
        SSL_VERIFY_NONE, SSL_VERIFY_PEER, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT,
        SSL_VERIFY_PEER | SSL_VERIFY_POST_HANDSHAKE, SSL_VERIFY_PEER | SSL_VERIFY_CLIENT_ONCE};
    int mode = ONE_OF(modes);
    switch (draw(4)) {
    case 0:
        ANSWER(ON_VERIFY, 1, 2, 0);
        printf("  mode %d\n", mode);
        SSL_CTX_set_verify(ctx, mode, on_verify);
        break;
    case 1:
        ANSWER(ON_CERT, 1, 1, 0);
        SSL_CTX_set_cert_cb(ctx, on_cert, NULL);
        break;
    case 2:
        ANSWER(ON_CLIENT_CERT, 1, 0);
        SSL_CTX_set_client_cert_cb(ctx, on_client_cert);
        break;
    default:
        ANSWER(ON_STATUS, 0, 0, SSL_TLSEXT_ERR_NOACK, SSL_TLSEXT_ERR_ALERT_FATAL);
        SSL_CTX_set_tlsext_status_cb(ctx, on_status);
    }
}

static void set_hello_callbacks(SSL_CTX *ctx)
{
    static const unsigned where[] = {
        SSL_EXT_CLIENT_HELLO | SSL_EXT_TLS1_2_SERVER_HELLO |
            SSL_EXT_TLS1_3_ENCRYPTED_EXTENSIONS,
        SSL_EXT_CLIENT_HELLO | SSL_EXT_TLS1_3_CERTIFICATE, SSL_EXT_CLIENT_HELLO,
        SSL_EXT_TLS1_3_CERTIFICATE_REQUEST | SSL_EXT_TLS1_3_CERTIFICATE,
        SSL_EXT_CLIENT_HELLO | SSL_EXT_TLS1_3_HELLO_RETRY_REQUEST | SSL_EXT_TLS_ONLY};
    static const unsigned types[] = {1000, 1001, 1000, 0, 16, 65535};
    unsigned type, context;
    switch (draw(4)) {
    case 0:
        ANSWER(ON_HELLO, 1, 1, 1, 0);
        SSL_CTX_set_client_hello_cb(ctx, on_hello, NULL);
        break;
    case 1:
        ANSWER(ON_NAME, SSL_TLSEXT_ERR_OK, SSL_TLSEXT_ERR_NOACK, SSL_TLSEXT_ERR_ALERT_WARNING,
               SSL_TLSEXT_ERR_ALERT_FATAL);
        SSL_CTX_set_tlsext_servername_callback(ctx, on_name);
        break;
    case 2:
        ANSWER(ON_ALPN, SSL_TLSEXT_ERR_OK, SSL_TLSEXT_ERR_NOACK, SSL_TLSEXT_ERR_ALERT_FATAL);
        SSL_CTX_set_alpn_select_cb(ctx, on_alpn, NULL);
        break;
    default:
        ANSWER(ON_EXTENSION, 1, 0, -1);
        type = ONE_OF(types);
        context = ONE_OF(where);
        printf("  type %u, context %x\n", type, context);
        DO(SSL_CTX_add_custom_ext(ctx, type, context, extension_add, extension_free, NULL,
                                  extension_parse, NULL));
        DO(SSL_CTX_has_client_custom_ext(ctx, type));
    }
}

static void set_watchers(SSL_CTX *ctx)
{
    switch (draw(6)) {
    case 0: SSL_CTX_set_info_callback(ctx, on_info); break;
    case 1: SSL_CTX_set_msg_callback(ctx, on_message); break;
    case 2: SSL_CTX_set_keylog_callback(ctx, on_keylog); break;
    case 3:
        ANSWER(ON_PADDING, 0, 1);
        SSL_CTX_set_record_padding_callback(ctx, on_padding);
        break;
    case 4:
        ANSWER(ON_EARLY, 1, 0);
        SSL_CTX_set_allow_early_data_cb(ctx, on_early, NULL);
        break;
    default: ANSWER(ON_SECURITY, 0, 1); SSL_CTX_set_security_callback(ctx, on_security);
    }
}

void callbacks_set(SSL_CTX *ctx)
{
    static void (*const sets[])(SSL_CTX *) = {set_session_callbacks, set_session_callbacks,
                                              set_key_callbacks,     set_certificate_callbacks,
                                              set_hello_callbacks,   set_watchers};
    unsigned i = draw(sizeof sets / sizeof sets[0]);
    printf("  kind %u\n", i);
    sets[i](ctx);
}

void callbacks_set_end(SSL *s)
{
    unsigned i = draw(8);
    printf("  kind %u\n", i);
    switch (i) {
    case 0: SSL_set_info_callback(s, on_info); break;
    case 1: SSL_set_msg_callback(s, on_message); break;
    case 2:
        ANSWER(ON_CERT, 1, 1, 0);
        SSL_set_cert_cb(s, on_cert, NULL);
        break;
    case 3:
        ANSWER(ON_PSK, 1, 0, 2);
        SSL_set_psk_client_callback(s, on_psk_client);
        SSL_set_psk_server_callback(s, on_psk_server);
        break;
    case 4:
        ANSWER(ON_PSK13, 0);
        SSL_set_psk_use_session_callback(s, on_psk_use);
        SSL_set_psk_find_session_callback(s, on_psk_find);
        break;
    case 5:
        ANSWER(ON_VERIFY, 1, 2, 0);
        SSL_set_verify(s, SSL_VERIFY_PEER, on_verify);
        break;
    case 6:
        ANSWER(ON_EARLY, 1, 0);
        SSL_set_allow_early_data_cb(s, on_early, NULL);
        break;
    default: ANSWER(ON_PADDING, 0, 1); DO(SSL_set_record_padding_callback(s, on_padding));
    }
}
