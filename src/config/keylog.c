/* keylog.c: secrets for a debugger, in the format of RFC 9850. */
#include "config/keylog.h"

#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <sys/auxv.h>
#include <unistd.h>

#include "crypto/hash.h"

struct keylog_file {
    _Atomic int refs;
    int fd;
};

struct keylog_file *keylog_file_open(const char *path, hf_error *err)
{
    /* A set-user-ID program must not be talked into writing its secrets, or into any file. */
    if (getauxval(AT_SECURE)) {
        err_set(err, HF_E_CONFIG, "key log %s: refused in a process with elevated rights",
                path);
        return NULL;
    }
    struct keylog_file *file = mem_new(sizeof *file);
    if (!file) {
        err_set(err, HF_E_NO_MEMORY, "for the key log");
        return NULL;
    }
    atomic_init(&file->refs, 1);
    file->fd = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOCTTY, 0600);
    if (file->fd < 0) {
        int e = errno;
        mem_free(file);
        err_set(err, HF_E_FILE, "key log %s cannot be opened for appending", path);
        if (err && err->code == HF_E_FILE && err->os_errno == 0)
            err->os_errno = e;
        return NULL;
    }
    return file;
}

struct keylog_file *keylog_file_ref(struct keylog_file *file)
{
    if (file)
        atomic_fetch_add_explicit(&file->refs, 1, memory_order_relaxed);
    return file;
}

void keylog_file_free(struct keylog_file *file)
{
    if (!file || atomic_fetch_sub_explicit(&file->refs, 1, memory_order_acq_rel) > 1)
        return;
    (void)close(file->fd);
    mem_free(file);
}

bool config_has_keylog(const hf_config *config)
{
    return config->keylog || config->keylog_file;
}

static char *put_hex(char *out, const uint8_t *p, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        *out++ = "0123456789abcdef"[p[i] >> 4];
        *out++ = "0123456789abcdef"[p[i] & 15];
    }
    return out;
}

/* One write, so that the lines of processes that share the file do not mix. A log that cannot be
 * written is no reason to end a connection. */
static void append(const struct keylog_file *file, const char *line, size_t len)
{
    ssize_t n;
    do
        n = write(file->fd, line, len);
    while (n < 0 && errno == EINTR);
}

void config_keylog(const hf_config *config, const hf_conn *conn, const char *label,
                   const uint8_t client_random[32], const uint8_t *secret, size_t len)
{
    char line[64 + 1 + 2 * 32 + 1 + 2 * HASH_MAX_SIZE + 2];
    size_t label_len = strlen(label);

    if (!config_has_keylog(config) || label_len > 64 || len > HASH_MAX_SIZE)
        return;
    memcpy(line, label, label_len);
    char *end = line + label_len;
    *end++ = ' ';
    end = put_hex(end, client_random, 32);
    *end++ = ' ';
    end = put_hex(end, secret, len);
    *end = '\0';
    if (config->keylog)
        config->keylog(conn, line, config->keylog_arg);
    if (config->keylog_file) {
        *end++ = '\n';
        append(config->keylog_file, line, (size_t)(end - line));
    }
    wipe(line, sizeof line);
}
