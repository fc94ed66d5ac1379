"""Writes the table behind hf_since: since.py OUT DEPFILE INCLUDE SINCE reads the functions of the public
headers in the folder INCLUDE, and the file SINCE, which names those that came after version 1 of the API."""

import glob
import os
import re
import sys

FUNCTION = re.compile(r"^HF_API\b[^;({]*?\b(hf_\w+)\s*\(", re.M)


def functions(text):
    return FUNCTION.findall(re.sub(r"/\*.*?\*/", "", text, flags=re.S))


def main():
    out, depfile, include, since = sys.argv[1:]
    headers = sorted(glob.glob(os.path.join(include, "*.h")))
    later = {}
    with open(since, encoding="utf-8") as f:
        for line in f:
            words = line.split("#")[0].split()
            if words:
                later[words[1]] = int(words[0])
    names = set()
    for header in headers:
        with open(header, encoding="utf-8") as f:
            names.update(functions(f.read()))
    for name in sorted(set(later) - names):
        sys.exit(f"{since}: there is no function {name}")
    with open(out, "w", encoding="utf-8") as f:
        f.write('#include "net/since.h"\n\nconst struct since since_functions[] = {\n')
        for name in sorted(names):
            f.write(f'{{"{name}", {later.get(name, 1)}}},\n')
        f.write("};\n\nconst size_t since_count = sizeof since_functions / sizeof *since_functions;\n")
    with open(depfile, "w", encoding="utf-8") as f:
        f.write(f"{out}: " + " ".join(headers + [since]) + "\n")


main()
