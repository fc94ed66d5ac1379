#include "cli/progress.h"

#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

enum { BAR = 24, NARROWEST = 20 };

static double clock_now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static bool can_draw(FILE *out)
{
    const char *kind = getenv("TERM");
    return isatty(fileno(out)) && kind && *kind && strcmp(kind, "dumb") != 0;
}

void progress_begin(struct progress *p, FILE *out, const char *what, size_t total, bool quiet)
{
    *p = (struct progress){.what = what, .total = total};
    p->out = !quiet && can_draw(out) ? out : NULL;
    p->began = p->out ? clock_now() : 0;
}

/* What is left, if all goes on as it did; nothing before there is something to go by. */
static void add_rest(struct text *t, const struct progress *p, double seconds)
{
    if (p->done == 0 || p->done >= p->total || seconds < 1)
        return;
    double rest = seconds * (double)(p->total - p->done) / (double)p->done;
    if (rest < 100)
        text_addf(t, ", %.0f s left", rest);
    else if (rest < 360000)
        text_addf(t, ", %.0f min left", rest / 60);
}

static void add_bar(struct text *t, const struct progress *p)
{
    size_t done = p->done < p->total ? p->done : p->total;
    int full = (int)((double)done / (double)p->total * BAR);
    char bar[BAR + 1];
    memset(bar, '.', BAR);
    memset(bar, '#', (size_t)full);
    bar[BAR] = '\0';
    text_addf(t, "%s [%s] %zu/%zu", p->what, bar, done, p->total);
}

/* A line that is longer than the terminal would wrap, and could not be taken back. */
static void cut(struct text *t, unsigned columns)
{
    size_t most = columns > NARROWEST ? columns - 1 : NARROWEST;
    if (!text_ok(t) || t->len <= most)
        return;
    while (most > 0 && ((unsigned char)t->p[most] & 0xc0) == 0x80)
        most--;
    t->p[most] = '\0';
    t->len = most;
}

void progress_line(struct text *out, const struct progress *p, const char *label,
                   double seconds, unsigned columns)
{
    if (p->total)
        add_bar(out, p);
    else
        text_addf(out, "%s %zu", p->what, p->done);
    add_rest(out, p, seconds);
    if (label) {
        text_add(out, "  ");
        text_plain(out, label);
    }
    cut(out, columns);
}

static unsigned columns_of(FILE *out)
{
    struct winsize size;
    if (ioctl(fileno(out), TIOCGWINSZ, &size) == 0 && size.ws_col)
        return size.ws_col;
    return 80;
}

void progress_step(struct progress *p, size_t done, const char *label)
{
    struct text line = {0};
    p->done = done;
    if (!p->out)
        return;
    double now = clock_now();
    if (p->visible && now - p->drawn < 0.1)
        return;
    progress_line(&line, p, label, now - p->began, columns_of(p->out));
    if (text_ok(&line)) {
        fprintf(p->out, "\r%s\033[K", line.p);
        fflush(p->out);
        p->visible = true;
        p->drawn = now;
    }
    text_clear(&line);
}

void progress_hide(struct progress *p)
{
    if (!p->visible)
        return;
    fputs("\r\033[K", p->out);
    fflush(p->out);
    p->visible = false;
}

void progress_end(struct progress *p)
{
    progress_hide(p);
    p->out = NULL;
}
