/* session.c: sessions that an application kept. Input: the exported bytes; if the first byte is odd,
 * their checksum is put right, which no mutation would find. */
#include "fuzz.h"

#include <string.h>

#include "config/session.h"
#include "crypto/hash.h"

#define CHECK_SIZE 16

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct feed f = {data, size};
    bool mend = feed_u8(&f) & 1;
    uint8_t *bytes = malloc(f.left + 1), digest[HASH_MAX_SIZE];
    size_t len = f.left;
    hf_error err = {0};
    REQUIRE(bytes != NULL);
    if (len)
        memcpy(bytes, f.p, len);
    if (mend && len >= CHECK_SIZE) {
        hash_once(HASH_SHA256, bytes, len - CHECK_SIZE, digest);
        memcpy(bytes + len - CHECK_SIZE, digest, CHECK_SIZE);
    }
    hf_session *s = hf_session_import(bytes, len, &err);
    if (s) {
        size_t again = hf_session_export(s, NULL, 0);
        uint8_t *out = malloc(again);
        /* There is one way only to write a session. */
        REQUIRE(out && again == len && hf_session_export(s, out, again) == again);
        REQUIRE(memcmp(out, bytes, len) == 0);
        free(out);
        (void)hf_session_expires(s);
        (void)session_expired(s, INT64_MAX / 2);
        REQUIRE(hf_session_version(s) && hf_session_suite(s));
        hf_session_free(s);
    } else {
        REQUIRE(err.code == HF_E_SESSION_DATA);
        explain_all(NULL, &err);
    }
    free(bytes);
    return 0;
}
