"""A digest of all of the network that can change a number, found without importing torch.

Not covered: files that the author's code opens itself, and modules it imports by a computed name.
"""

from __future__ import annotations

import ast
import hashlib
import json
from collections.abc import Callable, Iterator
from importlib.metadata import PackageNotFoundError, packages_distributions, version
from importlib.util import find_spec
from pathlib import Path

from fervis.errors import ModelError
from fervis.model.code import Target, parse, roots
from fervis.model.defaults import SOURCE, is_default, mean_and_std, weights_file
from fervis.model.options import ModelOptions

_VERSION = 1  # raise it whenever the model room gives other numbers for the same network


def digest_of(file: Path) -> str:
    """SHA-256 of a file's bytes."""
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def fingerprint(
    options: ModelOptions, folder: Path, digest: Callable[[Path], str] = digest_of
) -> str:
    """A hexadecimal digest of weights, code, arguments and preprocessing.

    Code is the factory's file with the local modules that it imports, however deep, and the
    preprocess function's; for a package also its version. ``digest`` may remember what it has
    read before. Raises ModelError where a file that the options name is missing.
    """
    mean, std = mean_and_std(options)
    weights = weights_file(options, folder)
    parts: dict[str, object] = {
        "version": _VERSION,
        "args": options.args,
        "weights": digest(weights) if weights else None,
        "input": [options.scale, mean, std, options.height_width, options.channels],
        "output": options.output,
    }
    if is_default(options):
        parts["code"] = ["default", digest(SOURCE)]
    else:
        parts["code"] = _code(options.factory or "", folder, "factory", digest)
    if options.preprocess is not None:
        parts["preprocess"] = _code(options.preprocess, folder, "preprocess", digest)
    text = json.dumps(parts, sort_keys=True, default=repr)
    return hashlib.sha256(text.encode()).hexdigest()


def _code(text: str, folder: Path, field: str, digest: Callable[[Path], str]) -> list[object]:
    target = parse(text, folder, field)
    if target.file is not None:
        places = roots(folder.resolve(), target.file)
        files = sources(target.file, places)
        return [target.name, _relative(target.file, places), _digests(files, places, digest)]
    return [text, *_package(target, digest)]


def _package(target: Target, digest: Callable[[Path], str]) -> list[object]:
    top = target.module.partition(".")[0]
    spec = find_spec(top)  # of a top-level name: nothing is imported
    if spec is None:
        raise ModelError(f"model.factory: there is no installed package {top!r}")
    if not spec.has_location or spec.origin is None:
        return [_distribution(top)]
    origin = Path(spec.origin)
    place = origin.parent.parent if origin.name == "__init__.py" else origin.parent
    file = _module(target.module, (place,))
    if file is None:
        raise ModelError(f"model.factory: package {top!r} has no module {target.module!r}")
    # A released package changes with its version. One that is being worked on (installed in
    # place) does not, so there its own modules are followed.
    released = {"site-packages", "dist-packages"} & set(origin.parts)
    files = [file] if released else sources(file, (place,), within=top)
    return [_distribution(top), _digests(files, (place,), digest)]


def _distribution(top: str) -> str:
    try:
        return version(top)
    except PackageNotFoundError:
        return ",".join(f"{n} {version(n)}" for n in sorted(packages_distributions().get(top, [])))


def _digests(
    files: list[Path], places: tuple[Path, ...], digest: Callable[[Path], str]
) -> list[list[str]]:
    return sorted([_relative(file, places), digest(file)] for file in files)


def _relative(file: Path, places: tuple[Path, ...]) -> str:
    for place in places:
        if file.is_relative_to(place):
            return file.relative_to(place).as_posix()
    return file.name


def sources(file: Path, places: tuple[Path, ...], within: str = "") -> list[Path]:
    """``file`` and every module under ``places`` that it imports, directly or not.

    ``within``: only the modules of that package.
    """
    seen: list[Path] = []
    waiting = [file]
    while waiting:
        current = waiting.pop()
        if current in seen:
            continue
        seen.append(current)
        for name in _imports(current, places):
            # a.b.c runs a/__init__.py and a/b/__init__.py as well
            parts = name.split(".")
            if within and parts[0] != within:
                continue
            for end in range(1, len(parts) + 1):
                found = _module(".".join(parts[:end]), places)
                if found is not None:
                    waiting.append(found)
    return seen


def _module(name: str, places: tuple[Path, ...]) -> Path | None:
    for place in places:
        base = place.joinpath(*name.split("."))
        for file in (base / "__init__.py", base.with_name(base.name + ".py")):
            if file.is_file():
                return file
    return None


def _imports(file: Path, places: tuple[Path, ...]) -> Iterator[str]:
    """Absolute names of all that ``file`` imports at any level, constant names included."""
    try:
        tree = ast.parse(file.read_bytes())
    except (SyntaxError, ValueError, RecursionError):
        return  # its bytes are covered; it cannot run anyway
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = _base(node, file, places)
            yield from (f"{base}.{alias.name}".strip(".") for alias in node.names)
            if base:
                yield base
        elif isinstance(node, ast.Call) and node.args and _is_import(node.func):
            name = node.args[0]
            if isinstance(name, ast.Constant) and isinstance(name.value, str):
                yield name.value.lstrip(".")


def _base(node: ast.ImportFrom, file: Path, places: tuple[Path, ...]) -> str:
    if not node.level:
        return node.module or ""
    package = file.parent
    for _ in range(node.level - 1):
        package = package.parent
    inside = _relative(package, places)
    prefix = "" if inside == "." else inside.replace("/", ".")
    return f"{prefix}.{node.module or ''}".strip(".")


def _is_import(function: ast.expr) -> bool:
    name = getattr(function, "attr", None) or getattr(function, "id", None)
    return name in ("import_module", "__import__")
