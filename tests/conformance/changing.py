"""Makes events of a row from a column's simplest one, whatever the shape of its events."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

Change = Callable[[Any], None]


def header_is(value: str, *, name: str = "x-a") -> Change:
    """Adds a header to all of the event's maps that have any."""

    def change(event: Any) -> None:
        single, several = event.get("headers"), event.get("multiValueHeaders")
        if isinstance(several, dict):
            several[name] = [value]
        if isinstance(single, dict):
            has_lists = any(isinstance(values, list) for values in single.values())
            single[name] = [value] if has_lists else value

    return change


def method_is(method: str) -> Change:
    """Replaces the method."""

    def change(event: Any) -> None:
        place = next((place for place in _method_places(event) if place[1] in place[0]), None)
        assert place, "the event has no method"
        place[0][place[1]] = method

    return change


def _method_places(event: Any) -> list[tuple[Any, str]]:
    return [(event, "httpMethod"), (event, "method"), (event.get("requestContext", {}).get("http", {}), "method")]


def path_is(path: str) -> Change:
    """Replaces the path, also where a REST API says it with the stage in front."""

    def change(event: Any) -> None:
        [name] = {"rawPath", "raw_path", "path"} & event.keys()
        event[name] = path
        context = event.get("requestContext", {})
        if "path" in context:
            context["path"] = f"/{context['stage']}{path}"

    return change


def body_that_is_not_base64(event: Any) -> None:
    """Marks a body as base64 that is not."""
    flag = "is_base64_encoded" if "is_base64_encoded" in event else "isBase64Encoded"
    event |= {"body": "hello, you", flag: True}
