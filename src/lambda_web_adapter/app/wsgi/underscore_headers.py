"""Leave out headers with an underscore, whose names WSGI cannot distinguish from those with a hyphen.

Both become the same key (RFC 3875 §4.1.18): a client's `x_user` would be taken for a gateway's `x-user`, or be joined
to it. Gunicorn and nginx leave such headers out too.
"""

from __future__ import annotations

import logging
from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from typing import Any

    from uvicorn._types import ASGI3Application, ASGIReceiveCallable, ASGISendCallable

logger = logging.getLogger(__name__)


@cache
def warn_once() -> None:
    """Log that a header was left out, once in each process."""
    logger.warning(
        "A header whose name has an underscore was left out, since WSGI cannot distinguish it from the same name with "
        "a hyphen. Set AWS_LWA_UNDERSCORE_HEADERS=true to accept such headers."
    )


def without_underscores(app: ASGI3Application) -> ASGI3Application:
    """Wrap an app so that it gets no such headers, for a WSGI app whose environ is built from an ASGI scope."""

    async def wrapped(scope: Any, receive: ASGIReceiveCallable, send: ASGISendCallable) -> None:
        headers = scope.get("headers", ())
        if any(b"_" in name for name, _ in headers):
            warn_once()
            scope["headers"] = [pair for pair in headers if b"_" not in pair[0]]
        await app(scope, receive, send)

    return wrapped
