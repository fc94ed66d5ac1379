/* Raw public keys (RFC 7250) piece by piece: credentials, trusted keys, the messages, the two extensions, and
 * sessions that remember them. */
#define _GNU_SOURCE
#include <stdlib.h>
#include <string.h>

#include "check.h"
#include "config/session.h"
#include "extension/row.h"
#include "message/message.h"
#include "pki.h"
#include "side.h"
#include "x509/x509.h"

static struct pki *pki;

/* ---- keys in files */

static char *public_pem(const hf_credential *cred)
{
    static const char digits[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    size_t len;
    const uint8_t *p = hf_credential_raw_public_key(cred, &len);
    char *out = calloc(1, 2 * len + 80), *at = out;
    at += sprintf(at, "-----BEGIN PUBLIC KEY-----\n");
    for (size_t i = 0; i < len; i += 3) {
        uint32_t bits = (uint32_t)p[i] << 16 | (i + 1 < len ? (uint32_t)p[i + 1] << 8 : 0) |
                        (i + 2 < len ? p[i + 2] : 0);
        for (int k = 0; k < 4; k++)
            *at++ = i + (size_t)k > len ? '=' : digits[bits >> (18 - 6 * k) & 63];
        if (i % 48 == 45)
            *at++ = '\n';
    }
    sprintf(at, "\n-----END PUBLIC KEY-----\n");
    return out;
}

static hf_credential *load(const char *text, hf_error *err)
{
    return hf_credential_load_raw_key_memory(text, text ? strlen(text) : 0, NULL, NULL, err);
}

static void refused(const char *text, hf_code code, const char *detail)
{
    hf_error err = {0};
    hf_credential *cred = load(text, &err);
    CHECK(!cred);
    CHECK_INT(err.code, code);
    CHECK(strstr(err.detail, detail));
    if (!strstr(err.detail, detail))
        printf("    %s\n", err.detail);
    hf_credential_free(cred);
}

static void test_credentials(void)
{
    static const enum pki_kind kinds[] = {PKI_P256, PKI_P384, PKI_RSA, PKI_ED25519};
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        struct pki *one = pki_new(kinds[i], "DNS:server.example");
        hf_error err;
        hf_credential *raw = load(one->leaf->key_pem, &err), *cert, *of_cert, *external;
        CHECK(raw && !hf_credential_certificate(raw, 0) && raw->key);
        cert = hf_credential_load_memory(one->chain_pem, strlen(one->chain_pem),
                                         one->leaf->key_pem, strlen(one->leaf->key_pem), NULL,
                                         NULL, &err);
        of_cert = hf_credential_raw_key(cert, &err);
        CHECK(of_cert && credential_type(of_cert) == CERT_RAW &&
              credential_type(cert) == CERT_X509);
        /* The key of a certificate is the same, bit for bit: whoever pins the one knows the other. */
        CHECK_MEM(hf_credential_key_sha256(raw), hf_credential_key_sha256(of_cert), 32);
        CHECK_MEM(hf_credential_key_sha256(raw), hf_credential_key_sha256(cert), 32);
        CHECK_MEM(hf_credential_key_sha256(raw),
                  hf_certificate_key_sha256(hf_credential_certificate(cert, 0)), 32);
        size_t len = 1;
        CHECK(!hf_credential_raw_public_key(cert, &len) && len == 0);
        char *pem = public_pem(raw);
        external = load(pem, &err);
        CHECK(external && !external->key && external->kind == raw->kind);
        CHECK_MEM(hf_credential_key_sha256(external), hf_credential_key_sha256(raw), 32);
        CHECK(credential_serves(raw, "whoever.example"));
        free(pem);
        hf_credential *again = hf_credential_raw_key(raw, &err);
        CHECK(again && again->key == raw->key);
        hf_credential_free(again);
        hf_credential_free(raw);
        hf_credential_free(cert);
        hf_credential_free(of_cert);
        hf_credential_free(external);
        pki_clear(one);
    }
}

static void test_no_keys(void)
{
    hf_error err;
    char *locked = pki_key_pem(pki->leaf, "secret");
    refused(locked, HF_E_PASSPHRASE, "passphrase");
    refused("", HF_E_PEM, "neither a private nor a public key");
    refused(NULL, HF_E_PEM, "neither a private nor a public key");
    refused(pki->leaf->pem, HF_E_PEM, "neither a private nor a public key");
    refused("0 what is this", HF_E_PEM, "neither a private nor a public key");
    refused("-----BEGIN PUBLIC KEY-----\nMAA=\n-----END PUBLIC KEY-----\n", HF_E_PEM, "");
    CHECK(!hf_credential_load_raw_key_file("/nowhere/at/all", NULL, NULL, &err));
    CHECK_INT(err.code, HF_E_FILE);
    CHECK(!hf_credential_load_raw_key_file(NULL, NULL, NULL, &err));
    CHECK_INT(err.code, HF_E_USAGE);
    CHECK(!hf_credential_raw_key(NULL, &err));
    CHECK_INT(err.code, HF_E_USAGE);
    free(locked);
}

static void test_trust(void)
{
    hf_error err;
    struct pki *more[6];
    hf_credential *cred[6];
    char *pem[6];
    for (int i = 0; i < 6; i++) {
        more[i] = pki_new(PKI_P256, "DNS:server.example");
        cred[i] = load(more[i]->leaf->key_pem, &err);
        pem[i] = public_pem(cred[i]);
    }
    hf_trust *trust = hf_trust_new();
    CHECK(!trust_has_keys(trust));
    /* One of them is broken: none is added. */
    char *text =
        pki_text(pem[0], "-----BEGIN PUBLIC KEY-----\nMAA=\n-----END PUBLIC KEY-----\n", NULL);
    CHECK(!hf_trust_add_keys_memory(trust, text, strlen(text), &err));
    CHECK_INT(err.code, HF_E_PEM);
    CHECK(strstr(err.detail, "line "));
    CHECK(!trust_has_keys(trust));
    free(text);
    CHECK(!hf_trust_add_keys_memory(trust, pki->leaf->pem, strlen(pki->leaf->pem), &err));
    CHECK_INT(err.code, HF_E_PEM);
    CHECK(!hf_trust_add_keys_memory(trust, "", 0, &err));
    CHECK(!hf_trust_add_keys_file(trust, "/nowhere/at/all", &err) && err.code == HF_E_FILE);
    text = pki_text("two of them\n", pem[0], pki->leaf->pem, pem[1], NULL);
    CHECK(hf_trust_add_keys_memory(trust, text, strlen(text), &err));
    free(text);
    for (int i = 2; i < 5; i++) {
        size_t len;
        const uint8_t *der = hf_credential_raw_public_key(cred[i], &len);
        CHECK(hf_trust_add_keys_memory(trust, der, len, &err));
    }
    for (int i = 0; i < 6; i++)
        CHECK_INT(trust_has_key(trust, cred[i]->chain->cert[0]), i < 5);
    err.code = HF_OK;
    CHECK(!raw_key_verify(cred[5]->chain, trust, NULL, &err));
    CHECK_INT(err.code, HF_E_UNTRUSTED_KEY);
    err.code = HF_OK;
    CHECK(!raw_key_verify(cred[0]->chain, NULL, NULL, &err)); /* nothing is no permission */
    CHECK(raw_key_verify(cred[0]->chain, trust, NULL, &err));
    CHECK(trust_freeze(trust, &err));
    CHECK(!hf_trust_add_keys_memory(trust, pem[5], strlen(pem[5]), &err));
    CHECK_INT(err.code, HF_E_FROZEN);
    hf_trust_free(trust);
    for (int i = 0; i < 6; i++) {
        hf_credential_free(cred[i]);
        pki_clear(more[i]);
        free(pem[i]);
    }
}

/* ---- messages */

static hf_code read13(const char *bytes, size_t len, struct certificate_list *list,
                      hf_error *err)
{
    struct rd_msg m = {.name = "Certificate", .err = err};
    *err = (hf_error){0};
    struct rd r = rd_start(&m, (const uint8_t *)bytes, len, 0);
    return msg_read_raw_key(&r, list) ? HF_OK : err->code;
}

static hf_code read12(const char *bytes, size_t len, struct certificate_list *list,
                      hf_error *err)
{
    struct rd_msg m = {.name = "Certificate", .err = err};
    *err = (hf_error){0};
    struct rd r = rd_start(&m, (const uint8_t *)bytes, len, 0);
    return msg_read_raw_key12(&r, list) ? HF_OK : err->code;
}

static void test_messages(void)
{
    struct certificate_list list;
    hf_error err;
    CHECK_INT(read13("\0\0\0\0", 4, &list, &err), HF_OK);
    CHECK_INT(list.count, 0);
    CHECK_INT(read13("\0\0\0\7\0\0\2ab\0\0", 11, &list, &err), HF_OK);
    CHECK(list.count == 1 && slice_equal(list.entry[0].data, slice_of("ab", 2)));
    CHECK_INT(read13("\0\0\0\5\0\0\0\0\0", 9, &list, &err), HF_E_DECODE);
    CHECK_STR(err.path, "Certificate.certificate_list.ASN1_subjectPublicKeyInfo");
    CHECK_INT(read13("\0\0\0\14\0\0\1a\0\0\0\0\1a\0\0", 16, &list, &err), HF_E_ILLEGAL_VALUE);
    CHECK_INT(err.alert, 47);
    CHECK_INT(read13("\0\0\0\7\0\0\2ab\0\0x", 12, &list, &err), HF_E_TRAILING_DATA);
    CHECK_INT(read12("\0\0\0", 3, &list, &err), HF_OK);
    CHECK_INT(list.count, 0);
    CHECK_INT(read12("\0\0\2ab", 5, &list, &err), HF_OK);
    CHECK(list.count == 1 && slice_equal(list.entry[0].data, slice_of("ab", 2)));
    CHECK_INT(read12("\0\0\2abc", 6, &list, &err), HF_E_TRAILING_DATA);
    CHECK_INT(read12("\0\0\3ab", 5, &list, &err), HF_E_DECODE);
}

/* ---- extensions */

static hf_code answer(uint16_t id, const char *body, size_t len, unsigned in,
                      struct cert_types own, struct cert_types peer, struct side *s)
{
    struct ext_values v;
    struct buffer b = {0};
    side_start(s, in == IN_CH, HF_TLS1_2, HF_TLS1_3);
    s->config.body.own_types = own;
    s->config.body.peer_types = peer;
    s->n.sent = ~0u;
    s->n.version = in == IN_SH12 ? HF_TLS1_2 : HF_TLS1_3;
    one_extension(&b, id, slice_of(body, len), 1);
    bool ok = read_block(s, &b, in, &v) && client_certificate_type_take(&s->n, &v, in) &&
              server_certificate_type_take(&s->n, &v, in);
    buffer_clear(&b);
    return ok ? HF_OK : s->err.code;
}

static const struct cert_types only_raw = {1, {CERT_RAW}}, only_x509 = {1, {CERT_X509}},
                               both = {2, {CERT_RAW, CERT_X509}};

static void test_lists(void)
{
    struct side s;
    for (uint16_t id = 19; id <= 20; id++) {
        CHECK_INT(answer(id, "\0", 1, IN_CH, both, both, &s), HF_E_DECODE);
        CHECK_INT(answer(id, "", 0, IN_CH, both, both, &s), HF_E_DECODE);
        CHECK_INT(answer(id, "\1\0", 2, IN_CH, both, both, &s), HF_E_ILLEGAL_VALUE);
        CHECK_INT(s.err.alert, 47);
        CHECK_INT(answer(id, "\1\2\0", 3, IN_CH, both, both, &s), HF_E_TRAILING_DATA);
        CHECK_INT(answer(id, "\2\1\3", 3, IN_CH, both, both, &s), HF_OK); /* none of ours */
        CHECK_INT(id == 19 ? s.n.peer_offers : s.n.peer_accepts, 0);
        CHECK_INT(answer(id, "\3\1\0\2", 4, IN_CH, both, both, &s), HF_OK);
        CHECK_INT(id == 19 ? s.n.peer_offers : s.n.peer_accepts, CERT_X509 | CERT_RAW);
        CHECK_INT(answer(id, "\1\2", 2, IN_CH, both, both, &s), HF_OK);
        CHECK_INT(id == 19 ? s.n.peer_offers : s.n.peer_accepts, CERT_RAW);
    }
}

static void test_answers(void)
{
    struct side s;
    static const unsigned in[] = {IN_EE, IN_SH12};
    for (int i = 0; i < 2; i++) {
        CHECK_INT(answer(20, "\2", 1, in[i], only_x509, both, &s), HF_OK);
        CHECK_INT(s.n.peer_type, CERT_RAW);
        CHECK_INT(answer(20, "\0", 1, in[i], only_x509, both, &s), HF_OK);
        CHECK_INT(s.n.peer_type, CERT_X509);
        CHECK_INT(answer(20, "\0", 1, in[i], only_x509, only_raw, &s), HF_E_CERTIFICATE_TYPE);
        CHECK_INT(s.err.alert, 43);
        CHECK_INT(answer(20, "\1", 1, in[i], only_x509, both, &s), HF_E_CERTIFICATE_TYPE);
        CHECK_INT(answer(20, "\2\2", 2, in[i], only_x509, both, &s), HF_E_TRAILING_DATA);
        CHECK_INT(answer(20, "", 0, in[i], only_x509, both, &s), HF_E_DECODE);
        CHECK_INT(answer(19, "\2", 1, in[i], both, only_x509, &s), HF_OK);
        CHECK_INT(s.n.own_type, CERT_RAW);
        CHECK_INT(s.n.peer_accepts, CERT_RAW);
        CHECK_INT(answer(19, "\0", 1, in[i], only_raw, only_x509, &s), HF_E_CERTIFICATE_TYPE);
        /* Silence means X.509. */
        CHECK_INT(answer(0, "", 0, in[i], both, only_raw, &s), HF_E_CERTIFICATE_TYPE);
        CHECK_INT(answer(0, "", 0, in[i], only_raw, both, &s), HF_OK);
        CHECK_INT(s.n.own_type, CERT_X509);
        CHECK_INT(s.n.peer_type, CERT_X509);
    }
}

static void test_offers(void)
{
    static const struct {
        struct cert_types own, peer;
        bool client, server;
        const char *bytes;
    } rows[] = {
        {{1, {CERT_X509}}, {1, {CERT_X509}}, false, false, ""},
        {{1, {CERT_RAW}}, {1, {CERT_X509}}, true, false, "\1\2"},
        {{2, {CERT_X509, CERT_RAW}}, {1, {CERT_RAW}}, true, true, "\2\0\2"},
    };
    for (size_t i = 0; i < 3; i++) {
        struct side s;
        struct buffer b = {0};
        struct wr w;
        side_start(&s, false, HF_TLS1_2, HF_TLS1_3);
        s.config.body.own_types = rows[i].own;
        s.config.body.peer_types = rows[i].peer;
        wr_start(&w, &b);
        ext_write(&s.n, &w, IN_CH);
        CHECK_INT(s.n.sent >> X_CLIENT_CERTIFICATE_TYPE & 1, rows[i].client);
        CHECK_INT(s.n.sent >> X_SERVER_CERTIFICATE_TYPE & 1, rows[i].server);
        if (rows[i].client) {
            char want[8] = {0, 19, 0, 0};
            size_t n = 1u + (uint8_t)rows[i].bytes[0];
            want[3] = (char)n;
            memcpy(want + 4, rows[i].bytes, n);
            CHECK(memmem(b.p, b.end, want, 4 + n) != NULL);
        }
        nego_clear(&s.n);
        buffer_clear(&b);
    }
}

/* ---- sessions */

static hf_session *session_of(const hf_credential *cred)
{
    hf_session *s = session_new();
    s->version = HF_TLS1_3;
    s->suite = 0x1301;
    s->secret_len = 32;
    s->lifetime = 7200;
    s->issued_ms = 1000;
    s->verified = s->own_raw = true;
    s->chain = chain_ref(cred->chain);
    return s;
}

static void test_sessions(void)
{
    hf_error err = {0};
    hf_credential *raw = load(pki->leaf->key_pem, &err);
    hf_session *s = session_of(raw);
    struct buffer b = {0};
    struct wr w;
    wr_start(&w, &b);
    session_write(&w, s);
    hf_session *back = session_read(slice_of(b.p, b.end), &err);
    CHECK(back && back->own_raw && session_peer_type(back) == CERT_RAW);
    CHECK(back && slice_equal(cert_der(back->chain->cert[0]), cert_der(raw->chain->cert[0])));
    hf_session_free(back);
    /* The flags stand behind the secret: without their bit the key is no certificate; nor is it one
     * with a byte changed a key. */
    size_t flags = 1 + 2 * 4 + 1 + 32;
    CHECK_INT(b.p[flags], 1 | 8 | 16);
    b.p[flags] = 1;
    CHECK(!session_read(slice_of(b.p, b.end), &err));
    CHECK_INT(err.code, HF_E_SESSION_DATA);
    b.p[flags] = 1 | 8;
    size_t at = 0;
    while (memcmp(b.p + at, cert_der(raw->chain->cert[0]).p, 8) != 0)
        at++;
    b.p[at] ^= 1;
    err = (hf_error){0};
    CHECK(!session_read(slice_of(b.p, b.end), &err));
    CHECK_INT(err.code, HF_E_SESSION_DATA);
    buffer_clear(&b);
    hf_session_free(s);
    /* More than one, or none. */
    hf_credential *chain =
        hf_credential_load_memory(pki->chain_pem, strlen(pki->chain_pem), pki->leaf->key_pem,
                                  strlen(pki->leaf->key_pem), NULL, NULL, &err);
    s = session_of(chain);
    wr_start(&w, &b);
    session_write(&w, s);
    CHECK_INT(b.p[flags], 1 | 16);
    b.p[flags] |= 8;
    err = (hf_error){0};
    CHECK(!session_read(slice_of(b.p, b.end), &err));
    CHECK_STR(err.detail, "chain: a raw public key is one and alone");
    buffer_clear(&b);
    hf_session_free(s);
    hf_credential_free(chain);
    hf_credential_free(raw);
}

int main(void)
{
    pki = pki_new(PKI_P256, "DNS:server.example");
    RUN(test_credentials);
    RUN(test_no_keys);
    RUN(test_trust);
    RUN(test_messages);
    RUN(test_lists);
    RUN(test_answers);
    RUN(test_offers);
    RUN(test_sessions);
    pki_clear(pki);
    return check_done();
}
