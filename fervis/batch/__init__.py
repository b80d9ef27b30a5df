"""Many reports side by side, each apart: one that fails costs the others nothing."""

from __future__ import annotations

from fervis.batch.jobs import Job, each, files
from fervis.batch.run import Done, run

__all__ = ["Done", "Job", "each", "files", "run"]
