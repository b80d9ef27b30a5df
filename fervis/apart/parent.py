"""Orders a build apart, listens, ends it in time, and publishes what it made."""

from __future__ import annotations

import contextlib
import filecmp
import json
import os
import selectors
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import IO, Any, Literal

from fervis.apart.limits import CONNECTING, WRITING, Limits, environment
from fervis.cache import cache_folder
from fervis.data.faults import printable
from fervis.engine import keys, stamp
from fervis.errors import EXIT_ANALYSIS_FAILED, EXIT_DONE, EXIT_MACHINE, FervisError, MachineError
from fervis.pipeline import Outcome
from fervis.publish import MARKER, require_replaceable, staging, swap

ROOT = Path(__file__).resolve().parents[2]
_BLOCK, _LONGEST = 1 << 20, 16 << 20  # bytes read at once, of a line that is listened to
_LAST_WORDS, _WORDS = 2000, 20_000
_OFTEN_S = 0.2  # between two looks at whether a silent process is still there
_DEEPEST = 10  # folders in a site; a build makes two or three
_KEPT = {MARKER, ".gitkeep"}
_running: set[subprocess.Popen[bytes]] = set()


@dataclass(frozen=True)
class Order:
    """What to build: the arguments of ``fervis.build``."""

    file: Path
    site: Path
    cache: Path | None = None
    overrides: tuple[str, ...] = ()
    keep_going: bool = False
    precision: Literal["auto", "float32"] = "auto"
    pdf: bool = True


@dataclass(frozen=True)
class Answer:
    """What came of it: an outcome, or why there is none; what the system could not prevent."""

    outcome: Outcome | None
    reason: str = ""
    exit_code: int = EXIT_DONE
    seconds: float = 0.0
    allowed: tuple[str, ...] = ()


def build(
    order: Order,
    limits: Limits,
    advance: Callable[[str, int, int], None] = lambda *_: None,
    *,
    variables: Mapping[str, str] | None = None,
) -> Answer:
    """Builds in a process that may write below one folder of the cache, and publishes its site.

    What the process says is data: it is read as JSON, and of its site plain files only are taken.
    Raises MachineError where the site could not be replaced.
    """
    begun = time.perf_counter()
    file, site = order.file.absolute(), order.site.absolute()
    require_replaceable(site)
    scratch = cache_folder(file, order.cache) / "apart" / keys.digest(str(site.resolve()))
    scratch.mkdir(parents=True, exist_ok=True)
    keys.source_digest.cache_clear()
    source = keys.source_digest(str(file)) if file.is_file() else ""  # as it is before the build
    said = _run(order, file, scratch, limits, advance, variables or os.environ)
    seconds = time.perf_counter() - begun
    allowed: tuple[str, ...] = (WRITING, CONNECTING)
    if isinstance(said.get("allowed"), list):
        allowed = tuple(what for what in allowed if what in said["allowed"])
    if "error" in said:
        code = said.get("exit_code")
        code = code if isinstance(code, int) and 0 < code < 256 else EXIT_MACHINE
        return Answer(None, _plain(said["error"]), code, seconds, allowed)
    try:
        made = _made(scratch / "site") if said.get("published") is True else scratch / "site"
        outcome = _outcome(said, site, scratch)
        if outcome.published and not _same(made, site):
            _publish(made, site)
        if outcome.published and not outcome.failures:
            _sign(site, cache_folder(file, order.cache), source)
    except (FervisError, OSError) as error:
        return Answer(None, str(error), EXIT_MACHINE, time.perf_counter() - begun, allowed)
    code = EXIT_ANALYSIS_FAILED if outcome.failures else EXIT_DONE
    reason = "; ".join(outcome.failures)
    return Answer(outcome, reason, code, time.perf_counter() - begun, allowed)


def _sign(site: Path, cache: Path, source: str) -> None:
    """Leaves a stamp, so that `fervis publish` knows the site for what a whole build left.

    It names only the report: for an ordinary build, which trusts no stranger, it is out of date.
    """
    path = stamp.stamp_path(cache, site)
    stamp.write(path, stamp.Stamp({"report": source}, stamp.files_of(site), {}, {}))


def end_all() -> None:
    """Ends every build that runs apart now, for a process that is asked to stop."""
    for process in list(_running):
        _end(process)


def _run(
    order: Order,
    file: Path,
    scratch: Path,
    limits: Limits,
    advance: Callable[[str, int, int], None],
    variables: Mapping[str, str],
) -> dict[str, Any]:
    known = environment(variables, scratch)
    known["PYTHONPATH"] = os.pathsep.join(filter(None, [str(ROOT), known.get("PYTHONPATH")]))
    process = subprocess.Popen(
        [sys.executable, "-P", "-c", "from fervis.apart.child import main; main()"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=known,
        start_new_session=True,
    )
    assert process.stdin is not None  # noqa: S101 (asked for above)
    assert process.stdout is not None  # noqa: S101
    assert process.stderr is not None  # noqa: S101
    _running.add(process)
    late = threading.Event()
    last: list[bytes] = []
    listener = threading.Thread(target=_hear, args=(process.stderr, last), daemon=True)
    listener.start()
    clock = threading.Timer(limits.clock_s or threading.TIMEOUT_MAX, _end, (process, late))
    clock.daemon = True
    if limits.clock_s is not None:
        clock.start()
    try:
        words = {
            **asdict(order),
            "file": str(file),
            "site": "",
            "cache": "",
            "scratch": str(scratch),
            "limits": asdict(limits),
        }
        with contextlib.suppress(OSError), process.stdin:
            process.stdin.write(json.dumps(words).encode() + b"\n")
        said = _listen(process, process.stdout, advance)
    finally:
        clock.cancel()
        _end(process)
        process.wait()
        _running.discard(process)
        listener.join(1)
        process.stdout.close()
    if "published" in said or "error" in said:
        return said
    if late.is_set():
        return said | {"error": f"stopped after {limits.clock_s:g} s, its limit"}
    return said | {"error": _why_it_died(process.returncode, b"".join(last))}


def _listen(
    process: subprocess.Popen[bytes], stdout: IO[bytes], advance: Callable[[str, int, int], None]
) -> dict[str, Any]:
    """Everything the child said, later words over earlier ones, up to its answer."""
    said: dict[str, Any] = {}
    for line in _lines(process, stdout):
        try:
            words = json.loads(line)
        except (ValueError, RecursionError):
            continue
        if not isinstance(words, dict):
            continue
        if isinstance(words.get("stage"), str):
            done, total = words.get("done"), words.get("total")
            if isinstance(done, int) and isinstance(total, int):
                advance(_plain(words["stage"][:100]), done, total)
            continue
        # What it says first, before its network runs, holds.
        said = words | {name: said[name] for name in said.keys() & {"allowed"}}
        if "published" in words or "error" in words:
            break
    return said


def _lines(process: subprocess.Popen[bytes], stdout: IO[bytes]) -> Iterator[bytes]:
    """Whole lines until the child has ended, though a process that it left may hold the pipe."""
    rest, ended = b"", False
    with selectors.DefaultSelector() as ready:
        ready.register(stdout, selectors.EVENT_READ)
        while not ended:
            ended = process.poll() is not None
            while ready.select(0 if ended else _OFTEN_S):
                chunk = os.read(stdout.fileno(), _BLOCK)
                *lines, rest = (rest + chunk).split(b"\n")
                yield from lines
                if not chunk or len(rest) > _LONGEST:
                    return
                if ended:
                    break


def _hear(stderr: IO[bytes], last: list[bytes]) -> None:
    """Keeps the end of what the child complains about."""
    with contextlib.suppress(OSError, ValueError), stderr:
        while chunk := stderr.read1(65536):  # type: ignore[attr-defined]
            last[:] = [b"".join([*last, chunk])[-_LAST_WORDS:]]


def _end(process: subprocess.Popen[bytes], late: threading.Event | None = None) -> None:
    """Ends the child and what it started in its session."""
    if late is not None:
        late.set()
    with contextlib.suppress(OSError):
        os.killpg(process.pid, signal.SIGKILL)


def _why_it_died(code: int, last: bytes) -> str:
    if code == -signal.SIGXCPU:
        return "stopped: its processor time is used up"
    words = last.decode("utf-8", "replace").strip().splitlines()
    name = signal.Signals(-code).name if -code in set(signal.Signals) else f"exit code {code}"
    silent = "out of memory?" if code == -signal.SIGKILL else "without a word"
    return f"the process ended ({name}): {words[-1] if words else silent}"


def _outcome(said: Mapping[str, Any], site: Path, scratch: Path) -> Outcome:
    """The outcome as the child tells it, every value checked: its network may have spoken."""

    def texts(name: str) -> tuple[str, ...]:
        value = said.get(name)
        return tuple(_plain(each) for each in value) if isinstance(value, list) else ()

    failures = texts("failures")
    published = said.get("published") is True
    stored, chosen = said.get("stored"), said.get("chosen")
    return Outcome(
        site=site if published else stamp.draft_path(scratch / "cache", scratch / "site"),
        published=published,
        unchanged=said.get("unchanged") is True and _same(scratch / "site", site),
        computed=texts("computed"),
        stored=stored if isinstance(stored, int) else 0,
        chosen={
            _plain(pair[0]): pair[1]
            for pair in (chosen if isinstance(chosen, list) else [])
            if isinstance(pair, list) and len(pair) == 2 and isinstance(pair[1], int)
        },
        failures=failures,
        warnings=texts("warnings"),
    )


def _plain(words: object) -> str:
    """Words of a stranger's as a terminal and a file can have them: no escapes, not too many."""
    return "\n".join(printable(line) for line in str(words)[:_WORDS].splitlines())


def _plain_files(folder: Path) -> dict[str, Path]:
    """Files by relative name; links and devices are nothing that a build makes.

    Raises MachineError for other things that a build never makes, such as names that are no text.
    """
    found: dict[str, Path] = {}
    waiting = [(folder, 1)]
    while waiting:
        above, depth = waiting.pop()
        for child in _children(above):
            if printable(child.name) != child.name or depth > _DEEPEST:
                raise MachineError(f"{folder}: holds what no build makes: {printable(child.name)}")
            if child.is_dir(follow_symlinks=False):
                waiting.append((Path(child.path), depth + 1))
            elif child.is_file(follow_symlinks=False) and child.name not in _KEPT:
                found[Path(child.path).relative_to(folder).as_posix()] = Path(child.path)
    return found


def _children(folder: Path) -> list[os.DirEntry[str]]:
    try:
        with os.scandir(folder) as children:
            return list(children)
    except FileNotFoundError:
        return []


def _made(site: Path) -> Path:
    """The folder that a child says it has built. Raises MachineError if that is no site."""
    if site.is_symlink() or not (site / "index.html").is_file():
        raise MachineError(f"{site}: is no site, though the build said that it had made one")
    return site


def _same(one: Path, other: Path) -> bool:
    first, second = _plain_files(one), _plain_files(other)
    return first.keys() == second.keys() and all(
        filecmp.cmp(first[name], second[name], shallow=False) for name in first
    )


def _publish(made: Path, site: Path) -> None:
    with staging(site) as fresh:
        for name, path in _plain_files(made).items():
            (fresh / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, fresh / name, follow_symlinks=False)
        swap(fresh, site)
