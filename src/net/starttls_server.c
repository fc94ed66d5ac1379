/* starttls_server.c: what servers say before TLS, and what they let clients ask. */
#include <ctype.h>
#include <strings.h>

#include "net/starttls.h"

/* clang-format off */
static const struct answer smtp_answers[] = {
    { "EHLO",     "250-%l\r\n250-ENHANCEDSTATUSCODES\r\n250 STARTTLS\r\n", ANSWER_STAY },
    { "LHLO",     "250-%l\r\n250-ENHANCEDSTATUSCODES\r\n250 STARTTLS\r\n", ANSWER_STAY },
    { "HELO",     "250 %l\r\n",                                            ANSWER_STAY },
    { "NOOP",     "250 2.0.0 OK\r\n",                                      ANSWER_STAY },
    { "RSET",     "250 2.0.0 OK\r\n",                                      ANSWER_STAY },
    { "STARTTLS", "220 2.0.0 Ready to start TLS\r\n",                      ANSWER_GO   },
    { "QUIT",     "221 2.0.0 Bye\r\n",                                     ANSWER_END  },
    { "",         "530 5.7.0 Must issue a STARTTLS command first\r\n",     ANSWER_STAY },
};
#define IMAP_CAPABILITIES "IMAP4rev1 STARTTLS LOGINDISABLED"
static const struct answer imap_answers[] = {
    { "CAPABILITY", "* CAPABILITY " IMAP_CAPABILITIES "\r\n%t OK done\r\n", ANSWER_STAY },
    { "NOOP",       "%t OK done\r\n",                                       ANSWER_STAY },
    { "STARTTLS",   "%t OK Begin TLS negotiation now\r\n",                  ANSWER_GO   },
    { "LOGOUT",     "* BYE until next time\r\n%t OK done\r\n",              ANSWER_END  },
    { "",           "%t NO [PRIVACYREQUIRED] STARTTLS comes first\r\n",     ANSWER_STAY },
};
static const struct answer pop3_answers[] = {
    { "CAPA", "+OK\r\nSTLS\r\n.\r\n",       ANSWER_STAY },
    { "STLS", "+OK Begin TLS\r\n",          ANSWER_GO   },
    { "QUIT", "+OK\r\n",                    ANSWER_END  },
    { "",     "-ERR STLS comes first\r\n",  ANSWER_STAY },
};
static const struct answer ftp_answers[] = {
    { "AUTH TLS", "234 AUTH TLS OK\r\n",                                      ANSWER_GO   },
    { "AUTH SSL", "234 AUTH SSL OK\r\n",                                      ANSWER_GO   },
    { "FEAT",     "211-Features:\r\n AUTH TLS\r\n PBSZ\r\n PROT\r\n211 End\r\n", ANSWER_STAY },
    { "NOOP",     "200 OK\r\n",                                               ANSWER_STAY },
    { "QUIT",     "221 Bye\r\n",                                              ANSWER_END  },
    { "",         "530 AUTH TLS comes first\r\n",                             ANSWER_STAY },
};
static const struct answer nntp_answers[] = {
    { "CAPABILITIES", "101 Capabilities:\r\nVERSION 2\r\nSTARTTLS\r\n.\r\n", ANSWER_STAY },
    { "STARTTLS",     "382 Continue with TLS negotiation\r\n",               ANSWER_GO   },
    { "QUIT",         "205 Bye\r\n",                                         ANSWER_END  },
    { "",             "483 STARTTLS comes first\r\n",                        ANSWER_STAY },
};
#define SIEVE_CAPABILITIES                                                                     \
    "\"IMPLEMENTATION\" \"handfast\"\r\n\"SASL\" \"\"\r\n\"SIEVE\" \"\"\r\n\"STARTTLS\"\r\n"     \
    "\"VERSION\" \"1.0\"\r\nOK\r\n"
static const struct answer sieve_answers[] = {
    { "CAPABILITY", SIEVE_CAPABILITIES,                          ANSWER_STAY },
    { "NOOP",       "OK\r\n",                                    ANSWER_STAY },
    { "STARTTLS",   "OK \"Begin TLS negotiation now\"\r\n",      ANSWER_GO   },
    { "LOGOUT",     "OK\r\n",                                    ANSWER_END  },
    { "",           "NO (ENCRYPT-NEEDED) \"STARTTLS first\"\r\n", ANSWER_STAY },
};
static const struct answer irc_answers[] = {
    { "STARTTLS", ":%l 670 * :STARTTLS successful, proceed with TLS handshake\r\n", ANSWER_GO   },
    { "CAP",      ":%l CAP * LS :tls\r\n",                                          ANSWER_STAY },
    { "QUIT",     "ERROR :Bye\r\n",                                                 ANSWER_END  },
    { "",         ":%l 451 * :STARTTLS comes first\r\n",                            ANSWER_STAY },
};
/* clang-format on */

/* ---------------------------------------------------------------- not made of lines */

#define SAY(out, text) (*(out) = slice_of(text, sizeof(text) - 1))

#define STARTUP_SSL    80877103u
#define STARTUP_GSSENC 80877104u

/* ErrorResponse 'E' with S, C and M */
#define POSTGRES_REFUSAL                                                                       \
    "E\0\0\0\x2e"                                                                              \
    "SFATAL\0"                                                                                 \
    "C28000\0"                                                                                 \
    "Man SSLRequest comes first\0"

static enum verdict serve_postgres(struct slice unit, struct slice *say, bool *end)
{
    uint32_t code = (uint32_t)unit.p[4] << 24 | (uint32_t)unit.p[5] << 16 |
                    (uint32_t)unit.p[6] << 8 | unit.p[7];

    if (unit.len == 8 && code == STARTUP_SSL) {
        SAY(say, "S");
        return VERDICT_GO;
    }
    if (unit.len == 8 && code == STARTUP_GSSENC) {
        SAY(say, "N");
        return VERDICT_MORE;
    }
    *say = slice_of(POSTGRES_REFUSAL, sizeof POSTGRES_REFUSAL);
    *end = true;
    return VERDICT_REFUSED;
}

static bool tag_named(struct slice unit, const char *name)
{
    size_t n = strlen(name);

    return unit.len > n && memcmp(unit.p, name, n) == 0 && !isalnum(unit.p[n]);
}

#define XMPP_HEAD                                                                              \
    "<?xml version='1.0'?><stream:stream xmlns='jabber:client' "                               \
    "xmlns:stream='http://etherx.jabber.org/streams' id='1' from='%l' version='1.0'>"
#define XMPP_TLS "xmlns='urn:ietf:params:xml:ns:xmpp-tls'"
#define XMPP_FEATURES                                                                          \
    "<stream:features><starttls " XMPP_TLS "><required/></starttls></stream:features>"

static enum verdict serve_xmpp(struct slice unit, struct slice *say, bool *end)
{
    if (tag_named(unit, "<stream:stream")) {
        SAY(say, XMPP_HEAD XMPP_FEATURES);
        return VERDICT_MORE;
    }
    if (tag_named(unit, "<starttls")) {
        SAY(say, "<proceed " XMPP_TLS "/>");
        return VERDICT_GO;
    }
    if (unit.p[0] != '<' || tag_named(unit, "<?xml") || tag_named(unit, "</starttls"))
        return VERDICT_MORE;
    SAY(say, "<stream:error><policy-violation xmlns='urn:ietf:params:xml:ns:xmpp-streams'/>"
             "</stream:error></stream:stream>");
    *end = true;
    return VERDICT_REFUSED;
}

/* ---------------------------------------------------------------- the table */

/* clang-format off */
static const struct { const char *name; struct server_script script; } scripts[] = {
    { "smtp",        { FRAME_LINE, "220 %l ESMTP\r\n",     false, smtp_answers,  NULL } },
    { "submission",  { FRAME_LINE, "220 %l ESMTP\r\n",     false, smtp_answers,  NULL } },
    { "lmtp",        { FRAME_LINE, "220 %l LMTP\r\n",      false, smtp_answers,  NULL } },
    { "imap",        { FRAME_LINE, "* OK [CAPABILITY " IMAP_CAPABILITIES "] %l ready\r\n", true,
                       imap_answers, NULL } },
    { "pop3",        { FRAME_LINE, "+OK %l ready\r\n",     false, pop3_answers,  NULL } },
    { "ftp",         { FRAME_LINE, "220 %l FTP\r\n",       false, ftp_answers,   NULL } },
    { "nntp",        { FRAME_LINE, "200 %l ready\r\n",     false, nntp_answers,  NULL } },
    { "sieve",       { FRAME_LINE, SIEVE_CAPABILITIES,     false, sieve_answers, NULL } },
    { "irc",         { FRAME_LINE, NULL,                   false, irc_answers,   NULL } },
    { "xmpp",        { FRAME_TAG,  NULL,                   false, NULL,          serve_xmpp } },
    { "postgres",    { FRAME_STARTUP, NULL,                false, NULL,          serve_postgres } },
    { "postgresql",  { FRAME_STARTUP, NULL,                false, NULL,          serve_postgres } },
};
/* clang-format on */

const struct server_script *starttls_server_script(const char *name)
{
    for (size_t i = 0; i < sizeof scripts / sizeof *scripts; i++)
        if (strcmp(scripts[i].name, name) == 0)
            return &scripts[i].script;
    return NULL;
}

/* RFC 9051 9: tag = 1*<any ASTRING-CHAR except "+">; "*" for what has none. */
static struct slice take_tag(struct slice line, char tag[33])
{
    size_t n = 0;

    while (n < line.len && n < 32 && isgraph(line.p[n]) && !strchr("(){%*\"\\+", line.p[n])) {
        tag[n] = (char)line.p[n];
        n++;
    }
    tag[n] = 0;
    if (n == 0 || n == line.len || line.p[n] != ' ') {
        memcpy(tag, "*", 2);
        return slice_of(line.p, 0);
    }
    return slice_of(line.p + n + 1, line.len - n - 1);
}

const struct answer *starttls_answer(const struct server_script *script, struct slice line,
                                     char tag[33])
{
    const struct answer *a = script->answers;

    tag[0] = 0;
    if (script->tagged)
        line = take_tag(line, tag);
    for (; a->command[0]; a++) {
        size_t n = strlen(a->command);

        if (line.len > n && strncasecmp((const char *)line.p, a->command, n) == 0 &&
            isspace(line.p[n]))
            break;
    }
    return a;
}
