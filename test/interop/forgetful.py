"""Every peer's client against a server that forgets it after the HelloRetryRequest: forgetful.py FORGETFUL
[--cache FOLDER] [WORD]

One process sends the HelloRetryRequest and ends, another goes on (forgetful.c). Once with what both sides do by
themselves, where the cookie is all that is asked for, and once with a group that a client sends no share for.
"""

import argparse
import os
import sys
import time

import peer as peer_tools
import peers
from core import SCRATCH, Failure, Process, Score, Skip, free_port, tail
from pki import Pki

# GnuTLS 3.7.9 makes no second ClientHello for a HelloRetryRequest that asks for a cookie alone, whoever sends it.
KEY_SHARE_ONLY = {"gnutls": "its client wants a key_share in each HelloRetryRequest"}
ASKED = "P-384"


def talk(pki, program, at, groups):
    why = at.missing()
    if why:
        raise Skip(why)
    if not groups and at.key in KEY_SHARE_ONLY:
        raise Skip(KEY_SHARE_ONLY[at.key])
    if at.no_retry or (groups and "secp384r1" not in at.groups):
        raise Skip(at.no_retry or f"it does not know {ASKED}")
    port = free_port()
    server = Process([program, str(port), pki.chain("ec"), pki.key("ec"), "-" if at.wants == "echo" else SCRATCH,
                      *([groups] if groups else [])], name="forgetful").wait_port(port)
    try:
        at.talk(pki, port, 1000, ca=pki.ca)
        if "returned" not in server.err():
            raise Failure("the server has seen no cookie come back: " + tail(server.err()))
    finally:
        server.stop()


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("program")
    parser.add_argument("--cache")
    parser.add_argument("word", nargs="?", default="")
    options = parser.parse_args()
    if options.cache:
        peer_tools.set_cache(os.path.abspath(options.cache))
    score, begun = Score(), time.monotonic()
    pki = Pki(os.path.join(SCRATCH, "pki"))
    for one in peers.ALL:
        if not one.is_client or "1.3" not in one.versions:
            continue
        for groups in ("", ASKED):
            name = f"{one.name}, {'a share is missing' if groups else 'a cookie alone'}"
            if options.word in name:
                print(f"{score.check(name, talk, pki, os.path.abspath(options.program), one.at('1.3'), groups):4} {name}",
                      flush=True)
    print(f"\n{time.monotonic() - begun:.0f} s")
    return score.done()


if __name__ == "__main__":
    sys.exit(main())
