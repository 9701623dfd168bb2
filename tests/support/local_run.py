"""A local run as a process that gets events by its Invoke API, with the methods of the emulator beside it."""

from __future__ import annotations

import json
import os
import signal
import sys
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx

from support.event_stream import read_event_stream
from support.freezing import family, state
from support.processes import Running, children, plain_environment, runs, wait_until
from support.rie import INVOKE_PATH, StreamedPayload

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from types import TracebackType

STREAM_PATH = "/2021-11-15/functions/function/response-streaming-invocations"


class LocalRun:
    """A local run with one environment; it is started at once, and again after it has ended."""

    def __init__(
        self,
        arguments: Sequence[str | Path],
        *,
        env: Mapping[str, str] | None = None,
        cwd: Path | str | None = None,
        timeout: int = 20,
        concurrency: int = 1,
    ) -> None:
        """Starts it with the app's name, or with `--` and a command; `timeout` is the function's, in seconds."""
        limits = ["--timeout", str(timeout), "--environments", "1", "--concurrency", str(concurrency)]
        command = [sys.executable, "-m", "lambda_web_adapter", "--port", "0", "--no-reload", *limits, *arguments]
        self.process = Running(command, env=plain_environment(env), cwd=cwd)
        try:
            url = self.process.wait_for(r"http://127\.0\.0\.1:\d+")[0]
        except BaseException:
            self.process.close()
            raise
        self._client = httpx.Client(base_url=url, trust_env=False, timeout=timeout + 10)

    def invoke(self, event: object, **headers: str) -> httpx.Response:
        """Sends an event, bytes as they are and anything else as JSON; headers are those of the Invoke call."""
        return self._post(INVOKE_PATH, event, headers)

    def stream(self, event: object, **headers: str) -> StreamedPayload:
        """Sends an event to InvokeWithResponseStream, and reads the event stream of its response to the end."""
        response = self._post(STREAM_PATH, event, headers)
        assert response.status_code == 200, response.text
        return StreamedPayload(*read_event_stream(response.content))

    def fail(self, event: object) -> dict[str, Any]:
        """Sends an event whose invocation fails, and returns the error document."""
        response = self.invoke(event)
        assert (response.status_code, response.headers["x-amz-function-error"]) == (200, "Unhandled"), response.text
        document: dict[str, Any] = response.json()
        return document

    def _post(self, path: str, event: object, headers: Mapping[str, str]) -> httpx.Response:
        content = event if isinstance(event, bytes) else json.dumps(event).encode()
        return self._client.post(path, content=content, headers={k.replace("_", "-"): v for k, v in headers.items()})

    def runtimes(self) -> list[int]:
        """The bootstraps."""
        return bootstraps(self.process)

    def terminate_runtime(self) -> None:
        """Sends the bootstrap SIGTERM once it is frozen, and thaws it, since a frozen process handles no signals."""
        with self.frozen():
            (bootstrap,) = self.runtimes()
            os.kill(bootstrap, signal.SIGTERM)
            os.killpg(bootstrap, signal.SIGCONT)

    def wait_for_end(self, code: int) -> None:
        """Waits until the bootstrap has ended. Its exit code stays unchecked, as it is nowhere if there is an error."""
        wait_until(lambda: not self.runtimes(), f"the bootstrap ends (with exit code {code})")

    @contextmanager
    def frozen(self) -> Iterator[None]:
        """Waits until the environment is frozen; the next event thaws it."""
        (bootstrap,) = self.runtimes()
        wait_until(lambda: state(bootstrap) == "T", "the environment is frozen")
        yield

    def shut_down(self) -> None:
        """Ends the local run, which shuts down its environment as Lambda does."""
        assert self.process.terminate() == 0

    def close(self) -> None:
        """Ends the local run; nothing of it is left."""
        self._client.close()
        processes = family(self.process.pid)
        self.process.close()
        wait_until(lambda: not any(map(runs, processes)), "all processes end with the local run")

    def __enter__(self) -> LocalRun:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def bootstraps(run: Running) -> list[int]:
    """The bootstraps of a local run: its children but for its guard, which is a fork of it."""
    own = _command_line(run.pid)
    return [pid for pid in children(run.pid) if _command_line(pid) not in (b"", own)]


def _command_line(pid: int) -> bytes:
    """The command line of a process; empty if it has ended."""
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return b""
