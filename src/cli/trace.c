#include "cli/command.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "cli/dial.h"
#include "cli/report.h"
#include "cli/settings.h"
#include "cli/trace_facts.h"

static void record(const hf_conn *conn, const hf_trace_event *event, void *arg)
{
    (void)conn;
    recording_add(arg, event);
}

static bool drop_body(const void *p, size_t len, void *arg)
{
    (void)p;
    (void)len;
    (void)arg;
    return true;
}

/* A request is made only if the peer may be expected to speak HTTP: asked for, or agreed by ALPN. */
static const char *wanted_path(const struct options *o, const struct target *t,
                               const struct dial *d)
{
    size_t len = 0;
    const uint8_t *alpn = hf_conn_alpn(dial_conn(d), &len);
    if (o->get)
        return o->get;
    if (*t->path)
        return t->path;
    if (alpn)
        return len == 8 && memcmp(alpn, "http/1.1", 8) == 0 ? "/" : NULL;
    return o->alpn ? NULL : "/";
}

/* What comes after the handshake is extra: the page shows it, and its failure does not spoil it. */
static void converse(struct dial *d, const struct options *o, const struct target *t)
{
    hf_error ignored = {0};
    char status[256], rest[512];
    const char *path = wanted_path(o, t, d);
    if (d->timeout == 0)
        d->timeout = 5;
    if (path && !dial_get(d, t->host, path, status, sizeof status, drop_body, NULL, &ignored))
        return;
    /* The close belongs to the picture: ours, then whatever the peer still says. */
    ignored = (hf_error){0};
    if (hf_shutdown_write(d->stream, &ignored)) {
        d->timeout = 1;
        while (dial_read(d, rest, sizeof rest, &ignored) > 0)
            ;
    }
}

static char *explained(const struct dial *d, const hf_error *err)
{
    size_t n = hf_explain(dial_conn(d), err, NULL, 0);
    char *s = malloc(n + 1);
    if (s)
        hf_explain(dial_conn(d), err, s, n + 1);
    return s;
}

static bool write_page(const struct options *o, const struct text *page, hf_error *err)
{
    bool to_stdout = strcmp(o->output, "-") == 0;
    FILE *f = to_stdout ? stdout : fopen(o->output, "wb");
    bool good = f && fwrite(page->p, 1, page->len, f) == page->len && fflush(f) == 0;
    int why = errno;
    if (f && !to_stdout)
        good = fclose(f) == 0 && good;
    return good || settings_fail(err, HF_E_FILE, why, "%s cannot be written: %s", o->output,
                                 strerror(why));
}

static bool draw(const struct options *o, const struct target *t, const struct dial *d,
                 const struct recording *recording, const hf_error *failure, hf_error *err)
{
    struct facts_of f;
    struct text page = {0};
    facts_take(&f, dial_conn(d), recording, t->url, false, time(NULL));
    char *explanation = failure ? explained(d, failure) : NULL;
    f.facts.error = explanation;
    bool good = o->json ? trace_json(&page, recording, &f.facts)
                        : trace_html(&page, recording, &f.facts);
    if (!good)
        settings_fail(err, HF_E_NO_MEMORY, 0, "for the page");
    else
        good = write_page(o, &page, err);
    text_clear(&page);
    free(explanation);
    facts_clear(&f);
    return good;
}

static bool prepare(struct dial *d, const struct options *o, const struct target *t,
                    struct recording *recording, hf_error *err)
{
    if (!dial_prepare(d, o, t, err))
        return false;
    if ((!o->alpn && !hf_config_set_alpn(d->config, "http/1.1", false)) ||
        !hf_config_set_trace(d->config, record, recording) ||
        !hf_config_insecure_set_trace_secrets(d->config, true)) {
        *err = *hf_config_error(d->config);
        return false;
    }
    return true;
}

int command_trace(const struct options *options)
{
    struct options o = *options;
    struct target t;
    struct dial d = {0};
    struct recording recording = {0};
    hf_error err = {0}, unwritten = {0};
    if (!o.target) {
        fputs("handfast trace: whose handshake? Give a URL or HOST:PORT\n"
              "Try: handfast help trace\n",
              stderr);
        return EXIT_USAGE;
    }
    if (!target_parse_starttls(&t, "trace", o.target, o.starttls) ||
        !target_get("trace", o.get))
        return EXIT_USAGE;
    if (!t.tls) {
        fprintf(stderr, "handfast trace: %s is a plain URL: there is no handshake to trace\n",
                t.url);
        return EXIT_USAGE;
    }
    if (!o.output)
        o.output = "-";
    if (strcmp(o.output, "-") == 0 && !o.json && isatty(STDOUT_FILENO)) {
        fputs("handfast trace: the page is HTML: name a file for it with -o FILE\n", stderr);
        return EXIT_USAGE;
    }
    bool good = prepare(&d, &o, &t, &recording, &err);
    bool began = good;
    good = good && dial_open(&d, &o, &t, &err);
    if (good)
        converse(&d, &o, &t);
    /* A handshake that failed is worth a page as well. */
    if (began && recording.count &&
        !draw(&o, &t, &d, &recording, good ? NULL : &err, &unwritten))
        report_failure(NULL, &unwritten, o.json);
    int status = good ? exit_status(&unwritten) : report_failure(dial_conn(&d), &err, o.json);
    hf_error kept = {0};
    if (!dial_keep_session(&d, &o, &kept))
        status = report_failure(NULL, &kept, o.json);
    dial_close(&d);
    recording_clear(&recording);
    return status;
}
