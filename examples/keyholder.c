/* keyholder.c: the private key lives in another process. The server that talks to the world never sees it: it asks for
 * signatures, and a break-in there cannot carry the key away.
 *
 *     cc -o keyholder keyholder.c $(pkg-config --cflags --libs handfast libcrypto)
 *     keyholder chain.pem key.pem tls://localhost:8443      (a P-256 key; greets everyone who comes)
 */
#include <handfast_net.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

enum { MOST = 4096 };

/* The holder: a message comes, a signature goes. */
static void hold_key(int fd, const char *path)
{
    unsigned char message[MOST], signature[256];
    FILE *f = fopen(path, "r");
    EVP_PKEY *key = f ? PEM_read_PrivateKey(f, NULL, NULL, NULL) : NULL;
    ssize_t n;
    while (key && (n = recv(fd, message, sizeof message, 0)) > 0) {
        EVP_MD_CTX *ctx = EVP_MD_CTX_new();
        size_t len = sizeof signature;
        if (EVP_DigestSignInit(ctx, NULL, EVP_sha256(), NULL, key) != 1 ||
            EVP_DigestSign(ctx, signature, &len, message, (size_t)n) != 1)
            len = 0;
        EVP_MD_CTX_free(ctx);
        send(fd, signature, len, 0);
    }
    exit(key == NULL);
}

/* The server: called in the handshake. It could also return false and give the answer later (HF_WANT_ANSWER). */
static bool ask_holder(hf_conn *conn, const hf_question *q, void *arg)
{
    unsigned char signature[256];
    int fd = *(int *)arg;
    ssize_t n = -1;
    if (send(fd, q->to_be_signed, q->to_be_signed_len, MSG_NOSIGNAL) > 0)
        n = recv(fd, signature, sizeof signature, 0);
    return hf_answer_signature(conn, n > 0 ? signature : NULL, n > 0 ? (size_t)n : 0);
}

int main(int argc, char **argv)
{
    static char chain[65536], why[2048];
    int pipe[2];
    hf_error err = {0};
    FILE *f = argc == 4 ? fopen(argv[1], "r") : NULL;
    size_t len = f ? fread(chain, 1, sizeof chain, f) : 0;
    if (!len || socketpair(AF_UNIX, SOCK_SEQPACKET, 0, pipe) != 0)
        return fputs("keyholder CHAIN KEY URL\n", stderr), 2;
    if (fork() == 0) {
        close(pipe[0]);
        hold_key(pipe[1], argv[2]);
    }
    close(pipe[1]);

    hf_config *config = hf_config_new(HF_SERVER);
    hf_config_add_credential(config,
                             hf_credential_load_memory(chain, len, NULL, 0, NULL, NULL, &err));
    hf_config_set_signatures(config, "ecdsa_secp256r1_sha256");
    hf_config_set_ask(config, HF_ASK_SIGNATURE, ask_holder, &pipe[0]);
    hf_listener *door = hf_listen(argv[3], config, NULL, &err);
    while (door) {
        hf_stream *s = hf_accept(door, &err);
        if (!s || hf_write(s, "hi\n", 3, &err) < 0) {
            hf_explain(NULL, &err, why, sizeof why);
            fputs(why, stderr);
        }
        hf_close(s, NULL);
    }
    fprintf(stderr, "%s\n", err.detail);
    return 1;
}
