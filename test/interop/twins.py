"""The same connections in Python's ssl and in C: twins.py TWIN. twin.c prints what the calls of docs/python.md tell, and
Python what its own do, of connections to the same peer and of both ends of one; each fact must agree, the errors
with their library, reason and verify code."""

import contextlib
import json
import os
import socket
import ssl
import subprocess
import sys
import threading
import warnings

from core import SCRATCH, Failure, Process, Score
from pki import Pki

warnings.simplefilter("ignore")
TWIN = os.path.abspath(sys.argv[1])
PKI = Pki(os.path.join(SCRATCH, "pki"))
MAKERS = {"max=1.2": lambda c: setattr(c, "maximum_version", ssl.TLSVersion.TLSv1_2),
          "alpn=two,one": lambda c: c.set_alpn_protocols(["two", "one"]), "alpn=none": lambda c: c.set_alpn_protocols(["none"]),
          "ragged": lambda c: None}


def equal(ours, theirs, what):
    if ours != theirs:
        raise Failure(f"{what}: {ours!r} here, {theirs!r} in Python")


def context(server, *options, cert="ec", ca=None):
    c = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER) if server else ssl.create_default_context(cafile=ca or PKI.ca)
    if server:
        c.load_cert_chain(PKI.chain(cert), PKI.key(cert))
    c.options &= ~ssl.OP_IGNORE_UNEXPECTED_EOF
    for option in options:
        MAKERS[option](c)
    return c


def facts(s):
    """What Python tells of a connection, with the names that twin.c gives it."""
    out = {"version": s.version(), "cipher": list(s.cipher()), "alpn": s.selected_alpn_protocol(),
           "compression": s.compression(), "server_side": s.server_side, "server_hostname": s.server_hostname,
           "session_reused": s.session_reused, "pending": s.pending(), "getpeercert": s.getpeercert(),
           "tls-unique": (s.get_channel_binding("tls-unique") or b"").hex(),
           "shared_ciphers": [list(c) for c in s.shared_ciphers() or []]}
    if s.session:
        out["session"] = {"has_ticket": s.session.has_ticket, "time": s.session.time, "timeout": s.session.timeout,
                          "ticket_lifetime_hint": s.session.ticket_lifetime_hint, "id": s.session.id.hex()}
    return out


def talk(s, words):
    """As twin.c: three bytes of six, the facts, the rest. Then the end that comes."""
    s.sendall(words)
    if len(s.recv(3)) != 3:
        raise Failure("no words")
    out = facts(s)
    s.recv(3)
    return out


class Server:
    """Python's, in a thread; what it sees of each client. end: "unwrap", or "cut"."""

    def __init__(self, ctx, end="unwrap"):
        self.ctx, self.end, self.seen = ctx, end, []
        self.door = socket.create_server(("127.0.0.1", 0))
        self.port = self.door.getsockname()[1]
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self):
        while True:
            try:
                raw = self.door.accept()[0]
            except OSError:
                return
            try:
                raw.settimeout(20)
                s = self.ctx.wrap_socket(raw, server_side=True, suppress_ragged_eofs=False)
                self.seen.append(talk(s, b"server"))
                if self.end == "unwrap":
                    s.unwrap().close()
                else:
                    s.close()  # no close_notify
            except OSError as error:
                self.seen.append(error)
                raw.close()

    def close(self):
        self.door.close()


def twin(*words):
    done = subprocess.run([TWIN, *words], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                          check=False, timeout=60)
    lines = [json.loads(line) for line in done.stdout.decode().splitlines() if line.startswith("{")]
    if not lines:
        raise Failure(f"twin ends with {done.returncode}: {done.stderr[-300:]!r}")
    return lines


def python_client(port, ctx, name="localhost", session=None):
    raw = socket.create_connection(("127.0.0.1", port), timeout=20)
    s = ctx.wrap_socket(raw, server_hostname=name, session=session, suppress_ragged_eofs=False)
    return s


# ---------------------------------------------------------------- facts

COMMON = ("version", "cipher", "alpn", "compression", "server_side", "server_hostname", "session_reused", "pending", "getpeercert")


def as_client(*options):
    """C and Python as clients of the same Python server."""
    server = Server(context(True, *[o for o in options if o != "alpn=none"]))
    ours = twin("client", f"tls://127.0.0.1:{server.port}", PKI.ca, "localhost", *options)
    ctx, theirs, session = context(False, *options), [], None
    for _ in range(2):
        s = python_client(server.port, ctx, session=session)
        theirs.append(talk(s, b"client"))
        session = s.session
        try:
            s.unwrap()
        except OSError:
            pass
        s.close()
    server.close()
    if len(ours) != 2:
        raise Failure(f"{ours}")
    for i in range(2):
        for key in COMMON:
            if key == "cipher" and "max=1.2" not in options and ours[i]["version"] == "TLSv1.3":
                equal(ours[i][key][1:2], theirs[i][key][1:2], f"connection {i}, {key}")  # whose favourite differs
                continue
            if key == "cipher":
                equal(ours[i][key][1], theirs[i][key][1], f"connection {i}, {key}")
                continue
            want = theirs[i][key]
            if key == "getpeercert":
                want = json.loads(json.dumps(want))
            equal(ours[i][key], want, f"connection {i}, {key}")
        equal(ours[i]["end"], "", "the end")
        mine, other = ours[i].get("session"), theirs[i].get("session")
        for key in ("has_ticket", "timeout", "ticket_lifetime_hint"):
            equal(mine[key], other[key], f"connection {i}, session.{key}")
        if abs(mine["time"] - other["time"]) > 60:
            raise Failure(f"session.time: {mine['time']}, {other['time']}")
    # The two ends of one connection have the same binding, and the server knows whom it was asked for.
    for i, seen in enumerate(server.seen[:2]):
        if isinstance(seen, Exception):
            raise Failure(f"the server: {seen}")
        # In TLS 1.3 tls-unique is not defined (RFC 9266), though Python returns one.
        equal(ours[i]["tls-unique"], seen["tls-unique"] if ours[i]["version"] != "TLSv1.3" else "", "tls-unique of the two ends")
        equal(ours[i]["alpn"], seen["alpn"], "ALPN of the two ends")
        equal(ours[i]["cipher"], seen["cipher"], "the cipher of the two ends")
        equal(ours[i]["session_reused"], seen["session_reused"], "resumption at the two ends")


def as_server(*options):
    """C as the server of Python: what the two ends tell agrees."""
    child = Process([TWIN, "server", "tls://127.0.0.1:0", PKI.chain("ec"), PKI.key("ec"), *options])
    child.wait_text(r"tls://\S+:\d+\n")
    port = int(child.text().split("\n")[0].rsplit(":", 1)[1])
    ctx, theirs, session = context(False, *options), [], None
    for _ in range(2):
        s = python_client(port, ctx, session=session)
        theirs.append(talk(s, b"client"))
        session = s.session
        s.unwrap().close()
    if child.wait(20) != 0:
        raise Failure(child.text()[-500:])
    ours = [json.loads(line) for line in child.out().decode().splitlines() if line.startswith("{")]
    for i in range(2):
        for key in ("version", "cipher", "alpn", "session_reused"):
            equal(ours[i][key], theirs[i][key], f"connection {i}, {key} of the two ends")
        equal(ours[i]["server_side"], True, "server_side")
        equal(ours[i]["end"], "", "the end")
        if ours[i]["version"] != "TLSv1.3":
            equal(ours[i]["tls-unique"], theirs[i]["tls-unique"], "tls-unique of the two ends")
        if ours[i]["cipher"] not in ours[i]["shared_ciphers"] and not ours[i]["session_reused"]:
            raise Failure(f"the suite is not among those that both have: {ours[i]['shared_ciphers']}")
        offered = {c["name"] for c in ctx.get_ciphers()}
        if not {name for name, _, _ in ours[i]["shared_ciphers"]} <= offered:
            raise Failure("shared ciphers that Python never offered")
        equal(theirs[i]["session"]["has_ticket"], True, "a ticket")


# ---------------------------------------------------------------- errors

def python_error(port, ctx, name):
    try:
        s = python_client(port, ctx, name)
        talk(s, b"client")
        s.recv(10)
    except OSError as error:
        return error
    raise Failure("Python sees no error")


def same_error(ours, theirs, verify=False):
    """Library, reason, and for certificates libcrypto's number."""
    if "error" not in ours:
        equal(ours["end"], theirs.reason, "the error at the end")
        return
    equal((ours["library"], ours["reason"]), (theirs.library, theirs.reason), f"{ours['error']}: library and reason")
    if verify:
        equal(ours["verify_code"], theirs.verify_code, "verify_code")


def verdicts():
    """What is wrong with a certificate has the same name and number."""
    for cert, ca, name in (("expired", PKI.ca, "localhost"), ("future", PKI.ca, "localhost"), ("ec", PKI.other_ca, "localhost"),
                           ("ec", PKI.ca, "elsewhere.test"), ("client_only", PKI.ca, "localhost"),
                           ("wrong_host", PKI.ca, "localhost")):
        server = Server(context(True, cert=cert))
        ours = twin("client", f"tls://127.0.0.1:{server.port}", ca, name, "one")[0]
        theirs = python_error(server.port, context(False, ca=ca), name)
        server.close()
        same_error(ours, theirs, True)


def disagreements():
    """Neither version, nor suite, nor TLS at all."""
    old = context(True)
    old.minimum_version = old.maximum_version = ssl.TLSVersion.TLSv1_3
    new = context(False, "max=1.2")
    chacha = context(True, "max=1.2")
    chacha.set_ciphers("ECDHE-ECDSA-CHACHA20-POLY1305")
    for ctx, mine, theirs in ((old, ["max=1.2"], new), (chacha, ["max=1.2", "ciphers=ECDHE-ECDSA-AES128-GCM-SHA256"], None)):
        if theirs is None:
            theirs = context(False, "max=1.2")
            theirs.set_ciphers("ECDHE-ECDSA-AES128-GCM-SHA256")
        server = Server(ctx)
        ours = twin("client", f"tls://127.0.0.1:{server.port}", PKI.ca, "localhost", "one", *mine)[0]
        same_error(ours, python_error(server.port, theirs, "localhost"))
        server.close()


def plain_and_cut():
    """Peers that speak no TLS, and those that leave."""
    for says in (b"220 mail.test ESMTP\r\n", b"HTTP/1.1 400 Bad Request\r\n\r\n", b""):
        door = socket.create_server(("127.0.0.1", 0))

        def serve(door=door, says=says):
            while True:
                try:
                    s = door.accept()[0]
                except OSError:
                    return
                with contextlib.suppress(OSError):
                    s.recv(65536)
                    s.sendall(says)
                    s.shutdown(socket.SHUT_WR)
                    while s.recv(65536):
                        pass
                s.close()
        threading.Thread(target=serve, daemon=True).start()
        port = door.getsockname()[1]
        ours = twin("client", f"tls://127.0.0.1:{port}", PKI.ca, "localhost", "one")[0]
        theirs = python_error(port, context(False), "localhost")
        door.close()
        same_error(ours, theirs)


def ragged():
    """Without close_notify: an error, unless it was asked not to be."""
    server = Server(context(True), end="cut")
    strict = twin("client", f"tls://127.0.0.1:{server.port}", PKI.ca, "localhost", "one")[0]
    lenient = twin("client", f"tls://127.0.0.1:{server.port}", PKI.ca, "localhost", "one", "ragged")[0]
    theirs = python_error(server.port, context(False), "localhost")
    server.close()
    equal(strict["end"], theirs.reason, "the end of TCP alone")
    equal(lenient["end"], "", "the same where it was allowed")


def main():
    score = Score()
    for name, check, *args in (("client of TLS 1.3", as_client), ("client of TLS 1.2", as_client, "max=1.2"),
                               ("ALPN", as_client, "alpn=two,one"), ("server of TLS 1.3", as_server),
                               ("server of TLS 1.2", as_server, "max=1.2"), ("ALPN of a server", as_server, "alpn=two,one"),
                               ("verdicts", verdicts), ("disagreements", disagreements), ("plain and cut", plain_and_cut),
                               ("ragged ends", ragged)):
        score.check(name, check, *args)
    return score.done()


if __name__ == "__main__":
    sys.exit(main())
