"""Build handfast in every way that the tests need, run the tests, and add their counts up.

Called by ./check. Tests are found by asking Meson, so whatever a meson.build registers under one
of the suites below is run here without a change to this file. Every test program ends with a line
"N passed, N failed, N skipped"; one that crashes, hangs or says nothing counts as a failure.

All parts are one queue, so that every core has something to do until the end. Tests that may not run
beside each other (is_parallel: false) take turns with one worker, while the others go through the
builds and the rest, the longest first as far as an earlier part has shown which these are.
"""

import argparse
import collections
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time

import checklist

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
COUNTS = re.compile(r"^(\d+) passed, (\d+) failed, (\d+) skipped$", re.M)
CORES = len(os.sched_getaffinity(0))
WORKERS = max(1, min(4, CORES))

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
        self.broken = {}  # name: what there is to read about it
        self.results = {"programs": {}, "rows": {}}  # for docs/checklist.md

    def add(self, name, passed, failed, skipped, lines=()):
        self.passed += passed
        self.failed += failed
        self.skipped += skipped
        if failed:
            self.broken[name] = lines

    def line(self):
        return f"{self.passed} passed, {self.failed} failed, {self.skipped} skipped"


def say(text=""):
    print(text, flush=True)


def run_logged(command, env, what, faults):
    """Run a build command; its output is shown, and added to faults, only if it fails."""
    result = subprocess.run(command, cwd=ROOT, env={**os.environ, **env}, stdin=subprocess.DEVNULL,
                            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace")
    if result.returncode != 0:
        say(f"{what} failed: {' '.join(command)}")
        # Ninja's report of progress says nothing of what went wrong.
        lines = [line for line in result.stdout.splitlines() if not re.match(r"\[\d+/\d+\] ", line)]
        say("\n".join(lines[-60:]))
        faults += lines[-20:]
    return result.returncode == 0


def build(name, jobs, faults):
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
        if not run_logged(["meson", "setup", *options, folder], env, "configuring", faults):
            return False
        with open(stamp, "w", encoding="utf-8") as f:
            f.write(wanted)
    if not run_logged(["ninja", "-C", folder, f"-j{jobs}"], env, "compiling", faults):
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
    # Meson's own default of 30 s is too little for a machine that has other things to do.
    limit = max(test["timeout"] or 0, 300) * factor
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


def telling(lines):
    """The lines of a failed test that say what failed."""
    told = [line for line in lines if re.search(r"FAIL|\.(c|py|h):\d+|ERROR|WARNING: Thread|Error\b|runtime error", line)]
    return (told or lines)[-25:]


def report(part, test, status, text, seconds, tally):
    passed, failed, skipped = judge(status, text)
    name = f"{part}/{test['name']}"
    lines = [line for line in text.splitlines() if not COUNTS.match(line)]
    word = "FAIL" if failed else "ok"
    head = (f"{word:6} {name:36} {passed} passed, {failed} failed, {skipped} skipped   {seconds:.1f} s"
            + ("" if status == 0 or failed == 0 else f"   ({status})"))
    tally.add(name, passed, failed, skipped, [head, *telling(lines)])
    checklist.collect(name, text, word if failed or passed else "skip", tally.results)
    say(head)
    if part in LOUD:
        say("\n".join("       " + line for line in lines))
    elif failed:
        say("\n".join("       " + line for line in lines[-80:]))
    elif skipped:
        say("\n".join("       " + line for line in lines if line.startswith("skip")))


class Queue:
    """What is to be done: builds, then tests, part after part."""

    def __init__(self, parts, tally):
        self.tally = tally
        self.change = threading.Condition()
        self.parts = parts  # [name, (build, suites, wrapper, factor, what), tests or None before the build]
        self.built = {}  # build: True, False, or None while it is made
        self.alone = False  # a test that wants no other one of its kind beside it is running
        self.took = {}  # seconds of each test, where it ran last

    def list_tests(self, part):
        name, (build_name, suites, wrapper, _, what), _ = part
        tests = tests_of(build_name, suites)
        if wrapper:
            tests = [t for t in tests if not any(s.endswith("novalgrind") for s in t["suite"])]
        say(f"\n== {name}: {what} ({len(tests)} programs)")
        part[2] = tests

    def pick(self, part, alone):
        """Takes a part's longest test that wants to be alone, or longest that does not; None if there is none."""
        fit = [t for t in part[2] or [] if t["is_parallel"] is not alone]
        if fit:
            part[2].remove(test := max(fit, key=lambda t: self.took.get(t["name"], 0)))
            return test
        return None

    def take(self):
        """What to do next: a function; False if something may come up; None if nothing will. Locked."""
        building = None in self.built.values()
        for part in self.parts if not self.alone else []:
            if test := self.pick(part, alone=True):
                self.alone = True
                return lambda: self.run(part, test, alone=True)
        for part in self.parts:
            name = part[1][0]
            if test := self.pick(part, alone=False):
                return lambda: self.run(part, test, alone=False)
            if name not in self.built and not building:
                self.built[name] = None
                return lambda: self.build(name, max(1, CORES - 1) if self.alone else CORES)
        return False if building or any(part[2] for part in self.parts) else None

    def build(self, name, jobs):
        faults = []
        done = build(name, jobs, faults)
        with self.change:
            if not done:
                self.tally.add(f"building {name}", 0, 1, 0, faults)
            for part in [p for p in self.parts if p[1][0] == name]:
                if done:
                    self.list_tests(part)
                else:
                    self.parts.remove(part)
            self.built[name] = done

    def run(self, part, test, alone):
        name, (build_name, _, wrapper, factor, _), _ = part
        done = run_test(test, build_name, wrapper, factor)
        with self.change:
            self.took[test["name"]] = done[2]
            report(name, test, *done, self.tally)
            if alone:
                self.alone = False

    def work(self):
        while True:
            with self.change:
                while (job := self.take()) is False:
                    self.change.wait()
            if job is None:
                return
            job()
            with self.change:
                self.change.notify_all()

    def run_all(self):
        workers = [threading.Thread(target=self.work) for _ in range(WORKERS)]
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join()


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
    started = time.monotonic()
    parts = [[name, PARTS[name], None] for name in chosen]
    if not args.part:
        parts.append(["other", ("main", None, [], 1, "what belongs to no part"), None])
    Queue(parts, tally).run_all()
    os.makedirs(os.path.join(ROOT, "build"), exist_ok=True)
    checklist.merge(tally.results)
    if not args.part:
        faults = checklist.check(tally.results)
        tally.add("docs/checklist.md", 0 if faults else 1, len(faults), 0, faults)

    took, used = time.monotonic() - started, os.times()
    used = used.children_user + used.children_system
    say(f"\nall of it took {took:.0f} s, and {used:.0f} s of {CORES} cores ({100 * used / took / CORES:.0f} %)")
    for name, lines in tally.broken.items():
        say(f"\nfailed: {name}")
        say("\n".join("       " + line for line in lines))
    if tally.broken:
        say("\nfailed: " + ", ".join(tally.broken))
    say(tally.line())
    return 1 if tally.failed else 0


if __name__ == "__main__":
    sys.exit(main())
