"""The illustrated handshake in a real browser: `handfast trace` and `handfast serve --show`, read by Chromium.

    browser_trace.py HANDFAST

For each page, at the width of a desktop and of a phone: the messages are those of the handshake, in order; the
byte spans tile every message and show as many bytes as they say; nothing is fetched, nothing of the peer's runs
as a script, and nothing is wider than the window. Without Chromium all of it is skipped.
"""

import atexit
import html
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time

WIDTHS = [1280, 390]
SCRATCH = tempfile.mkdtemp(prefix="handfast-browser-")
atexit.register(shutil.rmtree, SCRATCH, ignore_errors=True)
HOSTILE = "<img src=x onerror=top.hacked=1>"

FULL = ["ClientHello", "ServerHello", "ChangeCipherSpec", "EncryptedExtensions", "Certificate", "CertificateVerify",
        "Finished", "ChangeCipherSpec", "Finished"]
RETRIED = ["ClientHello", "HelloRetryRequest", "ChangeCipherSpec", "ClientHello", "ChangeCipherSpec", "ServerHello",
           "EncryptedExtensions", "CertificateRequest", "Certificate", "CertificateVerify", "Finished", "Certificate",
           "CertificateVerify", "Finished"]
RESUMED = ["ClientHello", "ServerHello", "ChangeCipherSpec", "EncryptedExtensions", "Finished", "ChangeCipherSpec",
           "Finished"]

# TLS 1.2 and older
OLD = ["ClientHello", "ServerHello", "Certificate", "ServerKeyExchange", "ServerHelloDone", "ClientKeyExchange",
       "ChangeCipherSpec", "Finished", "NewSessionTicket", "ChangeCipherSpec", "Finished"]
OLD_RSA = [name for name in OLD if name != "ServerKeyExchange"]
OLD_CLIENT_CERTIFICATE = OLD[:4] + ["CertificateRequest", "ServerHelloDone", "Certificate", "ClientKeyExchange",
                                    "CertificateVerify"] + OLD[6:]
OLD_REFUSED = OLD[:4] + ["CertificateRequest", "ServerHelloDone", "Certificate"] + OLD[5:8] + ["Alert"]
OLD_RESUMED = ["ClientHello", "ServerHello", "ChangeCipherSpec", "Finished", "ChangeCipherSpec", "Finished"]

# Runs in the page around the iframe; what it finds is left in the dumped document.
MEASURE = """
function bytesShown(code) {
  return Array.from(code.querySelectorAll('i')).reduce(function (n, i) {
    return n + i.firstChild.data.trim().split(/ +/).length }, 0);
}
function message(m) {
  var size = +m.dataset.bytes, seen = new Array(size).fill(0), bad = 0, gaps = 0;
  m.querySelectorAll('[data-offset]').forEach(function (c) {
    var from = +c.dataset.offset, n = +c.dataset.size;
    if (bytesShown(c) !== n) bad++;
    if ('gap' in c.dataset) gaps += n;
    for (var i = from; i < from + n; i++) seen[i] = (seen[i] || 0) + 1;
  });
  return {name: m.dataset.message, size: size, gaps: gaps, bad: bad,
    tiled: seen.length === size && seen.every(function (n) { return n === 1 }),
    depth: m.querySelectorAll('.leaf').length};
}
onload = function () {
  var frame = document.querySelector('iframe'), d = frame.contentDocument, w = frame.contentWindow;
  d.getElementById('all').click();
  var out = {width: d.documentElement.scrollWidth, window: d.documentElement.clientWidth,
    messages: Array.from(d.querySelectorAll('[data-message]')).map(message),
    open: d.querySelectorAll('details.message[open]').length,
    fetched: w.performance.getEntriesByType('resource').length,
    images: d.querySelectorAll('img,iframe,object,embed,link').length,
    hacked: 'hacked' in window || 'hacked' in w,
    headings: Array.from(d.querySelectorAll('h1,h2')).map(function (h) { return h.textContent }),
    svg: d.querySelectorAll('svg.schedule').length,
    points: d.querySelectorAll('.points li').length,
    locks: Array.from(d.querySelectorAll('[data-message]')).map(function (m) {
      return m.querySelector('.lock').classList.contains('k0') ? '' : m.dataset.message }).filter(Boolean),
    failed: d.querySelectorAll('.verdict.failed').length,
    text: d.body.textContent};
  document.getElementById('result').textContent = JSON.stringify(out);
};
"""


class Failure(Exception):
    """A check that failed, in words."""


def expect(condition, what):
    if not condition:
        raise Failure(what)


def path(name):
    return os.path.join(SCRATCH, name)


def run(*command, **options):
    return subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                          timeout=60, check=False, **options)


EC_KEY = ("ec", "-pkeyopt", "ec_paramgen_curve:P-256")


def make_certificate(name, subject, key=EC_KEY):
    done = run("openssl", "req", "-x509", "-newkey", *key, "-nodes", "-days", "20",
               "-keyout", path(name + ".key"), "-out", path(name + ".pem"), "-subj", subject,
               "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1")
    expect(done.returncode == 0, f"openssl req: {done.stderr}")


# ---------------------------------------------------------------- the browser

def chromium():
    for name in ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome"):
        if shutil.which(name):
            return name
    return None


def look(browser, page, width):
    """What a browser window of this width makes of a page."""
    with open(page, encoding="utf-8") as f:
        source = f.read()
    wrapper = path("wrapper.html")
    with open(wrapper, "w", encoding="utf-8") as f:
        f.write(f'<!DOCTYPE html><meta charset=utf-8><script>{MEASURE}</script><pre id=result></pre>'
                f'<iframe style="width:{width}px;height:900px;border:0" srcdoc="{html.escape(source)}"></iframe>')
    profile = tempfile.mkdtemp(dir=SCRATCH)
    done = run(browser, "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
               "--disable-background-networking", "--disable-component-update", "--disable-sync",
               "--window-size=1400,1000", f"--user-data-dir={profile}", "--dump-dom", "file://" + wrapper)
    shutil.rmtree(profile, ignore_errors=True)
    found = re.search(r'<pre id="result">(.+?)</pre>', done.stdout, re.S)
    expect(found, f"the browser says nothing: {done.stderr[-300:]}")
    return json.loads(html.unescape(found.group(1)))


def check_page(browser, page, want, behind=()):
    """want: the messages of the handshake; behind: names that may follow it."""
    for width in WIDTHS:
        seen = look(browser, page, width)
        names = [m["name"] for m in seen["messages"]]
        expect(names[:len(want)] == want, f"messages are {names}, not {want}")
        expect(set(names[len(want):]) <= set(behind), f"after the handshake: {names[len(want):]}")
        for m in seen["messages"]:
            expect(m["tiled"], f"{m['name']}: the spans do not cover each of {m['size']} bytes once")
            expect(m["bad"] == 0, f"{m['name']}: a span shows more or fewer bytes than it says")
            expect(m["gaps"] == 0, f"{m['name']}: {m['gaps']} bytes were not opened")
        expect(seen["open"] == len(names), "the button does not open every message")
        expect(seen["fetched"] == 0, f"{seen['fetched']} things were fetched")
        expect(seen["images"] == 0, "there are elements that load something")
        expect(not seen["hacked"], "a script of the peer's has run")
        expect(seen["width"] <= seen["window"], f"at {width} the page is {seen['width']} wide, not {seen['window']}")
    return seen


# ---------------------------------------------------------------- servers and pages

class Server:
    """handfast serve with these options; ends with the `with` block."""

    def __init__(self, handfast, *options, name="plain"):
        self.command = [handfast, "serve", "tls://localhost:0", "--quiet", "--cert", path(name + ".pem"),
                        "--key", path(name + ".key"), "--port-file", path("port"), *options]

    def __enter__(self):
        if os.path.exists(path("port")):
            os.unlink(path("port"))
        self.child = subprocess.Popen(self.command, stdout=subprocess.DEVNULL)
        for _ in range(100):
            if os.path.exists(path("port")) and os.path.getsize(path("port")):
                with open(path("port"), encoding="utf-8") as f:
                    self.url = "tls://localhost:" + f.read().strip()
                return self
            time.sleep(0.05)
        raise Failure("the server does not listen")

    def __exit__(self, *_):
        self.child.terminate()
        self.child.wait(120)


def trace(handfast, url, *options, status=0):
    page = path("page.html")
    done = run(handfast, "trace", url, "-o", page, *options)
    expect(done.returncode == status, f"handfast trace ends with {done.returncode}: {done.stderr}")
    return page


AFTER = ("NewSessionTicket", "Alert")


def test_full(handfast, browser):
    with Server(handfast) as s:
        seen = check_page(browser, trace(handfast, s.url, "--ca", path("plain.pem")), FULL, AFTER)
    expect(seen["headings"][1:] == ["What was agreed", "The handshake at a glance", "The conversation, byte by byte",
                                    "Where the keys come from"], f"headings are {seen['headings']}")
    expect(seen["svg"] == 1 and seen["points"] >= 3, "the key schedule or the verdict's points are missing")
    expect("HTTP/1.1 200 OK" in seen["text"], "the answer to the request is not shown")


def test_retried_with_client_certificate(handfast, browser):
    with Server(handfast, "--groups", "P-256", "--client-auth", "request", "--ca", path("plain.pem")) as s:
        page = trace(handfast, s.url, "--ca", path("plain.pem"), "--groups", "x25519,P-256", "--cert", path("plain.pem"),
                     "--key", path("plain.key"))
        check_page(browser, page, RETRIED, AFTER)


def test_resumed(handfast, browser):
    with Server(handfast) as s:
        options = ["--ca", path("plain.pem"), "--session", path("session")]
        trace(handfast, s.url, *options)
        seen = check_page(browser, trace(handfast, s.url, *options), RESUMED, AFTER)
    expect("resumed with a ticket" in seen["text"], "the page does not say that the session was resumed")


def test_hostile_names(handfast, browser):
    with Server(handfast, "--alpn", "http/1.1," + HOSTILE.replace(",", ""), name="hostile") as s:
        page = trace(handfast, s.url, "--ca", path("hostile.pem"), "--alpn", HOSTILE, "--get", "/")
        seen = check_page(browser, page, FULL, AFTER)
    expect(HOSTILE in seen["text"], "the hostile name is not shown as text")


def test_refused(handfast, browser):
    with Server(handfast) as s:
        page = trace(handfast, s.url, "--ca", path("hostile.pem"), status=2)
        seen = check_page(browser, page, FULL[:5], ("CertificateVerify", "Finished", "ChangeCipherSpec", "Alert"))
    expect(seen["failed"] == 1, "the page does not say that the connection failed")


def test_show(handfast, browser):
    page = path("show.html")
    with Server(handfast, "--show") as s:
        done = run(handfast, "connect", s.url, "--ca", path("plain.pem"), "--get", "/", "--quiet")
    expect(done.returncode == 0, done.stderr)
    with open(page, "w", encoding="utf-8") as f:
        f.write(done.stdout)
    seen = check_page(browser, page, FULL, AFTER)
    expect("as the server saw it" in seen["text"], "the page does not say whose view it is")


def test_compressed(handfast, browser):
    """A compressed certificate, and behind it the message that it stands for (RFC 8879)."""
    with Server(handfast, "--compress-cert", "zlib") as s:
        page = trace(handfast, s.url, "--ca", path("plain.pem"), "--compress-cert", "zlib")
        seen = check_page(browser, page, FULL[:4] + ["CompressedCertificate"] + FULL[4:], AFTER)
    expect("decompressed by zlib" in seen["text"], "the page does not say what was decompressed")


def test_old(handfast, browser):
    """TLS 1.2, with a fresh exchange."""
    with Server(handfast, "--max", "1.2") as s:
        seen = check_page(browser, trace(handfast, s.url, "--ca", path("plain.pem")), OLD, AFTER)
    expect(seen["locks"][:2] == ["Finished", "Finished"], f"protected are {seen['locks']}")
    expect("HTTP/1.1 200 OK" in seen["text"], "the answer to the request is not shown")
    expect("Forward secrecy: " in seen["text"] and "key block" in seen["text"].lower(), "the page is TLS 1.3's")
    expect(seen["svg"] == 1 and seen["points"] >= 6, "the keys or the verdict's points are missing")


def test_old_rsa(handfast, browser):
    """What anybody reads who gets the server's key."""
    with Server(handfast, "--max", "1.2", "--ciphers", "AES128-GCM-SHA256", name="rsa") as s:
        page = trace(handfast, s.url, "--ca", path("rsa.pem"), "--ciphers", "AES128-GCM-SHA256")
        seen = check_page(browser, page, OLD_RSA, AFTER)
    expect("No forward secrecy: the client sent the root of all keys" in seen["text"], "the page does not warn")


def test_old_cbc(handfast, browser):
    """TLS 1.0 with a CBC suite."""
    old = ("--security-level", "0", "--min", "1.0", "--max", "1.0", "--ciphers", "ECDHE-RSA-AES128-SHA")
    with Server(handfast, *old, name="rsa") as s:
        seen = check_page(browser, trace(handfast, s.url, "--ca", path("rsa.pem"), *old), OLD, AFTER)
    expect("TLS 1.0 is of 1999" in seen["text"] and "client_write_MAC_key" in seen["text"], "not TLS 1.0's page")


def test_old_client_certificate(handfast, browser):
    with Server(handfast, "--max", "1.2", "--client-auth", "require", "--ca", path("plain.pem")) as s:
        page = trace(handfast, s.url, "--ca", path("plain.pem"), "--cert", path("plain.pem"), "--key", path("plain.key"))
        check_page(browser, page, OLD_CLIENT_CERTIFICATE, AFTER)
        page = trace(handfast, s.url, "--ca", path("plain.pem"), status=2)
        seen = check_page(browser, page, OLD_REFUSED)
    expect(seen["failed"] == 1, "the page does not say that the connection failed")
    expect("the server asked for a client certificate, got none" in seen["text"], "the page does not say why")


def test_old_resumed(handfast, browser):
    for tickets, words in (("1", "resumed with a ticket"), ("0", "resumed by its ID")):
        with Server(handfast, "--max", "1.2", "--tickets", tickets) as s:
            options = ["--ca", path("plain.pem"), "--session", path("old-session-" + tickets)]
            trace(handfast, s.url, *options)
            seen = check_page(browser, trace(handfast, s.url, *options), OLD_RESUMED, AFTER)
        expect(words in seen["text"], f"the page does not say that the session was {words}")


def test_old_show(handfast, browser):
    page = path("show.html")
    with Server(handfast, "--show", "--max", "1.2") as s:
        done = run(handfast, "connect", s.url, "--ca", path("plain.pem"), "--get", "/", "--quiet")
    expect(done.returncode == 0, done.stderr)
    with open(page, "w", encoding="utf-8") as f:
        f.write(done.stdout)
    check_page(browser, page, OLD, AFTER)


TESTS = [test_full, test_compressed, test_retried_with_client_certificate, test_resumed, test_hostile_names, test_refused, test_show,
         test_old, test_old_rsa, test_old_cbc, test_old_client_certificate, test_old_resumed, test_old_show]


def main():
    handfast, browser = sys.argv[1], chromium()
    if not browser:
        print(f"skip all: no Chromium here (Debian: chromium)\n0 passed, 0 failed, {len(TESTS)} skipped")
        return 77
    make_certificate("plain", "/CN=localhost")
    make_certificate("rsa", "/CN=localhost", ("rsa:2048",))
    make_certificate("hostile", "/CN=" + HOSTILE + "/O=</script><script>top.hacked=1<\\/script>")
    passed = failed = 0
    for test in TESTS:
        try:
            test(handfast, browser)
            passed += 1
            print("ok  ", test.__name__, flush=True)
        except (Failure, subprocess.TimeoutExpired, OSError) as error:
            failed += 1
            print("FAIL", f"{test.__name__}: {error}", flush=True)
    print(f"{passed} passed, {failed} failed, 0 skipped")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
