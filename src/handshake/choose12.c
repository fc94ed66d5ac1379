/* choose12.c: what a server decides about the ClientHello of TLS 1.2 or older. */
#include "bytes/names.h"
#include "config/cache.h"
#include "config/security.h"
#include "handshake/choose.h"

#define FALLBACK_SCSV      0x5600 /* RFC 7507 2 */
#define RENEGOTIATION_SCSV 0x00ff /* RFC 5746 3.3 */

bool suite_offered12(const struct hs *hs, uint16_t suite)
{
    struct slice list = hs->ch.suites;
    for (size_t i = 0; i + 1 < list.len; i += 2) {
        if (get_u16(list.p + i) == suite)
            return true;
    }
    return false;
}

/* ---- what the hello says besides its extensions */

enum hs_result check_signals12(struct hs *hs)
{
    if (suite_offered12(hs, FALLBACK_SCSV) && hs->n.version < hs->n.config->body.version_max)
        return hs_fail(hs, HF_E_INAPPROPRIATE_FALLBACK, "%s at most, this server allows %s",
                       name_version(hs->n.version),
                       name_version(hs->n.config->body.version_max));
    if (suite_offered12(hs, RENEGOTIATION_SCSV)) {
        if (hs->n.renegotiating) /* "MUST abort the handshake" (RFC 5746 3.7) */
            return hs_fail(hs, HF_E_RENEGOTIATION_MISMATCH,
                           "TLS_EMPTY_RENEGOTIATION_INFO_SCSV in a renegotiation");
        hs->n.secure = true;
    }
    struct slice methods = hs->ch.compression;
    if (!methods.len || !memchr(methods.p, 0, methods.len))
        return hs_fail(hs, HF_E_BAD_COMPRESSION,
                       "the null method is not among the client's compression methods");
    return HS_OK;
}

/* ---- groups */

static bool is_ffdhe(uint16_t group)
{
    return group >= 0x0100 && group <= 0x01ff;
}

/* Groups of elliptic curves that TLS 1.2 knows; hybrids came with TLS 1.3. */
static bool is_curve(uint16_t group)
{
    return group < 0x0100;
}

static const struct group *shared_group(const struct hs *hs, bool (*kind)(uint16_t))
{
    const struct nego *n = &hs->n;
    static const struct ties none;
    struct ids order;
    if (n->config->server_preference)
        ranked(&n->config->groups, &n->config->group_ties, &n->peer_groups, &order);
    else
        ranked(&n->peer_groups, &none, &n->config->groups, &order);
    for (size_t i = 0; i < order.count; i++) {
        if (kind(order.id[i]))
            return group_find(order.id[i]);
    }
    return NULL;
}

/* A client without supported_groups can do all that RFC 8422 names; P-256 is what each of them has. */
static const struct group *ecdhe_group(const struct hs *hs)
{
    const struct ids *ours = &hs->n.config->groups;
    if (ext_has(hs->values, X_SUPPORTED_GROUPS))
        return shared_group(hs, is_curve);
    if (ids_has(ours, 0x0017))
        return group_find(0x0017);
    return NULL;
}

static bool names_ffdhe(const struct hs *hs)
{
    struct slice list = hs->values->groups;
    for (size_t i = 0; i + 1 < list.len; i += 2) {
        if (is_ffdhe(get_u16(list.p + i)))
            return true;
    }
    return false;
}

static bool config_has_ffdhe(const hf_config *config)
{
    for (size_t i = 0; i < config->groups.count; i++) {
        if (is_ffdhe(config->groups.id[i]))
            return true;
    }
    return false;
}

/* A client that lists groups of RFC 7919 gets one of them or no DHE ("MUST NOT select an FFDHE cipher suite",
 * RFC 7919 4). The others take what the server sends: a group of RFC 7919 all the same, for nobody can
 * have prepared an attack on a group that was made from e (Logjam), and each key is used once (Raccoon). */
static const struct group *dhe_group(const struct hs *hs)
{
    static const uint16_t sizes[] = {0x0100, 0x0101, 0x0102, 0x0103, 0x0104};
    const hf_config *config = hs->n.config;
    if (names_ffdhe(hs)) {
        const struct group *g = shared_group(hs, is_ffdhe);
        if (g || config_has_ffdhe(config))
            return g;
        /* None are configured: the smallest that the level allows and the client lists. */
        for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
            g = group_find(sizes[i]);
            if (g && ids_has(&hs->n.peer_groups, sizes[i]) &&
                security_allows_group(config->security_level, g))
                return g;
        }
        return NULL;
    }
    for (size_t i = 0; i < config->groups.count; i++) {
        if (is_ffdhe(config->groups.id[i]))
            return group_find(config->groups.id[i]);
    }
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        const struct group *g = group_find(sizes[i]);
        if (g && security_allows_group(config->security_level, g))
            return g;
    }
    return NULL;
}

/* The server has a group without a name for this client. */
static bool own_dh_group(const struct hs *hs)
{
    const hf_config *config = hs->n.config;
    return config->dh_source || (config->dh_group && !names_ffdhe(hs));
}

/* Of a suite with an ephemeral key; false: there is none. */
static bool choose_group(struct hs *hs, const struct suite *s, const struct group **group)
{
    *group = NULL;
    if (is_dhe12(s) && own_dh_group(hs)) {
        const struct dh_source *source = hs->n.config->dh_source;
        return !source || source->any(hs->n.conn);
    }
    *group = is_ecdhe12(s) ? ecdhe_group(hs) : dhe_group(hs);
    if (!*group) {
        hs->no_group = true;
        hs->no_ffdhe |= is_dhe12(s) && names_ffdhe(hs);
    }
    return *group != NULL;
}

/* ---- suite and certificate */

/* What the application chose, or what the configuration has for this suite. */
static hf_credential *credential_for(struct hs *hs, const struct suite *s, bool any_curve,
                                     uint16_t *scheme)
{
    struct nego *n = &hs->n;
    bool ecdsa = s->auth == AUTH_ECDSA;
    struct credential_wish wish = {
        .version = n->version,
        .auth = s->auth,
        .signs = is_signed12(s),
        .name = n->server_name,
        .schemes = n->peer_sigalgs.id,
        .scheme_count = n->peer_sigalgs.count,
        .groups = ecdsa && !any_curve && ext_has(hs->values, X_SUPPORTED_GROUPS)
                      ? &n->peer_groups
                      : NULL,
        .types = n->peer_accepts,
    };
    if (!wish.types) /* what the client takes is all unknown here */
        return NULL;
    if (!hs->credential_given)
        return config_credential12(n->config, &wish, scheme);
    hf_credential *given = hs->credential;
    *scheme = 0;
    if (!given || auth_of_key(given->kind) != s->auth)
        return NULL;
    uint16_t curve = curve_of_key(given->kind);
    if (wish.groups && curve && !ids_has(wish.groups, curve))
        return NULL;
    /* With another's private key nothing can be decrypted: HF_ASK_SIGNATURE only signs. */
    if (!wish.signs)
        return given->kind == KEY_RSA && given->key ? given : NULL;
    if (n->version < HF_TLS1_2)
        return given;
    *scheme = config_scheme12(n->config, given, wish.schemes, wish.scheme_count);
    return *scheme ? given : NULL;
}

static bool have_psk(const struct hs *hs)
{
    return config_first_psk(hs->n.config) || hs->n.config->ask[HF_ASK_PSK];
}

/* Everything that the suite needs is there; what was chosen for it goes into hs. */
static bool try_suite(struct hs *hs, const struct suite *s)
{
    const struct group *group = NULL;
    hf_credential *cred = NULL;
    uint16_t scheme = 0;
    if (!suite_fits(s, hs->n.version))
        return false;
    if ((is_ecdhe12(s) || is_dhe12(s)) && !choose_group(hs, s, &group))
        return false;
    if (is_psk12(s) && !have_psk(hs))
        return false;
    if (has_certificate12(s) && !(cred = credential_for(hs, s, false, &scheme))) {
        if (credential_for(hs, s, true, &scheme))
            hs->no_group = true; /* of the certificate's key */
        else if (!hs->credential_given || !hs->credential ||
                 auth_of_key(hs->credential->kind) == s->auth)
            hs->no_scheme |= is_signed12(s);
        return false;
    }
    if (hs->serving && cred &&
        credential_serves(cred, hs->n.server_name) < (enum serving)hs->serving)
        return false;
    hs->n.suite = s;
    hs->n.group = group;
    hs->scheme = scheme;
    if (cred != hs->credential) {
        hf_credential_free(hs->credential);
        hs->credential = cred ? hf_credential_ref(cred) : NULL;
    }
    return true;
}

/* chacha: only suites with ChaCha20, for a client that puts it first. */
static bool pick(struct hs *hs, bool chacha)
{
    struct ids order;
    shared_suites(hs, &order);
    for (size_t i = 0; i < order.count; i++) {
        const struct suite *s = suite_find(order.id[i]);
        if ((!chacha || s->aead == AEAD_CHACHA20_POLY1305) && try_suite(hs, s))
            return true;
    }
    return false;
}

static bool pick_by_client(struct hs *hs)
{
    struct slice list = hs->ch.suites;
    for (size_t i = 0; i + 1 < list.len; i += 2) {
        const struct suite *s = suite_find(get_u16(list.p + i));
        if (s && ids_has(&hs->n.config->body.suites, s->id) && try_suite(hs, s))
            return true;
    }
    return false;
}

static bool chacha_first(const struct hs *hs)
{
    struct slice list = hs->ch.suites;
    for (size_t i = 0; i + 1 < list.len; i += 2) {
        const struct suite *s = suite_find(get_u16(list.p + i));
        if (s)
            return s->aead == AEAD_CHACHA20_POLY1305;
    }
    return false;
}

/* "If the client does not send the signature_algorithms extension, the server MUST do the following: ...
 * behave as if the client had sent the value {sha1,rsa} ... {sha1,ecdsa}" (RFC 5246 7.4.1.4.1): which
 * counts only where SHA-1 is allowed (SLOTH; RFC 9155). */
static void default_schemes(struct hs *hs)
{
    struct ids *schemes = &hs->n.peer_sigalgs;
    if (hs->n.version != HF_TLS1_2 || ext_has(hs->values, X_SIGNATURE_ALGORITHMS))
        return;
    schemes->count = 2;
    schemes->id[0] = 0x0201;
    schemes->id[1] = 0x0203;
}

enum hs_result choose_credential12(struct hs *hs)
{
    bool nobody;
    default_schemes(hs);
    enum hs_result r = hs_ask_credential(hs, &hs->n.peer_sigalgs, &nobody);
    if (r == HS_OK)
        hs->credential_given = !nobody;
    return r;
}

/* Our first suite of the version that is spoken. */
static const char *first_of_ours(const struct hs *hs)
{
    const struct ids *ours = &hs->n.config->body.suites;
    for (size_t i = 0; i < ours->count; i++) {
        const struct suite *s = suite_find(ours->id[i]);
        if (s && suite_fits(s, hs->n.version))
            return s->name;
    }
    return "none";
}

static enum hs_result no_suite(struct hs *hs)
{
    struct slice list = hs->ch.suites;
    if (hs->no_scheme && !config_shows(hs->n.config, hs->n.peer_accepts) &&
        !hs->credential_given)
        return no_credential(hs);
    if (hs->no_scheme)
        return hs_fail(hs, HF_E_NO_SHARED_SIGNATURE,
                       "no key of this server can make a signature that the client accepts");
    if (hs->no_group && !hs->no_ffdhe)
        return hs_fail(hs, HF_E_NO_SHARED_GROUP,
                       "the client's supported_groups has none of this server's groups, and %s "
                       "has no suite in common that does without",
                       name_version(hs->n.version));
    /* "none of the client's proposed non-FFDHE cipher suites are acceptable ..., the server MUST end the
     * connection with a fatal TLS alert of type insufficient_security" (RFC 7919 4). */
    return hs_fail(
        hs, hs->no_ffdhe ? HF_E_NO_SHARED_FFDHE : HF_E_NO_SHARED_SUITE,
        "the client offers %zu suite%s, %s first, for %s; this server allows %s first",
        list.len / 2, list.len == 2 ? "" : "s", name_suite(get_u16(list.p)),
        name_version(hs->n.version), first_of_ours(hs));
}

static bool pick_any(struct hs *hs)
{
    return !hs->n.config->server_preference
               ? pick_by_client(hs)
               : (chacha_first(hs) && pick(hs, true)) || pick(hs, false);
}

/* How well the name that is asked for can be served at all. */
static enum serving best_serving(const struct hs *hs)
{
    const struct credentials *list = hs->n.config->credentials;
    enum serving best = SERVES_NOT;
    if (!hs->n.server_name || hs->credential_given || !list || list->count < 2)
        return SERVES_NOT;
    for (size_t i = 0; i < list->count; i++) {
        enum serving s = credential_serves(list->cred[i], hs->n.server_name);
        best = s > best ? s : best;
    }
    return best;
}

/* The suite says which kind of key signs, and the kinds may stand for different names: the right certificate
 * with another suite is better than the best suite with the wrong one. */
static bool pick_for_name(struct hs *hs)
{
    hs->serving = (uint8_t)best_serving(hs);
    bool found = hs->serving && pick_any(hs);
    hs->serving = SERVES_NOT;
    return found;
}

enum hs_result choose_suite12(struct hs *hs)
{
    bool found = pick_for_name(hs) || pick_any(hs);
    if (!found)
        return no_suite(hs);
    hs->n.ecc = is_ecdhe12(hs->n.suite);
    bool certified = has_certificate12(hs->n.suite);
    if (certified)
        tell_own_type(hs, credential_type(hs->credential));
    return choose_peer_type(hs, certified && hs->n.config->client_auth != HF_CLIENT_AUTH_NONE);
}

/* ---- session */

static bool usable(const struct hs *hs, const hf_session *s)
{
    const hf_config *config = hs->n.config;
    const struct suite *suite = suite_find(s->suite);
    if (s->version != hs->n.version || !suite || !suite_fits(suite, s->version) ||
        !suite_offered12(hs, s->suite) || !ids_has(&config->body.suites, s->suite))
        return false;
    if (config->resume_preferred_only && suite != hs->n.suite)
        return false;
    return session_acceptable(hs, s);
}

bool tickets12(const hf_config *config)
{
    return config->psk_modes && !config->no_tickets12 &&
           (config->ticket_count > 0 || config->always_tickets12);
}

/* By its ID, where libssl/ keeps the sessions. */
static enum hs_result ask_for_session(struct hs *hs, hf_session **session)
{
    const struct nego *n = &hs->n;
    if (n->config->session_ids->find(n->conn, n->version, hs->session_id, hs->session_id_len,
                                     session))
        return HS_OK;
    hf_session_free(*session);
    *session = NULL;
    return hs_fail(hs, HF_E_CRYPTO, "the application does not want the session");
}

static enum hs_result look_up(struct hs *hs, hf_session **session)
{
    struct nego *n = &hs->n;
    *session = NULL;
    if (!n->config->psk_modes)
        return HS_OK;
    if (n->renegotiating && n->config->session_ids && n->config->session_ids->again &&
        !n->config->session_ids->again(n->conn)) {
        n->ticket_offered = false;
        return HS_OK;
    }
    if (n->ticket_offered && asks_secret12(hs)) {
        n->ticket_offered = false; /* it is the application's; we have none to give */
        return HS_OK;
    }
    if (n->ticket_offered && !n->ticket.len && n->config->session_ids &&
        !n->config->session_ids->empty(n->conn, &n->ticket_offered))
        return hs_fail(hs, HF_E_CRYPTO, "the application wants no client without a ticket");
    if (n->ticket.len && !n->config->no_tickets12)
        return hs_open_ticket(hs, n->ticket, session);
    if (hs->session_id_len && n->config->session_ids)
        return ask_for_session(hs, session);
    if (hs->session_id_len && (n->config->cache_sessions || n->config->store.find))
        *session = cache_find(n->config, slice_of(hs->session_id, hs->session_id_len));
    return HS_OK;
}

enum hs_result choose_session12(struct hs *hs)
{
    struct nego *n = &hs->n;
    hf_session *s;
    enum hs_result r = look_up(hs, &s);
    if (r != HS_OK)
        return r;
    if (s && !usable(hs, s)) {
        hf_session_free(s);
        s = NULL;
    }
    if (!s)
        return asks_secret12(hs) ? answer_secret12(hs) : HS_OK;
    /* "If the original session used the "extended_master_secret" extension but the new ClientHello does
     * not contain the extension, the server MUST abort the abbreviated handshake. If the original
     * session did not use [it] but the new ClientHello contains the extension, then the server MUST NOT
     * perform the abbreviated handshake" (RFC 7627 5.3). */
    bool downgraded = s->ems && !n->ems, upgraded = !s->ems && n->ems;
    if (downgraded || upgraded) {
        hf_session_free(s);
        return upgraded ? HS_OK
                        : hs_fail(hs, HF_E_EMS_MISMATCH,
                                  "the ClientHello has no extended_master_secret");
    }
    hf_session_free(n->session);
    n->session = s;
    n->resumed12 = true;
    tell_own_type(hs, s->own_raw ? CERT_RAW : CERT_X509);
    n->suite = suite_find(s->suite);
    n->ecc = n->answer_peer_type = false; /* where a suite was chosen before */
    n->peer_type = 0;
    n->group = NULL;
    /* "applies for the duration of the session including session resumptions" (RFC 6066 4) */
    if (!n->max_fragment)
        n->max_fragment = s->max_fragment;
    trace_note(hs->tracer, "resumption", "%s",
               n->ticket.len ? "by a ticket of ours" : "by its session ID");
    return HS_OK;
}
