"""What tests with a browser share."""

from __future__ import annotations

import sys
from contextlib import ExitStack
from importlib.util import find_spec
from typing import TYPE_CHECKING, Protocol

import pytest
from support.processes import Running, plain_environment

from browser.chromium import Chromium, is_installed

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

# `make test-browser` says what is missing, and has boto3, with which the chat's app sends its messages, and Selenium.
collect_ignore_glob = [] if is_installed() else ["test_*.py"]
collect_ignore = [
    name for package, name in {"boto3": "test_chat.py", "selenium": "test_recipes.py"}.items() if not find_spec(package)
]


@pytest.fixture
def browser(tmp_path: Path) -> Iterator[Chromium]:
    with Chromium(tmp_path / "profile") as started:
        yield started


class Serve(Protocol):
    """Serves the app `main:app` of a folder by a local run with these options; returns the run and its URL."""

    def __call__(self, folder: Path, *options: str, **variables: str) -> tuple[Running, str]: ...


@pytest.fixture
def serve(tmp_path: Path) -> Iterator[Serve]:
    with ExitStack() as stack:

        def served(folder: Path, *options: str, **variables: str) -> tuple[Running, str]:
            program = [sys.executable, "-m", "lambda_web_adapter", "main:app", "--port", "0", *options]
            environ = plain_environment({"XDG_CACHE_HOME": str(tmp_path / "cache"), **variables})
            run = stack.enter_context(Running(program, cwd=folder, env=environ))
            return run, run.wait_for(r"https?://127\.0\.0\.1:\d+")[0]

        yield served
