"""Which system libraries and programs are missing, and how to get them.

Runs on any Python 3, before anything is installed:

    python3 tools/check_system.py            what a report needs
    python3 tools/check_system.py --tests    what the tests need, too

As root on Debian or Ubuntu it installs what is missing; otherwise it prints the commands and
exits with 3.
"""

import ctypes
import os
import shutil
import subprocess
import sys
from pathlib import Path

LIBRARIES = [  # name, file names on Linux, macOS and Windows, packages of apt, dnf and brew
    (
        "Pango",
        ("libpangoft2-1.0.so.0", "libpangoft2-1.0.dylib", "libpangoft2-1.0-0.dll"),
        ("libpangoft2-1.0-0", "pango", "pango"),
    ),
    (
        "HarfBuzz-subset",
        ("libharfbuzz-subset.so.0", "libharfbuzz-subset.0.dylib", "libharfbuzz-subset-0.dll"),
        ("libharfbuzz-subset0", "harfbuzz", "harfbuzz"),
    ),
]
PROGRAMS = [  # name, programs of which one is enough, packages of apt, dnf and brew
    (
        "Chromium",
        ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable"),
        ("chromium", "chromium", "--cask chromium"),
    ),
    ("poppler", ("pdftotext",), ("poppler-utils", "poppler-utils", "poppler")),
    ("qpdf", ("qpdf",), ("qpdf", "qpdf", "qpdf")),
]
HOMEBREW = ("/opt/homebrew/lib/", "/usr/local/lib/")


def missing(tests=False, venv=False):
    """What is missing: a list of (name, (apt, dnf, brew) packages)."""
    found = [(name, packages) for name, files, packages in LIBRARIES if not _loads(files)]
    if venv and not _has_venv():
        found.append(("Python's venv module", (_venv_package(), "python3", "python")))
    if tests:
        found += [
            (name, packages)
            for name, programs, packages in PROGRAMS
            if not any(shutil.which(program) for program in programs)
        ]
    return found


def instructions(found):
    """The exact commands for what is missing."""
    apt, dnf, brew = (
        " ".join(sorted({packages[kind] for _, packages in found})) for kind in range(3)
    )
    casks = [packages[2] for _, packages in found if packages[2].startswith("--cask")]
    lines = [
        "missing: " + ", ".join(name for name, _ in found),
        "  Debian, Ubuntu  sudo apt install --no-install-recommends " + apt,
        "  Fedora          sudo dnf install " + dnf,
    ]
    for cask in casks:
        brew = brew.replace(cask, "")
    if brew.strip():
        lines.append("  macOS           brew install " + " ".join(brew.split()))
    lines += ["  macOS           brew install " + cask for cask in casks]
    return "\n".join(lines)


def ensure(tests=False, venv=False):
    """Installs what is missing where that can be done; False (and the commands) otherwise."""
    found = missing(tests, venv)
    if found and hasattr(os, "getuid") and os.getuid() == 0 and shutil.which("apt-get"):
        print("installing " + ", ".join(name for name, _ in found), flush=True)
        _apt([packages[0] for _, packages in found])
        found = missing(tests, venv)
    if found:
        print(instructions(found), file=sys.stderr)
    return not found


def _apt(packages):
    environment = dict(os.environ, DEBIAN_FRONTEND="noninteractive")
    for arguments in (["update"], ["install", "-y", "--no-install-recommends", *packages]):
        done = subprocess.run(
            ["apt-get", "-qq", *arguments], env=environment, check=False, stdout=subprocess.PIPE
        )
        if done.returncode:
            print("apt-get " + arguments[0] + " failed", file=sys.stderr)


def _loads(files):
    for file in files:
        for folder in ("", *HOMEBREW):
            try:
                ctypes.CDLL(folder + file)
            except OSError:
                continue
            return True
    return False


def _has_venv():
    try:
        import ensurepip  # noqa: F401
        import venv  # noqa: F401
    except ImportError:
        return False
    return True


def _venv_package():
    """Debian's name for it, which depends on whether this is the system's own Python 3."""
    own = Path("/usr/bin/python3").resolve() == Path(sys.executable).resolve()
    return "python3-venv" if own else f"python3.{sys.version_info[1]}-venv"


if __name__ == "__main__":
    sys.exit(0 if ensure(tests="--tests" in sys.argv[1:]) else 3)
