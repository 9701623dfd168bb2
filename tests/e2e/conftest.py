"""What the tests with an emulated Lambda share: AWS's Runtime Interface Emulator, and the local run.

A test that asks for `emulate`, `launch` or `manage` runs under both, since the bootstrap has to be the same to the app
and to the caller in both. What only AWS's emulator has, or does in its own way, is tested with `emulate_rie`.
"""

from __future__ import annotations

import shutil
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import pytest
from support.local_run import LocalRun
from support.processes import BOOTSTRAP
from support.rie import Emulator, ManagedEmulator, program_for_tests

if TYPE_CHECKING:
    from collections.abc import Iterator
    from contextlib import AbstractContextManager

    import httpx
    from support.processes import Running
    from support.rie import StreamedPayload


class AnyEmulator(Protocol):
    """An emulated Lambda with one environment; `Emulator` and `LocalRun` say what the methods do."""

    process: Running

    def invoke(self, event: object, **headers: str) -> httpx.Response: ...
    def stream(self, event: object, **headers: str) -> StreamedPayload: ...
    def fail(self, event: object) -> dict[str, Any]: ...
    def runtimes(self) -> list[int]: ...
    def terminate_runtime(self) -> None: ...
    def wait_for_end(self, code: int) -> None: ...
    def frozen(self) -> AbstractContextManager[None]: ...
    def shut_down(self) -> None: ...


class Launch(Protocol):
    """Makes an emulator that runs the bootstrap with these arguments."""

    def __call__(
        self, *arguments: str | Path, cwd: Path | str, timeout: int = 20, **variables: str
    ) -> AbstractContextManager[AnyEmulator]: ...


class Emulate(Protocol):
    """Runs the bootstrap with these arguments under an emulator, until the test ends."""

    def __call__(self, *arguments: str | Path, cwd: Path | str, timeout: int = 20, **variables: str) -> AnyEmulator: ...


class EmulateRie(Protocol):
    """Runs the repository's `bootstrap`, or another command, under AWS's emulator, until the test ends."""

    def __call__(
        self,
        *arguments: str | Path,
        cwd: Path | str,
        command: tuple[str | Path, ...] = (BOOTSTRAP,),
        timeout: int = 20,
        **variables: str,
    ) -> Emulator: ...


class Manage(Protocol):
    """Runs the bootstrap with the app `main:app` of this text, and several invocations at once."""

    def __call__(
        self, main: str, *, workers: int, invoke_mode: str = "buffered", compress: bool = False
    ) -> AnyEmulator: ...


@pytest.fixture(scope="session", params=["rie", "local"])
def emulator_name(request: pytest.FixtureRequest) -> str:
    """Which emulator a test runs under."""
    name: str = request.param
    if name == "rie":
        program_for_tests(request.config)  # or skips
    return name


@pytest.fixture(scope="session")
def emulator_file(request: pytest.FixtureRequest) -> Path:
    """The program of AWS's emulator."""
    return program_for_tests(request.config)


def launcher(emulator_name: str, config: pytest.Config) -> Launch:
    """What makes an emulator of this name; without AWS's, the test is skipped."""

    def launched(
        *arguments: str | Path, cwd: Path | str, timeout: int = 20, **variables: str
    ) -> AbstractContextManager[AnyEmulator]:
        if emulator_name == "local":
            return LocalRun(arguments, env=variables, cwd=cwd, timeout=timeout)
        program = program_for_tests(config)
        return Emulator(program, [BOOTSTRAP, *arguments], env=variables, cwd=cwd, timeout=timeout)

    return launched


@pytest.fixture(scope="session")
def launch(emulator_name: str, request: pytest.FixtureRequest) -> Launch:
    return launcher(emulator_name, request.config)


@pytest.fixture
def emulate(launch: Launch) -> Iterator[Emulate]:
    with ExitStack() as stack:

        def started(*arguments: str | Path, cwd: Path | str, timeout: int = 20, **variables: str) -> AnyEmulator:
            return stack.enter_context(launch(*arguments, cwd=cwd, timeout=timeout, **variables))

        yield started


@pytest.fixture
def emulate_rie(emulator_file: Path) -> Iterator[EmulateRie]:
    with ExitStack() as stack:

        def started(
            *arguments: str | Path,
            cwd: Path | str,
            command: tuple[str | Path, ...] = (BOOTSTRAP,),
            timeout: int = 20,
            **variables: str,
        ) -> Emulator:
            emulator = Emulator(emulator_file, [*command, *arguments], env=variables, cwd=cwd, timeout=timeout)
            return stack.enter_context(emulator)

        yield started


@pytest.fixture
def manage(emulator_name: str, request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Manage]:
    with ExitStack() as stack:

        def started(main: str, *, workers: int, invoke_mode: str = "buffered", compress: bool = False) -> AnyEmulator:
            task = tmp_path / "task"
            task.mkdir()
            (task / "main.py").write_text(main)
            variables = {"AWS_LWA_INVOKE_MODE": invoke_mode, "AWS_LWA_ENABLE_COMPRESSION": str(compress).lower()}
            if emulator_name == "local":
                return stack.enter_context(LocalRun(["main:app"], env=variables, cwd=task, concurrency=workers))
            shutil.copy(BOOTSTRAP, task)
            for path in (tmp_path, task):
                path.chmod(0o755)
            program = program_for_tests(request.config)
            return stack.enter_context(ManagedEmulator(program, task, workers=workers, env=variables))

        yield started
