/* proxy_board.h: what a proxy's processes know together: counts, and whether the backend is there. It lies in
 * memory that parent and workers share, so a worker's counts survive it. */
#ifndef CLI_PROXY_BOARD_H
#define CLI_PROXY_BOARD_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "cli/text.h"

typedef _Atomic uint64_t board_count;

/* One worker's; only it writes, so there is no need of an atomic addition. */
struct board_counts {
    board_count accepted, closed, handshakes, resumed, failed_handshakes;
    board_count backend, backend_failed, backend_refused, timeouts, received, sent;
};
enum { BOARD_COUNTS = sizeof(struct board_counts) / sizeof(board_count), BOARD_SLOTS = 512 };

struct board_slot {
    _Alignas(128) struct board_counts counts;
    _Atomic bool used;
};

struct board {
    struct board_slot slots[BOARD_SLOTS];
    struct board_counts past;   /* of workers that have ended; the parent's */
    _Atomic int64_t down_since; /* milliseconds, monotonic; 0: the backend is there */
    board_count down_lost;      /* connections that failed since then */
};

/* board_new maps one; NULL with errno. */
struct board *board_new(void);

/* board_take finds a slot for a new worker, -1 if there are too many; board_give adds its counts to the past. */
int board_take(struct board *b);
void board_give(struct board *b, int slot);

static inline void board_add(board_count *c, uint64_t n)
{
    atomic_store_explicit(c, atomic_load_explicit(c, memory_order_relaxed) + n,
                          memory_order_relaxed);
}

/* board_down says that a connection found no backend: true for the first one. board_up says that one found it,
 * and returns how many were lost since board_down, 0 if it was never away. *seconds: for how long. */
bool board_down(struct board *b);
uint64_t board_up(struct board *b, double *seconds);
bool board_is_down(const struct board *b);

/* board_sum adds up all workers. board_line writes it as a line of text or as a JSON object. */
void board_sum(const struct board *b, struct board_counts *out);
void board_line(struct text *out, const struct board *b, double seconds, unsigned workers,
                bool json);

#endif
