/* details.c: see details.h. */
#include "handshake/details.h"

#include "handshake/hs.h"

void details_free(struct details *d)
{
    if (!d)
        return;
    mem_free(d->suites);
    mem_free(d->sigalgs);
    mem_free(d->groups);
    mem_free(d->authorities);
    mem_free(d->share);
    mem_free(d->own_share);
    if (d->early_exporter)
        mem_wipe_free(d->early_exporter, d->early_exporter_len);
    mem_free(d);
}

static bool begin(struct hs *hs)
{
    if (!hs->details)
        hs->details = mem_new(sizeof *hs->details);
    return hs->details != NULL;
}

static bool keep_numbers(struct slice from, uint16_t **out, size_t *count)
{
    mem_free(*out);
    *count = 0;
    *out = from.len >= 2 ? mem_new(from.len) : NULL;
    if (!*out)
        return from.len < 2;
    for (size_t i = 0; i + 2 <= from.len; i += 2)
        (*out)[(*count)++] = get_u16(from.p + i);
    return true;
}

void details_randoms(struct hs *hs)
{
    if (!hs->n.config->keep_details || !begin(hs))
        return;
    memcpy(hs->details->client_random, hs->client_random, RANDOM_SIZE);
    memcpy(hs->details->server_random, hs->server_random, RANDOM_SIZE);
}

bool details_types(struct hs *hs, const uint8_t *types, size_t count)
{
    if (!hs->n.config->keep_details)
        return true;
    if (!begin(hs))
        return false;
    hs->details->type_count = 0;
    if (count <= sizeof hs->details->types) {
        memcpy(hs->details->types, types, count);
        hs->details->type_count = (uint8_t)count;
    }
    return true;
}

bool details_hello(struct hs *hs)
{
    if (!hs->n.config->keep_details)
        return true;
    if (!begin(hs))
        return false;
    struct details *d = hs->details;
    details_randoms(hs);
    return keep_numbers(hs->ch.suites, &d->suites, &d->suite_count) &&
           keep_numbers(hs->values->sigalgs, &d->sigalgs, &d->sigalg_count) &&
           keep_numbers(hs->values->groups, &d->groups, &d->group_count);
}

static bool keep_ids(const struct ids *from, uint16_t **out, size_t *count)
{
    if (from->count == 0)
        return true;
    mem_free(*out);
    *out = mem_dup(from->id, from->count * sizeof from->id[0]);
    *count = *out ? from->count : 0;
    return *out != NULL;
}

/* A group without a name is shown with the share. */
static void keep_sent(struct details *d, struct hs *hs)
{
    struct buffer all = {0};
    struct wr w;
    wr_start(&w, &all);
    wr_opaque16(&w, slice_of(buffer_front(&hs->dh_p), buffer_len(&hs->dh_p)));
    wr_opaque16(&w, slice_of(buffer_front(&hs->dh_g), buffer_len(&hs->dh_g)));
    wr_opaque16(&w, slice_of(hs->n.peer_share, hs->n.peer_share_len));
    if (wr_ok(&w))
        d->share = mem_dup(buffer_front(&all), buffer_len(&all));
    d->share_len = d->share ? buffer_len(&all) : 0;
    d->share_sent = d->share != NULL;
    buffer_clear(&all);
}

/* Those of hybrids are long, and nobody can show them. A server of TLS 1.2 and older keeps none. */
static void keep_share(struct details *d, struct hs *hs)
{
    enum { LAST_CURVE = 0x1e };
    struct nego *n = &hs->n;
    mem_free(d->share);
    d->share = NULL;
    d->share_len = 0;
    d->share_sent = false;
    bool ffdhe = n->group && n->group->id >> 8 == 1; /* RFC 7919 */
    if (n->group && (n->group->id <= LAST_CURVE || ffdhe) && n->peer_share) {
        d->share = n->peer_share;
        d->share_len = n->peer_share_len;
        n->peer_share = NULL;
        n->peer_share_len = 0;
    } else if (!n->group && n->peer_share && buffer_len(&hs->dh_p)) {
        keep_sent(d, hs);
    }
}

/* TLS 1.3: what this side has sent for the group of the handshake, unless that is a hybrid. */
static bool keep_own_share(struct details *d, const struct nego *n)
{
    const uint8_t *p = n->answer_share;
    size_t len = n->answer_share_len;
    mem_free(d->own_share);
    d->own_share = NULL;
    d->own_share_len = 0;
    for (size_t i = 0; !n->server && i < n->own_count; i++) {
        if (n->own[i].group == n->group) {
            p = n->own[i].public_value;
            len = n->own[i].len;
        }
    }
    if (n->version < HF_TLS1_3 || !d->share || !p)
        return true;
    d->own_share = mem_dup(p, len);
    d->own_share_len = d->own_share ? len : 0;
    return d->own_share != NULL;
}

bool details_done(struct hs *hs)
{
    struct nego *n = &hs->n;
    if (!n->config->keep_details)
        return true;
    struct extras *x = extras_of(hs->est);
    if (!x || !begin(hs))
        return false;
    struct details *d = hs->details;
    details_randoms(hs);
    d->finished_len = n->version < HF_TLS1_3 ? FINISHED_MAX : (uint8_t)hash_size(hs->hash);
    memcpy(d->finished[0], hs->finished[0], d->finished_len);
    memcpy(d->finished[1], hs->finished[1], d->finished_len);
    if (!n->server && !keep_ids(&n->peer_sigalgs, &d->sigalgs, &d->sigalg_count))
        return false;
    mem_free(d->authorities);
    d->authorities = n->peer_authorities;
    d->authorities_len = n->peer_authorities_len;
    n->peer_authorities = NULL;
    d->signature = hs->signature_len ? hs->scheme : 0;
    keep_share(d, hs);
    if (!keep_own_share(d, n))
        return false;
    if (hs->est->early == HF_EARLY_ACCEPTED && n->version == HF_TLS1_3) {
        d->early_exporter_len = (uint8_t)hash_size(hs->hash); /* that of the session too */
        d->early_exporter = mem_dup(hs->early_exporter, d->early_exporter_len);
        if (!d->early_exporter)
            return false;
    }
    details_free(x->details);
    x->details = d;
    hs->details = NULL;
    return true;
}
