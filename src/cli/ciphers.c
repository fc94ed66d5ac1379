/* ciphers.c: handfast ciphers: which suites a cipher string chooses. */
#include <string.h>

#include "cli/command.h"
#include "cli/report.h"
#include "cli/settings.h"
#include "cli/text.h"

enum { MOST = 256 }; /* more than there are suites */

struct chosen {
    const hf_config *config;
    size_t count, usable_count;
    hf_suite_info suite[MOST], usable[MOST];
};

static bool is_usable(const struct chosen *c, const hf_suite_info *s)
{
    for (size_t i = 0; i < c->usable_count; i++) {
        if (c->usable[i].id == s->id)
            return true;
    }
    return false;
}

static const char *version_of(const hf_suite_info *s)
{
    return s->version_min < HF_TLS1_2 ? "1.0-1.2" : s->version_min < HF_TLS1_3 ? "1.2" : "1.3";
}

/* ---------------------------------------------------------------- what is shown */

static void names(const struct chosen *c, struct text *out)
{
    for (size_t i = 0; i < c->count; i++)
        text_addf(out, "%s%s", i ? ":" : "", c->suite[i].openssl_name);
    text_add(out, "\n");
}

static void row(const struct options *o, struct text *out, const char *id, const char *usable,
                const char *const cell[8])
{
    static const int width[8] = {45, 30, 7, 9, 5, 22, 6, 4};
    if (o->ids)
        text_addf(out, "%-9s  ", id);
    text_addf(out, "%s", usable);
    for (size_t i = 0; i < 7; i++)
        text_addf(out, "%-*s  ", width[i], cell[i]);
    text_addf(out, "%*s\n", width[7], cell[7]);
}

static void table(const struct chosen *c, const struct options *o, struct text *out)
{
    size_t others = 0;
    row(o, out, "id", "  ",
        (const char *const[]){"name", "OpenSSL's name", "TLS", "kx", "auth", "encryption",
                              "mac", "bits"});
    for (size_t i = 0; i < c->count; i++) {
        const hf_suite_info *s = &c->suite[i];
        bool usable = is_usable(c, s);
        char id[16], bits[8];
        snprintf(id, sizeof id, "0x%02X,0x%02X", s->id >> 8 & 0xff, s->id & 0xff);
        snprintf(bits, sizeof bits, "%u", s->bits);
        others += !usable;
        row(o, out, id, usable ? "  " : "- ",
            (const char *const[]){s->name, s->openssl_name, version_of(s), s->key_exchange,
                                  s->authentication, s->encryption, s->mac, bits});
    }
    text_addf(out, "%zu suites; security level %u\n", c->count,
              hf_config_security_level(c->config));
    if (others)
        text_addf(out,
                  "%zu marked - cannot be used: they need a lower security level, another "
                  "version, or a pre-shared key\n",
                  others);
}

static void text_pair(struct text *out, const char *name, const char *value)
{
    text_addf(out, ", \"%s\": ", name);
    text_json(out, value);
}

static void json(const struct chosen *c, struct text *out)
{
    text_addf(out, "{\"security_level\": %u, \"suites\": [",
              hf_config_security_level(c->config));
    for (size_t i = 0; i < c->count; i++) {
        const hf_suite_info *s = &c->suite[i];
        text_addf(out, "%s\n  {\"id\": %u", i ? "," : "", s->id);
        text_pair(out, "name", s->name);
        text_pair(out, "openssl_name", s->openssl_name);
        text_pair(out, "version_min", hf_version_name(s->version_min));
        text_pair(out, "version_max", hf_version_name(s->version_max));
        text_pair(out, "key_exchange", s->key_exchange);
        text_pair(out, "authentication", s->authentication);
        text_pair(out, "encryption", s->encryption);
        text_pair(out, "mac", s->mac);
        text_addf(out, ", \"bits\": %u, \"by_default\": %s, \"usable\": %s}", s->bits,
                  s->by_default ? "true" : "false", is_usable(c, s) ? "true" : "false");
    }
    text_add(out, "]}\n");
}

/* ---------------------------------------------------------------- what is chosen */

/* Only suites of the versions that were asked for. */
static void keep_versions(struct chosen *c, const struct options *o)
{
    uint16_t lowest, highest;
    size_t n = 0;
    if (!settings_versions(o, &lowest, &highest))
        return;
    for (size_t i = 0; i < c->count; i++) {
        if (c->suite[i].version_min <= highest && c->suite[i].version_max >= lowest)
            c->suite[n++] = c->suite[i];
    }
    c->count = n;
}

static size_t at_most(size_t n)
{
    return n < MOST ? n : MOST;
}

/* With --all, what is usable among all of them is asked with a configuration that has them all.
 */
static bool choose(struct chosen *c, hf_config *config, const struct options *o)
{
    const char *string = o->all ? "ALL:COMPLEMENTOFALL" : o->target;
    unsigned level = hf_config_security_level(config);
    c->config = config;
    if (string && !hf_config_set_ciphers(config, string))
        return false;
    /* What a string says of the level gives way to the option. */
    if (o->security_level >= 0 && !hf_config_insecure_set_security_level(config, level))
        return false;
    c->count = o->all ? at_most(hf_all_suites(c->suite, MOST))
                      : at_most(hf_config_suites(config, false, c->suite, MOST));
    c->usable_count = at_most(hf_config_suites(config, true, c->usable, MOST));
    keep_versions(c, o);
    return true;
}

static int fail(const hf_error *err, const struct options *o)
{
    return report_failure(NULL, err, o->json);
}

int command_ciphers(const struct options *o)
{
    static struct chosen chosen;
    hf_error err = {0};
    struct text out = {0};
    if (o->all && o->target) {
        fprintf(stderr,
                "handfast ciphers: --all shows every suite; \"%s\" chooses some\n"
                "Try: handfast help ciphers\n",
                o->target);
        return EXIT_USAGE;
    }
    hf_config *config = settings_suites(o, &err);
    if (config && !choose(&chosen, config, o))
        err = *hf_config_error(config);
    if (err.code != HF_OK) {
        hf_config_free(config);
        return fail(&err, o);
    }
    if (o->json)
        json(&chosen, &out);
    else if (o->names)
        names(&chosen, &out);
    else
        table(&chosen, o, &out);
    bool good = text_ok(&out);
    if (good)
        fputs(out.p, stdout); /* main looks whether it has arrived */
    text_clear(&out);
    hf_config_free(config);
    return good ? EXIT_OK : EXIT_LOCAL;
}
