"""The peers: how to run each as a server and as a client.

serve() starts a server of one of the peer's `kinds`:
    echo   everything comes back
    http   GET /payload-N gives that file
    sink   what comes is printed
    page   whatever is asked for, some page comes
    blocks whatever is asked for first, a million bytes come, all blocks of 16 KiB alike
talk() runs the peer as a client against a server of the kind that it `wants`, moves data, compares, and
returns what the peer itself says of its connections (a list of dicts, perhaps empty).
"""

import os
import re
import shutil
import subprocess



from core import HERE, SCRATCH, Failure, Process, Skip, payload, same, scratch, tail

THREE = ["TLS_AES_128_GCM_SHA256", "TLS_AES_256_GCM_SHA384", "TLS_CHACHA20_POLY1305_SHA256"]
CCM = ["TLS_AES_128_CCM_SHA256", "TLS_AES_128_CCM_8_SHA256"]
NIST = ["secp256r1", "secp384r1", "secp521r1"]
FFDHE = ["ffdhe2048", "ffdhe3072", "ffdhe4096"]


def run(command, seconds=60, **more):
    """Run to the end and return the process; a Failure if its status is not 0."""
    process = Process(command, **more)
    status = process.wait(seconds)
    process.stop()
    if status != 0:
        raise Failure(f"{os.path.basename(command[0])} ends with {status}: {tail(process.text())}")
    return process


class Peer:
    name = key = "?"
    suites, groups = THREE, ["x25519", *NIST]
    kinds, wants = ("echo",), "echo"
    bulk_kinds = None    # where they differ from kinds
    big = 0              # size of the big transfer, if one is made
    big_wants = None     # where it differs from wants
    resumes = True       # as a client, by itself
    client_cert = alpn = True
    updates = False      # sends KeyUpdates of its own
    update_size = 1000000
    update_after = 5     # records between two KeyUpdates of handfast serve
    is_client = is_server = True
    shares = None        # as a client: groups that it sends a share for, if it cannot take a retry
    no_retry = None      # why that is so

    def missing(self):
        """Why this peer cannot be had here, or None."""
        return None

    def serve(self, pki, port, kind, cred="ec", client_ca=None, alpn=None, updates=False):
        raise NotImplementedError

    def talk(self, pki, port, size, ca=None, cert=False, alpn=None, times=1, updates=False, seconds=60):
        raise NotImplementedError


# ---------------------------------------------------------------- programs of our own around a library

class Program(Peer):
    """A program with the command line of peers/README.md."""

    def command(self):
        raise NotImplementedError

    def credential(self, pki, name):
        return pki.chain(name), pki.key(name)

    def serve(self, pki, port, kind, cred="ec", client_ca=None, alpn=None, updates=False):
        command = [*self.command(), "server", port, *self.credential(pki, cred)]
        command += [f"ca={client_ca}"] if client_ca else []
        command += [f"alpn={alpn}"] if alpn else []
        command += ["keyupdate=1"] if updates else []
        return Process(command, name=self.key).wait_port(port)

    def talk(self, pki, port, size, ca=None, cert=False, alpn=None, times=1, updates=False, seconds=60):
        command = [*self.command(), "client", port, ca or pki.ca, f"echo={size}", f"times={times}"]
        if cert:
            chain, key = self.credential(pki, "client")
            command += [f"cert={chain}", f"key={key}"]
        command += [f"alpn={alpn}"] if alpn else []
        command += ["keyupdate=1"] if updates else []
        said = run(command, seconds, name=self.key).text()
        facts = [dict(word.split("=", 1) for word in line.split()[1:])
                 for line in said.splitlines() if line.startswith("conn ")]
        if len(facts) != times or any(int(f["bytes"]) != size for f in facts):
            raise Failure(tail(said))
        return facts


class Go(Program):
    name, key = "Go crypto/tls", "go"
    groups = ["x25519", *NIST]
    big = 100000000

    def missing(self):
        return None if shutil.which("go") else "no go command"

    def command(self):
        path = os.path.join(built("go"), "peer")
        source = os.path.join(HERE, "peers/go/main.go")
        if not os.path.exists(path) or os.path.getmtime(path) < os.path.getmtime(source):
            build(["go", "build", "-o", path, "."], os.path.join(HERE, "peers/go"),
                  {"GOFLAGS": "-buildvcs=false", "GOTOOLCHAIN": "local"})
        return [path]


class Rustls(Program):
    name, key = "rustls", "rustls"
    groups = ["x25519", "secp256r1", "secp384r1"]
    updates = True

    def missing(self):
        if not shutil.which("cargo"):
            return "no cargo command"
        version = subprocess.run(["cargo", "--version"], stdout=subprocess.PIPE, text=True).stdout
        found = re.search(r"(\d+)\.(\d+)", version)
        if not found or (int(found[1]), int(found[2])) < (1, 71):
            return f"rustls needs Rust 1.71 or later, here is {version.strip()}"
        try:
            self.command()
        except Failure as why:
            return f"its crates cannot be had or built: {why}"
        return None

    def command(self):
        # Cargo writes beside its manifest, and the source folder is not ours to write to.
        folder = built("rustls")
        path = os.path.join(folder, "target/release/handfast-peer")
        source = os.path.join(HERE, "peers/rustls")
        main = os.path.join(source, "src/main.rs")
        if not os.path.exists(path) or os.path.getmtime(path) < os.path.getmtime(main):
            shutil.copytree(source, folder, dirs_exist_ok=True)
            build(["cargo", "build", "--release", "--quiet", "--target-dir", "target"], folder, {}, 420)
        return [path]


class Java(Program):
    name, key = "Java JSSE", "java"
    groups = ["x25519", *NIST, "x448", *FFDHE]
    updates, update_size = True, 15000000

    def missing(self):
        return None if shutil.which("javac") and shutil.which("java") else "no javac command"

    def credential(self, pki, name):
        return pki.p12(name), "pw"

    def command(self):
        program = os.path.join(built("java"), "Peer.class")
        source = os.path.join(HERE, "peers/java/Peer.java")
        if not os.path.exists(program) or os.path.getmtime(program) < os.path.getmtime(source):
            build(["javac", "-d", built("java"), "Peer.java"], os.path.join(HERE, "peers/java"), {})
        return ["java", "-XX:TieredStopAtLevel=1", "-Xshare:auto", "-cp", built("java"), "Peer"]


class WolfSSL(Program):
    name, key = "wolfSSL", "wolfssl"
    groups = ["x25519", *NIST]
    updates, shares = True, ["secp256r1"]
    no_retry = "wolfSSL 5.5 changes the order of its extensions in the second ClientHello: RFC 8446 4.1.2 forbids it"

    def missing(self):
        found = shutil.which("pkg-config") and subprocess.run(["pkg-config", "--exists", "wolfssl"]).returncode == 0
        return None if found else "no wolfSSL headers (Debian's libwolfssl-dev)"

    def command(self):
        program = os.path.join(built("wolfssl"), "peer")
        source = os.path.join(HERE, "peers/wolfssl/peer.c")
        if not os.path.exists(program) or os.path.getmtime(program) < os.path.getmtime(source):
            flags = subprocess.run(["pkg-config", "--cflags", "--libs", "wolfssl"], stdout=subprocess.PIPE, text=True)
            build(["gcc", "-O2", "-o", program, source, *flags.stdout.split()], HERE, {})
        return [program]


class Node(Program):
    name, key = "Node", "node"
    groups = ["x25519", *NIST, "x448"]

    def missing(self):
        return None if shutil.which("node") else "no node command"

    def command(self):
        return ["node", os.path.join(HERE, "peers/node/peer.js")]


class Python(Program):
    name, key = "Python ssl", "python"
    groups = ["x25519", *NIST, "x448"]

    def command(self):
        return ["python3", os.path.join(HERE, "peers/python/peer.py")]


_cache = None


def set_cache(folder):
    """Where programs of ours are compiled to, and kept."""
    global _cache
    _cache = folder


def built(name):
    folder = os.path.join(_cache or SCRATCH, name)
    os.makedirs(folder, exist_ok=True)
    return folder


def build(command, cwd, env, seconds=240):
    try:
        done = subprocess.run(command, cwd=cwd, env={**os.environ, **env}, stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=seconds)
    except subprocess.TimeoutExpired:
        raise Failure(f"{command[0]} is not done after {seconds} s") from None
    if done.returncode != 0:
        raise Failure(f"{' '.join(command[:2])}: {tail(done.stdout)}")


# ---------------------------------------------------------------- commands

def send_and_compare(command, data, seconds, name):
    """Run a client that copies its input to the peer and the peer to its output, and that need not end
    by itself; compare what came back from an echo."""
    size = os.path.getsize(data)
    client = Process(command, stdin=data, name=name)
    client.wait_bytes(size, seconds)
    said = client.text() if size < 1000 else client.err()
    client.stop()
    if os.path.getsize(client.out_path) < size:
        raise Failure(f"{name}: {os.path.getsize(client.out_path)} of {size} bytes came back: {tail(said)}")
    same(client.out_path, data, name)
    return client


class OpenSSL(Peer):
    name, key = "OpenSSL s_client, s_server", "openssl"
    suites, groups = [*THREE, *CCM], ["x25519", *NIST, "x448", *FFDHE]
    kinds, big, updates = ("http", "sink"), 100000000, True
    suite_list = ":".join([*THREE, *CCM])

    def missing(self):
        return None if shutil.which("openssl") else "no openssl command"

    def serve(self, pki, port, kind, cred="ec", client_ca=None, alpn=None, updates=False):
        command = ["openssl", "s_server", "-accept", f"127.0.0.1:{port}", "-cert", pki.cert(cred), "-key",
                   pki.key(cred), "-cert_chain", pki.chain(cred), "-ciphersuites", self.suite_list,
                   "-WWW" if kind == "http" else "-quiet"]
        command += ["-Verify", "2", "-verify_return_error", "-CAfile", client_ca] if client_ca else []
        command += ["-alpn", alpn] if alpn else []
        # It ends when its input does.
        return Process(command, cwd=SCRATCH, name="s_server", stdin=subprocess.PIPE).wait_port(port)

    def client(self, pki, port, ca):
        return ["openssl", "s_client", "-connect", f"127.0.0.1:{port}", "-servername", "localhost",
                "-verify_hostname", "localhost", "-verify_return_error", "-CAfile", ca or pki.ca,
                "-ciphersuites", self.suite_list]

    def talk(self, pki, port, size, ca=None, cert=False, alpn=None, times=1, updates=False, seconds=60):
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
            client.wait_text("Verify return code", 10)
            for i in range(4):
                client.say(f"line {i}\n")
                client.wait_text(f"line {i}", 10)
                client.say("K\n")
                client.wait_text(r"(?s)(KEYUPDATE.*){%d}" % (i + 1), 10)
            client.say("the last line\n")
            client.wait_text("the last line", 10)
        finally:
            client.stop()


class GnuTLS(Peer):
    name, key = "GnuTLS cli, serv", "gnutls"
    suites, groups = [*THREE, *CCM], ["x25519", *NIST, "x448", *FFDHE]
    kinds, big, updates = ("echo",), 100000000, True
    big_wants = "http"
    update_after = 500   # more than eight in a second it refuses, and it sends small records
    priority = "NORMAL:-VERS-ALL:+VERS-TLS1.3:+AES-128-CCM-8"

    def missing(self):
        return None if shutil.which("gnutls-cli") and shutil.which("gnutls-serv") else "no gnutls-cli command"

    def serve(self, pki, port, kind, cred="ec", client_ca=None, alpn=None, updates=False):
        command = ["gnutls-serv", "--echo", "-p", port, "--x509certfile", pki.chain(cred), "--x509keyfile",
                   pki.key(cred), "--priority", self.priority]
        command += ["--require-client-cert", "--verify-client-cert", "--x509cafile", client_ca] if client_ca else \
            ["--disable-client-cert"]
        command += [word for name in (alpn or "").split(",") if name for word in ("--alpn", name)]
        return Process(command).wait_port(port)

    def client(self, pki, port, ca):
        return ["gnutls-cli", "-p", port, "127.0.0.1", "--sni-hostname", "localhost", "--verify-hostname", "localhost",
                "--x509cafile", ca or pki.ca, "--priority", self.priority]

    def talk(self, pki, port, size, ca=None, cert=False, alpn=None, times=1, updates=False, seconds=60):
        command = self.client(pki, port, ca)
        command += ["--x509certfile", pki.chain("client"), "--x509keyfile", pki.key("client")] if cert else []
        command += [word for name in (alpn or "").split(",") if name for word in ("--alpn", name)]
        if times > 1:
            process = Process([*command, "-r", "--waitresumption"], stdin=payload(size), name="gnutls-cli")
            process.wait(seconds)
            process.stop()
            if "This is a resumed session" not in process.text():
                raise Failure("gnutls-cli says nothing of a resumed session: " + tail(process.text()))
            return []
        if size == self.big:
            self._fetch([*command, "--logfile", scratch("gnutls-log")], payload(size), seconds)
            return []
        send_and_compare([*command, "--logfile", scratch("gnutls-log")], payload(size), seconds, "gnutls-cli")
        if updates:
            client = Process([*self.client(pki, port, ca), "--inline-commands"], stdin=subprocess.PIPE)
            try:
                client.wait_text("Simple Client Mode", 10)
                for i in range(3):
                    client.say("^rekey^\n")
                    client.say(f"line {i}\n")
                    client.wait_text(f"line {i}", 10)
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
    kinds, bulk_kinds = ("page",), ("blocks",)
    resumes = alpn = False

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

    def serve(self, pki, port, kind, cred="ec", client_ca=None, alpn=None, updates=False):
        command = ["selfserv", "-d", self.database(pki, None, cred), "-p", port, "-e" if cred == "ec" else "-n", cred,
                   "-V", "tls1.3:tls1.3", "-u", "-H", "1", "-I", "x25519,P256,P384,P521,FF2048,FF3072,FF4096"]
        command += ["-r", "-r"] if client_ca else []
        command += ["-g", "64"] if kind == "blocks" else []
        return Process(command).wait_port(port)

    def talk(self, pki, port, size, ca=None, cert=False, alpn=None, times=1, updates=False, seconds=60):
        command = ["tstclnt", "-4", "-h", "127.0.0.1", "-p", port, "-d", self.database(pki, ca, "client" if cert else ""), "-V",
                   "tls1.3:tls1.3", "-a", "localhost", "-I", "x25519,P256,P384,P521,FF2048,FF3072,FF4096"]
        command += ["-n", "client"] if cert else []
        send_and_compare(command, payload(size), seconds, "tstclnt")
        return []


class Curl(Peer):
    name, key = "curl", "curl"
    groups = ["x25519", *NIST, "x448"]
    wants, is_server = "http", False

    def missing(self):
        return None if shutil.which("curl") else "no curl command"

    def talk(self, pki, port, size, ca=None, cert=False, alpn=None, times=1, updates=False, seconds=60):
        out = [scratch("curl-page") for _ in range(times)]
        command = ["curl", "-sS", "--tlsv1.3", "--cacert", ca or pki.ca, "--max-time", str(seconds),
                   "-H", "Connection: close", "-v"]
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

    def browser(self):
        return next((path for path in map(shutil.which, ("chromium-headless-shell", "chromium")) if path), None)

    def missing(self):
        if not self.browser():
            return "no chromium-headless-shell and no chromium command"
        return None if shutil.which("certutil") else "no certutil command, to make the browser trust our CA"

    def talk(self, pki, port, size, ca=None, cert=False, alpn=None, times=1, updates=False, seconds=60):
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


ALL = [OpenSSL(), GnuTLS(), NSS(), Go(), Rustls(), WolfSSL(), Java(), Node(), Python(), Curl(), Chromium()]
