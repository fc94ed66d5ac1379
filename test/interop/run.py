"""handfast against implementations that others wrote, as a client and as a server.

    run.py HANDFAST [--cache FOLDER] [--only PEER,PEER] [--versions 1.3,1.2] [--doc FILE]

Prints a table with a row for each peer and role, and counts every check. A peer that cannot be had here is
skipped, with the reason. In the table, "-" means that the peer cannot do this. --doc writes the tables into
a document too, between the two comments that name this program.
"""

import argparse
import os
import re
import sys
import time

import core
import peer as peer_tools
import peers
from core import SCRATCH, Cannot, CuttingProxy, Failure, Score, Skip, free_port, payload, scratch, table, tail
from handfast import NETWORK, TLS, Handfast, connections, expect, request, why
from pki import Pki
from programs import Program

MB = 1000000
# Key kinds that a server may show, and that every peer knows.
CREDENTIALS = ["ec", "rsa"]
MORE_CREDENTIALS = ["p384", "p521", "pss", "ed25519"]


def each(names, function):
    """Call function for each name; "n/n", or a Failure that names those that failed."""
    bad = []
    for name in names:
        try:
            function(name)
        except Failure as fault:
            bad.append(f"{name}: {fault}")
    if bad:
        raise Failure(f"{len(bad)} of {len(names)}: " + "; ".join(bad))
    return f"{len(names)}/{len(names)}"


class Side:
    """One role of handfast's, towards a peer that speaks one version."""

    role = "?"

    def __init__(self, handfast, pki, peer):
        self.handfast, self.pki, self.peer = handfast, pki, peer
        self.servers = {}
        self.version = "TLS " + peer.version
        # What is old must be asked for; else handfast is as it comes, and the peer decides.
        self.manner = ["--min", "1.0", "--security-level", "0"] if peer.old else []
        if not peer.can_limit and peer.version != "1.3":
            self.manner = ["--max", peer.version]

    def credentials(self):
        return CREDENTIALS + (MORE_CREDENTIALS if self.peer.key == "openssl" and not self.peer.old else [])

    def by_id(self):
        """The same check of resumption, where the session ID is all that there is."""
        other = type(self)(self.handfast, self.pki, self.peer.at(self.peer.version, by_id=True))
        try:
            other.resumed()
        finally:
            other.close()

    def close(self):
        for server in self.servers.values():
            server.stop()


def key_kind(suite):
    """Which of our certificates a suite needs."""
    return "rsa" if "_RSA_" in suite else "ec"


# ---------------------------------------------------------------- handfast as the client

class AsClient(Side):
    """handfast connect, to a server of the peer's."""

    role = "handfast connects to it"

    def server(self, kind=None, **options):
        """A server of the peer's, started once for each way of being set up."""
        kind = kind or self.peer.kinds[0]
        key = (kind, *sorted(options.items()))
        if key not in self.servers:
            port = free_port()
            self.servers[key] = self.peer.serve(self.pki, port, kind, **options)
            self.servers[key].port = port
        return self.servers[key]

    def move(self, size, *args, seconds=180, **options):
        """Move data in every way that the peer's server has. What the last connection was."""
        for kind in self.peer.bulk_kinds or self.peer.kinds:
            server = self.server(kind, **options)
            if kind in ("sink", "blocks"):
                # A fresh one each time: it prints what comes, or sends its blocks once.
                del self.servers[(kind, *sorted(options.items()))]
            report = self.handfast.exchange(server.port, kind, size, server, *self.manner, *args, seconds=seconds)
            if kind in ("sink", "blocks"):
                server.stop()
        return report

    def small(self, *args, **options):
        """One short exchange."""
        server = self.server(**options)
        return self.handfast.exchange(server.port, self.peer.kinds[0], 1000, server, *self.manner, *args)

    def full(self):
        expect(self.small(), version=self.version, verified=True, resumed=False)

    def certs(self):
        # Of P-521 see groups() below.
        more = ["--groups", "x25519:P-256:P-384:P-521"] if self.peer.version == "1.2" else []
        return each(self.credentials(), lambda name: expect(self.small(*more, cred=name), verified=True))

    def suites(self):
        return each(self.peer.suites, lambda suite: expect(self.small("--suites", suite, cred=key_kind(suite)),
                                                           suite=suite))

    def groups(self):
        # Before TLS 1.3 the group of an ECDSA key had to be among those that the client offers (RFC 8422 5.1).
        more = {"cred": "rsa"} if self.peer.version == "1.2" else {}
        return each(self.peer.groups, lambda group: expect(self.small("--groups", group, **more), group=group))

    def HRR(self):
        expect(self.small("--key-shares", ""), retried=True)

    def ticket(self):
        if not self.peer.can_ticket_server:
            raise Cannot
        self.resumed()

    def session_id(self):
        if not self.peer.can_id_server:
            raise Cannot
        self.by_id()

    def resumed(self):
        session = scratch("session")
        expect(self.small("--session", session), resumed=False)
        expect(self.small("--session", session), resumed=True)
        # And once more, with the ticket of the resumed connection.
        expect(self.small("--session", session), resumed=True)

    def client_cert(self):
        mine = ["--cert", self.pki.chain("client"), "--key", self.pki.key("client")]
        self.small(*mine, client_ca=self.pki.ca)
        server = self.server(client_ca=self.pki.ca)
        done = self.handfast.connect(server.port, *self.manner, stdin=payload(1000))
        if done.status not in ((TLS,) if self.peer.says_no else (TLS, NETWORK)):
            raise Failure(f"without a certificate the exit status is {done.status}: {why(done)}")

    def key_update(self):
        self.move(MB, "--key-update")
        if self.peer.updates and isinstance(self.peer, Program):
            self.move(self.peer.update_size, updates=True)

    def alpn(self):
        if not self.peer.alpn or not self.peer.alpn_server:
            raise Cannot
        expect(self.small("--alpn", "second,first", alpn="first,other"), alpn="first")

    def mb(self):
        self.move(MB)

    def big(self):
        if not self.peer.big:
            raise Cannot
        begun = time.monotonic()
        self.move(self.peer.big, seconds=180)
        return f"{time.monotonic() - begun:.1f} s"

    def cut(self):
        kind = (self.peer.bulk_kinds or self.peer.kinds)[0]
        proxy = CuttingProxy(self.server(kind).port, 300000)
        try:
            path = "/" + os.path.basename(payload(MB))
            how = {"stdin": payload(MB)} if kind in ("echo", "lines") else {"say": request(path)}
            done = self.handfast.connect(proxy.port, *self.manner, **how)
        finally:
            proxy.close()
        # What was on its way to the peer may make the system reset the connection.
        if done.status == 0 or not re.search("close_notify|TRUNCATED|reset by peer|Broken pipe", done.err()):
            raise Failure(f"exit status {done.status}: {why(done)}")

    def bad_ca(self):
        done = self.handfast.connect(self.server().port, *self.manner, ca=self.pki.other_ca)
        if done.status != TLS or "UNTRUSTED" not in done.err():
            raise Failure(f"exit status {done.status}: {why(done)}")


# ---------------------------------------------------------------- handfast as the server

class AsServer(Side):
    """A client of the peer's, to handfast serve."""

    role = "it connects to handfast"

    def server(self, *args, cred="ec", wants=None):
        wants = wants or self.peer.wants
        key = (cred, wants, *args)
        if key not in self.servers:
            how = ["--echo"] if wants == "echo" else ["--root", SCRATCH]
            self.servers[key] = self.handfast.serve(*how, *self.manner, *args, cred=cred)
        return self.servers[key]

    def talk(self, *args, cred="ec", wants=None, size=1000, times=1, **more):
        """One or more connections of the peer's; what handfast logged of them."""
        server = self.server(*args, cred=cred, wants=wants)
        before = len(connections(server))
        payload(size)
        said = self.peer.talk(self.pki, server.port, size, times=times, **more)
        fresh = connections(server)[before:]
        if len(fresh) < times:
            raise Failure(f"{len(fresh)} connections in the log of {times}: {tail(server.err())}")
        return fresh, said

    def one(self, *args, **more):
        return self.talk(*args, **more)[0][-1]

    def full(self):
        expect(self.one(), version=self.version, resumed=False)

    def certs(self):
        return each(self.credentials(), lambda name: self.one(cred=name))

    def suites(self):
        return each(self.peer.suites, lambda suite: expect(self.one("--suites", suite, cred=key_kind(suite)),
                                                           suite=suite))

    def groups(self):
        return each(self.peer.shares or self.peer.groups,
                    lambda group: expect(self.one("--groups", group), group=group))

    def HRR(self):
        if self.peer.no_retry:
            raise Skip(self.peer.no_retry)
        # No peer sends a share for P-384 unasked.
        expect(self.one("--groups", "secp384r1"), retried=True)
        expect(self.one("--groups", "secp384r1", "--cookie"), retried=True)

    def ticket(self):
        if not self.peer.can_ticket_client:
            raise Cannot
        self.resumed()

    def session_id(self):
        if not self.peer.can_id_client:
            raise Cannot
        self.by_id()

    def resumed(self):
        if not self.peer.resumes:
            raise Cannot
        fresh, said = self.talk(times=2, wants=self.peer.resume_wants)
        if not any(c["resumed"] for c in fresh[1:]):
            raise Failure(f"the second connection is not resumed: {fresh}")
        if said and "resumed" in said[-1] and said[-1]["resumed"] != "yes":
            raise Failure("the peer says that it has not resumed")

    def client_cert(self):
        if not self.peer.client_cert:
            raise Cannot
        need = ["--client-auth", "require", "--ca", self.pki.ca]
        if "interop client" not in (self.one(*need, cert=True)["client"] or ""):
            raise Failure("the client's certificate is not in the log")
        try:
            self.talk(*need)
        except Failure:
            # The peer may be gone before the server has written its line.
            self.server(*need).wait_text("CERTIFICATE_REQUIRED|sent no certificate")
            return
        raise Failure("a client without a certificate was served")

    def key_update(self):
        self.talk("--key-update", str(self.peer.update_after), size=MB)
        if self.peer.updates:
            self.talk(size=self.peer.update_size, updates=True)

    def alpn(self):
        if self.peer.key in ("curl", "chromium"):
            expect(self.one("--alpn", "http/1.1"), alpn="http/1.1")
        elif self.peer.alpn:
            expect(self.one("--alpn", "first,other", alpn="second,first"), alpn="first")
        else:
            raise Cannot

    def mb(self):
        self.talk(size=MB)

    def big(self):
        if not self.peer.big:
            raise Cannot
        size = self.peer.big_client or self.peer.big
        begun = time.monotonic()
        self.talk(size=size, wants=self.peer.big_wants, seconds=180)
        return f"{time.monotonic() - begun:.1f} s" + (f" ({size // MB} MB)" if size != self.peer.big else "")

    def cut(self):
        server = self.server()
        proxy = CuttingProxy(server.port, 300000)
        try:
            self.peer.talk(self.pki, proxy.port, MB, seconds=8)
        except Failure:
            pass
        else:
            raise Failure("the peer did not mind")
        finally:
            proxy.close()
        if server.child.poll() is not None:
            raise Failure("the server is gone")
        self.one()

    def bad_ca(self):
        server = self.server()
        try:
            self.peer.talk(self.pki, server.port, 1000, ca=self.pki.other_ca, seconds=8)
        except Failure:
            return
        raise Failure("the peer trusts everybody")


MARKS = ["<!-- interop: written by run.py --doc -->", "<!-- end of interop -->"]
CHECKS = [("full", "full"), ("certs", "certs"), ("suites", "suites"), ("groups", "groups"), ("HRR", "HRR"),
          ("resumed", "resumed"), ("client cert", "client_cert"), ("KeyUpdate", "key_update"), ("ALPN", "alpn"),
          ("1 MB", "mb"), ("100 MB", "big"), ("cut", "cut"), ("bad CA", "bad_ca")]
CHECKS12 = [("full", "full"), ("certs", "certs"), ("suites", "suites"), ("groups", "groups"), ("ticket", "ticket"),
            ("session ID", "session_id"), ("client cert", "client_cert"), ("ALPN", "alpn"), ("1 MB", "mb"), ("cut", "cut"),
            ("bad CA", "bad_ca")]
CHECKS_OLD = [("full", "full"), ("certs", "certs"), ("ticket", "ticket"), ("session ID", "session_id"),
              ("client cert", "client_cert"), ("1 MB", "mb")]
CHECKS_OF = {"1.3": CHECKS, "1.2": CHECKS12, "1.1": CHECKS_OLD, "1.0": CHECKS_OLD}


def row(score, side):
    """All checks of one peer in one role, as a row of the table."""
    cells = []
    for title, method in CHECKS_OF[side.peer.version]:
        name = f"{side.peer.key}, {side.version}, {side.role}, {title}"
        cells.append(score.check(name, getattr(side, method)))
    side.close()
    return cells


def rows_of(score, handfast, pki, peer, version):
    """Both roles of a peer, as rows of this version's table."""
    if version not in peer.versions:
        return [[peer.name, "-"]] if version in peer.not_spoken else []
    peer, out = peer.at(version), []
    if peer.is_server:
        out.append([peer.name, "server", *row(score, AsClient(handfast, pki, peer))])
    if peer.is_client:
        out.append([peer.name, "client", *row(score, AsServer(handfast, pki, peer))])
    return out


def plain(cell):
    """A cell for a document: how long something took depends on the day."""
    return re.sub(r"^[\d.]+ s(?: \((.*)\))?$", lambda m: m[1] or "ok", cell)


def write_between(path, text):
    with open(path, encoding="utf-8") as f:
        before, rest = f.read().split(MARKS[0])
        after = rest.split(MARKS[1])[1]
    with open(path, "w", encoding="utf-8") as f:
        f.write(f"{before}{MARKS[0]}\n{text.rstrip()}\n{MARKS[1]}{after}")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("handfast")
    parser.add_argument("--cache", help="folder for the compiled peers")
    parser.add_argument("--only", default="")
    parser.add_argument("--versions", default="1.3,1.2,1.1,1.0")
    parser.add_argument("--doc", help="write the tables into this document")
    args = parser.parse_args()
    score = Score()
    only = [name for name in args.only.split(",") if name]
    if not only and os.environ.get("HF_TEST_SANITIZED"):
        # The full table comes from the build that is shipped; this is to see every path once.
        only = ["openssl", "nss", "rustls", "python"]
        print("under sanitizers: " + ", ".join(only))
    if args.cache:
        peer_tools.set_cache(os.path.abspath(args.cache))
    if not os.access(args.handfast, os.X_OK):
        print(f"skip everything: {args.handfast} is not built")
        print("0 passed, 0 failed, 1 skipped")
        return 0

    begun = time.monotonic()
    pki = Pki(os.path.join(SCRATCH, "pki"))
    handfast = Handfast(os.path.abspath(args.handfast), pki)
    versions = args.versions.split(",")
    rows = {version: [] for version in versions}
    for peer in peers.ALL:
        if only and peer.key not in only:
            continue
        reason = peer.missing()
        if reason:
            score.skipped += 1
            print(f"skip {peer.name}: {reason}")
            for version in versions:
                rows[version].append([peer.name, "skipped"])
            continue
        started = time.monotonic()
        for version in versions:
            rows[version] += rows_of(score, handfast, pki, peer, version)
        print(f"     {peer.name}: {time.monotonic() - started:.0f} s", flush=True)
    text = ""
    for version in versions:
        checks = CHECKS_OF[version]
        head = ["peer", "it is the", *[title for title, _ in checks]]
        full = [[*cells, *[""] * (len(head) - len(cells))] for cells in rows[version]]
        print(f"\nTLS {version}")
        table(head, full)
        text += f"### TLS {version}\n\n" + "".join(
            "| " + " | ".join(plain(cell) for cell in cells) + " |\n" for cells in [head, ["---"] * len(head), *full]) + "\n"
    if args.doc:
        write_between(args.doc, text)
    print(f"\n{time.monotonic() - begun:.0f} s")
    return score.done()


if __name__ == "__main__":
    sys.exit(main())
