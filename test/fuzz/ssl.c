/* ssl.c: libssl.so.3's own layer: a client and a server of its own, called in any order, over a wire that cuts,
 * damages and invents.
 *
 * Input: three bytes of setup (below), 8 bits: how much goes through the wire at a time; the content of an extension
 * of the application's own (16-bit length), where it stands; then operations. What must hold: what a call returns
 * goes with what SSL_get_error says; on a wire that only cuts data arrive as they were sent; a read never goes past
 * what was asked for. */
#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/ssl.h>
#include <string.h>

#include "fuzz.h"
#include "identity.h"

enum { WIRE = 70000, DATA = 40000, OPERATIONS = 200 };

enum {
    SET_TLS12 = 1 << 0,
    SET_OLD = 1 << 1, /* 1.0 to 1.2 at level 0 */
    SET_CLIENT_AUTH = 1 << 2,
    SET_LATER = 1 << 3,
    SET_ALPN = 1 << 4,
    SET_STATUS = 1 << 5,
    SET_TRACE = 1 << 6,
    SET_AHEAD = 1 << 7,
    SET_PARTIAL = 1 << 8,
    SET_NO_RETRY = 1 << 9,
    SET_EXTENSION = 1 << 10,
    SET_PSK = 1 << 11,
    SET_EARLY = 1 << 12,
    SET_NO_TICKET = 1 << 13,
    SET_WAIT = 1 << 14, /* callbacks want to be asked again */
    SET_PADDING = 1 << 15,
    SET_SECURITY = 1 << 16,
    SET_REFUSE = 1 << 17, /* the chain */
    SET_IGNORE_EOF = 1 << 18,
    SET_GROUP = 1 << 19, /* HelloRetryRequest */
    SET_QUIET = 1 << 20,
};

struct wire {
    unsigned char bytes[WIRE];
    size_t len;
    bool closed;
};

struct end {
    SSL *ssl;
    struct wire in;
    unsigned char sent[DATA];
    size_t sent_len, got_len;
    size_t trying; /* what of a write that blocked may be on its way */
    struct end *peer;
};

static SSL_CTX *client_ctx, *server_ctx, *other_ctx;
static BIO_METHOD *method;
static struct end client, server;
static unsigned flags;
static size_t at_once;
static bool damaged;
static unsigned waits;
static SSL_SESSION *kept;
static struct slice extension;

/* ---- nothing is random */

static uint64_t counter;

static int some_bytes(unsigned char *out, int n)
{
    for (int i = 0; i < n; i++) {
        counter = counter * 6364136223846793005u + 1442695040888963407u;
        out[i] = (unsigned char)(counter >> 56);
    }
    return 1;
}

static int status(void)
{
    return 1;
}

static const RAND_METHOD chance = {
    .bytes = some_bytes, .pseudorand = some_bytes, .status = status};

/* ---- the wire */

static int wire_read(BIO *b, char *buf, int len)
{
    struct end *e = BIO_get_data(b);
    size_t n = (size_t)len < e->in.len ? (size_t)len : e->in.len;
    BIO_clear_retry_flags(b);
    if (at_once && n > at_once)
        n = at_once;
    if (!n && !e->in.closed)
        BIO_set_retry_read(b);
    if (!n)
        return e->in.closed ? 0 : -1;
    memcpy(buf, e->in.bytes, n);
    memmove(e->in.bytes, e->in.bytes + n, e->in.len - n);
    e->in.len -= n;
    return (int)n;
}

static int wire_write(BIO *b, const char *buf, int len)
{
    const struct end *e = BIO_get_data(b);
    struct wire *w = &e->peer->in;
    size_t room = WIRE - w->len, n = (size_t)len < room ? (size_t)len : room;
    BIO_clear_retry_flags(b);
    if (at_once && n > 16 * at_once)
        n = 16 * at_once;
    if (w->closed)
        return len; /* nobody will ever read it */
    if (!n) {
        BIO_set_retry_write(b);
        return -1;
    }
    memcpy(w->bytes + w->len, buf, n);
    w->len += n;
    return (int)n;
}

static long wire_ctrl(BIO *b, int command, long number, void *p)
{
    const struct end *e = BIO_get_data(b);
    (void)number, (void)p;
    switch (command) {
    case BIO_CTRL_EOF: return e->in.closed && !e->in.len;
    case BIO_CTRL_PENDING: return (long)e->in.len;
    case BIO_CTRL_FLUSH:
    case BIO_CTRL_DUP: return 1;
    default: return 0;
    }
}

static int wire_create(BIO *b)
{
    BIO_set_init(b, 1);
    return 1;
}

/* ---- callbacks */

static bool wait(void)
{
    return flags & SET_WAIT && waits++ % 3 == 0;
}

static int on_verify(int ok, X509_STORE_CTX *x)
{
    (void)ok, (void)x;
    return flags & SET_REFUSE ? 0 : 1;
}

static int on_certificate(SSL *s, void *arg)
{
    (void)s, (void)arg;
    return wait() ? -1 : 1;
}

static int on_hello(SSL *s, int *alert, void *arg)
{
    int *ids;
    size_t n;
    const unsigned char *p;
    (void)alert, (void)arg;
    if (SSL_client_hello_get1_extensions_present(s, &ids, &n)) {
        for (size_t i = 0; i < n; i++) {
            size_t len;
            REQUIRE(SSL_client_hello_get0_ext(s, (unsigned)ids[i], &p, &len));
            REQUIRE(!len || p[len - 1] <= 255);
        }
        OPENSSL_free(ids);
    }
    REQUIRE(SSL_client_hello_get0_random(s, &p) == 32);
    n = SSL_client_hello_get0_ciphers(s, &p);
    STACK_OF(SSL_CIPHER) *a = NULL, *b = NULL;
    if (SSL_bytes_to_cipher_list(s, p, n, SSL_client_hello_isv2(s), &a, &b)) {
        sk_SSL_CIPHER_free(a);
        sk_SSL_CIPHER_free(b);
    }
    return wait() ? SSL_CLIENT_HELLO_RETRY : SSL_CLIENT_HELLO_SUCCESS;
}

static int on_name(SSL *s, int *alert, void *arg)
{
    (void)alert, (void)arg;
    const char *name = SSL_get_servername(s, TLSEXT_NAMETYPE_host_name);
    if (name && name[0] == 'o')
        SSL_set_SSL_CTX(s, other_ctx);
    return SSL_TLSEXT_ERR_OK;
}

static int on_alpn(SSL *s, const unsigned char **out, unsigned char *len,
                   const unsigned char *in, unsigned in_len, void *arg)
{
    (void)s, (void)arg;
    return SSL_select_next_proto((unsigned char **)(uintptr_t)out, len,
                                 (const unsigned char *)"\1b\1a", 4, in,
                                 in_len) == OPENSSL_NPN_NEGOTIATED
               ? SSL_TLSEXT_ERR_OK
               : SSL_TLSEXT_ERR_NOACK;
}

static int on_status(SSL *s, void *arg)
{
    (void)arg;
    const unsigned char *p;
    if (!SSL_is_server(s)) {
        (void)SSL_get_tlsext_status_ocsp_resp(s, &p);
        return 1;
    }
    SSL_set_tlsext_status_ocsp_resp(s, OPENSSL_memdup(server_ocsp, sizeof server_ocsp),
                                    sizeof server_ocsp);
    return SSL_TLSEXT_ERR_OK;
}

static int on_session(SSL *s, SSL_SESSION *session)
{
    if (SSL_is_server(s))
        return 0;
    SSL_SESSION_free(kept);
    kept = session;
    return 1;
}

static unsigned psk_client(SSL *s, const char *hint, char *identity, unsigned max,
                           unsigned char *key, unsigned key_max)
{
    (void)s, (void)hint, (void)key_max;
    snprintf(identity, max, "me");
    memset(key, 7, 16);
    return 16;
}

static unsigned psk_server(SSL *s, const char *identity, unsigned char *key, unsigned max)
{
    (void)s, (void)max;
    memset(key, 7, 16);
    return strcmp(identity, "me") == 0 ? 16 : 0;
}

static void on_info(const SSL *s, int where, int ret)
{
    (void)where, (void)ret;
    REQUIRE(SSL_state_string_long(s) && SSL_state_string(s));
}

static void on_message(int sent, int version, int type, const void *p, size_t n, SSL *s,
                       void *arg)
{
    BIO *out = BIO_new(BIO_s_null());
    (void)arg;
    SSL_trace(sent, version, type, p, n, s, out);
    BIO_free(out);
}

static size_t on_padding(SSL *s, int type, size_t len, void *arg)
{
    (void)s, (void)type, (void)arg;
    return len * 3;
}

static int on_security(const SSL *s, const SSL_CTX *ctx, int op, int bits, int nid, void *other,
                       void *ex)
{
    (void)s, (void)ctx, (void)op, (void)nid, (void)other, (void)ex;
    return bits != 112;
}

static int extension_add(SSL *s, unsigned type, unsigned context, const unsigned char **out,
                         size_t *len, X509 *x, size_t index, int *alert, void *arg)
{
    (void)s, (void)type, (void)context, (void)x, (void)index, (void)alert, (void)arg;
    if (!(flags & SET_EXTENSION))
        return 0;
    *out = extension.p;
    *len = extension.len;
    return 1;
}

static void extension_free(SSL *s, unsigned type, unsigned context, const unsigned char *out,
                           void *arg)
{
    (void)s, (void)type, (void)context, (void)arg;
    REQUIRE(out == extension.p);
}

static int extension_parse(SSL *s, unsigned type, unsigned context, const unsigned char *in,
                           size_t len, X509 *x, size_t index, int *alert, void *arg)
{
    (void)s, (void)type, (void)context, (void)x, (void)index, (void)arg;
    REQUIRE(damaged || (len == extension.len && (!len || memcmp(in, extension.p, len) == 0)));
    if (len && in[0] == 0xff) {
        *alert = SSL_AD_DECODE_ERROR;
        return 0;
    }
    return 1;
}

/* ---- setting up */

static void use_identity(SSL_CTX *ctx, const char *certificate, const char *key)
{
    BIO *b = BIO_new_mem_buf(certificate, -1), *k = BIO_new_mem_buf(key, -1);
    X509 *x = PEM_read_bio_X509(b, NULL, NULL, NULL);
    EVP_PKEY *p = PEM_read_bio_PrivateKey(k, NULL, NULL, NULL);
    REQUIRE(x && p && SSL_CTX_use_certificate(ctx, x) == 1 &&
            SSL_CTX_use_PrivateKey(ctx, p) == 1);
    X509_free(x);
    EVP_PKEY_free(p);
    BIO_free(b);
    BIO_free(k);
}

static SSL_CTX *context(const SSL_METHOD *m, const char *certificate, const char *key)
{
    const unsigned where = SSL_EXT_CLIENT_HELLO | SSL_EXT_TLS1_2_SERVER_HELLO |
                           SSL_EXT_TLS1_3_ENCRYPTED_EXTENSIONS | SSL_EXT_TLS1_3_CERTIFICATE |
                           SSL_EXT_TLS1_3_CERTIFICATE_REQUEST |
                           SSL_EXT_TLS1_3_HELLO_RETRY_REQUEST;
    SSL_CTX *ctx = SSL_CTX_new(m);
    REQUIRE(ctx);
    use_identity(ctx, certificate, key);
    SSL_CTX_set_min_proto_version(ctx, TLS1_VERSION);
    SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
    SSL_CTX_sess_set_new_cb(ctx, on_session);
    SSL_CTX_set_session_id_context(ctx, (const unsigned char *)"fuzz", 4);
    SSL_CTX_set_client_hello_cb(ctx, on_hello, NULL);
    SSL_CTX_set_tlsext_servername_callback(ctx, on_name);
    SSL_CTX_set_alpn_select_cb(ctx, on_alpn, NULL);
    SSL_CTX_set_tlsext_status_cb(ctx, on_status);
    SSL_CTX_set_cert_cb(ctx, on_certificate, NULL);
    REQUIRE(SSL_CTX_add_custom_ext(ctx, 1000, where, extension_add, extension_free, NULL,
                                   extension_parse, NULL));
    return ctx;
}

/* A context gets its ticket keys with the first ticket: these are no input's business. */
static void set_up(void)
{
    unsigned char keys[80] = {1, 2, 3};
    REQUIRE(RAND_set_rand_method(&chance));
    client_ctx = context(TLS_client_method(), client_pem, client_key_pem);
    server_ctx = context(TLS_server_method(), server_pem, server_key_pem);
    other_ctx = context(TLS_server_method(), old_pem, old_key_pem);
    SSL_CTX_set_tlsext_ticket_keys(server_ctx, keys, sizeof keys);
    SSL_CTX_set_tlsext_ticket_keys(other_ctx, keys, sizeof keys);
    method = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "wire");
    REQUIRE(method && BIO_meth_set_read(method, wire_read) &&
            BIO_meth_set_write(method, wire_write) && BIO_meth_set_ctrl(method, wire_ctrl) &&
            BIO_meth_set_create(method, wire_create));
}

static void end_set(struct end *e, bool is_server)
{
    SSL *s = e->ssl;
    int verify = is_server && !(flags & SET_CLIENT_AUTH) ? SSL_VERIFY_NONE : SSL_VERIFY_PEER;
    if (flags & (SET_TLS12 | SET_OLD))
        SSL_set_max_proto_version(s, TLS1_2_VERSION);
    if (flags & SET_OLD)
        SSL_set_security_level(s, 0);
    if (flags & SET_OLD && !(flags & SET_TLS12))
        SSL_set_max_proto_version(s, TLS1_VERSION);
    if (flags & SET_LATER && is_server)
        verify |= SSL_VERIFY_POST_HANDSHAKE;
    SSL_set_verify(s, verify, on_verify);
    SSL_set_post_handshake_auth(s, flags & SET_LATER ? 1 : 0);
    if (flags & SET_ALPN)
        SSL_set_alpn_protos(s, (const unsigned char *)"\1a\1b", 4);
    if (flags & SET_STATUS && !is_server)
        SSL_set_tlsext_status_type(s, TLSEXT_STATUSTYPE_ocsp);
    if (flags & SET_TRACE) {
        SSL_set_info_callback(s, on_info);
        SSL_set_msg_callback(s, on_message);
    }
    SSL_set_read_ahead(s, flags & SET_AHEAD ? 1 : 0);
    if (flags & SET_PARTIAL)
        SSL_set_mode(s, SSL_MODE_ENABLE_PARTIAL_WRITE);
    SSL_set_mode(s, SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
    if (flags & SET_NO_RETRY)
        SSL_clear_mode(s, SSL_MODE_AUTO_RETRY);
    if (flags & SET_PSK) {
        SSL_set_psk_client_callback(s, psk_client);
        SSL_set_psk_server_callback(s, psk_server);
    }
    if (flags & SET_EARLY)
        SSL_set_max_early_data(s, 1000);
    if (flags & SET_NO_TICKET)
        SSL_set_options(s, SSL_OP_NO_TICKET);
    if (flags & SET_PADDING)
        (void)SSL_set_record_padding_callback(s, on_padding);
    if (flags & SET_SECURITY)
        SSL_set_security_callback(s, on_security);
    if (flags & SET_IGNORE_EOF)
        SSL_set_options(s, SSL_OP_IGNORE_UNEXPECTED_EOF);
    if (flags & SET_GROUP)
        SSL_set1_groups_list(s, is_server ? "P-384" : "X25519:P-384");
    SSL_set_quiet_shutdown(s, flags & SET_QUIET ? 1 : 0);
    SSL_set_options(s, SSL_OP_ALLOW_CLIENT_RENEGOTIATION | SSL_OP_NO_ANTI_REPLAY);
}

static void end_open(struct end *e, struct end *peer, SSL_CTX *ctx, bool is_server)
{
    e->in.len = 0;
    e->in.closed = false;
    e->sent_len = e->got_len = e->trying = 0;
    e->peer = peer;
    e->ssl = SSL_new(ctx);
    BIO *b = BIO_new(method);
    REQUIRE(e->ssl && b);
    BIO_set_data(b, e);
    SSL_set_bio(e->ssl, b, b);
    end_set(e, is_server);
    if (is_server)
        SSL_set_accept_state(e->ssl);
    else
        SSL_set_connect_state(e->ssl);
}

static void open_both(void)
{
    end_open(&client, &server, client_ctx, false);
    end_open(&server, &client, server_ctx, true);
}

static void close_both(void)
{
    SSL_free(client.ssl);
    SSL_free(server.ssl);
    client.ssl = server.ssl = NULL;
}

/* ---- operations */

/* What was returned, and what SSL_get_error makes of it. */
static void judge(SSL *s, int ret)
{
    int error = SSL_get_error(s, ret);
    REQUIRE((error == SSL_ERROR_NONE) == (ret > 0));
    if (error == SSL_ERROR_SSL)
        REQUIRE(ERR_peek_error() != 0);
    if (error == SSL_ERROR_ZERO_RETURN)
        REQUIRE(SSL_get_shutdown(s) & SSL_RECEIVED_SHUTDOWN);
    ERR_clear_error();
}

static void shake(struct end *e)
{
    ERR_clear_error();
    judge(e->ssl, SSL_do_handshake(e->ssl));
}

static void take(struct end *e, const unsigned char *p, size_t n)
{
    const struct end *from = e->peer;
    if (!damaged)
        REQUIRE(n <= from->sent_len + from->trying - e->got_len &&
                memcmp(p, from->sent + e->got_len, n) == 0);
    e->got_len += n;
}

static void read_some(struct end *e, size_t n, bool peek)
{
    static unsigned char buf[20000];
    size_t got = 0;
    ERR_clear_error();
    int ret = peek ? SSL_peek_ex(e->ssl, buf, n, &got) : SSL_read_ex(e->ssl, buf, n, &got);
    if (ret > 0) {
        REQUIRE(got > 0 && got <= n);
        if (!peek)
            take(e, buf, got);
    }
    judge(e->ssl, ret);
    REQUIRE(SSL_pending(e->ssl) >= 0);
}

static void write_some(struct end *e, size_t n)
{
    size_t done = 0, room = DATA - e->sent_len;
    n = n < room ? n : room;
    for (size_t i = 0; i < n; i++)
        e->sent[e->sent_len + i] = (unsigned char)((e->sent_len + i) * 31);
    ERR_clear_error();
    int ret = SSL_write_ex(e->ssl, e->sent + e->sent_len, n, &done);
    if (ret > 0) {
        REQUIRE(done <= n);
        e->sent_len += done;
        e->trying = 0;
    } else if (n > e->trying) {
        e->trying = n;
    }
    if (n)
        judge(e->ssl, ret);
    else
        ERR_clear_error();
}

static void early(struct end *e, size_t n)
{
    static unsigned char buf[1000];
    size_t done = 0;
    ERR_clear_error();
    if (e == &server) {
        if (SSL_read_early_data(e->ssl, buf, n, &done) == SSL_READ_EARLY_DATA_SUCCESS) {
            REQUIRE(done <= n);
            damaged = true; /* what was sent early is not counted */
        }
    } else if (SSL_write_early_data(e->ssl, buf, n, &done)) {
        REQUIRE(done == n);
        damaged = true;
    }
    ERR_clear_error();
}

static void inject(struct end *e, struct slice bytes)
{
    size_t room = WIRE - e->in.len, n = bytes.len < room ? bytes.len : room;
    memcpy(e->in.bytes + e->in.len, bytes.p, n);
    e->in.len += n;
    damaged |= n > 0;
}

/* Everything that only looks. */
static void poke(SSL *s)
{
    unsigned char buf[64];
    const unsigned char *p;
    unsigned n;
    char text[256];
    (void)SSL_get_version(s);
    (void)SSL_get_current_cipher(s);
    SSL_CIPHER_description(SSL_get_current_cipher(s)
                               ? SSL_get_current_cipher(s)
                               : sk_SSL_CIPHER_value(SSL_get_ciphers(s), 0),
                           text, sizeof text);
    (void)SSL_get_peer_cert_chain(s);
    X509_free(SSL_get1_peer_certificate(s));
    (void)SSL_get0_verified_chain(s);
    (void)SSL_get_verify_result(s);
    (void)SSL_get0_peer_CA_list(s);
    (void)SSL_get_client_ciphers(s);
    (void)SSL_get_shared_ciphers(s, text, sizeof text);
    (void)SSL_get_shared_sigalgs(s, 0, NULL, NULL, NULL, NULL, NULL);
    (void)SSL_get_finished(s, buf, sizeof buf);
    (void)SSL_get_peer_finished(s, buf, sizeof buf);
    SSL_get0_alpn_selected(s, &p, &n);
    (void)SSL_get_negotiated_group(s);
    (void)SSL_get_client_random(s, buf, sizeof buf);
    (void)SSL_export_keying_material(s, buf, 32, "x", 1, NULL, 0, 0);
    (void)SSL_export_keying_material_early(s, buf, 32, "x", 1, NULL, 0);
    (void)SSL_state_string_long(s);
    (void)SSL_rstate_string_long(s);
    EVP_PKEY *key = NULL;
    if (SSL_get_peer_tmp_key(s, &key))
        EVP_PKEY_free(key);
    SSL_SESSION *session = SSL_get1_session(s);
    if (session) {
        unsigned char *der = NULL;
        int len = i2d_SSL_SESSION(session, &der);
        if (len > 0) {
            const unsigned char *q = der;
            SSL_SESSION *again = d2i_SSL_SESSION(NULL, &q, len);
            REQUIRE(again && q == der + len);
            SSL_SESSION_free(again);
            OPENSSL_free(der);
        }
    }
    SSL_SESSION_free(session);
    ERR_clear_error();
}

static void begin_again(struct end *e)
{
    SSL_shutdown(e->ssl);
    (void)SSL_clear(e->ssl);
    client.in.len = server.in.len = 0;
    damaged = true; /* the other end does not know */
    ERR_clear_error();
}

static void resume(void)
{
    close_both();
    open_both();
    if (kept)
        (void)SSL_set_session(client.ssl, kept);
    ERR_clear_error();
}

enum {
    OP_SHAKE,
    OP_READ,
    OP_WRITE,
    OP_PEEK,
    OP_SHUTDOWN,
    OP_INJECT,
    OP_DAMAGE,
    OP_CLOSE,
    OP_RENEGOTIATE,
    OP_KEY_UPDATE,
    OP_CLEAR,
    OP_LATER,
    OP_TICKET,
    OP_EARLY,
    OP_POKE,
    OP_RESUME,
    OP_SHAKE_BOTH,
    OP_RECONFIGURE,
    OP_NAME,
    OPS
};

static void operate(struct end *e, unsigned op, struct feed *f)
{
    SSL *s = e->ssl;
    switch (op) {
    case OP_SHAKE: shake(e); break;
    case OP_READ: read_some(e, feed_u16(f) % 20000, false); break;
    case OP_WRITE: write_some(e, feed_u16(f) % 20000); break;
    case OP_PEEK: read_some(e, feed_u8(f), true); break;
    case OP_SHUTDOWN: (void)SSL_shutdown(s); break;
    case OP_INJECT: inject(e, feed_vec16(f)); break;
    case OP_DAMAGE:
        if (e->in.len) {
            e->in.bytes[feed_u16(f) % e->in.len] ^= (unsigned char)(feed_u8(f) | 1);
            damaged = true;
        }
        break;
    case OP_CLOSE: e->in.closed = true; break;
    case OP_RENEGOTIATE: (void)SSL_renegotiate(s); break;
    case OP_KEY_UPDATE: (void)SSL_key_update(s, feed_u8(f) & 1); break;
    case OP_CLEAR: begin_again(e); break;
    case OP_LATER: (void)SSL_verify_client_post_handshake(s); break;
    case OP_TICKET: (void)SSL_new_session_ticket(s); break;
    case OP_EARLY: early(e, feed_u8(f)); break;
    case OP_POKE: poke(s); break;
    case OP_RESUME: resume(); break;
    case OP_SHAKE_BOTH:
        for (int i = 0; i < 12; i++) {
            shake(&client);
            shake(&server);
        }
        break;
    case OP_RECONFIGURE:
        flags = (unsigned)feed_u16(f) | (flags & ~0xffffu);
        end_set(e, e == &server);
        break;
    case OP_NAME: {
        const char *name = feed_u8(f) & 1 ? "other.example" : "server.example";
        SSL_set_tlsext_host_name(client.ssl, name);
        break;
    }
    default: break;
    }
    ERR_clear_error();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct feed f = {data, size};
    if (!method)
        set_up();
    counter = 1;
    waits = 0;
    damaged = false;
    flags = (unsigned)feed_u8(&f) << 16;
    flags |= feed_u16(&f);
    at_once = feed_u8(&f);
    extension = feed_vec16(&f);
    open_both();
    for (int i = 0; i < OPERATIONS && f.left; i++) {
        uint8_t byte = feed_u8(&f);
        operate(byte & 0x80 ? &server : &client, (byte & 0x7fu) % OPS, &f);
    }
    close_both();
    SSL_SESSION_free(kept);
    kept = NULL;
    ERR_clear_error();
    return 0;
}
