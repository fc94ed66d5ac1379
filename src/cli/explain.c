#include "cli/explain.h"

#include <ctype.h>
#include <string.h>

/* clang-format off */
static const struct explanation table[] = {
    {'m', "ClientHello", "RFC 8446 4.1.2", "The client opens the conversation: it says which versions, cipher suites, groups and signatures it can use, and already sends key shares so that one round trip is enough."},
    {'m', "ServerHello", "RFC 8446 4.1.3", "The server chooses: one cipher suite, one group, its own key share. From these two messages both sides compute the same secret, and all that follows is encrypted."},
    {'m', "HelloRetryRequest", "RFC 8446 4.1.4", "The server could use the client, but not the key shares it sent; it asks for another ClientHello with a share for the group named here. This costs one more round trip."},
    {'m', "EncryptedExtensions", "RFC 8446 4.3.1", "The answers to the client's extensions that are not needed to compute keys, and may therefore travel encrypted."},
    {'m', "CertificateRequest", "RFC 8446 4.3.2", "The server asks the client for a certificate too, and says which signatures it would accept. It may do so after the handshake, if the client has offered that (post_handshake_auth)."},
    {'m', "Certificate", "RFC 8446 4.4.2", "Who this side claims to be: its own certificate first, then the authorities that vouch for it, up to one that the other side already trusts."},
    {'m', "CompressedCertificate", "RFC 8879 4", "A Certificate message that was made smaller for its journey. What it stands for is shown behind it; the transcript has it as it came."},
    {'m', "CertificateVerify", "RFC 8446 4.4.3", "The proof for the certificate: a signature, made with its private key, over everything said so far. Nobody can replay it in another conversation."},
    {'m', "Finished", "RFC 8446 4.4.4", "A checksum under a secret key over the whole handshake: it proves that both sides saw the same messages and hold the same keys."},
    {'m', "EndOfEarlyData", "RFC 8446 4.5", "The client has sent all of its early data; what follows uses the handshake keys."},
    {'m', "NewSessionTicket", "RFC 8446 4.6.1", "A ticket with which the client may come back later without certificates and signatures. It is opaque to the client: only the server can read it."},
    {'m', "KeyUpdate", "RFC 8446 4.6.3", "From the next record on this side sends with a new key, derived from the old one, which is forgotten."},
    {'m', "ChangeCipherSpec", "RFC 8446 D.4", "One byte without meaning in TLS 1.3. It is sent only so that old network equipment takes the conversation for a resumed TLS 1.2 session and lets it pass."},
    {'m', "Alert", "RFC 8446 6", "One side tells the other that it ends the connection, and why: properly (close_notify) or because of an error."},
    {'m', "message_hash", "RFC 8446 4.4.1", "After a HelloRetryRequest the first ClientHello stands in the transcript only by its hash, so that a server need not remember it."},

    {'e', "server_name", "RFC 6066 3", "The host name the client wants, so that one address can serve many names. It travels in clear text."},
    {'e', "max_fragment_length", "RFC 6066 4", "An older way to ask for smaller records; replaced by record_size_limit."},
    {'e', "status_request", "RFC 6066 8", "Asks the server to staple a fresh OCSP response to its certificate: the issuer's signed word that it was not revoked, without the client having to ask the issuer."},
    {'e', "supported_groups", "RFC 8446 4.2.7", "The groups in which the client can exchange keys, best first."},
    {'e', "ec_point_formats", "RFC 8422 5.1.2", "How points on a curve may be written. Without meaning in TLS 1.3; sent for older servers."},
    {'e', "signature_algorithms", "RFC 8446 4.2.3", "The signatures this side can verify in CertificateVerify, and in certificates if nothing else is said."},
    {'e', "signature_algorithms_cert", "RFC 8446 4.2.3", "The signatures this side can verify inside certificates, where these differ from signature_algorithms."},
    {'e', "use_srtp", "RFC 5764 4.1.1", "Protection profiles for real-time media keyed by this handshake."},
    {'e', "application_layer_protocol_negotiation", "RFC 7301 3.1", "ALPN: which protocols may be spoken inside, such as h2 for HTTP/2, so that no round trip is spent to find out."},
    {'e', "signed_certificate_timestamp", "RFC 6962 3.3.1", "Proofs that the certificate was entered in a public log (Certificate Transparency)."},
    {'e', "padding", "RFC 7685 3", "Zero bytes that make the message longer, because some old equipment fails on certain lengths."},
    {'e', "encrypt_then_mac", "RFC 7366 2", "Repairs the order of encryption and MAC of CBC suites in TLS 1.2; without meaning in TLS 1.3."},
    {'e', "extended_master_secret", "RFC 7627 5.1", "Binds the keys of TLS 1.2 to the whole handshake, as TLS 1.3 always does."},
    {'e', "compress_certificate", "RFC 8879 3", "Compressions in which the certificates may be sent."},
    {'e', "client_certificate_type", "RFC 7250 3", "Whether the client will show X.509 certificates or a raw public key: it lists what it has, the server chooses."},
    {'e', "server_certificate_type", "RFC 7250 3", "Whether the server shows X.509 certificates or a raw public key: the client lists what it can check, the server chooses."},
    {'e', "record_size_limit", "RFC 8449 4", "The largest record this side wants to receive, for instance because its memory is small."},
    {'e', "session_ticket", "RFC 5077 3.2", "Tickets as TLS 1.2 has them; without meaning in TLS 1.3."},
    {'e', "pre_shared_key", "RFC 8446 4.2.11", "In the ClientHello: tickets from earlier conversations, each with a proof that the client knows its key. In the ServerHello: which one was taken."},
    {'e', "early_data", "RFC 8446 4.2.10", "Application data in the first flight, before the server has answered. Fast, but an attacker can replay it."},
    {'e', "supported_versions", "RFC 8446 4.2.1", "The versions the client can speak; in the ServerHello the one that is spoken. The older version field has been frozen since TLS 1.3, because servers stumbled over new numbers."},
    {'e', "cookie", "RFC 8446 4.2.2", "Something a server gives with its HelloRetryRequest and wants back, so that it need not remember anything in between."},
    {'e', "psk_key_exchange_modes", "RFC 8446 4.2.9", "How a session may be resumed: with a fresh key exchange (psk_dhe_ke, keeps forward secrecy) or without one (psk_ke)."},
    {'e', "certificate_authorities", "RFC 8446 4.2.4", "The authorities this side trusts, as a help to choose a certificate."},
    {'e', "oid_filters", "RFC 8446 4.2.5", "Properties that a client certificate must have."},
    {'e', "post_handshake_auth", "RFC 8446 4.2.6", "The client can show a certificate later, after the handshake."},
    {'e', "key_share", "RFC 8446 4.2.8", "The public half of a fresh key exchange, one per group. With the other side's half it gives the shared secret; the private halves never travel and are thrown away."},
    {'e', "quic_transport_parameters", "RFC 9001 8.2", "Settings of QUIC, carried inside the TLS handshake."},
    {'e', "encrypted_client_hello", "RFC 9849 5", "Hides the real ClientHello, and with it the name that is asked for, in an encrypted one."},
    {'e', "renegotiation_info", "RFC 5746 3.2", "Says that this side knows the repair for the renegotiation attack on TLS 1.2."},
    {'e', "delegated_credential", "RFC 9345 4", "Short-lived keys that a certificate's owner has signed."},
    {'e', "application_settings", "draft-vvv-tls-alps", "Settings of the application protocol, sent within the handshake."},
    {'e', "GREASE", "RFC 8701 2", "A made-up number without meaning, sent to keep the other side used to values it does not know."},

    {'f', "msg_type", "RFC 8446 4", "Which handshake message this is."},
    {'f', "length", "RFC 8446 3.4", "How many bytes follow."},
    {'f', "legacy_version", "RFC 8446 4.1.2", "Frozen at TLS 1.2 for the sake of old equipment; the real version is in supported_versions."},
    {'f', "legacy_record_version", "RFC 8446 5.1", "Frozen for the sake of old equipment, and ignored."},
    {'f', "random", "RFC 8446 4.1.2", "32 fresh random bytes: they make every handshake different, so that nothing of it can be replayed."},
    {'f', "legacy_session_id", "RFC 8446 4.1.2", "In TLS 1.3 only a disguise as TLS 1.2; the server sends it back."},
    {'f', "legacy_session_id_echo", "RFC 8446 4.1.3", "The client's session ID, sent back."},
    {'f', "cipher_suites", "RFC 8446 B.4", "What the client can encrypt with, best first."},
    {'f', "cipher_suite", "RFC 8446 B.4", "An encryption with its hash function."},
    {'f', "legacy_compression_methods", "RFC 8446 4.1.2", "Only \"null\": compression inside TLS let attackers guess secrets and is gone."},
    {'f', "legacy_compression_method", "RFC 8446 4.1.3", "Always null."},
    {'f', "extensions", "RFC 8446 4.2", "Everything else that is negotiated. Unknown extensions are ignored, which is how TLS grows."},
    {'f', "extension_type", "RFC 8446 4.2", "Which extension this is."},
    {'f', "extension_data", "RFC 8446 4.2", "The extension's content."},
    {'f', "group", "RFC 8446 4.2.8", "The group this key share belongs to."},
    {'f', "selected_group", "RFC 8446 4.2.8", "The group for which the server wants a key share."},
    {'f', "named_group", "RFC 8446 4.2.7", "A group for the key exchange."},
    {'f', "key_exchange", "RFC 8446 4.2.8", "The public value. Everyone may see it; the secret cannot be computed from it."},
    {'f', "host_name", "RFC 6066 3", "The name that is asked for, as ASCII."},
    {'f', "name_type", "RFC 6066 3", "The only kind of name there is: host_name."},
    {'f', "protocol_name", "RFC 7301 3.1", "A protocol that may be spoken inside."},
    {'f', "certificate_request_context", "RFC 8446 4.4.2", "Ties a Certificate to its CertificateRequest, where there may be several: after the handshake. Empty during it."},
    {'f', "certificate_list", "RFC 8446 4.4.2", "The chain, its owner's certificate first."},
    {'f', "algorithms", "RFC 8879 3", "The compressions in which this side accepts a certificate."},
    {'f', "uncompressed_length", "RFC 8879 4", "How long the Certificate message is that this one stands for; it is checked before anything is decompressed."},
    {'f', "compressed_certificate_message", "RFC 8879 4", "The Certificate message, compressed."},
    {'f', "cert_data", "RFC 8446 4.4.2", "One X.509 certificate (DER). What it says stands below."},
    {'f', "ASN1_subjectPublicKeyInfo", "RFC 8446 4.4.2", "A raw public key (DER) in place of certificates: whoever gets it must know it beforehand (RFC 7250)."},
    {'f', "client_certificate_type", "RFC 7250 3", "X509, or RawPublicKey: a bare key without name, issuer and dates."},
    {'f', "server_certificate_type", "RFC 7250 3", "X509, or RawPublicKey: a bare key without name, issuer and dates."},
    {'f', "algorithm", "RFC 8446 4.2.3", "How the signature was made."},
    {'f', "signature", "RFC 8446 4.4.3", "The signature itself, made with the certificate's private key."},
    {'f', "verify_data", "RFC 8446 4.4.4", "An HMAC of the handshake's hash under the finished key of this side."},
    {'f', "ticket_lifetime", "RFC 8446 4.6.1", "For how many seconds the ticket may be used."},
    {'f', "ticket_age_add", "RFC 8446 4.6.1", "A random number that hides the ticket's true age from observers."},
    {'f', "ticket_nonce", "RFC 8446 4.6.1", "Makes the key of each ticket different."},
    {'f', "ticket", "RFC 8446 4.6.1", "Encrypted for the server itself: it keeps no memory of the session."},
    {'f', "identity", "RFC 8446 4.2.11", "A ticket that the client still has."},
    {'f', "obfuscated_ticket_age", "RFC 8446 4.2.11.1", "How old the ticket is, in milliseconds, plus ticket_age_add."},
    {'f', "binder", "RFC 8446 4.2.11.2", "The proof that the client knows the ticket's key: an HMAC over this very ClientHello."},
    {'f', "PskBinderEntry", "RFC 8446 4.2.11.2", "The proof that the client knows the ticket's key: an HMAC over this very ClientHello."},
    {'f', "selected_identity", "RFC 8446 4.2.11", "Which of the offered tickets the server took, counted from 0."},
    {'f', "selected_version", "RFC 8446 4.2.1", "The version that both sides speak from here on."},
    {'f', "level", "RFC 8446 6", "Once it told warnings from fatal errors; in TLS 1.3 the description decides."},
    {'f', "description", "RFC 8446 6", "What the alert says."},
    {'f', "request_update", "RFC 8446 4.6.3", "Whether the other side shall renew its key as well."},
    {'f', "max_early_data_size", "RFC 8446 4.6.1", "How many bytes of early data the server would accept with this ticket."},
    {'f', "status_type", "RFC 6066 8", "OCSP, the only kind in use."},
    {'f', "response", "RFC 6960 4.2", "The issuer's signed statement about the certificate's state."},
    {'f', "cookie", "RFC 8446 4.2.2", "Whatever the server wants to see again."},
    {'f', "record_size_limit", "RFC 8449 4", "Bytes of plaintext, the content type included."},
    {'f', "ke_modes", "RFC 8446 4.2.9", "A way to resume."},

    {'s', "early_secret", "RFC 8446 7.1", "Extracted from the pre-shared key, or from zeros if there is none."},
    {'s', "binder_key", "RFC 8446 7.1", "Makes the binders of pre_shared_key."},
    {'s', "client_early_traffic_secret", "RFC 8446 7.1", "Protects early data."},
    {'s', "early_exporter_secret", "RFC 8446 7.1", "Keying material for the application, before the handshake is done."},
    {'s', "shared_secret", "RFC 8446 7.4", "What the key exchange gave both sides, and nobody else."},
    {'s', "handshake_secret", "RFC 8446 7.1", "The early secret and the key exchange together."},
    {'s', "client_handshake_traffic_secret", "RFC 8446 7.1", "Protects what the client sends until its Finished."},
    {'s', "server_handshake_traffic_secret", "RFC 8446 7.1", "Protects what the server sends until its Finished."},
    {'s', "master_secret", "RFC 8446 7.1", "The root of all keys for application data."},
    {'s', "client_application_traffic_secret", "RFC 8446 7.1", "Protects the client's application data."},
    {'s', "server_application_traffic_secret", "RFC 8446 7.1", "Protects the server's application data."},
    {'s', "exporter_master_secret", "RFC 8446 7.5", "Keying material for the application, for instance to bind a login to this connection."},
    {'s', "resumption_master_secret", "RFC 8446 7.1", "The keys of tickets come from here."},
    {'s', "resumption_psk", "RFC 8446 4.6.1", "The key that belongs to one ticket."},
    {'s', "psk", "RFC 8446 7.1", "The pre-shared key from an earlier conversation."},
    {'s', "finished_key", "RFC 8446 4.4.4", "The HMAC key of a Finished message."},

    {'n', "compression", "RFC 8879 4", ""},
    {'n', "version", "RFC 8446 4.2.1", ""},
    {'n', "suite", "RFC 8446 4.1.1", ""},
    {'n', "group", "RFC 8446 4.2.8", ""},
    {'n', "signature", "RFC 8446 4.4.3", ""},
    {'n', "psk", "RFC 8446 4.2.11", ""},
    {'n', "alpn", "RFC 7301 3.2", ""},
    {'n', "certificate", "RFC 8446 4.4.2", ""},
    {'n', "verify", "RFC 5280 6", ""},
};
/* clang-format on */

bool explain_name_is(const char *a, const char *b)
{
    for (;;) {
        while (*a == '_')
            a++;
        while (*b == '_')
            b++;
        if (tolower((unsigned char)*a) != tolower((unsigned char)*b))
            return false;
        if (*a == '\0')
            return true;
        a++;
        b++;
    }
}

const struct explanation *explain_find(char kind, const char *name)
{
    for (size_t i = 0; i < sizeof table / sizeof *table; i++)
        if (table[i].kind == kind && explain_name_is(table[i].name, name))
            return &table[i];
    /* Traffic secrets are numbered: client_application_traffic_secret_0, and _N after a KeyUpdate. */
    size_t n = strlen(name);
    char stem[64];
    if (kind != 's' || n < 3 || n >= sizeof stem || name[n - 2] != '_' ||
        !(isdigit((unsigned char)name[n - 1]) || name[n - 1] == 'N'))
        return NULL;
    memcpy(stem, name, n - 2);
    stem[n - 2] = '\0';
    return explain_find(kind, stem);
}
