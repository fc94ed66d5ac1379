/* starttls.c: the table of protocols that begin in plain text. */
#include "net/starttls.h"

#include <strings.h>

/* ExtendedRequest ::= [APPLICATION 23] SEQUENCE { requestName [0] LDAPOID }, messageID 1  RFC 4511 4.12 */
#define LDAP_REQUEST                                                                           \
    "\x30\x1d\x02\x01\x01\x77\x18\x80\x16"                                                     \
    "1.3.6.1.4.1.1466.20037"

/* SSLRequest: length 8, code 80877103 */
#define POSTGRES_REQUEST "\0\0\0\x08\x04\xd2\x16\x2f"

/* Protocol::SSLRequest: packet 1 of 32 bytes: capabilities (LONG_PASSWORD, LONG_FLAG, PROTOCOL_41, SSL,
 * TRANSACTIONS, SECURE_CONNECTION, PLUGIN_AUTH), the greatest packet (16 MB), charset utf8mb4, 23 zeros */
#define MYSQL_REQUEST                                                                          \
    "\x20\0\0\x01\x05\xaa\x08\0\0\0\0\x01\x2d\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"

_Static_assert(sizeof LDAP_REQUEST - 1 == 2 + 0x1d, "length in its second byte");
_Static_assert(sizeof MYSQL_REQUEST - 1 == 4 + 0x20, "length in its first byte");

#define XMPP_OPEN(ns, from)                                                                    \
    "<?xml version='1.0'?><stream:stream xmlns='" ns                                           \
    "' xmlns:stream='http://etherx.jabber.org/streams'" from " to='%d' version='1.0'>"
#define XMPP_START "<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>"

/* clang-format off */
#define SMTP_STEPS(hello)                                                                      \
    {{ NULL,              0, judge_smtp, 220, false, "its greeting" },                         \
     { hello " %l\r\n",   0, judge_smtp, 250, true,  "its answer to " hello },                 \
     { "STARTTLS\r\n",    0, judge_smtp, 220, false, "its answer to STARTTLS" }}
#define XMPP_STEPS(open)                                                                       \
    {{ open,              0, judge_xmpp_features, 0, true,  "its stream features" },           \
     { XMPP_START,        0, judge_xmpp_proceed,  0, false, "its answer to <starttls/>" }}
#define POSTGRES_STEPS                                                                         \
    {{ POSTGRES_REQUEST, 8, judge_postgres, 0, false, "its answer to the SSLRequest" }}

static const struct starttls protocols[] = {
    /* name           port  TLS at once          RFC         command      server */
    {{ "smtp",        25,   "smtps",       465,  "RFC 3207", "STARTTLS",  true  }, FRAME_LINE, false,
     SMTP_STEPS("EHLO") },
    {{ "submission",  587,  "submissions", 465,  "RFC 3207", "STARTTLS",  true  }, FRAME_LINE, false,
     SMTP_STEPS("EHLO") },
    {{ "lmtp",        24,   NULL,          0,    "RFC 3207", "STARTTLS",  true  }, FRAME_LINE, false,
     SMTP_STEPS("LHLO") },
    {{ "imap",        143,  "imaps",       993,  "RFC 9051 6.2.1", "STARTTLS", true }, FRAME_LINE, true,
     {{ NULL,               0, judge_imap_greeting, 0, false, "its greeting" },
      { "a1 STARTTLS\r\n",  0, judge_imap,          0, false, "its answer to STARTTLS" }} },
    {{ "pop3",        110,  "pop3s",       995,  "RFC 2595 4", "STLS",    true  }, FRAME_LINE, false,
     {{ NULL,               0, judge_pop3,          0, false, "its greeting" },
      { "STLS\r\n",         0, judge_pop3,          0, false, "its answer to STLS" }} },
    {{ "ftp",         21,   "ftps",        990,  "RFC 4217", "AUTH TLS",  true  }, FRAME_LINE, false,
     {{ NULL,               0, judge_ftp,         220, false, "its greeting" },
      { "AUTH TLS\r\n",     0, judge_ftp,         234, false, "its answer to AUTH TLS" }} },
    {{ "xmpp",        5222, "xmpps",       5223, "RFC 6120 5", "<starttls/>", true }, FRAME_TAG, true,
     XMPP_STEPS(XMPP_OPEN("jabber:client", "")) },
    {{ "xmpp-server", 5269, "xmpps-server", 5270, "RFC 6120 5", "<starttls/>", false }, FRAME_TAG, true,
     XMPP_STEPS(XMPP_OPEN("jabber:server", "%f")) },
    {{ "ldap",        389,  "ldaps",       636,  "RFC 4511 4.14", "StartTLS", false }, FRAME_BER, false,
     {{ LDAP_REQUEST, sizeof LDAP_REQUEST - 1, judge_ldap, 0, false, "its answer to StartTLS" }} },
    {{ "nntp",        119,  "nntps",       563,  "RFC 4642", "STARTTLS",  true  }, FRAME_LINE, false,
     {{ NULL,               0, judge_nntp,        200, false, "its greeting" },
      { "STARTTLS\r\n",     0, judge_nntp,        382, false, "its answer to STARTTLS" }} },
    {{ "sieve",       4190, NULL,          0,    "RFC 5804 2.2", "STARTTLS", true }, FRAME_LINE, false,
     {{ NULL,               0, judge_sieve,         0, true,  "its capabilities" },
      { "STARTTLS\r\n",     0, judge_sieve,         0, false, "its answer to STARTTLS" }} },
    {{ "postgres",    5432, NULL,          0,    "",         "SSLRequest", true }, FRAME_ANSWER, false,
     POSTGRES_STEPS },
    {{ "postgresql",  5432, NULL,          0,    "",         "SSLRequest", true }, FRAME_ANSWER, false,
     POSTGRES_STEPS },
    {{ "mysql",       3306, NULL,          0,    "",         "SSLRequest", false }, FRAME_PACKET, false,
     {{ NULL,               0, judge_mysql,         0, true,  "its greeting" },
      { MYSQL_REQUEST, sizeof MYSQL_REQUEST - 1, NULL, 0, false, "" }} },
    {{ "irc",         6667, "ircs",        6697, "",         "STARTTLS",  true  }, FRAME_LINE, true,
     {{ "STARTTLS\r\n",     0, judge_irc,         670, false, "its answer to STARTTLS" }} },
};
/* clang-format on */

enum { COUNT = sizeof protocols / sizeof *protocols };

const struct starttls *starttls_table(size_t *count)
{
    *count = COUNT;
    return protocols;
}

const struct starttls *starttls_find(const char *name, size_t len)
{
    for (size_t i = 0; i < COUNT; i++)
        if (strlen(protocols[i].about.name) == len &&
            strncasecmp(protocols[i].about.name, name, len) == 0)
            return &protocols[i];
    return NULL;
}

const hf_starttls_protocol *hf_starttls_protocol_at(size_t i)
{
    return i < COUNT ? &protocols[i].about : NULL;
}

const hf_starttls_protocol *hf_starttls_find(const char *name)
{
    const struct starttls *found = name ? starttls_find(name, strlen(name)) : NULL;

    return found ? &found->about : NULL;
}
