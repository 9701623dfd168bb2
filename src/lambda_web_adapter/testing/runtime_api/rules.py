"""The rules by which the Runtime API of one environment answers, as the Runtime Interface Emulator has them."""

from __future__ import annotations

import time
import uuid
from collections import deque
from dataclasses import replace
from threading import Condition
from typing import TYPE_CHECKING

from lambda_web_adapter.testing.runtime_api.calls import (
    BAD_REQUEST,
    NOT_FOUND,
    OK,
    RESET,
    TEST_PREFIX,
    Answer,
    Call,
    Reply,
    build_error,
)
from lambda_web_adapter.testing.runtime_api.extensions import ExtensionRefused, Extensions
from lambda_web_adapter.testing.runtime_api.reading import PAYLOAD_LIMIT, Reading, Signals
from lambda_web_adapter.testing.runtime_api.streams import ReplyStream

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable, Mapping
    from io import BufferedReader

    from lambda_web_adapter.testing.runtime_api.events import Event

_MARK = TEST_PREFIX[1:]
_REPLIES = ("response", "error")


class Rules:
    """The state of one environment, and the answers that follow from it. The server's threads call its methods.

    Attributes:
        reading: how streamed replies are read that have not begun yet.
    """

    def __init__(self, *, concurrent: bool, snap_start: bool, wait_timeout: float) -> None:
        """Begin with an environment whose init has begun."""
        self.reading = Reading()
        self._concurrent = concurrent
        self._snap_start = snap_start
        self._changed = Condition()
        self._calls: list[Call] = []
        self._scripts: dict[str, deque[Answer]] = {}
        self._held: set[str] = set()
        self._queue: deque[Event] = deque()
        self._current: Event | None = None
        self._open: dict[str, Event] = {}
        self._request_ids: set[str] = set()
        self._deadlines: dict[str, float] = {}
        self._streams: list[tuple[str, ReplyStream]] = []
        self._extensions = Extensions()
        self._waiting = 0
        self._answer_to_waiting: Answer | None = None
        self._has_asked = self._has_init_failed = self._is_stuck = self._is_restoring = False
        self._is_closing = self._has_ended = False
        self._connections: list[socket.socket] = []
        self._signals = Signals(
            wait_timeout,
            self._changed,
            has_ended=lambda: self._has_ended,
            is_held=lambda: "reading" in self._held,
            is_closing=lambda: self._is_closing,
        )

    def add_connection(self, connection: socket.socket) -> None:
        """Keep a connection, to end it when this closes."""
        with self._changed:
            self._connections.append(connection)

    def wait_for_close(self, timeout: float) -> None:
        """Wait for the end of this Runtime API, `timeout` seconds at most."""
        with self._changed:
            self._changed.wait_for(lambda: self._is_closing, timeout)

    def receive(  # noqa: PLR0913  # all that there is of a request
        self,
        method: str,
        path: str,
        headers: Mapping[str, str],
        source: BufferedReader,
        connection: socket.socket,
        port: int,
    ) -> Answer:
        """Read the body of a request whose head has come, and return the answer to it."""
        call = Call(method, path, headers, b"", time.time(), port)
        if call.name in _REPLIES:
            call = Reply(method, path, headers, b"", call.at, port)
        if headers.get("transfer-encoding", "").lower() == "chunked":
            return self._receive_chunks(call, source, connection)
        length = headers.get("content-length", "0")
        if not (length.isascii() and length.isdigit()):
            return BAD_REQUEST
        body = source.read(int(length))
        return self.answer(replace(call, body=body, at=time.time()))

    def _receive_chunks(self, head: Call, source: BufferedReader, connection: socket.socket) -> Answer:
        stream = ReplyStream(head.headers, self.reading, self._signals)
        event, cut = self._begin_stream(head, stream)
        stream.read(source, connection, cut)
        body = stream.body if stream.reading.is_kept else b""
        with self._changed:
            if cut and not stream.cut:  # the body has ended before that: the answer is to all of it
                self._scripts[head.name].appendleft(cut)
        answer = self.answer(replace(head, body=body, at=time.time(), stream=stream))
        with self._changed:
            if event and event.stream is stream:
                event.stream = None
            self._changed.notify_all()
        return answer if stream.is_complete else replace(answer, headers={**answer.headers, "Connection": "close"})

    def _begin_stream(self, head: Call, stream: ReplyStream) -> tuple[Event | None, Answer | None]:
        """Show a stream to the test; return its event, and the answer by which a script cuts it."""
        with self._changed:
            self._streams.append((head.request_id, stream))
            event = self._open.get(head.request_id) if head.name == "response" else None
            if event and event.stream is None and not event.is_replied:
                event.stream = stream
            script = self._scripts.get(head.name)
            self._changed.notify_all()
            return event, script.popleft() if script and script[0].after is not None else None

    def _take_script(self, call: Call) -> Answer | None:
        """Return what a script has for this call; one for a reply ends the invocation if any of that was read."""
        script = self._scripts.get(call.name)
        cut = call.stream.cut if call.stream else None
        answer = cut or (script.popleft() if script else None)
        if answer and call.name in _REPLIES and call.request_id in self._open:
            is_received = not answer.reset or (call.stream is not None and call.stream.size > 0)
            self._open[call.request_id].is_replied |= is_received
        return answer

    def answer(self, call: Call) -> Answer:
        """Record a call, and return its answer: the script's, else that of the rules. It may wait, as `/next` does."""
        with self._changed:
            self._calls.append(call)
            self._changed.notify_all()
            scripted = self._take_script(call)
            if scripted:
                return scripted
            if call.name.startswith(_MARK):
                self._changed.wait_for(lambda: self._is_closing or call.name.removeprefix(_MARK) not in self._held)
                return OK
            method, rule = self._rules.get(call.name, ("", None))
            if rule is None:
                return NOT_FOUND
            return rule(call) if call.method == method else Answer(405, b"", {"Allow": method, "Content-Type": None})

    @property
    def _rules(self) -> dict[str, tuple[str, Callable[[Call], Answer]]]:
        """The method of each call, and what answers it."""
        return {
            "next": ("GET", self._give_event),
            "response": ("POST", self._end_invocation),
            "error": ("POST", self._end_invocation),
            "init/error": ("POST", self._fail_init),
            "restore/next": ("GET", self._restore),
            "restore/error": ("POST", self._restore),
            "extension/register": ("POST", self._serve_extension),
            "extension/event/next": ("GET", self._serve_extension),
        }

    @property
    def _is_idle(self) -> bool:
        is_busy = self._queue or any(not event.is_replied or event.stream for event in self._open.values())
        return self._waiting > 0 and not is_busy and self._extensions.all_have_asked

    def _give_event(self, call: Call) -> Answer:
        self._has_asked = self._extensions.is_closed = True
        if self._has_init_failed:
            return build_error(403, "InvalidStateTransition", "State transition from InitError to Ready failed")
        if self._is_stuck or (not self._concurrent and self._current and self._current.stream):
            return build_error(
                403, "InvalidStateTransition", "State transition from InvocationResponse to Ready failed"
            )
        if self._current is None or self._current.is_replied or self._concurrent:
            answer = self._wait_for_event()
            if answer:
                return answer
            self._current = self._queue.popleft()
            self._deliver(self._current)
        return Answer(200, self._current.body, self._current.headers)

    def _deliver(self, event: Event) -> None:
        event.deliver()
        self._deadlines[event.request_id] = event.deadline
        self._open = {**(self._open if self._concurrent else {}), event.request_id: event}
        deadline, arn = (
            event.headers.get(f"Lambda-Runtime-{name}") for name in ("Deadline-Ms", "Invoked-Function-Arn")
        )
        self._extensions.add_invocation(event.request_id, deadline, arn)
        self._changed.notify_all()

    def _wait_for_event(self) -> Answer | None:
        """Wait for an event; return the answer if there is none to come."""
        self._waiting += 1
        self._changed.notify_all()
        self._changed.wait_for(
            lambda: self._is_closing or self._answer_to_waiting or (self._queue and self._extensions.all_have_asked)
        )
        self._waiting -= 1
        self._changed.notify_all()
        return RESET if self._is_closing else self._answer_to_waiting

    def _end_invocation(self, call: Call) -> Answer:
        current = self._open.get(call.request_id)
        if current is None or (self._concurrent and (current.is_replied or current.stream not in (None, call.stream))):
            return build_error(400, "InvalidRequestID", "Invalid request ID")
        self._changed.wait_for(lambda: self._is_closing or current.stream in (None, call.stream))
        if current.is_replied:
            return build_error(403, "InvalidStateTransition", "State transition is not allowed")
        nonce = current.headers.get("Lambda-Runtime-Invocation-Id") or ""
        if call.headers.get("lambda-runtime-invocation-id", "") != nonce:
            return build_error(410, "InvokeTimeout", f"Lambda-Runtime-Invocation-Id has to be {nonce!r}")
        current.is_replied = True
        return (self._find_flaw(call) if call.name == "response" else None) or OK

    def _find_flaw(self, call: Call) -> Answer | None:
        """Return the error of a response that is not accepted; it ends its invocation even so."""
        if call.headers.get("lambda-runtime-function-response-mode") not in (None, "", "streaming"):
            self._is_stuck = not self._concurrent
            return build_error(400, "InvalidFunctionResponseMode", "Invalid function response mode")
        if call.is_truncated:
            return build_error(400, "TruncatedHTTPRequest", "HTTP request detected as truncated")
        size, limit = (call.stream.size, call.stream.reading.limit) if call.stream else (len(call.body), PAYLOAD_LIMIT)
        if size > limit:
            message = f"Exceeded maximum allowed payload size ({limit} bytes)."
            return build_error(413, "RequestEntityTooLarge", message)
        return None

    def _restore(self, call: Call) -> Answer:
        """Answer for the snapshot and a restore; `hold("restore")` has it take its time."""
        if not self._snap_start:
            return NOT_FOUND
        if self._has_asked or (call.name == "restore/error" and not self._is_restoring):
            return build_error(403, "InvalidStateTransition", "State transition is not allowed")
        if call.name == "restore/error":
            return OK
        self._is_restoring = True
        self._changed.wait_for(
            lambda: self._is_closing or ("restore" not in self._held and self._extensions.all_have_asked)
        )
        return Answer(200, b"")

    def _serve_extension(self, call: Call) -> Answer:
        try:
            if call.name == "extension/register":
                name = call.headers.get("lambda-extension-name", "")
                identifier, document = self._extensions.register(name, call.body)
                return Answer(200, document, {"Lambda-Extension-Identifier": identifier})
            extension = self._extensions.find(call.headers.get("lambda-extension-identifier", ""))
        except ExtensionRefused as error:
            return build_error(403, error.error_type, str(error))
        self._changed.notify_all()
        self._changed.wait_for(lambda: self._is_closing or self._answer_to_waiting or extension.pending)
        if extension.pending:
            return Answer(200, extension.pending.popleft(), {"Lambda-Extension-Event-Identifier": str(uuid.uuid4())})
        return RESET if self._is_closing or self._answer_to_waiting is None else self._answer_to_waiting

    def _fail_init(self, call: Call) -> Answer:
        if self._has_init_failed or self._current is not None:
            return build_error(403, "InvalidStateTransition", "State transition to InitError failed")
        self._has_init_failed = True
        return OK
