/* Random bytes, and several processes at once: what they may share, and what they never may. */
#define _GNU_SOURCE
#include "../unit/check.h"
#include "pair.h"

#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <pty.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bytes/bytes.h"
#include "config/session.h"
#include "connection/conn.h"
#include "handfast_context.h"
#include "handfast_random.h"

static void test_random(void)
{
    ROW("Y24 Y26 Y27");
    static uint8_t big[1 << 20];
    uint8_t first[32], second[32], zero[32] = {0};
    CHECK(hf_random_ready());
    CHECK(hf_random_bytes(first, 32) && hf_random_bytes(second, 32));
    CHECK(memcmp(first, second, 32) != 0 && memcmp(first, zero, 32) != 0);
    CHECK(hf_random_bytes(NULL, 0) && !hf_random_bytes(NULL, 1));
    CHECK(hf_random_bytes(big, sizeof big));
    size_t ones = 0;
    for (size_t i = 0; i < sizeof big; i++)
        ones += (size_t)__builtin_popcount(big[i]);
    size_t half = sizeof big * 4;
    CHECK(ones > half - 8192 && ones < half + 8192); /* five and a half deviations */
    hf_random_add("coin tosses", 11, 1.5);           /* never makes it worse */
    hf_random_add(zero, sizeof zero, 0);
    hf_random_add(NULL, 5, 1);
    hf_random_add(big, sizeof big, -3);
    CHECK(hf_random_bytes(first, 32) && memcmp(first, second, 32) != 0);
    CHECK(hf_random_ready());
}

/* ---- fork */

enum { CHILDREN = 1000 };

/* What a process drew, in the order in which handshakes draw it. */
struct drawn {
    uint8_t random[16];       /* hf_random_bytes */
    uint8_t client_hello[16]; /* of its random */
    uint8_t session_id[16];   /* of the same */
    uint8_t server_hello[16]; /* of its random */
    uint8_t ticket_nonce
        [12]; /* of the sealed ticket: used twice with one key, it would show the key stream */
    uint8_t age_add[4];
};

static bool draw(struct pair *p, struct drawn *out, struct wire *exported)
{
    size_t len;
    uint8_t bytes[8192];
    bool ok = hf_random_bytes(out->random, sizeof out->random);
    pair_connect(p);
    const uint8_t *hello = hf_conn_output(p->client.conn, &len);
    ok = ok && len > 100;
    if (ok) {
        memcpy(out->client_hello, hello + 11, 16);
        memcpy(out->session_id, hello + 44, 16);
    }
    pair_pump(&p->client, &p->server);
    const uint8_t *answer = hf_conn_output(p->server.conn, &len);
    if (ok && len > 60)
        memcpy(out->server_hello, answer + 11, 16);
    pair_run(p);
    ok = ok && p->sessions > 0;
    if (ok) {
        hf_session *s = p->session[p->sessions - 1];
        memcpy(out->ticket_nonce, s->ticket + 16, 12);
        memcpy(out->age_add, &s->age_add, 4);
        if (exported)
            wire_put(exported, bytes, hf_session_export(s, bytes, sizeof bytes));
    }
    pair_reset(p);
    for (unsigned i = 0; i < p->sessions; i++)
        hf_session_free(p->session[i]);
    p->sessions = 0;
    return ok;
}

static size_t width;

static int compare(const void *a, const void *b)
{
    return memcmp(a, b, width);
}

static void all_differ(const struct drawn *d, size_t offset, size_t size)
{
    static uint8_t column[2 * CHILDREN + 2][16];
    size_t n = 2 * CHILDREN + 2;
    for (size_t i = 0; i < n; i++)
        memcpy(column[i], (const uint8_t *)&d[i] + offset, size);
    width = size;
    qsort(column, n, sizeof column[0], compare);
    size_t same = 0;
    for (size_t i = 1; i < n; i++)
        same += memcmp(column[i - 1], column[i], size) == 0;
    CHECK_INT(same, 0);
}

/* A thousand children of one parent that has drawn before, and the parent among them. */
static void test_fork(void)
{
    ROW("Y28");
    static struct drawn drawn[2 * CHILDREN + 2];
    struct pair p;
    pair_init(&p, PKI_P256);
    CHECK(hf_config_set_tickets(p.server_config, 1, 7200));
    CHECK(draw(&p, &drawn[0], NULL)); /* now everything that can be kept is there */
    int failed = 0;
    for (int i = 0; i < CHILDREN; i++) {
        int ends[2];
        if (pipe(ends) != 0) {
            failed++;
            break;
        }
        pid_t pid = fork();
        if (pid == 0) {
            struct drawn mine[2];
            bool ok = draw(&p, &mine[0], NULL) && draw(&p, &mine[1], NULL) &&
                      write(ends[1], mine, sizeof mine) == sizeof mine;
            _exit(!ok);
        }
        close(ends[1]);
        if (i == CHILDREN / 2)
            CHECK(draw(&p, &drawn[1], NULL));
        size_t got = 0;
        ssize_t n;
        while ((n = read(ends[0], (uint8_t *)&drawn[2 + 2 * i] + got,
                         2 * sizeof(struct drawn) - got)) > 0)
            got += (size_t)n;
        close(ends[0]);
        int status = -1;
        waitpid(pid, &status, 0);
        failed += status != 0 || got != 2 * sizeof(struct drawn);
    }
    CHECK_INT(failed, 0);
    all_differ(drawn, offsetof(struct drawn, random), 16);
    all_differ(drawn, offsetof(struct drawn, client_hello), 16);
    all_differ(drawn, offsetof(struct drawn, session_id), 16);
    all_differ(drawn, offsetof(struct drawn, server_hello), 16);
    all_differ(drawn, offsetof(struct drawn, ticket_nonce), 12);
    pair_clear(&p);
}

/* Workers of one parent open each other's tickets. */
static void test_tickets_between_workers(void)
{
    struct pair p;
    int ends[2];
    pair_init(&p, PKI_P256);
    CHECK(hf_config_freeze(p.server_config, NULL));
    CHECK_INT(pipe(ends), 0);
    pid_t pid = fork();
    if (pid == 0) {
        struct drawn mine;
        struct wire session = {0};
        bool ok = draw(&p, &mine, &session) &&
                  write(ends[1], session.p, session.len) == (ssize_t)session.len;
        _exit(!ok);
    }
    close(ends[1]);
    uint8_t bytes[8192];
    size_t len = 0;
    ssize_t n;
    while ((n = read(ends[0], bytes + len, sizeof bytes - len)) > 0)
        len += (size_t)n;
    close(ends[0]);
    int status = -1;
    waitpid(pid, &status, 0);
    CHECK_INT(status, 0);
    hf_session *s = hf_session_import(bytes, len, NULL);
    CHECK(s != NULL);
    pair_connect(&p);
    CHECK(hf_conn_set_session(p.client.conn, s));
    pair_run(&p);
    CHECK(hf_conn_resumed(p.client.conn) && hf_conn_resumed(p.server.conn));
    hf_session_free(s);
    pair_clear(&p);
}

/* ---- one key log of many threads in many processes */

enum { PROCESSES = 4, THREADS = 50, LINES = 5 };

static hf_config *shared_client, *shared_server;

/* Every write of this program comes through here: one of a key log must be a whole line. */
static _Atomic unsigned *broken_writes; /* shared by the processes */

ssize_t write(int fd, const void *bytes, size_t len)
{
    const char *p = bytes;
    bool whole = len > 0 && memchr(p, '\n', len) == p + len - 1;
    struct stat st;
    if (broken_writes && !whole && fstat(fd, &st) == 0 && S_ISREG(st.st_mode))
        ++*broken_writes;
    return (ssize_t)syscall(SYS_write, fd, bytes, len);
}

static void *shake_alone(void *arg)
{
    struct pair p = {.client_config = shared_client, .server_config = shared_server};
    bool ok = pair_shake(&p);
    pair_reset(&p);
    return ok ? arg : NULL;
}

static bool shake_in_threads(void)
{
    pthread_t thread[THREADS];
    bool ok = true;
    for (int i = 0; i < THREADS; i++)
        ok = pthread_create(&thread[i], NULL, shake_alone, thread) == 0 && ok;
    for (int i = 0; i < THREADS; i++) {
        void *result;
        ok = pthread_join(thread[i], &result) == 0 && result && ok;
    }
    return ok;
}

static bool is_line(const char *line)
{
    static const char *const labels[] = {
        "CLIENT_HANDSHAKE_TRAFFIC_SECRET ", "SERVER_HANDSHAKE_TRAFFIC_SECRET ",
        "CLIENT_TRAFFIC_SECRET_0 ", "SERVER_TRAFFIC_SECRET_0 ", "EXPORTER_SECRET "};
    for (size_t i = 0; i < sizeof labels / sizeof *labels; i++) {
        size_t n = strlen(labels[i]);
        if (strncmp(line, labels[i], n) != 0)
            continue;
        return strspn(line + n, "0123456789abcdef") == 64 && line[n + 64] == ' ' &&
               strspn(line + n + 65, "0123456789abcdef") == 64 &&
               strcmp(line + n + 129, "\n") == 0;
    }
    return false;
}

static void test_key_log(void)
{
    ROW("Y139");
    struct pair p;
    const char *path = pki_file("shared-keys.log", "# kept\n", 7);
    pair_init(&p, PKI_P256);
    CHECK(hf_config_set_session_callback(p.client_config, NULL, NULL));
    CHECK(hf_config_insecure_set_keylog_file(p.server_config, path));
    shared_client = p.client_config;
    shared_server = p.server_config;
    CHECK(hf_config_freeze(shared_client, NULL) && hf_config_freeze(shared_server, NULL));
    void *shared = mmap(NULL, sizeof *broken_writes, PROT_READ | PROT_WRITE,
                        MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    CHECK(shared != MAP_FAILED);
    fflush(stdout);
    broken_writes = shared;
    pid_t pid[PROCESSES];
    for (int i = 0; i < PROCESSES; i++) {
        if ((pid[i] = fork()) == 0) {
            if (i % 2) { /* half of them open it anew */
                shared_server = hf_config_derive(p.server_config);
                if (!hf_config_insecure_set_keylog_file(shared_server, path))
                    _exit(2);
            }
            _exit(!shake_in_threads());
        }
    }
    for (int i = 0; i < PROCESSES; i++) {
        int status = -1;
        waitpid(pid[i], &status, 0);
        CHECK_INT(status, 0);
    }
    CHECK_INT(*broken_writes, 0);
    broken_writes = NULL;
    munmap(shared, sizeof *broken_writes);
    FILE *f = fopen(path, "r");
    char line[400];
    size_t good = 0, bad = 0;
    CHECK(f && fgets(line, sizeof line, f) && strcmp(line, "# kept\n") == 0); /* appended */
    while (f && fgets(line, sizeof line, f))
        is_line(line) ? good++ : bad++;
    CHECK_INT(good, PROCESSES * THREADS * LINES);
    CHECK_INT(bad, 0);
    if (f)
        fclose(f);
    pair_clear(&p);
}

/* A program with rights that its user has not must not be talked into writing secrets, or into any file. This one
 * runs itself again as somebody else's. */
static int as_somebody_else(const char *path)
{
    hf_config *config = hf_config_new(HF_CLIENT);
    bool refused = !hf_config_insecure_set_keylog_file(config, path) &&
                   hf_config_error(config)->code == HF_E_CONFIG;
    hf_config_free(config);
    config = hf_config_new(HF_CLIENT);
    setenv("SSLKEYLOGFILE", path, 1);
    refused = refused && !hf_config_insecure_set_keylog_environment(config) &&
              access(path, F_OK) != 0;
    hf_config_free(config);
    return refused ? 0 : 1;
}

static void test_set_user_id(void)
{
    ROW("Y07");
    char copy[300], command[1600], log[300];
    if (geteuid() != 0)
        SKIP("only root can make a set-user-ID program: run it as root");
    (void)snprintf(copy, sizeof copy, "%s", pki_file("somebody-else", "", 0));
    (void)snprintf(log, sizeof log, "%s/never.log", pki_folder());
    (void)snprintf(command, sizeof command,
                   "chmod 755 %s && cp /proc/%d/exe %s && chown 65534 %s && chmod 4755 %s",
                   pki_folder(), (int)getpid(), copy, copy, copy);
    CHECK_INT(system(command), 0);
    pid_t pid = fork();
    if (pid == 0) {
        execl(copy, copy, "--as-somebody-else", log, (char *)NULL);
        _exit(9);
    }
    int status = -1;
    waitpid(pid, &status, 0);
    if (WIFEXITED(status) && WEXITSTATUS(status) == 77)
        SKIP("this file system takes no notice of set-user-ID: use another TMPDIR");
    CHECK_INT(status, 0);
}

/* ---- nobody is asked on the terminal */

static int no_answer(char *out, size_t size, void *arg)
{
    (void)out, (void)size, (void)arg;
    return -1;
}

static void test_never_prompts(void)
{
    ROW("Y113");
    struct pair p;
    char passphrase[] = "secret";
    pair_init(&p, PKI_P256);
    char *key = pki_key_pem(p.pki->leaf, passphrase);
    for (int i = 0; i < 3;
         i++) { /* on a terminal; with a callback that gives up; without stdin */
        int terminal = -1;
        pid_t pid = forkpty(&terminal, NULL, NULL, NULL);
        if (pid == 0) {
            hf_error err = {0};
            if (i == 2)
                close(0);
            alarm(240);
            hf_credential *cred =
                hf_credential_load_memory(p.pki->chain_pem, strlen(p.pki->chain_pem), key,
                                          strlen(key), i == 1 ? no_answer : NULL, NULL, &err);
            _exit(!cred && err.code == HF_E_PASSPHRASE ? 0 : 1);
        }
        CHECK(pid > 0);
        char said[200];
        size_t n = 0;
        ssize_t got;
        while ((got = read(terminal, said + n, sizeof said - 1 - n)) > 0)
            n += (size_t)got;
        said[n] = 0;
        CHECK_STR(said, "");
        int status = -1;
        waitpid(pid, &status, 0);
        CHECK_INT(status, 0);
        close(terminal);
    }
    free(key);
    pair_clear(&p);
}

int main(int argc, char **argv)
{
    if (argc == 3 && strcmp(argv[1], "--as-somebody-else") == 0)
        _exit(geteuid() == getuid()
                  ? 77
                  : as_somebody_else(argv[2])); /* nobody may look for leaks */
    RUN(test_random);
    RUN(test_fork);
    RUN(test_tickets_between_workers);
    RUN(test_key_log);
    RUN(test_set_user_id);
    RUN(test_never_prompts);
    return check_done();
}
