/* lists.c: the lists of names that a configuration takes, and the name of a server. Input: which list,
 * then the text. */
#include "fuzz.h"

#include <string.h>

#include "config/config.h"
#include "handfast_context.h"

static bool set(hf_config *c, unsigned which, const char *text)
{
    switch (which) {
    case 0: return hf_config_set_suites(c, text);
    case 1: return hf_config_set_groups(c, text);
    case 2: return hf_config_set_signatures(c, text);
    case 3: return hf_config_set_key_shares(c, text);
    case 4: return hf_config_set_alpn(c, text, true);
    case 6: return hf_config_set_group_list(c, text);
    case 7: return hf_config_set_client_signatures(c, text);
    case 8: return hf_config_set_ciphers(c, text);
    case 9: return hf_config_set_policy(c, text);
    default: return true; /* 5: the server's name */
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct feed f = {data, size};
    uint8_t choice = feed_u8(&f);
    unsigned which = (choice & 0x7fu) % 10;
    char *text = feed_text(slice_of(f.p, f.left));
    hf_config *c = hf_config_new(choice & 0x80 ? HF_SERVER : HF_CLIENT);
    hf_error err = {0};
    REQUIRE(c != NULL);
    hf_config_insecure_no_verify(c);
    bool ok = set(c, which, text);
    REQUIRE(ok == (hf_config_error(c) == NULL));
    bool good = hf_config_check(c, &err); /* says the same, and changes nothing */
    if (!ok)
        explain_all(NULL, hf_config_error(c));
    bool frozen = hf_config_freeze(c, &err);
    REQUIRE(frozen == good && (ok || !frozen));
    if (frozen && !(choice & 0x80)) {
        hf_conn *conn = hf_conn_new_client(c, which == 5 ? text : NULL, &err);
        REQUIRE((conn != NULL) == (err.code == HF_OK));
        if (conn) {
            (void)hf_conn_output(conn, &size);
            REQUIRE(size > 0 || hf_conn_error(conn));
        }
        hf_conn_free(conn);
    }
    hf_config_free(c);
    free(text);
    return 0;
}
