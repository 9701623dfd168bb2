"""What the tests with the real Runtime Interface Emulator share."""

from __future__ import annotations

import shutil
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import pytest
from support.processes import BOOTSTRAP
from support.rie import Emulator, ManagedEmulator, program_for_tests

if TYPE_CHECKING:
    from collections.abc import Iterator


class Emulate(Protocol):
    """Runs the repository's `bootstrap`, or another command, under the emulator."""

    def __call__(
        self,
        *words: str | Path,
        cwd: Path | str,
        command: tuple[str | Path, ...] = (BOOTSTRAP,),
        timeout: int = 20,
        **variables: str,
    ) -> Emulator: ...


@pytest.fixture(scope="session")
def emulator_file(request: pytest.FixtureRequest) -> Path:
    return program_for_tests(request.config)


@pytest.fixture
def emulate(emulator_file: Path) -> Iterator[Emulate]:
    with ExitStack() as stack:

        def started(
            *words: str | Path,
            cwd: Path | str,
            command: tuple[str | Path, ...] = (BOOTSTRAP,),
            timeout: int = 20,
            **variables: str,
        ) -> Emulator:
            emulator = Emulator(emulator_file, [*command, *words], env=variables, cwd=cwd, timeout=timeout)
            return stack.enter_context(emulator)

        yield started


class Manage(Protocol):
    """Runs the repository's `bootstrap` with the app `main:app` of this text, many invocations at once."""

    def __call__(
        self, main: str, *, workers: int, invoke_mode: str = "buffered", compress: bool = False
    ) -> ManagedEmulator: ...


@pytest.fixture
def manage(emulator_file: Path, tmp_path: Path) -> Iterator[Manage]:
    with ExitStack() as stack:

        def started(
            main: str, *, workers: int, invoke_mode: str = "buffered", compress: bool = False
        ) -> ManagedEmulator:
            task = tmp_path / "task"
            task.mkdir()
            (task / "main.py").write_text(main)
            shutil.copy(BOOTSTRAP, task)
            for path in (tmp_path, task):
                path.chmod(0o755)
            emulator = ManagedEmulator(
                emulator_file,
                task,
                workers=workers,
                AWS_LWA_INVOKE_MODE=invoke_mode,
                AWS_LWA_ENABLE_COMPRESSION=str(compress).lower(),
            )
            stack.enter_context(emulator)
            return emulator

        yield started
