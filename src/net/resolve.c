#define _GNU_SOURCE
#include "net/resolve.h"

#include <errno.h>
#include <net/if.h>
#include <netdb.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "net/fail.h"

static _Atomic(resolve_fn) hook;

void resolve_test_hook(resolve_fn fn)
{
    atomic_store(&hook, fn);
}

static void add_v4(struct address_list *list, struct in_addr addr, uint16_t port)
{
    struct address *a = &list->a[list->count++];

    *a = (struct address){0};
    a->u.v4.sin_family = AF_INET;
    a->u.v4.sin_addr = addr;
    a->u.v4.sin_port = htons(port);
}

static void add_v6(struct address_list *list, struct in6_addr addr, uint32_t scope,
                   uint16_t port)
{
    struct address *a = &list->a[list->count++];

    *a = (struct address){0};
    a->u.v6.sin6_family = AF_INET6;
    a->u.v6.sin6_addr = addr;
    a->u.v6.sin6_scope_id = scope;
    a->u.v6.sin6_port = htons(port);
}

static void add_path(struct address_list *list, const struct url *url)
{
    struct address *a = &list->a[list->count++];

    *a = (struct address){0};
    a->u.un.sun_family = AF_UNIX;
    memcpy(a->u.un.sun_path, url->host, strlen(url->host));
    if (url->kind == URL_ABSTRACT)
        a->u.un.sun_path[0] = 0;
}

/* RFC 6874 leaves the form of a zone to the system: a name, or the number of the interface. */
static bool zone_index(const char *zone, uint32_t *out)
{
    char *end;
    unsigned long n;

    *out = if_nametoindex(zone);
    if (*out)
        return true;
    n = strtoul(zone, &end, 10);
    *out = (uint32_t)n;
    return zone[0] >= '0' && zone[0] <= '9' && !*end && n && n <= UINT32_MAX;
}

/* RFC 6761 6.3: such names are always the loopback address, whatever a resolver would say. */
static bool is_localhost(const char *host)
{
    static const char name[] = "localhost";
    size_t n = strlen(host), want = sizeof name - 1;

    if (n && host[n - 1] == '.')
        n--;
    return n >= want && strncasecmp(host + n - want, name, want) == 0 &&
           (n == want || host[n - want - 1] == '.');
}

bool resolve_literal(const struct url *url, bool to_listen, struct address_list *out)
{
    uint32_t scope = 0;

    out->count = 0;
    out->gai = out->gai_errno = 0;
    switch (url->kind) {
    case URL_IPV4: add_v4(out, url->addr.v4, url->port); return true;
    case URL_IPV6:
        if (url->zone[0] && !zone_index(url->zone, &scope))
            out->gai_errno = ENODEV;
        else
            add_v6(out, url->addr.v6, scope, url->port);
        return true;
    case URL_PATH:
    case URL_ABSTRACT: add_path(out, url); return true;
    case URL_ANY:
        add_v6(out, in6addr_any, 0, url->port);
        add_v4(out, (struct in_addr){htonl(INADDR_ANY)}, url->port);
        return true;
    case URL_NAME:
        if (!is_localhost(url->host))
            return false;
        /* a listener has one address only: the one that every client tries */
        if (to_listen)
            add_v4(out, (struct in_addr){htonl(INADDR_LOOPBACK)}, url->port);
        add_v6(out, in6addr_loopback, 0, url->port);
        if (!to_listen)
            add_v4(out, (struct in_addr){htonl(INADDR_LOOPBACK)}, url->port);
        return true;
    }
    return false;
}

void resolve_order(struct address_list *list)
{
    struct address_list in = *list;
    bool used[ADDRESSES_MAX] = {false};
    sa_family_t want = in.count ? in.a[0].u.any.sa_family : AF_UNSPEC;

    for (size_t n = 0; n < in.count; n++) {
        size_t pick = in.count;

        for (size_t i = in.count; i-- > 0;) {
            if (used[i])
                continue;
            if (in.a[i].u.any.sa_family == want)
                pick = i;
        }
        /* one family is used up: the rest of the other keep their order */
        for (size_t i = 0; pick == in.count; i++)
            if (!used[i])
                pick = i;
        used[pick] = true;
        list->a[n] = in.a[pick];
        want = in.a[pick].u.any.sa_family == AF_INET6 ? AF_INET : AF_INET6;
    }
}

void resolve_blocking(const char *host, uint16_t port, bool to_listen, struct address_list *out)
{
    struct addrinfo hints = {.ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM}, *found = NULL;
    resolve_fn fn = atomic_load(&hook);

    out->count = 0;
    out->gai = out->gai_errno = 0;
    if (fn) {
        fn(host, port, out);
        return;
    }
    /* AI_ADDRCONFIG would hide ::1 on a machine with no other IPv6 address; an address of a family
     * that cannot be reached fails at once and costs nothing */
    hints.ai_flags = to_listen ? AI_PASSIVE : 0;
    out->gai = getaddrinfo(host, NULL, &hints, &found);
    out->gai_errno = out->gai == EAI_SYSTEM ? errno : 0;
    if (out->gai)
        return;
    for (const struct addrinfo *i = found; i && out->count < ADDRESSES_MAX; i = i->ai_next) {
        if (i->ai_family == AF_INET) {
            struct sockaddr_in v4;

            memcpy(&v4, i->ai_addr, sizeof v4);
            add_v4(out, v4.sin_addr, port);
        } else if (i->ai_family == AF_INET6) {
            struct sockaddr_in6 v6;

            memcpy(&v6, i->ai_addr, sizeof v6);
            add_v6(out, v6.sin6_addr, v6.sin6_scope_id, port);
        }
    }
    freeaddrinfo(found);
}

static bool word_failure(const struct url *url, const struct address_list *list, hf_error *err)
{
    if (list->gai_errno == ENODEV && url->zone[0])
        return net_fail_hint(err, HF_E_RESOLVE, ENODEV, "`ip link` lists the interfaces",
                             "%s%%%s: this machine has no interface %s", url->host, url->zone,
                             url->zone);
    if (list->gai == EAI_AGAIN)
        return net_fail_hint(err, HF_E_RESOLVE, 0,
                             "no name server answered: check the network and /etc/resolv.conf",
                             "%s: %s", url->host, gai_strerror(list->gai));
    if (list->gai == EAI_SYSTEM)
        return net_fail(err, HF_E_RESOLVE, list->gai_errno, "%s: %s", url->host,
                        net_strerror(list->gai_errno));
    return net_fail_hint(err, HF_E_RESOLVE, 0, "check the spelling of the host name", "%s: %s",
                         url->host, list->gai ? gai_strerror(list->gai) : "it has no address");
}

bool resolve_fail(const struct url *url, const struct address_list *list, hf_error *err)
{
    word_failure(url, list, err);
    return net_step(err, "resolve");
}

/* ---------------------------------------------------------------- in a thread */

/* Owned by the caller and the thread; the last one frees it. */
struct resolve_job {
    atomic_int owners;
    atomic_bool done;
    int event;
    uint16_t port;
    char host[URL_HOST_MAX + 2];
    struct address_list list;
};

static void job_drop(struct resolve_job *job)
{
    if (atomic_fetch_sub_explicit(&job->owners, 1, memory_order_acq_rel) != 1)
        return;
    close(job->event);
    mem_free(job);
}

static void *job_run(void *arg)
{
    struct resolve_job *job = arg;

    resolve_blocking(job->host, job->port, false, &job->list);
    atomic_store_explicit(&job->done, true, memory_order_release);
    /* cannot fail: the counter is 0 and the descriptor is ours until the job is dropped */
    (void)eventfd_write(job->event, 1);
    job_drop(job);
    return NULL;
}

static bool job_spawn(struct resolve_job *job)
{
    pthread_attr_t attr;
    pthread_t thread;
    sigset_t all, old;
    int failed;

    if (pthread_attr_init(&attr) != 0)
        return false;
    pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
    /* the program's signals are for the program's own threads */
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &old);
    failed = pthread_create(&thread, &attr, job_run, job);
    pthread_sigmask(SIG_SETMASK, &old, NULL);
    pthread_attr_destroy(&attr);
    return !failed;
}

struct resolve_job *resolve_start(const char *host, uint16_t port)
{
    struct resolve_job *job = mem_new(sizeof *job);

    if (!job)
        return NULL;
    snprintf(job->host, sizeof job->host, "%s", host);
    job->port = port;
    atomic_init(&job->owners, 2);
    job->event = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (job->event < 0) {
        mem_free(job);
        return NULL;
    }
    if (!job_spawn(job)) {
        close(job->event);
        mem_free(job);
        return NULL;
    }
    return job;
}

int resolve_fd(const struct resolve_job *job)
{
    return job->event;
}

bool resolve_take(struct resolve_job *job, struct address_list *out)
{
    if (!atomic_load_explicit(&job->done, memory_order_acquire))
        return false;
    *out = job->list;
    return true;
}

void resolve_abandon(struct resolve_job *job)
{
    if (job)
        job_drop(job);
}
