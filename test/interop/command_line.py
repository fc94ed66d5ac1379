"""What people type: wrong words, missing files, pipes that close, full disks; and JSON wherever it is promised:
command_line.py HANDFAST."""

import json
import os
import shutil
import signal
import socket
import ssl  # noqa: F401 -- so that this process has loaded libssl
import subprocess
import sys
import threading
import time

from core import SCRATCH, Failure, Process, Score, free_port, scratch

HANDFAST = os.path.abspath(sys.argv[1])
COMMANDS = ("connect", "serve", "trace", "ciphers", "proxy", "scan", "cert", "run", "completion", "version", "help")
CERT_VERBS = ("show", "fetch", "convert", "check", "make")
PKI = os.path.join(SCRATCH, "made")
PAIR = ["--cert", f"{PKI}/cert.pem", "--key", f"{PKI}/key.pem"]


def run(*words, shell=None, **more):
    """Exit status and the two outputs, as text; shell: a line for sh, in which "$@" is the command."""
    command = ["sh", "-c", shell, "sh", HANDFAST, *words] if shell else [HANDFAST, *words]
    done = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=False,
                          timeout=60, env={**os.environ, "SSL_CERT_FILE": f"{PKI}/ca.pem", **more.pop("env", {})})
    return done.returncode, done.stdout.decode(), done.stderr.decode()


def expect(status, words, *args, **more):
    got, out, err = run(*args, **more)
    missing = [word for word in words if word not in err]
    if got != status or missing:
        raise Failure(f"{' '.join(args)}: exit status {got}, not {status}; {missing} is not in {err[:400]!r}")
    return out, err


def serve(*more):
    port = free_port()
    server = Process([HANDFAST, "serve", f"tls://localhost:{port}", *PAIR, "--quiet", *more]).wait_port(port)
    server.target = f"localhost:{port}"
    return server


# ---------------------------------------------------------------- wrong words

def words():
    """Every mistake is answered with its place and what is right."""
    nobody = f"localhost:{free_port()}"
    text, folder = scratch("text"), PKI
    with open(text, "w", encoding="ascii") as f:
        f.write("no session and no certificate\n")
    for status, want, *args in [
            (1, ["URL at byte 5", "65535"], "connect", "host:99999"),
            (1, ["URL at byte 11"], "connect", "tls://host:99999"),
            (1, ["URL at byte 13"], "connect", "https://host:4x3"),
            (1, ["URL at byte 0", "[::1]:PORT"], "connect", "::1"),
            (1, ["URL at byte 5"], "serve", "host:99999", *PAIR),
            (1, ["udp://HOST:PORT"], "connect", "udp://127.0.0.1"),
            (1, ["datagrams"], "serve", "udp://127.0.0.1:0"),
            (1, ["%20"], "connect", "https://host/a b"),
            (1, ["%20"], "connect", nobody, "--get", "/a b"),
            (1, ["begins with /"], "trace", nobody, "--get", "index.html"),
            (1, ["begins with /"], "connect", nobody, "--get", "/a\r\nX: y"),
            (4, ["--name a b"], "connect", nobody, "--name", "a b"),
            (4, ["--session", text], "connect", nobody, "--session", text),
            (4, ["did you mean verify_depth?\n"], "connect", nobody, "-o", "verify_dept=1"),
            (1, ["two URLs are enough", '"tcp://c:1"'], "proxy", "tls://:0", "tcp://b:1", "tcp://c:1"),
            (1, ["no option --nonsense\n"], "connect", "--nonsense=1"),
            (1, ["no argument"], "version", "now"),
            (4, ["folder"], "run", folder),
            (4, ["folder"], "run", "--check", folder),
            (4, ["no program"], "run", "--check", text),
            (4, ["did you mean x25519"], "connect", nobody, "--groups", "X22519")]:
        expect(status, want, *args)
    _, err = expect(3, ['at the step "connect"; this is the client'], "connect", nobody)
    if "of the handshake" in err:
        raise Failure(f"connecting is no step of the handshake: {err}")


def files_of_options():
    """A fault in a file of options is told with the file and the line; a file that is none of text as that."""
    good, bad = scratch("options"), scratch("binary")
    with open(good, "w", encoding="ascii") as f:
        f.write(f"# a comment\ncert {PKI}/cert.pem\n\nnonsense 1\n")
    with open(bad, "wb") as f:
        f.write(b"cert x\n\x7fELF\x01\x1b[2J\n")
    urls = ["proxy", "tls://127.0.0.1:0", "tcp://127.0.0.1:1", "--config"]
    expect(1, [f"{good}, line 4: there is no option --nonsense", "handfast help proxy\n"], *urls, good)
    _, err = expect(1, [f"{bad}, line 2: ", "control character"], *urls, bad)
    if "\x1b" in err:
        raise Failure("a control character of the file reaches the terminal")


def scripts():
    """A script is no program with libraries: the one that runs it is."""
    path = scratch("script")
    with open(path, "w", encoding="ascii") as f:
        f.write("#!/bin/sh\nexit 0\n")
    os.chmod(path, 0o755)
    expect(4, ["script", "first line"], "run", "--check", path)
    expect(0, [], "run", path)


def check_process():
    """A process is looked at with the modules that it has loaded; what is missing is shown first."""
    out, _ = expect(0, [], "run", "--check", str(os.getpid()))
    with open("/proc/self/maps", encoding="utf-8") as f:
        loaded = "/libssl.so.3" in f.read()
    if loaded and ("implemented  SSL_CTX_new" not in out or "_ssl." not in out):
        raise Failure(f"nothing of this process, which has loaded ssl: {out[:300]}")
    expect(4, ["process"], "run", "--check", "999999999")
    for program in ("openssl", "curl"):
        if shutil.which(program):
            out, _ = expect(0, [], "run", "--check", program)
            status = [line.split()[0] for line in out.splitlines() if line.startswith("  ")]
            if status != sorted(status, key=["refuses", "partly", "implemented"].index):
                raise Failure(f"{program}: what is missing does not stand first")


def odd_servers():
    """What is no TLS server is named, with an exit status that fits, and is not waited for."""
    alert = bytes.fromhex("15030300020270")  # fatal unrecognized_name
    for says, hears, status, want in (
            (b"HTTP/1.1 400 Bad Request\r\n\r\n", True, 2, ["plain HTTP", "443"]),
            (b"SSH-2.0-OpenSSH_9.2\r\n", False, 2, ["SSH server"]),
            (b"220 mail.test ESMTP\r\n", False, 2, ["plain SMTP", "--starttls smtp", "465"]),
            (b"", True, 3, ["HANDSHAKE_CUT"]), (alert, True, 2, ["unrecognized_name", "--name", "ALERT_RECEIVED"]),
            (None, True, 3, ["TIMEOUT"])):
        with OddServer(says, hears) as server:
            expect(status, want, "scan", f"127.0.0.1:{server.port}", "--timeout", "0.3" if says is None else "20")


class OddServer:
    """Says the same to everybody, at once or after the first bytes, and closes; None: says nothing, and waits."""

    def __init__(self, says, hears):
        self.says, self.hears = says, hears
        self.door = socket.create_server(("127.0.0.1", 0), backlog=128)
        self.port = self.door.getsockname()[1]
        self.held = []
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self):
        while True:
            try:
                s = self.door.accept()[0]
            except OSError:
                return
            self.held.append(s)
            if self.says is not None:
                threading.Thread(target=self._one, args=(s,), daemon=True).start()

    def _one(self, s):
        try:
            if self.hears:
                s.recv(65536)
            s.sendall(self.says)
            s.shutdown(socket.SHUT_WR)
            while s.recv(65536):
                pass
        except OSError:
            pass
        s.close()

    def __enter__(self):
        return self

    def __exit__(self, *failed):
        self.door.shutdown(socket.SHUT_RDWR)
        self.door.close()


# ---------------------------------------------------------------- standard output

def full_disk():
    """Output that cannot be written is a failure of every command, said in words, with the same exit status."""
    server = serve()
    for args in (["help"], ["help", "connect"], ["help", "options"], ["version"], ["completion", "bash"], ["ciphers"],
                 ["ciphers", "--all", "--json"], ["run", "--check", "/bin/sh"], ["cert", "show", f"{PKI}/cert.pem"],
                 ["cert", "fetch", server.target], ["connect", server.target, "--get", "/", "--quiet"],
                 ["scan", server.target, "--json"], ["trace", server.target, "-o", "-"]):
        for where, why in ((">/dev/full", "No space left on device"), (">&-", "Bad file descriptor")):
            # What was written in parts has failed long before the end: the reason is lost then.
            known = [why] if args in (["version"], ["trace"]) else []
            expect(4, ["cannot be written", *known], *args, shell=f'"$@" {where}')
    server.stop()


def reader_gone():
    """`handfast ... | head` ends quietly."""
    server = serve()
    for args in (["help", "connect"], ["ciphers", "--all"], ["completion", "bash"], ["scan", server.target],
                 ["connect", server.target, "--get", "/", "--quiet"], ["cert", "fetch", server.target, "--quiet"],
                 ["trace", server.target, "-o", "-"]):
        # The reader has gone before the first byte is written.
        reading, writing = os.pipe()
        os.close(reading)
        done = subprocess.run([HANDFAST, *args], stdin=subprocess.DEVNULL, stdout=writing, stderr=subprocess.PIPE,
                              env={**os.environ, "SSL_CERT_FILE": f"{PKI}/ca.pem"}, check=False, timeout=60)
        os.close(writing)
        if done.returncode != -signal.SIGPIPE or done.stderr:
            raise Failure(f"{' '.join(args)}: {done.returncode}, {done.stderr[:200]!r}")
    server.stop()


def closed_descriptors():
    """No socket and no file of ours takes the place of a closed standard output or error."""
    server = serve()
    session = scratch("session")
    for closed in ("0<&-", "2>&-", "0<&- 2>&-"):
        status, out, _ = run("connect", server.target, "--get", "/", "--session", session, shell=f'"$@" {closed}')
        if status != 0 or "This page was sent" not in out:
            raise Failure(f"{closed}: exit status {status}, {out[:100]!r}")
        with open(session, "rb") as f:
            if b"TLS 1.3" in f.read():
                raise Failure(f"{closed}: the report is in the session's file")
        os.unlink(session)
    server.stop()


def broken_pipe_of_programs():
    """A program under `handfast run` is started with SIGPIPE as it was."""
    status, out, _ = run("run", "--", "sh", "-c", "kill -PIPE $$; echo it goes on")
    if status not in (-signal.SIGPIPE, 128 + signal.SIGPIPE) or out:
        raise Failure(f"exit status {status}, {out!r}")


# ---------------------------------------------------------------- help, JSON

def help_fits():
    """No line of help is wider than 90 columns, none of options than 80, and every command has the exit statuses."""
    for args in [["help"], *(["help", c] for c in COMMANDS), *(["help", "cert", v] for v in CERT_VERBS)]:
        out, _ = expect(0, [], *args)
        wide = [line for line in out.splitlines() if len(line) > (80 if line.startswith("  -") else 90)]
        if wide:
            raise Failure(f"{' '.join(args)}: {len(wide[0])} columns: {wide[0]}")
        if "Exit status:" not in out:
            raise Failure(f"{' '.join(args)} says nothing of exit statuses")
    out, _ = expect(0, [], "help", "run")
    if "Exit status: the program's" not in out:
        raise Failure("run has the exit statuses of others")


def as_json():
    """Whatever --json writes is JSON: results, reports and failures."""
    server = serve()
    nobody = f"localhost:{free_port()}"
    for args, where in ((["ciphers", "--json"], 1), (["ciphers", "ALL:COMPLEMENTOFALL", "--json"], 1),
                        (["cert", "show", f"{PKI}/cert.pem", "--json"], 1), (["cert", "check", f"{PKI}/cert.pem", "--json"], 1),
                        (["cert", "check", "tls://" + server.target, "--json"], 1), (["cert", "check", server.target, "--json"], 2), (["cert", "fetch", server.target, "--json"], 1),
                        (["cert", "make", 'a"b.test', "--json", "-o", scratch("odd")], None),
                        (["connect", server.target, "--get", "/", "--json"], 2), (["connect", nobody, "--json"], 2),
                        (["scan", server.target, "--json"], 1), (["scan", nobody, "--json"], 2),
                        (["trace", server.target, "--json"], 1), (["trace", nobody, "--json"], 2),
                        (["serve", "tls://192.0.2.1:1", *PAIR, "--json"], 2),
                        (["run", "--check", "--json", "/bin/sh"], 1),
                        (["run", "--check", "--json", "/nonexistent", "/bin/sh", "/nonexistent", "/bin/sh"], 1)):
        done = run(*args)
        if where is None:
            continue
        try:
            if not json.loads(done[where]):
                raise Failure(f"{' '.join(args)}: nothing in it")
        except ValueError as error:
            raise Failure(f"{' '.join(args)}: {error}: {done[where][:300]!r}") from None
    server.stop()


def interrupted():
    """SIGINT in the middle ends a command, with its terminal's line as it was: no half of a report, no page."""
    silent = socket.create_server(("127.0.0.1", 0), backlog=128)  # connections are made, and nothing comes of them
    port = silent.getsockname()[1]
    page = scratch("page.html")
    for args in (["connect", f"tcp://127.0.0.1:{port}"], ["scan", f"127.0.0.1:{port}", "--timeout", "500"],
                 ["trace", f"127.0.0.1:{port}", "-o", page, "--timeout", "500"]):
        # Who started us may ignore SIGINT, as shells do in the background, and we would hand that on.
        child = Process(["env", "--default-signal=INT", HANDFAST, *args], stdin=subprocess.PIPE)
        # Interrupted when it has begun: it holds a socket.
        while not holds_socket(child.child.pid):
            if child.child.poll() is not None:
                raise Failure(f"{' '.join(args)} ended by itself: {child.err()[:300]}")
            time.sleep(0.01)
        child.child.send_signal(signal.SIGINT)
        if child.wait(20) not in (-signal.SIGINT, 128 + signal.SIGINT):
            raise Failure(f"{' '.join(args)}: exit status {child.child.returncode} after SIGINT")
    silent.close()


def holds_socket(pid):
    try:
        return any(os.readlink(f"/proc/{pid}/fd/{fd}").startswith("socket:") for fd in os.listdir(f"/proc/{pid}/fd"))
    except OSError:
        return False


def main():
    status, _, err = run("cert", "make", "localhost", "-o", PKI)
    if status != 0:
        print(f"FAIL no certificates: {err}\n0 passed, 1 failed, 0 skipped")
        return 1
    score = Score()
    for check in (words, files_of_options, scripts, check_process, odd_servers, full_disk, reader_gone, closed_descriptors, broken_pipe_of_programs,
                  help_fits, as_json, interrupted):
        if len(sys.argv) < 3 or check.__name__ in sys.argv[2:]:
            score.check(check.__name__, check)
    return score.done()


if __name__ == "__main__":
    sys.exit(main())
