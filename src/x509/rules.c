/* rules.c: sets of rules, made by the setters of a configuration. */
#include "x509/rules.h"

#include <openssl/err.h>
#include <openssl/objects.h>

#include "crypto/hash.h"

struct verify_rules *rules_copy(const struct verify_rules *old)
{
    struct verify_rules *rules = mem_new(sizeof *rules);
    if (!rules)
        return NULL;
    rules->flags = RULES_DEFAULT;
    if (old)
        memcpy((char *)rules + offsetof(struct verify_rules, crl),
               (const char *)old + offsetof(struct verify_rules, crl),
               sizeof *rules - offsetof(struct verify_rules, crl));
    atomic_init(&rules->refs, 1);
    return rules;
}

struct verify_rules *rules_ref(struct verify_rules *rules)
{
    if (rules)
        atomic_fetch_add_explicit(&rules->refs, 1, memory_order_relaxed);
    return rules;
}

void rules_free(struct verify_rules *rules)
{
    if (rules && atomic_fetch_sub_explicit(&rules->refs, 1, memory_order_acq_rel) == 1)
        mem_free(rules);
}

/* Every field has its place, so no two different sets of rules are the same bytes. */
void rules_seal(struct verify_rules *rules)
{
    struct hash h;
    uint8_t head[4 + 8] = {(uint8_t)rules->crl, (uint8_t)rules->pin_count,
                           (uint8_t)rules->policy_count};
    put_u64(head + 4, rules->flags);
    hash_init(&h, HASH_SHA256);
    hash_update(&h, head, sizeof head);
    for (size_t i = 0; i < rules->pin_count; i++) {
        uint8_t kind = rules->pin[i].key;
        hash_update(&h, &kind, 1);
        hash_update(&h, rules->pin[i].sha256, CERT_HASH);
    }
    hash_update(&h, rules->policy, rules->policy_count * sizeof rules->policy[0]);
    hash_digest(&h, rules->id);
}

bool rules_set_flags(struct verify_rules *rules, unsigned flags, hf_error *err)
{
    if (flags & ~(unsigned)RULES_KNOWN)
        return err_set(err, HF_E_CONFIG, "verify flags 0x%x: 0x%x is not known", flags,
                       flags & ~(unsigned)RULES_KNOWN);
    rules->flags = flags;
    return true;
}

unsigned rules_flags(const struct verify_rules *rules)
{
    return rules ? rules->flags : RULES_DEFAULT;
}

bool rules_set_crl_check(struct verify_rules *rules, hf_crl_check mode, hf_error *err)
{
    if ((unsigned)mode > HF_CRL_CHAIN)
        return err_set(err, HF_E_CONFIG, "CRL check mode %d is not known", (int)mode);
    rules->crl = mode;
    return true;
}

/* Digits only: a name that libcrypto knows today may mean nothing to another version of it. */
bool rules_add_policy(struct verify_rules *rules, const char *oid, hf_error *err)
{
    if (rules->policy_count == RULES_MAX_POLICIES)
        return err_set(err, HF_E_CONFIG, "more than %d certificate policies",
                       RULES_MAX_POLICIES);
    size_t len = oid ? strlen(oid) : 0;
    ASN1_OBJECT *object = NULL;
    if (len && len < sizeof rules->policy[0])
        object = OBJ_txt2obj(oid, 1);
    ASN1_OBJECT_free(object);
    ERR_clear_error();
    if (!object)
        return err_set(err, HF_E_CONFIG,
                       "the certificate policy '%.80s' is not an object identifier, as "
                       "1.3.6.1.4.1.99999.1, of at most %zu characters",
                       oid ? oid : "(NULL)", sizeof rules->policy[0] - 1);
    memcpy(rules->policy[rules->policy_count++], oid, len);
    return true;
}

bool rules_add_pin(struct verify_rules *rules, bool key, const uint8_t *sha256, hf_error *err)
{
    if (!sha256)
        return err_set(err, HF_E_USAGE, "a pin is NULL; 32 bytes are expected");
    if (rules->pin_count == RULES_MAX_PINS)
        return err_set(err, HF_E_CONFIG, "more than %d pins", RULES_MAX_PINS);
    struct pin *pin = &rules->pin[rules->pin_count++];
    pin->key = key;
    memcpy(pin->sha256, sha256, CERT_HASH);
    return true;
}

void rules_set_callback(struct verify_rules *rules, hf_verify_fn fn, void *arg)
{
    rules->fn = fn;
    rules->arg = arg;
}

bool rules_pin_keys(const struct verify_rules *rules)
{
    for (size_t i = 0; rules && i < rules->pin_count; i++) {
        if (rules->pin[i].key)
            return true;
    }
    return false;
}

bool rules_pinned(const struct verify_rules *rules)
{
    return rules && rules->pin_count > 0;
}
