/* control_settings.c: commands on plain settings, which contexts and connections both have. */
#include "libssl/control.h"

struct settings *target_settings(const struct target *t)
{
    return t->ssl ? t->ssl->settings : t->ctx->settings;
}

struct settings *target_edit(const struct target *t)
{
    return settings_edit(t->ssl ? &t->ssl->settings : &t->ctx->settings);
}

struct settings *target_touch(const struct target *t)
{
    return settings_touch(t->ssl ? &t->ssl->settings : &t->ctx->settings);
}

/* The modes that the engine's configuration is made with. */
enum { ENGINE_MODES = SSL_MODE_SEND_FALLBACK_SCSV | SSL_MODE_NO_AUTO_CHAIN };

long control_mode(const struct target *t, int command, long number, void *pointer)
{
    (void)pointer;
    uint32_t was = target_settings(t)->mode;
    uint32_t bits = (uint32_t)number;
    uint32_t mode = command == SSL_CTRL_MODE ? was | bits : was & ~bits;
    if (mode != was) {
        struct settings *s = (mode ^ was) & ENGINE_MODES ? target_edit(t) : target_touch(t);
        if (!s)
            return was;
        s->mode = mode;
    }
    return mode;
}

long control_read_ahead(const struct target *t, int command, long number, void *pointer)
{
    (void)pointer;
    int was = target_settings(t)->read_ahead;
    if (command == SSL_CTRL_SET_READ_AHEAD && was != (int)number) {
        struct settings *s = target_touch(t);
        if (s)
            s->read_ahead = (int)number;
    }
    return was;
}

long control_max_cert_list(const struct target *t, int command, long number, void *pointer)
{
    (void)pointer;
    size_t was = target_settings(t)->max_cert_list;
    if (command == SSL_CTRL_GET_MAX_CERT_LIST)
        return (long)was;
    if (number < 0)
        return 0;
    struct settings *s = target_edit(t);
    if (s)
        s->max_cert_list = (size_t)number;
    return (long)was;
}

static long max_send_fragment(const struct target *t, long number)
{
    if (number < 512 || number > SSL3_RT_MAX_PLAIN_LENGTH)
        return 0;
    struct settings *s = target_edit(t);
    if (!s)
        return 0;
    s->max_send_fragment = (size_t)number;
    if (s->split_send_fragment > s->max_send_fragment)
        s->split_send_fragment = s->max_send_fragment;
    return 1;
}

static long split_send_fragment(const struct target *t, long number)
{
    if (number == 0 || (size_t)number > target_settings(t)->max_send_fragment)
        return 0;
    struct settings *s = target_edit(t);
    if (!s)
        return 0;
    s->split_send_fragment = (size_t)number;
    return 1;
}

/* Several records in one call of a cipher: there is none that could, so that the number is only kept. */
static long max_pipelines(const struct target *t, long number)
{
    if (number < 1 || number > SSL_MAX_PIPELINES)
        return 0;
    struct settings *s = target_touch(t);
    if (!s)
        return 0;
    s->max_pipelines = (size_t)number;
    if (number > 1)
        s->read_ahead = 1;
    return 1;
}

long control_fragment(const struct target *t, int command, long number, void *pointer)
{
    (void)pointer;
    if (command == SSL_CTRL_SET_MAX_SEND_FRAGMENT)
        return max_send_fragment(t, number);
    if (command == SSL_CTRL_SET_SPLIT_SEND_FRAGMENT)
        return split_send_fragment(t, number);
    return max_pipelines(t, number);
}

static bool is_dtls_version(long version)
{
    return version == DTLS1_BAD_VER || version >> 8 == DTLS1_VERSION_MAJOR;
}

static bool is_known_version(long version)
{
    return (version >= SSL3_VERSION && version <= TLS1_3_VERSION) || version == DTLS1_VERSION ||
           version == DTLS1_2_VERSION || version == DTLS1_BAD_VER;
}

/* A range must have a version in it that exists, which SSL 3.0 does not: only as a bound. */
static bool range_exists(long min, long max)
{
    bool dtls_min = is_dtls_version(min), dtls_max = is_dtls_version(max);
    if ((dtls_min && !dtls_max && max != 0) || (dtls_max && !dtls_min && min != 0))
        return false;
    if (dtls_min || dtls_max)
        return true;
    if (min == 0 || min == SSL3_VERSION)
        min = TLS1_VERSION;
    if (max == 0)
        max = TLS1_3_VERSION;
    return !(min <= SSL3_VERSION && SSL3_VERSION <= max);
}

/* A method of one version takes any bound, without effect. */
static bool bound_counts(const struct target *t, long version)
{
    const SSL_METHOD *method = t->ctx->method;
    if (method->version != TLS_ANY_VERSION)
        return false;
    return version == 0 || is_dtls_version(version) == method->dtls;
}

/* target_bound sets a bound whatever the other one is. */
bool target_bound(const struct target *t, int version, bool is_min)
{
    if (version != 0 && !is_known_version(version))
        return false;
    const struct settings *now = target_settings(t);
    if ((version != 0 && !bound_counts(t, version)) ||
        version == (is_min ? now->version_min : now->version_max))
        return true;
    struct settings *s = target_edit(t);
    if (s)
        *(is_min ? &s->version_min : &s->version_max) = version;
    return s != NULL;
}

long control_version(const struct target *t, int command, long number, void *pointer)
{
    (void)pointer;
    const struct settings *s = target_settings(t);
    if (command == SSL_CTRL_SET_MIN_PROTO_VERSION)
        return range_exists(number, s->version_max) && target_bound(t, (int)number, true);
    if (command == SSL_CTRL_SET_MAX_PROTO_VERSION)
        return range_exists(s->version_min, number) && target_bound(t, (int)number, false);
    return command == SSL_CTRL_GET_MIN_PROTO_VERSION ? s->version_min : s->version_max;
}

long control_msg_arg(const struct target *t, int command, long number, void *pointer)
{
    (void)command, (void)number;
    struct settings *s = target_touch(t);
    if (s)
        s->msg_arg = pointer;
    return s != NULL;
}

long control_status_type(const struct target *t, int command, long number, void *pointer)
{
    (void)pointer;
    if (command == SSL_CTRL_GET_TLSEXT_STATUS_REQ_TYPE)
        return t->ssl ? status_type(t->ssl) : target_settings(t)->status_type;
    if (target_settings(t)->status_type == (int)number)
        return 1;
    struct settings *s = target_edit(t);
    if (s)
        s->status_type = (int)number;
    return s != NULL;
}
