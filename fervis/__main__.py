"""``python -m fervis`` is the command ``fervis``."""

from fervis.cli import program

program()
