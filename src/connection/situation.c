/* situation.c: advice from the particulars of one connection. */
#include "connection/situation.h"

#include <stdio.h>

/* Everything that an answer may depend on. */
struct situation {
    struct facts *facts;
    const hf_config *config; /* of the connection */
    const struct hs *hs;     /* or NULL */
    const hf_error *err;
    bool client;
    bool old; /* TLS 1.2 or older was agreed, or is being agreed */
};

typedef struct advice (*advise_fn)(const struct situation *s);

static const struct advice nothing = {"", ""};

/* ---- versions */

static uint16_t highest(const struct facts_list *list)
{
    uint16_t best = 0;
    for (size_t i = 0; i < list->count; i++) {
        if (list->id[i] <= HF_TLS1_3 && list->id[i] > best)
            best = list->id[i];
    }
    return best;
}

static struct advice for_versions_of_client(const struct situation *s)
{
    const struct facts_list *ours = &s->facts->ours.versions;
    if (highest(ours) < HF_TLS1_2)
        return (struct advice){
            "this client offers only versions that nearly all servers have given up",
            "offer TLS 1.2 and 1.3 too: hf_config_set_versions()"};
    if (s->config->body.version_min >= HF_TLS1_3)
        return (struct advice){"this client allows nothing older than TLS 1.3",
                               "enable TLS 1.3 on the server, or allow TLS 1.2 here: "
                               "hf_config_set_versions()"};
    if (highest(ours) == HF_TLS1_2)
        return (struct advice){
            "",
            "offer TLS 1.3 too: hf_config_set_versions(); if the server is too old for TLS 1.2, "
            "enable that there"};
    return nothing;
}

static struct advice for_versions_of_server(const struct situation *s)
{
    uint16_t theirs = highest(&s->facts->peer.versions);
    if (highest(&s->facts->ours.versions) < HF_TLS1_2 && theirs >= HF_TLS1_2)
        return (struct advice){"the client is up to date; this server allows only old versions",
                               "allow TLS 1.2 and 1.3 here: hf_config_set_versions()"};
    if (theirs == HF_TLS1_2)
        return (struct advice){
            "the client does not know TLS 1.3, and this server allows nothing older",
            "update the client, or allow TLS 1.2 here: hf_config_set_versions()"};
    return nothing;
}

static struct advice for_versions(const struct situation *s)
{
    return s->client ? for_versions_of_client(s) : for_versions_of_server(s);
}

/* A client that knows TLS 1.3 refuses our marked random (RFC 8446 4.1.3) with this alert. */
static struct advice for_illegal_parameter(const struct situation *s)
{
    if (s->client || !s->old || s->config->body.version_max <= s->facts->version)
        return nothing;
    return (struct advice){
        "the client may know newer versions than its ClientHello said when it arrived here, and take "
        "that for an attack",
        "something between the two changes handshakes: connect from another network, or without the "
        "proxy"};
}

/* ---- suites and signatures */

static bool credential_of(const hf_config *config, enum auth auth)
{
    const struct credentials *all = config->credentials;
    for (size_t i = 0; all && i < all->count; i++) {
        if (auth_of_key(all->cred[i]->kind) == auth)
            return true;
    }
    return false;
}

/* All that the client offers for this version needs a certificate of this kind. */
static bool needs_only(const struct situation *s, enum auth auth)
{
    const struct facts_list *theirs = &s->facts->peer.suites;
    size_t count = 0;
    for (size_t i = 0; i < theirs->count; i++) {
        const struct suite *suite = suite_find(theirs->id[i]);
        if (!suite || !suite_fits(suite, s->hs->n.version))
            continue;
        if (suite->auth != auth)
            return false;
        count++;
    }
    return count > 0;
}

static struct advice for_suites(const struct situation *s)
{
    if (s->client || !s->hs || !s->old || s->config->ask[HF_ASK_CREDENTIAL])
        return nothing;
    if (needs_only(s, AUTH_ECDSA) && !credential_of(s->config, AUTH_ECDSA))
        return (struct advice){
            "all suites that the client offers need a certificate with an ECDSA key, and this server "
            "has none",
            "add such a certificate beside the others with hf_config_add_credential()"};
    if (needs_only(s, AUTH_RSA) && !credential_of(s->config, AUTH_RSA))
        return (struct advice){
            "all suites that the client offers need a certificate with an RSA key, and this server has "
            "none",
            "add such a certificate beside the others with hf_config_add_credential()"};
    return (struct advice){
        "", "update the client; for an old device that cannot be, allow one of its suites with "
            "hf_config_set_ciphers()"};
}

static struct advice for_signatures(const struct situation *s)
{
    struct facts_list both;
    if (s->client || !s->facts->peer.known)
        return nothing;
    facts_common(&s->facts->ours.signatures, &s->facts->peer.signatures, &both);
    if (both.count)
        return nothing;
    return (struct advice){
        "",
        "allow one of the client's schemes with hf_config_set_signatures() (those with SHA-1 count "
        "only at security level 0), or update the client"};
}

static struct advice for_weak_dh(const struct situation *s)
{
    static const unsigned wanted[] = {0, 1024, 2048, 3072, 7680, 15360};
    uint8_t level = s->config->security_level;
    if (level >= sizeof wanted / sizeof *wanted)
        return nothing;
    snprintf(
        s->facts->words, sizeof s->facts->words,
        "at this side's security level, %u, such a group needs %u bits: with fewer, who listens may "
        "compute the keys",
        level, wanted[level]);
    return (struct advice){
        s->facts->words,
        "give the server a larger group, or better suites with ECDHE; for an old device that cannot, "
        "leave the DHE suites out of hf_config_set_ciphers()"};
}

/* ---- pre-shared keys */

static bool has_psk(const struct situation *s)
{
    const struct suite *suite = s->hs ? s->hs->n.suite : NULL;
    return suite && s->old &&
           (suite->kex == KEX_PSK || suite->kex == KEX_ECDHE_PSK || suite->kex == KEX_DHE_PSK);
}

/* The first record under keys that differ is the Finished; a wrong pre-shared key shows nowhere else. */
static struct advice for_bad_record(const struct situation *s)
{
    if (!has_psk(s))
        return nothing;
    return (struct advice){
        "most likely the two sides have different keys for the same identity",
        "compare the keys that both sides have for this identity: "
        "hf_config_add_psk()"};
}

static struct advice for_unknown_psk(const struct situation *s)
{
    if (!has_psk(s))
        return nothing;
    if (!s->client)
        return (struct advice){
            "", "add the client's identity and its key with hf_config_add_psk(), or "
                "correct the identity at the client"};
    return (struct advice){"the server does not know the identity of the pre-shared key",
                           "check the identity and the key on both sides: hf_config_add_psk()"};
}

/* ---- what a server says in the middle of the handshake */

/* TLS 1.2 has no alert for a certificate that is missing: whether one was asked for tells. */
static struct advice for_broken_off(const struct situation *s)
{
    if (!s->client || !s->hs || !s->old)
        return nothing;
    if (s->hs->cert_requested && !s->hs->credential)
        return (struct advice){
            "the server asked for a client certificate, got none, and broke off",
            s->config->credentials
                ? "no certificate of this client fits what the server accepts: check the kinds of key "
                  "and the signature algorithms"
                : "configure a certificate and key with hf_config_add_credential()"};
    if (!s->hs->cert_requested)
        return (struct advice){
            "the server broke off without saying more; it had not asked for a client "
            "certificate",
            "look into the server's log"};
    return nothing;
}

/* A session from before can be all that a server does not like (RFC 7627 5.3 makes it say so). */
static struct advice for_refused_hello(const struct situation *s)
{
    if (!s->client || !s->hs || !s->hs->n.session)
        return nothing;
    return (struct advice){
        "the server found nothing in the ClientHello that it can work with, or does not accept the session "
        "that was offered for resumption",
        "forget the saved session and connect again; if that fails too, compare what was offered with what "
        "the server allows"};
}

/* ---- which */

static advise_fn for_alert(const struct situation *s)
{
    switch (s->err->alert) {
    case 20:
    case 51: return for_bad_record;
    case 40:
    case 42: return s->facts->phase == PHASE_HELLO ? for_refused_hello : for_broken_off;
    case 47: return for_illegal_parameter;
    case 70: return for_versions;
    case 115: return for_unknown_psk;
    default: return NULL;
    }
}

static advise_fn for_code(const struct situation *s)
{
    /* Only what has particulars; -Wswitch-enum would want all the rest listed here. */
    switch ((int)s->err->code) {
    case HF_E_UNSUPPORTED_VERSION: return for_versions;
    case HF_E_NO_SHARED_SUITE: return for_suites;
    case HF_E_NO_SHARED_SIGNATURE: return for_signatures;
    case HF_E_WEAK_DH: return for_weak_dh;
    case HF_E_BAD_RECORD_MAC:
    case HF_E_BAD_FINISHED: return for_bad_record;
    case HF_E_UNKNOWN_PSK: return for_unknown_psk;
    default: return NULL;
    }
}

void situation_advise(struct facts *facts, const hf_conn *conn, const hf_error *err)
{
    if (!conn)
        return;
    struct situation s = {.facts = facts,
                          .config = conn->config,
                          .hs = conn->hs,
                          .err = err,
                          .client = facts->role == ADVICE_CLIENT,
                          .old = conn_is_old(conn)};
    advise_fn advise = err->alert_received ? for_alert(&s) : for_code(&s);
    struct advice better = advise ? advise(&s) : nothing;
    if (better.means[0])
        facts->advice.means = better.means;
    if (better.what_to_do[0])
        facts->advice.what_to_do = better.what_to_do;
}

/* ---- where the rule stands */

/* clang-format off */
static const struct {
    const char *in13, *in12;
} sections[] = {
    {"RFC 8446 4.1.1",   "RFC 5246 7.4.1.3"},
    {"RFC 8446 4.1.3",   "RFC 5246 7.4.1.3"},
    {"RFC 8446 4.1.2",   "RFC 5246 7.4.1.2"},
    {"RFC 8446 4.2",     "RFC 5246 7.4.1.4"},
    {"RFC 8446 4.2.3",   "RFC 5246 7.4.1.4.1"},
    {"RFC 8446 4.2.8",   "RFC 8422 5.4"},
    {"RFC 8446 4.2.8.2", "RFC 8422 5.4"},
    {"RFC 8446 4.4.2",   "RFC 5246 7.4.2"},
    {"RFC 8446 4.4.2.2", "RFC 5246 7.4.2"},
    {"RFC 8446 4.4.3",   "RFC 5246 4.7"},
    {"RFC 8446 4.4.4",   "RFC 5246 7.4.9"},
    {"RFC 8446 4",       "RFC 5246 7.4"},
    {"RFC 8446 5",       "RFC 5246 6.2"},
    {"RFC 8446 5.1",     "RFC 5246 6.2.1"},
    {"RFC 8446 5.2",     "RFC 5246 6.2.3"},
    {"RFC 8446 5.4",     "RFC 5246 6.2.1"},
    {"RFC 8446 6",       "RFC 5246 7.2"},
    {"RFC 8446 6.1",     "RFC 5246 7.2.1"},
    {"RFC 8446 6.2",     "RFC 5246 7.2.2"},
};
/* clang-format on */

const char *situation_rfc(const hf_conn *conn, const hf_error *err)
{
    const char *rfc = err->rfc ? err->rfc : "";
    /* The mark of a downgrade is a rule of TLS 1.3's own. */
    bool old = conn && conn_is_old(conn) && err->code != HF_E_DOWNGRADE;
    for (size_t i = 0; old && i < sizeof sections / sizeof *sections; i++) {
        if (strcmp(sections[i].in13, rfc) == 0)
            return sections[i].in12;
    }
    return rfc;
}
