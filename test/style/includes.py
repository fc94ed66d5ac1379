"""The rules of the house that a compiler does not know (ARCHITECTURE.md).

- A room includes only what stands above it: bytes, compress, crypto, x509, record, message, config,
  extension, handshake, connection, net, cli. The public headers stand above all.
- <openssl/...> appears in src/crypto and src/x509 only (and in test/ and bench/).
- Memory comes from mem_new and goes through mem_free, outside of src/cli.
- No source file is longer than 1,000 lines, nothing is included twice, and every source file and
  every test is listed in a meson.build: one that is not is never compiled.
"""

import os
import re
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
ROOMS = ["bytes", "compress", "crypto", "x509", "record", "message", "config", "extension",
         "handshake", "connection", "net", "access", "cli"]
OPENSSL_ROOMS = {"crypto", "x509", "access"}
LONGEST = 1000
INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^>"]+)[>"]')
ALLOC = re.compile(r"(?<![\w.>])(malloc|calloc|realloc|free|strdup|strndup|asprintf|vasprintf)\s*\(")
COMMENT = re.compile(r'/\*.*?\*/|//[^\n]*|"(?:\\.|[^"\\\n])*"', re.S)


def sources(*folders):
    for folder in folders:
        for where, _, names in os.walk(os.path.join(ROOT, folder)):
            for name in sorted(names):
                if name.endswith((".c", ".h", ".def", ".cc")):
                    yield os.path.relpath(os.path.join(where, name), ROOT)


def read(path):
    with open(os.path.join(ROOT, path), encoding="utf-8") as f:
        return f.read()


def room_of(path):
    parts = path.split("/")
    return parts[1] if parts[0] == "src" and len(parts) > 2 else None


def target_of(path, name):
    """The file that an include of a name in path means, relative to the root, or None."""
    for folder in (os.path.dirname(path), "include", "src"):
        candidate = os.path.normpath(os.path.join(folder, name))
        if os.path.isfile(os.path.join(ROOT, candidate)):
            return candidate
    return None


def check_layers():
    faults = []
    for path in sources("src"):
        room = room_of(path)
        for number, line in enumerate(read(path).splitlines(), 1):
            found = INCLUDE.match(line)
            if not found:
                continue
            bracket, name = found.groups()
            place = f"{path}:{number}"
            if name.startswith("openssl/"):
                if room not in OPENSSL_ROOMS:
                    faults.append(f"{place}: <{name}> belongs in src/crypto and src/x509 only")
            elif bracket == '"':
                target = target_of(path, name)
                if target is None:
                    faults.append(f"{place}: \"{name}\" is not in this repository")
                    continue
                other = room_of(target)
                if room not in ROOMS:
                    faults.append(f"{place}: src/{room} is not a room of the house")
                elif other and ROOMS.index(other) > ROOMS.index(room):
                    faults.append(f"{place}: {room} may not include {other}, which stands below it")
    return faults


def check_twice():
    faults = []
    for path in sources("src", "include", "test", "examples", "bench"):
        seen = set()
        for number, line in enumerate(read(path).splitlines(), 1):
            found = INCLUDE.match(line)
            # A .def file is made to be included again and again.
            if found and not found.group(2).endswith(".def"):
                if found.group(2) in seen:
                    faults.append(f"{path}:{number}: {found.group(2)} is included twice")
                seen.add(found.group(2))
    return faults


def check_length():
    faults = []
    for path in sources("src", "include", "test", "examples", "bench"):
        lines = read(path).count("\n")
        if lines > LONGEST:
            faults.append(f"{path}: {lines} lines; it wants to be two files")
    return faults


def check_memory():
    faults = []
    for path in sources("src"):
        if room_of(path) == "cli" or os.path.basename(path) in ("mem.c", "memory.c", "bytes.c"):
            continue
        bare = COMMENT.sub(lambda m: "\n" * m.group().count("\n"), read(path))
        for number, line in enumerate(bare.splitlines(), 1):
            found = ALLOC.search(line)
            if found:
                faults.append(f"{path}:{number}: {found.group(1)}() instead of mem_new and mem_free")
    return faults


def check_listed():
    faults = []
    for folder in ["src/" + room for room in ROOMS] + ["test/unit", "test/flow", "test/fuzz"]:
        recipe = os.path.join(ROOT, folder, "meson.build")
        if not os.path.isfile(recipe):
            continue
        words = set(re.findall(r"[\w.]+", read(os.path.relpath(recipe, ROOT))))
        for name in sorted(os.listdir(os.path.join(ROOT, folder))):
            if not name.endswith(".c"):
                continue
            stem = name[:-2]
            if not words & {name, stem, stem.removeprefix("test_"), stem.removeprefix("fuzz_")}:
                faults.append(f"{folder}/{name} is not in {folder}/meson.build: nothing compiles it")
    return faults


def main():
    failed = 0
    rules = [check_layers, check_twice, check_length, check_memory, check_listed]
    for rule in rules:
        faults = rule()
        failed += bool(faults)
        print(f"{'FAIL' if faults else 'ok  '} {rule.__name__.removeprefix('check_')}")
        for fault in faults:
            print("     " + fault)
    print(f"{len(rules) - failed} passed, {failed} failed, 0 skipped")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
