#!/usr/bin/env python3
"""handfast proxy beside hitch, haproxy and stunnel: bench/proxy.py HANDFAST [--seconds S] [--rounds N] [--json].

Each takes TLS from wrk and hands plain bytes to nginx, with one process or thread for the connections. In every round
all of them take their turn at the same thing, in an order that moves on; the median of the rounds is shown. Beside
what wrk counts stands the processor time that the proxy itself used for each request or handshake: that hardly
changes when others are at work on the machine, as what wrk counts does."""

import json
import os
import re
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time

SCRATCH = tempfile.mkdtemp(prefix="handfast-proxy-bench-")
TICK = os.sysconf("SC_CLK_TCK")
CONNECTIONS = 1000


def path(name):
    return os.path.join(SCRATCH, name)


def write(name, text):
    with open(path(name), "w", encoding="ascii") as f:
        f.write(text)
    return path(name)


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def find(name):
    return shutil.which(name) or shutil.which(name, path="/usr/sbin")


def tree(pid):
    with open(f"/proc/{pid}/task/{pid}/children", encoding="ascii") as f:
        return [pid] + [p for child in f.read().split() for p in tree(int(child))]


class Server:
    def __init__(self, command, port):
        self.port = port
        self.child = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd=SCRATCH)
        for _ in range(200):
            try:
                socket.create_connection(("127.0.0.1", port)).close()
                return
            except OSError:
                time.sleep(0.05)
        raise SystemExit(f"{command} does not listen")

    def cpu(self):
        total = 0
        for pid in tree(self.child.pid):
            with open(f"/proc/{pid}/stat", encoding="ascii") as f:
                words = f.read().rsplit(")", 1)[1].split()
            total += int(words[11]) + int(words[12])
        return total / TICK

    def memory(self):
        """Kilobytes that belong to these processes alone, and their part of what they share."""
        total = 0
        for pid in tree(self.child.pid):
            with open(f"/proc/{pid}/smaps_rollup", encoding="ascii") as f:
                total += next(int(line.split()[1]) for line in f if line.startswith("Pss:"))
        return total

    def stop(self):
        self.child.send_signal(signal.SIGTERM)
        time.sleep(0.1)
        self.child.send_signal(signal.SIGTERM)
        try:
            self.child.wait(5)
        except subprocess.TimeoutExpired:
            self.child.kill()


def make_cert():
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days",
                    "20", "-keyout", path("key.pem"), "-out", path("cert.pem"), "-subj", "/CN=localhost"], check=True,
                   stderr=subprocess.DEVNULL)
    with open(path("cert.pem"), encoding="ascii") as cert, open(path("key.pem"), encoding="ascii") as key:
        write("both.pem", key.read() + cert.read())
    os.chmod(SCRATCH, 0o755)
    os.chmod(path("both.pem"), 0o644)


def start_nginx():
    port = free_port()
    os.mkdir(path("www"))
    for name, size in (("1k", 1024), ("1m", 1 << 20)):
        write(f"www/{name}", "x" * size)
    for name in ("www/1k", "www/1m", "www"):
        os.chmod(path(name), 0o755)
    temp = " ".join(f"{kind}_temp_path {path(kind)};" for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
    write("nginx.conf", f"daemon off; master_process off; pid {path('pid')}; error_log {path('log')};\n"
          f"events {{ worker_connections 8192; }}\nhttp {{ access_log off; keepalive_requests 100000000; sendfile on; {temp}\n"
          f"server {{ listen 127.0.0.1:{port} backlog=4096; root {path('www')}; }} }}\n")
    return Server([find("nginx"), "-c", path("nginx.conf")], port)


def proxies(handfast, backend):
    """Name and server of each that is here."""
    port = free_port()
    yield "handfast", Server([handfast, "proxy", f"tls://127.0.0.1:{port}", f"tcp://127.0.0.1:{backend}", "--workers", "1",
                              "--cert", path("cert.pem"), "--key", path("key.pem"), "--quiet"], port)
    if find("haproxy"):
        port = free_port()
        write("haproxy.cfg", "global\n nbthread 1\n maxconn 8000\n tune.ssl.lifetime 7200\ndefaults\n mode tcp\n"
              " timeout connect 30s\n timeout client 600s\n timeout server 600s\nlisten x\n"
              f" bind 127.0.0.1:{port} ssl crt {path('both.pem')}\n server s 127.0.0.1:{backend}\n")
        yield "haproxy", Server([find("haproxy"), "-f", path("haproxy.cfg"), "-db", "-q"], port)
    if find("hitch"):
        port = free_port()
        write("hitch.conf", f'frontend = "[127.0.0.1]:{port}"\nbackend = "[127.0.0.1]:{backend}"\nworkers = 1\n'
              f'pem-file = "{path("both.pem")}"\ndaemon = off\nuser = "nobody"\ngroup = "nogroup"\n'
              "tls-protos = TLSv1.2 TLSv1.3\nquiet = on\n")
        yield "hitch", Server([find("hitch"), "--config", path("hitch.conf"), "--ocsp-dir="], port)
    if find("stunnel4"):
        port = free_port()
        write("stunnel.conf", f"foreground = yes\npid =\ndebug = 0\nsocket = l:TCP_NODELAY=1\nsocket = r:TCP_NODELAY=1\n[x]\n"
              f"accept = 127.0.0.1:{port}\nconnect = 127.0.0.1:{backend}\ncert = {path('cert.pem')}\n"
              f"key = {path('key.pem')}\n")
        yield "stunnel", Server([find("stunnel4"), path("stunnel.conf")], port)


# wrk resumes sessions; s_time makes full handshakes, one behind the other.
FULL = "full handshakes, one after the other"
ROWS = {"requests of 1 KiB, 100 connections": ("1k", 100, []), "answers of 1 MiB, 20 connections": ("1m", 20, []),
        "a resumed handshake for each request, 50 at once": ("1k", 50, ["-H", "Connection: close"]), FULL: None}


def measure_full(server, seconds):
    before = server.cpu()
    done = subprocess.run(["openssl", "s_time", "-connect", f"127.0.0.1:{server.port}", "-new", "-time", str(seconds)],
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=True)
    count, real = re.search(r"(\d+) connections in (\d+) real seconds", done.stdout).groups()
    return {"rate": int(count) / int(real), "us": 1e6 * (server.cpu() - before) / int(count), "errors": []}


def resumes(server):
    """Whether a client that offers a session is taken at its word."""
    import ssl
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    session = None
    for _ in range(2):
        s = context.wrap_socket(socket.create_connection(("127.0.0.1", server.port)), session=session)
        s.sendall(b"GET /1k HTTP/1.1\r\nHost: x\r\n\r\n")
        s.recv(4096)
        session = s.session
    return s.session_reused


def measure(server, row, seconds):
    if row == FULL:
        return measure_full(server, seconds)
    name, connections, more = ROWS[row]
    before = server.cpu()
    done = subprocess.run([find("wrk"), "-t1", f"-c{connections}", f"-d{seconds}s", "--timeout", "20s", *more,
                           f"https://127.0.0.1:{server.port}/{name}"], stdout=subprocess.PIPE, text=True, check=True)
    used = server.cpu() - before
    count = int(re.search(r"(\d+) requests in", done.stdout)[1])
    rate = float(re.search(r"Requests/sec:\s+([\d.]+)", done.stdout)[1])
    errors = re.findall(r"(?:Socket errors|Non-2xx).*", done.stdout)
    return {"rate": rate, "us": 1e6 * used / max(count, 1), "errors": errors}


def memory_row(server):
    """What 1,000 idle connections cost, each after one request."""
    import ssl
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    before, open_ = server.memory(), []
    for _ in range(CONNECTIONS):
        s = context.wrap_socket(socket.create_connection(("127.0.0.1", server.port)))
        s.sendall(b"GET /1k HTTP/1.1\r\nHost: x\r\n\r\n")
        s.recv(4096)
        open_.append(s)
    time.sleep(0.5)
    held = (server.memory() - before) * 1024 / CONNECTIONS
    for s in open_:
        s.close()
    return held


def main():
    words = sys.argv[1:]
    option = lambda name, other: int(words[words.index(name) + 1]) if name in words else other
    seconds, rounds = option("--seconds", 3), option("--rounds", 5)
    import resource
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, 16384), hard))
    make_cert()
    nginx = start_nginx()
    servers = dict(proxies(os.path.abspath(words[0]), nginx.port))
    names, out = list(servers), []
    try:
        reused = {name: resumes(servers[name]) for name in names}
        memory = {name: memory_row(servers[name]) for name in names}
        for row in ROWS:
            seen = {name: [] for name in names}
            for turn in range(rounds):
                for name in names[turn % len(names):] + names[:turn % len(names)]:
                    seen[name].append(measure(servers[name], row, seconds))
            for name in names:
                out.append({"row": row, "proxy": name, "per_second": statistics.median(m["rate"] for m in seen[name]),
                            "processor_us": statistics.median(m["us"] for m in seen[name]),
                            "rate_ratio": statistics.median(a["rate"] / b["rate"] for a, b in
                                                            zip(seen["handfast"], seen[name])),
                            "processor_ratio": statistics.median(b["us"] / max(a["us"], 0.01) for a, b in
                                                                 zip(seen["handfast"], seen[name])),
                            "errors": [e for m in seen[name] for e in m["errors"]]})
    finally:
        for server in [*servers.values(), nginx]:
            server.stop()
        shutil.rmtree(SCRATCH, ignore_errors=True)
    if "--json" in words:
        print(json.dumps({"rows": out, "bytes_for_an_idle_connection": memory, "resumes": reused}, indent=1))
        return
    for o in out:
        print(f"{o['row']:48} {o['proxy']:9} {o['per_second']:10.0f}/s  x{o['rate_ratio']:.2f}"
              f"  {o['processor_us']:8.1f} us  x{o['processor_ratio']:.2f}  {'; '.join(set(o['errors']))}")
    print("resume sessions:", ", ".join(f"{name} {'yes' if yes else 'no'}" for name, yes in reused.items()))
    for name, held in memory.items():
        print(f"{'bytes for an idle connection':48} {name:9} {held:10.0f}")


if __name__ == "__main__":
    main()
