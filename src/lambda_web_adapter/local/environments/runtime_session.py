"""What the processes of one environment have asked its Runtime API and Extensions API for, and what they work on."""

from __future__ import annotations

import asyncio
import secrets
import uuid
from collections import deque
from typing import TYPE_CHECKING, Protocol

from lambda_web_adapter.local.environments.invocation import Outcome

if TYPE_CHECKING:
    from lambda_web_adapter.local.environments.invocation import Invocation


class Observer(Protocol):
    """The environment, which decides what happens next."""

    def init_completed(self) -> None:
        """Take note that the runtime has requested its first event."""

    def environment_waits(self) -> None:
        """Take note that the environment can take an event, since its init or an invocation is complete."""

    def invocation_ended(self, invocation: Invocation) -> None:
        """Take note that the environment has finished an invocation, whose outcome is set."""

    def init_failed(self, document: bytes) -> None:
        """Take note that the runtime has reported a failed init."""

    def debugger_attached(self) -> None:
        """Take note that a debugger may stop the app."""


class Extension:
    """An internal extension: a process of the environment that gets its events beside the runtime.

    Attributes:
        identifier: the id that its calls carry.
        name: its name.
        takes_invoke: whether it gets each invocation's INVOKE event.
        waiter: its pending request for the next event.
        events: events that it has not requested yet.
    """

    def __init__(self, name: str, takes_invoke: bool) -> None:
        """Register an extension."""
        self.identifier = str(uuid.uuid4())
        self.name = name
        self.takes_invoke = takes_invoke
        self.waiter: asyncio.Future[Invocation] | None = None
        self.events: deque[Invocation] = deque()

    @property
    def is_waiting(self) -> bool:
        """Return whether the extension waits for its next event."""
        return self.waiter is not None and not self.waiter.done()

    def deliver(self, invocation: Invocation) -> None:
        """Pass on an INVOKE event, as soon as the extension requests it."""
        if self.waiter is not None and not self.waiter.done():
            self.waiter.set_result(invocation)
        else:
            self.events.append(invocation)


class RuntimeSession:
    """One start of an environment, as its two APIs see it.

    Attributes:
        key: the first segment of the Runtime API's paths, known only to the environment's processes. It is in their
            environ, which only processes of the same user can read, and those are trusted.
        running: the invocations that the runtime has, by request id.
        extensions: the registered extensions, by identifier.
        has_requested: whether the runtime has requested an event since its start, so that the init is complete.
    """

    def __init__(self, observer: Observer, capacity: int = 1) -> None:
        """Begin with an observer, and with how many invocations the runtime takes at once."""
        self._observer = observer
        self._capacity = capacity
        self._waiters: deque[asyncio.Future[Invocation]] = deque()
        self._assigned: deque[Invocation] = deque()
        self.key = secrets.token_urlsafe()
        self.running: dict[str, Invocation] = {}
        self.extensions: dict[str, Extension] = {}
        self.has_requested = False

    @property
    def is_free(self) -> bool:
        """Return whether the runtime waits for an event, and the extensions too if it takes one at a time."""
        return self._has_waiter and (self._capacity > 1 or self.is_idle)

    @property
    def is_idle(self) -> bool:
        """Return whether everybody waits for the next event, so that the environment may be frozen."""
        return self._has_waiter and not self.running and self._extensions_wait()

    def assign(self, invocation: Invocation) -> None:
        """Give the runtime an invocation: at once if it waits for one."""
        self.running[invocation.request_id] = invocation
        for extension in self.extensions.values():
            if extension.takes_invoke:
                extension.deliver(invocation)
        if self._has_waiter:
            self._waiters.popleft().set_result(invocation)
        else:
            self._assigned.append(invocation)

    def request_next(self) -> asyncio.Future[Invocation]:
        """Return the next invocation of the runtime; the caller cancels it if the connection ends first."""
        future: asyncio.Future[Invocation] = asyncio.get_running_loop().create_future()
        if not self.has_requested:
            self.has_requested = True
            self._observer.init_completed()
        if self._assigned:
            future.set_result(self._assigned.popleft())
            return future
        self._waiters.append(future)
        self._notify()
        return future

    def complete_reply(self, invocation: Invocation) -> None:
        """Take note that a reply is complete; with several invocations at once, that ends the invocation."""
        if self._capacity > 1 and self.running.get(invocation.request_id) is invocation:  # it may have ended before
            self._finish(invocation)

    def return_undelivered(self, invocation: Invocation) -> None:
        """Take back an invocation whose request for it ended before it was sent: the next one gets it."""
        self._assigned.appendleft(invocation)

    def request_extension_event(self, extension: Extension) -> asyncio.Future[Invocation]:
        """Return the next INVOKE event of an extension; it never comes if the extension has not asked for them."""
        future: asyncio.Future[Invocation] = asyncio.get_running_loop().create_future()
        if extension.events:
            future.set_result(extension.events.popleft())
            return future
        extension.waiter = future
        self._notify()
        return future

    def register(self, name: str, takes_invoke: bool) -> Extension:
        """Register an internal extension."""
        extension = Extension(name, takes_invoke)
        self.extensions[extension.identifier] = extension
        return extension

    def report_init_error(self, document: bytes) -> None:
        """Take the error document of a failed init."""
        self._observer.init_failed(document)

    def report_debugger(self) -> None:
        """Take note that a debugger may stop the app."""
        self._observer.debugger_attached()

    def end(self, outcome: Outcome) -> list[Invocation]:
        """End what is running with an outcome, and return it."""
        invocations = list(self.running.values())
        self.running.clear()
        self._assigned.clear()
        for invocation in invocations:
            invocation.end(outcome)
        return invocations

    @property
    def _has_waiter(self) -> bool:
        """Return whether the runtime waits for an event; requests whose connections have ended are forgotten."""
        while self._waiters and self._waiters[0].done():
            self._waiters.popleft()
        return bool(self._waiters)

    def _extensions_wait(self) -> bool:
        return all(each.is_waiting for each in self.extensions.values())

    def _finish(self, invocation: Invocation) -> None:
        message = "The runtime requested the next event without a reply to this one"
        invocation.end(Outcome.failure("Runtime.NoReply", message))
        self._observer.invocation_ended(invocation)  # which attributes the last log lines to what is running
        del self.running[invocation.request_id]

    def _notify(self) -> None:
        """Complete the invocation whose runtime and extensions all wait for the next event, and ask for that."""
        if self._capacity == 1 and self._has_waiter and self._extensions_wait():
            for invocation in list(self.running.values()):
                self._finish(invocation)
        if self.has_requested and self.is_free:
            self._observer.environment_waits()
