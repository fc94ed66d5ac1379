/* context.c: configurations the way that other libraries make contexts. */
#include "handfast_context.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <sys/auxv.h>

#include "config/list.h"
#include "config/usable.h"

#define STRICT_RULES (HF_VERIFY_TRUSTED_FIRST | HF_VERIFY_PARTIAL_CHAIN | HF_VERIFY_STRICT)

static bool may_set(const hf_config *config)
{
    return config && !atomic_load_explicit(&config->frozen, memory_order_acquire);
}

/* ---- by purpose and by protocol */

static bool add_anchors(hf_config *config, const char *file, const char *folder,
                        const void *data, size_t len, hf_error *err)
{
    hf_trust *trust = hf_trust_new();
    bool ok;

    if (!trust)
        return err_set(err, HF_E_NO_MEMORY, "for the trust anchors");
    ok = (!file || hf_trust_add_file(trust, file, err)) &&
         (!folder || hf_trust_add_folder(trust, folder, err)) &&
         (!data || hf_trust_add_memory(trust, data, len, err)) &&
         hf_config_set_trust(config, trust);
    hf_trust_free(trust);
    return ok;
}

hf_config *hf_config_default(hf_purpose purpose, const char *ca_file, const char *ca_folder,
                             const void *ca_data, size_t ca_data_len, hf_error *err)
{
    err_begin(err);
    if ((unsigned)purpose > HF_PURPOSE_CLIENT_AUTH) {
        err_set(err, HF_E_USAGE, "hf_config_default: no purpose has number %d", (int)purpose);
        return NULL;
    }
    hf_config *config =
        hf_config_new(purpose == HF_PURPOSE_SERVER_AUTH ? HF_CLIENT : HF_SERVER);
    if (!config) {
        err_set(err, HF_E_NO_MEMORY, "for a configuration");
        return NULL;
    }
    bool any = ca_file || ca_folder || ca_data;
    if (!hf_config_set_verify_flags(config, STRICT_RULES) ||
        (any && !add_anchors(config, ca_file, ca_folder, ca_data, ca_data_len, err))) {
        if (err && err->code == HF_OK)
            *err = config->error;
        hf_config_free(config);
        return NULL;
    }
    return config;
}

/* What a protocol stands for; lowest 0: nothing that may be used. */
struct protocol {
    hf_protocol protocol;
    const char *rfc;
    bool client, server;
    uint16_t lowest, highest;
};

/* clang-format off */
static const struct protocol protocols[] = {
    {HF_PROTOCOL_SSL2,       "SSL 2.0 is prohibited (RFC 6176)", true,  true,  0, 0},
    {HF_PROTOCOL_SSL3,       "SSL 3.0 is prohibited (RFC 7568)", true,  true,  0, 0},
    {HF_PROTOCOL_TLS,        NULL, true,  true,  HF_TLS1_2, HF_TLS1_3},
    {HF_PROTOCOL_TLS1_0,     NULL, true,  true,  HF_TLS1_0, HF_TLS1_0},
    {HF_PROTOCOL_TLS1_1,     NULL, true,  true,  HF_TLS1_1, HF_TLS1_1},
    {HF_PROTOCOL_TLS1_2,     NULL, true,  true,  HF_TLS1_2, HF_TLS1_2},
    {HF_PROTOCOL_TLS_CLIENT, NULL, true,  false, HF_TLS1_2, HF_TLS1_3},
    {HF_PROTOCOL_TLS_SERVER, NULL, false, true,  HF_TLS1_2, HF_TLS1_3},
};
/* clang-format on */

static const struct protocol *find_protocol(hf_protocol protocol)
{
    for (size_t i = 0; i < sizeof protocols / sizeof protocols[0]; i++) {
        if (protocols[i].protocol == protocol)
            return &protocols[i];
    }
    return NULL;
}

static bool check_protocol(const struct protocol *p, hf_protocol number, hf_role role,
                           hf_error *err)
{
    if (!p)
        return err_set(err, HF_E_CONFIG, "no protocol has number %d", (int)number);
    if (!p->lowest)
        return err_set(err, HF_E_PROHIBITED_PROTOCOL, "%s", p->rfc);
    if (role == HF_CLIENT ? !p->client : !p->server)
        return err_set(err, HF_E_USAGE, "this protocol is for %s only",
                       p->client ? "clients" : "servers");
    return true;
}

hf_config *hf_config_new_protocol(hf_protocol protocol, hf_role role, hf_error *err)
{
    const struct protocol *p = find_protocol(protocol);

    err_begin(err);
    if (!check_protocol(p, protocol, role, err))
        return NULL;
    hf_config *config = hf_config_new(role);
    if (!config) {
        err_set(err, HF_E_NO_MEMORY, "for a configuration");
        return NULL;
    }
    config->version_min = p->lowest;
    config->version_max = p->highest;
    return config;
}

hf_role hf_config_role(const hf_config *config)
{
    return config ? config->role : HF_CLIENT;
}

/* ---- versions */

static bool take_version(hf_config *config, const char *which, int version, uint16_t *out)
{
    if (version == HF_VERSION_MINIMUM_SUPPORTED)
        version = HF_TLS1_0;
    else if (version == HF_VERSION_MAXIMUM_SUPPORTED)
        version = HF_TLS1_3;
    if (version == HF_SSL3_0 || version == 2)
        return err_set(&config->error, HF_E_CONFIG,
                       "%s version %s: prohibited (RFC 6176, RFC 7568)", which,
                       version == 2 ? "SSL 2.0" : "SSL 3.0");
    if (version < HF_TLS1_0 || version > HF_TLS1_3)
        return err_set(&config->error, HF_E_CONFIG, "%s version %d: not a version of TLS",
                       which, version);
    *out = (uint16_t)version;
    return true;
}

bool hf_config_set_minimum_version(hf_config *config, int version)
{
    return may_set(config) && take_version(config, "minimum", version, &config->version_min);
}

bool hf_config_set_maximum_version(hf_config *config, int version)
{
    return may_set(config) && take_version(config, "maximum", version, &config->version_max);
}

uint16_t hf_config_minimum_version(const hf_config *config)
{
    return config ? config->version_min : 0;
}

uint16_t hf_config_maximum_version(const hf_config *config)
{
    return config ? config->version_max : 0;
}

/* ---- verification */

static bool set_server_mode(hf_config *config, hf_verify_mode mode)
{
    static const hf_client_auth modes[] = {HF_CLIENT_AUTH_NONE, HF_CLIENT_AUTH_REQUEST,
                                           HF_CLIENT_AUTH_REQUIRE};
    return hf_config_set_client_auth(config, modes[mode]);
}

bool hf_config_set_verify_mode(hf_config *config, hf_verify_mode mode)
{
    if (!may_set(config))
        return false;
    if ((unsigned)mode > HF_CERT_REQUIRED)
        return err_set(&config->error, HF_E_CONFIG, "verify mode %d is not known", (int)mode);
    if (config->role == HF_SERVER)
        return set_server_mode(config, mode);
    if (mode == HF_CERT_NONE && config->verify_name)
        return err_set(&config->error, HF_E_CONFIG,
                       "verify mode NONE while names are checked: a name that nobody vouches "
                       "for says nothing; hf_config_insecure_no_verify() switches both off");
    if (mode == HF_CERT_NONE && config->verify)
        return err_set(&config->error, HF_E_CONFIG,
                       "verify mode NONE on a client accepts anybody: say "
                       "hf_config_insecure_no_verify()");
    config->verify = mode != HF_CERT_NONE;
    return true;
}

hf_verify_mode hf_config_verify_mode(const hf_config *config)
{
    if (!config)
        return HF_CERT_NONE;
    if (config->role == HF_CLIENT)
        return config->verify ? HF_CERT_REQUIRED : HF_CERT_NONE;
    switch (config->client_auth) {
    case HF_CLIENT_AUTH_REQUIRE: return HF_CERT_REQUIRED;
    case HF_CLIENT_AUTH_REQUEST: return HF_CERT_OPTIONAL;
    case HF_CLIENT_AUTH_NONE: break;
    }
    return HF_CERT_NONE;
}

bool hf_config_set_name_check(hf_config *config, bool on)
{
    if (!may_set(config))
        return false;
    if (config->role == HF_SERVER)
        return err_set(&config->error, HF_E_USAGE,
                       "hf_config_set_name_check is for clients: they know whom they call");
    if (!on && config->verify_name)
        return err_set(&config->error, HF_E_CONFIG,
                       "without a check of names any certificate of any name is good: say "
                       "hf_config_insecure_no_name_check()");
    if (on)
        config->verify = config->verify_name = true;
    return true;
}

bool hf_config_name_check(const hf_config *config)
{
    return config && config->role == HF_CLIENT && config->verify && config->verify_name;
}

bool hf_config_insecure_ignore_truncation(hf_config *config, bool on)
{
    if (!may_set(config))
        return false;
    config->ignore_truncation = on;
    return true;
}

bool hf_config_insecure_set_keylog_environment(hf_config *config)
{
    const char *path = getenv("SSLKEYLOGFILE"); /* the file is refused where it may not be */

    if (!may_set(config))
        return false;
    return !path || !*path || hf_config_insecure_set_keylog_file(config, path);
}

/* ---- what else a configuration says of itself */

unsigned hf_config_ticket_count(const hf_config *config)
{
    return config ? config->ticket_count : 0;
}

bool hf_config_post_handshake_auth(const hf_config *config)
{
    return config && config->post_handshake_auth;
}

unsigned hf_config_verify_depth(const hf_config *config)
{
    return config ? config->verify_depth : 0;
}

bool hf_config_ask_psk_in_tls13(hf_config *config, bool on)
{
    if (!may_set(config))
        return false;
    config->ask_psk13 = on;
    return true;
}

bool hf_config_keep_details(hf_config *config, bool on)
{
    if (!may_set(config))
        return false;
    config->keep_details = on;
    return true;
}

/* ---- lists */

bool hf_config_set_client_signatures(hf_config *config, const char *list)
{
    if (!may_set(config))
        return false;
    if (!list) {
        config->client_sigalgs = (struct ids){0};
        return true;
    }
    return list_parse("signature scheme", sigalg_named, list, false, &config->client_sigalgs,
                      &config->error);
}

/* Text as snprintf counts it. */
struct text {
    char *out;
    size_t size, len;
};

static void put(struct text *t, const char *s, size_t n)
{
    for (size_t i = 0; i < n; i++, t->len++) {
        if (t->len + 1 < t->size)
            t->out[t->len] = s[i];
    }
}

static void put_name(struct text *t, const char *name)
{
    if (t->len)
        put(t, ":", 1);
    put(t, name, strlen(name));
}

static size_t done(struct text *t)
{
    if (t->size)
        t->out[t->len < t->size ? t->len : t->size - 1] = '\0';
    return t->len;
}

static void put_group(struct text *t, const struct group *g, bool aliases)
{
    put_name(t, g->name);
    if (aliases && g->alias)
        put_name(t, g->alias);
    if (aliases && g->id == 0x0017)
        put_name(t, "prime256v1"); /* what X9.62 calls it, and OpenSSL */
}

size_t hf_config_groups(const hf_config *config, bool aliases, char *out, size_t size)
{
    struct text t = {out, size, 0};
    size_t count;
    const struct group *table = group_table(&count);

    for (size_t i = 0; !config && i < count; i++) {
        if (group_find(table[i].id))
            put_group(&t, &table[i], aliases);
    }
    for (size_t i = 0; config && i < config->groups.count; i++) {
        const struct group *g = group_find(config->groups.id[i]);
        if (g)
            put_group(&t, g, aliases);
    }
    return done(&t);
}

size_t hf_config_signatures(const hf_config *config, bool clients, char *out, size_t size)
{
    struct text t = {out, size, 0};
    size_t count;
    const struct sigalg *table = sigalg_table(&count);

    for (size_t i = 0; !config && i < count; i++)
        put_name(&t, table[i].name);
    if (config) {
        const struct ids *ids = clients && config->client_sigalgs.count
                                    ? &config->client_sigalgs
                                    : &config->sigalgs;
        for (size_t i = 0; i < ids->count; i++) {
            const struct sigalg *alg = sigalg_find(ids->id[i]);
            if (alg)
                put_name(&t, alg->name);
        }
    }
    return done(&t);
}

size_t hf_config_alpn(const hf_config *config, char *out, size_t size)
{
    struct text t = {out, size, 0};

    for (size_t i = 0; config && i < config->alpn_len; i += 1 + (size_t)config->alpn[i]) {
        if (i)
            put(&t, ",", 1);
        put(&t, (const char *)config->alpn + i + 1, config->alpn[i]);
    }
    return done(&t);
}
