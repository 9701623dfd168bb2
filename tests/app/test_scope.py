"""A scope with an event that is read late behaves as a plain dict that has it, whatever is done to it."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any

import pytest

from lambda_web_adapter.app.asgi.scope import Scope
from lambda_web_adapter.app_api.current_invocation import Invocation
from lambda_web_adapter.http import messages
from lambda_web_adapter.ipc import envelope

if TYPE_CHECKING:
    from collections.abc import Callable

EVENT = {"path": "/"}


class Watched(Invocation):
    """An invocation that counts how often its event is asked for."""

    __slots__ = ("asked",)

    def __init__(self) -> None:
        front = envelope.prepend_envelope(b"", messages.Invocation("1", b""), b'{"path": "/"}', {})
        super().__init__(front[envelope.HEADER_BYTES :], b"")
        self.asked = 0

    @property
    def event(self) -> Any:
        self.asked += 1
        return super().event


def updated(scope: dict[str, Any]) -> Any:
    scope.update({"path": "/b"}, extra=1)
    scope |= {"more": 1}
    return scope


def into_another(scope: dict[str, Any]) -> Any:
    other: dict[str, Any] = {"b": 1}
    other.update(scope)
    return other


def cleared(scope: dict[str, Any]) -> Any:
    scope.clear()
    return scope, scope.get("aws.event"), "aws.event" in scope


USES: dict[str, Callable[[dict[str, Any]], Any]] = {
    "item": lambda scope: scope["aws.event"],
    "get": lambda scope: scope.get("aws.event"),
    "get with a default": lambda scope: scope.get("aws.event", 1),
    "in": lambda scope: "aws.event" in scope,
    "pop": lambda scope: (scope.pop("aws.event"), scope),
    "pop with a default": lambda scope: (scope.pop("aws.event", 1), scope.pop("aws.event", 1)),
    "setdefault": lambda scope: (scope.setdefault("aws.event", 1), scope),
    "set": lambda scope: (scope.update({"aws.event": 1}), dict(scope)),
    "dict": lambda scope: (type(dict(scope)), dict(scope)),
    "unpacked": lambda scope: {**scope},
    "as arguments": lambda scope: (lambda **found: found)(**{"a": 1, **scope}),
    "copy": lambda scope: scope.copy(),
    "copy.copy": lambda scope: dict(copy.copy(scope)),
    "of its own type": lambda scope: type(scope)(scope).get("aws.event"),
    "deepcopy": lambda scope: dict(copy.deepcopy(scope)),
    "or": lambda scope: scope | {"b": 1},
    "or from the right": lambda scope: {"b": 1} | scope,
    "update of another": into_another,
    "updated": updated,
    "iter": list,
    "reversed": lambda scope: len(list(reversed(scope))),
    "keys": lambda scope: set(scope.keys()),
    "values": lambda scope: list(scope.values()),
    "items": lambda scope: list(scope.items()),
    "len": len,
    "equal": lambda scope: scope == {"type": "http", "path": "/a", "aws.event": EVENT},
    "not equal": lambda scope: scope != {"type": "http", "path": "/a", "aws.event": EVENT},
    "repr": repr,
    "popitem": lambda scope: (scope.popitem(), scope),
    "clear": cleared,
    "another key": lambda scope: (
        scope["type"],
        scope.get("path"),
        scope.get("none"),
        "type" in scope,
        "none" in scope,
    ),
}


def scopes() -> tuple[Scope, dict[str, Any], Watched]:
    watched = Watched()
    plain = {"type": "http", "path": "/a"}
    scope = Scope(plain)
    scope.unread = watched
    return scope, {**plain, "aws.event": EVENT}, watched


@pytest.mark.parametrize("use", USES.values(), ids=USES.keys())
def test_it_does_what_a_dict_does(use: Callable[[dict[str, Any]], Any]) -> None:
    scope, plain, _ = scopes()

    assert use(scope) == use(plain)


def test_a_key_that_is_not_there_is_not_there() -> None:
    scope, _, watched = scopes()

    with pytest.raises(KeyError):
        scope["aws.other"]
    assert watched.asked == 0


def test_the_event_is_not_read_by_what_an_app_does_to_every_request() -> None:
    scope, _, watched = scopes()

    scope["app"] = scope["type"], scope.get("path"), "router" in scope
    scope.update({"endpoint": 1})
    scope.setdefault("path_params", {})
    scope.pop("app")

    assert watched.asked == 0
