"""Raw public keys (RFC 7250) with GnuTLS and with ourselves, in TLS 1.3 and 1.2: as server and as client, with
and without a client's key, resumed, and refused where the key is another one or the types do not meet.

    raw_keys.py HANDFAST [WORD]

Of the other libraries none that Debian 12 has knows them: OpenSSL from 3.2 on, wolfSSL and rustls where they
are built for it.
"""

import os
import subprocess
import sys
import time

from commands import GnuTLS
from core import SCRATCH, Failure, Process, Score, free_port, scratch, tail
from handfast import OK, Handfast, expect, report, why
from peer import Peer
from pki import Pki, openssl

EVERY = ["1.3", "1.2"]
KINDS = ["ec", "rsa", "ed25519"]


class Keys:
    """Public halves of the PKI's keys."""

    def __init__(self, pki):
        self.pki = pki

    def private(self, name):
        return self.pki.key(name)

    def public(self, name):
        path = self.pki.path(name + ".pub")
        if not os.path.exists(path):
            openssl("pkey", "-in", self.private(name), "-pubout", "-out", path)
        return path


class Raw(GnuTLS):
    def priority(self):
        return super().priority() + ":-CTYPE-ALL:+CTYPE-SRV-RAWPK:+CTYPE-CLI-RAWPK"

    def files(self, keys, name):
        return ["--rawpkkeyfile", keys.private(name), "--rawpkfile", keys.public(name)]

    def serve_raw(self, keys, name, ask=False):
        port = free_port()
        server = Process(["gnutls-serv", "--echo", "-p", port, *self.files(keys, name), "--priority", self.priority(),
                          *(["--require-client-cert"] if ask else ["--disable-client-cert"])])
        server.port = port
        return server.wait_port(port)

    def connect_raw(self, keys, port, name=None, resume=False):
        return Process(["gnutls-cli", "-p", port, "127.0.0.1", "--sni-hostname", "localhost", "--no-ca-verification",
                        "--priority", self.priority(), *(self.files(keys, name) if name else []),
                        *(["-r", *(["--waitresumption"] if self.version == "1.3" else [])] if resume else [])],
                       stdin=subprocess.PIPE, name="gnutls-cli")


class Itself(Peer):
    name = "handfast"
    handfast = None

    def missing(self):
        return None

    def serve_raw(self, keys, name, ask=False):
        port = free_port()
        server = Process([self.handfast.command, "serve", f"tls://127.0.0.1:{port}", "--echo", "--raw-key",
                          keys.private(name), "--min", self.version, "--max", self.version,
                          *(["--client-auth", "require", "--trust-key", keys.public("client")] if ask else [])])
        server.port = port
        return server.wait_port(port)


def connect(handfast, peer, port, *args):
    return handfast.run("connect", f"tls://127.0.0.1:{port}", "--name", "localhost", "--json", "--timeout", "20",
                        "--min", peer.version, "--max", peer.version, *args, stdin=LINE, seconds=180)


def digest(keys, name):
    done = subprocess.run(f"openssl pkey -pubin -in {keys.public(name)} -outform DER | sha256sum", shell=True,
                          capture_output=True, text=True, check=True)
    return done.stdout.split()[0]


def good(done, keys, name, **more):
    if done.status != OK or done.out() != b"one line\n":
        raise Failure(f"exit status {done.status}, {done.out()!r}: {why(done)}")
    expect(report(done), verified=True, certificate_type="RawPublicKey", key_sha256=digest(keys, name), chain=[],
           **more)


def as_client(handfast, keys, peer, kind):
    server = peer.serve_raw(keys, kind)
    try:
        version = "TLS " + peer.version
        good(connect(handfast, peer, server.port, "--trust-key", keys.public(kind)), keys, kind, version=version)
        pin = ["--peer-types", "RawPublicKey", "--pin", digest(keys, kind)]
        good(connect(handfast, peer, server.port, *pin), keys, kind)
        kept = ["--trust-key", keys.public(kind), "--session", scratch("session")]
        good(connect(handfast, peer, server.port, *kept), keys, kind, resumed=False)
        good(connect(handfast, peer, server.port, *kept), keys, kind, resumed=True)
    finally:
        server.stop()


def with_key(handfast, keys, peer, kind):
    """The server asks for the client's key."""
    server = peer.serve_raw(keys, kind, ask=True)
    try:
        done = connect(handfast, peer, server.port, "--trust-key", keys.public(kind), "--raw-key",
                       keys.private("client"))
        good(done, keys, kind)
    finally:
        server.stop()


def refused(handfast, keys, peer, *args, code):
    server = peer.serve_raw(keys, "ec")
    try:
        done = connect(handfast, peer, server.port, *args)
        if done.status == OK or code not in why(done):
            raise Failure(f"exit status {done.status}: {why(done)}")
    finally:
        server.stop()


def as_server(handfast, keys, peer, kind, ask):
    port = free_port()
    server = Process([handfast.command, "serve", f"tls://127.0.0.1:{port}", "--echo", "--raw-key", keys.private(kind),
                      "--min", peer.version, "--max", peer.version,
                      *(["--client-auth", "require", "--trust-key", keys.public("client")] if ask else [])])
    server.wait_port(port)
    try:
        for resume in (False, True):
            client = peer.connect_raw(keys, port, "client" if ask else None, resume)
            client.wait_text("Simple Client Mode")
            client.say("one line\n")
            client.wait_text("(?s)Simple Client Mode.*one line")
            client.stop()
            if resume and "This is a resumed session" not in client.text():
                raise Failure("gnutls-cli says nothing of a resumed session: " + tail(client.text()))
        if ask and digest(keys, "client") not in server.err():
            raise Failure("serve says nothing of the client's key: " + tail(server.err()))
    finally:
        server.stop()


def stranger(handfast, keys, peer):
    """A client whose key is not among those that the server trusts."""
    port = free_port()
    server = Process([handfast.command, "serve", f"tls://127.0.0.1:{port}", "--echo", "--raw-key", keys.private("ec"),
                      "--min", peer.version, "--max", peer.version, "--client-auth", "require", "--trust-key",
                      keys.public("client")])
    server.wait_port(port)
    try:
        client = peer.connect_raw(keys, port, "stranger")
        client.say("one line\n")
        client.wait(120)
        client.stop()
        until = time.monotonic() + 5
        while "UNTRUSTED_KEY" not in server.err() and time.monotonic() < until:
            time.sleep(0.05)
        if "UNTRUSTED_KEY" not in server.err():
            raise Failure("the stranger was let in: " + tail(server.err()))
    finally:
        server.stop()


def checks(handfast, keys):
    for version in EVERY:
        for peer in (Raw(), Itself()):
            at = peer.at(version)
            if peer.missing():
                print(f"skip TLS {version}, {peer.name}: {peer.missing()}")
                continue
            for kind in KINDS:
                yield f"TLS {version}, {peer.name} as server, {kind}", as_client, handfast, keys, at, kind
            yield f"TLS {version}, {peer.name} as server that asks", with_key, handfast, keys, at, "ec"
            if isinstance(peer, Raw):
                for kind in KINDS:
                    yield f"TLS {version}, {peer.name} as client, {kind}", as_server, handfast, keys, at, kind, False
                yield f"TLS {version}, {peer.name} as client with a key", as_server, handfast, keys, at, "ec", True
                yield f"TLS {version}, {peer.name} as client with a wrong key", stranger, handfast, keys, at
        at = Itself().at(version)
        yield f"TLS {version}: another key", lambda *a: refused(*a, "--trust-key", keys.public("rsa"),
                                                                code="UNTRUSTED_KEY"), handfast, keys, at
        yield f"TLS {version}: a client for certificates", lambda *a: refused(*a, "--ca", keys.pki.ca,
                                                                              code="ALERT_RECEIVED"), handfast, keys, at


def main():
    global LINE
    score = Score()
    if not os.access(sys.argv[1], os.X_OK):
        print("skip everything: no handfast command\n0 passed, 0 failed, 1 skipped")
        return 0
    begun = time.monotonic()
    pki = Pki(os.path.join(SCRATCH, "pki"))
    LINE = scratch("line")
    with open(LINE, "w", encoding="ascii") as f:
        f.write("one line\n")
    handfast = Itself.handfast = Handfast(os.path.abspath(sys.argv[1]), pki)
    word = sys.argv[2] if len(sys.argv) > 2 else ""
    for name, function, *more in checks(handfast, Keys(pki)):
        if word in name:
            print(f"{score.check(name, function, *more):4} {name}", flush=True)
    print(f"\n{time.monotonic() - begun:.0f} s")
    return score.done()


if __name__ == "__main__":
    sys.exit(main())
