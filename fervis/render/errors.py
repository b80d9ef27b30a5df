"""What can go wrong while pages are written."""

from __future__ import annotations

from fervis.errors import EXIT_FILE_WRONG, FervisError, MachineError


class TemplateFileError(FervisError):
    """A template is wrong; the message starts with its file and line."""

    exit_code = EXIT_FILE_WRONG


class PdfError(MachineError):
    """The PDF could not be set as it should be; the message says what the typesetter found."""
