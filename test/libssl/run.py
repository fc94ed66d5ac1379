"""handfast run and handfast run --check: run.py HANDFAST LIBRARY"""

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile

HANDFAST, LIBRARY = os.path.abspath(sys.argv[1]), os.path.abspath(sys.argv[2])
FOLDER = os.path.dirname(LIBRARY)
good = bad = skipped = 0


def run(*arguments, **more):
    env = {"PATH": "/usr/bin:/bin"}
    env.update(more)
    return subprocess.run([HANDFAST, "run", *arguments], capture_output=True, text=True, env=env, timeout=240)


def check(fine, *shown):
    global good, bad
    good += bool(fine)
    bad += not fine
    if not fine:
        print("   ", *shown)


def starts():
    done = run("--", "sh", "-c", 'echo "$LD_LIBRARY_PATH"; exit 7')
    check(done.stdout == FOLDER + "\n" and done.returncode == 7, done)
    done = run("sh", "-c", 'echo "$0 $LD_LIBRARY_PATH"', "--check", LD_LIBRARY_PATH="/one:/two")
    check(done.stdout == f"--check {FOLDER}:/one:/two\n", done)
    done = run("--", "openssl", "version", LD_DEBUG="libs")
    check(f"calling init: {LIBRARY}" in done.stderr, done.stderr[-2000:])
    check(done.returncode == 0 and "OpenSSL" in done.stdout, done.stdout)


def mistakes():
    for arguments, status, words in (
            (("--", "/nonexistent"), 4, 'no program "/nonexistent"'), (("nonexistent",), 4, "no program"),
            ((), 1, "which program?"), (("--",), 1, "which program?"), (("--nothing", "sh"), 1, "no option --nothing"),
            (("--json", "sh"), 1, "--json goes with --check"), (("--", "/etc/passwd"), 4, "cannot be started"),
            (("--check", "/nonexistent"), 4, "no program"), (("--check", "/etc/passwd"), 4, "no ELF file")):
        done = run(*arguments)
        check(done.returncode == status and words in done.stderr, arguments, done)
    check("Usage: handfast run" in run("--help").stdout)


def others_rights():
    global skipped
    if os.getuid() != 0:
        print("    skipped: a program that is setuid for somebody else can only be made by root")
        skipped += 1
        return
    with tempfile.TemporaryDirectory() as folder:
        os.chmod(folder, 0o755)
        path = shutil.copy("/bin/true", folder + "/true")
        os.chown(path, 65534, 65534)
        os.chmod(path, 0o4755)
        done = run("--", path)
        check(done.returncode == 4 and "setuid" in done.stderr, done)


def imports(path):
    """Functions of libssl that an object imports, as readelf tells it."""
    out = subprocess.run(["readelf", "--dyn-syms", "-W", LIBRARY], capture_output=True, text=True).stdout
    ours = set(re.findall(r" (\w+)@@OPENSSL_3\.0\.0$", out, re.M))
    out = subprocess.run(["readelf", "--dyn-syms", "-W", path], capture_output=True, text=True).stdout
    return set(re.findall(r" UND (\w+)@OPENSSL_3\.0\.0", out)) & ours


def checks():
    openssl = "/usr/bin/openssl"
    done = run("--check", "--json", "openssl", "/bin/true")
    answer = json.loads(done.stdout)
    found = {f["name"]: f for f in answer[0]["functions"]}
    check(found.keys() == imports(openssl) and len(found) > 100, sorted(found.keys() ^ imports(openssl)))
    check({f["status"] for f in found.values()} <= {"implemented", "partly", "refuses"})
    check(all(f["imported_by"] == openssl for f in found.values()))
    check(answer[0]["wanted"] == len(found) and answer[1]["wanted"] == 0, answer[0]["wanted"], answer[1])
    check(found["SSL_CTX_set_options"]["status"] == "implemented")
    check(found["SSL_CTX_set_srp_client_pwd_callback"]["status"] == "refuses")
    check(found["SSL_get_srp_username"]["status"] == "partly" and found["SSL_get_srp_username"]["how"])
    done = run("--check", "openssl")
    first = done.stdout.splitlines()[0]
    check(re.match(r"/usr/bin/openssl: \d+ functions of libssl; implemented \d+, partly \d+, refuses \d+$", first), first)
    check(re.search(r"^  refuses +SSL_CTX_set_srp_client_pwd_callback +/usr/bin/openssl$", done.stdout, re.M))
    check("Nothing that it loads" in run("--check", "true").stdout)
    check(run("--check", LIBRARY).returncode == 0)


def damaged():
    """Any file may be named: a library that is cut or has wrong bytes must not crash the command."""
    data = open("/bin/true", "rb").read()
    with tempfile.TemporaryDirectory() as folder:
        path = folder + "/damaged"
        sections = int.from_bytes(data[40:48], "little")
        places = list(range(16, 64)) + list(range(sections, min(len(data), sections + 40 * 64), 8))
        for step, place in enumerate(places):
            changed = bytearray(data)
            changed[place] ^= 0xff
            with open(path, "wb") as f:
                f.write(changed[:place * 3] if step % 5 == 0 else changed)
            done = run("--check", path)
            check(done.returncode in (0, 4), place, done)


for part in (starts, mistakes, others_rights, checks, damaged):
    part()
print(f"{good} passed, {bad} failed, {skipped} skipped")
sys.exit(1 if bad else 0)
