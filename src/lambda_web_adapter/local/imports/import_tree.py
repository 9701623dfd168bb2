"""What `-X importtime` prints, as a tree."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from pydantic import BaseModel, Field

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

# `import time:       123 |        456 |     name`: indented by two spaces for each level (CPython's Python/import.c)
_LINE = re.compile(r"import time: +(\d+) \| +(\d+) \| (?P<indentation> *)(?P<name>\S.*)")
# What takes less is summed up, in microseconds.
MIN_US = 100


class ImportTime(BaseModel):
    """A module, and what its import has imported."""

    name: str
    self_us: int = Field(description="How long its own code took, in microseconds.")
    cumulative_us: int = Field(description="The same with all that it imported first.")
    children: list[ImportTime] = Field(default=[], description="The slowest first.")

    def includes(self, names: Collection[str]) -> bool:
        """Return whether it is one of these modules, or has imported one."""
        return self.name in names or any(child.includes(names) for child in self.children)


def parse(text: str) -> list[ImportTime]:
    """Return the modules that were imported by no other one, in the order of their ends.

    A module's line comes after those of what it imports. Other lines are ignored; modules whose importer has no line,
    since its import failed, have none above them.
    """
    pending: list[tuple[int, ImportTime]] = []
    for line in text.splitlines():
        if match := _LINE.search(line):
            depth = len(match["indentation"])
            start = len(pending)
            while start and pending[start - 1][0] > depth:
                start -= 1
            children = [module for _, module in pending[start:]]
            module = ImportTime(
                name=match["name"], self_us=int(match[1]), cumulative_us=int(match[2]), children=children
            )
            pending[start:] = [(depth, module)]
    return [module for _, module in pending]


def sort_and_prune(modules: Iterable[ImportTime], min_us: int = MIN_US) -> list[ImportTime]:
    """Return the modules, the slowest first; those that take less than `min_us` are one entry, `… 3 smaller`."""
    ordered = sorted(modules, key=lambda each: -each.cumulative_us)
    small = [each for each in ordered if each.cumulative_us < min_us]
    result = [
        ImportTime(
            name=each.name,
            self_us=each.self_us,
            cumulative_us=each.cumulative_us,
            children=sort_and_prune(each.children, min_us),
        )
        for each in ordered[: len(ordered) - len(small)]
    ]
    if small:
        total = sum(each.cumulative_us for each in small)
        count = sum(_count(each) for each in small)
        result.append(ImportTime(name=f"… {count} smaller", self_us=total, cumulative_us=total))
    return result


def _count(module: ImportTime) -> int:
    return 1 + sum(_count(each) for each in module.children)
