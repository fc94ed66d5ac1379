#include "pair.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void must(bool ok, const char *what, const hf_error *err)
{
    char line[512] = "";
    if (ok)
        return;
    if (err)
        hf_error_line(err, line, sizeof line);
    fprintf(stderr, "pair: %s failed: %s\n", what, line);
    exit(2);
}

void wire_put(struct wire *w, const void *p, size_t n)
{
    if (w->len + n > w->size) {
        w->size = (w->len + n) * 2;
        w->p = realloc(w->p, w->size);
        must(w->p != NULL, "realloc", NULL);
    }
    if (n)
        memcpy(w->p + w->len, p, n);
    w->len += n;
}

void wire_drop(struct wire *w, size_t n)
{
    if (n == 0)
        return;
    memmove(w->p, w->p + n, w->len - n);
    w->len -= n;
}

static int64_t fixed_clock(void *arg)
{
    (void)arg;
    return PKI_NOW;
}

static void keep_session(hf_conn *conn, hf_session *session, void *arg)
{
    struct pair *p = arg;
    (void)conn;
    if (p->sessions < sizeof p->session / sizeof *p->session)
        p->session[p->sessions++] = hf_session_ref(session);
}

void pair_init(struct pair *p, enum pki_kind kind)
{
    hf_error err = {0};
    memset(p, 0, sizeof *p);
    p->pki = pki_new(kind, "DNS:server.example,DNS:*.wild.example,IP:127.0.0.1");
    p->trust = hf_trust_new();
    must(hf_trust_add_memory(p->trust, p->pki->root->pem, strlen(p->pki->root->pem), &err),
         "trust", &err);
    p->cred = hf_credential_load_memory(p->pki->chain_pem, strlen(p->pki->chain_pem),
                                        p->pki->leaf->key_pem, strlen(p->pki->leaf->key_pem),
                                        NULL, NULL, &err);
    must(p->cred != NULL, "credential", &err);
    p->client_config = hf_config_new(HF_CLIENT);
    p->server_config = hf_config_new(HF_SERVER);
    hf_config_set_trust(p->client_config, p->trust);
    hf_config_set_clock(p->client_config, fixed_clock, NULL);
    hf_config_set_clock(p->server_config, fixed_clock, NULL);
    hf_config_set_session_callback(p->client_config, keep_session, p);
    hf_config_add_credential(p->server_config, p->cred);
}

void pair_connect(struct pair *p)
{
    hf_error err = {0};
    p->client.conn = hf_conn_new_client(p->client_config, "server.example", &err);
    must(p->client.conn != NULL, "client", &err);
    p->server.conn = hf_conn_new_server(p->server_config, &err);
    must(p->server.conn != NULL, "server", &err);
}

static void take(struct end *e)
{
    for (;;) {
        size_t used, len, give = e->in.len;
        uint8_t *data;
        if (e->chunk && give > e->offered + e->chunk)
            give = e->offered + e->chunk;
        e->offered = give;
        e->last = hf_conn_receive(e->conn, e->in.p, give, &used, &data, &len);
        wire_put(&e->data, data, len);
        wire_drop(&e->in, used);
        e->offered -= used;
        if (e->last == HF_WANT_INPUT && e->offered < e->in.len)
            continue;
        if (e->last != HF_DONE)
            return;
        if (e->in.len == 0 && len == 0)
            return;
    }
}

bool pair_pump(struct end *from, struct end *to)
{
    size_t len;
    const uint8_t *bytes = hf_conn_output(from->conn, &len);
    if (!len)
        return false;
    size_t at = to->in.len;
    wire_put(&to->in, bytes, len);
    hf_conn_output_done(from->conn, len);
    to->flights++;
    if (to->tamper)
        to->tamper(to, to->in.p + at, len, to->tamper_arg);
    take(to);
    return true;
}

void pair_run(struct pair *p)
{
    /* What a test has put on the wire itself. */
    if (p->server.in.len)
        take(&p->server);
    if (p->client.in.len)
        take(&p->client);
    for (int i = 0; i < 64; i++) {
        bool moved = pair_pump(&p->client, &p->server);
        if (!pair_pump(&p->server, &p->client) && !moved)
            return;
    }
    must(false, "coming to an end", NULL);
}

bool pair_shake(struct pair *p)
{
    pair_connect(p);
    pair_run(p);
    return !(hf_conn_wants(p->client.conn) & (HF_IN_HANDSHAKE | HF_IS_FAILED)) &&
           !(hf_conn_wants(p->server.conn) & (HF_IN_HANDSHAKE | HF_IS_FAILED));
}

hf_result pair_send(struct pair *p, struct end *from, const void *data, size_t len)
{
    struct end *to = from == &p->client ? &p->server : &p->client;
    size_t size = hf_conn_send_size(from->conn, len), taken, written, done = 0;
    uint8_t *out = malloc(size);
    must(out != NULL, "malloc", NULL);
    hf_result r = HF_DONE;
    do {
        r = hf_conn_send(from->conn, (const uint8_t *)data + done, len - done, &taken, out,
                         size, &written);
        done += taken;
        wire_put(&to->in, out, written);
        if (written)
            take(to);
    } while (r == HF_DONE && done < len);
    free(out);
    return r;
}

static void end_clear(struct end *e)
{
    hf_conn_free(e->conn);
    free(e->in.p);
    free(e->data.p);
    memset(e, 0, sizeof *e);
}

void pair_reset(struct pair *p)
{
    end_clear(&p->client);
    end_clear(&p->server);
}

void pair_clear(struct pair *p)
{
    pair_reset(p);
    for (unsigned i = 0; i < p->sessions; i++)
        hf_session_free(p->session[i]);
    hf_config_free(p->client_config);
    hf_config_free(p->server_config);
    hf_credential_free(p->cred);
    hf_trust_free(p->trust);
    pki_clear(p->pki);
}

hf_code end_code(const struct end *e)
{
    const hf_error *err = hf_conn_error(e->conn);
    return err ? err->code : HF_OK;
}
