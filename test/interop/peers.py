"""All peers."""

from commands import GnuTLS, NSS, Botan, Chromium, Curl, OpenSSL
from programs import BearSSL, Go, Java, MbedTLS, Node, Python, Rustls, WolfSSL

ALL = [OpenSSL(), GnuTLS(), NSS(), Go(), Rustls(), WolfSSL(), MbedTLS(), Botan(), BearSSL(), Java(), Node(), Python(),
       Curl(), Chromium()]
