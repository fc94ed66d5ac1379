/* custom.c: extensions that a program adds to the handshake. */
#include "libssl/local.h"

#include "libssl/custom.h"

enum custom_role { CUSTOM_CLIENT, CUSTOM_SERVER, CUSTOM_BOTH };

struct custom_ext {
    enum custom_role role;
    unsigned type;
    unsigned context; /* SSL_EXT_ mask */
    SSL_custom_ext_add_cb_ex add;
    SSL_custom_ext_free_cb_ex free;
    void *add_arg;
    SSL_custom_ext_parse_cb_ex parse;
    void *parse_arg;
    /* The callbacks of SSL_CTX_add_client_custom_ext and its twin know no context. */
    custom_ext_add_cb old_add;
    custom_ext_free_cb old_free;
    custom_ext_parse_cb old_parse;
};

/* Shared by all settings that came from those which it was made for; a new one is made when one is added. */
struct custom_exts {
    _Atomic int refs;
    size_t count;
    struct custom_ext ext[];
};

struct custom_exts *custom_ref(struct custom_exts *c)
{
    if (c)
        atomic_fetch_add_explicit(&c->refs, 1, memory_order_relaxed);
    return c;
}

void custom_free(struct custom_exts *c)
{
    if (c && atomic_fetch_sub_explicit(&c->refs, 1, memory_order_acq_rel) == 1)
        OPENSSL_free(c);
}

static const struct custom_ext *find(const struct custom_exts *c, enum custom_role role,
                                     unsigned type)
{
    for (size_t i = 0; c && i < c->count; i++) {
        const struct custom_ext *e = &c->ext[i];
        if (e->type == type &&
            (role == CUSTOM_BOTH || e->role == CUSTOM_BOTH || e->role == role))
            return e;
    }
    return NULL;
}

bool custom_is_known(const struct custom_exts *c, unsigned type)
{
    return find(c, CUSTOM_BOTH, type) != NULL;
}

int SSL_extension_supported(unsigned int type)
{
    static const unsigned short supported[] = {
        TLSEXT_TYPE_server_name,
        TLSEXT_TYPE_max_fragment_length,
        TLSEXT_TYPE_status_request,
        TLSEXT_TYPE_supported_groups,
        TLSEXT_TYPE_ec_point_formats,
        TLSEXT_TYPE_srp,
        TLSEXT_TYPE_signature_algorithms,
        TLSEXT_TYPE_use_srtp,
        TLSEXT_TYPE_application_layer_protocol_negotiation,
        TLSEXT_TYPE_signed_certificate_timestamp,
        TLSEXT_TYPE_padding,
        TLSEXT_TYPE_encrypt_then_mac,
        TLSEXT_TYPE_extended_master_secret,
        TLSEXT_TYPE_session_ticket,
        TLSEXT_TYPE_psk,
        TLSEXT_TYPE_early_data,
        TLSEXT_TYPE_supported_versions,
        TLSEXT_TYPE_cookie,
        TLSEXT_TYPE_psk_kex_modes,
        TLSEXT_TYPE_certificate_authorities,
        TLSEXT_TYPE_post_handshake_auth,
        TLSEXT_TYPE_key_share,
        TLSEXT_TYPE_next_proto_neg,
        TLSEXT_TYPE_renegotiate,
    };
    for (size_t i = 0; i < sizeof supported / sizeof supported[0]; i++)
        if (supported[i] == type)
            return 1;
    return 0;
}

enum { CRYPTOPRO = 0xfde8 }; /* an old peer's */

bool custom_or_known(const SSL *s, unsigned type)
{
    return SSL_extension_supported(type) || custom_is_known(s->settings->custom_exts, type) ||
           type == TLSEXT_TYPE_signature_algorithms_cert || type == CRYPTOPRO;
}

/* Timestamps were not known to OpenSSL once: a program may still do them itself, unless it has enabled CT. */
static bool may_add(const SSL_CTX *ctx, const struct custom_ext *e)
{
    if ((!e->add && e->free) || (!e->old_add && e->old_free) || e->type > 0xffff)
        return false;
    if (e->type == TLSEXT_TYPE_signed_certificate_timestamp)
        return !(e->context & SSL_EXT_CLIENT_HELLO) || !SSL_CTX_ct_is_enabled(ctx);
    return !SSL_extension_supported(e->type);
}

static int add_ext(SSL_CTX *ctx, const struct custom_ext *e)
{
    const struct custom_exts *old = ctx->settings->custom_exts;
    if (!may_add(ctx, e) || find(old, e->role, e->type))
        return 0;
    size_t count = old ? old->count : 0;
    struct custom_exts *c = OPENSSL_zalloc(sizeof *c + (count + 1) * sizeof c->ext[0]);
    struct settings *t = c ? settings_edit(&ctx->settings) : NULL;
    if (!t) {
        OPENSSL_free(c);
        raise_ssl(ERR_R_MALLOC_FAILURE);
        return 0;
    }
    atomic_init(&c->refs, 1);
    if (count)
        memcpy(c->ext, t->custom_exts->ext, count * sizeof c->ext[0]);
    c->ext[count] = *e;
    c->count = count + 1;
    custom_free(t->custom_exts);
    t->custom_exts = c;
    return 1;
}

static int add_old(SSL_CTX *ctx, const struct custom_ext *e)
{
    struct custom_ext full = *e;
    full.context = SSL_EXT_TLS1_2_AND_BELOW_ONLY | SSL_EXT_CLIENT_HELLO |
                   SSL_EXT_TLS1_2_SERVER_HELLO | SSL_EXT_IGNORE_ON_RESUMPTION;
    return add_ext(ctx, &full);
}

int SSL_CTX_add_client_custom_ext(SSL_CTX *ctx, unsigned int ext_type, custom_ext_add_cb add_cb,
                                  custom_ext_free_cb free_cb, void *add_arg,
                                  custom_ext_parse_cb parse_cb, void *parse_arg)
{
    struct custom_ext e = {.role = CUSTOM_CLIENT,
                           .type = ext_type,
                           .old_add = add_cb,
                           .old_free = free_cb,
                           .add_arg = add_arg,
                           .old_parse = parse_cb,
                           .parse_arg = parse_arg};
    return add_old(ctx, &e);
}

int SSL_CTX_add_server_custom_ext(SSL_CTX *ctx, unsigned int ext_type, custom_ext_add_cb add_cb,
                                  custom_ext_free_cb free_cb, void *add_arg,
                                  custom_ext_parse_cb parse_cb, void *parse_arg)
{
    struct custom_ext e = {.role = CUSTOM_SERVER,
                           .type = ext_type,
                           .old_add = add_cb,
                           .old_free = free_cb,
                           .add_arg = add_arg,
                           .old_parse = parse_cb,
                           .parse_arg = parse_arg};
    return add_old(ctx, &e);
}

int SSL_CTX_add_custom_ext(SSL_CTX *ctx, unsigned int ext_type, unsigned int context,
                           SSL_custom_ext_add_cb_ex add_cb, SSL_custom_ext_free_cb_ex free_cb,
                           void *add_arg, SSL_custom_ext_parse_cb_ex parse_cb, void *parse_arg)
{
    struct custom_ext e = {.role = CUSTOM_BOTH,
                           .type = ext_type,
                           .context = context,
                           .add = add_cb,
                           .free = free_cb,
                           .add_arg = add_arg,
                           .parse = parse_cb,
                           .parse_arg = parse_arg};
    return add_ext(ctx, &e);
}

int SSL_CTX_has_client_custom_ext(const SSL_CTX *ctx, unsigned int ext_type)
{
    return find(ctx->settings->custom_exts, CUSTOM_CLIENT, ext_type) != NULL;
}

/* ---- in the handshake */

static unsigned context_of(unsigned message)
{
    switch (message) {
    case APPLICATION_CH: return SSL_EXT_CLIENT_HELLO;
    case APPLICATION_SH: return SSL_EXT_TLS1_3_SERVER_HELLO;
    case APPLICATION_HRR: return SSL_EXT_TLS1_3_HELLO_RETRY_REQUEST;
    case APPLICATION_EE: return SSL_EXT_TLS1_3_ENCRYPTED_EXTENSIONS;
    case APPLICATION_CR: return SSL_EXT_TLS1_3_CERTIFICATE_REQUEST;
    case APPLICATION_CT: return SSL_EXT_TLS1_3_CERTIFICATE;
    case APPLICATION_NST: return SSL_EXT_TLS1_3_NEW_SESSION_TICKET;
    default: return SSL_EXT_TLS1_2_SERVER_HELLO;
    }
}

static unsigned messages_of(unsigned context)
{
    static const unsigned all[] = {APPLICATION_CH,  APPLICATION_SH,  APPLICATION_HRR,
                                   APPLICATION_EE,  APPLICATION_CR,  APPLICATION_CT,
                                   APPLICATION_NST, APPLICATION_SH12};
    unsigned mask = 0;
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++)
        if (context & context_of(all[i]))
            mask |= all[i];
    return mask;
}

/* May it stand here in this version? While a client writes its hello no version is agreed on: what is only for TLS
 * 1.3 is left out if that is not offered. */
static bool is_relevant(const SSL *s, const struct custom_ext *e,
                        const struct application_place *place)
{
    bool first = place->message == APPLICATION_CH && !s->server;
    bool newest = place->version >= TLS1_3_VERSION;
    if (e->context & SSL_EXT_TLS1_2_AND_BELOW_ONLY && newest && !first)
        return false;
    if (e->context & SSL_EXT_TLS1_3_ONLY && !newest)
        return false;
    return !(e->context & SSL_EXT_IGNORE_ON_RESUMPTION && place->resumed) &&
           !(e->context & SSL_EXT_DTLS_ONLY);
}

static const struct custom_ext *ext_at(const SSL *s, const struct application_place *place)
{
    const struct custom_ext *e =
        find(s->settings->custom_exts, s->server ? CUSTOM_SERVER : CUSTOM_CLIENT, place->id);
    return e && is_relevant(s, e, place) ? e : NULL;
}

static X509 *certificate_at(const struct application_place *place)
{
    return place->certificate ? access_x509(place->certificate) : NULL;
}

static int add_content(const struct application_place *place, const uint8_t **out, size_t *len,
                       uint8_t *alert, void *arg)
{
    (void)arg;
    SSL *s = ssl_of(place->conn);
    const struct custom_ext *e = ext_at(s, place);
    int al = SSL_AD_INTERNAL_ERROR, result = 1;
    if (!e || (place->message != APPLICATION_CH && !e->add && !e->old_add))
        return 0;
    if (e->add)
        result = e->add(s, place->id, context_of(place->message), out, len,
                        certificate_at(place), place->entry, &al, e->add_arg);
    else if (e->old_add)
        result = e->old_add(s, place->id, out, len, &al, e->add_arg);
    if (result < 0) {
        raise_ssl(SSL_R_CALLBACK_FAILED);
        s->raised = true;
        *alert = (uint8_t)al;
    }
    return result;
}

static void content_added(const struct application_place *place, const uint8_t *content,
                          void *arg)
{
    (void)arg;
    SSL *s = ssl_of(place->conn);
    const struct custom_ext *e = ext_at(s, place);
    if (e && e->free)
        e->free(s, place->id, context_of(place->message), content, e->add_arg);
    else if (e && e->old_free)
        e->old_free(s, place->id, content, e->add_arg);
}

static bool take_content(const struct application_place *place, const uint8_t *content,
                         size_t len, uint8_t *alert, void *arg)
{
    (void)arg;
    SSL *s = ssl_of(place->conn);
    const struct custom_ext *e = ext_at(s, place);
    int al = SSL_AD_DECODE_ERROR, result = 1;
    if (e && e->parse)
        result = e->parse(s, place->id, context_of(place->message), content, len,
                          certificate_at(place), place->entry, &al, e->parse_arg);
    else if (e && e->old_parse)
        result = e->old_parse(s, place->id, content, len, &al, e->parse_arg);
    if (result > 0)
        return true;
    raise_ssl(SSL_R_BAD_EXTENSION);
    s->raised = true;
    *alert = (uint8_t)al;
    return false;
}

bool custom_to_config(const SSL *s, hf_config *config, hf_role role)
{
    const struct custom_exts *c = s->settings->custom_exts;
    struct applications a = {.add = add_content, .added = content_added, .take = take_content};
    enum custom_role own = role == HF_SERVER ? CUSTOM_SERVER : CUSTOM_CLIENT;
    for (size_t i = 0; c && i < c->count && a.count < APPLICATIONS_MAX; i++) {
        const struct custom_ext *e = &c->ext[i];
        if (e->role == own || e->role == CUSTOM_BOTH)
            a.ext[a.count++] =
                (struct application_extension){(uint16_t)e->type, messages_of(e->context)};
    }
    return a.count == 0 || access_config_applications(config, &a);
}
