"""Lambda's Runtime API: next invocation, response, error, init error.

https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html; plain HTTP/1.1 on the address in AWS_LAMBDA_RUNTIME_API,
or to an extension that passes the calls on: "Enhancing runtime security and governance with the AWS Lambda Runtime API
proxy extension" (AWS Compute Blog).
"""

from __future__ import annotations

from lambda_web_adapter import __version__
from lambda_web_adapter.adapter.diagnostics.log import log
from lambda_web_adapter.adapter.io.response_parser import ConnectionClosed, NotHttp
from lambda_web_adapter.adapter.lambda_api import response_stream
from lambda_web_adapter.errors import AdapterError, RuntimeApiError
from lambda_web_adapter.http.messages import Invocation

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine
    from typing import Any, TypeVar

    from lambda_web_adapter.adapter.io.backend import Backend, HttpClient
    from lambda_web_adapter.adapter.lambda_api.response_stream import StreamedReply
    from lambda_web_adapter.http.messages import Response

    Found = TypeVar("Found")

_VERSION = "2018-06-01"
# Headers of its answer to /next, as it spells them.
_EXPECTED_HEADERS = frozenset(
    {
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
    }
)
# More would be another unit than milliseconds, or nonsense; and must not become a number that no float can hold.
_DEADLINE_DIGITS = 15
# "Container error. Non-recoverable state. Runtime should exit promptly" (Lambda Runtime API, all calls).
_CONTAINER_ERROR = 500
# A Runtime API that cannot be reached is asked again this often, after pauses that double, before the bootstrap ends.
_ATTEMPTS = 5
_FIRST_PAUSE = 0.05  # seconds
_LONGEST_PAUSE = 0.4  # seconds
# A proxy is an extension's, and starts beside us: 5 s in all, half of what Lambda gives the start of an environment.
_ATTEMPTS_BY_PROXY = 16


class RuntimeApi:
    """The Runtime API of an environment, as one slot sees it: over one kept-alive connection.

    Attributes:
        address: `host:port`.
    """

    def __init__(self, address: str, backend: Backend, *, proxy: str = "") -> None:
        """Remembers the address.

        Args:
            address: `host:port`, as in AWS_LAMBDA_RUNTIME_API.
            backend: how to wait.
            proxy: where to call instead: `host:port`, and perhaps a path that goes before the API's own. It need not
                listen yet.
        """
        self.address, slash, prefix = (proxy or address).partition("/")
        # A local run has its own Runtime API below a path; that is there from the beginning, or never.
        self._proxy = proxy if self.address != address else ""
        self._root = f"{slash}{prefix}/{_VERSION}/runtime"
        self._backend = backend
        self._connection = self._new_connection()
        self._common = common_headers(self.address)
        self._next = f"GET {self._root}/invocation/next HTTP/1.1\r\n{self._common}\r\n".encode()

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
        return invocation_from_response(response)

    async def post_response(self, invocation: Invocation, reply: bytes) -> None:
        """Posts the reply to an invocation.

        Raises:
            RuntimeApiError: the environment cannot go on.
        """
        head = self._head(self._path(invocation, "response"), _invocation_id_header(invocation), len(reply))
        response = await self._exchange(head, reply)
        if response.status >= 300:
            _check(response, "/response", invocation)

    async def post_streamed_response(self, invocation: Invocation, reply: StreamedReply, deadline: float) -> None:
        """Posts a reply part by part, on a connection of its own, which Lambda wants closed after it.

        What goes wrong is logged, and told to Lambda as far as it can be.

        Args:
            invocation: what the reply is to.
            reply: the reply.
            deadline: when Lambda ends the invocation, on the monotonic clock in seconds.

        Raises:
            RuntimeApiError: the environment cannot go on.
        """
        connection = self._new_connection()
        head = (
            f"POST {self._path(invocation, 'response')} HTTP/1.1\r\n{self._common}{_invocation_id_header(invocation)}"
        )
        try:
            await self._retry(connection.connect)
            await response_stream.post(
                connection, f"{head}{response_stream.HEADERS}\r\n".encode(), reply, deadline, invocation.request_id
            )
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
        """Reports that an invocation failed.

        Raises:
            RuntimeApiError: the environment cannot go on.
        """
        path = self._path(invocation, "error")
        _check(
            await self._post(path, _error_headers(error) + _invocation_id_header(invocation), error.document()),
            "/error",
            invocation,
        )

    async def post_init_error(self, error: AdapterError) -> None:
        """Reports that the environment cannot start. The process has to end after that.

        Raises:
            RuntimeApiError: the Runtime API cannot be reached.
        """
        path = f"{self._root}/init/error"
        response = await self._post(path, _error_headers(error), error.document())
        if response.status >= 300:
            log("ERROR", f"The Runtime API answered /init/error with {response.status}: {response.body!r:.300}")

    async def wait_for_restore(self) -> None:
        """Waits, without bound and through the snapshot, for the restore (SnapStart); connections do not survive it.

        Raises:
            RuntimeApiError: the Runtime API has no restore.
        """
        request = f"GET {self._root}/restore/next HTTP/1.1\r\n{self._common}\r\n".encode()
        response = await self._exchange(request)
        self._connection.close()
        if response.status != 200:
            raise RuntimeApiError(
                f"The Runtime API answered /restore/next with {response.status}: {response.body!r:.300}", fatal=True
            )

    async def post_restore_error(self, error: AdapterError) -> None:
        """Reports that the app's hooks failed after a restore. The process has to end after that.

        Raises:
            RuntimeApiError: the Runtime API cannot be reached.
        """
        path = f"{self._root}/restore/error"
        response = await self._post(path, _error_type(error), error.document())
        if response.status >= 300:
            log("ERROR", f"The Runtime API answered /restore/error with {response.status}: {response.body!r:.300}")

    async def _post(self, path: str, headers: str, document: bytes) -> Response:
        return await self._exchange(self._head(path, headers, len(document)), document)

    def _head(self, path: str, headers: str, length: int) -> bytes:
        return (
            f"POST {path} HTTP/1.1\r\n{self._common}{headers}"
            f"Content-Type: application/json\r\nContent-Length: {length}\r\n\r\n"
        ).encode()

    def _path(self, invocation: Invocation, kind: str) -> str:
        return f"{self._root}/invocation/{invocation.request_id}/{kind}"

    def _new_connection(self) -> HttpClient:
        host, _, port = self.address.rpartition(":")
        return self._backend.new_client(host.strip("[]"), int(port))

    async def _exchange(self, head: bytes, body: bytes = b"") -> Response:
        """Sends a request until there is an answer; asking twice is harmless here, the API knows its invocations."""
        if self._connection.port:
            try:
                return await self._connection.send_request(head, body)
            except (OSError, ConnectionClosed, NotHttp):
                pass  # it was kept for long, and may just have been closed; what is wrong with another one is told

        async def exchange() -> Response:
            if not self._connection.port:
                await self._connection.connect()
            return await self._connection.send_request(head, body)

        return await self._retry(exchange)

    async def _retry(self, attempt: Callable[[], Coroutine[Any, Any, Found]]) -> Found:
        """Tries again, after a pause, what the Runtime API did not let happen."""
        attempts = _ATTEMPTS_BY_PROXY if self._proxy else _ATTEMPTS
        pause = _FIRST_PAUSE
        for number in range(1, attempts + 1):
            try:
                return await attempt()
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


def _invocation_id_header(invocation: Invocation) -> str:
    if not invocation.invocation_id:
        return ""
    return f"Lambda-Runtime-Invocation-Id: {invocation.invocation_id}\r\n"


def _check(response: Response, what: str, invocation: Invocation) -> None:
    """Logs a refusal, and leaves it at that: the invocation is over for the caller, whatever we do.

    Raises:
        RuntimeApiError: the environment cannot go on.
    """
    if response.status < 300:
        return
    message = f"The Runtime API answered {what} with {response.status}: {response.body!r:.300}"
    if response.status == _CONTAINER_ERROR:
        raise RuntimeApiError(message, fatal=True)
    log("ERROR", message, invocation.request_id)


def common_headers(address: str) -> str:
    """Writes the lines that every request to Lambda's own APIs has; they count runtimes by the user agent."""
    return f"Host: {address}\r\nUser-Agent: lambda-web-adapter/{__version__}\r\n"


def invocation_from_response(response: Response) -> Invocation:
    """Reads the answer to /next; headers that are empty count as missing.

    Raises:
        RuntimeApiError: it names no invocation.
    """
    headers = dict(response.headers)
    if not _EXPECTED_HEADERS.issuperset(headers):  # a proxy may have them otherwise
        headers = {name.title(): value for name, value in response.headers}
    request_id = headers.get(b"Lambda-Runtime-Aws-Request-Id")
    if not request_id:
        raise RuntimeApiError("The Runtime API's answer to /next has no Lambda-Runtime-Aws-Request-Id.")
    deadline = headers.get(b"Lambda-Runtime-Deadline-Ms", b"")
    return Invocation(
        request_id.decode("utf-8", "replace"),
        response.body,
        int(deadline) if deadline.isdigit() and len(deadline) <= _DEADLINE_DIGITS else 0,
        headers.get(b"Lambda-Runtime-Invocation-Id", b"").decode("utf-8", "replace"),
        headers.get(b"Lambda-Runtime-Trace-Id", b"").decode("utf-8", "replace"),
        headers.get(b"Lambda-Runtime-Aws-Tenant-Id", b"").decode("utf-8", "replace"),
        headers.get(b"Lambda-Runtime-Invoked-Function-Arn", b""),
        headers.get(b"Lambda-Runtime-Client-Context", b""),
        headers.get(b"Lambda-Runtime-Cognito-Identity", b""),
    )


def _error_type(error: AdapterError) -> str:
    return f"Lambda-Runtime-Function-Error-Type: {error.error_type}\r\n"


def _error_headers(error: AdapterError) -> str:
    import os  # nobody pays for these before something goes wrong

    from lambda_web_adapter.adapter.lambda_api import error_cause

    try:
        folder = os.getcwd()
    except FileNotFoundError:  # somebody has removed it, which may be the error's very reason
        folder = ""
    return f"{_error_type(error)}{error_cause.HEADER}: {error_cause.document(error, folder)}\r\n"
