"""Set fields of an event by their paths, such as `Records.0.body=hello`. Pure."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Any

# A part of a path up to a dot or an equals sign; a backslash takes the next character as it is.
_PART = re.compile(r"((?:\\.|[^\\.=])*)([.=])", re.DOTALL)
_ESCAPED = re.compile(r"\\(.)", re.DOTALL)


class InvalidField(Exception):
    """An assignment is not valid, or does not fit the event; the message says why."""


@dataclass(frozen=True, slots=True)
class Assignment:
    """A value, and where it goes.

    Attributes:
        path: names of members, and numbers of items as text.
        value: the value.
    """

    path: tuple[str, ...]
    value: Any

    def apply(self, event: Any) -> None:
        """Set the field in an event; objects that are missing on the way are added, and so is a list's next item.

        Raises:
            InvalidField: the path leads into a value that has no members, or past the end of a list.
        """
        *parents, last = self.path
        container = event
        for depth, part in enumerate(parents):
            key = self._key(container, depth, part)
            is_missing = key not in container if isinstance(container, dict) else key == len(container)
            if is_missing or container[key] is None:
                _put(container, key, {})
            container = container[key]
        _put(container, self._key(container, len(parents), last), self.value)

    def _key(self, container: Any, depth: int, part: str) -> Any:
        """Return the key of a dictionary, or the index of a list."""
        if isinstance(container, dict):
            return part
        place = ".".join(self.path[:depth]) or "The event"
        if not isinstance(container, list):
            raise InvalidField(f"{place} is {_describe(container)}, which has no field {part!r}.")
        if not part.isdecimal() or int(part) > len(container):
            raise InvalidField(
                f"{place} is a list, whose items are 0 to {len(container)} (a new one), but not {part!r}."
            )
        return int(part)


def parse_assignment(text: str, *, is_text: bool = False) -> Assignment:
    r"""Return the assignment in `path=value`; the value is JSON if it is valid JSON, and text otherwise.

    Args:
        text: the assignment; before a dot, an equals sign or a backslash that belongs to a name, there is a backslash.
        is_text: whether the value is text even if it is valid JSON.

    Raises:
        InvalidField: it has no equals sign, or no path.
    """
    parts, end, separator = [], 0, "."
    while separator == ".":
        match = _PART.match(text, end)
        if match is None:
            raise InvalidField(f"{text!r} is not a field and a value, such as Records.0.body=hello.")
        name, separator = match.groups()
        if not name:
            raise InvalidField(f"{text!r} has an empty name before the {separator!r} at {match.end() - 1}.")
        parts.append(_ESCAPED.sub(r"\1", name))
        end = match.end()
    value = text[end:]
    return Assignment(tuple(parts), value if is_text else _parse_value(value))


def _parse_value(text: str) -> Any:
    try:
        return json.loads(text, parse_constant=_reject, parse_float=_parse_float)
    except (ValueError, RecursionError):
        return text


def _reject(name: str) -> None:
    raise ValueError(f"{name} is not JSON")


def _parse_float(text: str) -> float:
    """Return a number; one that is too large for a float would be written as what is not JSON."""
    number = float(text)
    if number in (float("inf"), float("-inf")):
        raise ValueError(f"{text} is too large")
    return number


def _put(container: Any, key: Any, value: Any) -> None:
    if isinstance(container, list) and key == len(container):
        container.append(value)
    else:
        container[key] = value


def _describe(value: object) -> str:
    return "null" if value is None else f"{json.dumps(value):.40}"
