/* verify.c: the verdict on a chain: a path (path.c), then what libcrypto is not asked: names by
 * RFC 9525 and never the common name, and a stapled OCSP response; and the memory of good ones. */
#include "x509/verify.h"

#include "crypto/hash.h"
#include "x509/verdict.h"

/* ---- what libcrypto is not asked */

static bool check_rsa(struct verification *v)
{
    for (size_t i = 0; i < v->count; i++) {
        const hf_certificate *c = v->path[i];
        enum key_kind kind = c->key ? public_key_kind(c->key) : KEY_NONE;
        if ((kind != KEY_RSA && kind != KEY_RSA_PSS) ||
            public_key_bits(c->key) >= v->options->min_rsa_bits)
            continue;
        if (!refuse(v, HF_E_WEAK_CERTIFICATE,
                    i ? X509_V_ERR_CA_KEY_TOO_SMALL : X509_V_ERR_EE_KEY_TOO_SMALL, (int)i,
                    "'%.80s' has the key %s; the configuration asks for RSA of %u bits",
                    hf_certificate_subject(c), hf_certificate_key(c), v->options->min_rsa_bits))
            return false;
    }
    return true;
}

static bool check_name(struct verification *v)
{
    if (!v->options->name || cert_matches_name(v->chain->cert[0], v->options->name))
        return true;
    return explain_wrong_name(v);
}

/* ---- the verdict as a whole */

static void put_u32(uint8_t *p, uint32_t v)
{
    put_u16(p, (uint16_t)(v >> 16));
    put_u16(p + 2, (uint16_t)v);
}

/* Everything that the verdict depends on but the time. The certificates are those that were sent, in
 * their order, by their hashes; the name stands last, so that no two different inputs are the same
 * bytes. DEPTH_MAX and the flags of those without rules are constants of the program. */
static void verdict_id(const struct chain *chain, const hf_trust *trust,
                       const struct verify_options *o, uint8_t id[CERT_HASH])
{
    uint8_t fixed[24 + CERT_HASH] = {0};
    put_u64(fixed, trust_generation(trust));
    fixed[8] = (uint8_t)chain->count;
    fixed[9] =
        (uint8_t)(o->server | o->require_ocsp << 1 | o->ocsp_not_asked << 2 |
                  (o->name != NULL) << 3 | (o->ocsp.len != 0) << 4 | (o->rules != NULL) << 5);
    fixed[10] = o->level;
    put_u32(fixed + 12, o->depth);
    put_u32(fixed + 16, o->min_rsa_bits);
    if (o->ocsp.len)
        hash_once(HASH_SHA256, o->ocsp.p, o->ocsp.len, fixed + 24);
    struct hash h;
    hash_init(&h, HASH_SHA256);
    hash_update(&h, fixed, sizeof fixed);
    if (o->rules)
        hash_update(&h, o->rules->id, CERT_HASH);
    for (size_t i = 0; i < chain->count; i++)
        hash_update(&h, chain->cert[i]->sha256, CERT_HASH);
    if (o->name)
        hash_update(&h, o->name, strlen(o->name));
    hash_digest(&h, id);
}

static const struct verify_rules no_rules = {.flags = RULES_DEFAULT};

bool chain_verify(const struct chain *chain, hf_trust *trust,
                  const struct verify_options *options, hf_error *err)
{
    uint8_t id[CERT_HASH];
    if (!trust_freeze(trust, err))
        return false;
    /* A callback may say something else the next time. */
    bool remembers = !options->rules || !options->rules->fn;
    if (remembers)
        verdict_id(chain, trust, options, id);
    if (remembers && verdict_chain_known(id, options->now))
        return true;
    struct verification v = {
        .chain = chain,
        .trust = trust,
        .options = options,
        .rules = options->rules ? options->rules : &no_rules,
        .err = err,
    };
    /* The name comes after the path: "valid, but for another name" is worth saying only when true. */
    if (!find_path(&v) || !check_rsa(&v) || !check_name(&v) || !ocsp_check(&v) ||
        !pins_check(&v))
        return false;
    if (remembers)
        verdict_chain_remember(id, v.from, v.until);
    if (v.overruled.code != HF_OK && err && err->code == HF_OK)
        *err = v.overruled;
    return true;
}

struct chain *chain_path(const struct chain *chain, hf_trust *trust,
                         const struct verify_options *options)
{
    struct verify_rules rules = {.flags =
                                     rules_flags(options->rules) & ~(unsigned)RULES_POLICY};
    struct verification v = {
        .chain = chain,
        .trust = trust,
        .options = options,
        .rules = &rules,
        .dateless = true,
    };
    if (!trust_freeze(trust, NULL) || !find_path(&v))
        return NULL;
    hf_certificate *certs[PATH_MAX_CERTS];
    for (size_t i = 0; i < v.count; i++)
        certs[i] = (hf_certificate *)(uintptr_t)v.path[i]; /* a reference is counted */
    return chain_of_any(certs, v.count);
}
