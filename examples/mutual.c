/* mutual.c: both sides show a certificate. The server asks for one, and greets whom it has verified by name.
 *
 *     cc -o mutual mutual.c $(pkg-config --cflags --libs handfast)
 *     mutual serve tls://localhost:8443 chain.pem key.pem ca.pem     (one client)
 *     mutual connect tls://localhost:8443 chain.pem key.pem ca.pem
 */
#include <handfast_net.h>
#include <stdio.h>
#include <string.h>

static hf_config *configure(hf_role role, char **files, hf_error *err)
{
    hf_config *config = hf_config_new(role);
    hf_trust *trust = hf_trust_new();
    hf_credential *mine = hf_credential_load_files(files[0], files[1], NULL, NULL, err);
    bool good =
        mine && hf_trust_add_file(trust, files[2], err) && hf_config_set_trust(config, trust) &&
        hf_config_add_credential(config, mine) &&
        (role == HF_CLIENT || hf_config_set_client_auth(config, HF_CLIENT_AUTH_REQUIRE));
    hf_trust_free(trust); /* the configuration has them now */
    hf_credential_free(mine);
    if (good)
        return config;
    hf_config_free(config);
    return NULL;
}

static bool greet(hf_stream *s, hf_error *err)
{
    char text[300];
    const hf_certificate *who = hf_conn_peer_certificate(hf_stream_conn(s), 0);
    snprintf(text, sizeof text, "hello %s\n", hf_certificate_subject(who));
    return hf_write(s, text, strlen(text), err) > 0;
}

/* In TLS 1.3 a client learns only by its first read whether the server took its certificate. */
static bool listen_to(hf_stream *s, hf_error *err)
{
    char text[300];
    ptrdiff_t n;
    while ((n = hf_read(s, text, sizeof text, err)) > 0)
        fwrite(text, 1, (size_t)n, stdout);
    return n == 0;
}

int main(int argc, char **argv)
{
    hf_error err = {0};
    char why[2048];
    bool serve = argc > 1 && strcmp(argv[1], "serve") == 0, good = false;
    if (argc != 6)
        return fputs("mutual serve|connect URL CHAIN KEY CA\n", stderr), 2;
    hf_config *config = configure(serve ? HF_SERVER : HF_CLIENT, argv + 3, &err);
    hf_listener *door = config && serve ? hf_listen(argv[2], config, NULL, &err) : NULL;
    hf_stream *s = NULL;
    if (config)
        s = !serve ? hf_open(argv[2], config, NULL, &err) : door ? hf_accept(door, &err) : NULL;
    if (s)
        good = serve ? greet(s, &err) : listen_to(s, &err);
    if (!good) {
        hf_explain(s ? hf_stream_conn(s) : NULL, &err, why, sizeof why);
        fputs(why, stderr);
    }
    hf_close(s, NULL);
    hf_listener_close(door);
    hf_config_free(config);
    return !good;
}
