"""handfast connect and handfast serve, as the tests use them."""

import json
import os
import re
import subprocess

from core import Failure, Process, free_port, payload, same, tail

# Exit statuses of the command.
OK, USAGE, TLS, NETWORK, CONFIG, LOCAL = range(6)


class Handfast:
    def __init__(self, command, pki):
        self.command, self.pki = command, pki

    def run(self, *args, stdin=None, say=None, seconds=180):
        """Run to the end; the finished Process, with .status. stdin is a file; say is text that is written
        to it instead, and then it is left open."""
        process = Process([self.command, *args], stdin=subprocess.PIPE if say else stdin, name="handfast")
        if say:
            process.say(say)
        process.status = process.wait(seconds)
        process.stop()
        return process

    def connect(self, port, *args, stdin=None, say=None, ca=None, name="localhost", seconds=180):
        return self.run("connect", f"tls://127.0.0.1:{port}", "--name", name, "--ca", ca or self.pki.ca,
                        "--json", "--timeout", "90", *args, stdin=stdin, say=say, seconds=seconds)

    def serve(self, *args, cred="ec", p=None):
        """A running server; .port is where."""
        port = p or free_port()
        server = Process([self.command, "serve", f"tls://127.0.0.1:{port}", "--cert", self.pki.chain(cred),
                          "--key", self.pki.key(cred), *args], name="handfast")
        server.port = port
        return server.wait_port(port)

    def exchange(self, port, kind, size, server, *args, seconds=180):
        """Move `size` bytes over one connection, in the way that the peer's server offers, and compare.
        What the command reported."""
        data = payload(size)
        if kind == "echo":
            done = self.connect(port, *args, stdin=data, seconds=seconds)
        elif kind == "sink":
            done = self.connect(port, *args, stdin=data, seconds=seconds)
        elif kind == "lines":
            with open(data, encoding="ascii") as f:
                done = self.connect(port, *args, say=f.read() + "quit\n", seconds=seconds)
            if not done.out().endswith(b"\nquit\n"):
                raise Failure(f"{len(done.out())} bytes arrived, and no last line")
            os.truncate(done.out_path, len(done.out()) - 5)
        elif kind == "http":
            done = self.connect(port, "--get", "/" + os.path.basename(data), *args, seconds=seconds)
        else:
            # A peer that closes with something unread resets the connection: not even a close_notify.
            done = self.connect(port, *args, say=request("/"), seconds=seconds)
        if done.status != OK:
            raise Failure(f"exit status {done.status}: {why(done)}")
        if kind in ("echo", "http", "lines"):
            same(done.out_path, data, kind)
        elif kind == "sink":
            server.wait_bytes(size)
            same(server.out_path, data, kind)
        elif kind == "blocks":
            got = done.out()[-64 * 16384:]
            if len(got) < 64 * 16384 or any(got[i:i + 16384] != got[:16384] for i in range(0, len(got), 16384)):
                raise Failure(f"blocks: {len(got)} bytes arrived, or changed")
        elif os.path.getsize(done.out_path) == 0:
            raise Failure("an empty page")
        return report(done)


def why(done):
    """The error that `--json` wrote, in short."""
    for line in reversed(done.err().splitlines()):
        if line.startswith('{"code"'):
            try:
                error = json.loads(line)
            except ValueError:
                break
            return " ".join(str(error.get(key) or "") for key in ("code", "detail", "step", "path")).strip() + \
                f" alert {error['alert']}"
    return tail(done.err())


def report(done):
    """The object that `connect --json` writes on standard error."""
    for line in done.err().splitlines():
        if line.startswith("{"):
            return json.loads(line)
    raise Failure(f"no report: {tail(done.err())}")


def connections(server):
    """What `serve` logged of each connection whose handshake was done, in order."""
    out = []
    for line in server.err().splitlines():
        found = re.match(r"#\d+ \S+ (TLS 1\.\d), (TLS_\w+)(.*)", line)
        if found:
            rest = found[3]
            words = rest.split(", ")
            alpn = re.search(r", ALPN (\S+?)(,|$)", rest)
            client = re.search(r", client (.*)$", rest)
            out.append({"version": found[1], "suite": found[2], "group": words[1] if len(words) > 1 else None,
                        "resumed": ", resumed" in rest, "retried": "HelloRetryRequest" in rest,
                        "alpn": alpn[1] if alpn else None, "client": client[1] if client else None})
    return out


def expect(facts, **wanted):
    for key, value in wanted.items():
        if facts.get(key) != value:
            raise Failure(f"{key} is {facts.get(key)!r}, not {value!r}")
    return facts


def request(path):
    return f"GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
