"""What all tests share."""

from __future__ import annotations

import os

import hypothesis
import pytest

hypothesis.settings.register_profile("dev", max_examples=50, deadline=None)
hypothesis.settings.register_profile("ci", max_examples=300, deadline=None, derandomize=True)
hypothesis.settings.load_profile("ci" if os.environ.get("CI") else "dev")


def pytest_addoption(parser: pytest.Parser) -> None:
    """Lets somebody without the emulator's binary say so; nothing else may skip."""
    parser.addoption("--skip-rie", action="store_true", help="skip what needs the Runtime Interface Emulator")
