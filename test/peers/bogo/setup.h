/* setup.h: from the runner's flags to a configuration. */
#ifndef BOGO_SETUP_H
#define BOGO_SETUP_H

#include "handfast.h"
#include "options.h"

/* One connection's settings and what its callbacks note. */
struct run {
    const struct options *o, *retry;
    hf_config *config, *late_config;       /* late_config: given in answer to the ClientHello */
    hf_credential *cred;                   /* the first to be used */
    hf_credential *creds[MAX_CREDENTIALS]; /* all */
    size_t cred_count;
    hf_session *session;     /* the last that came */
    bool new_session;        /* server: one was kept by its ID */
    bool verified, accepted; /* the chain was judged, and how */
    bool wrong;              /* a callback saw what it should not */
    char messages[2048];     /* what the trace saw, as -expect-msg-callback words it */
    bool record_seen;
    unsigned tickets_opened;
    size_t early_sent;   /* bytes of what the shim says first */
    const char *refusal; /* the application has given up, for this reason */
};

/* setup makes the configuration, derived from base. 0, 89 (not possible with handfast) or 1. */
int setup(struct run *run, const hf_config *base, hf_error *err);

/* setup_answer answers the question that waits on conn. */
void setup_answer(struct run *run, hf_conn *conn, const hf_question *q);

void setup_clear(struct run *run);

/* setup_compressors gives a configuration the algorithms that the runner asks for (compress.c). */
bool setup_compressors(hf_config *config, const struct options *o);

/* setup_advance moves the clock of all configurations. */
void setup_advance(int seconds);

#endif
