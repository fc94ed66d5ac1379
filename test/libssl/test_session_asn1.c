/* test_session_asn1.c: sessions that OpenSSL has written, read, printed and written again; and thousands of damaged
 * ones. Run on handfast's libssl and on the system's, the output is the same. */
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <stdio.h>
#include <string.h>

/* Of a connection to a server with a key of its own, by `openssl s_client -sess_out`. */
static const char old_pem[] =
    "-----BEGIN SSL SESSION PARAMETERS-----\n"
    "MIICwAIBAQICAwMEAsAsBCArhvHpsZYbwwoMGC/fcN0qq74MTBf/hSnvEZA5ruCR\n"
    "/AQwLzFq3gPgdQq303pQyY09nELdYB4WSIWqHM9cQDC3YQzAoGEk+2I7abYAl4cR\n"
    "n8c5oQYCBGsB0LmiBAICHCCjggGAMIIBfDCCASOgAwIBAgIUTJvdQcPtF3TzUaQ4\n"
    "eTj43/KPwS0wCgYIKoZIzj0EAwIwFDESMBAGA1UEAwwJbG9jYWxob3N0MB4XDTI2\n"
    "MTEyMTE3MTEyMFoXDTM1MDIwNzE3MTEyMFowFDESMBAGA1UEAwwJbG9jYWxob3N0\n"
    "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEMh8Vio0o9Bv+sVIZc96C5RT39jQF\n"
    "tDZbzxzDJGXH2pUoxjka37/e2wOaXCx6wteaLAiZpsNi79jMB8cq8Bb7XaNTMFEw\n"
    "HQYDVR0OBBYEFDETUPL/Pijk5Igvyj7QXf6wF8NJMB8GA1UdIwQYMBaAFDETUPL/\n"
    "Pijk5Igvyj7QXf6wF8NJMA8GA1UdEwEB/wQFMAMBAf8wCgYIKoZIzj0EAwIDRwAw\n"
    "RAIgEvAdYjuu2DHWv76JMCo3+gDAaMmz9fe1cLuRKqDlHGcCIDC4Uez76P5QXsST\n"
    "gMCd+83kHDOgRWO+hqlUZKqYcMONpAIEAKUDAgESqQQCAhwgqoGzBIGwa2u71Cy9\n"
    "C5ZoUa60z0CNqPf7XHejAiWeWKopZ3aLN7agDnDvMxyjF3w6AkZBdZcP6aZx3Iiz\n"
    "Zvbeuh8o1DOmNrnybRwvdjeDVZGuItri8nZwLXwl08GCqfJH5qszAIWR0Uezf6yI\n"
    "8zwDvRdRYwSYBX4buD48hz0QDzNDR3QiuxcnMcDJ1q1gWnH5zcklbsRnebps4R1i\n"
    "x5XGB6uCF00li3/VyWoYLxwDI3JEf0t4gGytAwIBAbMDAgEd\n"
    "-----END SSL SESSION PARAMETERS-----\n";
static const char new_pem[] =
    "-----BEGIN SSL SESSION PARAMETERS-----\n"
    "MIIC5AIBAQICAwQEAhMCBCCWqy+r0/3/Skyv94mfjBuwZ9/vu8QQNlhPIya3NJ6+\n"
    "nQQwCREepadcSIcycbgInU+GlR9s/+mjJNMkhVZ5GDyNJpnLe57JoUI9YeyisAuo\n"
    "Wk9AoQYCBGsB0LqiBAICHCCjggGAMIIBfDCCASOgAwIBAgIUTJvdQcPtF3TzUaQ4\n"
    "eTj43/KPwS0wCgYIKoZIzj0EAwIwFDESMBAGA1UEAwwJbG9jYWxob3N0MB4XDTI2\n"
    "MTEyMTE3MTEyMFoXDTM1MDIwNzE3MTEyMFowFDESMBAGA1UEAwwJbG9jYWxob3N0\n"
    "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEMh8Vio0o9Bv+sVIZc96C5RT39jQF\n"
    "tDZbzxzDJGXH2pUoxjka37/e2wOaXCx6wteaLAiZpsNi79jMB8cq8Bb7XaNTMFEw\n"
    "HQYDVR0OBBYEFDETUPL/Pijk5Igvyj7QXf6wF8NJMB8GA1UdIwQYMBaAFDETUPL/\n"
    "Pijk5Igvyj7QXf6wF8NJMA8GA1UdEwEB/wQFMAMBAf8wCgYIKoZIzj0EAwIDRwAw\n"
    "RAIgEvAdYjuu2DHWv76JMCo3+gDAaMmz9fe1cLuRKqDlHGcCIDC4Uez76P5QXsST\n"
    "gMCd+83kHDOgRWO+hqlUZKqYcMONpAIEAKUDAgESqQQCAhwgqoHTBIHQa2u71Cy9\n"
    "C5ZoUa60z0CNqGoqQ+NrJqBn2jCOa6+hkc19rtbGEDYXQjcZKUYYc/mNa1zlhJQ0\n"
    "JAinAyhu1WcsT1Iz9Xnh6QGpKG4SjgAA0Cvd9EYItpN2en01TGwpJazR4oRYQI9a\n"
    "oNz58RiGcq/6lLhs+Jh2k7mkXiOLSu8jMpEkXiWX2a1rsvW2Os40Gnu/UtszMwgw\n"
    "LeZBAdekciEYSPfeiXbWMbXBJNCfnGNoYdr5v0ByLQxiqOW9X1p+GwzrhXVugP8R\n"
    "bc4vxWNPo++8zK4HAgUA3Y9mvrMDAgEd\n"
    "-----END SSL SESSION PARAMETERS-----\n";

static unsigned next(void)
{
    static unsigned long long state = 1;
    state = state * 6364136223846793005ULL + 1442695040888963407ULL;
    return (unsigned)(state >> 33);
}

static SSL_SESSION *from_pem(const char *pem)
{
    BIO *in = BIO_new_mem_buf(pem, -1);
    SSL_SESSION *s = PEM_read_bio_SSL_SESSION(in, NULL, NULL, NULL);
    BIO_free(in);
    return s;
}

static void hex(const unsigned char *p, size_t len)
{
    for (size_t i = 0; i < len; i++)
        printf("%02x", p[i]);
    printf("\n");
}

static void show(SSL_SESSION *s)
{
    BIO *out = BIO_new_fp(stdout, BIO_NOCLOSE);
    const unsigned char *p;
    unsigned id_len, context_len;
    size_t len;
    unsigned char secret[48] = {0};
    SSL_SESSION_print(out, s);
    PEM_write_bio_SSL_SESSION(out, s);
    (void)BIO_flush(out);
    BIO_free(out);
    p = SSL_SESSION_get_id(s, &id_len);
    hex(p, id_len);
    p = SSL_SESSION_get0_id_context(s, &context_len);
    hex(p, context_len);
    SSL_SESSION_get0_ticket(s, &p, &len);
    hex(p, len);
    SSL_SESSION_get0_alpn_selected(s, &p, &len);
    hex(p, len);
    printf("%d %d\n", (int)SSL_SESSION_get_master_key(s, NULL, 0),
           (int)SSL_SESSION_get_master_key(s, secret, 10));
    hex(secret, sizeof secret);
    const char *name = SSL_SESSION_get0_hostname(s);
    printf("%s %s %lu %ld %ld %u %d %u %x %u\n", name ? name : "none",
           SSL_CIPHER_get_name(SSL_SESSION_get0_cipher(s)),
           SSL_SESSION_get_ticket_lifetime_hint(s), SSL_SESSION_get_time(s),
           SSL_SESSION_get_timeout(s), SSL_SESSION_get_max_early_data(s),
           SSL_SESSION_is_resumable(s), SSL_SESSION_get_compress_id(s),
           (unsigned)SSL_SESSION_get_protocol_version(s),
           SSL_SESSION_get_max_fragment_length(s));
    X509 *peer = SSL_SESSION_get0_peer(s);
    printf("peer %d\n", peer ? (int)X509_subject_name_hash(peer) : 0);
}

/* Each field that can be set, in a session of a program's own. */
static void setters(void)
{
    SSL_SESSION *s = SSL_SESSION_new(), *copy;
    unsigned char *der = NULL, id[40] = "0123456789012345678901234567890123456789",
                  long_key[600];
    int len = i2d_SSL_SESSION(s, NULL);
    memset(long_key, 1, sizeof long_key);
    SSL_CTX *ctx = SSL_CTX_new(TLS_method());
    SSL *ssl = SSL_new(ctx);
    printf("empty %d\n", len);
    printf("%d", SSL_SESSION_set1_id(s, id, 33));
    printf(" %d", SSL_SESSION_set1_id(s, id, 32));
    printf(" %d", SSL_SESSION_set1_id_context(s, id, 33));
    printf(" %d", SSL_SESSION_set1_id_context(s, id, 5));
    printf(" %d", SSL_SESSION_set1_master_key(s, long_key, 600));
    printf(" %d", SSL_SESSION_set1_master_key(s, long_key, 200));
    printf(" %d", SSL_SESSION_set1_master_key(s, long_key, 48));
    printf(" %d",
           SSL_SESSION_set_cipher(s, SSL_CIPHER_find(ssl, (const unsigned char *)"\xc0\x2f")));
    printf(" %d", SSL_SESSION_set_protocol_version(s, TLS1_2_VERSION));
    printf(" %ld", SSL_SESSION_set_time(s, 1700000000));
    printf(" %ld", SSL_SESSION_set_timeout(s, 1234));
    printf(" %d", SSL_SESSION_set1_hostname(s, "a.example"));
    printf(" %d", SSL_SESSION_set1_alpn_selected(s, (const unsigned char *)"h2", 2));
    printf(" %d", SSL_SESSION_set_max_early_data(s, 100000));
    printf(" %d\n", SSL_SESSION_set1_ticket_appdata(s, "data", 4));
    show(s);
    copy = SSL_SESSION_dup(s);
    SSL_SESSION_set1_hostname(s, NULL);
    SSL_SESSION_set1_alpn_selected(s, NULL, 0);
    SSL_SESSION_set1_ticket_appdata(s, NULL, 0);
    len = i2d_SSL_SESSION(s, &der);
    hex(der, (size_t)len);
    OPENSSL_free(der);
    der = NULL;
    len = i2d_SSL_SESSION(copy, &der);
    hex(der, (size_t)len);
    OPENSSL_free(der);
    SSL_SESSION_free(copy);
    SSL_SESSION_free(s);
    SSL_free(ssl);
    SSL_CTX_free(ctx);
}

/* One of them, with some bytes changed: both libraries read it or both do not. */
static void damage(SSL_SESSION *s, int rounds, int most)
{
    unsigned char *der = NULL, bytes[2000];
    int len = i2d_SSL_SESSION(s, &der), good = 0;
    for (int i = 0; i < rounds; i++) {
        const unsigned char *p = bytes;
        int cut = len - (next() % 8 == 0 ? (int)(next() % 20) : 0);
        memcpy(bytes, der, (size_t)len);
        for (unsigned k = 0; k < 1 + next() % 3; k++)
            bytes[next() % (unsigned)most] = (unsigned char)next();
        SSL_SESSION *read = d2i_SSL_SESSION(NULL, &p, cut);
        if (read) {
            unsigned char *again = NULL;
            int again_len = i2d_SSL_SESSION(read, &again),
                same = again_len == len && memcmp(again, bytes, (size_t)len) == 0;
            printf("%d: %d %d same %d\n", i, (int)(p - bytes), again_len, same);
            OPENSSL_free(again);
            good++;
        }
        SSL_SESSION_free(read);
        ERR_clear_error();
    }
    printf("%d of %d\n", good, rounds);
    OPENSSL_free(der);
}

/* ---- one field at a time */

struct der {
    unsigned char p[300];
    size_t len;
};

/* form: how many bytes say the length, -1: none do, and the end is marked. */
static void put(struct der *d, unsigned char tag, int form, const void *p, size_t len)
{
    d->p[d->len++] = tag;
    if (form != 0)
        d->p[d->len++] = (unsigned char)(0x80 | (form < 0 ? 0 : form));
    for (int i = form - 1; i > 0; i--)
        d->p[d->len++] = 0;
    if (form >= 0)
        d->p[d->len++] = (unsigned char)len;
    memcpy(d->p + d->len, p, len);
    d->len += len;
    if (form < 0) {
        memcpy(d->p + d->len, "\0\0", 2);
        d->len += 2;
    }
}

static void try_field(unsigned field, unsigned char type, int form, const char *bytes,
                      size_t len)
{
    struct der inner = {.len = 0}, body = {.len = 0}, whole = {.len = 0};
    unsigned char secret[48] = {0};
    put(&inner, type, form, bytes, len);
    put(&body, 2, 0, "\1", 1);
    put(&body, 2, 0, "\3\3", 2);
    put(&body, 4, 0, "\xc0\x2c", 2);
    put(&body, 4, 0, secret, 32);
    put(&body, 4, 0, secret, 48);
    put(&body, (unsigned char)(0xa0 + field), form, inner.p, inner.len);
    put(&whole, 0x30, 2, body.p, body.len);
    const unsigned char *p = whole.p;
    SSL_SESSION *s = d2i_SSL_SESSION(NULL, &p, (long)whole.len);
    printf("%u type %u form %d len %zu: %s", field, type, form, len, s ? "read" : "not");
    if (s && field == 1 && SSL_SESSION_get_time(s) < 1700000000) /* else it is now */
        printf(" %ld", SSL_SESSION_get_time(s));
    if (s)
        printf(" %ld %lu %u %u %u %d", SSL_SESSION_get_timeout(s),
               SSL_SESSION_get_ticket_lifetime_hint(s), SSL_SESSION_get_max_early_data(s),
               SSL_SESSION_get_max_fragment_length(s), SSL_SESSION_get_compress_id(s),
               SSL_SESSION_is_resumable(s));
    printf("\n");
    if (s && field == 11) {
        BIO *out = BIO_new_fp(stdout, BIO_NOCLOSE);
        SSL_SESSION_set_time(s, 1);
        SSL_SESSION_print(out, s);
        PEM_write_bio_SSL_SESSION(out, s);
        BIO_free(out);
    }
    SSL_SESSION_free(s);
    ERR_clear_error();
}

static void bounds(void)
{
    static const struct {
        size_t len;
        const char *bytes;
    } numbers[] = {
        {0, ""},
        {1, "\0"},
        {1, "\1"},
        {1, "\x7f"},
        {1, "\xff"},
        {2, "\0\xff"},
        {2, "\0\1"},
        {2, "\1\0"},
        {2, "\xff\xff"},
        {4, "\x7f\xff\xff\xff"},
        {4, "\x80\0\0\0"},
        {5, "\0\x80\0\0\0"},
        {5, "\xff\x7f\xff\xff\xff"},
        {5, "\0\xff\xff\xff\xff"},
        {5, "\1\0\0\0\0"},
        {8, "\x7f\xff\xff\xff\xff\xff\xff\xff"},
        {8, "\x80\0\0\0\0\0\0\0"},
    };
    for (unsigned field = 1; field <= 20; field++) {
        for (unsigned i = 0; i < sizeof numbers / sizeof numbers[0]; i++) {
            try_field(field, 2, 0, numbers[i].bytes, numbers[i].len);
            try_field(field, 4, 0, numbers[i].bytes, numbers[i].len);
        }
        for (int form = 1; form <= 4; form++) {
            try_field(field, 2, form, "\1", 1);
            try_field(field, 4, form, "\1", 1);
        }
    }
}

int main(void)
{
    SSL_SESSION *old = from_pem(old_pem), *new = from_pem(new_pem);
    if (!old || !new)
        return 1;
    show(old);
    show(new);
    setters();
    damage(old, 3000, 120);
    damage(old, 2000, 200);
    damage(new, 3000, 120);
    bounds();
    SSL_SESSION_free(old);
    SSL_SESSION_free(new);
    return 0;
}
