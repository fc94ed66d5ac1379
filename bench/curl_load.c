/* curl_load.c: what a program with libcurl does that asks many servers: connections with verification, one after the
 * other, each with a handle (and so an SSL_CTX) of its own or all with one. Prints microseconds of CPU time for each.
 *
 *   curl-load URL CAFILE COUNT new|same */
#include <curl/curl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

static size_t drop(char *p, size_t size, size_t n, void *arg)
{
    (void)p, (void)arg;
    return size * n;
}

static CURL *handle(const char *url, const char *ca)
{
    CURL *c = curl_easy_init();
    if (!c)
        exit(1);
    curl_easy_setopt(c, CURLOPT_URL, url);
    curl_easy_setopt(c, CURLOPT_CAINFO, ca);
    curl_easy_setopt(c, CURLOPT_WRITEFUNCTION, drop);
    curl_easy_setopt(c, CURLOPT_FORBID_REUSE, 1L);
    return c;
}

static void get(CURL *c)
{
    CURLcode code = curl_easy_perform(c);
    if (code != CURLE_OK) {
        fprintf(stderr, "curl-load: %s\n", curl_easy_strerror(code));
        exit(1);
    }
}

static double cpu(void)
{
    struct rusage u;
    getrusage(RUSAGE_SELF, &u);
    return (double)(u.ru_utime.tv_sec + u.ru_stime.tv_sec) * 1e6 +
           (double)(u.ru_utime.tv_usec + u.ru_stime.tv_usec);
}

int main(int argc, char **argv)
{
    if (argc != 5)
        return 2;
    int count = atoi(argv[3]);
    bool same = strcmp(argv[4], "same") == 0;
    double before = cpu();
    curl_global_init(CURL_GLOBAL_DEFAULT);
    CURL *c = same ? handle(argv[1], argv[2]) : NULL;
    for (int i = 0; i < count; i++) {
        CURL *one = same ? c : handle(argv[1], argv[2]);
        get(one);
        if (!same)
            curl_easy_cleanup(one);
    }
    curl_easy_cleanup(c);
    printf("%.1f\n", (cpu() - before) / count);
    return 0;
}
