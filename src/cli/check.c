/* check.c: handfast run --check: what a program wants of libssl, and what of it is there. */
#include "cli/check.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cli/elf_file.h"
#include "cli/report.h"

enum { MOST_OBJECTS = 300, MOST_FUNCTIONS = 800 };

/* Functions that refuse lie in a section of their own (libssl/refused.c). */
#define REFUSED "refused_text"

struct note {
    const char *name, *text;
};

static const struct note notes[] = {
#define PARTLY(name, text) {#name, text},
#include "cli/libssl_notes.def"
#undef PARTLY
};

struct function {
    const char *name;
    bool refused;
    const char *partly;   /* how, or NULL */
    const char *importer; /* the first object that wants it; or NULL */
    size_t importers;
};

struct found {
    struct elf library;
    struct function function[MOST_FUNCTIONS];
    const struct function *shown[MOST_FUNCTIONS]; /* as people want them */
    size_t functions;
    char *object[MOST_OBJECTS]; /* the program, then its libraries */
    size_t objects;
    size_t wanted, refused, partly;
};

static const char *note_of(const char *name)
{
    for (size_t i = 0; i < sizeof notes / sizeof *notes; i++)
        if (strcmp(notes[i].name, name) == 0)
            return notes[i].text;
    return NULL;
}

static bool read_library(struct found *f, const char *path)
{
    const char *why;
    struct elf_symbol s;
    if (!elf_open(&f->library, path, &why)) {
        fprintf(stderr, "handfast: %s: %s\n", path, why);
        return false;
    }
    for (size_t i = 0; i < f->library.symbol_count && f->functions < MOST_FUNCTIONS; i++) {
        if (!elf_symbol(&f->library, i, &s) || !s.defined ||
            !isalpha((unsigned char)s.name[0]) || strchr(s.name, '.'))
            continue;
        bool refused = strcmp(s.section, REFUSED) == 0;
        f->function[f->functions++] =
            (struct function){s.name, refused, refused ? NULL : note_of(s.name), NULL, 0};
    }
    return true;
}

/* ---- the program and its libraries, as its loader finds them */

static bool add_object(struct found *f, const char *path)
{
    for (size_t i = 0; i < f->objects; i++)
        if (strcmp(f->object[i], path) == 0)
            return true;
    if (f->objects == MOST_OBJECTS || !(f->object[f->objects] = strdup(path)))
        return false;
    f->objects++;
    return true;
}

/* A line of the loader's list: "NAME => PATH (ADDRESS)" or "PATH (ADDRESS)". */
static void read_line(struct found *f, char *line)
{
    char *arrow = strstr(line, " => "), *path = arrow ? arrow + 4 : line + strspn(line, " \t");
    char *end = strstr(path, " (0x");
    if (!end || *path != '/')
        return;
    *end = '\0';
    add_object(f, path);
}

static bool list_libraries(struct found *f, const char *loader, const char *program)
{
    int out[2], status;
    char line[4200];
    if (pipe(out) != 0)
        return false;
    pid_t child = fork();
    if (child == 0) {
        dup2(out[1], STDOUT_FILENO);
        close(out[0]);
        close(out[1]);
        execl(loader, loader, "--list", program, (char *)NULL);
        _exit(127);
    }
    close(out[1]);
    FILE *in = child > 0 ? fdopen(out[0], "r") : NULL;
    while (in && fgets(line, sizeof line, in))
        read_line(f, line);
    if (in)
        fclose(in);
    else
        close(out[0]);
    return child > 0 && waitpid(child, &status, 0) == child && WIFEXITED(status) &&
           WEXITSTATUS(status) == 0;
}

/* A library has no loader of its own: any program's will do, such as this one's. */
static const char *loader_of(const struct elf *e, struct elf *self)
{
    const char *loader = elf_loader(e), *why;
    if (!loader && elf_open(self, "/proc/self/exe", &why))
        loader = elf_loader(self);
    return loader;
}

/* What a process has mapped to be executed: its program, libraries, and the modules that it has loaded since. */
static int read_process(struct found *f, long pid)
{
    char path[64], line[4300];
    snprintf(path, sizeof path, "/proc/%ld/maps", pid);
    FILE *in = fopen(path, "r");
    while (in && fgets(line, sizeof line, in)) {
        char *file = strchr(line, '/'), *may = strchr(line, ' ');
        line[strcspn(line, "\n")] = '\0';
        if (file && may && may < file && may[3] == 'x' && !strstr(file, " (deleted)"))
            add_object(f, file);
    }
    if (in)
        fclose(in);
    if (f->objects)
        return EXIT_OK;
    fprintf(
        stderr, "handfast: process %ld: %s\n", pid,
        in ? "nothing of it may be seen: ask as its user, or as root"
           : "there is no such process, or it may not be looked at: ask as its user, or as root");
    return EXIT_CONFIG;
}

static int read_program(struct found *f, const char *path)
{
    long pid = 0;
    int end = 0;
    if (sscanf(path, "/proc/%ld/exe%n", &pid, &end) == 1 && end > 0 && !path[end])
        return read_process(f, pid);

    struct elf program, self = {0};
    const char *why;
    char real[4200];
    if (!elf_open(&program, path, &why)) {
        fprintf(stderr, "handfast: %s: %s\n", path, why);
        return EXIT_CONFIG;
    }
    snprintf(real, sizeof real, "%s%s", strchr(path, '/') ? "" : "./", path);
    bool ok = add_object(f, real);
    const char *loader = loader_of(&program, &self);
    if (ok && program.symbol_count && loader && !list_libraries(f, loader, real))
        fprintf(stderr, "handfast: %s: not all of its libraries were found\n", path);
    elf_close(&self);
    elf_close(&program);
    return ok ? EXIT_OK : EXIT_LOCAL;
}

/* ---- what they import */

static struct function *find_function(struct found *f, const char *name)
{
    for (size_t i = 0; i < f->functions; i++)
        if (strcmp(f->function[i].name, name) == 0)
            return &f->function[i];
    return NULL;
}

static void read_imports(struct found *f, const char *path)
{
    struct elf e;
    struct elf_symbol s;
    const char *why;
    if (!elf_open(&e, path, &why))
        return;
    for (size_t i = 0; i < e.symbol_count; i++) {
        if (!elf_symbol(&e, i, &s) || s.defined)
            continue;
        struct function *fn = find_function(f, s.name);
        if (!fn)
            continue;
        if (!fn->importers++) {
            fn->importer = path;
            f->wanted++;
            f->refused += fn->refused;
            f->partly += fn->partly != NULL;
        }
    }
    elf_close(&e);
}

/* ---- what is shown */

static const char *status_of(const struct function *fn)
{
    return fn->refused ? "refuses" : fn->partly ? "partly" : "implemented";
}

static void show_lines(const struct found *f, const char *path)
{
    printf("%s: %zu functions of libssl; implemented %zu, partly %zu, refuses %zu\n", path,
           f->wanted, f->wanted - f->refused - f->partly, f->partly, f->refused);
    if (!f->wanted)
        printf(
            "  Nothing that it loads at its start asks for libssl. If it loads modules later, "
            "check those,\n  or the process: handfast run --check PID\n");
    for (size_t i = 0; i < f->functions; i++) {
        const struct function *fn = f->shown[i];
        if (fn->importers)
            printf("  %-11s  %-45s %s%s%s%s\n", status_of(fn), fn->name, fn->importer,
                   fn->importers > 1 ? " and more" : "", fn->partly ? ": " : "",
                   fn->partly ? fn->partly : "");
    }
}

/* First what may be missed. */
static int by_status(const void *a, const void *b)
{
    const struct function *one = *(const struct function *const *)a;
    const struct function *other = *(const struct function *const *)b;
    int first = one->refused ? 0 : one->partly ? 1 : 2;
    int second = other->refused ? 0 : other->partly ? 1 : 2;
    return first != second ? first - second : strcmp(one->name, other->name);
}

static void sort_for_people(struct found *f)
{
    for (size_t i = 0; i < f->functions; i++)
        f->shown[i] = &f->function[i];
    qsort(f->shown, f->functions, sizeof f->shown[0], by_status);
}

static bool show_json(const struct found *f, const char *path, size_t *shown)
{
    struct text out = {0};
    text_addf(&out, "%s\n{\"program\": ", *shown ? "," : "");
    text_json(&out, path);
    text_addf(&out, ", \"wanted\": %zu, \"partly\": %zu, \"refuses\": %zu, \"functions\": [",
              f->wanted, f->partly, f->refused);
    bool first = true;
    for (size_t i = 0; i < f->functions; i++) {
        const struct function *fn = &f->function[i];
        if (!fn->importers)
            continue;
        text_addf(&out, "%s\n  {\"name\": \"%s\", \"status\": \"%s\", \"imported_by\": ",
                  first ? "" : ",", fn->name, status_of(fn));
        text_json(&out, fn->importer);
        text_add(&out, ", \"how\": ");
        text_json(&out, fn->partly);
        text_add(&out, "}");
        first = false;
    }
    text_add(&out, "]}");
    bool ok = text_ok(&out);
    if (ok)
        fputs(out.p, stdout);
    *shown += ok;
    text_clear(&out);
    return ok;
}

static int by_name(const void *a, const void *b)
{
    return strcmp(((const struct function *)a)->name, ((const struct function *)b)->name);
}

int check_program(const char *library, const char *path, bool json, size_t *shown)
{
    struct found *f = calloc(1, sizeof *f);
    if (!f)
        return EXIT_LOCAL;
    int status = read_library(f, library) ? read_program(f, path) : EXIT_LOCAL;
    if (status == EXIT_OK) {
        qsort(f->function, f->functions, sizeof f->function[0], by_name);
        for (size_t i = 0; i < f->objects; i++)
            read_imports(f, f->object[i]);
        sort_for_people(f);
        if (!json)
            show_lines(f, path);
        else if (!show_json(f, path, shown))
            status = EXIT_LOCAL;
    }
    elf_close(&f->library);
    for (size_t i = 0; i < f->objects; i++)
        free(f->object[i]);
    free(f);
    return status;
}
