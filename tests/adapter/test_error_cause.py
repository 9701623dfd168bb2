"""What X-Ray is told of an error: its exceptions and their frames, in a header that any server takes."""

from __future__ import annotations

import json
import re
import traceback
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import pytest
from adapter.test_app_start import app_in
from adapter.test_loop import get
from hypothesis import given
from hypothesis import strategies as st

from lambda_web_adapter.adapter.lambda_api.error_cause import MAX_BYTES, document
from lambda_web_adapter.errors import AppExited, AppStartFailed, InvalidEvent

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from adapter.conftest import Start

    from lambda_web_adapter.testing.runtime_api import Call, RuntimeApi

HEADER = "lambda-runtime-function-xray-error-cause"


def cause_in(call: Call) -> Any:
    return json.loads(call.headers[HEADER])


def cause_of(raising: Callable[[], object]) -> Any:
    """The cause of an app's exception, as the app process describes it."""
    try:
        raising()
    except Exception as error:  # noqa: BLE001  # whatever it raises is described
        stack = tuple(traceback.format_exception(error))
        return json.loads(document(AppStartFailed(str(error), raised=type(error).__name__, stack=stack), "/var/task"))
    raise AssertionError("it was to raise")


def told(cause: Any) -> list[tuple[str, str, list[str]]]:
    """Type, message and the frames' labels of each exception; without the frame of `cause_of`."""
    return [
        (each["type"], each["message"], [frame["label"] for frame in each["stack"] if frame["label"] != "cause_of"])
        for each in cause["exceptions"]
    ]


# What raises.


def wrong_key() -> None:
    raise KeyError("region")


def caused() -> None:
    try:
        wrong_key()
    except KeyError as error:
        raise ValueError("no region") from error


def while_handling() -> None:
    try:
        caused()
    except ValueError:
        wrong_key()


def without_traceback() -> None:
    raise ValueError("no region") from KeyError("region")


def suppressed() -> None:
    try:
        wrong_key()
    except KeyError:
        raise ValueError("no region") from None


def in_a_group() -> None:
    members: list[Exception] = [ValueError("never raised")]
    try:
        caused()
    except ValueError as error:
        members.append(error)
    raise ExceptionGroup("two", members)


def like_a_frame() -> None:
    error = ValueError('odd\n  File "message.py", line 1, in message')
    error.add_note('  File "note.py", line 1, in note')
    raise error


def wrong_syntax() -> None:
    compile("x = = 3", "settings.py", "exec")


def without_message() -> None:
    raise LookupError


@pytest.mark.parametrize(
    ("raising", "expected"),
    [
        pytest.param(wrong_key, [("KeyError", "'region'", ["wrong_key"])], id="one exception"),
        pytest.param(
            caused,
            [("ValueError", "no region", ["caused"]), ("KeyError", "'region'", ["caused", "wrong_key"])],
            id="a cause",
        ),
        pytest.param(
            while_handling,
            [
                ("KeyError", "'region'", ["while_handling", "wrong_key"]),
                ("ValueError", "no region", ["while_handling", "caused"]),
                ("KeyError", "'region'", ["caused", "wrong_key"]),
            ],
            id="raised while another was handled",
        ),
        pytest.param(
            without_traceback,
            [("ValueError", "no region", ["without_traceback"]), ("KeyError", "'region'", [])],
            id="a cause that was never raised",
        ),
        pytest.param(suppressed, [("ValueError", "no region", ["suppressed"])], id="a cause that is hidden"),
        pytest.param(
            in_a_group,
            [
                ("ExceptionGroup", "two (2 sub-exceptions)", ["in_a_group"]),
                ("ValueError", "never raised", []),
                ("KeyError", "'region'", ["caused", "wrong_key"]),
                ("ValueError", "no region", ["in_a_group", "caused"]),
            ],
            id="a group",
        ),
        pytest.param(
            like_a_frame,
            [("ValueError", 'odd\n  File "message.py", line 1, in message', ["like_a_frame"])],
            id="a message and a note that look like frames",
        ),
        pytest.param(
            wrong_syntax,
            [("SyntaxError", "invalid syntax (settings.py, line 1)", ["wrong_syntax", ""])],
            id="a syntax error",
        ),
        pytest.param(without_message, [("LookupError", "", ["without_message"])], id="no message"),
    ],
)
def test_the_exception_comes_first_and_then_what_it_stems_from(
    raising: Callable[[], object], expected: list[tuple[str, str, list[str]]]
) -> None:
    assert told(cause_of(raising)) == expected


def test_each_frame_says_where_it_is_and_each_file_is_named_once() -> None:
    cause = cause_of(while_handling)
    frame = cause["exceptions"][0]["stack"][-1]

    assert frame == {"path": __file__, "line": wrong_key.__code__.co_firstlineno + 1, "label": "wrong_key"}
    assert cause["paths"] == [__file__]
    assert cause["working_directory"] == "/var/task"


def test_an_error_of_the_adapter_has_no_frames() -> None:
    assert json.loads(document(AppExited("The app ended.", "\nIt wrote to stderr:\nno memory"), "/var/task")) == {
        "working_directory": "/var/task",
        "exceptions": [
            {"type": "Runtime.AppExited", "message": "The app ended.\nIt wrote to stderr:\nno memory", "stack": []},
        ],
        "paths": [],
    }


# Not too long


def deep(frames: int) -> list[str]:
    return [f'  File "/var/task/{"module" * 5}_{number}.py", line {number}, in call\n' for number in range(frames)]


def test_of_a_deep_stack_the_innermost_frames_are_kept() -> None:
    stack = ("Traceback (most recent call last):\n", *deep(5000), "ValueError: deep\n")
    cause = json.loads(document(AppStartFailed("deep", raised="ValueError", stack=stack), "/"))

    lines = [frame["line"] for frame in cause["exceptions"][0]["stack"]]
    assert len(lines) >= 16
    assert lines == list(range(5000 - len(lines), 5000))
    assert [path.rpartition("_")[2] for path in cause["paths"]] == [f"{line}.py" for line in lines]


def test_of_a_long_message_the_beginning_is_kept() -> None:
    cause = json.loads(document(InvalidEvent("\N{SNAKE}" * 100_000), "/var/task"))

    message = cause["exceptions"][0]["message"]
    assert len(message) >= 512
    assert message.strip("\N{SNAKE}") == "..."
    assert cause["working_directory"] == "/var/task"


def test_of_a_long_chain_the_last_exceptions_are_kept() -> None:
    def chain() -> None:
        error: Exception = KeyError(0)
        for number in range(1, 500):
            following = KeyError(number)
            following.__cause__ = error
            error = following
        raise error

    messages = [message for _, message, _ in told(cause_of(chain))]
    assert len(messages) > 10
    assert messages[0] == "499"
    assert all(int(later) == int(earlier) - 1 for earlier, later in pairwise(messages))


ANYTHING = st.text(st.characters(exclude_categories=()))
FRAMES = st.builds('  File "{}", line {}, in {}\n    code\n'.format, ANYTHING, st.integers(0), ANYTHING)
LINES = st.one_of(
    ANYTHING,
    FRAMES,
    FRAMES.map("  | {}".format),
    st.sampled_from(
        [
            "Traceback (most recent call last):\n",
            "  + Exception Group Traceback (most recent call last):\n",
            "  +-+---------------- 1 ----------------\n",
            "\nThe above exception was the direct cause of the following exception:\n\n",
            "ValueError: odd\n",
            "  File ",
        ]
    ),
)


@given(message=ANYTHING, raised=ANYTHING, folder=ANYTHING, stack=st.lists(LINES), often=st.sampled_from([1, 100]))
def test_whatever_an_error_says_becomes_a_header(
    message: str, raised: str, folder: str, stack: Sequence[str], often: int
) -> None:
    error = AppStartFailed(message * often, raised=raised * often, stack=tuple(stack) * often)

    text = document(error, folder * often)

    assert re.fullmatch("[ -~]*", text)
    assert len(text) <= MAX_BYTES
    cause = json.loads(text)
    assert sorted(cause) == ["exceptions", "paths", "working_directory"]
    assert cause["exceptions"]
    used = {frame["path"] for each in cause["exceptions"] for frame in each["stack"]}
    assert sorted(cause["paths"]) == sorted(used)
    assert all(type(frame["line"]) is int for each in cause["exceptions"] for frame in each["stack"])


# Where it is sent


RAISES = """
def connect():
    raise OSError("no database\\r\\nX-Forged: 1 \\x7f \N{SNAKE}")

try:
    connect()
except OSError as error:
    raise RuntimeError("cannot start") from error
"""


def test_a_failed_start_is_told_with_its_frames(tmp_path: Path, api: RuntimeApi, start: Start) -> None:
    assert start("main:app", cwd=app_in(tmp_path, RAISES)).wait() != 0

    (call,) = api.calls_of("init/error")
    cause = cause_in(call)
    last, first = cause["exceptions"]
    assert (last["type"], last["message"]) == ("RuntimeError", "cannot start")
    assert last["stack"][-1] == {"path": str(tmp_path / "main.py"), "line": 8, "label": "<module>"}
    assert (first["type"], first["message"]) == ("OSError", "no database\r\nX-Forged: 1 \x7f \N{SNAKE}")
    assert [frame["label"] for frame in first["stack"]] == ["<module>", "connect"]
    assert str(tmp_path / "main.py") in cause["paths"]
    assert cause["working_directory"] == str(tmp_path)
    assert "x-forged" not in call.headers


def test_a_failed_invocation_is_told(api: RuntimeApi, start: Start) -> None:
    start("main:wsgi")
    call = api.invoke(b"no JSON")

    assert call.name == "error"
    (exception,) = cause_in(call)["exceptions"]
    assert exception == {"type": call.json["errorType"], "message": call.json["errorMessage"], "stack": []}


def test_a_reply_has_no_cause(api: RuntimeApi, start: Start) -> None:
    start("main:wsgi")

    assert HEADER not in api.invoke(get("/")).headers


def test_a_folder_that_is_gone_keeps_no_error_from_being_told(tmp_path: Path, api: RuntimeApi, start: Start) -> None:
    app_in(tmp_path, "import os\nos.rmdir(os.getcwd())\nraise LookupError('gone')\n")
    (tmp_path / "below").mkdir()
    process = start("main:app", cwd=tmp_path / "below", PYTHONPATH=str(tmp_path))

    assert process.wait() != 0
    (call,) = api.calls_of("init/error")
    cause = cause_in(call)
    assert cause["working_directory"] == ""
    assert cause["exceptions"][0]["type"] == "LookupError"
