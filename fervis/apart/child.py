"""The process that builds apart: an order comes as JSON, steps and the answer go as JSON lines."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Any, TextIO

from fervis.apart.limits import Limits, confine
from fervis.errors import FervisError


def main() -> None:
    """Reads the order from standard input, confines itself, builds."""
    order = json.loads(sys.stdin.readline())
    # What a network prints must not be taken for an answer.
    said = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    scratch = Path(order["scratch"])
    os.umask(0o022)
    tell(said, {"allowed": confine(Limits(**order["limits"]), [scratch])})
    try:
        answer = _built(order, scratch, said)
    except FervisError as error:
        answer = {"error": str(error), "exit_code": error.exit_code}
    except MemoryError:
        answer = {"error": "not enough memory within its limit", "exit_code": 3}
    except Exception as error:  # the parent has no other way to learn of it
        answer = {"error": f"{type(error).__name__}: {error}", "exit_code": 3}
    tell(said, answer)
    said.close()
    sys.stdout.flush()
    os._exit(0)  # whatever threads and exit handlers a network has left


def tell(said: TextIO, words: dict[str, Any]) -> None:
    """One line for the parent."""
    said.write(json.dumps(words) + "\n")
    said.flush()


def _built(order: dict[str, Any], scratch: Path, said: TextIO) -> dict[str, Any]:
    from fervis import pipeline

    def advance(stage: str, done: int, total: int) -> None:
        tell(said, {"stage": stage, "done": done, "total": total})

    outcome = pipeline.build(
        order["file"],
        out=scratch / "site",
        cache=scratch / "cache",
        overrides=order["overrides"],
        keep_going=order["keep_going"],
        precision=order["precision"],
        pdf=order["pdf"],
        advance=advance,
    )
    return {
        "published": outcome.published,
        "unchanged": outcome.unchanged,
        "site": str(outcome.site),
        "computed": outcome.computed,
        "stored": outcome.stored,
        "chosen": [[str(name), index] for name, index in outcome.chosen.items()],
        "failures": outcome.failures,
        "warnings": outcome.warnings,
    }
