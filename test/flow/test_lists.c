/* The flow lists themselves: every combination of their predicates gives a sequence of RFC 8446's
 * figures 1 to 3 and appendix A; and a peer that leaves a message out or sends one twice is refused
 * at that message. */
#include "../unit/check.h"
#include "pair.h"

#include <stdio.h>
#include <stdlib.h>

#include "../unit/packer.h"
#include "connection/conn.h"

/* What happens in one handshake. */
struct scene {
    bool retry;       /* HelloRetryRequest */
    bool psk;         /* resumption */
    bool exchange;    /* with a key exchange: only a choice when psk */
    bool request;     /* CertificateRequest: only without psk */
    bool certificate; /* and the client has one */
    bool tickets;
    bool packed, client_packed; /* certificates come compressed (RFC 8879) */
};

static void add(char *out, char kind, uint8_t message)
{
    char one[40];
    snprintf(one, sizeof one, "%c%s ", kind, msg_name(message));
    strcat(out, one);
}

/* The sequence as the RFC's figures draw it, seen from the client; the server's is its mirror. */
static void by_the_rfc(const struct scene *s, bool server, char *out)
{
    char to = server ? '<' : '>', from = server ? '>' : '<';
    *out = '\0';
    add(out, to, MSG_CLIENT_HELLO);
    if (s->retry) {
        add(out, from, MSG_HELLO_RETRY_REQUEST);
        add(out, to, MSG_CLIENT_HELLO);
    }
    add(out, from, MSG_SERVER_HELLO);
    add(out, from, MSG_ENCRYPTED_EXTENSIONS);
    if (!s->psk) {
        if (s->request)
            add(out, from, MSG_CERTIFICATE_REQUEST);
        add(out, from, s->packed ? MSG_COMPRESSED_CERTIFICATE : MSG_CERTIFICATE);
        add(out, from, MSG_CERTIFICATE_VERIFY);
    }
    add(out, from, MSG_FINISHED);
    if (s->request) {
        add(out, to, s->client_packed ? MSG_COMPRESSED_CERTIFICATE : MSG_CERTIFICATE);
        if (s->certificate)
            add(out, to, MSG_CERTIFICATE_VERIFY);
    }
    add(out, to, MSG_FINISHED);
    if (server && s->tickets)
        add(out, from, MSG_NEW_SESSION_TICKET);
}

/* What the rows that run would have set. */
static void effect(struct hs *hs, const struct step *step, const struct scene *s)
{
    static struct chain some_chain;
    static struct packed some_packed;
    if (step->run == compress_certificate13 && (hs->n.server ? s->packed : s->client_packed))
        hs->packed = &some_packed;
    if (step->message == MSG_COMPRESSED_CERTIFICATE && step->kind == '<')
        hs->compression.algorithm = 1;
    if (step->message == MSG_HELLO_RETRY_REQUEST) {
        hs->n.retried = true;
        hs->n.retry = false;
    }
    if (step->message == MSG_CERTIFICATE_REQUEST)
        hs->cert_requested = true;
    if ((step->message == MSG_CERTIFICATE || step->message == MSG_COMPRESSED_CERTIFICATE) &&
        step->kind == '<' && hs->n.server && s->certificate)
        hs->peer_chain = &some_chain;
}

static bool comes(const struct step *step, const struct scene *s, bool server)
{
    if (step->message == MSG_COMPRESSED_CERTIFICATE)
        return server ? s->client_packed : s->packed;
    if (step->message == MSG_HELLO_RETRY_REQUEST)
        return s->retry;
    return step->message == MSG_CERTIFICATE_REQUEST ? s->request : true;
}

static void by_the_list(const struct scene *s, bool server, char *out)
{
    static hf_credential some_credential;
    static const struct compressor some_compressor;
    hf_config *config = hf_config_new(server ? HF_SERVER : HF_CLIENT);
    struct hs *hs = mem_new(sizeof *hs);
    *out = '\0';
    config->client_auth = s->request ? HF_CLIENT_AUTH_REQUEST : HF_CLIENT_AUTH_NONE;
    config->ticket_count = s->tickets ? 2 : 0;
    hs->n.config = config;
    hs->n.server = server;
    hs->n.psk = s->psk;
    hs->n.psk_dhe = s->psk && s->exchange;
    hs->n.retry = server && s->retry;
    hs->n.peer_psk_modes = HF_PSK_DHE_KE;
    /* That it is offered on both sides does not mean that it is used. */
    hs->n.sent = 1u << X_COMPRESS_CERTIFICATE;
    hs->n.compressor = &some_compressor;
    hs->credential = s->certificate ? &some_credential : NULL;
    for (const struct step *step = server ? server13 : client13; step->kind; step++) {
        if (step->when && !step->when(hs))
            continue;
        if (step->kind == '<' && step->optional && !comes(step, s, server))
            continue;
        if (step->kind != '.')
            add(out, step->kind, step->message);
        effect(hs, step, s);
    }
    mem_free(hs);
    hf_config_free(config);
}

static void test_every_combination(void)
{
    unsigned scenes = 0;
    for (unsigned bits = 0; bits < 256; bits++) {
        struct scene s = {bits & 1,  bits & 2,  bits & 4,  bits & 8,
                          bits & 16, bits & 32, bits & 64, bits & 128};
        if ((s.psk && s.request) || (s.certificate && !s.request) || (!s.psk && !s.exchange) ||
            (s.psk && s.packed) || (!s.certificate && s.client_packed))
            continue; /* no handshake of TLS 1.3 is like that */
        for (int server = 0; server < 2; server++) {
            char rfc[512], list[512];
            by_the_rfc(&s, server, rfc);
            by_the_list(&s, server, list);
            CHECK_STR(list, rfc);
            scenes++;
        }
    }
    CHECK_INT(scenes, 2 * 2 * 2 * (2 * 4 + 2));
}

static void check_rows(const struct step *step)
{
    for (; step->kind; step++) {
        CHECK(step->run && step->name && strncmp(step->rfc, "RFC ", 4) == 0);
        CHECK(step->kind == '<' || step->kind == '>' || step->kind == '.');
        CHECK(step->kind == '.' || step->message != 0);
        CHECK(!step->optional || step->kind == '<');
    }
}

static void test_rows_are_complete(void)
{
    check_rows(client13);
    check_rows(server13);
}

/* ---- a peer whose list has a row less, or one twice */

enum { MAX_ROWS = 40 };

static void change_list(struct step *copy, const struct step *list, size_t row, bool twice)
{
    size_t n = 0;
    for (size_t i = 0; list[i].kind; i++) {
        if (i != row || twice)
            copy[n++] = list[i];
        if (i == row && twice) {
            copy[n] = list[i];
            copy[n++].when = NULL; /* whatever its predicate would say */
        }
    }
    memset(&copy[n], 0, sizeof copy[n]);
}

/* Messages without which, or with which twice, a handshake is still a legal one. */
static bool harmless(const struct step *row, bool twice, bool packed)
{
    if (row->message == MSG_NEW_SESSION_TICKET)
        return true;
    /* EndOfEarlyData is not in these handshakes at all: test_early.c leaves it out. */
    if (row->message == MSG_CERTIFICATE && packed)
        return !twice; /* it is not sent at all */
    return !twice &&
           (row->message == MSG_CERTIFICATE_REQUEST || row->message == MSG_END_OF_EARLY_DATA);
}

static void play_changed(bool server, size_t row, bool twice, bool packed)
{
    struct pair p;
    struct step copy[MAX_ROWS];
    const struct step *list = server ? server13 : client13;
    pair_init(&p, PKI_P256);
    CHECK(hf_config_add_credential(p.client_config, p.cred));
    CHECK(hf_config_set_trust(p.server_config, p.trust));
    CHECK(hf_config_set_client_auth(p.server_config, HF_CLIENT_AUTH_REQUIRE));
    CHECK(hf_config_set_key_shares(p.client_config, ""));
    CHECK(!packed || (packer_add(p.client_config) && packer_add(p.server_config)));
    pair_connect(&p);
    change_list(copy, list, row, twice);
    struct end *bad = server ? &p.server : &p.client, *good = server ? &p.client : &p.server;
    bad->conn->hs->step = copy;
    pair_run(&p);
    bool shaken = !(hf_conn_wants(good->conn) & (HF_IN_HANDSHAKE | HF_IS_FAILED));
    if (harmless(&list[row], twice, packed)) {
        pair_clear(&p);
        return;
    }
    if (shaken)
        printf("    %s with %s %s was accepted\n", server ? "server" : "client", list[row].name,
               twice ? "twice" : "left out");
    CHECK(!shaken);
    hf_code code = end_code(good);
    /* the honest side refuses, or waits for what never comes */
    CHECK(code == HF_E_UNEXPECTED_MESSAGE || code == HF_E_BAD_FINISHED ||
          code == HF_E_BAD_SIGNATURE || code == HF_E_EXCESS_HANDSHAKE_DATA ||
          code == HF_E_BAD_RECORD_MAC || code == HF_E_ALERT_RECEIVED ||
          code == HF_E_WRONG_GROUP || code == HF_OK || code == HF_E_UNEXPECTED_RECORD ||
          code == HF_E_HELLO_CHANGED || code == HF_E_BAD_EXTENSION);
    pair_clear(&p);
}

static void changed_lists(bool server)
{
    const struct step *list = server ? server13 : client13;
    unsigned tried = 0;
    for (size_t i = 0; list[i].kind; i++) {
        if (list[i].kind != '>')
            continue;
        for (int packed = 0; packed < 2; packed++) {
            /* There is nothing to send twice. */
            if (list[i].message == MSG_COMPRESSED_CERTIFICATE && !packed)
                continue;
            play_changed(server, i, false, packed);
            play_changed(server, i, true, packed);
        }
        tried++;
    }
    CHECK(tried >= 5);
}

static void test_server_that_skips_or_repeats(void)
{
    changed_lists(true);
}
static void test_client_that_skips_or_repeats(void)
{
    changed_lists(false);
}

/* SMACK: the server goes from its hello straight to Finished. */
static void test_server_that_skips_authentication(void)
{
    struct pair p;
    struct step copy[MAX_ROWS];
    size_t n = 0;
    pair_init(&p, PKI_P256);
    pair_connect(&p);
    for (const struct step *s = server13; s->kind; s++) {
        if (s->message != MSG_CERTIFICATE && s->message != MSG_CERTIFICATE_VERIFY)
            copy[n++] = *s;
    }
    memset(&copy[n], 0, sizeof copy[n]);
    p.server.conn->hs->step = copy;
    pair_run(&p);
    CHECK_INT(end_code(&p.client), HF_E_UNEXPECTED_MESSAGE);
    const hf_error *err = hf_conn_error(p.client.conn);
    CHECK_STR(err->step, "Certificate");
    CHECK_STR(err->detail, "expected Certificate (RFC 8446 4.4.2), got Finished");
    CHECK_INT(err->alert, 10);
    pair_clear(&p);
}

/* The proofs hold even if a list of our own should be wrong. */
static void test_missing_proof(void)
{
    struct pair p;
    struct step copy[MAX_ROWS];
    size_t n = 0;
    pair_init(&p, PKI_P256);
    pair_connect(&p);
    for (const struct step *s = client13; s->kind; s++) {
        if (strcmp(s->name, "verify the chain") != 0)
            copy[n++] = *s;
    }
    memset(&copy[n], 0, sizeof copy[n]);
    p.client.conn->hs->step = copy;
    pair_run(&p);
    CHECK_INT(end_code(&p.client), HF_E_MISSING_PROOF);
    pair_clear(&p);
}

int main(void)
{
    RUN(test_every_combination);
    RUN(test_rows_are_complete);
    RUN(test_server_that_skips_or_repeats);
    RUN(test_client_that_skips_or_repeats);
    RUN(test_server_that_skips_authentication);
    RUN(test_missing_proof);
    return check_done();
}
