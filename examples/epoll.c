/* epoll.c: fetch pages from several servers at once, in one thread that never blocks.
 *
 *     cc -o epoll epoll.c $(pkg-config --cflags --libs handfast)
 *     epoll tls://one.example:443 tls://two.example:443
 */
#include <handfast_net.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>

struct fetch {
    const char *url;
    hf_stream *stream;
    size_t asked, got; /* bytes of the request that went, of the page that came */
};

static const char request[] = "GET / HTTP/1.0\r\n\r\n";

/* Goes as far as it can. 1: there is more to wait for, 0: done, -1: failed. */
static int step(struct fetch *f, hf_error *err)
{
    char page[4096];
    ptrdiff_t n = hf_stream_handshake(f->stream, err); /* connects, too */
    while (n == 0 && f->asked < sizeof request - 1) {
        ptrdiff_t sent =
            hf_write(f->stream, request + f->asked, sizeof request - 1 - f->asked, err);
        if (sent < 0)
            n = sent;
        else
            f->asked += (size_t)sent;
    }
    while (n >= 0 && (n = hf_read(f->stream, page, sizeof page, err)) > 0)
        f->got += (size_t)n;
    return n == HF_AGAIN ? 1 : (int)n;
}

static void watch(int epoll, struct fetch *f)
{
    struct epoll_event e = {.events = (unsigned short)hf_stream_events(f->stream),
                            .data.ptr = f};
    int fd = hf_stream_fd(f->stream);
    if (epoll_ctl(epoll, EPOLL_CTL_MOD, fd, &e) != 0) /* new, or just connected */
        epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &e);
}

static int advance(int epoll, struct fetch *f)
{
    hf_error err = {0};
    char why[2048] = "";
    int r = step(f, &err);
    if (r > 0) {
        watch(epoll, f);
        return 1;
    }
    if (r < 0)
        hf_explain(hf_stream_conn(f->stream), &err, why, sizeof why);
    printf("%s: %zu bytes\n%s", f->url, f->got, why);
    hf_close(f->stream, NULL);
    return 0;
}

int main(int argc, char **argv)
{
    if (argc < 2)
        return fputs("epoll URL...\n", stderr), 2;
    struct fetch *all = calloc((size_t)argc, sizeof *all);
    hf_net_options options = {.non_blocking = true};
    struct epoll_event event;
    int epoll = epoll_create1(0), open = 0;
    for (int i = 1; i < argc; i++) {
        hf_error err;
        all[i] =
            (struct fetch){.url = argv[i], .stream = hf_open(argv[i], NULL, &options, &err)};
        if (all[i].stream)
            open += advance(epoll, &all[i]);
        else
            printf("%s: %s\n", argv[i], err.detail);
    }
    while (open > 0 && epoll_wait(epoll, &event, 1, -1) >= 0)
        open -= !advance(epoll, event.data.ptr);
    free(all);
    return 0;
}
