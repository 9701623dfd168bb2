"""What tests with a browser share."""

from __future__ import annotations

from importlib.util import find_spec
from typing import TYPE_CHECKING

import pytest

from browser.chromium import Chromium, is_installed

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

# `make test-browser` says what is missing, and has boto3, with which the chat's app sends its messages.
collect_ignore_glob = [] if is_installed() else ["test_*.py"]
collect_ignore = [] if find_spec("boto3") else ["test_chat.py"]


@pytest.fixture
def browser(tmp_path: Path) -> Iterator[Chromium]:
    with Chromium(tmp_path / "profile") as started:
        yield started
