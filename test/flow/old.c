#include "old.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const uint8_t psk_key[32] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16};
static const uint8_t psk_name[] = "alice";

static void must(bool ok, const char *what)
{
    if (ok)
        return;
    fprintf(stderr, "old: %s failed\n", what);
    exit(2);
}

void old_allow(hf_config *config, uint16_t lowest, uint16_t highest, const char *suites)
{
    must(hf_config_insecure_set_security_level(config, 0), "level");
    must(hf_config_set_versions(config, lowest, highest), "versions");
    must(hf_config_set_signatures(
             config, "ecdsa_secp256r1_sha256,ecdsa_secp384r1_sha384,rsa_pss_rsae_sha256,"
                     "rsa_pkcs1_sha256,rsa_pkcs1_sha1,ecdsa_sha1"),
         "signatures");
    must(!suites || hf_config_set_suites(config, suites), "suites");
    must(highest >= HF_TLS1_3 || /* which would use it with every suite */
             hf_config_add_psk(config, psk_name, sizeof psk_name - 1, psk_key, sizeof psk_key),
         "key");
}

void old_allow_both(struct pair *p, uint16_t lowest, uint16_t highest, const char *suites)
{
    old_allow(p->client_config, lowest, highest, suites);
    old_allow(p->server_config, lowest, highest, suites);
}

void old_start(struct pair *p, uint16_t version, const char *suite)
{
    pair_init(p, strstr(suite, "_ECDSA_") ? PKI_P256 : PKI_RSA);
    old_allow_both(p, version, version, suite);
    if (strstr(suite, "_anon_"))
        must(hf_config_insecure_no_verify(p->client_config), "no verification");
}

bool end_shaken(const struct end *e)
{
    return !(hf_conn_wants(e->conn) & (HF_IN_HANDSHAKE | HF_IS_FAILED));
}

bool end_is_dead(const struct end *e)
{
    return (hf_conn_wants(e->conn) & HF_IS_FAILED) != 0;
}

hf_result old_hand(struct end *to, const void *bytes, size_t len)
{
    size_t used, n;
    uint8_t *data;
    wire_put(&to->in, bytes, len);
    do {
        to->last = hf_conn_receive(to->conn, to->in.p, to->in.len, &used, &data, &n);
        wire_put(&to->data, data, n);
        wire_drop(&to->in, used);
    } while (to->last == HF_DONE && n);
    return to->last;
}

hf_result old_record(struct end *from, struct end *to, uint8_t type, const void *p, size_t len)
{
    uint8_t *out = malloc(rec_sealed_size(&from->conn->out, type, len));
    uint16_t version = from->conn->out.version;
    must(out != NULL, "malloc");
    size_t size = rec_seal(&from->conn->out, type, version ? version : HF_TLS1_2, p, len, out);
    must(size > 0, "sealing");
    hf_result r = old_hand(to, out, size);
    free(out);
    return r;
}

static bool arrives(struct pair *p, struct end *from, struct end *to, const char *text)
{
    size_t n = strlen(text);
    wire_drop(&to->data, to->data.len);
    return pair_send(p, from, text, n) == HF_DONE && to->data.len == n &&
           memcmp(to->data.p, text, n) == 0;
}

bool old_echo(struct pair *p)
{
    return arrives(p, &p->client, &p->server, "from the client") &&
           arrives(p, &p->server, &p->client, "from the server, a little longer");
}

/* ---- peers with other lists */

static const struct step *target[2][2]; /* server?, resumed? */
static struct step first[2][OLD_MAX_ROWS];

static void divert(struct hs *hs)
{
    const struct step **to = target[hs->n.server];
    if ((hs->jump == client12 || hs->jump == server12) && to[0])
        hs->jump = to[0];
    else if ((hs->jump == client12_resumed || hs->jump == server12_resumed) && to[1])
        hs->jump = to[1];
}

static enum hs_result diverted(struct hs *hs)
{
    const struct step *list = hs->n.server ? server13 : client13;
    enum hs_result r = list[hs->step - first[hs->n.server]].run(hs);
    if (r == HS_OK)
        divert(hs);
    return r;
}

/* The row of server12 that goes on in the other list. */
static enum hs_result resume_diverted(struct hs *hs)
{
    int row = old_row(server12, "go on with the session");
    enum hs_result r = server12[row].run(hs);
    if (r == HS_OK)
        divert(hs);
    return r;
}

void old_divert(struct end *e, const struct step *full, const struct step *resumed)
{
    static struct step resuming[OLD_MAX_ROWS];
    bool server = e->conn->est.server;
    if (server && resumed && !full) {
        old_list(resuming, server12);
        resuming[old_row(server12, "go on with the session")].run = resume_diverted;
        full = resuming;
    }
    target[server][0] = full;
    target[server][1] = resumed;
    old_list(first[server], server ? server13 : client13);
    for (struct step *s = first[server]; s->kind; s++)
        s->run = diverted;
    e->conn->hs->step = first[server];
}

void old_list(struct step copy[OLD_MAX_ROWS], const struct step *list)
{
    size_t n = 0;
    while (list[n].kind)
        n++;
    must(n + 2 < OLD_MAX_ROWS, "copying a list");
    memset(copy, 0, OLD_MAX_ROWS * sizeof *copy);
    memcpy(copy, list, n * sizeof *copy);
}

int old_row(const struct step *list, const char *name)
{
    for (int i = 0; list[i].kind; i++) {
        if (strcmp(list[i].name, name) == 0)
            return i;
    }
    fprintf(stderr, "old: no row is called %s\n", name);
    exit(2);
}

void old_insert(struct step *list, int row, enum hs_result (*run)(struct hs *))
{
    int n = row;
    while (list[n].kind)
        n++;
    memmove(&list[row + 2], &list[row + 1], (size_t)(n - row) * sizeof *list);
    list[row + 1] =
        (struct step){'.', 0, list[row].when, false, run, "something else", "RFC 5246 7.3"};
}

void old_remove(struct step *list, int row)
{
    int n = row;
    while (list[n].kind)
        n++;
    memmove(&list[row], &list[row + 1], (size_t)(n - row) * sizeof *list);
}

static size_t message_size(const uint8_t *p)
{
    return MSG_HEADER + ((size_t)p[1] << 16 | (size_t)p[2] << 8 | p[3]);
}

uint8_t *old_last_message(struct hs *hs, size_t *len)
{
    uint8_t *p = buffer_front(&hs->flight);
    size_t left = buffer_len(&hs->flight), at = 0;
    *len = 0;
    if (!p)
        return NULL;
    while (at + message_size(p + at) < left)
        at += message_size(p + at);
    *len = left - at;
    return p + at;
}

/* ---- hellos with other extensions */

void old_capture(const hf_conn *conn, const hf_trace_event *e, void *arg)
{
    struct old_blocks *blocks = arg;
    (void)conn;
    bool hello = e->kind == HF_TRACE_MESSAGE && e->sent && e->record_type == REC_HANDSHAKE &&
                 (e->bytes[0] == MSG_CLIENT_HELLO || e->bytes[0] == MSG_SERVER_HELLO);
    if (!hello)
        return;
    size_t at = MSG_HEADER + 2 + RANDOM_SIZE;
    at += 1u + e->bytes[at];
    if (e->bytes[0] == MSG_CLIENT_HELLO) {
        at += 2u + get_u16(e->bytes + at);
        at += 1u + e->bytes[at];
    } else {
        at += 3;
    }
    struct wire *to = e->bytes[0] == MSG_CLIENT_HELLO ? &blocks->client : &blocks->server;
    to->len = 0;
    if (at + 2 < e->size)
        wire_put(to, e->bytes + at + 2, e->size - at - 2);
}

static size_t extension_at(const struct wire *block, uint16_t id)
{
    size_t at = 0;
    while (at < block->len && get_u16(block->p + at) != id)
        at += 4u + get_u16(block->p + at + 2);
    return at;
}

bool old_has(const struct wire *block, uint16_t id)
{
    return extension_at(block, id) < block->len;
}

bool old_without(struct wire *block, uint16_t id)
{
    size_t at = extension_at(block, id);
    if (at >= block->len)
        return false;
    size_t len = 4u + get_u16(block->p + at + 2);
    memmove(block->p + at, block->p + at + len, block->len - at - len);
    block->len -= len;
    return true;
}

void old_with(struct wire *block, uint16_t id, const void *body, size_t len)
{
    uint8_t head[4];
    put_u16(head, id);
    put_u16(head + 2, (uint16_t)len);
    wire_put(block, head, sizeof head);
    wire_put(block, body, len);
}

static bool say(void *arg, uint8_t message, struct buffer *out)
{
    const struct old_blocks *blocks = arg;
    const struct wire *block = message == MSG_CLIENT_HELLO   ? &blocks->client
                               : message == MSG_SERVER_HELLO ? &blocks->server
                                                             : NULL;
    return block && block->p && buffer_append(out, block->p, block->len);
}

void old_say(hf_config *config, struct old_blocks *blocks)
{
    blocks->hooks.arg = blocks;
    blocks->hooks.extensions = say;
    config->test = &blocks->hooks;
}

void old_forget(struct old_blocks *blocks)
{
    free(blocks->client.p);
    free(blocks->server.p);
    memset(blocks, 0, sizeof *blocks);
}

/* ---- the wire */

static void deliver(struct end *to, struct old_wire *w, unsigned *number, uint8_t *record,
                    size_t len)
{
    unsigned n = (*number)++;
    if (!w->before || !w->before(to, n, record, len, w->arg))
        (void)old_hand(to, record, len);
}

/* Messages of one record in clear, each in records of its own. */
static void deliver_messages(struct end *to, struct old_wire *w, unsigned *number,
                             const uint8_t *record, size_t len)
{
    uint8_t out[REC_HEADER + REC_MAX_PLAIN];
    size_t left = len - REC_HEADER;
    const uint8_t *p = record + REC_HEADER;
    while (left) {
        size_t size = left >= MSG_HEADER ? message_size(p) : left;
        if (size > left)
            size = left;
        for (size_t done = 0; done < size;) {
            size_t n = w->piece && size - done > w->piece ? w->piece : size - done;
            memcpy(out, record, 3);
            put_u16(out + 3, (uint16_t)n);
            memcpy(out + REC_HEADER, p + done, n);
            deliver(to, w, number, out, REC_HEADER + n);
            done += n;
        }
        p += size;
        left -= size;
    }
}

static bool carry(struct end *from, struct end *to, struct old_wire *w, unsigned *number)
{
    size_t len;
    const uint8_t *out = hf_conn_output(from->conn, &len);
    if (!len)
        return false;
    uint8_t *copy = malloc(len);
    must(copy != NULL, "malloc");
    memcpy(copy, out, len);
    hf_conn_output_done(from->conn, len);
    bool clear = true; /* until the keys change */
    for (size_t at = 0; at < len;) {
        size_t size = REC_HEADER + get_u16(copy + at + 3);
        if (copy[at] == REC_CCS || to->conn->in.prot)
            clear = false;
        if (copy[at] == REC_HANDSHAKE && clear)
            deliver_messages(to, w, number, copy + at, size);
        else
            deliver(to, w, number, copy + at, size);
        at += size;
    }
    free(copy);
    return true;
}

void old_run(struct pair *p, struct old_wire *w)
{
    for (int i = 0; i < 64; i++) {
        bool moved = carry(&p->client, &p->server, w, &w->to_server);
        if (!carry(&p->server, &p->client, w, &w->to_client) && !moved)
            return;
    }
    must(false, "coming to an end");
}
