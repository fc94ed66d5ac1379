"""Run one program on the system's libssl and on ours: what it prints must be the same.

Usage: compare.py PROGRAM FOLDER-OF-OUR-LIBSSL. The program is linked against libssl.so.3 as any other is, and
shows what it saw, a line for each thing. Lines that begin with "#" are for people and not compared.
"""

import difflib
import os
import subprocess
import sys
import tempfile


def run(program, library, folder):
    """(exit status, lines) of the program with a bare environment, in a folder of its own."""
    env = {"PATH": "/usr/bin:/bin", "LC_ALL": "C"}
    for name in ("ASAN_OPTIONS", "UBSAN_OPTIONS", "TSAN_OPTIONS"):
        if name in os.environ:
            env[name] = os.environ[name]
    if library:
        env["LD_LIBRARY_PATH"] = library
    elif "ASAN_OPTIONS" in env:
        env["ASAN_OPTIONS"] += ":detect_leaks=0"  # what the system's library leaks is not ours to judge
    os.makedirs(folder)
    done = subprocess.run([program], cwd=folder, env=env, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, timeout=280, text=True, errors="replace")
    return done.returncode, [line for line in done.stdout.splitlines() if not line.startswith("#")]


def main():
    program, library = os.path.abspath(sys.argv[1]), os.path.abspath(sys.argv[2])
    with tempfile.TemporaryDirectory() as folder:
        stock, want = run(program, None, os.path.join(folder, "stock"))
        ours, got = run(program, library, os.path.join(folder, "ours"))
    same = sum(1 for a, b in zip(want, got) if a == b)
    bad = list(difflib.unified_diff(want, got, "system's libssl", "handfast's libssl", lineterm="", n=2))
    for line in bad:
        print("    " + line)
    # A program that prints nothing, or that the system's library fails, shows nothing.
    failed = max(len(want), len(got)) - same
    if stock != 0 or ours != 0 or not want:
        print(f"    exit status {stock} on the system's libssl, {ours} on ours; {len(want)} lines")
        failed = failed or 1
    print(f"{same} passed, {failed} failed, 0 skipped")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
