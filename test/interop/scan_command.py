"""`handfast scan` against servers whose settings are known, against servers that are none, and against what
another scanner finds.

    scan_command.py HANDFAST
"""

import contextlib
import json
import os
import shutil
import socket
import subprocess
import sys
import threading
import time
import xml.etree.ElementTree

from core import PLENTY, SCRATCH, SOON, Failure, Process, Score, Skip, free_port, scratch, tail
from handfast import NETWORK, OK, TLS, USAGE, Handfast
from pki import Pki


class Bench:
    def __init__(self, command):
        self.pki = Pki(os.path.join(SCRATCH, "pki"))
        self.handfast = Handfast(command, self.pki)

    def scan(self, port, *args, want=OK, seconds=180, ca=None):
        done = self.handfast.run("scan", f"tls://127.0.0.1:{port}", "--name", "localhost", "--ca", ca or self.pki.ca,
                                 "--json", *args, seconds=seconds)
        if done.status != want:
            raise Failure(f"exit status {done.status}: {tail(done.err())}")
        return json.loads(done.out() if want == OK or done.out() else done.err())

    def openssl(self, *args, cred="rsa"):
        need("openssl")
        port = free_port()
        # It ends when its input does.
        return port, Process(["openssl", "s_server", "-accept", f"127.0.0.1:{port}", "-cert", self.pki.cert(cred), "-key",
                              self.pki.key(cred), "-cert_chain", self.pki.chain(cred), "-quiet", *args],
                             stdin=subprocess.PIPE, name="s_server").wait_port(port)


def need(command):
    if not shutil.which(command):
        raise Skip(f"no {command} command")


def same(what, got, want):
    if got != want:
        raise Failure(f"{what}: {got}, not {want}")


def ids(found):
    return {f["id"] for f in found["findings"]}


def demand(found, present=(), absent=()):
    missing, extra = set(present) - ids(found), set(absent) & ids(found)
    if missing or extra:
        raise Failure(f"findings missing: {sorted(missing)}, wrong: {sorted(extra)}, of {sorted(ids(found))}")


def taken(found):
    return [v["name"] for v in found["versions"] if v["taken"]]


def suites(found, version):
    return [s["name"] for v in found["versions"] if v["name"] == version for s in v.get("suites", [])]


def order(found, version):
    return next(v.get("order") for v in found["versions"] if v["name"] == version)


# ---------------------------------------------------------------- our own server

def own_default(bench):
    begun = time.monotonic()
    server = bench.handfast.serve("--quiet", "--alpn", "h2,http/1.1")
    found = bench.scan(server.port)
    server.stop()
    same("versions", taken(found), ["TLS 1.2", "TLS 1.3"])
    same("suites", suites(found, "TLS 1.3"),
         ["TLS_AES_128_GCM_SHA256", "TLS_AES_256_GCM_SHA384", "TLS_CHACHA20_POLY1305_SHA256"])
    same("suites", suites(found, "TLS 1.2"), [f"TLS_ECDHE_ECDSA_WITH_{c}" for c in (
        "AES_128_GCM_SHA256", "AES_256_GCM_SHA384", "CHACHA20_POLY1305_SHA256")])
    same("order", [order(found, v) for v in taken(found)], ["server-chacha"] * 2)
    same("groups", found["groups_tls1.3"], ["X25519MLKEM768", "x25519", "secp256r1", "secp384r1"])
    # A client of TLS 1.2 that does not know P-256 can do nothing with this certificate (RFC 8422 5.3).
    same("groups", found["groups_tls1.2"], ["x25519", "secp256r1"])
    same("signatures", found["signatures_tls1.3"], ["ecdsa_secp256r1_sha256"])
    same("protocols", found["alpn"], ["h2", "http/1.1"])
    same("tickets", (found["handshake_tls1.3"]["tickets"], found["handshake_tls1.3"]["resumed_by_ticket"]), (2, True))
    same("resumption", [found["handshake_older"][k] for k in ("resumed_by_ticket", "resumed_by_id", "client_renegotiation")],
         [True, True, False])
    same("facts", [found[k] for k in ("secure_renegotiation", "extended_master_secret", "compression", "fallback_scsv")],
         [True, True, False, True])
    same("intolerant", found["intolerant"], [])
    same("trusted", [c["trusted"] for c in found["chains"]], [True])
    bad = [f for f in found["findings"] if f["severity"] != "note"]
    if bad:
        raise Failure(f"our own server is weak: {bad}")
    took = found["milliseconds"] / 1000
    if took > SOON:
        raise Failure(f"the scan took {took:.1f} s")
    return f"{found['connections']} connections in {took * 1000:.0f} ms, {time.monotonic() - begun:.1f} s in all"


def own_narrow(bench):
    server = bench.handfast.serve("--quiet", "--tls1.2", "--suites", "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384", "--groups",
                                  "P-384", "--signatures", "rsa_pss_rsae_sha384", "--tickets", "0", cred="rsa")
    found = bench.scan(server.port)
    same("versions", taken(found), ["TLS 1.2"])
    same("suites", suites(found, "TLS 1.2"), ["TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384"])
    same("groups", found["groups_tls1.2"], ["secp384r1"])
    same("signatures", found["signatures_tls1.2"], ["rsa_pss_rsae_sha384"])
    same("tickets", found["handshake_older"]["tickets"], 0)
    demand(found, ["no-tls1.3"])
    # One such finding is enough for scripts.
    bench.scan(server.port, "--strict", want=TLS)
    server.stop()


def own_old(bench):
    server = bench.handfast.serve("--quiet", "--min", "1.0", "--security-level", "0", "--ciphers", "ALL:eNULL", cred="rsa")
    found = bench.scan(server.port)
    server.stop()
    same("versions", taken(found), ["TLS 1.0", "TLS 1.1", "TLS 1.2", "TLS 1.3"])
    demand(found, ["tls1.0", "tls1.1", "null", "anonymous", "static-rsa", "cbc"],
           ["no-rfc5746", "no-ems", "small-dh", "compression", "no-fallback-scsv", "ssl3", "ssl2"])
    same("encrypt-then-MAC", found["encrypt_then_mac"], True)


def own_certificates(bench):
    for cred, present in (("expired", "expired"), ("future", "not-yet-valid"), ("wrong_host", "not-trusted"),
                          ("weak", "small-key")):
        level = ["--security-level", "0"] if cred == "weak" else []
        server = bench.handfast.serve("--quiet", *level, cred=cred)
        found = bench.scan(server.port)
        demand(found, [present, "expires-soon"] if cred == "wrong_host" else [present])
        server.stop()
    # Several certificates: each is seen, and judged.
    pki = bench.pki
    server = bench.handfast.serve("--quiet", "--cert", pki.chain("rsa"), "--key", pki.key("rsa"), "--tls1.2")
    found = bench.scan(server.port)
    server.stop()
    same("keys", sorted(c["certificates"][0]["key"] for c in found["chains"]), ["EC P-256", "RSA 2048"])
    same("trusted", [c["trusted"] for c in found["chains"]], [True, True])


# ---------------------------------------------------------------- others'

ALL = "ALL:COMPLEMENTOFALL:@SECLEVEL=0"


def openssl_all(bench):
    port, server = bench.openssl("-cipher", ALL, "-client_renegotiation", "-serverpref", "-alpn", "http/1.1,h2")
    found = bench.scan(port)
    same("versions", taken(found), ["TLS 1.0", "TLS 1.1", "TLS 1.2", "TLS 1.3"])
    demand(found, ["null", "anonymous", "static-rsa", "tls1.0", "tls1.1", "small-dh", "sha1-signature", "cbc",
                   "client-renegotiation", "no-hybrid"], ["rc4", "export", "no-ems", "client-order", "no-rfc5746"])
    same("protocols", found["alpn"], ["http/1.1", "h2"])
    same("order", order(found, "TLS 1.2"), "server")
    same("first", suites(found, "TLS 1.2")[0], "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384")
    names = subprocess.run(["openssl", "ciphers", "-stdname", "-s", "-tls1_2", ALL], capture_output=True, text=True,
                           check=True).stdout
    # What takes no RSA certificate, or a key that s_server was not given.
    known = {line.split()[0] for line in names.splitlines()}
    want = {n for n in known if "PSK" not in n and "SRP" not in n and "ECDSA" not in n and "DSS" not in n}
    same("suites that only one of the two names", set(suites(found, "TLS 1.2")) ^ want, set())
    compare(bench, port, found)
    server.stop()
    return f"{len(want)} suites of TLS 1.2, {found['connections']} connections in {found['milliseconds']:.0f} ms"


# sslscan names these in its own way.
def iana(name):
    done = subprocess.run(["openssl", "ciphers", "-stdname", ALL], capture_output=True, text=True, check=True).stdout
    table = {line.split()[2]: line.split()[0] for line in done.splitlines()}
    return table.get(name, name)


def compare(bench, port, found):
    """The same suites as sslscan finds, for each version."""
    if not shutil.which("sslscan"):
        return
    path = scratch("sslscan.xml")
    Process(["sslscan", "--xml=" + path, f"127.0.0.1:{port}"]).wait(120)
    root = xml.etree.ElementTree.parse(path).getroot()
    theirs = {}
    for c in root.iter("cipher"):
        theirs.setdefault(c.get("sslversion").replace("TLSv", "TLS "), set()).add(iana(c.get("cipher")))
    for version, names in theirs.items():
        missing = names - set(suites(found, version))
        if missing:
            raise Failure(f"sslscan finds in {version} what we do not: {sorted(missing)}")
    same("versions with suites", sorted(theirs), sorted(v for v in taken(found) if suites(found, v)))


# testssl's names of curves.
CURVES = {"prime256v1": "secp256r1", "X25519": "x25519", "X448": "x448"}


def testssl(bench):
    """The same versions, groups, protocols and behaviour as testssl.sh finds."""
    need("testssl")
    if os.environ.get("HF_TEST_SANITIZED"):
        raise Skip("testssl.sh takes its time, and its verdict is not about this build")
    port, server = bench.openssl("-cipher", "DEFAULT:@SECLEVEL=0", "-client_renegotiation", "-alpn", "http/1.1,h2")
    path = scratch("testssl.json")
    process = Process(["testssl", "--quiet", "--color", "0", "--warnings", "off", "--fast", "--ip", "one", "-p", "-f", "-R", "-Z",
                       "--jsonfile", path, "--add-ca", bench.pki.ca, f"https://127.0.0.1:{port}"], cwd=SCRATCH)
    found = bench.scan(port)
    process.wait(200)
    server.stop()
    with open(path, encoding="utf-8") as f:
        theirs = {row["id"]: row["finding"] for row in json.load(f)}
    names = {"SSLv2": "SSL 2.0", "SSLv3": "SSL 3.0", "TLS1": "TLS 1.0", "TLS1_1": "TLS 1.1", "TLS1_2": "TLS 1.2", "TLS1_3": "TLS 1.3"}
    same("versions", taken(found), [name for row, name in names.items() if theirs[row].startswith("offered")])
    curves = {CURVES.get(c, c) for c in theirs["PFS_ECDHE_curves"].split()}
    same("curves", {g for g in found["groups_tls1.3"] if not g.startswith("ffdhe")}, curves)
    same("client's renegotiation", found["handshake_older"]["client_renegotiation"], "VULNERABLE" in theirs["secure_client_renego"])
    same("secure renegotiation", found["secure_renegotiation"], theirs["secure_renego"] == "supported")
    same("fallback", found["fallback_scsv"], theirs["fallback_SCSV"] == "supported")
    same("protocols", {"h2", "http/1.1"}, set(found["alpn"]))
    return f"{len(theirs)} findings of testssl.sh"


def starttls(bench):
    """Servers that begin in plain text."""
    for protocol in ("smtp", "imap", "postgres"):
        port, pki = free_port(), bench.pki
        server = Process([bench.handfast.command, "serve", f"{protocol}://127.0.0.1:{port}", "--cert", pki.chain("ec"), "--key",
                          pki.key("ec"), "--quiet"]).wait_port(port)
        for words in ([f"{protocol}://127.0.0.1:{port}"], [f"127.0.0.1:{port}", "--starttls", protocol]):
            done = bench.handfast.run("scan", *words, "--name", "localhost", "--ca", pki.ca, "--json")
            if done.status != OK:
                raise Failure(f"{words}: {tail(done.err())}")
            found = json.loads(done.out())
            same("versions", taken(found), ["TLS 1.2", "TLS 1.3"])
            same("suites", len(suites(found, "TLS 1.2")), 3)
            same("trusted", [c["trusted"] for c in found["chains"]], [True])
            same("resumption", found["handshake_tls1.3"]["resumed_by_ticket"], True)
        server.stop()


def openssl_odd(bench):
    port, server = bench.openssl("-cipher", "AES128-SHA:AES256-SHA", "-no_tls1_3", "-no_ticket",
                                 "-no_etm")
    found = bench.scan(port)
    server.stop()
    same("suites", suites(found, "TLS 1.2"), ["TLS_RSA_WITH_AES_128_CBC_SHA", "TLS_RSA_WITH_AES_256_CBC_SHA"])
    same("order", order(found, "TLS 1.2"), "client")
    same("ticket", found["handshake_older"]["resumed_by_ticket"], False)
    same("encrypt-then-MAC", found["encrypt_then_mac"], False)
    demand(found, ["no-forward-secrecy", "static-rsa", "no-tls1.3", "client-order"], ["tls1.0", "small-dh"])


def openssl_dh(bench):
    params = scratch("dh.pem")
    # A prime of 1024 bits that everybody knows (RFC 2409 6.2), so that none has to be looked for.
    with open(params, "w", encoding="ascii") as f:
        f.write(DH1024)
    port, server = bench.openssl("-cipher", "DHE-RSA-AES128-GCM-SHA256:@SECLEVEL=0", "-dhparam", params, "-no_tls1_3")
    found = bench.scan(port)
    server.stop()
    same("bits", [s["dh_bits"] for v in found["versions"] for s in v.get("suites", [])], [1024])
    demand(found, ["small-dh"], ["no-forward-secrecy"])


DH1024 = """-----BEGIN DH PARAMETERS-----
MIGHAoGBAP//////////yQ/aoiFowjTExmKLgNwc0SkCTgiKZ8x0Agu+pjsTmyJR
Sgh5jjQE3e+VGbPNOkMbMCsKbfJfFDdP4TVtbVHCReSFtXZiXn7G9ExC6aY37WsL
/1y29Aa37e44a/taiZ+lrp8kEXxLH+ZJKGZR7OZTgf//////////AgEC
-----END DH PARAMETERS-----
"""


def gnutls(bench):
    need("gnutls-serv")
    port, pki = free_port(), bench.pki
    server = Process(["gnutls-serv", "-p", port, "--x509certfile", pki.chain("rsa"), "--x509keyfile", pki.key("rsa"), "--echo",
                      "--priority", "NORMAL:+VERS-TLS1.0:+VERS-TLS1.1:+3DES-CBC:+ARCFOUR-128:+ANON-DH:-GROUP-X448"])
    server.wait_port(port)
    found = bench.scan(port)
    server.stop()
    same("versions", taken(found), ["TLS 1.0", "TLS 1.1", "TLS 1.2", "TLS 1.3"])
    demand(found, ["tls1.0", "tls1.1", "rc4", "3des", "anonymous", "static-rsa", "client-order"],
           ["null", "export", "no-rfc5746", "no-ems", "small-dh"])
    same("groups", sorted(found["groups_tls1.3"]),
         sorted(["secp256r1", "secp384r1", "secp521r1", "x25519", "ffdhe2048", "ffdhe3072", "ffdhe4096", "ffdhe6144", "ffdhe8192"]))
    same("suites", sorted(suites(found, "TLS 1.3")), ["TLS_AES_128_CCM_SHA256", "TLS_AES_128_GCM_SHA256",
                                                      "TLS_AES_256_GCM_SHA384", "TLS_CHACHA20_POLY1305_SHA256"])
    same("who", found["handshake_tls1.3"]["asks_for_certificate"], True)
    return f"{found['connections']} connections in {found['milliseconds']:.0f} ms"


def nginx(bench):
    need("nginx")
    port, pki, folder = free_port(), bench.pki, scratch("nginx")
    os.mkdir(folder)
    with open(os.path.join(folder, "nginx.conf"), "w", encoding="ascii") as f:
        f.write(f"""daemon off; pid {folder}/pid; error_log {folder}/log; events {{}}
http {{ access_log off; client_body_temp_path {folder}; proxy_temp_path {folder}; fastcgi_temp_path {folder};
uwsgi_temp_path {folder}; scgi_temp_path {folder};
server {{ listen 127.0.0.1:{port} ssl http2; ssl_certificate {pki.chain("rsa")}; ssl_certificate_key {pki.key("rsa")};
ssl_protocols TLSv1.2 TLSv1.3; ssl_ecdh_curve secp384r1:X25519; ssl_prefer_server_ciphers on; ssl_session_tickets off;
ssl_ciphers ECDHE-RSA-AES256-GCM-SHA384:ECDHE-RSA-AES128-GCM-SHA256; }} }}""")
    server = Process(["nginx", "-p", folder, "-c", os.path.join(folder, "nginx.conf")]).wait_port(port)
    found = bench.scan(port)
    server.stop()
    same("versions", taken(found), ["TLS 1.2", "TLS 1.3"])
    same("suites", suites(found, "TLS 1.2"),
         ["TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384", "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256"])
    same("order", order(found, "TLS 1.2"), "server")
    same("groups", found["groups_tls1.2"], ["secp384r1", "x25519"])
    same("protocols", found["alpn"], ["h2", "http/1.1", "http/1.0"])
    same("resumption", found["handshake_older"]["resumed_by_ticket"], False)
    demand(found, [], ["static-rsa", "cbc", "tls1.0", "client-renegotiation", "client-order", "no-ems", "no-rfc5746"])


# ---------------------------------------------------------------- what is no server, or a very old one

class Odd:
    """A server that treats each connection as a function says."""

    def __init__(self, function):
        self.socket = socket.create_server(("127.0.0.1", 0), backlog=64)
        self.port, self.function = self.socket.getsockname()[1], function
        threading.Thread(target=self.run, daemon=True).start()

    def run(self):
        while True:
            try:
                s, _ = self.socket.accept()
            except OSError:
                return
            threading.Thread(target=self.one, args=(s,), daemon=True).start()

    def one(self, s):
        with contextlib.suppress(OSError), s:
            self.function(s)

    def stop(self):
        self.socket.close()


def hello_of(s):
    """The first record, or what there is of one."""
    s.settimeout(PLENTY)
    data = s.recv(65536)
    while len(data) >= 5 and data[0] == 22 and len(data) < 5 + int.from_bytes(data[3:5], "big"):
        more = s.recv(65536)
        if not more:
            break
        data += more
    return data


def until_closed(s):
    s.settimeout(PLENTY)
    while s.recv(4096):
        pass


def record(kind, version, body):
    return bytes([kind]) + version.to_bytes(2, "big") + len(body).to_bytes(2, "big") + body


def message(kind, body):
    return bytes([kind]) + len(body).to_bytes(3, "big") + body


def greets(s):
    s.sendall(b"220 mail.example.test ESMTP Postfix\r\n")
    hello_of(s)
    s.sendall(b"500 what?\r\n")


def resets(s):
    hello_of(s)
    s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")


def chatters(s):
    """One byte a second, as long as anybody listens."""
    hello_of(s)
    for byte in b"\x16\x03\x03\x40\x00" + bytes(600):
        s.sendall(bytes([byte]))
        time.sleep(0.4)


def floods(s):
    """Certificates without an end."""
    hello_of(s)
    s.sendall(record(22, 0x303, server_hello(0x303, 0xc02f)))
    for _ in range(100):
        s.sendall(record(22, 0x303, message(99, bytes(16000))))
    until_closed(s)


def server_hello(version, suite, compression=0, extensions=b""):
    block = len(extensions).to_bytes(2, "big") + extensions if extensions else b""
    return message(2, version.to_bytes(2, "big") + os.urandom(32) + b"\0" + suite.to_bytes(2, "big") + bytes([compression]) + block)


def nobody(bench):
    """Nothing hangs, and what is there is said."""
    said = {}
    for function, want, word in ((greets, TLS, "SMTP"), (resets, NETWORK, "broke"), (lambda s: None, NETWORK, ""),
                                 (until_closed, NETWORK, "no answer"), (chatters, NETWORK, "no answer"), (floods, OK, "")):
        odd = Odd(function)
        begun = time.monotonic()
        done = bench.handfast.run("scan", f"127.0.0.1:{odd.port}", "--timeout", "1")
        took = time.monotonic() - begun
        odd.stop()
        text = done.err() if isinstance(done.err(), str) else done.err().decode()
        if done.status != want or word not in text:
            raise Failure(f"{function.__name__}: exit status {done.status}: {tail(text)}")
        if took > PLENTY:
            raise Failure(f"{function.__name__}: {took:.1f} s")
        said[function.__name__] = took
    done = bench.handfast.run("scan", f"127.0.0.1:{free_port()}")
    same("nobody listens", done.status, NETWORK)
    same("no port", bench.handfast.run("scan", "tcp://127.0.0.1").status, USAGE)
    same("no URL", bench.handfast.run("scan").status, USAGE)
    return ", ".join(f"{name} {took:.1f} s" for name, took in said.items())


def ancient(s):
    """SSL 2.0, SSL 3.0 with compression and an export suite, and nothing else; no extensions."""
    data = hello_of(s)
    if data[:1] != b"\x16" and data[2:5] == b"\x01\x00\x02":
        certificate, specs, id_ = b"\x30\x03\x02\x01\x01", bytes.fromhex("010080020080060040"), bytes(16)
        body = b"\x04\x00\x01\x00\x02" + b"".join(len(x).to_bytes(2, "big") for x in (certificate, specs, id_))
        body += certificate + specs + id_
        s.sendall((0x8000 | len(body)).to_bytes(2, "big") + body)
        return
    offered = parse(data)
    if not offered:
        return
    version, listed, compression, extended = offered
    choice = next((c for c in (0x0004, 0x0003, 0x000a) if c in listed), None)
    if choice is None or extended and version > 0x300 and len(listed) > 200:
        s.sendall(record(21, 0x300, b"\x02\x28"))
        return
    s.sendall(record(22, 0x300, server_hello(0x300, choice, 1 if 1 in compression else 0) + message(11, b"\0\0\0") +
                     message(14, b"")))
    until_closed(s)


def parse(data):
    if len(data) < 50 or data[0] != 22:
        return None
    at = 9
    version = int.from_bytes(data[at:at + 2], "big")
    at += 34
    at += 1 + data[at]
    size = int.from_bytes(data[at:at + 2], "big")
    listed = [int.from_bytes(data[at + 2 + i:at + 4 + i], "big") for i in range(0, size, 2)]
    at += 2 + size
    compression = list(data[at + 1:at + 1 + data[at]])
    at += 1 + data[at]
    return version, listed, compression, at < len(data)


def oldest(bench):
    odd = Odd(ancient)
    found = bench.scan(odd.port, "--timeout", "3")
    odd.stop()
    same("versions", taken(found), ["SSL 2.0", "SSL 3.0"])
    same("suites", suites(found, "SSL 3.0"), ["TLS_RSA_WITH_RC4_128_MD5", "TLS_RSA_EXPORT_WITH_RC4_40_MD5",
                                              "TLS_RSA_WITH_3DES_EDE_CBC_SHA"])
    demand(found, ["ssl2", "ssl3", "export", "rc4", "3des", "md5-mac", "no-forward-secrecy", "no-tls1.2", "compression"])


def unpatched(s):
    """TLS 1.2 without RFC 5746 and RFC 7627, which signals' meaning it does not know, and that reads no list of more
    than 100 suites, no unknown extension and no long hello."""
    data = hello_of(s)
    offered = parse(data)
    if not offered:
        return
    version, listed, _, _ = offered
    if version < 0x303 or len(listed) > 100 or b"\x8a\x8a\x00\x01\x00" in data or len(data) > 4096:
        return
    if 0xc02f not in listed and 0x009c not in listed or b"\0\x2b\0\x03\x02\x03\x04" in data:
        s.sendall(record(21, 0x303, b"\x02\x28"))
        return
    s.sendall(record(22, 0x303, server_hello(0x303, 0xc02f if 0xc02f in listed else 0x9c) + message(11, b"\0\0\0") +
                     message(14, b"")))
    until_closed(s)


def intolerant(bench):
    odd = Odd(unpatched)
    found = bench.scan(odd.port, "--timeout", "3")
    odd.stop()
    same("versions", taken(found), ["TLS 1.2"])
    same("suites", sorted(suites(found, "TLS 1.2")), ["TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256", "TLS_RSA_WITH_AES_128_GCM_SHA256"])
    demand(found, ["no-rfc5746", "no-ems", "intolerant", "long-lists"])
    same("intolerant of", [i.split(" (")[0] for i in found["intolerant"]], ["unknown extensions", "hellos of more than 4096 bytes"])


def polite(bench):
    """Never more connections at once than allowed, and an end to it if the server takes no more."""
    now, most = [], []

    def counts(s):
        if hello_of(s):
            now.append(s)
            most.append(len(now))
            end = time.monotonic() + 3
            while max(most) < 2 and time.monotonic() < end:
                time.sleep(0.01)
            time.sleep(0.05)
            now.remove(s)
            s.sendall(record(21, 0x303, b"\x02\x46"))

    odd = Odd(counts)
    bench.handfast.run("scan", f"127.0.0.1:{odd.port}", "--parallel", "2", "--timeout", "5")
    odd.stop()
    same("connections at once", max(most), 2)
    server = bench.handfast.serve("--quiet", "--count", "40")
    found = bench.scan(server.port, "--timeout", "2", seconds=60)
    demand(found, ["shut-out"])
    server.stop()


def shown(bench):
    """For people: no colour where there is no terminal; every suite and finding of the JSON."""
    server = bench.handfast.serve("--quiet", "--min", "1.0", "--security-level", "0", "--ciphers", "ALL", cred="rsa")
    found = bench.scan(server.port)
    done = bench.handfast.run("scan", f"127.0.0.1:{server.port}", "--name", "localhost", "--ca", bench.pki.ca)
    text = done.out().decode()
    server.stop()
    if "\033" in text or done.err():
        raise Failure("colour or a bar where there is no terminal")
    lines = [s for v in taken(found) for s in suites(found, v)] + [f["what"] for f in found["findings"]]
    missing = [line for line in lines if line not in text]
    if missing:
        raise Failure(f"not shown: {missing[:3]}")


def main():
    score = Score()
    if not os.access(sys.argv[1], os.X_OK) or not shutil.which("openssl"):
        print("skip everything: no handfast or no openssl command")
        print("0 passed, 0 failed, 1 skipped")
        return 0
    begun = time.monotonic()
    bench = Bench(os.path.abspath(sys.argv[1]))
    wanted = sys.argv[2:]
    for function in (own_default, own_narrow, own_old, own_certificates, openssl_all, openssl_odd, testssl, starttls, openssl_dh, gnutls, nginx,
                     nobody, oldest, intolerant, polite, shown):
        if not wanted or function.__name__ in wanted:
            print(f"{function.__name__:16} {score.check(function.__name__, function, bench)}", flush=True)
    print(f"\n{time.monotonic() - begun:.0f} s")
    return score.done()


if __name__ == "__main__":
    sys.exit(main())
