"""CPython's own tests, on Debian's python3.11 with libpython3.11-testsuite."""

import os
import tempfile
import xml.etree.ElementTree as tree

import library

PYTHON = "/usr/bin/python3.11"
MODULES = ["test_ssl", "test_asyncio.test_sslproto", "test_asyncio.test_ssl", "test_asyncio.test_streams",
           "test_asyncio.test_events", "test_httplib", "test_ftplib", "test_imaplib", "test_poplib",
           "test_urllib2_localnet", "test_nntplib", "test_xmlrpc", "test_logging"]


def missing():
    if not library.command_exists(PYTHON):
        return f"no {PYTHON} (package python3.11)"
    if not os.path.exists("/usr/lib/python3.11/test/test_ssl.py"):
        return "no CPython tests (package libpython3.11-testsuite)"
    return None


def outcome(case):
    kinds = {child.tag for child in case}
    if kinds & {"failure", "error"}:
        return "fail"
    return "skip" if "skipped" in kinds or case.get("result") == "skipped" else "ok"


def module(lib, name, only, timeout):
    """{test: outcome} of one module. A module that does not come to its end has no report: that is all it says."""
    with tempfile.TemporaryDirectory() as folder:
        report = os.path.join(folder, "report.xml")
        command = [PYTHON, "-m", "test", "-u", "network", "--junit-xml", report, "--timeout", str(timeout)]
        for word in only:
            command += ["-m", word]
        done = lib.run(command + [name], timeout=timeout + 30, cwd=folder, more={"TMPDIR": folder})
        try:
            cases = tree.parse(report).getroot().iter("testcase")
            found = {f"{name}: {case.get('name')}": outcome(case) for case in cases}
        except (OSError, tree.ParseError):
            found = {}
        if not found or done.returncode not in (0, 2):
            last = (done.stderr.strip() or done.stdout.strip()).splitlines()[-12:]
            library.say(f"{name} on {lib.name}: exit status {done.returncode}\n  " + "\n  ".join(last))
        found[f"{name}: comes to its end"] = "ok" if found and done.returncode in (0, 2) else "fail"
        return found


def run(lib, words, only=(), timeout=600):
    outcomes = {}
    for name in words or MODULES:
        outcomes.update(module(lib, name, only, timeout))
        done = [v for k, v in outcomes.items() if k.startswith(name + ":")]
        library.say(f"{lib.name}: {name}: {done.count('ok')} ok, {done.count('skip')} skipped, "
                    f"{done.count('fail')} failed")
    return outcomes
