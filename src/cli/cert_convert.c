/* cert_convert.c: handfast cert convert. */
#define _GNU_SOURCE
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "cli/cert.h"
#include "cli/report.h"
#include "cli/settings.h"

enum form { FORM_NONE, FORM_PEM, FORM_DER, FORM_PKCS12 };

static enum form form_of(const struct options *o)
{
    static const struct {
        const char *end;
        enum form form;
    } ends[] = {{"pem", FORM_PEM}, {"crt", FORM_PEM},    {"der", FORM_DER},
                {"cer", FORM_DER}, {"p12", FORM_PKCS12}, {"pfx", FORM_PKCS12}};
    const char *word = o->to ? o->to : o->output ? strrchr(o->output, '.') : NULL;
    word = word && *word == '.' ? word + 1 : word;
    for (size_t i = 0; word && i < sizeof ends / sizeof *ends; i++)
        if (strcasecmp(ends[i].end, word) == 0)
            return ends[i].form;
    return FORM_NONE;
}

/* One conversion. */
struct job {
    const struct options *o;
    struct cert_input in;
    char passphrase[1025]; /* of what is written */
    bool protected;
    hf_error *err;
};

/* Asked for only where it is needed: for PKCS#12 always, for a key in PEM if a file was named. */
static bool ask_passphrase(struct job *j)
{
    struct cert_asking asking = {j->o->out_passphrase_file, "passphrase of the new file", true};
    int n = cert_passphrase(j->passphrase, sizeof j->passphrase - 1, &asking);
    if (n < 0)
        return settings_fail(j->err, HF_E_PASSPHRASE, 0,
                             "a passphrase for the new file is needed: --out-passphrase-file");
    j->passphrase[n] = '\0';
    j->protected = true;
    return true;
}

static bool write_pem(struct job *j)
{
    struct text out = {0};
    bool key = j->in.cred && !j->o->no_key, good = true;
    size_t count = j->o->leaf ? 1 : j->in.certs.count;
    if (key && j->o->out_passphrase_file)
        good = ask_passphrase(j);
    if (good && key) {
        char *pem =
            hf_credential_key_pem(j->in.cred, j->protected ? j->passphrase : NULL, j->err);
        good = pem != NULL;
        text_add(&out, pem ? pem : "");
        hf_secret_free(pem, pem ? strlen(pem) : 0);
    }
    for (size_t i = 0; i < count; i++)
        cert_pem(&out, j->in.certs.cert[i]);
    good = good && (text_ok(&out) || settings_fail(j->err, HF_E_NO_MEMORY, 0, "for PEM")) &&
           cert_write(j->o, out.p, out.len, key, j->err);
    if (out.p)
        explicit_bzero(out.p, out.len);
    text_clear(&out);
    return good;
}

static bool write_der(struct job *j)
{
    size_t len;
    if (j->in.certs.count > 1 && !j->o->leaf)
        return settings_fail(
            j->err, HF_E_CONFIG, 0,
            "%s has %zu certificates, and DER is for one: --leaf takes the first", j->in.name,
            j->in.certs.count);
    const uint8_t *der = hf_certificate_der(j->in.certs.cert[0], &len);
    return cert_write(j->o, der, len, false, j->err);
}

/* What is no part of the credential's chain. */
static size_t others_of(const struct job *j, hf_certificate **out)
{
    size_t n = 0;
    for (size_t i = 0; i < j->in.certs.count; i++) {
        bool part = false;
        const hf_certificate *c;
        for (size_t k = 0; j->in.cred && (c = hf_credential_certificate(j->in.cred, k)); k++)
            part |= memcmp(hf_certificate_sha256(c), hf_certificate_sha256(j->in.certs.cert[i]),
                           32) == 0;
        if (!part)
            out[n++] = j->in.certs.cert[i];
    }
    return n;
}

static bool write_pkcs12(struct job *j)
{
    uint8_t *p = NULL;
    size_t len = 0;
    if (!ask_passphrase(j))
        return false;
    hf_certificate_list others = {calloc(j->in.certs.count, sizeof(hf_certificate *)), 0};
    if (!others.cert)
        return settings_fail(j->err, HF_E_NO_MEMORY, 0, "for PKCS#12");
    bool key = j->in.cred && !j->o->no_key;
    if (key)
        others.count = others_of(j, others.cert);
    else
        for (; others.count < j->in.certs.count; others.count++)
            others.cert[others.count] = j->in.certs.cert[others.count];
    bool good = hf_pkcs12_write(key ? j->in.cred : NULL, &others, j->passphrase, j->o->name, &p,
                                &len, j->err) &&
                cert_write(j->o, p, len, key, j->err);
    hf_secret_free(p, len);
    free(others.cert);
    return good;
}

static bool convert(struct job *j, enum form form)
{
    bool with_key = form != FORM_DER && !j->o->no_key;
    if (!cert_read(&j->in, j->o, with_key, j->err))
        return false;
    switch (form) {
    case FORM_PEM: return write_pem(j);
    case FORM_DER: return write_der(j);
    case FORM_PKCS12: return write_pkcs12(j);
    case FORM_NONE: break;
    }
    return false;
}

int cert_convert(const struct options *o)
{
    hf_error err = {0};
    struct job j = {.o = o, .err = &err};
    enum form form = form_of(o);
    if (form == FORM_NONE)
        return cert_usage("convert",
                          "what to? --to pem, der or p12, or an output that ends so");
    if (!o->output && form != FORM_PEM)
        return cert_usage("convert", "needs --output FILE (-: standard output)");
    bool good = convert(&j, form);
    explicit_bzero(j.passphrase, sizeof j.passphrase);
    cert_input_clear(&j.in);
    return good ? EXIT_OK : report_failure(NULL, &err, o->json);
}
