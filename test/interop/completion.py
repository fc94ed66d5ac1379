"""Command lines are completed by real shells on a terminal: completion.py HANDFAST."""

import os
import pty
import re
import select
import shutil
import sys
import time

from core import SCRATCH, Failure, Process, Score, Skip, tail

HANDFAST = os.path.abspath(sys.argv[1])
MARK = "ready-now"


class Shell:
    """An interactive shell on a terminal of its own, with the completion loaded."""

    def __init__(self, words, prepare, more=None):
        env = {"PATH": os.path.dirname(HANDFAST) + ":" + os.environ["PATH"], "HOME": SCRATCH, "TERM": "dumb",
               "PS1": "$ ", "LC_ALL": "C.UTF-8", **(more or {})}
        child, self.fd = pty.fork()
        if child == 0:
            os.chdir(SCRATCH)
            os.execvpe(words[0], words, env)
        self.child = child
        self.type(prepare + f"; echo ready''-now\n")
        self.read(lambda text: MARK in text, 20)

    def type(self, text):
        os.write(self.fd, text.encode())

    def read(self, enough, seconds=5):
        text, end = "", time.monotonic() + seconds
        while time.monotonic() < end and not enough(text):
            if select.select([self.fd], [], [], 0.1)[0]:
                text += os.read(self.fd, 65536).decode("utf-8", "replace")
        if not enough(text):
            raise Failure(f"the terminal shows {text[-300:]!r}")
        return text

    def complete(self, line, *wanted):
        """Types a line and the tab key (twice); all of `wanted` must then stand on the terminal."""
        self.type(line + "\t\t")
        try:
            self.read(lambda text: all(re.search(w, re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]|\x08|\r", "", text)) for w in wanted))
        finally:
            self.type("\x15\n")  # take the line back
            time.sleep(0.1)
            while select.select([self.fd], [], [], 0.1)[0]:
                os.read(self.fd, 65536)

    def close(self):
        os.close(self.fd)
        os.waitpid(self.child, 0)


def common(shell):
    shell.complete("handfast comp", r"handfast completion ")
    shell.complete("handfast prox", r"handfast proxy ")
    shell.complete("handfast connect --insec", r"--insecure-no-verify")
    shell.complete("handfast proxy --to-ins", r"--to-insecure-no-verify")
    shell.complete("handfast connect --crl-check l", r"--crl-check leaf")
    shell.complete("handfast serve tls://localhost:1 --client-auth requ", "request", "require")
    shell.complete("handfast serve --cert only-", r"--cert only-one\.pem")
    shell.complete("handfast completion b", r"completion bash")
    shell.complete("handfast cert conv", r"cert convert ")
    shell.complete("handfast cert make --key-t", r"make --key-type")
    shell.complete("handfast cert show --ou", r"show --output")
    shell.complete("handfast help trac", r"help trace")


def test_bash():
    shell = Shell(["bash", "--norc", "--noprofile", "-i"],
                  "bind 'set enable-bracketed-paste off'; eval \"$(handfast completion bash)\"")
    common(shell)
    shell.complete("handfast connect --min=1.", r"1\.0 +1\.1 +1\.2 +1\.3")
    shell.complete("handfast connect --min 1.", r"1\.0 +1\.1 +1\.2 +1\.3")
    shell.complete("handfast connect --ca-folder a-", r"--ca-folder a-folder/")
    shell.complete("handfast connect --cert 'with s", r"with space\.pem")
    shell.complete("handfast run --che", r"--check ")
    shell.close()


def test_zsh():
    if not shutil.which("zsh"):
        raise Skip("needs zsh (the package of that name)")
    folder = os.path.join(SCRATCH, "site-functions")
    os.makedirs(folder, exist_ok=True)
    done = Process([HANDFAST, "completion", "zsh"])
    done.wait(120)
    with open(os.path.join(folder, "_handfast"), "wb") as f:
        f.write(done.out())
    shell = Shell(["zsh", "-f", "-i"], f"fpath=({folder} $fpath); autoload -Uz compinit; compinit -u -d {SCRATCH}/dump")
    common(shell)
    shell.close()


def test_fish():
    if not shutil.which("fish"):
        raise Skip("needs fish (the package of that name)")
    for line, wanted in (("handfast comp", "completion"), ("handfast connect --insec", "--insecure-no-verify"),
                         ("handfast connect --crl-check l", "leaf"), ("handfast proxy --to-ins", "--to-insecure-no-verify"),
                         ("handfast serve --cert only-", "only-one.pem"), ("handfast help trac", "trace"), ("handfast cert conv", "convert"),
                         ("handfast cert make --key-t", "--key-type"),
                         ("handfast completion b", "bash")):
        done = Process(["fish", "--no-config", "-c", f"{HANDFAST} completion fish | source; complete -C '{line}'"],
                       cwd=SCRATCH, env={"HOME": SCRATCH})
        if done.wait(120) != 0 or wanted not in done.out().decode():
            raise Failure(f"{line}: {done.out()[:200]!r} {tail(done.err())}")


def test_shells():
    for words, status in ((["tcsh"], 1), ([], 1), (["bash", "zsh"], 1), (["bash"], 0), (["--help"], 0)):
        done = Process([HANDFAST, "completion", *words])
        if done.wait(120) != status or (status == 0 and not done.out()):
            raise Failure(f"completion {words}: {tail(done.err())}")


def main():
    score = Score()
    for name in ("only-one.pem", "with space.pem"):
        with open(os.path.join(SCRATCH, name), "w", encoding="ascii"):
            pass
    os.mkdir(os.path.join(SCRATCH, "a-folder"))
    for name, check in (("bash", test_bash), ("zsh", test_zsh), ("fish", test_fish), ("which shells", test_shells)):
        print(f"{score.check(name, check):4} {name}", flush=True)
    return score.done()


if __name__ == "__main__":
    sys.exit(main())
