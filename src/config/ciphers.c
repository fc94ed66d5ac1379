/* ciphers.c: the engine's suites, as OpenSSL's language for lists of them sees them. */
#include "config/ciphers.h"

#include <stdlib.h>

#include "config/cipher_rules.h"

#define SSL3 0x0300 /* where a suite was born; nobody speaks it */

static uint8_t kx_of(const struct suite *s)
{
    switch (s->kex) {
    case KEX_ANY: break;
    case KEX_RSA: return KX_RSA;
    case KEX_DHE: return KX_DHE;
    case KEX_ECDHE: return KX_ECDHE;
    case KEX_PSK: return KX_PSK;
    case KEX_ECDHE_PSK: return KX_ECDHE_PSK;
    case KEX_DHE_PSK: return KX_DHE_PSK;
    }
    return KX_ANY;
}

static uint8_t au_of(const struct suite *s)
{
    switch (s->auth) {
    case AUTH_ANY: break;
    case AUTH_RSA: return AU_RSA;
    case AUTH_ECDSA: return AU_ECDSA;
    case AUTH_PSK: return AU_PSK;
    case AUTH_NONE: return AU_NULL;
    }
    return AU_ANY;
}

static uint8_t enc_of(const struct suite *s)
{
    switch (s->aead) {
    case AEAD_AES_128_GCM: return ENC_AES128_GCM;
    case AEAD_AES_256_GCM: return ENC_AES256_GCM;
    case AEAD_CHACHA20_POLY1305: return ENC_CHACHA20;
    case AEAD_AES_128_CCM: return ENC_AES128_CCM;
    case AEAD_AES_128_CCM_8: return ENC_AES128_CCM8;
    case AEAD_AES_256_CCM: return ENC_AES256_CCM;
    case AEAD_AES_256_CCM_8: return ENC_AES256_CCM8;
    case AEAD_NONE: break;
    }
    return s->cbc == CBC_AES_128 ? ENC_AES128 : s->cbc == CBC_AES_256 ? ENC_AES256 : ENC_NULL;
}

static uint8_t mac_of(const struct suite *s)
{
    return s->mac == HASH_SHA1     ? MAC_SHA1
           : s->mac == HASH_SHA256 ? MAC_SHA256
           : s->mac == HASH_SHA384 ? MAC_SHA384
                                   : MAC_AEAD;
}

static bool is_ccm(uint8_t enc)
{
    return enc == ENC_AES128_CCM || enc == ENC_AES256_CCM || enc == ENC_AES128_CCM8 ||
           enc == ENC_AES256_CCM8;
}

/* What ECC brought and what came with SHA-2 is younger than SSL 3.0. */
static uint16_t birth(const struct suite *s)
{
    bool old = s->version_min == HF_TLS1_0 && s->mac == HASH_SHA1 && s->kex != KEX_ECDHE &&
               s->kex != KEX_ECDHE_PSK;
    return old ? SSL3 : s->version_min;
}

static struct cipher_face face(const struct suite *s)
{
    uint8_t enc = enc_of(s);
    bool null = enc == ENC_NULL;
    return (struct cipher_face){
        .id = s->id,
        .version = birth(s),
        .bits = s->bits,
        .kx = kx_of(s),
        .au = au_of(s),
        .enc = enc,
        .mac = mac_of(s),
        .high = !null,
        .fips = !null && !is_ccm(enc) && enc != ENC_CHACHA20,
        .reserve = is_ccm(enc) || (s->auth == AUTH_NONE && !null),
        .name = s->openssl,
        .iana = s->name,
    };
}

/* The order that suites have before a string says otherwise, as OpenSSL has it: ephemeral key
 * exchange, AEADs, what is new, long keys, and GCM before ChaCha20 before the rest. Smaller is
 * better. */
static uint32_t rank(const struct cipher_face *c)
{
    bool ephemeral = c->kx == KX_ECDHE || c->kx == KX_DHE, aead = c->mac == MAC_AEAD;
    uint32_t strength = c->bits >= 256 ? 0 : c->bits > 0 ? 1 : 2;
    uint32_t last = c->kx == KX_PSK ? 3 : c->kx == KX_RSA ? 2 : c->au == AU_NULL ? 1 : 0;
    uint32_t kind = c->enc == ENC_AES128_GCM || c->enc == ENC_AES256_GCM ? 0
                    : c->enc == ENC_CHACHA20                             ? 1
                    : c->enc != ENC_NULL                                 ? 2
                                                                         : 3;
    uint32_t curve = c->kx != KX_ECDHE ? 2 : c->au == AU_ECDSA ? 0 : 1;

    return (uint32_t) !(ephemeral && aead) << 28 | (uint32_t)!ephemeral << 27 |
           (uint32_t)!aead << 26 | (uint32_t)(c->version != HF_TLS1_2) << 25 | strength << 22 |
           last << 20 | kind << 18 | curve << 16 | (uint32_t)(0xffff - c->id);
}

static int by_rank(const void *a, const void *b)
{
    uint32_t x = rank(a), y = rank(b);
    return (x > y) - (x < y);
}

static void all_faces(struct cipher_faces *out)
{
    size_t count;
    const struct suite *table = suite_table(&count);

    out->count = 0;
    for (size_t i = 0; i < count; i++) {
        if (table[i].version_min < HF_TLS1_3 && suite_find(table[i].id))
            out->face[out->count++] = face(&table[i]);
    }
    qsort(out->face, out->count, sizeof out->face[0], by_rank);
}

static bool nothing_left(const char *string, struct slice unknown, hf_error *err)
{
    return err_set(err, HF_E_CONFIG,
                   "cipher string '%.60s': no suite of TLS 1.2 or older matches%s%.*s%s",
                   string, unknown.p ? "; nothing is known as '" : "",
                   unknown.len > 60 ? 60 : (int)unknown.len,
                   unknown.p ? (const char *)unknown.p : "", unknown.p ? "'" : "");
}

bool ciphers_parse(const char *string, struct ids *out, uint8_t *level, hf_error *err)
{
    struct cipher_faces all;
    struct cipher_choice chosen;
    enum suite_b suite_b = SUITE_B_NONE;

    if (!string)
        return err_set(err, HF_E_USAGE, "the cipher string is NULL");
    all_faces(&all);
    if (!cipher_rules_read(&all, string, true, &suite_b, &chosen))
        return err_set(err, HF_E_CONFIG,
                       "cipher string: '%.40s' is not understood: a word, @STRENGTH or "
                       "@SECLEVEL=0 to 5 is expected",
                       chosen.wrong);
    if (chosen.count == 0)
        return nothing_left(string, chosen.unknown, err);
    *out = (struct ids){.count = chosen.count};
    memcpy(out->id, chosen.id, chosen.count * sizeof out->id[0]);
    if (chosen.level >= 0)
        *level = (uint8_t)chosen.level;
    return true;
}
