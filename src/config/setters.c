/* setters.c: the knobs. A setter checks, then changes, so that one that fails changes nothing. A
 * frozen configuration is shared by threads: nothing is written into it, not even an error. */
#include <stdatomic.h>

#include "config/ciphers.h"
#include "config/keylog.h"
#include "config/list.h"

static bool may_set(const hf_config *config)
{
    return config && !atomic_load_explicit(&config->frozen, memory_order_acquire);
}

static bool is_version(uint16_t v)
{
    return v >= HF_TLS1_0 && v <= HF_TLS1_3;
}

bool hf_config_set_versions(hf_config *config, uint16_t lowest, uint16_t highest)
{
    if (!may_set(config))
        return false;
    if (lowest == 0x0300 || highest == 0x0300 || lowest == 0x0002 || highest == 0x0002)
        return err_set(
            &config->error, HF_E_CONFIG,
            "versions 0x%04x to 0x%04x: SSL 2.0 and 3.0 are prohibited (RFC 6176, RFC "
            "7568)",
            lowest, highest);
    if (!is_version(lowest) || !is_version(highest))
        return err_set(&config->error, HF_E_CONFIG,
                       "versions 0x%04x to 0x%04x: 0x%04x is not a version of TLS", lowest,
                       highest, is_version(lowest) ? highest : lowest);
    if (lowest > highest)
        return err_set(&config->error, HF_E_CONFIG,
                       "versions %s to %s: the lowest is above the highest",
                       hf_version_name(lowest), hf_version_name(highest));
    config->version_min = lowest;
    config->version_max = highest;
    return true;
}

bool hf_config_set_suites(hf_config *config, const char *list)
{
    return may_set(config) &&
           list_parse_ranked("cipher suite", suite_named, list, false, &config->suites,
                             &config->suite_ties, &config->error);
}

/* The suites of TLS 1.3 stay, and come first. */
bool hf_config_set_ciphers(hf_config *config, const char *string)
{
    struct ids chosen, all = {0};
    uint8_t level;

    if (!may_set(config))
        return false;
    level = config->security_level;
    if (!ciphers_parse(string, &chosen, &level, &config->error))
        return false;
    for (size_t i = 0; i < config->suites.count; i++) {
        const struct suite *s = suite_find(config->suites.id[i]);
        if (s && s->version_max >= HF_TLS1_3)
            all.id[all.count++] = s->id;
    }
    for (size_t i = 0; i < chosen.count; i++)
        all.id[all.count++] = chosen.id[i];
    config->suites = all;
    config->suite_ties = (struct ties){0};
    config->security_level = level;
    return true;
}

bool hf_config_set_groups(hf_config *config, const char *list)
{
    return may_set(config) &&
           list_parse_ranked("group", group_named, list, false, &config->groups,
                             &config->group_ties, &config->error);
}

bool hf_config_set_signatures(hf_config *config, const char *list)
{
    return may_set(config) && list_parse("signature scheme", sigalg_named, list, false,
                                         &config->sigalgs, &config->error);
}

bool hf_config_set_key_shares(hf_config *config, const char *list)
{
    if (!may_set(config) || !list_parse("key share group", group_named, list, true,
                                        &config->key_shares, &config->error))
        return false;
    config->key_shares_set = true;
    return true;
}

bool hf_config_set_server_preference(hf_config *config, bool server)
{
    if (!may_set(config))
        return false;
    config->server_preference = server;
    return true;
}

bool hf_config_set_alpn(hf_config *config, const char *list, bool required)
{
    uint8_t *alpn = NULL;
    size_t len = 0;

    if (!may_set(config))
        return false;
    if (!list && required)
        return err_set(&config->error, HF_E_CONFIG,
                       "an application protocol is required, but none is listed");
    if (list && !list_parse_alpn(list, &alpn, &len, &config->error))
        return false;
    mem_free(config->alpn);
    config->alpn = alpn;
    config->alpn_len = len;
    config->alpn_required = required;
    return true;
}

bool hf_config_set_alpn_callback(hf_config *config, hf_alpn_fn fn, void *arg)
{
    if (!may_set(config))
        return false;
    if (config->role != HF_SERVER)
        return err_set(
            &config->error, HF_E_USAGE,
            "hf_config_set_alpn_callback is for servers: they choose (RFC 7301 3.2)");
    config->alpn_fn = fn;
    config->alpn_arg = arg;
    return true;
}

bool hf_config_set_trust(hf_config *config, hf_trust *trust)
{
    if (!may_set(config))
        return false;
    /* NULL is not "the default": a store that failed to load must not become the platform's. */
    if (!trust)
        return err_set(&config->error, HF_E_USAGE,
                       "hf_config_set_trust: the trust store is NULL; did making it fail?");
    hf_trust_ref(trust);
    hf_trust_free(config->trust);
    config->trust = trust;
    return true;
}

bool hf_config_set_verify_depth(hf_config *config, unsigned depth)
{
    if (!may_set(config))
        return false;
    /* The peer's own certificate comes first, and CHAIN_MAX is all that is ever read. */
    if (depth >= CHAIN_MAX)
        return err_set(&config->error, HF_E_CONFIG, "verify depth %u: at most %d", depth,
                       CHAIN_MAX - 1);
    config->verify_depth = depth;
    return true;
}

bool hf_config_insecure_no_verify(hf_config *config)
{
    if (!may_set(config))
        return false;
    config->verify = config->verify_name = false;
    return true;
}

bool hf_config_insecure_no_name_check(hf_config *config)
{
    if (!may_set(config))
        return false;
    config->verify_name = false;
    return true;
}

bool hf_config_set_verify_resumed(hf_config *config, bool on)
{
    if (!may_set(config))
        return false;
    config->verify_resumed = on;
    return true;
}

bool hf_config_set_client_auth(hf_config *config, hf_client_auth mode)
{
    if (!may_set(config))
        return false;
    if ((unsigned)mode > HF_CLIENT_AUTH_REQUIRE)
        return err_set(&config->error, HF_E_CONFIG, "client auth mode %d is not known",
                       (int)mode);
    if (config->role == HF_CLIENT && mode != HF_CLIENT_AUTH_NONE)
        return err_set(
            &config->error, HF_E_USAGE,
            "hf_config_set_client_auth: a client asks for no client certificate; this "
            "is for servers");
    config->client_auth = mode;
    return true;
}

bool hf_config_set_ocsp(hf_config *config, hf_ocsp mode)
{
    if (!may_set(config))
        return false;
    if ((unsigned)mode > HF_OCSP_REQUIRE)
        return err_set(&config->error, HF_E_CONFIG, "OCSP mode %d is not known", (int)mode);
    config->ocsp = mode;
    return true;
}

bool hf_config_send_authorities(hf_config *config, bool send)
{
    if (!may_set(config))
        return false;
    config->send_authorities = send;
    return true;
}

bool hf_config_set_psk_modes(hf_config *config, unsigned modes)
{
    if (!may_set(config))
        return false;
    if (modes & ~(unsigned)(HF_PSK_KE | HF_PSK_DHE_KE))
        return err_set(&config->error, HF_E_CONFIG,
                       "PSK modes 0x%x: only HF_PSK_KE and HF_PSK_DHE_KE are known", modes);
    config->psk_modes = modes;
    return true;
}

bool hf_config_set_tickets(hf_config *config, unsigned count, uint32_t lifetime)
{
    if (!may_set(config))
        return false;
    if (count > 16)
        return err_set(&config->error, HF_E_CONFIG, "%u tickets: at most 16", count);
    /* RFC 8446 4.6.1: seven days; zero would tell the client to throw them away. */
    if (lifetime > 604800 || (lifetime == 0 && count > 0))
        return err_set(&config->error, HF_E_CONFIG,
                       "a ticket lifetime of %u s: 1 to 604800 are allowed",
                       (unsigned)lifetime);
    config->ticket_count = count;
    config->no_tickets = count == 0;
    config->ticket_lifetime = lifetime;
    return true;
}

bool hf_config_set_ticket_rotation(hf_config *config, uint32_t seconds)
{
    if (!may_set(config))
        return false;
    if (seconds == 0)
        return err_set(&config->error, HF_E_CONFIG, "a ticket rotation of 0 s: at least 1");
    config->ticket_rotation = seconds;
    return true;
}

bool hf_config_set_session_callback(hf_config *config, hf_session_fn fn, void *arg)
{
    if (!may_set(config))
        return false;
    config->session_fn = fn;
    config->session_arg = arg;
    return true;
}

bool hf_config_set_cookie(hf_config *config, bool cookie)
{
    if (!may_set(config))
        return false;
    config->cookie = cookie;
    return true;
}

bool hf_config_set_middlebox_compat(hf_config *config, bool on)
{
    if (!may_set(config))
        return false;
    config->compat = on;
    return true;
}

bool hf_config_set_post_handshake_auth(hf_config *config, bool on)
{
    if (!may_set(config))
        return false;
    config->post_handshake_auth = on;
    return true;
}

bool hf_config_set_record_size_limit(hf_config *config, uint16_t limit)
{
    if (!may_set(config))
        return false;
    if (limit != 0 && (limit < 64 || limit > 16384))
        return err_set(
            &config->error, HF_E_CONFIG,
            "a record size limit of %u bytes: 64 to 16384, or 0 for none (RFC 8449 4)", limit);
    config->record_size_limit = limit;
    return true;
}

bool hf_config_set_send_fragment(hf_config *config, uint16_t bytes)
{
    if (!may_set(config))
        return false;
    if (bytes != 0 && (bytes < 512 || bytes > 16384))
        return err_set(&config->error, HF_E_CONFIG,
                       "records of at most %u bytes: 512 to 16384, or 0 for no limit", bytes);
    config->send_fragment = bytes;
    return true;
}

bool hf_config_set_record_padding(hf_config *config, uint16_t block)
{
    if (!may_set(config))
        return false;
    if (block > 16384)
        return err_set(&config->error, HF_E_CONFIG,
                       "record padding to blocks of %u bytes: at most 16384", block);
    config->padding = block;
    return true;
}

bool hf_config_set_key_update_after(hf_config *config, uint64_t records)
{
    if (!may_set(config))
        return false;
    config->key_update_after = records;
    return true;
}

bool hf_config_set_memory_cap(hf_config *config, size_t bytes)
{
    if (!may_set(config))
        return false;
    if (bytes < 16384)
        return err_set(&config->error, HF_E_CONFIG, "a memory cap of %zu bytes: at least 16384",
                       bytes);
    config->memory_cap = bytes;
    return true;
}

bool hf_config_set_clock(hf_config *config, hf_clock_fn fn, void *arg)
{
    if (!may_set(config))
        return false;
    config->clock = fn;
    config->clock_arg = arg;
    return true;
}

bool hf_config_insecure_set_keylog(hf_config *config, hf_keylog_fn fn, void *arg)
{
    if (!may_set(config))
        return false;
    config->keylog = fn;
    config->keylog_arg = arg;
    return true;
}

bool hf_config_insecure_set_keylog_file(hf_config *config, const char *path)
{
    if (!may_set(config))
        return false;
    struct keylog_file *file = NULL;
    if (path && !(file = keylog_file_open(path, &config->error)))
        return false;
    keylog_file_free(config->keylog_file);
    config->keylog_file = file;
    return true;
}

bool hf_config_set_trace(hf_config *config, hf_trace_fn fn, void *arg)
{
    if (!may_set(config))
        return false;
    config->trace = fn;
    config->trace_arg = arg;
    return true;
}

bool hf_config_insecure_set_trace_secrets(hf_config *config, bool secrets)
{
    if (!may_set(config))
        return false;
    config->trace_secrets = secrets;
    return true;
}

bool hf_config_set_ask(hf_config *config, hf_ask ask, hf_ask_fn fn, void *arg)
{
    if (!may_set(config))
        return false;
    if (ask <= HF_ASK_NONE || ask >= HF_ASK_COUNT)
        return err_set(&config->error, HF_E_USAGE,
                       "hf_config_set_ask: no question has number %d", (int)ask);
    config->ask[ask] = fn;
    config->ask_arg[ask] = arg;
    return true;
}

/* ---- security level */

bool hf_config_set_security_level(hf_config *config, unsigned level)
{
    if (!may_set(config))
        return false;
    if (level < 2)
        return err_set(&config->error, HF_E_CONFIG,
                       "security level %u: 2 to 5 are allowed; lower ones weaken security: "
                       "hf_config_insecure_set_security_level()",
                       level);
    return hf_config_insecure_set_security_level(config, level);
}

bool hf_config_insecure_set_security_level(hf_config *config, unsigned level)
{
    if (!may_set(config))
        return false;
    if (level > 5)
        return err_set(&config->error, HF_E_CONFIG, "security level %u: 5 is the highest",
                       level);
    config->security_level = (uint8_t)level;
    return true;
}

unsigned hf_config_security_level(const hf_config *config)
{
    return config ? config->security_level : 0;
}

/* ---- TLS 1.2 and older */

static bool for_clients(hf_config *config, const char *setter)
{
    if (!may_set(config))
        return false;
    return config->role == HF_CLIENT ||
           err_set(&config->error, HF_E_USAGE, "%s: this is for clients", setter);
}

bool hf_config_set_renegotiation(hf_config *config, unsigned times)
{
    if (!may_set(config))
        return false;
    config->renegotiation = times > 0;
    config->renegotiation_max = times;
    return true;
}

bool hf_config_require_ems(hf_config *config, bool require)
{
    if (!may_set(config))
        return false;
    config->require_ems = require;
    return true;
}

bool hf_config_insecure_allow_unpatched(hf_config *config, bool allow)
{
    if (!for_clients(config, "hf_config_insecure_allow_unpatched"))
        return false;
    config->allow_unpatched = allow;
    return true;
}

bool hf_config_set_false_start(hf_config *config, bool on)
{
    if (!for_clients(config, "hf_config_set_false_start"))
        return false;
    config->false_start = on;
    return true;
}

bool hf_config_set_fallback(hf_config *config, bool on)
{
    if (!for_clients(config, "hf_config_set_fallback"))
        return false;
    config->fallback = on;
    return true;
}

bool hf_config_set_encrypt_then_mac(hf_config *config, bool on)
{
    if (!may_set(config))
        return false;
    config->encrypt_then_mac = on;
    return true;
}

bool hf_config_set_max_fragment(hf_config *config, uint16_t bytes)
{
    if (!for_clients(config, "hf_config_set_max_fragment"))
        return false;
    if (bytes != 0 && bytes != 512 && bytes != 1024 && bytes != 2048 && bytes != 4096)
        return err_set(&config->error, HF_E_CONFIG,
                       "a maximum fragment of %u bytes: 512, 1024, 2048 or 4096, or 0 for none "
                       "(RFC 6066 4); hf_config_set_record_size_limit() takes any",
                       bytes);
    config->max_fragment = bytes;
    return true;
}

bool hf_config_set_sct(hf_config *config, bool on)
{
    if (!for_clients(config, "hf_config_set_sct"))
        return false;
    config->sct = on;
    return true;
}
