/* Private keys from files: every format, encrypted or not, alone or among other things; and
 * what is said about files that are no good. */
#include <openssl/bio.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/pkcs12.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "check.h"
#include "crypto/provider.h"
#include "crypto/sign.h"
#include "pki.h"

/* ---- making files */

static uint8_t file[40000];
static size_t file_len;

static EVP_PKEY *generate(const char *name, const char *curve, unsigned rsa_bits)
{
    EVP_PKEY *pkey = NULL;
    if (rsa_bits)
        return pki_rsa(name, rsa_bits);
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, name, NULL);
    EVP_PKEY_keygen_init(ctx);
    if (curve)
        EVP_PKEY_CTX_set_group_name(ctx, curve);
    EVP_PKEY_generate(ctx, &pkey);
    EVP_PKEY_CTX_free(ctx);
    return pkey;
}

static void take(BIO *bio)
{
    char *p = NULL;
    long len = BIO_get_mem_data(bio, &p);
    memcpy(file + file_len, p, (size_t)len);
    file_len += (size_t)len;
    BIO_free(bio);
}

static void add_text(const char *s)
{
    memcpy(file + file_len, s, strlen(s));
    file_len += strlen(s);
}

static void add_certificate(EVP_PKEY *pkey)
{
    BIO *bio = BIO_new(BIO_s_mem());
    X509 *x = X509_new();
    X509_set_version(x, 2);
    ASN1_INTEGER_set(X509_get_serialNumber(x), 1);
    X509_gmtime_adj(X509_getm_notBefore(x), 0);
    X509_gmtime_adj(X509_getm_notAfter(x), 86400);
    X509_set_pubkey(x, pkey);
    X509_sign(x, pkey,
              EVP_PKEY_is_a(pkey, "ED25519") || EVP_PKEY_is_a(pkey, "ED448") ? NULL
                                                                             : EVP_sha256());
    PEM_write_bio_X509(bio, x);
    X509_free(x);
    take(bio);
}

enum format { PKCS8_PEM, OLD_PEM, PKCS8_DER, OLD_DER, FORMATS };

static bool has_old_format(const EVP_PKEY *pkey)
{
    return EVP_PKEY_is_a(pkey, "RSA") || EVP_PKEY_is_a(pkey, "EC");
}

static void add_key(EVP_PKEY *pkey, enum format format)
{
    BIO *bio = BIO_new(BIO_s_mem());
    if (format == PKCS8_PEM)
        PEM_write_bio_PKCS8PrivateKey(bio, pkey, NULL, NULL, 0, NULL, NULL);
    if (format == OLD_PEM)
        PEM_write_bio_PrivateKey_traditional(bio, pkey, NULL, NULL, 0, NULL, NULL);
    if (format == PKCS8_DER)
        i2d_PKCS8PrivateKey_bio(bio, pkey, NULL, NULL, 0, NULL, NULL);
    if (format == OLD_DER)
        i2d_PrivateKey_bio(bio, pkey);
    take(bio);
}

static const char passphrase[] = "correct horse";

static void add_encrypted(EVP_PKEY *pkey, enum format format)
{
    BIO *bio = BIO_new(BIO_s_mem());
    char copy[] = "correct horse";
    unsigned char *old = (unsigned char *)copy;
    const EVP_CIPHER *c = EVP_aes_128_cbc();
    if (format == PKCS8_PEM)
        PEM_write_bio_PKCS8PrivateKey(bio, pkey, c, copy, 13, NULL, NULL);
    if (format == OLD_PEM)
        PEM_write_bio_PrivateKey_traditional(bio, pkey, c, old, 13, NULL, NULL);
    if (format == PKCS8_DER)
        i2d_PKCS8PrivateKey_bio(bio, pkey, c, copy, 13, NULL, NULL);
    take(bio);
}

static void begin(void)
{
    file_len = 0;
}

/* ---- asking for passphrases */

static int asked;

static int answer(char *out, size_t size, void *arg)
{
    const char *text = arg;
    asked++;
    if (!text)
        return -1;
    CHECK(size >= 1024);
    memcpy(out, text, strlen(text));
    return (int)strlen(text);
}

static int answer_too_much(char *out, size_t size, void *arg)
{
    (void)arg;
    memset(out, 'x', size);
    return (int)size + 1;
}

/* ---- what comes out */

static struct private_key *parse(hf_passphrase_fn fn, const char *text, bool *found,
                                 hf_error *err)
{
    union {
        const char *in;
        void *out;
    } arg = {text};
    memset(err, 0, sizeof *err);
    *found = !*found; /* it is always set */
    asked = 0;
    return private_key_parse(slice_of(file, file_len), fn, arg.out, found, err);
}

static void accept_with(EVP_PKEY *pkey, int times)
{
    bool found = false;
    hf_error err;
    struct public_key *pub = public_key_from_pkey(pkey);
    struct private_key *key = parse(answer, passphrase, &found, &err);
    CHECK(found);
    CHECK(key != NULL);
    CHECK_INT(err.code, 0);
    CHECK_INT(asked, times);
    if (key)
        CHECK(private_key_matches(key, pub));
    else
        printf("    %s: %s\n", hf_code_name(err.code), err.detail);
    private_key_free(key);
    public_key_free(pub);
    CHECK_INT(ERR_peek_error(), 0);
}

static void refuse_as(hf_passphrase_fn fn, const char *text, bool was_found, hf_code code,
                      const char *word)
{
    bool found = false;
    hf_error err;
    struct private_key *key = parse(fn, text, &found, &err);
    CHECK(!key);
    CHECK_INT(found, was_found);
    CHECK_STR(hf_code_name(err.code), hf_code_name(code));
    if (!strstr(err.detail, word)) {
        printf("    \"%s\" lacks \"%s\"\n", err.detail, word);
        CHECK(false);
    }
    private_key_free(key);
    CHECK_INT(ERR_peek_error(), 0);
}

static const struct {
    const char *name, *curve;
    unsigned bits;
} kinds[] = {
    {"EC", "P-256", 0},      {"EC", "P-384", 0},   {"EC", "P-521", 0},
    {"EC", "secp256k1", 0},  {"RSA", NULL, 2048},  {"RSA", NULL, 3072},
    {"RSA-PSS", NULL, 2048}, {"ED25519", NULL, 0}, {"ED448", NULL, 0},
};
#define KINDS (sizeof kinds / sizeof kinds[0])

static EVP_PKEY *keys[KINDS];

static void make_keys(void)
{
    for (size_t i = 0; i < KINDS; i++)
        keys[i] = generate(kinds[i].name, kinds[i].curve, kinds[i].bits);
}

static void test_formats(void)
{
    for (size_t i = 0; i < KINDS; i++) {
        for (enum format f = 0; f < FORMATS; f++) {
            if ((f == OLD_PEM || f == OLD_DER) && !has_old_format(keys[i]))
                continue;
            begin();
            add_key(keys[i], f);
            accept_with(keys[i], 0);
        }
    }
}

static void test_encrypted(void)
{
    for (size_t i = 0; i < KINDS; i++) {
        for (enum format f = 0; f < OLD_DER; f++) {
            if (f == OLD_PEM && !has_old_format(keys[i]))
                continue;
            begin();
            add_encrypted(keys[i], f);
            accept_with(keys[i], 1);
            refuse_as(NULL, NULL, true, HF_E_PASSPHRASE, "no passphrase was given");
            refuse_as(answer, NULL, true, HF_E_PASSPHRASE, "gave none");
            refuse_as(answer, "wrong", true, HF_E_PASSPHRASE, "is wrong");
            refuse_as(answer, "", true, HF_E_PASSPHRASE, "");
            refuse_as(answer_too_much, NULL, true, HF_E_PASSPHRASE, "");
        }
    }
}

/* One wrong passphrase in 256 gives right-looking padding: then it is the DER that tells. */
static void test_wrong_passphrases(void)
{
    char text[16];
    begin();
    add_encrypted(keys[0], OLD_PEM);
    for (int i = 0; i < 1500; i++) {
        snprintf(text, sizeof text, "w%d", i);
        refuse_as(answer, text, true, HF_E_PASSPHRASE, "is wrong");
    }
}

static void test_among_others(void)
{
    for (size_t i = 0; i < KINDS; i++) {
        if (i == 3)
            continue;
        begin();
        add_text("Bag Attributes\n    friendlyName: server\n");
        add_certificate(keys[i]);
        add_certificate(keys[0]);
        add_key(keys[i], PKCS8_PEM);
        add_certificate(keys[0]);
        accept_with(keys[i], 0);
    }
    begin(); /* the first key counts */
    add_key(keys[1], OLD_PEM);
    add_key(keys[2], OLD_PEM);
    accept_with(keys[1], 0);
}

static void add_parameters(EVP_PKEY *pkey)
{
    BIO *bio = BIO_new(BIO_s_mem());
    PEM_write_bio_Parameters(bio, pkey);
    take(bio);
}

/* What "openssl ecparam -genkey" writes; and a key that contradicts the block before it. */
static void test_parameters(void)
{
    begin();
    add_parameters(keys[1]);
    add_key(keys[1], OLD_PEM);
    accept_with(keys[1], 0);
    begin();
    add_parameters(keys[0]);
    add_key(keys[1], OLD_PEM);
    refuse_as(answer, NULL, true, HF_E_PEM, "EC private key");
}

static void to_crlf(void)
{
    static uint8_t copy[sizeof file];
    size_t n = 0;
    for (size_t i = 0; i < file_len; i++) {
        if (file[i] == '\n')
            copy[n++] = '\r';
        copy[n++] = file[i];
    }
    memcpy(file, copy, n);
    file_len = n;
}

static void test_line_ends(void)
{
    begin();
    add_text("0 is also the first byte of DER\n");
    add_key(keys[0], PKCS8_PEM);
    to_crlf();
    accept_with(keys[0], 0);
    begin();
    add_key(keys[0], PKCS8_PEM);
    while (file[file_len - 1] == '\n')
        file_len--;
    accept_with(keys[0], 0);
}

static void test_no_key(void)
{
    begin();
    refuse_as(answer, NULL, false, HF_E_PEM, "neither PEM nor");
    add_text("hello, world\n");
    refuse_as(answer, NULL, false, HF_E_PEM, "neither PEM nor");
    begin();
    add_certificate(keys[0]);
    add_certificate(keys[0]);
    add_parameters(keys[0]);
    refuse_as(answer, NULL, false, HF_E_PEM, "only: CERTIFICATE, EC PARAMETERS");
    begin();
    BIO *bio = BIO_new(BIO_s_mem());
    PEM_write_bio_PUBKEY(bio, keys[0]);
    take(bio);
    refuse_as(answer, NULL, false, HF_E_PEM, "only: PUBLIC KEY");
    begin();
    bio = BIO_new(BIO_s_mem());
    i2d_PUBKEY_bio(bio, keys[0]);
    take(bio);
    refuse_as(answer, NULL, false, HF_E_PEM, "public key");
    begin();
    memcpy(file, "\x30\x03\x02\x01\x00", 5);
    file_len = 5;
    refuse_as(answer, NULL, false, HF_E_PEM, "DER");
    begin();
    memcpy(file, "\x30\x00", 2);
    file_len = 2;
    refuse_as(answer, NULL, false, HF_E_PEM, "DER");
}

static void test_der_certificate(void)
{
    begin();
    BIO *bio = BIO_new(BIO_s_mem());
    X509 *x = X509_new();
    X509_set_pubkey(x, keys[0]);
    X509_gmtime_adj(X509_getm_notBefore(x), 0);
    X509_gmtime_adj(X509_getm_notAfter(x), 86400);
    X509_sign(x, keys[0], EVP_sha256());
    i2d_X509_bio(bio, x);
    X509_free(x);
    take(bio);
    refuse_as(answer, NULL, false, HF_E_PEM, "certificate");
}

static void test_other_kinds(void)
{
    begin();
    add_text("-----BEGIN OPENSSH PRIVATE KEY-----\nb3BlbnNzaC1rZXktdjEAAAAA\n"
             "-----END OPENSSH PRIVATE KEY-----\n");
    refuse_as(answer, NULL, true, HF_E_PEM, "ssh-keygen");
    begin();
    add_text("-----BEGIN DSA PRIVATE KEY-----\nMAA=\n-----END DSA PRIVATE KEY-----\n");
    refuse_as(answer, NULL, true, HF_E_PEM, "DSA PRIVATE KEY");
    EVP_PKEY *x = generate("X25519", NULL, 0);
    begin();
    add_key(x, PKCS8_PEM);
    bool found = false;
    hf_error err;
    struct private_key *key = parse(NULL, NULL, &found, &err);
    CHECK(key && private_key_kind(key) == KEY_OTHER);
    private_key_free(key);
    EVP_PKEY_free(x);
}

static void test_weak(void)
{
    static const char *const names[] = {"RSA", "RSA-PSS"};
    for (int i = 0; i < 2; i++) {
        EVP_PKEY *weak = generate(names[i], NULL, 768);
        for (enum format f = 0; f < FORMATS; f++) {
            if (i == 1 && (f == OLD_PEM || f == OLD_DER))
                continue;
            begin();
            add_key(weak, f);
            refuse_as(answer, NULL, true, HF_E_WEAK_KEY, "768 bits");
        }
        EVP_PKEY_free(weak);
    }
}

/* The two halves of an EC key exchanged for those of another one. */
static void test_halves(void)
{
    begin();
    add_key(keys[0], OLD_DER);
    file[file_len - 1] ^= 1;
    refuse_as(answer, NULL, true, HF_E_PEM, "EC private key");
    begin();
    add_key(keys[0], OLD_DER);
    file[20] ^= 1; /* the private half */
    refuse_as(answer, NULL, true, HF_E_PEM, "do not belong together");
    memset(file + 7, 0, 32);
    refuse_as(answer, NULL, true, HF_E_PEM, "EC private key");
    memset(file + 7, 0xff, 32);
    refuse_as(answer, NULL, true, HF_E_PEM, "EC private key");
}

/* Every truncation and every changed byte of every format: no crash, no leak, and an error
 * that says something. */
static void test_damage(void)
{
    static const size_t which[] = {0, 4, 6, 7};
    for (size_t i = 0; i < sizeof which / sizeof which[0]; i++) {
        for (enum format f = 0; f < FORMATS; f++) {
            if ((f == OLD_PEM || f == OLD_DER) && !has_old_format(keys[which[i]]))
                continue;
            begin();
            add_key(keys[which[i]], f);
            size_t whole = file_len, step = whole > 400 ? 41 : 1;
            bool pem = f == PKCS8_PEM || f == OLD_PEM;
            for (size_t n = 0; n + (pem ? 2 : 1) <= whole; n += step) {
                bool found = false;
                hf_error err;
                file_len = n;
                CHECK(!parse(answer, NULL, &found, &err));
                CHECK(err.code == HF_E_PEM && *err.detail);
            }
            file_len = whole;
            for (size_t n = 0; n < whole; n += step) {
                bool found = false;
                hf_error err;
                file[n] ^= 0x11;
                struct private_key *key = parse(answer, NULL, &found, &err);
                CHECK(key || (err.code != 0 && *err.detail));
                private_key_free(key);
                file[n] ^= 0x11;
            }
            accept_with(keys[which[i]], 0);
            file_len++;
            if (!pem) {
                bool found = false;
                hf_error err;
                CHECK(!parse(answer, NULL, &found, &err));
            }
        }
    }
}

static void test_memory(void)
{
    for (size_t i = 0; i < KINDS; i++) {
        begin();
        add_key(keys[i], PKCS8_PEM);
        mem_test_fail_after(1);
        refuse_as(answer, NULL, true, HF_E_NO_MEMORY, "");
        mem_test_fail_after(0);
    }
    CHECK(!private_key_parse(slice_of("x", 1), NULL, NULL, NULL, NULL));
}

/* Where another provider serves the keys: the same files, all by EVP. The route is chosen
 * once per process, hence a process of its own. */
static void test_evp_route(void)
{
    fflush(stdout);
    pid_t pid = fork();
    if (pid == 0) {
        provider_test_evp_only(true);
        check_bad = 0;
        test_formats();
        test_encrypted();
        test_among_others();
        test_weak();
        fflush(stdout);
        _exit(check_bad != 0);
    }
    int status = -1;
    waitpid(pid, &status, 0);
    CHECK_INT(status, 0);
}

int main(void)
{
    make_keys();
    RUN(test_evp_route);
    RUN(test_formats);
    RUN(test_encrypted);
    RUN(test_wrong_passphrases);
    RUN(test_among_others);
    RUN(test_parameters);
    RUN(test_line_ends);
    RUN(test_no_key);
    RUN(test_der_certificate);
    RUN(test_other_kinds);
    RUN(test_weak);
    RUN(test_halves);
    RUN(test_damage);
    RUN(test_memory);
    for (size_t i = 0; i < KINDS; i++)
        EVP_PKEY_free(keys[i]);
    return check_done();
}
