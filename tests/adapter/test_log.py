"""The adapter's own lines, in text and in JSON."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lambda_web_adapter.adapter.diagnostics.log import log, log_once
from lambda_web_adapter.ipc.log_config import LogConfig

if TYPE_CHECKING:
    from adapter.conftest import Start

    from lambda_web_adapter.testing.runtime_api import RuntimeApi

VARIABLES = ("AWS_LAMBDA_LOG_FORMAT", "AWS_LAMBDA_LOG_LEVEL", "AWS_LAMBDA_LOG_GROUP_NAME")
STAMP = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d"
SETTINGS = settings(suppress_health_check=[HealthCheck.function_scoped_fixture])  # capfd is read in each example


@pytest.fixture(autouse=True)
def _unset(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in VARIABLES:
        monkeypatch.delenv(name, raising=False)


def test_text_has_level_time_request_and_message(capfd: pytest.CaptureFixture[str]) -> None:
    log("WARNING", "tea\nis out\n", "the-id", cups=3)

    assert re.fullmatch(rf"\[WARNING\]\t{STAMP}\.\d\d\dZ\tthe-id\ttea\nis out\n", capfd.readouterr().err)


def test_on_lambda_it_is_one_line(capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_LAMBDA_LOG_GROUP_NAME", "tea")
    log("ERROR", "tea\nis out")

    assert capfd.readouterr().err.endswith("\t\ttea\ris out\n")


@pytest.mark.parametrize("spelling", ["JSON", "json", "Json"])
def test_json_has_fields(spelling: str, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_LAMBDA_LOG_FORMAT", spelling)
    log("WARNING", "tea\nis out", "the-id", cups=3)

    said = json.loads(capfd.readouterr().err)
    assert re.fullmatch(f"{STAMP}Z", said.pop("timestamp"))
    assert said == {"level": "WARN", "message": "tea\nis out", "requestId": "the-id", "cups": 3}


def test_json_has_no_request_where_there_is_none(
    capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_LAMBDA_LOG_FORMAT", "JSON")
    log("ERROR", "tea")

    assert "requestId" not in json.loads(capfd.readouterr().err)


@given(message=st.text(st.characters(exclude_categories=())), request_id=st.text())
@SETTINGS
def test_any_message_is_one_line_of_json(message: str, request_id: str, capfd: pytest.CaptureFixture[str]) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AWS_LAMBDA_LOG_FORMAT", "JSON")
        log("ERROR", message, request_id)

    line = capfd.readouterr().err
    assert line.count("\n") == 1
    assert json.loads(line)["message"] == message.rstrip("\n")


@pytest.mark.parametrize("form", ["", "JSON"])
@pytest.mark.parametrize(
    ("level", "expected"),
    [
        ("", ["INFO", "WARNING", "ERROR"]),
        ("TRACE", ["INFO", "WARNING", "ERROR"]),
        ("info", ["INFO", "WARNING", "ERROR"]),
        ("WARN", ["WARNING", "ERROR"]),
        ("ERROR", ["ERROR"]),
        ("FATAL", []),
        ("LOUD", ["INFO", "WARNING", "ERROR"]),
    ],
)
def test_what_is_below_the_function_s_level_is_left_out(
    level: str, expected: list[str], form: str, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_LAMBDA_LOG_FORMAT", form)
    monkeypatch.setenv("AWS_LAMBDA_LOG_LEVEL", level)
    for each in ("INFO", "WARNING", "ERROR"):
        log(each, f"<{each}>")

    assert re.findall("<(.*?)>", capfd.readouterr().err) == expected


def test_what_is_said_once_is_said_once(capfd: pytest.CaptureFixture[str]) -> None:
    for _ in range(2):
        log_once("WARNING", "of this test alone")

    assert capfd.readouterr().err.count("alone") == 1


@pytest.mark.parametrize(
    ("environment", "expected"),
    [
        ({}, (False, 0, False)),
        ({"AWS_LAMBDA_LOG_FORMAT": "Text"}, (False, 0, False)),
        ({"AWS_LAMBDA_LOG_GROUP_NAME": "tea"}, (False, 0, True)),
        ({"AWS_LAMBDA_LOG_FORMAT": "JSON"}, (True, 0, True)),
        ({"AWS_LAMBDA_LOG_LEVEL": "warn"}, (False, 30, False)),
    ],
)
def test_the_controls(environment: dict[str, str], expected: tuple[bool, int, bool]) -> None:
    found = LogConfig(environment)

    assert (found.json, found.level, found.one_line) == expected


def test_a_bootstrap_s_own_lines_are_json_too(api: RuntimeApi, start: Start) -> None:
    process = start("nothing:here", AWS_LAMBDA_LOG_FORMAT="JSON", AWS_LWA_NONSENSE="1")
    process.wait()

    records = [json.loads(line) for line in process.text.splitlines()]
    assert [record["level"] for record in records] == ["WARN", "ERROR"]
    assert "AWS_LWA_NONSENSE" in records[0]["message"]
