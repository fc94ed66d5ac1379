/* options.c: a set of options: set, looked up, listed. */
#include "net/options.h"

#include <stdio.h>

#include "bytes/nearest.h"

const hf_option_info *hf_option_at(size_t i)
{
    size_t count;
    const struct option_row *rows = option_rows(&count);
    return i < count ? &rows[i].info : NULL;
}

hf_options *hf_options_new(void)
{
    return mem_new(sizeof(hf_options));
}

static void free_value(char *value)
{
    if (value)
        mem_wipe_free(value, strlen(value));
}

static void forget_made(hf_options *o)
{
    for (int role = 0; role < 2; role++) {
        hf_config_free(o->made[role].base);
        hf_config_free(o->made[role].config);
        o->made[role].base = o->made[role].config = NULL;
    }
}

static void forget_captured(hf_options *o)
{
    while (o->captured_count)
        hf_certificate_free(o->captured[--o->captured_count]);
}

void hf_options_free(hf_options *o)
{
    if (!o)
        return;
    for (size_t i = 0; i < OPTIONS_MAX; i++)
        free_value(o->value[i]);
    forget_made(o);
    forget_captured(o);
    mem_free(o);
}

/* ---------------------------------------------------------------- values */

static size_t place_of(const struct option_row *row)
{
    size_t n;
    return (size_t)(row - option_rows(&n));
}

const char *option_value(const hf_options *o, const char *name)
{
    const struct option_row *row = option_row(name);
    return o && row ? o->value[place_of(row)] : NULL;
}

bool option_is(const hf_options *o, const char *name, bool otherwise)
{
    const char *value = option_value(o, name);
    bool on = otherwise;
    return value && value_bool(value, &on) ? on : otherwise;
}

const char *hf_options_get(const hf_options *o, const char *name)
{
    return name ? option_value(o, name) : NULL;
}

/* A passphrase, or a key as PEM, is nothing for a log. */
static bool is_secret(const struct option_row *row, const char *value)
{
    return strcmp(row->info.name, "passphrase") == 0 ||
           strcmp(row->info.name, "session_data") == 0 || value_is_pem(value);
}

bool option_bad(const struct option_row *row, const char *value, const char *why, hf_error *err)
{
    bool secret = is_secret(row, value);
    return net_fail(err, HF_E_CONFIG, 0, "%s (%s) takes %s, not %s%.60s%s%s%s", row->info.name,
                    hf_option_type_name(row->info.type), row->info.allowed, secret ? "" : "\"",
                    secret ? "what it was given" : value, secret ? "" : "\"", why ? ": " : "",
                    why ? why : "");
}

static bool check_pins(const struct option_row *row, const char *value, hf_error *err)
{
    struct value_pin pin;
    const char *why = NULL, *at = value;
    int found, count = 0;
    while ((found = value_pin(&at, &pin, &why)) > 0)
        count++;
    return found == 0 && count ? true : option_bad(row, value, why, err);
}

static bool check_map(const struct option_row *row, const char *value, hf_error *err)
{
    struct value_site site;
    const char *at = value;
    int found, count = 0;
    while ((found = value_site(&at, &site)) > 0)
        count++;
    return found == 0 && count ? true : option_bad(row, value, NULL, err);
}

static bool check_versions(const struct option_row *row, const char *value, hf_error *err)
{
    unsigned mask = 0;
    if (!value_versions(value, &mask))
        return option_bad(row, value, NULL, err);
    if (mask == VERSION_SSL)
        return net_fail(err, HF_E_PROHIBITED_PROTOCOL, 0,
                        "%s: SSL 2.0 and 3.0 are broken (RFC 6176, RFC 7568): %s",
                        row->info.name, row->info.allowed);
    bool single = strcmp(row->info.name, "crypto_method") != 0;
    if (single && (mask & (mask - 1) & 15))
        return option_bad(row, value, "one version", err);
    return true;
}

static bool check_number(const struct option_row *row, const char *value, hf_error *err)
{
    double n = 0;
    if (!value_number(value, &n) || n < row->lowest || n > row->highest ||
        (row->info.type == HF_OPTION_NUMBER && strchr(value, '.')))
        return option_bad(row, value, NULL, err);
    return true;
}

static bool check_form(const struct option_row *row, const char *value, hf_error *err)
{
    bool ignored;
    switch (row->info.type) {
    case HF_OPTION_BOOL:
        return value_bool(value, &ignored) ? true : option_bad(row, value, NULL, err);
    case HF_OPTION_NUMBER:
    case HF_OPTION_SECONDS: return check_number(row, value, err);
    case HF_OPTION_VERSIONS: return check_versions(row, value, err);
    case HF_OPTION_MAP: return check_map(row, value, err);
    case HF_OPTION_FUNCTION:
        return net_fail(err, HF_E_CONFIG, 0, "%s is a function and no text: %s", row->info.name,
                        row->info.help);
    case HF_OPTION_FILE:
    case HF_OPTION_FOLDER:
        return *value ? true : option_bad(row, value, "the name is empty", err);
    case HF_OPTION_TEXT:
    case HF_OPTION_LIST: break;
    }
    return strcmp(row->info.name, "peer_fingerprint") == 0 ? check_pins(row, value, err) : true;
}

/* What the engine refuses, it refuses now. */
static bool check_setter(const struct option_row *row, const char *value, hf_error *err)
{
    hf_error why = {0};
    hf_config *config =
        hf_config_new(row->info.sides & HF_OPTION_CLIENT ? HF_CLIENT : HF_SERVER);
    if (!config)
        return net_fail(err, HF_E_NO_MEMORY, 0, "for %s", row->info.name);
    bool good = row->set(config, value, &why);
    hf_config_free(config);
    if (good)
        return true;
    return why.code == HF_E_NO_MEMORY
               ? net_fail(err, HF_E_NO_MEMORY, 0, "for %s", row->info.name)
               : option_bad(row, value, why.detail, err);
}

bool option_check(const struct option_row *row, const char *value, hf_error *err)
{
    return check_form(row, value, err) && (!row->set || check_setter(row, value, err));
}

/* ---------------------------------------------------------------- setting */

static bool unknown(const char *name, hf_error *err)
{
    const char *names[OPTIONS_MAX];
    size_t count;
    const struct option_row *rows = option_rows(&count);
    for (size_t i = 0; i < count; i++)
        names[i] = rows[i].info.name;
    const char *near = nearest_word(name, names, count);
    return net_fail(err, HF_E_CONFIG, 0, "there is no option \"%.60s\"%s%s%s", name,
                    near ? "; did you mean " : "", near ? near : "", near ? "?" : "");
}

bool hf_options_set(hf_options *o, const char *name, const char *value, hf_error *err)
{
    err_begin(err);
    if (!o || !name)
        return net_fail(err, HF_E_USAGE, 0, "hf_options_set: the %s is NULL",
                        o ? "name" : "set of options");
    const struct option_row *row = option_row(name);
    if (!row)
        return unknown(name, err);
    if (value && !option_check(row, value, err))
        return false;
    char *copy = value ? mem_strdup(value) : NULL;
    if (value && !copy)
        return net_fail(err, HF_E_NO_MEMORY, 0, "for %s", row->info.name);
    forget_made(o);
    free_value(o->value[place_of(row)]);
    o->value[place_of(row)] = copy;
    return true;
}

bool hf_options_set_line(hf_options *o, const char *line, hf_error *err)
{
    char name[64];
    err_begin(err);
    if (!o || !line)
        return net_fail(err, HF_E_USAGE, 0, "hf_options_set_line: the %s is NULL",
                        o ? "line" : "set of options");
    line += strspn(line, " \t");
    const char *equals = strchr(line, '=');
    size_t len = equals ? (size_t)(equals - line) : 0;
    while (len && (line[len - 1] == ' ' || line[len - 1] == '\t'))
        len--;
    if (!len || len >= sizeof name)
        return net_fail(err, HF_E_CONFIG, 0, "an option is written name=value, not \"%.60s\"",
                        line);
    memcpy(name, line, len);
    name[len] = '\0';
    const char *value = equals + 1 + strspn(equals + 1, " \t");
    size_t end = strlen(value);
    while (end && strchr(" \t\r\n", value[end - 1]))
        end--;
    char *copy = mem_new(end + 1);
    if (!copy)
        return net_fail(err, HF_E_NO_MEMORY, 0, "for %s", name);
    memcpy(copy, value, end);
    bool good = hf_options_set(o, name, copy, err);
    mem_wipe_free(copy, end + 1);
    return good;
}

/* ---------------------------------------------------------------- captured certificates */

bool hf_options_capture(hf_options *o, const hf_stream *stream)
{
    bool chain = option_is(o, "capture_peer_cert_chain", false);
    const hf_conn *conn = stream ? hf_stream_conn(stream) : NULL;
    if (!o)
        return false;
    forget_captured(o);
    if (!conn || (!chain && !option_is(o, "capture_peer_cert", false)))
        return false;
    for (size_t most = chain ? OPTION_CERTS : 1; o->captured_count < most;) {
        const hf_certificate *cert = hf_conn_peer_certificate(conn, o->captured_count);
        if (!cert)
            break;
        /* A reference of one's own needs one that may be written. */
        size_t len;
        const uint8_t *der = hf_certificate_der(cert, &len);
        hf_certificate *own = hf_certificate_parse(der, len, NULL);
        if (!own)
            break;
        o->captured[o->captured_count++] = own;
    }
    return o->captured_count > 0;
}

const hf_certificate *hf_options_captured(const hf_options *o, size_t i)
{
    return o && i < o->captured_count ? o->captured[i] : NULL;
}
