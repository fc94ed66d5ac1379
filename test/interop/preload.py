"""A library that is built with a sanitizer, in Python's process."""

import os
import re
import subprocess
import sys


def preload(library):
    """The sanitizer's runtime must come first: begin anew with it in front. What Python itself never frees is not told."""
    loads = subprocess.run(["ldd", library], stdout=subprocess.PIPE, text=True, check=True).stdout
    runtime = re.search(r"(/\S*/lib[at]san\.so\S*)", loads)
    if not runtime:
        return
    if os.environ.get("LD_PRELOAD") == runtime[1]:
        del os.environ["LD_PRELOAD"]  # children are programs of others
        return
    os.environ["LD_PRELOAD"] = runtime[1]
    os.environ["ASAN_OPTIONS"] = os.environ.get("ASAN_OPTIONS", "") + ":detect_leaks=0"
    os.execv(sys.executable, [sys.executable, *sys.argv])
