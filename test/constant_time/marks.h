/* marks.h: what memcheck knows of secrets. A byte that it takes for uninitialised is one; it complains
 * when a branch or an address depends on one. ct_secret and ct_public set the marks. */
#ifndef MARKS_H
#define MARKS_H

#include <stdbool.h>
#include <stddef.h>

/* is_secret: memcheck takes every byte for secret; is_public: none. */
bool is_secret(const void *p, size_t len);
bool is_public(const void *p, size_t len);

/* errors: complaints of memcheck so far; 0 if this is not memcheck. */
unsigned errors_so_far(void);
bool under_memcheck(void);

#endif
