"""A throwaway PKI, made with the openssl command: everything that the interop tests and the bad-input
tests present or trust. Valid for a few days, never committed."""

import os
import subprocess
import time

NAMES = "DNS:localhost,IP:127.0.0.1,IP:::1"

# name: (key options of openssl genpkey, dict of what is unusual)
SERVERS = {
    "ec": (["-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256"], {}),
    "p384": (["-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-384"], {}),
    "p521": (["-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-521"], {}),
    "rsa": (["-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048"],
            {"usage": "digitalSignature,keyEncipherment"}),  # which NSS insists on
    "pss": (["-algorithm", "RSA-PSS", "-pkeyopt", "rsa_keygen_bits:2048"], {}),
    "ed25519": (["-algorithm", "ED25519"], {}),
    "expired": (["-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256"], {"days": (-20, -10)}),
    "future": (["-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256"], {"days": (10, 20)}),
    "wrong_host": (["-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256"],
                   {"names": "DNS:elsewhere.test,DNS:*.other.test"}),
    "weak": (["-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:1024"], {}),
    "client_only": (["-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256"], {"use": "clientAuth"}),
}

CA_CONFIG = """
[ca]
default_ca = this
[this]
dir = {dir}
database = {dir}/index.txt
new_certs_dir = {dir}/issued
serial = {dir}/serial
default_md = sha256
policy = any
unique_subject = no
copy_extensions = none
[any]
commonName = supplied
[req]
distinguished_name = dn
prompt = no
[dn]
CN = {cn}
[ca_ext]
basicConstraints = critical,CA:true
keyUsage = critical,keyCertSign,cRLSign
subjectKeyIdentifier = hash
[leaf_ext]
basicConstraints = critical,CA:false
keyUsage = critical,{usage}
extendedKeyUsage = {use}
subjectAltName = {names}
subjectKeyIdentifier = hash
authorityKeyIdentifier = keyid
"""


def openssl(*args):
    done = subprocess.run(["openssl", *args], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True)
    if done.returncode != 0:
        raise RuntimeError(f"openssl {' '.join(args)}: {done.stdout}")


class Pki:
    """Files in one folder. cert(name), key(name), chain(name); ca is what to trust."""

    def __init__(self, folder):
        self.folder = folder
        os.makedirs(folder, exist_ok=True)
        self.ca = self.path("ca.pem")
        self.other_ca = self.path("other-ca.pem")
        self._make_ca("ca", "Interop Test Authority")
        self._make_ca("other-ca", "Another Authority")
        for name, (options, odd) in SERVERS.items():
            self._make_leaf(name, options, odd)
        client = SERVERS["ec"][0]
        self._make_leaf("client", client, {"use": "clientAuth", "cn": "interop client",
                                           "names": "email:client@localhost"})
        self._make_leaf("stranger", client, {"ca": "other-ca"})
        self._make_leaf("client_stranger", client, {"ca": "other-ca", "use": "clientAuth",
                                                    "names": "email:client@localhost"})
        self._make_self_signed("self_signed", client)
        for name in ("ec", "rsa", "client"):
            openssl("pkcs12", "-export", "-in", self.chain(name), "-inkey", self.key(name), "-name", name,
                    "-certfile", self.ca, "-passout", "pass:pw", "-out", self.p12(name))

    def path(self, name):
        return os.path.join(self.folder, name)

    def cert(self, name):
        return self.path(name + ".pem")

    def key(self, name):
        return self.path(name + ".key")

    def chain(self, name):
        return self.path(name + "-chain.pem")

    def p12(self, name):
        return self.path(name + ".p12")

    def _config(self, ca, cn, names=NAMES, use="serverAuth", usage="digitalSignature"):
        path = self.path("openssl.cnf")
        with open(path, "w", encoding="utf-8") as f:
            f.write(CA_CONFIG.format(dir=self.path(ca + "-db"), cn=cn, names=names, use=use, usage=usage))
        return path

    def _make_ca(self, name, cn):
        db = self.path(name + "-db")
        os.makedirs(os.path.join(db, "issued"), exist_ok=True)
        open(os.path.join(db, "index.txt"), "w").close()
        with open(os.path.join(db, "serial"), "w", encoding="utf-8") as f:
            f.write("1001\n")
        openssl("genpkey", *SERVERS["ec"][0], "-out", self.key(name))
        openssl("req", "-x509", "-new", "-config", self._config(name, cn), "-extensions", "ca_ext", "-sha256",
                "-days", "30", "-key", self.key(name), "-out", self.cert(name))

    def _make_leaf(self, name, options, odd):
        ca = odd.get("ca", "ca")
        cn = odd.get("cn", "localhost" if "names" not in odd else "elsewhere.test")
        config = self._config(ca, cn, odd.get("names", NAMES), odd.get("use", "serverAuth"),
                              odd.get("usage", "digitalSignature"))
        openssl("genpkey", *options, "-out", self.key(name))
        openssl("req", "-new", "-config", config, "-key", self.key(name), "-out", self.path(name + ".csr"))
        start, end = odd.get("days", (-1, 20))
        openssl("ca", "-batch", "-notext", "-config", config, "-extensions", "leaf_ext",
                "-startdate", utc_after(start), "-enddate", utc_after(end),
                "-keyfile", self.key(ca), "-cert", self.cert(ca),
                "-in", self.path(name + ".csr"), "-out", self.cert(name))
        self._make_chain(name, ca)

    def _make_self_signed(self, name, options):
        openssl("genpkey", *options, "-out", self.key(name))
        openssl("req", "-x509", "-new", "-config", self._config("ca", "localhost"), "-extensions", "leaf_ext",
                "-sha256", "-days", "20", "-key", self.key(name), "-out", self.cert(name))
        self._make_chain(name, None)

    def _make_chain(self, name, ca):
        with open(self.chain(name), "w", encoding="utf-8") as out:
            for part in [self.cert(name)] + ([self.cert(ca)] if ca else []):
                with open(part, encoding="utf-8") as f:
                    out.write(f.read())


def utc_after(days):
    return time.strftime("%y%m%d%H%M%SZ", time.gmtime(time.time() + days * 86400))
