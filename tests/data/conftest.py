from __future__ import annotations

from pathlib import Path

import pytest

from tests.data.make import Opener


@pytest.fixture
def opener(tmp_path: Path) -> Opener:
    """Opens data sets that lie in ``opener.folder``."""
    return Opener(tmp_path)
