/* proxy_setup.h: all that a proxy's options say, ready for use. A reload makes a new one; the old one stays
 * if that fails. */
#ifndef CLI_PROXY_SETUP_H
#define CLI_PROXY_SETUP_H

#include "cli/options.h"
#include "cli/proxy_place.h"

struct setup {
    struct options o;
    char *text; /* of --config, and the words in it */
    char **words;
    size_t *lines; /* of the words that come from the file, and how many these are */
    size_t file_words;
    struct place from, to;
    hf_config *server, *client; /* NULL: that side is plain */
    /* has the ticket keys and the cache of sessions, from one setup to the next */
    hf_config *tickets;
    char to_name[256];            /* whom the backend must be */
    unsigned uid, gid;            /* of --user */
    size_t workers, most;         /* most: connections of one worker */
    double patience, idle, drain; /* seconds */
};

/* setup_new reads the options (and --config's file). before: the one that holds now, or NULL: its ticket
 * keys are kept, so that clients can go on resuming, unless client certificates are asked for. NULL on failure:
 * *usage says whether it is the command line that is wrong, which was said on stderr. */
struct setup *setup_new(const struct options *o, const struct setup *before, bool *usage,
                        hf_error *err);
void setup_free(struct setup *s);

#endif
