"""The servers of a local run: on each listener a gateway, or a WebSocket API, and the Invoke API."""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from lambda_web_adapter.local.caller_checks import is_loopback
from lambda_web_adapter.local.event_sources import WEBSOCKET
from lambda_web_adapter.local.gateway_app import GatewayApp
from lambda_web_adapter.local.gateways import GatewayOptions, build_gateway
from lambda_web_adapter.local.invoke_api.app import BesideInvokeApi, InvokeApi
from lambda_web_adapter.local.invoke_api.async_invocations import AS_ON_LAMBDA, FAST, AsyncInvocations
from lambda_web_adapter.local.listeners import format_url
from lambda_web_adapter.local.server import serve

if TYPE_CHECKING:
    import socket
    from collections.abc import AsyncIterator

    from lambda_web_adapter.local.environments.function import Function
    from lambda_web_adapter.local.listeners import Listener
    from lambda_web_adapter.local.log import Log
    from lambda_web_adapter.local.run import RunOptions
    from lambda_web_adapter.local.websocket_api.app import WebSocketApi


class GatewayServers:
    """All gateways of a local run, and the queue of asynchronous events, before one function."""

    def __init__(self, options: RunOptions, function: Function, log: Log) -> None:
        """Prepare, given what the run is to do, the function, and the log."""
        self._options = options
        self._function = function
        self._log = log
        self._websocket_apis: list[WebSocketApi] = []
        self._queue = AsyncInvocations(
            function,
            log,
            policy=AS_ON_LAMBDA if options.function.is_strict else FAST,
            dead_letter_folder=options.dead_letter_folder,
        )

    @asynccontextmanager
    async def serve(self, listener: Listener, bound: socket.socket) -> AsyncIterator[str]:
        """Serve a listener's gateway on its socket while the block runs; log its URL, and return it."""
        app, prefix = self._app(listener)
        invoke_api = InvokeApi(self._function, self._queue, self._log, listener.host)
        async with serve(bound, BesideInvokeApi(app, invoke_api), certificate=self._options.certificate):
            host, port = bound.getsockname()[:2]
            scheme = "ws" if listener.source == WEBSOCKET else "http"
            url = format_url(f"{scheme}s" if self._options.certificate else scheme, host, port, prefix)
            behind = "" if listener.source == "function-url" else f" behind {app.title}"
            self._log.line(f"Serving {self._options.title} on {url} through an embedded Lambda{behind}. Ctrl-C stops.")
            if not is_loopback(host):
                self._log.line("Anyone who can reach this address can call the app, and send it events of any source.")
            yield url

    async def stop(self) -> None:
        """Close the connections of WebSocket APIs, whose `$disconnect` events follow, and stop asynchronous events."""
        for api in self._websocket_apis:
            await api.stop()
        await self._queue.stop()

    def _app(self, listener: Listener) -> tuple[GatewayApp | WebSocketApi, str]:
        """Return a listener's ASGI app, and the prefix of its paths."""
        options = self._options
        if listener.source != WEBSOCKET:
            gateway = build_gateway(listener.source, options.gateway or GatewayOptions())
            return GatewayApp(gateway, self._function, self._log), gateway.prefix
        from lambda_web_adapter.local.websocket_api.app import WebSocketApi  # few runs need it

        self._websocket_apis.append(WebSocketApi(self._function, self._log, options.websocket, listener.host))
        return self._websocket_apis[-1], ""
