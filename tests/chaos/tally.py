"""What was done and what became of it, as a table."""

from __future__ import annotations

import statistics
from collections import Counter, defaultdict
from dataclasses import dataclass, field

from chaos.environment import Size
from chaos.outcomes import KINDS


def middle(sizes: list[Size]) -> Size:
    """The median of each figure."""
    return Size(*(round(statistics.median(figures)) for figures in zip(*(size.figures for size in sizes), strict=True)))


@dataclass(frozen=True)
class Life:
    """The bootstrap of one environment, near the beginning of its life and at its end."""

    example: str
    streams: bool
    invocations: int
    begin: Size
    end: Size

    @property
    def growth(self) -> int:
        """The memory of its own that it has more, in KB."""
        return self.end.own - self.begin.own

    def __str__(self) -> str:
        begin, end = self.begin, self.end
        kind = "streaming" if self.streams else "whole"
        return (
            f"{self.example}, {kind}, {self.invocations} invocations in one life: memory {begin.memory:,} KB, then "
            f"{end.memory:,} KB (its own: {begin.own:,}, then {end.own:,}); file descriptors {begin.descriptors}, then "
            f"{end.descriptors}; threads {begin.threads}, then {end.threads}"
        )


@dataclass
class Tally:
    """The figures of a run.

    Attributes:
        counts: how many events there were of a trouble's name and an outcome's kind.
        streams: how many of those were to be answered by a stream.
        spent: the seconds that each trouble took, by name.
        lives: of the environments that lived long.
        environments: how many there were.
        late: answers that came after the function's timeout.
        seconds: how long it took.
    """

    counts: Counter[tuple[str, str]] = field(default_factory=Counter)
    streams: Counter[tuple[str, str]] = field(default_factory=Counter)
    spent: defaultdict[str, float] = field(default_factory=lambda: defaultdict(float))
    lives: list[Life] = field(default_factory=list)
    environments: int = 0
    late: int = 0
    seconds: float = 0.0

    def add(self, other: Tally) -> None:
        """Takes another's figures in."""
        self.counts += other.counts
        self.streams += other.streams
        for name, seconds in other.spent.items():
            self.spent[name] += seconds
        self.lives += other.lives
        self.environments += other.environments
        self.late += other.late

    def __str__(self) -> str:
        lines = [*self._table("what was done", self.counts), "", *self._table("of streams alone", self.streams)]
        lines += ["", *map(str, self.lives)]
        lines.append(f"{self.environments} environments; {self.late} answers after the timeout")
        lines.append(f"{sum(self.counts.values()):,} invocations in {self.seconds:.1f} s")
        return "\n".join(lines)

    def _table(self, title: str, counts: Counter[tuple[str, str]]) -> list[str]:
        rows = [(name, [counts[name, kind] for kind in KINDS]) for name in sorted({name for name, _ in counts})]
        rows.append(("all", [sum(column) for column in zip(*(found for _, found in rows), strict=True)]))
        lines = [f"{title:<36}{'events':>8}" + "".join(f"{kind:>9}" for kind in KINDS) + f"{'s each':>9}"]
        for name, found in rows:
            line = f"{name:<36}{sum(found):>8}" + "".join(f"{count or '':>9}" for count in found)
            lines.append(f"{line}{self._each(name):>9}")
        return lines

    def _each(self, name: str) -> str:
        """The seconds that an event took of a trouble."""
        events = sum(count for (found, _), count in self.counts.items() if found == name)
        return f"{self.spent[name] / events:.3f}" if events else ""
