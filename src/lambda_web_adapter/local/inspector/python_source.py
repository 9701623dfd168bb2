"""Values as Python source."""

from __future__ import annotations

from typing import Any

_WIDTH = 100
_INDENT = "    "


def literal(value: Any, indent: str = "") -> str:
    """Return a value of JSON as source; what does not fit on a line has an item on each.

    Args:
        value: the value.
        indent: the indentation of the line that it begins on.
    """
    source = repr(value)
    if len(indent) + len(source) <= _WIDTH or not value or not isinstance(value, dict | list):
        return source
    inner = indent + _INDENT
    if isinstance(value, dict):
        items = [f"{inner}{name!r}: {literal(each, inner)},\n" for name, each in value.items()]
        return f"{{\n{''.join(items)}{indent}}}"
    items = [f"{inner}{literal(each, inner)},\n" for each in value]
    return f"[\n{''.join(items)}{indent}]"


def bytes_literal(data: bytes) -> str:
    """Return bytes as source: text as text."""
    try:
        text = data.decode()
    except UnicodeDecodeError:
        return repr(data)
    return repr(data) if text.isascii() else f"{text!r}.encode()"


def call(function: str, arguments: list[str], indent: str = "") -> str:
    """Return a call, with each argument on a line of its own if it does not fit on one.

    Args:
        function: what is called.
        arguments: its arguments, as source.
        indent: the indentation of the line that it begins on.
    """
    line = f"{function}({', '.join(arguments)})"
    if len(indent) + len(line) <= _WIDTH and "\n" not in line:
        return line
    inner = indent + _INDENT
    lines = [f"{inner}{each},\n" for each in arguments]
    return f"{function}(\n{''.join(lines)}{indent})"
