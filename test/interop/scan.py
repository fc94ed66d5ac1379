"""Scanners that others wrote look at `handfast serve` as it is by default, and must find no weakness.

    scan.py HANDFAST
"""

import json
import os
import re
import shutil
import sys
import time
import xml.etree.ElementTree

from core import SCRATCH, Failure, Process, Score, Skip, scratch, tail
from handfast import Handfast
from pki import Pki

# What testssl says of the certificates that these tests have made for themselves, and of their name.
NOT_OURS = {
    "cert_serialNumberLen": "the test's authority counts its certificates",
    "cert_expirationStatus": "they are good for a few days",
    "cert_notAfter": "the same",
    "cert_revocation": "the test's authority revokes nothing",
    "DNS_CAArecord": "localhost has no records",
    # And of the machine.
    "engine_problem": "the openssl command that testssl uses has no GOST",
    "RC4": "nor RC4: sslscan and nmap have asked for that",
    # And of its own client, which leaves before the tickets of TLS 1.3 have come, or after: the other tests resume.
    "sessionresumption_ticket": "a warning now and then",
}
# What must have been looked at, by testssl's own names.
LOOKED_AT = ["SSLv2", "SSLv3", "TLS1", "TLS1_1", "TLS1_2", "TLS1_3", "cipherlist_NULL", "cipherlist_aNULL", "cipherlist_EXPORT",
             "cipherlist_LOW", "cipherlist_3DES_IDEA", "cipherlist_AVERAGE", "PFS", "cipher_order", "heartbleed", "CCS",
             "ticketbleed", "ROBOT", "secure_renego", "secure_client_renego", "CRIME_TLS", "POODLE_SSL", "fallback_SCSV",
             "SWEET32", "FREAK", "DROWN", "LOGJAM", "BEAST", "LUCKY13"]
TESTSSL = {"what it offers": ["-p", "-s", "-f", "-P", "-S"], "vulnerabilities": ["-U"]}
# What gnutls-cli-debug must answer; the rest of its questions is about quirks.
GNUTLS = {
    "for TLS 1.0 (RFC2246) support": "no", "for TLS 1.1 (RFC4346) support": "no", "for TLS 1.2 (RFC5246) support": "yes",
    "for TLS 1.3 (RFC8446) support": "yes", "for safe renegotiation (RFC5746) support": "yes",
    "for ext master secret (RFC7627) support": "yes", "for heartbeat (RFC6520) support": "no",
    "for anonymous authentication support": "no", "for RSA key exchange support": "no",
    "for ephemeral EC Diffie-Hellman support": "yes", "for AES-GCM cipher (RFC5288) support": "yes",
    "for AES-CBC cipher (RFC3268) support": "no", "for 3DES-CBC cipher (RFC2246) support": "no",
    "for ARCFOUR 128 cipher (RFC2246) support": "no", "for CHACHA20-POLY1305 cipher (RFC7905) support": "yes",
    "for MD5 MAC support": "no", "for SHA1 MAC support": "no", "whether %NO_EXTENSIONS is required": "no",
    "whether we need to disable TLS 1.2": "no", "whether the server understands TLS closure alerts": "yes",
    "whether the server supports session resumption": "yes", "whether a bogus TLS record version in the client hello is accepted": "yes",
}


class Bench:
    def __init__(self, command):
        self.pki = Pki(os.path.join(SCRATCH, "pki"))
        self.server = Handfast(command, self.pki).serve("--cert", self.pki.chain("rsa"), "--key", self.pki.key("rsa"),
                                                        "--quiet")
        self.address = f"127.0.0.1:{self.server.port}"
        self.started = {}

    def start(self):
        """testssl waits more than it works: its parts run beside all else."""
        for name, options in TESTSSL.items() if shutil.which("testssl") else ():
            path = scratch("testssl.json")
            self.started[name] = path, Process(
                ["testssl", "--quiet", "--color", "0", "--warnings", "off", "--fast", "--ip", "one", *options, "--jsonfile",
                 path, "--add-ca", self.pki.ca, "https://" + self.address], cwd=SCRATCH)


def need(command):
    if not shutil.which(command):
        raise Skip(f"no {command} command")


def testssl(bench):
    need("testssl")
    found = []
    for path, process in bench.started.values():
        process.wait(240)
        with open(path, encoding="utf-8") as f:
            found += json.load(f)
    bad = [f"{row['id']}: {row['severity']}: {row['finding']}" for row in found
           if row["severity"] not in ("OK", "INFO") and row["id"].split(" ")[0] not in NOT_OURS]
    missing = [name for name in LOOKED_AT if not any(row["id"].split(" ")[0] == name for row in found)]
    if bad or missing:
        raise Failure("; ".join(bad) + (f"; not looked at: {' '.join(missing)}" if missing else ""))
    return f"{len(found)} findings, of them {sum(row['severity'] == 'OK' for row in found)} OK, the others for information"


def sslscan(bench):
    need("sslscan")
    path = scratch("sslscan.xml")
    Process(["sslscan", "--xml=" + path, bench.address]).wait(120)
    root = xml.etree.ElementTree.parse(path).getroot()
    enabled = {(p.get("type"), p.get("version")) for p in root.iter("protocol") if p.get("enabled") == "1"}
    if enabled != {("tls", "1.2"), ("tls", "1.3")}:
        raise Failure(f"enabled are {sorted(enabled)}")
    ciphers = list(root.iter("cipher"))
    weak = [c.get("cipher") for c in ciphers if int(c.get("bits")) < 128 or c.get("strength") not in ("strong", "acceptable")
            or re.search("CBC|SHA$|RC4|DES|NULL|ADH|^AES", c.get("cipher"))]
    if weak or len(ciphers) != 9:
        raise Failure(f"{len(ciphers)} suites, weak: {weak}")
    if any(h.get("vulnerable") != "0" for h in root.iter("heartbleed")):
        raise Failure("heartbleed")
    if any(r.get("supported") != "0" for r in root.iter("renegotiation")):
        raise Failure("renegotiation is supported")
    return f"{len(ciphers)} suites, none weak"


def nmap(bench):
    need("nmap")
    scripts = "ssl-enum-ciphers,ssl-heartbleed,ssl-ccs-injection,sslv2-drown,tls-ticketbleed,ssl-dh-params,ssl-poodle"
    done = Process(["nmap", "-Pn", "-p", bench.server.port, "--script", scripts, "127.0.0.1"])
    done.wait(120)
    said = done.text()
    if "least strength: A" not in said or "VULNERABLE" in said or "warnings" in said:
        raise Failure(tail(said, 30))
    return "least strength: A"


def gnutls(bench):
    need("gnutls-cli-debug")
    done = Process(["gnutls-cli-debug", "-p", bench.server.port, "127.0.0.1"])
    done.wait(120)
    answers = dict(re.findall(r"^\s*(\S.*?)\.\.\. (.*)$", done.text(), re.M))
    bad = [f"{question}: {answers.get(question)}" for question, want in GNUTLS.items() if answers.get(question) != want]
    if bad:
        raise Failure("; ".join(bad))
    return f"{len(answers)} questions, {len(GNUTLS)} answers that matter"


def alive(bench):
    if bench.server.child.poll() is not None:
        raise Failure("the server is gone: " + tail(bench.server.err()))


def main():
    score = Score()
    if not os.access(sys.argv[1], os.X_OK) or not shutil.which("openssl"):
        print("skip everything: no handfast or no openssl command")
        print("0 passed, 0 failed, 1 skipped")
        return 0
    begun = time.monotonic()
    bench = Bench(os.path.abspath(sys.argv[1]))
    tests = [sslscan, nmap, gnutls, testssl, alive]
    if os.environ.get("HF_TEST_SANITIZED"):
        tests.remove(testssl)  # it takes its time, and its verdict is about the build that is shipped
    else:
        bench.start()
    for function in tests:
        print(f"{function.__name__:8} {score.check(function.__name__, function, bench)}", flush=True)
    print(f"\n{time.monotonic() - begun:.0f} s")
    bench.server.stop()
    return score.done()


if __name__ == "__main__":
    sys.exit(main())
