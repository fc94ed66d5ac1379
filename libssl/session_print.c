/* session_print.c: sessions for people, in the layout of `openssl sess_id -text`. */
#include <openssl/x509_vfy.h>

#include "libssl/local.h"

static const char *version_name(int version)
{
    switch (version) {
    case TLS1_3_VERSION: return "TLSv1.3";
    case TLS1_2_VERSION: return "TLSv1.2";
    case TLS1_1_VERSION: return "TLSv1.1";
    case TLS1_VERSION: return "TLSv1";
    case SSL3_VERSION: return "SSLv3";
    case DTLS1_BAD_VER: return "DTLSv0.9";
    case DTLS1_VERSION: return "DTLSv1";
    case DTLS1_2_VERSION: return "DTLSv1.2";
    default: return "unknown";
    }
}

static bool hex(BIO *out, const char *before, const unsigned char *p, size_t len)
{
    if (BIO_puts(out, before) <= 0)
        return false;
    for (size_t i = 0; i < len; i++) {
        if (BIO_printf(out, "%02X", p[i]) <= 0)
            return false;
    }
    return true;
}

static bool print_names(BIO *out, const SSL_SESSION *s)
{
    const SSL_CIPHER *c = SSL_SESSION_get0_cipher(s);
    return BIO_printf(out, "SSL-Session:\n    Protocol  : %s\n    Cipher    : %s\n",
                      version_name(s->version), c ? c->name : "unknown") > 0 &&
           hex(out, "    Session-ID: ", s->id, s->id_len) &&
           hex(out, "\n    Session-ID-ctx: ", s->sid_ctx, s->sid_ctx_len) &&
           hex(out,
               s->version == TLS1_3_VERSION ? "\n    Resumption PSK: " : "\n    Master-Key: ",
               s->secret.p, s->secret.len);
}

static const char *or_none(const struct session_bytes *b)
{
    return b->p ? (const char *)b->p : "None";
}

static bool print_ticket(BIO *out, const SSL_SESSION *s)
{
    if (s->lifetime_hint &&
        BIO_printf(out, "\n    TLS session ticket lifetime hint: %ld (seconds)",
                   (long)s->lifetime_hint) <= 0)
        return false;
    return s->ticket.len == 0 ||
           (BIO_puts(out, "\n    TLS session ticket:\n") > 0 &&
            BIO_dump_indent(out, (const char *)s->ticket.p, (int)s->ticket.len, 4) > 0);
}

int SSL_SESSION_print(BIO *out, const SSL_SESSION *s)
{
    if (!s || !print_names(out, s) ||
        BIO_printf(out,
                   "\n    PSK identity: %s\n    PSK identity hint: %s\n    SRP username: None",
                   or_none(&s->psk_identity), or_none(&s->psk_hint)) <= 0 ||
        !print_ticket(out, s))
        return 0;
    if (s->compression && BIO_printf(out, "\n    Compression: %d", s->compression) <= 0)
        return 0;
    if (s->time && BIO_printf(out, "\n    Start Time: %lld", (long long)s->time) <= 0)
        return 0;
    if (s->timeout &&
        BIO_printf(out, "\n    Timeout   : %lld (sec)", (long long)s->timeout) <= 0)
        return 0;
    if (BIO_printf(out, "\n    Verify return code: %ld (%s)\n    Extended master secret: %s\n",
                   s->verify_result, X509_verify_cert_error_string(s->verify_result),
                   s->ems ? "yes" : "no") <= 0)
        return 0;
    if (s->version == TLS1_3_VERSION &&
        BIO_printf(out, "    Max Early Data: %u\n", (unsigned)s->max_early_data) <= 0)
        return 0;
    return 1;
}

int SSL_SESSION_print_fp(FILE *file, const SSL_SESSION *s)
{
    BIO *out = BIO_new_fp(file, BIO_NOCLOSE);
    if (!out) {
        raise_ssl(ERR_R_BUF_LIB);
        return 0;
    }
    int result = SSL_SESSION_print(out, s);
    BIO_free(out);
    return result;
}

/* NSS's key log for the RSA key exchange, by session ID. */
int SSL_SESSION_print_keylog(BIO *out, const SSL_SESSION *s)
{
    if (!s || s->id_len == 0 || s->secret.len == 0)
        return 0;
    return hex(out, "RSA Session-ID:", s->id, s->id_len) &&
           hex(out, " Master-Key:", s->secret.p, s->secret.len) && BIO_puts(out, "\n") > 0;
}
