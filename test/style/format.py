"""The sources stand as clang-format 14 (Debian 12's) puts them, by the file .clang-format in the root. Not the
public headers: their comments are columns that are aligned by hand. Another version formats otherwise: with none of
version 14 this is skipped."""

import os
import re
import shutil
import subprocess
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
FOLDERS = ["src", "libssl", "test", "bench", "examples"]
VERSION = "14"


def formatter():
    """The command, and why there is none."""
    found = []
    for name in (f"clang-format-{VERSION}", "clang-format"):
        path = shutil.which(name)
        if not path:
            continue
        version = re.search(r"version (\d+)", subprocess.run([path, "--version"], stdout=subprocess.PIPE,
                                                             text=True, check=True).stdout)
        if version and version.group(1) == VERSION:
            return path, None
        found.append(version.group(1) if version else "?")
    return None, f"clang-format {VERSION} is not here" + (f", only {', '.join(found)}" if found else
                                                          ": install the package clang-format of Debian 12")


def sources():
    for folder in FOLDERS:
        for where, _, names in os.walk(os.path.join(ROOT, folder)):
            for name in sorted(names):
                if name.endswith((".c", ".h", ".cc")):
                    yield os.path.relpath(os.path.join(where, name), ROOT)


def main():
    command, why = formatter()
    if not command:
        print(f"skip format: {why}")
        print("0 passed, 0 failed, 1 skipped")
        return 77
    paths = list(sources())
    run = subprocess.run([command, "--dry-run", *paths], cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                         text=True, check=True)
    wrong = sorted(set(re.findall(r"^(\S+?):\d+:\d+: warning:", run.stdout, re.M)))
    if len(paths) < 500:
        wrong.append("the list of sources")
    for path in wrong:
        print(f"    {path}: clang-format changes it; run {os.path.basename(command)} -i {path}")
    print(f"{'FAIL' if wrong else 'ok  '} format ({len(paths)} files)")
    print(f"{0 if wrong else 1} passed, {1 if wrong else 0} failed, 0 skipped")
    return 1 if wrong else 0


sys.exit(main())
