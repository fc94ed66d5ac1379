/* library.c: shared libraries that are loaded late. */
#include "compress/library.h"

#include <dlfcn.h>

bool library_load(const char *library, const struct symbol *symbols, size_t count)
{
    void *handle = dlopen(library, RTLD_NOW | RTLD_LOCAL);
    if (!handle)
        return false;
    for (size_t i = 0; i < count; i++) {
        void *function = dlsym(handle, symbols[i].name);
        if (!function)
            return false; /* it stays loaded: another one of the process may have looked already */
        memcpy(symbols[i].where, &function, sizeof function);
    }
    return true;
}

void *budget_alloc(struct budget *budget, size_t len)
{
    if (len > budget->left)
        return NULL;
    void *p = mem_new(len);
    budget->none |= !p;
    budget->left -= p ? len : 0;
    return p;
}
