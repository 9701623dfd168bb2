"""A Runtime API for tests: it hands out what it is given, records every call, and can be told to answer badly.

`adapter/test_contract.py` holds it to what the Runtime Interface Emulator does. Two things the emulator has no part in:
the nonce in Lambda-Runtime-Invocation-Id, and the paths under /test, by which an app under test makes itself heard.
"""

from __future__ import annotations

import json
import math
import socket
import time
import uuid
from collections import deque
from dataclasses import dataclass, replace
from threading import Condition, Thread
from typing import TYPE_CHECKING, Any

from support.fake_calls import CLOSED, NOT_FOUND, OK, RESET, Answer, Call, problem
from support.fake_extensions_api import Extensions, Refused
from support.fake_http import Server
from support.fake_streams import Reading, Signals, Streamed
from support.processes import SECONDS

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from io import BufferedReader
    from types import TracebackType
    from typing import Self, TypeVar

    Found = TypeVar("Found")

__all__ = ["CLOSED", "OK", "RESET", "Answer", "Call", "FakeRuntimeApi", "Reading", "Streamed"]
MAX_REPLY = 6 * 1024 * 1024 + 100
ARN = "arn:aws:lambda:us-east-1:123456789012:function:test"


@dataclass
class _Event:
    request_id: str
    body: bytes
    headers: Mapping[str, str | None]
    seconds: float | None
    deadline: float = math.inf
    answered: bool = False
    stream: Streamed | None = None

    def start(self) -> None:
        """Sets the deadline: a function's time does not begin before a runtime has the event."""
        if self.seconds is not None:
            self.deadline = time.time() + self.seconds
            self.headers = {"Lambda-Runtime-Deadline-Ms": str(int(self.deadline * 1000)), **self.headers}


class FakeRuntimeApi:
    """The Runtime API of one environment, on a free port, served by threads until it is closed.

    One event is open at a time, as on Lambda; or, for Managed Instances, as many as are asked for.

    Attributes:
        reading: how responses in chunks are read that have not begun yet.
    """

    def __init__(self, *, many: bool = False, snap_start: bool = True) -> None:
        """Starts to listen; without `snap_start` there is no restore."""
        self._many = many
        self._open: dict[str, _Event] = {}
        self._streams: list[tuple[str, Streamed]] = []
        self.reading = Reading()
        self._stuck = False
        self._snap_start = snap_start
        self._extensions = Extensions()
        self._restoring = False
        self._changed = Condition()
        self._calls: list[Call] = []
        self._queue: deque[_Event] = deque()
        self._current: _Event | None = None
        self._deadlines: dict[str, float] = {}
        self._scripts: dict[str, deque[Answer]] = {}
        self._held: set[str] = set()
        self._init_failed = False
        self._asked = False
        self._closing = False
        self._waited_for = True
        self._connections: list[socket.socket] = []
        self._signals = Signals(
            self._changed,
            gone=lambda: not self._waited_for,
            held=lambda: "reading" in self._held,
            closing=lambda: self._closing,
        )
        self._waiting = 0
        self._dropped: Answer | None = None
        self._server = Server(self)
        self.address = f"127.0.0.1:{self._server.server_port}"
        self._thread = Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02})
        self._thread.start()

    # What a test does.

    def add(
        self,
        event: object,
        *,
        request_id: str = "",
        seconds: float | None = 20,
        headers: Mapping[str, str | None] | None = None,
    ) -> str:
        """Queues an event, bytes as they are and anything else as JSON.

        Args:
            event: the event.
            request_id: its id; one is made up otherwise.
            seconds: the time from its delivery to the deadline; None leaves the header out.
            headers: more headers for the answer to /next; None leaves one out.

        Returns:
            The id.
        """
        request_id = request_id or str(uuid.uuid4())
        given = {
            "Lambda-Runtime-Aws-Request-Id": request_id,
            "Lambda-Runtime-Invoked-Function-Arn": ARN,
            **(headers or {}),
        }
        body = event if isinstance(event, bytes) else json.dumps(event).encode()
        with self._changed:
            self._queue.append(_Event(request_id, body, given, seconds))
            self._changed.notify_all()
        return request_id

    def invoke(self, event: object, **more: Any) -> Call:
        """Queues an event, and waits for what is posted for it: the call to /response or /error."""
        return self.outcome(self.add(event, **more))

    def script(self, name: str, *answers: Answer) -> None:
        """Says how the next calls of that name are answered, whatever the rules say."""
        with self._changed:
            self._scripts.setdefault(name, deque()).extend(answers)

    def hold(self, name: str) -> None:
        """Has calls of /test/NAME wait until `release`, so that an app that makes one stands still there.

        `restore` is what a restore waits for, and `reading` has the bodies in chunks stand still.
        """
        with self._changed:
            self._held.add(name)

    def release(self, name: str) -> None:
        """Lets go on what was held."""
        with self._changed:
            self._held.discard(name)
            self._changed.notify_all()

    def drop_waiting(self, answer: Answer) -> None:
        """Answers so, where an event is awaited; a frozen environment may find its connections ended."""
        with self._changed:
            self._dropped = answer
            self._changed.notify_all()
            self._changed.wait_for(lambda: not self._waiting)
            self._dropped = None

    @property
    def calls(self) -> list[Call]:
        with self._changed:
            return list(self._calls)

    def named(self, name: str) -> list[Call]:
        """The calls of that name so far."""
        return [call for call in self.calls if call.name == name]

    @property
    def names(self) -> list[str]:
        """The names of `runtime_calls`."""
        return [call.name for call in self.runtime_calls]

    @property
    def runtime_calls(self) -> list[Call]:
        """The calls so far, in order, without an extension's, and without what an app has made known."""
        return [call for call in self.calls if not call.name.startswith(("test/", "extension/"))]

    def wait_for(self, find: Callable[[list[Call]], Found | None], what: str, seconds: float = SECONDS) -> Found:
        """Waits until something is found among the calls."""
        with self._changed:
            self._changed.wait_for(lambda: find(self._calls) is not None or not self._waited_for, seconds)
            found = find(self._calls)
        if found is None:
            raise AssertionError(f"{what}: not within {seconds:g} seconds, nor before the end; {self.names=}")
        return found

    def wait_for_call(self, name: str, number: int = 1, seconds: float = SECONDS) -> Call:
        """Waits for the first, or another, call of that name."""

        def find(calls: list[Call]) -> Call | None:
            found = [call for call in calls if call.name == name]
            return found[number - 1] if len(found) >= number else None

        return self.wait_for(find, f"call {number} of {name}", seconds)

    def comes_within(self, name: str, number: int, seconds: float) -> bool:
        """Says whether a call comes; for calls that must not come, where one can only wait for a while."""
        try:
            self.wait_for_call(name, number, seconds)
        except AssertionError:
            return False
        return True

    def outcome(self, request_id: str) -> Call:
        """Waits for the call to /response or /error of an invocation; a streamed one is there when it has ended."""

        def find(calls: list[Call]) -> Call | None:
            stream = self._stream(request_id, 1)  # others that come meanwhile have to wait
            ends = (call for call in calls if call.name in ("response", "error") and call.request_id == request_id)
            return next((call for call in ends if stream in (None, call.stream)), None)

        return self.wait_for(find, f"an answer to {request_id}")

    def streamed(self, request_id: str, number: int = 1, seconds: float = SECONDS) -> Streamed:
        """Waits until a response in chunks has begun, and returns it while it comes; there may be several."""

        return self.wait_for(
            lambda _: self._stream(request_id, number), f"a streamed response to {request_id}", seconds
        )

    def deadline(self, request_id: str) -> float:
        """The deadline of an event that was delivered; of any other, there is none yet."""
        with self._changed:
            return self._deadlines.get(request_id, math.inf)

    def _stream(self, request_id: str, number: int) -> Streamed | None:
        found = [stream for each, stream in self._streams if each == request_id]
        return found[number - 1] if len(found) >= number else None

    def handed_out(self, request_id: str) -> None:
        """Waits until an event was given to the runtime."""
        with self._changed:
            found = self._changed.wait_for(lambda: request_id in self._open or not self._waited_for, SECONDS)
        assert found, f"{request_id} was not asked for"

    def client_has_ended(self) -> None:
        """Says that no more calls will come, so that nobody waits for one."""
        with self._changed:
            self._waited_for = False
            self._changed.notify_all()

    def close(self) -> None:
        """Ends everything, also what waits for an event."""
        with self._changed:
            self._closing = True
            self._waited_for = False
            self._changed.notify_all()
        self._server.shutdown()
        for connection in self._connections:
            try:
                connection.shutdown(socket.SHUT_RDWR)
            except OSError:
                continue  # it has ended already
        self._server.server_close()
        self._thread.join()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    # What the server does, a thread for each connection.

    def connected(self, connection: socket.socket) -> None:
        with self._changed:
            self._connections.append(connection)

    def heard(
        self,
        method: str,
        path: str,
        headers: Mapping[str, str],
        source: BufferedReader,
        connection: socket.socket,
        port: int,
    ) -> Answer:
        """Reads the body of a request whose head has come, and answers the call that it makes."""
        call = Call(method, path, headers, b"", time.time(), port)
        if headers.get("transfer-encoding", "").lower() == "chunked":
            return self._heard_chunks(call, source, connection)
        body = source.read(int(headers.get("content-length", 0)))
        return self.answer(replace(call, body=body, at=time.time()))

    def _heard_chunks(self, head: Call, source: BufferedReader, connection: socket.socket) -> Answer:
        stream = Streamed(head.headers, self.reading, self._signals)
        event, cut = self._begun(head, stream)
        stream.read(source, connection, cut)
        body = stream.body if stream.reading.kept else b""
        with self._changed:
            if cut and not stream.cut:  # it has ended before that: the answer is to it all the same
                self._scripts[head.name].appendleft(cut)
        answer = self.answer(replace(head, body=body, at=time.time(), stream=stream))
        with self._changed:
            if event and event.stream is stream:
                event.stream = None
            self._changed.notify_all()
        return answer if stream.complete else replace(answer, headers={**answer.headers, "Connection": "close"})

    def _begun(self, head: Call, stream: Streamed) -> tuple[_Event | None, Answer | None]:
        """Makes a response in chunks known; returns its event, and how a test has it cut."""
        with self._changed:
            self._streams.append((head.request_id, stream))
            event = self._open.get(head.request_id) if head.name == "response" else None
            if event and event.stream is None and not event.answered:
                event.stream = stream
            script = self._scripts.get(head.name)
            self._changed.notify_all()
            return event, script.popleft() if script and script[0].after is not None else None

    def _scripted(self, call: Call) -> Answer | None:
        """What a test says of this call; one about an invocation ends that, unless nothing of it was heard."""
        script = self._scripts.get(call.name)
        cut = call.stream.cut if call.stream else None
        answer = cut or (script.popleft() if script else None)
        if answer and call.name in ("response", "error") and call.request_id in self._open:
            heard = not answer.reset or (call.stream is not None and call.stream.size > 0)
            self._open[call.request_id].answered |= heard
        return answer

    def answer(self, call: Call) -> Answer:
        with self._changed:
            self._calls.append(call)
            self._changed.notify_all()
            scripted = self._scripted(call)
            if scripted:
                return scripted
            if call.name.startswith("test/"):
                self._changed.wait_for(lambda: self._closing or call.name.removeprefix("test/") not in self._held)
                return OK
            method, rule = self._rules.get(call.name, ("", None))
            if rule is None:
                return NOT_FOUND
            return rule(call) if call.method == method else Answer(405, b"", {"Allow": method, "Content-Type": None})

    @property
    def _rules(self) -> dict[str, tuple[str, Callable[[Call], Answer]]]:
        """The method of each call, and how it is answered."""
        return {
            "next": ("GET", self._next),
            "response": ("POST", self._ended),
            "error": ("POST", self._ended),
            "init/error": ("POST", self._not_started),
            "restore/next": ("GET", self._restored),
            "restore/error": ("POST", self._restored),
            "extension/register": ("POST", self._extension),
            "extension/event/next": ("GET", self._extension),
        }

    def _next(self, call: Call) -> Answer:
        self._asked = self._extensions.closed = True
        if self._init_failed:
            return problem(403, "InvalidStateTransition", "State transition from InitError to Ready failed")
        if self._stuck or (not self._many and self._current and self._current.stream):
            return problem(403, "InvalidStateTransition", "State transition from InvocationResponse to Ready failed")
        if self._current is None or self._current.answered or self._many:
            dropped = self._wait_for_events()
            if dropped:
                return dropped
            self._current = self._queue.popleft()
            self._current.start()
            self._deadlines[self._current.request_id] = self._current.deadline
            self._open = {**(self._open if self._many else {}), self._current.request_id: self._current}
            headers = self._current.headers
            self._extensions.invoked(
                self._current.request_id,
                headers.get("Lambda-Runtime-Deadline-Ms"),
                headers.get("Lambda-Runtime-Invoked-Function-Arn"),
            )
            self._changed.notify_all()
        return Answer(200, self._current.body, self._current.headers)

    def _wait_for_events(self) -> Answer | None:
        """Waits for an event; returns what becomes of the connection if there is none to come on it."""
        self._waiting += 1
        self._changed.wait_for(lambda: self._closing or self._dropped or (self._queue and self._extensions.all_wait))
        self._waiting -= 1
        self._changed.notify_all()
        return RESET if self._closing else self._dropped

    def _ended(self, call: Call) -> Answer:
        current = self._open.get(call.request_id)
        if current is None or (self._many and (current.answered or current.stream not in (None, call.stream))):
            return problem(400, "InvalidRequestID", "Invalid request ID")
        self._changed.wait_for(lambda: self._closing or current.stream in (None, call.stream))
        if current.answered:
            return problem(403, "InvalidStateTransition", "State transition is not allowed")
        nonce = current.headers.get("Lambda-Runtime-Invocation-Id") or ""
        if call.headers.get("lambda-runtime-invocation-id", "") != nonce:
            return problem(410, "InvokeTimeout", "The invocation id is not the one that was given")
        current.answered = True
        return (self._flaw(call) if call.name == "response" else None) or OK

    def _flaw(self, call: Call) -> Answer | None:
        """What is wrong with a response, whose invocation it ends all the same."""
        if call.headers.get("lambda-runtime-function-response-mode") not in (None, "", "streaming"):
            self._stuck = not self._many
            return problem(400, "InvalidFunctionResponseMode", "Invalid function response mode")
        if call.truncated:
            return problem(400, "TruncatedHTTPRequest", "HTTP request detected as truncated")
        size, limit = (call.stream.size, call.stream.reading.limit) if call.stream else (len(call.body), MAX_REPLY)
        if size > limit:
            message = f"Exceeded maximum allowed payload size ({limit} bytes)."
            return problem(413, "RequestEntityTooLarge", message)
        return None

    def _restored(self, call: Call) -> Answer:
        """Stands for the snapshot and a restore; `hold("restore")` has it take its time."""
        if not self._snap_start:
            return NOT_FOUND
        if self._asked or (call.name == "restore/error" and not self._restoring):
            return problem(403, "InvalidStateTransition", "State transition is not allowed")
        if call.name == "restore/error":
            return OK
        self._restoring = True
        self._changed.wait_for(lambda: self._closing or ("restore" not in self._held and self._extensions.all_wait))
        return Answer(200, b"")

    def _extension(self, call: Call) -> Answer:
        """Answers to extensions inside the runtime."""
        try:
            if call.name == "extension/register":
                identifier, document = self._extensions.register(
                    call.headers.get("lambda-extension-name", ""), call.body
                )
                return Answer(200, document, {"Lambda-Extension-Identifier": identifier})
            extension = self._extensions.asking(call.headers.get("lambda-extension-identifier", ""))
        except Refused as refused:
            return problem(403, refused.error_type, str(refused))
        self._changed.notify_all()
        self._changed.wait_for(lambda: self._closing or self._dropped or extension.pending)
        if extension.pending:
            return Answer(200, extension.pending.popleft(), {"Lambda-Extension-Event-Identifier": str(uuid.uuid4())})
        return RESET if self._closing or self._dropped is None else self._dropped

    def _not_started(self, call: Call) -> Answer:
        if self._init_failed or self._current is not None:
            return problem(403, "InvalidStateTransition", "State transition to InitError failed")
        self._init_failed = True
        return OK
