/* target.h: what a person types for a peer, as the URL that handfast_net.h opens. */
#ifndef CLI_TARGET_H
#define CLI_TARGET_H

#include "handfast_starttls.h"

struct target {
    char url[512]; /* "tls://example.com:443" */
    char host
        [300]; /* "example.com:8443": for HTTP's Host, without the port if it is the usual one */
    char path[512]; /* of an http(s) URL, "" if there was none */
    bool tls;
    ptrdiff_t typed; /* how many bytes later the host stood in what was typed */
    const hf_starttls_protocol *starttls; /* that is spoken first, in plain text; NULL: none */
};

/* target_parse takes URL, HOST:PORT or HOST. No scheme means tls; https and http are read as tls and
 * tcp with their usual ports and a path; tls without a port means 443. Paths of unix and udg are
 * taken as they are. false: too long, or a plain
 * URL without a port; what is wrong was said on stderr. */
bool target_parse(struct target *t, const char *command, const char *word);

/* target_parse_starttls does the same with a protocol that begins in plain text (--starttls; NULL: none, or the
 * URL's scheme), whose usual port holds where none is written. */
bool target_parse_starttls(struct target *t, const char *command, const char *word,
                           const char *protocol);

/* target_place: what hf_open says of t->url, it says of what was typed: bytes count from there. */
void target_place(const struct target *t, hf_error *err);

/* target_path: a path that HTTP's request line can have: it begins with a slash, and has no space and no control
 * character. */
bool target_path(const char *path);

/* target_get judges --get: NULL is right. What is wrong was said on stderr. */
bool target_get(const char *command, const char *path);

#endif
