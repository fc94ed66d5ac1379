"""The scripts for TLS 1.3."""

from model import Reason, Run
from servers import (ALL_GROUPS, CCM, CLIENT_AUTH, ECDSA, ECHO, ED25519, ED448, MLKEM, OLD, P256_FIRST,
                     POST_AUTH, PSK, PSK_HEX, RSAPSS, SCHEMES, S_SCHEMES, TLS13)


def refused(*names):
    """Arguments for a script whose conversations of these names must end with handshake_failure."""
    return [a for n in names for a in ("-x", n, "-X", "handshake_failure")]


def client(script, name, *more, s_more=()):
    key = ["-k", "{folder}/client-" + name + ".key", "-c", "{folder}/client-" + name + ".pem"]
    return Run(CLIENT_AUTH, script, [*key, "-s", SCHEMES, *more],
               openssl=[*key, "-s", S_SCHEMES, *s_more])


# RFC 9149, ticket_request: these scripts take its number for one that nobody has assigned.
TICKET_REQUEST = ["--exc", "58"]
# RFC 8879, compress_certificate, too: an empty list of algorithms is malformed, and what is drawn at random as well.
ASSIGNED = [*TICKET_REQUEST, "--exc", "27"]

NO_EMPTY_SHARE = Reason("differs", """
    the script asks for `illegal_parameter`. A KeyShareEntry is `opaque key_exchange<1..2^16-1>` (RFC 8446
    4.2.8): an empty one does not conform to the syntax, for which RFC 8446 6.2 asks for `decode_error`,
    and that is sent. OpenSSL answers the same.""")
NO_TICKET = Reason("differs", """
    waits for a session ticket, but its hello has no psk_key_exchange_modes: it could not use one, and RFC
    8446 4.2.9 says that servers SHOULD NOT send such tickets. The script's other conversations test what
    the server does when a connection is cut.""")
DROP_CCS = Reason("differs", """
    wants the second change_cipher_spec refused. RFC 8446 5 says of the record with the single byte 1 that
    it may come at any time between the first ClientHello and the peer's Finished, and MUST simply be
    dropped: the server waits for the Finished until the script gives up.""")
ALERT_READ = Reason("suite", """
    the script sends a Finished of up to 16 MiB; the server refuses it at its header, with the `decode_error`
    that the script wants (RFC 8446 6.2), and closes while the script is still sending. When sending fails,
    tlsfuzzer goes on as if it had read the alert, and then takes the alert, which arrives after all, for
    something unexpected.""", sometimes=True)

RUNS13 = [
    Run(OLD, "tls13-0rtt-garbage", ["-d"]),
    Run(TLS13, "tls13-ccs"),
    Run(TLS13, "tls13-connection-abort", known={"After NewSessionTicket": NO_TICKET}),
    Run(TLS13, "tls13-conversation"),
    Run(TLS13, "tls13-count-tickets", ["-t", "0"], openssl=["-t", "2"]),
    Run(TLS13, "tls13-crfg-curves", known={"empty x(25519|448) key share": NO_EMPTY_SHARE}),
    Run(TLS13, "tls13-dhe-shared-secret-padding"),
    Run(TLS13, "tls13-ecdhe-curves"),
    Run(TLS13, "tls13-empty-alert"),
    Run(TLS13, "tls13-ffdhe-groups",
        known={"ffdhe.* - empty key share entry.*": NO_EMPTY_SHARE}),
    Run(TLS13, "tls13-ffdhe-sanity"),
    Run(TLS13, "tls13-finished", limit=300,
        known={"padding - cipher .*, pad_left 0, pad_right (131072|196608|167771..)": ALERT_READ}),
    Run(TLS13, "tls13-finished-plaintext"),
    Run(TLS13, "tls13-hrr"),
    Run(TLS13, "tls13-invalid-ciphers"),
    Run(TLS13, "tls13-keyshare-omitted"),
    Run(TLS13, "tls13-keyupdate", ["--coalescing"], openssl=[], limit=240),
    Run(TLS13, "tls13-large-number-of-extensions", ASSIGNED, openssl=["--supgroup"]),
    Run(TLS13, "tls13-legacy-version"),
    Run(MLKEM, "tls13-mlkem", limit=300),
    Run(TLS13, "tls13-multiple-ccs-messages",
        known={"(CH and )?multiple CCS Messages in one TCP packet|second CCS before client finished":
               DROP_CCS}),
    Run(TLS13, "tls13-no-unknown-groups", ["--groups", ALL_GROUPS.replace(":", ",")]),
    Run(TLS13, "tls13-nociphers"),
    Run(TLS13, "tls13-obsolete-curves"),
    Run(TLS13, "tls13-pkcs-signature"),
    Run(TLS13, "tls13-record-layer-limits", limit=240),
    Run(TLS13, "tls13-record-padding"),
    Run(TLS13, "tls13-rsa-signatures"),
    Run(TLS13, "tls13-serverhello-random"),
    Run(OLD, "tls13-session-resumption", ["-d"]),
    Run(TLS13, "tls13-shuffled-extentions", TICKET_REQUEST),
    Run(TLS13, "tls13-signature-algorithms"),
    Run(TLS13, "tls13-unencrypted-alert"),
    Run(TLS13, "tls13-unrecognised-groups"),
    Run(OLD, "tls13-version-negotiation", ["-d"]),
    Run(TLS13, "tls13-zero-content-type"),
    Run(TLS13, "tls13-zero-length-data"),

    client("tls13-certificate-request", "rsa", s_more=["-E", "47:CR key_share:SH supported_versions:SH"]),
    Run(POST_AUTH, "tls13-post-handshake-auth", ["-k", "{folder}/client-rsa.key", "-c", "{folder}/client-rsa.pem",
                                                 "--pha-as-reply"]),
    client("tls13-certificate-verify", "rsa"),
    client("tls13-certificate-verify", "rsapss"),
    client("tls13-ecdsa-in-certificate-verify", "p256"),
    client("tls13-ecdsa-in-certificate-verify", "p384"),
    client("tls13-ecdsa-in-certificate-verify", "p521"),
    client("tls13-eddsa-in-certificate-verify", "ed25519"),
    client("tls13-eddsa-in-certificate-verify", "ed448"),
    Run(RSAPSS, "tls13-rsapss-signatures"),
    Run(ECDSA, "tls13-conversation"),
    Run(ECDSA, "tls13-ecdsa-support",
        refused(*(f"Test with ecdsa_{name}" for name in (
            "brainpoolP256r1tls13_sha256", "brainpoolP384r1tls13_sha384", "brainpoolP512r1tls13_sha512",
            "secp384r1_sha384", "secp521r1_sha512")))),
    Run(ED25519, "tls13-eddsa", refused("ed448 only")),
    Run(ED448, "tls13-eddsa", refused("ed25519 only")),
    Run(P256_FIRST, "tls13-hrr"),
    Run(P256_FIRST, "tls13-shuffled-extentions", TICKET_REQUEST),
    Run(P256_FIRST, "tls13-large-number-of-extensions", ASSIGNED),
    Run(CCM, "tls13-symetric-ciphers"),
    Run(ECHO, "tls13-lengths", ["-n", "300"]),
    Run(PSK, "tls13-psk_ke", ["--psk", PSK_HEX, "--psk-iden", "test"]),
    Run(PSK, "tls13-psk_dhe_ke", ["--psk", PSK_HEX, "--psk-iden", "test"]),
]
