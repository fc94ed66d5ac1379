#define _GNU_SOURCE
#include "cli/proxy_log.h"

#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <unistd.h>

static void put(int fd, const struct text *t)
{
    /* Whole lines by one write: several processes write to the same place. */
    if (text_ok(t) && t->len && write(fd, t->p, t->len) < 0)
        return; /* a log that cannot be written is no reason to stop */
}

__attribute__((format(printf, 3, 0))) static void
say(const struct proxy_log *l, const char *event, const char *fmt, va_list args)
{
    char message[1024];
    struct text t = {0};
    vsnprintf(message, sizeof message, fmt, args);
    if (l->json) {
        text_addf(&t, "{\"event\":\"%s\",\"message\":", event);
        text_json(&t, message);
        text_add(&t, "}\n");
    } else {
        text_add(&t, "handfast proxy: ");
        text_plain(&t, message);
        text_add(&t, "\n");
    }
    put(STDERR_FILENO, &t);
    text_clear(&t);
}

void log_say(const struct proxy_log *l, const char *event, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    say(l, event, fmt, args);
    va_end(args);
}

void log_note(const struct proxy_log *l, const char *event, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    if (!l->quiet)
        say(l, event, fmt, args);
    va_end(args);
}

static struct seen *find(struct proxy_log *l, hf_code code)
{
    size_t i = 0;
    while (i < l->seen_count && l->seen[i].code != code)
        i++;
    if (i == sizeof l->seen / sizeof *l->seen)
        return &l->seen[i - 1]; /* all that are rare share one */
    if (i == l->seen_count)
        l->seen[l->seen_count++] = (struct seen){.code = code, .said = -1000};
    return &l->seen[i];
}

void log_failure(struct proxy_log *l, const char *who, const hf_error *err, double now)
{
    char line[512], more[64] = "";
    struct seen *s = find(l, err->code);
    if (now - s->said < 60) {
        s->more++;
        return;
    }
    if (s->more)
        snprintf(more, sizeof more, " (and %llu like it before)", (unsigned long long)s->more);
    hf_error_line(err, line, sizeof line);
    log_say(l, "client", "client %s: %s%s", who, line, more);
    s->said = now;
    s->more = 0;
}

int log_open(const char *path)
{
    if (path[0] == '-' && path[1] == '\0')
        return fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 3);
    return open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0640);
}

void log_flush(struct proxy_log *l)
{
    if (l->lines.len == 0 && !l->lines.failed)
        return;
    if (l->access >= 0)
        put(l->access, &l->lines);
    if (l->lines.failed)
        text_clear(&l->lines);
    l->lines.len = 0;
}
