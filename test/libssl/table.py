"""The table of all functions of libssl.so.3 in docs/libssl.md, and whether it is true.

    table.py SOURCE LIBRARY CALLS            compare the table with the library, and call every function that refuses
    table.py SOURCE LIBRARY CALLS --write    write the table

SOURCE is the project's folder, LIBRARY our libssl.so.3, CALLS the program made of calls.c. A function refuses if it
lies in the section refused_text (libssl/refused.c); how one does less than OpenSSL's is in
src/cli/libssl_notes.def. What refuses is called, and must say its name on the error queue.
"""

import os
import re
import subprocess
import sys

BEGIN, END = "<!-- table: made by test/libssl/table.py --write -->\n", "<!-- end of table -->\n"


def names(source):
    text = open(os.path.join(source, "libssl/functions.def"), encoding="utf-8").read()
    return re.findall(r"^SSL_FUNCTION\((\w+)\)", text, re.M)


def notes(source):
    text = open(os.path.join(source, "src/cli/libssl_notes.def"), encoding="utf-8").read()
    return dict(re.findall(r'^PARTLY\((\w+),\s*"([^"]*)"\)', text, re.M))


def readelf(*arguments):
    return subprocess.run(["readelf", "-W", *arguments], check=True, capture_output=True, text=True).stdout


def exported(library):
    """{function: name of its section}, and the version node of each."""
    sections = dict(re.findall(r"^\s*\[\s*(\d+)\]\s+(\S+)", readelf("-S", library), re.M))
    found, versions = {}, set()
    for line in readelf("--dyn-syms", library).splitlines():
        field = line.split()
        if len(field) >= 8 and field[3] == "FUNC" and field[6].isdigit():
            name, _, version = field[7].partition("@@")
            found[name] = sections.get(field[6], "")
            versions.add(version)
    return found, versions


def table(source, library):
    how, found = notes(source), exported(library)[0]
    lines, counts = ["| function | status |\n", "|---|---|\n"], {"implemented": 0, "partly": 0, "refuses": 0}
    for name in sorted(names(source)):
        if found.get(name) == "refused_text":
            status = text = "refuses"
        elif name in how:
            status, text = "partly", "partly: " + how[name]
        else:
            status = text = "implemented"
        counts[status] += 1
        lines.append(f"| `{name}` | {text} |\n")
    head = (f"{sum(counts.values())} functions: {counts['implemented']} implemented, {counts['partly']} partly, "
            f"{counts['refuses']} refuse.\n\n")
    return BEGIN + head + "".join(lines) + END


def split(page):
    text = open(page, encoding="utf-8").read()
    before, _, rest = text.partition(BEGIN)
    return before, BEGIN + rest.partition(END)[0] + END, rest.partition(END)[2]


class Checks:
    def __init__(self):
        self.good = self.bad = 0

    def check(self, fine, text):
        self.good += bool(fine)
        self.bad += not fine
        if not fine:
            print("    " + text)


def main():
    source, library, calls = sys.argv[1:4]
    page = os.path.join(source, "docs/libssl.md")
    before, old, after = split(page)
    new = table(source, library)
    if "--write" in sys.argv:
        with open(page, "w", encoding="utf-8") as f:
            f.write(before + new + after)
        return 0
    checks = Checks()
    found, versions = exported(library)
    wanted = set(names(source))
    checks.check(versions == {"OPENSSL_3.0.0"}, f"version nodes: {versions}")
    checks.check(len(wanted) == 518, f"{len(wanted)} names in functions.def")
    for name in sorted(wanted ^ found.keys()):
        checks.check(False, f"{name}: {'not exported' if name in wanted else 'exported, and not in functions.def'}")
    for a, b in zip(old.splitlines(), new.splitlines()):
        checks.check(a == b, f"docs/libssl.md has {a!r}; it is {b!r}: run table.py --write")
    checks.check(old.count("\n") == new.count("\n"), "docs/libssl.md: the table has another length")
    for name in notes(source):
        checks.check(found.get(name) not in (None, "refused_text"), f"{name} has a note, and is not implemented")
    refused = sorted(n for n in wanted if found.get(n) == "refused_text")
    env = {"PATH": "/usr/bin:/bin", "LD_LIBRARY_PATH": os.path.dirname(os.path.abspath(library))}
    for name in ("ASAN_OPTIONS", "UBSAN_OPTIONS", "LD_PRELOAD"):
        if name in os.environ:
            env[name] = os.environ[name]
    done = subprocess.run([calls], input="\n".join(refused) + "\n", capture_output=True, text=True, env=env, timeout=60)
    said = dict(line.split(": ", 1) for line in done.stdout.splitlines() if ": " in line)
    for name in refused:
        checks.check(said.get(name) == f"handfast's libssl has no {name}", f"{name} says {said.get(name)!r}")
    print(f"{checks.good} passed, {checks.bad} failed, 0 skipped")
    return 1 if checks.bad else 0


if __name__ == "__main__":
    sys.exit(main())
