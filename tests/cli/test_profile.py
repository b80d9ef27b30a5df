"""Where the time of a build went."""

from __future__ import annotations

from pathlib import Path

import pytest

from fervis.cli.profile import Profile, peak
from fervis.engine.network import Facts
from tests.cli.conftest import Fervis


def test_every_stage_is_charged_once_and_adds_up(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = iter(range(100))
    monkeypatch.setattr("time.perf_counter", lambda: float(next(clock)))
    heard: list[tuple[str, int, int]] = []
    profile = Profile(lambda *said: heard.append(said))
    for said in [("check", 0, 1), ("lime", 0, 4), ("lime", 4, 4), ("lime", 0, 2), ("lime", 2, 2)]:
        profile(*said)
    checked, lime, whole = profile.lines()
    assert checked.split()[0] == "1.00"
    assert "4.00 s" in lime
    assert lime.endswith(": 6, 2 a second")
    assert whole.endswith("in all")
    assert heard[1] == ("lime", 0, 4)


def test_operations_are_those_of_convolutions_and_linear_layers() -> None:
    layers = (
        {"kind": "conv", "parameters": 10, "shape": [2, 3, 4], "name": "conv1", "aliases": []},
        {"kind": "relu", "parameters": 0, "shape": [2, 3, 4], "name": "relu1", "aliases": []},
        {"kind": "linear", "parameters": 7, "shape": [5], "name": "fc1", "aliases": []},
    )
    assert Facts(layers, 17, "logits", ()).operations == 2 * (10 * 12 + 7)


def test_a_profile_says_where_the_time_went(built: Path, tmp_path: Path, fervis: Fervis) -> None:
    said = fervis("build", built, "--out", tmp_path / "site", "--profile", "-q", "--no-pdf").stderr
    assert "Checking report.yaml" in said
    assert "in all" in said
    assert peak() > 1e8
