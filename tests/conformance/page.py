"""Writes docs/conformance.md from the matrix: `make conformance`."""

from __future__ import annotations

from pathlib import Path

from conformance.cells import NotApplicable
from conformance.columns import COLUMNS
from conformance.table import SECTIONS

PAGE = Path(__file__).parents[2] / "docs" / "conformance.md"
_HEAD = """# Conformance

What holds for each event source. ✓ is tested: on the translation alone, and through the real adapter process, with an
app that keeps every byte; requests go through both Python servers as well. A number is the reason why there is nothing
to test, below. What each service keeps of a request, and what it loses, is in [event-sources.md](event-sources.md).

This page is written by `make conformance`, from the table that the tests run.
"""


def page() -> str:
    """The page."""
    reasons: dict[str, int] = {}
    parts = [_HEAD]
    for section in SECTIONS:
        lines = [f"| {section.title} | {' | '.join(COLUMNS.values())} |", "|---" * (len(COLUMNS) + 1) + "|"]
        for row in section.rows:
            cells = [_mark(row.cells[column], reasons) for column in COLUMNS]
            lines.append(f"| {row.title} | {' | '.join(cells)} |")
        parts.append("\n".join(lines) + "\n")
    parts.append("## Reasons\n")
    parts.append("\n".join(f"{number}. {reason}" for reason, number in reasons.items()) + "\n")
    return "\n".join(parts)


def _mark(cell: object, reasons: dict[str, int]) -> str:
    if isinstance(cell, NotApplicable):
        return str(reasons.setdefault(cell.reason, len(reasons) + 1))
    return "✓"


if __name__ == "__main__":
    PAGE.write_text(page())
