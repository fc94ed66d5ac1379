/* check_chain.c: would this certificate, key and chain do for the handshake that is under way? (SSL_check_chain(3)) */
#include "libssl/local.h"

/* What makes a chain good enough: the lenient rules, and those of SSL_CERT_FLAG_TLS_STRICT. */
#define LENIENT (CERT_PKEY_EE_SIGNATURE | CERT_PKEY_EE_PARAM)
#define STRICT                                                                                 \
    (LENIENT | CERT_PKEY_CA_SIGNATURE | CERT_PKEY_CA_PARAM | CERT_PKEY_ISSUER_NAME |           \
     CERT_PKEY_CERT_TYPE)

struct check {
    SSL *s;
    int version; /* that is agreed; before, as if it were TLS 1.2 */
    const uint16_t *theirs;
    size_t count; /* of theirs; 0: the peer has not said */
};

static bool is_ours(const SSL *s, uint16_t scheme)
{
    const struct id_list *list =
        s->settings->sigalgs.count ? &s->settings->sigalgs : &sigalgs_default;
    for (size_t i = 0; i < list->count; i++) {
        if (list->id[i] == scheme)
            return true;
    }
    return false;
}

/* ---- signatures of certificates */

/* The signature of a certificate that a SignatureScheme stands for; RSA-PSS names none of them. */
static int nid_of_scheme(uint16_t scheme)
{
    switch (scheme) {
    case 0x0401: return NID_sha256WithRSAEncryption;
    case 0x0501: return NID_sha384WithRSAEncryption;
    case 0x0601: return NID_sha512WithRSAEncryption;
    case 0x0301: return NID_sha224WithRSAEncryption;
    case 0x0201: return NID_sha1WithRSAEncryption;
    case 0x0403: return NID_ecdsa_with_SHA256;
    case 0x0503: return NID_ecdsa_with_SHA384;
    case 0x0603: return NID_ecdsa_with_SHA512;
    case 0x0303: return NID_ecdsa_with_SHA224;
    case 0x0203: return NID_ecdsa_with_SHA1;
    case 0x0807: return NID_ED25519;
    case 0x0808: return NID_ED448;
    default: return NID_undef;
    }
}

/* Who names no schemes can check SHA-1 (RFC 5246 7.4.1.4.1). */
static int nid_by_default(int slot)
{
    return slot == CERT_RSA   ? NID_sha1WithRSAEncryption
           : slot == CERT_DSA ? NID_dsaWithSHA1
           : slot == CERT_EC  ? NID_ecdsa_with_SHA1
                              : NID_undef;
}

static bool signature_accepted(const struct check *c, const X509 *x, int slot)
{
    int nid = X509_get_signature_nid(x);
    if (!c->count)
        return nid_by_default(slot) == NID_undef || nid == nid_by_default(slot);
    for (size_t i = 0; i < c->count; i++) {
        if (nid_of_scheme(c->theirs[i]) == nid && is_ours(c->s, c->theirs[i]))
            return true;
    }
    return false;
}

/* ---- keys */

static uint16_t group_of(const EVP_PKEY *key)
{
    char name[80] = "";
    size_t len = 0;
    int nid =
        EVP_PKEY_get_group_name(key, name, sizeof name, &len) ? OBJ_sn2nid(name) : NID_undef;
    return nid == NID_X9_62_prime256v1 ? 23
           : nid == NID_secp384r1      ? 24
           : nid == NID_secp521r1      ? 25
                                       : 0;
}

static bool has_group(const uint16_t *list, size_t count, uint16_t group)
{
    for (size_t i = 0; i < count; i++) {
        if (list[i] == group)
            return true;
    }
    return count == 0;
}

/* The curve must be one that the other side has named; a client's also one of its own. */
static bool curve_accepted(const struct check *c, X509 *x)
{
    EVP_PKEY *key = X509_get0_pubkey(x);
    const struct settings *t = c->s->settings;
    const struct details *d = c->s->conn ? access_details(c->s->conn) : NULL;
    if (!key)
        return false;
    if (!EVP_PKEY_is_a(key, "EC"))
        return true;
    uint16_t group = group_of(key);
    if (c->s->server)
        return group && has_group(d ? d->groups : NULL, d ? d->group_count : 0, group);
    return group && has_group(t->groups.id, t->groups.count, group);
}

/* TLS 1.3 binds ECDSA's schemes to curves (key NULL: any will do) and signs neither with PKCS #1 nor with SHA-1. */
static bool may_sign(const struct check *c, const EVP_PKEY *key, int slot, uint16_t scheme)
{
    static const uint16_t curves[] = {0, 0, 0, 0, 23, 24, 25};
    if (certs_slot_of_scheme(scheme) != slot || !is_ours(c->s, scheme))
        return false;
    if (c->version < TLS1_3_VERSION)
        return true;
    if (scheme >> 8 == 8)
        return true;
    return slot == CERT_EC && scheme >> 8 <= 6 && curves[scheme >> 8] &&
           (!key || curves[scheme >> 8] == group_of(key));
}

static bool can_sign(const struct check *c, const EVP_PKEY *key, int slot)
{
    for (size_t i = 0; i < c->count; i++) {
        if (may_sign(c, key, slot, c->theirs[i]))
            return true;
    }
    return false;
}

/* ---- what a server has asked a client for */

static bool type_asked(const SSL *s, int slot)
{
    unsigned char wanted = slot == CERT_RSA   ? TLS_CT_RSA_SIGN
                           : slot == CERT_DSA ? TLS_CT_DSS_SIGN
                           : slot == CERT_EC  ? TLS_CT_ECDSA_SIGN
                                              : 0;
    const struct details *d = s->conn ? access_details(s->conn) : NULL;
    return !wanted || (d && memchr(d->types, wanted, d->type_count));
}

static bool is_issuer(const STACK_OF(X509_NAME) * names, const X509 *x)
{
    const X509_NAME *issuer = X509_get_issuer_name(x);
    for (int i = 0; i < sk_X509_NAME_num(names); i++) {
        if (X509_NAME_cmp(issuer, sk_X509_NAME_value(names, i)) == 0)
            return true;
    }
    return false;
}

static bool issuer_asked(const SSL *s, const X509 *x, STACK_OF(X509) * chain)
{
    const STACK_OF(X509_NAME) *names = SSL_get0_peer_CA_list(s);
    if (sk_X509_NAME_num(names) <= 0 || is_issuer(names, x))
        return true;
    for (int i = 0; i < sk_X509_num(chain); i++) {
        if (is_issuer(names, sk_X509_value(chain, i)))
            return true;
    }
    return false;
}

/* ---- the whole */

/* The peer has named no schemes, and SHA-1, which it then can check, is none of ours. */
static bool nothing_shared(const struct check *c, int slot)
{
    uint16_t sha1 = slot == CERT_RSA ? 0x0201 : slot == CERT_DSA ? 0x0202 : 0x0203;
    return !c->count && nid_by_default(slot) != NID_undef && c->s->settings->sigalgs.count &&
           !is_ours(c->s, sha1);
}

static int signature_flags(const struct check *c, X509 *x, const EVP_PKEY *key, int slot,
                           STACK_OF(X509) * chain)
{
    int flags = CERT_PKEY_CA_SIGNATURE;
    if (c->version < TLS1_2_VERSION)
        return CERT_PKEY_EE_SIGNATURE | CERT_PKEY_CA_SIGNATURE;
    if (nothing_shared(c, slot))
        return 0;
    bool own =
        c->version >= TLS1_3_VERSION ? can_sign(c, key, slot) : signature_accepted(c, x, slot);
    for (int i = 0; i < sk_X509_num(chain); i++) {
        if (!signature_accepted(c, sk_X509_value(chain, i), slot))
            flags = 0;
    }
    return flags | (own ? CERT_PKEY_EE_SIGNATURE : 0);
}

static int param_flags(const struct check *c, X509 *x, STACK_OF(X509) * chain)
{
    int flags = CERT_PKEY_CA_PARAM;
    for (int i = 0; c->s->server && i < sk_X509_num(chain); i++) {
        if (!curve_accepted(c, sk_X509_value(chain, i)))
            flags = 0;
    }
    return flags | (curve_accepted(c, x) ? CERT_PKEY_EE_PARAM : 0);
}

static int request_flags(const struct check *c, const X509 *x, int slot, STACK_OF(X509) * chain)
{
    if (c->s->server)
        return CERT_PKEY_ISSUER_NAME | CERT_PKEY_CERT_TYPE;
    return (type_asked(c->s, slot) ? CERT_PKEY_CERT_TYPE : 0) |
           (issuer_asked(c->s, x, chain) ? CERT_PKEY_ISSUER_NAME : 0);
}

int SSL_check_chain(SSL *s, X509 *x, EVP_PKEY *pk, STACK_OF(X509) * chain)
{
    int agreed = s->conn ? access_version(s->conn) : 0;
    struct check c = {.s = s, .version = agreed ? agreed : TLS1_2_VERSION};
    int slot = x && pk ? certs_slot_of_key(pk) : -1;
    if (slot < 0)
        return 0;
    if (s->conn)
        c.theirs = access_peer_sigalgs(s->conn, &c.count);
    int flags = signature_flags(&c, x, pk, slot, chain) | param_flags(&c, x, chain) |
                request_flags(&c, x, slot, chain);
    int wanted = certs_get(s, NULL)->flags & SSL_CERT_FLAG_TLS_STRICT ? STRICT : LENIENT;
    if ((flags & wanted) == wanted)
        flags |= CERT_PKEY_VALID;
    if (c.version < TLS1_2_VERSION || can_sign(&c, NULL, slot))
        flags |= CERT_PKEY_SIGN | CERT_PKEY_EXPLICIT_SIGN;
    return flags;
}
