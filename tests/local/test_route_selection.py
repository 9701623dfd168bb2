"""Route selection expressions."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lambda_web_adapter.local.websocket_api.route_selection import InvalidExpression, RouteSelection

BODY = json.dumps({"action": "join", "data": {"kind": "x-y", "items": [{"n": 7}, {"n": True}]}, "none": None})


@pytest.mark.parametrize(
    ("expression", "route"),
    [
        ("$request.body.action", "join"),
        ("${request.body.action}", "join"),
        ("$request.body.data.kind", "x-y"),
        ("$request.body.data.items[0].n", "7"),
        ("$request.body.data.items[1].n", "true"),
        ("${request.body.action}/${request.body.data.kind}", "join/x-y"),
        ("v1-${request.body.action}", "v1-join"),
        ("$request.body.none", "$default"),
        ("$request.body.data", "$default"),
        ("$request.body.data.items[9].n", "$default"),
        ("$request.body.action.more", "$default"),
        ("$request.body[0]", "$default"),
    ],
)
def test_it_selects_by_a_path(expression: str, route: str) -> None:
    assert RouteSelection(expression).select(BODY) == route


@pytest.mark.parametrize("route", ["$connect", "$disconnect", "$default", ""])
def test_clients_cannot_select_api_gateway_s_own_routes(route: str) -> None:
    assert RouteSelection().select(json.dumps({"action": route})) == "$default"


@pytest.mark.parametrize(
    "expression", ["", "action", "$request.body", "$request.header.x", "$request.body.", "${request.body.a", "$a-${b}"]
)
def test_other_expressions_are_refused_with_an_example(expression: str) -> None:
    with pytest.raises(InvalidExpression, match=r"\$request\.body\.action"):
        RouteSelection(expression)


@given(st.text(), st.none() | st.frozensets(st.text(), max_size=3))
def test_any_message_has_a_route(message: str, routes: frozenset[str] | None) -> None:
    selected = RouteSelection().select(message, routes)

    assert selected == "$default" or routes is None or selected in routes


@given(st.text(min_size=1).filter(lambda name: not name.startswith("$")))
def test_any_action_is_a_route(action: str) -> None:
    assert RouteSelection().select(json.dumps({"action": action})) == action


def test_a_deeply_nested_message_goes_to_the_default_route() -> None:
    assert RouteSelection().select("[" * 100_000) == "$default"
