"""docs/checklist.md and docs/checklist.rows have the same rows, and tests name only rows that exist."""

import glob
import os
import re
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path.insert(0, os.path.join(ROOT, "tools"))
import checklist  # noqa: E402


def named_in_tests():
    """(file, row) of every ROW("...") in the tests."""
    for path in glob.glob(os.path.join(ROOT, "test", "**", "*.[ch]"), recursive=True):
        with open(path, encoding="utf-8") as f:
            for ids in re.findall(r'ROW\("([^"]*)"\)', f.read()):
                for row in ids.split():
                    yield os.path.relpath(path, ROOT), row


def main():
    rows = [row for _, _, rows in checklist.read_rows() for row in rows]
    known = {row.id for row in rows}
    faults = [f"docs/checklist.rows: {row.id} stands there twice" for i, row in enumerate(rows)
              if row.id in {r.id for r in rows[:i]}]
    faults += [f"{path}: there is no row {row}" for path, row in named_in_tests()
               if row not in known and path != "test/unit/check.h"]
    with open(checklist.PAGE, encoding="utf-8") as f:
        page = dict(re.findall(rf"^\| ([A-Z]\d+) \| (.*?) \| (?:{'|'.join(checklist.STATES)}) \|", f.read(), re.M))
    faults += [f"docs/checklist.md: {row.id} is not as in checklist.rows; run tools/checklist.py --write"
               for row in rows if not page.get(row.id, "").startswith(row.text)]
    print("\n".join(faults))
    print(f"{1 if not faults else 0} passed, {1 if faults else 0} failed, 0 skipped")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
