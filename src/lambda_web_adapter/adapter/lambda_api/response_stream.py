"""A reply that goes out while the app still makes it: prelude, parts, and trailers for what goes wrong in the middle.

https://docs.aws.amazon.com/lambda/latest/dg/runtimes-custom.html#runtimes-custom-response-streaming

A response that breaks off never looks like one that ends: the error stands behind the last chunk, not in the body.
"""

from __future__ import annotations

import time
import traceback
from binascii import b2a_base64

from lambda_web_adapter.adapter.diagnostics.log import log
from lambda_web_adapter.errors import AdapterError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from lambda_web_adapter.adapter.app_client import AppClient
    from lambda_web_adapter.adapter.io.backend import HttpClient
    from lambda_web_adapter.http.content_codings import Compressor

_ERROR_TYPE = "Lambda-Runtime-Function-Error-Type"
_ERROR_BODY = "Lambda-Runtime-Function-Error-Body"
# By this type the gateway knows that there is a prelude; with any other it would pass it on as a part of the body.
HEADERS = (
    "Content-Type: application/vnd.awslambda.http-integration-response\r\n"
    "Lambda-Runtime-Function-Response-Mode: streaming\r\n"
    f"Transfer-Encoding: chunked\r\nTrailer: {_ERROR_TYPE}, {_ERROR_BODY}\r\n"
)


class StreamedReply:
    """A reply whose body is read from the app while it is posted.

    Attributes:
        prelude: the prelude.
        first_chunk: what of the body is there already.
        route: what was asked for, for the log.
        size: the bytes of the body so far.
        ended_at: when the app had sent the last of it, on the monotonic clock in seconds; 0 for one that was whole.
        error_type: why it breaks off, if it does.
    """

    def __init__(self, prelude: bytes, first_chunk: bytes, route: str = "") -> None:
        """Makes a reply that is whole."""
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
        """Says where the rest of the body comes from.

        Args:
            client: the connection on which the app sends it.
            deadline: when to give up on the app, on the monotonic clock in seconds.
            compressor: what codes it; the first part is coded already.
        """
        self._client = client
        self._deadline = deadline
        self._compressor = compressor

    @property
    def complete(self) -> bool:
        """Whether there are no more parts."""
        return self._client is None

    async def read_chunk(self) -> bytes:
        """Waits for the next part.

        Raises:
            ExchangeError: there is none; which kind says why.
        """
        app, compressor = self._client, self._compressor
        if app is None:
            return b""
        part = await app.read_chunk(self._deadline)
        if compressor and part:
            part = compressor.feed(part)
        if app.complete:
            self._end()
            if compressor:
                part += compressor.end()
        self.size += len(part)
        return part

    def cancel(self) -> None:
        """Lets the app know that nobody takes the rest."""
        if self._client is not None:
            self._client.discard_body()
            self._end()

    def _end(self) -> None:
        self._client = None
        self.ended_at = time.monotonic()


async def post(connection: HttpClient, head: bytes, reply: StreamedReply, deadline: float, request_id: str) -> None:
    """Posts a reply, each part as soon as it is there, and no faster than the peer takes them.

    Args:
        connection: an open connection to the Runtime API, of which the answer is still to be read.
        head: the POST's head.
        reply: the reply.
        deadline: when Lambda ends the invocation, on the monotonic clock in seconds.
        request_id: the invocation, for the log.

    Raises:
        TimeoutError: the peer has not taken it in time. The connection is closed then.
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
    except Exception as error:  # noqa: BLE001  # a bug of ours must neither look like an end nor take the loop along
        log("ERROR", traceback.format_exc(), request_id)
        data = _failure_trailers(AdapterError(f"The adapter failed: {error!r}. Please report it."), reply, request_id)
    finally:
        reply.cancel()
    await connection.send_chunk(data, deadline)


def _failure_trailers(error: AdapterError, reply: StreamedReply, request_id: str) -> bytes:
    """Logs why a response breaks off; returns the end of the POST, which says so too."""
    reply.error_type = error.error_type
    log("ERROR", f"{error.error_type}: {reply.route} breaks off. {error}{error.details}", request_id)
    document = b2a_base64(error.document(), newline=False).decode("ascii")
    return f"0\r\n{_ERROR_TYPE}: {error.error_type}\r\n{_ERROR_BODY}: {document}\r\n\r\n".encode("ascii")


def _chunk(part: bytes) -> bytes:
    """Writes a chunk (RFC 9112 §7.1); an empty one would be the last."""
    return b"%x\r\n%b\r\n" % (len(part), part) if part else b""
