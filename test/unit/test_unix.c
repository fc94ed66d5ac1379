/* Streams of bytes within this machine, by paths and abstract names; and pairs of them. */
#include "tlspeer.h"

#include "handfast_starttls.h"

#include <sys/stat.h>
#include <sys/wait.h>

static void echo_over(const char *url)
{
    hf_error err = {0};
    struct peer p;
    char name[ADDRESS_TEXT_MAX], buf[64];
    hf_stream *s;

    peer_start(&p, url, play_echo);
    CHECK_STR(p.url, url);
    s = open_ok(p.url, NULL);
    CHECK_INT(hf_write(s, "hello\n", 6, &err), 6);
    CHECK_INT(hf_read_line(s, buf, sizeof buf, &err), 6);
    CHECK_STR(buf, "hello\n");
    hf_stream_name(s, true, name, sizeof name);
    CHECK_STR(name, strstr(url, "://") + 3);
    CHECK_INT(hf_stream_name(s, false, name, sizeof name), 0);
    CHECK(hf_shutdown_write(s, &err));
    CHECK_INT(hf_read(s, buf, sizeof buf, &err), 0);
    CHECK(hf_close(s, &err));
    peer_end(&p);
}

static void test_echo(void)
{
    struct stat st;

    echo_over("unix://test_unix.sock");
    CHECK(lstat("test_unix.sock", &st) != 0);
    echo_over(own("unix://@handfast-test-unix"));
}

/* Streams, datagrams, and TLS over such a stream with the name that is to be verified. */
static void test_all_of_it(void)
{
    hf_start_tls_options named = {.peer_name = "localhost"};
    hf_net_options background = {.non_blocking = true};
    hf_error err = {0};
    hf_listener *l;
    hf_stream *s[2];
    char buf[8];

    ROW("T29");
    echo_over("unix://test_unix.sock");
    echo_over(own("unix://@handfast-test-unix"));
    CHECK(hf_open("unix:///tmp/x", NULL, &(hf_net_options){.port = 1}, &err) == NULL);

    hf_stream *d = hf_bind(own("udg://@handfast-test-udg"), NULL, &err);
    hf_stream *c = open_ok(own("udg://@handfast-test-udg"), NULL);
    char from[ADDRESS_TEXT_MAX];
    CHECK_INT(hf_write(c, "x", 1, &err), 1);
    CHECK_INT(hf_receive_from(d, buf, sizeof buf, 0, from, sizeof from, &err), 1);
    CHECK_INT(hf_send_to(d, buf, 1, 0, from, &err), 1);
    CHECK_INT(hf_read(c, buf, sizeof buf, &err), 1);
    hf_close(c, NULL);
    hf_close(d, NULL);

    l = hf_listen(own("unix://@handfast-test-tls"), NULL, &background, &err);
    s[0] = open_ok(own("unix://@handfast-test-tls"), &background);
    s[1] = hf_accept(l, &err);
    CHECK(s[1] != NULL);
    /* the URL has no host, so that the name must be said */
    CHECK_INT(hf_start_tls(s[0], HF_CLIENT, client_config, NULL, &err), -1);
    CHECK(strstr(err.detail, "name") != NULL);
    int a, b, turns = 0;
    a = hf_start_tls(s[0], HF_CLIENT, client_config, &named, &err);
    b = hf_start_tls(s[1], HF_SERVER, server_config, NULL, &err);
    while ((a == HF_AGAIN || b == HF_AGAIN) && turns++ < 50) {
        a = a ? hf_stream_handshake(s[0], &err) : 0;
        b = b ? hf_stream_handshake(s[1], &err) : 0;
    }
    CHECK(a == 0 && b == 0);
    CHECK_INT(hf_write(s[0], "tls", 3, &err), 3);
    CHECK_INT(hf_read(s[1], buf, sizeof buf, &err), 3);
    hf_stream_info info;
    hf_stream_get_info(s[0], &info);
    CHECK_STR(info.stream_type, "unix_socket/ssl");
    CHECK_STR(info.crypto.protocol, "TLSv1.3");
    hf_close(s[0], NULL);
    hf_close(s[1], NULL);
    hf_listener_close(l);
}

/* A server that was killed leaves its file: the next one takes the path over. A file that is in use, or is
 * no socket, is left alone. */
static void test_stale(void)
{
    hf_error err = {0};
    hf_listener *l, *second;
    struct stat st;
    int status;
    pid_t child = fork();

    if (child == 0) {
        static hf_listener *volatile open; /* and not closed */
        open = hf_listen("unix://test_stale.sock", NULL, NULL, NULL);
        _exit(open ? 0 : 1);
    }
    CHECK(waitpid(child, &status, 0) == child && WIFEXITED(status) && WEXITSTATUS(status) == 0);
    CHECK(lstat("test_stale.sock", &st) == 0);
    CHECK(hf_open("unix://test_stale.sock", NULL, NULL, &err) == NULL);
    CHECK_STR(hf_code_name(err.code), "CONNECT");
    CHECK_INT(err.os_errno, ECONNREFUSED);
    CHECK(strstr(err.hint, "start the server") != NULL);
    l = hf_listen("unix://test_stale.sock", NULL, NULL, &err);
    CHECK(l != NULL);

    second = hf_listen("unix://test_stale.sock", NULL, NULL, &err);
    CHECK(second == NULL);
    CHECK_STR(hf_code_name(err.code), "LISTEN");
    CHECK_INT(err.os_errno, EADDRINUSE);
    hf_stream *s = open_ok("unix://test_stale.sock", NULL);
    hf_close(s, NULL);

    /* a child that ends does not take the file away */
    child = fork();
    if (child == 0) {
        hf_listener_close(l);
        _exit(0);
    }
    CHECK(waitpid(child, &status, 0) == child);
    CHECK(lstat("test_stale.sock", &st) == 0);
    hf_listener_close(l);
    CHECK(lstat("test_stale.sock", &st) != 0);

    FILE *f = fopen("test_stale.sock", "w");
    fclose(f);
    CHECK(hf_listen("unix://test_stale.sock", NULL, NULL, &err) == NULL);
    CHECK_INT(err.os_errno, EADDRINUSE);
    CHECK(lstat("test_stale.sock", &st) == 0 && S_ISREG(st.st_mode));
    unlink("test_stale.sock");
}

static void test_failures(void)
{
    hf_error err = {0};
    hf_stream *d;

    CHECK(hf_open("unix:///nonesuch/x", NULL, NULL, &err) == NULL);
    CHECK_STR(hf_code_name(err.code), "CONNECT");
    CHECK_INT(err.os_errno, ENOENT);
    CHECK(hf_listen("unix:///nonesuch/x", NULL, NULL, &err) == NULL);
    CHECK_STR(err.hint, "make the folder first");
    d = hf_bind("udg://test_kind.sock", NULL, &err);
    CHECK(hf_open("unix://test_kind.sock", NULL, NULL, &err) == NULL);
    CHECK_INT(err.os_errno, EPROTOTYPE);
    CHECK(strstr(err.hint, "udg://") != NULL);
    hf_close(d, NULL);
}

/* A listener whose queue is full: the system has nothing to wait on, and we wait all the same. */
static void test_full_queue(void)
{
    hf_net_options one = {.backlog = 1}, quick = {.connect_timeout = 0.1};
    hf_error err = {0};
    hf_listener *l = hf_listen(own("unix://@handfast-test-queue"), NULL, &one, &err);
    hf_stream *s[8], *t;
    int n = 0;
    double start;

    while (n < 8 && (s[n] = hf_open(own("unix://@handfast-test-queue"), NULL, &quick, &err)))
        n++;
    CHECK(n > 0 && n < 8);
    CHECK_STR(hf_code_name(err.code), "TIMEOUT");
    CHECK_STR(err.step, "connect");
    hf_net_options background = {.non_blocking = true};
    t = hf_open(own("unix://@handfast-test-queue"), NULL, &background, &err);
    CHECK_INT(hf_write(t, "x", 1, &err), HF_AGAIN);
    hf_close(hf_accept(l, &err), NULL);
    hf_wait_item item = {.stream = t, .want = HF_WAIT_WRITE};
    start = now();
    CHECK_INT(hf_wait(&item, 1, PLENTY, &err), 1);
    CHECK(now() - start < SOON);
    CHECK_INT(hf_write(t, "x", 1, &err), 1);
    hf_close(t, NULL);
    while (n)
        hf_close(s[--n], NULL);
    hf_listener_close(l);
}

static void test_pair(void)
{
    hf_stream *s[2];
    hf_error err = {0};
    char buf[8];

    CHECK(hf_stream_pair("unix", NULL, s, &err));
    CHECK_INT(hf_write(s[0], "ab", 2, &err), 2);
    CHECK_INT(hf_write(s[0], "cd", 2, &err), 2);
    CHECK_INT(hf_read(s[1], buf, sizeof buf, &err), 4);
    CHECK_INT(hf_write(s[1], "x", 1, &err), 1);
    CHECK_INT(hf_read(s[0], buf, sizeof buf, &err), 1);
    hf_close(s[0], NULL);
    CHECK_INT(hf_read(s[1], buf, sizeof buf, &err), 0);
    hf_close(s[1], NULL);
    CHECK(hf_stream_pair("udg", NULL, s, &err));
    CHECK_INT(hf_write(s[0], "ab", 2, &err), 2);
    CHECK_INT(hf_write(s[0], "cd", 2, &err), 2);
    CHECK_INT(hf_read(s[1], buf, sizeof buf, &err), 2);
    hf_close(s[0], NULL);
    hf_close(s[1], NULL);
    CHECK(!hf_stream_pair("tcp", NULL, s, &err));
    CHECK_STR(hf_code_name(err.code), "USAGE");
    CHECK(!hf_stream_pair("quic", NULL, s, &err));
    CHECK(s[0] == NULL && s[1] == NULL);
}

/* Each allocation fails once: an error, and nothing left behind, in the file system neither. */
static void test_no_memory(void)
{
    int files = open_files(), done = 0;

    for (unsigned long n = 1; n < 40; n++) {
        static hf_wait_item items[64];
        hf_stream *a = NULL, *s[2] = {NULL, NULL};
        hf_listener *l;
        hf_error err = {0};
        FILE *f = NULL;
        char line[8];

        mem_test_fail_after(n);
        l = hf_listen("unix://test_no_memory.sock", NULL, NULL, &err);
        if (l)
            s[0] = hf_open("unix://test_no_memory.sock", NULL, NULL, &err);
        if (s[0])
            a = hf_accept(l, &err);
        if (a) {
            (void)!send(hf_stream_fd(s[0]), "ab\ncd", 5, 0);
            items[0] = (hf_wait_item){.stream = a, .want = HF_WAIT_LINE};
            int r = hf_wait(items, 64, PLENTY, &err);
            CHECK(r == 1 || (r == -1 && err.code == HF_E_NO_MEMORY));
            ptrdiff_t got = hf_read_line(a, line, sizeof line, &err);
            CHECK(got == 3 || (got == -1 && err.code == HF_E_NO_MEMORY));
            int file = open("/proc/self/stat", O_RDONLY);
            int64_t sent = hf_send_file(a, file, 0, 5, &err);
            CHECK(sent == 5 || (sent == -1 && err.code == HF_E_NO_MEMORY));
            close(file);
            f = hf_stream_file(s[0], "r", NULL);
            CHECK(f || err.code == HF_E_NO_MEMORY || !hf_stream_file(s[0], "r", &err));
            done += f != NULL;
        }
        if (!l || !s[0])
            CHECK_STR(hf_code_name(err.code), "NO_MEMORY");
        mem_test_fail_after(0);
        if (f)
            fclose(f);
        else
            hf_close(s[0], NULL);
        hf_close(a, NULL);
        hf_listener_close(l);

        mem_test_fail_after(n);
        err = (hf_error){0};
        if (!hf_stream_pair("udg", NULL, s, &err))
            CHECK_STR(hf_code_name(err.code), "NO_MEMORY");
        a = hf_bind("udg://test_no_memory.sock", NULL, &err);
        CHECK(a || err.code == HF_E_NO_MEMORY);
        mem_test_fail_after(0);
        hf_close(s[0], NULL);
        hf_close(s[1], NULL);
        hf_close(a, NULL);
        unlink("test_no_memory.sock"); /* without memory its owner is not remembered */
    }
    CHECK(done > 3);
    CHECK_INT(open_files(), files);
}

int main(void)
{
    int files = open_files();

    tls_setup();
    own_folder();
    RUN(test_echo);
    RUN(test_all_of_it);
    RUN(test_stale);
    RUN(test_failures);
    RUN(test_full_queue);
    RUN(test_pair);
    RUN(test_no_memory);
    return tls_done(files);
}
