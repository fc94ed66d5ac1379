/* Extensions that are the application's own: who is asked for them where, and what is refused. */
#include "../unit/check.h"
#include "old.h"

#include "config/applications.h"

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

enum { ID = 1000, OTHER = 1001 };

struct side {
    char log[2000];
    unsigned silent; /* messages that nothing is added to */
    unsigned fail_add, fail_take;
    struct side *forget; /* whose request is to be forgotten when we answer */
    hf_conn *conn;
};

static void note(struct side *s, const char *verb, const struct application_place *p,
                 const char *content, size_t len)
{
    size_t at = strlen(s->log);
    snprintf(s->log + at, sizeof s->log - at, "%s %u %u/%zu %.*s; ", verb, p->id, p->message,
             p->entry, (int)len, content);
    CHECK(p->conn != NULL);
    s->conn = p->conn;
}

static int add(const struct application_place *p, const uint8_t **out, size_t *len,
               uint8_t *alert, void *arg)
{
    struct side *s = arg;
    if (s->silent & p->message)
        return 0;
    if (s->fail_add & p->message) {
        *alert = 47;
        return -1;
    }
    if (s->forget)
        s->forget->conn->hs->n.application_sent = 0;
    char *text = malloc(20);
    snprintf(text, 20, "c%u.%u.%zu", p->id, p->message, p->entry);
    *out = (const uint8_t *)text;
    *len = strlen(text);
    note(s, "add", p, text, *len);
    return 1;
}

static void added(const struct application_place *p, const uint8_t *content, void *arg)
{
    (void)p, (void)arg;
    free((void *)(uintptr_t)content);
}

static bool take(const struct application_place *p, const uint8_t *content, size_t len,
                 uint8_t *alert, void *arg)
{
    struct side *s = arg;
    note(s, "take", p, (const char *)content, len);
    *alert = 43;
    return !(s->fail_take & p->message);
}

static void give(hf_config *config, struct side *s, unsigned messages, unsigned other)
{
    struct applications *a = mem_new(sizeof *a);
    CHECK(a != NULL);
    atomic_init(&a->refs, 1);
    a->add = add;
    a->added = added;
    a->take = take;
    a->arg = s;
    a->ext[a->count++] = (struct application_extension){ID, messages};
    if (other)
        a->ext[a->count++] = (struct application_extension){OTHER, other};
    config->applications = a;
}

static void test_newest(void)
{
    struct pair p;
    struct side c = {0}, s = {0};
    pair_init(&p, PKI_P256);
    give(p.client_config, &c, APPLICATION_CH | APPLICATION_EE | APPLICATION_CT,
         APPLICATION_CH | APPLICATION_SH);
    give(p.server_config, &s, APPLICATION_CH | APPLICATION_EE | APPLICATION_CT,
         APPLICATION_CH | APPLICATION_SH);
    CHECK(pair_shake(&p));
    CHECK_STR(
        c.log,
        "add 1000 1/0 c1000.1.0; add 1001 1/0 c1001.1.0; take 1001 2/0 c1001.2.0; "
        "take 1000 8/0 c1000.8.0; take 1000 32/0 c1000.32.0; take 1000 32/1 c1000.32.1; ");
    CHECK_STR(s.log,
              "take 1000 1/0 c1000.1.0; take 1001 1/0 c1001.1.0; add 1001 2/0 c1001.2.0; "
              "add 1000 8/0 c1000.8.0; add 1000 32/0 c1000.32.0; add 1000 32/1 c1000.32.1; ");
    pair_clear(&p);
}

static void test_old(void)
{
    struct pair p;
    struct side c = {0}, s = {0};
    old_start(&p, HF_TLS1_2, "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256");
    give(p.client_config, &c, APPLICATION_CH | APPLICATION_SH12 | APPLICATION_EE, 0);
    give(p.server_config, &s, APPLICATION_CH | APPLICATION_SH12 | APPLICATION_EE, 0);
    CHECK(pair_shake(&p));
    CHECK_STR(c.log, "add 1000 1/0 c1000.1.0; take 1000 128/0 c1000.128.0; ");
    CHECK_STR(s.log, "take 1000 1/0 c1000.1.0; add 1000 128/0 c1000.128.0; ");
    pair_clear(&p);
}

/* A server answers only what was asked, and need not; one that knows nothing of it ignores it. */
static void test_silence(void)
{
    struct pair p;
    struct side c = {.silent = APPLICATION_CH}, s = {0};
    pair_init(&p, PKI_P256);
    give(p.client_config, &c, APPLICATION_CH | APPLICATION_EE, 0);
    give(p.server_config, &s, APPLICATION_CH | APPLICATION_EE, 0);
    CHECK(pair_shake(&p));
    CHECK_STR(s.log, "");
    CHECK_STR(c.log, "");
    pair_clear(&p);
    struct side c2 = {0}, s2 = {.silent = APPLICATION_EE};
    pair_init(&p, PKI_P256);
    give(p.client_config, &c2, APPLICATION_CH | APPLICATION_EE, 0);
    give(p.server_config, &s2, APPLICATION_CH | APPLICATION_EE, 0);
    CHECK(pair_shake(&p));
    CHECK_STR(c2.log, "add 1000 1/0 c1000.1.0; ");
    pair_clear(&p);
    struct side c3 = {0};
    pair_init(&p, PKI_P256);
    give(p.client_config, &c3, APPLICATION_CH | APPLICATION_EE, 0);
    CHECK(pair_shake(&p));
    CHECK_STR(c3.log, "add 1000 1/0 c1000.1.0; ");
    pair_clear(&p);
}

static void fails(struct side c, struct side s, unsigned client, unsigned server,
                  hf_code client_code, hf_code server_code, uint8_t alert)
{
    struct pair p;
    pair_init(&p, PKI_P256);
    give(p.client_config, &c, client, 0);
    give(p.server_config, &s, server, 0);
    if (s.forget)
        s.forget = &c;
    pair_connect(&p);
    pair_run(&p);
    CHECK_INT(end_code(&p.client), client_code);
    CHECK_INT(end_code(&p.server), server_code);
    const hf_error *err =
        hf_conn_error(client_code == HF_E_ALERT_RECEIVED ? p.server.conn : p.client.conn);
    CHECK(err && err->alert == alert);
    pair_clear(&p);
}

static void test_refused(void)
{
    struct side none = {0}, bad = {.fail_add = APPLICATION_EE}, forget = {.forget = &none};
    unsigned all = APPLICATION_CH | APPLICATION_EE;
    fails(none, none, APPLICATION_CH, all, HF_E_MISPLACED_EXTENSION, HF_E_ALERT_RECEIVED, 47);
    fails(none, forget, all, all, HF_E_UNSOLICITED_EXTENSION, HF_E_ALERT_RECEIVED, 110);
    fails(none, bad, all, all, HF_E_ALERT_RECEIVED, HF_E_REFUSED, 47);
    bad = (struct side){.fail_take = APPLICATION_CH};
    fails(none, bad, all, all, HF_E_ALERT_RECEIVED, HF_E_REFUSED, 43);
    bad = (struct side){.fail_take = APPLICATION_EE};
    fails(bad, none, all, all, HF_E_REFUSED, HF_E_ALERT_RECEIVED, 43);
}

/* Before a byte was sent there is nobody to tell. */
static void test_no_hello(void)
{
    struct pair p;
    struct side c = {.fail_add = APPLICATION_CH};
    pair_init(&p, PKI_P256);
    give(p.client_config, &c, APPLICATION_CH, 0);
    pair_connect(&p);
    CHECK_INT(hf_conn_handshake(p.client.conn), HF_FAILED);
    CHECK_INT(end_code(&p.client), HF_E_REFUSED);
    pair_clear(&p);
}

int main(void)
{
    RUN(test_newest);
    RUN(test_old);
    RUN(test_silence);
    RUN(test_refused);
    RUN(test_no_hello);
    return check_done();
}
