/* since.h: the functions of the API, sorted by name, as tools/since.py finds them in the headers. */
#ifndef NET_SINCE_H
#define NET_SINCE_H

#include <stddef.h>

struct since {
    const char *name;
    unsigned version; /* of the API with which it came */
};

extern const struct since since_functions[];
extern const size_t since_count;

#endif
