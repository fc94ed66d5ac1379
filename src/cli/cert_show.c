/* cert_show.c: handfast cert show and fetch. */
#include <stdlib.h>
#include <string.h>

#include "cli/cert.h"
#include "cli/report.h"
#include "cli/settings.h"
#include "cli/target.h"

static void title(char *out, size_t size, size_t i, size_t count)
{
    if (count == 1)
        snprintf(out, size, "certificate");
    else
        snprintf(out, size, "certificate %zu of %zu", i, count);
}

static void json(struct text *out, const struct cert_input *in)
{
    text_add(out, "{\"source\": ");
    text_json(out, in->name);
    text_add(out, ", \"certificates\": [");
    for (size_t i = 0; i < in->certs.count; i++) {
        text_add(out, i ? ",\n  " : "\n  ");
        cert_json(out, in->certs.cert[i]);
    }
    text_add(out, "]}\n");
}

static void pem(struct text *out, const struct cert_input *in)
{
    for (size_t i = 0; i < in->certs.count; i++)
        cert_pem(out, in->certs.cert[i]);
}

static void lines(struct text *out, const struct cert_input *in)
{
    char head[64];
    for (size_t i = 0; i < in->certs.count; i++) {
        title(head, sizeof head, i, in->certs.count);
        cert_text(out, in->certs.cert[i], head);
    }
}

static int finish(struct cert_input *in, const struct options *o, struct text *out)
{
    hf_error err = {0};
    bool good = text_ok(out) || settings_fail(&err, HF_E_NO_MEMORY, 0, "to show certificates");
    good = good && cert_write(o, out->p ? out->p : "", out->len, false, &err);
    text_clear(out);
    cert_input_clear(in);
    return good ? EXIT_OK : report_failure(NULL, &err, o->json);
}

int cert_show(const struct options *o)
{
    struct cert_input in;
    struct text out = {0};
    hf_error err = {0};
    if (o->json && o->pem)
        return cert_usage("show", "--json and --pem are two forms of output: choose one");
    if (!cert_read(&in, o, false, &err)) {
        cert_input_clear(&in);
        return report_failure(NULL, &err, o->json);
    }
    if (o->json)
        json(&out, &in);
    else if (o->pem)
        pem(&out, &in);
    else
        lines(&out, &in);
    return finish(&in, o, &out);
}

/* ---------------------------------------------------------------- fetch */

/* The same judgement as a connection's; by the host's name, or --name. */
static bool judge(const struct cert_input *in, const struct options *o, hf_error *err)
{
    hf_config *config = settings_client(o, err);
    const char *name = o->name ? o->name : in->host;
    bool good = config && settings_freeze(config, err) &&
                hf_verify_chain(config, &in->certs, name, 0, NULL, err);
    hf_config_free(config);
    return good;
}

static void say_verdict(const struct cert_input *in, bool good, const hf_error *why)
{
    char text[1024];
    if (good) {
        fprintf(stderr, "%zu certificate%s; chain and name are good\n", in->certs.count,
                in->certs.count == 1 ? "" : "s");
        return;
    }
    hf_error_line(why, text, sizeof text);
    fprintf(stderr, "%zu certificate%s; NOT good: %s\n", in->certs.count,
            in->certs.count == 1 ? "" : "s", text);
}

int cert_fetch(const struct options *o)
{
    struct cert_input in;
    struct text out = {0};
    hf_error err = {0};
    if (!cert_read(&in, o, false, &err)) {
        cert_input_clear(&in);
        return report_failure(NULL, &err, o->json);
    }
    bool good = judge(&in, o, &err);
    if (!good && (o->ca || o->ca_folder)) {
        cert_input_clear(&in);
        return report_failure(NULL, &err, o->json);
    }
    if (!o->quiet)
        say_verdict(&in, good, &err);
    if (o->json)
        json(&out, &in);
    else
        pem(&out, &in);
    return finish(&in, o, &out);
}
