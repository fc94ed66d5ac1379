/* names.c: lists of the authorities whose certificates a side would accept. */
#include "libssl/local.h"

#include <dirent.h>
#include <errno.h>
#include <openssl/pem.h>
#include <openssl/store.h>
#include <stdio.h>
#include <sys/stat.h>

/* ---- lists */

STACK_OF(X509_NAME) * SSL_dup_CA_list(const STACK_OF(X509_NAME) * sk)
{
    int count = sk ? sk_X509_NAME_num(sk) : 0;
    STACK_OF(X509_NAME) *copy = sk_X509_NAME_new_reserve(NULL, count);
    for (int i = 0; copy && i < count; i++) {
        X509_NAME *name = X509_NAME_dup(sk_X509_NAME_value(sk, i));
        if (!name) {
            sk_X509_NAME_pop_free(copy, X509_NAME_free);
            copy = NULL;
        } else {
            sk_X509_NAME_push(copy, name); /* there is room */
        }
    }
    if (!copy)
        raise_ssl(ERR_R_MALLOC_FAILURE);
    return copy;
}

static void put(STACK_OF(X509_NAME) * *slot, STACK_OF(X509_NAME) * list)
{
    sk_X509_NAME_pop_free(*slot, X509_NAME_free);
    *slot = list;
}

/* The list comes over to us even where it cannot be kept. */
static void set_list(struct settings **settings, bool client, STACK_OF(X509_NAME) * list)
{
    struct settings *t = settings_edit(settings);
    if (t)
        put(client ? &t->client_ca_names : &t->ca_names, list);
    else
        sk_X509_NAME_pop_free(list, X509_NAME_free);
}

void SSL_set0_CA_list(SSL *s, STACK_OF(X509_NAME) * name_list)
{
    set_list(&s->settings, false, name_list);
}

void SSL_CTX_set0_CA_list(SSL_CTX *ctx, STACK_OF(X509_NAME) * name_list)
{
    set_list(&ctx->settings, false, name_list);
}

const STACK_OF(X509_NAME) * SSL_CTX_get0_CA_list(const SSL_CTX *ctx)
{
    return ctx->settings->ca_names;
}

/* A connection shows its context's list where it has none of its own. */
static STACK_OF(X509_NAME) * of_either(STACK_OF(X509_NAME) * own, STACK_OF(X509_NAME) * other)
{
    return sk_X509_NAME_num(own) > 0 ? own : other;
}

const STACK_OF(X509_NAME) * SSL_get0_CA_list(const SSL *s)
{
    return of_either(s->settings->ca_names, s->ctx->settings->ca_names);
}

void SSL_set_client_CA_list(SSL *s, STACK_OF(X509_NAME) * name_list)
{
    set_list(&s->settings, true, name_list);
}

void SSL_CTX_set_client_CA_list(SSL_CTX *ctx, STACK_OF(X509_NAME) * name_list)
{
    set_list(&ctx->settings, true, name_list);
}

STACK_OF(X509_NAME) * SSL_CTX_get_client_CA_list(const SSL_CTX *s)
{
    return s->settings->client_ca_names;
}

static bool add_name(STACK_OF(X509_NAME) * *list, const X509 *x)
{
    X509_NAME *name = x ? X509_NAME_dup(X509_get_subject_name(x)) : NULL;
    if (name && !*list)
        *list = sk_X509_NAME_new_null();
    if (name && *list && sk_X509_NAME_push(*list, name) > 0)
        return true;
    X509_NAME_free(name);
    return false;
}

static int add_to(struct settings **settings, bool client, const X509 *x)
{
    struct settings *t = x ? settings_edit(settings) : NULL;
    return t && add_name(client ? &t->client_ca_names : &t->ca_names, x);
}

int SSL_add1_to_CA_list(SSL *ssl, const X509 *x)
{
    return add_to(&ssl->settings, false, x);
}

int SSL_CTX_add1_to_CA_list(SSL_CTX *ctx, const X509 *x)
{
    return add_to(&ctx->settings, false, x);
}

int SSL_add_client_CA(SSL *ssl, X509 *x)
{
    return add_to(&ssl->settings, true, x);
}

int SSL_CTX_add_client_CA(SSL_CTX *ctx, X509 *x)
{
    return add_to(&ctx->settings, true, x);
}

/* ---- what the peer sent */

/* DistinguishedName authorities<0..2^16-1>, each with two bytes of length in front (RFC 8446 4.2.4). */
static STACK_OF(X509_NAME) * read_names(const uint8_t *p, size_t len)
{
    STACK_OF(X509_NAME) *list = sk_X509_NAME_new_null();
    while (list && len >= 2) {
        size_t size = (size_t)p[0] << 8 | p[1];
        const unsigned char *der = p + 2;
        X509_NAME *name = size <= len - 2 ? d2i_X509_NAME(NULL, &der, (long)size) : NULL;
        if (!name || sk_X509_NAME_push(list, name) <= 0) {
            X509_NAME_free(name);
            break;
        }
        p += 2 + size;
        len -= 2 + size;
    }
    ERR_clear_error();
    return list;
}

const STACK_OF(X509_NAME) * SSL_get0_peer_CA_list(const SSL *s)
{
    SSL *cache = (SSL *)(uintptr_t)s; /* peer_ca_names is a memory of what was read */
    size_t len = 0;
    const uint8_t *names = s->conn ? access_peer_authorities(s->conn, &len) : NULL;
    if (names && !s->peer_ca_names)
        cache->peer_ca_names = read_names(names, len);
    return s->peer_ca_names;
}

/* ---- what is sent */

static const STACK_OF(X509_NAME) * list_to_send(const struct settings *t, hf_role role)
{
    if (role == HF_SERVER && sk_X509_NAME_num(t->client_ca_names) > 0)
        return t->client_ca_names;
    return t->ca_names;
}

bool names_to_config(SSL *s, hf_config *config, hf_role role)
{
    const STACK_OF(X509_NAME) *list = list_to_send(s->settings, role);
    for (int i = 0; i < sk_X509_NAME_num(list); i++) {
        const unsigned char *der = NULL;
        size_t len = 0;
        if (!X509_NAME_get0_der(sk_X509_NAME_value(list, i), &der, &len) ||
            !hf_config_add_authority(config, der, len))
            return false;
    }
    return true;
}

/* A client's list is what the server asked for. */
STACK_OF(X509_NAME) * SSL_get_client_CA_list(const SSL *s)
{
    if (!s->server)
        return s->conn ? (STACK_OF(X509_NAME) *)(uintptr_t)SSL_get0_peer_CA_list(s) : NULL;
    return of_either(s->settings->client_ca_names, s->ctx->settings->client_ca_names);
}

/* ---- subjects of certificates in files, each once */

static bool has_name(const STACK_OF(X509_NAME) * list, const X509_NAME *name)
{
    for (int i = 0; i < sk_X509_NAME_num(list); i++) {
        if (X509_NAME_cmp(sk_X509_NAME_value(list, i), name) == 0)
            return true;
    }
    return false;
}

static bool add_once(STACK_OF(X509_NAME) * list, const X509 *x)
{
    const X509_NAME *name = X509_get_subject_name(x);
    return name && (has_name(list, name) || add_name(&list, x));
}

/* All certificates up to the end of the file; *found: there was at least one. */
static bool add_file(STACK_OF(X509_NAME) * list, const char *file, OSSL_LIB_CTX *libctx,
                     const char *propq, bool *found)
{
    BIO *in = BIO_new(BIO_s_file());
    bool ok = in && bio_read_file(in, file) > 0;
    *found = false;
    while (ok) {
        X509 *x = X509_new_ex(libctx, propq);
        if (!x || !PEM_read_bio_X509(in, &x, NULL, NULL)) {
            X509_free(x);
            break;
        }
        *found = true;
        ok = add_once(list, x);
        X509_free(x);
    }
    BIO_free(in);
    return ok;
}

STACK_OF(X509_NAME) *
    SSL_load_client_CA_file_ex(const char *file, OSSL_LIB_CTX *libctx, const char *propq)
{
    STACK_OF(X509_NAME) *list = sk_X509_NAME_new_null();
    bool found = false;
    if (list && add_file(list, file, libctx, propq, &found) && found) {
        ERR_clear_error();
        return list;
    }
    sk_X509_NAME_pop_free(list, X509_NAME_free);
    return NULL;
}

STACK_OF(X509_NAME) * SSL_load_client_CA_file(const char *file)
{
    return SSL_load_client_CA_file_ex(file, NULL, NULL);
}

int SSL_add_file_cert_subjects_to_stack(STACK_OF(X509_NAME) * stackCAs, const char *file)
{
    bool found;
    if (!add_file(stackCAs, file, NULL, NULL, &found))
        return 0;
    ERR_clear_error();
    return 1;
}

static bool is_folder(const char *path)
{
    struct stat st;
    return stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

static bool add_entry(STACK_OF(X509_NAME) * list, const char *dir, const char *name)
{
    char path[1024];
    if ((size_t)snprintf(path, sizeof path, "%s/%s", dir, name) >= sizeof path) {
        raise_ssl(SSL_R_PATH_TOO_LONG);
        return false;
    }
    return is_folder(path) || SSL_add_file_cert_subjects_to_stack(list, path);
}

static int folder_failed(const char *dir)
{
    ERR_raise_data(ERR_LIB_SYS, errno, "reading the folder %s", dir);
    raise_ssl(ERR_R_SYS_LIB);
    return 0;
}

int SSL_add_dir_cert_subjects_to_stack(STACK_OF(X509_NAME) * stackCAs, const char *dir)
{
    DIR *d = opendir(dir);
    const struct dirent *entry;
    bool ok = true;
    if (!d)
        return folder_failed(dir);
    while (ok && (errno = 0, entry = readdir(d)))
        ok = add_entry(stackCAs, dir, entry->d_name);
    if (ok && errno)
        ok = folder_failed(dir);
    closedir(d);
    return ok;
}

/* A store may name further ones, to this depth. */
enum { STORE_DEPTH = 1 };

static bool add_store(STACK_OF(X509_NAME) * list, const char *uri, int depth)
{
    OSSL_STORE_CTX *in = OSSL_STORE_open(uri, NULL, NULL, NULL, NULL);
    bool ok = in != NULL;
    while (ok && !OSSL_STORE_eof(in) && !OSSL_STORE_error(in)) {
        OSSL_STORE_INFO *info = OSSL_STORE_load(in);
        int type = info ? OSSL_STORE_INFO_get_type(info) : 0;
        if (type == OSSL_STORE_INFO_NAME && depth > 0)
            ok = add_store(list, OSSL_STORE_INFO_get0_NAME(info), depth - 1);
        else if (type == OSSL_STORE_INFO_CERT)
            ok = add_once(list, OSSL_STORE_INFO_get0_CERT(info));
        OSSL_STORE_INFO_free(info);
    }
    OSSL_STORE_close(in);
    return ok;
}

int SSL_add_store_cert_subjects_to_stack(STACK_OF(X509_NAME) * stackCAs, const char *uri)
{
    bool ok = add_store(stackCAs, uri, STORE_DEPTH);
    if (ok)
        ERR_clear_error();
    return ok;
}
