/* resolve.h: from a URL's host to addresses. The system's resolver blocks as long as it likes, so it
 * runs in a thread of its own that a caller may abandon; literal addresses, "localhost" and "*" never
 * come near it. */
#ifndef NET_RESOLVE_H
#define NET_RESOLVE_H

#include "net/sock.h"

#define ADDRESSES_MAX 32

struct address_list {
    struct address a[ADDRESSES_MAX];
    size_t count;
    int gai;       /* EAI_ value if the resolver failed, else 0 */
    int gai_errno; /* with EAI_SYSTEM */
};

/* resolve_literal fills the list for a host that needs no resolver; false if it needs one. A zone
 * that names no interface gives an empty list with gai_errno set. */
bool resolve_literal(const struct url *url, bool to_listen, struct address_list *out);

/* resolve_order interleaves the families, the first address staying first (RFC 8305 4). */
void resolve_order(struct address_list *list);

/* resolve_blocking asks the resolver in this thread. */
void resolve_blocking(const char *host, uint16_t port, bool to_listen,
                      struct address_list *out);

/* resolve_fail words the error of a list without addresses; always false. */
bool resolve_fail(const struct url *url, const struct address_list *list, hf_error *err);

/* A look-up under way. resolve_start returns NULL without memory, descriptors or threads; its fd
 * becomes readable when the answer is there. resolve_take fills out and returns true once it is. */
struct resolve_job;
struct resolve_job *resolve_start(const char *host, uint16_t port);
int resolve_fd(const struct resolve_job *job);
bool resolve_take(struct resolve_job *job, struct address_list *out);
void resolve_abandon(struct resolve_job *job);

/* resolve_test_hook puts a function in the place of the system's resolver; NULL ends that. */
typedef void (*resolve_fn)(const char *host, uint16_t port, struct address_list *out);
void resolve_test_hook(resolve_fn fn);

#endif
