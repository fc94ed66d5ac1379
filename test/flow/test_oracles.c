/* Attacks that learn from how a peer refuses: what was sent is wrong in different ways, and all that the
 * attacker sees is the same. (That it takes the same time is shown in test/constant_time/.) */
#include "../unit/check.h"
#include "old.h"

#include <openssl/evp.h>
#include <openssl/rsa.h>
#include <stdlib.h>

#include "crypto/prf.h"

/* What an attacker sees of a refusal. */
struct seen {
    hf_code code;
    uint8_t alert;
    bool dead;
    size_t answer; /* bytes that came back after the attack */
    char step[64];
};

static void see(struct end *e, struct seen *out)
{
    const hf_error *err = hf_conn_error(e->conn);
    memset(out, 0, sizeof *out);
    out->dead = err != NULL;
    out->code = err ? err->code : HF_OK;
    out->alert = err ? err->alert : HF_NO_ALERT;
    snprintf(out->step, sizeof out->step, "%s", err ? err->step : "");
    (void)hf_conn_output(e->conn, &out->answer);
}

static void check_same(const struct seen *a, const struct seen *b, const char *what, int n)
{
    CHECK_MSG(
        a->dead == b->dead && a->code == b->code && a->alert == b->alert &&
            a->answer == b->answer && strcmp(a->step, b->step) == 0,
        "%s %d: %s (alert %u, %zu bytes) at \"%s\", not %s (alert %u, %zu bytes) at \"%s\"",
        what, n, hf_code_name(a->code), a->alert, a->answer, a->step, hf_code_name(b->code),
        b->alert, b->answer, b->step);
}

/* ---- records by hand */

enum { BLOCK = 16, MAC = 20 };

static uint8_t last_block[BLOCK]; /* of ciphertext on its way to the server */

static void keep_last(struct end *to, uint8_t *bytes, size_t len, void *arg)
{
    (void)to;
    (void)arg;
    if (len >= BLOCK)
        memcpy(last_block, bytes + len - BLOCK, BLOCK);
}

static void encrypt(const uint8_t *key, const uint8_t *iv, uint8_t *p, size_t len)
{
    EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
    int n;
    CHECK(ctx && EVP_EncryptInit_ex(ctx, EVP_aes_128_cbc(), NULL, key, iv) &&
          EVP_CIPHER_CTX_set_padding(ctx, 0) && EVP_EncryptUpdate(ctx, p, &n, p, (int)len));
    EVP_CIPHER_CTX_free(ctx);
}

/* How a record differs from what it should be. */
struct fault {
    size_t padding;   /* bytes of padding, its length byte not counted */
    size_t wrong_pad; /* this byte of padding, counted from 1, is wrong; 0: none */
    uint8_t mask;
    bool wrong_mac;
    size_t short_by; /* blocks that are missing at the end */
};

/* MAC-then-encrypt with AES-128-CBC and HMAC-SHA-1 (RFC 2246 6.2.3.2), from the client. */
static size_t record_by_hand(const hf_conn *client, const uint8_t *content, size_t len,
                             const struct fault *f, uint8_t *out)
{
    const struct established *e = &client->est;
    uint8_t keys[2 * (MAC + 16)], head[13], *p = out + REC_HEADER;
    prf(suite_hash(e->suite, e->version), slice_of(e->master, 48), "key expansion",
        slice_of(e->randoms + 32, 32), slice_of(e->randoms, 32), keys, sizeof keys);
    bool explicit_iv = e->version >= HF_TLS1_1;
    uint8_t iv[BLOCK] = {1, 2, 3};
    if (explicit_iv)
        memcpy(p, iv, BLOCK);
    else
        memcpy(iv, last_block, BLOCK);
    p += explicit_iv ? BLOCK : 0;
    memset(head, 0, 8);
    head[7] = (uint8_t)client->out.seq;
    head[8] = REC_DATA;
    put_u16(head + 9, e->version);
    put_u16(head + 11, (uint16_t)len);
    memcpy(p, content, len);
    hmac(HASH_SHA1, keys, MAC, slice_of(head, 13), slice_of(content, len), (struct slice){0},
         p + len);
    p[len] ^= f->wrong_mac;
    size_t size = len + MAC + f->padding + 1;
    CHECK(size % BLOCK == 0);
    memset(p + len + MAC, (int)f->padding, f->padding + 1);
    if (f->wrong_pad)
        p[len + MAC + f->wrong_pad - 1] ^= f->mask;
    encrypt(keys + 2 * MAC, iv, p, size);
    size += (explicit_iv ? BLOCK : 0) - f->short_by * BLOCK;
    out[0] = REC_DATA;
    put_u16(out + 1, e->version);
    put_u16(out + 3, (uint16_t)size);
    return REC_HEADER + size;
}

static void attack_record(uint16_t version, const struct fault *f, struct seen *seen)
{
    struct pair p;
    static const uint8_t content[43] = "some data that is worth forty-three bytes!";
    uint8_t out[REC_HEADER + BLOCK + 43 + MAC + 256];
    old_start(&p, version, "TLS_PSK_WITH_AES_128_CBC_SHA");
    CHECK(hf_config_set_encrypt_then_mac(p.client_config, false));
    pair_connect(&p);
    p.server.tamper = keep_last;
    pair_run(&p);
    CHECK(end_shaken(&p.client) && end_shaken(&p.server));
    size_t len = record_by_hand(p.client.conn, content, sizeof content, f, out);
    (void)old_hand(&p.server, out, len);
    see(&p.server, seen);
    if (!seen->dead)
        CHECK(p.server.data.len == sizeof content &&
              memcmp(p.server.data.p, content, sizeof content) == 0);
    else
        CHECK(p.server.data.len == 0);
    pair_clear(&p);
}

static const uint16_t old_versions[] = {HF_TLS1_0, HF_TLS1_1, HF_TLS1_2};

/* POODLE: SSL 3.0 left the padding's bytes open, and some did so in TLS 1.0 too. Each byte of it counts, in
 * each version, and it may be as long as a byte can say. */
static void test_poodle_padding(void)
{
    for (int v = 0; v < 3; v++) {
        for (size_t padding = 0; padding < 256; padding += BLOCK) {
            struct fault f = {.padding = padding};
            struct seen seen, first;
            attack_record(old_versions[v], &f, &seen);
            CHECK_MSG(!seen.dead, "padding of %zu", padding);
            f.wrong_mac = true;
            attack_record(old_versions[v], &f, &first);
            CHECK(first.dead && first.code == HF_E_BAD_RECORD_MAC && first.alert == 20);
            f.wrong_mac = false;
            for (f.wrong_pad = 1; f.wrong_pad <= padding; f.wrong_pad += padding > 32 ? 7 : 1) {
                f.mask = (uint8_t)(1u << f.wrong_pad % 8);
                attack_record(old_versions[v], &f, &seen);
                check_same(&seen, &first, "padding byte", (int)f.wrong_pad);
            }
        }
    }
}

/* Vaudenay's oracle and Lucky Thirteen: whether the padding, its length or the MAC is wrong does not show in
 * the alert (RFC 5246 6.2.3.2). */
static void test_lucky_thirteen_same_alert(void)
{
    static const struct fault faults[] = {
        {.padding = 16, .wrong_mac = true},
        {.padding = 16, .wrong_pad = 1, .mask = 1},
        {.padding = 16, .wrong_pad = 17, .mask = 1},    /* its length: one less */
        {.padding = 16, .wrong_pad = 17, .mask = 0xef}, /* longer than the record */
        {.padding = 16, .wrong_pad = 17, .mask = 0x10}, /* none: the MAC is elsewhere */
        {.padding = 16, .wrong_pad = 3, .mask = 0x80, .wrong_mac = true},
        {.padding = 16, .short_by = 1},
        {.padding = 16, .short_by = 4}, /* no room for a MAC */
        {.padding = 16, .short_by = 5}, /* of TLS 1.0: nothing at all */
    };
    for (int v = 0; v < 3; v++) {
        struct seen first, seen;
        attack_record(old_versions[v], &faults[0], &first);
        CHECK(first.dead && first.code == HF_E_BAD_RECORD_MAC && first.alert == 20);
        for (size_t i = 1; i < sizeof faults / sizeof *faults; i++) {
            attack_record(old_versions[v], &faults[i], &seen);
            check_same(&seen, &first, "fault", (int)i);
        }
    }
}

/* BEAST: in TLS 1.0 the IV is known before the data are chosen. The first byte goes alone, so that the rest
 * begins with a MAC's worth of what nobody knew. */
static size_t records_of(uint16_t version, const char *suite, size_t len, size_t sizes[8])
{
    struct pair p;
    uint8_t data[400] = {0}, out[1000];
    size_t taken, written, n = 0;
    old_start(&p, version, suite);
    CHECK(hf_config_set_encrypt_then_mac(p.client_config, false));
    CHECK(pair_shake(&p));
    CHECK_INT(hf_conn_send(p.client.conn, data, len, &taken, out, sizeof out, &written),
              HF_DONE);
    CHECK_INT(taken, len);
    CHECK(written <= hf_conn_send_size(p.server.conn, len));
    for (size_t at = 0; at < written; at += REC_HEADER + get_u16(out + at + 3))
        sizes[n++] = get_u16(out + at + 3);
    pair_clear(&p);
    return n;
}

static void test_beast_split(void)
{
    static const char suite[] = "TLS_PSK_WITH_AES_128_CBC_SHA";
    size_t sizes[8];
    CHECK_INT(records_of(HF_TLS1_0, suite, 100, sizes), 2);
    CHECK_INT(sizes[0], 32);  /* 1 + 20 of MAC, padded */
    CHECK_INT(sizes[1], 128); /* 99 + 20 */
    CHECK_INT(records_of(HF_TLS1_0, suite, 1, sizes), 1);
    CHECK_INT(records_of(HF_TLS1_0, suite, 2, sizes), 2);
    CHECK_INT(records_of(HF_TLS1_1, suite, 100, sizes), 1);
    CHECK_INT(records_of(HF_TLS1_2, suite, 100, sizes), 1);
    CHECK_INT(records_of(HF_TLS1_0, "TLS_PSK_WITH_NULL_SHA", 100, sizes), 1);
}

/* ---- the RSA key exchange */

enum { MODULUS = 256 };

enum block_fault {
    B_NONE,
    B_VERSION,     /* not the ClientHello's */
    B_VERSION_SSL, /* 3.0, as a rollback would have it */
    B_FIRST,       /* the block does not begin with 0 */
    B_TYPE,        /* of a signature, not of encryption */
    B_NO_ZERO,     /* no end of the padding */
    B_EARLY_ZERO,  /* fewer than 8 bytes of padding */
    B_SHORT,       /* 47 bytes of secret */
    B_LONG,        /* 49 */
    B_EMPTY,       /* none */
    B_RANDOM,      /* no block at all */
    B_ZEROS,       /* the ciphertext is 0 */
    B_ONE,         /* 1 */
    B_ABOVE,       /* not below the modulus */
    B_CUT,         /* one byte of ciphertext is missing */
    B_NOTHING,     /* there is no ciphertext */
    B_MORE,        /* one byte too many */
    B_FAULTS
};

static struct pair *attacked;
static enum block_fault block_fault;

static void raw_rsa(const uint8_t block[MODULUS], uint8_t out[MODULUS])
{
    size_t len = MODULUS;
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new(attacked->pki->leaf->key, NULL);
    CHECK(ctx && EVP_PKEY_encrypt_init(ctx) == 1 &&
          EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_NO_PADDING) == 1 &&
          EVP_PKEY_encrypt(ctx, out, &len, block, MODULUS) == 1 && len == MODULUS);
    EVP_PKEY_CTX_free(ctx);
}

/* 00 02, at least 8 bytes that are not 0, 00, and the secret (RFC 8017 7.2.1). */
static void make_block(uint8_t block[MODULUS], uint8_t secret[48], size_t len)
{
    memset(block, 0x5a, MODULUS);
    block[0] = 0;
    block[1] = 2;
    block[MODULUS - len - 1] = 0;
    if (block_fault == B_VERSION)
        put_u16(secret, HF_TLS1_1);
    if (block_fault == B_VERSION_SSL)
        put_u16(secret, 0x0300);
    memcpy(block + MODULUS - len, secret, len < 48 ? len : 48);
    if (block_fault == B_FIRST)
        block[0] = 1;
    if (block_fault == B_TYPE)
        block[1] = 1;
    if (block_fault == B_NO_ZERO)
        memset(block + 2, 0x5a, MODULUS - 2);
    if (block_fault == B_EARLY_ZERO)
        block[9] = 0;
}

static enum hs_result replace_exchange(struct hs *hs)
{
    uint8_t block[MODULUS], out[MODULUS + 2] = {0};
    size_t len = MODULUS, secret = 48;
    if (block_fault == B_SHORT || block_fault == B_LONG)
        secret = block_fault == B_SHORT ? 47 : 49;
    if (block_fault == B_EMPTY)
        secret = 0;
    make_block(block, hs->shared, secret);
    if (block_fault == B_RANDOM || block_fault == B_ABOVE)
        memset(out, block_fault == B_ABOVE ? 0xff : 0x33, sizeof out);
    else if (block_fault != B_ZEROS && block_fault != B_ONE)
        raw_rsa(block, out);
    if (block_fault == B_ONE)
        out[MODULUS - 1] = 1;
    if (block_fault == B_CUT)
        len--;
    if (block_fault == B_MORE)
        len++;
    if (block_fault == B_NOTHING)
        len = 0;
    mem_free(hs->exchange);
    hs->exchange = mem_dup(out, len + 1);
    hs->exchange_len = len;
    return HS_OK;
}

static void attack_exchange(uint16_t version, const char *suite, struct seen *seen)
{
    struct pair p;
    struct step copy[OLD_MAX_ROWS];
    attacked = &p;
    old_start(&p, version, suite);
    old_list(copy, client12);
    old_insert(copy, old_row(copy, "key exchange"), replace_exchange);
    pair_connect(&p);
    old_divert(&p.client, copy, NULL);
    CHECK(pair_pump(&p.client, &p.server)); /* hello */
    CHECK(pair_pump(&p.server, &p.client));
    CHECK(pair_pump(&p.client, &p.server)); /* key exchange and Finished */
    see(&p.server, seen);
    pair_clear(&p);
}

/* Bleichenbacher 1998, Klima-Pokorny-Rosa 2003 (the version) and ROBOT 2017: whatever is in the block, the
 * handshake goes on to the Finished and fails there, always in the same way (RFC 5246 7.4.7.1). */
static void test_bleichenbacher_and_robot(void)
{
    static const char *const suites[] = {"TLS_RSA_WITH_AES_128_CBC_SHA",
                                         "TLS_RSA_WITH_AES_128_GCM_SHA256",
                                         "TLS_RSA_WITH_NULL_SHA256"};
    for (int i = 0; i < 3; i++) {
        struct seen good, first, seen;
        block_fault = B_NONE;
        attack_exchange(HF_TLS1_2, suites[i], &good);
        CHECK(!good.dead);
        block_fault = B_RANDOM;
        attack_exchange(HF_TLS1_2, suites[i], &first);
        CHECK(first.dead && first.code == HF_E_BAD_RECORD_MAC && first.alert == 20);
        CHECK_STR(first.step, "client Finished");
        for (block_fault = B_VERSION; block_fault < B_FAULTS; block_fault++) {
            attack_exchange(HF_TLS1_2, suites[i], &seen);
            check_same(&seen, &first, "block", (int)block_fault);
        }
    }
    for (block_fault = B_VERSION_SSL; block_fault < B_FAULTS; block_fault++) {
        struct seen seen;
        attack_exchange(HF_TLS1_0, suites[0], &seen);
        CHECK(seen.dead && seen.code == HF_E_BAD_RECORD_MAC && seen.alert == 20);
    }
}

/* "The version number in the PreMasterSecret is the version offered by the client in the ClientHello" (RFC 5246
 * 7.4.7.1), also where another one is agreed. */
static void test_premaster_version(void)
{
    static const char suite[] = "TLS_RSA_WITH_AES_128_CBC_SHA";
    for (uint16_t best = HF_TLS1_0; best <= HF_TLS1_2; best++) {
        struct pair p;
        pair_init(&p, PKI_RSA);
        old_allow(p.client_config, HF_TLS1_0, HF_TLS1_2, suite);
        old_allow(p.server_config, HF_TLS1_0, best, suite);
        CHECK(pair_shake(&p) && old_echo(&p));
        CHECK_INT(hf_conn_version(p.client.conn), best);
        pair_clear(&p);
    }
}

/* ---- Raccoon */

static void keep_exchange(const hf_conn *conn, const hf_trace_event *e, void *arg)
{
    (void)conn;
    struct wire *out = arg;
    if (e->kind == HF_TRACE_FIELD && e->sent && strcmp(e->name, "dh_Ys") == 0)
        wire_put(out, e->bytes, e->size);
}

/* Raccoon needs a server that uses its DH key again: here each handshake has its own. */
static void test_raccoon_no_key_twice(void)
{
    struct pair p;
    struct wire keys = {0};
    old_start(&p, HF_TLS1_2, "TLS_DHE_RSA_WITH_AES_128_GCM_SHA256");
    CHECK(hf_config_set_trace(p.server_config, keep_exchange, &keys));
    for (int i = 0; i < 4; i++) {
        CHECK(pair_shake(&p));
        pair_reset(&p);
    }
    CHECK_MSG(keys.len == 4 * 256, "%zu bytes of public values", keys.len);
    for (size_t i = 0; i < 4 && keys.len == 1024; i++) {
        for (size_t k = 0; k < i; k++)
            CHECK(memcmp(keys.p + 256 * i, keys.p + 256 * k, 256) != 0);
    }
    free(keys.p);
    pair_clear(&p);
}

int main(void)
{
    RUN(test_poodle_padding);
    RUN(test_lucky_thirteen_same_alert);
    RUN(test_beast_split);
    RUN(test_bleichenbacher_and_robot);
    RUN(test_premaster_version);
    RUN(test_raccoon_no_key_twice);
    return check_done();
}
