"""Lambda's Runtime API: next invocation, response, error, init error.

https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html; plain HTTP/1.1 on the address in AWS_LAMBDA_RUNTIME_API.
"""

from __future__ import annotations

import orjson

from lambda_web_adapter import __version__
from lambda_web_adapter.adapter.log import log
from lambda_web_adapter.adapter.response_reader import ConnectionClosed, NotHttp
from lambda_web_adapter.errors import AdapterError, RuntimeApiError
from lambda_web_adapter.messages import Invocation

TYPE_CHECKING = False
if TYPE_CHECKING:
    from lambda_web_adapter.adapter.mode import Mode
    from lambda_web_adapter.messages import Response

_VERSION = "2018-06-01"
# More would be another unit than milliseconds, or nonsense; and must not become a number that no float can hold.
_DEADLINE_DIGITS = 15
# "Container error. Non-recoverable state. Runtime should exit promptly" (Lambda Runtime API, all calls).
_CONTAINER_ERROR = 500
# A Runtime API that cannot be reached is asked again this often, after pauses that double, before the bootstrap ends.
_ATTEMPTS = 5
_FIRST_PAUSE = 0.05  # seconds


class RuntimeApi:
    """The Runtime API of an environment, as one slot sees it: over one kept-alive connection.

    Attributes:
        address: `host:port`.
    """

    def __init__(self, address: str, mode: Mode) -> None:
        """Remembers the address.

        Args:
            address: `host:port`, as in AWS_LAMBDA_RUNTIME_API.
            mode: how to wait.
        """
        self.address = address
        host, _, port = address.rpartition(":")
        self._mode = mode
        self._connection = mode.connection(host.strip("[]"), int(port))
        self._common = common_headers(address)
        self._next = f"GET /{_VERSION}/runtime/invocation/next HTTP/1.1\r\n{self._common}\r\n".encode()

    async def next(self) -> Invocation:
        """Waits, without bound, for the next invocation.

        Raises:
            RuntimeApiError: there is none to be had from this answer; `fatal` says that there will be none any more.
        """
        response = await self._exchange(self._next)
        if response.status != 200:
            raise RuntimeApiError(
                f"The Runtime API answered /next with {response.status}: {response.body!r:.300}",
                fatal=response.status == _CONTAINER_ERROR,
            )
        return invocation_of(response)

    async def respond(self, invocation: Invocation, reply: bytes) -> None:
        """Posts the reply to an invocation.

        A refusal is logged and left at that: the invocation is over for the caller, whatever we do.

        Raises:
            RuntimeApiError: the environment cannot go on.
        """
        await self._answer(invocation, "response", "", reply)

    async def fail(self, invocation: Invocation, error: AdapterError) -> None:
        """Reports that an invocation failed.

        Raises:
            RuntimeApiError: the environment cannot go on.
        """
        await self._answer(invocation, "error", _error_type(error), error_document(error))

    async def init_failed(self, error: AdapterError) -> None:
        """Reports that the environment cannot start. The process has to end after that.

        Raises:
            RuntimeApiError: the Runtime API cannot be reached.
        """
        path = f"/{_VERSION}/runtime/init/error"
        response = await self._exchange(self._post(path, _error_type(error), error_document(error)))
        if response.status >= 300:
            log("ERROR", f"The Runtime API answered /init/error with {response.status}: {response.body!r:.300}")

    async def restore_next(self) -> None:
        """Waits, without bound and through the snapshot, for the restore (SnapStart); connections do not survive it.

        Raises:
            RuntimeApiError: the Runtime API has no restore.
        """
        request = f"GET /{_VERSION}/runtime/restore/next HTTP/1.1\r\n{self._common}\r\n".encode()
        response = await self._exchange(request)
        self._connection.close()
        if response.status != 200:
            raise RuntimeApiError(
                f"The Runtime API answered /restore/next with {response.status}: {response.body!r:.300}", fatal=True
            )

    async def restore_failed(self, error: AdapterError) -> None:
        """Reports that the app's hooks failed after a restore. The process has to end after that.

        Raises:
            RuntimeApiError: the Runtime API cannot be reached.
        """
        path = f"/{_VERSION}/runtime/restore/error"
        response = await self._exchange(self._post(path, _error_type(error), error_document(error)))
        if response.status >= 300:
            log("ERROR", f"The Runtime API answered /restore/error with {response.status}: {response.body!r:.300}")

    async def _answer(self, invocation: Invocation, kind: str, headers: str, document: bytes) -> None:
        if invocation.invocation_id:
            headers += f"Lambda-Runtime-Invocation-Id: {invocation.invocation_id}\r\n"
        path = f"/{_VERSION}/runtime/invocation/{invocation.request_id}/{kind}"
        response = await self._exchange(self._post(path, headers, document))
        if response.status < 300:
            return
        said = f"The Runtime API answered /{kind} with {response.status}: {response.body!r:.300}"
        if response.status == _CONTAINER_ERROR:
            raise RuntimeApiError(said, fatal=True)
        log("ERROR", said, invocation.request_id)

    def _post(self, path: str, headers: str, document: bytes) -> bytes:
        head = (
            f"POST {path} HTTP/1.1\r\n{self._common}{headers}"
            f"Content-Type: application/json\r\nContent-Length: {len(document)}\r\n\r\n"
        )
        return head.encode() + document

    async def _exchange(self, request: bytes) -> Response:
        """Sends a request until there is an answer; asking twice is harmless here, the API knows its invocations."""
        pause = _FIRST_PAUSE
        for attempt in range(1, _ATTEMPTS + 1):
            try:
                if not self._connection.port:
                    await self._connection.connect()
                return await self._connection.ask(request)
            except (OSError, ConnectionClosed, NotHttp) as error:
                if attempt == _ATTEMPTS:
                    raise RuntimeApiError(
                        f"The Runtime API cannot be reached after {_ATTEMPTS} attempts: {error}.", fatal=True
                    ) from error
            await self._mode.pause(pause)
            pause *= 2
        raise AssertionError("the loop returns or raises")


def common_headers(address: str) -> str:
    """Writes the lines that every request to Lambda's own APIs has; they count runtimes by the user agent."""
    return f"Host: {address}\r\nUser-Agent: lambda-web-adapter/{__version__}\r\n"


def invocation_of(response: Response) -> Invocation:
    """Reads the answer to /next; headers that are empty count as missing.

    Raises:
        RuntimeApiError: it names no invocation.
    """
    said = {name.lower(): value for name, value in response.headers}
    request_id = said.get(b"lambda-runtime-aws-request-id")
    if not request_id:
        raise RuntimeApiError("The Runtime API's answer to /next has no Lambda-Runtime-Aws-Request-Id.")
    deadline = said.get(b"lambda-runtime-deadline-ms", b"")
    return Invocation(
        request_id=request_id.decode("utf-8", "replace"),
        event=response.body,
        deadline_ms=int(deadline) if deadline.isdigit() and len(deadline) <= _DEADLINE_DIGITS else 0,
        invocation_id=said.get(b"lambda-runtime-invocation-id", b"").decode("utf-8", "replace"),
        trace_id=said.get(b"lambda-runtime-trace-id", b"").decode("utf-8", "replace"),
        tenant_id=said.get(b"lambda-runtime-aws-tenant-id", b"").decode("utf-8", "replace"),
    )


def error_document(error: AdapterError) -> bytes:
    """Writes an error as the Runtime API takes it."""
    return orjson.dumps(
        {
            "errorMessage": f"{error}{error.details}",
            "errorType": error.raised or error.error_type,
            "stackTrace": error.stack,
        }
    )


def _error_type(error: AdapterError) -> str:
    return f"Lambda-Runtime-Function-Error-Type: {error.error_type}\r\n"
