/* situation.h: what the particulars of one connection say about its failure, where they say more than the
 * tables of advice.h can: those know only the error, the role and the phase. */
#ifndef CONNECTION_SITUATION_H
#define CONNECTION_SITUATION_H

#include "connection/facts.h"

/* situation_advise replaces what facts->advice says where it knows better; an empty "means" or "what to do"
 * of it is filled. The facts must be complete but for the advice. */
void situation_advise(struct facts *facts, const hf_conn *conn, const hf_error *err);

/* situation_rfc (conn may be NULL): where the rule stands in the RFCs of the version that was agreed. The error's own section is
 * TLS 1.3's where both have the rule. */
const char *situation_rfc(const hf_conn *conn, const hf_error *err);

#endif
