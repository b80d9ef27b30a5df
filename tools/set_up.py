"""Makes ``.venv`` with everything in it, once; a second run finds nothing to do.

    python3 tools/set_up.py [report] [test] [fuzz] [bench] [dev]

installs what a report, the tests, or the checks need. Starts on any Python 3, so that a Python that
is too old gets a clear message. ``--torch-index URL`` takes PyTorch from another index.
"""

import argparse
import hashlib
import json
import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
PYTHON = VENV / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
STAMP = VENV / "set-up.json"
CONSTRAINTS = ROOT / "constraints.txt"
VALIDATOR = "vnu-jar@26.9.27"  # the W3C's own package of its HTML checker is one of npm
OLDEST, NEWEST = (3, 11), (3, 13)
EXIT_MACHINE = 3


def main():
    """Checks first, then installs, then writes down what was installed."""
    arguments = _arguments()
    if not OLDEST <= sys.version_info[:2] <= NEWEST:
        oldest, newest, this = (
            ".".join(map(str, each)) for each in (OLDEST, NEWEST, sys.version_info[:2])
        )
        print(
            f"fervis needs Python {oldest} to {newest}, and {sys.executable} is {this}; "
            "name another one: make report PYTHON=python3.12",
            file=sys.stderr,
        )
        sys.exit(EXIT_MACHINE)
    wanted = set(arguments.parts) | {"report"}
    ingredients = _ingredients(arguments.torch_index)
    before = _stamp()
    unchanged = before.get("ingredients") == ingredients and wanted <= set(before["parts"])
    if unchanged and _usable():
        return
    from check_system import ensure

    if not ensure(tests="test" in wanted, venv=not _usable()):
        sys.exit(EXIT_MACHINE)
    if before:
        wanted |= set(before["parts"])
        STAMP.unlink()
    _install(sorted(wanted - {"report"}), arguments.torch_index)
    STAMP.write_text(
        json.dumps({"ingredients": ingredients, "parts": sorted(wanted)}), encoding="utf-8"
    )


def _arguments():
    parser = argparse.ArgumentParser(description="Make .venv with everything in it, once.")
    parser.add_argument("parts", nargs="*", metavar="report|test|fuzz|bench|dev")
    parser.add_argument("--torch-index", default="", help="an index to take PyTorch from")
    arguments = parser.parse_args()
    for part in arguments.parts:
        if part not in ("report", "test", "fuzz", "bench", "dev"):
            parser.error(f"there is report, test, fuzz, bench and dev, no {part!r}")
    return arguments


def _install(extras, torch_index):
    print("Setting up .venv; this happens once and takes a few minutes.", flush=True)
    if not _usable():
        _run(sys.executable, "-m", "venv", "--clear", str(VENV))
    pip = [str(PYTHON), "-m", "pip", "--disable-pip-version-check", "install"]
    pip += ["-c", str(CONSTRAINTS)]
    if not sys.stdout.isatty():
        pip.append("--quiet")
    if torch_index:
        _run(*pip, "--no-deps", "--index-url", torch_index, "torch")
    _run(*pip, "hatchling", "editables", "setuptools", "wheel")  # lime comes as source
    extra = f"[{','.join(extras)}]" if extras else ""
    _run(*pip, "--no-build-isolation", "-e", f"{ROOT}{extra}")
    if "test" in extras:
        npm = [str(PYTHON.with_name("npm" + PYTHON.suffix)), "--prefix", str(VENV), "--silent"]
        _run(*npm, "install", "--no-save", "--no-package-lock", "--ignore-scripts", VALIDATOR)


def _run(*command):
    code = subprocess.call(command)
    if code:
        print("failed: " + " ".join(command), file=sys.stderr)
        sys.exit(EXIT_MACHINE)


def _ingredients(torch_index):
    """What decides the contents of .venv, as a digest: contents, not file times."""
    import tomllib

    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    parts = [
        [project["build-system"], project["project"], project["tool"]["hatch"]],
        CONSTRAINTS.read_text(encoding="utf-8"),
        sys.version_info[:2],
        torch_index,
        VALIDATOR,
        str(ROOT),
    ]
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()


def _usable():
    """Whether .venv is of this Python, which a system upgrade may have removed."""
    try:
        made_by = (VENV / "pyvenv.cfg").read_text(encoding="utf-8")
    except OSError:
        return False
    major, minor = sys.version_info[:2]
    return PYTHON.exists() and f"version = {major}.{minor}." in made_by


def _stamp():
    try:
        return json.loads(STAMP.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        sys.exit(130)
