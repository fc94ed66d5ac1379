/* version.c: what is loaded. */
#include <pthread.h>
#include <stdio.h>

#include "bytes/bytes.h"
#include "crypto/random.h"

#define HANDFAST_VERSION "0.1.0"

static char version_text[160];
static pthread_once_t version_once = PTHREAD_ONCE_INIT;

static void version_init(void)
{
    (void)snprintf(version_text, sizeof version_text, "handfast %s, %s", HANDFAST_VERSION,
                   crypto_version());
}

unsigned hf_api_version(void)
{
    return HF_API_VERSION;
}

const char *hf_version_string(void)
{
    (void)pthread_once(&version_once, version_init);
    return version_text;
}
