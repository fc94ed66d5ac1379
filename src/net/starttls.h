/* starttls.h: what protocols say before TLS. Pure: bytes in, verdicts out. The talk itself is opening.c's. */
#ifndef NET_STARTTLS_H
#define NET_STARTTLS_H

#include "bytes/bytes.h"
#include "handfast_starttls.h"

/* How the bytes of a side fall into units. */
enum frame {
    FRAME_LINE,    /* text that ends with a newline */
    FRAME_TAG,     /* an XML tag, or the text before one */
    FRAME_BER,     /* one BER element, of definite length */
    FRAME_PACKET,  /* MySQL: three bytes of length (little end first), a number, the body */
    FRAME_ANSWER,  /* PostgreSQL's answer: one byte, or an ErrorResponse */
    FRAME_STARTUP, /* PostgreSQL's client: four bytes of length, the body */
};

/* STARTTLS_UNIT_MAX: a longer unit is refused. */
#define STARTTLS_UNIT_MAX ((size_t)16384)

/* starttls_unit finds the first unit of in: 1 with its length, 0 if more bytes are needed, -1 if none can
 * begin like this. scanned: how much of in was seen without success before (0 at first); it is kept for
 * the next call, so that a unit that comes in drips costs no more than one that does not. */
int starttls_unit(enum frame frame, struct slice in, size_t *scanned, size_t *len);

enum verdict {
    VERDICT_MORE, /* the answer goes on with another unit, or this one does not matter */
    VERDICT_GO,   /* that was the answer: on to the next step */
    VERDICT_REFUSED,
    VERDICT_GARBLED, /* the protocol has no such answer here */
};

/* What is remembered while an answer is judged. */
struct talk {
    unsigned code;     /* of a reply with several lines that has begun */
    bool offered;      /* the server has said that it can start TLS */
    bool tag_open;     /* XMPP: <proceed> has begun and not ended */
    struct slice told; /* REFUSED: the peer's own words, in the unit; or empty */
    const char *why;   /* REFUSED, where the peer said nothing against it; else NULL */
};

struct step {
    /* %l: local name, %d: domain; NULL: nothing. Bytes as they are if say_len is not 0 */
    const char *say;
    size_t say_len;
    enum verdict (*judge)(struct talk *t, const struct step *step, struct slice unit);
    unsigned code;      /* that means yes; for judges of numbers */
    bool must_offer;    /* the answer must say that TLS can be started */
    const char *answer; /* what is waited for, in words */
};

#define STEPS_MAX 3

/* A server's answer to a command; the command is "" for whatever else comes. */
struct answer {
    const char *command;
    const char *say; /* %l: local name, %t: IMAP's tag */
    enum { ANSWER_STAY, ANSWER_GO, ANSWER_END } then;
};

struct server_script {
    enum frame frame;
    const char *greeting; /* NULL: none */
    bool tagged;          /* commands have a tag before them (IMAP) */
    const struct answer *answers;
    /* instead of answers, where commands are no lines: what to say goes to say. */
    enum verdict (*serve)(struct slice unit, struct slice *say, bool *end);
};

struct starttls {
    hf_starttls_protocol about;
    enum frame frame;
    bool chatty; /* the server may say more than it was asked for */
    struct step steps[STEPS_MAX];
};

/* starttls_find finds a protocol by name, whatever its letter case; NULL if it is unknown. */
const struct starttls *starttls_find(const char *name, size_t len);

/* starttls_table is all of them. */
const struct starttls *starttls_table(size_t *count);

/* starttls_server_script is a protocol's server's part, or NULL. */
const struct server_script *starttls_server_script(const char *name);

/* starttls_answer finds a server's answer to a line; tag (33 bytes) receives IMAP's. */
const struct answer *starttls_answer(const struct server_script *script, struct slice line,
                                     char tag[33]);

/* The judges. */
enum verdict judge_smtp(struct talk *t, const struct step *step, struct slice unit);
enum verdict judge_ftp(struct talk *t, const struct step *step, struct slice unit);
enum verdict judge_nntp(struct talk *t, const struct step *step, struct slice unit);
enum verdict judge_imap_greeting(struct talk *t, const struct step *step, struct slice unit);
enum verdict judge_imap(struct talk *t, const struct step *step, struct slice unit);
enum verdict judge_pop3(struct talk *t, const struct step *step, struct slice unit);
enum verdict judge_sieve(struct talk *t, const struct step *step, struct slice unit);
enum verdict judge_irc(struct talk *t, const struct step *step, struct slice unit);
enum verdict judge_xmpp_features(struct talk *t, const struct step *step, struct slice unit);
enum verdict judge_xmpp_proceed(struct talk *t, const struct step *step, struct slice unit);
enum verdict judge_ldap(struct talk *t, const struct step *step, struct slice unit);
enum verdict judge_postgres(struct talk *t, const struct step *step, struct slice unit);
enum verdict judge_mysql(struct talk *t, const struct step *step, struct slice unit);

#endif
