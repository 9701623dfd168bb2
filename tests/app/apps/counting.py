"""An app of both kinds that says which request it is asked by, and under /taken all that have come since then."""

from collections.abc import Awaitable, Callable, Iterable, MutableMapping
from typing import Any

_taken: list[str] = []


def _answer(method: str, path: str) -> bytes:
    if path != "/taken":
        _taken.append(f"{method} {path}")
        return f"{method} {path}".encode()
    found = "\n".join(_taken)
    _taken.clear()
    return found.encode()


def wsgi(environ: dict[str, Any], start_response: Callable[..., object]) -> Iterable[bytes]:
    body = _answer(environ["REQUEST_METHOD"], environ["PATH_INFO"])
    start_response("200 OK", [("content-length", str(len(body)))])
    return [body]


async def app(
    scope: MutableMapping[str, Any],
    receive: Callable[[], Awaitable[MutableMapping[str, Any]]],
    send: Callable[[MutableMapping[str, Any]], Awaitable[None]],
) -> None:
    if scope["type"] == "lifespan":
        await receive()
        await send({"type": "lifespan.startup.complete"})
        await receive()
        await send({"type": "lifespan.shutdown.complete"})
        return
    body = _answer(scope["method"], scope["path"])
    length = str(len(body)).encode()
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", length)]})
    await send({"type": "http.response.body", "body": body})
