"""Ports for servers that cannot be told to take any: below those that the system gives out by itself, and each for one
process only, for as long as it lives. A port that was merely free a moment ago may be somebody else's by now."""

import random
import socket

_kept = []  # a name of AF_UNIX for each port: who has it bound has the port
_dice = random.SystemRandom()


def _lowest_of_the_system():
    try:
        with open("/proc/sys/net/ipv4/ip_local_port_range", encoding="ascii") as f:
            return int(f.read().split()[0])
    except OSError:
        return 32768


def _nobody_has(port):
    for family, address in ((socket.AF_INET, "0.0.0.0"), (socket.AF_INET6, "::")):
        try:
            with socket.socket(family, socket.SOCK_STREAM) as s:
                if family == socket.AF_INET6:
                    s.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
                s.bind((address, port))
        except OSError:
            if family == socket.AF_INET or socket.has_dualstack_ipv6():
                return False
    return True


def free_port():
    end = _lowest_of_the_system()
    while True:
        port = _dice.randrange(10000, end) if end > 11000 else 0
        if not port:  # the system keeps them all for itself
            with socket.socket() as s:
                s.bind(("127.0.0.1", 0))
                return s.getsockname()[1]
        name = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            name.bind(f"\0handfast-test-port-{port}")
        except OSError:
            name.close()
            continue
        if _nobody_has(port):
            _kept.append(name)
            return port
        name.close()
