"""The tests of IO::Socket::SSL and Net::SSLeay, on Debian's packages of them. They come with their source packages:
`source` is a folder for those."""

import os
import re

import library

PROVE = "/usr/bin/prove"
# module: (source package, Debian's path of it, folder of tests, options of prove)
MODULES = {
    "IO-Socket-SSL": ("libio-socket-ssl-perl", "/usr/share/perl5/IO/Socket/SSL.pm", "t", []),
    "Net-SSLeay": ("libnet-ssleay-perl", "/usr/lib/x86_64-linux-gnu/perl5/5.36/Net/SSLeay.pm", "t/local",
                   ["-Iinc", "-I."]),
}
# What they ask for is not to be had of handfast, as docs/libssl.md says: NPN.
LEFT_OUT = {"t/npn.t", "t/local/40_npn_support.t"}
LINE = re.compile(r"^(t/\S+\.t) \.+ ?(ok|skipped)?")


def sources(fetch):
    return {name: fetch(package, []) for name, (package, *_) in MODULES.items()}


def missing(source):
    if not library.command_exists(PROVE):
        return f"no {PROVE} (package perl)"
    for name, (package, path, *_) in MODULES.items():
        if not os.path.exists(path):
            return f"no {name} (package {package})"
        if not os.path.isdir(os.path.join(source[name], "t")):
            return f"no source of {name} (apt-get source {package})"
    return None


def run(lib, words, source):
    outcomes = {}
    for name in words or MODULES:
        folder, options = MODULES[name][2:]
        tests = sorted(os.path.join(folder, test) for test in os.listdir(os.path.join(source[name], folder))
                       if test.endswith(".t") and os.path.join(folder, test) not in LEFT_OUT)
        done = lib.run([PROVE, "-j2", *options, *tests], cwd=source[name],
                       timeout=20 if lib.name == library.NULL else 900)
        for line in done.stdout.splitlines():
            found = LINE.match(line)
            if found:
                outcomes[f"{name}: {found.group(1)}"] = {"ok": "ok", "skipped": "skip"}.get(found.group(2), "fail")
        for test in tests:
            outcomes.setdefault(f"{name}: {test}", "fail")
    return outcomes
