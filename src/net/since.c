/* since.c: which version of the API brought what. */
#include <stdlib.h>

#include "handfast_net.h"
#include "net/scheme.h"

struct row {
    const char *name;
    unsigned since;
};

static const struct row functions[] = {
#include "net/since.inc"
};

static int compare(const void *name, const void *row)
{
    return strcmp(name, ((const struct row *)row)->name);
}

unsigned hf_since(const char *name)
{
    size_t len = name ? strlen(name) : 0;
    const struct scheme *scheme;
    const struct row *row;

    if (len > 3 && strcmp(name + len - 3, "://") == 0) {
        scheme = scheme_find(name, len - 3);
        return scheme ? scheme->since : 0;
    }
    row = name ? bsearch(name, functions, sizeof functions / sizeof *functions,
                         sizeof *functions, compare)
               : NULL;
    return row ? row->since : 0;
}
