/* later13.c: a client's authentication after the handshake (RFC 8446 4.6.2). */
#include "handshake/later13.h"

#include "handshake/after13.h"

static bool have_credential(const struct hs *hs)
{
    return hs->credential != NULL;
}
static bool peer_certificate(const struct hs *hs)
{
    return hs->peer_chain != NULL;
}
static bool ticketing(const struct hs *hs)
{
    return hs->later->tickets > 0 && hs->est->chain;
}

static enum hs_result read_request(struct hs *hs);
static enum hs_result leave_finished(struct hs *hs);
static enum hs_result take_identity(struct hs *hs);
static enum hs_result send_tickets(struct hs *hs);

/* clang-format off */
static const struct step client13_later[] = {
    /*    message                   when              optional  step                       name                      defined in */
    { '<', MSG_CERTIFICATE_REQUEST, NULL,             false, read_request,              "CertificateRequest",     "RFC 8446 4.6.2" },
    { '.', 0,                       NULL,             false, choose_own13,              "choose a certificate",   "RFC 8446 4.4.2.3" },
    { '>', MSG_CERTIFICATE,         NULL,             false, send_certificate13,        "client Certificate",     "RFC 8446 4.4.2" },
    { '.', 0,                       have_credential,  false, sign13,                    "sign",                   "RFC 8446 4.4.3" },
    { '>', MSG_CERTIFICATE_VERIFY,  have_credential,  false, send_certificate_verify13, "client CertificateVerify", "RFC 8446 4.4.3" },
    { '>', MSG_FINISHED,            NULL,             false, leave_finished,            "client Finished",        "RFC 8446 4.4.4" },
    { 0 }
};

static const struct step server13_later[] = {
    { '<', MSG_CERTIFICATE,         NULL,             false, read_certificate13,        "client Certificate",     "RFC 8446 4.4.2" },
    { '.', 0,                       peer_certificate, false, verify_peer13,             "verify the chain",       "RFC 5280 6"     },
    { '<', MSG_CERTIFICATE_VERIFY,  peer_certificate, false, read_certificate_verify13, "client CertificateVerify", "RFC 8446 4.4.3" },
    { '<', MSG_FINISHED,            NULL,             false, read_finished13,           "client Finished",        "RFC 8446 4.4.4" },
    { '.', 0,                       NULL,             false, take_identity,             "the client's identity",  "RFC 8446 4.6.2" },
    { '>', MSG_NEW_SESSION_TICKET,  ticketing,        false, send_tickets,              "NewSessionTicket",       "RFC 8446 4.6.1" },
    { 0 }
};
/* clang-format on */

/* ---- what is kept */

static bool willing(const struct hs *hs)
{
    return hs->n.config->post_handshake_auth && (!hs->n.server || hs->n.post_auth);
}

static uint8_t tickets_for(const struct hs *hs)
{
    if (!hs->n.server || !ticketing13(hs))
        return 0;
    return (uint8_t)(hs->n.tickets_counted ? hs->n.new_tickets : hs->n.config->ticket_count);
}

/* "The certificate_request_context MUST be unique within the scope of this connection (thus preventing
 * replay of client CertificateVerify messages)" (4.3.2). Of a connection that lives long the last ones are
 * remembered. */
static bool seen(struct later *l, struct slice context)
{
    uint8_t digest[HASH_MAX_SIZE];
    hash_once(HASH_SHA256, context.p, context.len, digest);
    for (size_t i = 0; i < l->seen_count && i < LATER_SEEN; i++) {
        if (memcmp(l->seen[i], digest, LATER_DIGEST) == 0)
            return true;
    }
    memcpy(l->seen[l->seen_count++ % LATER_SEEN], digest, LATER_DIGEST);
    return false;
}

bool later_keep(struct hs *hs)
{
    if (!willing(hs))
        return true;
    struct extras *x = extras_of(hs->est);
    struct later *l = x ? mem_new(sizeof *l) : NULL;
    if (!l) {
        hs_fail(hs, HF_E_NO_MEMORY, "authentication after the handshake");
        return false;
    }
    x->later = l;
    l->server = hs->n.server;
    l->base = hs->transcript.hash;
    l->tickets = tickets_for(hs);
    l->type = hs->n.server ? hs->n.peer_type : hs->n.own_type;
    if (!l->type) /* nothing was said of it */
        l->type = CERT_X509;
    atomic_store(&l->state, HF_POST_AUTH_POSSIBLE);
    if (!hs->n.server && hs->cert_requested)
        seen(l, (struct slice){0}); /* the handshake's own request has an empty context */
    return true;
}

void parcel_free(struct parcel *p)
{
    buffer_clear(&p->messages);
    mem_wipe_free(p, sizeof *p);
}

void later_free(struct later *l)
{
    if (!l)
        return;
    hs_free(l->hs);
    buffer_clear(&l->requests);
    for (struct parcel *p = later_parcels(l), *next; p; p = next) {
        next = p->next;
        parcel_free(p);
    }
    mem_wipe_free(l, sizeof *l);
}

size_t later_size(const struct later *l)
{
    size_t sum = sizeof *l + l->requests.size;
    for (const struct parcel *p = atomic_load(&l->parcels); p; p = p->next)
        sum += sizeof *p + p->messages.size;
    return sum;
}

bool later_takes(const struct later *l, uint8_t type)
{
    if (!l)
        return false;
    unsigned state = atomic_load_explicit(&l->state, memory_order_acquire);
    if (l->server)
        return type == MSG_CERTIFICATE && state == HF_POST_AUTH_PENDING;
    return type == MSG_CERTIFICATE_REQUEST;
}

/* ---- the server's request */

bool later_request(struct later *l, hf_config *config, hf_conn *conn, bool require,
                   struct buffer *out, hf_error *err)
{
    struct nego n = {.config = config,
                     .conn = conn,
                     .server = true,
                     .version = HF_TLS1_3,
                     .later = true,
                     .err = err};
    struct wr w;
    size_t start = buffer_len(out);
    /* "The server SHOULD make the context unpredictable to the client (e.g., by randomly generating it) in
     * order to prevent an attacker who has temporary access to the client's private key from pre-computing
     * valid CertificateVerify messages" (4.3.2). */
    if (!config_random(config, "certificate_request_context", l->context, LATER_CONTEXT) ||
        (config->grease && !config_random(config, "grease", n.grease, sizeof n.grease)))
        return err_set(err, HF_E_CRYPTO, "no random bytes");
    wr_start(&w, out);
    size_t mark = msg_begin(&w, MSG_CERTIFICATE_REQUEST);
    wr_opaque8(&w, slice_of(l->context, LATER_CONTEXT));
    ext_write(&n, &w, IN_CR);
    msg_finish(&w, mark);
    if (!wr_ok(&w))
        return err->code != HF_OK ? false : err_set(err, HF_E_NO_MEMORY, "CertificateRequest");
    l->request = l->base;
    hash_update(&l->request, buffer_front(out) + start, buffer_len(out) - start);
    l->sent = n.sent;
    l->application_sent = n.application_sent;
    l->require = require;
    return true;
}

/* ---- the client's requests */

/* Each answer costs a signature: a server that asks without end makes a client sign without end. */
enum { MAX_PENDING = 8, MAX_REQUESTS = 16 };

bool later_collect(struct later *l, const hf_config *config, const uint8_t *whole, size_t len,
                   hf_error *err)
{
    if (++l->asked > MAX_REQUESTS)
        return err_set(err, HF_E_CERTIFICATE_REQUESTS,
                       "more than %d without application data between them", MAX_REQUESTS);
    if (l->pending >= MAX_PENDING)
        return err_set(err, HF_E_CERTIFICATE_REQUESTS, "more than %d wait for their answers",
                       MAX_PENDING);
    if (buffer_size_for(&l->requests, len) > config->memory_cap)
        return err_set(err, HF_E_MEMORY_CAP, "the cap is %zu bytes", config->memory_cap);
    if (!buffer_append(&l->requests, whole, len))
        return err_set(err, HF_E_NO_MEMORY, "CertificateRequest");
    l->pending++;
    return true;
}

static enum hs_result read_request(struct hs *hs)
{
    struct rd_msg m;
    struct rd r = hs_reader(hs, &m);
    struct certificate_request cr;
    struct ext_values v;
    if (!msg_read_certificate_request(&r, &cr))
        return HS_FAILED;
    if (seen(hs->later, cr.context)) {
        rd_bad(&r, HF_E_ILLEGAL_VALUE,
               "certificate_request_context was that of an earlier request (4.3.2)");
        return HS_FAILED;
    }
    if (!ext_read(&hs->n, &cr.extensions, IN_CR, &v) || !ext_take(&hs->n, &v, IN_CR))
        return HS_FAILED;
    hs->request_context = mem_dup(cr.context.p, cr.context.len);
    hs->request_context_len = (uint8_t)cr.context.len;
    hs->cert_requested = true;
    return hs->request_context ? HS_OK : hs_fail(hs, HF_E_NO_MEMORY, "CertificateRequest");
}

static enum hs_result leave_finished(struct hs *hs)
{
    transcript_digest(&hs->transcript, hs->later->digest);
    return HS_OK;
}

/* ---- the client's answer */

static bool expect_answer(struct hs *hs)
{
    const struct later *l = hs->later;
    hs->transcript.hash = l->request;
    hs->n.sent = l->sent;
    hs->n.application_sent = l->application_sent;
    hs->request_context = mem_dup(l->context, LATER_CONTEXT);
    hs->request_context_len = LATER_CONTEXT;
    /* Until Finished no KeyUpdate can come between. */
    memcpy(hs->client_hs, hs->est->read_secret, hash_size(hs->hash));
    return hs->request_context != NULL;
}

bool later_begin(struct later *l, struct established *e, hf_config *config, hf_conn *conn,
                 const struct tracer *tracer, struct buffer *inbuf, hf_error *err)
{
    struct hs *hs = hs_new(config, e->server, conn, e, tracer);
    if (!hs)
        return err_set(err, HF_E_NO_MEMORY, "authentication");
    hs->later = l;
    hs->step = e->server ? server13_later : client13_later;
    hs->inbuf = inbuf;
    hs->n.peer_type = e->server ? l->type : 0;
    hs->n.own_type = hs->n.peer_accepts = e->server ? 0 : l->type;
    hs->n.version = e->version;
    hs->n.suite = e->suite;
    hs->hash = e->suite->hash;
    hs->transcript.hash = l->base;
    bool ok = !e->server_name || (hs->n.server_name = mem_strdup(e->server_name));
    if (!ok || (e->server && !expect_answer(hs))) {
        hs_free(hs);
        return err_set(err, HF_E_NO_MEMORY, "authentication");
    }
    l->hs = hs;
    return true;
}

/* The last answer counts: a client that shows no certificate is nobody from now on. */
static enum hs_result take_identity(struct hs *hs)
{
    struct established *e = hs->est;
    if (!proofs_complete13(hs))
        return HS_FAILED;
    if (!hs->peer_chain)
        e->signature = 0;
    chain_free(e->chain);
    chain_free(atomic_exchange(&e->path, NULL));
    hs_take_peer(hs);
    return HS_OK;
}

/* Those that the client has got do not say who it is. A nonce of two bytes is none of the handshake's. */
static enum hs_result send_tickets(struct hs *hs)
{
    struct later *l = hs->later;
    if (!chain_fits_ticket(hs->est->chain))
        return HS_OK;
    for (unsigned i = 0; i < l->tickets && l->next_ticket < UINT16_MAX; i++) {
        uint8_t nonce[2];
        put_u16(nonce, l->next_ticket++);
        if (send_ticket13(hs, slice_of(nonce, sizeof nonce)) != HS_OK)
            return HS_FAILED;
    }
    return HS_OK;
}

/* ---- from the reader to the writer */

bool later_hand_over(struct later *l)
{
    struct hs *hs = l->hs;
    if (!buffer_len(&hs->flight))
        return true;
    struct parcel *p = mem_new(sizeof *p);
    if (!p)
        return false;
    p->finish = !hs->n.server;
    memcpy(p->digest, l->digest, sizeof p->digest);
    p->messages = hs->flight;
    hs->flight = (struct buffer){0};
    p->next = atomic_load(&l->parcels);
    while (!atomic_compare_exchange_weak(&l->parcels, &p->next, p))
        ;
    return true;
}

struct parcel *later_parcels(struct later *l)
{
    struct parcel *p = atomic_exchange(&l->parcels, NULL), *in_order = NULL;
    while (p) {
        struct parcel *next = p->next;
        p->next = in_order;
        in_order = p;
        p = next;
    }
    return in_order;
}

size_t later_waiting(const struct later *l, enum hash_id hash)
{
    size_t sum = 0;
    for (const struct parcel *p = atomic_load(&l->parcels); p; p = p->next)
        sum += buffer_len(&p->messages) + (p->finish ? MSG_HEADER + hash_size(hash) : 0);
    return sum;
}
