"""The Invoke API over real sockets, before a function of which the test says how it responds."""

from __future__ import annotations

import asyncio
import base64
import http.client
import json
import re
import socket
from threading import Event, Thread
from typing import TYPE_CHECKING, Any, cast

import httpx
import pytest
from local.scripted_function import LOG, RecordingLog, ScriptedFunction, echo, fail
from support.processes import SECONDS, wait_until

from lambda_web_adapter.adapter.process.ports import listen
from lambda_web_adapter.local.environments.function import Throttled
from lambda_web_adapter.local.environments.invocation import Outcome
from lambda_web_adapter.local.environments.reply_stream import ReplyStream
from lambda_web_adapter.local.invoke_api.app import InvokeApi
from lambda_web_adapter.local.invoke_api.async_invocations import AsyncInvocations
from lambda_web_adapter.local.server import serve
from lambda_web_adapter.models import InvocationError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from uvicorn._types import ASGI3Application

    from lambda_web_adapter.local.environments.invocation import Invocation

FUNCTION = "/2015-03-31/functions/my-function"
INVOKE = f"{FUNCTION}/invocations"
STREAM = "/2021-11-15/functions/my-function/response-streaming-invocations"


class Served:
    """The API on a port of its own, and the function behind it."""

    def __init__(self, host: str = "127.0.0.1") -> None:
        self.function = ScriptedFunction()
        self.log = RecordingLog()
        self.host = host
        self._socket = listen(host, 0)
        self.port: int = self._socket.getsockname()[1]
        self._is_running = Event()
        self._thread = Thread(target=lambda: asyncio.run(self._serve()))
        self.client = httpx.Client(base_url=f"http://127.0.0.1:{self.port}", trust_env=False, timeout=SECONDS)

    async def _serve(self) -> None:
        self._loop, self._stopped = asyncio.get_running_loop(), asyncio.Event()
        queue = AsyncInvocations(self.function, self.log)
        api = cast("ASGI3Application", InvokeApi(self.function, queue, self.log, self.host))
        async with serve(self._socket, api):
            self._is_running.set()
            await self._stopped.wait()
            await queue.stop()

    def post(self, path: str = INVOKE, content: bytes = b"{}", **headers: str) -> httpx.Response:
        """Sends a request with these headers, whose names have dashes for underscores."""
        lines = {name.replace("_", "-"): value for name, value in headers.items()}
        return self.client.post(path, content=content, headers=lines)

    def __enter__(self) -> Served:
        self._thread.start()
        assert self._is_running.wait(SECONDS)
        return self

    def __exit__(self, *_: object) -> None:
        self.client.close()
        self._loop.call_soon_threadsafe(self._stopped.set)
        self._thread.join(SECONDS)
        assert not self._thread.is_alive()


@pytest.fixture
def api() -> Iterator[Served]:
    with Served() as served:
        yield served


def error_of(response: httpx.Response) -> tuple[int, str, str]:
    document = response.json()
    assert document["Type"] == "User"
    assert response.headers["x-amzn-requestid"]
    return response.status_code, response.headers["x-amzn-errortype"], document["message"]


def test_the_reply_comes_with_lambdas_headers(api: Served) -> None:
    response = api.post(content=b' {"a": 1}', x_amzn_trace_id="Root=1-5759e988-bd862e3fe1be46a994272793")

    (invocation,) = api.function.invocations
    assert (response.status_code, response.content) == (200, b' {"a": 1}')
    assert response.headers["content-type"] == "application/json"
    assert response.headers["x-amzn-requestid"] == invocation.request_id
    assert response.headers["x-amz-executed-version"] == "$LATEST"
    assert response.headers["x-amzn-trace-id"] == invocation.trace_id == "Root=1-5759e988-bd862e3fe1be46a994272793"
    assert "x-amz-function-error" not in response.headers
    assert "x-amz-log-result" not in response.headers


def test_context_and_tenant_reach_the_function(api: Served) -> None:
    context = base64.b64encode(b'{"custom": {"a": 1}}').decode()

    api.post(x_amz_client_context=context, x_amz_tenant_id="blue")

    (invocation,) = api.function.invocations
    assert (invocation.client_context, invocation.tenant_id) == ('{"custom": {"a": 1}}', "blue")


def test_a_failed_function_is_a_response_with_its_error(api: Served) -> None:
    api.function.respond = fail

    response = api.post()

    assert (response.status_code, response.headers["x-amz-function-error"]) == (200, "Unhandled")
    assert response.json() == {"errorType": "KeyError", "errorMessage": "no such thing"} | response.json()


def test_the_log_comes_when_it_is_complete(api: Served) -> None:
    response = api.post(x_amz_log_type="Tail")

    assert base64.b64decode(response.headers["x-amz-log-result"]) == LOG


def test_an_event_is_queued(api: Served) -> None:
    response = api.post(x_amz_invocation_type="Event", x_amz_log_type="Tail", content=b'{"Records": []}')

    wait_until(lambda: api.function.invocations, "the event is delivered")
    (invocation,) = api.function.invocations
    assert (response.status_code, response.content) == (202, b"")
    assert response.headers["x-amzn-requestid"] == invocation.request_id
    assert not {"x-amz-executed-version", "x-amz-log-result"} & set(response.headers)
    assert invocation.event == b'{"Records": []}'


def test_the_old_way_to_queue_an_event_works(api: Served) -> None:
    response = api.post("/2014-11-13/functions/my-function/invoke-async/", b'{"old": true}')

    wait_until(lambda: api.function.invocations, "the event is delivered")
    assert (response.status_code, api.function.invocations[0].event) == (202, b'{"old": true}')


@pytest.mark.parametrize("path", [INVOKE, STREAM])
def test_a_dry_run_does_not_reach_the_function(api: Served, path: str) -> None:
    response = api.post(path, x_amz_invocation_type="DryRun")

    assert (response.status_code, response.content) == (204, b"")
    assert "content-length" not in response.headers
    assert api.function.invocations == []


def test_a_dry_run_is_checked_as_others_are(api: Served) -> None:
    response = api.post(content=b"{", x_amz_invocation_type="DryRun")

    assert error_of(response)[:2] == (400, "InvalidRequestContentException")


@pytest.mark.parametrize("path", [INVOKE, STREAM])
def test_a_throttled_caller_learns_when_to_come_again(api: Served, path: str) -> None:
    def throttle(_: Invocation) -> Outcome:
        raise Throttled

    api.function.respond = throttle

    response = api.post(path)

    assert error_of(response) == (429, "TooManyRequestsException", "Rate Exceeded.")
    assert response.headers["retry-after"] == "1"
    assert response.json()["Reason"] == "ReservedFunctionConcurrentInvocationLimitExceeded"
    wait_until(lambda: api.log.lines, "the request is logged")
    assert re.match(r"event 429 \d+ ms: all environments are busy", api.log.lines[-1])


def test_a_payload_of_six_megabytes_fits_and_one_byte_more_does_not(api: Served) -> None:
    largest = b'"' + b"x" * (6 * 1024 * 1024 - 2) + b'"'

    assert api.post(content=largest).content == largest
    assert error_of(api.post(content=largest[:-1] + b'x"')) == (
        413,
        "RequestEntityTooLargeException",
        "Request must be smaller than 6291456 bytes for the InvokeFunction operation",
    )


def test_a_payload_without_length_is_limited_too(api: Served) -> None:
    parts = (b" " * 100_000 for _ in range(70))

    assert error_of(api.client.post(INVOKE, content=parts))[0] == 413


def test_a_megabyte_is_the_limit_of_a_queued_event(api: Served) -> None:
    response = api.post(content=b" " * 1024 * 1024 + b"{}", x_amz_invocation_type="Event")

    assert error_of(response)[:2] == (413, "RequestEntityTooLargeException")
    assert api.function.invocations == []


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE", "OPTIONS"])
def test_what_the_api_does_not_have_is_unknown(api: Served, method: str) -> None:
    response = api.client.request(method, INVOKE)

    assert error_of(response)[:2] == (404, "UnknownOperationException")


def test_waiters_see_an_active_function(api: Served) -> None:
    configuration = api.client.get(f"{FUNCTION}/configuration").json()

    assert api.client.get(FUNCTION).json() == {"Configuration": configuration}
    assert (configuration["State"], configuration["LastUpdateStatus"]) == ("Active", "Successful")
    assert (configuration["Timeout"], configuration["MemorySize"]) == (30, 1769)
    assert configuration["FunctionArn"] == api.function.options.arn


class Parts:
    """A stream that the test fills from its own thread."""

    def __init__(self) -> None:
        self._ready = Event()

    def __call__(self, _: Invocation) -> ReplyStream:
        self._loop = asyncio.get_running_loop()
        self.stream = ReplyStream("application/octet-stream")
        self._ready.set()
        return self.stream

    def put(self, part: bytes) -> None:
        assert self._ready.wait(SECONDS)
        asyncio.run_coroutine_threadsafe(self.stream.put(part), self._loop).result(SECONDS)

    def end(self, error: InvocationError | None = None) -> None:
        assert self._ready.wait(SECONDS)
        self._loop.call_soon_threadsafe(self.stream.end, error)


def messages(data: bytes) -> list[tuple[str, bytes]]:
    """The event types and payloads of an event stream; checksums are botocore's business."""
    found = []
    while data:
        size, headers_size = int.from_bytes(data[:4]), int.from_bytes(data[4:8])
        headers = data[12 : 12 + headers_size]
        kind = "PayloadChunk" if b"PayloadChunk" in headers else "InvokeComplete"
        found.append((kind, data[12 + headers_size : size - 4]))
        data = data[size:]
    return found


def test_a_stream_comes_part_by_part(api: Served) -> None:
    parts = Parts()
    api.function.respond = parts
    with socket.create_connection(("127.0.0.1", api.port), SECONDS) as connection:
        head = f"POST {STREAM} HTTP/1.1\r\nHost: 127.0.0.1:{api.port}\r\nContent-Length: 2\r\n\r\n{{}}"
        connection.sendall(head.encode())
        parts.put(b"one")
        response = http.client.HTTPResponse(connection)
        response.begin()
        received = response.read1()  # before the second part is there

        parts.put(b"two")
        parts.end()
        received += response.read()

    assert response.headers["content-type"] == "application/vnd.amazon.eventstream"
    assert response.headers["x-amzn-requestid"] == api.function.invocations[0].request_id
    assert messages(received) == [("PayloadChunk", b"one"), ("PayloadChunk", b"two"), ("InvokeComplete", b"{}")]


def test_a_stream_that_fails_ends_with_the_error(api: Served) -> None:
    def respond(_: Invocation) -> ReplyStream:
        stream = ReplyStream("text/plain")
        stream.end(InvocationError(error_type="KeyError", error_message="in the stream"))
        return stream

    api.function.respond = respond

    ((kind, payload),) = messages(api.post(STREAM).content)

    document = json.loads(payload)
    assert (kind, document["ErrorCode"]) == ("InvokeComplete", "KeyError")
    assert json.loads(document["ErrorDetails"])["errorMessage"] == "in the stream"


def test_a_function_that_does_not_stream_is_streamed_too(api: Served) -> None:
    response = api.post(STREAM, b'{"a": 1}', x_amz_log_type="Tail")

    chunk, complete = messages(response.content)
    assert chunk == ("PayloadChunk", b'{"a": 1}')
    assert base64.b64decode(json.loads(complete[1])["LogResult"]) == LOG


def test_a_stream_is_no_event(api: Served) -> None:
    response = api.post(STREAM, x_amz_invocation_type="Event")

    assert error_of(response)[:2] == (400, "ValidationException")
    assert api.function.invocations == []


def test_a_stream_without_event_stream_is_collected(api: Served) -> None:
    parts = Parts()
    api.function.respond = parts

    def reply() -> None:
        parts.put(b"one")
        parts.put(b"two")
        parts.end()

    Thread(target=reply).start()

    response = api.post()

    assert (response.content, response.headers["content-type"]) == (b"onetwo", "application/octet-stream")


def test_a_client_that_leaves_a_stream_does_not_stop_the_function(api: Served) -> None:
    parts = Parts()
    api.function.respond = parts
    with socket.create_connection(("127.0.0.1", api.port), SECONDS) as connection:
        head = f"POST {STREAM} HTTP/1.1\r\nHost: 127.0.0.1:{api.port}\r\nContent-Length: 2\r\n\r\n{{}}"
        connection.sendall(head.encode())
        parts.put(b"one")
        connection.recv(1)

    for _ in range(100):
        parts.put(b"x" * 100_000)  # nobody reads it, and nothing waits
    parts.end()
    api.function.respond = echo
    assert api.post().status_code == 200


def test_errors_have_no_headers_that_let_a_page_read_them(api: Served) -> None:
    headers: dict[str, Any] = {"origin": "https://evil.example", "access-control-request-method": "POST"}

    responses = [api.client.options(INVOKE, headers=headers), api.client.post(INVOKE, headers=headers)]

    assert [error_of(response)[:2] for response in responses] == [(403, "AccessDeniedException")] * 2
    assert not any(name.startswith("access-control") for response in responses for name in response.headers)
    assert api.function.invocations == []
