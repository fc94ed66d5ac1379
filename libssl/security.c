/* security.c: may this be used at this security level, or as the application's callback sees it?
 * (SSL_CTX_set_security_level(3)) */
#include "access/access.h"
#include "libssl/control.h"

#include <openssl/x509v3.h>

/* Bits of security that the levels ask for. */
int security_level_bits(int level)
{
    static const int bits[] = {0, 80, 112, 128, 192, 256};
    return bits[level < 0 ? 0 : level > 5 ? 5 : level];
}

/* ---- what the levels mean (SSL_CTX_set_security_level(3)) */

static bool level_allows_cipher(int level, int bits, const SSL_CIPHER *c)
{
    int least = security_level_bits(level);
    if (bits < least || c->au == AU_NULL || c->mac == MAC_MD5 ||
        (least > 160 && c->mac == MAC_SHA1))
        return false;
    return level < 3 || cipher_is13(c) || c->kx == KX_DHE || c->kx == KX_ECDHE ||
           c->kx == KX_DHE_PSK || c->kx == KX_ECDHE_PSK;
}

static bool level_allows_version(int level, int version)
{
    return (version > SSL3_VERSION || level < 2) && (version > TLS1_VERSION || level < 3) &&
           (version > TLS1_1_VERSION || level < 4);
}

int security_default(const SSL *s, const SSL_CTX *ctx, int op, int bits, int nid, void *other,
                     void *ex)
{
    int level = s ? s->settings->security_level : ctx->settings->security_level;
    (void)ex;
    /* Parameters that anybody can break are refused at level 0 too (Logjam). */
    if (level <= 0)
        return op != SSL_SECOP_TMP_DH || bits >= security_level_bits(1);
    switch (op) {
    case SSL_SECOP_CIPHER_SUPPORTED:
    case SSL_SECOP_CIPHER_SHARED:
    case SSL_SECOP_CIPHER_CHECK: return level_allows_cipher(level, bits, other);
    case SSL_SECOP_VERSION: return level_allows_version(level, nid);
    case SSL_SECOP_COMPRESSION: return level < 2;
    case SSL_SECOP_TICKET: return level < 3;
    default: return bits >= security_level_bits(level);
    }
}

bool security_allows(const SSL *s, const SSL_CTX *ctx, int op, int bits, int nid, void *other)
{
    const struct settings *set = s ? s->settings : ctx->settings;
    if (set->security_cb)
        return set->security_cb(s, ctx, op, bits, nid, other, set->security_ex) != 0;
    return security_default(s, ctx, op, bits, nid, other, NULL) != 0;
}

bool security_tickets(const SSL *s)
{
    return !(s->settings->options & SSL_OP_NO_TICKET) &&
           security_allows(s, NULL, SSL_SECOP_TICKET, 0, 0, NULL);
}

/* ---- a callback of the application's: asked about everything that a connection's configuration will have in it.
 * What it refuses is not offered, and not taken from a peer. */

bool security_custom(const SSL *s)
{
    return s->settings->security_cb && s->settings->security_cb != security_default;
}

bool security_version(const SSL *s, int version)
{
    return !security_custom(s) || security_allows(s, NULL, SSL_SECOP_VERSION, 0, version, NULL);
}

static bool suite_passes(const SSL *s, uint16_t id, int op)
{
    const SSL_CIPHER *c = cipher_by_id(id);
    return c && security_allows(s, NULL, op, (int)cipher_bits(c), 0, (void *)(uintptr_t)c);
}

static bool suite_allowed(const SSL *s, uint16_t id)
{
    return suite_passes(s, id,
                        s->server ? SSL_SECOP_CIPHER_SHARED : SSL_SECOP_CIPHER_SUPPORTED);
}

static int group_bits(uint16_t id)
{
    switch (id) {
    case 0x0018: return 192; /* P-384 */
    case 0x0019: return 256; /* P-521 */
    case 0x001e: return 224; /* X448 */
    case 0x0100: return 112; /* ffdhe2048 */
    case 0x0104: return 192; /* ffdhe8192 */
    case 0x11eb:
    case 0x11ec: return 192; /* with ML-KEM-768 */
    case 0x11ed: return 256; /* with ML-KEM-1024 */
    default: return 128;
    }
}

static bool group_passes(const SSL *s, uint16_t id, int op)
{
    unsigned char name[2] = {(unsigned char)(id >> 8), (unsigned char)id};
    int nid = group_nid(id); /* programs print its name: libcrypto must have one */
    return security_allows(s, NULL, op, group_bits(id),
                           nid & TLSEXT_nid_unknown ? NID_undef : nid, name);
}

/* What OpenSSL asks a server about a client's share, and about the group of both lists. */
static bool group_allowed(const SSL *s, uint16_t id)
{
    return s->server ? group_passes(s, id, SSL_SECOP_CURVE_CHECK) &&
                           group_passes(s, id, SSL_SECOP_CURVE_SHARED) &&
                           group_passes(s, id, SSL_SECOP_CURVE_SUPPORTED)
                     : group_passes(s, id, SSL_SECOP_CURVE_SUPPORTED);
}

static int hash_bits(int nid)
{
    switch (nid) {
    case NID_sha1: return 64;
    case NID_sha224: return 112;
    case NID_sha384: return 192;
    case NID_sha512: return 256;
    default: return 128;
    }
}

static bool sigalg_passes(const SSL *s, uint16_t id, int op)
{
    const struct sigalg_info *info = sigalg_info(id);
    unsigned char name[2] = {(unsigned char)(id >> 8), (unsigned char)id};
    int hash = info ? info->hash : NID_undef;
    int bits = info && info->sig == EVP_PKEY_ED448 ? 224 : hash_bits(hash);
    return security_allows(s, NULL, op, bits, hash, name);
}

/* With what the peer may sign, and with what we do. */
static bool sigalg_allowed(const SSL *s, uint16_t id)
{
    return sigalg_passes(s, id, SSL_SECOP_SIGALG_SUPPORTED);
}

static bool sigalg_signs(const SSL *s, uint16_t id)
{
    return sigalg_passes(s, id, SSL_SECOP_SIGALG_SHARED);
}

static void keep(const SSL *s, struct id_list *list, bool (*allowed)(const SSL *, uint16_t))
{
    size_t count = 0;
    for (size_t i = 0; i < list->count; i++) {
        if (allowed(s, list->id[i]))
            list->id[count++] = list->id[i];
    }
    list->count = count;
}

/* A server's list is for both, and only one that asks for certificates is asked about the first. A client has a list of
 * its own for what it signs with. */
static void keep_sigalgs(const SSL *s, struct id_list *sigalgs, struct id_list *signing)
{
    if (!s->server || s->settings->verify_mode & SSL_VERIFY_PEER)
        keep(s, sigalgs, sigalg_allowed);
    if (s->server) {
        keep(s, sigalgs, sigalg_signs);
        return;
    }
    struct id_list own = signing->count ? *signing : *sigalgs;
    size_t before = own.count;
    if (!certs_get(s, NULL)->entry[certs_get(s, NULL)->current].x509)
        return;
    keep(s, &own, sigalg_signs);
    if (own.count && own.count < before)
        *signing = own;
}

bool security_lists(const SSL *s, struct id_list *suites, struct id_list *suites13,
                    struct id_list *groups, struct id_list *sigalgs, struct id_list *signing)
{
    if (!security_custom(s))
        return true;
    keep(s, suites13, suite_allowed);
    keep(s, suites, suite_allowed);
    keep(s, groups, group_allowed);
    keep_sigalgs(s, sigalgs, signing);
    int reason = suites->count + suites13->count == 0 ? SSL_R_NO_CIPHERS_AVAILABLE
                 : groups->count == 0                 ? SSL_R_NO_SUITABLE_GROUPS
                 : sigalgs->count == 0                ? SSL_R_NO_SUITABLE_SIGNATURE_ALGORITHM
                                                      : 0;
    if (reason)
        raise_ssl_text(reason, "the security callback allows none");
    return !reason;
}

/* ---- what a peer has chosen */

static bool check_suite(hf_conn *conn, uint16_t id)
{
    return suite_passes(ssl_of(conn), id, SSL_SECOP_CIPHER_CHECK);
}

static bool check_group(hf_conn *conn, uint16_t id)
{
    return group_passes(ssl_of(conn), id, SSL_SECOP_CURVE_CHECK);
}

static bool check_signature(hf_conn *conn, uint16_t id)
{
    return sigalg_passes(ssl_of(conn), id, SSL_SECOP_SIGALG_CHECK);
}

static bool check_dh(hf_conn *conn, struct slice p, struct slice g)
{
    return tmp_dh_allowed(ssl_of(conn), p, g);
}

const struct checks security_checks = {check_suite, check_group, check_signature, check_dh};

/* ---- certificates */

static bool key_allowed(const SSL *s, const SSL_CTX *ctx, X509 *x, int op)
{
    EVP_PKEY *key = X509_get0_pubkey(x);
    return security_allows(s, ctx, op, key ? EVP_PKEY_get_security_bits(key) : -1, 0, x);
}

/* Nobody checks what a certificate says of itself. */
static bool signature_allowed(const SSL *s, const SSL_CTX *ctx, X509 *x, int op)
{
    int digest = NID_undef, key = NID_undef, bits = -1;
    if (X509_get_extension_flags(x) & EXFLAG_SS)
        return true;
    if (!X509_get_signature_info(x, &digest, &key, &bits, NULL))
        bits = -1;
    return security_allows(s, ctx, op, bits, digest != NID_undef ? digest : key, x);
}

int cert_security(const SSL *s, const SSL_CTX *ctx, X509 *x, bool peer, bool own)
{
    int side = peer ? SSL_SECOP_PEER : 0;
    if (!key_allowed(s, ctx, x, (own ? SSL_SECOP_EE_KEY : SSL_SECOP_CA_KEY) | side))
        return own ? SSL_R_EE_KEY_TOO_SMALL : SSL_R_CA_KEY_TOO_SMALL;
    return signature_allowed(s, ctx, x, SSL_SECOP_CA_MD | side) ? 1 : SSL_R_CA_MD_TOO_WEAK;
}

int chain_security(const SSL *s, STACK_OF(X509) * chain, X509 *x, bool peer)
{
    int first = x ? 0 : 1;
    int reason = cert_security(s, NULL, x ? x : sk_X509_value(chain, 0), peer, true);
    for (int i = first; reason == 1 && i < sk_X509_num(chain); i++)
        reason = cert_security(s, NULL, sk_X509_value(chain, i), peer, false);
    return reason;
}
