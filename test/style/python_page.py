"""docs/python.md against the headers, and against the ssl module of the Python that runs this."""

import os
import re
import ssl
import sys
import types

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
CLASSES = ["SSLContext", "SSLSocket", "SSLObject", "MemoryBIO", "SSLSession"]
failed = []


def read(*path):
    with open(os.path.join(ROOT, *path), encoding="utf-8") as f:
        return f.read()


def page():
    return read("docs", "python.md")


def quoted(text):
    return re.findall(r"`([^`]+)`", text)


def check_headers():
    """Each name of ours on the page is in a public header."""
    headers = ""
    for name in sorted(os.listdir(os.path.join(ROOT, "include"))):
        headers += read("include", name)
    errors = set(re.findall(r"^HF_ERROR\((\w+)", read("include", "handfast_errors.def"), re.M))
    known = set(re.findall(r"\b(?:hf|HF)_\w+", headers)) | {"HF_E_" + e for e in errors}
    names = {n for q in quoted(page()) for n in re.findall(r"\b(?:hf|HF)_\w+", q)}
    if len(names) < 200:
        return ["only %d names of ours on the page" % len(names)]
    return ["docs/python.md: %s is in no header" % n for n in sorted(names)
            if n not in known and not (n.endswith("_") and any(k.startswith(n) for k in known))]


def public_names():
    for name in dir(ssl):
        value = getattr(ssl, name)
        if not name.startswith("_") and not isinstance(value, types.ModuleType):
            yield name
    for c in CLASSES:
        for name in dir(getattr(ssl, c)):
            if not name.startswith("_"):
                yield c + "." + name


def check_complete():
    """Each public name of Python's module is on the page."""
    there = set(quoted(page()))
    return ["docs/python.md: %s is missing" % n for n in public_names() if n not in there]


def check_values():
    """Where a row has a number of Python's and one of ours, they are the same."""
    text = read("include", "handfast_names.h") + read("include", "handfast_context.h")
    ours = {m[0]: int(m[1], 0) for m in re.findall(r"\b(HF_\w+) = (-?\w+)[,\s]", text)
            if re.fullmatch(r"-?(0x)?[0-9a-fA-F]+", m[1])}
    ours.update({m[0]: int(m[1], 0) for m in re.findall(r"#define (HF_OP_\w+)\s+UINT64_C\((\w+)\)", text)})
    bad, compared = [], 0
    for python, here in re.findall(r"^\| `(\w+)` \| `(HF_\w+)`", page(), re.M):
        if not hasattr(ssl, python) or here not in ours:
            continue
        if not python.startswith(("OP_", "PROTOCOL_", "ALERT_", "SSL_ERROR_")):
            continue
        compared += 1
        if int(getattr(ssl, python)) & 0xffffffff != ours[here]:
            bad.append("%s is %d, %s is %d" % (python, getattr(ssl, python), here, ours[here]))
    return bad if compared > 50 else bad + ["only %d values were compared" % compared]


def check_certificates():
    """What Python's page says about certificates stands in docs/api.md, and the names there are in a header."""
    text = read("docs", "api.md")
    if "## What a certificate says" not in text:
        return ["docs/api.md does not say what a certificate is"]
    text = text[text.index("## What a certificate says"):].split("\n## ")[0]
    bad = ["docs/api.md: nothing about the %s" % w for w in ("issuer", "subject", "principals", "date", "trust")
           if w not in text]
    header = "".join(read("include", name) for name in os.listdir(os.path.join(ROOT, "include")))
    return bad + ["docs/api.md: %s is in no header" % n for q in quoted(text) for n in re.findall(r"\bhf_\w+", q)
                  if n not in header]


def check_rows():
    """Each row has three cells, and one that has no call says why."""
    bad = []
    for line in page().splitlines():
        if not line.startswith("| `"):
            continue
        cells = [c.strip() for c in line.strip("|").split("|")]
        if len(cells) != 3 or not cells[1]:
            bad.append("docs/python.md: %s" % line)
        elif cells[1] == "—" and not cells[2]:
            bad.append("docs/python.md: no reason: %s" % line)
    return bad


CHECKS = [(check_headers, ""), (check_complete, ""), (check_values, " [Y21 Y65 Y79]"), (check_rows, ""),
          (check_certificates, " [Y146]")]
for check, rows in CHECKS:
    faults = check()
    print(("FAIL " if faults else "ok   ") + check.__name__[6:] + rows)
    for fault in faults:
        print("     " + fault)
    failed += [check] if faults else []
print("%d passed, %d failed, 0 skipped" % (len(CHECKS) - len(failed), len(failed)))
sys.exit(bool(failed))
