/* error.c: from the engine's errors to libcrypto's queue. */
#include "libssl/error.h"

#include <openssl/ssl.h>
#include <openssl/sslerr.h>

/* Reasons of the queue that stand for a received alert begin here (sslerr.h: SSL_R_SSLV3_ALERT_ and
 * SSL_R_TLSV1_ALERT_). */
enum { ALERT_REASONS = 1000 };

static const int reasons[] = {
    0,
#define HF_ERROR(name, fault, alert, rfc, sentence, hint, reason, bogo) reason,
#include "handfast_errors.def"
#undef HF_ERROR
};

/* The table has the numbers of old; OpenSSL 3.0 has made flags and higher numbers of those that all libraries share. */
static int common_reason(int reason)
{
    switch (reason) {
    case 6: return ERR_R_EVP_LIB;
    case 9: return ERR_R_PEM_LIB;
    case 20: return ERR_R_SYS_LIB;
    case 65: return ERR_R_MALLOC_FAILURE;
    case 66: return ERR_R_SHOULD_NOT_HAVE_BEEN_CALLED;
    case 68: return ERR_R_INTERNAL_ERROR;
    default: return reason;
    }
}

int reason_of(const hf_error *err)
{
    if (err->alert_received)
        return ALERT_REASONS + err->alert;
    if ((size_t)err->code < sizeof reasons / sizeof reasons[0] && reasons[err->code])
        return common_reason(reasons[err->code]);
    return ERR_R_INTERNAL_ERROR;
}

void raise_hf(const hf_error *err)
{
    raise_hf_as(err, reason_of(err));
}

void raise_hf_as(const hf_error *err, int reason)
{
    char line[512];
    hf_error_line(err, line, sizeof line);
    ERR_new();
    ERR_set_debug(OPENSSL_FILE, OPENSSL_LINE,
                  err->step && *err->step ? err->step : OPENSSL_FUNC);
    if (err->alert_received)
        ERR_set_error(ERR_LIB_SSL, reason, "SSL alert number %u: %s", err->alert, line);
    else
        ERR_set_error(ERR_LIB_SSL, reason, "%s", line);
}

void raise_unsupported(const char *function)
{
    ERR_new();
    ERR_set_debug(OPENSSL_FILE, OPENSSL_LINE, function);
    ERR_set_error(ERR_LIB_SSL, ERR_R_UNSUPPORTED, "handfast's libssl has no %s", function);
}
