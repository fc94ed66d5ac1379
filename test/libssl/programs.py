"""Whole programs, unmodified, on the system's libssl, on ours, and on one that does nothing.

    programs.py run SUITE [WORD...] --build FOLDER --library ours|stock|null [-o FILE] [--php-source FOLDER]
    programs.py compare STOCK OURS [NULL]
    programs.py check SUITE [WORD...] --build FOLDER

SUITE is cpython, php, perl, ruby, openssl, curl, nginx or services; WORDs choose some of its modules or tests. `run` writes outcomes as
JSON; `compare` reads two or three of those and tells the differences; `check` runs all three libraries and ends
with a line "N passed, N failed, N skipped": failed is what passes on the system's library and not on ours, and
what passes with the library that does nothing counts for nothing.
"""

import argparse
import importlib
import os
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "programs"))
import library  # noqa: E402

# Meson puts the libraries that a test depends on before the system's. Which library is whose is said here alone.
os.environ.pop("LD_LIBRARY_PATH", None)

SUITES = ["cpython", "php", "perl", "ruby", "openssl", "curl", "nginx", "services"]


def fetcher(arguments):
    """How a suite gets tests out of Debian's source packages: into a folder beside the build, once."""
    def fetch(package, patterns):
        folder = os.path.join(os.path.abspath(arguments.build), "sources", package)
        tool = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../tools/package-source")
        subprocess.run([tool, package, folder, *patterns], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        return folder
    return fetch


def suite_of(arguments):
    module = importlib.import_module(arguments.suite)
    if not hasattr(module, "sources"):
        return module, {}
    named = arguments.suite == "php" and arguments.php_source
    return module, {"source": named or module.sources(fetcher(arguments))}


def run(arguments, name):
    module, extra = suite_of(arguments)
    return module.run(library.Library(name, arguments.build), arguments.words, **extra)


def command_run(arguments):
    module, extra = suite_of(arguments)
    why = module.missing(**extra)
    if why:
        raise SystemExit(why)
    outcomes = run(arguments, arguments.library)
    if arguments.output:
        library.save(arguments.output, outcomes)
    values = list(outcomes.values())
    print(f"{values.count('ok')} passed, {values.count('fail')} failed, {values.count('skip')} skipped")
    return 0


def command_compare(arguments):
    loaded = [library.load(path) for path in (arguments.stock, arguments.ours)]
    null = library.load(arguments.null) if arguments.null else None
    lines, summary = library.compare(*loaded, null)
    print("\n".join(lines + [str(summary)]))
    return 1 if summary["worse"] else 0


def command_check(arguments):
    module, extra = suite_of(arguments)
    why = module.missing(**extra)
    if why:
        print(f"skipped: {why}\n0 passed, 0 failed, 1 skipped")
        return 0
    stock, ours, null = (run(arguments, name) for name in (library.STOCK, library.OURS, library.NULL))
    lines, summary = library.compare(stock, ours, null, getattr(module, "KNOWN", None))
    print("\n".join(lines))
    print(f"{summary['without_tls']} pass without any TLS and count for nothing, {summary['fail_on_both']} fail on both "
          f"libraries; {summary['better']} better")
    print(f"{summary['same'] + summary['better']} passed, {summary['worse']} failed, 0 skipped")
    return 1 if summary["worse"] or not summary["same"] else 0


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(dest="command", required=True)
    for name in ("run", "check"):
        p = commands.add_parser(name)
        p.add_argument("suite", choices=SUITES)
        p.add_argument("words", nargs="*")
        p.add_argument("--build", required=True)
        p.add_argument("--php-source", default=os.environ.get("PHP_SOURCE"))
        if name == "run":
            p.add_argument("--library", choices=[library.OURS, library.STOCK, library.NULL], required=True)
            p.add_argument("-o", "--output")
    p = commands.add_parser("compare")
    p.add_argument("stock")
    p.add_argument("ours")
    p.add_argument("null", nargs="?")
    arguments = parser.parse_args()
    return {"run": command_run, "compare": command_compare, "check": command_check}[arguments.command](arguments)


if __name__ == "__main__":
    sys.exit(main())
