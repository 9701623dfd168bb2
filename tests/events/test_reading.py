"""Which events are read with their large bodies apart; that it makes no difference is a property."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest

from lambda_web_adapter.events.reading import read_event

TEXTS = {
    "ASCII": "plain text, no quotes. ",
    "JSON": '{"a": "b", "c": [1, 2, "three"]}\n',
    "UTF-8": "Grüße, 世界, 😀 and so on. ",
    "controls": "tabs\tand\r\nlines; ",
    "HTML": '<a href="/x?y=1&z=2" class="a b">a \\ b</a>\n',
}


def large(text: str) -> str:
    return text * (1_000_000 // len(text))


def event(body: str, *, is_base64: bool) -> dict[str, Any]:
    return {"version": "2.0", "headers": {"x": "y"}, "body": body, "isBase64Encoded": is_base64}


@pytest.mark.parametrize("spaces", [None, (",", ":")], ids=["spaces", "no spaces"])
@pytest.mark.parametrize("escapes", [False, True], ids=["UTF-8", "escapes"])
@pytest.mark.parametrize("text", [pytest.param(text, id=name) for name, text in TEXTS.items()])
def test_a_large_text_is_read_apart(text: str, escapes: bool, spaces: tuple[str, str] | None) -> None:
    given = event(large(text), is_base64=False)

    found = read_event(json.dumps(given, ensure_ascii=escapes, separators=spaces).encode())

    assert isinstance(found["body"], bytes)
    assert found == given | {"body": given["body"].encode()}


def test_large_base64_is_a_view_of_the_event() -> None:
    raw = json.dumps(event(base64.b64encode(bytes(1_000_000)).decode(), is_base64=True)).encode()

    found = read_event(raw)

    assert isinstance(found["body"], memoryview)
    assert found["body"].obj is raw


@pytest.mark.parametrize(
    "given",
    [
        pytest.param(event("short", is_base64=False), id="short"),
        pytest.param(event(large("x"), is_base64=False) | {"query": {"body": "another"}}, id="two bodies"),
        pytest.param({"isBase64Encoded": False, "body": large('"')}, id="the flag in front of it"),
        pytest.param({"records": [{"body": large("x")}]}, id="not the event's own"),
        pytest.param([large("x")], id="no object"),
    ],
)
def test_what_is_not_sure_is_read_as_a_whole(given: Any) -> None:
    assert read_event(json.dumps(given).encode()) == given
