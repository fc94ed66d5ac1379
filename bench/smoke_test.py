#!/usr/bin/env python3
"""Runs bench/run --quick --json and asserts that every row is there with sane numbers; no speed."""
import json
import os
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))

# The names are part of the contract with whoever reads the JSON: repeated here on purpose.
EXPECTED = """
tls13-full-server tls13-full-client-seen tls13-full-client-leaf-new tls13-full-client-new
tls13-full-seen tls13-full-rsa-server tls13-full-p256-server tls13-full-p256-client-seen
tls13-resumed-client tls13-resumed-server tls13-resumed tls13-hrr
tls13-hybrid-client-seen tls13-hybrid-server tls13-psk-client tls13-psk-server tls13-psk
tls13-early-client tls13-early-server tls13-early
tls12-full-server tls12-full-client-seen tls12-full-seen tls12-full-client-new tls12-full-rsa-server
tls12-full-cbc-server tls12-resumed-client tls12-resumed-server tls12-resumed
tls12-resumed-id-client tls12-resumed-id-server tls12-resumed-id
aes128gcm-16k-send aes128gcm-16k-receive aes256gcm-16k-send aes256gcm-16k-receive
chacha20-16k-send chacha20-16k-receive aes128gcm-100b-send aes128gcm-100b-receive
aes128gcm-16k-send-share
tls12-aes128gcm-16k-send tls12-aes128gcm-16k-receive tls12-aes128gcm-100b-send
tls12-aes128gcm-100b-receive tls12-aes128cbc-sha-16k-send tls12-aes128cbc-sha-16k-receive
tls12-aes128cbc-sha-100b-send tls12-aes128cbc-sha-100b-receive
heap-idle heap-hibernated heap-peak-server
allocations-server allocations-client-seen allocations-client-new
locks-server locks-client-seen start-up
""".split()
TWO_PROCESSORS = ["threads-2-full", "threads-2-resumed", "threads-2-cache"]
MAY_BE_ZERO = {"locks-server", "locks-client-seen"}


def main():
    done = subprocess.run([sys.executable, os.path.join(HERE, "run"), "--quick", "--json", "--no-peers",
                           "--bin", sys.argv[1]], stdout=subprocess.PIPE, text=True, check=True)
    records = json.loads(done.stdout)
    expected = EXPECTED + (TWO_PROCESSORS if os.cpu_count() > 1 else [])
    faults = []
    names = [r["row"] for r in records]
    for row in expected:
        if names.count(row) != 1:
            faults.append("%s is there %d times" % (row, names.count(row)))
    faults += ["%s is not a known row" % n for n in names if n not in expected]
    for r in records:
        if sorted(r) != ["handfast", "ratio", "row", "stock", "unit"]:
            faults.append("%s has the fields %s" % (r["row"], " ".join(sorted(r))))
            continue
        if not r["stock"] > 0:
            faults.append("%s: stock is %s" % (r["row"], r["stock"]))
        if not (r["handfast"] > 0 or (r["row"] in MAY_BE_ZERO and r["handfast"] == 0)):
            faults.append("%s: handfast is %s" % (r["row"], r["handfast"]))
    for fault in faults:
        print("bench:", fault)
    print("%d passed, %d failed, 0 skipped" % (max(len(records) - len(faults), 0), len(faults)))
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
