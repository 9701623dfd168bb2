"""The hop to the app: one request at a time on a kept connection, and the wait for the app's call to return."""

from __future__ import annotations

import time

from lambda_web_adapter.adapter.connection import Connection, ConnectionClosed, NotHttp
from lambda_web_adapter.adapter.log import log
from lambda_web_adapter.errors import AppExited, AppTimeout, AppUnreachable, InvalidResponse

TYPE_CHECKING = False
if TYPE_CHECKING:
    from lambda_web_adapter.adapter.app_process import AppProcess
    from lambda_web_adapter.messages import Response

_CONNECT_SECONDS = 5.0
# Between a connection's end and the end of the process that held it.
_EXIT_SECONDS = 0.1


class AppConnection:
    """A connection to one run of the app process."""

    def __init__(self, app: AppProcess, host: str) -> None:
        """Remembers the app; the connection is opened when it is first needed."""
        self._app = app
        self._connection = Connection(host, app.port)
        self._awaited = 0
        self._stuck = False

    def exchange(self, request: bytes, method: str, deadline: float) -> Response:
        """Sends a request to the app and reads its response; no request is ever sent twice.

        Args:
            request: head and body.
            method: the request's method.
            deadline: when to give up, on the monotonic clock in seconds.

        Raises:
            ExchangeError: which kind says what happened.
        """
        self._awaited, self._stuck = 0, False
        self._open()
        try:
            return self._connection.exchange(request, method=method, deadline=deadline)
        except TimeoutError:
            self._stuck = True
            raise AppTimeout("The app has not answered before the function's time-out.") from None
        except ConnectionClosed as error:
            if self._app.has_ended(_EXIT_SECONDS):
                words = f" It wrote:\n{self._app.last_words}" if self._app.last_words else ""
                raise AppExited(f"The app ended ({self._app.end}) before it had answered.", words) from None
            where = "in the middle of its response" if error.received else "without a response"
            raise InvalidResponse(f"The app closed the connection {where} ({error}).") from None
        except NotHttp as error:
            raise InvalidResponse(f"The app's response is not HTTP ({error}).") from None

    def _open(self) -> None:
        connection = self._connection
        # Our own server says when it is about to close; of a command's connection only a look at it can tell.
        usable = connection.port if self._app.speaks else connection.is_open()
        try:
            if not usable:
                connection.open(_CONNECT_SECONDS)
        except OSError as error:
            raise AppUnreachable(f"The app does not take connections: {error.strerror or error}.") from None
        if self._app.speaks:
            self._awaited = connection.port

    def wait_until_done(self, deadline: float, request_id: str) -> None:
        """Waits until the app's call for the last request has returned, background tasks included.

        Asking for the next invocation earlier would freeze the environment in the middle of that work. A command
        cannot say when it is done. An app that has not answered in time is ended, so that the next event meets a clean
        one.
        """
        if self._stuck:
            log("ERROR", "The app did not answer in time; it is ended, and the next event starts it again.", request_id)
            self._app.show_stacks()
            self._app.kill()
            return
        awaited = str(self._awaited).encode()
        while self._awaited:
            try:
                line = self._app.read_line(deadline - time.monotonic())
            except TimeoutError:
                log("WARNING", "The app's work after its response is not done at the function's time-out.", request_id)
                self._connection.close()  # so that the next request has another name, and waits behind nothing
                return
            word, _, port = line.partition(b" ")
            if line and port != awaited:
                continue  # about an earlier request, which was given up
            if word != b"done":
                self._connection.close()
            if not line:
                self._app.has_ended(_EXIT_SECONDS)  # it is about to; the next event must not meet it
            self._awaited = 0

    def close(self) -> None:
        """Closes the connection."""
        self._connection.close()
