#include "net/scheme.h"

#include <strings.h>

#include "net/fail.h"

#define NOT_HERE "is known but not part of this version of handfast"
#define NO_SSL3  "SSL 3.0 is prohibited by RFC 7568: use tls://"
#define NO_SSL2  "SSL 2.0 is prohibited by RFC 6176: use tls://"

/* clang-format off */
static const struct scheme schemes[] = {
    /* name           kind               transport        version    since refusal   rfc         port */
    { "tcp",          SCHEME_PLAIN,      &tcp_transport,  0,         1,    NULL,     NULL,       0    },
    { "udp",          SCHEME_PLAIN,      &udp_transport,  0,         1,    NULL,     NULL,       0    },
    { "unix",         SCHEME_PLAIN,      &unix_transport, 0,         1,    NULL,     NULL,       0    },
    { "udg",          SCHEME_PLAIN,      &udg_transport,  0,         1,    NULL,     NULL,       0    },
    { "ssl",          SCHEME_TLS,        &tcp_transport,  0,         1,    NULL,     NULL,       0    },
    { "tls",          SCHEME_TLS,        &tcp_transport,  0,         1,    NULL,     NULL,       0    },
    { "tlsv1.0",      SCHEME_TLS,        &tcp_transport,  HF_TLS1_0, 1,    NULL,     "RFC 8996", 0    },
    { "tlsv1.1",      SCHEME_TLS,        &tcp_transport,  HF_TLS1_1, 1,    NULL,     "RFC 8996", 0    },
    { "tlsv1.2",      SCHEME_TLS,        &tcp_transport,  HF_TLS1_2, 1,    NULL,     NULL,       0    },
    { "tlsv1.3",      SCHEME_TLS,        &tcp_transport,  HF_TLS1_3, 1,    NULL,     NULL,       0    },
    { "dtls",         SCHEME_ABSENT,     NULL,            0,         1,    NOT_HERE, "RFC 9147", 0    },
    { "dtlsv1.2",     SCHEME_ABSENT,     NULL,            0,         1,    NOT_HERE, "RFC 6347", 0    },
    { "dtlsv1.3",     SCHEME_ABSENT,     NULL,            0,         1,    NOT_HERE, "RFC 9147", 0    },
    { "sslv2",        SCHEME_PROHIBITED, NULL,            0,         1,    NO_SSL2,  "RFC 6176", 0    },
    { "sslv3",        SCHEME_PROHIBITED, NULL,            0,         1,    NO_SSL3,  "RFC 7568", 0    },
    /* protocols: in plain text first, and with TLS at once */
    { "smtp",         SCHEME_STARTTLS,   &tcp_transport,  0,         1,    NULL,     "RFC 3207", 25   },
    { "submission",   SCHEME_STARTTLS,   &tcp_transport,  0,         1,    NULL,     "RFC 3207", 587  },
    { "lmtp",         SCHEME_STARTTLS,   &tcp_transport,  0,         1,    NULL,     "RFC 3207", 24   },
    { "imap",         SCHEME_STARTTLS,   &tcp_transport,  0,         1,    NULL,     "RFC 9051", 143  },
    { "pop3",         SCHEME_STARTTLS,   &tcp_transport,  0,         1,    NULL,     "RFC 2595", 110  },
    { "ftp",          SCHEME_STARTTLS,   &tcp_transport,  0,         1,    NULL,     "RFC 4217", 21   },
    { "xmpp",         SCHEME_STARTTLS,   &tcp_transport,  0,         1,    NULL,     "RFC 6120", 5222 },
    { "xmpp-server",  SCHEME_STARTTLS,   &tcp_transport,  0,         1,    NULL,     "RFC 6120", 5269 },
    { "ldap",         SCHEME_STARTTLS,   &tcp_transport,  0,         1,    NULL,     "RFC 4511", 389  },
    { "nntp",         SCHEME_STARTTLS,   &tcp_transport,  0,         1,    NULL,     "RFC 4642", 119  },
    { "sieve",        SCHEME_STARTTLS,   &tcp_transport,  0,         1,    NULL,     "RFC 5804", 4190 },
    { "postgres",     SCHEME_STARTTLS,   &tcp_transport,  0,         1,    NULL,     NULL,       5432 },
    { "postgresql",   SCHEME_STARTTLS,   &tcp_transport,  0,         1,    NULL,     NULL,       5432 },
    { "mysql",        SCHEME_STARTTLS,   &tcp_transport,  0,         1,    NULL,     NULL,       3306 },
    { "irc",          SCHEME_STARTTLS,   &tcp_transport,  0,         1,    NULL,     NULL,       6667 },
    { "smtps",        SCHEME_TLS,        &tcp_transport,  0,         1,    NULL,     NULL,       465  },
    { "submissions",  SCHEME_TLS,        &tcp_transport,  0,         1,    NULL,     NULL,       465  },
    { "imaps",        SCHEME_TLS,        &tcp_transport,  0,         1,    NULL,     NULL,       993  },
    { "pop3s",        SCHEME_TLS,        &tcp_transport,  0,         1,    NULL,     NULL,       995  },
    { "ftps",         SCHEME_TLS,        &tcp_transport,  0,         1,    NULL,     NULL,       990  },
    { "xmpps",        SCHEME_TLS,        &tcp_transport,  0,         1,    NULL,     NULL,       5223 },
    { "xmpps-server", SCHEME_TLS,        &tcp_transport,  0,         1,    NULL,     NULL,       5270 },
    { "ldaps",        SCHEME_TLS,        &tcp_transport,  0,         1,    NULL,     NULL,       636  },
    { "nntps",        SCHEME_TLS,        &tcp_transport,  0,         1,    NULL,     NULL,       563  },
    { "ircs",         SCHEME_TLS,        &tcp_transport,  0,         1,    NULL,     NULL,       6697 },
};

/* What people write who mean a protocol on top of a transport. */
static const struct { const char *name, *use; } protocols[] = {
    { "https",       "tls://HOST:443" },
    { "http",        "tcp://HOST:80"  },
    { "wss",         "tls://HOST:443" },
    { "ws",          "tcp://HOST:80"  },
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
    if (scheme->kind == SCHEME_PLAIN || scheme_secures(scheme))
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
