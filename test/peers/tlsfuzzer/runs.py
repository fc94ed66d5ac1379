"""What run executes, and what it does not.

A run passes if every conversation of its script does. `known` maps an expression, which must match
a conversation's whole name, to the reason why it does not pass and which section of which RFC that
rests on. A known failure that no longer happens is reported like a new one, unless its reason says
that it depends on when bytes arrive.
"""

from model import plain
from runs12 import RUNS12
from runs13 import RUNS13

__all__ = ["NOT_RUN", "RUNS", "plain"]

RUNS = RUNS13 + RUNS12

# Scripts that are not run, and why.
NOT_RUN = {
    "SSLv3-padding": "SSL 3.0, which MUST NOT be used (RFC 7568 3).",
    "bleichenbacher-timing-marvin": "A measurement of time that needs a packet capture and root.",
    "bleichenbacher-timing-pregenerate": "A measurement of time that needs a packet capture and root.",
    "dsa-in-certificate-verify": "DSA keys: not offered (RFC 9325 4.2.1).",
    "dsa-sig-flexibility": "DSA keys: not offered (RFC 9325 4.2.1).",
    "heartbeat": "RFC 6520, heartbeat: not offered. That it is not, no-heartbeat tests.",
    "lucky13": "A measurement of time that needs a packet capture and root.",
    "renegotiation-disabled-client-cert": "A server that asks for a certificate by renegotiating when it has "
                                          "seen what is requested: ours does not.",
    "tls13-certificate-compression":
        "Not in the run yet. By hand, with `handfast serve --compress-cert`: 28 of 31 conversations pass. An "
        "algorithm named twice is refused, as BoringSSL's tests expect; tlslite-ng's own brotli decoder fails for "
        "want of its dictionary (Chromium reads the same bytes); one wants a suite of TLS 1.2 that is off by default.",
    "tls13-client-certificate-compression": "RFC 8879: not run yet.",
    "tls13-ecdhe-brainpool-curves": "RFC 8734, brainpool groups: not offered.",
    "tls13-ecdsa-brainpool-in-certificate-verify": "RFC 8734, brainpool signatures: not offered.",
    "tls13-keyupdate-from-server": "Asks by `GET /keyupdate` for a KeyUpdate with update_requested (RFC "
                                   "8446 4.6.3); the server has no such page.",
    "tls13-minerva": "A measurement of time that needs a packet capture and root.",
    "tls13-mldsa-in-certificate-verify": "ML-DSA signatures: not offered.",
}
