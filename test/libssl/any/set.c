/* set.c: settings of contexts and connections. */
#include "any.h"

static const char *const suites12[] = {
    "DEFAULT",
    "ALL:!ARIA:!CAMELLIA:!aDSS:!SRP:!kRSAPSK",
    "HIGH:!aNULL",
    "ECDHE+AESGCM",
    "kRSA",
    "ECDHE-ECDSA-AES128-GCM-SHA256",
    "AES128-SHA",
    "ECDHE-RSA-CHACHA20-POLY1305:ECDHE-ECDSA-CHACHA20-POLY1305",
    "DEFAULT:@SECLEVEL=0",
    "DEFAULT@SECLEVEL=1",
    "aNULL:@SECLEVEL=0",
    "PSK",
    "DHE:ECDHE",
    "nonsense",
    "",
    ":::",
    "DEFAULT:!TLSv1.2",
    "@STRENGTH",
    "AES256:-SHA384:+AES256",
    "DEFAULT:nonsense",
    "ECDHE-ECDSA-AES256-SHA:@SECLEVEL=0",
    "-ALL",
    "!ALL:AES128-SHA"};
static const char *const suites13[] = {"TLS_AES_128_GCM_SHA256",
                                       "TLS_AES_256_GCM_SHA384:TLS_AES_128_GCM_SHA256",
                                       "TLS_CHACHA20_POLY1305_SHA256",
                                       "",
                                       "TLS_AES_128_CCM_SHA256:TLS_AES_128_CCM_8_SHA256",
                                       "nonsense",
                                       "TLS_AES_128_GCM_SHA256:nonsense",
                                       "AES128-SHA"};
static const char *const groups[] = {
    "X25519",   "P-256", "P-384:P-256", "X25519:P-521", "X448:X25519",       "ffdhe2048:X25519",
    "nonsense", "",      "P-256:P-256", "secp384r1",    "prime256v1:X25519", "P-256:nonsense"};
static const char *const sigalgs[] = {"ECDSA+SHA256:RSA-PSS+SHA256:RSA+SHA256:ed25519",
                                      "RSA+SHA256",
                                      "ECDSA+SHA384",
                                      "ed25519",
                                      "rsa_pss_rsae_sha256:ecdsa_secp256r1_sha256",
                                      "nonsense",
                                      "",
                                      "RSA+SHA1:ECDSA+SHA1:ECDSA+SHA256",
                                      "ECDSA+SHA256:ECDSA+SHA256",
                                      "RSA+SHA256:nonsense",
                                      "ECDSA+SHA256:RSA-PSS+SHA512"};
static const int versions[] = {TLS1_2_VERSION,
                               TLS1_3_VERSION,
                               TLS1_2_VERSION,
                               TLS1_3_VERSION,
                               0,
                               TLS1_1_VERSION,
                               TLS1_VERSION,
                               SSL3_VERSION,
                               0x305,
                               -1,
                               1,
                               DTLS1_2_VERSION};
static const uint64_t options[] = {SSL_OP_NO_TICKET,
                                   SSL_OP_NO_TLSv1_3,
                                   SSL_OP_NO_TLSv1_2,
                                   SSL_OP_CIPHER_SERVER_PREFERENCE,
                                   SSL_OP_NO_EXTENDED_MASTER_SECRET,
                                   SSL_OP_NO_ENCRYPT_THEN_MAC,
                                   SSL_OP_NO_RENEGOTIATION,
                                   SSL_OP_ALLOW_CLIENT_RENEGOTIATION,
                                   SSL_OP_IGNORE_UNEXPECTED_EOF,
                                   SSL_OP_NO_ANTI_REPLAY,
                                   SSL_OP_NO_SESSION_RESUMPTION_ON_RENEGOTIATION,
                                   SSL_OP_ALLOW_NO_DHE_KEX,
                                   SSL_OP_PRIORITIZE_CHACHA,
                                   SSL_OP_ALL,
                                   SSL_OP_NO_TLSv1 | SSL_OP_NO_TLSv1_1,
                                   SSL_OP_CLEANSE_PLAINTEXT,
                                   SSL_OP_ENABLE_MIDDLEBOX_COMPAT,
                                   SSL_OP_LEGACY_SERVER_CONNECT,
                                   SSL_OP_NO_QUERY_MTU,
                                   SSL_OP_COOKIE_EXCHANGE,
                                   SSL_OP_ENABLE_KTLS,
                                   SSL_OP_DISABLE_TLSEXT_CA_NAMES,
                                   0,
                                   UINT64_MAX & ~SSL_OP_COOKIE_EXCHANGE &
                                       ~SSL_OP_CRYPTOPRO_TLSEXT_BUG};
static const long modes[] = {SSL_MODE_ENABLE_PARTIAL_WRITE,
                             SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER,
                             SSL_MODE_NO_AUTO_CHAIN,
                             SSL_MODE_RELEASE_BUFFERS,
                             SSL_MODE_NO_AUTO_CHAIN,
                             SSL_MODE_SEND_FALLBACK_SCSV,
                             0x7fffffff & ~SSL_MODE_ASYNC & ~SSL_MODE_AUTO_RETRY &
                                 ~SSL_MODE_SEND_FALLBACK_SCSV};
static const char *const alpns[] = {"\1a", "\1b\1a", "\1c", "\2a", "", "\0", "\1a\1b\1c"};
static const size_t alpn_lens[] = {2, 4, 2, 2, 0, 1, 6};
static const long sizes[] = {0, 1, 511, 512, 513, 1024, 4096, 16383, 16384, 16385, -1, 100000};
static const int verifies[] = {SSL_VERIFY_NONE,
                               SSL_VERIFY_PEER,
                               SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT,
                               SSL_VERIFY_PEER | SSL_VERIFY_POST_HANDSHAKE,
                               SSL_VERIFY_FAIL_IF_NO_PEER_CERT,
                               SSL_VERIFY_CLIENT_ONCE,
                               -1,
                               0x80};

/* Draws early entries more often: behind them stand the mistakes. */
#define MOSTLY(list)                                                                           \
    ((list)[rarely(3) ? draw(sizeof(list) / sizeof((list)[0]))                                 \
                      : draw(sizeof(list) / sizeof((list)[0]) / 3 + 1)])

static const char *say_text(const char *text)
{
    printf("  with \"%s\"\n", text);
    return text;
}

/* Without level 0 handfast refuses at once what OpenSSL finds no signature for later. */
static int a_version(void)
{
    int v = MOSTLY(versions);
    if (!world.old && (v == TLS1_VERSION || v == TLS1_1_VERSION))
        v = TLS1_2_VERSION;
    printf("  with %d\n", v);
    return v;
}

static uint64_t an_option(void)
{
    uint64_t o = ONE_OF(options);
    return o & SSL_OP_NO_TLSv1_2 && !world.old ? SSL_OP_NO_TLSv1_3 : o;
}

static int a_level(void)
{
    int level = world.old ? 0 : (int)draw(4);
    printf("  with %d\n", level);
    return level;
}

static long say_number(long n)
{
    printf("  with %ld\n", n);
    return n;
}

/* ---- of contexts */

static void ctx_options(void)
{
    SSL_CTX *ctx = a_context();
    uint64_t o = an_option();
    printf("  with %llx\n", (unsigned long long)o);
    if (rarely(4))
        DO(SSL_CTX_clear_options(ctx, o));
    else
        DO(SSL_CTX_set_options(ctx, o));
    DO(SSL_CTX_get_options(ctx));
}

static void ctx_mode(void)
{
    SSL_CTX *ctx = a_context();
    long m = say_number(ONE_OF(modes));
    if (rarely(3))
        DO(SSL_CTX_clear_mode(ctx, m));
    else
        DO(SSL_CTX_set_mode(ctx, m));
}

static void ctx_versions(void)
{
    SSL_CTX *ctx = a_context();
    int v = a_version();
    if (draw(2))
        DO(SSL_CTX_set_min_proto_version(ctx, v));
    else
        DO(SSL_CTX_set_max_proto_version(ctx, v));
    DO(SSL_CTX_get_min_proto_version(ctx));
    DO(SSL_CTX_get_max_proto_version(ctx));
}

static void ctx_ciphers(void)
{
    SSL_CTX *ctx = a_context();
    if (draw(3))
        DO(SSL_CTX_set_cipher_list(ctx, say_text(MOSTLY(suites12))));
    else
        DO(SSL_CTX_set_ciphersuites(ctx, say_text(MOSTLY(suites13))));
    DO(sk_SSL_CIPHER_num(SSL_CTX_get_ciphers(ctx)));
}

static void ctx_groups(void)
{
    SSL_CTX *ctx = a_context();
    DO(SSL_CTX_set1_groups_list(ctx, say_text(MOSTLY(groups))));
}

static void ctx_sigalgs(void)
{
    SSL_CTX *ctx = a_context();
    const char *text = say_text(MOSTLY(sigalgs));
    if (draw(3))
        DO(SSL_CTX_set1_sigalgs_list(ctx, text));
    else
        DO(SSL_CTX_set1_client_sigalgs_list(ctx, text));
}

static void ctx_cache(void)
{
    static const long caches[] = {SSL_SESS_CACHE_OFF,
                                  SSL_SESS_CACHE_CLIENT,
                                  SSL_SESS_CACHE_SERVER,
                                  SSL_SESS_CACHE_BOTH,
                                  SSL_SESS_CACHE_BOTH | SSL_SESS_CACHE_NO_INTERNAL,
                                  SSL_SESS_CACHE_SERVER | SSL_SESS_CACHE_NO_INTERNAL_STORE,
                                  SSL_SESS_CACHE_SERVER | SSL_SESS_CACHE_NO_INTERNAL_LOOKUP,
                                  SSL_SESS_CACHE_BOTH | SSL_SESS_CACHE_NO_AUTO_CLEAR,
                                  -1,
                                  0x10000};
    SSL_CTX *ctx = a_context();
    switch (draw(4)) {
    case 0:
    case 1:
        DO(SSL_CTX_set_session_cache_mode(ctx, say_number(ONE_OF(caches))));
        DO(SSL_CTX_get_session_cache_mode(ctx));
        break;
    case 2:
        DO(SSL_CTX_sess_set_cache_size(ctx, say_number(draw(4))));
        DO(SSL_CTX_sess_get_cache_size(ctx));
        break;
    default:
        DO(SSL_CTX_set_timeout(ctx, say_number(draw(2) ? 300 : (long)(1 + draw(3)) * 100000)));
        DO(SSL_CTX_get_timeout(ctx));
    }
}

static void ctx_verify(void)
{
    SSL_CTX *ctx = a_context();
    SSL_CTX_set_verify(ctx, (int)say_number(MOSTLY(verifies)), NULL);
    if (rarely(4) && !world.end[0]) /* later it counts for connections that are there */
        SSL_CTX_set_verify_depth(ctx, (int)say_number((long)draw(5) - 1));
    DO(SSL_CTX_get_verify_mode(ctx));
    DO(SSL_CTX_get_verify_depth(ctx));
}

static void ctx_purpose(void)
{
    SSL_CTX *ctx = a_context();
    if (world.end[0])
        return;
    if (draw(2))
        DO(SSL_CTX_set_purpose(ctx, (int)say_number(draw(12))));
    else
        DO(SSL_CTX_set_trust(ctx, (int)say_number(draw(10))));
}

static void ctx_fragments(void)
{
    SSL_CTX *ctx = a_context();
    long n = say_number(ONE_OF(sizes));
    switch (draw(5)) {
    case 0: DO(SSL_CTX_set_max_send_fragment(ctx, n)); break;
    case 1: DO(SSL_CTX_set_split_send_fragment(ctx, n)); break;
    case 2: DO(SSL_CTX_set_max_pipelines(ctx, n & 0xff)); break;
    case 3: DO(SSL_CTX_set_tlsext_max_fragment_length(ctx, (uint8_t)(n & 7))); break;
    default: DO(SSL_CTX_set_block_padding(ctx, (size_t)n));
    }
}

static void ctx_alpn(void)
{
    SSL_CTX *ctx = a_context();
    unsigned i = draw(sizeof alpns / sizeof alpns[0]);
    printf("  list %u\n", i);
    DO(SSL_CTX_set_alpn_protos(ctx, (const unsigned char *)alpns[i], (unsigned)alpn_lens[i]));
}

static void ctx_tickets(void)
{
    unsigned char keys[80];
    SSL_CTX *ctx = a_context();
    unsigned n = draw(4);
    memset(keys, 3, sizeof keys);
    switch (draw(4)) {
    case 0:
        DO(SSL_CTX_set_num_tickets(ctx, (size_t)say_number((long)n)));
        DO(SSL_CTX_get_num_tickets(ctx));
        break;
    case 1:
        DO(SSL_CTX_set_tlsext_ticket_keys(ctx, keys, (int)say_number(draw(2) ? 80 : 48)));
        break;
    case 2: DO(SSL_CTX_set_tlsext_ticket_keys(ctx, NULL, 0)); break;
    default: DO(SSL_CTX_get_tlsext_ticket_keys(ctx, keys, (int)say_number(draw(2) ? 80 : 20)));
    }
}

static void ctx_early(void)
{
    SSL_CTX *ctx = a_context();
    uint32_t n = (uint32_t)say_number(draw(3) ? 1000 : draw(3));
    if (draw(3))
        DO(SSL_CTX_set_max_early_data(ctx, n));
    else
        DO(SSL_CTX_set_recv_max_early_data(ctx, n));
    DO(SSL_CTX_get_max_early_data(ctx));
    DO(SSL_CTX_get_recv_max_early_data(ctx));
}

static void ctx_certificate(void)
{
    SSL_CTX *ctx = a_context();
    unsigned c = draw(KEYS), k = draw(5) ? c : draw(KEYS);
    printf("  certificate %u, key %u\n", c, k);
    switch (draw(5)) {
    case 0:
        DO(SSL_CTX_use_cert_and_key(ctx, world.cert[c], world.key[k], NULL, (int)draw(2)));
        break;
    case 1: DO(SSL_CTX_use_PrivateKey(ctx, world.key[k])); break;
    case 2: DO(SSL_CTX_add1_chain_cert(ctx, world.cert[c])); break;
    default:
        DO(SSL_CTX_use_certificate(ctx, world.cert[c]));
        DO(SSL_CTX_use_PrivateKey(ctx, world.key[k]));
    }
    DO(SSL_CTX_check_private_key(ctx));
}

static void ctx_id_context(void)
{
    unsigned char id[40] = "some context";
    SSL_CTX *ctx = world.ctx[CTX_SERVER];
    DO(SSL_CTX_set_session_id_context(ctx, id,
                                      (unsigned)say_number(draw(4) ? draw(13) : 30 + draw(5))));
}

static void ctx_level(void)
{
    SSL_CTX *ctx = a_context();
    SSL_CTX_set_security_level(ctx, a_level());
    DO(SSL_CTX_get_security_level(ctx));
}

static void ctx_switches(void)
{
    SSL_CTX *ctx = a_context();
    int n = (int)draw(3);
    printf("  with %d\n", n);
    switch (draw(6)) {
    case 0: SSL_CTX_set_quiet_shutdown(ctx, n); break;
    case 1: SSL_CTX_set_read_ahead(ctx, n); break;
    case 2: SSL_CTX_set_post_handshake_auth(ctx, n); break;
    case 3: DO(SSL_CTX_set_tlsext_status_type(ctx, n)); break;
    case 4: DO(SSL_CTX_set_dh_auto(ctx, n)); break;
    default: SSL_CTX_set_default_read_buffer_len(ctx, (size_t)n * 5000);
    }
    DO(SSL_CTX_get_quiet_shutdown(ctx));
    DO(SSL_CTX_get_read_ahead(ctx));
    DO(SSL_CTX_get_tlsext_status_type(ctx));
}

static void ctx_names(void)
{
    SSL_CTX *ctx = a_context();
    X509 *x = world.cert[draw(KEYS)];
    switch (draw(4)) {
    case 0: DO(SSL_CTX_add_client_CA(ctx, x)); break;
    case 1: DO(SSL_CTX_add1_to_CA_list(ctx, x)); break;
    case 2: SSL_CTX_set0_CA_list(ctx, NULL); break;
    default: SSL_CTX_set_client_CA_list(ctx, sk_X509_NAME_new_null());
    }
    DO(sk_X509_NAME_num(SSL_CTX_get_client_CA_list(ctx)));
    DO(sk_X509_NAME_num(SSL_CTX_get0_CA_list(ctx)));
}

static void ctx_callback(void)
{
    callbacks_set(a_context());
}

static void ctx_hint(void)
{
    SSL_CTX *ctx = a_context();
    char hint[200];
    size_t n = draw(3) ? draw(10) : sizeof hint - 1;
    memset(hint, 'h', n);
    hint[n] = 0;
    DO(SSL_CTX_use_psk_identity_hint(ctx, hint));
}

static void ctx_method(void)
{
    SSL_CTX *ctx = a_context();
    if (world.end[0])
        return; /* connections that are there notice, oddly */
    const SSL_METHOD *m = draw(2)   ? TLS_method()
                          : draw(2) ? TLSv1_2_method()
                                    : TLS_client_method();
    DO(SSL_CTX_set_ssl_version(ctx, m));
    DO(SSL_CTX_get_ssl_method(ctx) == m);
    SSL_CTX_set1_groups_list(ctx, "X25519:P-256:P-384");
}

static void ctx_sessions(void)
{
    SSL_CTX *ctx = a_context();
    SSL_SESSION *session = *a_session();
    switch (draw(4)) {
    case 0:
        if (session)
            DO(SSL_CTX_add_session(ctx, session));
        break;
    case 1:
        if (session)
            DO(SSL_CTX_remove_session(ctx, session));
        break;
    case 2: SSL_CTX_flush_sessions(ctx, draw(2) ? 0 : time(NULL) + (long)draw(3) * 1000); break;
    default: DO(SSL_CTX_remove_session(ctx, NULL));
    }
    DO(SSL_CTX_sess_number(ctx));
}

const struct op context_ops[] = {{"options", ctx_options, 8},
                                 {"mode", ctx_mode, 3},
                                 {"versions", ctx_versions, 6},
                                 {"ciphers", ctx_ciphers, 6},
                                 {"groups", ctx_groups, 3},
                                 {"sigalgs", ctx_sigalgs, 3},
                                 {"cache", ctx_cache, 5},
                                 {"verify", ctx_verify, 5},
                                 {"purpose", ctx_purpose, 1},
                                 {"fragments", ctx_fragments, 3},
                                 {"alpn", ctx_alpn, 3},
                                 {"tickets", ctx_tickets, 3},
                                 {"early", ctx_early, 5},
                                 {"certificate", ctx_certificate, 5},
                                 {"id context", ctx_id_context, 3},
                                 {"level", ctx_level, 2},
                                 {"switches", ctx_switches, 4},
                                 {"names", ctx_names, 2},
                                 {"callback", ctx_callback, 14},
                                 {"hint", ctx_hint, 1},
                                 {"method", ctx_method, 1},
                                 {"sessions", ctx_sessions, 3},
                                 {NULL, NULL, 0}};

/* ---- of connections */

static void end_options(void)
{
    SSL *s = an_end();
    uint64_t o = an_option();
    if (!s || !SSL_in_before(s))
        return;
    printf("  with %llx\n", (unsigned long long)o);
    if (rarely(4))
        DO(SSL_clear_options(s, o));
    else
        DO(SSL_set_options(s, o));
    DO(SSL_get_options(s));
}

static void end_mode(void)
{
    SSL *s = an_end();
    if (!s)
        return;
    long m = say_number(ONE_OF(modes));
    if (rarely(3))
        DO(SSL_clear_mode(s, m));
    else
        DO(SSL_set_mode(s, m));
}

static void end_versions(void)
{
    SSL *s = an_end();
    if (!s || !SSL_in_before(s))
        return;
    int v = a_version();
    if (draw(2))
        DO(SSL_set_min_proto_version(s, v));
    else
        DO(SSL_set_max_proto_version(s, v));
    DO(SSL_get_min_proto_version(s));
    DO(SSL_get_max_proto_version(s));
}

static void end_lists(void)
{
    SSL *s = an_end();
    if (!s || !SSL_in_before(s))
        return;
    switch (draw(5)) {
    case 0: DO(SSL_set_cipher_list(s, say_text(MOSTLY(suites12)))); break;
    case 1: DO(SSL_set_ciphersuites(s, say_text(MOSTLY(suites13)))); break;
    case 2: DO(SSL_set1_groups_list(s, say_text(MOSTLY(groups)))); break;
    case 3: DO(SSL_set1_sigalgs_list(s, say_text(MOSTLY(sigalgs)))); break;
    default: DO(SSL_set1_client_sigalgs_list(s, say_text(MOSTLY(sigalgs))));
    }
}

static void end_verify(void)
{
    SSL *s = an_end();
    if (!s)
        return;
    SSL_set_verify(s, (int)say_number(MOSTLY(verifies)), NULL);
    DO(SSL_get_verify_mode(s));
    DO(SSL_get_verify_depth(s));
}

static void end_host(void)
{
    static const char *const names[] = {"localhost", "other.example", "", "127.0.0.1", "o",
                                        "LOCALHOST", "a_name.example"};
    SSL *s = an_end();
    if (!s)
        return;
    const char *name = say_text(ONE_OF(names));
    switch (draw(5)) {
    case 0: DO(SSL_set1_host(s, name)); break;
    case 1: DO(SSL_add1_host(s, name)); break;
    case 2: DO(SSL_set_tlsext_host_name(s, NULL)); break;
    default: DO(SSL_set_tlsext_host_name(s, name));
    }
    TEXT(SSL_get_servername(s, TLSEXT_NAMETYPE_host_name));
}

static void end_fragments(void)
{
    SSL *s = an_end();
    if (!s)
        return;
    long n = say_number(ONE_OF(sizes));
    switch (draw(6)) {
    case 0: DO(SSL_set_max_send_fragment(s, n)); break;
    case 1: DO(SSL_set_split_send_fragment(s, n)); break;
    case 2: DO(SSL_set_tlsext_max_fragment_length(s, (uint8_t)(n & 7))); break;
    case 3: DO(SSL_set_block_padding(s, (size_t)n)); break;
    case 4: DO(SSL_set_max_pipelines(s, n & 0x7f)); break;
    default: SSL_set_default_read_buffer_len(s, (size_t)(n & 0xffff));
    }
}

static void end_alpn(void)
{
    SSL *s = an_end();
    unsigned i = draw(sizeof alpns / sizeof alpns[0]);
    if (!s)
        return;
    printf("  list %u\n", i);
    DO(SSL_set_alpn_protos(s, (const unsigned char *)alpns[i], (unsigned)alpn_lens[i]));
}

static void end_early(void)
{
    SSL *s = an_end();
    if (!s)
        return;
    uint32_t n = (uint32_t)say_number(draw(3) ? 1000 : draw(3));
    if (draw(2))
        DO(SSL_set_max_early_data(s, n));
    else
        DO(SSL_set_recv_max_early_data(s, n));
    DO(SSL_get_max_early_data(s));
    DO(SSL_get_recv_max_early_data(s));
}

static void end_switches(void)
{
    SSL *s = an_end();
    int n = (int)draw(3);
    if (!s || !SSL_in_before(s))
        return;
    printf("  with %d\n", n);
    switch (draw(8)) {
    case 0: SSL_set_quiet_shutdown(s, n); break;
    case 1: SSL_set_read_ahead(s, n); break;
    case 2: SSL_set_post_handshake_auth(s, n); break;
    case 3: DO(SSL_set_tlsext_status_type(s, n)); break;
    case 4: DO(SSL_set_num_tickets(s, (size_t)n)); break;
    case 5: SSL_set_security_level(s, a_level()); break;
    case 6: SSL_set_shutdown(s, (int)draw(4)); break;
    default: SSL_set_verify_result(s, n);
    }
    DO(SSL_get_quiet_shutdown(s));
    DO(SSL_get_read_ahead(s));
    DO(SSL_get_tlsext_status_type(s));
    DO(SSL_get_security_level(s));
    DO(SSL_get_num_tickets(s));
    DO(SSL_get_verify_result(s));
}

static void end_certificate(void)
{
    SSL *s = an_end();
    unsigned c = draw(KEYS), k = draw(5) ? c : draw(KEYS);
    if (!s)
        return;
    printf("  certificate %u, key %u\n", c, k);
    switch (draw(5)) {
    case 0: DO(SSL_use_cert_and_key(s, world.cert[c], world.key[k], NULL, (int)draw(2))); break;
    case 1: SSL_certs_clear(s); break;
    case 2: DO(SSL_use_PrivateKey(s, world.key[k])); break;
    default: DO(SSL_use_certificate(s, world.cert[c])); DO(SSL_use_PrivateKey(s, world.key[k]));
    }
    DO(SSL_check_private_key(s));
    DO(SSL_get_certificate(s) == world.cert[c]);
    DO(SSL_get_privatekey(s) == world.key[k]);
}

static void end_session(void)
{
    SSL *s = an_end();
    if (!s)
        return;
    SSL_SESSION *session = *a_session();
    if (!SSL_in_before(s))
        return; /* OpenSSL gives up half of what it has agreed on */
    DO(SSL_set_session(s, session));
    DO(SSL_get_session(s) == session);
}

static void end_copy(void)
{
    SSL *s = an_end();
    SSL *t = an_end();
    if (s && t && SSL_in_before(s) && SSL_is_server(s) == SSL_is_server(t))
        DO(SSL_copy_session_id(s, t));
}

static void end_id_context(void)
{
    unsigned char id[40] = "some context";
    SSL *s = an_end();
    if (s && SSL_is_server(s)) /* handfast's clients do not mind */
        DO(SSL_set_session_id_context(s, id,
                                      (unsigned)say_number(draw(4) ? draw(13) : 30 + draw(5))));
}

static void end_context(void)
{
    SSL *s = an_end();
    SSL_CTX *ctx = a_context();
    if (!s || ctx == world.ctx[CTX_CLIENT] || !SSL_is_server(s))
        return;
    DO(SSL_set_SSL_CTX(s, ctx) == ctx);
    DO(SSL_get_SSL_CTX(s) == ctx);
}

static void end_role(void)
{
    SSL *s = an_end();
    if (!s || !SSL_in_before(s))
        return;
    if (index_of(s) % 2 == 0) {
        printf("  connect\n");
        SSL_set_connect_state(s);
    } else {
        printf("  accept\n");
        SSL_set_accept_state(s);
    }
    DO(SSL_is_server(s));
    TEXT(SSL_state_string_long(s));
}

static void end_callback(void)
{
    SSL *s = an_end();
    if (s)
        callbacks_set_end(s);
}

const struct op end_ops[] = {{"end options", end_options, 6},
                             {"end mode", end_mode, 3},
                             {"end versions", end_versions, 3},
                             {"end lists", end_lists, 5},
                             {"end verify", end_verify, 4},
                             {"host", end_host, 6},
                             {"end fragments", end_fragments, 3},
                             {"end alpn", end_alpn, 3},
                             {"end early", end_early, 4},
                             {"end switches", end_switches, 6},
                             {"end certificate", end_certificate, 4},
                             {"set session", end_session, 10},
                             {"copy session", end_copy, 1},
                             {"end id context", end_id_context, 2},
                             {"set context", end_context, 1},
                             {"role", end_role, 1},
                             {"end callback", end_callback, 5},
                             {NULL, NULL, 0}};
