#!/usr/bin/env python3
"""Run a libFuzzer target over its seeds, then for some seconds further. smoke.py TARGET SECONDS FOLDER..."""
import os
import subprocess
import sys
import tempfile


def run(target, *options):
    """True if libFuzzer found nothing."""
    done = subprocess.run([target, "-timeout=20", "-rss_limit_mb=2048", *options], stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace")
    if done.returncode != 0:
        print(done.stdout[-8000:])
    return done.returncode == 0


def main():
    target, seconds, folders = sys.argv[1], sys.argv[2], [f for f in sys.argv[3:] if os.path.isdir(f)]
    results = []
    with tempfile.TemporaryDirectory() as corpus:
        keep = f"-artifact_prefix={corpus}/"
        count = sum(len(os.listdir(f)) for f in folders)
        if not count:
            print("there is no seed at all")
        results.append(count > 0 and run(target, keep, "-runs=0", *folders))
        results.append(run(target, keep, f"-max_total_time={seconds}", corpus, *folders))
        for name in os.listdir(corpus):
            if name.startswith(("crash-", "leak-", "timeout-", "oom-")):
                with open(os.path.join(corpus, name), "rb") as f:
                    print(f"{name}: {f.read().hex()}")
    print(f"{sum(results)} passed, {len(results) - sum(results)} failed, 0 skipped")
    return 0 if all(results) else 1


if __name__ == "__main__":
    sys.exit(main())
