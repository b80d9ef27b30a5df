"""fervis build --isolated: the same words as a build, and limits that are told."""

from __future__ import annotations

import pytest

from fervis.cli import isolated, main
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


def test_limits_hold_though_nobody_names_them(project, monkeypatch):  # noqa: F811
    seen = []

    def built_apart(order, limits, **_):
        seen.append(limits)
        return 0

    monkeypatch.setattr(isolated, "build_apart", built_apart)
    assert run(str(project), "--isolated") == 0
    assert run(str(project), "--isolated", "--memory", "100", "--timeout", "5") == 0
    assert seen[0].clock_s == 3600
    assert seen[0].memory >= 4 << 30
    assert (seen[1].memory, seen[1].clock_s) == (100 << 20, 5)
