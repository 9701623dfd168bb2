"""The file that an app writes its stacks to: where there is one, and that nothing depends on it."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from lambda_web_adapter.adapter.diagnostics.dump_file import StackDumpFile
from lambda_web_adapter.ipc.parent_process import STACK_DUMP_FD_VARIABLE


def test_a_system_that_forbids_it_goes_without(monkeypatch: pytest.MonkeyPatch) -> None:
    def forbidden(name: str) -> int:
        raise PermissionError(1, "forbidden", name)

    monkeypatch.setattr(os, "memfd_create", forbidden)

    assert StackDumpFile.create() is None


@pytest.mark.parametrize("memory", [True, False], ids=["in memory", "in a folder"])
def test_what_was_written_is_read_once(memory: bool, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    if not memory:
        monkeypatch.delattr(os, "memfd_create", raising=False)
        monkeypatch.setenv("TMPDIR", str(tmp_path))
    file = StackDumpFile.create()
    assert file
    assert list(tmp_path.iterdir()) == []
    variables: dict[str, str] = {}
    file.pass_to_child(variables, execute=False)
    descriptor = int(variables[STACK_DUMP_FD_VARIABLE])
    os.write(descriptor, b"first ")
    os.write(descriptor, b"second")

    assert (file.read(), file.read()) == ("first second", "")
    os.write(descriptor, b"third")
    assert file.read() == "third"
    file.close()
