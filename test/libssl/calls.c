/* calls.c: calls each function that is named on standard input, without arguments, and shows what it says of itself.
 * It is for functions that refuse: any other would look at arguments that are not there. */
#include <dlfcn.h>
#include <openssl/err.h>
#include <stdio.h>
#include <string.h>

int main(void)
{
    char name[128];
    void *library = dlopen("libssl.so.3", RTLD_NOW);
    if (!library) {
        fprintf(stderr, "%s\n", dlerror());
        return 1;
    }
    while (fgets(name, sizeof name, stdin)) {
        long (*call)(void) = NULL;
        name[strcspn(name, "\n")] = '\0';
        void *found = dlsym(library, name);
        memcpy(&call, &found, sizeof call);
        const char *data = "nothing";
        ERR_clear_error();
        if (!call)
            data = "not exported";
        else if (call() != 0)
            data = "did not return 0";
        else
            ERR_peek_error_data(&data, NULL);
        printf("%s: %s\n", name, data);
    }
    return 0;
}
