/* client.c: fetch a page. The certificate is verified, and so is the name that it was issued for.
 *
 *     cc -o client client.c $(pkg-config --cflags --libs handfast)
 *     client tls://example.com:443
 */
#include <handfast_net.h>
#include <stdio.h>

int main(int argc, char **argv)
{
    const char *url = argc > 1 ? argv[1] : "tls://example.com:443";
    char page[4096];
    ptrdiff_t n = -1;
    hf_error err;

    hf_stream *s = hf_open(url, NULL, NULL, &err);
    if (s && hf_write(s, "GET / HTTP/1.0\r\n\r\n", 18, &err) > 0)
        while ((n = hf_read(s, page, sizeof page, &err)) > 0)
            fwrite(page, 1, (size_t)n, stdout);
    hf_close(s, NULL);

    if (n < 0) {
        hf_explain(NULL, &err, page, sizeof page);
        fputs(page, stderr);
    }
    return n < 0;
}
