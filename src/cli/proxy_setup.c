#define _GNU_SOURCE
#include "cli/proxy_setup.h"

#include <errno.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/proxy_worker.h"
#include "cli/settings.h"

enum { FILE_MAX = 1 << 20 };

void setup_free(struct setup *s)
{
    if (!s)
        return;
    hf_config_free(s->server);
    hf_config_free(s->client);
    hf_config_free(s->tickets);
    free(s->words);
    free(s->lines);
    free(s->text);
    free(s);
}

/* ---------------------------------------------------------------- --config FILE */

/* "name value" becomes "--name=value", in place: a line has room for it, as it begins two bytes later than it
 * might. */
static char *option_of(char *line)
{
    line += strspn(line, " \t");
    size_t len = strcspn(line, "#");
    while (len && strchr(" \t\r", line[len - 1]))
        len--;
    if (len == 0)
        return NULL;
    size_t name = strcspn(line, " \t=");
    char *word = malloc(len + 4);
    if (!word)
        return NULL;
    if (name >= len)
        sprintf(word, "--%.*s", (int)len, line);
    else {
        size_t value = name + strspn(line + name, " \t=");
        sprintf(word, "--%.*s=%.*s", (int)name, line, (int)(len - value), line + value);
    }
    return word;
}

/* Makes the words of the file and, behind them, those of the command line, which so prevail. */
static bool gather(struct setup *s, const struct options *o, size_t *count, hf_error *err)
{
    size_t len = 0, n = 0;
    unsigned char *file = settings_read_file(o->file, FILE_MAX, &len, err);
    if (!file)
        return false;
    file[len] = '\0';
    size_t lines = 1;
    for (size_t i = 0; i < len; i++)
        lines += file[i] == '\n';
    s->words = calloc(lines + (size_t)o->argc + 1, sizeof *s->words);
    s->text = calloc(len + 4 * lines + 1, 1);
    s->lines = calloc(lines + 1, sizeof *s->lines);
    size_t line_number = 0;
    char *at = s->text, *rest = (char *)file, *line;
    while (s->words && s->text && s->lines && (line = strsep(&rest, "\n")) != NULL) {
        char *word = option_of(line);
        line_number++;
        if (!word)
            continue;
        s->lines[n] = line_number;
        s->words[n++] = strcpy(at, word);
        at += strlen(word) + 1;
        free(word);
    }
    free(file);
    s->file_words = n;
    for (int i = 0; s->words && s->text && i < o->argc; i++)
        s->words[n++] = o->argv[i];
    *count = n;
    return (s->words && s->text && s->lines) ||
           settings_fail(err, HF_E_NO_MEMORY, 0, "for the options");
}

/* Whether the file's lines can be read, each with those before it; what is wrong is said, with its line. */
static bool file_is_good(const struct setup *s, const char *path)
{
    struct options ignored;
    char name[600];
    for (size_t i = 0; i < s->file_words; i++) {
        snprintf(name, sizeof name, "proxy: %.500s, line %zu", path, s->lines[i]);
        for (const char *p = s->words[i]; *p; p++)
            if ((unsigned char)*p < ' ' && *p != '\t') {
                fprintf(stderr, "handfast %s: there is a control character: this is no text\n",
                        name);
                return false;
            }
        if (!options_parse(&ignored, PROXY, name, (int)i + 1, s->words))
            return false;
    }
    return true;
}

static bool read_options(struct setup *s, const struct options *o, bool *usage, hf_error *err)
{
    size_t count = 0;
    s->o = *o;
    if (!o->file)
        return true;
    if (!gather(s, o, &count, err))
        return false;
    *usage = !file_is_good(s, o->file) ||
             !options_parse(&s->o, PROXY, "proxy", (int)count, s->words);
    s->o.argc = o->argc;
    s->o.argv = o->argv;
    return !*usage;
}

/* ---------------------------------------------------------------- the two sides */

static bool pin(hf_config *config, const struct place *p, hf_error *err)
{
    if (!p->version || hf_config_set_versions(config, p->version, p->version))
        return true;
    *err = *hf_config_error(config);
    return false;
}

static bool make_server(struct setup *s, const struct setup *before, hf_error *err)
{
    struct options o = s->o;
    o.command = SERVE;
    /* What a session stands for may be trusted no longer. */
    bool keep = before && before->tickets && !o.client_auth && !before->o.client_auth;
    s->tickets = keep ? hf_config_ref(before->tickets) : hf_config_new(HF_SERVER);
    if (!s->tickets)
        return settings_fail(err, HF_E_NO_MEMORY, 0, "for the configuration");
    s->server = settings_server_like(&o, s->tickets, err);
    return s->server && pin(s->server, &s->from, err) && settings_freeze(s->server, err);
}

/* What the client's side goes by: the options without "to-" where the other side is plain. */
static struct options client_options(const struct setup *s)
{
    struct options o = s->o, none = {.tickets = -1, .security_level = -1};
    if (s->from.tls)
        o = none;
    o.command = CONNECT;
    o.ocsp = NULL;
    o.name = NULL;
    if (s->o.to_ca || s->o.to_ca_folder) {
        o.ca = s->o.to_ca;
        o.ca_folder = s->o.to_ca_folder;
    }
    if (s->o.to_cert) {
        o.cert = (struct text_list){.p = {s->o.to_cert}, .count = 1};
        o.key = (struct text_list){.p = {s->o.to_key}, .count = 1};
    }
    if (s->o.to_alpn)
        o.alpn = s->o.to_alpn;
    o.insecure_no_verify = s->o.to_insecure_no_verify;
    return o;
}

static bool make_client(struct setup *s, hf_error *err)
{
    struct options o = client_options(s);
    s->client = settings_client(&o, err);
    snprintf(s->to_name, sizeof s->to_name, "%s", s->o.to_name ? s->o.to_name : s->to.host);
    if (!s->client || !pin(s->client, &s->to, err))
        return false;
    if (!hf_config_set_session_callback(s->client, worker_keep_session, NULL)) {
        *err = *hf_config_error(s->client);
        return false;
    }
    return settings_freeze(s->client, err);
}

/* ---------------------------------------------------------------- the whole */

static const char *mistake(const struct setup *s)
{
    const struct options *o = &s->o;
    if (s->from.tls && o->cert.count + o->raw_key.count + o->psk.count == 0)
        return "tls:// as FROM needs a certificate and its key: --cert FILE --key FILE";
    if (o->client_auth && !s->from.tls)
        return "--client-auth is for tls:// as FROM";
    if (o->client_auth && !o->ca && !o->ca_folder && !o->trust_key.count && !o->peer_types)
        return "--client-auth needs --ca FILE or --trust-key FILE: whom to accept";
    if ((o->to_ca || o->to_ca_folder || o->to_name || o->to_cert || o->to_alpn ||
         o->to_insecure_no_verify) &&
        !s->to.tls)
        return "options that begin with --to- are for tls:// as TO";
    if (o->to_key && !o->to_cert)
        return "--to-key needs the --to-cert that it belongs to";
    return NULL;
}

static void take_numbers(struct setup *s)
{
    long processors = sysconf(_SC_NPROCESSORS_ONLN);
    const struct options *o = &s->o;
    s->workers = o->workers ? (size_t)o->workers : processors > 0 ? (size_t)processors : 1;
    size_t most = o->max_connections ? (size_t)o->max_connections : 10000;
    s->most = (most + s->workers - 1) / s->workers;
    s->patience = o->timeout > 0 ? o->timeout : 30;
    s->idle = o->idle > 0 ? o->idle : 600;
    s->drain = o->drain > 0 ? o->drain : 30;
}

static bool find_user(struct setup *s, hf_error *err)
{
    const char *name = s->o.user;
    errno = 0;
    const struct passwd *user = name ? getpwnam(name) : NULL;
    if (!name)
        return true;
    if (!user)
        return settings_fail(err, HF_E_CONFIG, errno, "--user %s: there is no such user", name);
    s->uid = user->pw_uid;
    s->gid = user->pw_gid;
    return true;
}

static bool fill(struct setup *s, const struct options *o, const struct setup *before,
                 bool *usage, hf_error *err)
{
    if (!read_options(s, o, usage, err))
        return false;
    if (!s->o.target || !s->o.target2) {
        *usage = true;
        fprintf(stderr,
                "handfast proxy: FROM-URL and TO-URL are needed: handfast proxy "
                "tls://:8443 tcp://127.0.0.1:8080 --cert FILE\nTry: handfast help proxy\n");
        return false;
    }
    if (!place_parse(&s->from, s->o.target, err) || !place_parse(&s->to, s->o.target2, err))
        return false;
    const char *what = mistake(s);
    if (what) {
        *usage = true;
        fprintf(stderr, "handfast proxy: %s\nTry: handfast help proxy\n", what);
        return false;
    }
    take_numbers(s);
    return find_user(s, err) && place_resolve(&s->from, true, err) &&
           place_resolve(&s->to, false, err) && (!s->from.tls || make_server(s, before, err)) &&
           (!s->to.tls || make_client(s, err));
}

struct setup *setup_new(const struct options *o, const struct setup *before, bool *usage,
                        hf_error *err)
{
    struct setup *s = calloc(1, sizeof *s);
    *usage = false;
    if (!s) {
        settings_fail(err, HF_E_NO_MEMORY, 0, "for the options");
        return NULL;
    }
    if (fill(s, o, before, usage, err))
        return s;
    setup_free(s);
    return NULL;
}
