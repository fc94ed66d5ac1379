"""The three libraries that whole programs are run on, and how outcomes are kept and compared.

An outcome is one of ok, skip, fail, and a suite is {test: outcome}. A suite's folder is scratch: nothing in it is
needed afterwards.
"""

import json
import os
import pathlib
import subprocess
import sys

OURS, STOCK, NULL = "ours", "stock", "null"


class Library:
    """One of the three: `build` is the build folder of handfast."""

    def __init__(self, name, build):
        self.name = name
        folders = {OURS: "libssl", NULL: "test/libssl/null", STOCK: None}
        self.folder = folders[name] and str(pathlib.Path(build).resolve() / folders[name])
        if self.folder and not os.path.exists(os.path.join(self.folder, "libssl.so.3")):
            raise SystemExit(f"{self.folder}/libssl.so.3 is not built")

    def env(self, **more):
        """A bare environment: what the caller's says (SSL_CERT_FILE and its like) changes outcomes."""
        env = {"PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL": "C.UTF-8",
               "HOME": "/nonexistent", "TZ": "UTC"}
        if self.folder:
            env["LD_LIBRARY_PATH"] = self.folder
        env.update(more)
        return env

    def run(self, command, timeout=60, **options):
        """The finished process; a timeout counts as exit status 124."""
        env = self.env(**options.pop("more", {}))
        try:
            return subprocess.run(command, env=env, timeout=timeout, capture_output=True, text=True,
                                  errors="replace", **options)
        except subprocess.TimeoutExpired as late:
            out = late.stdout or b""
            return subprocess.CompletedProcess(command, 124, out.decode(errors="replace"), "timed out")


def save(path, outcomes):
    pathlib.Path(path).write_text(json.dumps(outcomes, indent=1, sort_keys=True) + "\n")


def load(path):
    return json.loads(pathlib.Path(path).read_text())


def compare(stock, ours, null=None, known=None):
    """Lines that tell where `ours` is worse or better than `stock`, and what fails on both, with the reason that
    `known` has for it; and a summary of what counts: tests that pass without any TLS (`null`) show nothing, nor do
    those that fail on both. Returns (lines, summary)."""
    lines, same, worse, better, idle, both = [], 0, 0, 0, 0, 0
    for test in sorted(stock.keys() | ours.keys()):
        a, b = stock.get(test, "absent"), ours.get(test, "absent")
        if null is not None and null.get(test) == "ok" and a == "ok" and b == "ok":
            idle += 1
        elif a == b == "fail":
            both += 1
            lines.append(f"both    {test}: fails on the system's library too: {(known or {}).get(test, 'no reason is known')}")
        elif a == b:
            same += 1
        elif b == "ok" and a in ("fail", "absent"):
            better += 1
            lines.append(f"better  {test}: {a} on the system's library, {b} on ours")
        else:
            worse += 1
            lines.append(f"WORSE   {test}: {a} on the system's library, {b} on ours")
    summary = {"same": same, "worse": worse, "better": better, "without_tls": idle, "fail_on_both": both}
    return lines, summary


def command_exists(path):
    return os.path.exists(path) and os.access(path, os.X_OK)


def say(text):
    print(text, file=sys.stderr, flush=True)
