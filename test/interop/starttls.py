"""STARTTLS against servers that others wrote, as Debian packs them, and their clients against ours:
starttls.py HANDFAST MIDWAY [WORD]

Each server runs in a folder of its own, on a free port, with a configuration made here, and ends with the test.
Nothing of the system's own services is started, stopped or read.
"""

import glob
import grp
import os
import pwd
import shutil
import signal
import socket
import ssl
import struct
import subprocess
import sys
import tempfile
import threading
import time

from core import Failure, Process, Score, Skip, free_port, scratch, tail
from handfast import OK, Handfast, report
from pki import Pki

ROOT = os.geteuid() == 0
LOCALHOST = "127.0.0.1"


def which(name, *places):
    for path in (name, *places):
        found = shutil.which(path) or (glob.glob(path) + [None])[0]
        if found:
            return found
    raise Skip(f"{name} is not installed: tools/setup installs it")


def write(path, text, mode="w"):
    with open(path, mode, **({} if "b" in mode else {"encoding": "ascii"})) as f:
        f.write(text)
    return path


def user(*names):
    """Servers that will not run as root run as one of these."""
    for name in names:
        try:
            return pwd.getpwnam(name)
        except KeyError:
            pass
    raise Skip(f"there is no user {' or '.join(names)} to run it as")


def me():
    return pwd.getpwuid(os.geteuid()).pw_name


class House:
    """Where the servers live: their users must be able to come in, so it is not the scratch folder."""

    def __init__(self, command):
        self.path = tempfile.mkdtemp(prefix="handfast-starttls-")
        os.chmod(self.path, 0o755)
        self.pki = Pki(os.path.join(self.path, "pki"))
        self.handfast = Handfast(command, self.pki)
        self.chain, self.key, self.ca = self.pki.chain("rsa"), self.pki.key("rsa"), self.pki.ca
        self.servers, self.stoppers = [], []
        self.ports = {}

    def folder(self, name, owner=None):
        path = os.path.join(self.path, name)
        os.makedirs(path, exist_ok=True)
        if owner and ROOT:
            os.chown(path, owner.pw_uid, owner.pw_gid)
        return path

    def key_for(self, folder, owner=None):
        """A key that the server's own user may read, and nobody else."""
        path = os.path.join(folder, "server.key")
        shutil.copy(self.key, path)
        os.chmod(path, 0o600)
        if owner and ROOT:
            os.chown(path, owner.pw_uid, owner.pw_gid)
        return path

    def start(self, port, *command, owner=None, seconds=20, **more):
        if owner and ROOT:
            command = ["setpriv", f"--reuid={owner.pw_uid}", f"--regid={owner.pw_gid}", "--clear-groups", *command]
        server = Process(command, **more)
        self.servers.append(server)
        return server.wait_port(port, seconds)

    def close(self):
        for stop in self.stoppers:
            stop()
        for server in self.servers:  # all at once, then wait for each
            if server.child.poll() is None:
                server.child.send_signal(signal.SIGQUIT if "postgres" in server.command[0] or
                                         "postgres" in " ".join(server.command[:6]) else signal.SIGTERM)
        for server in self.servers:
            server.stop()
        shutil.rmtree(self.path, ignore_errors=True)


# ---------------------------------------------------------------- the servers

def dovecot(h):
    binary = which("dovecot", "/usr/sbin/dovecot")
    myself = pwd.getpwuid(os.geteuid())
    login, inner, owner = (user("dovenull"), user("dovecot"), user("nobody")) if ROOT else (myself,) * 3
    folder = h.folder("dovecot")
    h.folder("dovecot/mail", owner)
    ports = {name: free_port() for name in ("imap", "pop3", "lmtp", "sieve")}
    protocols = [p for p in ("imap", "pop3", "lmtp", "sieve")
                 if os.path.exists("/usr/share/dovecot/protocols.d/" + {"sieve": "managesieve"}.get(p, p) + "d.protocol")]
    services = ""
    for protocol in protocols:
        name = {"imap": "imap-login", "pop3": "pop3-login", "lmtp": "lmtp", "sieve": "managesieve-login"}[protocol]
        services += f"""
service {name} {{
  chroot =
  inet_listener {protocol} {{
    address = {LOCALHOST}
    port = {ports[protocol]}
  }}
"""
        if protocol in ("imap", "pop3"):
            services += f"  inet_listener {protocol}s {{\n    port = 0\n  }}\n"
        services += "}\n"
    config = write(os.path.join(folder, "dovecot.conf"), f"""
base_dir = {folder}/run
state_dir = {folder}/state
log_path = {folder}/log
instance_name = handfast
protocols = {" ".join(protocols)}
default_internal_user = {inner.pw_name}
default_internal_group = {grp.getgrgid(inner.pw_gid).gr_name}
default_login_user = {login.pw_name}
ssl = required
ssl_cert = <{h.chain}
ssl_key = <{h.key_for(folder)}
passdb {{
  driver = static
  args = password=secret
}}
userdb {{
  driver = static
  args = uid={owner.pw_uid} gid={owner.pw_gid} home={folder}/mail/%u
}}
mail_location = maildir:{folder}/mail/%u
first_valid_uid = 1
first_valid_gid = 1
service anvil {{
  chroot =
}}
{services}""")
    h.start(ports["imap"], binary, "-F", "-c", config)
    for name in protocols:
        h.servers[-1].wait_port(ports[name])
    h.ports.update({name: ports[name] for name in protocols})


def postfix(h):
    if not ROOT:
        raise Skip("Postfix runs as root only: run the test as root")
    binary = which("postfix", "/usr/sbin/postfix")
    owner = user("postfix")
    folder = h.folder("postfix")
    port = free_port()
    for name in ("spool", "data", "etc"):
        os.makedirs(os.path.join(folder, name))
    os.chown(os.path.join(folder, "data"), owner.pw_uid, owner.pw_gid)
    etc = os.path.join(folder, "etc")
    write(os.path.join(etc, "main.cf"), f"""
compatibility_level = 3.6
queue_directory = {folder}/spool
data_directory = {folder}/data
maillog_file = /var/log/handfast-postfix.log
maillog_file_prefixes = /var, {folder}
inet_interfaces = {LOCALHOST}
inet_protocols = ipv4
myhostname = localhost.localdomain
mydestination =
alias_maps =
alias_database =
local_recipient_maps =
smtpd_tls_security_level = encrypt
smtpd_tls_chain_files = {h.key_for(folder)}, {h.chain}
smtpd_tls_session_cache_database =
smtpd_relay_restrictions = permit_mynetworks, reject
multi_instance_name =
""".replace("/var/log/handfast-postfix.log", f"{folder}/log"))
    write(os.path.join(etc, "master.cf"), f"""
{LOCALHOST}:{port} inet n - n - - smtpd
pickup    unix  n - n 60 1 pickup
cleanup   unix  n - n - 0 cleanup
qmgr      unix  n - n 300 1 qmgr
tlsmgr    unix  - - n 1000? 1 tlsmgr
rewrite   unix  - - n - - trivial-rewrite
bounce    unix  - - n - 0 bounce
defer     unix  - - n - 0 bounce
trace     unix  - - n - 0 bounce
error     unix  - - n - - error
discard   unix  - - n - - discard
anvil     unix  - - n - 1 anvil
scache    unix  - - n - 1 scache
postlog   unix-dgram n - n - 1 postlogd
""")
    h.stoppers.append(lambda: subprocess.run([binary, "-c", etc, "stop"], stdout=subprocess.DEVNULL,
                                             stderr=subprocess.DEVNULL))
    h.start(port, binary, "-c", etc, "start-fg")
    h.ports["smtp"] = port


def vsftpd(h):
    binary = which("vsftpd", "/usr/sbin/vsftpd")
    folder = h.folder("vsftpd")
    guest = next((u for u in pwd.getpwall() if u.pw_name in ("ftp", "daemon", "bin") and os.path.isdir(u.pw_dir)), None)
    if ROOT and not guest:
        raise Skip("there is no user with a home for guests of FTP")
    root = os.path.join(folder, "root")
    os.makedirs(root)
    write(os.path.join(root, "file.txt"), "a file\n")
    os.chmod(root, 0o555)
    for name, tls in (("ftp", True), ("ftp without TLS", False)):
        port = free_port()
        config = write(os.path.join(folder, name.replace(" ", "-") + ".conf"), f"""
listen=YES
listen_address={LOCALHOST}
listen_port={port}
background=NO
anonymous_enable=YES
local_enable=NO
no_anon_password=NO
anon_root={root}
run_as_launching_user={"NO" if ROOT else "YES"}
nopriv_user=nobody
ftp_username={guest.pw_name if ROOT else me()}
secure_chroot_dir={h.folder("empty")}
seccomp_sandbox=NO
isolate=NO
isolate_network=NO
connect_from_port_20=NO
pasv_address={LOCALHOST}
xferlog_enable=NO
""" + (f"""
ssl_enable=YES
allow_anon_ssl=YES
force_anon_logins_ssl=YES
force_anon_data_ssl=YES
require_ssl_reuse=YES
ssl_tlsv1=YES
ssl_ciphers=HIGH
rsa_cert_file={h.chain}
rsa_private_key_file={h.key_for(folder)}
""" if tls else ""))
        h.start(port, binary, config)
        h.ports[name] = port


def postgres(h):
    folder = next(iter(sorted(glob.glob("/usr/lib/postgresql/*/bin"), reverse=True)), None)
    if not folder:
        raise Skip("postgresql is not installed: tools/setup installs it")
    owner = user("postgres") if ROOT else None
    data, port = h.folder("postgres", owner), free_port()
    db = os.path.join(data, "db")
    as_owner = ["setpriv", f"--reuid={owner.pw_uid}", f"--regid={owner.pw_gid}", "--clear-groups"] if owner else []
    made = subprocess.run([*as_owner, f"{folder}/initdb", "-D", db, "-A", "trust", "-U", "tester", "-N", "--locale=C"],
                          cwd=data, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    if made.returncode != 0:
        raise Failure(f"initdb: {tail(made.stdout)}")
    h.start(port, f"{folder}/postgres", "-D", db, "-h", LOCALHOST, "-p", str(port), "-k", data, "-c", "ssl=on",
            "-c", f"ssl_cert_file={h.chain}", "-c", f"ssl_key_file={h.key_for(data, owner)}", "-F", owner=owner, cwd=data)
    h.ports["postgres"] = port
    plain = free_port()
    h.ports["postgres without TLS"] = plain
    other = os.path.join(data, "plain")
    shutil.copytree(db, other, ignore=shutil.ignore_patterns("postmaster.pid"))
    if owner:
        for path, folders, files in os.walk(other):
            for name in [path, *(os.path.join(path, f) for f in folders + files)]:
                os.chown(name, owner.pw_uid, owner.pw_gid)
    # a copy of a cluster that runs recovers from its log, as after a crash
    h.start(plain, f"{folder}/postgres", "-D", other, "-h", LOCALHOST, "-p", str(plain), "-k", data, "-F", owner=owner,
            cwd=data)


def slapd(h):
    binary = which("slapd", "/usr/sbin/slapd")
    folder = h.folder("slapd")
    for name, tls in (("ldap", True), ("ldap without TLS", False)):
        port = free_port()
        config = write(os.path.join(folder, name.replace(" ", "-") + ".conf"), f"""
pidfile {folder}/{port}.pid
argsfile {folder}/{port}.args
database config
""")
        if tls:
            write(config, f"""
pidfile {folder}/{port}.pid
TLSCACertificateFile {h.ca}
TLSCertificateFile {h.pki.cert("rsa")}
TLSCertificateKeyFile {h.key_for(folder)}
TLSVerifyClient never
database config
""")
        h.start(port, binary, "-d", "0", "-f", config, "-h", f"ldap://{LOCALHOST}:{port}")
        h.ports[name] = port


def prosody(h):
    binary = which("prosody", "/usr/bin/prosody")
    owner = user("prosody", "nobody") if ROOT else None
    folder = h.folder("prosody", owner)
    c2s, s2s = free_port(), free_port()
    config = write(os.path.join(folder, "prosody.cfg.lua"), f"""
pidfile = "{folder}/pid"
data_path = "{folder}"
interfaces = {{ "{LOCALHOST}" }}
c2s_ports = {{ {c2s} }}
s2s_ports = {{ {s2s} }}
c2s_direct_tls_ports = {{ }}
s2s_direct_tls_ports = {{ }}
http_ports = {{ }}
https_ports = {{ }}
modules_enabled = {{ "tls", "saslauth", "dialback" }}
modules_disabled = {{ "s2s_auth_dane" }}
c2s_require_encryption = true
s2s_require_encryption = true
s2s_secure_auth = false
authentication = "internal_hashed"
log = {{ info = "*console" }}
ssl = {{ certificate = "{h.chain}", key = "{h.key_for(folder, owner)}" }}
VirtualHost "localhost"
""")
    h.start(c2s, binary, "--config", config, "-F", owner=owner, cwd=folder)
    h.servers[-1].wait_port(s2s)
    h.ports["xmpp"], h.ports["xmpp-server"] = c2s, s2s


def mariadb(h):
    install, binary = which("mariadb-install-db"), which("mariadbd", "/usr/sbin/mariadbd")
    owner = user("mysql", "nobody") if ROOT else None
    folder, port = h.folder("mariadb", owner), free_port()
    as_user = [f"--user={owner.pw_name}"] if owner else []
    made = subprocess.run([install, "--no-defaults", f"--datadir={folder}/db", "--skip-test-db",
                           "--auth-root-authentication-method=normal", "--skip-log-bin", *as_user],
                          cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    if made.returncode != 0:
        raise Failure(f"mariadb-install-db: {tail(made.stdout)}")
    h.start(port, binary, "--no-defaults", f"--datadir={folder}/db", f"--port={port}", f"--bind-address={LOCALHOST}",
            f"--socket={folder}/socket", f"--pid-file={folder}/pid", f"--ssl-cert={h.chain}",
            f"--ssl-key={h.key_for(folder, owner)}", f"--ssl-ca={h.ca}", *as_user, cwd=folder)
    h.ports["mysql"] = port


def inspircd(h):
    binary = which("inspircd", "/usr/sbin/inspircd")
    folder, port = h.folder("inspircd"), free_port()
    modules = next((m for m in ("ssl_gnutls", "ssl_openssl") if os.path.exists(f"/usr/lib/inspircd/modules/m_{m}.so")),
                   None)
    if not modules:
        raise Skip("inspircd has no module for TLS here")
    config = write(os.path.join(folder, "inspircd.conf"), f"""
<server name="irc.localhost" description="test" network="Test">
<admin name="x" nick="x" email="x@localhost">
<module name="{modules}">
<module name="starttls">
<sslprofile name="Clients" provider="{modules[4:]}" certfile="{h.chain}" keyfile="{h.key_for(folder)}">
<starttls requiressl="no">
<bind address="{LOCALHOST}" port="{port}" type="clients">
<connect allow="*" resolvehostnames="no" useident="no">
<log method="file" type="*" level="default" target="{folder}/log">
<pid file="{folder}/pid">
<path datadir="{folder}" logdir="{folder}" runtimedir="{folder}">
""")
    write(config, open(config, encoding="ascii").read().replace(
        "<starttls requiressl", "<starttlsdummy requiressl").replace('type="clients"', 'type="clients" sslstarttls="Clients"'))
    h.start(port, binary, "--config", config, "--nofork", "--nolog", *(["--runasroot"] if ROOT else []))
    h.ports["irc"] = port


SERVERS = [dovecot, postfix, vsftpd, postgres, slapd, prosody, mariadb, inspircd]


# ---------------------------------------------------------------- our client

def ber(tag, *parts):
    body = b"".join(parts)
    return bytes([tag, len(body)]) + body


# A search for the root entry, as message 2: StartTLS was 1.
LDAP_SEARCH = ber(0x30, ber(2, b"\2"), ber(0x63, ber(4), ber(10, b"\0"), ber(10, b"\0"), ber(2, b"\0"), ber(2, b"\0"),
                                        ber(1, b"\0"), ber(0x87, b"objectClass"), ber(0x30)))
POSTGRES_STARTUP = b"\0\3\0\0user\0tester\0database\0postgres\0\0"
POSTGRES_STARTUP = struct.pack(">I", len(POSTGRES_STARTUP) + 4) + POSTGRES_STARTUP + b"X\0\0\0\4"
# HandshakeResponse41 as packet 2: root without a password; then COM_QUIT.
MYSQL_LOGIN = struct.pack("<IIB23x", 0x0008aa05, 1 << 24, 45) + b"root\0\0mysql_native_password\0"
MYSQL_LOGIN = struct.pack("<I", len(MYSQL_LOGIN) | 2 << 24) + MYSQL_LOGIN + b"\1\0\0\0\1"
XMPP = b"<?xml version='1.0'?><stream:stream xmlns='%s' xmlns:stream='http://etherx.jabber.org/streams' to='localhost' " \
    b"version='1.0'%s></stream:stream>"

# protocol: what is said after TLS, and what must be in the answer.
TALKS = {
    "smtp": (b"EHLO client.example\r\nQUIT\r\n", [b"\r\n250 ", b"221 "]),
    "submission": (b"EHLO client.example\r\nQUIT\r\n", [b"\r\n250 ", b"221 "]),
    "lmtp": (b"LHLO client.example\r\nQUIT\r\n", [b"\r\n250 ", b"221 "]),
    "imap": (b"a LOGIN me secret\r\nb LOGOUT\r\n", [b"a OK", b"* BYE", b"b OK"]),
    "pop3": (b"USER me\r\nPASS secret\r\nQUIT\r\n", [b"+OK Logged in", b"+OK Logging out"]),
    "sieve": (b"LOGOUT\r\n", [b'"IMPLEMENTATION"', b"OK"]),
    "ftp": (b"USER anonymous\r\nPASS x\r\nQUIT\r\n", [b"331 ", b"230 ", b"221 "]),
    "ldap": (LDAP_SEARCH, [b"objectClass", b"\x65\x07\x0a\x01\x00"]),
    "postgres": (POSTGRES_STARTUP, [b"R\0\0\0\x08\0\0\0\0", b"server_version", b"Z\0\0\0\5I"]),
    "mysql": (MYSQL_LOGIN, [b"\x03\0\0\0"]),
    "irc": (b"NICK tester\r\nUSER tester 0 * :tester\r\nQUIT\r\n", [b"ERROR"]),
    "xmpp": (XMPP % (b"jabber:client", b""), [b"<mechanism>PLAIN</mechanism>"]),
    "xmpp-server": (XMPP % (b"jabber:server", b" from='client.example' xmlns:db='jabber:server:dialback'"),
                    [b"<stream:features"]),
}


def port_of(h, name, protocol=None):
    if name not in h.ports:
        raise Skip(f"no server for {protocol or name} here")
    return h.ports[name]


def connect(h, protocol, port, *args, url=None, seconds=120):
    """A talk over TLS. The input stays open until all of the answer is there."""
    said, wanted = TALKS[protocol]
    target = [url] if url else ["--starttls", protocol, f"localhost:{port}"]
    done = Process([h.handfast.command, "connect", *target, "--ca", h.ca, "--json", "--timeout", "20", *args],
                   stdin=subprocess.PIPE)
    try:
        done.child.stdin.write(said)
        done.child.stdin.flush()
    except OSError:
        pass
    until = time.monotonic() + seconds
    while done.child.poll() is None and time.monotonic() < until and any(word not in done.out() for word in wanted):
        time.sleep(0.01)
    done.child.stdin.close()
    done.child.stdin = None
    try:
        done.status = done.child.wait(2)
    except subprocess.TimeoutExpired:  # the server goes on
        done.status = None
    done.stop()
    return done


def client(h, protocol, *args, version=None):
    name = "smtp" if protocol == "submission" else protocol
    done = connect(h, protocol, port_of(h, name, protocol), *args)
    got = done.out()
    if not got:
        raise Failure(f"exit status {done.status}, no answer: {tail(done.err())}")
    facts = report(done)
    missing = [word for word in TALKS[protocol][1] if word not in got]
    if missing:
        raise Failure(f"{missing} is not in {got[:300]!r}; exit status {done.status}: {tail(done.err())}")
    if not facts["verified"] or (version and facts["version"] != version):
        raise Failure(f"{facts['version']}, verified: {facts['verified']}")
    return facts["version"]


def resumed(h, protocol):
    """The second connection resumes the first one's session."""
    session = scratch("session")
    for want in (False, True):
        done = connect(h, protocol, port_of(h, protocol), "--session", session)
        if report(done)["resumed"] != want:
            raise Failure(f"resumed: {not want}")


def by_url(h, protocol):
    done = connect(h, protocol, None, url=f"{protocol}://localhost:{port_of(h, protocol)}")
    if TALKS[protocol][1][0] not in done.out():
        raise Failure(f"exit status {done.status}: {tail(done.text())}")


def traced(h):
    page = scratch("page.html")
    done = h.handfast.run("trace", f"smtp://localhost:{port_of(h, 'smtp')}", "--ca", h.ca, "-o", page)
    if done.status != OK or os.path.getsize(page) < 50000:
        raise Failure(f"exit status {done.status}: {tail(done.text())}")


def told(h, name, protocol, *words):
    """A refusal, in the server's own words."""
    done = h.handfast.run("connect", "--starttls", protocol, f"localhost:{port_of(h, name)}", "--ca", h.ca)
    text = done.err()
    missing = [word for word in ("STARTTLS_REFUSED", *words) if word not in text]
    if done.status == OK or missing:
        raise Failure(f"exit status {done.status}, without {missing}: {tail(text)}")


def diagnosed(h, name, option):
    """TLS at once at a port that begins in plain text: the option that helps is named."""
    done = h.handfast.run("connect", f"localhost:{port_of(h, name)}", "--ca", h.ca, "--timeout", "5")
    if done.status == OK or "PLAINTEXT_PEER" not in done.err() or f"--starttls {option}" not in done.err():
        raise Failure(f"exit status {done.status}: {tail(done.err())}")


def wrong_name(h):
    done = h.handfast.run("connect", "--starttls", "imap", f"localhost:{port_of(h, 'imap')}", "--ca", h.ca, "--name",
                          "elsewhere.test")
    if done.status == OK or "WRONG_NAME" not in done.err():
        raise Failure(f"exit status {done.status}: {tail(done.err())}")


def midway(h, program, what, port, method, wanted):
    done = Process([program, what, str(port), h.ca, str(method)])
    status = done.wait(120)
    text = done.text()
    if status != 0 or any(text.count(word) != count for word, count in wanted.items()):
        raise Failure(f"exit status {status}: {tail(text, 30)}")


def ftps(h, program, method, version):
    """The server refuses data channels that do not resume the control channel's session."""
    midway(h, program, "ftps", port_of(h, "ftp"), method,
           {f"control channel: {version}": 1, f"data channel: {version}, resumed": 3, "data: a file": 2,
            "data: file.txt": 1})


# ---------------------------------------------------------------- TLS ended in mid-stream, with Python's ssl

class Unwrapper(threading.Thread):
    """A line in plain text, TLS, a line, plain text again: twice, and says goodbye first in the second round."""

    def __init__(self, h, version):
        super().__init__(daemon=True)
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.context.load_cert_chain(h.chain, h.key)
        self.context.minimum_version = self.context.maximum_version = version
        self.context.num_tickets = 0  # what is left unread at the end of TLS would be taken for plain text
        self.door = socket.create_server((LOCALHOST, 0))
        self.port = self.door.getsockname()[1]
        self.error = None
        self.start()

    def run(self):
        try:
            conn, _ = self.door.accept()
            conn.settimeout(10)
            for turn in range(2):
                self.echo(conn)
                conn = self.context.wrap_socket(conn, server_side=True)
                self.echo(conn)
                if turn == 0 and conn.recv(1) != b"":
                    raise ValueError("no end of TLS")
                conn = conn.unwrap()
            conn.sendall(b"behind\n")
            self.echo(conn)
            conn.close()
        except (OSError, ValueError) as error:
            self.error = error

    def echo(self, conn):
        line = b""
        while not line.endswith(b"\n"):
            more = conn.recv(1)
            if not more:
                raise ValueError("the connection ended early")
            line += more
        conn.sendall(line)


def unwrap(h, program, version):
    server = Unwrapper(h, version)
    method = {ssl.TLSVersion.TLSv1_2: 33, ssl.TLSVersion.TLSv1_3: 65}[version]
    try:
        midway(h, program, "unwrap", server.port, method, {"plain\n": 2, "secret\n": 2, "behind\n": 1, "plain again\n": 1})
    except Failure as failed:
        raise Failure(f"{failed}; the server: {server.error}") from None
    finally:
        server.door.close()
        server.join(10)
    if server.error:
        raise Failure(f"the server: {server.error}")


# ---------------------------------------------------------------- our server, their clients

OPENSSL = ["smtp", "lmtp", "imap", "pop3", "ftp", "xmpp", "nntp", "sieve", "postgres", "irc"]


def serve(h, protocol, *args):
    port = free_port()
    server = Process([h.handfast.command, "serve", "--starttls", protocol, f"localhost:{port}", "--cert",
                      h.pki.chain("ec"), "--key", h.pki.key("ec"), *args])
    h.servers.append(server)
    server.wait_port(port)
    return server, port


def openssl_client(h, protocol):
    server, port = serve(h, protocol, "--reverse")
    client = Process(["openssl", "s_client", "-starttls", protocol, "-connect", f"localhost:{port}", "-CAfile", h.ca,
                      "-verify_return_error", "-quiet", "-xmpphost", "localhost"], stdin=subprocess.PIPE)
    try:
        client.say("handfast\n")
        client.wait_text("tsafdnah")
    except Failure as failed:
        raise Failure(f"{failed}; serve: {tail(server.text())}") from None
    finally:
        client.stop()
        server.stop()


def python_client(h, protocol):
    """The opening of Python's own mail and file clients."""
    import ftplib
    import imaplib
    import poplib
    import smtplib
    context = ssl.create_default_context(cafile=h.ca)
    server, port = serve(h, protocol, "--echo")
    try:
        if protocol == "smtp":
            it = smtplib.SMTP("localhost", port, timeout=10)
            it.starttls(context=context)
        elif protocol == "imap":
            # it asks for the capabilities again, and the echo answers with the question
            it = imaplib.IMAP4("localhost", port, timeout=10)
            try:
                it.starttls(ssl_context=context)
            except (imaplib.IMAP4.error, OSError):
                pass
        elif protocol == "pop3":
            it = poplib.POP3("localhost", port, timeout=10)
            it.stls(context=context)
        else:
            it = ftplib.FTP_TLS(context=context, timeout=10)
            it.connect("localhost", port)
            it.auth()
        it.sock.close()
    finally:
        time.sleep(0.1)
        server.stop()
    if "TLS 1.3" not in server.err():
        raise Failure(f"serve: {tail(server.text())}")


# ---------------------------------------------------------------- all of it

def check_all(h, program, word):
    score = Score()

    def check(name, function, *args, rows="", **more):
        if word in name:
            score.check(name + (f" [{rows}]" if rows else ""), lambda: function(*args, **more))

    def said(name, function, *args, rows="", **more):
        before = score.passed
        check(name, function, *args, rows=rows, **more)
        if score.passed > before:
            print(f"ok   {name}" + (f" [{rows}]" if rows else ""), flush=True)

    for server in SERVERS:
        said(f"start {server.__name__}", server, h)
    for protocol in TALKS:
        for version, options in (("TLS 1.3", []), ("TLS 1.2", ["--tls1.2"])):
            said(f"{protocol}, {version}", client, h, protocol, *options, version=version)
    said("smtp, resumed", resumed, h, "smtp")  # the others are processes for one client each
    for protocol in ("smtp", "imap", "ldap"):
        said(f"{protocol}://", by_url, h, protocol)
    said("trace smtp://", traced, h)
    said("another name", wrong_name, h)
    said("vsftpd without TLS", told, h, "ftp without TLS", "ftp", "530 Please login with USER and PASS.")
    said("slapd without TLS", told, h, "ldap without TLS", "ldap", "ldap:")
    said("PostgreSQL without TLS", told, h, "postgres without TLS", "postgres", "ssl = off")
    for name in ("smtp", "imap", "pop3", "ftp", "mysql"):
        said(f"TLS at once at {name}", diagnosed, h, name, name, rows="T22")
    for method, version in ((0, "TLS 1.3"), (33, "TLS 1.2")):
        said(f"FTPS data channels, {version}", ftps, h, program, method, version, rows="T38")
    for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
        said(f"Python ends TLS, {version.name}", unwrap, h, program, version, rows="T37 Y98")
    for protocol in OPENSSL:
        said(f"openssl s_client -starttls {protocol}", openssl_client, h, protocol)
    for protocol in ("smtp", "imap", "pop3", "ftp"):
        said(f"Python's client, {protocol}", python_client, h, protocol)
    return score


def main():
    h = House(sys.argv[1])
    try:
        score = check_all(h, sys.argv[2], sys.argv[3] if len(sys.argv) > 3 else "")
    finally:
        h.close()
    return score.done()


if __name__ == "__main__":
    sys.exit(main())
