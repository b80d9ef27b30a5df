"""Errors in code that a report names, told with their place in that code."""

from __future__ import annotations

import traceback
from pathlib import Path

_HERE = Path(__file__).resolve().parents[1]


def told(error: BaseException, folder: Path) -> str:
    """One line: the last line of the report's own code in the traceback, the kind, the message."""
    message = " ".join(str(error).split())
    message = f"{type(error).__name__}: {message[:600]}" if message else type(error).__name__
    if isinstance(error, SyntaxError) and error.filename:
        file = _shown(Path(error.filename), folder)
        return f"{file}:{error.lineno}: {type(error).__name__}: {error.msg}"
    frames = traceback.extract_tb(error.__traceback__)
    own = [frame for frame in frames if _is_inside(Path(frame.filename), folder)]
    if not own:
        return message
    return f"{_shown(Path(own[-1].filename), folder)}:{own[-1].lineno}: {message}"


def _is_inside(file: Path, folder: Path) -> bool:
    file = file.resolve()
    return (
        file.is_relative_to(folder)
        and "site-packages" not in file.parts
        and not file.is_relative_to(_HERE)
    )


def _shown(file: Path, folder: Path) -> Path:
    file = file.resolve()
    return file.relative_to(folder) if file.is_relative_to(folder) else file
