/* What is said before TLS: scripted servers, scripted clients, and the two of ours against each other. */
#include <semaphore.h>

#include "handfast_starttls.h"
#include "net/opening.h"
#include "tlspeer.h"

#define LINES 4

struct line {
    const char *expect; /* what the client must say first; NULL: nothing */
    const char *reply;
    size_t expect_len, reply_len; /* 0: strlen */
};

struct script {
    const char *protocol;
    struct line lines[LINES];
};

#define BYTES(s) s, sizeof(s) - 1

#define MYSQL_GREETING                                                                         \
    "\x29\0\0\0\x0a"                                                                           \
    "8.0.36\0"                                                                                 \
    "\1\0\0\0"                                                                                 \
    "saltsalt\0"                                                                               \
    "\xff\xff\x21\2\0\xff\xff\x15\0\0\0\0\0\0\0\0\0\0"                                         \
    "ab"
#define MYSQL_REQUEST                                                                          \
    "\x20\0\0\x01\x05\xaa\x08\0\0\0\0\x01\x2d"                                                 \
    "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"
#define LDAP_REQUEST                                                                           \
    "\x30\x1d\x02\x01\x01\x77\x18\x80\x16"                                                     \
    "1.3.6.1.4.1.1466.20037"
#define LDAP_YES "\x30\x0c\x02\x01\x01\x78\x07\x0a\x01\x00\x04\x00\x04\x00"
#define XMPP_HEAD                                                                              \
    "<?xml version='1.0'?><stream:stream xmlns='jabber:client' "                               \
    "xmlns:stream='http://etherx.jabber.org/streams'"
#define XMPP_TLS "xmlns='urn:ietf:params:xml:ns:xmpp-tls'"

/* clang-format off */
static const struct script scripts[] = {
    {"smtp", {{NULL, "220-mail.example\r\n220 ESMTP\r\n", 0, 0},
              {"EHLO client.example\r\n", "250-mail.example\r\n250-SIZE 1000\r\n250-starttls\r\n250 HELP\r\n", 0, 0},
              {"STARTTLS\r\n", "220 2.0.0 Ready\r\n", 0, 0}}},
    {"submission", {{NULL, "220 \r\n", 0, 0},
              {"EHLO client.example\r\n", "250-mail.example\n250 STARTTLS\n", 0, 0},
              {"STARTTLS\r\n", "220-go\r\n220 ahead\r\n", 0, 0}}},
    {"lmtp", {{NULL, "220 LMTP\r\n", 0, 0},
              {"LHLO client.example\r\n", "250 STARTTLS\r\n", 0, 0},
              {"STARTTLS\r\n", "220 go\r\n", 0, 0}}},
    {"imap", {{NULL, "* OK [CAPABILITY IMAP4rev1] ready\r\n* a line that nobody asked for\r\n", 0, 0},
              {"a1 STARTTLS\r\n", "* CAPABILITY IMAP4rev1\r\na1 OK go\r\n", 0, 0}}},
    {"pop3", {{NULL, "+OK <1896.697170952@dbc.mtview.ca.us>\r\n", 0, 0},
              {"STLS\r\n", "+OK Begin TLS\r\n", 0, 0}}},
    {"ftp",  {{NULL, "120 a moment\r\n220-Welcome\r\n 220 is not the end\r\nnor this\r\n220 ready\r\n", 0, 0},
              {"AUTH TLS\r\n", "234 Proceed\r\n", 0, 0}}},
    {"xmpp", {{XMPP_HEAD " to='localhost' version='1.0'>",
               XMPP_HEAD " id='a>b' version=\"1.0\">\n<stream:features><starttls " XMPP_TLS
               "><required/></starttls><mechanisms><mechanism>PLAIN</mechanism></mechanisms></stream:features>", 0, 0},
              {"<starttls " XMPP_TLS "/>", "<proceed " XMPP_TLS "/>", 0, 0}}},
    {"xmpp-server", {{"<?xml version='1.0'?><stream:stream xmlns='jabber:server' "
               "xmlns:stream='http://etherx.jabber.org/streams' from='client.example' to='localhost' version='1.0'>",
               "<stream:stream><stream:features><starttls " XMPP_TLS "/></stream:features>", 0, 0},
              {"<starttls " XMPP_TLS "/>", "<proceed " XMPP_TLS "></proceed>", 0, 0}}},
    {"ldap", {{LDAP_REQUEST, LDAP_YES, sizeof LDAP_REQUEST - 1, sizeof LDAP_YES - 1}}},
    {"nntp", {{NULL, "201 no posting\r\n", 0, 0}, {"STARTTLS\r\n", "382 go\r\n", 0, 0}}},
    {"sieve", {{NULL, "\"IMPLEMENTATION\" \"x\"\r\n\"STARTTLS\"\r\n\"SASL\" \"\"\r\nOK \"ready\"\r\n", 0, 0},
              {"STARTTLS\r\n", "OK\r\n", 0, 0}}},
    {"postgres", {{"\0\0\0\x08\x04\xd2\x16\x2f", "S", 8, 0}}},
    {"mysql", {{NULL, MYSQL_GREETING, 0, sizeof MYSQL_GREETING - 1}}},
    {"irc",  {{"STARTTLS\r\n", ":irc NOTICE * :*** Looking up your hostname\r\nPING :x\r\n:irc 670 * :go\r\n", 0, 0}}},
};
/* clang-format on */

enum { SCRIPTS = sizeof scripts / sizeof *scripts };

struct play {
    hf_stream *client;
    int fd; /* the scripted side's */
    size_t next;
    char heard[512], to_say[70000];
    size_t heard_len, say_len, said;
    bool drip;
    hf_error err;
};

static const hf_start_tls_options names = {.peer_name = "localhost",
                                           .local_name = "client.example"};

static void play_begin(struct play *p, double seconds)
{
    hf_net_options options = {.non_blocking = true, .connect_timeout = seconds};
    int fd[2];

    *p = (struct play){0};
    pair_of(fd);
    p->client = wrap_ok(fd[0], &options);
    p->fd = fd[1];
}

static void play_end(struct play *p)
{
    hf_close(p->client, NULL);
    if (p->fd >= 0)
        close(p->fd);
}

static size_t len_of(const char *p, size_t len)
{
    return len ? len : strlen(p);
}

/* The scripted server's turn: hears what it must, says what it has. */
static bool server_turn(struct play *p, const struct script *script, const char *behind)
{
    const struct line *line = p->next < LINES ? &script->lines[p->next] : NULL;

    if (p->said < p->say_len) {
        size_t n = p->drip ? 1 : p->say_len - p->said;

        CHECK(send(p->fd, p->to_say + p->said, n, 0) == (ssize_t)n);
        p->said += n;
        return true;
    }
    if (!line || !line->reply)
        return false;
    size_t want = line->expect ? len_of(line->expect, line->expect_len) : 0;
    ssize_t n = p->heard_len < want
                    ? recv(p->fd, p->heard + p->heard_len, want - p->heard_len, MSG_DONTWAIT)
                    : 0;
    if (n > 0)
        p->heard_len += (size_t)n;
    if (p->heard_len < want)
        return false;
    CHECK(want == 0 || memcmp(p->heard, line->expect, want) == 0);
    p->heard_len = 0;
    p->said = 0;
    p->say_len = len_of(line->reply, line->reply_len);
    memcpy(p->to_say, line->reply, p->say_len);
    p->next++;
    if (behind && (p->next == LINES || !script->lines[p->next].reply)) {
        memcpy(p->to_say + p->say_len, behind, strlen(behind));
        p->say_len += strlen(behind);
    }
    return true;
}

/* Plays a script until the client has a result. It ends with the ClientHello being waited for: HF_AGAIN. */
static int play(struct play *p, const struct script *script, const hf_start_tls_options *o,
                const char *behind)
{
    int r = HF_AGAIN, idle = 0;

    for (int turns = 0; turns < 100000 && r == HF_AGAIN && idle < 10; turns++) {
        r = hf_starttls(p->client, script->protocol, client_config, o, &p->err);
        idle = server_turn(p, script, behind) ? 0 : idle + 1;
    }
    return r;
}

static bool told(const hf_error *err, hf_code code)
{
    if (err->code != code)
        printf("    %s: %s\n", hf_code_name(err->code), err->detail);
    return err->code == code;
}

/* Both ends do TLS now; then a line goes each way. */
static void finish(struct play *p, bool mysql)
{
    hf_net_options options = {.non_blocking = true};
    char request[sizeof MYSQL_REQUEST - 1];

    /* that is not answered, and TLS follows at once */
    if (mysql) {
        CHECK_INT(recv(p->fd, request, sizeof request, 0), sizeof request);
        CHECK(memcmp(request, MYSQL_REQUEST, sizeof request) == 0);
    }
    hf_error err = {0};
    hf_stream *server = wrap_ok(p->fd, &options);
    int a = HF_AGAIN, b = HF_AGAIN;
    char line[64] = "";

    p->fd = -1;
    for (int turns = 0; turns < 200 && (a == HF_AGAIN || b == HF_AGAIN); turns++) {
        if (b == HF_AGAIN)
            b = hf_start_tls(server, HF_SERVER, server_config, NULL, &err);
        if (a == HF_AGAIN)
            a = hf_stream_handshake(p->client, &p->err);
    }
    CHECK_INT(a, 0);
    CHECK_INT(b, 0);
    if (a || b)
        printf("    %s / %s\n", p->err.detail, err.detail);
    CHECK_INT(hf_write(p->client, "EHLO client.example\r\n", 21, NULL), 21);
    CHECK_INT(hf_read_line(server, line, sizeof line, NULL), 21);
    CHECK_STR(line, "EHLO client.example\r\n");
    CHECK_INT(hf_write(server, "250 again\r\n", 11, NULL), 11);
    CHECK_INT(hf_read_line(p->client, line, sizeof line, NULL), 11);
    hf_close(server, NULL);
}

static void test_openings(void)
{
    ROW("T21");
    for (int i = 0; i < SCRIPTS; i++) {
        struct play p;

        play_begin(&p, PLENTY);
        CHECK_INT(play(&p, &scripts[i], &names, NULL), HF_AGAIN);
        if (p.err.code)
            printf("    %s: %s\n", scripts[i].protocol, p.err.detail);
        CHECK(p.client->opening == NULL && p.client->ops == &tls_stream_ops);
        finish(&p, strcmp(scripts[i].protocol, "mysql") == 0);
        play_end(&p);
    }
}

static void test_dripping(void)
{
    for (int i = 0; i < SCRIPTS; i++) {
        struct play p;

        play_begin(&p, PLENTY);
        p.drip = true;
        CHECK_INT(play(&p, &scripts[i], &names, NULL), HF_AGAIN);
        CHECK(p.client->ops == &tls_stream_ops);
        finish(&p, strcmp(scripts[i].protocol, "mysql") == 0);
        play_end(&p);
    }
}

/* In each protocol: what comes behind the server's yes, in the same segment or in the next. */
static void test_injected(void)
{
    ROW("T28");
    for (int i = 0; i < SCRIPTS; i++)
        for (int dripping = 0; dripping < 2; dripping++) {
            struct play p;
            int r;

            play_begin(&p, PLENTY);
            p.drip = false;
            if (dripping) { /* the yes alone, then EVIL before the ClientHello has gone */
                int turns = 0;

                while (p.next < LINES && scripts[i].lines[p.next].reply && turns++ < 100) {
                    (void)server_turn(&p, &scripts[i], NULL);
                    if (p.next < LINES && scripts[i].lines[p.next].reply)
                        (void)hf_starttls(p.client, scripts[i].protocol, client_config, &names,
                                          &p.err);
                }
                while (server_turn(&p, &scripts[i], NULL))
                    ;
                CHECK_INT(send(p.fd, "EVIL\r\n", 6, 0), 6);
                r = hf_starttls(p.client, scripts[i].protocol, client_config, &names, &p.err);
                if (r == HF_AGAIN)
                    r = hf_starttls(p.client, scripts[i].protocol, client_config, &names,
                                    &p.err);
            } else {
                r = play(&p, &scripts[i], &names, "EVIL\r\n");
            }
            if (r != -1 || p.err.code != HF_E_INJECTED_PLAINTEXT)
                printf("    %s, %d: %d\n", scripts[i].protocol, dripping, r);
            CHECK_INT(r, -1);
            CHECK(told(&p.err, HF_E_INJECTED_PLAINTEXT));
            CHECK(strstr(p.err.detail, "EVIL") != NULL);
            /* and the stream stays refused */
            char byte;
            hf_error err = {0};
            CHECK_INT(hf_read(p.client, &byte, 1, &err), -1);
            CHECK(told(&err, HF_E_INJECTED_PLAINTEXT));
            CHECK_INT(hf_write(p.client, "x", 1, &err), -1);
            play_end(&p);
        }
}

/* An answer to a command that was not given yet. */
static void test_too_early(void)
{
    /* clang-format off */
    static const struct script early[] = {
        {"smtp", {{NULL, "220 a\r\n250 STARTTLS\r\n220 go\r\n", 0, 0}}},
        {"smtp",
         {{NULL, "220 a\r\n", 0, 0},
          {"EHLO client.example\r\n", "250 STARTTLS\r\n220 go\r\n", 0, 0}}},
        {"pop3", {{NULL, "+OK\r\n+OK\r\n", 0, 0}}},
        {"ftp", {{NULL, "220 a\r\n234 go\r\n", 0, 0}}},
        {"nntp", {{NULL, "200 a\r\n382 go\r\n", 0, 0}}},
        {"sieve", {{NULL, "\"STARTTLS\"\r\nOK\r\nOK\r\n", 0, 0}}},
        {"ldap", {{NULL, LDAP_YES, 0, sizeof LDAP_YES - 1}}},
        {"postgres", {{NULL, "S", 0, 0}}},
        {"mysql", {{NULL, MYSQL_GREETING "\0\0\0\2", 0, sizeof MYSQL_GREETING + 3}}},
    };
    /* clang-format on */

    for (size_t i = 0; i < sizeof early / sizeof *early; i++) {
        struct play p;

        play_begin(&p, PLENTY);
        /* what lies there before the client is asked for anything */
        (void)server_turn(&p, &early[i], NULL);
        (void)server_turn(&p, &early[i], NULL);
        CHECK_INT(play(&p, &early[i], &names, NULL), -1);
        CHECK(told(&p.err, HF_E_INJECTED_PLAINTEXT));
        play_end(&p);
    }
}

static void test_refused(void)
{
    /* clang-format off */
    static const struct { struct script script; hf_code code; const char *text; } rows[] = {
        {{"smtp", {{NULL, "554 5.7.1 You have no business here\r\n", 0, 0}}}, HF_E_STARTTLS_REFUSED, "554 5.7.1 You have no business here"},
        {{"smtp", {{NULL, "421-too\r\n421 busy\r\n", 0, 0}}}, HF_E_STARTTLS_REFUSED, "421 busy"},
        {{"smtp", {{NULL, "220 a\r\n", 0, 0}, {"EHLO client.example\r\n", "502 what?\r\n", 0, 0}}}, HF_E_STARTTLS_REFUSED, "502 what?"},
        {{"smtp", {{NULL, "220 a\r\n", 0, 0}, {"EHLO client.example\r\n", "250-a\r\n250 SIZE\r\n", 0, 0}}}, HF_E_STARTTLS_REFUSED, "does not offer"},
        {{"smtp", {{NULL, "220 a\r\n", 0, 0}, {"EHLO client.example\r\n", "250 STARTTLS\r\n", 0, 0}, {"STARTTLS\r\n", "454 4.7.0 TLS not available\r\n", 0, 0}}}, HF_E_STARTTLS_REFUSED, "454 4.7.0 TLS not available"},
        {{"smtp", {{NULL, "* OK IMAP\r\n", 0, 0}}}, HF_E_STARTTLS_REPLY, "* OK IMAP"},
        {{"smtp", {{NULL, "220-a\r\n250 b\r\n", 0, 0}}}, HF_E_STARTTLS_REPLY, "250 b"},
        {{"smtp", {{NULL, "22\r\n", 0, 0}}}, HF_E_STARTTLS_REPLY, "greeting"},
        {{"imap", {{NULL, "* BYE too busy\r\n", 0, 0}}}, HF_E_STARTTLS_REFUSED, "* BYE too busy"},
        {{"imap", {{NULL, "* PREAUTH hello\r\n", 0, 0}}}, HF_E_STARTTLS_REFUSED, "PREAUTH"},
        {{"imap", {{NULL, "* OK\r\n", 0, 0}, {"a1 STARTTLS\r\n", "a1 BAD no TLS\r\n", 0, 0}}}, HF_E_STARTTLS_REFUSED, "a1 BAD no TLS"},
        {{"imap", {{NULL, "* OK\r\n", 0, 0}, {"a1 STARTTLS\r\n", "a2 OK\r\n", 0, 0}}}, HF_E_STARTTLS_REPLY, "a2 OK"},
        {{"pop3", {{NULL, "+OK\r\n", 0, 0}, {"STLS\r\n", "-ERR Command not permitted\r\n", 0, 0}}}, HF_E_STARTTLS_REFUSED, "-ERR Command not permitted"},
        {{"pop3", {{NULL, "+OKAY\r\n", 0, 0}}}, HF_E_STARTTLS_REPLY, "+OKAY"},
        {{"ftp",  {{NULL, "220 a\r\n", 0, 0}, {"AUTH TLS\r\n", "530 Please login with USER and PASS.\r\n", 0, 0}}}, HF_E_STARTTLS_REFUSED, "530 Please login"},
        {{"nntp", {{NULL, "502 go away\r\n", 0, 0}}}, HF_E_STARTTLS_REFUSED, "502 go away"},
        {{"nntp", {{NULL, "200 a\r\n", 0, 0}, {"STARTTLS\r\n", "580 cannot\r\n", 0, 0}}}, HF_E_STARTTLS_REFUSED, "580 cannot"},
        {{"sieve", {{NULL, "\"SASL\" \"PLAIN\"\r\nOK\r\n", 0, 0}}}, HF_E_STARTTLS_REFUSED, "does not offer"},
        {{"sieve", {{NULL, "BYE \"busy\"\r\n", 0, 0}}}, HF_E_STARTTLS_REFUSED, "BYE"},
        {{"sieve", {{NULL, "\"STARTTLS\"\r\nOK\r\n", 0, 0}, {"STARTTLS\r\n", "NO \"not now\"\r\n", 0, 0}}}, HF_E_STARTTLS_REFUSED, "not now"},
        {{"irc",  {{"STARTTLS\r\n", ":irc 691 * :STARTTLS failed\r\n", 0, 0}}}, HF_E_STARTTLS_REFUSED, ":irc 691 * :STARTTLS failed"},
        {{"irc",  {{"STARTTLS\r\n", ":irc 421 * STARTTLS :Unknown command\r\n", 0, 0}}}, HF_E_STARTTLS_REFUSED, "Unknown command"},
        {{"irc",  {{"STARTTLS\r\n", "ERROR :Closing link\r\n", 0, 0}}}, HF_E_STARTTLS_REFUSED, "Closing link"},
        {{"xmpp", {{NULL, "<stream:stream><stream:features><mechanisms/></stream:features>", 0, 0}}}, HF_E_STARTTLS_REFUSED, "does not offer"},
        {{"xmpp", {{NULL, "<stream:stream><stream:error><host-unknown/>", 0, 0}}}, HF_E_STARTTLS_REFUSED, "<stream:error>"},
        {{"xmpp", {{NULL, "<stream:stream><stream:features><starttls/></stream:features>", 0, 0}, {NULL, "<failure " XMPP_TLS "/>", 0, 0}}}, HF_E_STARTTLS_REFUSED, "<failure"},
        {{"xmpp", {{NULL, "220 mail\r\n<", 0, 0}}}, HF_E_STARTTLS_REPLY, "220 mail"},
        {{"ldap", {{LDAP_REQUEST, "\x30\x12\x02\x01\x01\x78\x0d\x0a\x01\x02\x04\x00\x04\x06" "no TLS", sizeof LDAP_REQUEST - 1, 20}}}, HF_E_STARTTLS_REFUSED, "no TLS"},
        {{"ldap", {{LDAP_REQUEST, "\x30\x0c\x02\x01\x01\x78\x07\x0a\x01\x34\x04\x00\x04\x00", sizeof LDAP_REQUEST - 1, 14}}}, HF_E_STARTTLS_REFUSED, "unavailable"},
        {{"ldap", {{LDAP_REQUEST, "\x30\x0c\x02\x01\x05\x78\x07\x0a\x01\x00\x04\x00\x04\x00", sizeof LDAP_REQUEST - 1, 14}}}, HF_E_STARTTLS_REFUSED, ""},
        {{"ldap", {{LDAP_REQUEST, "\x30\x84\x7f\xff\xff\xff", sizeof LDAP_REQUEST - 1, 6}}}, HF_E_STARTTLS_REPLY, ""},
        {{"ldap", {{LDAP_REQUEST, "\x30\x03\x02\x01\x01", sizeof LDAP_REQUEST - 1, 5}}}, HF_E_STARTTLS_REPLY, ""},
        {{"postgres", {{NULL, NULL, 0, 0}}}, HF_OK, ""},
        {{"postgres", {{"\0\0\0\x08\x04\xd2\x16\x2f", "N", 8, 0}}}, HF_E_STARTTLS_REFUSED, "ssl = off"},
        {{"postgres", {{"\0\0\0\x08\x04\xd2\x16\x2f", "E\0\0\0\x19" "SFATAL\0" "Mtoo many\0" "\0\0\0", 8, 26}}}, HF_E_STARTTLS_REFUSED, "too many"},
        {{"postgres", {{"\0\0\0\x08\x04\xd2\x16\x2f", "HTTP/1.1 400\r\n", 8, 0}}}, HF_E_STARTTLS_REPLY, "HTTP/1.1 400"},
        {{"mysql", {{NULL, "\x17\0\0\0\xff\x10\x04#08004Too many connections", 0, 27}}}, HF_E_STARTTLS_REFUSED, NULL},
        {{"mysql", {{NULL, "\x18\0\0\0\x0a" "5\0" "\1\0\0\0saltsalt\0" "\xff\xf7\0\0\0\0\0\0", 0, 28}}}, HF_E_STARTTLS_REFUSED, "switched off"},
        {{"mysql", {{NULL, "\0\0\0\0", 0, 4}}}, HF_E_STARTTLS_REPLY, ""},
        {{"mysql", {{NULL, "\3\0\0\0\x0a" "55", 0, 7}}}, HF_E_STARTTLS_REPLY, ""},
        /* TLS from the first byte */
        {{"irc",  {{"STARTTLS\r\n", "\x15\3\1\0\2\2\x0a\n", 0, 8}}}, HF_E_STARTTLS_REPLY, "speaks TLS already"},
        {{"xmpp", {{NULL, "\x15\3\1\0\2\2\x0a", 0, 7}}}, HF_E_STARTTLS_REPLY, "speaks TLS already"},
        {{"ldap", {{LDAP_REQUEST, "\x15\3\1\0\2\2\x0a", sizeof LDAP_REQUEST - 1, 7}}}, HF_E_STARTTLS_REPLY, "speaks TLS already"},
    };
    /* clang-format on */

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct play p;
        int r;

        if (!rows[i].code)
            continue;
        play_begin(&p, PLENTY);
        r = play(&p, &rows[i].script, &names, NULL);
        if (r != -1 || p.err.code != rows[i].code ||
            (rows[i].text && !strstr(p.err.detail, rows[i].text)))
            printf("    row %zu, %s: %d, %s: %s\n", i, rows[i].script.protocol, r,
                   hf_code_name(p.err.code), p.err.detail);
        CHECK_INT(r, -1);
        CHECK_INT(p.err.code, rows[i].code);
        CHECK(!rows[i].text || strstr(p.err.detail, rows[i].text) != NULL);
        play_end(&p);
    }
}

/* Everything that a server says is bounded. */
static void test_over_long(void)
{
    static char text[70000];
    static const struct {
        const char *protocol, *repeat;
    } rows[] = {
        {"smtp", "x"},       {"smtp", "220-x\r\n"},  {"ftp", "220-x\r\n"}, {"imap", "y"},
        {"irc", "PING\r\n"}, {"sieve", "\"A\"\r\n"}, {"xmpp", "<a>"},      {"xmpp", "<"},
        {"pop3", "+"},       {"irc", "\r\n"},
    };

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        size_t n = strlen(rows[i].repeat), at = 0, sent = 0;
        struct play p;
        int r = HF_AGAIN;

        if (strcmp(rows[i].repeat, "220-x\r\n") == 0)
            n = strlen(rows[i].repeat);
        while (at + n < sizeof text) {
            memcpy(text + at, rows[i].repeat, n);
            at += n;
        }
        play_begin(&p, PLENTY);
        for (int turns = 0; turns < 1000 && r == HF_AGAIN; turns++) {
            ssize_t w = send(p.fd, text + sent, at - sent, MSG_DONTWAIT);
            sent += w > 0 ? (size_t)w : 0;
            r = hf_starttls(p.client, rows[i].protocol, client_config, &names, &p.err);
        }
        CHECK_INT(r, -1);
        CHECK(told(&p.err, HF_E_STARTTLS_REPLY));
        play_end(&p);
    }
}

static void test_silent(void)
{
    struct play p;
    hf_error err = {0};
    double before = now();

    play_begin(&p, 0.2);
    p.client->non_blocking = false;
    CHECK_INT(hf_starttls(p.client, "smtp", client_config, &names, &err), -1);
    CHECK(told(&err, HF_E_TIMEOUT));
    CHECK(strstr(err.hint, "smtps") != NULL);
    took(before, 0.2);
    play_end(&p);

    /* one that lets a byte fall now and then has no more time than one that says nothing */
    play_begin(&p, 0.3);
    int r = HF_AGAIN;
    before = now();
    while (r == HF_AGAIN && now() - before < SOON) {
        CHECK_INT(send(p.fd, "2", 1, 0), 1);
        r = hf_starttls(p.client, "smtp", client_config, &names, &err);
        nap(0.02);
    }
    CHECK_INT(r, -1);
    CHECK(told(&err, HF_E_TIMEOUT));
    took(before, 0.3);
    play_end(&p);

    play_begin(&p, PLENTY);
    close(p.fd);
    p.fd = -1;
    CHECK_INT(hf_starttls(p.client, "imap", client_config, &names, &err), -1);
    CHECK(told(&err, HF_E_STARTTLS_REPLY));
    CHECK(strstr(err.detail, "closed") != NULL);
    play_end(&p);
}

static void test_usage(void)
{
    struct play p;
    hf_error err = {0};
    hf_start_tls_options o = names;

    play_begin(&p, PLENTY);
    CHECK_INT(hf_starttls(p.client, "gopher", client_config, &o, &err), -1);
    CHECK(told(&err, HF_E_USAGE));
    CHECK_INT(hf_starttls(p.client, NULL, client_config, &o, &err), -1);
    CHECK(told(&err, HF_E_USAGE));
    /* no name may smuggle a command */
    o.local_name = "a\r\nMAIL FROM:<x>";
    CHECK_INT(hf_starttls(p.client, "smtp", client_config, &o, &err), -1);
    CHECK(told(&err, HF_E_USAGE));
    o.local_name = NULL;
    o.domain = "a' evil='";
    CHECK_INT(hf_starttls(p.client, "xmpp", client_config, &o, &err), -1);
    CHECK(told(&err, HF_E_USAGE));
    CHECK_INT(hf_starttls_accept(p.client, "mysql", server_config, NULL, &err), -1);
    CHECK(told(&err, HF_E_USAGE));
    CHECK_INT(hf_starttls_accept(p.client, "smtp", NULL, NULL, &err), -1);
    CHECK(told(&err, HF_E_USAGE));
    /* it is still as it was */
    CHECK_INT(play(&p, &scripts[0], &names, NULL), HF_AGAIN);
    finish(&p, false);
    play_end(&p);
}

/* ---- what is said is shown */

static char heard[4096], said[4096];

static void listen_in(bool sent, const void *bytes, size_t len, void *arg)
{
    char *to = sent ? said : heard;

    CHECK(arg == heard);
    strncat(to, bytes, len);
}

static void test_talk(void)
{
    hf_start_tls_options o = names;
    struct play p;

    heard[0] = said[0] = 0;
    o.talk = listen_in;
    o.talk_arg = heard;
    play_begin(&p, PLENTY);
    CHECK_INT(play(&p, &scripts[0], &o, NULL), HF_AGAIN);
    CHECK_STR(said, "EHLO client.example\r\nSTARTTLS\r\n");
    CHECK_STR(heard, "220-mail.example\r\n220 ESMTP\r\n250-mail.example\r\n250-SIZE 1000\r\n"
                     "250-starttls\r\n250 HELP\r\n220 2.0.0 Ready\r\n");
    play_end(&p);
}

/* Without a name the client is its address. */
static void play_ehlo(hf_stream *s)
{
    char line[128];

    CHECK_INT(hf_write(s, "220 a\r\n", 7, NULL), 7);
    CHECK(hf_read_line(s, line, sizeof line, NULL) > 0);
    CHECK_STR(line, "EHLO [127.0.0.1]\r\n");
    CHECK_INT(hf_write(s, "500 enough\r\n", 12, NULL), 12);
    hf_close(s, NULL);
}

static void test_local_name(void)
{
    struct peer p;
    hf_error err = {0};
    char url[96];

    peer_start(&p, "tcp://127.0.0.1:0", play_ehlo);
    snprintf(url, sizeof url, "submission://127.0.0.1:%s", strrchr(p.url, ':') + 1);
    CHECK(hf_open(url, client_config, NULL, &err) == NULL);
    CHECK(told(&err, HF_E_STARTTLS_REFUSED));
    peer_end(&p);
}

/* ---- the server's part */

static void test_both(void)
{
    size_t count;
    const struct starttls *all = starttls_table(&count);
    int served = 0;

    for (size_t i = 0; i < count; i++) {
        hf_net_options options = {.non_blocking = true};
        hf_error err[2] = {{0}, {0}};
        hf_stream *s[2];
        int fd[2], a = HF_AGAIN, b = HF_AGAIN;

        CHECK_INT(all[i].about.server, starttls_server_script(all[i].about.name) != NULL);
        if (!all[i].about.server)
            continue;
        served++;
        pair_of(fd);
        s[0] = wrap_ok(fd[0], &options);
        s[1] = wrap_ok(fd[1], &options);
        for (int turns = 0; turns < 200 && (a == HF_AGAIN || b == HF_AGAIN); turns++) {
            if (a == HF_AGAIN)
                a = hf_starttls(s[0], all[i].about.name, client_config, &names, &err[0]);
            if (b == HF_AGAIN)
                b = hf_starttls_accept(s[1], all[i].about.name, server_config, NULL, &err[1]);
        }
        if (a || b)
            printf("    %s: %s / %s\n", all[i].about.name, err[0].detail, err[1].detail);
        CHECK_INT(a, 0);
        CHECK_INT(b, 0);
        CHECK(hf_conn_verified(hf_stream_conn(s[0])));
        hf_close(s[0], NULL);
        hf_close(s[1], NULL);
    }
    CHECK(served >= 9);
}

/* A client of plain text at a server of ours. */
static void with_client(const char *protocol, const char *says, const char *answers,
                        hf_code code)
{
    hf_net_options options = {.non_blocking = true};
    hf_start_tls_options o = {.local_name = "server.example"};
    hf_error err = {0};
    char got[1024];
    int fd[2], r = HF_AGAIN;
    ssize_t n;
    size_t len = 0;

    pair_of(fd);
    hf_stream *s = wrap_ok(fd[1], &options);
    CHECK_INT(send(fd[0], says, strlen(says), 0), strlen(says));
    for (int turns = 0; turns < 20 && r == HF_AGAIN; turns++)
        r = hf_starttls_accept(s, protocol, server_config, &o, &err);
    CHECK_INT(r, code ? -1 : HF_AGAIN);
    CHECK(told(&err, code));
    while ((n = recv(fd[0], got + len, sizeof got - 1 - len, MSG_DONTWAIT)) > 0)
        len += (size_t)n;
    got[len] = 0;
    CHECK_STR(got, answers);
    hf_close(s, NULL);
    close(fd[0]);
}

static void test_served(void)
{
    with_client(
        "smtp", "HELO a\r\nMAIL FROM:<a@b>\r\nnoop\r\nQUIT\r\n",
        "220 server.example ESMTP\r\n250 server.example\r\n"
        "530 5.7.0 Must issue a STARTTLS command first\r\n250 2.0.0 OK\r\n221 2.0.0 Bye\r\n",
        HF_E_STARTTLS_REFUSED);
    with_client("smtp", "EHLO a\r\n",
                "220 server.example ESMTP\r\n250-server.example\r\n250-ENHANCEDSTATUSCODES\r\n"
                "250 STARTTLS\r\n",
                HF_OK);
    with_client("imap", "a CAPABILITY\r\nb LOGIN me secret\r\nnonsense\r\n",
                "* OK [CAPABILITY IMAP4rev1 STARTTLS LOGINDISABLED] server.example ready\r\n"
                "* CAPABILITY IMAP4rev1 STARTTLS LOGINDISABLED\r\na OK done\r\n"
                "b NO [PRIVACYREQUIRED] STARTTLS comes first\r\n"
                "* NO [PRIVACYREQUIRED] STARTTLS comes first\r\n",
                HF_OK);
    with_client(
        "pop3", "CAPA\r\nUSER me\r\nQUIT\r\n",
        "+OK server.example ready\r\n+OK\r\nSTLS\r\n.\r\n-ERR STLS comes first\r\n+OK\r\n",
        HF_E_STARTTLS_REFUSED);
    with_client(
        "ftp", "FEAT\r\nUSER me\r\n",
        "220 server.example FTP\r\n"
        "211-Features:\r\n AUTH TLS\r\n PBSZ\r\n PROT\r\n211 End\r\n530 AUTH TLS comes first\r\n",
        HF_OK);
    /* behind STARTTLS and not waited for: nothing is said to that */
    with_client("smtp", "STARTTLS\r\nMAIL FROM:<evil@b>\r\n", "220 server.example ESMTP\r\n",
                HF_E_INJECTED_PLAINTEXT);
    with_client("imap", "a STARTTLS\r\nb LOGIN me secret\r\n",
                "* OK [CAPABILITY IMAP4rev1 STARTTLS LOGINDISABLED] server.example ready\r\n",
                HF_E_INJECTED_PLAINTEXT);
    with_client("pop3", "STLS\r\nUSER a\r\n", "+OK server.example ready\r\n",
                HF_E_INJECTED_PLAINTEXT);
    with_client("ftp", "AUTH TLS\r\nUSER a\r\n", "220 server.example FTP\r\n",
                HF_E_INJECTED_PLAINTEXT);
    with_client("smtp", "\x16\3\1\1\1\n", "220 server.example ESMTP\r\n", HF_E_STARTTLS_REPLY);
}

/* ---- URLs */

static void play_once(hf_stream *s)
{
    char line[64];

    CHECK(hf_stream_conn(s) != NULL);
    CHECK_INT(hf_read_line(s, line, sizeof line, NULL), 6);
    CHECK_INT(hf_write(s, line, 6, NULL), 6);
    hf_close(s, NULL);
}

static void by_url(const char *listen, const char *open)
{
    struct tls_peer p;
    char url[96], line[64];

    snprintf(url, sizeof url, "%s://127.0.0.1:0", listen);
    tls_peer_start(&p, url, server_config, 1, play_once);
    snprintf(url, sizeof url, "%s://localhost:%s", open, strrchr(p.url, ':') + 1);
    hf_stream *s = tls_open(url, NULL);
    CHECK(hf_conn_verified(hf_stream_conn(s)));
    CHECK_INT(hf_write(s, "hello\n", 6, NULL), 6);
    CHECK_INT(hf_read_line(s, line, sizeof line, NULL), 6);
    hf_close(s, NULL);
    tls_peer_end(&p);
}

static void test_urls(void)
{
    ROW("Y155");
    by_url("smtp", "smtp");
    by_url("submission", "smtp");
    by_url("imap", "imap");
    by_url("postgres", "postgresql");
}

/* The server says nothing before the client waits for it. */
static sem_t client_waits;

static void *serve_when_awaited(void *arg)
{
    struct tls_peer *p = arg;

    while (sem_wait(&client_waits) != 0)
        ;
    return tls_peer_run(p);
}

/* Connected, talked and shaken hands in the background. */
static void test_background(void)
{
    hf_net_options options = {.non_blocking = true, .connect_timeout = 60};
    struct tls_peer p = {.play = play_once, .clients = 1};
    hf_error err = {0};
    char url[96], line[64];
    int r, turns = 0;
    bool waited = false;

    sem_init(&client_waits, 0, 0);
    p.listener = hf_listen("ftp://127.0.0.1:0", server_config, NULL, &err);
    CHECK(p.listener && hf_listener_url(p.listener, p.url, sizeof p.url) > 0);
    CHECK_INT(pthread_create(&p.thread, NULL, serve_when_awaited, &p), 0);
    snprintf(url, sizeof url, "ftp://localhost:%s", strrchr(p.url, ':') + 1);
    hf_stream *s = hf_open(url, client_config, &options, &err);
    CHECK(s != NULL);
    hf_stream_info info;
    hf_stream_get_info(s, &info);
    CHECK_STR(info.stream_type, "tcp_socket");
    while ((r = hf_stream_handshake(s, &err)) == HF_AGAIN && turns++ < 1000) {
        struct pollfd at = {.fd = hf_stream_fd(s), .events = hf_stream_events(s)};

        CHECK(at.events != 0);
        if (!waited && !s->connecting) { /* the greeting is what it waits for */
            CHECK_INT(at.events, POLLIN);
            CHECK_INT(poll(&at, 1, 0), 0);
            CHECK_INT(hf_stream_handshake(s, &err), HF_AGAIN);
            waited = true;
            sem_post(&client_waits);
        }
        CHECK_INT(poll(&at, 1, -1), 1);
    }
    CHECK_INT(r, 0);
    CHECK(waited);
    CHECK(turns < 100); /* a turn for each thing that comes: it does not spin */
    hf_stream_get_info(s, &info);
    CHECK_STR(info.stream_type, "tcp_socket/ssl");
    CHECK_INT(hf_write(s, "hello\n", 6, &err), 6);
    s->non_blocking = false;
    CHECK_INT(hf_read_line(s, line, sizeof line, &err), 6);
    hf_close(s, NULL);
    tls_peer_end(&p);
    sem_destroy(&client_waits);
}

/* Port 465: TLS from the first byte. */
static void test_implicit(void)
{
    ROW("T20");
    struct url url;
    hf_error err = {0};

    by_url("smtps", "submissions");
    by_url("tls", "smtps");
    CHECK(url_parse("submissions://mail.example.com", &url, &err));
    CHECK_INT(url.port, 465);
    CHECK_INT(url.scheme->kind, SCHEME_TLS);
    CHECK(url_parse("tls://mail.example.com:465", &url, &err));
    CHECK_INT(url.port, 465);
}

static void test_table(void)
{
    const hf_starttls_protocol *row;
    hf_error err = {0};
    char text[96];
    struct url url;
    size_t n = 0;

    while ((row = hf_starttls_protocol_at(n)) != NULL) {
        n++;
        CHECK(hf_starttls_find(row->name) == row);
        snprintf(text, sizeof text, "%s://host.example", row->name);
        CHECK(url_parse(text, &url, &err));
        CHECK_INT(url.port, row->port);
        CHECK_INT(url.scheme->kind, SCHEME_STARTTLS);
        snprintf(text, sizeof text, "%s://[::1]:99", row->name);
        CHECK(url_parse(text, &url, &err) && url.port == 99);
        if (!row->tls_scheme)
            continue;
        snprintf(text, sizeof text, "%s://host.example", row->tls_scheme);
        CHECK(url_parse(text, &url, &err));
        CHECK_INT(url.port, row->tls_port);
        CHECK_INT(url.scheme->kind, SCHEME_TLS);
    }
    CHECK_INT(n, 15);
    CHECK(hf_starttls_find("SMTP") != NULL && hf_starttls_find("gopher") == NULL);
    CHECK(hf_starttls_find(NULL) == NULL);
}

/* ---- without memory */

static void test_memory(void)
{
    for (unsigned long n = 1; n < 60; n++) {
        struct play p;

        play_begin(&p, PLENTY);
        mem_test_fail_after(n);
        (void)play(&p, &scripts[n % SCRIPTS], &names, NULL);
        mem_test_fail_after(0);
        play_end(&p);
        session_cache_clear();
    }
    struct play p;
    play_begin(&p, PLENTY);
    CHECK_INT(play(&p, &scripts[0], &names, NULL), HF_AGAIN);
    finish(&p, false);
    play_end(&p);
}

int main(void)
{
    int files;

    tls_setup();
    files = open_files();
    RUN(test_openings);
    RUN(test_dripping);
    RUN(test_injected);
    RUN(test_too_early);
    RUN(test_refused);
    RUN(test_over_long);
    RUN(test_silent);
    RUN(test_usage);
    RUN(test_talk);
    RUN(test_local_name);
    RUN(test_both);
    RUN(test_served);
    RUN(test_urls);
    RUN(test_background);
    RUN(test_implicit);
    RUN(test_table);
    RUN(test_memory);
    return tls_done(files);
}
