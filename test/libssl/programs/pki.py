"""Throwaway certificates, by the openssl command on the system's library."""

import os
import subprocess

CONFIG = """
[req]
distinguished_name = dn
[dn]
[ca]
basicConstraints = critical,CA:TRUE
[server]
basicConstraints = CA:FALSE
subjectAltName = {names}
[client]
basicConstraints = CA:FALSE
"""


class Pki:
    """In `folder`: ca.pem, and NAME.pem and NAME.key for localhost, other, expired, wrong and client."""

    def __init__(self, folder):
        self.folder = folder
        self.make("ca", "ca", "handfast test CA", None)
        self.make("localhost", "server", "localhost", "DNS:localhost,IP:127.0.0.1")
        self.make("other", "server", "other.test", "DNS:other.test")
        self.make("wrong", "server", "wrong.test", "DNS:wrong.test")
        self.make("expired", "server", "localhost", "DNS:localhost,IP:127.0.0.1", ["-not_before", "20200101000000Z",
                                                                                   "-not_after", "20200102000000Z"])
        self.make("client", "client", "client", None)

    def path(self, name):
        return os.path.join(self.folder, name)

    def openssl(self, *arguments):
        subprocess.run(["/usr/bin/openssl", *arguments], check=True, capture_output=True, cwd=self.folder,
                       env={"PATH": "/usr/bin:/bin"})

    def make(self, name, kind, subject, names, dates=()):
        config = self.path(name + ".cnf")
        with open(config, "w", encoding="ascii") as f:
            f.write(CONFIG.format(names=names or "DNS:none.test"))
        self.openssl("ecparam", "-name", "prime256v1", "-genkey", "-noout", "-out", name + ".key")
        self.openssl("req", "-new", "-key", name + ".key", "-subj", "/CN=" + subject, "-config", config, "-out",
                     name + ".csr")
        if dates:
            self.sign_dated(name, kind, config, dates)
            return
        signer = ["-signkey", name + ".key"] if name == "ca" else ["-CA", "ca.pem", "-CAkey", "ca.key",
                                                                   "-CAcreateserial"]
        self.openssl("x509", "-req", "-in", name + ".csr", "-days", "2", "-extfile", config, "-extensions", kind,
                     "-out", name + ".pem", *signer)

    def ocsp_response(self, name):
        """A response that calls NAME.pem good, signed by the CA itself; its path."""
        serial = subprocess.run(["/usr/bin/openssl", "x509", "-in", self.path(name + ".pem"), "-noout", "-serial"],
                                check=True, capture_output=True, text=True).stdout.strip().split("=")[1]
        with open(self.path("ocsp-index.txt"), "w", encoding="ascii") as f:
            f.write(f"V\t400101000000Z\t\t{serial}\tunknown\t/CN={name}\n")
        self.openssl("ocsp", "-issuer", "ca.pem", "-cert", name + ".pem", "-reqout", "ocsp-request.der")
        self.openssl("ocsp", "-index", "ocsp-index.txt", "-CA", "ca.pem", "-rsigner", "ca.pem", "-rkey", "ca.key",
                     "-reqin", "ocsp-request.der", "-respout", "ocsp.der", "-ndays", "2")
        return self.path("ocsp.der")

    def sign_dated(self, name, kind, config, dates):
        """openssl x509 cannot set dates in the past, openssl ca can."""
        with open(config, "a", encoding="ascii") as f:
            f.write("[ca_default]\ndatabase=index.txt\nserial=serial.txt\nnew_certs_dir=.\ndefault_md=sha256\n"
                    "policy=any\n[any]\ncommonName=supplied\n")
        open(self.path("index.txt"), "w", encoding="ascii").close()
        with open(self.path("serial.txt"), "w", encoding="ascii") as f:
            f.write("77\n")
        start, end = dates[1], dates[3]
        self.openssl("ca", "-batch", "-config", config, "-name", "ca_default", "-cert", "ca.pem", "-keyfile", "ca.key",
                     "-in", name + ".csr", "-startdate", start, "-enddate", end, "-extensions", kind, "-notext",
                     "-out", name + ".pem")
