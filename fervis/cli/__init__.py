"""The command line: the only place that prints or exits."""

from __future__ import annotations

import atexit
import contextlib
import gc
import os
import sys
from collections.abc import Sequence
from typing import NoReturn

import click

from fervis import __version__
from fervis.cli import stopping
from fervis.cli.lazy import LazyGroup
from fervis.errors import EXIT_FILE_WRONG, FervisError

COMMANDS = {
    "build": "fervis.cli.report:build",
    "batch": "fervis.cli.batch:batch",
    "watch": "fervis.cli.watch:watch",
    "check": "fervis.cli.report:check",
    "why": "fervis.cli.report:why",
    "clean": "fervis.cli.report:clean",
    "schema": "fervis.cli.report:schema",
    "methods": "fervis.cli.report:methods",
    "layers": "fervis.cli.network:layers",
    "train": "fervis.cli.network:train",
    "evaluate": "fervis.cli.network:evaluate",
    "pick": "fervis.cli.pictures:pick",
    "faces": "fervis.cli.pictures:faces",
    "init": "fervis.cli.project:init",
    "publish": "fervis.cli.publish:publish",
}


@click.group(
    cls=LazyGroup,
    commands_at=COMMANDS,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog="Exit codes: 0 done, 1 an analysis failed, 2 the file or the command is wrong, "
    "3 the machine lacks something, 130 or 143 stopped.",
)
@click.version_option(__version__)
def cli() -> None:
    """Show what an image classifier looks at: report.yaml becomes a site and a PDF.

    \b
    Examples:
      fervis init mine                    start a project
      fervis build                        report.yaml → site/index.html, site/report.pdf
      fervis build --set images.4=812     with another picture for class 4
      fervis watch --open                 build at every change, in the browser
      fervis check                        only check the file
      fervis layers                       what the network's layers are called
    """


def program(arguments: Sequence[str] | None = None) -> NoReturn:
    """main(), as the only thing that this process does."""
    gc.set_threshold(10_000, 10, 10)  # importing torch makes objects by the million, all to stay
    # pydantic would look through every installed package for plugins, a tenth of a small build.
    os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "__all__")
    status = 1
    try:
        main(arguments)
    except SystemExit as ended:
        status = ended.code if isinstance(ended.code, int) else int(ended.code is not None)
    if sys.getprofile() or sys.gettrace():  # somebody looks on, and has to end, too
        sys.exit(status)
    atexit._run_exitfuncs()  # what the interpreter would do first
    with contextlib.suppress(OSError, ValueError):  # the reader of a pipe may be gone
        sys.stdout.flush()
        sys.stderr.flush()
    # Taking torch's modules apart, as the interpreter would now, takes a third of a second.
    os._exit(status)


def main(arguments: Sequence[str] | None = None) -> None:
    """Runs a command and exits with its code."""
    try:
        with stopping.signals_raise():
            code = cli.main(
                list(arguments) if arguments is not None else None,
                prog_name="fervis",
                standalone_mode=False,
                color=False if os.environ.get("NO_COLOR") else None,  # https://no-color.org
            )
        sys.exit(code if isinstance(code, int) else 0)
    except FervisError as error:
        click.echo(str(error), err=True)
        sys.exit(error.exit_code)
    except click.exceptions.Exit as error:
        sys.exit(error.exit_code)
    except click.ClickException as error:
        error.show()
        sys.exit(EXIT_FILE_WRONG)
    except (click.Abort, KeyboardInterrupt) as error:
        with contextlib.suppress(OSError):  # the terminal may be gone
            click.echo("stopped; what was finished is kept", err=True)
        sys.exit(stopping.exit_code(error))
