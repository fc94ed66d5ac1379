/* completion.h: scripts that complete command lines, made from the table of options. */
#ifndef CLI_COMPLETION_H
#define CLI_COMPLETION_H

#include <stdbool.h>
#include <stdio.h>

struct completion_command {
    const char *name, *summary;
    unsigned mask; /* of its options; 0: it has none in the table */
    /* a second word that it goes on with, whose the rest is then; behind the commands. NULL:
     * none */
    const char *verb;
};

/* completion_write writes the script for "bash", "zsh" or "fish"; false for another shell. */
bool completion_write(FILE *out, const char *shell, const struct completion_command *commands,
                      size_t count);

#endif
