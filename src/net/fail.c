#define _GNU_SOURCE
#include "net/fail.h"

#include <stdarg.h>
#include <stdio.h>

static void fail_v(hf_error *err, hf_code code, int os_errno, const char *hint, const char *fmt,
                   va_list args) __attribute__((format(printf, 5, 0)));

static void fail_v(hf_error *err, hf_code code, int os_errno, const char *hint, const char *fmt,
                   va_list args)
{
    /* longer than the detail, so that err_set sees what did not fit and says so */
    char text[HF_DETAIL_MAX_LEN + 64];

    if (!err)
        return;
    vsnprintf(text, sizeof text, fmt, args);
    *err = (hf_error){0};
    err_set(err, code, "%s", text);
    err->os_errno = os_errno;
    if (hint)
        err->hint = hint;
}

bool net_fail(hf_error *err, hf_code code, int os_errno, const char *fmt, ...)
{
    va_list args;

    va_start(args, fmt);
    fail_v(err, code, os_errno, NULL, fmt, args);
    va_end(args);
    return false;
}

bool net_fail_hint(hf_error *err, hf_code code, int os_errno, const char *hint, const char *fmt,
                   ...)
{
    va_list args;

    va_start(args, fmt);
    fail_v(err, code, os_errno, hint, fmt, args);
    va_end(args);
    return false;
}

bool net_step(hf_error *err, const char *step)
{
    if (err)
        err->step = step;
    return false;
}

const char *net_strerror(int os_errno)
{
    const char *s = strerrordesc_np(os_errno);

    return s ? s : "unknown error";
}
