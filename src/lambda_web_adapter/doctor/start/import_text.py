"""An import tree as text."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from lambda_web_adapter.local.imports.import_tree import ImportTime

# What takes a smaller share of the whole is left out.
_MIN_SHARE = 0.03
_MAX_DEPTH = 6


def tree_lines(root: ImportTime, ran: Collection[str] = ()) -> list[str]:
    """Return the modules that take a noticeable part of an import, below those that import them.

    Args:
        root: the app's import.
        ran: the modules of which something has run after the import; empty if that is not known.
    """
    rows = list(_rows(root, root.cumulative_us * _MIN_SHARE, "", "", set(ran)))
    width = max(len(name) for name, *_ in rows)
    return [f"{name:<{width}}  {us / 1000:>7.1f} ms{note}" for name, us, note in rows]


def _rows(  # noqa: PLR0913  # where it is in the tree
    node: ImportTime, least: float, start: str, below: str, ran: set[str], depth: int = 0
) -> Iterator[tuple[str, int, str]]:
    has_run = not ran or not depth or node.includes(ran)
    yield f"{start}{node.name}", node.cumulative_us, "" if has_run else "  nothing ran"
    children = [child for child in node.children if child.cumulative_us >= least and depth < _MAX_DEPTH and has_run]
    for child in children:
        is_last = child is children[-1]
        branch, line = ("└─ ", "   ") if is_last else ("├─ ", "│  ")
        yield from _rows(child, least, below + branch, below + line, ran, depth + 1)
