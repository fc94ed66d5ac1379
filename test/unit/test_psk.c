/* test_psk.c: external pre-shared keys of a configuration. */
#include "check.h"
#include "config/config.h"

static const uint8_t key[257] = "an old key of 32 bytes or more..";

static bool add(hf_config *config, const char *identity, size_t key_len)
{
    return hf_config_add_psk(config, (const uint8_t *)identity, strlen(identity), key, key_len);
}

static const struct psk *find(const hf_config *config, const char *identity)
{
    return config_psk(config, slice_of(identity, strlen(identity)));
}

static void test_list(void)
{
    hf_config *config = hf_config_new(HF_SERVER);
    CHECK(!config_first_psk(config) && !find(config, "device"));
    CHECK(add(config, "device", 32));
    CHECK(add(config, "device 2", 16));
    CHECK(add(config, "d", 256));
    const struct psk *psk = find(config, "device");
    CHECK(psk && psk == config_first_psk(config));
    CHECK(psk && psk->key_len == 32 && memcmp(psk->key, key, 32) == 0);
    psk = find(config, "device 2");
    CHECK(psk && psk->key_len == 16 && psk->identity_len == 8);
    CHECK(find(config, "d") && find(config, "d")->key_len == 256);
    CHECK(!find(config, "") && !find(config, "devic") && !find(config, "Device"));
    CHECK(!config_psk(config, slice_of(NULL, 0)));
    hf_config_free(config);
}

/* Bytes are bytes: an identity may hold NULs. */
static void test_binary_identity(void)
{
    hf_config *config = hf_config_new(HF_CLIENT);
    CHECK(hf_config_add_psk(config, (const uint8_t *)"a\0b", 3, key, 16));
    CHECK(hf_config_add_psk(config, (const uint8_t *)"a\0c", 3, key, 17));
    CHECK(config_psk(config, slice_of("a\0c", 3))->key_len == 17);
    CHECK(!find(config, "a"));
    hf_config_free(config);
}

static void test_refusals(void)
{
    static const char name[129] = "x";
    static const struct {
        const char *identity;
        size_t identity_len;
        const uint8_t *key;
        size_t key_len;
        hf_code code;
        const char *detail;
    } rows[] = {
        {NULL, 0, key, 32, HF_E_USAGE, "hf_config_add_psk: the identity is NULL"},
        {"a", 1, NULL, 0, HF_E_USAGE, "hf_config_add_psk: the key is NULL"},
        {"", 0, key, 32, HF_E_CONFIG, "a PSK identity of 0 bytes: 1 to 128 are allowed"},
        {name, 129, key, 32, HF_E_CONFIG, "a PSK identity of 129 bytes: 1 to 128 are allowed"},
        {"a", 1, key, 15, HF_E_CONFIG,
         "a pre-shared key of 15 bytes: at least 16, of real randomness (whoever sees one "
         "handshake can try out all shorter ones)"},
        {"a", 1, key, 257, HF_E_CONFIG, "a pre-shared key of 257 bytes: at most 256"},
        {"there", 5, key, 32, HF_E_CONFIG,
         "there is a pre-shared key of this identity already"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        hf_config *config = hf_config_new(HF_CLIENT);
        CHECK(add(config, "there", 32));
        CHECK(!hf_config_add_psk(config, (const uint8_t *)rows[i].identity,
                                 rows[i].identity_len, rows[i].key, rows[i].key_len));
        CHECK_INT(hf_config_error(config)->code, rows[i].code);
        CHECK_STR(hf_config_error(config)->detail, rows[i].detail);
        CHECK_INT(config->psks->count, 1); /* as it was */
        hf_config_free(config);
    }
    hf_config *config = hf_config_new(HF_CLIENT);
    CHECK(hf_config_add_psk(config, (const uint8_t *)name, 128, key, 256));
    CHECK(!hf_config_add_psk(NULL, key, 1, key, 16));
    hf_config_free(config);
}

static void test_hint(void)
{
    char hint[258] = {0};
    hf_config *config = hf_config_new(HF_SERVER);
    memset(hint, 'h', 257);
    CHECK(hf_config_set_psk_hint(config, "which"));
    CHECK_STR(config->psk_hint, "which");
    CHECK(!hf_config_set_psk_hint(config, hint));
    CHECK_STR(hf_config_error(config)->detail, "a PSK hint of 257 bytes: at most 256");
    CHECK_STR(config->psk_hint, "which");
    hint[256] = 0;
    CHECK(hf_config_set_psk_hint(config, hint));
    CHECK_STR(config->psk_hint, hint);
    CHECK(hf_config_set_psk_hint(config, NULL));
    CHECK(!config->psk_hint);
    CHECK(!hf_config_set_psk_hint(NULL, NULL));
    hf_config_free(config);
}

/* Lists are shared until one configuration adds to its own; hints are copied. */
static void test_derived(void)
{
    hf_config *config = hf_config_new(HF_CLIENT);
    CHECK(add(config, "device", 32));
    CHECK(hf_config_set_psk_hint(config, "which"));
    CHECK(hf_config_insecure_no_verify(config));
    CHECK(hf_config_freeze(config, NULL));
    CHECK(!add(config, "late", 32)); /* others may be reading it */
    CHECK(!hf_config_set_psk_hint(config, NULL));
    hf_config *derived = hf_config_derive(config);
    CHECK(derived->psks == config->psks);
    CHECK(add(derived, "late", 32));
    CHECK(find(derived, "late") && find(derived, "device"));
    CHECK(!find(config, "late") && find(config, "device"));
    CHECK(hf_config_set_psk_hint(derived, "other"));
    CHECK_STR(config->psk_hint, "which");
    hf_config_free(config);
    CHECK(find(derived, "device") && find(derived, "device")->key_len == 32);
    hf_config_free(derived);
}

static void test_many(void)
{
    hf_config *config = hf_config_new(HF_SERVER);
    char identity[16];
    for (int i = 0; i < 1024; i++) {
        snprintf(identity, sizeof identity, "%d", i);
        CHECK(add(config, identity, 16));
    }
    CHECK(!add(config, "1024", 16));
    CHECK_STR(hf_config_error(config)->detail,
              "more than 1024 pre-shared keys; use HF_ASK_PSK to look them up");
    CHECK(find(config, "1023"));
    hf_config_free(config);
}

static void test_no_memory(void)
{
    ROW("C14");
    hf_config *config = hf_config_new(HF_SERVER);
    CHECK(add(config, "first", 32) && add(config, "second", 32));
    unsigned long n = 1;
    for (bool ok = false; !ok && n < 20; n++) {
        config->error.code = HF_OK;
        mem_test_fail_after(n);
        ok = add(config, "third", 32);
        mem_test_fail_after(0);
        if (!ok)
            CHECK_INT(hf_config_error(config)->code, HF_E_NO_MEMORY);
        CHECK_INT(config->psks->count, ok ? 3 : 2);
    }
    CHECK_INT(n, 6); /* the list, three identities, and the one that went well */
    mem_test_fail_after(1);
    CHECK(!hf_config_set_psk_hint(config, "hint"));
    mem_test_fail_after(0);
    CHECK(hf_config_set_psk_hint(config, "hint"));
    for (n = 1; n < 3; n++) {
        mem_test_fail_after(n);
        CHECK(!hf_config_derive(config));
        mem_test_fail_after(0);
    }
    hf_config_free(config);
}

int main(void)
{
    RUN(test_list);
    RUN(test_binary_identity);
    RUN(test_refusals);
    RUN(test_hint);
    RUN(test_derived);
    RUN(test_many);
    RUN(test_no_memory);
    return check_done();
}
