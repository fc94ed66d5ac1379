/* trace_facts.h: what a page says about a connection, taken from the connection. */
#ifndef CLI_TRACE_FACTS_H
#define CLI_TRACE_FACTS_H

#include "cli/trace_html.h"

/* The facts and what they own. */
struct facts_of {
    struct trace_facts facts;
    struct text alpn;
    hf_certificate *certificate;
};

/* facts_take fills the facts from a connection and its recording. conn may be NULL when it never came
 * to be. The strings of the connection are borrowed. */
void facts_take(struct facts_of *f, const hf_conn *conn, const struct recording *recording,
                const char *title, bool is_server, int64_t now);
void facts_clear(struct facts_of *f);

/* facts_scts counts the timestamps that came with the peer's certificate. */
size_t facts_scts(const hf_conn *conn);

#endif
