"""Serve apps with uvicorn's own start and lifespan, for AWS_LWA_SERVER=uvicorn."""

from __future__ import annotations

from typing import TYPE_CHECKING

from uvicorn.config import Config
from uvicorn.server import Server

from lambda_web_adapter.app.asgi.connection import AsgiConnection
from lambda_web_adapter.app.asgi.server import AsgiServer

if TYPE_CHECKING:
    import asyncio
    import socket
    from typing import Any

    from uvicorn.server import ServerState


class UvicornServer(AsgiServer):
    """Leaves the start, the lifespan and the sockets to uvicorn.

    Uvicorn's ticks, signal handlers and shutdown stay unused: they take 100 ms of the 300 that Lambda gives to stop.
    """

    async def _open(self, listener: socket.socket) -> bool:
        def connection(
            config: Config,
            server_state: ServerState,
            app_state: dict[str, Any],
            _loop: asyncio.AbstractEventLoop | None = None,
        ) -> AsgiConnection:
            return AsgiConnection(self._app, self._tracker, self._connections, self._tasks, app_state)

        config = Config(
            self._lifespan,
            http=connection,  # type: ignore[arg-type]  # it is called for each connection, as a class is
            ws="none",
            lifespan="off" if self._settings.lifespan == "off" else "auto",
            interface="asgi3",
            log_config=None,
            log_level="warning",
        )
        config.load()
        server = Server(config)
        server.lifespan = config.lifespan_class(config)
        try:
            await server.startup([listener])
        except SystemExit:  # how uvicorn ends after a failed startup
            return False
        self._servers, self._shut_down = server.servers, server.lifespan.shutdown
        return True
