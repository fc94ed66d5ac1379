/* midway: TLS begun and ended in mid-stream, against servers of others.
 *
 *     midway ftps PORT CA METHOD     fetch a list and a file by FTP, data channels resuming the control channel
 *     midway unwrap PORT CA METHOD   plain, TLS, plain and TLS again, a line each
 *
 * METHOD is a number of HF_STREAM_CRYPTO_METHOD_; 0: any. What was seen goes to standard output. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "handfast_starttls.h"

static hf_config *config;
static int method;

static void fail(const char *what, const hf_error *err)
{
    char text[1024];

    hf_error_line(err, text, sizeof text);
    printf("%s: %s\n", what, text);
    exit(1);
}

static void say(hf_stream *s, const char *line)
{
    hf_error err = {0};

    if (hf_write(s, line, strlen(line), &err) < 0)
        fail(line, &err);
}

/* One line of an answer, which must begin so. */
static void hear(hf_stream *s, const char *begins, char line[512])
{
    hf_error err = {0};

    do {
        if (hf_read_line(s, line, 512, &err) <= 0)
            fail(begins, &err);
    } while (strlen(line) > 3 && line[3] == '-');
    printf("%s", line);
    if (strncmp(line, begins, strlen(begins)) != 0)
        exit(2);
}

static hf_stream *data_channel(hf_stream *control, const char *command)
{
    hf_start_tls_options o = {.session_stream = control, .crypto_method = method};
    hf_error err = {0};
    char line[512], url[64];
    int a[6] = {0};

    say(control, "PASV\r\n");
    hear(control, "227", line);
    if (!strchr(line, '(') || sscanf(strchr(line, '('), "(%d,%d,%d,%d,%d,%d)", &a[0], &a[1],
                                     &a[2], &a[3], &a[4], &a[5]) != 6)
        exit(2);
    snprintf(url, sizeof url, "tcp://%d.%d.%d.%d:%d", a[0], a[1], a[2], a[3],
             a[4] * 256 + a[5]);
    hf_stream *s = hf_open(url, NULL, NULL, &err);
    if (!s)
        fail(url, &err);
    say(control, command);
    hear(control, "150", line);
    if (hf_start_tls(s, HF_CLIENT, NULL, &o, &err) != 0)
        fail("data channel", &err);
    printf("data channel: %s, %s\n", hf_version_name(hf_conn_version(hf_stream_conn(s))),
           hf_conn_resumed(hf_stream_conn(s)) ? "resumed" : "full handshake");
    return s;
}

static void fetch(hf_stream *control, const char *command)
{
    hf_stream *s = data_channel(control, command);
    hf_error err = {0};
    char buf[4096], line[512];
    ptrdiff_t n;

    while ((n = hf_read(s, buf, sizeof buf, &err)) > 0)
        printf("data: %.*s", (int)n, buf);
    if (n < 0)
        fail("data", &err);
    hf_close(s, NULL);
    hear(control, "226", line);
}

static void ftps(const char *port)
{
    hf_start_tls_options o = {.crypto_method = method};
    hf_error err = {0};
    char url[64], line[512];

    snprintf(url, sizeof url, "tcp://localhost:%s", port);
    hf_stream *s = hf_open(url, NULL, NULL, &err);
    if (!s || hf_starttls(s, "ftp", config, &o, &err) != 0)
        fail("control channel", &err);
    printf("control channel: %s\n", hf_version_name(hf_conn_version(hf_stream_conn(s))));
    say(s, "USER anonymous\r\n");
    hear(s, "331", line);
    say(s, "PASS x\r\n");
    hear(s, "230", line);
    say(s, "PBSZ 0\r\n");
    hear(s, "200", line);
    say(s, "PROT P\r\n");
    hear(s, "200", line);
    fetch(s, "NLST\r\n");
    fetch(s, "RETR file.txt\r\n");
    fetch(s, "RETR file.txt\r\n");
    say(s, "QUIT\r\n");
    hear(s, "221", line);
    hf_close(s, NULL);
}

static void unwrap(const char *port)
{
    hf_error err = {0};
    char url[64], line[512];

    snprintf(url, sizeof url, "tcp://localhost:%s", port);
    hf_stream *s = hf_open(url, NULL, NULL, &err);
    if (!s)
        fail(url, &err);
    for (int round = 0; round < 2; round++) {
        hf_start_tls_options o = {.crypto_method = method};

        say(s, "plain\n");
        hear(s, "plain", line);
        if (hf_start_tls(s, HF_CLIENT, config, &o, &err) != 0)
            fail("hf_start_tls", &err);
        say(s, "secret\n");
        hear(s, "secret", line);
        /* the server says goodbye first in the second round, and something plain behind it */
        if (round == 1 && hf_read(s, line, sizeof line, &err) != 0)
            fail("the end of TLS", &err);
        if (hf_stop_tls(s, &err) != 0)
            fail("hf_stop_tls", &err);
    }
    hear(s, "behind", line);
    say(s, "plain again\n");
    hear(s, "plain again", line);
    hf_close(s, NULL);
}

int main(int argc, char **argv)
{
    hf_error err = {0};
    hf_trust *trust = hf_trust_new();

    setvbuf(stdout, NULL, _IOLBF, 0);
    if (argc != 5)
        return 2;
    method = atoi(argv[4]);
    config = hf_config_new(HF_CLIENT);
    if (!hf_trust_add_file(trust, argv[3], &err) || !hf_config_set_trust(config, trust))
        fail(argv[3], &err);
    hf_trust_free(trust);
    if (strcmp(argv[1], "ftps") == 0)
        ftps(argv[2]);
    else
        unwrap(argv[2]);
    hf_config_free(config);
    return 0;
}
