"""A command that needs no library must not wait for one (torch alone takes seconds)."""

from __future__ import annotations

import pkgutil
import subprocess
import sys

import pytest

import fervis

HEAVY = ("torch", "skimage", "lime", "matplotlib", "seaborn", "scipy", "pandas", "sklearn",
         "weasyprint")  # fmt: skip
NEEDS_TORCH = ("fervis.model.",)  # networks are written in it


def modules() -> list[str]:
    found = pkgutil.walk_packages(fervis.__path__, "fervis.")
    return [
        info.name
        for info in found
        if not info.name.startswith(NEEDS_TORCH) and not info.name.endswith(".__main__")
    ]


def heavy_after(imports: list[str], heavy: tuple[str, ...] = HEAVY) -> list[str]:
    code = "import sys\n" + "".join(f"import {name}\n" for name in imports)
    code += f"print(*sorted(set({heavy!r}) & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout.split()


def test_no_module_outside_the_networks_imports_anything_heavy() -> None:
    names = modules()
    assert {"fervis.cli", "fervis.spec", "fervis.data", "fervis.analyses"} <= set(names)
    assert heavy_after(names) == []


@pytest.mark.parametrize("name", ["options", "fingerprint"])
def test_what_is_asked_before_the_network_runs_needs_no_torch(name: str) -> None:
    assert heavy_after([f"fervis.model.{name}"]) == []


def test_a_press_is_ready_for_its_first_page_without_the_rest_of_fervis() -> None:
    assert heavy_after(["fervis.render.press"], (*HEAVY, "numpy", "pydantic", "jinja2")) == []
