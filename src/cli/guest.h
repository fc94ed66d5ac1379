/* guest.h: one connection of `handfast serve`. It never blocks: guest_run moves what can be moved and
 * says what to wait for. */
#ifndef CLI_GUEST_H
#define CLI_GUEST_H

#include "cli/options.h"
#include "cli/recording.h"
#include "cli/text.h"
#include "handfast_net.h"

/* What all guests share. */
struct house {
    const struct options *o;
    const char *url;
    int root; /* folder of --root, or -1 */
    unsigned long arrived, failed;
};

enum guest_state {
    GUEST_HANDSHAKE,
    GUEST_OPEN,
    GUEST_LEAVING, /* all was said: wait for the peer's end, so that it gets the last bytes */
    GUEST_REFUSED, /* an alert was sent: the same, but what comes is not looked at */
};

struct guest {
    struct house *house;
    hf_stream *stream;
    struct recording *recording; /* --show */
    enum guest_state state;
    unsigned long number;
    char address[64];

    struct text in, out; /* empty ones hold no memory */
    size_t out_sent;
    int file; /* being sent, or -1 */
    uint64_t file_left;
    bool last_answer; /* leave when everything is sent */
    bool peer_ended;
    bool announced; /* the log has said what was agreed */
    bool asked; /* for a certificate, after the handshake: the log has not told the answer */
    unsigned requests;

    /* The loop's. */
    struct guest *before, *after; /* list by deadline */
    struct guest *next_ready;
    double deadline;
    uint32_t events;
    int list;
    bool is_ready;
};

enum guest_wants {
    GUEST_WAIT,  /* for guest_events */
    GUEST_AGAIN, /* has used up its turn: run it again soon */
    GUEST_GONE,  /* free it */
};

struct guest *guest_new(struct house *house, hf_stream *stream);
void guest_free(struct guest *g);
enum guest_wants guest_run(struct guest *g);
uint32_t guest_events(const struct guest *g);

/* guest_timed_out says in the log that the time ran out. */
void guest_timed_out(struct guest *g, double seconds);

/* guest_log writes one line about a guest: text, or a JSON object with "event". err may be NULL. */
void guest_log(const struct guest *g, const char *event, const char *what, const hf_error *err);

/* answer_request handles what stands in g->in: true if it made progress. */
bool answer_request(struct guest *g);

/* page_status and page_show write the bodies of --www and --show. */
void page_status(struct text *out, const struct guest *g);
bool page_show(struct text *out, const struct guest *g);

#endif
