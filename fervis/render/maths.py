"""LaTeX to what a page can show: an SVG picture, MathML for readers who listen, and words."""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from fervis.installed import version
from fervis.render.keep import kept
from fervis.render.mathml import require_plain, require_shallow

VERSION = 2  # raise it whenever the same LaTeX gives another picture
_SIZE = 16.0
_TALLEST = 40 * _SIZE  # no formula is forty lines tall: see _render
_LONGEST = 4000


@dataclass(frozen=True)
class Formula:
    """A set formula. ``width``, ``height`` and ``depth`` (below the baseline) are in em."""

    latex: str
    svg: bytes
    mathml: str
    width: float
    height: float
    depth: float

    @property
    def file(self) -> str:
        """Its place in the site, named by what is in it."""
        return f"math/{hashlib.sha256(self.svg).hexdigest()[:16]}.svg"

    @property
    def spoken(self) -> str:
        """The formula in plain characters, for an ``alt``."""
        return spoken(self.latex)


class FormulaError(ValueError):
    """The LaTeX cannot be set."""


def formula(latex: str, display: bool, cache: Path | None = None) -> Formula:
    """Sets ``latex``; the same input gives the same bytes. Raises FormulaError."""
    source = latex.strip()
    if not source or len(source) > _LONGEST:
        raise FormulaError("empty, or longer than a formula can be")
    return _formula(source, display, cache)


@lru_cache(maxsize=256)
def _formula(latex: str, display: bool, cache: Path | None) -> Formula:
    def make() -> bytes:
        drawn = _render(latex, display)
        return json.dumps(
            [drawn.svg.decode(), drawn.mathml, drawn.width, drawn.height, drawn.depth]
        ).encode()

    recipe = (
        f"{VERSION} math {version('ziamath')} {version('ziafont')} "
        f"{version('latex2mathml')} {display} {latex}"
    )
    try:
        svg, *rest = json.loads(kept(cache, recipe, make))
        require_plain(rest[0])  # a cache may be a stranger's
    except Exception as error:  # the libraries raise anything, assertions included
        raise FormulaError(f"{type(error).__name__}: {error}") from error
    return Formula(latex, svg.encode(), *rest)


def _render(latex: str, display: bool) -> Formula:
    from latex2mathml.converter import convert
    from ziamath.config import config
    from ziamath.zmath import Latex

    mathml = convert(latex, display="block" if display else "inline")
    require_shallow(require_plain(mathml))
    config.svg2, config.precision = False, 2
    drawn = Latex(latex, size=_SIZE, inline=not display)
    if drawn.getsize()[1] > _TALLEST:
        # ziamath 0.13 stretches \left( … \right) to infinity around a sum with limits.
        drawn = Latex(_unstretched(latex), size=_SIZE, inline=not display)
    width, height = drawn.getsize()
    if height > _TALLEST:
        raise FormulaError("the fences around it cannot be stretched")
    return Formula(
        latex,
        drawn.svg().encode(),
        mathml,
        round(width / _SIZE, 3),
        round(height / _SIZE, 3),
        round(-drawn.getyofst() / _SIZE, 3),
    )


def _unstretched(latex: str) -> str:
    latex = re.sub(r"\\left(?![a-zA-Z])\s*", r"\\Bigl", latex)
    return re.sub(r"\\right(?![a-zA-Z])\s*", r"\\Bigr", latex)


_SPOKEN = (
    (r"\\(?:text|mathrm|mathbf|mathit|operatorname|mathcal|mathbb)\s*\{([^{}]*)\}", r"\1"),
    (r"\\(?:left|right|Bigl|Bigr|bigl|bigr|displaystyle|limits)(?![a-zA-Z])", ""),
    (r"\\underbrace\s*\{(.*?)\}_", r"\1 with "),
    (
        r"\\frac\s*\{([^{}]*(?:\{[^{}]*\}[^{}]*)*)\}\s*\{([^{}]*(?:\{[^{}]*\}[^{}]*)*)\}",
        r"(\1) over (\2)",
    ),
    (r"\\sqrt\s*\{([^{}]*)\}", r"square root of (\1)"),
    (r"\\(?:quad|qquad|[,;:! ])", " "),
    (r"\\partial", "∂"),
    (r"\\sum", "sum"),
    (r"\\int", "integral"),
    (r"\\(?:cdot|times)", "times"),
    (r"\\([a-zA-Z]+)", r"\1"),
    (r"_\s*\{([^{}]*)\}", r" sub \1 "),
    (r"_(\w)", r" sub \1 "),
    (r"\^\s*\{([^{}]*)\}", r" to the \1 "),
    (r"\^(\w)", r" to the \1 "),
    (r"[{}\\]", " "),
    (r"\s+", " "),
)


def spoken(latex: str) -> str:
    r"""A reading of ``latex``: ``\frac{a}{b}`` → ``(a) over (b)``. Rough, and never empty."""
    text = latex
    for pattern, replacement in _SPOKEN:
        text = re.sub(pattern, replacement, text, flags=re.DOTALL)
    return text.strip() or latex
