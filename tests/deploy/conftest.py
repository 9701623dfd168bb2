"""What checks the templates is in the environment of `make test-deploy`; elsewhere these tests are not collected."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from .emulator import FIRST, SECOND, Emulator, build_package

if TYPE_CHECKING:
    from collections.abc import Iterator

collect_ignore = [] if find_spec("ministack") else [file.name for file in Path(__file__).parent.glob("test_*.py")]


@pytest.fixture(scope="session")
def emulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Emulator]:
    """An AWS for all tests: to start it takes some seconds."""
    with Emulator.started(tmp_path_factory.mktemp("emulator")) as emulator:
        yield emulator


@pytest.fixture(scope="session")
def package(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The Flask example as function.zip."""
    return build_package(tmp_path_factory.mktemp("package"), FIRST)


@pytest.fixture(scope="session")
def second_package(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Another version of it, for an update."""
    return build_package(tmp_path_factory.mktemp("second"), SECOND)
