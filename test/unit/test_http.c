/* What `handfast serve` reads from HTTP clients and opens for them, and how the command reads its
 * own arguments. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "check.h"
#include "cli/files.h"
#include "cli/http.h"
#include "cli/options.h"
#include "cli/target.h"

/* ---------------------------------------------------------------- requests */

static size_t parse(const char *s, struct http_request *r)
{
    return http_parse(s, strlen(s), r);
}

static void test_request(void)
{
    struct http_request r;
    const char *s = "GET /a?b HTTP/1.1\r\nHost: x\r\n\r\nGET /";
    CHECK_INT(parse(s, &r), strlen(s) - 5);
    CHECK_INT(r.status, 0);
    CHECK_STR(r.method, "GET");
    CHECK_STR(r.target, "/a?b");
    CHECK(r.keep_alive && r.version_1_1 && !r.is_head);
    parse("HEAD / HTTP/1.0\n\n", &r);
    CHECK(r.status == 0 && r.is_head && !r.keep_alive);
    parse("\r\n\r\nGET http://h/p HTTP/1.0\r\nConnection: x, Keep-Alive\r\n\r\n", &r);
    CHECK(r.status == 0 && r.keep_alive);
    CHECK_STR(r.target, "/p");
    parse("GET https://h HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n", &r);
    CHECK(r.status == 0 && !r.keep_alive);
    CHECK_STR(r.target, "/");
}

static void test_request_comes_in_parts(void)
{
    const char *s = "GET /abc HTTP/1.1\r\nHost: example\r\nAccept: */*\r\n\r\n";
    struct http_request r;
    for (size_t n = 0; n < strlen(s); n++)
        CHECK_INT(http_parse(s, n, &r), 0);
    CHECK_INT(http_parse(s, strlen(s), &r), strlen(s));
}

static void test_request_refused(void)
{
    static const struct {
        const char *request;
        int status;
    } table[] = {
        {"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nabc", 405},
        {"GET / HTTP/1.1\r\n\r\n", 400},
        {"GET / HTTP/1.1\r\nHost: x\r\nHost: y\r\n\r\n", 400},
        {"GET / HTTP/2.0\r\nHost: x\r\n\r\n", 505},
        {"GET /\r\n\r\n", 400},
        {"GET  HTTP/1.1\r\nHost: x\r\n\r\n", 400},
        {"GET abc HTTP/1.1\r\nHost: x\r\n\r\n", 400},
        {"GET / HTTP/1.1\r\nHost : x\r\n\r\n", 400},
        {"GET / HTTP/1.1\r\nHost: x\r\n folded\r\n\r\n", 400},
        {"GET / HTTP/1.1\r\nHost: x\r\nno colon\r\n\r\n", 400},
        {"GET / HTTP/1.1 \r\nHost: x\r\n\r\n", 400},
        {"SOMETHINGVERYLONGINDEED / HTTP/1.1\r\nHost: x\r\n\r\n", 405},
        {"\x16\x03\x01\n\n", 400},
    };
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        struct http_request r;
        CHECK(parse(table[i].request, &r) > 0);
        CHECK_INT(r.status, table[i].status);
        CHECK(!r.keep_alive);
    }
}

static void test_request_too_long(void)
{
    static char s[HTTP_HEAD_MAX + 1];
    struct http_request r;
    memset(s, 'a', sizeof s);
    CHECK_INT(http_parse(s, HTTP_HEAD_MAX - 1, &r), 0);
    CHECK_INT(http_parse(s, HTTP_HEAD_MAX, &r), HTTP_HEAD_MAX);
    CHECK_INT(r.status, 431);
}

/* A body that was announced but never read must not become the next request. */
static void test_body_ends_the_connection(void)
{
    struct http_request r;
    parse("GET / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nhello", &r);
    CHECK(r.status == 0 && !r.keep_alive);
    parse("GET / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n", &r);
    CHECK(r.status == 0 && !r.keep_alive);
    parse("GET / HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n", &r);
    CHECK(r.status == 0 && r.keep_alive);
}

/* ---------------------------------------------------------------- paths */

static void test_paths(void)
{
    static const struct {
        const char *target, *path; /* NULL: refused */
    } table[] = {
        {"/", ""},           {"/a", "a"},       {"/a/", "a/"},     {"//a///b//", "a/b/"},
        {"/./a/./b", "a/b"}, {"/.", ""},        {"/a%20b", "a b"}, {"/a?/../b", "a"},
        {"/a#x", "a"},       {"/%41%6a", "Aj"}, {"/...", "..."},   {"/a..b", "a..b"},
        {"/..", NULL},       {"/../a", NULL},   {"/a/../b", NULL}, {"/%2e%2e/a", NULL},
        {"/.%2E/a", NULL},   {"/a%2fb", NULL},  {"/a%00b", NULL},  {"/%", NULL},
        {"/%4", NULL},       {"/%4/1", NULL},   {"/%zz", NULL},    {"a", NULL},
        {"", NULL},
    };
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        char out[64];
        bool good = files_decode(table[i].target, out, sizeof out);
        CHECK_INT(good, table[i].path != NULL);
        if (good && table[i].path)
            CHECK_STR(out, table[i].path);
    }
    char small[4];
    CHECK(!files_decode("/abcdef", small, sizeof small));
}

static void make_file(int folder, const char *name, const char *text)
{
    int fd = openat(folder, name, O_WRONLY | O_CREAT | O_EXCL, 0600);
    CHECK(fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text));
    close(fd);
}

static int look(int root, const char *target)
{
    struct file f = {.fd = -1};
    int status = files_open(root, target, &f);
    if (status == 200)
        close(f.fd);
    return status;
}

static void test_files(void)
{
    char folder[] = "/tmp/handfast-files-XXXXXX", command[100];
    CHECK(mkdtemp(folder) != NULL);
    int top = open(folder, O_RDONLY | O_DIRECTORY);
    make_file(top, "secret", "outside");
    mkdirat(top, "root", 0700);
    int root = openat(top, "root", O_RDONLY | O_DIRECTORY);
    make_file(root, "index.html", "<p>");
    mkdirat(root, "sub", 0700);
    CHECK(symlinkat("../secret", root, "out") == 0);
    CHECK(symlinkat("/etc/passwd", root, "passwd") == 0);
    CHECK(symlinkat("index.html", root, "in") == 0);
    CHECK(symlinkat("..", root, "up") == 0);
    CHECK(mkfifoat(root, "fifo", 0600) == 0);
    struct file f;
    CHECK_INT(files_open(root, "/", &f), 200);
    CHECK_INT(f.size, 3);
    CHECK_STR(f.type, "text/html; charset=utf-8");
    close(f.fd);
    /* Without openat2 (old kernels, valgrind 3.19) no link is followed, not even inside. */
    bool links = syscall(SYS_openat2, -1, NULL, NULL, 0) != -1 || errno != ENOSYS;
    CHECK_INT(look(root, "/in"), links ? 200 : 403);
    CHECK_INT(look(root, "/out"), 403);
    CHECK_INT(look(root, "/passwd"), 403);
    CHECK_INT(look(root, "/up/secret"), links ? 403 : 404);
    CHECK_INT(look(root, "/sub"), 301);
    CHECK_INT(look(root, "/sub/"), 404);
    CHECK_INT(look(root, "/fifo"), 404);
    CHECK_INT(look(root, "/nothing"), 404);
    CHECK_INT(look(root, "/index.html/"), 404);
    CHECK_INT(look(root, "/../secret"), 400);
    close(root);
    close(top);
    snprintf(command, sizeof command, "rm -r %s", folder);
    CHECK(system(command) == 0);
}

/* ---------------------------------------------------------------- arguments */

/* The command's complaints are not the test's output. */
static bool options(struct options *o, unsigned command, int argc, const char *const *argv)
{
    /* The options point into the words: they stay until the program ends. */
    static char *kept[256];
    static size_t count;
    char **copy = kept + count;
    int old = dup(STDERR_FILENO), null = open("/dev/null", O_WRONLY);
    dup2(null, STDERR_FILENO);
    for (int i = 0; i < argc; i++)
        kept[count++] = strdup(argv[i]);
    bool good = options_parse(o, command, "test", argc, copy);
    dup2(old, STDERR_FILENO);
    close(old);
    close(null);
    return good;
}

#define OPTIONS(o, command, ...)                                                               \
    options(&(o), command, (int)(sizeof((const char *[]){__VA_ARGS__}) / sizeof(char *)),      \
            (const char *[]){__VA_ARGS__})

static void test_options(void)
{
    struct options o;
    CHECK(OPTIONS(o, CONNECT, "--ca", "f", "host:1", "--timeout=2.5", "--key-update"));
    CHECK_STR(o.target, "host:1");
    CHECK_STR(o.ca, "f");
    CHECK(o.timeout > 2.4 && o.timeout < 2.6 && o.key_update);
    CHECK(OPTIONS(o, SERVE, "--cert", "a", "--cert", "b", "--key", "k", "--key-update", "7"));
    CHECK_INT(o.cert.count, 2);
    CHECK(o.key.p[0] == NULL);
    CHECK_STR(o.key.p[1], "k");
    CHECK_INT(o.key_update_after, 7);
    CHECK(OPTIONS(o, TRACE, "-o", "-", "--", "--name"));
    CHECK_STR(o.output, "-");
    CHECK_STR(o.target, "--name");
}

static void test_options_refused(void)
{
    struct options o;
    CHECK(!OPTIONS(o, CONNECT, "--nothing"));
    CHECK(!OPTIONS(o, CONNECT, "--echo"));
    CHECK(!OPTIONS(o, CONNECT, "--ca"));
    CHECK(!OPTIONS(o, CONNECT, "--json=1"));
    CHECK(!OPTIONS(o, CONNECT, "a", "b"));
    CHECK(!OPTIONS(o, CONNECT, "--timeout", "0"));
    CHECK(!OPTIONS(o, CONNECT, "--timeout", "soon"));
    CHECK(!OPTIONS(o, CONNECT, "--record-size-limit", "63"));
    CHECK(!OPTIONS(o, CONNECT, "--record-size-limit", "-1"));
    CHECK(!OPTIONS(o, CONNECT, "--padding", "1x"));
    CHECK(!OPTIONS(o, CONNECT, "--ocsp", "re"));
    CHECK(!OPTIONS(o, CONNECT, "--ocsp", ""));
    CHECK(!OPTIONS(o, SERVE, "--key", "k"));
    CHECK(!OPTIONS(o, SERVE, "--cert", "c", "--key", "k", "--key", "l"));
    CHECK(!OPTIONS(o, SERVE, "--tickets", "17"));
    CHECK(!OPTIONS(o, SERVE, "--count", "99999999999999999999"));
}

static void test_targets(void)
{
    static const struct {
        const char *word, *url, *host, *path;
    } table[] = {
        {"example.com", "tls://example.com:443", "example.com", ""},
        {"example.com:8443", "tls://example.com:8443", "example.com:8443", ""},
        {"tls://example.com:443", "tls://example.com:443", "example.com", ""},
        {"https://example.com/a/b?c#d", "tls://example.com:443", "example.com", "/a/b?c"},
        {"http://example.com:81/", "tcp://example.com:81", "example.com:81", "/"},
        {"http://example.com", "tcp://example.com:80", "example.com", ""},
        {"[::1]:99", "tls://[::1]:99", "[::1]:99", ""},
        {"[::1]", "tls://[::1]:443", "[::1]", ""},
        {"tcp://h:1/", "tcp://h:1", "h:1", ""},
        {"udp://h:53", "udp://h:53", "h:53", ""},
        {"unix:///run/x?y", "unix:///run/x?y", "/run/x?y", ""},
        {"udg://@name", "udg://@name", "@name", ""},
    };
    struct target t;
    CHECK(target_parse(&t, "test", "unix:///run/x") && !t.tls);
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        CHECK(target_parse(&t, "test", table[i].word));
        CHECK_STR(t.url, table[i].url);
        CHECK_STR(t.host, table[i].host);
        CHECK_STR(t.path, table[i].path);
    }
}

static void test_nearest(void)
{
    const char *const words[] = {"connect", "serve", "trace"};
    CHECK_STR(options_nearest("conect", words, 3), "connect");
    CHECK_STR(options_nearest("serv", words, 3), "serve");
    CHECK(options_nearest("frobnicate", words, 3) == NULL);
    CHECK(options_nearest("x", words, 3) == NULL);
    CHECK(options_nearest("", words, 3) == NULL);
}

int main(void)
{
    RUN(test_request);
    RUN(test_request_comes_in_parts);
    RUN(test_request_refused);
    RUN(test_request_too_long);
    RUN(test_body_ends_the_connection);
    RUN(test_paths);
    RUN(test_files);
    RUN(test_options);
    RUN(test_options_refused);
    RUN(test_targets);
    RUN(test_nearest);
    return check_done();
}
