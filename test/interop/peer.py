"""What a peer is: how to run it as a server and as a client, of which versions.

serve() starts a server of one of the peer's `kinds`:
    echo   everything comes back
    http   GET /payload-N gives that file
    lines  the same, line by line; the line "quit" ends it
    sink   what comes is printed
    page   whatever is asked for, some page comes
    blocks whatever is asked for first, a million bytes come, all blocks of 16 KiB alike
talk() runs the peer as a client against a server of the kind that it `wants`, moves data, compares, and
returns what the peer itself says of its connections (a list of dicts, perhaps empty).
"""

import copy
import os
import subprocess

from core import SCRATCH, Failure, Process, same, tail

THREE = ["TLS_AES_128_GCM_SHA256", "TLS_AES_256_GCM_SHA384", "TLS_CHACHA20_POLY1305_SHA256"]
CCM = ["TLS_AES_128_CCM_SHA256", "TLS_AES_128_CCM_8_SHA256"]
NIST = ["secp256r1", "secp384r1", "secp521r1"]
FFDHE = ["ffdhe2048", "ffdhe3072", "ffdhe4096"]
# What handfast speaks of TLS 1.2 by default.
AEAD12 = [f"TLS_ECDHE_{key}_WITH_{cipher}" for key in ("ECDSA", "RSA") for cipher in
          ("AES_128_GCM_SHA256", "AES_256_GCM_SHA384", "CHACHA20_POLY1305_SHA256")]


def run(command, seconds=180, **more):
    """Run to the end and return the process; a Failure if its status is not 0."""
    process = Process(command, **more)
    status = process.wait(seconds)
    process.stop()
    if status != 0:
        raise Failure(f"{os.path.basename(command[0])} ends with {status}: {tail(process.text())}")
    return process


class Peer:
    name = key = "?"
    versions = ("1.3", "1.2")
    not_spoken = {}      # version: why, where a reader would expect it
    version = "1.3"      # what it speaks now: see at()
    can_limit = True     # whether it can be told not to speak newer ones
    by_id = False        # whether older versions are resumed by session ID, and not by ticket
    can_id_client = can_id_server = True   # whether it can be told to
    can_ticket_client = can_ticket_server = True
    suites, groups = THREE, ["x25519", *NIST]
    suites12 = AEAD12
    kinds, wants = ("echo",), "echo"
    bulk_kinds = None    # where they differ from kinds
    big = 0              # size of the big transfer, if one is made
    big_wants = None     # where it differs from wants
    big_client = None    # where it differs from big
    resumes = True       # as a client, by itself
    resume_wants = None  # where it differs from wants
    client_cert = alpn = alpn_server = True
    says_no = True       # as a server, why it refuses a client without a certificate, by an alert
    updates = False      # sends KeyUpdates of its own
    update_size = 1000000
    update_after = 5     # records between two KeyUpdates of handfast serve
    is_client = is_server = True
    shares = None        # as a client: groups that it sends a share for, if it cannot take a retry
    no_retry = None      # why that is so

    def at(self, version, by_id=False):
        """The same peer, speaking this version and no other."""
        other = copy.copy(self)
        other.version, other.by_id = version, by_id
        if version == "1.2":
            other.suites = self.suites12
        if version != "1.3":
            other.groups = [group for group in self.groups if not group.startswith("ffdhe")]
            other.updates, other.shares = False, None
        return other

    @property
    def old(self):
        """Whether its version is one that is off by default everywhere."""
        return self.version in ("1.0", "1.1")

    def missing(self):
        """Why this peer cannot be had here, or None."""
        return None

    def serve(self, pki, port, kind, cred="ec", client_ca=None, alpn=None, updates=False):
        raise NotImplementedError

    def talk(self, pki, port, size, ca=None, cert=False, alpn=None, times=1, updates=False, seconds=180):
        raise NotImplementedError


_cache = None


def set_cache(folder):
    """Where programs of ours are compiled to, and kept."""
    global _cache
    _cache = folder


def built(name):
    folder = os.path.join(_cache or SCRATCH, name)
    os.makedirs(folder, exist_ok=True)
    return folder


def build(command, cwd, env, seconds=240):
    try:
        done = subprocess.run(command, cwd=cwd, env={**os.environ, **env}, stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=seconds)
    except subprocess.TimeoutExpired:
        raise Failure(f"{command[0]} is not done after {seconds} s") from None
    if done.returncode != 0:
        raise Failure(f"{' '.join(command[:2])}: {tail(done.stdout)}")


def send_and_compare(command, data, seconds, name):
    """Run a client that copies its input to the peer and the peer to its output, and that need not end
    by itself; compare what came back from an echo."""
    size = os.path.getsize(data)
    client = Process(command, stdin=data, name=name)
    client.wait_bytes(size, seconds)
    said = client.text() if size < 1000 else client.err()
    client.stop()
    if os.path.getsize(client.out_path) < size:
        raise Failure(f"{name}: {os.path.getsize(client.out_path)} of {size} bytes came back: {tail(said)}")
    same(client.out_path, data, name)
    return client
