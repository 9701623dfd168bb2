"""Every snippet on these pages is run by a test."""

from __future__ import annotations

from pathlib import Path

from side_by_side.snippets import blocks


def test_every_snippet_has_a_name_that_a_test_runs_it_by() -> None:
    tests = "".join(file.read_text() for file in Path(__file__).parent.glob("test_*.py"))

    assert blocks()
    assert [said for said, _ in blocks() if len(said.split()) != 2 or f'"{said.split()[-1]}"' not in tests] == []
