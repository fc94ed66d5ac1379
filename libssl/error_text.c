/* error_text.c: the texts of SSL_R_ reasons, which programs print and compare. Most are the reason's name in small
 * letters; those that are not stand here. */
#include "libssl/local.h"

#include <ctype.h>
#include <openssl/crypto.h>

static const struct {
    int reason;
    const char *name;
} reasons[] = {
#define SSL_REASON(name) {SSL_R_##name, #name},
#include "libssl/reasons.def"
#undef SSL_REASON
};

static const struct {
    int reason;
    const char *text;
} others[] = {
#define SSL_REASON_TEXT(name, text) {SSL_R_##name, text},
#include "libssl/reason_texts.def"
#undef SSL_REASON_TEXT
};

enum { COUNT = sizeof reasons / sizeof reasons[0] };

static ERR_STRING_DATA table[COUNT + 2];
static char letters[16384];
static CRYPTO_ONCE once = CRYPTO_ONCE_STATIC_INIT;
static bool loaded;

static const char *text_of(int reason)
{
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++) {
        if (others[i].reason == reason)
            return others[i].text;
    }
    return NULL;
}

static void load(void)
{
    char *p = letters;
    table[0].error = ERR_PACK(ERR_LIB_SSL, 0, 0);
    table[0].string = "SSL routines";
    for (size_t i = 0; i < COUNT; i++) {
        const char *text = text_of(reasons[i].reason);
        if (!text) {
            size_t len = strlen(reasons[i].name) + 1;
            if (len > (size_t)(letters + sizeof letters - p))
                return;
            for (size_t j = 0; j < len; j++) {
                char c = reasons[i].name[j];
                p[j] = c == '_' ? ' ' : (char)tolower((unsigned char)c);
            }
            text = p;
            p += len;
        }
        table[i + 1].error = ERR_PACK(ERR_LIB_SSL, 0, reasons[i].reason);
        table[i + 1].string = text;
    }
    loaded = ERR_load_strings_const(table);
}

bool error_strings(void)
{
    return CRYPTO_THREAD_run_once(&once, load) && loaded;
}

int ERR_load_SSL_strings(void)
{
    return error_strings();
}
