/* control_session.c: the commands of a context's sessions. */
#include "libssl/control.h"

long control_sess_counter(const struct target *t, int command, long number, void *pointer)
{
    struct session_table *table = t->ctx->sessions;
    (void)number, (void)pointer;

    switch (command) {
    case SSL_CTRL_SESS_NUMBER: {
        (void)pthread_mutex_lock(&table->lock);
        long count = (long)OPENSSL_LH_num_items((OPENSSL_LHASH *)table->hash);
        (void)pthread_mutex_unlock(&table->lock);
        return count;
    }
    case SSL_CTRL_SESS_CONNECT: return atomic_load(&table->count[SESS_CONNECT]);
    case SSL_CTRL_SESS_CONNECT_GOOD: return atomic_load(&table->count[SESS_CONNECT_GOOD]);
    case SSL_CTRL_SESS_CONNECT_RENEGOTIATE:
        return atomic_load(&table->count[SESS_CONNECT_RENEGOTIATE]);
    case SSL_CTRL_SESS_ACCEPT: return atomic_load(&table->count[SESS_ACCEPT]);
    case SSL_CTRL_SESS_ACCEPT_GOOD: return atomic_load(&table->count[SESS_ACCEPT_GOOD]);
    case SSL_CTRL_SESS_ACCEPT_RENEGOTIATE:
        return atomic_load(&table->count[SESS_ACCEPT_RENEGOTIATE]);
    case SSL_CTRL_SESS_HIT: return atomic_load(&table->count[SESS_HIT]);
    case SSL_CTRL_SESS_CB_HIT: return atomic_load(&table->count[SESS_CB_HIT]);
    case SSL_CTRL_SESS_MISSES: return atomic_load(&table->count[SESS_MISSES]);
    case SSL_CTRL_SESS_TIMEOUTS: return atomic_load(&table->count[SESS_TIMEOUTS]);
    case SSL_CTRL_SESS_CACHE_FULL: return atomic_load(&table->count[SESS_CACHE_FULL]);
    default: return 0;
    }
}

long control_sess_cache(const struct target *t, int command, long number, void *pointer)
{
    struct session_table *table = t->ctx->sessions;
    long old;
    (void)pointer;

    switch (command) {
    case SSL_CTRL_GET_SESS_CACHE_SIZE: return (long)table->size;
    case SSL_CTRL_SET_SESS_CACHE_SIZE:
        if (number < 0)
            return 0;
        old = (long)table->size;
        table->size = (unsigned long)number;
        return old;
    case SSL_CTRL_GET_SESS_CACHE_MODE: return (long)table->mode;
    case SSL_CTRL_SET_SESS_CACHE_MODE:
        old = (long)table->mode;
        table->mode = (uint32_t)number;
        return old;
    default: return 0;
    }
}
