#include "net/idn.h"

#include <pthread.h>
#include <stdio.h>

#include "compress/library.h"

#define NAME_MAX_LEN                                                                           \
    1024 /* of letters that take several bytes; the label itself is measured later */

/* of idn2.h, whose library is not linked to: few programs meet such a name */
#define IDN2_NFC_INPUT       1
#define IDN2_NONTRANSITIONAL 8

static int (*to_ascii)(const char *input, char **output, int flags);
static const char *(*error_name)(int rc);
static void (*release)(void *p);
static bool loaded;
static pthread_once_t once = PTHREAD_ONCE_INIT;

static void load(void)
{
    const struct symbol symbols[] = {{"idn2_to_ascii_8z", &to_ascii},
                                     {"idn2_strerror", &error_name},
                                     {"idn2_free", &release}};

    loaded = library_load("libidn2.so.0", symbols, 3);
}

bool idn_to_ascii(struct slice name, char *out, size_t size, char *why, size_t why_size)
{
    char text[NAME_MAX_LEN + 1], *ascii = NULL;
    int r;

    pthread_once(&once, load);
    if (!loaded || name.len > NAME_MAX_LEN) {
        snprintf(why, why_size, loaded ? "is too long" : "libidn2 is not here to change that");
        return false;
    }
    memcpy(text, name.p, name.len);
    text[name.len] = 0;
    r = to_ascii(text, &ascii, IDN2_NFC_INPUT | IDN2_NONTRANSITIONAL);
    if (r != 0 || !ascii) {
        snprintf(why, why_size, "is no name: %s", error_name(r));
        return false;
    }
    bool fits = strlen(ascii) < size;

    snprintf(out, size, "%s", ascii);
    release(ascii);
    if (!fits)
        snprintf(why, why_size, "is too long");
    return fits;
}
