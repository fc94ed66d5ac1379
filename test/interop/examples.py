"""The programs of examples/, run as they stand: examples.py HANDFAST EXAMPLE..."""

import os
import re
import socket
import ssl
import sys
import threading

from core import SCRATCH, Failure, Process, Score, Skip, free_port, scratch, tail
from handfast import Handfast
from pki import Pki

PKI = Pki(os.path.join(SCRATCH, "pki"))
HANDFAST = Handfast(os.path.abspath(sys.argv[1]), PKI)
PROGRAMS = {os.path.basename(path)[len("example_"):]: os.path.abspath(path) for path in sys.argv[2:]}
TRUST = {"SSL_CERT_FILE": PKI.ca, "SSL_CERT_DIR": "/nowhere"}
STRANGER = {"SSL_CERT_FILE": PKI.other_ca, "SSL_CERT_DIR": "/nowhere"}
SCREENFUL = 100  # lines


def start(name, *words, env=None, stdin=None):
    if name not in PROGRAMS:
        raise Skip(f"examples/{name}.c was not built: it needs a library (for uv.c the package libuv1-dev)")
    return Process([PROGRAMS[name], *words], env=env or TRUST, stdin=stdin)


def run(name, *words, env=None, stdin=None):
    done = start(name, *words, env=env, stdin=stdin)
    done.status = done.wait(120)
    return done


def expect(done, status, *words, err=()):
    if done.status != status or any(w.encode() not in done.out() for w in words) or any(w not in done.err() for w in err):
        raise Failure(f"exit status {done.status}, {done.out()[:300]!r}: {tail(done.err(), 9)}")


# ---------------------------------------------------------------- README's

def client_and_server():
    port = free_port()
    url = f"tls://localhost:{port}"
    door = start("server", PKI.chain("ec"), PKI.key("ec"), url).wait_port(port)
    expect(run("client", url), 0, "hi\n")
    expect(run("client", url, env=STRANGER), 1, err=["UNTRUSTED"])
    expect(run("client", url), 0, "hi\n")
    door.stop()
    expect(run("client", url), 1, err=["CONNECT"])
    expect(run("server", PKI.chain("ec"), PKI.key("rsa"), url), 1, err=["KEY_MISMATCH"])
    expect(run("server", "/nowhere.pem", PKI.key("ec"), url), 1, err=["/nowhere.pem", "no such file"])


# ---------------------------------------------------------------- loops

def loop(name):
    """Many servers at once: good ones, one that nobody trusts, one that is not there."""
    server = HANDFAST.serve()
    urls = [f"tls://localhost:{server.port}"] * 20
    away = f"tls://localhost:{free_port()}"
    expect(run(name), 2, err=[f"{name} URL..."])
    done = run(name, *urls, away, "nonsense://x")
    expect(done, 0, f"{away}: 0 bytes", "nonsense")
    got = re.findall(r"^tls://localhost:%d: (\d+) bytes$" % server.port, done.out().decode(), re.M)
    if len(got) != 20 or any(int(n) < 200 for n in got):
        raise Failure(f"{len(got)} of 20 pages: {done.out()[:300]!r}")
    expect(run(name, urls[0], env=STRANGER), 0, ": 0 bytes", "UNTRUSTED")
    server.stop()


# ---------------------------------------------------------------- the others

def memory():
    expect(run("memory"), 2, err=["memory CHAIN KEY CA NAME\n"])
    words = PKI.chain("ec"), PKI.key("ec")
    expect(run("memory", *words, PKI.ca, "localhost"), 0, "TLS 1.3", "hello from the client\n", "hello from the server\n")
    expect(run("memory", *words, PKI.ca, "elsewhere.test"), 1, err=["elsewhere.test"])
    expect(run("memory", *words, PKI.other_ca, "localhost"), 1, err=["UNTRUSTED"])


def mutual():
    def meet(server, client, status):
        port = free_port()
        url = f"tls://localhost:{port}"
        door = start("mutual", "serve", url, *server).wait_port(port)
        done = run("mutual", "connect", url, *client)
        return done, status, door.wait(120), door
    server = [PKI.chain("ec"), PKI.key("ec"), PKI.ca]
    client = [PKI.chain("client"), PKI.key("client"), PKI.ca]
    done, _, status, door = meet(server, client, 0)
    expect(done, 0, "hello CN=interop client\n")
    if status != 0:
        raise Failure(f"the server ends with {status}: {tail(door.err())}")
    done, _, status, door = meet([*server[:2], PKI.other_ca], client, 1)
    expect(done, 1, err=["alert"])
    if status != 1 or "UNTRUSTED" not in door.err():
        raise Failure(f"a stranger is let in: {status}, {tail(door.err())}")


def resume():
    server, file = HANDFAST.serve(), scratch("session")
    url = f"tls://localhost:{server.port}"
    expect(run("resume", url, file), 0, "a full handshake")
    if os.stat(file).st_mode & 0o77:
        raise Failure("others may read the session")
    for _ in range(3):
        expect(run("resume", url, file), 0, "resumed")
    server.stop()


def keyholder():
    port = free_port()
    url = f"tls://localhost:{port}"
    door = start("keyholder", PKI.chain("ec"), PKI.key("ec"), url).wait_port(port)
    for _ in range(3):
        expect(run("client", url), 0, "hi\n")
    with open(f"/proc/{door.child.pid}/task/{door.child.pid}/children", encoding="ascii") as f:
        holder = int(f.read())
    os.kill(holder, 9)
    expect(run("client", url), 1)
    door.stop()


class Mail(threading.Thread):
    """A mail server that takes one message, after STARTTLS only."""

    def __init__(self, inject=b""):
        super().__init__(daemon=True)
        self.door, self.inject, self.heard, self.text = socket.create_server(("127.0.0.1", 0)), inject, [], b""
        self.url = f"submission://localhost:{self.door.getsockname()[1]}"
        self.start()

    def run(self):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(PKI.chain("ec"), PKI.key("ec"))
        s, _ = self.door.accept()
        try:
            s.sendall(b"220 mail\r\n")
            if not self.talk(s.makefile("rwb", buffering=0), b"STARTTLS"):
                return
            s.sendall(b"220 go ahead\r\n" + self.inject)
            s = context.wrap_socket(s, server_side=True)
            self.talk(s.makefile("rwb", buffering=0), b"QUIT")
            s.sendall(b"221 bye\r\n")
        except OSError:
            pass
        finally:
            s.close()

    def talk(self, f, last):
        while line := f.readline().rstrip(b"\r\n"):
            self.heard.append(line)
            if line == last:
                return True
            if line == b"DATA":
                f.write(b"354 go on\r\n")
                while (line := f.readline()) != b".\r\n":
                    self.text += line
            f.write(b"250-mail\r\n250 STARTTLS\r\n" if line.startswith(b"EHLO") else b"250 good\r\n")
        return False


def smtp():
    message = scratch("message")
    with open(message, "wb") as f:
        f.write(b"Subject: hello\n\n.a dot\n")
    server = Mail()
    expect(run("smtp", server.url, "me@a.test", "you@b.test", stdin=message), 0)
    server.join(5)
    wanted = [b"EHLO localhost", b"STARTTLS", b"EHLO localhost", b"MAIL FROM:<me@a.test>", b"RCPT TO:<you@b.test>", b"DATA",
              b"QUIT"]
    if server.heard[0].startswith(b"EHLO "):
        wanted[0] = server.heard[0]
    if server.heard != wanted or server.text != b"Subject: hello\r\n\r\n..a dot\r\n":
        raise Failure(f"the server heard {server.heard}, {server.text}")
    expect(run("smtp", Mail(b"250 injected\r\n").url, "a@a", "b@b", stdin=message), 1, err=["INJECTED_PLAINTEXT"])
    expect(run("smtp", Mail().url, "a@a", "b@b", stdin=message, env=STRANGER), 1, err=["UNTRUSTED"])


def short():
    folder = os.path.join(os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__)))), "examples")
    for name in sorted(os.listdir(folder)):
        with open(os.path.join(folder, name), encoding="utf-8") as f:
            lines = len(f.readlines())
        if lines > SCREENFUL:
            raise Failure(f"{name} has {lines} lines: more than a screenful")
        if name[:-2] not in PROGRAMS and name != "uv.c":
            raise Failure(f"{name} is not run by this test")


def main():
    score = Score()
    for name, check in [("client and server", client_and_server), ("epoll [Y150 Y151]", lambda: loop("epoll")),
                        ("libuv [Y151]", lambda: loop("uv")), ("in memory", memory), ("mutual TLS", mutual),
                        ("session resumption", resume), ("private key in another process", keyholder),
                        ("STARTTLS mail client", smtp), ("all of them, and short", short)]:
        print(f"{score.check(name, check):4} {name}")
    return score.done()


if __name__ == "__main__":
    sys.exit(main())
