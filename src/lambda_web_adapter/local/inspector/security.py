"""Who may use the inspector, and what a browser may do with its responses."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING
from urllib.parse import parse_qs

from lambda_web_adapter.local.asgi_messages import send_json
from lambda_web_adapter.local.caller_checks import refusal_of_invoke

if TYPE_CHECKING:
    from uvicorn._types import (
        ASGI3Application,
        ASGIReceiveCallable,
        ASGISendCallable,
        ASGISendEvent,
        HTTPScope,
        Scope,
    )

HOST = "127.0.0.1"
API = "/api"
_TITLE = "The inspector"
# Scripts and styles come from the inspector alone, and no script can send anything elsewhere.
_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
_HEADERS = [
    (b"content-security-policy", _POLICY.encode()),
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
    (b"cross-origin-resource-policy", b"same-origin"),
    (b"cache-control", b"no-store"),
]


class Guarded:
    """An ASGI app that is called by programs and pages of this user alone."""

    def __init__(self, app: ASGI3Application, token: str) -> None:
        """Prepare, given the app and the token that requests to the API carry."""
        self._app = app
        self._token = token.encode()

    async def __call__(self, scope: Scope, receive: ASGIReceiveCallable, send: ASGISendCallable) -> None:
        """Refuse a request, or pass it on; the response gets the headers."""
        if scope["type"] != "http":
            return

        async def send_with_headers(event: ASGISendEvent) -> None:
            if event["type"] == "http.response.start":
                own = {name for name, _ in _HEADERS}
                headers = [(name, value) for name, value in event.get("headers", []) if name.lower() not in own]
                event = {**event, "headers": [*headers, *_HEADERS]}
            await send(event)

        if refusal := refusal_of_invoke(scope, HOST, _TITLE) or self._refusal_of_token(scope):
            await send_json(send_with_headers, 403, {"message": refusal})
        else:
            await self._app(scope, receive, send_with_headers)

    def _refusal_of_token(self, scope: HTTPScope) -> str:
        """Return why a request has no token; empty if it has, or needs none, as the page's files."""
        if not (scope["path"] == API or scope["path"].startswith(f"{API}/")):
            return ""
        headers = [value for name, value in scope["headers"] if name == b"authorization"]
        tokens = [value.removeprefix(b"Bearer ") for value in headers if value.startswith(b"Bearer ")]
        if not headers and scope["method"] == "GET":  # EventSource, and links, have no headers
            parameters = parse_qs(scope["query_string"].decode("latin-1"))
            tokens = [value.encode() for value in parameters.get("token", [])]
        if len(tokens) == 1 and secrets.compare_digest(tokens[0], self._token):
            return ""
        reason = "The token is wrong, or that of an earlier run. " if tokens else ""
        return f"{reason}{_TITLE}'s API needs the token of the run: Authorization: Bearer …, or for GET ?token=…"
