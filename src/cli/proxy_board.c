#define _GNU_SOURCE
#include "cli/proxy_board.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>

static int64_t now_ms(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000 + 1;
}

struct board *board_new(void)
{
    void *p = mmap(NULL, sizeof(struct board), PROT_READ | PROT_WRITE,
                   MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    return p == MAP_FAILED ? NULL : p;
}

int board_take(struct board *b)
{
    for (int i = 0; i < BOARD_SLOTS; i++)
        if (!b->slots[i].used) {
            b->slots[i].used = true;
            return i;
        }
    return -1;
}

static void add_all(struct board_counts *sum, const struct board_counts *c)
{
    board_count *to = &sum->accepted;
    const board_count *from = &c->accepted;
    for (int i = 0; i < BOARD_COUNTS; i++)
        to[i] += from[i];
}

void board_give(struct board *b, int slot)
{
    struct board_counts *c = &b->slots[slot].counts;
    c->closed = c->accepted; /* one that was killed has closed all that it had */
    add_all(&b->past, c);
    memset(&b->slots[slot], 0, sizeof b->slots[slot]);
}

bool board_down(struct board *b)
{
    int64_t none = 0;
    atomic_fetch_add(&b->down_lost, 1);
    return atomic_compare_exchange_strong(&b->down_since, &none, now_ms());
}

uint64_t board_up(struct board *b, double *seconds)
{
    int64_t since = atomic_load_explicit(&b->down_since, memory_order_relaxed);
    if (since == 0 || !atomic_compare_exchange_strong(&b->down_since, &since, 0))
        return 0;
    *seconds = (double)(now_ms() - since) / 1000;
    return atomic_exchange(&b->down_lost, 0);
}

bool board_is_down(const struct board *b)
{
    return atomic_load_explicit(&b->down_since, memory_order_relaxed) != 0;
}

void board_sum(const struct board *b, struct board_counts *out)
{
    memset(out, 0, sizeof *out);
    add_all(out, &b->past);
    for (int i = 0; i < BOARD_SLOTS; i++)
        if (b->slots[i].used)
            add_all(out, &b->slots[i].counts);
}

typedef unsigned long long number;

void board_line(struct text *out, const struct board *b, double seconds, unsigned workers,
                bool json)
{
    struct board_counts s;
    board_sum(b, &s);
    text_addf(
        out,
        json ? "{\"event\":\"statistics\",\"seconds\":%.0f,\"workers\":%u,\"open\":%llu,"
               "\"accepted\":%llu,\"handshakes\":%llu,\"resumed\":%llu,"
               "\"failed_handshakes\":%llu,\"backend_connections\":%llu,"
               "\"backend_failures\":%llu,\"timeouts\":%llu,\"received\":%llu,"
               "\"sent\":%llu,\"backend_down\":%s}\n"
             : "statistics: %.0f s, %u workers, %llu connections open of %llu; handshakes "
               "%llu (%llu resumed, %llu failed); backend %llu (%llu failed); %llu "
               "timeouts; %llu bytes received, %llu sent; backend down: %s\n",
        seconds, workers, (number)(s.accepted - s.closed), (number)s.accepted,
        (number)s.handshakes, (number)s.resumed, (number)s.failed_handshakes, (number)s.backend,
        (number)s.backend_failed, (number)s.timeouts, (number)s.received, (number)s.sent,
        b->down_since ? (json ? "true" : "yes") : (json ? "false" : "no"));
}
