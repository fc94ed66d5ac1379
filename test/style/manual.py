"""The manual and the command agree: manual.py HANDFAST. Each option that `handfast help COMMAND` lists stands in a page
of docs/, in a section for that command; each option that a section explains is one; and the pages render without a
warning."""

import glob
import os
import re
import shutil
import subprocess
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
PAGES = sorted(glob.glob(os.path.join(ROOT, "docs", "*.[17]")))
HANDFAST = os.path.abspath(sys.argv[1])
EXPLAINED = re.compile(r"^\.It .*$", re.M)
OPTION = re.compile(r"Fl -([a-z][a-z0-9.-]*)")


def run(*words):
    return subprocess.run(words, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)


def commands():
    return re.findall(r"^  ([a-z]+)  ", run(HANDFAST, "help").stdout, re.M)


def options(command):
    """Those that the command's help lists, --help aside."""
    text = run(HANDFAST, "help", command).stdout
    if command == "cert":  # its verbs have the options
        text = "".join(run(HANDFAST, "help", command, verb).stdout for verb in re.findall(r"^  ([a-z]+)  ", text, re.M))
    found = set(re.findall(r"^  --([a-z][a-z0-9.-]*)", text, re.M))
    return found - {"help"}


def sections(known):
    """(commands, text, where): what the manual says of which commands."""
    for page in PAGES:
        with open(page, encoding="utf-8") as f:
            text = f.read()
        own = re.fullmatch(r"handfast-(\w+)\.1", os.path.basename(page))
        for part in [text] if own else re.split(r"^\.S[sh] ", text, flags=re.M):
            title = part.split("\n", 1)[0]
            names = [own[1]] if own else [w for w in re.findall(r"[a-z]+", title) if w in known]
            if own or title in known or title.startswith("Options of"):
                yield names, part, f"{os.path.basename(page)}, {own[1] if own else title}"


def check_options():
    faults, known = [], commands()
    told = {command: set() for command in known}
    have = {command: options(command) for command in known}
    have["run"] |= {"check", "json"}  # it reads its words itself
    for names, text, where in sections(known):
        explained = {o for line in EXPLAINED.findall(text) for o in OPTION.findall(line)}
        for name in names:
            told[name] |= set(OPTION.findall(text))
            faults += [f"{where}: handfast {name} has no --{o}" for o in sorted(explained - have[name])]
    for command in known:
        faults += [f"--{o} of handfast {command} does not stand in the manual" for o in sorted(have[command] - told[command])]
    return faults


def check_commands():
    with open(os.path.join(ROOT, "docs", "handfast.1"), encoding="utf-8") as f:
        text = f.read()
    return [f"handfast.1: nothing about {c}" for c in commands() if f".Cm {c}\n" not in text]


def check_rendering():
    faults = []
    for page in PAGES:
        name = os.path.basename(page)
        if shutil.which("mandoc"):
            lines = run("mandoc", "-Tlint", "-Wwarning", page).stdout.splitlines()
            faults += [f"{name}: {line}" for line in lines if "mandoc.db" not in line]
        if shutil.which("groff"):
            faults += [f"{name}: {line}" for line in run("sh", "-c", f"groff -ww -mdoc -Tutf8 '{page}' 2>&1 >/dev/null")
                       .stdout.splitlines()]
        if shutil.which("man"):
            done = run("sh", "-c", f"MANROFFSEQ= MANWIDTH=80 man --warnings -E UTF-8 -l -Tutf8 -Z '{page}' 2>&1 >/dev/null")
            faults += [f"{name}: {line}" for line in done.stdout.splitlines()]
    return faults


def main():
    failed = skipped = 0
    checks = [("options", check_options), ("commands", check_commands), ("rendering", check_rendering)]
    for name, check in checks:
        if name == "rendering" and not any(shutil.which(tool) for tool in ("mandoc", "groff", "man")):
            print("skip rendering: needs mandoc, groff or man (packages mandoc, groff, man-db)")
            skipped += 1
            continue
        faults = check()
        print(f"{'FAIL' if faults else 'ok'}   {name}")
        for fault in faults:
            print(f"     {fault}")
        failed += bool(faults)
    print(f"{len(checks) - failed - skipped} passed, {failed} failed, {skipped} skipped")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
