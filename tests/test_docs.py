from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from fervis.analyses import REGISTRY

ROOT = Path(__file__).resolve().parents[1]
DOCS = [path.relative_to(ROOT).as_posix() for path in (ROOT / "docs").rglob("*.md")]
PAGES = ["README.md", "CONTRIBUTING.md", *sorted(DOCS)]


def test_the_documentation_is_what_the_code_says() -> None:
    done = subprocess.run([sys.executable, str(ROOT / "tools" / "docs.py"), "--check"],
                          capture_output=True, text=True, cwd=ROOT)  # fmt: skip
    assert done.returncode == 0, done.stderr


def test_every_analysis_is_in_the_readme_and_in_the_pages() -> None:
    for page in ("README.md", "docs/README.md", "docs/report-yaml.md"):
        text = (ROOT / page).read_text("utf-8")
        assert all(f"{name}" in text for name in REGISTRY), page


@pytest.mark.parametrize("name", REGISTRY)
def test_every_analysis_has_a_page_with_words_by_hand(name: str) -> None:
    text = (ROOT / "docs" / "analyses" / f"{name}.md").read_text("utf-8")
    generated, _, by_hand = text.partition("keeps it. -->")
    assert REGISTRY[name].LIMITS.msgid in generated
    assert len(by_hand) > 200


@pytest.mark.parametrize("page", PAGES)
def test_links_inside_the_project_lead_somewhere(page: str) -> None:
    text = (ROOT / page).read_text("utf-8")
    targets = re.findall(r"\]\((?!https?:)([^)#\s]+)[^)]*\)", text)
    missing = [each for each in targets if not ((ROOT / page).parent / each).exists()]
    assert missing == []


def test_make_commands_in_the_readme_exist() -> None:
    text = (ROOT / "README.md").read_text("utf-8")
    makefile = (ROOT / "Makefile").read_text("utf-8")
    for target in re.findall(r"\bmake ([a-z-]+)", "\n".join(re.findall(r"`[^`]+`|```.*?```", text,
                                                                       re.DOTALL))):  # fmt: skip
        assert re.search(rf"^{target}:", makefile, re.MULTILINE), target
