"""Servers with the system's libssl and with ours share ticket keys, clients their session files.

Usage: shared.py PROGRAM FOLDER-OF-OUR-LIBSSL. PROGRAM is shared.c: what it makes with one library it must be able to
use with the other.
"""

import os
import subprocess
import sys
import tempfile


def run(program, library, *arguments):
    env = {"PATH": "/usr/bin:/bin", "LC_ALL": "C"}
    if library:
        env["LD_LIBRARY_PATH"] = library
    return subprocess.run([program, *arguments], env=env, timeout=240).returncode


def main():
    program, ours = os.path.abspath(sys.argv[1]), os.path.abspath(sys.argv[2])
    names = {None: "the system's libssl", ours: "ours"}
    passed = failed = 0
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "session.pem")
        for version in ("2", "3"):
            for maker in names:
                for user in names:
                    made = run(program, maker, "make", version, path)
                    used = run(program, user, "use", version, path) if made == 0 else -1
                    if made == 0 and used == 0:
                        passed += 1
                    else:
                        failed += 1
                        print(f"    TLS 1.{version}, made with {names[maker]} ({made}), resumed with {names[user]}"
                              f" ({used})")
    print(f"{passed} passed, {failed} failed, 0 skipped")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
