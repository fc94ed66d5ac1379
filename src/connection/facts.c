/* facts.c: collecting what a diagnosis is made of. */
#include "connection/facts.h"

#include "connection/situation.h"

static void add(struct facts_list *list, uint16_t id)
{
    if (list->count < FACTS_MAX_LIST)
        list->id[list->count++] = id;
    else
        list->more++;
}

static void add_ids(struct facts_list *list, const struct ids *ids)
{
    for (size_t i = 0; i < ids->count; i++)
        add(list, ids->id[i]);
}

void facts_common(const struct facts_list *a, const struct facts_list *b,
                  struct facts_list *out)
{
    *out = (struct facts_list){0};
    for (size_t i = 0; i < a->count; i++) {
        for (size_t k = 0; k < b->count; k++) {
            if (a->id[i] == b->id[k]) {
                add(out, a->id[i]);
                break;
            }
        }
    }
}

/* Once the version is known, the suites of others are no help. */
static void add_suites(struct facts_list *list, const hf_config *config, uint16_t version)
{
    for (size_t i = 0; i < config->body.suites.count; i++) {
        const struct suite *suite = suite_find(config->body.suites.id[i]);
        if (suite && (!version || suite_fits(suite, version)))
            add(list, suite->id);
    }
}

static void our_side(struct facts_side *ours, const hf_config *config, uint16_t version)
{
    ours->known = true;
    for (uint16_t v = config->body.version_max; v >= config->body.version_min && v; v--)
        add(&ours->versions, v);
    add_suites(&ours->suites, config, version);
    add_ids(&ours->groups, &config->groups);
    if (config->role == HF_CLIENT)
        add_ids(&ours->key_shares, &config->key_shares);
    add_ids(&ours->signatures, &config->sigalgs);
    ours->alpn = slice_of(config->alpn, config->alpn_len);
}

/* A slice of the ClientHello is good only while that message is kept: a hello that could not be
 * read to its end leaves slices of the one before. */
static struct slice kept(const struct hs *hs, struct slice s)
{
    const struct buffer *b = &hs->hello;
    uintptr_t from = (uintptr_t)b->p + b->start, to = (uintptr_t)b->p + b->end;
    uintptr_t p = (uintptr_t)s.p;
    bool inside = b->p && s.p && p >= from && p <= to && s.len <= to - p;
    return inside ? s : slice_of(NULL, 0);
}

static void add_slice(struct facts_list *list, struct slice s)
{
    for (size_t i = 0; i + 1 < s.len; i += 2)
        add(list, get_u16(s.p + i));
}

static void client_side(struct facts_side *peer, const struct hs *hs)
{
    const struct ext_values *v = hs->values;
    struct slice suites = kept(hs, hs->ch.suites);

    if (!suites.len)
        return;
    peer->known = true;
    add_slice(&peer->suites, suites);
    if (v && ext_has(v, X_SUPPORTED_VERSIONS))
        add_slice(&peer->versions, kept(hs, v->versions));
    else
        add(&peer->versions, hs->ch.version);
    if (!v)
        return;
    add_slice(&peer->groups, kept(hs, v->groups));
    add_slice(&peer->signatures, kept(hs, v->sigalgs));
    for (size_t i = 0; i < v->share_count && i < EXT_MAX_SHARES; i++) {
        if (kept(hs, v->share[i].key).p)
            add(&peer->key_shares, v->share[i].group);
    }
    peer->alpn = kept(hs, v->alpn);
}

static void agreed(struct facts *facts, const hf_conn *conn)
{
    const struct hs *hs = conn->hs;
    const struct group *group = hs ? hs->n.group : NULL;
    const struct suite *suite = hs ? hs->n.suite : conn->est.suite;

    if (suite) { /* what came before the suite was chosen is not agreed yet */
        facts->suite = suite->id;
        facts->version = hs ? hs->n.version : conn->est.version;
        facts->group = hs ? (uint16_t)(group ? group->id : 0) : conn->est.group;
    }
    facts->retried = hf_conn_retried(conn);
    facts->resumed = hs ? hs->n.psk || hs->n.resumed12 : conn->est.resumed;
}

void facts_collect(struct facts *facts, const hf_conn *conn, const hf_error *err)
{
    const char *step = err->step ? err->step : "";
    bool certificate = false;

    *facts = (struct facts){.step = step};
    facts->phase = *step ? advice_phase(step) : PHASE_HELLO | PHASE_HANDSHAKE | PHASE_DATA;
    if (conn) {
        bool server = hf_conn_is_server(conn);
        facts->role = server ? ADVICE_SERVER : ADVICE_CLIENT;
        if (!conn->hs)
            facts->phase = PHASE_DATA;
        else if (!*step)
            facts->phase = PHASE_HELLO;
        /* That row is optional: unless such a message has come, a ServerHello was waited for. */
        if (!server && !err->path[0] && strcmp(step, "HelloRetryRequest") == 0)
            facts->step = "ServerHello";
        facts->server_name = hf_conn_server_name(conn);
        facts->certificate = hf_conn_peer_certificate(conn, 0);
        if (hf_conn_peer_raw_key(conn, NULL)) {
            facts->raw_key_sha256 = hf_conn_peer_key_sha256(conn);
            facts->raw_key = hf_conn_peer_key(conn);
        }
        /* What a client offers it has offered for all versions. */
        our_side(&facts->ours, conn->config, server && conn->hs ? conn->hs->n.version : 0);
        if (server && conn->hs)
            client_side(&facts->peer, conn->hs);
        agreed(facts, conn);
        if (conn->hs)
            facts->psk_identity = slice_of(conn->hs->psk_identity, conn->hs->psk_identity_len);
        certificate = conn->config->credentials || conn->config->ask[HF_ASK_CREDENTIAL];
    }
    if (err->alert_received)
        facts->advice = advice_for_alert(err->alert, facts->role, facts->phase, certificate);
    else
        facts->advice = advice_for_error(err, facts->role);
    situation_advise(facts, conn, err);
    facts->rfc = situation_rfc(conn, err);
}
