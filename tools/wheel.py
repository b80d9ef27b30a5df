"""Puts into a wheel what lies beside the package in a checkout: templates, the default report.

An editable installation finds them where they are, and so sees every change to them.
"""

from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

INSIDE = {"templates": "fervis/_templates", "report.yaml": "fervis/_project/report.yaml"}


class Beside(BuildHookInterface):
    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        if version == "editable":
            return
        for beside, inside in INSIDE.items():
            if (Path(self.root) / beside).exists():
                build_data["force_include"][beside] = inside
