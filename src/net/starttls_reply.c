/* starttls_reply.c: what servers answer before TLS, cut into units and judged. */
#include <ctype.h>
#include <strings.h>

#include "net/starttls.h"

/* ---------------------------------------------------------------- units */

static int unit_line(struct slice in, size_t *scanned, size_t *len)
{
    const uint8_t *end =
        in.len > *scanned ? memchr(in.p + *scanned, '\n', in.len - *scanned) : NULL;

    *scanned = in.len;
    if (!end)
        return 0;
    *len = (size_t)(end - in.p) + 1;
    return 1;
}

/* ">" may stand in the value of an attribute. */
static int unit_tag(struct slice in, size_t *len)
{
    uint8_t quote = 0;
    size_t i = 0;

    if (in.p[0] != '<') {
        while (i < in.len && in.p[i] != '<')
            i++;
        *len = i;
        return 1;
    }
    for (; i < in.len; i++) {
        uint8_t c = in.p[i];

        if (quote)
            quote = c == quote ? 0 : quote;
        else if (c == '"' || c == '\'')
            quote = c;
        else if (c == '>') {
            *len = i + 1;
            return 1;
        }
    }
    return 0;
}

/* X.690 8.1.3: the length in one byte, or in as many as the low bits of the first say. */
static int ber_header(struct slice in, size_t *header, size_t *body)
{
    size_t n;

    if (in.len < 2)
        return 0;
    *header = 2;
    *body = in.p[1];
    if (in.p[1] < 0x80)
        return 1;
    n = in.p[1] & 0x7f;
    if (n == 0 || n > 4)
        return -1;
    if (in.len < 2 + n)
        return 0;
    *header = 2 + n;
    *body = 0;
    for (size_t i = 0; i < n; i++)
        *body = *body << 8 | in.p[2 + i];
    return 1;
}

static int unit_ber(struct slice in, size_t *len)
{
    size_t header, body;
    int r;

    if (in.p[0] != 0x30)
        return -1;
    r = ber_header(in, &header, &body);
    if (r == 1)
        *len = header + body;
    return r;
}

static int unit_answer(struct slice in, size_t *len)
{
    uint32_t body;

    *len = 1;
    if (in.p[0] == 'S' || in.p[0] == 'N')
        return 1;
    if (in.p[0] != 'E')
        return -1;
    if (in.len < 5)
        return 0;
    body = (uint32_t)in.p[1] << 24 | (uint32_t)in.p[2] << 16 | (uint32_t)in.p[3] << 8 | in.p[4];
    if (body < 4)
        return -1;
    *len = (size_t)body + 1;
    return 1;
}

static int unit_startup(struct slice in, size_t *len)
{
    if (in.len < 4)
        return 0;
    *len = (size_t)in.p[0] << 24 | (size_t)in.p[1] << 16 | (size_t)in.p[2] << 8 | in.p[3];
    return *len < 8 ? -1 : 1;
}

int starttls_unit(enum frame frame, struct slice in, size_t *scanned, size_t *len)
{
    int r = 0;

    if (in.len == 0)
        return 0;
    *len = 0;
    switch (frame) {
    case FRAME_LINE: r = unit_line(in, scanned, len); break;
    case FRAME_TAG:
        /* only a new ">" or "<" can have ended it */
        if (*scanned < in.len &&
            (memchr(in.p + *scanned, '>', in.len - *scanned) || in.p[0] != '<'))
            r = unit_tag(in, len);
        *scanned = in.len;
        break;
    case FRAME_BER: r = unit_ber(in, len); break;
    case FRAME_PACKET:
        if (in.len >= 4) {
            *len = 4 + ((size_t)in.p[0] | (size_t)in.p[1] << 8 | (size_t)in.p[2] << 16);
            r = *len > 4 ? 1 : -1;
        }
        break;
    case FRAME_ANSWER: r = unit_answer(in, len); break;
    case FRAME_STARTUP: r = unit_startup(in, len); break;
    }
    if (r < 0 || *len > STARTTLS_UNIT_MAX || (r == 0 && in.len >= STARTTLS_UNIT_MAX))
        return -1;
    if (r == 0 || in.len < *len)
        return 0;
    *scanned = 0;
    return 1;
}

/* ---------------------------------------------------------------- lines */

/* Without its end of line. */
static struct slice bare(struct slice line)
{
    while (line.len && (line.p[line.len - 1] == '\n' || line.p[line.len - 1] == '\r'))
        line.len--;
    return line;
}

static enum verdict refused(struct talk *t, struct slice unit)
{
    t->told = bare(unit);
    return VERDICT_REFUSED;
}

static enum verdict not_offered(struct talk *t)
{
    t->why = "it does not offer to";
    return VERDICT_REFUSED;
}

/* line begins with a word of capitals, whatever its letter case, and the word ends there. */
static bool word_is(struct slice line, const char *word)
{
    size_t n = strlen(word);

    return line.len >= n && strncasecmp((const char *)line.p, word, n) == 0 &&
           (line.len == n || !isalnum(line.p[n]));
}

static struct slice after(struct slice s, size_t n)
{
    return n < s.len ? slice_of(s.p + n, s.len - n) : slice_of(s.p + s.len, 0);
}

/* The number at the beginning of a line, and what stands behind it (' ', '-' or 0); 0 if there is none. */
static unsigned reply_code(struct slice line, char *then)
{
    unsigned code = 0;

    if (line.len < 3)
        return 0;
    for (size_t i = 0; i < 3; i++) {
        if (!isdigit(line.p[i]))
            return 0;
        code = code * 10 + (unsigned)(line.p[i] - '0');
    }
    *then = line.len > 3 ? (char)line.p[3] : ' ';
    return code >= 100 && (*then == ' ' || *then == '-') ? code : 0;
}

static enum verdict by_code(struct talk *t, const struct step *step, unsigned code,
                            struct slice line)
{
    t->code = 0;
    if (code != step->code)
        return refused(t, line);
    return step->must_offer && !t->offered ? not_offered(t) : VERDICT_GO;
}

/* RFC 5321 4.2.1: each line of a reply has its number, all but the last with a "-" behind it. */
enum verdict judge_smtp(struct talk *t, const struct step *step, struct slice unit)
{
    struct slice line = bare(unit);
    char then;
    unsigned code = reply_code(line, &then);

    if (!code || (t->code && code != t->code))
        return VERDICT_GARBLED;
    if (word_is(after(line, 4), "STARTTLS"))
        t->offered = true;
    t->code = code;
    return then == '-' ? VERDICT_MORE : by_code(t, step, code, line);
}

/* RFC 959 4.2: between a first line "220-" and a last "220 " other lines may say anything. */
enum verdict judge_ftp(struct talk *t, const struct step *step, struct slice unit)
{
    struct slice line = bare(unit);
    char then = 0;
    unsigned code = reply_code(line, &then);

    if (t->code && (code != t->code || then == '-'))
        return VERDICT_MORE;
    if (!code)
        return VERDICT_GARBLED;
    if (then == '-') {
        t->code = code;
        return VERDICT_MORE;
    }
    if (code < 200) { /* "120 Service ready in nnn minutes" */
        t->code = 0;
        return VERDICT_MORE;
    }
    return by_code(t, step, code, line);
}

/* 200 and 201 are both greetings (RFC 3977 5.1). */
enum verdict judge_nntp(struct talk *t, const struct step *step, struct slice unit)
{
    struct slice line = bare(unit);
    char then = 0;
    unsigned code = reply_code(line, &then);

    if (!code || then != ' ')
        return VERDICT_GARBLED;
    if (step->code == 200 && code == 201)
        code = 200;
    return by_code(t, step, code, line);
}

enum verdict judge_imap_greeting(struct talk *t, const struct step *step, struct slice unit)
{
    struct slice line = bare(unit);

    (void)step;
    if (word_is(line, "* OK"))
        return VERDICT_GO;
    if (word_is(line, "* PREAUTH")) {
        /* RFC 9051 6.2.1: only for who has not logged in */
        t->why = "it takes this connection for one that is logged in already (PREAUTH)";
        return VERDICT_REFUSED;
    }
    return word_is(line, "* BYE") ? refused(t, line) : VERDICT_GARBLED;
}

enum verdict judge_imap(struct talk *t, const struct step *step, struct slice unit)
{
    struct slice line = bare(unit);

    (void)step;
    if (word_is(line, "a1 OK"))
        return VERDICT_GO;
    if (word_is(line, "a1 NO") || word_is(line, "a1 BAD") || word_is(line, "* BYE"))
        return refused(t, line);
    return line.len >= 2 && line.p[0] == '*' && line.p[1] == ' ' ? VERDICT_MORE
                                                                 : VERDICT_GARBLED;
}

enum verdict judge_pop3(struct talk *t, const struct step *step, struct slice unit)
{
    struct slice line = bare(unit);

    (void)step;
    if (word_is(line, "+OK"))
        return VERDICT_GO;
    return word_is(line, "-ERR") ? refused(t, line) : VERDICT_GARBLED;
}

/* RFC 5804 1.7, 2.12: capabilities are lines that begin with a quoted name; OK, NO or BYE ends them. */
enum verdict judge_sieve(struct talk *t, const struct step *step, struct slice unit)
{
    struct slice line = bare(unit);

    if (word_is(line, "OK"))
        return step->must_offer && !t->offered ? not_offered(t) : VERDICT_GO;
    if (word_is(line, "NO") || word_is(line, "BYE"))
        return refused(t, line);
    if (!step->must_offer || line.len == 0 || (line.p[0] != '"' && line.p[0] != '{'))
        return VERDICT_GARBLED;
    if (word_is(line, "\"STARTTLS\""))
        t->offered = true;
    return VERDICT_MORE;
}

static struct slice next_word(struct slice *line)
{
    size_t n = 0;
    struct slice word;

    while (n < line->len && line->p[n] != ' ')
        n++;
    word = slice_of(line->p, n);
    while (n < line->len && line->p[n] == ' ')
        n++;
    *line = after(*line, n);
    return word;
}

/* RFC 2812 2.3.1: [ ":" prefix SPACE ] command. Servers greet and look the client up at the same time. */
enum verdict judge_irc(struct talk *t, const struct step *step, struct slice unit)
{
    struct slice line = bare(unit), rest = line, word = next_word(&rest);
    char then;
    unsigned code;

    if (word.len && word.p[0] == ':')
        word = next_word(&rest);
    if (word_is(word, "ERROR"))
        return refused(t, line);
    code = word.len == 3 ? reply_code(word, &then) : 0;
    if (code == step->code)
        return VERDICT_GO;
    /* 691 says no; 4xx are errors, as "unknown command" */
    if (code == 691 || (code >= 400 && code < 600))
        return refused(t, line);
    for (size_t i = 0; i < word.len; i++)
        if (!isalnum(word.p[i]))
            return VERDICT_GARBLED;
    return line.len && word.len == 0 ? VERDICT_GARBLED : VERDICT_MORE;
}

/* ---------------------------------------------------------------- XMPP */

/* <stream:features>, </starttls>, <proceed xmlns='...'/>: the name without its prefix. */
static bool tag_is(struct slice unit, bool end, const char *name)
{
    struct slice s = after(unit, 1);
    size_t n = 0;

    if (unit.len < 2 || unit.p[0] != '<' || (s.p[0] == '/') != end)
        return false;
    if (end)
        s = after(s, 1);
    while (n < s.len && s.p[n] != '>' && s.p[n] != '/' && !isspace(s.p[n])) {
        if (s.p[n] == ':') {
            s = after(s, n + 1);
            n = 0;
            continue;
        }
        n++;
    }
    return n == strlen(name) && memcmp(s.p, name, n) == 0;
}

static bool tag_closed(struct slice unit)
{
    return unit.len > 2 && unit.p[unit.len - 2] == '/';
}

/* RFC 6120 4.9.1.3: a stream that cannot go on is ended with <stream:error>. */
static bool stream_ended(struct slice unit)
{
    return tag_is(unit, false, "error") || tag_is(unit, true, "stream");
}

static bool is_space(struct slice s)
{
    for (size_t i = 0; i < s.len; i++)
        if (!isspace(s.p[i]))
            return false;
    return true;
}

enum verdict judge_xmpp_features(struct talk *t, const struct step *step, struct slice unit)
{
    bool features = tag_is(unit, false, "features");

    (void)step;
    if (tag_is(unit, false, "stream"))
        t->code = 1; /* from here on there may be text */
    if (stream_ended(unit))
        return refused(t, unit);
    if (tag_is(unit, false, "starttls"))
        t->offered = true;
    if (tag_is(unit, true, "features") || (features && tag_closed(unit)))
        return t->offered ? VERDICT_GO : not_offered(t);
    return unit.p[0] == '<' || t->code || is_space(unit) ? VERDICT_MORE : VERDICT_GARBLED;
}

enum verdict judge_xmpp_proceed(struct talk *t, const struct step *step, struct slice unit)
{
    (void)step;
    if (tag_is(unit, false, "failure") || stream_ended(unit))
        return refused(t, unit);
    if (tag_is(unit, false, "proceed")) {
        t->tag_open = !tag_closed(unit);
        return t->tag_open ? VERDICT_MORE : VERDICT_GO;
    }
    if (t->tag_open && tag_is(unit, true, "proceed"))
        return VERDICT_GO;
    return is_space(unit) ? VERDICT_MORE : VERDICT_GARBLED;
}

/* ---------------------------------------------------------------- LDAP */

/* Takes one element of a tag out of in; false if another one, or none, is there. */
static bool take_ber(struct slice *in, uint8_t tag, struct slice *out)
{
    size_t header, body;

    if (in->len == 0 || in->p[0] != tag || ber_header(*in, &header, &body) != 1 ||
        body > in->len - header)
        return false;
    *out = slice_of(in->p + header, body);
    *in = after(*in, header + body);
    return true;
}

/* LDAPMessage ::= SEQUENCE { messageID INTEGER, extendedResp [APPLICATION 24] SEQUENCE {
 *     resultCode ENUMERATED, matchedDN OCTET STRING, diagnosticMessage OCTET STRING, ... } }   RFC 4511 4.12 */
enum verdict judge_ldap(struct talk *t, const struct step *step, struct slice unit)
{
    struct slice message, id, response, code, dn, text;

    (void)step;
    if (!take_ber(&unit, 0x30, &message) || !take_ber(&message, 0x02, &id) ||
        !take_ber(&message, 0x78, &response) || !take_ber(&response, 0x0a, &code) ||
        !take_ber(&response, 0x04, &dn) || !take_ber(&response, 0x04, &text) || id.len != 1 ||
        code.len != 1)
        return VERDICT_GARBLED;
    if (id.p[0] == 1 && code.p[0] == 0)
        return VERDICT_GO;
    t->told = text;
    /* the words are optional; the number says it, too (RFC 4511 A) */
    if (!text.len)
        t->why = code.p[0] == 2    ? "it does not know StartTLS (protocolError)"
                 : code.p[0] == 1  ? "it cannot now (operationsError)"
                 : code.p[0] == 52 ? "it has no TLS (unavailable)"
                                   : "it does not say why";
    return VERDICT_REFUSED;
}

/* ---------------------------------------------------------------- databases */

/* ErrorResponse: fields of one byte (M: the message) and a string each. */
static struct slice postgres_message(struct slice fields)
{
    while (fields.len > 1 && fields.p[0]) {
        const uint8_t *end = memchr(fields.p + 1, 0, fields.len - 1);
        struct slice text =
            slice_of(fields.p + 1, end ? (size_t)(end - fields.p) - 1 : fields.len - 1);

        if (fields.p[0] == 'M' || !end)
            return text;
        fields = after(fields, text.len + 2);
    }
    return slice_of(fields.p, 0);
}

enum verdict judge_postgres(struct talk *t, const struct step *step, struct slice unit)
{
    (void)step;
    if (unit.p[0] == 'S')
        return VERDICT_GO;
    if (unit.p[0] == 'N')
        t->why = "it has TLS switched off (ssl = off)";
    else
        t->told = postgres_message(after(unit, 5));
    return VERDICT_REFUSED;
}

/* Protocol::HandshakeV10: 10, version string, thread id[4], salt[8], 0, capabilities[2]. ERR_Packet: 0xff,
 * code[2], ["#", state[5],] message. */
enum verdict judge_mysql(struct talk *t, const struct step *step, struct slice unit)
{
    struct slice body = after(unit, 4), rest;
    const uint8_t *end;

    (void)step;
    if (body.len >= 3 && body.p[0] == 0xff) {
        t->told = after(body, body.len > 9 && body.p[3] == '#' ? 9 : 3);
        return VERDICT_REFUSED;
    }
    if (body.len < 2 || body.p[0] != 10 || unit.p[3] != 0)
        return VERDICT_GARBLED;
    end = memchr(body.p + 1, 0, body.len - 1);
    if (!end)
        return VERDICT_GARBLED;
    rest = after(body, (size_t)(end - body.p) + 1);
    if (rest.len < 15)
        return VERDICT_GARBLED;
    /* CLIENT_SSL is bit 11 */
    if (rest.p[14] & 0x08)
        return VERDICT_GO;
    t->why = "it has TLS switched off (have_ssl is not YES)";
    return VERDICT_REFUSED;
}
