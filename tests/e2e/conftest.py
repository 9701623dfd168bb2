"""What the tests with the real Runtime Interface Emulator share."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import pytest
from processes import BOOTSTRAP
from rie import Emulator, program_for_tests

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
