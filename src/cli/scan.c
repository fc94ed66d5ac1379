/* scan.c: `handfast scan`: what a server takes. */
#include "cli/scan.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "cli/command.h"
#include "cli/report.h"

enum { PARALLEL = 8 };
#define TIMEOUT 5.0

static bool is_address(const char *name)
{
    struct in6_addr ignored;
    return inet_pton(AF_INET, name, &ignored) == 1 || strchr(name, ':') != NULL;
}

static void set_name(struct scan *s)
{
    const char *name = s->o->name ? s->o->name : s->t->host;
    bool bracketed = !s->o->name && name[0] == '[';
    size_t len = s->o->name ? strlen(name) : strcspn(name + bracketed, bracketed ? "]%" : ":");
    snprintf(s->name, sizeof s->name, "%.*s", (int)len, name + bracketed);
    s->sni = !is_address(s->name);
}

static bool wants_colour(void)
{
    const char *term = getenv("TERM"), *none = getenv("NO_COLOR");
    return isatty(STDOUT_FILENO) && term && strcmp(term, "dumb") != 0 && (!none || !*none);
}

static int show(const struct scan *s, const struct findings *f)
{
    struct text out = {0};
    if (s->o->json)
        scan_json(&out, s, f);
    else
        scan_table(&out, s, f, wants_colour());
    bool good = text_ok(&out);
    if (good)
        fputs(out.p, stdout); /* main looks whether it has arrived */
    text_clear(&out);
    if (!good)
        return EXIT_LOCAL;
    bool weak = f->count && f->f[0].severity > SEVERITY_NOTE;
    return s->o->strict && weak ? EXIT_TLS : EXIT_OK;
}

static void result_free(struct scan_result *r)
{
    for (size_t i = 0; r && i < r->chains; i++)
        for (size_t k = 0; k < r->chain[i].count; k++)
            hf_certificate_free(r->chain[i].certificate[k]);
    free(r);
}

static double clock_now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static int run(struct scan *s)
{
    hf_error err = {0};
    double before = clock_now();
    bool good = scan_all(s, &err);
    s->r->time = clock_now() - before;
    if (!good)
        return report_failure(NULL, &err, s->o->json);
    struct findings *f = calloc(1, sizeof *f);
    if (!f)
        return EXIT_LOCAL;
    scan_judge(s, (int64_t)time(NULL), f);
    int status = show(s, f);
    free(f);
    return status;
}

int command_scan(const struct options *o)
{
    struct target t;
    if (!o->target) {
        fputs("handfast scan: which server? Give a URL or HOST[:PORT]\n"
              "Try: handfast help scan\n",
              stderr);
        return EXIT_USAGE;
    }
    if (!target_parse_starttls(&t, "scan", o->target, o->starttls))
        return EXIT_USAGE;
    struct scan *s = calloc(1, sizeof *s);
    struct scan_result *r = calloc(1, sizeof *r);
    int status = EXIT_LOCAL;
    if (s && r) {
        s->o = o;
        s->t = &t;
        s->r = r;
        s->timeout = o->timeout > 0 ? o->timeout : TIMEOUT;
        s->parallel = o->parallel ? (unsigned)o->parallel : PARALLEL;
        pthread_mutex_init(&s->lock, NULL);
        set_name(s);
        status = run(s);
        pthread_mutex_destroy(&s->lock);
    }
    result_free(r);
    free(s);
    return status;
}
