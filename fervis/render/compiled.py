"""Compiled templates, kept beside fervis' own compiled modules and trusted as much as those."""

from __future__ import annotations

import contextlib
import hashlib
import importlib.util
import marshal
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from jinja2.bccache import Bucket, BytecodeCache

from fervis.installed import version

if TYPE_CHECKING:
    from jinja2 import Environment

_CHECK = hashlib.sha256().digest_size


class Compiled(BytecodeCache):
    """The code of the templates in ``folder``, which comes with fervis.

    It lies where Python keeps the code of this package, never where a report keeps its results:
    a stranger's cache could bring code to run. Templates of other folders, a project's own, are
    compiled every time. ``environment_code`` is the file that says how templates are compiled.
    A folder that cannot be written costs time and nothing else.
    """

    def __init__(self, folder: Path, environment_code: str) -> None:
        self._folder = folder.resolve()
        # The library, and our own code that sets the environment up.
        self._compiler = version("jinja2").encode() + Path(environment_code).read_bytes()

    def get_bucket(
        self, environment: Environment, name: str, filename: str | None, source: str
    ) -> Bucket:
        """The code of one template, if it is kept and everything is as it was."""
        recipe = b"\0".join(
            [os.fsencode(filename or ""), name.encode(), self._compiler, source.encode()]
        )
        bucket = Bucket(environment, _place(name), hashlib.sha256(recipe).hexdigest())
        if filename is None or not Path(filename).resolve().is_relative_to(self._folder):
            bucket.key = ""
        self.load_bytecode(bucket)
        return bucket

    def load_bytecode(self, bucket: Bucket) -> None:
        """Fills the bucket from its file; one of another recipe or damaged is as good as none."""
        if not bucket.key:
            return
        with contextlib.suppress(OSError):
            kept = Path(bucket.key).read_bytes()
            if kept[:_CHECK] == _digest(bucket.checksum, kept[_CHECK:]):
                bucket.code = marshal.loads(kept[_CHECK:])  # noqa: S302 - like a .pyc

    def dump_bytecode(self, bucket: Bucket) -> None:
        """Writes the bucket's code beside and renames it."""
        if not bucket.key or sys.dont_write_bytecode:
            return
        file, code = Path(bucket.key), marshal.dumps(bucket.code)
        beside = file.with_suffix(f".{os.getpid()}")
        with contextlib.suppress(OSError):
            file.parent.mkdir(parents=True, exist_ok=True)
            beside.write_bytes(_digest(bucket.checksum, code) + code)
            beside.replace(file)


def _place(name: str) -> str:
    """Where the code of a template lies, as of ``fervis/render/template-pieces-html.py``."""
    module = Path(__file__).with_name(f"template-{name.replace('/', '-').replace('.', '-')}.py")
    return importlib.util.cache_from_source(str(module))


def _digest(recipe: str, code: bytes) -> bytes:
    return hashlib.sha256(recipe.encode() + code).digest()
