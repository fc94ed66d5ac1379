#include <openssl/err.h>
#include <stdlib.h>

#include "x509/element.h"
#include "x509/trust.h"

/* A file of more certificates than this is a bundle, of which most will never be needed. */
#define PARSED_EARLY 8

/* ---- the subject of an unparsed certificate */

/* TBSCertificate ::= SEQUENCE { version [0] OPTIONAL, serialNumber INTEGER, signature SEQUENCE,
 * issuer SEQUENCE, validity SEQUENCE, subject SEQUENCE, ... }                       RFC 5280 4.1 */
static bool find_subject(struct slice der, struct slice *subject)
{
    struct slice cert, tbs;
    if (!element_take(&der, V_ASN1_SEQUENCE, NULL, &cert) || der.len != 0 ||
        !element_take(&cert, V_ASN1_SEQUENCE, NULL, &tbs))
        return false;
    if (tbs.len && tbs.p[0] == 0xa0 && !element_take(&tbs, -1, NULL, NULL))
        return false;
    return element_take(&tbs, V_ASN1_INTEGER, NULL, NULL) &&
           element_take(&tbs, V_ASN1_SEQUENCE, NULL, NULL) &&
           element_take(&tbs, V_ASN1_SEQUENCE, NULL, NULL) &&
           element_take(&tbs, V_ASN1_SEQUENCE, NULL, NULL) &&
           element_take(&tbs, V_ASN1_SEQUENCE, subject, NULL);
}

/* ---- what an anchor is trusted for */

static bool has_use(const STACK_OF(ASN1_OBJECT) * list, int nid)
{
    for (int i = 0; i < sk_ASN1_OBJECT_num(list); i++) {
        int one = OBJ_obj2nid(sk_ASN1_OBJECT_value(list, i));
        if (one == nid || one == NID_anyExtendedKeyUsage)
            return true;
    }
    return false;
}

/* As in libcrypto: what is rejected is rejected, and a list of uses allows no other. */
static bool allows(X509 *x, int nid)
{
    const STACK_OF(ASN1_OBJECT) *only = X509_get0_trust_objects(x);
    return !has_use(X509_get0_reject_objects(x), nid) && (!only || has_use(only, nid));
}

bool anchor_uses(struct slice trusted, struct slice *cert, uint8_t *uses)
{
    struct slice rest = trusted;
    const unsigned char *p = trusted.p;
    *uses = USE_ANY;
    *cert = trusted;
    if (!element_take(&rest, V_ASN1_SEQUENCE, cert, NULL) || rest.len == 0)
        return true; /* a certificate alone, or something that is none: others say so */
    X509 *x = d2i_X509_AUX(NULL, &p, (long)trusted.len);
    bool ok = x && p == trusted.p + trusted.len;
    if (ok)
        *uses = (uint8_t)((allows(x, NID_server_auth) ? USE_SERVER : 0) |
                          (allows(x, NID_client_auth) ? USE_CLIENT : 0));
    X509_free(x);
    ERR_clear_error();
    return ok;
}

/* ---- loading */

struct load {
    struct anchors *set;
    const struct source *from;
    bool strict;
};

static bool grow(struct anchors *set)
{
    if (set->count < set->size)
        return true;
    size_t size = set->size ? 2 * set->size : 4;
    struct anchor *more = mem_new(size * sizeof *more);
    if (!more)
        return false;
    if (set->count)
        memcpy(more, set->anchor, set->count * sizeof *more);
    mem_free(set->anchor);
    set->anchor = more;
    set->size = size;
    return true;
}

static void anchor_clear(struct anchor *a)
{
    hf_certificate_free(atomic_load_explicit(&a->cert, memory_order_relaxed));
    X509_NAME_free(a->name);
    mem_free(a->der);
}

/* false: not a certificate, or no memory. */
static bool anchor_init(struct anchor *a, struct slice der, bool *no_memory)
{
    memset(a, 0, sizeof *a);
    a->der = mem_dup(der.p, der.len);
    *no_memory = !a->der;
    if (!a->der)
        return false;
    a->der_len = der.len;
    bool ok = find_subject(slice_of(a->der, der.len), &a->subject);
    const unsigned char *p = a->subject.p;
    a->name = ok ? d2i_X509_NAME(NULL, &p, (long)a->subject.len) : NULL;
    ERR_clear_error();
    return a->name != NULL;
}

/* Parses now or returns what was parsed before; NULL if it cannot be. */
static hf_certificate *anchor_cert(struct anchor *a, hf_error *err)
{
    hf_certificate *known = atomic_load_explicit(&a->cert, memory_order_acquire);
    if (known)
        return known;
    hf_certificate *cert = cert_from_der(slice_of(a->der, a->der_len), err);
    if (!cert || atomic_compare_exchange_strong_explicit(
                     &a->cert, &known, cert, memory_order_acq_rel, memory_order_acquire))
        return cert;
    hf_certificate_free(cert);
    return known;
}

static bool refuse(const struct source *s, unsigned line, const char *why, hf_error *err)
{
    if (line == 0)
        return err_set(err, HF_E_PEM, "%s is DER, but not a certificate: %s", s->name, why);
    return err_set(err, HF_E_PEM, "%s: the certificate on line %u: %s", s->name, line, why);
}

static bool load_one(struct slice der, unsigned line, void *arg, hf_error *err)
{
    struct load *load = arg;
    struct anchors *set = load->set;
    bool no_memory = false;
    if (!grow(set))
        return err_set(err, HF_E_NO_MEMORY, "trust anchors");
    struct anchor *a = &set->anchor[set->count];
    struct slice cert = der;
    uint8_t uses = USE_ANY;
    memset(a, 0, sizeof *a);
    /* Behind a DER certificate nothing can follow. */
    bool ok = (line == 0 || anchor_uses(der, &cert, &uses)) && anchor_init(a, cert, &no_memory);
    if (ok) {
        a->line = line;
        a->uses = uses;
        set->count++;
        return true;
    }
    anchor_clear(a);
    if (no_memory)
        return err_set(err, HF_E_NO_MEMORY, "trust anchors");
    return !load->strict || refuse(load->from, line, "its structure is not X.509's", err);
}

/* A mistake in a small file shows at once. */
static bool parse_small(struct anchors *set, const struct source *s, hf_error *err)
{
    for (size_t i = 0; i < set->count && set->count <= PARSED_EARLY; i++) {
        hf_error inner = {0};
        if (anchor_cert(&set->anchor[i], &inner))
            continue;
        if (inner.code == HF_E_NO_MEMORY)
            return err_set(err, inner.code, "trust anchors");
        return refuse(s, set->anchor[i].line, inner.detail, err);
    }
    return true;
}

static int by_name(const void *a, const void *b)
{
    return X509_NAME_cmp(((const struct anchor *)a)->name, ((const struct anchor *)b)->name);
}

struct anchors *anchors_load(const struct source *s, bool strict, hf_error *err)
{
    struct anchors *set = mem_new(sizeof *set);
    if (set)
        set->origin = mem_strdup(s->name);
    if (!set || !set->origin) {
        mem_free(set);
        err_set(err, HF_E_NO_MEMORY, "trust anchors");
        return NULL;
    }
    atomic_init(&set->refs, 1);
    struct load load = {set, s, strict};
    if (!blocks_each(s, &anchor_blocks, load_one, &load, err) ||
        (strict && !parse_small(set, s, err))) {
        anchors_free(set);
        return NULL;
    }
    if (set->count > 1)
        qsort(set->anchor, set->count, sizeof *set->anchor, by_name);
    return set;
}

struct anchors *anchors_ref(struct anchors *set)
{
    atomic_fetch_add_explicit(&set->refs, 1, memory_order_relaxed);
    return set;
}

void anchors_free(struct anchors *set)
{
    if (!set || atomic_fetch_sub_explicit(&set->refs, 1, memory_order_acq_rel) != 1)
        return;
    for (size_t i = 0; i < set->count; i++)
        anchor_clear(&set->anchor[i]);
    mem_free(set->anchor);
    mem_free(set->origin);
    mem_free(set);
}

void anchors_find(const struct anchors *set, const X509_NAME *name, unsigned uses,
                  struct found *found)
{
    size_t i = 0, high = set->count;
    while (i < high) {
        size_t middle = i + (high - i) / 2;
        if (X509_NAME_cmp(set->anchor[middle].name, name) < 0)
            i = middle + 1;
        else
            high = middle;
    }
    for (; i < set->count && found->count < FOUND_MAX; i++) {
        hf_error inner = {0};
        if (X509_NAME_cmp(set->anchor[i].name, name) != 0)
            break;
        if (uses && !(set->anchor[i].uses & uses))
            continue;
        hf_certificate *cert = anchor_cert(&set->anchor[i], &inner);
        if (cert)
            found->cert[found->count++] = cert;
        else if (inner.code == HF_E_NO_MEMORY)
            found->no_memory = true;
    }
}

bool anchors_each(const struct anchors *set, anchor_fn fn, void *arg)
{
    for (size_t i = 0; i < set->count; i++) {
        hf_error inner = {0};
        hf_certificate *cert = anchor_cert(&set->anchor[i], &inner);
        if (cert ? !fn(cert, set->anchor[i].uses, arg) : inner.code == HF_E_NO_MEMORY)
            return false;
    }
    return true;
}
