#include "x509/crl.h"

#include <openssl/err.h>

#include "x509/certificate.h"

bool crl_read(struct slice der, struct crl *out)
{
    const unsigned char *p = der.p;
    *out = (struct crl){.until = INT64_MAX};
    out->x509 = der.len <= INT32_MAX ? d2i_X509_CRL(NULL, &p, (long)der.len) : NULL;
    bool ok = out->x509 && p == der.p + der.len &&
              time_from_asn1(X509_CRL_get0_lastUpdate(out->x509), &out->from);
    const ASN1_TIME *next = ok ? X509_CRL_get0_nextUpdate(out->x509) : NULL;
    ok = ok && (!next || time_from_asn1(next, &out->until));
    ERR_clear_error();
    if (!ok)
        crl_clear(out);
    return ok;
}

void crl_clear(struct crl *crl)
{
    X509_CRL_free(crl->x509);
    crl->x509 = NULL;
}

static bool grow(struct crls *crls)
{
    if (crls->count < crls->size)
        return true;
    size_t size = crls->size ? 2 * crls->size : 4;
    struct crl *more = mem_new(size * sizeof *more);
    if (!more)
        return false;
    if (crls->count)
        memcpy(more, crls->crl, crls->count * sizeof *more);
    mem_free(crls->crl);
    crls->crl = more;
    crls->size = size;
    return true;
}

struct adding {
    struct crls *crls;
    const struct source *from;
};

static bool add_one(struct slice der, unsigned line, void *arg, hf_error *err)
{
    struct adding *a = arg;
    if (!grow(a->crls))
        return err_set(err, HF_E_NO_MEMORY, "revocation lists");
    if (crl_read(der, &a->crls->crl[a->crls->count])) {
        a->crls->count++;
        return true;
    }
    if (line == 0)
        return err_set(err, HF_E_PEM, "%s is DER, but not a certificate revocation list",
                       a->from->name);
    return err_set(err, HF_E_PEM, "%s: the X509 CRL block on line %u is not a revocation list",
                   a->from->name, line);
}

static void drop_from(struct crls *crls, size_t count)
{
    while (crls->count > count)
        crl_clear(&crls->crl[--crls->count]);
}

bool crls_add(struct crls *crls, const struct source *s, hf_error *err)
{
    size_t before = crls->count;
    struct adding a = {crls, s};
    if (blocks_each(s, &crl_blocks, add_one, &a, err))
        return true;
    drop_from(crls, before);
    return false;
}

void crls_clear(struct crls *crls)
{
    drop_from(crls, 0);
    mem_free(crls->crl);
    *crls = (struct crls){0};
}
