"""The scripts for TLS 1.2 and older."""

from model import Reason, Run
from servers import (CLIENT_AUTH12, ECHO, MODERN, OLD, OLD12, OLD_ECDSA, OLD_RSAPSS, RECORD_SIZE,
                     RENEGOTIATION, SCHEMES, S_SCHEMES, STAPLE)

GCM = ["-C", "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256", "-d"]
OLD_SCHEMES = SCHEMES + " ecdsa_sha1 rsa_pkcs1_sha1"


def exclude(*names):
    return [a for n in names for a in ("-e", n)]


def both(script, known=None):
    """Once with an AEAD against handfast as it comes, once with CBC against an old server."""
    return [Run(MODERN, script, GCM, known), Run(OLD, script, ["-d"], known)]


def client(script, name, *more, known=None, s_more=(), schemes=False):
    key = ["-k", "{folder}/client-" + name + ".key", "-c", "{folder}/client-" + name + ".pem"]
    ours, theirs = (["-s", OLD_SCHEMES], ["-s", S_SCHEMES]) if schemes else ([], [])
    return Run(CLIENT_AUTH12, script, [*key, *more, *ours], known, openssl=[*key, *(s_more or more), *theirs])


NO_SSL3 = Reason("absent", """
    wants SSL 3.0, which MUST NOT be used (RFC 7568 3): such a hello gets `protocol_version`.""")
NO_OLD_CIPHERS = Reason("absent", """
    offers RC4, DES and 3DES alone. No such cipher is in handfast (RFC 7465 2; RFC 5469; RFC 9325 4.1): the
    hello gets `handshake_failure` (RFC 5246 7.4.1.3).""")
NO_SHA224 = Reason("absent", """
    signatures with SHA-224 are not offered, neither to make nor to verify (RFC 9155 does away with SHA-1;
    nobody needs what stands between it and SHA-256). A hello with nothing else gets `handshake_failure`
    (RFC 5246 7.4.1.4.1).""")
SHA224_NOT_ASKED = Reason("absent", """
    signs with SHA-224 in the name, which handfast does not offer, and expects `decrypt_error` because the
    signature is of another digest. "The hash and signature algorithms used in the signature MUST be one of
    those present in the supported_signature_algorithms field of the CertificateRequest message" (RFC 5246
    7.4.8): `illegal_parameter` is sent before the signature is looked at.""")
NO_NAME_WARNING = Reason("differs", """
    wants a warning with `unrecognized_name` before the handshake goes on. RFC 6066 3: "It is NOT RECOMMENDED
    to send a warning-level unrecognized_name(112) alert". A server without a certificate for the name goes
    on with the one that it has, as the same paragraph allows.""")
NAME_ANSWERED = Reason("differs", """
    the handshake is as the script wants it, a full one; but the script wants no server_name in the
    ServerHello, because the server has no certificate for that name. A server that lets the name guide its
    choice of a certificate "SHALL include" the extension (RFC 6066 3); that the search found no better one
    than the first does not change that it was made.""")
FULL_HANDSHAKE = Reason("differs", """
    resumes a session whose suite it no longer offers and wants `illegal_parameter`. RFC 5246 7.4.1.2 obliges
    the client alone ("this vector MUST include at least the cipher_suite from that session") and says nothing
    about servers. This one drops the session and makes a full handshake with what is offered, or says
    `handshake_failure` where that is nothing usable; BoringSSL's tests demand that.""")
NO_INSECURE = Reason("differs", """
    wants renegotiation without renegotiation_info to succeed. RFC 5746 4.4 recommends that servers refuse it;
    this one always does, with `no_renegotiation`.""")
EMS_KEPT = Reason("differs", """
    renegotiates without extended_master_secret after a handshake with it. RFC 7627 does not say what then is
    to be done; to go on would give up what protects against the triple handshake (RFC 7627 1), so
    `handshake_failure` is sent, as OpenSSL does. The script wants the same in its mode for FIPS.""")
SHA224 = {"make sha(384|512).ecdsa signature, advertise it as sha224.ecdsa in CertificateVerify":
          SHA224_NOT_ASKED}
SSL3 = {r"Protocol \(3, 0\)( in SSLv2 compatible ClientHello)?": NO_SSL3}

RUNS12 = [
    *both("ccs"),
    *both("connection-abort"),
    *both("conversation"),
    Run(OLD, "cve-2016-2107", ["-d"]),
    *both("cve-2016-6309"),
    *both("early-application-data"),
    *both("fuzzed-ciphertext"),
    *both("hello-request-by-client"),
    *both("invalid-client-hello-w-record-overflow"),
    *both("invalid-compression-methods"),
    *both("invalid-content-type"),
    *both("no-mlkem-in-old-tls"),
    *both("record-layer-fragmentation"),
    *both("renegotiation-disabled"),
    *both("truncating-of-client-hello"),
    *both("version-numbers"),
    *both("zero-length-data"),
    Run(OLD, "aes-gcm-nonces", ["-d"]),
    Run(MODERN, "chacha20", ["--extra-exts"]),
    Run(MODERN, "ecdhe-rsa-key-exchange-with-bad-messages", GCM[:2]),
    Run(MODERN, "interleaved-CKE-with-CCS", GCM[:2]),
    Run(MODERN, "point-extension", GCM[:2]),

    Run(OLD, "TLSv1_2-rejected-without-TLSv1_2"),
    Run(OLD, "aesccm"),
    Run(OLD, "atypical-padding", ["-d"]),
    Run(OLD, "bleichenbacher-workaround"),
    Run(OLD, "client-compatibility", ["-d"], known={"100: IE 6 on XP": NO_OLD_CIPHERS}),
    Run(OLD, "client-hello-max-size", ["-d"]),
    Run(OLD, "clienthello-md5"),
    Run(OLD, "cve-2004-0079"),
    Run(OLD, "cve-2016-7054"),
    Run(OLD, "dhe-key-share-random", limit=240, known=SSL3),
    Run(OLD, "dhe-no-shared-secret-padding", limit=240),
    Run(OLD, "dhe-rsa-key-exchange"),
    Run(OLD, "dhe-rsa-key-exchange-signatures",
        known={".* sha224 signature": NO_SHA224, ".*3DES.*": NO_OLD_CIPHERS}),
    Run(OLD, "dhe-rsa-key-exchange-with-bad-messages"),
    Run(OLD, "downgrade-protection", ["-d", "--server-max-protocol=TLSv1.3"]),
    Run(OLD, "ecdhe-padded-shared-secret"),
    Run(OLD, "ecdhe-rsa-key-exchange"),
    Run(OLD, "ecdhe-rsa-key-share-random", known=SSL3),
    Run(OLD, "empty-extensions"),
    Run(OLD, "encrypt-then-mac"),
    Run(OLD, "export-ciphers-rejected", ["-d", "--min-ver", "TLSv1.0"]),
    Run(OLD, "extensions"),
    Run(OLD, "fallback-scsv", ["-d", "--tls-1.3"]),
    Run(OLD, "ffdhe-expected-params"),
    Run(OLD, "ffdhe-negotiation"),
    Run(OLD, "fuzzed-MAC"),
    Run(OLD, "fuzzed-finished"),
    Run(OLD, "fuzzed-padding"),
    Run(OLD, "fuzzed-plaintext"),
    Run(OLD, "invalid-cipher-suites"),
    Run(OLD, "invalid-client-hello"),
    Run(OLD, "invalid-rsa-key-exchange-messages"),
    Run(OLD, "invalid-server-name-extension", ["-d"], known={"incorrect SNI": NO_NAME_WARNING}),
    Run(OLD, "invalid-server-name-extension-resumption", ["-d"],
        known={"session resume with different SNI": NAME_ANSWERED}),
    Run(OLD, "invalid-session-id"),
    Run(OLD, "invalid-version"),
    Run(OLD, "large-hello", ["-d"]),
    Run(OLD, "large-number-of-extensions", ["-d"]),
    Run(OLD, "message-duplication"),
    Run(OLD, "message-skipping", ["-d"]),
    Run(OLD, "no-heartbeat", ["-d"]),
    Run(OLD, "resumption-with-wrong-ciphers", ["-d"],
        known={"resumption (of safe session with NULL cipher|with cipher from old CH but not .*)":
               FULL_HANDSHAKE}),
    Run(OLD, "serverhello-random", limit=240, known=SSL3),
    Run(OLD, "sessionID-resumption", ["-d"]),
    Run(OLD, "sig-algs", exclude(*(f"rsa_pss_pss_sha{n} only" for n in (256, 384, 512)))),
    Run(OLD, "signature-algorithms"),
    Run(OLD, "ssl-death-alert", ["-d"]),
    Run(OLD, "sslv2-connection"),
    Run(OLD, "sslv2-force-cipher"),
    Run(OLD, "sslv2-force-cipher-3des"),
    Run(OLD, "sslv2-force-cipher-non3des"),
    Run(OLD, "sslv2-force-export-cipher"),
    Run(OLD, "sslv2hello-protocol", ["-d"]),
    Run(OLD, "truncating-of-finished"),
    Run(OLD, "truncating-of-kRSA-client-key-exchange"),
    Run(OLD, "unsupported-curve-fallback"),
    Run(OLD, "x25519"),

    Run(OLD12, "downgrade-protection", ["-d", "--server-max-protocol=TLSv1.2"]),
    Run(OLD12, "fallback-scsv", ["-d"]),
    Run(OLD12, "tls13-non-support"),

    Run(RENEGOTIATION, "alpn-negotiation", ["-d"]),
    Run(RENEGOTIATION, "encrypt-then-mac-renegotiation", ["-d"]),
    Run(RENEGOTIATION, "extended-master-secret-extension", ["-d"],
        known={"renegotiate without EMS in session with EMS": EMS_KEPT}),
    Run(RENEGOTIATION, "interleaved-application-data-and-fragmented-handshakes-in-renegotiation", ["-d"]),
    Run(RENEGOTIATION, "interleaved-application-data-in-renegotiation", ["-d"]),
    Run(RENEGOTIATION, "legacy-renegotiation", ["-d"],
        known={r"insecure \(legacy\) renegotiation .*": NO_INSECURE}),
    Run(RENEGOTIATION, "openssl-3712"),
    Run(RENEGOTIATION, "renegotiation-changed-clienthello", ["-d"]),
    Run(RENEGOTIATION, "session-ticket-resumption", ["-d", "--no-new-ticket-on-resumption"]),
    Run(RENEGOTIATION, "sig-algs-renegotiation-resumption", ["-d", "--sig-algs-drop-ok"]),

    client("certificate-malformed", "rsa", "-d"),
    client("certificate-request", "rsa", "-d", "-T", "rsa_sign ecdsa_sign", schemes=True),
    client("certificate-verify", "rsa", "-d"),
    client("certificate-verify-malformed", "rsa", "-d"),
    client("certificate-verify-malformed-sig", "rsa", "-d"),
    client("ecdsa-in-certificate-verify", "p256", known=SHA224),
    client("ecdsa-in-certificate-verify", "p384", known=SHA224),
    client("ecdsa-in-certificate-verify", "p521", known=SHA224),
    client("eddsa-in-certificate-verify", "ed25519"),
    client("eddsa-in-certificate-verify", "ed448"),
    client("extended-master-secret-extension-with-client-cert", "rsa", "-d"),
    client("rsa-pss-sigs-on-certificate-verify", "rsa", "--illegpar", schemes=True),
    client("rsa-pss-sigs-on-certificate-verify", "rsapss", "--illegpar", schemes=True),
    client("rsa-sigs-on-certificate-verify", "rsa", "-d"),

    Run(OLD_RSAPSS, "sig-algs", exclude(*(f"rsa_pss_rsae_sha{n} only" for n in (256, 384, 512)))),
    Run(OLD_ECDSA, "conversation", ["-d"]),
    Run(OLD_ECDSA, "ecdsa-sig-flexibility", known={r"connect with sha224\+ecdsa only": NO_SHA224}),
    Run(OLD_ECDSA, "signature-algorithms", ["--ecdsa"]),
    Run(STAPLE, "ocsp-stapling", ["-d"]),
    Run(ECHO, "lengths", [*GCM[:2], "-n", "300"], tag="GCM"),
    Run(ECHO, "lengths", ["-d", "-n", "300"], tag="CBC"),
    Run(ECHO, "lengths", ["-d", "--etm", "-n", "300"], tag="CBC, encrypt-then-MAC"),
    Run(RECORD_SIZE, "record-size-limit", ["--request", "A" * 400, "--reply-AD-size", "400"]),
]
