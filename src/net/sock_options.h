/* sock_options.h: what hf_net_options says about sockets, read once and applied to each. */
#ifndef NET_SOCK_OPTIONS_H
#define NET_SOCK_OPTIONS_H

#include "handfast_net.h"
#include "net/resolve.h"

struct sock_options {
    struct address local[2]; /* bindto: at most one address of each family */
    size_t local_count;
    bool client_name; /* datagrams of AF_UNIX: take any name, or nobody can answer */
    bool stream;      /* TCP: what is said of its connections counts */
    bool reuseport, broadcast, delay, keepalive;
    int v6only; /* as in hf_net_options */
    int keepidle, keepintvl, keepcnt;
};

/* sock_options_read reads the options (or NULL) for sockets of a scheme; E_URL if bindto is no address. */
bool sock_options_read(const hf_net_options *options, const struct scheme *scheme,
                       struct sock_options *out, hf_error *err)
    __attribute__((warn_unused_result));

/* sock_options_fit takes the addresses out of the list that the local one cannot reach; false if none is
 * left. */
bool sock_options_fit(const struct sock_options *o, struct address_list *list);

/* Before connect or bind, and when the connection stands. false with errno if the local address cannot be
 * had; everything else is a wish. */
bool sock_options_client(int fd, int family, const struct sock_options *o);
void sock_options_server(int fd, int family, bool both, const struct sock_options *o);
void sock_options_tune(int fd, const struct sock_options *o);

#endif
