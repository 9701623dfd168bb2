"""The figures of a run, what they say, and the tables that show it."""

from __future__ import annotations

import os
import platform
import statistics
import time
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from contenders import OURS, START_FILE, TITLES
from modes import MODES

OVERVIEW = "How long an event takes, and a cold start"
BEGIN, END = "<!-- benchmark:begin -->", "<!-- benchmark:end -->"
NOT_ON_AWS = (
    "Not measured on AWS: all contenders ran on the machine above, against a Runtime API on its loopback. The download "
    "of a function's code or image, the start of its sandbox, files that are fetched on first use, Lambda's own way to "
    "throttle, its network and its gateways are not in these figures."
)


@dataclass
class Measurement:
    """The figures of a case: by contender and figure, one for each round."""

    mode: str
    app: str
    label: str
    rows: dict[str, dict[str, list[float]]] = field(default_factory=dict)
    kinds: dict[str, str] = field(default_factory=dict)  # of the contenders

    def median(self, name: str, figure: str) -> float:
        """Return a contender's figure."""
        return statistics.median(self.rows[name][figure])

    def ratios(self, name: str, figure: str, ours: str = OURS) -> list[float]:
        """Return this project's figure divided by another's, for each round."""
        return [own / other for own, other in zip(self.rows[ours][figure], self.rows[name][figure], strict=True)]


@dataclass
class Results:
    """A run of the benchmark."""

    date: str
    machine: str
    load: list[float]  # the machine's averages of a minute when the run began and when it ended
    rounds: int
    events: int
    versions: dict[str, str]
    notes: list[str] = field(default_factory=list)
    measurements: list[Measurement] = field(default_factory=list)

    def to_json(self) -> dict[str, Any]:
        """Return a document."""
        return asdict(self)

    @classmethod
    def from_json(cls, document: dict[str, Any]) -> Results:
        """Return the results in a document."""
        measurements = [Measurement(**measurement) for measurement in document["measurements"]]
        return cls(**{**document, "measurements": measurements})


def describe_machine() -> str:
    """Return processor, cores and system of this machine."""
    cpu = platform.machine()
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            cpu = line.partition(":")[2].strip()
            break
    return f"{cpu}, {len(os.sched_getaffinity(0))} cores, {platform.system()} {platform.release()}"


def today() -> str:
    """Return the date in UTC."""
    return time.strftime("%Y-%m-%d", time.gmtime())


def number(value: float) -> str:
    """Return a figure with three digits or all before the point."""
    return f"{value:,.0f}" if value >= 100 else f"{value:.1f}" if value >= 10 else f"{value:.2f}"


def table(measurement: Measurement) -> list[list[str]]:
    """Return head and rows: each contender, then this project's ratio to each."""
    figures = MODES[measurement.mode].figures
    title = ", ".join(filter(None, (TITLES[measurement.app], measurement.label)))
    rows = [[title, *(f"{figure.label}, {figure.unit}" for figure in figures)]]
    rows += [[name, *(number(measurement.median(name, figure.key)) for figure in figures)] for name in measurement.rows]
    for ours, label in ((OURS, "ratio"), (START_FILE, "start file, ratio")):
        for name in measurement.rows:
            if ours in measurement.rows and name not in (ours, START_FILE):
                ratios = (measurement.ratios(name, figure.key, ours) for figure in figures)
                rows.append([f"{label} to {name}", *map(with_range, ratios)])
    return rows


def with_range(ratios: list[float]) -> str:
    """Return the median of ratios, and what the middle half of them lies between."""
    median = f"{statistics.median(ratios):.2f}"
    if len(ratios) < 2:
        return median
    low, _, high = statistics.quantiles(ratios, n=4, method="inclusive")
    return f"{median} ({low:.2f} to {high:.2f})"


def as_text(results: Results) -> str:
    """Return everything for a terminal."""
    lines = [summary(results), ""]
    for measurement in results.measurements:
        rows = table(measurement)
        width = max(len(row[0]) for row in rows)
        lines.append(MODES[measurement.mode].title)
        lines += [f"  {row[0]:{width}}" + "".join(f"{cell:>22}" for cell in row[1:]) for row in rows]
        lines.append("")
    return "\n".join([*lines, *results.notes])


def as_markdown(results: Results, charts: str) -> str:
    """Return the section of a page: for each mode a chart and its tables."""
    parts = [summary(results), *results.notes]
    for mode in dict.fromkeys(measurement.mode for measurement in results.measurements):
        parts += [f"### {MODES[mode].title}", MODES[mode].explanation, picture(mode, MODES[mode].title, charts)]
        for measurement in results.measurements:
            if measurement.mode == mode:
                head, *rows = (f"| {' | '.join(row)} |" for row in table(measurement))
                rule = "|---" + "|---:" * len(MODES[mode].figures) + "|"
                parts.append("\n".join([head, rule, *rows]))
    return "\n\n".join([*parts, NOT_ON_AWS])


def overview(results: Results) -> list[Measurement]:
    """Return what a reader should know first: warm, and the cold start on one core. Nothing if either is missing."""
    cold = MODES["cold"].cases[0].label
    chosen = [each for each in results.measurements if each.mode == "warm" or (each.mode, each.label) == ("cold", cold)]
    return chosen if len({each.mode for each in chosen}) > 1 else []


def as_overview(results: Results, charts: str) -> str:
    """Return the short section: a chart, and the ratios to the peers."""
    chosen = overview(results)
    parts = ["| app | compared with | warm | cold start on one core | with the start file |\n|---|---|---:|---:|---:|"]
    for warm in (each for each in chosen if each.mode == "warm"):
        cold = next(each for each in chosen if each.mode == "cold" and each.app == warm.app)
        for name in warm.rows:
            if warm.kinds[name] in ("rust", "in-process") and name in cold.rows:
                cells = (
                    warm.ratios(name, "p50"),
                    cold.ratios(name, "first_reply"),
                    cold.ratios(name, "first_reply", START_FILE) if START_FILE in cold.rows else [],
                )
                ratios = " | ".join(f"{statistics.median(cell):.2f}" if cell else "" for cell in cells)
                parts.append(f"| {TITLES[warm.app]} | {name} | {ratios} |")
    where = (
        f"{results.date}, {results.machine}, Python {results.versions['Python']}; load average {results.load[0]:.1f} "
        f"before and {results.load[-1]:.1f} after. Not measured on AWS."
    )
    return "\n\n".join([picture("overview", OVERVIEW, charts), "\n".join(parts), where])


def summary(results: Results) -> str:
    """Return when, where and with what was measured."""
    versions = ", ".join(f"{name} {version}" for name, version in results.versions.items())
    return (
        f"{results.date}, {results.machine}. {versions}. Medians of {results.rounds} rounds, with {results.events} "
        "events each where nothing else is said; after a ratio, the middle half of the rounds' ratios. "
        f"The load average was {results.load[0]:.1f} at the beginning and {results.load[-1]:.1f} at the end; "
        "the benchmark alone makes it 1 to 2."
    )


def picture(name: str, title: str, charts: str) -> str:
    """Return the markup that shows a chart, light or dark as the reader's page is."""
    return (
        "<picture>\n"
        f'  <source media="(prefers-color-scheme: dark)" srcset="{charts}/{name}-dark.svg">\n'
        f'  <img alt="{title}" src="{charts}/{name}-light.svg">\n'
        "</picture>"
    )


def split_page(page: Path) -> tuple[str, str]:
    """Return what a page has before and after the section that is renewed."""
    before, begin, rest = page.read_text().partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise SystemExit(f"{page} should contain {BEGIN} and, after it, {END}.")
    return before, after


def replace_section(page: Path, section: str) -> None:
    """Replace what a page has between its two markers."""
    before, after = split_page(page)
    page.write_text(f"{before}{BEGIN}\n\n{section}\n\n{END}{after}")
