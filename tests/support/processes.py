"""Processes for tests: their output collected, awaited by conditions with a deadline, ended by their own ids."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path
from random import SystemRandom
from threading import Condition, Thread
from typing import IO, TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from types import TracebackType

PROJECT = Path(__file__).parent.parents[1]
BOOTSTRAP = PROJECT / "bootstrap"
# For what takes milliseconds when all is well: only a test that fails waits this long.
SECONDS = 15.0

_CLAIMS: list[socket.socket] = []
_STEERING = ("AWS_", "_HANDLER", "_X_AMZN", "LAMBDA_", "PORT", "READINESS_CHECK_", "REMOVE_BASE_PATH", "PYTHON")


def plain_environment(variables: Mapping[str, str] | None = None) -> dict[str, str]:
    """This environment without what steers the adapter or an app, and with this Python first in the path."""
    plain = {name: value for name, value in os.environ.items() if not name.startswith(_STEERING)}
    path = f"{Path(sys.executable).parent}{os.pathsep}{plain.get('PATH', os.defpath)}"
    return {**plain, "PATH": path, "PYTHONUNBUFFERED": "1", **(variables or {})}


def wait_until(condition: Callable[[], object], what: str, seconds: float = SECONDS) -> None:
    """Looks again and again, for what nobody announces: a file, a process, a port."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            raise AssertionError(f"{what}: not within {seconds:g} seconds")
        time.sleep(0.005)


def runs(pid: int) -> bool:
    """Says whether a process runs; one that has ended, with all its threads, but was not waited for does not."""
    try:
        os.kill(pid, 0)
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
        return state != "Z" or len(os.listdir(f"/proc/{pid}/task")) > 1
    except ProcessLookupError:
        return False
    except FileNotFoundError:  # it ended meanwhile, or this system has no such files
        return not Path("/proc/self").exists()


def children(pid: int) -> list[int]:
    """The processes that any thread of a process has started, and that have not been waited for."""
    found: list[int] = []
    for task in Path(f"/proc/{pid}/task").glob("*/children"):
        try:
            found += map(int, task.read_text().split())
        except OSError:  # the thread, or the process, ended meanwhile
            continue
    return found


def free_addresses(count: int) -> list[str]:
    """Loopback addresses that nobody listens on, for programs that cannot choose a port themselves.

    They are below the ports that systems give to clients, so that none takes one while a program starts again. No
    process of the tests gives one to a program that another process of the tests has given to one of its own.
    """
    found: list[str] = []
    while len(found) < count:
        port = SystemRandom().randrange(15_000, 32_000)  # which no plugin seeds alike in all processes
        with suppress(OSError), socket.create_server(("127.0.0.1", port)):
            _claim(port)
            found.append(f"127.0.0.1:{port}")
    return found


def _claim(port: int) -> None:
    """Keep a port for this process as long as it runs.

    Raises:
        OSError: Another process of the tests has it.
    """
    claim = socket.socket(socket.AF_UNIX)
    try:
        if sys.platform == "linux":  # an abstract name, which goes with its process (unix(7))
            claim.bind(f"\0lambda-web-adapter/tests/port/{port}")
    except OSError:
        claim.close()
        raise
    _CLAIMS.append(claim)


def free_port() -> str:
    return free_addresses(1)[0].rpartition(":")[2]


def accepts(address: str) -> bool:
    """Says whether somebody listens on an address."""
    host, _, port = address.rpartition(":")
    try:
        socket.create_connection((host, int(port)), timeout=1).close()
    except OSError:
        return False
    return True


class Running:
    """A process at the head of its own group, and what it and its children have printed so far."""

    def __init__(
        self,
        command: Sequence[str | Path],
        *,
        env: Mapping[str, str] | None = None,
        cwd: Path | str | None = None,
        at_end: Callable[[], object] | None = None,
    ) -> None:
        """Starts the command; `at_end` is called when its output has ended, as it does with the process."""
        self._process = subprocess.Popen(
            command,
            env=plain_environment() if env is None else dict(env),
            cwd=cwd,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        assert self._process.stdout is not None
        self.pid = self._process.pid
        self._at_end = at_end
        self._text = ""
        self._ended = False
        self._changed = Condition()
        self._reader = Thread(target=self._read, args=(self._process.stdout,), daemon=True)
        self._reader.start()

    def _read(self, stream: IO[bytes]) -> None:
        """Reads in a thread, so that the process never waits for a reader."""
        with stream:
            for line in stream:
                with self._changed:
                    self._text += line.decode("utf-8", "replace")
                    self._changed.notify_all()
        with self._changed:
            self._ended = True
            self._changed.notify_all()
        if self._at_end:
            self._at_end()

    @property
    def text(self) -> str:
        with self._changed:
            return self._text

    @property
    def ended(self) -> bool:
        return self._process.poll() is not None

    def wait_for(self, pattern: str, seconds: float = SECONDS) -> re.Match[str]:
        """Waits until something was printed."""
        with self._changed:
            self._changed.wait_for(lambda: self._ended or re.search(pattern, self._text), seconds)
            found = re.search(pattern, self._text)
        assert found, f"{pattern!r} was not printed; this was:\n{self._text}"
        return found

    def wait(self, seconds: float = SECONDS) -> int:
        """Waits until the process has ended by itself, and its output with it; returns the exit code."""
        try:
            code = self._process.wait(seconds)
        except subprocess.TimeoutExpired:
            raise AssertionError(f"the process still runs after {seconds:g} seconds:\n{self.text}") from None
        self._reader.join(2)  # who has inherited the output and lives on is found by `close`
        return code

    def terminate(self) -> int:
        """Asks the process to end, and waits; returns the exit code."""
        self._process.terminate()
        return self.wait()

    def kill(self) -> None:
        """Ends the process at once; its children are not told."""
        self._process.kill()
        self._process.wait()

    def close(self) -> None:
        """Ends what still runs, in order where that is possible; nothing may be left behind."""
        try:
            if self._process.poll() is None:
                self._process.terminate()
                self._process.wait(SECONDS)
        finally:
            self._reader.join(0 if self._process.poll() is None else 2)
            left_behind = self._reader.is_alive()  # who holds the output is a process of the group, or stems from one
            if left_behind:
                with suppress(ProcessLookupError):
                    os.killpg(self.pid, signal.SIGKILL)
                self._process.wait(SECONDS)
                self._reader.join(SECONDS)
            sys.stdout.write(self.text)  # pytest shows it for a test that failed
        assert not left_behind, f"processes were left behind:\n{self.text}"

    def __enter__(self) -> Running:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
