"""Fixtures that any test may ask for, and the rule that CI skips nothing for want of a tool."""

from __future__ import annotations

import os
import re
import shutil
import sys
import tempfile
import traceback
from collections.abc import Callable, Generator, Iterator
from pathlib import Path
from typing import TypeVar

import pytest

Report = TypeVar("Report", pytest.TestReport, pytest.CollectReport)
IN_CI = os.environ.get("CI") == "true"
NOBODY = 65534
MAY_SKIP = re.compile(r"\b(GPU|CUDA|MPS|macOS|Windows|Linux|unprivileged)\b")


def pytest_configure(config: pytest.Config) -> None:
    """One thread in torch: results repeat bit by bit, and a machine with few cores breathes.

    Set by the environment, so that tests without torch do not wait for its import.
    """
    for name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
        os.environ.setdefault(name, "1")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """In CI a skipped test failed, unless its reason is the kind of machine (MAY_SKIP)."""
    report = yield
    return _failed_if_skipped_in_ci(report)


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report() -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    """The same for a file that skips as a whole, as importorskip does."""
    report = yield
    return _failed_if_skipped_in_ci(report)


def _failed_if_skipped_in_ci(report: Report) -> Report:
    if IN_CI and report.skipped and not hasattr(report, "wasxfail"):
        reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr)
        if not MAY_SKIP.search(reason):
            report.outcome = "failed"
            report.longrepr = f"CI must not skip: {reason}"
    return report


def require(name: str) -> str:
    """Where the program ``name`` is; without it the test is skipped (which fails in CI)."""
    found = shutil.which(name)
    if found is None:
        pytest.skip(f"{name} is not installed (python3 tools/check_system.py --tests says how)")
    return found


@pytest.fixture(scope="session")
def tool() -> Callable[[str], str]:
    """``tool("qpdf")`` is the program's path."""
    return require


@pytest.fixture(scope="session")
def chromium() -> str:
    """The path of a Chromium."""
    return shutil.which("chromium-browser") or shutil.which("google-chrome") or require("chromium")


@pytest.fixture(scope="session")
def default_site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The site of the default report with its PDFs, from stored results; nobody changes it."""
    from tests.golden import default

    return default.build(tmp_path_factory.mktemp("預設 default"))


@pytest.fixture
def unprivileged() -> Iterator[Callable[[Callable[[Path], None], Callable[[Path], None]], None]]:
    """``unprivileged(prepare, check)`` runs both on one folder, check as a user without rights.

    Modes do not stop root, so check runs in a child process that has become nobody.
    """
    folder = Path(tempfile.mkdtemp(prefix="fervis-test-"))
    folder.chmod(0o755)

    def run(prepare: Callable[[Path], None], check: Callable[[Path], None]) -> None:
        prepare(folder)
        if os.getuid() != 0:
            check(folder)
            return
        sys.stdout.flush()
        reader, writer = os.pipe()
        child = os.fork()
        if child == 0:  # never returns into pytest
            status = 1
            try:
                os.setgroups([])
                os.setgid(NOBODY)
                os.setuid(NOBODY)
                check(folder)
                status = 0
            except BaseException:
                os.write(writer, traceback.format_exc().encode()[-60000:])
            finally:
                os._exit(status)
        os.close(writer)
        with os.fdopen(reader) as pipe:
            trace = pipe.read()
        _, status = os.waitpid(child, 0)
        assert status == 0, trace

    yield run
    for path in [folder, *folder.rglob("*")]:
        if path.is_dir() and not path.is_symlink():
            path.chmod(0o755)
    shutil.rmtree(folder)
