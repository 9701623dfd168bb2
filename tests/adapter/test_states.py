"""The life of an environment as a table: in each state, each thing that may happen, and what comes of it.

`docs/lifecycle.md` shows the table. It is held with real processes: for each pair, and on random ways through it.
"""

from __future__ import annotations

import os
import signal
import sys
from collections import Counter, deque
from contextlib import ExitStack
from enum import Enum
from itertools import takewhile
from typing import TYPE_CHECKING, Any

import pytest
from adapter.conftest import APPS, on_lambda
from adapter.test_app_failures import problem
from adapter.test_loop import body, get
from adapter.test_slow_start import IMPATIENT
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from support.processes import PROJECT, Running, children, runs, wait_until

from lambda_web_adapter.adapter.process.supervisor import MAX_FAILED_STARTS
from lambda_web_adapter.testing.runtime_api import Answer, RuntimeApi

if TYPE_CHECKING:
    from collections.abc import Callable


class State(Enum):
    """Where an environment is."""

    STARTING = "starting: the app starts, and no event was asked for"
    LATE = "late: the app starts, and an event was asked for"
    IDLE = "idle: the app is ready, and an event was asked for"
    WAITING = "waiting: there is an event for an app that starts"
    INVOKING = "invoking: the app has the request"
    FINISHING = "finishing: the reply is posted, the app's call has not returned"
    DOWN = "down: the app has ended, and an event was asked for"
    STOPPED = "stopped: exit code 0"
    FAILED = "failed: exit code 1 or 2"


class Input(Enum):
    """What may happen to it."""

    READY = "the app is ready"
    INIT_OVER = "9.8 s are over"
    EVENT = "an event comes"
    RESPONSE = "the app responds"
    RETURNED = "its call returns"
    DEADLINE = "the deadline passes"
    END = "the app ends"
    STOP = "SIGTERM"
    REFUSED = "the Runtime API answers 500"


# What is not in the table cannot happen: no deadline passes without an event, and no app that has ended responds.
TABLE = {
    (State.STARTING, Input.READY): State.IDLE,
    (State.STARTING, Input.INIT_OVER): State.LATE,
    (State.STARTING, Input.END): State.FAILED,
    (State.STARTING, Input.STOP): State.STOPPED,
    (State.STARTING, Input.REFUSED): State.FAILED,
    (State.LATE, Input.READY): State.IDLE,
    (State.LATE, Input.EVENT): State.WAITING,
    (State.LATE, Input.END): State.DOWN,
    (State.LATE, Input.STOP): State.STOPPED,
    (State.LATE, Input.REFUSED): State.FAILED,
    (State.IDLE, Input.EVENT): State.INVOKING,
    (State.IDLE, Input.END): State.DOWN,
    (State.IDLE, Input.STOP): State.STOPPED,
    (State.IDLE, Input.REFUSED): State.FAILED,
    (State.WAITING, Input.READY): State.INVOKING,
    (State.WAITING, Input.DEADLINE): State.LATE,
    (State.WAITING, Input.END): State.DOWN,
    (State.WAITING, Input.STOP): State.STOPPED,
    (State.WAITING, Input.REFUSED): State.FAILED,
    (State.INVOKING, Input.RESPONSE): State.FINISHING,
    (State.INVOKING, Input.DEADLINE): State.DOWN,
    (State.INVOKING, Input.END): State.DOWN,
    (State.INVOKING, Input.STOP): State.STOPPED,
    (State.INVOKING, Input.REFUSED): State.FAILED,
    (State.FINISHING, Input.RETURNED): State.IDLE,
    (State.FINISHING, Input.DEADLINE): State.IDLE,
    (State.FINISHING, Input.END): State.DOWN,
    (State.FINISHING, Input.STOP): State.STOPPED,
    (State.FINISHING, Input.REFUSED): State.FAILED,
    (State.DOWN, Input.EVENT): State.WAITING,
    (State.DOWN, Input.STOP): State.STOPPED,
    (State.DOWN, Input.REFUSED): State.FAILED,
}
ENDS = (State.STOPPED, State.FAILED)


class Life:
    """A real environment, taken through its life step by step; what is seen of each step is checked."""

    def __init__(self, api: RuntimeApi, app: str, inputs: list[Input]) -> None:
        """Starts it; the inputs that are to come decide how long its patience, and each deadline, must be."""
        self.state = State.STARTING
        self._api = api
        self._ahead = deque(inputs)
        self._ids: list[str] = []
        self._failed_starts = 0
        self._waits = 0
        self._asked = 0
        kind = "on-demand" if Input.INIT_OVER in inputs else "provisioned-concurrency"
        api.hold("import")
        self.process = Running(
            [sys.executable, "-c", IMPATIENT, app],
            env=on_lambda(api, APPS, {"AWS_LAMBDA_INITIALIZATION_TYPE": kind}),
            cwd=APPS,
            at_end=api.set_runtime_ended,
        )
        api.wait_for_call("test/import")

    def go(self) -> None:
        """Takes all steps."""
        while self._ahead:
            step = self._ahead.popleft()
            before = self.state
            getattr(self, f"_{step.name.lower()}")()
            self.state = TABLE[self.state, step]
            if self.state is State.DOWN and self._failed_starts == MAX_FAILED_STARTS:
                self.state = State.FAILED
            self._check(before)

    def end(self) -> None:
        """Checks what must hold at any end: the environment serves on, or has ended and left nothing behind."""
        if self.state in ENDS:
            code = self.process.wait()
            assert (code == 0) == (self.state is State.STOPPED)
        else:
            self._api.release("import")
            for number in range(len(self._ids)):
                self._api.release(f"event-{number}")
                self._api.release(f"event-{number}-after")
            body(self._api.invoke(get("/")))
        answers = Counter(call.request_id for call in self._api.calls if call.name in ("response", "error"))
        assert set(answers.values()) <= {1}
        delivered = Counter(call.name for call in self._api.calls if call.name.startswith("test/event-"))
        assert set(delivered.values()) <= {1}

    @property
    def _name(self) -> str:
        return f"event-{len(self._ids) - 1}"

    def _check(self, before: State) -> None:
        """Checks that a new event is asked for where the table says so."""
        asking = (State.LATE, State.IDLE, State.DOWN)
        if self.state in asking and before not in asking:
            self._asked += 1
            self._api.wait_for_call("next", self._asked)

    # What happens, one function each.

    def _ready(self) -> None:
        if self.state is not State.LATE:  # else nobody sees it before the next event
            self._failed_starts = 0
        self._api.release("import")
        if self.state is State.WAITING:
            self._api.wait_for_call(f"test/{self._name}")

    def _init_over(self) -> None:
        self.process.wait_for("requests the first event meanwhile")

    def _event(self) -> None:
        if self.state is State.IDLE:
            self._failed_starts = 0
        starts = len(self._api.calls_of("test/import"))
        name = f"event-{len(self._ids)}"
        self._api.hold(name)
        self._api.hold(f"{name}-after")
        until_over = list(takewhile(lambda step: step not in (Input.EVENT, Input.RETURNED), self._ahead))
        seconds = 20.0
        if Input.DEADLINE in until_over:
            seconds = 5.0 if Input.READY in until_over else 1.0  # a start takes its time
        self._ids.append(self._api.queue_event(get(f"/both/{name}"), timeout=seconds))
        self._api.wait_for_delivery(self._ids[-1])
        if self.state is State.IDLE:
            self._api.wait_for_call(f"test/{name}")
        else:
            self._waits += 1
            self.process.wait_for(f"(?s)(An invocation waits.*){{{self._waits}}}")
        if self.state is State.DOWN:
            self._api.wait_for_call("test/import", starts + 1)

    def _response(self) -> None:
        self._api.release(self._name)
        assert body(self._api.wait_for_reply(self._ids[-1]))["path"] == f"/both/{self._name}"
        self._api.wait_for_call(f"test/{self._name}-after")

    def _returned(self) -> None:
        self._api.release(f"{self._name}-after")

    def _deadline(self) -> None:
        self._api.hold("import")
        if self.state is State.WAITING:
            assert self._api.wait_for_reply(self._ids[-1]).json["errorType"] == "Runtime.AppNotReady"
        elif self.state is State.INVOKING:
            assert problem(self._api.wait_for_reply(self._ids[-1]), 504)["errorType"] == "Function.AppTimeout"
        else:
            self.process.wait_for("was still working after its response at the function's timeout")

    def _end(self) -> None:
        self._api.hold("import")
        (pid,) = children(self.process.pid)
        os.kill(pid, signal.SIGKILL)
        wait_until(lambda: not runs(pid), "the app has ended")
        if self.state is State.STARTING:
            assert self._api.wait_for_call("init/error").json["errorType"] == "Runtime.AppStartFailed"
        if self.state is State.WAITING:
            self._failed_starts += 1
            assert problem(self._api.wait_for_reply(self._ids[-1]), 502)["errorType"] == "Runtime.AppStartFailed"
        if self.state is State.INVOKING:
            assert problem(self._api.wait_for_reply(self._ids[-1]), 502)["errorType"] == "Runtime.AppExited"

    def _stop(self) -> None:
        assert self.process.terminate() == 0

    def _refused(self) -> None:
        """The next call of the Runtime API that the state leads to is answered so."""
        for name in ("next", "response", "error"):
            self._api.script(name, Answer(500))
        steps: dict[State, Callable[[], None]] = {
            **dict.fromkeys((State.LATE, State.IDLE, State.DOWN), lambda: self._api.answer_waiting(Answer(500))),
            State.STARTING: lambda: self._api.release("import"),
            State.WAITING: lambda: os.kill(children(self.process.pid)[0], signal.SIGKILL),
            State.INVOKING: lambda: self._api.release(self._name),
            State.FINISHING: lambda: self._api.release(f"{self._name}-after"),
        }
        steps[self.state]()
        assert self.process.wait() == 2


def live(app: str, inputs: list[Input]) -> State:
    """Lives such a life; returns where it came to."""
    with ExitStack() as stack:
        api = stack.enter_context(RuntimeApi())
        life = Life(api, app, inputs)
        stack.enter_context(life.process)
        life.go()
        life.end()
        return life.state


def ways() -> dict[State, list[Input]]:
    """The shortest way to each state."""
    found: dict[State, list[Input]] = {State.STARTING: []}
    queue = deque([State.STARTING])
    while queue:
        state = queue.popleft()
        for (before, step), after in TABLE.items():
            if before is state and after not in found:
                found[after] = [*found[state], step]
                queue.append(after)
    return found


PAIRS = [pytest.param(*pair, id=f"{pair[0].name} {pair[1].name}".lower()) for pair in TABLE]


@pytest.mark.parametrize(("state", "step"), PAIRS)
def test_each_thing_that_may_happen_in_each_state(state: State, step: Input, either_app: str) -> None:
    assert live(either_app, [*ways()[state], step]) is TABLE[state, step]


@st.composite
def lives(draw: st.DrawFn) -> list[Input]:
    """Ways through the table that do not end, but for a third start in a row that fails."""
    state, inputs, failed_starts = State.STARTING, list[Input](), 0
    for _ in range(draw(st.integers(3, 12))):
        choices = [step for before, step in TABLE if before is state and TABLE[before, step] not in ENDS]
        inputs.append(draw(st.sampled_from(choices)))
        if (state, inputs[-1]) == (State.WAITING, Input.END):
            failed_starts += 1
        if inputs[-1] is Input.READY:
            failed_starts = 0
        if failed_starts == MAX_FAILED_STARTS:
            break
        state = TABLE[state, inputs[-1]]
    return inputs


@pytest.mark.timeout(300)  # each life has up to twelve steps, and starts apps
@given(lives())
@settings(max_examples=5, deadline=None, phases=[Phase.generate], suppress_health_check=list(HealthCheck))
def test_any_way_through_the_table(inputs: list[Input]) -> None:
    live("main:app", inputs)


def test_the_page_has_the_table() -> None:
    """State by state and input by input, as `docs/lifecycle.md` shows it."""
    page = (PROJECT / "docs" / "lifecycle.md").read_text()

    assert "\n".join(_table()) in page


def _table() -> list[str]:
    def word(state: Any) -> str:
        return str(state.value.partition(":")[0]) if state else ""

    inputs = list(Input)
    lines = [f"| | {' | '.join(step.value for step in inputs)} |", f"|---{'|---' * len(inputs)}|"]
    for state in State:
        if state not in ENDS:
            cells = [word(TABLE.get((state, step))) for step in inputs]
            lines.append(f"| **{word(state)}** | {' | '.join(cells)} |".replace("|  |", "| |").replace("|  |", "| |"))
    return lines
