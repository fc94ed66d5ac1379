"""Peers that come as a library, each with a small program of ours: see peers/README.md."""

import os
import re
import shutil
import subprocess

from core import HERE, Failure, Process, tail
from peer import AEAD12, NIST, Peer, build, built, run


class Program(Peer):
    """A program with the command line of peers/README.md."""

    def command(self):
        raise NotImplementedError

    def credential(self, pki, name):
        return pki.chain(name), pki.key(name)

    def manner(self):
        return ([f"version={self.version}"] if self.version != "1.3" else []) + (["tickets=0"] if self.by_id else [])

    def serve(self, pki, port, kind, cred="ec", client_ca=None, alpn=None, updates=False):
        command = [*self.command(), "server", port, *self.credential(pki, cred), *self.manner()]
        command += [f"ca={client_ca}"] if client_ca else []
        command += [f"alpn={alpn}"] if alpn else []
        command += ["keyupdate=1"] if updates else []
        return Process(command, name=self.key).wait_port(port)

    def talk(self, pki, port, size, ca=None, cert=False, alpn=None, times=1, updates=False, seconds=180):
        command = [*self.command(), "client", port, ca or pki.ca, f"echo={size}", f"times={times}",
                   *self.manner()]
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
    versions = ("1.3", "1.2", "1.1", "1.0")
    can_id_client = can_id_server = False  # it knows tickets alone
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
    versions = ("1.3", "1.2", "1.1", "1.0")
    # No ffdhe groups: up to Java 25 its TLS 1.3 drops the leading zeros of their secret, as TLS 1.2 does and RFC 8446
    # 7.4.1 does not (JDK-8328046), so that one handshake of 256 ends with bad_record_mac.
    groups = ["x25519", *NIST, "x448"]
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


class CProgram(Program):
    """One that a C compiler makes; `libraries` is what to link."""

    header, libraries, package = "?", [], "?"

    def missing(self):
        return None if has_header(self.header) else f"no {self.name} headers (Debian's {self.package})"

    def command(self):
        program = os.path.join(built(self.key), "peer")
        source = os.path.join(HERE, "peers", self.key, "peer.c")
        if not os.path.exists(program) or os.path.getmtime(program) < os.path.getmtime(source):
            build(["gcc", "-O2", "-o", program, source, *self.libraries], HERE, {})
        return [program]


def has_header(name):
    done = subprocess.run(["gcc", "-E", "-x", "c", "-"], input=f"#include <{name}>\n", text=True,
                          stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    return done.returncode == 0


class WolfSSL(CProgram):
    name, key = "wolfSSL", "wolfssl"
    versions = ("1.3", "1.2", "1.1")
    not_spoken = {"1.0": "Debian's wolfSSL is built without TLS 1.0"}
    header, libraries, package = "wolfssl/ssl.h", ["-lwolfssl"], "libwolfssl-dev"

    def at(self, version, by_id=False):
        other = super().at(version, by_id)
        other.says_no = version == "1.3"
        return other
    groups = ["x25519", *NIST]
    updates, shares = True, ["secp256r1"]
    no_retry = "wolfSSL 5.5 changes the order of its extensions in the second ClientHello: RFC 8446 4.1.2 forbids it"


class MbedTLS(CProgram):
    name, key = "mbedTLS 2.28", "mbedtls"
    versions = ("1.2", "1.1", "1.0")
    not_spoken = {"1.3": "mbedTLS 2.28 has no TLS 1.3"}
    groups = ["x25519", *NIST]
    says_no = False
    header, libraries, package = "mbedtls/config.h", ["-lmbedtls", "-lmbedx509", "-lmbedcrypto"], "libmbedtls-dev"


class BearSSL(CProgram):
    name, key = "BearSSL", "bearssl"
    versions = ("1.2", "1.1", "1.0")
    not_spoken = {"1.3": "BearSSL has no TLS 1.3"}
    groups = ["x25519", *NIST]
    says_no = False
    header, libraries, package = "bearssl.h", ["-lbearssl"], "libbearssl-dev"
    can_ticket_client = can_ticket_server = False  # it knows session IDs alone


class Node(Program):
    name, key = "Node", "node"
    versions = ("1.3", "1.2", "1.1", "1.0")
    groups = ["x25519", *NIST, "x448"]

    def missing(self):
        return None if shutil.which("node") else "no node command"

    def command(self):
        return ["node", os.path.join(HERE, "peers/node/peer.js")]


class Python(Program):
    name, key = "Python ssl", "python"
    versions = ("1.3", "1.2", "1.1", "1.0")
    groups = ["x25519", *NIST, "x448"]

    def command(self):
        return ["python3", os.path.join(HERE, "peers/python/peer.py")]
