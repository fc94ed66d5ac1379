/* psk13.c: external pre-shared keys in TLS 1.3 (RFC 8446 4.2.11), found by the application's callbacks: those for
 * it, or else those of TLS 1.2, whose keys go with SHA-256. */
#include "libssl/local.h"

enum { OLD_SUITE = 0x1301 };

static bool has13(const SSL *s)
{
    const struct settings *t = s->settings;
    return s->method->version == TLS_ANY_VERSION && !(t->options & SSL_OP_NO_TLSv1_3) &&
           (!t->version_max || t->version_max >= TLS1_3_VERSION);
}

static hf_session *from_session(SSL_SESSION *session, const unsigned char *identity, size_t len)
{
    const SSL_CIPHER *cipher = SSL_SESSION_get0_cipher(session);
    unsigned char key[SSL_MAX_MASTER_KEY_LENGTH];
    size_t key_len = SSL_SESSION_get_master_key(session, key, sizeof key);
    hf_session *out =
        cipher ? access_session_external(identity, len, key, key_len, cipher_id(cipher),
                                         SSL_SESSION_get_max_early_data(session))
               : NULL;
    OPENSSL_cleanse(key, sizeof key);
    if (!out)
        raise_ssl(SSL_R_BAD_PSK);
    return out;
}

/* ---- client */

static bool offer(SSL *s, hf_session *external)
{
    bool ok = external && access_offer_external(s->conn, external);
    hf_session_free(external);
    return ok;
}

static bool offer_old(SSL *s)
{
    char identity[PSK_MAX_IDENTITY_LEN + 1] = "";
    unsigned char key[PSK_MAX_PSK_LEN];
    unsigned len =
        s->settings->psk_client_cb(s, NULL, identity, sizeof identity - 1, key, sizeof key);
    bool ok = true;
    if (len > sizeof key) {
        raise_ssl(ERR_R_INTERNAL_ERROR);
        ok = false;
    } else if (len > 0) {
        ok = offer(s, access_session_external((const uint8_t *)identity, strlen(identity), key,
                                              len, OLD_SUITE, 0));
        if (!ok)
            raise_ssl(SSL_R_BAD_PSK);
    }
    OPENSSL_cleanse(key, sizeof key);
    return ok;
}

bool psk13_offer(SSL *s)
{
    const unsigned char *identity = NULL;
    size_t len = 0;
    SSL_SESSION *session = NULL;
    if (!has13(s))
        return true;
    if (s->settings->psk_use_cb &&
        !s->settings->psk_use_cb(s, NULL, &identity, &len, &session)) {
        SSL_SESSION_free(session);
        raise_ssl(SSL_R_BAD_PSK);
        return false;
    }
    if (!session)
        return !s->settings->psk_client_cb || offer_old(s);
    bool ok = offer(s, from_session(session, identity, len));
    SSL_SESSION_free(session);
    return ok;
}

/* ---- server */

static enum psk13_found find_old(SSL *s, const unsigned char *identity, size_t len,
                                 hf_session **out)
{
    char name[PSK_MAX_IDENTITY_LEN + 1];
    unsigned char key[PSK_MAX_PSK_LEN];
    if (len > PSK_MAX_IDENTITY_LEN || memchr(identity, 0, len))
        return PSK13_NONE;
    memcpy(name, identity, len);
    name[len] = 0;
    unsigned key_len = s->settings->psk_server_cb(s, name, key, sizeof key);
    if (key_len > 0 && key_len <= sizeof key)
        *out = access_session_external(identity, len, key, key_len, OLD_SUITE, 0);
    OPENSSL_cleanse(key, sizeof key);
    if (key_len > sizeof key || (key_len && !*out)) {
        raise_ssl(ERR_R_INTERNAL_ERROR);
        return PSK13_FAILED;
    }
    return *out ? PSK13_FOUND : PSK13_NONE;
}

enum psk13_found psk13_find(SSL *s, const unsigned char *identity, size_t len, hf_session **out)
{
    SSL_SESSION *session = NULL;
    *out = NULL;
    if (SSL_version(s) != TLS1_3_VERSION)
        return PSK13_NONE;
    if (s->settings->psk_find_cb && !s->settings->psk_find_cb(s, identity, len, &session)) {
        raise_ssl(SSL_R_BAD_EXTENSION);
        return PSK13_FAILED;
    }
    if (!session)
        return s->settings->psk_server_cb ? find_old(s, identity, len, out) : PSK13_NONE;
    *out = from_session(session, identity, len);
    SSL_SESSION_free(session);
    return *out ? PSK13_FOUND : PSK13_FAILED;
}
