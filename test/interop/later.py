"""Client certificates after the handshake (RFC 8446 4.6.2), both roles: later.py HANDFAST [WORD]

handfast with itself, with Python's ssl, with openssl s_client and s_server, with gnutls-cli and gnutls-serv.
"""

import os
import re
import shutil
import socket
import ssl
import subprocess
import sys
import threading
import time

from core import SCRATCH, Failure, Process, Score, free_port, tail
from handfast import OK, Handfast, request
from pki import Pki

WHO = "interop client"


class Bench:
    def __init__(self, command):
        self.pki = Pki(os.path.join(SCRATCH, "pki"))
        self.handfast = Handfast(command, self.pki)

    def serve(self):
        return self.handfast.serve("--www", "--post-handshake-auth", "/secret", "--ca", self.pki.ca)

    def connect(self, port, *args, cert="client", offer=True, say=None, **more):
        """`connect` without --json, for its words at the end."""
        words = ["--post-handshake-auth"] if offer else []
        words += ["--cert", self.pki.chain(cert), "--key", self.pki.key(cert)] if cert else []
        return self.handfast.run("connect", f"tls://127.0.0.1:{port}", "--name", "localhost", "--ca", self.pki.ca,
                                 "--timeout", "10", *words, *args, say=say, **more)


def must(good, what, text):
    if not good:
        raise Failure(f"{what}: {tail(text)}")


def check_log(server, known):
    log = server.err()
    must(("authenticated" in log or "after the handshake" in log) and (WHO in log) == known, "the server's log", log)


# ---------------------------------------------------------------- handfast serves

def ask(port, pki, path, cert, offer=True):
    """What a client of Python's ssl gets."""
    context = ssl.create_default_context(cafile=pki.ca)
    context.post_handshake_auth = offer
    if cert:
        context.load_cert_chain(pki.chain(cert), pki.key(cert))
    got = b""
    with socket.create_connection(("127.0.0.1", port), timeout=120) as raw:
        with context.wrap_socket(raw, server_hostname="localhost") as tls:
            tls.sendall(request(path).encode())
            while piece := tls.recv(4096):
                got += piece
    return got.decode()


def python_client(b):
    server = b.serve()
    page = ask(server.port, b.pki, "/secret/page", "client")
    must(page.startswith("HTTP/1.1 200 "), "with a certificate", page)
    check_log(server, True)
    page = ask(server.port, b.pki, "/secret/page", None)
    must(page.startswith("HTTP/1.1 403 "), "without one", page)
    page = ask(server.port, b.pki, "/secret/page", "client", offer=False)
    must(page.startswith("HTTP/1.1 403 "), "that does not offer it", page)
    page = ask(server.port, b.pki, "/public", None, offer=False)
    must(page.startswith("HTTP/1.1 200 "), "a public page", page)
    try:
        page = ask(server.port, b.pki, "/secret/page", "client_stranger")
        raise Failure("a certificate of another authority: " + tail(page))
    except ssl.SSLError as error:
        must("UNKNOWN_CA" in str(error).upper(), "a certificate of another authority", str(error))
    server.stop()


def itself(b):
    server = b.serve()
    done = b.connect(server.port, "--get", "/secret")
    must(done.status == OK and "200 OK" in done.err() and "a certificate was shown" in done.err(), "yes", done.err())
    check_log(server, True)
    done = b.connect(server.port, "--get", "/secret", cert=None)
    must("403" in done.err() and "no certificate to show" in done.err(), "without a certificate", done.err())
    done = b.connect(server.port, "--get", "/secret", offer=False)
    must("403" in done.err(), "without an offer", done.err())
    done = b.connect(server.port, "--get", "/public")
    must("200 OK" in done.err() and re.search(r"asked later +no", done.err()), "a public page", done.err())
    done = b.connect(server.port, "--get", "/secret", cert="client_stranger")
    must(done.status != OK and "unknown_ca" in done.text(), "a certificate of another authority", done.text())
    server.stop()


def openssl_client(b):
    server = b.serve()
    client = Process(["openssl", "s_client", "-connect", f"127.0.0.1:{server.port}", "-CAfile", b.pki.ca, "-quiet",
                      "-enable_pha", "-cert", b.pki.cert("client"), "-key", b.pki.key("client"), "-ign_eof"],
                     stdin=subprocess.PIPE, name="s_client")
    client.say(request("/secret"))
    client.wait(120)
    must("HTTP/1.1 200 OK" in client.text(), "s_client -enable_pha", client.text())
    check_log(server, True)
    client.stop()
    server.stop()


def gnutls_client(b):
    server = b.serve()
    client = Process(["gnutls-cli", "--post-handshake-auth", "--x509cafile", b.pki.ca, "--x509certfile",
                      b.pki.chain("client"), "--x509keyfile", b.pki.key("client"), "--logfile", os.devnull,
                      "-p", str(server.port), "localhost"], stdin=subprocess.PIPE, name="gnutls-cli")
    client.say(request("/secret"))
    client.wait_text("HTTP/1.1 200 OK", 20)
    check_log(server, True)
    client.stop()
    server.stop()


# ---------------------------------------------------------------- handfast connects

class PythonServer(threading.Thread):
    """Answers one request with the name of the client, whom it asks for it first."""

    def __init__(self, pki, need):
        super().__init__(daemon=True)
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.context.load_cert_chain(pki.chain("ec"), pki.key("ec"))
        self.context.load_verify_locations(pki.ca)
        self.context.verify_mode = ssl.CERT_REQUIRED if need else ssl.CERT_OPTIONAL
        self.context.post_handshake_auth = True
        self.door = socket.create_server(("127.0.0.1", 0))
        self.port, self.error = self.door.getsockname()[1], None
        self.start()

    def run(self):
        try:
            raw, _ = self.door.accept()
            raw.settimeout(10)
            with self.context.wrap_socket(raw, server_side=True) as tls:
                tls.recv(4096)
                before = tls.getpeercert()
                for _ in range(2):  # the second time with another context
                    tls.verify_client_post_handshake()
                    tls.sendall(b"who? ")
                    tls.recv(4096)
                tls.sendall(f"was {before}, is {tls.getpeercert()}\n".encode())
                tls.unwrap()
        except (OSError, ssl.SSLError) as error:
            self.error = str(error)
        finally:
            self.door.close()


def talk(b, port, lines, until, **more):
    """connect, in which lines are said while it goes on."""
    words = ["connect", f"tls://127.0.0.1:{port}", "--name", "localhost", "--ca", b.pki.ca, "--timeout", "10",
             "--post-handshake-auth"]
    if more.get("cert", "client"):
        words += ["--cert", b.pki.chain("client"), "--key", b.pki.key("client")]
    client = Process([b.handfast.command, *words], stdin=subprocess.PIPE, name="handfast")
    try:
        for line, answer in lines:
            client.say(line)
            if answer:
                client.wait_text(answer)
        if until:
            client.wait_text(until)
        client.child.stdin.close()
        client.child.stdin = None
        client.wait(120)
    finally:
        client.stop()
    return client


def python_server(b):
    server = PythonServer(b.pki, True)
    client = talk(b, server.port, [("hello\n", "who"), ("I\n", "who.*who"), ("I\n", None)], "is .*interop client")
    must("was {}" in client.text() or "was None" in client.text(), "the certificate before", client.text())
    must("a certificate was shown" in client.err(), "the report", client.err())
    server = PythonServer(b.pki, False)
    client = talk(b, server.port, [("hello\n", "who"), ("I\n", "who.*who"), ("I\n", None)], "is (None|{})", cert=None)
    must("no certificate to show" in client.err(), "the report", client.err())


def openssl_server(b):
    port = free_port()
    server = Process(["openssl", "s_server", "-accept", str(port), "-cert", b.pki.cert("ec"), "-key", b.pki.key("ec"),
                      "-CAfile", b.pki.ca, "-cert_chain", b.pki.chain("ec"), "-tls1_3", "-naccept", "1"],
                     stdin=subprocess.PIPE, name="s_server")
    server.wait_port(port)
    client = Process([b.handfast.command, "connect", f"tls://127.0.0.1:{port}", "--name", "localhost", "--ca", b.pki.ca,
                      "--timeout", "10", "--post-handshake-auth", "--cert", b.pki.chain("client"), "--key",
                      b.pki.key("client")], stdin=subprocess.PIPE, name="handfast")
    client.say("one\n")
    server.wait_text("one")
    for word in ("two", "three"):
        server.say("c\n")
        server.wait_text(r"SSL_do_handshake -> 1|SSL_verify_client_post_handshake")
        client.say(word + "\n")
        server.wait_text(word)
    server.say("Q\n")
    client.wait(120)
    must("a certificate was shown" in client.err(), "the report", client.err())
    must("interop client" in server.text() or "depth=0" in server.text(), "s_server", server.text())
    client.stop()
    server.stop()


def gnutls_server(b):
    port = free_port()
    server = Process(["gnutls-serv", "--echo", "-p", str(port), "--x509certfile", b.pki.chain("ec"), "--x509keyfile",
                      b.pki.key("ec"), "--x509cafile", b.pki.ca, "--disable-client-cert"], name="gnutls-serv")
    server.wait_port(port)
    client = Process([b.handfast.command, "connect", f"tls://127.0.0.1:{port}", "--name", "localhost", "--ca", b.pki.ca,
                      "--timeout", "10", "--post-handshake-auth", "--cert", b.pki.chain("client"), "--key",
                      b.pki.key("client")], stdin=subprocess.PIPE, name="handfast")
    for times in (1, 2):
        client.say("**REAUTH**\n")
        server.wait_text("(?s)" + "re-auth request.*" * times)
        time.sleep(0.5)  # gnutls_reauth takes no data before the answer
        client.say(f"hello {times}\n")
        client.wait_text(f"hello {times}")
    client.child.stdin.close()
    client.child.stdin = None
    client.wait(120)
    must("a certificate was shown" in client.err(), "the report", client.err() + server.text())
    server.stop()


def checks():
    yield "itself", itself
    yield "serve, Python's ssl", python_client
    yield "connect, Python's ssl", python_server
    if shutil.which("openssl"):
        yield "serve, openssl s_client", openssl_client
        yield "connect, openssl s_server", openssl_server
    if shutil.which("gnutls-cli"):
        yield "serve, gnutls-cli", gnutls_client
    if shutil.which("gnutls-serv"):
        yield "connect, gnutls-serv", gnutls_server


def main():
    score = Score()
    bench = Bench(os.path.abspath(sys.argv[1]))
    word = sys.argv[2] if len(sys.argv) > 2 else ""
    for name, function in checks():
        if word in name:
            print(f"{score.check(name, function, bench):4} {name}", flush=True)
    return score.done()


if __name__ == "__main__":
    sys.exit(main())
