/* Digests, HMAC (RFC 2202, RFC 4231) and HKDF (RFC 5869, and the key schedule of RFC 8448) against
 * published vectors, and against libcrypto's EVP for lengths that no vector has. */
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include "check.h"
#include "crypto/hash.h"
#include "hex.h"

/* The last one has no HMAC. */
static const enum hash_id ids[] = {HASH_SHA256, HASH_SHA384, HASH_SHA512,
                                   HASH_MD5,    HASH_SHA1,   HASH_MD5_SHA1};
enum { HASHES = 6, KEYED = 5 };

static const EVP_MD *md_of(enum hash_id id)
{
    switch (id) {
    case HASH_SHA256: return EVP_sha256();
    case HASH_SHA384: return EVP_sha384();
    case HASH_SHA512: return EVP_sha512();
    case HASH_MD5: return EVP_md5();
    case HASH_SHA1: return EVP_sha1();
    case HASH_MD5_SHA1: return EVP_md5_sha1();
    case HASH_NONE: break;
    }
    return NULL;
}

static void check_hex(const uint8_t *got, size_t len, const char *hex)
{
    uint8_t want[512];
    CHECK_INT(unhex(hex, want), len);
    CHECK_MEM(got, want, len);
}

/* "abc", of FIPS 180-4 and of RFC 1321 A.5. */
static void test_abc(void)
{
    uint8_t out[HASH_MAX_SIZE];
    hash_once(HASH_SHA256, "abc", 3, out);
    check_hex(out, 32, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    hash_once(HASH_SHA384, "abc", 3, out);
    check_hex(out, 48,
              "cb00753f45a35e8bb5a03d699ac65007272c32ab0eded1631a8b605a43ff5bed"
              "8086072ba1e7cc2358baeca134c825a7");
    hash_once(HASH_SHA512, "abc", 3, out);
    check_hex(out, 64,
              "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a"
              "2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f");
    hash_once(HASH_MD5, "abc", 3, out);
    check_hex(out, 16, "900150983cd24fb0d6963f7d28e17f72");
    hash_once(HASH_SHA1, "abc", 3, out);
    check_hex(out, 20, "a9993e364706816aba3e25717850c26c9cd0d89d");
    hash_once(HASH_MD5_SHA1, "abc", 3, out);
    check_hex(out, 36,
              "900150983cd24fb0d6963f7d28e17f72a9993e364706816aba3e25717850c26c9cd0d89d");
    CHECK_INT(hash_size(HASH_MD5), 16);
    CHECK_INT(hash_size(HASH_SHA1), 20);
    CHECK_INT(hash_size(HASH_MD5_SHA1), 36);
    CHECK_INT(hash_size(HASH_SHA256), 32);
    CHECK_INT(hash_size(HASH_SHA384), 48);
    CHECK_INT(hash_size(HASH_SHA512), 64);
    CHECK_INT(hash_size(HASH_NONE), 0);
}

/* Every length over two blocks, in two pieces, with a snapshot in between and a copy by
 * assignment. */
static void test_lengths(void)
{
    uint8_t data[300], want[64], got[64], half[64];
    for (size_t i = 0; i < sizeof data; i++)
        data[i] = (uint8_t)(i * 7);
    for (int k = 0; k < HASHES; k++) {
        size_t size = hash_size(ids[k]);
        for (size_t n = 0; n <= sizeof data; n++) {
            struct hash h, copy;
            hash_init(&h, ids[k]);
            hash_update(&h, data, n / 2);
            hash_digest(&h, half);
            copy = h;
            hash_update(&h, data + n / 2, n - n / 2);
            hash_digest(&h, got);
            EVP_Digest(data, n, want, NULL, md_of(ids[k]), NULL);
            CHECK_MEM(got, want, size);
            hash_digest(&h, got);
            CHECK_MEM(got, want, size);
            hash_digest(&copy, got);
            CHECK_MEM(got, half, size);
            EVP_Digest(data, n / 2, want, NULL, md_of(ids[k]), NULL);
            CHECK_MEM(half, want, size);
        }
    }
}

/* RFC 4231, test cases 1, 2, 3 and 6: key shorter and longer than a block. */
static void test_hmac_rfc4231(void)
{
    uint8_t key[131], data[50], out[64];
    memset(key, 0x0b, 20);
    hmac(HASH_SHA256, key, 20, slice_of("Hi There", 8), (struct slice){0}, (struct slice){0},
         out);
    check_hex(out, 32, "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7");
    hmac(HASH_SHA384, key, 20, slice_of("Hi", 2), slice_of(" The", 4), slice_of("re", 2), out);
    check_hex(out, 48,
              "afd03944d84895626b0825f4ab46907f15f9dadbe4101ec682aa034c7cebc59c"
              "faea9ea9076ede7f4af152e8b2fa9cb6");
    hmac(HASH_SHA512, key, 20, slice_of("Hi There", 8), (struct slice){0}, (struct slice){0},
         out);
    check_hex(out, 64,
              "87aa7cdea5ef619d4ff0b4241a1d6cb02379f4e2ce4ec2787ad0b30545e17cde"
              "daa833b7d6b8a702038b274eaea3f4e4be9d914eeb61f1702e696c203a126854");
    hmac(HASH_SHA256, (const uint8_t *)"Jefe", 4, slice_of("what do ya want ", 16),
         slice_of("for nothing?", 12), (struct slice){0}, out);
    check_hex(out, 32, "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
    memset(key, 0xaa, sizeof key);
    memset(data, 0xdd, sizeof data);
    hmac(HASH_SHA256, key, 20, slice_of(data, 50), (struct slice){0}, (struct slice){0}, out);
    check_hex(out, 32, "773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe");
    static const char long_key[] = "Test Using Larger Than Block-Size Key - Hash Key First";
    hmac(HASH_SHA256, key, 131, slice_of(long_key, sizeof long_key - 1), (struct slice){0},
         (struct slice){0}, out);
    check_hex(out, 32, "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54");
    hmac(HASH_SHA512, key, 131, slice_of(long_key, sizeof long_key - 1), (struct slice){0},
         (struct slice){0}, out);
    check_hex(out, 64,
              "80b24263c7c1a3ebb71493c1dd7be8b49b46d1f41b4aeec1121b013783f8f352"
              "6b56d037e05f2598bd0fd2215d6a1e5295e64f73f63f0aec8b915a985d786598");
}

/* RFC 2202, test cases 1, 2 and 6 of HMAC-MD5 and HMAC-SHA-1. */
static void test_hmac_rfc2202(void)
{
    static const char long_key[] = "Test Using Larger Than Block-Size Key - Hash Key First";
    static const struct {
        enum hash_id id;
        size_t size;
        const char *short_key, *jefe, *long_key;
    } rows[] = {
        {HASH_MD5, 16, "9294727a3638bb1c13f48ef8158bfc9d", "750c783e6ab0b503eaa86e310a5db738",
         "6b1ab7fe4bd7bf8f0b62e6ce61b9d0cd"},
        {HASH_SHA1, 20, "b617318655057264e28bc0b6fb378c8ef146be00",
         "effcdf6ae5eb2fa2d27416d5f184df9c259a7c79",
         "aa4ae5e15272d00e95705637ce8a3b55ed402112"},
    };
    for (int i = 0; i < 2; i++) {
        uint8_t key[80], out[HASH_MAX_SIZE];
        struct slice none = {0};
        memset(key, 0x0b, sizeof key);
        hmac(rows[i].id, key, rows[i].size, slice_of("Hi There", 8), none, none, out);
        check_hex(out, rows[i].size, rows[i].short_key);
        hmac(rows[i].id, (const uint8_t *)"Jefe", 4, slice_of("what do ya want ", 16),
             slice_of("for nothing?", 12), none, out);
        check_hex(out, rows[i].size, rows[i].jefe);
        memset(key, 0xaa, sizeof key);
        hmac(rows[i].id, key, 80, slice_of(long_key, sizeof long_key - 1), none, none, out);
        check_hex(out, rows[i].size, rows[i].long_key);
    }
}

static void test_hmac_lengths(void)
{
    uint8_t key[200], data[100], want[64], got[64];
    memset(key, 0x5a, sizeof key);
    memset(data, 0xc3, sizeof data);
    for (int k = 0; k < KEYED; k++) {
        for (size_t n = 0; n <= sizeof key; n++) {
            size_t d = n / 2;
            HMAC(md_of(ids[k]), key, (int)n, data, d, want, NULL);
            hmac(ids[k], key, n, slice_of(data, d), (struct slice){0}, (struct slice){0}, got);
            CHECK_MEM(got, want, hash_size(ids[k]));
        }
    }
}

/* A keyed HMAC is copied and used twice. */
static void test_hmac_again(void)
{
    struct hmac key, m;
    uint8_t a[32], b[32];
    hmac_init(&key, HASH_SHA256, (const uint8_t *)"key", 3);
    m = key;
    hmac_update(&m, "x", 1);
    hmac_final(&m, a);
    m = key;
    hmac_update(&m, "x", 1);
    hmac_final(&m, b);
    CHECK_MEM(a, b, 32);
    hmac(HASH_SHA256, (const uint8_t *)"key", 3, slice_of("x", 1), (struct slice){0},
         (struct slice){0}, b);
    CHECK_MEM(a, b, 32);
    static const struct hmac zero;
    CHECK_MEM(&m, &zero, sizeof m);
}

/* RFC 5869 appendix A.1, A.2, A.3. */
static void test_hkdf_rfc5869(void)
{
    uint8_t ikm[80], salt[80], info[80], prk[32], okm[82];
    memset(ikm, 0x0b, 22);
    for (int i = 0; i < 13; i++)
        salt[i] = (uint8_t)i;
    for (int i = 0; i < 10; i++)
        info[i] = (uint8_t)(0xf0 + i);
    hkdf_extract(HASH_SHA256, slice_of(salt, 13), slice_of(ikm, 22), prk);
    check_hex(prk, 32, "077709362c2e32df0ddc3f0dc47bba6390b6c73bb50f9c3122ec844ad7c2b3e5");
    hkdf_expand(HASH_SHA256, prk, slice_of(info, 10), okm, 42);
    check_hex(okm, 42,
              "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf"
              "34007208d5b887185865");
    for (int i = 0; i < 80; i++) {
        ikm[i] = (uint8_t)i;
        salt[i] = (uint8_t)(0x60 + i);
        info[i] = (uint8_t)(0xb0 + i);
    }
    hkdf_extract(HASH_SHA256, slice_of(salt, 80), slice_of(ikm, 80), prk);
    check_hex(prk, 32, "06a6b88c5853361a06104c9ceb35b45cef760014904671014a193f40c15fc244");
    hkdf_expand(HASH_SHA256, prk, slice_of(info, 80), okm, 82);
    check_hex(okm, 82,
              "b11e398dc80327a1c8e7f78c596a49344f012eda2d4efad8a050cc4c19afa97c"
              "59045a99cac7827271cb41c65e590e09da3275600c2f09b8367793a9aca3db71"
              "cc30c58179ec3e87c14c01d5c1f3434f1d87");
    memset(ikm, 0x0b, 22);
    hkdf_extract(HASH_SHA256, (struct slice){0}, slice_of(ikm, 22), prk);
    check_hex(prk, 32, "19ef24a32c717b167f33a91d6f648bdf96596776afdb6377ac434c1c293ccb04");
    hkdf_expand(HASH_SHA256, prk, (struct slice){0}, okm, 42);
    check_hex(okm, 42,
              "8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d"
              "9d201395faa4b61a96c8");
}

/* HKDF-Expand-Label of RFC 8446 7.1, as far as this room is concerned: an info string. */
static void expand_label(const uint8_t *secret, const char *label, const char *context_hex,
                         uint8_t *out, size_t n)
{
    uint8_t info[128], context[64];
    size_t label_len = strlen(label), context_len = unhex(context_hex, context), at = 0;
    put_u16(info, (uint16_t)n);
    at = 2;
    info[at++] = (uint8_t)(6 + label_len);
    memcpy(info + at, "tls13 ", 6);
    memcpy(info + at + 6, label, label_len);
    at += 6 + label_len;
    info[at++] = (uint8_t)context_len;
    memcpy(info + at, context, context_len);
    hkdf_expand(HASH_SHA256, secret, slice_of(info, at + context_len), out, n);
}

/* RFC 8448 3, simple 1-RTT handshake: the secrets of the server's side, step by step. */
static void test_rfc8448(void)
{
    static const char empty[] =
        "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
    static const char hello[] =
        "860c06edc07858ee8e78f0e7428c58edd6b43f2ca3e6e95f02ed063cf0e1cad8";
    uint8_t early[32], derived[32], shared[32], handshake[32], traffic[32], master[32], out[32];
    hkdf_extract(HASH_SHA256, (struct slice){0}, (struct slice){0}, early);
    check_hex(early, 32, "33ad0a1c607ec03b09e6cd9893680ce210adf300aa1f2660e1b22e10f170f92a");
    expand_label(early, "derived", empty, derived, 32);
    check_hex(derived, 32, "6f2615a108c702c5678f54fc9dbab69716c076189c48250cebeac3576c3611ba");
    unhex("8bd4054fb55b9d63fdfbacf9f04b9f0d35e6d63f537563efd46272900f89492d", shared);
    hkdf_extract(HASH_SHA256, slice_of(derived, 32), slice_of(shared, 32), handshake);
    check_hex(handshake, 32,
              "1dc826e93606aa6fdc0aadc12f741b01046aa6b99f691ed221a9f0ca043fbeac");
    expand_label(handshake, "c hs traffic", hello, traffic, 32);
    check_hex(traffic, 32, "b3eddb126e067f35a780b3abf45e2d8f3b1a950738f52e9600746a0e27a55a21");
    expand_label(handshake, "s hs traffic", hello, traffic, 32);
    check_hex(traffic, 32, "b67b7d690cc16c4e75e54213cb2d37b4e9c912bcded9105d42befd59d391ad38");
    expand_label(traffic, "key", "", out, 16);
    check_hex(out, 16, "3fce516009c21727d0f2e4e86ee403bc");
    expand_label(traffic, "iv", "", out, 12);
    check_hex(out, 12, "5d313eb2671276ee13000b30");
    expand_label(handshake, "derived", empty, derived, 32);
    check_hex(derived, 32, "43de77e0c77713859a944db9db2590b53190a65b3ee2e4f12dd7a0bb7ce254b4");
    hkdf_extract(HASH_SHA256, slice_of(derived, 32), (struct slice){0}, master);
    check_hex(master, 32, "18df06843d13a08bf2a449844c5f8a478001bc4d4c627984d5a41da8d0402919");
}

int main(void)
{
    RUN(test_abc);
    RUN(test_lengths);
    RUN(test_hmac_rfc4231);
    RUN(test_hmac_rfc2202);
    RUN(test_hmac_lengths);
    RUN(test_hmac_again);
    RUN(test_hkdf_rfc5869);
    RUN(test_rfc8448);
    return check_done();
}
