/* check.h: what a program wants of libssl, and what of it is there. */
#ifndef CLI_CHECK_H
#define CLI_CHECK_H

#include <stdbool.h>
#include <stddef.h>

/* check_program (of /proc/PID/exe: with all that the process has loaded by now) shows which functions of libssl the program at `path` and its libraries import, and how ours, at
 * `library`, answers each; as lines or as a JSON object. *shown counts the objects; a comma goes before all but the
 * first. Returns the exit status. */
int check_program(const char *library, const char *path, bool json, size_t *shown);

#endif
