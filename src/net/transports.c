/* transports.c: the table of schemes, for programs. */
#include <pthread.h>
#include <sys/socket.h>

#include "handfast_net.h"
#include "net/scheme.h"

#define MOST 128

static hf_transport list[MOST];
static size_t list_count;
static pthread_once_t once = PTHREAD_ONCE_INIT;

static hf_transport_state state_of(const struct scheme *s)
{
    switch (s->kind) {
    case SCHEME_PROHIBITED: return HF_TRANSPORT_PROHIBITED;
    case SCHEME_ABSENT: return HF_TRANSPORT_UNAVAILABLE;
    case SCHEME_PLAIN:
    case SCHEME_STARTTLS:
    case SCHEME_TLS: break;
    }
    return HF_TRANSPORT_ENABLED;
}

static void fill(void)
{
    size_t count;
    const struct scheme *s = scheme_table(&count);

    for (size_t i = 0; i < count && i < MOST; i++, s++) {
        const struct transport *t = s->transport;

        list[list_count++] = (hf_transport){
            .scheme = s->name,
            .state = state_of(s),
            .since = s->since,
            .tls = scheme_secures(s) || !t,
            .datagrams = t ? t->socket_type == SOCK_DGRAM : s->kind == SCHEME_ABSENT,
            .paths = t && !t->protocol,
            .version = s->version,
            .reason = s->refusal ? s->refusal : "",
            .rfc = s->rfc ? s->rfc : "",
        };
    }
}

const hf_transport *hf_transports(size_t *count)
{
    pthread_once(&once, fill);
    *count = list_count;
    return list;
}

const hf_transport *hf_transport_find(const char *name)
{
    size_t count, all;
    const hf_transport *rows = hf_transports(&count);
    const struct scheme *found = name ? scheme_find(name, strlen(name)) : NULL;

    size_t at = found ? (size_t)(found - scheme_table(&all)) : count;

    return at < count ? &rows[at] : NULL;
}
