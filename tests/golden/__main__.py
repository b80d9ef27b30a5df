"""Writes the golden sites anew: python -m tests.golden, then look at the difference.

With --compute the default report is built first and its results are stored anew, too.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from fervis import pipeline
from fervis.cache import cache_folder
from tests.golden import default, small


def main() -> None:
    """Both sites; --compute where an analysis gives other numbers or report.yaml asks others."""
    with tempfile.TemporaryDirectory() as scratch:
        if "--compute" in sys.argv[1:]:
            cache = cache_folder(default.REPORT)
            pipeline.build(default.REPORT, out=Path(scratch, "computed"), cache=cache, pdf=False)
            default.keep(cache)
        site = default.build(Path(scratch), pdf=True)
        pages = {name: text.encode() for name, text in default.written(site).items()}
    for folder, fresh in ((small.EXPECTED, small.written()), (default.EXPECTED, pages)):
        folder.mkdir(exist_ok=True)
        for old in folder.iterdir():
            if old.name not in fresh:
                old.unlink()
        for name, content in fresh.items():
            (folder / name).write_bytes(content)


if __name__ == "__main__":
    main()
