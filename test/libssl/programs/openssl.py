"""The openssl command against itself: s_client and s_server on the same library and on different ones."""

import os
import re
import socket
import subprocess
import tempfile
import time

import library
import pki

OPENSSL = "/usr/bin/openssl"
VERSIONS = {"tls1": "TLSv1", "tls1_1": "TLSv1.1", "tls1_2": "TLSv1.2", "tls1_3": "TLSv1.3"}
STRINGS = ["DEFAULT", "ALL", "COMPLEMENTOFALL", "HIGH", "MEDIUM", "ECDHE", "ECDHE+AESGCM", "kRSA", "aECDSA", "AES256",
           "CHACHA20", "ALL:!aNULL:@STRENGTH", "HIGH:!SHA", "PSK", "DHE+AES128", "SHA384", "NULL",
           "ALL:@SECLEVEL=0", "ECDHE-RSA-AES128-GCM-SHA256:AES128-SHA", "DEFAULT:-CAMELLIA:!ARIA"]


def missing():
    return None if library.command_exists(OPENSSL) else f"no {OPENSSL} (package openssl)"


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


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
        for _ in range(100):
            if b"ACCEPT" in self.read() or self.process.poll() is not None:
                break
            time.sleep(0.05)
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
        """What s_client prints. Its input stays open for a moment: tickets come after the handshake."""
        command = [OPENSSL, "s_client", "-connect", f"127.0.0.1:{server.port}", "-CAfile", self.certs.path("ca.pem"),
                   "-verify_return_error", *arguments]
        process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                                   text=True, errors="replace", env=(lib or self.lib).env())
        try:
            process.stdin.write(text)
            process.stdin.flush()
            time.sleep(0.4)
        except BrokenPipeError:
            pass
        try:
            return process.communicate(timeout=20)[0]
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

    def shown(self):
        for flag, shown in list(VERSIONS.items())[2:]:
            with Server(self.lib, self.certs) as s:
                out = self.client(s, "-" + flag, "-msg")
                self.record(f"-msg {shown}", "ClientHello" in out, "ServerHello" in out, "Finished" in out)
                out = self.client(s, "-" + flag, "-state")
                self.record(f"-state {shown}", "SSL_connect:SSLv3/TLS write client hello" in out,
                            "SSL_connect:SSLv3/TLS read server hello" in out)
                out = self.client(s, "-" + flag, "-trace")
                self.record(f"-trace {shown}", "ClientHello" in out, "cipher_suites" in out, "Finished" in out)
                out = self.client(s, "-" + flag, "-tlsextdebug", "-status")
                self.record(f"-status {shown}", "OCSP response: no response sent" in out)
        with Server(self.lib, self.certs, "-www") as s:
            done = self.lib.run([OPENSSL, "s_time", "-connect", f"127.0.0.1:{s.port}", "-time", "1", "-new"])
            self.record("s_time", re.search(r"[1-9]\d* connections in", done.stdout))

    def ciphers(self):
        stock = self.other or self.lib
        for string in STRINGS:
            command = [OPENSSL, "ciphers", "-v", string]
            got, want = self.lib.run(command), stock.run(command)
            self.record(f"ciphers -v {string}", got.stdout == want.stdout, got.returncode == want.returncode)


def run(lib, words):
    with tempfile.TemporaryDirectory() as folder:
        certs = pki.Pki(folder)
        other = library.Library(library.STOCK, ".") if lib.name != library.STOCK else None
        suite = Suite(lib, certs, other)
        for part in words or ["versions", "resumption", "features", "early_data", "shown", "ciphers"]:
            getattr(suite, part)()
        return suite.outcomes
