/* folder.c: anchors and revocation lists in a folder of hashed names, "1f58a078.0" and "1f58a078.r0",
 * read when an issuer is sought. */
#include <dirent.h>
#include <errno.h>
#include <openssl/err.h>
#include <stdio.h>

#include "x509/trust.h"

/* How many certificates may share one hash of their subject: as many files are looked at. */
#define SAME_HASH 16

/* What was read, newest first: pushed by compare-and-exchange, never removed before the folder goes,
 * so readers need no lock. Two threads that read the same file leave two entries, once. */
struct entry {
    struct entry *next;
    hf_certificate *cert;
    uint8_t uses;
};

struct crl_entry {
    struct crl_entry *next;
    struct crl crl;
};

struct folder {
    _Atomic int refs;
    _Atomic(struct entry *) known;
    _Atomic(struct crl_entry *) known_crls;
    char path[];
};

static bool hashed_name(const char *name)
{
    size_t n = strspn(name, "0123456789abcdef");
    if (n != 8 || name[8] != '.')
        return false;
    name += name[9] == 'r' ? 10 : 9;
    return *name >= '0' && *name <= '9';
}

static bool check_folder(const char *path, hf_error *err)
{
    DIR *dir = opendir(path);
    if (!dir) {
        int number = errno;
        bool first = err && err->code == HF_OK;
        err_set(err, HF_E_FILE, "%s", path);
        if (first)
            err->os_errno = number;
        return false;
    }
    bool found = false;
    for (struct dirent *e; !found && (e = readdir(dir));)
        found = hashed_name(e->d_name);
    closedir(dir);
    if (!found)
        return err_set(
            err, HF_E_CONFIG,
            "%s holds no file of a hashed name (as 1f58a078.0): run `openssl rehash %s`", path,
            path);
    return true;
}

struct folder *folder_new(const char *path, hf_error *err)
{
    if (!check_folder(path, err))
        return NULL;
    size_t len = strlen(path);
    struct folder *folder = mem_new(sizeof *folder + len + 1);
    if (!folder) {
        err_set(err, HF_E_NO_MEMORY, "%s", path);
        return NULL;
    }
    atomic_init(&folder->refs, 1);
    memcpy(folder->path, path, len + 1);
    return folder;
}

struct folder *folder_ref(struct folder *folder)
{
    atomic_fetch_add_explicit(&folder->refs, 1, memory_order_relaxed);
    return folder;
}

void folder_free(struct folder *folder)
{
    if (!folder || atomic_fetch_sub_explicit(&folder->refs, 1, memory_order_acq_rel) != 1)
        return;
    struct entry *e = atomic_load_explicit(&folder->known, memory_order_acquire);
    while (e) {
        struct entry *next = e->next;
        hf_certificate_free(e->cert);
        mem_free(e);
        e = next;
    }
    struct crl_entry *c = atomic_load_explicit(&folder->known_crls, memory_order_acquire);
    while (c) {
        struct crl_entry *next = c->next;
        crl_clear(&c->crl);
        mem_free(c);
        c = next;
    }
    mem_free(folder);
}

const char *folder_path(const struct folder *folder)
{
    return folder->path;
}

static bool find_known(struct folder *folder, const X509_NAME *name, unsigned uses,
                       struct found *found)
{
    bool known = false;
    struct entry *e = atomic_load_explicit(&folder->known, memory_order_acquire);
    for (; e && found->count < FOUND_MAX; e = e->next) {
        if (X509_NAME_cmp(X509_get_subject_name(e->cert->x509), name) != 0)
            continue;
        known = true;
        if (!uses || (e->uses & uses))
            found->cert[found->count++] = e->cert;
    }
    return known;
}

struct wanted {
    struct folder *folder;
    const X509_NAME *name;
};

/* A file of that hash may hold another subject: only what was sought is kept. */
static bool keep(struct slice der, unsigned line, void *arg, hf_error *err)
{
    struct wanted *w = arg;
    uint8_t uses = USE_ANY;
    if (line && !anchor_uses(der, &der, &uses))
        return err_set(err, HF_E_PEM, "line %u: what it is trusted for is malformed", line);
    hf_certificate *cert = cert_from_der(der, err);
    if (!cert || X509_NAME_cmp(X509_get_subject_name(cert->x509), w->name) != 0) {
        hf_certificate_free(cert);
        return cert != NULL;
    }
    struct entry *e = mem_new(sizeof *e);
    if (!e) {
        hf_certificate_free(cert);
        return err_set(err, HF_E_NO_MEMORY, "trust anchor");
    }
    e->cert = cert;
    e->uses = uses;
    e->next = atomic_load_explicit(&w->folder->known, memory_order_relaxed);
    while (!atomic_compare_exchange_weak_explicit(&w->folder->known, &e->next, e,
                                                  memory_order_acq_rel, memory_order_acquire))
        ;
    return true;
}

/* A file that is not as it should be is as good as none. false: there is no such file. */
static bool read_file(struct wanted *w, unsigned long hash, unsigned number, bool *no_memory)
{
    char path[4096];
    uint8_t *bytes;
    size_t len;
    hf_error inner = {0};
    int size = snprintf(path, sizeof path, "%s/%08lx.%u", w->folder->path, hash, number);
    if (size < 0 || (size_t)size >= sizeof path)
        return false;
    bool there = file_read(path, &bytes, &len, &inner);
    if (there) {
        struct source s = {path, bytes, len};
        bool good = blocks_each(&s, &anchor_blocks, keep, w, &inner);
        (void)good;
        mem_free(bytes);
    }
    *no_memory = *no_memory || inner.code == HF_E_NO_MEMORY;
    return there;
}

void folder_find(struct folder *folder, const X509_NAME *name, unsigned uses,
                 struct found *found)
{
    if (find_known(folder, name, uses, found))
        return;
    int ok = 0;
    unsigned long hash = X509_NAME_hash_ex(name, NULL, NULL, &ok);
    struct wanted w = {folder, name};
    for (unsigned i = 0; ok && i < SAME_HASH && read_file(&w, hash, i, &found->no_memory); i++)
        ;
    ERR_clear_error();
    find_known(folder, name, uses, found);
}

bool folder_each(struct folder *folder, anchor_fn fn, void *arg)
{
    struct entry *e = atomic_load_explicit(&folder->known, memory_order_acquire);
    while (e && fn(e->cert, e->uses, arg))
        e = e->next;
    return e == NULL;
}

/* ---- revocation lists */

static bool is_known(const struct folder *folder, const struct crl *crl)
{
    struct crl_entry *e = atomic_load_explicit(&folder->known_crls, memory_order_acquire);
    while (e && X509_CRL_match(e->crl.x509, crl->x509) != 0)
        e = e->next;
    return e != NULL;
}

static bool keep_crl(struct slice der, unsigned line, void *arg, hf_error *err)
{
    struct wanted *w = arg;
    struct crl crl;
    (void)line;
    if (!crl_read(der, &crl))
        return true;
    bool wanted = crl_is_by(&crl, w->name) && !is_known(w->folder, &crl);
    struct crl_entry *e = wanted ? mem_new(sizeof *e) : NULL;
    if (!e) {
        crl_clear(&crl);
        return !wanted || err_set(err, HF_E_NO_MEMORY, "revocation list");
    }
    e->crl = crl;
    e->next = atomic_load_explicit(&w->folder->known_crls, memory_order_relaxed);
    while (!atomic_compare_exchange_weak_explicit(&w->folder->known_crls, &e->next, e,
                                                  memory_order_acq_rel, memory_order_acquire))
        ;
    return true;
}

static bool read_crls(struct wanted *w, unsigned long hash, unsigned number, bool *no_memory)
{
    char path[4096];
    uint8_t *bytes;
    size_t len;
    hf_error inner = {0};
    int size = snprintf(path, sizeof path, "%s/%08lx.r%u", w->folder->path, hash, number);
    if (size < 0 || (size_t)size >= sizeof path)
        return false;
    bool there = file_read(path, &bytes, &len, &inner);
    if (there) {
        struct source s = {path, bytes, len};
        bool good = blocks_each(&s, &crl_blocks, keep_crl, w, &inner);
        (void)good;
        mem_free(bytes);
    }
    /* A newer list may be lost by it. */
    *no_memory = *no_memory || inner.code == HF_E_NO_MEMORY;
    return there;
}

static bool has_current(const struct folder *folder, const X509_NAME *issuer, int64_t now)
{
    struct crl_entry *e = atomic_load_explicit(&folder->known_crls, memory_order_acquire);
    while (e && !(crl_is_by(&e->crl, issuer) && crl_is_current(&e->crl, now)))
        e = e->next;
    return e != NULL;
}

/* Whoever renews the lists puts new files in the place of the old ones, which are looked for when
 * those that were read are out of date. */
bool folder_each_crl(struct folder *folder, const X509_NAME *issuer, int64_t now, crl_fn fn,
                     void *arg)
{
    bool no_memory = false;
    if (!has_current(folder, issuer, now)) {
        int ok = 0;
        unsigned long hash = X509_NAME_hash_ex(issuer, NULL, NULL, &ok);
        struct wanted w = {folder, issuer};
        for (unsigned i = 0; ok && i < SAME_HASH && read_crls(&w, hash, i, &no_memory); i++)
            ;
        ERR_clear_error();
    }
    struct crl_entry *e = atomic_load_explicit(&folder->known_crls, memory_order_acquire);
    for (; e; e = e->next) {
        if (crl_is_by(&e->crl, issuer) && !fn(&e->crl, arg))
            return false;
    }
    return !no_memory;
}

bool folder_each_list(struct folder *folder, crl_fn fn, void *arg)
{
    struct crl_entry *e = atomic_load_explicit(&folder->known_crls, memory_order_acquire);
    while (e && fn(&e->crl, arg))
        e = e->next;
    return e == NULL;
}
