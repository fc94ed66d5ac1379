/* check.h: what a program wants of libssl, and what of it is there. */
#ifndef CLI_CHECK_H
#define CLI_CHECK_H

#include <stdbool.h>

/* check_program shows which functions of libssl the program at `path` and its libraries import, and how ours, at
 * `library`, answers each; as lines or as a JSON object, behind a comma if `more`. Returns the exit status. */
int check_program(const char *library, const char *path, bool json, bool more);

#endif
