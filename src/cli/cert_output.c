/* cert_output.c: where certificates and keys go. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/cert.h"
#include "cli/settings.h"

static bool put_all(int fd, const char *p, size_t len)
{
    while (len) {
        ssize_t n = write(fd, p, len);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return false;
        p += n;
        len -= (size_t)n;
    }
    return true;
}

/* Some file systems can do the one and not the other. */
static bool name_new(const char *from, const char *path)
{
    if (renameat2(AT_FDCWD, from, AT_FDCWD, path, RENAME_NOREPLACE) == 0)
        return true;
    if (errno == EEXIST || link(from, path) != 0)
        return false;
    unlink(from);
    return true;
}

/* A terminal, a pipe, /dev/null. */
static bool is_special(const char *path)
{
    struct stat st;
    return stat(path, &st) == 0 && !S_ISREG(st.st_mode) && !S_ISDIR(st.st_mode);
}

static bool write_special(const char *path, const void *p, size_t len, hf_error *err)
{
    int fd = open(path, O_WRONLY | O_CLOEXEC);
    bool good = fd >= 0 && put_all(fd, p, len);
    int why = errno;
    if (fd >= 0)
        close(fd);
    return good || settings_fail(err, HF_E_FILE, why, "%s: %s", path, strerror(why));
}

/* Under another name first: nobody ever sees half a file, and one that others may read already becomes no secret's. */
bool cert_write_file(const char *path, const void *p, size_t len, bool secret, bool force,
                     hf_error *err)
{
    char next[4096];
    if (is_special(path))
        return write_special(path, p, len, err);
    if ((size_t)snprintf(next, sizeof next, "%s.XXXXXX", path) >= sizeof next)
        return settings_fail(err, HF_E_FILE, ENAMETOOLONG, "%.80s...: the name is too long",
                             path);
    int fd = mkstemp(next); /* creates it with mode 0600 */
    mode_t mask = umask(0);
    umask(mask);
    bool good =
        fd >= 0 && put_all(fd, p, len) && (secret || fchmod(fd, (mode_t)(0666 & ~mask)) == 0);
    if (fd >= 0)
        good = close(fd) == 0 && good;
    if (good && (force ? rename(next, path) == 0 : name_new(next, path)))
        return true;
    int why = errno;
    if (fd >= 0)
        unlink(next);
    if (why == EEXIST)
        return settings_fail(err, HF_E_FILE, why,
                             "%s is there already: --force would replace it", path);
    return settings_fail(err, HF_E_FILE, why, "%s cannot be written: %s", path, strerror(why));
}

bool cert_write(const struct options *o, const void *p, size_t len, bool secret, hf_error *err)
{
    if (o->output && strcmp(o->output, "-") != 0)
        return cert_write_file(o->output, p, len, secret, o->force, err);
    if (fwrite(p, 1, len, stdout) == len && fflush(stdout) == 0)
        return true;
    return settings_fail(err, HF_E_FILE, errno, "standard output cannot be written: %s",
                         strerror(errno));
}

void cert_pem(struct text *out, const hf_certificate *cert)
{
    size_t n = hf_certificate_pem(cert, NULL, 0);
    char *pem = malloc(n + 1);
    if (!pem) {
        out->failed = true;
        return;
    }
    hf_certificate_pem(cert, pem, n + 1);
    text_add_bytes(out, pem, n);
    free(pem);
}
