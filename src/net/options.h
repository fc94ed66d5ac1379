/* options.h: settings by name and text: the table's rows, and how values are read. */
#ifndef NET_OPTIONS_H
#define NET_OPTIONS_H

#include "handfast_options.h"
#include "net/fail.h"

/* A row that stands for one setter has it here, and its value is tried when it is set; others are looked at
 * together (certificate and key, say) when the options are used. */
typedef bool (*option_setter)(hf_config *config, const char *value, hf_error *err);

struct option_row {
    hf_option_info info;
    double lowest, highest; /* of numbers and seconds */
    option_setter set;
};

enum { OPTIONS_MAX = 72, OPTION_CERTS = 16 };

const struct option_row *option_rows(size_t *count);
const struct option_row *
option_row(const char *name); /* NULL: unknown; the wrapper's name may be before it */

struct hf_options {
    char *value[OPTIONS_MAX]; /* by row; NULL: not set */
    struct {
        hf_config *base, *config;
    } made[2]; /* by role: the last one */
    hf_certificate *captured[OPTION_CERTS];
    size_t captured_count;
};

/* option_value: the text of an option, NULL if it is not set. option_is: a boolean's value, `otherwise` if it is
 * not set. */
const char *option_value(const hf_options *options, const char *name);
bool option_is(const hf_options *options, const char *name, bool otherwise);

/* option_check says whether the text is a value of the row; option_bad words the error for one that is not, with why
 * (or NULL) behind it; always false. */
bool option_check(const struct option_row *row, const char *value, hf_error *err);
bool option_bad(const struct option_row *row, const char *value, const char *why,
                hf_error *err);

/* ---- options_value.c: texts. Each is false for what it cannot read. */

bool value_bool(const char *text, bool *out);
bool value_number(const char *text, double *out);

/* value_versions reads "TLSv1.2|TLSv1.3", PHP's constants by name or number; a mask, bit 0 is TLS 1.0; SSL_MASK
 * stands for SSL 2.0 and 3.0. */
enum { VERSION_SSL = 16 };
bool value_versions(const char *text, unsigned *mask);

/* value_pin takes the next pin of a list: 1, 0 at its end, -1 for what is none, with why. */
struct value_pin {
    uint8_t sha256[32];
    bool key;
};
int value_pin(const char **list, struct value_pin *out, const char **why);

/* value_site takes the next "name=certificate[:key]" of a map: 1, 0, -1. */
struct value_site {
    char name[256], cert[1024], key[1024]; /* key "": in the certificate's file */
};
int value_site(const char **map, struct value_site *out);

/* value_is_pem: the text is what would be in a file. */
bool value_is_pem(const char *text);

#endif
