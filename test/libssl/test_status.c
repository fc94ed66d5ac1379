/* What a client says beside its wish for an OCSP response, and what its server sees of it. */
#include <openssl/ocsp.h>
#include <openssl/x509v3.h>

#include "pair.h"
#include "show.h"

static SSL_CTX *client_ctx, *server_ctx;
static int answer;

static void show_bytes(const unsigned char *p, int len)
{
    printf("    %d bytes:", len);
    for (int i = 0; i < len; i++)
        printf(" %02x", p[i]);
    printf("\n");
}

static int on_status(SSL *s, void *arg)
{
    STACK_OF(OCSP_RESPID) *ids = NULL;
    X509_EXTENSIONS *exts = NULL;
    (void)arg;
    SSL_get_tlsext_status_ids(s, &ids);
    SSL_get_tlsext_status_exts(s, &exts);
    printf("  server: type %ld, %d ids, %d extensions\n", SSL_get_tlsext_status_type(s),
           sk_OCSP_RESPID_num(ids), sk_X509_EXTENSION_num(exts));
    for (int i = 0; i < sk_OCSP_RESPID_num(ids); i++) {
        unsigned char *der = NULL;
        int len = i2d_OCSP_RESPID(sk_OCSP_RESPID_value(ids, i), &der);
        show_bytes(der, len);
        OPENSSL_free(der);
    }
    if (exts) {
        unsigned char *der = NULL;
        int len = i2d_X509_EXTENSIONS(exts, &der);
        show_bytes(der, len);
        OPENSSL_free(der);
    }
    if (!answer)
        return SSL_TLSEXT_ERR_NOACK;
    SSL_set_tlsext_status_ocsp_resp(s, OPENSSL_memdup("staple", 6), 6);
    return SSL_TLSEXT_ERR_OK;
}

static int on_response(SSL *s, void *arg)
{
    const unsigned char *p;
    long len = SSL_get_tlsext_status_ocsp_resp(s, &p);
    (void)arg;
    printf("  client: %ld %.*s\n", len, len > 0 ? (int)len : 0, (const char *)p);
    return 1;
}

static STACK_OF(OCSP_RESPID) * ids_new(int count)
{
    STACK_OF(OCSP_RESPID) *ids = sk_OCSP_RESPID_new_null();
    EVP_PKEY *key;
    X509 *x = pair_certificate(&key);
    for (int i = 0; i < count; i++) {
        OCSP_RESPID *id = OCSP_RESPID_new();
        MUST(OCSP_RESPID_set_by_name(id, x) && sk_OCSP_RESPID_push(ids, id));
    }
    X509_free(x);
    EVP_PKEY_free(key);
    return ids;
}

static X509_EXTENSIONS *extensions_new(void)
{
    X509_EXTENSION *nonce = X509V3_EXT_nconf_nid(NULL, NULL, NID_basic_constraints, "CA:FALSE");
    X509_EXTENSIONS *exts = sk_X509_EXTENSION_new_null();
    MUST(nonce && sk_X509_EXTENSION_push(exts, nonce));
    return exts;
}

static void test(const char *what, long type, int ids, int extensions)
{
    struct pair p = pair_new(client_ctx, server_ctx);
    printf("%s\n", what);
    SHOW(SSL_set_tlsext_status_type(p.client, (int)type));
    if (ids >= 0)
        SHOW(SSL_set_tlsext_status_ids(p.client, ids_new(ids)));
    if (extensions)
        SHOW(SSL_set_tlsext_status_exts(p.client, extensions_new()));
    printf("  %d\n", pair_shake(&p));
    pair_free(&p);
    /* what one connection has set is none of the next one's */
    p = pair_new(client_ctx, server_ctx);
    SSL_set_tlsext_status_type(p.client, TLSEXT_STATUSTYPE_ocsp);
    printf("  %d\n", pair_shake(&p));
    pair_free(&p);
}

int main(void)
{
    static const int versions[] = {TLS1_2_VERSION, TLS1_3_VERSION};
    server_ctx = SSL_CTX_new(TLS_server_method());
    client_ctx = SSL_CTX_new(TLS_client_method());
    MUST(server_ctx && client_ctx);
    pair_use_certificate(server_ctx);
    SSL_CTX_set_tlsext_status_cb(server_ctx, on_status);
    SSL_CTX_set_tlsext_status_cb(client_ctx, on_response);
    for (int i = 0; i < 4; i++) {
        SSL_CTX_set_min_proto_version(client_ctx, versions[i / 2]);
        SSL_CTX_set_max_proto_version(client_ctx, versions[i / 2]);
        answer = i % 2;
        test("nothing", -1, -1, 0);
        test("a type", TLSEXT_STATUSTYPE_ocsp, -1, 0);
        test("no ids", TLSEXT_STATUSTYPE_ocsp, 0, 0);
        test("an id", TLSEXT_STATUSTYPE_ocsp, 1, 0);
        test("three ids", TLSEXT_STATUSTYPE_ocsp, 3, 0);
        test("extensions", TLSEXT_STATUSTYPE_ocsp, -1, 1);
        test("all", TLSEXT_STATUSTYPE_ocsp, 2, 1);
        test("ids without a type", -1, 2, 1);
    }
    SSL_CTX_free(client_ctx);
    SSL_CTX_free(server_ctx);
    return 0;
}
