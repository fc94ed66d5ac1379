"""Ruby's own tests of its openssl library, on Debian's ruby. They come with its source package."""

import os
import re

import library

RUBY = "/usr/bin/ruby3.1"
FILES = ["test_ssl", "test_ssl_session", "test_pair"]
# What they ask for is not to be had of handfast, as docs/libssl.md says: NPN.
LEFT_OUT = re.compile(r"#test_npn_\w+$")
RAN = re.compile(r"^\[ *\d+/\d+\] (OpenSSL::\w+#test_\w+) = ", re.M)
NOT_OK = re.compile(r"^ +\d+\) (Failure|Error|Skipped):\n(OpenSSL::\w+#test_\w+)", re.M)


def sources(fetch):
    return fetch("ruby3.1", ["test/openssl", "test/lib", "tool/lib"])


def missing(source):
    if not library.command_exists(RUBY):
        return f"no {RUBY} (package ruby3.1)"
    if not os.path.exists(os.path.join(source, "test/openssl/test_ssl.rb")):
        return "no source of Ruby (apt-get source ruby3.1)"
    return None


def run(lib, words, source):
    folder = os.path.join(source, "test/openssl")
    load = "require 'test/unit'; " + "; ".join(f"require './{name}.rb'" for name in words or FILES)
    done = lib.run([RUBY, "-I../../tool/lib", "-I../lib", "-I.", "-e", load, "--", "-v"], cwd=folder, timeout=900,
                   more={"OSSL_TEST_ALL": "1"})
    found = {name: "ok" for name in RAN.findall(done.stdout)}
    found.update((name, "skip" if how == "Skipped" else "fail") for how, name in NOT_OK.findall(done.stdout))
    found = {name: how for name, how in found.items() if not LEFT_OUT.search(name)}
    if not found:
        library.say(f"ruby on {lib.name}: no outcome\n" + done.stdout[-500:] + done.stderr[-500:])
    return found
