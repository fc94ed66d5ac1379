/* main.c: the program of the timed rows. It prints one line per row, engine and round:
 * row, unit, engine, round, value; bench/run makes medians and ratios of them. */
#include "rows.h"

#include <regex.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static regex_t pattern;

bool wanted(const char *row)
{
    return regexec(&pattern, row, 0, NULL, 0) == 0;
}

size_t engines_of(const struct plan *plan, const struct engine *out[2])
{
    const struct engine *all[2] = {&engine_stock, &engine_handfast};
    size_t count = 0;

    for (size_t i = 0; i < 2; i++)
        if (plan->only == NULL || strcmp(plan->only, all[i]->name) == 0)
            out[count++] = all[i];
    if (count == 0)
        die("no engine is called %s", plan->only);
    return count;
}

void report(const char *row, const char *unit, unsigned round, const struct engine *engine,
            double value)
{
    printf("%s\t%s\t%s\t%u\t%.6g\n", row, unit, engine->name, round, value);
    fflush(stdout);
}

static void take_option(struct plan *plan, const char *name, const char *value)
{
    if (strcmp(name, "--rounds") == 0)
        plan->rounds = (unsigned)strtoul(value, NULL, 10);
    else if (strcmp(name, "--seconds") == 0)
        plan->seconds = strtod(value, NULL);
    else if (strcmp(name, "--fresh") == 0)
        plan->fresh = (unsigned)strtoul(value, NULL, 10);
    else if (strcmp(name, "--starts") == 0)
        plan->start_runs = (unsigned)strtoul(value, NULL, 10);
    else if (strcmp(name, "--cpu") == 0)
        plan->cpu = (int)strtol(value, NULL, 10);
    else if (strcmp(name, "--row") == 0)
        plan->row_pattern = value;
    else if (strcmp(name, "--engine") == 0)
        plan->only = value;
    else
        die("unknown option %s", name);
}

static void write_text(const char *folder, const char *name, const struct text *text)
{
    char path[500];
    FILE *f;

    snprintf(path, sizeof path, "%s/%s", folder, name);
    f = fopen(path, "w");
    if (f == NULL || fwrite(text->p, 1, text->len, f) != text->len || fclose(f) != 0)
        die("cannot write %s", path);
}

/* The certificates of the rows, for programs around other libraries. */
static void write_identity(const char *folder)
{
    struct authority *root = authority_new(NULL), *intermediate = authority_new(root);
    struct identity identity = identity_new(intermediate, false);
    struct text pem = authority_pem(root);

    write_text(folder, "chain.pem", &identity.chain);
    write_text(folder, "key.pem", &identity.key);
    write_text(folder, "root.pem", &pem);
    free(pem.p);
    identity_clear(&identity);
    authority_free(intermediate);
    authority_free(root);
}

/* The folder of this program, where the start-up programs lie too. */
static const char *own_folder(void)
{
    static char path[480];
    ssize_t n = readlink("/proc/self/exe", path, sizeof(path) - 1);
    char *slash;

    if (n <= 0)
        die("cannot find the program's own folder");
    path[n] = '\0';
    slash = strrchr(path, '/');
    if (slash != NULL)
        *slash = '\0';
    return path;
}

int main(int argc, char **argv)
{
    struct plan plan = {.rounds = 7,
                        .seconds = 0.2,
                        .fresh = 40,
                        .start_runs = 15,
                        .cpu = (int)sysconf(_SC_NPROCESSORS_ONLN) - 1,
                        .row_pattern = ""};

    if (argc == 3 && strcmp(argv[1], "--write-identity") == 0) {
        write_identity(argv[2]);
        return 0;
    }
    for (int i = 1; i + 1 < argc; i += 2)
        take_option(&plan, argv[i], argv[i + 1]);
    if (argc % 2 == 0 || plan.rounds == 0 || plan.fresh == 0 || plan.start_runs == 0)
        die("usage: bench [--rounds N] [--seconds S] [--fresh N] [--starts N] [--cpu N] "
            "[--row REGEX] [--engine handfast|stock]");
    if (regcomp(&pattern, plan.row_pattern, REG_EXTENDED | REG_NOSUB) != 0)
        die("not a regular expression: %s", plan.row_pattern);
    plan.folder = own_folder();
    pin_to(plan.cpu);
    rows_handshake(&plan);
    rows_bulk(&plan);
    rows_start_up(&plan);
    rows_threads(&plan);
    regfree(&pattern);
    return 0;
}
