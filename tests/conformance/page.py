"""Writes docs/conformance.md from the matrix: `make conformance`."""

from __future__ import annotations

from pathlib import Path

from conformance.cells import NotApplicable
from conformance.columns import COLUMNS
from conformance.table import SECTIONS

PAGE = Path(__file__).parents[2] / "docs" / "conformance.md"
_HEAD = """# Conformance

What is tested for each event source. ✓: tested on the translation alone, and through the adapter process with an app
that records every byte; requests also go through both built-in servers. A number means that there is nothing to test,
and gives the reason below. [event-sources.md](event-sources.md) lists what each source loses of a request.

`make conformance` writes this page from the table that the tests run.
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
