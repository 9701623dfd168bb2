"""How to wait: what differs between single (`blocking_backend.py`) and concurrent invocations (`asyncio_backend.py`).

Everything else (worker, invocation, Runtime API) is written once, as coroutines that wait through these interfaces.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING

from lambda_web_adapter.adapter.io.response_parser import NO_LIMIT

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractAsyncContextManager
    from typing import Any, TypeVar

    from lambda_web_adapter.adapter.process.app_process import AppProcess
    from lambda_web_adapter.http.messages import Response

    Result = TypeVar("Result")


class HttpClient(ABC):
    """The client's end of a kept HTTP/1.1 connection; `connect` opens it, also after it was closed.

    Attributes:
        port: the local port while the connection is open, as far as this end knows; otherwise 0.
        limit: the largest body that `send_request` reads as a whole, in bytes; `read_chunk` reads the rest of others.
    """

    port: int
    limit: int = NO_LIMIT

    @property
    @abstractmethod
    def complete(self) -> bool:
        """Whether the response has been read completely."""

    @property
    @abstractmethod
    def received(self) -> bool:
        """Whether a byte of the response to the last request was read."""

    @property
    @abstractmethod
    def headers(self) -> list[tuple[bytes, bytes]]:
        """The headers of the response to the last request, as far as they have come."""

    @property
    @abstractmethod
    def has_surplus(self) -> bool:
        """Whether bytes that belong to no response came after the last one, as far as the connection was read."""

    @abstractmethod
    def is_open(self) -> bool:
        """Return whether the connection can take a request; close it if it has ended, or unrequested bytes came."""

    @abstractmethod
    def close(self) -> None:
        """Close the connection; the next request needs another `connect`."""

    @abstractmethod
    async def connect(self, seconds: float | None = None) -> None:
        """Open the connection.

        Args:
            seconds: how long to wait for the peer; None waits as long as the kernel does.

        Raises:
            OSError: nobody listens there, or the connection was not accepted in time.
        """

    @abstractmethod
    async def send_request(
        self, head: bytes, body: bytes = b"", *, method: str = "GET", deadline: float | None = None, whole: bool = True
    ) -> Response:
        """Send a request on the open connection, and return its response.

        Args:
            head: the request's head, or the whole request.
            body: its body; a large one is not copied.
            method: its method, since the response to HEAD has no body.
            deadline: when to stop waiting, on the monotonic clock in seconds; None waits without bound.
            whole: whether to read the whole body. Otherwise the response has what came along with the head, and
                `read_chunk` returns the rest, until the response is `complete`.

        Raises:
            ConnectionClosed: the peer closed the connection before the response was complete.
            NotHttp: the response is not valid HTTP.
            TimeoutError: the deadline passed. The connection then takes no more requests, but stays open until `close`,
                so that the peer goes on with its work and can be examined. After other errors it is closed.
        """

    @abstractmethod
    async def read_chunk(self, deadline: float | None = None) -> bytes:
        """Wait for the next bytes of the body, and return them, b"" at its end; raise as `send_request` does."""

    @abstractmethod
    async def send_chunk(self, part: bytes, deadline: float | None = None) -> bool:
        """Send a part of a request, and wait while the peer is slower; `read_response` reads the response.

        Returns:
            Whether the peer took it. If not, the peer is gone, or has responded already.

        Raises:
            TimeoutError: the deadline passed. The connection then takes no more requests.
        """

    @abstractmethod
    async def read_response(self, deadline: float | None = None) -> Response:
        """Return the response to a request that was sent in parts; raise as `send_request` does."""


class Backend(ABC):
    """How the workers of an environment wait.

    Attributes:
        may_freeze: whether Lambda may freeze the environment while it waits for an event.
    """

    may_freeze: bool

    @abstractmethod
    def new_client(self, host: str, port: int, app: AppProcess | None = None) -> HttpClient:
        """Return a client, whose connection is not open yet.

        Args:
            host: the host to connect to.
            port: its port.
            app: the app, if it is the peer: a child of its process may hold its connections open when it is gone, and
                deadlines do not apply while a debugger may stop it.
        """

    @abstractmethod
    def exclusive(self, deadline: float | None = None) -> AbstractAsyncContextManager[object]:
        """Return a context for one worker at a time; entering it raises TimeoutError at the deadline (monotonic)."""

    @abstractmethod
    def watch(self, app: AppProcess) -> None:
        """Receive the messages of a run of the app that is ready, from now on."""

    @abstractmethod
    def child_changed(self) -> None:
        """React to the end of a child, or of an app's server; called in a signal handler."""

    @abstractmethod
    async def sleep(self, seconds: float) -> None:
        """Wait for a number of seconds."""

    @abstractmethod
    async def call_blocking(self, function: Callable[..., Result], *arguments: Any) -> Result:
        """Return the result of a function that may block for long."""

    @abstractmethod
    async def wait_for_message(self, app: AppProcess, messages: tuple[bytes, ...], deadline: float) -> bytes:
        """Wait for one of these messages on the app's control channel.

        Returns:
            The message; b"" if the channel has closed.

        Raises:
            TimeoutError: none came before the deadline (on the monotonic clock, in seconds).
        """
