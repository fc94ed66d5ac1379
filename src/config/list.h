/* list.h: lists of names, as a person writes them, into lists of numbers. */
#ifndef CONFIG_LIST_H
#define CONFIG_LIST_H

#include "config/config.h"

/* One row of a table, as far as parsing a name needs it. */
struct named {
    const char *name, *alias; /* alias may be NULL */
    uint16_t id;
    bool available; /* this libcrypto has what it needs */
};

/* A table: fills out with the i-th row, false past the last. */
typedef bool (*named_fn)(size_t i, struct named *out);

bool suite_named(size_t i, struct named *out);
bool group_named(size_t i, struct named *out);
bool sigalg_named(size_t i, struct named *out);
bool compressor_named(size_t i, struct named *out);

/* list_parse reads names separated by colons, commas or spaces; a name that comes twice counts where
 * it came first. `what` ("group") is for messages. Fails with E_CONFIG on an unknown or unavailable
 * name, and on an empty list unless that is allowed; out is then untouched. */
bool list_parse(const char *what, named_fn table, const char *list, bool may_be_empty,
                struct ids *out, hf_error *err) __attribute__((warn_unused_result));

/* list_parse_ranked also reads brackets, "[A|B]": what stands in them is of equal rank. */
bool list_parse_ranked(const char *what, named_fn table, const char *list, bool may_be_empty,
                       struct ids *out, struct ties *ties, hf_error *err)
    __attribute__((warn_unused_result));

/* list_parse_alpn reads protocol names separated by commas into a ProtocolNameList's content
 * (RFC 7301 3.1) in new memory. */
bool list_parse_alpn(const char *list, uint8_t **out, size_t *out_len, hf_error *err)
    __attribute__((warn_unused_result));

#endif
