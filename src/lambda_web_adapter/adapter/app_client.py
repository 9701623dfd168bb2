"""The HTTP exchange with the app: one request at a time on a kept connection, and the wait until the app is done."""

from __future__ import annotations

import errno
import os
import time
from socket import gaierror
from typing import TYPE_CHECKING

from lambda_web_adapter.adapter.diagnostics.log import log, log_once
from lambda_web_adapter.adapter.io.response_parser import NO_LIMIT, ConnectionClosed, NotHttp
from lambda_web_adapter.errors import AppExited, AppTimeout, AppUnreachable, ExchangeError, InvalidResponse
from lambda_web_adapter.http.headers import BODY_METHODS
from lambda_web_adapter.ipc.control_protocol import end_messages
from lambda_web_adapter.ipc.parent_process import LOCAL_RUN_VARIABLE

if TYPE_CHECKING:
    from lambda_web_adapter.adapter.io.backend import Backend
    from lambda_web_adapter.adapter.process.app_process import AppProcess
    from lambda_web_adapter.adapter.timeouts import TimeoutPolicy
    from lambda_web_adapter.http.messages import Response

# How long one connect may take. A full accept queue drops it, but may have room before the kernel retries (1 s).
_ATTEMPT_SECONDS = 0.1
# The kernel accepts connections for a busy app; an app whose accept queue stays full for this long hangs as a whole.
_HANGS_SECONDS = 0.5
# Errors on the adapter's side of a connection (socket(2)): the app may listen. After any other it does not. That need
# not be ECONNREFUSED: `localhost` may have an address that the system lacks, and asyncio joins the errors of several.
_SHORTAGES = (errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM)
# How long a process may take to end after its connection has closed.
_EXIT_SECONDS = 0.1
_POLL_SECONDS = 0.002  # between two checks of that
# A server that closes a connection this soon after a response does not keep connections alive.
_AT_ONCE_SECONDS = 0.1
_CLOSED = "closed a connection right after a response without Connection: close"
_SURPLUS = "sent bytes that belong to no response"
_LOST = "sent no response on a connection that it had kept open"
_NO_REUSE = "The external command %s. From now on, each request gets its own connection."


class AppClient:
    """A connection to one run of the app process.

    Attributes:
        deadline_margin: how long before the function's timeout the deadlines are, in seconds; for the log.
        hints_at_streams: whether the log is to say that replies could be streamed.
    """

    deadline_margin = 0.0
    hints_at_streams = False

    def __init__(
        self, app: AppProcess, host: str, backend: Backend, timeout_policy: TimeoutPolicy, *, idle_seconds: float = 1.0
    ) -> None:
        """Prepare a connection, which is opened by the first request.

        Args:
            app: the app.
            host: the address that it listens on.
            backend: how to wait.
            timeout_policy: what to do about a request that hangs.
            idle_seconds: the longest idle time after which an external command's connection is used again. Servers
                close idle connections after 2 s or more (gunicorn 2, Node and uvicorn 5). A freeze may exceed that, and
                the server then closes the connection without reading the request.
        """
        self._app = app
        self._idle_seconds = idle_seconds
        self._backend = backend
        self._timeout_policy = timeout_policy
        self._connection = backend.new_client(host, app.port, app)
        self._port = 0
        self._end_messages: tuple[bytes, ...] = ()
        self._used_at = 0.0
        self._status = 0
        self._unread = False
        self._kept = False
        self._reused = False
        self._awaits_done = False
        self._abandoned = False
        self._hangs = False
        self._began = 0.0
        self._buffers = True

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
            limit: the largest body to read as a whole, in bytes; None reads only the head. `read_chunk` returns the
                rest, until the response is `complete`.

        Raises:
            ExchangeError: There is no valid response; the error's class gives the reason.
        """
        self._abandoned = self._hangs = False
        connection, is_managed = self._connection, self._app.is_managed
        self._awaits_done = is_managed
        self._began = time.monotonic()
        self._buffers = whole = limit is not None
        if limit is not None:
            connection.limit = limit
        self._reused = connection.port != 0 if is_managed else self._can_reuse()
        try:
            try:
                if not self._reused:
                    await self._connect(deadline)
                response = await connection.send_request(head, body, method=method, deadline=deadline, whole=whole)
            except ConnectionClosed as error:
                if error.sent:
                    raise
                await self._connect(deadline)
                response = await connection.send_request(head, body, method=method, deadline=deadline, whole=whole)
        except (TimeoutError, ConnectionClosed, NotHttp) as error:
            raise await self._error_from(error) from None
        if self.hints_at_streams:
            self._hint_at_streams(response)
        if not is_managed:
            self._status = response.status
            self._unread = bool(body) and (response.status >= 400 or method not in BODY_METHODS)
            self._decide_reuse()
        return response

    def _hint_at_streams(self, response: Response) -> None:
        """Log once that an event stream is buffered."""
        for _, value in response.headers:
            if value.startswith(b"text/event-stream"):
                from lambda_web_adapter.adapter.explanations import BUFFERED_EVENTS  # most apps have none

                self.hints_at_streams = False
                log_once("WARNING", BUFFERED_EVENTS)

    @property
    def accepts_envelope(self) -> bool:
        """Whether the app takes an envelope before a request."""
        return self._app.is_managed

    @property
    def complete(self) -> bool:
        """Whether the response is complete."""
        return self._connection.complete

    async def read_chunk(self, deadline: float) -> bytes:
        """Wait for the next chunk of the response's body, empty at its end; raise what `exchange` raises."""
        try:
            chunk = await self._connection.read_chunk(deadline)
        except (TimeoutError, ConnectionClosed, NotHttp) as error:
            raise await self._error_from(error) from None
        if not self._app.is_managed:
            self._decide_reuse()
        return chunk

    def discard_body(self) -> None:
        """Close the connection, as nobody reads the rest; if the app hangs, `wait_until_done` closes it."""
        self._abandoned = True
        if not self._hangs:
            self._connection.close()

    async def _error_from(self, error: Exception) -> ExchangeError:
        """Return the error for a response that is missing or incomplete."""
        begun = error.received if isinstance(error, ConnectionClosed) else self._connection.received
        if isinstance(error, TimeoutError):
            self._hangs = True
            # A response may be unfinished because the caller reads slowly.
            what = "The response was not complete at" if begun else "The app sent no response before"
            timeout = AppTimeout(f"{what} the function's timeout.")
            timeout.details = self._describe_timeout(begun=begun)
            return timeout
        if isinstance(error, NotHttp):
            return InvalidResponse(f"The app's response is not HTTP ({error}).")
        if await self._has_ended():
            stderr_tail = self._app.stderr_tail()
            details = f" It wrote to stderr:\n{stderr_tail}" if stderr_tail else ""
            when = "in the middle of its response" if begun else "before it responded"
            return AppExited(f"The app ended ({self._app.exit_status}) {when}.", details)
        if self._reused and not begun:
            self._mark_unusable(_LOST)
        sent = "only part of its response" if begun else "no response"
        return InvalidResponse(f"The app sent {sent}: {error}.")

    def _describe_timeout(self, *, begun: bool) -> str:
        from lambda_web_adapter.adapter.explanations import describe_timeout, is_event_stream  # timeouts are rare

        buffers_events = begun and self._buffers and is_event_stream(self._connection.headers)
        local_run = bool(os.environ.get(LOCAL_RUN_VARIABLE))
        seconds = time.monotonic() - self._began
        return describe_timeout(seconds, self.deadline_margin, buffers_events=buffers_events, local_run=local_run)

    def _can_reuse(self) -> bool:
        """Return whether an external command's connection is still open.

        The built-in server sends a message before it closes a connection; here only the socket shows it. A server may
        close an idle one at any time (RFC 9112 §9.3), so that alone does not stop reuse of later connections.
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

    def _decide_reuse(self) -> None:
        """Decide, once a response is complete, whether an external command's connection takes the next request.

        After a status of 500 or more it does not: some servers then close it without `Connection: close` (uvicorn, when
        the framework responds and raises again), and a request sent meanwhile is lost. Nor does it after a body that
        the server may not have read (many read none of a GET, or of a request that they reject): the server would parse
        that body as the next request.
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
                self._hangs = time.monotonic() - began >= _HANGS_SECONDS
                raise AppTimeout("The app did not accept a connection before the function's timeout.")
            try:
                await self._connection.connect(min(remaining, _ATTEMPT_SECONDS))
                self._port = self._connection.port
            except TimeoutError:
                if self._app.is_gone():  # a child process may hold its port
                    raise ConnectionClosed("its process is gone") from None
                remaining = deadline - time.monotonic()
            except OSError as error:
                raise await self._error_from_connect(error) from None
        self._end_messages = end_messages(self._port)
        self._awaits_done = self._app.is_managed

    async def _error_from_connect(self, error: OSError) -> ConnectionClosed | AppUnreachable:
        """Return the error for a connect that failed."""
        if isinstance(error, ConnectionResetError):  # an event loop may notice the reset before the opening
            return ConnectionClosed(str(error), sent=False)
        if await self._has_ended():
            return ConnectionClosed("its process is gone")
        if error.errno not in _SHORTAGES and not isinstance(error, gaierror):
            self._app.mark_unreachable()  # nobody listens any more, at any of the host's addresses
        return AppUnreachable(f"The app does not accept connections: {error.strerror or error}.")

    async def wait_until_done(self, deadline: float, request_id: str) -> None:
        """Wait until the app is done with the last request, background tasks included.

        If the adapter called /next earlier, Lambda would freeze the environment in the middle of that work. An external
        command has no way to report that it is done.
        """
        hangs, awaits_done = self._hangs, self._awaits_done
        self._hangs, self._awaits_done = False, False  # the next event may not reach the app
        if hangs:
            await self._timeout_policy.handle(self._app, self._port, request_id)
            self._connection.close()
            return
        if not awaits_done:
            if not self._kept and not self._app.is_managed:
                self._connection.close()
            return
        done, _ = self._end_messages
        try:
            message = await self._backend.wait_for_message(self._app, self._end_messages, deadline)
        except TimeoutError:
            if not self._abandoned:  # else it has been logged
                log("WARNING", "The app was still working after its response at the function's timeout.", request_id)
            self._connection.close()  # so that the next request gets another port, and does not wait for this one
            return
        if message == done:
            self._app.has_responded = True
        else:
            self._connection.close()
        if not message:
            await self._has_ended()  # the app is ending, and must not get the next event

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
