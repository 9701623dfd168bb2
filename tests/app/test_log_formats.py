"""The formats of the app's log: whatever is logged is one line, and a line of JSON can be read."""

from __future__ import annotations

import json
import logging
import os
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.processes import plain_environment

from lambda_web_adapter.app import logging_setup

if TYPE_CHECKING:
    from collections.abc import Iterator

JSON = logging_setup.JsonFormatter()
ONE_LINE = logging_setup.TextFormatter(one_line=True)


class Circle(list[Any]):
    """A list that holds itself."""

    def __init__(self) -> None:
        super().__init__([self])


class Mute(Exception):
    """An exception that fails when it is asked what it is."""

    def __str__(self) -> str:
        raise RuntimeError("nothing to say")


ANY_TEXT = st.text(st.characters(exclude_categories=()))  # surrogates and control characters too
ANY_KEY = ANY_TEXT | st.integers() | st.tuples(st.integers())
ANY_VALUE = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | ANY_TEXT | st.binary() | st.builds(object),
    lambda inner: st.lists(inner) | st.dictionaries(ANY_KEY, inner) | st.sets(st.integers()),
    max_leaves=8,
) | st.builds(Circle)
ANY_ERROR = st.none() | st.builds(ValueError, ANY_TEXT) | st.builds(Mute)
OWN = frozenset({"message", "asctime", *vars(logging.makeLogRecord({}))})
ANY_EXTRA = st.dictionaries(ANY_TEXT.filter(lambda name: name not in OWN), ANY_VALUE, max_size=3)


def chained(error: Exception | None) -> Exception | None:
    """The error as it is when it was raised out of another's handling."""
    if error is None:
        return None
    try:
        try:
            raise KeyError("first")
        except KeyError as first:
            raise error from first
    except Exception as raised:  # noqa: BLE001  # it is what is asked for
        return raised


def record_of(message: Any, extra: dict[str, Any], error: Exception | None) -> logging.LogRecord:
    exc_info = (type(error), error, error.__traceback__) if error else None
    return logging.Logger("tea").makeRecord("tea", logging.ERROR, "/tea.py", 1, message, (), exc_info, "brew", extra)


@given(ANY_VALUE, ANY_EXTRA, ANY_ERROR)
def test_any_record_is_one_line_of_json(message: Any, extra: dict[str, Any], error: Exception | None) -> None:
    data = JSON.format(record_of(message, extra, chained(error))).encode("utf-8", "backslashreplace")

    assert b"\n" not in data
    said = json.loads(data, parse_constant=pytest.fail)
    assert said["level"] == "ERROR"
    assert said["logger"] == "tea" or "logger" in extra
    assert set(extra) - {name for name, value in extra.items() if value is None} <= set(said)
    if error:
        assert said["errorType"] == type(error).__name__
        assert "KeyError: 'first'" in said["stackTrace"]


@given(ANY_VALUE, ANY_EXTRA, ANY_ERROR)
def test_any_record_is_one_line_of_text(message: Any, extra: dict[str, Any], error: Exception | None) -> None:
    data = ONE_LINE.format(record_of(message, extra, chained(error))).encode("utf-8", "backslashreplace")

    assert b"\n" not in data
    assert data.startswith(b"[ERROR]\t")


@given(ANY_TEXT)
def test_a_message_is_what_it_was(message: str) -> None:
    said = json.loads(JSON.format(record_of(message, {}, None)))

    assert said["message"] == message


@pytest.fixture
def handler() -> Iterator[logging_setup.EventHandler]:
    handler = logging_setup.EventHandler(JSON)
    yield handler
    handler.close()


def read_all(capfd: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    return [json.loads(line) for line in capfd.readouterr().err.splitlines()]


def test_a_caller_s_stack_is_in_the_event_too() -> None:
    record = record_of("here", {}, None)
    record.stack_info = "Stack (most recent call last):\n  here"

    assert json.loads(JSON.format(record))["stackInfo"] == ["Stack (most recent call last):", "  here"]


def test_a_traceback_that_another_process_has_written_down_is_kept() -> None:
    record = record_of("there", {}, None)
    record.exc_text = "Traceback:\n  there"

    assert json.loads(JSON.format(record))["stackTrace"] == ["Traceback:", "  there"]


def test_a_record_of_an_exception_that_there_was_not_has_none() -> None:
    record = record_of("hm", {}, None)
    record.exc_info = (None, None, None)

    assert "stackTrace" not in json.loads(JSON.format(record))


def test_levels_of_an_app_s_own_count_as_the_one_below() -> None:
    found = []
    for level in (5, 25, 35, 99):
        record = record_of("", {}, None)
        record.levelno = level
        found.append(json.loads(JSON.format(record))["level"])

    assert found == ["TRACE", "INFO", "WARN", "FATAL"]


def unheard(message: str, *args: object) -> logging.LogRecord:
    """A record of a logger that pytest's own handlers do not hear."""
    record = record_of(message, {}, None)
    record.name, record.args = "nobody.listens", args
    logger = logging.getLogger(record.name)
    logger.propagate = False
    logger.handlers.clear()
    return record


def test_a_record_that_cannot_be_written_is_told_of_once(
    handler: logging_setup.EventHandler, capfd: pytest.CaptureFixture[str]
) -> None:
    handler.handle(unheard("%d", "too", "many"))

    (said,) = read_all(capfd)
    assert said["message"] == "A record from /tea.py:1 cannot be written"
    assert said["errorType"] == "TypeError"


def test_nothing_is_told_where_the_app_does_not_want_to_know(
    handler: logging_setup.EventHandler, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(logging, "raiseExceptions", False)
    handler.handle(unheard("%d", "too", "many"))

    assert read_all(capfd) == []


def test_a_log_that_cannot_be_written_at_all_fails_no_request_and_its_lines_are_counted(
    handler: logging_setup.EventHandler, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    def closed(descriptor: int, data: bytes) -> int:
        raise OSError("closed")

    with monkeypatch.context() as patch:
        patch.setattr(os, "write", closed)
        for _ in range(2):
            handler.handle(unheard("lost"))
    handler.handle(unheard("kept"))

    lines = capfd.readouterr().err.splitlines()
    assert len(lines) == 2
    assert "2 lines of the app's log before this one could not be written." in lines[0]
    assert "kept" in lines[1]


def test_people_at_a_terminal_read_level_logger_and_message() -> None:
    code = (
        "import logging; from lambda_web_adapter.app import logging_setup; "
        "logging_setup.set_up(); logging.getLogger('tea').error('out')"
    )
    master, terminal = os.openpty()
    try:
        subprocess.run([sys.executable, "-c", code], stderr=terminal, env=plain_environment(), check=True)
        shown = os.read(master, 4096)
    finally:
        os.close(terminal)
        os.close(master)

    assert shown == b"ERROR tea: out\r\n"
