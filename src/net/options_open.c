/* options_open.c: streams and listeners with options. */
#include "net/options.h"

static void number(const hf_options *o, const char *name, int *out)
{
    const char *value = option_value(o, name);
    double n;
    if (value && value_number(value, &n))
        *out = (int)n;
}

static void seconds(const hf_options *o, const char *name, double *out)
{
    const char *value = option_value(o, name);
    double n;
    /* 0 means the default there, and nobody who writes 0 means that. */
    if (value && value_number(value, &n))
        *out = n == 0 ? 1e-9 : n;
}

static void flag(const hf_options *o, const char *name, bool *out)
{
    *out = option_is(o, name, *out);
}

static void three_way(const hf_options *o, const char *name, int *out)
{
    if (option_value(o, name))
        *out = option_is(o, name, true) ? 1 : -1;
}

bool hf_options_net(const hf_options *o, hf_net_options *net, hf_error *err)
{
    err_begin(err);
    if (!o || !net)
        return net_fail(err, HF_E_USAGE, 0, "hf_options_net: the %s is NULL",
                        o ? "struct" : "set of options");
    const char *name = option_value(o, "peer_name"), *bindto = option_value(o, "bindto");
    net->peer_name = name ? name : net->peer_name;
    net->bindto = bindto ? bindto : net->bindto;
    number(o, "backlog", &net->backlog);
    three_way(o, "ipv6_v6only", &net->ipv6_v6only);
    three_way(o, "tcp_nodelay", &net->tcp_nodelay);
    flag(o, "so_reuseport", &net->so_reuseport);
    flag(o, "so_broadcast", &net->so_broadcast);
    flag(o, "so_keepalive", &net->so_keepalive);
    number(o, "tcp_keepidle", &net->tcp_keepidle);
    number(o, "tcp_keepintvl", &net->tcp_keepintvl);
    number(o, "tcp_keepcnt", &net->tcp_keepcnt);
    seconds(o, "timeout", &net->timeout);
    seconds(o, "connect_timeout", &net->connect_timeout);
    seconds(o, "handshake_timeout", &net->handshake_timeout);
    seconds(o, "read_timeout", &net->read_timeout);
    seconds(o, "write_timeout", &net->write_timeout);
    return true;
}

hf_config *hf_options_config(hf_options *o, hf_role role, hf_config *base, hf_error *err)
{
    err_begin(err);
    if (!o) {
        net_fail(err, HF_E_USAGE, 0, "hf_options_config: the set of options is NULL");
        return NULL;
    }
    int place = role == HF_SERVER;
    if (o->made[place].config && o->made[place].base == base)
        return hf_config_ref(o->made[place].config);
    hf_config *config = base ? hf_config_derive(base) : hf_config_new(role);
    if (!config) {
        net_fail(err, HF_E_NO_MEMORY, 0, "for the configuration");
        return NULL;
    }
    if (!hf_options_apply(o, config, err)) {
        hf_config_free(config);
        return NULL;
    }
    hf_config_free(o->made[place].config);
    hf_config_free(o->made[place].base);
    o->made[place].base = base ? hf_config_ref(base) : NULL;
    o->made[place].config = hf_config_ref(config);
    return config;
}

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c = (char)(c | 0x20);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static hf_session *session_of(const char *hex, hf_error *err)
{
    size_t len = strlen(hex) / 2;
    uint8_t *bytes = mem_new(len + 1);
    hf_session *session = NULL;
    bool good = bytes && strlen(hex) % 2 == 0 && len > 0;
    for (size_t i = 0; good && i < len; i++) {
        int high = hex_digit(hex[2 * i]), low = hex_digit(hex[2 * i + 1]);
        good = high >= 0 && low >= 0;
        bytes[i] = (uint8_t)((unsigned)high << 4 | (unsigned)low);
    }
    if (good)
        session = hf_session_import(bytes, len, err);
    else
        net_fail(err, bytes ? HF_E_CONFIG : HF_E_NO_MEMORY, 0,
                 "session_data: pairs of hexadecimal digits are expected");
    if (bytes)
        mem_wipe_free(bytes, len + 1);
    return session;
}

hf_stream *hf_open_with(const char *url, hf_options *o, hf_config *base,
                        const hf_net_options *given, hf_error *err)
{
    hf_net_options net = given ? *given : (hf_net_options)HF_NET_OPTIONS;
    const char *saved = option_value(o, "session_data");
    hf_session *session = NULL;
    if (!o)
        return hf_open(url, base, given, err);
    hf_config *config = hf_options_config(o, HF_CLIENT, base, err);
    if (!config)
        return NULL;
    bool good = hf_options_net(o, &net, err);
    if (good && saved && !net.session) {
        session = session_of(saved, err);
        net.session = session;
        good = session != NULL;
    }
    hf_stream *stream = good ? hf_open(url, config, &net, err) : NULL;
    hf_session_free(session);
    hf_config_free(config);
    if (stream)
        (void)hf_options_capture(o, stream);
    return stream;
}

hf_listener *hf_listen_with(const char *url, hf_options *o, hf_config *base,
                            const hf_net_options *given, hf_error *err)
{
    hf_net_options net = given ? *given : (hf_net_options)HF_NET_OPTIONS;
    if (!o)
        return hf_listen(url, base, given, err);
    hf_config *config = hf_options_config(o, HF_SERVER, base, err);
    if (!config)
        return NULL;
    hf_listener *listener =
        hf_options_net(o, &net, err) ? hf_listen(url, config, &net, err) : NULL;
    hf_config_free(config);
    return listener;
}
