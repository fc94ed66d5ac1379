"""X25519MLKEM768 by default settings, with every peer that has it: hybrid.py HANDFAST [--cache FOLDER] [WORD]

Nobody is told which groups to use. The ClientHello with its share of 1,184 bytes does not fit into what networks
are used to: it also goes through a proxy that cuts it into two and three records, and into as many segments.
"""

import argparse
import os
import re
import shutil
import socket
import subprocess
import sys
import threading
import time

import peer as peer_tools
from commands import Chromium
from core import SCRATCH, Failure, Score, Skip, free_port, payload, tail
from handfast import Handfast, connections, expect
from peer import Peer, build, built, run
from pki import Pki
from programs import Go, Rustls

HYBRID = "X25519MLKEM768"
PREFERENCES = ["network.captive-portal-service.enabled", "network.connectivity-service.enabled",
               "app.normandy.enabled", "app.update.enabled", "datareporting.policy.dataSubmissionEnabled",
               "toolkit.telemetry.enabled", "browser.safebrowsing.malware.enabled",
               "browser.safebrowsing.phishing.enabled", "extensions.update.enabled",
               "browser.shell.checkDefaultBrowser"]


class GoToday(Go):
    """The peer's go.mod is an old one, so that old compilers take it, and such programs keep the defaults of then."""

    def missing(self):
        why = super().missing()
        version = why or subprocess.run(["go", "version"], stdout=subprocess.PIPE, text=True).stdout
        found = re.search(r"go(\d+)\.(\d+)", version)
        if why or not found or (int(found[1]), int(found[2])) < (1, 24):
            return why or f"Go has X25519MLKEM768 from 1.24 on, here is {version.strip()}"
        os.environ["GODEBUG"] = "tlsmlkem=1"
        return None


class RustlsAws(Rustls):
    """With the cryptography that it has by default, which has the hybrid group; the other interop tests build it
    with a smaller one."""

    name, key = "rustls with aws-lc", "rustls-aws"

    def command(self):
        folder = built("rustls-aws")
        path = os.path.join(folder, "target/release/handfast-peer")
        source = os.path.join(os.path.dirname(os.path.abspath(__file__)), "peers/rustls")
        main = os.path.join(source, "src/main.rs")
        if not os.path.exists(path) or os.path.getmtime(path) < os.path.getmtime(main):
            shutil.copytree(source, folder, dirs_exist_ok=True)
            build(["cargo", "build", "--release", "--quiet", "--no-default-features", "--features", "aws",
                   "--target-dir", "target"], folder, {}, 900)
        return [path]


class Firefox(Peer):
    name, key = "Firefox, headless", "firefox"
    wants, is_server = "http", False

    def missing(self):
        if not shutil.which("firefox-esr") and not shutil.which("firefox"):
            return "no firefox-esr and no firefox command"
        return None if shutil.which("certutil") else "no certutil command, to make the browser trust our CA"

    def talk(self, pki, port, size, ca=None, cert=False, alpn=None, times=1, updates=False, seconds=90):
        profile = os.path.join(SCRATCH, "firefox")
        if not os.path.isdir(profile):
            os.makedirs(profile)
            run(["certutil", "-N", "-d", "sql:" + profile, "--empty-password"])
            run(["certutil", "-A", "-d", "sql:" + profile, "-n", "ca", "-t", "C,,", "-i", ca or pki.ca])
            with open(os.path.join(profile, "user.js"), "w", encoding="ascii") as f:
                f.writelines(f'user_pref("{name}", false);\n' for name in PREFERENCES)
                f.write('user_pref("network.proxy.type", 0);\n')
        picture = os.path.join(SCRATCH, f"firefox-{port}.png")
        command = [shutil.which("firefox-esr") or "firefox", "--headless", "--no-remote", "--profile", profile,
                   "--screenshot", picture, f"https://localhost:{port}/{os.path.basename(payload(size))}"]
        run(command, seconds, env={"HOME": profile}, name="firefox")
        if not os.path.exists(picture):
            raise Failure("the browser has made no picture of the page")
        return []


# ---------------------------------------------------------------- a network that dislikes large hellos

def read_exactly(conn, size):
    data = b""
    while len(data) < size:
        part = conn.recv(size - len(data))
        if not part:
            raise OSError("closed")
        data += part
    return data


def pieces_of(data, count):
    size = -(-len(data) // count)
    return [data[at:at + size] for at in range(0, len(data), size)]


class Splitter:
    """Passes everything on; the client's first record as `count` records or segments, each for itself."""

    def __init__(self, port, count, records):
        self.target, self.count, self.records = port, count, records
        self.cut = 0  # connections whose hello was cut
        self.door = socket.create_server(("127.0.0.1", 0))
        self.port = self.door.getsockname()[1]
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self):
        while True:
            try:
                conn, _ = self.door.accept()
            except OSError:
                return
            threading.Thread(target=self._one, args=(conn,), daemon=True).start()

    def _one(self, client):
        try:
            with client, socket.create_connection(("127.0.0.1", self.target)) as server:
                server.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                header = read_exactly(client, 5)
                body = read_exactly(client, int.from_bytes(header[3:], "big"))
                parts = pieces_of(body if self.records else header + body, self.count)
                for part in parts:
                    server.sendall((header[:3] + len(part).to_bytes(2, "big") if self.records else b"") + part)
                    time.sleep(0.02)
                self.cut += len(parts) == self.count
                back = threading.Thread(target=self._pump, args=(server, client), daemon=True)
                back.start()
                self._pump(client, server)
                back.join(30)
        except OSError:
            pass

    @staticmethod
    def _pump(source, target):
        try:
            while data := source.recv(65536):
                target.sendall(data)
            target.shutdown(socket.SHUT_WR)
        except OSError:
            pass

    def close(self):
        if not self.cut:
            raise Failure("no hello came through the proxy whole, or none was cut")
        self.door.close()


# ---------------------------------------------------------------- checks

class Bench:
    def __init__(self, command):
        self.pki = Pki(os.path.join(SCRATCH, "pki"))
        self.handfast = Handfast(command, self.pki)

    def through(self, port, how, function):
        """Call function with a port: the server's, or a proxy's before it."""
        if how is None:
            return function(port)
        proxy = Splitter(port, *how)
        result = function(proxy.port)
        proxy.close()
        return result


class Itself(Peer):
    """The other end is handfast, so that the proxy is all that there is to test."""

    name, key = "handfast", "handfast"

    def serve(self, pki, port, kind, cred="ec", client_ca=None, alpn=None, updates=False):
        return self.bench.handfast.serve("--echo", p=port)


def as_client(b, peer, how):
    if why := peer.missing():
        raise Skip(why)
    port = free_port()
    server = peer.serve(b.pki, port, peer.kinds[0])
    try:
        facts = b.through(port, how, lambda to: b.handfast.exchange(to, peer.kinds[0], 1000, server))
        expect(facts, group=HYBRID, version="TLS 1.3", retried=False)
    finally:
        server.stop()


def as_server(b, peer, how):
    if why := peer.missing():
        raise Skip(why)
    payload(1000)
    server = b.handfast.serve(*(["--echo"] if peer.wants == "echo" else ["--root", SCRATCH]))
    try:
        b.through(server.port, how, lambda to: peer.talk(b.pki, to, 1000))
        made = connections(server)
        if not made or (peer.wants == "http" and "/payload-1000.txt 200" not in server.err()):
            raise Failure(f"the peer has fetched nothing: {tail(server.err())}")
        expect(made[0], group=HYBRID, version="TLS 1.3", retried=False)
    finally:
        server.stop()


def checks(b):
    hows = [(None, "")] + [((n, records), f", hello in {n} {'records' if records else 'segments'}")
                           for n in (2, 3) for records in (True, False)]
    itself = Itself()
    itself.bench = b
    for peer in (GoToday(), RustlsAws()):
        for how, words in hows:
            yield f"handfast connects to {peer.name}{words}", as_client, peer, how
            yield f"{peer.name} connects to handfast{words}", as_server, peer, how
    for how, words in hows:
        yield f"handfast connects to handfast{words}", as_client, itself, how
    for peer in (Chromium(), Firefox()):
        for how, words in (hows[0], hows[1], hows[4]):
            yield f"{peer.name} connects to handfast{words}", as_server, peer, how


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("command")
    parser.add_argument("word", nargs="?", default="")
    parser.add_argument("--cache")
    options = parser.parse_args()
    peer_tools.set_cache(options.cache)
    score = Score()
    bench = Bench(os.path.abspath(options.command))
    for name, function, *more in checks(bench):
        if options.word in name:
            print(f"{score.check(name, function, bench, *more):4} {name}", flush=True)
    return score.done()


if __name__ == "__main__":
    sys.exit(main())
