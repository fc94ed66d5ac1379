/* resume.c: keep a session in a file, and resume it with the next connection, which saves the server a signature and both
 * sides the certificates. The file holds secrets: who has it can take the client's place.
 *
 *     cc -o resume resume.c $(pkg-config --cflags --libs handfast)
 *     resume tls://example.com:443 session.bin
 */
#include <fcntl.h>
#include <handfast_net.h>
#include <stdio.h>
#include <unistd.h>

/* Called for each ticket that the server gives; the last one is the one to keep. */
static void keep(hf_conn *conn, hf_session *session, void *path)
{
    unsigned char bytes[16384];
    size_t len = hf_session_export(session, bytes, sizeof bytes);
    int fd = len <= sizeof bytes ? open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600) : -1;
    (void)conn;
    if (fd < 0 || write(fd, bytes, len) != (ssize_t)len)
        perror(path);
    close(fd);
}

static hf_session *load(const char *path)
{
    unsigned char bytes[16384];
    int fd = open(path, O_RDONLY);
    ssize_t len = fd < 0 ? 0 : read(fd, bytes, sizeof bytes);
    close(fd);
    return len > 0 ? hf_session_import(bytes, (size_t)len, NULL) : NULL;
}

int main(int argc, char **argv)
{
    char page[4096];
    hf_error err = {0};
    ptrdiff_t n = -1;
    if (argc != 3)
        return fputs("resume URL FILE\n", stderr), 2;
    hf_config *config = hf_config_new(HF_CLIENT);
    hf_config_set_session_callback(config, keep, argv[2]);
    hf_net_options options = {.session = load(argv[2])};

    hf_stream *s = hf_open(argv[1], config, &options, &err);
    if (s && hf_write(s, "GET / HTTP/1.0\r\n\r\n", 18, &err) > 0)
        while ((n = hf_read(s, page, sizeof page, &err)) > 0)
            ; /* tickets come with the answer */
    if (n == 0)
        printf("%s\n", hf_conn_resumed(hf_stream_conn(s)) ? "resumed" : "a full handshake");
    else if (hf_explain(s ? hf_stream_conn(s) : NULL, &err, page, sizeof page))
        fputs(page, stderr);
    hf_close(s, NULL);
    hf_session_free(options.session);
    hf_config_free(config);
    return n != 0;
}
