/* server13.c: what a server does in a TLS 1.3 handshake (RFC 8446 2, figures 1 to 3). */
#include "bytes/names.h"
#include "config/cache.h"
#include "handshake/after13.h"
#include "handshake/choose.h"
#include "handshake/hs.h"

static bool retry(const struct hs *hs)
{
    return hs->n.retry;
}
/* By this connection: another may have sent the HelloRetryRequest (4.2.2). */
static bool retried(const struct hs *hs)
{
    return hs->n.retried && !recalled13(hs);
}
static bool stateless(const struct hs *hs)
{
    return hs->stateless != NULL;
}
static bool exchange(const struct hs *hs)
{
    return !hs->n.psk || hs->n.psk_dhe;
}
static bool with_certificate(const struct hs *hs)
{
    return !hs->n.psk;
}
static bool compressing(const struct hs *hs)
{
    return !hs->n.psk && may_compress13(hs);
}
static bool compressed(const struct hs *hs)
{
    return hs->packed != NULL;
}
static bool with_plain(const struct hs *hs)
{
    return !hs->n.psk && !hs->packed;
}
static bool asking(const struct hs *hs)
{
    return !hs->n.psk && hs->n.config->client_auth != HF_CLIENT_AUTH_NONE;
}
static bool peer_certificate(const struct hs *hs)
{
    return hs->peer_chain != NULL;
}
static bool early_offered(const struct hs *hs)
{
    return hs->n.early_data_offered && !hs->n.retried;
}
static bool early_accepted(const struct hs *hs)
{
    return hs->n.early;
}
bool ticketing13(const struct hs *hs)
{
    return hs->n.config->ticket_count > 0 &&
           (hs->n.peer_psk_modes & hs->n.config->psk_modes) != 0;
}

static enum hs_result read_hello(struct hs *hs);
static enum hs_result ask_hello(struct hs *hs);
static enum hs_result negotiate(struct hs *hs);
static enum hs_result send_retry(struct hs *hs);
static enum hs_result read_second_hello(struct hs *hs);
static enum hs_result exchange_keys(struct hs *hs);
static enum hs_result choose_credential(struct hs *hs);
static enum hs_result send_server_hello(struct hs *hs);
static enum hs_result use_handshake_keys(struct hs *hs);
static enum hs_result send_encrypted_extensions(struct hs *hs);
static enum hs_result send_certificate_request(struct hs *hs);
static enum hs_result use_client_keys(struct hs *hs);
static enum hs_result use_sending_keys(struct hs *hs);
static enum hs_result use_receiving_keys(struct hs *hs);
static enum hs_result send_tickets(struct hs *hs);

/* clang-format off */
const struct step server13[] = {
    /*    message                   when              optional  step                       name                      defined in */
    { '<', MSG_CLIENT_HELLO,        NULL,             false, read_hello,                "ClientHello",            "RFC 8446 4.1.2" },
    { '.', 0,                       stateless,        false, recall_retry,              "recall the first ClientHello", "RFC 8446 4.2.2" },
    { '.', 0,                       NULL,             false, ask_hello,                 "choose the configuration", "RFC 6066 3"   },
    { '.', 0,                       NULL,             false, negotiate,                 "negotiate",              "RFC 8446 4.1.1" },
    { '.', 0,                       NULL,             false, choose_session,            "look the session up",    "RFC 8446 4.2.11" },
    { '.', 0,                       NULL,             false, decide_retry,              "retry or go on",         "RFC 8446 4.1.4" },
    { '.', 0,                       early_offered,    false, decide_early13,            "take early data or not", "RFC 8446 4.2.10" },
    { '>', MSG_HELLO_RETRY_REQUEST, retry,            false, send_retry,                "HelloRetryRequest",      "RFC 8446 4.1.4" },
    { '<', MSG_CLIENT_HELLO,        retried,          false, read_second_hello,         "second ClientHello",     "RFC 8446 4.1.2" },
    { '.', 0,                       retried,          false, negotiate,                 "negotiate again",        "RFC 8446 4.1.1" },
    { '.', 0,                       retried,          false, choose_session,            "look the session up again", "RFC 8446 4.2.11" },
    { '.', 0,                       exchange,         false, exchange_keys,             "key exchange",           "RFC 8446 7.4"   },
    { '.', 0,                       with_certificate, false, choose_credential,         "choose a certificate",   "RFC 8446 4.4.2.2" },
    { '>', MSG_SERVER_HELLO,        NULL,             false, send_server_hello,         "ServerHello",            "RFC 8446 4.1.3" },
    { '.', 0,                       NULL,             false, use_handshake_keys,        "handshake keys",         "RFC 8446 7.1"   },
    { '>', MSG_ENCRYPTED_EXTENSIONS,NULL,             false, send_encrypted_extensions, "EncryptedExtensions",    "RFC 8446 4.3.1" },
    { '>', MSG_CERTIFICATE_REQUEST, asking,           false, send_certificate_request,  "CertificateRequest",     "RFC 8446 4.3.2" },
    { '.', 0,                       compressing,      false, compress_certificate13,    "compress the certificate", "RFC 8879 4"   },
    { '>', MSG_COMPRESSED_CERTIFICATE, compressed,    false, send_compressed_certificate13, "CompressedCertificate", "RFC 8879 4" },
    { '>', MSG_CERTIFICATE,         with_plain,       false, send_certificate13,        "Certificate",            "RFC 8446 4.4.2" },
    { '.', 0,                       with_certificate, false, sign13,                    "sign",                   "RFC 8446 4.4.3" },
    { '>', MSG_CERTIFICATE_VERIFY,  with_certificate, false, send_certificate_verify13, "CertificateVerify",      "RFC 8446 4.4.3" },
    { '>', MSG_FINISHED,            NULL,             false, send_finished13,           "server Finished",        "RFC 8446 4.4.4" },
    { '.', 0,                       NULL,             false, use_sending_keys,          "application keys (server)", "RFC 8446 7.1" },
    { '<', MSG_END_OF_EARLY_DATA,   early_accepted,   false, read_end_of_early_data13,  "EndOfEarlyData",         "RFC 8446 4.5"   },
    { '.', 0,                       early_accepted,   false, use_client_keys,           "handshake keys (client)", "RFC 8446 7.1"  },
    { '<', MSG_COMPRESSED_CERTIFICATE, compression_offered13, true, read_compressed_certificate13, "client CompressedCertificate", "RFC 8879 4" },
    { '<', MSG_CERTIFICATE,         certificate_due13, false, read_certificate13,       "client Certificate",     "RFC 8446 4.4.2" },
    { '.', 0,                       peer_certificate, false, verify_peer13,             "verify the chain",       "RFC 5280 6"     },
    { '<', MSG_CERTIFICATE_VERIFY,  peer_certificate, false, read_certificate_verify13, "client CertificateVerify", "RFC 8446 4.4.3" },
    { '.', 0,                       verifying_resumed, false, verify_resumed,            "verify the chain again", "RFC 5280 6"     },
    { '<', MSG_FINISHED,            NULL,             false, read_finished13,           "client Finished",        "RFC 8446 4.4.4" },
    { '.', 0,                       NULL,             false, use_receiving_keys,        "application keys (client)", "RFC 8446 7.1" },
    { '>', MSG_NEW_SESSION_TICKET,  ticketing13,      false, send_tickets,              "NewSessionTicket",       "RFC 8446 4.6.1" },
    { 0 }
};
/* clang-format on */

/* ---- ClientHello */

/* legacy_version says nothing where supported_versions is (4.2.1), but for SSL 3.0's, which is always
 * refused, and those below, which nobody may send (D.5). */
static bool check_hello(struct rd *r, const struct client_hello *ch)
{
    if (ch->version == 0x0300)
        rd_bad(r, HF_E_SSL3_PEER, "legacy_version is 0x0300");
    else if (ch->version < 0x0300)
        rd_bad(r, HF_E_UNSUPPORTED_VERSION, "legacy_version is 0x%04x", ch->version);
    return rd_ok(r);
}

static enum hs_result check_compression(struct hs *hs)
{
    /* "For every TLS 1.3 ClientHello, this vector MUST contain exactly one byte, set to zero" (4.1.2). */
    if (hs->ch.compression.len != 1 || hs->ch.compression.p[0] != 0)
        return hs_fail(hs, HF_E_BAD_COMPRESSION,
                       "legacy_compression_methods must be one byte 0 in TLS 1.3");
    return HS_OK;
}

/* The message is kept, because rows that may wait still need what its slices point to. */
static enum hs_result keep_hello(struct hs *hs)
{
    hs->before = hs->transcript.hash;
    buffer_clear(&hs->hello);
    if (!hs->n.retried)
        cache_count(hs->n.config,
                    hs->n.renegotiating ? COUNT_ACCEPT_RENEGOTIATE : COUNT_ACCEPT);
    if (!hs->values)
        hs->values = mem_new(sizeof *hs->values);
    if (!hs->values)
        return hs_fail(hs, HF_E_NO_MEMORY, "ClientHello");
    if (buffer_len(hs->inbuf) == hs->msg.len) { /* as always, but for an attempt at mischief */
        hs->hello = *hs->inbuf;
        *hs->inbuf = (struct buffer){0};
    } else if (!buffer_append(&hs->hello, hs->msg.whole, hs->msg.len)) {
        return hs_fail(hs, HF_E_NO_MEMORY, "ClientHello");
    }
    hs->msg.whole = buffer_front(&hs->hello);
    return HS_OK;
}

static bool read_extensions(struct hs *hs)
{
    memset(hs->values, 0, sizeof *hs->values);
    return !hs->ch.has_extensions || /* as in a hello of 1999 */
           ext_read(&hs->n, &hs->ch.extensions, IN_CH, hs->values);
}

static enum hs_result read_hello(struct hs *hs)
{
    struct rd_msg m;
    if (keep_hello(hs) != HS_OK)
        return HS_FAILED;
    struct rd r = hs_reader(hs, &m);
    if (!msg_read_client_hello(&r, &hs->ch) || !check_hello(&r, &hs->ch))
        return HS_FAILED;
    if (hs->stateless)
        hello_digest(&hs->ch, hs->stateless->fixed);
    if (!read_extensions(hs))
        return HS_FAILED;
    hs->skip_early = 0;
    memcpy(hs->client_random, hs->ch.random.p, RANDOM_SIZE);
    hs->session_id_len = (uint8_t)hs->ch.session_id.len;
    if (hs->session_id_len)
        memcpy(hs->session_id, hs->ch.session_id.p, hs->session_id_len);
    return details_hello(hs) ? HS_OK : hs_fail(hs, HF_E_NO_MEMORY, "details");
}

static enum hs_result ask_hello(struct hs *hs)
{
    bool nobody;
    struct slice name = hs->values->server_name;
    if (name.p && !hs->n.server_name && name.len < 256 && !memchr(name.p, 0, name.len)) {
        hs->n.server_name = mem_new(name.len + 1);
        if (!hs->n.server_name)
            return hs_fail(hs, HF_E_NO_MEMORY, "server_name");
        memcpy(hs->n.server_name, name.p, name.len);
    }
    hs->question.hello = buffer_front(&hs->hello);
    hs->question.hello_len = buffer_len(&hs->hello);
    enum hs_result r = hs_ask(hs, HF_ASK_HELLO, &nobody);
    if (r == HS_OK && !nobody)
        hs_asked(hs);
    return r;
}

/* The highest version that both sides allow. */
static enum hs_result choose_version(struct hs *hs)
{
    const hf_config *config = hs->n.config;
    uint16_t version = versions_choose(config, hs->values, hs->ch.version);
    if (hs->n.renegotiating && version != hs->est->version)
        return hs_fail(hs, HF_E_UNSUPPORTED_VERSION, "%s in a renegotiation, after %s",
                       name_version(version), name_version(hs->est->version));
    if (version) {
        hs->n.version = version;
        trace_note(hs->tracer, "version", "%s", name_version(version));
        return HS_OK;
    }
    versions_refuse(&hs->n, hs->values, hs->ch.version);
    return HS_FAILED;
}

size_t most_skipped13(const hf_config *config)
{
    size_t ours = (size_t)config->max_early_data + config->max_early_data / 16 + 256;
    return ours > 16384 + 256 ? ours : 16384 + 256;
}

static enum hs_result negotiate(struct hs *hs)
{
    struct nego *n = &hs->n;
    enum hs_result r = choose_version(hs);
    if (r != HS_OK)
        return r;
    if (n->version < HF_TLS1_3) {
        if (n->retried)
            return hs_fail(hs, HF_E_HELLO_CHANGED, "TLS 1.3 is offered no more");
        hs->transcript.keep = n->config->client_auth != HF_CLIENT_AUTH_NONE;
        hs->jump = server12;
        return HS_OK;
    }
    r = check_compression(hs);
    if (r != HS_OK)
        return r;
    if (!ext_take(n, hs->values, IN_CH))
        return HS_FAILED;
    if (ext_has(hs->values, X_EARLY_DATA))
        hs->skip_early = most_skipped13(n->config);
    if (recalled13(hs) && recalled_fits(hs) != HS_OK)
        return HS_FAILED;
    return choose_suite(hs);
}

/* ---- HelloRetryRequest */

static enum hs_result make_cookie(struct hs *hs)
{
    static const uint8_t label[] = "handfast cookie";
    uint8_t digest[HASH_MAX_SIZE], mac[HASH_MAX_SIZE];
    if (hs->stateless)
        return stateless_cookie(hs);
    if (!hs->n.config->cookie)
        return HS_OK;
    transcript_digest(&hs->transcript, digest);
    hmac(HASH_SHA256, hs->n.config->cookie_keys[0], HF_COOKIE_KEY_SIZE,
         slice_of(label, sizeof label), slice_of(digest, hash_size(hs->hash)),
         slice_of(hs->client_random, RANDOM_SIZE), mac);
    hs->n.cookie = mem_dup(mac, 32);
    hs->n.cookie_len = 32;
    return hs->n.cookie ? HS_OK : hs_fail(hs, HF_E_NO_MEMORY, "cookie");
}

static void write_hello(struct hs *hs, struct wr *w, struct slice random)
{
    struct server_hello sh = {
        .version = HF_TLS1_2,
        .random = random,
        .session_id = slice_of(hs->session_id, hs->session_id_len),
        .suite = hs->n.suite->id,
    };
    msg_write_server_hello(w, &sh);
}

struct wr begin_retry13(struct hs *hs, size_t *mark)
{
    struct wr w = hs_begin(hs, MSG_HELLO_RETRY_REQUEST, mark);
    write_hello(hs, &w, slice_of(hello_retry_random, RANDOM_SIZE));
    hs_extensions(hs, &w, IN_HRR, MSG_HELLO_RETRY_REQUEST);
    return w;
}

static enum hs_result send_retry(struct hs *hs)
{
    size_t mark;
    hs->hash = hs->n.suite->hash;
    if (!transcript_start(&hs->transcript, hs->hash) || make_cookie(hs) != HS_OK)
        return HS_FAILED;
    transcript_retry(&hs->transcript);
    struct wr w = begin_retry13(hs, &mark);
    if (hs_end(hs, &w, mark) != HS_OK)
        return HS_FAILED;
    hs->n.retry = false;
    hs->n.retried = true;
    hs->psk_before = hs->n.psk;
    hf_session_free(hs->n.session); /* the second hello's binders count */
    hs->n.session = NULL;
    hs->n.psk = hs->n.answer_own_type = false;
    hs->proved &= ~(unsigned)PROOF_BINDER;
    struct buffer empty = hs->first_hello;
    hs->first_hello = hs->hello;
    hs->hello = empty;
    if (hs->n.share_asked)
        trace_note(hs->tracer, "retry", "no share for %s was sent: ask for one",
                   hs->n.group->name);
    if (hs->stateless) {
        hs->est->stateless = HF_STATELESS_ASKED;
        trace_note(hs->tracer, "retry", "the cookie says all that has to be known then");
    }
    return hs_ccs(hs) ? HS_OK : hs_fail(hs, HF_E_NO_MEMORY, "change_cipher_spec");
}

static enum hs_result read_second_hello(struct hs *hs)
{
    struct rd_msg m;
    if (keep_hello(hs) != HS_OK)
        return HS_FAILED;
    hs->skip_early = 0;
    struct rd r = hs_reader(hs, &m);
    if (!msg_read_client_hello(&r, &hs->ch) || !hello_unchanged(hs, &r) ||
        !ext_read(&hs->n, &hs->ch.extensions, IN_CH, hs->values))
        return HS_FAILED;
    if (hs->stateless)
        hs->est->stateless = HF_STATELESS_RETURNED; /* if it is another, it will be refused */
    return HS_OK;
}

/* ---- ServerHello */

static enum hs_result exchange_keys(struct hs *hs)
{
    struct nego *n = &hs->n;
    const struct test_hooks *test = n->config->test;
    uint8_t private_key[66];
    size_t len = sizeof private_key;
    bool given = test && test->private_key &&
                 test->private_key(test->arg, n->group->id, private_key, &len);
    n->answer_share_len = kx_responder_share_size(n->group->kx);
    n->answer_share = mem_new(n->answer_share_len);
    if (!n->answer_share)
        return hs_fail(hs, HF_E_NO_MEMORY, "key share");
    enum kx_result r =
        kx_respond(n->group->kx, n->peer_share, n->peer_share_len, n->answer_share, hs->shared,
                   &hs->shared_len, given ? private_key : NULL);
    if (r == KX_BAD_SHARE)
        return hs_fail(hs, HF_E_BAD_KEY_SHARE, "%s, %zu bytes", n->group->name,
                       n->peer_share_len);
    return r == KX_OK ? HS_OK
                      : hs_fail(hs, HF_E_CRYPTO, "key exchange with %s failed", n->group->name);
}

static enum hs_result choose_credential(struct hs *hs)
{
    struct nego *n = &hs->n;
    bool nobody;
    enum hs_result r = hs_ask_credential(hs, &n->peer_sigalgs, &nobody);
    if (r != HS_OK)
        return r;
    if (nobody) {
        hf_credential *cred =
            config_credential_of(n->config, n->peer_accepts, n->server_name, n->peer_sigalgs.id,
                                 n->peer_sigalgs.count, &hs->scheme);
        hs->credential = cred ? hf_credential_ref(cred) : NULL;
        if (!cred)
            return no_credential(hs);
    } else if (!hs->credential) {
        return hs_fail(hs, HF_E_NO_CREDENTIAL, "the application chose none");
    } else {
        hs->scheme = config_scheme_for(n->config, hs->credential, n->peer_sigalgs.id,
                                       n->peer_sigalgs.count);
        if (!hs->scheme)
            return hs_fail(hs, HF_E_NO_SHARED_SIGNATURE,
                           "the chosen certificate's key cannot make a signature that the "
                           "client accepts");
    }
    tell_own_type(hs, credential_type(hs->credential));
    return choose_peer_type(hs, asking(hs));
}

static enum hs_result send_server_hello(struct hs *hs)
{
    size_t mark;
    hs->hash = hs->n.suite->hash;
    if (!transcript_start(&hs->transcript, hs->hash))
        return hs_fail(hs, HF_E_INTERNAL, "the hash changed");
    if (!config_random(hs->n.config, "random", hs->server_random, RANDOM_SIZE) ||
        (hs->n.config->grease &&
         !config_random(hs->n.config, "grease", hs->n.grease, sizeof hs->n.grease)))
        return hs_fail(hs, HF_E_CRYPTO, "no random bytes");
    struct wr w = hs_begin(hs, MSG_SERVER_HELLO, &mark);
    write_hello(hs, &w, slice_of(hs->server_random, RANDOM_SIZE));
    hs_extensions(hs, &w, IN_SH, MSG_SERVER_HELLO);
    trace_note(hs->tracer, "suite", "%s", hs->n.suite->name);
    if (hs->n.answer_share)
        trace_note(hs->tracer, "group", "%s", hs->n.group->name);
    return hs_end(hs, &w, mark);
}

static enum hs_result use_handshake_keys(struct hs *hs)
{
    if (!hs_ccs(hs))
        return hs_fail(hs, HF_E_NO_MEMORY, "change_cipher_spec");
    if (!keys13_early(hs) || !keys13_handshake(hs) ||
        !keys13_use(hs, false, hs->server_hs, "handshake"))
        return HS_FAILED;
    limit_records13(hs);
    if (!hs->n.early)
        return use_client_keys(hs);
    hs->early_in = true;
    return keys13_use_early(hs, true, hs->n.session) ? HS_OK : HS_FAILED;
}

static enum hs_result use_client_keys(struct hs *hs)
{
    if (!keys13_use(hs, true, hs->client_hs, "handshake"))
        return HS_FAILED;
    limit_records13(hs);
    return HS_OK;
}

static enum hs_result send_encrypted_extensions(struct hs *hs)
{
    size_t mark;
    struct wr w = hs_begin(hs, MSG_ENCRYPTED_EXTENSIONS, &mark);
    hs_extensions(hs, &w, IN_EE, MSG_ENCRYPTED_EXTENSIONS);
    return hs_end(hs, &w, mark);
}

static enum hs_result send_certificate_request(struct hs *hs)
{
    size_t mark;
    struct wr w = hs_begin(hs, MSG_CERTIFICATE_REQUEST, &mark);
    wr_u8(&w, 0); /* certificate_request_context: empty in the handshake (4.3.2) */
    hs_extensions(hs, &w, IN_CR, MSG_CERTIFICATE_REQUEST);
    hs->cert_requested = true;
    return hs_end(hs, &w, mark);
}

/* ---- application keys */

/* The server's key comes into use behind its Finished; nothing but tickets is sent with it before
 * the client's proofs are there, for hf_conn_send waits for the end of the handshake. */
static enum hs_result use_sending_keys(struct hs *hs)
{
    if (!keys13_master(hs) || !keys13_use(hs, false, hs->est->write_secret, "application"))
        return HS_FAILED;
    limit_records13(hs);
    hs_ticket_used(hs);
    hs->exporting = true; /* exporter_master_secret ends with our Finished (7.1) */
    /* Who has sent early data has shown by the binder that it holds the session's secret: it gets its answer
     * without another round trip (2.3). */
    hs->may_send = hs->n.early || hs->n.config->half_rtt;
    return HS_OK;
}

static enum hs_result use_receiving_keys(struct hs *hs)
{
    if (!proofs_complete13(hs) || !keys13_resumption(hs) ||
        !keys13_use(hs, true, hs->est->read_secret, "application") || !establish13(hs))
        return HS_FAILED;
    limit_records13(hs);
    return HS_OK;
}

/* ---- NewSessionTicket */

/* NULL: hs_fail has said why. */
static hf_session *ticket_session(struct hs *hs, struct slice nonce)
{
    const hf_config *config = hs->n.config;
    uint8_t age_add[4];
    if (!config_random(config, "age_add", age_add, 4)) {
        hs_fail(hs, HF_E_CRYPTO, "no random bytes");
        return NULL;
    }
    hf_session *s = session_from_established(hs->est, config);
    if (!s) {
        hs_fail(hs, HF_E_NO_MEMORY, "ticket");
        return NULL;
    }
    s->age_add = (uint32_t)get_u16(age_add) << 16 | get_u16(age_add + 2);
    s->lifetime = config->ticket_lifetime;
    s->max_early_data = config->max_early_data;
    if (hs->n.psk && hs->n.session->kind == PSK_RESUMPTION)
        s->started =
            hs->n.session->started; /* renewing does not prolong the first verification */
    session_secret(s, hs->est, nonce);
    if (!config->stateful_tickets)
        return s;
    s->id_len = STATEFUL_TICKET;
    if (config_random(config, "ticket", s->id, s->id_len))
        return s;
    hf_session_free(s);
    hs_fail(hs, HF_E_CRYPTO, "no random bytes");
    return NULL;
}

static enum hs_result write_new_ticket(struct hs *hs, const hf_session *s, struct slice nonce,
                                       const struct buffer *made)
{
    size_t mark;
    struct wr w = hs_begin(hs, MSG_NEW_SESSION_TICKET, &mark);
    wr_u32(&w, s->lifetime);
    wr_u32(&w, s->age_add);
    wr_opaque8(&w, nonce);
    size_t ticket = wr_open(&w, 2);
    bool ok = hs_write_ticket(hs, s, made, &w);
    wr_close(&w, ticket, 2);
    hs_extensions(hs, &w, IN_NST, MSG_NEW_SESSION_TICKET);
    return ok ? hs_end(hs, &w, mark) : hs_fail(hs, HF_E_CRYPTO, "the ticket cannot be sealed");
}

enum hs_result send_ticket13(struct hs *hs, struct slice nonce)
{
    struct buffer made = {0};
    bool wanted;
    hf_session *s = ticket_session(hs, nonce);
    if (!s)
        return HS_FAILED;
    enum hs_result r = hs_make_ticket(hs, s, &made, &wanted);
    if (r == HS_OK && wanted)
        r = write_new_ticket(hs, s, nonce, &made);
    buffer_clear(&made);
    hf_session_free(s);
    return r;
}

static enum hs_result send_tickets(struct hs *hs)
{
    if (!chain_fits_ticket(hs->est->chain))
        return HS_OK;
    /* The one that was used up is replaced; a full handshake gives a client several, to open
     * connections side by side (C.4). */
    unsigned count = hs->est->resumed ? 1 : hs->n.config->ticket_count;
    if (hs->n.tickets_counted)
        count = hs->est->resumed ? hs->n.resumption_tickets : hs->n.new_tickets;
    for (unsigned i = 0; i < count; i++) {
        const uint8_t nonce = (uint8_t)i;
        if (send_ticket13(hs, slice_of(&nonce, 1)) != HS_OK)
            return HS_FAILED;
    }
    return HS_OK;
}
