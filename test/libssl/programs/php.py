"""PHP's own tests of TLS, on Debian's php8.2-cli. They come with PHP's source package: `source` is the folder that
it was unpacked in (with run-tests.php in it)."""

import os
import re

import library

PHP = "/usr/bin/php8.2"
FOLDERS = ["ext/openssl/tests", "ext/ftp/tests", "ext/standard/tests/streams", "ext/standard/tests/network"]
LINE = re.compile(r"^(PASS|FAIL|SKIP|XFAIL|WARN|BORK)\b.*\[(\S+\.phpt)\]")
OUTCOMES = {"PASS": "ok", "SKIP": "skip"}


def sources(fetch):
    return fetch("php8.2", ["run-tests.php", *FOLDERS])


def missing(source):
    if not library.command_exists(PHP):
        return f"no {PHP} (package php8.2-cli)"
    if not source or not os.path.exists(os.path.join(source, "run-tests.php")):
        return "no source of PHP (apt-get source php8.2; say where with --php-source)"
    return None


def run(lib, words, source, timeout=1500):
    # SKIP_ONLINE_TESTS leaves out what connects to hosts on the Internet, which a build machine may not reach and
    # which change: that would tell nothing of either library. What talks to a server of its own runs.
    more = {"TEST_PHP_EXECUTABLE": PHP, "NO_INTERACTION": "1", "SKIP_ONLINE_TESTS": "1", "TEMP": "/tmp"}
    command = [PHP, "-n", "-d", "extension_dir=/usr/lib/php/20220829", "run-tests.php", "-q", "--no-color", "-n",
               "--set-timeout", "15" if lib.name == library.NULL else "60"] + (words or FOLDERS)
    done = lib.run(command, timeout=timeout, cwd=source, more=more)
    outcomes = {}
    for line in done.stdout.splitlines():
        found = LINE.match(line.split("\r")[-1])
        if found:
            outcomes[found.group(2)] = OUTCOMES.get(found.group(1), "fail")
    if not outcomes:
        library.say(f"php on {lib.name}: no outcome\n" + done.stdout[-500:] + done.stderr[-500:])
    return outcomes
