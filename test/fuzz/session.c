/* session.c: sessions that an application kept. Input: the exported bytes; if the first byte is odd,
 * their checksum is put right, which no mutation would find. With its next bit set the bytes are what
 * OpenSSL wrote. */
#include "fuzz.h"

#include <string.h>

#include "config/session.h"
#include "crypto/hash.h"

#define CHECK_SIZE 16
#define FORMAT     2 /* what is written now, behind four bytes of magic */

static void import_openssl(const uint8_t *p, size_t len)
{
    hf_error err = {0};
    hf_session *s = hf_session_import_openssl(p, len, NULL, &err);
    if (!s) {
        REQUIRE(err.code == HF_E_SESSION_DATA);
        explain_all(NULL, &err);
        return;
    }
    /* What it becomes is a session like any other. */
    size_t size = hf_session_export(s, NULL, 0);
    uint8_t *out = malloc(size);
    REQUIRE(out && hf_session_export(s, out, size) == size);
    hf_session *back = hf_session_import(out, size, NULL);
    REQUIRE(back && hf_session_suite(back) == hf_session_suite(s));
    REQUIRE(hf_session_expires(back) == hf_session_expires(s));
    hf_session_free(back);
    hf_session_free(s);
    free(out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct feed f = {data, size};
    uint8_t how = feed_u8(&f);
    bool mend = how & 1;
    uint8_t *bytes = malloc(f.left + 1), digest[HASH_MAX_SIZE];
    size_t len = f.left;
    hf_error err = {0};
    REQUIRE(bytes != NULL);
    if (len)
        memcpy(bytes, f.p, len);
    if (how & 2) {
        import_openssl(bytes, len);
        free(bytes);
        return 0;
    }
    if (mend && len >= CHECK_SIZE) {
        hash_once(HASH_SHA256, bytes, len - CHECK_SIZE, digest);
        memcpy(bytes + len - CHECK_SIZE, digest, CHECK_SIZE);
    }
    hf_session *s = hf_session_import(bytes, len, &err);
    if (s) {
        size_t again = hf_session_export(s, NULL, 0);
        uint8_t *out = malloc(again);
        /* There is one way only to write a session. */
        REQUIRE(out && hf_session_export(s, out, again) == again);
        REQUIRE(bytes[4] != FORMAT || (again == len && memcmp(out, bytes, len) == 0));
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
