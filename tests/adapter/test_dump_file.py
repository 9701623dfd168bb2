"""The file that an app writes its stacks to: where there is one, and that nothing depends on it."""

from __future__ import annotations

import os

import pytest

from lambda_web_adapter.adapter.diagnostics.dump_file import StacksFile
from lambda_web_adapter.ipc.parent_process import STACKS_TO

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
    file = StacksFile.where_wanted(environment)

    assert (file is not None) is wanted
    if file:
        file.close()


def test_a_system_that_forbids_it_goes_without(monkeypatch: pytest.MonkeyPatch) -> None:
    def forbidden(name: str) -> int:
        raise PermissionError(1, "forbidden", name)

    monkeypatch.setattr(os, "memfd_create", forbidden)

    assert StacksFile.where_wanted(ON_LAMBDA) is None


def test_what_was_written_is_read_once() -> None:
    file = StacksFile.where_wanted(ON_LAMBDA)
    assert file
    variables: dict[str, str] = {}
    file.hand_on(variables, execute=False)
    descriptor = int(variables[STACKS_TO])
    os.write(descriptor, b"first ")
    os.write(descriptor, b"second")

    assert (file.take(), file.take()) == ("first second", "")
    os.write(descriptor, b"third")
    assert file.take() == "third"
    file.close()
