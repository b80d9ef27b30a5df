"""What can go wrong, with a place and a way out; only the command line turns it into text."""

from __future__ import annotations

import errno
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

EXIT_DONE, EXIT_ANALYSIS_FAILED, EXIT_FILE_WRONG, EXIT_MACHINE = 0, 1, 2, 3


@dataclass(frozen=True)
class Complaint:
    """One thing that is wrong. ``line`` and ``column`` count from 1; 0 means the whole file."""

    message: str
    file: str = ""
    line: int = 0
    column: int = 0
    path: str = ""

    def __str__(self) -> str:
        place = f"{self.file}:{self.line}:{self.column}" if self.line else self.file
        return ": ".join(part for part in (place, self.path, self.message) if part)


class FervisError(Exception):
    """Base of all errors that fervis raises on purpose; the message says what to do."""

    exit_code = EXIT_MACHINE


class ReportError(FervisError):
    """The report file, or what it names, is wrong. Carries every complaint at once."""

    exit_code = EXIT_FILE_WRONG

    def __init__(self, complaints: Sequence[Complaint]) -> None:
        self.complaints = tuple(complaints)
        super().__init__("\n".join(map(str, self.complaints)))


class DataError(FervisError):
    """A data set cannot be read; the message lists the first places and the total."""

    exit_code = EXIT_FILE_WRONG


class ModelError(FervisError):
    """A network cannot be built, loaded or run."""

    exit_code = EXIT_FILE_WRONG


class LayerError(ModelError):
    """The network has no such layer, or the layer is not fit for the analysis."""


class AnalysisError(FervisError):
    """An analysis cannot give a result for this subject; its block in the report says why."""

    exit_code = EXIT_ANALYSIS_FAILED


class MachineError(FervisError):
    """The machine lacks something: a library, a tool, space, a permission."""


class DiskError(MachineError):
    """A folder cannot be read or written: full, read-only, not ours. No build goes on then."""

    @classmethod
    def of(cls, error: OSError, folder: Path, needed: str) -> DiskError:
        """What the system said about a path in ``folder``, and what it was ``needed`` for."""
        way_out = (
            "free some space or name a folder on another disk"
            if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
            else "give yourself write access or name another folder"
        )
        place = error.filename or folder
        if isinstance(place, bytes):
            place = os.fsdecode(place)
        return cls(f"{place}: {error.strerror or error}; {needed}: {way_out}")


OF_THE_DISK = frozenset(
    {errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EACCES, errno.EPERM, errno.EROFS, errno.EIO}
)
"""Numbers of the system's errors that say something about a disk or its rights."""
