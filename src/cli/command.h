/* command.h: the subcommands. Each returns the exit status. */
#ifndef CLI_COMMAND_H
#define CLI_COMMAND_H

#include "cli/options.h"

int command_connect(const struct options *o);
int command_serve(const struct options *o);
int command_trace(const struct options *o);
int command_ciphers(const struct options *o);
int command_proxy(const struct options *o);
int command_scan(const struct options *o);

/* Its words are those of another program: it reads them itself, from behind "run" on. */
int command_run(int argc, char **argv);

/* It has verbs, each with options of its own: it reads its words from behind "cert" on. */
int command_cert(int argc, char **argv);

#endif
