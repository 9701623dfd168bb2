"""The file that an app writes its stacks to: where there is one, and that nothing depends on it."""

from __future__ import annotations

import os

import pytest

from lambda_web_adapter.adapter.diagnostics.dump_file import StackDumpFile
from lambda_web_adapter.ipc.parent_process import STACK_DUMP_FD_VARIABLE

ON_LAMBDA = {"AWS_LAMBDA_LOG_GROUP_NAME": "/aws/lambda/f"}


@pytest.mark.parametrize(
    ("environment", "wanted"),
    [
        ({}, False),
        (ON_LAMBDA, True),
        ({"AWS_LAMBDA_LOG_FORMAT": "json"}, True),
        ({"AWS_LAMBDA_LOG_FORMAT": "Text"}, False),
    ],
)
def test_it_is_there_where_a_line_is_an_event(environment: dict[str, str], wanted: bool) -> None:
    file = StackDumpFile.create_if_needed(environment)

    assert (file is not None) is wanted
    if file:
        file.close()


def test_a_system_that_forbids_it_goes_without(monkeypatch: pytest.MonkeyPatch) -> None:
    def forbidden(name: str) -> int:
        raise PermissionError(1, "forbidden", name)

    monkeypatch.setattr(os, "memfd_create", forbidden)

    assert StackDumpFile.create_if_needed(ON_LAMBDA) is None


def test_what_was_written_is_read_once() -> None:
    file = StackDumpFile.create_if_needed(ON_LAMBDA)
    assert file
    variables: dict[str, str] = {}
    file.pass_to_child(variables, execute=False)
    descriptor = int(variables[STACK_DUMP_FD_VARIABLE])
    os.write(descriptor, b"first ")
    os.write(descriptor, b"second")

    assert (file.read_and_clear(), file.read_and_clear()) == ("first second", "")
    os.write(descriptor, b"third")
    assert file.read_and_clear() == "third"
    file.close()
