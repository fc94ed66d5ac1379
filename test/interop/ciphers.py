"""What `handfast ciphers` shows: ciphers.py HANDFAST

The choice itself is compared with OpenSSL's in test/unit/test_ciphers.c; here it is the command's options,
its three forms of output, and what it says of mistakes.
"""

import json
import subprocess
import sys

HANDFAST = sys.argv[1]


class Failure(Exception):
    pass


def run(*args, status=0):
    done = subprocess.run([HANDFAST, "ciphers", *args], capture_output=True, text=True, timeout=30)
    if done.returncode != status:
        raise Failure(f"{args}: exit status {done.returncode}, not {status}: {done.stderr}")
    return done.stdout if status == 0 else done.stderr


def same(got, want):
    if got != want:
        raise Failure(f"{got!r} is not {want!r}")


def has(text, *words):
    for word in words:
        if word not in text:
            raise Failure(f"no {word!r} in {text!r}")


def names(*args):
    return run(*args, "--names").strip().split(":")


DEFAULT = [
    "TLS_AES_128_GCM_SHA256", "TLS_AES_256_GCM_SHA384", "TLS_CHACHA20_POLY1305_SHA256",
    "ECDHE-ECDSA-AES128-GCM-SHA256", "ECDHE-RSA-AES128-GCM-SHA256",
    "ECDHE-ECDSA-AES256-GCM-SHA384", "ECDHE-RSA-AES256-GCM-SHA384",
    "ECDHE-ECDSA-CHACHA20-POLY1305", "ECDHE-RSA-CHACHA20-POLY1305",
]


def default():
    same(names(), DEFAULT)
    same(names("--tls1.3"), DEFAULT[:3])
    same(names("--max", "1.2"), DEFAULT[3:])
    same(names("--min=1.3"), DEFAULT[:3])


def string():
    same(names("AES256-SHA:AES128-SHA:TLS_RSA_WITH_NULL_SHA"), [*DEFAULT[:3], "AES256-SHA", "AES128-SHA", "NULL-SHA"])
    same(names("--tls1.2", "kRSA+AESGCM"), ["AES256-GCM-SHA384", "AES128-GCM-SHA256"])
    same(names("--tls1.0", "kRSA+AES:!SHA256"), ["AES256-SHA", "AES128-SHA"])
    same(names("--tls1.1", "--tls1.2", "AES128-SHA:AES128-SHA256"), ["AES128-SHA", "AES128-SHA256"])


def table():
    text = run("--ids", "AES128-SHA:NULL-SHA:PSK-AES128-CCM")
    lines = text.splitlines()
    same(lines[0].split()[:2], ["id", "name"])
    same(lines[1].split(), ["0x13,0x01", "TLS_AES_128_GCM_SHA256", "TLS_AES_128_GCM_SHA256", "1.3", "any", "any",
                            "AESGCM(128)", "AEAD", "128"])
    same(lines[4].split(), ["0x00,0x2F", "TLS_RSA_WITH_AES_128_CBC_SHA", "AES128-SHA", "1.0-1.2", "RSA", "RSA",
                            "AES(128)", "SHA1", "128"])
    same(lines[5].split()[:3], ["0x00,0x02", "-", "TLS_RSA_WITH_NULL_SHA"])
    same(lines[6].split()[:3], ["0xC0,0xA4", "-", "TLS_PSK_WITH_AES_128_CCM"])
    same(lines[7], "6 suites; security level 2")
    has(lines[8], "2 marked -", "pre-shared key")
    if "0x13" in run("AES128-SHA"):
        raise Failure("numbers without --ids")


def levels():
    has(run("NULL-SHA:@SECLEVEL=0"), "4 suites; security level 0\n")
    text = run("NULL-SHA:@SECLEVEL=0", "--security-level", "3")
    has(text, "security level 3", "marked -")
    usable = {s["openssl_name"]: s["usable"] for s in json.loads(run("kRSA:ECDHE", "--json", "--security-level=3"))["suites"]}
    same(usable["AES128-SHA"], False)
    same(usable["ECDHE-RSA-AES128-SHA"], True)


def all_of_them():
    seen = json.loads(run("--all", "--json"))
    same(seen["security_level"], 2)
    same(len(seen["suites"]), 97)
    first = seen["suites"][3 + 2]
    same(first, {"id": 0xc02b, "name": "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256",
                 "openssl_name": "ECDHE-ECDSA-AES128-GCM-SHA256", "version_min": "TLS 1.2", "version_max": "TLS 1.2",
                 "key_exchange": "ECDHE", "authentication": "ECDSA", "encryption": "AESGCM(128)", "mac": "AEAD",
                 "bits": 128, "by_default": True, "usable": True})
    same(len({s["id"] for s in seen["suites"]}), 97)


def mistakes():
    has(run("FOO", status=4), "nothing is known as 'FOO'")
    has(run("AES:(", status=4), "'(' is not understood")
    has(run("", status=4), "no suite of TLS 1.2 or older matches")
    has(run("AES", "kRSA", status=1), 'one string is enough: "kRSA" comes after "AES"')
    has(run("--all", "AES", status=1), '--all shows every suite; "AES" chooses some')
    has(run("--min", "1.3", "--max", "1.2", status=4), "the lowest is above the highest")
    has(run("--min", "1.5", status=1), '--min takes one of 1.0|1.1|1.2|1.3, not "1.5"')
    has(run("--security-level", "6", status=1), "--security-level takes a number from 0 to 5")
    has(run("--root", "x", status=1), "--root is an option of handfast serve only")
    has(run("--name", status=1), "handfast help ciphers")


def old_versions():
    done = subprocess.run([HANDFAST, "connect", "localhost:1", "--tls1.0"], capture_output=True, text=True, timeout=30)
    same(done.returncode, 4)
    has(done.stderr, "TLS 1.0 and 1.1", "--security-level 0")


ROWS = {"default": " [Y158]", "string": " [Y158]", "table": " [Y158]"}


def main():
    passed = failed = 0
    for test in (default, string, table, levels, all_of_them, mistakes, old_versions):
        try:
            test()
            passed += 1
            print(f"ok   {test.__name__}{ROWS.get(test.__name__, '')}")
        except Failure as e:
            failed += 1
            print(f"FAIL {test.__name__}: {e}")
    print(f"{passed} passed, {failed} failed, 0 skipped")
    return 1 if failed else 0


sys.exit(main())
