/* The security callback: what it is asked about suites, groups, schemes and versions, and what becomes of a
 * connection for which it refuses some of them. */
#include <stdbool.h>

#include "pair.h"
#include "show.h"

struct rule {
    const char *what;
    int op, less, nid; /* refuses operations of this kind with fewer bits, or with this nid */
    int only;          /* not of this kind, but this one alone */
};

static int on_verify(int ok, X509_STORE_CTX *sc)
{
    (void)ok, (void)sc;
    return 1;
}

struct seen {
    const struct rule *rule;
    int count;
    int call[400][3];
};

static SSL_CTX *client_ctx, *server_ctx;

static int on_security(const SSL *s, const SSL_CTX *ctx, int op, int bits, int nid, void *other,
                       void *ex)
{
    struct seen *seen = ex;
    int i = 0;
    (void)s, (void)ctx, (void)other;
    MUST((op & (int)SSL_SECOP_OTHER_TYPE) != SSL_SECOP_OTHER_CURVE || OBJ_nid2sn(nid));
    for (; i < seen->count; i++) {
        if (seen->call[i][0] == op && seen->call[i][1] == bits && seen->call[i][2] == nid)
            break;
    }
    if (i == seen->count && seen->count < 400) {
        seen->call[i][0] = op;
        seen->call[i][1] = bits;
        seen->call[i][2] = nid;
        seen->count++;
    }
    const struct rule *r = seen->rule;
    int kind = op & (int)SSL_SECOP_OTHER_TYPE;
    if (!r || (r->only || !kind ? op : kind) != r->op)
        return 1;
    return bits >= r->less && (!r->nid || nid != r->nid);
}

static int compare(const void *a, const void *b)
{
    return memcmp(a, b, 3 * sizeof(int));
}

/* What a client asks before it offers something. */
static void show_seen(struct seen *seen)
{
    qsort(seen->call, (size_t)seen->count, sizeof seen->call[0], compare);
    for (int i = 0; i < seen->count; i++) {
        int op = seen->call[i][0];
        if (op == SSL_SECOP_CIPHER_SUPPORTED || op == SSL_SECOP_CURVE_SUPPORTED ||
            op == SSL_SECOP_SIGALG_SUPPORTED || op == SSL_SECOP_TICKET ||
            op == SSL_SECOP_CIPHER_CHECK || op == SSL_SECOP_CURVE_CHECK ||
            op == SSL_SECOP_SIGALG_CHECK || op == SSL_SECOP_TMP_DH)
            printf("    op %x, %d bits, nid %d\n", (unsigned)op, seen->call[i][1],
                   seen->call[i][2]);
    }
}

static void result(struct pair *p, int ok)
{
    printf("  handshake %d", ok);
    if (ok) {
        printf(": %s %s, group %s", SSL_get_version(p->client), SSL_get_cipher(p->client),
               OBJ_nid2sn((int)SSL_get_negotiated_group(p->client)));
        int hash = 0;
        SSL_get_peer_signature_nid(p->client, &hash);
        printf(", %s", OBJ_nid2sn(hash));
        const SSL_SESSION *session = SSL_get_session(p->client);
        if (SSL_version(p->client) == TLS1_2_VERSION)
            printf(", ticket %d", SSL_SESSION_has_ticket(session));
    }
    printf("\n");
}

/* Why a handshake fails where nothing is left is told by other errors in each library. */
static void test(const struct rule *rule, int server, int version)
{
    static struct seen seen;
    struct pair p = pair_new(client_ctx, server_ctx);
    SSL *s = server ? p.server : p.client;
    memset(&seen, 0, sizeof seen);
    seen.rule = rule;
    printf("%s refuses %s\n", server ? "server" : "client", rule ? rule->what : "nothing");
    SSL_set_max_proto_version(p.client, version);
    SSL_set_security_callback(s, on_security);
    SSL_set0_security_ex_data(s, &seen);
    MUST(SSL_get0_security_ex_data(s) == &seen && SSL_get_security_callback(s) == on_security);
    int ok = pair_shake(&p);
    result(&p, ok);
    ERR_clear_error();
    if (ok && !server)
        show_seen(&seen);
    pair_free(&p);
}

/* Refused at one point and at no other. */
static void test_points(void)
{
    static const struct rule points[] = {
        {"a suite when the server has chosen it", SSL_SECOP_CIPHER_CHECK, 1000, 0, 1},
        {"suites of 128 bits then", SSL_SECOP_CIPHER_CHECK, 200, 0, 1},
        {"a group when the server has chosen it", SSL_SECOP_CURVE_CHECK, 1000, 0, 1},
        {"a scheme that was signed with", SSL_SECOP_SIGALG_CHECK, 1000, 0, 1},
        {"SHA-384 then", SSL_SECOP_SIGALG_CHECK, 0, NID_sha384, 1},
        {"suites before they are offered", SSL_SECOP_CIPHER_SUPPORTED, 200, 0, 1},
        {"groups before they are offered", SSL_SECOP_CURVE_SUPPORTED, 0, NID_X9_62_prime256v1,
         1},
        {"schemes before they are offered", SSL_SECOP_SIGALG_SUPPORTED, 0, NID_sha256, 1},
    };
    static const struct rule shared[] = {
        {"shared suites of 128 bits", SSL_SECOP_CIPHER_SHARED, 200, 0, 1},
        {"all groups of shares", SSL_SECOP_CURVE_CHECK, 1000, 0, 1},
        {"shared schemes with SHA-256", SSL_SECOP_SIGALG_SHARED, 0, NID_sha256, 1},
        {"schemes to offer", SSL_SECOP_SIGALG_SUPPORTED, 1000, 0, 1},
        {"suites to offer", SSL_SECOP_CIPHER_SUPPORTED, 1000, 0, 1},
    };
    for (int version = TLS1_2_VERSION; version <= TLS1_3_VERSION; version++) {
        for (size_t i = 0; i < sizeof points / sizeof points[0]; i++)
            test(&points[i], 0, version);
        for (size_t i = 0; i < sizeof shared / sizeof shared[0]; i++)
            test(&shared[i], 1, version);
    }
}

/* A client's certificate: what it signs with, and what its server has to say of that. */
static void test_client_certificate(void)
{
    static const struct rule rules[] = {
        {"nothing", SSL_SECOP_SIGALG_SHARED, 0, NID_md5, 1},
        {"SHA-256 for itself", SSL_SECOP_SIGALG_SHARED, 0, NID_sha256, 1},
        {"all for itself", SSL_SECOP_SIGALG_SHARED, 1000, 0, 1},
        {"a scheme that was signed with", SSL_SECOP_SIGALG_CHECK, 1000, 0, 1},
    };
    pair_use_certificate(client_ctx);
    SSL_CTX_set_verify(server_ctx, SSL_VERIFY_PEER, on_verify);
    for (int version = TLS1_2_VERSION; version <= TLS1_3_VERSION; version++) {
        for (size_t i = 0; i < sizeof rules / sizeof rules[0]; i++) {
            test(&rules[i], 0, version);
            if (i == 0 || i == 3)
                test(&rules[i], 1, version);
        }
    }
}

/* Finite-field groups: a server's own, and a client's server's. */
static void test_dh(void)
{
    static const struct rule rule = {"groups of less than 120 bits", SSL_SECOP_TMP_DH, 120, 0,
                                     1},
                             none = {"no group", SSL_SECOP_TMP_DH, 0, 0, 1};
    EVP_PKEY *key = EVP_RSA_gen(2048);
    X509 *x = key ? X509_new() : NULL;
    MUST(x && X509_gmtime_adj(X509_getm_notBefore(x), -10) &&
         X509_gmtime_adj(X509_getm_notAfter(x), 9999) && X509_set_pubkey(x, key) &&
         X509_sign(x, key, EVP_sha256()));
    SSL_CTX *both[] = {SSL_CTX_new(TLS_client_method()), SSL_CTX_new(TLS_server_method())};
    for (int i = 0; i < 2; i++) {
        MUST(both[i] && SSL_CTX_set_cipher_list(both[i], "DHE-RSA-AES128-GCM-SHA256"));
        SSL_CTX_set_max_proto_version(both[i], TLS1_2_VERSION);
    }
    MUST(SSL_CTX_use_certificate(both[1], x) && SSL_CTX_use_PrivateKey(both[1], key));
    SSL_CTX_set_dh_auto(both[1], 1);
    for (int i = 0; i < 4; i++) {
        static struct seen seen;
        memset(&seen, 0, sizeof seen);
        seen.rule = i < 2 ? &rule : &none;
        struct pair p = pair_new(both[0], both[1]);
        SSL *s = i % 2 ? p.server : p.client;
        SSL_set_security_callback(s, on_security);
        SSL_set0_security_ex_data(s, &seen);
        printf("%s refuses %s: handshake %d\n", i % 2 ? "server" : "client", seen.rule->what,
               pair_shake(&p));
        for (int at = 0; at < seen.count; at++) {
            if (seen.call[at][0] == SSL_SECOP_TMP_DH)
                printf("  asked: %d bits\n", seen.call[at][1]);
        }
        ERR_clear_error();
        pair_free(&p);
    }
    SSL_CTX_free(both[0]);
    SSL_CTX_free(both[1]);
    X509_free(x);
    EVP_PKEY_free(key);
}

/* With all groups that there are by default. */
static void test_groups(void)
{
    static struct seen seen;
    SSL_CTX *client = SSL_CTX_new(TLS_client_method()),
            *server = SSL_CTX_new(TLS_server_method());
    MUST(client && server);
    pair_use_certificate(server);
    struct pair p = pair_new(client, server);
    SSL_set_security_callback(p.client, on_security);
    SSL_set0_security_ex_data(p.client, &seen);
    SSL_set_security_callback(p.server, on_security);
    SSL_set0_security_ex_data(p.server, &seen);
    printf("groups by default: handshake %d\n", pair_shake(&p));
    pair_free(&p);
    SSL_CTX_free(client);
    SSL_CTX_free(server);
}

/* The one that counts where none is set can be called. */
static void test_default(void)
{
    static const int ops[] = {
        SSL_SECOP_VERSION,         SSL_SECOP_COMPRESSION,  SSL_SECOP_TICKET, SSL_SECOP_TMP_DH,
        SSL_SECOP_CURVE_SUPPORTED, SSL_SECOP_SIGALG_CHECK, SSL_SECOP_EE_KEY, SSL_SECOP_CA_MD};
    int (*cb)(const SSL *, const SSL_CTX *, int, int, int, void *, void *) =
        SSL_CTX_get_security_callback(client_ctx);
    SSL_CTX *ctx = SSL_CTX_new(TLS_method());
    MUST(cb && ctx && SSL_CTX_set_cipher_list(ctx, "ALL:@SECLEVEL=0"));
    SSL *s = SSL_new(ctx);
    STACK_OF(SSL_CIPHER) *all = SSL_get_ciphers(s);
    MUST(SSL_get_security_callback(s) == cb);
    for (int level = 0; level <= 5; level++) {
        SSL_set_security_level(s, level);
        printf("default, level %d\n", level);
        for (size_t i = 0; i < sizeof ops / sizeof ops[0]; i++) {
            for (int bits = 0; bits <= 256; bits += 16)
                printf("%d", cb(s, NULL, ops[i], bits, TLS1_VERSION + bits / 64, NULL, NULL));
            printf("\n");
        }
        for (int i = 0; i < sk_SSL_CIPHER_num(all); i++) {
            const SSL_CIPHER *c = sk_SSL_CIPHER_value(all, i);
            printf("%s %d\n", SSL_CIPHER_get_name(c),
                   cb(s, NULL, SSL_SECOP_CIPHER_SHARED, SSL_CIPHER_get_bits(c, NULL), 0,
                      (void *)(uintptr_t)c, NULL));
        }
    }
    SSL_free(s);
    SSL_CTX_free(ctx);
}

int main(void)
{
    static const struct rule rules[] = {
        {"suites of less than 200 bits", SSL_SECOP_OTHER_CIPHER, 200, 0, 0},
        {"all suites", SSL_SECOP_OTHER_CIPHER, 1000, 0, 0},
        {"P-256", SSL_SECOP_OTHER_CURVE, 0, NID_X9_62_prime256v1, 0},
        {"X25519", SSL_SECOP_OTHER_CURVE, 0, NID_X25519, 0},
        {"groups of less than 192 bits", SSL_SECOP_OTHER_CURVE, 192, 0, 0},
        {"SHA-256", SSL_SECOP_OTHER_SIGALG, 0, NID_sha256, 0},
        {"all schemes", SSL_SECOP_OTHER_SIGALG, 1000, 0, 0},
    };
    static const struct rule tickets = {"tickets", SSL_SECOP_TICKET, 1, 0, 0},
                             tls12 = {"TLS 1.2", SSL_SECOP_VERSION, 0, TLS1_2_VERSION, 0};
    server_ctx = SSL_CTX_new(TLS_server_method());
    client_ctx = SSL_CTX_new(TLS_client_method());
    MUST(server_ctx && client_ctx);
    pair_use_certificate(server_ctx);
    SSL_CTX *both[] = {client_ctx, server_ctx};
    for (int i = 0; i < 2; i++) {
        SSL_CTX_set_min_proto_version(both[i], TLS1_2_VERSION);
        MUST(SSL_CTX_set_cipher_list(both[i], "ECDHE-ECDSA-AES128-GCM-SHA256:"
                                              "ECDHE-ECDSA-AES256-GCM-SHA384"));
        MUST(
            SSL_CTX_set_ciphersuites(both[i], "TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384"));
        MUST(SSL_CTX_set1_groups_list(both[i], "P-256:X25519:P-384"));
        MUST(SSL_CTX_set1_sigalgs_list(both[i], "ECDSA+SHA256:ECDSA+SHA384:RSA+SHA512"));
    }
    for (int version = TLS1_2_VERSION; version <= TLS1_3_VERSION; version++) {
        for (int server = 0; server < 2; server++) {
            test(NULL, server, version);
            for (size_t i = 0; i < sizeof rules / sizeof rules[0]; i++) {
                /* The system's library wants the key of a certificate of TLS 1.2 to be of a group that is
                 * allowed: ours is told of its curve by nobody. */
                bool own = version == TLS1_2_VERSION && server &&
                           rules[i].op == SSL_SECOP_OTHER_CURVE && rules[i].nid != NID_X25519;
                if (!own)
                    test(&rules[i], server, version);
            }
        }
    }
    test(&tickets, 0, TLS1_2_VERSION);
    test(&tickets, 1, TLS1_2_VERSION);
    test(&tls12, 0, TLS1_3_VERSION);
    test(&tls12, 0, TLS1_2_VERSION);
    test(&tls12, 1, TLS1_3_VERSION);
    test(&tls12, 1, TLS1_2_VERSION);
    test_points();
    test_dh();
    test_client_certificate();
    test_groups();
    test_default();
    SSL_CTX_free(client_ctx);
    SSL_CTX_free(server_ctx);
    return 0;
}
