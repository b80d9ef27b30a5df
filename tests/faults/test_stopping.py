"""Ctrl-C, SIGTERM and a closed terminal end a build within two seconds, children too."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import sys
import time
from pathlib import Path

import pytest

from tests.faults.conftest import edit, files

SLOW = "time.sleep(60)"
DEAF = "[torch.ones(9_000_000).sort() for _ in range(500)]"  # never long in Python itself
STUBBORN = (
    "\n        while True:\n            try:\n                time.sleep(1)\n"
    "            except BaseException:\n                pass"
)


IN_COMPANY = """\
import os
import subprocess
import time
from torch import nn


def company():
    other = subprocess.Popen(["sleep", "1000"])
    with open(os.path.join(os.environ["HOME"], "pids"), "w") as file:
        file.write(f"{os.getpid()} {other.pid}")
    time.sleep(1000)
"""


@pytest.mark.parametrize(
    ("number", "body"),
    [
        (signal.SIGINT, SLOW),
        (signal.SIGTERM, SLOW),
        (signal.SIGHUP, SLOW),
        (signal.SIGTERM, DEAF),
        (signal.SIGTERM, STUBBORN),
    ],
    ids=["Ctrl-C", "SIGTERM", "SIGHUP", "SIGTERM in a long call", "SIGTERM that is swallowed"],
)
def test_a_build_stops_within_two_seconds(project, start, number, body):
    code = project.parent / "hw3.py"
    edit(code, "from torch import nn\n", "import time\nimport torch\nfrom torch import nn\n")
    mark = "        open('reached', 'w').close()\n"
    forward = "        return self.head("
    edit(code, forward, f"{mark}        {body}\n{forward}")
    before = files(project.parent / "site")
    process = start(project)
    while process.poll() is None and not (project.parent / "reached").exists():
        time.sleep(0.02)
    asked = time.perf_counter()
    process.send_signal(number)
    _, told = process.communicate(timeout=20)
    assert time.perf_counter() - asked < 2
    assert process.returncode == 128 + number, told
    assert "Traceback" not in told
    with pytest.raises(ProcessLookupError):
        os.killpg(process.pid, 0)
    assert files(project.parent / "site") == before


def ended(pid: int) -> bool:
    """Whether a process is no more, or waits only for somebody to read how it ended."""
    try:
        return Path(f"/proc/{pid}/stat").read_text("ascii").rpartition(")")[2].split()[0] == "Z"
    except OSError:
        return True


def running_in_group(number: int) -> list[int]:
    """Processes of a group that have not ended; where the system does not tell, any is 0."""
    if sys.platform != "linux":
        with contextlib.suppress(ProcessLookupError):
            os.killpg(number, 0)
            return [0]
        return []
    pids = [int(path.name) for path in Path("/proc").iterdir() if path.name.isdecimal()]
    found = []
    for pid in pids:
        with contextlib.suppress(ProcessLookupError):
            if os.getpgid(pid) == number and not ended(pid):
                found.append(pid)
    return found


def test_a_build_stops_while_it_sets_the_pdf(project, start):
    before = files(project.parent / "site")
    edit(project, "Where it looks", "Where it looked")
    process = start(project, pdf=True)
    assert any("Writing pages" in line for line in process.stderr)
    time.sleep(0.3)
    asked = time.perf_counter()
    process.send_signal(signal.SIGTERM)
    _, told = process.communicate(timeout=20)
    assert time.perf_counter() - asked < 2
    assert process.returncode == 128 + signal.SIGTERM, told
    assert running_in_group(process.pid) == []  # the processes that set PDFs are of this group
    assert files(project.parent / "site") == before
    assert [path for path in project.parent.glob(".site.*") if path.is_dir()] == []


@pytest.mark.skipif(sys.platform != "linux", reason="asks Linux what became of a process")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
@pytest.mark.parametrize("how", ["isolated", "batch"])
def test_processes_of_builds_apart_stop_too(project, start, how, number):
    """The network of each build has started a process of its own."""
    edit(project.parent / "hw3.py", "from torch import nn\n", IN_COMPANY)
    forward = "        return self.head("
    edit(project.parent / "hw3.py", forward, f"        company()\n{forward}")
    if how == "batch":
        other = project.parent.parent / "other" / "report.yaml"
        shutil.copytree(project.parent, other.parent)
        process = start(project, str(other), "--jobs", "2", command="batch")
    else:
        process = start(project, "--isolated")
    count, pids = 1 + (how == "batch"), []
    while process.poll() is None and len(pids) < 2 * count:
        time.sleep(0.05)
        told = list(project.parent.parent.glob("*/.fervis/apart/*/pids"))
        pids = [int(pid) for path in told for pid in path.read_text("ascii").split()]
    assert not any(map(ended, pids))
    asked = time.perf_counter()
    process.send_signal(number)
    _, told = process.communicate(timeout=20)
    assert time.perf_counter() - asked < 2
    assert process.returncode == 128 + number, told
    assert "Traceback" not in told
    while not all(map(ended, pids)) and time.perf_counter() - asked < 10:
        time.sleep(0.01)
    assert all(map(ended, pids))
