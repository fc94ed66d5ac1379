/* fail.h: errors of this room. */
#ifndef NET_FAIL_H
#define NET_FAIL_H

#include "bytes/bytes.h"

/* net_fail replaces *err (which may hold a failure of an earlier call on the same stream, or be
 * NULL) by a new error; os_errno 0 if no system call failed. Always false. */
bool net_fail(hf_error *err, hf_code code, int os_errno, const char *fmt, ...)
    __attribute__((format(printf, 4, 5), cold));

/* net_fail_hint does the same and gives the hint for this case; hint is static. */
bool net_fail_hint(hf_error *err, hf_code code, int os_errno, const char *hint, const char *fmt,
                   ...) __attribute__((format(printf, 5, 6), cold));

/* net_step says what was being done before there was a handshake: "resolve" or "connect". step is static;
 * always false. */
bool net_step(hf_error *err, const char *step);

/* net_strerror describes an errno; static and safe in threads. */
const char *net_strerror(int os_errno);

#endif
