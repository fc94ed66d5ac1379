#include "cli/settings.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/cert.h"
#include "cli/named.h"

bool settings_fail(hf_error *err, hf_code code, int os_errno, const char *fmt, ...)
{
    static const hf_fault faults[] = {
        HF_FAULT_NONE,
#define HF_ERROR(name, fault, alert, rfc, sentence, hint, reason, bogo) HF_FAULT_##fault,
#include "handfast_errors.def"
#undef HF_ERROR
    };
    *err =
        (hf_error){.code = code, .alert = HF_NO_ALERT, .os_errno = os_errno, .x509_depth = -1};
    err->fault = (size_t)code < sizeof faults / sizeof *faults ? faults[code] : HF_FAULT_LOCAL;
    err->step = err->rfc = err->hint = "";
    va_list args;
    va_start(args, fmt);
    int n = vsnprintf(err->detail, sizeof err->detail, fmt, args);
    err->truncated = n >= (int)sizeof err->detail;
    va_end(args);
    return false;
}

unsigned char *settings_read_stream(FILE *f, const char *path, size_t limit, size_t *len,
                                    hf_error *err)
{
    unsigned char *p = malloc(limit + 1);
    size_t n = p ? fread(p, 1, limit + 1, f) : 0;
    bool bad = ferror(f) != 0;
    int why = errno;
    if (!p)
        settings_fail(err, HF_E_NO_MEMORY, 0, "for the file %s", path);
    else if (bad)
        settings_fail(err, HF_E_FILE, why, "%s: %s", path, strerror(why));
    else if (n > limit)
        settings_fail(err, HF_E_FILE, 0, "%s is longer than %zu bytes", path, limit);
    if (!p || bad || n > limit) {
        free(p);
        return NULL;
    }
    *len = n;
    return p;
}

unsigned char *settings_read_file(const char *path, size_t limit, size_t *len, hf_error *err)
{
    FILE *f = fopen(path, "rb");
    if (!f) {
        settings_fail(err, HF_E_FILE, errno, "%s: %s", path, strerror(errno));
        return NULL;
    }
    unsigned char *p = settings_read_stream(f, path, limit, len, err);
    fclose(f);
    return p;
}

bool settings_write_secret_file(const char *path, const void *p, size_t len, hf_error *err)
{
    char next[4096];
    if ((size_t)snprintf(next, sizeof next, "%s.XXXXXX", path) >= sizeof next)
        return settings_fail(err, HF_E_FILE, ENAMETOOLONG, "%.80s...: the name is too long",
                             path);
    int fd = mkstemp(next); /* creates it with mode 0600 */
    bool good = fd >= 0 && write(fd, p, len) == (ssize_t)len;
    if (fd >= 0)
        good = close(fd) == 0 && good;
    if (good && rename(next, path) == 0)
        return true;
    int why = errno;
    if (fd >= 0)
        unlink(next);
    return settings_fail(err, HF_E_FILE, why, "%s cannot be written: %s", path, strerror(why));
}

/* ---------------------------------------------------------------- what both roles share */

static bool set_trust(hf_config *config, const struct options *o, hf_error *err)
{
    bool named = o->ca || o->ca_folder;
    if (!named && !o->crl.count && !o->trust_key.count)
        return true;
    /* Whoever names keys alone trusts nobody else. */
    bool platform = !named && (o->crl.count || (o->peer_types && o->command != SERVE));
    hf_trust *trust = hf_trust_new();
    if (!trust)
        return settings_fail(err, HF_E_NO_MEMORY, 0, "for the trust anchors");
    bool good = (!o->ca || hf_trust_add_file(trust, o->ca, err)) &&
                (!o->ca_folder || hf_trust_add_folder(trust, o->ca_folder, err)) &&
                (!platform || hf_trust_add_platform(trust, err));
    for (size_t i = 0; good && i < o->crl.count; i++)
        good = hf_trust_add_crls_file(trust, o->crl.p[i], err);
    for (size_t i = 0; good && i < o->trust_key.count; i++)
        good = hf_trust_add_keys_file(trust, o->trust_key.p[i], err);
    if (good && !hf_config_set_trust(config, trust)) {
        good = false;
        *err = *hf_config_error(config);
    }
    hf_trust_free(trust);
    return good;
}

static bool staple(hf_credential *cred, const char *path, hf_error *err)
{
    size_t len = 0;
    unsigned char *der = settings_read_file(path, 65535, &len, err);
    bool good = der && hf_credential_set_ocsp(cred, der, len, err);
    free(der);
    return good;
}

static bool add_credentials(hf_config *config, const struct options *o, hf_error *err)
{
    struct cert_asking asking = {.file = o->passphrase_file};
    for (size_t i = 0; i < o->cert.count; i++) {
        hf_credential *cred = hf_credential_load_files(
            o->cert.p[i], o->key.p[i], asking.file ? cert_passphrase : NULL, &asking, err);
        if (!cred)
            return false;
        bool good = i > 0 || o->command != SERVE || !o->ocsp || staple(cred, o->ocsp, err);
        if (good && !hf_config_add_credential(config, cred)) {
            good = false;
            *err = *hf_config_error(config);
        }
        hf_credential_free(cred);
        if (!good)
            return false;
    }
    return true;
}

static bool add_raw_keys(hf_config *config, const struct options *o, hf_error *err)
{
    for (size_t i = 0; i < o->raw_key.count; i++) {
        hf_credential *cred = hf_credential_load_raw_key_file(o->raw_key.p[i], NULL, NULL, err);
        if (!cred)
            return false;
        bool good = hf_config_add_credential(config, cred);
        hf_credential_free(cred);
        if (!good) {
            *err = *hf_config_error(config);
            return false;
        }
    }
    return true;
}

static bool set_peer_types(hf_config *config, const struct options *o)
{
    const char *types = o->peer_types;
    if (!types && o->trust_key.count)
        types = o->ca || o->ca_folder ? "RawPublicKey,X509" : "RawPublicKey";
    return !types || hf_config_set_peer_certificate_types(config, types);
}

static uint16_t version_of(const char *text)
{
    return (uint16_t)(HF_TLS1_0 + text[2] - '0'); /* "1.2" */
}

bool settings_versions(const struct options *o, uint16_t *lowest, uint16_t *highest)
{
    const bool wanted[4] = {o->tls10, o->tls11, o->tls12, o->tls13};
    bool any = o->lowest || o->highest;
    *lowest = HF_TLS1_2;
    *highest = HF_TLS1_3;
    for (int i = 3; i >= 0; i--) {
        if (wanted[i])
            *lowest = (uint16_t)(HF_TLS1_0 + i);
    }
    for (int i = 0; i < 4; i++) {
        if (wanted[i])
            *highest = (uint16_t)(HF_TLS1_0 + i);
        any = any || wanted[i];
    }
    /* A highest version alone may be below the lowest that there is by default. */
    if (o->highest) {
        *highest = version_of(o->highest);
        *lowest = *highest < *lowest ? *highest : *lowest;
    }
    if (o->lowest)
        *lowest = version_of(o->lowest);
    return any;
}

/* Old versions have none of the default suites: whoever allows them wants what there is for them. */
static bool set_strength(hf_config *config, const struct options *o, hf_error *err)
{
    uint16_t lowest, highest;
    bool ranged = settings_versions(o, &lowest, &highest), good = true;
    if (o->command != CIPHERS && highest < HF_TLS1_2 && lowest <= highest &&
        o->security_level != 0 && (!o->ciphers || !strstr(o->ciphers, "@SECLEVEL=0")))
        return settings_fail(err, HF_E_CONFIG, 0,
                             "TLS 1.0 and 1.1 sign with SHA-1 (RFC 8996): they are used with "
                             "--security-level 0 only");
    if (ranged)
        good &= hf_config_set_versions(config, lowest, highest);
    if (o->suites)
        good &= hf_config_set_suites(config, o->suites);
    if (o->ciphers)
        good &= hf_config_set_ciphers(config, o->ciphers);
    if (o->command != CIPHERS && lowest < HF_TLS1_2 && !o->suites && !o->ciphers)
        good &= hf_config_set_ciphers(config, "DEFAULT");
    if (o->security_level >= 0)
        good &= hf_config_insecure_set_security_level(config, (unsigned)o->security_level);
    if (!good)
        *err = *hf_config_error(config);
    return good;
}

static int hex_digit(char c)
{
    return c >= '0' && c <= '9'   ? c - '0'
           : c >= 'a' && c <= 'f' ? c - 'a' + 10
           : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                  : -1;
}

/* IDENTITY:HEXKEY; an identity may have colons in it. */
static bool add_psk(hf_config *config, const char *text, hf_error *err)
{
    const char *colon = strrchr(text, ':');
    uint8_t key[256];
    size_t len = 0;
    if (!colon || colon == text)
        return settings_fail(err, HF_E_CONFIG, 0,
                             "--psk takes IDENTITY:HEXKEY; there is no %s in what it was given",
                             colon ? "identity" : "colon");
    for (const char *p = colon + 1; *p; p += 2, len++) {
        int high = hex_digit(p[0]), low = high < 0 ? -1 : hex_digit(p[1]);
        if (low < 0 || len == sizeof key) {
            explicit_bzero(key, sizeof key);
            return settings_fail(err, HF_E_CONFIG, 0,
                                 "--psk %.*s: the key must be pairs of hexadecimal digits, "
                                 "16 to 256 of them",
                                 (int)(colon - text), text);
        }
        key[len] = (uint8_t)(high << 4 | low);
    }
    bool good =
        hf_config_add_psk(config, (const uint8_t *)text, (size_t)(colon - text), key, len);
    explicit_bzero(key, sizeof key);
    if (!good)
        *err = *hf_config_error(config);
    return good;
}

static bool add_psks(hf_config *config, const struct options *o, hf_error *err)
{
    for (size_t i = 0; i < o->psk.count; i++)
        if (!add_psk(config, o->psk.p[i], err))
            return false;
    return true;
}

/* Setters remember the first failure, so that it is looked at once. */
static bool set_common(hf_config *config, const struct options *o, hf_error *err)
{
    bool good = true;
    if (o->alpn)
        good &= hf_config_set_alpn(config, o->alpn, false);
    if (o->groups)
        good &= hf_config_set_groups(config, o->groups);
    if (o->signatures)
        good &= hf_config_set_signatures(config, o->signatures);
    if (o->psk_ke)
        good &= hf_config_set_psk_modes(config, HF_PSK_KE | HF_PSK_DHE_KE);
    if (o->compress_cert)
        good &=
            hf_config_set_certificate_compression(config, o->compress_cert, o->compress_cert);
    if (o->record_size_limit)
        good &= hf_config_set_record_size_limit(config, (uint16_t)o->record_size_limit);
    if (o->padding)
        good &= hf_config_set_record_padding(config, (uint16_t)o->padding);
    if (o->keylog)
        good &= hf_config_insecure_set_keylog_file(config, o->keylog);
    good &= set_peer_types(config, o);
    if (!good)
        *err = *hf_config_error(config);
    return good && set_strength(config, o, err) && set_trust(config, o, err) &&
           settings_verification(config, o, err) && add_credentials(config, o, err) &&
           add_psks(config, o, err) && add_raw_keys(config, o, err);
}

bool settings_freeze(hf_config *config, hf_error *err)
{
    if (hf_config_error(config)) {
        *err = *hf_config_error(config);
        return false;
    }
    return hf_config_freeze(config, err);
}

/* ---------------------------------------------------------------- the roles */

static bool set_client(hf_config *config, const struct options *o)
{
    bool good = true;
    if (o->key_shares)
        good &= hf_config_set_key_shares(config, o->key_shares);
    if (o->insecure_no_verify)
        good &=
            hf_config_insecure_no_verify(config) && hf_config_insecure_no_name_check(config);
    if (o->post_auth)
        good &= hf_config_set_post_handshake_auth(config, true);
    if (o->ocsp)
        good &= hf_config_set_ocsp(config, strcmp(o->ocsp, "none") == 0      ? HF_OCSP_NONE
                                           : strcmp(o->ocsp, "request") == 0 ? HF_OCSP_REQUEST
                                                                             : HF_OCSP_REQUIRE);
    return good;
}

hf_config *settings_client(const struct options *o, hf_error *err)
{
    hf_config *config = hf_config_new(HF_CLIENT);
    if (!config) {
        settings_fail(err, HF_E_NO_MEMORY, 0, "for the configuration");
        return NULL;
    }
    bool good = set_common(config, o, err);
    if (good && !set_client(config, o)) {
        good = false;
        *err = *hf_config_error(config);
    }
    if (good && named_apply(o, config, err))
        return config;
    hf_config_free(config);
    return NULL;
}

hf_config *settings_suites(const struct options *o, hf_error *err)
{
    hf_config *config = hf_config_new(HF_CLIENT);
    if (!config)
        settings_fail(err, HF_E_NO_MEMORY, 0, "for the configuration");
    if (config && set_strength(config, o, err))
        return config;
    hf_config_free(config);
    return NULL;
}

static bool set_server(hf_config *config, const struct options *o)
{
    bool good = true;
    if (o->client_auth)
        good &= hf_config_set_client_auth(config, strcmp(o->client_auth, "require") == 0
                                                      ? HF_CLIENT_AUTH_REQUIRE
                                                      : HF_CLIENT_AUTH_REQUEST);
    if (o->tickets >= 0)
        good &= hf_config_set_tickets(config, (unsigned)o->tickets, 7200);
    if (o->cookie)
        good &= hf_config_set_cookie(config, true);
    if (o->ask_later)
        good &= hf_config_set_post_handshake_auth(config, true);
    if (o->max_early_data)
        good &= hf_config_set_max_early_data(config, (uint32_t)o->max_early_data);
    if (o->key_update_after)
        good &= hf_config_set_key_update_after(config, o->key_update_after);
    return good;
}

hf_config *settings_server_like(const struct options *o, const hf_config *other, hf_error *err)
{
    hf_config *config = other ? hf_config_derive(other) : hf_config_new(HF_SERVER);
    if (!config) {
        settings_fail(err, HF_E_NO_MEMORY, 0, "for the configuration");
        return NULL;
    }
    bool good = set_common(config, o, err);
    if (good && !set_server(config, o)) {
        good = false;
        *err = *hf_config_error(config);
    }
    if (good && named_apply(o, config, err))
        return config;
    hf_config_free(config);
    return NULL;
}

hf_config *settings_server(const struct options *o, hf_error *err)
{
    return settings_server_like(o, NULL, err);
}
