/* Every allocation inside libcrypto fails once, in every operation of src/crypto: what comes
 * is a failure that says so, or the right result; never a crash, a leak, or a bad peer where
 * there was none. */
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/x509.h>
#include <stdlib.h>

#include "check.h"
#include "crypto/aead.h"
#include "crypto/kx.h"
#include "crypto/random.h"
#include "crypto/sign.h"
#include "pki.h"

/* ---- libcrypto's allocator: the `countdown`th call fails, and with `on` all after it */

static long countdown;
static bool on, failed;

static bool refused(void)
{
    if (countdown == 0 || --countdown > 0)
        return false;
    countdown = on ? 1 : 0;
    failed = true;
    return true;
}

static void *my_malloc(size_t n, const char *where, int line)
{
    (void)where, (void)line;
    return refused() ? NULL : malloc(n);
}

static void *my_realloc(void *p, size_t n, const char *where, int line)
{
    (void)where, (void)line;
    return refused() ? NULL : realloc(p, n);
}

static void my_free(void *p, const char *where, int line)
{
    (void)where, (void)line;
    free(p);
}

/* ---- operations; each returns true if it succeeded */

static enum kx_id kx_id;
static enum sig_id sig_id;
static struct private_key *priv;
static struct public_key *pub;
static uint8_t file[8000], spki[800], sig[SIG_MAX_SIZE];
static size_t file_len, spki_len, sig_len;
static uint8_t text[100];

static bool do_kx(void)
{
    uint8_t share[KX_MAX_SHARE], answer[KX_MAX_SHARE], a[KX_MAX_SECRET], b[KX_MAX_SECRET];
    size_t a_len, b_len;
    struct kx *kx = kx_start(kx_id, share);
    if (!kx)
        return false;
    enum kx_result r =
        kx_respond(kx_id, share, kx_initiator_share_size(kx_id), answer, b, &b_len, NULL);
    if (r == KX_OK)
        r = kx_finish(kx, answer, kx_responder_share_size(kx_id), a, &a_len);
    kx_free(kx);
    return r == KX_OK && a_len == b_len && memcmp(a, b, a_len) == 0;
}

/* A prime without a name, of 61 bits. */
static bool do_dh(void)
{
    static const uint8_t p[] = {0x1f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff}, g = 37, y = 37;
    uint8_t ours[KX_MAX_DH], secret[KX_MAX_SECRET];
    size_t our_len, len;
    enum kx_result r = kx_dh_respond(slice_of(p, sizeof p), slice_of(&g, 1), slice_of(&y, 1),
                                     ours, &our_len, secret, &len);
    CHECK(r != KX_BAD_SHARE);
    return r == KX_OK && len == sizeof p && memcmp(ours, secret, len) == 0;
}

static bool do_aead(void)
{
    uint8_t key[32] = {1}, nonce[12] = {0}, out[64];
    struct aead *a = aead_new(AEAD_AES_128_GCM, key, true);
    struct aead *c = aead_new(AEAD_CHACHA20_POLY1305, key, true);
    bool ok = a && c && aead_seal(a, nonce, NULL, 0, text, 20, NULL, 0, out) &&
              aead_seal(c, nonce, NULL, 0, text, 20, NULL, 0, out);
    aead_free(a);
    aead_free(c);
    return ok;
}

/* With a key of its own each time: after a failed allocation, the blinding values of an RSA
 * object of libcrypto 3.0 may no longer belong together, and its next signatures are wrong. */
static bool do_sign(void)
{
    uint8_t out[SIG_MAX_SIZE];
    size_t len;
    struct private_key *key =
        private_key_parse(slice_of(file, file_len), NULL, NULL, NULL, NULL);
    bool ok = key && private_key_sign(key, sig_id, slice_of(text, sizeof text), out, &len);
    private_key_free(key);
    countdown = ok ? 0 : countdown;
    if (ok)
        CHECK(public_key_verify(pub, sig_id, slice_of(text, sizeof text), slice_of(out, len)));
    return ok;
}

static bool do_verify(void)
{
    return public_key_verify(pub, sig_id, slice_of(text, sizeof text), slice_of(sig, sig_len));
}

/* With a key of its own, as for signing. A failed decryption gives random bytes, and so does a
 * wrong one: libcrypto's failure is not told from the peer's. */
static bool do_premaster(void)
{
    uint8_t cipher[SIG_MAX_SIZE], out[48];
    size_t len;
    if (!public_key_encrypt(pub, slice_of(text, 48), cipher, &len)) {
        CHECK_INT(len, 0);
        return false;
    }
    struct private_key *key =
        private_key_parse(slice_of(file, file_len), NULL, NULL, NULL, NULL);
    bool ok = key && private_key_decrypt_premaster(key, slice_of(cipher, len), 0, out) &&
              memcmp(out, text, 48) == 0;
    private_key_free(key);
    return ok;
}

static bool do_import(void)
{
    struct public_key *key = public_key_from_spki(slice_of(spki, spki_len));
    bool same = key && private_key_matches(priv, key);
    public_key_free(key);
    return same;
}

static bool do_parse(void)
{
    hf_error err = {0};
    struct private_key *key =
        private_key_parse(slice_of(file, file_len), NULL, NULL, NULL, &err);
    bool ok = key && private_key_matches(key, pub);
    CHECK(key || err.code != 0);
    private_key_free(key);
    return ok;
}

/* All numbers from 1 until one is never reached. Some operations survive a failure, by
 * another way. */
static void fail_each(bool (*run)(void), bool all_after)
{
    /* Under memcheck every allocation would take minutes; AddressSanitizer sees them all. */
    long step = getenv("HF_TEST_SLOW") ? 19 : 1;
    CHECK(run());
    for (long n = 1; n < 5000; n += step) {
        failed = false;
        on = all_after;
        countdown = n;
        bool ok = run();
        countdown = 0;
        on = false;
        ERR_clear_error();
        if (!failed) {
            CHECK(ok);
            break;
        }
    }
    CHECK(run());
}

static void fail_all(bool (*run)(void))
{
    fail_each(run, false);
    fail_each(run, true);
}

static void test_aead(void)
{
    fail_all(do_aead);
}

static void test_kx(void)
{
    for (kx_id = KX_X25519; kx_id <= KX_P384MLKEM1024; kx_id++) {
        bool like_another = kx_id == KX_P384 || (kx_id > KX_FFDHE2048 && kx_id <= KX_FFDHE8192);
        if (kx_available(kx_id) && !like_another)
            fail_all(do_kx);
    }
    fail_all(do_dh);
}

static void keys(const char *name, const char *curve, enum sig_id first, enum sig_id last)
{
    EVP_PKEY *pkey = curve                      ? EVP_PKEY_Q_keygen(NULL, NULL, name, curve)
                     : strcmp(name, "RSA") == 0 ? pki_rsa(name, 2048)
                                                : EVP_PKEY_Q_keygen(NULL, NULL, name);
    PKCS8_PRIV_KEY_INFO *info = EVP_PKEY2PKCS8(pkey);
    unsigned char *p = file;
    file_len = (size_t)i2d_PKCS8_PRIV_KEY_INFO(info, &p);
    p = spki;
    spki_len = (size_t)i2d_PUBKEY(pkey, &p);
    priv = private_key_parse(slice_of(file, file_len), NULL, NULL, NULL, NULL);
    pub = public_key_from_spki(slice_of(spki, spki_len));
    for (sig_id = first; sig_id <= last; sig_id++) {
        CHECK(private_key_sign(priv, sig_id, slice_of(text, sizeof text), sig, &sig_len));
        fail_all(do_sign);
        fail_all(do_verify);
    }
    if (public_key_kind(pub) == KEY_RSA)
        fail_all(do_premaster);
    fail_all(do_import);
    fail_all(do_parse);
    private_key_free(priv);
    public_key_free(pub);
    PKCS8_PRIV_KEY_INFO_free(info);
    EVP_PKEY_free(pkey);
}

static void test_ec_keys(void)
{
    keys("EC", "P-256", SIG_ECDSA_SHA256, SIG_ECDSA_SHA256);
}

static void test_rsa_keys(void)
{
    keys("RSA", NULL, SIG_PSS_SHA512, SIG_PKCS1_SHA256);
}

static void test_eddsa_keys(void)
{
    keys("ED25519", NULL, SIG_ED25519, SIG_ED25519);
}

int main(void)
{
    if (!CRYPTO_set_mem_functions(my_malloc, my_realloc, my_free)) {
        printf("libcrypto has allocated before main: its allocator cannot be replaced\n");
        return 77;
    }
    RUN(test_aead);
    RUN(test_kx);
    RUN(test_ec_keys);
    RUN(test_rsa_keys);
    RUN(test_eddsa_keys);
    return check_done();
}
