#include "net/scheme.h"

#include <strings.h>

#include "net/fail.h"

#define NOT_HERE "is known but not part of this version of handfast"
#define NO_SSL3  "SSL 3.0 is prohibited by RFC 7568: use tls://"
#define NO_SSL2  "SSL 2.0 is prohibited by RFC 6176: use tls://"

/* clang-format off */
static const struct scheme schemes[] = {
    /* name       kind               transport        version    since refusal  rfc        */
    { "tcp",      SCHEME_PLAIN,      &tcp_transport,  0,         1,    NULL,     NULL       },
    { "udp",      SCHEME_PLAIN,      &udp_transport,  0,         1,    NULL,     NULL       },
    { "unix",     SCHEME_PLAIN,      &unix_transport, 0,         1,    NULL,     NULL       },
    { "udg",      SCHEME_PLAIN,      &udg_transport,  0,         1,    NULL,     NULL       },
    { "ssl",      SCHEME_TLS,        &tcp_transport,  0,         1,    NULL,     NULL       },
    { "tls",      SCHEME_TLS,        &tcp_transport,  0,         1,    NULL,     NULL       },
    { "tlsv1.0",  SCHEME_TLS,        &tcp_transport,  HF_TLS1_0, 1,    NULL,     "RFC 8996" },
    { "tlsv1.1",  SCHEME_TLS,        &tcp_transport,  HF_TLS1_1, 1,    NULL,     "RFC 8996" },
    { "tlsv1.2",  SCHEME_TLS,        &tcp_transport,  HF_TLS1_2, 1,    NULL,     NULL       },
    { "tlsv1.3",  SCHEME_TLS,        &tcp_transport,  HF_TLS1_3, 1,    NULL,     NULL       },
    { "dtls",     SCHEME_ABSENT,     NULL,            0,         1,    NOT_HERE, "RFC 9147" },
    { "dtlsv1.2", SCHEME_ABSENT,     NULL,            0,         1,    NOT_HERE, "RFC 6347" },
    { "dtlsv1.3", SCHEME_ABSENT,     NULL,            0,         1,    NOT_HERE, "RFC 9147" },
    { "sslv2",    SCHEME_PROHIBITED, NULL,            0,         1,    NO_SSL2,  "RFC 6176" },
    { "sslv3",    SCHEME_PROHIBITED, NULL,            0,         1,    NO_SSL3,  "RFC 7568" },
};

/* What people write who mean a protocol on top of a transport. */
static const struct { const char *name, *use; } protocols[] = {
    { "https",       "tls://HOST:443" },
    { "http",        "tcp://HOST:80"  },
    { "wss",         "tls://HOST:443" },
    { "ws",          "tcp://HOST:80"  },
    { "imaps",       "tls://HOST:993" },
    { "pop3s",       "tls://HOST:995" },
    { "smtps",       "tls://HOST:465" },
    { "submissions", "tls://HOST:465" },
    { "ftps",        "tls://HOST:990" },
    { "ldaps",       "tls://HOST:636" },
};
/* clang-format on */

#define COUNT(a) (sizeof(a) / sizeof *(a))
#define SHOWN    80 /* bytes of an unknown scheme that a message shows */

static bool same_word(const char *word, const char *p, size_t len)
{
    return strlen(word) == len && strncasecmp(word, p, len) == 0;
}

const struct scheme *scheme_table(size_t *count)
{
    *count = COUNT(schemes);
    return schemes;
}

const struct scheme *scheme_find(const char *name, size_t len)
{
    for (size_t i = 0; i < COUNT(schemes); i++)
        if (same_word(schemes[i].name, name, len))
            return &schemes[i];
    return NULL;
}

const struct scheme *scheme_of(const struct transport *transport)
{
    for (size_t i = 0; i < COUNT(schemes); i++)
        if (schemes[i].kind == SCHEME_PLAIN && schemes[i].transport == transport)
            return &schemes[i];
    return NULL;
}

bool scheme_unknown(const char *name, size_t len, hf_error *err)
{
    for (size_t i = 0; i < COUNT(protocols); i++)
        if (same_word(protocols[i].name, name, len))
            return net_fail(
                err, HF_E_SCHEME, 0,
                "%s:// is a protocol, not a transport: use %s and speak it yourself",
                protocols[i].name, protocols[i].use);
    return net_fail(err, HF_E_SCHEME, 0, "\"%.*s\": the schemes are " SCHEMES_KNOWN,
                    (int)(len > SHOWN ? SHOWN : len), name);
}

bool scheme_usable(const struct scheme *scheme, hf_error *err)
{
    if (scheme->kind == SCHEME_PLAIN || scheme->kind == SCHEME_TLS)
        return true;
    if (scheme->kind == SCHEME_PROHIBITED)
        net_fail(err, HF_E_PROHIBITED_PROTOCOL, 0, "%s://: %s", scheme->name, scheme->refusal);
    else
        net_fail(err, HF_E_SCHEME, 0, "%s:// %s (available: " SCHEMES_KNOWN ")", scheme->name,
                 scheme->refusal);
    if (err && scheme->rfc)
        err->rfc = scheme->rfc;
    return false;
}
