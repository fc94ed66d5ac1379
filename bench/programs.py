"""Rows of bench/libssl that whole programs make: libcurl against nginx on the system's libssl, and nginx on either
library. Times are CPU time of the program that is measured, from the kernel."""
import os
import re
import signal
import socket
import ssl
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(os.path.dirname(HERE), "test/libssl/programs"))
import pki  # noqa: E402

NGINX, WRK, OPENSSL = "/usr/sbin/nginx", "/usr/bin/wrk", "/usr/bin/openssl"
BUNDLE = "/etc/ssl/certs/ca-certificates.crt"
CONFIG = """
daemon off;
worker_processes 1;
pid {folder}/nginx.pid;
error_log {folder}/error.log crit;
events {{ worker_connections 4096; }}
http {{
    log_format reused "$ssl_session_reused";
    access_log {folder}/access.log reused buffer=64k flush=1s;
    client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi; uwsgi_temp_path {folder}/uwsgi; scgi_temp_path {folder}/scgi;
    ssl_session_cache shared:s:10m;
    ssl_protocols TLSv1.2 TLSv1.3;
    keepalive_timeout 600;
    keepalive_requests 100000;
    server {{
        listen 127.0.0.1:{port} ssl backlog=4096;
        ssl_certificate {folder}/localhost.pem;
        ssl_certificate_key {folder}/localhost.key;
        location / {{ return 200 "hello\\n"; }}
    }}
}}
"""


def missing():
    for path in (NGINX, WRK, OPENSSL):
        if not os.path.exists(path):
            return path
    return None


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


class Server:
    """nginx with one worker; `with` starts and ends it."""

    def __init__(self, env, folder):
        self.env, self.folder, self.port = env, folder, free_port()
        config = os.path.join(folder, "nginx.conf")
        with open(config, "w", encoding="ascii") as f:
            f.write(CONFIG.format(folder=folder, port=self.port))
        self.command = [NGINX, "-e", folder + "/error.log", "-c", config]

    def __enter__(self):
        self.process = subprocess.Popen(self.command, env=self.env, stderr=subprocess.DEVNULL)
        for _ in range(200):
            try:
                socket.create_connection(("127.0.0.1", self.port), 1).close()
                break
            except OSError:
                time.sleep(0.05)
        children = f"/proc/{self.process.pid}/task/{self.process.pid}/children"
        with open(children, encoding="ascii") as f:
            self.worker = int(f.read().split()[0])
        return self

    def __exit__(self, *_):
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(20)

    def cpu(self):
        """Seconds of the worker so far."""
        with open(f"/proc/{self.worker}/schedstat", encoding="ascii") as f:
            return int(f.read().split()[0]) / 1e9

    def memory(self):
        with open(f"/proc/{self.worker}/status", encoding="ascii") as f:
            return int(re.search(r"VmRSS:\s+(\d+) kB", f.read()).group(1)) * 1024

    def requests(self):
        """(all, resumed) that have been logged."""
        time.sleep(1.2)
        with open(self.folder + "/access.log", encoding="ascii") as f:
            lines = f.read().split("\n")[:-1]
        return len(lines), lines.count("r")


def bare():
    return {"PATH": os.environ["PATH"]}


def curl_rows(folder, env, options, certs, add):
    """Connections of libcurl, with every authority of the system in the file that it verifies against."""
    bundle = certs.path("bundle.pem")
    with open(bundle, "w", encoding="utf-8") as out:
        for path in (BUNDLE, certs.path("ca.pem")):
            if os.path.exists(path):
                with open(path, encoding="utf-8") as f:
                    out.write(f.read())
    count = "10" if options.quick else "200"
    with tempfile.TemporaryDirectory(dir=certs.folder) as scratch:
        for name in ("localhost.pem", "localhost.key"):
            os.link(certs.path(name), os.path.join(scratch, name))
        with Server(bare(), scratch) as server:
            for row, ca, how in (("curl-new-handles", certs.path("ca.pem"), "new"),
                                 ("curl-new-handles-bundle", bundle, "new"),
                                 ("curl-one-handle", certs.path("ca.pem"), "same")):
                done = subprocess.run([os.path.join(folder, "bench/curl-load"), f"https://localhost:{server.port}/", ca,
                                       count, how], env=env, stdout=subprocess.PIPE, text=True, check=True)
                add(row, "us", float(done.stdout))


def loaded_by(server, command):
    before, requests = server.cpu(), server.requests()
    began = time.monotonic()
    subprocess.run(command, env=bare(), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=True)
    seconds = time.monotonic() - began
    cpu, after = server.cpu() - before, server.requests()
    count = after[0] - requests[0]
    return count / seconds, cpu / count * 10000, (after[1] - requests[1]) / count


def idle(server, count):
    """Bytes of memory that each idle connection adds, after a first few have warmed the worker up."""
    context = ssl.create_default_context(cafile=os.path.join(server.folder, "ca.pem"))
    context.check_hostname = False

    def connect():
        s = context.wrap_socket(socket.create_connection(("127.0.0.1", server.port)))
        s.sendall(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
        s.recv(4096)
        return s
    kept = [connect() for _ in range(50)]
    before = server.memory()
    kept += [connect() for _ in range(count)]
    each = (server.memory() - before) / count
    for s in kept:
        s.close()
    return each


def nginx_rows(env, options, certs, add):
    seconds = "1" if options.quick else "5"
    with tempfile.TemporaryDirectory(dir=certs.folder) as scratch:
        for name in ("localhost.pem", "localhost.key", "ca.pem"):
            os.link(certs.path(name), os.path.join(scratch, name))
        with Server(env, scratch) as server:
            rate, cpu, _ = loaded_by(server, [WRK, "-t1", "-c8", f"-d{seconds}s", "-H", "Connection: close",
                                              f"https://localhost:{server.port}/"])
            add("nginx-full-rate", "1/s", rate)
            add("nginx-full-cpu", "s/10k", cpu)
            for version in ("tls1_2", "tls1_3"):
                for how in ("new", "reuse"):
                    rate, cpu, resumed = loaded_by(
                        server, [OPENSSL, "s_time", "-connect", f"127.0.0.1:{server.port}", "-" + how, "-" + version,
                                 "-time", seconds, "-www", "/"])
                    if (how == "reuse") != (resumed > 0.9):
                        sys.exit(f"bench/libssl: s_time -{how} -{version}: {resumed:.0%} of connections resumed")
                    row = f"nginx-{version.replace('_', '')}-{'resumed' if how == 'reuse' else 'full'}"
                    add(row + "-cpu", "s/10k", cpu)
            add("nginx-idle-memory", "B", idle(server, 100 if options.quick else 1000))


def rows(folder, env, options, add):
    """Each row that is wanted by add(row, unit, value)."""
    with tempfile.TemporaryDirectory() as made:
        os.chmod(made, 0o755)
        certs = pki.Pki(made)
        if re.search(options.row, "curl-new-handles-bundle curl-one-handle") and \
                os.path.exists(os.path.join(folder, "bench/curl-load")):
            curl_rows(folder, env, options, certs, add)
        if re.search(options.row, "nginx-full-rate nginx-tls12-resumed-cpu nginx-idle-memory") and not missing():
            nginx_rows(env, options, certs, add)
