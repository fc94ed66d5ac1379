"""nginx with what its documentation tells to switch on, asked by curl and wrk on the system's library."""

import os
import re
import signal
import subprocess
import tempfile
import time

import library
import openssl
import pki

NGINX, CURL, WRK = "/usr/sbin/nginx", "/usr/bin/curl", "/usr/bin/wrk"
CONFIG = """
daemon off;
worker_processes 2;
pid {folder}/nginx.pid;
error_log {folder}/error.log info;
events {{ worker_connections 512; }}
http {{
    access_log off;
    client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi; uwsgi_temp_path {folder}/uwsgi; scgi_temp_path {folder}/scgi;
    ssl_session_cache shared:s:1m;
    ssl_session_tickets {tickets};
    ssl_protocols TLSv1.2 TLSv1.3;
    ssl_early_data on;
    client_max_body_size 200m;
    server {{
        listen 127.0.0.1:{port} ssl http2;
        server_name localhost;
        ssl_certificate {folder}/chain.pem;
        ssl_certificate_key {folder}/localhost.key;
        ssl_stapling on;
        ssl_stapling_file {folder}/ocsp.der;
        root {folder}/www;
        location /who {{ return 200 "one $ssl_protocol $ssl_server_name $ssl_session_reused $ssl_alpn_protocol\\n"; }}
        location /echo {{ proxy_pass http://127.0.0.1:{plain}; }}
    }}
    server {{
        listen 127.0.0.1:{port} ssl http2;
        server_name other.test;
        ssl_certificate {folder}/other.pem;
        ssl_certificate_key {folder}/other.key;
        location / {{ return 200 "two $ssl_server_name\\n"; }}
    }}
    server {{
        listen 127.0.0.1:{verify} ssl;
        ssl_certificate {folder}/localhost.pem;
        ssl_certificate_key {folder}/localhost.key;
        ssl_client_certificate {folder}/ca.pem;
        ssl_verify_client optional;
        location / {{ return 200 "$ssl_client_verify $ssl_client_s_dn\\n"; }}
    }}
    server {{
        listen 127.0.0.1:{expired} ssl;
        ssl_certificate {folder}/expired.pem;
        ssl_certificate_key {folder}/expired.key;
    }}
    server {{
        listen 127.0.0.1:{wrong} ssl;
        ssl_certificate {folder}/wrong.pem;
        ssl_certificate_key {folder}/wrong.key;
    }}
    server {{ listen 127.0.0.1:{plain}; location / {{ return 200 "taken\\n"; }} }}
}}
"""


def missing():
    for path, package in ((NGINX, "nginx"), (CURL, "curl"), (WRK, "wrk")):
        if not library.command_exists(path):
            return f"no {path} (package {package})"
    return None


class Nginx:
    def __init__(self, lib, folder, tickets="on"):
        self.lib, self.folder = lib, folder
        self.certs = pki.Pki(folder)
        self.certs.ocsp_response("localhost")
        with open(self.certs.path("chain.pem"), "w", encoding="ascii") as f:  # curl finds the issuer in what is sent
            for name in ("localhost.pem", "ca.pem"):
                f.write(open(self.certs.path(name), encoding="ascii").read())
        os.makedirs(os.path.join(folder, "www"))
        with open(os.path.join(folder, "www/big"), "wb") as f:
            f.write(os.urandom(1 << 20) * 100)
        with open(os.path.join(folder, "www/small"), "w", encoding="ascii") as f:
            f.write("small\n")
        os.chmod(folder, 0o755)
        self.ports = {name: openssl.free_port() for name in ("port", "plain", "verify", "expired", "wrong")}
        self.config = os.path.join(folder, "nginx.conf")
        with open(self.config, "w", encoding="ascii") as f:
            f.write(CONFIG.format(folder=folder, tickets=tickets, **self.ports))

    def __enter__(self):
        self.process = subprocess.Popen([NGINX, "-e", self.folder + "/error.log", "-c", self.config],
                                        env=self.lib.env(), stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
        for _ in range(1200):
            if os.path.exists(self.folder + "/nginx.pid") or self.process.poll() is not None:
                break
            time.sleep(0.05)
        return self

    def __exit__(self, *_):
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()

    def url(self, path="/who", port="port", host="localhost"):
        return f"https://{host}:{self.ports[port]}{path}"


def curl(lib, server, *arguments, name="localhost", timeout=60):
    resolve = [f"{name}:{port}:127.0.0.1" for port in server.ports.values()]
    options = [word for entry in resolve for word in ("--resolve", entry)]
    return lib.run([CURL, "-sS", "--cacert", server.certs.path("ca.pem"), *options, *arguments], timeout=timeout)


def reload_under_load(server):
    """No request fails while nginx loads its configuration again."""
    command = [WRK, "-t1", "-c8", "-d4s", "-H", "Connection: close", server.url("/small")]
    load = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env={"PATH": "/usr/bin"})
    for _ in range(3):
        time.sleep(1)
        server.process.send_signal(signal.SIGHUP)
    out = load.communicate(timeout=120)[0]
    asked = re.search(r"(\d+) requests in", out)
    return bool(asked) and int(asked.group(1)) > 20 and "Non-2xx" not in out and "connect 0" in (
        out if "Socket errors" in out else "connect 0")


def resumes(lib, server, version):
    """Whether s_client's second connection takes up the session of its first."""
    session = server.folder + "/session"
    command = ["/usr/bin/openssl", "s_client", "-connect", f"127.0.0.1:{server.ports['port']}",
               "-tls" + version.replace(".", "_"), "-servername", "localhost", "-ign_eof"]
    request = "GET /who HTTP/1.0\r\nHost: localhost\r\n\r\n"
    first, second = (lib.run(command + more, input=request, timeout=60).stdout
                     for more in (["-sess_out", session], ["-sess_in", session]))
    return "New, " in first and "Reused, " in second and " r " in second


def run(lib, words):
    outcomes, stock = {}, library.Library(library.STOCK, ".")

    def record(name, *conditions):
        outcomes[name] = "ok" if all(conditions) else "fail"

    with tempfile.TemporaryDirectory() as folder, Nginx(lib, folder) as server:
        for version in ("1.2", "1.3"):
            only = ["--tlsv" + version, "--tls-max", version]
            done = curl(stock, server, *only, server.url())
            record(f"HTTPS, TLS {version}", done.stdout.startswith(f"one TLSv{version} localhost"))
            done = curl(stock, server, *only, "--http1.1", server.url(), server.url("/small"), "-v")
            record(f"HTTP/1.1, TLS {version}", "small" in done.stdout)
            done = curl(stock, server, *only, "-o", "/dev/null", "-w", "%{http_version} %{size_download}",
                        server.url("/big"))
            record(f"HTTP/2 and 100 MB, TLS {version}", done.stdout == "2 104857600")
            done = curl(stock, server, *only, "--http1.1", "--data-binary", "@" + folder + "/www/big",
                        server.url("/echo"))
            record(f"POST of 100 MB, TLS {version}", done.stdout == "taken\n")
            done = curl(stock, server, *only, server.url("/", host="other.test"), name="other.test")
            record(f"second virtual host, TLS {version}", done.stdout == "two other.test\n")
            for certificate in (False, True):
                more = ["--cert", folder + "/client.pem", "--key", folder + "/client.key"] if certificate else []
                done = curl(stock, server, *only, *more, server.url("/", "verify"))
                record(f"client verification, TLS {version}, {'with' if certificate else 'without'} a certificate",
                       done.stdout == ("SUCCESS CN=client\n" if certificate else "NONE \n"))
            record(f"resumption, TLS {version}", resumes(stock, server, version))
            done = curl(stock, server, *only, "--cert-status", server.url())
            record(f"OCSP staple, TLS {version}", done.stdout.startswith("one TLS"))
            done = curl(stock, server, *only, "--cert-status", server.url("/", host="other.test"), name="other.test")
            record(f"no OCSP staple where none is set, TLS {version}", done.returncode == 91)
        record("reload under load", reload_under_load(server))
        record("still alive", server.process.poll() is None,
               curl(stock, server, server.url("/small")).stdout == "small\n")
    with tempfile.TemporaryDirectory() as folder, Nginx(lib, folder, tickets="off") as server:
        for version in ("1.2", "1.3"):
            record(f"resumption from the cache alone, TLS {version}", resumes(stock, server, version))
    del words
    return outcomes
