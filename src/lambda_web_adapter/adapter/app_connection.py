"""The hop to the app: one request at a time on a kept connection, and the wait for the app's call to return."""

from __future__ import annotations

import time

from lambda_web_adapter.adapter.log import log, log_once
from lambda_web_adapter.adapter.response_reader import ConnectionClosed, NotHttp
from lambda_web_adapter.errors import AppExited, AppTimeout, AppUnreachable, ExchangeError, InvalidResponse
from lambda_web_adapter.forwarding import BODY_METHODS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from lambda_web_adapter.adapter.app_process import AppProcess
    from lambda_web_adapter.adapter.mode import Mode
    from lambda_web_adapter.messages import Response

# For one attempt to connect. A queue that is full drops it, and may have room long before the kernel tries again (1 s).
_ATTEMPT_SECONDS = 0.1
# The kernel takes connections for an app that is busy; one whose queue was full for as long as this hangs as a whole.
_HANGS_SECONDS = 0.5
# Between a connection's end and the end of the process that held it.
_EXIT_SECONDS = 0.1
_LOOK_SECONDS = 0.002  # between two looks whether it has ended
# From a response to the end of the connection: a server that closes so early has not waited for another request.
_AT_ONCE_SECONDS = 0.1
_CLOSED = "closed a connection right behind a response, without Connection: close in it"
_SENT_MORE = "sent bytes behind a response that belong to none"
_LOST = "did not answer a request on a connection that it had kept open"
_NO_REUSE = "The command %s. From now on each request gets a connection of its own."


class AppConnection:
    """A connection to one run of the app process."""

    def __init__(self, app: AppProcess, host: str, mode: Mode, idle_seconds: float = 1.0) -> None:
        """Remember the app; the connection is opened when it is first needed.

        Args:
            app: the app.
            host: the address that it listens on.
            mode: how to wait.
            idle_seconds: how long a command's connection may have been idle to be used again. After a freeze its
                keep-alive time has passed, of which servers give 2 s and more (gunicorn 2, Node and uvicorn 5), and the
                server may close it before it reads.
        """
        self._app = app
        self._idle_seconds = idle_seconds
        self._mode = mode
        self._connection = mode.connection(host, app.port, app.is_gone)
        self._port = 0
        self._ends: tuple[bytes, ...] = ()
        self._used_at = 0.0
        self._status = 0
        self._unread = False
        self._kept = False
        self._awaited = False
        self._abandoned = False
        self._stuck = False

    async def exchange(self, head: bytes, body: bytes, method: str, deadline: float, *, whole: bool = True) -> Response:
        """Sends a request to the app and reads its response; no request is ever sent twice.

        A connection that ends before it has taken a byte of the request is replaced, once.

        Args:
            head: the request's head.
            body: its body.
            method: its method.
            deadline: when to give up, on the monotonic clock in seconds.
            whole: whether to wait for the whole body. Otherwise `more` gives what did not come along with the head,
                until the response is `complete`.

        Raises:
            ExchangeError: which kind says what happened.
        """
        self._awaited, self._abandoned, self._stuck = False, False, False
        reused = False
        try:
            reused = self._can_take_a_request()
            if not reused:
                await self._connect(deadline)
            self._awaited = self._app.speaks
            try:
                response = await self._connection.ask(head, body, method=method, deadline=deadline, whole=whole)
            except ConnectionClosed as error:
                if error.sent:
                    raise
                await self._connect(deadline)
                response = await self._connection.ask(head, body, method=method, deadline=deadline, whole=whole)
        except (TimeoutError, ConnectionClosed, NotHttp) as error:
            if reused and not isinstance(error, TimeoutError):
                self._reuse_no_more(_LOST)
            raise await self._problem(error) from None
        self._status = response.status
        self._unread = bool(body) and (response.status >= 400 or method not in BODY_METHODS)
        self._note_progress()
        return response

    @property
    def takes_event(self) -> bool:
        """Whether the event may stand in front of a request."""
        return self._app.speaks

    def limit_body(self, size: int) -> None:
        """Have `exchange` wait for no more bytes of a body; of a larger one, too, `more` gives the rest."""
        self._connection.limit = size

    @property
    def complete(self) -> bool:
        """Whether the response is whole."""
        return self._connection.complete

    async def more(self, deadline: float) -> bytes:
        """Waits for what comes next of the response's body; nothing at its end. It raises what `exchange` does."""
        try:
            part = await self._connection.more(deadline)
        except (TimeoutError, ConnectionClosed, NotHttp) as error:
            raise await self._problem(error, begun=True) from None
        self._note_progress()
        return part

    def abandon(self) -> None:
        """Lets the app know that nobody takes the rest of its response; one that hangs is looked at first."""
        self._abandoned = True
        if not self._stuck:
            self._connection.close()

    async def _problem(self, error: Exception, *, begun: bool = False) -> ExchangeError:
        """Says what it means that a response did not come, or that one which had begun did not go on."""
        if isinstance(error, TimeoutError):
            self._stuck = True
            what = "The response was not whole" if begun else "The app has not answered"  # its reader may be slow
            return AppTimeout(f"{what} before the function's time-out.")
        if isinstance(error, NotHttp):
            return InvalidResponse(f"The app's response is not HTTP ({error}).")
        if await self._has_ended():
            words = self._app.last_words()
            said = f" It wrote:\n{words}" if words else ""
            when = "in the middle of its response" if begun else "before it had answered"
            return AppExited(f"The app ended ({self._app.end}) {when}.", said)
        begun = begun or (isinstance(error, ConnectionClosed) and error.received)
        where = "in the middle of its response" if begun else "without a response"
        return InvalidResponse(f"The app closed the connection {where} ({error}).")

    def _can_take_a_request(self) -> bool:
        """Return whether the connection is open.

        The built-in server says when it is about to close. Of a command's connection only a look at it can tell. A
        server may close an idle one at any time (RFC 9112 §9.3), so that alone is no reason to distrust the next.
        """
        if self._app.speaks:
            return self._connection.port != 0
        kept, self._kept = self._kept, False
        if not kept or not self._is_fresh():
            return False
        idle = time.monotonic() - self._used_at
        if self._connection.is_open():
            return True
        if self._connection.has_surplus:
            self._reuse_no_more(_SENT_MORE)
        elif idle < _AT_ONCE_SECONDS:
            self._reuse_no_more(_CLOSED)
        return False

    def _note_progress(self) -> None:
        """Decide whether the next request may go on a command's connection, once a response on it is whole.

        Behind a failure it may not: servers close behind some without saying so (uvicorn, when the framework has
        answered and raises on), and a request that is on its way by then is lost. Behind a body that servers leave
        unread, as many do under GET or where they refuse a request, it may not either: they would read it as a request.
        """
        self._used_at = time.monotonic()
        if self._app.speaks or not self._connection.complete:
            return
        if self._connection.has_surplus:
            self._reuse_no_more(_SENT_MORE)
        last = self._unread or self._status >= 500
        self._kept = self._app.keeps_connections and not last and self._connection.port != 0

    def _reuse_no_more(self, reason: str) -> None:
        """Have each request to this command use a connection of its own: the next one might be lost.

        What comes just after a request was sent cannot be told from its response.
        """
        if not self._app.speaks and self._app.keeps_connections:
            self._app.keeps_connections = False
            log_once("WARNING", _NO_REUSE % reason)

    def _is_fresh(self) -> bool:
        return time.monotonic() - self._used_at < self._idle_seconds

    async def _connect(self, deadline: float) -> None:
        """Open a connection; an app that is busy may keep us waiting for it, but not beyond the deadline."""
        began, self._port = time.monotonic(), 0
        left = deadline - began
        while not self._port:
            if left <= 0:
                self._stuck = time.monotonic() - began >= _HANGS_SECONDS
                raise AppTimeout("The app has not taken a connection before the function's time-out.")
            try:
                await self._connection.connect(min(left, _ATTEMPT_SECONDS))
                self._port = self._connection.port
            except TimeoutError:
                if self._app.is_gone():  # a process that it has started may hold its port
                    raise ConnectionClosed("its process is gone") from None
                left = deadline - time.monotonic()
            except OSError as error:
                if isinstance(error, ConnectionRefusedError):
                    self._app.lose()  # nobody listens, and nobody will
                raise AppUnreachable(f"The app does not take connections: {error.strerror or error}.") from None
        self._ends = (b"done %d" % self._port, b"closing %d" % self._port)

    async def wait_until_done(self, deadline: float, request_id: str) -> None:
        """Waits until the app's call for the last request has returned, background tasks included.

        Asking for the next invocation earlier would freeze the environment in the middle of that work. A command
        cannot say when it is done.
        """
        stuck, awaited = self._stuck, self._awaited
        self._stuck, self._awaited = False, False  # the next event may be none for the app
        if stuck:
            await self._mode.give_up(self._app, self._port, request_id)
            self._connection.close()
            return
        if not awaited:
            if not self._kept:
                self._connection.close()
            return
        done, _ = self._ends
        try:
            line = await self._mode.hear(self._app, self._ends, deadline)
        except TimeoutError:
            if not self._abandoned:  # else the log has it already
                log("WARNING", "The app's work after its response is not done at the function's time-out.", request_id)
            self._connection.close()  # so that the next request has another name, and waits behind nothing
            return
        if line == done:
            self._app.has_answered = True
        else:
            self._connection.close()
        if not line:
            await self._has_ended()  # it is about to; the next event must not meet it

    async def _has_ended(self) -> bool:
        until = time.monotonic() + _EXIT_SECONDS
        while not self._app.is_gone():
            if time.monotonic() >= until:
                return False
            await self._mode.pause(_LOOK_SECONDS)
        return True

    def close(self) -> None:
        """Closes the connection."""
        self._connection.close()
