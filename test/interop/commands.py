"""Peers that come as a command."""

import os
import re
import shutil
import subprocess

from core import SCRATCH, Cannot, Failure, Process, payload, same, scratch, tail
from peer import AEAD12, CCM, FFDHE, NIST, THREE, Peer, run, send_and_compare


class OpenSSL(Peer):
    name, key = "OpenSSL s_client, s_server", "openssl"
    suites, groups = [*THREE, *CCM], ["x25519", *NIST, "x448", *FFDHE]
    versions = ("1.3", "1.2", "1.1", "1.0")
    kinds, big, updates = ("http", "sink"), 100000000, True
    suite_list = ":".join([*THREE, *CCM])

    def missing(self):
        return None if shutil.which("openssl") else "no openssl command"

    def manner(self):
        if self.version == "1.3":
            return ["-ciphersuites", self.suite_list]
        return ["-tls" + self.version.replace(".", "_").replace("1_0", "1")] + \
            (["-cipher", "DEFAULT:@SECLEVEL=0"] if self.old else []) + (["-no_ticket"] if self.by_id else [])

    def serve(self, pki, port, kind, cred="ec", client_ca=None, alpn=None, updates=False):
        command = ["openssl", "s_server", "-accept", f"127.0.0.1:{port}", "-cert", pki.cert(cred), "-key",
                   pki.key(cred), "-cert_chain", pki.chain(cred), *self.manner(),
                   "-WWW" if kind == "http" else "-quiet"]
        command += ["-Verify", "2", "-verify_return_error", "-CAfile", client_ca] if client_ca else []
        command += ["-alpn", alpn] if alpn else []
        # It ends when its input does.
        return Process(command, cwd=SCRATCH, name="s_server", stdin=subprocess.PIPE).wait_port(port)

    def client(self, pki, port, ca):
        return ["openssl", "s_client", "-connect", f"127.0.0.1:{port}", "-servername", "localhost",
                "-verify_hostname", "localhost", "-verify_return_error", "-CAfile", ca or pki.ca,
                *self.manner()]

    def talk(self, pki, port, size, ca=None, cert=False, alpn=None, times=1, updates=False, seconds=180):
        session = scratch("session")
        for i in range(times):
            command = [*self.client(pki, port, ca), "-quiet"]
            command += ["-cert", pki.cert("client"), "-key", pki.key("client")] if cert else []
            command += ["-alpn", alpn] if alpn else []
            command += ["-sess_in", session] if i else []
            command += ["-sess_out", session] if times > 1 else []
            send_and_compare(command, payload(size), seconds, "s_client")
        if updates:
            self._update(pki, port, ca)
        return []

    def _update(self, pki, port, ca):
        # A line "K" renews the keys of both directions.
        client = Process(self.client(pki, port, ca), stdin=subprocess.PIPE, name="s_client")
        try:
            client.wait_text("Verify return code")
            for i in range(4):
                client.say(f"line {i}\n")
                client.wait_text(f"line {i}")
                client.say("K\n")
                client.wait_text(r"(?s)(KEYUPDATE.*){%d}" % (i + 1))
            client.say("the last line\n")
            client.wait_text("the last line")
        finally:
            client.stop()


class GnuTLS(Peer):
    name, key = "GnuTLS cli, serv", "gnutls"
    suites, groups = [*THREE, *CCM], ["x25519", *NIST, "x448", *FFDHE]
    versions = ("1.3", "1.2", "1.1", "1.0")
    kinds, big, updates = ("echo",), 100000000, True
    big_wants = "http"
    big_client = 10000000  # it needs 35 s of a processor for 100 MB
    update_after = 500   # more than eight in a second it refuses, and it sends small records

    def missing(self):
        return None if shutil.which("gnutls-cli") and shutil.which("gnutls-serv") else "no gnutls-cli command"

    def priority(self):
        return f"NORMAL:-VERS-ALL:+VERS-TLS{self.version}" + (":+AES-128-CCM-8" if self.version == "1.3" else "") + \
            (":%NO_TICKETS" if self.by_id else "")

    def serve(self, pki, port, kind, cred="ec", client_ca=None, alpn=None, updates=False):
        command = ["gnutls-serv", "--echo", "-p", port, "--x509certfile", pki.chain(cred), "--x509keyfile",
                   pki.key(cred), "--priority", self.priority()]
        command += ["--noticket"] if self.by_id else []
        command += ["--require-client-cert", "--verify-client-cert", "--x509cafile", client_ca] if client_ca else \
            ["--disable-client-cert"]
        command += [word for name in (alpn or "").split(",") if name for word in ("--alpn", name)]
        return Process(command).wait_port(port)

    def client(self, pki, port, ca):
        return ["gnutls-cli", "-p", port, "127.0.0.1", "--sni-hostname", "localhost", "--verify-hostname", "localhost",
                "--x509cafile", ca or pki.ca, "--priority", self.priority()]

    def talk(self, pki, port, size, ca=None, cert=False, alpn=None, times=1, updates=False, seconds=180):
        command = self.client(pki, port, ca)
        command += ["--x509certfile", pki.chain("client"), "--x509keyfile", pki.key("client")] if cert else []
        command += [word for name in (alpn or "").split(",") if name for word in ("--alpn", name)]
        if times > 1:
            process = Process([*command, "-r", *(["--waitresumption"] if self.version == "1.3" else [])], stdin=payload(size), name="gnutls-cli")
            process.wait(seconds)
            process.stop()
            if "This is a resumed session" not in process.text():
                raise Failure("gnutls-cli says nothing of a resumed session: " + tail(process.text()))
            return []
        if size == self.big_client:
            self._fetch([*command, "--logfile", scratch("gnutls-log")], payload(size), seconds)
            return []
        send_and_compare([*command, "--logfile", scratch("gnutls-log")], payload(size), seconds, "gnutls-cli")
        if updates:
            client = Process([*self.client(pki, port, ca), "--inline-commands"], stdin=subprocess.PIPE)
            try:
                client.wait_text("Simple Client Mode")
                for i in range(3):
                    client.say("^rekey^\n")
                    client.say(f"line {i}\n")
                    client.wait_text(f"line {i}")
            finally:
                client.stop()
        return []


    def _fetch(self, command, data, seconds):
        """A big file by HTTP: with an echo this client may block in sending while nobody reads."""
        client = Process(command, stdin=subprocess.PIPE, name="gnutls-cli")
        client.say(f"GET /{os.path.basename(data)} HTTP/1.0\r\n\r\n")
        status = client.wait(seconds)
        client.stop()
        head, got, size = b"", client.out_path, os.path.getsize(data)
        with open(got, "rb") as f:
            head = f.read(4096).split(b"\r\n\r\n")[0] + b"\r\n\r\n"
            f.seek(len(head))
            with open(got + ".body", "wb") as out:
                shutil.copyfileobj(f, out, 1 << 20)
        if status != 0 or os.path.getsize(got + ".body") != size:
            raise Failure(f"gnutls-cli ends with {status}, {os.path.getsize(got)} bytes: {tail(client.err())}")
        same(got + ".body", data, "gnutls-cli")


class NSS(Peer):
    name, key = "NSS tstclnt, selfserv", "nss"
    groups = ["x25519", *NIST, *FFDHE]
    versions = ("1.3", "1.2", "1.1", "1.0")
    kinds, bulk_kinds = ("page",), ("blocks",)
    resume_wants, alpn = "http", False

    def missing(self):
        return None if shutil.which("tstclnt") and shutil.which("selfserv") and shutil.which("certutil") else \
            "no tstclnt command"

    def database(self, pki, ca, own):
        """A folder with a trusted CA and one certificate of our own: with more, NSS would choose."""
        folder = os.path.join(SCRATCH, f"nss-{own}-" + os.path.basename(ca or pki.ca))
        if not os.path.isdir(folder):
            os.makedirs(folder)
            place = "sql:" + folder
            run(["certutil", "-N", "-d", place, "--empty-password"])
            run(["certutil", "-A", "-d", place, "-n", "ca", "-t", "CT,C,C", "-i", ca or pki.ca])
            if own:
                run(["pk12util", "-d", place, "-i", pki.p12(own), "-W", "pw"])
        return "sql:" + folder

    def manner(self):
        return ["-V", f"tls{self.version}:tls{self.version}", "-I", "x25519,P256,P384,P521,FF2048,FF3072,FF4096"] + \
            ([] if self.by_id else ["-u"])

    def serve(self, pki, port, kind, cred="ec", client_ca=None, alpn=None, updates=False):
        command = ["selfserv", "-d", self.database(pki, None, cred), "-p", port, "-e" if cred == "ec" else "-n", cred,
                   "-H", "1", *self.manner()]
        command += ["-r", "-r"] if client_ca else []
        command += ["-g", "64"] if kind == "blocks" else []
        return Process(command).wait_port(port)

    def talk(self, pki, port, size, ca=None, cert=False, alpn=None, times=1, updates=False, seconds=180):
        if times > 1:
            # tstclnt resumes nothing; this sister of it asks for a page, again and again.
            version = ["-V", f"tls{self.version}:tls{self.version}", *([] if self.by_id else ["-u"])]
            run(["strsclnt", "-4", "-q", "-p", port, "-d", self.database(pki, ca, ""), "-c", times, "-t", 1, *version, "-a",
                 "localhost", "127.0.0.1"], seconds)
            return []
        command = ["tstclnt", "-4", "-h", "127.0.0.1", "-p", port, "-d", self.database(pki, ca, "client" if cert else ""), "-a",
                   "localhost", *self.manner()]
        command += ["-n", "client"] if cert else []
        send_and_compare(command, payload(size), seconds, "tstclnt")
        return []


class Curl(Peer):
    name, key = "curl", "curl"
    groups = ["x25519", *NIST, "x448"]
    versions = ("1.3", "1.2", "1.1", "1.0")
    wants, is_server = "http", False
    can_id_client = False

    def missing(self):
        return None if shutil.which("curl") else "no curl command"

    def talk(self, pki, port, size, ca=None, cert=False, alpn=None, times=1, updates=False, seconds=180):
        out = [scratch("curl-page") for _ in range(times)]
        command = ["curl", "-sS", "--tlsv" + self.version, "--tls-max", self.version, "--cacert", ca or pki.ca, "--max-time", str(seconds),
                   "-H", "Connection: close", "-v"]
        command += ["--ciphers", "DEFAULT:@SECLEVEL=0"] if self.old else []
        command += ["--cert", pki.cert("client"), "--key", pki.key("client")] if cert else []
        for path in out:
            command += [f"https://localhost:{port}/{os.path.basename(payload(size))}", "-o", path]
        said = run(command, seconds + 5)
        for path in out:
            same(path, payload(size), "curl")
        alpn_said = re.search(r"ALPN: server accepted (\S+)", said.text())
        return [{"alpn": alpn_said[1]}] if alpn_said else [{}]


class Chromium(Peer):
    name, key = "Chromium, headless", "chromium"
    groups = ["x25519", "secp256r1", "secp384r1"]
    wants, is_server = "http", False
    client_cert = resumes = False
    can_limit = False

    def browser(self):
        return next((path for path in map(shutil.which, ("chromium-headless-shell", "chromium")) if path), None)

    def missing(self):
        if not self.browser():
            return "no chromium-headless-shell and no chromium command"
        return None if shutil.which("certutil") else "no certutil command, to make the browser trust our CA"

    def talk(self, pki, port, size, ca=None, cert=False, alpn=None, times=1, updates=False, seconds=180):
        home = os.path.join(SCRATCH, "chromium-" + os.path.basename(ca or pki.ca))
        store = os.path.join(home, ".pki/nssdb")
        if not os.path.isdir(store):
            os.makedirs(store)
            run(["certutil", "-N", "-d", "sql:" + store, "--empty-password"])
            run(["certutil", "-A", "-d", "sql:" + store, "-n", "ca", "-t", "C,,", "-i", ca or pki.ca])
        data = payload(size)
        command = [self.browser(), "--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking",
                   "--disable-dev-shm-usage", "--no-proxy-server", "--user-data-dir=" + os.path.join(home, "data"),
                   "--dump-dom", f"https://localhost:{port}/{os.path.basename(data)}"]
        done = run(command, seconds, env={"HOME": home}, name="chromium")
        # A text file comes out as the body of a page.
        got = re.sub(rb"<[^>]*>", b"", done.out()).strip()
        with open(data, "rb") as f:
            want = f.read().strip()
        if got != want:
            raise Failure(f"the browser shows {len(got)} bytes of {len(want)}: {tail(done.text())}")
        return []


class Botan(Peer):
    name, key = "Botan tls_client, tls_server", "botan"
    versions, kinds = ("1.2",), ("lines",)
    not_spoken = {"1.3": "Botan 2 has no TLS 1.3", "1.1": "its policies forbid TLS 1.1 and 1.0", "1.0": ""}
    groups = ["x25519", *NIST]
    can_id_client = can_ticket_server = False  # tickets as a client, session IDs as a server: no switch
    client_cert = False                        # neither command has an option for it
    alpn_server = False                        # nor the server for this

    def missing(self):
        return None if shutil.which("botan") else "no botan command"

    def serve(self, pki, port, kind, cred="ec", client_ca=None, alpn=None, updates=False):
        if client_ca or alpn:
            raise Cannot
        return Process(["botan", "tls_server", pki.chain(cred), pki.key(cred), f"--port={port}"]).wait_port(port)

    def talk(self, pki, port, size, ca=None, cert=False, alpn=None, times=1, updates=False, seconds=180):
        more = ["--session-db=" + scratch("sessions"), "--session-db-pass=pw"] if times > 1 else []
        more += ["--next-protocols=" + alpn] if alpn else []
        for i in range(times):
            # It does not flush what it writes.
            self._once(["stdbuf", "-oL", "botan", "tls_client", "localhost", f"--port={port}",
                        "--trusted-cas=" + (ca or pki.ca), "--skip-system-cert-store", "--tls1.2", *more],
                       payload(size), i, seconds)
        return []

    def _once(self, command, data, resumed, seconds):
        """What it says stands in the same output before what the server sends."""
        with open(data, "rb") as f:
            want = f.read()
        client = Process(command, stdin=subprocess.PIPE, name="botan")
        client.wait_text("Handshake complete(.*\n)+")
        # It connects all the same if the chain is not good.
        if not resumed and "Certificate validation status: Verified" not in client.text():
            client.stop()
            raise Failure("botan: " + tail(client.text()))
        said = len(client.out())
        try:
            for at in range(0, len(want), 16384):
                client.child.stdin.write(want[at:at + 16384])
                client.child.stdin.flush()
                client.wait_bytes(said + min(at + 16384, len(want)), seconds)
        except BrokenPipeError:
            pass
        got = client.out()[said:]
        client.stop()
        if got != want:
            raise Failure(f"botan: {len(got)} of {len(want)} bytes came back, or changed")
