/* session_cache.h: the sessions that hf_open keeps for the next connection to the same place. One
 * small cache per process. A session belongs to a configuration as well as to a place: resuming one
 * skips the verification of certificates, so it must not cross to a configuration that trusts others. */
#ifndef NET_SESSION_CACHE_H
#define NET_SESSION_CACHE_H

#include "bytes/bytes.h"

/* Whose sessions, and where they are good for. Holds an owner of the configuration. */
struct session_key {
    hf_config *config; /* the one that the program gave, not one derived from it */
    char name[];       /* scheme, host, port, peer name */
};

struct session_key *session_key_new(hf_config *config, const char *name);
void session_key_free(struct session_key *key);

/* session_cache_put keeps a session, adding an owner; the oldest go when there are too many. */
void session_cache_put(const struct session_key *key, hf_session *session);

/* session_cache_take gives the newest session for a key, or NULL, and its owner. A TLS 1.3 ticket
 * leaves the cache with that, as it may be offered only once (RFC 8446 C.4). */
hf_session *session_cache_take(const struct session_key *key);

/* session_cache_config makes a configuration put its sessions here: it returns config itself or one
 * derived from it, with an owner added, and *cached says whether it does. One whose program has set
 * a callback of its own stays as it is: that program keeps its sessions itself. config NULL: the
 * process's default client. NULL on failure. The callback is fn. */
hf_config *session_cache_config(hf_config *config, hf_session_fn fn, bool *cached,
                                hf_error *err);

/* session_cache_clear forgets everything; for tests. session_cache_count: how many there are. */
void session_cache_clear(void);
size_t session_cache_count(void);

#endif
