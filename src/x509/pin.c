/* pin.c: certificates and keys that a configuration knows by their SHA-256 (RFC 7469). */
#include <stdio.h>

#include "x509/rules.h"
#include "x509/verify.h"

static bool pins_have(const struct verify_rules *rules, bool key,
                      const uint8_t sha256[CERT_HASH])
{
    for (size_t i = 0; i < rules->pin_count; i++) {
        if (rules->pin[i].key == key && memcmp(rules->pin[i].sha256, sha256, CERT_HASH) == 0)
            return true;
    }
    return false;
}

static void text_hash(const uint8_t sha256[CERT_HASH], char out[2 * CERT_HASH + 1])
{
    for (size_t i = 0; i < CERT_HASH; i++)
        snprintf(out + 2 * i, 3, "%02x", sha256[i]);
}

bool pins_check(struct verification *v)
{
    const struct verify_rules *rules = v->rules;
    const hf_certificate *own = v->chain->cert[0];
    char cert[2 * CERT_HASH + 1], key[2 * CERT_HASH + 1];
    bool raw = cert_is_raw(own);
    if (!rules->pin_count || (!raw && pins_have(rules, false, own->sha256)) ||
        pins_have(rules, true, own->key_sha256))
        return true;
    if (raw)
        return refuse(v, HF_E_PIN_MISMATCH, X509_V_ERR_APPLICATION_VERIFICATION, 0, "%s",
                      hf_certificate_subject(own));
    /* Of a path in which a fault was let pass, nothing says that the own certificate belongs to it. */
    for (size_t i = 1; i < v->count && v->overruled.code == HF_OK; i++) {
        if (pins_have(rules, true, v->path[i]->key_sha256))
            return true;
    }
    text_hash(own->sha256, cert);
    text_hash(own->key_sha256, key);
    return refuse(v, HF_E_PIN_MISMATCH, X509_V_ERR_APPLICATION_VERIFICATION, 0,
                  "certificate 0 '%.40s': its SHA-256 is %s, that of its key is %s",
                  hf_certificate_subject(own), cert, key);
}

bool chain_pinned(const struct chain *chain, const struct verify_rules *rules, hf_error *err)
{
    /* Nobody is asked: without verification this is the only check there is. */
    struct verification v = {.chain = chain, .rules = rules, .err = err, .settled = true};
    return !rules || pins_check(&v);
}
