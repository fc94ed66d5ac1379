#include "cli/trace_page.h"

#include <stdio.h>
#include <string.h>

/* What is good and what is bad about a connection of TLS 1.2 or older: there, unlike in TLS 1.3, much depends
 * on the suite and on repairs that one side may lack. */

static bool is(const char *s, const char *what)
{
    return s && strcmp(s, what) == 0;
}

static bool is_aead(const struct page *p)
{
    return is(p->suite.mac, "AEAD");
}

static bool is_ephemeral(const struct page *p)
{
    const char *kx = p->suite.key_exchange;
    return kx && (strncmp(kx, "ECDHE", 5) == 0 || strncmp(kx, "DHE", 3) == 0);
}

void verdict_suite12(const struct page *p, char out[160])
{
    const hf_suite_info *s = &p->suite;
    bool chacha = s->encryption && strncmp(s->encryption, "CHACHA", 6) == 0;
    bool gcm = s->encryption && strstr(s->encryption, "GCM");
    bool ccm = s->encryption && strstr(s->encryption, "CCM");
    out[0] = '\0';
    if (!s->name)
        return;
    if (chacha)
        snprintf(out, 160, "the ChaCha20 stream cipher with Poly1305");
    else if (s->bits == 0)
        snprintf(out, 160, "no encryption, only a MAC with %s", s->mac);
    else if (is_aead(p))
        snprintf(out, 160, "AES with %u-bit keys in %s", s->bits,
                 gcm   ? "Galois/Counter Mode"
                 : ccm ? "counter mode with CBC-MAC"
                       : "an AEAD mode");
    else
        snprintf(out, 160, "%.*s with %u-bit keys in CBC mode, with an HMAC of %s%s",
                 (int)strcspn(s->encryption, "("), s->encryption, s->bits, s->mac,
                 p->etm ? " over the ciphertext" : "");
}

const char *verdict_exchange12(const struct page *p)
{
    const char *kx = p->suite.key_exchange;
    if (is(kx, "RSA"))
        return "the client encrypts the secret for the key in the server's certificate";
    if (is(kx, "PSK"))
        return "a key that both sides had before";
    if (is(kx, "DHE"))
        return "Diffie-Hellman in a finite field that the server chose";
    if (is(kx, "ECDHE-PSK") || is(kx, "DHE-PSK"))
        return "Diffie-Hellman, and a key that both sides had before";
    return "";
}

/* ---------------------------------------------------------------- points */

static void judge_version(struct page *p)
{
    if (p->version >= HF_TLS1_2)
        verdict_point(
            p, false,
            "TLS 1.2, not the current version: safe if it is used well (see the other points), but "
            "certificates travel in clear text, and a new session costs one round trip more.");
    else if (p->version == HF_TLS1_1)
        verdict_point(
            p, false,
            "TLS 1.1 is of 2006 and given up since 2021 (RFC 8996): the handshake rests on MD5 and "
            "SHA-1, and it has no modern ciphers.");
    else
        verdict_point(
            p, false,
            "TLS 1.0 is of 1999 and given up since 2021 (RFC 8996): the handshake rests on MD5 and "
            "SHA-1, it has no modern ciphers, and the IVs of its records can be predicted (BEAST).");
}

static void judge_resumption(struct page *p)
{
    if (p->facts->resumed_by == RESUMED_BY_TICKET)
        verdict_point(
            p, false,
            "No forward secrecy of its own: the keys come from the old session's master secret, which "
            "travelled in the ticket. Whoever gets the key of the server's tickets later can read this "
            "connection, and the one before.");
    else
        verdict_point(
            p, false,
            "No forward secrecy of its own: the keys come from the old session's master secret. As long "
            "as either side remembers that, it can be stolen, and this connection be read.");
}

static void judge_exchange(struct page *p)
{
    const char *kx = p->suite.key_exchange;
    if (p->facts->resumed) {
        judge_resumption(p);
        return;
    }
    if (is(kx, "RSA"))
        verdict_point(
            p, false,
            "No forward secrecy: the client sent the root of all keys, encrypted for the server's "
            "certificate. Whoever records this connection and gets the server's private key one day, by "
            "theft, by order or from an old backup, reads everything: what was asked, what was answered, "
            "every password.");
    else if (is(kx, "PSK"))
        verdict_point(
            p, false,
            "No forward secrecy: whoever records this connection and gets the pre-shared key one "
            "day reads everything.");
    if (!is_ephemeral(p))
        return;
    verdict_point(
        p, true,
        "Forward secrecy: the keys come from a fresh exchange. Whoever steals the server's "
        "private key later cannot read what was recorded today.");
    verdict_point(
        p, false,
        "The key exchange is not post-quantum, and cannot be in this version: what is recorded "
        "today could be read by a large quantum computer of the future.");
}

static void judge_records(struct page *p)
{
    if (!p->suite.name)
        return;
    if (p->suite.bits == 0)
        verdict_point(
            p, false,
            "Nothing is encrypted: who watches the line reads all of it. The records are only "
            "protected against changes.");
    else if (is_aead(p))
        verdict_point(
            p, true,
            "The records are protected by an AEAD: encryption and integrity in one piece, with "
            "nothing in between to attack.");
    else if (p->etm)
        verdict_point(
            p, true,
            "A CBC suite, but with encrypt-then-MAC: forged records are refused before anything "
            "is decrypted, so that the attacks on CBC padding find nothing.");
    else
        verdict_point(
            p, false,
            "A CBC suite with the MAC inside the encryption: a design that was broken again and again "
            "(Lucky Thirteen, POODLE), and is safe only as long as the code betrays nothing by its timing. "
            "encrypt_then_mac or an AEAD suite would be better.");
    if (p->suite.encryption && strstr(p->suite.encryption, "CCM8"))
        verdict_point(
            p, false,
            "The tags have only 8 bytes, meant for small devices: a forgery succeeds more easily.");
}

static bool is_sha1(const struct trace_facts *f)
{
    return f->signature == 0x0201 || f->signature == 0x0203 ||
           (f->signature && f->version < HF_TLS1_2);
}

static void judge_repairs(struct page *p)
{
    const struct trace_facts *f = p->facts;
    verdict_point(
        p, f->ems,
        f->ems
            ? "Extended master secret: the keys belong to this very handshake and cannot be made "
              "to appear in another connection."
            : "No extended master secret: somebody in the middle could arrange two connections "
              "with the same keys (the triple handshake attack).");
    verdict_point(
        p, f->secure,
        f->secure
            ? "Both sides know the repair of renegotiation (RFC 5746): nobody can put his own words "
              "in front of what the client says."
            : "The peer lacks the repair of renegotiation (RFC 5746): somebody in the middle may "
              "have put his own words in front of what the client says.");
    if (is_sha1(f) && !f->resumed)
        verdict_point(
            p, false,
            "The server's signature over the key exchange is made with SHA-1, for which collisions "
            "can be computed.");
}

static void judge_extras(struct page *p)
{
    const struct trace_facts *f = p->facts;
    if (f->ocsp)
        verdict_point(
            p, true,
            "The server stapled an OCSP response: fresh word of the issuer that the certificate "
            "was not revoked.");
    if (f->scts)
        verdict_point(
            p, true,
            "The certificate came with timestamps of public logs (Certificate Transparency).");
}

void verdict_judge12(struct page *p)
{
    judge_version(p);
    judge_exchange(p);
    judge_records(p);
    judge_repairs(p);
    judge_extras(p);
}
