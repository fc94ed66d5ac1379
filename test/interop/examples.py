"""The README's client and server, run as they stand: examples.py CLIENT SERVER."""

import os
import sys

from core import SCRATCH, Failure, Process, Score, free_port, tail
from pki import Pki


def main():
    client, server = (os.path.abspath(path) for path in sys.argv[1:3])
    score = Score()
    pki = Pki(os.path.join(SCRATCH, "pki"))
    port = free_port()
    url = f"tls://localhost:{port}"
    door = Process([server, pki.chain("ec"), pki.key("ec"), url]).wait_port(port)

    def visit(ca, name="localhost"):
        done = Process([client, f"tls://{name}:{port}"], env={"SSL_CERT_FILE": ca, "SSL_CERT_DIR": "/nowhere"})
        done.status = done.wait(20)
        return done

    def greeted():
        done = visit(pki.ca)
        if done.status != 0 or done.out() != b"hi\n":
            raise Failure(f"exit status {done.status}, {done.out()!r}: {tail(done.err())}")

    def refused():
        done = visit(pki.other_ca)
        if done.status != 1 or done.out() or "UNTRUSTED" not in done.err():
            raise Failure(f"exit status {done.status}, {done.out()!r}: {tail(done.err(), 9)}")

    def not_there():
        done = Process([client, f"tls://localhost:{free_port()}"])
        if done.wait(20) != 1 or "CONNECT" not in done.err():
            raise Failure(tail(done.err(), 9))

    def bad_key():
        done = Process([server, pki.chain("ec"), pki.key("rsa"), f"tls://localhost:{free_port()}"])
        if done.wait(20) != 1 or not done.err().strip():
            raise Failure(tail(done.err(), 9))

    for name, check in [("the client is greeted", greeted), ("a stranger's server is refused", refused),
                        ("and the server goes on", greeted), ("nobody is there", not_there),
                        ("the server's key is another's", bad_key)]:
        print(f"{score.check(name, check):4} {name}")
    door.stop()
    return score.done()


if __name__ == "__main__":
    sys.exit(main())
