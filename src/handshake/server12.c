/* server12.c: what a server does in a handshake of TLS 1.2 or older, from the ClientHello on (RFC 5246
 * 7.3, figures 1 and 2). server13.c has read the hello and found the version. */
#include "bytes/names.h"
#include "config/cache.h"
#include "config/security.h"
#include "handshake/after13.h"
#include "handshake/choose.h"
#include "handshake/hs.h"

static bool resumed(const struct hs *hs)
{
    return hs->n.resumed12;
}
static bool full(const struct hs *hs)
{
    return !hs->n.resumed12;
}
/* Where a session must have the suite of a full handshake, that is chosen first. */
static bool suite_first(const struct hs *hs)
{
    return hs->n.config->resume_preferred_only;
}
static bool suite_last(const struct hs *hs)
{
    return full(hs) && !suite_first(hs);
}
static bool certified(const struct hs *hs)
{
    return has_certificate12(hs->n.suite);
}
static bool stapling(const struct hs *hs)
{
    return certified(hs) && hs->n.ocsp_staple.len > 0;
}
static bool ephemeral(const struct hs *hs)
{
    return is_ecdhe12(hs->n.suite) || is_dhe12(hs->n.suite);
}
static bool has_exchange(const struct hs *hs)
{
    return ephemeral(hs) || (is_psk12(hs->n.suite) && hs->n.config->psk_hint);
}
static bool is_signed(const struct hs *hs)
{
    return is_signed12(hs->n.suite);
}
/* "This message, if sent, will immediately follow the ServerKeyExchange message"; an anonymous server may
 * not ask (RFC 5246 7.4.4), nor may one that proves itself by a pre-shared key (RFC 4279 2). */
static bool asking(const struct hs *hs)
{
    return certified(hs) && hs->n.config->client_auth != HF_CLIENT_AUTH_NONE;
}
static bool asked(const struct hs *hs)
{
    return hs->cert_requested;
}
static bool peer_certificate(const struct hs *hs)
{
    return hs->peer_chain != NULL;
}
static bool with_psk(const struct hs *hs)
{
    return is_psk12(hs->n.suite);
}
static bool ticketing(const struct hs *hs)
{
    return hs->n.ticket_expected;
}

static enum hs_result negotiate(struct hs *hs);
static enum hs_result send_server_hello(struct hs *hs);
static enum hs_result send_status(struct hs *hs);
static enum hs_result make_params(struct hs *hs);
static enum hs_result sign_params(struct hs *hs);
static enum hs_result send_key_exchange(struct hs *hs);
static enum hs_result send_request(struct hs *hs);
static enum hs_result send_hello_done(struct hs *hs);
static enum hs_result read_key_exchange(struct hs *hs);
static enum hs_result compute_premaster(struct hs *hs);
static enum hs_result read_verify(struct hs *hs);
static enum hs_result send_ticket(struct hs *hs);
static enum hs_result resume(struct hs *hs);
static enum hs_result finish(struct hs *hs);

/* clang-format off */
const struct step server12[] = {
    /*    message                   when              optional  step                name                        defined in */
    { '.', 0,                       NULL,             false, negotiate,           "negotiate",                "RFC 5246 7.4.1.4" },
    { '.', 0,                       suite_first,      false, choose_credential12, "choose a certificate",     "RFC 5246 7.4.2"   },
    { '.', 0,                       suite_first,      false, choose_suite12,      "choose a cipher suite",    "RFC 5246 7.4.1.3" },
    { '.', 0,                       NULL,             false, choose_session12,    "look the session up",      "RFC 5246 7.4.1.2" },
    { '.', 0,                       suite_last,       false, choose_credential12, "choose a certificate",     "RFC 5246 7.4.2"   },
    { '.', 0,                       suite_last,       false, choose_suite12,      "choose a cipher suite",    "RFC 5246 7.4.1.3" },
    { '>', MSG_SERVER_HELLO,        NULL,             false, send_server_hello,   "ServerHello",              "RFC 5246 7.4.1.3" },
    { '.', 0,                       resumed,          false, resume,              "go on with the session",   "RFC 5246 7.3"     },
    { '>', MSG_CERTIFICATE,         certified,        false, send_certificate12,  "Certificate",              "RFC 5246 7.4.2"   },
    { '>', MSG_CERTIFICATE_STATUS,  stapling,         false, send_status,         "CertificateStatus",        "RFC 6066 8"       },
    { '.', 0,                       has_exchange,     false, make_params,         "key exchange parameters",  "RFC 5246 7.4.3"   },
    { '.', 0,                       is_signed,        false, sign_params,         "sign",                     "RFC 5246 7.4.3"   },
    { '>', MSG_SERVER_KEY_EXCHANGE, has_exchange,     false, send_key_exchange,   "ServerKeyExchange",        "RFC 5246 7.4.3"   },
    { '>', MSG_CERTIFICATE_REQUEST, asking,           false, send_request,        "CertificateRequest",       "RFC 5246 7.4.4"   },
    { '>', MSG_SERVER_HELLO_DONE,   NULL,             false, send_hello_done,     "ServerHelloDone",          "RFC 5246 7.4.5"   },
    { '<', MSG_CERTIFICATE,         asked,            false, read_certificate12,  "client Certificate",       "RFC 5246 7.4.6"   },
    { '.', 0,                       peer_certificate, false, verify_peer13,       "verify the chain",         "RFC 5280 6"       },
    { '<', MSG_CLIENT_KEY_EXCHANGE, NULL,             false, read_key_exchange,   "ClientKeyExchange",        "RFC 5246 7.4.7"   },
    { '.', 0,                       with_psk,         false, ask_psk12,           "find the pre-shared key",  "RFC 4279 2"       },
    { '.', 0,                       NULL,             false, compute_premaster,   "master secret",            "RFC 5246 8.1"     },
    { '<', MSG_CERTIFICATE_VERIFY,  peer_certificate, false, read_verify,         "CertificateVerify",        "RFC 5246 7.4.8"   },
    { '<', MSG_CHANGE_CIPHER_SPEC,  NULL,             false, read_ccs12,          "client change_cipher_spec", "RFC 5246 7.1"    },
    { '<', MSG_FINISHED,            NULL,             false, read_finished12,     "client Finished",          "RFC 5246 7.4.9"   },
    { '>', MSG_NEW_SESSION_TICKET,  ticketing,        false, send_ticket,         "NewSessionTicket",         "RFC 5077 3.3"     },
    { '>', MSG_CHANGE_CIPHER_SPEC,  NULL,             false, send_ccs12,          "server change_cipher_spec", "RFC 5246 7.1"    },
    { '>', MSG_FINISHED,            NULL,             false, send_finished12,     "server Finished",          "RFC 5246 7.4.9"   },
    { '.', 0,                       NULL,             false, finish,              "application data",         "RFC 5246 7.3"     },
    { 0 }
};

const struct step server12_resumed[] = {
    { '.', 0,                       verifying_resumed, false, verify_resumed,     "verify the chain again",   "RFC 5280 6"       },
    { '>', MSG_NEW_SESSION_TICKET,  ticketing,        false, send_ticket,         "NewSessionTicket",         "RFC 5077 3.3"     },
    { '>', MSG_CHANGE_CIPHER_SPEC,  NULL,             false, send_ccs12,          "server change_cipher_spec", "RFC 5246 7.1"    },
    { '>', MSG_FINISHED,            NULL,             false, send_finished12,     "server Finished",          "RFC 5246 7.4.9"   },
    { '<', MSG_CHANGE_CIPHER_SPEC,  NULL,             false, read_ccs12,          "client change_cipher_spec", "RFC 5246 7.1"    },
    { '<', MSG_FINISHED,            NULL,             false, read_finished12,     "client Finished",          "RFC 5246 7.4.9"   },
    { '.', 0,                       NULL,             false, finish,              "application data",         "RFC 5246 7.3"     },
    { 0 }
};
/* clang-format on */

/* ---- hello */

static enum hs_result negotiate(struct hs *hs)
{
    struct nego *n = &hs->n;
    if (hs->early_ccs)
        return hs_fail(hs, HF_E_UNEXPECTED_RECORD,
                       "change_cipher_spec came before the ClientHello was answered");
    enum hs_result r = check_signals12(hs);
    if (r != HS_OK)
        return r;
    if (!ext_take(n, hs->values, IN_CH))
        return HS_FAILED;
    if (n->renegotiating && n->had_ems && !n->ems)
        return hs_fail(hs, HF_E_EMS_RENEGOTIATION, "it was used before");
    hs->in->version = hs->out->version = n->version;
    return HS_OK;
}

/* "TLS 1.3 servers which negotiate TLS 1.2 or below in response to a ClientHello MUST set the last 8 bytes
 * of their Random value specially" (RFC 8446 4.1.3). */
static void mark_downgrade(struct hs *hs)
{
    uint16_t best = hs->n.config->body.version_max;
    if (best < HF_TLS1_2 || hs->n.version >= best || hs->n.renegotiating)
        return;
    memcpy(hs->server_random + 24, "DOWNGRD", 7);
    hs->server_random[31] = hs->n.version == HF_TLS1_2 ? 1 : 0;
}

enum hs_result make_random12(struct hs *hs)
{
    if (hs->random_made)
        return HS_OK;
    if (!config_random(hs->n.config, "random", hs->server_random, RANDOM_SIZE))
        return hs_fail(hs, HF_E_CRYPTO, "no random bytes");
    mark_downgrade(hs);
    hs->random_made = true;
    return HS_OK;
}

/* A ticket is renewed when half of its life is over. */
static bool session_ages(const struct hs *hs)
{
    const hf_session *s = hs->n.session;
    return config_now_ms(hs->n.config) - s->issued_ms > (int64_t)s->lifetime * 500;
}

/* A session that no ticket carries is kept here under an ID of ours. */
static enum hs_result choose_session_id(struct hs *hs)
{
    const hf_config *config = hs->n.config;
    bool tickets = tickets12(config) && !hs->secret_given;
    hs->n.ticket_expected = hs->n.ticket_offered && tickets && !hs->n.resumed12;
    if (hs->n.resumed12 && !hs->secret_given) {
        hs->n.ticket_expected =
            hs->n.ticket.len && tickets && (hs->renew_ticket || session_ages(hs));
        return HS_OK; /* the client's ID is echoed */
    }
    hs->session_id_len = 0;
    hs->store_session = !hs->n.ticket_expected && !hs->n.resumed12 && config->psk_modes != 0 &&
                        (config->cache_sessions || config->store.add);
    if (!hs->store_session && !hs->secret_given)
        return HS_OK;
    hs->session_id_len = 32;
    if (config->session_ids) {
        if (!config->session_ids->make(hs->n.conn, hs->n.suite->id, hs->session_id,
                                       &hs->session_id_len))
            return hs_fail(hs, HF_E_CRYPTO, "the application makes no session ID");
        hs->store_session = hs->store_session && hs->session_id_len > 0;
        return HS_OK;
    }
    return config_random(config, "session_id", hs->session_id, 32)
               ? HS_OK
               : hs_fail(hs, HF_E_CRYPTO, "no random bytes");
}

static void choose_staple(struct hs *hs)
{
    const hf_credential *cred = hs->credential;
    if (!cred || hs->n.resumed12)
        return;
    if (hs->n.ocsp_asked)
        hs->n.ocsp_staple = slice_of(cred->ocsp, cred->ocsp_len);
    if (hs->n.sct_asked)
        hs->n.sct_list = slice_of(cred->scts, cred->scts_len);
}

static enum hs_result send_server_hello(struct hs *hs)
{
    size_t mark;
    struct nego *n = &hs->n;
    if (choose_session_id(hs) != HS_OK)
        return HS_FAILED;
    if (!start12(hs))
        return hs_fail(hs, HF_E_NO_MEMORY, "transcript");
    if (make_random12(hs) != HS_OK)
        return HS_FAILED;
    choose_staple(hs);
    struct server_hello sh = {
        .version = n->version,
        .random = slice_of(hs->server_random, RANDOM_SIZE),
        .session_id = slice_of(hs->session_id, hs->session_id_len),
        .suite = n->suite->id,
    };
    struct wr w = hs_begin(hs, MSG_SERVER_HELLO, &mark);
    msg_write_server_hello(&w, &sh);
    hs_extensions(hs, &w, IN_SH12, MSG_SERVER_HELLO);
    trace_note(hs->tracer, "suite", "%s", n->suite->name);
    if (n->group)
        trace_note(hs->tracer, "group", "%s", n->group->name);
    return hs_end(hs, &w, mark);
}

static enum hs_result resume(struct hs *hs)
{
    transcript_drop(&hs->transcript);
    memcpy(hs->secret, hs->n.session->secret, 48);
    hs->est_signature = hs->n.session->signature;
    hs->jump = server12_resumed;
    return HS_OK;
}

/* ---- the server's flight */

static enum hs_result send_status(struct hs *hs)
{
    size_t mark;
    struct wr w = hs_begin(hs, MSG_CERTIFICATE_STATUS, &mark);
    wr_u8(&w, 1); /* ocsp */
    wr_opaque24(&w, hs->n.ocsp_staple);
    return hs_end(hs, &w, mark);
}

/* A group that is none of the table's: the application's own (RFC 5246 7.4.3). */
static enum hs_result start_sent(struct hs *hs, struct dh_group *own,
                                 struct server_key_exchange *ske, uint8_t *share)
{
    const hf_config *config = hs->n.config;
    const struct dh_source *source = config->dh_source;
    size_t len;
    if (source) {
        hf_code code = source->choose(hs->n.conn, hs->n.suite->id, own);
        if (code != HF_OK)
            return hs_fail(hs, code, "for %s", hs->n.suite->name);
    } else {
        memcpy(own, config->dh_group, sizeof *own);
    }
    unsigned bits = dh_group_bits(own);
    if (!security_allows_dh(config->security_level, bits))
        return hs_fail(hs, HF_E_OWN_DH_WEAK, "a prime of %u bits", bits);
    ske->p = slice_of(own->p, own->p_len);
    ske->g = slice_of(own->g, own->g_len);
    hs->n.group = group_of_kx(kx_dh_named(ske->p, ske->g));
    enum kx_result r =
        kx_dh_start(ske->p, ske->g, own->exponent_bits, share, &len, &hs->own_kx);
    if (r == KX_BAD_SHARE)
        return hs_fail(hs, HF_E_OWN_DH_WEAK, "an even modulus, or a generator out of range");
    if (r != KX_OK)
        return hs_fail(hs, HF_E_CRYPTO, "no key pair in the group of %u bits", bits);
    ske->share = slice_of(share, len);
    if (!hs->n.group)
        trace_note(hs->tracer, "group", "a prime of %u bits", bits);
    return HS_OK;
}

static enum hs_result start_named(struct hs *hs, struct server_key_exchange *ske,
                                  uint8_t *share)
{
    const struct test_hooks *test = hs->n.config->test;
    uint8_t private_key[66];
    size_t len = sizeof private_key;
    enum kx_id kx = hs->n.group->kx;
    if (test && test->private_key &&
        test->private_key(test->arg, hs->n.group->id, private_key, &len))
        hs->own_kx = kx_start_with(kx, private_key, len, share);
    else
        hs->own_kx = kx_start(kx, share);
    if (!hs->own_kx)
        return hs_fail(hs, HF_E_CRYPTO, "no key share for %s", hs->n.group->name);
    ske->share = slice_of(share, kx_initiator_share_size(kx));
    ske->group = hs->n.group->id;
    if (is_dhe12(hs->n.suite) && !kx_dh_params(kx, &ske->p, &ske->g))
        return hs_fail(hs, HF_E_INTERNAL, "%s has no parameters", hs->n.group->name);
    return HS_OK;
}

/* The two randoms and the parameters: what is signed. The message takes the latter from there. */
static enum hs_result make_params(struct hs *hs)
{
    uint8_t share[KX_MAX_DH];
    struct dh_group own = {0};
    struct server_key_exchange ske = {0};
    struct ske_shape shape = shape12(hs->n.suite, hs->n.version);
    const char *hint = hs->n.config->psk_hint;
    if (hint)
        ske.hint = slice_of(hint, strlen(hint));
    enum hs_result r = !ephemeral(hs) ? HS_OK
                       : hs->n.group  ? start_named(hs, &ske, share)
                                      : start_sent(hs, &own, &ske, share);
    if (r != HS_OK)
        return r;
    struct wr w;
    wr_start(&w, &hs->params);
    wr_bytes(&w, hs->client_random, RANDOM_SIZE);
    wr_bytes(&w, hs->server_random, RANDOM_SIZE);
    msg_write_server_params(&w, &shape, &ske);
    return wr_ok(&w) ? HS_OK : hs_fail(hs, HF_E_NO_MEMORY, "key exchange parameters");
}

static enum hs_result sign_params(struct hs *hs)
{
    return sign12(hs, slice_of(buffer_front(&hs->params), buffer_len(&hs->params)));
}

static enum hs_result send_key_exchange(struct hs *hs)
{
    size_t mark, randoms = 2 * RANDOM_SIZE;
    struct ske_shape shape = shape12(hs->n.suite, hs->n.version);
    struct wr w = hs_begin(hs, MSG_SERVER_KEY_EXCHANGE, &mark);
    wr_bytes(&w, buffer_front(&hs->params) + randoms, buffer_len(&hs->params) - randoms);
    if (shape.algorithm)
        wr_u16(&w, hs->scheme);
    if (shape.signature)
        wr_opaque16(&w, slice_of(hs->signature, hs->signature_len));
    buffer_clear(&hs->params);
    return hs_end(hs, &w, mark);
}

static enum hs_result send_request(struct hs *hs)
{
    static const uint8_t types[] = {1, 64}; /* rsa_sign, ecdsa_sign (RFC 8422 5.5: EdDSA too) */
    const hf_config *config = hs->n.config;
    size_t mark;
    bool tls12 = hs->n.version >= HF_TLS1_2;
    struct certificate_request12 cr = {
        .types = config->request_type_count
                     ? slice_of(config->request_types, config->request_type_count)
                     : slice_of(types, sizeof types),
        .sigalgs = config->body.client_sigalgs.count
                       ? slice_of(config->body.sigalgs_cr + 2, config->body.sigalgs_cr_len - 2)
                       : slice_of(config->body.sigalgs + 2, config->body.sigalgs_len - 2),
        .authorities = config_authorities(config),
    };
    struct wr w = hs_begin(hs, MSG_CERTIFICATE_REQUEST, &mark);
    msg_write_certificate_request12(&w, tls12, &cr);
    hs->cert_requested = true;
    return hs_end(hs, &w, mark);
}

static enum hs_result send_hello_done(struct hs *hs)
{
    size_t mark;
    struct wr w = hs_begin(hs, MSG_SERVER_HELLO_DONE, &mark);
    return hs_end(hs, &w, mark);
}

/* ---- ClientKeyExchange */

static enum hs_result read_key_exchange(struct hs *hs)
{
    struct rd_msg m;
    struct rd r = hs_reader(hs, &m);
    struct client_key_exchange cke;
    if (!msg_read_client_key_exchange(&r, is_psk12(hs->n.suite), kind12(hs->n.suite), &cke))
        return HS_FAILED;
    hs->exchange = mem_dup(cke.exchange.p, cke.exchange.len);
    hs->exchange_len = cke.exchange.len;
    if (is_psk12(hs->n.suite))
        hs->psk_identity = mem_dup(cke.identity.p, cke.identity.len);
    hs->psk_identity_len = cke.identity.len;
    if ((cke.exchange.len && !hs->exchange) || (is_psk12(hs->n.suite) && !hs->psk_identity))
        return hs_fail(hs, HF_E_NO_MEMORY, "ClientKeyExchange");
    return HS_OK;
}

/* The premaster secret that only the certificate's key can decrypt. Whatever is wrong with it shows in the
 * Finished and nowhere else (RFC 5246 7.4.7.1). The version in it is the ClientHello's. */
static enum hs_result decrypt_premaster(struct hs *hs)
{
    const struct private_key *key = hs->credential->key;
    hs->shared_len = 48;
    if (key && private_key_decrypt_premaster(key, slice_of(hs->exchange, hs->exchange_len),
                                             hs->ch.version, hs->shared))
        return HS_OK;
    return hs_fail(hs, key ? HF_E_CRYPTO : HF_E_CONFIG, "the credential's key cannot decrypt");
}

static enum hs_result finish_exchange(struct hs *hs)
{
    struct slice theirs = slice_of(hs->exchange, hs->exchange_len);
    uint8_t padded[KX_MAX_DH];
    if (is_dhe12(hs->n.suite)) { /* a number, whose leading zeros a client may leave out */
        size_t size = kx_peer_size(hs->own_kx);
        if (theirs.len < size) {
            memset(padded, 0, size - theirs.len);
            memcpy(padded + size - theirs.len, theirs.p, theirs.len);
            theirs = slice_of(padded, size);
        }
    }
    const char *name = hs->n.group ? hs->n.group->name : "our group";
    enum kx_result r = kx_finish(hs->own_kx, theirs.p, theirs.len, hs->shared, &hs->shared_len);
    if (r == KX_BAD_SHARE)
        return hs_fail(hs, HF_E_BAD_KEY_SHARE, "%s, %zu bytes", name, theirs.len);
    return r == KX_OK ? HS_OK : hs_fail(hs, HF_E_CRYPTO, "key exchange with %s failed", name);
}

static enum hs_result compute_premaster(struct hs *hs)
{
    uint8_t premaster[4 + KX_MAX_SECRET + PSK_MAX_KEY];
    enum hs_result r = HS_OK;
    hs->shared_len = 0;
    if (hs->n.suite->kex == KEX_RSA)
        r = decrypt_premaster(hs);
    else if (ephemeral(hs))
        r = finish_exchange(hs);
    if (r != HS_OK)
        return r;
    size_t len = premaster12(hs, shared_number12(hs), premaster);
    keys12_master(hs, premaster, len);
    wipe(premaster, sizeof premaster);
    wipe(hs->shared, sizeof hs->shared);
    kx_free(hs->own_kx);
    hs->own_kx = NULL;
    return HS_OK;
}

static enum hs_result read_verify(struct hs *hs)
{
    struct rd_msg m;
    struct rd r = hs_reader(hs, &m);
    struct certificate_verify cv;
    const struct buffer *kept = &hs->transcript.kept;
    if (!msg_read_certificate_verify12(&r, hs->n.version >= HF_TLS1_2, &cv))
        return HS_FAILED;
    enum hs_result ok = check_signature12(
        hs, cv.algorithm, slice_of(buffer_front(kept), buffer_len(kept)), cv.signature);
    transcript_drop(&hs->transcript);
    return ok;
}

/* ---- the end of it */

static enum hs_result send_ticket(struct hs *hs)
{
    struct buffer made = {0};
    bool wanted = false, ok = true;
    size_t mark;
    hf_session *s = session_of12(hs);
    if (!s)
        return hs_fail(hs, HF_E_NO_MEMORY, "ticket");
    s->id_len = 0;
    if (chain_fits_ticket(s->chain) && hs_make_ticket(hs, s, &made, &wanted) != HS_OK) {
        buffer_clear(&made);
        hf_session_free(s);
        return HS_FAILED;
    }
    struct wr w = hs_begin(hs, MSG_NEW_SESSION_TICKET, &mark);
    wr_u32(&w, s->lifetime);
    size_t ticket = wr_open(&w, 2);
    if (wanted) /* an empty one says that there is none after all (RFC 5077 3.3) */
        ok = hs_write_ticket(hs, s, &made, &w);
    wr_close(&w, ticket, 2);
    buffer_clear(&made);
    hf_session_free(s);
    return ok ? hs_end(hs, &w, mark) : hs_fail(hs, HF_E_CRYPTO, "the ticket cannot be sealed");
}

static enum hs_result finish(struct hs *hs)
{
    hf_session *s = NULL;
    if (hs->store_session && !(s = session_of12(hs)))
        return hs_fail(hs, HF_E_NO_MEMORY, "session");
    if (s)
        s->lifetime = cache_lifetime(hs->n.config);
    enum hs_result r = establish12(hs);
    if (s && r == HS_OK)
        cache_add(hs->n.config, hs->n.conn, s);
    hf_session_free(s);
    return r;
}
