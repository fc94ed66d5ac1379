/* hs.h: one handshake in progress. It is freed (and wiped) when the handshake ends; what lives on
 * is in struct established. */
#ifndef HANDSHAKE_HS_H
#define HANDSHAKE_HS_H

#include "extension/extension.h"
#include "handshake/details.h"
#include "handshake/established.h"
#include "handshake/tracer.h"
#include "handshake/transcript.h"
#include "message/message.h"
#include "record/record.h"

enum hs_result {
    HS_OK,
    HS_WAIT, /* for a message from the peer, or for an answer: hs->question.ask says which */
    HS_FAILED,
};

struct hs;
struct stateless;

/* One row of a flow list: what happens, in the order in which the RFC's figures show it. */
struct step {
    char kind; /* '<' receive, '>' send, '.' local work; 0 ends the list */
    uint8_t message;
    bool (*when)(const struct hs *); /* NULL: always. False: the row is skipped */
    bool optional;                   /* '<': may be missing */
    enum hs_result (*run)(struct hs *);
    const char *name;
    const char *rfc;
};

/* A handshake begins with client13 or server13. Where the hellos agree on TLS 1.2 or older, the row that
 * finds out goes on in another list: the full handshake or the abbreviated one (RFC 5246 7.3). */
extern const struct step client13[], server13[];
extern const struct step client12[], client12_resumed[], server12[], server12_resumed[];

/* What the functions that verify have verified. Nothing else sets these bits. */
enum {
    /* the peer's chain leads to a trust anchor, or the application accepted it */
    PROOF_CHAIN = 1,
    PROOF_SIGNATURE = 2, /* the peer holds the certificate's key */
    PROOF_BINDER = 4,    /* server: the client holds the session's secret */
    PROOF_FINISHED = 8,  /* both sides saw the same handshake */
    /* TLS 1.2: the peer's Finished shows that it knows the master secret of a session, a
     * pre-shared key, or one that only the certificate's key could decrypt */
    PROOF_MASTER = 16,
    /* in place of PROOF_CHAIN: the peer's raw public key is one of those that are trusted,
     * or the application accepted it (RFC 7250 6) */
    PROOF_RAW_KEY = 32,
};

struct hs_message {
    uint8_t type;         /* MSG_HELLO_RETRY_REQUEST for that kind of ServerHello */
    const uint8_t *whole; /* with its header */
    size_t len;
};

struct hs {
    struct nego n;
    struct established *est;
    const struct tracer *tracer; /* NULL: none */
    const struct step *step;
    /* the list to go on with behind the row that runs; NULL: the same */
    const struct step *jump;
    bool step_shown;
    bool last_sent; /* or received: */
    uint8_t last;   /* the message of the last row that had one; 0 before */

    /* The way in: handshake bytes that were received, and the message at their front. */
    struct rec_half *in;
    struct buffer *inbuf;
    bool have_in;
    bool ccs_seen; /* the peer's change_cipher_spec has come */
    bool ccs_in;   /* TLS 1.2: change_cipher_spec has come, and is the next "message" */
    /* came before the version was known: only TLS 1.3 allows that (RFC 8446 D.4) */
    uint8_t early_ccs;
    /* server: the bytes of a ClientHello in SSL 2.0's format (RFC 5246 E.2) */
    struct buffer v2;
    struct hs_message msg;

    /* The way out: messages of the flight that have no record yet, and finished records. */
    struct rec_half *out;
    struct buffer *output;
    struct buffer flight;
    struct buffer message; /* the message being written */
    bool ccs_sent;

    struct trace_sink sink; /* of the message being read */

    struct transcript transcript;
    /* the transcript before the ClientHello that is being written or answered */
    struct hash before;
    enum hash_id hash;
    uint8_t client_random[RANDOM_SIZE], server_random[RANDOM_SIZE];
    uint8_t session_id[32];
    uint8_t session_id_len;

    /* Key schedule (RFC 8446 7.1). */
    uint8_t secret[HASH_MAX_SIZE]; /* early, handshake, then master secret */
    uint8_t client_hs[HASH_MAX_SIZE], server_hs[HASH_MAX_SIZE];
    uint8_t shared[KX_MAX_SECRET];
    size_t shared_len;

    /* Server: the ClientHello that is being answered, kept for as long as its slices are used. */
    struct buffer hello, first_hello;
    struct ext_values *values;
    struct client_hello ch;
    bool plain_alert;             /* the peer may not have our handshake keys yet */
    uint8_t early[HASH_MAX_SIZE]; /* client_early_traffic_secret */
    uint8_t psk_next;             /* server: the identity whose ticket is being opened */
    int32_t age_skew;             /* server: of the ticket, in seconds */
    bool exporting;               /* server: the exporter's secret is known */
    uint8_t early_exporter[HASH_MAX_SIZE];
    bool psk_before; /* server: the first of two ClientHellos offered a session that will do */
    bool early_in;   /* server: early data is being received */
    bool early_out;  /* client: early data may be sent */
    size_t early_left; /* bytes of it that are still allowed */
    size_t skip_early; /* bytes of early data that may still be dropped (RFC 8446 4.2.10) */

    uint8_t finished[2][HASH_MAX_SIZE]; /* verify_data, of the client and of the server */

    /* TLS 1.2 and older. */
    bool keys_made;
    bool random_made;  /* server: before its hello is written */
    bool secret_given; /* the application has given a master secret; a server resumes with it */
    uint16_t hello_version; /* legacy_version of our ClientHello */
    uint8_t peer_types;     /* client: certificate_types asked for: 1 RSA, 2 ECDSA */
    uint16_t est_signature; /* what the peer signed with */
    uint8_t key_block[2 * (48 + 32 + 16)]; /* RFC 5246 6.3; SHA-384's MAC key is the longest */
    struct kx *own_kx; /* server: ephemeral key behind the ServerKeyExchange */
    /* hint and parameters of ServerKeyExchange; what is signed behind the randoms */
    struct buffer params;
    uint16_t sent_group;      /* of ECDHE or DHE; 0 for parameters that have no name */
    struct buffer dh_p, dh_g; /* client: the server's group */
    uint8_t *exchange;        /* server: what ClientKeyExchange has */
    size_t exchange_len;
    uint8_t *psk_identity, *psk_hint; /* owned */
    size_t psk_identity_len, psk_hint_len;
    uint8_t *psk_key; /* at most PSK_MAX_KEY bytes; owned */
    size_t psk_key_len;
    bool renew_ticket;   /* server: the application wants it */
    bool store_session;  /* server: under its ID, once the handshake is proved */
    uint8_t *new_ticket; /* client: what NewSessionTicket has */
    size_t new_ticket_len;
    uint32_t ticket_lifetime;
    /* client: to be given to the application when the handshake is done; owned */
    hf_session *made;
    bool may_send; /* false start (RFC 7918) */

    /* Authentication. */
    bool credential_given;              /* the application chose it (or chose none) */
    bool no_group, no_ffdhe, no_scheme; /* TLS 1.2: why suites were passed over */
    /* TLS 1.2, server: how well (enum serving) the credential must serve the name */
    uint8_t serving;
    bool cert_requested; /* a CertificateRequest was sent or has come */
    uint8_t *request_context;
    uint8_t request_context_len;
    hf_credential *credential; /* ours; NULL: none */
    uint16_t scheme;           /* that we sign with */
    uint8_t signature[SIG_MAX_SIZE];
    size_t signature_len;
    struct chain *peer_chain;
    unsigned proved;
    const struct packed *packed;    /* our Certificate message, compressed; the credential's */
    struct compression compression; /* of the peer's */

    /* A question to the application. */
    hf_question question;
    bool asked_back; /* it was handed to the callback */
    bool answered;
    hf_credential *answer_credential; /* owned */
    hf_config *answer_config;         /* owned */
    bool answer_accept;
    bool answer_early;
    bool answer_renew;
    hf_session *answer_session; /* owned */
    uint8_t answer_alert;       /* the application ends the handshake with it; 0: it does not */
    hf_error verdict;
    uint8_t *tbs;
    size_t tbs_len;

    struct details *details; /* NULL: none are kept; owned */
    bool cancelled; /* the connection was closed or has failed: no row may run any more */
    bool done;

    struct stateless
        *stateless; /* server: it is to forget its client after a HelloRetryRequest; or NULL */
    struct later *later; /* this is an authentication after the handshake; NULL: a handshake */
};

/* hs_new makes a handshake; it borrows all that it is given. */
struct hs *hs_new(hf_config *config, bool server, hf_conn *conn, struct established *est,
                  const struct tracer *tracer);
void hs_free(struct hs *hs);

/* hs_forget wipes the secrets of a handshake that has failed, and what was collected for it; what a
 * diagnosis speaks about stays. */
void hs_forget(struct hs *hs);

/* hs_run walks down the list as far as it goes. err receives the failure. */
enum hs_result hs_run(struct hs *hs, hf_error *err);

/* hs_step_name: what the handshake is doing or waiting for, "" when it is over. */
const char *hs_step_name(const struct hs *hs);

/* hs_flush turns the flight's messages into records. */
bool hs_flush(struct hs *hs) __attribute__((warn_unused_result));

/* hs_fail records an error at the step that is running. Always HS_FAILED. */
enum hs_result hs_fail(struct hs *hs, hf_code code, const char *fmt, ...)
    __attribute__((format(printf, 3, 4), cold));

/* hs_reader opens the body of the received message. */
struct rd hs_reader(struct hs *hs, struct rd_msg *m);

/* hs_begin starts a message in hs->message (MSG_HELLO_RETRY_REQUEST is a ServerHello on the wire);
 * hs_end finishes it and puts it into the flight and the transcript. hs_extensions writes the block
 * of extensions of the message. */
struct wr hs_begin(struct hs *hs, uint8_t type, size_t *mark);
void hs_extensions(struct hs *hs, struct wr *w, unsigned message, uint8_t type);
enum hs_result hs_end(struct hs *hs, struct wr *w, size_t mark);
/* hs_commit is the second half of hs_end: for a message that was finished by msg_finish. */
enum hs_result hs_commit(struct hs *hs, const struct wr *w);

/* hs_ccs puts the dummy change_cipher_spec of RFC 8446 D.4 behind what has been flushed, once. */
bool hs_ccs(struct hs *hs) __attribute__((warn_unused_result));

/* hs_ask asks the application: HS_OK when there is an answer (or nobody to ask: *nobody), HS_WAIT.
 * hs_asked ends the question. */
enum hs_result hs_ask(struct hs *hs, hf_ask ask, bool *nobody);
void hs_asked(struct hs *hs);

/* hs_ask_credential: HS_OK with hs->credential set as the application wants it, or *nobody. */
enum hs_result hs_ask_credential(struct hs *hs, const struct ids *sigalgs, bool *nobody);

/* hs_sign makes hs->signature over tbs with sig, or has the application make it. */
enum hs_result hs_sign(struct hs *hs, uint16_t scheme, enum sig_id sig, struct slice tbs);

/* ---- choose_types.c: X.509 certificates or raw public keys (RFC 7250 4) */

/* choose_peer_type: server: what the client shall show, if `asks` says that it will be asked. */
enum hs_result choose_peer_type(struct hs *hs, bool asks);
/* tell_own_type: server: that its credential is a chain or a raw key, if the client wants to know. */
void tell_own_type(struct hs *hs, enum cert_type type);
/* no_credential: server: why there is none that fits. */
enum hs_result no_credential(struct hs *hs);
/* fits_own_type: the peer takes what this credential is. */
bool fits_own_type(const struct hs *hs, const hf_credential *cred);
static inline bool peer_is_raw(const struct hs *hs)
{
    return hs->n.peer_type == CERT_RAW;
}
/* proof_of_peer: what must be proved of who shows a certificate or a key. */
static inline unsigned proof_of_peer(const struct hs *hs)
{
    return PROOF_SIGNATURE | (peer_is_raw(hs) ? PROOF_RAW_KEY : PROOF_CHAIN);
}

bool chain_fits_ticket(const struct chain *chain);

/* ---- tickets.c: a server's tickets, by its keys or by the application
 *
 * hs_open_ticket: HS_OK with the session, NULL if there is none in it that can be used; HS_WAIT for the
 * application. hs_write_ticket puts a ticket into a message that is being written; hs_make_ticket comes before that
 * message: what it makes, by the application, is handed to hs_write_ticket. `wanted` false: there is none to give.
 * hs_ticket_used: the session of this handshake has been used up. */
#define STATEFUL_TICKET 32 /* bytes of a ticket that is a number */
void hs_ticket_used(struct hs *hs);
enum hs_result hs_open_ticket(struct hs *hs, struct slice ticket, hf_session **session);
enum hs_result hs_make_ticket(struct hs *hs, hf_session *session, struct buffer *out,
                              bool *wanted);
bool hs_write_ticket(struct hs *hs, const hf_session *session, const struct buffer *made,
                     struct wr *w);

/* What a resumed session was made with comes into the handshake, and is verified anew where the
 * configuration wants it. */
enum hs_result recall_peer(struct hs *hs);
bool verifying_resumed(const struct hs *hs);
enum hs_result verify_resumed(struct hs *hs);

/* hs_take_peer puts the chain that the peer has shown into est, with what was proved about it. */
void hs_take_peer(struct hs *hs);

/* hs_establish moves what was negotiated in any version into est. */
void hs_establish(struct hs *hs);

/* ---- keys12.c: secrets of TLS 1.2 and older (RFC 5246 5, 6.3, 8.1; RFC 7627) */
void keys12_master(struct hs *hs, const uint8_t *premaster, size_t len); /* into secret */
bool keys12_use(struct hs *hs, bool read);
void keys12_finished(const struct hs *hs, bool client, uint8_t out[FINISHED_MAX]);

/* ---- auth12.c: certificates, signatures, change_cipher_spec and Finished of TLS 1.2 and older */
enum hs_result send_certificate12(struct hs *hs);
enum hs_result read_certificate12(struct hs *hs);
enum hs_result check_signature12(struct hs *hs, uint16_t algorithm, struct slice tbs,
                                 struct slice signature);
enum hs_result sign12(struct hs *hs, struct slice tbs);
enum hs_result send_ccs12(struct hs *hs);
enum hs_result read_ccs12(struct hs *hs);
enum hs_result send_finished12(struct hs *hs);
enum hs_result read_finished12(struct hs *hs);
enum hs_result establish12(struct hs *hs);
/* read_server_hello12 goes on with a ServerHello that has no supported_versions. */
enum hs_result read_server_hello12(struct hs *hs, struct rd *r, struct server_hello *sh);
/* start12: the version, the suite and its hash are known now. */
bool start12(struct hs *hs);
/* premaster12 joins a pre-shared key to `other`, as RFC 4279 2 and RFC 5489 2 say. */
size_t premaster12(const struct hs *hs, struct slice other, uint8_t *out);
/* shared_number12: hs->shared without the zeros that finite-field DH leaves out. */
struct slice shared_number12(const struct hs *hs);
/* session_of12 makes a session of the handshake; NULL without memory. */
hf_session *session_of12(const struct hs *hs);
/* ask_psk13 asks the application for an external key: a server by the client's identity, a client for what it
 * offers (identity empty). *session is NULL if there is none. */
enum hs_result ask_psk13(struct hs *hs, struct slice identity, hf_session **session);

/* ---- secret12.c: master secrets of the application's (config/session_secrets.h) */
bool asks_secret12(const struct hs *hs);
enum hs_result answer_secret12(struct hs *hs); /* server */
enum hs_result ask_secret12(struct hs *hs);    /* client, behind the ServerHello */
enum hs_result use_secret12(struct hs *hs);    /* client: the server resumes with it */
/* make_random12 (server) makes its random, once. */
enum hs_result make_random12(struct hs *hs);

/* ask_psk12 finds hs->psk_key: by the application, or in the configuration. */
enum hs_result ask_psk12(struct hs *hs);
/* The same in all versions */
enum hs_result keep_chain(struct hs *hs, struct certificate_list *list);

/* shape12: what a ServerKeyExchange of this suite has in it; kind12: what a ClientKeyExchange has. */
struct ske_shape shape12(const struct suite *s, uint16_t version);
enum cke_kind kind12(const struct suite *s);

static inline bool is_psk12(const struct suite *s)
{
    return s->kex == KEX_PSK || s->kex == KEX_ECDHE_PSK || s->kex == KEX_DHE_PSK;
}
static inline bool is_ecdhe12(const struct suite *s)
{
    return s->kex == KEX_ECDHE || s->kex == KEX_ECDHE_PSK;
}
static inline bool is_dhe12(const struct suite *s)
{
    return s->kex == KEX_DHE || s->kex == KEX_DHE_PSK;
}
/* The server proves itself by a certificate, and by signing its key exchange. */
static inline bool has_certificate12(const struct suite *s)
{
    return s->auth == AUTH_ECDSA || s->auth == AUTH_RSA;
}
static inline bool is_signed12(const struct suite *s)
{
    return has_certificate12(s) && s->kex != KEX_RSA;
}

/* "Not allowed": what the peer chose was offered, and the application will not have it. */
static inline bool suite_refused(const struct hs *hs, uint16_t id)
{
    const struct checks *checks = hs->n.config->checks;
    return checks && !checks->suite(hs->n.conn, id);
}
static inline bool signature_refused(const struct hs *hs, uint16_t id)
{
    const struct checks *checks = hs->n.config->checks;
    return checks && !checks->signature(hs->n.conn, id);
}

/* ---- keys13.c: the key schedule of RFC 8446 7.1 */
bool keys13_early(struct hs *hs); /* from the PSK, or zeros */
bool keys13_handshake(
    struct hs *hs);                /* from `shared`, or zeros; sets client_hs and server_hs */
bool keys13_master(struct hs *hs); /* application, exporter secrets into est */
bool keys13_resumption(struct hs *hs);
bool keys13_use(struct hs *hs, bool read, const uint8_t *secret, const char *name);
void keys13_finished(const struct hs *hs, const uint8_t *base, uint8_t *out);
/* keys13_finished_over: the same over a digest that is there. */
void keys13_finished_over(enum hash_id hash, const uint8_t *base, const uint8_t *digest,
                          uint8_t *out);
/* The binder of the session's PSK over the ClientHello (and what came before it) up to `partial`. */
void keys13_binder(const struct hs *hs, const hf_session *session, struct slice partial,
                   uint8_t *out);

/* client_early_traffic_secret, over the ClientHello alone, from the session that is offered or chosen. */
void keys13_early_traffic(struct hs *hs, const hf_session *session);
/* keys13_use_early puts it on a half. */
bool keys13_use_early(struct hs *hs, bool read, const hf_session *session);

/* ---- early13.c: early data (4.2.10, 4.5) */
bool offers_early13(const struct hs *hs);     /* client, before its first ClientHello */
enum hs_result start_early13(struct hs *hs);  /* client */
enum hs_result settle_early13(struct hs *hs); /* client, when EncryptedExtensions have come */
enum hs_result end_early13(struct hs *hs); /* client: EndOfEarlyData, and the keys behind it */
void retry_early13(struct hs *hs);         /* client: a HelloRetryRequest refuses it */
enum hs_result decide_early13(struct hs *hs);           /* server */
enum hs_result read_end_of_early_data13(struct hs *hs); /* server */

/* choose_own13 (client13.c): the client's certificate, or none. */
enum hs_result choose_own13(struct hs *hs);
/* ticketing13 (server13.c): does the configuration send tickets to this client? send_ticket13 writes one with
 * this nonce. */
bool ticketing13(const struct hs *hs);
enum hs_result send_ticket13(struct hs *hs, struct slice nonce);

/* ---- server13.c: the HelloRetryRequest, for who sends it and who only has to know what it was */
struct wr begin_retry13(struct hs *hs, size_t *mark);

/* ---- stateless.c: a server forgets its client after the HelloRetryRequest (4.2.2)
 *
 * stateless_begin, before the first byte comes: NULL without memory. `own_key`, borrowed, is used in place of the
 * configuration's keys, if it is not NULL. */
struct stateless {
    hf_config *config; /* of the connection's beginning; a reference */
    const uint8_t *own_key;
    bool ignores_cookies; /* every ClientHello is a first one */
    bool asks_again;      /* an old cookie is as good as none */
    bool recalled;        /* the ClientHello that came first is a second one */
    uint8_t fixed[32];    /* of the ClientHello: SHA-256 over what may not change in the next */
};
struct stateless *stateless_begin(struct hs *hs, const uint8_t *own_key);
void stateless_end(struct hs *hs);
/* stateless_waits: nothing but what a client sends between two ClientHellos has come. */
bool stateless_waits(const struct hs *hs);
/* recall_retry: is this ClientHello a second one? Then it is as if the first had come here, too. */
enum hs_result recall_retry(struct hs *hs);
/* recalled_fits: the configuration allows what the cookie says was chosen. */
enum hs_result recalled_fits(struct hs *hs);
/* stateless_cookie makes n.cookie of all that has to be known when the second ClientHello comes. */
enum hs_result stateless_cookie(struct hs *hs);
static inline bool recalled13(const struct hs *hs)
{
    return hs->stateless && hs->stateless->recalled;
}
/* most_skipped13: bytes of early data that a client may send before it knows that it is refused, with what records
 * add to them (4.2.10). */
size_t most_skipped13(const hf_config *config);

/* ---- auth13.c: Certificate, CertificateVerify and Finished, which are the same in both roles */
enum hs_result send_certificate13(struct hs *hs);
enum hs_result read_certificate13(struct hs *hs);
/* The message without its header, as it is compressed. */
void write_certificate_body13(struct hs *hs, struct wr *w);
enum hs_result read_certificate_body13(struct hs *hs, struct rd *r);
/* ---- compressed13.c: either of two messages comes, and either of two is sent (RFC 8879) */
/* Raw keys do not get smaller. */
static inline bool may_compress13(const struct hs *hs)
{
    return hs->n.compressor && hs->n.own_type != CERT_RAW;
}
bool compression_offered13(const struct hs *hs);
bool certificate_due13(const struct hs *hs); /* it has not come compressed */
enum hs_result compress_certificate13(struct hs *hs);
enum hs_result send_compressed_certificate13(struct hs *hs);
enum hs_result read_compressed_certificate13(struct hs *hs);
enum hs_result verify_peer13(struct hs *hs);
enum hs_result sign13(struct hs *hs);
enum hs_result send_certificate_verify13(struct hs *hs);
enum hs_result read_certificate_verify13(struct hs *hs);
enum hs_result send_finished13(struct hs *hs);
enum hs_result read_finished13(struct hs *hs);
/* Record size limits hold from the first protected record on (RFC 8449 4). */
void limit_records13(struct hs *hs);
/* What has to be proved before application data may flow. */
unsigned proofs_needed13(const struct hs *hs);
bool proofs_complete13(struct hs *hs);
/* Moves what was negotiated into est. */
bool establish13(struct hs *hs);

#endif
