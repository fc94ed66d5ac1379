/* progress.h: a bar on the terminal while something long goes on. */
#ifndef CLI_PROGRESS_H
#define CLI_PROGRESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "cli/text.h"

struct progress {
    FILE *out; /* NULL: nothing is shown */
    const char *what;
    size_t total, done; /* total 0: not known, a count is shown */
    double began, drawn;
    bool visible;
};

/* progress_begin starts a bar on out (stderr, as standard output is for results). Nothing is ever
 * written where out is no terminal, the terminal is dumb, or `quiet` is set. what is static: "scanning". */
void progress_begin(struct progress *p, FILE *out, const char *what, size_t total, bool quiet);

/* progress_step says how much is done now and what comes next (label, or NULL). It draws at most ten times
 * a second, so that it may be called as often as is handy. */
void progress_step(struct progress *p, size_t done, const char *label);

/* progress_hide takes the bar off its line, before something else is written there; the next step draws it
 * again. progress_end does so for good. */
void progress_hide(struct progress *p);
void progress_end(struct progress *p);

/* progress_line writes the bar as it would stand on a line of `columns`: for progress_step, and for tests.
 * seconds is how long the work goes on already. */
void progress_line(struct text *out, const struct progress *p, const char *label,
                   double seconds, unsigned columns);

#endif
