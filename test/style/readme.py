"""Documents agree with the sources: every C block in README.md and docs/ that is marked with the
example it comes from stands in that file, word for word; every link to a file of the repository
leads somewhere; and the public headers compile alone, as C11 and as C++."""

import glob
import os
import re
import shutil
import subprocess
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
BLOCK = re.compile(r"(?:<!-- from (\S+) -->\n)?```c\n(.*?)```", re.S)
CODE = re.compile(r"```[\s\S]*?```|`[^`\n]*`|^    .*$", re.M)
LINK = re.compile(r"\]\(([^)#]+)(?:#[^)]*)?\)")
HEADERS = sorted(os.path.basename(path) for path in glob.glob(os.path.join(ROOT, "include", "*.h")))


def read(path):
    with open(os.path.join(ROOT, path), encoding="utf-8") as f:
        return f.read()


def documents():
    return sorted(os.path.relpath(p, ROOT) for p in
                  glob.glob(os.path.join(ROOT, "*.md")) + glob.glob(os.path.join(ROOT, "docs", "*.md")))


def bare(text):
    return [line.strip() for line in text.strip().splitlines()]


def check_examples():
    faults = []
    for path in documents():
        for source, block in BLOCK.findall(read(path)):
            if not source:
                faults.append(f"{path}: a C block without <!-- from FILE --> above it: "
                              + block.strip().splitlines()[0])
                continue
            whole, part = bare(read(source)), bare(block)
            if not any(whole[i:i + len(part)] == part for i in range(len(whole))):
                faults.append(f"{path}: a C block is not in {source}: {part[0]}")
    readme = read("README.md")
    for source in ("examples/client.c", "examples/server.c"):
        if f"<!-- from {source} -->" not in readme:
            faults.append(f"README.md does not show {source}")
    return faults


def check_links():
    faults = []
    for path in documents():
        for link in LINK.findall(CODE.sub("", read(path))):
            if "://" in link or link.startswith("mailto:"):
                continue
            if not os.path.exists(os.path.join(ROOT, os.path.dirname(path), link)):
                faults.append(f"{path}: {link} is not there")
    return faults


def check_headers():
    faults = []
    compilers = [["gcc", "-std=c11", "-xc"], ["g++", "-std=c++17", "-xc++"],
                 ["clang", "-std=c11", "-xc"], ["clang++", "-std=c++17", "-xc++"]]
    for compiler in compilers:
        if not shutil.which(compiler[0]):
            continue
        for header in HEADERS:
            done = subprocess.run([*compiler, "-Wall", "-Wextra", "-Wpedantic", "-Werror", "-fsyntax-only",
                                   "-I", os.path.join(ROOT, "include"), "-"],
                                  input=f"#include <{header}>\nhf_error handfast_error = {{}};\n"
                                  if "++" in compiler[0] else f"#include <{header}>\nint handfast_used;\n",
                                  text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
            if done.returncode != 0:
                faults.append(f"{header} with {' '.join(compiler)}: {done.stdout.strip()}")
    return faults


def check_licence():
    """One licence, by the name of its SPDX identifier in the project's file, and no other in the repository."""
    faults = []
    if "license: 'Apache-2.0'" not in read("meson.build"):
        faults.append("meson.build does not say Apache-2.0")
    if "Apache License" not in read("LICENSE")[:200] or "Version 2.0" not in read("LICENSE")[:200]:
        faults.append("LICENSE is not the Apache License 2.0")
    if "LICENSE" not in read("README.md"):
        faults.append("README.md does not name LICENSE")
    for path in glob.glob(os.path.join(ROOT, "**", "*"), recursive=True):
        if os.path.relpath(path, ROOT).startswith("build"):
            continue  # sources of others' programs, which their tests came from
        if re.fullmatch(r"(?i)(copying|licen[cs]e).*", os.path.basename(path)) and \
                path != os.path.join(ROOT, "LICENSE") and not path.endswith((".c", ".h", ".py")):
            faults.append(os.path.relpath(path, ROOT) + ": another licence")
    return faults


ROWS = {"licence": " [C59]"}


def main():
    failed = 0
    rules = [check_examples, check_links, check_headers, check_licence]
    for rule in rules:
        faults = rule()
        failed += bool(faults)
        name = rule.__name__.removeprefix("check_")
        print(f"{'FAIL' if faults else 'ok  '} {name}{ROWS.get(name, '')}")
        for fault in faults:
            print("     " + fault)
    print(f"{len(rules) - failed} passed, {failed} failed, 0 skipped")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
