"""What run executes: servers, scripts, and the conversations that are known not to pass.

A run passes if every conversation of its script does. `known` maps an expression, which must match
a conversation's whole name, to the reason why it does not pass and which section of which RFC that
rests on. A known failure that no longer happens is reported like a new one, unless its reason says
that it depends on when bytes arrive.
"""

import shlex


class Reason:
    """Why conversations do not pass. The kinds: "absent", they are about something that handfast does
    not offer; "differs", the script asks for something else than the RFC; "suite", tlsfuzzer errs."""

    def __init__(self, kind, text, sometimes=False):
        self.kind, self.text, self.sometimes = kind, " ".join(text.split()), sometimes


class Group:
    """A kind of server: its certificate, and the arguments of both programs."""

    def __init__(self, name, cert, handfast, openssl):
        self.name, self.cert, self.handfast, self.openssl = name, cert, handfast, openssl


class Run:
    def __init__(self, group, script, arguments=(), known=None, openssl=None, limit=120):
        self.group, self.script, self.arguments = group, script, list(arguments)
        self.known, self.limit = known or {}, limit
        self.openssl = openssl  # arguments against openssl s_server, where they differ

    def arguments_for(self, against):
        return self.openssl if against == "openssl" and self.openssl is not None else self.arguments

    def title(self):
        """A name that tells apart the runs of one script."""
        tag = next((a.split("client-")[1][:-4] for a in self.arguments if a.endswith(".pem")), "")
        return f"{self.group.name}: {self.script}" + (f" ({tag})" if tag else "")

    def shown(self):
        words = [shlex.quote(a).replace("{folder}/", "") for a in self.arguments]
        return " ".join("..." if w.startswith(("'ecdsa_", "AAAA")) else w for w in words)


def plain(rule):
    """An expression, as it is shown in the document."""
    return "`" + rule.replace("|", "\\|") + "`"


# ---------------------------------------------------------------- servers

ALL_GROUPS = "x25519:secp256r1:secp384r1:secp521r1:x448:ffdhe2048:ffdhe3072:ffdhe4096"
S_GROUPS = ALL_GROUPS.replace(":", ",") + ",ffdhe6144,ffdhe8192"
COMMON = ["--www", "--alpn", "http/1.1", "--psk-ke", "--tickets", "2"]
S_COMMON = ["-www", "-alpn", "http/1.1", "-allow_no_dhe_kex"]

TLS13 = Group("tls13", "rsa", [*COMMON, "--groups", ALL_GROUPS], S_COMMON)
MLKEM = Group("tls13", "rsa", COMMON, S_COMMON)
CLIENT_AUTH = Group("clientauth13", "rsa", [*COMMON, "--client-auth", "request", "--ca", "{clients}"],
                    [*S_COMMON, "-verify", "1", "-CAfile", "{clients}"])
RSAPSS = Group("rsapss", "rsapss", COMMON, ["-www"])
ECDSA = Group("ecdsa", "p256", COMMON, ["-www"])
ED25519 = Group("ed25519", "ed25519", COMMON, ["-www"])
ED448 = Group("ed448", "ed448", COMMON, ["-www"])
P256_FIRST = Group("p256first", "rsa", [*COMMON, "--groups", "P-256:P-384:x25519"],
                   [*S_COMMON, "-groups", "P-256:P-384:X25519"])
ALL_SUITES = ("TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256:TLS_AES_128_GCM_SHA256:"
              "TLS_AES_128_CCM_SHA256:TLS_AES_128_CCM_8_SHA256")
CCM = Group("ccm", "rsa", [*COMMON, "--suites", ALL_SUITES], [*S_COMMON, "-ciphersuites", ALL_SUITES])
ECHO = Group("echo", "rsa", ["--echo", "--psk-ke"], None)


# ---------------------------------------------------------------- scripts

def refused(*names):
    """Arguments for a script whose conversations of these names must end with handshake_failure."""
    return [a for n in names for a in ("-x", n, "-X", "handshake_failure")]


# What the servers ask of a client's signatures, in their order.
SCHEMES = ("ecdsa_secp256r1_sha256 rsa_pss_rsae_sha256 ecdsa_secp384r1_sha384 rsa_pss_rsae_sha384 "
           "ecdsa_secp521r1_sha512 rsa_pss_rsae_sha512 ed25519 ed448 rsa_pss_pss_sha256 "
           "rsa_pss_pss_sha384 rsa_pss_pss_sha512 rsa_pkcs1_sha256 rsa_pkcs1_sha384 rsa_pkcs1_sha512")
S_SCHEMES = ("ecdsa_secp256r1_sha256 ecdsa_secp384r1_sha384 ecdsa_secp521r1_sha512 ed25519 ed448 "
             "rsa_pss_pss_sha256 rsa_pss_pss_sha384 rsa_pss_pss_sha512 rsa_pss_rsae_sha256 "
             "rsa_pss_rsae_sha384 rsa_pss_rsae_sha512 rsa_pkcs1_sha256 rsa_pkcs1_sha384 "
             "rsa_pkcs1_sha512 ecdsa_sha224 rsa_pkcs1_sha224")


def client(script, name, *more, s_more=()):
    key = ["-k", "{folder}/client-" + name + ".key", "-c", "{folder}/client-" + name + ".pem"]
    return Run(CLIENT_AUTH, script, [*key, "-s", SCHEMES, *more],
               openssl=[*key, "-s", S_SCHEMES, *s_more])


NO_TLS12 = Reason("absent", """
    needs TLS 1.2, which handfast does not speak: no version is allowed by both sides, for which RFC 8446
    4.2.1 asks for `protocol_version`, and that is sent.""")
NO_EMPTY_SHARE = Reason("differs", """
    the script asks for `illegal_parameter`. A KeyShareEntry is `opaque key_exchange<1..2^16-1>` (RFC 8446
    4.2.8): an empty one does not conform to the syntax, for which RFC 8446 6.2 asks for `decode_error`,
    and that is sent. OpenSSL answers the same.""")
NO_BIG_FFDHE = Reason("absent", """
    ffdhe6144 and ffdhe8192 are not offered (RFC 8446 9.1 asks for secp256r1 and advises X25519); a hello
    with no other group gets `handshake_failure` (RFC 8446 4.1.1), whatever its share holds.""")
NO_TICKET = Reason("differs", """
    waits for a session ticket, but its hello has no psk_key_exchange_modes: it could not use one, and RFC
    8446 4.2.9 says that servers SHOULD NOT send such tickets. The script's other conversations test what
    the server does when a connection is cut.""")
DROP_CCS = Reason("differs", """
    wants the second change_cipher_spec refused. RFC 8446 5 says of the record with the single byte 1 that
    it may come at any time between the first ClientHello and the peer's Finished, and MUST simply be
    dropped: the server waits for the Finished until the script gives up.""")
NO_MLKEM = Reason("absent", """
    X25519MLKEM768 (RFC 10024) is offered where libcrypto has ML-KEM, from OpenSSL 3.5 on; with the 3.0 of
    this table it is not, and a hello with no other group gets `handshake_failure` (RFC 8446 4.1.1). The
    hybrids with P-256 and P-384 are never offered.""")
ALERT_READ = Reason("suite", """
    the script sends a Finished of up to 16 MiB; the server refuses it at its header, with the `decode_error`
    that the script wants (RFC 8446 6.2), and closes while the script is still sending. When sending fails,
    tlsfuzzer goes on as if it had read the alert, and then takes the alert, which arrives after all, for
    something unexpected.""", sometimes=True)

RUNS = [
    Run(TLS13, "tls13-0rtt-garbage", ["-d"],
        {r"handshake with invalid 0-RTT and unknown version \(downgrade to TLS 1\.2\)": NO_TLS12}),
    Run(TLS13, "tls13-ccs"),
    Run(TLS13, "tls13-connection-abort", known={"After NewSessionTicket": NO_TICKET}),
    Run(TLS13, "tls13-conversation"),
    Run(TLS13, "tls13-count-tickets", ["-t", "0"], openssl=["-t", "2"]),
    Run(TLS13, "tls13-crfg-curves", known={"empty x(25519|448) key share": NO_EMPTY_SHARE}),
    Run(TLS13, "tls13-dhe-shared-secret-padding"),
    Run(TLS13, "tls13-ecdhe-curves"),
    Run(TLS13, "tls13-empty-alert"),
    Run(TLS13, "tls13-ffdhe-groups",
        known={".*ffdhe(6144|8192).*": NO_BIG_FFDHE,
               "ffdhe(2048|3072|4096) - empty key share entry.*": NO_EMPTY_SHARE}),
    Run(TLS13, "tls13-ffdhe-sanity", known={"ffdhe(6144|8192)": NO_BIG_FFDHE}),
    Run(TLS13, "tls13-finished",
        known={"padding - cipher .*, pad_left 0, pad_right (131072|196608|167771..)": ALERT_READ}),
    Run(TLS13, "tls13-finished-plaintext"),
    Run(TLS13, "tls13-hrr"),
    Run(TLS13, "tls13-invalid-ciphers"),
    Run(TLS13, "tls13-keyshare-omitted"),
    Run(TLS13, "tls13-keyupdate", ["--coalescing"], openssl=[], limit=240),
    Run(TLS13, "tls13-large-number-of-extensions", openssl=["--supgroup"]),
    Run(TLS13, "tls13-legacy-version"),
    Run(MLKEM, "tls13-mlkem", known={".*": NO_MLKEM}, limit=300),
    Run(TLS13, "tls13-multiple-ccs-messages",
        known={"(CH and )?multiple CCS Messages in one TCP packet|second CCS before client finished":
               DROP_CCS}),
    Run(TLS13, "tls13-no-unknown-groups", ["--groups", ALL_GROUPS.replace(":", ",")],
        openssl=["--groups", S_GROUPS]),
    Run(TLS13, "tls13-nociphers"),
    Run(TLS13, "tls13-obsolete-curves"),
    Run(TLS13, "tls13-pkcs-signature"),
    Run(TLS13, "tls13-record-layer-limits", limit=240),
    Run(TLS13, "tls13-record-padding"),
    Run(TLS13, "tls13-rsa-signatures"),
    Run(TLS13, "tls13-serverhello-random"),
    Run(TLS13, "tls13-session-resumption", ["-d"],
        {"sanity - TLS 1.2|use TLS 1.2 ticket in TLS 1.3": NO_TLS12}),
    Run(TLS13, "tls13-shuffled-extentions"),
    Run(TLS13, "tls13-signature-algorithms"),
    Run(TLS13, "tls13-unencrypted-alert"),
    Run(TLS13, "tls13-unrecognised-groups"),
    Run(TLS13, "tls13-version-negotiation", ["-d"],
        {"fallback from .* to 1\\.[12]|TLS 1\\.8 in client hello legacy field": NO_TLS12}),
    Run(TLS13, "tls13-zero-content-type"),
    Run(TLS13, "tls13-zero-length-data"),

    client("tls13-certificate-request", "rsa", s_more=["-E", "47:CR key_share:SH supported_versions:SH"]),
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
    Run(P256_FIRST, "tls13-shuffled-extentions"),
    Run(P256_FIRST, "tls13-large-number-of-extensions"),
    Run(CCM, "tls13-symetric-ciphers"),
    Run(ECHO, "tls13-lengths", ["-n", "300"]),
    Run(ECHO, "record-size-limit", ["--request", "A" * 400, "--reply-AD-size", "400"],
        {r"sanity|.* TLS 1\.[012]\b.*|check interaction with sha.* prf|renegotiation with .*": NO_TLS12}),
]

# Scripts for TLS 1.3 that are not run, and why.
NOT_RUN = {
    "tls13-certificate-compression": "RFC 8879, certificate compression: not offered.",
    "tls13-client-certificate-compression": "RFC 8879, certificate compression: not offered.",
    "tls13-ecdhe-brainpool-curves": "RFC 8734, brainpool groups: not offered.",
    "tls13-ecdsa-brainpool-in-certificate-verify": "RFC 8734, brainpool signatures: not offered.",
    "tls13-keyupdate-from-server": "Asks by `GET /keyupdate` for a KeyUpdate with update_requested (RFC "
                                   "8446 4.6.3); `handfast serve` has no such page.",
    "tls13-minerva": "A measurement of time that needs a packet capture and root.",
    "tls13-mldsa-in-certificate-verify": "ML-DSA signatures: not offered.",
    "tls13-non-support": "For servers that do not speak TLS 1.3.",
    "tls13-post-handshake-auth": "A server that asks for a certificate after the handshake (RFC 8446 "
                                 "4.6.2): handfast does not.",
    "tls13-psk_dhe_ke": "PSKs from outside (RFC 8446 2.2): handfast has only those of its tickets.",
    "tls13-psk_ke": "PSKs from outside (RFC 8446 2.2): handfast has only those of its tickets.",
}
