"""The adapter's own loop in this process: the real client of the Runtime API, on a socket that is none, and no app.

Nothing is started and nothing waits, so that thousands of answers a minute go through all that stands between /next
and what is posted.
"""

from __future__ import annotations

import io
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, cast
from unittest import mock

from lambda_web_adapter.adapter import lifecycle, worker
from lambda_web_adapter.adapter.diagnostics import log as adapter_log
from lambda_web_adapter.adapter.io import blocking_backend
from lambda_web_adapter.adapter.process import supervisor
from lambda_web_adapter.errors import ExchangeError
from lambda_web_adapter.http.messages import Response
from lambda_web_adapter.ipc import envelope
from lambda_web_adapter.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from lambda_web_adapter.adapter.process.app_process import AppProcess

TAKEN = b"HTTP/1.1 202 Accepted\r\ncontent-length: 0\r\n\r\n"
# A "container error", which is where the loop ends (Lambda Runtime API, "Next invocation").
OVER = b"HTTP/1.1 500 Over\r\ncontent-length: 0\r\n\r\n"


@dataclass
class Lambda:
    """A Runtime API that gives one answer to /next, then ends the environment.

    Attributes:
        answer: the answer's bytes.
        posted: what was posted: request line, headers by name in lower case, body.
    """

    answer: bytes
    posted: list[tuple[bytes, dict[bytes, bytes], bytes]] = field(default_factory=list)
    given: bool = False

    def handle(self, head: bytes, body: bytes) -> bytes:
        line, *fields = head.split(b"\r\n")
        if line.startswith(b"POST "):
            headers = {name.lower(): value for name, _, value in (field.partition(b": ") for field in fields)}
            self.posted.append((line, headers, body))
            return TAKEN
        assert line == b"GET /2018-06-01/runtime/invocation/next HTTP/1.1"
        found, self.given = (OVER if self.given else self.answer), True
        return found


def unchunked(raw: bytes) -> tuple[bytes, bytes] | None:
    """Reads a body in chunks (RFC 9112 §7.1): the data, and the trailers with the end; None while it has none."""
    data, source = b"", io.BytesIO(raw)
    while line := source.readline():
        size = int(line, 16)
        if not size:
            return data, source.read()
        data += source.read(size)
        assert source.read(2) == b"\r\n"
    return None


class Wire:
    """One connection to it, without a kernel in between; a body in chunks is handled when its trailers are there."""

    def __init__(self, api: Lambda) -> None:
        self._api = api
        self._sent, self._answered = b"", b""

    def send(self, data: bytes, flags: int = 0) -> int:
        self._sent += data
        while b"\r\n\r\n" in self._sent:
            head, _, rest = self._sent.partition(b"\r\n\r\n")
            if b"\r\nTransfer-Encoding: chunked\r\n" in head:
                if unchunked(rest) is None:
                    break
                self._answered += self._api.handle(head, rest)
                self._sent = b""
                break
            length = next(
                (int(line[15:]) for line in head.split(b"\r\n") if line.lower().startswith(b"content-length:")), 0
            )
            if len(rest) < length:
                break
            self._answered += self._api.handle(head, rest[:length])
            self._sent = rest[length:]
        return len(data)

    def recv(self, size: int, flags: int = 0) -> bytes:
        found, self._answered = self._answered[:size], self._answered[size:]
        return found

    def close(self) -> None:
        self._answered = b""

    def settimeout(self, seconds: float | None) -> None:
        """It has no timeouts."""

    def setsockopt(self, level: int, option: int, value: int | bytes) -> None:
        """It has no options."""

    def getsockname(self) -> tuple[str, int]:
        return ("127.0.0.1", 50000)


class Nothing:
    """Takes any call, and does nothing: signals, pauses, and a process that is always there."""

    def __getattr__(self, name: str) -> Callable[..., None]:
        return lambda *args, **more: None


class Process(Nothing):
    """Stands for an app process that is ready and stays so until it is asked to end."""

    pid = 1
    started_at = unreachable_since = 0.0
    is_managed = has_responded = keeps_connections = True
    stopped = False

    def terminate(self) -> None:
        self.stopped = True

    def has_ended(self, seconds: float = 0) -> bool:
        return self.stopped

    def is_gone(self) -> bool:
        return False

    def running_processes(self) -> dict[int, int]:
        return {}


@dataclass(frozen=True)
class Broken:
    """A response that breaks off behind its body, and why."""

    response: Response
    failure: ExchangeError


Outcome = Response | Broken | ExchangeError


class App:
    """Stands for the connection to the app: it answers, or fails, at once; or in two parts, where it may.

    Attributes:
        requests: what it was sent.
    """

    accepts_envelope = True

    def __init__(self, outcome: Outcome) -> None:
        self._outcome = outcome
        self._rest: list[bytes | ExchangeError] = []
        self.requests: list[bytes] = []

    async def exchange(self, head: bytes, body: bytes, method: str, deadline: float, limit: int | None) -> Response:
        end = envelope.HEADER_BYTES + int.from_bytes(head[1 : envelope.HEADER_BYTES], "big")
        envelope.parse_event(head[envelope.HEADER_BYTES : end], body)
        head = head[end:]
        self.requests.append(head + body)
        outcome = self._outcome
        if isinstance(outcome, ExchangeError):
            raise outcome
        if isinstance(outcome, Response):
            return outcome if limit is not None or not outcome.body else self._first_half(outcome)
        if limit is not None:
            raise outcome.failure
        return self._first_half(outcome.response, outcome.failure)

    def _first_half(self, response: Response, *failure: ExchangeError) -> Response:
        half = len(response.body) // 2
        self._rest = [response.body[half:], *failure]
        return Response(response.status, response.headers, response.body[:half])

    @property
    def complete(self) -> bool:
        return not self._rest

    async def read_chunk(self, deadline: float) -> bytes:
        part = self._rest.pop(0)
        if isinstance(part, bytes):
            return part
        raise part

    async def wait_until_done(self, deadline: float, request_id: str) -> None:
        """It has no background tasks."""

    def discard_body(self) -> None:
        self._rest = []

    def close(self) -> None:
        self._rest = []


@dataclass(frozen=True)
class Lived:
    """What was seen of an environment's life: its exit code, its log, and what it sent."""

    code: int
    log: str
    posted: list[tuple[bytes, dict[bytes, bytes], bytes]]
    requests: list[bytes]


def live(answer: bytes, outcome: Outcome, variables: Mapping[str, str]) -> Lived:
    """Lives an environment's life with one answer to /next, from the first line of `run` to its last.

    Args:
        answer: the bytes that come for the first /next.
        outcome: what the app makes of a request.
        variables: the settings.
    """
    api, app, log, nothing = Lambda(answer), App(outcome), io.BytesIO(), Nothing()
    settings = Settings.from_environ({**variables, "AWS_LWA_REGISTER_EXTENSION": "false"})
    with (
        mock.patch("socket.create_connection", side_effect=lambda *args: Wire(api)),
        mock.patch.object(worker, "AppClient", return_value=app),
        mock.patch.object(supervisor, "wait_until_ready", nothing.wait),
        mock.patch.object(lifecycle, "signal", nothing),
        mock.patch.object(blocking_backend, "time", nothing),
        mock.patch.object(adapter_log, "_output", log),
    ):
        code = lifecycle.run("127.0.0.1:9001", [cast("AppProcess", Process())], settings, lifecycle.Environment())
    return Lived(code, log.getvalue().decode(), api.posted, app.requests)
