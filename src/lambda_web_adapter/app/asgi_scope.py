"""An ASGI scope: what the request is by what the event states, not the loopback hop (ASGI, "HTTP connection scope")."""

from __future__ import annotations

from urllib.parse import unquote

import httptools

from lambda_web_adapter.app.handling import CONTEXT, EVENT
from lambda_web_adapter.app.origin import Origin

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import ItemsView, Iterator, KeysView, Mapping, ValuesView
    from typing import Any

    from lambda_web_adapter.app.request_reader import RawRequest
    from lambda_web_adapter.context import Invocation

# From 2.4 on, `send` raises an OSError when nobody waits for the response any more: an app that does not listen for the
# end ends by it, and frameworks need no task that listens.
_ASGI = {"version": "3.0", "spec_version": "2.4"}


class Scope(dict[str, "Any"]):
    """A scope whose `aws.event` is read when someone asks for it, or makes a copy: few apps do, and it costs the most.

    Whatever is not overridden here does not show whether the event is in it.
    """

    __slots__ = ("_invocation",)

    def __init__(self, scope: dict[str, Any], invocation: Invocation) -> None:
        """Takes the scope without the event."""
        super().__init__(scope)
        self._invocation: Invocation | None = invocation

    def _read(self) -> None:
        if self._invocation is not None:
            invocation, self._invocation = self._invocation, None
            self.setdefault(EVENT, invocation.event)

    def __missing__(self, key: str) -> Any:
        """Reads the event."""
        if key == EVENT and self._invocation is not None:
            self._read()
            return self[key]
        raise KeyError(key)

    def get(self, key: str, default: Any = None) -> Any:
        """Is a dict's."""
        if key == EVENT:
            self._read()
        return super().get(key, default)

    def __contains__(self, key: object) -> bool:
        """Is a dict's."""
        return super().__contains__(key) or (key == EVENT and self._invocation is not None)

    def __iter__(self) -> Iterator[str]:
        """Is a dict's; `dict(scope)` and `{**scope}` come here too."""
        self._read()
        return super().__iter__()

    def __len__(self) -> int:
        """Is a dict's."""
        self._read()
        return super().__len__()

    def keys(self) -> KeysView[str]:  # type: ignore[override]  # dict_keys has no name of its own
        """Is a dict's."""
        self._read()
        return super().keys()

    def values(self) -> ValuesView[Any]:  # type: ignore[override]
        """Is a dict's."""
        self._read()
        return super().values()

    def items(self) -> ItemsView[str, Any]:  # type: ignore[override]
        """Is a dict's."""
        self._read()
        return super().items()

    def copy(self) -> dict[str, Any]:
        """Is a dict's."""
        self._read()
        return super().copy()

    def __or__(self, other: Any) -> Any:
        """Is a dict's."""
        self._read()
        return super().__or__(other)

    def pop(self, key: str, *default: Any) -> Any:
        """Is a dict's."""
        if key == EVENT:
            self._read()
        return super().pop(key, *default)

    def __eq__(self, other: object) -> bool:
        """Is a dict's."""
        self._read()
        return super().__eq__(other)

    def __repr__(self) -> str:
        """Is a dict's."""
        self._read()
        return super().__repr__()


def scope_of(
    request: RawRequest, headers: Mapping[bytes, bytes], peer: tuple[str, int], invocation: Invocation | None
) -> dict[str, Any]:
    """Makes the scope of a request; `state` is for the server to add.

    Args:
        request: the request.
        headers: its headers.
        peer: the other end of the connection, for a request that does not say where it came from.
        invocation: whose request it is.
    """
    origin = Origin(headers)
    raw_path, _, query = _origin_form(request.target).partition(b"?")
    path = raw_path.decode("ascii")
    if "%" in path:
        path = unquote(path)
    scope: dict[str, Any] = {
        "type": "http",
        "asgi": _ASGI.copy(),
        "http_version": request.version,
        "server": (origin.host, origin.port),
        "client": (origin.client, 0) if origin.client else peer,
        "scheme": origin.scheme,
        "method": request.method.decode("ascii"),
        "root_path": origin.prefix,
        "path": origin.prefix + path,
        "raw_path": origin.raw_prefix + raw_path,
        "query_string": query,
        "headers": request.headers,
    }
    if invocation is None:
        return scope
    scope[CONTEXT] = invocation.context
    return Scope(scope, invocation)


def _origin_form(target: bytes) -> bytes:
    """Leaves scheme and host out of a target (RFC 9112 §3.2.2)."""
    if target.startswith(b"/"):
        return target
    url = httptools.parse_url(target)
    return (url.path or b"/") + (b"?" + url.query if url.query else b"")
