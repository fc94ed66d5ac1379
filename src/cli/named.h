/* named.h: -o NAME=VALUE, options by their names in PHP (handfast_options.h). */
#ifndef CLI_NAMED_H
#define CLI_NAMED_H

#include "cli/options.h"
#include "handfast_options.h"

/* named_read makes a set of what the command line has; *out NULL if there is nothing. named_apply carries it over
 * to a configuration. */
bool named_read(const struct options *o, hf_options **out, hf_error *err);
bool named_apply(const struct options *o, hf_config *config, hf_error *err);

/* The table, for a terminal, for docs/options.md, for the manual page. */
void named_help(FILE *out);
void named_markdown(FILE *out);
void named_mdoc(FILE *out);

#endif
