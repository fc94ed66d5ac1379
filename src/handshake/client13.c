/* client13.c: what a client does in a TLS 1.3 handshake (RFC 8446 2, figures 1 to 3). */
#include <stdio.h>

#include "bytes/names.h"
#include "config/cache.h"
#include "config/psk.h"
#include "extension/grease.h"
#include "handshake/hs.h"

static bool retried(const struct hs *hs)
{
    return hs->n.retried;
}
static bool with_certificate(const struct hs *hs)
{
    return !hs->n.psk;
}
static bool asked(const struct hs *hs)
{
    return hs->cert_requested;
}
static bool have_credential(const struct hs *hs)
{
    return hs->cert_requested && hs->credential;
}
static bool compressing(const struct hs *hs)
{
    return have_credential(hs) && may_compress13(hs);
}
static bool compressed(const struct hs *hs)
{
    return hs->packed != NULL;
}
static bool asked_plain(const struct hs *hs)
{
    return hs->cert_requested && !hs->packed;
}

static bool early_offered(const struct hs *hs)
{
    return hs->n.early_data_offered;
}
static bool early_accepted(const struct hs *hs)
{
    return hs->n.early;
}

static enum hs_result prepare(struct hs *hs);
static enum hs_result send_hello(struct hs *hs);
static enum hs_result read_retry(struct hs *hs);
static enum hs_result prepare_again(struct hs *hs);
static enum hs_result read_server_hello(struct hs *hs);
static enum hs_result use_handshake_keys(struct hs *hs);
static enum hs_result read_encrypted_extensions(struct hs *hs);
static enum hs_result read_certificate_request(struct hs *hs);
static enum hs_result compute_master(struct hs *hs);
static enum hs_result use_traffic_keys(struct hs *hs);

/* clang-format off */
const struct step client13[] = {
    /*    message                   when              optional  step                       name                      defined in */
    { '.', 0,                       NULL,             false, prepare,                   "random and key shares",  "RFC 8446 4.2.8" },
    { '>', MSG_CLIENT_HELLO,        NULL,             false, send_hello,                "ClientHello",            "RFC 8446 4.1.2" },
    { '.', 0,                       early_offered,    false, start_early13,             "early data keys",        "RFC 8446 4.2.10" },
    { '<', MSG_HELLO_RETRY_REQUEST, NULL,             true,  read_retry,                "HelloRetryRequest",      "RFC 8446 4.1.4" },
    { '.', 0,                       retried,          false, prepare_again,             "new key share",          "RFC 8446 4.1.4" },
    { '>', MSG_CLIENT_HELLO,        retried,          false, send_hello,                "second ClientHello",     "RFC 8446 4.1.2" },
    { '<', MSG_SERVER_HELLO,        NULL,             false, read_server_hello,         "ServerHello",            "RFC 8446 4.1.3" },
    { '.', 0,                       NULL,             false, use_handshake_keys,        "handshake keys",         "RFC 8446 7.1"   },
    { '<', MSG_ENCRYPTED_EXTENSIONS,NULL,             false, read_encrypted_extensions, "EncryptedExtensions",    "RFC 8446 4.3.1" },
    { '.', 0,                       early_offered,    false, settle_early13,            "early data taken or not", "RFC 8446 4.2.10" },
    { '.', 0,                       verifying_resumed, false, verify_resumed,           "verify the chain again", "RFC 5280 6"     },
    { '<', MSG_CERTIFICATE_REQUEST, with_certificate, true,  read_certificate_request,  "CertificateRequest",     "RFC 8446 4.3.2" },
    { '<', MSG_COMPRESSED_CERTIFICATE, compression_offered13, true, read_compressed_certificate13, "CompressedCertificate", "RFC 8879 4" },
    { '<', MSG_CERTIFICATE,         certificate_due13, false, read_certificate13,       "Certificate",            "RFC 8446 4.4.2" },
    { '.', 0,                       with_certificate, false, verify_peer13,             "verify the chain",       "RFC 5280 6"     },
    { '<', MSG_CERTIFICATE_VERIFY,  with_certificate, false, read_certificate_verify13, "CertificateVerify",      "RFC 8446 4.4.3" },
    { '<', MSG_FINISHED,            NULL,             false, read_finished13,           "server Finished",        "RFC 8446 4.4.4" },
    { '.', 0,                       NULL,             false, compute_master,            "master secret",          "RFC 8446 7.1"   },
    { '>', MSG_END_OF_EARLY_DATA,   early_accepted,   false, end_early13,               "EndOfEarlyData",         "RFC 8446 4.5"   },
    { '.', 0,                       asked,            false, choose_own13,              "choose a certificate",   "RFC 8446 4.4.2.3" },
    { '.', 0,                       compressing,      false, compress_certificate13,    "compress the certificate", "RFC 8879 4"   },
    { '>', MSG_COMPRESSED_CERTIFICATE, compressed,    false, send_compressed_certificate13, "client CompressedCertificate", "RFC 8879 4" },
    { '>', MSG_CERTIFICATE,         asked_plain,      false, send_certificate13,        "client Certificate",     "RFC 8446 4.4.2" },
    { '.', 0,                       have_credential,  false, sign13,                    "sign",                   "RFC 8446 4.4.3" },
    { '>', MSG_CERTIFICATE_VERIFY,  have_credential,  false, send_certificate_verify13, "client CertificateVerify", "RFC 8446 4.4.3" },
    { '>', MSG_FINISHED,            NULL,             false, send_finished13,           "client Finished",        "RFC 8446 4.4.4" },
    { '.', 0,                       NULL,             false, use_traffic_keys,          "application keys",       "RFC 8446 7.1"   },
    { 0 }
};
/* clang-format on */

/* ---- ClientHello */

static bool add_share(struct hs *hs, const struct group *group)
{
    struct nego *n = &hs->n;
    const struct test_hooks *test = n->config->test;
    uint8_t private_key[66];
    size_t len = sizeof private_key;
    struct own_share *own = &n->own[n->own_count];
    own->group = group;
    own->len = (uint16_t)kx_initiator_share_size(group->kx);
    own->public_value = mem_new(own->len);
    if (!own->public_value)
        return false;
    n->own_count++;
    if (test && test->private_key && test->private_key(test->arg, group->id, private_key, &len))
        own->kx = kx_start_with(group->kx, private_key, len, own->public_value);
    else
        own->kx = kx_start(group->kx, own->public_value);
    return own->kx != NULL;
}

static bool offers13(const struct hs *hs)
{
    return config_version(hs->n.config, HF_TLS1_3) && !hs->n.renegotiating;
}

/* That of the session that is offered; else one that makes a handshake of TLS 1.3 look like a resumption of
 * TLS 1.2 (RFC 8446 D.4). */
static bool choose_session_id(struct hs *hs)
{
    const hf_session *s = hs->n.session;
    bool old = s && s->version < HF_TLS1_3;
    if (old && s->id_len) {
        hs->session_id_len = s->id_len;
        memcpy(hs->session_id, s->id, s->id_len);
        return true;
    }
    /* A ticket without one gets one, so that the echo tells whether it was taken (RFC 5077 3.4). */
    if (!old && (!hs->n.config->compat || !offers13(hs)))
        return true;
    hs->session_id_len = 32;
    return config_random(hs->n.config, "session_id", hs->session_id, 32);
}

/* The session to be resumed, then the external keys: this connection's own, and the configuration's. */
static bool collect_offers(struct hs *hs)
{
    struct nego *n = &hs->n;
    bool memory = true;
    if (!n->config->psk_modes)
        return true;
    if (n->session && n->session->version == HF_TLS1_3)
        n->offers[n->offer_count++] = hf_session_ref(n->session);
    if (n->external)
        n->offers[n->offer_count++] = hf_session_ref(n->external);
    for (size_t i = 0; n->offer_count < NEGO_MAX_PSKS; i++) {
        hf_session *s = psk_offer(n->config, i, &memory);
        if (!s)
            break;
        n->offers[n->offer_count++] = s;
    }
    return memory;
}

/* Before anything else of the hello: it may wait. */
static enum hs_result ask_for_key(struct hs *hs)
{
    if (!offers13(hs) || hs->n.external || !hs->n.config->psk_modes)
        return HS_OK;
    return ask_psk13(hs, (struct slice){0}, &hs->n.external);
}

static enum hs_result prepare(struct hs *hs)
{
    const hf_config *config = hs->n.config;
    enum hs_result r = ask_for_key(hs);
    if (r != HS_OK)
        return r;
    if (!config_random(config, "random", hs->client_random, RANDOM_SIZE) ||
        (config->grease &&
         !config_random(config, "grease", hs->n.grease, sizeof hs->n.grease)) ||
        !choose_session_id(hs))
        return hs_fail(hs, HF_E_CRYPTO, "no random bytes");
    cache_count(config, hs->n.renegotiating ? COUNT_CONNECT_RENEGOTIATE : COUNT_CONNECT);
    if (!offers13(hs))
        return HS_OK;
    if (!collect_offers(hs))
        return hs_fail(hs, HF_E_NO_MEMORY, "pre-shared keys");
    hs->n.early_data_offered = offers_early13(hs);
    for (size_t i = 0; i < config->key_shares.count && i < NEGO_MAX_SHARES; i++) {
        const struct group *group = group_find(config->key_shares.id[i]);
        if (group && !add_share(hs, group))
            return hs_fail(hs, HF_E_CRYPTO, "no key share for %s", group->name);
    }
    return HS_OK;
}

static enum hs_result prepare_again(struct hs *hs)
{
    struct nego *n = &hs->n;
    if (!n->group)
        return HS_OK; /* only a cookie was asked for: the shares stay */
    for (size_t i = 0; i < n->own_count; i++) {
        kx_free(n->own[i].kx);
        mem_free(n->own[i].public_value);
    }
    memset(n->own, 0, sizeof n->own);
    n->own_count = 0;
    if (!add_share(hs, n->group))
        return hs_fail(hs, HF_E_CRYPTO, "no key share for %s", n->group->name);
    return HS_OK;
}

static void write_binders(struct hs *hs)
{
    uint8_t *message = buffer_front(&hs->message);
    size_t partial = hs->n.binders_at, at = partial + 2; /* behind the list's length */
    uint8_t binder[HASH_MAX_SIZE];
    for (size_t i = 0; i < hs->n.offer_count; i++) {
        size_t len = hash_size(suite_find(hs->n.offers[i]->suite)->hash);
        /* A test's own block of extensions may have none, or others. */
        if (at + 1 + len > buffer_len(&hs->message) || message[at] != len)
            return;
        keys13_binder(hs, hs->n.offers[i], slice_of(message, partial), binder);
        memcpy(message + at + 1, binder, len);
        at += 1 + len;
    }
}

#define MAX_SUITES (CONFIG_MAX_LIST + 2)

static struct slice offered_suites(const struct hs *hs, uint8_t out[2 * MAX_SUITES])
{
    enum { FALLBACK_SCSV = 0x5600 };
    const hf_config *config = hs->n.config;
    const struct ids *suites = &config->body.suites;
    const struct test_hooks *test = config->test;
    size_t count = 0;
    if (config->grease)
        put_u16(out + 2 * count++, grease_value(&hs->n, GREASE_SUITE));
    for (size_t i = 0; i < suites->count; i++) {
        const struct suite *s = suite_find(suites->id[i]);
        if (s && (s->version_min < HF_TLS1_3 || offers13(hs)))
            put_u16(out + 2 * count++, suites->id[i]);
    }
    if (config->fallback && !hs->n.renegotiating)
        put_u16(out + 2 * count++, FALLBACK_SCSV);
    struct slice list = slice_of(out, 2 * count);
    if (test && test->suites)
        test->suites(test->arg, &list);
    return list;
}

static enum hs_result send_hello(struct hs *hs)
{
    static const uint8_t null_compression = 0;
    uint8_t suites[2 * MAX_SUITES];
    /* The same version as in the first hello, whatever came of it: servers compare, and with RSA key
     * exchange the premaster secret has it. */
    uint16_t best = hs->n.config->body.version_max;
    size_t mark;
    hs->hello_version = best < HF_TLS1_2 ? best : HF_TLS1_2;
    hs->before = hs->transcript.hash;
    hs->n.binders_at = 0;
    struct client_hello ch = {
        .version = hs->hello_version,
        .random = slice_of(hs->client_random, RANDOM_SIZE),
        .session_id = slice_of(hs->session_id, hs->session_id_len),
        .suites = offered_suites(hs, suites),
        .compression = slice_of(&null_compression, 1),
    };
    if (hs->n.retried && !hs_ccs(hs))
        return hs_fail(hs, HF_E_NO_MEMORY, "change_cipher_spec");
    struct wr w = hs_begin(hs, MSG_CLIENT_HELLO, &mark);
    msg_write_client_hello(&w, &ch);
    hs_extensions(hs, &w, IN_CH, MSG_CLIENT_HELLO);
    msg_finish(&w, mark);
    if (wr_ok(&w) && hs->n.sent >> X_PRE_SHARED_KEY & 1 && hs->n.binders_at)
        write_binders(hs);
    return hs_commit(hs, &w);
}

/* ---- HelloRetryRequest and ServerHello */

/* What supported_versions says; 0 if it is not there, TLS 1.3 where it cannot be read: the real reader says
 * why. A ServerHello of an older version has none, and its other extensions are not to be judged by the rules
 * of TLS 1.3, so this is looked at first. */
static uint16_t selected_version(const struct server_hello *sh)
{
    if (!sh->has_extensions)
        return 0;
    const uint8_t *p = sh->extensions.p, *end = sh->extensions.end;
    while (end - p >= 4) {
        size_t len = 4u + get_u16(p + 2);
        if (len > (size_t)(end - p))
            return HF_TLS1_3;
        if (get_u16(p) == 43)
            return len == 6 ? get_u16(p + 4) : HF_TLS1_3;
        p += len;
    }
    return 0;
}

/* With a HelloRetryRequest TLS 1.3 is certain, where a legacy field has one value (4.1.3): any other is a
 * decode_error. Before, legacy_version may still mean what it says. */
static enum hs_result check_hello(struct hs *hs, struct rd *r, const struct server_hello *sh,
                                  unsigned message)
{
    if (sh->version != HF_TLS1_2)
        rd_bad(r, message == IN_HRR || hs->n.retried ? HF_E_DECODE : HF_E_VERSION_NOT_OFFERED,
               "legacy_version is 0x%04x, not 0x0303", sh->version);
    else if (!slice_equal(sh->session_id, slice_of(hs->session_id, hs->session_id_len)))
        rd_bad(r, HF_E_SESSION_ID_CHANGED, "legacy_session_id_echo differs from what was sent");
    else if (sh->compression != 0)
        rd_bad(r, HF_E_DECODE, "legacy_compression_method is %u, not 0", sh->compression);
    else if (!ids_has(&hs->n.config->body.suites, sh->suite) || !suite_find(sh->suite) ||
             !suite_fits(suite_find(sh->suite), HF_TLS1_3))
        rd_bad(r, HF_E_WRONG_SUITE, "%s (0x%04x) was not offered", name_suite(sh->suite),
               sh->suite);
    else if (suite_refused(hs, sh->suite))
        rd_bad(r, HF_E_WRONG_SUITE, "the program does not allow %s", name_suite(sh->suite));
    else if (hs->n.suite && hs->n.suite->id != sh->suite)
        rd_bad(r, HF_E_SUITE_CHANGED, "from %s to %s", hs->n.suite->name,
               name_suite(sh->suite));
    return rd_ok(r) ? HS_OK : HS_FAILED;
}

static enum hs_result read_hello(struct hs *hs, struct rd *r, struct server_hello *sh,
                                 unsigned message, struct ext_values *v)
{
    if (!msg_read_server_hello(r, sh))
        return HS_FAILED;
    uint16_t selected = selected_version(sh);
    if (!selected || hs->n.renegotiating)
        return message == IN_SH ? read_server_hello12(hs, r, sh)
                                : hs_fail(hs, HF_E_MISSING_EXTENSION, "supported_versions");
    /* "MUST abort the handshake with an "illegal_parameter" alert" (4.2.1) */
    if (selected >= HF_TLS1_0 && selected < HF_TLS1_3)
        return hs_fail(
            hs, HF_E_MISPLACED_EXTENSION,
            "supported_versions chooses %s, which has no such extension in its ServerHello",
            name_version(selected));
    hs->n.version = HF_TLS1_3;
    if (!offers13(hs))
        return hs_fail(hs, HF_E_VERSION_NOT_OFFERED, "the server chose TLS 1.3");
    enum hs_result checked = check_hello(hs, r, sh, message);
    if (checked != HS_OK)
        return checked;
    if (!ext_read(&hs->n, &sh->extensions, message, v) || !ext_take(&hs->n, v, message))
        return HS_FAILED;
    hs->n.suite = suite_find(sh->suite);
    hs->hash = hs->n.suite->hash;
    return transcript_start(&hs->transcript, hs->hash)
               ? HS_OK
               : hs_fail(hs, HF_E_INTERNAL, "the hash changed");
}

static enum hs_result read_retry(struct hs *hs)
{
    struct rd_msg m;
    struct rd r = hs_reader(hs, &m);
    struct server_hello sh;
    struct ext_values v;
    enum hs_result ok = read_hello(hs, &r, &sh, IN_HRR, &v);
    if (ok != HS_OK)
        return ok;
    if (!ext_has(&v, X_KEY_SHARE) && !ext_has(&v, X_COOKIE))
        return hs_fail(hs, HF_E_BAD_HELLO_RETRY, "it has neither key_share nor cookie");
    transcript_retry(&hs->transcript);
    hs->n.retried = true;
    if (hs->n.early_data_offered)
        retry_early13(hs);
    trace_note(hs->tracer, "retry", "the server asks for %s",
               hs->n.group ? hs->n.group->name : "a cookie");
    return HS_OK;
}

static enum hs_result check_key_exchange(struct hs *hs, const struct ext_values *v)
{
    struct nego *n = &hs->n;
    bool share = ext_has(v, X_KEY_SHARE);
    if (n->psk) {
        const struct suite *of_session = suite_find(n->session->suite);
        if (!of_session || of_session->hash != hs->hash)
            return hs_fail(hs, HF_E_BAD_PSK_SUITE, "the server resumes a session of %s with %s",
                           name_suite(n->session->suite), n->suite->name);
        if (!(n->config->psk_modes & (share ? HF_PSK_DHE_KE : HF_PSK_KE)))
            return hs_fail(hs, HF_E_NO_KEY_SHARE, "the server chose %s, which was not offered",
                           share ? "psk_dhe_ke" : "psk_ke");
    } else if (!share) {
        return hs_fail(hs, HF_E_NO_KEY_SHARE,
                       "the server sent neither key_share nor pre_shared_key");
    }
    n->psk_dhe = share;
    if (!share)
        n->group = NULL;
    return HS_OK;
}

static enum hs_result read_server_hello(struct hs *hs)
{
    struct rd_msg m;
    struct rd r = hs_reader(hs, &m);
    struct server_hello sh;
    struct ext_values v;
    enum hs_result ok = read_hello(hs, &r, &sh, IN_SH, &v);
    if (ok != HS_OK || hs->jump)
        return ok;
    ok = check_key_exchange(hs, &v);
    if (ok != HS_OK)
        return ok;
    memcpy(hs->server_random, sh.random.p, RANDOM_SIZE);
    trace_note(hs->tracer, "suite", "%s", hs->n.suite->name);
    if (hs->n.group)
        trace_note(hs->tracer, "group", "%s", hs->n.group->name);
    if (hs->n.psk)
        trace_note(hs->tracer, "resumption", "the server accepts the session%s",
                   hs->n.psk_dhe ? ", with a fresh key exchange"
                                 : " without a fresh key exchange");
    return hs->n.psk ? recall_peer(hs) : HS_OK;
}

static enum hs_result exchange_keys(struct hs *hs)
{
    struct nego *n = &hs->n;
    if (!n->group)
        return HS_OK;
    for (size_t i = 0; i < n->own_count; i++) {
        if (n->own[i].group != n->group)
            continue;
        enum kx_result r = kx_finish(n->own[i].kx, n->peer_share, n->peer_share_len, hs->shared,
                                     &hs->shared_len);
        if (r == KX_BAD_SHARE)
            return hs_fail(hs, HF_E_BAD_KEY_SHARE, "%s, %zu bytes", n->group->name,
                           n->peer_share_len);
        return r == KX_OK
                   ? HS_OK
                   : hs_fail(hs, HF_E_CRYPTO, "key exchange with %s failed", n->group->name);
    }
    return hs_fail(hs, HF_E_INTERNAL, "no private key for the chosen group");
}

static enum hs_result use_handshake_keys(struct hs *hs)
{
    enum hs_result r = exchange_keys(hs);
    if (r != HS_OK)
        return r;
    if (!keys13_early(hs) || !keys13_handshake(hs) ||
        !keys13_use(hs, true, hs->server_hs, "handshake"))
        return HS_FAILED;
    /* The dummy change_cipher_spec stands "immediately before its second flight" (D.4); an alert of
     * ours belongs to that flight too. */
    if (!hs_ccs(hs))
        return hs_fail(hs, HF_E_NO_MEMORY, "change_cipher_spec");
    hs->plain_alert = false;
    if (hs->n
            .early_data_offered) /* its key stays until the server has said whether it takes it */
        return HS_OK;
    return keys13_use(hs, false, hs->client_hs, "handshake") ? HS_OK : HS_FAILED;
}

/* ---- the rest of the server's flight */

static enum hs_result read_encrypted_extensions(struct hs *hs)
{
    struct rd_msg m;
    struct rd r = hs_reader(hs, &m), extensions;
    struct ext_values v;
    if (!msg_read_encrypted_extensions(&r, &extensions) ||
        !ext_read(&hs->n, &extensions, IN_EE, &v) || !ext_take(&hs->n, &v, IN_EE))
        return HS_FAILED;
    limit_records13(hs);
    return HS_OK;
}

static enum hs_result read_certificate_request(struct hs *hs)
{
    struct rd_msg m;
    struct rd r = hs_reader(hs, &m);
    struct certificate_request cr;
    struct ext_values v;
    if (!msg_read_certificate_request(&r, &cr))
        return HS_FAILED;
    if (cr.context.len != 0) {
        rd_bad(&r, HF_E_ILLEGAL_VALUE,
               "certificate_request_context is not empty in the handshake (4.3.2)");
        return HS_FAILED;
    }
    if (!ext_read(&hs->n, &cr.extensions, IN_CR, &v) || !ext_take(&hs->n, &v, IN_CR))
        return HS_FAILED;
    hs->cert_requested = true;
    return HS_OK;
}

static enum hs_result compute_master(struct hs *hs)
{
    if (!proofs_complete13(hs))
        return HS_FAILED;
    return keys13_master(hs) ? HS_OK : HS_FAILED;
}

/* ---- our certificate */

enum hs_result choose_own13(struct hs *hs)
{
    struct nego *n = &hs->n;
    bool nobody;
    enum hs_result r = hs_ask_credential(hs, &n->peer_sigalgs, &nobody);
    if (r != HS_OK)
        return r;
    if (nobody) {
        hf_credential *cred =
            config_credential_of(n->config, n->peer_accepts, NULL, n->peer_sigalgs.id,
                                 n->peer_sigalgs.count, &hs->scheme);
        hs->credential = cred ? hf_credential_ref(cred) : NULL;
        return HS_OK;
    }
    if (!hs->credential)
        return HS_OK;
    hs->scheme =
        config_scheme_for(n->config, hs->credential, n->peer_sigalgs.id, n->peer_sigalgs.count);
    if (!hs->scheme)
        return hs_fail(
            hs, HF_E_NO_SHARED_SIGNATURE,
            "the chosen certificate's key cannot make any signature that the server accepts");
    return HS_OK;
}

static enum hs_result use_traffic_keys(struct hs *hs)
{
    /* Once more, for a mistake in the list must not open the connection (design: proof bits). */
    if (!proofs_complete13(hs) || !keys13_resumption(hs) ||
        !keys13_use(hs, true, hs->est->read_secret, "application") ||
        !keys13_use(hs, false, hs->est->write_secret, "application"))
        return HS_FAILED;
    return establish13(hs) ? HS_OK : HS_FAILED;
}
