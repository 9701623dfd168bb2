"""The matrix has no holes: every source has its column, every row a cell in each, and every cell is about something."""

from __future__ import annotations

import re
from collections import Counter

import pytest
from fixtures.loading import SOURCE_NAMES, aspects, reply_aspects

from conformance.cells import Answers, Becomes, NotApplicable, Row
from conformance.columns import COLUMNS
from conformance.page import PAGE, page
from conformance.table import ROWS
from lambda_web_adapter.events import import_sources

# Replies for which there is no row, since they are of one source alone; tests/events/test_fixtures.py runs them.
OF_ONE_SOURCE = {
    "bedrock_agent": {"head", "type_missing"},
    "pass_through": {"text", "type_missing"},
    "websocket": {"message"},
}
every_row = pytest.mark.parametrize("row", [pytest.param(row, id=row.title) for row in ROWS])


def test_every_source_has_a_column() -> None:
    named = {SOURCE_NAMES[column] for column in COLUMNS}

    assert {source.name for source in import_sources()} == named
    assert COLUMNS.keys() == SOURCE_NAMES.keys()


@every_row
def test_a_row_has_a_cell_in_each_column_and_nowhere_else(row: Row) -> None:
    assert row.cells.keys() == COLUMNS.keys()


@every_row
def test_a_row_is_tested_somewhere(row: Row) -> None:
    assert any(not isinstance(cell, NotApplicable) for cell in row.cells.values())


@every_row
def test_every_reason_is_a_sentence(row: Row) -> None:
    reasons = [cell.reason for cell in row.cells.values() if isinstance(cell, NotApplicable)]

    assert [reason for reason in reasons if not re.fullmatch(r"[A-Z`].{15,150}\.", reason)] == []


@every_row
def test_every_cell_of_a_fixture_says_what_that_shows(row: Row) -> None:
    cells = [cell for cell in row.cells.values() if isinstance(cell, Becomes | Answers)]

    assert [cell for cell in cells if not cell.shows] == []


def test_every_row_has_a_title_of_its_own() -> None:
    assert [title for title, count in Counter(row.title for row in ROWS).items() if count > 1] == []


@pytest.mark.parametrize("column", [pytest.param(column, id=column) for column in COLUMNS])
def test_no_fixture_of_a_reply_is_left_out(column: str) -> None:
    used = {cell.aspect for row in ROWS if isinstance(cell := row.cells[column], Answers)}

    assert reply_aspects(column) - used - OF_ONE_SOURCE.get(column, set()) == set()


@pytest.mark.parametrize("column", [pytest.param(column, id=column) for column in COLUMNS])
def test_every_cell_s_fixture_is_there(column: str) -> None:
    cells = [row.cells[column] for row in ROWS]
    asked = {(cell.folder or column, cell.aspect) for cell in cells if isinstance(cell, Becomes)}
    answered = {cell.aspect for cell in cells if isinstance(cell, Answers)}

    assert {(folder, aspect) for folder, aspect in asked if aspect not in aspects(folder)} == set()
    assert answered - reply_aspects(column) == set()


def test_the_page_is_the_one_that_the_table_gives() -> None:
    assert PAGE.read_text() == page(), "write it again: PYTHONPATH=tests python -m conformance.page"
