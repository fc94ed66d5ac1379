/* cache.h: sessions that a server keeps by their ID (RFC 5246 F.1.4), shared by derived configurations
 * and by threads. Sharded: a look-up takes the lock of one of several parts. Bounded: the session that
 * was used longest ago goes first. */
#ifndef CONFIG_CACHE_H
#define CONFIG_CACHE_H

#include "config/config.h"
#include "config/session.h"

struct session_cache *session_cache_new(void); /* with the default bound of 20,480 sessions */
struct session_cache *session_cache_ref(struct session_cache *cache);
void session_cache_free(struct session_cache *cache);

/* cache_find returns a reference to the session with this ID, or NULL; it asks the application's store
 * where the cache has none. Expired ones are dropped and not returned. Counts misses, timeouts and
 * cb_hits; hits are for the handshake to count, which may find that it cannot resume what was found. */
hf_session *cache_find(const hf_config *config, struct slice id);
/* cache_add keeps a session under its ID and tells the application's store; it takes references of its
 * own. Counts cache_full. */
void cache_add(const hf_config *config, hf_conn *conn, hf_session *session);
/* cache_remove forgets a session, as after a fatal alert on its connection (RFC 5246 7.2.2). */
void cache_remove(const hf_config *config, const hf_session *session);

/* cache_flush drops what has expired at `now` (seconds), everything if that is 0. cache_set_bound says
 * how many sessions are kept at most, and for how many seconds; those that are too many go at once. */
void cache_flush(const hf_config *config, int64_t now);
void cache_set_bound(const hf_config *config, size_t sessions, uint32_t lifetime);

/* cache_lifetime: how long a session is kept, in seconds. */
uint32_t cache_lifetime(const hf_config *config);

/* The counters that libssl's users know; see hf_session_stats. */
enum cache_count {
    COUNT_CONNECT,
    COUNT_CONNECT_GOOD,
    COUNT_CONNECT_RENEGOTIATE,
    COUNT_ACCEPT,
    COUNT_ACCEPT_GOOD,
    COUNT_ACCEPT_RENEGOTIATE,
    COUNT_HITS,
    COUNT_CB_HITS,
    COUNT_MISSES,
    COUNT_TIMEOUTS,
    COUNT_CACHE_FULL,
    COUNT_END
};
/* cache_count adds one; cheap, without a lock. */
void cache_count(const hf_config *config, enum cache_count what);

#endif
