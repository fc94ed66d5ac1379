"""Contexts as Python's ssl has them: python_ssl.py LIBHANDFAST

The library's functions are called through ctypes and compared with the ssl module of the Python that runs this:
lists of ciphers, numbers and their names, default contexts, statistics.
"""

import ctypes
import json
import os
import ssl
import sys
import warnings
from ctypes import POINTER, Structure, byref, c_bool, c_char_p, c_int, c_size_t, c_uint, c_uint64, c_ulong, c_void_p

from preload import preload

warnings.simplefilter("ignore")
preload(sys.argv[1])
HF = ctypes.CDLL(sys.argv[1])
CLIENT, SERVER = 0, 1


class Failure(Exception):
    pass


def declare(name, result, *args):
    f = getattr(HF, name)
    f.restype, f.argtypes = result, args
    return f


config_new = declare("hf_config_new", c_void_p, c_int)
config_free = declare("hf_config_free", None, c_void_p)
set_ciphers = declare("hf_config_set_ciphers", c_bool, c_void_p, c_char_p)
set_suites = declare("hf_config_set_suites", c_bool, c_void_p, c_char_p)
ciphers_json = declare("hf_config_ciphers_json", c_size_t, c_void_p, c_char_p, c_size_t)
config_options = declare("hf_config_options", c_uint64, c_void_p)
verify_mode = declare("hf_config_verify_mode", c_int, c_void_p)
name_check = declare("hf_config_name_check", c_bool, c_void_p)
verify_flags = declare("hf_config_verify_flags", c_uint, c_void_p)
minimum = declare("hf_config_minimum_version", c_int, c_void_p)
config_default = declare("hf_config_default", c_void_p, c_int, c_char_p, c_char_p, c_char_p, c_size_t, c_void_p)


class Info(Structure):
    _fields_ = [("id", ctypes.c_uint16), ("version_min", ctypes.c_uint16), ("version_max", ctypes.c_uint16)] + \
        [(n, c_char_p) for n in ("name", "openssl_name", "kx", "auth", "enc", "mac")] + \
        [("bits", c_uint), ("by_default", c_bool)]


all_suites = declare("hf_all_suites", c_size_t, POINTER(Info), c_size_t)


def equal(a, b, what):
    if a != b:
        raise Failure("%s: %r here, %r in Python" % (what, a, b))


def all_names():
    infos = (Info * 256)()
    return [infos[i].openssl_name.decode() for i in range(all_suites(infos, 256))]


def ours(string, suites13):
    """What get_ciphers() of a configuration with this string is, TLS 1.3's suites in OpenSSL's order; None: refused."""
    config = config_new(CLIENT)
    try:
        if not set_suites(config, ":".join(suites13).encode()) or not set_ciphers(config, string.encode()):
            return None
        size = ciphers_json(config, None, 0)
        text = ctypes.create_string_buffer(size + 1)
        if ciphers_json(config, text, size + 1) != size:
            raise Failure("the length of the list changes")
        return json.loads(text.value)
    finally:
        config_free(config)


def theirs(string):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    try:
        context.set_ciphers(string)
    except ssl.SSLError:
        return None
    return context.get_ciphers()


STRINGS = ["DEFAULT", "ALL", "COMPLEMENTOFALL", "COMPLEMENTOFDEFAULT", "ALL:eNULL:@SECLEVEL=0", "HIGH", "MEDIUM:HIGH",
           "ECDHE+AESGCM", "ECDHE+CHACHA20:ECDHE+AES", "DHE", "kRSA", "PSK", "aNULL:@SECLEVEL=0", "eNULL:@SECLEVEL=0",
           "AESCCM8", "AESCCM", "SHA1:@SECLEVEL=0", "SHA256", "SHA384", "TLSv1.2", "TLSv1", "SSLv3", "@STRENGTH:ALL",
           "ECDHE+AES:!SHA1", "ECDHE-RSA-AES128-GCM-SHA256:AES128-SHA", "DHE-PSK-AES256-GCM-SHA384", "AES256+ECDSA",
           "ALL:!COMPLEMENTOFDEFAULT:!eNULL", "ECDHE+AESGCM:ECDHE+CHACHA20:DHE+AESGCM:!aNULL:!eNULL:!aDSS:!SHA1:!AESCCM",
           "@SECLEVEL=2:ECDH+AESGCM:ECDH+CHACHA20:ECDH+AES:DHE+AES:!aNULL:!eNULL:!aDSS:!SHA1:!AESCCM",
           "kECDHEPSK", "AES128:-AES128-SHA", "ALL:+AES256", "NULL-SHA256:@SECLEVEL=0"]


def test_get_ciphers():
    """The same dictionaries in the same order, but for suites that only one of the two has (ARIA, Camellia, SRP there;
    RFC 8442's here)."""
    both = {c["name"] for c in theirs("ALL:COMPLEMENTOFALL:@SECLEVEL=0")}
    both |= {n for n in all_names() if n.startswith("TLS_")}
    names, compared = set(all_names()) & both, set()
    for string in STRINGS:
        python = theirs(string)
        if python is None:
            equal(ours(string, ["TLS_AES_128_GCM_SHA256"]), None, string)
            continue
        python = [c for c in python if c["name"] in names]
        suites13 = [c["name"] for c in python if c["protocol"] == "TLSv1.3"]
        here = ours(string, suites13)
        here = here and [c for c in here if c["name"] in names]
        if here is None:
            equal([c for c in python if c["protocol"] != "TLSv1.3"], [], string)
            continue
        equal([c["name"] for c in here], [c["name"] for c in python], string)
        for a, b in zip(here, python):
            equal(a, b, string + ": " + b["name"])
            compared.add(b["name"])
    missing = {n for n in names - compared if not n.startswith("TLS_AES_128_CCM")} # not among Python's
    if missing or len(compared) < 60:
        raise Failure("%d suites compared, never: %s" % (len(compared), sorted(missing)))


def test_enumerations():
    """AlertDescription, SSLErrorNumber, TLSVersion, the features and the versions of libcrypto."""
    alert = declare("hf_alert_name", c_char_p, ctypes.c_uint8)
    for a in ssl.AlertDescription:
        name = a.name.replace("ALERT_DESCRIPTION_", "").lower().replace("user_cancelled", "user_canceled")
        equal(alert(a.value).decode(), name, "alert %d" % a.value)
    number = declare("hf_error_number_name", c_char_p, c_int)
    for e in ssl.SSLErrorNumber:
        equal(number(e.value).decode(), e.name.replace("SSL_ERROR_", ""), "error number")
    token = declare("hf_version_token", c_char_p, ctypes.c_uint16)
    for v in ssl.TLSVersion:
        if v.value > 0:
            equal(token(v.value).decode().replace(".", "_"), v.name, "version %d" % v.value)
    have, feature = declare("hf_have", c_bool, c_int), declare("hf_feature_name", c_char_p, c_int)
    i = compared = 0
    while feature(i):
        name = "HAS_" + feature(i).decode()
        if hasattr(ssl, name):
            equal(have(i), bool(getattr(ssl, name)), name)
            compared += 1
        i += 1
    if compared < 11:
        raise Failure("only %d features compared" % compared)
    version = declare("hf_crypto_version_number", c_ulong)()
    info = (c_int * 5)()
    HF.hf_crypto_version_info(byref(info))
    text = declare("hf_crypto_version_string", c_char_p)().decode()
    # The Python here may be linked to another libcrypto than handfast is.
    if text == ssl.OPENSSL_VERSION:
        equal(version, ssl.OPENSSL_VERSION_NUMBER, "OPENSSL_VERSION_NUMBER")
        equal(tuple(info), ssl.OPENSSL_VERSION_INFO, "OPENSSL_VERSION_INFO")
    option = declare("hf_option_name", c_char_p, c_uint64)
    for o in ssl.Options:
        bits = int(o) & 0xffffffff
        if bits and bits & (bits - 1) == 0 and option(bits):
            equal("OP_" + option(bits).decode(), o.name, "option 0x%x" % bits)


class Error(Structure):
    _fields_ = [("code", c_int), ("fault", c_int), ("alert", ctypes.c_uint8), ("received", c_bool), ("cut", c_bool),
                ("errno", c_int), ("rest", ctypes.c_char * 1024)]


def test_mnemonics():
    """library and reason of every error are words that Python's tables have, in that library."""
    import _ssl
    libraries = {"SSL": 20, "X509": 11, "PEM": 9}
    table = getattr(_ssl, "err_codes_to_names", None)
    if table is None: # hidden since Python 3.12
        return
    known = {(lib, word) for (lib, _), word in table.items()}
    library = declare("hf_error_library", c_char_p, POINTER(Error))
    reason = declare("hf_error_reason", c_char_p, POINTER(Error))
    name = declare("hf_code_name", c_char_p, c_int)
    # reasons of all libraries (ERR_R_), which have no entry of their own in the tables
    common = {"MALLOC_FAILURE", "INTERNAL_ERROR", "PEM_LIB"}
    common.add("TLSV1_ALERT_UNKNOWN_PSK_IDENTITY") # sslerr.h has it, Python's table has not
    words = 0
    errors = [Error(code=i) for i in range(1, 400) if name(i) != b"UNKNOWN"]
    received = [i for i in range(1, 400) if name(i) == b"ALERT_RECEIVED"][0]
    errors += [Error(code=received, alert=a.value, received=True) for a in ssl.AlertDescription]
    for e in errors:
        lib, word = library(byref(e)).decode(), reason(byref(e)).decode()
        if not word:
            equal(lib, "", name(e.code).decode())
            continue
        words += 1
        if word in common:
            continue
        if (libraries[lib], word) not in known:
            raise Failure("%s: Python has no %s in %s" % (name(e.code).decode(), word, lib))
    if words < 120:
        raise Failure("only %d errors have a word" % words)


def test_default_contexts():
    """create_default_context(): at least as strict as Python's of today."""
    for purpose, role in ((ssl.Purpose.SERVER_AUTH, 0), (ssl.Purpose.CLIENT_AUTH, 1)):
        python, here = ssl.create_default_context(purpose), config_default(role, None, None, None, 0, None)
        equal(verify_mode(here), int(python.verify_mode), "verify_mode")
        equal(bool(name_check(here)), python.check_hostname, "check_hostname")
        if minimum(here) < max(int(python.minimum_version), 0x0303):
            raise Failure("minimum_version is 0x%04x" % minimum(here))
        # strict, partial chain, trusted first: Python 3.13's defaults
        equal(verify_flags(here), 1 | 2 | 8, "verify_flags")
        wanted = int(python.options) & 0x7fffffff & ~int(ssl.OP_ALL) & ~0x80 & ~0x4
        if wanted & ~config_options(here) & 0xffffffff:
            raise Failure("options 0x%x, Python 0x%x" % (config_options(here), wanted))
        strong = {c["name"] for c in python.get_ciphers()}
        size = ciphers_json(here, None, 0)
        text = ctypes.create_string_buffer(size + 1)
        ciphers_json(here, text, size + 1)
        weaker = [c["name"] for c in json.loads(text.value) if c["name"] not in strong]
        equal(weaker, [], "ciphers that Python does not offer")
        config_free(here)


def test_statistics():
    """The eleven names of session_stats(); and what is left out has no symbol."""
    header = open(os.path.join(os.path.dirname(__file__), "..", "..", "include", "handfast.h")).read()
    struct = header[header.index("typedef struct hf_session_stats"):header.index("} hf_session_stats;")]
    for name in ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).session_stats():
        name = "cached" if name == "number" else name
        if name + ";" not in struct.replace(",", ";"):
            raise Failure("hf_session_stats has no " + name)
    for name in ("hf_random_pseudo_bytes", "hf_wrap_socket", "hf_config_set_npn", "hf_random_egd"):
        if hasattr(HF, name):
            raise Failure("there is a " + name)


def main():
    failed, tests = 0, [(test_get_ciphers, "Y118"), (test_enumerations, "Y03 Y21 Y77 Y79 Y80"),
                        (test_mnemonics, "Y13"), (test_default_contexts, "Y04 Y10 Y107"), (test_statistics, "Y12 Y25 Y123")]
    print("# Python %s, %s" % (sys.version.split()[0], ssl.OPENSSL_VERSION))
    for test, rows in tests:
        try:
            test()
            print("ok   %s [%s]" % (test.__name__, rows))
        except Failure as e:
            failed += 1
            print("FAIL %s [%s]\n     %s" % (test.__name__, rows, e))
    print("%d passed, %d failed, 0 skipped" % (len(tests) - failed, failed))
    sys.exit(failed > 0)


main()
