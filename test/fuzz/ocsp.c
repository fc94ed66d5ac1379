/* ocsp.c: a stapled OCSP response, judged with the chain that it is about. Input: the response. */
#include "ends.h"
#include "x509/x509.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const struct chain *chain = ends_config(true)->credentials->cred[0]->chain;
    struct verify_options o = {
        .name = "server.example",
        .server = true,
        .depth = 10,
        .now = ENDS_NOW,
        .level = 2,
        .ocsp = {data, size},
        .require_ocsp = true,
    };
    hf_error err = {0};
    bool good = chain_verify(chain, ends_config(false)->trust, &o, &err);
    REQUIRE(good == (err.code == HF_OK));
    if (good) {
        /* What was remembered is judged the same. */
        REQUIRE(size > 0 && chain_verify(chain, ends_config(false)->trust, &o, &err));
    } else {
        REQUIRE(size || err.code == HF_E_NO_OCSP);
        explain_all(NULL, &err);
    }
    return 0;
}
