#!/usr/bin/env python3
"""Run a constant-time test under valgrind. memcheck.py PROGRAM SUPPRESSIONS"""
import os
import shutil
import subprocess
import sys


def main():
    program, suppressions = sys.argv[1:3]
    if not shutil.which("valgrind"):
        print("skip: valgrind is not installed (apt install valgrind)")
        print("0 passed, 0 failed, 1 skipped")
        return 0
    # One that is itself run under valgrind gains nothing: the child is a program of its own.
    done = subprocess.run(["valgrind", "-q", "--leak-check=no", "--num-callers=24", "--error-limit=no",
                           f"--suppressions={suppressions}", program], stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, errors="replace")
    # What memcheck complained about, if the test failed; its complaints are wanted in the control.
    if done.returncode != 0:
        print(done.stderr[-12000:])
    print(done.stdout, end="")
    return 1 if done.returncode else 0


if __name__ == "__main__":
    sys.exit(main())
