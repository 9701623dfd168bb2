"""A gateway and the Runtime API on the real server, and a bootstrap of which a test says every step."""

from __future__ import annotations

import asyncio
import base64
import http.client
import json
import socket
import struct
from collections.abc import Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from threading import Event, Thread
from types import TracebackType
from typing import TYPE_CHECKING, Any, cast

import httpx
from support.processes import SECONDS

from lambda_web_adapter.adapter.process.ports import listen
from lambda_web_adapter.local.environments.invocation import Invocation, Outcome
from lambda_web_adapter.local.environments.runtime_api_app import RuntimeApiApp
from lambda_web_adapter.local.environments.runtime_session import RuntimeSession
from lambda_web_adapter.local.gateway_app import GatewayApp
from lambda_web_adapter.local.gateways import GATEWAYS
from lambda_web_adapter.local.gateways.prelude import CONTENT_TYPE, SEPARATOR
from lambda_web_adapter.local.invoke_api.app import BesideInvokeApi, InvokeApi
from lambda_web_adapter.local.invoke_api.async_invocations import AsyncInvocations
from lambda_web_adapter.local.log import Log
from lambda_web_adapter.local.server import serve

if TYPE_CHECKING:
    from lambda_web_adapter.local.environments.function import Function

PREFIX = "/2018-06-01/runtime/invocation"


def prelude(status: int = 200, **others: Any) -> bytes:
    """What stands in front of a streamed body."""
    return json.dumps({"statusCode": status, "headers": {"content-type": "text/plain"}, **others}).encode() + SEPARATOR


def trailers(kind: str, message: str) -> dict[str, str]:
    """How a bootstrap says that a stream has failed."""
    document = json.dumps({"errorType": "KeyError", "errorMessage": message}).encode()
    return {
        "Lambda-Runtime-Function-Error-Type": kind,
        "Lambda-Runtime-Function-Error-Body": base64.b64encode(document).decode(),
    }


class Reply:
    """A streamed reply on its way to the Runtime API, over a connection of its own."""

    def __init__(self, address: str, path: str, headers: Mapping[str, str]) -> None:
        port = int(address.rpartition(":")[2])
        self.socket = socket.create_connection(("127.0.0.1", port), SECONDS)
        lines = [f"POST {path} HTTP/1.1", f"Host: {address}", "Transfer-Encoding: chunked"]
        self._head = "\r\n".join([*lines, *(f"{name}: {headers[name]}" for name in headers), "", ""]).encode()

    def send(self, part: bytes) -> None:
        """Sends a part as a chunk of its own; the first takes the head along."""
        self.socket.sendall(self._taken() + b"%x\r\n%b\r\n" % (len(part), part))

    def end(self, lines: Mapping[str, str] | None = None, last: bytes = b"") -> tuple[int, Any]:
        """Ends the body, with trailers, and with a last part in the same packet; returns status and document."""
        text = "".join(f"{name}: {value}\r\n" for name, value in (lines or {}).items())
        chunk = b"%x\r\n%b\r\n" % (len(last), last) if last else b""
        self.socket.sendall(self._taken() + chunk + f"0\r\n{text}\r\n".encode())
        return self.answer()

    def answer(self) -> tuple[int, Any]:
        """Reads what the Runtime API answers."""
        found = http.client.HTTPResponse(self.socket)
        found.begin()
        with found:
            return found.status, json.loads(found.read())

    def cut(self) -> None:
        """Ends the connection in the middle, as the end of the bootstrap does."""
        self.socket.sendall(self._taken())
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.socket.close()

    def _taken(self) -> bytes:
        head, self._head = self._head, b""
        return head


class Bootstrap:
    """Takes events, and replies as it is told to."""

    def __init__(self, api: RuntimeApiApp) -> None:
        self._address = api.address
        self._prefix = f"/{api.session.key}{PREFIX}"
        self.connection = http.client.HTTPConnection(api.address, timeout=SECONDS)
        self._replies: list[Reply] = []
        self.event: Any = None
        self.headers: dict[str, str] = {}

    def next(self) -> str:
        """Waits for an event; returns the path to reply to."""
        self.connection.request("GET", f"{self._prefix}/next")
        response = self.connection.getresponse()
        self.event = json.loads(response.read())
        self.headers = {"Lambda-Runtime-Invocation-Id": response.headers["lambda-runtime-invocation-id"]}
        return f"{self._prefix}/{response.headers['lambda-runtime-aws-request-id']}/response"

    def stream(self, path: str, content_type: str = CONTENT_TYPE, mode: str = "streaming") -> Reply:
        """Begins to reply."""
        headers = {"Content-Type": content_type, "Lambda-Runtime-Function-Response-Mode": mode}
        reply = Reply(self._address, path, self.headers | headers)
        self._replies.append(reply)
        return reply

    def post(self, path: str, payload: bytes) -> int:
        """Replies with all at once."""
        self.connection.request("POST", path, payload, self.headers)
        response = self.connection.getresponse()
        response.read()
        return response.status

    def close(self) -> None:
        self.connection.close()
        for reply in self._replies:
            reply.socket.close()


class OneSession:
    """A function whose only environment is the test."""

    def __init__(self) -> None:
        self.session = RuntimeSession(self)

    def submit(self, event: bytes, *, title: str, source: str = "", trace_id: str = "", **context: str) -> Invocation:
        outcome = asyncio.get_running_loop().create_future()
        invocation = Invocation(event=event, title=title, outcome=outcome, source=source, trace_id=trace_id)
        assert not any(context.values())
        self.session.assign(invocation)
        return invocation

    def init_completed(self) -> None:
        """The test knows."""

    def debugger_attached(self) -> None:
        """There is none."""

    def environment_waits(self) -> None:
        """The test knows."""

    def invocation_ended(self, invocation: Invocation) -> None:
        """The test knows."""

    def init_failed(self, document: bytes) -> None:
        raise AssertionError(document)


class Local:
    """A local run without an environment: the test is the bootstrap, and the client."""

    def __init__(self, event_source: str) -> None:
        self._listeners = [listen("127.0.0.1", 0), listen("127.0.0.1", 0)]
        self.port, runtime_port = (each.getsockname()[1] for each in self._listeners)
        self._function = OneSession()
        self.api = RuntimeApiApp(f"127.0.0.1:{runtime_port}", "arn:test", self._function.session)
        function, log = cast("Function", self._function), Log()
        invoke_api = InvokeApi(function, AsyncInvocations(function, log), log)
        self._gateway = BesideInvokeApi(GatewayApp(GATEWAYS[event_source], function, log), invoke_api)
        self._thread = Thread(target=lambda: asyncio.run(self._serve()))
        self._runs = Event()
        self.bootstrap = Bootstrap(self.api)
        self.client = httpx.Client(base_url=f"http://127.0.0.1:{self.port}", trust_env=False, timeout=SECONDS)
        self._pool = ThreadPoolExecutor(4)

    async def _serve(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._stopped = asyncio.Event()
        async with serve(self._listeners[1], self.api), serve(self._listeners[0], self._gateway):
            self._runs.set()
            await self._stopped.wait()

    def ask(self, method: str = "GET", path: str = "/", content: bytes | None = None) -> Future[httpx.Response]:
        """Sends a request; the response is there as soon as its head is."""
        return self.send(self.client.build_request(method, path, content=content))

    def send(self, request: httpx.Request) -> Future[httpx.Response]:
        """Sends a request that is made already."""
        return self._pool.submit(self.client.send, request, stream=True)

    def environment_ends(self, document: bytes) -> None:
        """Tells the Runtime API what it is told when the bootstrap's process has ended."""
        outcome = Outcome(payload=document, failed=True)
        self._loop.call_soon_threadsafe(self._function.session.end, outcome)

    def stop(self) -> None:
        """Stops the server as Ctrl-C does."""
        if self._thread.is_alive():
            self._loop.call_soon_threadsafe(self._stopped.set)
        self._thread.join(SECONDS)
        assert not self._thread.is_alive()

    def __enter__(self) -> Local:
        self._thread.start()
        assert self._runs.wait(SECONDS)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.client.close()
        self.bootstrap.close()
        self._pool.shutdown()
        self.stop()
