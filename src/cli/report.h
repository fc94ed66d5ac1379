/* report.h: what the command says about a connection, and its exit status. */
#ifndef CLI_REPORT_H
#define CLI_REPORT_H

#include <stdio.h>

#include "cli/text.h"
#include "handfast_net.h"

/* Exit statuses, as the manual page lists them. */
enum { EXIT_OK, EXIT_USAGE, EXIT_TLS, EXIT_NETWORK, EXIT_CONFIG, EXIT_LOCAL };

int exit_status(const hf_error *err);

/* report_failure explains an error on stderr, as JSON if wanted; conn may be NULL. Returns the exit
 * status. */
int report_failure(const hf_conn *conn, const hf_error *err, bool json);

/* report_peer writes who the peer is and what was agreed, in lines or as one JSON object. conn NULL:
 * a plain connection. offered: the session that was to be resumed, or NULL. */
void report_peer(struct text *out, const char *url, const char *address, const hf_conn *conn,
                 const hf_session *offered, bool json);

/* report_old_json writes the members of an object that tell what matters in TLS 1.2 and older, each with a
 * comma before it. */
void report_old_json(struct text *out, const hf_conn *conn);

/* report_early_json adds what became of early data, in the same way. */
void report_early_json(struct text *out, const hf_conn *conn);

/* report_agreed writes version, suite, group and so on in one line ("TLS 1.3, TLS_AES_..., ..."). */
void report_agreed(struct text *out, const hf_conn *conn);

#endif
