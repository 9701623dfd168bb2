"""A reply that is posted while the app is still sending it: prelude, chunks, and trailers for an error in the middle.

https://docs.aws.amazon.com/lambda/latest/dg/runtimes-custom.html#runtimes-custom-response-streaming

A reply that breaks off never looks complete: the error comes in trailers after the last chunk, not in the body.
"""

from __future__ import annotations

import time
import traceback
from binascii import b2a_base64
from typing import TYPE_CHECKING

from lambda_web_adapter.adapter.diagnostics.log import log
from lambda_web_adapter.errors import AdapterError

if TYPE_CHECKING:
    from lambda_web_adapter.adapter.app_client import AppClient
    from lambda_web_adapter.adapter.io.backend import HttpClient
    from lambda_web_adapter.http.content_codings import Compressor

_ERROR_TYPE = "Lambda-Runtime-Function-Error-Type"
_ERROR_BODY = "Lambda-Runtime-Function-Error-Body"
# This type announces the prelude to the gateway, which would otherwise pass it on as a part of the body.
HEADERS = (
    "Content-Type: application/vnd.awslambda.http-integration-response\r\n"
    "Lambda-Runtime-Function-Response-Mode: streaming\r\n"
    f"Transfer-Encoding: chunked\r\nTrailer: {_ERROR_TYPE}, {_ERROR_BODY}\r\n"
)


class StreamedReply:
    """A reply whose body is read from the app while it is posted.

    Attributes:
        prelude: the status and the headers, in the gateway's format.
        first_chunk: the part of the body that has come already.
        route: the request's method and path, for the log.
        size: the size of the body so far, in bytes.
        ended_at: when the app had sent all of it, on the monotonic clock in seconds; 0 if it was complete at once.
        error_type: the type of the error at which the reply breaks off; empty if it does not.
    """

    def __init__(self, prelude: bytes, first_chunk: bytes, route: str = "") -> None:
        """Create a reply, which is complete unless `continue_from` is called."""
        self.prelude = prelude
        self.first_chunk = first_chunk
        self.route = route
        self.size = len(first_chunk)
        self.ended_at = 0.0
        self.error_type = ""
        self._client: AppClient | None = None
        self._deadline = 0.0
        self._compressor: Compressor | None = None

    def continue_from(self, client: AppClient, deadline: float, compressor: Compressor | None = None) -> None:
        """Read the rest of the body from the app.

        Args:
            client: the connection on which the app sends it.
            deadline: when to stop waiting for the app, on the monotonic clock in seconds.
            compressor: the compressor for the rest; the first chunk is compressed already.
        """
        self._client = client
        self._deadline = deadline
        self._compressor = compressor

    @property
    def complete(self) -> bool:
        """Whether `read_chunk` has returned all of the body."""
        return self._client is None

    async def read_chunk(self) -> bytes:
        """Return the next part of the body when it comes.

        Raises:
            ExchangeError: it did not come; the error's class gives the reason.
        """
        client, compressor = self._client, self._compressor
        if client is None:
            return b""
        part = await client.read_chunk(self._deadline)
        if compressor and part:
            part = compressor.feed(part)
        if client.complete:
            self._end()
            if compressor:
                part += compressor.end()
        self.size += len(part)
        return part

    def cancel(self) -> None:
        """Read no more of the body; if the app is still sending it, close its connection."""
        if self._client is not None:
            self._client.discard_body()
            self._end()

    def _end(self) -> None:
        self._client = None
        self.ended_at = time.monotonic()


async def post(connection: HttpClient, head: bytes, reply: StreamedReply, deadline: float, request_id: str) -> None:
    """Post a reply, each part as soon as it has come, but no faster than the peer reads.

    Args:
        connection: an open connection to the Runtime API, whose response the caller reads.
        head: the POST's head.
        reply: the reply.
        deadline: when Lambda ends the invocation, on the monotonic clock in seconds.
        request_id: the invocation, for the log.

    Raises:
        TimeoutError: the peer did not take it in time. The connection then takes no more requests.
    """
    data = head + _chunk(reply.prelude) + _chunk(reply.first_chunk)
    try:
        while not reply.complete:
            if not await connection.send_chunk(data, deadline):
                return
            data = _chunk(await reply.read_chunk())
        data += b"0\r\n\r\n"
    except AdapterError as error:
        data = _failure_trailers(error, reply, request_id)
    except TimeoutError:
        raise
    except Exception as error:  # noqa: BLE001  # a bug must neither look like the end of a reply nor end the worker
        log("ERROR", traceback.format_exc(), request_id)
        data = _failure_trailers(AdapterError(f"The adapter failed: {error!r}. Please report it."), reply, request_id)
    finally:
        reply.cancel()
    await connection.send_chunk(data, deadline)


def _failure_trailers(error: AdapterError, reply: StreamedReply, request_id: str) -> bytes:
    """Log why a reply breaks off; return the end of the POST, with the error in trailers."""
    reply.error_type = error.error_type
    log("ERROR", f"{error.error_type}: {reply.route} breaks off. {error}{error.details}", request_id)
    document = b2a_base64(error.document(), newline=False).decode("ascii")
    return f"0\r\n{_ERROR_TYPE}: {error.error_type}\r\n{_ERROR_BODY}: {document}\r\n\r\n".encode("ascii")


def _chunk(part: bytes) -> bytes:
    """Return a part as a chunk (RFC 9112 §7.1); b"" for an empty part, since an empty chunk would end the body."""
    return b"%x\r\n%b\r\n" % (len(part), part) if part else b""
