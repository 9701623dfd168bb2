"""Leaves out the tests against other projects' sample events, unless somebody says where those are."""

import os

import pytest

NEEDS_SAMPLES = "test_captures.py"


def _is_left_out(item: pytest.Item) -> bool:
    return item.path.name == NEEDS_SAMPLES and not os.environ.get("LWA_EVENT_SAMPLES")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    left_out = [item for item in items if _is_left_out(item)]
    items[:] = [item for item in items if not _is_left_out(item)]
    config.hook.pytest_deselected(items=left_out)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    if not os.environ.get("LWA_EVENT_SAMPLES"):
        terminalreporter.write_line(
            f"tests/events/{NEEDS_SAMPLES} is left out: LWA_EVENT_SAMPLES names no folder of sample events."
        )
