"""What a test can know about an invocation."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import httpx

from lambda_web_adapter.errors import AdapterError, InvalidResponse

if TYPE_CHECKING:
    from lambda_web_adapter.ipc.exchange_frame import Exchange
    from lambda_web_adapter.local.environments.invocation import Invocation

_SEPARATOR = bytes(8)  # ends the prelude of a streamed reply
_SERVER_ERROR = 500  # the first status that says so


class InvocationFailed(Exception):
    """An invocation has failed: the function has posted an error instead of a reply.

    Attributes:
        error_type: the error's type, such as `KeyError` or `Function.AppTimeout`.
        error_message: its message.
        stack_trace: the lines of its traceback, if it has one.
    """

    def __init__(self, error_type: str, error_message: str, stack_trace: list[str]) -> None:
        super().__init__(f"{error_type}: {error_message}")
        self.error_type = error_type
        self.error_message = error_message
        self.stack_trace = stack_trace


@dataclass(slots=True, kw_only=True, eq=False)
class InvocationRecord:
    """One invocation: what went in, what came out, and what was between adapter and app.

    Attributes:
        raw_event: the event, as JSON.
        raw_reply: the reply, or the error document, as JSON; of a streamed reply only the prelude.
        error: what the app has raised, or logged with a status of 500 or more, or else the adapter's error; None if
            all went well.
        invocation: times and numbers of the environment.
        exchange: what passed between adapter and app; None if the app got nothing. Of a process, bodies are cut at
            64 KB.
        logged_error: the last exception that the app has logged as an error.
    """

    raw_event: bytes
    raw_reply: bytes = b""
    error: BaseException | None = None
    invocation: Invocation = field(repr=False)
    exchange: Exchange | None = field(default=None, repr=False)
    logged_error: BaseException | None = field(default=None, repr=False)

    def complete(self) -> None:
        """Make the exception that the app has logged the error, if its response breaks off, or says that it failed."""
        if self.logged_error is None:
            return
        if isinstance(self.error, InvalidResponse) or (self.error is None and _is_failure(self.response)):
            self.error = self.logged_error

    @property
    def app_error(self) -> BaseException | None:
        """The error, unless it is one of the adapter, or of an invocation that has failed."""
        return None if isinstance(self.error, (AdapterError, InvocationFailed)) else self.error

    @property
    def event(self) -> Any:
        """The event, parsed."""
        return json.loads(self.raw_event)

    @property
    def reply(self) -> Any:
        """The reply, or the error document, parsed; of a streamed reply the prelude; None if there is none."""
        return json.loads(self.raw_reply.partition(_SEPARATOR)[0]) if self.raw_reply else None

    @property
    def source(self) -> str:
        """The event source, such as `http-api-v2` or `sqs`; empty if it is not known."""
        return self.invocation.source or (self.exchange.source if self.exchange else "")

    @property
    def log(self) -> str:
        """The last 16 KB of what the app has logged, or, if it runs as a process, written."""
        return self.invocation.log.decode("utf-8", "replace")

    @property
    def request(self) -> httpx.Request | None:
        """The request that the app got; None if it got none."""
        return _parse_request(self.exchange.request_head, self.exchange.request_body) if self.exchange else None

    @property
    def response(self) -> httpx.Response | None:
        """The app's response, of a streamed one what came with its head; None if there is none."""
        if self.exchange is None or not self.exchange.response_head:
            return None
        return _parse_response(self.exchange.response_head, self.exchange.response_body)

    @property
    def request_id(self) -> str:
        """The invocation's id, as in `current_context().aws_request_id`."""
        return self.invocation.request_id

    @property
    def is_cold(self) -> bool:
        """Whether the app was started for it."""
        return self.invocation.is_cold

    @property
    def init_ms(self) -> float:
        """How long that start took, in milliseconds; 0 unless `is_cold`."""
        return self.invocation.init_seconds * 1000

    @property
    def duration_ms(self) -> float:
        """How long it took until the app was done, in milliseconds, without the start; 0 while it runs."""
        invocation = self.invocation
        return max(invocation.ended_at - invocation.started_at, 0.0) * 1000 if invocation.ended_at else 0.0

    @property
    def background_ms(self) -> float:
        """How long the app worked after its reply, in milliseconds: background tasks, `before_freeze`."""
        invocation = self.invocation
        replied_at = invocation.responded_at
        return max(invocation.ended_at - replied_at, 0.0) * 1000 if replied_at and invocation.ended_at else 0.0

    @property
    def memory_mb(self) -> int:
        """The most memory that the environment had until then, in MB; 0 unless the app runs as a process."""
        return self.invocation.max_memory // 1024 // 1024


def _is_failure(response: httpx.Response | None) -> bool:
    return response is not None and response.status_code >= _SERVER_ERROR


def _parse_request(head: bytes, body: bytes) -> httpx.Request:
    """Return the request on the wire; its target as sent is `extensions["target"]`."""
    line, headers = _parse_head(head)
    method, target, _ = line.split(b" ", 2)
    url = _url(headers.get("host", ""), target)
    return httpx.Request(method.decode("ascii"), url, headers=headers, content=body, extensions={"target": target})


def _url(host: str, target: bytes) -> httpx.URL:
    """Return the URL; a client may send any host, and then there is `localhost`."""
    try:
        return httpx.URL(f"http://{host or 'localhost'}").copy_with(raw_path=target)
    except (httpx.InvalidURL, ValueError):
        return httpx.URL("http://localhost").copy_with(raw_path=target)


def _parse_response(head: bytes, body: bytes) -> httpx.Response:
    """Return a response, whose body is decoded if the app has compressed it."""
    line, headers = _parse_head(head)
    return httpx.Response(int(line.split(b" ")[1]), headers=headers, content=body)


def _parse_head(head: bytes) -> tuple[bytes, httpx.Headers]:
    """Return the first line, and the headers."""
    first, *lines = head.split(b"\r\n")
    pairs = [(name, value) for name, _, value in (line.partition(b": ") for line in lines if line)]
    return first, httpx.Headers(pairs)
