/* auth12.c: what is the same in both roles of TLS 1.2 and older: Certificate, signatures,
 * change_cipher_spec and Finished (RFC 5246 7.1, 7.4). */
#include "bytes/names.h"
#include "handshake/after13.h"
#include "handshake/hs.h"

/* What TLS 1.0 and 1.1 sign with has no number on the wire (RFC 4346 7.4.3, RFC 8422 5.4); these are for
 * questions to the application and for hf_conn_signature: the first is the usual private number. */
enum { RSA_MD5_SHA1 = 0xff01, ECDSA_SHA1 = 0x0203 };

bool start12(struct hs *hs)
{
    hs->hash = suite_hash(hs->n.suite, hs->n.version);
    hs->in->version = hs->out->version = hs->n.version;
    return transcript_start(&hs->transcript, hs->hash);
}

/* ---- key exchanges */

struct ske_shape shape12(const struct suite *s, uint16_t version)
{
    return (struct ske_shape){
        .hint = is_psk12(s),
        .ecdh = is_ecdhe12(s),
        .dh = is_dhe12(s),
        .algorithm = is_signed12(s) && version >= HF_TLS1_2,
        .signature = is_signed12(s),
    };
}

enum cke_kind kind12(const struct suite *s)
{
    if (s->kex == KEX_RSA)
        return CKE_RSA;
    return is_ecdhe12(s) ? CKE_ECDH : is_dhe12(s) ? CKE_DH : CKE_NONE;
}

/* ---- certificates */

enum hs_result send_certificate12(struct hs *hs)
{
    size_t mark;
    struct wr w = hs_begin(hs, MSG_CERTIFICATE, &mark);
    if (hs->credential && credential_type(hs->credential) == CERT_RAW) {
        wr_opaque24(&w, cert_der(hs->credential->chain->cert[0])); /* RFC 7250 3: no list */
        return hs_end(hs, &w, mark);
    }
    size_t list = wr_open(&w, 3);
    for (size_t i = 0; hs->credential && i < hs->credential->chain->count; i++)
        wr_opaque24(&w, cert_der(hs->credential->chain->cert[i]));
    wr_close(&w, list, 3);
    return hs_end(hs, &w, mark);
}

static enum hs_result no_certificate(struct hs *hs)
{
    if (!hs->n.server)
        return hs_fail(hs, HF_E_NO_PEER_CERTIFICATE, "a server must send at least one");
    /* TLS 1.2 has no certificate_required: "handshake_failure" (RFC 5246 7.4.6) */
    if (hs->n.config->client_auth == HF_CLIENT_AUTH_REQUIRE)
        return hs_fail(hs, HF_E_NO_CLIENT_CERTIFICATE, "its Certificate message is empty");
    transcript_drop(&hs->transcript);
    return HS_OK;
}

/* "If the client has used a Supported Elliptic Curves Extension, the public key in the server's certificate
 * MUST respect the client's choice of elliptic curves" (RFC 8422 5.3). */
static bool curve_offered(const struct hs *hs, enum key_kind kind)
{
    uint16_t curve = curve_of_key(kind);
    return curve == 0 || ids_has(&hs->n.config->groups, curve);
}

static enum hs_result check_key(struct hs *hs, const hf_certificate *leaf)
{
    const struct suite *suite = hs->n.suite;
    const struct public_key *key = cert_key(leaf);
    enum key_kind kind = public_key_kind(key);
    if (hs->n.server)
        return HS_OK;
    if (auth_of_key(kind) != suite->auth || (suite->kex == KEX_RSA && kind != KEY_RSA))
        return hs_fail(hs, HF_E_WRONG_CERTIFICATE_TYPE, "%s cannot be used with a key of %s",
                       suite->name, hf_certificate_key(leaf));
    if (!curve_offered(hs, kind))
        return hs_fail(hs, HF_E_WRONG_CERTIFICATE_TYPE,
                       "its key, %s, is on a curve that was not offered",
                       hf_certificate_key(leaf));
    if (suite->kex == KEX_RSA && !cert_allows_encipherment(leaf))
        return hs_fail(hs, HF_E_WRONG_KEY_USAGE,
                       "keyUsage of %s does not allow keyEncipherment, which %s needs",
                       hf_certificate_subject(leaf), suite->name);
    return HS_OK;
}

/* A renegotiation may not bring in another server: the application has judged the first one (RFC 7627 5.4
 * and 6.2, triple handshake). */
static enum hs_result check_same_server(struct hs *hs)
{
    const struct chain *before = hs->est->chain;
    if (hs->n.server || !hs->n.renegotiating || !before)
        return HS_OK;
    if (slice_equal(cert_der(before->cert[0]), cert_der(hs->peer_chain->cert[0])))
        return HS_OK;
    return hs_fail(hs, HF_E_CERTIFICATE_CHANGED, "from %s to %s",
                   hf_certificate_subject(before->cert[0]),
                   hf_certificate_subject(hs->peer_chain->cert[0]));
}

enum hs_result read_certificate12(struct hs *hs)
{
    struct rd_msg m;
    struct rd r = hs_reader(hs, &m);
    struct certificate_list list;
    if (!(peer_is_raw(hs) ? msg_read_raw_key12(&r, &list) : msg_read_certificate12(&r, &list)))
        return HS_FAILED;
    if (list.count == 0 && peer_is_raw(hs) && !hs->n.server)
        return hs_fail(hs, HF_E_DECODE, "a server's raw public key has at least one byte");
    if (list.count == 0)
        return no_certificate(hs);
    enum hs_result ok = keep_chain(hs, &list);
    if (ok == HS_OK)
        ok = check_key(hs, hs->peer_chain->cert[0]);
    return ok == HS_OK ? check_same_server(hs) : ok;
}

/* ---- signatures */

static enum sig_id old_signature(enum key_kind kind, uint16_t *scheme)
{
    bool rsa = kind == KEY_RSA;
    bool ec = kind == KEY_P256 || kind == KEY_P384 || kind == KEY_P521;
    *scheme = rsa ? RSA_MD5_SHA1 : ECDSA_SHA1;
    return rsa ? SIG_PKCS1_MD5_SHA1 : ec ? SIG_ECDSA_SHA1 : SIG_NONE;
}

enum hs_result sign12(struct hs *hs, struct slice tbs)
{
    if (hs->n.version >= HF_TLS1_2) {
        const struct sigalg *alg = sigalg_find(hs->scheme);
        return alg ? hs_sign(hs, hs->scheme, alg->sig, tbs)
                   : hs_fail(hs, HF_E_INTERNAL, "no scheme was chosen");
    }
    enum sig_id sig = old_signature(hs->credential->kind, &hs->scheme);
    if (sig == SIG_NONE)
        return hs_fail(hs, HF_E_NO_SHARED_SIGNATURE, "such a key cannot sign in %s",
                       name_version(hs->n.version));
    return hs_sign(hs, hs->scheme, sig, tbs);
}

enum hs_result check_signature12(struct hs *hs, uint16_t algorithm, struct slice tbs,
                                 struct slice signature)
{
    const struct public_key *key = cert_key(hs->peer_chain->cert[0]);
    enum key_kind kind = public_key_kind(key);
    enum sig_id sig;
    if (hs->n.version < HF_TLS1_2) {
        sig = old_signature(kind, &algorithm);
        if (sig == SIG_NONE)
            return hs_fail(hs, HF_E_WRONG_CERTIFICATE_TYPE, "a key of %s cannot sign in %s",
                           hf_certificate_key(hs->peer_chain->cert[0]),
                           name_version(hs->n.version));
    } else {
        const struct sigalg *alg = sigalg_find(algorithm);
        if (!alg || sigalg_is_legacy(algorithm) ||
            !ids_has(config_signing(hs->n.config, hs->n.server), algorithm))
            return hs_fail(hs, HF_E_WRONG_SIGNATURE_ALGORITHM, "%s (0x%04x) was not offered",
                           name_signature(algorithm), algorithm);
        if (!sigalg_fits12(alg, kind, public_key_bits(key)))
            return hs_fail(hs, HF_E_WRONG_SIGNATURE_ALGORITHM,
                           "%s does not fit the certificate's key (%s)", alg->name,
                           hf_certificate_key(hs->peer_chain->cert[0]));
        if (signature_refused(hs, algorithm))
            return hs_fail(hs, HF_E_WRONG_SIGNATURE_ALGORITHM, "the program does not allow %s",
                           alg->name);
        sig = alg->sig;
    }
    if (!public_key_verify(key, sig, tbs, signature))
        return hs_fail(hs, HF_E_BAD_SIGNATURE, "%s by %s", name_signature(algorithm),
                       hf_certificate_subject(hs->peer_chain->cert[0]));
    hs->est_signature = algorithm;
    hs->proved |= PROOF_SIGNATURE;
    trace_note(hs->tracer, "signature", "%s: the peer holds the certificate's key",
               name_signature(algorithm));
    return HS_OK;
}

/* ---- pre-shared keys */

/* "if the PSK is N octets long, concatenate a uint16 with the value N, N zero octets, a second uint16 with
 * the value N, and the PSK itself" (RFC 4279 2); with a key exchange its secret stands in place of the
 * zeros (RFC 4279 3, RFC 5489 2). */
size_t premaster12(const struct hs *hs, struct slice other, uint8_t *out)
{
    size_t n = other.len;
    if (!is_psk12(hs->n.suite)) {
        memcpy(out, other.p, n);
        return n;
    }
    if (hs->n.suite->kex == KEX_PSK)
        n = hs->psk_key_len;
    put_u16(out, (uint16_t)n);
    if (hs->n.suite->kex == KEX_PSK)
        memset(out + 2, 0, n);
    else
        memcpy(out + 2, other.p, n);
    put_u16(out + 2 + n, (uint16_t)hs->psk_key_len);
    memcpy(out + 4 + n, hs->psk_key, hs->psk_key_len);
    return 4 + n + hs->psk_key_len;
}

static bool take_psk(struct hs *hs, const struct psk *psk)
{
    if (!hs->n.server) {
        hs->psk_identity = mem_dup(psk->identity, psk->identity_len);
        hs->psk_identity_len = psk->identity_len;
        if (!hs->psk_identity)
            return false;
    }
    hs->psk_key = mem_dup(psk->key, psk->key_len);
    hs->psk_key_len = hs->psk_key ? psk->key_len : 0;
    return hs->psk_key != NULL;
}

enum hs_result ask_psk12(struct hs *hs)
{
    bool server = hs->n.server, nobody;
    hs->question.identity = server ? hs->psk_identity : hs->psk_hint;
    hs->question.identity_len = server ? hs->psk_identity_len : hs->psk_hint_len;
    enum hs_result r = hs_ask(hs, HF_ASK_PSK, &nobody);
    if (r != HS_OK)
        return r;
    if (!nobody) {
        hs_asked(hs);
    } else {
        struct slice identity = slice_of(hs->psk_identity, hs->psk_identity_len);
        const struct psk *psk =
            server ? config_psk(hs->n.config, identity) : config_first_psk(hs->n.config);
        if (psk && !take_psk(hs, psk))
            return hs_fail(hs, HF_E_NO_MEMORY, "pre-shared key");
    }
    if (hs->psk_key_len)
        return HS_OK;
    return server ? hs_fail(hs, HF_E_UNKNOWN_PSK, "%zu bytes of identity", hs->psk_identity_len)
                  : hs_fail(hs, HF_E_NO_PSK, "%s needs one", hs->n.suite->name);
}

/* ---- change_cipher_spec and Finished */

enum hs_result send_ccs12(struct hs *hs)
{
    static const uint8_t one = 1;
    if (!hs_flush(hs))
        return hs_fail(hs, HF_E_NO_MEMORY, "the flight's records");
    uint8_t *out = buffer_reserve(hs->output, rec_sealed_size(hs->out, REC_CCS, 1));
    size_t size = out ? rec_seal(hs->out, REC_CCS, hs->out->version, &one, 1, out) : 0;
    if (!size)
        return hs_fail(hs, out ? HF_E_CRYPTO : HF_E_NO_MEMORY, "change_cipher_spec");
    hs->output->end += size;
    trace_record(hs->tracer, true, out, size);
    trace_ccs(hs->tracer, true, &one, 1);
    return keys12_use(hs, false) ? HS_OK : HS_FAILED;
}

enum hs_result read_ccs12(struct hs *hs)
{
    /* From here on the other keys count: whatever came before it must have been complete. */
    if (buffer_len(hs->inbuf) > 0)
        return hs_fail(hs, HF_E_EXCESS_HANDSHAKE_DATA, "%zu bytes before change_cipher_spec",
                       buffer_len(hs->inbuf));
    hs->ccs_seen = true;
    return keys12_use(hs, true) ? HS_OK : HS_FAILED;
}

enum hs_result send_finished12(struct hs *hs)
{
    size_t mark;
    uint8_t *verify_data = hs->finished[hs->n.server];
    keys12_finished(hs, !hs->n.server, verify_data);
    struct wr w = hs_begin(hs, MSG_FINISHED, &mark);
    wr_bytes(&w, verify_data, FINISHED_MAX);
    return hs_end(hs, &w, mark);
}

enum hs_result read_finished12(struct hs *hs)
{
    struct rd_msg m;
    struct rd r = hs_reader(hs, &m);
    struct slice theirs;
    uint8_t *ours = hs->finished[!hs->n.server];
    /* Suites may define other lengths (RFC 5246 7.4.9): one that is wrong here is a wrong verify_data. */
    if (!msg_read_finished(&r, rd_left(&r), &theirs))
        return HS_FAILED;
    if (theirs.len != FINISHED_MAX)
        return hs_fail(hs, HF_E_BAD_FINISHED, "it has %zu bytes, not %d", theirs.len,
                       FINISHED_MAX);
    keys12_finished(hs, hs->n.server, ours);
    if (!ct_equal(ours, theirs.p, theirs.len))
        return hs_fail(hs, HF_E_BAD_FINISHED, "its verify_data differs from ours");
    hs->proved |= PROOF_FINISHED | PROOF_MASTER;
    return HS_OK;
}

/* ---- the end of it */

static unsigned proofs_needed(const struct hs *hs)
{
    const struct suite *s = hs->n.suite;
    unsigned needed = PROOF_FINISHED;
    if (hs->n.resumed12 || is_psk12(s) || s->kex == KEX_RSA)
        needed |= PROOF_MASTER;
    if (hs->n.resumed12)
        return needed;
    if (!hs->n.server && has_certificate12(s))
        needed |= proof_of_peer(hs) & ~(is_signed12(s) ? 0u : (unsigned)PROOF_SIGNATURE);
    if (hs->n.server && (hs->peer_chain || (hs->cert_requested && hs->n.config->client_auth ==
                                                                      HF_CLIENT_AUTH_REQUIRE)))
        needed |= proof_of_peer(hs);
    return needed;
}

static void keep_secrets(struct hs *hs)
{
    struct established *e = hs->est;
    memcpy(e->master, hs->secret, sizeof e->master);
    memcpy(e->randoms, hs->client_random, RANDOM_SIZE);
    memcpy(e->randoms + RANDOM_SIZE, hs->server_random, RANDOM_SIZE);
    memcpy(e->client_finished, hs->finished[0], FINISHED_MAX);
    memcpy(e->server_finished, hs->finished[1], FINISHED_MAX);
    /* With a ticket it is one that the client made up (RFC 5077 3.4), perhaps somebody else's: this
     * connection's failure must not cost that one its session. */
    bool made_up = hs->n.server && hs->n.resumed12 && hs->n.ticket.len;
    memcpy(e->session_id, hs->session_id, sizeof e->session_id);
    e->session_id_len = made_up ? 0 : hs->session_id_len;
}

enum hs_result establish12(struct hs *hs)
{
    struct established *e = hs->est;
    unsigned needed = proofs_needed(hs);
    if ((hs->proved & needed) != needed)
        return hs_fail(hs, HF_E_MISSING_PROOF, "needed 0x%x, proved 0x%x", needed, hs->proved);
    hs_establish(hs);
    if (!details_done(hs))
        return hs_fail(hs, HF_E_NO_MEMORY, "details");
    e->signature = hs->est_signature;
    if (hs->n.resumed12)
        e->group = hs->n.session->group;
    e->resumed = hs->n.resumed12;
    e->ems = hs->n.ems;
    e->etm = hs->n.etm;
    e->secure = hs->n.secure;
    keep_secrets(hs);
    return HS_OK;
}

/* ---- sessions */

/* What the handshake agreed on, to be resumed; before establish12 moves it on. */
hf_session *session_of12(const struct hs *hs)
{
    const struct nego *n = &hs->n;
    const hf_config *config = n->config;
    hf_session *s = session_new();
    if (!s)
        return NULL;
    s->version = n->version;
    s->suite = n->suite->id;
    s->group = n->group ? n->group->id : 0;
    s->signature = hs->est_signature;
    memcpy(s->secret, hs->secret, 48);
    s->secret_len = 48;
    s->ems = n->ems;
    s->max_fragment = n->max_fragment;
    s->lifetime = config->ticket_lifetime;
    s->issued_ms = config_now_ms(config);
    s->started = config_now(config);
    memcpy(s->id, hs->session_id, hs->session_id_len);
    s->id_len = hs->session_id_len;
    memcpy(s->context, config->session_context, config->session_context_len);
    s->context_len = config->session_context_len;
    struct chain *chain = hs->peer_chain;
    s->verified = chain && config->verify && (hs->proved & (PROOF_CHAIN | PROOF_RAW_KEY)) &&
                  hs->verdict.code == HF_OK;
    s->named = s->verified && !n->server && config->verify_name && !peer_is_raw(hs);
    s->own_raw = hs->credential && credential_type(hs->credential) == CERT_RAW;
    if (n->resumed12) { /* renewing does not prolong the first verification */
        const hf_session *old = n->session;
        chain = old->chain;
        s->started = old->started;
        s->verified = old->verified && hs->verdict.code == HF_OK; /* verify_resumed's */
        s->named = old->named && s->verified;
        s->own_raw = old->own_raw;
        s->group = old->group;
    }
    s->chain = chain ? chain_ref(chain) : NULL;
    s->server_name = n->server_name ? mem_strdup(n->server_name) : NULL;
    s->alpn = n->alpn ? mem_dup(n->alpn, n->alpn_len) : NULL;
    s->alpn_len = n->alpn ? n->alpn_len : 0;
    bool staple = !n->server && n->peer_ocsp_len > 0;
    s->ocsp = staple ? mem_dup(n->peer_ocsp, n->peer_ocsp_len) : NULL;
    s->ocsp_len = s->ocsp ? n->peer_ocsp_len : 0;
    if (!n->server && n->peer_scts_len)
        s->scts = mem_dup(n->peer_scts, n->peer_scts_len);
    s->scts_len = s->scts ? n->peer_scts_len : 0;
    if ((n->server_name && !s->server_name) || (n->alpn && !s->alpn) || (staple && !s->ocsp)) {
        hf_session_free(s);
        return NULL;
    }
    return s;
}

/* "the pre-master secret is ... used ... with leading bytes of Z that contain all zero bits stripped" (RFC
 * 5246 8.1.2). That makes the time depend on the secret; with keys that are used once nobody can ask twice
 * (Raccoon 2020). Secrets of curves keep their zeros (RFC 8422 5.10). */
struct slice shared_number12(const struct hs *hs)
{
    struct slice z = slice_of(hs->shared, hs->shared_len);
    while (is_dhe12(hs->n.suite) && z.len > 1 && z.p[0] == 0) {
        z.p++;
        z.len--;
    }
    return z;
}
