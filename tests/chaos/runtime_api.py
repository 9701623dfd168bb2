"""The Runtime API for tests, whose answers about single invocations break off, get lost, or are wrong.

It also remembers, for each invocation, how often the app was given it, and what was made of each post.
"""

from __future__ import annotations

import socket
from collections import Counter, defaultdict
from contextlib import suppress
from dataclasses import dataclass, field
from threading import Condition
from typing import TYPE_CHECKING

from support.processes import SECONDS

from lambda_web_adapter.testing.runtime_api import RESET, Answer, Reading, RuntimeApi

if TYPE_CHECKING:
    from collections.abc import Callable

    from lambda_web_adapter.testing.runtime_api import Call

# Of a streamed response (Lambda quotas, "Streamed response payload").
LAMBDA_S = Reading(limit=200 * 1024 * 1024, is_hashed=False)
REQUEST_ID = "Lambda-Runtime-Aws-Request-Id"


@dataclass(frozen=True)
class Fault:
    """What becomes of one call about an invocation.

    Attributes:
        sent: the part of the answer that is sent before the connection breaks; all of it is 1.
        garbage: whether what is sent is not HTTP.
        heard: whether a post was taken, although the answer breaks.
        status: another answer, of this status: nothing is handed out by it, and nothing taken.
        nameless: whether the answer to /next names no invocation.
    """

    sent: float | None = None
    garbage: bool = False
    heard: bool = True
    status: int = 0
    nameless: bool = False

    @property
    def asks_again(self) -> bool:
        """Whether the bootstrap has to make the same call again."""
        return self.garbage or (self.sent is not None and self.sent < 1)


@dataclass
class Faults:
    """What goes wrong with the calls about one invocation, one after the other; then all goes well."""

    next: list[Fault] = field(default_factory=list)
    post: list[Fault] = field(default_factory=list)


@dataclass(frozen=True)
class Post:
    """A call to /response or /error; the status is 0 when it was not taken, since the connection broke."""

    call: Call
    status: int

    @property
    def ends(self) -> bool:
        """Whether the invocation may be over with it: there was an answer, or a stream of which something had come."""
        return self.status != 0 or (self.call.stream is not None and self.call.stream.size > 0)

    @property
    def taken(self) -> bool:
        return 200 <= self.status < 300


class DisturbedRuntimeApi(RuntimeApi):
    """The Runtime API of one environment.

    Attributes:
        posts: what was posted for each invocation.
        deliveries: how often the app was given each invocation.
        over: whether the bootstrap has ended.
    """

    def __init__(self) -> None:
        self._news = Condition()
        self._faults: dict[str, Faults] = {}
        self._sockets: dict[int, socket.socket] = {}
        self._asked_for = False
        self.posts: dict[str, list[Post]] = defaultdict(list)
        self.deliveries: Counter[str] = Counter()
        self.over = False
        super().__init__()
        self.reading = LAMBDA_S

    def disturb(self, request_id: str, faults: Faults) -> None:
        """Says what goes wrong with the calls about an invocation that is about to be added."""
        self._faults[request_id] = Faults([*faults.next], [*faults.post])

    def wait_until(self, condition: Callable[[], object], what: str, seconds: float = 4 * SECONDS) -> None:
        """Waits for something about this API, or for the end of the bootstrap; many environments start meanwhile."""
        with self._news:
            if not self._news.wait_for(lambda: condition() or self.over, seconds):
                raise AssertionError(f"{what}: not within {seconds:g} seconds")

    @property
    def idle(self) -> bool:
        """Whether the bootstrap waits for an event; to be looked at while none is on its way."""
        return self._asked_for

    def ended(self, request_id: str) -> Post | None:
        """The post that ends an invocation: the one that was taken or, if there is none, the last that was not."""
        posts = [post for post in self.posts.get(request_id, ()) if post.ends]
        return next((post for post in posts if post.taken), posts[-1] if posts else None)

    def add_connection(self, connection: socket.socket) -> None:
        """Remembers the connection, to be able to break it in the middle of an answer."""
        self._sockets[connection.getpeername()[1]] = connection
        super().add_connection(connection)

    def set_runtime_ended(self, message: str = "The bootstrap has ended.") -> None:
        """Have all waits fail, since no more calls will come."""
        super().set_runtime_ended(message)
        with self._news:
            self.over = True
            self._news.notify_all()

    def answer(self, call: Call) -> Answer:
        """Answers a call, by the rules where nothing goes wrong."""
        if call.name == "next":
            return self._answer_next(call)
        if call.name in ("response", "error"):
            return self._answer_post(call)
        if call.name.startswith("test/"):
            with self._news:
                self.deliveries[call.name.removeprefix("test/")] += 1
                self._news.notify_all()
        return super().answer(call)

    def _answer_next(self, call: Call) -> Answer:
        self._note(asked_for=True)
        answer = super().answer(call)  # the event is the same until there is an answer to it
        self._note(asked_for=False)
        faults = self._faults.get(answer.headers.get(REQUEST_ID) or "")
        fault = faults.next.pop(0) if faults and faults.next else None
        if fault and fault.status:
            return Answer(fault.status)
        if fault and fault.nameless:
            return Answer(200, answer.body, {**answer.headers, REQUEST_ID: None})
        return self._broken(call, answer, fault)

    def _note(self, *, asked_for: bool) -> None:
        with self._news:
            self._asked_for = asked_for
            self._news.notify_all()

    def _answer_post(self, call: Call) -> Answer:
        faults = self._faults.get(call.request_id)
        fault = faults.post.pop(0) if faults and faults.post else None
        if _breaks_off(call) or (fault and not fault.heard):
            self.script(call.name, RESET)
        elif fault and fault.status:
            self.script(call.name, Answer(fault.status))
        answer = super().answer(call)
        with self._news:
            self.posts[call.request_id].append(Post(call, 0 if answer.reset else answer.status))
            self._news.notify_all()
        return self._broken(call, answer, fault)

    def _broken(self, call: Call, answer: Answer, fault: Fault | None) -> Answer:
        """Sends a part of an answer, where it is to break off, and has the rest be a reset."""
        if fault is None or answer.reset or (fault.sent is None and not fault.garbage):
            return answer
        whole = b"SSH-2.0-OpenSSH_9.9\r\n\r\n" if fault.garbage else _written(answer)
        part = whole[: int(len(whole) * (1 if fault.sent is None else fault.sent))]
        connection = self._sockets[call.connection]
        with suppress(OSError):  # the bootstrap has been killed meanwhile
            connection.sendall(part)
            connection.shutdown(socket.SHUT_RDWR)
        return RESET


def _breaks_off(call: Call) -> bool:
    """Whether the bootstrap has gone in the middle of a post."""
    if call.stream:
        return call.stream.is_truncated
    return len(call.body) < int(call.headers.get("content-length", 0))


def _written(answer: Answer) -> bytes:
    given = {"Content-Type": "application/json", "Content-Length": str(len(answer.body)), **answer.headers}
    lines = [f"HTTP/1.1 {answer.status} -", *(f"{name}: {value}" for name, value in given.items() if value is not None)]
    return "\r\n".join([*lines, "\r\n"]).encode() + answer.body
