"""Header names with an underscore, which WSGI cannot tell from those with a hyphen (RFC 3875 §4.1.18).

A client's `x_user` would be `HTTP_X_USER`, as what a gateway says in `x-user`, or be joined to it. Gunicorn and nginx
leave such headers out too.
"""

from __future__ import annotations

import logging
from functools import cache

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from uvicorn._types import ASGI3Application, ASGIReceiveCallable, ASGISendCallable

logger = logging.getLogger(__name__)


@cache
def warn_once() -> None:
    """Log that a header was left out, once in the life of the process."""
    logger.warning(
        "A header whose name has an underscore was left out, since WSGI cannot tell it from the same name with a "
        "hyphen. AWS_LWA_UNDERSCORE_HEADERS=true lets such headers in."
    )


def without_underscores(app: ASGI3Application) -> ASGI3Application:
    """Return the app without such headers, for a WSGI app whose environ is made from an ASGI scope."""

    async def called(scope: Any, receive: ASGIReceiveCallable, send: ASGISendCallable) -> None:
        headers = scope.get("headers", ())
        if any(b"_" in name for name, _ in headers):
            warn_once()
            scope["headers"] = [pair for pair in headers if b"_" not in pair[0]]
        await app(scope, receive, send)

    return called
