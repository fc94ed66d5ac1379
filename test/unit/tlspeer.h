/* tlspeer.h: what the tests of TLS streams share: configurations, peers in threads, pairs. */
#ifndef TLSPEER_H
#define TLSPEER_H

#include "netpeer.h"

#include "pki.h"

/* ---- configurations */

static struct pki *pki, *other;
static hf_config *server_config, *client_config;

static inline hf_config *make_server(const struct pki *of)
{
    hf_config *config = hf_config_new(HF_SERVER);
    hf_error err = {0};
    hf_credential *cred =
        hf_credential_load_memory(of->chain_pem, strlen(of->chain_pem), of->leaf->key_pem,
                                  strlen(of->leaf->key_pem), NULL, NULL, &err);

    if (!cred || !hf_config_add_credential(config, cred)) {
        printf("credential: %s\n", err.detail);
        exit(1);
    }
    hf_credential_free(cred);
    return config;
}

static inline hf_config *make_client(const struct pki *of)
{
    hf_config *config = hf_config_new(HF_CLIENT);
    hf_trust *trust = hf_trust_new();

    if (!hf_trust_add_memory(trust, of->root->pem, strlen(of->root->pem), NULL) ||
        !hf_config_set_trust(config, trust))
        exit(1);
    hf_trust_free(trust);
    return config;
}

/* ---- peers */

struct tls_peer {
    pthread_t thread;
    hf_listener *listener;
    char url[96];
    int clients;
    void (*play)(hf_stream *s);
    hf_error err; /* of the last accept that failed */
};

static inline void *tls_peer_run(void *arg)
{
    struct tls_peer *p = arg;

    for (int i = 0; i < p->clients; i++) {
        hf_error err = {0};
        hf_stream *s = hf_accept(p->listener, &err);

        if (s)
            p->play(s);
        else
            p->err = err;
    }
    return NULL;
}

static inline void tls_peer_start(struct tls_peer *p, const char *url, hf_config *config,
                                  int clients, void (*play)(hf_stream *))
{
    hf_error err = {0};

    *p = (struct tls_peer){.play = play, .clients = clients};
    p->listener = hf_listen(url, config, NULL, &err);
    if (!p->listener) {
        printf("listen %s: %s: %s\n", url, hf_code_name(err.code), err.detail);
        exit(1);
    }
    hf_listener_url(p->listener, p->url, sizeof p->url);
    if (pthread_create(&p->thread, NULL, tls_peer_run, p) != 0)
        exit(1);
}

static inline void tls_peer_end(struct tls_peer *p)
{
    pthread_join(p->thread, NULL);
    hf_listener_close(p->listener);
}

static inline hf_stream *tls_open(const char *url, const hf_net_options *options)
{
    hf_error err = {0};
    hf_stream *s = hf_open(url, client_config, options, &err);

    if (!s) {
        char line[512];

        hf_error_line(&err, line, sizeof line);
        printf("    open %s: %s\n", url, line);
    }
    CHECK(s != NULL);
    if (!s)
        exit(1);
    return s;
}

/* Two ends of a TLS stream in this thread, after their handshake. */
static inline void tls_pair(hf_stream *out[2], int fd[2], bool non_blocking)
{
    hf_net_options options = {.non_blocking = true, .peer_name = "localhost"};
    hf_error err = {0};
    int a, b, turns = 0;

    pair_of(fd);
    out[0] = hf_stream_wrap(fd[0], "tls", HF_CLIENT, client_config, &options, &err);
    out[1] = hf_stream_wrap(fd[1], "tls", HF_SERVER, server_config, &options, &err);
    if (!out[0] || !out[1]) {
        printf("wrap: %s: %s\n", hf_code_name(err.code), err.detail);
        exit(1);
    }
    do {
        a = hf_stream_handshake(out[0], &err);
        b = hf_stream_handshake(out[1], &err);
    } while ((a == HF_AGAIN || b == HF_AGAIN) && turns++ < 100);
    if (a || b) {
        printf("handshake: %d %d %s: %s\n", a, b, hf_code_name(err.code), err.detail);
        exit(1);
    }
    out[0]->non_blocking = out[1]->non_blocking = non_blocking;
    hf_stream_set_timeout(out[0], PLENTY);
    hf_stream_set_timeout(out[1], PLENTY);
}

/* tcp://HOST:PORT as tls://HOST:PORT. */
static inline void as_tls(char out[96], const char url[96])
{
    memcpy(out, url, 96);
    memcpy(out, "tls", 3);
}

static inline void tls_setup(void)
{
    setvbuf(stdout, NULL, _IOLBF, 0);
    pki = pki_new(PKI_P256, "DNS:localhost,DNS:other.localhost,IP:127.0.0.1,IP:::1");
    other = pki_new(PKI_P256, "DNS:elsewhere.example");
    server_config = make_server(pki);
    client_config = make_client(pki);
}

/* Whatever was opened must be closed by now; `files` were open before. */
static inline int tls_done(int files)
{
    session_cache_clear();
    hf_config_free(server_config);
    hf_config_free(client_config);
    pki_clear(pki);
    pki_clear(other);
    if (open_files() != files || iobuf_test_held() != 0) {
        printf("FAIL descriptors or buffers are left\n");
        check_failed++;
    }
    return check_done();
}

#endif
