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

/* explain_find12 does the same for a conversation in TLS 1.2 or older, where much means something else, or
 * something in one message only: `message` is where the name stands, or NULL. What has not changed is
 * explained as explain_find does. explain_name12 returns what a field was called before TLS 1.3. */
const struct explanation *explain_find12(char kind, const char *name, const char *message);
const char *explain_name12(const char *name, const char *message);

/* explain_name_is compares names as explain_find does. */
bool explain_name_is(const char *a, const char *b);

#endif
