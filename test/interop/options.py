"""Options by name on the command line, and the printed tables of them.

    options.py HANDFAST TOOLS/OPTION_TABLES
"""

import json
import os
import subprocess
import sys

from core import SCRATCH, Failure, Process, Score, free_port, tail
from handfast import CONFIG, OK, TLS, Handfast
from pki import Pki


class Bench:
    def __init__(self, command, tables):
        self.pki, self.tables = Pki(os.path.join(SCRATCH, "pki")), tables
        self.handfast = Handfast(command, self.pki)

    def connect(self, port, *options, want=OK):
        """What a connection with these options reports, or the error."""
        words = [word for option in options for word in ("-o", option)]
        done = self.handfast.run("connect", f"tls://127.0.0.1:{port}", "--get", "/", "--json", *words)
        said = done.err().decode() if isinstance(done.err(), bytes) else done.err()
        if done.status != want:
            raise Failure(f"{options}: exit status {done.status}: {tail(said)}")
        return json.loads(said.splitlines()[0]) if want == OK else said


def docs(bench):
    done = subprocess.run([sys.executable, bench.tables, bench.handfast.command, "--check"], capture_output=True, text=True,
                          check=False)
    if done.returncode:
        raise Failure(done.stdout + "run tools/option_tables")


def client(bench):
    pki = bench.pki
    server = bench.handfast.serve("--quiet", "--www")
    ca, name = f"cafile={pki.ca}", "peer_name=localhost"
    bench.connect(server.port, ca, name)
    bench.connect(server.port, ca, want=OK)  # the address is in the certificate
    bench.connect(server.port, ca, "peer_name=wrong.test", want=TLS)
    bench.connect(server.port, want=TLS)
    bench.connect(server.port, "verify_peer=no")
    found = bench.connect(server.port, ca, "crypto_method=TLSv1.2", "ecdh_curve=P-256", "ciphers=ECDHE+AES256")
    if (found["version"], found["group"], found["suite"]) != \
            ("TLS 1.2", "secp256r1", "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384"):
        raise Failure(str(found))
    for option, word in (("verify_per=no", "did you mean verify_peer?"), ("verify_peer=maybe", "takes yes or no"),
                         ("novalue", "name=value"), ("cafile=/nowhere", "cafile: "),
                         ("peer_fingerprint=d41d8cd98f00b204e9800998ecf8427e", "MD5 is refused")):
        said = bench.connect(server.port, option, want=CONFIG)
        if word not in said:
            raise Failure(f"{option}: {said}")
    server.stop()


def server(bench):
    """Certificates by name, and socket options, from the command line."""
    pki, port = bench.pki, free_port()
    sites = f"SNI_server_certs=localhost={pki.chain('rsa')}:{pki.key('rsa')}"
    process = Process([bench.handfast.command, "serve", f"tls://127.0.0.1:{port}", "--quiet", "-o", f"local_cert={pki.chain('ec')}",
                       "-o", f"local_pk={pki.key('ec')}", "-o", sites, "-o", "crypto_method=TLSv1.2", "-o", "so_reuseport=yes"])
    process.wait_port(port)
    for extra, suite in ((["peer_name=localhost"], "_RSA_"), ([], "_ECDSA_"), (["peer_name=localhost", "SNI_enabled=no"], "_ECDSA_")):
        found = bench.connect(port, f"cafile={pki.ca}", *extra)
        if suite not in found["suite"]:
            raise Failure(f"{extra}: {found['suite']}")
    process.stop()


def main():
    score = Score()
    if not os.access(sys.argv[1], os.X_OK):
        print("skip everything: no handfast\n0 passed, 0 failed, 1 skipped")
        return 0
    bench = Bench(os.path.abspath(sys.argv[1]), sys.argv[2])
    for function in (docs, client, server):
        print(f"{function.__name__:8} {score.check(function.__name__, function, bench)}", flush=True)
    return score.done()


if __name__ == "__main__":
    sys.exit(main())
