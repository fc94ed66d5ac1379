/* server.c: greet everyone who comes. The chain begins with the server's own certificate.
 *
 *     cc -o server server.c $(pkg-config --cflags --libs handfast)
 *     server chain.pem key.pem tls://localhost:8443
 */
#include <handfast_net.h>
#include <stdio.h>

static void explain(const hf_error *err)
{
    char why[2048];
    hf_explain(NULL, err, why, sizeof why);
    fputs(why, stderr);
}

int main(int argc, char **argv)
{
    const char *chain = argc > 1 ? argv[1] : "chain.pem", *key = argc > 2 ? argv[2] : "key.pem";
    const char *url = argc > 3 ? argv[3] : "tls://localhost:8443";
    hf_error err;

    /* clang-format off */
    hf_credential *own = hf_credential_load_files(chain, key, NULL, NULL, &err);
    hf_config *config = hf_config_new(HF_SERVER);
    hf_config_add_credential(config, own);
    hf_listener *door = own ? hf_listen(url, config, NULL, &err) : NULL;
    for (hf_stream *s; hf_listener_fd(door) >= 0; hf_close(s, NULL))
        if (!(s = hf_accept(door, &err)) || hf_write(s, "hi\n", 3, &err) < 0) explain(&err);
    /* clang-format on */

    explain(&err);
    return 1;
}
