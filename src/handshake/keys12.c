/* keys12.c: the secrets of TLS 1.2 and older (RFC 5246 5, 6.3, 8.1). */
#include "crypto/prf.h"
#include "handshake/hs.h"

#define MASTER_SIZE 48
#define IV_MAX      16

static struct slice master_of(const struct hs *hs)
{
    return slice_of(hs->secret, MASTER_SIZE);
}

/* master_secret = PRF(pre_master_secret, "master secret",
 *                     ClientHello.random + ServerHello.random)[0..47]        RFC 5246 8.1
 * master_secret = PRF(pre_master_secret, "extended master secret", session_hash)[0..47]
 *                                                                            RFC 7627 4 */
void keys12_master(struct hs *hs, const uint8_t *premaster, size_t len)
{
    struct slice secret = slice_of(premaster, len);
    trace_secret(hs->tracer, "pre_master_secret", premaster, len, "RFC 5246 8.1");
    if (hs->n.ems) {
        uint8_t digest[HASH_MAX_SIZE];
        transcript_digest(&hs->transcript, digest);
        prf(hs->hash, secret, "extended master secret", slice_of(digest, hash_size(hs->hash)),
            (struct slice){0}, hs->secret, MASTER_SIZE);
        return;
    }
    prf(hs->hash, secret, "master secret", slice_of(hs->client_random, RANDOM_SIZE),
        slice_of(hs->server_random, RANDOM_SIZE), hs->secret, MASTER_SIZE);
}

/* How the key block is cut: MAC keys, keys, IVs, each the client's first. */
struct sizes {
    size_t mac, key, iv;
};

static struct sizes sizes_of(const struct suite *s, uint16_t version)
{
    if (s->aead == AEAD_CHACHA20_POLY1305)
        return (struct sizes){0, aead_key_size(s->aead), 12};
    if (s->aead)
        return (struct sizes){0, aead_key_size(s->aead), 4};
    bool chained = s->cbc != CBC_NULL && version < HF_TLS1_1;
    return (struct sizes){hash_size(s->mac), cbc_key_size(s->cbc), chained ? IV_MAX : 0};
}

/* key_block = PRF(SecurityParameters.master_secret, "key expansion",
 *                 SecurityParameters.server_random + SecurityParameters.client_random);
 *                                                                            RFC 5246 6.3 */
static void expand(enum hash_id hash, const uint8_t *master, struct slice client_random,
                   struct slice server_random, const struct sizes *z, uint8_t *block)
{
    prf(hash, slice_of(master, MASTER_SIZE), "key expansion", server_random, client_random,
        block, 2 * (z->mac + z->key + z->iv));
}

/* The parts of one direction. */
static bool put_keys(struct rec_half *half, const struct suite *s, uint16_t version, bool etm,
                     const uint8_t *block, bool client, bool seal)
{
    struct sizes z = sizes_of(s, version);
    const uint8_t *mac = block + (client ? 0 : z.mac);
    const uint8_t *key = block + 2 * z.mac + (client ? 0 : z.key);
    const uint8_t *iv = block + 2 * z.mac + 2 * z.key + (client ? 0 : z.iv);
    if (s->aead)
        return rec_set_tls12(half, s->aead, key, iv, seal);
    struct rec_cbc_keys keys = {.version = version,
                                .cipher = s->cbc,
                                .mac = s->mac,
                                .etm = etm,
                                .mac_key = mac,
                                .key = key,
                                .iv = iv};
    return rec_set_cbc(half, &keys, seal);
}

static void show_master(const struct hs *hs)
{
    trace_secret(hs->tracer, "master_secret", hs->secret, MASTER_SIZE, "RFC 5246 8.1");
    if (config_has_keylog(hs->n.config))
        config_keylog(hs->n.config, hs->n.conn, "CLIENT_RANDOM", hs->client_random, hs->secret,
                      MASTER_SIZE);
}

static void show_block(const struct hs *hs, const struct sizes *z)
{
    static const char *const names[] = {"client_write_MAC_key", "server_write_MAC_key",
                                        "client_write_key",     "server_write_key",
                                        "client_write_IV",      "server_write_IV"};
    const size_t sizes[] = {z->mac, z->mac, z->key, z->key, z->iv, z->iv};
    const uint8_t *at = hs->key_block;
    trace_secret(hs->tracer, "key_block", at, 2 * (z->mac + z->key + z->iv), "RFC 5246 6.3");
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; at += sizes[i], i++)
        if (sizes[i])
            trace_secret(hs->tracer, names[i], at, sizes[i], "RFC 5246 6.3");
}

static void make_block(struct hs *hs)
{
    struct sizes z = sizes_of(hs->n.suite, hs->n.version);
    show_master(hs);
    expand(hs->hash, hs->secret, slice_of(hs->client_random, RANDOM_SIZE),
           slice_of(hs->server_random, RANDOM_SIZE), &z, hs->key_block);
    show_block(hs, &z);
    hs->keys_made = true;
}

/* A record size limit counts content here, and only protected records have it (RFC 8449 4); that of
 * max_fragment_length counts for all (RFC 6066 4). */
static void limit_records(struct hs *hs, struct rec_half *half, bool read)
{
    struct nego *n = &hs->n;
    half->max_plain = 0;
    /* A hello that may reach TLS 1.3 counts the type byte (RFC 8449 4): a TLS 1.2 peer takes that number as it
     * stands. */
    unsigned ours = n->config->record_size_limit +
                    (n->config->body.version_max >= HF_TLS1_3 && !n->server ? 1u : 0u);
    if (n->record_limit_agreed)
        half->max_plain = read ? (uint16_t)ours : n->peer_record_limit;
    else if (n->max_fragment)
        half->max_plain = n->max_fragment;
}

bool keys12_use(struct hs *hs, bool read)
{
    struct rec_half *half = read ? hs->in : hs->out;
    /* "if a server or client had negotiated encrypt-then-MAC ... it MUST NOT" go back in a renegotiation (RFC
     * 7366 3.1). */
    if (hs->n.had_etm && !hs->n.etm && !hs->n.suite->aead) {
        hs_fail(hs, HF_E_ILLEGAL_VALUE, "encrypt_then_mac was used before the renegotiation");
        return false;
    }
    if (!hs->keys_made)
        make_block(hs);
    if (!put_keys(half, hs->n.suite, hs->n.version, hs->n.etm, hs->key_block,
                  hs->n.server == read, !read)) {
        hs_fail(hs, HF_E_CRYPTO, "libcrypto gave no context for %s", hs->n.suite->name);
        return false;
    }
    half->version = hs->n.version;
    limit_records(hs, half, read);
    trace_keys(hs->tracer, !read, "application");
    return true;
}

/* verify_data = PRF(master_secret, finished_label, Hash(handshake_messages))
 *                   [0..verify_data_length-1];                               RFC 5246 7.4.9 */
void keys12_finished(const struct hs *hs, bool client, uint8_t out[FINISHED_MAX])
{
    uint8_t digest[HASH_MAX_SIZE];
    transcript_digest(&hs->transcript, digest);
    prf(hs->hash, master_of(hs), client ? "client finished" : "server finished",
        slice_of(digest, hash_size(hs->hash)), (struct slice){0}, out, FINISHED_MAX);
}

/* ---- of finished handshakes */

bool after12_rekey(const struct established *e, struct rec_half *half, bool read)
{
    uint8_t block[2 * (AEAD_MAX_KEY + AEAD_NONCE_SIZE)];
    struct sizes z = sizes_of(e->suite, e->version);
    bool client = e->server == read;
    expand(suite_hash(e->suite, e->version), e->master, slice_of(e->randoms, RANDOM_SIZE),
           slice_of(e->randoms + RANDOM_SIZE, RANDOM_SIZE), &z, block);
    bool ok = rec_rekey(half, block + (client ? 0 : z.key),
                        block + 2 * z.key + (client ? 0 : z.iv), !read);
    wipe(block, sizeof block);
    return ok;
}

/* PRF(SecurityParameters.master_secret, label,
 *     SecurityParameters.client_random + SecurityParameters.server_random +
 *     context_value_length + context_value)[length]                          RFC 5705 4 */
bool after12_export(const struct established *e, const char *label, const uint8_t *context,
                    size_t context_len, uint8_t *out, size_t len)
{
    struct buffer b = {0};
    if (context_len > 65535)
        return false;
    if (context) {
        uint8_t *p = buffer_reserve(&b, 2 + context_len);
        if (!p)
            return false;
        put_u16(p, (uint16_t)context_len);
        if (context_len)
            memcpy(p + 2, context, context_len);
        b.end += 2 + context_len;
    }
    prf(suite_hash(e->suite, e->version), slice_of(e->master, MASTER_SIZE), label,
        slice_of(e->randoms, sizeof e->randoms), slice_of(buffer_front(&b), buffer_len(&b)),
        out, len);
    buffer_clear(&b);
    return true;
}
