"""The server of a local run: uvicorn, on two sockets, one for the gateway and one for the Runtime API."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from uvicorn.config import Config

if TYPE_CHECKING:
    from uvicorn._types import ASGI3Application, ASGIReceiveCallable, ASGISendCallable, Scope

    from lambda_web_adapter.local.gateway import GatewayApp
    from lambda_web_adapter.local.runtime_service import RuntimeService

# A client that reads nothing would keep its connection, and with it the server, for ever.
_STOP_SECONDS = 2
# What uvicorn says of an app that leaves a response unfinished: our gateway's way to break off a stream.
_UNFINISHED = "ASGI callable returned without completing response."


class Dispatch:
    """Tells the two listening sockets apart."""

    def __init__(self, gateway: GatewayApp, service: RuntimeService, runtime_port: int) -> None:
        """Takes both apps, and the Runtime API's port."""
        self._gateway = gateway
        self._service = service
        self._runtime_port = runtime_port

    async def __call__(self, scope: Scope, receive: ASGIReceiveCallable, send: ASGISendCallable) -> None:
        """Passes a request on."""
        if scope["type"] == "http":
            server = scope["server"]
            app = self._service if server and server[1] == self._runtime_port else self._gateway
            await app(scope, receive, send)


def config(app: ASGI3Application) -> Config:
    """Makes the server's settings.

    The parser is httptools by name: it adds a request's trailers to the headers of the scope when they come, which ASGI
    has no other way for. By them the bootstrap says that a stream has failed.
    """
    found = Config(
        app,
        interface="asgi3",
        http="httptools",
        lifespan="off",
        ws="none",
        log_level="warning",
        proxy_headers=False,
        server_header=False,
        date_header=False,  # an app may send its own
        timeout_graceful_shutdown=_STOP_SECONDS,
    )
    logging.getLogger("uvicorn.error").addFilter(_without_unfinished)
    return found


def _without_unfinished(record: logging.LogRecord) -> bool:
    """Drops the line of uvicorn's where ours says more."""
    return record.msg != _UNFINISHED
