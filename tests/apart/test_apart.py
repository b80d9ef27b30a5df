"""A build apart: the same site, few variables, limits that hold, no writing elsewhere."""

from __future__ import annotations

import ctypes
import os
import socket
import subprocess
import sys
import time

import pytest

from fervis import apart, pipeline
from fervis.apart import Limits, Order, limits
from fervis.apart.limits import CONNECTING, WRITING, environment
from fervis.cli.isolated import warn_of
from tests.faults.conftest import built, edit, files, project  # noqa: F401 (fixtures)

FORWARD = "        return self.head("


def network_that(project, body: str) -> None:  # noqa: F811
    code = project.parent / "hw3.py"
    edit(code, "from torch import nn\n", "import os, time\nimport torch\nfrom torch import nn\n")
    edit(code, FORWARD, f"        {body}\n{FORWARD}")


def landlock() -> int:
    """The version that this machine has."""
    if sys.platform != "linux":
        return 0
    return limits.landlock_version(ctypes.CDLL(None, use_errno=True))


def order(file, **more) -> Order:
    return Order(file, file.parent / "site", pdf=False, **more)


def test_a_build_apart_gives_the_bytes_of_a_build_here(project, tmp_path):  # noqa: F811
    pipeline.build(project, out=tmp_path / "here", cache=tmp_path / "cache", pdf=False)
    answer = apart.build(order(project), Limits())
    assert answer.outcome and answer.outcome.published, answer.reason  # noqa: PT018
    assert files(project.parent / "site") == files(tmp_path / "here")
    again = apart.build(order(project), Limits())
    assert again.outcome is not None
    assert again.outcome.unchanged


def test_secrets_are_not_inherited(tmp_path):
    given = {"PATH": "/bin", "AWS_SECRET_ACCESS_KEY": "x", "GH_TOKEN": "x", "HOME": "/root"}
    assert environment(given, tmp_path).keys() == {"PATH", "HOME", "TMPDIR", "XDG_CACHE_HOME"}
    assert environment(given, tmp_path)["HOME"] == str(tmp_path)


def test_a_network_sees_no_secret_and_writes_nowhere_else(project, monkeypatch):  # noqa: F811
    monkeypatch.setenv("SECRET_KEY", "swordfish")
    network_that(
        project,
        "assert 'SECRET_KEY' not in os.environ, 'sees the secret'\n"
        '        print(\'{"error": "forged"}\', flush=True)\n'
        "        try:\n            open(os.path.join(os.path.dirname(__file__), 'mark'), 'w')\n"
        "        except OSError:\n            pass",
    )
    answer = apart.build(order(project), Limits())
    assert answer.outcome is not None, answer.reason
    assert answer.outcome.published, answer.outcome.failures
    assert (project.parent / "mark").exists() == (WRITING in answer.allowed)
    assert (WRITING in answer.allowed) == (landlock() < 1)


def test_a_network_opens_no_connection_or_the_answer_says_that_it_could(project):  # noqa: F811
    with socket.create_server(("127.0.0.1", 0)) as server:
        network_that(
            project,
            "import socket\n        try:\n"
            f"            socket.create_connection({server.getsockname()}, 5).close()\n"
            "        except PermissionError:\n            pass",
        )
        answer = apart.build(order(project), Limits())
        assert answer.outcome is not None, answer.reason
        server.settimeout(0)
        try:
            server.accept()[0].close()
            connected = True
        except BlockingIOError:
            connected = False
    assert connected == (CONNECTING in answer.allowed)
    assert connected == (landlock() < 4)


@pytest.mark.parametrize(
    ("version", "left"), [(0, (WRITING, CONNECTING)), (3, (CONNECTING,)), (4, ())]
)
def test_what_an_older_system_does_not_prevent_is_said(monkeypatch, tmp_path, version, left, capfd):
    """With a stand-in for the kernel: nothing may confine the process of the tests."""

    class Kernel:
        @staticmethod
        def syscall(number: int, attributes: object, *_: object) -> int:
            if number != limits._CREATE:
                return 0
            return os.open(os.devnull, os.O_RDONLY) if attributes else version or -1

    assert limits._landlocked(Kernel(), [tmp_path]) == left
    warn_of(left)
    told = capfd.readouterr().err
    assert all(what in told for what in left)
    assert bool(told) == bool(left)


@pytest.mark.skipif(sys.platform != "linux", reason="other systems have no /proc")
def test_the_environment_of_the_process_outside_cannot_be_read(project):  # noqa: F811
    """Linux shows what a process began with to all of the same user, unless Landlock forbids it."""
    network_that(
        project,
        "for process in (os.getppid(), os.getpid()):\n"
        "            try:\n"
        "                seen = open(f'/proc/{process}/environ', 'rb').read()\n"
        "            except PermissionError:\n"
        "                seen = b''\n"
        "            assert b'swordfish' not in seen, 'it sees the secret'",
    )
    done = subprocess.run(
        [sys.executable, "-m", "fervis", "build", "--isolated", "--no-pdf", str(project)],
        env=os.environ | {"SECRET_KEY": "swordfish"}, capture_output=True, text=True,
    )  # fmt: skip
    if landlock() < 1:
        pytest.skip("this Linux has no Landlock, which docs/security.md asks for here")
    assert done.returncode == 0, done.stdout + done.stderr


def test_a_build_without_end_is_stopped(project):  # noqa: F811
    network_that(project, "time.sleep(1000)")
    before, begun = files(project.parent / "site"), time.perf_counter()
    answer = apart.build(order(project), Limits(clock_s=5))
    assert time.perf_counter() - begun < 10
    assert "stopped after 5 s" in answer.reason
    assert answer.exit_code == 3
    assert files(project.parent / "site") == before


def test_processor_time_is_limited(project):  # noqa: F811
    network_that(project, "while True: pass")
    answer = apart.build(order(project), Limits(processor_s=5, clock_s=60))
    assert "processor time" in answer.reason or "SIGKILL" in answer.reason


@pytest.mark.skipif(sys.platform != "linux", reason="memory is limited on Linux")
def test_without_a_word_a_build_has_its_share_of_the_memory(monkeypatch, tmp_path):
    whole = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    monkeypatch.setattr(limits, "_CGROUP", tmp_path / "memory.max")
    assert limits.share_of_memory(1) == max(4 << 30, whole * 9 // 10)
    (tmp_path / "memory.max").write_text(str(10 << 30))
    assert limits.share_of_memory(2) == (9 << 30) // 2 or whole < 10 << 30
    assert limits.share_of_memory(1000) == 4 << 30
    (tmp_path / "memory.max").write_text("max")
    assert limits.share_of_memory(1) == max(4 << 30, whole * 9 // 10)


@pytest.mark.skipif(sys.platform != "linux", reason="memory is limited on Linux")
def test_memory_is_limited(project):  # noqa: F811
    network_that(project, "torch.ones(8_000_000_000)")
    answer = apart.build(order(project), Limits(memory=4 << 30, clock_s=60))
    assert answer.exit_code != 0
    assert "memory" in answer.reason, answer.reason


def test_a_network_that_ends_the_process_costs_its_build_only(project):  # noqa: F811
    network_that(project, "os._exit(9)")
    answer = apart.build(order(project), Limits())
    assert answer.outcome is None
    assert "ended" in answer.reason
