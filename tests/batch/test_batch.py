"""Many reports: one that fails costs the others nothing, and a second run continues."""

from __future__ import annotations

import errno
import importlib
import json
import os
import shutil
import subprocess
import time
from textwrap import indent

import pytest

from fervis import survey
from fervis.apart import Limits
from fervis.batch import each, files
from fervis.cli import main
from fervis.engine import stamp
from fervis.errors import DiskError
from tests.faults.conftest import built, edit, project  # noqa: F401 (fixtures)

batch_run = importlib.import_module("fervis.batch.run")  # whose name is its function's, too


def run(*arguments: str) -> int:
    with pytest.raises(SystemExit) as ended:
        main(["batch", *arguments, "--no-pdf", "--jobs", "2"])
    return int(ended.value.code or 0)


def log(folder) -> dict[str, dict]:
    lines = (folder / "log.jsonl").read_text("utf-8").splitlines()
    return {row["report"]: row for row in map(json.loads, lines)}


def test_one_report_for_a_folder_of_networks(project, tmp_path, capfd):  # noqa: F811
    students = project.parent / "students"
    for name in ("amy", "小明 <b>", "endless", "empty", "killed", "greedy", "hostile"):
        (students / name).mkdir(parents=True)
        if name != "empty":
            shutil.copy(project.parent / "hw3.py", students / name / "model.py")
            shutil.copy(project.parent / "best.pt", students / name / "weights.pt")
    forward = "        return self.head("
    for name, body in {
        "endless": "import time; time.sleep(1000)",
        "killed": "import os; os.kill(os.getpid(), 9)",
        "greedy": "x.new_ones(8_000_000_000)",
    }.items():
        edit(students / name / "model.py", forward, f"        {body}\n{forward}")
    mark = tmp_path / "pwned"
    (students / "hostile" / "weights.pt").write_bytes(
        b"\x80\x04cos\nsystem\n(S'touch %s'\ntR." % bytes(mark)
    )
    arguments = [str(project), "--each", "students/*", "--timeout", "30", "--memory", "6000"]
    assert run(*arguments) == 1
    out = project.parent / "batch"
    rows = log(out)
    assert {name: row["state"] for name, row in rows.items()} == {
        "students/amy": "built",
        "students/小明 <b>": "built",
        "students/endless": "failed",
        "students/empty": "failed",
        "students/killed": "failed",
        "students/greedy": "failed",
        "students/hostile": "failed",
    }
    assert "SIGKILL" in rows["students/killed"]["reason"]
    assert "memory" in rows["students/greedy"]["reason"]
    assert not mark.exists()
    assert "stopped after 30 s" in rows["students/endless"]["reason"]
    assert "no hw3.py" in rows["students/empty"]["reason"]
    assert (out / "amy" / "index.html").is_file()
    page = (out / "index.html").read_text("utf-8")
    assert "小明 &lt;b&gt;" in page
    assert "stopped after 30 s" in page
    assert survey.doubts(project, out / "amy") == []

    shutil.rmtree(students / "endless")
    assert run(*arguments) == 1
    rows = log(out)
    assert rows["students/amy"]["state"] == rows["students/小明 <b>"]["state"] == "unchanged"


CLAIM = """
for fd in range(3, 60):
    try:
        os.write(fd, b'{"published": true}\\n')
    except OSError:
        pass
time.sleep(300)"""
MADE = "site = os.path.join(os.environ['HOME'], 'site'); os.makedirs(site)\n" + (
    "open(os.path.join(site, 'index.html'), 'w').close()\n"
)
HOSTILE = {
    "words that no file can hold": "raise RuntimeError('\\x1b[31m \\ud800 half a character')",
    "a process left behind": "if os.fork() == 0:\n    os.setsid()\n    time.sleep(99)\nos._exit(0)",
    "a site that is not there": CLAIM,
    "a site with odd names": MADE + "open(os.fsencode(site) + b'/\\xff', 'w').close()" + CLAIM,
    "a bottomless site": MADE + "os.chdir(site)\nfor _ in range(1100):\n"
    "    os.mkdir('d'); os.chdir('d')" + CLAIM,
    "an answer of its own": CLAIM.replace(
        '"published": true', '"error": "\\\\ud800", "exit_code": 1'
    ),
}


def test_no_network_ends_a_batch(project, capfd):  # noqa: F811
    """Each does what would end a careless parent; the one that is good comes last."""
    students = project.parent / "students"
    for name, body in {**HOSTILE, "the good one": "pass"}.items():
        (students / name).mkdir(parents=True)
        for file in ("hw3.py", "best.pt"):
            shutil.copy(project.parent / file, students / name)
        code, forward = students / name / "hw3.py", "        return self.head("
        edit(code, forward, indent(body, " " * 8) + f"\n{forward}")
        edit(code, "from torch import nn\n", "import os, time\nfrom torch import nn\n")
    big5 = os.fsencode(students) + b"/\xa4\xa4\xa4\xe5"
    shutil.copytree(os.fsencode(students / "the good one"), big5)
    begun = time.monotonic()
    try:
        assert run(str(project), "--each", "students/*", "--timeout", "200") == 1
        assert time.monotonic() - begun < 150
        rows = log(project.parent / "batch")
    finally:  # Python cannot remove a folder that deep, and pytest would trip over it
        subprocess.run(["rm", "-rf", str(project.parent / ".fervis" / "apart")], check=True)
    assert len(rows) == len(HOSTILE) + 2
    assert [name for name, row in rows.items() if row["state"] == "built"] == [
        "students/the good one"
    ]
    assert "half a character" in rows["students/words that no file can hold"]["reason"]
    assert any("not UTF-8" in row["reason"] for row in rows.values())
    told = capfd.readouterr()
    assert "\x1b" not in told.out + told.err


@pytest.mark.parametrize("pattern", ["../*", "/*", "nobody/*", ""])
def test_a_pattern_that_finds_no_folder_below_is_refused(project, pattern, capfd):  # noqa: F811
    assert run(str(project), "--each", pattern) == 3
    assert "Traceback" not in capfd.readouterr().err


def test_a_folder_that_may_not_be_read_costs_its_report_only(project, unprivileged):  # noqa: F811
    def prepare(folder):
        for name in ("open", "shut"):
            shutil.copytree(project.parent, folder / "of" / name)
        shutil.copy(project, folder / "report.yaml")
        for file in ("hw3.py", "best.pt", "pictures.npz"):
            shutil.copy(project.parent / file, folder)
        (folder / "of" / "open").chmod(0o755)
        (folder / "of" / "shut").chmod(0)

    def check(folder):
        jobs = each(folder / "report.yaml", "of/*", folder / "batch", folder / "cache")
        assert [bool(job.problem) for job in jobs] == [False, True]

    unprivileged(prepare, check)


def test_a_summary_that_cannot_be_written_stops_no_report(project, tmp_path, monkeypatch):  # noqa: F811
    def full(*_):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(batch_run, "_write_line", full)
    jobs = files([project])
    with pytest.raises(DiskError, match="log and summary") as caught:
        batch_run.run(
            jobs, tmp_path / "out", at_once=1, limits=Limits(clock_s=60), more={"pdf": False}
        )
    assert str(tmp_path / "out") in str(caught.value)
    assert stamp.stamp_path(project.parent / ".fervis", project.parent / "site").is_file()
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(DiskError):
        batch_run.run(jobs, tmp_path / "file", at_once=1, limits=Limits())


def test_several_reports_of_which_one_is_wrong(project, tmp_path, capfd):  # noqa: F811
    shutil.copytree(project.parent, tmp_path / "other")
    edit(tmp_path / "other" / "report.yaml", "saliency", "salience")
    other = tmp_path / "other" / "report.yaml"
    assert run(str(other), str(project), "--out", str(tmp_path / "all")) == 1
    rows = log(tmp_path / "all")
    assert rows[str(project)]["state"] == "built"
    assert rows[str(other)]["exit_code"] == 2
    assert "salience" in rows[str(other)]["reason"]
