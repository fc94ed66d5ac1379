"""What all interop tests share: processes, data to send, a proxy that cuts the wire, and counts."""

import atexit
import hashlib
import os
import re
import shutil
import socket
import subprocess
import tempfile
import threading
import time

from ports import free_port  # noqa: F401, for those who import from here

HERE = os.path.dirname(os.path.abspath(__file__))

# Seconds. Who must not wait for something else is done SOON, however busy the machine is; PLENTY is a limit that is
# not to be reached; what must not be waited for takes PATIENCE or for ever.
SOON, PLENTY, PATIENCE = 30, 120, 600


class Failure(Exception):
    """A check that failed, in words."""


class Skip(Exception):
    """A check that cannot be made here, and why."""


class Cannot(Exception):
    """A check of something that this peer does not have: no check at all."""


# ---------------------------------------------------------------- processes

SCRATCH = tempfile.mkdtemp(prefix="handfast-interop-")
_running = []
sanitizer_reports = []  # of children that were built with one
_count = 0


def _clean_up():
    for child in list(_running):
        child.stop()
    shutil.rmtree(SCRATCH, ignore_errors=True)


atexit.register(_clean_up)


def scratch(name):
    """A new path in the scratch folder."""
    global _count
    _count += 1
    return os.path.join(SCRATCH, f"{_count:04d}-{name}")


def listening(port):
    """Whether somebody listens on a port: seen from the kernel's table, without connecting."""
    for table in ("/proc/net/tcp", "/proc/net/tcp6"):
        with open(table, encoding="ascii") as f:
            for line in f.readlines()[1:]:
                words = line.split()
                if words[3] == "0A" and int(words[1].rsplit(":", 1)[1], 16) == port:
                    return True
    return False


class Process:
    """A child with its output in files."""

    def __init__(self, command, stdin=None, cwd=None, env=None, name=None):
        self.command = [str(word) for word in command]
        name = name or os.path.basename(self.command[0])
        self.out_path, self.err_path = scratch(name + ".out"), scratch(name + ".err")
        source = open(stdin, "rb") if isinstance(stdin, str) else (stdin or subprocess.DEVNULL)
        with open(self.out_path, "wb") as out, open(self.err_path, "wb") as err:
            self.child = subprocess.Popen(self.command, stdin=source, stdout=out, stderr=err, cwd=cwd,
                                          env={**os.environ, **(env or {})})
        if isinstance(stdin, str):
            source.close()
        _running.append(self)

    def out(self):
        with open(self.out_path, "rb") as f:
            return f.read()

    def err(self):
        with open(self.err_path, "rb") as f:
            return f.read(200000).decode("utf-8", "replace")

    def text(self):
        with open(self.out_path, "rb") as f:
            return f.read(200000).decode("utf-8", "replace") + self.err()

    def say(self, line):
        self.child.stdin.write(line.encode())
        self.child.stdin.flush()

    def wait_text(self, pattern, seconds=PLENTY):
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            if re.search(pattern, self.text()):
                return
            time.sleep(0.02)
        raise Failure(f"{self.command[0]} never said {pattern!r}: {tail(self.text())}")

    def wait_port(self, port, seconds=PLENTY):
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            if listening(port):
                return self
            if self.child.poll() is not None:
                break
            time.sleep(0.02)
        raise Failure(f"{' '.join(self.command)} does not listen: {tail(self.text())}")

    def wait(self, seconds=PLENTY):
        """Exit status, or a Failure when it does not end."""
        try:
            return self.child.wait(seconds)
        except subprocess.TimeoutExpired:
            self.stop()
            raise Failure(f"not done after {seconds} s: {' '.join(self.command)}: {tail(self.text())}") from None

    def wait_bytes(self, size, seconds=PLENTY):
        """Wait until so many bytes of output are there; for programs that do not end by themselves."""
        until = time.monotonic() + seconds
        while os.path.getsize(self.out_path) < size and time.monotonic() < until:
            if self.child.poll() is not None:
                break
            time.sleep(0.02)

    def stop(self):
        if self.child.stdin:
            try:
                self.child.stdin.close()
            except OSError:
                pass
        if self.child.poll() is None:
            self.child.terminate()
            try:
                self.child.wait(3)
            except subprocess.TimeoutExpired:
                self.child.kill()
                self.child.wait()
        if self in _running:
            _running.remove(self)
            found = re.search(r"(ERROR: \w+Sanitizer|runtime error:).*", self.err())
            if found:
                sanitizer_reports.append(f"{' '.join(self.command[:2])}: {found[0]}")


def tail(text, lines=4):
    return " | ".join(line.strip() for line in text.strip().splitlines()[-lines:])[:600]


# ---------------------------------------------------------------- data

def payload(size):
    """A file of so many bytes of text lines, all different; made once."""
    path = os.path.join(SCRATCH, f"payload-{size}.txt")
    if not os.path.exists(path):
        block = b"".join(b"%07d %s\n" % (i, hashlib.sha256(b"%d" % i).hexdigest()[:55].encode())
                         for i in range(15625))
        with open(path, "wb") as f:
            left = size
            while left > 0:
                f.write(block[:left])
                left -= len(block)
            if size:
                f.seek(size - 1)
                f.write(b"\n")
    return path


def digest(path):
    """SHA-256 and size of a file."""
    total, size = hashlib.sha256(), 0
    with open(path, "rb") as f:
        while block := f.read(1 << 20):
            total.update(block)
            size += len(block)
    return total.hexdigest(), size


def same(got, want, what):
    if digest(got) != digest(want):
        raise Failure(f"{what}: {os.path.getsize(got)} bytes arrived of {os.path.getsize(want)}, or changed")


# ---------------------------------------------------------------- a proxy that cuts

class CuttingProxy:
    """Hands bytes on between two sides, and after `limit` bytes from the server ends both connections
    without a word: what a network does that breaks, or that lies."""

    def __init__(self, server_port, limit, reset=False):
        self.server_port, self.limit, self.reset = server_port, limit, reset
        self.door = socket.create_server(("127.0.0.1", 0))
        self.port = self.door.getsockname()[1]
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self):
        while True:
            try:
                near, _ = self.door.accept()
                far = socket.create_connection(("127.0.0.1", self.server_port))
            except OSError:
                return
            threading.Thread(target=self._pump, args=(near, far, None), daemon=True).start()
            threading.Thread(target=self._pump, args=(far, near, self.limit), daemon=True).start()

    def _pump(self, source, sink, limit):
        left = limit
        try:
            while left is None or left > 0:
                data = source.recv(65536 if left is None else min(65536, left))
                if not data:
                    break
                sink.sendall(data)
                if left is not None:
                    left -= len(data)
        except OSError:
            pass
        if limit is not None:
            for end in (source, sink):
                try:
                    end.shutdown(socket.SHUT_RDWR)
                except OSError:
                    pass
                end.close()

    def close(self):
        self.door.close()


# ---------------------------------------------------------------- counts

class Score:
    """Counts checks, and keeps the failures' and skips' words for the end."""

    def __init__(self):
        self.passed = self.failed = self.skipped = 0

    def check(self, name, function, *args):
        """Run one check; its mark for the table."""
        try:
            mark = function(*args)
        except Skip as reason:
            self.skipped += 1
            print(f"skip {name}: {reason}", flush=True)
            return "skip"
        except Cannot:
            return "-"
        except Exception as error:  # a driver that breaks is a failed check too
            self.failed += 1
            kind = "" if isinstance(error, Failure) else f"{type(error).__name__}: "
            print(f"FAIL {name}: {kind}{error}", flush=True)
            return "FAIL"
        self.passed += 1
        return mark or "ok"

    def done(self):
        for report in sanitizer_reports:
            print(f"FAIL {report}")
            self.failed += 1
        print(f"{self.passed} passed, {self.failed} failed, {self.skipped} skipped", flush=True)
        return 1 if self.failed else 0


def table(head, rows):
    """Print rows of words as a table."""
    widths = [max(len(str(row[i])) for row in [head, *rows]) for i in range(len(head))]
    for row in [head, ["-" * w for w in widths], *rows]:
        print("  ".join(str(cell).ljust(w) for cell, w in zip(row, widths)).rstrip(), flush=True)
