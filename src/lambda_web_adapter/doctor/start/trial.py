"""A start, tried: one environment of the embedded Lambda, with the project's warm requests, twice."""

from __future__ import annotations

import asyncio
import io
import os
import secrets
import time
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import httpx
import psutil

from lambda_web_adapter.adapter.process.ports import listen
from lambda_web_adapter.doctor.start.observation import Observation, parse_reports
from lambda_web_adapter.ipc.parent_process import LOCAL_RUN_VARIABLE
from lambda_web_adapter.local.environments.environment_states import RUN_ENDS, Activity
from lambda_web_adapter.local.environments.function import Function
from lambda_web_adapter.local.environments.guard import Guard
from lambda_web_adapter.local.environments.interpreter import THIS_PYTHON, Interpreter
from lambda_web_adapter.local.environments.program import Program
from lambda_web_adapter.local.gateway_app import GatewayApp
from lambda_web_adapter.local.gateways import GATEWAYS
from lambda_web_adapter.local.log import Log
from lambda_web_adapter.local.server import serve
from lambda_web_adapter.settings import APP_DIR

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from lambda_web_adapter.local.environments.function_options import FunctionOptions
    from lambda_web_adapter.local.environments.invocation import Invocation
    from lambda_web_adapter.local.log import RequestLine

_PROGRAM = "lambda_web_adapter.doctor.start.observed_program"
# Nothing is changed, and what is compiled is seen.
NO_BYTECODE = {"PYTHONDONTWRITEBYTECODE": "1"}
_ROUNDS = 2
_TIMEOUT = 60  # seconds for a request
_CPUCLOCK_SCHED = 2  # clock_getcpuclockid(3)


@dataclass(frozen=True, slots=True, kw_only=True)
class StartTarget:
    """What is started.

    Attributes:
        app: the app's name; empty to search it.
        root: the folder in which the function is started, as /var/task.
        folder: the folder of the app.
        requests: method and path of the warm requests.
        options: the function's configuration.
        environ: the environment variables.
        artifact: the artifact's name.
        kind: `project` for an app with the packages of this Python; else the kind of an artifact that has its own.
        interpreter: the Python that it is started with.
        readable: the folders that this Python reads besides its own.
        notes: what is not as on Lambda.
    """

    app: str
    root: Path
    folder: Path
    requests: Sequence[tuple[str, str]]
    options: FunctionOptions
    environ: Mapping[str, str]
    artifact: str = ""
    kind: str = "project"
    interpreter: Interpreter = THIS_PYTHON
    readable: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def title(self) -> str:
        """Return how people call the app."""
        return self.app or "the app"

    @property
    def is_artifact(self) -> bool:
        """Return whether it has all packages that it needs."""
        return self.kind != "project"


@dataclass(slots=True, kw_only=True)
class Answer:
    """What a request got.

    Attributes:
        title: method and path.
        status: the response's status; 0 if there was none.
        seconds: how long the environment took.
        log: what the environment wrote meanwhile.
    """

    title: str
    status: int
    seconds: float = 0.0
    log: str = ""


@dataclass(slots=True, kw_only=True)
class Trial:
    """What a start did.

    Attributes:
        is_ready: whether the environment was ready for requests.
        init_seconds: how long the init took.
        cpu_seconds: the CPU time of all its processes until then; 0 if it cannot be known.
        memory: the most memory that the environment had, in bytes.
        answers: what the requests got, round after round.
        reports: what the environment has reported of itself.
        output: what it has written.
        end: why it has ended by itself; empty if it has not.
    """

    is_ready: bool = False
    init_seconds: float = 0.0
    cpu_seconds: float = 0.0
    memory: int = 0
    answers: list[Answer] = field(default_factory=list)
    reports: list[tuple[Any, ...]] = field(default_factory=list)
    output: str = ""
    end: str = ""

    def all(self, kind: str) -> list[tuple[Any, ...]]:
        """Return the values of all reports of a kind."""
        return [values[1:] for values in self.reports if values[0] == kind]

    def first(self, kind: str) -> tuple[Any, ...]:
        """Return the values of the first report of a kind; empty if there is none."""
        return next(iter(self.all(kind)), ())

    @property
    def import_cpu_seconds(self) -> float:
        """Return the CPU time of the app's import; 0 if it has failed."""
        imported = self.first("imported")
        return float(imported[1]) if imported else 0.0

    @property
    def has_served(self) -> bool:
        """Return whether it was ready, and no request has failed."""
        return self.is_ready and all(0 < answer.status < 500 for answer in self.answers)


def run_trial(
    target: StartTarget,
    *,
    group: str = "",
    is_isolated: bool = False,
    watches: bool = False,
    left_out: tuple[str, ...] = (),
) -> Trial:
    """Start the app once, send it the warm requests twice, and return what happened.

    Args:
        target: what is started.
        group: the file of a control group that the environment joins; empty for none.
        is_isolated: whether the file system is Lambda's.
        watches: whether to find out which modules run and what is written, which takes time.
        left_out: the modules that the app's own modules are not to import.
    """
    observation = Observation(
        marker=f"lambda-web-adapter-{secrets.token_hex(16)}",
        root=os.path.realpath(target.root),
        folder=os.path.realpath(target.folder),
        group=group,
        is_isolated=is_isolated,
        watches=watches,
        left_out=left_out,
        readable=target.readable,
    )
    return asyncio.run(_run(target, observation))


async def _run(target: StartTarget, observation: Observation) -> Trial:
    log = _TrialLog()
    app = [target.app] if target.app else []
    arguments = [*target.interpreter.launcher, _PROGRAM, observation.to_argument(), *app]
    environ = {
        **target.environ,
        APP_DIR: observation.folder,
        "LAMBDA_TASK_ROOT": observation.root,
        LOCAL_RUN_VARIABLE: "",  # all that follows is as on Lambda
        **NO_BYTECODE,
    }
    guard = Guard.start_program()
    program = Program(arguments, environ, guard, log)
    program.python = target.interpreter.python
    function = Function(program, target.options)
    log.function = function
    try:
        function.start()
        await log.settled.wait()
        if log.trial.is_ready:
            await _request(target, function, log)
    finally:
        await function.stop()
        guard.close()
    return log.complete(observation.marker)


async def _request(target: StartTarget, function: Function, log: _TrialLog) -> None:
    listener = listen("127.0.0.1", 0)
    url = f"http://127.0.0.1:{listener.getsockname()[1]}"
    async with (
        serve(listener, GatewayApp(GATEWAYS["function-url"], function, log)),
        httpx.AsyncClient(base_url=url, trust_env=False, timeout=_TIMEOUT) as client,
    ):
        for _ in range(_ROUNDS):
            for method, path in target.requests:
                answer = Answer(title=f"{method} {path}", status=0)
                log.trial.answers.append(answer)
                with suppress(httpx.HTTPError):
                    answer.status = (await client.request(method, path)).status_code
                if invocation := log.last_invocation:
                    await invocation.ended.wait()
                    answer.seconds = invocation.responded_at - invocation.started_at
                    answer.log = invocation.log.decode("utf-8", "replace")


class _TrialLog(Log):
    """A log that only records what happens: it writes nothing."""

    def __init__(self) -> None:
        super().__init__(stream=io.StringIO())
        self.function: Function | None = None
        self.trial = Trial()
        self.settled = asyncio.Event()
        self.last_invocation: Invocation | None = None
        self._output = bytearray()

    def output(self, text: bytes) -> None:
        self._output += text

    def _write(self, text: str) -> None:
        self._output += text.encode()

    def request(self, line: RequestLine) -> None:
        """Write nothing: the answers have it."""

    def started(self, invocation: Invocation) -> None:
        self.last_invocation = invocation

    def ended(self, invocation: Invocation, options: FunctionOptions) -> None:
        """Write none of Lambda's lines."""

    def memory_measured(self, number: int, memory: int) -> None:
        self.trial.memory = max(self.trial.memory, memory)

    def environment_changed(self, number: int, state: str, reason: str = "") -> None:
        if state == Activity.ENDED and reason and reason != RUN_ENDS:
            self.trial.end = self.trial.end or reason
        if state == Activity.IDLE and not self.trial.is_ready and self.function:
            environment = self.function.environments[0]
            self.trial.is_ready, self.trial.init_seconds = True, environment.init_seconds
            if environment.group:
                self.trial.cpu_seconds = _cpu_seconds(environment.group.leader)
        if state in (Activity.IDLE, Activity.ENDED):
            self.settled.set()

    def complete(self, marker: str) -> Trial:
        """Return what happened, without the time in which the environment was prepared for the trial."""
        trial = self.trial
        trial.reports, trial.output = parse_reports(bytes(self._output), marker)
        for answer in trial.answers:
            answer.log = parse_reports(answer.log.encode(), marker)[1]
        seconds, cpu = trial.first("prepared") or (0.0, 0.0)
        trial.init_seconds = max(trial.init_seconds - seconds, 0.0)
        trial.cpu_seconds = max(trial.cpu_seconds - cpu, 0.0)
        return trial


def _cpu_seconds(leader: int) -> float:
    """Return the CPU time of a process and its descendants, as exactly as the system tells it."""
    with suppress(psutil.Error, OSError):
        process = psutil.Process(leader)
        return sum(_cpu_seconds_of(each) for each in (process, *process.children(recursive=True)))
    return 0.0


def _cpu_seconds_of(process: psutil.Process) -> float:
    with suppress(OSError):  # elsewhere than on Linux; what psutil reads has only hundredths of a second
        return time.clock_gettime(~process.pid << 3 | _CPUCLOCK_SCHED)
    times = process.cpu_times()
    return float(times.user + times.system)
