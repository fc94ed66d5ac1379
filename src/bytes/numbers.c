/* numbers.c: names into numbers, and results as OpenSSL's users know them. */
#include <strings.h>

#include "bytes/bytes.h"
#include "handfast_names.h"

int hf_alert_number(const char *name)
{
    for (int i = 0; name && i < HF_NO_ALERT; i++) {
        const char *known = hf_alert_name((uint8_t)i);
        if (strcasecmp(known, name) == 0 && strcasecmp(name, "unknown") != 0)
            return i;
    }
    return -1;
}

const char *hf_version_token(uint16_t version)
{
    switch (version) {
    case HF_SSL3_0: return "SSLv3";
    case HF_TLS1_0: return "TLSv1";
    case HF_TLS1_1: return "TLSv1.1";
    case HF_TLS1_2: return "TLSv1.2";
    case HF_TLS1_3: return "TLSv1.3";
    default: return NULL;
    }
}

static int number_of_error(const hf_error *err)
{
    if (!err)
        return HF_NUMBER_SSL;
    if (err->code == HF_E_TRUNCATED || err->code == HF_E_HANDSHAKE_CUT)
        return HF_NUMBER_EOF;
    return err->os_errno ? HF_NUMBER_SYSCALL : HF_NUMBER_SSL;
}

int hf_error_number(hf_result result, const hf_error *err)
{
    switch (result) {
    case HF_DONE: return HF_NUMBER_NONE;
    case HF_WANT_INPUT: return HF_NUMBER_WANT_READ;
    case HF_WANT_OUTPUT: return HF_NUMBER_WANT_WRITE;
    case HF_WANT_ANSWER: return HF_NUMBER_WANT_X509_LOOKUP;
    case HF_CLOSED: return HF_NUMBER_ZERO_RETURN;
    case HF_FAILED: return number_of_error(err);
    }
    return HF_NUMBER_INVALID_ERROR_CODE;
}

static const struct {
    const char *name, *sentence;
} results[] = {
    [HF_DONE] = {"DONE", "it is done"},
    [HF_WANT_INPUT] = {"WANT_INPUT", "more bytes from the peer are needed: wait until its "
                                     "socket is readable"},
    [HF_WANT_OUTPUT] = {"WANT_OUTPUT", "bytes for the peer wait and nothing else can go before "
                                       "them: wait until its socket is writable"},
    [HF_WANT_ANSWER] = {"WANT_ANSWER", "the program has been asked something, and has not "
                                       "answered yet: hf_conn_question()"},
    [HF_CLOSED] = {"CLOSED", "this half of the connection has ended, cleanly"},
    [HF_FAILED] = {"FAILED", "the connection has failed: hf_conn_error() says why"},
};
#define RESULTS (sizeof results / sizeof results[0])

const char *hf_result_name(hf_result result)
{
    return (size_t)result < RESULTS ? results[result].name : "UNKNOWN";
}

const char *hf_result_sentence(hf_result result)
{
    return (size_t)result < RESULTS ? results[result].sentence : "no result has this number";
}

const char *hf_error_number_name(int number)
{
    switch (number) {
    case HF_NUMBER_NONE: return "NONE";
    case HF_NUMBER_SSL: return "SSL";
    case HF_NUMBER_WANT_READ: return "WANT_READ";
    case HF_NUMBER_WANT_WRITE: return "WANT_WRITE";
    case HF_NUMBER_WANT_X509_LOOKUP: return "WANT_X509_LOOKUP";
    case HF_NUMBER_SYSCALL: return "SYSCALL";
    case HF_NUMBER_ZERO_RETURN: return "ZERO_RETURN";
    case HF_NUMBER_WANT_CONNECT: return "WANT_CONNECT";
    case HF_NUMBER_EOF: return "EOF";
    case HF_NUMBER_INVALID_ERROR_CODE: return "INVALID_ERROR_CODE";
    default: return "UNKNOWN";
    }
}

static const char *const bindings[] = {
    [HF_BINDING_UNIQUE] = "tls-unique",
    [HF_BINDING_SERVER_END_POINT] = "tls-server-end-point",
    [HF_BINDING_EXPORTER] = "tls-exporter",
};
#define BINDINGS (int)(sizeof bindings / sizeof bindings[0])

const char *hf_binding_name(int type)
{
    return type >= 0 && type < BINDINGS ? bindings[type] : NULL;
}

int hf_binding_type(const char *name)
{
    for (int i = 0; name && i < BINDINGS; i++) {
        if (strcmp(bindings[i], name) == 0)
            return i;
    }
    return -1;
}
