"""Build the ASGI scope, which describes the client's request and not the adapter's (ASGI, "HTTP connection scope")."""

from __future__ import annotations

from functools import wraps
from typing import TYPE_CHECKING
from urllib.parse import unquote

import httptools

from lambda_web_adapter.app.asgi.root_path import IN_PATH, NONE
from lambda_web_adapter.app.client_info import ClientInfo
from lambda_web_adapter.app.invocation_tracking import CONTEXT, EVENT
from lambda_web_adapter.app.request_parser import NotHttp

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from lambda_web_adapter.app.request_parser import RawRequest
    from lambda_web_adapter.app_api.current_invocation import Invocation

# Since 2.4, `send` raises an OSError once the client has disconnected. That ends apps that do not watch `receive`, and
# frameworks need no task to watch it.
_ASGI = {"version": "3.0", "spec_version": "2.4"}
_get = dict.get
_contains = dict.__contains__


def _with_event(method: Callable[..., Any]) -> Any:
    """Return a dict's method that adds the event first."""

    @wraps(method)
    def wrapped(scope: Scope, *args: Any) -> Any:
        scope.read()
        return method(scope, *args)

    return wrapped


def _with_event_key(method: Callable[..., Any]) -> Any:
    """Return a dict's method for one key that adds the event first if the key is the event's."""

    @wraps(method)
    def wrapped(scope: Scope, key: Any, *args: Any) -> Any:
        if key == EVENT:
            scope.read()
        return method(scope, key, *args)

    return wrapped


class Scope(dict[str, "Any"]):
    """A scope whose `aws.event` is parsed on first use, or when the scope is copied, since few apps use it.

    Otherwise it behaves like a dict with that item. `__getitem__` and `__delitem__` are a dict's own, so that other
    items are as fast as in a dict: `__missing__` finds the event, and before its first use there is nothing to delete.

    Attributes:
        unread: the invocation whose event has not been parsed yet; else None.
    """

    __slots__ = ("unread",)
    unread: Invocation | None

    def __getattr__(self, name: str) -> None:
        """Return None for `unread` in a scope that was made from another one, and so has the event already."""
        if name != "unread":
            raise AttributeError(f"A scope has no {name!r}.", name=name, obj=self)

    def read(self) -> None:
        """Add the event, if it has not been parsed yet."""
        if self.unread is not None:
            invocation, self.unread = self.unread, None
            super().setdefault(EVENT, invocation.event)

    def __missing__(self, key: str) -> Any:
        """Return the event if the key is the event's; Python calls this for missing keys."""
        if key == EVENT and self.unread is not None:
            self.read()
            return self[key]
        raise KeyError(key)

    # These two are written out for speed: frameworks call them about twenty times for each request.

    def __contains__(self, key: object) -> bool:
        """Return whether the scope has an item; the event counts even before it is parsed."""
        if key == EVENT:
            self.read()
        return _contains(self, key)

    def get(self, key: str, default: Any = None) -> Any:
        """Return an item, or the default if there is none."""
        if key == EVENT:
            self.read()
        return _get(self, key, default)

    pop = _with_event_key(dict.pop)
    setdefault = _with_event_key(dict.setdefault)

    __eq__ = _with_event(dict.__eq__)
    __iter__ = _with_event(dict.__iter__)  # `dict(scope)` and `{**scope}` come here too
    __len__ = _with_event(dict.__len__)
    __ne__ = _with_event(dict.__ne__)
    __or__ = _with_event(dict.__or__)
    __reduce_ex__ = _with_event(dict.__reduce_ex__)
    __repr__ = _with_event(dict.__repr__)
    __reversed__ = _with_event(dict.__reversed__)
    __ror__ = _with_event(dict.__ror__)
    clear = _with_event(dict.clear)
    copy = _with_event(dict.copy)
    items = _with_event(dict.items)
    keys = _with_event(dict.keys)
    popitem = _with_event(dict.popitem)
    values = _with_event(dict.values)


def build_scope(
    request: RawRequest, peer: tuple[str, int], invocation: Invocation | None, place: str = IN_PATH
) -> dict[str, Any]:
    """Return the scope of a request; the server adds `state`.

    Args:
        request: the request.
        peer: the address of the connection's other end, which is the client unless the request names one.
        invocation: the request's invocation; None without an adapter.
        place: where the app expects the removed part of the path, as `root_path_of` returns it.
    """
    client_info = ClientInfo(request.headers, from_adapter=request.from_adapter)
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
    """Return a request target without scheme and host (RFC 9112 §3.2.2).

    Raises:
        NotHttp: the target is invalid, or has no path, as with CONNECT.
    """
    try:
        url = httptools.parse_url(target)
    except httptools.HttpParserInvalidURLError as error:
        raise NotHttp(str(error)) from None
    return (url.path or b"/") + (b"?" + url.query if url.query else b"")
