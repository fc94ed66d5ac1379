"""`handfast proxy` between clients and backends that misbehave: proxy.py HANDFAST [SECONDS].

Bytes both ways, ends of halves, backends that are away, killed and come back, slow readers, limits, reloads under
load, and nginx under wrk with 1,000 connections for SECONDS (10; 60 for the whole minute)."""

import contextlib
import json
import os
import random
import re
import resource
import select
import shutil
import signal
import socket
import ssl
import struct
import sys
import threading
import time

from core import PLENTY, SCRATCH, SOON, Failure, Process, Score, Skip, digest, free_port, listening, payload, scratch, tail
from pki import Pki

HANDFAST = os.path.abspath(sys.argv[1])
SECONDS = int(sys.argv[2]) if len(sys.argv) > 2 else 10
PKI = Pki(os.path.join(SCRATCH, "pki"))


def expect(condition, what):
    if not condition:
        raise Failure(what)


def until(condition, what, seconds=PLENTY):
    end = time.monotonic() + seconds
    while not condition():
        expect(time.monotonic() < end, what() if callable(what) else what)
        time.sleep(0.02)


# ---------------------------------------------------------------- the three parts

def strict(context):
    """Early releases of Python 3.11 take a cut connection for one that has ended, whatever suppress_ragged_eofs
    says; told not to, they raise a plain SSLError and no SSLEOFError."""
    context.options &= ~ssl.OP_IGNORE_UNEXPECTED_EOF
    return context


def must_be_cut(error):
    """An error that says that the connection ended without close_notify; any other is a failure."""
    if not isinstance(error, (ssl.SSLEOFError, ConnectionResetError)) and \
            error.reason != "UNEXPECTED_EOF_WHILE_READING":
        raise error


class Backend:
    """A plain (or TLS) server: handler(socket) in a thread for each connection."""

    def __init__(self, handler, port=0, context=None, path=None, address="127.0.0.1"):
        self.handler, self.context, self.open, self.count = handler, context, [], 0
        if path:
            self.door = socket.socket(socket.AF_UNIX)
            self.door.bind(path)
            self.door.listen()
        else:
            self.door = socket.create_server((address, port), backlog=1024)
            self.port = self.door.getsockname()[1]
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self):
        while True:
            try:
                s, _ = self.door.accept()
            except OSError:
                return
            self.count += 1
            self.open.append(s)
            threading.Thread(target=self._one, args=(s,), daemon=True).start()

    def _one(self, s):
        try:
            if self.context:
                s = strict(self.context).wrap_socket(s, server_side=True, suppress_ragged_eofs=False)
            self.handler(s)
            if self.context:
                s.unwrap()  # close() alone sends no close_notify
            s.close()
        except (OSError, ValueError):
            with contextlib.suppress(OSError):
                s.close()

    def close(self, reset=False):
        with contextlib.suppress(OSError):
            self.door.shutdown(socket.SHUT_RDWR)
        self.door.close()
        for s in self.open:
            with contextlib.suppress(OSError):
                if reset:
                    s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                    s.close()
                else:
                    s.shutdown(socket.SHUT_RDWR)


def echo(s):
    while data := s.recv(65536):
        s.sendall(data)


def whole(s):
    """Answers when the client has ended its half, and not before."""
    data = b""
    while more := s.recv(65536):
        data += more
    s.sendall(b"%d bytes: " % len(data) + data)


class Proxy:
    def __init__(self, where, to, *options, workers=2, cert="ec", env=None):
        self.log = scratch("access.log")
        self.command = [HANDFAST, "proxy", where, to, "--json", "--access-log", self.log, "--workers", workers, *options]
        if where.startswith("tls"):
            self.command += ["--cert", PKI.chain(cert), "--key", PKI.key(cert)]
        self.process = Process(self.command, name="proxy", env=env)
        until(lambda: b"\n" in self.process.out() or self.process.child.poll() is not None, "the proxy says nothing")
        self.url = self.process.out().decode().strip()
        expect(self.url, f"the proxy does not start: {tail(self.process.err())}")
        self.port = int(self.url.rsplit(":", 1)[1]) if "//" in self.url and "unix" not in self.url else 0

    def __enter__(self):
        return self

    def __exit__(self, *failed):
        if self.process.child.poll() is None:
            self.signal(signal.SIGTERM)
            time.sleep(0.05)
            self.signal(signal.SIGTERM)
        status = self.process.wait(120)
        self.process.stop()
        if not failed[0]:
            expect(status == 0, f"the proxy ends with {status}: {tail(self.process.err())}")

    def signal(self, number):
        self.process.child.send_signal(number)

    def said(self, event):
        lines = [line for line in self.process.err().splitlines() if line.startswith("{")]
        return [o for o in map(json.loads, lines) if o.get("event") == event]

    def connections(self):
        with open(self.log, encoding="utf-8") as f:
            return [json.loads(line) for line in f]

    def statistics(self):
        before = len(self.said("statistics"))
        self.signal(signal.SIGUSR1)
        until(lambda: len(self.said("statistics")) > before, "no statistics")
        return self.said("statistics")[-1]

    def workers(self):
        pid = self.process.child.pid
        with open(f"/proc/{pid}/task/{pid}/children", encoding="ascii") as f:
            return [int(word) for word in f.read().split()]

    def memory(self):
        """Kilobytes that the workers hold, what they share with their parent left out."""
        total = 0
        for pid in self.workers():
            with open(f"/proc/{pid}/status", encoding="ascii") as f:
                total += next(int(line.split()[1]) for line in f if line.startswith("RssAnon"))
        return total

    def plain(self):
        s = socket.create_connection(("127.0.0.1", self.port), timeout=120)
        s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return s

    def tls(self, context=None, session=None):
        context = context or ssl.create_default_context(cafile=PKI.ca)
        return strict(context).wrap_socket(self.plain(), server_hostname="localhost", suppress_ragged_eofs=False,
                                           session=session)


def talk(s, text=b"hello"):
    s.sendall(text)
    got = b""
    while len(got) < len(text):
        more = s.recv(65536)
        expect(more, f"the end after {len(got)} of {len(text)} bytes")
        got += more
    expect(got == text, "other bytes came back")


def rest(s):
    """All that comes; an end without close_notify is an error of ssl."""
    data = b""
    while more := s.recv(65536):
        data += more
    return data


def server_context(cert="ec"):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(PKI.chain(cert), PKI.key(cert))
    return context


# ---------------------------------------------------------------- bytes

def through(port, *options):
    """8 MB through an echo, by handfast connect; the command's Process."""
    data = payload(8_000_000)
    scheme = "tcp" if "tcp" in options else "tls"
    words = [] if scheme == "tcp" else ["--ca", PKI.ca, "--name", "localhost"]
    done = Process([HANDFAST, "connect", f"{scheme}://127.0.0.1:{port}", "--quiet", *words], stdin=data)
    expect(done.wait(120) == 0, f"connect: {tail(done.err())}")
    expect(digest(done.out_path) == digest(data), f"{os.path.getsize(done.out_path)} bytes came back, or changed")


def test_tls_to_tcp():
    backend = Backend(echo)
    with Proxy("tls://:0", f"tcp://127.0.0.1:{backend.port}") as p:
        for _ in range(3):
            through(p.port)
        line = p.connections()[0]
    expect(line["outcome"] == "closed" and line["received"] == line["sent"] == 8_000_000, f"the log says {line}")
    expect(line["version"] == "TLS 1.3" and line["server_name"] == "localhost", f"the log says {line}")


def test_tcp_to_tls():
    backend = Backend(echo, context=server_context())
    to = f"tls://127.0.0.1:{backend.port}"
    with Proxy("tcp://127.0.0.1:0", to, "--to-ca", PKI.ca, "--to-name", "localhost") as p:
        through(p.port, "tcp")
        for _ in range(3):
            s = p.plain()
            talk(s)
            s.close()
    stats = backend.context.session_stats()
    expect(stats["hits"] >= 1, f"no session was resumed with the backend: {stats}")
    with Proxy("tcp://127.0.0.1:0", to, "--to-ca", PKI.other_ca, "--to-name", "localhost") as p:
        for _ in range(5):
            expect(rest(p.plain()) == b"", "something came from a backend that nobody trusts")
        said = p.said("backend-down")
        expect(len(said) == 1 and "UNTRUSTED" in said[0]["message"], f"it says {said}")
    with Proxy("tcp://127.0.0.1:0", to, "--to-ca", PKI.ca, "--to-name", "elsewhere.test") as p:
        expect(rest(p.plain()) == b"" and "elsewhere.test" in p.said("backend-down")[0]["message"], "no name check")
    backend.close()


def test_tls_to_tls():
    backend = Backend(echo, context=server_context("rsa"))
    with Proxy("tls://:0", f"tlsv1.2://127.0.0.1:{backend.port}", "--to-ca", PKI.ca, "--to-name", "localhost") as p:
        through(p.port)
    backend.close()


def test_unix():
    path, door = scratch("backend.sock"), scratch("door.sock")
    backend = Backend(echo, path=path)
    with Proxy("tls://127.0.0.1:0", f"unix://{path}") as p:
        through(p.port)
    with Proxy(f"unix://{door}", f"unix://{path}") as p:
        for _ in range(4):
            s = socket.socket(socket.AF_UNIX)
            s.connect(door)
            talk(s, b"x" * 100000)
            s.close()
    expect(not os.path.exists(door), "the socket's file is still there")
    backend.close()


# ---------------------------------------------------------------- ends

def test_client_ends_first():
    """close_notify becomes FIN, and what the backend answers then still arrives."""
    for context, to in ((None, "tcp"), (server_context(), "tls")):
        backend = Backend(whole, context=context)
        words = ["--to-ca", PKI.ca, "--to-name", "localhost"] if context else []
        with Proxy("tls://:0", f"{to}://127.0.0.1:{backend.port}", *words) as p:
            done = Process([HANDFAST, "connect", f"tls://127.0.0.1:{p.port}", "--ca", PKI.ca, "--name", "localhost",
                            "--quiet"], stdin=payload(300_000))
            expect(done.wait(120) == 0, tail(done.err()))
            expect(done.out().startswith(b"300000 bytes: "), f"{to}: {done.out()[:40]!r}")
        backend.close()


def test_backend_ends_first():
    """FIN becomes close_notify, and what the client says after it still arrives."""
    got = []

    def bye(s):
        s.sendall(b"bye")
        s.shutdown(socket.SHUT_WR)
        got.append(rest(s))

    backend = Backend(bye)
    with Proxy("tls://:0", f"tcp://127.0.0.1:{backend.port}") as p:
        s = p.tls()
        expect(rest(s) == b"bye", "not the backend's word")  # a cut would raise
        s.sendall(b"x" * 200_000)
        with contextlib.suppress(OSError):
            s.unwrap()
        until(lambda: got, "the backend does not learn of the end")
    expect(got == [b"x" * 200_000], f"{len(got[0])} bytes came after the backend's end")
    backend.close()


def test_cut_stays_cut():
    """Who was cut off is not taken for one who has ended."""
    seen = []

    def listen(s):
        try:
            seen.append(rest(s))
        except ConnectionResetError:
            seen.append("reset")

    come = threading.Event()

    def reset(s):
        s.recv(5)
        s.sendall(b"half an ans")
        come.wait(PLENTY)
        s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))

    backend = Backend(listen)
    with Proxy("tls://:0", f"tcp://127.0.0.1:{backend.port}") as p:
        s = p.tls()
        s.sendall(b"half a sent")
        time.sleep(0.1)
        s.close()  # FIN without close_notify
        until(lambda: seen, "the backend does not learn of it")
    expect(seen == ["reset"], f"a client that was cut looks to the backend like {seen}")
    backend = Backend(reset)
    with Proxy("tls://:0", f"tcp://127.0.0.1:{backend.port}") as p:
        s = p.tls()
        s.sendall(b"hello")
        got = b""
        try:
            while more := s.recv(100):
                got += more
                if len(got) == 11:
                    come.set()
            raise Failure("a backend's reset looks like a clean end")
        except ssl.SSLError as error:
            must_be_cut(error)
        s.close()
        expect(got == b"half an ans", f"before the reset came {got!r}")
        until(lambda: p.connections(), "no line in the log")
        expect(p.connections()[0]["outcome"] == "cut by the backend", f"the log says {p.connections()}")


# ---------------------------------------------------------------- backends

def test_backend_away():
    port = free_port()
    with Proxy("tls://:0", f"tcp://127.0.0.1:{port}") as p:
        for _ in range(20):
            expect(rest(p.tls()) == b"", "something came from nobody")
        said = p.said("backend-down")
        expect(len(said) == 1 and "refused" in said[0]["message"], f"20 failures are told as {said}")
        expect(p.statistics()["backend_down"] and p.statistics()["backend_failures"] == 20, f"{p.statistics()}")
        backend = Backend(echo, port=port)
        talk(p.tls())
        until(lambda: p.said("backend-up"), "nobody says that the backend is back")
        expect("20 connections" in p.said("backend-up")[0]["message"], f"{p.said('backend-up')}")
        expect(not p.statistics()["backend_down"], "it is down in the statistics")
        backend.close()
        expect(rest(p.tls()) == b"", "something came from nobody")
        expect(len(p.said("backend-down")) == 2, "a second absence is not told")


def test_backend_moves():
    """A name that stands for another address after the backend has moved is looked up again, without a signal; what is
    open stays where it is, and an answer that is the same changes nothing."""
    library, names = os.environ.get("NAMES_LIBRARY"), scratch("names")
    if not library or not os.path.exists(library) or b"__asan_init" in open(HANDFAST, "rb").read():
        raise Skip("no library to answer for the name server")

    def stands_for(address):
        with open(names + ".new", "w", encoding="ascii") as f:
            f.write(address + "\n")
        os.rename(names + ".new", names)
    stands_for("127.0.0.1")
    here = Backend(echo)
    with Proxy("tls://127.0.0.1:0", f"tcp://backend.test:{here.port}",
               env={"LD_PRELOAD": library, "HANDFAST_NAMES": names}) as p:
        old = p.tls()
        talk(old)
        here.door.shutdown(socket.SHUT_RDWR)  # takes no more, and keeps what it has
        here.door.close()
        expect(rest(p.tls()) == b"", "something came from nobody")
        until(lambda: p.said("backend-down"), "nobody says that the backend is away", 60)
        there = Backend(echo, port=here.port, address="127.0.0.2")
        stands_for("127.0.0.2")
        until(lambda: p.said("backend-moved"), "nobody has looked where the backend is", 60)
        expect("127.0.0.2" in p.said("backend-moved")[0]["message"], f"{p.said('backend-moved')}")
        # Until the workers have changed, a client may still meet one of before.
        until(lambda: reaches(p), "the new address is not used", 60)
        talk(old)
        old.close()
        for _ in range(10):
            talk(p.tls())
        expect(there.count >= 11 and len(p.said("backend-moved")) == 1, f"{there.count}, {p.said('backend-moved')}")
        # A backend that stays where it is is no news.
        until(lambda: len(p.workers()) == 2, "the workers of before do not end", 60)
        workers = p.workers()
        there.door.shutdown(socket.SHUT_RDWR)
        there.door.close()
        expect(rest(p.tls()) == b"", "something came from nobody")
        there = Backend(echo, port=here.port, address="127.0.0.2")
        until(lambda: reaches(p), "the backend is back and nobody goes there", 60)
        expect(set(workers) <= set(p.workers()) and len(p.said("backend-moved")) == 1, "the workers have changed for nothing")
        there.close()


def reaches(p):
    s = p.tls()
    s.sendall(b"there")
    return s.recv(10) == b"there"


def test_backend_killed():
    """A whole process is killed while clients talk to it, and started again."""
    port = free_port()
    program = ("import socket,sys,threading\nd=socket.create_server(('127.0.0.1',int(sys.argv[1])))\n"
               "def f(s):\n while x:=s.recv(9999): s.sendall(x)\n"
               "while 1: threading.Thread(target=f,args=(d.accept()[0],)).start()")
    start = lambda: Process([sys.executable, "-c", program, port]).wait_port(port)
    backend = start()
    with Proxy("tls://:0", f"tcp://127.0.0.1:{port}") as p:
        for _ in range(3):
            clients = [p.tls() for _ in range(20)]
            for s in clients:
                talk(s)
            backend.child.kill()
            begin = time.monotonic()
            for s in clients:
                expect(rest(s) == b"", "a byte from the dead")
            expect(time.monotonic() - begin < SOON, "the ends come late")
            backend.wait(120)
            expect(rest(p.tls()) == b"", "something came from nobody")
            backend = start()
            talk(p.tls())
        expect(len(p.said("backend-down")) == 3 and len(p.said("backend-up")) == 3, tail(p.process.err(), 9))
    backend.stop()


# ---------------------------------------------------------------- patience

def test_slow_readers():
    """What is not read is not kept: buffers are bounded, in both directions, and others are served meanwhile."""
    block = b"0123456789abcdef" * 4096
    taken = []

    def pour(s):
        if s.recv(1) == b"d":
            for _ in range(160):
                s.sendall(block)
        else:
            taken.append(s)
            s.recv(1)
            time.sleep(60)

    backend = Backend(pour)
    with Proxy("tls://:0", f"tcp://127.0.0.1:{backend.port}", workers=1) as p:
        talker = p.tls()
        before = p.memory()
        down = [p.tls() for _ in range(24)]
        for s in down:
            s.sendall(b"d")
        up = [p.tls() for _ in range(8)]
        for s in up:
            s.settimeout(0.3)
            with contextlib.suppress(TimeoutError):
                s.sendall(b"u" + block * 200)
        held = p.memory() - before
        expect(held < 32 * 150, f"{held} kB are kept for 32 slow readers of 10 MB each")
        begin = time.monotonic()
        talker.sendall(b"d")
        expect(len(rest(talker)) == 160 * 65536, "others are not served")
        expect(time.monotonic() - begin < SOON, "others are served slowly")
        for s in down[:2]:
            got = rest(s)
            expect(got == block * 160, f"a slow reader got {len(got)} bytes, or others")
    backend.close()
    return f"{held} kB for 32:"


def test_kept_apart():
    """What waits for slow readers stays each connection's own, whichever sides speak TLS."""
    backend = Backend(lambda s: [s.sendall(mark * 65536) for mark in [s.recv(1)] for _ in range(128)])
    context = ssl.create_default_context(cafile=PKI.ca)
    for where in ("tcp://127.0.0.1:0", "tls://127.0.0.1:0"):
        with Proxy(where, f"tcp://127.0.0.1:{backend.port}", workers=1) as p:
            clients = [p.plain() if where.startswith("tcp") else p.tls(context) for _ in range(4)]
            for i, s in enumerate(clients):
                s.sendall(b"%d" % i)
            time.sleep(0.5)
            for i, s in enumerate(clients):
                got = rest(s)
                expect(got == b"%d" % i * (128 * 65536), f"{where}: client {i} got {len(got)} bytes, or another's")
    backend.close()


def test_timeouts():
    backend = Backend(echo)
    with Proxy("tls://:0", f"tcp://127.0.0.1:{backend.port}", "--timeout", "2", "--idle-timeout", "2") as p:
        begin = time.monotonic()
        silent, slow, idle = p.plain(), p.plain(), p.tls()
        slow.sendall(b"\x16\x03\x01\x02")
        talk(idle)
        expect(rest(idle) == b"", "not a clean end of an idle connection")
        rest(slow)
        rest(silent)
        for s in (idle, slow, silent):
            s.close()
        expect(1.5 < time.monotonic() - begin < SOON, "not in time")
        until(lambda: p.statistics()["timeouts"] == 3, lambda: f"{p.statistics()}")
        until(lambda: len(p.connections()) == 3, "no lines in the log")
        outcomes = sorted(c["outcome"] for c in p.connections())
        expect(outcomes == ["handshake timed out"] * 2 + ["idle"], f"{outcomes}")
    backend.close()


def owed(end):
    """A client that does not read its 10 MB, until `end` has passed: how what it then reads ends."""
    backend = Backend(lambda s: (s.recv(1), s.sendall(b"x" * 10_000_000), s.recv(1)))
    with Proxy("tls://:0", f"tcp://127.0.0.1:{backend.port}", "--idle-timeout", "1.5", "--drain", "0.5", workers=1) as p:
        s = p.tls()
        s.sendall(b"x")
        got = len(s.recv(1000))  # it has begun
        end(p)
        try:
            while more := s.recv(65536):
                got += len(more)
        except (ssl.SSLError, ConnectionResetError) as error:
            must_be_cut(error)
            s.close()
            backend.close()
            return
    raise Failure(f"{got} of 10,000,000 bytes look like all")


def test_owed():
    """Whoever is owed bytes is not told that all is said."""
    owed(lambda p: until(lambda: p.connections(), "an idle connection stays"))
    owed(lambda p: (p.signal(signal.SIGTERM), p.process.wait()))


def test_limits():
    backend = Backend(echo)
    with Proxy("tls://:0", f"tcp://127.0.0.1:{backend.port}", "--max-connections", "2", workers=1) as p:
        first, second = p.tls(), p.tls()
        third = p.plain()
        time.sleep(0.3)
        expect(p.statistics()["open"] == 2, f"{p.statistics()}")
        talk(first)
        first.close()
        s = ssl.create_default_context(cafile=PKI.ca).wrap_socket(third, server_hostname="localhost")
        talk(s)
        talk(second)
        again = Process([HANDFAST, "proxy", f"tls://127.0.0.1:{p.port}", "tcp://127.0.0.1:1", "--workers", "2", "--cert",
                         PKI.chain("ec"), "--key", PKI.key("ec")])
        expect(again.wait(120) == 3 and "in use" in again.err(), f"two proxies at one port: {tail(again.err())}")
    backend.close()


def test_bad_clients():
    backend = Backend(echo)
    with Proxy("tls://:0", f"tcp://127.0.0.1:{backend.port}") as p:
        for _ in range(30):
            s = p.plain()
            s.sendall(b"GET / HTTP/1.0\r\n\r\n")
            with contextlib.suppress(ConnectionResetError):
                rest(s)
        for _ in range(30):
            p.plain().close()
        until(lambda: p.statistics()["failed_handshakes"] == 60, lambda: f"{p.statistics()}")
        said = p.said("client")
        expect(1 <= len(said) <= 2 and "HTTP" in said[0]["message"], f"30 probes are told as {said}")
        expect(backend.count == 0, "the backend was bothered")
        talk(p.tls())
    backend.close()


# ---------------------------------------------------------------- the PROXY protocol

def test_proxy_protocol():
    heads = []

    def head(s):
        heads.append(s.recv(4096))
        s.sendall(b"x")

    backend = Backend(head)
    for version in ("v1", "v2"):
        with Proxy("tls://:0", f"tcp://127.0.0.1:{backend.port}", "--proxy-protocol", version, "--alpn", "h2") as p:
            context = ssl.create_default_context(cafile=PKI.ca)
            context.set_alpn_protocols(["h2"])
            s = p.tls(context)
            here = s.getsockname()[1]
            expect(s.recv(1) == b"x", "no answer")
            if version == "v1":
                expect(heads[-1] == b"PROXY TCP4 127.0.0.1 127.0.0.1 %d %d\r\n" % (here, p.port), f"{heads[-1]}")
    h = heads[-1]
    expect(h[:12] == b"\r\n\r\n\0\r\nQUIT\n" and h[12:14] == b"\x21\x11" and len(h) == 16 + h[14] * 256 + h[15], f"{h}")
    expect(h[16:24] == bytes([127, 0, 0, 1] * 2) and struct.unpack(">HH", h[24:28]) == (here, p.port), f"{h}")
    tlvs, at = {}, 28
    while at < len(h):
        size = h[at + 1] * 256 + h[at + 2]
        tlvs[h[at]] = h[at + 3:at + 3 + size]
        at += 3 + size
    expect(tlvs[1] == b"h2" and tlvs[2] == b"localhost" and b"TLS 1.3" in tlvs[0x20], f"{tlvs}")
    backend.close()


# ---------------------------------------------------------------- chance

def test_chance():
    """Echoes whose both ends pause, cut or reset as chance has it: what comes back is what was sent, from the beginning
    on, nobody waits for ever, and nothing stays."""
    seed = int.from_bytes(os.urandom(4), "big")
    dice, faults, clean = random.Random(seed), [], [0]
    block = os.urandom(1 << 20)

    def mood():
        return dice.choices(["good", "cut", "reset", "lazy"], [6, 1, 1, 2])[0]

    def handler(s):
        how, left = mood(), dice.randrange(1 << 20)
        while data := s.recv(dice.choice([100, 5000, 65536])):
            s.sendall(data)
            left -= len(data)
            if how == "lazy":
                time.sleep(0.002)
            if how == "reset" and left < 0:
                s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                return
            if how == "cut" and left < 0:
                return

    def client(p):
        how, size, got = mood(), dice.randrange(1, 1 << 20), b""
        s, at = p.tls(), 0
        s.setblocking(False)
        try:
            while len(got) < size:
                select.select([s], [s] if at < size else [], [], 20)
                with contextlib.suppress(ssl.SSLWantReadError, ssl.SSLWantWriteError):
                    if at < size:
                        at += s.send(block[at:min(size, at + 16384)])
                with contextlib.suppress(ssl.SSLWantReadError, ssl.SSLWantWriteError):
                    more = s.recv(65536)
                    if not more:
                        break
                    got += more
                if how == "lazy":
                    time.sleep(0.001)
                elif how in ("cut", "reset") and dice.random() < 0.05:
                    if how == "reset":
                        s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                    break
            clean[0] += len(got) == size
        except OSError:
            pass
        s.close()
        if got != block[:len(got)]:
            faults.append(f"{len(got)} of {size} bytes are others")

    backend = Backend(handler)
    with Proxy("tls://:0", f"tcp://127.0.0.1:{backend.port}") as p:
        for _ in range(6):
            threads = [threading.Thread(target=client, args=(p,)) for _ in range(25)]
            for t in threads:
                t.start()
            for t in threads:
                t.join(30)
                expect(not t.is_alive(), f"a client waits for ever (seed {seed})")
        until(lambda: p.statistics()["open"] == 0, lambda: f"connections stay open: {p.statistics()} (seed {seed})")
        expect(not p.said("worker-died"), tail(p.process.err()))
    backend.close()
    expect(not faults and clean[0] > 20, f"{faults[:2]}, {clean[0]} whole (seed {seed})")
    return f"{clean[0]} of 150 whole"


# ---------------------------------------------------------------- signals

def test_reload_under_load():
    """Clients come and go without a pause while the certificate changes eight times; none fails, and one that was
    there before any of it still talks."""
    backend = Backend(echo)
    cert, key = scratch("live.pem"), scratch("live.key")

    def put(name):
        shutil.copy(PKI.chain(name), cert)
        shutil.copy(PKI.key(name), key)

    put("ec")
    faults, done, stop = [], [0], threading.Event()
    with Proxy("tls://:0", f"tcp://127.0.0.1:{backend.port}", "--cert", cert, "--key", key) as p:
        def client():
            while not stop.is_set():
                try:
                    s = p.tls()
                    talk(s)
                    s.close()
                    done[0] += 1
                except Exception as fault:  # of any kind
                    faults.append(repr(fault))

        old = p.tls()
        threads = [threading.Thread(target=client) for _ in range(4)]
        for t in threads:
            t.start()
        for i in range(8):  # each is waited for, since of signals that come close together one counts
            time.sleep(0.25)
            put("rsa" if i % 2 == 0 else "ec")
            p.signal(signal.SIGHUP)
            until(lambda: len(p.said("reload")) > i, lambda: f"{len(p.said('reload'))} reloads of 8")
        time.sleep(0.3)
        expect(len(p.said("reload")) == 8, f"{len(p.said('reload'))} reloads of 8")
        stop.set()
        for t in threads:
            t.join()
        talk(old)
        expect(not faults, f"{len(faults)} of {done[0]} clients failed: {faults[:2]}")
        old.close()
        until(lambda: len(p.workers()) == 2, "the old workers stay")
    backend.close()
    return f"{done[0]} clients"


def key_of(s):
    return len(s.getpeercert(True))


def test_reload_changes():
    backend = Backend(echo)
    file, cert = scratch("proxy.conf"), scratch("cert.pem")

    def put(name, more=""):
        with open(cert, "wb") as f:
            for path in (PKI.chain(name), PKI.key(name)):
                with open(path, "rb") as part:
                    f.write(part.read())
        with open(file, "w", encoding="ascii") as f:
            f.write(f"# the proxy's options\ncert {cert}\n{more}\n")

    put("ec")
    door = free_port()
    p = Proxy.__new__(Proxy)
    p.log, p.port = scratch("access.log"), door
    p.process = Process([HANDFAST, "proxy", f"tls://127.0.0.1:{door}", f"tcp://127.0.0.1:{backend.port}", "--config",
                         file, "--json", "--workers", "2"]).wait_port(door)
    with p:
        first = p.tls()
        small, session = key_of(first), None
        talk(first)
        session = first.session
        put("rsa", "alpn h2,http/1.1")
        p.signal(signal.SIGHUP)
        until(lambda: key_of(p.tls()) > small, "the new certificate is not shown")
        context = ssl.create_default_context(cafile=PKI.ca)
        context.set_alpn_protocols(["h2"])
        expect(p.tls(context).selected_alpn_protocol() == "h2", "the new option does not count")
        again = p.tls(first.context, session=session)
        talk(again)
        expect(again.session_reused, "a reload takes the sessions away")
        talk(first)
        for more, word in (("cert /nowhere.pem", "nowhere"), ("groups nonsense", "nonsense"), ("colour blue", "")):
            put("ec", more)
            before = len(p.said("reload-failed"))
            p.signal(signal.SIGHUP)
            until(lambda: len(p.said("reload-failed")) > before, "nobody says that the reload failed")
            expect(word in p.said("reload-failed")[-1]["message"], f"{p.said('reload-failed')[-1]}")
            talk(p.tls())
            expect(key_of(p.tls()) > small, "a bad reload changes something")
    backend.close()


def test_stop():
    backend = Backend(echo)
    pid = scratch("pid")
    with Proxy("tls://:0", f"tcp://127.0.0.1:{backend.port}", "--drain", "20", "--pid-file", pid) as p:
        s = p.tls()
        with open(pid, encoding="ascii") as f:
            expect(int(f.read()) == p.process.child.pid, "another process's number")
        talk(s)
        p.signal(signal.SIGTERM)
        until(lambda: p.said("stop"), "nobody says that it stops")
        until(lambda: not listening(p.port), "it still listens")
        expect(p.process.child.poll() is None, "it does not wait for the connection")
        with contextlib.suppress(ConnectionRefusedError):
            p.plain()
            raise Failure("a new connection is taken while it stops")
        talk(s, b"still here" * 10000)
        s.close()
        expect(p.process.wait(120) == 0, "not the status of a clean end")
        expect(not os.path.exists(pid), "the file with the number stays")
    with Proxy("tls://:0", f"tcp://127.0.0.1:{backend.port}", "--drain", "1.5") as p:
        s = p.tls()
        talk(s)
        p.signal(signal.SIGTERM)
        expect(rest(s) == b"", "no clean end after the time to drain, though nothing moves")
        expect(p.process.wait(120) == 0, "not the status of a clean end")
    backend.close()


def test_worker_killed():
    backend = Backend(echo)
    with Proxy("tls://:0", f"tcp://127.0.0.1:{backend.port}") as p:
        for _ in range(2):
            old = p.workers()
            os.kill(old[0], signal.SIGKILL)
            until(lambda: len(p.workers()) == 2 and p.workers() != old, "nobody takes its place")
            for _ in range(10):
                talk(p.tls())
        expect(len(p.said("worker-died")) == 2, tail(p.process.err()))
        workers = p.workers()
        p.process.child.kill()
        p.process.wait(120)
        until(lambda: not any(os.path.exists(f"/proc/{w}") for w in workers), "workers outlive their parent")
        p.process.child.returncode = 0
    backend.close()


def test_sessions_shared():
    """A ticket of one worker is good for all of them."""
    backend = Backend(echo)
    with Proxy("tls://:0", f"tcp://127.0.0.1:{backend.port}", workers=4) as p:
        for version in (ssl.TLSVersion.TLSv1_3, ssl.TLSVersion.TLSv1_2):
            context = ssl.create_default_context(cafile=PKI.ca)
            context.maximum_version = version
            s = p.tls(context)
            talk(s)
            for i in range(12):
                session = s.session
                s.close()
                s = p.tls(context, session)
                talk(s)
                expect(s.session_reused, f"{version.name}: connection {i} is not resumed")
            s.close()
        until(lambda: p.statistics()["resumed"] == 24, lambda: f"{p.statistics()}")
    backend.close()


def test_words():
    """What it says to people, and of several addresses the one that answers."""
    backend, log, port = Backend(echo), scratch("access.log"), free_port()
    p = Process([HANDFAST, "proxy", f"tls://127.0.0.1:{port}", f"tcp://localhost:{backend.port}", "--access-log", log,
                 "--stats", "0.3", "--cert", PKI.chain("ec"), "--key", PKI.key("ec")]).wait_port(port)
    s = ssl.create_default_context(cafile=PKI.ca).wrap_socket(socket.create_connection(("127.0.0.1", port)),
                                                              server_hostname="localhost")
    talk(s)
    s.unwrap()
    p.wait_text(r"statistics: \d+ s, \d+ workers, 0 connections open of 1; handshakes 1 \(0 resumed, 0 failed\); backend "
                r"1 \(0 failed\); 0 timeouts; 5 bytes received, 5 sent; backend down: no")
    with open(log, encoding="utf-8") as f:
        line = f.read()
    expect(re.fullmatch(r"20\d\d-\d\d-\d\d \d\d:\d\d:\d\d UTC 127\.0\.0\.1:\d+ to 127\.0\.0\.1:%d, TLS 1\.3, TLS_\w+, "
                        r"name localhost, 5 bytes received, 5 sent, \d\.\d+ s, closed\n" % backend.port, line), line)
    os.rename(log, log + ".1")  # as logrotate does
    p.child.send_signal(signal.SIGHUP)
    until(lambda: os.path.exists(log), "the access log is not opened anew")
    p.child.send_signal(signal.SIGTERM)
    expect(p.wait(120) == 0 and "stopping: 0 connections" in p.err(), tail(p.err()))
    backend.close()


def test_user():
    """Workers give their rights away, their parent does not, and reloads still work."""
    if os.getuid() != 0:
        raise Skip("needs to be root, to become another user")
    backend, key = Backend(echo), scratch("secret.key")
    shutil.copy(PKI.key("ec"), key)
    os.chmod(key, 0o600)
    with Proxy("tls://:0", f"tcp://127.0.0.1:{backend.port}", "--user", "nobody", "--cert", PKI.chain("ec"), "--key", key) as p:
        talk(p.tls())
        old = p.workers()
        p.signal(signal.SIGHUP)
        until(lambda: len(p.workers()) == 2 and not set(old) & set(p.workers()), "no new workers")
        talk(p.tls())
        for pid in p.workers():
            with open(f"/proc/{pid}/status", encoding="ascii") as f:
                ids = [set(line.split()[1:]) for line in f if line.startswith(("Uid:", "Gid:", "Groups:"))]
            expect("0" not in set.union(*ids), f"a worker has root's rights: {ids}")
    done = Process([HANDFAST, "proxy", "tcp://:0", "tcp://127.0.0.1:1", "--user", "no-such-user"])
    expect(done.wait(120) == 4 and "no-such-user" in done.err(), tail(done.err()))
    backend.close()


def test_few_descriptors():
    """Where the system gives few descriptors, others wait, and nothing breaks."""
    backend, port = Backend(echo), free_port()
    p = Process(["sh", "-c", 'ulimit -n 64; exec "$@"', "sh", HANDFAST, "proxy", f"tls://127.0.0.1:{port}",
                 f"tcp://127.0.0.1:{backend.port}", "--workers", "1", "--json", "--cert", PKI.chain("ec"), "--key",
                 PKI.key("ec")]).wait_port(port)
    context, done = ssl.create_default_context(cafile=PKI.ca), []

    def client():
        s = context.wrap_socket(socket.create_connection(("127.0.0.1", port), timeout=120), server_hostname="localhost")
        talk(s)
        time.sleep(0.05)
        s.close()
        done.append(1)

    threads = [threading.Thread(target=client) for _ in range(60)]
    for t in threads:
        t.start()
    for t in threads:
        t.join(30)
    expect(len(done) == 60, f"{len(done)} of 60 clients were served: {tail(p.err())}")
    p.child.send_signal(signal.SIGTERM)
    expect(p.wait(120) == 0, tail(p.err()))
    backend.close()


def test_usage():
    cert = ["--cert", PKI.chain("ec"), "--key", PKI.key("ec")]
    for words, status, text in ((["tls://:0"], 1, "TO-URL"), (["tls://:0", "tcp://h:1"], 1, "--cert"),
                                (["sslv3://:0", "tcp://h:1", *cert], 1, "RFC 7568"),
                                (["tcp://:0", "tcp://127.0.0.1:1", "--to-name", "x"], 1, "--to-"),
                                (["tcp://:0", "udp://h:1"], 1, "tcp, tls"), (["tcp://:0", "tcp://:1"], 1, "no host"),
                                (["tcp://:0", "tcp://h"], 1, "port"), (["tcp://:0", "tcp://fe80::1:80"], 1, "brackets"),
                                (["tcp://:0", "tcp://h:1", "--workers", "0"], 1, "from 1"),
                                (["tls://:0", "tcp://127.0.0.1:1", "--cert", "/nowhere"], 4, "nowhere")):
        done = Process([HANDFAST, "proxy", *words])
        got = done.wait(120)
        expect(got == status and text in done.err(), f"{words}: {got}, {tail(done.err(), 9)}")


# ---------------------------------------------------------------- nginx, under load

NGINX = """daemon off; worker_processes 1; pid {d}/pid; error_log {d}/error.log; master_process off;
events {{ worker_connections 4096; }}
http {{ access_log off; keepalive_requests 10000000; client_body_temp_path {d}/a; proxy_temp_path {d}/b;
fastcgi_temp_path {d}/c; uwsgi_temp_path {d}/e; scgi_temp_path {d}/f;
server {{ listen 127.0.0.1:{port} backlog=4096; location / {{ return 200 "{body}"; }} }} }}
"""


def test_load():
    """nginx under wrk with 1,000 connections: no error, and memory that stays where it is."""
    wrk, nginx = shutil.which("wrk"), shutil.which("nginx") or "/usr/sbin/nginx"
    if not wrk or not os.path.exists(nginx):
        raise Skip("needs wrk and nginx (packages of the same names)")
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, 8192), hard))
    folder, port = scratch("nginx"), free_port()
    os.mkdir(folder)
    with open(f"{folder}/conf", "w", encoding="ascii") as f:
        f.write(NGINX.format(d=folder, port=port, body="x" * 1024))
    server = Process([nginx, "-p", folder, "-c", f"{folder}/conf"]).wait_port(port)
    memory = []
    with Proxy("tls://:0", f"tcp://127.0.0.1:{port}") as p:
        load = Process([wrk, "-t1", "-c1000", f"-d{SECONDS + 120}s", "--timeout", "30s", f"https://127.0.0.1:{p.port}/"])
        until(lambda: p.statistics()["handshakes"] >= 1000, "1,000 handshakes are not done")
        time.sleep(1)
        begin = time.monotonic()
        while load.child.poll() is None and time.monotonic() - begin < SECONDS:
            memory.append(p.memory())
            time.sleep(0.5)
        load.child.send_signal(signal.SIGINT)  # wrk then says what it has seen
        expect(load.wait(120) == 0, tail(load.text()))
        stats = p.statistics()
    server.stop()
    text = load.text()
    rate = re.search(r"Requests/sec:\s+([\d.]+)", text)
    expect(rate and "Socket errors" not in text and "Non-2xx" not in text, tail(text, 6))
    expect(stats["backend_failures"] == 0 and stats["timeouts"] == 0, f"{stats}")
    first, middle, last = memory[0], memory[len(memory) // 2], memory[-1]
    expect(max(memory) < 1.1 * first + 1024, f"memory grows: {first}, {middle}, {last} kB, at most {max(memory)}")
    return f"{rate[1]} requests/s, {first}, {middle}, {last} kB"


TESTS = [("tls to tcp", test_tls_to_tcp), ("tcp to tls, verified and resumed", test_tcp_to_tls),
         ("tls to tls", test_tls_to_tls), ("unix sockets", test_unix), ("the client ends its half", test_client_ends_first),
         ("the backend ends its half", test_backend_ends_first), ("what was cut stays cut", test_cut_stays_cut),
         ("a backend that is away", test_backend_away), ("a backend that moves", test_backend_moves), ("a backend that is killed", test_backend_killed),
         ("slow readers", test_slow_readers), ("what waits is kept apart", test_kept_apart),
         ("timeouts", test_timeouts), ("bytes that are owed", test_owed), ("limits", test_limits),
         ("clients that speak no TLS", test_bad_clients), ("the PROXY protocol", test_proxy_protocol),
         ("what chance brings", test_chance), ("reload under load", test_reload_under_load), ("what a reload changes", test_reload_changes),
         ("SIGTERM", test_stop), ("a worker that is killed", test_worker_killed),
         ("sessions of all workers", test_sessions_shared), ("what it says", test_words),
         ("another user", test_user), ("few descriptors", test_few_descriptors), ("mistakes", test_usage),
         ("nginx under load", test_load)]


def main():
    score = Score()
    only = sys.argv[3:]
    for name, check in TESTS:
        if only and not any(word in name for word in only):
            continue
        begin = time.monotonic()
        print(f"{score.check(name, check):4} {name} ({time.monotonic() - begin:.1f} s)", flush=True)
    return score.done()


if __name__ == "__main__":
    sys.exit(main())
