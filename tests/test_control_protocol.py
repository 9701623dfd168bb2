"""The control channel's messages: one place for their names, and the same meaning at both ends."""

from __future__ import annotations

import ast
import re
from pathlib import Path

from lambda_web_adapter.ipc import control_protocol
from lambda_web_adapter.ipc.control_protocol import (
    CANCEL,
    DUMP_STACKS,
    FAILED,
    encode,
    encode_failure,
    end_messages,
    parse,
    parse_failure,
)

SOURCE = Path(__file__).parent.parent / "src/lambda_web_adapter"
NAMES = {value.decode() for name, value in vars(control_protocol).items() if name.isupper()}
# A message, or a pattern or the beginning of one.
MESSAGE = re.compile(rf"({'|'.join(sorted(NAMES))})( (%[a-z]|\{{.*|[0-9]+)?)?\n?")


def _message_literals(code: str) -> list[int]:
    """Return the lines of literals that are messages, or begin one."""
    found = []
    for node in ast.walk(ast.parse(code)):
        if isinstance(node, ast.Constant) and isinstance(node.value, str | bytes):
            text = node.value if isinstance(node.value, str) else node.value.decode("latin-1")
            if MESSAGE.fullmatch(text):
                found.append(node.lineno)
    return sorted(found)


ELSEWHERE = ("doctor", "local", "packaging", "testing")


def test_no_other_module_spells_a_message() -> None:
    """The local run, the commands and tests are processes that have no such channel, and words of their own."""
    elsewhere = {path for folder in ELSEWHERE for path in (SOURCE / folder).rglob("*.py")}
    modules = set(SOURCE.rglob("*.py")) - {SOURCE / "ipc/control_protocol.py"} - elsewhere

    assert {
        str(module.relative_to(SOURCE)): found for module in modules if (found := _message_literals(module.read_text()))
    } == {}


def test_the_search_finds_messages_however_they_are_spelled() -> None:
    spelled = 'b"ready"\n"stopping"\nb"done %d" % port\nf"cancel {port}"\nb"failed "\n"closing 8080\\n"\n"it is done"\n'

    assert _message_literals(spelled) == [1, 2, 3, 4, 5, 6]


def test_names_are_distinct_and_single_words() -> None:
    constants = [value for name, value in vars(control_protocol).items() if name.isupper()]

    assert len(constants) == len(NAMES)
    assert all(re.fullmatch(rb"[a-z]+", value) for value in constants)


def test_a_line_is_read_as_it_was_sent() -> None:
    assert parse(encode(CANCEL, 8080).removesuffix(b"\n")) == (CANCEL, 8080)
    assert parse(encode(DUMP_STACKS).removesuffix(b"\n")) == (DUMP_STACKS, 0)
    assert end_messages(8080) == (b"done 8080", b"closing 8080")


def test_a_failure_is_one_line_that_keeps_its_traceback() -> None:
    line = encode_failure("broken\nin two", "ValueError", ["first\n", "second\n"], is_logged=True)

    assert line.startswith(FAILED)
    assert line.count(b"\n") == 1
    assert parse_failure(line.removesuffix(b"\n")) == ("broken\nin two", "ValueError", ("first\n", "second\n"), True)
