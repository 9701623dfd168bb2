"""The matrix: all sections, and its cells by kind for the tests."""

from __future__ import annotations

from typing import Any

import pytest

from conformance.columns import COLUMNS
from conformance.rows_of_events import EVENTS, FAILURES, REFUSALS
from conformance.rows_of_headers import CALLERS, HEADERS
from conformance.rows_of_paths import METHODS, PATHS, STAGES
from conformance.rows_of_queries import BODIES, QUERIES
from conformance.rows_of_replies import REPLIES, REPLY_BODIES

SECTIONS = (
    EVENTS,
    METHODS,
    PATHS,
    STAGES,
    QUERIES,
    HEADERS,
    CALLERS,
    BODIES,
    REFUSALS,
    REPLIES,
    REPLY_BODIES,
    FAILURES,
)
ROWS = [row for section in SECTIONS for row in section.rows]


def cells(*kinds: type) -> list[Any]:
    """Makes a parameter of each cell of these kinds: its column and the cell."""
    return [
        pytest.param(column, row.cells[column], id=f"{row.title} - {column}")
        for row in ROWS
        for column in COLUMNS
        if isinstance(row.cells.get(column), kinds)
    ]
