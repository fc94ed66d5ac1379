"""Make docs/checklist.md of the promises in docs/checklist.rows and of what the tests showed.

./check leaves build/checklist.json behind: how each test program ended, and each test function that names
rows (ROW in test/unit/check.h). A row is kept ("yes") if tests show it and all of them passed.

    tools/checklist.py --write    write docs/checklist.md from the last whole run of ./check
    tools/checklist.py --check    fail if docs/checklist.md promises what that run did not show
"""

import json
import os
import re
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
ROWS = os.path.join(ROOT, "docs", "checklist.rows")
PAGE = os.path.join(ROOT, "docs", "checklist.md")
RESULTS = os.path.join(ROOT, "build", "checklist.json")
NAMED = re.compile(r"^(ok|FAIL|skip)\s+(\S+).*?\[((?:[A-Z]\d+ ?)+)\]", re.M)
STATES = ("yes", "fails", "skipped", "not run", "part", "choice", "no", "no test")

HEAD = """# Behaviours promised, and whether they are kept

Made by `tools/checklist.py` from the results of `./check`; the promises stand in [checklist.rows](checklist.rows).
*yes*: tests show it, and all of them passed. *part*: the rest of the row says what is missing. *choice*: it is
otherwise on purpose. *no*: not there yet. *no test*: it may be there, but no test says so.
"""


class Row:
    def __init__(self, line):
        fields = [field.strip() for field in line.split("|")] + ["", ""]
        self.id, self.text, shown, self.note = fields[:4]
        self.programs = shown.split()


def read_rows(path=ROWS):
    """[(title, free text, [Row])], in the file's order."""
    groups = []
    with open(path, encoding="utf-8") as f:
        for line in f.read().splitlines():
            if line.startswith("# "):
                continue
            if line.startswith("== "):
                groups.append((line[3:], [], []))
            elif re.match(r"[A-Z]\d+ \|", line):
                groups[-1][2].append(Row(line))
            elif groups:
                groups[-1][1].append(line)
    return [(title, "\n".join(text).strip(), rows) for title, text, rows in groups]


def collect(name, text, outcome, results):
    """Add one program's outcome ("ok", "FAIL", "skip") and what its output says of rows."""
    results["programs"][name] = outcome
    results["rows"][name] = [[word, test, ids.split()] for word, test, ids in NAMED.findall(text)]


def merge(results, path=RESULTS):
    """Put a run's results over those of earlier runs."""
    try:
        with open(path, encoding="utf-8") as f:
            known = json.load(f)
    except (OSError, ValueError):
        known = {"programs": {}, "rows": {}}
    for key in ("programs", "rows"):
        known[key].update(results[key])
    with open(path, "w", encoding="utf-8") as f:
        json.dump(known, f, indent=0, sort_keys=True)


def shown_by(row, results):
    """[(outcome, test)] of every test that shows a row."""
    found = [(results["programs"].get(name, "not run"), name) for name in row.programs]
    for program in sorted(results["rows"]):
        for word, test, ids in results["rows"][program]:
            if row.id in ids:
                found.append((word, f"{program} {test}"))
    return found


def state_of(row, results):
    if row.note:
        return row.note.split(":")[0]
    outcomes = {outcome for outcome, _ in shown_by(row, results)}
    if not outcomes:
        return "no test"
    if "FAIL" in outcomes:
        return "fails"
    if "not run" in outcomes:
        return "not run"
    return "yes" if "ok" in outcomes else "skipped"


def line_of(row, results):
    state = state_of(row, results)
    shown = {}
    for _, test in shown_by(row, results):
        program, _, function = test.partition(" ")
        shown.setdefault(program, []).append(function)
    tests = "; ".join(f"`{program}`" + (": " + ", ".join(f for f in functions if f) if any(functions) else "")
                      for program, functions in shown.items())
    why = row.note.partition(":")[2].strip()
    return f"| {row.id} | {row.text}{'. *' + why + '*' if why else ''} | {state} | {tests} |"


def page(results):
    out = [HEAD]
    groups = read_rows()
    out.append("| group | rows | " + " | ".join(STATES) + " |\n|---|" + "---|" * (len(STATES) + 1))
    for title, _, rows in groups:
        if rows:
            states = [state_of(row, results) for row in rows]
            out.append(f"| {title} | {len(rows)} | "
                       + " | ".join(str(states.count(s) or "") for s in STATES) + " |")
    for title, text, rows in groups:
        out.append(f"\n## {title}\n")
        if text:
            out.append(text + "\n")
        if rows:
            out.append("| | behaviour | state | shown by |\n|---|---|---|---|")
            out += [line_of(row, results) for row in rows]
    return "\n".join(out) + "\n"


def check(results):
    """What docs/checklist.md says more than the results show, as lines."""
    with open(PAGE, encoding="utf-8") as f:
        promised = dict(re.findall(r"^\| ([A-Z]\d+) \| .* \| (yes) \|", f.read(), re.M))
    known = {row.id: row for _, _, rows in read_rows() for row in rows}
    faults = [f"{row}: said to be kept, but the tests say: {state_of(known[row], results)}"
              for row in promised if row in known and state_of(known[row], results) != "yes"]
    for program, tests in results["rows"].items():
        faults += [f"{program} {test}: there is no row {i}" for _, test, ids in tests for i in ids if i not in known]
    return faults


def load():
    with open(RESULTS, encoding="utf-8") as f:
        return json.load(f)


def main():
    if sys.argv[1:] == ["--write"]:
        with open(PAGE, "w", encoding="utf-8") as f:
            f.write(page(load()))
        return 0
    if sys.argv[1:] == ["--check"]:
        faults = check(load())
        print("\n".join(faults))
        return 1 if faults else 0
    print(__doc__)
    return 2


if __name__ == "__main__":
    sys.exit(main())
