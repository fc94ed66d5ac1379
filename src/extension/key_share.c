/* key_share.c: the shares of the key exchange, and which group is used (RFC 8446 4.2.8). */
#include "bytes/names.h"
#include "extension/grease.h"
#include "extension/row.h"

bool key_share_wants(const struct nego *n, unsigned message)
{
    if (message == IN_CH)
        return true;
    if (message == IN_HRR)
        return n->share_asked;
    return n->answer_share != NULL; /* none when a PSK is used alone */
}

void key_share_put(struct nego *n, struct wr *w, unsigned message)
{
    if (message == IN_HRR) {
        wr_u16(w, n->group->id);
    } else if (message == IN_SH) {
        wr_u16(w, n->group->id);
        wr_opaque16(w, slice_of(n->answer_share, n->answer_share_len));
    } else {
        static const uint8_t nothing = 0;
        size_t list = wr_open(w, 2);
        if (n->config->grease && !n->retried) { /* a retry asks for one share */
            wr_u16(w, grease_value(n, GREASE_GROUP));
            wr_opaque16(w, slice_of(&nothing, 1));
        }
        for (size_t i = 0; i < n->own_count; i++) {
            wr_u16(w, n->own[i].group->id);
            wr_opaque16(w, slice_of(n->own[i].public_value, n->own[i].len));
        }
        wr_close(w, list, 2);
    }
}

/* struct {
 *     NamedGroup group;
 *     opaque key_exchange<1..2^16-1>;
 * } KeyShareEntry;                                                           RFC 8446 4.2.8 */
static struct ext_share read_entry(struct rd *r)
{
    struct ext_share share;
    share.group = rd_enum16(r, "group", name_group);
    share.key = rd_opaque16(r, "key_exchange", 1, 65535);
    return share;
}

/* struct { KeyShareEntry client_shares<0..2^16-1>; } KeyShareClientHello;
 * struct { NamedGroup selected_group; } KeyShareHelloRetryRequest;
 * struct { KeyShareEntry server_share; } KeyShareServerHello;                RFC 8446 4.2.8 */
void key_share_read(struct rd *r, struct ext_values *v, unsigned message)
{
    if (message == IN_HRR) {
        v->retry_group = rd_enum16(r, "selected_group", name_group);
        return;
    }
    if (message == IN_SH) {
        struct rd entry = rd_group(r, "server_share", rd_left(r));
        v->share[0] = read_entry(&entry);
        v->share_count = 1;
        if (rd_ok(&entry) && rd_left(&entry))
            rd_bad(&entry, HF_E_TRAILING_DATA, "bytes follow the share");
        return;
    }
    struct rd list = rd_vec16(r, "client_shares", 0, 65535);
    v->shares = slice_of(list.p, rd_left(&list));
    while (rd_more(&list)) {
        struct ext_share share = read_entry(&list);
        if (!group_find(share.group))
            continue; /* GREASE and groups that we do not know */
        for (size_t i = 0; i < v->share_count; i++) {
            if (v->share[i].group == share.group)
                rd_bad(&list, HF_E_DUPLICATE_KEY_SHARE, "two shares for %s",
                       name_group(share.group));
        }
        if (v->share_count < EXT_MAX_SHARES)
            v->share[v->share_count++] = share;
    }
}

static const struct ext_share *find_share(const struct ext_values *v, uint16_t group)
{
    for (size_t i = 0; i < v->share_count; i++) {
        if (v->share[i].group == group)
            return &v->share[i];
    }
    return NULL;
}

/* The first group by preference for which there is a share, so that no round trip is lost; but a
 * post-quantum group that both sides know is worth one, or an attacker who records today decides
 * by dropping a share. Without any fitting share: the first that both know, by retry. */
static const struct group *choose_group(const struct nego *n, const struct ext_values *v)
{
    static const struct ties none;
    const hf_config *config = n->config;
    const struct group *first = NULL;
    struct ids order;
    if (config->server_preference)
        ranked(&config->groups, &config->group_ties, &n->peer_groups, &order);
    else
        ranked(&n->peer_groups, &none, &config->groups, &order);
    for (size_t i = 0; i < order.count; i++) {
        const struct group *g = group_find(order.id[i]);
        if (!g)
            continue;
        if (config->group_first || find_share(v, g->id) || kx_is_quantum_safe(g->kx))
            return g;
        if (!first)
            first = g;
    }
    return first;
}

static bool keep_peer_share(struct nego *n, struct slice key)
{
    mem_free(n->peer_share);
    n->peer_share = mem_dup(key.p, key.len);
    n->peer_share_len = key.len;
    return n->peer_share || err_set(n->err, HF_E_NO_MEMORY, "key share");
}

static bool is_listed(const struct ext_values *v, uint16_t group)
{
    for (size_t i = 0; i + 1 < v->groups.len; i += 2) {
        if (get_u16(v->groups.p + i) == group)
            return true;
    }
    return false;
}

/* "Clients MUST NOT offer any KeyShareEntry values for groups not listed in the client's
 * supported_groups" (RFC 8446 4.2.8): also none for groups that we do not know. Nobody needs more shares
 * than are looked at here; two long lists would be a lot of work for one message. */
static bool shares_are_of_groups(struct nego *n, const struct ext_values *v)
{
    size_t at = 0;
    for (int i = 0; i < 2 * EXT_MAX_SHARES && at + 4 <= v->shares.len; i++) {
        uint16_t group = get_u16(v->shares.p + at);
        at += 4 + (size_t)get_u16(v->shares.p + at + 2);
        if (!is_listed(v, group))
            return ext_refuse(n, IN_CH, X_KEY_SHARE, HF_E_WRONG_GROUP,
                              "a share for %s (0x%04x), which is not in supported_groups",
                              name_group(group), group);
    }
    return true;
}

/* Where the HelloRetryRequest asked for a cookie alone, the shares are those of the first ClientHello (4.1.2), which
 * nobody may remember: what was chosen then must be there now. */
static bool keep_chosen_share(struct nego *n, const struct ext_values *v)
{
    const struct ext_share *share = n->group ? find_share(v, n->group->id) : NULL;
    if (n->group && !share)
        return ext_refuse(n, IN_CH, X_KEY_SHARE, HF_E_HELLO_CHANGED,
                          "the first ClientHello had a share for %s", n->group->name);
    return !share || keep_peer_share(n, share->key);
}

static bool take_hello(struct nego *n, const struct ext_values *v)
{
    if (n->retried && n->share_asked && !ext_has(v, X_KEY_SHARE))
        return ext_refuse(n, IN_CH, X_KEY_SHARE, HF_E_NO_KEY_SHARE,
                          "the second ClientHello must have a share for %s", n->group->name);
    if (!ext_has(v, X_KEY_SHARE) || !ext_has(v, X_SUPPORTED_GROUPS))
        return true; /* whether one is needed depends on the PSK: the handshake decides */
    if (!shares_are_of_groups(n, v))
        return false;
    if (n->retried && !n->share_asked)
        return keep_chosen_share(n, v);
    if (n->retried) {
        const struct ext_share *share = find_share(v, n->group->id);
        if (!share || v->share_count != 1)
            return ext_refuse(n, IN_CH, X_KEY_SHARE, HF_E_WRONG_GROUP,
                              "the second ClientHello must have one share, for %s",
                              n->group->name);
        return keep_peer_share(n, share->key);
    }
    n->group = choose_group(n, v);
    if (!n->group)
        return true;
    const struct ext_share *share = find_share(v, n->group->id);
    return !share || keep_peer_share(n, share->key);
}

static bool take_retry(struct nego *n, const struct ext_values *v)
{
    if (!ext_has(v, X_KEY_SHARE))
        return true;
    if (!ids_has(&n->config->groups, v->retry_group))
        return ext_refuse(n, IN_HRR, X_KEY_SHARE, HF_E_WRONG_GROUP,
                          "%s (0x%04x) was not offered", name_group(v->retry_group),
                          v->retry_group);
    for (size_t i = 0; i < n->own_count; i++) {
        if (n->own[i].group->id == v->retry_group)
            return ext_refuse(n, IN_HRR, X_KEY_SHARE, HF_E_WRONG_GROUP,
                              "a share for %s was sent already", name_group(v->retry_group));
    }
    n->group = group_find(v->retry_group);
    return true;
}

static bool take_answer(struct nego *n, const struct ext_values *v)
{
    if (!ext_has(v, X_KEY_SHARE))
        return true;
    for (size_t i = 0; i < n->own_count; i++) {
        if (n->own[i].group->id == v->share[0].group) {
            n->group = n->own[i].group;
            return keep_peer_share(n, v->share[0].key);
        }
    }
    return ext_refuse(n, IN_SH, X_KEY_SHARE, HF_E_WRONG_GROUP,
                      "no share for %s (0x%04x) was sent", name_group(v->share[0].group),
                      v->share[0].group);
}

bool key_share_take(struct nego *n, const struct ext_values *v, unsigned message)
{
    if (message == IN_CH)
        return take_hello(n, v);
    return message == IN_HRR ? take_retry(n, v) : take_answer(n, v);
}
