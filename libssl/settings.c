/* settings.c: settings that are shared until they change, and the engine's configuration made of them. */
#include "handfast_policy.h"
#include "libssl/custom.h"
#include "libssl/fetch.h"
#include "libssl/local.h"

/* Defaults that OpenSSL's manual pages promise. */
enum {
    SECURITY_LEVEL = 2, /* what Debian builds in */
    MAX_CERT_LIST = 100 * 1024,
    TICKETS = 2,
};

static uint64_t next_change(void)
{
    static _Atomic uint64_t count;
    return atomic_fetch_add_explicit(&count, 1, memory_order_relaxed) + 1;
}

struct settings *settings_new(void)
{
    struct settings *s = OPENSSL_zalloc(sizeof *s);
    if (!s || !(s->certs = certs_new())) {
        OPENSSL_free(s);
        return NULL;
    }
    atomic_init(&s->refs, 1);
    s->made = next_change();
    s->ca_names = sk_X509_NAME_new_null(); /* contexts have these from their beginning */
    s->client_ca_names = sk_X509_NAME_new_null();
    s->mode = SSL_MODE_AUTO_RETRY;
    s->options = SSL_OP_NO_COMPRESSION | SSL_OP_ENABLE_MIDDLEBOX_COMPAT;
    s->security_level = SECURITY_LEVEL;
    s->num_tickets = TICKETS;
    s->max_send_fragment = s->split_send_fragment = SSL3_RT_MAX_PLAIN_LENGTH;
    s->max_pipelines = 1;
    s->max_cert_list = MAX_CERT_LIST;
    s->recv_max_early_data = SSL3_RT_MAX_PLAIN_LENGTH;
    s->status_type = -1;
    if (!ciphers_default(s)) {
        settings_free(s);
        return NULL;
    }
    return s;
}

struct settings *settings_ref(struct settings *s)
{
    atomic_fetch_add_explicit(&s->refs, 1, memory_order_relaxed);
    return s;
}

static void drop_configs(struct settings *s)
{
    for (int role = 0; role < 2; role++)
        hf_config_free(atomic_exchange_explicit(&s->config[role], NULL, memory_order_acq_rel));
}

void settings_free(struct settings *s)
{
    if (!s || atomic_fetch_sub_explicit(&s->refs, 1, memory_order_acq_rel) != 1)
        return;
    drop_configs(s);
    OPENSSL_free(s->alpn);
    certs_free(s->certs);
    sk_X509_NAME_pop_free(s->ca_names, X509_NAME_free);
    sk_X509_NAME_pop_free(s->client_ca_names, X509_NAME_free);
    OPENSSL_free(s->psk_hint);
    custom_free(s->custom_exts);
    sk_SRTP_PROTECTION_PROFILE_free(s->srtp);
    OPENSSL_free(s);
}

static STACK_OF(X509_NAME) * copy_names(const STACK_OF(X509_NAME) * names)
{
    return sk_X509_NAME_deep_copy(names, X509_NAME_dup, X509_NAME_free);
}

static struct settings *copy_of(const struct settings *from)
{
    /* What stands in front is other threads' business. */
    const size_t skip = offsetof(struct settings, options);
    struct settings *s = OPENSSL_zalloc(sizeof *from);
    if (!s)
        return NULL;
    memcpy((char *)s + skip, (const char *)from + skip, sizeof *from - skip);
    atomic_init(&s->refs, 1);
    atomic_init(&s->config[0], NULL);
    atomic_init(&s->config[1], NULL);
    s->made = next_change();
    s->base = from->made;
    certs_ref(s->certs);
    custom_ref(s->custom_exts);
    s->alpn = from->alpn ? OPENSSL_memdup(from->alpn, from->alpn_len) : NULL;
    s->ca_names = from->ca_names ? copy_names(from->ca_names) : NULL;
    s->client_ca_names = from->client_ca_names ? copy_names(from->client_ca_names) : NULL;
    s->psk_hint = from->psk_hint ? OPENSSL_strdup(from->psk_hint) : NULL;
    s->srtp = from->srtp ? sk_SRTP_PROTECTION_PROFILE_dup(from->srtp) : NULL;
    if ((from->alpn && !s->alpn) || (from->ca_names && !s->ca_names) ||
        (from->client_ca_names && !s->client_ca_names) || (from->psk_hint && !s->psk_hint)) {
        settings_free(s);
        return NULL;
    }
    return s;
}

struct settings *settings_edit(struct settings **slot)
{
    struct settings *s = *slot;
    if (atomic_load_explicit(&s->refs, memory_order_acquire) == 1) {
        drop_configs(s);
        s->made = next_change();
        return s;
    }
    if (!(s = copy_of(s))) {
        raise_ssl(ERR_R_MALLOC_FAILURE);
        return NULL;
    }
    settings_free(*slot);
    return *slot = s;
}

struct settings *settings_touch(struct settings **slot)
{
    struct settings *from = *slot, *s = from;
    if (atomic_load_explicit(&s->refs, memory_order_acquire) == 1)
        return s;
    if (!(s = copy_of(s))) {
        raise_ssl(ERR_R_MALLOC_FAILURE);
        return NULL;
    }
    for (int role = 0; role < 2; role++) {
        hf_config *config = atomic_load_explicit(&from->config[role], memory_order_acquire);
        if (config)
            atomic_store(&s->config[role], hf_config_ref(config));
    }
    settings_free(from);
    return *slot = s;
}

/* ---- the engine's configuration */

static const struct {
    int version;
    uint64_t off;
} versions[] = {
    {TLS1_3_VERSION, SSL_OP_NO_TLSv1_3},
    {TLS1_2_VERSION, SSL_OP_NO_TLSv1_2},
    {TLS1_1_VERSION, SSL_OP_NO_TLSv1_1},
    {TLS1_VERSION, SSL_OP_NO_TLSv1},
};

static bool may_use(const SSL *s, int version, uint64_t off)
{
    const struct settings *t = s->settings;
    /* Signatures of old are for level 0: where a newer version is on there is no use in these. */
    if (!security_version(s, version) ||
        (version < TLS1_2_VERSION && t->security_level > 0 && !security_custom(s)))
        return false;
    if (s->method->version != TLS_ANY_VERSION)
        return version == s->method->version && !(t->options & off);
    return !(t->options & off) && (!t->version_min || version >= t->version_min) &&
           (!t->version_max || version <= t->version_max);
}

/* Where there is a hole between allowed versions, the lower part counts for a client, as in OpenSSL: a ClientHello of
 * TLS 1.2 can only name the highest, and everything below it is meant. A server takes the upper one. */
static bool set_versions(const SSL *s, hf_config *config)
{
    int low = 0, high = 0;
    bool hole = true;
    for (size_t i = 0; i < sizeof versions / sizeof versions[0]; i++) {
        if (!may_use(s, versions[i].version, versions[i].off)) {
            if (low && s->server)
                break;
            hole = true;
        } else {
            low = versions[i].version;
            high = hole ? low : high;
            hole = false;
        }
    }
    if (!low) {
        raise_ssl(SSL_R_NO_PROTOCOLS_AVAILABLE);
        return false;
    }
    if (s->server && high == TLS1_3_VERSION && low < high && !certs_for13(s))
        high = TLS1_2_VERSION; /* no key that TLS 1.3 could use */
    return hf_config_set_versions(config, (uint16_t)low, (uint16_t)high);
}

static void leave_unproven_out(struct id_list *list, const struct id_list *sigalgs)
{
    size_t count = 0;
    for (size_t i = 0; i < list->count; i++) {
        const SSL_CIPHER *cipher = cipher_by_id(list->id[i]);
        if (!cipher || sigalgs_for(sigalgs, cipher))
            list->id[count++] = list->id[i];
    }
    list->count = count;
}

static bool set_lists(SSL *s, hf_config *config)
{
    const struct settings *t = s->settings;
    struct id_list suites = t->suites, suites13 = t->suites13;
    struct id_list groups = t->groups.count ? t->groups : groups_default;
    struct id_list sigalgs = t->sigalgs.count ? t->sigalgs : sigalgs_default;
    struct id_list signing = t->client_sigalgs;
    if (!security_lists(s, &suites, &suites13, &groups, &sigalgs, &signing))
        return false;
    const struct fetch_lists there = {&suites13, &suites, &groups, &sigalgs, &signing};
    if (!fetch_lists(s->ctx, &there))
        return false;
    if (!s->server)
        leave_unproven_out(&suites, &sigalgs);
    struct access_lists lists = {
        .suites13 = suites13.id,
        .suites13_count = suites13.count,
        .suites = suites.id,
        .suites_count = suites.count,
        .groups = groups.id,
        .groups_count = groups.count,
        .sigalgs = sigalgs.id,
        .sigalgs_count = sigalgs.count,
        .client_sigalgs = signing.id,
        .client_sigalgs_count = signing.count,
        .alpn = t->alpn,
        .alpn_len = t->alpn_len,
    };
    return access_config_lists(config, &lists);
}

static hf_client_auth client_auth(const struct settings *t)
{
    if (!(t->verify_mode & SSL_VERIFY_PEER) || t->verify_mode & SSL_VERIFY_POST_HANDSHAKE)
        return HF_CLIENT_AUTH_NONE;
    return t->verify_mode & SSL_VERIFY_FAIL_IF_NO_PEER_CERT ? HF_CLIENT_AUTH_REQUIRE
                                                            : HF_CLIENT_AUTH_REQUEST;
}

/* The byte of the content type counts: SSL_CTX_set_block_padding(3). */
size_t settings_padding(hf_conn *conn, uint8_t type, size_t len)
{
    SSL *s = ssl_of(conn);
    const struct settings *t = s->settings;
    if (t->padding_cb)
        return t->padding_cb(s, type, len, t->padding_arg);
    size_t over = t->block_padding ? len % t->block_padding : 0;
    return over ? t->block_padding - over : 0;
}

static bool set_server(const struct settings *t, hf_config *config)
{
    return access_config_half_rtt(config) && access_config_dh(config, &tmp_dh_source) &&
           hf_config_set_client_auth(config, client_auth(t)) &&
           hf_config_set_max_early_data(config, t->max_early_data);
}

static bool set_client(const struct settings *t, hf_config *config)
{
    static const uint16_t fragments[] = {0, 512, 1024, 2048, 4096};
    bool ocsp = t->status_type == TLSEXT_STATUSTYPE_ocsp;
    return hf_config_set_early_data(config, t->offer_early) &&
           hf_config_set_ocsp(config, ocsp ? HF_OCSP_REQUEST : HF_OCSP_NONE) &&
           hf_config_set_fallback(config, t->mode & SSL_MODE_SEND_FALLBACK_SCSV) &&
           hf_config_insecure_allow_unpatched(
               config, t->options & (SSL_OP_LEGACY_SERVER_CONNECT |
                                     SSL_OP_ALLOW_UNSAFE_LEGACY_RENEGOTIATION)) &&
           hf_config_set_max_fragment(config, fragments[t->max_fragment_code]);
}

/* A server renegotiates when its own program asks for it; that a client does must be allowed. */
static bool set_renegotiation(const struct settings *t, hf_config *config, hf_role role)
{
    bool never = t->options & SSL_OP_NO_RENEGOTIATION;
    bool own = role == HF_SERVER && !(t->options & SSL_OP_ALLOW_CLIENT_RENEGOTIATION);
    return hf_config_set_renegotiation(config, never ? 0 : 65535) &&
           (!own || access_config_own_renegotiation(config));
}

/* The handshake must have room for what is allowed. */
static bool set_chain(const struct settings *t, hf_config *config)
{
    enum { MOST = 0xffffff, CAP = 256 * 1024 };
    size_t bytes = t->max_cert_list < 1 ? 1 : t->max_cert_list > MOST ? MOST : t->max_cert_list;
    return hf_config_set_memory_cap(config, CAP + 2 * bytes) &&
           hf_config_set_max_chain(config, HF_CHAIN_MAX, bytes);
}

static bool set_both(const SSL *s, hf_config *config, hf_role role)
{
    const struct settings *t = s->settings;
    unsigned level = security_custom(s) ? 0 : (unsigned)t->security_level;
    unsigned modes = HF_PSK_DHE_KE;
    if (t->options & SSL_OP_ALLOW_NO_DHE_KEX)
        modes |= HF_PSK_KE;
    /* A client's order counts among the schemes that it signs with. */
    bool prefer = t->options & SSL_OP_CIPHER_SERVER_PREFERENCE;
    return hf_config_insecure_set_security_level(config, level) &&
           hf_config_set_server_preference(config, prefer) &&
           hf_config_insecure_no_verify(config) && hf_config_insecure_no_name_check(config) &&
           hf_config_set_psk_modes(config, modes) && set_renegotiation(t, config, role) &&
           access_config_refusal_fails(config) &&
           hf_config_set_middlebox_compat(config,
                                          t->options & SSL_OP_ENABLE_MIDDLEBOX_COMPAT) &&
           hf_config_set_encrypt_then_mac(config, !(t->options & SSL_OP_NO_ENCRYPT_THEN_MAC)) &&
           hf_config_set_send_fragment(config, (uint16_t)t->max_send_fragment) &&
           (!(t->block_padding || t->padding_cb) ||
            access_config_record_padding(config, settings_padding)) &&
           (!security_custom(s) || access_config_checks(config, &security_checks)) &&
           set_chain(t, config) &&
           hf_config_set_post_handshake_auth(config, role == HF_SERVER || t->pha) &&
           access_config_keep_details(config);
}

/* Programs know one reason why no handshake can begin. */
static void refuse(const hf_error *err)
{
    static const char about_versions[] = "versions ";
    if (err->code == HF_E_CONFIG &&
        strncmp(err->detail, about_versions, sizeof about_versions - 1) == 0)
        raise_hf_as(err, SSL_R_NO_PROTOCOLS_AVAILABLE);
    else if (err->code == HF_E_CONFIG) /* of what was set nothing can be used */
        raise_hf_as(err, SSL_R_NO_CIPHERS_AVAILABLE);
    else if (err->code != HF_OK)
        raise_hf(err);
}

static hf_config *make_config(SSL *s, hf_role role)
{
    const struct settings *t = s->settings;
    hf_config *config = hf_config_new(role);
    hf_error err = {0};
    if (!config) {
        raise_ssl(ERR_R_MALLOC_FAILURE);
        return NULL;
    }
    bool ok = set_versions(s, config);
    if (ok) {
        ok = set_lists(s, config) && set_both(s, config, role) &&
             (role == HF_SERVER ? set_server(t, config) : set_client(t, config)) &&
             certs_to_config(s, config) && names_to_config(s, config, role) &&
             (role == HF_SERVER || status_to_config(s, config)) &&
             sessions_to_config(s, config, role) && ssl_config_callbacks(config, s, role) &&
             hf_config_freeze(config, &err);
        if (!ok)
            refuse(hf_config_error(config) ? hf_config_error(config) : &err);
    }
    if (!ok) {
        hf_config_free(config);
        return NULL;
    }
    return config;
}

hf_config *settings_config(SSL *s, hf_role role)
{
    /* A callback is asked for each connection. */
    bool alone = atomic_load_explicit(&s->settings->refs, memory_order_acquire) == 1;
    if (security_custom(s) && !alone && !settings_edit(&s->settings))
        return NULL;
    struct settings *t = s->settings;
    hf_config *config = atomic_load_explicit(&t->config[role], memory_order_acquire),
              *none = NULL;
    unsigned events = state_trace_kinds(s);
    /* The context may have got its callback since. */
    if (config && events & ~atomic_load(&t->traced[role])) {
        if (!(t = settings_edit(&s->settings)))
            return NULL;
        config = NULL;
    }
    if (config || (config = variant_find(s)) != NULL)
        return config;
    if (!(config = make_config(s, role)))
        return NULL;
    atomic_store(&t->traced[role], events);
    /* Connections of several threads may share these settings. */
    if (atomic_compare_exchange_strong(&t->config[role], &none, config)) {
        variant_keep(s);
        return config;
    }
    hf_config_free(config);
    return none;
}
