"""Build handfast in every way that the tests need, run the tests, and add their counts up.

Called by ./check. Tests are found by asking Meson, so whatever a meson.build registers under one
of the suites below is run here without a change to this file. Every test program ends with a line
"N passed, N failed, N skipped"; one that crashes, hangs or says nothing counts as a failure.
"""

import argparse
import collections
import concurrent.futures
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time

import checklist

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
COUNTS = re.compile(r"^(\d+) passed, (\d+) failed, (\d+) skipped$", re.M)
WORKERS = max(1, min(4, os.cpu_count() or 1))

# name: (Meson options, environment). buildtype stays debugoptimized: that is what is shipped.
BUILDS = {
    "main": (["-Dwerror=true"], {}),
    "sanitize": (["-Dwerror=true", "-Db_sanitize=address,undefined"], {}),
    "thread": (["-Dwerror=true", "-Db_sanitize=thread"], {}),
    "constant_time": (["-Dwerror=true", "-Dconstant_time=true"], {}),
    "fuzz": (["-Dwerror=true", "-Dfuzz=true", "-Db_lundef=false"], {"CC": "clang"}),
}

SANITIZERS = {
    "ASAN_OPTIONS": "abort_on_error=0:detect_leaks=1:strict_string_checks=1:allocator_may_return_null=1",
    "UBSAN_OPTIONS": "print_stacktrace=1:halt_on_error=1",
    "TSAN_OPTIONS": "halt_on_error=1",
}
VALGRIND = ["valgrind", "-q", "--error-exitcode=99", "--leak-check=full",
            "--errors-for-leak-kinds=definite", "--show-leak-kinds=definite"]
MEMCHECK = ["valgrind", "-q", "--error-exitcode=99", "--leak-check=no"]

# part: (build, Meson suites, wrapper, how many times longer than normal, what it is)
PARTS = collections.OrderedDict([
    ("style", ("main", ["style"], [], 1, "layers, includes, lengths, and documents against the sources")),
    ("unit", ("main", ["unit"], [], 1, "one test program for each noun of the sources")),
    ("flow", ("main", ["flow"], [], 1, "whole handshakes in memory")),
    ("libssl", ("main", ["libssl"], [], 1, "programs that must print the same on the system's libssl and on ours")),
    ("programs", ("main", ["programs"], [], 1,
                  "unmodified programs on the system's libssl, on ours, and on one that does nothing")),
    ("constant_time", ("constant_time", ["constant_time"], MEMCHECK, 20, "no branch or look-up by a secret")),
    ("thread", ("thread", ["unit", "flow", "differential"], [], 10,
                "unit and flow tests, and libssl's programs, under ThreadSanitizer")),
    ("sanitize", ("sanitize", ["unit", "flow", "interop", "differential"], [], 4,
                  "unit and flow tests, some peers and bad input, libssl's programs, under ASan and UBSan")),
    ("valgrind", ("main", ["unit"], VALGRIND, 30, "unit tests under memcheck")),
    ("fuzz", ("fuzz", ["fuzz"], [], 1, "fuzz targets, over their seeds and a little further")),
    ("interop", ("main", ["interop"], [], 1, "against other implementations, and bad input")),
])
LOUD = {"interop", "style"}  # parts whose whole output is worth reading


class Tally:
    def __init__(self):
        self.passed = self.failed = self.skipped = 0
        self.broken = []
        self.results = {"programs": {}, "rows": {}}  # for docs/checklist.md

    def add(self, name, passed, failed, skipped):
        self.passed += passed
        self.failed += failed
        self.skipped += skipped
        if failed:
            self.broken.append(name)

    def line(self):
        return f"{self.passed} passed, {self.failed} failed, {self.skipped} skipped"


def say(text=""):
    print(text, flush=True)


def run_logged(command, env, what):
    """Run a build command; its output is shown only if it fails."""
    result = subprocess.run(command, cwd=ROOT, env={**os.environ, **env}, stdin=subprocess.DEVNULL,
                            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace")
    if result.returncode != 0:
        say(f"{what} failed: {' '.join(command)}")
        # Ninja's report of progress says nothing of what went wrong.
        lines = [line for line in result.stdout.splitlines() if not re.match(r"\[\d+/\d+\] ", line)]
        say("\n".join(lines[-60:]))
    return result.returncode == 0


def build(name):
    """Set up and compile one of BUILDS; True if that worked."""
    options, env = BUILDS[name]
    folder = os.path.join(ROOT, "build", name)
    stamp = os.path.join(folder, "check-options")
    wanted = json.dumps([options, env])
    try:
        with open(stamp, encoding="utf-8") as f:
            fresh = f.read() == wanted
    except OSError:
        fresh = False
    started = time.monotonic()
    if not fresh:
        shutil.rmtree(folder, ignore_errors=True)
        os.makedirs(os.path.dirname(folder), exist_ok=True)
        if not run_logged(["meson", "setup", *options, folder], env, "configuring"):
            return False
        with open(stamp, "w", encoding="utf-8") as f:
            f.write(wanted)
    if not run_logged(["ninja", "-C", folder], env, "compiling"):
        return False
    say(f"built  {name} in {time.monotonic() - started:.0f} s  ({' '.join(options)})")
    return True


def tests_of(name, suites):
    """The tests that Meson knows in one build, of the given suites; all others if suites is None."""
    out = subprocess.run(["meson", "introspect", "--tests", os.path.join(ROOT, "build", name)],
                         stdout=subprocess.PIPE, check=True, text=True).stdout
    known = {suite for part in PARTS.values() for suite in part[1]}
    chosen = []
    for test in json.loads(out):
        own = {suite.split(":")[-1] for suite in test["suite"]}
        if (own & set(suites)) if suites is not None else not (own & known):
            chosen.append(test)
    return chosen


def is_program(path):
    try:
        with open(path, "rb") as f:
            return f.read(4) == b"\x7fELF"
    except OSError:
        return False


def run_test(test, build_name, wrapper, factor):
    """Run one test program; (exit status or reason, output, seconds)."""
    command = list(test["cmd"])
    if wrapper and is_program(command[0]) and os.path.basename(command[0]) != wrapper[0]:
        command = wrapper + command
    env = {**os.environ, **SANITIZERS, **{k: v for k, v in test["env"].items()}}
    if wrapper:
        # So that a test that runs long on purpose can do less of it.
        env["HF_TEST_SLOW"] = "1"
    if build_name == "sanitize":
        env["HF_TEST_SANITIZED"] = "1"
    limit = (test["timeout"] or 300) * factor
    started = time.monotonic()
    with tempfile.TemporaryFile() as out:
        child = subprocess.Popen(command, cwd=test["workdir"] or os.path.join(ROOT, "build", build_name),
                                 env=env, stdin=subprocess.DEVNULL, stdout=out, stderr=subprocess.STDOUT,
                                 start_new_session=True)
        try:
            status = child.wait(timeout=limit)
            if status < 0:
                status = f"killed by {signal.Signals(-status).name}"
        except subprocess.TimeoutExpired:
            status = f"not done after {limit:.0f} s"
        try:
            # The test's own children, if it left any behind.
            os.killpg(child.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        child.wait()
        out.seek(0)
        text = out.read().decode("utf-8", "replace")
    return status, text, time.monotonic() - started


def judge(status, text):
    """(passed, failed, skipped) of one program."""
    found = COUNTS.findall(text)
    passed, failed, skipped = (int(n) for n in found[-1]) if found else (0, 0, 0)
    # 77 is how a program tells Meson that it skipped all of its tests.
    all_skipped = status == 77 and skipped and not passed
    if not found or (status != 0 and failed == 0 and not all_skipped):
        failed += 1
    return passed, failed, skipped


def report(part, test, status, text, seconds, tally):
    passed, failed, skipped = judge(status, text)
    name = f"{part}/{test['name']}"
    tally.add(name, passed, failed, skipped)
    word = "FAIL" if failed else "ok"
    checklist.collect(name, text, word if failed or passed else "skip", tally.results)
    say(f"{word:6} {name:36} {passed} passed, {failed} failed, {skipped} skipped   {seconds:.1f} s"
        + ("" if status == 0 or failed == 0 else f"   ({status})"))
    lines = [line for line in text.splitlines() if not COUNTS.match(line)]
    if part in LOUD:
        say("\n".join("       " + line for line in lines))
    elif failed:
        say("\n".join("       " + line for line in lines[-80:]))
    elif skipped:
        say("\n".join("       " + line for line in lines if line.startswith("skip")))


def run_part(part, suites, wrapper, build_name, factor, tally):
    tests = tests_of(build_name, suites)
    if wrapper:
        tests = [t for t in tests if not any(s.endswith("novalgrind") for s in t["suite"])]
    together = [t for t in tests if t["is_parallel"]]
    alone = [t for t in tests if not t["is_parallel"]]
    with concurrent.futures.ThreadPoolExecutor(WORKERS) as pool:
        running = {pool.submit(run_test, t, build_name, wrapper, factor): t for t in together}
        for done in concurrent.futures.as_completed(running):
            report(part, running[done], *done.result(), tally)
    for test in alone:
        report(part, test, *run_test(test, build_name, wrapper, factor), tally)
    if not tests:
        say(f"none   {part}: no test is registered yet")


def main():
    parser = argparse.ArgumentParser(
        prog="./check", formatter_class=argparse.RawDescriptionHelpFormatter,
        description="Set up, build and test handfast. Without PART everything is run.",
        epilog="parts:\n" + "\n".join(f"  {name:14} {part[4]}" for name, part in PARTS.items()))
    parser.add_argument("part", nargs="*", metavar="PART")
    args = parser.parse_args()
    for part in args.part:
        if part not in PARTS:
            parser.error(f"there is no part {part}")
    chosen = args.part or list(PARTS)

    tally = Tally()
    built = {}
    started = time.monotonic()
    for part in chosen:
        build_name, suites, wrapper, factor, what = PARTS[part]
        if build_name not in built:
            built[build_name] = build(build_name)
            if not built[build_name]:
                tally.add(f"building {build_name}", 0, 1, 0)
        if not built[build_name]:
            continue
        say(f"\n== {part}: {what}")
        run_part(part, suites, wrapper, build_name, factor, tally)
    if not args.part and built.get("main"):
        run_part("other", None, [], "main", 1, tally)
    os.makedirs(os.path.join(ROOT, "build"), exist_ok=True)
    checklist.merge(tally.results)
    if not args.part:
        faults = checklist.check(tally.results)
        tally.add("docs/checklist.md", 0 if faults else 1, len(faults), 0)
        say("\n".join(["", *faults]))

    say(f"\nall of it took {time.monotonic() - started:.0f} s")
    if tally.broken:
        say("failed: " + ", ".join(tally.broken))
    say(tally.line())
    return 1 if tally.failed else 0


if __name__ == "__main__":
    sys.exit(main())
