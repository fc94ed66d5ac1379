/* startup.c: the row start-up: from just before posix_spawn to the first handshake done, in a
 * program that is linked with one engine only. */
#include "rows.h"

#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

extern char **environ;

static const char row[] = "start-up";

static void write_file(const char *folder, const char *name, struct text text)
{
    char path[512];
    FILE *f;

    snprintf(path, sizeof(path), "%s/%s", folder, name);
    f = fopen(path, "w");
    if (f == NULL || fwrite(text.p, 1, text.len, f) != text.len || fclose(f) != 0)
        die("cannot write %s", path);
}

static void remove_file(const char *folder, const char *name)
{
    char path[512];

    snprintf(path, sizeof(path), "%s/%s", folder, name);
    unlink(path);
}

/* The child writes the monotonic time at which its handshake was done, as 8 bytes. */
static double spawn_once(const char *program, char *folder)
{
    char path[512];
    char *args[] = {path, folder, NULL};
    posix_spawn_file_actions_t actions;
    struct timespec start;
    uint64_t done;
    int fds[2], status;
    pid_t pid;

    snprintf(path, sizeof(path), "%s", program);
    if (pipe2(fds, O_CLOEXEC) != 0 || posix_spawn_file_actions_init(&actions) != 0 ||
        posix_spawn_file_actions_adddup2(&actions, fds[1], 1) != 0)
        die("cannot make a pipe");
    clock_gettime(CLOCK_MONOTONIC, &start);
    if (posix_spawn(&pid, path, &actions, NULL, args, environ) != 0)
        die("cannot start %s", path);
    posix_spawn_file_actions_destroy(&actions);
    close(fds[1]);
    if (read(fds[0], &done, sizeof(done)) != sizeof(done))
        die("%s did not finish its handshake", path);
    close(fds[0]);
    if (waitpid(pid, &status, 0) != pid || status != 0)
        die("%s failed", path);
    return (double)done - ((double)start.tv_sec * 1e9 + (double)start.tv_nsec);
}

/* The fastest of a round's starts: wall-clock time has no other way to leave the neighbours out. */
static double spawn_fastest(const struct plan *plan, const struct engine *engine, char *folder)
{
    char program[512];
    double fastest = 0;

    snprintf(program, sizeof(program), "%s/first-%s", plan->folder, engine->name);
    for (unsigned i = 0; i < plan->start_runs; i++) {
        double ns = spawn_once(program, folder);

        if (i == 0 || ns < fastest)
            fastest = ns;
    }
    return fastest / 1e6;
}

static void run_rounds(const struct plan *plan, char *folder)
{
    const struct engine *all[2];
    size_t engines = engines_of(plan, all);

    for (unsigned round = 0; round < plan->rounds; round++) {
        for (size_t e = 0; e < engines; e++) {
            const struct engine *engine = all[(e + round) % engines];

            report(row, "ms", round, engine, spawn_fastest(plan, engine, folder));
        }
    }
}

void rows_start_up(const struct plan *plan)
{
    char folder[] = "/tmp/bench-XXXXXX";
    struct authority *root, *intermediate;
    struct identity identity;
    struct text pem;

    if (!wanted(row))
        return;
    if (mkdtemp(folder) == NULL)
        die("cannot make a folder in /tmp");
    root = authority_new(NULL);
    intermediate = authority_new(root);
    identity = identity_new(intermediate, false);
    pem = authority_pem(root);
    write_file(folder, "root.pem", pem);
    write_file(folder, "chain.pem", identity.chain);
    write_file(folder, "key.pem", identity.key);
    run_rounds(plan, folder);
    remove_file(folder, "root.pem");
    remove_file(folder, "chain.pem");
    remove_file(folder, "key.pem");
    rmdir(folder);
    free(pem.p);
    identity_clear(&identity);
    authority_free(intermediate);
    authority_free(root);
}
