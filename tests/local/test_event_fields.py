"""Fields of an event, set by their paths."""

from __future__ import annotations

import copy
import json
import re
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from lambda_web_adapter.local.sample_events.event_fields import Assignment, InvalidField, parse_assignment

names = st.text(min_size=1)
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=10,
)
Place = tuple[dict[str, Any], list[str | int]]


@st.composite
def places(draw: st.DrawFn) -> Place:
    """An event, and the way to a value in it: names and numbers."""
    way = draw(st.lists(names | st.integers(0, 2), min_size=0, max_size=4))
    value = draw(json_values)
    for step in reversed(way):
        if isinstance(step, int):
            value = [*(draw(json_values) for _ in range(step)), value]
        else:
            value = {**draw(st.dictionaries(names, json_values, max_size=2)), step: value}
    name = draw(names)
    event = {**draw(st.dictionaries(names, json_values, max_size=2)), name: value}
    return event, [name, *way]


def escaped(step: str | int) -> str:
    return re.sub(r"([\\.=])", r"\\\1", str(step))


def value_at(event: Any, way: list[str | int]) -> Any:
    for step in way:
        event = event[step]
    return event


def without(event: Any, way: list[str | int]) -> Any:
    """The event with null in one place."""
    changed = copy.deepcopy(event)
    value_at(changed, way[:-1])[way[-1]] = None
    return changed


@given(places(), json_values)
@example(({"CodePipeline.job": {"id": "1"}}, ["CodePipeline.job", "id"]), "=")
@example(({"a\\": [0, {"=": 1}]}, ["a\\", 1, "="]), {"a": [1.5, None]})
def test_a_json_value_is_set_in_its_place_and_nothing_else_changes(place: Place, value: Any) -> None:
    event, way = place
    before = copy.deepcopy(event)

    parse_assignment(f"{'.'.join(map(escaped, way))}={json.dumps(value)}").apply(event)

    assert value_at(event, way) == value
    assert without(event, way) == without(before, way)


@given(places(), st.text())
def test_text_is_set_in_its_place_whatever_it_looks_like(place: Place, text: str) -> None:
    event, way = place

    parse_assignment(f"{'.'.join(map(escaped, way))}={text}", is_text=True).apply(event)

    assert value_at(event, way) == text


@given(st.text() | json_values.map(json.dumps))
@example("NaN")
@example("[-1e999]")
def test_a_value_is_json_if_it_is_valid_json_and_text_otherwise(text: str) -> None:
    value = parse_assignment(f"a={text}").value

    try:
        expected = json.loads(text)
        json.dumps(expected, allow_nan=False)
    except ValueError:
        expected = text
    assert value == expected


@pytest.mark.parametrize(
    ("text", "value"),
    [
        pytest.param("hello", "hello", id="a word"),
        pytest.param("1", 1, id="a number"),
        pytest.param("01", "01", id="not quite a number"),
        pytest.param('"1"', "1", id="a number in quotes"),
        pytest.param("true", True, id="a boolean"),
        pytest.param("null", None, id="null"),
        pytest.param('{"a": [1]}', {"a": [1]}, id="an object"),
        pytest.param("", "", id="nothing"),
        pytest.param("a=b.c", "a=b.c", id="an equals sign and a dot"),
        pytest.param("NaN", "NaN", id="NaN, which is not JSON"),
        pytest.param("1e999", "1e999", id="a number that no float holds"),
        pytest.param("[" * 100_000, "[" * 100_000, id="a list that is too deep"),
    ],
)
def test_a_value_is_read(text: str, value: object) -> None:
    assert parse_assignment(f"Records.0.body={text}") == Assignment(("Records", "0", "body"), value)


@pytest.mark.parametrize(
    ("event", "assignment", "expected"),
    [
        pytest.param({}, "a.b.c=1", {"a": {"b": {"c": 1}}}, id="objects that are missing"),
        pytest.param({"a": None}, "a.b=1", {"a": {"b": 1}}, id="null for an object"),
        pytest.param({"a": [1]}, "a.1=2", {"a": [1, 2]}, id="a list's next item"),
        pytest.param({"a": [1]}, "a.1.b=2", {"a": [1, {"b": 2}]}, id="a field of a list's next item"),
        pytest.param({"0": 1}, "0=2", {"0": 2}, id="a number that is a name"),
        pytest.param([{"a": 1}], "0.a=2", [{"a": 2}], id="an event that is a list"),
    ],
)
def test_what_is_missing_is_added(event: Any, assignment: str, expected: Any) -> None:
    parse_assignment(assignment).apply(event)

    assert event == expected


@pytest.mark.parametrize(
    ("event", "assignment", "message"),
    [
        pytest.param(
            {"a": [1]}, "a.2=1", "a is a list, whose items are 0 to 1 (a new one), but not '2'.", id="a gap in a list"
        ),
        pytest.param({"a": [1]}, "a.b=1", "a is a list, whose items are 0 to 1 (a new one), but not 'b'.", id="a name"),
        pytest.param({"a": ["x"]}, "a.0.b=1", "a.0 is \"x\", which has no field 'b'.", id="a field of text"),
        pytest.param("x", "a=1", "The event is \"x\", which has no field 'a'.", id="an event that is text"),
        pytest.param({}, "a", "'a' is not a field and a value, such as Records.0.body=hello.", id="no value"),
        pytest.param({}, "=a", "'=a' has an empty name before the '=' at 0.", id="no path"),
        pytest.param({}, "a..b=1", "'a..b=1' has an empty name before the '.' at 2.", id="two dots"),
        pytest.param({}, "a\\=1", "'a\\\\=1' is not a field and a value, such as Records.0.body=hello.", id="no end"),
    ],
)
def test_what_cannot_be_set_is_an_error(event: Any, assignment: str, message: str) -> None:
    with pytest.raises(InvalidField) as raised:
        parse_assignment(assignment).apply(event)

    assert str(raised.value) == message
