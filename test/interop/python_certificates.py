"""Certificates as Python's ssl shows them: python_certificates.py LIBHANDFAST

The library's functions are called through ctypes and compared with the ssl module of the Python that runs this, on
CPython's own test certificates, on the machine's authorities, and on certificates made here with everything that
a subjectAltName can hold. What Python says is the standard; nothing here knows what is right.
"""

import base64
import ctypes
import glob
import json
import os
import re
import shutil
import ssl
import subprocess
import sys
import tempfile
import warnings
from ctypes import POINTER, byref, c_bool, c_char, c_char_p, c_int, c_int64, c_size_t, c_uint, c_void_p

from pki import openssl
from preload import preload

preload(sys.argv[1])
HF = ctypes.CDLL(sys.argv[1])
FOLDER = tempfile.TemporaryDirectory()
PEM = re.compile(rb"-----BEGIN CERTIFICATE-----.*?-----END CERTIFICATE-----", re.S)
EC = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"]
decode = ssl._ssl._test_decode_cert


class Failure(Exception):
    pass


class Error(ctypes.Structure):
    _fields_ = [("code", c_int), ("fault", c_int), ("rest", c_char * 1024)]


class List(ctypes.Structure):
    _fields_ = [("cert", POINTER(c_void_p)), ("count", c_size_t)]


class Paths(ctypes.Structure):
    _fields_ = [(n, c_char_p) for n in ("cafile", "capath", "cafile_env", "default_cafile", "capath_env",
                                        "default_capath", "private_dir", "area")]


class Stats(ctypes.Structure):
    _fields_ = [("crl", c_size_t), ("x509_ca", c_size_t), ("x509", c_size_t)]


def declare(name, result, *args):
    f = getattr(HF, name)
    f.restype, f.argtypes = result, args
    return f


parse = declare("hf_certificate_parse", c_void_p, c_char_p, c_size_t, c_void_p)
free = declare("hf_certificate_free", None, c_void_p)
to_json = declare("hf_certificate_json", c_size_t, c_void_p, c_char_p, c_size_t)
to_pem = declare("hf_certificate_pem", c_size_t, c_void_p, c_char_p, c_size_t)
pem_decode = declare("hf_pem_decode", c_size_t, c_char_p, c_char_p, c_size_t, c_char_p, c_size_t, c_void_p)
matches = declare("hf_certificate_matches", c_bool, c_void_p, c_char_p, c_uint, c_void_p)
seconds = declare("hf_cert_time_to_seconds", c_bool, c_char_p, POINTER(c_int64), c_void_p)
get_paths = declare("hf_default_verify_paths", None, POINTER(Paths))
trust_new = declare("hf_trust_new", c_void_p)
trust_free = declare("hf_trust_free", None, c_void_p)
trust_load = declare("hf_trust_load", c_bool, c_void_p, c_char_p, c_char_p, c_char_p, c_size_t, c_void_p)
get_stats = declare("hf_trust_get_stats", c_bool, c_void_p, POINTER(Stats), c_void_p)
authorities = declare("hf_trust_certificates", c_bool, c_void_p, c_bool, POINTER(List), c_void_p)
get_der = declare("hf_certificate_der", c_void_p, c_void_p, POINTER(c_size_t))
list_clear = declare("hf_certificates_clear", None, POINTER(List))


def path(name, content=None):
    where = os.path.join(FOLDER.name, name)
    if content is not None:
        with open(where, "wb") as f:
            f.write(content if isinstance(content, bytes) else content.encode())
    return where


def read(name):
    with open(name, "rb") as f:
        return f.read()


def same(got, want, what=""):
    if got != want:
        raise Failure(f"{what}: {got!r}, not {want!r}")


def text_of(function, *args):
    n = function(*args, None, 0)
    out = ctypes.create_string_buffer(n + 1)
    same(function(*args, out, n + 1), n)
    return out.raw[:n].decode()


class Certificate:
    def __init__(self, der):
        self.it = parse(der, len(der), None)
        if not self.it:
            raise Failure("a certificate cannot be parsed")

    def __enter__(self):
        return self.it

    def __exit__(self, *_):
        free(self.it)


# ---------------------------------------------------------------- certificates to compare

MADE = """
[req]
distinguished_name = dn
prompt = no
string_mask = utf8only
utf8 = yes
x509_extensions = x
[dn]
{subject}
[x]
{extensions}
[other_dn]
C = DE
O = Fäden & Söhne
CN = "two\\nlines"
[other_dn2]
1.OU = a
+2.OU = b
CN = c
[points]
fullname = URI:http://crl.example/1.crl,URI:ldap://crl.example/cn=x,dirName:other_dn
[points2]
CRLissuer = dirName:other_dn
reasons = keyCompromise
[points3]
relativename = other_dn3
[other_dn3]
CN = relative
[pair]
a = UTF8:text
b = INTEGER:1
"""

SUBJECTS = ["CN = plain", "C = DE\nST = Berlin\nO = Ünïcode 漢字 \U0001f512\nCN = x", "CN = a\n+OU = b\nO = c\n+L = d",
            "1.2.3.4.5 = unknown\nCN = y", "DC = com\nDC = example\nemailAddress = a@b.c\nserialNumber = 12",
            'CN = "quotes \\" and \\\\ and \\t"', "CN = " + "n" * 64]
NAMES = ["DNS:a.example", "DNS:*.b.example,DNS:xn--strae-oqa.example", "IP:10.0.0.1,IP:2001:db8::1,IP:::ffff:1.2.3.4",
         "URI:https://example.com/p?q=1,email:someone@example.com", "RID:1.2.3.4.5.6,RID:2.5.4.3",
         "dirName:other_dn,dirName:other_dn2,DNS:with-dir.example", "otherName:1.3.6.1.5.5.7.8.9;UTF8:sömeone@example.com",
         "otherName:1.3.6.1.4.1.311.20.2.3;UTF8:user@domain", "otherName:1.2.3.4;IA5:what", "otherName:1.2.3.4;INTEGER:5",
         "otherName:1.2.3.4;SEQUENCE:pair", "DER:3000", "DER:300A8208612C622E636F6D00",
         "DER:300787050102030405", "email:,DNS:x"]
OTHERS = ["authorityInfoAccess = OCSP;URI:http://ocsp.example/,OCSP;URI:http://ocsp2.example/,caIssuers;URI:http://ca.example/ca.crt",
          "authorityInfoAccess = caIssuers;dirName:other_dn", "authorityInfoAccess = OCSP;DNS:not.an.uri",
          "crlDistributionPoints = points", "crlDistributionPoints = URI:http://crl.example/x.crl",
          "crlDistributionPoints = points2", "crlDistributionPoints = dirName:other_dn", "crlDistributionPoints = points3",
          "basicConstraints = critical,CA:true,pathlen:3\nkeyUsage = keyCertSign", "extendedKeyUsage = serverAuth,1.2.3.4",
          "certificatePolicies = 1.2.3.4,1.2.3.5", "tlsfeature = status_request", "1.2.3.4.5 = critical,ASN1:UTF8:what"]
SERIALS = ["1", "0", "-5", "0x0102030405060708090a0b0c0d0e0f1011121314", "0x" + "7f" * 40]
DATES = [("491231235959Z", "20500101000000Z"), ("19500101000000Z", "99991231235959Z")]


def make(subject="CN = plain", names=None, other="", serial="7", dates=None):
    """A certificate, DER; None if openssl will not make one like that."""
    extensions = ("subjectAltName = " + names + "\n" if names else "") + other
    config = path("made.cnf", MADE.format(subject=subject, extensions=extensions))
    key, out = path("made.key"), path("made.der")
    if not os.path.exists(key):
        openssl("genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256", "-out", key)
    args = ["req", "-x509", "-new", "-config", config, "-key", key, "-outform", "DER", "-out", out, "-set_serial", serial,
            "-days", "3"]
    try:
        openssl(*args)
    except RuntimeError as e:
        raise Failure(f"{subject!r} {names!r} {other!r} {serial}: {e}") from e
    return read(out)


def python_folders():
    folders = ["/usr/lib/python3.11/test"]
    try:
        import test  # CPython's own tests, where they are installed
        folders.append(os.path.dirname(test.__file__))
    except ImportError:
        pass
    return [f for folder in folders for f in (folder, os.path.join(folder, "certdata")) if os.path.isdir(f)]


def from_python():
    """CPython's own test certificates."""
    found = {}
    for folder in python_folders():
        for name in sorted(glob.glob(os.path.join(folder, "*.pem"))):
            for block in PEM.findall(read(name)):
                try:
                    der = ssl.PEM_cert_to_DER_cert(block.decode())
                    decode(path("one.pem", block + b"\n"))
                except (ValueError, ssl.SSLError):
                    continue
                found.setdefault(der, os.path.basename(name))
    return found


def from_machine():
    bundle = ssl.get_default_verify_paths().cafile or "/etc/ssl/certs/ca-certificates.crt"
    return {ssl.PEM_cert_to_DER_cert(b.decode()): "the machine's" for b in PEM.findall(read(bundle))}


def from_here():
    made = {}
    for subject in SUBJECTS:
        for names in (None, NAMES[0]):
            made[make(subject, names)] = f"subject {subject!r}"
    for names in NAMES:
        if names.startswith("email:,"):
            continue
        made[make(names=names)] = f"names {names!r}"
        made[make(names=names, other=OTHERS[0] + "\n" + OTHERS[3])] = f"names {names!r} and more"
    for other in OTHERS:
        made[make(other=other)] = f"extension {other!r}"
    for serial in SERIALS:
        made[make(serial=serial)] = f"serial {serial}"
    return made


def compare(certificates):
    for der, what in certificates.items():
        name = path("one.pem", ssl.DER_cert_to_PEM_cert(der))
        try:
            want = json.dumps(decode(name))
        except (UnicodeDecodeError, ssl.SSLError) as e:
            raise Failure(f"{what}: Python cannot decode it: {e}") from e
        with Certificate(der) as cert:
            same(text_of(to_json, cert), want, what)


# ---------------------------------------------------------------- the tests

def dictionary():
    """Y47 Y48"""
    own, machine, made = from_python(), from_machine(), from_here()
    for name, certificates, least in (("CPython's", own, 12), ("the machine's", machine, 100), ("made", made, 50)):
        if len(certificates) < least:
            raise Failure(f"only {len(certificates)} certificates are {name}")
        compare(certificates)
    if len(own) + len(machine) + len(made) < 200:
        raise Failure("fewer than 200 certificates")
    print(f"     {len(own)} of CPython's, {len(machine)} of the machine's, {len(made)} made here")


def pem_and_der():
    """Y38"""
    for der in list(from_machine())[:40] + [make(serial=str(i), names="DNS:" + "x" * i) for i in range(1, 50)]:
        with Certificate(der) as cert:
            want = ssl.DER_cert_to_PEM_cert(der)
            same(text_of(to_pem, cert), want)
            out = ctypes.create_string_buffer(len(der))
            same(pem_decode(b"CERTIFICATE", want.encode(), len(want), out, len(der), None), len(der))
            same(out.raw, ssl.PEM_cert_to_DER_cert(want))
    err = Error()
    for bad in (b"", b"-----BEGIN CERTIFICATE-----\n", b"-----BEGIN CERT-----\nAAAA\n-----END CERT-----\n",
                b"-----BEGIN CERTIFICATE-----\n****\n-----END CERTIFICATE-----\n"):
        same(pem_decode(b"CERTIFICATE", bad, len(bad), None, 0, byref(err)), 0, bad)


TIMES = ["Jan  5 09:34:43 2018 GMT", "Jan 5 09:34:43 2018 GMT", "Jan 05 09:34:43 2018 GMT", "JaN 5 09:34:43 2018 GMT",
         "May  9 00:00:00 2007 GMT", "Dec 31 23:59:60 2008 GMT", "Jan  5 09:34:60 2018 GMT", "Jan  5 09:34:61 2018 GMT",
         "Dec 31 23:59:59 9999 GMT", "Feb 29 12:00:00 2024 GMT", "Jan  1 00:00:00 1950 GMT", "jan 1 00:00:00 1970 gmt",
         # refused
         "Jan  5 09:34 2018 GMT", "Jan  5 09:34:43 2018", "Jan  5 09:34:43 2018 UTC", "Jan 35 09:34:43 2018 GMT",
         "Jon  5 09:34:43 2018 GMT", "Jan  5 24:00:00 2018 GMT", "Jan  5 09:60:43 2018 GMT", "Jan  5 09:34:62 2018 GMT",
         "Jan  5 09:34:43 18 GMT", "", "GMT", "Jan  0 09:34:43 2018 GMT", "Jan  5 09:34:43 2018 GMT+1"]


def times():
    """Y36"""
    for text in TIMES:
        try:
            want = ssl.cert_time_to_seconds(text)
        except ValueError:
            want = None
        out = c_int64()
        got = out.value if seconds(text.encode(), byref(out), None) else None
        same(got, want, text)
    out = c_int64()
    same(seconds(b"Feb 29 00:00:00 2023 GMT", byref(out), None), False, "a day that is not there")
    for iso, text in (("2018-01-05T09:34:43Z", TIMES[0]), ("2007-05-09", TIMES[4])):
        same((seconds(iso.encode(), byref(out), None), out.value), (True, ssl.cert_time_to_seconds(text)), iso)
    for der, what in from_machine().items():
        text = decode(path("one.pem", ssl.DER_cert_to_PEM_cert(der)))["notAfter"]
        same((seconds(text.encode(), byref(out), None), out.value), (True, ssl.cert_time_to_seconds(text)), what)


CHILD = """
import ssl, json, sys
p = ssl.get_default_verify_paths()
print(json.dumps([p.cafile, p.capath, p.openssl_cafile_env, p.openssl_cafile, p.openssl_capath_env, p.openssl_capath]))
"""


def default_paths():
    """Y39 T57"""
    before = dict(os.environ)
    for file, folder in ((None, None), (path("f.pem", "x"), FOLDER.name), ("/no/such", "/no/such"), (FOLDER.name, path("f.pem")),
                         ("", "")):
        env = {k: v for k, v in before.items() if k not in ("SSL_CERT_FILE", "SSL_CERT_DIR")}
        if file is not None:
            env |= {"SSL_CERT_FILE": file, "SSL_CERT_DIR": folder}
        mine = subprocess.run([sys.executable, __file__, sys.argv[1], "--paths"], env=env, capture_output=True, check=True)
        theirs = subprocess.run([sys.executable, "-c", CHILD], env=env, capture_output=True, check=True)
        got = json.loads(mine.stdout)
        same(got[:6], json.loads(theirs.stdout), (file, folder))
    area = subprocess.run(["openssl", "version", "-d"], capture_output=True, text=True).stdout.split('"')[1]
    same(got[6:], [area + "/private", area], "openssl version -d")
    if shutil.which("php"):
        php = subprocess.run(["php", "-r", "echo json_encode(openssl_get_cert_locations());"], capture_output=True, text=True)
        there = json.loads(php.stdout)
        same([there["default_" + n] for n in ("cert_file_env", "cert_file", "cert_dir_env", "cert_dir", "private_dir",
                                              "default_cert_area")], got[2:], "PHP")


def print_paths():
    p = Paths()
    get_paths(byref(p))
    print(json.dumps([getattr(p, n).decode() if getattr(p, n) is not None else None for n, _ in Paths._fields_]))


# ---- trust

def make_ca(name, crl=False):
    config = path(name + ".cnf", f"[req]\ndistinguished_name=d\nprompt=no\nx509_extensions=x\n[d]\nCN={name}\n[x]\n"
                  "basicConstraints=critical,CA:true\nkeyUsage=keyCertSign,cRLSign\n[ca]\ndefault_ca=c\n[c]\n"
                  f"database={path(name + '.txt', '')}\ndefault_md=sha256\ndefault_crl_days=30\n")
    openssl("req", "-x509", "-config", config, *EC, "-keyout", path(name + ".key"), "-out", path(name + ".pem"), "-days", "9")
    if crl:
        openssl("ca", "-gencrl", "-config", config, "-keyfile", path(name + ".key"), "-cert", path(name + ".pem"), "-out",
                path(name + ".crl"))
    return path(name + ".pem")


def inputs():
    """What load_verify_locations is given: a name, then cafile, capath and cadata."""
    one, two = read(make_ca("one", crl=True)), read(make_ca("two"))
    leaf = ssl.DER_cert_to_PEM_cert(make(names="DNS:a.example")).encode()
    ders = [ssl.PEM_cert_to_DER_cert(p.decode()) for p in (one, two)]
    crl = read(path("one.crl"))
    bundle = ssl.get_default_verify_paths().cafile
    folder = path("hashed")
    os.makedirs(folder, exist_ok=True)
    path("hashed/one.pem", one)
    openssl("rehash", folder)
    trusted = subprocess.run(["openssl", "x509", "-trustout", "-addtrust", "serverAuth"], input=one, capture_output=True).stdout
    return [("one", path("a.pem", one), None, None), ("TRUSTED", path("t.pem", trusted + two), None, None), ("twice the same", path("b.pem", one + one), None, None),
            ("with text", path("c.pem", b"text\n" + one + b"\nmore text\n" + two + b"end"), None, None),
            ("with a leaf", path("d.pem", one + leaf), None, None), ("with a list", path("e.pem", one + crl), None, None),
            ("a list alone", path("f.pem", crl), None, None), ("lists twice", path("g.pem", crl + crl + two), None, None),
            ("the machine's", bundle, None, None), ("a folder", None, folder, None), ("memory", None, None, one.decode()),
            ("memory with text", None, None, "text\n" + one.decode() + "more" + two.decode()), ("DER", None, None, ders[0]),
            ("DER twice", None, None, ders[0] + ders[1]), ("the same DER twice", None, None, ders[0] + ders[0]),
            ("all", path("h.pem", two + crl), folder, one.decode()),
            # refused
            ("nothing", None, None, None), ("no such file", path("none.pem"), None, None), ("no text", None, None, ""),
            ("garbage", None, None, b"garbage"), ("a broken one", None, None, one.decode().replace("M", "*", 1)),
            ("an empty file", path("i.pem", b""), None, None)]


def stores():
    """Y111 Y116 Y117"""
    for what, cafile, capath, cadata in inputs():
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        try:
            context.load_verify_locations(cafile, capath, cadata)
            want = context.cert_store_stats()
        except (ssl.SSLError, OSError, TypeError, ValueError):
            want = None
        trust, stats, all_of_them = trust_new(), Stats(), List()
        data = cadata.encode() if isinstance(cadata, str) else cadata
        ok = trust_load(trust, cafile and cafile.encode(), capath and capath.encode(), data, len(data or b""), None)
        if ok:
            same(get_stats(trust, byref(stats), None), True)
            same(authorities(trust, False, byref(all_of_them), None), True)
        got = {n: getattr(stats, n) for n in ("x509", "crl", "x509_ca")} if ok else None
        same(got, want, what)
        ders, n = set(), c_size_t()
        for i in range(all_of_them.count):
            ders.add(ctypes.string_at(get_der(all_of_them.cert[i], byref(n)), n.value))
        same(len(ders), all_of_them.count, what)
        if ok:
            same(ders, set(context.get_ca_certs(binary_form=True)), what)
        list_clear(byref(all_of_them))
        trust_free(trust)


# ---- names

PATTERNS = ["example.com", "*.example.com", "*.com", "*", "*.*.com", "*a*.example.com", "f*.example.com", "*f.example.com",
            "www*.xn--pthon-kva.org", "xn--pthon-kva.org", "*.xn--pthon-kva.org", "a.*.com", "EXAMPLE.com", "localhost"]
HOSTS = ["example.com", "a.example.com", "a.b.example.com", "EXAMPLE.COM", ".example.com", "foo.example.com", "com", "a.com",
         "www1.xn--pthon-kva.org", "xn--pthon-kva.org", "a.xn--pthon-kva.org", "10.0.0.1", "10.0.0.2", "2001:db8::1",
         "2001:DB8:0:0:0:0:0:1", "::1", "localhost", "a.x.com", "b.a.com"]


def python_matches(certificate, host):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            ssl.match_hostname(certificate, host)
            return True
        except ssl.CertificateError:
            return False


def names():
    """Y29 Y30 Y31 Y32 Y33 Y34"""
    if not hasattr(ssl, "match_hostname"):
        raise Failure("this Python has no match_hostname any more: run it with Python 3.11")
    compared = 0
    cases = [(make(names="DNS:" + p, subject="CN = other.example"), 0) for p in PATTERNS]
    cases += [(make(names="IP:10.0.0.1,IP:2001:db8::1", subject="CN = example.com"), f) for f in (0, 1)]
    cases += [(make(names="DNS:other.example", subject="CN = example.com"), 1)]
    cases += [(make(subject="CN = " + p), 1) for p in ("example.com", "*.example.com", "*a.example.com")]
    for der, flags in cases:
        certificate = decode(path("one.pem", ssl.DER_cert_to_PEM_cert(der)))
        with Certificate(der) as cert:
            for host in HOSTS:
                want = python_matches(certificate, host)
                got = matches(cert, host.encode(), flags, None)
                # RFC 9525 is stricter: a wildcard for a whole registry speaks for nobody.
                if ("DNS", "*.com") in certificate.get("subjectAltName", ()) and want and not got:
                    continue
                same(got, want, (certificate.get("subjectAltName", certificate["subject"]), host, flags))
                compared += 1
    with Certificate(make(subject="CN = example.com")) as cert:
        same(matches(cert, b"example.com", 0, None), False, "a common name by default")
    with Certificate(make(subject="CN = 10.0.0.1")) as cert:  # as OpenSSL; Python's own function takes it
        same(matches(cert, b"10.0.0.1", 1, None), False, "a common name for an address")
    with Certificate(make(names="DNS:a.example,DNS:b.example")) as cert:
        err = Error()
        same(matches(cert, b"c.example", 0, byref(err)), False)
        if b"DNS:a.example, DNS:b.example" not in bytes(err):
            raise Failure("the error does not list the names")
    print(f"     {compared} pairs")


def main():
    if sys.argv[2:] == ["--paths"]:
        print_paths()
        return 0
    passed = failed = 0
    for test in (dictionary, pem_and_der, times, default_paths, stores, names):
        try:
            test()
            passed += 1
            print(f"ok   {test.__name__} [{test.__doc__}]", flush=True)
        except Failure as e:
            failed += 1
            print(f"FAIL {test.__name__} [{test.__doc__}]: {e}", flush=True)
    print(f"{passed} passed, {failed} failed, 0 skipped")
    return 1 if failed else 0


sys.exit(main())
