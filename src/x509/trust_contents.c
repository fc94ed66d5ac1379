/* trust_contents.c: what a trust holds, and loading it in one call, as Python's ssl does. */
#include "handfast_certificate.h"
#include "x509/cert_list.h"
#include "x509/trust.h"

/* ---- what is in it */

struct contents {
    hf_certificate_list *list;
    size_t room;
    bool authorities; /* only those that may sign others */
};

/* Equal certificates are one object as long as the table of parsed ones holds them, and two after that. */
static bool listed(const hf_certificate_list *list, const hf_certificate *cert)
{
    for (size_t i = 0; i < list->count; i++) {
        if (memcmp(list->cert[i]->sha256, cert->sha256, CERT_HASH) == 0)
            return true;
    }
    return false;
}

static bool add_certificate(hf_certificate *cert, unsigned uses, void *arg)
{
    struct contents *c = arg;
    (void)uses;
    if (listed(c->list, cert) || (c->authorities && !X509_check_ca(cert->x509)))
        return true;
    return list_add_ref(c->list, &c->room, cert);
}

bool hf_trust_certificates(const hf_trust *trust, bool all, hf_certificate_list *out,
                           hf_error *err)
{
    struct contents c = {out, 0, !all};
    err_begin(err);
    if (!trust || !out)
        return err_set(err, HF_E_USAGE, "hf_trust_certificates: %s is NULL",
                       trust ? "out" : "trust");
    *out = (hf_certificate_list){0};
    if (trust_each(trust, add_certificate, &c))
        return true;
    hf_certificates_clear(out);
    return err_set(err, HF_E_NO_MEMORY, "to list trust anchors");
}

struct lists {
    const X509_CRL *seen[64];
    size_t count;
};

/* Beyond the first 64 lists nobody will have the same one twice. */
static bool count_list(const struct crl *crl, void *arg)
{
    struct lists *l = arg;
    for (size_t i = 0; i < l->count && i < 64; i++) {
        if (X509_CRL_match(l->seen[i], crl->x509) == 0)
            return true;
    }
    if (l->count < 64)
        l->seen[l->count] = crl->x509;
    l->count++;
    return true;
}

bool hf_trust_get_stats(const hf_trust *trust, hf_trust_stats *out, hf_error *err)
{
    hf_certificate_list all;
    struct lists lists = {.count = 0};
    if (!out) {
        err_begin(err);
        return err_set(err, HF_E_USAGE, "hf_trust_get_stats: out is NULL");
    }
    *out = (hf_trust_stats){0};
    if (!hf_trust_certificates(trust, true, &all, err))
        return false;
    out->x509 = all.count;
    for (size_t i = 0; i < all.count; i++)
        out->x509_ca += X509_check_ca(all.cert[i]->x509) != 0;
    hf_certificates_clear(&all);
    trust_each_list(trust, count_list, &lists);
    out->crl = lists.count;
    return true;
}

/* ---- for what */

struct sought {
    const hf_certificate *cert;
    unsigned uses;
};

static bool add_uses(hf_certificate *cert, unsigned uses, void *arg)
{
    struct sought *s = arg;
    if (memcmp(cert->sha256, s->cert->sha256, CERT_HASH) == 0)
        s->uses |= uses;
    return true;
}

unsigned hf_trust_uses(const hf_trust *trust, const hf_certificate *cert)
{
    struct sought s = {cert, 0};
    if (trust && cert)
        trust_each(trust, add_uses, &s);
    return s.uses;
}

/* ---- loading */

static bool load_pem(hf_trust *trust, const struct source *s, hf_error *err)
{
    bool lists = source_has(s, &crl_blocks);
    /* Without any list, what is not a certificate is what the error should speak of. */
    if ((!lists || source_has(s, &anchor_blocks)) && !trust_add_source(trust, s, err))
        return false;
    return !lists || trust_add_lists(trust, s, err);
}

/* Only trying tells a list from a certificate; if it is neither, the file was meant to be a certificate. */
static bool load_der(hf_trust *trust, const struct source *s, hf_error *err)
{
    hf_error first = {0}, second = {0};
    if (trust_add_source(trust, s, &first))
        return true;
    if (first.code == HF_E_PEM && trust_add_lists(trust, s, &second))
        return true;
    return err_set(err, first.code, "%s", first.detail);
}

static bool load(hf_trust *trust, const struct source *s, hf_error *err)
{
    return source_is_pem(s) ? load_pem(trust, s, err) : load_der(trust, s, err);
}

static bool load_file(hf_trust *trust, const char *path, hf_error *err)
{
    uint8_t *bytes;
    size_t len;
    if (!file_read(path, &bytes, &len, err))
        return false;
    struct source s = {path, bytes, len};
    bool ok = load(trust, &s, err);
    mem_free(bytes);
    return ok;
}

bool hf_trust_load(hf_trust *trust, const char *cafile, const char *capath, const void *data,
                   size_t len, hf_error *err)
{
    struct source s = {"the data", data, data ? len : 0};
    err_begin(err);
    if (!trust || (!cafile && !capath && !data))
        return err_set(err, HF_E_USAGE, "hf_trust_load: %s",
                       trust ? "neither a file, a folder nor data is given" : "trust is NULL");
    return (!cafile || load_file(trust, cafile, err)) &&
           (!capath || hf_trust_add_folder(trust, capath, err)) &&
           (!data || load(trust, &s, err));
}
