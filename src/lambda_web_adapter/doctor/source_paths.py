"""Where a path in a source leads: below /tmp, elsewhere, or nobody can see."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from lambda_web_adapter.doctor.source_calls import Source

# What functions may write to.
_WRITABLE = ("/tmp", "/proc/", "/dev/null", "/dev/std", "/dev/fd")  # noqa: S108  # as Lambda has them
# Functions whose result begins as their first argument, as far as it matters here.
_BEGINNING_WITH_ARGUMENT = {f"os.path.{name}" for name in ("join", "abspath", "dirname", "realpath", "normpath")}
_BEGINNING_WITH_ARGUMENT |= {"pathlib.Path", "pathlib.PurePath", "str", "os.fspath"}
_CURRENT_FOLDERS = {"pathlib.Path.cwd", "os.getcwd"}
_SAME_PLACE = {"parent", "parents", "absolute", "resolve", "joinpath", "with_suffix", "with_name", "expanduser"}
# Stands for the folder of the code, which no function can write to.
_CODE = "/var/task"
_DEEPEST = 20  # names that lead to each other


def start_of(node: ast.expr | None, source: Source, depth: int = 0) -> str | None:
    """Return how a path begins; None if it cannot be seen.

    Args:
        node: the expression of the path.
        source: the module with it.
        depth: how many names have been followed.
    """
    match node:
        case ast.Constant(value=str(text)):
            return text
        case ast.Name(id="__file__"):
            return _CODE
        case ast.Call(func=func) if source.name_of(func) in _CURRENT_FOLDERS:
            return _CODE
    first = _first_part(node, source)
    return start_of(first, source, depth + 1) if first and depth < _DEEPEST else None


def is_outside(start: str | None) -> bool:
    """Return whether a path leads to where a function cannot write."""
    return start is not None and not start.startswith(_WRITABLE) and not start.startswith(("~", "http", "s3:"))


def _first_part(node: ast.expr | None, source: Source) -> ast.expr | None:
    """Return the expression with which a path begins; None if it cannot be seen."""
    match node:
        case ast.JoinedStr(values=[first, *_]):
            return first.value if isinstance(first, ast.FormattedValue) else first
        case ast.Name(id=name):
            return source.constants.get(name)
        case ast.BinOp(left=first, op=ast.Div() | ast.Add() | ast.Mod()):
            return first
        case ast.Subscript(value=first) | ast.Attribute(value=first, attr="parent" | "parents"):
            return first
        case ast.Call(func=func, args=[first, *_]) if source.name_of(func) in _BEGINNING_WITH_ARGUMENT:
            return first
        case ast.Call(func=ast.Attribute(value=first, attr=name)) if name in _SAME_PLACE:
            return first
    return None
