"""Ctrl-C, SIGTERM and a closed terminal end a build within two seconds, children too."""

from __future__ import annotations

import os
import signal
import time

import pytest

from tests.faults.conftest import edit, files

SLOW = "time.sleep(60)"
DEAF = "[torch.ones(9_000_000).sort() for _ in range(500)]"  # never long in Python itself
STUBBORN = (
    "\n        while True:\n            try:\n                time.sleep(1)\n"
    "            except BaseException:\n                pass"
)


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
