/* library.h: shared libraries that are loaded late, and the memory that they may use. */
#ifndef COMPRESS_LIBRARY_H
#define COMPRESS_LIBRARY_H

#include "bytes/bytes.h"

/* library_load loads a library for good and looks functions up. false if it or one of them is not there.
 * `where` is the address of a pointer to the function. */
struct symbol {
    const char *name;
    void *where;
};
bool library_load(const char *library, const struct symbol *symbols, size_t count);

/* A library's memory: mem_new's, and no more than `left` bytes in all. Input that was made to waste memory
 * looks like input that is wrong. */
struct budget {
    size_t left;
    bool none; /* memory ran out: mem_new failed */
};
void *budget_alloc(struct budget *budget, size_t len);

/* For unpacking: many times what a certificate of the size that handfast accepts can honestly need. */
#define BUDGET_UNPACK ((size_t)1 << 20)

#endif
