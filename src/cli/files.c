#define _GNU_SOURCE
#include "cli/files.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

int files_open_root(const char *path)
{
    return open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

static const char *type_of(const char *path)
{
    static const struct {
        const char *end, *type;
    } types[] = {
        {".html", "text/html; charset=utf-8"},
        {".htm", "text/html; charset=utf-8"},
        {".css", "text/css; charset=utf-8"},
        {".js", "text/javascript; charset=utf-8"},
        {".mjs", "text/javascript; charset=utf-8"},
        {".json", "application/json"},
        {".txt", "text/plain; charset=utf-8"},
        {".md", "text/plain; charset=utf-8"},
        {".xml", "application/xml"},
        {".svg", "image/svg+xml"},
        {".png", "image/png"},
        {".jpg", "image/jpeg"},
        {".jpeg", "image/jpeg"},
        {".gif", "image/gif"},
        {".webp", "image/webp"},
        {".ico", "image/vnd.microsoft.icon"},
        {".woff2", "font/woff2"},
        {".wasm", "application/wasm"},
        {".pdf", "application/pdf"},
        {".mp4", "video/mp4"},
        {".zip", "application/zip"},
        {".gz", "application/gzip"},
    };
    const char *dot = strrchr(path, '.');
    for (size_t i = 0; dot && i < sizeof types / sizeof *types; i++)
        if (strcasecmp(dot, types[i].end) == 0)
            return types[i].type;
    return "application/octet-stream";
}

static int hex(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c = (char)(c | 0x20);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* One segment: decoded behind out, which has room for all of the target. */
static bool decode_segment(const char *p, size_t len, char *out, size_t *out_len)
{
    size_t n = 0;
    for (size_t i = 0; i < len; i++) {
        char c = p[i];
        if (c == '%') {
            int high = i + 2 < len ? hex(p[i + 1]) : -1;
            int low = i + 2 < len ? hex(p[i + 2]) : -1;
            if (high < 0 || low < 0)
                return false;
            c = (char)(high << 4 | low);
            i += 2;
        }
        /* A slash that was encoded is no separator: no file has one in its name. */
        if (c == '\0' || c == '/')
            return false;
        out[n++] = c;
    }
    *out_len = n;
    return !(n == 2 && out[0] == '.' && out[1] == '.');
}

bool files_decode(const char *target, char *out, size_t size)
{
    size_t end = strcspn(target, "?#"), at = 0, used = 0;
    if (target[0] != '/' || end + 2 > size)
        return false;
    bool folder = target[end - 1] == '/';
    while (at < end) {
        size_t n = strcspn(target + at, "/?#"), len = 0;
        size_t from = used ? used + 1 : 0;
        if (n && !decode_segment(target + at, n, out + from, &len))
            return false;
        if (len && !(len == 1 && out[from] == '.')) {
            if (used)
                out[used] = '/';
            used = from + len;
        }
        at += n + 1;
    }
    if (folder && used)
        out[used++] = '/';
    out[used] = '\0';
    return true;
}

/* Without openat2 (Linux before 5.6) no link at all is followed. */
static int open_by_steps(int root, const char *path)
{
    int at = fcntl(root, F_DUPFD_CLOEXEC, 0);
    while (at >= 0 && *path) {
        char name[256];
        size_t n = strcspn(path, "/");
        if (n >= sizeof name) {
            close(at);
            errno = ENAMETOOLONG;
            return -1;
        }
        memcpy(name, path, n);
        name[n] = '\0';
        path += n + (path[n] == '/');
        int flags = O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | (*path ? O_DIRECTORY : 0);
        int next = openat(at, name, flags);
        int why = errno;
        close(at);
        errno = why;
        at = next;
    }
    return at;
}

static int open_below(int root, const char *path)
{
    struct open_how how = {
        .flags = O_RDONLY | O_CLOEXEC | O_NONBLOCK,
        .resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS,
    };
    long fd = syscall(SYS_openat2, root, *path ? path : ".", &how, sizeof how);
    if (fd < 0 && (errno == ENOSYS || errno == EPERM))
        return open_by_steps(root, path);
    return (int)fd;
}

static int status_of(int why)
{
    return why == EACCES || why == EPERM || why == ELOOP || why == EXDEV ? 403 : 404;
}

int files_open(int root, const char *target, struct file *out)
{
    char path[4200];
    struct stat st;
    if (!files_decode(target, path, sizeof path - sizeof "index.html"))
        return 400;
    size_t n = strlen(path);
    bool folder = n == 0 || path[n - 1] == '/';
    if (folder)
        strcpy(path + n, "index.html");
    int fd = open_below(root, path);
    if (fd < 0)
        return status_of(errno);
    if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode)) {
        *out = (struct file){.fd = fd, .size = (uint64_t)st.st_size, .type = type_of(path)};
        return 200;
    }
    close(fd);
    return S_ISDIR(st.st_mode) && !folder ? 301 : 404;
}
