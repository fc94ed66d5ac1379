#include "cli/explain.h"

#include <stdio.h>

/* What is different in TLS 1.2 and older, or is only there. A name may say in which message it stands. */
/* clang-format off */
static const struct explanation table[] = {
    {'m', "HelloRequest", "RFC 5246 7.4.1.1", "The server would like the client to begin a new handshake on this connection. It belongs to no handshake itself."},
    {'m', "ClientHello", "RFC 5246 7.4.1.2", "The client opens the conversation: the versions, cipher suites, groups and signatures it can use. What it adds for TLS 1.3, such as key shares, goes unused here."},
    {'m', "ServerHello", "RFC 5246 7.4.1.3", "The server chooses: version, cipher suite, and what it answers to the client's extensions. Nothing is encrypted yet, because no keys have been exchanged."},
    {'m', "Certificate", "RFC 5246 7.4.2", "Who this side claims to be: its own certificate first, then the authorities that vouch for it. In TLS 1.2 it travels in clear text: who watches the line can read it."},
    {'m', "CertificateStatus", "RFC 6066 8", "The OCSP response that the client asked for, stapled to the certificate: the issuer's signed word that it was not revoked."},
    {'m', "ServerKeyExchange", "RFC 5246 7.4.3", "The server's half of a fresh key exchange. Its signature covers both randoms and this half, so that nobody can put in a half of his own; what else was said is protected only by Finished."},
    {'m', "CertificateRequest", "RFC 5246 7.4.4", "The server asks the client for a certificate too: which kinds of key and which signatures it accepts, and whose certificates."},
    {'m', "ServerHelloDone", "RFC 5246 7.4.5", "The server has sent all of its flight, and waits for the client."},
    {'m', "CertificateVerify", "RFC 5246 7.4.8", "The proof for the client's certificate: a signature, made with its private key, over everything said so far."},
    {'m', "ClientKeyExchange", "RFC 5246 7.4.7", "The client's half of the key exchange. From here on both sides can compute the same keys, and nobody who only listened can."},
    {'m', "RSA.ClientKeyExchange", "RFC 5246 7.4.7.1", "The root of all keys, made by the client alone and encrypted with the key in the server's certificate. There is no exchange: whoever has that key, now or in ten years, can read it."},
    {'m', "PSK.ClientKeyExchange", "RFC 4279 2", "Which pre-shared key the client means. The keys of this connection come from that one and the two randoms alone."},
    {'m', "ChangeCipherSpec", "RFC 5246 7.1", "One byte that says: all that follows from this side is protected with the new keys. It is a record of its own, no handshake message, and stands in no transcript."},
    {'m', "Finished", "RFC 5246 7.4.9", "The first protected message: a checksum under the master secret over all messages of the handshake. It proves that nobody changed one of them, and that this side has the keys."},
    {'m', "NewSessionTicket", "RFC 5077 3.3", "The session's master secret, encrypted for the server itself: with it the client may come back with a short handshake. In TLS 1.2 it is sent before the keys are in use, in clear text."},
    {'m', "Alert", "RFC 5246 7.2", "A warning, or the end of the connection and why: properly (close_notify) or because of an error."},

    {'e', "supported_groups", "RFC 8422 5.1.1", "The groups in which the client can exchange keys, best first. In TLS 1.2 they also say which curves certificates may use."},
    {'e', "ec_point_formats", "RFC 8422 5.1.2", "How points on a curve may be written. Only the uncompressed form is left."},
    {'e', "signature_algorithms", "RFC 5246 7.4.1.4.1", "The signatures this side can verify, in ServerKeyExchange and in certificates."},
    {'e', "encrypt_then_mac", "RFC 7366 2", "Repairs the order of encryption and MAC in CBC suites: with the MAC over the ciphertext, a forged record is refused before anything is decrypted."},
    {'e', "extended_master_secret", "RFC 7627 5.1", "Binds the master secret to the whole handshake, so that two connections can never share one (the triple handshake attack). TLS 1.3 always does that."},
    {'e', "session_ticket", "RFC 5077 3.2", "In the ClientHello a ticket to come back with, or empty: \"give me one\". In the ServerHello, empty: a new ticket will follow."},
    {'e', "renegotiation_info", "RFC 5746 3.2", "Ties a renegotiation to the handshake before it. Empty in the first one: it then says only that this side knows the repair."},
    {'e', "status_request", "RFC 6066 8", "In the ClientHello: please staple an OCSP response. In the ServerHello, empty: it comes in CertificateStatus."},
    {'e', "key_share", "RFC 8446 4.2.8", "Key shares for TLS 1.3. This server speaks an older version and does not use them."},
    {'e', "psk_key_exchange_modes", "RFC 8446 4.2.9", "How a session of TLS 1.3 might be resumed; without meaning in the version that is spoken."},
    {'e', "supported_versions", "RFC 8446 4.2.1", "The versions the client can speak. A server that knows TLS 1.3 looks here; older ones look at client_version."},
    {'e', "max_fragment_length", "RFC 6066 4", "Asks for smaller records, in steps from 512 to 4096 bytes."},

    {'f', "msg_type", "RFC 5246 7.4", "Which handshake message this is."},
    {'f', "length", "RFC 5246 4.3", "How many bytes follow."},
    {'f', "ClientHello.legacy_version", "RFC 5246 7.4.1.2", "The newest version as old servers see it. A client that knows TLS 1.3 says TLS 1.2 here and the truth in supported_versions."},
    {'f', "ServerHello.legacy_version", "RFC 5246 7.4.1.3", "The version that both sides speak from here on."},
    {'f', "ClientHello.random", "RFC 5246 7.4.1.2", "32 fresh random bytes. Both sides' randoms go into the keys, so that nothing of an earlier handshake can be replayed."},
    {'f', "ServerHello.random", "RFC 5246 7.4.1.3", "32 fresh random bytes. A server that could speak something newer ends them in \"DOWNGRD\": a client that knows better too sees that somebody forced the old version (RFC 8446 4.1.3)."},
    {'f', "legacy_session_id", "RFC 5246 7.4.1.2", "The session the client would like to resume; random if it resumes with a ticket, so that it sees in the echo whether the server took it."},
    {'f', "legacy_session_id_echo", "RFC 5246 7.4.1.3", "The client's own means: the session is resumed. Another one is the name under which this server will remember the new session; empty: it will not."},
    {'f', "cipher_suites", "RFC 5246 A.5", "What the client can use, best first. In TLS 1.2 a suite names everything: key exchange, kind of certificate, encryption and hash."},
    {'f', "cipher_suite", "RFC 5246 A.5", "Key exchange, kind of certificate, encryption and hash in one."},
    {'f', "legacy_compression_methods", "RFC 5246 7.4.1.2", "Only \"null\": compression inside TLS let attackers guess secrets (CRIME) and is given up."},
    {'f', "legacy_compression_method", "RFC 5246 7.4.1.3", "Null: no compression."},
    {'f', "extensions", "RFC 5246 7.4.1.4", "Everything else that is negotiated. In TLS 1.2 all answers stand here, in clear text."},
    {'f', "extension_type", "RFC 5246 7.4.1.4", "Which extension this is."},
    {'f', "extension_data", "RFC 5246 7.4.1.4", "The extension's content."},
    {'f', "certificate_list", "RFC 5246 7.4.2", "The chain, its owner's certificate first. A client that has none sends an empty list."},
    {'f', "cert_data", "RFC 5246 7.4.2", "One X.509 certificate (DER). What it says stands below."},
    {'f', "ASN.1_subjectPublicKeyInfo", "RFC 7250 3", "A raw public key (DER) in place of the list of certificates: whoever gets it must know it beforehand."},
    {'f', "curve_type", "RFC 8422 5.4", "named_curve: the group is known by its number. Other forms are prohibited."},
    {'f', "namedcurve", "RFC 8422 5.4", "The group of the key exchange, one that the client listed."},
    {'f', "public", "RFC 8422 5.4", "The server's public value. Everyone may see it; the private half is used once and thrown away."},
    {'f', "dh_p", "RFC 5246 7.4.3", "The prime of the group. The client cannot choose it, only refuse one that is too small: with 1024 bits, who has prepared for that prime can break every exchange (Logjam)."},
    {'f', "dh_g", "RFC 5246 7.4.3", "The generator of the group."},
    {'f', "dh_Ys", "RFC 5246 7.4.3", "The server's public value. The private half is used once and thrown away."},
    {'f', "algorithm", "RFC 5246 4.7", "How the signature was made: one of the client's signature_algorithms."},
    {'f', "signature", "RFC 5246 4.7", "The signature, made with the certificate's private key."},
    {'f', "ServerKeyExchange.signature", "RFC 5246 7.4.3", "Signed with the certificate's key: the client's random, the server's random, and the public value above."},
    {'f', "psk_identity_hint", "RFC 4279 2", "Helps the client to choose among several pre-shared keys."},
    {'f', "psk_identity", "RFC 4279 2", "Which pre-shared key the client uses. It travels in clear text."},
    {'f', "encrypted_premaster", "RFC 5246 7.4.7.1", "The premaster secret, made by the client alone and encrypted with the key in the server's certificate. Whoever gets that key, even years later, reads the whole connection."},
    {'f', "dh_Yc", "RFC 5246 7.4.7.2", "The client's public value. The private half is used once and thrown away."},
    {'f', "ecdh_Yc", "RFC 8422 5.7", "The client's public value. The private half is used once and thrown away."},
    {'f', "certificate_types", "RFC 5246 7.4.4", "The kinds of key that a client certificate may have."},
    {'f', "certificate_type", "RFC 5246 7.4.4", "A kind of key; ecdsa_sign stands for EdDSA too (RFC 8422 5.5)."},
    {'f', "supported_signature_algorithms", "RFC 5246 7.4.1.4.1", "The signatures that this side can verify, best first."},
    {'f', "signature_algorithm", "RFC 5246 7.4.1.4.1", "A hash and a kind of signature that the server can verify."},
    {'f', "signature_scheme", "RFC 5246 7.4.1.4.1", "A hash and a kind of signature. TLS 1.2 does not tie ECDSA to a curve."},
    {'f', "certificate_authorities", "RFC 5246 7.4.4", "Whose certificates the server accepts, as a help to choose; empty: it does not say."},
    {'f', "distinguished_name", "RFC 5246 7.4.4", "The name of an authority, as in its certificate (DER)."},
    {'f', "ClientHello.ticket", "RFC 5077 3.2", "The ticket of an earlier session. Only the server can read it: there is the master secret in it."},
    {'f', "ticket", "RFC 5077 3.3", "Opaque to the client. Only the server can read it: there is the master secret in it."},
    {'f', "ticket_lifetime_hint", "RFC 5077 3.3", "For how many seconds the ticket may be of use; 0: the server does not say."},
    {'f', "verify_data", "RFC 5246 7.4.9", "12 bytes of the PRF of the master secret, a label of this side, and the hash of all handshake messages."},
    {'f', "renegotiated_connection", "RFC 5746 3.2", "The verify_data of the handshake before; empty in the first."},
    {'f', "status_type", "RFC 6066 8", "OCSP, the only kind in use."},
    {'f', "max_fragment_length", "RFC 6066 4", "The most bytes of content in one record."},
    {'f', "level", "RFC 5246 7.2", "A warning, or fatal: then the connection is over and its session may not be resumed."},
    {'f', "description", "RFC 5246 7.2", "What the alert says."},

    {'s', "pre_master_secret", "RFC 5246 8.1", "What the key exchange gave both sides, and nobody else."},
    {'s', "master_secret", "RFC 5246 8.1", "The root of all keys of this connection, and of all that resume it: 48 bytes."},
    {'s', "key_block", "RFC 5246 6.3", "One long run of bytes from the PRF, cut into the keys of both directions."},
    {'s', "client_write_MAC_key", "RFC 5246 6.3", "Makes the MAC of what the client sends."},
    {'s', "server_write_MAC_key", "RFC 5246 6.3", "Makes the MAC of what the server sends."},
    {'s', "client_write_key", "RFC 5246 6.3", "Encrypts what the client sends."},
    {'s', "server_write_key", "RFC 5246 6.3", "Encrypts what the server sends."},
    {'s', "client_write_IV", "RFC 5246 6.3", "The secret part of the nonces of what the client sends."},
    {'s', "server_write_IV", "RFC 5246 6.3", "The secret part of the nonces of what the server sends."},

    {'n', "version", "RFC 5246 7.4.1.3", ""},
    {'n', "suite", "RFC 5246 7.4.1.3", ""},
    {'n', "group", "RFC 8422 5.4", ""},
    {'n', "signature", "RFC 5246 7.4.3", ""},
    {'n', "resumption", "RFC 5246 7.3", ""},
};

/* The names of the fields where TLS 1.3 has given them others. */
static const struct {
    const char *name, *before;
} names[] = {
    {"ClientHello.legacy_version", "client_version"},
    {"ServerHello.legacy_version", "server_version"},
    {"legacy_session_id", "session_id"},
    {"legacy_session_id length", "session_id length"},
    {"legacy_session_id_echo", "session_id"},
    {"legacy_session_id_echo length", "session_id length"},
    {"legacy_compression_methods", "compression_methods"},
    {"legacy_compression_methods length", "compression_methods length"},
    {"legacy_compression_method", "compression_method"},
};
/* clang-format on */

static const char *qualified(const char *message, const char *name, char out[128])
{
    snprintf(out, 128, "%s.%s", message ? message : "", name);
    return out;
}

static const struct explanation *find(char kind, const char *name)
{
    for (size_t i = 0; i < sizeof table / sizeof *table; i++)
        if (table[i].kind == kind && explain_name_is(table[i].name, name))
            return &table[i];
    return NULL;
}

const struct explanation *explain_find12(char kind, const char *name, const char *message)
{
    char whole[128];
    const struct explanation *x = find(kind, qualified(message, name, whole));
    if (!x)
        x = find(kind, name);
    return x ? x : explain_find(kind, name);
}

const char *explain_name12(const char *name, const char *message)
{
    char whole[128];
    qualified(message, name, whole);
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (explain_name_is(names[i].name, name) || explain_name_is(names[i].name, whole))
            return names[i].before;
    return name;
}
