/* scan.h: what `handfast scan` finds out about a server. Numbers are those on the wire; times are in
 * seconds. */
#ifndef CLI_SCAN_H
#define CLI_SCAN_H

#include <pthread.h>
#include <stdatomic.h>

#include "bytes/bytes.h"
#include "cli/options.h"
#include "cli/progress.h"
#include "cli/target.h"

enum scan_version {
    SCAN_SSL2,
    SCAN_SSL3,
    SCAN_TLS10,
    SCAN_TLS11,
    SCAN_TLS12,
    SCAN_TLS13,
    SCAN_VERSIONS
};

/* A list of numbers, in some order of preference. */
#define SCAN_NUMBERS 512
struct numbers {
    uint16_t n[SCAN_NUMBERS];
    size_t count;
};

/* How a server answered a hello. */
enum answer_kind {
    ANSWER_NONE,  /* nobody has asked */
    ANSWER_HELLO, /* with a ServerHello */
    ANSWER_ALERT,
    ANSWER_CLOSED,  /* it ended the connection */
    ANSWER_RESET,   /* it broke it off */
    ANSWER_SILENT,  /* it said nothing for as long as we wait */
    ANSWER_NO_DOOR, /* it took no connection */
    ANSWER_STRANGE, /* what came is not TLS: `what` has the words */
};

struct answer {
    enum answer_kind kind;
    uint8_t alert; /* ALERT */
    uint8_t compression;
    bool retry;                             /* it was a HelloRetryRequest */
    uint16_t version, suite, group, scheme; /* group and scheme: 0 where it does not tell */
    unsigned dh_bits;                       /* of a prime that was sent; 0: none */
    bool dh_named;                          /* and it is one of RFC 7919 */
    bool renegotiation_info, extended_master_secret, session_ticket, status_request;
    bool encrypt_then_mac, heartbeat, complete; /* complete: the flight came to its end */
    bool has_id;                                /* a session ID of the server's own choice */
    bool stapled;
    size_t encrypted; /* bytes behind a ServerHello of TLS 1.3 */
    /* body of the Certificate of TLS 1.2 and older, or NULL; free() it */
    uint8_t *certificates;
    size_t certificates_len;
    double connect_time, hello_time; /* TCP, and from our hello to the last byte that counts */
    char what[200];
};

struct hello; /* scan_hello.h */

/* One suite that a version takes. */
struct scan_suite {
    uint16_t id;
    uint16_t group;
    unsigned dh_bits;
    bool dh_named;
};

enum scan_order { ORDER_UNKNOWN, ORDER_SERVER, ORDER_SERVER_CHACHA, ORDER_CLIENT, ORDER_MIXED };

struct scan_offer {
    bool taken;
    double hello_time;     /* of the first answer */
    struct answer refusal; /* how it was refused */
    struct scan_suite suite[SCAN_NUMBERS];
    size_t count;
    enum scan_order order;
    bool cut;            /* the server stopped answering before the list was through */
    bool by_parts;       /* only with short lists: long hellos are not understood */
    struct answer shown; /* of the first answer: its extensions */
};

#define SCAN_CHAINS 8
struct scan_chain {
    hf_certificate *certificate[16];
    size_t count;
    bool judged;      /* verdict is there */
    hf_error verdict; /* HF_OK: good, by our trust and for the name */
};

#define SCAN_SSL2_SPECS 16

enum tri { UNKNOWN, NO, YES };

struct scan_talk { /* what a whole handshake of TLS 1.3, or of the best older version, showed */
    bool done;
    hf_error failure;
    double time; /* of the handshake */
    uint16_t version, suite, group, signature;
    bool stapled, timestamps;
    size_t tickets;
    uint32_t lifetime, early_data;
    enum tri resumed_ticket, resumed_id;
    enum tri renegotiation; /* begun by the client */
    enum tri client_auth;   /* it asks for a certificate */
};

struct scan_result {
    struct scan_offer offer[SCAN_VERSIONS];
    struct numbers ssl2_specs_high,
        ssl2_specs; /* 3-byte numbers: first byte, and the other two */
    struct numbers groups13, groups12, schemes13, schemes12;
    bool groups13_client, groups12_client; /* the client's order counts */
    bool schemes12_ignored;                /* it signs with what was not offered */
    struct scan_chain chain[SCAN_CHAINS];
    size_t chains;
    struct scan_talk new, old; /* TLS 1.3, TLS 1.2 and older */
    enum tri compression, fallback_scsv;
    char protocols[16][32]; /* of ALPN, in the server's order */
    size_t protocol_count;
    enum tri alpn;              /* NO: it knows none */
    const char *intolerant[16]; /* of what it should have ignored */
    size_t intolerant_count;
    char address[128];
    double connect_time; /* least */
    double time;         /* of it all */
    size_t connections, failures, most_at_once;
    bool gave_up; /* it stopped taking connections */
};

/* What all tasks share. */
struct scan {
    const struct options *o;
    const struct target *t;
    struct scan_result *r;
    char name[256]; /* that is asked for and verified */
    bool sni;       /* and sent */
    char url[600];  /* tcp://ADDRESS, once it is known */
    double timeout;
    unsigned parallel;
    pthread_mutex_t lock; /* of r, but for what belongs to one task */
    atomic_uint connections, failures, strikes;
    atomic_bool gave_up;
    struct numbers suites, suites13, groups, groups13, schemes;
    struct progress bar;
    atomic_uint done;
};

/* ---------------------------------------------------------------- scan_list.c: what numbers mean */

/* scan_lists fills the lists of all that has a name. */
void scan_lists(struct scan *s);
const char *scan_suite_name(uint16_t id);
const char *scan_group_name(uint16_t id);
const char *scan_scheme_name(uint16_t id);

/* A suite's properties, from its name. */
enum {
    SUITE_EXPORT = 1,
    SUITE_NULL = 2,
    SUITE_RC4 = 4,
    SUITE_TRIPLE_DES = 8,
    SUITE_DES = 16, /* and other ciphers of less than 112 bits */
    SUITE_ANON = 32,
    SUITE_NO_SECRECY = 64, /* no forward secrecy */
    SUITE_CBC = 128,
    SUITE_MD5 = 256,
    SUITE_STATIC_RSA = 512,
    SUITE_ECDHE = 1024,
    SUITE_DHE = 2048,
    SUITE_PSK = 4096,
    SUITE_SMALL_BLOCK = 8192, /* of 64 bits, other than the above */
    SUITE_CHACHA = 16384,
    SUITE_SIGNED = 32768, /* its key exchange is signed */
};
unsigned scan_suite_marks(uint16_t id);
unsigned scan_suite_bits(uint16_t id);
const char *scan_version_name(enum scan_version v);
uint16_t scan_version_number(enum scan_version v);

bool numbers_have(const struct numbers *list, uint16_t n);
void numbers_add(struct numbers *list, uint16_t n);
void numbers_remove(struct numbers *list, uint16_t n);

/* ---------------------------------------------------------------- scan_probe.c: one connection */

/* scan_ask sends a hello and reads the answer. Never waits longer than the time-out in all. `flight`:
 * read to the end of the server's flight. The caller clears the answer. */
void scan_ask(struct scan *s, const struct hello *h, bool flight, struct answer *out);
void scan_ask_ssl2(struct scan *s, struct answer *out);
void answer_clear(struct answer *a);
enum { ANSWER_WORDS = 224 };
/* answer_words says it in words: "alert handshake_failure", "closed the connection". */
const char *answer_words(const struct answer *a, char out[ANSWER_WORDS]);

/* scan_stream opens a connection that is ready for TLS, or sets out->kind and what. */
struct hf_stream *scan_stream(struct scan *s, struct answer *out);

/* ---------------------------------------------------------------- scan_talk.c: whole handshakes */

void scan_talk13(struct scan *s);
void scan_talk_old(struct scan *s);
void scan_talk_alpn(struct scan *s);
/* scan_talk_judge verifies the chains that have not been seen in a whole handshake yet. */
void scan_talk_judge(struct scan *s);
void scan_talk_renegotiate(struct scan *s);
void scan_talk_resume_id(struct scan *s);
/* scan_talk_scheme: whether TLS 1.3 signs with this. */
bool scan_talk_scheme(struct scan *s, uint16_t scheme);

/* ---------------------------------------------------------------- scan_tasks.c */

/* scan_all asks everything; false: nobody speaks TLS or SSL there, *err says why. */
bool scan_all(struct scan *s, hf_error *err);

/* scan_keep_chain notes a chain, if it is a new one. */
void scan_keep_chain(struct scan *s, const struct slice *der, size_t count,
                     const hf_error *verdict);

/* ---------------------------------------------------------------- scan_findings.c */

enum severity { SEVERITY_NOTE, SEVERITY_WEAK, SEVERITY_BAD };
struct finding {
    enum severity severity;
    char id[32];           /* "ssl3", for programs */
    char what[200];        /* a sentence */
    const char *reference; /* RFC or attack */
};
#define SCAN_FINDINGS 80
struct findings {
    struct finding f[SCAN_FINDINGS];
    size_t count;
};
/* scan_judge names what is weak, worst first. */
void scan_judge(const struct scan *s, int64_t now, struct findings *out);

/* ---------------------------------------------------------------- scan_table.c, scan_json.c */

void scan_table(struct text *out, const struct scan *s, const struct findings *f, bool colour);
void scan_json(struct text *out, const struct scan *s, const struct findings *f);
const char *scan_order_name(enum scan_order o);
const char *scan_severity_name(enum severity s);

#endif
