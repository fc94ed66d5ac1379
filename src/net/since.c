/* since.c: which version of the API brought what. */
#include <stdlib.h>

#include "handfast_net.h"
#include "net/scheme.h"
#include "net/since.h"

static int compare(const void *name, const void *row)
{
    return strcmp(name, ((const struct since *)row)->name);
}

unsigned hf_since(const char *name)
{
    size_t len = name ? strlen(name) : 0;
    const struct scheme *scheme;
    const struct since *row;

    if (len > 3 && strcmp(name + len - 3, "://") == 0) {
        scheme = scheme_find(name, len - 3);
        return scheme ? scheme->since : 0;
    }
    row = name ? bsearch(name, since_functions, since_count, sizeof *row, compare) : NULL;
    return row ? row->version : 0;
}
