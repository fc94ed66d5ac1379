/* look.c: what can be asked of contexts, connections and sessions, and what changes sessions. */
#include <openssl/pem.h>

#include "any.h"

static const char *name_of(const SSL_CIPHER *c)
{
    return c ? SSL_CIPHER_get_name(c) : "NULL";
}

/* What handfast has as well; the rest it only knows by name. */
static int common(const char *name)
{
    static const char *const absent[] = {"RSA-PSK", "ARIA", "CAMELLIA", "DSS", "SRP"};
    for (size_t i = 0; i < sizeof absent / sizeof absent[0]; i++)
        if (strstr(name, absent[i]))
            return 0;
    return 1;
}

static void show_ciphers(const char *what, const STACK_OF(SSL_CIPHER) * list)
{
    printf("  %s:", what);
    if (!list)
        printf(" NULL");
    for (int i = 0; i < sk_SSL_CIPHER_num(list); i++)
        if (common(SSL_CIPHER_get_name(sk_SSL_CIPHER_value(list, i))))
            printf(" %s", SSL_CIPHER_get_name(sk_SSL_CIPHER_value(list, i)));
    printf("\n");
}

static void look_lists(void)
{
    SSL *s = an_end();
    char text[2000];
    if (!s || strcmp(SSL_state_string(s), "SSLERR") == 0)
        return;
    show_ciphers("ciphers", SSL_get_ciphers(s));
    STACK_OF(SSL_CIPHER) *supported = SSL_get1_supported_ciphers(s);
    show_ciphers("supported", supported);
    sk_SSL_CIPHER_free(supported);
    show_ciphers("client's", SSL_get_client_ciphers(s));
    if (SSL_get_shared_ciphers(s, text, sizeof text) && !strstr(text, "PSK"))
        TEXT(SSL_get_shared_ciphers(s, text, draw(2) ? 40 : sizeof text));
    TEXT(SSL_get_cipher_list(s, (int)draw(80)));
}

static void look_handshake(void)
{
    SSL *s = an_end();
    int nid;
    EVP_PKEY *key = NULL;
    unsigned char bytes[100];
    if (!s || !SSL_is_init_finished(s))
        return;
    TEXT(SSL_get_version(s));
    DO(SSL_version(s));
    DO(SSL_client_version(s));
    TEXT(name_of(SSL_get_current_cipher(s)));
    DO(SSL_session_reused(s));
    DO(SSL_get_verify_result(s));
    nid = -1;
    DO(SSL_get_signature_nid(s, &nid));
    printf("  %d\n", nid);
    nid = -1;
    DO(SSL_get_peer_signature_nid(s, &nid));
    printf("  %d\n", nid);
    nid = -1;
    DO(SSL_get_peer_signature_type_nid(s, &nid));
    printf("  %d\n", nid);
    nid = -1;
    DO(SSL_get_signature_type_nid(s, &nid));
    printf("  %d\n", nid);
    DO(SSL_get_peer_tmp_key(s, &key));
    printf("  %s\n", key ? EVP_PKEY_get0_type_name(key) : "NULL");
    EVP_PKEY_free(key);
    if (SSL_get_session(s))
        DO(SSL_get_negotiated_group(s)); /* else OpenSSL crashes */
    DO(SSL_get_finished(s, bytes, sizeof bytes));
    DO(SSL_get_peer_finished(s, bytes, sizeof bytes));
    DO(SSL_get_client_random(s, bytes, 0));
    DO(SSL_get_server_random(s, bytes, sizeof bytes));
    DO(SSL_get_secure_renegotiation_support(s));
    DO(SSL_get_extms_support(s));
    DO(SSL_get_state(s));
    TEXT(SSL_state_string(s));
    TEXT(SSL_rstate_string_long(s));
    DO(SSL_is_init_finished(s));
    DO(SSL_in_before(s));
}

static void look_peer(void)
{
    SSL *s = an_end();
    const unsigned char *p = NULL;
    unsigned n = 99;
    char text[300] = "";
    if (!s || !SSL_is_init_finished(s))
        return;
    DO(SSL_get0_peer_certificate(s) != NULL);
    DO(sk_X509_num(SSL_get_peer_cert_chain(s)) > 0);
    DO(sk_X509_num(SSL_get0_verified_chain(s)) > 0);
    DO(sk_X509_NAME_num(SSL_get0_peer_CA_list(s)) > 0);
    DO(sk_X509_NAME_num(SSL_get_client_CA_list(s)) > 0);
    TEXT(SSL_get0_peername(s));
    TEXT(SSL_get_servername(s, TLSEXT_NAMETYPE_host_name));
    DO(SSL_get_servername_type(s));
    SSL_get0_alpn_selected(s, &p, &n);
    printf("  alpn %u\n", n);
    TEXT(SSL_get_psk_identity(s));
    TEXT(SSL_get_psk_identity_hint(s));
    DO(SSL_get_tlsext_status_ocsp_resp(s, &p));
    DO(SSL_get_sigalgs(s, -1, NULL, NULL, NULL, NULL, NULL));
    DO(SSL_get_shared_sigalgs(s, 0, NULL, NULL, NULL, NULL, NULL));
    DO(SSL_get_shared_curve(s, -1));
    DO(SSL_get_shared_curve(s, 0));
    DO(SSL_get1_groups(s, NULL));
    DO(SSL_get_early_data_status(s));
    DO(SSL_get_certificate(s) == world.cert[0]);
    DO(SSL_get_current_compression(s) == NULL);
    TEXT(SSL_CIPHER_description(SSL_get_current_cipher(s)
                                    ? SSL_get_current_cipher(s)
                                    : sk_SSL_CIPHER_value(SSL_get_ciphers(s), 0),
                                text, sizeof text));
}

static void look_export(void)
{
    unsigned char a[40] = {0}, b[40] = {1};
    SSL *c = world.end[0], *s = world.end[1];
    int with = (int)draw(2);
    size_t n = draw(3) ? 40 : 1;
    if (!c || !s || SSL_in_init(c) || SSL_in_init(s))
        return;
    DO(SSL_export_keying_material(c, a, n, "label", 5, (const unsigned char *)"ctx", 3, with));
    DO(SSL_export_keying_material(s, b, n, "label", 5, (const unsigned char *)"ctx", 3, with));
    printf("  the same %d\n", memcmp(a, b, n) == 0);
    DO(SSL_export_keying_material(c, a, 10, draw(2) ? "master secret" : "client finished", 13,
                                  NULL, 0, 0));
}

static void look_context(void)
{
    SSL_CTX *ctx = a_context();
    show_ciphers("ciphers", SSL_CTX_get_ciphers(ctx));
    DO(SSL_CTX_sess_number(ctx));
    DO(SSL_CTX_sess_connect(ctx));
    DO(SSL_CTX_sess_connect_good(ctx));
    DO(SSL_CTX_sess_accept(ctx));
    DO(SSL_CTX_sess_accept_good(ctx));
    DO(SSL_CTX_sess_hits(ctx));
    DO(SSL_CTX_sess_cb_hits(ctx));
    DO(SSL_CTX_sess_misses(ctx));
    DO(SSL_CTX_sess_timeouts(ctx));
    DO(SSL_CTX_sess_cache_full(ctx));
}

const struct op look_ops[] = {{"lists", look_lists, 3},     {"handshake", look_handshake, 4},
                              {"peer", look_peer, 4},       {"export", look_export, 2},
                              {"context", look_context, 3}, {NULL, NULL, 0}};

/* ---- sessions */

static void keep(void)
{
    SSL *s = an_end();
    if (!s || !SSL_is_init_finished(s))
        return;
    SSL_SESSION **place = &world.session[draw(2) ? 0 : draw(SESSIONS)];
    printf("  at %d\n", (int)(place - world.session));
    SSL_SESSION_free(*place);
    *place = SSL_get1_session(s);
    printf("  session %d, resumable %d\n", *place != NULL,
           *place ? SSL_SESSION_is_resumable(*place) : -1);
}

static void session_show(const SSL_SESSION *session)
{
    unsigned n = 99;
    size_t len = 99;
    const unsigned char *p;
    SSL_SESSION_get_id(session, &n);
    printf("  id %u bytes", n);
    SSL_SESSION_get0_id_context(session, &n);
    printf(", context %u", n);
    SSL_SESSION_get0_ticket(session, &p, &len);
    printf(", ticket %d %s", SSL_SESSION_has_ticket(session), len ? "there" : "not there");
    SSL_SESSION_get0_alpn_selected(session, &p, &len);
    printf(", alpn %zu", len);
    printf(", secret %zu\n", SSL_SESSION_get_master_key(session, NULL, 0));
    if (SSL_SESSION_get_master_key(session, NULL, 0)) /* or it is not agreed on yet */
        TEXT(name_of(SSL_SESSION_get0_cipher(session)));
    DO(SSL_SESSION_get_protocol_version(session));
    DO(SSL_SESSION_is_resumable(session));
    DO(SSL_SESSION_get_timeout(session));
    DO(SSL_SESSION_get_ticket_lifetime_hint(session));
    DO(SSL_SESSION_get_max_early_data(session));
    DO(SSL_SESSION_get_max_fragment_length(session));
    DO(SSL_SESSION_get_compress_id(session));
    if (SSL_SESSION_get_master_key(session, NULL, 0))
        DO(SSL_SESSION_get0_peer((SSL_SESSION *)(uintptr_t)session) != NULL);
}

static void show(void)
{
    SSL_SESSION *session = *a_session();
    if (session)
        session_show(session);
}

static void show_current(void)
{
    SSL *s = an_end();
    if (s && SSL_is_init_finished(s) && SSL_get_session(s))
        session_show(SSL_get_session(s));
}

static void change(void)
{
    SSL_SESSION *session = *a_session();
    unsigned char id[40] = "an id of forty bytes and not one more..";
    unsigned n = draw(3) ? draw(33) : 30 + draw(10);
    if (!session)
        return;
    printf("  with %u\n", n);
    switch (draw(9)) {
    case 0: DO(SSL_SESSION_set1_id(session, id, n)); break;
    case 1: DO(SSL_SESSION_set1_id_context(session, id, n)); break;
    case 2: DO(SSL_SESSION_set_timeout(session, (long)n * 100 + 50)); break;
    case 3:
        DO(SSL_SESSION_set_protocol_version(session,
                                            draw(2) ? TLS1_2_VERSION : TLS1_3_VERSION));
        break;
    case 4: DO(SSL_SESSION_set1_hostname(session, draw(2) ? "localhost" : NULL)); break;
    case 5: DO(SSL_SESSION_set1_alpn_selected(session, id, draw(2) ? 1 : 0)); break;
    case 6: DO(SSL_SESSION_set_max_early_data(session, n)); break;
    case 7: DO(SSL_SESSION_set1_ticket_appdata(session, id, n)); break;
    default: DO(SSL_SESSION_set_time(session, 1000000000) > 0);
    }
}

static void to_bytes(void)
{
    SSL_SESSION **a = a_session(), **b = a_session();
    unsigned char *der = NULL;
    if (!*a || a == b || !SSL_SESSION_get_master_key(*a, NULL, 0))
        return;
    int len = i2d_SSL_SESSION(*a, &der);
    const unsigned char *p = der;
    printf("  %s\n", len > 0 ? "bytes" : "none");
    if (len > 0 && rarely(4))
        der[draw((unsigned)(len < 30 ? len : 30))] ^= 0x41;
    SSL_SESSION_free(*b);
    ERR_clear_error();
    *b = len > 0 ? d2i_SSL_SESSION(NULL, &p, len) : NULL;
    printf("  session %d\n", *b != NULL);
    OPENSSL_free(der);
}

static void duplicate(void)
{
    SSL_SESSION **a = a_session(), **b = a_session();
    if (!*a || a == b)
        return;
    SSL_SESSION_free(*b);
    *b = SSL_SESSION_dup(*a);
    printf("  %d\n", *b != NULL);
}

static void empty(void)
{
    SSL_SESSION **a = a_session();
    SSL_SESSION_free(*a);
    *a = rarely(3) ? SSL_SESSION_new() : NULL;
}

const struct op session_ops[] = {{"keep", keep, 12},
                                 {"show", show, 3},
                                 {"show current", show_current, 4},
                                 {"change", change, 3},
                                 {"to bytes", to_bytes, 3},
                                 {"duplicate", duplicate, 2},
                                 {"empty", empty, 1},
                                 {NULL, NULL, 0}};
