/* test_explain12.c: what is said about failures of TLS 1.2 and older: in full, as an operator reads it. */
#include <stdlib.h>

#include "check.h"
#include "handfast.h"
#include "pki.h"

static struct pki *rsa;

static int64_t clock_fn(void *arg)
{
    (void)arg;
    return PKI_NOW;
}

static void add_credential(hf_config *config, const char *bundle)
{
    hf_credential *cred =
        hf_credential_load_memory(bundle, strlen(bundle), NULL, 0, NULL, NULL, NULL);
    CHECK(cred && hf_config_add_credential(config, cred));
    hf_credential_free(cred);
}

static void trust(hf_config *config, const struct pki *pki)
{
    hf_trust *anchors = hf_trust_new();
    CHECK(hf_trust_add_memory(anchors, pki->root->pem, strlen(pki->root->pem), NULL));
    CHECK(hf_config_set_trust(config, anchors));
    hf_trust_free(anchors);
}

/* ---- pairs, and wires on which somebody changes what is said */

/* Changes a flight on its way, in place. */
typedef void (*change_fn)(uint8_t *bytes, size_t len, bool to_server);

static const char suites[] = "TLS_AES_128_GCM_SHA256:TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256";

struct pair {
    hf_config *client_config, *server_config;
    hf_conn *client, *server;
};

static struct pair prepare(const struct pki *pki)
{
    struct pair p = {hf_config_new(HF_CLIENT), hf_config_new(HF_SERVER), NULL, NULL};
    CHECK(hf_config_set_clock(p.client_config, clock_fn, NULL));
    CHECK(hf_config_set_clock(p.server_config, clock_fn, NULL));
    hf_config *both[] = {p.client_config, p.server_config};
    for (size_t i = 0; i < 2; i++) {
        CHECK(hf_config_set_suites(both[i], suites));
        CHECK(hf_config_set_groups(both[i], "x25519:P-256"));
        CHECK(hf_config_set_signatures(both[i], "ecdsa_secp256r1_sha256:rsa_pss_rsae_sha256"));
    }
    add_credential(p.server_config, pki->bundle_pem);
    trust(p.client_config, pki);
    return p;
}

static void only(hf_config *config, uint16_t lowest, uint16_t highest)
{
    CHECK(hf_config_insecure_set_security_level(config, 0));
    CHECK(hf_config_set_versions(config, lowest, highest));
    CHECK(hf_config_set_ciphers(config, "ECDHE-RSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-SHA"));
}

static void hand(hf_conn *to, const uint8_t *p, size_t len)
{
    uint8_t bytes[16384], *at = bytes, *data;
    size_t used, n;
    if (len > sizeof bytes)
        return;
    memcpy(bytes, p, len);
    while (len && hf_conn_receive(to, at, len, &used, &data, &n) == HF_DONE && used) {
        at += used;
        len -= used;
    }
}

static bool carry(hf_conn *from, hf_conn *to, change_fn change)
{
    uint8_t bytes[16384];
    size_t len;
    const uint8_t *out = hf_conn_output(from, &len);
    if (!len || len > sizeof bytes)
        return false;
    memcpy(bytes, out, len);
    hf_conn_output_done(from, len);
    if (change)
        change(bytes, len, hf_conn_is_server(to));
    hand(to, bytes, len);
    return true;
}

static void connect_both(struct pair *p)
{
    hf_error err = {0};
    p->client = hf_conn_new_client(p->client_config, "server.example", &err);
    CHECK_STR(err.detail, "");
    p->server = hf_conn_new_server(p->server_config, &err);
    CHECK_STR(err.detail, "");
    (void)hf_conn_handshake(p->client);
}

static void run(struct pair *p, change_fn change)
{
    connect_both(p);
    for (int i = 0; i < 20; i++) {
        bool moved = carry(p->client, p->server, change);
        moved = carry(p->server, p->client, change) || moved;
        if (!moved)
            break;
    }
}

static void done(struct pair *p)
{
    hf_conn_free(p->client);
    hf_conn_free(p->server);
    hf_config_free(p->client_config);
    hf_config_free(p->server_config);
}

static char text[16384];

static const char *explained(const hf_conn *conn)
{
    const hf_error *err = hf_conn_error(conn);
    if (!err)
        return "(no error)";
    hf_explain(conn, err, text, sizeof text);
    return text;
}

/* ---- servers that are nobody's: one ServerHello, written by hand */

struct old_hello {
    uint8_t record_minor, minor; /* of the versions 3.x */
    uint16_t suite;
    bool renegotiation_info, downgraded;
};

static void answer(struct pair *p, const struct old_hello *h)
{
    uint8_t bytes[128] = {22, 3, h->record_minor}, *at = bytes + 9;
    *at++ = 3;
    *at++ = h->minor;
    memset(at, 0x55, 32);
    if (h->downgraded)
        memcpy(at + 24, "DOWNGRD\x01", 8);
    at += 32;
    *at++ = 0; /* no session ID */
    *at++ = (uint8_t)(h->suite >> 8);
    *at++ = (uint8_t)h->suite;
    *at++ = 0; /* null compression */
    if (h->renegotiation_info) {
        memcpy(at, "\0\5\xff\1\0\1\0", 7);
        at += 7;
    }
    size_t len = (size_t)(at - bytes) - 9;
    bytes[4] = (uint8_t)(len + 4);
    bytes[5] = 2;
    bytes[8] = (uint8_t)len;
    hand(p->client, bytes, len + 9);
}

static void test_server_of_tls10(void)
{
    struct pair p = prepare(rsa);
    connect_both(&p);
    answer(&p, &(struct old_hello){1, 1, 0xc014, true, false});
    CHECK_STR(explained(p.client),
              "No protocol version is allowed by both sides: the server chose TLS 1.0, this "
              "client allows TLS 1.2 to TLS 1.3.\n"
              "  where     at the step \"ServerHello\" of the handshake; this is the client, "
              "connecting to server.example\n"
              "  fault     either side's: what the two allow does not meet\n"
              "  alert     protocol_version (70), for the peer\n"
              "  versions  offered: TLS 1.3, TLS 1.2\n"
              "  try       enable TLS 1.2 or 1.3 on the server; for an old device that cannot, "
              "allow older versions with hf_config_insecure_set_security_level(), "
              "hf_config_set_versions() and hf_config_set_ciphers(\"DEFAULT\")\n"
              "  rule      RFC 8446 4.2.1\n"
              "  code      UNSUPPORTED_VERSION\n");
    done(&p);
}

static void test_server_of_tls12_for_client_of_13(void)
{
    struct pair p = prepare(rsa);
    CHECK(hf_config_set_versions(p.client_config, HF_TLS1_3, HF_TLS1_3));
    connect_both(&p);
    answer(&p, &(struct old_hello){3, 3, 0xc02f, true, false});
    CHECK_STR(explained(p.client),
              "No protocol version is allowed by both sides: the server chose TLS 1.2, this "
              "client allows TLS 1.3 to TLS 1.3.\n"
              "  where     at the step \"ServerHello\" of the handshake; this is the client, "
              "connecting to server.example\n"
              "  fault     either side's: what the two allow does not meet\n"
              "  alert     protocol_version (70), for the peer\n"
              "  means     this client allows nothing older than TLS 1.3\n"
              "  versions  offered: TLS 1.3\n"
              "  try       enable TLS 1.3 on the server, or allow TLS 1.2 here: "
              "hf_config_set_versions()\n"
              "  rule      RFC 8446 4.2.1\n"
              "  code      UNSUPPORTED_VERSION\n");
    done(&p);
}

static void test_server_refuses_versions(void)
{
    struct pair p = prepare(rsa);
    only(p.server_config, HF_TLS1_0, HF_TLS1_0);
    run(&p, NULL);
    CHECK_STR(explained(p.server),
              "No protocol version is allowed by both sides: the client offers TLS 1.3, TLS "
              "1.2, this server allows TLS 1.0.\n"
              "  where     at the step \"negotiate\" of the handshake; "
              "ClientHello.extensions.supported_versions; this is the server, asked for "
              "server.example\n"
              "  fault     either side's: what the two allow does not meet\n"
              "  alert     protocol_version (70), for the peer\n"
              "  means     the client is up to date; this server allows only old versions\n"
              "  versions  allowed here: TLS 1.0\n"
              "            offered by the client: TLS 1.3, TLS 1.2\n"
              "            in common: none\n"
              "  try       allow TLS 1.2 and 1.3 here: hf_config_set_versions()\n"
              "  rule      RFC 8446 4.2.1\n"
              "  code      UNSUPPORTED_VERSION\n");
    CHECK_STR(explained(p.client),
              "The peer ended the connection with an alert: protocol_version (70).\n"
              "  where     at the step \"ServerHello\" of the handshake; this is the client, "
              "connecting to server.example\n"
              "  fault     either side's: what the two allow does not meet\n"
              "  alert     protocol_version (70), sent by the peer\n"
              "  means     the server speaks none of the protocol versions that were offered\n"
              "  versions  offered: TLS 1.3, TLS 1.2\n"
              "  try       enable TLS 1.2 or 1.3 on the server; for an old device that cannot, "
              "allow older versions with hf_config_insecure_set_security_level(), "
              "hf_config_set_versions() and hf_config_set_ciphers(\"DEFAULT\")\n"
              "  rule      RFC 8446 6.2\n"
              "  code      ALERT_RECEIVED\n");
    done(&p);
}

static void test_client_of_tls10(void)
{
    struct pair p = prepare(rsa);
    only(p.client_config, HF_TLS1_0, HF_TLS1_0);
    run(&p, NULL);
    CHECK_STR(explained(p.server),
              "No protocol version is allowed by both sides: the client offers nothing above "
              "TLS 1.0, this server allows TLS 1.3, TLS 1.2.\n"
              "  where     at the step \"negotiate\" of the handshake; "
              "ClientHello.extensions.supported_versions; this is the server, asked for "
              "server.example\n"
              "  fault     either side's: what the two allow does not meet\n"
              "  alert     protocol_version (70), for the peer\n"
              "  versions  allowed here: TLS 1.3, TLS 1.2\n"
              "            offered by the client: TLS 1.0\n"
              "            in common: none\n"
              "  try       update the client; for an old device that cannot be, allow older "
              "versions with hf_config_insecure_set_security_level(), hf_config_set_versions() "
              "and hf_config_set_ciphers(\"DEFAULT\")\n"
              "  rule      RFC 8446 4.2.1\n"
              "  code      UNSUPPORTED_VERSION\n");
    CHECK_STR(explained(p.client),
              "The peer ended the connection with an alert: protocol_version (70).\n"
              "  where     at the step \"ServerHello\" of the handshake; this is the client, "
              "connecting to server.example\n"
              "  fault     either side's: what the two allow does not meet\n"
              "  alert     protocol_version (70), sent by the peer\n"
              "  means     this client offers only versions that nearly all servers have given "
              "up\n"
              "  versions  offered: TLS 1.0\n"
              "  try       offer TLS 1.2 and 1.3 too: hf_config_set_versions()\n"
              "  rule      RFC 8446 6.2\n"
              "  code      ALERT_RECEIVED\n");
    done(&p);
}

/* A group that is missing is told as that, not as a list of suites. */
static void test_no_shared_group(void)
{
    struct pair p = prepare(rsa);
    CHECK(hf_config_set_versions(p.client_config, HF_TLS1_2, HF_TLS1_2));
    CHECK(hf_config_set_groups(p.client_config, "P-384"));
    CHECK(hf_config_set_groups(p.server_config, "P-256"));
    run(&p, NULL);
    const char *said = explained(p.server);
    CHECK(strstr(said, "supported_groups has none of this server's groups, and TLS 1.2 has no "
                       "suite in common that does without") != NULL);
    CHECK(strstr(said, "  code      NO_SHARED_GROUP\n") != NULL);
    done(&p);
}

static void test_no_shared_suite(void)
{
    struct pair p = prepare(rsa);
    CHECK(hf_config_set_ciphers(p.client_config, "ECDHE-ECDSA-AES128-GCM-SHA256"));
    CHECK(hf_config_set_versions(p.client_config, HF_TLS1_2, HF_TLS1_2));
    run(&p, NULL);
    CHECK_STR(explained(p.server),
              "No cipher suite is allowed by both sides: the client offers 1 suite, "
              "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256 first, for TLS 1.2; this server allows "
              "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256 first.\n"
              "  where     at the step \"choose a cipher suite\" of the handshake; this is the "
              "server, asked for server.example\n"
              "  fault     either side's: what the two allow does not meet\n"
              "  alert     handshake_failure (40), for the peer\n"
              "  means     all suites that the client offers need a certificate with an ECDSA "
              "key, and this server has none\n"
              "  suites    allowed here: TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256\n"
              "            offered by the client: TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256\n"
              "            in common: none\n"
              "  try       add such a certificate beside the others with "
              "hf_config_add_credential()\n"
              "  rule      RFC 5246 7.4.1.3\n"
              "  code      NO_SHARED_SUITE\n");
    CHECK_STR(explained(p.client),
              "The peer ended the connection with an alert: handshake_failure (40).\n"
              "  where     at the step \"ServerHello\" of the handshake; this is the client, "
              "connecting to server.example\n"
              "  fault     either side's: what the two allow does not meet\n"
              "  alert     handshake_failure (40), sent by the peer\n"
              "  means     the server found nothing in the ClientHello that it can work with: "
              "no common cipher suite, group or signature algorithm, or no certificate for "
              "this name\n"
              "  versions  offered: TLS 1.2\n"
              "  suites    offered: TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256\n"
              "  groups    offered: x25519, secp256r1\n"
              "  schemes   offered: ecdsa_secp256r1_sha256, rsa_pss_rsae_sha256\n"
              "  try       compare what was offered with what the server allows, and check "
              "that the server name is right; an old device may need suites that are not "
              "offered unless asked for: hf_config_set_ciphers(\"DEFAULT\")\n"
              "  rule      RFC 8446 6.2\n"
              "  code      ALERT_RECEIVED\n");
    done(&p);
}

static void test_small_group(void)
{
    struct pair p = prepare(rsa);
    only(p.server_config, HF_TLS1_2, HF_TLS1_2);
    /* Else the certificate's key would be too small first. */
    CHECK(hf_config_insecure_no_verify(p.client_config));
    CHECK(hf_config_set_ciphers(p.server_config, "DHE-RSA-AES128-GCM-SHA256"));
    CHECK(hf_config_set_ciphers(p.client_config, "DHE-RSA-AES128-GCM-SHA256"));
    CHECK(hf_config_set_security_level(p.client_config, 3));
    run(&p, NULL);
    CHECK_STR(explained(p.client),
              "The finite-field group that the server sent is too small: a prime of 2048 "
              "bits.\n"
              "  where     at the step \"ServerKeyExchange\" of the handshake; this is the "
              "client, connecting to server.example\n"
              "  fault     the peer's\n"
              "  alert     insufficient_security (71), for the peer\n"
              "  means     at this side's security level, 3, such a group needs 3072 bits: "
              "with fewer, who listens may compute the keys\n"
              "  agreed    TLS 1.2, TLS_DHE_RSA_WITH_AES_128_GCM_SHA256\n"
              "  try       give the server a larger group, or better suites with ECDHE; for an "
              "old device that cannot, leave the DHE suites out of hf_config_set_ciphers()\n"
              "  rule      RFC 7919 3\n"
              "  code      WEAK_DH\n");
    CHECK_STR(explained(p.server),
              "The peer ended the connection with an alert: insufficient_security (71).\n"
              "  where     at the step \"ClientKeyExchange\" of the handshake; this is the "
              "server, asked for server.example\n"
              "  fault     the peer's\n"
              "  alert     insufficient_security (71), sent by the peer\n"
              "  means     the client finds something that this server chose too weak: its "
              "suite, its group or the key of its certificate\n"
              "  agreed    TLS 1.2, TLS_DHE_RSA_WITH_AES_128_GCM_SHA256, ffdhe2048\n"
              "  try       use suites with ECDHE, and groups and keys that are not the "
              "smallest\n"
              "  rule      RFC 5246 7.2.2\n"
              "  code      ALERT_RECEIVED\n");
    done(&p);
}

static void test_unpatched(void)
{
    struct pair p = prepare(rsa);
    connect_both(&p);
    answer(&p, &(struct old_hello){3, 3, 0xc02f, false, false});
    CHECK_STR(explained(p.client),
              "The peer does not support secure renegotiation: the server did not answer it.\n"
              "  where     at the step \"ServerHello\" of the handshake; "
              "ServerHello.extensions.renegotiation_info; this is the client, connecting to "
              "server.example\n"
              "  fault     the peer's\n"
              "  alert     handshake_failure (40), for the peer\n"
              "  means     the server lacks a repair of 2010: somebody in the middle could put "
              "words of his own in front of what this client says\n"
              "  agreed    TLS 1.2, TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256\n"
              "  try       update the server; for an old device that cannot be, accept the "
              "danger with hf_config_insecure_allow_unpatched()\n"
              "  rule      RFC 5746 3.4\n"
              "  code      UNSAFE_RENEGOTIATION\n");
    done(&p);
}

static uint8_t *find_extension(uint8_t *p, size_t len, uint8_t high, uint8_t low)
{
    size_t at = 5 + 4 + 2 + 32;
    at += 1u + p[at];
    at += 2u + (size_t)(p[at] << 8 | p[at + 1]);
    at += 1u + p[at];
    at += 2;
    while (at + 4 <= len && !(p[at] == high && p[at + 1] == low))
        at += 4u + (size_t)(p[at + 2] << 8 | p[at + 3]);
    return at + 4 <= len ? p + at : NULL;
}

static void ask_for_sha1(uint8_t *p, size_t len, bool to_server)
{
    uint8_t *x = to_server && p[0] == 22 && p[5] == 1 ? find_extension(p, len, 0, 13) : NULL;
    for (size_t i = 6; x && i < 4u + x[3]; i += 2) {
        x[i] = 2;
        x[i + 1] = 1;
    }
}

static void test_sha1(void)
{
    struct pair p = prepare(rsa);
    only(p.server_config, HF_TLS1_2, HF_TLS1_2);
    CHECK(hf_config_set_signatures(p.server_config, "rsa_pkcs1_sha1"));
    run(&p, NULL);
    CHECK_STR(explained(p.server),
              "No signature algorithm is allowed by both sides and fits the certificate: no "
              "key of this server can make a signature that the client accepts.\n"
              "  where     at the step \"choose a cipher suite\" of the handshake; this is the "
              "server, asked for server.example\n"
              "  fault     either side's: what the two allow does not meet\n"
              "  alert     handshake_failure (40), for the peer\n"
              "  schemes   allowed here: rsa_pkcs1_sha1\n"
              "            offered by the client: ecdsa_secp256r1_sha256, rsa_pss_rsae_sha256\n"
              "            in common: none\n"
              "  try       allow one of the client's schemes with hf_config_set_signatures() "
              "(those with SHA-1 count only at security level 0), or update the client\n"
              "  rule      RFC 5246 7.4.1.4.1\n"
              "  code      NO_SHARED_SIGNATURE\n");
    CHECK_STR(explained(p.client),
              "The peer ended the connection with an alert: handshake_failure (40).\n"
              "  where     at the step \"ServerHello\" of the handshake; this is the client, "
              "connecting to server.example\n"
              "  fault     either side's: what the two allow does not meet\n"
              "  alert     handshake_failure (40), sent by the peer\n"
              "  means     the server found nothing in the ClientHello that it can work with: "
              "no common cipher suite, group or signature algorithm, or no certificate for "
              "this name\n"
              "  versions  offered: TLS 1.3, TLS 1.2\n"
              "  suites    offered: TLS_AES_128_GCM_SHA256, "
              "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256\n"
              "  groups    offered: x25519, secp256r1\n"
              "  schemes   offered: ecdsa_secp256r1_sha256, rsa_pss_rsae_sha256\n"
              "  try       compare what was offered with what the server allows, and check "
              "that the server name is right; an old device may need suites that are not "
              "offered unless asked for: hf_config_set_ciphers(\"DEFAULT\")\n"
              "  rule      RFC 8446 6.2\n"
              "  code      ALERT_RECEIVED\n");
    done(&p);
    p = prepare(rsa);
    only(p.server_config, HF_TLS1_2, HF_TLS1_2);
    CHECK(hf_config_set_signatures(p.server_config, "rsa_pkcs1_sha1"));
    run(&p, ask_for_sha1);
    CHECK_STR(explained(p.client),
              "The peer signed with an algorithm that was not offered or does not fit its key: "
              "rsa_pkcs1_sha1 (0x0201) was not offered.\n"
              "  where     at the step \"ServerKeyExchange\" of the handshake; this is the "
              "client, connecting to server.example\n"
              "  fault     the peer's\n"
              "  alert     illegal_parameter (47), for the peer\n"
              "  means     the server does not keep to the signature algorithms of the "
              "ClientHello: very old ones sign with SHA-1 whatever they are told\n"
              "  schemes   offered: ecdsa_secp256r1_sha256, rsa_pss_rsae_sha256\n"
              "  agreed    TLS 1.2, TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256, x25519\n"
              "  try       update the server; for an old device that knows nothing better, "
              "allow its scheme with hf_config_set_signatures() (those with SHA-1 only at "
              "security level 0)\n"
              "  rule      RFC 5246 4.7\n"
              "  code      WRONG_SIGNATURE_ALGORITHM\n");
    CHECK_STR(explained(p.server),
              "The peer ended the connection with an alert: illegal_parameter (47).\n"
              "  where     at the step \"ClientKeyExchange\" of the handshake; this is the "
              "server, asked for server.example\n"
              "  fault     the peer's\n"
              "  alert     illegal_parameter (47), sent by the peer\n"
              "  means     the client takes a value in this server's messages for forbidden\n"
              "  agreed    TLS 1.2, TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256, x25519\n"
              "  try       this may be a bug of either side: record the handshake with "
              "`handfast trace`\n"
              "  rule      RFC 5246 7.2.2\n"
              "  code      ALERT_RECEIVED\n");
    done(&p);
}

static void test_fallback(void)
{
    struct pair p = prepare(rsa);
    CHECK(hf_config_set_versions(p.client_config, HF_TLS1_2, HF_TLS1_2));
    CHECK(hf_config_set_fallback(p.client_config, true));
    run(&p, NULL);
    CHECK_STR(explained(p.server),
              "The client says that it fell back to an old version, but this server allows a "
              "newer one: TLS 1.2 at most, this server allows TLS 1.3.\n"
              "  where     at the step \"negotiate\" of the handshake; this is the server, "
              "asked for server.example\n"
              "  fault     the peer's\n"
              "  alert     inappropriate_fallback (86), for the peer\n"
              "  means     the client gave up newer versions after a handshake had failed, and "
              "need not have\n"
              "  try       if it is always the same client: find out why its first handshake "
              "fails, before it tries an older version; else something between the two may be "
              "forcing that\n"
              "  rule      RFC 7507 3\n"
              "  code      INAPPROPRIATE_FALLBACK\n");
    CHECK_STR(explained(p.client),
              "The peer ended the connection with an alert: inappropriate_fallback (86).\n"
              "  where     at the step \"ServerHello\" of the handshake; this is the client, "
              "connecting to server.example\n"
              "  fault     the peer's\n"
              "  alert     inappropriate_fallback (86), sent by the peer\n"
              "  means     this client says that it fell back to an old version, and the "
              "server allows a newer one\n"
              "  try       offer all versions again, without hf_config_set_fallback(); if that "
              "fails, something between the two breaks newer versions: connect from another "
              "network\n"
              "  rule      RFC 8446 6.2\n"
              "  code      ALERT_RECEIVED\n");
    done(&p);
}

static void test_unknown_psk(void)
{
    static const uint8_t key[16] = "0123456789abcdef";
    struct pair p = prepare(rsa);
    hf_config *both[] = {p.client_config, p.server_config};
    for (size_t i = 0; i < 2; i++) {
        const char *name = i ? "door" : "window";
        only(both[i], HF_TLS1_2, HF_TLS1_2);
        CHECK(hf_config_set_ciphers(both[i],
                                    "ECDHE-PSK-AES128-CBC-SHA256:PSK-AES128-GCM-SHA256"));
        CHECK(hf_config_add_psk(both[i], (const uint8_t *)name, strlen(name), key, 16));
    }
    run(&p, NULL);
    CHECK_STR(explained(p.server),
              "The pre-shared key's identity is not known here: 6 bytes of identity.\n"
              "  where     at the step \"find the pre-shared key\" of the handshake; this is "
              "the server, asked for server.example\n"
              "  fault     the peer's\n"
              "  alert     unknown_psk_identity (115), for the peer\n"
              "  identity  window (the pre-shared key's, sent by the client)\n"
              "  agreed    TLS 1.2, TLS_ECDHE_PSK_WITH_AES_128_CBC_SHA256, x25519\n"
              "  try       add the client's identity and its key with hf_config_add_psk(), or "
              "correct the identity at the client\n"
              "  rule      RFC 4279 2\n"
              "  code      UNKNOWN_PSK\n");
    CHECK_STR(explained(p.client),
              "The peer ended the connection with an alert: unknown_psk_identity (115).\n"
              "  where     at the step \"NewSessionTicket\" of the handshake; this is the "
              "client, connecting to server.example\n"
              "  fault     the peer's\n"
              "  alert     unknown_psk_identity (115), sent by the peer\n"
              "  means     the server does not know the identity of the pre-shared key\n"
              "  identity  window (the pre-shared key's, sent by this client)\n"
              "  agreed    TLS 1.2, TLS_ECDHE_PSK_WITH_AES_128_CBC_SHA256, x25519\n"
              "  try       check the identity and the key on both sides: hf_config_add_psk()\n"
              "  rule      RFC 5246 7.2.2\n"
              "  code      ALERT_RECEIVED\n");
    done(&p);
}

/* Two keys for one identity: the first thing that cannot be read is the client's Finished. */
static void test_other_psk(void)
{
    struct pair p = prepare(rsa);
    hf_config *both[] = {p.client_config, p.server_config};
    for (size_t i = 0; i < 2; i++) {
        const uint8_t *key = (const uint8_t *)(i ? "0123456789abcdef" : "0123456789abcdeg");
        CHECK(hf_config_set_versions(both[i], HF_TLS1_2, HF_TLS1_2));
        CHECK(hf_config_set_ciphers(both[i], "PSK-AES128-GCM-SHA256"));
        CHECK(hf_config_add_psk(both[i], (const uint8_t *)"door", 4, key, 16));
    }
    run(&p, NULL);
    CHECK_STR(explained(p.server),
              "A record from the peer cannot be decrypted: it was changed on the way or the "
              "keys differ: record 0, 40 bytes.\n"
              "  where     at the step \"client Finished\" of the handshake; this is the "
              "server, asked for server.example\n"
              "  fault     the peer's\n"
              "  alert     bad_record_mac (20), for the peer\n"
              "  means     most likely the two sides have different keys for the same "
              "identity\n"
              "  identity  door (the pre-shared key's, sent by the client)\n"
              "  agreed    TLS 1.2, TLS_PSK_WITH_AES_128_GCM_SHA256\n"
              "  try       compare the keys that both sides have for this identity: "
              "hf_config_add_psk()\n"
              "  rule      RFC 5246 6.2.3\n"
              "  code      BAD_RECORD_MAC\n");
    CHECK_STR(explained(p.client),
              "The peer ended the connection with an alert: bad_record_mac (20).\n"
              "  where     at the step \"NewSessionTicket\" of the handshake; this is the "
              "client, connecting to server.example\n"
              "  fault     the peer's\n"
              "  alert     bad_record_mac (20), sent by the peer\n"
              "  means     most likely the two sides have different keys for the same "
              "identity\n"
              "  identity  door (the pre-shared key's, sent by this client)\n"
              "  agreed    TLS 1.2, TLS_PSK_WITH_AES_128_GCM_SHA256\n"
              "  try       compare the keys that both sides have for this identity: "
              "hf_config_add_psk()\n"
              "  rule      RFC 5246 7.2.2\n"
              "  code      ALERT_RECEIVED\n");
    done(&p);
}

static void without_ems(uint8_t *p, size_t len, bool to_server)
{
    uint8_t *x = to_server && p[0] == 22 && p[5] == 1 ? find_extension(p, len, 0, 23) : NULL;
    if (x)
        x[0] = x[1] = 0x1a; /* a number that means nothing (RFC 8701) */
}

static void test_no_ems(void)
{
    struct pair p = prepare(rsa);
    CHECK(hf_config_require_ems(p.client_config, true));
    connect_both(&p);
    answer(&p, &(struct old_hello){3, 3, 0xc02f, true, false});
    CHECK_STR(explained(p.client),
              "The peer does not support extended_master_secret, which is required here: it is "
              "missing.\n"
              "  where     at the step \"ServerHello\" of the handshake; "
              "ServerHello.extensions.extended_master_secret; this is the client, connecting "
              "to server.example\n"
              "  fault     the peer's\n"
              "  alert     handshake_failure (40), for the peer\n"
              "  agreed    TLS 1.2, TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256\n"
              "  try       update the server, or do not require extended_master_secret\n"
              "  rule      RFC 7627 5.2\n"
              "  code      NO_EMS\n");
    done(&p);
    p = prepare(rsa);
    CHECK(hf_config_require_ems(p.server_config, true));
    CHECK(hf_config_set_versions(p.client_config, HF_TLS1_2, HF_TLS1_2));
    run(&p, without_ems);
    CHECK_STR(explained(p.server),
              "The peer does not support extended_master_secret, which is required here: it is "
              "missing.\n"
              "  where     at the step \"negotiate\" of the handshake; "
              "ClientHello.extensions.extended_master_secret; this is the server, asked for "
              "server.example\n"
              "  fault     the peer's\n"
              "  alert     handshake_failure (40), for the peer\n"
              "  try       update the client, or do not require extended_master_secret\n"
              "  rule      RFC 7627 5.2\n"
              "  code      NO_EMS\n");
    CHECK_STR(explained(p.client),
              "The peer ended the connection with an alert: handshake_failure (40).\n"
              "  where     at the step \"ServerHello\" of the handshake; this is the client, "
              "connecting to server.example\n"
              "  fault     either side's: what the two allow does not meet\n"
              "  alert     handshake_failure (40), sent by the peer\n"
              "  means     the server found nothing in the ClientHello that it can work with: "
              "no common cipher suite, group or signature algorithm, or no certificate for "
              "this name\n"
              "  versions  offered: TLS 1.2\n"
              "  suites    offered: TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256\n"
              "  groups    offered: x25519, secp256r1\n"
              "  schemes   offered: ecdsa_secp256r1_sha256, rsa_pss_rsae_sha256\n"
              "  try       compare what was offered with what the server allows, and check "
              "that the server name is right; an old device may need suites that are not "
              "offered unless asked for: hf_config_set_ciphers(\"DEFAULT\")\n"
              "  rule      RFC 8446 6.2\n"
              "  code      ALERT_RECEIVED\n");
    done(&p);
}

static void test_no_client_certificate(void)
{
    struct pair p = prepare(rsa);
    CHECK(hf_config_set_versions(p.client_config, HF_TLS1_2, HF_TLS1_2));
    trust(p.server_config, rsa);
    CHECK(hf_config_set_client_auth(p.server_config, HF_CLIENT_AUTH_REQUIRE));
    run(&p, NULL);
    CHECK_STR(explained(p.server),
              "The client sent no certificate and this server requires one: its Certificate "
              "message is empty.\n"
              "  where     at the step \"client Certificate\" of the handshake; this is the "
              "server, asked for server.example\n"
              "  fault     the peer's\n"
              "  alert     handshake_failure (40), for the peer\n"
              "  agreed    TLS 1.2, TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256, x25519\n"
              "  try       give the client a certificate, or ask without requiring "
              "(HF_CLIENT_AUTH_REQUEST)\n"
              "  rule      RFC 5246 7.4.6\n"
              "  code      NO_CLIENT_CERTIFICATE\n");
    CHECK_STR(explained(p.client),
              "The peer ended the connection with an alert: handshake_failure (40).\n"
              "  where     at the step \"NewSessionTicket\" of the handshake; this is the "
              "client, connecting to server.example\n"
              "  fault     the peer's\n"
              "  alert     handshake_failure (40), sent by the peer\n"
              "  means     the server asked for a client certificate, got none, and broke off\n"
              "  agreed    TLS 1.2, TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256, x25519\n"
              "  try       configure a certificate and key with hf_config_add_credential()\n"
              "  rule      RFC 5246 7.2.2\n"
              "  code      ALERT_RECEIVED\n");
    done(&p);
}

static void test_ssl3(void)
{
    struct pair p = prepare(rsa);
    connect_both(&p);
    answer(&p, &(struct old_hello){0, 0, 0x000a, false, false});
    CHECK_STR(explained(p.client),
              "The peer speaks SSL 3.0, which is prohibited: the server chose it.\n"
              "  where     at the step \"ServerHello\" of the handshake; this is the client, "
              "connecting to server.example\n"
              "  fault     the peer's\n"
              "  alert     protocol_version (70), for the peer\n"
              "  means     the server knows nothing newer than SSL 3.0, which anybody in the "
              "middle can read (POODLE)\n"
              "  try       update the server: SSL 3.0 cannot be allowed, not even for old "
              "devices\n"
              "  rule      RFC 7568\n"
              "  code      SSL3_PEER\n");
    static const uint8_t hello[] = {22, 3,  0,  0,  45, 1,  0,  0,  41, 3,  0,  1,  2,
                                    3,  4,  5,  6,  7,  8,  9,  10, 11, 12, 13, 14, 15,
                                    16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28,
                                    29, 30, 31, 32, 0,  0,  2,  0,  10, 1,  0};
    hand(p.server, hello, sizeof hello);
    CHECK_STR(explained(p.server),
              "The peer speaks SSL 3.0, which is prohibited: legacy_version is 0x0300.\n"
              "  where     at the step \"ClientHello\" of the handshake; ClientHello at byte "
              "45; this is the server\n"
              "  fault     the peer's\n"
              "  alert     protocol_version (70), for the peer\n"
              "  means     the client knows nothing newer than SSL 3.0, which anybody in the "
              "middle can read (POODLE)\n"
              "  try       update the client: SSL 3.0 cannot be allowed, not even for old "
              "devices\n"
              "  rule      RFC 7568\n"
              "  code      SSL3_PEER\n");
    done(&p);
}

/* A server that refuses a session refuses the whole hello: the client's diagnosis thinks of the session. */
static hf_session *kept;

static void keep(hf_conn *conn, hf_session *session, void *arg)
{
    (void)conn;
    (void)arg;
    hf_session_free(kept);
    kept = hf_session_ref(session);
}

static void test_refused_session(void)
{
    hf_error err;
    struct pair p = prepare(rsa);
    CHECK(hf_config_set_versions(p.client_config, HF_TLS1_2, HF_TLS1_2));
    CHECK(hf_config_set_session_callback(p.client_config, keep, NULL));
    run(&p, NULL);
    CHECK(!hf_conn_error(p.client) && kept);
    hf_conn_free(p.client);
    hf_conn_free(p.server);
    p.client = hf_conn_new_client(p.client_config, "server.example", &err);
    p.server = hf_conn_new_server(p.server_config, &err);
    CHECK(hf_conn_set_session(p.client, kept));
    (void)hf_conn_handshake(p.client);
    CHECK(carry(p.client, p.server, without_ems));
    CHECK(carry(p.server, p.client, NULL));
    CHECK(strstr(explained(p.server),
                 "\n  try       the client must forget its session; restarting it helps\n"
                 "  rule      RFC 7627 5.3\n"));
    CHECK(strstr(explained(p.client), "or does not accept the session that was offered"));
    CHECK(strstr(text, "\n  try       forget the saved session and connect again; "));
    hf_session_free(kept);
    kept = NULL;
    done(&p);
}

/* A client that stops at TLS 1.2 is told that there is something newer. */
static void test_server_of_tls13(void)
{
    struct pair p = prepare(rsa);
    CHECK(hf_config_set_versions(p.client_config, HF_TLS1_2, HF_TLS1_2));
    CHECK(hf_config_set_versions(p.server_config, HF_TLS1_3, HF_TLS1_3));
    run(&p, NULL);
    CHECK(strstr(explained(p.server),
                 "\n  means     the client does not know TLS 1.3, and this "
                 "server allows nothing older\n"));
    CHECK(strstr(explained(p.client), "\n  try       offer TLS 1.3 too: "));
    done(&p);
}

static void test_expired(void)
{
    struct pki_spec spec = {.kind = PKI_RSA,
                            .subject = "Old Leaf",
                            .names = "DNS:server.example",
                            .not_after = PKI_NOW - 3 * PKI_DAY};
    struct pki_cert *leaf = pki_make(&spec, rsa->mid);
    char *bundle = pki_text(leaf->key_pem, leaf->pem, rsa->mid->pem, NULL);
    struct pair p = prepare(rsa);
    hf_config_free(p.server_config);
    p.server_config = hf_config_new(HF_SERVER);
    add_credential(p.server_config, bundle);
    CHECK(hf_config_set_versions(p.client_config, HF_TLS1_2, HF_TLS1_2));
    run(&p, NULL);
    CHECK_STR(explained(p.client),
              "The certificate has expired: certificate 0 'CN=Old Leaf' expired on 2026-09-18 "
              "14:13:20 UTC, 3 days ago.\n"
              "  where     at the step \"verify the chain\" of the handshake; this is the "
              "client, connecting to server.example\n"
              "  fault     the peer's\n"
              "  alert     certificate_expired (45), for the peer\n"
              "  agreed    TLS 1.2, TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256\n"
              "  cert      the peer's own (libcrypto's verdict 10)\n"
              "            CN=Old Leaf, issued by CN=Test Intermediate\n"
              "            valid from 2020-01-01 00:00:00 UTC to 2026-09-18 14:13:20 UTC, for "
              "DNS:server.example\n"
              "  try       the server's administrator must renew the certificate; if it looks "
              "valid, check this machine's clock\n"
              "  rule      RFC 5280 4.1.2.5\n"
              "  code      EXPIRED\n");
    CHECK_STR(explained(p.server),
              "The peer ended the connection with an alert: certificate_expired (45).\n"
              "  where     at the step \"ClientKeyExchange\" of the handshake; this is the "
              "server, asked for server.example\n"
              "  fault     the peer's\n"
              "  alert     certificate_expired (45), sent by the peer\n"
              "  means     the client says that this server's certificate, or one of its "
              "issuers', has expired\n"
              "  agreed    TLS 1.2, TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256, x25519\n"
              "  try       renew it; if it is still valid, the client's clock is wrong or its "
              "list of roots is old\n"
              "  rule      RFC 5246 7.2.2\n"
              "  code      ALERT_RECEIVED\n");
    done(&p);
    free(bundle);
    pki_free(leaf);
}

static void without_versions(uint8_t *p, size_t len, bool to_server)
{
    uint8_t *x = to_server && p[0] == 22 && p[5] == 1 ? find_extension(p, len, 0, 43) : NULL;
    if (x)
        x[0] = x[1] = 0x1a;
}

static void test_downgrade(void)
{
    struct pair p = prepare(rsa);
    run(&p, without_versions);
    CHECK_STR(explained(p.client),
              "The server's random says that both sides could have used a newer version: "
              "somebody may be forcing an old one: the server chose TLS 1.2, but both sides "
              "know better.\n"
              "  where     at the step \"ServerHello\" of the handshake; this is the client, "
              "connecting to server.example\n"
              "  fault     the peer's\n"
              "  alert     illegal_parameter (47), for the peer\n"
              "  try       look for a proxy or a virus scanner that opens TLS, and update or "
              "bypass it; connect from another network: if that helps, something in this one "
              "tampers with TLS\n"
              "  rule      RFC 8446 4.1.3\n"
              "  code      DOWNGRADE\n");
    CHECK_STR(explained(p.server),
              "The peer ended the connection with an alert: illegal_parameter (47).\n"
              "  where     at the step \"ClientKeyExchange\" of the handshake; this is the "
              "server, asked for server.example\n"
              "  fault     the peer's\n"
              "  alert     illegal_parameter (47), sent by the peer\n"
              "  means     the client may know newer versions than its ClientHello said when "
              "it arrived here, and take that for an attack\n"
              "  agreed    TLS 1.2, TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256, x25519\n"
              "  try       something between the two changes handshakes: connect from another "
              "network, or without the proxy\n"
              "  rule      RFC 5246 7.2.2\n"
              "  code      ALERT_RECEIVED\n");
    done(&p);
}

int main(void)
{
    rsa = pki_new(PKI_RSA, "DNS:server.example");
    RUN(test_server_of_tls10);
    RUN(test_server_of_tls12_for_client_of_13);
    RUN(test_server_refuses_versions);
    RUN(test_client_of_tls10);
    RUN(test_no_shared_group);
    RUN(test_no_shared_suite);
    RUN(test_small_group);
    RUN(test_unpatched);
    RUN(test_sha1);
    RUN(test_fallback);
    RUN(test_unknown_psk);
    RUN(test_other_psk);
    RUN(test_no_ems);
    RUN(test_no_client_certificate);
    RUN(test_ssl3);
    RUN(test_refused_session);
    RUN(test_server_of_tls13);
    RUN(test_expired);
    RUN(test_downgrade);
    pki_clear(rsa);
    return check_done();
}
