/* conf.c: settings by name, from command lines, from configuration files and from openssl.cnf. */
#include <openssl/conf.h>
#include <openssl/decoder.h>
#include <openssl/dh.h>
#include <openssl/pem.h>

#include "libssl/conf.h"
#include "libssl/control.h"

struct ssl_conf_ctx_st {
    unsigned flags;
    char *prefix; /* or NULL */
    SSL_CTX *ctx; /* at most one of these two */
    SSL *ssl;
    char *key_file
        [CERT_SLOTS]; /* the certificate's file, where its key is sought if none is set */
    STACK_OF(X509_NAME) * names;
};

enum {
    FOR_CLIENT = SSL_CONF_FLAG_CLIENT,
    FOR_SERVER = SSL_CONF_FLAG_SERVER,
    FOR_CERT = SSL_CONF_FLAG_CERTIFICATE,
    FOR_ROLES = FOR_CLIENT | FOR_SERVER,
};

static bool has_target(const SSL_CONF_CTX *c)
{
    return c->ctx || c->ssl;
}

static struct target target_of(const SSL_CONF_CTX *c)
{
    return (struct target){c->ssl, c->ssl ? c->ssl->ctx : c->ctx};
}

/* ---- words that stand for bits */

enum what { OPTION, CERT_FLAG, VERIFY };

struct word {
    const char *name;
    enum what what;
    unsigned roles; /* FOR_ mask */
    bool inverse;   /* the word switches the bits off */
    uint64_t bits;
};

static void set_bits(SSL_CONF_CTX *c, const struct word *w, bool on)
{
    if (!has_target(c))
        return;
    struct target t = target_of(c);
    if (w->inverse)
        on = !on;
    if (w->what == OPTION && c->ssl)
        (void)(on ? SSL_set_options(c->ssl, w->bits) : SSL_clear_options(c->ssl, w->bits));
    else if (w->what == OPTION)
        (void)(on ? SSL_CTX_set_options(c->ctx, w->bits)
                  : SSL_CTX_clear_options(c->ctx, w->bits));
    else if (w->what == CERT_FLAG)
        control_cert_flags(&t, on ? SSL_CTRL_CERT_FLAGS : SSL_CTRL_CLEAR_CERT_FLAGS,
                           (long)w->bits, NULL);
    else {
        struct settings *s = target_edit(&t);
        if (s)
            s->verify_mode =
                on ? s->verify_mode | (int)w->bits : s->verify_mode & ~(int)w->bits;
    }
}

struct words {
    SSL_CONF_CTX *conf;
    const struct word *word;
    size_t count;
};

/* One word of a list: with a plus (or nothing) or a minus before it. */
static int set_word(const char *p, int len, void *arg)
{
    const struct words *w = arg;
    bool on = true;
    if (!p)
        return 0;
    if (len > 0 && (*p == '+' || *p == '-')) {
        on = *p == '+';
        p++;
        len--;
    }
    for (size_t i = 0; i < w->count; i++) {
        const struct word *word = &w->word[i];
        if (word->roles & w->conf->flags && strlen(word->name) == (size_t)len &&
            OPENSSL_strncasecmp(word->name, p, (size_t)len) == 0) {
            set_bits(w->conf, word, on);
            return 1;
        }
    }
    return 0;
}

static int set_words(SSL_CONF_CTX *c, const char *value, const struct word *word, size_t count)
{
    struct words w = {c, word, count};
    return CONF_parse_list(value, ',', 1, set_word, &w);
}

/* clang-format off */
static const struct word switches[] = {
    {"no_ssl3", OPTION, FOR_ROLES, false, SSL_OP_NO_SSLv3},
    {"no_tls1", OPTION, FOR_ROLES, false, SSL_OP_NO_TLSv1},
    {"no_tls1_1", OPTION, FOR_ROLES, false, SSL_OP_NO_TLSv1_1},
    {"no_tls1_2", OPTION, FOR_ROLES, false, SSL_OP_NO_TLSv1_2},
    {"no_tls1_3", OPTION, FOR_ROLES, false, SSL_OP_NO_TLSv1_3},
    {"bugs", OPTION, FOR_ROLES, false, SSL_OP_ALL},
    {"no_comp", OPTION, FOR_ROLES, false, SSL_OP_NO_COMPRESSION},
    {"comp", OPTION, FOR_ROLES, true, SSL_OP_NO_COMPRESSION},
    {"ecdh_single", OPTION, FOR_SERVER, false, SSL_OP_SINGLE_ECDH_USE},
    {"no_ticket", OPTION, FOR_ROLES, false, SSL_OP_NO_TICKET},
    {"serverpref", OPTION, FOR_SERVER, false, SSL_OP_CIPHER_SERVER_PREFERENCE},
    {"legacy_renegotiation", OPTION, FOR_ROLES, false, SSL_OP_ALLOW_UNSAFE_LEGACY_RENEGOTIATION},
    {"client_renegotiation", OPTION, FOR_SERVER, false, SSL_OP_ALLOW_CLIENT_RENEGOTIATION},
    {"legacy_server_connect", OPTION, FOR_CLIENT, false, SSL_OP_LEGACY_SERVER_CONNECT},
    {"no_renegotiation", OPTION, FOR_ROLES, false, SSL_OP_NO_RENEGOTIATION},
    {"no_resumption_on_reneg", OPTION, FOR_SERVER, false, SSL_OP_NO_SESSION_RESUMPTION_ON_RENEGOTIATION},
    {"no_legacy_server_connect", OPTION, FOR_CLIENT, true, SSL_OP_LEGACY_SERVER_CONNECT},
    {"allow_no_dhe_kex", OPTION, FOR_ROLES, false, SSL_OP_ALLOW_NO_DHE_KEX},
    {"prioritize_chacha", OPTION, FOR_SERVER, false, SSL_OP_PRIORITIZE_CHACHA},
    {"strict", CERT_FLAG, FOR_ROLES, false, SSL_CERT_FLAG_TLS_STRICT},
    {"no_middlebox", OPTION, FOR_ROLES, true, SSL_OP_ENABLE_MIDDLEBOX_COMPAT},
    {"anti_replay", OPTION, FOR_SERVER, true, SSL_OP_NO_ANTI_REPLAY},
    {"no_anti_replay", OPTION, FOR_SERVER, false, SSL_OP_NO_ANTI_REPLAY},
    {"no_etm", OPTION, FOR_ROLES, false, SSL_OP_NO_ENCRYPT_THEN_MAC},
};

static const struct word protocols[] = {
    {"ALL", OPTION, FOR_ROLES, true, SSL_OP_NO_SSL_MASK},
    {"SSLv2", OPTION, FOR_ROLES, true, 0},
    {"SSLv3", OPTION, FOR_ROLES, true, SSL_OP_NO_SSLv3},
    {"TLSv1", OPTION, FOR_ROLES, true, SSL_OP_NO_TLSv1},
    {"TLSv1.1", OPTION, FOR_ROLES, true, SSL_OP_NO_TLSv1_1},
    {"TLSv1.2", OPTION, FOR_ROLES, true, SSL_OP_NO_TLSv1_2},
    {"TLSv1.3", OPTION, FOR_ROLES, true, SSL_OP_NO_TLSv1_3},
    {"DTLSv1", OPTION, FOR_ROLES, true, SSL_OP_NO_DTLSv1},
    {"DTLSv1.2", OPTION, FOR_ROLES, true, SSL_OP_NO_DTLSv1_2},
};

static const struct word options[] = {
    {"SessionTicket", OPTION, FOR_ROLES, true, SSL_OP_NO_TICKET},
    {"EmptyFragments", OPTION, FOR_ROLES, true, SSL_OP_DONT_INSERT_EMPTY_FRAGMENTS},
    {"Bugs", OPTION, FOR_ROLES, false, SSL_OP_ALL},
    {"Compression", OPTION, FOR_ROLES, true, SSL_OP_NO_COMPRESSION},
    {"ServerPreference", OPTION, FOR_SERVER, false, SSL_OP_CIPHER_SERVER_PREFERENCE},
    {"NoResumptionOnRenegotiation", OPTION, FOR_SERVER, false, SSL_OP_NO_SESSION_RESUMPTION_ON_RENEGOTIATION},
    {"DHSingle", OPTION, FOR_SERVER, false, SSL_OP_SINGLE_DH_USE},
    {"ECDHSingle", OPTION, FOR_SERVER, false, SSL_OP_SINGLE_ECDH_USE},
    {"UnsafeLegacyRenegotiation", OPTION, FOR_ROLES, false, SSL_OP_ALLOW_UNSAFE_LEGACY_RENEGOTIATION},
    {"UnsafeLegacyServerConnect", OPTION, FOR_ROLES, false, SSL_OP_LEGACY_SERVER_CONNECT},
    {"ClientRenegotiation", OPTION, FOR_ROLES, false, SSL_OP_ALLOW_CLIENT_RENEGOTIATION},
    {"EncryptThenMac", OPTION, FOR_ROLES, true, SSL_OP_NO_ENCRYPT_THEN_MAC},
    {"NoRenegotiation", OPTION, FOR_ROLES, false, SSL_OP_NO_RENEGOTIATION},
    {"AllowNoDHEKEX", OPTION, FOR_ROLES, false, SSL_OP_ALLOW_NO_DHE_KEX},
    {"PrioritizeChaCha", OPTION, FOR_ROLES, false, SSL_OP_PRIORITIZE_CHACHA},
    {"MiddleboxCompat", OPTION, FOR_ROLES, false, SSL_OP_ENABLE_MIDDLEBOX_COMPAT},
    {"AntiReplay", OPTION, FOR_ROLES, true, SSL_OP_NO_ANTI_REPLAY},
    {"ExtendedMasterSecret", OPTION, FOR_ROLES, true, SSL_OP_NO_EXTENDED_MASTER_SECRET},
    {"CANames", OPTION, FOR_ROLES, true, SSL_OP_DISABLE_TLSEXT_CA_NAMES},
    {"KTLS", OPTION, FOR_ROLES, false, SSL_OP_ENABLE_KTLS},
};

static const struct word verify_modes[] = {
    {"Peer", VERIFY, FOR_CLIENT, false, SSL_VERIFY_PEER},
    {"Request", VERIFY, FOR_SERVER, false, SSL_VERIFY_PEER},
    {"Require", VERIFY, FOR_SERVER, false, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT},
    {"Once", VERIFY, FOR_SERVER, false, SSL_VERIFY_PEER | SSL_VERIFY_CLIENT_ONCE},
    {"RequestPostHandshake", VERIFY, FOR_SERVER, false, SSL_VERIFY_PEER | SSL_VERIFY_POST_HANDSHAKE},
    {"RequirePostHandshake", VERIFY, FOR_SERVER, false,
     SSL_VERIFY_PEER | SSL_VERIFY_POST_HANDSHAKE | SSL_VERIFY_FAIL_IF_NO_PEER_CERT},
};
/* clang-format on */

#define COUNT(array) (sizeof(array) / sizeof(array)[0])

static int cmd_protocol(SSL_CONF_CTX *c, const char *value)
{
    return set_words(c, value, protocols, COUNT(protocols));
}

static int cmd_options(SSL_CONF_CTX *c, const char *value)
{
    return set_words(c, value, options, COUNT(options));
}

static int cmd_verify_mode(SSL_CONF_CTX *c, const char *value)
{
    return set_words(c, value, verify_modes, COUNT(verify_modes));
}

/* ---- lists */

static int cmd_sigalgs(SSL_CONF_CTX *c, const char *value)
{
    struct target t = target_of(c);
    return control_sigalgs(&t, SSL_CTRL_SET_SIGALGS_LIST, 0, (void *)(uintptr_t)value) > 0;
}

static int cmd_client_sigalgs(SSL_CONF_CTX *c, const char *value)
{
    struct target t = target_of(c);
    return control_sigalgs(&t, SSL_CTRL_SET_CLIENT_SIGALGS_LIST, 0, (void *)(uintptr_t)value) >
           0;
}

static int cmd_groups(SSL_CONF_CTX *c, const char *value)
{
    struct target t = target_of(c);
    return control_groups(&t, SSL_CTRL_SET_GROUPS_LIST, 0, (void *)(uintptr_t)value) > 0;
}

/* OpenSSL 1.0.2 knew a word for what is now always so. */
static int cmd_ecdh_parameters(SSL_CONF_CTX *c, const char *value)
{
    bool file = c->flags & SSL_CONF_FLAG_FILE, line = c->flags & SSL_CONF_FLAG_CMDLINE;
    if (file && (OPENSSL_strcasecmp(value, "+automatic") == 0 ||
                 OPENSSL_strcasecmp(value, "automatic") == 0))
        return 1;
    if (line && strcmp(value, "auto") == 0)
        return 1;
    return strchr(value, ':') ? 0 : cmd_groups(c, value);
}

static int cmd_cipher_string(SSL_CONF_CTX *c, const char *value)
{
    if (c->ssl)
        return SSL_set_cipher_list(c->ssl, value) > 0;
    return !c->ctx || SSL_CTX_set_cipher_list(c->ctx, value) > 0;
}

static int cmd_ciphersuites(SSL_CONF_CTX *c, const char *value)
{
    if (c->ssl)
        return SSL_set_ciphersuites(c->ssl, value) > 0;
    return !c->ctx || SSL_CTX_set_ciphersuites(c->ctx, value) > 0;
}

/* ---- versions and numbers */

static int set_bound(const SSL_CONF_CTX *c, const char *value, bool is_min)
{
    static const struct {
        const char *name;
        int version;
    } versions[] = {
        {"None", 0},
        {"SSLv3", SSL3_VERSION},
        {"TLSv1", TLS1_VERSION},
        {"TLSv1.1", TLS1_1_VERSION},
        {"TLSv1.2", TLS1_2_VERSION},
        {"TLSv1.3", TLS1_3_VERSION},
        {"DTLSv1", DTLS1_VERSION},
        {"DTLSv1.2", DTLS1_2_VERSION},
    };
    if (!has_target(c))
        return 0;
    struct target t = target_of(c);
    for (size_t i = 0; i < COUNT(versions); i++)
        if (strcmp(versions[i].name, value) == 0)
            return target_bound(&t, versions[i].version, is_min);
    return 0;
}

static int cmd_min_protocol(SSL_CONF_CTX *c, const char *value)
{
    return set_bound(c, value, true);
}

static int cmd_max_protocol(SSL_CONF_CTX *c, const char *value)
{
    return set_bound(c, value, false);
}

static int cmd_record_padding(SSL_CONF_CTX *c, const char *value)
{
    int size = atoi(value);
    if (size < 0)
        return 0;
    if (c->ssl)
        return SSL_set_block_padding(c->ssl, (size_t)size);
    return c->ctx ? SSL_CTX_set_block_padding(c->ctx, (size_t)size) : 0;
}

static int cmd_num_tickets(SSL_CONF_CTX *c, const char *value)
{
    int n = atoi(value);
    if (n < 0)
        return 0;
    if (c->ssl)
        return SSL_set_num_tickets(c->ssl, (size_t)n);
    return c->ctx ? SSL_CTX_set_num_tickets(c->ctx, (size_t)n) : 0;
}

/* ---- certificates and keys */

static int cmd_private_key(SSL_CONF_CTX *c, const char *value)
{
    if (!(c->flags & SSL_CONF_FLAG_CERTIFICATE))
        return -2;
    if (c->ssl)
        return SSL_use_PrivateKey_file(c->ssl, value, SSL_FILETYPE_PEM) > 0;
    return !c->ctx || SSL_CTX_use_PrivateKey_file(c->ctx, value, SSL_FILETYPE_PEM) > 0;
}

/* Its key may follow by a command of its own; if not, it is expected in the same file (SSL_CONF_CTX_finish). */
static int cmd_certificate(SSL_CONF_CTX *c, const char *value)
{
    if (!has_target(c))
        return 1;
    int ok = c->ssl ? SSL_use_certificate_chain_file(c->ssl, value)
                    : SSL_CTX_use_certificate_chain_file(c->ctx, value);
    int slot = certs_get(c->ssl, c->ctx)->current;
    if (ok > 0 && c->flags & SSL_CONF_FLAG_REQUIRE_PRIVATE && slot >= 0) {
        OPENSSL_free(c->key_file[slot]);
        c->key_file[slot] = OPENSSL_strdup(value);
        if (!c->key_file[slot])
            return 0;
    }
    return ok > 0;
}

static int cmd_server_info(SSL_CONF_CTX *c, const char *value)
{
    return !c->ctx || SSL_CTX_use_serverinfo_file(c->ctx, value) > 0;
}

static EVP_PKEY *read_dh(const SSL_CONF_CTX *c, const char *path)
{
    EVP_PKEY *key = NULL;
    struct target t = target_of(c);
    BIO *in = BIO_new(BIO_s_file());
    if (!in || BIO_ctrl(in, BIO_C_SET_FILENAME, BIO_CLOSE | BIO_FP_READ,
                        (void *)(uintptr_t)path) <= 0) {
        BIO_free(in);
        return NULL;
    }
    OSSL_DECODER_CTX *decoder = OSSL_DECODER_CTX_new_for_pkey(
        &key, "PEM", NULL, "DH", OSSL_KEYMGMT_SELECT_DOMAIN_PARAMETERS, t.ctx->libctx,
        t.ctx->propq);
    ERR_set_mark();
    while (decoder && !OSSL_DECODER_from_bio(decoder, in) && !key && !BIO_eof(in))
        continue;
    ERR_pop_to_mark();
    OSSL_DECODER_CTX_free(decoder);
    BIO_free(in);
    return key;
}

static int cmd_dh_parameters(SSL_CONF_CTX *c, const char *value)
{
    if (!has_target(c))
        return 1;
    EVP_PKEY *key = read_dh(c, value);
    if (!key)
        return 0;
    int ok = c->ssl ? SSL_set0_tmp_dh_pkey(c->ssl, key) : SSL_CTX_set0_tmp_dh_pkey(c->ctx, key);
    if (ok <= 0)
        EVP_PKEY_free(key);
    return ok > 0;
}

/* ---- stores, and names of authorities */

enum source { FILE_SOURCE, PATH_SOURCE, STORE_SOURCE };

static int add_to_store(const SSL_CONF_CTX *c, const char *value, enum source source,
                        bool verify)
{
    if (!has_target(c))
        return 1;
    struct target t = target_of(c);
    X509_STORE *store = NULL;
    if (control_cert_store(
            &t, verify ? SSL_CTRL_GET_VERIFY_CERT_STORE : SSL_CTRL_GET_CHAIN_CERT_STORE, 0,
            &store) <= 0)
        return 0;
    bool fresh = !store;
    if (fresh && !(store = X509_STORE_new()))
        return 0;
    int ok = source == FILE_SOURCE
                 ? X509_STORE_load_file_ex(store, value, t.ctx->libctx, t.ctx->propq)
             : source == PATH_SOURCE
                 ? X509_STORE_load_path(store, value)
                 : X509_STORE_load_store_ex(store, value, t.ctx->libctx, t.ctx->propq);
    if (fresh) {
        int set = verify ? SSL_CTRL_SET_VERIFY_CERT_STORE : SSL_CTRL_SET_CHAIN_CERT_STORE;
        if (control_cert_store(&t, set, 0, store) <= 0) {
            X509_STORE_free(store);
            return 0;
        }
    }
    return ok > 0;
}

static int cmd_chain_ca_path(SSL_CONF_CTX *c, const char *value)
{
    return add_to_store(c, value, PATH_SOURCE, false);
}

static int cmd_chain_ca_file(SSL_CONF_CTX *c, const char *value)
{
    return add_to_store(c, value, FILE_SOURCE, false);
}

static int cmd_chain_ca_store(SSL_CONF_CTX *c, const char *value)
{
    return add_to_store(c, value, STORE_SOURCE, false);
}

static int cmd_verify_ca_path(SSL_CONF_CTX *c, const char *value)
{
    return add_to_store(c, value, PATH_SOURCE, true);
}

static int cmd_verify_ca_file(SSL_CONF_CTX *c, const char *value)
{
    return add_to_store(c, value, FILE_SOURCE, true);
}

static int cmd_verify_ca_store(SSL_CONF_CTX *c, const char *value)
{
    return add_to_store(c, value, STORE_SOURCE, true);
}

static int add_names(SSL_CONF_CTX *c, const char *value, enum source source)
{
    if (!c->names && !(c->names = sk_X509_NAME_new_null()))
        return 0;
    if (source == FILE_SOURCE)
        return SSL_add_file_cert_subjects_to_stack(c->names, value);
    return source == PATH_SOURCE ? SSL_add_dir_cert_subjects_to_stack(c->names, value)
                                 : SSL_add_store_cert_subjects_to_stack(c->names, value);
}

static int cmd_request_ca_file(SSL_CONF_CTX *c, const char *value)
{
    return add_names(c, value, FILE_SOURCE);
}

static int cmd_request_ca_path(SSL_CONF_CTX *c, const char *value)
{
    return add_names(c, value, PATH_SOURCE);
}

static int cmd_request_ca_store(SSL_CONF_CTX *c, const char *value)
{
    return add_names(c, value, STORE_SOURCE);
}

/* ---- the commands */

struct command {
    const char *file, *line; /* name in a file and on a command line; or NULL */
    unsigned needs;          /* FOR_ mask */
    int value_type;
    int (*run)(SSL_CONF_CTX *c, const char *value);
};

/* clang-format off */
static const struct command commands[] = {
    {"SignatureAlgorithms", "sigalgs", 0, SSL_CONF_TYPE_STRING, cmd_sigalgs},
    {"ClientSignatureAlgorithms", "client_sigalgs", 0, SSL_CONF_TYPE_STRING, cmd_client_sigalgs},
    {"Curves", "curves", 0, SSL_CONF_TYPE_STRING, cmd_groups},
    {"Groups", "groups", 0, SSL_CONF_TYPE_STRING, cmd_groups},
    {"ECDHParameters", "named_curve", FOR_SERVER, SSL_CONF_TYPE_STRING, cmd_ecdh_parameters},
    {"CipherString", "cipher", 0, SSL_CONF_TYPE_STRING, cmd_cipher_string},
    {"Ciphersuites", "ciphersuites", 0, SSL_CONF_TYPE_STRING, cmd_ciphersuites},
    {"Protocol", NULL, 0, SSL_CONF_TYPE_STRING, cmd_protocol},
    {"MinProtocol", "min_protocol", 0, SSL_CONF_TYPE_STRING, cmd_min_protocol},
    {"MaxProtocol", "max_protocol", 0, SSL_CONF_TYPE_STRING, cmd_max_protocol},
    {"Options", NULL, 0, SSL_CONF_TYPE_STRING, cmd_options},
    {"VerifyMode", NULL, 0, SSL_CONF_TYPE_STRING, cmd_verify_mode},
    {"Certificate", "cert", FOR_CERT, SSL_CONF_TYPE_FILE, cmd_certificate},
    {"PrivateKey", "key", FOR_CERT, SSL_CONF_TYPE_FILE, cmd_private_key},
    {"ServerInfoFile", NULL, FOR_SERVER | FOR_CERT, SSL_CONF_TYPE_FILE, cmd_server_info},
    {"ChainCAPath", "chainCApath", FOR_CERT, SSL_CONF_TYPE_DIR, cmd_chain_ca_path},
    {"ChainCAFile", "chainCAfile", FOR_CERT, SSL_CONF_TYPE_FILE, cmd_chain_ca_file},
    {"ChainCAStore", "chainCAstore", FOR_CERT, SSL_CONF_TYPE_STORE, cmd_chain_ca_store},
    {"VerifyCAPath", "verifyCApath", FOR_CERT, SSL_CONF_TYPE_DIR, cmd_verify_ca_path},
    {"VerifyCAFile", "verifyCAfile", FOR_CERT, SSL_CONF_TYPE_FILE, cmd_verify_ca_file},
    {"VerifyCAStore", "verifyCAstore", FOR_CERT, SSL_CONF_TYPE_STORE, cmd_verify_ca_store},
    {"RequestCAFile", "requestCAFile", FOR_CERT, SSL_CONF_TYPE_FILE, cmd_request_ca_file},
    {"ClientCAFile", NULL, FOR_SERVER | FOR_CERT, SSL_CONF_TYPE_FILE, cmd_request_ca_file},
    {"RequestCAPath", NULL, FOR_CERT, SSL_CONF_TYPE_DIR, cmd_request_ca_path},
    {"ClientCAPath", NULL, FOR_SERVER | FOR_CERT, SSL_CONF_TYPE_DIR, cmd_request_ca_path},
    {"RequestCAStore", "requestCAStore", FOR_CERT, SSL_CONF_TYPE_STORE, cmd_request_ca_store},
    {"ClientCAStore", NULL, FOR_SERVER | FOR_CERT, SSL_CONF_TYPE_STORE, cmd_request_ca_store},
    {"DHParameters", "dhparam", FOR_SERVER | FOR_CERT, SSL_CONF_TYPE_FILE, cmd_dh_parameters},
    {"RecordPadding", "record_padding", 0, SSL_CONF_TYPE_STRING, cmd_record_padding},
    {"NumTickets", "num_tickets", FOR_SERVER, SSL_CONF_TYPE_STRING, cmd_num_tickets},
};
/* clang-format on */

static const struct command *find_command(const SSL_CONF_CTX *c, const char *name)
{
    for (size_t i = 0; i < COUNT(commands); i++) {
        const struct command *cmd = &commands[i];
        if ((cmd->needs & c->flags) != cmd->needs)
            continue;
        if (c->flags & SSL_CONF_FLAG_CMDLINE && cmd->line && strcmp(cmd->line, name) == 0)
            return cmd;
        if (c->flags & SSL_CONF_FLAG_FILE && OPENSSL_strcasecmp(cmd->file, name) == 0)
            return cmd;
    }
    return NULL;
}

/* Switches stand on command lines only, and need one of their roles where they are for one only. */
static const struct word *find_switch(const SSL_CONF_CTX *c, const char *name)
{
    if (!(c->flags & SSL_CONF_FLAG_CMDLINE))
        return NULL;
    for (size_t i = 0; i < COUNT(switches); i++) {
        const struct word *w = &switches[i];
        if ((w->roles == FOR_ROLES || w->roles & c->flags) && strcmp(w->name, name) == 0)
            return w;
    }
    return NULL;
}

/* without_prefix: the name itself; NULL if what comes before it is missing. */
static const char *without_prefix(const SSL_CONF_CTX *c, const char *name)
{
    if (!name || !*name)
        return NULL;
    if (c->prefix) {
        size_t len = strlen(c->prefix);
        if (strlen(name) <= len)
            return NULL;
        if (c->flags & SSL_CONF_FLAG_CMDLINE && strncmp(name, c->prefix, len) != 0)
            return NULL;
        if (c->flags & SSL_CONF_FLAG_FILE && OPENSSL_strncasecmp(name, c->prefix, len) != 0)
            return NULL;
        return name + len;
    }
    if (c->flags & SSL_CONF_FLAG_CMDLINE)
        return name[0] == '-' && name[1] ? name + 1 : NULL;
    return name;
}

int SSL_CONF_cmd(SSL_CONF_CTX *c, const char *name, const char *value)
{
    if (!name) {
        raise_ssl(SSL_R_INVALID_NULL_CMD_NAME);
        return 0;
    }
    const char *bare = without_prefix(c, name);
    if (!bare)
        return -2;
    const struct word *w = find_switch(c, bare);
    if (w) {
        set_bits(c, w, true);
        return 1;
    }
    const struct command *cmd = find_command(c, bare);
    if (!cmd) {
        if (c->flags & SSL_CONF_FLAG_SHOW_ERRORS)
            raise_ssl_text(SSL_R_UNKNOWN_CMD_NAME, "cmd=%s", bare);
        return -2;
    }
    int result = value ? cmd->run(c, value) : -3;
    if (result > 0)
        return 2;
    if (c->flags & SSL_CONF_FLAG_SHOW_ERRORS)
        raise_ssl_text(SSL_R_BAD_VALUE, "cmd=%s, value=%s", bare, value ? value : "<EMPTY>");
    return result < 0 ? result : 0;
}

int SSL_CONF_cmd_argv(SSL_CONF_CTX *c, int *argc, char ***argv)
{
    if (argc && *argc <= 0)
        return 0;
    const char *name = (*argv)[0];
    if (!name)
        return 0;
    const char *value = !argc || *argc > 1 ? (*argv)[1] : NULL;
    c->flags = (c->flags & ~(unsigned)SSL_CONF_FLAG_FILE) | SSL_CONF_FLAG_CMDLINE;
    int used = SSL_CONF_cmd(c, name, value);
    if (used > 0) {
        *argv += used;
        if (argc)
            *argc -= used;
        return used;
    }
    if (used == -2)
        return 0;
    return used == 0 ? -1 : used;
}

int SSL_CONF_cmd_value_type(SSL_CONF_CTX *c, const char *name)
{
    const char *bare = without_prefix(c, name);
    if (!bare)
        return SSL_CONF_TYPE_UNKNOWN;
    if (find_switch(c, bare))
        return SSL_CONF_TYPE_NONE;
    const struct command *cmd = find_command(c, bare);
    return cmd ? cmd->value_type : SSL_CONF_TYPE_UNKNOWN;
}

/* ---- the object */

SSL_CONF_CTX *SSL_CONF_CTX_new(void)
{
    return OPENSSL_zalloc(sizeof(SSL_CONF_CTX));
}

void SSL_CONF_CTX_free(SSL_CONF_CTX *c)
{
    if (!c)
        return;
    for (size_t i = 0; i < COUNT(c->key_file); i++)
        OPENSSL_free(c->key_file[i]);
    sk_X509_NAME_pop_free(c->names, X509_NAME_free);
    OPENSSL_free(c->prefix);
    OPENSSL_free(c);
}

static bool find_keys(SSL_CONF_CTX *c)
{
    if (!has_target(c) || !(c->flags & SSL_CONF_FLAG_REQUIRE_PRIVATE))
        return true;
    for (size_t i = 0; i < COUNT(c->key_file); i++)
        if (c->key_file[i] && !certs_get(c->ssl, c->ctx)->entry[i].key &&
            cmd_private_key(c, c->key_file[i]) <= 0)
            return false;
    return true;
}

int SSL_CONF_CTX_finish(SSL_CONF_CTX *c)
{
    if (!find_keys(c))
        return 0;
    if (c->names && c->ssl)
        SSL_set0_CA_list(c->ssl, c->names);
    else if (c->names && c->ctx)
        SSL_CTX_set0_CA_list(c->ctx, c->names);
    else
        sk_X509_NAME_pop_free(c->names, X509_NAME_free);
    c->names = NULL;
    return 1;
}

unsigned int SSL_CONF_CTX_set_flags(SSL_CONF_CTX *c, unsigned int flags)
{
    return c->flags |= flags;
}

unsigned int SSL_CONF_CTX_clear_flags(SSL_CONF_CTX *c, unsigned int flags)
{
    return c->flags &= ~flags;
}

int SSL_CONF_CTX_set1_prefix(SSL_CONF_CTX *c, const char *prefix)
{
    char *copy = prefix ? OPENSSL_strdup(prefix) : NULL;
    if (prefix && !copy)
        return 0;
    OPENSSL_free(c->prefix);
    c->prefix = copy;
    return 1;
}

void SSL_CONF_CTX_set_ssl(SSL_CONF_CTX *c, SSL *ssl)
{
    c->ssl = ssl;
    c->ctx = NULL;
}

void SSL_CONF_CTX_set_ssl_ctx(SSL_CONF_CTX *c, SSL_CTX *ctx)
{
    c->ctx = ctx;
    c->ssl = NULL;
}
