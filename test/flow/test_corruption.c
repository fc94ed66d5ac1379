/* Every byte of every handshake message changed, and every message cut short at every length, before
 * it is protected: the other side must refuse it, without a crash, and never finish a handshake that
 * the two sides saw differently. */
#include "../unit/check.h"
#include "pair.h"

#include <stdio.h>
#include <stdlib.h>

#include "../unit/packer.h"
#include "connection/conn.h"

enum { MAX_ROWS = 40 };

/* What the extra row does to the message that was just put into the flight. */
static struct {
    bool cut;  /* leave out all from `at` on, and correct the length; else change the byte */
    size_t at; /* in the message, its header counted */
    uint8_t mask;
    size_t length; /* of the message, as seen */
} damage;

static size_t last_message(struct hs *hs)
{
    const uint8_t *p = buffer_front(&hs->flight);
    size_t left = buffer_len(&hs->flight), at = 0;
    for (;;) {
        size_t len =
            MSG_HEADER + ((size_t)p[at + 1] << 16 | (size_t)p[at + 2] << 8 | p[at + 3]);
        if (at + len >= left)
            return at;
        at += len;
    }
}

static enum hs_result do_damage(struct hs *hs)
{
    uint8_t *p = buffer_front(&hs->flight);
    if (!p)
        return HS_OK;
    size_t at = last_message(hs);
    damage.length = buffer_len(&hs->flight) - at;
    if (damage.at >= damage.length)
        return HS_OK;
    if (damage.cut) {
        size_t body = damage.at - MSG_HEADER;
        p[at + 1] = (uint8_t)(body >> 16);
        p[at + 2] = (uint8_t)(body >> 8);
        p[at + 3] = (uint8_t)body;
        hs->flight.end = hs->flight.start + at + damage.at;
    } else {
        p[at + damage.at] ^= damage.mask;
    }
    return HS_OK;
}

static void build_list(struct step *copy, const struct step *list, size_t row)
{
    static const struct step extra = {'.', 0, NULL, false, do_damage, "damage", "RFC 8446 4"};
    size_t n = 0;
    for (size_t i = 0; list[i].kind; i++) {
        copy[n++] = list[i];
        if (i == row) {
            copy[n] = extra;
            copy[n++].when = list[i].when;
        }
    }
    memset(&copy[n], 0, sizeof copy[n]);
}

/* One damaged handshake; false if it was not refused. */
static bool refused(struct pair *p, bool server, const struct step *list, size_t row)
{
    struct step copy[MAX_ROWS];
    build_list(copy, list, row);
    pair_connect(p);
    if (p->sessions)
        hf_conn_set_session(p->client.conn, p->session[0]);
    (server ? &p->server : &p->client)->conn->hs->step = copy;
    damage.length = 0;
    pair_run(p);
    const struct end *good = server ? &p->client : &p->server;
    bool shaken = !(hf_conn_wants(good->conn) & (HF_IN_HANDSHAKE | HF_IS_FAILED));
    const hf_error *err = hf_conn_error(good->conn);
    if (err)
        CHECK(err->fault != HF_FAULT_LOCAL && err->fault != HF_FAULT_CRYPTO);
    pair_reset(p);
    return !shaken;
}

/* Each end shows a raw public key, and knows the other's (RFC 7250). */
static void use_raw_keys(struct pair *p)
{
    hf_credential *raw = hf_credential_raw_key(p->cred, NULL);
    hf_config *ends[2] = {p->client_config, p->server_config};
    CHECK(raw);
    for (int i = 0; i < 2; i++) {
        CHECK(hf_config_add_credential(ends[i], raw));
        CHECK(hf_config_set_certificate_types(ends[i], "RawPublicKey,X509"));
        CHECK(hf_config_set_peer_certificate_types(ends[i], "RawPublicKey,X509"));
        CHECK(hf_config_add_pin_key(ends[i], hf_credential_key_sha256(raw)));
    }
    hf_credential_free(raw);
}

enum kind { PLAIN, RAW, PACKED };

/* With raw keys, and with compressed certificates, only the messages that differ are tried. */
static bool skips(const struct step *row, enum kind kind)
{
    bool differs = row->message == MSG_CLIENT_HELLO || row->message == MSG_CERTIFICATE ||
                   row->message == MSG_ENCRYPTED_EXTENSIONS;
    return row->kind != '>' || row->message == MSG_NEW_SESSION_TICKET ||
           (kind == RAW && !differs) ||
           (row->message == MSG_COMPRESSED_CERTIFICATE) != (kind == PACKED);
}

static void damage_everywhere(bool server, bool cut, enum kind kind)
{
    struct pair p;
    const struct step *list = server ? server13 : client13;
    unsigned long tried = 0;
    pair_init(&p, PKI_P256);
    CHECK(hf_config_add_credential(p.client_config, p.cred));
    CHECK(hf_config_set_trust(p.server_config, p.trust));
    CHECK(hf_config_set_client_auth(p.server_config, HF_CLIENT_AUTH_REQUIRE));
    CHECK(hf_config_set_key_shares(p.client_config, ""));
    CHECK(hf_config_set_alpn(p.client_config, "h2,http/1.1", false));
    CHECK(hf_config_set_alpn(p.server_config, "http/1.1", false));
    hf_config_set_session_callback(p.client_config, NULL, NULL);
    if (kind == RAW)
        use_raw_keys(&p);
    CHECK(kind != PACKED || (packer_add(p.client_config) && packer_add(p.server_config)));
    for (size_t row = 0; list[row].kind; row++) {
        if (skips(&list[row], kind))
            continue;
        damage.cut = cut;
        damage.length = MSG_HEADER + 1;
        size_t length = MSG_HEADER + 1;
        for (size_t at = cut ? MSG_HEADER : 0; at < length; at++) {
            damage.at = at;
            damage.mask = (uint8_t)(1u << (at * 5 + at / 8) % 8);
            bool ok = refused(&p, server, list, row);
            if (damage.length > length)
                length = damage.length;
            if (!ok && at < damage.length)
                printf("    %s: %s at byte %zu was accepted\n", list[row].name,
                       cut ? "cut" : "change", at);
            CHECK(ok || at >= damage.length);
            tried++;
        }
    }
    CHECK(tried > (kind == PLAIN ? 500 : 100));
    pair_clear(&p);
}

static void test_server_messages_changed(void)
{
    damage_everywhere(true, false, PLAIN);
}
static void test_client_messages_changed(void)
{
    damage_everywhere(false, false, PLAIN);
}
static void test_server_messages_cut(void)
{
    damage_everywhere(true, true, PLAIN);
}
static void test_client_messages_cut(void)
{
    damage_everywhere(false, true, PLAIN);
}

static void test_compressed_certificates(void)
{
    for (int i = 0; i < 4; i++)
        damage_everywhere(i & 1, i & 2, PACKED);
}

static void test_raw_keys(void)
{
    for (int i = 0; i < 4; i++)
        damage_everywhere(i & 1, i & 2, RAW);
}

int main(void)
{
    RUN(test_server_messages_changed);
    RUN(test_client_messages_changed);
    RUN(test_server_messages_cut);
    RUN(test_client_messages_cut);
    RUN(test_raw_keys);
    RUN(test_compressed_certificates);
    return check_done();
}
