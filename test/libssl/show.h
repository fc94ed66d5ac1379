/* show.h: printing what a call returned and what it left in the error queue, so that two libraries can be
 * compared line by line. */
#ifndef SHOW_H
#define SHOW_H

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <stdio.h>
#include <string.h>

/* Library and reason of each entry; neither functions nor data are part of what programs match on. */
static inline void show_errors(void)
{
    unsigned long e;
    while ((e = ERR_get_error())) {
        const char *lib = ERR_lib_error_string(e), *reason = ERR_reason_error_string(e);
        printf("    %08lx %s: %s\n", e, lib ? lib : "?", reason ? reason : "?");
    }
}

#define SHOW(call)                                                                             \
    do {                                                                                       \
        ERR_clear_error();                                                                     \
        long long show_result = (long long)(call);                                             \
        printf("%s -> %lld\n", #call, show_result);                                            \
        show_errors();                                                                         \
    } while (0)

#define SHOW_SAME(a, b)                                                                        \
    do {                                                                                       \
        const void *show_a = (a), *show_b = (b);                                               \
        printf("%s %s %s\n", #a, show_a == show_b ? "is" : "is not", #b);                      \
    } while (0)

#define SHOW_TEXT(call)                                                                        \
    do {                                                                                       \
        const char *show_text = (call);                                                        \
        printf("%s -> %s\n", #call, show_text ? show_text : "NULL");                           \
    } while (0)

/* The common name of a certificate, "-" without a certificate. */
static inline const char *cn_of(const X509 *x)
{
    static char text[8][64];
    static unsigned next;
    char *out = text[next++ % 8];
    snprintf(out, sizeof text[0], "-");
    if (x)
        X509_NAME_get_text_by_NID(X509_get_subject_name(x), NID_commonName, out,
                                  sizeof text[0]);
    return out;
}

static inline void show_chain(const char *what, STACK_OF(X509) * chain)
{
    printf("%s:", what);
    if (!chain)
        printf(" NULL");
    for (int i = 0; i < sk_X509_num(chain); i++)
        printf(" [%s]", cn_of(sk_X509_value(chain, i)));
    printf("\n");
}

#endif
