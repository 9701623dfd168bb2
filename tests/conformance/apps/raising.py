"""Apps of both kinds that raise."""

from __future__ import annotations

from typing import Any, NoReturn


async def asgi(scope: dict[str, Any], receive: object, send: object) -> None:
    """The ASGI app."""
    raise RuntimeError(f"{scope['type']} is too much")


def wsgi(environ: dict[str, Any], start_response: object) -> NoReturn:
    """The WSGI app."""
    raise RuntimeError(f"{environ['REQUEST_METHOD']} is too much")
