/* recognise.c: what speaks to us when it is not TLS. */
#include "record/recognise.h"

#include <ctype.h>
#include <stdio.h>

#include "record/record.h"

#define QUOTE_MAX 60

/* Where a pattern is to be found. */
enum side { SERVER = 1, CLIENT = 2, BOTH = 3 };

/* One known beginning. `hint` follows "this port speaks plain NAME (...): " or "the client speaks
 * plain NAME (...): ". */
struct greeting {
    enum side side;
    const char *begins;
    const char *name;
    const char *hint;
};

/* Openings of handfast_starttls.h. */
#define UPGRADE(name)                                                                          \
    "begin so and upgrade: " name "://, hf_starttls() or handfast connect --starttls " name
#define STARTTLS(name, tls, port) UPGRADE(name) "; or use the port for TLS (" tls ", " port ")"
#define HTTP_SERVER               "use http://, or the port for HTTPS (443)"
#define HTTP_CLIENT               "it must use https://"
/* What our own server must be told to take such clients. */
#define TALKER(name)                                                                           \
    "it begins in plain text, and this port expects TLS: it must use TLS at once, or the "     \
    "server hf_listen(\"" name "://...\")"

/* clang-format off */
static const struct greeting greetings[] = {
    {SERVER, "SSH-", "SSH", "this is the port of an SSH server: use another port"},
    {SERVER, "HTTP/1.", "HTTP", HTTP_SERVER},
    {SERVER, "<!DOCTYPE", "HTTP", HTTP_SERVER},
    {SERVER, "<!doctype", "HTTP", HTTP_SERVER},
    {SERVER, "<html", "HTTP", HTTP_SERVER},
    {SERVER, "<HTML", "HTTP", HTTP_SERVER},
    {SERVER, "ICY ", "ICY (Shoutcast)", HTTP_SERVER},
    {SERVER, "RTSP/1.0", "RTSP", "use rtsp://, or the port for RTSPS (322)"},
    {SERVER, "SIP/2.0", "SIP", "use the port for SIPS (5061)"},
    {SERVER, "+OK", "POP3", STARTTLS("pop3", "pop3s", "995")},
    {SERVER, "-ERR", "POP3 or Redis", "if it is POP3, " STARTTLS("pop3", "pop3s", "995")},
    {SERVER, "-NOAUTH", "Redis", "use the port that is configured as tls-port"},
    {SERVER, "-DENIED", "Redis", "use the port that is configured as tls-port"},
    {SERVER, "* OK", "IMAP", STARTTLS("imap", "imaps", "993")},
    {SERVER, "* PREAUTH", "IMAP", STARTTLS("imap", "imaps", "993")},
    {SERVER, "* BYE", "IMAP", STARTTLS("imap", "imaps", "993")},
    {SERVER, "\"IMPLEMENTATION\"", "ManageSieve", UPGRADE("sieve")},
    {SERVER, "421 ", "SMTP or FTP", "the server refuses connections; and it is not the port for TLS (465, 990)"},
    {SERVER, "554 ", "SMTP", "the server refuses connections from here; and it is not the port for TLS (465)"},
    {SERVER, "200 ", "NNTP", STARTTLS("nntp", "nntps", "563")},
    {SERVER, "201 ", "NNTP", STARTTLS("nntp", "nntps", "563")},
    {SERVER, "RFB 00", "VNC (RFB)", "wrap it in a tunnel, or use VeNCrypt"},
    {SERVER, "@RSYNCD:", "rsync", "use rsync-ssl's port (874)"},
    {SERVER, "NOTICE AUTH", "IRC", STARTTLS("irc", "ircs", "6697")},
    {SERVER, "ERROR :", "IRC", STARTTLS("irc", "ircs", "6697")},
    {SERVER, "ERROR\r\n", "memcached", "start memcached with --enable-ssl"},
    {BOTH, "AMQP", "AMQP", "use amqps:// and the port for TLS (5671)"},
    {SERVER, "<?xml", "XMPP", STARTTLS("xmpp", "xmpps", "5223")},
    {SERVER, "<stream", "XMPP", STARTTLS("xmpp", "xmpps", "5223")},
    {CLIENT, "<?xml", "XMPP", TALKER("xmpp")},
    {CLIENT, "<stream", "XMPP", TALKER("xmpp")},

    {CLIENT, "GET ", "HTTP", HTTP_CLIENT},
    {CLIENT, "POST ", "HTTP", HTTP_CLIENT},
    {CLIENT, "HEAD ", "HTTP", HTTP_CLIENT},
    {CLIENT, "PUT ", "HTTP", HTTP_CLIENT},
    {CLIENT, "DELETE ", "HTTP", HTTP_CLIENT},
    {CLIENT, "OPTIONS ", "HTTP", HTTP_CLIENT},
    {CLIENT, "PATCH ", "HTTP", HTTP_CLIENT},
    {CLIENT, "TRACE ", "HTTP", HTTP_CLIENT},
    {CLIENT, "CONNECT ", "HTTP, to a proxy", "it takes this port for a proxy without TLS"},
    {CLIENT, "PRI * HTTP/2", "HTTP/2", HTTP_CLIENT},
    {CLIENT, "EHLO", "SMTP", TALKER("smtp")},
    {CLIENT, "HELO", "SMTP", TALKER("smtp")},
    {CLIENT, "LHLO", "LMTP", TALKER("lmtp")},
    {CLIENT, "CAPA", "POP3", TALKER("pop3")},
    {CLIENT, "STLS", "POP3", TALKER("pop3")},
    {CLIENT, "STARTTLS", "SMTP or ManageSieve", TALKER("smtp")},
    {CLIENT, "USER ", "FTP, POP3 or IRC", TALKER("ftp")},
    {CLIENT, "AUTH ", "FTP or Redis", TALKER("ftp")},
    {CLIENT, "NICK ", "IRC", TALKER("irc")},
    {CLIENT, "CAP LS", "IRC", TALKER("irc")},
    {CLIENT, "PING\r\n", "Redis", "it must use rediss:// (redis-cli --tls)"},
    {CLIENT, "SSH-", "SSH", "it took this port for an SSH server"},
    {CLIENT, "PROXY ", "PROXY protocol, version 1", "a load balancer adds this header: read it from a tcp:// stream, then hf_start_tls() with buffered_is_tls; or switch it off there"},
    {CLIENT, "\r\n\r\n", "PROXY protocol, version 2", "a load balancer adds this header: read it from a tcp:// stream, then hf_start_tls() with buffered_is_tls; or switch it off there"},
    {CLIENT, "RFB 00", "VNC (RFB)", "it must use a tunnel"},
    {CLIENT, "\x13" "BitTorrent", "BitTorrent", "it took this port for a peer"},
};
/* clang-format on */

static bool starts(struct slice in, const void *with, size_t len)
{
    return in.len >= len && memcmp(in.p, with, len) == 0;
}

/* The first line, escaped, in quotes. */
static void quote(struct slice in, char out[QUOTE_MAX + 8])
{
    size_t at = 0, i = 0;
    out[at++] = '"';
    for (; i < in.len && in.p[i] != '\r' && in.p[i] != '\n'; i++) {
        bool plain = in.p[i] >= 0x20 && in.p[i] < 0x7f && in.p[i] != '"' && in.p[i] != '\\';
        if (at + (plain ? 1 : 4) > QUOTE_MAX + 1)
            break;
        if (plain)
            out[at++] = (char)in.p[i];
        else
            at += (size_t)snprintf(out + at, 5, "\\x%02x", in.p[i]);
    }
    bool cut = i < in.len && in.p[i] != '\r' && in.p[i] != '\n';
    snprintf(out + at, 5, cut ? "...\"" : "\"");
}

static hf_code plain_text(struct slice in, bool from_server, const char *name, const char *hint,
                          char *what, size_t size)
{
    char quoted[QUOTE_MAX + 8];
    quote(in, quoted);
    /* Binary protocols show nothing that a person could read. */
    bool show = in.len >= 4 && isprint(in.p[0]) && isprint(in.p[1]) && isprint(in.p[2]);
    snprintf(what, size, "%s speaks plain %s%s%s%s: %s",
             from_server ? "this port" : "the client", name, show ? " (" : "",
             show ? quoted : "", show ? ")" : "", hint);
    return HF_E_PLAINTEXT_PEER;
}

static bool line_has(struct slice in, const char *word)
{
    size_t n = strlen(word);
    for (size_t i = 0; i + n <= in.len && in.p[i] != '\n'; i++)
        if (strncasecmp((const char *)in.p + i, word, n) == 0)
            return true;
    return false;
}

/* 220 is how SMTP, LMTP and FTP servers begin; the rest of the line usually tells. */
static hf_code greeting_220(struct slice in, char *what, size_t size)
{
    if (line_has(in, "FTP"))
        return plain_text(in, true, "FTP", STARTTLS("ftp", "ftps", "990"), what, size);
    if (line_has(in, "LMTP"))
        return plain_text(in, true, "LMTP", UPGRADE("lmtp"), what, size);
    if (line_has(in, "SMTP") || line_has(in, "mail") || line_has(in, "Postfix") ||
        line_has(in, "Exim"))
        return plain_text(in, true, "SMTP", STARTTLS("smtp", "smtps", "465"), what, size);
    return plain_text(
        in, true, "SMTP or FTP",
        "begin so and upgrade: smtp:// or ftp://, hf_starttls() or handfast connect --starttls "
        "smtp; or use the port for TLS (465 or 990)",
        what, size);
}

/* An answer that a proxy gave instead of the server. */
static hf_code http_answer(struct slice in, char *what, size_t size)
{
    if (in.len >= 12 && memcmp(in.p + 9, "407", 3) == 0)
        return plain_text(in, true, "HTTP",
                          "a proxy answered: it wants a user name and password", what, size);
    if (line_has(in, "Connection established"))
        return plain_text(
            in, true, "HTTP",
            "a proxy answered: its reply to CONNECT must be read before TLS starts", what,
            size);
    return plain_text(in, true, "HTTP", HTTP_SERVER, what, size);
}

/* PostgreSQL answers an SSLRequest with one byte, and anything else with an ErrorResponse. */
static hf_code postgres_answer(struct slice in, char *what, size_t size)
{
    if (in.len == 1 && in.p[0] == 'N')
        return plain_text(in, true, "PostgreSQL", "the server has TLS switched off (ssl = off)",
                          what, size);
    if (in.len == 1 && in.p[0] == 'S')
        return plain_text(in, true, "PostgreSQL",
                          "its answer to the SSLRequest must be read before TLS starts", what,
                          size);
    if ((in.len == 1 && in.p[0] == 'E') ||
        (in.len >= 6 && starts(in, "E\0\0", 3) && in.p[5] == 'S'))
        return plain_text(in.len == 1 ? in : slice_of(in.p + 5, in.len - 5), true, "PostgreSQL",
                          UPGRADE("postgres"), what, size);
    return HF_OK;
}

static hf_code binary_server(struct slice in, char *what, size_t size)
{
    const uint8_t *p = in.p;
    if (in.len >= 6 && p[1] == 0 && p[2] == 0 && p[3] == 0 && (p[4] == 0x0a || p[4] == 0xff))
        return plain_text(slice_of(p + 5, in.len - 5), true, "MySQL", UPGRADE("mysql"), what,
                          size);
    if (in.len >= 6 && p[0] == 0x30 && p[2] == 2 && p[3] == 1 && (p[5] == 0x78 || p[5] == 0x61))
        return plain_text((struct slice){0}, true, "LDAP", STARTTLS("ldap", "ldaps", "636"),
                          what, size);
    if (in.len >= 9 && p[0] == 0 && p[3] == 4 && p[4] <= 1 && memcmp(p + 5, "\0\0\0\0", 4) == 0)
        return plain_text((struct slice){0}, true, "HTTP/2", HTTP_SERVER, what, size);
    if (in.len >= 2 && p[0] == 5 && (p[1] == 0 || p[1] == 2 || p[1] == 0xff))
        return plain_text((struct slice){0}, true, "SOCKS5",
                          "a proxy answered: its handshake must be done before TLS starts",
                          what, size);
    if (in.len >= 3 && p[0] == 0xff && p[1] >= 0xfb && p[1] <= 0xfe)
        return plain_text((struct slice){0}, true, "Telnet", "use telnets (992) or SSH", what,
                          size);
    if (in.len >= 4 && p[0] == 0x20 && p[1] == 2 && p[2] <= 1)
        return plain_text((struct slice){0}, true, "MQTT", "use the port for TLS (8883)", what,
                          size);
    return HF_OK;
}

static hf_code binary_client(struct slice in, char *what, size_t size)
{
    const uint8_t *p = in.p;
    struct slice none = {0};
    if (starts(in, "\0\0\0\x08\x04\xd2\x16\x2f", 8))
        return plain_text(
            none, false, "PostgreSQL",
            "it asks for TLS by an SSLRequest, which must be answered before TLS starts: "
            "hf_listen(\"postgres://...\") or hf_starttls_accept()",
            what, size);
    if (in.len >= 8 && p[0] == 0 && p[1] == 0 && memcmp(p + 4, "\0\3\0\0", 4) == 0)
        return plain_text(none, false, "PostgreSQL", "it must use sslmode=require", what, size);
    if (in.len >= 8 && p[0] == 0x10 && memcmp(p + 2, "\0\4MQTT", 6) == 0)
        return plain_text(none, false, "MQTT", "it must use mqtts://", what, size);
    if (in.len >= 8 && p[0] == 0 && (p[4] == 0xff || p[4] == 0xfe) &&
        memcmp(p + 5, "SMB", 3) == 0)
        return plain_text(none, false, "SMB", "it took this port for a file server", what,
                          size);
    if (in.len >= 6 && p[0] == 3 && p[1] == 0 && p[5] == 0xe0)
        return plain_text(none, false, "RDP", "it negotiates TLS in its own protocol first",
                          what, size);
    if (in.len >= 8 && p[0] == 0x12 && p[1] == 1 && p[4] == 0 && p[5] == 0)
        return plain_text(none, false, "TDS (SQL Server)", "it must use Encrypt=strict", what,
                          size);
    if (in.len >= 6 && p[0] == 0x30 && p[2] == 2 && p[3] == 1 && (p[5] == 0x60 || p[5] == 0x77))
        return plain_text(none, false, "LDAP", "it must use ldaps://", what, size);
    if (in.len >= 3 &&
        ((p[0] == 5 && p[1] > 0 && p[1] < 5 && p[2] <= 2) || (p[0] == 4 && p[1] == 1)))
        return plain_text(none, false, "SOCKS", "it takes this port for a proxy", what, size);
    /* Redis: "*1\r\n$4\r\nPING\r\n". */
    if (in.len >= 4 && p[0] == '*' && isdigit(p[1]) && (p[2] == '\r' || isdigit(p[2])))
        return plain_text(in, false, "Redis", "it must use rediss:// (redis-cli --tls)", what,
                          size);
    if (line_has(in, " CAPABILITY") || line_has(in, " LOGIN ") || line_has(in, " STARTTLS"))
        return plain_text(in, false, "IMAP", TALKER("imap"), what, size);
    return HF_OK;
}

/* SSL 2.0 has a header of two bytes, the first with its top bit set; then CLIENT-HELLO(1) with the
 * version, SERVER-HELLO(4) with it at another place, or ERROR(0) with a code. */
static hf_code ssl2(struct slice in, bool from_server, char *what, size_t size)
{
    const uint8_t *p = in.p;
    if (in.len < 5 || !(p[0] & 0x80))
        return HF_OK;
    if (!from_server && p[2] == 1 && p[3] == 3) {
        snprintf(what, size,
                 "the client sent an SSL 2.0 ClientHello that offers version 3.%u: it must "
                 "be told not to use the SSL 2.0 format (RFC 6176 3)",
                 p[4]);
        return HF_E_SSL2_PEER;
    }
    bool hello = !from_server && p[2] == 1 && p[3] == 0 && p[4] == 2;
    bool answer = from_server && in.len >= 7 && p[2] == 4 && p[5] == 0 && p[6] == 2;
    bool error = from_server && p[0] == 0x80 && p[1] == 3 && p[2] == 0;
    if (!hello && !answer && !error)
        return HF_OK;
    snprintf(what, size, "%s speaks SSL 2.0, which RFC 6176 prohibits: it must be replaced",
             from_server ? "this server" : "the client");
    return HF_E_SSL2_PEER;
}

/* A hello in a TLS record whose own version is 3.0. The version of the record says nothing: clients
 * and servers of all ages write 3.0 or 3.1 there. */
static hf_code ssl3(struct slice in, bool from_server, char *what, size_t size)
{
    const uint8_t *p = in.p;
    if (in.len < 11 || p[0] != REC_HANDSHAKE || p[1] != 3 || p[5] != (from_server ? 2 : 1) ||
        get_u16(p + 9) != 0x0300)
        return HF_OK;
    snprintf(what, size, "%s speaks SSL 3.0, which RFC 7568 prohibits: it must be replaced",
             from_server ? "this server" : "the client");
    return HF_E_SSL3_PEER;
}

static hf_code text_peer(struct slice in, bool from_server, char *what, size_t size)
{
    enum side side = from_server ? SERVER : CLIENT;
    if (from_server && (starts(in, "220 ", 4) || starts(in, "220-", 4)))
        return greeting_220(in, what, size);
    if (from_server && starts(in, "HTTP/1.", 7))
        return http_answer(in, what, size);
    for (size_t i = 0; i < sizeof greetings / sizeof *greetings; i++) {
        const struct greeting *g = &greetings[i];
        if ((g->side & side) && starts(in, g->begins, strlen(g->begins)))
            return plain_text(in, from_server, g->name, g->hint, what, size);
    }
    return HF_OK;
}

hf_code rec_recognise(const uint8_t *in, size_t len, bool from_server, char *what, size_t size)
{
    struct slice all = slice_of(in, len);
    if (size)
        what[0] = 0;
    if (len == 0)
        return HF_OK;
    hf_code code = ssl3(all, from_server, what, size);
    bool is_record = len >= 2 && in[0] >= REC_CCS && in[0] <= REC_DATA && in[1] == 3;
    if (code || is_record)
        return code;
    code = ssl2(all, from_server, what, size);
    if (!code)
        code = text_peer(all, from_server, what, size);
    if (!code && from_server)
        code = postgres_answer(all, what, size);
    if (!code)
        code = from_server ? binary_server(all, what, size) : binary_client(all, what, size);
    return code;
}
