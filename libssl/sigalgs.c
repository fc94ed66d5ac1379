/* sigalgs.c: signature schemes, by the names and numbers that OpenSSL has for them. Those that the engine lacks
 * may stand in a list and are never used. */
#include <openssl/objects.h>
#include <openssl/sslerr.h>

#include "libssl/control.h"

/* clang-format off */
static const struct sigalg_info table[] = {
    {0x0403, "ecdsa_secp256r1_sha256", EVP_PKEY_EC,      NID_sha256, NID_ecdsa_with_SHA256},
    {0x0503, "ecdsa_secp384r1_sha384", EVP_PKEY_EC,      NID_sha384, NID_ecdsa_with_SHA384},
    {0x0603, "ecdsa_secp521r1_sha512", EVP_PKEY_EC,      NID_sha512, NID_ecdsa_with_SHA512},
    {0x0807, "ed25519",                EVP_PKEY_ED25519, NID_undef,  NID_undef},
    {0x0808, "ed448",                  EVP_PKEY_ED448,   NID_undef,  NID_undef},
    {0x0303, NULL,                     EVP_PKEY_EC,      NID_sha224, NID_ecdsa_with_SHA224},
    {0x0203, NULL,                     EVP_PKEY_EC,      NID_sha1,   NID_ecdsa_with_SHA1},
    {0x0804, "rsa_pss_rsae_sha256",    EVP_PKEY_RSA_PSS, NID_sha256, NID_undef},
    {0x0805, "rsa_pss_rsae_sha384",    EVP_PKEY_RSA_PSS, NID_sha384, NID_undef},
    {0x0806, "rsa_pss_rsae_sha512",    EVP_PKEY_RSA_PSS, NID_sha512, NID_undef},
    {0x0809, "rsa_pss_pss_sha256",     EVP_PKEY_RSA_PSS, NID_sha256, NID_undef},
    {0x080a, "rsa_pss_pss_sha384",     EVP_PKEY_RSA_PSS, NID_sha384, NID_undef},
    {0x080b, "rsa_pss_pss_sha512",     EVP_PKEY_RSA_PSS, NID_sha512, NID_undef},
    {0x0401, "rsa_pkcs1_sha256",       EVP_PKEY_RSA,     NID_sha256, NID_sha256WithRSAEncryption},
    {0x0501, "rsa_pkcs1_sha384",       EVP_PKEY_RSA,     NID_sha384, NID_sha384WithRSAEncryption},
    {0x0601, "rsa_pkcs1_sha512",       EVP_PKEY_RSA,     NID_sha512, NID_sha512WithRSAEncryption},
    {0x0301, "rsa_pkcs1_sha224",       EVP_PKEY_RSA,     NID_sha224, NID_sha224WithRSAEncryption},
    {0x0201, "rsa_pkcs1_sha1",         EVP_PKEY_RSA,     NID_sha1,   NID_sha1WithRSAEncryption},
    {0x0402, NULL,                     EVP_PKEY_DSA,     NID_sha256, NID_dsa_with_SHA256},
    {0x0502, NULL,                     EVP_PKEY_DSA,     NID_sha384, NID_undef},
    {0x0602, NULL,                     EVP_PKEY_DSA,     NID_sha512, NID_undef},
    {0x0302, NULL,                     EVP_PKEY_DSA,     NID_sha224, NID_undef},
    {0x0202, NULL,                     EVP_PKEY_DSA,     NID_sha1,   NID_dsaWithSHA1},
};
/* clang-format on */
#define COUNT (sizeof table / sizeof table[0])

const struct sigalg_info *sigalg_info(uint16_t id)
{
    for (size_t i = 0; i < COUNT; i++) {
        if (table[i].id == id)
            return &table[i];
    }
    return NULL;
}

static const struct sigalg_info *by_numbers(int hash, int sig)
{
    for (size_t i = 0; i < COUNT; i++) {
        if (table[i].hash == hash && table[i].sig == sig)
            return &table[i];
    }
    return NULL;
}

static bool in_list(const struct id_list *list, uint16_t id)
{
    for (size_t i = 0; i < list->count; i++) {
        if (list->id[i] == id)
            return true;
    }
    return false;
}

static bool add(struct id_list *list, const struct sigalg_info *info)
{
    if (!info || list->count == LIST_MAX)
        return false;
    list->id[list->count++] = info->id;
    return true;
}

bool sigalgs_numbers(struct id_list *out, const int *pairs, size_t count)
{
    out->count = 0;
    if (count == 0 || count % 2 != 0)
        return false;
    for (size_t i = 0; i < count; i += 2) {
        if (!add(out, by_numbers(pairs[i], pairs[i + 1])))
            return false;
    }
    return true;
}

/* ---- names: of schemes, and "RSA+SHA256" */

static int key_type(const char *name)
{
    static const struct {
        const char *name;
        int type;
    } types[] = {
        {"RSA", EVP_PKEY_RSA}, {"RSA-PSS", EVP_PKEY_RSA_PSS}, {"PSS", EVP_PKEY_RSA_PSS},
        {"DSA", EVP_PKEY_DSA}, {"ECDSA", EVP_PKEY_EC},
    };
    for (size_t i = 0; i < sizeof types / sizeof types[0]; i++) {
        if (strcmp(types[i].name, name) == 0)
            return types[i].type;
    }
    return NID_undef;
}

static int type_or_digest(const char *name, int *type, int *digest)
{
    int key = key_type(name);
    if (key != NID_undef) {
        *type = key;
        return 1;
    }
    *digest = OBJ_sn2nid(name);
    if (*digest == NID_undef)
        *digest = OBJ_ln2nid(name);
    return *digest != NID_undef;
}

static const struct sigalg_info *by_name(char *name)
{
    int type = NID_undef, digest = NID_undef;
    char *plus = strchr(name, '+');
    if (!plus) {
        for (size_t i = 0; i < COUNT; i++) {
            if (table[i].name && strcmp(table[i].name, name) == 0)
                return &table[i];
        }
        return NULL;
    }
    *plus = 0;
    if (!plus[1] || !type_or_digest(name, &type, &digest) ||
        !type_or_digest(plus + 1, &type, &digest) || type == NID_undef || digest == NID_undef)
        return NULL;
    return by_numbers(digest, type);
}

bool list_item(const char *from, size_t len, char *out, size_t size)
{
    while (len > 0 && (*from == ' ' || *from == '\t'))
        from++, len--;
    while (len > 0 && (from[len - 1] == ' ' || from[len - 1] == '\t'))
        len--;
    if (len == 0 || len >= size)
        return false;
    memcpy(out, from, len);
    out[len] = 0;
    return true;
}

bool sigalgs_names(struct id_list *out, const char *names)
{
    char name[40];

    out->count = 0;
    for (;; names++) {
        size_t len = strcspn(names, ":");
        if (!list_item(names, len, name, sizeof name))
            return false;
        const struct sigalg_info *info = by_name(name);
        if (!info || in_list(out, info->id) || !add(out, info))
            return false;
        names += len;
        if (!*names)
            return true;
    }
}

long control_sigalgs(const struct target *t, int command, long number, void *pointer)
{
    struct id_list list;
    bool text =
        command == SSL_CTRL_SET_SIGALGS_LIST || command == SSL_CTRL_SET_CLIENT_SIGALGS_LIST;
    bool client =
        command == SSL_CTRL_SET_CLIENT_SIGALGS || command == SSL_CTRL_SET_CLIENT_SIGALGS_LIST;

    if (!pointer || number < 0 ||
        !(text ? sigalgs_names(&list, pointer)
               : sigalgs_numbers(&list, pointer, (size_t)number)))
        return 0;
    struct settings *s = target_edit(t);
    if (!s)
        return 0;
    *(client ? &s->client_sigalgs : &s->sigalgs) = list;
    return 1;
}

/* ---- what a connection has */

static void tell(uint16_t id, int *sig, int *hash, int *both, unsigned char *raw_sig,
                 unsigned char *raw_hash)
{
    const struct sigalg_info *info = sigalg_info(id);
    if (raw_hash)
        *raw_hash = (unsigned char)(id >> 8);
    if (raw_sig)
        *raw_sig = (unsigned char)id;
    if (sig)
        *sig = info ? info->sig : NID_undef;
    if (hash)
        *hash = info ? info->hash : NID_undef;
    if (both)
        *both = info ? info->both : NID_undef;
}

int SSL_get_sigalgs(SSL *s, int index, int *sig, int *hash, int *both, unsigned char *raw_sig,
                    unsigned char *raw_hash)
{
    const struct details *d = s->conn ? access_details(s->conn) : NULL;
    if (!d || d->sigalg_count == 0)
        return 0;
    if (index >= (int)d->sigalg_count)
        return 0;
    if (index >= 0)
        tell(d->sigalgs[index], sig, hash, both, raw_sig, raw_hash);
    return (int)d->sigalg_count;
}

/* OpenSSL's own order, since a server with several certificates follows its clients'. */
const struct id_list sigalgs_default = {18,
                                        {0x0403, 0x0503, 0x0603, 0x0807, 0x0808, 0x0809, 0x080a,
                                         0x080b, 0x0804, 0x0805, 0x0806, 0x0401, 0x0501, 0x0601,
                                         0x0303, 0x0203, 0x0301, 0x0201}};

/* SHA-1 is worth less than 80 bits, which is what level 1 asks for. */
static bool strong(const struct settings *t, uint16_t id)
{
    const struct sigalg_info *info = sigalg_info(id);
    return info && (info->hash != NID_sha1 || t->security_level <= 0);
}

static bool peer_has(const struct details *d, uint16_t id)
{
    for (size_t i = 0; i < d->sigalg_count; i++) {
        if (d->sigalgs[i] == id)
            return true;
    }
    return false;
}

int SSL_get_shared_sigalgs(SSL *s, int index, int *sig, int *hash, int *both,
                           unsigned char *raw_sig, unsigned char *raw_hash)
{
    const struct details *d = s->conn ? access_details(s->conn) : NULL;
    const struct settings *t = s->settings;
    const struct id_list *ours = !s->server && t->client_sigalgs.count ? &t->client_sigalgs
                                 : t->sigalgs.count                    ? &t->sigalgs
                                                                       : &sigalgs_default;
    bool own_order = t->options & SSL_OP_CIPHER_SERVER_PREFERENCE;
    int count = 0;

    if (!d || index < 0)
        return 0;
    for (size_t i = 0; i < (own_order ? ours->count : d->sigalg_count); i++) {
        uint16_t id = own_order ? ours->id[i] : d->sigalgs[i];
        if (!strong(t, id) || !(own_order ? peer_has(d, id) : in_list(ours, id)))
            continue;
        if (count++ == index)
            tell(id, sig, hash, both, raw_sig, raw_hash);
    }
    return index < count ? count : 0;
}

bool sigalgs_for(const struct id_list *list, const SSL_CIPHER *c)
{
    if (c->au != AU_RSA && c->au != AU_ECDSA)
        return true;
    for (size_t i = 0; i < list->count; i++) {
        const struct sigalg_info *info = sigalg_info(list->id[i]);
        bool rsa = info && (info->sig == EVP_PKEY_RSA || info->sig == EVP_PKEY_RSA_PSS);
        if (info && info->sig != EVP_PKEY_DSA && rsa == (c->au == AU_RSA))
            return true;
    }
    return false;
}

static const struct sigalg_info *used(const SSL *s, bool own)
{
    /* Before TLS 1.2 it has no number that could be sent (RFC 4346 7.4.3). */
    static const struct sigalg_info rsa_md5_sha1 = {.sig = EVP_PKEY_RSA, .hash = NID_md5_sha1};
    enum { RSA_MD5_SHA1 = 0xff01 };
    const struct details *d = s->conn ? access_details(s->conn) : NULL;
    if (!s->conn || SSL_session_reused(s))
        return NULL;
    uint16_t id = own ? (d ? d->signature : 0) : hf_conn_signature(s->conn);
    return id == RSA_MD5_SHA1 ? &rsa_md5_sha1 : sigalg_info(id);
}

int SSL_get_peer_signature_type_nid(const SSL *s, int *nid)
{
    const struct sigalg_info *info = used(s, false);
    if (info)
        *nid = info->sig;
    return info != NULL;
}

int SSL_get_signature_type_nid(const SSL *s, int *nid)
{
    const struct sigalg_info *info = used(s, true);
    if (info)
        *nid = info->sig;
    return info != NULL;
}

long control_signature_nid(const struct target *t, int command, long number, void *pointer)
{
    const struct sigalg_info *info = used(t->ssl, command == SSL_CTRL_GET_SIGNATURE_NID);
    (void)number;
    if (info)
        *(int *)pointer = info->hash;
    return info != NULL;
}
