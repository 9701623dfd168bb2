"""A Bedrock agent's calls as requests, for all calls at once."""

import json
from collections import Counter
from typing import Any
from urllib.parse import parse_qsl, unquote_to_bytes

from hypothesis import example, given
from hypothesis import strategies as st

from properties.other_services import AgentCall, Parameter, bedrock_agent
from properties.strategies import EVERYTHING_ON, agent_calls, json_values
from properties.translating import translated

TYPES: dict[str, tuple[type, ...]] = {
    "integer": (int,),
    "number": (int, float),
    "boolean": (bool,),
    "array": (list,),
    "object": (dict,),
}


def property_of(call: AgentCall) -> Any:
    """The one property of a JSON body, as the app reads it."""
    return json.loads(translated(bedrock_agent(call), EVERYTHING_ON).body)["a"]


def with_property(declared: str, value: Any) -> AgentCall:
    parameter = Parameter(name="a", declared=declared, value=value)
    return AgentCall(method="POST", segments=[], query=[], content_type="application/json", properties=[parameter])


def is_of_type(value: Any, declared: str) -> bool:
    """As JSON Schema has it, where true is no number."""
    return isinstance(value, TYPES[declared]) and isinstance(value, bool) == (declared == "boolean")


@given(agent_calls)
@example(AgentCall(method="GET", segments=[Parameter(name="a", declared="string", value="..")], query=[]))
@example(AgentCall(method="GET", segments=[Parameter(name="a", declared="string", value="x/y?z#%2F")], query=[]))
@example(AgentCall(method="GET", segments=[Parameter(name="a", declared="integer", value=2**64)], query=[]))
@example(AgentCall(method="GET", segments=[Parameter(name="a", declared="number", value=1e-05)], query=[]))
def test_each_placeholder_is_filled_within_its_own_segment(call: AgentCall) -> None:
    made = translated(bedrock_agent(call), EVERYTHING_ON)

    root, *found = made.path.split("/")
    texts = [segment if isinstance(segment, str) else segment.text for segment in call.segments]
    assert root == ""
    assert [unquote_to_bytes(segment).decode() for segment in found] == (texts or [""])
    assert set(found).isdisjoint({".", ".."})
    assert (made.method, made.client, made.prefix) == (call.method, "", "")


@given(agent_calls)
@example(AgentCall(method="GET", segments=[], query=[Parameter(name="a", declared="integer", value=-(2**64))]))
@example(AgentCall(method="GET", segments=[], query=[Parameter(name="a", declared="number", value=1e-05)]))
@example(AgentCall(method="GET", segments=[], query=[Parameter(name="a", declared="number", value="null")]))
@example(AgentCall(method="GET", segments=[], query=[Parameter(name="a", declared="number", value="1.50")]))
def test_what_the_path_does_not_name_is_the_query(call: AgentCall) -> None:
    found = parse_qsl(translated(bedrock_agent(call), EVERYTHING_ON).query, keep_blank_values=True)

    expected: list[tuple[str, Any]] = []
    for parameter in call.query:
        items = parameter.value if parameter.declared == "array" else [parameter.text]
        expected += [(parameter.name, item) for item in items]
    assert [name for name, _ in found] == [name for name, _ in expected]
    for (_, text), (_, value) in zip(found, expected, strict=True):
        assert text == value if isinstance(value, str) else json.loads(text) == value


@given(agent_calls)
@example(with_property("integer", 2**64))
@example(with_property("array", [2**70]))
def test_the_properties_are_the_body(call: AgentCall) -> None:
    made = translated(bedrock_agent(call), EVERYTHING_ON)

    values = {parameter.name: parameter.value for parameter in call.properties}
    if call.content_type == "application/json":
        assert json.loads(made.body) == values
    elif call.content_type:
        found = parse_qsl(made.body.decode(), keep_blank_values=True)
        assert Counter(name for name, _ in found) == Counter(values.keys())
        texts = {
            name: value if isinstance(value, str) else json.loads(dict(found)[name]) for name, value in values.items()
        }
        assert texts == values
    else:
        assert made.body == b""
    assert ("content-type" in dict(made.headers)) == bool(call.content_type)


@given(st.sampled_from(sorted(TYPES)), json_values.map(json.dumps) | st.text(st.characters(codec="utf-8"), max_size=8))
@example("number", "NaN")
@example("number", "1e999")
@example("integer", "true")
@example("integer", "[1]")
@example("array", "{}")
def test_what_is_not_of_its_declared_type_stays_text(declared: str, text: str) -> None:
    value = property_of(with_property(declared, text))

    assert value == text or is_of_type(value, declared)


@given(st.sampled_from(["GET", "POST"]), st.sampled_from(["x-amzn-event-source", "X-Amzn-Event-Source"]))
def test_a_call_says_that_it_is_one(method: str, name: str) -> None:
    call = AgentCall(method=method, segments=["a"], query=[Parameter(name=name, declared="string", value="forged")])

    assert translated(bedrock_agent(call), EVERYTHING_ON).reserved_headers == [("x-amzn-event-source", "bedrock-agent")]
