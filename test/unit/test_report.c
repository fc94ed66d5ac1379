/* test_report.c: what the command says about a connection, in lines and as JSON. */
#include <stdlib.h>

#include "check.h"
#include "cli/report.h"
#include "pki.h"

static struct pki *pki;

struct pair {
    hf_config *client_config, *server_config;
    hf_conn *client, *server;
    hf_session *session;
};

static void keep(hf_conn *conn, hf_session *session, void *arg)
{
    struct pair *p = arg;
    (void)conn;
    hf_session_free(p->session);
    p->session = hf_session_ref(session);
}

static void prepare(struct pair *p, uint16_t version, const char *ciphers)
{
    static const uint8_t key[16] = "0123456789abcdef";
    *p = (struct pair){hf_config_new(HF_CLIENT), hf_config_new(HF_SERVER), NULL, NULL, NULL};
    hf_config *both[] = {p->client_config, p->server_config};
    for (size_t i = 0; i < 2; i++) {
        CHECK(hf_config_insecure_set_security_level(both[i], 0));
        CHECK(hf_config_set_versions(both[i], version, version));
        CHECK(hf_config_set_ciphers(both[i], ciphers));
        CHECK(hf_config_set_groups(both[i], "x25519"));
        CHECK(hf_config_add_psk(both[i], (const uint8_t *)"d\033oor", 5, key, sizeof key));
    }
    hf_trust *trust = hf_trust_new();
    CHECK(hf_trust_add_memory(trust, pki->root->pem, strlen(pki->root->pem), NULL));
    CHECK(hf_config_set_trust(p->client_config, trust));
    hf_trust_free(trust);
    hf_credential *cred = hf_credential_load_memory(pki->bundle_pem, strlen(pki->bundle_pem),
                                                    NULL, 0, NULL, NULL, NULL);
    static const uint8_t scts[] = {0, 8, 0, 2, 1, 1, 0, 2, 2, 2};
    CHECK(cred && hf_credential_set_scts(cred, scts, sizeof scts, NULL));
    CHECK(hf_config_add_credential(p->server_config, cred));
    hf_credential_free(cred);
    CHECK(hf_config_set_session_callback(p->client_config, keep, p));
}

static bool carry(hf_conn *from, hf_conn *to)
{
    uint8_t bytes[16384], *at = bytes, *data;
    size_t len, used, n;
    (void)hf_conn_handshake(from);
    const uint8_t *out = hf_conn_output(from, &len);
    if (!len || len > sizeof bytes)
        return false;
    memcpy(bytes, out, len);
    hf_conn_output_done(from, len);
    while (len && hf_conn_receive(to, at, len, &used, &data, &n) == HF_DONE && used) {
        at += used;
        len -= used;
    }
    return true;
}

static void shake(struct pair *p, hf_session *session)
{
    hf_error err = {0};
    hf_conn_free(p->client);
    hf_conn_free(p->server);
    p->client = hf_conn_new_client(p->client_config, "server.example", &err);
    p->server = hf_conn_new_server(p->server_config, &err);
    CHECK_STR(err.detail, "");
    CHECK(!session || hf_conn_set_session(p->client, session));
    for (int i = 0; i < 12; i++) {
        bool moved = carry(p->client, p->server);
        moved |= carry(p->server, p->client);
        if (!moved)
            break;
    }
    CHECK(hf_conn_version(p->client) && hf_conn_version(p->server));
}

static void done(struct pair *p)
{
    hf_conn_free(p->client);
    hf_conn_free(p->server);
    hf_session_free(p->session);
    hf_config_free(p->client_config);
    hf_config_free(p->server_config);
}

/* Each of the words must be there, or, behind a '!', must not. */
static void check_report(const struct pair *p, const hf_session *offered, bool json,
                         const char *const *words)
{
    struct text out = {0};
    report_peer(&out, "tls://server.example", "192.0.2.1:443", p->client, offered, json);
    for (; *words; words++) {
        bool wanted = **words != '!';
        bool there = out.p && strstr(out.p, *words + !wanted);
        if (there != wanted)
            printf("    \"%s\" in\n%s\n", *words, out.p);
        CHECK(there == wanted);
    }
    text_clear(&out);
}

#define LINES(p, offered, ...)                                                                 \
    check_report(p, offered, false, (const char *const[]){__VA_ARGS__, NULL})
#define JSON(p, offered, ...)                                                                  \
    check_report(p, offered, true, (const char *const[]){__VA_ARGS__, NULL})

static void check_agreed(const hf_conn *conn, const char *want)
{
    struct text out = {0};
    report_agreed(&out, conn);
    CHECK_STR(out.p, want);
    text_clear(&out);
}

static void test_tls13(void)
{
    struct pair p;
    prepare(&p, HF_TLS1_3, "DEFAULT");
    shake(&p, NULL);
    LINES(&p, NULL, "  version      TLS 1.3\n", "  session      full handshake\n", "!master",
          "!renegotiate", "!records");
    JSON(&p, NULL, "\"extended_master_secret\":true", "\"resumed_by\":null", "\"scts\":0");
    done(&p);
}

static void test_ecdhe(void)
{
    struct pair p;
    prepare(&p, HF_TLS1_2, "ECDHE-RSA-AES128-GCM-SHA256");
    CHECK(hf_config_set_sct(p.client_config, true));
    shake(&p, NULL);
    LINES(&p, NULL, "  key exchange ECDHE\n", "  records      AEAD\n",
          "  master       extended master secret (RFC 7627)\n",
          "  renegotiate  secure (RFC 5746)\n", "  SCTs         2 timestamps of public logs\n");
    JSON(&p, NULL, "\"key_exchange\":\"ECDHE\"", "\"secure_renegotiation\":true",
         "\"encrypt_then_mac\":false", "\"scts\":2");
    check_agreed(p.server, "TLS 1.2, TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256, x25519");
    shake(&p, p.session);
    LINES(&p, p.session, "  session      resumed with a ticket\n", "!key exchange");
    JSON(&p, p.session, "\"resumed_by\":\"ticket\"");
    check_agreed(p.server, "TLS 1.2, TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256, x25519, resumed");
    done(&p);
}

static void test_old_suites(void)
{
    struct pair p;
    prepare(&p, HF_TLS1_1, "AES128-SHA");
    CHECK(hf_config_set_tickets(p.server_config, 0, 7200));
    shake(&p, NULL);
    LINES(&p, NULL, "  key exchange RSA: no forward secrecy\n",
          "  records      CBC, encrypt-then-MAC\n", "  group        none\n");
    check_agreed(p.server, "TLS 1.1, TLS_RSA_WITH_AES_128_CBC_SHA, encrypt-then-MAC");
    shake(&p, p.session);
    LINES(&p, p.session, "  session      resumed by its ID\n");
    JSON(&p, p.session, "\"resumed_by\":\"session_id\"");
    done(&p);
    prepare(&p, HF_TLS1_0, "ECDHE-RSA-AES128-SHA");
    CHECK(hf_config_set_encrypt_then_mac(p.client_config, false));
    shake(&p, NULL);
    LINES(&p, NULL, "  records      CBC, the MAC inside the encryption\n",
          "  signature    rsa_pkcs1_md5_sha1\n");
    done(&p);
    prepare(&p, HF_TLS1_2, "NULL-SHA256:@SECLEVEL=0");
    shake(&p, NULL);
    LINES(&p, NULL, "  records      NOT ENCRYPTED, only a MAC\n");
    done(&p);
}

/* An identity may hold what a terminal would obey. */
static void test_psk(void)
{
    struct pair p;
    prepare(&p, HF_TLS1_2, "PSK-AES128-GCM-SHA256");
    shake(&p, NULL);
    LINES(&p, NULL, "  key exchange pre-shared key: no forward secrecy\n", "!\033",
          "  identity     d\\u{1b}oor (pre-shared key)\n");
    JSON(&p, NULL, "\"psk_identity\":\"d\\u001boor\"");
    check_agreed(p.server,
                 "TLS 1.2, TLS_PSK_WITH_AES_128_GCM_SHA256, PSK identity d\\u{1b}oor");
    done(&p);
}

static void test_plain(void)
{
    struct text out = {0};
    report_peer(&out, "tcp://a.example", "192.0.2.1:1", NULL, NULL, true);
    CHECK_STR(out.p,
              "{\"url\":\"tcp://a.example\",\"address\":\"192.0.2.1:1\",\"tls\":false}\n");
    text_clear(&out);
    check_agreed(NULL, "plain, without TLS");
}

int main(void)
{
    pki = pki_new(PKI_RSA, "DNS:server.example");
    RUN(test_tls13);
    RUN(test_ecdhe);
    RUN(test_old_suites);
    RUN(test_psk);
    RUN(test_plain);
    pki_clear(pki);
    return check_done();
}
