/* smtp.c: send a mail to a server that begins in plain text and goes on in TLS (RFC 3207). With tcp:// and
 * hf_starttls or hf_start_tls in place of submission:// each step can be made by hand.
 *
 *     cc -o smtp smtp.c $(pkg-config --cflags --libs handfast)
 *     smtp submission://mail.example.com me@example.com you@example.org <message
 */
#include <handfast_net.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* Reads an answer, which may have several lines; true if it begins with this digit. */
static bool answer(hf_stream *s, char wanted, hf_error *err)
{
    char line[1024];
    do {
        if (hf_read_line(s, line, sizeof line, err) <= 0)
            return false;
    } while (strlen(line) > 3 && line[3] == '-');
    if (line[0] == wanted)
        return true;
    fprintf(stderr, "the server says: %s", line);
    return false;
}

__attribute__((format(printf, 4, 5))) static bool
command(hf_stream *s, char wanted, hf_error *err, const char *format, ...)
{
    char line[1024];
    va_list args;
    va_start(args, format);
    int n = vsnprintf(line, sizeof line - 2, format, args);
    va_end(args);
    return n > 0 && (size_t)n < sizeof line - 2 &&
           hf_write(s, strcat(line, "\r\n"), (size_t)n + 2, err) > 0 && answer(s, wanted, err);
}

/* A line that is a dot ends the message, so one more dot goes in front of those that begin with one. */
static bool send_text(hf_stream *s, hf_error *err)
{
    char line[1000];
    while (fgets(line, sizeof line, stdin)) {
        line[strcspn(line, "\r\n")] = '\0';
        if ((line[0] == '.' && hf_write(s, ".", 1, err) < 0) ||
            hf_write(s, line, strlen(line), err) < 0 || hf_write(s, "\r\n", 2, err) < 0)
            return false;
    }
    return command(s, '2', err, ".");
}

int main(int argc, char **argv)
{
    hf_error err = {0};
    char why[2048];
    if (argc != 4)
        return fputs("smtp URL FROM TO <MESSAGE\n", stderr), 2;
    hf_stream *s =
        hf_open(argv[1], NULL, NULL, &err); /* says EHLO and STARTTLS, and then speaks TLS */
    bool sent = s && command(s, '2', &err, "EHLO localhost") &&
                command(s, '2', &err, "MAIL FROM:<%s>", argv[2]) &&
                command(s, '2', &err, "RCPT TO:<%s>", argv[3]) &&
                command(s, '3', &err, "DATA") && send_text(s, &err);
    if (sent)
        command(s, '2', &err, "QUIT");
    else if (err.code && hf_explain(s ? hf_stream_conn(s) : NULL, &err, why, sizeof why))
        fputs(why, stderr);
    hf_close(s, NULL);
    return !sent;
}
