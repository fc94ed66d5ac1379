/* groups.c: groups of key exchange, by the names and numbers that OpenSSL has for them. Those that the engine
 * lacks may stand in a list and are never negotiated. */
#include <openssl/core_names.h>
#include <openssl/objects.h>
#include <openssl/param_build.h>
#include <openssl/sslerr.h>
#include <openssl/tls1.h>

#include "libssl/control.h"

#define UNKNOWN TLSEXT_nid_unknown

struct group_name {
    uint16_t id;
    const char *name;  /* IANA's */
    const char *alias; /* NIST's, or NULL */
    int nid;           /* 0: none */
    bool usable;       /* by the engine */
};

/* clang-format off */
static const struct group_name groups[] = {
    {0x0001, "sect163k1", "K-163", NID_sect163k1, false},
    {0x0002, "sect163r1", NULL,    NID_sect163r1, false},
    {0x0003, "sect163r2", "B-163", NID_sect163r2, false},
    {0x0004, "sect193r1", NULL,    NID_sect193r1, false},
    {0x0005, "sect193r2", NULL,    NID_sect193r2, false},
    {0x0006, "sect233k1", "K-233", NID_sect233k1, false},
    {0x0007, "sect233r1", "B-233", NID_sect233r1, false},
    {0x0008, "sect239k1", NULL,    NID_sect239k1, false},
    {0x0009, "sect283k1", "K-283", NID_sect283k1, false},
    {0x000a, "sect283r1", "B-283", NID_sect283r1, false},
    {0x000b, "sect409k1", "K-409", NID_sect409k1, false},
    {0x000c, "sect409r1", "B-409", NID_sect409r1, false},
    {0x000d, "sect571k1", "K-571", NID_sect571k1, false},
    {0x000e, "sect571r1", "B-571", NID_sect571r1, false},
    {0x000f, "secp160k1", NULL,    NID_secp160k1, false},
    {0x0010, "secp160r1", NULL,    NID_secp160r1, false},
    {0x0011, "secp160r2", NULL,    NID_secp160r2, false},
    {0x0012, "secp192k1", NULL,    NID_secp192k1, false},
    {0x0013, "secp192r1", "P-192", NID_X9_62_prime192v1, false},
    {0x0014, "secp224k1", NULL,    NID_secp224k1, false},
    {0x0015, "secp224r1", "P-224", NID_secp224r1, false},
    {0x0016, "secp256k1", NULL,    NID_secp256k1, false},
    {0x0017, "secp256r1", "P-256", NID_X9_62_prime256v1, true},
    {0x0018, "secp384r1", "P-384", NID_secp384r1, true},
    {0x0019, "secp521r1", "P-521", NID_secp521r1, true},
    {0x001a, "brainpoolP256r1", NULL, NID_brainpoolP256r1, false},
    {0x001b, "brainpoolP384r1", NULL, NID_brainpoolP384r1, false},
    {0x001c, "brainpoolP512r1", NULL, NID_brainpoolP512r1, false},
    {0x001d, "x25519", "X25519",   NID_X25519, true},
    {0x001e, "x448", "X448",       NID_X448, true},
    {0x0100, "ffdhe2048", NULL,    NID_ffdhe2048, true},
    {0x0101, "ffdhe3072", NULL,    NID_ffdhe3072, true},
    {0x0102, "ffdhe4096", NULL,    NID_ffdhe4096, true},
    {0x0103, "ffdhe6144", NULL,    NID_ffdhe6144, true},
    {0x0104, "ffdhe8192", NULL,    NID_ffdhe8192, true},
    /* OpenSSL 3.0 does not have these */
    {0x11eb, "SecP256r1MLKEM768",  NULL, 0, true},
    {0x11ec, "X25519MLKEM768",     NULL, 0, true},
    {0x11ed, "SecP384r1MLKEM1024", NULL, 0, true},
};
/* clang-format on */
#define COUNT (sizeof groups / sizeof groups[0])

static const struct group_name *by_id(uint16_t id)
{
    for (size_t i = 0; i < COUNT; i++) {
        if (groups[i].id == id)
            return &groups[i];
    }
    return NULL;
}

static const struct group_name *by_nid(int nid)
{
    if (nid & UNKNOWN)
        return by_id((uint16_t)nid);
    for (size_t i = 0; nid && i < COUNT; i++) {
        if (groups[i].nid == nid)
            return &groups[i];
    }
    return NULL;
}

static const struct group_name *by_name(const char *name)
{
    for (size_t i = 0; i < COUNT; i++) {
        if (strcmp(groups[i].name, name) == 0 ||
            (groups[i].alias && strcmp(groups[i].alias, name) == 0))
            return &groups[i];
    }
    return by_nid(OBJ_sn2nid(name));
}

int group_nid(uint16_t id)
{
    const struct group_name *g = by_id(id);
    return g && g->nid ? g->nid : UNKNOWN | id;
}

static bool in_list(const struct id_list *list, uint16_t id)
{
    for (size_t i = 0; i < list->count; i++) {
        if (list->id[i] == id)
            return true;
    }
    return false;
}

static bool add(struct id_list *list, const struct group_name *g)
{
    if (!g || in_list(list, g->id) || list->count == LIST_MAX)
        return false;
    list->id[list->count++] = g->id;
    return true;
}

static bool any_usable(const struct id_list *list)
{
    for (size_t i = 0; i < list->count; i++) {
        const struct group_name *g = by_id(list->id[i]);
        if (g && g->usable)
            return true;
    }
    raise_ssl_text(SSL_R_NO_SUITABLE_GROUPS, "handfast has none of these groups");
    return false;
}

bool groups_numbers(struct id_list *out, const int *nids, size_t count)
{
    out->count = 0;
    if (count == 0) {
        raise_ssl(SSL_R_BAD_LENGTH);
        return false;
    }
    for (size_t i = 0; i < count; i++) {
        if (!add(out, by_nid(nids[i])))
            return false;
    }
    return any_usable(out);
}

bool groups_names(struct id_list *out, const char *names)
{
    char name[64];

    out->count = 0;
    for (;; names++) {
        size_t len = strcspn(names, ":");
        if (!list_item(names, len, name, sizeof name))
            return false;
        const struct group_name *g = by_name(name);
        if (!g) {
            ERR_raise_data(ERR_LIB_SSL, ERR_R_PASSED_INVALID_ARGUMENT,
                           "group '%s' cannot be set", name);
            return false;
        }
        if (!add(out, g))
            return false;
        names += len;
        if (!*names)
            return any_usable(out);
    }
}

const char *SSL_group_to_name(SSL *s, int nid)
{
    const struct group_name *g = by_nid(nid);
    (void)s;
    return g ? g->name : NULL;
}

/* ---- what a connection has: the peer's groups, those of both, the one that is used */

static long peer_groups(const SSL *s, int *out)
{
    const struct details *d = s->conn ? access_details(s->conn) : NULL;
    if (!d || !s->server)
        return 0;
    for (size_t i = 0; out && i < d->group_count; i++)
        out[i] = group_nid(d->groups[i]);
    return (long)d->group_count;
}

static bool peer_has(const struct details *d, uint16_t id)
{
    for (size_t i = 0; i < d->group_count; i++) {
        if (d->groups[i] == id)
            return true;
    }
    return false;
}

/* The engine's default, as far as this matters to anybody (handfast.h). */
const struct id_list groups_default = {4, {0x11ec, 0x001d, 0x0017, 0x0018}};

/* n is the place of one that both have, in the order of the side that chooses; -1: how many there are. */
static long shared_group(const SSL *s, long n)
{
    const struct details *d = s->conn ? access_details(s->conn) : NULL;
    const struct id_list *ours =
        s->settings->groups.count ? &s->settings->groups : &groups_default;
    bool own_order = s->settings->options & SSL_OP_CIPHER_SERVER_PREFERENCE;
    long count = 0;

    if (!d || !s->server)
        return n == -1 ? 0 : NID_undef;
    for (size_t i = 0; i < (own_order ? ours->count : d->group_count); i++) {
        uint16_t id = own_order ? ours->id[i] : d->groups[i];
        if (!(own_order ? peer_has(d, id) : in_list(ours, id)))
            continue;
        if (count++ == n)
            return group_nid(id);
    }
    return n == -1 ? count : NID_undef;
}

static long negotiated_group(const SSL *s)
{
    uint16_t id = s->conn ? hf_conn_group(s->conn) : 0;
    if (!id && s->session)
        id = s->session->group;
    return id ? group_nid(id) : NID_undef;
}

static long set_groups(const struct target *t, const struct id_list *list)
{
    struct settings *s = target_edit(t);
    if (!s)
        return 0;
    s->groups = *list;
    return 1;
}

long control_groups(const struct target *t, int command, long number, void *pointer)
{
    struct id_list list;
    switch (command) {
    case SSL_CTRL_GET_GROUPS: return peer_groups(t->ssl, pointer);
    case SSL_CTRL_SET_GROUPS:
        return number >= 0 && groups_numbers(&list, pointer, (size_t)number) &&
               set_groups(t, &list);
    case SSL_CTRL_SET_GROUPS_LIST:
        return pointer && groups_names(&list, pointer) && set_groups(t, &list);
    case SSL_CTRL_GET_SHARED_GROUP: return shared_group(t->ssl, number);
    case SSL_CTRL_GET_NEGOTIATED_GROUP: return negotiated_group(t->ssl);
    default: return 0;
    }
}

/* One curve, which is all that is allowed then. */
long control_tmp_ecdh(const struct target *t, int command, long number, void *pointer)
{
    struct id_list list;
    (void)command, (void)number;
    if (!pointer) {
        raise_ssl(ERR_R_PASSED_NULL_PARAMETER);
        return 0;
    }
    int nid = EC_GROUP_get_curve_name(EC_KEY_get0_group(pointer));
    return nid != NID_undef && groups_numbers(&list, &nid, 1) && set_groups(t, &list);
}

/* ---- the peer's ephemeral key */

static EVP_PKEY *curve_key(const char *group, const uint8_t *share, size_t len)
{
    EVP_PKEY *key = NULL;
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, "EC", NULL);
    OSSL_PARAM params[] = {
        OSSL_PARAM_construct_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, (char *)(uintptr_t)group,
                                         0),
        OSSL_PARAM_construct_octet_string(OSSL_PKEY_PARAM_PUB_KEY, (void *)(uintptr_t)share,
                                          len),
        OSSL_PARAM_construct_end(),
    };
    if (!ctx || EVP_PKEY_fromdata_init(ctx) <= 0 ||
        EVP_PKEY_fromdata(ctx, &key, EVP_PKEY_PUBLIC_KEY, params) <= 0)
        key = NULL;
    EVP_PKEY_CTX_free(ctx);
    return key;
}

static EVP_PKEY *dh_key(OSSL_PARAM_BLD *build)
{
    EVP_PKEY *key = NULL;
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, "DH", NULL);
    OSSL_PARAM *params = OSSL_PARAM_BLD_to_param(build);
    if (!ctx || !params || EVP_PKEY_fromdata_init(ctx) <= 0 ||
        EVP_PKEY_fromdata(ctx, &key, EVP_PKEY_PUBLIC_KEY, params) <= 0)
        key = NULL;
    OSSL_PARAM_free(params);
    EVP_PKEY_CTX_free(ctx);
    return key;
}

static EVP_PKEY *finite_key(const char *group, const uint8_t *share, size_t len)
{
    BIGNUM *number = BN_bin2bn(share, (int)len, NULL);
    OSSL_PARAM_BLD *build = OSSL_PARAM_BLD_new();
    bool ok = number && build &&
              OSSL_PARAM_BLD_push_utf8_string(build, OSSL_PKEY_PARAM_GROUP_NAME, group, 0) &&
              OSSL_PARAM_BLD_push_BN(build, OSSL_PKEY_PARAM_PUB_KEY, number);
    EVP_PKEY *key = ok ? dh_key(build) : NULL;
    OSSL_PARAM_BLD_free(build);
    BN_free(number);
    return key;
}

/* ServerDHParams (RFC 5246 7.4.3): three numbers, each behind its length. */
static EVP_PKEY *sent_key(const uint8_t *at, size_t left)
{
    static const char *const names[] = {OSSL_PKEY_PARAM_FFC_P, OSSL_PKEY_PARAM_FFC_G,
                                        OSSL_PKEY_PARAM_PUB_KEY};
    BIGNUM *number[3] = {NULL, NULL, NULL};
    OSSL_PARAM_BLD *build = OSSL_PARAM_BLD_new();
    bool ok = build != NULL;
    for (int i = 0; ok && i < 3; i++) {
        size_t len = left < 2 ? 0 : (size_t)at[0] << 8 | at[1];
        ok = left >= 2 && len <= left - 2 &&
             (number[i] = BN_bin2bn(at + 2, (int)len, NULL)) != NULL &&
             OSSL_PARAM_BLD_push_BN(build, names[i], number[i]) == 1;
        if (ok) {
            at += 2 + len;
            left -= 2 + len;
        }
    }
    EVP_PKEY *key = ok ? dh_key(build) : NULL;
    OSSL_PARAM_BLD_free(build);
    for (int i = 0; i < 3; i++)
        BN_free(number[i]);
    return key;
}

static EVP_PKEY *named_key(const struct group_name *g, const uint8_t *share, size_t len)
{
    if (g->nid == NID_X25519 || g->nid == NID_X448)
        return EVP_PKEY_new_raw_public_key(g->nid, NULL, share, len);
    if (g->id >> 8 == 1)
        return finite_key(g->name, share, len);
    return curve_key(OBJ_nid2sn(g->nid), share, len);
}

/* Of hybrids there is none to show. Before TLS 1.3 our own goes when it has been used, as OpenSSL's does. */
long control_tmp_key(const struct target *t, int command, long number, void *pointer)
{
    const SSL *s = t->ssl;
    const struct details *d = s->conn ? access_details(s->conn) : NULL;
    const struct group_name *g = s->conn ? by_id(hf_conn_group(s->conn)) : NULL;
    bool own = command == SSL_CTRL_GET_TMP_KEY;
    EVP_PKEY *key = NULL;
    (void)number;

    if (!d || !(own ? d->own_share : d->share))
        return 0;
    if (!own && d->share_sent)
        key = sent_key(d->share, d->share_len);
    else if (g && g->nid)
        key =
            named_key(g, own ? d->own_share : d->share, own ? d->own_share_len : d->share_len);
    if (key)
        *(EVP_PKEY **)pointer = key;
    return key != NULL;
}
