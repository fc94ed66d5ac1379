/* test_control.c: SSL_ctrl and SSL_CTX_ctrl, and the setters and getters of single values. */
#include "pair.h"

#include <openssl/async.h>
#include <openssl/comp.h>

static SSL_CTX *ctx;
static SSL *ssl;

static void modes(void)
{
    printf("mode %ld", SSL_CTX_get_mode(ctx));
    printf(" %ld", SSL_CTX_set_mode(ctx, SSL_MODE_RELEASE_BUFFERS));
    printf(" %ld", SSL_CTX_clear_mode(ctx, SSL_MODE_AUTO_RETRY));
    printf(" ssl %ld", SSL_get_mode(ssl));
    printf(" %ld", SSL_set_mode(ssl, SSL_MODE_ENABLE_PARTIAL_WRITE));
    printf(" %ld", SSL_clear_mode(ssl, SSL_MODE_AUTO_RETRY));
    printf(" context again %ld\n", SSL_CTX_get_mode(ctx));
}

static void options(void)
{
    printf("options %llx", (unsigned long long)SSL_CTX_get_options(ctx));
    printf(" %llx",
           (unsigned long long)SSL_CTX_set_options(ctx, SSL_OP_NO_TICKET | SSL_OP_ALL));
    printf(" %llx",
           (unsigned long long)SSL_CTX_clear_options(ctx, SSL_OP_ENABLE_MIDDLEBOX_COMPAT));
    printf(" ssl %llx", (unsigned long long)SSL_get_options(ssl));
    printf(" %llx", (unsigned long long)SSL_set_options(ssl, SSL_OP_NO_TLSv1_3));
    printf(" %llx\n", (unsigned long long)SSL_clear_options(ssl, SSL_OP_NO_COMPRESSION));
}

/* Every pair of bounds, and what is kept of it. */
static void versions(void)
{
    static const int list[] = {0,     0x2ff,  0x300,  0x301,  0x302, 0x303, 0x304,
                               0x305, 0xfeff, 0xfefd, 0xfefc, 0x100, -1};
    static const SSL_METHOD *(*const methods[])(void) = {TLS_method, TLSv1_2_method,
                                                         TLS_client_method};
    for (size_t m = 0; m < 3; m++) {
        for (size_t i = 0; i < sizeof list / sizeof *list; i++) {
            for (size_t j = 0; j < sizeof list / sizeof *list; j++) {
                SSL_CTX *c = SSL_CTX_new(methods[m]());
                printf("%x to %x: %ld", (unsigned)list[i], (unsigned)list[j],
                       (long)SSL_CTX_set_min_proto_version(c, list[i]));
                printf(" %ld", (long)SSL_CTX_set_max_proto_version(c, list[j]));
                printf(" %lx", (unsigned long)SSL_CTX_get_min_proto_version(c));
                printf(" %lx", (unsigned long)SSL_CTX_get_max_proto_version(c));
                SSL *s = SSL_new(c);
                printf(" ssl %d", s ? (int)SSL_set_min_proto_version(s, list[j]) : -1);
                printf(" %lx\n", s ? (unsigned long)SSL_get_min_proto_version(s) : 0);
                SSL_free(s);
                SSL_CTX_free(c);
                ERR_clear_error();
            }
        }
    }
}

static void sizes(void)
{
    static const long list[] = {-1, 0, 1, 33, 511, 512, 4096, 16384, 16385, 100000};
    printf("list %ld", SSL_CTX_get_max_cert_list(ctx));
    for (size_t i = 0; i < sizeof list / sizeof *list; i++) {
        printf("\n%ld: list %ld", list[i], SSL_set_max_cert_list(ssl, list[i]));
        printf(" %ld", SSL_get_max_cert_list(ssl));
        printf(" fragment %ld", SSL_set_max_send_fragment(ssl, list[i]));
        printf(" split %ld", SSL_set_split_send_fragment(ssl, list[i]));
        printf(" pipelines %ld", SSL_set_max_pipelines(ssl, list[i]));
        printf(" read ahead %d", SSL_get_read_ahead(ssl));
        printf(" padding %d", list[i] < 0 ? 0 : SSL_set_block_padding(ssl, (size_t)list[i]));
        printf(" fragment code %d", SSL_set_tlsext_max_fragment_length(ssl, (uint8_t)list[i]));
        printf(" cache %ld", SSL_CTX_sess_set_cache_size(ctx, list[i]));
        printf(" %ld", SSL_CTX_sess_get_cache_size(ctx));
    }
    printf("\nread ahead %ld", SSL_CTX_set_read_ahead(ctx, 5));
    printf(" %ld", SSL_CTX_get_read_ahead(ctx));
    printf(" cache mode %ld", SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_BOTH));
    printf(" %ld\n", SSL_CTX_get_session_cache_mode(ctx));
    pair_errors();
}

static int keep_name(SSL *s, int *alert, void *arg)
{
    (void)s, (void)alert, (void)arg;
    return 0;
}

static int status(SSL *s, void *arg)
{
    (void)s, (void)arg;
    return 0;
}

static void names(void)
{
    char name[300];
    printf("name %d", SSL_set_tlsext_host_name(ssl, "example.com") == 1);
    printf(" %s %d", SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name),
           SSL_get_servername_type(ssl));
    printf(" other type %d", SSL_get_servername(ssl, 7) == NULL);
    printf(" empty %d", (int)SSL_set_tlsext_host_name(ssl, ""));
    printf(" %d", SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name) == NULL);
    memset(name, 'a', sizeof name);
    name[256] = 0;
    printf(" 256 %d", (int)SSL_set_tlsext_host_name(ssl, name));
    name[255] = 0;
    printf(" 255 %d", (int)SSL_set_tlsext_host_name(ssl, name));
    printf(" wrong type %ld", SSL_ctrl(ssl, SSL_CTRL_SET_TLSEXT_HOSTNAME, 1, name));
    printf(" none %d", (int)SSL_set_tlsext_host_name(ssl, NULL));
    printf(" %d\n", SSL_get_servername_type(ssl));
    pair_errors();
}

static void callbacks(void)
{
    int (*cb)(SSL *, void *) = NULL;
    void *arg = NULL;
    unsigned char keys[80], again[80];
    printf("servername %ld", (long)SSL_CTX_set_tlsext_servername_callback(ctx, keep_name));
    printf(" %ld", (long)SSL_CTX_set_tlsext_servername_arg(ctx, ctx));
    printf(" status %ld", (long)SSL_CTX_set_tlsext_status_cb(ctx, status));
    printf(" %ld", (long)SSL_CTX_set_tlsext_status_arg(ctx, keys));
    printf(" %ld", (long)SSL_CTX_get_tlsext_status_cb(ctx, &cb));
    printf(" %ld", (long)SSL_CTX_get_tlsext_status_arg(ctx, &arg));
    printf(" %d %d", cb == status, arg == keys);
    printf(" type %ld", (long)SSL_CTX_get_tlsext_status_type(ctx));
    printf(" %ld", (long)SSL_CTX_set_tlsext_status_type(ctx, TLSEXT_STATUSTYPE_ocsp));
    printf(" %ld", (long)SSL_CTX_get_tlsext_status_type(ctx));
    printf(" ssl %ld", (long)SSL_get_tlsext_status_type(ssl));
    printf(" %ld", (long)SSL_set_tlsext_status_type(ssl, 7));
    printf(" %ld\n", (long)SSL_get_tlsext_status_type(ssl));
    printf("ticket keys %ld", (long)SSL_CTX_get_tlsext_ticket_keys(ctx, NULL, 0));
    printf(" %ld", (long)SSL_CTX_get_tlsext_ticket_keys(ctx, keys, 48));
    printf(" %ld", (long)SSL_CTX_get_tlsext_ticket_keys(ctx, keys, 80));
    keys[3] ^= 1;
    printf(" %ld", (long)SSL_CTX_set_tlsext_ticket_keys(ctx, keys, 80));
    printf(" %ld", (long)SSL_CTX_get_tlsext_ticket_keys(ctx, again, 80));
    printf(" %d\n", memcmp(keys, again, 80));
    pair_errors();
}

static void responses(void)
{
    const unsigned char *p = (const unsigned char *)"x";
    STACK_OF(OCSP_RESPID) *ids = NULL;
    X509_EXTENSIONS *exts = NULL;
    printf("response %ld", (long)SSL_get_tlsext_status_ocsp_resp(ssl, &p));
    printf(" %d", p == NULL);
    printf(" %ld", (long)SSL_set_tlsext_status_ocsp_resp(ssl, OPENSSL_memdup("abc", 3), 3));
    printf(" %ld", (long)SSL_get_tlsext_status_ocsp_resp(ssl, &p));
    printf(" %.3s", p ? (const char *)p : "");
    printf(" ids %ld %d", (long)SSL_get_tlsext_status_ids(ssl, &ids), ids == NULL);
    printf(" exts %ld %d\n", (long)SSL_get_tlsext_status_exts(ssl, &exts), exts == NULL);
    printf("before %ld", SSL_get_extms_support(ssl));
    printf(" %ld", SSL_get_secure_renegotiation_support(ssl));
    printf(" %ld %ld", SSL_num_renegotiations(ssl), SSL_total_renegotiations(ssl));
    printf(" unknown %ld", SSL_ctrl(ssl, 9999, 0, NULL));
    printf(" %ld", SSL_ctrl(ssl, -1, 0, NULL));
    printf(" %ld", SSL_CTX_ctrl(ctx, 60, 0, NULL));
    printf(" on the other %ld", SSL_CTX_ctrl(ctx, SSL_CTRL_GET_RI_SUPPORT, 0, NULL));
    printf(" %ld\n", SSL_ctrl(ssl, SSL_CTRL_SESS_NUMBER, 0, NULL));
    pair_errors();
}

static int no_session(SSL *s, int forward)
{
    (void)s, (void)forward;
    return 0;
}

static void plain(void)
{
    printf("quiet %d", SSL_CTX_get_quiet_shutdown(ctx));
    SSL_CTX_set_quiet_shutdown(ctx, 1);
    SSL_set_quiet_shutdown(ssl, 2);
    printf(" %d %d", SSL_CTX_get_quiet_shutdown(ctx), SSL_get_quiet_shutdown(ssl));
    printf(" tickets %zu", SSL_CTX_get_num_tickets(ctx));
    printf(" %d", SSL_CTX_set_num_tickets(ctx, 7));
    printf(" %d", SSL_set_num_tickets(ssl, 0));
    printf(" %zu %zu", SSL_CTX_get_num_tickets(ctx), SSL_get_num_tickets(ssl));
    printf(" early %u", SSL_CTX_get_max_early_data(ctx));
    printf(" %u", SSL_CTX_get_recv_max_early_data(ctx));
    printf(" %d", SSL_CTX_set_max_early_data(ctx, 100));
    printf(" %d", SSL_set_recv_max_early_data(ssl, 200));
    printf(" %u %u", SSL_CTX_get_max_early_data(ctx), SSL_get_recv_max_early_data(ssl));
    printf(" level %d", SSL_CTX_get_security_level(ctx));
    SSL_set_security_level(ssl, 1);
    printf(" %d %d", SSL_get_security_level(ssl), SSL_CTX_get_security_level(ctx));
    SSL_CTX_set0_security_ex_data(ctx, ctx);
    printf(" %d %d", SSL_CTX_get0_security_ex_data(ctx) == ctx,
           SSL_get0_security_ex_data(ssl) == NULL);
    SSL_CTX_set_record_padding_callback_arg(ctx, ssl);
    printf(" %d", SSL_CTX_get_record_padding_callback_arg(ctx) == ssl);
    printf(" %d", SSL_CTX_get_info_callback(ctx) == NULL);
    printf(" %d", SSL_CTX_get_keylog_callback(ctx) == NULL);
    printf(" async %d\n", SSL_waiting_for_async(ssl));
    SSL_CTX_set_not_resumable_session_callback(ctx, no_session);
}

static void hints(void)
{
    char hint[300];
    memset(hint, 'a', sizeof hint);
    hint[257] = 0;
    printf("hint %d", SSL_CTX_use_psk_identity_hint(ctx, "who"));
    printf(" %d", SSL_use_psk_identity_hint(ssl, hint));
    hint[256] = 0;
    printf(" %d", SSL_use_psk_identity_hint(ssl, hint));
    printf(" %d", SSL_use_psk_identity_hint(ssl, NULL));
    printf(" %d %d\n", SSL_get_psk_identity_hint(ssl) == NULL,
           SSL_get_psk_identity(ssl) == NULL);
    pair_errors();
}

static void try_protos(const char *list, unsigned len)
{
    printf(" %d", SSL_set_alpn_protos(ssl, (const unsigned char *)list, len));
}

static void select_protos(const char *server, unsigned server_len, const char *client,
                          unsigned client_len)
{
    unsigned char *out = NULL, outlen = 9;
    int ret = SSL_select_next_proto(&out, &outlen, (const unsigned char *)server, server_len,
                                    (const unsigned char *)client, client_len);
    printf("select %d", ret);
    if (out && outlen)
        printf(" %.*s", outlen, (const char *)out);
    printf("\n");
}

static void protocols(void)
{
    const unsigned char *p = NULL;
    unsigned len = 9;
    printf("alpn");
    try_protos("\2h2\10http/1.1", 12);
    try_protos("\2h2\11http/1.1", 12);
    try_protos("\2h2", 2);
    try_protos("", 0);
    try_protos("\0", 1);
    try_protos("\0\2h2", 4);
    try_protos("\1a", 2);
    try_protos(NULL, 0);
    SSL_get0_alpn_selected(ssl, &p, &len);
    printf(" selected %d %u", p == NULL, len);
    SSL_get0_next_proto_negotiated(ssl, &p, &len);
    printf(" %d %u\n", p == NULL, len);
    select_protos("\2h2\10http/1.1", 12, "\10http/1.1\2h2", 12);
    select_protos("\1a\1b", 4, "\1c\1b", 4);
    select_protos("\1a", 2, "\1c", 2);
    select_protos("\1a", 2, "", 0);
    select_protos("", 0, "\1c", 2);
    select_protos("\5a", 2, "\1a", 2);
    select_protos("\1a", 2, "\5a", 2);
}

static void extensions(void)
{
    printf("supported");
    for (unsigned i = 0; i < 65540; i++)
        if (SSL_extension_supported(i))
            printf(" %u", i);
    printf("\ncustom %d",
           SSL_CTX_add_client_custom_ext(ctx, 1000, NULL, NULL, NULL, NULL, NULL));
    printf(" twice %d", SSL_CTX_add_client_custom_ext(ctx, 1000, NULL, NULL, NULL, NULL, NULL));
    printf(" server %d",
           SSL_CTX_add_server_custom_ext(ctx, 1000, NULL, NULL, NULL, NULL, NULL));
    printf(" both %d", SSL_CTX_add_custom_ext(ctx, 1000, SSL_EXT_CLIENT_HELLO, NULL, NULL, NULL,
                                              NULL, NULL));
    printf(" other %d", SSL_CTX_add_custom_ext(ctx, 1001, SSL_EXT_CLIENT_HELLO, NULL, NULL,
                                               NULL, NULL, NULL));
    printf(" after both %d",
           SSL_CTX_add_client_custom_ext(ctx, 1001, NULL, NULL, NULL, NULL, NULL));
    printf(" known %d", SSL_CTX_add_client_custom_ext(ctx, 16, NULL, NULL, NULL, NULL, NULL));
    printf(" timestamps %d",
           SSL_CTX_add_client_custom_ext(ctx, 18, NULL, NULL, NULL, NULL, NULL));
    printf(" large %d",
           SSL_CTX_add_client_custom_ext(ctx, 65536, NULL, NULL, NULL, NULL, NULL));
    printf(" has %d %d", SSL_CTX_has_client_custom_ext(ctx, 1000),
           SSL_CTX_has_client_custom_ext(ctx, 1002));
    printf(" none here %d\n", (int)SSL_client_hello_get0_legacy_version(ssl));
    pair_errors();
}

static void compression(void)
{
    STACK_OF(SSL_COMP) *all = SSL_COMP_get_compression_methods();
    printf("compression %d", sk_SSL_COMP_num(all));
    printf(" add %d", SSL_COMP_add_compression_method(200, NULL));
    printf(" used %d %d", SSL_get_current_compression(ssl) == NULL,
           SSL_get_current_expansion(ssl) == NULL);
    printf(" name %d\n", SSL_COMP_get_name(NULL) == NULL);
}

int main(void)
{
    versions();
    ctx = SSL_CTX_new(TLS_method());
    ssl = SSL_new(ctx);
    MUST(ctx && ssl);
    modes();
    options();
    sizes();
    names();
    callbacks();
    responses();
    plain();
    hints();
    protocols();
    extensions();
    compression();
    pair_errors();
    SSL_free(ssl);
    SSL_CTX_free(ctx);
    return 0;
}
