/* names.c: a resolver that a test can change its mind of: loaded before the C library (LD_PRELOAD), it takes the address
 * of any name below .test from the file that HANDFAST_NAMES names. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef int (*resolver)(const char *, const char *, const struct addrinfo *,
                        struct addrinfo **);

__attribute__((visibility("default"))) int getaddrinfo(const char *node, const char *service,
                                                       const struct addrinfo *hints,
                                                       struct addrinfo **result)
{
    char address[64] = "";
    resolver real;
    void *symbol = dlsym(RTLD_NEXT, "getaddrinfo");
    memcpy(&real, &symbol, sizeof real);
    const char *end = node ? strrchr(node, '.') : NULL, *path = getenv("HANDFAST_NAMES");
    if (!end || strcmp(end, ".test") != 0 || !path)
        return real(node, service, hints, result);
    FILE *f = fopen(path, "r");
    if (!f || !fgets(address, sizeof address, f))
        address[0] = '\0';
    if (f)
        fclose(f);
    address[strcspn(address, "\n")] = '\0';
    return address[0] ? real(address, service, hints, result) : EAI_NONAME;
}
