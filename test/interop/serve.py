"""`handfast serve` under clients that somebody else wrote: Python's ssl module.

    serve.py HANDFAST

Files and nothing else, persistent connections, many idle clients in little memory, and clients that stall.
"""

import atexit
import json
import os
import resource
import shutil
import signal
import socket
import ssl
import subprocess
import sys
import tempfile
import time

SCRATCH = tempfile.mkdtemp(prefix="handfast-serve-")
atexit.register(shutil.rmtree, SCRATCH, ignore_errors=True)
IDLE = 1000

# Seconds: see core.py.
SOON, PATIENCE = 30, 600


class Failure(Exception):
    """A check that failed, in words."""


def expect(condition, what):
    if not condition:
        raise Failure(what)


def path(*names):
    return os.path.join(SCRATCH, *names)


def make_files():
    done = subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
                           "-days", "20", "-keyout", path("key.pem"), "-out", path("cert.pem"), "-subj", "/CN=localhost",
                           "-addext", "subjectAltName=DNS:localhost"], stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    expect(done.returncode == 0, f"openssl req: {done.stdout}")
    os.makedirs(path("root", "sub"))
    for name, data in (("index.html", b"<p>home"), ("big.bin", bytes(range(256)) * 8000), ("sub/index.html", b"sub")):
        with open(path("root", name), "wb") as f:
            f.write(data)
    with open(path("secret"), "wb") as f:
        f.write(b"outside")
    os.symlink("../secret", path("root", "link"))


class Server:
    """handfast serve with these options; ends with the `with` block, and must end well."""

    def __init__(self, handfast, *options):
        self.command = [handfast, "serve", "tls://127.0.0.1:0", "--cert", path("cert.pem"), "--key", path("key.pem"),
                        "--port-file", path("port"), "--json", *options]

    def __enter__(self):
        if os.path.exists(path("port")):
            os.unlink(path("port"))
        self.log = open(path("log"), "w+", encoding="utf-8")
        self.child = subprocess.Popen(self.command, stdout=subprocess.DEVNULL, stderr=self.log)
        while self.child.poll() is None:
            if os.path.exists(path("port")) and os.path.getsize(path("port")):
                with open(path("port"), encoding="utf-8") as f:
                    self.port = int(f.read())
                return self
            time.sleep(0.05)
        raise Failure("the server does not listen")

    def __exit__(self, *failed):
        self.child.send_signal(signal.SIGTERM)
        status = self.child.wait(120)
        self.log.seek(0)
        self.lines = [json.loads(line) for line in self.log]
        self.log.close()
        if not failed[0]:
            expect(status == 0, f"the server ends with {status}")

    def plain(self):
        return socket.create_connection(("127.0.0.1", self.port), timeout=120)

    def open(self):
        context = ssl.create_default_context(cafile=path("cert.pem"))
        return context.wrap_socket(self.plain(), server_hostname="localhost")

    def memory(self):
        with open(f"/proc/{self.child.pid}/status", encoding="ascii") as f:
            return next(int(line.split()[1]) for line in f if line.startswith("VmRSS"))


def answer(client):
    """Status and body of one answer with a Content-Length."""
    data = b""
    while b"\r\n\r\n" not in data:
        more = client.recv(65536)
        expect(more, f"the answer ends after {data!r}")
        data += more
    head, body = data.split(b"\r\n\r\n", 1)
    length = int(head.lower().split(b"content-length: ")[1].split(b"\r\n")[0])
    while len(body) < length:
        more = client.recv(65536)
        expect(more, f"the body ends after {len(body)} of {length} bytes")
        body += more
    return int(head.split()[1]), body, head


def ask(client, target, method="GET", more=""):
    client.sendall(f"{method} {target} HTTP/1.1\r\nHost: localhost\r\n{more}\r\n".encode())
    return answer(client)


def test_files(handfast):
    with Server(handfast, "--root", path("root")) as s:
        client = s.open()
        wanted = [("/", 200), ("/sub/", 200), ("/sub", 301), ("/nothing", 404), ("/link", 403), ("/../secret", 400),
                  ("/%2e%2e/secret", 400), ("/sub/../../secret", 400), ("/big.bin", 200)]
        for target, status in wanted:
            got = ask(client, target) if status != 400 else ask(s.open(), target)
            expect(got[0] == status, f"{target}: {got[0]}, not {status}")
            expect(b"outside" not in got[1], f"{target} leads outside")
        expect(len(got[1]) == 2048000, "a big file is not whole")
        for _ in range(2):
            client.sendall(b"HEAD /big.bin HTTP/1.1\r\nHost: x\r\n\r\nGET / HTTP/1.1\r\nHost: x\r\n\r\n")
            head = b""
            while b"<p>home" not in head:
                head += client.recv(65536)
            expect(head.count(b"HTTP/1.1 200") == 2 and b"Content-Length: 2048000" in head, f"pipelined: {head!r}")
        client.sendall(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nhello")
        expect(answer(client)[0] == 405, "POST is not refused")
        expect(client.recv(10) == b"", "the connection does not end with close_notify after a refusal")
    opened = [line for line in s.lines if line["event"] == "open"]
    requests = [line for line in s.lines if line["event"] == "request"]
    expect(len(opened) == 4 and len(requests) >= 14, f"the log has {len(opened)} connections, {len(requests)} requests")


def test_http_1_0(handfast):
    with Server(handfast) as s:
        client = s.open()
        client.sendall(b"GET / HTTP/1.0\r\n\r\n")
        data = b""
        while True:
            more = client.recv(65536)  # an end without close_notify raises an error
            if not more:
                break
            data += more
        expect(data.startswith(b"HTTP/1.1 200") and b"TLS_AES" in data, "no status page")


def test_idle_clients(handfast):
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, 4096), hard))
    with Server(handfast, "--quiet") as s:
        first = s.open()
        ask(first, "/")
        before = s.memory()
        clients = [s.open() for _ in range(IDLE)]
        for client in clients:
            ask(client, "/")
        each = (s.memory() - before) * 1024 // IDLE
        print(f"     {IDLE} idle connections: {each} bytes each")
        with open(handfast, "rb") as f:
            sanitized = b"__asan_init" in f.read()  # whose memory is mostly the sanitizer's
        expect(each < (131072 if sanitized else 16384), f"an idle connection costs {each} bytes")
        expect(all(ask(client, "/")[0] == 200 for client in clients), "an idle client is not served any more")
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def test_stalled_handshake(handfast):
    with Server(handfast, "--timeout", str(PATIENCE)) as s:
        stalled = s.plain()
        stalled.sendall(b"\x16\x03\x01\x02\x00\x01")
        started = time.monotonic()
        expect(ask(s.open(), "/")[0] == 200, "a stalled client holds up the others")
        expect(time.monotonic() - started < SOON, "a stalled client delays the others")
        stalled.close()
    with Server(handfast, "--timeout", "1") as s:
        stalled, trickling = s.plain(), s.plain()
        stalled.sendall(b"\x16\x03\x01\x02\x00\x01")
        try:  # all of it would take longer than SOON
            for byte in b"\x16\x03\x01\x04\x00\x01\x00\x03\xfc\x03\x03" + bytes(1000):
                trickling.sendall(bytes([byte]))
                time.sleep(0.05)
            raise Failure("bytes that trickle keep a handshake alive")
        except OSError:
            pass
        while stalled.recv(100):
            pass
    expect(sum(line.get("code") == "TIMEOUT" for line in s.lines) == 2, "the log does not say TIMEOUT twice")


def test_silence(handfast):
    with Server(handfast, "--timeout", "1") as s:
        client = s.open()
        started = time.monotonic()
        expect(client.recv(10) == b"", "a silent client gets data")
        expect(time.monotonic() - started < SOON, "silence is not limited to a second")


def test_count_and_room(handfast):
    with Server(handfast, "--count", "3", "--max-connections", "2", "--echo") as s:
        one, two, three = s.open(), s.open(), s.plain()
        three.settimeout(0.3)
        context = ssl.create_default_context(cafile=path("cert.pem"))
        try:
            context.wrap_socket(three, server_hostname="localhost")
            raise Failure("a third connection was served while only two have room")
        except (TimeoutError, socket.timeout, OSError):
            pass
        one.sendall(b"abc")
        expect(one.recv(10) == b"abc", "no echo")
        one.unwrap()
        two.unwrap()
        three.close()
        expect(s.child.wait(120) == 0, "the server does not end after its last connection")


TESTS = [test_files, test_http_1_0, test_idle_clients, test_stalled_handshake, test_silence, test_count_and_room]


def main():
    make_files()
    passed = failed = 0
    for test in TESTS:
        try:
            test(sys.argv[1])
            passed += 1
            print("ok  ", test.__name__, flush=True)
        except (Failure, subprocess.TimeoutExpired, OSError) as error:
            failed += 1
            print("FAIL", f"{test.__name__}: {type(error).__name__}: {error}", flush=True)
    print(f"{passed} passed, {failed} failed, 0 skipped")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
