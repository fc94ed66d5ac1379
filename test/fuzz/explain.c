/* explain.c: any error that could be filled in, explained. Input: the numbers of an error, then its
 * path and its detail. */
#include "fuzz.h"

#include <string.h>

static void take(struct feed *f, char *out, size_t size)
{
    struct slice s = feed_vec16(f);
    size_t n = s.len < size - 1 ? s.len : size - 1;
    if (n)
        memcpy(out, s.p, n);
    out[n] = '\0';
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const steps[] = {"", "ServerHello", "Certificate"};
    struct feed f = {data, size};
    hf_error err = {0};
    err.code = (hf_code)(1 + feed_u8(&f) % (HF_E_COUNT - 1));
    err_begin(&err);
    hf_error row = {0};
    (void)err_set(&row, (hf_code)(1 + (size ? data[0] : 0) % (HF_E_COUNT - 1)), "%s", "");
    err = row;
    uint8_t choices = feed_u8(&f);
    if (choices & 1)
        err.fault = (hf_fault)(feed_u8(&f) % (HF_FAULT_CRYPTO + 1));
    err.alert = choices & 2 ? feed_u8(&f) : err.alert;
    err.alert_received = choices & 4;
    err.truncated = choices & 8;
    err.os_errno = choices & 16 ? feed_u16(&f) : 0;
    err.x509_code = choices & 32 ? feed_u8(&f) : 0;
    err.x509_depth = (int)feed_u8(&f) - 1;
    err.offset = feed_u16(&f);
    err.step = steps[feed_u8(&f) % 3];
    take(&f, err.path, sizeof err.path);
    take(&f, err.detail, sizeof err.detail);
    explain_all(NULL, &err);
    return 0;
}
