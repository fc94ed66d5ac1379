"""The openssl command against itself: s_client and s_server on the same library and on different ones."""

import os
import re
import subprocess
import sys
import tempfile
import time

import library
import pki

sys.path.append(os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../interop"))
from ports import free_port  # noqa: E402

OPENSSL = "/usr/bin/openssl"
VERIFYING = ["-verify", "1", "-CAfile"]
CIPHER_OPTIONS = [["-v"], ["-V"], ["-stdname", "-V"], ["-tls1_2", "-v"], ["-s"], ["-s", "-tls1_2", "-v"], ["-s", "-tls1_3", "-V"],
                  ["-s", "-psk", "-stdname"]]
VERSIONS = {"tls1": "TLSv1", "tls1_1": "TLSv1.1", "tls1_2": "TLSv1.2", "tls1_3": "TLSv1.3"}
STRINGS = ["DEFAULT", "ALL", "COMPLEMENTOFALL", "HIGH", "MEDIUM", "ECDHE", "ECDHE+AESGCM", "kRSA", "aECDSA", "AES256",
           "CHACHA20", "ALL:!aNULL:@STRENGTH", "HIGH:!SHA", "PSK", "DHE+AES128", "SHA384", "NULL",
           "ALL:@SECLEVEL=0", "ECDHE-RSA-AES128-GCM-SHA256:AES128-SHA", "DEFAULT:-CAMELLIA:!ARIA"]


def missing():
    return None if library.command_exists(OPENSSL) else f"no {OPENSSL} (package openssl)"


class Server:
    """openssl s_server on a library; `with` starts and ends it."""

    def __init__(self, lib, certs, *arguments):
        self.port = free_port()
        self.command = [OPENSSL, "s_server", "-accept", f"127.0.0.1:{self.port}", "-cert", certs.path("localhost.pem"),
                        "-key", certs.path("localhost.key"), "-cert_chain", certs.path("ca.pem"), *arguments]
        self.lib, self.log = lib, tempfile.TemporaryFile()

    def __enter__(self):
        self.process = subprocess.Popen(self.command, stdin=subprocess.PIPE, stdout=self.log, stderr=self.log,
                                        env=self.lib.env())
        until = time.monotonic() + 60
        while b"ACCEPT" not in self.read() and self.process.poll() is None and time.monotonic() < until:
            time.sleep(0.02)
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()

    def read(self):
        return os.pread(self.log.fileno(), 1 << 22, 0)

    def text(self):
        time.sleep(0.2)
        return self.read().decode(errors="replace")


class Suite:
    def __init__(self, lib, certs, other):
        self.lib, self.certs, self.other, self.outcomes = lib, certs, other, {}

    def client(self, server, *arguments, lib=None, text="hello\n"):
        """What s_client prints. Its input stays open until the server has read it: tickets come before that."""
        command = [OPENSSL, "s_client", "-connect", f"127.0.0.1:{server.port}", "-CAfile", self.certs.path("ca.pem"),
                   "-verify_return_error", *arguments]
        process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                                   text=True, errors="replace", env=(lib or self.lib).env())
        said = text.strip().encode()
        before = server.read().count(said)
        try:
            process.stdin.write(text)
            process.stdin.flush()
        except BrokenPipeError:
            pass
        until = time.monotonic() + (0.4 if (lib or self.lib).name == library.NULL else 30)
        while process.poll() is None and time.monotonic() < until and server.read().count(said) == before:
            time.sleep(0.02)
        try:
            return process.communicate(timeout=5 if (lib or self.lib).name == library.NULL else 60)[0]
        except subprocess.TimeoutExpired:
            process.kill()
            return process.communicate()[0] + "timed out"

    def record(self, name, *conditions):
        self.outcomes[name] = "ok" if all(conditions) else "fail"

    def sides(self):
        """(name, client's library, server's library): ours against itself, and across where both are there."""
        yield "itself", self.lib, self.lib
        if self.other:
            yield "client against the system's", self.lib, self.other
            yield "server against the system's", self.other, self.lib

    def versions(self):
        low = ["-cipher", "ALL:@SECLEVEL=0"]
        for name, client, server in self.sides():
            for flag, shown in VERSIONS.items():
                with Server(server, self.certs, *low) as s:
                    out = self.client(s, "-" + flag, *low, lib=client)
                    self.record(f"{shown}, {name}", re.search(rf"(New|Protocol *:) *,? *{re.escape(shown)}\b", out),
                                "Verify return code: 0 (ok)" in out, "hello" in s.text())

    def resumption(self):
        for name, client, server in self.sides():
            for flag, shown in list(VERSIONS.items())[2:]:
                session = self.certs.path(f"session-{self.lib.name}-{flag}")
                with Server(server, self.certs) as s:
                    first = self.client(s, "-" + flag, "-sess_out", session, lib=client)
                    second = self.client(s, "-" + flag, "-sess_in", session, lib=client)
                self.record(f"resumption {shown}, {name}", "New, " in first, "Reused, " in second)

    def features(self):
        certs = self.certs
        for name, client, server in self.sides():
            for flag, shown in list(VERSIONS.items())[2:]:
                what = f"{shown}, {name}"
                with Server(server, certs, "-Verify", "2", "-CAfile", certs.path("ca.pem"),
                            "-verify_return_error") as s:
                    out = self.client(s, "-" + flag, "-cert", certs.path("client.pem"), "-key",
                                      certs.path("client.key"), lib=client)
                    self.record(f"client certificate {what}", "CN = client" in s.text(), "ok" in out)
                with Server(server, certs, "-servername", "other.test", "-cert2", certs.path("other.pem"), "-key2",
                            certs.path("other.key")) as s:
                    out = self.client(s, "-" + flag, "-servername", "other.test", lib=client)
                    self.record(f"server name {what}", "subject=CN = other.test" in out)
                with Server(server, certs, "-alpn", "h2,http/1.1") as s:
                    out = self.client(s, "-" + flag, "-alpn", "spdy/1,http/1.1", lib=client)
                    self.record(f"ALPN {what}", "ALPN protocol: http/1.1" in out)
                with Server(server, certs, "-psk", "0123456789abcdef", "-nocert") as s:
                    out = self.client(s, "-" + flag, "-psk", "0123456789abcdef", lib=client)
                    self.record(f"PSK {what}", "hello" in s.text(), "handshake failure" not in out)
                with Server(server, certs) as s:
                    out = self.client(s, "-" + flag, "-verify_hostname", "wrong.test", lib=client)
                    self.record(f"wrong name {what}", "hostname mismatch" in out.lower())
                with Server(server, certs, "-keymatexport", "label", "-keymatexportlen", "20") as s:
                    out = self.client(s, "-" + flag, "-keymatexport", "label", "-keymatexportlen", "20", lib=client)
                    found = re.search(r"Keying material: ([0-9A-F]{40})", out)
                    self.record(f"exporter {what}", found, found and found.group(1) in s.text())

    def early_data(self):
        data = self.certs.path("early")
        with open(data, "w", encoding="ascii") as f:
            f.write("early bird\n")
        for name, client, server in self.sides():
            session = self.certs.path(f"early-{self.lib.name}")
            with Server(server, self.certs, "-early_data", "-max_early_data", "1000") as s:
                self.client(s, "-tls1_3", "-sess_out", session, lib=client)
                out = self.client(s, "-tls1_3", "-sess_in", session, "-early_data", data, lib=client)
                self.record(f"early data, {name}", "Early data was accepted" in out, "early bird" in s.text())

    def staple(self):
        response = self.certs.ocsp_response("localhost")
        for name, client, server in self.sides():
            for flag, shown in list(VERSIONS.items())[2:]:
                with Server(server, self.certs, "-status_file", response) as s:
                    out = self.client(s, "-" + flag, "-status", lib=client)
                    self.record(f"OCSP staple {shown}, {name}", "OCSP Response Status: successful" in out,
                                "Cert Status: good" in out)
                    out = self.client(s, "-" + flag, lib=client)
                    self.record(f"no staple unless asked for {shown}, {name}", "OCSP Response" not in out,
                                "Verify return code: 0 (ok)" in out)

    def session_ids(self):
        """Resumption from the server's cache: by ID, and in TLS 1.3 by a ticket that only names the session."""
        for name, client, server in self.sides():
            for flag, shown in list(VERSIONS.items())[2:]:
                session = self.certs.path(f"id-{self.lib.name}-{flag}")
                with Server(server, self.certs, "-no_ticket") as s:
                    first = self.client(s, "-" + flag, "-sess_out", session, lib=client)
                    second = self.client(s, "-" + flag, "-sess_in", session, lib=client)
                    self.record(f"resumption without tickets {shown}, {name}", "New, " in first, "Reused, " in second,
                                "session ticket:" not in first if flag == "tls1_2" else True)
                with Server(server, self.certs, "-no_cache", "-no_ticket") as s:
                    self.client(s, "-" + flag, "-sess_out", session, lib=client)
                    again = self.client(s, "-" + flag, "-sess_in", session, lib=client)
                    self.record(f"no resumption without a cache {shown}, {name}", "New, " in again,
                                "Reused, " not in again)

    def both_sides(self, option, *arguments):
        """What `option` prints: (by a client, by a server) on the library, and the same on the system's."""
        stock = self.other or self.lib
        shown = []
        for lib in (self.lib, stock):
            with Server(stock, self.certs, *VERIFYING, self.certs.path("ca.pem")) as s:
                client = self.client(s, option, *arguments, lib=lib)
            with Server(lib, self.certs, option, *VERIFYING, self.certs.path("ca.pem")) as s:
                self.client(s, *arguments, lib=stock)
                server = s.text()
            shown.append((client, server))
        return shown

    def shown(self):
        certs = self.certs
        given = ["-cert", certs.path("client.pem"), "-key", certs.path("client.key")]
        for flag, shown in list(VERSIONS.items())[2:]:
            for option, reduce in (("-msg", messages), ("-state", states), ("-trace", traced)):
                for what, more in (("", []), (" with a client certificate", given)):
                    ours, want = self.both_sides(option, "-" + flag, *more)
                    for side, i in (("client", 0), ("server", 1)):
                        got, expected = reduce(ours[i]), reduce(want[i])
                        self.record(f"{option} {shown}{what}, {side}", len(expected) > 8, got == expected)
            with Server(self.lib, certs) as s:
                out = self.client(s, "-" + flag, "-trace")
                self.record(f"fields in -trace {shown}", "cipher_suites" in out, "x25519" in out,
                            "ecdsa_secp256r1_sha256" in out, "supported_groups" in out)
                out = self.client(s, "-" + flag, "-tlsextdebug", "-status")
                self.record(f"-status {shown}", "OCSP response: no response sent" in out)
        with Server(self.lib, certs, "-www") as s:
            for how, flag, shown in ((how, *item) for how in ("-new", "-reuse") for item in
                                     (("-tls1_2", "TLSv1.2"), ("-tls1_3", "TLSv1.3"))):
                done = self.lib.run([OPENSSL, "s_time", "-connect", f"127.0.0.1:{s.port}", "-time", "1", how, flag,
                                     "-www", "/"])
                self.record(f"s_time {how} {shown}", re.search(r"[1-9]\d* connections in", done.stdout),
                            done.returncode == 0)

    def ciphers(self):
        stock = self.other or self.lib
        for string in STRINGS:
            for options in CIPHER_OPTIONS:
                command = [OPENSSL, "ciphers", *options, string]
                got, want = self.lib.run(command), stock.run(command)
                expected = usable(want.stdout) if "-s" in options and self.other else want.stdout
                self.record(f"ciphers {' '.join(options)} {string}", got.stdout == expected,
                            got.returncode == want.returncode)


def usable(listed):
    """What -s leaves of a list on ours: suites that are negotiated (docs/libssl.md says which are not)."""
    absent = re.compile(r"CAMELLIA|ARIA|DSS|RSA-PSK|SRP")
    if not listed.strip() or "\n" in listed.strip():
        return "".join(line for line in listed.splitlines(True) if not absent.search(line))
    return ":".join(name for name in listed.strip().split(":") if not absent.search(name)) + "\n"


def states(text):
    return re.findall(r"SSL_(?:connect|accept):[^\n]*|SSL3 alert [^\n]*", text)


def messages(text):
    """Lines of -msg without lengths. How many messages of its own a side puts in one record is its business."""
    lines = re.findall(r"(<<<|>>>) ([^\n]*?) ?\[length [0-9a-f]+\]([^\n]*)", text)
    return [line for line in lines
            if line[0] == "<<<" or not ("RecordHeader" in line[1] or "InnerContent" in line[1])]


def traced(text):
    """The skeleton of -trace: records and messages; of what is sent, messages only."""
    found, sent = [], False
    for line in text.splitlines():
        if re.match(r"(Sent|Received) Record", line):
            sent = line.startswith("Sent")
        if re.match(r"    (\w+, Length=\d+$|Level=|change_cipher_spec)", line):
            found.append(("sent" if sent else "received", re.sub(r"\d+", "N", line)))
        elif not sent and re.match(r"Received Record|  Version =|  (Inner )?Content Type", line):
            found.append(line)
    return found


def run(lib, words):
    with tempfile.TemporaryDirectory() as folder:
        certs = pki.Pki(folder)
        other = library.Library(library.STOCK, ".") if lib.name != library.STOCK else None
        suite = Suite(lib, certs, other)
        for part in words or ["versions", "resumption", "session_ids", "features", "staple", "early_data", "shown",
                              "ciphers"]:
            getattr(suite, part)()
        return suite.outcomes
