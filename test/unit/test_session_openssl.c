/* test_session_openssl.c: OpenSSL's sessions: files that its commands write, and ones written here that
 * no OpenSSL would write. */
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "check.h"
#include "config/session.h"
#include "pki.h"

static struct pki *pki;

/* ---- real files */

struct text {
    char *p;
    size_t len;
};

static struct text read_text(const char *path)
{
    struct text t = {malloc(65536), 0};
    FILE *f = fopen(path, "rb");
    if (f) {
        t.len = fread(t.p, 1, 65535, f);
        fclose(f);
    }
    t.p[t.len] = 0;
    return t;
}

/* Starts `openssl s_server` on a free port and returns its process; it writes the port itself. */
static pid_t start_server(char *port, size_t size)
{
    int out[2];
    char line[256] = "";
    const char *chain = pki_file("chain.pem", pki->chain_pem, strlen(pki->chain_pem));
    const char *key = pki_file("key.pem", pki->leaf->key_pem, strlen(pki->leaf->key_pem));

    if (pipe(out) != 0)
        return -1;
    fflush(stdout);
    pid_t child = fork();
    if (child == 0) {
        (void)dup2(out[1], 1);
        (void)!freopen("/dev/null", "r", stdin);
        (void)!freopen("/dev/null", "w", stderr);
        close(out[0]);
        execlp("openssl", "openssl", "s_server", "-accept", "127.0.0.1:0", "-cert", chain,
               "-cert_chain", chain, "-key", key, "-www", "-alpn", "http/1.1", NULL);
        _exit(127);
    }
    close(out[1]);
    FILE *f = fdopen(out[0], "r");
    while (fgets(line, sizeof line, f) && strncmp(line, "ACCEPT ", 7) != 0)
        ;
    char *colon = strrchr(line, ':');
    snprintf(port, size, "%s", colon ? colon + 1 : "");
    port[strcspn(port, "\r\n")] = 0;
    fclose(f);
    return child;
}

/* What s_client keeps of one connection. The root is trusted unless `options` say otherwise. */
static struct text session_of(const char *port, const char *options)
{
    char command[2048];
    char *path = pki_text(pki_folder(), "/out.pem", NULL);

    (void)remove(path);
    snprintf(command, sizeof command,
             "(printf 'GET / HTTP/1.0\r\n\r\n'; sleep 0.3) | timeout 20 openssl s_client "
             "-connect 127.0.0.1:%s %s -sess_out %s >/dev/null 2>&1",
             port, options, path);
    int status = system(command);
    (void)status;
    struct text t = read_text(path);
    (void)remove(path);
    free(path);
    return t;
}

static hf_session *import(const struct text *t, const char *name)
{
    hf_error err = {0};
    hf_session *s = hf_session_import_openssl((const uint8_t *)t->p, t->len, name, &err);
    if (!s)
        printf("    %s: %s\n", hf_code_name(err.code), err.detail);
    return s;
}

static void check_real(const char *port, const char *root)
{
    static const struct {
        const char *options;
        uint16_t version;
        bool trusted, ticket, ems, alpn;
        uint8_t secret;
    } rows[] = {
        {"-tls1_2 -servername server.example -alpn http/1.1", HF_TLS1_2, true, true, true, true,
         48},
        {"-tls1_2 -servername server.example -no_ticket -cipher ECDHE-ECDSA-AES128-GCM-SHA256",
         HF_TLS1_2, true, false, true, false, 48},
        {"-tls1_2 -no_ticket -noservername", HF_TLS1_2, false, false, true, false, 48},
        {"-tls1_3 -servername server.example -ciphersuites TLS_AES_256_GCM_SHA384", HF_TLS1_3,
         true, true, false, false, 48},
        {"-tls1_3 -servername server.example -alpn http/1.1 -ciphersuites "
         "TLS_AES_128_GCM_SHA256",
         HF_TLS1_3, false, true, false, true, 32},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char *options = pki_text(rows[i].options, rows[i].trusted ? " -CAfile " : "",
                                 rows[i].trusted ? root : "", NULL);
        struct text t = session_of(port, options);
        CHECK(t.len > 0);
        hf_session *s = import(&t, "server.example");
        CHECK(s);
        if (s) {
            size_t id_len = 0;
            (void)hf_session_id(s, &id_len);
            CHECK_INT(s->version, rows[i].version);
            CHECK_INT(hf_session_has_ticket(s), rows[i].ticket);
            CHECK_INT(id_len, rows[i].version == HF_TLS1_3 ? 0 : 32);
            CHECK_INT(s->ems, rows[i].ems);
            CHECK_INT(s->secret_len, rows[i].secret);
            CHECK_INT(s->verified, rows[i].trusted);
            CHECK_INT(s->named, rows[i].trusted);
            CHECK_INT(s->lifetime, 7200);
            CHECK_INT(s->alpn_len, rows[i].alpn ? 8 : 0);
            CHECK_STR(s->server_name, "server.example");
            CHECK(s->chain && s->chain->count == 1 &&
                  slice_equal(cert_der(s->chain->cert[0]),
                              slice_of(pki->leaf->der, pki->leaf->der_len)));
            CHECK(!session_expired(s, s->issued_ms + 1000));
            /* and it becomes one of ours */
            uint8_t bytes[8192];
            size_t len = hf_session_export(s, bytes, sizeof bytes);
            hf_session *back = hf_session_import(bytes, len, NULL);
            CHECK(back && back->version == s->version && back->lifetime == s->lifetime);
            hf_session_free(back);
        }
        hf_session_free(s);
        if (i == 2) { /* without a name nothing says whom it was made with */
            s = import(&t, NULL);
            CHECK(s && !s->server_name && !s->named);
            hf_session_free(s);
        }
        free(t.p);
        free(options);
    }
}

static void test_real_files(void)
{
    char port[16] = "";
    if (system("openssl version >/dev/null 2>&1") != 0)
        SKIP("there is no openssl command: install the package openssl");
    pid_t server = start_server(port, sizeof port);
    CHECK(server > 0 && port[0]);
    if (port[0])
        check_real(port, pki_file("root.pem", pki->root->pem, strlen(pki->root->pem)));
    if (server > 0) {
        kill(server, SIGKILL);
        (void)waitpid(server, NULL, 0);
    }
}

/* ---- files made here */

struct der {
    uint8_t p[8192];
    size_t len;
};

static void put(struct der *d, uint8_t tag, const void *p, size_t n)
{
    d->p[d->len++] = tag;
    if (n >= 0x100) {
        d->p[d->len++] = 0x82;
        d->p[d->len++] = (uint8_t)(n >> 8);
    } else if (n >= 0x80) {
        d->p[d->len++] = 0x81;
    }
    d->p[d->len++] = (uint8_t)n;
    memcpy(d->p + d->len, p, n);
    d->len += n;
}

/* An INTEGER of these bytes, a field of this tag around it. */
static void put_number(struct der *d, uint8_t tag, const char *bytes, size_t n)
{
    struct der inner = {.len = 0};
    put(&inner, 0x02, bytes, n);
    put(d, tag, inner.p, inner.len);
}

static void put_octets(struct der *d, uint8_t tag, const void *p, size_t n)
{
    struct der inner = {.len = 0};
    put(&inner, 0x04, p, n);
    put(d, tag, inner.p, inner.len);
}

/* What a test wants to be different. */
struct wish {
    const char *version, *ssl_version,
        *cipher;       /* two bytes each but the first; NULL: as usual */
    size_t secret_len; /* 0: 48 */
    bool no_id, long_id, no_time, no_peer;
    const char *verify; /* one byte; NULL: none */
    const char *name;
    size_t context_len;
    uint8_t tag; /* a field of this tag, where it belongs by number */
    uint8_t type;
    const char *bytes;
    size_t bytes_len;
};

static void put_wish(struct der *d, const struct wish *w, uint8_t upto)
{
    static uint8_t done;
    if (upto == 0)
        done = 0;
    if (!w->tag || done || w->tag > upto)
        return;
    struct der inner = {.len = 0};
    put(&inner, w->type, w->bytes, w->bytes_len);
    put(d, w->tag, inner.p, inner.len);
    done = 1;
}

static struct der made(const struct wish *w)
{
    static uint8_t zeros[300];
    struct der d = {.len = 0}, whole = {.len = 0};

    put_wish(&d, w, 0);
    put(&d, 0x02, w->version ? w->version : "\1", 1);
    put(&d, 0x02, w->ssl_version ? w->ssl_version : "\3\3", 2);
    put(&d, 0x04, w->cipher ? w->cipher : "\300\053", 2);
    put(&d, 0x04, zeros, w->no_id ? 0 : w->long_id ? 33 : 32);
    put(&d, 0x04, zeros, w->secret_len ? w->secret_len : 48);
    put_wish(&d, w, 0xa0);
    if (!w->no_time)
        put_number(&d, 0xa1, "\x6a\xb1\x3b\x80", 4); /* PKI_NOW */
    put_wish(&d, w, 0xa1);
    put_number(&d, 0xa2, "\x1c\x20", 2);
    if (!w->no_peer)
        put(&d, 0xa3, pki->leaf->der, pki->leaf->der_len);
    put_octets(&d, 0xa4, zeros, w->context_len);
    if (w->verify)
        put_number(&d, 0xa5, w->verify, 1);
    if (w->name)
        put_octets(&d, 0xa6, w->name, strlen(w->name));
    put_wish(&d, w, 0xff);
    put(&whole, 0x30, d.p, d.len);
    return whole;
}

static hf_session *import_der(const struct der *d, const char *name, hf_error *err)
{
    /* memory of its own, so that a sanitizer sees the end */
    uint8_t *p = malloc(d->len ? d->len : 1);
    memcpy(p, d->p, d->len);
    hf_session *s = hf_session_import_openssl(p, d->len, name, err);
    free(p);
    return s;
}

static hf_session *import_wish(const struct wish *w, const char *name, hf_error *err)
{
    struct der d = made(w);
    return import_der(&d, name, err);
}

static void test_made(void)
{
    hf_error err = {.code = HF_E_USAGE, .detail = "old"};
    hf_session *s = import_wish(&(struct wish){0}, "SERVER.example", &err);
    CHECK(s);
    CHECK_INT(err.code, HF_OK);
    if (s) {
        CHECK_INT(s->suite, 0xc02b);
        CHECK_INT(s->issued_ms, (int64_t)PKI_NOW * 1000);
        CHECK_INT(s->started, PKI_NOW);
        CHECK(s->verified && s->named && !s->ems);
        CHECK_INT(s->max_fragment, 0);
    }
    hf_session_free(s);
    s = import_wish(&(struct wish){.name = "server.EXAMPLE"}, "SERVER.example", NULL);
    CHECK(s && s->named);
    hf_session_free(s);
    s = import_wish(&(struct wish){.name = "server.example"}, NULL, NULL);
    CHECK(s && s->named);
    CHECK_STR(s ? s->server_name : NULL, "server.example");
    hf_session_free(s);
    /* A good chain, but for somebody else; a bad one; none at all. */
    s = import_wish(&(struct wish){0}, "elsewhere.example", NULL);
    CHECK(s && s->verified && !s->named);
    hf_session_free(s);
    s = import_wish(&(struct wish){.verify = "\24"}, "server.example", NULL);
    CHECK(s && !s->verified && !s->named);
    hf_session_free(s);
    s = import_wish(&(struct wish){.no_peer = true}, "server.example", NULL);
    CHECK(s && !s->verified && !s->named && !s->chain);
    hf_session_free(s);
    s = import_wish(&(struct wish){.tag = 0xb1, .type = 2, .bytes = "\2", .bytes_len = 1}, NULL,
                    NULL);
    CHECK(s && s->max_fragment == 1024);
    hf_session_free(s);
    s = import_wish(&(struct wish){.tag = 0xad, .type = 2, .bytes = "\3", .bytes_len = 1}, NULL,
                    NULL);
    CHECK(s && s->ems);
    hf_session_free(s);
    /* The ticket's hint ends a session before its timeout, but never prolongs it; 0 says nothing. */
    s = import_wish(&(struct wish){.tag = 0xaa, .type = 4, .bytes = "ticket", .bytes_len = 6},
                    NULL, NULL);
    CHECK(s && s->lifetime == 7200 && s->ticket_len == 6);
    hf_session_free(s);
    s = import_wish(&(struct wish){.ssl_version = "\3\4",
                                   .cipher = "\x13\x01",
                                   .secret_len = 32,
                                   .tag = 0xaa,
                                   .type = 4,
                                   .bytes = "ticket",
                                   .bytes_len = 6},
                    NULL, NULL);
    CHECK(s && s->lifetime == 0 && s->id_len == 0); /* but in TLS 1.3 it does */
    hf_session_free(s);
}

static void test_refusals(void)
{
    static const struct {
        struct wish wish;
        const char *detail;
    } rows[] = {
        {{.version = "\2"}, "version: of this structure, only 1 is known"},
        {{.ssl_version = "\3\0"}, "ssl_version: 0x300 is none of TLS 1.0 to 1.3"},
        {{.ssl_version = "\3\5"}, "ssl_version: 0x305 is none of TLS 1.0 to 1.3"},
        {{.ssl_version = "\0\2"}, "ssl_version: a number is expected here"}, /* not minimal */
        {{.cipher = "\x13\x01"}, "suite: TLS_AES_128_GCM_SHA256 is not for TLS 1.2"},
        {{.cipher = "\x00\x0a"}, "suite 0x000a: not in this version of handfast"},
        {{.secret_len = 32},
         "secret: 32 bytes, but TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256 has secrets of 48 in TLS "
         "1.2"},
        {{.secret_len = 256},
         "secret: 256 bytes, but TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256 has secrets of 48 in "
         "TLS 1.2"},
        {{.no_id = true}, "ticket: is missing: nothing to resume with"},
        {{.long_id = true}, "session_id: is longer than 32 bytes"},
        {{.context_len = 33}, "session_id_context: is longer than 32 bytes"},
        {{.no_time = true}, "time: is missing, or no time of this world"},
        {{.name = "elsewhere.example"},
         "hostname: the session was made with elsewhere.example, not server.example"},
        {{.tag = 0x80, .type = 4, .bytes = "", .bytes_len = 0},
         "a field of the tag 0x80: not known"},
        {{.tag = 0xb4, .type = 4, .bytes = "", .bytes_len = 0},
         "a field of the tag 0xb4: not known"},
        {{.tag = 0xa1, .type = 2, .bytes = "\1", .bytes_len = 1},
         "time: stands twice, or behind a later field"},
        {{.tag = 0xaa, .type = 2, .bytes = "\1", .bytes_len = 1},
         "ticket: is not of the type that OpenSSL writes"},
        {{.tag = 0xab, .type = 4, .bytes = "\1", .bytes_len = 1},
         "comp_id: handfast never compresses"},
        {{.tag = 0xad, .type = 2, .bytes = "\377", .bytes_len = 1},
         "flags: is negative, or no number"},
        {{.tag = 0xad, .type = 2, .bytes = "", .bytes_len = 0},
         "flags: is negative, or no number"},
        {{.tag = 0xae, .type = 2, .bytes = "\1\0\0\0\0", .bytes_len = 5},
         "ticket_age_add: is larger than 32 bits"},
        {{.tag = 0xae, .type = 2, .bytes = "\1\0\0\0\0\0\0\0\0", .bytes_len = 9},
         "ticket_age_add: is too large, or no number"},
        {{.tag = 0xb1, .type = 2, .bytes = "\5", .bytes_len = 1},
         "max_fragment_len_mode: is none of 0 to 4 and 255"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        hf_error err = {0};
        hf_session *s = import_wish(&rows[i].wish, "server.example", &err);
        CHECK(!s);
        CHECK_INT(err.code, HF_E_SESSION_DATA);
        CHECK_STR(err.detail, rows[i].detail);
        hf_session_free(s);
    }
    hf_error err = {0};
    CHECK(!hf_session_import_openssl(NULL, 0, NULL, &err));
    CHECK_INT(err.code, HF_E_SESSION_DATA);
    CHECK(!hf_session_import_openssl((const uint8_t *)"x", 1, NULL, NULL));
}

static void test_malformed_everywhere(void)
{
    struct der d = made(&(struct wish){.name = "server.example"});
    for (size_t n = 0; n < d.len; n++) {
        struct der cut = d;
        cut.len = n;
        hf_error err = {0};
        CHECK(!import_der(&cut, NULL, &err));
        CHECK_INT(err.code, HF_E_SESSION_DATA);
    }
    struct der longer = d;
    longer.p[longer.len++] = 0;
    CHECK(!import_der(&longer, NULL, NULL));
    /* What one byte changes is refused, or makes another session; it does no harm. */
    unsigned refused = 0;
    for (size_t i = 0; i < d.len; i++) {
        for (int k = 0; k < 8; k++) {
            struct der other = d;
            other.p[i] ^= (uint8_t)(1 << k);
            hf_session *s = import_der(&other, NULL, NULL);
            refused += s == NULL;
            hf_session_free(s);
        }
    }
    CHECK(refused > 100);
}

static void test_pem(void)
{
    struct wish wish = {.name = "server.example"};
    struct der d = made(&wish);
    static const char digits[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    char base64[16384];
    size_t n = 0;
    for (size_t i = 0; i < d.len; i += 3) {
        uint32_t v = (uint32_t)d.p[i] << 16 | (uint32_t)(i + 1 < d.len ? d.p[i + 1] : 0) << 8 |
                     (uint32_t)(i + 2 < d.len ? d.p[i + 2] : 0);
        for (int k = 0; k < 4; k++)
            base64[n++] = (size_t)k > d.len - i ? '=' : digits[v >> (18 - 6 * k) & 63];
    }
    base64[n] = 0;
    static const struct {
        const char *before, *after, *detail;
    } rows[] = {
        {"-----BEGIN SSL SESSION PARAMETERS-----\n", "\n-----END SSL SESSION PARAMETERS-----\n",
         ""},
        {"words\n-----BEGIN X-----\nAAAA\n-----END X-----\r\n-----BEGIN SSL SESSION "
         "PARAMETERS-----\r\n",
         "\r\n-----END SSL SESSION PARAMETERS-----", ""},
        {"-----BEGIN CERTIFICATE-----\n", "\n-----END CERTIFICATE-----\n",
         "PEM: there is no block SSL SESSION PARAMETERS"},
        {"-----BEGIN SSL SESSION PARAMETERS-----\n", "\n", "PEM: a block has no END line"},
        {"-----BEGIN SSL SESSION PARAMETERS-----\n*",
         "\n-----END SSL SESSION PARAMETERS-----\n",
         "PEM: the block SSL SESSION PARAMETERS is not base64"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char *text = pki_text(rows[i].before, base64, rows[i].after, NULL);
        hf_error err = {0};
        hf_session *s =
            hf_session_import_openssl((const uint8_t *)text, strlen(text), NULL, &err);
        CHECK_INT(s != NULL, rows[i].detail[0] == 0);
        CHECK_STR(err.detail, rows[i].detail);
        if (s)
            CHECK_STR(s->server_name, "server.example");
        hf_session_free(s);
        free(text);
    }
}

static void test_no_memory(void)
{
    ROW("C14");
    struct der d = made(&(struct wish){
        .name = "server.example", .tag = 0xaa, .type = 4, .bytes = "ticket", .bytes_len = 6});
    unsigned long n = 1;
    for (bool done = false; !done && n < 100; n++) {
        hf_error err = {0};
        mem_test_fail_after(n);
        hf_session *s = import_der(&d, "server.example", &err);
        mem_test_fail_after(0);
        if (!s)
            CHECK_INT(err.code, HF_E_NO_MEMORY);
        done = s != NULL;
        hf_session_free(s);
    }
    CHECK(n > 4 && n < 100);
}

int main(void)
{
    pki = pki_new(PKI_P256, "DNS:server.example");
    RUN(test_real_files);
    RUN(test_made);
    RUN(test_refusals);
    RUN(test_malformed_everywhere);
    RUN(test_pem);
    RUN(test_no_memory);
    pki_clear(pki);
    return check_done();
}
