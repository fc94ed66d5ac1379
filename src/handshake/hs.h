/* hs.h: one handshake in progress. It is freed (and wiped) when the handshake ends; what lives on
 * is in struct established. */
#ifndef HANDSHAKE_HS_H
#define HANDSHAKE_HS_H

#include "extension/extension.h"
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

extern const struct step client13[], server13[];

/* What the functions that verify have verified. Nothing else sets these bits. */
enum {
    PROOF_CHAIN =
        1, /* the peer's chain leads to a trust anchor, or the application accepted it */
    PROOF_SIGNATURE = 2, /* the peer holds the certificate's key */
    PROOF_BINDER = 4,    /* server: the client holds the session's secret */
    PROOF_FINISHED = 8,  /* both sides saw the same handshake */
};

struct hs_message {
    uint8_t type;         /* MSG_HELLO_RETRY_REQUEST for that kind of ServerHello */
    const uint8_t *whole; /* with its header */
    size_t len;
};

struct hs {
    struct nego n;
    hf_conn *conn; /* to be handed to callbacks */
    struct established *est;
    const struct tracer *tracer; /* NULL: none */
    const struct step *step;
    bool step_shown;

    /* The way in: handshake bytes that were received, and the message at their front. */
    struct rec_half *in;
    struct buffer *inbuf;
    bool have_in;
    struct hs_message msg;

    /* The way out: messages of the flight that have no record yet, and finished records. */
    struct rec_half *out;
    struct buffer *output;
    struct buffer flight;
    struct buffer message; /* the message being written */
    bool ccs_sent;

    struct trace_sink sink; /* of the message being read */

    struct transcript transcript;
    struct hash
        before; /* the transcript before the ClientHello that is being written or answered */
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
    bool plain_alert;  /* the peer may not have our handshake keys yet */
    size_t skip_early; /* bytes of early data that may still be dropped (RFC 8446 4.2.10) */

    /* Authentication. */
    bool cert_requested; /* a CertificateRequest was sent or has come */
    uint8_t *request_context;
    uint8_t request_context_len;
    hf_credential *credential; /* ours; NULL: none */
    uint16_t scheme;           /* that we sign with */
    uint8_t signature[SIG_MAX_SIZE];
    size_t signature_len;
    struct chain *peer_chain;
    unsigned proved;

    /* A question to the application. */
    hf_question question;
    bool asked_back; /* it was handed to the callback */
    bool answered;
    hf_credential *answer_credential; /* owned */
    hf_config *answer_config;         /* owned */
    bool answer_accept;
    hf_error verdict;
    uint8_t *tbs;
    size_t tbs_len;

    bool cancelled; /* the connection was closed or has failed: no row may run any more */
    bool done;
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

/* ---- keys13.c: the key schedule of RFC 8446 7.1 */
bool keys13_early(struct hs *hs); /* from the PSK, or zeros */
bool keys13_handshake(
    struct hs *hs);                /* from `shared`, or zeros; sets client_hs and server_hs */
bool keys13_master(struct hs *hs); /* application, exporter secrets into est */
bool keys13_resumption(struct hs *hs);
bool keys13_use(struct hs *hs, bool read, const uint8_t *secret, const char *name);
void keys13_finished(const struct hs *hs, const uint8_t *base, uint8_t *out);
/* The binder of the session's PSK over the ClientHello (and what came before it) up to `partial`. */
void keys13_binder(const struct hs *hs, const hf_session *session, struct slice partial,
                   uint8_t *out);

/* ---- auth13.c: Certificate, CertificateVerify and Finished, which are the same in both roles */
enum hs_result send_certificate13(struct hs *hs);
enum hs_result read_certificate13(struct hs *hs);
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
