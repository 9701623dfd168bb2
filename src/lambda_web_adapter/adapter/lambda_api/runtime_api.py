"""Lambda's Runtime API: next invocation, response, error, init error.

https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html; plain HTTP/1.1 to the address in AWS_LAMBDA_RUNTIME_API,
or to an extension that forwards the calls ("Enhancing runtime security and governance with the AWS Lambda Runtime API
proxy extension", AWS Compute Blog).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from lambda_web_adapter import __version__
from lambda_web_adapter.adapter.diagnostics.log import log
from lambda_web_adapter.adapter.io.response_parser import ConnectionClosed, NotHttp
from lambda_web_adapter.adapter.lambda_api import response_stream
from lambda_web_adapter.errors import AdapterError, RuntimeApiError
from lambda_web_adapter.http.messages import Invocation

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine
    from typing import Any, TypeVar

    from lambda_web_adapter.adapter.io.backend import Backend, HttpClient
    from lambda_web_adapter.adapter.lambda_api.response_stream import StreamedReply
    from lambda_web_adapter.http.messages import Response

    Result = TypeVar("Result")

_VERSION = "2018-06-01"
# The headers of an event as the Runtime API spells them, with the value that stands for a missing one.
_NO_HEADERS = dict.fromkeys(
    (
        b"Content-Length",
        b"Content-Type",
        b"Date",
        b"Lambda-Runtime-Aws-Request-Id",
        b"Lambda-Runtime-Aws-Tenant-Id",
        b"Lambda-Runtime-Client-Context",
        b"Lambda-Runtime-Cognito-Identity",
        b"Lambda-Runtime-Deadline-Ms",
        b"Lambda-Runtime-Invocation-Id",
        b"Lambda-Runtime-Invoked-Function-Arn",
        b"Lambda-Runtime-Trace-Id",
    ),
    b"",
)
# The header lines of a JSON document, up to its length.
_JSON = "Content-Type: application/json\r\nContent-Length: "
# More digits cannot be milliseconds since the epoch, and might not fit into a float.
_DEADLINE_DIGITS = 15
# "Container error. Non-recoverable state. Runtime should exit promptly" (Lambda Runtime API, all calls).
_CONTAINER_ERROR = 500
# How often to try to reach the Runtime API before the bootstrap ends, with pauses in between that double.
_ATTEMPTS = 5
_FIRST_PAUSE = 0.05  # seconds
_LONGEST_PAUSE = 0.4  # seconds
# A proxy belongs to an extension, which starts at the same time: 5 s in all, half of the time for Lambda's init.
_ATTEMPTS_BY_PROXY = 16


class RuntimeApi:
    """The Runtime API for one worker, over one kept connection.

    Attributes:
        address: `host:port`.
    """

    def __init__(self, address: str, backend: Backend, *, proxy: str = "") -> None:
        """Prepare a connection, which the first call opens.

        Args:
            address: `host:port`, as in AWS_LAMBDA_RUNTIME_API.
            backend: how to wait.
            proxy: what to call instead: `host:port`, and perhaps a path before the API's own. It may not listen yet.
        """
        self.address, slash, prefix = (proxy or address).partition("/")
        # The Runtime API of a local run is below a path, and listens already.
        self._proxy = proxy if self.address != address else ""
        self._root = f"{slash}{prefix}/{_VERSION}/runtime"
        self._backend = backend
        self._connection = self._new_connection()
        self._common = common_headers(self.address)
        self._next = f"GET {self._root}/invocation/next HTTP/1.1\r\n{self._common}\r\n".encode()

    async def next(self) -> Invocation:
        """Wait, without a timeout, for the next invocation.

        Raises:
            RuntimeApiError: The response has no invocation; if it is `fatal`, no later one will.
        """
        response = await self._exchange(self._next)
        if response.status != 200:
            raise RuntimeApiError(
                f"The Runtime API responded to /next with {response.status}: {response.body!r:.300}",
                fatal=response.status == _CONTAINER_ERROR,
            )
        return invocation_from_response(response)

    async def post_response(self, invocation: Invocation, reply: bytes) -> None:
        """Post the reply to an invocation.

        Raises:
            RuntimeApiError: The environment cannot go on.
        """
        head = self._post_head(invocation, "response", f"{_JSON}{len(reply)}\r\n")
        response = await self._exchange(head, reply)
        if response.status >= 300:
            _check(response, "/response", invocation)

    async def post_streamed_response(self, invocation: Invocation, reply: StreamedReply, deadline: float) -> None:
        """Post a reply chunk by chunk, on a connection of its own, since Lambda demands that it is closed afterwards.

        Errors are logged, and sent to Lambda in trailers where possible.

        Args:
            invocation: the invocation that the reply is for.
            reply: the reply.
            deadline: when Lambda ends the invocation, on the monotonic clock, in seconds.

        Raises:
            RuntimeApiError: The environment cannot go on.
        """
        connection = self._new_connection()
        head = self._post_head(invocation, "response", response_stream.HEADERS)
        try:
            await self._retry(connection.connect)
            await response_stream.post(connection, head, reply, deadline, invocation.request_id)
            response = await connection.read_response(deadline)
        except TimeoutError:
            log("ERROR", f"The response to {reply.route} was not taken in time; it breaks off.", invocation.request_id)
        except (ConnectionClosed, NotHttp) as error:
            what = f"The Runtime API ended its connection in the middle of the response to {reply.route} ({error})."
            log("ERROR", what, invocation.request_id)
        else:
            _check(response, f"/response to {reply.route}", invocation)
        finally:
            reply.cancel()
            connection.close()

    async def post_error(self, invocation: Invocation, error: AdapterError) -> None:
        """Post the error that an invocation failed with.

        Raises:
            RuntimeApiError: The environment cannot go on.
        """
        document = error.document()
        head = self._post_head(invocation, "error", f"{_JSON}{len(document)}\r\n", _error_headers(error))
        _check(await self._exchange(head, document), "/error", invocation)

    async def post_init_error(self, error: AdapterError) -> None:
        """Post the error that init failed with. The process has to end after that.

        Raises:
            RuntimeApiError: The Runtime API cannot be reached.
        """
        response = await self._post("/init/error", _error_headers(error), error.document())
        if response.status >= 300:
            log("ERROR", f"The Runtime API responded to /init/error with {response.status}: {response.body!r:.300}")

    async def wait_for_restore(self) -> None:
        """Wait, without a timeout, until Lambda restores the snapshot (SnapStart); connections do not survive it.

        Raises:
            RuntimeApiError: There is no restore.
        """
        request = f"GET {self._root}/restore/next HTTP/1.1\r\n{self._common}\r\n".encode()
        response = await self._exchange(request)
        self._connection.close()
        if response.status != 200:
            raise RuntimeApiError(
                f"The Runtime API responded to /restore/next with {response.status}: {response.body!r:.300}", fatal=True
            )

    async def post_restore_error(self, error: AdapterError) -> None:
        """Post the error of the app's hooks after a restore. The process has to end after that.

        Raises:
            RuntimeApiError: The Runtime API cannot be reached.
        """
        response = await self._post("/restore/error", _error_type(error), error.document())
        if response.status >= 300:
            log("ERROR", f"The Runtime API responded to /restore/error with {response.status}: {response.body!r:.300}")

    async def _post(self, path: str, headers: str, document: bytes) -> Response:
        head = f"POST {self._root}{path} HTTP/1.1\r\n{self._common}{headers}{_JSON}{len(document)}\r\n\r\n"
        return await self._exchange(head.encode(), document)

    def _post_head(self, invocation: Invocation, kind: str, headers: str, error_headers: str = "") -> bytes:
        if invocation.invocation_id:
            headers = f"Lambda-Runtime-Invocation-Id: {invocation.invocation_id}\r\n{headers}"
        return (
            f"POST {self._root}/invocation/{invocation.request_id}/{kind} HTTP/1.1\r\n"
            f"{self._common}{error_headers}{headers}\r\n"
        ).encode()

    def _new_connection(self) -> HttpClient:
        host, _, port = self.address.rpartition(":")
        return self._backend.new_client(host.strip("[]"), int(port))

    async def _exchange(self, head: bytes, body: bytes = b"") -> Response:
        """Return the response to a request. It may be sent twice: the API knows each invocation by its id."""
        if self._connection.port:
            try:
                return await self._connection.send_request(head, body)
            except (OSError, ConnectionClosed, NotHttp):
                pass  # the idle connection may have been closed; any other error will come again
        return await self._retry(self._connect_and_send, head, body)

    async def _connect_and_send(self, head: bytes, body: bytes) -> Response:
        if not self._connection.port:
            await self._connection.connect()
        return await self._connection.send_request(head, body)

    async def _retry(self, attempt: Callable[..., Coroutine[Any, Any, Result]], *arguments: bytes) -> Result:
        """Return the attempt's result; if the Runtime API cannot be reached, pause and try again."""
        attempts = _ATTEMPTS_BY_PROXY if self._proxy else _ATTEMPTS
        pause = _FIRST_PAUSE
        for number in range(1, attempts + 1):
            try:
                return await attempt(*arguments)
            except (OSError, ConnectionClosed, NotHttp) as error:
                by = f" by its proxy {self._proxy} (AWS_LWA_LAMBDA_RUNTIME_API_PROXY)" if self._proxy else ""
                if number == attempts:
                    raise RuntimeApiError(
                        f"The Runtime API cannot be reached{by} after {attempts} attempts: {error}.", fatal=True
                    ) from error
                if self._proxy and number == 1:
                    log("INFO", f"The Runtime API cannot be reached{by} yet: {error}.")
            await self._backend.sleep(pause)
            pause = min(pause * 2, _LONGEST_PAUSE)
        raise AssertionError("the loop returns or raises")


def _check(response: Response, what: str, invocation: Invocation) -> None:
    """Log a status that is an error; no more is needed, since for the caller the invocation is over in any case.

    Raises:
        RuntimeApiError: The environment cannot go on.
    """
    if response.status < 300:
        return
    message = f"The Runtime API responded to {what} with {response.status}: {response.body!r:.300}"
    if response.status == _CONTAINER_ERROR:
        raise RuntimeApiError(message, fatal=True)
    log("ERROR", message, invocation.request_id)


def common_headers(address: str) -> str:
    """Return the header lines of every request to Lambda's APIs, which count runtimes by the user agent."""
    return f"Host: {address}\r\nUser-Agent: lambda-web-adapter/{__version__}\r\n"


def invocation_from_response(response: Response) -> Invocation:
    """Return the invocation in a response to /next; an empty header counts as missing.

    Raises:
        RuntimeApiError: The response has no request id.
    """
    headers = _NO_HEADERS | dict(response.headers)
    if len(headers) > len(_NO_HEADERS):  # a proxy may spell them in another way, or add some
        headers = _NO_HEADERS | {name.title(): value for name, value in response.headers}
    request_id = headers[b"Lambda-Runtime-Aws-Request-Id"]
    if not request_id:
        raise RuntimeApiError("The Runtime API's response to /next has no Lambda-Runtime-Aws-Request-Id.")
    deadline = headers[b"Lambda-Runtime-Deadline-Ms"]
    return Invocation(
        request_id.decode("utf-8", "replace"),
        response.body,
        int(deadline) if deadline.isdigit() and len(deadline) <= _DEADLINE_DIGITS else 0,
        headers[b"Lambda-Runtime-Invocation-Id"].decode("utf-8", "replace"),
        headers[b"Lambda-Runtime-Trace-Id"].decode("utf-8", "replace"),
        headers[b"Lambda-Runtime-Aws-Tenant-Id"].decode("utf-8", "replace"),
        headers[b"Lambda-Runtime-Invoked-Function-Arn"],
        headers[b"Lambda-Runtime-Client-Context"],
        headers[b"Lambda-Runtime-Cognito-Identity"],
    )


def _error_type(error: AdapterError) -> str:
    return f"Lambda-Runtime-Function-Error-Type: {error.error_type}\r\n"


def _error_headers(error: AdapterError) -> str:
    import os  # only imported for errors

    from lambda_web_adapter.adapter.lambda_api import error_cause

    try:
        folder = os.getcwd()
    except FileNotFoundError:  # it has been removed, which may be the cause of the error
        folder = ""
    return f"{_error_type(error)}{error_cause.HEADER}: {error_cause.document(error, folder)}\r\n"
