"""Every cipher suite that handfast has in common with OpenSSL, in every version that has it, in both roles;
and what only some of them show: encrypt-then-MAC on and off, handshakes without extended_master_secret,
renegotiation.

    suites.py HANDFAST ENDPOINT [--only WORD]
"""

import argparse
import json
import os
import re
import shutil
import subprocess
import sys
import time

from core import SCRATCH, Failure, Process, Score, free_port, scratch, tail
from pki import Pki

PSK = "00112233445566778899aabbccddeeff"
VERSIONS = {"1.2": "-tls1_2", "1.1": "-tls1_1", "1.0": "-tls1"}
ALL = "ALL:COMPLEMENTOFALL:@SECLEVEL=0"
# OpenSSL's commands have no switches for these.
CONFIG = """
openssl_conf = whole
[whole]
ssl_conf = ssl
[ssl]
system_default = all
[all]
Options = {options}
"""


class Bench:
    def __init__(self, handfast, endpoint):
        self.handfast, self.endpoint = handfast, endpoint
        self.pki = Pki(os.path.join(SCRATCH, "pki"))
        self.certs = [f"{word}" for name in ("ec", "rsa") for word in
                      (f"cert={self.pki.chain(name)}", f"key={self.pki.key(name)}")]

    def common(self, version):
        """OpenSSL's names of the suites that both have in a version, and all of ours by name."""
        done = subprocess.run([self.handfast, "ciphers", "--all", "--json"], stdout=subprocess.PIPE, text=True,
                              check=True)
        ours = {suite["openssl_name"]: suite for suite in json.loads(done.stdout)["suites"]}
        done = subprocess.run(["openssl", "ciphers", "-s", "-psk", VERSIONS[version], ALL], stdout=subprocess.PIPE,
                              text=True, check=True)
        theirs = done.stdout.strip().split(":")
        return [name for name in theirs if name in ours and not name.startswith("TLS_")], ours

    def environment(self, options):
        """Of an openssl command that has these options off or on."""
        if not options:
            return {}
        path = os.path.join(SCRATCH, "openssl-" + re.sub(r"\W", "", options) + ".cnf")
        with open(path, "w", encoding="ascii") as f:
            f.write(CONFIG.format(options=options))
        return {"OPENSSL_CONF": path}

    def s_server(self, version, *more, options=None, stdin=subprocess.PIPE):
        port = free_port()
        server = Process(["openssl", "s_server", "-accept", f"127.0.0.1:{port}", VERSIONS[version], "-cert",
                          self.pki.cert("rsa"), "-key", self.pki.key("rsa"), "-dcert", self.pki.cert("ec"), "-dkey",
                          self.pki.key("ec"), "-cipher", ALL, "-psk", PSK, "-psk_identity", "interop", *more],
                         stdin=stdin, cwd=SCRATCH, env=self.environment(options), name="s_server")
        server.port = port
        return server.wait_port(port)

    def s_client(self, port, version, suite, *more, options=None, say=None, quiet=True):
        command = ["openssl", "s_client", "-connect", f"127.0.0.1:{port}", VERSIONS[version], "-cipher",
                   suite + ":@SECLEVEL=0", "-psk", PSK, "-psk_identity", "interop", "-CAfile", self.pki.ca,
                   *(["-quiet"] if quiet else []), *more]
        return Process(command, stdin=say or subprocess.PIPE, env=self.environment(options), name="s_client")

    def server(self, version, *more):
        port = free_port()
        server = Process([self.endpoint, "server", port, f"version={version}", f"ciphers={ALL}", f"psk={PSK}",
                          *self.certs, *more], name="endpoint")
        server.port = port
        return server.wait_port(port)

    def client(self, port, lines):
        """One connection for each line of options; what is said of each."""
        path = scratch("connections")
        with open(path, "w", encoding="ascii") as f:
            f.writelines(line + "\n" for line in lines)
        done = Process([self.endpoint, "client", port, f"ca={self.pki.ca}", f"psk={PSK}"], stdin=path, name="endpoint")
        done.wait(120)
        done.stop()
        return done.out().decode().splitlines()


def facts(line):
    if not line.startswith("conn "):
        raise Failure(line)
    return dict(word.split("=", 1) for word in line.split()[1:])


def judge(line, suite, version, cbc_etm, ems):
    found = facts(line)
    want = {"version": version, "suite": suite, "etm": "yes" if cbc_etm else "no", "ems": ems,
            "psk": "yes" if "PSK" in suite else "no"}
    bad = [f"{key} is {found[key]}, not {value}" for key, value in want.items() if found[key] != value]
    if bad:
        raise Failure("; ".join(bad))


def is_cbc(suite):
    """Whether encrypt-then-MAC matters: without encryption there is only the MAC."""
    return suite["mac"] != "AEAD" and suite["bits"] > 0


def collect(results):
    bad = [f"{name}: {fault}" for name, fault in results if fault]
    if bad:
        raise Failure(f"{len(bad)} of {len(results)}: " + "; ".join(bad[:12]))
    return f"{len(results)}/{len(results)}"


def anonymous(suite):
    return suite["authentication"] == "none" or suite["key_exchange"] in ("PSK", "DHE-PSK", "ECDHE-PSK")


# ---------------------------------------------------------------- suites

def as_client(bench, version, options=None, etm=True, only_cbc=False, ems="yes"):
    names, found = bench.common(version)
    names = [name for name in names if is_cbc(found[name])] if only_cbc else names
    server = bench.s_server(version, "-rev", options=options)
    try:
        lines = [f"version={version} ciphers={name}:@SECLEVEL=0 etm={'on' if etm else 'off'}" +
                 (" peer=any" if anonymous(found[name]) else "") for name in names]
        said = bench.client(server.port, lines)
    finally:
        server.stop()
    if len(said) != len(names):
        raise Failure(f"{len(said)} connections of {len(names)}: {said[-1:]}")
    results = []
    for name, line in zip(names, said):
        results.append((name, fault_of(judge, line, name, version, expected_etm(found[name], options, etm), ems)))
    return collect(results)


def expected_etm(suite, options, etm):
    return is_cbc(suite) and etm and "EncryptThenMac" not in (options or "")


def fault_of(function, *args):
    try:
        function(*args)
    except Failure as fault:
        return str(fault)
    return None


def as_server(bench, version, options=None, etm=True, only_cbc=False, ems="yes"):
    names, found = bench.common(version)
    names = [name for name in names if is_cbc(found[name])] if only_cbc else names
    line = scratch("line")
    with open(line, "w", encoding="ascii") as f:
        f.write("".join(chr(97 + i * 7 % 26) for i in range(2999)) + "\n")
    server = bench.server(version, f"etm={'on' if etm else 'off'}")
    results = []
    try:
        for name in names:
            strict = [] if anonymous(found[name]) else ["-verify_return_error"]
            client = bench.s_client(server.port, version, name, *strict, options=options, say=line)
            client.wait(120)
            client.stop()
            with open(line, "rb") as f:
                good = client.out() == f.read()
            said = server.out().decode().splitlines()
            fault = None if good else f"{len(client.out())} bytes came back: {tail(client.err(), 2)}"
            results.append((name, fault or fault_of(judge, said[-1] if said else "nothing", name, version,
                                                    expected_etm(found[name], options, etm), ems)))
    finally:
        server.stop()
    return collect(results)


def alone(bench):
    """What OpenSSL does not have, handfast with itself."""
    names, found = bench.common("1.2")
    names = [name for name, suite in found.items() if name not in names and suite["version_max"] != "TLS 1.3"]
    server = bench.server("1.2")
    try:
        said = bench.client(server.port, [f"ciphers={name}:@SECLEVEL=0 peer=any" for name in names])
    finally:
        server.stop()
    return collect([(name, fault_of(judge, line, name, "1.2", is_cbc(found[name]), "yes")) for name, line in
                    zip(names, said, strict=True)])


# ---------------------------------------------------------------- renegotiation

SUITES = ["ECDHE-ECDSA-AES128-GCM-SHA256", "ECDHE-RSA-AES256-SHA"]


def expect_handshakes(line, wanted):
    found = facts(line)
    if found["handshakes"] != str(wanted):
        raise Failure(f"{found['handshakes']} handshakes, not {wanted}")


def we_ask_as_client(bench, version):
    server = bench.s_server(version, "-rev", "-client_renegotiation")
    try:
        options = f"version={version} ciphers=ALL:@SECLEVEL=0"
        once, thrice = bench.client(server.port, [options + " renegotiate=1", options + " renegotiate=3"])
        expect_handshakes(once, 2)
        expect_handshakes(thrice, 4)
    finally:
        server.stop()


def we_ask_as_server(bench, version):
    server = bench.server(version, "renegotiate=2")
    try:
        client = bench.s_client(server.port, version, "ALL")
        client.say("a line\n")
        client.wait(120)
        client.stop()
        if client.out() != b"a line\n":
            raise Failure(tail(client.text()))
        server.wait_text("conn")
        expect_handshakes(server.out().decode().splitlines()[-1], 3)
    finally:
        server.stop()


def they_ask(bench, version, allow):
    """`r` makes s_server ask; handfast agrees, or says no_renegotiation, which s_server takes for an error."""
    server = bench.s_server(version)
    try:
        path = scratch("connections")
        with open(path, "w", encoding="ascii") as f:
            f.write(f"version={version} ciphers=ALL:@SECLEVEL=0 allow={allow}\n")
        client = Process([bench.endpoint, "client", server.port, f"ca={bench.pki.ca}"], stdin=path, name="endpoint")
        server.wait_text("ahov")  # the line has come
        server.say("r\n")
        if allow:
            server.wait_text("SSL_do_handshake -> 1")
            server.say("answer\n")
        client.wait(120)
        client.stop()
        if allow:
            expect_handshakes(client.out().decode().strip(), 2)
        elif "no renegotiation" not in server.text() or "handshake_failure" not in client.text():
            raise Failure(tail(client.text()) + "; " + tail(server.text()))
    finally:
        server.stop()


def they_ask_as_client(bench, version, allow):
    """`R` makes s_client begin; it takes no_renegotiation for an error."""
    server = bench.server(version, f"allow={allow}")
    try:
        client = bench.s_client(server.port, version, "ALL", quiet=False)
        client.wait_text("Verify return code")
        client.say("R\n")
        client.wait_text("RENEGOTIATING")
        if allow:
            time.sleep(0.3)
            client.say("a line\n")
            client.wait_text("a line")
            server.wait_text("conn|error")
            expect_handshakes(server.out().decode().splitlines()[-1], 2)
        else:
            client.wait_text("no renegotiation")
    finally:
        client.stop()
        server.stop()


def checks(bench):
    for version in VERSIONS:
        yield f"TLS {version}: every suite, handfast is the client", as_client, version
        yield f"TLS {version}: every suite, handfast is the server", as_server, version
    yield "TLS 1.2: what OpenSSL does not have, handfast with itself", alone
    for version in VERSIONS:
        for role, function in (("client", as_client), ("server", as_server)):
            yield f"TLS {version}: MAC-then-encrypt since handfast wants it, {role}", function, version, None, False, True
            yield f"TLS {version}: MAC-then-encrypt since OpenSSL wants it, {role}", function, version, \
                "-EncryptThenMac", True, True
    for version in VERSIONS:
        for role, function in (("client", as_client), ("server", as_server)):
            yield f"TLS {version}: no extended_master_secret, {role}", function, version, "-ExtendedMasterSecret", True, \
                True, "no"
    for version in VERSIONS:
        yield f"TLS {version}: handfast renegotiates as the client", we_ask_as_client, version
        yield f"TLS {version}: handfast asks for renegotiation as the server", we_ask_as_server, version
        yield f"TLS {version}: s_server asks, handfast agrees", they_ask, version, 1
        yield f"TLS {version}: s_server asks, handfast does not", they_ask, version, 0
        yield f"TLS {version}: s_client renegotiates, handfast agrees", they_ask_as_client, version, 1
        yield f"TLS {version}: s_client renegotiates, handfast does not", they_ask_as_client, version, 0


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("handfast")
    parser.add_argument("endpoint")
    parser.add_argument("--only", default="")
    args = parser.parse_args()
    score = Score()
    begun = time.monotonic()
    if not shutil.which("openssl"):
        print("skip everything: no openssl command")
        print("0 passed, 0 failed, 1 skipped")
        return 0
    bench = Bench(os.path.abspath(args.handfast), os.path.abspath(args.endpoint))
    names, ours = bench.common("1.2")
    older = [name for name, suite in ours.items() if suite["version_max"] != "TLS 1.3"]
    alone = [name for name in older if name not in names]
    print(f"     OpenSSL has {len(names)} of the {len(older)} suites, not: {', '.join(alone) or '-'}")
    for name, function, *more in checks(bench):
        if args.only in name:
            print(f"{score.check(name, function, bench, *more):7} {name}", flush=True)
    print(f"\n{time.monotonic() - begun:.0f} s")
    return score.done()


if __name__ == "__main__":
    sys.exit(main())
