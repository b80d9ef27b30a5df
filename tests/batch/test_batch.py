"""Many reports: one that fails costs the others nothing, and a second run continues."""

from __future__ import annotations

import json
import shutil

import pytest

from fervis import survey
from fervis.cli import main
from tests.faults.conftest import built, edit, project  # noqa: F401 (fixtures)


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


def test_several_reports_of_which_one_is_wrong(project, tmp_path, capfd):  # noqa: F811
    shutil.copytree(project.parent, tmp_path / "other")
    edit(tmp_path / "other" / "report.yaml", "saliency", "salience")
    other = tmp_path / "other" / "report.yaml"
    assert run(str(other), str(project), "--out", str(tmp_path / "all")) == 1
    rows = log(tmp_path / "all")
    assert rows[str(project)]["state"] == "built"
    assert rows[str(other)]["exit_code"] == 2
    assert "salience" in rows[str(other)]["reason"]
