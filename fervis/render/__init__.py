"""Pages: a Document becomes a site of plain files and one PDF per language."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from fervis.render.errors import TemplateFileError
from fervis.render.press import Presses

if TYPE_CHECKING:  # a press starts from here and has no use for numpy
    from fervis.render.document import Document

__all__ = ["Presses", "packaged_templates", "render", "template_folders"]


def packaged_templates() -> Path:
    """The templates that come with fervis: beside the package in a checkout, else inside it."""
    package = Path(__file__).resolve().parents[1]
    inside, beside = package / "_templates", package.parent / "templates"
    if not inside.is_dir() and not beside.is_dir():
        raise TemplateFileError(f"{inside}: the templates of fervis are missing; install it again")
    return inside if inside.is_dir() else beside


def template_folders(project: Path | None = None) -> tuple[Path, ...]:
    """Where templates are looked for: the project's own ``templates/`` first, if it has one."""
    packaged = packaged_templates()
    own = None if project is None else (project / "templates")
    if project is None or own is None or not own.is_dir() or own.resolve() == packaged:
        return (packaged,)
    if not own.resolve().is_relative_to(project.resolve()):
        raise TemplateFileError(f"{own}: leads out of {project}; copy the templates there")
    return (own, packaged)


def render(
    document: Document,
    folder: Path,
    *,
    templates: Sequence[Path],
    pdf: bool = True,
    cache: Path | None = None,
    presses: Presses | None = None,
    last: Path | None = None,
    made_by: str = "",
) -> None:
    """Writes the whole site into the empty ``folder``: pages, figures, data, fonts and PDFs.

    ``templates`` are searched in order; ``template_folders`` gives the usual ones. ``cache`` keeps
    what is dear and depends on the texts alone (fonts) between builds, and the last pages for as
    long as ``made_by``, a state of fervis and its templates, is the same. ``presses`` set the
    PDFs; started early, they are ready by now. ``last`` is the site to be replaced: what is the
    same in it is not written again. Raises TemplateFileError or PdfError.
    """
    from fervis.render.site import render as write

    write(
        document,
        folder,
        templates=templates,
        pdf=pdf,
        cache=cache,
        presses=presses,
        last=last,
        made_by=made_by,
    )
