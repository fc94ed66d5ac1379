/* served.c: for which names a server shows a credential. */
#include <strings.h>

#include "x509/certificate.h"
#include "x509/name.h"
#include "x509/x509.h"

enum { NAMES_MAX = 100 };

/* "a.test, *.b.test": how many bytes they take, packed as name.h says; 0 with an error for what is no name. */
static size_t pack(const char *list, struct names *out, hf_error *err)
{
    char name[256];
    size_t total = 0;
    out->count = 0;
    for (list += strspn(list, ", "); *list; list += strspn(list, ", ")) {
        size_t len = strcspn(list, ", ");
        if (len >= sizeof name || out->count == NAMES_MAX) {
            err_set(err, HF_E_CONFIG, "more than %d names, or one of more than 255 bytes",
                    NAMES_MAX);
            return 0;
        }
        memcpy(name, list, len);
        name[len] = 0;
        if (!name_is_dns(name)) {
            err_set(err, HF_E_CONFIG, "\"%s\" is no DNS name, nor \"*.\" and one", name);
            return 0;
        }
        if (out->p) {
            out->p[total] = NAME_DNS;
            put_u16(out->p + total + 1, (uint16_t)len);
            memcpy(out->p + total + 3, name, len);
        }
        total += 3 + len;
        out->count++;
        list += len;
    }
    if (!total)
        err_set(err, HF_E_CONFIG, "there is no name");
    return total;
}

bool hf_credential_set_names(hf_credential *cred, const char *list, hf_error *err)
{
    struct names names = {0};
    err_begin(err);
    if (!cred)
        return err_set(err, HF_E_USAGE, "hf_credential_set_names: the credential is NULL");
    if (list) {
        names.len = pack(list, &names, err);
        if (!names.len)
            return false;
        names.p = mem_new(names.len);
        if (!names.p)
            return err_set(err, HF_E_NO_MEMORY, "for names");
        pack(list, &names, err);
    }
    names_clear(&cred->served);
    cred->served = names;
    return true;
}

static bool has_exactly(const struct names *names, const char *wanted)
{
    size_t len = strlen(wanted);
    len -= len > 0 && wanted[len - 1] == '.';
    for (size_t at = 0; at < names->len; at += 3 + (size_t)get_u16(names->p + at + 1))
        if (get_u16(names->p + at + 1) == len &&
            strncasecmp((const char *)names->p + at + 3, wanted, len) == 0)
            return true;
    return false;
}

enum serving credential_serves(const struct hf_credential *cred, const char *name)
{
    if (cred->served.count)
        return has_exactly(&cred->served, name)   ? SERVES_NAMED
               : names_match(&cred->served, name) ? SERVES_PATTERN
                                                  : SERVES_NOT;
    /* A raw public key is for whatever name its holder is known by (RFC 7250 6). */
    return credential_type(cred) == CERT_RAW || cert_matches_name(cred->chain->cert[0], name)
               ? SERVES
               : SERVES_NOT;
}
