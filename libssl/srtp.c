/* srtp.c: profiles for SRTP (RFC 5764). They are agreed on by DTLS only, which is not there: they are kept and
 * shown, and none is ever chosen. */
#include "libssl/local.h"

#include <openssl/srtp.h>

static SRTP_PROTECTION_PROFILE known[] = {
    {"SRTP_AES128_CM_SHA1_80", SRTP_AES128_CM_SHA1_80},
    {"SRTP_AES128_CM_SHA1_32", SRTP_AES128_CM_SHA1_32},
    {"SRTP_AEAD_AES_128_GCM", SRTP_AEAD_AES_128_GCM},
    {"SRTP_AEAD_AES_256_GCM", SRTP_AEAD_AES_256_GCM},
};
enum { KNOWN = sizeof known / sizeof known[0] };

static SRTP_PROTECTION_PROFILE *profile_of(const char *name, size_t len)
{
    for (size_t i = 0; i < KNOWN; i++) {
        if (strlen(known[i].name) == len && strncmp(known[i].name, name, len) == 0)
            return &known[i];
    }
    return NULL;
}

/* Names with colons between them; the reason why not, or 0. */
static int read_list(const char *text, STACK_OF(SRTP_PROTECTION_PROFILE) * list)
{
    for (;;) {
        size_t len = strcspn(text, ":");
        SRTP_PROTECTION_PROFILE *p = profile_of(text, len);
        if (!p)
            return SSL_R_SRTP_UNKNOWN_PROTECTION_PROFILE;
        if (sk_SRTP_PROTECTION_PROFILE_find(list, p) >= 0)
            return SSL_R_BAD_SRTP_PROTECTION_PROFILE_LIST;
        if (sk_SRTP_PROTECTION_PROFILE_push(list, p) <= 0)
            return SSL_R_SRTP_COULD_NOT_ALLOCATE_PROFILES;
        if (text[len] == '\0')
            return 0;
        text += len + 1;
    }
}

/* 0 is success here, as the manual page says. */
static int set_list(struct settings **settings, const char *text)
{
    STACK_OF(SRTP_PROTECTION_PROFILE) *list = sk_SRTP_PROTECTION_PROFILE_new_null();
    int reason = list ? read_list(text, list) : SSL_R_SRTP_COULD_NOT_ALLOCATE_PROFILES;
    struct settings *t = reason ? NULL : settings_edit(settings);
    if (t) {
        sk_SRTP_PROTECTION_PROFILE_free(t->srtp);
        t->srtp = list;
        return 0;
    }
    if (reason)
        raise_ssl(reason);
    sk_SRTP_PROTECTION_PROFILE_free(list);
    return 1;
}

int SSL_CTX_set_tlsext_use_srtp(SSL_CTX *ctx, const char *profiles)
{
    return set_list(&ctx->settings, profiles);
}

int SSL_set_tlsext_use_srtp(SSL *ssl, const char *profiles)
{
    return set_list(&ssl->settings, profiles);
}

STACK_OF(SRTP_PROTECTION_PROFILE) * SSL_get_srtp_profiles(SSL *ssl)
{
    return ssl ? ssl->settings->srtp : NULL;
}

SRTP_PROTECTION_PROFILE *SSL_get_selected_srtp_profile(SSL *s)
{
    (void)s;
    return NULL;
}
