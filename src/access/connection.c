/* connection.c: what libssl/ wants of a connection and the public API keeps to itself. */
#include "access/access.h"
#include "connection/conn.h"

const struct details *access_details(const hf_conn *c)
{
    if (c->hs && c->hs->details)
        return c->hs->details;
    return c->est.extras ? c->est.extras->details : NULL;
}

bool access_in_handshake(const hf_conn *c)
{
    return c->hs && !(conn_state(c) & HO_FAILED);
}

uint16_t access_version(const hf_conn *c)
{
    return c->hs && c->hs->n.version ? c->hs->n.version : c->est.version;
}

_Static_assert(MSG_CHANGE_CIPHER_SPEC == 253 && MSG_HELLO_RETRY_REQUEST == 255,
               "libssl/state.c knows them");

uint8_t access_last_message(const hf_conn *c, bool *sent)
{
    *sent = c->hs && c->hs->last_sent;
    return c->hs ? c->hs->last : 0;
}

static bool has_keys(const hf_conn *c)
{
    if (c->hs->n.version < HF_TLS1_3)
        return c->hs->keys_made;
    return (c->hs->n.server ? c->out.prot : c->in.prot) != NULL;
}

struct access_suites access_suites(const hf_conn *c)
{
    uint16_t last = c->est.suite ? c->est.suite->id : 0;
    struct access_suites suites = {last, last, false, c->est.resumed};
    const struct nego *n = c->hs ? &c->hs->n : NULL;
    if (!n || (!n->suite && !(n->server && n->version)))
        return suites;
    bool known = n->resumed12 || n->psk || has_keys(c);
    /* A HelloRetryRequest leaves what is offered on offer. */
    bool chosen = known || n->server || n->version < HF_TLS1_3;
    uint16_t next = n->suite ? n->suite->id : last;
    return (struct access_suites){known    ? next
                                  : chosen ? 0
                                           : last,
                                  next, chosen, n->resumed12 || n->psk};
}

bool access_answer_verify_failed(hf_conn *c, int x509_code, int depth, uint8_t alert)
{
    struct hs *hs = conn_asking(c);
    if (!hs || !hf_answer_verify(c, false))
        return false;
    hf_error *verdict = &hs->verdict;
    *verdict = (hf_error){0};
    err_set(verdict, HF_E_VERIFY_REFUSED, "%s", X509_verify_cert_error_string(x509_code));
    verdict->x509_code = x509_code;
    verdict->x509_depth = depth;
    verdict->alert = alert;
    return true;
}

size_t access_peer_chain(const hf_conn *c, hf_certificate *const **out)
{
    const struct hs *hs = conn_asking(c);
    const struct chain *chain = hs && hs->peer_chain ? hs->peer_chain : c->est.chain;
    *out = chain ? chain->cert : NULL;
    return chain ? chain->count : 0;
}

void access_conn_fail(hf_conn *c, hf_code code, uint8_t alert, const char *detail)
{
    hf_error err = {0};
    err_set(&err, code, "%s", detail);
    err.alert = alert;
    (void)conn_fail(c, &err);
}

bool access_conn_record_padding(hf_conn *c,
                                size_t (*padding)(hf_conn *conn, uint8_t type, size_t len))
{
    if (c->config->padding_fn == padding)
        return true;
    hf_config *config = c->hs ? NULL : hf_config_derive(c->config);
    if (!config || !access_config_record_padding(config, padding) ||
        !hf_config_freeze(config, NULL)) {
        hf_config_free(config);
        return false;
    }
    hf_config_free(c->config);
    c->config = config;
    return true;
}

const uint8_t *access_peer_authorities(const hf_conn *c, size_t *len)
{
    const struct details *d = access_details(c);
    if (c->hs && c->hs->n.peer_authorities) {
        *len = c->hs->n.peer_authorities_len;
        return c->hs->n.peer_authorities;
    }
    *len = d ? d->authorities_len : 0;
    return d ? d->authorities : NULL;
}

const uint16_t *access_peer_sigalgs(const hf_conn *c, size_t *count)
{
    const struct details *d = access_details(c);
    if (c->hs && c->hs->n.peer_sigalgs.count) {
        *count = c->hs->n.peer_sigalgs.count;
        return c->hs->n.peer_sigalgs.id;
    }
    *count = d ? d->sigalg_count : 0;
    return d ? d->sigalgs : NULL;
}

bool access_conn_stateless(hf_conn *c, const uint8_t key[32], bool ignores)
{
    struct stateless *s = c->hs ? stateless_begin(c->hs, key) : NULL;
    if (!s)
        return false;
    s->asks_again = true;
    s->ignores_cookies = ignores;
    return true;
}

bool access_conn_untouched(const hf_conn *c)
{
    return c->hs && stateless_waits(c->hs);
}

void access_conn_stateful(hf_conn *c)
{
    if (c->hs && c->hs->step == server13) {
        stateless_end(c->hs);
        c->hs->skip_early = 0;
    }
}
