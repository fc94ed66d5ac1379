/* link.c: a connection and its socket. */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "link.h"

static int dial(int port, bool ipv6)
{
    struct sockaddr_in6 six = {.sin6_family = AF_INET6, .sin6_port = htons((uint16_t)port)};
    struct sockaddr_in four = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    int one = 1, fd = socket(ipv6 ? AF_INET6 : AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    six.sin6_addr = in6addr_loopback;
    four.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int r = ipv6 ? connect(fd, (struct sockaddr *)&six, sizeof six)
                 : connect(fd, (struct sockaddr *)&four, sizeof four);
    if (fd >= 0 && r != 0) {
        close(fd);
        return -1;
    }
    (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    return fd;
}

bool link_open(struct link *l, int port, bool ipv6, uint64_t id)
{
    uint8_t little[8];
    for (int i = 0; i < 8; i++)
        little[i] = (uint8_t)(id >> 8 * i);
    l->fd = dial(port, ipv6);
    return l->fd >= 0 && write(l->fd, little, 8) == 8;
}

/* Bytes that were not read would make the system reset the connection, and the runner would
 * lose what we had sent. */
void link_close(struct link *l)
{
    if (l->fd >= 0) {
        (void)shutdown(l->fd, SHUT_WR);
        while (!l->ended && read(l->fd, l->in, sizeof l->in) > 0)
            ;
        close(l->fd);
    }
    free(l->out);
}

bool link_put(struct link *l, const uint8_t *p, size_t n)
{
    if (l->out_len + n > l->out_size) {
        size_t size = 2 * (l->out_len + n);
        uint8_t *bigger = realloc(l->out, size);
        if (!bigger)
            return false;
        l->out = bigger;
        l->out_size = size;
    }
    memcpy(l->out + l->out_len, p, n);
    l->out_len += n;
    return true;
}

static void drain(struct link *l)
{
    size_t sent = 0, most = l->hold ? 1 : l->out_len;
    if (l->hold && l->out_len < 2)
        most = 0;
    while (sent < most && !l->write_failed) {
        ssize_t n = send(l->fd, l->out + sent, l->bytewise ? 1 : most - sent, MSG_NOSIGNAL);
        if (n > 0)
            sent += (size_t)n;
        else if (errno != EINTR)
            l->write_failed = true;
    }
    if (l->write_failed)
        sent = l->out_len;
    memmove(l->out, l->out + sent, l->out_len - sent);
    l->out_len -= sent;
}

void link_flush(struct link *l)
{
    size_t n;
    const uint8_t *p;
    while ((p = hf_conn_output(l->conn, &n))) {
        if (!link_put(l, p, n))
            l->write_failed = true;
        hf_conn_output_done(l->conn, n);
    }
    if (l->out_len && !l->hold)
        drain(l);
}

static hf_result more_input(struct link *l)
{
    size_t room = sizeof l->in - l->in_len;
    ssize_t n;
    do {
        n = read(l->fd, l->in + l->in_len, l->bytewise ? 1 : room);
    } while (n < 0 && errno == EINTR);
    if (n > 0) {
        l->in_len += (size_t)n;
        return HF_DONE;
    }
    l->ended = true;
    hf_result r = hf_conn_receive_end(l->conn);
    link_flush(l);
    return r;
}

hf_result link_step(struct link *l)
{
    size_t used, n;
    uint8_t *data;
    hf_result r = l->starved ? more_input(l) : HF_DONE;
    l->starved = false;
    if (r != HF_DONE)
        return r;
    r = hf_conn_receive(l->conn, l->in, l->in_len, &used, &data, &n);
    if (n) {
        memcpy(l->data, data, n);
        l->data_at = 0;
        l->data_len = n;
    }
    l->in_len -= used;
    memmove(l->in, l->in + used, l->in_len);
    link_flush(l);
    if (r == HF_WANT_ANSWER) {
        l->answer(l, l->arg);
        return HF_DONE;
    }
    /* The caller may find that this was all it waited for: reading is for the next step. */
    l->starved = r == HF_WANT_INPUT;
    return l->starved ? HF_DONE : r;
}

hf_result link_handshake(struct link *l, bool falsely)
{
    link_flush(l);
    while (hf_conn_wants(l->conn) & HF_IN_HANDSHAKE) {
        if (falsely && hf_conn_wants(l->conn) & HF_CAN_SEND)
            return HF_DONE;
        hf_result r = link_step(l);
        if (r == HF_FAILED)
            return HF_FAILED;
        if (r == HF_CLOSED) /* perhaps behind the last message */
            break;
    }
    return hf_conn_wants(l->conn) & HF_IN_HANDSHAKE ? HF_FAILED : HF_DONE;
}

hf_result link_send(struct link *l, const void *data, size_t len)
{
    const uint8_t *p = data;
    size_t taken, written, size = hf_conn_send_size(l->conn, len);
    uint8_t *out = malloc(size);
    hf_result r = out ? HF_DONE : HF_FAILED;
    do {
        if (r == HF_DONE)
            r = hf_conn_send(l->conn, p, len, &taken, out, size, &written);
        if (r != HF_DONE)
            break;
        if (!link_put(l, out, written))
            r = HF_FAILED;
        p += taken;
        len -= taken;
    } while (len > 0);
    free(out);
    if (r == HF_DONE && l->out_len)
        drain(l);
    return r == HF_DONE && !l->write_failed ? HF_DONE : HF_FAILED;
}
