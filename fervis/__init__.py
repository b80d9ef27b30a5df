"""fervis: show what an image classifier looks at. One report.yaml becomes a site and a PDF."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from fervis.pipeline import Outcome, build

__version__ = "0.1.0"
__all__ = ["Outcome", "__version__", "build"]


def __getattr__(name: str) -> Any:
    # Late: the command line wants to answer --help without loading every room.
    if name in ("build", "Outcome"):
        from fervis import pipeline

        return getattr(pipeline, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
