/* fetch.c: a server's certificates, to look at. */
#include <stdio.h>

#include "handfast_certificate.h"
#include "net/stream.h"

struct capture {
    hf_certificate_list *out;
    bool no_memory;
};

static size_t count_sent(const hf_conn *conn)
{
    size_t n = 0;

    while (hf_conn_peer_certificate(conn, n))
        n++;
    return n;
}

/* The certificates are there from here on; what becomes of the handshake later does not matter to them. */
static bool capture(hf_conn *conn, const hf_question *question, void *arg)
{
    struct capture *c = arg;
    size_t n = count_sent(conn);

    hf_certificates_clear(c->out);
    c->out->cert = n ? mem_new(n * sizeof *c->out->cert) : NULL;
    c->no_memory = n && !c->out->cert;
    for (size_t i = 0; i < n && !c->no_memory; i++)
        c->out->cert[c->out->count++] =
            hf_certificate_ref((hf_certificate *)(uintptr_t)hf_conn_peer_certificate(conn, i));
    return hf_answer_verify(conn, question->verdict == NULL && !c->no_memory);
}

/* Without verification nothing can be lost by speaking what is weak: no byte of anybody's goes over it. */
static bool set_curious(hf_config *config)
{
    return hf_config_insecure_no_verify(config) && hf_config_insecure_no_name_check(config) &&
           hf_config_insecure_set_security_level(config, 0) &&
           hf_config_set_versions(config, HF_TLS1_0, HF_TLS1_3) &&
           hf_config_set_ciphers(config, "ALL:!aNULL:!eNULL:!PSK@SECLEVEL=0");
}

static hf_config *make_config(hf_trust *trust, struct capture *c, hf_error *err)
{
    hf_config *config = hf_config_new(HF_CLIENT);
    bool good;

    if (!config) {
        net_fail(err, HF_E_NO_MEMORY, 0, "for a configuration");
        return NULL;
    }
    good = (trust ? hf_config_set_trust(config, trust) : set_curious(config)) &&
           hf_config_set_ask(config, HF_ASK_VERIFY, capture, c);
    if (good)
        return config;
    if (err)
        *err = *hf_config_error(config);
    hf_config_free(config);
    return NULL;
}

/* A colon behind the host begins a port; those within [] belong to an address. */
static bool complete(const char *url, char *out, size_t size)
{
    const char *bracket = strrchr(url, ']');
    bool port = strchr(bracket ? bracket : url, ':') != NULL;
    int n = strstr(url, "://") ? snprintf(out, size, "%s", url)
                               : snprintf(out, size, "tls://%s%s", url, port ? "" : ":443");

    return n >= 0 && (size_t)n < size;
}

/* Politely, so that the server's log has no broken connection; but it gets no more than a moment. */
static void part(hf_stream *s)
{
    char dropped[512];

    hf_stream_set_timeout(s, 0.3);
    if (!hf_shutdown_write(s, NULL))
        return;
    for (int i = 0; i < 8 && hf_read(s, dropped, sizeof dropped, NULL) > 0; i++)
        ;
}

bool hf_get_server_certificate(const char *url, const char *name, hf_trust *trust,
                               double timeout, hf_certificate_list *out, hf_error *err)
{
    struct capture c = {out, false};
    hf_net_options options = HF_NET_OPTIONS;
    char whole[URL_HOST_MAX + 64];
    hf_error why = {0};
    hf_config *config;
    hf_stream *s;

    err_begin(err);
    if (!url || !out)
        return err_set(err, HF_E_USAGE, "hf_get_server_certificate: %s is NULL",
                       url ? "out" : "url");
    *out = (hf_certificate_list){0};
    if (!complete(url, whole, sizeof whole))
        return err_set(err, HF_E_URL, "%.60s... is too long", url);
    config = make_config(trust, &c, err);
    if (!config)
        return false;
    options.peer_name = name;
    options.connect_timeout = timeout;
    options.timeout = timeout;
    options.no_session_cache = true;
    s = hf_open(whole, config, &options, &why);
    if (s && !hf_stream_conn(s))
        err_set(&why, HF_E_USAGE,
                "%s is a connection without TLS: nobody shows a certificate there", whole);
    if (s && why.code == HF_OK && out->count == 0)
        err_set(&why, HF_E_NO_PEER_CERTIFICATE, "%s has shown no certificate", whole);
    if (s)
        part(s);
    hf_close(s, NULL);
    hf_config_free(config);
    if (c.no_memory)
        return err_set(err, HF_E_NO_MEMORY, "for certificates");
    if (why.code == HF_OK || (!trust && out->count > 0))
        return true;
    hf_certificates_clear(out);
    if (err)
        *err = why;
    return false;
}
