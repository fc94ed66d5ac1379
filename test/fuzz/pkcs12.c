/* pkcs12.c: PKCS#12 files, with the passphrase "fuzz". Deriving keys takes nearly all of the time. Input: the
 * file. */
#include "fuzz.h"

#include <string.h>

#include "ends.h"
#include "handfast_issue.h"

static int passphrase(char *out, size_t size, void *arg)
{
    (void)arg;
    REQUIRE(size >= 4);
    memcpy(out, "fuzz", 4);
    return 4;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    hf_error err = {0};
    hf_credential *cred = NULL;
    hf_certificate_list others;
    bool ok = hf_pkcs12_read(data, size, passphrase, NULL, &cred, &others, &err);
    REQUIRE(ok == (err.code == HF_OK));
    REQUIRE(ok || (!cred && others.count == 0));
    if (cred) {
        char *pem = hf_credential_key_pem(cred, NULL, &err);
        REQUIRE(pem && hf_credential_certificate(cred, 0));
        hf_secret_free(pem, strlen(pem));
    }
    hf_credential_free(cred);
    hf_certificates_clear(&others);
    cred = hf_credential_load_memory(data, size, NULL, 0, passphrase, NULL, &err);
    hf_credential_free(cred);
    return 0;
}
