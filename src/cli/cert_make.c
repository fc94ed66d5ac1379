/* cert_make.c: handfast cert make: a CA for tests, and a certificate of it. */
#define _GNU_SOURCE
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "cli/cert.h"
#include "cli/report.h"
#include "cli/settings.h"

static const struct {
    const char *word;
    hf_key_type type;
} key_types[] = {{"ec", HF_KEY_EC_P256},       {"p256", HF_KEY_EC_P256},
                 {"p384", HF_KEY_EC_P384},     {"rsa", HF_KEY_RSA_2048},
                 {"rsa3072", HF_KEY_RSA_3072}, {"rsa4096", HF_KEY_RSA_4096},
                 {"ed25519", HF_KEY_ED25519}};

static hf_key_type key_type(const char *word)
{
    for (size_t i = 0; word && i < sizeof key_types / sizeof *key_types; i++)
        if (strcmp(key_types[i].word, word) == 0)
            return key_types[i].type;
    return HF_KEY_EC_P256;
}

struct files {
    const struct options *o;
    const char *folder;
    char made[4][4096]; /* what was written, to be named at the end */
    size_t count;
};

static bool path_of(const struct files *f, const char *name, char *out, size_t size,
                    hf_error *err)
{
    size_t n = strlen(f->folder);
    const char *slash = n && f->folder[n - 1] == '/' ? "" : "/";
    if ((size_t)snprintf(out, size, "%s%s%s", f->folder, slash, name) < size)
        return true;
    return settings_fail(err, HF_E_FILE, ENAMETOOLONG, "%.80s...: the name is too long",
                         f->folder);
}

/* All of them are looked for before the first is written: half a set of keys is worse than none. */
static bool all_free(const struct files *f, const char *const *names, hf_error *err)
{
    char path[4096];
    struct stat st;
    for (; *names; names++) {
        if (!path_of(f, *names, path, sizeof path, err))
            return false;
        if (!f->o->force && lstat(path, &st) == 0)
            return settings_fail(err, HF_E_FILE, EEXIST,
                                 "%s is there already: --force would replace it", path);
    }
    return true;
}

static bool make_folder(const struct files *f, hf_error *err)
{
    struct stat st;
    if (mkdir(f->folder, 0777) == 0 ||
        (errno == EEXIST && stat(f->folder, &st) == 0 && S_ISDIR(st.st_mode)))
        return true;
    return settings_fail(err, HF_E_FILE, errno, "%s: %s", f->folder, strerror(errno));
}

static bool put(struct files *f, const char *name, const void *p, size_t len, bool secret,
                hf_error *err)
{
    char *path = f->made[f->count];
    if (!path_of(f, name, path, sizeof f->made[0], err) ||
        !cert_write_file(path, p, len, secret, f->o->force, err))
        return false;
    f->count++;
    return true;
}

static bool put_chain(struct files *f, const char *name, const hf_credential *cred,
                      hf_error *err)
{
    struct text out = {0};
    const hf_certificate *c;
    for (size_t i = 0; (c = hf_credential_certificate(cred, i)); i++)
        cert_pem(&out, c);
    bool good = (text_ok(&out) || settings_fail(err, HF_E_NO_MEMORY, 0, "for PEM")) &&
                put(f, name, out.p, out.len, false, err);
    text_clear(&out);
    return good;
}

static bool put_key(struct files *f, const char *name, const hf_credential *cred, hf_error *err)
{
    char *pem = hf_credential_key_pem(cred, NULL, err);
    bool good = pem && put(f, name, pem, strlen(pem), true, err);
    hf_secret_free(pem, pem ? strlen(pem) : 0);
    return good;
}

static hf_credential *load_issuer(const struct options *o, hf_error *err)
{
    char prompt[300];
    snprintf(prompt, sizeof prompt, "passphrase of %.200s",
             o->key_file ? o->key_file : o->issuer);
    struct cert_asking asking = {o->passphrase_file, prompt, false};
    return hf_credential_load_files(o->issuer, o->key_file, cert_passphrase, &asking, err);
}

static hf_credential *make_issuer(const struct options *o, hf_error *err)
{
    int64_t now = time(NULL);
    hf_certificate_plan plan = {
        .ca = true, .key = key_type(o->key_type), .common_name = o->ca_name};
    /* Not shorter than what it signs. */
    if (o->days > 3650)
        plan.not_after = now + (int64_t)o->days * 86400;
    return hf_credential_make(&plan, NULL, err);
}

static hf_credential *make_leaf(const struct options *o, const hf_credential *issuer,
                                hf_error *err)
{
    hf_certificate_plan plan = {.key = key_type(o->key_type),
                                .names = o->target,
                                .client = o->client,
                                .server = !o->client && !o->both,
                                .common_name = o->subject};
    if (o->days)
        plan.not_after = time(NULL) + (int64_t)o->days * 86400;
    return hf_credential_make(&plan, issuer, err);
}

static void say(const struct files *f, const hf_credential *leaf)
{
    struct text out = {0};
    const hf_certificate *cert = hf_credential_certificate(leaf, 0);
    if (f->o->json) {
        text_add(&out, "{\"files\": [");
        for (size_t i = 0; i < f->count; i++) {
            text_add(&out, i ? ", " : "");
            text_json(&out, f->made[i]);
        }
        text_add(&out, "], \"certificate\": ");
        cert_json(&out, cert);
        text_add(&out, "}\n");
    } else {
        for (size_t i = 0; i < f->count; i++)
            text_addf(&out, "%s\n", f->made[i]);
        text_addf(&out, "%s, until ", hf_certificate_names(cert));
        text_date(&out, hf_certificate_not_after(cert));
        text_add(&out, "\n");
    }
    if (text_ok(&out) && !f->o->quiet)
        fputs(out.p, stdout);
    text_clear(&out);
}

static bool write_all(struct files *f, const hf_credential *issuer, const hf_credential *leaf,
                      hf_error *err)
{
    static const char *const all[] = {"ca.pem", "ca-key.pem", "cert.pem", "key.pem", NULL};
    bool own = !f->o->issuer;
    return make_folder(f, err) && all_free(f, own ? all : all + 2, err) &&
           (!own ||
            (put_key(f, "ca-key.pem", issuer, err) && put_chain(f, "ca.pem", issuer, err))) &&
           put_key(f, "key.pem", leaf, err) && put_chain(f, "cert.pem", leaf, err);
}

int cert_make(const struct options *o)
{
    struct files f = {.o = o, .folder = o->output ? o->output : "."};
    hf_error err = {0};
    hf_credential *issuer = o->issuer ? load_issuer(o, &err) : make_issuer(o, &err);
    hf_credential *leaf = issuer ? make_leaf(o, issuer, &err) : NULL;
    bool good = leaf && write_all(&f, issuer, leaf, &err);
    if (good)
        say(&f, leaf);
    hf_credential_free(leaf);
    hf_credential_free(issuer);
    return good ? EXIT_OK : report_failure(NULL, &err, o->json);
}
