#define _GNU_SOURCE /* strerror_r that returns the text */

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "x509/pem.h"

#define FILE_MAX ((size_t)16 << 20)

static bool fail(const char *path, const char *what, int number, hf_error *err)
{
    char text[128];
    bool first = err && err->code == HF_OK;
    err_set(err, HF_E_FILE, "%s: %s", path,
            what ? what : strerror_r(number, text, sizeof text));
    if (first)
        err->os_errno = number;
    return false;
}

/* Files of /proc or pipes have no size, so the size is only a first guess. */
static bool read_all(int fd, const char *path, size_t guess, uint8_t **out, size_t *out_len,
                     hf_error *err)
{
    size_t room = guess + 1, len = 0;
    uint8_t *p = mem_new(room);
    while (p) {
        ssize_t n = read(fd, p + len, room - len);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0) {
            int number = errno;
            mem_wipe_free(p, room);
            return fail(path, NULL, number, err);
        }
        if (n == 0) {
            *out = p;
            *out_len = len;
            return true;
        }
        len += (size_t)n;
        if (len < room)
            continue;
        if (len > FILE_MAX) {
            mem_wipe_free(p, room);
            return fail(path, "longer than 16 MiB", EFBIG, err);
        }
        uint8_t *more = mem_new(2 * room);
        if (more)
            memcpy(more, p, len);
        mem_wipe_free(p, room);
        p = more;
        room *= 2;
    }
    return err_set(err, HF_E_NO_MEMORY, "%s", path);
}

bool file_read(const char *path, uint8_t **out, size_t *out_len, hf_error *err)
{
    struct stat st;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return fail(path, NULL, errno, err);
    if (fstat(fd, &st) == 0 && S_ISDIR(st.st_mode)) {
        close(fd);
        return fail(path, "is a folder, not a file", EISDIR, err);
    }
    size_t guess = st.st_size > 0 && (size_t)st.st_size <= FILE_MAX ? (size_t)st.st_size : 4096;
    bool ok = read_all(fd, path, guess, out, out_len, err);
    close(fd);
    return ok;
}
