"""A session outlives the process that made it: handfast connects and keeps it in a file; another process reads
the file and resumes. So do sessions that `openssl s_client -sess_out` has kept. And what a session of one
version is worth where another is spoken: a full handshake, and no failure.

    sessions.py HANDFAST [WORD]
"""

import os
import subprocess
import sys
import time

from commands import GnuTLS, OpenSSL
from core import SCRATCH, Failure, Process, Score, scratch, tail
from handfast import Handfast, connections, expect
from peer import Peer
from pki import Pki
from run import AsClient

EVERY = ["1.3", "1.2", "1.1", "1.0"]


class Itself(Peer):
    name, key = "handfast serve", "handfast"
    versions = tuple(EVERY)
    handfast = None

    def serve(self, pki, port, kind, cred="ec", client_ca=None, alpn=None, updates=False):
        options = ["--echo", "--min", self.version, "--max", self.version]
        options += ["--security-level", "0"] if self.old else []
        options += ["--tickets", "0"] if self.by_id else []
        return self.handfast.serve(*options, cred=cred, p=port)


def size_of(path):
    return os.path.getsize(path) if os.path.exists(path) else 0


def own_file(handfast, pki, peer):
    """Three processes, one file."""
    side, path = AsClient(handfast, pki, peer), scratch("session")
    try:
        expect(side.small("--session", path), version=side.version, resumed=False)
        if os.stat(path).st_mode & 0o077:
            raise Failure("others can read the file")
        expect(side.small("--session", path), version=side.version, resumed=True, verified=True)
        expect(side.small("--session", path), version=side.version, resumed=True)
    finally:
        side.close()


def openssl_file(handfast, pki, peer, der=False):
    """The session is s_client's, and what resumes it is handfast."""
    side, path = AsClient(handfast, pki, peer), scratch("session")
    try:
        port = side.server().port
        client = OpenSSL().at(peer.version, peer.by_id).client(pki, port, pki.ca)
        first = Process([*client, "-quiet", "-sess_out", path], stdin=subprocess.PIPE, name="s_client")
        first.say("GET /payload-0.txt HTTP/1.0\r\n\r\n")
        until = time.monotonic() + 10
        while not size_of(path) and time.monotonic() < until:
            time.sleep(0.02)
        time.sleep(0.1)
        first.stop()
        if not size_of(path):
            raise Failure("s_client has kept no session: " + tail(first.text()))
        if der:
            Process(["openssl", "sess_id", "-in", path, "-out", path + ".der", "-outform", "DER"]).wait(120)
            path += ".der"
        expect(side.small("--session", path), version=side.version, resumed=True, verified=True)
        expect(side.small("--session", path), resumed=True)
    finally:
        side.close()


def across(handfast, pki, peer, made, offered):
    """A session of one version, for a server of another."""
    path = scratch("session")
    first, second = AsClient(handfast, pki, peer.at(made)), AsClient(handfast, pki, peer.at(offered))
    loose = first.manner or second.manner
    first.manner = second.manner = loose
    try:
        expect(first.small("--session", path), version=first.version, resumed=False)
        expect(second.small("--session", path), version=second.version, resumed=False)
        expect(second.small("--session", path), version=second.version, resumed=True)
    finally:
        first.close()
        second.close()


def across_as_server(handfast, pki, made, offered):
    """One server, which knows its own tickets, and s_client, which changes its mind about versions."""
    server = handfast.serve("--echo", "--min", "1.0", "--security-level", "0")
    session = scratch("session")
    try:
        for version, more in ((made, ["-sess_out", session]), (offered, ["-sess_in", session])):
            client = Process([*OpenSSL().at(version).client(pki, server.port, pki.ca), "-quiet", *more],
                             stdin=subprocess.PIPE, name="s_client")
            client.say("a line\n")
            client.wait_text("a line")
            client.stop()
        first, second = connections(server)
        expect(first, version="TLS " + made, resumed=False)
        expect(second, version="TLS " + offered, resumed=False)
    finally:
        server.stop()


def forgotten(handfast, pki, version):
    """The server was started anew and has other keys: a full handshake."""
    path, peer = scratch("session"), Itself().at(version)
    for i in range(2):
        side = AsClient(handfast, pki, peer)
        try:
            expect(side.small("--session", path), version=side.version, resumed=False)
        finally:
            side.close()


def checks(handfast, pki):
    peers = [peer for peer in (OpenSSL(), GnuTLS(), Itself()) if not peer.missing()]
    for peer in peers:
        for version in EVERY:
            ways = [("", False)] if version == "1.3" else [(", ticket", False), (", session ID", True)]
            for how, by_id in ways:
                at = peer.at(version, by_id)
                yield f"TLS {version}{how}, {peer.name}: handfast's file", own_file, handfast, pki, at
                yield f"TLS {version}{how}, {peer.name}: s_client's file", openssl_file, handfast, pki, at
    yield "TLS 1.2, handfast serve: s_client's session in DER", openssl_file, handfast, pki, Itself().at("1.2"), True
    yield "TLS 1.3, handfast serve: s_client's session in DER", openssl_file, handfast, pki, Itself().at("1.3"), True
    pairs = [("1.2", "1.3"), ("1.3", "1.2"), ("1.2", "1.1"), ("1.0", "1.2")]
    for made, offered in pairs:
        for peer in peers:
            yield f"a session of TLS {made} offered to {peer.name} of TLS {offered}", across, handfast, pki, peer, made, \
                offered
        yield f"a session of TLS {made} offered to us by an s_client of TLS {offered}", across_as_server, handfast, pki, \
            made, offered
    for version in EVERY:
        yield f"TLS {version}: the server has forgotten its keys", forgotten, handfast, pki, version


def main():
    score = Score()
    if not os.access(sys.argv[1], os.X_OK) or OpenSSL().missing():
        print("skip everything: no handfast or no openssl command")
        print("0 passed, 0 failed, 1 skipped")
        return 0
    begun = time.monotonic()
    pki = Pki(os.path.join(SCRATCH, "pki"))
    handfast = Itself.handfast = Handfast(os.path.abspath(sys.argv[1]), pki)
    word = sys.argv[2] if len(sys.argv) > 2 else ""
    for name, function, *more in checks(handfast, pki):
        if word in name:
            print(f"{score.check(name, function, *more):4} {name}", flush=True)
    print(f"\n{time.monotonic() - begun:.0f} s")
    return score.done()


if __name__ == "__main__":
    sys.exit(main())
