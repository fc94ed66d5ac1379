/* choose.c: what a server decides about a ClientHello. */
#include "handshake/choose.h"

#include "bytes/names.h"
#include "config/psk.h"

/* ---- suite */

static bool offered(const struct hs *hs, uint16_t suite)
{
    struct slice list = hs->ch.suites;
    for (size_t i = 0; i + 1 < list.len; i += 2) {
        if (get_u16(list.p + i) == suite)
            return true;
    }
    return false;
}

/* A client without AES in hardware puts ChaCha20 first; following it costs a server with AES in
 * hardware little and saves the client much. */
static bool prefers_chacha(const struct hs *hs)
{
    struct slice list = hs->ch.suites;
    for (size_t i = 0; i + 1 < list.len; i += 2) {
        const struct suite *s = suite_find(get_u16(list.p + i));
        if (s && suite_fits(s, HF_TLS1_3))
            return s->aead == AEAD_CHACHA20_POLY1305;
    }
    return false;
}

/* The client's suites that we know, in its order. */
static void known_suites(const struct hs *hs, struct ids *out)
{
    struct slice list = hs->ch.suites;
    out->count = 0;
    for (size_t i = 0; i + 1 < list.len && out->count < CONFIG_MAX_LIST; i += 2) {
        uint16_t id = get_u16(list.p + i);
        if (suite_find(id) && !ids_has(out, id))
            out->id[out->count++] = id;
    }
}

void shared_suites(const struct hs *hs, struct ids *out)
{
    struct ids theirs;
    known_suites(hs, &theirs);
    ranked(&hs->n.config->body.suites, &hs->n.config->body.suite_ties, &theirs, out);
}

static const struct suite *pick(const struct hs *hs, enum hash_id hash, bool chacha_only)
{
    struct ids order;
    shared_suites(hs, &order);
    for (size_t i = 0; i < order.count; i++) {
        const struct suite *s = suite_find(order.id[i]);
        if (suite_fits(s, HF_TLS1_3) && (hash == HASH_NONE || s->hash == hash) &&
            (!chacha_only || s->aead == AEAD_CHACHA20_POLY1305))
            return s;
    }
    return NULL;
}

static const struct suite *pick_by_client(const struct hs *hs, enum hash_id hash)
{
    struct slice list = hs->ch.suites;
    for (size_t i = 0; i + 1 < list.len; i += 2) {
        const struct suite *s = suite_find(get_u16(list.p + i));
        if (s && suite_fits(s, HF_TLS1_3) && (hash == HASH_NONE || s->hash == hash) &&
            ids_has(&hs->n.config->body.suites, s->id))
            return s;
    }
    return NULL;
}

static const struct suite *best_suite(const struct hs *hs, enum hash_id hash)
{
    if (!hs->n.config->server_preference)
        return pick_by_client(hs, hash);
    const struct suite *chacha = prefers_chacha(hs) ? pick(hs, hash, true) : NULL;
    return chacha ? chacha : pick(hs, hash, false);
}

enum hs_result choose_suite(struct hs *hs)
{
    if (hs->n.retried) {
        if (!offered(hs, hs->n.suite->id))
            return hs_fail(hs, HF_E_HELLO_CHANGED, "%s is offered no more", hs->n.suite->name);
        return HS_OK;
    }
    hs->n.suite = best_suite(hs, HASH_NONE);
    if (hs->n.suite)
        return HS_OK;
    struct slice list = hs->ch.suites;
    return hs_fail(hs, HF_E_NO_SHARED_SUITE,
                   "the client offers %zu suites, %s first; this server allows %s first",
                   list.len / 2, name_suite(get_u16(list.p)),
                   hs->n.config->body.suites.count ? name_suite(hs->n.config->body.suites.id[0])
                                                   : "none");
}

/* ---- session */

/* May this session be resumed here? Whatever the full handshake would have demanded must hold. */
bool session_acceptable(const struct hs *hs, const hf_session *s)
{
    const hf_config *config = hs->n.config;
    size_t context = config->session_context_len;
    if (context != s->context_len ||
        (context && memcmp(config->session_context, s->context, context) != 0))
        return false;
    /* A ticket for one name says nothing about another that this process serves too. */
    const char *now = hs->n.server_name ? hs->n.server_name : "";
    if (strcmp(s->server_name ? s->server_name : "", now) != 0)
        return false;
    if (config->client_auth == HF_CLIENT_AUTH_REQUIRE && !s->chain)
        return false;
    /* So must what was shown then still be what each side may show (RFC 7250). */
    if ((s->chain && !config_takes(config, session_peer_type(s))) ||
        !(hs->n.peer_accepts & (s->own_raw ? CERT_RAW : CERT_X509)))
        return false;
    /* A full handshake would have refused such a chain also where none is required. */
    if (s->chain && config->verify && !s->verified)
        return false;
    bool later = config->post_handshake_auth && s->version == HF_TLS1_3;
    return config->client_auth != HF_CLIENT_AUTH_NONE || later || !s->chain;
}

/* The suite must have the session's hash (4.2.11); another shared suite may have it. */
static bool fit_suite(struct hs *hs, const hf_session *s)
{
    const struct suite *of_session = suite_find(s->suite);
    if (!of_session || !suite_fits(of_session, HF_TLS1_3))
        return false;
    if (hs->n.config->resume_preferred_only && s->kind == PSK_RESUMPTION)
        return of_session == hs->n.suite;
    if (of_session->hash == hs->n.suite->hash)
        return true;
    const struct suite *other = hs->n.retried ? NULL : best_suite(hs, of_session->hash);
    if (!other)
        return false;
    hs->n.suite = other;
    return true;
}

/* psk_dhe_ke before psk_ke: only the first keeps forward secrecy. */
static bool fit_mode(struct hs *hs)
{
    unsigned modes = hs->n.peer_psk_modes & hs->n.config->psk_modes;
    if (modes & HF_PSK_DHE_KE && hs->n.group) {
        hs->n.psk_dhe = true;
        return true;
    }
    hs->n.psk_dhe = false;
    return (modes & HF_PSK_KE) != 0;
}

static enum hs_result check_binder(struct hs *hs, const hf_session *s, struct slice theirs)
{
    uint8_t ours[HASH_MAX_SIZE];
    keys13_binder(hs, s, slice_of(buffer_front(&hs->hello), hs->values->binders_at), ours);
    size_t len = hash_size(hs->n.suite->hash);
    if (theirs.len != len || !ct_equal(ours, theirs.p, len))
        return hs_fail(hs, HF_E_BAD_BINDER,
                       "the client does not hold the secret of the session that it offers");
    hs->proved |= PROOF_BINDER;
    return HS_OK;
}

static enum hs_result look_up(struct hs *hs, struct slice identity, hf_session **session)
{
    const struct test_hooks *test = hs->n.config->test;
    bool memory = true;
    *session = NULL;
    if (test && test->session) {
        *session = test->session(test->arg, identity);
        return HS_OK;
    }
    if (hs->question.ask != HF_ASK_PSK) { /* else it is behind that already, and waits */
        enum hs_result r = hs_open_ticket(hs, identity, session);
        if (r != HS_OK || *session)
            return r;
        *session = psk_find13(hs->n.config, identity, &memory);
    }
    if (!memory)
        return hs_fail(hs, HF_E_NO_MEMORY, "pre-shared key");
    return *session ? HS_OK : ask_psk13(hs, identity, session);
}

/* By how many seconds the client thinks its ticket older than we do (4.2.11.1). */
static int32_t age_skew(const struct hs *hs, const hf_session *s, uint32_t obfuscated)
{
    int64_t theirs = (uint32_t)(obfuscated - s->age_add);
    int64_t ours = config_now_ms(hs->n.config) - s->issued_ms;
    return (int32_t)((theirs - ours) / 1000);
}

/* Whoever holds an external key was let in by whoever gave it: names and certificates do not come into it. */
static bool may_resume(const struct hs *hs, const hf_session *s)
{
    if (s->kind != PSK_RESUMPTION)
        return hs->n.config->client_auth != HF_CLIENT_AUTH_REQUIRE;
    return s->version == HF_TLS1_3 && session_acceptable(hs, s);
}

enum hs_result choose_session(struct hs *hs)
{
    const struct ext_values *v = hs->values;
    hs->n.psk = false;
    /* A second ClientHello may leave out keys that do not go with the suite (4.1.2); this one does. */
    if (hs->psk_before && !ext_has(v, X_PRE_SHARED_KEY))
        return hs_fail(hs, HF_E_MISSING_EXTENSION,
                       "pre_shared_key: the session of the first ClientHello would do");
    size_t first = hs->psk_next; /* the application has opened those before it, to no avail */
    hs->psk_next = 0;
    for (size_t i = first; i < v->psk_count && hs->n.config->psk_modes; i++) {
        hf_session *s;
        enum hs_result r = look_up(hs, v->psk[i].identity, &s);
        if (r == HS_WAIT)
            hs->psk_next = (uint8_t)i;
        if (r != HS_OK)
            return r;
        if (!s)
            continue;
        if (!may_resume(hs, s) || !fit_mode(hs) || !fit_suite(hs, s)) {
            hf_session_free(s);
            continue;
        }
        hf_session_free(hs->n.session);
        hs->n.session = s;
        if (check_binder(hs, s, v->psk[i].binder) != HS_OK)
            return HS_FAILED;
        hs->n.psk = true;
        if (s->kind == PSK_RESUMPTION)
            tell_own_type(hs, s->own_raw ? CERT_RAW : CERT_X509);
        hs->n.psk_index = (uint16_t)i;
        hs->age_skew = s->kind == PSK_RESUMPTION ? age_skew(hs, s, v->psk[i].age) : 0;
        trace_note(hs->tracer, "resumption", "identity %zu is %s%s", i,
                   s->kind == PSK_RESUMPTION ? "a ticket of ours" : "a key that is known here",
                   hs->n.psk_dhe ? "; with a fresh key exchange"
                                 : "; without a fresh key exchange");
        return HS_OK;
    }
    return HS_OK;
}

/* ---- retry */

/* RFC 8446 9.2: which extensions a ClientHello must have. */
static enum hs_result check_present(struct hs *hs)
{
    const struct ext_values *v = hs->values;
    bool groups = ext_has(v, X_SUPPORTED_GROUPS), share = ext_has(v, X_KEY_SHARE);
    if (groups != share)
        return hs_fail(hs, HF_E_MISSING_EXTENSION, "%s without %s",
                       groups ? "supported_groups" : "key_share",
                       groups ? "key_share" : "supported_groups");
    if (ext_has(v, X_PRE_SHARED_KEY))
        return HS_OK;
    if (!ext_has(v, X_SIGNATURE_ALGORITHMS))
        return hs_fail(hs, HF_E_MISSING_EXTENSION, "signature_algorithms");
    return groups ? HS_OK : hs_fail(hs, HF_E_MISSING_EXTENSION, "supported_groups");
}

enum hs_result decide_retry(struct hs *hs)
{
    struct nego *n = &hs->n;
    if (check_present(hs) != HS_OK)
        return HS_FAILED;
    n->retry = hs->stateless && !n->retried; /* for the cookie */
    if (n->psk && !n->psk_dhe)
        return HS_OK;
    if (!n->psk && !ext_has(hs->values, X_SIGNATURE_ALGORITHMS))
        return hs_fail(hs, HF_E_MISSING_EXTENSION,
                       "signature_algorithms, and no session can be resumed");
    if (!n->group)
        return hs_fail(hs,
                       ext_has(hs->values, X_SUPPORTED_GROUPS) ? HF_E_NO_SHARED_GROUP
                                                               : HF_E_MISSING_EXTENSION,
                       "the client's supported_groups has none of this server's groups");
    if (!n->retried && !n->peer_share)
        n->retry = n->share_asked = true;
    return HS_OK;
}

/* ---- second ClientHello */

/* The extensions that may differ (4.1.2), besides padding (RFC 7685). */
static bool may_change(uint16_t id)
{
    return id == 51 || id == 42 || id == 44 || id == 41 || id == 21;
}

/* One extension of a block that was read before and is well-formed; skips those that may change. */
static bool next_fixed(struct slice *block, struct slice *extension)
{
    while (block->len >= 4) {
        size_t len = 4u + get_u16(block->p + 2);
        *extension = slice_of(block->p, len <= block->len ? len : block->len);
        block->p += extension->len;
        block->len -= extension->len;
        if (!may_change(get_u16(extension->p)))
            return true;
    }
    return false;
}

static bool same_extensions(struct slice a, struct slice b)
{
    struct slice x, y;
    for (;;) {
        bool more_a = next_fixed(&a, &x), more_b = next_fixed(&b, &y);
        if (more_a != more_b)
            return false;
        if (!more_a)
            return true;
        if (!slice_equal(x, y))
            return false;
    }
}

static void add(struct hash *h, struct slice s)
{
    uint8_t len[2];
    put_u16(len, (uint16_t)s.len);
    hash_update(h, len, sizeof len);
    if (s.len)
        hash_update(h, s.p, s.len);
}

void hello_digest(const struct client_hello *ch, uint8_t out[32])
{
    struct slice x, left = slice_of(ch->extensions.p, rd_left(&ch->extensions));
    uint8_t version[2];
    struct hash h;
    put_u16(version, ch->version);
    hash_init(&h, HASH_SHA256);
    hash_update(&h, version, sizeof version);
    add(&h, ch->random);
    add(&h, ch->session_id);
    add(&h, ch->suites);
    add(&h, ch->compression);
    while (ch->has_extensions && next_fixed(&left, &x))
        add(&h, x);
    hash_digest(&h, out);
}

bool hello_unchanged(struct hs *hs, struct rd *r)
{
    struct rd_msg m = {.name = "ClientHello"};
    hf_error ignored = {0};
    struct client_hello first;
    m.err = &ignored;
    struct rd again =
        rd_start(&m, buffer_front(&hs->first_hello), buffer_len(&hs->first_hello), MSG_HEADER);
    const struct client_hello *second = &hs->ch;
    if (!msg_read_client_hello(&again, &first))
        return rd_bad(r, HF_E_INTERNAL, "the first ClientHello was lost");
    const char *what = NULL;
    if (first.version != second->version)
        what = "legacy_version";
    else if (!slice_equal(first.random, second->random))
        what = "random";
    else if (!slice_equal(first.session_id, second->session_id))
        what = "legacy_session_id";
    else if (!slice_equal(first.suites, second->suites))
        what = "cipher_suites";
    else if (!slice_equal(first.compression, second->compression))
        what = "legacy_compression_methods";
    else if (!second->has_extensions ||
             !same_extensions(slice_of(first.extensions.p, rd_left(&first.extensions)),
                              slice_of(second->extensions.p, rd_left(&second->extensions))))
        what = "extensions";
    return what ? rd_bad(r, HF_E_HELLO_CHANGED, "%s", what) : true;
}
