"""The peer around Python's ssl module: see ../README.md."""

import socket
import ssl
import sys
import threading
import warnings

BASE = bytes((131 * i + 17 * (i >> 8)) % 256 for i in range(65536))


def pattern(size):
    """The pattern in blocks of 64 KiB."""
    for high in range((size + 65535) // 65536):
        block = BASE.translate(bytes((b + 29 * high) % 256 for b in range(256)))
        yield block[:size - high * 65536]


def report(conn, size):
    peer = conn.getpeercert() or {}
    names = [value for rdn in peer.get("subject", ()) for key, value in rdn if key == "commonName"]
    print(f"conn version={conn.version()} suite={conn.cipher()[0]} resumed={'yes' if conn.session_reused else 'no'} "
          f"alpn={conn.selected_alpn_protocol() or '-'} client={names[0].replace(' ', '_') if names else '-'} "
          f"bytes={size}", flush=True)


def manner(context, opts):
    """Limit a context to the version asked for, and to session IDs."""
    if "version" in opts:
        version = ssl.TLSVersion["TLSv" + opts["version"].replace(".", "_").replace("1_0", "1")]
        context.set_ciphers("DEFAULT:@SECLEVEL=0" if opts["version"] < "1.2" else "DEFAULT")
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # it is known that these versions are old
            context.minimum_version = context.maximum_version = version
    if opts.get("tickets") == "0":
        context.options |= ssl.OP_NO_TICKET


def client(port, ca, opts):
    context = ssl.create_default_context(cafile=ca)
    manner(context, opts)
    if "cert" in opts:
        context.load_cert_chain(opts["cert"], opts["key"])
    if "alpn" in opts:
        context.set_alpn_protocols(opts["alpn"].split(","))
    size = int(opts.get("echo", "0"))
    session = None
    for _ in range(int(opts.get("times", "1"))):
        with socket.create_connection(("127.0.0.1", int(port)), timeout=60) as raw:
            conn = context.wrap_socket(raw, server_hostname="localhost", session=session,
                                       suppress_ragged_eofs=False)
            got = 0
            # One socket object cannot be read and written by two threads at once: block by block.
            for block in pattern(size):
                conn.sendall(block)
                back = b""
                while len(back) < len(block):
                    part = conn.recv(len(block) - len(back))
                    if not part:
                        raise EOFError(f"the server ended after {got + len(back)} bytes")
                    back += part
                if back != block:
                    raise ValueError(f"the bytes after {got} came back changed")
                got += len(block)
            session = conn.session
            report(conn, got)
            conn.unwrap()


def serve_one(context, raw):
    try:
        conn = context.wrap_socket(raw, server_side=True, suppress_ragged_eofs=False)
        size = 0
        while True:
            data = conn.recv(65536)
            if not data:
                break
            conn.sendall(data)
            size += len(data)
        report(conn, size)
        conn.unwrap().close()
    except (OSError, ValueError) as error:
        print("error", error, flush=True)
        raw.close()


def server(port, chain, key, opts):
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(chain, key)
    manner(context, opts)
    if "ca" in opts:
        context.load_verify_locations(opts["ca"])
        context.verify_mode = ssl.CERT_REQUIRED
    if "alpn" in opts:
        context.set_alpn_protocols(opts["alpn"].split(","))
    door = socket.create_server(("127.0.0.1", int(port)))
    print("ready", flush=True)
    while True:
        raw, _ = door.accept()
        threading.Thread(target=serve_one, args=(context, raw), daemon=True).start()


def main():
    opts = dict(arg.split("=", 1) for arg in sys.argv[4 if sys.argv[1] == "client" else 5:])
    if sys.argv[1] == "client":
        try:
            client(sys.argv[2], sys.argv[3], opts)
        except (OSError, ValueError, EOFError) as error:
            print("error", error)
            return 1
        return 0
    return server(sys.argv[2], sys.argv[3], sys.argv[4], opts)


if __name__ == "__main__":
    sys.exit(main())
