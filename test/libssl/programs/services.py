"""Servers and clients of several kinds with their own use of libssl, each on the library and against the system's."""

import os
import pwd
import shutil
import socket
import subprocess
import tempfile
import threading
import time

import library
import openssl
import pki

HAPROXY, STUNNEL, SOCAT, OPENVPN = "/usr/sbin/haproxy", "/usr/bin/stunnel4", "/usr/bin/socat", "/usr/sbin/openvpn"
LIGHTTPD, LIGHTTPD_TLS = "/usr/sbin/lighttpd", "/usr/lib/lighttpd/mod_openssl.so"
APACHE, APACHE_TLS = "/usr/sbin/apache2", "/usr/lib/apache2/modules/mod_ssl.so"
PSQL, MARIADB, MARIADBD = "/usr/bin/psql", "/usr/bin/mariadb", "/usr/sbin/mariadbd"
POSTGRES = "/usr/lib/postgresql/15/bin"
CURL = "/usr/bin/curl"


def missing():
    return None if library.command_exists(CURL) else f"no {CURL} (package curl)"


def wait_for(port, process=None):
    until = time.monotonic() + 60
    while time.monotonic() < until:
        if process and process.poll() is not None:
            return False
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
            return True
        except OSError:
            time.sleep(0.05)
    return False


class Daemon:
    """A program that runs while the `with` lasts, and is there when its port is."""

    def __init__(self, lib, port, command, **options):
        self.log = tempfile.TemporaryFile()
        env = lib.env(**options.pop("more", {}))
        self.process = subprocess.Popen(command, env=env, stdin=subprocess.DEVNULL, stdout=self.log, stderr=self.log,
                                        start_new_session=True, **options)
        self.up = wait_for(port, self.process) if port else True

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.terminate()
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()

    def text(self):
        return os.pread(self.log.fileno(), 1 << 20, 0).decode(errors="replace")


class Echo:
    """A plain TCP server that sends back what it gets."""

    def __init__(self):
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            try:
                peer = self.listener.accept()[0]
            except OSError:
                return
            threading.Thread(target=self.serve, args=(peer,), daemon=True).start()

    @staticmethod
    def serve(peer):
        with peer:
            try:
                while data := peer.recv(65536):
                    peer.sendall(data)
            except OSError:
                pass


class Suite:
    def __init__(self, lib, folder):
        self.lib, self.folder, self.outcomes = lib, folder, {}
        self.stock = library.Library(library.STOCK, ".")
        self.limit = 15 if lib.name == library.NULL else 120
        self.certs = pki.Pki(folder)
        os.chmod(folder, 0o755)
        with open(self.path("both.pem"), "w", encoding="ascii") as f:
            for name in ("localhost.pem", "localhost.key"):
                f.write(open(self.path(name), encoding="ascii").read())
        os.makedirs(self.path("www"), exist_ok=True)
        with open(self.path("www/index.html"), "w", encoding="ascii") as f:
            f.write("hello\n")

    def path(self, name):
        return os.path.join(self.folder, name)

    def write(self, name, text):
        with open(self.path(name), "w", encoding="ascii") as f:
            f.write(text)
        return self.path(name)

    def record(self, name, *conditions):
        self.outcomes[name] = "ok" if all(conditions) else "fail"

    def fetch(self, name, port, *more):
        """What HTTPS clients on the system's library get: both versions, resumption, a client certificate."""
        for version in ("1.2", "1.3"):
            done = self.stock.run([CURL, "-sS", "--cacert", self.path("ca.pem"), "--tlsv" + version, "--tls-max", version,
                                   "--resolve", f"localhost:{port}:127.0.0.1", *more, f"https://localhost:{port}/",
                                   f"https://localhost:{port}/"], timeout=self.limit)
            self.record(f"{name}, TLS {version}", done.stdout == "hello\n" * 2)
            session = self.path("session")
            outs = [self.stock.run(["/usr/bin/openssl", "s_client", "-connect", f"127.0.0.1:{port}", "-ign_eof",
                                    "-servername", "localhost", "-tls" + version.replace(".", "_"), *how, session],
                                   input="GET / HTTP/1.0\r\nHost: localhost\r\n\r\n", timeout=self.limit).stdout
                    for how in (["-sess_out"], ["-sess_in"])]
            self.record(f"{name}, resumption in TLS {version}", "New, " in outs[0], "Reused, " in outs[1])

    def haproxy(self):
        port = openssl.free_port()
        config = self.write("haproxy.cfg", f"""
defaults
    mode http
    timeout connect 5s
    timeout client 5s
    timeout server 5s
frontend tls
    bind 127.0.0.1:{port} ssl crt {self.path("both.pem")} ca-file {self.path("ca.pem")} verify optional alpn h2,http/1.1
    http-request return status 200 content-type text/plain string "hello\\n"
""")
        with Daemon(self.lib, port, [HAPROXY, "-db", "-f", config]):
            self.fetch("haproxy", port)

    def lighttpd(self):
        port = openssl.free_port()
        config = self.write("lighttpd.conf", f"""
server.modules = ("mod_openssl")
server.port = {port}
server.bind = "127.0.0.1"
server.document-root = "{self.path("www")}"
index-file.names = ("index.html")
ssl.engine = "enable"
ssl.pemfile = "{self.path("both.pem")}"
""")
        with Daemon(self.lib, port, [LIGHTTPD, "-D", "-f", config]):
            self.fetch("lighttpd", port)

    def apache(self):
        port = openssl.free_port()
        modules = "\n".join(f"LoadModule {name}_module /usr/lib/apache2/modules/mod_{name}.so"
                            for name in ("mpm_event", "authz_core", "dir", "socache_shmcb", "ssl", "http2"))
        config = self.write("apache.conf", f"""
{modules}
ServerName localhost
ServerRoot {self.folder}
User nobody
Group nogroup
PidFile {self.path("apache.pid")}
Mutex file:{self.folder}
ErrorLog {self.path("apache.log")}
Listen 127.0.0.1:{port}
DocumentRoot {self.path("www")}
DirectoryIndex index.html
Protocols h2 http/1.1
SSLEngine on
SSLCertificateFile {self.path("localhost.pem")}
SSLCertificateKeyFile {self.path("localhost.key")}
SSLSessionCache shmcb:{self.path("apache.cache")}(512000)
SSLCACertificateFile {self.path("ca.pem")}
SSLVerifyClient optional
""")
        with Daemon(self.lib, port, [APACHE, "-DFOREGROUND", "-f", config]):
            self.fetch("apache", port)

    def stunnel(self):
        echo = Echo()
        for version in ("TLSv1.2", "TLSv1.3"):
            ports = openssl.free_port(), openssl.free_port()
            server = self.write("server.conf", f"""
foreground = yes
pid =
[tls]
accept = 127.0.0.1:{ports[0]}
connect = 127.0.0.1:{echo.port}
cert = {self.path("both.pem")}
CAfile = {self.path("ca.pem")}
verifyChain = yes
""")
            client = self.write("client.conf", f"""
foreground = yes
pid =
client = yes
[plain]
accept = 127.0.0.1:{ports[1]}
connect = 127.0.0.1:{ports[0]}
sslVersion = {version}
CAfile = {self.path("ca.pem")}
cert = {self.path("client.pem")}
key = {self.path("client.key")}
verifyChain = yes
checkHost = localhost
""")
            for name, a, b in (("server", self.lib, self.stock), ("client", self.stock, self.lib)):
                with Daemon(a, ports[0], [STUNNEL, server]), Daemon(b, ports[1], [STUNNEL, client]):
                    self.record(f"stunnel as a {name}, {version}", echoed(ports[1]) and echoed(ports[1]))

    def socat(self):
        echo = Echo()
        certs = f"cert={self.path('both.pem')},cafile={self.path('ca.pem')}"
        for name, a, b in (("server", self.lib, self.stock), ("client", self.stock, self.lib)):
            ports = openssl.free_port(), openssl.free_port()
            server = [SOCAT, f"OPENSSL-LISTEN:{ports[0]},bind=127.0.0.1,reuseaddr,fork,verify=1,{certs}",
                      f"TCP:127.0.0.1:{echo.port}"]
            client = [SOCAT, f"TCP-LISTEN:{ports[1]},bind=127.0.0.1,reuseaddr,fork",
                      f"OPENSSL:127.0.0.1:{ports[0]},commonname=localhost,verify=1,{certs}"]
            with Daemon(a, ports[0], server), Daemon(b, ports[1], client):
                self.record(f"socat as a {name}", echoed(ports[1]))

    def openvpn(self):
        """The control channel of two peers, without a tunnel device."""
        for name, a, b in (("server", self.lib, self.stock), ("client", self.stock, self.lib)):
            for version in ("1.2", "1.3"):
                port = openssl.free_port()
                common = [OPENVPN, "--dev", "null", "--ca", self.path("ca.pem"), "--verb", "3", "--tls-version-min",
                          "1.2" if version == "1.2" else "1.3", "--tls-version-max", version]
                end = common + ["--proto", "tcp-server", "--local", "127.0.0.1", "--lport", str(port), "--tls-server",
                                "--dh", "none", "--cert", self.path("localhost.pem"), "--key",
                                self.path("localhost.key")]
                other = common + ["--proto", "tcp-client", "--remote", "127.0.0.1", str(port), "--nobind",
                                  "--tls-client", "--cert", self.path("client.pem"), "--key", self.path("client.key")]
                with Daemon(a, None, end) as server, Daemon(b, None, other) as client:
                    wanted = f"Control Channel: TLSv{version}"
                    until = time.monotonic() + (12 if self.lib.name == library.NULL else 60)
                    while time.monotonic() < until and client.process.poll() is None:
                        if wanted in server.text() and wanted in client.text():
                            break
                        time.sleep(0.1)
                    self.record(f"openvpn as a {name}, TLS {version}", wanted in server.text(), wanted in client.text())

    def postgres(self):
        user = pwd.getpwnam("postgres")
        data, port = self.path("pg"), openssl.free_port()
        os.mkdir(data)
        for name in ("localhost.key", "localhost.pem"):
            shutil.copy(self.path(name), self.path("pg-" + name))
            os.chown(self.path("pg-" + name), user.pw_uid, user.pw_gid)
            os.chmod(self.path("pg-" + name), 0o600)
        os.chown(data, user.pw_uid, user.pw_gid)
        as_user = {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": [], "cwd": "/"}
        subprocess.run([POSTGRES + "/initdb", "-D", data, "-A", "trust", "-N"], check=True, capture_output=True,
                       env=self.stock.env(), **as_user)
        with open(data + "/pg_hba.conf", "w", encoding="ascii") as f:
            f.write(f"hostssl all all 127.0.0.1/32 trust\n")
        command = [POSTGRES + "/postgres", "-D", data, "-p", str(port), "-k", "", "-c", "listen_addresses=127.0.0.1",
                   "-c", "ssl=on", "-c", "ssl_cert_file=" + self.path("pg-localhost.pem"), "-c",
                   "ssl_key_file=" + self.path("pg-localhost.key"), "-c", "ssl_ca_file=" + self.path("ca.pem")]
        query = "select version, cipher <> '' from pg_stat_ssl where pid = pg_backend_pid(); select repeat('x', 200000)"
        for name, a, b in (("server", self.lib, self.stock), ("client", self.stock, self.lib)):
            with Daemon(a, port, command, **as_user):
                for version in ("TLSv1.2", "TLSv1.3"):
                    where = (f"host=localhost hostaddr=127.0.0.1 port={port} user=postgres dbname=postgres "
                             f"sslmode=verify-full sslrootcert={self.path('ca.pem')} ssl_max_protocol_version={version}")
                    done = b.run([PSQL, "-X", "-A", "-t", where, "-c", query], timeout=self.limit)
                    self.record(f"PostgreSQL's {name}, {version}", f"{version}|t" in done.stdout,
                                "x" * 200000 in done.stdout)

    def mariadb(self):
        data, port = self.path("maria"), openssl.free_port()
        subprocess.run(["/usr/bin/mariadb-install-db", "--no-defaults", "--datadir=" + data, "--user=root",
                        "--auth-root-authentication-method=normal", "--skip-test-db"], check=True, capture_output=True,
                       env=self.stock.env())
        command = [MARIADBD, "--no-defaults", "--datadir=" + data, "--user=root", f"--port={port}",
                   "--bind-address=127.0.0.1", "--socket=" + data + "/s", "--pid-file=" + data + "/pid",
                   "--ssl-cert=" + self.path("localhost.pem"), "--ssl-key=" + self.path("localhost.key"),
                   "--ssl-ca=" + self.path("ca.pem"), "--innodb-buffer-pool-size=16M"]
        for name, a, b in (("server", self.lib, self.stock), ("client", self.stock, self.lib)):
            with Daemon(a, port, command):
                for version in ("TLSv1.2", "TLSv1.3"):
                    done = b.run([MARIADB, "--no-defaults", "--host=localhost", "--protocol=tcp", f"--port={port}",
                                  "--user=root", "--ssl-ca=" + self.path("ca.pem"), "--ssl-verify-server-cert",
                                  "--tls-version=" + version, "-N", "-e",
                                  "show status like 'Ssl_version'; select repeat('x', 200000)"], timeout=self.limit)
                    self.record(f"MariaDB's {name}, {version}", version in done.stdout, "x" * 200000 in done.stdout)


def echoed(port):
    data = os.urandom(100000)
    try:
        with socket.create_connection(("127.0.0.1", port), 10) as s:
            threading.Thread(target=s.sendall, args=(data,), daemon=True).start()
            got = b""
            while len(got) < len(data):
                part = s.recv(65536)
                if not part:
                    break
                got += part
            return got == data
    except OSError:
        return False


# What each part needs; where that is not there it is left out, on every library alike.
PARTS = {"haproxy": [HAPROXY], "lighttpd": [LIGHTTPD, LIGHTTPD_TLS], "apache": [APACHE, APACHE_TLS], "stunnel": [STUNNEL],
         "socat": [SOCAT], "openvpn": [OPENVPN], "postgres": [PSQL, POSTGRES + "/postgres"],
         "mariadb": [MARIADB, MARIADBD]}


def run(lib, words):
    outcomes = {}
    for part in words or PARTS:
        absent = [path for path in PARTS[part] if not os.path.exists(path)]
        if absent:
            outcomes[f"{part}: no {absent[0]}"] = "skip"
            continue
        with tempfile.TemporaryDirectory() as folder:
            suite = Suite(lib, folder)
            getattr(suite, part)()
            outcomes.update(suite.outcomes)
    return outcomes
