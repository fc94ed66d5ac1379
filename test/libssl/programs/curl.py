"""curl against nginx on the system's library."""

import hashlib
import re
import tempfile

import library
import nginx


def missing():
    return nginx.missing()


def run(lib, words):
    outcomes, stock = {}, library.Library(library.STOCK, ".")

    def record(name, *conditions):
        outcomes[name] = "ok" if all(conditions) else "fail"

    with tempfile.TemporaryDirectory() as folder, nginx.Nginx(stock, folder) as server:
        want = hashlib.sha256(open(folder + "/www/big", "rb").read()).hexdigest()
        key = stock.run(["sh", "-c", f"openssl x509 -in {folder}/localhost.pem -pubkey -noout | openssl pkey -pubin "
                         "-outform der | openssl dgst -sha256 -binary | base64"]).stdout.strip()
        for version in ("1.2", "1.3"):
            what = f", TLS {version}"
            only = ["--tlsv" + version, "--tls-max", version]
            done = nginx.curl(lib, server, *only, "-v", server.url())
            record("GET" + what, done.stdout.startswith(f"one TLSv{version} localhost"))
            record("-v" + what, re.search(rf"SSL connection using TLSv{re.escape(version)} / [A-Z0-9_-]+", done.stderr),
                   "subject: CN=localhost" in done.stderr, "SSL certificate verify ok" in done.stderr,
                   "ALPN: server accepted h2" in done.stderr, "Client hello" in done.stderr)
            for http in ("--http1.1", "--http2"):
                done = nginx.curl(lib, server, *only, http, "-o", folder + "/got", server.url("/big"))
                got = hashlib.sha256(open(folder + "/got", "rb").read()).hexdigest() if done.returncode == 0 else ""
                record(f"GET of 100 MB{what}, {http}", got == want)
                for verb, how in (("POST", "--data-binary"), ("PUT", "-T")):
                    source = folder + "/www/big" if how == "-T" else "@" + folder + "/www/big"
                    done = nginx.curl(lib, server, *only, http, how, source, server.url("/echo"))
                    record(f"{verb} of 100 MB{what}, {http}", done.stdout == "taken\n")
            done = nginx.curl(lib, server, *only, "--cert", folder + "/client.pem", "--key", folder + "/client.key",
                              server.url("/", "verify"))
            record("client certificate" + what, done.stdout == "SUCCESS CN=client\n")
            done = nginx.curl(lib, server, *only, "--pinnedpubkey", "sha256//" + key, server.url())
            record("pinned key" + what, done.returncode == 0)
            done = nginx.curl(lib, server, *only, "--pinnedpubkey", "sha256//" + key.replace(key[:4], "AAAA"),
                              server.url())
            record("wrong pinned key" + what, done.returncode == 90)
            for port, words_ in (("expired", "certificate has expired"), ("wrong", "no alternative certificate")):
                done = nginx.curl(lib, server, *only, server.url("/", port))
                record(f"{port}{what}", done.returncode == 60, words_ in done.stderr)
            done = nginx.curl(lib, server, *only, "--cert-status", server.url())
            record("OCSP staple" + what, done.stdout.startswith("one TLS"))
            done = lib.run([nginx.CURL, "-sS", "-k", *only, server.url("/who", host="127.0.0.1")])
            record("not verified" + what, done.returncode == 0)
            done = lib.run([nginx.CURL, "-sS", *only, server.url("/who", host="127.0.0.1")])
            record("unknown authority" + what, done.returncode == 60)
            done = nginx.curl(lib, server, *only, server.url("/small"), server.url("/small"), server.url("/small"))
            record("three in one connection" + what, done.stdout == "small\n" * 3)
        done = nginx.curl(lib, server, "--tls-max", "1.1", server.url())
        record("no common version", done.returncode == 35)
        done = nginx.curl(lib, server, f"https://localhost:{server.ports['plain']}/")
        record("a server without TLS", done.returncode == 35, "wrong version number" in done.stderr)
    del words
    return outcomes
