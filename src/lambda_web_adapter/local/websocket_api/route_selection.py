"""Find a message's route by the API's route selection expression.

https://docs.aws.amazon.com/apigateway/latest/developerguide/websocket-api-develop-routes.html
"""

from __future__ import annotations

import json
import re
from typing import Any

DEFAULT_EXPRESSION = "$request.body.action"
DEFAULT_ROUTE = "$default"
# Routes that only API Gateway itself selects.
_RESERVED = frozenset({"$connect", "$disconnect"})

# Names and indices that lead to a value of the body.
_PATH = r"request\.body((?:\.[\w-]+|\[\d+\])+)"
_WHOLE = re.compile(rf"\${_PATH}|\$\{{{_PATH}\}}")
_PART = re.compile(rf"\$\{{{_PATH}\}}")
_STEP = re.compile(r"\.([\w-]+)|\[(\d+)\]")


class InvalidExpression(ValueError):
    """The expression selects nothing of a message's body."""


class RouteSelection:
    """A route selection expression, parsed."""

    def __init__(self, expression: str = DEFAULT_EXPRESSION) -> None:
        """Parse an expression: `$request.body.NAME`, or text with `${request.body.NAME}` in it.

        Raises:
            InvalidExpression: it is neither.
        """
        self.expression = expression
        whole = _WHOLE.fullmatch(expression)
        # Text and paths in turn, as `re.split` returns them: the paths have the odd indices.
        self._pieces = ["", whole[1] or whole[2], ""] if whole else _PART.split(expression)
        if len(self._pieces) == 1 or any("$" in text for text in self._pieces[::2]):
            raise InvalidExpression(
                f"{expression!r} is not a route selection expression. Expected a value of the message's JSON, such as "
                f"{DEFAULT_EXPRESSION} or $request.body.data.kind, or text with such values, such as "
                "${request.body.service}/${request.body.method}."
            )

    def select(self, message: str, routes: frozenset[str] | None = None) -> str:
        """Return the route of a message.

        Args:
            message: the message.
            routes: the routes that the API has besides `$default`; None if it has any.

        Returns:
            The route's name; `$default` if the message is not JSON, lacks a value, or selects a route that the API
            does not have.
        """
        try:
            body = json.loads(message)
            values = [_format(_look_up(body, path)) for path in self._pieces[1::2]]
        except (ValueError, LookupError, TypeError, RecursionError):
            return DEFAULT_ROUTE
        pieces = list(self._pieces)
        pieces[1::2] = values
        route = "".join(pieces)
        if not route or route in _RESERVED or (routes is not None and route not in routes):
            return DEFAULT_ROUTE
        return route


def _look_up(body: Any, path: str) -> Any:
    """Return the value that a path leads to.

    Raises:
        LookupError, TypeError: there is none.
    """
    for name, index in _STEP.findall(path):
        body = body[name] if name else body[int(index)]
    return body


def _format(value: Any) -> str:
    """Return a scalar as text.

    Raises:
        TypeError: it is null, a list or an object.
    """
    if isinstance(value, str):
        return value
    if isinstance(value, bool | int | float):
        return json.dumps(value)
    raise TypeError(type(value).__name__)
