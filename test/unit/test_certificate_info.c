/* What a certificate says as a struct, lists of certificates, what a trust holds, and chains judged without a
 * connection. What the dictionary of Python looks like is compared with Python in test/interop. */
#define _GNU_SOURCE
#include <errno.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <stdlib.h>
#include <string.h>

#include "bytes/bytes.h"
#include "check.h"
#include "handfast_certificate.h"
#include "pki.h"

static struct pki *pki;

static hf_certificate *parse(const struct pki_cert *c)
{
    return hf_certificate_parse(c->der, c->der_len, NULL);
}

static hf_certificate_list list_of(const struct pki_cert *a, const struct pki_cert *b)
{
    hf_certificate_list list = {0};
    char *pem = pki_text(a->pem, b ? b->pem : "", NULL);
    CHECK(hf_certificates_read(pem, strlen(pem), &list, NULL));
    free(pem);
    return list;
}

/* ---- the struct */

static void test_struct(void)
{
    struct pki_spec spec = {.subject = "the subject",
                            .names =
                                "DNS:a.example,IP:10.1.2.3,IP:2001:db8::1,email:x@y.example,"
                                "URI:https://u.example/,RID:1.2.3.4",
                            .policies = "1.2.3.4,1.2.3.5",
                            .must_staple = true};
    struct pki_cert *made = pki_make(&spec, pki->root);
    hf_certificate *cert = parse(made);
    hf_certificate_info *i = hf_certificate_decode(cert, NULL);
    CHECK(i != NULL);
    CHECK_INT(i->subject.count, 1);
    CHECK_STR(i->subject.attribute[0].oid, "2.5.4.3");
    CHECK_STR(i->subject.attribute[0].name, "commonName");
    CHECK_STR(i->subject.attribute[0].value.p, "the subject");
    CHECK_INT(i->version, 3);
    CHECK_INT(i->not_before, PKI_NOT_BEFORE);
    CHECK_STR(i->not_before_text, "Jan  1 00:00:00 2020 GMT");
    CHECK_INT(i->alt_name_count, 6);
    CHECK_INT(i->alt_name[0].kind, HF_GENERAL_DNS);
    CHECK_STR(i->alt_name[1].text.p, "10.1.2.3");
    CHECK_INT(i->alt_name[2].bytes.len, 16);
    CHECK_STR(i->alt_name[2].text.p, "2001:db8::1");
    CHECK_STR(i->alt_name[2].printed.p, "2001:DB8:0:0:0:0:0:1");
    CHECK_INT(i->alt_name[3].kind, HF_GENERAL_EMAIL);
    CHECK_STR(i->alt_name[4].label, "URI");
    CHECK_STR(i->alt_name[5].text.p, "1.2.3.4");
    CHECK_STR(i->key_kind, "EC");
    CHECK_STR(i->key_curve, "P-256");
    CHECK_INT(i->key_bits, 256);
    CHECK_INT(i->key_strength, 128);
    CHECK_STR(i->signature, "ecdsa-with-SHA256");
    CHECK(i->has_key_usage && i->key_usage == HF_USAGE_DIGITAL_SIGNATURE);
    CHECK_INT(i->extended_key_usage_count, 2);
    CHECK_STR(i->extended_key_usage[0].oid, "1.3.6.1.5.5.7.3.1");
    CHECK_INT(i->policy_count, 2);
    CHECK_STR(i->policy[1].oid, "1.2.3.5");
    CHECK(i->must_staple && !i->ca && !i->self_issued && i->path_length == -1);
    CHECK_INT(i->subject_key_id.len, 20);
    CHECK_INT(i->authority_key_id.len, 20);
    CHECK(i->extension_count >= 6 && i->key.len > 80 && i->signature_bytes.len > 60);
    CHECK_MEM(i->sha256, hf_certificate_sha256(cert), 32);
    CHECK_MEM(i->key_sha256, hf_certificate_key_sha256(cert), 32);
    CHECK(i->ocsp_count == 0 && i->crl_count == 0 && i->ca_issuers_count == 0);
    hf_certificate_info_free(i);
    hf_certificate_free(cert);
    pki_free(made);
}

static void test_authority(void)
{
    struct pki_spec spec = {.subject = "ca", .ca = true, .path_length = "3", .kind = PKI_RSA};
    struct pki_cert *made = pki_make(&spec, NULL);
    hf_certificate *cert = parse(made);
    hf_certificate_info *i = hf_certificate_decode(cert, NULL);
    CHECK(i && i->ca && i->has_basic_constraints && i->path_length == 3 && i->self_issued);
    CHECK(i->key_usage == (HF_USAGE_CERT_SIGN | HF_USAGE_CRL_SIGN));
    CHECK(!i->has_alt_names && !i->has_extended_key_usage);
    CHECK_STR(i->key_kind, "RSA");
    CHECK_INT(i->key_bits, 2048);
    CHECK_STR(hf_key_usage_name(HF_USAGE_CERT_SIGN), "keyCertSign");
    CHECK_STR(hf_key_usage_name(3), "unknown");
    CHECK_STR(hf_key_usage_name(512), "unknown");
    hf_certificate_info_free(i);
    hf_certificate_free(cert);
    pki_free(made);
}

/* A NUL in a name is a character like any other, and no end. */
static void test_json(void)
{
    struct pki_cert *made = pki_make(
        &(struct pki_spec){.subject = "a\"\\\b\x7f\xc3\xa4\xf0\x9f\x94\x92", .names = "DNS:x"},
        pki->root);
    hf_certificate *cert = parse(made);
    char json[2000], part[40];
    size_t n = hf_certificate_json(cert, json, sizeof json);
    CHECK(n < sizeof json && strlen(json) == n);
    CHECK(strstr(
        json,
        "{\"subject\": [[[\"commonName\", \"a\\\"\\\\\\b\\u007f\\u00e4\\ud83d\\udd12\"]]], "));
    CHECK(strstr(json, ", \"subjectAltName\": [[\"DNS\", \"x\"]]}"));
    CHECK_INT(hf_certificate_json(cert, part, sizeof part), n);
    CHECK_INT(strlen(part), sizeof part - 1);
    CHECK_INT(hf_certificate_json(cert, NULL, 0), n);
    CHECK(!hf_certificate_decode(NULL, NULL));
    hf_certificate_free(cert);
    pki_free(made);
}

static void test_decode_no_memory(void)
{
    hf_certificate *cert = parse(pki->leaf);
    unsigned long n = 1;
    for (bool ok = false; !ok && n < 100; n++) {
        hf_error err = {0};
        mem_test_fail_after(n);
        hf_certificate_info *i = hf_certificate_decode(cert, &err);
        mem_test_fail_after(0);
        ok = i != NULL;
        CHECK(ok || err.code == HF_E_NO_MEMORY);
        hf_certificate_info_free(i);
    }
    CHECK(n > 2 && n < 20);
    hf_certificate_free(cert);
}

/* ---- PEM */

static void test_pem(void)
{
    static const char want[] =
        "-----BEGIN X-----\n"
        "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8gISIjJCUmJygpKissLS4v\n"
        "MA==\n-----END X-----\n";
    uint8_t bytes[49], back[49];
    char out[200];
    for (uint8_t i = 0; i < sizeof bytes; i++)
        bytes[i] = i;
    CHECK_INT(hf_pem_encode("X", bytes, 49, out, sizeof out), strlen(want));
    CHECK_STR(out, want);
    CHECK_INT(hf_pem_encode("X", bytes, 48, out, sizeof out), strlen(want) - 5);
    CHECK_INT(hf_pem_encode("X", bytes, 0, out, sizeof out), 34);
    CHECK_INT(hf_pem_decode("X", want, strlen(want), NULL, 0, NULL), 49);
    CHECK_INT(hf_pem_decode("X", want, strlen(want), back, 49, NULL), 49);
    CHECK_MEM(back, bytes, 49);
    hf_error err = {0};
    CHECK_INT(hf_pem_decode("Y", want, strlen(want), back, 49, &err), 0);
    CHECK_INT(err.code, HF_E_PEM);
    CHECK(strstr(err.detail, "BEGIN Y"));
    CHECK_INT(hf_pem_decode("X", want, strlen(want) - 10, back, 49, &err), 0);
    CHECK(strstr(err.detail, "line 1 has no END"));
}

static void test_ugly_pem(void)
{
    ROW("Y42");
    const char *leaf = pki->leaf->pem;
    hf_certificate_list list;
    char *crlf = calloc(1, 2 * strlen(leaf) + 100), *at = crlf;
    for (const char *p = leaf; *p; p++) {
        if (*p == '\n')
            *at++ = '\r';
        *at++ = *p;
    }
    char *text = pki_text(
        "subject=x\nBag Attributes\n  friendlyName: \xc3\xa4\n-----BEGIN RUBBISH-----\nAAAA\n"
        "-----END RUBBISH-----\n",
        crlf, "\ntext between\n", pki->mid->pem, "-----\nthe end, without a newline", NULL);
    CHECK(hf_certificates_read(text, strlen(text), &list, NULL));
    CHECK_INT(list.count, 2);
    CHECK(list.count == 2 && hf_certificate_is_ca(list.cert[1]));
    hf_certificates_clear(&list);
    /* One long line, and lines of one character. */
    char *joined = strdup(leaf), *one = calloc(1, 2 * strlen(leaf) + 4), *to = joined, *o = one;
    char *body = strchr(joined, '\n') + 1, *end = strstr(joined, "-----END");
    to = body;
    memcpy(one, joined, (size_t)(body - joined));
    o += body - joined;
    for (char *p = body; p < end; p++) {
        if (*p == '\n')
            continue;
        *o++ = *p;
        *o++ = '\n';
        *to++ = *p;
    }
    strcpy(o, strstr(leaf, "-----END"));
    *to++ = '\n';
    memmove(to, end, strlen(end) + 1);
    CHECK(hf_certificates_read(joined, strlen(joined), &list, NULL) && list.count == 1);
    hf_certificates_clear(&list);
    CHECK(hf_certificates_read(one, strlen(one), &list, NULL) && list.count == 1);
    hf_certificates_clear(&list);
    free(joined);
    free(one);
    free(crlf);
    free(text);
}

static void test_lists(void)
{
    hf_certificate_list list;
    hf_error err = {0};
    size_t n = pki->leaf->der_len, m = pki->mid->der_len;
    uint8_t *ders = malloc(n + m + 1);
    memcpy(ders, pki->leaf->der, n);
    memcpy(ders + n, pki->mid->der, m);
    ders[n + m] = 0;
    CHECK(hf_certificates_read(ders, n + m, &list, NULL));
    CHECK_INT(list.count, 2);
    hf_certificates_clear(&list);
    CHECK(list.cert == NULL && list.count == 0);
    CHECK(!hf_certificates_read(ders, n + m + 1, &list, &err)); /* something behind the last */
    CHECK_INT(err.code, HF_E_PEM);
    CHECK_INT(list.count, 0);
    CHECK(!hf_certificates_read(ders, n - 1, &list, &err));
    CHECK(!hf_certificates_read("", 0, &list, &err));
    CHECK(!hf_certificates_read_file("/no/such/file", &list, &err));
    CHECK_INT(err.code, HF_E_FILE);
    CHECK(hf_certificates_read_file(
        pki_file("chain.pem", pki->chain_pem, strlen(pki->chain_pem)), &list, &err));
    CHECK_INT(list.count, 2);
    char pem[4000];
    CHECK_INT(hf_certificate_pem(list.cert[0], pem, sizeof pem), strlen(pki->leaf->pem));
    CHECK_STR(pem, pki->leaf->pem);
    hf_certificates_clear(&list);
    free(ders);
}

/* ---- trust */

static void stats_are(const hf_trust *trust, size_t x509, size_t ca, size_t crl)
{
    hf_trust_stats s;
    CHECK(hf_trust_get_stats(trust, &s, NULL));
    CHECK_INT(s.x509, x509);
    CHECK_INT(s.x509_ca, ca);
    CHECK_INT(s.crl, crl);
}

static void test_trust(void)
{
    char *crl = pki_crl_pem(&(struct pki_crl_spec){.issuer = pki->root});
    char *all = pki_text(pki->root->pem, crl, pki->leaf->pem, NULL);
    hf_trust *trust = hf_trust_new();
    hf_error err = {0};
    stats_are(trust, 0, 0, 0);
    CHECK(hf_trust_load(trust, NULL, NULL, all, strlen(all), &err));
    stats_are(trust, 2, 1, 1);
    CHECK(hf_trust_load(trust, pki_file("all.pem", all, strlen(all)), NULL, NULL, 0, &err));
    stats_are(trust, 2, 1, 1); /* all of it was there */
    CHECK(hf_trust_load(trust, pki_file("root.der", pki->mid->der, pki->mid->der_len), NULL,
                        NULL, 0, &err));
    stats_are(trust, 3, 2, 1);
    hf_certificate_list list;
    CHECK(hf_trust_certificates(trust, false, &list, NULL));
    CHECK_INT(list.count, 2);
    hf_certificates_clear(&list);
    CHECK(!hf_trust_load(trust, NULL, NULL, NULL, 0, &err));
    CHECK_INT(err.code, HF_E_USAGE);
    CHECK(!hf_trust_load(trust, "/no/such/file", NULL, NULL, 0, &err));
    CHECK_INT(err.code, HF_E_FILE);
    CHECK(!hf_trust_load(trust, NULL, NULL, "nothing", 7, &err));
    CHECK_INT(err.code, HF_E_PEM);
    size_t n;
    uint8_t *der = pki_crl(&(struct pki_crl_spec){.issuer = pki->mid}, &n);
    CHECK(hf_trust_load(trust, NULL, NULL, der, n, &err)); /* a list, DER */
    stats_are(trust, 3, 2, 2);
    free(der);
    hf_trust_free(trust);
    free(crl);
    free(all);
}

/* A CA as OpenSSL writes it with what it is trusted for. */
static char *trusted_pem(const struct pki_cert *cert, int trust, int reject)
{
    const unsigned char *p = cert->der;
    X509 *x = d2i_X509(NULL, &p, (long)cert->der_len);
    BIO *bio = BIO_new(BIO_s_mem());
    char *text;
    if (trust)
        X509_add1_trust_object(x, OBJ_nid2obj(trust));
    if (reject)
        X509_add1_reject_object(x, OBJ_nid2obj(reject));
    if (trust || reject)
        PEM_write_bio_X509_AUX(bio, x);
    else
        PEM_write_bio_X509(bio, x);
    BIO_write(bio, "", 1);
    BIO_get_mem_data(bio, &text);
    text = strdup(text);
    CHECK((trust || reject) == (strstr(text, "TRUSTED") != NULL));
    BIO_free(bio);
    X509_free(x);
    return text;
}

static hf_code judged_by(hf_trust *trust, hf_role role, const struct pki_cert *cert, char *why)
{
    hf_config *config = hf_config_new(role);
    hf_certificate_list chain = list_of(cert, NULL);
    hf_error err = {0};
    CHECK(hf_config_set_trust(config, trust));
    if (role == HF_SERVER) {
        hf_credential *own = hf_credential_load_memory(pki->bundle_pem, strlen(pki->bundle_pem),
                                                       NULL, 0, NULL, NULL, NULL);
        CHECK(hf_config_add_credential(config, own));
        CHECK(hf_config_set_client_auth(config, HF_CLIENT_AUTH_REQUIRE));
        hf_credential_free(own);
    }
    (void)hf_verify_chain(config, &chain, NULL, PKI_NOW, NULL, &err);
    strcpy(why, err.detail);
    hf_config_free(config);
    hf_certificates_clear(&chain);
    return err.code;
}

/* What the platform's file says of each authority counts (load_default_certs(purpose) of Python's ssl). */
static void test_purposes(void)
{
    ROW("Y115");
    static const struct {
        int trust, reject;
        hf_code server, client;
        unsigned uses;
    } cases[] = {
        {0, 0, HF_OK, HF_OK, 3},
        {NID_server_auth, 0, HF_OK, HF_E_UNTRUSTED, HF_TRUSTED_SERVER},
        {NID_client_auth, 0, HF_E_UNTRUSTED, HF_OK, HF_TRUSTED_CLIENT},
        {NID_anyExtendedKeyUsage, 0, HF_OK, HF_OK, 3},
        {0, NID_server_auth, HF_E_UNTRUSTED, HF_OK, HF_TRUSTED_CLIENT},
        {NID_server_auth, NID_server_auth, HF_E_UNTRUSTED, HF_E_UNTRUSTED, 0},
        {NID_email_protect, 0, HF_E_UNTRUSTED, HF_E_UNTRUSTED, 0},
    };
    char why[HF_DETAIL_MAX_LEN];
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char *pem = trusted_pem(pki->mid, cases[i].trust, cases[i].reject);
        hf_trust *trust = hf_trust_new();
        hf_certificate *mid = parse(pki->mid);
        CHECK(hf_trust_load(trust, NULL, NULL, pem, strlen(pem), NULL));
        stats_are(trust, 1, 1, 0);
        CHECK_INT(hf_trust_uses(trust, mid), cases[i].uses);
        CHECK_INT(judged_by(trust, HF_CLIENT, pki->leaf, why), cases[i].server);
        CHECK(cases[i].server == HF_OK ||
              strstr(why, "it is there, but not trusted for servers"));
        CHECK(cases[i].server == HF_OK ||
              strstr(why, "it is there, but not trusted for servers"));
        CHECK_INT(judged_by(trust, HF_SERVER, pki->leaf, why), cases[i].client);
        CHECK(cases[i].client == HF_OK ||
              strstr(why, "it is there, but not trusted for clients"));
        hf_certificate_free(mid);
        hf_trust_free(trust);
        free(pem);
    }
    /* the platform's own, from the file of test_platform */
    hf_trust *trust = hf_trust_new();
    CHECK(hf_trust_add_platform(trust, NULL));
    CHECK_INT(judged_by(trust, HF_CLIENT, pki->leaf, why), HF_OK);
    CHECK_INT(judged_by(trust, HF_SERVER, pki->leaf, why), HF_E_UNTRUSTED);
    hf_trust_free(trust);
}

/* The platform's store, one by one, with what each is trusted for (enum_certificates of Python's ssl). */
static void test_enumerate(void)
{
    ROW("Y40");
    hf_trust *trust = hf_trust_new();
    hf_certificate_list list;
    bool seen[2] = {false, false};
    CHECK(hf_trust_add_platform(trust, NULL)); /* from the file of test_platform */
    CHECK(hf_trust_certificates(trust, true, &list, NULL));
    CHECK_INT(list.count, 2);
    for (size_t i = 0; i < list.count; i++) {
        size_t len;
        const uint8_t *der = hf_certificate_der(list.cert[i], &len);
        bool mid = len == pki->mid->der_len && memcmp(der, pki->mid->der, len) == 0;
        bool root = len == pki->root->der_len && memcmp(der, pki->root->der, len) == 0;
        CHECK(mid || root);
        seen[mid] = true;
        CHECK_INT(hf_trust_uses(trust, list.cert[i]),
                  mid ? HF_TRUSTED_SERVER : HF_TRUSTED_SERVER | HF_TRUSTED_CLIENT);
    }
    CHECK(seen[0] && seen[1]);
    hf_certificates_clear(&list);
    hf_trust_free(trust);
}

/* Two certificates of one authority, of which one has ended; and two authorities of one name. The order in
 * the file does not matter. */
static void test_candidates(void)
{
    ROW("Y44");
    struct pki_spec spec = {.subject = "one name", .ca = true};
    struct pki_cert *a = pki_make(&spec, NULL), *b = pki_make(&spec, NULL);
    spec.key_of = a;
    struct pki_cert *cross = pki_make(&spec, pki->root);
    spec.not_after = PKI_NOW - PKI_DAY;
    struct pki_cert *old = pki_make(&spec, NULL);
    struct pki_cert *leaf = pki_make(&(struct pki_spec){.names = "DNS:x.example"}, a);
    const struct pki_cert *const orders[][3] = {
        {a, b, old}, {old, a, b}, {b, old, a}, {old, b, a}, {old, cross, b}};
    for (size_t i = 0; i < 5; i++) {
        char *pem = pki_text(orders[i][0]->pem, orders[i][1]->pem, orders[i][2]->pem, NULL);
        char why[HF_DETAIL_MAX_LEN];
        hf_trust *trust = hf_trust_new();
        CHECK(hf_trust_load(trust, NULL, NULL, pem, strlen(pem), NULL));
        CHECK_INT(judged_by(trust, HF_CLIENT, leaf, why), HF_OK);
        hf_trust_free(trust);
        free(pem);
    }
    pki_free(a);
    pki_free(b);
    pki_free(old);
    pki_free(cross);
    pki_free(leaf);
}

/* One kind of error for a file that cannot be used, with the path and, where the system has one, the errno. */
static void test_bad_files(void)
{
    ROW("Y22");
    const char *empty = pki_file("empty.pem", "", 0);
    const char *garbage = pki_file("garbage.pem", "garbage", 7);
    const char *cut = pki_file("cut.pem", pki->root->pem, strlen(pki->root->pem) - 40);
    const struct {
        const char *path;
        hf_code code;
        int os_errno;
    } cases[] = {{"/no/such/file", HF_E_FILE, ENOENT},
                 {"/", HF_E_FILE, EISDIR},
                 {"/proc/self/mem", HF_E_FILE, EIO}, /* which can be opened and not be read */
                 {empty, HF_E_PEM, 0},
                 {garbage, HF_E_PEM, 0},
                 {cut, HF_E_PEM, 0}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        hf_trust *trust = hf_trust_new();
        hf_error err = {0};
        CHECK(!hf_trust_load(trust, cases[i].path, NULL, NULL, 0, &err));
        CHECK_INT(err.code, cases[i].code);
        CHECK_INT(err.os_errno, cases[i].os_errno);
        CHECK(strstr(err.detail, cases[i].path) && err.fault == HF_FAULT_CONFIG);
        hf_error again = {0};
        CHECK(!hf_trust_add_file(trust, cases[i].path, &again) && again.code == cases[i].code);
        hf_trust_free(trust);
    }
}

static void test_platform(void)
{
    ROW("Y119");
    hf_platform_places places;
    hf_trust *trust = hf_trust_new();
    hf_trust_stats stats;
    char *mid = trusted_pem(pki->mid, NID_server_auth, 0);
    char *both = pki_text(pki->root->pem, mid, NULL);
    setenv("SSL_CERT_FILE", pki_file("platform.pem", both, strlen(both)), 1);
    free(mid);
    free(both);
    setenv("SSL_CERT_DIR", "/no/such/folder", 1);
    CHECK(hf_trust_add_platform(trust, NULL));
    CHECK(hf_trust_platform_places(&places, NULL));
    CHECK_INT(places.certificates, 2);
    CHECK_INT(places.folders, 0);
    CHECK_STR(places.file, getenv("SSL_CERT_FILE"));
    CHECK(strstr(places.tried, getenv("SSL_CERT_FILE")) &&
          strstr(places.tried, ", /no/such/folder"));
    CHECK(hf_trust_get_stats(trust, &stats, NULL));
    CHECK_INT(stats.x509, places.certificates);
    hf_trust_free(trust);
}

/* ---- chains */

static hf_config *config_of(hf_role role, const struct pki_cert *anchor)
{
    hf_config *config = hf_config_new(role);
    hf_trust *trust = hf_trust_new();
    CHECK(hf_trust_add_memory(trust, anchor->der, anchor->der_len, NULL));
    CHECK(hf_config_set_trust(config, trust));
    hf_trust_free(trust);
    return config;
}

static hf_code verdict(hf_config *config, const hf_certificate_list *chain, const char *name,
                       int64_t when)
{
    hf_error err = {0};
    return hf_verify_chain(config, chain, name, when, NULL, &err) ? HF_OK : err.code;
}

static void test_verify_chain(void)
{
    hf_config *config = config_of(HF_CLIENT, pki->root);
    hf_certificate_list chain = list_of(pki->leaf, pki->mid), path = {0},
                        short_chain = list_of(pki->leaf, NULL);
    hf_error err = {0};
    CHECK(hf_verify_chain(config, &chain, "server.example", PKI_NOW, &path, &err));
    CHECK_INT(path.count, 3);
    CHECK(path.count == 3 && strcmp(hf_certificate_subject(path.cert[2]),
                                    hf_certificate_issuer(chain.cert[1])) == 0);
    hf_certificates_clear(&path);
    CHECK_INT(verdict(config, &chain, NULL, 0), HF_OK);
    CHECK_INT(verdict(config, &chain, "other.example", PKI_NOW), HF_E_WRONG_NAME);
    CHECK_INT(verdict(config, &chain, "server.example", PKI_NOT_AFTER + 1), HF_E_EXPIRED);
    CHECK_INT(verdict(config, &chain, "server.example", PKI_NOT_BEFORE - 1),
              HF_E_NOT_YET_VALID);
    CHECK_INT(verdict(config, &short_chain, NULL, PKI_NOW), HF_E_UNTRUSTED);
    CHECK_INT(verdict(config, &path, NULL, PKI_NOW), HF_E_USAGE);
    hf_config_free(config);
    hf_certificates_clear(&chain);
    hf_certificates_clear(&short_chain);
}

struct faults {
    unsigned count;
    hf_code code[8];
    int depth[8];
};

static bool note(hf_conn *conn, int depth, const hf_certificate *certificate,
                 const hf_error *why, void *arg)
{
    struct faults *f = arg;
    CHECK(conn == NULL && certificate != NULL);
    if (f->count < 8) {
        f->code[f->count] = why->code;
        f->depth[f->count++] = depth;
    }
    return true;
}

static void test_all_faults(void)
{
    struct faults f = {0};
    hf_config *config = config_of(HF_CLIENT, pki->mid);
    hf_certificate_list chain = list_of(pki->leaf, NULL);
    CHECK(hf_config_insecure_set_verify_callback(config, note, &f));
    CHECK(
        hf_verify_chain(config, &chain, "other.example", PKI_NOT_AFTER + PKI_DAY, NULL, NULL));
    CHECK_INT(f.count, 3);
    CHECK_INT(f.code[2], HF_E_WRONG_NAME);
    CHECK(f.code[0] == HF_E_EXPIRED && f.code[1] == HF_E_EXPIRED && f.depth[0] != f.depth[1]);
    hf_config_free(config);
    hf_certificates_clear(&chain);
}

/* Either order of key and certificate in one file, and issuers in any order behind the own certificate. */
static void test_files(void)
{
    ROW("Y43 Y45");
    char *key_first = pki_text(pki->leaf->key_pem, pki->leaf->pem, pki->mid->pem, NULL);
    char *key_last =
        pki_text(pki->leaf->pem, pki->mid->pem, pki->root->pem, pki->leaf->key_pem, NULL);
    char *shuffled =
        pki_text(pki->leaf->pem, pki->root->pem, pki->mid->pem, pki->leaf->key_pem, NULL);
    char *gap = pki_text(pki->leaf->pem, pki->root->pem, pki->leaf->key_pem, NULL);
    const char *const good[] = {key_first, key_last, shuffled};
    hf_error err = {0};
    for (size_t i = 0; i < 3; i++) {
        hf_credential *c =
            hf_credential_load_memory(good[i], strlen(good[i]), NULL, 0, NULL, NULL, &err);
        CHECK(c && hf_certificate_is_ca(hf_credential_certificate(c, 1)));
        CHECK(c && strcmp(hf_certificate_issuer(hf_credential_certificate(c, 0)),
                          hf_certificate_subject(hf_credential_certificate(c, 1))) == 0);
        hf_credential_free(c);
    }
    CHECK(!hf_credential_load_memory(gap, strlen(gap), NULL, 0, NULL, NULL, &err));
    hf_certificate *leaf = parse(pki->leaf);
    CHECK(strstr(err.detail, "add what is missing") &&
          strstr(err.detail, hf_certificate_issuer(leaf)));
    hf_certificate_free(leaf);
    free(key_first);
    free(key_last);
    free(shuffled);
    free(gap);
}

int main(void)
{
    pki = pki_new(PKI_P256, "DNS:server.example");
    RUN(test_platform);
    RUN(test_struct);
    RUN(test_authority);
    RUN(test_json);
    RUN(test_decode_no_memory);
    RUN(test_pem);
    RUN(test_ugly_pem);
    RUN(test_lists);
    RUN(test_trust);
    RUN(test_purposes);
    RUN(test_enumerate);
    RUN(test_candidates);
    RUN(test_bad_files);
    RUN(test_verify_chain);
    RUN(test_all_faults);
    RUN(test_files);
    pki_clear(pki);
    return check_done();
}
