"""The Runtime API that a test starts, gives events, and asks what a runtime has done."""

from __future__ import annotations

import math
import socket
import time
from collections import deque
from threading import Thread
from typing import TYPE_CHECKING, Any

from lambda_web_adapter.testing.runtime_api.calls import Reply, check_name
from lambda_web_adapter.testing.runtime_api.events import build_event, check_request_id
from lambda_web_adapter.testing.runtime_api.history import describe_calls, describe_events
from lambda_web_adapter.testing.runtime_api.rules import Rules
from lambda_web_adapter.testing.runtime_api.server import Server
from lambda_web_adapter.testing.runtime_api.variables import build_environ
from lambda_web_adapter.testing.runtime_api.wait_failed import WaitFailed

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Callable
    from types import TracebackType
    from typing import Self, TypeVar, Unpack

    from lambda_web_adapter.testing.runtime_api.calls import Answer, Call
    from lambda_web_adapter.testing.runtime_api.events import EventOptions
    from lambda_web_adapter.testing.runtime_api.streams import ReplyStream

    Result = TypeVar("Result")

# The time within which all comes that comes, in seconds: only a test that fails waits so long.
WAIT_TIMEOUT = 15.0
_POLL_SECONDS = 0.02


class RuntimeApi(Rules):
    """Lambda's Runtime API and Extensions API for one environment, on a free port of 127.0.0.1.

    It answers as the Runtime Interface Emulator does. One invocation is open at a time; on Managed Instances
    (`concurrent`), as many as the runtime requests. It enforces no timeout: a reply after the deadline is accepted.

    Example:
        ```python
        with RuntimeApi() as api:
            with subprocess.Popen(["./bootstrap"], env={**os.environ, **api.environ()}) as process:
                api.watch(process)
                assert api.invoke({"key": "value"}).json == {"ok": True}
                process.terminate()
        ```

    Attributes:
        address: host and port, for `AWS_LAMBDA_RUNTIME_API`.
        wait_timeout: the time that each method waits at most, in seconds.
        reading: how streamed replies are read that have not begun yet.
    """

    def __init__(
        self, *, concurrent: bool = False, snap_start: bool = False, wait_timeout: float = WAIT_TIMEOUT
    ) -> None:
        """Listen, and answer from now on, in threads.

        Args:
            concurrent: whether several invocations are open at a time, as on Managed Instances.
            snap_start: whether there are `/restore/next` and `/restore/error`.
            wait_timeout: the time that each method waits at most, in seconds.
        """
        super().__init__(concurrent=concurrent, snap_start=snap_start, wait_timeout=wait_timeout)
        self.wait_timeout = wait_timeout
        self._began = time.time()
        self._end = ""
        self._server = Server(self)
        self.address = f"127.0.0.1:{self._server.server_port}"
        self._thread = Thread(target=self._server.serve_forever, kwargs={"poll_interval": _POLL_SECONDS}, daemon=True)
        self._thread.start()

    def environ(self, **variables: str) -> dict[str, str]:
        """Return the variables that Lambda sets for a runtime, `AWS_LAMBDA_RUNTIME_API` among them.

        They lack the variables of this process, such as `PATH`. The credentials among them are valid nowhere.

        Args:
            variables: more variables, or other values.
        """
        kind = "lambda-managed-instances" if self._concurrent else "snap-start" if self._snap_start else "on-demand"
        return build_environ(self.address, kind, variables)

    def queue_event(self, event: object, **options: Unpack[EventOptions]) -> str:
        """Queue an event for the runtime, and return the id of its invocation.

        Args:
            event: the event; bytes are sent as they are, anything else as JSON.
            options: see `EventOptions`.
        """
        queued = build_event(event, options)
        with self._changed:
            self._request_ids.add(queued.request_id)
            self._queue.append(queued)
            self._changed.notify_all()
        return queued.request_id

    def invoke(self, event: object, **options: Unpack[EventOptions]) -> Reply:
        """Queue an event, wait for its reply, and return that: a response or an error.

        Args:
            event: the event; bytes are sent as they are, anything else as JSON.
            options: see `EventOptions`.

        Raises:
            WaitFailed: No reply came within `wait_timeout`, or before the end of the runtime.
        """
        return self.wait_for_reply(self.queue_event(event, **options))

    def script(self, name: str, *answers: Answer) -> None:
        """Answer the next calls of a name so, instead of by the rules; one answer for each call.

        Args:
            name: as in `Call.name`: `next`, `response`, `error`, `init/error`, `extension/register`, ….
            answers: `Answer(500)`, `RESET`, `CLOSED`, `Answer(202, delay=3)`, ….
        """
        check_name(name, self._rules)
        with self._changed:
            self._scripts.setdefault(name, deque()).extend(answers)

    def hold(self, name: str) -> None:
        """Stop something until `release`.

        Args:
            name: `reading` stops the reading of streamed replies, `restore` the restore. With any other name, calls of
                the path `/test/NAME` wait: an app under test that makes one stands still there.
        """
        with self._changed:
            self._held.add(name)

    def release(self, name: str) -> None:
        """Let go on what `hold` has stopped."""
        with self._changed:
            self._held.discard(name)
            self._changed.notify_all()

    def answer_waiting(self, answer: Answer) -> None:
        """Answer the calls that wait for an event now; after a freeze, a runtime may find its connections ended."""
        with self._changed:
            self._answer_to_waiting = answer
            self._changed.notify_all()
            self._changed.wait_for(lambda: not self._waiting)
            self._answer_to_waiting = None

    @property
    def calls(self) -> list[Call]:
        """The calls so far, in order."""
        with self._changed:
            return list(self._calls)

    def calls_of(self, name: str) -> list[Call]:
        """Return the calls of a name so far."""
        return [call for call in self.calls if call.name == name]

    @property
    def runtime_calls(self) -> list[Call]:
        """The calls so far, in order, without those of extensions and of `/test/…`."""
        return [call for call in self.calls if not call.name.startswith(("test/", "extension/"))]

    @property
    def call_names(self) -> list[str]:
        """The names of `runtime_calls`."""
        return [call.name for call in self.runtime_calls]

    def wait_for(
        self, find: Callable[[list[Call]], Result | None], description: str, timeout: float | None = None
    ) -> Result:
        """Wait until a function of the calls so far returns something, and return that.

        Args:
            find: called at every change; it returns None as long as there is nothing.
            description: what is waited for, for the error.
            timeout: the time to wait, in seconds; `wait_timeout` by default.

        Raises:
            WaitFailed: It did not come in time, or before the end of the runtime.
        """
        timeout = self.wait_timeout if timeout is None else timeout
        with self._changed:
            self._changed.wait_for(lambda: find(self._calls) is not None or self._has_ended, timeout)
            result = find(self._calls)
            if result is None:
                raise WaitFailed(self._describe_failure(description, timeout))
        return result

    def wait_for_call(self, name: str, number: int = 1, timeout: float | None = None) -> Call:
        """Wait for a call of a name, the first or another, and return it.

        Raises:
            WaitFailed: It did not come in time, or before the end of the runtime.
        """
        check_name(name, self._rules)

        def find(calls: list[Call]) -> Call | None:
            matching = [call for call in calls if call.name == name]
            return matching[number - 1] if len(matching) >= number else None

        return self.wait_for(find, f"call {number} of {name}", timeout)

    def has_call_within(self, name: str, number: int, timeout: float) -> bool:
        """Return whether a call comes within a time: for calls that must not come."""
        try:
            self.wait_for_call(name, number, timeout)
        except WaitFailed:
            return False
        return True

    def wait_until_idle(self, timeout: float | None = None) -> None:
        """Wait until the environment could freeze: the runtime waits for an event, and all invocations have ended.

        Raises:
            WaitFailed: It did not in time, or it reported an init error, or it ended.
        """
        description = "the runtime to wait for an event"
        self.wait_for(lambda _: self._is_idle or self._has_init_failed or None, description, timeout)
        with self._changed:
            if self._has_init_failed:
                raise WaitFailed(self._describe_failure(description, 0))

    def wait_for_init_error(self, timeout: float | None = None) -> Call:
        """Wait for the call to `/init/error`, and return it.

        Raises:
            WaitFailed: It did not come in time, or before the end of the runtime.
        """
        return self.wait_for_call("init/error", timeout=timeout)

    def wait_for_reply(self, request_id: str, timeout: float | None = None) -> Reply:
        """Wait for the reply of an invocation, a streamed one to its end, and return it.

        Raises:
            WaitFailed: It did not come in time, or before the end of the runtime.
        """
        check_request_id(request_id, self._request_ids)

        def find(calls: list[Call]) -> Reply | None:
            stream = self._find_stream(request_id, 1)  # others that come meanwhile have to wait
            replies = (call for call in calls if isinstance(call, Reply) and call.request_id == request_id)
            return next((reply for reply in replies if stream in (None, reply.stream)), None)

        return self.wait_for(find, f"a reply to {request_id}", timeout)

    def wait_for_stream(self, request_id: str, number: int = 1, timeout: float | None = None) -> ReplyStream:
        """Wait until a streamed reply of an invocation has begun, and return it while it comes.

        Raises:
            WaitFailed: None began in time, or before the end of the runtime.
        """
        check_request_id(request_id, self._request_ids)
        description = f"a streamed reply to {request_id}"
        return self.wait_for(lambda _: self._find_stream(request_id, number), description, timeout)

    def wait_for_delivery(self, request_id: str, timeout: float | None = None) -> None:
        """Wait until the runtime has got an event.

        Raises:
            WaitFailed: It did not request it in time, or before its end.
        """
        check_request_id(request_id, self._request_ids)
        self.wait_for(lambda _: self._deadlines.get(request_id), f"the delivery of {request_id}", timeout)

    def deadline_of(self, request_id: str) -> float:
        """Return the deadline of a delivered event (seconds since the epoch); infinity if it has none yet."""
        with self._changed:
            return self._deadlines.get(request_id, math.inf)

    def watch(self, process: subprocess.Popen[Any]) -> None:
        """Have waits fail at once when this process has ended, since no more calls will come."""

        def watch() -> None:
            self.set_runtime_ended(f"The process ended with exit code {process.wait()}.")

        Thread(target=watch, daemon=True).start()

    def set_runtime_ended(self, message: str = "The runtime has ended.") -> None:
        """Have all waits fail from now on, since no more calls will come; `message` is part of their error."""
        with self._changed:
            self._has_ended = True
            self._end = message
            self._changed.notify_all()

    def describe(self) -> str:
        """Return what the runtime has done so far: its last calls, and the invocations without a reply."""
        with self._changed:
            events = describe_events(self._open.values(), len(self._queue), self._waiting)
            return f"{events}\n{describe_calls(self._calls, self.address, self._began)}"

    def close(self) -> None:
        """End all connections, also of calls that wait for an event, and stop listening."""
        with self._changed:
            self._is_closing = self._has_ended = True
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

    def _find_stream(self, request_id: str, number: int) -> ReplyStream | None:
        streams = [stream for each, stream in self._streams if each == request_id]
        return streams[number - 1] if len(streams) >= number else None

    def _describe_failure(self, description: str, timeout: float) -> str:
        end = f". {self._end}" if self._end else f" within {timeout:g} s."
        return f"Expected {description}{end}\n{self.describe()}"
