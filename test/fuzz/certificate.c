/* certificate.c: one certificate, as a peer sends it: what it says, for whom it is, whether it is
 * trusted, and what is said about that. Input: 16-bit length and a name, then the DER. */
#include "fuzz.h"

#include <string.h>

#include "ends.h"
#include "x509/x509.h"

static void read_strings(const hf_certificate *c)
{
    const char *text[] = {
        hf_certificate_subject(c), hf_certificate_issuer(c), hf_certificate_names(c),
        hf_certificate_serial(c),  hf_certificate_key(c),    hf_certificate_signature(c),
    };
    for (size_t i = 0; i < sizeof text / sizeof *text; i++)
        REQUIRE(text[i] && strlen(text[i]) < 1 << 20);
    (void)hf_certificate_not_before(c);
    (void)hf_certificate_not_after(c);
    (void)hf_certificate_is_ca(c);
    (void)hf_certificate_sha256(c);
    (void)cert_allows_signing(c);
    (void)cert_signed_with(c);
    (void)cert_is_self_issued(c);
}

static void judge(hf_certificate *c, const char *name)
{
    struct chain *chain = chain_new(&c, 1);
    struct verify_options o = {
        .name = *name ? name : NULL, .server = true, .depth = 10, .now = ENDS_NOW, .level = 2};
    hf_error err = {0};
    REQUIRE(chain != NULL);
    if (!chain_verify(chain, ends_config(false)->trust, &o, &err)) {
        REQUIRE(err.code != HF_OK);
        explain_all(NULL, &err);
    }
    chain_free(chain);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct feed f = {data, size};
    char *name = feed_text(feed_vec16(&f));
    hf_error err = {0};
    hf_certificate *c = hf_certificate_parse(f.p, f.left, &err);
    if (c) {
        size_t len;
        const uint8_t *der = hf_certificate_der(c, &len);
        REQUIRE(len == f.left && memcmp(der, f.p, len) == 0);
        read_strings(c);
        (void)cert_matches_name(c, name);
        judge(c, name);
        hf_certificate_free(c);
    } else {
        REQUIRE(err.code == HF_E_BAD_CERTIFICATE);
    }
    free(name);
    return 0;
}
