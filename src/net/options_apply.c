/* options_apply.c: from options to a configuration, and to streams. */
#include <stdio.h>

#include "handfast_context.h"
#include "net/options.h"

/* The error of a setter or loader, with the option's name before it. */
static bool because(const char *name, const hf_error *why, hf_error *err)
{
    if (!err)
        return false;
    *err = *why;
    err->truncated = snprintf(err->detail, sizeof err->detail, "%s: %s", name,
                              *why->detail ? why->detail : hf_code_sentence(why->code)) >=
                     (int)sizeof err->detail;
    return false;
}

static bool of_config(const char *name, const hf_config *config, hf_error *err)
{
    static const hf_error frozen = {.code = HF_E_FROZEN, .fault = HF_FAULT_USAGE};
    const hf_error *why = hf_config_error(config);
    return because(name, why ? why : &frozen, err);
}

static bool clients(const hf_config *config)
{
    return hf_config_role(config) == HF_CLIENT;
}

/* ---------------------------------------------------------------- trust */

static bool fill_trust(hf_trust *trust, const char *file, const char *folder, hf_error *err)
{
    hf_error why = {0};
    bool good = !file                ? true
                : value_is_pem(file) ? hf_trust_add_memory(trust, file, strlen(file), &why)
                                     : hf_trust_add_file(trust, file, &why);
    if (!good)
        return because("cafile", &why, err);
    if (folder && !hf_trust_add_folder(trust, folder, &why))
        return because("capath", &why, err);
    return true;
}

static bool set_trust(const hf_options *o, hf_config *config, hf_error *err)
{
    const char *file = option_value(o, "cafile"), *folder = option_value(o, "capath");
    if (!file && !folder)
        return true;
    hf_trust *trust = hf_trust_new();
    if (!trust)
        return net_fail(err, HF_E_NO_MEMORY, 0, "for the trust anchors");
    bool good = fill_trust(trust, file, folder, err);
    if (good && !hf_config_set_trust(config, trust))
        good = of_config("cafile", config, err);
    hf_trust_free(trust);
    return good;
}

/* ---------------------------------------------------------------- verification */

enum { SELF_SIGNED = 18 }; /* X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT */

static bool allow_self_signed(hf_conn *conn, int depth, const hf_certificate *certificate,
                              const hf_error *verdict, void *arg)
{
    (void)conn;
    (void)certificate;
    (void)arg;
    return depth == 0 && verdict->x509_code == SELF_SIGNED;
}

static bool set_pins(const hf_options *o, hf_config *config, hf_error *err)
{
    const char *list = option_value(o, "peer_fingerprint"), *why;
    struct value_pin pin;
    while (list && value_pin(&list, &pin, &why) > 0) {
        bool good = pin.key ? hf_config_add_pin_key(config, pin.sha256)
                            : hf_config_add_pin_certificate(config, pin.sha256);
        if (!good)
            return of_config("peer_fingerprint", config, err);
    }
    return true;
}

static bool verify_client(const hf_options *o, hf_config *config, hf_error *err)
{
    bool verify = option_is(o, "verify_peer", true);
    bool name = option_is(o, "verify_peer_name", verify);
    if (!verify && name)
        return net_fail(
            err, HF_E_CONFIG, 0,
            "verify_peer_name: with verify_peer=no nobody has said that the name in "
            "the certificate is true");
    if (!verify && !hf_config_insecure_no_verify(config))
        return of_config("verify_peer", config, err);
    if (!name && !hf_config_insecure_no_name_check(config))
        return of_config("verify_peer_name", config, err);
    /* A base that verifies less is put right by who asks for it. */
    if (verify && option_value(o, "verify_peer") &&
        !hf_config_set_verify_mode(config, HF_CERT_REQUIRED))
        return of_config("verify_peer", config, err);
    if (name && option_value(o, "verify_peer_name") && !hf_config_set_name_check(config, true))
        return of_config("verify_peer_name", config, err);
    return true;
}

static bool verify_server(const hf_options *o, hf_config *config, hf_error *err)
{
    if (!option_value(o, "verify_peer"))
        return true;
    bool on = option_is(o, "verify_peer", false);
    if (!hf_config_set_client_auth(config, on ? HF_CLIENT_AUTH_REQUIRE : HF_CLIENT_AUTH_NONE))
        return of_config("verify_peer", config, err);
    return true;
}

static bool set_verification(const hf_options *o, hf_config *config, hf_error *err)
{
    if (!(clients(config) ? verify_client(o, config, err) : verify_server(o, config, err)))
        return false;
    if (option_is(o, "allow_self_signed", false) &&
        !hf_config_insecure_set_verify_callback(config, allow_self_signed, NULL))
        return of_config("allow_self_signed", config, err);
    return set_pins(o, config, err);
}

/* ---------------------------------------------------------------- certificates of our own */

static int say_passphrase(char *out, size_t size, void *arg)
{
    const char *text = arg;
    size_t len = text ? strlen(text) : 0;
    if (!text || len > size)
        return -1;
    memcpy(out, text, len);
    return (int)len;
}

/* Each of the two may be a path, or PEM. */
static hf_credential *load(const char *cert, const char *key, const char *passphrase,
                           hf_error *err)
{
    /* The callback takes a pointer that may be written, and does not write. */
    union {
        const char *in;
        void *out;
    } secret = {.in = passphrase};
    hf_passphrase_fn fn = passphrase ? say_passphrase : NULL;
    if (!value_is_pem(cert) && !(key && value_is_pem(key)))
        return hf_credential_load_files(cert, key, fn, secret.out, err);
    if (!value_is_pem(cert) || (key && !value_is_pem(key))) {
        net_fail(err, HF_E_CONFIG, 0,
                 "certificate and key are two files, or both are PEM: not one of each");
        return NULL;
    }
    return hf_credential_load_memory(cert, strlen(cert), key, key ? strlen(key) : 0, fn,
                                     secret.out, err);
}

static bool add(hf_config *config, const char *option, hf_credential *cred, const char *name,
                const hf_error *why, hf_error *err)
{
    hf_error no_name = {0};
    if (!cred)
        return because(option, why, err);
    bool good = !name || hf_credential_set_names(cred, name, &no_name);
    if (!good)
        because(option, &no_name, err);
    if (good && !hf_config_add_credential(config, cred))
        good = of_config(option, config, err);
    hf_credential_free(cred);
    return good;
}

static bool add_sites(const hf_options *o, hf_config *config, const char *passphrase,
                      hf_error *err)
{
    const char *map = clients(config) ? NULL : option_value(o, "SNI_server_certs");
    struct value_site site;
    while (map && value_site(&map, &site) > 0) {
        hf_error why = {0};
        hf_credential *cred = load(site.cert, *site.key ? site.key : NULL, passphrase, &why);
        if (!add(config, "SNI_server_certs", cred, site.name, &why, err))
            return false;
    }
    return true;
}

static bool set_credentials(const hf_options *o, hf_config *config, hf_error *err)
{
    const char *cert = option_value(o, "local_cert"), *key = option_value(o, "local_pk");
    const char *passphrase = option_value(o, "passphrase");
    hf_error why = {0};
    if (key && !cert)
        return net_fail(err, HF_E_CONFIG, 0, "local_pk: there is no local_cert for this key");
    if (cert && !add(config, "local_cert", load(cert, key, passphrase, &why), NULL, &why, err))
        return false;
    return add_sites(o, config, passphrase, err);
}

/* ---------------------------------------------------------------- versions */

/* The lowest and highest of a mask; SSL in "any" is not meant. */
static bool range_of(const hf_options *o, const char *name, uint16_t *lowest, uint16_t *highest)
{
    const char *value = option_value(o, name);
    unsigned mask = 0;
    if (!value || !value_versions(value, &mask))
        return false;
    for (unsigned i = 0; i < 4; i++)
        if (mask & 1u << i)
            *highest = (uint16_t)(HF_TLS1_0 + i);
    for (unsigned i = 4; i-- > 0;)
        if (mask & 1u << i)
            *lowest = (uint16_t)(HF_TLS1_0 + i);
    mask &= 15;
    mask >>= *lowest - HF_TLS1_0;
    return true;
}

static bool has_hole(const hf_options *o)
{
    const char *value = option_value(o, "crypto_method");
    unsigned mask = 0;
    if (!value || !value_versions(value, &mask))
        return false;
    mask &= 15;
    mask /= mask & (~mask + 1); /* to the lowest bit */
    return (mask & (mask + 1)) != 0;
}

static bool set_versions(const hf_options *o, hf_config *config, hf_error *err)
{
    uint16_t lowest = hf_config_minimum_version(config), one;
    uint16_t highest = hf_config_maximum_version(config);
    if (has_hole(o))
        return net_fail(err, HF_E_CONFIG, 0,
                        "crypto_method: a version is left out between others: the range must "
                        "have no hole (RFC 8446 4.2.1)");
    bool any = range_of(o, "crypto_method", &lowest, &highest);
    any = range_of(o, "min_proto_version", &lowest, &one) || any;
    any = range_of(o, "max_proto_version", &one, &highest) || any;
    /* A highest version alone may be below the lowest that there is by default. */
    if (highest < lowest && !option_value(o, "crypto_method") &&
        !option_value(o, "min_proto_version"))
        lowest = highest;
    if (any && !hf_config_set_versions(config, lowest, highest))
        return of_config("min_proto_version, max_proto_version", config, err);
    /* Old versions have none of the default suites: whoever allows them wants what there is for them. */
    if (any && lowest < HF_TLS1_2 && !option_value(o, "ciphers") &&
        !hf_config_set_ciphers(config, "DEFAULT"))
        return of_config("ciphers", config, err);
    return true;
}

static bool set_single(const hf_options *o, hf_config *config, hf_error *err)
{
    size_t count;
    const struct option_row *rows = option_rows(&count);
    unsigned side = clients(config) ? HF_OPTION_CLIENT : HF_OPTION_SERVER;
    for (size_t i = 0; i < count; i++) {
        hf_error why = {0};
        if (!o->value[i] || !rows[i].set || !(rows[i].info.sides & side))
            continue;
        if (!rows[i].set(config, o->value[i], &why))
            return why.code ? because(rows[i].info.name, &why, err)
                            : of_config(rows[i].info.name, config, err);
    }
    return true;
}

bool hf_options_apply(const hf_options *o, hf_config *config, hf_error *err)
{
    err_begin(err);
    if (!o || !config)
        return net_fail(err, HF_E_USAGE, 0, "hf_options_apply: the %s is NULL",
                        o ? "configuration" : "set of options");
    if (hf_config_error(config))
        return because("the base configuration", hf_config_error(config), err);
    return set_versions(o, config, err) && set_single(o, config, err) &&
           set_trust(o, config, err) && set_verification(o, config, err) &&
           set_credentials(o, config, err);
}
