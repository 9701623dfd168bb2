"""What differs between one invocation at a time (`blocking_backend.py`) and many (`asyncio_backend.py`).

All else, the slot, the invocation, the Runtime API, is written once, as coroutines that wait by means of this.
"""

from __future__ import annotations

from abc import ABC, abstractmethod

from lambda_web_adapter.adapter.io.response_parser import NO_LIMIT

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractAsyncContextManager
    from typing import Any, TypeVar

    from lambda_web_adapter.adapter.process.app_process import AppProcess
    from lambda_web_adapter.http.messages import Response

    Found = TypeVar("Found")


class HttpClient(ABC):
    """A kept-alive HTTP/1.1 connection of a client, opened by `connect`, and again after it was closed.

    Attributes:
        port: this side's port while the connection is open, else 0. Whether it is open, as far as this side knows.
        limit: the most bytes of a body that is waited for as a whole. Of a larger one, `read_chunk` gives the rest.
    """

    port: int
    limit: int = NO_LIMIT

    @property
    @abstractmethod
    def complete(self) -> bool:
        """Whether the response is whole, as far as it was read."""

    @property
    @abstractmethod
    def has_surplus(self) -> bool:
        """Whether something came behind the whole response that is no part of it, as far as was read or looked."""

    @abstractmethod
    def is_open(self) -> bool:
        """Says whether the connection can take a request: it is open, and nothing came unasked, not even its end."""

    @abstractmethod
    def close(self) -> None:
        """Closes the connection; the next request needs another `connect`."""

    @abstractmethod
    async def connect(self, seconds: float | None = None) -> None:
        """Opens the connection.

        Args:
            seconds: to wait for the peer; None waits as long as the kernel does.

        Raises:
            OSError: nobody listens there, or not in time.
        """

    @abstractmethod
    async def send_request(
        self, head: bytes, body: bytes = b"", *, method: str = "GET", deadline: float | None = None, whole: bool = True
    ) -> Response:
        """Sends a request and reads its response. The connection must be open.

        Args:
            head: the request's head, or all of it.
            body: its body; a large one is not copied.
            method: the request's method, since the response to HEAD has no body.
            deadline: when to give up, on the monotonic clock in seconds; None waits without bound.
            whole: whether to wait for the whole body. Otherwise the response has what came along with the head, and
                `read_chunk` gives the rest, until the response is `complete`.

        Raises:
            ConnectionClosed: the peer closed before the response was whole.
            NotHttp: the response cannot be read.
            TimeoutError: the deadline passed. The connection is of no more use then; it stays open until it is closed,
                so that the peer goes on with what it does, and can be looked at. After other errors it is closed.
        """

    @abstractmethod
    async def read_chunk(self, deadline: float | None = None) -> bytes:
        """Waits for what comes next of the body; nothing at its end. It raises what `send_request` does."""

    @abstractmethod
    async def send_chunk(self, part: bytes, deadline: float | None = None) -> bool:
        """Sends a part of a request, and waits while the peer does not keep up; `read_response` reads the response.

        Returns:
            Whether the peer took it. If not, it is gone, or has answered already.

        Raises:
            TimeoutError: the deadline passed. The connection is of no more use then.
        """

    @abstractmethod
    async def read_response(self, deadline: float | None = None) -> Response:
        """Reads the response to a request that was sent in parts. It raises what `send_request` does."""


class Backend(ABC):
    """How the slots of an environment wait, and what they do about a request that hangs.

    Attributes:
        may_freeze: whether Lambda may freeze the environment while it waits for an event.
    """

    may_freeze: bool

    @abstractmethod
    def new_client(self, host: str, port: int, is_gone: Callable[[], bool] | None = None) -> HttpClient:
        """Return a connection, which is not open yet.

        Args:
            host: the host to connect to.
            port: its port.
            is_gone: looks whether the peer's process is gone. Another that it has started may hold its connections.
        """

    @abstractmethod
    def exclusive_start(self, deadline: float) -> AbstractAsyncContextManager[object]:
        """Keeps the other slots from starting the app meanwhile; raises TimeoutError if one takes too long over it."""

    @abstractmethod
    def app_started(self, app: AppProcess) -> None:
        """Takes note of another run of the app, which is ready."""

    @abstractmethod
    def child_changed(self) -> None:
        """Note that a child has ended, or that an app's server has stopped; called in a signal's handler."""

    @abstractmethod
    async def sleep(self, seconds: float) -> None:
        """Lets time pass."""

    @abstractmethod
    async def call_blocking(self, function: Callable[..., Found], *arguments: Any) -> Found:
        """Calls a function that may block for long."""

    @abstractmethod
    async def wait_for_message(self, app: AppProcess, messages: tuple[bytes, ...], deadline: float) -> bytes:
        """Waits for one of these lines on the app's control channel.

        Returns:
            The line, or nothing when the channel has closed.

        Raises:
            TimeoutError: none came before the deadline (on the monotonic clock, in seconds).
        """

    @abstractmethod
    async def handle_timeout(self, app: AppProcess, port: int, request_id: str) -> None:
        """Cancel a request that was not answered in time, or end the app, and log what the app was doing.

        Args:
            app: the app.
            port: this side's port of the request's connection; 0 if the app has taken none.
            request_id: the invocation, for the log.
        """
