"""The HTTP hop to the app: one request at a time over a kept-alive connection, and the wait until the app is done."""

from __future__ import annotations

import errno
import time
from typing import TYPE_CHECKING

from lambda_web_adapter.adapter.diagnostics.log import log, log_once
from lambda_web_adapter.adapter.io.response_parser import NO_LIMIT, ConnectionClosed, NotHttp
from lambda_web_adapter.errors import AppExited, AppTimeout, AppUnreachable, ExchangeError, InvalidResponse
from lambda_web_adapter.http.headers import BODY_METHODS
from lambda_web_adapter.ipc.control_protocol import end_messages

if TYPE_CHECKING:
    from lambda_web_adapter.adapter.io.backend import Backend
    from lambda_web_adapter.adapter.process.app_process import AppProcess
    from lambda_web_adapter.adapter.timeouts import TimeoutPolicy
    from lambda_web_adapter.http.messages import Response

# For one attempt to connect. A full accept queue drops it, and may have room long before the kernel retries (1 s).
_ATTEMPT_SECONDS = 0.1
# The kernel accepts connections for a busy app; an app whose accept queue is full for so long hangs as a whole.
_HANGS_SECONDS = 0.5
# Errors on the adapter's side of a connection (socket(2)): the app may listen. Others need not be ECONNREFUSED: a host
# with several addresses, such as `localhost`, may have one that the system lacks, and asyncio joins their errors.
_SHORTAGES = (errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM)
# From the end of a connection to the end of the process that held it.
_EXIT_SECONDS = 0.1
_POLL_SECONDS = 0.002  # between two checks whether it has ended
# From a response to the end of the connection: a server that closes so soon does not keep connections alive.
_AT_ONCE_SECONDS = 0.1
_CLOSED = "closed a connection right after a response without Connection: close"
_SURPLUS = "sent bytes after a response that belong to none"
_LOST = "sent no response on a connection that it had kept open"
_NO_REUSE = "The external command %s. From now on, each request gets its own connection."


class AppClient:
    """A connection to one run of the app process."""

    def __init__(
        self, app: AppProcess, host: str, backend: Backend, timeouts: TimeoutPolicy, *, idle_seconds: float = 1.0
    ) -> None:
        """Prepare a connection, which is opened by the first request.

        Args:
            app: the app.
            host: the address that it listens on.
            backend: how to wait.
            timeouts: what to do about a request that hangs.
            idle_seconds: the longest idle time after which an external command's connection is used again. Servers keep
                idle connections for 2 s and more (gunicorn 2, Node and uvicorn 5); after a freeze that time has passed,
                and the server may close the connection before it reads.
        """
        self._app = app
        self._idle_seconds = idle_seconds
        self._backend = backend
        self._timeouts = timeouts
        self._connection = backend.new_client(host, app.port, app.is_gone)
        self._port = 0
        self._end_messages: tuple[bytes, ...] = ()
        self._used_at = 0.0
        self._status = 0
        self._unread = False
        self._kept = False
        self._reused = False
        self._awaits_done = False
        self._abandoned = False
        self._hung_port = False

    async def exchange(
        self, head: bytes, body: bytes, method: str, deadline: float, limit: int | None = NO_LIMIT
    ) -> Response:
        """Send a request to the app and return its response; no request is sent twice.

        A connection that ends before a byte of the request was sent is replaced, once.

        Args:
            head: the request's head.
            body: its body.
            method: its method.
            deadline: on the monotonic clock, in seconds.
            limit: bytes of a response's body up to which to wait for it; None waits for its head only. `read_chunk`
                returns the rest, until the response is `complete`.

        Raises:
            ExchangeError: There is no response; its class is the reason.
        """
        self._abandoned = self._hung_port = False
        connection, is_managed = self._connection, self._app.is_managed
        self._awaits_done = is_managed
        whole = limit is not None
        if limit is not None:
            connection.limit = limit
        self._reused = connection.port != 0 if is_managed else self._can_reuse()
        try:
            if not self._reused:
                await self._connect(deadline)
            try:
                response = await connection.send_request(head, body, method=method, deadline=deadline, whole=whole)
            except ConnectionClosed as error:
                if error.sent:
                    raise
                await self._connect(deadline)
                response = await connection.send_request(head, body, method=method, deadline=deadline, whole=whole)
        except (TimeoutError, ConnectionClosed, NotHttp) as error:
            raise await self._error_from(error) from None
        if not is_managed:
            self._status = response.status
            self._unread = bool(body) and (response.status >= 400 or method not in BODY_METHODS)
            self._note_progress()
        return response

    @property
    def accepts_envelope(self) -> bool:
        """Whether the app takes an envelope before a request."""
        return self._app.is_managed

    @property
    def complete(self) -> bool:
        """Whether the response is whole."""
        return self._connection.complete

    async def read_chunk(self, deadline: float) -> bytes:
        """Wait for the next chunk of the response's body, empty at its end; raise what `exchange` raises."""
        try:
            chunk = await self._connection.read_chunk(deadline)
        except (TimeoutError, ConnectionClosed, NotHttp) as error:
            raise await self._error_from(error) from None
        if not self._app.is_managed:
            self._note_progress()
        return chunk

    def discard_body(self) -> None:
        """Close the connection, since nobody reads the rest of the response; if the app hangs, it is closed later."""
        self._abandoned = True
        if not self._hung_port:
            self._connection.close()

    async def _error_from(self, error: Exception) -> ExchangeError:
        """Return the error that a missing or broken response means."""
        begun = error.received if isinstance(error, ConnectionClosed) else self._connection.received
        if isinstance(error, TimeoutError):
            self._hung_port = True
            # A response may be unfinished because the caller reads slowly.
            what = "The response was not whole" if begun else "The app has sent no response"
            return AppTimeout(f"{what} before the function's time-out.")
        if isinstance(error, NotHttp):
            return InvalidResponse(f"The app's response is not HTTP ({error}).")
        if await self._has_ended():
            stderr_tail = self._app.stderr_tail()
            details = f" It wrote:\n{stderr_tail}" if stderr_tail else ""
            when = "in the middle of its response" if begun else "before it responded"
            return AppExited(f"The app ended ({self._app.exit_status}) {when}.", details)
        if self._reused and not begun:
            self._mark_unusable(_LOST)
        where = "in the middle of its response" if begun else "without a response"
        return InvalidResponse(f"The app closed the connection {where} ({error}).")

    def _can_reuse(self) -> bool:
        """Return whether an external command's connection is still open.

        The built-in server sends a message before it closes a connection; here only the socket shows it. A server may
        close an idle one at any time (RFC 9112 §9.3), so that alone is no reason to distrust the next.
        """
        kept, self._kept = self._kept, False
        if not kept or not self._is_fresh():
            return False
        idle = time.monotonic() - self._used_at
        if self._connection.is_open():
            return True
        if self._connection.has_surplus:
            self._mark_unusable(_SURPLUS)
        elif idle < _AT_ONCE_SECONDS:
            self._mark_unusable(_CLOSED)
        return False

    def _note_progress(self) -> None:
        """Decide whether an external command's connection can take the next request, once its response is whole.

        After a status of 500 or more it cannot: some servers then close it without `Connection: close` (uvicorn, when
        the framework responds and raises again), and a request sent meanwhile is lost. After a body that the server may
        not have read (many read none of a GET, or of a request that they reject) it cannot either: the server would
        parse that body as the next request.
        """
        self._used_at = time.monotonic()
        if not self._connection.complete:
            return
        if self._connection.has_surplus:
            self._mark_unusable(_SURPLUS)
        last = self._unread or self._status >= 500
        self._kept = self._app.keeps_connections and not last and self._connection.port != 0

    def _mark_unusable(self, reason: str) -> None:
        """Use a new connection for each request from now on, since requests on a kept one may get lost.

        Surplus bytes cannot be distinguished from the response to the next request.
        """
        if not self._app.is_managed and self._app.keeps_connections:
            self._app.keeps_connections = False
            log_once("WARNING", _NO_REUSE % reason)

    def _is_fresh(self) -> bool:
        return time.monotonic() - self._used_at < self._idle_seconds

    async def _connect(self, deadline: float) -> None:
        """Open a connection, and retry until the deadline while the app is too busy to accept it."""
        began, self._port = time.monotonic(), 0
        self._reused = self._awaits_done = False
        remaining = deadline - began
        while not self._port:
            if remaining <= 0:
                self._hung_port = time.monotonic() - began >= _HANGS_SECONDS
                raise AppTimeout("The app has not taken a connection before the function's time-out.")
            try:
                await self._connection.connect(min(remaining, _ATTEMPT_SECONDS))
                self._port = self._connection.port
            except TimeoutError:
                if self._app.is_gone():  # a child process may hold its port
                    raise ConnectionClosed("its process is gone") from None
                remaining = deadline - time.monotonic()
            except OSError as error:
                if error.errno not in _SHORTAGES:
                    self._app.mark_unreachable()  # nobody listens any more, at none of the host's addresses
                raise AppUnreachable(f"The app does not take connections: {error.strerror or error}.") from None
        self._end_messages = end_messages(self._port)
        self._awaits_done = self._app.is_managed

    async def wait_until_done(self, deadline: float, request_id: str) -> None:
        """Wait until the app is done with the last request, background tasks included.

        If the adapter called /next earlier, Lambda would freeze the environment in the middle of that work. An external
        command has no way to report that it is done.
        """
        hung_port, awaits_done = self._hung_port, self._awaits_done
        self._hung_port, self._awaits_done = False, False  # the next event may not reach the app
        if hung_port:
            await self._timeouts.handle(self._app, self._port, request_id)
            self._connection.close()
            return
        if not awaits_done:
            if not self._kept:
                self._connection.close()
            return
        done, _ = self._end_messages
        try:
            message = await self._backend.wait_for_message(self._app, self._end_messages, deadline)
        except TimeoutError:
            if not self._abandoned:  # else it has been logged
                log("WARNING", "The app's work after its response is not done at the function's time-out.", request_id)
            self._connection.close()  # so that the next request gets another port, and does not wait for this one
            return
        if message == done:
            self._app.has_responded = True
        else:
            self._connection.close()
        if not message:
            await self._has_ended()  # it is about to end, and must not get the next event

    async def _has_ended(self) -> bool:
        deadline = time.monotonic() + _EXIT_SECONDS
        while not self._app.is_gone():
            if time.monotonic() >= deadline:
                return False
            await self._backend.sleep(_POLL_SECONDS)
        return True

    def close(self) -> None:
        """Close the connection; the next request opens another one."""
        self._connection.close()
