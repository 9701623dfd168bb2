"""One environment: a bootstrap with an example and a Runtime API of its own, until nothing of it is left."""

from __future__ import annotations

import os
import signal
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from adapter.conftest import bootstrap
from support.freezing import family, frozen
from support.processes import PROJECT, children, runs, wait_until

from chaos.runtime_api import DisturbedRuntimeApi

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import TracebackType

    from chaos.runtime_api import Post

TESTS = Path(__file__).parents[1]
# By this variable, which everything that is started inherits, what is left over can be found wherever it went.
LABEL = "LWA_CHAOS_ENVIRONMENT"
# Has glibc give back at once what is free, so that memory which grows is memory that is kept (mallopt(3)). The adapter
# leaves it so where a function has no known size, and then runs on all cores, too.
GIVE_BACK = {
    "MALLOC_MMAP_THRESHOLD_": "65536",
    "MALLOC_TRIM_THRESHOLD_": "65536",
    "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "",
}
MARGIN = 0.15  # seconds before the deadline, at which an app that hangs is given up
# Exit codes of a bootstrap.
STOPPED, KILLED, RUNTIME_API_FAILED = 0, -signal.SIGKILL, 2


@dataclass(frozen=True)
class Size:
    """What a process holds: memory in KB, of which some is its own; file descriptors; threads; processes it started."""

    memory: int
    own: int
    descriptors: int
    threads: int
    children: int

    @property
    def figures(self) -> tuple[int, ...]:
        """All of them, to reckon with."""
        return self.memory, self.own, self.descriptors, self.threads, self.children


def _stands_still(pid: int) -> bool:
    try:
        threads = [task.read_text() for task in Path(f"/proc/{pid}/task").glob("*/stat")]
    except OSError:  # one has ended meanwhile
        return False
    return {thread.rpartition(")")[2].split()[0] for thread in threads} == {"T"}


class Environment:
    """A bootstrap and its Runtime API.

    Attributes:
        api: the Runtime API.
        code: the exit code, once the environment is over.
    """

    def __init__(self, example: str, label: str, *, streams: bool = False, compresses: bool = False) -> None:
        """Starts it.

        Args:
            example: `fastapi` or `flask`.
            label: a word that no other environment has.
            streams: whether it streams its replies.
            compresses: whether it compresses them.
        """
        self._mark = f"{LABEL}={label}".encode()
        self.api = DisturbedRuntimeApi()
        self.code: int | None = None
        try:
            self._process = bootstrap(
                self.api,
                "chaos.apps.disturbed:app",
                cwd=PROJECT / "examples" / f"{example}_app",
                AWS_LWA_DEADLINE_MARGIN_SECONDS=str(MARGIN),
                AWS_LWA_INVOKE_MODE="response_stream" if streams else "buffered",
                AWS_LWA_ENABLE_COMPRESSION=str(compresses).lower(),
                PYTHONPATH=str(TESTS),
                COVERAGE_PROCESS_CONFIG="",  # a process that is killed leaves half of its figures
                **GIVE_BACK,
                **{LABEL: label},
            )
        except BaseException:
            self.api.close()
            raise

    @property
    def log(self) -> str:
        return self._process.text

    @property
    def app(self) -> int:
        """The app's process; 0 while there is none, or one that has ended but was not looked after yet."""
        return next((pid for pid in children(self._process.pid) if runs(pid)), 0)

    def wait_for_log(self, pattern: str) -> None:
        """Waits until a line was logged."""
        self._process.wait_for(pattern)

    def wait_until_idle(self) -> None:
        """Waits until the bootstrap asks for an event; no other may be on its way."""
        self.api.wait_until(lambda: self.api.idle, "the next event is asked for")
        assert not self.api.over, "the environment has ended"

    def wait_until_delivered(self, name: str) -> None:
        """Waits until the app has been given an invocation, or its end, when it never will be."""
        self.api.wait_until(lambda: self.api.deliveries[name] or self.api.ended(name), f"{name} reaches the app")

    def wait_until_told(self, name: str, what: str) -> None:
        """Waits until the app has told of something in an invocation, or for its end, when it never will."""
        self.api.wait_until(lambda: self.api.deliveries[what] or self.api.ended(name), f"{what} is told")

    def wait_for_end(self, name: str) -> Post | None:
        """Waits for the post that ends an invocation; there is none when the environment ends before."""
        self.api.wait_until(lambda: self.api.ended(name), f"an answer to {name}")
        if self.api.over:
            self.end()  # what was sent before has been read then
        return self.api.ended(name)

    @contextmanager
    def frozen(self) -> Iterator[None]:
        """Has all processes of the environment stand still, as Lambda does it, until the end of the block."""
        with frozen(*family(self._process.pid)):
            yield

    def signal_app(self, number: signal.Signals) -> int:
        """Sends the app's process a signal; returns which one it was, if there was one."""
        pid = self.app
        if pid:
            with suppress(ProcessLookupError):
                os.kill(pid, number)
        return pid

    def stop_app(self) -> None:
        """Has the app's process stand still, all its threads, unless it is ended meanwhile."""
        pid = self.signal_app(signal.SIGSTOP)
        wait_until(lambda: not pid or _stands_still(pid) or not runs(pid), "the stop of the app")

    def kill_app(self) -> None:
        """Kills the app's process, and waits until it has ended."""
        pid = self.signal_app(signal.SIGKILL)
        wait_until(lambda: not pid or not runs(pid), "the end of a killed app")

    def signal(self, number: signal.Signals) -> None:
        """Sends the bootstrap a signal."""
        if not self._process.ended:
            os.kill(self._process.pid, number)

    def size(self) -> Size:
        """Measures the bootstrap's process, without the app."""
        process = Path(f"/proc/{self._process.pid}")
        lines = dict(line.split(":", 1) for line in (process / "status").read_text().splitlines())
        descriptors = len(os.listdir(process / "fd"))
        memory, own = (int(lines[name].split()[0]) for name in ("VmRSS", "RssAnon"))
        return Size(memory, own, descriptors, int(lines["Threads"]), len(children(self._process.pid)))

    def left_over(self) -> list[int]:
        """All processes that stem from this environment and still run."""
        return [pid for pid in map(int, filter(str.isdecimal, os.listdir("/proc"))) if self._is_of_this(pid)]

    def _is_of_this(self, pid: int) -> bool:
        try:
            variables = Path(f"/proc/{pid}/environ").read_bytes().split(b"\0")
        except OSError:  # it has ended, or is somebody else's
            return False
        return self._mark in variables

    def end(self) -> int:
        """Waits until the bootstrap, which has been told to, has ended, and all that stems from it.

        Returns:
            The exit code.
        """
        if self.code is None:
            self.code = self._process.wait()
            self.api.close()
            wait_until(lambda: not self.left_over(), f"the end of what stems from {self._mark.decode()}")
        return self.code

    def close(self) -> None:
        """Ends what still runs, whatever has happened before."""
        try:
            self._process.close()
        finally:
            if self.code is None:
                self.api.close()
            for pid in self.left_over():
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)

    def __enter__(self) -> Environment:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
