/* places.c: where trust anchors lie on this machine. */
#define _GNU_SOURCE /* secure_getenv */

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "handfast_certificate.h"
#include "x509/trust.h"

/* As Python has it: the variable if it is there, else the default; and nothing if that leads nowhere. */
static const char *resolved(const char *variable, const char *built_in, mode_t kind)
{
    struct stat st;
    const char *path = secure_getenv(variable);
    path = path ? path : built_in;
    return stat(path, &st) == 0 && (st.st_mode & S_IFMT) == kind ? path : NULL;
}

void hf_default_verify_paths(hf_verify_paths *out)
{
    *out = (hf_verify_paths){
        .cafile_env = X509_get_default_cert_file_env(),
        .default_cafile = X509_get_default_cert_file(),
        .capath_env = X509_get_default_cert_dir_env(),
        .default_capath = X509_get_default_cert_dir(),
        .default_private_dir = X509_get_default_private_dir(),
        .default_cert_area = X509_get_default_cert_area(),
    };
    out->cafile = resolved(out->cafile_env, out->default_cafile, S_IFREG);
    out->capath = resolved(out->capath_env, out->default_capath, S_IFDIR);
}

bool hf_trust_platform_places(hf_platform_places *out, hf_error *err)
{
    err_begin(err);
    if (!out)
        return err_set(err, HF_E_USAGE, "hf_trust_platform_places: out is NULL");
    *out = (hf_platform_places){0};
    const struct platform *p = platform_load(err);
    if (!p)
        return false;
    out->certificates = p->bundle ? p->bundle->count : 0;
    out->folders = p->folder_count;
    snprintf(out->file, sizeof out->file, "%s", p->bundle ? p->bundle->origin : "");
    snprintf(out->tried, sizeof out->tried, "%s", p->tried);
    return true;
}
