/* cert_check.c: handfast cert check: every fault of a chain. */
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "cli/cert.h"
#include "cli/report.h"
#include "cli/settings.h"

enum { MOST = 32 };

struct fault {
    hf_error why;
    int depth;
    char *subject;
};

struct check {
    const struct options *o;
    struct cert_input in;
    const char *name; /* or NULL */
    int64_t when;
    struct fault fault[MOST];
    size_t count;
    hf_certificate_list path;
};

/* Where several paths were tried, the same fault comes more than once. */
static bool known(const struct check *c, int depth, const hf_error *why)
{
    for (size_t i = 0; i < c->count; i++)
        if (c->fault[i].depth == depth && c->fault[i].why.code == why->code &&
            strcmp(c->fault[i].why.detail, why->detail) == 0)
            return true;
    return false;
}

static bool note(hf_conn *conn, int depth, const hf_certificate *certificate,
                 const hf_error *why, void *arg)
{
    struct check *c = arg;
    (void)conn;
    if (c->count < MOST && !known(c, depth, why))
        c->fault[c->count++] = (struct fault){
            *why, depth, strdup(certificate ? hf_certificate_subject(certificate) : "")};
    return true;
}

/* A certificate that is about to end is a fault to whoever asked so. */
static void note_ending(struct check *c)
{
    int64_t least = c->when + (int64_t)c->o->days * 86400;
    for (size_t i = 0; c->o->days && i < c->path.count; i++) {
        const hf_certificate *cert = c->path.cert[i];
        int64_t end = hf_certificate_not_after(cert);
        hf_error why = {0};
        if (end >= least)
            continue;
        settings_fail(&why, HF_E_EXPIRED, 0, "it ends in %lld days, and --days %llu are wanted",
                      (long long)((end - c->when) / 86400), (unsigned long long)c->o->days);
        note(NULL, (int)i, cert, &why, c);
    }
}

/* The rules for a client's certificate are those of a server, and a server shows a certificate: any will do. */
static bool be_server(hf_config *config, hf_error *err)
{
    hf_certificate_plan plan = {.names = "localhost"};
    hf_credential *own = hf_credential_make(&plan, NULL, err);
    bool good = own && hf_config_add_credential(config, own) &&
                hf_config_set_client_auth(config, HF_CLIENT_AUTH_REQUIRE);
    hf_credential_free(own);
    return good;
}

static hf_config *make_config(struct check *c, hf_error *err)
{
    hf_config *config = c->o->client ? settings_server(c->o, err) : settings_client(c->o, err);
    bool good = config != NULL;
    good = good && (!c->o->client || be_server(config, err)) &&
           hf_config_insecure_set_verify_callback(config, note, c) &&
           settings_freeze(config, err);
    if (good)
        return config;
    hf_config_free(config);
    return NULL;
}

/* ---------------------------------------------------------------- what is said */

/* A certificate that was sent and is no part of the path costs every connection its bytes. */
static bool is_spare(const struct check *c, size_t i)
{
    const uint8_t *sha256 = hf_certificate_sha256(c->in.certs.cert[i]);
    for (size_t k = 0; k < c->path.count; k++)
        if (memcmp(hf_certificate_sha256(c->path.cert[k]), sha256, 32) == 0)
            return false;
    return c->path.count > 0;
}

static void lines(const struct check *c, struct text *out)
{
    for (size_t i = 0; i < c->count; i++) {
        const struct fault *f = &c->fault[i];
        text_addf(out, "%-22s depth %d, ", hf_code_name(f->why.code), f->depth);
        text_plain(out, f->subject ? f->subject : "");
        text_add(out, "\n    ");
        text_plain(out, f->why.detail[0] ? f->why.detail : hf_code_sentence(f->why.code));
        text_add(out, "\n");
    }
    if (c->count) {
        text_addf(out, "%zu fault%s\n", c->count, c->count == 1 ? "" : "s");
        return;
    }
    text_add(out, "good");
    if (c->name) {
        text_add(out, " for ");
        text_plain(out, c->name);
    }
    text_add(out, " on ");
    text_date(out, c->when);
    text_add(out, "\n");
    for (size_t i = 0; i < c->path.count; i++) {
        text_addf(out, "  %zu  ", i);
        text_plain(out, hf_certificate_subject(c->path.cert[i]));
        text_add(out, ", until ");
        text_date(out, hf_certificate_not_after(c->path.cert[i]));
        text_add(out, "\n");
    }
    for (size_t i = 0; i < c->in.certs.count; i++) {
        if (!is_spare(c, i))
            continue;
        text_add(out, "  not needed: ");
        text_plain(out, hf_certificate_subject(c->in.certs.cert[i]));
        text_add(out, "\n");
    }
}

static void json(const struct check *c, struct text *out)
{
    text_addf(out, "{\"good\": %s, \"name\": ", c->count ? "false" : "true");
    text_json(out, c->name);
    text_addf(out, ", \"time\": %lld, \"faults\": [", (long long)c->when);
    for (size_t i = 0; i < c->count; i++) {
        const struct fault *f = &c->fault[i];
        text_addf(out, "%s{\"code\": \"%s\", \"depth\": %d, \"subject\": ", i ? ", " : "",
                  hf_code_name(f->why.code), f->depth);
        text_json(out, f->subject);
        text_add(out, ", \"detail\": ");
        text_json(out, f->why.detail);
        text_addf(out, ", \"x509_code\": %d, \"rfc\": ", f->why.x509_code);
        text_json(out, f->why.rfc ? f->why.rfc : "");
        text_add(out, "}");
    }
    text_add(out, "], \"path\": [");
    for (size_t i = 0; i < c->path.count; i++) {
        text_add(out, i ? ", " : "");
        text_json(out, hf_certificate_subject(c->path.cert[i]));
    }
    text_add(out, "], \"not_needed\": [");
    for (size_t i = 0, n = 0; i < c->in.certs.count; i++) {
        if (!is_spare(c, i))
            continue;
        text_add(out, n++ ? ", " : "");
        text_json(out, hf_certificate_subject(c->in.certs.cert[i]));
    }
    text_add(out, "]}\n");
}

/* ---------------------------------------------------------------- the whole */

static bool judge(struct check *c, hf_error *err)
{
    if (c->in.certs.count > HF_CHAIN_MAX)
        return settings_fail(
            err, HF_E_CONFIG, 0,
            "%s has %zu certificates; a chain has %d at most: the first one and its "
            "issuers",
            c->in.name, c->in.certs.count, HF_CHAIN_MAX);
    hf_config *config = make_config(c, err);
    bool good =
        config && hf_verify_chain(config, &c->in.certs, c->name, c->when, &c->path, err);
    hf_config_free(config);
    /* What the callback has let pass is in the list. */
    if (good || c->count)
        note_ending(c);
    return good || c->count;
}

static int finish(struct check *c)
{
    struct text out = {0};
    hf_error err = {0};
    if (c->o->json)
        json(c, &out);
    else
        lines(c, &out);
    bool good = (text_ok(&out) || settings_fail(&err, HF_E_NO_MEMORY, 0, "for the result")) &&
                cert_write(c->o, out.p, out.len, false, &err);
    text_clear(&out);
    return !good ? report_failure(NULL, &err, c->o->json) : c->count ? EXIT_TLS : EXIT_OK;
}

static void clear(struct check *c)
{
    for (size_t i = 0; i < c->count; i++)
        free(c->fault[i].subject);
    hf_certificates_clear(&c->path);
    cert_input_clear(&c->in);
}

int cert_check(const struct options *o)
{
    struct check c = {.o = o, .name = o->name, .when = time(NULL)};
    hf_error err = {0};
    if (o->time && !hf_cert_time_to_seconds(o->time, &c.when, &err))
        return cert_usage("check", "--time: %s", err.detail);
    if (o->client && o->name)
        return cert_usage("check", "--name is for servers: clients are not checked for one");
    bool good = cert_read(&c.in, o, o->key_file != NULL, &err);
    if (good && c.in.server && !c.name && !o->client)
        c.name = c.in.host;
    good = good && judge(&c, &err);
    int status = good ? finish(&c) : report_failure(NULL, &err, o->json);
    clear(&c);
    return status;
}
