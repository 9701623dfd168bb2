"""The server of a local run: uvicorn on two sockets, one for the gateway and one for the Runtime API."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING

from uvicorn.config import Config
from uvicorn.server import Server

if TYPE_CHECKING:
    import socket
    from collections.abc import Awaitable, Callable
    from types import FrameType

    from uvicorn._types import ASGI3Application, ASGIReceiveCallable, ASGISendCallable, Scope

    from lambda_web_adapter.local.gateway_app import GatewayApp
    from lambda_web_adapter.local.runtime_api_app import RuntimeApiApp

# How long clients may go on reading their responses when the server stops.
_STOP_SECONDS = 1.0
# What uvicorn logs if an app leaves a response incomplete, which is how our gateway breaks off a stream.
_UNFINISHED = "ASGI callable returned without completing response."


class Dispatch:
    """The ASGI app of both sockets: it passes each request to the app for the port that the request came to."""

    def __init__(self, gateway: GatewayApp, service: RuntimeApiApp, runtime_port: int) -> None:
        """Prepare, given both apps and the Runtime API's port."""
        self._gateway = gateway
        self._service = service
        self._runtime_port = runtime_port

    async def __call__(self, scope: Scope, receive: ASGIReceiveCallable, send: ASGISendCallable) -> None:
        """Pass an HTTP request to its app."""
        if scope["type"] == "http":
            server = scope["server"]
            app = self._service if server and server[1] == self._runtime_port else self._gateway
            await app(scope, receive, send)


class LocalServer(Server):
    """Uvicorn's server, which on a signal stops the environment first, and then returns."""

    def __init__(self, app: ASGI3Application, stop: Callable[[], Awaitable[None]]) -> None:
        """Prepare, given the app and the function that stops the environment."""
        super().__init__(_config(app))
        self._stop = stop

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Stop the server after SIGINT or SIGTERM."""
        self.should_exit = True

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Stop the environment, which closes its connections to the Runtime API, and then the server."""
        await self._stop()
        aborting = asyncio.get_running_loop().call_later(_STOP_SECONDS, self._abort)
        await super().shutdown(sockets)
        aborting.cancel()

    def _abort(self) -> None:
        """Close the connections of clients that have not read the rest of their responses."""
        for connection in list(self.server_state.connections):
            connection.transport.abort()


def _config(app: ASGI3Application) -> Config:
    """Return the server's settings.

    The parser has to be httptools: it adds a request's trailers to the headers of the scope, and ASGI has no other way
    to receive trailers. In them the bootstrap reports that a stream has failed.
    """
    config = Config(
        app,
        interface="asgi3",
        http="httptools",
        lifespan="off",
        ws="none",
        log_level="warning",
        proxy_headers=False,
        server_header=False,
        date_header=False,  # an app may send its own
    )
    logging.getLogger("uvicorn.error").addFilter(_without_unfinished)
    return config


def _without_unfinished(record: logging.LogRecord) -> bool:
    """Drop uvicorn's line about an unfinished response, since ours gives the reason."""
    return record.msg != _UNFINISHED
