"""Paths of values within JSON, such as `items[*].id`, and what is left without these values."""

from __future__ import annotations

import re
from typing import Any

# Names of members, numbers of items, and None for every member or item.
JsonPath = tuple[str | int | None, ...]

_STEP = re.compile(r"\.?(?P<name>[^.\[\]]+)|\[(?P<item>\d+|\*)\]")


def parse_path(text: str) -> JsonPath:
    """Return the steps of a path: names with dots between them, `[0]` for an item, `*` for any.

    Raises:
        ValueError: it is no path.
    """
    steps: list[str | int | None] = []
    rest = text.removeprefix("$")
    while rest and (match := _STEP.match(rest)):
        name, item = match["name"], match["item"]
        steps.append(None if "*" in (name, item) else name or int(item))
        rest = rest[match.end() :]
    if rest or not steps:
        raise ValueError(f"{text!r} is no path of a field, such as id, user.token or items[*].id.")
    return tuple(steps)


def without_path(document: Any, path: JsonPath) -> Any:
    """Return a JSON document without the values at a path."""
    step, rest = path[0], path[1:]
    if isinstance(document, dict):
        matching = {name for name in document if step is None or name == step}
        return {
            name: without_path(value, rest) if name in matching else value
            for name, value in document.items()
            if rest or name not in matching
        }
    if isinstance(document, list):
        matching_items = {index for index in range(len(document)) if step is None or index == step}
        return [
            without_path(value, rest) if index in matching_items else value
            for index, value in enumerate(document)
            if rest or index not in matching_items
        ]
    return document
