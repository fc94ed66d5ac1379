"""handfast as it is installed: installed.py BUILD. Into a folder of its own (DESTDIR), as packages are made; from there
the command must run, and every file of examples/ be built with what its first lines name, by pkg-config."""

import glob
import json
import os
import re
import shutil
import subprocess
import sys

from core import SCRATCH, Failure, Process, Score, Skip, free_port

BUILD = os.path.abspath(sys.argv[1])
ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
DESTDIR = os.path.join(SCRATCH, "root")


def words(*command, **more):
    done = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                          check=False, timeout=300, **more)
    if done.returncode != 0:
        raise Failure(f"{' '.join(command)}: exit status {done.returncode}: {done.stdout[-600:]}")
    return done.stdout


def found(name, within=""):
    """Where a file lies below DESTDIR, in a folder of this name."""
    for folder, _, files in os.walk(DESTDIR):
        if name in files and folder.endswith(within):
            return os.path.join(folder, name)
    raise Failure(f"{name} was not installed")


def install():
    """meson install puts everything there."""
    words("meson", "install", "-C", BUILD, "--no-rebuild", "--quiet", env={**os.environ, "DESTDIR": DESTDIR})
    for name in ("handfast", "libhandfast.so.0", "libssl.so.3", "handfast.pc", "handfast.1", "handfast-proxy.1",
                 "handfast-cert.1", "handfast-options.7", "_handfast", "handfast.fish",
                 *(os.path.basename(path) for path in glob.glob(os.path.join(ROOT, "include", "*")))):
        found(name)


def command():
    """The command finds its library, and the libssl.so.3 that it puts in front of programs, wherever it was put."""
    handfast = found("handfast", "bin")
    env = {key: value for key, value in os.environ.items() if key != "LD_LIBRARY_PATH"}
    words(handfast, "version", env=env)
    said = words(handfast, "run", "--", "sh", "-c", "echo $LD_LIBRARY_PATH", env=env).strip()
    if os.path.realpath(said) != os.path.dirname(os.path.realpath(found("libssl.so.3"))):
        raise Failure(f"handfast run takes {said}")
    libraries = words("ldd", handfast, env=env)
    if f"{DESTDIR}/" not in libraries:
        raise Failure(f"not the library that it was installed with: {libraries}")


def pkg_config(*packages, static=False):
    place = found("handfast.pc")
    env = {**os.environ, "PKG_CONFIG_PATH": os.path.dirname(place), "PKG_CONFIG_SYSROOT_DIR": ""}
    prefix = os.path.join(DESTDIR, re.search(r"^prefix=/?(.*)$", open(place, encoding="ascii").read(), re.M)[1])
    return words("pkg-config", f"--define-variable=prefix={prefix}", *(["--static"] if static else []),
                 "--cflags", "--libs", *packages, env=env).split()


def build(path):
    """An example, by the line of its own that says what it is compiled with."""
    with open(path, encoding="utf-8") as f:
        head = f.read(1500)
    line = re.search(r"cc -o (\w+) (\w+\.c) \$\(pkg-config --cflags --libs ([\w -]+)\)", head)
    if not line or line[2] != os.path.basename(path):
        raise Failure(f"{path} does not say how it is compiled")
    packages = line[3].split()
    if packages[-1] == "libuv" and subprocess.run(["pkg-config", "--exists", "libuv"], check=False).returncode != 0:
        raise Skip("libuv1-dev is not installed")
    out = os.path.join(SCRATCH, line[1])
    words("cc", "-Wall", "-Wextra", "-Werror", "-o", out, path, *pkg_config(*packages))
    return out


STATIC = """#include <handfast.h>
#include <stdio.h>
int mem_new(void); /* names that the library has inside are free */
int mem_new(void) { return 7; }
int slice_equal = 1;
int main(void) { hf_config *c = hf_config_new(HF_CLIENT); printf("%d %d\\n", c != NULL, mem_new() + slice_equal); hf_config_free(c); }
"""


def static():
    """A program is linked with libhandfast.a, and needs no libhandfast.so."""
    archive, source, out = found("libhandfast.a"), f"{SCRATCH}/static.c", f"{SCRATCH}/static"
    names = re.findall(r"^[0-9a-f]+ [A-Z] (\w+)$", words("nm", "-g", "--defined-only", archive), re.M)
    inner = [name for name in names if not name.startswith("hf_")]
    if inner or len(names) < 300:
        raise Failure(f"the archive shows {len(names)} names, {', '.join(inner[:5])}")
    with open(source, "w", encoding="utf-8") as f:
        f.write(STATIC)
    flags = ["-l:libhandfast.a" if flag == "-lhandfast" else flag for flag in pkg_config("handfast", static=True)]
    words("cc", "-Wall", "-Wextra", "-Werror", "-o", out, source, *flags)
    if "libhandfast" in words("ldd", out) or words(out) != "1 8\n":
        raise Failure("not linked statically")


def examples():
    """Every example is built against what was installed."""
    for path in sorted(glob.glob(os.path.join(ROOT, "examples", "*.c"))):
        try:
            build(path)
        except Skip as reason:
            print(f"skip {os.path.basename(path)}: {reason}")


def readme():
    """The two programs of README.md, one against the other, as it says."""
    handfast, port = found("handfast", "bin"), free_port()
    words(handfast, "cert", "make", "localhost", "-o", f"{SCRATCH}/pki")
    env = {"LD_LIBRARY_PATH": os.path.dirname(found("libhandfast.so.0")), "SSL_CERT_FILE": f"{SCRATCH}/pki/ca.pem"}
    server = Process([build(f"{ROOT}/examples/server.c"), f"{SCRATCH}/pki/cert.pem", f"{SCRATCH}/pki/key.pem",
                      f"tls://localhost:{port}"], env=env).wait_port(port)
    if words(build(f"{ROOT}/examples/client.c"), f"tls://localhost:{port}", env={**os.environ, **env}) != "hi\n":
        raise Failure("no greeting")
    server.stop()


def main():
    missing = [tool for tool in ("meson", "cc", "pkg-config") if not shutil.which(tool)]
    if missing:
        print(f"skip everything: no {', '.join(missing)}\n0 passed, 0 failed, 1 skipped")
        return 0
    with open(os.path.join(BUILD, "meson-info", "intro-buildoptions.json"), encoding="utf-8") as f:
        if any(o["name"] == "b_sanitize" and o["value"] != "none" for o in json.load(f)):
            print("skip everything: built with a sanitizer, which programs of others lack\n0 passed, 0 failed, 1 skipped")
            return 0
    score = Score()
    for check in (install, command, examples, static, readme):
        score.check(check.__name__, check)
    return score.done()


if __name__ == "__main__":
    sys.exit(main())
