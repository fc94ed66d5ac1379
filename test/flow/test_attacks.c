/* Attacks on TLS 1.2 and older by their names, each refused with the error that names it. */
#include "../unit/check.h"
#include "old.h"

#include <stdlib.h>

static const char ecdhe[] = "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256";

/* Where things stand in a record with a hello. */
enum { VERSION_AT = 9, RANDOM_AT = 11, SESSION_ID_AT = RANDOM_AT + RANDOM_SIZE };

/* ---- what cannot be configured */

static void refuse_name(const char *suite)
{
    hf_config *config = hf_config_new(HF_CLIENT);
    CHECK(hf_config_insecure_set_security_level(config, 0));
    CHECK_MSG(!hf_config_set_suites(config, suite), "%s is a suite", suite);
    CHECK_INT(hf_config_error(config)->code, HF_E_CONFIG);
    hf_config_free(config);
}

static void refuse_cipher(const char *string)
{
    hf_config *config = hf_config_new(HF_CLIENT);
    CHECK_MSG(!hf_config_set_ciphers(config, string), "\"%s\" chooses suites", string);
    CHECK_INT(hf_config_error(config)->code, HF_E_CONFIG);
    hf_config_free(config);
}

/* Gives one side of a handshake a hello that names this suite alone. */
static void put_suite(struct end *to, uint8_t *bytes, size_t len, void *arg)
{
    const uint16_t *suite = arg;
    if (to->flights != 1 || len < 60)
        return;
    size_t at = SESSION_ID_AT + 1u + bytes[SESSION_ID_AT];
    if (bytes[5] == MSG_CLIENT_HELLO) {
        size_t n = get_u16(bytes + at);
        for (size_t i = 0; i < n; i += 2)
            put_u16(bytes + at + 2 + i, *suite);
    } else {
        put_u16(bytes + at, *suite);
    }
}

static void refuse_suite_on_the_wire(uint16_t suite)
{
    struct pair p;
    for (int server = 0; server < 2; server++) {
        old_start(&p, HF_TLS1_2, "TLS_RSA_WITH_AES_128_CBC_SHA");
        pair_connect(&p);
        struct end *to = server ? &p.server : &p.client;
        to->tamper = put_suite;
        to->tamper_arg = &suite;
        pair_run(&p);
        if (server)
            CHECK_REFUSED(&p.server, HF_E_NO_SHARED_SUITE, 40);
        else
            CHECK_REFUSED(&p.client, HF_E_WRONG_SUITE, 47);
        pair_clear(&p);
    }
}

/* SWEET32: 64-bit blocks repeat too soon. There is none here, nor RC4. */
static void test_sweet32(void)
{
    hf_suite_info all[256];
    size_t count = hf_all_suites(all, 256);
    CHECK(count > 80);
    for (size_t i = 0; i < count; i++) {
        const char *e = all[i].encryption;
        CHECK_MSG(strncmp(e, "AES", 3) == 0 || strncmp(e, "CHACHA20", 8) == 0 ||
                      (strcmp(e, "none") == 0 && all[i].bits == 0),
                  "%s encrypts with %s", all[i].name, e);
        CHECK(all[i].bits == 0 || all[i].bits >= 128);
        CHECK(!strstr(all[i].name, "DES") && !strstr(all[i].name, "IDEA") &&
              !strstr(all[i].name, "RC2") && !strstr(all[i].name, "RC4"));
    }
    refuse_name("TLS_RSA_WITH_3DES_EDE_CBC_SHA");
    refuse_name("TLS_ECDHE_RSA_WITH_3DES_EDE_CBC_SHA");
    refuse_name("TLS_RSA_WITH_DES_CBC_SHA");
    refuse_name("TLS_RSA_WITH_IDEA_CBC_SHA");
    refuse_name("TLS_RSA_WITH_RC4_128_SHA");
    refuse_cipher("3DES");
    refuse_cipher("DES-CBC3-SHA");
    refuse_cipher("IDEA:RC4:RC2:DES");
    refuse_suite_on_the_wire(0x000a);
    refuse_suite_on_the_wire(0x0005);
}

/* ---- FREAK */

static enum hs_result forge_export_key(struct hs *hs)
{
    uint8_t modulus[64];
    size_t mark;
    memset(modulus, 0xc5, sizeof modulus);
    struct wr w = hs_begin(hs, MSG_SERVER_KEY_EXCHANGE, &mark);
    wr_opaque16(&w,
                slice_of(modulus, sizeof modulus)); /* rsa_modulus, 512 bits (RFC 2246 7.4.3) */
    wr_opaque16(&w, slice_of("\1\0\1", 3));
    wr_u16(&w, 0x0401);
    wr_opaque16(&w, slice_of(modulus, sizeof modulus));
    return hs_end(hs, &w, mark);
}

/* FREAK: a client that did not offer an export suite takes a short RSA key all the same. */
static void test_freak(void)
{
    struct pair p;
    struct step copy[OLD_MAX_ROWS];
    for (uint16_t v = HF_TLS1_0; v <= HF_TLS1_2; v++) {
        old_start(&p, v, "TLS_RSA_WITH_AES_128_CBC_SHA");
        old_list(copy, server12);
        old_insert(copy, old_row(copy, "Certificate"), forge_export_key);
        pair_connect(&p);
        old_divert(&p.server, copy, NULL);
        pair_run(&p);
        CHECK_REFUSED(&p.client, HF_E_UNEXPECTED_MESSAGE, 10);
        CHECK_TOLD(&p.server, 10);
        CHECK(strstr(hf_conn_error(p.client.conn)->detail, "got ServerKeyExchange") != NULL);
        pair_clear(&p);
    }
    refuse_name("TLS_RSA_EXPORT_WITH_RC4_40_MD5");
    refuse_name("TLS_RSA_EXPORT_WITH_DES40_CBC_SHA");
    refuse_cipher("EXPORT");
    refuse_cipher("EXP-DES-CBC-SHA");
    refuse_suite_on_the_wire(0x0003);
    refuse_suite_on_the_wire(0x0008);
}

/* ---- Logjam */

static unsigned dh_bits;

static enum hs_result make_weak_params(struct hs *hs)
{
    uint8_t p[512], share[512];
    size_t len = (dh_bits + 7) / 8;
    struct wr w;
    memset(p, 0xa7, sizeof p);
    p[0] = (uint8_t)(0xff >> (8 * len - dh_bits));
    p[len - 1] |= 1;
    memset(share, 0x13, sizeof share);
    wr_start(&w, &hs->params);
    wr_bytes(&w, hs->client_random, RANDOM_SIZE);
    wr_bytes(&w, hs->server_random, RANDOM_SIZE);
    wr_opaque16(&w, slice_of(p, len));
    wr_opaque16(&w, slice_of("\2", 1));
    wr_opaque16(&w, slice_of(share, len - 1));
    return HS_OK;
}

static hf_code with_group(unsigned level, unsigned bits)
{
    struct pair p;
    struct step copy[OLD_MAX_ROWS];
    dh_bits = bits;
    old_start(&p, HF_TLS1_2, "TLS_DHE_RSA_WITH_AES_128_GCM_SHA256");
    CHECK(hf_config_insecure_set_security_level(p.client_config, level));
    CHECK(hf_config_insecure_no_verify(p.client_config)); /* its key is for level 2 */
    old_list(copy, server12);
    copy[old_row(copy, "key exchange parameters")].run = make_weak_params;
    pair_connect(&p);
    old_divert(&p.server, copy, NULL);
    (void)pair_pump(&p.client, &p.server);
    (void)pair_pump(&p.server, &p.client);
    hf_code code = end_code(&p.client);
    if (code == HF_E_WEAK_DH) {
        CHECK_REFUSED(&p.client, HF_E_WEAK_DH, 71);
        char wanted[40];
        snprintf(wanted, sizeof wanted, "a prime of %u bits", bits);
        CHECK_STR(hf_conn_error(p.client.conn)->detail, wanted);
    }
    pair_clear(&p);
    return code;
}

/* Logjam: groups of 512 bits can be broken by anybody, of 1024 by states. */
static void test_logjam(void)
{
    CHECK_INT(with_group(2, 256), HF_E_WEAK_DH);
    CHECK_INT(with_group(2, 512), HF_E_WEAK_DH);
    CHECK_INT(with_group(2, 768), HF_E_WEAK_DH);
    CHECK_INT(with_group(2, 1024), HF_E_WEAK_DH);
    CHECK_INT(with_group(2, 1536), HF_E_WEAK_DH);
    CHECK_INT(with_group(2, 2047), HF_E_WEAK_DH);
    CHECK_INT(with_group(2, 2048), HF_OK);
    CHECK_INT(with_group(1, 512), HF_E_WEAK_DH);
    CHECK_INT(with_group(1, 1023), HF_E_WEAK_DH);
    CHECK_INT(with_group(1, 1024), HF_OK);
    CHECK_INT(with_group(3, 2048), HF_E_WEAK_DH);
    CHECK_INT(with_group(3, 3072), HF_OK);
}

/* ---- DROWN, and SSL in general */

enum { V2_HEAD = 11, V2_MAX = 256 };

/* A ClientHello in SSL 2.0's format (RFC 5246 E.2). */
static size_t v2_hello(uint8_t out[V2_MAX], uint16_t version, const uint8_t *specs,
                       size_t specs_len, const uint8_t challenge[RANDOM_SIZE])
{
    size_t len = V2_HEAD - 2 + specs_len + RANDOM_SIZE;
    put_u16(out, (uint16_t)(0x8000 | len));
    out[2] = MSG_CLIENT_HELLO;
    put_u16(out + 3, version);
    put_u16(out + 5, (uint16_t)specs_len);
    put_u16(out + 7, 0);
    put_u16(out + 9, RANDOM_SIZE);
    memcpy(out + V2_HEAD, specs, specs_len);
    memcpy(out + V2_HEAD + specs_len, challenge, RANDOM_SIZE);
    return 2 + len;
}

/* DROWN: a server that still speaks SSL 2.0 gives away what it said in TLS. */
static void test_drown(void)
{
    static const uint8_t specs[] = {0x07, 0, 0xc0, 0x01, 0, 0x80, 0x04, 0, 0x80};
    /* SERVER-HELLO of SSL 2.0: type 4, no session, X.509, version 2 */
    static const uint8_t v2_server_hello[] = {0x80, 13, 4, 0, 1, 0, 2, 0, 0, 0, 3, 0, 0, 7, 0};
    uint8_t hello[V2_MAX], challenge[RANDOM_SIZE] = {1};
    struct pair p;
    old_start(&p, HF_TLS1_2, "TLS_RSA_WITH_AES_128_CBC_SHA");
    pair_connect(&p);
    (void)old_hand(&p.server, hello, v2_hello(hello, 0x0002, specs, sizeof specs, challenge));
    CHECK_REFUSED(&p.server, HF_E_SSL2_PEER, 70);
    CHECK_STR(hf_conn_error(p.server.conn)->rfc, "RFC 6176");
    (void)pair_pump(&p.client, &p.server);
    (void)old_hand(&p.client, v2_server_hello, sizeof v2_server_hello);
    CHECK_REFUSED(&p.client, HF_E_SSL2_PEER, 70);
    pair_clear(&p);
    hf_config *config = hf_config_new(HF_SERVER);
    CHECK(!hf_config_set_versions(config, 0x0002, HF_TLS1_2));
    CHECK(strstr(hf_config_error(config)->detail, "SSL 2.0") != NULL);
    hf_config_free(config);
}

/* The format alone is no fault: a client of 1999 offers TLS in it. The client's engine is made to believe
 * that it said so. */
static void v2_handshake(uint16_t version, bool scsv)
{
    static const uint8_t specs[] = {0x07, 0, 0xc0, 0, 0, 0x2f, 0, 0, 0xff};
    uint8_t hello[V2_MAX];
    size_t len;
    struct pair p;
    old_start(&p, version, "TLS_RSA_WITH_AES_128_CBC_SHA");
    pair_connect(&p);
    (void)hf_conn_output(p.client.conn, &len);
    hf_conn_output_done(p.client.conn, len);
    struct hs *hs = p.client.conn->hs;
    size_t n =
        v2_hello(hello, version, specs, sizeof specs - (scsv ? 0 : 3), hs->client_random);
    buffer_clear(&hs->transcript.kept);
    CHECK(transcript_add(&hs->transcript, hello + 2, n - 2));
    (void)old_hand(&p.server, hello, n);
    pair_run(&p);
    if (scsv) {
        CHECK(end_shaken(&p.client) && end_shaken(&p.server));
        CHECK_INT(hf_conn_version(p.server.conn), version);
        CHECK(hf_conn_secure_renegotiation(p.server.conn) && !hf_conn_ems(p.server.conn));
        CHECK(old_echo(&p));
    } else {
        CHECK_REFUSED(&p.client, HF_E_UNSAFE_RENEGOTIATION, 40);
    }
    pair_clear(&p);
}

static void test_v2_format_is_answered(void)
{
    for (uint16_t v = HF_TLS1_0; v <= HF_TLS1_2; v++) {
        v2_handshake(v, true);
        v2_handshake(v, false);
    }
}

/* Whatever length or version a V2ClientHello claims, in pieces of any size: no crash, and no answer to
 * nonsense. */
static void test_v2_format_garbled(void)
{
    static const uint8_t specs[] = {0, 0, 0x2f, 0, 0, 0xff};
    uint8_t hello[V2_MAX], challenge[RANDOM_SIZE] = {1};
    size_t n = v2_hello(hello, HF_TLS1_2, specs, sizeof specs, challenge);
    struct pair p;
    old_start(&p, HF_TLS1_2, "TLS_RSA_WITH_AES_128_CBC_SHA");
    for (size_t at = 0; at < V2_HEAD; at++) {
        for (unsigned bit = 0; bit < 8; bit++) {
            pair_connect(&p);
            hello[at] ^= (uint8_t)(1u << bit);
            for (size_t i = 0; i < n && !end_is_dead(&p.server); i++)
                (void)old_hand(&p.server, hello + i, 1);
            CHECK(!end_shaken(&p.server));
            hello[at] ^= (uint8_t)(1u << bit);
            pair_reset(&p);
        }
    }
    pair_clear(&p);
}

static void set_version(struct end *to, uint8_t *bytes, size_t len, void *arg)
{
    if (to->flights == 1 && len > 60)
        memcpy(bytes + VERSION_AT, arg, 2);
}

/* POODLE's door: SSL 3.0 is named and refused by both sides (RFC 7568). */
static void test_ssl3_refused(void)
{
    uint8_t ssl3[2] = {3, 0};
    for (int server = 0; server < 2; server++) {
        struct pair p;
        old_start(&p, HF_TLS1_2, ecdhe);
        pair_connect(&p);
        struct end *to = server ? &p.server : &p.client;
        to->tamper = set_version;
        to->tamper_arg = ssl3;
        pair_run(&p);
        CHECK_REFUSED(to, HF_E_SSL3_PEER, 70);
        CHECK_STR(hf_conn_error(to->conn)->rfc, "RFC 7568");
        CHECK_TOLD(server ? &p.client : &p.server, 70);
        pair_clear(&p);
    }
    hf_config *config = hf_config_new(HF_SERVER);
    CHECK(!hf_config_set_versions(config, 0x0300, HF_TLS1_2));
    CHECK(strstr(hf_config_error(config)->detail, "3.0 are prohibited") != NULL);
    hf_config_free(config);
}

/* ---- CRIME */

static void put_compression(struct end *to, uint8_t *bytes, size_t len, void *arg)
{
    (void)arg;
    if (to->flights != 1 || len < 60)
        return;
    size_t at = SESSION_ID_AT + 1u + bytes[SESSION_ID_AT];
    if (bytes[5] == MSG_CLIENT_HELLO) {
        at += 2u + get_u16(bytes + at);
        CHECK(bytes[at] == 1 && bytes[at + 1] == 0); /* nothing but null is offered */
        bytes[at + 1] = 1;
    } else {
        CHECK(bytes[at + 2] == 0);
        bytes[at + 2] = 1;
    }
}

/* CRIME: compression tells what is in the plaintext. It is neither offered nor taken. */
static void test_crime(void)
{
    for (int server = 0; server < 2; server++) {
        struct pair p;
        old_start(&p, HF_TLS1_2, ecdhe);
        pair_connect(&p);
        struct end *to = server ? &p.server : &p.client;
        to->tamper = put_compression;
        pair_run(&p);
        CHECK_REFUSED(to, HF_E_BAD_COMPRESSION, 47);
        pair_clear(&p);
    }
}

/* ---- SLOTH */

static uint16_t forged_scheme;

static enum hs_result choose_scheme(struct hs *hs)
{
    hs->scheme = forged_scheme;
    return HS_OK;
}

static void sloth(bool server, const char *suite, uint16_t scheme, bool allowed)
{
    struct pair p;
    struct step copy[OLD_MAX_ROWS];
    pair_init(&p, strstr(suite, "ECDSA") ? PKI_P256 : PKI_RSA);
    CHECK(hf_config_set_versions(p.client_config, HF_TLS1_2, HF_TLS1_2));
    CHECK(hf_config_set_suites(p.client_config, suite));
    CHECK(hf_config_add_credential(p.client_config, p.cred));
    CHECK(hf_config_set_trust(p.server_config, p.trust));
    CHECK(hf_config_set_client_auth(p.server_config, HF_CLIENT_AUTH_REQUIRE));
    if (allowed)
        old_allow_both(&p, HF_TLS1_2, HF_TLS1_2, suite);
    forged_scheme = scheme;
    old_list(copy, server ? server12 : client12);
    old_insert(copy, old_row(copy, server ? "key exchange parameters" : "master secret"),
               choose_scheme);
    pair_connect(&p);
    struct end *bad = server ? &p.server : &p.client, *good = server ? &p.client : &p.server;
    old_divert(bad, copy, NULL);
    pair_run(&p);
    if (allowed)
        CHECK(end_shaken(good));
    else
        CHECK_REFUSED(good, HF_E_WRONG_SIGNATURE_ALGORITHM, 47);
    pair_clear(&p);
}

static void put_md5(struct end *to, uint8_t *bytes, size_t len, void *arg)
{
    (void)arg;
    /* The scheme stands before the signature, which is the last of the ServerKeyExchange. */
    for (size_t i = 0; to->flights == 1 && i + 4 < len; i++) {
        if (bytes[i] == MSG_SERVER_KEY_EXCHANGE && bytes[i + 4] == 3 && bytes[i + 5] == 0) {
            size_t scheme = i + 4 + 4 + bytes[i + 7];
            put_u16(bytes + scheme, 0x0101);
            return;
        }
    }
}

/* SLOTH: MD5 and SHA-1 under a signature can be chosen to collide. Not in TLS 1.2 at defaults, in neither
 * direction; and MD5 never. */
static void test_sloth(void)
{
    struct pair p;
    static const char rsa[] = "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256";
    for (int server = 0; server < 2; server++) {
        sloth(server, ecdhe, 0x0203, false);
        sloth(server, rsa, 0x0201, false);
        sloth(server, ecdhe, 0x0203, true); /* as somebody wants it */
        sloth(server, rsa, 0x0201, true);
    }
    pair_init(&p, PKI_RSA);
    old_allow_both(&p, HF_TLS1_2, HF_TLS1_2, rsa);
    pair_connect(&p);
    p.client.tamper = put_md5;
    pair_run(&p);
    CHECK_REFUSED(&p.client, HF_E_WRONG_SIGNATURE_ALGORITHM, 47);
    CHECK(strstr(hf_conn_error(p.client.conn)->detail, "0x0101") != NULL);
    pair_clear(&p);
    hf_config *config = hf_config_new(HF_CLIENT);
    CHECK(!hf_config_set_signatures(config, "rsa_pkcs1_md5"));
    hf_config_free(config);
}

/* ---- downgrades */

/* Takes supported_versions out of a ClientHello by another number, and sets the old field. */
static void downgrade(struct end *to, uint8_t *bytes, size_t len, void *arg)
{
    if (to->flights != 1 || len < 60)
        return;
    for (size_t i = SESSION_ID_AT; i + 5 < len; i++) {
        if (bytes[i] == 0 && bytes[i + 1] == 43 && bytes[i + 2] == 0 &&
            bytes[i + 3] == bytes[i + 4] + 1 && bytes[i + 5] == 3)
            bytes[i] = 0x7f;
    }
    memcpy(bytes + VERSION_AT, arg, 2);
}

static void downgraded(uint16_t client_best, uint16_t server_best, uint8_t minor, hf_code code)
{
    struct pair p;
    uint8_t version[2] = {3, minor};
    pair_init(&p, PKI_P256);
    old_allow(p.client_config, HF_TLS1_0, client_best, NULL);
    old_allow(p.server_config, HF_TLS1_0, server_best, NULL);
    CHECK(hf_config_set_ciphers(p.client_config, "ALL:@SECLEVEL=0"));
    CHECK(hf_config_set_ciphers(p.server_config, "ALL:@SECLEVEL=0"));
    pair_connect(&p);
    p.server.tamper = downgrade;
    p.server.tamper_arg = version;
    pair_run(&p);
    CHECK_STR(hf_code_name(end_code(&p.client)), hf_code_name(code));
    if (code == HF_E_DOWNGRADE)
        CHECK_REFUSED(&p.client, HF_E_DOWNGRADE, 47);
    pair_clear(&p);
}

/* Both sentinels of RFC 8446 4.1.3. Where no better version was possible the hellos' difference is found by
 * the Finished. */
static void test_downgrade(void)
{
    downgraded(HF_TLS1_3, HF_TLS1_3, 3, HF_E_DOWNGRADE);
    downgraded(HF_TLS1_3, HF_TLS1_3, 2, HF_E_DOWNGRADE);
    downgraded(HF_TLS1_3, HF_TLS1_3, 1, HF_E_DOWNGRADE);
    downgraded(HF_TLS1_3, HF_TLS1_2, 2, HF_E_DOWNGRADE);
    downgraded(HF_TLS1_2, HF_TLS1_3, 2, HF_E_DOWNGRADE);
    downgraded(HF_TLS1_2, HF_TLS1_2, 1, HF_E_DOWNGRADE);
    downgraded(HF_TLS1_3, HF_TLS1_2, 3, HF_E_ALERT_RECEIVED);
}

static void ranges(uint16_t client_best, uint16_t server_best)
{
    struct pair p;
    pair_init(&p, PKI_P256);
    old_allow(p.client_config, HF_TLS1_0, client_best, NULL);
    old_allow(p.server_config, HF_TLS1_0, server_best, NULL);
    CHECK(hf_config_set_ciphers(p.client_config, "ALL:@SECLEVEL=0"));
    CHECK(hf_config_set_ciphers(p.server_config, "ALL:@SECLEVEL=0"));
    CHECK(pair_shake(&p)); /* an honest server's sentinel is none of this client's business */
    pair_clear(&p);
}

static void test_honest_old_versions(void)
{
    for (uint16_t c = HF_TLS1_0; c <= HF_TLS1_3; c++) {
        for (uint16_t s = HF_TLS1_0; s <= HF_TLS1_3; s++)
            ranges(c, s);
    }
}

static void fallback(uint16_t client_best, uint16_t server_best, bool refused)
{
    struct pair p;
    pair_init(&p, PKI_P256);
    old_allow(p.client_config, HF_TLS1_0, client_best, NULL);
    old_allow(p.server_config, HF_TLS1_0, server_best, NULL);
    CHECK(hf_config_set_ciphers(p.client_config, "ALL:@SECLEVEL=0"));
    CHECK(hf_config_set_ciphers(p.server_config, "ALL:@SECLEVEL=0"));
    CHECK(hf_config_set_fallback(p.client_config, true));
    CHECK(pair_shake(&p) != refused);
    if (refused) {
        CHECK_REFUSED(&p.server, HF_E_INAPPROPRIATE_FALLBACK, 86);
        CHECK_TOLD(&p.client, 86);
    }
    pair_clear(&p);
}

/* TLS_FALLBACK_SCSV (RFC 7507): who says that it fell back is told if there was no need to. */
static void test_fallback_scsv(void)
{
    fallback(HF_TLS1_2, HF_TLS1_3, true);
    fallback(HF_TLS1_1, HF_TLS1_3, true);
    fallback(HF_TLS1_1, HF_TLS1_2, true);
    fallback(HF_TLS1_0, HF_TLS1_1, true);
    fallback(HF_TLS1_2, HF_TLS1_2, false);
    fallback(HF_TLS1_1, HF_TLS1_1, false);
    fallback(HF_TLS1_2, HF_TLS1_0, false);
    fallback(HF_TLS1_3, HF_TLS1_3, false);
}

/* ---- early CCS */

static bool inject_ccs(struct end *to, unsigned number, uint8_t *record, size_t len, void *arg)
{
    static const uint8_t ccs[] = {REC_CCS, 3, 3, 0, 1, 1};
    const unsigned *at = arg;
    (void)record;
    (void)len;
    if (to->conn->est.server == (at[0] != 0) && number == at[1])
        (void)old_hand(to, ccs, sizeof ccs);
    return false;
}

static void early_ccs(bool to_server, unsigned at)
{
    struct pair p;
    unsigned where[2] = {to_server, at};
    struct old_wire wire = {.before = inject_ccs, .arg = where};
    old_start(&p, HF_TLS1_2, ecdhe);
    pair_connect(&p);
    old_run(&p, &wire);
    struct end *to = to_server ? &p.server : &p.client;
    CHECK_REFUSED(to, HF_E_UNEXPECTED_RECORD, 10);
    CHECK(to->conn->in.prot == NULL); /* no keys were installed */
    pair_clear(&p);
}

/* CVE-2014-0224: a change_cipher_spec before the master secret is there made keys of nothing. Each place before
 * its own is tried. */
static void test_early_ccs_injection(void)
{
    for (unsigned at = 1; at < 4;
         at++) /* before Certificate, ServerKeyExchange, ServerHelloDone */
        early_ccs(false, at);
    early_ccs(true, 0); /* before the hello */
    early_ccs(true, 1); /* before the ClientKeyExchange */
    early_ccs(false, 0);
}

int main(void)
{
    RUN(test_sweet32);
    RUN(test_freak);
    RUN(test_logjam);
    RUN(test_drown);
    RUN(test_v2_format_is_answered);
    RUN(test_v2_format_garbled);
    RUN(test_ssl3_refused);
    RUN(test_crime);
    RUN(test_sloth);
    RUN(test_downgrade);
    RUN(test_honest_old_versions);
    RUN(test_fallback_scsv);
    RUN(test_early_ccs_injection);
    return check_done();
}
