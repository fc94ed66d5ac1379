/* Key exchange: published vectors, both sides against each other on both routes, shares that
 * have to be refused, threads, lack of memory. */
#include <openssl/bn.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <pthread.h>

#include "check.h"
#include "crypto/kx.h"
#include "crypto/mlkem.h"
#include "crypto/provider.h"
#include "hex.h"

#define FIRST KX_X25519
#define LAST  KX_MLKEM1024 /* groups come in this order */

/* A whole exchange; true if both sides have the same secret of the expected size. */
static bool exchange(enum kx_id id, size_t size)
{
    uint8_t share[KX_MAX_SHARE], answer[KX_MAX_SHARE], a[KX_MAX_SECRET], b[KX_MAX_SECRET];
    size_t a_len = 0, b_len = 0;
    struct kx *kx = kx_start(id, share);
    if (!kx)
        return false;
    bool ok =
        kx_respond(id, share, kx_initiator_share_size(id), answer, b, &b_len, NULL) == KX_OK &&
        kx_finish(kx, answer, kx_responder_share_size(id), a, &a_len) == KX_OK;
    kx_free(kx);
    return ok && a_len == size && b_len == size && memcmp(a, b, size) == 0;
}

static size_t secret_size(enum kx_id id)
{
    static const size_t sizes[] = {
        [KX_X25519] = 32,        [KX_X448] = 56,           [KX_P256] = 32,
        [KX_P384] = 48,          [KX_P521] = 66,           [KX_FFDHE2048] = 256,
        [KX_FFDHE3072] = 384,    [KX_FFDHE4096] = 512,     [KX_FFDHE6144] = 768,
        [KX_FFDHE8192] = 1024,   [KX_X25519MLKEM768] = 64, [KX_P256MLKEM768] = 64,
        [KX_P384MLKEM1024] = 80, [KX_MLKEM768] = 32,       [KX_MLKEM1024] = 32};
    return sizes[id];
}

/* Under memcheck the large groups take minutes, and are the small ones with larger numbers. */
static bool slow;

static enum kx_id last_dh(void)
{
    return slow ? KX_FFDHE3072 : KX_FFDHE8192;
}

static bool skipped(enum kx_id id)
{
    return id > last_dh() && id <= KX_FFDHE8192;
}

/* First of all tests, so that both threads meet everything for the first time. */
static void *thread(void *arg)
{
    (void)arg;
    for (int i = 0; i < 3; i++) {
        for (enum kx_id id = FIRST; id <= LAST; id++) {
            if (skipped(id) || (i > 0 && id > KX_FFDHE4096 && id <= KX_FFDHE8192))
                continue; /* they take long */
            if (kx_available(id) && !exchange(id, secret_size(id)))
                return NULL;
        }
    }
    return arg;
}

static void test_threads(void)
{
    pthread_t t[2];
    static int token;
    for (int i = 0; i < 2; i++)
        CHECK_INT(pthread_create(&t[i], NULL, thread, &token), 0);
    for (int i = 0; i < 2; i++) {
        void *result = NULL;
        pthread_join(t[i], &result);
        CHECK(result == &token);
    }
}

static void test_both_sides(void)
{
    for (enum kx_id id = FIRST; id <= LAST; id++) {
        CHECK(kx_available(id));
        for (int i = 0; i < (slow ? 1 : 5) && !skipped(id); i++)
            CHECK(exchange(id, secret_size(id)));
    }
    CHECK(!kx_available(KX_NONE));
    CHECK(!kx_available((enum kx_id)77));
    CHECK_INT(kx_initiator_share_size(KX_NONE), 0);
    CHECK_INT(kx_responder_share_size((enum kx_id)77), 0);
    CHECK(!kx_start(KX_NONE, NULL));
    CHECK(!kx_start((enum kx_id)77, NULL));
}

static void test_evp_route(void)
{
    provider_test_evp_only(true);
    for (enum kx_id id = FIRST; id <= LAST; id++)
        CHECK(skipped(id) || exchange(id, secret_size(id)));
    provider_test_evp_only(false);
}

/* The direct route on one side, EVP's on the other. */
static void test_routes_agree(void)
{
    for (int i = 0; i < (slow ? 4 : 40); i++) {
        for (enum kx_id id = FIRST; id <= LAST; id++) {
            uint8_t share[KX_MAX_SHARE], answer[KX_MAX_SHARE], a[KX_MAX_SECRET],
                b[KX_MAX_SECRET];
            size_t a_len, b_len;
            if (skipped(id) || (i >= 3 && id >= KX_FFDHE2048) || (i >= 2 && id > KX_FFDHE4096))
                continue;
            provider_test_evp_only(i % 2);
            struct kx *kx = kx_start(id, share);
            provider_test_evp_only(!(i % 2));
            CHECK_INT(
                kx_respond(id, share, kx_initiator_share_size(id), answer, b, &b_len, NULL),
                KX_OK);
            CHECK_INT(kx_finish(kx, answer, kx_responder_share_size(id), a, &a_len), KX_OK);
            CHECK_INT(a_len, b_len);
            CHECK_MEM(a, b, a_len);
            kx_free(kx);
        }
    }
    provider_test_evp_only(false);
}

static const struct vector {
    enum kx_id id;
    const char *a, *a_share, *b, *b_share, *secret;
} vectors[] = {
    /* RFC 7748 6.1 */
    {KX_X25519, "77076d0a7318a57d3c16c17251b26645df4c2f87ebc0992ab177fba51db92c2a",
     "8520f0098930a754748b7ddcb43ef75a0dbf3a0d26381af4eba4a98eaa9b4e6a",
     "5dab087e624a8a4b79e17f8b83800ee66f3bb1292618b6fd1c2f8b27ff88e0eb",
     "de9edb7d7b7dc1b4d35b61c2ece435373f8343c85b78674dadfc7e146f882b4f",
     "4a5d9d5ba4ce2de1728e3bf480350f25e07e21c947d19e3376f09b3c1e161742"},
    /* RFC 8448 3 */
    {KX_X25519, "49af42ba7f7994852d713ef2784bcbcaa7911de26adc5642cb634540e7ea5005",
     "99381de560e4bd43d23d8e435a7dbafeb3c06e51c13cae4d5413691e529aaf2c",
     "b1580eeadf6dd589b8ef4f2d5652578cc810e9980191ec8d058308cea216a21e",
     "c9828876112095fe66762bdbf7c672e156d6cc253b833df1dd69b1b04e751f0f",
     "8bd4054fb55b9d63fdfbacf9f04b9f0d35e6d63f537563efd46272900f89492d"},
    /* RFC 7748 6.2 */
    {KX_X448,
     "9a8f4925d1519f5775cf46b04b5800d4ee9ee8bae8bc5565d498c28d"
     "d9c9baf574a9419744897391006382a6f127ab1d9ac2d8c0a598726b",
     "9b08f7cc31b7e3e67d22d5aea121074a273bd2b83de09c63faa73d2c"
     "22c5d9bbc836647241d953d40c5b12da88120d53177f80e532c41fa0",
     "1c306a7ac2a0e2e0990b294470cba339e6453772b075811d8fad0d1d"
     "6927c120bb5ee8972b0d3e21374c9c921b09d1b0366f10b65173992d",
     "3eb7a829b0cd20f5bcfc0b599b6feccf6da4627107bdb0d4f345b430"
     "27d8b972fc3e34fb4232a13ca706dcb57aec3dae07bdc1c67bf33609",
     "07fff4181ac6cc95ec1c16a94a0f74d12da232ce40a77552281d282b"
     "b60c0b56fd2464c335543936521c24403085d59a449a5037514a879d"},
    /* RFC 5903 8.1, 8.2, 8.3 */
    {KX_P256, "c88f01f510d9ac3f70a292daa2316de544e9aab8afe84049c62a9c57862d1433",
     "04 dad0b65394221cf9b051e1feca5787d098dfe637fc90b9ef945d0c3772581180"
     "5271a0461cdb8252d61f1c456fa3e59ab1f45b33accf5f58389e0577b8990bb3",
     "c6ef9c5d78ae012a011164acb397ce2088685d8f06bf9be0b283ab46476bee53",
     "04 d12dfb5289c8d4f81208b70270398c342296970a0bccb74c736fc7554494bf63"
     "56fbf3ca366cc23e8157854c13c58d6aac23f046ada30f8353e74f33039872ab",
     "d6840f6b42f6edafd13116e0e12565202fef8e9ece7dce03812464d04b9442de"},
    {KX_P384,
     "099f3c7034d4a2c699884d73a375a67f7624ef7c6b3c0f160647b67414dce655e35b538041e649ee3faef896783ab194",
     "04 667842d7d180ac2cde6f74f37551f55755c7645c20ef73e31634fe72b4c55ee6de3ac808acb4bdb4c88732aee95f41aa"
     "9482ed1fc0eeb9cafc4984625ccfc23f65032149e0e144ada024181535a0f38eeb9fcff3c2c947dae69b4c634573a81c",
     "41cb0779b4bdb85d47846725fbec3c9430fab46cc8dc5060855cc9bda0aa2942e0308312916b8ed2960e4bd55a7448fc",
     "04 e558dbef53eecde3d3fccfc1aea08a89a987475d12fd950d83cfa41732bc509d0d1ac43a0336def96fda41d0774a3571"
     "dcfbec7aacf3196472169e838430367f66eebe3c6e70c416dd5f0c68759dd1fff83fa40142209dff5eaad96db9e6386c",
     "11187331c279962d93d604243fd592cb9d0a926f422e47187521287e7156c5c4d603135569b9e9d09cf5d4a270f59746"},
    {KX_P521,
     "0037ade9319a89f4dabdb3ef411aaccca5123c61acab57b5393dce47608172a0"
     "95aa85a30fe1c2952c6771d937ba9777f5957b2639bab072462f68c27a57382d4a52",
     "04 0015417e84dbf28c0ad3c278713349dc7df153c897a1891bd98bab4357c9ecbe"
     "e1e3bf42e00b8e380aeae57c2d107564941885942af5a7f4601723c4195d176ced3e"
     "017cae20b6641d2eeb695786d8c946146239d099e18e1d5a514c739d7cb4a10ad8"
     "a788015ac405d7799dc75e7b7d5b6cf2261a6a7f1507438bf01beb6ca3926f9582",
     "0145ba99a847af43793fdd0e872e7cdfa16be30fdc780f97bccc3f078380201e"
     "9c677d600b343757a3bdbf2a3163e4c2f869cca7458aa4a4effc311f5cb151685eb9",
     "04 00d0b3975ac4b799f5bea16d5e13e9af971d5e9b984c9f39728b5e5739735a21"
     "9b97c356436adc6e95bb0352f6be64a6c2912d4ef2d0433ced2b6171640012d9460f"
     "015c68226383956e3bd066e797b623c27ce0eac2f551a10c2c724d9852077b8722"
     "0b6536c5c408a1d2aebb8e86d678ae49cb57091f4732296579ab44fcd17f0fc56a",
     "01144c7d79ae6956bc8edb8e7c787c4521cb086fa64407f97894e5e6b2d79b04"
     "d1427e73ca4baa240a34786859810c06b3c715a3a8cc3151f2bee417996d19f3ddea"},
};

static void test_vectors(void)
{
    for (size_t i = 0; i < sizeof vectors / sizeof vectors[0]; i++) {
        const struct vector *v = &vectors[i];
        uint8_t a[80], b[80], a_share[140], b_share[140], want[80], got[KX_MAX_SHARE],
            secret[KX_MAX_SECRET];
        size_t a_len = unhex(v->a, a), share_len = unhex(v->a_share, a_share), len;
        unhex(v->b, b);
        CHECK_INT(unhex(v->b_share, b_share), share_len);
        size_t want_len = unhex(v->secret, want);
        struct kx *kx = kx_start_with(v->id, a, a_len, got);
        CHECK(kx != NULL);
        if (!kx)
            continue;
        CHECK_MEM(got, a_share, share_len);
        CHECK_INT(kx_finish(kx, b_share, share_len, secret, &len), KX_OK);
        CHECK_INT(len, want_len);
        CHECK_MEM(secret, want, want_len);
        kx_free(kx);
        CHECK_INT(kx_respond(v->id, a_share, share_len, got, secret, &len, b), KX_OK);
        CHECK_MEM(got, b_share, share_len);
        CHECK_INT(len, want_len);
        CHECK_MEM(secret, want, want_len);
        CHECK(!kx_start_with(v->id, a, a_len - 1, got));
        CHECK(!kx_start_with(v->id, a, 0, got));
    }
}

/* Both roles have to refuse a share, on both routes, and leave nothing in libcrypto's error
 * queue. */
static void refuse(enum kx_id id, const uint8_t *share, size_t len)
{
    uint8_t ours[KX_MAX_SHARE], secret[KX_MAX_SECRET];
    for (int evp = 0; evp < 2; evp++) {
        size_t secret_len = 99;
        provider_test_evp_only(evp);
        ERR_clear_error();
        CHECK_INT(kx_respond(id, share, len, ours, secret, &secret_len, NULL), KX_BAD_SHARE);
        CHECK_INT(secret_len, 0);
        struct kx *kx = kx_start(id, ours);
        secret_len = 99;
        CHECK_INT(kx_finish(kx, share, len, secret, &secret_len), KX_BAD_SHARE);
        CHECK_INT(secret_len, 0);
        kx_free(kx);
        CHECK_INT(ERR_peek_error(), 0);
    }
    provider_test_evp_only(false);
}

static void test_wrong_lengths(void)
{
    uint8_t share[KX_MAX_SHARE + 1];
    for (enum kx_id id = FIRST; id <= LAST; id++) {
        if (skipped(id))
            continue;
        struct kx *kx = kx_start(id, share);
        size_t len = kx_initiator_share_size(id);
        share[len] = 0;
        refuse(id, share, 0);
        refuse(id, share, 1);
        refuse(id, share, len - 1);
        refuse(id, share, len + 1);
        kx_free(kx);
    }
}

/* The points of small order (RFC 7748 6.1: they give zero whatever the private key), in
 * every encoding. */
static void test_small_order(void)
{
    static const char *const x25519[] = {
        "0000000000000000000000000000000000000000000000000000000000000000",
        "0100000000000000000000000000000000000000000000000000000000000000",
        "e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800",
        "5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157",
        "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    };
    uint8_t share[56];
    for (size_t i = 0; i < sizeof x25519 / sizeof x25519[0]; i++) {
        unhex(x25519[i], share);
        refuse(KX_X25519, share, 32);
        share[31] |= 0x80;
        refuse(KX_X25519, share, 32);
    }
    memset(share, 0, 56);
    refuse(KX_X448, share, 56);
    share[0] = 1;
    refuse(KX_X448, share, 56);
    memset(share, 0xff, 56); /* p-1, p, p+1 */
    share[0] = share[28] = 0xfe;
    refuse(KX_X448, share, 56);
    share[0] = 0xff;
    refuse(KX_X448, share, 56);
    memset(share, 0, 28);
    memset(share + 28, 0xff, 28);
    refuse(KX_X448, share, 56);
}

static void test_bad_points(void)
{
    for (enum kx_id id = KX_P256; id <= KX_P521; id++) {
        uint8_t share[140], bad[140];
        size_t len = kx_initiator_share_size(id), half = (len - 1) / 2;
        struct kx *kx = kx_start(id, share);
        kx_free(kx);
        for (size_t i = 1; i < len; i += len - 2) { /* x, then y, off the curve */
            memcpy(bad, share, len);
            bad[i == 1 ? half : i] ^= 1;
            refuse(id, bad, len);
        }
        static const uint8_t forms[] = {0, 1, 2, 3, 5, 6, 7, 0xff};
        for (size_t i = 0; i < sizeof forms; i++) {
            memcpy(bad, share, len);
            bad[0] = forms[i];
            refuse(id, bad, len);
        }
        bad[0] = (uint8_t)(2 + (share[len - 1] & 1)); /* compressed, and right at that */
        refuse(id, bad, half + 1);
        memset(bad, 0, len);
        refuse(id, bad, 1); /* infinity */
        bad[0] = 4;
        refuse(id, bad, len);
        memset(bad + 1, 0xff, len - 1); /* coordinates above p */
        refuse(id, bad, len);
    }
}

/* A scalar has to be in [1, order). */
static void test_bad_scalars(void)
{
    static const char order[] =
        "ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551";
    uint8_t d[66], share[140];
    unhex(order, d);
    CHECK(!kx_start_with(KX_P256, d, 32, share));
    d[31]++;
    CHECK(!kx_start_with(KX_P256, d, 32, share));
    d[31] = 0x50;
    struct kx *kx = kx_start_with(KX_P256, d, 32, share);
    CHECK(kx != NULL);
    kx_free(kx);
    memset(d, 0, sizeof d);
    CHECK(!kx_start_with(KX_P256, d, 32, share));
    CHECK(!kx_start_with(KX_P521, d, 66, share));
    memset(d, 0xff, sizeof d);
    CHECK(!kx_start_with(KX_P384, d, 48, share));
    CHECK(!kx_start_with(KX_P521, d, 66, share));
}

/* The primes from EVP, checked against how RFC 7919 appendix A prints their first and last
 * bytes. */
static bool prime_of(enum kx_id id, uint8_t *out)
{
    static const char *const names[] = {"ffdhe2048", "ffdhe3072", "ffdhe4096", "ffdhe6144",
                                        "ffdhe8192"};
    BIGNUM *p = NULL;
    EVP_PKEY *key = NULL;
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, "DH", NULL);
    bool ok = ctx && EVP_PKEY_keygen_init(ctx) > 0 &&
              EVP_PKEY_CTX_set_group_name(ctx, names[id - KX_FFDHE2048]) > 0 &&
              EVP_PKEY_generate(ctx, &key) > 0 && EVP_PKEY_get_bn_param(key, "p", &p) &&
              BN_bn2binpad(p, out, (int)kx_initiator_share_size(id)) > 0;
    BN_free(p);
    EVP_PKEY_free(key);
    EVP_PKEY_CTX_free(ctx);
    return ok;
}

static void add(uint8_t *n, size_t len, int by)
{
    for (size_t i = len; i-- > 0 && by != 0;) {
        int v = n[i] + by;
        n[i] = (uint8_t)v;
        by = v < 0 ? -1 : v > 255 ? 1 : 0;
    }
}

static void test_ffdhe(void)
{
    static const char *const ends[] = {
        "886b423861285c97ffffffffffffffff", "25e41d2b66c62e37ffffffffffffffff",
        "c68a007e5e655f6affffffffffffffff", "a40e329cd0e40e65ffffffffffffffff",
        "d68c8bb7c5c6424cffffffffffffffff"};
    static const size_t exponents[] = {29, 35, 41, 48, 51};
    for (enum kx_id id = KX_FFDHE2048; id <= last_dh(); id++) {
        uint8_t p[1024], one[51] = {0}, share[1024], secret[KX_MAX_SECRET], start[24],
                         zero[1024] = {0};
        size_t len = kx_initiator_share_size(id), exponent = exponents[id - KX_FFDHE2048];
        size_t secret_len;
        /* 2^1 = 2: left-padded, as a share and as a secret. */
        one[exponent - 1] = 1;
        struct kx *kx = kx_start_with(id, one, exponent, share);
        CHECK(kx != NULL);
        CHECK_MEM(share, zero, len - 1);
        CHECK_INT(share[len - 1], 2);
        CHECK_INT(kx_finish(kx, share, len, secret, &secret_len), KX_OK);
        CHECK_INT(secret_len, len);
        CHECK_MEM(secret, share, len);
        CHECK(prime_of(id, p));
        unhex("ffffffffffffffffadf85458a2bb4a9aafdc5620273d3cf1", start);
        CHECK_MEM(p, start, 24);
        unhex(ends[id - KX_FFDHE2048], start);
        CHECK_MEM(p + len - 16, start, 16);
        refuse(id, zero, len); /* 0 */
        zero[len - 1] = 1;
        refuse(id, zero, len); /* 1 */
        refuse(id, p, len);    /* p */
        add(p, len, -1);
        refuse(id, p, len); /* p-1 */
        add(p, len, 2);
        refuse(id, p, len); /* p+1 */
        memset(share, 0xff, len);
        refuse(id, share, len);
        add(p, len, -3);
        CHECK_INT(kx_finish(kx, p, len, secret, &secret_len), KX_OK); /* p-2 */
        CHECK_MEM(secret, p, len);
        kx_free(kx);
    }
}

/* ---- groups that are sent */

static struct slice prime(BIGNUM *bn, uint8_t *out)
{
    size_t len = (size_t)BN_bn2bin(bn, out);
    BN_free(bn);
    return slice_of(out, len);
}

static const uint8_t two[] = {2};

static void refuse_dh(struct slice p, struct slice g, struct slice share)
{
    uint8_t ours[KX_MAX_DH], secret[KX_MAX_SECRET];
    size_t our_len = 9, len = 9;
    CHECK_INT(kx_dh_respond(p, g, share, ours, &our_len, secret, &len), KX_BAD_SHARE);
    CHECK_INT(our_len, 0);
    CHECK_INT(len, 0);
    CHECK_INT(ERR_peek_error(), 0);
}

/* The other end of an exchange, by BIGNUMs alone: g^x, and later y^x. */
static size_t raise(struct slice p, struct slice base, const BIGNUM *x, uint8_t *out)
{
    BN_CTX *ctx = BN_CTX_new();
    BIGNUM *m = BN_bin2bn(p.p, (int)p.len, NULL), *b = BN_bin2bn(base.p, (int)base.len, NULL),
           *r = BN_new();
    BN_mod_exp(r, b, x, m, ctx);
    size_t len = (size_t)BN_bn2binpad(r, out, BN_num_bytes(m));
    BN_free(m);
    BN_free(b);
    BN_free(r);
    BN_CTX_free(ctx);
    return len;
}

static void agree_on_route(struct slice p, struct slice g)
{
    uint8_t share[KX_MAX_DH], ours[KX_MAX_DH], a[KX_MAX_SECRET], b[KX_MAX_SECRET];
    size_t our_len, len;
    BIGNUM *x = BN_new();
    BN_rand(x, 300, BN_RAND_TOP_ONE, BN_RAND_BOTTOM_ANY);
    size_t share_len = raise(p, g, x, share);
    CHECK_INT(kx_dh_respond(p, g, slice_of(share, share_len), ours, &our_len, a, &len), KX_OK);
    CHECK_INT(our_len, share_len);
    CHECK_INT(len, share_len);
    CHECK_INT(raise(p, slice_of(ours, our_len), x, b), len);
    CHECK_MEM(a, b, len);
    BN_free(x);
}

static void agree_dh(struct slice p, struct slice g)
{
    agree_on_route(p, g);
    provider_test_evp_only(true);
    agree_on_route(p, g);
    provider_test_evp_only(false);
}

/* One end knows the group by its name, the other one was sent it. */
static void test_dh_named(void)
{
    uint8_t share[KX_MAX_SHARE], ours[KX_MAX_DH], a[KX_MAX_SECRET], b[KX_MAX_SECRET];
    uint8_t padded[KX_MAX_DH + 3] = {0};
    struct slice p, g;
    size_t our_len, a_len, b_len;
    for (enum kx_id id = KX_FFDHE2048; id <= last_dh(); id++) {
        CHECK(kx_dh_params(id, &p, &g));
        CHECK_INT(p.len, kx_initiator_share_size(id));
        CHECK_INT(kx_dh_named(p, g), id);
        for (int evp = 0; evp < 2; evp++) {
            provider_test_evp_only(evp);
            struct kx *kx = kx_start(id, share);
            CHECK_INT(kx_dh_respond(p, g, slice_of(share, p.len), ours, &our_len, b, &b_len),
                      KX_OK);
            CHECK_INT(our_len, p.len);
            CHECK_INT(kx_finish(kx, ours, our_len, a, &a_len), KX_OK);
            CHECK_INT(a_len, b_len);
            CHECK_MEM(a, b, a_len);
            kx_free(kx);
        }
        provider_test_evp_only(false);
        agree_dh(p, g);
        /* Leading zeros change nothing. */
        memcpy(padded + 2, p.p, p.len);
        CHECK_INT(kx_dh_named(slice_of(padded, p.len + 2), slice_of("\0\2", 2)), id);
        CHECK_INT(kx_dh_named(p, slice_of("\5", 1)), KX_NONE);
        CHECK_INT(kx_dh_named(slice_of(p.p, p.len - 1), g), KX_NONE);
        padded[p.len / 2] ^= 1;
        CHECK_INT(kx_dh_named(slice_of(padded + 2, p.len), g), KX_NONE);
        memset(padded, 0, sizeof padded);
    }
    CHECK(!kx_dh_params(KX_NONE, &p, &g));
    CHECK(!kx_dh_params(KX_P256, &p, &g));
    CHECK(!kx_dh_params((enum kx_id)77, &p, &g));
    CHECK_INT(kx_dh_named((struct slice){0}, (struct slice){0}), KX_NONE);
}

/* There is an x with 2^x = ours and y^x = secret. */
static bool is_power(unsigned p, unsigned y, unsigned ours, unsigned secret)
{
    unsigned a = 1, b = 1;
    for (unsigned x = 0; x < p; x++, a = a * 2 % p, b = b * y % p) {
        if (a == ours && b == secret)
            return true;
    }
    return false;
}

/* Groups that have no name here: those of RFC 3526, and ones so small that each exponent
 * occurs. */
static void test_dh_unnamed(void)
{
    uint8_t bytes[KX_MAX_DH], ours[KX_MAX_DH], secret[KX_MAX_SECRET];
    size_t our_len, len;
    struct slice p = prime(BN_get_rfc3526_prime_1536(NULL), bytes);
    CHECK_INT(kx_dh_named(p, slice_of(two, 1)), KX_NONE);
    agree_dh(p, slice_of(two, 1));
    agree_dh(p, slice_of("\5", 1));
    p = prime(BN_get_rfc3526_prime_3072(NULL), bytes);
    agree_dh(p, slice_of(two, 1));
    p = prime(BN_get_rfc2409_prime_768(NULL), bytes);
    agree_dh(p, slice_of(two, 1));
    static const uint8_t small[] = {5, 7, 11, 13, 17, 23, 127, 131, 251};
    for (size_t i = 0; i < sizeof small; i++) {
        for (uint8_t y = 2; y <= small[i] - 2; y++) {
            CHECK_INT(kx_dh_respond(slice_of(&small[i], 1), slice_of(two, 1), slice_of(&y, 1),
                                    ours, &our_len, secret, &len),
                      KX_OK);
            CHECK(our_len == 1 && len == 1);
            CHECK(is_power(small[i], y, ours[0], secret[0]));
        }
    }
}

/* The side that sends the group: both come to the same secret, by either route. */
static void start_dh(struct slice p, struct slice g, unsigned exponent)
{
    uint8_t share[KX_MAX_DH], ours[KX_MAX_DH], first[KX_MAX_DH] = {0};
    uint8_t secret[KX_MAX_SECRET], theirs[KX_MAX_SECRET];
    size_t share_len, our_len, len, their_len;
    for (int evp = 0; evp < 2; evp++) {
        struct kx *kx = NULL;
        provider_test_evp_only(evp);
        CHECK_INT(kx_dh_start(p, g, exponent, share, &share_len, &kx), KX_OK);
        CHECK(share_len == p.len && memcmp(share, first, p.len) != 0);
        memcpy(first, share, p.len);
        CHECK_INT(kx_peer_size(kx), p.len);
        CHECK_INT(
            kx_dh_respond(p, g, slice_of(share, share_len), ours, &our_len, theirs, &their_len),
            KX_OK);
        CHECK_INT(kx_finish(kx, ours, our_len, secret, &len), KX_OK);
        CHECK(len == p.len && their_len == p.len);
        CHECK_MEM(secret, theirs, len);
        memset(ours, 0, sizeof ours); /* 0, 1, p - 1 and p are no public values */
        CHECK_INT(kx_finish(kx, ours, p.len, secret, &len), KX_BAD_SHARE);
        ours[p.len - 1] = 1;
        CHECK_INT(kx_finish(kx, ours, p.len, secret, &len), KX_BAD_SHARE);
        memcpy(ours, p.p, p.len);
        CHECK_INT(kx_finish(kx, ours, p.len, secret, &len), KX_BAD_SHARE);
        add(ours, p.len, -1);
        CHECK_INT(kx_finish(kx, ours, p.len, secret, &len), KX_BAD_SHARE);
        CHECK_INT(kx_finish(kx, ours, p.len - 1, secret, &len), KX_BAD_SHARE);
        kx_free(kx);
    }
    provider_test_evp_only(false);
}

static void test_dh_start(void)
{
    uint8_t bytes[KX_MAX_DH + 1] = {0}, share[KX_MAX_DH];
    size_t len;
    struct kx *kx;
    struct slice p = prime(BN_get_rfc3526_prime_1536(NULL), bytes), g = slice_of(two, 1);
    start_dh(p, g, 0);
    start_dh(p, g, 225);
    start_dh(p, slice_of("\5", 1), 1);
    start_dh(prime(BN_get_rfc3526_prime_2048(NULL), bytes), g, 0); /* short exponents */
    CHECK(kx_dh_params(KX_FFDHE2048, &p, &g));
    start_dh(p, g, 0);
    p = prime(BN_get_rfc3526_prime_2048(NULL), bytes);
    g = slice_of(two, 1);
    CHECK(kx_dh_plausible(p, g) && !kx_dh_plausible(p, slice_of("\1", 1)) &&
          !kx_dh_plausible(p, p) && !kx_dh_plausible(slice_of("", 0), g));
    mem_test_fail_after(1);
    CHECK_INT(kx_dh_start(p, g, 0, share, &len, &kx), KX_FAILED);
    mem_test_fail_after(2);
    CHECK_INT(kx_dh_start(p, g, 0, share, &len, &kx), KX_FAILED);
    mem_test_fail_after(0);
    CHECK_INT(kx_dh_start(p, slice_of("\1", 1), 0, share, &len, &kx), KX_BAD_SHARE);
    CHECK_INT(kx_dh_start(p, p, 0, share, &len, &kx), KX_BAD_SHARE);
    add(bytes, p.len, -2);
    CHECK(!kx_dh_plausible(p, g)); /* odd, and composite */
    add(bytes, p.len, 1);
    CHECK_INT(kx_dh_start(p, g, 0, share, &len, &kx), KX_BAD_SHARE);
    memset(bytes, 0xff, sizeof bytes);
    CHECK_INT(kx_dh_start(slice_of(bytes, sizeof bytes), g, 0, share, &len, &kx), KX_BAD_SHARE);
    CHECK(!kx && len == 0);
}

/* The private exponent is new each time, and in an unknown group not a short one: modulo
 * 3^1291, (1 + 3^646)^x is 1 + x * 3^646, which gives x modulo 3^645, a number of 1023 bits. */
static void test_dh_exponents(void)
{
    uint8_t p[256], g[256], first[KX_MAX_DH], ours[KX_MAX_DH], secret[KX_MAX_SECRET];
    size_t our_len, len;
    BN_CTX *ctx = BN_CTX_new();
    BIGNUM *n = BN_new(), *step = BN_new(), *three = BN_new(), *x = BN_new();
    BN_set_word(three, 3);
    BN_set_word(x, 646);
    BN_exp(step, three, x, ctx);
    BN_set_word(x, 1291);
    BN_exp(n, three, x, ctx);
    size_t p_len = (size_t)BN_bn2bin(n, p);
    BN_copy(x, step);
    BN_add_word(x, 1);
    size_t g_len = (size_t)BN_bn2bin(x, g);
    for (int i = 0; i < 10; i++) {
        CHECK_INT(kx_dh_respond(slice_of(p, p_len), slice_of(g, g_len), slice_of(two, 1), ours,
                                &our_len, secret, &len),
                  KX_OK);
        BN_bin2bn(ours, (int)our_len, n);
        BN_sub_word(n, 1);
        CHECK_INT(BN_div(x, n, n, step, ctx), 1);
        CHECK(BN_is_zero(n));
        CHECK(BN_num_bits(x) > 960);
        CHECK(i == 0 || memcmp(first, ours, our_len) != 0);
        memcpy(first, ours, our_len);
    }
    BN_free(n);
    BN_free(step);
    BN_free(three);
    BN_free(x);
    BN_CTX_free(ctx);
}

static void test_dh_refused(void)
{
    static uint8_t bytes[KX_MAX_DH + 2], y[KX_MAX_DH + 2];
    struct slice p, g;
    ERR_clear_error();
    for (int named = 0; named < 2; named++) {
        p = prime(BN_get_rfc3526_prime_2048(NULL), bytes);
        g = slice_of(two, 1);
        if (named)
            CHECK(kx_dh_params(KX_FFDHE2048, &p, &g));
        if (p.p != bytes)
            memcpy(bytes, p.p, p.len);
        p.p = bytes;
        size_t len = p.len;
        memset(y, 0, sizeof y);
        refuse_dh(p, g, slice_of(y, 0));
        refuse_dh(p, g, slice_of(y, len)); /* 0, 1 */
        y[len - 1] = 1;
        refuse_dh(p, g, slice_of(y, len));
        refuse_dh(p, slice_of(y, len), slice_of(two, 1));
        refuse_dh(p, slice_of(y, len - 1), slice_of(two, 1));
        refuse_dh(p, slice_of(y, 0), slice_of(two, 1));
        for (int by = -1; by <= 1; by++) { /* p-1, p, p+1 */
            memcpy(y, p.p, len);
            add(y, len, by);
            refuse_dh(p, g, slice_of(y, len));
            refuse_dh(p, slice_of(y, len), slice_of(two, 1));
        }
        memset(y, 0, sizeof y);
        y[0] = 1; /* longer than p */
        refuse_dh(p, g, slice_of(y, len + 1));
        bytes[len - 1] ^= 1; /* even */
        refuse_dh(p, g, slice_of(two, 1));
    }
    refuse_dh((struct slice){0}, g, slice_of(two, 1));
    refuse_dh(slice_of(y + 5, 9), g, slice_of(two, 1)); /* 0 */
    refuse_dh(slice_of("\1", 1), slice_of(two, 1), slice_of(two, 1));
    refuse_dh(slice_of("\3", 1), slice_of(two, 1), slice_of(two, 1));
    memset(bytes, 0xff, sizeof bytes);
    bytes[0] = 1; /* 8193 bits */
    refuse_dh(slice_of(bytes, KX_MAX_DH + 1), g, slice_of(two, 1));
    bytes[0] = 0;
    uint8_t ours[KX_MAX_DH], secret[KX_MAX_SECRET];
    size_t our_len, secret_len;
    CHECK_INT(kx_dh_respond(slice_of(bytes, KX_MAX_DH + 1), g, slice_of(two, 1), ours, &our_len,
                            secret, &secret_len),
              KX_OK);
    CHECK_INT(our_len, KX_MAX_DH);
    CHECK_INT(secret_len, KX_MAX_DH);
}

/* p - 2, and values that have lost their leading zeros, are as good as others. */
static void test_dh_edges(void)
{
    static uint8_t bytes[KX_MAX_DH], y[KX_MAX_DH], ours[KX_MAX_DH], secret[KX_MAX_SECRET];
    for (int named = 0; named < 2; named++) {
        struct slice p = prime(BN_get_rfc3526_prime_2048(NULL), bytes), g = slice_of(two, 1);
        size_t our_len, len;
        if (named)
            CHECK(kx_dh_params(KX_FFDHE2048, &p, &g));
        memcpy(y, p.p, p.len);
        add(y, p.len, -2);
        CHECK_INT(kx_dh_respond(p, g, slice_of(y, p.len), ours, &our_len, secret, &len), KX_OK);
        CHECK_INT(kx_dh_respond(p, g, slice_of(two, 1), ours, &our_len, secret, &len), KX_OK);
        CHECK_INT(len, p.len);
        CHECK_MEM(ours, secret, len); /* g^x = y^x */
        provider_test_evp_only(true);
        CHECK_INT(kx_dh_respond(p, g, slice_of(two, 1), ours, &our_len, secret, &len), KX_OK);
        CHECK_INT(len, p.len);
        CHECK_MEM(ours, secret, len);
        provider_test_evp_only(false);
    }
}

/* A secret that begins with a zero byte is not shortened (RFC 8446 7.4.2). The private key 1
 * gives the x coordinate of the peer's point itself. */
static void test_leading_zero(void)
{
    uint8_t one[66] = {0}, share[140], ours[140], secret[KX_MAX_SECRET];
    size_t len;
    for (enum kx_id id = KX_P256; id <= KX_P384; id++) {
        size_t size = secret_size(id);
        memset(one, 0, sizeof one);
        one[size - 1] = 1;
        int tries = 0;
        do {
            kx_free(kx_start(id, share));
        } while (share[1] != 0 && ++tries < 20000);
        CHECK_INT(share[1], 0);
        CHECK_INT(kx_respond(id, share, kx_initiator_share_size(id), ours, secret, &len, one),
                  KX_OK);
        CHECK_INT(len, size);
        CHECK_MEM(secret, share + 1, size);
    }
}

static void test_memory(void)
{
    uint8_t share[KX_MAX_SHARE];
    for (enum kx_id id = FIRST; id <= LAST; id++) {
        mem_test_fail_after(1);
        CHECK(!kx_start(id, share));
        mem_test_fail_after(0);
    }
    kx_free(NULL);
}

/* ---- hybrids: where their halves stand (RFC 10024) */

static const struct hybrid {
    enum kx_id id, curve;
    bool kem_first;
    size_t ek, cipher;
} hybrids[] = {{KX_X25519MLKEM768, KX_X25519, true, 1184, 1088},
               {KX_P256MLKEM768, KX_P256, false, 1184, 1088},
               {KX_P384MLKEM1024, KX_P384, false, 1568, 1568}};

static void test_hybrid_sizes(void)
{
    for (size_t i = 0; i < 3; i++) {
        const struct hybrid *h = &hybrids[i];
        size_t point = kx_initiator_share_size(h->curve);
        CHECK_INT(kx_initiator_share_size(h->id), point + h->ek);
        CHECK_INT(kx_responder_share_size(h->id), point + h->cipher);
        CHECK(kx_initiator_share_size(h->id) <= KX_MAX_SHARE);
        CHECK(kx_is_quantum_safe(h->id));
        CHECK(!kx_is_quantum_safe(h->curve));
        CHECK(!kx_start_with(h->id, (const uint8_t *)"", 1, NULL));
    }
    CHECK(!kx_is_quantum_safe(KX_NONE));
    CHECK(!kx_is_quantum_safe((enum kx_id)77));
}

/* The other end, by the halves alone: an encapsulation key and a point of our own, whose shared secrets have
 * to stand where they should. */
static void answer_by_halves(const struct hybrid *h)
{
    enum mlkem_id kem = h->ek == 1184 ? MLKEM_768 : MLKEM_1024;
    uint8_t share[KX_MAX_SHARE], answer[KX_MAX_SHARE], a[KX_MAX_SECRET], b[KX_MAX_SECRET],
        m[32] = {7};
    size_t point = kx_initiator_share_size(h->curve), len, half;
    struct kx *kx = kx_start(h->id, share);
    CHECK(kx != NULL);
    size_t kem_at = h->kem_first ? 0 : point, curve_at = h->kem_first ? h->ek : 0;
    size_t secret_at = h->kem_first ? 32 : 0;
    uint8_t *our_point = answer + (h->kem_first ? h->cipher : 0);
    CHECK_INT(
        kx_respond(h->curve, share + curve_at, point, our_point, b + secret_at, &half, NULL),
        KX_OK);
    CHECK(mlkem_encaps(kem, share + kem_at, m, answer + kem_at, b + (h->kem_first ? 0 : half)));
    CHECK_INT(kx_finish(kx, answer, point + h->cipher, a, &len), KX_OK);
    CHECK_INT(len, half + 32);
    CHECK_MEM(a, b, len);
    answer[kem_at + 5] ^= 1; /* no error, and another secret */
    CHECK_INT(kx_finish(kx, answer, point + h->cipher, a, &len), KX_OK);
    CHECK(memcmp(a + (h->kem_first ? 0 : half), b + (h->kem_first ? 0 : half), 32) != 0);
    CHECK_MEM(a + secret_at, b + secret_at, half);
    kx_free(kx);
}

static void start_by_halves(const struct hybrid *h)
{
    enum mlkem_id kem = h->ek == 1184 ? MLKEM_768 : MLKEM_1024;
    uint8_t share[KX_MAX_SHARE], answer[KX_MAX_SHARE], a[KX_MAX_SECRET], b[KX_MAX_SECRET],
        dk[MLKEM_MAX_DK];
    static const uint8_t seed[32] = {9};
    size_t point = kx_initiator_share_size(h->curve), len, half;
    size_t kem_at = h->kem_first ? 0 : point;
    struct kx *kx = kx_start(h->curve, share + (h->kem_first ? h->ek : 0));
    mlkem_keygen(kem, seed, seed, share + kem_at, dk);
    CHECK_INT(kx_respond(h->id, share, point + h->ek, answer, a, &len, NULL), KX_OK);
    CHECK_INT(kx_finish(kx, answer + (h->kem_first ? h->cipher : 0), point,
                        b + (h->kem_first ? 32 : 0), &half),
              KX_OK);
    mlkem_decaps(kem, dk, answer + kem_at, b + (h->kem_first ? 0 : half));
    CHECK_INT(len, half + 32);
    CHECK_MEM(a, b, len);
    kx_free(kx);
}

static void test_hybrid_halves(void)
{
    for (size_t i = 0; i < 3; i++) {
        for (int n = 0; n < 5; n++) {
            answer_by_halves(&hybrids[i]);
            start_by_halves(&hybrids[i]);
        }
    }
}

/* A bad point, or a coefficient that is not below q, is refused. */
static void test_hybrid_refuses(void)
{
    for (size_t i = 0; i < 3; i++) {
        const struct hybrid *h = &hybrids[i];
        uint8_t share[KX_MAX_SHARE], answer[KX_MAX_SHARE], bad[KX_MAX_SHARE],
            ours[KX_MAX_SHARE], secret[KX_MAX_SECRET];
        size_t point = kx_initiator_share_size(h->curve), len, size = point + h->ek;
        size_t curve_at = h->kem_first ? h->ek : 0, kem_at = h->kem_first ? 0 : point;
        struct kx *kx = kx_start(h->id, share);
        CHECK_INT(kx_respond(h->id, share, size, answer, secret, &len, NULL), KX_OK);
        memcpy(bad, share, size);
        memset(bad + curve_at, 0, point);
        CHECK_INT(kx_respond(h->id, bad, size, ours, secret, &len, NULL), KX_BAD_SHARE);
        CHECK_INT(len, 0);
        memcpy(bad, share, size);
        memset(bad + kem_at, 0xff, 3); /* two coefficients of 4095 */
        CHECK_INT(kx_respond(h->id, bad, size, ours, secret, &len, NULL), KX_BAD_SHARE);
        CHECK_INT(len, 0);
        memset(answer + (h->kem_first ? h->cipher : 0), 0, point);
        CHECK_INT(kx_finish(kx, answer, point + h->cipher, secret, &len), KX_BAD_SHARE);
        CHECK_INT(len, 0);
        kx_free(kx);
        CHECK_INT(ERR_peek_error(), 0);
    }
}

/* The n-th allocation fails, in either role. */
static void test_hybrid_memory(void)
{
    for (size_t i = 0; i < 3; i++) {
        uint8_t share[KX_MAX_SHARE], answer[KX_MAX_SHARE], secret[KX_MAX_SECRET];
        struct kx *kx = NULL;
        unsigned long n = 1;
        size_t len;
        for (; n < 20 && !kx; n++) {
            mem_test_fail_after(n);
            kx = kx_start(hybrids[i].id, share);
        }
        mem_test_fail_after(0);
        CHECK(kx && n > 2);
        mem_test_fail_after(1);
        enum kx_result result =
            kx_respond(hybrids[i].id, share, kx_initiator_share_size(hybrids[i].id), answer,
                       secret, &len, NULL);
        mem_test_fail_after(0);
        CHECK(result == KX_OK || result == KX_FAILED);
        kx_free(kx);
    }
}

int main(void)
{
    slow = getenv("HF_TEST_SLOW") != NULL;
    RUN(test_threads);
    RUN(test_both_sides);
    RUN(test_evp_route);
    RUN(test_routes_agree);
    RUN(test_vectors);
    RUN(test_wrong_lengths);
    RUN(test_small_order);
    RUN(test_bad_points);
    RUN(test_bad_scalars);
    RUN(test_ffdhe);
    RUN(test_dh_named);
    RUN(test_dh_unnamed);
    RUN(test_dh_exponents);
    RUN(test_dh_start);
    RUN(test_dh_refused);
    RUN(test_dh_edges);
    RUN(test_leading_zero);
    RUN(test_memory);
    RUN(test_hybrid_sizes);
    RUN(test_hybrid_halves);
    RUN(test_hybrid_refuses);
    RUN(test_hybrid_memory);
    return check_done();
}
