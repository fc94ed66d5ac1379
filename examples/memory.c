/* memory.c: the protocol without a socket. A client and a server in one thread; the wire is two arrays. Where your bytes
 * travel (a queue, another protocol, a device) takes their place.
 *
 *     cc -o memory memory.c $(pkg-config --cflags --libs handfast)
 *     memory chain.pem key.pem ca.pem server.name
 */
#include <handfast.h>
#include <stdio.h>
#include <string.h>

struct wire {
    unsigned char bytes[65536];
    size_t len;
};

struct end {
    hf_conn *conn;
    struct wire *in, *out;
};

/* Puts what the protocol has to say on the wire, and takes what has come; application data is printed. */
static bool turn(struct end *e)
{
    size_t used = 0, data_len = 0, len = 0;
    unsigned char *data;
    hf_result r;
    do {
        r = hf_conn_receive(e->conn, e->in->bytes, e->in->len, &used, &data, &data_len);
        printf("%.*s", (int)data_len, (char *)data);
        memmove(e->in->bytes, e->in->bytes + used, e->in->len -= used);
    } while (r == HF_DONE);
    const unsigned char *p = hf_conn_output(e->conn, &len);
    if (len)
        memcpy(e->out->bytes + e->out->len, p, len);
    e->out->len += len;
    hf_conn_output_done(e->conn, len);
    return r != HF_FAILED;
}

static bool say(struct end *e, const char *text)
{
    size_t taken = 0, written = 0;
    hf_result r =
        hf_conn_send(e->conn, (const unsigned char *)text, strlen(text), &taken,
                     e->out->bytes + e->out->len, sizeof e->out->bytes - e->out->len, &written);
    e->out->len += written;
    return r == HF_DONE && taken == strlen(text);
}

static int explain(const struct end *e)
{
    char why[2048];
    hf_explain(e->conn, hf_conn_error(e->conn), why, sizeof why);
    fputs(why, stderr);
    return 1;
}

static bool configure(hf_config *client, hf_config *server, char **files, hf_error *err)
{
    hf_trust *trust = hf_trust_new();
    hf_credential *mine = hf_credential_load_files(files[0], files[1], NULL, NULL, err);
    bool good = mine && hf_trust_add_file(trust, files[2], err) &&
                hf_config_set_trust(client, trust) && hf_config_add_credential(server, mine);
    hf_trust_free(trust); /* the configurations have them now */
    hf_credential_free(mine);
    return good;
}

static int converse(struct end *c, struct end *s)
{
    while (hf_conn_handshake(c->conn) != HF_DONE || hf_conn_handshake(s->conn) != HF_DONE)
        if (!turn(c) || !turn(s))
            return explain(hf_conn_error(c->conn) ? c : s);
    printf("%s, %s\n", hf_version_name(hf_conn_version(c->conn)),
           hf_suite_name(hf_conn_suite(c->conn)));
    return !(say(c, "hello from the client\n") && turn(s) &&
             say(s, "hello from the server\n") && turn(c));
}

int main(int argc, char **argv)
{
    static struct wire up, down;
    hf_config *client = hf_config_new(HF_CLIENT), *server = hf_config_new(HF_SERVER);
    hf_error err = {0};
    bool good = argc == 5 && configure(client, server, argv + 1, &err);
    struct end c = {good ? hf_conn_new_client(client, argv[4], &err) : NULL, &down, &up};
    struct end s = {good ? hf_conn_new_server(server, &err) : NULL, &up, &down};
    int status = 2;
    if (c.conn && s.conn)
        status = converse(&c, &s);
    else
        fprintf(stderr, "%s\n", argc < 5 ? "memory CHAIN KEY CA NAME" : err.detail);
    hf_conn_free(c.conn);
    hf_conn_free(s.conn);
    hf_config_free(client);
    hf_config_free(server);
    return status;
}
