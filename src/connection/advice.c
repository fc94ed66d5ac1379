/* advice.c: tables that turn experience into words. The first row that fits is given. */
#include "connection/advice.h"

#include <errno.h>

enum { C = 1, S = 2, ANY = 3 }; /* our role */
enum { H = PHASE_HELLO, M = PHASE_HANDSHAKE, D = PHASE_DATA, ALL = H | M | D };
enum { WITH = 1, WITHOUT = 2, EITHER = 3 }; /* a certificate of ours */

struct alert_row {
    uint8_t alert, roles, phases, certificate;
    struct advice advice;
};

/* clang-format off */
static const struct alert_row alerts[] = {
    /* Before a server has said anything, its alert is a judgement of the ClientHello. */
    {40, C, H, EITHER,
     {"the server found nothing in the ClientHello that it can work with: no common cipher "
      "suite, group or signature algorithm, or no certificate for this name",
      "compare what was offered with what the server allows, and check that the server name is right; an "
      "old device may need suites that are not offered unless asked for: "
      "hf_config_set_ciphers(\"DEFAULT\")"}},
    {70, C, H, EITHER,
     {"the server speaks none of the protocol versions that were offered",
      "enable TLS 1.2 or 1.3 on the server; for an old device that cannot, allow older versions with "
      "hf_config_insecure_set_security_level(), hf_config_set_versions() and "
      "hf_config_set_ciphers(\"DEFAULT\")"}},
    {112, C, H | M, EITHER,
     {"the server has no certificate for the name that was sent (SNI)",
      "check the server name, and the names that the server is configured for"}},
    {120, C, H | M, EITHER,
     {"the server speaks none of the application protocols that were offered (ALPN)",
      "offer a protocol that it speaks, as http/1.1, or none at all"}},
    {43, C, H, EITHER,
     {"the server and this client have no type of certificate in common: X.509 or raw public keys "
      "(RFC 7250)",
      "hf_config_set_peer_certificate_types() says what this client takes, "
      "hf_config_set_certificate_types() what it shows"}},
    {109, C, H, EITHER,
     {"the server needs an extension that was not sent, often the server name",
      "connect by name instead of by address"}},
    {51, C, H, EITHER,
     {"the server could not check the binder of the session or pre-shared key that was offered: "
      "the session is damaged or belongs to another server, or the two sides' keys differ",
      "forget the saved session and connect again, or compare the pre-shared keys"}},
    {115, C, H, EITHER,
     {"the server does not know the session or pre-shared key that was offered",
      "forget the saved session and connect again"}},
    {47, C, H, EITHER,
     {"the server takes a value in the ClientHello for forbidden: often an old server, or a "
      "middlebox, that stumbles over something new",
      "offer fewer groups (x25519 alone) and no session, to see over what it stumbles"}},
    {50, C, H, EITHER,
     {"the server could not read the ClientHello: some old servers fail when it needs more "
      "than one packet, as with X25519MLKEM768",
      "offer only the groups x25519 and P-256"}},
    {22, C, H, EITHER,
     {"the server thinks that the record is too long: it may not speak TLS on this port, or "
      "stumble over a long ClientHello",
      "check the port; offer only the groups x25519 and P-256"}},
    {10, C, H, EITHER,
     {"the server did not expect a ClientHello here",
      "check that this port speaks TLS at once, and not after a STARTTLS command"}},
    {100, ANY, ALL, EITHER,
     {"the peer does not renegotiate, and this side had asked for it",
      "do without: close this connection and make a new one"}},
    {71, C, H, EITHER,
     {"the server demands stronger algorithms than were offered",
      "offer TLS_AES_256_GCM_SHA384 and the groups P-384 or X25519MLKEM768"}},
    {86, C, H, EITHER,
     {"this client says that it fell back to an old version, and the server allows a newer one",
      "offer all versions again, without hf_config_set_fallback(); if that fails, something between the two "
      "breaks newer versions: connect from another network"}},

    /* A TLS 1.3 server judges the client's certificate after the client's handshake is done. */
    {116, C, ALL, EITHER,
     {"the server requires a client certificate and got none",
      "configure a certificate and key with hf_config_add_credential()"}},
    {40, C, M | D, WITHOUT,
     {"the server broke off at the end of the handshake; most often it wants a client "
      "certificate, and none is configured",
      "configure a certificate and key with hf_config_add_credential()"}},
    {42, C, M | D, WITHOUT,
     {"the server is not content with the client's (empty) certificate: it wants one",
      "configure a certificate and key with hf_config_add_credential()"}},
    {40, C, M | D, WITH,
     {"the server broke off after it had seen the client's certificate",
      "check with the server's administrator which client certificates are accepted"}},
    {42, C, M | D, WITH,
     {"the server refuses the client's certificate: it could not be read or verified",
      "check that the chain is complete, and issued by an authority that the server trusts "
      "for clients"}},
    {43, C, M | D, EITHER,
     {"the server does not accept the client certificate's kind of key or its purpose",
      "use a certificate with the extended key usage clientAuth"}},
    {44, C, M | D, EITHER,
     {"the server says that the client's certificate was revoked",
      "get a new certificate"}},
    {45, C, M | D, EITHER,
     {"the server says that the client's certificate has expired",
      "renew it, and check the clocks of both machines"}},
    {46, C, M | D, EITHER,
     {"the server refuses the client's certificate for a reason that it does not tell",
      "look into the server's log"}},
    {48, C, M | D, EITHER,
     {"the server does not trust the authority that issued the client's certificate",
      "send the intermediate certificates too, or have the authority added to the server's "
      "list for clients"}},
    {49, C, ALL, EITHER,
     {"the server knows who this client is and does not let it in",
      "ask the server's administrator for access"}},
    {51, C, M | D, EITHER,
     {"the server could not verify the client's Finished or its signature: the two sides do "
      "not agree on what was said",
      "something between the two may have changed the handshake; check also that the client's "
      "key belongs to its certificate"}},

    /* What clients say to a server's certificate. */
    {48, S, M | D, EITHER,
     {"the client does not trust the authority that issued this server's certificate",
      "check that the intermediate certificates are sent (they belong into the chain file, "
      "behind the server's own); a private root must be installed at the client"}},
    {42, S, M | D, EITHER,
     {"the client refuses this server's certificate: most often it is not valid for the name "
      "that the client asked for",
      "check the names in the certificate, and that the chain is complete"}},
    {43, S, M | D, EITHER,
     {"the client does not accept this certificate's kind of key or its purpose",
      "use a certificate with the extended key usage serverAuth, and a common kind of key "
      "(P-256 or RSA 2048)"}},
    {44, S, M | D, EITHER,
     {"the client says that this server's certificate was revoked",
      "get a new certificate"}},
    {45, S, M | D, EITHER,
     {"the client says that this server's certificate, or one of its issuers', has expired",
      "renew it; if it is still valid, the client's clock is wrong or its list of roots is "
      "old"}},
    {46, S, M | D, EITHER,
     {"the client refuses this server's certificate for a reason that it does not tell: "
      "browsers say this when the user, or a pinned key, refused",
      "look at the certificate with the client's eyes: names, dates, issuer"}},
    {51, S, M | D, EITHER,
     {"the client could not verify this server's signature or its Finished",
      "check that the key belongs to the certificate; something between the two may have "
      "changed the handshake"}},
    {113, S, M | D, EITHER,
     {"the client does not accept the OCSP response that was stapled",
      "fetch a fresh OCSP response and staple that"}},
    {116, S, ALL, EITHER,
     {"the client asks for a certificate, which only servers may do",
      "check what the other side is"}},
    {40, S, ALL, EITHER,
     {"the client cannot work with what this server chose",
      "compare what the client offered with what was chosen"}},
    {47, S, ALL, EITHER,
     {"the client takes a value in this server's messages for forbidden",
      "this may be a bug of either side: record the handshake with `handfast trace`"}},
    {71, S, ALL, EITHER,
     {"the client finds something that this server chose too weak: its suite, its group or the key of its "
      "certificate",
      "use suites with ECDHE, and groups and keys that are not the smallest"}},
    {70, S, ALL, EITHER,
     {"the client does not accept this server's choice of version",
      "compare the versions that both sides allow: hf_config_set_versions()"}},
    {110, S, ALL, EITHER,
     {"the client got an extension that it had not asked for",
      "this may be a bug of either side: record the handshake with `handfast trace`"}},
    {120, S, ALL, EITHER,
     {"the client does not accept the application protocol that was chosen",
      "check the list of application protocols (ALPN)"}},

    /* Whoever says it and whenever. */
    {0, ANY, H | M, EITHER,
     {"the peer closed the connection in the middle of the handshake without saying why",
      "look into the peer's log"}},
    {90, ANY, ALL, EITHER,
     {"somebody cancelled the handshake on the other side: a user, or a program that was "
      "ending",
      ""}},
    {80, ANY, ALL, EITHER,
     {"something failed inside the peer that has nothing to do with this side",
      "look into the peer's log, and try again"}},
    {10, ANY, ALL, EITHER,
     {"the peer got a message that it did not expect",
      "this may be a bug of either side: record the handshake with `handfast trace`"}},
    {20, ANY, ALL, EITHER,
     {"the peer could not decrypt a record: bytes were changed on the way, or the two sides' "
      "keys differ",
      "look for a middlebox or a faulty network between the two"}},
    {22, ANY, ALL, EITHER,
     {"the peer got a longer record than it allows",
      "ask for shorter ones with the record size limit"}},
    {47, ANY, ALL, EITHER,
     {"the peer takes a value in our messages for forbidden",
      "this may be a bug of either side: record the handshake with `handfast trace`"}},
    {50, ANY, ALL, EITHER,
     {"the peer could not decode a message",
      "this may be a bug of either side: record the handshake with `handfast trace`"}},
    {40, ANY, ALL, EITHER,
     {"the peer could not agree to what was offered",
      "compare what the two sides allow"}},
    {70, ANY, ALL, EITHER,
     {"the peer allows no protocol version that this side allows",
      "enable TLS 1.2 or 1.3 on the other side"}},
    {48, ANY, ALL, EITHER,
     {"the peer does not trust the authority that issued our certificate",
      "send the intermediate certificates too, or install the root at the peer"}},
    {45, ANY, ALL, EITHER,
     {"the peer says that a certificate has expired",
      "renew it, and check the clocks"}},
    {42, ANY, ALL, EITHER,
     {"the peer refuses our certificate",
      "check its names, dates and chain"}},
};

struct code_row {
    uint8_t roles;
    hf_code code;
    const char *words;
};

static const struct code_row codes[] = {
    {C, HF_E_UNTRUSTED,
     "if the server is meant to be trusted: it may have forgotten to send its intermediate "
     "certificates, or its root must be added with hf_trust_add_file()"},
    {S, HF_E_UNTRUSTED,
     "add the authority that issues client certificates with hf_trust_add_file()"},
    {C, HF_E_SELF_SIGNED,
     "if the server is meant to be trusted, add this certificate to the trust anchors with "
     "hf_trust_add_file()"},
    {C, HF_E_EXPIRED,
     "the server's administrator must renew the certificate; if it looks valid, check this "
     "machine's clock"},
    {S, HF_E_EXPIRED,
     "the client needs a new certificate; if it looks valid, check this machine's clock"},
    {C, HF_E_WRONG_NAME,
     "connect by a name that the certificate has, or have the name added to it"},
    {C, HF_E_WRONG_PURPOSE,
     "the server needs a certificate with the extended key usage serverAuth"},
    {S, HF_E_WRONG_PURPOSE,
     "the client needs a certificate with the extended key usage clientAuth"},
    {C, HF_E_WEAK_CERTIFICATE,
     "the server needs a certificate with an RSA key of at least 2048 bits or an "
     "elliptic-curve key, signed with SHA-256 or better; for an old device that cannot have one, lower the "
     "security level with hf_config_insecure_set_security_level()"},
    {C, HF_E_REVOKED, "do not trust this server until it has a new certificate"},
    {C, HF_E_BAD_OCSP,
     "the server must fetch a fresh OCSP response; without "
     "hf_config_set_ocsp(HF_OCSP_REQUIRE) and stapling the chain alone counts"},
    {C, HF_E_NO_OCSP, "turn stapling on at the server, or do not require it"},
    {C, HF_E_UNSUPPORTED_VERSION,
     "enable TLS 1.2 or 1.3 on the server; for an old device that cannot, allow older versions with "
     "hf_config_insecure_set_security_level(), hf_config_set_versions() and "
     "hf_config_set_ciphers(\"DEFAULT\")"},
    {S, HF_E_UNSUPPORTED_VERSION,
     "update the client; for an old device that cannot be, allow older versions with "
     "hf_config_insecure_set_security_level(), hf_config_set_versions() and "
     "hf_config_set_ciphers(\"DEFAULT\")"},
    {C, HF_E_SSL3_PEER,
     "update the server: SSL 3.0 cannot be allowed, not even for old devices"},
    {S, HF_E_SSL3_PEER,
     "update the client: SSL 3.0 cannot be allowed, not even for old devices"},
    {C, HF_E_SSL2_PEER, "update the server: SSL 2.0 cannot be allowed, not even for old devices"},
    {S, HF_E_SSL2_PEER, "update the client: SSL 2.0 cannot be allowed, not even for old devices"},
    {C, HF_E_UNSAFE_RENEGOTIATION,
     "update the server; for an old device that cannot be, accept the danger with "
     "hf_config_insecure_allow_unpatched()"},
    {S, HF_E_INAPPROPRIATE_FALLBACK,
     "if it is always the same client: find out why its first handshake fails, before it tries an older "
     "version; else something between the two may be forcing that"},
    {C, HF_E_WRONG_SIGNATURE_ALGORITHM,
     "update the server; for an old device that knows nothing better, allow its scheme with "
     "hf_config_set_signatures() (those with SHA-1 only at security level 0)"},
    {S, HF_E_WRONG_SIGNATURE_ALGORITHM,
     "update the client, or allow its scheme with hf_config_set_signatures()"},
    {C, HF_E_WRONG_KEY_USAGE,
     "the server should use suites with ECDHE; with RSA key exchange its certificate must allow "
     "keyEncipherment"},
    {C, HF_E_EMS_MISMATCH,
     "forget the saved session: the next handshake will be a full one"},
    {S, HF_E_EMS_MISMATCH,
     "the client must forget its session; restarting it helps"},
    {C, HF_E_OLD_SESSION_VERSION,
     "forget the saved session: the next handshake will be a full one"},
    {C, HF_E_OLD_SESSION_SUITE, "forget the saved session: the next handshake will be a full one"},
    {C, HF_E_SERVER_NAME_CHANGED,
     "forget the saved session: the next handshake will be a full one"},
    {S, HF_E_BAD_PREMASTER,
     "check that the client has this server's present certificate: it may have encrypted for an older key"},
    {S, HF_E_NO_CLIENT_CERTIFICATE,
     "give the client a certificate, or ask without requiring (HF_CLIENT_AUTH_REQUEST)"},
    {C, HF_E_WRONG_CERTIFICATE_TYPE,
     "the server's certificate and its cipher suites do not belong together: check the server's "
     "configuration"},
    {S, HF_E_NO_EMS, "update the client, or do not require extended_master_secret"},
    {C, HF_E_NO_EMS, "update the server, or do not require extended_master_secret"},
    {S, HF_E_NO_SHARED_SUITE,
     "allow one of the client's suites with hf_config_set_suites(), or update the client"},
    {S, HF_E_NO_SHARED_GROUP, "allow one of the client's groups with hf_config_set_groups()"},
    {S, HF_E_NO_SHARED_SIGNATURE,
     "add a certificate with a key that the client can verify: P-256 or RSA 2048 serve nearly "
     "all"},
    {C, HF_E_NO_SHARED_SIGNATURE,
     "add a client certificate with a key that the server can verify"},
    {S, HF_E_NO_CREDENTIAL, "add a certificate and key with hf_config_add_credential()"},
    {S, HF_E_NO_APPLICATION_PROTOCOL,
     "add a protocol that the client offers with hf_config_set_alpn()"},
    {C, HF_E_NO_APPLICATION_PROTOCOL,
     "the server agreed to no application protocol (ALPN): offer one that it speaks, or do "
     "not require one"},
    {S, HF_E_CERTIFICATE_REQUIRED,
     "give the client a certificate, or ask without requiring (HF_CLIENT_AUTH_REQUEST)"},
    {S, HF_E_UNRECOGNIZED_NAME, "add a certificate for that name"},
    {ANY, HF_E_CERTIFICATE_COMPRESSION,
     "offer no certificate compression, or another one: hf_config_set_certificate_compression()"},
    {ANY, HF_E_CERTIFICATE_TOO_LARGE, "the peer must send fewer or smaller certificates"},
    {ANY, HF_E_BAD_RECORD_MAC, "look for a middlebox or a faulty network between the two"},
    {ANY, HF_E_BAD_FINISHED, "look for a middlebox that changes handshakes"},
    {ANY, HF_E_DOWNGRADE,
     "look for a proxy or a virus scanner that opens TLS, and update or bypass it; connect from another "
     "network: if that helps, something in this one tampers with TLS"},
    {ANY, HF_E_TRUNCATED,
     "treat what was received as incomplete, unless the protocol above says how long it is"},
    {C, HF_E_HANDSHAKE_CUT,
     "the server or a firewall dropped the connection without an alert: check the port, and "
     "whether it wants STARTTLS or a proxy protocol first"},
    {S, HF_E_HANDSHAKE_CUT,
     "the client gave up without an alert: scanners and health checks do this, and clients "
     "that do not trust the certificate"},
    {ANY, HF_E_PASSPHRASE, "pass a hf_passphrase_fn that knows the passphrase"},
    {ANY, HF_E_WEAK_KEY, "make a new key: RSA with at least 2048 bits, or P-256"},
    {ANY, HF_E_RESOLVE, "check the spelling of the host name, and the name server"},
    {ANY, HF_E_TIMEOUT,
     "the peer is overloaded, or expects another protocol on this port and waits for it; if no "
     "connection was made, a firewall may drop the packets"},
    {ANY, HF_E_PIN_MISMATCH,
     "if the peer is known to have a new key, pin that; else somebody may stand between the two"},
    {ANY, HF_E_SESSION_DATA, "forget the saved session: the next handshake will be a full one"},
    {ANY, HF_E_NO_MEMORY, "free memory, or raise the limit of the process"},
};

/* What an error means where its sentence does not say it all. */
static const struct code_row meanings[] = {
    {C, HF_E_SSL3_PEER,
     "the server knows nothing newer than SSL 3.0, which anybody in the middle can read (POODLE)"},
    {S, HF_E_SSL3_PEER,
     "the client knows nothing newer than SSL 3.0, which anybody in the middle can read (POODLE)"},
    {C, HF_E_UNSAFE_RENEGOTIATION,
     "the server lacks a repair of 2010: somebody in the middle could put words of his own in front "
     "of what this client says"},
    {S, HF_E_INAPPROPRIATE_FALLBACK,
     "the client gave up newer versions after a handshake had failed, and need not have"},
    {C, HF_E_WRONG_SIGNATURE_ALGORITHM,
     "the server does not keep to the signature algorithms of the ClientHello: very old ones sign with "
     "SHA-1 whatever they are told"},
    {C, HF_E_EMS_MISMATCH,
     "the server was changed or replaced since the session was made, or somebody is splicing two "
     "connections"},
    {S, HF_E_EMS_MISMATCH,
     "the client was changed since the session was made, or somebody is splicing two connections"},
};

static const struct {
    int number;
    const char *what_to_do;
} systems[] = {
    {ECONNREFUSED,
     "nothing listens on that port: check the port, and that the server is running"},
    {ECONNRESET, "the peer or a firewall broke the connection: look into the peer's log"},
    {EHOSTUNREACH, "there is no way to that machine: check the address and the network"},
    {ENETUNREACH,
     "there is no way to that network: check the address, and whether this machine has IPv6"},
    {ETIMEDOUT, "nobody answers: check the address; a firewall may drop the packets"},
    {EADDRINUSE, "another program listens on that address already"},
    {EACCES, "this process may not do that: check its rights (ports below 1024 need some)"},
    {ENODEV, "check the zone behind the %: `ip link` lists this machine's interfaces"},
    {ENOENT, "check the path: there is no such file"},
    {EMFILE, "raise the limit of open files (ulimit -n)"},
};
/* clang-format on */

static bool role_fits(unsigned roles, enum advice_role role)
{
    switch (role) {
    case ADVICE_CLIENT: return (roles & C) != 0;
    case ADVICE_SERVER: return (roles & S) != 0;
    case ADVICE_UNKNOWN: break;
    }
    return roles == ANY;
}

struct advice advice_for_alert(uint8_t alert, enum advice_role role, unsigned phase,
                               bool certificate)
{
    for (size_t i = 0; i < sizeof alerts / sizeof alerts[0]; i++) {
        const struct alert_row *row = &alerts[i];
        if (row->alert == alert && role_fits(row->roles, role) && (row->phases & phase) &&
            (row->certificate & (certificate ? WITH : WITHOUT)))
            return row->advice;
    }
    return (struct advice){"", "look into the peer's log"};
}

static const char *for_system(int number)
{
    for (size_t i = 0; i < sizeof systems / sizeof systems[0]; i++) {
        if (systems[i].number == number)
            return systems[i].what_to_do;
    }
    return "";
}

static const char *find(const struct code_row *rows, size_t count, hf_code code,
                        enum advice_role role)
{
    for (size_t i = 0; i < count; i++) {
        if (rows[i].code == code && role_fits(rows[i].roles, role))
            return rows[i].words;
    }
    return "";
}

/* What somebody has thought about for this role comes before the error's general hint. */
struct advice advice_for_error(const hf_error *err, enum advice_role role)
{
    const char *what_to_do = err->os_errno ? for_system(err->os_errno) : "";

    /* Who waited knows for what; ETIMEDOUT says only that it was in vain. */
    if (err->code == HF_E_TIMEOUT)
        what_to_do = err->hint ? err->hint : "";
    if (!what_to_do[0])
        what_to_do = find(codes, sizeof codes / sizeof codes[0], err->code, role);
    if (!what_to_do[0] && err->hint)
        what_to_do = err->hint;
    return (struct advice){
        find(meanings, sizeof meanings / sizeof meanings[0], err->code, role), what_to_do};
}

unsigned advice_phase(const char *step)
{
    static const char *const hello[] = {"random and key shares", "ClientHello",
                                        "HelloRetryRequest",     "new key share",
                                        "second ClientHello",    "ServerHello"};
    for (size_t i = 0; i < sizeof hello / sizeof hello[0]; i++) {
        if (strcmp(step, hello[i]) == 0)
            return PHASE_HELLO;
    }
    return PHASE_HANDSHAKE;
}
