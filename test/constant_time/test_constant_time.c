/* No branch and no look-up of ours depends on a secret. Run under memcheck, which takes secrets for
 * uninitialised bytes (wrap.h). Built with SABOTAGE the comparisons are ones that stop early, and every
 * test that compares must make memcheck complain: otherwise its silence would mean nothing. */
#include "../unit/check.h"

#include "../fuzz/ends.h"
#include "config/ticket.h"
#include "crypto/hash.h"
#include "crypto/kx.h"
#include "wrap.h"

static unsigned before;

static void begin(void)
{
    before = errors_so_far();
    wrap_secrets = 0;
}

static void expect_silence(void)
{
    CHECK_INT(errors_so_far() - before, 0);
}

/* For what ends in a comparison. */
static void expect(void)
{
#ifdef SABOTAGE
    CHECK(errors_so_far() > before);
#else
    expect_silence();
#endif
}

#define NEED_MEMCHECK()                                                                        \
    do {                                                                                       \
        if (!under_memcheck())                                                                 \
            SKIP("runs only under valgrind's memcheck: use the test's own runner");            \
        begin();                                                                               \
    } while (0)

static void test_comparison(void)
{
    uint8_t a[48] = {1, 2, 3}, b[48] = {1, 2, 3}, c[48] = {1, 2, 4};
    NEED_MEMCHECK();
    ct_secret(a, sizeof a);
    CHECK(ct_equal(a, b, sizeof a));
    CHECK(!ct_equal(a, c, sizeof a));
    expect();
}

#ifdef SABOTAGE
static void test_look_up(void)
{
    static const uint8_t table[4] = {1, 2, 3, 4};
    volatile uint8_t secret = 2, found;
    NEED_MEMCHECK();
    ct_secret((const void *)(uintptr_t)&secret, 1);
    found = table[secret & 3];
    (void)found;
    expect();
}
#endif

static void test_hmac_and_hkdf(void)
{
    NEED_MEMCHECK();
    for (enum hash_id id = HASH_SHA256; id <= HASH_SHA512; id++) {
        uint8_t key[200] = {7}, prk[HASH_MAX_SIZE], out[100];
        ct_secret(key, sizeof key);
        hmac(id, key, sizeof key, slice_of("a", 1), slice_of(key, 5), slice_of("c", 1), out);
        CHECK(is_secret(out, hash_size(id)));
        hkdf_extract(id, slice_of(key, 32), slice_of(key, 48), prk);
        CHECK(is_secret(prk, hash_size(id)));
        hkdf_expand(id, prk, slice_of("info", 4), out, sizeof out);
        CHECK(is_secret(out, sizeof out));
    }
    expect_silence();
}

/* The private key of X25519, through our code and libcrypto's. */
static void test_x25519(void)
{
    uint8_t mine[32], theirs[32], share[32], their_share[32], a[KX_MAX_SECRET],
        b[KX_MAX_SECRET];
    size_t len = 0;
    NEED_MEMCHECK();
    memset(mine, 0x35, sizeof mine);
    memset(theirs, 0x53, sizeof theirs);
    ct_secret(mine, sizeof mine);
    struct kx *kx = kx_start_with(KX_X25519, mine, sizeof mine, share);
    CHECK(kx != NULL);
    CHECK(is_secret(share, sizeof share));
    ct_public(share, sizeof share); /* it is sent */
    CHECK_INT(kx_respond(KX_X25519, share, sizeof share, their_share, b, &len, theirs), KX_OK);
    CHECK_INT(kx ? kx_finish(kx, their_share, sizeof their_share, a, &len) : KX_FAILED, KX_OK);
    CHECK(is_secret(a, len));
    ct_public(a, len);
    ct_public(b, len);
    CHECK_MEM(a, b, len);
    kx_free(kx);
    expect(); /* that the result is not zero is a comparison */
}

/* Sealing and opening records with a secret key. */
static void test_records(void)
{
    static const enum aead_id ids[] = {AEAD_AES_128_GCM, AEAD_AES_256_GCM,
                                       AEAD_CHACHA20_POLY1305};
    NEED_MEMCHECK();
    for (size_t i = 0; i < 3; i++) {
        uint8_t key[AEAD_MAX_KEY] = {3}, iv[AEAD_NONCE_SIZE] = {4}, data[1000] = {5},
                wire[1100];
        struct rec_half out = {0}, in = {0};
        struct rec_opened o;
        hf_error err = {0};
        ct_secret(key, sizeof key);
        ct_secret(iv, sizeof iv);
        ct_secret(data, sizeof data);
        CHECK(rec_set_tls13(&out, ids[i], key, iv, true));
        CHECK(rec_set_tls13(&in, ids[i], key, iv, false));
        out.pad_block = 64;
        size_t n = rec_seal(&out, REC_DATA, 0x0303, data, sizeof data, wire);
        CHECK(n > sizeof data && n <= sizeof wire && is_public(wire, n));
        CHECK_INT(rec_open(&in, wire, n, false, false, &o, &err), REC_OK);
        CHECK_INT(o.len, sizeof data);
        /* A forged one: where it differs must not show. */
        n = rec_seal(&out, REC_DATA, 0x0303, data, sizeof data, wire);
        wire[n - 1] ^= 1;
        CHECK_INT(rec_open(&in, wire, n, false, false, &o, &err), REC_BAD);
        rec_clear(&out);
        rec_clear(&in);
    }
    expect_silence();
}

/* ---- whole handshakes */

static void carry(struct ends *e)
{
    struct buffer to_server = {0}, to_client = {0};
    for (bool moved = true; moved;) {
        moved = end_move(e->client, &to_server);
        (void)end_feed(e->server, &to_server, 0, NULL);
        moved |= end_move(e->server, &to_client);
        (void)end_feed(e->client, &to_client, 0, NULL);
    }
    buffer_clear(&to_server);
    buffer_clear(&to_client);
}

static void exchange_data(struct ends *e)
{
    uint8_t data[100] = {1}, out[400];
    size_t taken, written;
    struct buffer in = {0}, got = {0};
    ct_secret(data, sizeof data);
    CHECK_INT(hf_conn_send(e->client, data, sizeof data, &taken, out, sizeof out, &written),
              HF_DONE);
    CHECK(is_public(out, written) && buffer_append(&in, out, written));
    (void)end_feed(e->server, &in, 0, &got);
    CHECK_INT(buffer_len(&got), sizeof data);
    CHECK_INT(hf_conn_key_update(e->client, true), HF_DONE);
    carry(e);
    CHECK(end_done(e->client) && end_done(e->server));
    buffer_clear(&in);
    buffer_clear(&got);
}

/* What came of the secrets is secret: nothing has lost the mark on its way. */
static void check_marks(const struct ends *e)
{
    const hf_conn *ends[] = {e->client, e->server};
    uint8_t out[32];
    hf_error err = {0};
    size_t len = hash_size(e->client->est.suite->hash);
    for (int i = 0; i < 2; i++) {
        CHECK(is_secret(ends[i]->est.read_secret, len));
        CHECK(is_secret(ends[i]->est.write_secret, len));
        CHECK(is_secret(ends[i]->est.exporter, len));
        CHECK(is_secret(ends[i]->est.resumption, len));
        CHECK(is_secret(ends[i]->in.iv, sizeof ends[i]->in.iv));
        CHECK(hf_conn_export(ends[i], "x", NULL, 0, out, sizeof out, &err));
        CHECK(is_secret(out, sizeof out));
    }
}

/* A handshake, and one that resumes its session. `flags` are ends.h's. */
static void shake(unsigned flags)
{
    static struct ends e, again;
    e.hooked = e.recorded = again.hooked = again.recorded = 0;
    ends_open(&e, flags, flags);
    carry(&e);
    CHECK(end_done(e.client) && end_done(e.server));
    CHECK(e.session && is_secret(e.session->secret, e.session->secret_len));
    if (end_done(e.client) && end_done(e.server)) {
        check_marks(&e);
        exchange_data(&e);
    }
    CHECK(wrap_secrets >= 2);
    unsigned so_far = wrap_secrets;
    ends_open(&again, flags, flags);
    CHECK(e.session && hf_conn_set_session(again.client, e.session));
    carry(&again);
    CHECK(end_done(again.client) && end_done(again.server));
    CHECK(hf_conn_resumed(again.client) && hf_conn_resumed(again.server));
    CHECK(wrap_secrets > so_far); /* at least the ticket's */
    if (end_done(again.client) && end_done(again.server))
        check_marks(&again);
    ends_close(&again);
    ends_close(&e);
    expect();
}

static void test_handshake(void)
{
    NEED_MEMCHECK();
    shake(0);
}

static void test_sha384_and_p256(void)
{
    NEED_MEMCHECK();
    shake(SET_SHA384 | SET_P256);
}

static void test_chacha_with_client_certificate(void)
{
    NEED_MEMCHECK();
    shake(SET_CHACHA | SET_CLIENT_AUTH | SET_REQUIRE | SET_PADDING);
}

static void test_retry_with_cookie(void)
{
    NEED_MEMCHECK();
    shake(SET_NO_SHARE | SET_COOKIE);
}

static void test_psk_alone(void)
{
    NEED_MEMCHECK();
    shake(SET_PSK_ALONE);
}

static void test_hybrid(void)
{
    NEED_MEMCHECK();
    shake(SET_HYBRID);
}

/* The binder's key, the importer's keys and all that comes of them. */
static void test_external_keys(void)
{
    static const unsigned ways[] = {SET_EXTERNAL, SET_EXTERNAL | SET_PSK_ALONE, SET_IMPORTED,
                                    SET_IMPORTED | SET_SHA384};
    NEED_MEMCHECK();
    ct_secret(ends_psk_key, sizeof ends_psk_key);
    for (size_t i = 0; i < sizeof ways / sizeof *ways; i++) {
        static struct ends e;
        size_t len;
        ends_open(&e, ways[i], ways[i]);
        carry(&e);
        CHECK(end_done(e.client) && end_done(e.server));
        CHECK(hf_conn_psk_identity(e.server, &len) != NULL);
        if (end_done(e.client) && end_done(e.server)) {
            check_marks(&e);
            exchange_data(&e);
        }
        ends_close(&e);
    }
    expect();
    ct_public(ends_psk_key, sizeof ends_psk_key);
}

static void test_early_data(void)
{
    static struct ends e, again;
    uint8_t data[100] = {1}, out[400];
    size_t taken, written;
    struct buffer to_server = {0}, got = {0};
    NEED_MEMCHECK();
    ends_open(&e, SET_EARLY, SET_EARLY);
    carry(&e);
    ends_open(&again, SET_EARLY, SET_EARLY);
    CHECK(e.session && hf_conn_set_session(again.client, e.session));
    CHECK(end_move(again.client, &to_server));
    ct_secret(data, sizeof data);
    CHECK_INT(
        hf_conn_send_early(again.client, data, sizeof data, &taken, out, sizeof out, &written),
        HF_DONE);
    CHECK(is_secret(again.client->hs->early, 32) && is_secret(again.client->out.iv, 12));
    CHECK(is_public(out, written) && buffer_append(&to_server, out, written));
    (void)end_feed(again.server, &to_server, 0, &got);
    CHECK_INT(buffer_len(&got), sizeof data);
    CHECK(is_secret(again.server->in.iv, 12));
    carry(&again);
    CHECK(end_done(again.client) && end_done(again.server));
    CHECK_INT(hf_conn_early_data(again.client), HF_EARLY_ACCEPTED);
    if (end_done(again.client) && end_done(again.server))
        check_marks(&again);
    buffer_clear(&to_server);
    buffer_clear(&got);
    ends_close(&again);
    ends_close(&e);
    expect();
}

/* ---- what is refused: the comparisons' other outcome */

static void flip_last(struct buffer *b)
{
    b->p[b->end - 1] ^= 1;
}

/* A client whose session has another secret than the ticket says. */
static void test_wrong_binder(void)
{
    static struct ends e, again;
    struct buffer to_server = {0};
    NEED_MEMCHECK();
    ends_open(&e, 0, 0);
    carry(&e);
    ends_open(&again, 0, 0);
    CHECK(e.session != NULL);
    e.session->secret[31] ^= 1;
    CHECK(hf_conn_set_session(again.client, e.session));
    CHECK(end_move(again.client, &to_server));
    CHECK_INT(end_feed(again.server, &to_server, 0, NULL), HF_FAILED);
    const hf_error *err = hf_conn_error(again.server);
    CHECK_INT(err ? err->code : HF_OK, HF_E_BAD_BINDER);
    buffer_clear(&to_server);
    ends_close(&again);
    ends_close(&e);
    expect();
}

/* A server's Finished that is wrong in its last byte, sealed with the right key. */
static void test_wrong_finished(void)
{
    static struct ends e;
    struct buffer to_server = {0}, to_client = {0}, waste = {0};
    NEED_MEMCHECK();
    e.recorded = 2;
    ends_open(&e, 0, 0);
    e.recorded = 0;
    CHECK(end_move(e.client, &to_server));
    (void)end_feed(e.server, &to_server, 0, NULL);
    CHECK(end_move(e.server, &waste));
    struct buffer *flight = &e.server_watch.messages;
    ct_public(flight->p, flight->end);
    flip_last(flight);
    size_t hello = 4u + get_u16(flight->p + 2);
    end_seal(e.client, REC_HANDSHAKE, slice_of(flight->p, hello), 0, &to_client);
    (void)end_feed(e.client, &to_client, 0, NULL);
    /* For end_seal, which stands for the server and looks for its key. */
    ct_public(e.client->in.iv, sizeof e.client->in.iv);
    ct_public(e.client->hs->server_hs, 32);
    end_seal(e.client, REC_HANDSHAKE, slice_of(flight->p + hello, flight->end - hello), 0,
             &to_client);
    ct_secret(e.client->in.iv, sizeof e.client->in.iv);
    ct_secret(e.client->hs->server_hs, 32);
    CHECK_INT(end_feed(e.client, &to_client, 0, NULL), HF_FAILED);
    const hf_error *err = hf_conn_error(e.client);
    CHECK_INT(err ? err->code : HF_OK, HF_E_BAD_FINISHED);
    buffer_clear(&to_server);
    buffer_clear(&to_client);
    buffer_clear(&waste);
    ends_close(&e);
    expect();
}

int main(void)
{
#ifdef SABOTAGE
    RUN(test_look_up);
#endif
    RUN(test_hmac_and_hkdf);
    RUN(test_records);
    RUN(test_comparison);
    RUN(test_x25519);
    RUN(test_handshake);
    RUN(test_sha384_and_p256);
    RUN(test_chacha_with_client_certificate);
    RUN(test_retry_with_cookie);
    RUN(test_psk_alone);
    RUN(test_hybrid);
    RUN(test_external_keys);
    RUN(test_early_data);
    RUN(test_wrong_binder);
    RUN(test_wrong_finished);
    return check_done();
}
