"""What `handfast cert` shows, judges, converts and makes: cert.py HANDFAST LIBHANDFAST

Its output is compared with Python's ssl and with the openssl command; servers are Python's.
"""

import ctypes
import json
import os
import pty
import select
import socket
import ssl
import stat
import subprocess
import sys
import tempfile
import threading
import time

from pki import Pki, openssl
from preload import preload

preload(sys.argv[2])
HANDFAST = sys.argv[1]
FOLDER = tempfile.TemporaryDirectory()
PKI = Pki(os.path.join(FOLDER.name, "pki"))


class Failure(Exception):
    pass


def run(*args, status=0, stdin=b""):
    done = subprocess.run([HANDFAST, "cert", *args], capture_output=True, timeout=60, input=stdin)
    if done.returncode != status:
        raise Failure(f"{args}: exit status {done.returncode}, not {status}: {done.stdout!r} {done.stderr.decode()}")
    run.said = done.stderr.decode()
    return done.stdout


def same(got, want):
    if got != want:
        raise Failure(f"{got!r} is not {want!r}")


def has(text, *words):
    for word in words:
        if word not in text:
            raise Failure(f"no {word!r} in {text!r}")


def path(*names):
    return os.path.join(FOLDER.name, *names)


def write(name, content):
    with open(path(name), "wb") as f:
        f.write(content if isinstance(content, bytes) else content.encode())
    return path(name)


def read(name):
    with open(name, "rb") as f:
        return f.read()


def openssl_says(*args, stdin=b""):
    done = subprocess.run(["openssl", *args], capture_output=True, input=stdin)
    if done.returncode != 0:
        raise Failure(f"openssl {args}: {done.stderr.decode()}")
    return done.stdout


def der_of(file):
    return openssl_says("x509", "-in", file, "-outform", "DER")


def talk(sock):
    """What an SMTP server says before TLS (RFC 3207)."""
    with sock.makefile("rwb", buffering=0) as f:
        f.write(b"220 here\r\n")
        f.readline()
        f.write(b"250-here\r\n250 STARTTLS\r\n")
        f.readline()
        f.write(b"220 go on\r\n")


class Server:
    """Python's, as many connections as come."""

    def __init__(self, name, host="127.0.0.1", family=socket.AF_INET, mutual=False, smtp=False):
        self.smtp = smtp
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(PKI.chain(name), PKI.key(name))
        if mutual:
            context.verify_mode = ssl.CERT_REQUIRED
            context.load_verify_locations(PKI.ca)
        self.names = []
        context.sni_callback = lambda sock, name, ctx: self.names.append(name)
        self.door = socket.socket(family)
        self.door.bind((host, 0))
        self.door.listen(8)
        self.port = self.door.getsockname()[1]
        self.context = context
        threading.Thread(target=self.serve, daemon=True).start()

    def serve(self):
        while True:
            try:
                sock, _ = self.door.accept()
            except OSError:
                return
            try:
                if self.smtp:
                    talk(sock)
                with self.context.wrap_socket(sock, server_side=True) as s:
                    s.recv(1)
            except OSError:
                sock.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.door.close()


# ---------------------------------------------------------------- show

def show_json():
    for name in ("ec", "rsa", "ed25519", "pss", "client", "wrong_host"):
        seen = json.loads(run("show", PKI.chain(name), "--json"))
        same(len(seen["certificates"]), 2)
        first = seen["certificates"][0]
        dictionary = json.loads(json.dumps(ssl._ssl._test_decode_cert(PKI.cert(name))))
        same({k: first.get(k) for k in dictionary}, dictionary)
        fingerprint = openssl_says("x509", "-in", PKI.cert(name), "-noout", "-fingerprint", "-sha256").decode()
        same(first["sha256"], fingerprint.split("=")[1].strip().replace(":", "").lower())
        same(ssl.PEM_cert_to_DER_cert(first["pem"]), der_of(PKI.cert(name)))
        same(first["ca"], False)
        same(seen["certificates"][1]["ca"], True)


def show_text():
    text = run("show", PKI.chain("ec")).decode()
    has(text, "certificate 0 of 2", "subject       CN=localhost", "issuer        CN=Interop Test Authority", "DNS: localhost",
        "IP: 127.0.0.1", "IP: ::1", "key           EC P-256", "signed with   ecdsa-with-SHA256", "digitalSignature",
        "TLS Web Server Authentication", "days left)", "authority     yes")
    has(run("show", PKI.cert("expired")).decode(), "(expired 1")
    has(run("show", PKI.cert("future")).decode(), "(not yet valid)")


def show_forms():
    chain = read(PKI.chain("rsa"))
    same(run("show", "-", "--pem", stdin=chain), chain)
    der = write("rsa.der", der_of(PKI.cert("rsa")))
    same(run("show", der, "--pem"), read(PKI.cert("rsa")))
    secret = write("pw", "pw\n")
    seen = json.loads(run("show", PKI.p12("rsa"), "--json", "--passphrase-file", secret))
    same([c["sha256"] for c in seen["certificates"]],
         [c["sha256"] for c in json.loads(run("show", PKI.chain("rsa"), "--json"))["certificates"]])
    run("show", PKI.chain("rsa"), "--pem", "-o", path("out.pem"))
    same(read(path("out.pem")), chain)
    run("show", PKI.chain("rsa"), "--pem", "-o", path("out.pem"), status=4)
    has(run.said, "is there already", "--force")
    run("show", PKI.chain("ec"), "--pem", "-o", path("out.pem"), "--force")
    same(read(path("out.pem")), read(PKI.chain("ec")))


# ---------------------------------------------------------------- fetch

def fetch():
    """Y37"""
    lib = ctypes.CDLL(sys.argv[2])
    get = lib.hf_get_server_certificate
    get.restype = ctypes.c_bool
    get.argtypes = [ctypes.c_char_p, ctypes.c_char_p, ctypes.c_void_p, ctypes.c_double, ctypes.c_void_p, ctypes.c_void_p]

    class List(ctypes.Structure):
        _fields_ = [("cert", ctypes.POINTER(ctypes.c_void_p)), ("count", ctypes.c_size_t)]
    lib.hf_trust_new.restype = ctypes.c_void_p
    lib.hf_trust_add_file.argtypes = [ctypes.c_void_p, ctypes.c_char_p, ctypes.c_void_p]
    trusts = []
    for file in (PKI.ca, PKI.other_ca):
        trusts.append(lib.hf_trust_new())
        same(bool(lib.hf_trust_add_file(trusts[-1], file.encode(), None)), True)
    for host, family, url in (("127.0.0.1", socket.AF_INET, "127.0.0.1"), ("::1", socket.AF_INET6, "[::1]")):
        with Server("ec", host, family) as server:
            at = f"{url}:{server.port}"
            want = ssl.get_server_certificate((host, server.port)).encode()
            chain = run("fetch", at)
            same(chain, read(PKI.chain("ec")))
            same(want in chain and chain.startswith(want), True)
            has(run.said, "NOT good", "UNTRUSTED")
            same(run("fetch", f"tls://{at}", "--ca", PKI.ca), chain)
            has(run.said, "chain and name are good")
            same(run("fetch", at, "--ca", PKI.other_ca, status=2), b"")
            same(run("show", f"tls://{at}", "--pem"), chain)
            for trust, good in ((None, True), (trusts[0], True), (trusts[1], False)):
                found = List()
                same(get(at.encode(), None, trust, 10, ctypes.byref(found), None), good)
                same(found.count, 2 if good else 0)
                lib.hf_certificates_clear(ctypes.byref(found))
    with Server("ec") as server:
        run("fetch", f"127.0.0.1:{server.port}", "--name", "some.example", "--quiet")
        same(server.names[-1:], ["some.example"])
        run("fetch", f"localhost:{server.port}", "--quiet")
        same(server.names[-1:], ["localhost"])
    with Server("rsa", mutual=True) as server:  # which then ends the handshake, and in TLS 1.2 before it is done
        same(run("fetch", f"127.0.0.1:{server.port}"), read(PKI.chain("rsa")))
    with Server("ec", smtp=True) as server:
        at = f"127.0.0.1:{server.port}"
        same(run("fetch", f"smtp://{at}"), read(PKI.chain("ec")))
        same(run("fetch", at, "--starttls", "smtp", "--ca", PKI.ca), read(PKI.chain("ec")))
        has(run("check", f"smtp://{at}", "--ca", PKI.ca).decode(), "good for 127.0.0.1")
        found = List()
        same(get(f"smtp://{at}".encode(), None, trusts[0], 10, ctypes.byref(found), None), True)
        same(found.count, 2)
        lib.hf_certificates_clear(ctypes.byref(found))
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen(1)
        run("fetch", f"127.0.0.1:{silent.getsockname()[1]}", "--timeout", "0.5", status=3)
        has(run.said, "TIMEOUT")


# ---------------------------------------------------------------- check

def check():
    ca = ["--ca", PKI.ca]
    text = run("check", PKI.chain("ec"), *ca, "--name", "localhost").decode()
    has(text, "good for localhost on 20", "0  CN=localhost", "1  CN=Interop Test Authority")
    for name, args, codes in (
            ("expired", [], ["EXPIRED"]), ("future", [], ["NOT_YET_VALID"]), ("wrong_host", ["--name", "localhost"], ["WRONG_NAME"]),
            ("weak", [], ["WEAK_CERTIFICATE"]), ("client_only", [], ["WRONG_PURPOSE"]), ("stranger", [], ["UNTRUSTED"]),
            ("self_signed", [], ["SELF_SIGNED"]), ("ec", ["--time", "2050-01-01"], ["EXPIRED", "EXPIRED"]),
            ("expired", ["--name", "a.example"], ["EXPIRED", "WRONG_NAME"]), ("ec", ["--days", "25"], ["EXPIRED"]),
            ("ec", ["--pin", "00" * 32], ["PIN_MISMATCH"])):
        seen = json.loads(run("check", PKI.chain(name), *ca, *args, "--json", status=2))
        same(seen["good"], False)
        same(sorted(f["code"] for f in seen["faults"]), codes)
        text = run("check", PKI.chain(name), *ca, *args, status=2).decode()
        has(text, *codes, "depth 1" if name == "stranger" else "depth 0", f"{len(codes)} fault")
    same(json.loads(run("check", PKI.chain("ec"), *ca, "--json"))["not_needed"], [])
    more = write("more.pem", read(PKI.chain("ec")) + read(PKI.other_ca))
    same(json.loads(run("check", more, *ca, "--json"))["not_needed"], ["CN=Another Authority"])
    has(run("check", more, *ca).decode(), "not needed: CN=Another Authority")
    run("check", PKI.chain("ec"), *ca, "--key", PKI.key("ec"))
    run("check", PKI.chain("ec"), *ca, "--key", PKI.key("rsa"), status=4)
    has(run.said, "KEY_MISMATCH")
    run("check", PKI.chain("client"), *ca, "--client")
    run("check", PKI.chain("ec"), *ca, "--client", status=2)
    run("check", PKI.chain("weak"), *ca, "--security-level", "1")
    run("check", PKI.chain("expired"), *ca, "--time", "Jan  5 09:34:43 2018 GMT", status=2)
    with Server("ec") as server:
        has(run("check", f"tls://localhost:{server.port}", *ca).decode(), "good for localhost")
        run("check", f"tls://localhost:{server.port}", *ca, "--name", "a.example", status=2)


def check_like_openssl():
    """The verdict on each of these is openssl's, too."""
    for name in ("ec", "rsa", "pss", "ed25519", "p384", "p521", "expired", "future", "stranger", "self_signed", "client_only", "weak"):
        done = subprocess.run(["openssl", "verify", "-auth_level", "2", "-purpose", "sslserver", "-CAfile", PKI.ca,
                               "-untrusted", PKI.chain(name), PKI.cert(name)], capture_output=True)
        run("check", PKI.chain(name), "--ca", PKI.ca, status=2 if done.returncode else 0)


def revoked():
    db, config = path("pki", "ca-db"), path("pki", "openssl.cnf")
    crl = path("crl.pem")
    openssl("ca", "-config", PKI._config("ca", "x"), "-keyfile", PKI.key("ca"), "-cert", PKI.ca, "-revoke", PKI.cert("p384"))
    openssl("ca", "-config", PKI._config("ca", "x"), "-keyfile", PKI.key("ca"), "-cert", PKI.ca, "-gencrl", "-crldays", "5", "-out", crl)
    same(os.path.isdir(db) and os.path.isfile(config), True)
    seen = json.loads(run("check", PKI.chain("p384"), "--ca", PKI.ca, "--crl", crl, "--json", status=2))
    same([f["code"] for f in seen["faults"]], ["REVOKED"])
    run("check", PKI.chain("ec"), "--ca", PKI.ca, "--crl", crl)


# ---------------------------------------------------------------- convert

def convert():
    secret, new = write("pw", "pw\n"), write("new", "neü\n")
    for name in ("ec", "rsa", "ed25519"):
        der, p12, pem = path(name + ".der"), path(name + ".p12"), path(name + "-back.pem")
        run("convert", PKI.cert(name), "-o", der, "--force")
        same(read(der), der_of(PKI.cert(name)))
        same(run("convert", der, "--to", "pem"), read(PKI.cert(name)))
        run("convert", PKI.chain(name), "--key", PKI.key(name), "-o", p12, "--out-passphrase-file", new, "--name", "friend")
        same(stat.S_IMODE(os.stat(p12).st_mode), 0o600)
        text = openssl_says("pkcs12", "-in", p12, "-passin", "pass:neü", "-nodes").decode()
        has(text, "friendlyName: friend", read(PKI.cert(name)).decode(), read(PKI.ca).decode(), "BEGIN PRIVATE KEY")
        run("convert", p12, "-o", pem, "--passphrase-file", new)
        same(stat.S_IMODE(os.stat(pem).st_mode), 0o600)
        has(read(pem).decode(), read(PKI.cert(name)).decode(), read(PKI.ca).decode())
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(pem)  # the key fits
        run("convert", p12, "-o", path("locked.pem"), "--passphrase-file", new, "--out-passphrase-file", secret, "--force")
        has(read(path("locked.pem")).decode(), "BEGIN ENCRYPTED PRIVATE KEY")
        context.load_cert_chain(path("locked.pem"), password="pw")
        same(b"PRIVATE" in run("convert", p12, "--to", "pem", "--no-key", "--passphrase-file", new), False)
    # openssl's file, with its CA twice
    same(b"PRIVATE" in run("convert", PKI.p12("ec"), "--to", "pem", "--passphrase-file", secret), True)
    run("convert", PKI.p12("ec"), "--to", "pem", "--passphrase-file", new, status=4)
    has(run.said, "passphrase of", "wrong")
    run("convert", PKI.p12("ec"), "--to", "pem", status=4)
    run("convert", PKI.chain("ec"), "--to", "der", "-o", path("two.der"), status=4)
    has(run.said, "--leaf")
    run("convert", PKI.chain("ec"), "--to", "der", "-o", path("two.der"), "--leaf")
    run("convert", PKI.chain("ec"), status=1)
    legacy = path("legacy.p12")
    done = subprocess.run(["openssl", "pkcs12", "-export", "-legacy", "-in", PKI.chain("ec"), "-inkey", PKI.key("ec"),
                           "-passout", "pass:pw", "-out", legacy], capture_output=True)
    if done.returncode == 0:
        run("convert", legacy, "--to", "pem", "--passphrase-file", secret, status=4)
        has(run.said, "openssl pkcs12 -legacy")


def typed(words, *answers):
    """What the terminal shows while the command asks and is answered, and its exit status."""
    child, fd = pty.fork()
    if child == 0:
        os.execv(HANDFAST, [HANDFAST, "cert", *words])
    shown = b""
    for question, answer in answers:
        while question not in shown:
            if not select.select([fd], [], [], 10)[0]:
                raise Failure(f"no {question!r} in {shown!r}")
            shown += os.read(fd, 4096)
        time.sleep(0.1)  # the question comes before the terminal is told not to echo
        os.write(fd, answer + b"\n")
        shown += b"|"
    try:
        while True:
            more = os.read(fd, 4096)
            if not more:
                break
            shown += more
    except OSError:
        pass
    os.close(fd)
    return shown, os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def prompt():
    """The passphrase is asked for where there is a terminal, and never shown."""
    out = path("typed.p12")
    shown, status = typed(["convert", PKI.chain("ec"), "--key", PKI.key("ec"), "-o", out],
                          (b"passphrase of the new file: ", b"s3cret"), (b"once more: ", b"s3cret"))
    same((status, b"s3cret" in shown), (0, False))
    openssl_says("pkcs12", "-in", out, "-passin", "pass:s3cret", "-noout")
    shown, status = typed(["show", out], (b"typed.p12: ", b"s3cret"))
    same((status, b"s3cret" in shown, b"CN=localhost" in shown), (0, False, True))
    same(typed(["show", out], (b"typed.p12: ", b"wrong"))[1], 4)
    same(typed(["convert", PKI.chain("ec"), "-o", path("typed2.p12")], (b"new file: ", b"a"), (b"once more: ", b"b"))[1], 4)
    same(os.path.exists(path("typed2.p12")), False)


def serve_pkcs12():
    """A PKCS#12 file is good wherever a chain is."""
    secret, port = write("pw", "pw\n"), path("port")
    server = subprocess.Popen([HANDFAST, "serve", "tls://127.0.0.1:0", "--cert", PKI.p12("rsa"), "--passphrase-file", secret,
                               "--port-file", port, "--quiet", "--count", "1"], stdout=subprocess.DEVNULL)
    try:
        for _ in range(100):
            if os.path.exists(port) and os.path.getsize(port):
                break
            server.poll() is None and threading.Event().wait(0.05)
        context = ssl.create_default_context(cafile=PKI.ca)
        with socket.create_connection(("127.0.0.1", int(read(port)))) as raw, \
                context.wrap_socket(raw, server_hostname="localhost") as s:
            same(s.getpeercert(True), der_of(PKI.cert("rsa")))
    finally:
        server.terminate()
        server.wait(120)


# ---------------------------------------------------------------- make

def make():
    for kind, key in (("ec", "P-256"), ("p384", "P-384"), ("rsa", "2048"), ("ed25519", "ED25519")):
        folder = path("made-" + kind)
        run("make", "a.example, *.b.example,127.0.0.1,::1", "-o", folder, "--key-type", kind, "--days", "30")
        same(sorted(os.listdir(folder)), ["ca-key.pem", "ca.pem", "cert.pem", "key.pem"])
        for name, mode in (("ca-key.pem", 0o600), ("key.pem", 0o600), ("ca.pem", 0o644), ("cert.pem", 0o644)):
            same(stat.S_IMODE(os.stat(os.path.join(folder, name)).st_mode), mode)
        has(openssl_says("x509", "-in", f"{folder}/cert.pem", "-noout", "-text").decode().upper(), key.upper(),
            "DNS:A.EXAMPLE, DNS:*.B.EXAMPLE, IP ADDRESS:127.0.0.1", "CA:FALSE")
        openssl_says("verify", "-x509_strict", "-purpose", "sslserver", "-verify_hostname", "x.b.example", "-CAfile",
                     f"{folder}/ca.pem", f"{folder}/cert.pem")
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(f"{folder}/cert.pem", f"{folder}/key.pem")
        run("check", f"{folder}/cert.pem", "--ca", f"{folder}/ca.pem", "--name", "::1", "--verify-flags", "strict")
        before = read(f"{folder}/key.pem")
        run("make", "a.example", "-o", folder, status=4)
        same(read(f"{folder}/key.pem"), before)
        run("make", "other.example", "-o", folder, "--force")
        same(read(f"{folder}/key.pem") == before, False)
    more = path("more")
    run("make", "me@c.example", "-o", more, "--issuer", path("made-ec", "ca.pem"), "--key", path("made-ec", "ca-key.pem"), "--client",
        "--subject", "me")
    same(sorted(os.listdir(more)), ["cert.pem", "key.pem"])
    run("check", f"{more}/cert.pem", "--ca", path("made-ec", "ca.pem"), "--client")
    run("check", f"{more}/cert.pem", "--ca", path("made-ec", "ca.pem"), status=2)
    for names, words in (("b\u00fccher.example", "xn--"), ("a..b", "no DNS name"), ("IP:1.2.3", "no IP address"), ("", "a leaf needs a name")):
        run("make", names, "-o", path("never"), status=4)
        has(run.said, words)
    same(os.path.exists(path("never")), False)
    run("make", "a.example", "-o", path("never"), "--issuer", path("made-ec", "cert.pem"), "--key", path("made-ec", "key.pem"), status=4)
    has(run.said, "is no CA")


def mistakes():
    run(status=1)
    run("convrt", status=1)
    has(run.said, "did you mean convert?")
    run("show", status=1)
    run("show", "a", "b", status=1)
    run("show", path("nothing.pem"), status=4)
    has(run.said, path("nothing.pem"))
    run("show", write("garbage", "garbage"), status=4)
    has(run.said, "garbage is neither PEM nor DER")
    run("show", "-", status=4)
    run("check", PKI.cert("ec"), "--time", "yesterday", status=1)
    run("show", PKI.cert("ec"), "--json", "--pem", status=1)
    run("make", "a.example", "--key-type", "dsa", status=1)
    run("show", PKI.cert("ec"), "--days", "3", status=1)
    has(run.said, "option of handfast cert")
    for verb in ("show", "fetch", "convert", "check", "make"):
        has(run(verb, "--help").decode(), f"Usage: handfast cert {verb}", "--output")


def main():
    passed = failed = 0
    for test in (show_json, show_text, show_forms, fetch, check, check_like_openssl, revoked, convert, prompt, serve_pkcs12, make, mistakes):
        rows = f" [{test.__doc__}]" if test.__doc__ and test.__doc__[0] in "CTY" and test.__doc__[1:].isdigit() else ""
        try:
            test()
            passed += 1
            print(f"ok   {test.__name__}{rows}", flush=True)
        except (Failure, OSError) as e:
            failed += 1
            print(f"FAIL {test.__name__}{rows}: {e}", flush=True)
    print(f"{passed} passed, {failed} failed, 0 skipped")
    return 1 if failed else 0


sys.exit(main())
