"""Calls of libssl in any order (any/), on the system's library and on ours: what they print must be the same.

    any.py PROGRAM FOLDER-OF-OUR-LIBSSL [--seeds FIRST-LAST] [--steps N] [--reduce] [--jobs N] [--known FILE] [--ours]

Without --reduce each seed is a test. With it, every difference is cut down to the steps that it needs, and one of each
kind is told. FILE names seeds that are not run: what they meet is known to differ. --ours runs our library alone, and
only looks at how it ends (for a build with sanitizers).
"""

import argparse
import concurrent.futures
import os
import re
import subprocess
import sys

STEP = re.compile(r"^(\d+) (.*)$")


class Runner:
    def __init__(self, program, library, steps):
        self.program, self.library, self.steps = os.path.abspath(program), os.path.abspath(library), steps

    def lines(self, ours, first, count, keep):
        env = {"PATH": "/usr/bin:/bin", "LC_ALL": "C"}
        for name in ("ASAN_OPTIONS", "UBSAN_OPTIONS", "TSAN_OPTIONS"):
            if name in os.environ:
                env[name] = os.environ[name]
        if ours:
            env["LD_LIBRARY_PATH"] = self.library
        elif "ASAN_OPTIONS" in env:
            env["ASAN_OPTIONS"] += ":detect_leaks=0"  # what the system's library leaks is not ours to judge
        command = [self.program, str(first), str(count), str(self.steps)]
        if keep is not None:
            command.append(",".join(map(str, keep)))
        done = subprocess.run(command, env=env, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, text=True, errors="replace", timeout=300)
        out = done.stdout.splitlines()
        return out + ([f"exit status {done.returncode}"] if done.returncode else [])

    def both(self, seed, keep=None):
        return self.lines(False, seed, 1, keep), self.lines(True, seed, 1, keep)


def first_difference(want, got):
    """(step, its name, a line of each), or None."""
    step, name = -1, ""
    for i in range(max(len(want), len(got))):
        a = want[i] if i < len(want) else "nothing"
        b = got[i] if i < len(got) else "nothing"
        if a != b:
            return step, name, a, b
        found = STEP.match(a)
        if found:
            step, name = int(found.group(1)), found.group(2)
    return None


def kind(difference):
    """What makes two differences the same one: the operation and the lines, without numbers of seeds and ends."""
    return difference[1], re.sub(r"^\d+ ", "", difference[2]), re.sub(r"^\d+ ", "", difference[3])


def reduce(runner, seed, difference):
    """The steps without which this difference would not be."""
    keep = list(range(difference[0] + 1))
    size = max(1, len(keep) // 2)
    while True:
        at = 0
        while at < len(keep):
            fewer = keep[:at] + keep[at + size:]
            found = first_difference(*runner.both(seed, fewer))
            if found and kind(found) == kind(difference):
                keep = fewer
            else:
                at += size
        if size == 1:
            return keep
        size = max(1, size // 2)


def tell(runner, seed, keep):
    want, got = runner.both(seed, keep)
    print(f"---- seed {seed}, steps {','.join(map(str, keep))}")
    found = first_difference(want, got)
    for a, b in zip(want, got):
        if a != b:
            break
        print("  " + a)
    print(f"  system's  {found[2]}\n  handfast  {found[3]}", flush=True)


def known_seeds(path):
    if not path:
        return set()
    with open(path) as f:
        return {int(word) for line in f if not line.startswith("#") for word in line.split()}


def check(runner, seed, ours):
    if ours:
        last = runner.lines(True, seed, 1, None)[-1]
        return seed, None if last == "the end" else (0, "", "the end", last)
    return seed, first_difference(*runner.both(seed))


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("program")
    parser.add_argument("library")
    parser.add_argument("--seeds", default="1-100")
    parser.add_argument("--steps", type=int, default=120)
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--most", type=int, default=1000)
    parser.add_argument("--reduce", action="store_true")
    parser.add_argument("--ours", action="store_true")
    parser.add_argument("--known")
    arguments = parser.parse_args()
    runner = Runner(arguments.program, arguments.library, arguments.steps)
    first, last = map(int, arguments.seeds.split("-"))
    known = known_seeds(arguments.known)
    seeds = [seed for seed in range(first, last + 1) if seed not in known]
    bad, seen, left_out = 0, set(), last - first + 1 - len(seeds)
    with concurrent.futures.ThreadPoolExecutor(arguments.jobs) as pool:
        for seed, difference in pool.map(lambda s: check(runner, s, arguments.ours), seeds):
            if not difference:
                continue
            bad += 1
            if arguments.reduce and kind(difference) not in seen and len(seen) < arguments.most:
                tell(runner, seed, reduce(runner, seed, difference))
            elif not arguments.reduce:
                print(f"seed {seed}, step {difference[0]} {difference[1]}\n"
                      f"  system's  {difference[2]}\n  handfast  {difference[3]}")
            seen.add(kind(difference))
    if left_out:
        print(f"{left_out} sequences meet what is known to differ and are left out: {arguments.known}")
    print(f"{len(seeds) - bad} passed, {bad} failed, {left_out} skipped")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
