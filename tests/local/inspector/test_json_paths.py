"""Paths of values within JSON."""

from __future__ import annotations

from typing import Any

import pytest

from lambda_web_adapter.local.inspector.json_paths import parse_path, without_path


@pytest.mark.parametrize(
    ("path", "rest"),
    [
        pytest.param("id", {"items": [{"id": 2, "a": [3]}, {"id": 4}], "user": {"id": 5}}, id="name"),
        pytest.param("$.user.id", {"id": 1, "items": [{"id": 2, "a": [3]}, {"id": 4}], "user": {}}, id="nested"),
        pytest.param("items[*].id", {"id": 1, "items": [{"a": [3]}, {}], "user": {"id": 5}}, id="each item"),
        pytest.param("items[1]", {"id": 1, "items": [{"id": 2, "a": [3]}], "user": {"id": 5}}, id="item"),
        pytest.param(
            "items[0].a[0]", {"id": 1, "items": [{"id": 2, "a": []}, {"id": 4}], "user": {"id": 5}}, id="deep"
        ),
        pytest.param("*.id", {"id": 1, "items": [{"id": 2, "a": [3]}, {"id": 4}], "user": {}}, id="each member"),
        pytest.param("no.such[3]", {"id": 1, "items": [{"id": 2, "a": [3]}, {"id": 4}], "user": {"id": 5}}, id="none"),
    ],
)
def test_what_is_at_a_path_is_left_out(path: str, rest: Any) -> None:
    document = {"id": 1, "items": [{"id": 2, "a": [3]}, {"id": 4}], "user": {"id": 5}}

    assert without_path(document, parse_path(path)) == rest


@pytest.mark.parametrize("text", ["", "$", "a[", "a[b]", "a..b", "[]", "."])
def test_what_is_no_path_is_an_error(text: str) -> None:
    with pytest.raises(ValueError, match="no path of a field, such as"):
        parse_path(text)
