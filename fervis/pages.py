"""A finished site goes to a branch of its repository, from which GitHub Pages serves it."""

from __future__ import annotations

import contextlib
import io
import os
import re
import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

from ghp_import import GhpError, ghp_import
from PIL import Image

from fervis.errors import MachineError
from fervis.publish import MARKER

GALLERY = "gallery"
"""The folder of a site, at any depth, whose pictures are the data set's and not the report's."""

_SKIPPED = {MARKER, ".gitkeep"}
_PICTURES = {".png", ".jpg", ".jpeg", ".gif", ".webp"}
_PAGES = {".html", ".css", ".js"}
_PROTECTED = ("main", "master", "trunk", "develop")
_INLINE = re.compile(rb"data:image/[^\"')\s>]+")
_NOTHING = b"data:image/gif;base64,R0lGODlhAQABAIAAAICAgAAAACwAAAAAAQABAAACAkQBADs="  # gray, 1×1


@dataclass(frozen=True)
class Plan:
    """What publishing would do; nothing has been done yet."""

    site: Path
    repository: Path
    branch: str
    remote: str
    url: str
    files: tuple[tuple[str, int], ...]  # name in the site, bytes as they would go out
    blanked: tuple[str, ...]  # pictures that go out as gray areas
    omitted: tuple[str, ...]  # other files of galleries, which stay here
    replaces: int  # files that the branch has now

    @property
    def size(self) -> int:
        """Bytes in all."""
        return sum(size for _, size in self.files)

    @property
    def address(self) -> str:
        """Where GitHub shows it; "" for other hosts."""
        found = re.search(r"github\.com[:/]([^/]+)/(.+?)(?:\.git)?/?$", self.url)
        if not found:
            return ""
        owner, name = found[1].lower(), found[2]
        return f"https://{owner}.github.io/" + ("" if name == f"{owner}.github.io" else f"{name}/")

    def folders(self) -> list[tuple[str, int, int]]:
        """(top folder or file, number of files, bytes), for people to look over."""
        found: dict[str, tuple[int, int]] = {}
        for name, size in self.files:
            top, below, _ = name.partition("/")
            count, total = found.get(top + below, (0, 0))
            found[top + below] = (count + 1, total + size)
        return [(name, *numbers) for name, numbers in sorted(found.items())]


def plan(site: Path, *, branch: str, remote: str, galleries: bool) -> Plan:
    """Looks at site and repository. ``galleries``: whether the data set's pictures go along.

    Raises MachineError where there is no site, no repository, no such remote, or where the branch
    holds a project's work.
    """
    if not (site / "index.html").is_file():
        raise MachineError(f"{site}: there is no site yet; `fervis build` makes it")
    folder = site.parent
    root = _git(folder, "rev-parse", "--show-toplevel")
    if root is None:
        raise MachineError(
            f"{folder}: is in no git repository; `git init` there, and `git remote add origin …`"
        )
    url = _git(folder, "remote", "get-url", remote)
    if url is None:
        known = ", ".join((_git(folder, "remote") or "").split()) or "none"
        raise MachineError(f"{root}: has no remote {remote!r} (it has {known}); `git remote add`")
    _refuse_work(folder, branch)
    files, blanked, omitted = [], [], []
    for name, path in _files_of(site):
        content = _outgoing(name, path, galleries)
        if content is None:
            omitted.append(name)
            continue
        files.append((name, len(content)))
        if content != path.read_bytes() and path.suffix not in _PAGES:
            blanked.append(name)
    return Plan(
        site,
        Path(root),
        branch,
        remote,
        url,
        tuple(files),
        tuple(blanked),
        tuple(omitted),
        _files_on(folder, remote, branch),
    )


def publish(wanted: Plan, *, galleries: bool, push: bool = True) -> str:
    """Commits the site to the branch, pushes it unless told otherwise, returns the commit.

    The branch's history is kept. Raises MachineError where git refuses.
    """
    folder = wanted.site.parent
    if push:  # so that the commit follows what others pushed; fails where there is no branch yet
        where = f"+refs/heads/{wanted.branch}:refs/remotes/{wanted.remote}/{wanted.branch}"
        _git(folder, "fetch", "--quiet", wanted.remote, where)
    before = _git(folder, "rev-parse", "--verify", "--quiet", f"refs/heads/{wanted.branch}")
    with tempfile.TemporaryDirectory(prefix="fervis-") as scratch, contextlib.chdir(folder):
        for name, path in _files_of(wanted.site):
            content = _outgoing(name, path, galleries)
            if content is not None:
                target = Path(scratch, name)
                target.parent.mkdir(parents=True, exist_ok=True)
                target.write_bytes(content)
        try:
            ghp_import(
                scratch,
                remote=wanted.remote,
                branch=wanted.branch,
                mesg="Publish the report",
                nojekyll=True,
                push=push,
            )
        except (GhpError, subprocess.CalledProcessError, TypeError, OSError) as error:
            what = getattr(error, "message", error)
            raise MachineError(
                f"git did not take it ({what}); the site here is untouched, see the lines above"
            ) from error
    after = _git(folder, "rev-parse", "--verify", "--quiet", f"refs/heads/{wanted.branch}")
    if after is None or after == before:
        raise MachineError("git made no commit; see the lines above")
    return after


def _outgoing(name: str, path: Path, galleries: bool) -> bytes | None:
    """A file's bytes as they go out: a gallery's picture as a gray area of its size."""
    content = path.read_bytes()
    if galleries or GALLERY not in Path(name).parts[:-1]:
        return content
    if path.suffix.lower() in _PICTURES:
        with Image.open(io.BytesIO(content)) as picture:
            blank = io.BytesIO()
            Image.new("L", picture.size, 128).save(blank, picture.format or "PNG")
        return blank.getvalue()
    return _INLINE.sub(_NOTHING, content) if path.suffix.lower() in _PAGES else None


def _files_of(site: Path) -> list[tuple[str, Path]]:
    found = []
    for above, folders, names in os.walk(site):
        for name in (*folders, *names):
            path = Path(above, name)
            inside = path.relative_to(site).as_posix()
            if path.is_symlink() or not (path.is_file() or path.is_dir()):
                raise MachineError(f"{path}: is no plain file; a site has only such. Build again")
            if path.is_file() and inside not in _SKIPPED:
                if not inside.isprintable() or inside.startswith('"'):
                    raise MachineError(f"{path!r}: git would not take this name; rename it")
                found.append((inside, path))
    return sorted(found)


def _refuse_work(folder: Path, branch: str) -> None:
    """The whole branch is replaced, so it must not be one that somebody works on."""
    current = _git(folder, "symbolic-ref", "--quiet", "--short", "HEAD")
    if branch == current or branch in _PROTECTED:
        raise MachineError(
            f"the branch {branch} holds your work, and everything on the branch would be replaced; "
            "name another one with --branch"
        )
    if _git(folder, "check-ref-format", "--branch", branch) is None:
        raise MachineError(f"{branch!r} is no name for a branch")


def _files_on(folder: Path, remote: str, branch: str) -> int:
    for reference in (f"refs/remotes/{remote}/{branch}", f"refs/heads/{branch}"):
        listed = _git(folder, "ls-tree", "-r", "--full-tree", "--name-only", reference)
        if listed is not None:
            return len(listed.splitlines())
    return 0


def _git(folder: Path, *arguments: str) -> str | None:
    """What git prints; None where it fails."""
    git = shutil.which("git")
    if git is None:
        raise MachineError("git is not installed, and publishing needs it")
    done = subprocess.run(  # noqa: S603 (no shell; branch and remote are single arguments)
        [git, "-C", str(folder), *arguments], capture_output=True, text=True, check=False
    )
    return done.stdout.strip() if done.returncode == 0 else None
