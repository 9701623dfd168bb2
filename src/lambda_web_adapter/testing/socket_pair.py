"""HTTP between adapter and app over a socket pair: no port, and nobody else can connect."""

from __future__ import annotations

import asyncio
import itertools
import socket
from copy import copy
from typing import TYPE_CHECKING

from lambda_web_adapter.adapter.io.asyncio_backend import AsyncioBackend
from lambda_web_adapter.adapter.io.asyncio_client import AsyncioClient, ClientProtocol
from lambda_web_adapter.app.asgi.connection import AsgiConnection

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from typing import Any

    from lambda_web_adapter.adapter.process.app_process import AppProcess

    # Serves the app's end of a connection that has this number.
    Accept = Callable[[socket.socket, int], Awaitable[None]]

HOST = "127.0.0.1"  # what both ends have for the other's address
_numbers = itertools.count(1)


class NumberedTransport(asyncio.Transport):
    """A transport of a socket pair, whose ends have no addresses, with a number for the port of both."""

    def __init__(self, transport: asyncio.Transport, number: int) -> None:
        """Wrap a transport."""
        super().__init__({"sockname": (HOST, number), "peername": (HOST, number)})
        self._transport = transport

    def write(self, data: bytes | bytearray | memoryview) -> None:
        """Pass the data on."""
        self._transport.write(data)

    def close(self) -> None:
        """Close the transport once all is written."""
        self._transport.close()

    def abort(self) -> None:
        """Close the transport at once."""
        self._transport.abort()

    def is_closing(self) -> bool:
        """Return whether the transport is closed, or will be."""
        return self._transport.is_closing()

    def pause_reading(self) -> None:
        """Leave what comes in the socket."""
        self._transport.pause_reading()

    def resume_reading(self) -> None:
        """Read again."""
        self._transport.resume_reading()


class _NumberedClient(ClientProtocol):
    """The adapter's end."""

    def __init__(self, app: AppProcess | None, number: int) -> None:
        super().__init__(app)
        self._number = number

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as for all streams
        super().connection_made(NumberedTransport(transport, self._number))


class NumberedAsgiConnection(AsgiConnection):
    """The app's end, for an ASGI app."""

    number = 0

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as for all streams
        """Start with the first request."""
        super().connection_made(NumberedTransport(transport, self.number))


class _SocketPairClient(AsyncioClient):
    """A client whose connections are socket pairs."""

    def __init__(self, app: AppProcess | None, accept: Accept) -> None:
        super().__init__(HOST, 0, app)
        self._accept = accept

    async def connect(self, seconds: float | None = None) -> None:
        """Open the connection. Nobody keeps it waiting but a slow machine, so that there is no limit of time."""
        await super().connect()

    async def _open(self) -> ClientProtocol:
        ours, theirs = socket.socketpair()
        ours.setblocking(False)
        number = next(_numbers)
        try:
            await self._accept(theirs, number)
            _, protocol = await asyncio.get_running_loop().create_connection(
                lambda: _NumberedClient(self._app, number), sock=ours
            )
        except BaseException:  # the transport is closed meanwhile
            ours.close()  # which ends the app's end as well
            raise
        return protocol


class SocketPairBackend(AsyncioBackend):
    """The backend for an app in this process."""

    def __init__(self) -> None:
        """Use the running event loop."""
        super().__init__()
        self._accept: Accept

    def accepting(self, accept: Accept) -> SocketPairBackend:
        """Return this backend with what serves the app's end of its connections."""
        backend = copy(self)
        backend._accept = accept
        return backend

    def stop_watching(self) -> None:
        """Read the control channel no more."""
        if self._control_reader:
            self._control_reader.close()

    def new_client(self, host: str, port: int, app: AppProcess | None = None) -> Any:
        """Return a client whose connections `accept` serves."""
        return _SocketPairClient(app, self._accept)
