/* explain.h: what messages, extensions, fields, secrets and decisions are for, in a sentence each. */
#ifndef CLI_EXPLAIN_H
#define CLI_EXPLAIN_H

#include <stdbool.h>
#include <stddef.h>

struct explanation {
    char kind;        /* 'm'essage, 'e'xtension, 'f'ield, 's'ecret, 'n'ote */
    const char *name; /* as in the RFC */
    const char *rfc;  /* section that defines it */
    const char *sentence;
};

/* explain_find looks a name up; letter case and underscores do not matter, so that "client_hello"
 * finds ClientHello. NULL if there is none. */
const struct explanation *explain_find(char kind, const char *name);

/* explain_name_is compares names as explain_find does. */
bool explain_name_is(const char *a, const char *b);

#endif
