"""One site of the sample document for all tests of this folder."""

from __future__ import annotations

from pathlib import Path

import pytest

from fervis.render import render, template_folders
from tests.render.sample import sample


@pytest.fixture(scope="session")
def fonts(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A cache of cut fonts that tests may share."""
    return tmp_path_factory.mktemp("cache")


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory, fonts: Path) -> Path:
    """The sample as a site with its PDFs."""
    folder = tmp_path_factory.mktemp("site")
    render(sample(), folder, templates=template_folders(), cache=fonts)
    return folder
