"""Early data and pre-shared keys by the command's options, with itself and with OpenSSL: early.py HANDFAST [WORD]

A server refuses early data for twenty seconds after its start, because it cannot know what was sent before it.
The servers are started together, so that it is waited for once.
"""

import json
import os
import re
import shutil
import subprocess
import sys
import time

from core import SCRATCH, Failure, Process, Score, free_port, scratch, tail
from handfast import CONFIG, OK, TLS, USAGE, Handfast, expect, report, request
from pki import Pki

KEY, WRONG = "00112233445566778899aabbccddeeff", "00112233445566778899aabbccddeef0"
PATIENCE = 21


def write(text):
    path = scratch("early")
    with open(path, "w", encoding="ascii") as f:
        f.write(text)
    return path


def last_open(server):
    lines = [json.loads(line) for line in server.err().splitlines() if line.startswith("{")]
    opened = [line for line in lines if line["event"] == "open"]
    if not opened:
        raise Failure("the server has logged no connection: " + tail(server.err()))
    return opened[-1]


class Bench:
    def __init__(self, command):
        self.pki = Pki(os.path.join(SCRATCH, "pki"))
        self.handfast = Handfast(command, self.pki)
        start = time.monotonic()
        self.echo = self.handfast.serve("--echo", "--early-data", "1000", "--json")
        self.web = self.handfast.serve("--root", SCRATCH, "--early-data", "1000", "--json")
        self.ready = start + PATIENCE

    def connect(self, *args, early=None, port=None, **more):
        """What `connect` has reported, and what it has received."""
        done = self.handfast.connect(port or self.echo.port, *args, *(["--early-data", early] if early else []), **more)
        if done.status != OK:
            raise Failure(f"exit status {done.status}: {tail(done.text())}")
        return report(done), done.out().decode()

    def wait(self):
        time.sleep(max(0, self.ready - time.monotonic()))


def refused_at_first(b):
    """Right after the start nothing is accepted, and all of it arrives all the same, once."""
    session, early = scratch("session"), write("early\n")
    facts, got = b.connect("--session", session, early=early)
    expect(facts, resumed=False, early_data=None)
    facts, again = b.connect("--session", session, early=early, stdin=write("late\n"))
    expect(facts, resumed=True, early_data="refused", early_data_reason="the server does not say why")
    expect(last_open(b.echo), early_data="refused", early_data_reason="it may be a repetition")
    if (got, again) != ("early\n", "early\nlate\n"):
        raise Failure(f"{got!r}, then {again!r} came back")


def accepted(b):
    session = scratch("session")
    b.wait()
    b.connect("--session", session)
    for stdin, early, want in (("late\n", write("early\n"), "early\nlate\n"), ("piped\n", "-", "piped\n")):
        facts, got = b.connect("--session", session, early=early, stdin=write(stdin))
        expect(facts, resumed=True, early_data="accepted")
        expect(last_open(b.echo), early_data="accepted")
        if got != want:
            raise Failure(f"{got!r} came back, not {want!r}")


def too_long(b):
    """More than the session allows is not sent early, but it is sent."""
    session = scratch("session")
    b.wait()
    b.connect("--session", session)
    facts, got = b.connect("--session", session, early=write("x" * 1001))
    expect(facts, resumed=True, early_data=None)
    if got != "x" * 1001:
        raise Failure(f"{len(got)} bytes came back")


def retried(b):
    session = scratch("session")
    b.wait()
    b.connect("--session", session)
    facts, got = b.connect("--session", session, "--key-shares", "", early=write("early\n"))
    expect(facts, resumed=True, retried=True, early_data="refused", early_data_reason="a HelloRetryRequest is needed")
    expect(last_open(b.echo), early_data="refused", early_data_reason="a HelloRetryRequest is needed")
    if got != "early\n":
        raise Failure(f"{got!r} came back")


def web_page(b):
    """A request as early data, answered."""
    session = scratch("session")
    b.wait()
    page = write("a page\n")
    ask = write(request("/" + os.path.basename(page)))
    b.connect("--session", session, "--get", "/" + os.path.basename(page), port=b.web.port)
    facts, got = b.connect("--session", session, early=ask, port=b.web.port)
    expect(facts, early_data="accepted")
    expect(last_open(b.web), early_data="accepted")
    if not re.search(r"^HTTP/1.1 200 [^\n]*\n(.*\n)+a page\n$", got.replace("\r", "")):
        raise Failure(f"{got!r} came back")


def needs_session(b):
    done = b.handfast.connect(b.echo.port, "--early-data", write("x"))
    if done.status != USAGE or "--session" not in done.text():
        raise Failure(f"exit status {done.status}: {tail(done.text())}")


# ---------------------------------------------------------------- OpenSSL

def openssl_server(b):
    """Its record of used tickets is its session cache: it accepts at once."""
    port, session = free_port(), scratch("session")
    server = Process(["openssl", "s_server", "-accept", f"127.0.0.1:{port}", "-cert", b.pki.cert("ec"), "-key",
                      b.pki.key("ec"), "-cert_chain", b.pki.chain("ec"), "-early_data", "-quiet"],
                     name="s_server", stdin=subprocess.PIPE)
    server.wait_port(port)
    try:
        facts, _ = b.connect("--session", session, stdin=write("one\n"), port=port)
        expect(facts, resumed=False)
        facts, _ = b.connect("--session", session, early=write("early\n"), stdin=write("two\n"), port=port)
        expect(facts, resumed=True, early_data="accepted")
        if not re.search(r"(?s)one\n.*early\n.*two\n", server.text()):
            raise Failure(f"the server says {tail(server.text())}")
    finally:
        server.stop()


def openssl_client(b):
    session, early = scratch("session"), write("early\n")
    b.wait()
    command = ["openssl", "s_client", "-connect", f"127.0.0.1:{b.echo.port}", "-servername", "localhost", "-CAfile",
               b.pki.ca, "-verify_return_error", "-ign_eof"]
    for more in (["-sess_out", session], ["-sess_in", session, "-early_data", early]):
        client = Process([*command, *more], stdin=subprocess.PIPE, name="s_client")
        try:
            client.say("late\n")
            client.wait_text("(?m)^late$")
            text = client.text()
        finally:
            client.stop()
    expect(last_open(b.echo), early_data="accepted")
    if not re.search("(?m)^early$", text):
        raise Failure(f"the early data did not come back: {tail(text, 20)}")


# ---------------------------------------------------------------- pre-shared keys

def psk_server(b, *args):
    port = free_port()
    server = Process([b.handfast.command, "serve", f"tls://127.0.0.1:{port}", "--psk", f"joe:{KEY}", "--reverse",
                      "--json", *args], name="handfast")
    server.port = port
    return server.wait_port(port)


OLD = ["--tls1.2", "--ciphers", "PSK"]


def psk_itself(b, old):
    server = psk_server(b, *(OLD if old else []))
    try:
        facts, got = b.connect("--psk", f"joe:{KEY}", *(OLD if old else []), port=server.port, stdin=write("abc\n"))
        expect(facts, psk_identity="joe", version="TLS 1.2" if old else "TLS 1.3", chain=[])
        expect(last_open(server), psk_identity="joe")
        if got != "cba\n":
            raise Failure(f"{got!r} came back")
        done = b.handfast.connect(server.port, "--psk", f"joe:{WRONG}", *(OLD if old else []))
        if done.status != TLS:
            raise Failure(f"a wrong key: exit status {done.status}: {tail(done.text())}")
    finally:
        server.stop()


def psk_openssl_client(b, old):
    server = psk_server(b, *(OLD if old else []))
    client = Process(["openssl", "s_client", "-connect", f"127.0.0.1:{server.port}", "-psk_identity", "joe", "-psk", KEY,
                      *(["-tls1_2", "-cipher", "PSK"] if old else ["-tls1_3"])], stdin=subprocess.PIPE, name="s_client")
    try:
        client.say("abc\n")
        client.wait_text("cba")
        expect(last_open(server), psk_identity="joe")
    finally:
        client.stop()
        server.stop()


def psk_openssl_server(b, old):
    port = free_port()
    server = Process(["openssl", "s_server", "-accept", f"127.0.0.1:{port}", "-nocert", "-psk_identity", "joe", "-psk",
                      KEY, "-rev", *(["-tls1_2", "-cipher", "PSK"] if old else ["-tls1_3"])],
                     name="s_server", stdin=subprocess.PIPE)
    server.wait_port(port)
    try:
        facts, got = b.connect("--psk", f"joe:{KEY}", *(OLD if old else []), port=port, stdin=write("abc\n"))
        expect(facts, psk_identity="joe", chain=[])
        if got != "cba\n":
            raise Failure(f"{got!r} came back")
    finally:
        server.stop()


def psk_mistakes(b):
    for text, words in (("joe", "no colon"), (":" + KEY, "no identity"), ("joe:0g" + KEY, "hexadecimal"),
                        ("joe:0", "hexadecimal"), ("joe:00", "at least 16"), ("joe:" + "00" * 257, "256")):
        done = b.handfast.run("connect", "tls://127.0.0.1:1", "--psk", text)
        if done.status != CONFIG or not re.search(words, done.text()):
            raise Failure(f"--psk {text}: exit status {done.status}: {tail(done.text())}")
        if KEY in done.text():
            raise Failure("the message shows the key")


def checks():
    yield "early data right after the start: refused, and sent again", refused_at_first
    yield "early data needs a session", needs_session
    for old in (False, True):
        version = "TLS 1.2" if old else "TLS 1.3"
        yield f"a pre-shared key in {version}, with itself", psk_itself, old
        if shutil.which("openssl"):
            yield f"a pre-shared key in {version}, s_client", psk_openssl_client, old
            yield f"a pre-shared key in {version}, s_server", psk_openssl_server, old
    yield "mistakes in --psk", psk_mistakes
    if shutil.which("openssl"):
        yield "early data to s_server", openssl_server
    yield "early data accepted, from a file and from standard input", accepted
    yield "early data longer than the session allows", too_long
    yield "early data and a HelloRetryRequest", retried
    yield "a request as early data", web_page
    if shutil.which("openssl"):
        yield "early data from s_client", openssl_client


def main():
    score = Score()
    bench = Bench(os.path.abspath(sys.argv[1]))
    word = sys.argv[2] if len(sys.argv) > 2 else ""
    for name, function, *more in checks():
        if word in name:
            print(f"{score.check(name, function, bench, *more):4} {name}", flush=True)
    bench.echo.stop()
    bench.web.stop()
    return score.done()


if __name__ == "__main__":
    sys.exit(main())
