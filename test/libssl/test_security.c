/* The security callback: what it is asked about suites, groups, schemes and versions, and what becomes of a
 * connection for which it refuses some of them. */
#include <stdbool.h>

#include "pair.h"
#include "show.h"

struct rule {
    const char *what;
    int op, less, nid; /* refuses operations of this kind with fewer bits, or with this nid */
};

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
    if (!r || (kind ? kind : op) != r->op)
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
            op == SSL_SECOP_SIGALG_SUPPORTED || op == SSL_SECOP_TICKET)
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
        {"suites of less than 200 bits", SSL_SECOP_OTHER_CIPHER, 200, 0},
        {"all suites", SSL_SECOP_OTHER_CIPHER, 1000, 0},
        {"P-256", SSL_SECOP_OTHER_CURVE, 0, NID_X9_62_prime256v1},
        {"X25519", SSL_SECOP_OTHER_CURVE, 0, NID_X25519},
        {"groups of less than 192 bits", SSL_SECOP_OTHER_CURVE, 192, 0},
        {"SHA-256", SSL_SECOP_OTHER_SIGALG, 0, NID_sha256},
        {"all schemes", SSL_SECOP_OTHER_SIGALG, 1000, 0},
    };
    static const struct rule tickets = {"tickets", SSL_SECOP_TICKET, 1, 0},
                             tls12 = {"TLS 1.2", SSL_SECOP_VERSION, 0, TLS1_2_VERSION};
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
    test_groups();
    test_default();
    SSL_CTX_free(client_ctx);
    SSL_CTX_free(server_ctx);
    return 0;
}
