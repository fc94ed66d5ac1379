/* platform.c: what this machine trusts, loaded once per process. */
#define _GNU_SOURCE /* secure_getenv */

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#include "x509/trust.h"

/* Where bundles lie on systems whose libcrypto was built for another place. */
static const char *const other_bundles[] = {
    "/etc/ssl/certs/ca-certificates.crt", /* Debian, Arch, Gentoo */
    "/etc/pki/tls/certs/ca-bundle.crt",   /* Fedora, RHEL */
    "/etc/ssl/ca-bundle.pem",             /* openSUSE */
    "/etc/ssl/cert.pem",                  /* Alpine, BSD */
};

/* The places that were tried, for the error. */
struct tried {
    char text[512];
    size_t len;
};

static void note(struct tried *t, const char *path)
{
    if (t->len < sizeof t->text)
        t->len += (size_t)snprintf(t->text + t->len, sizeof t->text - t->len, "%s%s",
                                   t->len ? ", " : "", path);
}

static struct anchors *load_bundle(const char *path, struct tried *tried, hf_error *err)
{
    uint8_t *bytes;
    size_t len;
    hf_error inner = {0};
    struct anchors *set = NULL;
    note(tried, path);
    if (file_read(path, &bytes, &len, &inner)) {
        struct source s = {path, bytes, len};
        set = anchors_load(&s, false, &inner);
        mem_free(bytes);
    }
    if (inner.code == HF_E_NO_MEMORY)
        err_set(err, inner.code, "%s", path);
    if (set && set->count == 0) {
        anchors_free(set);
        set = NULL;
    }
    return set;
}

static bool load_folder(struct platform *p, const char *path, struct tried *tried,
                        hf_error *err)
{
    hf_error inner = {0};
    note(tried, path);
    struct folder *folder = p->folder_count < FOLDERS_MAX ? folder_new(path, &inner) : NULL;
    if (folder)
        p->folder[p->folder_count++] = folder;
    return inner.code != HF_E_NO_MEMORY || err_set(err, inner.code, "%s", path);
}

/* A list of folders is separated by colons, as in PATH. */
static bool load_folders(struct platform *p, const char *list, struct tried *tried,
                         hf_error *err)
{
    while (*list) {
        char path[1024];
        size_t n = strcspn(list, ":");
        if (n > 0 && n < sizeof path) {
            memcpy(path, list, n);
            path[n] = 0;
            if (!load_folder(p, path, tried, err))
                return false;
        }
        list += n + (list[n] == ':');
    }
    return true;
}

/* Each variable replaces its own default only, as in libcrypto. A program that runs with somebody
 * else's privileges takes no notice of them. */
static bool load(struct platform *p, struct tried *tried, hf_error *err)
{
    const char *file = secure_getenv(X509_get_default_cert_file_env());
    const char *list = secure_getenv(X509_get_default_cert_dir_env());
    hf_error inner = {0};
    p->bundle = load_bundle(file && *file ? file : X509_get_default_cert_file(), tried, &inner);
    load_folders(p, list && *list ? list : X509_get_default_cert_dir(), tried, &inner);
    bool elsewhere = !(file && *file) && !(list && *list);
    size_t count = sizeof other_bundles / sizeof *other_bundles;
    for (size_t i = 0; elsewhere && i < count && !p->bundle && !p->folder_count; i++)
        p->bundle = load_bundle(other_bundles[i], tried, &inner);
    if (inner.code)
        return err_set(err, inner.code, "%s", inner.detail);
    if (!p->bundle && !p->folder_count)
        return err_set(
            err, HF_E_FILE,
            "the platform's trust anchors were found in none of: %s: install the package "
            "ca-certificates, or set SSL_CERT_FILE",
            tried->text);
    return true;
}

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct platform *loaded;

const struct platform *platform_load(hf_error *err)
{
    struct tried tried = {"", 0};
    pthread_mutex_lock(&lock);
    struct platform *p = loaded ? loaded : mem_new(sizeof *p);
    if (!p) {
        err_set(err, HF_E_NO_MEMORY, "the platform's trust anchors");
    } else if (!loaded) {
        if (load(p, &tried, err)) {
            memcpy(p->tried, tried.text, sizeof p->tried);
            loaded = p;
        } else {
            anchors_free(p->bundle);
            for (size_t i = 0; i < p->folder_count; i++)
                folder_free(p->folder[i]);
            mem_free(p);
            p = NULL;
        }
    }
    pthread_mutex_unlock(&lock);
    return p;
}
