"""A peer that does not speak TLS: stock `openssl` on our libssl ends at once, and says what it met.

    first_bytes.py LIBSSL
"""
import os
import socket
import subprocess
import sys
import tempfile
import threading

TO_CLIENTS = [
    ("a record that is too long", b"\x16\x03\x03\xff\xff", "0A000096"),
    ("plain HTTP", b"HTTP/1.1 400 Bad Request\r\n\r\n", "speaks plain HTTP"),
    ("an alert", b"\x15\x03\x01\x00\x02\x02\x28", "0A000410"),
    ("an empty record", b"\x16\x03\x03\x00\x00", "0A0000F5"),
    ("SSL 2.0, with a length that never comes", b"\x80\x2e\x01\x03\x01" + b"a" * 60, "0A00010B"),
    ("data before the handshake", b"\x17\x03\x03\x41\x00" + b"a" * 20000, "0A0000F5"),
]
TO_SERVERS = [
    ("an HTTP request", b"GET / HTTP/1.1\r\nHost: a\r\n\r\n", "http request"),
    ("a proxy request", b"CONNECT a:443 HTTP/1.1\r\n\r\n", "https proxy request"),
    ("nothing sensible", b"hello, is anybody there?\r\n", "wrong version number"),
    ("five bytes of text", b"Test\n", "wrong version number"),
    ("zeros", b"\0" * 20, "wrong version number"),
]


def environment(library):
    return {"PATH": os.environ["PATH"], "LD_LIBRARY_PATH": os.path.dirname(os.path.abspath(library))}


def run_client(library, answer):
    with socket.create_server(("127.0.0.1", 0)) as listener:
        program = subprocess.Popen(
            ["openssl", "s_client", "-connect", "127.0.0.1:%d" % listener.getsockname()[1]],
            env=environment(library), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT, text=True, errors="replace")
        listener.settimeout(60)
        peer, _ = listener.accept()
        with peer:
            peer.recv(4096)
            peer.sendall(answer)
            try:
                return program.communicate(timeout=60)[0]
            except subprocess.TimeoutExpired:
                program.kill()
                return "hung: " + program.communicate()[0]


def make_certificate(folder):
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
                    "-subj", "/CN=localhost", "-keyout", folder + "/key", "-out", folder + "/cert"],
                   check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def run_server(library, request, folder):
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    program = subprocess.Popen(
        ["openssl", "s_server", "-accept", str(port), "-naccept", "1", "-cert", folder + "/cert", "-key",
         folder + "/key"], env=environment(library), stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT, text=True, errors="replace")
    while True:
        line = program.stdout.readline()
        if not line or line.startswith("ACCEPT"):
            break
    killer = threading.Timer(60, program.kill)
    killer.start()
    with socket.create_connection(("127.0.0.1", port)) as peer:
        peer.sendall(request)
        output = program.stdout.read()
        peer.settimeout(60)
        answer = read_all(peer)
    program.wait()
    hung = not killer.is_alive()
    killer.cancel()
    return ("hung: " if hung else "") + ("answered %r: " % answer if answer else "") + output


def read_all(peer):
    try:
        return b"".join(iter(lambda: peer.recv(4096), b""))
    except OSError:
        return b""  # what it had not read made the server's end a reset


def main():
    library = sys.argv[1]
    failed = 0
    with tempfile.TemporaryDirectory() as folder:
        make_certificate(folder)
        outputs = [("to a client, " + name, run_client(library, data), wanted) for name, data, wanted in TO_CLIENTS]
        outputs += [("to a server, " + name, run_server(library, data, folder), wanted)
                    for name, data, wanted in TO_SERVERS]
    for name, output, wanted in outputs:
        # No alert: whoever speaks no TLS may be told by the program in its own words.
        ok = wanted in output and not output.startswith(("hung", "answered"))
        failed += not ok
        print("%-4s %s" % ("ok" if ok else "FAIL", name))
        if not ok:
            print("    %r is not in %s" % (wanted, output[-600:]))
    print("%d passed, %d failed, 0 skipped" % (len(outputs) - failed, failed))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
