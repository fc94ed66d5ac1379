/* session_cache.h: the sessions that hf_open keeps for the next connection to the same place. One
 * small cache per process: 64 sessions, of which one place has four at most; the one that was of use
 * longest ago goes first.
 *
 * A session belongs to a place (scheme, host, port and the name that the certificate was checked for)
 * and to a configuration. The configuration stands for two things that resuming skips: whom we trust,
 * for the peer's certificate is not looked at again, and who we are, for ours is not shown again: the
 * server takes a resumed connection for the one that made the session. Programs that are several
 * people to one server have a configuration for each; a callback for HF_ASK_CREDENTIAL is not asked
 * when a session is resumed. */
#ifndef NET_SESSION_CACHE_H
#define NET_SESSION_CACHE_H

#include "bytes/bytes.h"

/* Whose sessions, and where they are good for. Holds an owner of the configuration. */
struct session_key {
    hf_config *config; /* the one that the program gave, not one derived from it */
    char name[];       /* scheme, host, port, name to be checked */
};

struct session_key *session_key_new(hf_config *config, const char *name);
void session_key_free(struct session_key *key);

/* session_cache_put keeps a session, adding an owner. One of TLS 1.2 or older replaces the last such
 * of its key, as one is enough. */
void session_cache_put(const struct session_key *key, hf_session *session);

/* session_cache_take gives the newest session for a key that has not expired, or NULL, and its owner. A
 * TLS 1.3 ticket leaves the cache with that, as it may be offered only once (RFC 8446 C.4); a session of
 * TLS 1.2 or older stays for the next connection. */
hf_session *session_cache_take(const struct session_key *key);

/* session_cache_forget drops what older versions left for a key: after a fatal alert a session must not
 * be resumed any more (RFC 5246 7.2.2). */
void session_cache_forget(const struct session_key *key);

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
