/* client12.c: what a client does in a handshake of TLS 1.2 or older, from the ServerHello on (RFC 5246
 * 7.3, figures 1 and 2). client13.c has sent the hello and read the answer. */
#include "bytes/names.h"
#include "config/security.h"
#include "handshake/hs.h"

static bool certified(const struct hs *hs)
{
    return has_certificate12(hs->n.suite);
}
static bool promised(const struct hs *hs)
{
    return certified(hs) && hs->n.ocsp_promised;
}
static bool ephemeral(const struct hs *hs)
{
    return is_ecdhe12(hs->n.suite) || is_dhe12(hs->n.suite);
}
/* Plain PSK: "the ServerKeyExchange message ... MAY be omitted" (RFC 4279 2). */
static bool may_hint(const struct hs *hs)
{
    return hs->n.suite->kex == KEX_PSK;
}
static bool with_psk(const struct hs *hs)
{
    return is_psk12(hs->n.suite);
}
static bool asked(const struct hs *hs)
{
    return hs->cert_requested;
}
static bool have_credential(const struct hs *hs)
{
    return hs->cert_requested && hs->credential;
}
static bool ticketing(const struct hs *hs)
{
    return hs->n.ticket_expected;
}

static bool secret_given(const struct hs *hs)
{
    return hs->secret_given;
}

static enum hs_result read_status(struct hs *hs);
static enum hs_result read_key_exchange(struct hs *hs);
static enum hs_result read_request(struct hs *hs);
static enum hs_result read_hello_done(struct hs *hs);
static enum hs_result choose_credential(struct hs *hs);
static enum hs_result exchange_keys(struct hs *hs);
static enum hs_result send_key_exchange(struct hs *hs);
static enum hs_result compute_master(struct hs *hs);
static enum hs_result sign_handshake(struct hs *hs);
static enum hs_result send_verify(struct hs *hs);
static enum hs_result start_falsely(struct hs *hs);
static enum hs_result read_ticket(struct hs *hs);
static enum hs_result finish(struct hs *hs);

/* clang-format off */
const struct step client12[] = {
    /*    message                   when              optional  step               name                         defined in */
    { '<', MSG_CHANGE_CIPHER_SPEC,  secret_given,     true,  use_secret12,       "server change_cipher_spec", "RFC 4851 3.2.2"   },
    { '<', MSG_CERTIFICATE,         certified,        false, read_certificate12, "Certificate",               "RFC 5246 7.4.2"   },
    { '<', MSG_CERTIFICATE_STATUS,  promised,         true,  read_status,        "CertificateStatus",         "RFC 6066 8"       },
    { '.', 0,                       certified,        false, verify_peer13,      "verify the chain",          "RFC 5280 6"       },
    { '<', MSG_SERVER_KEY_EXCHANGE, ephemeral,        false, read_key_exchange,  "ServerKeyExchange",         "RFC 5246 7.4.3"   },
    { '<', MSG_SERVER_KEY_EXCHANGE, may_hint,         true,  read_key_exchange,  "ServerKeyExchange",         "RFC 4279 2"       },
    { '<', MSG_CERTIFICATE_REQUEST, certified,        true,  read_request,       "CertificateRequest",        "RFC 5246 7.4.4"   },
    { '<', MSG_SERVER_HELLO_DONE,   NULL,             false, read_hello_done,    "ServerHelloDone",           "RFC 5246 7.4.5"   },
    { '.', 0,                       asked,            false, choose_credential,  "choose a certificate",      "RFC 5246 7.4.6"   },
    { '.', 0,                       with_psk,         false, ask_psk12,          "find the pre-shared key",   "RFC 4279 2"       },
    { '>', MSG_CERTIFICATE,         asked,            false, send_certificate12, "client Certificate",        "RFC 5246 7.4.6"   },
    { '.', 0,                       NULL,             false, exchange_keys,      "key exchange",              "RFC 5246 7.4.7"   },
    { '>', MSG_CLIENT_KEY_EXCHANGE, NULL,             false, send_key_exchange,  "ClientKeyExchange",         "RFC 5246 7.4.7"   },
    { '.', 0,                       NULL,             false, compute_master,     "master secret",             "RFC 5246 8.1"     },
    { '.', 0,                       have_credential,  false, sign_handshake,     "sign",                      "RFC 5246 7.4.8"   },
    { '>', MSG_CERTIFICATE_VERIFY,  have_credential,  false, send_verify,        "CertificateVerify",         "RFC 5246 7.4.8"   },
    { '>', MSG_CHANGE_CIPHER_SPEC,  NULL,             false, send_ccs12,         "client change_cipher_spec", "RFC 5246 7.1"     },
    { '>', MSG_FINISHED,            NULL,             false, send_finished12,    "client Finished",           "RFC 5246 7.4.9"   },
    { '.', 0,                       NULL,             false, start_falsely,      "false start",               "RFC 7918 4"       },
    { '<', MSG_NEW_SESSION_TICKET,  ticketing,        false, read_ticket,        "NewSessionTicket",          "RFC 5077 3.3"     },
    { '<', MSG_CHANGE_CIPHER_SPEC,  NULL,             false, read_ccs12,         "server change_cipher_spec", "RFC 5246 7.1"     },
    { '<', MSG_FINISHED,            NULL,             false, read_finished12,    "server Finished",           "RFC 5246 7.4.9"   },
    { '.', 0,                       NULL,             false, finish,             "application data",          "RFC 5246 7.3"     },
    { 0 }
};

const struct step client12_resumed[] = {
    { '.', 0,                       verifying_resumed, false, verify_resumed,    "verify the chain again",    "RFC 5280 6"       },
    { '<', MSG_NEW_SESSION_TICKET,  ticketing,        false, read_ticket,        "NewSessionTicket",          "RFC 5077 3.3"     },
    { '<', MSG_CHANGE_CIPHER_SPEC,  NULL,             false, read_ccs12,         "server change_cipher_spec", "RFC 5246 7.1"     },
    { '<', MSG_FINISHED,            NULL,             false, read_finished12,    "server Finished",           "RFC 5246 7.4.9"   },
    { '>', MSG_CHANGE_CIPHER_SPEC,  NULL,             false, send_ccs12,         "client change_cipher_spec", "RFC 5246 7.1"     },
    { '>', MSG_FINISHED,            NULL,             false, send_finished12,    "client Finished",           "RFC 5246 7.4.9"   },
    { '.', 0,                       NULL,             false, finish,             "application data",          "RFC 5246 7.3"     },
    { 0 }
};
/* clang-format on */

/* ---- ServerHello, after its version was seen */

/* Somebody in the middle may have taken the better versions out of what we offered (RFC 8446 4.1.3). */
static enum hs_result check_downgrade(struct hs *hs, const struct server_hello *sh)
{
    const uint8_t *tail = sh->random.p + 24;
    uint16_t best = hs->n.config->body.version_max;
    if (memcmp(tail, "DOWNGRD", 7) != 0 || hs->n.renegotiating)
        return HS_OK;
    if ((tail[7] <= 1 && best >= HF_TLS1_3) ||
        (tail[7] == 0 && best >= HF_TLS1_2 && sh->version < HF_TLS1_2))
        return hs_fail(hs, HF_E_DOWNGRADE, "the server chose %s, but both sides know better",
                       name_version(sh->version));
    return HS_OK;
}

static enum hs_result check_version(struct hs *hs, const struct server_hello *sh)
{
    const hf_config *config = hs->n.config;
    if (sh->version == 0x0300)
        return hs_fail(hs, HF_E_SSL3_PEER, "the server chose it");
    if (hs->n.renegotiating && sh->version != hs->est->version)
        return hs_fail(hs, HF_E_VERSION_NOT_OFFERED,
                       "the server chose %s in a renegotiation, after %s",
                       name_version(sh->version), name_version(hs->est->version));
    enum hs_result r = check_downgrade(hs, sh);
    if (r != HS_OK)
        return r;
    if (!config_version(config, sh->version) || sh->version > HF_TLS1_2)
        return hs_fail(hs, HF_E_UNSUPPORTED_VERSION,
                       "the server chose %s, this client allows %s to %s",
                       name_version(sh->version), name_version(config->body.version_min),
                       name_version(config->body.version_max));
    /* "A client that attempts to send 0-RTT data MUST fail a connection if it receives a ServerHello with TLS
     * 1.2 or older" (RFC 8446 D.3). */
    if (hs->n.early_data_offered)
        return hs_fail(hs, HF_E_EARLY_DATA_VERSION, "%s", name_version(sh->version));
    /* TLS 1.3's leniency about change_cipher_spec and its HelloRetryRequest do not go with this. */
    if (hs->n.retried)
        return hs_fail(hs, HF_E_VERSION_NOT_OFFERED, "%s after a HelloRetryRequest",
                       name_version(sh->version));
    if (hs->early_ccs)
        return hs_fail(hs, HF_E_UNEXPECTED_RECORD,
                       "change_cipher_spec came before the ServerHello");
    return HS_OK;
}

static enum hs_result check_suite(struct hs *hs, struct rd *r, const struct server_hello *sh)
{
    const struct suite *s = suite_find(sh->suite);
    if (!s || !ids_has(&hs->n.config->body.suites, sh->suite))
        rd_bad(r, HF_E_WRONG_SUITE, "%s (0x%04x) was not offered", name_suite(sh->suite),
               sh->suite);
    else if (!suite_fits(s, sh->version))
        rd_bad(r, HF_E_WRONG_SUITE, "%s does not go with %s", s->name,
               name_version(sh->version));
    else if (suite_refused(hs, sh->suite))
        rd_bad(r, HF_E_WRONG_SUITE, "the program does not allow %s", s->name);
    else if (sh->compression != 0)
        rd_bad(r, HF_E_BAD_COMPRESSION, "compression_method is %u, not 0", sh->compression);
    hs->n.suite = s;
    return rd_ok(r) ? HS_OK : HS_FAILED;
}

/* The server resumes if it echoes the ID that came with the session (RFC 5246 7.4.1.3, RFC 5077 3.4). */
static enum hs_result check_resumption(struct hs *hs, struct rd *r,
                                       const struct server_hello *sh)
{
    struct nego *n = &hs->n;
    struct slice ours = slice_of(hs->session_id, hs->session_id_len);
    const hf_session *s = n->session;
    if (!ours.len || !slice_equal(sh->session_id, ours))
        return HS_OK;
    if (s && s->version == HF_TLS1_3) {
        rd_bad(r, HF_E_OLD_SESSION_VERSION, "%s, the session was of %s",
               name_version(sh->version), name_version(s->version));
        return HS_FAILED;
    }
    if (!s) {
        rd_bad(r, HF_E_SESSION_ID_CHANGED, "the server resumes a session that does not exist");
        return HS_FAILED;
    }
    n->resumed12 = true;
    if (s->version != sh->version)
        rd_bad(r, HF_E_OLD_SESSION_VERSION, "%s, the session was of %s",
               name_version(sh->version), name_version(s->version));
    else if (s->suite != sh->suite)
        rd_bad(r, HF_E_OLD_SESSION_SUITE, "%s, the session was of %s", name_suite(sh->suite),
               name_suite(s->suite));
    return rd_ok(r) ? HS_OK : HS_FAILED;
}

/* RFC 7627 5.3 (resumption), and 5.4 for renegotiation. */
static enum hs_result check_ems(struct hs *hs)
{
    const struct nego *n = &hs->n;
    if (n->renegotiating && n->ems != n->had_ems)
        return hs_fail(hs, HF_E_EMS_RENEGOTIATION, "it %s before",
                       n->had_ems ? "was used" : "was not used");
    if (!n->resumed12 || n->session->ems == n->ems)
        return HS_OK;
    return hs_fail(hs, n->ems ? HF_E_EMS_ADDED : HF_E_EMS_MISMATCH,
                   "the ServerHello has %s extended_master_secret", n->ems ? "an" : "no");
}

/* A server that has shown a certificate may not go on as one that has none: what the application was told about it
 * would hold no more. */
static enum hs_result check_same_kind(struct hs *hs)
{
    if (!hs->n.renegotiating || !hs->est->chain || has_certificate12(hs->n.suite))
        return HS_OK;
    return hs_fail(hs, HF_E_CERTIFICATE_CHANGED, "from %s to none at all (%s)",
                   hf_certificate_subject(hs->est->chain->cert[0]), hs->n.suite->name);
}

enum hs_result read_server_hello12(struct hs *hs, struct rd *r, struct server_hello *sh)
{
    struct nego *n = &hs->n;
    struct ext_values v = {0};
    /* An alert that refuses the version must be in a record that the server can read. */
    if (sh->version >= HF_TLS1_0 && sh->version <= HF_TLS1_2 && !n->renegotiating)
        hs->out->version = sh->version;
    enum hs_result ok = check_version(hs, sh);
    if (ok == HS_OK) {
        n->version = sh->version;
        ok = check_suite(hs, r, sh);
    }
    if (ok == HS_OK)
        ok = check_resumption(hs, r, sh);
    memcpy(hs->server_random, sh->random.p, RANDOM_SIZE);
    if (ok == HS_OK && !n->resumed12 && n->ticket_full && asks_secret12(hs))
        ok = ask_secret12(hs);
    if (ok != HS_OK)
        return ok;
    if (sh->has_extensions && !ext_read(n, &sh->extensions, IN_SH12, &v))
        return HS_FAILED;
    if (!ext_take(n, &v, IN_SH12))
        return HS_FAILED;
    ok = check_ems(hs);
    if (ok == HS_OK)
        ok = check_same_kind(hs);
    if (ok != HS_OK)
        return ok;
    hs->session_id_len = (uint8_t)sh->session_id.len;
    if (hs->session_id_len)
        memcpy(hs->session_id, sh->session_id.p, hs->session_id_len);
    hs->transcript.keep = !n->resumed12 && certified(hs);
    if (!start12(hs))
        return hs_fail(hs, HF_E_NO_MEMORY, "transcript");
    trace_note(hs->tracer, "version", "%s", name_version(n->version));
    trace_note(hs->tracer, "suite", "%s", n->suite->name);
    hs->jump = client12;
    if (n->resumed12) {
        trace_note(hs->tracer, "resumption", "the server accepts the session");
        if (!n->max_fragment)
            n->max_fragment = n->session->max_fragment;
        memcpy(hs->secret, n->session->secret, 48);
        hs->est_signature = n->session->signature;
        hs->jump = client12_resumed;
        return recall_peer(hs);
    }
    return HS_OK;
}

/* ---- the server's flight */

static enum hs_result read_status(struct hs *hs)
{
    struct rd_msg m;
    struct rd r = hs_reader(hs, &m);
    struct slice response;
    if (!msg_read_certificate_status(&r, &response))
        return HS_FAILED;
    hs->n.peer_ocsp = mem_dup(response.p, response.len);
    hs->n.peer_ocsp_len = response.len;
    return hs->n.peer_ocsp ? HS_OK : hs_fail(hs, HF_E_NO_MEMORY, "OCSP response");
}

static bool keep(struct buffer *b, struct slice s)
{
    return buffer_append(b, s.p, s.len);
}

/* A group that is too small lets who listens compute the secret (Logjam): the level says how small. */
static enum hs_result take_dh(struct hs *hs, const struct server_key_exchange *ske)
{
    struct slice p = ske->p, g = ske->g;
    while (p.len && p.p[0] == 0) {
        p.p++;
        p.len--;
    }
    unsigned bits = (unsigned)p.len * 8;
    for (uint8_t top = p.len ? p.p[0] : 0x80; top < 0x80; top = (uint8_t)(top << 1))
        bits--;
    if (!security_allows_dh(hs->n.config->security_level, bits) || p.len > KX_MAX_DH)
        return hs_fail(hs, HF_E_WEAK_DH, "a prime of %u bits", bits);
    const struct checks *checks = hs->n.config->checks;
    if (checks && !checks->dh(hs->n.conn, p, g))
        return hs_fail(hs, HF_E_WEAK_DH, "the program does not allow a prime of %u bits", bits);
    hs->n.group = group_of_kx(kx_dh_named(p, g));
    return keep(&hs->dh_p, p) && keep(&hs->dh_g, g) ? HS_OK
                                                    : hs_fail(hs, HF_E_NO_MEMORY, "DH group");
}

static enum hs_result take_group(struct hs *hs, uint16_t id)
{
    const struct group *group = group_find(id);
    if (!group || !ids_has(&hs->n.config->groups, id) || id >= 0x0100)
        return hs_fail(hs, HF_E_WRONG_GROUP, "%s (0x%04x) was not offered", name_group(id), id);
    const struct checks *checks = hs->n.config->checks;
    if (checks && !checks->group(hs->n.conn, id))
        return hs_fail(hs, HF_E_WRONG_GROUP, "the program does not allow %s", group->name);
    hs->n.group = group;
    trace_note(hs->tracer, "group", "%s", group->name);
    return HS_OK;
}

static enum hs_result check_params(struct hs *hs, const struct server_key_exchange *ske)
{
    struct buffer tbs = {0};
    if (!is_signed12(hs->n.suite))
        return HS_OK;
    bool ok = buffer_append(&tbs, hs->client_random, RANDOM_SIZE) &&
              buffer_append(&tbs, hs->server_random, RANDOM_SIZE) && keep(&tbs, ske->params);
    enum hs_result r =
        ok ? check_signature12(hs, ske->algorithm,
                               slice_of(buffer_front(&tbs), buffer_len(&tbs)), ske->signature)
           : hs_fail(hs, HF_E_NO_MEMORY, "signature");
    buffer_clear(&tbs);
    return r;
}

static enum hs_result read_key_exchange(struct hs *hs)
{
    struct rd_msg m;
    struct rd r = hs_reader(hs, &m);
    const struct suite *s = hs->n.suite;
    struct server_key_exchange ske = {0};
    struct ske_shape shape = shape12(s, hs->n.version);
    if (!msg_read_server_key_exchange(&r, &shape, &ske))
        return HS_FAILED;
    enum hs_result ok = HS_OK;
    if (shape.ecdh)
        ok = take_group(hs, ske.group);
    else if (shape.dh)
        ok = take_dh(hs, &ske);
    if (ok == HS_OK)
        ok = check_params(hs, &ske);
    if (ok != HS_OK)
        return ok;
    hs->n.peer_share = ske.share.len ? mem_dup(ske.share.p, ske.share.len) : NULL;
    hs->n.peer_share_len = ske.share.len;
    hs->psk_hint = ske.hint.len ? mem_dup(ske.hint.p, ske.hint.len) : NULL;
    hs->psk_hint_len = hs->psk_hint ? ske.hint.len : 0;
    if ((ske.share.len && !hs->n.peer_share) || (ske.hint.len && !hs->psk_hint))
        return hs_fail(hs, HF_E_NO_MEMORY, "ServerKeyExchange");
    return HS_OK;
}

static bool scheme_known(uint16_t id)
{
    return sigalg_find(id) != NULL;
}

static enum hs_result read_request(struct hs *hs)
{
    struct rd_msg m;
    struct rd r = hs_reader(hs, &m);
    struct certificate_request12 cr;
    if (!msg_read_certificate_request12(&r, hs->n.version >= HF_TLS1_2, &cr))
        return HS_FAILED;
    known_ids(&hs->n.peer_sigalgs, cr.sigalgs, scheme_known);
    hs->peer_types = 0;
    for (size_t i = 0; i < cr.types.len; i++)
        hs->peer_types |= cr.types.p[i] == 1 ? 1u : cr.types.p[i] == 64 ? 2u : 0u;
    if (!details_types(hs, cr.types.p, cr.types.len))
        return hs_fail(hs, HF_E_NO_MEMORY, "details");
    if (cr.authorities.len) {
        mem_free(hs->n.peer_authorities);
        hs->n.peer_authorities = mem_dup(cr.authorities.p, cr.authorities.len);
        hs->n.peer_authorities_len = cr.authorities.len;
        if (!hs->n.peer_authorities)
            return hs_fail(hs, HF_E_NO_MEMORY, "certificate_authorities");
    }
    hs->cert_requested = true;
    return HS_OK;
}

static enum hs_result read_hello_done(struct hs *hs)
{
    struct rd_msg m;
    struct rd r = hs_reader(hs, &m);
    if (!hs->cert_requested)
        transcript_drop(&hs->transcript);
    return msg_read_nothing(&r) ? HS_OK : HS_FAILED;
}

/* ---- our flight */

static hf_credential *find_credential(struct hs *hs)
{
    struct credential_wish wish = {
        .version = hs->n.version,
        .signs = true,
        .schemes = hs->n.peer_sigalgs.id,
        .scheme_count = hs->n.peer_sigalgs.count,
        .types = hs->n.peer_accepts,
    };
    hf_credential *cred = NULL;
    wish.auth = AUTH_ECDSA;
    if (hs->peer_types & 2)
        cred = config_credential12(hs->n.config, &wish, &hs->scheme);
    wish.auth = AUTH_RSA;
    if (!cred && hs->peer_types & 1)
        cred = config_credential12(hs->n.config, &wish, &hs->scheme);
    return cred;
}

static enum hs_result choose_credential(struct hs *hs)
{
    bool nobody;
    const struct ids *schemes = &hs->n.peer_sigalgs;
    enum hs_result r = hs_ask_credential(hs, schemes, &nobody);
    if (r != HS_OK)
        return r;
    if (nobody) {
        hf_credential *cred = find_credential(hs);
        hs->credential = cred ? hf_credential_ref(cred) : NULL;
    } else if (hs->credential) {
        unsigned type = auth_of_key(hs->credential->kind) == AUTH_RSA ? 1 : 2;
        if (!(hs->peer_types & type)) /* RFC 5246 7.4.6 */
            return hs_fail(
                hs, HF_E_NO_SHARED_SIGNATURE,
                "the server does not ask for certificates with a key like the chosen one's");
    }
    if (!nobody && hs->credential && hs->n.version >= HF_TLS1_2) {
        hs->scheme = config_scheme12(hs->n.config, hs->credential, schemes->id, schemes->count);
        if (!hs->scheme)
            return hs_fail(
                hs, HF_E_NO_SHARED_SIGNATURE,
                "the chosen certificate's key cannot make any signature that the server accepts");
    }
    if (!hs->credential)
        transcript_drop(&hs->transcript);
    return HS_OK;
}

static enum hs_result set_exchange(struct hs *hs, const uint8_t *p, size_t len)
{
    hs->exchange = mem_dup(p, len);
    hs->exchange_len = len;
    return hs->exchange ? HS_OK : hs_fail(hs, HF_E_NO_MEMORY, "ClientKeyExchange");
}

/* struct { ProtocolVersion client_version; opaque random[46]; } PreMasterSecret;
 *                                                                            RFC 5246 7.4.7.1 */
static enum hs_result encrypt_premaster(struct hs *hs)
{
    uint8_t encrypted[SIG_MAX_SIZE];
    size_t len = 0;
    const struct public_key *key = cert_key(hs->peer_chain->cert[0]);
    if (!config_random(hs->n.config, "premaster", hs->shared, 48))
        return hs_fail(hs, HF_E_CRYPTO, "no random bytes");
    put_u16(hs->shared, hs->hello_version);
    hs->shared_len = 48;
    if (!public_key_encrypt(key, slice_of(hs->shared, 48), encrypted, &len))
        return hs_fail(hs, HF_E_CRYPTO, "the premaster secret cannot be encrypted");
    return set_exchange(hs, encrypted, len);
}

static enum hs_result answer_share(struct hs *hs)
{
    struct nego *n = &hs->n;
    uint8_t share[KX_MAX_SHARE > KX_MAX_DH ? KX_MAX_SHARE : KX_MAX_DH], private_key[66];
    size_t len = 0, private_len = sizeof private_key;
    struct slice theirs = slice_of(n->peer_share, n->peer_share_len);
    const struct test_hooks *test = n->config->test;
    enum kx_result r;
    if (is_dhe12(n->suite)) {
        r = kx_dh_respond(slice_of(buffer_front(&hs->dh_p), buffer_len(&hs->dh_p)),
                          slice_of(buffer_front(&hs->dh_g), buffer_len(&hs->dh_g)), theirs,
                          share, &len, hs->shared, &hs->shared_len);
    } else {
        bool given = test && test->private_key &&
                     test->private_key(test->arg, n->group->id, private_key, &private_len);
        len = kx_responder_share_size(n->group->kx);
        r = kx_respond(n->group->kx, theirs.p, theirs.len, share, hs->shared, &hs->shared_len,
                       given ? private_key : NULL);
    }
    const char *name = n->group ? n->group->name : "the server's group";
    if (r == KX_BAD_SHARE)
        return hs_fail(hs, HF_E_BAD_KEY_SHARE, "%s, %zu bytes", name, theirs.len);
    if (r != KX_OK)
        return hs_fail(hs, HF_E_CRYPTO, "key exchange with %s failed", name);
    return set_exchange(hs, share, len);
}

static enum hs_result exchange_keys(struct hs *hs)
{
    if (hs->n.suite->kex == KEX_RSA)
        return encrypt_premaster(hs);
    return ephemeral(hs) ? answer_share(hs) : HS_OK;
}

static enum hs_result send_key_exchange(struct hs *hs)
{
    size_t mark;
    const struct suite *s = hs->n.suite;
    struct client_key_exchange cke = {
        .identity = slice_of(hs->psk_identity, hs->psk_identity_len),
        .exchange = slice_of(hs->exchange, hs->exchange_len),
    };
    struct wr w = hs_begin(hs, MSG_CLIENT_KEY_EXCHANGE, &mark);
    msg_write_client_key_exchange(&w, is_psk12(s), kind12(s), &cke);
    return hs_end(hs, &w, mark);
}

static enum hs_result compute_master(struct hs *hs)
{
    uint8_t premaster[4 + KX_MAX_SECRET + PSK_MAX_KEY];
    size_t len = premaster12(hs, shared_number12(hs), premaster);
    keys12_master(hs, premaster, len);
    wipe(premaster, sizeof premaster);
    wipe(hs->shared, sizeof hs->shared);
    hs->shared_len = 0;
    return HS_OK;
}

static enum hs_result sign_handshake(struct hs *hs)
{
    const struct buffer *kept = &hs->transcript.kept;
    return sign12(hs, slice_of(buffer_front(kept), buffer_len(kept)));
}

static enum hs_result send_verify(struct hs *hs)
{
    size_t mark;
    transcript_drop(&hs->transcript);
    struct wr w = hs_begin(hs, MSG_CERTIFICATE_VERIFY, &mark);
    if (hs->n.version >= HF_TLS1_2)
        wr_u16(&w, hs->scheme);
    wr_opaque16(&w, slice_of(hs->signature, hs->signature_len));
    return hs_end(hs, &w, mark);
}

/* RFC 7918 3 to 5: only with a suite that keeps the data safe even if somebody in the middle had chosen it,
 * and with a server that has proved who it is; and only where ALPN says what will be spoken. */
static enum hs_result start_falsely(struct hs *hs)
{
    const struct nego *n = &hs->n;
    unsigned needed = proof_of_peer(hs);
    hs->may_send = n->config->false_start && n->version == HF_TLS1_2 && !n->renegotiating &&
                   n->suite->kex == KEX_ECDHE && n->suite->aead && n->alpn &&
                   (hs->proved & needed) == needed;
    return HS_OK;
}

/* ---- the end of it */

static enum hs_result read_ticket(struct hs *hs)
{
    struct rd_msg m;
    struct rd r = hs_reader(hs, &m);
    struct new_session_ticket12 t;
    if (!msg_read_new_session_ticket12(&r, &t))
        return HS_FAILED;
    if (t.ticket.len ==
        0) /* "the server ... does not have a ticket" after all (RFC 5077 3.3) */
        return HS_OK;
    hs->new_ticket = mem_dup(t.ticket.p, t.ticket.len);
    hs->new_ticket_len = t.ticket.len;
    hs->ticket_lifetime = t.lifetime;
    return hs->new_ticket ? HS_OK : hs_fail(hs, HF_E_NO_MEMORY, "ticket");
}

/* A session with a ticket gets an ID of our own, so that the server's echo tells whether it took it (RFC 5077
 * 3.4). */
static bool make_session(struct hs *hs)
{
    enum { WEEK = 604800, HOUR = 3600 };
    bool by_id = hs->session_id_len > 0 && !hs->n.resumed12;
    if (!hs->n.config->psk_modes || (!hs->new_ticket && !by_id))
        return true;
    hs->made = session_of12(hs);
    if (!hs->made)
        return false;
    hf_session *s = hs->made;
    s->lifetime = 2 * HOUR; /* a hint of 0 leaves it to the client (RFC 5077 5.6) */
    if (hs->new_ticket) {
        if (hs->ticket_lifetime)
            s->lifetime = hs->ticket_lifetime < WEEK ? hs->ticket_lifetime : WEEK;
        s->ticket = hs->new_ticket;
        s->ticket_len = hs->new_ticket_len;
        hs->new_ticket = NULL;
        s->id_len = sizeof s->id;
        return config_random(hs->n.config, "session_id", s->id, sizeof s->id);
    }
    return true;
}

static enum hs_result finish(struct hs *hs)
{
    if (!make_session(hs))
        return hs_fail(hs, HF_E_NO_MEMORY, "session");
    return establish12(hs);
}
