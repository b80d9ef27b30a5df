"""`fervis publish` shows what it will do, and sends out no picture that may not be."""

from __future__ import annotations

import io
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image

from fervis import pages
from fervis.errors import MachineError
from tests.cli.conftest import Fervis


def git(folder: Path, *arguments: str) -> str:
    done = subprocess.run(["git", "-C", str(folder), *arguments], capture_output=True, check=True)
    return done.stdout.decode("utf-8", "replace").strip()


def picture(shade: int) -> bytes:
    stream = io.BytesIO()
    Image.new("L", (6, 4), shade).save(stream, "PNG")
    return stream.getvalue()


@pytest.fixture
def repository(fresh: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project in a repository with a remote, and a site that a build might have left."""
    for name in ("NAME", "EMAIL"):
        for who in ("AUTHOR", "COMMITTER"):
            monkeypatch.setenv(f"GIT_{who}_{name}", "somebody@example.org")
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", "/dev/null")
    folder = tmp_path / "project"
    shutil.copytree(fresh.parent, folder)
    git(tmp_path, "init", "--bare", "--quiet", str(tmp_path / "remote.git"))
    git(folder, "init", "--quiet", "--initial-branch=main")
    git(folder, "remote", "add", "origin", str(tmp_path / "remote.git"))
    git(folder, "commit", "--quiet", "--allow-empty", "--message=Begin")
    content = {
        ".fervis-site": b"marker",
        "index.html": b"<img src='figures/picture-0.png'>",
        "figures/picture-0.png": picture(30),
        "gallery/1-2.html": b"<img src='0.png'><img src=\"data:image/png;base64,QUJD\">",
        "gallery/0.png": picture(200),
        "zh-Hant/gallery/numbers.npz": b"pixels",
    }
    for name, data in content.items():
        (folder / "site" / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / "site" / name).write_bytes(data)
    return folder


def on_branch(folder: Path, name: str, branch: str = "gh-pages") -> bytes:
    done = subprocess.run(["git", "-C", str(folder), "show", f"{branch}:{name}"],
                          capture_output=True, check=True)  # fmt: skip
    return done.stdout


def test_galleries_of_data_that_is_not_free_go_out_gray(fervis: Fervis, repository: Path) -> None:
    result = fervis("publish", repository / "report.yaml", "--yes")
    assert "gh-pages" in result.output
    assert str(repository.parent / "remote.git") in result.output
    assert "pixels of 1 pictures" in result.output
    remote = repository.parent / "remote.git"
    names = git(remote, "ls-tree", "-r", "--name-only", "gh-pages").splitlines()
    assert sorted(names) == [".nojekyll", "figures/picture-0.png", "gallery/0.png",
                             "gallery/1-2.html", "index.html"]  # fmt: skip
    assert on_branch(remote, "figures/picture-0.png") == picture(30)
    with Image.open(io.BytesIO(on_branch(remote, "gallery/0.png"))) as gray:
        assert gray.size == (6, 4)
        assert gray.getextrema() == (128, 128)
    assert b"QUJD" not in on_branch(remote, "gallery/1-2.html")
    assert (repository / "site" / "gallery" / "0.png").read_bytes() == picture(200)


def test_all_pictures_go_when_told_so(fervis: Fervis, repository: Path) -> None:
    fervis("publish", repository / "report.yaml", "--yes", "--all-pictures", "--no-push")
    assert on_branch(repository, "gallery/0.png") == picture(200)
    assert on_branch(repository, "zh-Hant/gallery/numbers.npz") == b"pixels"
    assert git(repository.parent / "remote.git", "branch", "--list") == ""


def test_nothing_is_done_unasked(fervis: Fervis, repository: Path) -> None:
    result = fervis("publish", repository / "report.yaml", code=2)
    assert "5 files" in result.output or "in all 4 files" in result.output
    assert "--yes" in result.output
    assert git(repository, "branch", "--list", "gh-pages") == ""


def test_no_is_an_answer(fervis: Fervis, repository: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("fervis.cli.publish.sys", type("sys", (), {"stdin": _Terminal()}))
    monkeypatch.setattr("click.confirm", lambda _: False)
    assert "nothing was published" in fervis("publish", repository / "report.yaml").output
    assert git(repository, "branch", "--list", "gh-pages") == ""


class _Terminal:
    def isatty(self) -> bool:
        return True


def test_history_is_kept_and_what_is_gone_is_gone(fervis: Fervis, repository: Path) -> None:
    fervis("publish", repository / "report.yaml", "--yes")
    (repository / "site" / "figures" / "picture-0.png").unlink()
    result = fervis("publish", repository / "report.yaml", "--yes")
    assert "replace the 5 files" in result.output
    remote = repository.parent / "remote.git"
    assert git(remote, "rev-list", "--count", "gh-pages") == "2"
    assert "figures" not in git(remote, "ls-tree", "--name-only", "gh-pages")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--branch", "main"], "your work"),
        (["--remote", "elsewhere"], "has no remote"),
        (["--branch", "--upload-pack=x"], "no name for a branch"),
        (["--out", "nowhere"], "no site yet"),
    ],
)
def test_what_cannot_be_is_said_before_anything_happens(
    fervis: Fervis, repository: Path, arguments: list[str], words: str
) -> None:
    result = fervis("publish", repository / "report.yaml", "--yes", *arguments, code=3)
    assert words in result.output


def test_a_rejected_push_is_an_error(fervis: Fervis, repository: Path) -> None:
    hook = repository.parent / "remote.git" / "hooks" / "pre-receive"
    hook.write_text("#!/bin/sh\nexit 1\n", "utf-8")
    hook.chmod(0o755)
    result = fervis("publish", repository / "report.yaml", "--yes", code=3)
    assert "did not take it" in result.output


def test_links_in_a_site_are_refused(repository: Path) -> None:
    (repository / "site" / "key").symlink_to("/etc/hostname")
    with pytest.raises(MachineError, match="no plain file"):
        pages.plan(repository / "site", branch="gh-pages", remote="origin", galleries=True)


def test_free_data_and_a_whole_build_need_no_words(fervis: Fervis, project: Path) -> None:
    from fervis import pipeline, survey

    assert pipeline.build(project).published
    assert survey.doubts(project, project.parent / "site") == []
    project.write_text(project.read_text("utf-8") + "# changed\n", "utf-8")
    assert "changed" in survey.doubts(project, project.parent / "site")[0]
    project.write_text("version: 1\ntitle: x\ndata: {kind: faces}\nmodel: {kind: default}\n"
                       "questions: [{title: x}]\n", "utf-8")  # fmt: skip
    assert survey.may_be_published(project) == (True, "")
    assert survey.doubts(project, project.parent) != []


def test_the_author_says_whether_the_data_may_be_passed_on(
    fervis: Fervis, repository: Path, edit: Callable[[Path, str, str], None]
) -> None:
    report = repository / "report.yaml"
    assert "`redistributable: true`" in fervis("publish", report, "--yes", "--no-push").output
    edit(report, "  kind: npz\n", "  kind: npz\n  redistributable: true\n")
    said = fervis("publish", report, "--yes", "--no-push").output
    assert "left out" not in said
    assert on_branch(repository, "gallery/0.png") == picture(200)
    edit(report, "redistributable: true", "redistributable: false")
    said = fervis("publish", report, "--yes", "--no-push").output
    assert "report.yaml says that this data is not redistributable" in said
    assert on_branch(repository, "gallery/0.png") != picture(200)
    edit(report, "redistributable: false", "redistributable: perhaps")
    assert "redistributable" in fervis("publish", report, "--yes", code=2).output


def test_faces_can_be_kept_back(tmp_path: Path) -> None:
    from fervis import survey

    head = "version: 1\ntitle: x\nmodel: {kind: default}\nquestions: [{title: x}]\n"
    (tmp_path / "report.yaml").write_text(head + "data: {kind: faces, redistributable: false}\n")
    free, why = survey.may_be_published(tmp_path / "report.yaml")
    assert not free
    assert "CC0" not in why


def test_a_site_that_was_built_apart_is_known_for_a_whole_one(small: Path) -> None:
    from fervis import apart, pipeline, survey

    site = small.parent / "site"
    answer = apart.build(apart.Order(small, site, pdf=False), apart.Limits())
    assert answer.outcome is not None, answer.reason
    assert survey.doubts(small, site) == []
    assert not pipeline.build(small, pdf=False).unchanged, "its word is not taken for a build here"
    apart.build(apart.Order(small, site, pdf=False), apart.Limits())  # unchanged there
    assert survey.doubts(small, site) == []
    (site / "index.html").write_text("other", "utf-8")
    assert survey.doubts(small, site) != []


@pytest.mark.parametrize(
    ("url", "address"),
    [
        ("git@github.com:Ann/explain.git", "https://ann.github.io/explain/"),
        ("https://github.com/ann/ann.github.io", "https://ann.github.io/"),
        ("/srv/explain.git", ""),
    ],
)
def test_the_address_is_named_where_it_is_known(url: str, address: str) -> None:
    plan = pages.Plan(Path(), Path(), "gh-pages", "origin", url, (), (), (), 0)
    assert plan.address == address
