#include "cli/output.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cli/report.h"

void output_prepare(void)
{
    /* Each the wrong way round for writing: what is to be seen must not vanish without an error. */
    static const int modes[] = {O_RDONLY, O_RDONLY, O_WRONLY};
    for (int fd = 0; fd < 3; fd++)
        if (fcntl(fd, F_GETFD) < 0 && errno == EBADF)
            (void)!open("/dev/null", modes[fd] | O_CLOEXEC); /* takes the lowest: this one */
}

static bool reader_gone(void)
{
    struct pollfd p = {.fd = STDOUT_FILENO, .events = POLLOUT};
    return poll(&p, 1, 0) == 1 && (p.revents & POLLERR) != 0;
}

void output_reader_gone(void)
{
    signal(SIGPIPE, SIG_DFL);
    raise(SIGPIPE);
}

int output_end(int status)
{
    bool failed = ferror(stdout) != 0;
    errno = 0;
    failed = fflush(stdout) != 0 || failed;
    int why = errno;
    if (!failed)
        return status;
    if (why == EPIPE || reader_gone())
        output_reader_gone();
    fprintf(stderr, "handfast: standard output cannot be written%s%s\n", why ? ": " : "",
            why ? strerror(why) : "");
    return status == EXIT_OK ? EXIT_CONFIG : status;
}
