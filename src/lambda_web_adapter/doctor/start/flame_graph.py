"""An import tree as a flame graph: an SVG that needs nothing else, in light and dark."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, NamedTuple
from xml.sax.saxutils import escape

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from lambda_web_adapter.local.imports.import_tree import ImportTime

_WIDTH, _ROW, _HEAD, _MARGIN = 1200.0, 20, 64, 12  # pixels
_MIN_WIDTH = 0.5  # pixels; what is narrower cannot be seen
_LETTER = 6.7  # pixels of a letter at the font's size, on average
_CLASSES = {"own": "the app's own", "package": "packages", "standard": "standard library", "idle": "nothing ran"}
_STYLE = """
svg { color-scheme: light dark; --ground: #ffffff; --text: #1c2024; --soft: #60646c; --line: #ffffff;
  --own: #8ec8f6; --package: #ffc182; --standard: #d9d9e0; --idle: #f4b9c4; }
@media (prefers-color-scheme: dark) { svg { --ground: #16181c; --text: #edeef0; --soft: #a8adb5; --line: #16181c;
  --own: #205d9e; --package: #8a4a12; --standard: #43484e; --idle: #80283c; } }
text { font: 12px ui-sans-serif, system-ui, "Segoe UI", Helvetica, Arial, sans-serif; fill: var(--text); }
.title { font-size: 15px; font-weight: 600; }
.soft { fill: var(--soft); }
.ground { fill: var(--ground); }
g rect { stroke: var(--line); stroke-width: 1; }
.own { fill: var(--own); } .package { fill: var(--package); }
.standard { fill: var(--standard); } .idle { fill: var(--idle); }
g:hover > rect { stroke: var(--text); }
"""


class _Box(NamedTuple):
    node: ImportTime
    left: float
    width: float
    depth: int
    kind: str


def flame_graph(root: ImportTime, own: Collection[str], ran: Collection[str] = ()) -> str:
    """Return the SVG of an import: each module is as wide as its import took, with what it has imported below.

    Args:
        root: the app's import.
        own: the app's own modules.
        ran: the modules of which something has run after the import; empty if that is not known.
    """
    scale = (_WIDTH - 2 * _MARGIN) / max(root.cumulative_us, 1)
    boxes = list(_boxes(root, _MARGIN, 0, scale, set(own), set(ran)))
    height = _HEAD + (max(box.depth for box in boxes) + 1) * _ROW + _MARGIN
    total = f"{root.cumulative_us / 1000:,.0f} ms"
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH:g} {height}" width="{_WIDTH:g}" '
        f'height="{height}" role="img" aria-label="{_attribute(f"Import of {root.name}: {total}")}">',
        f"<style>{_STYLE}</style>",
        f'<rect class="ground" width="{_WIDTH:g}" height="{height}"/>',
        f'<text class="title" x="{_MARGIN}" y="24">Import of {escape(root.name)}: {total}</text>',
        *_legend(has_ran=bool(ran)),
        *(_box(box, root.cumulative_us) for box in boxes),
        "</svg>",
    ]
    return "\n".join(parts) + "\n"


def _boxes(  # noqa: PLR0913  # where it is, and what it is
    node: ImportTime, left: float, depth: int, scale: float, own: set[str], ran: set[str]
) -> Iterator[_Box]:
    width = node.cumulative_us * scale
    if depth and width < _MIN_WIDTH:
        return
    yield _Box(node, left, width, depth, _kind(node, own, ran) if depth else "own")
    for child in node.children:
        yield from _boxes(child, left, depth + 1, scale, own, ran)
        left += child.cumulative_us * scale


def _kind(node: ImportTime, own: set[str], ran: set[str]) -> str:
    if ran and not node.includes(ran):
        return "idle"
    if node.name in own:
        return "own"
    top = node.name.partition(".")[0]
    return "standard" if top in sys.stdlib_module_names or top.startswith("_") else "package"


def _legend(*, has_ran: bool) -> Iterator[str]:
    left = float(_MARGIN)
    for kind, text in _CLASSES.items():
        if kind == "idle":
            if not has_ran:
                continue
            text = f"{text} in the warm requests"
        yield f'<rect class="{kind}" x="{left:g}" y="38" width="12" height="12" rx="2"/>'
        yield f'<text class="soft" x="{left + 18:g}" y="48">{text}</text>'
        left += 18 + len(text) * _LETTER + 20


def _box(box: _Box, total: int) -> str:
    top = _HEAD + box.depth * _ROW
    share = box.node.cumulative_us / max(total, 1)
    times = f"{box.node.cumulative_us / 1000:.1f} ms, {box.node.self_us / 1000:.1f} ms of it itself, {share:.0%}"
    name = _shorten(box.node.name, int((box.width - 8) / _LETTER))
    label = f'<text x="{box.left + 4:.1f}" y="{top + 14}">{escape(name)}</text>' if name else ""
    return (
        f"<g><title>{escape(box.node.name)}: {times}</title>"
        f'<rect class="{box.kind}" x="{box.left:.1f}" y="{top}" width="{box.width:.1f}" height="{_ROW}" rx="2"/>'
        f"{label}</g>"
    )


def _shorten(name: str, letters: int) -> str:
    """Return a name, or what distinguishes it from those beside it, in so many letters; empty if there is no room."""
    last = f".{name.rpartition('.')[2]}"
    fitting = [each for each in (name, last) if len(each) <= letters]
    if fitting:
        return fitting[0]
    return f"{name[: letters - 1]}…" if letters > 3 else ""


def _attribute(text: str) -> str:
    return escape(text, {'"': "&quot;"})
