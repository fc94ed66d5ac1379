/* auth13.c: Certificate, CertificateVerify and Finished, which are the same in both roles
 * (RFC 8446 4.4). */
#include "bytes/names.h"
#include "config/security.h"
#include "extension/application.h"
#include "handshake/later13.h"

/* ---- ours */

static void write_entries(struct hs *hs, struct wr *w)
{
    size_t list = wr_open(w, 3);
    for (size_t i = 0; hs->credential && i < hs->credential->chain->count && wr_ok(w); i++) {
        wr_opaque24(w, cert_der(hs->credential->chain->cert[i]));
        bool staple =
            i == 0 && hs->n.server && hs->n.ocsp_asked && hs->credential->ocsp_len > 0;
        hs->n.sct_list = i == 0 && hs->n.server && hs->n.sct_asked
                             ? slice_of(hs->credential->scts, hs->credential->scts_len)
                             : (struct slice){0};
        hs->n.ocsp_staple = staple ? slice_of(hs->credential->ocsp, hs->credential->ocsp_len)
                                   : (struct slice){0};
        hs->n.entry = i;
        hs->n.certificate = hs->credential->chain->cert[i];
        ext_write(&hs->n, w, IN_CT);
        hs->n.entry = 0;
        hs->n.certificate = NULL;
    }
    wr_close(w, list, 3);
}

void write_certificate_body13(struct hs *hs, struct wr *w)
{
    wr_opaque8(w, slice_of(hs->request_context, hs->request_context_len));
    write_entries(hs, w);
}

enum hs_result send_certificate13(struct hs *hs)
{
    size_t mark;
    struct wr w = hs_begin(hs, MSG_CERTIFICATE, &mark);
    write_certificate_body13(hs, &w);
    return hs_end(hs, &w, mark);
}

/* "The digital signature is then computed over the concatenation of: a string that consists of octet
 * 32 repeated 64 times, the context string, a single 0 byte ..., the content to be signed"
 *                                                                            RFC 8446 4.4.3 */
#define TBS_MAX (64 + 33 + 1 + HASH_MAX_SIZE)

static size_t to_be_signed(const struct hs *hs, bool server, uint8_t out[TBS_MAX])
{
    static const char by_server[] = "TLS 1.3, server CertificateVerify";
    static const char by_client[] = "TLS 1.3, client CertificateVerify";
    memset(out, 32, 64);
    memcpy(out + 64, server ? by_server : by_client, sizeof by_server); /* with its 0 byte */
    transcript_digest(&hs->transcript, out + 64 + sizeof by_server);
    return 64 + sizeof by_server + hash_size(hs->hash);
}

enum hs_result sign13(struct hs *hs)
{
    uint8_t tbs[TBS_MAX];
    size_t len = to_be_signed(hs, hs->n.server, tbs);
    const struct sigalg *alg = sigalg_find(hs->scheme);
    return alg ? hs_sign(hs, hs->scheme, alg->sig, slice_of(tbs, len))
               : hs_fail(hs, HF_E_INTERNAL, "no scheme was chosen");
}

enum hs_result send_certificate_verify13(struct hs *hs)
{
    size_t mark;
    struct wr w = hs_begin(hs, MSG_CERTIFICATE_VERIFY, &mark);
    wr_u16(&w, hs->scheme);
    wr_opaque16(&w, slice_of(hs->signature, hs->signature_len));
    return hs_end(hs, &w, mark);
}

enum hs_result send_finished13(struct hs *hs)
{
    size_t mark;
    uint8_t *verify_data = hs->finished[hs->n.server];
    keys13_finished(hs, hs->n.server ? hs->server_hs : hs->client_hs, verify_data);
    struct wr w = hs_begin(hs, MSG_FINISHED, &mark);
    wr_bytes(&w, verify_data, hash_size(hs->hash));
    return hs_end(hs, &w, mark);
}

/* ---- the peer's */

static bool must_authenticate(const struct hs *hs)
{
    return hs->later ? hs->later->require : hs->n.config->client_auth == HF_CLIENT_AUTH_REQUIRE;
}

static enum hs_result no_certificate(struct hs *hs)
{
    if (!hs->n.server)
        return hs_fail(hs, HF_E_NO_PEER_CERTIFICATE, "a server must send at least one");
    if (must_authenticate(hs))
        return hs_fail(hs, HF_E_CERTIFICATE_REQUIRED, "its Certificate message is empty");
    return HS_OK;
}

static enum hs_result check_leaf(struct hs *hs, const hf_certificate *leaf)
{
    if (!cert_key(leaf))
        return hs_fail(hs, HF_E_UNSUPPORTED_CERTIFICATE,
                       "the key of %s is of a kind that handfast does not know",
                       hf_certificate_subject(leaf));
    bool encrypts = !hs->n.server && hs->n.suite && hs->n.suite->kex == KEX_RSA;
    if (!encrypts && !cert_allows_signing(leaf))
        return hs_fail(hs, HF_E_UNSUPPORTED_CERTIFICATE,
                       "keyUsage of %s does not allow digital signatures (RFC 5280 4.2.1.3)",
                       hf_certificate_subject(leaf));
    return HS_OK;
}

enum hs_result keep_chain(struct hs *hs, struct certificate_list *list)
{
    hf_certificate *certs[MSG_MAX_CERTIFICATES] = {0};
    size_t count = 0;
    enum hs_result r = HS_OK;
    if (list->count > hs->n.config->max_chain)
        return hs_fail(hs, HF_E_CHAIN_TOO_LONG, "%zu certificates, at most %u are allowed",
                       list->count, hs->n.config->max_chain);
    for (; count < list->count && r == HS_OK; count++) {
        struct slice data = list->entry[count].data;
        certs[count] = peer_is_raw(hs) ? raw_key_from_spki(data, hs->n.err)
                                       : cert_from_der(data, hs->n.err);
        if (!certs[count])
            r = HS_FAILED;
    }
    if (r == HS_OK)
        r = check_leaf(hs, certs[0]);
    if (r == HS_OK && !(hs->peer_chain = chain_new(certs, count)))
        r = hs_fail(hs, HF_E_NO_MEMORY, "certificate chain");
    while (count > 0)
        hf_certificate_free(certs[--count]);
    return r;
}

/* A response to extensions of our request (4.4.2): what the first entry has counts, of others only what is the
 * application's; and its callback wants to know of which certificate it is. */
static bool take_entry(struct hs *hs, const struct ext_values *v, size_t i, struct slice data)
{
    hf_certificate *cert = NULL;
    if (hs->n.config->applications && !peer_is_raw(hs) &&
        !(cert = cert_from_der(data, hs->n.err)))
        return false;
    hs->n.entry = i;
    hs->n.certificate = cert;
    bool ok = i > 0 ? application_take(&hs->n, v, IN_CT) : ext_take(&hs->n, v, IN_CT);
    hs->n.entry = 0;
    hs->n.certificate = NULL;
    hf_certificate_free(cert);
    return ok;
}

enum hs_result read_certificate_body13(struct hs *hs, struct rd *r)
{
    struct certificate_list list;
    struct ext_values v;
    bool ok = peer_is_raw(hs) ? msg_read_raw_key(r, &list) : msg_read_certificate(r, &list);
    for (size_t i = 0; ok && i < list.count; i++) {
        ok = ext_read(&hs->n, &list.entry[i].extensions, IN_CT, &v) &&
             take_entry(hs, &v, i, list.entry[i].data);
    }
    if (!ok)
        return HS_FAILED;
    /* "If this message is in response to a CertificateRequest, the value of certificate_request_context in that
     * message. Otherwise (in the case of server authentication), this field SHALL be zero length" (4.4.2):
     * in the handshake it is empty both ways. */
    if (!slice_equal(list.context, slice_of(hs->request_context, hs->request_context_len))) {
        rd_bad(r, HF_E_ILLEGAL_VALUE, "certificate_request_context %s",
               hs->later ? "is not that of the request" : "is not empty in the handshake");
        return HS_FAILED;
    }
    return list.count == 0 ? no_certificate(hs) : keep_chain(hs, &list);
}

enum hs_result read_certificate13(struct hs *hs)
{
    struct rd_msg m;
    struct rd r = hs_reader(hs, &m);
    return read_certificate_body13(hs, &r);
}

/* A raw public key has no name, no dates and no issuer: it is known, or it is not. */
static bool judge_raw_key(struct hs *hs)
{
    const hf_config *config = hs->n.config;
    const hf_certificate *raw = hs->peer_chain->cert[0];
    const struct public_key *key = cert_key(raw);
    if (!config->verify)
        return chain_pinned(hs->peer_chain, config->rules, &hs->verdict);
    if (!security_allows_key(config->security_level, public_key_kind(key),
                             public_key_bits(key)))
        return err_set(&hs->verdict, HF_E_WEAK_CERTIFICATE,
                       "%s is too weak for security level %d", hf_certificate_key(raw),
                       config->security_level);
    return raw_key_verify(hs->peer_chain, config->trust, config->rules, &hs->verdict);
}

/* Chain and name, by the library's rules; then the application may have its say. */
static bool judge_chain(struct hs *hs)
{
    const hf_config *config = hs->n.config;
    struct verify_options o = {0};
    if (cert_is_raw(hs->peer_chain->cert[0]))
        return judge_raw_key(hs);
    if (!config->verify)
        return chain_pinned(hs->peer_chain, config->rules, &hs->verdict);
    if (!config->trust)
        return err_set(&hs->verdict, HF_E_CONFIG, "no trust anchors are configured");
    o.name = !hs->n.server && config->verify_name ? hs->n.server_name : NULL;
    o.server = !hs->n.server;
    o.depth = config->verify_depth;
    o.now = config_now(config);
    o.level = config->security_level;
    o.rules = config->rules;
    o.conn = hs->n.conn;
    o.ocsp = slice_of(hs->n.peer_ocsp, hs->n.peer_ocsp_len);
    o.ocsp_not_asked = !(hs->n.sent >> X_STATUS_REQUEST & 1);
    o.require_ocsp = !hs->n.server && config->ocsp == HF_OCSP_REQUIRE;
    return chain_verify(hs->peer_chain, config->trust, &o, &hs->verdict);
}

enum hs_result verify_peer13(struct hs *hs)
{
    bool nobody, good = !hs->asked_back && judge_chain(hs);
    if (hs->asked_back)
        good = hs->verdict.code == HF_OK;
    hs->question.verdict = good ? NULL : &hs->verdict;
    enum hs_result r = hs_ask(hs, HF_ASK_VERIFY, &nobody);
    if (r != HS_OK)
        return r;
    if (!nobody) {
        bool accept = hs->answer_accept;
        hs_asked(hs);
        /* A fault that was let pass is not why; a refusal from libssl says itself why. */
        if (!accept && good && hs->verdict.code != HF_E_VERIFY_REFUSED)
            return hs_fail(hs, HF_E_VERIFY_REFUSED, "%s",
                           hf_certificate_subject(hs->peer_chain->cert[0]));
        good = accept;
    }
    if (!good) {
        *hs->n.err = hs->verdict;
        return HS_FAILED;
    }
    hs->proved |= cert_is_raw(hs->peer_chain->cert[0]) ? PROOF_RAW_KEY : PROOF_CHAIN;
    return HS_OK;
}

static enum hs_result check_scheme(struct hs *hs, uint16_t scheme, const struct public_key *key)
{
    const struct sigalg *alg = sigalg_find(scheme);
    bool may = alg && (alg->handshake || (hs->n.server && sigalg_is_legacy(scheme)));
    if (!may || !ids_has(config_signing(hs->n.config, hs->n.server), scheme))
        return hs_fail(hs, HF_E_WRONG_SIGNATURE_ALGORITHM,
                       "%s (0x%04x) was not offered for the handshake", name_signature(scheme),
                       scheme);
    if (!sigalg_fits(alg, public_key_kind(key), public_key_bits(key)))
        return hs_fail(hs, HF_E_WRONG_SIGNATURE_ALGORITHM,
                       "%s does not fit the certificate's key (%s)", alg->name,
                       hf_certificate_key(hs->peer_chain->cert[0]));
    if (signature_refused(hs, scheme))
        return hs_fail(hs, HF_E_WRONG_SIGNATURE_ALGORITHM, "the program does not allow %s",
                       alg->name);
    return HS_OK;
}

enum hs_result read_certificate_verify13(struct hs *hs)
{
    struct rd_msg m;
    struct rd r = hs_reader(hs, &m);
    struct certificate_verify cv;
    if (!msg_read_certificate_verify(&r, &cv))
        return HS_FAILED;
    const struct public_key *key = cert_key(hs->peer_chain->cert[0]);
    enum hs_result fits = check_scheme(hs, cv.algorithm, key);
    if (fits != HS_OK)
        return fits;
    uint8_t tbs[TBS_MAX];
    size_t len = to_be_signed(hs, !hs->n.server, tbs);
    if (!public_key_verify(key, sigalg_find(cv.algorithm)->sig, slice_of(tbs, len),
                           cv.signature))
        return hs_fail(hs, HF_E_BAD_SIGNATURE, "%s by %s", name_signature(cv.algorithm),
                       hf_certificate_subject(hs->peer_chain->cert[0]));
    hs->est->signature = cv.algorithm;
    hs->proved |= PROOF_SIGNATURE;
    trace_note(hs->tracer, "signature", "%s: the peer holds the certificate's key",
               name_signature(cv.algorithm));
    return HS_OK;
}

enum hs_result read_finished13(struct hs *hs)
{
    struct rd_msg m;
    struct rd r = hs_reader(hs, &m);
    struct slice theirs;
    uint8_t *ours = hs->finished[!hs->n.server];
    if (!msg_read_finished(&r, hash_size(hs->hash), &theirs))
        return HS_FAILED;
    keys13_finished(hs, hs->n.server ? hs->client_hs : hs->server_hs, ours);
    if (!ct_equal(ours, theirs.p, theirs.len))
        return hs_fail(hs, HF_E_BAD_FINISHED, "its HMAC over the handshake differs from ours");
    hs->proved |= PROOF_FINISHED;
    return HS_OK;
}

/* ---- the end of it */

unsigned proofs_needed13(const struct hs *hs)
{
    unsigned needed = PROOF_FINISHED;
    if (hs->n.psk)
        return needed | (hs->n.server ? PROOF_BINDER : 0u);
    bool must = !hs->n.server || must_authenticate(hs);
    if (must || hs->peer_chain)
        needed |= proof_of_peer(hs);
    return needed;
}

bool proofs_complete13(struct hs *hs)
{
    unsigned needed = proofs_needed13(hs);
    if ((hs->proved & needed) == needed)
        return true;
    hs_fail(hs, HF_E_MISSING_PROOF, "needed 0x%x, proved 0x%x", needed, hs->proved);
    return false;
}

void limit_records13(struct hs *hs)
{
    if (!hs->n.record_limit_agreed)
        return;
    /* Both count the byte of the content type and the padding. */
    hs->out->max_plain = hs->n.peer_record_limit;
    if (hs->n.config->record_size_limit)
        hs->in->max_plain = (uint16_t)(hs->n.config->record_size_limit + 1);
}

bool establish13(struct hs *hs)
{
    bool external = hs->n.psk && hs->n.session->kind != PSK_RESUMPTION;
    if (external) {
        hs->psk_identity = mem_dup(hs->n.session->ticket, hs->n.session->ticket_len);
        hs->psk_identity_len = hs->n.session->ticket_len;
    }
    hs_establish(hs);
    if (!details_done(hs)) {
        hs_fail(hs, HF_E_NO_MEMORY, "details");
        return false;
    }
    if (!later_keep(hs))
        return false;
    hs->est->resumed = hs->n.psk && !external;
    hs->est->ems = true; /* TLS 1.3's secrets depend on the whole handshake by themselves */
    hs->est->secure = true;
    hs->out->pad_block = hs->n.config->padding;
    return true;
}
