"""The HTTP servers of a local run: uvicorn's protocol, on a socket for each gateway and each environment."""

from __future__ import annotations

import asyncio
import logging
from contextlib import asynccontextmanager
from functools import partial
from typing import TYPE_CHECKING, Any, cast

from uvicorn.config import Config
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
from uvicorn.server import ServerState

if TYPE_CHECKING:
    import socket
    from collections.abc import AsyncIterator

    from uvicorn._types import ASGI3Application

    from lambda_web_adapter.local.tls import Certificate

# How long clients may go on reading their responses when a server stops.
_STOP_SECONDS = 1.0
# What uvicorn logs if an app leaves a response incomplete, which is how our gateway breaks off a stream, and if a
# client offers another protocol, such as h2c, and gets HTTP/1.1: the second line advises to install libraries.
_UNWANTED_LINES = (
    "ASGI callable returned without completing response.",
    "Unsupported upgrade request.",
    "No supported WebSocket library detected.",
)


@asynccontextmanager
async def serve(
    listener: socket.socket,
    app: ASGI3Application,
    stop_seconds: float = _STOP_SECONDS,
    websockets: bool = True,
    certificate: Certificate | None = None,
) -> AsyncIterator[None]:
    """Serve an ASGI app on a listening socket while the block runs.

    Args:
        listener: the socket; it is closed at the end.
        app: the app.
        stop_seconds: how long the connections may go on at the end.
        websockets: whether the app takes WebSocket handshakes; else they are plain requests to it.
        certificate: the certificate, if the app is served over TLS.
    """
    context = certificate.server_context() if certificate else None
    config, state = _config(app, websockets), ServerState()
    protocol = partial(HttpToolsProtocol, config=config, server_state=state, app_state={})
    server = await asyncio.get_running_loop().create_server(protocol, sock=listener, ssl=context)
    try:
        yield
    finally:
        server.close()
        await _close_connections(state, stop_seconds)


async def _close_connections(state: ServerState, seconds: float) -> None:
    """Close idle connections at once, and others when their responses are complete or the time is over."""
    for connection in list(state.connections):
        connection.shutdown()
    if state.tasks and seconds:
        await asyncio.wait(state.tasks, timeout=seconds)
    for connection in list(state.connections):
        connection.transport.abort()
    if state.tasks and seconds:
        await asyncio.wait(state.tasks, timeout=seconds)  # they learn that their connections have ended


def _config(app: ASGI3Application, websockets: bool) -> Config:
    """Return the server's settings.

    The parser has to be httptools: it adds a request's trailers to the headers of the scope, and ASGI has no other way
    to receive trailers. In them the bootstrap reports that a stream has failed.
    """
    config = Config(
        app,
        interface="asgi3",
        http=HttpToolsProtocol,
        lifespan="off",
        ws=cast("type[asyncio.Protocol]", _open_websocket) if websockets else "none",
        ws_ping_interval=None,  # API Gateway sends no pings
        ws_per_message_deflate=False,
        log_config=None,
        log_level="warning",
        proxy_headers=False,
        server_header=False,
        date_header=False,  # an app may send its own
    )
    config.load()
    log = logging.getLogger("uvicorn.error")
    if _is_wanted not in log.filters:
        log.addFilter(_is_wanted)
    return config


def _open_websocket(**connection: Any) -> asyncio.Protocol:
    """Return the protocol of a new WebSocket connection; the import takes 20 ms, and most runs need none."""
    from lambda_web_adapter.local.websocket_api.protocol import WebSocketProtocol

    return WebSocketProtocol(**connection)


def _is_wanted(record: logging.LogRecord) -> bool:
    """Return whether one of uvicorn's lines says something that ours do not."""
    return not str(record.msg).startswith(_UNWANTED_LINES)
