/* keys13.c: the key schedule of TLS 1.3 (RFC 8446 7). */
#include "handshake/hs.h"

/* struct {
 *     uint16 length = Length;
 *     opaque label<7..255> = "tls13 " + Label;
 *     opaque context<0..255> = Context;
 * } HkdfLabel;                                                               RFC 8446 7.1 */
void expand_label(enum hash_id hash, const uint8_t *secret, const char *label,
                  struct slice context, uint8_t *out, size_t n)
{
    uint8_t info[2 + 1 + 255 + 1 + 255];
    size_t label_len = strlen(label), at = 0;
    put_u16(info, (uint16_t)n);
    info[2] = (uint8_t)(6 + label_len);
    memcpy(info + 3, "tls13 ", 6);
    memcpy(info + 9, label, label_len);
    at = 9 + label_len;
    info[at++] = (uint8_t)context.len;
    if (context.len)
        memcpy(info + at, context.p, context.len);
    hkdf_expand(hash, secret, slice_of(info, at + context.len), out, n);
}

/* Derive-Secret(Secret, Label, Messages) with Messages' hash given (7.1). */
static void derive_secret(enum hash_id hash, const uint8_t *secret, const char *label,
                          const uint8_t *digest, uint8_t *out)
{
    size_t len = hash_size(hash);
    expand_label(hash, secret, label, slice_of(digest, len), out, len);
}

static void derive_over_nothing(enum hash_id hash, const uint8_t *secret, const char *label,
                                uint8_t *out)
{
    uint8_t empty[HASH_MAX_SIZE];
    hash_once(hash, "", 0, empty);
    derive_secret(hash, secret, label, empty, out);
}

/* "derived": from one stage's secret to the next one's salt. */
static void next_stage(struct hs *hs, struct slice ikm)
{
    uint8_t salt[HASH_MAX_SIZE];
    derive_over_nothing(hs->hash, hs->secret, "derived", salt);
    hkdf_extract(hs->hash, slice_of(salt, hash_size(hs->hash)), ikm, hs->secret);
    wipe(salt, sizeof salt);
}

static void show(const struct hs *hs, const char *name, const uint8_t *secret)
{
    trace_secret(hs->tracer, name, secret, hash_size(hs->hash), "RFC 8446 7.1");
}

static void keylog(const struct hs *hs, const char *label, const uint8_t *secret)
{
    if (config_has_keylog(hs->n.config))
        config_keylog(hs->n.config, hs->n.conn, label, hs->client_random, secret,
                      hash_size(hs->hash));
}

static void early_secret(const hf_session *s, enum hash_id hash, uint8_t *out)
{
    if (s->kind != PSK_RESUMPTION) /* made when the key was configured */
        memcpy(out, s->secret, s->secret_len);
    else
        hkdf_extract(hash, (struct slice){0}, slice_of(s->secret, s->secret_len), out);
}

bool keys13_early(struct hs *hs)
{
    if (hs->n.psk)
        early_secret(hs->n.session, hs->hash, hs->secret);
    else
        hkdf_extract(hs->hash, (struct slice){0}, (struct slice){0}, hs->secret);
    show(hs, "early_secret", hs->secret);
    return true;
}

bool keys13_handshake(struct hs *hs)
{
    uint8_t digest[HASH_MAX_SIZE];
    next_stage(hs, slice_of(hs->shared_len ? hs->shared : NULL, hs->shared_len));
    transcript_digest(&hs->transcript, digest);
    derive_secret(hs->hash, hs->secret, "c hs traffic", digest, hs->client_hs);
    derive_secret(hs->hash, hs->secret, "s hs traffic", digest, hs->server_hs);
    if (hs->shared_len)
        trace_secret(hs->tracer, "shared_secret", hs->shared, hs->shared_len, "RFC 8446 7.4");
    wipe(hs->shared, sizeof hs->shared);
    hs->shared_len = 0;
    show(hs, "handshake_secret", hs->secret);
    show(hs, "client_handshake_traffic_secret", hs->client_hs);
    show(hs, "server_handshake_traffic_secret", hs->server_hs);
    keylog(hs, "CLIENT_HANDSHAKE_TRAFFIC_SECRET", hs->client_hs);
    keylog(hs, "SERVER_HANDSHAKE_TRAFFIC_SECRET", hs->server_hs);
    return true;
}

bool keys13_master(struct hs *hs)
{
    struct established *e = hs->est;
    uint8_t digest[HASH_MAX_SIZE], client[HASH_MAX_SIZE], server[HASH_MAX_SIZE];
    size_t len = hash_size(hs->hash);
    next_stage(hs, (struct slice){0});
    transcript_digest(&hs->transcript, digest);
    derive_secret(hs->hash, hs->secret, "c ap traffic", digest, client);
    derive_secret(hs->hash, hs->secret, "s ap traffic", digest, server);
    derive_secret(hs->hash, hs->secret, "exp master", digest, e->exporter);
    memcpy(e->read_secret, hs->n.server ? client : server, len);
    memcpy(e->write_secret, hs->n.server ? server : client, len);
    show(hs, "master_secret", hs->secret);
    show(hs, "client_application_traffic_secret_0", client);
    show(hs, "server_application_traffic_secret_0", server);
    show(hs, "exporter_master_secret", e->exporter);
    keylog(hs, "CLIENT_TRAFFIC_SECRET_0", client);
    keylog(hs, "SERVER_TRAFFIC_SECRET_0", server);
    keylog(hs, "EXPORTER_SECRET", e->exporter);
    wipe(client, sizeof client);
    wipe(server, sizeof server);
    return true;
}

bool keys13_resumption(struct hs *hs)
{
    uint8_t digest[HASH_MAX_SIZE];
    transcript_digest(&hs->transcript, digest);
    derive_secret(hs->hash, hs->secret, "res master", digest, hs->est->resumption);
    show(hs, "resumption_master_secret", hs->est->resumption);
    return true;
}

static bool put_keys(struct rec_half *half, const struct suite *suite, const uint8_t *secret,
                     bool seal, bool keep_seq)
{
    uint8_t key[AEAD_MAX_KEY], iv[AEAD_NONCE_SIZE];
    expand_label(suite->hash, secret, "key", (struct slice){0}, key,
                 aead_key_size(suite->aead));
    expand_label(suite->hash, secret, "iv", (struct slice){0}, iv, sizeof iv);
    bool ok = keep_seq ? rec_rekey(half, key, iv, seal)
                       : rec_set_tls13(half, suite->aead, key, iv, seal);
    wipe(key, sizeof key);
    wipe(iv, sizeof iv);
    return ok;
}

/* Derive-Secret(Early Secret, "c e traffic", ClientHello)                    RFC 8446 7.1 */
void keys13_early_traffic(struct hs *hs, const hf_session *session)
{
    const struct suite *suite = suite_find(session->suite);
    enum hash_id hash = suite ? suite->hash : HASH_SHA256;
    const struct buffer *kept =
        &hs->transcript.kept; /* the suite is not agreed yet: all is kept */
    uint8_t early[HASH_MAX_SIZE], digest[HASH_MAX_SIZE];
    hkdf_extract(hash, (struct slice){0}, slice_of(session->secret, session->secret_len),
                 early);
    hash_once(hash, buffer_front(kept), buffer_len(kept), digest);
    derive_secret(hash, early, "c e traffic", digest, hs->early);
    derive_secret(hash, early, "e exp master", digest, hs->early_exporter);
    wipe(early, sizeof early);
    trace_secret(hs->tracer, "client_early_traffic_secret", hs->early, hash_size(hash),
                 "RFC 8446 7.1");
    if (config_has_keylog(hs->n.config))
        config_keylog(hs->n.config, hs->n.conn, "CLIENT_EARLY_TRAFFIC_SECRET",
                      hs->client_random, hs->early, hash_size(hash));
    if (config_has_keylog(hs->n.config))
        config_keylog(hs->n.config, hs->n.conn, "EARLY_EXPORTER_SECRET", hs->client_random,
                      hs->early_exporter, hash_size(hash));
}

bool keys13_use_early(struct hs *hs, bool read, const hf_session *session)
{
    const struct suite *suite = suite_find(session->suite);
    if (!suite || !put_keys(read ? hs->in : hs->out, suite, hs->early, !read, false)) {
        hs_fail(hs, HF_E_CRYPTO, "libcrypto gave no context for early data");
        return false;
    }
    trace_keys(hs->tracer, !read, "early");
    return true;
}

bool keys13_use(struct hs *hs, bool read, const uint8_t *secret, const char *name)
{
    if (read && buffer_len(hs->inbuf) > 0) {
        hs_fail(hs, HF_E_EXCESS_HANDSHAKE_DATA, "%zu bytes after %s", buffer_len(hs->inbuf),
                msg_name(hs->msg.type));
        return false;
    }
    if (!read && !hs_flush(hs)) {
        hs_fail(hs, HF_E_NO_MEMORY, "the flight's records");
        return false;
    }
    if (!put_keys(read ? hs->in : hs->out, hs->n.suite, secret, !read, false)) {
        hs_fail(hs, HF_E_CRYPTO, "libcrypto gave no context for %s", hs->n.suite->name);
        return false;
    }
    trace_keys(hs->tracer, !read, name);
    return true;
}

bool established_rekey(const struct established *e, struct rec_half *half, bool read,
                       bool keep_seq)
{
    return put_keys(half, e->suite, read ? e->read_secret : e->write_secret, !read, keep_seq);
}

/* finished_key = HKDF-Expand-Label(BaseKey, "finished", "", Hash.length)
 * verify_data = HMAC(finished_key, Transcript-Hash(...))                     RFC 8446 4.4.4 */
void keys13_finished_over(enum hash_id hash, const uint8_t *base, const uint8_t *digest,
                          uint8_t *out)
{
    uint8_t key[HASH_MAX_SIZE];
    size_t len = hash_size(hash);
    expand_label(hash, base, "finished", (struct slice){0}, key, len);
    hmac(hash, key, len, slice_of(digest, len), (struct slice){0}, (struct slice){0}, out);
    wipe(key, sizeof key);
}

void keys13_finished(const struct hs *hs, const uint8_t *base, uint8_t *out)
{
    uint8_t digest[HASH_MAX_SIZE];
    transcript_digest(&hs->transcript, digest);
    keys13_finished_over(hs->hash, base, digest, out);
}

void keys13_binder(const struct hs *hs, const hf_session *session, struct slice partial,
                   uint8_t *out)
{
    const struct suite *suite = suite_find(session->suite);
    static const char *const labels[] = {[PSK_RESUMPTION] = "res binder",
                                         [PSK_EXTERNAL] = "ext binder",
                                         [PSK_IMPORTED] = "imp binder"}; /* RFC 9258 5.2 */
    enum hash_id hash = suite ? suite->hash : HASH_SHA256;
    uint8_t early[HASH_MAX_SIZE], key[HASH_MAX_SIZE], digest[HASH_MAX_SIZE];
    struct hash h = hs->before;
    if (h.id == HASH_NONE)
        hash_init(&h, hash);
    hash_update(&h, partial.p, partial.len);
    hash_digest(&h, digest);
    early_secret(session, hash, early);
    derive_over_nothing(hash, early, labels[session->kind], key);
    keys13_finished_over(hash, key, digest, out);
    wipe(early, sizeof early);
    wipe(key, sizeof key);
}
