/* options.c: OpenSSL's option flags, each of which is a setting that has a setter of its own. */
#include <stdatomic.h>

#include "config/config.h"
#include "handfast_context.h"

#define VERSION_BIT(v) (1u << ((v)-HF_TLS1_0))

/* clang-format off */
static const struct {
    uint64_t bit;
    uint16_t version; /* that it switches off, or 0 */
    const char *name;
} options[] = {
    {HF_OP_INSECURE_LEGACY_SERVER_CONNECT, 0,         "LEGACY_SERVER_CONNECT"},
    {HF_OP_ENABLE_KTLS,                    0,         "ENABLE_KTLS"},
    {UINT64_C(0x10),                       0,         "TLSEXT_PADDING"},
    {UINT64_C(0x40),                       0,         "SAFARI_ECDHE_ECDSA_BUG"},
    {HF_OP_INSECURE_IGNORE_UNEXPECTED_EOF, 0,         "IGNORE_UNEXPECTED_EOF"},
    {HF_OP_NO_TICKET,                      0,         "NO_TICKET"},
    {HF_OP_NO_COMPRESSION,                 0,         "NO_COMPRESSION"},
    {HF_OP_ENABLE_MIDDLEBOX_COMPAT,        0,         "ENABLE_MIDDLEBOX_COMPAT"},
    {HF_OP_CIPHER_SERVER_PREFERENCE,       0,         "CIPHER_SERVER_PREFERENCE"},
    {HF_OP_NO_SSL3,                        0,         "NO_SSLv3"},
    {HF_OP_NO_TLS1_0,                      HF_TLS1_0, "NO_TLSv1"},
    {HF_OP_NO_TLS1_1,                      HF_TLS1_1, "NO_TLSv1_1"},
    {HF_OP_NO_TLS1_2,                      HF_TLS1_2, "NO_TLSv1_2"},
    {HF_OP_NO_TLS1_3,                      HF_TLS1_3, "NO_TLSv1_3"},
    {HF_OP_NO_RENEGOTIATION,               0,         "NO_RENEGOTIATION"},
    {UINT64_C(0x80000000),                 0,         "CRYPTOPRO_TLSEXT_BUG"},
};
/* clang-format on */
#define COUNT  (sizeof options / sizeof options[0])
#define ALWAYS (HF_OP_NO_COMPRESSION | HF_OP_NO_SSL3)
#define KEPT   (HF_OP_ALL | HF_OP_ENABLE_KTLS)

const char *hf_option_name(uint64_t bit)
{
    for (size_t i = 0; bit && i < COUNT; i++) {
        if (options[i].bit == bit)
            return options[i].name;
    }
    return NULL;
}

static uint64_t if_set(bool set, uint64_t bit)
{
    return set ? bit : 0;
}

uint64_t hf_config_options(const hf_config *config)
{
    uint64_t mask = ALWAYS;

    if (!config)
        return 0;
    for (size_t i = 0; i < COUNT; i++) {
        if (options[i].version && config->versions_off & VERSION_BIT(options[i].version))
            mask |= options[i].bit;
    }
    bool no_ticket = config->role == HF_CLIENT ? config->no_tickets : config->stateful_tickets;
    return mask | config->kept_options |
           if_set(config->allow_unpatched, HF_OP_INSECURE_LEGACY_SERVER_CONNECT) |
           if_set(config->ignore_truncation, HF_OP_INSECURE_IGNORE_UNEXPECTED_EOF) |
           if_set(no_ticket, HF_OP_NO_TICKET) |
           if_set(config->compat, HF_OP_ENABLE_MIDDLEBOX_COMPAT) |
           if_set(config->server_preference, HF_OP_CIPHER_SERVER_PREFERENCE) |
           if_set(!config->renegotiation, HF_OP_NO_RENEGOTIATION);
}

static bool check(hf_config *config, uint64_t mask)
{
    uint64_t known = 0;

    for (size_t i = 0; i < COUNT; i++)
        known |= options[i].bit;
    if (mask & ~known)
        return err_set(&config->error, HF_E_CONFIG, "options 0x%llx: 0x%llx is not known",
                       (unsigned long long)mask, (unsigned long long)(mask & ~known));
    if (config->role == HF_SERVER && mask & HF_OP_INSECURE_LEGACY_SERVER_CONNECT)
        return err_set(&config->error, HF_E_USAGE,
                       "the option LEGACY_SERVER_CONNECT: this is for clients");
    return true;
}

bool hf_config_set_options(hf_config *config, uint64_t mask)
{
    if (!config || atomic_load_explicit(&config->frozen, memory_order_acquire))
        return false;
    if (!check(config, mask))
        return false;
    config->versions_off = 0;
    for (size_t i = 0; i < COUNT; i++) {
        if (options[i].version && mask & options[i].bit)
            config->versions_off |= (uint8_t)VERSION_BIT(options[i].version);
    }
    config->kept_options = (uint32_t)(mask & KEPT);
    config->allow_unpatched = (mask & HF_OP_INSECURE_LEGACY_SERVER_CONNECT) != 0;
    config->ignore_truncation = (mask & HF_OP_INSECURE_IGNORE_UNEXPECTED_EOF) != 0;
    if (config->role == HF_CLIENT)
        config->no_tickets = (mask & HF_OP_NO_TICKET) != 0;
    else
        config->no_tickets12 = config->stateful_tickets = (mask & HF_OP_NO_TICKET) != 0;
    config->compat = (mask & HF_OP_ENABLE_MIDDLEBOX_COMPAT) != 0;
    config->server_preference = (mask & HF_OP_CIPHER_SERVER_PREFERENCE) != 0;
    bool renegotiation = !(mask & HF_OP_NO_RENEGOTIATION);
    if (renegotiation && !config->renegotiation)
        config->renegotiation_max = 1;
    config->renegotiation = renegotiation;
    return true;
}
