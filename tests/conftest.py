"""What all tests share."""

from __future__ import annotations

import os
import signal

import hypothesis
import pytest

# A change is not to fail by what a random search happens to find today: the search goes on at night.
hypothesis.settings.register_profile("fixed", max_examples=40, deadline=None, derandomize=True)
hypothesis.settings.register_profile("search", max_examples=400, deadline=None)
hypothesis.settings.load_profile("search" if os.environ.get("LWA_SEARCH") else "fixed")


def pytest_configure() -> None:
    """A shell has background jobs ignore Ctrl-C, and what the tests start would inherit that."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_addoption(parser: pytest.Parser) -> None:
    """Lets somebody without the emulator's binary say so; nothing else may skip."""
    parser.addoption("--skip-rie", action="store_true", help="skip what needs the Runtime Interface Emulator")
