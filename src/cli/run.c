/* run.c: handfast run: our libssl.so.3 in front of one program. */
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/check.h"
#include "cli/command.h"
#include "cli/report.h"

#define LIBRARY "libssl.so.3"

static bool is_file(const char *path)
{
    struct stat st;
    return stat(path, &st) == 0 && S_ISREG(st.st_mode);
}

/* Where the library lies, as seen from the folder of this command: installed (LIBSSL_FROM_BIN is the way from
 * <prefix>/bin to <libdir>/handfast), or in the folder where both were built. */
static bool find_library(char folder[PATH_MAX])
{
    static const char *const places[] = {LIBSSL_FROM_BIN, "../../libssl"};
    char self[PATH_MAX], path[2 * PATH_MAX];
    ssize_t n = readlink("/proc/self/exe", self, sizeof self - 1);
    if (n <= 0)
        return false;
    self[n] = '\0';
    *strrchr(self, '/') = '\0';
    for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
        snprintf(path, sizeof path, "%s/%s/" LIBRARY, self, places[i]);
        if (!is_file(path) || !realpath(path, folder))
            continue;
        *strrchr(folder, '/') = '\0';
        return true;
    }
    return false;
}

static bool is_folder(const char *path)
{
    struct stat st;
    return stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

static bool program_path(const char *name, char out[PATH_MAX])
{
    const char *path = getenv("PATH");
    if (strchr(name, '/')) {
        snprintf(out, PATH_MAX, "%s", name);
        return access(out, F_OK) == 0;
    }
    if (!path)
        path = "/usr/local/bin:/usr/bin:/bin";
    while (path) {
        size_t len = strcspn(path, ":");
        snprintf(out, PATH_MAX, "%.*s%s%s", (int)len, path, len ? "/" : "", name);
        if (is_file(out) && access(out, X_OK) == 0)
            return true;
        path = path[len] ? path + len + 1 : NULL;
    }
    return false;
}

/* The loader ignores LD_LIBRARY_PATH for whoever gets other rights than its caller. */
static bool gets_rights(const char *path)
{
    struct stat st;
    if (stat(path, &st) != 0)
        return false;
    return (st.st_mode & S_ISUID && st.st_uid != getuid()) ||
           (st.st_mode & S_ISGID && st.st_gid != getgid());
}

static int start(const char *folder, char **argv)
{
    char program[PATH_MAX], value[2 * PATH_MAX];
    const char *before = getenv("LD_LIBRARY_PATH");
    if (!program_path(argv[0], program)) {
        fprintf(stderr, "handfast: there is no program \"%s\"\n", argv[0]);
        return EXIT_CONFIG;
    }
    if (gets_rights(program)) {
        fprintf(stderr,
                "handfast: %s is setuid or setgid: the loader would take the system's libssl "
                "for it\n",
                program);
        return EXIT_CONFIG;
    }
    snprintf(value, sizeof value, "%s%s%s", folder, before && *before ? ":" : "",
             before ? before : "");
    if (is_folder(program)) {
        fprintf(stderr, "handfast: %s is a folder, not a program\n", program);
        return EXIT_CONFIG;
    }
    if (setenv("LD_LIBRARY_PATH", value, 1) == 0)
        execv(program, argv);
    fprintf(stderr, "handfast: %s cannot be started: %s\n", program, strerror(errno));
    return errno == ENOMEM ? EXIT_LOCAL : EXIT_CONFIG;
}

static int check(const char *folder, int count, char **programs, bool json)
{
    char library[PATH_MAX + sizeof "/" LIBRARY], path[PATH_MAX];
    snprintf(library, sizeof library, "%s/" LIBRARY, folder);
    int worst = EXIT_OK;
    size_t shown = 0;
    if (json)
        printf("[");
    for (int i = 0; i < count; i++) {
        int status = EXIT_CONFIG;
        if (programs[i][0] && !programs[i][strspn(programs[i], "0123456789")])
            snprintf(path, sizeof path, "/proc/%.20s/exe", programs[i]);
        else if (!program_path(programs[i], path))
            path[0] = '\0';
        if (*path)
            status = check_program(library, path, json, &shown);
        else
            fprintf(stderr, "handfast: there is no program \"%s\"\n", programs[i]);
        if (status > worst)
            worst = status;
    }
    if (json)
        printf("]\n");
    return worst;
}

static int wrong(const char *what, const char *word)
{
    fprintf(stderr, "handfast run: %s%s\nTry: handfast help run\n", what, word);
    return EXIT_USAGE;
}

int command_run(int argc, char **argv)
{
    char folder[PATH_MAX];
    bool only_check = false, json = false;
    int i = 0;
    for (; i < argc && argv[i][0] == '-'; i++) {
        if (strcmp(argv[i], "--") == 0) {
            i++;
            break;
        }
        if (strcmp(argv[i], "--check") == 0)
            only_check = true;
        else if (strcmp(argv[i], "--json") == 0)
            json = true;
        else
            return wrong("there is no option ", argv[i]);
    }
    if (i >= argc)
        return wrong("which program?", "");
    if (json && !only_check)
        return wrong("--json goes with --check", "");
    if (!find_library(folder)) {
        fprintf(stderr,
                "handfast: " LIBRARY " is neither in %s, seen from this command, nor in the "
                "folder it was built in; install it, or run the command from there\n",
                LIBSSL_FROM_BIN);
        return EXIT_LOCAL;
    }
    return only_check ? check(folder, argc - i, argv + i, json) : start(folder, argv + i);
}
