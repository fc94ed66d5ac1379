/* command.h: the subcommands. Each returns the exit status. */
#ifndef CLI_COMMAND_H
#define CLI_COMMAND_H

#include "cli/options.h"

int command_connect(const struct options *o);
int command_serve(const struct options *o);
int command_trace(const struct options *o);
int command_ciphers(const struct options *o);

#endif
