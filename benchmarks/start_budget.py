"""Write docs/start-budget.md: where the time goes from `exec` to the first reply, and every module that is imported.

    make start-budget

Both kinds of app start in both orders of the fork, several times in turn; `recorder/sitecustomize.py` records every
import. The figures are medians. It runs on Linux.
"""

from __future__ import annotations

import argparse
import os
import random
import statistics
import sys
import tempfile
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from contenders import ALONE, APPS, OURS, TITLES, contenders
from cpu_share import FULL_CORE
from installation import PROJECT, Installation, install_packages, use_installed
from measure import Setting, check, running
from processes import Placement
from results import describe_machine, today
from run import positive
from sample_events import build_event

if TYPE_CHECKING:
    from collections.abc import Iterable

PACKAGE = "lambda_web_adapter"
RECORDER = Path(__file__).parent / "recorder"
# Cores, by the order of the fork: with more than one, the adapter is imported beside the app.
ORDERS = {"one core": 1, "two cores": 2}
OWN, THEIRS, STANDARD = "lambda-web-adapter", "other packages", "standard library"
PHASES = ("interpreter", "until the fork", "app", "first request")


@dataclass
class Start:
    """One start: times in milliseconds."""

    phases: dict[str, float] = field(default_factory=dict)
    imports: dict[str, dict[str, float]] = field(default_factory=lambda: {"adapter": {}, "app": {}})

    @property
    def total(self) -> float:
        """The time from `exec` to the last byte of the first reply."""
        return sum(self.phases.values())


def main() -> None:
    """Measure, and write the page."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--venv", type=Path, default=PROJECT / ".venv-benchmark", help="the environment to make")
    parser.add_argument("--page", type=Path, default=PROJECT / "docs" / "start-budget.md", help="the page to write")
    parser.add_argument("--installed", action="store_true", help="measure what the Python that runs this has")
    parser.add_argument("--starts", type=positive, default=15, help="of each kind (default: %(default)s)")
    options = parser.parse_args()
    if sys.platform != "linux" or len(os.sched_getaffinity(0)) < max(ORDERS.values()):
        parser.error("it needs Linux and two cores")
    installation = use_installed() if options.installed else install_packages(options.venv.absolute(), keep=False)
    cases = [(app, order) for app in TITLES for order in (*ORDERS, ALONE)]
    starts: dict[tuple[str, str], list[Start]] = {case: [] for case in cases}
    for number in range(options.starts + 1):
        print(f"round {number} of {options.starts}", file=sys.stderr)
        for app, order in random.sample(cases, len(cases)):
            start = measure(app, order, installation)
            if number:  # the first one fills the page cache
                starts[app, order].append(start)
    options.page.write_text(as_markdown(starts, installation, options.starts))


def measure(app: str, order: str, installation: Installation) -> Start:
    """Start an app once, and return what the start consisted of; `ALONE` is the app without an adapter."""
    name = ALONE if order == ALONE else OURS
    contender = next(each for each in contenders(app, installation) if each.name == name)
    with tempfile.TemporaryDirectory() as folder:
        record = Path(folder) / "record"
        environ = {
            **contender.environ,
            "START_BUDGET_RECORD": str(record),
            "PYTHONPATH": os.pathsep.join([str(RECORDER), str(APPS)]),
        }
        cores = ORDERS.get(order, 1)
        processors = frozenset(sorted(os.sched_getaffinity(0))[:cores])
        setting = Setting(memory=cores * FULL_CORE, placement=Placement(processors))
        with running(replace(contender, environ=environ), setting) as environment:
            (exchange,) = environment.api.invoke(build_event("/hello"), 1)
        check([exchange], b"lambda")
        times = (environment.started_at, environment.api.first_next_at, exchange.ended_at)
        # On Linux, `perf_counter` is the monotonic clock (clock_gettime(2)), as in the record.
        return read_record(record.read_text(), *(seconds * 1000 for seconds in times))


def read_record(text: str, begin: float, ready: float, end: float) -> Start:
    """Return the start that a record describes.

    Args:
        text: the record, as `recorder/sitecustomize.py` writes it.
        begin: when the program was executed, in milliseconds of the monotonic clock.
        ready: when the first event was requested.
        end: when the first reply had come.
    """
    start = Start()
    lines = [line.split() for line in text.splitlines()]
    adapter = lines[0][0]
    marks = {kind: int(at) / 1e6 for _, kind, at, *_ in reversed(lines) if kind in ("site", "fork")}
    fork = marks.get("fork", marks["site"])
    times = (begin, marks["site"], fork, ready, end)
    start.phases = {name: times[index + 1] - times[index] for index, name in enumerate(PHASES)}
    for process, kind, _, *fields in lines:
        if kind == "import":
            imports = start.imports["adapter" if process == adapter else "app"]
            imports[fields[2]] = imports.get(fields[2], 0) + int(fields[1]) / 1e6
    return start


def as_markdown(starts: dict[tuple[str, str], list[Start]], installation: Installation, rounds: int) -> str:
    """Return the page."""
    versions = ", ".join(f"{name} {version}" for name, version in installation.versions.items())
    parts = [
        "# The start budget",
        "Where the time of a cold start goes, from `exec` to the first reply, and every module that the app alone does "
        "not import. [architecture.md](architecture.md) says what was done about it; "
        "`tests/adapter/start_budget.json` is the guard: a test fails with the name of a module that comes in, and if "
        "more is read, or more system calls are made.",
        f"Written by `make start-budget` on {today()}: {describe_machine()}; {versions}. Medians of {rounds} starts, "
        "in milliseconds, with every import recorded, which adds about a tenth. Not measured on AWS.",
        "With the time of one core or less, the adapter is imported before the fork, and the app has what both need. "
        "With more, the fork comes first, and both import side by side. `The app alone`, on one core, is a script with "
        "the app and two socket exchanges, and without an adapter.",
        "## Phases",
        *phases_table(starts),
        "The interpreter is ready when it has imported `site`.",
        "## Imports",
        *imports_table(starts),
        "Processor time, and the number of modules. A module counts without those that it imports itself.",
    ]
    for app, title in TITLES.items():
        parts += [f"## Modules that {title} alone does not import", *modules_list(app, starts)]
    return "\n\n".join(part.strip("\n") for part in parts) + "\n"


def phases_table(starts: dict[tuple[str, str], list[Start]]) -> list[str]:
    """Return a table with a row for each phase."""
    names = {
        "interpreter": "`exec` to interpreter ready",
        "until the fork": "until the fork",
        "app": "until the first request for an event",
        "first request": "event to reply",
    }
    rows = [head(starts), "|---|" + "---:|" * len(starts)]
    for phase, title in names.items():
        cells = [median(start.phases[phase] for start in each) for each in starts.values()]
        rows.append(row(title, cells))
    rows.append(row("**exec to first reply**", [median(start.total for start in each) for each in starts.values()]))
    return ["\n".join(rows)]


def imports_table(starts: dict[tuple[str, str], list[Start]]) -> list[str]:
    """Return a table with number and time of the imports of each process, by where the modules are from."""
    rows = [head(starts), "|---|" + "---:|" * len(starts)]
    for process in ("adapter", "app"):
        for origin in (OWN, THEIRS, STANDARD):
            cells = []
            for each in starts.values():
                names = [name for name in each[0].imports[process] if origin_of(name) == origin]
                time_of_all = median(sum(start.imports[process].get(name, 0) for name in names) for start in each)
                cells.append(f"{time_of_all} ({len(names)})" if names else "")
            if any(cells):
                rows.append(row(f"{process} process: {origin}", cells))
    return ["\n".join(rows)]


def modules_list(app: str, starts: dict[tuple[str, str], list[Start]]) -> list[str]:
    """Return for each order the modules that the app alone does not import, the slowest first."""
    alone = set(starts[app, ALONE][0].imports["adapter"])
    parts = []
    for order in ORDERS:
        lines = []
        for process in ("adapter", "app"):
            names = [name for name in starts[app, order][0].imports[process] if name not in alone]
            times = {
                name: statistics.median(start.imports[process].get(name, 0) for start in starts[app, order])
                for name in names
            }
            lines.append(f"{sum(times.values()):8.2f}  {process} process: {len(times)} modules")
            lines += [f"{times[name]:8.2f}  {name}" for name in sorted(times, key=lambda name: -times[name])]
        parts.append(
            f"<details><summary>{TITLES[app]}, {order}</summary>\n\n```text\n"
            + "\n".join(lines)
            + "\n```\n\n</details>"
        )
    return parts


def origin_of(module: str) -> str:
    """Return where a module is from."""
    top = module.partition(".")[0]
    if top == PACKAGE:
        return OWN
    return STANDARD if top in sys.stdlib_module_names else THEIRS


def head(starts: dict[tuple[str, str], list[Start]]) -> str:
    """Return the head of a table with a column for each case."""
    return row("", [f"{TITLES[app]}, {order}" for app, order in starts])


def row(title: str, cells: list[str]) -> str:
    """Return a row of a table."""
    return f"| {title} | {' | '.join(cells)} |"


def median(values: Iterable[float]) -> str:
    """Return the median of milliseconds, with one decimal."""
    return f"{statistics.median(values):.1f}"


if __name__ == "__main__":
    main()
