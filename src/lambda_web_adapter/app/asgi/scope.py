"""An ASGI scope: what the request is by what the event states, not the loopback hop (ASGI, "HTTP connection scope")."""

from __future__ import annotations

from functools import wraps
from urllib.parse import unquote

import httptools

from lambda_web_adapter.app.asgi.root_path import IN_PATH, NONE
from lambda_web_adapter.app.client_info import ClientInfo
from lambda_web_adapter.app.invocation_tracking import CONTEXT, EVENT
from lambda_web_adapter.app.request_parser import NotHttp
from lambda_web_adapter.http.trusted_headers import client_headers

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from lambda_web_adapter.app.request_parser import RawRequest
    from lambda_web_adapter.app_api.current_invocation import Invocation

# From 2.4 on, `send` raises an OSError when nobody waits for the response any more: an app that does not listen for the
# end ends by it, and frameworks need no task that listens.
_ASGI = {"version": "3.0", "spec_version": "2.4"}
_get = dict.get
_contains = dict.__contains__


def _of_all(method: Callable[..., Any]) -> Any:
    """Has a dict's method see the event."""

    @wraps(method)
    def reading(scope: Scope, *args: Any) -> Any:
        scope.read()
        return method(scope, *args)

    return reading


def _of_one(method: Callable[..., Any]) -> Any:
    """Has a dict's method see the event if that is the key that it is asked about."""

    @wraps(method)
    def reading(scope: Scope, key: Any, *args: Any) -> Any:
        if key == EVENT:
            scope.read()
        return method(scope, key, *args)

    return reading


class Scope(dict[str, "Any"]):
    """A scope whose `aws.event` is read when someone asks for it, or makes a copy: few apps do, and it costs the most.

    But for that it is as a dict that has it. To read and set other items costs as little as with a dict, so that there
    is no `__getitem__` or `__delitem__` here: `del` has nothing to remove before the event was read.

    Attributes:
        unread: the invocation whose event was not read yet.
    """

    __slots__ = ("unread",)
    unread: Invocation | None

    def __getattr__(self, name: str) -> None:
        """Has a scope that someone has made of another one have nothing to read."""
        if name != "unread":
            raise AttributeError(f"A scope has no {name!r}.", name=name, obj=self)

    def read(self) -> None:
        """Reads the event, unless that was done."""
        if self.unread is not None:
            invocation, self.unread = self.unread, None
            super().setdefault(EVENT, invocation.event)

    def __missing__(self, key: str) -> Any:
        """Gives the event, if that is the key."""
        if key == EVENT and self.unread is not None:
            self.read()
            return self[key]
        raise KeyError(key)

    # Frameworks call these some twenty times for each request.

    def __contains__(self, key: object) -> bool:
        """Says whether there is such an item."""
        if key == EVENT:
            self.read()
        return _contains(self, key)

    def get(self, key: str, default: Any = None) -> Any:
        """Gives an item, or the default."""
        if key == EVENT:
            self.read()
        return _get(self, key, default)

    pop = _of_one(dict.pop)
    setdefault = _of_one(dict.setdefault)

    __eq__ = _of_all(dict.__eq__)
    __iter__ = _of_all(dict.__iter__)  # `dict(scope)` and `{**scope}` come here too
    __len__ = _of_all(dict.__len__)
    __ne__ = _of_all(dict.__ne__)
    __or__ = _of_all(dict.__or__)
    __reduce_ex__ = _of_all(dict.__reduce_ex__)
    __repr__ = _of_all(dict.__repr__)
    __reversed__ = _of_all(dict.__reversed__)
    __ror__ = _of_all(dict.__ror__)
    clear = _of_all(dict.clear)
    copy = _of_all(dict.copy)
    items = _of_all(dict.items)
    keys = _of_all(dict.keys)
    popitem = _of_all(dict.popitem)
    values = _of_all(dict.values)


def build_scope(
    request: RawRequest, peer: tuple[str, int], invocation: Invocation | None, place: str = IN_PATH
) -> dict[str, Any]:
    """Makes the scope of a request; `state` is for the server to add.

    Args:
        request: the request.
        peer: the other end of the connection, for a request that does not say where it came from.
        invocation: whose request it is.
        place: where the removed part of the path goes, as `root_path` has it.
    """
    client_info = ClientInfo(client_headers(request.headers, from_adapter=request.from_adapter))
    target = request.target if request.target.startswith(b"/") else _origin_form(request.target)
    raw_path, _, query = target.partition(b"?")
    path = raw_path.decode("ascii")
    if "%" in path:
        path = unquote(path)
    scope: dict[str, Any] = {
        "type": "http",
        "asgi": _ASGI.copy(),
        "http_version": request.version,
        "server": (client_info.host, client_info.port),
        "client": (client_info.client, 0) if client_info.client else peer,
        "scheme": client_info.scheme,
        "method": request.method.decode("ascii"),
        "root_path": client_info.prefix,
        "path": client_info.prefix + path,
        "raw_path": client_info.raw_prefix + raw_path,
        "query_string": query,
        "headers": request.headers,
    }
    if client_info.prefix and place != IN_PATH:
        scope.update(path=path, raw_path=raw_path, root_path="" if place == NONE else client_info.prefix)
    if invocation is None:
        return scope
    scope[CONTEXT] = invocation
    lazy = Scope(scope)
    lazy.unread = invocation
    return lazy


def _origin_form(target: bytes) -> bytes:
    """Return a target without scheme and host (RFC 9112 §3.2.2).

    Raises:
        NotHttp: it has no path, as that of CONNECT, or is no target.
    """
    try:
        url = httptools.parse_url(target)
    except httptools.HttpParserInvalidURLError as error:
        raise NotHttp(str(error)) from None
    return (url.path or b"/") + (b"?" + url.query if url.query else b"")
