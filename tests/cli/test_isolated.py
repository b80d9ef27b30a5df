"""fervis build --isolated: the same words as a build, and limits that are told."""

from __future__ import annotations

import pytest

from fervis.cli import main
from tests.faults.conftest import built, edit, project  # noqa: F401 (fixtures)


def run(*arguments: str) -> int:
    with pytest.raises(SystemExit) as ended:
        main(["build", *arguments])
    return int(ended.value.code or 0)


def test_an_isolated_build_tells_what_it_did_and_ends_in_time(project, capfd):  # noqa: F811
    edit(project, "  1: 14", "  1: 15")
    assert run(str(project), "--isolated", "--no-pdf", "--memory", "8000") == 0
    assert "computed" in capfd.readouterr().out
    edit(project, "saliency", "salience")
    assert run(str(project), "--isolated", "--no-pdf") == 2
    assert "salience" in capfd.readouterr().err


def test_limits_need_isolation(project, capfd):  # noqa: F811
    assert run(str(project), "--timeout", "5") == 2
    assert "--isolated" in capfd.readouterr().err
