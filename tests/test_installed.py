"""Versions read from the head of a package's metadata are those that the standard library finds."""

from __future__ import annotations

import importlib.metadata

import pytest

from fervis.installed import version


def test_every_installed_package_has_the_version_that_the_standard_library_finds() -> None:
    names = {found.metadata["Name"] for found in importlib.metadata.distributions()}
    assert len(names) > 50
    assert {name: version(name) for name in names} == {
        name: importlib.metadata.version(name) for name in names
    }


def test_what_is_not_installed_is_said() -> None:
    with pytest.raises(importlib.metadata.PackageNotFoundError):
        version("no-such-package-anywhere")
