/* uv.c: a stream in libuv's loop: fetch pages from several servers at once.
 *
 *     cc -o uv uv.c $(pkg-config --cflags --libs handfast libuv)
 *     uv tls://one.example:443 tls://two.example:443
 */
#include <handfast_net.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <uv.h>

struct fetch {
    uv_poll_t poll; /* first: libuv hands it back */
    const char *url;
    hf_stream *stream;
    size_t got;
    bool asked;
};

static void closed(uv_handle_t *handle)
{
    hf_close(((struct fetch *)handle)->stream, NULL);
    free(handle);
}

static int step(struct fetch *f, hf_error *err)
{
    char page[4096];
    ptrdiff_t n = hf_stream_handshake(f->stream, err);
    if (n == 0 && !f->asked) /* so few bytes always go at once */
        f->asked = hf_write(f->stream, "GET / HTTP/1.0\r\n\r\n", 18, err) == 18;
    while (n >= 0 && (n = hf_read(f->stream, page, sizeof page, err)) > 0)
        f->got += (size_t)n;
    return (int)n;
}

static void advance(uv_poll_t *poll, int status, int events)
{
    struct fetch *f = (struct fetch *)poll;
    hf_error err = {0};
    char why[2048] = "";
    int r = step(f, &err), wants = hf_stream_events(f->stream);
    (void)status, (void)events;
    if (r == HF_AGAIN) {
        uv_poll_start(poll,
                      (wants & POLLIN ? UV_READABLE : 0) | (wants & POLLOUT ? UV_WRITABLE : 0),
                      advance);
        return;
    }
    if (r < 0)
        hf_explain(hf_stream_conn(f->stream), &err, why, sizeof why);
    printf("%s: %zu bytes\n%s", f->url, f->got, why);
    uv_close((uv_handle_t *)poll, closed);
}

int main(int argc, char **argv)
{
    hf_net_options options = {.non_blocking = true};
    if (argc < 2)
        return fputs("uv URL...\n", stderr), 2;
    for (int i = 1; i < argc; i++) {
        struct fetch *f = calloc(1, sizeof *f);
        hf_error err;
        f->url = argv[i];
        f->stream = hf_open(argv[i], NULL, &options, &err);
        if (!f->stream) {
            printf("%s: %s\n", argv[i], err.detail);
            free(f);
            continue;
        }
        uv_poll_init(uv_default_loop(), &f->poll, hf_stream_fd(f->stream));
        advance(&f->poll, 0, 0);
    }
    return uv_run(uv_default_loop(), UV_RUN_DEFAULT);
}
