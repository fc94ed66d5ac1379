/* error.c: the table behind every error, made from handfast_errors.def. */
#define _GNU_SOURCE /* strerror_r that returns the text */

#include "bytes/bytes.h"

#include <stdarg.h>
#include <stdio.h>

struct row {
    const char *name, *rfc, *sentence, *hint;
    hf_fault fault;
    uint8_t alert;
};

static const struct row rows[HF_E_COUNT] = {
    [HF_OK] = {"OK", "", "no error", "", HF_FAULT_NONE, HF_NO_ALERT},
#define HF_ERROR(name, fault, alert, rfc, sentence, hint, reason, bogo)                        \
    [HF_E_##name] = {#name, rfc, sentence, hint, HF_FAULT_##fault, alert},
#include "handfast_errors.def"
#undef HF_ERROR
};

static const struct row *row_of(hf_code code)
{
    static const struct row unknown = {
        "UNKNOWN", "", "an error of an unknown kind", "", HF_FAULT_NONE, HF_NO_ALERT};
    return (unsigned)code < HF_E_COUNT ? &rows[code] : &unknown;
}

const char *hf_code_name(hf_code code)
{
    return row_of(code)->name;
}

const char *hf_code_sentence(hf_code code)
{
    return row_of(code)->sentence;
}

const char *hf_fault_name(hf_fault fault)
{
    switch (fault) {
    case HF_FAULT_NONE: return "nobody";
    case HF_FAULT_LOCAL: return "this machine";
    case HF_FAULT_USAGE: return "program";
    case HF_FAULT_CONFIG: return "configuration";
    case HF_FAULT_PEER: return "peer";
    case HF_FAULT_NETWORK: return "network";
    case HF_FAULT_CRYPTO: return "libcrypto";
    }
    return "unknown";
}

bool err_set(hf_error *err, hf_code code, const char *fmt, ...)
{
    va_list args;
    if (!err || err->code != HF_OK)
        return false;
    const struct row *row = row_of(code);
    *err = (hf_error){
        .code = code,
        .fault = row->fault,
        .alert = row->alert,
        .x509_depth = -1,
        .step = "",
        .rfc = row->rfc,
        .hint = row->hint,
    };
    va_start(args, fmt);
    int n = fmt ? vsnprintf(err->detail, sizeof err->detail, fmt, args) : 0;
    va_end(args);
    err->truncated = n >= (int)sizeof err->detail;
    return false;
}

/* A snprintf that goes on where the last one stopped, and counts past the end. */
struct line {
    char *out;
    size_t size, len;
};

static void add(struct line *l, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
static void add(struct line *l, const char *fmt, ...)
{
    va_list args;
    bool room = l->len < l->size;
    va_start(args, fmt);
    int n = vsnprintf(room ? l->out + l->len : NULL, room ? l->size - l->len : 0, fmt, args);
    va_end(args);
    if (n > 0)
        l->len += (size_t)n;
}

size_t hf_error_line(const hf_error *err, char *out, size_t size)
{
    struct line l = {out, size, 0};
    add(&l, "%s", hf_code_sentence(err->code));
    if (err->path[0])
        add(&l, ": %s at byte %zu", err->path, err->offset);
    if (err->detail[0])
        add(&l, ": %s", err->detail);
    else if (err->alert_received)
        add(&l, ": %s (%u)", hf_alert_name(err->alert), err->alert);
    if (err->os_errno) {
        char room[128] = "";
        const char *text = strerror_r(err->os_errno, room, sizeof room);
        if (!strstr(err->detail, text)) /* who failed has often said it */
            add(&l, ": %s", text);
    }
    if (err->code != HF_OK)
        add(&l, " [%s%s%s]", hf_code_name(err->code), err->rfc && err->rfc[0] ? ", " : "",
            err->rfc ? err->rfc : "");
    return l.len;
}
