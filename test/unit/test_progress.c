/* test_progress.c: the bar of long work: what its line says, and that it is for terminals only. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "check.h"
#include "cli/progress.h"

static void check_line(const struct progress *p, const char *label, double seconds,
                       unsigned columns, const char *want)
{
    struct text t = {0};
    progress_line(&t, p, label, seconds, columns);
    CHECK_STR(t.p, want);
    text_clear(&t);
}

static void test_line(void)
{
    struct progress p = {.what = "scanning", .total = 48};
    check_line(&p, NULL, 5, 80, "scanning [........................] 0/48");
    p.done = 12;
    check_line(&p, "TLS 1.2", 5, 80,
               "scanning [######..................] 12/48, 15 s left  TLS 1.2");
    check_line(&p, "a\033[31mb", 0.5, 80,
               "scanning [######..................] 12/48  a\\u{1b}[31mb");
    check_line(&p, "TLS 1.2", 5, 21, "scanning [######....");
    check_line(&p, NULL, 600, 80, "scanning [######..................] 12/48, 30 min left");
    p.done = 50;
    check_line(&p, NULL, 5, 80, "scanning [########################] 48/48");
    p.total = 0;
    check_line(&p, NULL, 5, 80, "scanning 50");
}

static void test_no_terminal(void)
{
    struct progress p;
    char *text = NULL;
    size_t len = 0;
    FILE *f = tmpfile();
    progress_begin(&p, f, "x", 2, false);
    progress_step(&p, 1, NULL);
    progress_end(&p);
    CHECK_INT(ftell(f), 0);
    fclose(f);
    f = open_memstream(&text, &len);
    progress_begin(&p, f, "x", 2, false);
    progress_step(&p, 2, NULL);
    progress_end(&p);
    fclose(f);
    CHECK_INT(len, 0);
    free(text);
}

/* What a terminal gets when the bar is drawn, hidden and ended. */
static void drive(const char *kind, bool quiet, char *got, size_t size)
{
    char name[64];
    struct progress p;
    int outer = posix_openpt(O_RDWR | O_NOCTTY);
    CHECK(outer >= 0 && grantpt(outer) == 0 && unlockpt(outer) == 0 &&
          ptsname_r(outer, name, sizeof name) == 0);
    FILE *f = fopen(name, "w");
    CHECK(f != NULL);
    setenv("TERM", kind, 1);
    progress_begin(&p, f, "x", 2, quiet);
    progress_step(&p, 1, "one");
    progress_step(&p, 2, "too soon to be drawn");
    progress_hide(&p);
    progress_end(&p);
    fputs("end", f);
    fflush(f);
    size_t had = 0;
    ssize_t n;
    got[0] = '\0';
    while (!strstr(got, "end") && (n = read(outer, got + had, size - 1 - had)) > 0) {
        had += (size_t)n;
        got[had] = '\0';
    }
    fclose(f);
    close(outer);
}

static void test_terminal(void)
{
    char got[256];
    drive("xterm", false, got, sizeof got);
    CHECK_STR(got, "\rx [############............] 1/2  one\033[K\r\033[Kend");
    drive("dumb", false, got, sizeof got);
    CHECK_STR(got, "end");
    drive("xterm", true, got, sizeof got);
    CHECK_STR(got, "end");
}

int main(void)
{
    RUN(test_line);
    RUN(test_no_terminal);
    RUN(test_terminal);
    return check_done();
}
