"""Publishing: a finished folder takes the place of ``site/`` in one step."""

from __future__ import annotations

import contextlib
import ctypes
import errno
import os
import secrets
import shutil
import stat
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

from fervis.errors import DiskError, MachineError

MARKER = ".fervis-site"
_MARKER_TEXT = "fervis writes this folder; its next build replaces everything in it.\n"
_KEPT = ".gitkeep"  # lets git keep the empty folder
_AT_A_TIME = 16
_AT_FDCWD, _RENAME_EXCHANGE = -100, 2  # linux/fcntl.h, linux/fs.h
_CANNOT_EXCHANGE = (errno.ENOSYS, errno.EINVAL, errno.ENOTSUP)

if TYPE_CHECKING:
    from filelock import FileLock

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None  # type: ignore[assignment]


@contextlib.contextmanager
def staging(site: Path) -> Iterator[Path]:
    """An empty folder beside ``site`` to build in; it is gone afterwards, published or not.

    Repairs first what a killed build left. Raises MachineError if ``site`` could not be replaced
    later on, so that nobody waits for a build that cannot be published.
    """
    site = _real(site)
    require_replaceable(site)
    try:
        repair(site)
        folder, lock = _new_folder(site)
    except OSError as error:
        raise _refused(site, error) from error
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        _unlock(lock)


def swap(new: Path, site: Path) -> None:
    """Puts ``new``, a folder on the same disk, in the place of ``site`` and removes the old one.

    Whoever looks sees the old site or the new one, whole (Linux; elsewhere there is a moment
    without a site, and repair() undoes a swap that was cut there). Raises MachineError.
    """
    site = _real(site)
    require_replaceable(site)
    try:
        if (site / _KEPT).is_file() and not (new / _KEPT).exists():
            shutil.copyfile(site / _KEPT, new / _KEPT)
        (new / MARKER).write_text(_MARKER_TEXT, encoding="utf-8")
        _flush(new)
        site.parent.mkdir(parents=True, exist_ok=True)
        if not _exchange(new, site):
            _rename_aside(new, site)
    except OSError as error:
        raise _refused(site, error) from error
    shutil.rmtree(new, ignore_errors=True)  # by now the old site


def repair(site: Path) -> None:
    """Puts back a site whose swap was cut in the middle; removes folders of dead builds."""
    site = _real(site)
    if any(_beside(site, "old")):
        with _swap_lock(site):
            olds = sorted(_beside(site, "old"), key=lambda folder: folder.stat().st_mtime)
            if olds and not site.exists():
                olds.pop().rename(site)
            for old in olds:
                shutil.rmtree(old, ignore_errors=True)
    for folder in _beside(site, "new"):
        with contextlib.suppress(OSError):
            lock = _lock(folder, wait=False)
            if lock is not None:
                shutil.rmtree(folder, ignore_errors=True)
                _unlock(lock)


def require_replaceable(site: Path) -> None:
    """Raises MachineError if ``site`` holds what fervis did not write, or cannot be replaced."""
    parent = next(folder for folder in site.absolute().parents if folder.exists())
    if not os.access(parent, os.W_OK):
        raise _refused(site, PermissionError(errno.EACCES, os.strerror(errno.EACCES)))
    # Another build may be swapping, and there is no site for a moment: what is asked twice may be
    # answered by two sites.
    try:
        kind = site.stat().st_mode
    except (FileNotFoundError, NotADirectoryError):
        return
    if not stat.S_ISDIR(kind):
        raise MachineError(f"{site}: is a file; name a folder for the site")
    foreign = _foreign(site) and _foreign(site)
    if foreign:
        raise MachineError(
            f"{site}: holds files that fervis did not write ({', '.join(foreign[:3])}), and a "
            "build replaces the whole folder; name an empty or new folder"
        )
    if not os.access(site, os.W_OK) and site.exists() and not os.access(site, os.W_OK):
        raise _refused(site, PermissionError(errno.EACCES, os.strerror(errno.EACCES)))
    if os.path.ismount(site):  # Path.is_mount() fails where the site goes meanwhile
        raise MachineError(f"{site}: is a mount point and cannot be replaced; name a folder in it")


def _foreign(site: Path) -> list[str]:
    """Names in ``site`` that a build must not remove; a repository in it is one in any case."""
    try:
        names = {item.name for item in site.iterdir()}
    except FileNotFoundError:
        return []
    except OSError as error:
        raise _refused(site, error) from error
    return sorted(names & {".git"} if MARKER in names else names - {_KEPT})


def _exchange(new: Path, site: Path) -> bool:
    """Exchanges the two folders, or moves ``new`` if there is no site; False if not supported."""
    try:
        renameat2 = ctypes.CDLL(None, use_errno=True).renameat2
    except (AttributeError, OSError, TypeError):  # not Linux, or a C library without it
        return False
    if not site.exists():
        try:
            new.rename(site)
        except OSError as error:
            if error.errno not in (errno.ENOTEMPTY, errno.EEXIST):
                raise
        else:
            return True  # otherwise another build was first and now there is a site
    renameat2.argtypes = [
        ctypes.c_int, ctypes.c_char_p, ctypes.c_int, ctypes.c_char_p, ctypes.c_uint,
    ]  # fmt: skip
    names = os.fsencode(new), os.fsencode(site)
    if renameat2(_AT_FDCWD, names[0], _AT_FDCWD, names[1], _RENAME_EXCHANGE) == 0:
        return True
    code = ctypes.get_errno()
    if code in _CANNOT_EXCHANGE:
        return False
    raise OSError(code, os.strerror(code), str(site))


def _rename_aside(new: Path, site: Path) -> None:
    """Two renames; a kill between them leaves no site but an old one that repair() finds."""
    with _swap_lock(site):
        if not site.exists():
            new.rename(site)
            return
        old = _name_beside(site, "old")
        site.rename(old)
        try:
            new.rename(site)
        except BaseException:
            old.rename(site)
            raise
        shutil.rmtree(old, ignore_errors=True)


def _new_folder(site: Path) -> tuple[Path, int]:
    """A new folder beside ``site``, locked as long as this process lives."""
    site.parent.mkdir(parents=True, exist_ok=True)
    while True:
        folder = _name_beside(site, "new")
        folder.mkdir()
        with contextlib.suppress(FileNotFoundError):
            lock = _lock(folder, wait=True)
            if lock is not None and folder.exists():
                return folder, lock
            _unlock(lock)  # a repair elsewhere was faster and took it for a dead one


def _lock(folder: Path, *, wait: bool) -> int | None:
    """A lock that the system drops when this process dies; None if another process holds it.

    Without such locks (Windows) every folder counts as held; it is removed by its own build.
    """
    if fcntl is None:
        return -1 if wait else None
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
    except BlockingIOError:
        os.close(descriptor)
        return None
    except BaseException:
        os.close(descriptor)
        raise
    return descriptor


def _unlock(lock: int | None) -> None:
    if lock is not None and lock >= 0:
        os.close(lock)


def _swap_lock(site: Path) -> FileLock:
    """Only one process at a time renames aside or repairs."""
    from filelock import FileLock

    return FileLock(site.parent / f".{site.name}.lock")


def _beside(site: Path, kind: str) -> list[Path]:
    prefix = f".{site.name}.{kind}-"
    with contextlib.suppress(OSError):
        return [item for item in site.parent.iterdir() if item.name.startswith(prefix)]
    return []


def _name_beside(site: Path, kind: str) -> Path:
    return site.with_name(f".{site.name}.{kind}-{secrets.token_hex(4)}")


def _flush(folder: Path) -> None:
    """To the disk before the name: a power cut must not publish empty files.

    Files that are links to the old site's are there already.
    """
    with ThreadPoolExecutor(_AT_A_TIME) as pool:  # a disk is asked once for what it can do at once
        for _ in pool.map(_synced, _files_of_its_own(folder)):
            pass


def _files_of_its_own(folder: Path) -> Iterator[str]:
    waiting = [str(folder)]
    while waiting:  # no Path for each: there are hundreds, and a few of them are new
        with os.scandir(waiting.pop()) as entries:
            for entry in entries:
                if entry.is_dir(follow_symlinks=False):
                    waiting.append(entry.path)
                elif entry.stat(follow_symlinks=False).st_nlink == 1:
                    yield entry.path


def _synced(file: str) -> None:
    descriptor = os.open(file, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _real(site: Path) -> Path:
    """A link named site/ stays; what it points to is replaced."""
    return Path(os.path.realpath(site))


def _refused(site: Path, error: OSError) -> DiskError:
    what = f"{site}: cannot replace the site"
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return DiskError(f"{what}: the disk is full ({error.filename or site.parent}); "
                         "free some space or name a folder on another disk")  # fmt: skip
    if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
        return DiskError(
            f"{what}: {os.strerror(error.errno)}; it and its parent {site.parent} must be "
            "writable, for the new site is built beside the old one"
        )
    return DiskError(f"{what}: {error}; name another folder")
