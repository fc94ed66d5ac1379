"""The servers that scripts run against: ours (server.c) and, to compare, openssl s_server.

{clients} is a file of the certificates that clients may have, {staple} an OCSP response.
"""

from model import Group

ALL_GROUPS = ("x25519:secp256r1:secp384r1:secp521r1:x448:ffdhe2048:ffdhe3072:ffdhe4096:ffdhe6144:"
              "ffdhe8192")
SCHEMES = ("ecdsa_secp256r1_sha256 rsa_pss_rsae_sha256 ecdsa_secp384r1_sha384 rsa_pss_rsae_sha384 "
           "ecdsa_secp521r1_sha512 rsa_pss_rsae_sha512 ed25519 ed448 rsa_pss_pss_sha256 "
           "rsa_pss_pss_sha384 rsa_pss_pss_sha512 rsa_pkcs1_sha256 rsa_pkcs1_sha384 rsa_pkcs1_sha512")
S_SCHEMES = ("ecdsa_secp256r1_sha256 ecdsa_secp384r1_sha384 ecdsa_secp521r1_sha512 ed25519 ed448 "
             "rsa_pss_pss_sha256 rsa_pss_pss_sha384 rsa_pss_pss_sha512 rsa_pss_rsae_sha256 "
             "rsa_pss_rsae_sha384 rsa_pss_rsae_sha512 rsa_pkcs1_sha256 rsa_pkcs1_sha384 "
             "rsa_pkcs1_sha512 ecdsa_sha224 rsa_pkcs1_sha224")

# ---------------------------------------------------------------- TLS 1.3

COMMON = ["--alpn", "http/1.1", "--psk-ke", "on", "--tickets", "2"]
S_COMMON = ["-www", "-alpn", "http/1.1", "-allow_no_dhe_kex"]

TLS13 = Group("tls13", "rsa", [*COMMON, "--groups", ALL_GROUPS], S_COMMON)
HYBRIDS = "X25519MLKEM768:SecP256r1MLKEM768:SecP384r1MLKEM1024"
MLKEM = Group("mlkem", "rsa", [*COMMON, "--groups", HYBRIDS + ":" + ALL_GROUPS], S_COMMON)
PSK_HEX = b"handfast and tlsfuzzer".hex()
PSK = Group("psk", None, [*COMMON, "--groups", ALL_GROUPS, "--psk", "test:handfast and tlsfuzzer"],
            [*S_COMMON, "-psk", PSK_HEX, "-psk_identity", "test"])
CLIENT_AUTH = Group("clientauth13", "rsa", [*COMMON, "--client-auth", "request", "--trust", "{clients}"],
                    [*S_COMMON, "-verify", "1", "-CAfile", "{clients}"])
POST_AUTH = Group("postauth13", "rsa", [*COMMON, "--post-handshake-auth", "on", "--trust", "{clients}"], None)
RSAPSS = Group("rsapss", "rsapss", COMMON, ["-www"])
ECDSA = Group("ecdsa", "p256", COMMON, ["-www"])
ED25519 = Group("ed25519", "ed25519", COMMON, ["-www"])
ED448 = Group("ed448", "ed448", COMMON, ["-www"])
P256_FIRST = Group("p256first", "rsa", [*COMMON, "--groups", "P-256:P-384:x25519"],
                   [*S_COMMON, "-groups", "P-256:P-384:X25519"])
ALL_SUITES = ("TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256:TLS_AES_128_GCM_SHA256:"
              "TLS_AES_128_CCM_SHA256:TLS_AES_128_CCM_8_SHA256")
CCM = Group("ccm", "rsa", [*COMMON, "--suites", ALL_SUITES], [*S_COMMON, "-ciphersuites", ALL_SUITES])

# ---------------------------------------------------------------- all versions
# "old" is what one would not want: TLS 1.0 to 1.3, security level 0, RSA key exchange, DHE, CBC, SHA-1.
# "modern" is handfast as it comes.

CIPHERS = "ALL:!PSK:!aNULL"
OLD_FLAGS = ["--memory", "1000000", "--level", "0", "--ciphers", CIPHERS, "--groups", ALL_GROUPS,
             "--signatures", SCHEMES + " ecdsa_sha1 rsa_pkcs1_sha1", "--alpn", "http/1.1,http/2,h2", "--psk-ke", "on"]
S_OLD_FLAGS = ["-cipher", CIPHERS + ":@SECLEVEL=0", "-min_protocol", "TLSv1", "-alpn", "http/1.1,http/2,h2",
               "-allow_no_dhe_kex"]
UP_TO_13, UP_TO_12 = ["--versions", "1.0-1.3"], ["--versions", "1.0-1.2"]
ASKING = ["--client-auth", "request", "--trust", "{clients}"]
S_ASKING = ["-verify", "1", "-CAfile", "{clients}"]


def old(name, cert="rsa", versions=UP_TO_13, more=(), s_more=(), www=("-www",)):
    s_versions = ["-max_protocol", "TLSv1.2"] if versions is UP_TO_12 else []
    theirs = None if www is None else [*www, *S_OLD_FLAGS, *s_versions, *s_more]
    return Group(name, cert, [*OLD_FLAGS, *versions, *more], theirs)


OLD = old("old")
OLD12 = old("old12", versions=UP_TO_12)
RENEGOTIATION = old("renegotiation", more=["--renegotiations", "100"], s_more=["-client_renegotiation"])
OLD_ECDSA = old("oldecdsa", cert="p256")
OLD_RSAPSS = old("oldrsapss", cert="rsapss")
CLIENT_AUTH12 = old("clientauth12", versions=UP_TO_12, more=ASKING, s_more=S_ASKING)
STAPLE = old("ocsp", cert="stapled", more=["--renegotiations", "100", "--ocsp", "{staple}"],
             s_more=["-client_renegotiation", "-status_file", "{staple}"])
MODERN = Group("modern", "rsa", ["--alpn", "http/1.1"], ["-www", "-alpn", "http/1.1", "-cipher",
                                                        "ECDHE+AESGCM:ECDHE+CHACHA20"])
ECHO = old("echo", www=None, more=["--echo", "on", "--renegotiations", "100"])
RECORD_SIZE = old("recordsize", www=None, more=["--echo", "on", "--renegotiations", "100",
                                               "--record-size-limit", "16384"])
