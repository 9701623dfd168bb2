"""Reports each exchange with the app to the local run, whose inspector shows it."""

from __future__ import annotations

import errno
import os
import time
from typing import TYPE_CHECKING

from lambda_web_adapter.adapter.diagnostics.log import log_once
from lambda_web_adapter.ipc.exchange_frame import MAX_BODY, Exchange, encode

if TYPE_CHECKING:
    from typing import TypeAlias

    from lambda_web_adapter.adapter.diagnostics.access_log import AccessLog
    from lambda_web_adapter.adapter.invocation import NoObserver
    from lambda_web_adapter.adapter.lambda_api.response_stream import StreamedReply
    from lambda_web_adapter.errors import AdapterError
    from lambda_web_adapter.http.messages import Request, Response

    Observer: TypeAlias = "AccessLog | ExchangeReport | NoObserver"


class ExchangeReport:
    """Observes invocations as the access log does, and sends a datagram about each one when its reply is posted.

    Nobody waits for it: the caller has the reply by then.
    """

    def __init__(self, descriptor: int, access: AccessLog | NoObserver) -> None:
        """Report to a datagram socket, of which this process has the descriptor; `access` is called as well."""
        os.set_inheritable(descriptor, False)
        self._descriptor = descriptor
        self._access = access
        self._exchange = Exchange()

    def start(self) -> None:
        """Start with an invocation."""
        self._exchange = Exchange()
        self._access.start()

    def set_request(self, source: str, request: Request, head: bytes) -> None:
        """Set the request that is about to be sent."""
        self._access.set_request(source, request, head)
        exchange = self._exchange
        exchange.source, exchange.request_head = source, head
        exchange.request_body, exchange.request_size = bytes(request.body[:MAX_BODY]), len(request.body)
        exchange.requested_at = time.monotonic()

    def set_response(self, response: Response) -> None:
        """Set the response that has come."""
        self._access.set_response(response)
        exchange = self._exchange
        exchange.responded_at = time.monotonic()
        exchange.response_head = response_head(response)
        exchange.response_body, exchange.response_size = bytes(response.body[:MAX_BODY]), len(response.body)

    def set_reply(self, response: Response) -> None:
        """Pass on what the caller gets."""
        self._access.set_reply(response)

    def set_error(self, error: AdapterError) -> None:
        """Set the type of the error that the invocation fails with."""
        self._access.set_error(error)
        self._exchange.error_type = error.error_type

    def write(self, request_id: str, stream: StreamedReply | None = None) -> None:
        """Send the datagram; it is lost if the local run takes it no more."""
        self._access.write(request_id, stream)
        self._exchange.request_id = request_id
        try:
            self._send()
        except OSError as error:  # the next ones may get through
            log_once("WARNING", f"The inspector gets no exchanges of this environment: {error}")

    def _send(self) -> None:
        try:
            os.write(self._descriptor, encode(self._exchange))
        except OSError as error:
            if error.errno != errno.EMSGSIZE:
                raise
            self._exchange.request_body = self._exchange.response_body = b""
            os.write(self._descriptor, encode(self._exchange))


def response_head(response: Response) -> bytes:
    """Return a response's status line and headers, as far as they were kept."""
    lines = [b"%b: %b" % header for header in response.headers]
    return b"\r\n".join([b"HTTP/1.1 %d" % response.status, *lines, b"", b""])
